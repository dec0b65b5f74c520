//! What the running service knows of itself: read by HTTP, written by sources and engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use dashmap::DashMap;

use crate::app::clock::Clock;
use crate::app::metrics::Metrics;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::SourceState;
use crate::base::time::Time;
use crate::serve::Answers;

/// State of a source.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceStatus {
    /// Connected or not.
    pub state: SourceState,
    /// Why not.
    pub why: String,
}

/// Shared by all threads.
pub struct Status {
    /// The metrics.
    pub metrics: Metrics,
    sources: DashMap<Arc<str>, SourceStatus>,
    clock: Arc<dyn Clock>,
    engine_time: AtomicI64,
    waiting: AtomicU64,
}

impl Status {
    /// With these sources, none connected yet.
    ///
    /// # Errors
    /// Only if the table of metrics is wrong.
    pub fn new(clock: Arc<dyn Clock>, sources: &[Arc<str>]) -> Result<Status, prometheus::Error> {
        let metrics = Metrics::new()?;
        metrics.set(&metric::BUILD, &[env!("CARGO_PKG_VERSION")], 1.0);
        let status = Status {
            metrics,
            sources: DashMap::new(),
            clock,
            engine_time: AtomicI64::new(0),
            waiting: AtomicU64::new(0),
        };
        for name in sources {
            status.set_source(name, SourceState::Down, "not connected yet");
            status.metrics.add(&metric::CONNECTS, &[name, "ok"], 0.0);
        }
        Ok(status)
    }

    /// The Clock.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Notes the state of a source.
    pub fn set_source(&self, name: &Arc<str>, state: SourceState, why: &str) {
        let up = if state == SourceState::Up { 1.0 } else { 0.0 };
        self.metrics.set(&metric::SOURCE_UP, &[name], up);
        self.sources.insert(name.clone(), SourceStatus { state, why: why.chars().take(300).collect() });
    }

    /// Notes the engine's time.
    pub fn set_engine_time(&self, t: Time) {
        self.engine_time.store(t.0, Ordering::Release);
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

    fn lag(&self) -> f64 {
        (self.clock.now() - self.engine_time()).as_seconds().max(0.0)
    }
}

impl Answers for Status {
    fn metrics(&self) -> String {
        self.metrics.set(&metric::LAG, &[], self.lag());
        self.metrics.set(&metric::QUEUE, &[], self.waiting.load(Ordering::Acquire) as f64);
        self.metrics.text()
    }

    fn unready(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for source in self.sources.iter() {
            if source.state != SourceState::Up {
                out.push(format!("source {}: {}", source.key(), source.why));
            }
        }
        out.sort();
        let lag = self.lag();
        if lag > limits::READY_LAG.as_seconds() {
            out.push(format!("engine: {lag:.0} s behind"));
        }
        out
    }
}
