//! Near-identical texts are one: each text is known by the first one like it.
//!
//! Candidates are found by six independent smallest hashes (two texts with 90 % of their pieces
//! in common share at least one of them but once in a million), and then compared.

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::base::model::{PostId, Sketch};
use crate::base::recent::Recent;

/// From this similarity on two texts are one.
const ALIKE: f64 = 0.9;
/// Independent hashes by which candidates are found.
const WAYS: u64 = 6;

/// Texts by what they are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Texts {
    /// The text that last showed a smallest hash.
    places: Recent<u64>,
    sketches: Recent<Sketch>,
}

impl Texts {
    pub(super) fn new() -> Texts {
        Texts { places: Recent::new(limits::TEXTS * WAYS as usize), sketches: Recent::new(limits::TEXTS) }
    }

    /// The first text like this one, or this one itself.
    pub(super) fn assign(&mut self, sketch: &Sketch, post: PostId) -> u64 {
        let places = places(sketch);
        for place in places {
            let Some(id) = self.places.get_mut(place).copied() else { continue };
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

/// The smallest hash of each way, with the way in it.
fn places(sketch: &Sketch) -> [u64; WAYS as usize] {
    let mut way = 0;
    [(); WAYS as usize].map(|()| {
        way += 1;
        let mixed = sketch.hashes().iter().map(|h| mix(u64::from(*h), way));
        mixed.min().unwrap_or(0)
    })
}

fn mix(h: u64, way: u64) -> u64 {
    let mut x = (h ^ (way << 32)).wrapping_add(way.wrapping_mul(0x9e37_79b9_7f4a_7c15));
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
        assert!(
            t.dropped() > 0 && t.sketches.len() <= limits::TEXTS && t.places.len() <= limits::TEXTS * WAYS as usize
        );
    }
}
