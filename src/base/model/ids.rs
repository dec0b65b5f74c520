//! Identities that cross borders.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The number an entry got when it left the junction; from 1, without gaps.
pub type Seq = u64;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
        pub struct $name(pub $inner);
    };
}

id!(/// A post (or link) by the stable hash of source and id.
    PostId(u64));
id!(/// An account by the stable hash of source and author.
    AccountId(u64));
id!(/// A story by the stable hash of its name.
    StoryId(u64));
id!(/// A brand or group by the stable hash of its slug, so that it outlives changes of rule files.
    KeyId(u64));
id!(/// An episode: hash of rule, group and the sequence number of its entry into pending.
    EpisodeId(u64));

impl fmt::Display for EpisodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A story with its name, `source:id` of its first post seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct StoryRef {
    /// Hash of the name.
    pub id: StoryId,
    /// `source:id`.
    pub name: Arc<str>,
}
