//! The keys of files with tests of rules, mapping by mapping.

use crate::base::keys::Kind::{Either, List, Many, Named, Number, Switch, Table as Mapping, Text, Word};
use crate::base::keys::{Key, Kind, NEEDED, Table, key};
use crate::base::rule::keys::FILE as RULES;

const SEVERITIES: &[&str] = &["info", "warn", "page"];
pub(super) const KINDS: &[&str] = &["post", "reply", "quote", "repost", "delete"];
pub(super) const TONES: &[&str] = &["negative", "neutral", "positive"];
const TEXTS: Kind = Many(&Text);
const WEIGHTS: Kind = Either(&[TEXTS, Named("", &Number)]);

/// The key of a rule file that may stand here too, with the same meaning.
const fn of_rules(name: &'static str) -> Key {
    let mut i = 0;
    while i < RULES.keys.len() {
        let k = RULES.keys[i];
        if same(k.name, name) {
            return k;
        }
        i += 1;
    }
    key(name, Text, "none", "")
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

/// A whole file.
pub const TESTS: Table = Table {
    name: "test_file",
    title: "at the top",
    keys: &[
        of_rules("version"),
        key("rules", TEXTS, "the file beside it", "rule files under test, relative to this one"),
        of_rules("vars"),
        of_rules("lists"),
        of_rules("groups"),
        of_rules("brands"),
        key("start", Text, "2026-01-05T00:00:00Z", "when tests begin, where that matters: RFC 3339"),
        key("tests", List(&TEST), NEEDED, "the tests"),
    ],
};

/// What of a test file is read as part of its rules.
pub(super) const RULE_PARTS: [&str; 4] = ["vars", "lists", "groups", "brands"];

/// One test.
pub(super) const TEST: Table = Table {
    name: "test",
    title: "of one of `tests`",
    keys: &[
        key("name", Text, NEEDED, "what it shows, in a few words; once in a file"),
        key("seed", Number, "made of the name", "another one gives other times and people of the same kind"),
        key("events", List(&EVENT), NEEDED, "what happens"),
        key("expect", List(&EXPECT), NEEDED, "what alerts do"),
    ],
};

const FROM: &str = "when, since the test began: 3d, 3d 5m, or RFC 3339";

/// Something that happens.
pub(super) const EVENT: Table = Table {
    name: "event",
    title: "of one of `events`; what it is, is said by one of rate, posts, shares, post, down, rules, or by nothing",
    keys: &[
        key("at", Text, "needed, or `from`", FROM),
        key("from", Text, "`at`", "the same as `at`"),
        key("for", Text, "needed beside rate, posts and shares", "how long it lasts"),
        key("rate", Text, "none", "people post so often, by chance: 2/min, +20/min, 5/h"),
        key("posts", Number, "none", "people post so many in all, evenly"),
        key("shares", Number, "none", "so many pass on the post that `of` names: many at first, then fewer"),
        key("of", Text, "needed beside shares", "id of a `post` of this test; rate and posts are answers to it then"),
        key("quotes", Number, "0", "which part of the shares are quotes with a text; the others are reposts"),
        key("replies", Number, "0", "how many answers come on top, as a part of the shares"),
        key("post", Mapping(&POST), "none", "one post, as written here"),
        key("source", Text, "needed beside down", "the source that is lost"),
        key("down", Text, "none", "a source is lost for so long; nothing comes from it"),
        key("rules", TEXTS, "none", "rules change: files that replace those of before"),
        key("brand", Text, "the first by key", "the brand that is spoken of"),
        key("negative", Number, "0", "which part of the texts is hostile"),
        key("positive", Number, "0", "which part of the texts is friendly; the others are neutral"),
        key("followers", Either(&[Number, Mapping(&FOLLOWERS)]), "median 300, spread 1.9", "of each author"),
        key("unknown", Number, "0", "of which part of the authors nobody knows the followers"),
        key("authors", Number, "one a post", "how many different people"),
        key("langs", WEIGHTS, "en", "languages, with weights; tone is known of English only"),
        key("sources", WEIGHTS, "generated", "where it is posted, with weights"),
        key("text", Text, "made up", "what all say"),
        key("texts", TEXTS, "made up", "what they say, in turn"),
        key("copies", Switch, "false", "all texts of one tone are the same"),
        key("names", Switch, "true", "whether made-up texts name the brand"),
        key("tags", TEXTS, "none", "hashtags at the end of the texts"),
        key("links", TEXTS, "none", "links that all posts carry"),
        key("to", Word(&["own"]), "nobody", "they answer a post of the brand's own account"),
        key("rhythm", Number, "0", "how far the rate swings over the day; most is at 15:00"),
        key("ramp", Switch, "false", "the rate rises evenly from nothing"),
    ],
};

/// One post.
pub(super) const POST: Table = Table {
    name: "post",
    title: "of `post`",
    keys: &[
        key("id", Text, "made up", "by which other events name it"),
        key("author", Text, "somebody new", "who posts; own accounts of the brand can, too"),
        key("text", Text, "made up; none of a repost", "what it says"),
        key("tone", Word(TONES), "neutral", "of a made-up text"),
        key("followers", Number, "unknown", "of its author"),
        key("kind", Word(KINDS), "post; reply with a parent", "what it is to others"),
        key("parent", Text, "none", "id of the post that it answers, quotes, repeats or deletes"),
        key("links", TEXTS, "none", "links it carries"),
        key("lang", Text, "en", "its language"),
        key("source", Text, "that of its parent, else generated", "where it is posted"),
    ],
};

/// How many follow whom.
pub(super) const FOLLOWERS: Table = Table {
    name: "followers",
    title: "of `followers`, where it is no number",
    keys: &[
        key("median", Number, "300", "half of the authors have fewer"),
        key("spread", Number, "1.9", "of the logarithm: 0 all the same, 1.9 as people are; at most 5"),
    ],
};

/// What an alert does.
pub(super) const EXPECT: Table = Table {
    name: "expectation",
    title: "of one of `expect`",
    keys: &[
        key("alert", Text, NEEDED, "name of a rule; what is not named here may do anything"),
        key("never", Switch, "false", "it never fires"),
        key("firing by", Text, "some time", "it fires by then, with `severity` if that is given"),
        key("not firing before", Text, "none", "it does not fire earlier"),
        key("severity", Word(SEVERITIES), "any", "the highest it reaches"),
        key("resolved by", Text, "none", "all that fired is over by then"),
        key("not resolved before", Text, "none", "none that fired is over earlier"),
        key("episodes", Number, "one or more", "how often it fires; 0 is never"),
        key("top post", Text, "any", "in the text, or the id, of the post that adds most"),
        key("message contains", TEXTS, "none", "what people read when it fires"),
        key("group", Mapping(&GROUP), "all", "only episodes of this"),
    ],
};

/// Which episodes.
pub(super) const GROUP: Table = Table {
    name: "of_group",
    title: "of `group` of an expectation",
    keys: &[
        key("brand", Text, "all", "key of the brand or group"),
        key("story", Text, "all", "id of the story's first post"),
        key("source", Text, "all", "source"),
        key("lang", Text, "all", "language"),
        key("cause", Text, "all", "cause"),
        key("tag", Text, "all", "hashtag"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::{Severity, Tone};

    #[test]
    fn words_are_those_of_the_types() {
        assert_eq!(SEVERITIES, Severity::ALL.map(Severity::name));
        assert_eq!(TONES, [Tone::Negative, Tone::Neutral, Tone::Positive].map(Tone::name));
        for part in RULE_PARTS {
            assert!(RULES.keys.iter().any(|k| k.name == part && !k.help.is_empty()));
        }
        assert!(TESTS.keys.iter().all(|k| !k.help.is_empty()));
    }
}
