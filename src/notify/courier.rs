//! Delivering to one receiver as a pure state machine: answers and time in, one thing to do out.
//! One message at a time, in order.

use crate::base::backoff;
use crate::base::limits;
use crate::base::time::{Span, Time};

/// How patient deliveries are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Time for one try.
    pub timeout: Span,
    /// First wait before a message is tried again.
    pub first: Span,
    /// Longest wait, whatever the receiver asks for.
    pub most: Span,
    /// How long a message is tried, from when it was queued.
    pub kept: Span,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            timeout: limits::DELIVERY_TIMEOUT,
            first: limits::DELIVERY_FIRST,
            most: limits::DELIVERY_MOST,
            kept: limits::DELIVERY_KEPT,
        }
    }
}

/// How a try ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// With an HTTP status, and the time after which the receiver wants to be asked again.
    Status(u16, Option<Span>),
    /// With a refusal of another kind.
    Refused,
    /// With the wish to be asked again, after a time if it names one.
    Later(Option<Span>),
    /// Without one: not reached, cut off, too slow.
    None,
}

/// What is to be done with the message at hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Try it now.
    Try,
    /// Nothing before this time.
    Wait(Time),
    /// Give it up: it was tried for too long.
    Expire,
}

/// What became of a message by a try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The receiver has it.
    Accepted,
    /// The receiver does not want it, now or ever.
    Refused,
    /// To be tried again.
    Again,
}

/// What the receiver did last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// It accepted, or nothing is known of it yet.
    #[default]
    Fine,
    /// It could not be reached, or asked to be tried later.
    Failing,
    /// It refused a message.
    Refusing,
}

/// Deliveries to one receiver. Times are of a clock that never goes back.
#[derive(Clone, Debug)]
pub struct Courier {
    pace: Pace,
    failures: u32,
    /// No try before; outlives the message, since it is the receiver that failed.
    not_before: Time,
    /// No try before of a message that was never tried: whether it is the receiver that failed, or it does not
    /// like what it was sent, is not known.
    fresh_not_before: Time,
    standing: Standing,
}

impl Courier {
    /// To a receiver of which nothing is known yet.
    pub fn new(pace: Pace) -> Courier {
        let never = Time(i64::MIN);
        Courier { pace, failures: 0, not_before: never, fresh_not_before: never, standing: Standing::Fine }
    }

    /// What the receiver did last.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// What is to be done with a message that was queued at a time, and tried so often.
    pub fn next(&self, queued: Time, tries: u32, now: Time) -> Next {
        let end = queued + self.pace.kept;
        let not_before = if tries == 0 { self.fresh_not_before } else { self.not_before };
        if now >= end {
            Next::Expire
        } else if now >= not_before {
            Next::Try
        } else {
            Next::Wait(not_before.min(end))
        }
    }

    /// Notes the end of a try. `jitter` in 0..1 spreads the waits.
    pub fn on(&mut self, answer: Answer, now: Time, jitter: f64) -> Fate {
        let (standing, fate) = match answer {
            Answer::Status(200..=299, _) => (Standing::Fine, Fate::Accepted),
            Answer::Status(408 | 425 | 429 | 500..=599, _) | Answer::Later(_) | Answer::None => {
                (Standing::Failing, Fate::Again)
            }
            Answer::Status(..) | Answer::Refused => (Standing::Refusing, Fate::Refused),
        };
        self.standing = standing;
        if fate != Fate::Again {
            self.failures = 0;
            (self.not_before, self.fresh_not_before) = (now, now);
            return fate;
        }
        self.failures = self.failures.saturating_add(1);
        let own = backoff::wait(self.failures, self.pace.first, self.pace.most, jitter);
        let asked = match answer {
            Answer::Status(_, Some(asked)) | Answer::Later(Some(asked)) => asked.min(self.pace.most),
            _ => Span::ZERO,
        };
        // never sooner than we would ourselves, or "after 0 s" were a loop
        self.not_before = now + own.max(asked);
        self.fresh_not_before = now + self.pace.first.max(asked);
        fate
    }
}

/// The seconds of a `Retry-After`; `None` of a date or anything else.
pub(super) fn retry_after(value: &str) -> Option<Span> {
    let digits = value.trim();
    let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    whole.then(|| Span::seconds(digits.parse().unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Time {
        Time::from_millis(s * 1000)
    }

    fn answered(status: u16) -> Answer {
        Answer::Status(status, None)
    }

    #[test]
    fn every_status_has_one_fate() {
        for status in 0..=999u16 {
            let expected = match status {
                200..=299 => Fate::Accepted,
                408 | 425 | 429 => Fate::Again,
                500..=599 => Fate::Again,
                _ => Fate::Refused,
            };
            assert_eq!(Courier::new(Pace::default()).on(answered(status), at(0), 0.0), expected, "{status}");
        }
        assert_eq!(Courier::new(Pace::default()).on(Answer::None, at(0), 0.0), Fate::Again);
    }

    #[test]
    fn waits_longer_after_each_failure_also_over_messages() {
        let (mut c, mut now, mut waits) = (Courier::new(Pace::default()), at(0), Vec::new());
        assert_eq!(c.next(now, 1, now), Next::Try);
        for k in 0..12 {
            c.on(if k % 2 == 0 { Answer::None } else { answered(503) }, now, 1.0);
            // another message has to wait as well
            let Next::Wait(until) = c.next(now, 1, now) else { panic!("{:?}", c.next(now, 1, now)) };
            assert_eq!(c.next(now, 1, Time(until.0 - 1)), Next::Wait(until));
            assert_eq!(c.next(now, 1, until), Next::Try);
            waits.push((until - now).0 / 1_000_000);
            now = until;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!((c.standing(), c.on(answered(204), now, 1.0)), (Standing::Failing, Fate::Accepted));
        assert_eq!((c.standing(), c.next(now, 1, now)), (Standing::Fine, Next::Try));
        c.on(Answer::None, now, 1.0);
        assert_eq!(c.next(now, 1, now), Next::Wait(now + Span::seconds(1)), "forgotten after a success");
    }

    #[test]
    fn what_was_never_tried_waits_a_little() {
        let mut c = Courier::new(Pace::default());
        for _ in 0..9 {
            c.on(answered(503), at(10), 1.0);
        }
        assert_eq!(c.next(at(0), 1, at(10)), Next::Wait(at(266)));
        assert_eq!(c.next(at(0), 0, at(10)), Next::Wait(at(11)));
        c.on(Answer::Status(429, Some(Span::seconds(60))), at(10), 1.0);
        assert_eq!(c.next(at(0), 0, at(10)), Next::Wait(at(70)), "as it was asked to");
        c.on(answered(200), at(11), 1.0);
        assert_eq!(c.next(at(0), 1, at(11)), Next::Try, "it answers");
    }

    #[test]
    fn jitter_spreads_the_upper_half() {
        let waited = |jitter| {
            let mut c = Courier::new(Pace::default());
            c.on(Answer::None, at(0), jitter);
            c.next(at(0), 1, at(0))
        };
        assert_eq!((waited(0.0), waited(1.0)), (Next::Wait(Time(500_000)), Next::Wait(at(1))));
    }

    #[test]
    fn waits_as_asked_within_reason() {
        for (asked, waited) in [(0, 1), (1, 1), (7, 7), (300, 300), (301, 300), (i64::MAX, 300)] {
            let mut c = Courier::new(Pace::default());
            c.on(Answer::Status(429, Some(Span::seconds(asked))), at(10), 1.0);
            assert_eq!(c.next(at(10), 1, at(10)), Next::Wait(at(10 + waited)), "{asked}");
        }
    }

    #[test]
    fn a_refusal_costs_the_next_message_no_wait() {
        let mut c = Courier::new(Pace::default());
        c.on(Answer::None, at(0), 1.0);
        assert_eq!(c.on(Answer::Status(400, Some(Span::seconds(60))), at(5), 1.0), Fate::Refused);
        assert_eq!((c.standing(), c.next(at(5), 1, at(5))), (Standing::Refusing, Next::Try));
    }

    #[test]
    fn a_message_is_given_up_at_its_age() {
        let day = limits::DELIVERY_KEPT.0 / 1_000_000;
        let mut c = Courier::new(Pace::default());
        assert_eq!(c.next(at(0), 1, at(day - 1)), Next::Try);
        c.on(Answer::Status(503, Some(Span::seconds(300))), at(day - 100), 1.0);
        // woken for the end, not only for the next try
        assert_eq!(c.next(at(0), 1, at(day - 100)), Next::Wait(at(day)));
        assert_eq!(c.next(at(0), 1, at(day)), Next::Expire);
        // a younger one still waits for the receiver
        assert_eq!(c.next(at(day), 1, at(day)), Next::Wait(at(day + 200)));
    }

    #[test]
    fn only_seconds_are_read() {
        assert_eq!((retry_after(" 120 "), retry_after("0")), (Some(Span::seconds(120)), Some(Span::ZERO)));
        assert_eq!(retry_after("99999999999999999999999"), Some(Span(i64::MAX)));
        for bad in ["", "-1", "1.5", "Fri, 31 Dec 1999 23:59:59 GMT"] {
            assert_eq!(retry_after(bad), None, "{bad}");
        }
    }
}
