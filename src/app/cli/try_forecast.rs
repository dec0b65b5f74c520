//! `try forecast`: how far will a story go, seen from some of its moments?

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value as Json, json};

use super::output::{is_closed, tell_error};
use super::{FAILED, FINE};
use crate::app::files::read_text;
use crate::base::figures;
use crate::base::limits;
use crate::fold::forecast::{Followers, Forecast};

/// Try the forecast: the shares of a story in, what they come to in the end out
///
/// The file is CSV with a header and the columns seconds,followers: first the post itself, then each share with its
/// time since the post and the followers of who shared it (empty: not known). The answer is one JSON object a moment,
/// made of nothing but what was seen by then: shares so far, shares in the end with the band in which four of
/// five stories end (low, high), followers of those who will yet share it (reach_to_come), followers who will yet see what
/// is out (exposure_to_come), whether the story is dying, critical or explosive, and SEISMIC's n*p (infectiousness).
#[derive(Args)]
#[command(after_help = "Example:\n  groundswell try forecast story.csv --at 600,3600,10800\n  \
                  groundswell try forecast story.csv --at 10m,1h,6h")]
pub(super) struct TryForecast {
    /// CSV: seconds,followers
    file: PathBuf,
    /// Moments to look from, since the post: seconds, or 10m, 1h
    #[arg(long, value_delimiter = ',', value_parser = age, default_value = "10m,1h,3h,6h")]
    at: Vec<f64>,
}

/// Seconds since the post.
fn age(text: &str) -> Result<f64, String> {
    let seconds = figures::seconds(text).or_else(|| text.parse().ok());
    let known = seconds.filter(|s| (0.0..=limits::FORECAST_AGE.as_seconds()).contains(s));
    known.ok_or_else(|| format!("expected seconds, or 10m, 1h, up to {}, found `{text}`", limits::FORECAST_AGE))
}

/// Seconds since the post, and followers if they are known.
type Row = (f64, Option<u64>);

impl TryForecast {
    pub(super) fn run(&self) -> u8 {
        let rows = read_text(&self.file).map_err(|fault| fault.to_string()).and_then(|source| {
            let file = self.file.display();
            rows(&source.text).map_err(|(line, what)| format!("{file}:{line}: {what}"))
        });
        match rows.map(|rows| write(&rows, &self.at)) {
            Err(what) => {
                tell_error(what);
                FAILED
            }
            Ok(Err(e)) if !is_closed(&e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
            Ok(_) => FINE,
        }
    }
}

fn rows(text: &str) -> Result<Vec<Row>, (usize, String)> {
    let mut lines = text.lines().enumerate();
    let header = lines.next().map_or("", |(_, l)| l.trim_start_matches('\u{feff}').trim());
    if header != "seconds,followers" {
        return Err((1, format!("expected the header seconds,followers, found `{}`", short(header))));
    }
    let mut out = Vec::new();
    for (i, line) in lines.filter(|(_, l)| !l.trim().is_empty()) {
        let wrong = |what: String| (i + 1, what);
        let (seconds, followers) =
            line.split_once(',').ok_or_else(|| wrong("expected seconds,followers, found no comma".into()))?;
        let number = |text: &str, most: f64| text.parse().ok().filter(|x: &f64| (0.0..=most).contains(x));
        let (seconds, followers) = (seconds.trim(), followers.trim());
        let most = limits::FORECAST_AGE;
        let at = number(seconds, most.as_seconds()).ok_or_else(|| {
            wrong(format!("expected seconds since the post up to {most}, found `{}`", short(seconds)))
        })?;
        let known = number(followers, limits::FOLLOWERS as f64).map(|n| n as u64);
        if known.is_none() && !followers.is_empty() {
            return Err(wrong(format!("expected a number of followers, found `{}`", short(followers))));
        }
        out.push((at, known));
    }
    if out.is_empty() {
        return Err((2, "expected the post itself in the first row, found none".to_string()));
    }
    // the post comes first, whatever its time says
    if let Some((_, shares)) = out.split_first_mut() {
        shares.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    Ok(out)
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn write(rows: &[Row], ages: &[f64]) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for age in ages {
        writeln!(out, "{}", seen_from(rows, *age))?;
    }
    out.flush()
}

/// The forecast of the moment, from what was seen by then.
fn seen_from(rows: &[Row], age: f64) -> Json {
    // what the service takes where it has seen no audience yet
    let followers = |row: &Row| Followers { count: row.1.unwrap_or(limits::AUDIENCE_PRIOR), known: row.1.is_some() };
    let mut f = Forecast::default();
    for (i, row) in rows.iter().enumerate().filter(|(i, row)| *i == 0 || row.0 <= age) {
        if i == 0 { f.expose(row.0, followers(row)) } else { f.share(row.0, followers(row)) }
    }
    let o = f.outlook(age);
    let of = |x: Option<f64>| x.map(|x| (x * 10.0).round() / 10.0);
    json!({
        "at_seconds": age,
        "shares": o.map_or(0, |o| o.shares),
        "final_shares": of(o.map(|o| o.final_shares.mid)),
        "low": of(o.map(|o| o.final_shares.low)),
        "high": of(o.map(|o| o.final_shares.high)),
        "reach_to_come": of(o.map(|o| o.followers_to_come.mid)),
        "exposure_to_come": of(o.map(|o| o.exposure)),
        "state": o.map(|o| o.state.name()),
        "infectiousness": o.map(|o| (o.infectiousness * 1000.0).round() / 1000.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_later_changes_nothing() {
        let early = "seconds,followers\n0,1000\n30,200\n90,\n";
        let both = |age| {
            let later = format!("{early}700,5000000\n");
            (seen_from(&rows(early).unwrap(), age), seen_from(&rows(&later).unwrap(), age))
        };
        let (a, b) = both(600.0);
        assert_eq!(a, b);
        assert_eq!(a["shares"], 2);
        let (a, b) = both(800.0);
        assert_ne!(a, b);
        assert_eq!(seen_from(&rows(early).unwrap(), 1.0)["final_shares"], Json::Null);
    }

    #[test]
    fn mistakes_have_their_line() {
        for (text, line) in [
            ("", 1),
            ("a,b\n", 1),
            ("seconds,followers\n", 2),
            ("seconds,followers\n0,5\n\n7\n", 4),
            ("seconds,followers\n-1,5\n", 2),
            ("seconds,followers\n1,many\n", 2),
            ("seconds,followers\n1e300,1\n", 2),
            ("seconds,followers\n1,-3\n", 2),
            ("seconds,followers\nNaN,3\n", 2),
        ] {
            assert_eq!(rows(text).map_err(|e| e.0), Err(line), "{text:?}");
        }
        assert_eq!(
            rows("\u{feff}seconds,followers\r\n0,1\r\n9,2\r\n5,3\r\n").unwrap(),
            [(0.0, Some(1)), (5.0, Some(3)), (9.0, Some(2))]
        );
    }
}
