//! Rules that are on their way: what they find in the posts kept is looked for beforehand, a few
//! posts at a time, so that the engine hardly stands still when they come into force.
//!
//! Only what a pure function says of a post is noted: what is found does not depend on whether, or
//! how far ahead, it was looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::app::back::Placed;
use crate::app::front::FrontLine;
use crate::base::hash::HashedMap;
use crate::base::model::{Audience, KeyId, PostBody, PostId, StoryId, Told};
use crate::base::rule::RuleSet;
use crate::enrich::Matched;
use crate::fold::PostAt;

/// What was found of one post, and of what it was found.
struct Found {
    body: Arc<PostBody>,
    audience: Audience,
    /// Keys that keep it.
    keys: SmallVec<[KeyId; 2]>,
    /// Of the keys that are new or changed; `None`: it concerns none of them by itself.
    matched: Option<Box<Matched>>,
}

/// Rules on their way.
pub struct Coming {
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// A front for them.
    pub front: FrontLine,
    /// Keys that are new, or count other posts than before.
    pub unlike: BTreeSet<KeyId>,
    found: HashedMap<u64, Found>,
    /// Posts that concern one of those keys, or answer its own account.
    hits: BTreeSet<PostId>,
    /// Posts that share a story.
    shares: HashedMap<u64, Vec<PostId>>,
    /// Up to where the posts kept were gone through.
    pub at: Option<(usize, KeyId, PostAt)>,
}

impl Coming {
    /// Nothing is found yet; about so many posts are to be gone through.
    pub fn new(old: &RuleSet, rules: Arc<RuleSet>, front: FrontLine, posts: usize) -> Coming {
        let mark = |rules: &RuleSet, key| rules.brand(key).map(|b| (b.mark(), b.group));
        let unlike: BTreeSet<KeyId> = rules.keys().filter(|k| mark(old, *k) != mark(&rules, *k)).collect();
        let (mut found, mut shares) = (HashedMap::default(), HashedMap::default());
        if !unlike.is_empty() {
            // maps that grow stand still for a while
            found.reserve(posts);
            shares.reserve(posts / 2);
        }
        Coming { rules, front, unlike, found, hits: BTreeSet::new(), shares, at: None }
    }

    /// Looks for whom a post concerns, that a key keeps.
    pub fn look(&mut self, told: &Told) {
        if self.unlike.is_empty() || told.foreign.is_some() {
            return;
        }
        if told.to_own && self.unlike.contains(&told.key) {
            self.hits.insert(told.post);
        }
        if let Some(known) = self.found.get_mut(&told.post.0).filter(|f| f.is_of(told)) {
            if !known.keys.contains(&told.key) {
                known.keys.push(told.key);
            }
            return;
        }
        if told.passes_on() {
            self.shares.entry(told.story.id.0).or_default().push(told.post);
        }
        let mut matched = self.front.again(told);
        // what goes on as it was is not asked for
        for keys in [&mut matched.own, &mut matched.staff, &mut matched.to] {
            keys.retain(|k| self.unlike.contains(k));
        }
        matched.keys.retain(|k| self.unlike.contains(k));
        if !matched.keys.is_empty() {
            self.hits.insert(told.post);
        }
        let matched = (matched != Matched::default()).then(|| Box::new(matched));
        let (body, audience) = (told.body.clone(), told.audience);
        let mut keys = self.found.remove(&told.post.0).map(|f| f.keys).unwrap_or_default();
        if !keys.contains(&told.key) {
            keys.push(told.key);
        }
        self.found.insert(told.post.0, Found { body, audience, keys, matched });
    }

    /// The posts kept that concern keys which are new or whose queries changed: those that match
    /// now, answers to their own accounts, and shares of stories whose root matches. `kept` gives a
    /// post as a key keeps it.
    pub fn placed<'k>(
        &self,
        kept: impl Fn(KeyId, PostId) -> Option<(PostAt, &'k Told, Audience)>,
    ) -> BTreeMap<KeyId, Placed> {
        let mut out: BTreeMap<KeyId, Placed> = self.unlike.iter().map(|k| (*k, Vec::new())).collect();
        let mut roots: BTreeMap<StoryId, BTreeMap<KeyId, PostAt>> = BTreeMap::new();
        for post in &self.hits {
            let Some((at, told, audience, answered)) = self.one(*post, &kept) else { continue };
            let matches = self.matched(*post).map(|m| m.keys.as_slice()).unwrap_or_default();
            if told.is_root() && !matches.is_empty() {
                roots.entry(told.story.id).or_default().extend(matches.iter().map(|k| (*k, at)));
            }
            self.place(&mut out, (at, told, audience), &answered, matches.iter().chain(&answered));
        }
        for (story, keys) in &roots {
            for post in self.shares.get(&story.0).into_iter().flatten() {
                let Some((at, told, audience, answered)) = self.one(*post, &kept) else { continue };
                if told.story.id != *story || !told.passes_on() {
                    continue;
                }
                let matches = self.matched(*post).map(|m| m.keys.as_slice()).unwrap_or_default();
                let later = keys.iter().filter(|(_, root)| at > **root).map(|(k, _)| k);
                let more = later.filter(|k| !matches.contains(k) && !answered.contains(k));
                self.place(&mut out, (at, told, audience), &answered, more);
            }
        }
        for posts in out.values_mut() {
            posts.sort_by_key(|(at, _)| *at);
            posts.dedup_by_key(|(at, _)| *at);
        }
        out
    }

    /// A post, as the earliest of the keys that keep it does, and the keys whose own accounts it
    /// answers.
    fn one<'k>(
        &self,
        post: PostId,
        kept: &impl Fn(KeyId, PostId) -> Option<(PostAt, &'k Told, Audience)>,
    ) -> Option<(PostAt, &'k Told, Audience, BTreeSet<KeyId>)> {
        let keys = &self.found.get(&post.0)?.keys;
        let all: SmallVec<[(PostAt, &Told, Audience); 2]> = keys.iter().filter_map(|k| kept(*k, post)).collect();
        let answered = all.iter().filter(|(_, t, _)| t.to_own).map(|(_, t, _)| t.key).collect();
        let (at, told, audience) = all.into_iter().min_by_key(|(at, t, _)| (*at, t.key))?;
        Some((at, told, audience, answered))
    }

    fn matched(&self, post: PostId) -> Option<&Matched> {
        self.found.get(&post.0)?.matched.as_deref()
    }

    fn place<'k>(
        &self,
        out: &mut BTreeMap<KeyId, Placed>,
        (at, told, audience): (PostAt, &Told, Audience),
        answered: &BTreeSet<KeyId>,
        keys: impl Iterator<Item = &'k KeyId>,
    ) {
        let nobody = Matched::default();
        let found = self.matched(told.post).unwrap_or(&nobody);
        for key in keys.filter(|k| !found.own.contains(k) && !found.staff.contains(k)) {
            if let Some(list) = out.get_mut(key) {
                let to_own = found.to.contains(key) || answered.contains(key);
                list.push((at, Told { key: *key, audience, in_brand: true, to_own, foreign: None, ..told.clone() }));
            }
        }
    }
}

impl Found {
    fn is_of(&self, told: &Told) -> bool {
        (Arc::ptr_eq(&self.body, &told.body) || self.body == told.body) && self.audience == told.audience
    }
}
