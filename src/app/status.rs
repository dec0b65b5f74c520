//! What the running service knows of itself: written by sources, engine and receivers, read by
//! HTTP.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use dashmap::DashMap;

use crate::app::acting::Acting;
use crate::app::alone;
use crate::app::clock::Clock;
use crate::app::config::{Config, SourceConfig, SourceKind};
use crate::app::engine::RuleState;
use crate::app::gauged::Waiting;
use crate::app::intake::Lane;
use crate::app::keeper::Unrecorded;
use crate::app::metrics::Metrics;
use crate::app::pulse::Pulse;
use crate::app::reload::Trigger;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{SourceInfo, SourceNotice};
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use crate::collect::health::{Change, Health};
use crate::notify::{Acts, Inbox};

/// State of a source.
pub struct SourceStatus {
    /// Its name and format.
    pub info: Arc<SourceInfo>,
    /// Its type, as in the config.
    pub kind: &'static str,
    /// Whether it is heard; times count from the service's start.
    pub health: Health,
}

/// State of a receiver.
#[derive(Clone, Debug, Default)]
pub struct ReceiverStatus {
    /// When it took a notice last, by the Clock.
    pub proved: Option<Time>,
    /// Why it did not, the last time it did not; cleared when it takes one.
    pub trouble: Option<String>,
}

/// What the engine said of itself last.
#[derive(Clone, Default)]
pub struct EngineView {
    /// The rules in force.
    pub rules: Option<Arc<RuleSet>>,
    /// What each of them is up to.
    pub states: Vec<RuleState>,
    /// Number of the last entry.
    pub seq: u64,
    /// Posts kept.
    pub kept: usize,
}

/// The last time files were read again.
#[derive(Clone, Debug)]
pub struct Reloaded {
    /// When, by the Clock.
    pub at: Time,
    /// What changed, or all mistakes.
    pub result: Result<String, Vec<String>>,
}

/// How much waits between threads.
#[derive(Clone, Debug, Default)]
pub struct Queues {
    /// For the keeper.
    pub keeper: Waiting,
    /// To be handed to receivers.
    pub receivers: Waiting,
}

/// Shared by all threads.
pub struct Status {
    /// The metrics.
    pub metrics: Metrics,
    /// That the engine turns.
    pub engine_pulse: Pulse,
    /// That the keeper turns.
    pub keeper_pulse: Pulse,
    pub(super) acting: Acting,
    /// How much waits between threads.
    pub queues: Queues,
    pub(super) sources: DashMap<Arc<str>, SourceStatus>,
    pub(super) receivers: DashMap<Arc<str>, ReceiverStatus>,
    pub(super) inboxes: DashMap<Arc<str>, Arc<Inbox>>,
    /// To whom something is being written that is waited for, and since when.
    pub(super) writing: Mutex<Option<(Arc<str>, Instant)>>,
    pub(super) pushes: DashMap<Arc<str>, (Arc<SourceInfo>, Arc<Lane>)>,
    pub(super) config: RwLock<Arc<Config>>,
    pub(super) engine: Mutex<EngineView>,
    pub(super) reloaded: Mutex<Option<Reloaded>>,
    pub(super) reloads: Mutex<Option<Trigger>>,
    clock: Arc<dyn Clock>,
    /// When the service began, on a clock that never goes back, and by the Clock.
    began: Instant,
    started: AtomicI64,
    past: AtomicI64,
    engine_time: AtomicI64,
    waiting: AtomicU64,
    stopping: AtomicBool,
    unrecorded: Mutex<Option<Unrecorded>>,
    acts: Mutex<Option<Acts>>,
    wants_whole: AtomicBool,
    pub(super) catching_up: AtomicBool,
    writing_round: AtomicBool,
    /// Blocks of the log up to here are in the archive.
    archived: AtomicI64,
}

/// Frames that are about to wait for the engine; who gives up sending them lets go of this.
pub struct Waits<'s>(&'s Status, i64);

impl Waits<'_> {
    /// They wait now, until the engine takes them.
    pub fn sent(self) {
        std::mem::forget(self);
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.queue(-self.1);
    }
}

impl Status {
    /// With no sources yet.
    ///
    /// # Errors
    /// Only if the table of metrics is wrong.
    pub fn new(clock: Arc<dyn Clock>, config: Arc<Config>) -> Result<Status, prometheus::Error> {
        let metrics = Metrics::new()?;
        let started = AtomicI64::new(clock.now().0);
        let status = Status {
            metrics,
            engine_pulse: Pulse::default(),
            keeper_pulse: Pulse::default(),
            acting: Acting::default(),
            queues: Queues::default(),
            sources: DashMap::new(),
            receivers: DashMap::new(),
            inboxes: DashMap::new(),
            writing: Mutex::default(),
            pushes: DashMap::new(),
            config: RwLock::new(config),
            engine: Mutex::new(EngineView::default()),
            reloaded: Mutex::new(None),
            reloads: Mutex::new(None),
            clock,
            began: Instant::now(),
            started,
            engine_time: AtomicI64::new(0),
            waiting: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            unrecorded: Mutex::new(None),
            acts: Mutex::new(None),
            wants_whole: AtomicBool::new(false),
            catching_up: AtomicBool::new(false),
            writing_round: AtomicBool::new(false),
            past: AtomicI64::new(0),
            archived: AtomicI64::new(i64::MAX),
        };
        status.begin_metrics();
        Ok(status)
    }

    /// The Clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Time since the start, on a clock that never goes back: that of sources' health.
    pub fn uptime(&self) -> Time {
        let measured = || Time(i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX));
        self.clock.uptime().unwrap_or_else(measured)
    }

    /// The config in force.
    pub fn config(&self) -> Arc<Config> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another config is in force.
    pub fn set_config(&self, config: Arc<Config>) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// A source runs from now on; it is not connected yet. That it is `unheard` for longer is told.
    pub fn add_source(&self, config: &SourceConfig, unheard: Span) {
        let name = &config.info.name;
        let (kind, steady) = match &config.kind {
            SourceKind::Jetstream(_) => ("jetstream", true),
            SourceKind::WebSocket(_) => ("websocket", true),
            SourceKind::Push(_) => ("push", false),
            // it pauses where what was recorded paused
            SourceKind::Recording(_) => ("recording", false),
        };
        self.metrics.set(&metric::SOURCE_UP, &[name], 0.0);
        self.metrics.set(&metric::SOURCE_HEARD, &[name], 1.0);
        for result in ["ok", "failed"] {
            self.metrics.begin(&metric::CONNECTS, &[name, result]);
        }
        self.metrics.begin(&metric::GAP, &[name]);
        let health = Health::new(self.uptime(), steady, unheard);
        self.sources.insert(name.clone(), SourceStatus { info: config.info.clone(), kind, health });
    }

    /// Posts may be pushed to a source from now on: it always counts as connected.
    pub fn add_push(&self, info: &Arc<SourceInfo>, lane: Lane) {
        self.opened(&info.name);
        self.pushes.insert(info.name.clone(), (info.clone(), Arc::new(lane)));
    }

    /// A source runs no more.
    pub fn forget_source(&self, name: &Arc<str>) {
        self.sources.remove(name);
        self.pushes.remove(name);
        self.metrics.forget_all("source", name);
    }

    /// Whether there is no such source any more; where none is known, all may be.
    pub fn is_gone(&self, name: &Arc<str>) -> bool {
        !self.sources.is_empty() && !self.sources.contains_key(name)
    }

    /// Nothing can be pushed any more: the service stops.
    pub fn no_pushes(&self) {
        self.stopping.store(true, Ordering::Release);
        self.pushes.clear();
    }

    /// Whether the service stops.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn with_health(&self, name: &str, f: impl FnOnce(&mut Health, Time)) {
        let now = self.uptime();
        if let Some(mut source) = self.sources.get_mut(name) {
            f(&mut source.health, now);
        }
    }

    /// A source is connected.
    pub fn opened(&self, name: &str) {
        self.metrics.set(&metric::SOURCE_UP, &[name], 1.0);
        self.with_health(name, |h, now| h.opened(now));
    }

    /// A source is not connected, or no longer.
    pub fn lost(&self, name: &str, why: &str) {
        self.metrics.set(&metric::SOURCE_UP, &[name], 0.0);
        self.with_health(name, |h, now| h.lost(now, why));
    }

    /// A source is at its end: it counts as heard from now on.
    pub fn finished(&self, name: &str) {
        self.metrics.set(&metric::SOURCE_UP, &[name], 1.0);
        self.with_health(name, |h, now| h.finished(now));
    }

    /// When the service started, by the Clock; where that follows a recording, its first time.
    pub fn started(&self) -> Time {
        Time(self.started.load(Ordering::Acquire))
    }

    /// Since when the engine has a past, by the Clock: its own start, or that of the first service on its
    /// store.
    pub fn past(&self) -> Time {
        match self.past.load(Ordering::Acquire) {
            0 => self.started(),
            t => Time(t),
        }
    }

    /// Notes that.
    pub fn set_past(&self, since: Time) {
        self.past.store(since.0, Ordering::Release);
    }

    /// A source sent frames.
    pub fn heard(&self, name: &str, frames: usize) {
        self.with_health(name, |h, now| h.heard(now, frames));
    }

    /// Sources that are no longer heard since the last call, or heard again.
    pub fn changes(&self) -> Vec<SourceNotice> {
        let (uptime, now) = (self.uptime(), self.clock.now());
        let mut out = Vec::new();
        for mut source in self.sources.iter_mut() {
            let change = source.health.tick(uptime);
            let name = source.info.name.clone();
            self.metrics.set(&metric::SOURCE_RATE, &[&name, "now"], source.health.rate());
            self.metrics.set(&metric::SOURCE_RATE, &[&name, "usual"], source.health.usual_rate());
            if let Some(change) = change {
                self.metrics.set(&metric::SOURCE_HEARD, &[&name], if change.down { 0.0 } else { 1.0 });
                out.push(self.notice(&source, change, uptime, now));
            }
        }
        out.sort_by(|a, b| a.source.cmp(&b.source));
        out
    }

    fn notice(&self, source: &SourceStatus, change: Change, uptime: Time, now: Time) -> SourceNotice {
        let rules = self.engine_view().rules;
        let degraded = rules.iter().flat_map(|r| r.hearing(source.info.network()).map(|r| r.name.clone()));
        let since = now - (uptime - change.since);
        SourceNotice::new(now, source.info.name.clone(), change.down, since, change.why, degraded.collect())
    }

    /// What the engine said of itself last.
    pub fn engine_view(&self) -> EngineView {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the engine says of itself.
    pub fn set_engine_view(&self, view: EngineView) {
        *self.engine.lock().unwrap_or_else(PoisonError::into_inner) = view;
    }

    /// Notes the engine's time.
    pub fn set_engine_time(&self, t: Time) {
        self.engine_time.store(t.0, Ordering::Release);
        self.clock.follow(t);
        let _ = self.started.compare_exchange(0, t.0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// The engine's time.
    pub fn engine_time(&self) -> Time {
        Time(self.engine_time.load(Ordering::Acquire))
    }

    /// Frames that began to wait (positive) or were taken (negative).
    pub fn queue(&self, frames: i64) {
        let change = frames.unsigned_abs();
        if frames >= 0 {
            self.waiting.fetch_add(change, Ordering::AcqRel);
        } else {
            self.waiting.fetch_sub(change, Ordering::AcqRel);
        }
    }

    /// Frames that begin to wait; no longer, where they are not sent after all.
    pub fn waits(&self, frames: usize) -> Waits<'_> {
        self.queue(frames as i64);
        Waits(self, frames as i64)
    }

    /// Frames that wait for the engine.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Acquire)
    }

    /// How far the engine is behind the Clock.
    pub fn lag(&self) -> Span {
        (self.clock.now() - self.engine_time()).max(Span::ZERO)
    }

    /// Notes what a receiver did with a notice.
    pub fn set_receiver(&self, name: &str, change: impl FnOnce(&mut ReceiverStatus)) {
        let mut receiver = self.receivers.entry(name.into()).or_default();
        change(&mut receiver);
        if receiver.proved.is_some() || receiver.trouble.is_some() {
            let up = if receiver.trouble.is_none() { 1.0 } else { 0.0 };
            self.metrics.set(&metric::RECEIVER_UP, &[name], up);
        }
        if let Some(at) = receiver.proved {
            self.metrics.set(&metric::RECEIVER_PROVED, &[name], at.as_seconds());
        }
    }

    /// Something is being written to a receiver that is waited for, or no longer.
    pub fn set_writing(&self, to: Option<Arc<str>>) {
        *alone(&self.writing) = to.map(|name| (name, Instant::now()));
    }

    /// What waits for a receiver waits here.
    pub fn add_inbox(&self, name: &Arc<str>, inbox: Arc<Inbox>) {
        self.inboxes.insert(name.clone(), inbox);
    }

    /// A receiver is told nothing any more.
    pub fn forget_receiver(&self, name: &Arc<str>) {
        self.receivers.remove(name);
        self.inboxes.remove(name);
        self.metrics.forget_all("receiver", name);
    }

    /// Who asks for reloads.
    pub fn set_trigger(&self, trigger: Trigger) {
        *self.reloads.lock().unwrap_or_else(PoisonError::into_inner) = Some(trigger);
    }

    /// Notes how a reload ended.
    pub fn set_reloaded(&self, result: Result<String, Vec<String>>) {
        self.metrics.set(&metric::RELOAD_OK, &[], if result.is_ok() { 1.0 } else { 0.0 });
        let reloaded = Reloaded { at: self.clock.now(), result };
        *self.reloaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(reloaded);
    }

    /// Notes whether everything is recorded, and whether the store asks for everything the engine
    /// knows.
    pub fn set_unrecorded(&self, why: Option<Unrecorded>, wants_whole: bool) {
        let mut known = self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*known, &why) {
            (None, Some(u)) => tracing::error!(why = u.why, hint = u.hint, "nothing is recorded; going on from memory"),
            (Some(u), None) => tracing::info!(since = %u.since, "everything is recorded again"),
            _ => {}
        }
        if wants_whole {
            self.wants_whole.store(true, Ordering::Release);
        }
        *known = why;
    }

    /// Why nothing is recorded, where that is so.
    pub fn unrecorded(&self) -> Option<Unrecorded> {
        self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the engine is asked for everything it knows; asked once.
    pub fn take_wants_whole(&self) -> bool {
        self.wants_whole.swap(false, Ordering::AcqRel)
    }

    /// Signs links by which people act.
    pub fn set_acts(&self, acts: Option<Acts>) {
        *self.acts.lock().unwrap_or_else(PoisonError::into_inner) = acts;
    }

    /// What signs links by which people act.
    pub fn acts(&self) -> Option<Acts> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes whether the past is being caught up with.
    pub fn set_catching_up(&self, so: bool) {
        self.catching_up.store(so, Ordering::Release);
    }

    /// Notes whether a snapshot is on its way into the store.
    pub fn set_writing_round(&self, so: bool) {
        self.writing_round.store(so, Ordering::Release);
    }

    /// Whether a snapshot is on its way into the store.
    pub fn is_writing_round(&self) -> bool {
        self.writing_round.load(Ordering::Acquire)
    }

    /// The last block of the log that is in the archive.
    pub fn archived(&self) -> i64 {
        self.archived.load(Ordering::Acquire)
    }

    /// Notes that.
    pub fn set_archived(&self, block: i64) {
        self.archived.store(block, Ordering::Release);
    }

    /// Why the service is not ready.
    pub fn reasons(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        if self.is_stopping() {
            out.push("service: stopping".to_string());
        }
        for source in self.sources.iter() {
            let health = &source.health;
            if !health.is_connected() || health.down_since().is_some() {
                out.push(format!("source {}: {}", source.key(), health.why()));
            }
        }
        out.sort();
        let behind = self.clock.behind();
        if behind > limits::CLOCK_BEHIND {
            out.push(format!("clock: {behind} behind what was seen before; check the time of this machine"));
        }
        if let Some(u) = self.unrecorded() {
            out.push(format!("store: nothing is recorded since {}: {}; {}", u.since, u.why, u.hint));
        }
        if self.catching_up.load(Ordering::Acquire) {
            out.push(format!("engine: catching up with the past, at {}", self.engine_time()));
            return out;
        }
        if self.lag() > limits::READY_LAG {
            out.push(format!("engine: {:.0} s behind", self.lag().as_seconds()));
        }
        out
    }
}
