//! What brands are told of a post.

use std::sync::Arc;

use super::super::stories::Concern;
use crate::base::model::{Audience, Causes, Mention, Negativity, Place, StoryRef, Told};
use crate::base::outcome::Outcome;
use crate::base::time::Time;

/// What is the same for all brands that are told of a post.
pub(super) struct Telling<'t> {
    pub(super) m: &'t Mention,
    pub(super) via: &'t Arc<str>,
    pub(super) story: &'t StoryRef,
    pub(super) audience: Audience,
    pub(super) text: Option<u64>,
    pub(super) place: Place,
    pub(super) causes: Causes,
}

impl Telling<'_> {
    pub(super) fn told(&self, c: &Concern, time: Time, n: Option<Negativity>) -> Told {
        Told {
            key: c.key,
            post: self.m.post,
            account: self.m.account,
            audience: self.audience,
            time,
            n,
            causes: self.causes,
            kind: self.m.kind,
            in_brand: c.in_brand,
            to_own: false,
            place: self.place,
            text: self.text,
            foreign: None,
            via: self.via.clone(),
            story: self.story.clone(),
            body: self.m.body.clone(),
        }
    }
}

/// What a post is counted as, by the most it is to any brand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Reply,
    Own,
    Share,
    Mention,
}

impl Rank {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Rank::Reply => Outcome::Reply,
            Rank::Own => Outcome::Own,
            Rank::Share => Outcome::Share,
            Rank::Mention => Outcome::Mention,
        }
    }
}
