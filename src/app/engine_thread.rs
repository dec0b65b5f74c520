//! The thread that runs the engine live: takes inputs, times stages, hands out what is decided.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::app::engine::{Engine, Input, Output};
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{Entry, EntryBody, Notice, Severity};
use crate::base::outcome::{Outcome, Outcomes};
use crate::decode::raw::NETWORK;
use crate::store::Log;

/// An input, and when it came.
pub struct Fed {
    /// The input.
    pub input: Input,
    /// When it was received.
    pub received: Instant,
}

/// The engine with everything it feeds.
pub struct EngineThread {
    engine: Engine,
    log: Log,
    status: Arc<Status>,
    notices: SyncSender<Notice>,
    lookups: mpsc::Sender<String>,
    complained: Option<Instant>,
    bad: BTreeMap<Arc<str>, Outcomes>,
}

impl EngineThread {
    /// Nothing runs yet.
    pub fn new(
        engine: Engine,
        status: Arc<Status>,
        notices: SyncSender<Notice>,
        lookups: mpsc::Sender<String>,
    ) -> EngineThread {
        EngineThread { engine, log: Log::default(), status, notices, lookups, complained: None, bad: BTreeMap::new() }
    }

    /// Runs until nobody feeds any more, or nobody receives.
    pub fn run(mut self, mut inputs: mpsc::Receiver<Fed>) {
        while let Some(fed) = inputs.blocking_recv() {
            let output = self.step(fed);
            if !self.hand_out(output) {
                return;
            }
        }
    }

    fn step(&mut self, fed: Fed) -> Output {
        let Fed { input, received } = fed;
        let started = Instant::now();
        let input = match input {
            Input::Frames(batch) => {
                self.status.queue(-(batch.frames.len() as i64));
                let sifted = self.engine.sift(batch);
                self.status.metrics.stage("front", started.elapsed());
                Input::Sifted(sifted)
            }
            other => other,
        };
        let frames = matches!(input, Input::Sifted(_));
        let admitted = Instant::now();
        self.engine.admit(input);
        let settled = Instant::now();
        let output = self.engine.settle();
        if frames {
            self.status.metrics.stage("junction", settled - admitted);
            self.status.metrics.stage("back", settled.elapsed());
            self.status.metrics.stage("receive_to_transition", received.elapsed());
        }
        output
    }

    /// False if nobody receives any more.
    fn hand_out(&mut self, output: Output) -> bool {
        let status = self.status.clone();
        let metrics = &status.metrics;
        for (source, outcomes) in &output.outcomes {
            for (outcome, n) in outcomes.iter() {
                metrics.add(&metric::FRAMES, &[source, outcome.name()], n as f64);
            }
            if let Some(time) = self.engine.junction().last_event().get(source) {
                metrics.set(&metric::LAST_EVENT, &[source], time.as_seconds());
            }
            self.bad.entry(source.clone()).or_default().merge(outcomes);
        }
        self.complain();
        if let Some(now) = self.engine.junction().now() {
            self.status.set_engine_time(now);
        }
        metrics.add(&metric::ENTRIES, &[], output.entries.len() as f64);
        for entry in &output.entries {
            self.look_up(entry);
        }
        self.log.append(output.entries);
        if output.transitions.is_empty() {
            return true;
        }
        for t in output.transitions {
            let notice = self.engine.notice(t);
            let (t, rules) = (&notice.transition, &notice.rules);
            let name = rules.rules.get(t.rule as usize).map_or("", |r| &r.name);
            self.status.metrics.add(&metric::TRANSITIONS, &[name, t.to.name(), t.severity.name()], 1.0);
            if self.notices.send(notice).is_err() {
                return false;
            }
        }
        // people are told first: this looks at every group
        self.count_limits();
        true
    }

    /// Asks for the audience of an account that was imputed.
    fn look_up(&self, entry: &Entry) {
        if let EntryBody::Mention(t) | EntryBody::Share(t) = &entry.body
            && !t.audience.known
            && *t.body.source == *NETWORK
            && self.lookups.try_send(t.body.author.to_string()).is_err()
            && !self.lookups.is_closed()
        {
            self.status.metrics.add(&metric::LIMIT_HITS, &["lookup_queue"], 1.0);
        }
    }

    /// One line about bad frames, at most once in a while.
    fn complain(&mut self) {
        let recently =
            self.complained.is_some_and(|t| t.elapsed() < Duration::from_micros(limits::FRAME_LOG_EVERY.0 as u64));
        if recently {
            return;
        }
        let (mut malformed, mut oversize) = (0, 0);
        for outcomes in std::mem::take(&mut self.bad).values() {
            malformed += outcomes.get(Outcome::Malformed);
            oversize += outcomes.get(Outcome::Oversize);
        }
        if malformed + oversize > 0 {
            tracing::warn!(malformed, oversize, "frames that could not be read");
            self.complained = Some(Instant::now());
        }
    }

    fn count_limits(&self) {
        let metrics = &self.status.metrics;
        for (name, n) in self.engine.limit_hits() {
            metrics.raise(&metric::LIMIT_HITS, &[name], n as f64);
        }
        metrics.raise(&metric::LIMIT_HITS, &["log_entries"], self.log.dropped() as f64);
        let mut open: BTreeMap<Severity, f64> = Severity::ALL.into_iter().map(|s| (s, 0.0)).collect();
        for severity in self.engine.burning() {
            *open.entry(severity).or_insert(0.0) += 1.0;
        }
        for (severity, n) in open {
            metrics.set(&metric::OPEN_EPISODES, &[severity.name()], n);
        }
    }
}
