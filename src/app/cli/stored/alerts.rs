//! `alerts`: which episodes are open, or were.

use std::io::{self, Write};

use clap::Args;
use serde_json::json;

use super::{Failure, Which, ended, moment};
use crate::app::cli::output::style_of;
use crate::app::cli::screen::Paint;
use crate::app::recovery::Kept;
use crate::base::time::Time;
use crate::notify::plain;
use crate::store::db::EpisodeRow;

/// Episodes listed at most.
const MOST: usize = 1000;

/// List the episodes that are open, or were
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell alerts                  what is open now\n  \
                        groundswell alerts --all --since 7d    everything that changed in a week\n  \
                        groundswell alerts --json | jq -r .episode\n\n\
                        Reads the store, so it answers whether or not the service runs. Times are UTC. \
                        `groundswell explain EPISODE` shows one of them.")]
pub(in crate::app::cli) struct Alerts {
    #[command(flatten)]
    which: Which,
    /// Also those that are over
    #[arg(long)]
    all: bool,
    /// Only those that changed since: a time, or how long ago (90m, 7d)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Time>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Alerts {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        ended(self.show())
    }

    fn show(&self) -> Result<(), Failure> {
        let asked = self.which.open()?;
        let rows = asked.db.episodes(self.since.unwrap_or(Time(i64::MIN)), !self.all, MOST)?;
        let mut out = io::stdout().lock();
        let mut kept = Kept::new(&asked.db);
        for row in &rows {
            let mode = mode(row, &mut kept)?;
            if self.json {
                writeln!(out, "{}", json_of(row, mode))?;
            } else {
                writeln!(out, "{}", line(row, mode, &Paint(style_of(&io::stdout()))))?;
            }
        }
        if !self.json {
            let what = if self.all { "episodes" } else { "open episodes" };
            match rows.len() {
                0 => writeln!(out, "no {what}{}", if self.all { "" } else { "; --all lists those that are over" })?,
                MOST => writeln!(out, "the {MOST} newest are shown")?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether its rule was in shadow when it changed last; `None` where that cannot be told any more.
fn mode(row: &EpisodeRow, kept: &mut Kept<'_>) -> Result<Option<&'static str>, Failure> {
    let Some((fingerprint, rule)) = row.made_under else { return Ok(None) };
    let rules = kept.get(fingerprint)?;
    Ok(rules.and_then(|r| r.rules.get(rule as usize).map(|r| r.mode())))
}

fn json_of(row: &EpisodeRow, mode: Option<&str>) -> String {
    json!({
        "episode": row.episode.to_string(),
        "alert": row.alert,
        "mode": mode,
        "brand": row.brand,
        "severity": row.severity,
        "phase": row.phase,
        "fired": row.fired,
        "began": row.began.to_string(),
        "changed": row.changed.to_string(),
    })
    .to_string()
}

fn line(row: &EpisodeRow, mode: Option<&str>, paint: &Paint) -> String {
    let open = !matches!(row.phase.as_str(), "resolved" | "inactive");
    let severity = format!("{:<4}", row.severity);
    let shadow = mode == Some("shadow");
    let severity = if open && row.fired && !shadow { paint.strong(&severity) } else { severity };
    let day = |t: Time| t.to_string().replace('T', " ").get(..19).unwrap_or("").to_string();
    format!(
        "{}  {severity}  {:<8}  {} to {}  {}: {}{}",
        row.episode,
        row.phase,
        day(row.began),
        if open { "now                ".to_string() } else { day(row.changed) },
        plain(&row.brand, 60),
        plain(&row.alert, 80),
        if shadow { " (in shadow: nobody is told)" } else { "" },
    )
}
