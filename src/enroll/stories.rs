//! The story index: which post belongs to which story, and whom it concerns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::hash;
use crate::base::limits;
use crate::base::model::{AccountId, Causes, KeyId, Mention, Negativity, PostId, PostKind, StoryId, StoryRef, Told};
use crate::base::recent::Recent;
use crate::base::weighed::{Weighed, Weight};

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

/// How many different accounts, about: 32 marks, one for each by its hash. All are set by about 100.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Accounts(u32);

impl Accounts {
    fn add(&mut self, account: AccountId) {
        self.0 |= 1 << (account.0 & 31);
    }
}

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
    /// Who referred to it.
    by: Accounts,
    /// How often keys had been forgotten when this was noted.
    noted: u64,
}

impl Weight for Known {
    fn weight(&self) -> u32 {
        self.by.0.count_ones()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Story {
    name: Arc<str>,
    n_sum: u64,
    n_count: u64,
    /// Who wrote in it.
    by: Accounts,
    /// Whether its root was seen: it has one.
    rooted: bool,
}

impl Weight for Story {
    fn weight(&self) -> u32 {
        self.by.0.count_ones()
    }
}

/// Posts, links and stories. What many accounts take part in is forgotten last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stories {
    posts: Weighed<Known>,
    stories: Weighed<Story>,
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

/// What stories were, in the version of snapshots before.
#[derive(Deserialize)]
pub(super) struct StoriesBefore {
    posts: Recent<KnownBefore>,
    stories: Recent<StoryBefore>,
    forgotten: BTreeMap<KeyId, u64>,
    turn: u64,
}

#[derive(Deserialize)]
struct KnownBefore {
    story: StoryId,
    keys: Keys,
    n: Option<Negativity>,
    causes: Causes,
    noted: u64,
}

#[derive(Deserialize)]
struct StoryBefore {
    name: Arc<str>,
    n_sum: u64,
    n_count: u64,
}

impl From<StoriesBefore> for Stories {
    fn from(before: StoriesBefore) -> Stories {
        let by = Accounts::default();
        let known =
            |k: KnownBefore| Known { story: k.story, keys: k.keys, n: k.n, causes: k.causes, by, noted: k.noted };
        let story = |s: StoryBefore| Story { name: s.name, n_sum: s.n_sum, n_count: s.n_count, by, rooted: true };
        Stories {
            posts: Weighed::of(before.posts, known),
            stories: Weighed::of(before.stories, story),
            forgotten: before.forgotten,
            turn: before.turn,
        }
    }
}

impl Stories {
    pub(super) fn new() -> Stories {
        let (posts, stories) = (Weighed::new(limits::STORY_POSTS), Weighed::new(limits::STORIES));
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

    /// An account referred to these: those of this story are remembered for longer.
    pub(super) fn used(&mut self, targets: impl Iterator<Item = PostId>, story: StoryId, account: AccountId) {
        for target in targets {
            if self.posts.peek(target.0).is_some_and(|k| k.story == story)
                && let Some(known) = self.posts.get_mut(target.0)
            {
                known.by.add(account);
            }
        }
    }

    /// The story of a post was forgotten; it is in this one now.
    pub(super) fn moved(&mut self, post: PostId, story: StoryId) {
        if let Some(known) = self.posts.get_mut(post.0) {
            known.story = story;
        }
    }

    /// Whether a story is remembered.
    pub(super) fn remembers(&self, story: StoryId) -> bool {
        self.stories.peek(story.0).is_some()
    }

    /// Whether one of these concerns a brand.
    pub(super) fn concerns(&self, targets: &[PostId]) -> bool {
        targets.iter().any(|t| self.posts.peek(t.0).is_some_and(|k| k.concerns(&self.forgotten)))
    }

    /// The story of a post: the first of these that is remembered, or a new one with its name; and
    /// whether it is new.
    pub(super) fn join(&mut self, m: &Mention, told: impl IntoIterator<Item = StoryId>) -> (StoryRef, bool) {
        for id in told {
            if let Some(story) = self.stories.get_mut(id.0) {
                story.by.add(m.account);
                return (StoryRef { id, name: story.name.clone() }, false);
            }
        }
        let name: Arc<str> = format!("{}:{}", m.body.source, m.body.id).into();
        let id = StoryId(hash::parts(&[b"story", name.as_bytes()]));
        let mut by = Accounts::default();
        by.add(m.account);
        self.stories.insert(id.0, Story { name: name.clone(), n_sum: 0, n_count: 0, by, rooted: false });
        (StoryRef { id, name }, true)
    }

    /// Whether a post that claims to be the root of a story is: the first one is.
    pub(super) fn begins_with_it(&mut self, story: StoryId) -> bool {
        self.stories.get_mut(story.0).is_some_and(|s| !std::mem::replace(&mut s.rooted, true))
    }

    /// Notes a post of a story, so that others can refer to it. Links are noted of posts that
    /// name a brand themselves, for these brands only. What a copy of a text answers is no part of
    /// the story.
    pub(super) fn note(&mut self, m: &Mention, story: &StoryRef, keys: Keys, copy: bool) {
        let mut by = Accounts::default();
        by.add(m.account);
        let place =
            Known { story: story.id, keys: Keys::new(), n: None, causes: Causes::default(), by, noted: self.turn };
        for unseen in m.parent.iter().chain(&m.root).chain(&m.quoted).filter(|_| !copy) {
            if self.posts.peek(unseen.0).is_none() {
                self.posts.insert(unseen.0, place.clone());
            }
        }
        if !m.keys.is_empty() {
            let own: Keys = m.keys.iter().map(|k| Concern { key: *k, in_brand: true, own: false }).collect();
            for link in m.links.iter().take(limits::LINKS_NOTED) {
                if self.posts.peek(link.0).is_none() {
                    self.posts.insert(link.0, Known { keys: own.clone(), ..place.clone() });
                }
            }
        }
        if m.kind != PostKind::Repost || m.has_text {
            let n = if m.has_text { m.n } else { None };
            let by = self.posts.peek(m.post.0).map(|k| k.by).unwrap_or_default();
            self.posts.insert(m.post.0, Known { keys, n, causes: m.causes, by, ..place });
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
    pub(super) fn renew(&mut self, m: &Mention, story: StoryId, keys: Keys) {
        let (n, causes) = (m.n, m.causes);
        let Some(known) = self.posts.get_mut(m.post.0) else { return };
        let before = std::mem::replace(&mut known.n, n).filter(|_| known.story == story);
        known.story = story;
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

#[cfg(test)]
pub(super) use tests::before_of;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Before {
        posts: Recent<(StoryId, Keys, Option<Negativity>, Causes, u64)>,
        stories: Recent<(Arc<str>, u64, u64)>,
        forgotten: BTreeMap<KeyId, u64>,
        turn: u64,
    }

    /// One post of one story, as the version before wrote it.
    pub(in crate::enroll) fn before_of(post: PostId, story: StoryId) -> impl Serialize {
        let (mut posts, mut stories) = (Recent::new(8), Recent::new(8));
        posts.insert(post.0, (story, Keys::new(), Some(Negativity::from_milli(500)), Causes::default(), 3));
        stories.insert(story.0, ("net:1".into(), 500, 1));
        Before { posts, stories, forgotten: BTreeMap::new(), turn: 3 }
    }
}
