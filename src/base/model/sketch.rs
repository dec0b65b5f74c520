//! What a text is made of, small enough to compare many.

use serde::{Deserialize, Serialize};

/// Hashes kept of one text.
pub const KEPT: usize = 64;

/// The smallest hashes of the pieces of a text (a bottom-k sample), ascending and without
/// repeats. Texts of fewer pieces are held whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sketch(Box<[u32]>);

impl Sketch {
    /// From the hashes of all pieces, in any order. `None` of nothing.
    pub fn new(mut hashes: Vec<u32>) -> Option<Sketch> {
        hashes.sort_unstable();
        hashes.dedup();
        hashes.truncate(KEPT);
        (!hashes.is_empty()).then(|| Sketch(hashes.into_boxed_slice()))
    }

    /// The hashes, ascending.
    pub fn hashes(&self) -> &[u32] {
        &self.0
    }

    /// Pieces in both divided by pieces in either (Jaccard), 0..1: exact for texts held whole,
    /// else estimated from the 64 smallest of both together.
    pub fn similarity(&self, other: &Sketch) -> f64 {
        if self == other {
            return 1.0;
        }
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let whole = self.0.len() < KEPT && other.0.len() < KEPT;
        let (mut both, mut either) = (0u32, 0u32);
        while whole || (either as usize) < KEPT {
            match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if x == y => {
                    both += 1;
                    a.next();
                    b.next();
                }
                (Some(x), Some(y)) => {
                    if x < y {
                        a.next();
                    } else {
                        b.next();
                    }
                }
                (Some(_), None) => {
                    a.next();
                }
                (None, Some(_)) => {
                    b.next();
                }
                (None, None) => break,
            }
            either += 1;
        }
        f64::from(both) / f64::from(either.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarity_is_exact_for_short_and_near_for_long_texts() {
        let s = |r: std::ops::Range<u32>| Sketch::new(r.map(|i| i.wrapping_mul(2_654_435_761)).collect()).unwrap();
        assert_eq!(s(0..10).similarity(&s(0..10)), 1.0);
        assert_eq!(s(0..10).similarity(&s(5..15)), 5.0 / 15.0);
        assert_eq!(s(0..10).similarity(&s(50..60)), 0.0);
        let (a, b) = (s(0..2000), s(200..2200));
        let truth = 1800.0 / 2200.0;
        assert!((a.similarity(&b) - truth).abs() < 0.15, "{} of {truth}", a.similarity(&b));
        assert_eq!(a.similarity(&b), b.similarity(&a));
        assert_eq!(Sketch::new(Vec::new()), None);
    }
}
