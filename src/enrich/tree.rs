//! Queries over numbered terms, and what is asked of a post besides its text.

use std::cell::OnceCell;

use crate::base::folding::{is_bound, is_word};
use crate::base::limits;
use crate::base::model::{KeyId, Post, PostKind};
use crate::base::rule::expr::Compare;

/// A query over numbered terms.
pub(super) enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    /// A term that was found, or not, while searching.
    Term(usize),
    /// Terms with at most so many words between them.
    Near(u32, Vec<usize>, Vec<usize>),
    /// Something that is looked at only if the rest depends on it.
    Test(Test),
    Never,
}

/// A test of a post.
pub(super) enum Test {
    /// These characters as words.
    Raw(String),
    Lang(String),
    Source(String),
    Kind(PostKind),
    Followers(Compare, u64),
    /// It answers or quotes an account of the brand.
    ToOwn(KeyId),
}

/// What was found of a post.
pub(super) struct Found<'f> {
    pub(super) post: &'f Post<'f>,
    pub(super) folded: &'f str,
    /// Whether a term was found.
    pub(super) hit: &'f dyn Fn(usize) -> bool,
    /// Where terms of NEAR were found: term, start, end.
    pub(super) places: &'f [(usize, usize, usize)],
    /// Keys whose own accounts it answers or quotes.
    pub(super) to: &'f [KeyId],
    /// Where words of the folded text begin, once that was asked for.
    pub(super) starts: OnceCell<Vec<usize>>,
}

impl Tree {
    pub(super) fn holds(&self, f: &Found<'_>) -> bool {
        match self {
            Tree::All(v) => v.iter().all(|t| t.holds(f)),
            Tree::Any(v) => v.iter().any(|t| t.holds(f)),
            Tree::Not(t) => !t.holds(f),
            Tree::Term(i) => (f.hit)(*i),
            Tree::Near(n, a, b) => near(*n, a, b, f),
            Tree::Test(t) => t.holds(f),
            Tree::Never => false,
        }
    }
}

impl Test {
    fn holds(&self, f: &Found<'_>) -> bool {
        let p = f.post;
        match self {
            Test::Raw(exact) => stands_exactly(&p.text, exact),
            Test::Lang(x) => p.lang.as_deref() == Some(x),
            Test::Source(x) => p.source == **x,
            Test::Kind(k) => p.kind == *k,
            Test::Followers(op, n) => p.followers.is_some_and(|f| op.holds(f, *n)),
            Test::ToOwn(key) => f.to.contains(key),
        }
    }
}

fn stands_exactly(text: &str, exact: &str) -> bool {
    text.match_indices(exact).any(|(i, _)| {
        let before = text.get(..i).and_then(|s| s.chars().next_back());
        let after = text.get(i + exact.len()..).and_then(|s| s.chars().next());
        is_bound(before, exact.chars().next()) && is_bound(exact.chars().next_back(), after)
    })
}

/// Whether a place of one list and a place of the other, not overlapping, have at most `n` words
/// between them.
fn near(n: u32, a: &[usize], b: &[usize], f: &Found<'_>) -> bool {
    let of = |list: &[usize]| -> Vec<(usize, usize)> {
        f.places.iter().filter(|(t, ..)| list.contains(t)).map(|(_, s, e)| (*s, *e)).take(limits::NEAR_SIDE).collect()
    };
    let (a, b) = (of(a), of(b));
    if a.is_empty() || b.is_empty() {
        return false;
    }
    let starts = f.starts.get_or_init(|| word_starts(f.folded));
    let between = |end: usize, start: usize| {
        let words = starts.partition_point(|s| *s < start) - starts.partition_point(|s| *s < end);
        words <= n as usize
    };
    a.iter().any(|x| b.iter().any(|y| (x.1 <= y.0 && between(x.1, y.0)) || (y.1 <= x.0 && between(y.1, x.0))))
}

fn word_starts(text: &str) -> Vec<usize> {
    let mut before = None;
    let mut out = Vec::new();
    for (i, c) in text.char_indices() {
        if is_word(c) && is_bound(before, Some(c)) {
            out.push(i);
        }
        before = Some(c);
    }
    out
}
