//! How hostile a post is, and the tone that follows from it.

use serde::{Deserialize, Serialize};

/// Negativity n in thousandths, 0..=1000; 500 is the cut between hostile and not.
/// Unknown negativity is `None` of an `Option<Negativity>`, never a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Negativity(u16);

/// Below this n (thousandths) a post is positive.
const POSITIVE_BELOW: u16 = 150;
/// From this n on (thousandths) a post is negative.
const NEGATIVE_FROM: u16 = 500;

impl Negativity {
    /// From thousandths; more than 1000 is taken as 1000.
    pub fn from_milli(milli: u16) -> Negativity {
        Negativity(milli.min(1000))
    }

    /// From 0..1; outside is clamped.
    pub fn from_unit(n: f64) -> Negativity {
        Negativity((n.clamp(0.0, 1.0) * 1000.0).round() as u16)
    }

    /// In thousandths.
    pub fn milli(self) -> u16 {
        self.0
    }

    /// In 0..1.
    pub fn as_unit(self) -> f64 {
        f64::from(self.0) / 1000.0
    }
}

/// The tone of a post.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Tone {
    /// n >= 0.5.
    Negative,
    /// In between.
    Neutral,
    /// n < 0.15.
    Positive,
    /// No model for the language, or too little evidence.
    Unknown,
}

impl Tone {
    /// All tones.
    pub const ALL: [Tone; 4] = [Tone::Negative, Tone::Neutral, Tone::Positive, Tone::Unknown];

    /// The tone of a negativity.
    pub fn of(n: Option<Negativity>) -> Tone {
        match n.map(Negativity::milli) {
            None => Tone::Unknown,
            Some(m) if m >= NEGATIVE_FROM => Tone::Negative,
            Some(m) if m < POSITIVE_BELOW => Tone::Positive,
            Some(_) => Tone::Neutral,
        }
    }

    /// The word used in rules and messages.
    pub fn name(self) -> &'static str {
        match self {
            Tone::Negative => "negative",
            Tone::Neutral => "neutral",
            Tone::Positive => "positive",
            Tone::Unknown => "unknown",
        }
    }
}
