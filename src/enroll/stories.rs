//! The story index: which post belongs to which story, and whom it concerns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::hash;
use crate::base::limits;
use crate::base::model::{Causes, KeyId, Mention, Negativity, PostId, PostKind, StoryId, StoryRef, Told};
use crate::base::recent::Recent;

/// A brand a post concerns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(super) struct Concern {
    pub(super) key: KeyId,
    /// Whether it counts in the brand's own measures.
    pub(super) in_brand: bool,
    /// Whether the brand itself wrote it.
    pub(super) own: bool,
}

/// Brands a post concerns.
pub(super) type Keys = SmallVec<[Concern; 2]>;

/// What is known of a post (or link) that can be referred to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) story: StoryId,
    /// Brands that shares of it concern. Empty for a post nobody has seen, which only gives the
    /// story a place where its answers meet.
    pub(super) keys: Keys,
    /// Its own negativity, as the story has heard it.
    pub(super) n: Option<Negativity>,
    /// What it complains about.
    pub(super) causes: Causes,
    /// How often keys had been forgotten when this was noted.
    noted: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Story {
    name: Arc<str>,
    n_sum: u64,
    n_count: u64,
}

/// Posts, links and stories.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stories {
    posts: Recent<Known>,
    stories: Recent<Story>,
    /// Keys that were forgotten, and the how manieth time that was: what was noted of them before
    /// says nothing. Going through all posts would take too long.
    forgotten: BTreeMap<KeyId, u64>,
    turn: u64,
}

impl Known {
    /// Leaves out the keys that were forgotten since this was noted.
    fn purge(&mut self, forgotten: &BTreeMap<KeyId, u64>) {
        if !forgotten.is_empty() {
            let noted = self.noted;
            self.keys.retain(|c| forgotten.get(&c.key).is_none_or(|turn| *turn <= noted));
        }
    }

    /// Whether it concerns a brand.
    fn concerns(&self, forgotten: &BTreeMap<KeyId, u64>) -> bool {
        let live = |c: &Concern| forgotten.get(&c.key).is_none_or(|turn| *turn <= self.noted);
        if forgotten.is_empty() { !self.keys.is_empty() } else { self.keys.iter().any(live) }
    }
}

impl Stories {
    pub(super) fn new() -> Stories {
        let (posts, stories) = (Recent::new(limits::STORY_POSTS), Recent::new(limits::STORIES));
        Stories { posts, stories, forgotten: BTreeMap::new(), turn: 0 }
    }

    /// What is known of the first of these that concerns a brand, else of the first that is known.
    /// Asking is no use of it: what is looked up in vain leaves no trace.
    pub(super) fn find(&self, targets: impl Iterator<Item = PostId> + Clone) -> Option<(PostId, Known)> {
        let known = |any: bool| {
            targets.clone().find_map(|t| {
                let known = self.posts.peek(t.0).filter(|k| any || k.concerns(&self.forgotten))?;
                let mut known = known.clone();
                known.purge(&self.forgotten);
                Some((t, known))
            })
        };
        known(false).or_else(|| known(true))
    }

    /// A post was referred to: it is remembered for longer.
    pub(super) fn used(&mut self, post: PostId) {
        self.posts.get_mut(post.0);
    }

    /// Whether one of these concerns a brand.
    pub(super) fn concerns(&self, targets: &[PostId]) -> bool {
        targets.iter().any(|t| self.posts.peek(t.0).is_some_and(|k| k.concerns(&self.forgotten)))
    }

    /// The story of a post: that of what it refers to, or a new one with its name; and whether
    /// it is new.
    pub(super) fn join(&mut self, m: &Mention, target: Option<&Known>) -> (StoryRef, bool) {
        if let Some(known) = target
            && let Some(story) = self.stories.get_mut(known.story.0)
        {
            return (StoryRef { id: known.story, name: story.name.clone() }, false);
        }
        let name: Arc<str> = format!("{}:{}", m.body.source, m.body.id).into();
        let id = StoryId(hash::parts(&[b"story", name.as_bytes()]));
        self.stories.insert(id.0, Story { name: name.clone(), n_sum: 0, n_count: 0 });
        (StoryRef { id, name }, true)
    }

    /// Notes a post of a story, so that others can refer to it. Links are noted of posts that
    /// name a brand themselves, for these brands only.
    pub(super) fn note(&mut self, m: &Mention, story: &StoryRef, keys: Keys) {
        let noted = self.turn;
        let place = Known { story: story.id, keys: Keys::new(), n: None, causes: Causes::default(), noted };
        for unseen in m.parent.iter().chain(&m.root).chain(&m.quoted) {
            if self.posts.peek(unseen.0).is_none() {
                self.posts.insert(unseen.0, place.clone());
            }
        }
        if !m.keys.is_empty() {
            let own: Keys = m.keys.iter().map(|k| Concern { key: *k, in_brand: true, own: false }).collect();
            for link in &m.links {
                if self.posts.peek(link.0).is_none() {
                    self.posts.insert(link.0, Known { keys: own.clone(), ..place.clone() });
                }
            }
        }
        if m.kind != PostKind::Repost || m.has_text {
            let n = if m.has_text { m.n } else { None };
            self.posts.insert(m.post.0, Known { keys, n, causes: m.causes, ..place });
        }
    }

    /// No post concerns these keys any more.
    pub(super) fn forget(&mut self, keys: &BTreeSet<KeyId>) {
        self.turn += 1;
        self.forgotten.extend(keys.iter().map(|k| (*k, self.turn)));
        if self.forgotten.len() > limits::FORGOTTEN_KEYS {
            self.posts.values_mut().for_each(|known| known.purge(&self.forgotten));
            self.forgotten.clear();
        }
    }

    /// A post concerns a key, as was found when rules changed.
    pub(super) fn adopt(&mut self, t: &Told, key: KeyId) {
        if let Some(known) = self.posts.get_mut(t.post.0) {
            known.purge(&self.forgotten);
            known.noted = self.turn;
            known.keys.push(Concern { key, in_brand: t.in_brand, own: false });
            known.keys.sort_unstable();
        }
    }

    /// A post has another text now: what it says and whom it concerns is replaced.
    pub(super) fn renew(&mut self, post: PostId, keys: Keys, n: Option<Negativity>, causes: Causes) {
        let Some(known) = self.posts.get_mut(post.0) else { return };
        let (story, before) = (known.story, std::mem::replace(&mut known.n, n));
        (known.keys, known.noted) = (keys, self.turn);
        known.causes = causes;
        if let (Some(s), Some(n)) = (self.stories.get_mut(story.0), before) {
            s.n_sum = s.n_sum.saturating_sub(u64::from(n.milli()));
            s.n_count = s.n_count.saturating_sub(1);
        }
        self.hear(story, n);
    }

    /// Adds what a post with text of its own says to the story's mean.
    pub(super) fn hear(&mut self, story: StoryId, n: Option<Negativity>) {
        if let (Some(s), Some(n)) = (self.stories.get_mut(story.0), n) {
            s.n_sum += u64::from(n.milli());
            s.n_count += 1;
        }
    }

    /// The story's mean negativity so far, over its texts of known tone.
    pub(super) fn mean(&self, story: StoryId) -> Option<Negativity> {
        let s = self.stories.peek(story.0).filter(|s| s.n_count > 0)?;
        Some(Negativity::from_milli(((s.n_sum + s.n_count / 2) / s.n_count) as u16))
    }

    /// Posts and stories forgotten because of the limits.
    pub(super) fn dropped(&self) -> (u64, u64) {
        (self.posts.dropped(), self.stories.dropped())
    }
}
