//! A bounded map that forgets the least recently used half, decided by use alone.
//!
//! Two generations: what is used moves to the young one; when that is full it becomes the old
//! one and the former old one is dropped. No hash order is observed, so the same uses always
//! leave the same content, on every machine and thread count.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::base::hash::HashedMap;

/// A map from 64-bit hashes that holds at least the `limit / 2` most recently used entries and
/// never more than `limit`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "V: Serialize", deserialize = "V: DeserializeOwned"))]
pub struct Recent<V> {
    limit: usize,
    young: HashedMap<u64, V>,
    old: HashedMap<u64, V>,
    dropped: u64,
}

impl<V> Recent<V> {
    /// An empty map that never holds more than `limit` entries.
    pub fn new(limit: usize) -> Recent<V> {
        Recent { limit, young: HashedMap::default(), old: HashedMap::default(), dropped: 0 }
    }

    /// The value of a key; asking counts as use.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        if !self.young.contains_key(&key) {
            let v = self.old.remove(&key)?;
            self.insert(key, v);
        }
        self.young.get_mut(&key)
    }

    /// The value of a key, without counting as use.
    pub fn peek(&self, key: u64) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: u64, value: V) {
        if self.young.len() >= self.limit / 2 && !self.young.contains_key(&key) {
            let full = std::mem::take(&mut self.young);
            self.dropped += self.old.len() as u64;
            self.old = full;
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// All values, in no order; what is done to them must not depend on it.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.young.values_mut().chain(self.old.values_mut())
    }

    /// The most entries it holds.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The same with other values.
    pub fn map<B>(self, mut value: impl FnMut(V) -> B) -> Recent<B> {
        let mut of = |all: HashedMap<u64, V>| all.into_iter().map(|(key, v)| (key, value(v))).collect();
        Recent { limit: self.limit, young: of(self.young), old: of(self.old), dropped: self.dropped }
    }

    /// What it holds: what was used lately, and what was used before.
    pub fn into_generations(self) -> [HashedMap<u64, V>; 2] {
        [self.young, self.old]
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

    #[test]
    fn keeps_what_is_used_and_never_exceeds_its_limit() {
        let mut r = Recent::new(8);
        for k in 0..100u64 {
            r.insert(k, k);
            assert_eq!(r.get_mut(0).copied(), Some(0), "used at every step, so never forgotten");
            assert!(r.len() <= 8, "{} entries", r.len());
        }
        assert_eq!(r.peek(99), Some(&99));
        assert_eq!(r.peek(50), None);
        assert!(r.dropped() > 80);
    }
}
