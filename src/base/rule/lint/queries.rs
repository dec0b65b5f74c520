//! Queries that find nothing, or nearly everything.

use std::collections::BTreeMap;

use super::common::is_common;
use super::phrase::Phrase;
use super::seen::{At, Brand, Seen, get, text};
use super::{Fold, Kind, Notes, Work};
use crate::base::model::PostKind;
use crate::base::rule::expr::Compare;
use crate::base::rule::lint::interval::Interval;
use crate::base::rule::query::{Amount, Query, Term};

/// So many words of a phrase are looked up among phrases that may stand in it.
const PHRASE: usize = 16;
/// What it costs to take a term for true, in steps of [`Work`].
const TERM: usize = 30;

pub(super) fn warnings(seen: &Seen<'_, '_>, work: &Work, fold: Fold<'_>, out: &mut Notes) {
    for brand in seen.brands.iter().filter(|b| !b.group) {
        if work.is_spent() {
            return;
        }
        let query = seen.query(brand, "query");
        if let Some((at, q)) = &query {
            let one = One { seen, at: *at, brand, fold, work };
            if one.dead(q, out) {
                continue;
            }
            one.parts(q, out);
            one.reposts(q, out);
            one.answers(q, out);
            if get(brand.node, "broad").and_then(text) != Some("true") {
                one.broad(q, out);
            }
        }
        if let Some((at, x)) = seen.query(brand, "exclude") {
            let one = One { seen, at, brand, fold, work };
            if let Breadth::Broad(term) = breadth(&x, fold) {
                let what = format!(
                    "expected an `exclude` that leaves some posts, found `{term}`, which stands in nearly all of them"
                );
                out.add(
                    seen,
                    Kind::Query,
                    at,
                    one.place(&term),
                    what,
                    format!("brand `{}` would find hardly anything", brand.slug),
                );
            } else if let Some((_, q)) = query {
                one.excluded(q, x, out);
            }
        }
    }
}

/// One query.
struct One<'o, 'n, 's> {
    seen: &'o Seen<'n, 's>,
    at: At<'n>,
    brand: &'o Brand<'n>,
    fold: Fold<'o>,
    work: &'o Work,
}

impl One<'_, '_, '_> {
    /// Where a term is written, as far as that can be told.
    fn place(&self, term: &str) -> usize {
        let source = text(self.at.1).unwrap_or("");
        let bare = term.trim_matches('"');
        source.rfind(term).or_else(|| source.rfind(bare)).unwrap_or(0)
    }

    /// Whether no post can match.
    fn dead(&self, q: &Query, out: &mut Notes) -> bool {
        let Err(clash) = Facts::new(self.fold, self.work).may_be(q, true) else { return false };
        let what = format!("expected a query that can match, found {}", clash.shown());
        let hint = format!("brand `{}` finds nothing; {}", self.brand.slug, clash.advice());
        out.add(self.seen, Kind::Query, self.at, self.place(&clash.second), what, hint);
        true
    }

    /// Alternatives that no post can match.
    fn parts(&self, q: &Query, out: &mut Notes) {
        match q {
            Query::Or(parts) => {
                for part in parts {
                    match Facts::new(self.fold, self.work).may_be(part, true) {
                        Ok(()) => self.parts(part, out),
                        Err(clash) => {
                            let what = format!("expected alternatives that can match, found {}", clash.shown());
                            let hint = format!("this alternative finds nothing; {}", clash.advice());
                            out.add(self.seen, Kind::Query, self.at, self.place(&clash.second), what, hint);
                        }
                    }
                }
            }
            Query::And(parts) => parts.iter().for_each(|p| self.parts(p, out)),
            _ => {}
        }
    }

    /// Reposts have no text of their own.
    fn reposts(&self, q: &Query, out: &mut Notes) {
        let Query::And(parts) = q else { return };
        let only = parts.iter().any(|p| matches!(p, Query::Term(Term::Kind(PostKind::Repost))));
        let of_text = |p: &Query| matches!(p, Query::Near(..)) || matches!(p, Query::Term(t) if t.is_text());
        if only && parts.iter().any(of_text) {
            let what = "expected posts that have a text, found `kind:repost` beside a word";
            let hint = "a repost without a text of its own matches nothing by itself; it is counted where it repeats a post \
                        that matches";
            out.add(self.seen, Kind::Query, self.at, self.place("kind:repost"), what.to_string(), hint);
        }
    }

    /// Answers to own accounts, where no account is the brand's own.
    fn answers(&self, q: &Query, out: &mut Notes) {
        match q {
            Query::And(parts) | Query::Or(parts) => parts.iter().for_each(|p| self.answers(p, out)),
            Query::Not(inner) => self.answers(inner, out),
            Query::Term(Term::To(to)) if to == "own" && get(self.brand.node, "own").is_none() => {
                let what = format!("expected `own` in brand `{}`, found none beside `to:own`", self.brand.slug);
                let hint = "`to:own` finds nothing without; own: lists the brand's accounts";
                out.add(self.seen, Kind::Query, self.at, self.place("to:own"), what, hint);
            }
            _ => {}
        }
    }

    fn broad(&self, q: &Query, out: &mut Notes) {
        if let Breadth::Broad(term) = breadth(q, self.fold) {
            let what = format!(
                "expected a query that finds posts about one brand, found `{term}` as enough, which stands in very many texts"
            );
            let hint = "join it to a word that is the brand's own, or put both in quotes; broad: true if it is meant";
            out.add(self.seen, Kind::Query, self.at, self.place(&term), what, hint);
        }
    }

    /// Whether `exclude` leaves nothing.
    fn excluded(&self, q: Query, x: Query, out: &mut Notes) {
        if Facts::new(self.fold, self.work).may_be(&q, true).is_err() {
            return;
        }
        let both = Query::all(vec![q, Query::Not(Box::new(x))]);
        if let Err(clash) = Facts::new(self.fold, self.work).may_be(&both, true) {
            let what = format!("expected an `exclude` that leaves some posts, found {}", clash.shown());
            let hint = format!("brand `{}` finds nothing; make `exclude` narrower", self.brand.slug);
            out.add(self.seen, Kind::Query, self.at, 0, what, hint);
        }
    }
}

/// What cannot be true of one post together.
struct Clash {
    first: String,
    second: String,
}

impl Clash {
    fn shown(&self) -> String {
        match self.first.as_str() {
            "" => format!("`{}`, which no text holds", self.second),
            first => format!("`{first}` and `{}`, which no post has together", self.second),
        }
    }

    fn advice(&self) -> &'static str {
        if self.first.is_empty() {
            "only characters that are shown are looked for"
        } else {
            "write OR between what may stand alone"
        }
    }
}

/// What is taken for true of a post while the parts of a query are looked at.
struct Facts<'f> {
    fold: Fold<'f>,
    work: &'f Work,
    /// In the order taken.
    taken: Vec<Taken>,
    /// How many terms hold and how many do not, by name.
    counts: BTreeMap<String, (u32, u32)>,
    /// Phrases that hold by each of their words, and those that do not by their first, by place in `taken`.
    by_word: BTreeMap<(bool, String), Vec<usize>>,
    followers: Vec<Interval>,
}

/// A term taken for true or false.
struct Taken {
    /// In its folded form.
    name: String,
    holds: bool,
    /// As it is written.
    shown: String,
    phrase: Option<Phrase>,
    /// What texts that hold the phrase hold at least.
    text: String,
    /// The words it is looked up by.
    words: Vec<String>,
}

impl<'f> Facts<'f> {
    fn new(fold: Fold<'f>, work: &'f Work) -> Facts<'f> {
        let followers = vec![Interval::COUNT];
        Facts { fold, work, taken: Vec::new(), counts: BTreeMap::new(), by_word: BTreeMap::new(), followers }
    }

    /// Whether a query may come out as wanted, by what was taken so far.
    fn may_be(&mut self, q: &Query, wanted: bool) -> Result<(), Clash> {
        if self.work.is_spent() {
            return Ok(());
        }
        match q {
            Query::Not(inner) => self.may_be(inner, !wanted),
            Query::And(parts) if wanted => self.all(parts, wanted),
            Query::Or(parts) if !wanted => self.all(parts, wanted),
            Query::And(parts) | Query::Or(parts) => {
                let mut first = None;
                for part in parts {
                    match self.may_be(part, wanted) {
                        Ok(()) => return Ok(()),
                        Err(clash) => first = first.or(Some(clash)),
                    }
                }
                first.map_or(Ok(()), Err)
            }
            Query::Term(_) | Query::Near(..) => {
                let mark = (self.taken.len(), self.followers.len());
                let found = self.take(q, wanted);
                self.release(mark);
                found
            }
        }
    }

    /// All of these: what is certain first, then what has alternatives.
    fn all(&mut self, parts: &[Query], wanted: bool) -> Result<(), Clash> {
        let mark = (self.taken.len(), self.followers.len());
        let mut found = Ok(());
        let mut later = Vec::new();
        for part in parts {
            let (inner, wanted) = if let Query::Not(x) = part { (&**x, !wanted) } else { (part, wanted) };
            match inner {
                Query::Term(_) | Query::Near(..) => found = found.and_then(|()| self.take(inner, wanted)),
                _ => later.push((inner, wanted)),
            }
        }
        for (part, wanted) in later {
            found = found.and_then(|()| self.may_be(part, wanted));
        }
        self.release(mark);
        found
    }

    fn take(&mut self, q: &Query, holds: bool) -> Result<(), Clash> {
        self.work.spend(TERM);
        let written = q.to_string();
        let shown = if holds { written.clone() } else { format!("NOT {written}") };
        if let Query::Term(Term::Followers(op, Amount::Number(n))) = q {
            return self.take_followers(*op, *n, holds, shown);
        }
        let phrase = if let Query::Term(t) = q { Phrase::of(t, self.fold) } else { None };
        if holds && phrase.as_ref().is_some_and(Phrase::is_empty) {
            return Err(Clash { first: String::new(), second: written });
        }
        let name = match (q, &phrase) {
            (Query::Term(Term::Phrase(_)), Some(phrase)) if !phrase.is_empty() => format!("\"{}\"", phrase.name()),
            (Query::Term(t), _) if !t.is_text() => written.clone(),
            _ => (self.fold)(&written),
        };
        // in another case it may stand there all the same
        let phrase = phrase.filter(|p| holds || p.anywhere);
        let mut words: Vec<String> = phrase.iter().flat_map(Phrase::words).take(PHRASE).map(str::to_string).collect();
        if holds {
            words.sort_unstable();
            words.dedup();
        } else {
            words.truncate(1);
        }
        let text = phrase.as_ref().map_or(String::new(), Phrase::text);
        let one = Taken { name, holds, shown, phrase, text, words };
        match self.against(q, &one) {
            Some(first) => Err(Clash { first, second: one.shown }),
            None => {
                self.push(one);
                Ok(())
            }
        }
    }

    fn push(&mut self, one: Taken) {
        let count = self.counts.entry(one.name.clone()).or_default();
        *(if one.holds { &mut count.0 } else { &mut count.1 }) += 1;
        for word in &one.words {
            self.by_word.entry((one.holds, word.clone())).or_default().push(self.taken.len());
        }
        self.taken.push(one);
    }

    /// What was taken before and cannot stand beside this.
    fn against(&self, q: &Query, one: &Taken) -> Option<String> {
        let count = self.counts.get(&one.name).copied().unwrap_or_default();
        if (if one.holds { count.1 } else { count.0 }) > 0 {
            self.work.spend(self.taken.len());
            let other = self.taken.iter().find(|t| t.name == one.name && t.holds != one.holds);
            return other.map(|t| t.shown.clone());
        }
        if let Query::Term(Term::Lang(_) | Term::Source(_) | Term::Kind(_)) = q
            && one.holds
        {
            // a post has one language, one source, one kind
            self.work.spend(self.taken.len());
            let field = one.name.split(':').next().unwrap_or("");
            let other = |n: &str| n.split(':').next() == Some(field) && n != one.name;
            return self
                .taken
                .iter()
                .find(|t| t.holds && t.phrase.is_none() && other(&t.name))
                .map(|t| t.shown.clone());
        }
        // a text that holds a phrase holds each phrase that stands in it
        let clashes = |other: &&Taken| {
            self.work.spend(2);
            let (inner, outer) = if one.holds { (*other, one) } else { (one, *other) };
            inner.phrase.as_ref().is_some_and(|p| p.stands_in(&outer.text))
        };
        let near = one.words.iter().filter_map(|w| self.by_word.get(&(!one.holds, w.clone()))).flatten();
        near.filter_map(|i| self.taken.get(*i)).find(clashes).map(|t| t.shown.clone())
    }

    fn take_followers(&mut self, op: Compare, n: u64, holds: bool, shown: String) -> Result<(), Clash> {
        // what is not known passes no comparison, so little follows where one fails
        if !holds || op == Compare::Unequal {
            return Ok(());
        }
        let now = self.followers.last().copied().unwrap_or(Interval::COUNT);
        let left = now.meet(Interval::point(n as f64).side(op));
        if left.is_empty() {
            let first = self.taken.iter().rev().find(|t| t.name == "followers:").map(|t| t.shown.clone());
            return Err(Clash { first: first.unwrap_or_else(|| "followers".to_string()), second: shown });
        }
        self.followers.push(left);
        let (name, text) = ("followers:".to_string(), String::new());
        self.push(Taken { name, holds: true, shown, phrase: None, text, words: Vec::new() });
        Ok(())
    }

    fn release(&mut self, mark: (usize, usize)) {
        for one in self.taken.drain(mark.0.min(self.taken.len())..).rev() {
            if let Some(count) = self.counts.get_mut(&one.name) {
                let n = if one.holds { &mut count.0 } else { &mut count.1 };
                *n = n.saturating_sub(1);
            }
            for word in one.words {
                self.by_word.get_mut(&(one.holds, word)).map(Vec::pop);
            }
        }
        self.followers.truncate(mark.1);
    }
}

/// How much a query finds.
enum Breadth {
    /// Posts with a word of their own.
    Narrow,
    /// It takes posts out of what others find.
    Neutral,
    /// This alone is enough, and stands nearly everywhere.
    Broad(String),
}

fn breadth(q: &Query, fold: Fold<'_>) -> Breadth {
    match q {
        Query::Term(t) if !t.is_literal() => Breadth::Neutral,
        Query::Term(t) if is_broad(t, fold) => Breadth::Broad(t.to_string()),
        Query::Term(_) => Breadth::Narrow,
        Query::Not(_) => Breadth::Neutral,
        Query::Near(_, a, b) => {
            let broad = |side: &[Term]| side.iter().find(|t| is_broad(t, fold)).map(Term::to_string);
            match (broad(a), broad(b)) {
                (Some(term), Some(_)) => Breadth::Broad(term),
                _ => Breadth::Narrow,
            }
        }
        Query::And(parts) => {
            let mut out = Breadth::Neutral;
            for part in parts {
                match (breadth(part, fold), &out) {
                    (Breadth::Narrow, _) => return Breadth::Narrow,
                    (Breadth::Broad(t), Breadth::Neutral) => out = Breadth::Broad(t),
                    _ => {}
                }
            }
            out
        }
        Query::Or(parts) => {
            let found = parts.iter().map(|p| breadth(p, fold)).find(|b| matches!(b, Breadth::Broad(_)));
            found.unwrap_or(Breadth::Narrow)
        }
    }
}

/// Whether a term stands in very many posts.
fn is_broad(t: &Term, fold: Fold<'_>) -> bool {
    match t {
        Term::Phrase(p) => is_common_phrase(&fold(p)),
        // in capitals it is a name: raw:"IT"
        Term::Raw(r) => {
            is_common_phrase(&fold(r)) && r.split_whitespace().all(|w| !w.chars().skip(1).any(char::is_uppercase))
        }
        Term::Url(u) => {
            let bare = u.trim_matches(['/', ':', '.']);
            bare.len() < 2 || ["http", "https", "www", "com", "https://www", "http://www", "html"].contains(&bare)
        }
        _ => false,
    }
}

/// Whether a folded phrase is nothing but a common word or two: `at&t` and `c++` are names.
fn is_common_phrase(folded: &str) -> bool {
    let words: Vec<&str> = folded.split_whitespace().collect();
    (1..=2).contains(&words.len()) && words.iter().all(|w| is_common(w))
}
