//! The engine clock: the largest of accepted event times and of Ticks. It never goes back.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::base::model::ClockState;
use crate::base::time::Time;

/// Where time comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ClockMode {
    /// A Clock ticks; event times are clamped to shortly after it.
    Live,
    /// Only the lines of a recording tell the time; a jump must be confirmed by the next line.
    Recording,
}

/// What to do with a frame of a given time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Take it, with this time.
    Take(Time),
    /// Wait for the next frame to tell whether this time is true.
    Hold,
}

/// The clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct EngineClock {
    mode: ClockMode,
    now: Option<Time>,
    /// The last Tick of the injected Clock.
    tick: Option<Time>,
}

impl EngineClock {
    pub(super) fn new(mode: ClockMode) -> EngineClock {
        EngineClock { mode, now: None, tick: None }
    }

    /// Where it stands.
    pub(super) fn state(&self) -> ClockState {
        ClockState { now: self.now, tick: self.tick }
    }

    /// Stands where it stood once.
    pub(super) fn set(&mut self, state: ClockState) {
        (self.now, self.tick) = (state.now, state.tick);
    }

    /// Times of frames are believed as if the Clock had ticked, and engine time stays as it is.
    pub(super) fn believe(&mut self, to: Time) {
        self.tick = Some(self.tick.map_or(to, |t| t.max(to)));
    }

    /// The engine time, if any time was seen.
    pub(super) fn now(&self) -> Option<Time> {
        self.now
    }

    /// What to do with a frame of this time.
    pub(super) fn verdict(&self, time: Time) -> Verdict {
        match self.mode {
            ClockMode::Live => Verdict::Take(self.tick.map_or(time, |tick| time.min(tick + limits::CLOCK_AHEAD))),
            ClockMode::Recording => match self.now {
                Some(now) if time <= now + limits::FILE_JUMP => Verdict::Take(time),
                _ => Verdict::Hold,
            },
        }
    }

    /// What the next time says of held ones: `true` where it confirms one, because it also lies
    /// far ahead of the clock (if there is one) and not far behind the held one. `None` while
    /// nothing can be said: at the beginning it takes two that agree to know which one is wrong.
    pub(super) fn confirmed(&self, held: &[Time], next: Time) -> Option<Vec<bool>> {
        let each: Vec<bool> = match self.now {
            Some(now) => {
                held.iter().map(|h| next > now + limits::FILE_JUMP && next >= *h - limits::FILE_JUMP).collect()
            }
            None => held.iter().map(|h| next >= *h - limits::FILE_JUMP).collect(),
        };
        let undecided = self.now.is_none() && !each.contains(&true);
        (!undecided).then_some(each)
    }

    /// Moves on; gives the whole second reached if that is new.
    pub(super) fn advance(&mut self, to: Time) -> Option<Time> {
        let before = self.now;
        let now = before.map_or(to, |n| n.max(to));
        self.now = Some(now);
        let second = now.floor_second();
        (before.is_none_or(|b| second > b.floor_second())).then_some(second)
    }

    /// A Tick of the injected Clock.
    pub(super) fn tick(&mut self, to: Time) -> Option<Time> {
        self.believe(to);
        self.advance(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    const T: Time = Time(1_700_000_000_000_000);
    const FAR: Time = Time(4_100_000_000_000_000);

    #[test]
    fn live_times_are_clamped_to_the_clock() {
        let mut c = EngineClock::new(ClockMode::Live);
        c.tick(T);
        assert_eq!(c.verdict(FAR), Verdict::Take(T + limits::CLOCK_AHEAD));
        c.advance(T + limits::CLOCK_AHEAD);
        assert_eq!(c.verdict(FAR), Verdict::Take(T + limits::CLOCK_AHEAD), "a clamped time does not push the limit on");
        assert_eq!(c.verdict(T - Span::seconds(9)), Verdict::Take(T - Span::seconds(9)));
    }

    #[test]
    fn a_jump_in_a_recording_needs_confirmation() {
        let mut c = EngineClock::new(ClockMode::Recording);
        assert_eq!(c.verdict(FAR), Verdict::Hold, "the first line too");
        assert_eq!(c.confirmed(&[FAR], T), None, "one of them lies, nobody knows which");
        assert_eq!(c.confirmed(&[FAR, T], Time(0)), None);
        assert_eq!(c.confirmed(&[FAR, T, Time(0)], T), Some(vec![false, true, true]));
        assert_eq!(c.confirmed(&[T], FAR), Some(vec![true]));
        c.advance(T);
        assert_eq!(c.verdict(T + Span::seconds(3600)), Verdict::Take(T + Span::seconds(3600)));
        assert_eq!(c.verdict(FAR), Verdict::Hold);
        assert_eq!((c.confirmed(&[FAR], FAR), c.confirmed(&[FAR], T)), (Some(vec![true]), Some(vec![false])));
    }

    #[test]
    fn never_goes_back_and_tells_each_second_once() {
        let mut c = EngineClock::new(ClockMode::Recording);
        assert_eq!(c.advance(T), Some(T));
        assert_eq!(c.advance(T + Span::millis(500)), None);
        assert_eq!(c.advance(T - Span::seconds(5)), None);
        assert_eq!(c.now(), Some(T + Span::millis(500)));
        assert_eq!(c.advance(T + Span::millis(9700)), Some(T + Span::seconds(9)));
    }
}
