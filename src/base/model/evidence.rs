//! The arithmetic behind a page, kept with it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::model::{PostBody, PostKind, Value};
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
}
