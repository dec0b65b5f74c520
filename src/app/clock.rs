//! The Clock: the only place that asks what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::time::Time;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Time;

    /// The engine has got to this time; of concern only to a clock that follows it.
    fn follow(&self, _engine: Time) {}

    /// Time since the service began, where that is not to be measured.
    fn uptime(&self) -> Option<Time> {
        None
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that is set by hand: the demo's story time.
#[derive(Debug, Default)]
pub struct SetClock(AtomicI64);

impl SetClock {
    /// Sets the time; it never goes back.
    pub fn set(&self, t: Time) {
        self.0.fetch_max(t.0, Ordering::Release);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Acquire))
    }
}

/// A clock that follows the engine: the time of a recording that is played. 1970 before any.
#[derive(Debug, Default)]
pub struct RecordedClock(SetClock);

impl Clock for RecordedClock {
    fn now(&self) -> Time {
        self.0.now()
    }

    fn follow(&self, engine: Time) {
        self.0.set(engine);
    }
}
