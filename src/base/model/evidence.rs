//! The arithmetic behind a page, kept with it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::account::{account_id, post_id};
use crate::base::model::{Cause, Going, Gone, PostBody, PostKind, Value};
use crate::base::time::{Span, Time};

/// One of the posts that made most of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TopPost {
    /// The author's handle or display name, if known.
    pub name: Option<Box<str>>,
    /// What is kept of the post; the text is empty once deleted.
    pub body: Arc<PostBody>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Event time.
    pub time: Time,
    /// What it is to others.
    pub kind: PostKind,
    /// Negativity in thousandths, if known.
    pub n_milli: Option<u16>,
    /// Followers of its author.
    pub followers: u64,
    /// Whether they are known.
    pub known: bool,
    /// Its author's part of the group's hostile reach (of its reach where there is none), 0..1.
    pub share: f64,
}

/// Whether the brand answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Answered {
    /// Nobody looked.
    #[default]
    Unknown,
    /// None of its own accounts did.
    No,
    /// When the first of them did.
    At(Time),
}

/// What the author of a story wrote to the brand before it, as far as posts are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// How often: at least once.
    pub times: usize,
    /// When last.
    pub last: Time,
    /// Whether any of it was answered, if that is known of all.
    pub answered: Option<bool>,
}

/// What a turn of a story is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum TurnKind {
    /// The first text.
    Root,
    /// The tenth account.
    TenAccounts,
    /// The strongest post of the account that makes most of it.
    BiggestVoice,
}

impl TurnKind {
    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            TurnKind::Root => "root",
            TurnKind::TenAccounts => "ten accounts",
            TurnKind::BiggestVoice => "biggest voice",
        }
    }
}

/// A point of the way of a group's talk.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Turn {
    /// When.
    pub at: Time,
    /// What it is.
    pub kind: TurnKind,
    /// The group's hostile reach within the hour up to then, this post included, in impressions.
    pub hostile_reach: f64,
}

/// What was seen in the evidence window of a group when a page was decided.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The window looked at.
    pub window: Span,
    /// First post of the group within the posts kept.
    pub began: Time,
    /// The earliest text among the posts kept of the group.
    pub first: Option<TopPost>,
    /// Hostile reach in impressions.
    pub hostile_reach: f64,
    /// Reach in impressions.
    pub reach: f64,
    /// Posts.
    pub posts: usize,
    /// Of these, shares (reposts and quotes).
    pub shares: usize,
    /// Distinct accounts.
    pub accounts: usize,
    /// Of these, accounts whose followers are known.
    pub known: usize,
    /// Posts with a text of their own.
    pub texts: usize,
    /// Of these, texts of known tone.
    pub tone_known: usize,
    /// Of these, negative ones.
    pub negative: usize,
    /// Accounts that make most of it, one post each, largest first.
    pub top: Vec<TopPost>,
    /// Values of the rule's operands without the largest account.
    pub without_largest: Vec<Value>,
    /// Whether the rule's condition would hold without the largest account.
    pub still_holds: Option<bool>,
    /// What the group's hostile reach usually is over the same window, with the number of past
    /// windows it is the median of. `None` while too little is known.
    pub usual: Option<(f64, usize)>,
    /// The brand's hostile reach against its own past: times usual, and its return period in
    /// seconds. `None` while too little is known.
    pub surge: Option<(f64, f64)>,
    /// Relative standard error where numbers of accounts are estimated from a sample.
    pub error: Option<f64>,
    /// When the rule's windows will have counted all they should, if rules changed lately.
    pub warm_at: Option<Time>,
    /// Sources that are down at the moment.
    pub sources_down: Vec<Arc<str>>,
    /// Hostile reach without the account that makes most of it, in impressions.
    pub rest: f64,
    /// The key's hostile reach within the hour before each time, in impressions: of the last six
    /// hours, each five minutes as far as posts are kept and each hour before. Times rise.
    pub points: Vec<(Time, f64)>,
    /// From where on the rule pages, in impressions of the same, where that is what it compares.
    pub line: Option<f64>,
    /// Between what the key's hostile reach within an hour mostly is: of the past hours a tenth lies
    /// below, a tenth above. `None` while too little is known.
    pub band: Option<(f64, f64)>,
    /// How many texts name each cause, the most named first.
    pub causes: Vec<(Cause, usize)>,
    /// The most hostile text that neither the first author nor the largest account wrote.
    pub typical: Option<TopPost>,
    /// Whether the brand answered in the story.
    pub answered: Answered,
    /// What the story's author wrote to the brand before.
    pub asked: Option<Asked>,
    /// How it came to this, by time.
    pub turns: Vec<Turn>,
    /// Where its story goes; of a group of the whole brand, the story that makes most of it.
    pub going: Option<Box<Going>>,
}

impl Evidence {
    /// All posts it shows; one may come several times.
    pub fn posts(&self) -> impl Iterator<Item = &TopPost> {
        let growth = self.going.iter().filter_map(|g| g.growth.as_ref()).map(|g| &g.most);
        self.first.iter().chain(&self.top).chain(&self.typical).chain(growth)
    }

    /// Takes out the texts of what is gone. Whether there were any.
    pub fn forget(&mut self, gone: Gone) -> bool {
        let mut found = self.going.as_mut().is_some_and(|g| g.forget(gone));
        for post in self.posts_mut() {
            let is = match gone {
                Gone::Post(p) => p == post_id(&post.body.source, post.body.id.as_bytes()),
                Gone::Account(a) => a == account_id(&post.body.source, &post.body.author),
            };
            let told = post.name.is_some() || post.body.author_name.is_some() || !post.body.text.is_empty();
            if is && (told || !post.deleted) {
                found = true;
                post.deleted = true;
                let mut body = (*post.body).clone();
                (body.text, body.author_name, body.links, body.tags) = ("".into(), None, [].into(), [].into());
                (post.body, post.name) = (Arc::new(body), None);
            }
        }
        found
    }

    /// The same, to take texts out.
    pub fn posts_mut(&mut self) -> impl Iterator<Item = &mut TopPost> {
        let growth = self.going.iter_mut().filter_map(|g| g.growth.as_mut()).map(|g| &mut g.most);
        self.first.iter_mut().chain(&mut self.top).chain(&mut self.typical).chain(growth)
    }
}
