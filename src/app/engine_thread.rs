//! The thread that runs the engine live: takes inputs, times stages, hands out what is decided.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::app::brands::Brands;
use crate::app::catch_up::CatchUp;
use crate::app::engine::{Engine, Input, Output};
use crate::app::fair::{Load, Next};
use crate::app::gauged::GaugedSender;
use crate::app::intake::{Fed, Intake, What};
use crate::app::keeper::{Keep, Stepped};
use crate::app::status::{EngineView, Status};
use crate::base::limits;
use crate::base::metric::{self, Stage};
use crate::base::model::{Entry, EntryBody, Position, Seq, Severity, Sifted, SourceState};
use crate::base::outcome::{Outcome, Outcomes};
use crate::base::rule::RuleSet;
use crate::collect::audience::Seen;
use crate::decode::raw::NETWORK;

/// What a tap is shown: every entry, as it is numbered.
pub type Tap = Box<dyn FnMut(&[Entry]) + Send>;

/// The engine with everything it feeds.
pub struct EngineThread {
    engine: Engine,
    status: Arc<Status>,
    keeper: GaugedSender<Keep>,
    /// What is yet to be caught up with.
    catch_up: Option<CatchUp>,
    lookups: mpsc::Sender<Seen>,
    tap: Option<Tap>,
    complained: Option<Instant>,
    shown: Option<Instant>,
    brands: Brands,
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
        keeper: GaugedSender<Keep>,
        lookups: mpsc::Sender<Seen>,
        tap: Option<Tap>,
    ) -> EngineThread {
        EngineThread {
            engine,
            status,
            keeper,
            catch_up: None,
            lookups,
            tap,
            complained: None,
            shown: None,
            brands: Brands::default(),
            bad: BTreeMap::new(),
            coming: None,
            frames: 0,
        }
    }

    /// The same, with a past to be caught up with first.
    pub fn catching_up(mut self, catch_up: CatchUp) -> EngineThread {
        self.catch_up = Some(catch_up);
        self
    }

    /// Runs until nobody feeds any more, or nobody keeps what is decided. Before anything else it
    /// goes on under `rules`, if others are in force.
    pub fn run(mut self, inputs: &Intake, rules: Arc<RuleSet>) {
        self.show();
        if self.begin(rules) {
            while self.turn(inputs) {}
        }
        inputs.close();
    }

    /// What comes before the first turn; false if nobody keeps what is decided.
    pub fn begin(&mut self, rules: Arc<RuleSet>) -> bool {
        // who was waiting when the service ended
        for did in self.engine.estimated(NETWORK, self.status.clock().now()) {
            self.ask_for(Seen { did, unknown: true, unnamed: true });
        }
        let other = self.engine.rules().fingerprint != rules.fingerprint;
        if other { self.new_rules(rules) } else { self.first_step() }
    }

    /// What an engine says before its first input.
    fn first_step(&mut self) -> bool {
        let output = self.engine.settle();
        self.hand_out(output, None, Instant::now())
    }

    fn new_rules(&mut self, rules: Arc<RuleSet>) -> bool {
        if self.keeper.send(Keep::Rules(rules.clone())).is_err() {
            return false;
        }
        let output = self.engine.step(Input::Rules(rules));
        self.hand_out(output, None, Instant::now())
    }

    /// Engine time goes on by the Clock from now on, and people are told.
    fn go_live(&mut self, inputs: &Intake) -> bool {
        let over = self.catch_up.as_mut().is_some_and(|c| c.is_over(self.status.uptime()));
        if !over {
            return true;
        }
        let behind: Vec<String> = self.catch_up.take().iter().flat_map(|c| c.behind()).map(|s| s.to_string()).collect();
        let engine_time = self.engine.junction().now().unwrap_or_default();
        tracing::info!(%engine_time, behind = behind.join(", "), "the past is caught up with");
        inputs.release();
        let output = self.step(Input::Tick(self.status.clock().now()), Instant::now());
        self.status.set_catching_up(false);
        self.hand_out(output, None, Instant::now()) && self.keeper.send(Keep::Live).is_ok()
    }

    /// Gives everything the engine knows, where the store needs it.
    fn give_whole(&mut self) -> bool {
        if !self.status.take_wants_whole() {
            return true;
        }
        let began = Instant::now();
        let Ok(parts) = self.engine.snapshot() else { return true };
        let took_ms = began.elapsed().as_millis() as u64;
        tracing::warn!(took_ms, "the log has a hole: the engine stood still to give everything it knows");
        let (as_of, fingerprint) = (self.engine.junction().seq(), self.engine.rules().fingerprint);
        self.keeper.send(Keep::Whole(as_of, fingerprint, parts)).is_ok()
    }

    /// Takes the next input, waiting for one; false at the end.
    pub fn turn(&mut self, inputs: &Intake) -> bool {
        // while other rules are made ready nobody is waited for
        let patience = self.coming.as_ref().map(|_| Duration::ZERO);
        let mut idle = false;
        self.status.engine_pulse.rest();
        let next = inputs.next(patience);
        self.status.engine_pulse.turn();
        let go_on = match next {
            Next::Item(fed) => {
                self.frames += fed.frames();
                self.take(fed) && self.go_live(inputs) && self.give_whole()
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
                let ends = self.engine.junction().ends().to_vec();
                return self.hand_out(output, None, received) && self.keeper.send(Keep::Ends(answer, ends)).is_ok();
            }
            What::Rules(rules, front, answer) => {
                self.engine.prepare(rules.clone(), *front);
                self.coming = Some(Coming { rules, answer, in_force: false, pause: Duration::ZERO });
                return true;
            }
        };
        // a recording has no Ticks; a source that comes or goes is shown at once
        let changed = matches!(input, Input::Source(..));
        let moved = changed || matches!(input, Input::Tick(_) | Input::Frames(_));
        let (input, position) = self.attend(input);
        let output = self.step(input, received);
        let go_on = self.hand_out(output, position, received);
        // people are told first: this looks at every group
        if changed || moved && self.shown.is_none_or(|t| t.elapsed() >= limits::VIEW_EVERY.as_std()) {
            self.show();
        }
        go_on
    }

    /// Sees how far sources have caught up, and where this one goes on.
    fn attend(&mut self, input: Input) -> (Input, Option<(Arc<str>, Position)>) {
        let position = match &input {
            Input::Frames(batch) => batch.position.clone().map(|p| (batch.source.name.clone(), p)),
            _ => None,
        };
        let Some(catch_up) = &mut self.catch_up else { return (input, position) };
        let uptime = self.status.uptime();
        match &input {
            Input::Tick(now) => return (Input::Believe(*now), None),
            Input::Source(name, SourceState::End) => catch_up.ended(name),
            Input::Source(name, state) => catch_up.connected(name, *state == SourceState::Up, uptime),
            Input::Frames(batch) => {
                let last = self.engine.junction().last_event().get(&batch.source.name).copied();
                catch_up.heard(&batch.source.name, last, self.status.clock().now(), uptime);
            }
            _ => {}
        }
        (input, position)
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
            if self.keeper.send(Keep::Rules(coming.rules.clone())).is_err() {
                return false;
            }
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
        output.is_none_or(|o| self.hand_out(o, None, began))
    }

    fn step(&mut self, input: Input, received: Instant) -> Output {
        let started = Instant::now();
        let status = self.status.clone();
        let metrics = &status.metrics;
        let input = match input {
            Input::Frames(batch) => {
                self.status.queue(-(batch.frames.len() as i64));
                let mut in_front = metrics.enter(Stage::Front, batch.frames.len());
                let sifted = self.engine.sift(batch);
                let ended = |s: &&Sifted| matches!(s, Sifted::Done(..) | Sifted::Damaged(_));
                in_front.out("ended", sifted.sifted.iter().filter(ended).count() as u64);
                in_front.all_out("passed");
                metrics.stage(Stage::Front, started.elapsed());
                Input::Sifted(sifted)
            }
            other => other,
        };
        let frames = if let Input::Sifted(batch) = &input { batch.frames.len() } else { 0 };
        // what is held there until its time is confirmed stays in
        metrics.enter(Stage::Junction, frames).stay();
        let admitted = Instant::now();
        self.engine.admit(input);
        let settled = Instant::now();
        let output = self.engine.settle();
        if frames > 0 {
            metrics.stage(Stage::Junction, settled - admitted);
            metrics.stage(Stage::Back, settled.elapsed());
            metrics.stage(Stage::ReceiveToTransition, received.elapsed());
        }
        output
    }

    /// False if nobody keeps it any more.
    fn hand_out(&mut self, output: Output, position: Option<(Arc<str>, Position)>, received: Instant) -> bool {
        let status = self.status.clone();
        let metrics = &status.metrics;
        for (source, outcomes) in &output.outcomes {
            for (outcome, n) in outcomes.iter() {
                metrics.leave(Stage::Junction, if outcome.enters() { "entered" } else { "dropped" }, n);
            }
            // what is left of a source that is gone makes it none again
            if status.is_gone(source) {
                continue;
            }
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
        let entries = &output.step.entries;
        let mut in_back = metrics.enter(Stage::Back, entries.len());
        let changed: BTreeSet<Seq> = output.transitions.iter().map(|t| t.seq).collect();
        in_back.out("changed", changed.len() as u64);
        in_back.all_out("quiet");
        metrics.add(&metric::ENTRIES, &[], entries.len() as f64);
        self.brands.follow(self.engine.rules(), metrics);
        self.brands.count(entries, metrics);
        entries.iter().for_each(|e| self.look_up(e));
        if let Some(tap) = self.tap.as_mut().filter(|_| !entries.is_empty()) {
            tap(entries);
        }
        let notices: Vec<_> = output.transitions.into_iter().map(|t| self.engine.notice(t)).collect();
        for (t, rules) in notices.iter().map(|n| (&n.transition, &n.rules)) {
            let name = rules.rules.get(t.rule as usize).map_or("", |r| &r.name);
            metrics.add(&metric::TRANSITIONS, &[name, t.to.name(), t.severity.name()], 1.0);
        }
        // frames whose times are in doubt are in no log yet: their source must bring them again
        let position = position.filter(|_| !self.engine.junction().holds_frames());
        if output.step.is_empty() && notices.is_empty() && position.is_none() {
            return true;
        }
        self.keeper.send(Keep::Step(Box::new(Stepped { step: output.step, notices, position, received }))).is_ok()
    }

    /// Has the audience of an account looked up where its post does not tell it.
    fn look_up(&self, entry: &Entry) {
        let (EntryBody::Mention(t) | EntryBody::Share(t)) = &entry.body else { return };
        // another brand that reads it hears of it, too
        if *t.body.source != *NETWORK || t.foreign.is_some() {
            return;
        }
        let unknown = !t.audience.known;
        if unknown || self.status.is_stream(&t.via) {
            self.ask_for(Seen { did: t.body.author.clone(), unknown, unnamed: !self.engine.is_named(t) });
        }
    }

    fn ask_for(&self, seen: Seen) {
        if self.lookups.try_send(seen).is_err() && !self.lookups.is_closed() {
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
        let mut open: BTreeMap<Severity, f64> = Severity::ALL.into_iter().map(|s| (s, 0.0)).collect();
        for (_, severity) in self.engine.burning().filter(|(rule, _)| !self.engine.is_in_shadow(*rule)) {
            *open.entry(severity).or_insert(0.0) += 1.0;
        }
        for (severity, n) in open {
            metrics.set(&metric::OPEN_EPISODES, &[severity.name()], n);
        }
        let kept = self.engine.kept_len();
        metrics.set(&metric::POSTS_KEPT, &[], kept as f64);
        self.brands.show(&mut self.engine, metrics);
        self.status.set_engine_view(EngineView {
            rules: Some(self.engine.rules().clone()),
            states: self.engine.rule_states(),
            seq: self.engine.junction().seq(),
            kept,
        });
        self.shown = Some(Instant::now());
    }
}
