//! What a recording says about rules: how often each would have fired, and what queries find.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde_json::json;

use crate::app::engine::{Engine, Input, Output};
use crate::app::pipeline::Pipeline;
use crate::base::fault::{Fault, Place, printable};
use crate::base::figures;
use crate::base::limits;
use crate::base::model::{EntryBody, KeyId, Phase, SourceState, Transition};
use crate::base::rule::{Rule, RuleSet};
use crate::base::time::{Span, Time};
use crate::collect::recording::Recordings;
use crate::enroll::ClockMode;

/// Firing again and again for more of the time than this is noise.
const BUSY: f64 = 0.1;
/// So many episodes are again and again; fewer may be a crisis that the recording was made for.
const AGAIN: u64 = 3;
/// Firing for more of the time than this is noise, however few the episodes.
const ALWAYS: f64 = 0.5;
/// More episodes a week than this are noise.
const WEEKLY: f64 = 7.0;
/// A query that finds more of all frames than this finds nearly everything.
const BROAD: f64 = 0.2;
/// Shares of the time say something from here on.
const HOUR: Span = Span::seconds(3600);
/// Rates a week say something from here on.
const DAY: Span = Span::seconds(86_400);
/// So many frames must have been read before a query that found nothing is told of.
const ENOUGH: u64 = 1000;

/// Episodes of one rule for one brand.
#[derive(Default)]
struct Fired {
    episodes: u64,
    /// How many fire now, and since when one of them does.
    open: u64,
    since: Time,
    firing: Span,
}

/// What was seen while recordings played.
#[derive(Default)]
pub(super) struct Noise {
    frames: u64,
    first: Option<Time>,
    last: Option<Time>,
    fired: BTreeMap<(usize, KeyId), Fired>,
    mentions: BTreeMap<KeyId, u64>,
}

impl Noise {
    /// Plays recordings to their end.
    pub(super) fn of(set: &RuleSet, recordings: &mut Recordings) -> Noise {
        let mut noise = Noise::default();
        let mut pipeline = Pipeline::new(Engine::new(Arc::new(set.clone()), ClockMode::Recording, 1), 0);
        let mut outputs = Vec::new();
        while let Some(batch) = recordings.next_batch() {
            pipeline.feed(batch, &mut outputs);
            outputs.drain(..).for_each(|o| noise.take(&o));
        }
        for name in std::mem::take(&mut recordings.ended) {
            pipeline.tell(Input::Source(name, SourceState::End), &mut outputs);
        }
        pipeline.finish(&mut outputs);
        outputs.drain(..).for_each(|o| noise.take(&o));
        let end = noise.last.unwrap_or(Time(0));
        for fired in noise.fired.values_mut().filter(|f| f.open > 0) {
            fired.firing.0 += end.0 - fired.since.0;
        }
        noise
    }

    fn take(&mut self, output: &Output) {
        self.frames += output.outcomes.values().map(|o| o.sum()).sum::<u64>();
        // before any time is known there is none to count from
        for entry in output.step.entries.iter().filter(|e| e.clock > Time(0)) {
            self.first = self.first.or(Some(entry.clock));
            self.last = Some(entry.clock);
            if let EntryBody::Mention(told) = &entry.body {
                *self.mentions.entry(told.key).or_default() += 1;
            }
        }
        output.transitions.iter().for_each(|t| self.turn(t));
    }

    fn turn(&mut self, t: &Transition) {
        let fires = |p: Phase| matches!(p, Phase::Firing | Phase::Clearing);
        let fired = self.fired.entry((t.rule as usize, t.group.key)).or_default();
        match (fires(t.from), fires(t.to)) {
            (false, true) => {
                fired.episodes += 1;
                fired.open += 1;
                if fired.open == 1 {
                    fired.since = t.at;
                }
            }
            (true, false) => {
                fired.open = fired.open.saturating_sub(1);
                if fired.open == 0 {
                    fired.firing.0 += t.at.0 - fired.since.0;
                }
            }
            _ => {}
        }
    }

    /// How long the recordings are.
    fn length(&self) -> Span {
        Span(self.last.map_or(0, |t| t.0) - self.first.map_or(0, |t| t.0))
    }

    /// Episodes a week, and the share of the time firing.
    fn rates(&self, fired: &Fired) -> (f64, f64) {
        let length = self.length().as_seconds().max(1.0);
        (fired.episodes as f64 * 604_800.0 / length, fired.firing.as_seconds() / length)
    }

    fn rows<'a>(&'a self, set: &'a RuleSet) -> impl Iterator<Item = (&'a Rule, &'a str, &'a Fired)> {
        self.fired.iter().filter_map(|((rule, key), f)| Some((set.rules.get(*rule)?, &*set.brand(*key)?.slug, f)))
    }

    /// Warnings of what is noise.
    pub(super) fn warnings(&self, set: &RuleSet) -> Vec<Fault> {
        let (mut out, length) = (Vec::new(), self.length());
        for (rule, brand, fired) in self.rows(set) {
            let (weekly, share) = self.rates(fired);
            let busy = length >= HOUR && (share >= ALWAYS || share > BUSY && fired.episodes >= AGAIN);
            if !(busy || length >= DAY && weekly > WEEKLY) {
                continue;
            }
            let (name, percent) = (&rule.name, figures::percent(share));
            let what = if busy {
                format!(
                    "expected a threshold above the noise, found rule `{name}` firing {percent} of the time for `{brand}`"
                )
            } else {
                format!(
                    "expected a rule that fires seldom, found `{name}` with {weekly:.0} episodes a week for `{brand}`"
                )
            };
            let hint = "raise its threshold for this brand (vars.name), or let it hold longer with `for`";
            out.push(at(rule, what).hint(hint).warn());
        }
        for brand in set.brands.iter().filter(|b| !b.group && self.frames >= ENOUGH) {
            let n = self.mentions.get(&brand.key).copied().unwrap_or(0);
            if n == 0 {
                let what = format!("expected mentions of `{}`, found none in {} frames", brand.slug, self.frames);
                let hint = "`groundswell try query` shows what a query finds";
                out.push(Fault::new(what).hint(hint).warn());
            } else if n as f64 > BROAD * self.frames as f64 {
                let of = figures::percent(n as f64 / self.frames as f64);
                let what =
                    format!("expected a query for one brand, found that of `{}` in {of} of all frames", brand.slug);
                out.push(Fault::new(what).hint("join its widest term to a word that is the brand's own").warn());
            }
            if out.len() > limits::FAULTS {
                break;
            }
        }
        out
    }

    /// A small table of what fired, for people.
    pub(super) fn table(&self, set: &RuleSet, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{} frames over {}:", self.frames, self.length())?;
        if self.rows(set).next().is_none() {
            return writeln!(out, "  no rule fired");
        }
        writeln!(out, "  {:<24} {:<20} {:>8} {:>7} {:>7}", "rule", "brand", "episodes", "a week", "firing")?;
        for (rule, brand, fired) in self.rows(set).take(limits::FAULTS) {
            let (weekly, share) = self.rates(fired);
            let (name, weekly, share) = (printable(&rule.name), figures::short(weekly), figures::percent(share));
            writeln!(out, "  {name:<24} {brand:<20} {:>8} {weekly:>7} {share:>7}", fired.episodes)?;
        }
        Ok(())
    }

    /// The same as lines of JSON.
    pub(super) fn lines<'a>(&'a self, set: &'a RuleSet) -> impl Iterator<Item = serde_json::Value> + 'a {
        self.rows(set).map(|(rule, brand, fired)| {
            let (weekly, share) = self.rates(fired);
            json!({
                "level": "info",
                "kind": "noise",
                "rule": rule.name,
                "brand": brand,
                "episodes": fired.episodes,
                "episodes_a_week": weekly,
                "firing_share": share,
                "frames": self.frames,
                "seconds": self.length().as_seconds(),
            })
        })
    }
}

/// A fault where a rule stands.
fn at(rule: &Rule, what: String) -> Fault {
    let place = rule
        .place
        .rsplit_once(':')
        .and_then(|(file, line)| Some(Place { file: file.into(), line: line.parse().ok()?, column: 1 }));
    place.map_or_else(|| Fault::new(&*what), |p| Fault::at(p, &*what))
}
