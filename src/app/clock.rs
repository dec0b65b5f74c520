//! The Clock: the only place that asks what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::base::limits;
use crate::base::time::{Span, Time};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Time;

    /// How far the machine's clock is behind what was seen of it before; zero while it is well.
    fn behind(&self) -> Span {
        Span::ZERO
    }

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

/// A clock that never goes back, made of one that may and of a count that does not. Pure: both are
/// passed in.
///
/// It goes with the wall clock, also when that jumps ahead: a machine that was suspended. Where that
/// goes back a little, time stands still until it has caught up; where it goes back by more, time
/// goes on by the count, and the wall clock is behind until it has caught up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steady {
    now: Option<Time>,
    /// What the count was then.
    counted: Span,
    behind: Span,
    /// Whether the wall clock has not yet come to where time began.
    early: bool,
}

impl Steady {
    /// One that never begins before this time, the newest that is known of. For a wall clock that
    /// is a little before it, time stands still at first.
    pub fn with_floor(floor: Time) -> Steady {
        Steady { now: Some(floor), early: true, ..Steady::default() }
    }

    /// The time, when the wall clock shows this, and so much was counted since the beginning.
    pub fn read(&mut self, wall: Time, monotonic: Span) -> Time {
        let passed = Span(monotonic.0.saturating_sub(self.counted.0).max(0));
        self.counted = monotonic.max(self.counted);
        let before = self.now.unwrap_or(wall);
        let by_count = before + passed;
        let back = if self.behind > Span::ZERO { by_count } else { before } - wall;
        let most = if self.early { limits::CLOCK_BEHIND } else { limits::CLOCK_BACK };
        let now = if back > most { by_count } else { wall.max(before) };
        self.behind = if back > most { by_count - wall } else { Span::ZERO };
        self.early &= back > Span::ZERO && back <= most;
        self.now = Some(now);
        now
    }

    /// How far the wall clock is behind; zero while it is well.
    pub fn behind(&self) -> Span {
        self.behind
    }
}

/// The machine's clock, but never going back.
#[derive(Debug)]
pub struct SteadyClock {
    steady: Mutex<Steady>,
    began: Instant,
}

impl Default for SteadyClock {
    fn default() -> SteadyClock {
        SteadyClock { steady: Mutex::new(Steady::default()), began: Instant::now() }
    }
}

impl SteadyClock {
    /// One that never begins before this time.
    pub fn with_floor(floor: Time) -> SteadyClock {
        SteadyClock { steady: Mutex::new(Steady::with_floor(floor)), began: Instant::now() }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Time {
        let mut steady = self.steady.lock().unwrap_or_else(PoisonError::into_inner);
        let before = steady.behind();
        let counted = Span(i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX));
        let now = steady.read(SystemClock.now(), counted);
        let after = steady.behind();
        drop(steady);
        let (was, is) = (before > limits::CLOCK_BEHIND, after > limits::CLOCK_BEHIND);
        if is && !was {
            tracing::error!(behind = %after, "this machine's clock is behind what was seen before; time goes on by count");
        } else if was && !is {
            tracing::info!("this machine's clock has caught up");
        }
        now
    }

    fn behind(&self) -> Span {
        self.steady.lock().unwrap_or_else(PoisonError::into_inner).behind()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads at these seconds of wall clock and count: the time, and how far the wall clock is behind.
    fn read(steady: &mut Steady, wall: f64, counted: f64) -> (f64, f64) {
        let micros = |s: f64| (s * 1e6) as i64;
        let now = steady.read(Time(micros(wall)), Span(micros(counted)));
        (now.as_seconds(), steady.behind().as_seconds())
    }

    const YEAR: f64 = 365.0 * 86_400.0;

    #[test]
    fn a_jump_ahead_is_taken() {
        let mut s = Steady::default();
        assert_eq!((read(&mut s, 100.0, 7.0), read(&mut s, 101.0, 8.0)), ((100.0, 0.0), (101.0, 0.0)));
        assert_eq!(read(&mut s, 101.0 + YEAR, 8.5), (101.0 + YEAR, 0.0));
        assert_eq!(read(&mut s, 102.0 + YEAR, 9.5), (102.0 + YEAR, 0.0));
    }

    #[test]
    fn a_jump_back_of_a_year_is_counted_over_until_it_is_set_right() {
        let mut s = Steady::default();
        read(&mut s, 2.0 * YEAR, 0.0);
        assert_eq!(read(&mut s, YEAR, 10.0), (2.0 * YEAR + 10.0, YEAR + 10.0));
        assert_eq!(read(&mut s, YEAR + 3600.0, 3610.0), (2.0 * YEAR + 3610.0, YEAR + 10.0));
        // nearly right is not right
        assert_eq!(read(&mut s, 2.0 * YEAR + 3608.75, 3611.0), (2.0 * YEAR + 3611.0, 2.25));
        assert_eq!(read(&mut s, 2.0 * YEAR + 3611.5, 3612.0), (2.0 * YEAR + 3611.5, 0.0));
        assert_eq!(read(&mut s, 2.0 * YEAR + 3612.5, 3613.0), (2.0 * YEAR + 3612.5, 0.0));
        // ahead and back again comes to the same
        assert_eq!(read(&mut s, 3.0 * YEAR, 3614.0), (3.0 * YEAR, 0.0));
        assert_eq!(read(&mut s, 2.0 * YEAR, 3615.0), (3.0 * YEAR + 1.0, YEAR + 1.0));
    }

    #[test]
    fn a_small_step_back_makes_time_stand_still() {
        let mut s = Steady::default();
        read(&mut s, 100.0, 0.0);
        assert_eq!(read(&mut s, 99.0, 0.0), (100.0, 0.0));
        assert_eq!((read(&mut s, 99.5, 0.5), read(&mut s, 100.25, 1.25)), ((100.0, 0.0), (100.25, 0.0)));
        assert_eq!(read(&mut s, 99.0, 1.25), (100.25, 1.25));
    }

    #[test]
    fn time_never_begins_before_what_was_known() {
        let mut s = Steady::with_floor(Time(1_000_000_000));
        assert_eq!(read(&mut s, 5000.0, 0.0), (5000.0, 0.0));
        let mut s = Steady::with_floor(Time(1_000_000_000));
        assert_eq!((read(&mut s, 995.0, 0.0), read(&mut s, 999.0, 4.0)), ((1000.0, 0.0), (1000.0, 0.0)));
        assert_eq!((read(&mut s, 1001.0, 6.0), read(&mut s, 998.0, 6.0)), ((1001.0, 0.0), (1001.0, 3.0)));
        let mut s = Steady::with_floor(Time(1_000_000_000));
        assert_eq!((read(&mut s, 994.0, 0.0), read(&mut s, 996.0, 2.0)), ((1000.0, 6.0), (1002.0, 6.0)));
        assert_eq!(read(&mut s, 1002.5, 3.0), (1002.5, 0.0));
    }

    #[test]
    fn the_machines_clock_goes_on() {
        let (plain, floor) = (SteadyClock::default(), SystemClock.now() + Span::seconds(1000));
        let now = plain.now();
        assert!((SystemClock.now() - now).0.abs() < 5_000_000 && plain.now() >= now && plain.behind() == Span::ZERO);
        let ahead = SteadyClock::with_floor(floor);
        assert!(ahead.now() >= floor && ahead.behind() > Span::seconds(900));
    }
}
