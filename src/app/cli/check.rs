//! `check`: are these files sound? All mistakes at once, each with its place.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::output::{is_closed, tell_error, tell_faults};
use super::{FAILED, FINE};
use crate::app::config::{self, Config};
use crate::app::files::{CONFIG, load_rules, read_text};
use crate::base::fault::{Fault, printable};
use crate::base::rule::RuleSet;

/// Check rules and config; prints FILE:LINE:COLUMN for every mistake
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell check                    the folder rules/, or groundswell.yaml here\n  \
                        groundswell check rules/ brands.yaml\n  groundswell check --json rules/"
)]
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
        let here = if Path::new(CONFIG).is_file() { "." } else { "rules" };
        let paths = if self.paths.is_empty() { vec![PathBuf::from(here)] } else { self.paths.clone() };
        let (rule_paths, configs, mut faults) = with_configs(paths);
        let (set, more) = match load_rules(&rule_paths) {
            Ok((set, warnings)) => (Some(set), warnings),
            Err(faults) => (None, faults),
        };
        faults.extend(more);
        for config in &configs {
            faults.extend(set.iter().flat_map(|rules| config::check_names(config, rules)));
        }
        let set = set.filter(|_| faults.iter().all(|f| f.warning));
        let failed = set.is_none();
        if self.json {
            let mut out = io::stdout().lock();
            for f in &faults {
                let _ = writeln!(out, "{}", as_json(f));
            }
        } else {
            tell_faults(&faults);
            match set.as_ref().map_or(Ok(()), describe) {
                Err(e) if !is_closed(&e) => {
                    tell_error(format!("expected an output that takes more, found {e}"));
                    return FAILED;
                }
                _ => {}
            }
        }
        if failed { FAILED } else { FINE }
    }
}

/// Rule paths, with each config (or folder that holds one) replaced by the rules it names; and
/// the configs, and the mistakes in them.
fn with_configs(paths: Vec<PathBuf>) -> (Vec<PathBuf>, Vec<Config>, Vec<Fault>) {
    let (mut rules, mut configs, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        let config = if path.is_dir() { path.join(CONFIG) } else { path.clone() };
        let named = config.file_name().is_some_and(|n| n == CONFIG);
        let is_config = config.is_file() && (named || looks_like_config(&config));
        if !is_config {
            rules.push(path);
            continue;
        }
        match config::load(&config) {
            Ok((config, warnings)) => {
                rules.extend(config.rules.iter().cloned());
                configs.push(config);
                faults.extend(warnings);
            }
            Err(more) => faults.extend(more),
        }
    }
    (rules, configs, faults)
}

/// Only configs have sources at their top.
fn looks_like_config(path: &Path) -> bool {
    read_text(path).is_ok_and(|t| t.text.lines().any(|l| l.starts_with("sources:")))
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
fn describe(set: &RuleSet) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for rule in &set.rules {
        let by: Vec<&str> = rule.by.iter().map(|d| d.name()).collect();
        writeln!(out, "{} (by {})", printable(&rule.name), by.join(", "))?;
        for level in &rule.levels {
            let hold = if level.hold.0 > 0 { format!(" for {}", level.hold) } else { String::new() };
            writeln!(out, "  {}: {}{hold}", level.severity.name(), level.when)?;
        }
        let keep = if rule.keep_firing_for.0 > 0 { format!(" for {}", rule.keep_firing_for) } else { String::new() };
        writeln!(out, "  over when: {}{keep}", rule.effective_clear())?;
    }
    writeln!(out, "fine: {} brands, {} rules", set.brands.len(), set.rules.len())?;
    out.flush()
}
