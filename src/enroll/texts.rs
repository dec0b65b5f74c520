//! Near-identical texts are one: each text is known by the first one like it.
//!
//! Candidates are found by pairs among the four smallest hashes of a text, which few other texts
//! have, and then compared. Of two texts with 90 % of their pieces in common about one in 270
//! shares no pair and is missed; with 95 % one in 2,000.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::limits;
use crate::base::model::{PostId, Sketch};
use crate::base::recent::Recent;

/// From this similarity on two texts are one.
const ALIKE: f64 = 0.9;
/// Pairs by which candidates are found.
const WAYS: usize = 6;

/// Texts by what they are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Texts {
    /// The text that last showed a smallest hash.
    places: Recent<u64>,
    sketches: Recent<Sketch>,
}

impl Texts {
    pub(super) fn new() -> Texts {
        Texts { places: Recent::new(limits::TEXTS * WAYS), sketches: Recent::new(limits::TEXTS) }
    }

    /// The first text like this one, or this one itself.
    pub(super) fn assign(&mut self, sketch: &Sketch, post: PostId) -> u64 {
        let places = places(sketch);
        for place in &places {
            let Some(id) = self.places.get_mut(*place).copied() else { continue };
            if self.sketches.get_mut(id).is_some_and(|known| known.similarity(sketch) >= ALIKE) {
                return id;
            }
        }
        for place in places {
            self.places.insert(place, post.0);
        }
        self.sketches.insert(post.0, sketch.clone());
        post.0
    }

    /// Texts forgotten because of the limit.
    pub(super) fn dropped(&self) -> u64 {
        self.sketches.dropped()
    }
}

/// Pairs of the smallest hashes; of a text too short for pairs all of it.
fn places(sketch: &Sketch) -> SmallVec<[u64; WAYS]> {
    let Some([a, b, c, d]) = sketch.hashes().first_chunk() else {
        return smallvec::smallvec![sketch.hashes().iter().fold(1, |h, x| mix(h ^ u64::from(*x)))];
    };
    let pair = |x: &u32, y: &u32| mix(u64::from(*x) << 32 | u64::from(*y));
    smallvec::smallvec![pair(a, b), pair(a, c), pair(a, d), pair(b, c), pair(b, d), pair(c, d)]
}

fn mix(h: u64) -> u64 {
    let mut x = h.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_the_first_ones_name() {
        let mut t = Texts::new();
        let s =
            |from: u32, n: u32| Sketch::new((from..from + n).map(|i| i.wrapping_mul(2_654_435_761)).collect()).unwrap();
        assert_eq!(t.assign(&s(0, 40), PostId(1)), 1);
        assert_eq!(t.assign(&s(0, 40), PostId(2)), 1, "the same");
        assert_eq!(t.assign(&s(1, 40), PostId(3)), 1, "39 of 41");
        assert_eq!(t.assign(&s(4, 40), PostId(4)), 4, "36 of 44");
        assert_eq!(t.assign(&s(1000, 40), PostId(5)), 5);
        for k in 0..200_000 {
            t.assign(&s(5000 + k * 7, 5), PostId(100 + u64::from(k)));
        }
        assert!(t.dropped() > 0 && t.sketches.len() <= limits::TEXTS && t.places.len() <= limits::TEXTS * WAYS);
    }
}
