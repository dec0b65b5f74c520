//! The keys of rule files, mapping by mapping.

use crate::base::keys::Kind::{Either, List, Many, Named, Number, Span, Switch, Table as Mapping, Text, Word};
use crate::base::keys::{Kind, NEEDED, Table, key};

const SLUG: &str = "^[a-z0-9][a-z0-9_-]{0,99}$";
const VARIABLE: &str = "^[A-Za-z0-9_]+$";
/// What a quantity may be called.
pub(super) const QUANTITY: &str = "^[a-z][a-z0-9_]*$";
const SEVERITIES: &[&str] = &["info", "warn", "page"];
const MODES: &[&str] = &["live", "shadow"];
const DIMENSIONS: &[&str] = &["brand", "group", "story", "source", "lang", "cause", "tag"];

const TEXTS: Kind = Many(&Text);
const VARS: Kind = Named(VARIABLE, &Number);

/// A whole file.
pub const FILE: Table = Table {
    name: "rule_file",
    title: "at the top",
    keys: &[
        key("version", Word(&["1"]), "1", "of this format"),
        key("vars", VARS, "none", "defaults for every brand's variables: numbers or durations"),
        key("lists", Named(VARIABLE, &Mapping(&LIST)), "none", "lists of accounts, by name"),
        key("groups", Named(SLUG, &Mapping(&GROUP)), "none", "brands with one reputation, by key"),
        key("brands", Named(SLUG, &Mapping(&BRAND)), "none", "what is watched, by key"),
        key("rules", List(&RULE), "none", "when to tell people"),
    ],
};

/// A list of accounts.
pub(super) const LIST: Table = Table {
    name: "list",
    title: "of one of `lists`",
    keys: &[key("authors", TEXTS, NEEDED, "accounts: `source:id`, `source:@name`, an id or a name")],
};

/// A brand.
pub(super) const BRAND: Table = Table {
    name: "brand",
    title: "of one of `brands`",
    keys: &[
        key("name", Text, "its key", "name in messages"),
        key("query", Text, NEEDED, "which posts are mentions"),
        key("exclude", Text, "none", "query of posts that are none"),
        key("broad", Switch, "false", "allow a query that needs no term, which looks at every post"),
        key("own", TEXTS, "none", "the brand's own accounts: their posts are no mentions, answers to them are"),
        key("staff", TEXTS, "none", "accounts that do not exist for this brand"),
        key("owner", Text, "none", "who takes care of it, shown in pages"),
        key("runbook", Text, "none", "what to do, shown in pages"),
        key("vars", VARS, "those of the file", "numbers or durations that conditions read as `vars.name`"),
    ],
};

/// A group.
pub(super) const GROUP: Table = Table {
    name: "group",
    title: "of one of `groups`",
    keys: &[
        key("name", Text, "its key", "name in messages"),
        key("brands", TEXTS, NEEDED, "keys of its brands"),
        key("labels", Named("", &Text), "none", "labels for routes and messages"),
        key("owner", Text, "none", "who takes care of it, shown in pages"),
        key("runbook", Text, "none", "what to do, shown in pages"),
        key("vars", VARS, "those of the file", "numbers or durations that conditions read as `vars.name`"),
    ],
};

/// A rule.
pub(super) const RULE: Table = Table {
    name: "rule",
    title: "of one of `rules`",
    keys: &[
        key("alert", Text, NEEDED, "name of the rule"),
        key("brands", TEXTS, "all", "keys of the brands or groups it is for"),
        key("by", Many(&Word(DIMENSIONS)), "brand", "what it is evaluated for: `brand` or `group`, and parts of it"),
        key(
            "let",
            Named(QUANTITY, &Text),
            "none",
            "quantities by name, for its conditions and its summary; each may use those before it",
        ),
        key("when", Text, "needed, or `levels`", "condition"),
        key("levels", Mapping(&LEVELS), "needed, or `when`", "conditions by severity; the highest that holds counts"),
        key("for", Span, "0", "how long it must hold first"),
        key("keep_firing_for", Span, "0", "how long it must stay clear before it is over"),
        key("clear", Text, "when it does not hold", "condition that ends it; never acts while it still holds"),
        key("severity", Word(SEVERITIES), "needed with `when`", "how urgent it is"),
        key("summary", Text, "none", "one line for people, with quantities between {{ }}"),
        key("runbook", Text, "the brand's", "what to do, shown in pages"),
        key("notify", TEXTS, "those of the config's routes", "receivers that are told, by name"),
        key("mode", Word(MODES), "live", "`shadow`, to try a rule: it is judged and counted, nobody is told"),
        key(
            "twin",
            Text,
            "the live rule whose name begins as its own",
            "live rule that one in shadow is compared with",
        ),
        key("shadow", Switch, "false", "written `mode: shadow` now"),
    ],
};

/// Conditions by severity.
const LEVELS: Table = Table {
    name: "levels",
    title: "of `levels`",
    keys: &[
        key("info", ONE_LEVEL, "none", "condition of severity info"),
        key("warn", ONE_LEVEL, "none", "condition of severity warn"),
        key("page", ONE_LEVEL, "none", "condition of severity page"),
    ],
};

const ONE_LEVEL: Kind = Either(&[Text, Mapping(&LEVEL)]);

/// One of them, with a time of its own.
pub(super) const LEVEL: Table = Table {
    name: "level",
    title: "of one of `levels`, where it is no text",
    keys: &[key("when", Text, NEEDED, "condition"), key("for", Span, "the rule's", "how long it must hold first")],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::Severity;
    use crate::base::rule::Dim;

    #[test]
    fn words_are_those_of_the_types() {
        assert_eq!(SEVERITIES, Severity::ALL.map(Severity::name));
        assert_eq!(DIMENSIONS, Dim::ALL.map(Dim::name));
        assert_eq!(LEVELS.allowed(), SEVERITIES);
    }
}
