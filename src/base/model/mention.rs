//! A post that was matched and scored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::model::{AccountId, Causes, KeyId, Negativity, PostId, PostKind, Sketch};
use crate::base::time::Time;

/// What is kept of a post to show to people. Texts are cut to the limit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PostBody {
    /// Its source.
    pub source: Arc<str>,
    /// Its id at the source.
    pub id: Box<str>,
    /// The author's id at the source.
    pub author: Box<str>,
    /// The author's display name or handle.
    pub author_name: Option<Box<str>>,
    /// Its text, cut.
    pub text: Box<str>,
    /// Language, if given.
    pub lang: Option<Box<str>>,
    /// Where people can read it.
    pub url: Option<Box<str>>,
    /// Outside links, each cut.
    pub links: Box<[Box<str>]>,
    /// Tags that stand beside the text, each cut.
    pub tags: Box<[Box<str>]>,
}

/// A decoded post with the brands it matches (none for a post that only refers to a tracked
/// one) and its negativity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Mention {
    /// What is kept of it.
    pub body: Arc<PostBody>,
    /// Its id.
    pub post: PostId,
    /// Its author.
    pub account: AccountId,
    /// Event time.
    pub time: Time,
    /// The author's followers, if the frame tells.
    pub followers: Option<u64>,
    /// What it is to others.
    pub kind: PostKind,
    /// Whether it replaces an earlier version of itself.
    pub edit: bool,
    /// Its own negativity; `None` is unknown (or there is no text).
    pub n: Option<Negativity>,
    /// What it complains about.
    pub causes: Causes,
    /// Whether it has a text of its own.
    pub has_text: bool,
    /// What its text is made of, to find near-identical ones; `None` without letters.
    pub sketch: Option<Sketch>,
    /// Brands it matches.
    pub keys: SmallVec<[KeyId; 2]>,
    /// Brands whose own account wrote it.
    pub own: SmallVec<[KeyId; 1]>,
    /// Brands whose staff wrote it, for which it does not exist.
    pub staff: SmallVec<[KeyId; 1]>,
    /// Brands whose own account it answers or quotes.
    pub to: SmallVec<[KeyId; 1]>,
    /// The post it answers, quotes or repeats.
    pub parent: Option<PostId>,
    /// The first post of its thread.
    pub root: Option<PostId>,
    /// The post it quotes beside answering another.
    pub quoted: Option<PostId>,
    /// Outside links, as meeting points of stories.
    pub links: SmallVec<[PostId; 2]>,
}
