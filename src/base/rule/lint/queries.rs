//! Queries that find nothing, or nearly everything.

use std::collections::BTreeMap;

use super::common::is_common;
use super::seen::{At, Brand, Seen, get, text};
use super::{Fold, Notes};
use crate::base::model::PostKind;
use crate::base::rule::expr::Compare;
use crate::base::rule::lint::interval::Interval;
use crate::base::rule::query::{Amount, Query, Term};

/// Longest phrase that is looked at word by word.
const PHRASE: usize = 16;

pub(super) fn warnings(seen: &Seen<'_, '_>, fold: Fold<'_>, out: &mut Notes) {
    for brand in seen.brands.iter().filter(|b| !b.group) {
        if out.is_full() {
            return;
        }
        let query = seen.query(brand, "query");
        if let Some((at, q)) = &query {
            let one = One { seen, at: *at, brand, fold };
            if one.dead(q, out) {
                continue;
            }
            one.parts(q, out);
            one.reposts(q, out);
            if get(brand.node, "broad").and_then(text) != Some("true") {
                one.broad(q, out);
            }
        }
        if let Some((at, x)) = seen.query(brand, "exclude") {
            let one = One { seen, at, brand, fold };
            if let Breadth::Broad(term) = breadth(&x, fold) {
                let what = format!(
                    "expected an `exclude` that leaves some posts, found `{term}`, which stands in nearly all of them"
                );
                out.add(seen, at, one.place(&term), what, format!("brand `{}` would find hardly anything", brand.slug));
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
        let Err(clash) = Facts::new(self.fold).may_be(q, true) else { return false };
        let what = format!("expected a query that can match, found {}", clash.shown());
        let hint = format!("brand `{}` finds nothing; {}", self.brand.slug, clash.advice());
        out.add(self.seen, self.at, self.place(&clash.second), what, hint);
        true
    }

    /// Alternatives that no post can match.
    fn parts(&self, q: &Query, out: &mut Notes) {
        match q {
            Query::Or(parts) => {
                for part in parts {
                    match Facts::new(self.fold).may_be(part, true) {
                        Ok(()) => self.parts(part, out),
                        Err(clash) => {
                            let what = format!("expected alternatives that can match, found {}", clash.shown());
                            let hint = format!("this alternative finds nothing; {}", clash.advice());
                            out.add(self.seen, self.at, self.place(&clash.second), what, hint);
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
            out.add(self.seen, self.at, self.place("kind:repost"), what.to_string(), hint);
        }
    }

    fn broad(&self, q: &Query, out: &mut Notes) {
        if let Breadth::Broad(term) = breadth(q, self.fold) {
            let what = format!(
                "expected a query that finds posts about one brand, found `{term}` as enough, which stands in very many texts"
            );
            let hint = "join it to a word that is the brand's own, or put both in quotes; broad: true if it is meant";
            out.add(self.seen, self.at, self.place(&term), what, hint);
        }
    }

    /// Whether `exclude` leaves nothing.
    fn excluded(&self, q: Query, x: Query, out: &mut Notes) {
        if Facts::new(self.fold).may_be(&q, true).is_err() {
            return;
        }
        let both = Query::all(vec![q, Query::Not(Box::new(x))]);
        if let Err(clash) = Facts::new(self.fold).may_be(&both, true) {
            let what = format!("expected an `exclude` that leaves some posts, found {}", clash.shown());
            let hint = format!("brand `{}` finds nothing; make `exclude` narrower", self.brand.slug);
            out.add(self.seen, self.at, 0, what, hint);
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
    /// Terms in their folded form, in the order taken: whether they hold, and how they are written.
    taken: Vec<(String, bool, String)>,
    /// How many of them hold and how many do not.
    counts: BTreeMap<String, (u32, u32)>,
    followers: Vec<Interval>,
}

impl<'f> Facts<'f> {
    fn new(fold: Fold<'f>) -> Facts<'f> {
        Facts { fold, taken: Vec::new(), counts: BTreeMap::new(), followers: vec![Interval::COUNT] }
    }

    /// Whether a query may come out as wanted, by what was taken so far.
    fn may_be(&mut self, q: &Query, wanted: bool) -> Result<(), Clash> {
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
        let written = q.to_string();
        let shown = if holds { written.clone() } else { format!("NOT {written}") };
        if let Query::Term(Term::Followers(op, Amount::Number(n))) = q {
            return self.take_followers(*op, *n, holds, shown);
        }
        let words = match q {
            Query::Term(Term::Phrase(p)) => Some(words(&(self.fold)(p))),
            _ => None,
        };
        if let Query::Term(Term::Phrase(p)) = q
            && holds
            && (self.fold)(p).trim().is_empty()
        {
            return Err(Clash { first: String::new(), second: written });
        }
        let name = match (q, &words) {
            (_, Some(words)) if !words.is_empty() => words.join(" "),
            (Query::Term(Term::Raw(_)), _) => written.clone(),
            _ => (self.fold)(&written),
        };
        let clash = self.against(q, &name, words.as_deref().unwrap_or(&[]), holds);
        if let Some(first) = clash {
            return Err(Clash { first, second: shown });
        }
        let count = self.counts.entry(name.clone()).or_default();
        if holds {
            count.0 += 1;
        } else {
            count.1 += 1;
        }
        self.taken.push((name, holds, shown));
        Ok(())
    }

    /// What was taken before and cannot stand beside this.
    fn against(&self, q: &Query, name: &str, words: &[String], holds: bool) -> Option<String> {
        let written = |name: &str, holds: bool| {
            self.taken.iter().find(|(n, h, _)| n == name && *h == holds).map(|(_, _, shown)| shown.clone())
        };
        let has =
            |name: &str, wanted: bool| self.counts.get(name).is_some_and(|c| if wanted { c.0 > 0 } else { c.1 > 0 });
        if has(name, !holds) {
            return written(name, !holds);
        }
        if let Query::Term(Term::Lang(_) | Term::Source(_) | Term::Kind(_)) = q
            && holds
        {
            // a post has one language, one source, one kind
            let field = name.split(':').next().unwrap_or("");
            let other = |n: &str| n.split(':').next() == Some(field) && n != name && !n.contains(' ');
            return self.taken.iter().find(|(n, h, _)| *h && other(n)).map(|(_, _, shown)| shown.clone());
        }
        if (2..=PHRASE).contains(&words.len()) && holds && self.taken.iter().any(|(_, holds, _)| !holds) {
            // a phrase holds each phrase within it
            let inner = (0..words.len()).flat_map(|from| (from + 1..=words.len()).map(move |to| (from, to)));
            let name = inner.map(|(from, to)| words[from..to].join(" ")).find(|part| has(part, false))?;
            return written(&name, false);
        }
        if !holds && !words.is_empty() {
            let within = |n: &str| n.len() > name.len() && format!(" {n} ").contains(&format!(" {name} "));
            return self
                .taken
                .iter()
                .take(64)
                .find(|(n, h, s)| *h && s.starts_with('"') && within(n))
                .map(|t| t.2.clone());
        }
        None
    }

    fn take_followers(&mut self, op: Compare, n: u64, holds: bool, shown: String) -> Result<(), Clash> {
        // what is not known passes no comparison, so little follows where one fails
        if !holds || op == Compare::Unequal {
            return Ok(());
        }
        let now = self.followers.last().copied().unwrap_or(Interval::COUNT);
        let left = now.meet(Interval::point(n as f64).side(op));
        if left.is_empty() {
            let first = self.taken.iter().rev().find(|(n, ..)| n == "followers:").map(|t| t.2.clone());
            return Err(Clash { first: first.unwrap_or_else(|| "followers".to_string()), second: shown });
        }
        self.followers.push(left);
        self.taken.push(("followers:".to_string(), true, shown));
        self.counts.entry("followers:".to_string()).or_default().0 += 1;
        Ok(())
    }

    fn release(&mut self, mark: (usize, usize)) {
        for (name, holds, _) in self.taken.drain(mark.0..) {
            if let Some(count) = self.counts.get_mut(&name) {
                let one = if holds { &mut count.0 } else { &mut count.1 };
                *one = one.saturating_sub(1);
            }
        }
        self.followers.truncate(mark.1);
    }
}

fn words(folded: &str) -> Vec<String> {
    folded.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).map(str::to_string).collect()
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
        Term::Phrase(p) => {
            let folded = fold(p);
            let words = words(&folded);
            // without a word: signs, or a single picture
            let bare = words.is_empty() && (1..=2).contains(&folded.trim().chars().count());
            bare || (1..=2).contains(&words.len()) && words.iter().all(|w| is_common(w))
        }
        Term::Raw(r) => r.trim().chars().count() == 1 && r.trim().chars().all(|c| c < '\u{2e80}'),
        Term::Url(u) => {
            let bare = u.trim_matches(['/', ':', '.']);
            bare.len() < 2 || ["http", "https", "www", "com", "https://www", "http://www", "html"].contains(&bare)
        }
        _ => false,
    }
}
