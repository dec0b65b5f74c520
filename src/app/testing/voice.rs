//! Who speaks, and how: what several kinds of events say alike.

use super::{keys, reading};
use crate::base::limits;
use crate::base::yaml::{Data, Fields, Node, Reader};

/// How many follow whom: a median and the spread of the logarithm.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Followers {
    pub(super) median: f64,
    pub(super) spread: f64,
}

/// Who speaks, and how.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    /// Parts of the texts, 0..1; the others are neutral.
    pub(super) negative: f64,
    pub(super) positive: f64,
    pub(super) followers: Followers,
    /// The part of authors whose followers nobody knows.
    pub(super) unknown: f64,
    /// How many different people; `None`: a new one for every post.
    pub(super) authors: Option<u64>,
    pub(super) langs: Vec<(String, f64)>,
    pub(super) sources: Vec<(String, f64)>,
    /// Texts in turn; empty where they are made up.
    pub(super) texts: Vec<String>,
    pub(super) copies: bool,
    pub(super) names: bool,
    pub(super) tags: Vec<String>,
    pub(super) links: Vec<String>,
}

/// The source of posts of which nothing is said.
pub(super) const SOURCE: &str = "generated";

/// The keys of events that say this.
pub(super) const KEYS: [&str; 15] = [
    "negative",
    "positive",
    "followers",
    "unknown",
    "authors",
    "langs",
    "sources",
    "text",
    "texts",
    "copies",
    "names",
    "tags",
    "links",
    "brand",
    "for",
];

impl Voice {
    /// What an event says of it.
    pub(super) fn read(r: &mut Reader, fields: &Fields) -> Voice {
        let part = |r: &mut Reader, name: &str| {
            fields.get(name).and_then(|n| reading::part(r, n, &format!("`{name}`"))).unwrap_or(0.0)
        };
        let (negative, positive, unknown) = (part(r, "negative"), part(r, "positive"), part(r, "unknown"));
        if let Some(node) = fields.get("positive").filter(|_| negative + positive > 1.0 + 1e-9) {
            r.fault(node, "expected at most 100% of `negative` and `positive` together, found more");
        }
        let switch = |r: &mut Reader, name: &str, default: bool| {
            fields.get(name).map_or(default, |n| r.boolean(n, &format!("`{name}`")))
        };
        let (copies, names) = (switch(r, "copies", false), switch(r, "names", true));
        let list = |r: &mut Reader, name: &str| {
            fields.get(name).map(|n| reading::texts(r, n, &format!("`{name}`"))).unwrap_or_default()
        };
        let (mut texts, tags, links) = (list(r, "texts"), list(r, "tags"), list(r, "links"));
        match (fields.get("text"), fields.get("texts")) {
            (Some(node), Some(_)) => drop(r.fault(node, "expected `text` or `texts`, found both")),
            (Some(node), None) => texts.extend(r.text(node, "`text`").map(str::to_string)),
            _ => {}
        }
        for name in ["negative", "positive", "copies", "names"] {
            if let Some(node) = fields.get(name).filter(|_| !texts.is_empty()) {
                r.fault(node, format!("expected no `{name}` beside texts of your own, found one"));
            }
        }
        let weights = |r: &mut Reader, name: &str, default: &str| match fields.get(name) {
            Some(n) => reading::weights(r, n, &format!("`{name}`")),
            None => vec![(default.to_string(), 1.0)],
        };
        let (langs, sources) = (weights(r, "langs", "en"), weights(r, "sources", SOURCE));
        let authors = fields.get("authors").and_then(|n| at_least_one(r, n, "`authors`", limits::TEST_POSTS));
        let followers = fields.get("followers").and_then(|n| Followers::read(r, n)).unwrap_or_default();
        Voice { negative, positive, followers, unknown, authors, langs, sources, texts, copies, names, tags, links }
    }
}

/// A whole number from 1 on.
pub(super) fn at_least_one(r: &mut Reader, node: &Node, what: &str, most: u64) -> Option<u64> {
    let found = reading::count(r, node, what, most)?;
    if found == 0 {
        r.fault(node, format!("expected {what} of at least 1, found 0"));
        return None;
    }
    Some(found)
}

impl Default for Followers {
    fn default() -> Followers {
        Followers { median: 300.0, spread: 1.9 }
    }
}

impl Followers {
    fn read(r: &mut Reader, node: &Node) -> Option<Followers> {
        let most = limits::FOLLOWERS as f64;
        if !matches!(node.data, Data::Map(_)) {
            let median = reading::number(r, node, "`followers`", most)?;
            return Some(Followers { median, spread: 0.0 });
        }
        let fields = r.fields(node, "followers", &keys::FOLLOWERS.allowed());
        let mut out = Followers::default();
        if let Some(n) = fields.get("median") {
            out.median = reading::number(r, n, "`median`", most)?;
        }
        if let Some(n) = fields.get("spread") {
            out.spread = reading::number(r, n, "`spread`", 5.0)?;
        }
        Some(out)
    }

    /// Of one author, by a number of a bell curve.
    pub(super) fn of(self, bell: f64) -> u64 {
        let n = (self.median * (self.spread * bell).exp()).round();
        (n as u64).min(limits::FOLLOWERS)
    }
}
