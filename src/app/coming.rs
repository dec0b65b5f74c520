//! Rules that are on their way: what they find in the posts kept is looked for beforehand, a few
//! posts at a time, so that the engine hardly stands still when they come into force.
//!
//! Only what a pure function says of a post is noted, with what it was asked: nothing depends on
//! whether, or how far, this was done.

use std::sync::Arc;

use crate::app::front::FrontLine;
use crate::base::hash::HashedMap;
use crate::base::model::{Audience, KeyId, PostBody, Told};
use crate::base::rule::RuleSet;
use crate::enrich::Matched;
use crate::fold::PostAt;

/// What was found of one post, and of what it was found.
struct Found {
    body: Arc<PostBody>,
    audience: Audience,
    /// `None`: it concerns nobody.
    matched: Option<Box<Matched>>,
}

/// Rules on their way.
pub struct Coming {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// A front for them.
    pub front: FrontLine,
    found: HashedMap<u64, Found>,
    /// Up to where the posts kept were gone through.
    pub at: Option<(usize, KeyId, PostAt)>,
}

impl Coming {
    /// Nothing is found yet.
    pub fn new(rules: Arc<RuleSet>, front: FrontLine) -> Coming {
        Coming { rules, front, found: HashedMap::default(), at: None }
    }

    /// Looks for whom a post concerns under the new rules, unless that is known.
    pub fn look(&mut self, told: &Told) {
        if self.found.get(&told.post.0).is_some_and(|f| f.is_of(told)) {
            return;
        }
        let matched = self.front.again(told);
        let matched = (matched != Matched::default()).then(|| Box::new(matched));
        let found = Found { body: told.body.clone(), audience: told.audience, matched };
        self.found.insert(told.post.0, found);
    }

    /// Whom a post concerns.
    pub fn matched(&mut self, told: &Told) -> Option<&Matched> {
        self.look(told);
        self.found.get(&told.post.0)?.matched.as_deref()
    }
}

impl Found {
    fn is_of(&self, told: &Told) -> bool {
        (Arc::ptr_eq(&self.body, &told.body) || self.body == told.body) && self.audience == told.audience
    }
}
