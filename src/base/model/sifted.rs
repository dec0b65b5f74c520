//! What the front makes of one frame.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::model::{AccountId, Frame, Mention, PostId, SourceInfo};
use crate::base::outcome::Outcome;
use crate::base::time::Time;

/// An unmatched frame that refers to other posts or links: only the junction knows whether
/// anybody tracks them. Found in the raw bytes, without a full parse.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ref {
    /// Event time.
    pub time: Time,
    /// Posts and links it names; a superset of its parent, root and links.
    pub targets: SmallVec<[PostId; 4]>,
}

/// What is to be removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Removal {
    /// One post.
    Post(PostId),
    /// All posts of an account.
    Account(AccountId),
}

/// The front's result for one frame.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Sifted {
    /// Not the format it should be, or a message that tells no time: moves no clock.
    Damaged(Outcome),
    /// Ended in the front: well formed, of no concern to any brand.
    Done(Time, Outcome),
    /// Refers to something; the junction looks it up.
    Ref(Ref),
    /// Something is to be removed.
    Removal(Time, Removal),
    /// Decoded and scored.
    Mention(Box<Mention>),
}

impl Sifted {
    /// The frame's event time, if it is well formed.
    pub fn time(&self) -> Option<Time> {
        match self {
            Sifted::Damaged(_) => None,
            Sifted::Done(t, _) | Sifted::Removal(t, _) => Some(*t),
            Sifted::Ref(r) => Some(r.time),
            Sifted::Mention(m) => Some(m.time),
        }
    }

    /// Sets the event time, for clamping.
    pub fn set_time(&mut self, time: Time) {
        match self {
            Sifted::Damaged(_) => {}
            Sifted::Done(t, _) | Sifted::Removal(t, _) => *t = time,
            Sifted::Ref(r) => r.time = time,
            Sifted::Mention(m) => m.time = time,
        }
    }
}

/// A batch after the front: one result a frame, in the same order.
#[derive(Clone, Debug)]
pub struct SiftedBatch {
    /// Where the frames came from.
    pub source: Arc<SourceInfo>,
    /// The frames; the junction has those decoded that refer to something tracked.
    pub frames: Vec<Frame>,
    /// The results.
    pub sifted: Vec<Sifted>,
    /// The rule set they were found under, by its fingerprint.
    pub sifted_under: u64,
}
