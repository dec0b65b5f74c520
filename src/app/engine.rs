//! The pure engine, joined: frames and events in, transitions out. Live service, replay, tests,
//! benches and simulation drive this.
//!
//! Everything that can wake it is a variant of [`Input`]; everything it wants done comes back in
//! [`Output`]. It reads no clock and does no I/O.

mod audiences;
mod looks;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::app::back::{Back, KeyState, Placed, Refound};
use crate::app::coming::Coming;
use crate::app::front::FrontLine;
use crate::app::snapshot::{self, HEAD, Head, JUNCTION, Part, SnapshotError, part_of};
use crate::base::limits;
use crate::base::model::{
    Entry, EntryBody, FrameBatch, KeyId, Notice, Seq, Severity, SiftedBatch, SourceState, Step, Told, Transition,
};
use crate::base::outcome::Outcomes;
use crate::base::rule::{Rule, RuleSet};
use crate::base::time::{Span, Time};
use crate::enroll::{ClockMode, Junction};

/// Everything that can wake the engine.
#[derive(Clone, Debug)]
pub enum Input {
    /// Frames of one source, in order.
    Frames(FrameBatch),
    /// Frames that went through a front already; under older rules they go through one again.
    Sifted(SiftedBatch),
    /// Other rules are in force from here on.
    Rules(Arc<RuleSet>),
    /// The Clock.
    Tick(Time),
    /// The Clock, while the past is caught up with: frames may tell times up to then, and engine
    /// time is theirs alone.
    Believe(Time),
    /// A source changed its state.
    Source(Arc<str>, SourceState),
    /// Followers of an account were looked up.
    Audience {
        /// The account's source.
        source: Arc<str>,
        /// The account.
        author: String,
        /// Its followers.
        followers: u64,
        /// Its handle.
        name: Option<Box<str>>,
    },
}

/// Everything the engine wants done.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// What is to be logged.
    pub step: Step,
    /// Changes of episodes, in order.
    pub transitions: Vec<Transition>,
    /// Outcomes of frames, by source.
    pub outcomes: BTreeMap<Arc<str>, Outcomes>,
}

/// What a rule is up to, over all its keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RuleState {
    /// Engine time until all of its series have a past of their own, and whole windows.
    pub left: Span,
    /// Engine time until all of its series say something.
    pub mute: Span,
    /// Keys where that takes time yet.
    pub learning: usize,
    /// Keys where it says nothing at all until then.
    pub silent: usize,
    /// Episodes that fire or clear.
    pub open: usize,
}

/// The engine, with its shards inline.
pub struct Engine {
    rules: Arc<RuleSet>,
    /// Rule sets that entries of the log may name, oldest first; at most [`limits::RULE_SETS`].
    known: VecDeque<Arc<RuleSet>>,
    /// The rule set the backs have come to.
    folded_under: Arc<RuleSet>,
    /// What was found again for rules that the backs have not come to yet.
    refound: Option<(u64, Refound)>,
    /// Rules that are on their way.
    coming: Option<Box<Coming>>,
    gradual: bool,
    /// What was noted for the last change of rules; to let go of it takes a while.
    spent: Option<Box<Coming>>,
    front: FrontLine,
    junction: Junction,
    shards: Vec<Back>,
}

impl Engine {
    /// An engine without past.
    pub fn new(rules: Arc<RuleSet>, mode: ClockMode, shards: usize) -> Engine {
        let mut front = FrontLine::new(&rules, true);
        let mut junction = Junction::new(mode);
        junction.rules(&rules, &mut |source, bytes| front.sift_bytes(source, bytes));
        let shards = (0..shards.max(1)).map(|i| {
            let keys = rules.keys().filter(|k| shard_of(*k, shards) == i);
            Back::new(rules.clone(), keys)
        });
        let shards = shards.collect();
        Engine::of(front, junction, shards, rules)
    }

    fn of(front: FrontLine, junction: Junction, shards: Vec<Back>, rules: Arc<RuleSet>) -> Engine {
        let (known, folded_under) = (VecDeque::from([rules.clone()]), rules.clone());
        Engine {
            front,
            junction,
            shards,
            rules,
            known,
            folded_under,
            refound: None,
            coming: None,
            gradual: false,
            spent: None,
        }
    }

    /// The same with its prefilter off: every frame is parsed.
    pub fn without_prefilter(mut self) -> Engine {
        self.front = FrontLine::new(&self.rules, false);
        self
    }

    /// A front for another thread.
    pub fn front(&self) -> FrontLine {
        self.front.another()
    }

    /// Takes one input.
    pub fn step(&mut self, input: Input) -> Output {
        self.admit(input);
        self.settle()
    }

    /// The front's part of a step.
    pub fn sift(&mut self, batch: FrameBatch) -> SiftedBatch {
        self.front.batch(batch)
    }

    /// The front and the junction's part of a step.
    pub fn admit(&mut self, input: Input) {
        let front = &mut self.front;
        match input {
            Input::Frames(batch) => {
                let sifted = front.batch(batch);
                self.junction.batch(&sifted, &mut |format, bytes| front.resolve(format, bytes));
            }
            Input::Sifted(mut sifted) => {
                if sifted.sifted_under != front.rules() {
                    sifted = front.batch(FrameBatch { source: sifted.source, frames: sifted.frames, position: None });
                }
                self.junction.batch(&sifted, &mut |format, bytes| front.resolve(format, bytes));
            }
            Input::Rules(rules) => self.take_rules(rules),
            Input::Tick(now) => self.junction.tick(now),
            Input::Believe(now) => self.junction.believe(now),
            Input::Source(name, state) => {
                self.junction.source(&name, state, &mut |format, bytes| front.resolve(format, bytes));
            }
            Input::Audience { source, author, followers, name } => {
                self.junction.audience(&source, &author, followers, name)
            }
        }
    }

    /// Other rules are on their way, with a front made for them: what they find in the posts kept
    /// is looked for by [`Engine::prepare_more`], so that taking them takes less time. Changes
    /// nothing else.
    pub fn prepare(&mut self, rules: Arc<RuleSet>, front: FrontLine) {
        self.follow(usize::MAX >> 1);
        self.coming = Some(Box::new(Coming::new(&self.folded_under, rules, front, self.kept_len())));
    }

    /// Goes on with that for so many posts; whether it is done.
    pub fn prepare_more(&mut self, posts: usize) -> bool {
        let Some(coming) = &mut self.coming else { return true };
        if coming.unlike.is_empty() {
            return true;
        }
        for _ in 0..posts {
            let (shard, from) = coming.at.map_or((0, None), |(shard, key, at)| (shard, Some((key, at))));
            let Some(back) = self.shards.get(shard) else { return true };
            coming.at = Some(match back.kept_after(from) {
                Some((key, at, told)) => {
                    coming.look(told);
                    (shard, key, at)
                }
                None => (shard + 1, KeyId(0), (Time(i64::MIN), 0)),
            });
        }
        false
    }

    /// Other rules: new frames are sifted by them, and the junction learns what they find in the
    /// posts kept; the backs follow with the entry.
    fn take_rules(&mut self, rules: Arc<RuleSet>) {
        if self.coming.as_ref().is_none_or(|c| c.rules.fingerprint != rules.fingerprint) {
            self.prepare(rules.clone(), FrontLine::new(&rules, true));
        }
        while !self.prepare_more(usize::MAX) {}
        let Some(mut coming) = self.coming.take() else { return };
        let found = self.refind(&coming);
        let mut front = std::mem::replace(&mut coming.front, self.front.another());
        self.spent = Some(coming);
        self.junction.rules(&rules, &mut |source, bytes| front.sift_bytes(source, bytes));
        let own = found.own.iter().map(|(k, posts)| (*k, posts.iter().map(|(_, t)| t).collect())).collect();
        self.junction.adopt(&found.unlike, &own);
        self.front = front;
        let other = rules.fingerprint != self.folded_under.fingerprint;
        self.refound = other.then_some((rules.fingerprint, found));
        self.rules = rules.clone();
        self.know(rules);
    }

    /// The backs' part of a step.
    pub fn settle(&mut self) -> Output {
        let entries = self.junction.drain();
        let mut transitions = Vec::new();
        for e in &entries {
            self.apply(e, &mut transitions);
        }
        sort(&mut transitions);
        let step = Step { changes: self.junction.drain_changes(), entries, clock: self.junction.clock() };
        Output { step, transitions, outcomes: self.junction.drain_counts() }
    }

    /// From now on steps hold what a log needs for [`Engine::again`].
    pub fn note_changes(&mut self) {
        self.junction.note_changes();
    }

    /// Takes a step of the log again. The rule sets it may name are known ([`Engine::know`]).
    /// Transitions are appended in no particular order.
    pub fn again(&mut self, step: &Step, out: &mut Vec<Transition>) {
        for change in &step.changes {
            self.junction.change_again(change);
        }
        for e in &step.entries {
            if let EntryBody::RulesChanged { fingerprint } = &e.body
                && *fingerprint != self.rules.fingerprint
                && let Some(rules) = self.rules_of(*fingerprint).cloned()
            {
                self.take_rules(rules);
            }
            self.apply(e, out);
        }
        let seq = step.entries.last().map_or(self.junction.seq(), |e| e.seq);
        self.junction.stand_at(seq, step.clock);
    }

    /// Applies an entry of the log to the backs; for recovery and for reading a log again.
    pub fn apply(&mut self, e: &Entry, out: &mut Vec<Transition>) {
        if let EntryBody::RulesChanged { fingerprint } = &e.body {
            self.change(*fingerprint, e, out);
        }
        if let (Some(coming), EntryBody::Mention(t) | EntryBody::Share(t) | EntryBody::Edit(t)) =
            (&mut self.coming, &e.body)
        {
            coming.look(t);
        }
        let n = self.shards.len();
        match e.keys() {
            Some([key]) => {
                if let Some(shard) = self.shards.get_mut(shard_of(*key, n)) {
                    shard.apply(e, out);
                }
            }
            _ => self.shards.iter_mut().for_each(|s| s.apply(e, out)),
        }
    }

    /// Goes on numbering after an entry, as an engine that has lost its past.
    pub fn stand_at(&mut self, seq: Seq) {
        let clock = self.junction.clock();
        self.junction.stand_at(seq, clock);
    }

    /// Remembers a rule set that entries of the log may name.
    pub fn know(&mut self, rules: Arc<RuleSet>) {
        self.known.retain(|r| r.fingerprint != rules.fingerprint);
        if self.known.len() >= limits::RULE_SETS {
            self.known.pop_front();
        }
        self.known.push_back(rules);
    }

    /// A rule set by its fingerprint, if it is remembered: transitions tell which one they were
    /// made under.
    pub fn rules_of(&self, fingerprint: u64) -> Option<&Arc<RuleSet>> {
        self.known.iter().find(|r| r.fingerprint == fingerprint)
    }

    /// A transition with the rule set it was made under.
    pub fn notice(&self, transition: Transition) -> Notice {
        let rules = self.rules_of(transition.made_under).unwrap_or(&self.rules).clone();
        Notice { transition, rules, outage: None }
    }

    /// The backs go on under the rules an entry names.
    fn change(&mut self, fingerprint: u64, e: &Entry, out: &mut Vec<Transition>) {
        if fingerprint == self.folded_under.fingerprint {
            return;
        }
        let Some(new) = self.rules_of(fingerprint).cloned() else { return };
        let ready = self.refound.take().filter(|(f, _)| *f == fingerprint).map(|(_, found)| found);
        let found = ready.unwrap_or_else(|| {
            let front = FrontLine::new(&new, true);
            let mut coming = Coming::new(&self.folded_under, new.clone(), front, self.kept_len());
            self.shards.iter().flat_map(Back::kept).for_each(|(_, told, _)| coming.look(told));
            self.refind(&coming)
        });
        let n = self.shards.len();
        let found = Arc::new(found);
        for (i, shard) in self.shards.iter_mut().enumerate() {
            let keys: Vec<KeyId> = new.keys().filter(|k| shard_of(*k, n) == i).collect();
            shard.change(new.clone(), keys, &found, (e.seq, e.clock), out);
        }
        self.folded_under = new;
        if !self.gradual {
            self.follow(usize::MAX >> 1);
        }
    }

    /// Lets keys follow the last change of rules, until that has cost about so many posts; whether
    /// all have.
    pub fn follow(&mut self, posts: usize) -> bool {
        self.shards.iter_mut().all(|s| s.follow(posts))
    }

    /// What is of no use any more after a change of rules; another thread may let go of it.
    pub fn take_spent(&mut self) -> Option<Box<Coming>> {
        self.spent.take()
    }

    /// The same engine with changes of rules that its keys follow little by little, at the latest
    /// with the next Tick; [`Engine::follow`] is to be called between inputs. What comes of it is
    /// the same.
    pub fn gradual(mut self) -> Engine {
        self.gradual = true;
        self
    }

    /// What other rules find in the posts kept.
    fn refind(&self, coming: &Coming) -> Refound {
        let (old, new) = (&self.folded_under, &coming.rules);
        let n = self.shards.len();
        let own = coming.placed(|key, post| self.shards.get(shard_of(key, n))?.kept_post(key, post));
        let mut foreign: BTreeMap<KeyId, Placed> = BTreeMap::new();
        for reader in new.keys() {
            let (before, rivals) = (old.rivals_of(reader), new.rivals_of(reader));
            if coming.unlike.contains(&reader) || before != rivals || !rivals.is_disjoint(&coming.unlike) {
                foreign.insert(reader, rivals.iter().flat_map(|r| self.told_to(reader, *r, &own)).collect());
            }
        }
        Refound { unlike: coming.unlike.clone(), own, foreign }
    }

    /// The posts kept of a brand as one that reads it is told of them.
    fn told_to(&self, reader: KeyId, rival: KeyId, own: &BTreeMap<KeyId, Placed>) -> Placed {
        let told = |t: &Told| Told { key: reader, foreign: Some(rival), ..t.clone() };
        if let Some(found) = own.get(&rival) {
            return found.iter().map(|(at, t)| (*at, told(t))).collect();
        }
        let Some(shard) = self.shards.get(shard_of(rival, self.shards.len())) else { return Vec::new() };
        let kept = shard.kept_of(rival).filter(|(_, t, _)| t.in_brand);
        kept.map(|(at, t, audience)| (at, Told { audience, ..told(t) })).collect()
    }

    /// The state after the last step, in parts.
    ///
    /// # Errors
    /// Only if the state cannot be encoded, which would be a mistake of the program.
    pub fn snapshot(&mut self) -> Result<Vec<Part>, SnapshotError> {
        self.follow(usize::MAX >> 1);
        let mut keys: BTreeMap<KeyId, &KeyState> = BTreeMap::new();
        keys.extend(self.shards.iter().flat_map(|s| s.state().0.iter().map(|(k, s)| (*k, s))));
        let first = self.shards.first().map(Back::state);
        let head = Head {
            fingerprint: self.rules.fingerprint,
            as_of: self.junction.seq(),
            keys: keys.keys().copied().collect(),
            outages: first.map(|(_, outages, _)| outages.clone()).unwrap_or_default(),
            hour: first.and_then(|(_, _, hour)| hour),
        };
        let mut parts = vec![snapshot::write(HEAD, &head)?, snapshot::write(JUNCTION, &self.junction)?];
        for (key, state) in keys {
            parts.push(snapshot::write_key(key, state)?);
        }
        Ok(parts)
    }

    /// An engine that goes on from a snapshot, with any number of shards.
    ///
    /// # Errors
    /// Where a part is missing or not usable, or was made under other rules.
    pub fn restore(rules: Arc<RuleSet>, parts: &[Part], shards: usize) -> Result<Engine, SnapshotError> {
        let part = |name: &str| {
            let found = parts.iter().find(|p| p.name == name);
            found.map(|p| p.bytes.as_slice()).ok_or_else(|| SnapshotError::Missing(name.to_string()))
        };
        let head: Head = snapshot::read(part(HEAD)?)?;
        if head.fingerprint != rules.fingerprint {
            return Err(SnapshotError::Rules);
        }
        let by_name: BTreeMap<&str, &[u8]> = parts.iter().map(|p| (p.name.as_str(), p.bytes.as_slice())).collect();
        let n = shards.max(1);
        let mut states: Vec<Vec<(KeyId, KeyState)>> = (0..n).map(|_| Vec::new()).collect();
        for key in head.keys {
            let name = part_of(key);
            let bytes = by_name.get(name.as_str()).ok_or(SnapshotError::Missing(name))?;
            if let Some(part) = states.get_mut(shard_of(key, n)) {
                part.push((key, snapshot::read_key(bytes)?));
            }
        }
        let backs = states.into_iter().map(|part| Back::restore(rules.clone(), part, head.outages.clone(), head.hour));
        let shards = backs.collect();
        let mut junction = snapshot::read_junction(part(JUNCTION)?)?;
        junction.resume(&rules);
        Ok(Engine::of(FrontLine::new(&rules, true), junction, shards, rules))
    }

    /// The rules in force.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// The junction, for what metrics show of it.
    pub fn junction(&self) -> &Junction {
        &self.junction
    }

    /// Episodes that fire or clear, by rule (its place in the rule set in force) and severity.
    pub fn burning(&self) -> impl Iterator<Item = (u32, Severity)> + '_ {
        self.shards.iter().flat_map(Back::burning)
    }

    /// Whether a rule, by its place in the rule set in force, only would tell.
    pub fn is_in_shadow(&self, rule: u32) -> bool {
        self.folded_under.in_shadow(rule)
    }

    /// What every rule is up to, in the order of the rule set.
    pub fn rule_states(&self) -> Vec<RuleState> {
        let now = self.junction.now().unwrap_or_default();
        let mut plans = vec![RuleState::default(); self.folded_under.plans.len()];
        for (at, left, mute) in self.shards.iter().flat_map(|s| s.learning(now)) {
            if let Some(plan) = plans.get_mut(at) {
                (plan.left, plan.mute) = (plan.left.max(left), plan.mute.max(mute));
                plan.learning += usize::from(left > Span::ZERO);
                plan.silent += usize::from(mute > Span::ZERO);
            }
        }
        let state = |r: &Rule| plans.get(r.plan).copied().unwrap_or_default();
        let mut states: Vec<RuleState> = self.folded_under.rules.iter().map(state).collect();
        for (rule, _) in self.burning() {
            if let Some(s) = states.get_mut(rule as usize) {
                s.open += 1;
            }
        }
        states
    }

    /// Posts kept for windows, those of several keys counted for each.
    pub fn kept_len(&self) -> usize {
        self.shards.iter().map(Back::kept_len).sum()
    }

    /// How much was forgotten or cut because of each named limit.
    pub fn limit_hits(&self) -> BTreeMap<&'static str, u64> {
        let mut out: BTreeMap<&'static str, u64> = self.junction.limit_hits().into();
        for (name, n) in self.shards.iter().flat_map(Back::limit_hits) {
            *out.entry(name).or_insert(0) += n;
        }
        out
    }
}

/// The shard of a key.
pub fn shard_of(key: KeyId, shards: usize) -> usize {
    (key.0 % shards.max(1) as u64) as usize
}

/// Puts transitions into their order: (seq, at, rule, group).
pub fn sort(transitions: &mut [Transition]) {
    transitions.sort_by(|a, b| (a.seq, a.at, a.rule, &a.group).cmp(&(b.seq, b.at, b.rule, &b.group)));
}
