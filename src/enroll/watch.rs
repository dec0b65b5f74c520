//! Which keys are watched, and who reads whose posts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::audience::Concerned;
use crate::base::hash::HashedSet;
use crate::base::model::KeyId;
use crate::base::rule::RuleSet;

/// What the junction needs of the rules in force.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    live: HashedSet<u64>,
    readers: BTreeMap<KeyId, Arc<[KeyId]>>,
}

impl Watch {
    pub(super) fn new(rules: &RuleSet) -> Watch {
        let readers = rules.readers.iter().map(|(k, r)| (*k, r.as_slice().into())).collect();
        Watch { live: rules.keys().map(|k| k.0).collect(), readers }
    }

    pub(super) fn is_live(&self, key: KeyId) -> bool {
        self.live.contains(&key.0)
    }

    /// Keys whose rules read the posts of this one.
    pub(super) fn readers(&self, key: KeyId) -> Arc<[KeyId]> {
        self.readers.get(&key).cloned().unwrap_or_default()
    }

    /// These keys and all that read them; none of nobody, which means all.
    pub(super) fn with_readers(&self, keys: Concerned) -> Concerned {
        if keys.is_empty() || self.readers.is_empty() {
            return keys;
        }
        let mut out = keys.clone();
        for key in &keys {
            out.extend(self.readers(*key).iter().copied());
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}
