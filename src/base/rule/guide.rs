//! What people write in rules and what it means: the reference is made of these tables, and each example in
//! them is read by the same parsers as rule files.

use crate::base::model::{Cause, PostKind, Tone};
use crate::base::rule::Dim;
use crate::base::rule::expr::{Field, TERM_GAPS};

/// What is written, an example of it, and what it means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// As in the reference; alternatives stand beside each other.
    pub write: &'static str,
    /// A whole query or condition that holds it.
    pub example: &'static str,
    /// What it finds or is.
    pub means: &'static str,
}

const fn line(write: &'static str, example: &'static str, means: &'static str) -> Line {
    Line { write, example, means }
}

/// Queries.
pub const QUERY: [Line; 18] = [
    line("word", "guitar", "the word, in any case and width; not inside another word"),
    line(
        "\"two words\"",
        "\"united airlines\"",
        "these words in this order; spaces and punctuation may stand between them",
    ),
    line(
        "@handle",
        "@united",
        "the handle: `@united` is in `@united!` and `@united@example.social`, not in `@united.com`",
    ),
    line("#tag", "#fail", "the hashtag, in the text or beside it"),
    line(
        "a NEAR/5 b",
        "united NEAR/5 (flight OR luggage)",
        "both, in any order, with at most five words between them (0 to 100); each side is a term of the text or `(one OR another)`",
    ),
    line("raw:\"US\"", "raw:\"US\" airline", "these characters in this case, as words"),
    line("domain:example.com", "domain:united.com", "an outside link to this host or one below it"),
    line("url:/careers", "url:/careers", "these characters in an outside link, in any case"),
    line(
        "author:net:id, author:lists.name",
        "author:bluesky:did:plc:abc",
        "posts of this account, or of one of a list under `lists:`",
    ),
    line(
        "to:net:id, to:own",
        "to:own \"refund\"",
        "answers to or quotes of this account, or of one of the brand's own",
    ),
    line("lang:en", "acme lang:en", "language as given, without region"),
    line("source:bluesky", "acme source:bluesky", "the network it comes from"),
    line("kind:quote", "acme kind:quote", "post, reply, quote or repost"),
    line(
        "followers:>=10k",
        "acme followers:>=10k",
        "the author's followers, where the post itself tells them (`< <= > >= == !=`, or `vars.name`); unknown ones match nothing",
    ),
    line("a b, a AND b", "acme guitar", "both"),
    line("a OR b", "acme OR #acme", "one of them; binds weaker than AND"),
    line("NOT a", "acme NOT \"acme road\"", "posts without it; binds to the next term (or NEAR) only"),
    line("( )", "(acme OR #acme) guitar", "groups"),
];

/// Functions of measures.
pub const FUNCTIONS: [Line; 10] = [
    line(
        "mentions[1h] offset 1d",
        "mentions[1h] >= 2 * mentions[1h] offset 1d",
        "the value recorded a day ago, at pane ends (at most 1,440 in the offset; offsets up to 8 d); unknown before",
    ),
    line("change(m[1h])", "change(authors[1h]) >= 20", "the value now less the value one window ago"),
    line(
        "ratio(m[1h])",
        "ratio(mentions[1h]) >= 3",
        "the value now divided by the value one window ago; unknown if that was 0",
    ),
    line("rate(m[10m])", "rate(mentions[10m]) >= 0.1", "the value a second"),
    line(
        "rarity(m)",
        "rarity(hostile_reach) >= 1.5d",
        "how seldom this brand sees that, as a duration; unknown for the first two hours",
    ),
    line(
        "lift(m), lift(m, 15m), lift(m, 1h)",
        "lift(hostile_reach) >= 2 and lift(mentions, 1h) >= 2",
        "how many times usual for this hour of the day: over both scales, or one",
    ),
    line(
        "usual(m)",
        "usual(mentions) * (silence / 1h) >= 30",
        "what is usual an hour, at this hour of the day; unknown for the first two hours. `usual(negative_share)`: the share of about a week; unknown for the first twelve hours, and under 50 posts of known tone",
    ),
    line(
        "forecast(shares, 6h), forecast(reach, 1d, low)",
        "forecast(reach, 1d, low) >= 1M",
        "where `by` holds story: how many shares, or how much reach in impressions, the story will have had after that time; `low`, `mid` (the default) or `high`; unknown before the first share",
    ),
    line(
        "new_term(30d)",
        "new_term(30d) and authors[1h] >= 5",
        "where `by` holds tag: true for a day once the hashtag comes up that was not seen with the brand for so long (1d, 7d or 30d)",
    ),
    line(
        "A then B within 1h",
        "lift(mentions) >= 3 then negative_share[30m] >= 60% within 1h",
        "B began to hold while A held, or at most so long after it last did; true as long as B holds. Binds weakest; put it in parentheses beside others",
    ),
];

/// What stands between quantities and conditions.
pub const OPERATORS: [Line; 7] = [
    line("5, 0.4, 40%, 250k, 1.5M", "negative_share[1h] >= 40%", "numbers"),
    line("90s, 10m, 1h, 1.5d, 2w", "silence >= 1.5d", "durations; they do not mix with numbers"),
    line("vars.name", "largest_voice[10m] >= vars.big_voice", "the brand's value, or that of the file's `vars`"),
    line("+ - * /", "2 * texts[1h] / authors[1h] > 1", "arithmetic; a duration divided by a duration is a number"),
    line("< <= > >= == !=", "mentions[1h] != 0", "comparisons"),
    line("and or not, unless", "mentions[1h] > 5 unless authors[1h] < 3", "`a unless b` is `a and not b`"),
    line("( )", "not (mentions[1h] > 5 or shares[1h] > 2)", "groups"),
];

impl Dim {
    /// What a rule is evaluated for.
    pub fn means(self) -> &'static str {
        match self {
            Dim::Brand => "each brand (the default)",
            Dim::Group => "each group of brands; stands instead of `brand`",
            Dim::Story => "each story: its root, shares, quotes and answers, whether they name the brand or not",
            Dim::Source => "each network",
            Dim::Lang => "each language as given",
            Dim::Cause => "each cause; a post can have several",
            Dim::Tag => "each hashtag of posts; a post can have several, its first 16 are looked at",
        }
    }
}

impl Field {
    /// The values it can be compared with.
    pub fn values(self) -> String {
        let all = |names: &[&str]| names.join(", ");
        match self {
            Field::Tone => all(&Tone::ALL.map(Tone::name)),
            Field::Kind => all(&PostKind::ALL.map(PostKind::name)),
            Field::Cause => all(&Cause::ALL.map(Cause::name)),
            Field::Source | Field::Lang => "as given".to_string(),
            Field::To => "own".to_string(),
            Field::Author => "an account, or `author in lists.name`, `author not in lists.name`".to_string(),
            Field::Followers => "`>= > <= < = !=` and a number or `vars.name`".to_string(),
            Field::Brand => "the key of another brand".to_string(),
        }
    }

    /// An example of it.
    pub fn example(self) -> &'static str {
        match self {
            Field::Tone => "tone=\"negative\"",
            Field::Kind => "kind!=\"repost\"",
            Field::Cause => "cause=\"safety\"",
            Field::Source => "source=\"bluesky\"",
            Field::Lang => "lang=\"en\"",
            Field::To => "to=\"own\"",
            Field::Author => "author not in lists.wires",
            Field::Followers => "followers>=10k",
            Field::Brand => "brand=\"rival\"",
        }
    }

    /// Which posts pass.
    pub fn means(self) -> &'static str {
        match self {
            Field::Tone => "posts of this tone; of a repost the tone of what it repeats",
            Field::Kind => "posts of this kind",
            Field::Cause => {
                "posts whose words name this (English); `other` is hostile and names none; a share without a text has those of what it shares"
            }
            Field::Source => "posts of this network",
            Field::Lang => "posts in this language, without region",
            Field::To => "answers to and quotes of the brand's own accounts",
            Field::Author => "posts of this account, or of one of a list",
            Field::Followers => "posts whose author's followers are known and compare so",
            Field::Brand => "posts of that brand instead; only where `by` is just brand or group",
        }
    }
}

/// The lengths `new_term` takes, as written.
pub fn term_gaps() -> String {
    TERM_GAPS.map(|g| format!("{}d", g.0 / 86_400_000_000)).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::expr::{self, Measure, parse_condition};
    use crate::base::rule::query;

    #[test]
    fn every_example_is_read() {
        for l in QUERY {
            assert!(query::parse(l.example).is_ok(), "{}", l.example);
        }
        for l in FUNCTIONS.into_iter().chain(OPERATORS) {
            assert!(parse_condition(l.example).is_ok(), "{}: {:?}", l.example, parse_condition(l.example));
        }
        for field in Field::ALL {
            let condition = format!("mentions{{{}}}[1h] > 1", field.example());
            assert!(parse_condition(&condition).is_ok(), "{condition}");
            assert!(field.example().starts_with(field.name()));
        }
    }

    #[test]
    fn nothing_of_the_language_is_left_out() {
        for field in query::Term::FIELDS {
            assert!(QUERY.iter().any(|l| l.write.starts_with(&format!("{field}:"))), "{field}");
        }
        for name in expr::FUNCTIONS {
            assert!(FUNCTIONS.iter().any(|l| l.write.starts_with(&format!("{name}("))), "{name}");
        }
        for m in Measure::ALL {
            let about = m.about();
            assert!(
                [about.unit, about.taken, about.nothing, about.unknowns, about.means].iter().all(|t| !t.is_empty())
            );
        }
        assert_eq!(term_gaps(), "1d, 7d, 30d");
    }
}
