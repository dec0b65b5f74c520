//! Waiting between tries: doubling with a ceiling, and jitter that is passed in.

use crate::base::time::Span;

/// How long to wait before try number `failures` (1 = after the first failure): `first` doubled
/// each time up to `most`, then spread over the upper half by `jitter` in 0..1.
pub fn wait(failures: u32, first: Span, most: Span, jitter: f64) -> Span {
    let doubled = first.0.saturating_mul(1i64 << failures.saturating_sub(1).min(32));
    let full = doubled.clamp(0, most.0);
    let half = full / 2;
    Span(half + ((full - half) as f64 * jitter.clamp(0.0, 1.0)) as i64)
}

/// Numbers that spread the waits of many instances; nothing depends on their quality.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Beginning with a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// The next number in 0..1.
    pub fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / (1u64 << 31) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_a_ceiling_within_its_jitter() {
        let (first, most) = (Span::seconds(1), Span::seconds(60));
        for failures in 1..80 {
            let (low, high) = (wait(failures, first, most, 0.0), wait(failures, first, most, 1.0));
            let full = (1i64 << (failures - 1).min(6)).min(60);
            assert_eq!((low, high), (Span::millis(full * 500), Span::seconds(full)));
        }
        assert_eq!(wait(0, first, most, 1.0), Span::seconds(1));
    }
}
