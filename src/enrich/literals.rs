//! Which literals a text must hold to match, for an index of texts.

use std::cmp::Reverse;

use super::Matcher;
use super::terms::Compiled;
use super::tree::Tree;
use crate::base::model::KeyId;

/// Fewest characters of a literal that an index of three characters each can find.
const INDEXED_CHARS: usize = 3;

impl Matcher {
    /// For each list, the folded text of every post that matches the query of `key` holds at least
    /// one of its literals. Literals have three characters or more; no lists: nothing is known.
    pub fn literals(&self, key: KeyId) -> Vec<Vec<&str>> {
        let tree = self.keys.iter().position(|k| *k == key).and_then(|i| self.trees.get(i));
        let mut all = tree.map_or(Vec::new(), |t| needs(t, &self.terms));
        // what can never hold is for the matcher to say
        all.retain(|any| !any.is_empty());
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// An empty list: nothing can match.
fn needs<'t>(tree: &Tree, terms: &'t [Option<Compiled>]) -> Vec<Vec<&'t str>> {
    let term = |i: &usize| terms.get(*i).and_then(Option::as_ref).map_or(Vec::new(), of_term);
    match tree {
        Tree::Term(i) => term(i),
        Tree::Near(_, a, b) => [a, b].into_iter().filter_map(|side| any(side.iter().map(term))).collect(),
        Tree::Never => vec![Vec::new()],
        Tree::Not(_) | Tree::Test(_) => Vec::new(),
        Tree::All(v) => v.iter().flat_map(|t| needs(t, terms)).collect(),
        Tree::Any(v) => any(v.iter().map(|t| needs(t, terms))).into_iter().collect(),
    }
}

/// Every piece that is long enough.
fn of_term(t: &Compiled) -> Vec<Vec<&str>> {
    t.pieces().filter(|p| p.chars().count() >= INDEXED_CHARS).map(|p| vec![p]).collect()
}

/// Of each alternative the list with the longest literals; `None` where one needs nothing.
fn any<'t>(each: impl Iterator<Item = Vec<Vec<&'t str>>>) -> Option<Vec<&'t str>> {
    let shortest = |list: &Vec<&str>| list.iter().map(|s| s.chars().count()).min().unwrap_or(usize::MAX);
    let mut all = Vec::new();
    for lists in each {
        all.extend(lists.into_iter().max_by_key(|l| (shortest(l), Reverse(l.len())))?);
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::account::key_id;
    use crate::base::rule::{RuleSet, SourceText};

    fn of(query: &str) -> String {
        let text = serde_json::json!({"brands": {"b": {"broad": true, "query": query}}}).to_string();
        let set = RuleSet::load(&[SourceText { file: "f".into(), text }]).unwrap().0;
        let matcher = Matcher::new(&set.brands);
        let lists = matcher.literals(key_id("b"));
        lists.iter().map(|l| l.join("|")).collect::<Vec<_>>().join(" & ")
    }

    #[test]
    fn a_query_needs_literals_of_its_text() {
        for (query, needed) in [
            ("United", "united"),
            ("\"United Air Lines\"", "air & lines & united"),
            ("united guitar", "guitar & united"),
            ("united OR @delta OR #fail", "#fail|@delta|united"),
            ("united (guitar OR \"lost bag\")", "guitar|lost & united"),
            ("united NEAR/3 (guitar OR bag)", "bag|guitar & united"),
            ("united lang:en NOT guitar", "united"),
            ("raw:US united", "united"),
            ("raw:USA", "usa"),
            ("日航便 OR 全日空", "全日空|日航便"),
            ("#ab", "#ab"),
        ] {
            assert_eq!(of(query), needed, "{query}");
        }
    }

    #[test]
    fn what_is_too_short_or_elsewhere_needs_nothing() {
        for query in [
            "us",
            "日航",
            "lang:en",
            "author:alice",
            "url:example",
            "united OR us",
            "united OR domain:x.y",
            "NOT united",
            "us NEAR/3 it",
        ] {
            assert_eq!(of(query), "", "{query}");
        }
        assert_eq!(of("us NEAR/3 united"), "united");
    }
}
