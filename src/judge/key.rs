//! The lives of all rules for the groups of one key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::life::{Life, Step, Verdicts};
use super::sequence::Sequences;
use crate::base::hash;
use crate::base::limits;
use crate::base::model::{EpisodeId, Group, Phase, Reading, Reason, Seq, Severity, Transition, Value};
use crate::base::rule::expr::Context;
use crate::base::rule::{Brand, Rule, RuleSet};
use crate::base::time::Time;

/// What a condition is evaluated against.
pub struct Values<'v> {
    /// One value a series of the plan.
    pub series: &'v [Value],
    /// The brand, for its variables.
    pub brand: Option<&'v Brand>,
    /// Whether each sequence of the rule holds.
    pub sequences: &'v [Option<bool>],
}

impl Context for Values<'_> {
    fn series(&self, slot: usize) -> Value {
        self.series.get(slot).copied().flatten()
    }
    fn var(&self, name: &str) -> Value {
        self.brand?.var(name)
    }
    fn sequence(&self, slot: usize) -> Option<bool> {
        self.sequences.get(slot).copied().flatten()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Lived {
    life: Life,
    episode: EpisodeId,
}

/// An episode that stands for all beyond a rule's limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Overflow {
    episode: EpisodeId,
    since: Time,
    severity: Severity,
    group: Group,
}

/// Episodes of one key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeyJudge {
    lives: BTreeMap<(Group, u32), Lived>,
    open: BTreeMap<u32, usize>,
    overflow: BTreeMap<u32, Overflow>,
    /// Beside it in snapshots.
    #[serde(skip)]
    sequences: Sequences,
    /// Episodes that were not opened because of the limit.
    suppressed: u64,
}

impl KeyJudge {
    /// Judges a reading by every rule of its plan.
    pub fn judge(&mut self, rules: &RuleSet, r: &Reading, out: &mut Vec<Transition>) {
        let Some(plan) = rules.plans.get(r.group.plan as usize) else { return };
        for index in &plan.rules {
            if let Some(rule) = rules.rules.get(*index) {
                self.one(rules, *index as u32, rule, r, out);
            }
        }
    }

    fn one(&mut self, rules: &RuleSet, index: u32, rule: &Rule, r: &Reading, out: &mut Vec<Transition>) {
        let (series, brand) = (&r.values, rules.brand(r.group.key));
        let sequences = match rule.sequences {
            0 => SmallVec::new(),
            _ => self.sequences.judge(rule, index, (r, brand)),
        };
        let values = Values { series, brand, sequences: &sequences };
        let levels: SmallVec<[Option<bool>; 3]> = rule.levels.iter().map(|l| l.when.holds(&values)).collect();
        if self.lives.is_empty() && !levels.contains(&Some(true)) {
            return;
        }
        let at = (r.group.clone(), index);
        let known = self.lives.contains_key(&at);
        if !known && !levels.contains(&Some(true)) {
            return;
        }
        // an episode cannot end while a level holds, whatever `clear` says
        let quiet = match (levels.contains(&Some(true)), levels.contains(&None)) {
            (true, _) => Some(false),
            (false, true) => None,
            (false, false) => Some(true),
        };
        let clear = match (rule.clear.as_ref().map(|c| c.holds(&values)), quiet) {
            (None, quiet) => quiet,
            (_, Some(false)) | (Some(Some(false)), _) => Some(false),
            (Some(Some(true)), quiet) => quiet,
            (Some(None), _) => None,
        };
        if !known && self.open.get(&index).copied().unwrap_or(0) >= limits::OPEN_EPISODES_PER_RULE {
            self.suppressed += 1;
            self.begin_overflow(rules, rule, index, r, out);
            return;
        }
        let fresh = || Lived { life: Life::new(rule), episode: episode(rules, rule, r) };
        let lived = self.lives.entry(at.clone()).or_insert_with(fresh);
        let verdicts = Verdicts { levels, clear };
        let Some(Step { from, to, reason }) = lived.life.step(rule, &verdicts, r.at) else { return };
        out.push(Transition {
            seq: r.seq,
            at: r.at,
            made_under: rules.fingerprint,
            rule: index,
            group: r.group.clone(),
            episode: lived.episode,
            since: lived.life.since,
            from,
            to,
            severity: lived.life.severity,
            reason,
            value: subject(rule, lived.life.severity, &values),
            operands: rule.operands.iter().map(|slot| values.series(*slot)).collect(),
            summary: None,
            evidence: None,
        });
        if !known {
            *self.open.entry(index).or_insert(0) += 1;
        }
        if lived.life.is_idle() {
            self.lives.remove(&at);
            self.close(rules, index, r, out);
        }
    }

    fn close(&mut self, rules: &RuleSet, index: u32, r: &Reading, out: &mut Vec<Transition>) {
        let Some(open) = self.open.get_mut(&index) else { return };
        *open = open.saturating_sub(1);
        if *open <= limits::OPEN_EPISODES_PER_RULE / 2
            && let Some(o) = self.overflow.remove(&index)
        {
            out.push(o.transition(rules, index, (r.seq, r.at), Phase::Firing, Phase::Resolved));
        }
    }

    /// Rules change: episodes of rules that mean the same go on (none, if `keep` is not set), the
    /// others end.
    pub fn change(
        &mut self,
        old: &RuleSet,
        new: &RuleSet,
        keep: bool,
        (seq, at): (Seq, Time),
        out: &mut Vec<Transition>,
    ) {
        let key = self.lives.keys().map(|(g, _)| g.key).next().or_else(|| self.sequences.key());
        let brand = key.or(self.overflow.values().map(|o| o.group.key).next()).and_then(|k| new.brand(k));
        let place = |index: u32| {
            let (rule, brand) = old.rules.get(index as usize).filter(|_| keep).zip(brand)?;
            let found = new.rules.iter().position(|r| r.mark == rule.mark && r.concerns(brand))?;
            Some((found as u32, new.rules.get(found)?.plan as u32))
        };
        let mut places: BTreeMap<u32, Option<(u32, u32)>> = BTreeMap::new();
        let mut at_new = |index: u32| *places.entry(index).or_insert_with(|| place(index));
        self.sequences.change(&mut at_new);
        for ((group, index), lived) in std::mem::take(&mut self.lives) {
            if let Some((rule, plan)) = at_new(index) {
                self.lives.insert((Group { plan, ..group }, rule), lived);
                continue;
            }
            let to = if lived.life.phase == Phase::Pending { Phase::Inactive } else { Phase::Resolved };
            out.push(Transition {
                seq,
                at,
                made_under: old.fingerprint,
                rule: index,
                group,
                episode: lived.episode,
                since: lived.life.since,
                from: lived.life.phase,
                to,
                severity: lived.life.severity,
                reason: Reason::Rules,
                value: None,
                operands: old.rules.get(index as usize).map_or(Vec::new(), |r| vec![None; r.operands.len()]),
                summary: None,
                evidence: None,
            });
        }
        for (index, overflow) in std::mem::take(&mut self.overflow) {
            match at_new(index) {
                Some((rule, plan)) => {
                    let group = Group { plan, ..overflow.group.clone() };
                    self.overflow.insert(rule, Overflow { group, ..overflow });
                }
                None => {
                    let ended = overflow.transition(old, index, (seq, at), Phase::Firing, Phase::Resolved);
                    out.push(Transition { reason: Reason::Rules, ..ended });
                }
            }
        }
        self.open.clear();
        for (_, index) in self.lives.keys() {
            *self.open.entry(*index).or_insert(0) += 1;
        }
    }

    fn begin_overflow(&mut self, rules: &RuleSet, rule: &Rule, index: u32, r: &Reading, out: &mut Vec<Transition>) {
        if self.overflow.contains_key(&index) {
            return;
        }
        let group = Group::whole(r.group.plan, r.group.key);
        let moment = [r.seq.to_le_bytes(), r.at.0.to_le_bytes()].concat();
        let id = hash::parts(&[b"overflow", rule.name.as_bytes(), &r.group.key.0.to_le_bytes(), &moment]);
        let severity = rule.levels.last().map_or(Severity::Info, |l| l.severity);
        let o = Overflow { episode: EpisodeId(id), since: r.at, severity, group };
        out.push(o.transition(rules, index, (r.seq, r.at), Phase::Inactive, Phase::Firing));
        self.overflow.insert(index, o);
    }

    /// When a group is to be looked at again even if nothing happens.
    pub fn deadline(&self, rules: &RuleSet, group: &Group, now: Time) -> Option<Time> {
        let lives = self.lives.range((group.clone(), 0)..=(group.clone(), u32::MAX));
        lives.filter_map(|((_, i), l)| l.life.deadline(rules.rules.get(*i as usize)?, now)).min()
    }

    /// Whether each sequence of a rule holds for a group with other values than those last judged.
    pub fn sequences_with(&self, rule: &Rule, index: u32, group: &Group, values: &Values<'_>) -> Vec<Option<bool>> {
        self.sequences.with(rule, index, group, values)
    }

    /// A group was crowded out: nothing is waited for in it.
    pub fn leave(&mut self, group: &Group) {
        self.sequences.leave(group);
    }

    /// What rules wait for.
    pub fn sequences(&self) -> &Sequences {
        &self.sequences
    }

    /// Goes on waiting for these.
    pub fn go_on_with(&mut self, sequences: Sequences) {
        self.sequences = sequences;
    }

    /// Forgets what no rule can be waiting for any more.
    pub fn forget(&mut self, now: Time) {
        self.sequences.forget(now);
    }

    /// Groups with an episode.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.lives.keys().map(|(g, _)| g)
    }

    /// Whether any rule has an episode for a group.
    pub fn has_episode(&self, group: &Group) -> bool {
        self.lives.range((group.clone(), 0)..=(group.clone(), u32::MAX)).next().is_some()
    }

    /// Episodes that were not opened because of the limit.
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Episodes that fire or clear, by rule and severity.
    pub fn burning(&self) -> impl Iterator<Item = (u32, Severity)> + '_ {
        let burns = |(_, l): &(&(Group, u32), &Lived)| matches!(l.life.phase, Phase::Firing | Phase::Clearing);
        self.lives.iter().filter(burns).map(|((_, rule), l)| (*rule, l.life.severity))
    }
}

impl Overflow {
    fn transition(&self, rules: &RuleSet, index: u32, (seq, at): (Seq, Time), from: Phase, to: Phase) -> Transition {
        Transition {
            seq,
            at,
            made_under: rules.fingerprint,
            rule: index,
            group: self.group.clone(),
            episode: self.episode,
            since: self.since,
            from,
            to,
            severity: self.severity,
            reason: Reason::Overflow,
            value: None,
            operands: rules.rules.get(index as usize).map_or(Vec::new(), |r| vec![None; r.operands.len()]),
            summary: None,
            evidence: None,
        }
    }
}

/// Hash of rule, group, and the entry and moment that made it pending: one Tick can span many
/// moments.
fn episode(rules: &RuleSet, rule: &Rule, r: &Reading) -> EpisodeId {
    let group = &r.group;
    let brand = rules.brand(group.key).map_or("", |b| &b.slug);
    let story = group.story.as_ref().map_or("", |s| &s.name);
    let source = group.source.as_deref().unwrap_or("");
    let lang = group.lang.as_deref().unwrap_or("");
    let cause = group.cause.map_or("", |c| c.name());
    let text = [rule.name.as_str(), brand, story, source, lang, cause];
    // ids of before hashtags were asked for stay as they were
    let mut parts: Vec<&[u8]> = text.into_iter().chain(group.tag.as_deref()).map(str::as_bytes).collect();
    let moment = [r.seq.to_le_bytes(), r.at.0.to_le_bytes()].concat();
    parts.push(&moment);
    EpisodeId(hash::parts(&parts))
}

/// The number the deciding level is about.
fn subject(rule: &Rule, severity: Severity, values: &Values) -> Value {
    let level = rule.levels.iter().find(|l| l.severity == severity)?;
    level.when.subject()?.number(values)
}
