//! `check`: are these files sound? All mistakes at once, each with its place.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::output::tell_faults;
use super::{FAILED, FINE};
use crate::app::files::load_rules;
use crate::base::fault::Fault;
use crate::base::rule::RuleSet;

/// Check rules and config; prints FILE:LINE:COLUMN for every mistake
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell check                    the folder rules/, or groundswell.yaml here\n  \
                        groundswell check rules/ brands.yaml\n  groundswell check --json rules/")]
pub(super) struct Check {
    /// Rule files, folders of rule files, config files, or folders that hold groundswell.yaml
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write mistakes as lines of JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) fn run(&self) -> u8 {
        let paths = if self.paths.is_empty() { vec![PathBuf::from("rules")] } else { self.paths.clone() };
        let (set, faults) = match load_rules(&paths) {
            Ok((set, warnings)) => (Some(set), warnings),
            Err(faults) => (None, faults),
        };
        let failed = set.is_none();
        if self.json {
            let mut out = io::stdout().lock();
            for f in &faults {
                let _ = writeln!(out, "{}", as_json(f));
            }
        } else {
            tell_faults(&faults);
            if let Some(set) = &set {
                describe(set);
            }
        }
        if failed { FAILED } else { FINE }
    }
}

fn as_json(f: &Fault) -> serde_json::Value {
    let place = f.place.as_ref();
    json!({
        "file": place.map(|p| &*p.file),
        "line": place.map(|p| p.line),
        "column": place.map(|p| p.column),
        "level": if f.warning { "warning" } else { "error" },
        "message": f.what,
        "hint": f.hint,
    })
}

/// What the files say, as it will be applied.
fn describe(set: &RuleSet) {
    let mut out = io::stdout().lock();
    for rule in &set.rules {
        let by: Vec<&str> = rule.by.iter().map(|d| d.name()).collect();
        let _ = writeln!(out, "{} (by {})", rule.name, by.join(", "));
        for level in &rule.levels {
            let hold = if level.hold.0 > 0 { format!(" for {}", level.hold) } else { String::new() };
            let _ = writeln!(out, "  {}: {}{hold}", level.severity.name(), level.when);
        }
        let keep = if rule.keep_firing_for.0 > 0 { format!(" for {}", rule.keep_firing_for) } else { String::new() };
        let _ = writeln!(out, "  over when: {}{keep}", rule.effective_clear());
    }
    let _ = writeln!(out, "fine: {} brands, {} rules", set.brands.len(), set.rules.len());
}
