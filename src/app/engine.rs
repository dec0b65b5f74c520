//! The pure engine, joined: frames and events in, transitions out. Live service, replay, tests,
//! benches and simulation drive this.
//!
//! Everything that can wake it is a variant of [`Input`]; everything it wants done comes back in
//! [`Output`]. It reads no clock and does no I/O.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::back::Back;
use crate::app::front::FrontLine;
use crate::app::snapshot::{self, Snapshot, SnapshotError};
use crate::base::model::{Entry, FrameBatch, KeyId, Severity, SiftedBatch, SourceState, Transition};
use crate::base::outcome::Outcomes;
use crate::base::rule::RuleSet;
use crate::base::time::Time;
use crate::enrich::Matcher;
use crate::enroll::{ClockMode, Junction};

/// Everything that can wake the engine.
#[derive(Clone, Debug)]
pub enum Input {
    /// Frames of one source, in order.
    Frames(FrameBatch),
    /// Frames that went through a front already.
    Sifted(SiftedBatch),
    /// The Clock.
    Tick(Time),
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
    /// Entries to be logged.
    pub entries: Vec<Entry>,
    /// Changes of episodes, in order.
    pub transitions: Vec<Transition>,
    /// Outcomes of frames, by source.
    pub outcomes: BTreeMap<Arc<str>, Outcomes>,
}

/// The engine, with its shards inline.
pub struct Engine {
    rules: Arc<RuleSet>,
    front: FrontLine,
    junction: Junction,
    shards: Vec<Back>,
}

impl Engine {
    /// An engine without past.
    pub fn new(rules: Arc<RuleSet>, mode: ClockMode, shards: usize) -> Engine {
        let matcher = Arc::new(Matcher::new(&rules.brands));
        let mut junction = Junction::new(mode, rules.retention);
        junction.rules(rules.fingerprint);
        let shards = (0..shards.max(1)).map(|i| {
            let keys = rules.keys().filter(|k| shard_of(*k, shards) == i);
            Back::new(rules.clone(), keys)
        });
        let shards = shards.collect();
        Engine { front: FrontLine::new(matcher, true), junction, shards, rules }
    }

    /// The same with its prefilter off: every frame is parsed.
    pub fn without_prefilter(mut self) -> Engine {
        self.front = FrontLine::new(Arc::new(Matcher::new(&self.rules.brands)), false);
        self
    }

    /// A front for another thread.
    pub fn front(&self) -> FrontLine {
        FrontLine::new(Arc::new(Matcher::new(&self.rules.brands)), true)
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
            Input::Sifted(sifted) => self.junction.batch(&sifted, &mut |format, bytes| front.resolve(format, bytes)),
            Input::Tick(now) => self.junction.tick(now),
            Input::Source(name, state) => {
                self.junction.source(&name, state, &mut |format, bytes| front.resolve(format, bytes));
            }
            Input::Audience { source, author, followers, name } => {
                self.junction.audience(&source, &author, followers, name)
            }
        }
    }

    /// The backs' part of a step.
    pub fn settle(&mut self) -> Output {
        let entries = self.junction.drain();
        let mut transitions = Vec::new();
        for e in &entries {
            self.apply(e, &mut transitions);
        }
        sort(&mut transitions);
        Output { entries, transitions, outcomes: self.junction.drain_counts() }
    }

    /// Applies an entry of the log to the backs; for recovery and for reading a log again.
    pub fn apply(&mut self, e: &Entry, out: &mut Vec<Transition>) {
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

    /// The state after the last step, as bytes.
    ///
    /// # Errors
    /// Only if the state cannot be encoded, which would be a mistake of the program.
    pub fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        let states = self.shards.iter().flat_map(|s| s.state().0.iter());
        let mut keys: Vec<_> = states.map(|(k, s)| (*k, s.clone())).collect();
        keys.sort_by_key(|(k, _)| *k);
        let first = self.shards.first().map(Back::state);
        snapshot::write(&Snapshot {
            fingerprint: self.rules.fingerprint,
            as_of: self.junction.seq(),
            junction: self.junction.clone(),
            keys,
            down: first.map(|(_, down, _)| down.clone()).unwrap_or_default(),
            hour: first.and_then(|(_, _, hour)| hour),
        })
    }

    /// An engine that goes on from a snapshot, with any number of shards.
    ///
    /// # Errors
    /// Where the snapshot is not usable or was made under other rules.
    pub fn restore(rules: Arc<RuleSet>, bytes: &[u8], shards: usize) -> Result<Engine, SnapshotError> {
        let s = snapshot::read(bytes)?;
        if s.fingerprint != rules.fingerprint {
            return Err(SnapshotError::Rules);
        }
        let n = shards.max(1);
        let mut parts: Vec<Vec<_>> = (0..n).map(|_| Vec::new()).collect();
        for (key, state) in s.keys {
            if let Some(part) = parts.get_mut(shard_of(key, n)) {
                part.push((key, state));
            }
        }
        let backs = parts.into_iter().map(|part| Back::restore(rules.clone(), part, s.down.clone(), s.hour));
        let front = FrontLine::new(Arc::new(Matcher::new(&rules.brands)), true);
        Ok(Engine { front, junction: s.junction, shards: backs.collect(), rules })
    }

    /// The rules in force.
    pub fn rules(&self) -> &Arc<RuleSet> {
        &self.rules
    }

    /// The junction, for what metrics show of it.
    pub fn junction(&self) -> &Junction {
        &self.junction
    }

    /// Episodes that fire or clear, by severity.
    pub fn burning(&self) -> impl Iterator<Item = Severity> + '_ {
        self.shards.iter().flat_map(Back::burning)
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
    key.0 as usize % shards.max(1)
}

/// Puts transitions into their order: (seq, at, rule, group).
pub fn sort(transitions: &mut [Transition]) {
    transitions.sort_by(|a, b| (a.seq, a.at, a.rule, &a.group).cmp(&(b.seq, b.at, b.rule, &b.group)));
}
