//! Hostile reach as a picture: the curve, what is usual, from where on it pages, what happened when.
//!
//! Drawn for a phone: large letters, few of them, on a dark ground of its own that suits light and dark mails.

use std::sync::OnceLock;

use plotters::coord::types::RangedCoordf64;
use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::prelude::{BitMapBackend, Cartesian2d, ChartBuilder, ChartContext, DrawingArea, IntoDrawingArea};
use plotters::series::{AreaSeries, LineSeries};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle, register_font};

use super::plain::plain;
use super::scale;
use super::view;
use crate::base::figures::short;
use crate::base::limits;
use crate::base::time::Time;

/// Pixels; shown at half of it or less.
const SIZE: (u32, u32) = (1280, 540);
const LETTERS: i32 = 40;
const ROW: i32 = 50;
const RIGHT: i32 = 34;
const FONT: &str = "groundswell";

const GROUND: RGBColor = RGBColor(0x16, 0x1e, 0x29);
const GRID: RGBColor = RGBColor(0x2e, 0x3a, 0x49);
const WORDS: RGBColor = RGBColor(0xb8, 0xc4, 0xd2);
const CURVE: RGBColor = RGBColor(0xff, 0x6b, 0x5e);
const USUAL: RGBColor = RGBColor(0x5f, 0xa8, 0xf0);
const LINE: RGBColor = RGBColor(0xff, 0xc2, 0x3d);
const MARK: RGBColor = RGBColor(0xf2, 0xf5, 0xf8);

type Area<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;
type Context<'a, 'b> = ChartContext<'a, BitMapBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
/// The library's own errors say nothing that a reader of a mail could use.
type Drawn = Option<()>;

/// The chart as PNG; `None` where there is nothing to draw.
pub(crate) fn png(chart: &view::Chart) -> Option<Vec<u8>> {
    let shown = Shown::of(chart)?;
    let mut pixels = vec![0u8; SIZE.0 as usize * SIZE.1 as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area();
        draw(&area, &shown)?;
        area.present().ok()?;
    }
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, SIZE.0, SIZE.1);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_compression(::png::Compression::High);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    (out.len() <= limits::CHART_BYTES).then_some(out)
}

/// The chart in words, for those who do not see it.
pub(crate) fn words(chart: &view::Chart) -> Option<String> {
    let shown = Shown::of(chart)?;
    let last = shown.points.last()?.1;
    let clock = |x: f64| scale::clock(shown.zero + x, 60.0);
    let mut out = format!(
        "Chart: hostile reach within the hour, {} to {}; highest {}, at the end {}",
        clock(shown.x.0),
        clock(shown.x.1),
        short(shown.highest()),
        short(last)
    );
    if let Some((low, high)) = shown.usual {
        out.push_str(&format!("; usual {} to {}", short(low), short(high)));
    }
    if let Some(line) = shown.line {
        out.push_str(&format!("; pages from {}", short(line)));
    }
    for (x, name) in shown.marks.iter().filter(|(_, name)| !name.is_empty()) {
        out.push_str(&format!("; {} {name}", clock(*x)));
    }
    Some(out)
}

/// What is drawn, made safe: finite, in order, bounded. Times in seconds after the first one shown.
struct Shown {
    points: Vec<(f64, f64)>,
    usual: Option<(f64, f64)>,
    line: Option<f64>,
    marks: Vec<(f64, String)>,
    /// The first time shown, local, in seconds since 1970.
    zero: f64,
    x: (f64, f64),
    y: f64,
}

impl Shown {
    fn of(chart: &view::Chart) -> Option<Shown> {
        let sane = |(t, y): &(Time, f64)| Some((t.plausible()?.as_seconds(), impressions(*y)?));
        let mut points: Vec<(f64, f64)> = chart.points.iter().filter_map(sane).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (first, last) = (points.first()?.0, points.last()?.0);
        let within = |t: f64| t >= first - 60.0 && t <= last + 3600.0;
        let known = |m: &view::Mark| Some((m.at.plausible()?.as_seconds(), name(&m.name)));
        let mut marks: Vec<(f64, String)> = chart.marks.iter().filter_map(known).filter(|(t, _)| within(*t)).collect();
        marks.truncate(limits::CHART_NAMED);
        marks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let from = marks.first().map_or(first, |(t, _)| t.min(first));
        let to = marks.last().map_or(last, |(t, _)| t.max(last));
        // a single moment stands in the middle of an hour
        let (from, to) = if to - from < 60.0 { (from - 1800.0, to + 1800.0) } else { (from, to) };
        let usual = chart.usual.and_then(|(a, b)| Some((impressions(a)?, impressions(b)?)));
        let line = chart.line.and_then(impressions);
        let top = points.iter().map(|p| p.1).chain(line).chain(usual.map(|u| u.1)).fold(1.0, f64::max);
        let points = scale::thinned(&points, limits::CHART_POINTS).into_iter().map(|(t, y)| (t - from, y)).collect();
        Some(Shown {
            points,
            usual: usual.map(|(a, b)| (a.min(b), a.max(b))),
            line,
            marks: marks.into_iter().map(|(t, n)| (t - from, n)).collect(),
            zero: from + f64::from(chart.offset.clamp(-86_400, 86_400)),
            x: (0.0, to - from),
            y: top * 1.12,
        })
    }

    fn highest(&self) -> f64 {
        self.points.iter().map(|p| p.1).fold(0.0, f64::max)
    }
}

/// Impressions that can be drawn; `None` of what is no number.
fn impressions(x: f64) -> Option<f64> {
    x.is_finite().then(|| x.clamp(0.0, 1e15))
}

/// A name in letters that the font has.
fn name(text: &str) -> String {
    let known = |c: &char| matches!(c, ' '..='~' | '\u{a0}'..='\u{ff}' | '–' | '—' | '‘' | '’' | '“' | '”' | '…' | '€');
    let kept: String = text.chars().take(4 * limits::CHART_NAME_CHARS).filter(known).collect();
    plain(&kept, limits::CHART_NAME_CHARS)
}

fn style(color: RGBColor, h: HPos, v: VPos) -> Option<TextStyle<'static>> {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    let register = || register_font(FONT, FontStyle::Normal, include_bytes!("mail/font.ttf")).is_ok();
    KNOWN.get_or_init(register).then(|| (FONT, LETTERS).into_font().color(&color).pos(Pos::new(h, v)))
}

fn draw(area: &Area, shown: &Shown) -> Drawn {
    area.fill(&GROUND).ok()?;
    let ticks = scale::ticks(shown.y, 3);
    let measure = style(WORDS, HPos::Right, VPos::Center)?;
    let widths = ticks.iter().map(|t| area.estimate_text_size(&short(*t), &measure).map_or(0, |s| s.0));
    let left = widths.max().unwrap_or(0).clamp(40, 260) as i32 + 34;
    let rows = labels(area, shown, left)?;
    let used = rows.iter().map(|l| l.row + 1).max().unwrap_or(0);
    let mut context: Context = ChartBuilder::on(area)
        .margin_left(left)
        .margin_right(RIGHT)
        .margin_top(18 + ROW * used)
        .margin_bottom(ROW + 18)
        .build_cartesian_2d(shown.x.0..shown.x.1, 0.0..shown.y)
        .ok()?;
    grid(area, &context, shown, &ticks)?;
    if let Some((low, high)) = shown.usual {
        let corners = [(shown.x.0, high), (shown.x.1, low)];
        context.draw_series([Rectangle::new(corners, USUAL.mix(0.30).filled())]).ok()?;
    }
    let curve = shown.points.iter().copied();
    context.draw_series(AreaSeries::new(curve.clone(), 0.0, CURVE.mix(0.30))).ok()?;
    context.draw_series(LineSeries::new(curve, CURVE.stroke_width(6))).ok()?;
    page_line(area, &context, shown)?;
    marks(area, &context, shown, &rows)?;
    names(area, &context, shown)
}

fn grid(area: &Area, context: &Context, shown: &Shown, ticks: &[f64]) -> Drawn {
    let beside = style(WORDS, HPos::Right, VPos::Center)?;
    for tick in ticks {
        let (left, y) = context.backend_coord(&(shown.x.0, *tick));
        let right = context.backend_coord(&(shown.x.1, *tick)).0;
        area.draw(&Rectangle::new([(left, y), (right, y + 1)], GRID.filled())).ok()?;
        area.draw(&Text::new(short(*tick), (left - 16, y), beside.clone())).ok()?;
    }
    let below = style(WORDS, HPos::Center, VPos::Top)?;
    let (step, times) = scale::times(shown.zero, shown.x.1, 6);
    for at in times {
        let (x, y) = context.backend_coord(&(at - shown.zero, 0.0));
        area.draw(&Rectangle::new([(x, y), (x + 1, y + 10)], WORDS.filled())).ok()?;
        let text = scale::clock(at, step);
        let half = area.estimate_text_size(&text, &below).map_or(0, |s| s.0 as i32) / 2 + 6;
        let x = x.clamp(half, SIZE.0 as i32 - half);
        area.draw(&Text::new(text, (x, y + 16), below.clone())).ok()?;
    }
    Some(())
}

fn page_line(area: &Area, context: &Context, shown: &Shown) -> Drawn {
    let Some(line) = shown.line else { return Some(()) };
    let (mut x, y) = context.backend_coord(&(shown.x.0, line));
    let right = context.backend_coord(&(shown.x.1, line)).0;
    while x < right {
        area.draw(&Rectangle::new([(x, y - 2), ((x + 18).min(right), y + 2)], LINE.filled())).ok()?;
        x += 30;
    }
    Some(())
}

/// A name of a mark: in which row above the chart, and from where to where.
struct Label {
    /// Which mark.
    mark: usize,
    row: i32,
    /// Where the mark stands.
    x: i32,
    left: i32,
    right: i32,
}

impl Label {
    /// Whether both can be read, and no line of a mark goes through words.
    fn spares(&self, other: &Label) -> bool {
        let crossed = |over: &Label, by: &Label| by.row < over.row && by.x > over.left - 8 && by.x < over.right + 8;
        let apart = self.right + 30 < other.left || other.right + 30 < self.left;
        (self.row != other.row || apart) && !crossed(self, other) && !crossed(other, self)
    }
}

/// Finds a place for each name, like a flag at its mark; the last ones first: they are why the mail is sent.
/// What has no place in three rows stays without a name.
fn labels(area: &Area, shown: &Shown, left: i32) -> Option<Vec<Label>> {
    let measure = style(MARK, HPos::Left, VPos::Top)?;
    let wide = f64::from(SIZE.0 as i32 - RIGHT - left);
    let mut out: Vec<Label> = Vec::new();
    for (mark, (at, text)) in shown.marks.iter().enumerate().rev().filter(|(_, (_, text))| !text.is_empty()) {
        let x = left + (wide * at / (shown.x.1 - shown.x.0)) as i32;
        let long = area.estimate_text_size(text, &measure).map_or(0, |s| s.0 as i32);
        let sides = [(x - 12 - long, x - 12), (x + 12, x + 12 + long)];
        let places = (0..3).flat_map(|row| sides.map(|(left, right)| Label { mark, row, x, left, right }));
        let mut fits = places.filter(|l| l.left >= 8 && l.right <= SIZE.0 as i32 - 8);
        out.extend(fits.find(|l| out.iter().all(|o| l.spares(o))));
    }
    Some(out)
}

fn marks(area: &Area, context: &Context, shown: &Shown, rows: &[Label]) -> Drawn {
    let used = rows.iter().map(|l| l.row + 1).max().unwrap_or(0);
    for (mark, (at, _)) in shown.marks.iter().enumerate() {
        let (x, bottom) = context.backend_coord(&(*at, 0.0));
        let row = rows.iter().find(|l| l.mark == mark).map_or(used, |l| l.row);
        let mut y = 18 + ROW * row;
        while y < bottom {
            area.draw(&Rectangle::new([(x - 1, y), (x + 1, (y + 8).min(bottom))], MARK.mix(0.65).filled())).ok()?;
            y += 16;
        }
        let height = scale::height(&shown.points, *at);
        let dot = context.backend_coord(&(*at, height));
        area.draw(&Circle::new(dot, 10, MARK.filled())).ok()?;
        area.draw(&Circle::new(dot, 6, CURVE.filled())).ok()?;
    }
    let above = style(MARK, HPos::Left, VPos::Top)?;
    for label in rows {
        let text = shown.marks.get(label.mark).map(|m| m.1.clone()).unwrap_or_default();
        area.draw(&Text::new(text, (label.left, 14 + ROW * label.row), above.clone())).ok()?;
    }
    Some(())
}

/// What the band and the line mean, where it can be read.
fn names(area: &Area, context: &Context, shown: &Shown) -> Drawn {
    let mut last: Option<i32> = None;
    let line = shown.line.map(|y| (format!("pages from {}", short(y)), y, LINE));
    let usual = shown.usual.map(|(low, high)| (format!("usual {} to {}", short(low), short(high)), high, USUAL));
    for (text, at, color) in [line, usual].into_iter().flatten() {
        let (x, y) = context.backend_coord(&(shown.x.0, at));
        // what lies far outside the picture is at its edge
        let y = y.clamp(0, SIZE.1 as i32);
        let lowest = context.backend_coord(&(shown.x.0, 0.0)).1 - 8;
        // above its line, unless that is where the other one is or the picture ends
        let foot = if last.is_some_and(|l| (l - (y - 8)).abs() < ROW) { last.unwrap_or(y) + ROW } else { y - 8 };
        let foot = foot.clamp(ROW, lowest);
        last = Some(foot);
        let words = style(color, HPos::Left, VPos::Bottom)?;
        let wide = area.estimate_text_size(&text, &words).map_or(0, |s| s.0 as i32);
        let behind = [(x + 4, foot - LETTERS - 4), (x + wide + 20, foot + 2)];
        area.draw(&Rectangle::new(behind, GROUND.mix(0.65).filled())).ok()?;
        area.draw(&Text::new(text, (x + 12, foot), words)).ok()?;
    }
    let (end, height) = shown.points.last()?;
    let dot = context.backend_coord(&(*end, *height));
    area.draw(&PathElement::new(vec![dot, dot], CURVE)).ok()?;
    area.draw(&Circle::new(dot, 10, CURVE.filled())).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notify::view::{Chart, Mark};

    fn at(seconds: i64) -> Time {
        Time::from_millis((1_783_000_000 + seconds) * 1000)
    }

    fn mark(seconds: i64, name: &str) -> Mark {
        Mark { at: at(seconds), name: name.to_string() }
    }

    /// Six hours of quiet, then a story within minutes.
    fn story() -> Chart {
        let quiet = (0..352).map(|m| (at(60 * m), 5_000.0 + 900.0 * (m as f64 / 17.0).sin()));
        let risen = (352..=360).map(|m| (at(60 * m), 5_100.0 + 1_500.0 * ((m - 352) as f64).powi(2)));
        Chart {
            points: quiet.chain(risen).collect(),
            usual: Some((3_800.0, 6_400.0)),
            line: Some(50_000.0),
            marks: vec![mark(60 * 352, "root post"), mark(60 * 358, "@latimes"), mark(60 * 360, "this page")],
            offset: -5 * 3600,
        }
    }

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), SIZE);
        pixels
    }

    fn has(pixels: &[u8], color: RGBColor) -> bool {
        pixels.chunks(3).any(|p| p == [color.0, color.1, color.2])
    }

    #[test]
    fn a_picture_shows_curve_line_and_marks() {
        let bytes = png(&story()).unwrap();
        assert!(bytes.len() < 60_000, "{}", bytes.len());
        let pixels = decoded(&bytes);
        for color in [GROUND, CURVE, LINE, MARK] {
            assert!(has(&pixels, color), "{color:?}");
        }
        let bare = Chart { line: None, usual: None, marks: Vec::new(), ..story() };
        let pixels = decoded(&png(&bare).unwrap());
        assert!(has(&pixels, CURVE) && !has(&pixels, LINE) && !has(&pixels, MARK));
    }

    #[test]
    fn it_says_the_same_in_words() {
        let said = words(&story()).unwrap();
        assert_eq!(
            said,
            "Chart: hostile reach within the hour, 08:46 to 14:46; highest 101k, at the end 101k; usual 3.8k to 6.4k; \
             pages from 50k; 14:38 root post; 14:44 @latimes; 14:46 this page"
        );
    }

    #[test]
    fn names_do_not_lie_on_each_other() {
        let mut pixels = vec![0u8; SIZE.0 as usize * SIZE.1 as usize * 3];
        let area = BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area();
        let crowded = Chart {
            marks: (0..8).map(|k| mark(60 * (340 + 2 * k), &format!("a rather long name {k}"))).collect(),
            ..story()
        };
        let shown = Shown::of(&crowded).unwrap();
        let placed = labels(&area, &shown, 110).unwrap();
        assert_eq!(placed.len(), 3, "as many as there are rows, so close together");
        for (i, a) in placed.iter().enumerate() {
            assert!(a.left >= 0 && a.right <= SIZE.0 as i32);
            assert!(placed[..i].iter().all(|b| a.row != b.row || a.right < b.left || b.right < a.left));
        }
        assert_eq!(shown.marks[placed[0].mark].1, "a rather long name 7", "the last mark is why the mail is sent");
    }

    #[test]
    fn odd_charts_are_drawn_or_left_out() {
        let one = |y| Chart { points: vec![(at(0), y)], ..Chart::default() };
        for nothing in [Chart::default(), one(f64::NAN), one(f64::INFINITY)] {
            assert_eq!((png(&nothing), words(&nothing)), (None, None));
        }
        let edge = Chart { points: vec![(Time(i64::MIN), 1.0), (Time(i64::MAX), 1.0)], ..Chart::default() };
        assert_eq!(png(&edge), None);
        let long = Chart { points: (0..10_000).map(|k| (at(k), f64::from(k as i32 % 977))).collect(), ..story() };
        for some in [one(0.0), one(-5.0), one(1e300), one(5e-324), long] {
            assert!(png(&some).is_some_and(|p| p.len() < limits::CHART_BYTES), "{:?}", some.points.first());
        }
        let same = Chart { points: vec![(at(0), 1.0); 50], marks: vec![mark(0, "\u{202e}漢\n\0"); 50], ..one(1.0) };
        assert!(png(&same).is_some());
        let century = Chart { points: vec![(Time(0), 1.0), (crate::base::time::LATEST, 9.0)], ..story() };
        assert!(png(&century).is_some());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn no_chart_panics(
            points in prop::collection::vec((any::<i64>(), any::<f64>()), 0..40),
            near in prop::collection::vec((0i64..100_000, any::<f64>()), 0..40),
            usual in any::<Option<(f64, f64)>>(),
            line in any::<Option<f64>>(),
            names in prop::collection::vec((0i64..200_000, ".{0,60}"), 0..12),
            offset in any::<i32>(),
        ) {
            let far = points.into_iter().map(|(t, y)| (Time(t), y));
            let points = near.into_iter().map(|(t, y)| (at(t), y)).chain(far).collect();
            let marks = names.iter().map(|(t, name)| mark(*t, name)).collect();
            let chart = Chart { points, usual, line, marks, offset };
            prop_assert_eq!(png(&chart).is_some(), words(&chart).is_some());
        }
    }

    /// For looking at: `GROUNDSWELL_LOOK=/folder cargo test --lib look_at_charts -- --ignored`.
    #[test]
    #[ignore = "writes pictures for people"]
    fn look_at_charts() {
        let folder = std::path::PathBuf::from(std::env::var_os("GROUNDSWELL_LOOK").unwrap());
        let day = Chart {
            points: (0..600)
                .map(|m| (at(240 * m), 2_000.0 + 9_000.0 * (f64::from(m as i32) / 90.0).sin().abs()))
                .collect(),
            line: None,
            marks: vec![mark(40_000, "a second outlet"), mark(90_000, "@united answers")],
            ..story()
        };
        let over = Chart { line: Some(5_600.0), ..day.clone() };
        let one = Chart { points: vec![(at(0), 70_000.0)], marks: vec![mark(0, "trial")], ..story() };
        for (name, chart) in [("story", story()), ("day", day), ("over", over), ("one", one)] {
            std::fs::write(folder.join(format!("chart-{name}.png")), png(&chart).unwrap()).unwrap();
        }
    }
}
