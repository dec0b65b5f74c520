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
use crate::app::files::{CONFIG, read_rules, read_text, rule_files, rules_of};
use crate::app::report::{Excerpt, excerpts};
use crate::base::fault::{Fault, printable};
use crate::base::folding;
use crate::base::limits;
use crate::base::rule::expr::{Measure, View};
use crate::base::rule::{Rule, RuleSet, lint};
use crate::base::time::Span;
use crate::collect::recording::Recordings;
use crate::decode::peek_time;

/// For so long at most a brand is watched before a hashtag is called new.
const WATCHED: Span = Span::seconds(7 * 86_400);

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
        faults.extend(without_rules(&rule_paths));
        let (texts, unread) = read_rules(&rule_paths);
        let all = unread.is_empty() && faults.iter().all(|f| f.warning);
        let (set, more) = match rules_of(&texts, unread) {
            Ok((set, warnings)) => (Some(set), warnings),
            Err(faults) => (None, faults),
        };
        faults.extend(more);
        faults.extend(lint::warnings(&texts, all, &|text| folding::fold(text).into_owned()));
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
    let Some(set) = set else { return out.flush() };
    for rule in &set.rules {
        writeln!(out, "{}", rule_as_json(set, rule))?;
    }
    for line in noise.iter().flat_map(|noise| noise.lines(set)) {
        writeln!(out, "{line}")?;
    }
    let (without, brands) = without_own(set);
    let groups = set.brands.len() - brands;
    let total = json!({
        "level": "info",
        "kind": "total",
        "brands": brands,
        "groups": groups,
        "rules": set.rules.len(),
        "brands_without_own": without,
    });
    writeln!(out, "{total}")?;
    out.flush()
}

/// How many brands name no account of their own, and how many brands there are.
fn without_own(set: &RuleSet) -> (usize, usize) {
    let brands = set.brands.iter().filter(|b| !b.group);
    (brands.clone().filter(|b| b.own.is_empty()).count(), brands.count())
}

/// Mistakes before warnings, as many of each as are shown.
fn bounded(mut faults: Vec<Fault>) -> Vec<Fault> {
    let mut out = Vec::new();
    for warning in [false, true] {
        let beyond = Fault::beyond(warning);
        let told = faults.contains(&beyond);
        let all = faults.extract_if(.., |f| f.warning == warning && *f != beyond);
        let mut all: Vec<Fault> = all.collect();
        let more = told || all.len() > limits::FAULTS;
        all.truncate(limits::FAULTS);
        out.extend(all);
        out.extend(more.then_some(beyond));
    }
    out
}

/// What is wrong with paths in which there is no rule file.
fn without_rules(paths: &[PathBuf]) -> Vec<Fault> {
    let mut out = Vec::new();
    for path in paths {
        // others that are missing are told when they are read
        let tests = path.to_str().is_some_and(|p| p.ends_with(".test.yaml"));
        let none = rule_files(std::slice::from_ref(path)).is_ok_and(|files| files.is_empty());
        let shown = path.display();
        if tests && !path.exists() {
            out.push(Fault::new(format!("expected a file that can be read, found {shown}, which is none")));
        } else if none && tests && paths.len() == 1 {
            let hint = "`groundswell test` runs it; give the rule files here";
            out.push(Fault::new(format!("expected rule files, found {shown}, which holds tests")).hint(hint).warn());
        } else if none && !tests {
            let hint = "rule files are called *.yaml; subfolders are not looked into";
            out.push(Fault::new(format!("expected rule files, found none in {shown}")).hint(hint).warn());
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
        let (read, more) = config::read_all(&config);
        if let Some(config) = read {
            rules.extend(config.rules.iter().cloned());
            // of one with mistakes the names may be missing
            configs.extend(more.iter().all(|f| f.warning).then_some(config));
        }
        faults.extend(more);
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

fn rule_as_json(set: &RuleSet, rule: &Rule) -> serde_json::Value {
    let seconds = |s: Span| s.as_seconds();
    let levels = rule.levels.iter();
    let levels: Vec<_> = levels
        .map(|l| json!({"severity": l.severity.name(), "when": l.when.to_string(), "for_seconds": seconds(l.hold)}))
        .collect();
    let lets = rule.lets.iter().map(|(name, e)| json!({"name": name, "means": e.to_string()}));
    let learns = learns(set, rule);
    json!({
        "level": "info",
        "kind": "rule",
        "rule": rule.name,
        "place": rule.place,
        "by": rule.by.iter().map(|d| d.name()).collect::<Vec<_>>(),
        "let": lets.collect::<Vec<_>>(),
        "levels": levels,
        "clear": rule.effective_clear().to_string(),
        "keep_firing_for_seconds": seconds(rule.keep_firing_for),
        "looks_back_seconds": seconds(set.longest_window(rule)),
        "learns": !learns.is_empty(),
        "unknown_at_first": learns,
        "shadow": rule.shadow,
    })
}

/// What of a rule says nothing at first, since a past must be learned.
fn learns(set: &RuleSet, rule: &Rule) -> Vec<String> {
    let mut out = Vec::new();
    for s in set.operands(rule) {
        let what = match (s.view, s.measure) {
            (View::Usual, Measure::NegativeShare) => {
                "usual(negative_share) says nothing in a brand's first 12h".to_string()
            }
            (View::Usual, _) => "what is usual says nothing in a brand's first 2h".to_string(),
            (View::Rarity | View::Lift | View::LiftShort | View::LiftLong, _) => {
                "rarity and lift say nothing in a brand's first 2h".to_string()
            }
            (_, Measure::NewTerm) => format!("{s} says nothing in a brand's first {}", s.window.min(WATCHED)),
            _ => continue,
        };
        if !out.contains(&what) {
            out.push(what);
        }
    }
    out
}

/// Mistakes to standard error; then what the files say, as it will be applied.
fn tell(faults: &[Fault], set: Option<&RuleSet>, noise: Option<&Noise>) -> io::Result<()> {
    tell_faults(faults);
    let Some(set) = set else { return Ok(()) };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for rule in &set.rules {
        tell_rule(set, rule, &mut out)?;
    }
    if let Some(noise) = noise {
        noise.table(set, &mut out)?;
    }
    let (without, all) = without_own(set);
    if without > 0 {
        let what = "answers to them and response times are not known";
        writeln!(out, "note: {without} of {all} brands name no `own` accounts: {what}")?;
    }
    writeln!(out, "fine: {} brands, {} rules", set.brands.len(), set.rules.len())?;
    out.flush()
}

/// What a rule means in the end. Its texts are those of a file: none may steer a terminal.
fn tell_rule(set: &RuleSet, rule: &Rule, out: &mut impl Write) -> io::Result<()> {
    let mut line = |text: String| writeln!(out, "{}", printable(&text).replace('\n', " "));
    let by: Vec<&str> = rule.by.iter().map(|d| d.name()).collect();
    line(format!("{} (by {})", rule.name, by.join(", ")))?;
    for (name, e) in &rule.lets {
        line(format!("  {name} = {e}"))?;
    }
    for level in &rule.levels {
        let hold = if level.hold.0 > 0 { format!(" for {}", level.hold) } else { String::new() };
        line(format!("  {}: {}{hold}", level.severity.name(), level.when))?;
    }
    let keep = if rule.keep_firing_for.0 > 0 { format!(" for {}", rule.keep_firing_for) } else { String::new() };
    line(format!("  over when: {}{keep}", rule.effective_clear()))?;
    let longest = set.longest_window(rule);
    if longest > Span::ZERO {
        line(format!("  looks back: {longest}"))?;
    }
    learns(set, rule).into_iter().try_for_each(|what| line(format!("  learns: {what}")))
}
