//! Measures, selectors, and the series a rule reads.

use std::fmt;

use crate::base::figures;
use crate::base::time::Span;

/// What is counted or summed over a window.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Measure {
    /// Posts.
    Mentions,
    /// Distinct accounts.
    Authors,
    /// Effective reach summed over posts, in impressions.
    Impressions,
    /// Effective reach summed over distinct accounts, in impressions.
    Reach,
    /// Hostile reach, in impressions.
    HostileReach,
    /// Negative posts among those of known tone, 0..1; unknown over nothing.
    NegativeShare,
    /// Followers of the largest single account; 0 over nothing.
    LargestVoice,
    /// Reposts and quotes.
    Shares,
}

impl Measure {
    /// All measures.
    pub const ALL: [Measure; 8] = [
        Measure::Mentions,
        Measure::Authors,
        Measure::Impressions,
        Measure::Reach,
        Measure::HostileReach,
        Measure::NegativeShare,
        Measure::LargestVoice,
        Measure::Shares,
    ];

    /// The word used in rules.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Mentions => "mentions",
            Measure::Authors => "authors",
            Measure::Impressions => "impressions",
            Measure::Reach => "reach",
            Measure::HostileReach => "hostile_reach",
            Measure::NegativeShare => "negative_share",
            Measure::LargestVoice => "largest_voice",
            Measure::Shares => "shares",
        }
    }

    /// What it is called in a message.
    pub fn label(self) -> &'static str {
        match self {
            Measure::Mentions => "mentions",
            Measure::Authors => "accounts",
            Measure::Impressions => "impressions",
            Measure::Reach => "reach",
            Measure::HostileReach => "hostile reach",
            Measure::NegativeShare => "negative share",
            Measure::LargestVoice => "largest voice",
            Measure::Shares => "shares",
        }
    }

    /// Its unit in a message.
    pub fn unit(self) -> &'static str {
        match self {
            Measure::Mentions => "posts",
            Measure::Authors => "accounts",
            Measure::Impressions | Measure::Reach | Measure::HostileReach => "impressions",
            Measure::NegativeShare => "of posts with known tone",
            Measure::LargestVoice => "followers",
            Measure::Shares => "shares",
        }
    }

    /// A value of this measure, for people.
    pub fn show(self, value: f64) -> String {
        if self == Measure::NegativeShare { figures::percent(value) } else { figures::short(value) }
    }
}

/// What a selector looks at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// negative, neutral, positive, unknown.
    Tone,
    /// Name of the source.
    Source,
    /// post, reply, quote, repost.
    Kind,
    /// Language as given, without region.
    Lang,
}

impl Field {
    /// All fields.
    pub const ALL: [Field; 4] = [Field::Tone, Field::Source, Field::Kind, Field::Lang];

    /// The word used in rules.
    pub fn name(self) -> &'static str {
        match self {
            Field::Tone => "tone",
            Field::Source => "source",
            Field::Kind => "kind",
            Field::Lang => "lang",
        }
    }
}

/// One condition on the posts that count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Selector {
    /// What is looked at.
    pub field: Field,
    /// `!=` instead of `=`.
    pub negated: bool,
    /// The value compared with.
    pub value: String,
}

/// A measure of the posts that pass all selectors, over a window.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SeriesSpec {
    /// What is measured.
    pub measure: Measure,
    /// Selectors, sorted and without repeats.
    pub selectors: Vec<Selector>,
    /// The window.
    pub window: Span,
}

impl SeriesSpec {
    /// Length of the window's panes: a sixtieth of it, at least one second.
    pub fn pane(&self) -> Span {
        Span((self.window.0 / 60).max(1_000_000))
    }
}

impl fmt::Display for SeriesSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.measure.name())?;
        if !self.selectors.is_empty() {
            let shown: Vec<String> = self
                .selectors
                .iter()
                .map(|s| format!("{}{}\"{}\"", s.field.name(), if s.negated { "!=" } else { "=" }, s.value))
                .collect();
            write!(f, "{{{}}}", shown.join(", "))?;
        }
        write!(f, "[{}]", window(self.window))
    }
}

/// A span in the largest unit that divides it, as rules write windows.
pub(super) fn window(s: Span) -> String {
    let units = [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s")];
    match units.iter().find(|(unit, _)| s.0 % unit == 0) {
        Some((unit, name)) => format!("{}{name}", s.0 / unit),
        None => format!("{}ms", s.0 / 1000),
    }
}
