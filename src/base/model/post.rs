//! A decoded frame: who, what, when.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::base::time::Time;

/// What a post is to others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum PostKind {
    /// Stands by itself.
    Post,
    /// Answers its parent.
    Reply,
    /// Passes its parent on with own text.
    Quote,
    /// Passes its parent on.
    Repost,
}

impl PostKind {
    /// All kinds.
    pub const ALL: [PostKind; 4] = [PostKind::Post, PostKind::Reply, PostKind::Quote, PostKind::Repost];

    /// The word used in rules and messages.
    pub fn name(self) -> &'static str {
        match self {
            PostKind::Post => "post",
            PostKind::Reply => "reply",
            PostKind::Quote => "quote",
            PostKind::Repost => "repost",
        }
    }

    /// Whether it passes another post on.
    pub fn shares(self) -> bool {
        matches!(self, PostKind::Quote | PostKind::Repost)
    }
}

/// A decoded post, borrowed from its frame where possible.
#[derive(Clone, PartialEq, Debug)]
pub struct Post<'a> {
    /// Its id at its source.
    pub id: Cow<'a, str>,
    /// The source's name, as in `source:author`.
    pub source: Cow<'a, str>,
    /// The author's id at the source.
    pub author: Cow<'a, str>,
    /// The author's display name or handle.
    pub author_name: Option<Cow<'a, str>>,
    /// Its text; empty for a repost.
    pub text: Cow<'a, str>,
    /// Event time as the source's adapter sets it.
    pub time: Time,
    /// The author's followers, if the frame tells.
    pub followers: Option<u64>,
    /// Language as given, lower case, without region.
    pub lang: Option<Cow<'a, str>>,
    /// What it is to others.
    pub kind: PostKind,
    /// Whether it replaces an earlier version of itself.
    pub edit: bool,
    /// The post it answers, quotes or repeats.
    pub parent: Option<Cow<'a, str>>,
    /// The first post of its thread.
    pub root: Option<Cow<'a, str>>,
    /// The post it quotes beside answering another.
    pub quoted: Option<Cow<'a, str>>,
    /// Accounts it answers or quotes, as ids at its source, where the frame tells them.
    pub to: Vec<Cow<'a, str>>,
    /// Where people can read it.
    pub url: Option<Cow<'a, str>>,
    /// Outside links.
    pub links: Vec<Cow<'a, str>>,
    /// Tags that stand beside the text.
    pub tags: Vec<Cow<'a, str>>,
}

impl<'a> Post<'a> {
    /// A post of which only the needed is known.
    pub fn blank(source: Cow<'a, str>, id: Cow<'a, str>, author: Cow<'a, str>, time: Time) -> Post<'a> {
        Post {
            id,
            source,
            author,
            author_name: None,
            text: "".into(),
            time,
            followers: None,
            lang: None,
            kind: PostKind::Post,
            edit: false,
            parent: None,
            root: None,
            quoted: None,
            to: Vec::new(),
            url: None,
            links: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// What a well-formed frame turned out to be.
#[derive(Clone, PartialEq, Debug)]
pub enum Decoded<'a> {
    /// A post, or a new version of one.
    Post(Box<Post<'a>>),
    /// A post was deleted.
    Delete {
        /// Its source.
        source: Cow<'a, str>,
        /// Its id.
        id: Cow<'a, str>,
        /// When.
        time: Time,
    },
    /// An account appeared, changed its name, or left.
    Profile {
        /// The account's source.
        source: Cow<'a, str>,
        /// The account.
        author: Cow<'a, str>,
        /// Whether its posts are gone.
        gone: bool,
        /// When.
        time: Time,
    },
    /// Well formed, of a kind that is not read.
    Other {
        /// When, if it tells.
        time: Option<Time>,
    },
}

impl Decoded<'_> {
    /// The frame's event time, if it tells one.
    pub fn time(&self) -> Option<Time> {
        match self {
            Decoded::Post(p) => Some(p.time),
            Decoded::Delete { time, .. } | Decoded::Profile { time, .. } => Some(*time),
            Decoded::Other { time } => *time,
        }
    }
}
