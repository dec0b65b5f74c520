//! `ledger`: what was decided and sent, and why.

use std::io::{self, Write};

use clap::Args;
use serde_json::json;

use super::{Failure, Which, ended, moment};
use crate::app::compare::Told;
use crate::base::time::Time;
use crate::notify::plain;
use crate::store::db::{About, LedgerRow};

/// Lines shown at most.
const MOST: usize = 100_000;

/// Show what was decided and sent, and why
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell ledger 7F3K           all about an incident\n  \
                        groundswell ledger 9c1f           all about the episode whose id begins so\n  \
                        groundswell ledger --since 12h    everything of the last twelve hours\n\n\
                        decided: an episode changed; queued: a message waits for a receiver; delivered, superseded, refused, \
                        expired, dropped, discarded: what became of it; not sent: who was not told, and why; handed over, acknowledged, \
                        claimed, closed, silenced, unsilenced: what happened to an incident; compared: what a rule in shadow did in a day, and its \
                        twin. Times are UTC.")]
pub(in crate::app::cli) struct Ledger {
    /// An incident's or an episode's id, or its first characters
    #[arg(value_name = "ID")]
    about: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Only since: a time, or how long ago (90m, 7d)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Time>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Ledger {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        ended(self.show())
    }

    fn show(&self) -> Result<(), Failure> {
        let asked = self.which.open()?;
        let about = self.about.as_deref().map_or(Ok(About::All), |name| asked.about(name))?;
        let rows = asked.db.ledger(about, self.since.unwrap_or(Time(i64::MIN)), MOST)?;
        let mut out = io::BufWriter::new(io::stdout().lock());
        for row in &rows {
            let shown = if self.json { json_of(row) } else { line(row) };
            writeln!(out, "{shown}")?;
        }
        if rows.is_empty() && !self.json {
            writeln!(out, "nothing")?;
        }
        Ok(out.flush()?)
    }
}

/// What a line about a rule in shadow says.
fn compared(row: &LedgerRow) -> Option<Told> {
    row.detail.as_deref().filter(|_| row.what == "compared").and_then(Told::read)
}

fn json_of(row: &LedgerRow) -> String {
    let told = compared(row);
    let mut out = json!({
        "at": row.at.to_string(),
        "episode": row.episode.map(|e| e.to_string()),
        "incident": row.incident.map(|i| i.to_string()),
        "key": &*row.key,
        "what": &*row.what,
        "receiver": row.receiver.as_deref(),
        "detail": told.as_ref().map_or_else(|| row.detail.clone(), |t| Some(t.text())),
    });
    if let (Some(told), Some(fields)) = (told, out.as_object_mut()) {
        fields.insert("compared".to_string(), json!(told));
    }
    out.to_string()
}

pub(super) fn line(row: &LedgerRow) -> String {
    let at = row.at.to_string().replace('T', " ");
    let incident = row.incident.map_or_else(|| row.key.to_string(), |i| i.to_string());
    let about = row.episode.map_or(incident, |e| e.to_string());
    let mut out = format!("{at}  {about}  {:<9}", row.what);
    if let Some(receiver) = &row.receiver {
        out.push_str(&format!("  {}", plain(receiver, 60)));
    }
    match (compared(row), &row.detail) {
        (Some(told), _) => out.push_str(&format!("  {}", plain(&told.text(), 1000))),
        (None, Some(detail)) => out.push_str(&format!("  {}", plain(detail, 300))),
        (None, None) => {}
    }
    out
}
