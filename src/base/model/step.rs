//! What a step of the engine adds to the log.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::model::{AccountId, Entry, Mention, Seq};
use crate::base::time::Time;

/// Something that changed what the junction knows. Entries alone do not tell it: they hold no
/// references between posts. Frames that change nothing leave none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Change {
    /// A post was enrolled, or another version of one.
    Post {
        /// Engine time before it.
        now: Time,
        /// Its time as it was taken.
        at: Time,
        /// The source it was received from.
        via: Arc<str>,
        /// The post.
        mention: Box<Mention>,
    },
    /// An account is gone.
    Left(AccountId),
    /// Followers of an account that were imputed before, or looked up earlier.
    Followers {
        /// Its source.
        source: Arc<str>,
        /// The account.
        account: AccountId,
        /// Its followers.
        followers: u64,
    },
}

/// Where the engine clock stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClockState {
    /// Engine time, if any was seen.
    pub now: Option<Time>,
    /// The last Tick of the injected Clock.
    pub tick: Option<Time>,
}

/// What one step of the engine adds to the log; in their order, steps are the log. Everything the
/// engine knows is a function of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Step {
    /// What changed what the junction knows, in order.
    pub changes: Vec<Change>,
    /// What the backs were told, in order.
    pub entries: Vec<Entry>,
    /// The clock after it.
    pub clock: ClockState,
}

impl Step {
    /// Whether nothing is to be logged; the clock alone is not worth it.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.entries.is_empty()
    }

    /// The numbers of its first and last entries.
    pub fn range(&self) -> Option<(Seq, Seq)> {
        Some((self.entries.first()?.seq, self.entries.last()?.seq))
    }
}
