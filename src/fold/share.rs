//! How hostile talk usually is: the share of negative posts over about a week.

use serde::{Deserialize, Serialize};

use crate::base::model::Tone;
use crate::base::time::{Span, Time};

/// Length of a bin.
const BIN: Span = Span::seconds(300);
/// Memory, in bins: a week. What is older fades.
const MEMORY: f64 = 7.0 * 288.0;
/// How long talk must be heard before anything is called usual.
pub(super) const YOUNG: Span = Span::seconds(12 * 3600);
/// Posts of known tone that are needed, as far as they are remembered.
const ENOUGH: f64 = 50.0;

/// Posts of known tone, and the negative ones among them; bins that are over fade by `exp(-age / week)`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Share {
    /// The first post told of.
    since: Option<Time>,
    bin: i64,
    now: (u32, u32),
    past: (f64, f64),
}

impl Share {
    /// A post; one told late counts in the open bin.
    pub(super) fn add(&mut self, time: Time, tone: Tone) {
        if tone == Tone::Unknown {
            return;
        }
        self.advance(time);
        // what is told late does not make it older
        let heard = time.max(Time(self.bin.saturating_mul(BIN.0)));
        self.since = self.since.or(Some(heard));
        self.now.0 = self.now.0.saturating_add(u32::from(tone == Tone::Negative));
        self.now.1 = self.now.1.saturating_add(1);
    }

    /// Takes back a post, as far as it is remembered.
    pub(super) fn remove(&mut self, time: Time, tone: Tone) {
        let (bin, negative) = (time.0.div_euclid(BIN.0), tone == Tone::Negative);
        if tone == Tone::Unknown {
            return;
        }
        if bin >= self.bin {
            self.now.0 = self.now.0.saturating_sub(u32::from(negative));
            self.now.1 = self.now.1.saturating_sub(1);
            return;
        }
        let left = (-(self.bin.saturating_sub(bin)) as f64 / MEMORY).exp();
        self.past.0 = (self.past.0 - left * f64::from(u8::from(negative))).max(0.0);
        self.past.1 = (self.past.1 - left).max(0.0);
    }

    /// Closes the bins that are over.
    pub(super) fn advance(&mut self, now: Time) {
        let bin = now.0.div_euclid(BIN.0);
        if bin <= self.bin {
            return;
        }
        if self.bin != 0 {
            let fade = (-(bin.saturating_sub(self.bin)) as f64 / MEMORY).exp();
            self.past.0 = (self.past.0 + f64::from(self.now.0)) * fade;
            self.past.1 = (self.past.1 + f64::from(self.now.1)) * fade;
            self.now = (0, 0);
        }
        self.bin = bin;
    }

    /// The usual share, 0..1, as of the last advance; unknown while too little is known.
    pub(super) fn value(&self) -> Option<f64> {
        let heard = Span(self.bin.saturating_mul(BIN.0).saturating_sub(self.since?.0));
        let known = heard >= YOUNG && self.past.1 >= ENOUGH;
        known.then(|| (self.past.0 / self.past.1).clamp(0.0, 1.0))
    }

    /// The first post told of.
    pub(super) fn since(&self) -> Option<Time> {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: f64) -> Time {
        Time(1_700_000_000_000_000 + (hour * 3600e6) as i64)
    }

    /// So many posts an hour from one hour to another, every n-th of them negative.
    fn told(s: &mut Share, from: usize, to: usize, an_hour: usize, every: usize) {
        for i in from * an_hour..to * an_hour {
            let tone = if i % every == 0 { Tone::Negative } else { Tone::Neutral };
            s.add(at(i as f64 / an_hour as f64), tone);
        }
    }

    #[test]
    fn the_share_of_a_week_is_told_once_there_is_enough() {
        let mut s = Share::default();
        assert_eq!(s.value(), None);
        told(&mut s, 0, 6, 20, 5);
        assert_eq!(s.value(), None, "too young");
        told(&mut s, 6, 48, 20, 5);
        s.add(at(48.0), Tone::Unknown);
        assert!((s.value().unwrap() - 0.2).abs() < 0.005);
        // a storm of three hours is little of a week
        told(&mut s, 48, 168, 20, 5);
        let before = s.value().unwrap();
        told(&mut s, 168, 171, 60, 1);
        assert!(s.value().unwrap() - before < 0.08 && s.value().unwrap() > before);
        // and after weeks it is the usual
        told(&mut s, 171, 1200, 20, 2);
        assert!((s.value().unwrap() - 0.5).abs() < 0.02);
        s.advance(at(1_000_000.0));
        assert_eq!(s.value(), None, "all of it has faded");
    }

    #[test]
    fn what_is_taken_back_was_never_there() {
        let mut s = Share::default();
        told(&mut s, 0, 24, 60, 60);
        s.add(at(24.01), Tone::Neutral);
        let before = s.clone();
        s.add(at(24.01), Tone::Negative);
        s.remove(at(24.01), Tone::Negative);
        assert_eq!(s, before);
        s.add(at(24.02), Tone::Negative);
        s.advance(at(48.0));
        s.remove(at(24.02), Tone::Negative);
        let mut without = before;
        without.advance(at(48.0));
        assert!((s.value().unwrap() - without.value().unwrap()).abs() < 1e-9);
    }

    #[test]
    fn what_is_told_late_makes_nothing_older() {
        let mut s = Share::default();
        s.advance(at(100.0));
        (0..200).for_each(|_| s.add(at(10.0), Tone::Negative));
        s.advance(at(101.0));
        assert_eq!(s.value(), None);
    }
}
