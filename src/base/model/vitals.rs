//! What is measured of a key for those who watch it, whatever its rules ask for.

use crate::base::model::{Band, KeyId, Outlook, Value};
use crate::base::time::Span;

/// A story among those of a key with most hostile reach.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StoryVitals {
    /// How far it will go.
    pub outlook: Outlook,
    /// Its reach so far, in impressions.
    pub reach: f64,
    /// Its hostile reach so far, in impressions.
    pub hostile_reach: f64,
    /// What its reach will be a day from now.
    pub day: Option<Band>,
    /// Impressions that what was shared already will yet make.
    pub exposure: f64,
    /// Time since its first post.
    pub age: Span,
    /// Whether the brand answered; unknown for one without own accounts.
    pub answered: Option<bool>,
}

/// The measures of a key, as of the engine's time.
#[derive(Clone, PartialEq, Debug)]
pub struct Vitals {
    /// The brand or group.
    pub key: KeyId,
    /// Hostile reach of the last five minutes, in impressions.
    pub hostile_now: f64,
    /// Hostile reach of the last hour, in impressions.
    pub hostile_hour: f64,
    /// Distinct accounts of the last hour.
    pub authors: f64,
    /// Share of negative mentions of the last hour, 0..1.
    pub negative_share: Value,
    /// Share of accounts of the last hour whose audience is known, 0..1.
    pub known_share: Value,
    /// The middle one of the hours of the past week, in impressions; unknown before six of them.
    pub usual: Value,
    /// Between what four of five of these hours lie.
    pub band: Option<(f64, f64)>,
    /// Hostile reach against what is usual at this hour; unknown while that is learned.
    pub lift: Value,
    /// Once in how many seconds it is so high; unknown while that is learned.
    pub rarity: Value,
    /// The median time to the first own answer, over stories answered within the last day.
    pub response: Option<Span>,
    /// Stories that were passed on within the last day, most hostile reach first.
    pub stories: Vec<StoryVitals>,
    /// Episodes that fire or clear: info, warn, page.
    pub open: [usize; 3],
}
