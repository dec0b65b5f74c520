//! The thread that runs the engine live: takes inputs, times stages, hands out what is decided.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::app::engine::{Engine, Input, Output};
use crate::app::fair::{Load, Next};
use crate::app::intake::{Fed, Intake, What};
use crate::app::status::{EngineView, Status};
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{Entry, EntryBody, Message, Severity};
use crate::base::outcome::{Outcome, Outcomes};
use crate::base::rule::RuleSet;
use crate::decode::raw::NETWORK;
use crate::store::Log;

/// What a tap is shown: every entry, as it is numbered.
pub type Tap = Box<dyn FnMut(&[Entry]) + Send>;

/// The engine with everything it feeds.
pub struct EngineThread {
    engine: Engine,
    log: Log,
    status: Arc<Status>,
    notices: SyncSender<Message>,
    lookups: mpsc::Sender<String>,
    tap: Option<Tap>,
    complained: Option<Instant>,
    shown: Option<Instant>,
    bad: BTreeMap<Arc<str>, Outcomes>,
    /// Other rules that are being got ready for.
    coming: Option<Coming>,
    /// Frames taken since that went on last.
    frames: usize,
}

struct Coming {
    rules: Arc<RuleSet>,
    answer: oneshot::Sender<Duration>,
    in_force: bool,
    /// The longest time so far that nothing else was done.
    pause: Duration,
}

impl EngineThread {
    /// Nothing runs yet.
    pub fn new(
        engine: Engine,
        status: Arc<Status>,
        notices: SyncSender<Message>,
        lookups: mpsc::Sender<String>,
        tap: Option<Tap>,
    ) -> EngineThread {
        EngineThread {
            engine,
            log: Log::default(),
            status,
            notices,
            lookups,
            tap,
            complained: None,
            shown: None,
            bad: BTreeMap::new(),
            coming: None,
            frames: 0,
        }
    }

    /// Runs until nobody feeds any more, or nobody receives.
    pub fn run(mut self, inputs: &Intake) {
        self.show();
        while self.turn(inputs) {}
        inputs.close();
    }

    /// False at the end.
    fn turn(&mut self, inputs: &Intake) -> bool {
        // while other rules are made ready nobody is waited for
        let patience = self.coming.as_ref().map(|_| Duration::ZERO);
        let mut idle = false;
        let go_on = match inputs.next(patience) {
            Next::Item(fed) => {
                self.frames += fed.frames();
                self.take(fed)
            }
            Next::Nothing => {
                idle = true;
                true
            }
            Next::Ended => false,
        };
        if !go_on {
            return false;
        }
        // what waits comes first, but a change is never put off for ever
        if self.coming.is_none() || !(idle || self.frames >= limits::BATCH_FRAMES) {
            return true;
        }
        self.frames = 0;
        self.change()
    }

    fn take(&mut self, fed: Fed) -> bool {
        let Fed { what, received } = fed;
        let input = match what {
            What::Input(input) => input,
            What::Pushed(batch, answer) => {
                let output = self.step(Input::Frames(batch), received);
                // who asked may be gone
                let _ = answer.send(self.engine.junction().ends().to_vec());
                return self.hand_out(output);
            }
            What::Rules(rules, front, answer) => {
                self.engine.prepare(rules.clone(), *front);
                self.coming = Some(Coming { rules, answer, in_force: false, pause: Duration::ZERO });
                return true;
            }
        };
        let ticked = matches!(input, Input::Tick(_));
        let output = self.step(input, received);
        let go_on = self.hand_out(output);
        // people are told first: this looks at every group
        if ticked && self.shown.is_none_or(|t| t.elapsed() >= limits::VIEW_EVERY.as_std()) {
            self.show();
        }
        go_on
    }

    /// A little of a change of rules: looking at posts kept, then the change itself, then the keys.
    /// False if nobody receives any more.
    fn change(&mut self) -> bool {
        let Some(mut coming) = self.coming.take() else { return true };
        let began = Instant::now();
        let (mut output, mut done) = (None, false);
        if coming.in_force {
            done = self.engine.follow(limits::FOLLOWED_AT_ONCE);
        } else if self.engine.prepare_more(limits::PREPARED_AT_ONCE) {
            output = Some(self.engine.step(Input::Rules(coming.rules.clone())));
            coming.in_force = true;
        }
        if let Some(spent) = self.engine.take_spent() {
            // where no thread can be had it is dropped here
            drop(std::thread::Builder::new().name("spent".into()).spawn(move || drop(spent)));
        }
        coming.pause = coming.pause.max(began.elapsed());
        if done {
            self.status.metrics.set(&metric::RELOAD_PAUSE, &[], coming.pause.as_secs_f64());
            self.show();
            let _ = coming.answer.send(coming.pause);
        } else {
            self.coming = Some(coming);
        }
        output.is_none_or(|o| self.hand_out(o))
    }

    fn step(&mut self, input: Input, received: Instant) -> Output {
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
        if let Some(tap) = self.tap.as_mut().filter(|_| !output.entries.is_empty()) {
            tap(&output.entries);
        }
        self.log.append(output.entries);
        for t in output.transitions {
            let notice = self.engine.notice(t);
            let (t, rules) = (&notice.transition, &notice.rules);
            let name = rules.rules.get(t.rule as usize).map_or("", |r| &r.name);
            self.status.metrics.add(&metric::TRANSITIONS, &[name, t.to.name(), t.severity.name()], 1.0);
            if self.notices.send(Message::Episode(notice)).is_err() {
                return false;
            }
        }
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
        let recently = self.complained.is_some_and(|t| t.elapsed() < limits::FRAME_LOG_EVERY.as_std());
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

    /// Shows what the engine is up to.
    fn show(&mut self) {
        let metrics = &self.status.metrics;
        for (name, n) in self.engine.limit_hits() {
            metrics.raise(&metric::LIMIT_HITS, &[name], n as f64);
        }
        metrics.raise(&metric::LIMIT_HITS, &["log_entries"], self.log.dropped() as f64);
        let mut open: BTreeMap<Severity, f64> = Severity::ALL.into_iter().map(|s| (s, 0.0)).collect();
        for (_, severity) in self.engine.burning() {
            *open.entry(severity).or_insert(0.0) += 1.0;
        }
        for (severity, n) in open {
            metrics.set(&metric::OPEN_EPISODES, &[severity.name()], n);
        }
        self.status.set_engine_view(EngineView {
            rules: Some(self.engine.rules().clone()),
            states: self.engine.rule_states(),
            seq: self.engine.junction().seq(),
            kept: self.engine.kept_len(),
        });
        self.shown = Some(Instant::now());
    }
}
