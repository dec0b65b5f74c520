//! The pulse of a thread: whoever watches it sees whether it still turns.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what a thread begins and ends; odd while it is at work.
#[derive(Debug, Default)]
pub struct Pulse(AtomicU64);

/// A pulse as it was at some moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Felt(u64);

impl Pulse {
    /// The thread begins with something. Only the thread itself calls this.
    pub fn turn(&self) {
        let n = self.0.load(Ordering::Relaxed);
        self.0.store(n + 1 + n % 2, Ordering::Relaxed);
    }

    /// The thread waits for something to do. Only the thread itself calls this.
    pub fn rest(&self) {
        let n = self.0.load(Ordering::Relaxed);
        self.0.store(n + n % 2, Ordering::Relaxed);
    }

    /// How it is now.
    pub fn felt(&self) -> Felt {
        Felt(self.0.load(Ordering::Relaxed))
    }
}

impl Felt {
    /// Whether the thread waited for something to do.
    pub fn rests(self) -> bool {
        self.0.is_multiple_of(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_is_felt_and_rest_is_told_from_work() {
        let pulse = Pulse::default();
        assert!(pulse.felt().rests(), "nothing was begun yet");
        let mut before = pulse.felt();
        for _ in 0..3 {
            pulse.turn();
            assert!(pulse.felt() != before && !pulse.felt().rests());
            before = pulse.felt();
        }
        pulse.rest();
        assert!(pulse.felt() != before && pulse.felt().rests());
        before = pulse.felt();
        pulse.rest();
        assert_eq!(pulse.felt(), before, "still the same rest");
    }
}
