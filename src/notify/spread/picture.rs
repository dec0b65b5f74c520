//! The spread of a story as SVG. The template escapes whatever it is given; nothing here is trusted.

use std::collections::BTreeMap;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::{Placed, followers_of, name_of, placed, unlisted};
use crate::base::figures::{count, short};
use crate::base::model::{Going, Negativity, Spread, Tone};
use crate::base::time::{Span, Time};
use crate::notify::around::Surroundings;
use crate::notify::plain::plain;
use crate::notify::words::posts::does;

const TEMPLATE: &str = include_str!("tree.svg");
/// Pixels.
const WIDTH: f64 = 1200.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 60.0;
const TOP: f64 = 92.0;
const ROW: f64 = 30.0;
/// Time is shown on a scale that is even within this of the beginning and shrinks after it.
const EVEN: f64 = 60.0;
/// Times on the axis, in seconds.
const TIMES: [i64; 12] = [60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800];
/// Pixels between two times on the axis.
const APART: f64 = 56.0;

type Words = BTreeMap<&'static str, Value>;

/// The spread of a brand's story as SVG, as of a time; `None` where nobody is known to have carried it.
pub fn svg(going: &Going, brand: &str, at: Time, around: &Surroundings) -> Option<String> {
    let mut env = Environment::empty();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.add_template("tree", TEMPLATE).ok()?;
    let rows = placed(&going.tree);
    if rows.is_empty() {
        return None;
    }
    env.get_template("tree").ok()?.render(scene(going, &rows, brand, at, around)).ok()
}

/// Where a time stands.
struct Axis {
    began: Time,
    span: f64,
}

impl Axis {
    fn of(going: &Going, rows: &[Placed<'_>]) -> Axis {
        let began = rows.iter().map(|p| p.one.time).min().map_or(going.began, |t| t.min(going.began));
        let last = rows.iter().map(|p| p.one.time).max().unwrap_or(began);
        Axis { began, span: (last - began).as_seconds().max(EVEN) }
    }

    fn x(&self, seconds: f64) -> f64 {
        let log = |s: f64| (s.max(0.0) / EVEN).ln_1p();
        round(LEFT + (WIDTH - LEFT - RIGHT) * log(seconds) / log(self.span))
    }

    fn at(&self, time: Time) -> f64 {
        self.x((time - self.began).as_seconds())
    }

    fn times(&self) -> Vec<Value> {
        let mut last = f64::MIN;
        let mut out = Vec::new();
        for s in TIMES.into_iter().filter(|s| (*s as f64) <= self.span) {
            let x = self.x(s as f64);
            if x - last >= APART {
                last = x;
                out.push(value([("x", Value::from(x)), ("name", Value::from(format!("+{}", Span::seconds(s))))]));
            }
        }
        out
    }
}

fn round(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

fn value<const N: usize>(words: [(&'static str, Value); N]) -> Value {
    Value::from(Words::from(words))
}

fn scene(going: &Going, rows: &[Placed<'_>], brand: &str, at: Time, around: &Surroundings) -> Value {
    let axis = Axis::of(going, rows);
    let y = |row: usize| TOP + ROW * (row as f64 + 0.8);
    let bottom = y(rows.len());
    let nodes: Vec<Value> =
        rows.iter().enumerate().map(|(row, p)| node(p, y(row), p.from.map(y), rows, &axis, around)).collect();
    value([
        ("width", Value::from(WIDTH)),
        ("height", Value::from(bottom + 66.0)),
        ("top", Value::from(TOP)),
        ("bottom", Value::from(bottom)),
        ("foot", Value::from(bottom + 18.0)),
        ("last", Value::from(bottom + 48.0)),
        ("title", Value::from(format!("{}: how the story spread", plain(brand, 80)))),
        ("more", Value::from(summary(going, at, around))),
        ("legend", Value::from(legend(going))),
        ("times", Value::from(axis.times())),
        ("nodes", Value::from(nodes)),
    ])
}

fn node(p: &Placed<'_>, y: f64, from: Option<f64>, rows: &[Placed<'_>], axis: &Axis, around: &Surroundings) -> Value {
    let (s, x) = (p.one, axis.at(p.one.time));
    let radius = radius(s);
    let parent = p.from.and_then(|i| rows.get(i)).map(|f| axis.at(f.one.time));
    let path = parent.zip(from).map(|(px, py)| format!("M{px} {py}V{y}H{x}"));
    let beyond = x > WIDTH * 0.6;
    let color = color(s);
    value([
        ("x", Value::from(x)),
        ("y", Value::from(y)),
        ("r", Value::from(radius)),
        ("path", Value::from(path.unwrap_or_default())),
        ("color", Value::from(color)),
        ("fill", Value::from(if s.known { color } else { "#161e29" })),
        ("name_x", Value::from(round(if beyond { x - radius - 8.0 } else { x + radius + 8.0 }))),
        ("name_y", Value::from(y + 5.0)),
        ("anchor", Value::from(if beyond { "end" } else { "start" })),
        ("name", Value::from(name_of(s))),
        ("facts", Value::from(format!("{}, {}, {}", does(s.kind), followers_of(s), around.clock(s.time)))),
    ])
}

/// Grows with followers: 10 M are five times as wide as 100.
fn radius(s: &Spread) -> f64 {
    let tens = (s.followers.max(1) as f64).log10();
    round((2.0 + 1.6 * tens).clamp(4.0, 14.0))
}

fn color(s: &Spread) -> &'static str {
    match Tone::of(s.n_milli.map(Negativity::from_milli)) {
        Tone::Negative => "#ff6b5e",
        Tone::Positive => "#5fd08a",
        Tone::Neutral => "#b8c4d2",
        Tone::Unknown => "#8b98a7",
    }
}

fn summary(going: &Going, at: Time, around: &Surroundings) -> String {
    let mut out = count(going.accounts as usize, "account");
    if let Some(o) = &going.outlook {
        let shares = count(o.shares as usize, "share");
        out = format!("{out}, {shares}, {}, each brings {:.1} more", o.state.name(), o.brings);
    }
    if going.reach >= 0.5 {
        out.push_str(&format!(", reach {} impressions", short(going.reach)));
    }
    format!("{out}; as of {} {}", around.date(at), around.clock_zone(at))
}

fn legend(going: &Going) -> String {
    let mut out =
        "red: hostile; grey: neutral or unknown; green: positive; hollow: followers not known; larger: more followers"
            .to_string();
    let more = unlisted(going);
    if !more.is_empty() {
        out.push_str(&format!("; {more} are not shown"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{going, one};
    use super::*;

    #[test]
    fn what_strangers_wrote_stays_text() {
        let tree = vec![one(0, None, "<script>alert(1)</script>&\"'\u{202e}"), one(1, Some(0), "]]><svg/onload=x>")];
        let svg = svg(&going(tree), "A & B <i>", Time(1_783_000_600_000_000), &Surroundings::default()).unwrap();
        assert!(
            !svg.contains("<script") && !svg.contains("<svg/") && !svg.contains("<i>") && !svg.contains('\u{202e}')
        );
        assert!(svg.contains("&lt;script&gt;"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
        assert_eq!(svg.matches("<path").count(), 1);
    }

    #[test]
    fn odd_times_stay_inside_the_picture() {
        let mut tree: Vec<Spread> = (0..48).map(|i| one(i, (i > 0).then_some(0), "x")).collect();
        tree[3].time = crate::base::time::LATEST;
        tree[4].time = Time(0);
        let svg = svg(&going(tree), "b", Time(0), &Surroundings::default()).unwrap();
        for x in svg.split("cx=\"").skip(1).filter_map(|s| s.split('"').next()) {
            assert!((LEFT..=WIDTH - RIGHT).contains(&x.parse::<f64>().unwrap()), "{x}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert_eq!(super::svg(&going(Vec::new()), "b", Time(0), &Surroundings::default()), None);
    }

    /// For looking at: `GROUNDSWELL_LOOK=/folder cargo test --lib look_at_spread -- --ignored`.
    #[test]
    #[ignore = "writes a picture for people"]
    fn look_at_spread() {
        let folder = std::path::PathBuf::from(std::env::var_os("GROUNDSWELL_LOOK").unwrap());
        let from = |i: u32| if i == 0 { None } else { Some(if i.is_multiple_of(5) { i / 5 } else { 0 }) };
        let tree = (0..24).map(|i| one(u64::from(i), from(i), &format!("person{i}.example"))).collect();
        let svg = svg(&going(tree), "United", Time(1_783_000_600_000_000), &Surroundings::default()).unwrap();
        std::fs::write(folder.join("spread.svg"), svg).unwrap();
    }
}
