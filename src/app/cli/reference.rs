//! `reference`: what the program knows of itself, as tables.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::output::{is_closed, tell_error};
use super::{FAILED, FINE};
use crate::base::metric::{ALL, Kind, Metric, OF_PROCESS};

/// Print the reference of metrics, made from the program itself
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell reference metrics           a table in Markdown, as in docs/operating.md\n  \
                        groundswell reference metrics --json    for programs"
)]
pub(super) struct Reference {
    /// Of what
    #[arg(value_enum)]
    of: Of,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// What is served at /metrics
    Metrics,
}

impl Reference {
    pub(super) fn run(&self) -> u8 {
        let Of::Metrics = self.of;
        let text = if self.json { format!("{:#}\n", metrics_json()) } else { metrics_table() };
        match io::stdout().write_all(text.as_bytes()) {
            Err(e) if !is_closed(&e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
            _ => FINE,
        }
    }
}

fn metrics_json() -> Json {
    let one = |m: &Metric| {
        json!({
            "name": m.name,
            "type": m.kind.name(),
            "unit": m.unit.name(),
            "labels": m.labels,
            "most_lines": m.lines(),
            "help": m.help,
        })
    };
    let process = OF_PROCESS.iter().map(|(name, help)| {
        let kind = if name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
        json!({ "name": name, "type": kind.name(), "labels": [], "most_lines": 1, "help": help })
    });
    ALL.iter().map(one).chain(process).collect()
}

/// All metrics as a table in Markdown.
fn metrics_table() -> String {
    let mut out = String::from("| metric | type | unit | means |\n|---|---|---|---|\n");
    for m in ALL {
        let labels = if m.labels.is_empty() { String::new() } else { format!("{{{}}}", m.labels.join(",")) };
        let (name, kind, unit) = (m.name, m.kind.name(), m.unit.name());
        out.push_str(&format!("| `{name}{labels}` | {kind} | {unit} | {} |\n", m.help));
    }
    for (name, help) in OF_PROCESS {
        let kind = if name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
        out.push_str(&format!("| `{name}` | {} | | {help} |\n", kind.name()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::metric::{Queue, Stage};

    #[test]
    fn the_docs_hold_the_table_of_metrics() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operating.md");
        let docs = std::fs::read_to_string(path).unwrap();
        let table = metrics_table();
        if std::env::var_os("UPDATE_DOCS").is_some() && !docs.contains(&table) {
            let from = docs.find("| metric | type | unit | means |").expect("a place for the table");
            let to = from + docs[from..].find("\n\n").unwrap() + 1;
            std::fs::write(path, format!("{}{table}{}", &docs[..from], &docs[to..])).unwrap();
            return;
        }
        assert!(docs.contains(&table), "UPDATE_DOCS=1 writes it anew");
        for word in Stage::ALL.map(Stage::name).into_iter().chain(Queue::ALL.map(Queue::name)) {
            assert!(docs.contains(&format!("`{word}`")), "{word} is explained");
        }
    }

    #[test]
    fn programs_get_every_metric() {
        let all = metrics_json();
        assert_eq!(all.as_array().map(Vec::len), Some(ALL.len() + OF_PROCESS.len()));
        assert!(all.as_array().unwrap().iter().all(|m| m["help"].as_str().is_some_and(|h| !h.is_empty())));
    }
}
