//! What is measured and what rules read, for those who watch: of no consequence for what is decided.

use super::{Engine, shard_of};
use crate::base::model::{KeyId, Reading, Vitals};
use crate::base::rule::Rule;
use crate::base::time::Time;

impl Engine {
    /// What every group of a rule in force reads at `now`, which is not before engine time. Decides nothing.
    pub fn readings(&mut self, rule: &Rule, now: Time) -> Vec<Reading> {
        self.shards.iter_mut().flat_map(|s| s.readings(rule, now)).collect()
    }

    /// What is measured of a key now, for those who watch, and about how many groups that took: of no consequence
    /// for what is decided.
    pub fn vitals(&mut self, key: KeyId) -> Option<(Vitals, usize)> {
        let (now, shard) = (self.junction.now().unwrap_or_default(), shard_of(key, self.shards.len()));
        self.shards.get_mut(shard)?.vitals(key, now)
    }
}
