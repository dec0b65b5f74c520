//! From queries to the matcher: terms numbered once, one search a kind, required literals.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use smallvec::SmallVec;

use super::links::{self, LinkTerm};
use super::matcher::Matcher;
use super::prefilter::Prefilter;
use super::terms::Compiled;
use super::tree::{Test, Tree};
use crate::base::account::entry_hashes;
use crate::base::hash::{HashedMap, HashedSet};
use crate::base::model::KeyId;
use crate::base::rule::Brand;
use crate::base::rule::query::{Amount, Query, Term};

/// What an account is to a brand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Own,
    Staff,
}

/// How a numbered term is found.
enum Kind {
    Text(Box<Compiled>),
    Link(LinkTerm),
    Author(String),
    To(String),
}

/// Terms by the hash of an account they name.
type ByAccount = HashedMap<u64, SmallVec<[usize; 2]>>;

#[derive(Default)]
struct Builder<'q> {
    terms: Vec<Kind>,
    numbers: BTreeMap<&'q Term, Option<usize>>,
    brands_of: Vec<SmallVec<[u32; 2]>>,
    placed: Vec<usize>,
}

pub(super) fn matcher(brands: &[Brand]) -> Matcher {
    let mut b = Builder::default();
    let trees: Vec<Tree> = (0u32..).zip(brands).map(|(i, brand)| b.tree(&brand.query, i, brand.key)).collect();
    let (mut required, mut always) = (Vec::new(), Vec::new());
    for (i, tree) in (0u32..).zip(&trees) {
        match required_terms(tree, &b.terms) {
            Some(terms) => required.extend(terms),
            None => always.push(i),
        }
    }
    required.sort_unstable();
    required.dedup();
    let roles = roles(brands);
    let prefilter = b.prefilter(&required, !always.is_empty());
    let wanted = b.wanted(&required, &roles);
    let mut patterns: BTreeMap<&str, SmallVec<[usize; 2]>> = BTreeMap::new();
    let mut links = Vec::new();
    let (mut by_author, mut by_to) = (ByAccount::default(), ByAccount::default());
    for (i, kind) in b.terms.iter().enumerate() {
        match kind {
            Kind::Text(t) => patterns.entry(t.anchor()).or_default().push(i),
            Kind::Link(l) => links.push((i, l.clone())),
            Kind::Author(a) => entry_hashes(a).into_iter().for_each(|h| by_author.entry(h).or_default().push(i)),
            Kind::To(a) => entry_hashes(a).into_iter().for_each(|h| by_to.entry(h).or_default().push(i)),
        }
    }
    let text = AhoCorasick::builder().match_kind(MatchKind::Standard).build(patterns.keys()).ok();
    let by_pattern = patterns.into_values().collect();
    let mut placed = vec![false; b.terms.len()];
    for term in &b.placed {
        if let Some(p) = placed.get_mut(*term) {
            *p = true;
        }
    }
    let terms = b.terms.into_iter().map(|k| if let Kind::Text(t) = k { Some(*t) } else { None }).collect();
    Matcher {
        keys: brands.iter().map(|b| b.key).collect(),
        trees,
        brands_of: b.brands_of,
        always,
        text,
        by_pattern,
        terms,
        placed,
        links: links::Search::new(links, &required),
        by_author,
        by_to,
        roles,
        prefilter,
        wanted,
    }
}

fn roles(brands: &[Brand]) -> HashedMap<u64, SmallVec<[(u32, Role); 1]>> {
    let mut roles: HashedMap<u64, SmallVec<[(u32, Role); 1]>> = HashedMap::default();
    for (i, brand) in (0u32..).zip(brands) {
        let own = brand.own.iter().map(|a| (a, Role::Own));
        for (account, role) in own.chain(brand.staff.iter().map(|a| (a, Role::Staff))) {
            for h in entry_hashes(account) {
                roles.entry(h).or_default().push((i, role));
            }
        }
    }
    roles
}

impl<'q> Builder<'q> {
    fn tree(&mut self, q: &'q Query, brand: u32, key: KeyId) -> Tree {
        match q {
            Query::And(v) => Tree::All(v.iter().map(|q| self.tree(q, brand, key)).collect()),
            Query::Or(v) => Tree::Any(v.iter().map(|q| self.tree(q, brand, key)).collect()),
            Query::Not(q) => Tree::Not(Box::new(self.tree(q, brand, key))),
            Query::Near(n, a, b) => {
                let a: Vec<usize> = a.iter().filter_map(|t| self.number(t, brand)).collect();
                let b: Vec<usize> = b.iter().filter_map(|t| self.number(t, brand)).collect();
                self.placed.extend(a.iter().chain(&b));
                Tree::Near(*n, a, b)
            }
            Query::Term(t) => self.term(t, brand, key),
        }
    }

    fn term(&mut self, t: &'q Term, brand: u32, key: KeyId) -> Tree {
        let test = match t {
            Term::Lang(x) => Test::Lang(x.clone()),
            Term::Source(x) => Test::Source(x.clone()),
            Term::Kind(k) => Test::Kind(*k),
            Term::Followers(op, Amount::Number(n)) => Test::Followers(*op, *n),
            Term::Followers(..) => return Tree::Never,
            Term::To(x) if x == "own" => Test::ToOwn(key),
            _ => {
                let Some(number) = self.number(t, brand) else { return Tree::Never };
                let found = Tree::Term(number);
                return match t {
                    Term::Raw(x) => Tree::All(vec![found, Tree::Test(Test::Raw(x.clone()))]),
                    _ => found,
                };
            }
        };
        Tree::Test(test)
    }

    /// The number of a term; `None` if it can never be found.
    fn number(&mut self, t: &'q Term, brand: u32) -> Option<usize> {
        let number = match self.numbers.get(t) {
            Some(known) => *known,
            None => {
                let number = kind(t).map(|kind| {
                    self.terms.push(kind);
                    self.brands_of.push(SmallVec::new());
                    self.terms.len() - 1
                });
                self.numbers.insert(t, number);
                number
            }
        }?;
        if let Some(brands) = self.brands_of.get_mut(number)
            && brands.last() != Some(&brand)
        {
            brands.push(brand);
        }
        Some(number)
    }

    fn prefilter(&self, required: &[usize], everything: bool) -> Prefilter {
        let texts = required.iter().filter_map(|t| self.terms.get(*t));
        let literals: Vec<&str> =
            texts.filter_map(|k| if let Kind::Text(t) = k { Some(t.raw_literal()) } else { None }).collect();
        Prefilter::new(&literals, everything)
    }

    /// Accounts that make a frame worth a parse: those queries require, and own ones.
    fn wanted(&self, required: &[usize], roles: &HashedMap<u64, SmallVec<[(u32, Role); 1]>>) -> HashedSet<u64> {
        let named = required.iter().filter_map(|t| self.terms.get(*t));
        let hashes = named.flat_map(|k| match k {
            Kind::Author(a) | Kind::To(a) => entry_hashes(a).to_vec(),
            _ => Vec::new(),
        });
        let own = roles.iter().filter(|(_, r)| r.iter().any(|(_, role)| *role == Role::Own)).map(|(h, _)| *h);
        hashes.chain(own).collect()
    }
}

fn kind(t: &Term) -> Option<Kind> {
    Some(match t {
        Term::Url(x) => Kind::Link(LinkTerm::Part(x.clone())),
        Term::Domain(x) => Kind::Link(LinkTerm::Host(x.clone())),
        Term::Author(x) => Kind::Author(x.clone()),
        Term::To(x) => Kind::To(x.clone()),
        _ => Kind::Text(Box::new(Compiled::new(t)?)),
    })
}

/// Terms of which every matching post holds at least one; the choice with the longest literals.
/// `None` where there is no such choice. Answers to own accounts are found by the accounts.
fn required_terms(tree: &Tree, terms: &[Kind]) -> Option<Vec<usize>> {
    let length = |t: &usize| match terms.get(*t) {
        Some(Kind::Text(c)) => c.raw_literal().len(),
        Some(Kind::Link(LinkTerm::Part(s) | LinkTerm::Host(s))) => s.len(),
        Some(Kind::Author(_) | Kind::To(_)) => 32,
        None => 0,
    };
    let shortest = |set: &Vec<usize>| set.iter().map(length).min().unwrap_or(usize::MAX);
    let best = |sets: Vec<Vec<usize>>| sets.into_iter().max_by_key(|s| (shortest(s), usize::MAX - s.len()));
    match tree {
        Tree::Term(i) => Some(vec![*i]),
        Tree::Near(_, a, b) => best(vec![a.clone(), b.clone()]),
        Tree::Never | Tree::Test(Test::ToOwn(_)) => Some(Vec::new()),
        Tree::Not(_) | Tree::Test(_) => None,
        Tree::All(v) => best(v.iter().filter_map(|t| required_terms(t, terms)).collect()),
        Tree::Any(v) => {
            let mut all = Vec::new();
            for t in v {
                all.extend(required_terms(t, terms)?);
            }
            Some(all)
        }
    }
}
