//! Measures: what is counted, summed or computed.

use crate::base::figures;
use crate::base::model::StoryState;
use crate::base::time::Span;

/// What is counted or summed over a window, or told of a story.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Measure {
    /// Posts.
    Mentions,
    /// Distinct accounts.
    Authors,
    /// Distinct texts; near-identical ones are one.
    Texts,
    /// Effective reach summed over posts, in impressions.
    Impressions,
    /// Effective reach summed over distinct accounts, in impressions.
    Reach,
    /// Reach of accounts whose audience is known, the root's author left out where `by` holds story.
    KnownReach,
    /// Hostile reach, in impressions.
    HostileReach,
    /// Negative posts among those of known tone, 0..1; unknown over nothing.
    NegativeShare,
    /// Distinct accounts whose audience is known, among all, 0..1; unknown over nothing.
    KnownShare,
    /// Followers of the largest single account; 0 over nothing.
    LargestVoice,
    /// Reposts, quotes, and posts that carry a story's link or words.
    Shares,
    /// Story: distinct hostile texts minus distinct other texts of known tone.
    Lead,
    /// Story: distinct hostile texts.
    HostileTexts,
    /// Story: distinct texts that are known not to be hostile.
    OtherTexts,
    /// Story: negativity of its root, 0..1; unknown while the root was not seen.
    RootNegativity,
    /// Story: time since its first post.
    StoryAge,
    /// Story: dying, critical or explosive; unknown before anybody passes it on.
    StoryState,
    /// Story: time from its first mention to the first own reply, or waited so far; unknown for
    /// brands without own accounts.
    ResponseTime,
}

/// How a measure is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A share of something, 0..1.
    Share,
    /// A duration, in seconds.
    Duration,
    /// A [`StoryState`].
    State,
}

struct Row {
    measure: Measure,
    name: &'static str,
    label: &'static str,
    /// Its unit in a message.
    of: &'static str,
    unit: Unit,
}

const fn row(measure: Measure, name: &'static str, label: &'static str, of: &'static str, unit: Unit) -> Row {
    Row { measure, name, label, of, unit }
}

/// One row a measure, in the order of [`Measure::ALL`].
const TABLE: [Row; 18] = [
    row(Measure::Mentions, "mentions", "mentions", "posts", Unit::Count),
    row(Measure::Authors, "authors", "accounts", "accounts", Unit::Count),
    row(Measure::Texts, "texts", "texts", "distinct texts", Unit::Count),
    row(Measure::Impressions, "impressions", "impressions", "impressions", Unit::Count),
    row(Measure::Reach, "reach", "reach", "impressions", Unit::Count),
    row(Measure::KnownReach, "known_reach", "known reach", "impressions", Unit::Count),
    row(Measure::HostileReach, "hostile_reach", "hostile reach", "impressions", Unit::Count),
    row(Measure::NegativeShare, "negative_share", "negative share", "of posts with known tone", Unit::Share),
    row(Measure::KnownShare, "known_share", "known share", "of accounts", Unit::Share),
    row(Measure::LargestVoice, "largest_voice", "largest voice", "followers", Unit::Count),
    row(Measure::Shares, "shares", "shares", "shares", Unit::Count),
    row(Measure::Lead, "lead", "lead of hostile texts", "texts", Unit::Count),
    row(Measure::HostileTexts, "hostile_texts", "hostile texts", "texts", Unit::Count),
    row(Measure::OtherTexts, "other_texts", "other texts", "texts", Unit::Count),
    row(Measure::RootNegativity, "root_negativity", "negativity of the root", "", Unit::Share),
    row(Measure::StoryAge, "story_age", "age of the story", "", Unit::Duration),
    row(Measure::StoryState, "story_state", "state of the story", "", Unit::State),
    row(Measure::ResponseTime, "response_time", "time to the first own reply", "", Unit::Duration),
];

impl Measure {
    /// All measures.
    pub const ALL: [Measure; 18] = {
        let mut all = [Measure::Mentions; 18];
        let mut i = 0;
        while i < TABLE.len() {
            all[i] = TABLE[i].measure;
            i += 1;
        }
        all
    };

    fn row(self) -> &'static Row {
        TABLE.iter().find(|r| r.measure == self).unwrap_or(&TABLE[0])
    }

    /// The word used in rules.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it is called in a message.
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// Its unit in a message.
    pub fn unit(self) -> &'static str {
        self.row().of
    }

    /// How its values are printed.
    pub fn prints_as(self) -> Unit {
        self.row().unit
    }

    /// Whether it is told of a story's whole life, without window and selectors.
    pub fn is_of_story(self) -> bool {
        matches!(
            self,
            Measure::Lead
                | Measure::HostileTexts
                | Measure::OtherTexts
                | Measure::RootNegativity
                | Measure::StoryAge
                | Measure::StoryState
                | Measure::ResponseTime
        )
    }

    /// Whether it can be forecast for a story.
    pub fn has_forecast(self) -> bool {
        matches!(self, Measure::Shares | Measure::Reach)
    }

    /// Whether it is a sum or count that can have a rarity and lift.
    pub fn is_mass(self) -> bool {
        let other = matches!(self, Measure::NegativeShare | Measure::KnownShare | Measure::LargestVoice);
        !other && !self.is_of_story()
    }

    /// Whether its value can only rise when something more is counted.
    pub fn rises_by_counting(self) -> bool {
        self.is_mass() || self == Measure::LargestVoice
    }

    /// A value of this measure, for people.
    pub fn show(self, value: f64) -> String {
        match self.prints_as() {
            Unit::Count => figures::short(value),
            Unit::Share => figures::percent(value),
            Unit::Duration => Span((value * 1e6) as i64).to_string(),
            Unit::State => StoryState::of(value).name().to_string(),
        }
    }
}
