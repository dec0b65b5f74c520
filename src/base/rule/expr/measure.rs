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
    /// Distinct stories.
    Stories,
    /// Distinct sources.
    Sources,
    /// Distinct languages, as given.
    Langs,
    /// Distinct hashtags.
    Tags,
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
    /// Time since the last post, as far as sources were heard.
    Silence,
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
    /// Brand: the hostile reach of a usual hour of all its talk, in impressions; 0 before six hours are known.
    BrandUsual,
    /// Hashtag: whether it came up at most a day ago, not seen before for the time asked for.
    NewTerm,
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
    /// Yes or no.
    Truth,
}

/// How a measure is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `mentions{tone="negative"}[10m]`.
    Windowed,
    /// `silence{source="forum"}`.
    Selected,
    /// `lead`, where `by` holds story.
    OfStory,
    /// `brand_usual`, whatever `by` holds.
    OfBrand,
    /// `new_term(30d)`, where `by` holds tag.
    OfTag,
}

/// What people are told of a measure: the reference is made of this.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct About {
    /// Its unit.
    pub unit: &'static str,
    /// Whether posts, accounts or texts are counted once or summed.
    pub taken: &'static str,
    /// Its value over nothing, or when it is unknown.
    pub nothing: &'static str,
    /// What posts or accounts do of which something is not known.
    pub unknowns: &'static str,
    /// What it counts or tells.
    pub means: &'static str,
}

struct Row {
    measure: Measure,
    name: &'static str,
    label: &'static str,
    /// Its unit in a message.
    of: &'static str,
    prints: Unit,
    form: Form,
    about: About,
}

/// Name, label, unit in a message.
type Words = (&'static str, &'static str, &'static str);

const fn row(measure: Measure, (name, label, of): Words, prints: Unit, form: Form, about: [&'static str; 5]) -> Row {
    let [unit, taken, nothing, unknowns, means] = about;
    Row { measure, name, label, of, prints, form, about: About { unit, taken, nothing, unknowns, means } }
}

use Form::{OfBrand, OfStory, OfTag, Selected, Windowed};

const IMPUTED: &str = "followers not known: the median of the source, or 300";
const ANY: &str = "count";
const DISTINCT: &str = "distinct";
const ACCOUNTS: &str = "summed over distinct accounts";
const STORY: &str = "of the whole story";

/// One row a measure, in the order of [`Measure::ALL`].
#[rustfmt::skip]
const TABLE: [Row; 25] = [
    row(Measure::Mentions, ("mentions", "mentions", "posts"), Unit::Count, Windowed,
        ["posts", "summed over posts", "0", ANY, "posts that match, answers to own accounts, and shares of them"]),
    row(Measure::Authors, ("authors", "accounts", "accounts"), Unit::Count, Windowed,
        ["accounts", DISTINCT, "0", ANY, "accounts"]),
    row(Measure::Texts, ("texts", "texts", "distinct texts"), Unit::Count, Windowed,
        ["texts", DISTINCT, "0", "reposts and posts without letters have no text",
         "texts; near-identical ones (90 % alike, links, handles and digits left out) are one"]),
    row(Measure::Stories, ("stories", "stories", "stories"), Unit::Count, Windowed,
        ["stories", DISTINCT, "0", ANY, "stories; a post that belongs to no other is one by itself"]),
    row(Measure::Sources, ("sources", "sources", "sources"), Unit::Count, Windowed,
        ["sources", DISTINCT, "0", ANY, "networks the posts come from"]),
    row(Measure::Langs, ("langs", "languages", "languages"), Unit::Count, Windowed,
        ["languages", DISTINCT, "0", "posts that name none are left out", "languages as given"]),
    row(Measure::Tags, ("tags", "hashtags", "hashtags"), Unit::Count, Windowed,
        ["hashtags", DISTINCT, "0", "at most 16 of a post", "hashtags in texts or beside them, in any case"]),
    row(Measure::Impressions, ("impressions", "impressions", "impressions"), Unit::Count, Windowed,
        ["impressions", "summed over posts", "0", IMPUTED, "effective reach"]),
    row(Measure::Reach, ("reach", "reach", "impressions"), Unit::Count, Windowed,
        ["impressions", ACCOUNTS, "0", IMPUTED, "effective reach"]),
    row(Measure::KnownReach, ("known_reach", "known reach", "impressions"), Unit::Count, Windowed,
        ["impressions", ACCOUNTS, "0", "followers not known: left out",
         "effective reach of accounts whose followers are known; where `by` holds story, without the root"]),
    row(Measure::HostileReach, ("hostile_reach", "hostile reach", "impressions"), Unit::Count, Windowed,
        ["impressions", ACCOUNTS, "0", "tone not known: weight 0; followers as for `reach`",
         "for each account its largest weight x effective reach; the weight is 0 up to n 0.3 and 1 from n 0.7 on"]),
    row(Measure::NegativeShare, ("negative_share", "negative share", "of posts with known tone"), Unit::Share, Windowed,
        ["0..1", "summed over posts", "unknown", "tone not known: left out", "negative posts among those of known tone"]),
    row(Measure::KnownShare, ("known_share", "known share", "of accounts"), Unit::Share, Windowed,
        ["0..1", DISTINCT, "unknown", "they are what it tells", "accounts whose followers are known, among all"]),
    row(Measure::LargestVoice, ("largest_voice", "largest voice", "followers"), Unit::Count, Windowed,
        ["followers", "the largest", "0", IMPUTED, "followers of the largest single account"]),
    row(Measure::Shares, ("shares", "shares", "shares"), Unit::Count, Windowed,
        ["shares", "summed over posts", "0", ANY,
         "reposts, quotes, and posts that came to a story by its link or its words"]),
    row(Measure::Silence, ("silence", "silence", ""), Unit::Duration, Selected,
        ["duration", "the last post", "unknown before the first, and while a source that matters is down",
         ANY, "time since the last post; what sources missed does not count"]),
    row(Measure::Lead, ("lead", "lead of hostile texts", "texts"), Unit::Count, OfStory,
        ["texts", DISTINCT, "0", "tone not known: left out", "`hostile_texts` minus `other_texts`"]),
    row(Measure::HostileTexts, ("hostile_texts", "hostile texts", "texts"), Unit::Count, OfStory,
        ["texts", DISTINCT, "0", "tone not known: left out",
         "hostile texts: root, quotes, replies; copies are one, bare reposts none"]),
    row(Measure::OtherTexts, ("other_texts", "other texts", "texts"), Unit::Count, OfStory,
        ["texts", DISTINCT, "0", "tone not known: left out", "texts whose tone is known and not hostile"]),
    row(Measure::RootNegativity, ("root_negativity", "negativity of the root", ""), Unit::Share, OfStory,
        ["0..1", STORY, "unknown while the root was not seen", "tone not known: unknown", "n of the story's first post"]),
    row(Measure::StoryAge, ("story_age", "age of the story", ""), Unit::Duration, OfStory,
        ["duration", STORY, "never", ANY, "time since the first post seen"]),
    row(Measure::StoryState, ("story_state", "state of the story", ""), Unit::State, OfStory,
        ["state", STORY, "unknown before the first share", IMPUTED,
         "`dying` (less than a quarter of its shares is expected to come yet), `critical`, or `explosive` (even the \
          lower edge of what is expected doubles them)"]),
    row(Measure::ResponseTime, ("response_time", "time to the first own reply", ""), Unit::Duration, OfStory,
        ["duration", STORY, "unknown for brands without `own`", ANY,
         "from the first mention to the first own reply; while there is none, the time waited so far"]),
    row(Measure::BrandUsual, ("brand_usual", "usual hour of the brand", "impressions"), Unit::Count, OfBrand,
        ["impressions", "of all posts of the brand", "0 before six hours are known", IMPUTED,
         "hostile reach of a usual hour: the middle one of the last week, whatever `by` says; for rules that ask more of louder brands"]),
    row(Measure::NewTerm, ("new_term", "new hashtag", ""), Unit::Truth, OfTag,
        ["yes or no", "of the hashtag", "unknown while the brand is watched for less than 7 d (1 d for `new_term(1d)`)",
         ANY, "whether the hashtag came up within the last day and had not been seen with the brand for that time \
               before: 1d, 7d or 30d"]),
];

impl Measure {
    /// All measures.
    pub const ALL: [Measure; 25] = {
        let mut all = [Measure::Mentions; 25];
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
        self.row().prints
    }

    /// How it is written.
    pub fn form(self) -> Form {
        self.row().form
    }

    /// What people are told of it.
    pub fn about(self) -> &'static About {
        &self.row().about
    }

    /// Whether it is told of a story's whole life, without window and selectors.
    pub fn is_of_story(self) -> bool {
        self.form() == Form::OfStory
    }

    /// Whether it can be forecast for a story.
    pub fn has_forecast(self) -> bool {
        matches!(self, Measure::Shares | Measure::Reach)
    }

    /// Whether it is a sum or count over a window, that can have a rarity and lift.
    pub fn is_mass(self) -> bool {
        let other = matches!(self, Measure::NegativeShare | Measure::KnownShare | Measure::LargestVoice);
        !other && self.form() == Form::Windowed
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
            Unit::Truth => if value > 0.0 { "yes" } else { "no" }.to_string(),
        }
    }
}
