//! fold + judge joined for the keys of one shard: entries in, transitions out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::base::model::{
    AccountId, Audience, Entry, EntryBody, Group, KeyId, Phase, PostId, Reading, Seq, Severity, Told, Transition,
    Vitals,
};
use crate::base::rule::expr::{Compare, Expr, Measure, View};
use crate::base::rule::{Rule, RuleSet, Scene, Top};
use crate::base::time::{Span, Time};
use crate::fold::{Courses, KeyFold, Others, Outages, PostAt, Terms, World};
use crate::judge::{KeyJudge, Sequences, Values};

const HOUR: Span = Span::seconds(3600);

/// State of one key; snapshots are made of these.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyState {
    fold: KeyFold,
    judge: KeyJudge,
    /// When each group is to be looked at next, in whole seconds.
    wakes: BTreeMap<Group, Time>,
}

impl KeyState {
    /// What stands beside it in snapshots: the courses of its stories, the hashtags it is known with, and what
    /// rules wait for.
    pub fn beside(&self) -> (&Courses, &Terms, &Sequences) {
        (self.fold.courses(), self.fold.terms(), self.judge.sequences())
    }

    /// Goes on with these.
    pub fn go_on_with(&mut self, (courses, terms, sequences): (Courses, Terms, Sequences)) {
        self.fold.go_on_with(courses, terms);
        self.judge.go_on_with(sequences);
    }

    /// Makes the hashtags it is known with anew, of the posts kept.
    pub fn recount_terms(&mut self) {
        self.fold.recount_terms();
    }

    /// Makes the courses of its stories anew, of the posts kept.
    pub fn recount_courses(&mut self) {
        self.fold.recount_courses();
    }
}

/// One shard.
pub struct Back {
    rules: Arc<RuleSet>,
    /// For each plan, whether its rules can only begin to hold when something is counted, so
    /// that idle groups need no look when something expires.
    rising: Vec<bool>,
    keys: BTreeMap<KeyId, KeyState>,
    wakes: BTreeSet<(Time, KeyId, Group)>,
    outages: Outages,
    hour: Option<i64>,
    /// Keys that have yet to follow a change of rules.
    behind: Option<Behind>,
}

/// A change of rules, and the keys that have yet to follow it.
struct Behind {
    old: Arc<RuleSet>,
    found: Arc<Refound>,
    now: Time,
    keys: BTreeSet<KeyId>,
}

/// Posts of one key with their places.
pub type Placed = Vec<(PostAt, Told)>;

/// What is found in the posts kept when rules change.
#[derive(Clone, Debug, Default)]
pub struct Refound {
    /// Keys that are new, or whose queries changed.
    pub unlike: BTreeSet<KeyId>,
    /// Their posts.
    pub own: BTreeMap<KeyId, Placed>,
    /// Posts of other brands, by the key that reads them; keys that read what they read before are
    /// left out.
    pub foreign: BTreeMap<KeyId, Placed>,
}

impl Back {
    /// A shard with these keys, without past.
    pub fn new(rules: Arc<RuleSet>, keys: impl IntoIterator<Item = KeyId>) -> Back {
        let states = keys.into_iter().map(|key| {
            let fold = KeyFold::new(key, &rules);
            // every group that exists from the start is looked at with the first Tick
            let wakes = fold.groups().map(|g| (g.clone(), Time(0))).collect();
            (key, KeyState { fold, judge: KeyJudge::default(), wakes })
        });
        let states: Vec<(KeyId, KeyState)> = states.collect();
        Back::restore(rules, states, Outages::default(), None)
    }

    /// A shard that goes on from the state of its keys.
    pub fn restore(
        rules: Arc<RuleSet>,
        keys: impl IntoIterator<Item = (KeyId, KeyState)>,
        outages: Outages,
        hour: Option<i64>,
    ) -> Back {
        let keys: BTreeMap<KeyId, KeyState> = keys.into_iter().collect();
        let each = keys.iter().flat_map(|(k, s)| s.wakes.iter().map(|(g, t)| (*t, *k, g.clone())));
        let wakes = each.collect();
        let rising = rules.plans.iter().map(|p| rises_only(&rules, &p.rules)).collect();
        Back { rules, rising, keys, wakes, outages, hour, behind: None }
    }

    /// The state of every key, when which sources were down, and the last hour closed.
    pub fn state(&self) -> (&BTreeMap<KeyId, KeyState>, &Outages, Option<i64>) {
        (&self.keys, &self.outages, self.hour)
    }

    /// Applies one entry; transitions are appended in no particular order.
    pub fn apply(&mut self, e: &Entry, out: &mut Vec<Transition>) {
        match &e.body {
            EntryBody::Mention(t) | EntryBody::Share(t) => {
                self.touch(t.key, e, out, |w, s| s.fold.add(w, e.seq, e.clock, t))
            }
            EntryBody::Own(t) => self.touch(t.key, e, out, |w, s| s.fold.own(w, e.seq, e.clock, t)),
            EntryBody::Edit(t) => self.touch(t.key, e, out, |w, s| s.fold.edit(w, e.seq, e.clock, t)),
            EntryBody::AudienceLearned { account, followers, name, keys } => {
                for key in self.concerned(keys) {
                    self.touch(key, e, out, |w, s| s.fold.learn(w, e.clock, *account, *followers, name.as_deref()));
                }
            }
            EntryBody::Delete { gone, keys } => {
                for key in self.concerned(keys) {
                    if let Some(s) = self.keys.get_mut(&key) {
                        s.fold.delete(*gone);
                    }
                }
            }
            EntryBody::Tick => self.tick(e.seq, e.clock, out),
            EntryBody::Source { name, state } => self.outages.note(name, *state, e.clock),
            // the engine changes the rules of all shards at once
            EntryBody::RulesChanged { .. } => {}
        }
    }

    /// Goes on under other rules with these keys. What means the same goes on as it was. Episodes
    /// follow at once, the rest key by key: see [`Back::follow`].
    pub fn change(
        &mut self,
        new: Arc<RuleSet>,
        keys: impl IntoIterator<Item = KeyId>,
        found: &Arc<Refound>,
        (seq, now): (Seq, Time),
        out: &mut Vec<Transition>,
    ) {
        self.follow_all();
        let old = std::mem::replace(&mut self.rules, new.clone());
        self.rising = new.plans.iter().map(|p| rises_only(&new, &p.rules)).collect();
        let keys: BTreeSet<KeyId> = keys.into_iter().collect();
        for (key, state) in &mut self.keys {
            let same = keys.contains(key) && !found.unlike.contains(key);
            state.judge.change(&old, &new, same, (seq, now), out);
        }
        self.keys.retain(|k, _| keys.contains(k));
        self.wakes.clear();
        self.behind = Some(Behind { old, found: found.clone(), now, keys });
    }

    /// Lets keys follow the last change of rules, until that has cost about so many posts; whether
    /// all have. A key that is told of something follows first, and with a Tick all of them do: what
    /// comes of it does not depend on when this is called.
    pub fn follow(&mut self, posts: usize) -> bool {
        let mut left = posts as i64;
        while let Some(key) = self.behind.as_ref().and_then(|b| b.keys.first().copied()) {
            if left <= 0 {
                return false;
            }
            self.follow_key(key);
            let cost = self.keys.get(&key).map_or(0, |s| s.fold.kept_len() + s.wakes.len());
            left -= 1 + cost as i64;
        }
        self.behind = None;
        true
    }

    fn follow_all(&mut self) {
        self.follow(usize::MAX >> 1);
    }

    fn follow_key(&mut self, key: KeyId) {
        let Some(behind) = &mut self.behind else { return };
        if !behind.keys.remove(&key) {
            return;
        }
        let Behind { old, found, now, .. } = behind;
        let w = World { rules: &self.rules, outages: &self.outages };
        let foreign = found.foreign.get(&key).cloned();
        let others = Others { foreign, unlike: &found.unlike };
        let state = match self.keys.remove(&key) {
            Some(mut s) if !found.unlike.contains(&key) => {
                s.fold.change(old, w, *now, others);
                s
            }
            other => {
                let (judge, before) = other.map(|s| (s.judge, s.fold.into_courses())).unwrap_or_default();
                let own = found.own.get(&key).cloned().unwrap_or_default();
                let fold = KeyFold::rebuilt(key, w, own, *now, (before, others));
                KeyState { fold, judge, wakes: BTreeMap::new() }
            }
        };
        let groups = state.fold.groups().chain(state.judge.groups());
        let wakes: BTreeMap<Group, Time> = groups.map(|g| (g.clone(), now.ceil_second())).collect();
        self.wakes.extend(wakes.iter().map(|(g, t)| (*t, key, g.clone())));
        self.keys.insert(key, KeyState { wakes, ..state });
    }

    /// Posts kept of all keys, with their authors' audiences as they are known now.
    pub fn kept(&self) -> impl Iterator<Item = (PostAt, &Told, Audience)> {
        self.keys.values().flat_map(|s| s.fold.kept())
    }

    /// Whether a key knows an account by a name.
    pub fn is_named(&self, key: KeyId, account: AccountId) -> bool {
        self.keys.get(&key).is_some_and(|s| s.fold.is_named(account))
    }

    /// Posts kept of one key.
    pub fn kept_of(&self, key: KeyId) -> impl Iterator<Item = (PostAt, &Told, Audience)> {
        self.keys.get(&key).into_iter().flat_map(|s| s.fold.kept())
    }

    /// A post that a key keeps.
    pub fn kept_post(&self, key: KeyId, post: PostId) -> Option<(PostAt, &Told, Audience)> {
        self.keys.get(&key)?.fold.kept_post(post)
    }

    /// The post kept after another, key after key; the first without one.
    pub fn kept_after(&self, from: Option<(KeyId, PostAt)>) -> Option<(KeyId, PostAt, &Told)> {
        let first = from.map_or(KeyId(0), |(key, _)| key);
        self.keys.range(first..).find_map(|(key, state)| {
            let at = from.filter(|(k, _)| k == key).map(|(_, at)| at);
            state.fold.kept_after(at).map(|(at, told)| (*key, at, told))
        })
    }

    fn concerned(&mut self, keys: &[KeyId]) -> Vec<KeyId> {
        if keys.is_empty() {
            self.follow_all();
        }
        keys.iter().for_each(|k| self.follow_key(*k));
        if keys.is_empty() { self.keys.keys().copied().collect() } else { keys.to_vec() }
    }

    fn touch<G: IntoIterator<Item = Group>>(
        &mut self,
        key: KeyId,
        e: &Entry,
        out: &mut Vec<Transition>,
        f: impl FnOnce(World<'_>, &mut KeyState) -> G,
    ) {
        self.follow_key(key);
        let Some(state) = self.keys.get_mut(&key) else { return };
        let w = World { rules: &self.rules, outages: &self.outages };
        let touched = f(w, state);
        // groups that were crowded out are not waited for any more
        for left in state.fold.take_left() {
            state.judge.leave(&left);
            if !state.judge.has_episode(&left)
                && let Some(at) = state.wakes.remove(&left)
            {
                self.wakes.remove(&(at, key, left));
            }
        }
        for group in touched {
            self.look(key, &group, e.clock, e.seq, out);
        }
    }

    /// Looks at every group whose time has come, at the moment it came.
    fn tick(&mut self, seq: Seq, now: Time, out: &mut Vec<Transition>) {
        self.follow_all();
        while let Some((time, key, group)) = self.wakes.pop_first() {
            if time > now {
                self.wakes.insert((time, key, group));
                break;
            }
            if let Some(state) = self.keys.get_mut(&key) {
                state.wakes.remove(&group);
            }
            // what was due before there was any time is due now
            let at = if time == Time(0) { now } else { time };
            self.look(key, &group, at, seq, out);
        }
        // after the looks: it lets posts go that they may show
        let hour = now.0.div_euclid(HOUR.0);
        if self.hour.is_none_or(|h| hour > h) {
            self.hour = Some(hour);
            for state in self.keys.values_mut() {
                state.fold.close_hours(&self.rules, now);
                state.judge.forget(now);
            }
        }
    }

    /// Measures and judges a group, and notes when to look again.
    fn look(&mut self, key: KeyId, group: &Group, at: Time, seq: Seq, out: &mut Vec<Transition>) {
        let Some(state) = self.keys.get_mut(&key) else { return };
        let rules = &*self.rules;
        let w = World { rules, outages: &self.outages };
        let missing = || Reading { seq, at, group: group.clone(), values: Default::default() };
        let reading = state.fold.read(w, group, at, seq).unwrap_or_else(missing);
        let from = out.len();
        state.judge.judge(rules, &reading, out);
        // of a story also how far it went, where that does not take long: many may end at one moment
        let short = state.fold.kept_len() <= limits::ENDS_EXPLAINED;
        let ends = |t: &Transition| short && t.to == Phase::Resolved && t.group.story.is_some();
        let told = |t: &&mut Transition| t.to == Phase::Firing || ends(t);
        for t in out.iter_mut().skip(from).filter(told) {
            explain(w, state, &reading, t);
        }
        let alive = state.judge.has_episode(group);
        if !alive {
            state.fold.drop_if_empty(group, at);
        }
        let idle = !alive && self.rising.get(group.plan as usize).copied().unwrap_or(false);
        let expiry = state.fold.expiries(group, at).map(|(first, last)| if idle { last } else { first });
        // an idle group of the whole brand stays as it is until something is counted
        let expiry = expiry.filter(|_| !idle || group.is_part());
        let timed = state.fold.next_change(rules, group, at, !idle);
        let next = expiry.into_iter().chain(timed).chain(state.judge.deadline(rules, group, at)).min();
        let next = next.map(Time::ceil_second);
        let next = next.map(|t| t.max((at + Span(1)).ceil_second()));
        if state.wakes.get(group).copied() != next {
            if let Some(old) = state.wakes.remove(group) {
                self.wakes.remove(&(old, key, group.clone()));
            }
            if let Some(next) = next {
                state.wakes.insert(group.clone(), next);
                self.wakes.insert((next, key, group.clone()));
            }
        }
    }

    /// What every group of a rule reads at `now`, whoever it is for. Judges nothing.
    pub fn readings(&mut self, rule: &Rule, now: Time) -> Vec<Reading> {
        self.follow_all();
        let w = World { rules: &self.rules, outages: &self.outages };
        let concerned = |key: &KeyId| w.rules.brand(*key).is_some_and(|b| rule.concerns(b));
        let mut out = Vec::new();
        for (_, state) in self.keys.iter_mut().filter(|(key, _)| concerned(key)) {
            let groups: Vec<Group> = state.fold.groups().filter(|g| g.plan as usize == rule.plan).cloned().collect();
            out.extend(groups.iter().filter_map(|g| state.fold.read(w, g, now, 0)));
        }
        out
    }

    /// Episodes that fire or clear, by rule and severity.
    pub fn burning(&self) -> impl Iterator<Item = (u32, Severity)> + '_ {
        self.keys.values().flat_map(|s| s.judge.burning())
    }

    /// What is measured of a key at `now`, and about how many groups that cost.
    pub fn vitals(&mut self, key: KeyId, now: Time) -> Option<(Vitals, usize)> {
        self.follow_key(key);
        let w = World { rules: &self.rules, outages: &self.outages };
        let state = self.keys.get_mut(&key)?;
        let (mut vitals, cost) = state.fold.vitals(w, now);
        for (_, severity) in state.judge.burning().filter(|(rule, _)| !self.rules.in_shadow(*rule)) {
            if let Some(open) = vitals.open.get_mut(severity as usize) {
                *open += 1;
            }
        }
        Some((vitals, cost))
    }

    /// How long each plan has yet to learn, by place in the rule set, key after key; and until it says
    /// anything.
    pub fn learning(&self, now: Time) -> impl Iterator<Item = (usize, Span, Span)> + '_ {
        self.keys.iter().flat_map(move |(key, state)| {
            self.rules.plans_of(*key).map(move |(at, plan)| {
                let (left, mute) = state.fold.learning(at, plan, now);
                (at, left, mute)
            })
        })
    }

    /// Posts kept, of all keys.
    pub fn kept_len(&self) -> usize {
        self.keys.values().map(|s| s.fold.kept_len()).sum()
    }

    /// How much left early because of each named limit.
    pub fn limit_hits(&self) -> [(&'static str, u64); 6] {
        let sum = |f: fn(&KeyState) -> u64| self.keys.values().map(f).sum();
        [
            ("posts_per_key", sum(|s| s.fold.evicted())),
            ("groups_per_key", sum(|s| s.fold.crowded())),
            ("open_episodes_per_rule", sum(|s| s.judge.suppressed())),
            ("stories_per_key", sum(|s| s.fold.crowded_stories())),
            ("texts_per_story", sum(|s| s.fold.crowded_texts())),
            ("accounts_per_series", sum(|s| s.fold.sampled())),
        ]
    }
}

/// Attaches the arithmetic, and the rule's line for people, to a change to firing.
fn explain(w: World<'_>, state: &mut KeyState, reading: &Reading, t: &mut Transition) {
    let Some(rule) = w.rules.rules.get(t.rule as usize) else { return };
    let brand = w.rules.brand(t.group.key);
    let mut e = state.fold.evidence(w, &t.group, t.at);
    // what came first stays as it was
    let values = Values { series: &e.without_largest, brand, sequences: &[] };
    let sequences = state.judge.sequences_with(rule, t.rule, &t.group, &values);
    let values = Values { sequences: &sequences, ..values };
    let level = rule.levels.iter().find(|l| l.severity == t.severity);
    e.still_holds = level.and_then(|l| l.when.holds(&values));
    e.line = if t.group.is_part() { None } else { line(rule, &values) };
    e.without_largest = rule.operands.iter().map(|slot| e.without_largest.get(*slot).copied().flatten()).collect();
    e.sources_down = w.outages.down().cloned().collect();
    if let Some(template) = rule.summary.as_ref().filter(|_| t.to == Phase::Firing) {
        let text = |x: Option<&str>| x.unwrap_or("").to_string();
        let words = BTreeMap::from([
            ("brand.name", text(brand.map(|b| b.name.as_str()))),
            ("brand.slug", text(brand.map(|b| &*b.slug))),
            ("brand.owner", text(brand.and_then(|b| b.owner.as_deref()))),
            ("brand.runbook", text(brand.and_then(|b| b.runbook.as_deref()))),
            ("rule.name", rule.name.clone()),
            ("severity", t.severity.name().to_string()),
            ("story", text(t.group.story.as_ref().map(|s| &*s.name))),
            ("source", text(t.group.source.as_deref())),
            ("lang", text(t.group.lang.as_deref())),
            ("cause", text(t.group.cause.map(|c| c.name()))),
            ("tag", text(t.group.tag.as_deref())),
        ]);
        let top = e.top.first().map(|p| Top {
            author: p.name.as_deref().unwrap_or(&p.body.author).to_string(),
            share: p.share,
            followers: p.known.then_some(p.followers),
            text: p.body.text.to_string(),
            url: p.body.url.as_deref().unwrap_or("").to_string(),
        });
        let values = Values { series: &reading.values, brand, sequences: &[] };
        t.summary = Some(template.render(&Scene { values: &values, words, top }).into());
    }
    t.evidence = Some(Box::new(e));
}

/// From where on a rule pages, in impressions of hostile reach within an hour, where its page level
/// compares just that first.
fn line(rule: &Rule, values: &Values<'_>) -> Option<f64> {
    let page = rule.levels.iter().find(|l| l.severity == Severity::Page)?;
    let (how, subject, limit) = page.when.deciding()?;
    let Expr::Series(s, _) = subject.plain() else { return None };
    let plain = s.measure == Measure::HostileReach && s.view == View::Value && s.selectors.is_empty();
    let hour = s.window == Span::seconds(3600) && s.offset == Span::ZERO;
    let above = matches!(how, Compare::More | Compare::AtLeast);
    limit.number(values).filter(|_| plain && hour && above)
}

fn rises_only(rules: &RuleSet, indexes: &[usize]) -> bool {
    indexes.iter().filter_map(|i| rules.rules.get(*i)).all(|r| r.levels.iter().all(|l| l.when.rises_only()))
}
