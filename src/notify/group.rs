//! When a receiver is told: at once of a page, else after a while in which more may come, outside its
//! quiet hours, or with others at the hour of its digest.

use super::policy::Receiver;
use crate::base::limits;
use crate::base::model::Severity;
use crate::base::time::{Span, Time, Zone};

/// Hours of the day, by the clocks of the receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quiet {
    /// First minute of the day, 0..1440.
    pub from: u16,
    /// First minute after it; before `from`: of the next day.
    pub to: u16,
}

impl Quiet {
    /// Whether a minute of the day is within.
    pub fn has(&self, minute: u16) -> bool {
        if self.from <= self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

/// How long news wait for more of the same.
pub(super) fn wait(severity: Severity, asked: Option<Span>) -> Span {
    match severity {
        Severity::Page => Span::ZERO,
        Severity::Warn | Severity::Info => asked.unwrap_or(limits::GROUP_WAIT),
    }
}

/// Until when what is no page is kept from a receiver, and why; `None`: it may be told now.
pub(super) fn held(receiver: &Receiver, now: Time) -> Option<(Time, &'static str)> {
    let minute = |t| local_minute(receiver.zone.as_ref(), t);
    if let Some(quiet) = receiver.quiet.filter(|q| q.has(minute(now))) {
        return Some((next(receiver.zone.as_ref(), now, |m| !quiet.has(m)), "quiet hours"));
    }
    let digest = receiver.digest.filter(|_| !receiver.manner.replaces())?;
    Some((next(receiver.zone.as_ref(), now, |m| m == digest), "its digest"))
}

/// The next whole minute after now at which the receiver's clocks show such a minute of the day; a day later if none
/// does, as where clocks are put forward over it.
pub(super) fn next(zone: Option<&Zone>, now: Time, is: impl Fn(u16) -> bool) -> Time {
    let minute = Span::seconds(60);
    let first = now.0.div_euclid(minute.0) + 1;
    // a day on which clocks are put back has more minutes
    (0..1560)
        .map(|i| Time((first + i) * minute.0))
        .find(|t| is(local_minute(zone, *t)))
        .unwrap_or(now + Span::seconds(86_400))
}

fn local_minute(zone: Option<&Zone>, t: Time) -> u16 {
    let utc = || u16::try_from(t.0.div_euclid(60_000_000).rem_euclid(1440)).unwrap_or(0);
    zone.map_or_else(utc, |z| z.minute(t).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn quiet_hours_go_over_midnight_and_over_the_change_of_clocks() {
        let night = Quiet { from: 22 * 60, to: 7 * 60 };
        assert!(night.has(0) && night.has(22 * 60) && !night.has(7 * 60) && !night.has(12 * 60));
        let zone = Zone::parse("Europe/Berlin");
        let receiver = Receiver { quiet: Some(night), zone, ..Receiver::default() };
        let end = |now: &str| held(&receiver, at(now)).map(|(t, _)| t.to_string());
        assert_eq!(end("2026-07-04T21:30:00Z").as_deref(), Some("2026-07-05T05:00:00.000Z"));
        // clocks are put back at 01:00 UTC on 25 October
        assert_eq!(end("2026-10-24T21:30:00Z").as_deref(), Some("2026-10-25T06:00:00.000Z"));
        assert_eq!(end("2026-07-04T12:00:00Z"), None);
    }

    #[test]
    fn a_digest_comes_at_its_minute() {
        let receiver = Receiver { digest: Some(8 * 60), ..Receiver::default() };
        let due = |now: &str| held(&receiver, at(now)).map(|(t, _)| t.to_string());
        assert_eq!(due("2026-07-04T07:59:59Z").as_deref(), Some("2026-07-04T08:00:00.000Z"));
        assert_eq!(due("2026-07-04T08:00:00Z").as_deref(), Some("2026-07-05T08:00:00.000Z"));
    }

    #[test]
    fn pages_do_not_wait() {
        assert_eq!(wait(Severity::Page, Some(Span::seconds(9))), Span::ZERO);
        assert_eq!(wait(Severity::Warn, Some(Span::seconds(9))), Span::seconds(9));
        assert_eq!(wait(Severity::Warn, None), limits::GROUP_WAIT);
    }
}
