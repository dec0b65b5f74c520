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
