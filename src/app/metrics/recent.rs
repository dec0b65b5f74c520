//! Latencies of the last minute.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

/// Slots of the last minute.
const SLOTS: usize = 6;
/// Length of a slot.
const SLOT: Duration = Duration::from_secs(10);
/// Longest latency recorded, in microseconds.
const LONGEST_US: u64 = 60_000_000;
/// Digits that are right.
const DIGITS: u8 = 2;

/// Latencies of the last minute, in slots that are reused in turn.
pub(super) struct Recent {
    slots: Vec<Histogram<u64>>,
    at: usize,
    since: Instant,
}

impl Recent {
    pub(super) fn new() -> Recent {
        let slot = || Histogram::new_with_bounds(1, LONGEST_US, DIGITS).or_else(|_| Histogram::new(DIGITS));
        let slots = (0..SLOTS).filter_map(|_| slot().ok()).collect();
        Recent { slots, at: 0, since: Instant::now() }
    }

    fn turn(&mut self, now: Instant) {
        let mut turns = 0;
        while now.duration_since(self.since) >= SLOT {
            self.since += SLOT;
            self.at = (self.at + 1) % SLOTS;
            if let Some(slot) = self.slots.get_mut(self.at).filter(|_| turns < SLOTS) {
                slot.reset();
            }
            turns += 1;
        }
    }

    pub(super) fn record(&mut self, took: Duration, now: Instant) {
        self.turn(now);
        if let Some(slot) = self.slots.get_mut(self.at) {
            slot.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST_US).max(1));
        }
    }

    /// In seconds; 0 where nothing was recorded.
    pub(super) fn quantiles<const N: usize>(&mut self, quantiles: [f64; N], now: Instant) -> [f64; N] {
        self.turn(now);
        let Some((first, others)) = self.slots.split_first() else { return [0.0; N] };
        let mut sum = first.clone();
        for slot in others.iter().filter(|s| !s.is_empty()) {
            // all slots have the same bounds
            let _ = sum.add(slot);
        }
        quantiles.map(|q| sum.value_at_quantile(q) as f64 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_forgotten_after_a_minute() {
        let mut r = Recent::new();
        let start = r.since;
        r.record(Duration::from_millis(5), start);
        r.record(Duration::from_millis(50), start + Duration::from_secs(30));
        let mut at = |q, seconds| r.quantiles([q], start + Duration::from_secs(seconds))[0];
        assert!((at(1.0, 31) - 0.05).abs() < 0.001);
        assert!((at(0.5, 31) - 0.005).abs() < 0.0001);
        assert!((at(0.01, 65) - 0.05).abs() < 0.001, "the first is over");
        assert_eq!(at(1.0, 3600), 0.0);
    }
}
