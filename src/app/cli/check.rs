//! `check`: are these files sound? All mistakes at once, each with its place.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::noise::Noise;
use super::output::{is_closed, tell_error, tell_faults};
use super::replay::{self, FormatArg};
use super::{FAILED, FINE};
use crate::app::config::{self, Config};
use crate::app::files::{CONFIG, read_rules, read_text, rules_of};
use crate::app::report::{Excerpt, excerpts};
use crate::base::fault::{Fault, printable};
use crate::base::folding;
use crate::base::limits;
use crate::base::rule::{Rule, RuleSet, lint};
use crate::base::time::Span;
use crate::collect::recording::Recordings;
use crate::decode::peek_time;

/// Check rules and config; prints FILE:LINE:COLUMN for every mistake
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell check                    the folder rules/, or groundswell.yaml here\n  \
                        groundswell check rules/ brands.yaml\n  groundswell check --strict rules/     warnings count\n  \
                        groundswell check --json rules/\n  groundswell check rules/ brands.yaml --on week.ndjson.zst    how often would they have fired?\n\n\
                        Warnings tell of what can be used but hardly says what was meant: queries that find nothing or \
                        nearly everything, rules that never fire or always do, names that nothing uses.\n\
                        `groundswell schema rules` prints a schema, so that editors complete and check keys."
)]
pub(super) struct Check {
    /// Rule files, folders of rule files, config files, or folders that hold groundswell.yaml
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write mistakes and rules as lines of JSON
    #[arg(long)]
    json: bool,
    /// Play a recording through the rules, and warn of those that fire all the time and of queries that find nothing
    /// or nearly everything in it; may be given several times
    #[arg(long, value_name = "INPUT")]
    on: Vec<String>,
    /// Format of the recordings; told by the first line if not given
    #[arg(long, value_enum, requires = "on")]
    format: Option<FormatArg>,
    /// Exit with 1 on warnings too
    #[arg(long)]
    strict: bool,
}

impl Check {
    pub(super) fn run(&self) -> u8 {
        let here = if Path::new(CONFIG).is_file() { "." } else { "rules" };
        let paths = if self.paths.is_empty() { vec![PathBuf::from(here)] } else { self.paths.clone() };
        let (rule_paths, configs, mut faults) = with_configs(paths);
        let (texts, unread) = read_rules(&rule_paths);
        let (set, more) = match rules_of(&texts, unread) {
            Ok((set, warnings)) => (Some(set), warnings),
            Err(faults) => (None, faults),
        };
        faults.extend(more);
        faults.extend(lint::warnings(&texts, &|text| folding::fold(text).into_owned()));
        for config in &configs {
            faults.extend(set.iter().flat_map(|rules| config::check_names(config, rules)));
        }
        let noise =
            set.as_ref().filter(|_| faults.iter().all(|f| f.warning)).and_then(|set| self.play(set, &mut faults));
        let faults = bounded(faults);
        let sound = faults.iter().all(|f| f.warning && !self.strict);
        let set = set.filter(|_| faults.iter().all(|f| f.warning));
        let told = if self.json {
            lines(&faults, set.as_ref(), noise.as_ref())
        } else {
            tell(&faults, set.as_ref(), noise.as_ref())
        };
        match told {
            Err(e) if !is_closed(&e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
            _ if set.is_none() || !sound => FAILED,
            _ => FINE,
        }
    }

    /// What recordings say about sound rules; what is wrong with either is added to `faults`.
    fn play(&self, set: &RuleSet, faults: &mut Vec<Fault>) -> Option<Noise> {
        if self.on.is_empty() {
            return None;
        }
        let (mut inputs, mut wrong) = (Vec::new(), Vec::new());
        for path in &self.on {
            replay::open(path, self.format, false, &mut inputs, &mut wrong);
        }
        let readable = wrong.iter().all(|f| f.warning);
        faults.extend(wrong);
        if !readable {
            return None;
        }
        let mut recordings = Recordings::new(inputs, |s, b| peek_time(&s.format, b));
        let noise = Noise::of(set, &mut recordings);
        if replay::tell_failures(&recordings.failures) {
            faults.push(Fault::new("expected recordings to their end, found one that breaks off"));
        }
        faults.extend(noise.warnings(set));
        Some(noise)
    }
}

/// Everything as lines of JSON.
fn lines(faults: &[Fault], set: Option<&RuleSet>, noise: Option<&Noise>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (fault, excerpt) in faults.iter().zip(excerpts(faults)) {
        writeln!(out, "{}", as_json(fault, excerpt.as_ref()))?;
    }
    for rule in set.iter().flat_map(|s| &s.rules) {
        writeln!(out, "{}", rule_as_json(rule))?;
    }
    for line in set.zip(noise).iter().flat_map(|(set, noise)| noise.lines(set)) {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// Mistakes before warnings, as many of each as are shown, with the number of the others.
fn bounded(faults: Vec<Fault>) -> Vec<Fault> {
    let (warnings, errors): (Vec<Fault>, Vec<Fault>) = faults.into_iter().partition(|f| f.warning);
    let mut out = Vec::new();
    for (mut all, what) in [(errors, "mistakes"), (warnings, "warnings")] {
        // one more may say how many were left out before
        let more = all.len().saturating_sub(limits::FAULTS + 1);
        all.truncate(limits::FAULTS + 1);
        out.extend(all);
        if more > 0 {
            let fault = Fault::new(format!("expected at most {} {what}, found {more} more", limits::FAULTS));
            out.push(if what == "warnings" { fault.warn() } else { fault });
        }
    }
    out
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

fn as_json(f: &Fault, excerpt: Option<&Excerpt>) -> serde_json::Value {
    let place = f.place.as_ref();
    json!({
        "file": place.map(|p| &*p.file),
        "line": place.map(|p| p.line),
        "column": place.map(|p| p.column),
        "level": if f.warning { "warning" } else { "error" },
        "message": f.what,
        "hint": f.hint,
        "excerpt": excerpt.map(|e| &e.text),
    })
}

fn rule_as_json(rule: &Rule) -> serde_json::Value {
    let seconds = |s: Span| s.as_seconds();
    let levels = rule.levels.iter();
    let levels: Vec<_> = levels
        .map(|l| json!({"severity": l.severity.name(), "when": l.when.to_string(), "for_seconds": seconds(l.hold)}))
        .collect();
    json!({
        "level": "info",
        "kind": "rule",
        "rule": rule.name,
        "place": rule.place,
        "by": rule.by.iter().map(|d| d.name()).collect::<Vec<_>>(),
        "levels": levels,
        "clear": rule.effective_clear().to_string(),
        "keep_firing_for_seconds": seconds(rule.keep_firing_for),
        "learns": learns(rule),
        "shadow": rule.shadow,
    })
}

/// Whether a rule compares with a past that must be learned first.
fn learns(rule: &Rule) -> bool {
    let mut learns = false;
    for level in &rule.levels {
        level.when.each_series(&mut |s| learns |= s.has_baseline());
    }
    learns
}

/// Mistakes to standard error; then what the files say, as it will be applied.
fn tell(faults: &[Fault], set: Option<&RuleSet>, noise: Option<&Noise>) -> io::Result<()> {
    tell_faults(faults);
    let Some(set) = set else { return Ok(()) };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for rule in &set.rules {
        let by: Vec<&str> = rule.by.iter().map(|d| d.name()).collect();
        writeln!(out, "{} (by {})", printable(&rule.name), by.join(", "))?;
        for (name, e) in &rule.lets {
            writeln!(out, "  {name} = {e}")?;
        }
        for level in &rule.levels {
            let hold = if level.hold.0 > 0 { format!(" for {}", level.hold) } else { String::new() };
            writeln!(out, "  {}: {}{hold}", level.severity.name(), level.when)?;
        }
        let keep = if rule.keep_firing_for.0 > 0 { format!(" for {}", rule.keep_firing_for) } else { String::new() };
        writeln!(out, "  over when: {}{keep}", rule.effective_clear())?;
        let longest = set.longest_window(rule);
        if longest > Span::ZERO {
            writeln!(out, "  looks back: {longest}")?;
        }
        if learns(rule) {
            writeln!(out, "  learns: rarity and lift say nothing in a brand's first 2h")?;
        }
    }
    if let Some(noise) = noise {
        noise.table(set, &mut out)?;
    }
    let brands = set.brands.iter().filter(|b| !b.group);
    let (without, all) = (brands.clone().filter(|b| b.own.is_empty()).count(), brands.count());
    if without > 0 {
        let what = "answers to them and response times are not known";
        writeln!(out, "note: {without} of {all} brands name no `own` accounts: {what}")?;
    }
    writeln!(out, "fine: {} brands, {} rules", set.brands.len(), set.rules.len())?;
    out.flush()
}
