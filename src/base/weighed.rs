//! A bounded map that forgets the least recently used and of these the smallest first, by value
//! and sequence of use alone.
//!
//! Two generations as in [`super::recent`]; but of the older one, when its turn to leave has come,
//! the heaviest stay for another. Each of them is believed to weigh half as much after it was spared
//! several times, so that what once was large does not stay for ever. No hash order is observed.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::base::hash::HashedMap;
use crate::base::recent::Recent;

/// What makes a value worth keeping.
pub trait Weight {
    /// How many stand behind it; what weighs less than [`LEAST`] is forgotten like anything else.
    fn weight(&self) -> u32;
}

/// The least weight for which something is spared.
pub const LEAST: u32 = 2;
/// How often something is spared before it weighs half.
const FADES: u32 = 4;
/// Of the entries, one in so many may be spared at a time.
const SPARED: usize = 8;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot<V> {
    value: V,
    /// The how manieth use its last one was.
    used: u64,
    /// How often it was spared since.
    spared: u32,
}

impl<V: Weight> Slot<V> {
    fn rank(&self) -> (u32, u64) {
        (self.value.weight().checked_shr(self.spared / FADES).unwrap_or(0), self.used)
    }
}

/// A map from 64-bit hashes that holds at least the `limit * 3 / 8` most recently used entries, at
/// least as long the heaviest `limit / 8` of those used before, and never more than `limit`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "V: Serialize", deserialize = "V: DeserializeOwned"))]
pub struct Weighed<V> {
    limit: usize,
    young: HashedMap<u64, Slot<V>>,
    old: HashedMap<u64, Slot<V>>,
    uses: u64,
    dropped: u64,
}

impl<V: Weight> Weighed<V> {
    /// An empty map that never holds more than `limit` entries.
    pub fn new(limit: usize) -> Weighed<V> {
        Weighed { limit, young: HashedMap::default(), old: HashedMap::default(), uses: 0, dropped: 0 }
    }

    /// What a map held that forgot by use alone.
    pub fn of<A>(recent: Recent<A>, mut value: impl FnMut(A) -> V) -> Weighed<V> {
        let (limit, dropped) = (recent.limit(), recent.dropped());
        let generations = recent.into_generations();
        let [young, old] = generations.map(|all| {
            let slots = all.into_iter().map(|(key, v)| (key, Slot { value: value(v), used: 0, spared: 0 }));
            slots.collect::<HashedMap<u64, Slot<V>>>()
        });
        Weighed { limit, young, old, uses: 0, dropped }
    }

    /// The value of a key; asking counts as use.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        if !self.young.contains_key(&key) {
            let slot = self.old.remove(&key)?;
            self.insert(key, slot.value);
        } else {
            self.uses += 1;
        }
        let slot = self.young.get_mut(&key)?;
        (slot.used, slot.spared) = (self.uses, 0);
        Some(&mut slot.value)
    }

    /// The value of a key, without counting as use.
    pub fn peek(&self, key: u64) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key)).map(|slot| &slot.value)
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: u64, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.limit / 2 && !self.young.contains_key(&key) {
            self.turn();
        }
        self.uses += 1;
        self.young.insert(key, Slot { value, used: self.uses, spared: 0 });
    }

    /// The old generation leaves, but for the heaviest and of these the last used.
    fn turn(&mut self) {
        let mut leaving = std::mem::take(&mut self.old);
        let before = leaving.len();
        let room = self.limit / SPARED;
        leaving.retain(|_, slot| slot.rank().0 >= LEAST);
        if leaving.len() > room {
            let mut ranks: Vec<(u32, u64)> = leaving.values().map(Slot::rank).collect();
            let (_, first_to_leave, _) = ranks.select_nth_unstable_by(room, |a, b| b.cmp(a));
            let first_to_leave = *first_to_leave;
            leaving.retain(|_, slot| slot.rank() > first_to_leave);
        }
        leaving.shrink_to_fit();
        leaving.values_mut().for_each(|slot| slot.spared += 1);
        self.dropped += (before - leaving.len()) as u64;
        self.old = std::mem::replace(&mut self.young, leaving);
    }

    /// All values, in no order; what is done to them must not depend on it.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.young.values_mut().chain(self.old.values_mut()).map(|slot| &mut slot.value)
    }

    /// Entries held now.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries forgotten so far because the limit was hit.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Weight for u32 {
        fn weight(&self) -> u32 {
            *self
        }
    }

    /// After entries of these weights and then so many of weight 1.
    fn flooded(weights: &[u32], light: u64) -> Weighed<u32> {
        let mut w = Weighed::new(64);
        for (key, weight) in weights.iter().enumerate() {
            w.insert(key as u64, *weight);
        }
        for key in 0..light {
            w.insert(1_000_000 + key, 1);
            assert!(w.len() <= 64, "{} entries", w.len());
        }
        w
    }

    #[test]
    fn what_is_used_stays_and_the_limit_holds() {
        let mut w = Weighed::new(64);
        for key in 0..2000u64 {
            w.insert(key, 1);
            assert_eq!(w.get_mut(0), Some(&mut 1), "used at every step");
            assert!(w.len() <= 64);
        }
        assert!((1977..2000).all(|key| w.peek(key).is_some()), "the last three eighths");
        assert_eq!((w.peek(1900), w.dropped() > 1900), (None, true));
        assert_eq!(w.dropped() + w.len() as u64, 2000, "what is not held was counted");
    }

    #[test]
    fn of_the_least_recent_the_lightest_leave_first() {
        let w = flooded(&[1, 9, 2, 1, 30], 90);
        assert_eq!([0, 1, 2, 3, 4].map(|key| w.peek(key).is_some()), [false, true, true, false, true]);
    }

    #[test]
    fn the_heaviest_eighth_is_spared_and_of_equals_the_last_used() {
        let weights: Vec<u32> = (0..20).map(|key| if key % 2 == 0 { 5 } else { 9 }).collect();
        let w = flooded(&weights, 90);
        let left: Vec<u64> = (0..20).filter(|key| w.peek(*key).is_some()).collect();
        assert_eq!(left, [5, 7, 9, 11, 13, 15, 17, 19]);
    }

    #[test]
    fn what_once_was_heavy_fades_unless_it_is_used() {
        assert!(flooded(&[32], 600).peek(0).is_some());
        assert!(flooded(&[32], 6000).peek(0).is_none());
        assert!(flooded(&[3], 600).peek(0).is_none(), "what is light fades earlier");
        let mut w = flooded(&[3], 100);
        for key in 0..6000 {
            if key % 100 == 0 {
                assert!(w.get_mut(0).is_some(), "used now and then");
            }
            w.insert(2_000_000 + key, 1);
        }
    }

    #[test]
    fn goes_on_from_a_map_that_knew_no_weights() {
        let mut recent = Recent::new(64);
        (0..100u32).for_each(|key| recent.insert(u64::from(key), key));
        let (len, dropped) = (recent.len(), recent.dropped());
        let mut w = Weighed::of(recent, |v| v + 1);
        assert_eq!((w.len(), w.dropped(), w.get_mut(99)), (len, dropped, Some(&mut 100)));
        (0..1000).for_each(|key| w.insert(1000 + key, 1));
        assert!(w.len() <= 64);
    }
}
