//! Where a story stands, and where it goes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::model::{Gone, PostKind, TopPost};
use crate::base::time::{Span, Time};

/// Whether a story goes on, by the shares still to come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum StoryState {
    /// Less than a quarter of its shares is expected to come yet: it ends by itself.
    Dying,
    /// It goes on.
    Critical,
    /// Even the lower edge of what is expected doubles it.
    Explosive,
}

impl StoryState {
    /// All states, the least first.
    pub const ALL: [StoryState; 3] = [StoryState::Dying, StoryState::Critical, StoryState::Explosive];

    /// The state of a story with so many shares that comes to these in the end.
    pub fn expecting(shares: u64, end: &Band) -> StoryState {
        let seen = shares as f64;
        match end {
            b if b.low >= 2.0 * seen => StoryState::Explosive,
            b if b.mid >= 1.25 * seen => StoryState::Critical,
            _ => StoryState::Dying,
        }
    }

    /// The state with this value, or the nearest.
    pub fn of(value: f64) -> StoryState {
        match value {
            v if v >= 1.5 => StoryState::Explosive,
            v if v >= 0.5 => StoryState::Critical,
            _ => StoryState::Dying,
        }
    }

    /// Its value in conditions: 0, 1, 2.
    pub fn value(self) -> f64 {
        f64::from(self as u8)
    }

    /// The word used in rules and messages.
    pub fn name(self) -> &'static str {
        match self {
            StoryState::Dying => "dying",
            StoryState::Critical => "critical",
            StoryState::Explosive => "explosive",
        }
    }

    /// The state of this name.
    pub fn named(word: &str) -> Option<StoryState> {
        StoryState::ALL.into_iter().find(|s| s.name() == word)
    }
}

/// Which value of a band is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// One story in ten ends below.
    Low,
    /// The middle.
    Mid,
    /// One story in ten ends above.
    High,
}

impl Level {
    /// All of them.
    pub const ALL: [Level; 3] = [Level::Low, Level::Mid, Level::High];

    /// The word used in rules.
    pub fn name(self) -> &'static str {
        match self {
            Level::Low => "low",
            Level::Mid => "mid",
            Level::High => "high",
        }
    }
}

/// What is expected, with the band in which four of five stories end.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Band {
    /// One in ten ends below.
    pub low: f64,
    /// The middle.
    pub mid: f64,
    /// One in ten ends above.
    pub high: f64,
}

impl Band {
    /// One of its values.
    pub fn at(&self, level: Level) -> f64 {
        match level {
            Level::Low => self.low,
            Level::Mid => self.mid,
            Level::High => self.high,
        }
    }

    /// Each value made another.
    pub fn map(self, f: impl Fn(f64) -> f64) -> Band {
        Band { low: f(self.low), mid: f(self.mid), high: f(self.high) }
    }
}

/// How far a story will go, as of a moment.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Outlook {
    /// Its state.
    pub state: StoryState,
    /// How many shares are still to come for each one so far.
    pub brings: f64,
    /// SEISMIC's n*p: further shares that a share brings to an audience of 100 by the exposures of the last hour.
    pub infectiousness: f64,
    /// Shares so far.
    pub shares: u64,
    /// Shares it will have had in the end.
    pub final_shares: Band,
    /// Followers of sharers that will come with shares still to come.
    pub followers_to_come: Band,
    /// Followers who will yet see what was shared already.
    pub exposure: f64,
}

/// One account that carried a story on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Spread {
    /// The place in the list of whom it had it from; `None`: nobody in the list.
    pub from: Option<u32>,
    /// Who: handle or display name, else the id at the source; empty once deleted.
    pub name: Box<str>,
    /// The source.
    pub source: Arc<str>,
    /// Hash of source and post, to take out what is deleted.
    pub post: u64,
    /// Hash of source and account.
    pub account: u64,
    /// Event time.
    pub time: Time,
    /// What it is to others.
    pub kind: PostKind,
    /// Negativity in thousandths, if known.
    pub n_milli: Option<u16>,
    /// Followers.
    pub followers: u64,
    /// Whether they are known.
    pub known: bool,
}

/// What a story grew by lately, and through whom.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Growth {
    /// The time looked at, up to now.
    pub within: Span,
    /// Reach that came with it, in impressions.
    pub reach: f64,
    /// The post that brought most of it; its share is of that growth.
    pub most: TopPost,
}

/// Where a story stands when people are told of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Going {
    /// The story's name.
    pub story: Arc<str>,
    /// How far it will go; `None` before anybody has passed it on.
    pub outlook: Option<Outlook>,
    /// Time of its first post.
    pub began: Time,
    /// Posts that pass it on in an hour, at the pace of the last ten minutes.
    pub shares_an_hour: f64,
    /// Distinct accounts so far.
    pub accounts: u64,
    /// Their effective reach so far, in impressions.
    pub reach: f64,
    /// Their hostile reach so far, in impressions.
    pub hostile_reach: f64,
    /// What `reach` will be a day from now.
    pub day: Option<Band>,
    /// Impressions that what was shared already will yet make.
    pub exposure: f64,
    /// Replies and quotes of known tone, and how many of them are hostile.
    pub answers: (u64, u64),
    /// Sources it was seen in, most posts first.
    pub sources: Vec<(Box<str>, u64)>,
    /// Languages it was written in, most posts first.
    pub langs: Vec<(Box<str>, u64)>,
    /// What it grew by lately.
    pub growth: Option<Growth>,
    /// Who carried it on: the root and those with most reach, by time; each with whom it had it from.
    pub tree: Vec<Spread>,
    /// Accounts that carried it and are not in `tree`.
    pub unlisted: u64,
}

impl Going {
    /// Takes out the names of who is gone. Whether there were any.
    pub fn forget(&mut self, gone: Gone) -> bool {
        let is = |s: &Spread| match gone {
            Gone::Post(p) => s.post == p.0,
            Gone::Account(a) => s.account == a.0,
        };
        let mut found = false;
        for one in self.tree.iter_mut().filter(|s| is(s) && !s.name.is_empty()) {
            (one.name, found) = ("".into(), true);
        }
        found
    }
}
