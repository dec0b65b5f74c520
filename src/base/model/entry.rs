//! What leaves the junction; in its order it is the log, and everything after is a function of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::model::{AccountId, Causes, KeyId, Negativity, PostBody, PostId, PostKind, Seq, StoryRef};
use crate::base::time::Time;

/// One numbered entry.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub seq: Seq,
    /// The engine clock when it was numbered.
    pub clock: Time,
    /// What it says.
    pub body: EntryBody,
}

/// What an entry says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum EntryBody {
    /// A post is a mention of one key, or a reply in one of its stories.
    Mention(Box<Told>),
    /// A share of a tracked story of one key.
    Share(Box<Told>),
    /// A post by one of the key's own accounts: never a mention, but an answer in its story.
    Own(Box<Told>),
    /// The audience of an account became known after it was imputed, or was looked up again.
    AudienceLearned {
        /// The account.
        account: AccountId,
        /// Its followers.
        followers: u64,
        /// Its handle, if that was told too.
        name: Option<Box<str>>,
        /// Keys that counted it; empty means all.
        keys: SmallVec<[KeyId; 4]>,
    },
    /// A post got a new text.
    Edit(Box<Told>),
    /// A text is to be removed everywhere.
    Delete {
        /// Whose.
        gone: Gone,
        /// Keys that counted it; empty means all.
        keys: SmallVec<[KeyId; 4]>,
    },
    /// Engine time reached a whole second.
    Tick,
    /// A source is connected, lost, or at its end.
    Source {
        /// Its name.
        name: Arc<str>,
        /// Its state now.
        state: SourceState,
    },
    /// From here on this rule set is in force.
    RulesChanged {
        /// The rule set's fingerprint.
        fingerprint: u64,
    },
}

/// State of a source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SourceState {
    /// Connected.
    Up,
    /// Lost.
    Down,
    /// A recording was read to its end.
    End,
}

/// What is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Gone {
    /// One post.
    Post(PostId),
    /// Everything of an account.
    Account(AccountId),
}

/// An audience at first sight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Audience {
    /// Followers, known or imputed.
    pub followers: u64,
    /// Whether they are known.
    pub known: bool,
}

/// One post as one key is told of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The brand.
    pub key: KeyId,
    /// The post.
    pub post: PostId,
    /// Its author.
    pub account: AccountId,
    /// The author's audience, fixed when assigned.
    pub audience: Audience,
    /// Event time, never after the entry's clock.
    pub time: Time,
    /// Negativity; for a repost the story's mean so far.
    pub n: Option<Negativity>,
    /// What it complains about; of a share without text, what is shared.
    pub causes: Causes,
    /// What it is to others.
    pub kind: PostKind,
    /// Whether it counts in brand measures; else in its story only.
    pub in_brand: bool,
    /// Whether it answers or quotes one of the key's own accounts.
    pub to_own: bool,
    /// Where it stands in its story.
    pub place: Place,
    /// Its text, by the first near-identical one seen; `None` without a text to compare.
    pub text: Option<u64>,
    /// The other key whose post it is, where a rule of this key reads that one.
    pub foreign: Option<KeyId>,
    /// The source it was received from, as config names it.
    pub via: Arc<str>,
    /// Its story.
    pub story: StoryRef,
    /// What is kept to show to people.
    pub body: Arc<PostBody>,
}

/// Where a post stands in its story. Written as its number, which stays: the first two are what a flag for
/// the root says in logs and snapshots of before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Place {
    /// After its beginning.
    #[default]
    Inside,
    /// The story began with it.
    Root,
    /// After this post, which it answers or passes on.
    After(PostId),
}

impl Told {
    /// Whether its story began with it.
    pub fn is_root(&self) -> bool {
        self.place == Place::Root
    }

    /// The post it answers or passes on, where that is known.
    pub fn from(&self) -> Option<PostId> {
        if let Place::After(post) = self.place { Some(post) } else { None }
    }

    /// Whether it passes its story on: a repost, a quote, or a post with the story's link or words; never its root.
    pub fn passes_on(&self) -> bool {
        let carries = self.kind == PostKind::Post && self.place == Place::Inside;
        !self.is_root() && (self.kind.shares() || carries)
    }
}

impl Entry {
    /// The keys an entry concerns; `None` for all.
    pub fn keys(&self) -> Option<&[KeyId]> {
        match &self.body {
            EntryBody::Mention(t) | EntryBody::Share(t) | EntryBody::Own(t) | EntryBody::Edit(t) => {
                Some(std::slice::from_ref(&t.key))
            }
            EntryBody::AudienceLearned { keys, .. } | EntryBody::Delete { keys, .. } if !keys.is_empty() => Some(keys),
            _ => None,
        }
    }
}
