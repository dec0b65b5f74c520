//! What fold measures of one group at one moment.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::model::{Cause, KeyId, Seq, StoryRef};
use crate::base::time::Time;

/// A measured or computed value: `None` is unknown and stays unknown.
pub type Value = Option<f64>;

/// What a rule's condition is evaluated for: a brand, or a part of its talk.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Which `by` it belongs to, by its place among the rule set's plans.
    pub plan: u32,
    /// The brand.
    pub key: KeyId,
    /// The story, where `by` holds it.
    pub story: Option<StoryRef>,
    /// The source, where `by` holds it.
    pub source: Option<Arc<str>>,
    /// The language, where `by` holds it; empty for posts that name none.
    pub lang: Option<Arc<str>>,
    /// The cause, where `by` holds it.
    pub cause: Option<Cause>,
}

impl Group {
    /// Whether it is a part of a brand's talk; parts come and go, brands stay.
    pub fn is_part(&self) -> bool {
        self.story.is_some() || self.source.is_some() || self.lang.is_some() || self.cause.is_some()
    }

    /// The group of all of a key's talk.
    pub fn whole(plan: u32, key: KeyId) -> Group {
        Group { plan, key, story: None, source: None, lang: None, cause: None }
    }
}

/// The values of a plan's series for one group.
#[derive(Clone, PartialEq, Debug)]
pub struct Reading {
    /// The entry that caused it.
    pub seq: Seq,
    /// Engine time it holds for.
    pub at: Time,
    /// The group.
    pub group: Group,
    /// One value a series, in the plan's order.
    pub values: SmallVec<[Value; 8]>,
}
