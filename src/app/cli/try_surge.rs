//! `try surge`: what does the detector say of a series?

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::output::{is_closed, tell_error};
use super::{FAILED, FINE};
use crate::app::files::read_text;
use crate::base::time::{Span, Time};
use crate::fold::surge::{Params, Surge};

/// Try the surge detector: a series of 5-minute bins in, its lift, rarity and alarms out
///
/// The file is CSV with a header and the columns timestamp,value. Of the answer, lift is times
/// usual (the mean over 15 minutes and an hour), return_days how often this series sees that
/// (empty while it is too young), and alarm is 1 where a rule with the default thresholds would
/// begin to fire, at most once a day.
#[derive(Args)]
#[command(after_help = "Example:\n  groundswell try surge mentions.csv > scored.csv")]
pub(super) struct TrySurge {
    /// CSV: timestamp,value
    file: PathBuf,
}

/// One alarm a story: a day, in bins.
const REST_BINS: u32 = 288;

struct Row<'f> {
    stamp: &'f str,
    value: f64,
}

impl TrySurge {
    pub(super) fn run(&self) -> u8 {
        let source = match read_text(&self.file) {
            Ok(source) => source,
            Err(fault) => {
                tell_error(fault.to_string());
                return FAILED;
            }
        };
        let rows = match rows(&source.text) {
            Ok(rows) => rows,
            Err((line, what)) => {
                tell_error(format!("{}:{line}: {what}", self.file.display()));
                return FAILED;
            }
        };
        match write(&rows) {
            Err(e) if !is_closed(&e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
            _ => FINE,
        }
    }
}

fn rows(text: &str) -> Result<Vec<Row<'_>>, (usize, String)> {
    let mut lines = text.lines().enumerate();
    let header = lines.next().map_or("", |(_, l)| l.trim_start_matches('\u{feff}').trim());
    if header != "timestamp,value" {
        return Err((1, format!("expected the header timestamp,value, found `{header}`")));
    }
    let mut out = Vec::new();
    let mut last: Option<Time> = None;
    for (i, line) in lines.filter(|(_, l)| !l.trim().is_empty()) {
        let wrong = |what: String| (i + 1, what);
        let (stamp, value) =
            line.split_once(',').ok_or_else(|| wrong("expected timestamp,value, found no comma".into()))?;
        let value: f64 = value
            .trim()
            .parse()
            .ok()
            .filter(|x: &f64| x.is_finite() && *x >= 0.0)
            .ok_or_else(|| wrong(format!("expected a number from 0 on, found `{}`", value.trim())))?;
        let time =
            time(stamp.trim()).ok_or_else(|| wrong(format!("expected a timestamp, found `{}`", stamp.trim())))?;
        if last.is_some_and(|l| time < l - Span::seconds(86_400)) {
            return Err(wrong("expected rows in the order of time, found one a day or more earlier".into()));
        }
        last = Some(time);
        out.push(Row { stamp: stamp.trim(), value });
    }
    Ok(out)
}

/// RFC 3339, or `2015-02-26 21:42:53` taken as UTC.
fn time(stamp: &str) -> Option<Time> {
    let mut text = stamp.replacen(' ', "T", 1);
    if !text.ends_with('Z') && !text.get(10..)?.contains(['+', '-']) {
        text.push('Z');
    }
    Time::parse_rfc3339(&text)
}

fn write(rows: &[Row<'_>]) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let p = Params::STANDARD;
    let (mut surge, mut rested) = (Surge::new(), u32::MAX);
    writeln!(out, "timestamp,value,lift,return_days,alarm")?;
    for row in rows {
        let now = surge.close(&p, row.value);
        let alarm = surge.alarming(&p, &now) && rested >= REST_BINS;
        rested = if alarm { 1 } else { rested.saturating_add(1) };
        let days = now.rarity_days.map_or(String::new(), |d| format!("{d:.4}"));
        writeln!(out, "{},{},{:.4},{days},{}", row.stamp, row.value, now.lift, u8::from(alarm))?;
    }
    out.flush()
}
