//! All queries in one pass over a text.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use smallvec::SmallVec;

use super::folding::fold;
use super::prefilter::Prefilter;
use super::terms::Compiled;
use crate::base::limits;
use crate::base::model::KeyId;
use crate::base::rule::Brand;
use crate::base::rule::query::Query;

/// A query over numbered terms.
enum Tree {
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
    Term(usize),
    Never,
}

/// All queries of a rule set, compiled.
pub struct Matcher {
    search: Option<AhoCorasick>,
    /// Terms by the pattern that is their anchor.
    by_pattern: Vec<SmallVec<[usize; 2]>>,
    terms: Vec<Compiled>,
    /// Brands whose queries name a term.
    brands_of: Vec<SmallVec<[u32; 2]>>,
    trees: Vec<Tree>,
    /// Brands that are looked at for every text.
    always: Vec<u32>,
    prefilter: Prefilter,
}

/// Working memory of one thread.
#[derive(Default)]
pub struct Scratch {
    round: u32,
    hits: Vec<u32>,
    candidates: Vec<u32>,
}

#[derive(Default)]
struct Builder<'q> {
    terms: Vec<Compiled>,
    numbers: BTreeMap<&'q crate::base::rule::query::Term, Option<usize>>,
    brands_of: Vec<SmallVec<[u32; 2]>>,
}

impl Matcher {
    /// Compiles the queries of brands; a key is a place in the list.
    pub fn new(brands: &[Brand]) -> Matcher {
        let mut b = Builder::default();
        let trees: Vec<Tree> = (0u32..).zip(brands).map(|(i, brand)| b.tree(&brand.query, i)).collect();
        let mut required: Vec<usize> = Vec::new();
        let mut always = Vec::new();
        for (i, tree) in (0u32..).zip(&trees) {
            match required_terms(tree, &b.terms) {
                Some(terms) => required.extend(terms),
                None => always.push(i),
            }
        }
        required.sort_unstable();
        required.dedup();
        let literals: Vec<&str> = required.iter().filter_map(|t| b.terms.get(*t)).map(Compiled::raw_literal).collect();
        let prefilter = Prefilter::new(&literals, !always.is_empty());
        let mut patterns: BTreeMap<&str, SmallVec<[usize; 2]>> = BTreeMap::new();
        for (i, term) in b.terms.iter().enumerate() {
            patterns.entry(term.anchor()).or_default().push(i);
        }
        let search = AhoCorasick::builder().match_kind(MatchKind::Standard).build(patterns.keys()).ok();
        let by_pattern = patterns.into_values().collect();
        Matcher { search, by_pattern, brands_of: b.brands_of, terms: b.terms, trees, always, prefilter }
    }

    /// Whether the raw bytes of a frame can match once decoded. Never wrong in saying no.
    pub fn may_match(&self, frame: &str) -> bool {
        self.prefilter.may_match(frame)
    }

    /// The brands whose queries match a text with tags beside it.
    pub fn matches(&self, text: &str, tags: &[std::borrow::Cow<'_, str>], s: &mut Scratch) -> SmallVec<[KeyId; 2]> {
        let cut = text.get(..text.floor_char_boundary(limits::SCORED_TEXT_BYTES)).unwrap_or(text);
        let folded = if tags.is_empty() { fold(cut) } else { fold(&with_tags(cut, tags)).into_owned().into() };
        s.begin(self.terms.len(), &self.always);
        if let Some(search) = &self.search {
            for m in search.find_overlapping_iter(&*folded) {
                for term in self.by_pattern.get(m.pattern().as_usize()).into_iter().flatten() {
                    self.hit(*term, &folded, m.start(), s);
                }
            }
        }
        s.candidates.sort_unstable();
        s.candidates.dedup();
        let holds = |b: &&u32| self.trees.get(**b as usize).is_some_and(|t| t.holds(s));
        s.candidates.iter().filter(holds).map(|b| KeyId(*b)).take(limits::KEYS_PER_POST).collect()
    }

    fn hit(&self, term: usize, text: &str, start: usize, s: &mut Scratch) {
        let Some(stamp) = s.hits.get_mut(term) else { return };
        if *stamp != s.round && self.terms.get(term).is_some_and(|t| t.stands(text, start)) {
            *stamp = s.round;
            s.candidates.extend(self.brands_of.get(term).into_iter().flatten());
        }
    }
}

impl Scratch {
    fn begin(&mut self, terms: usize, always: &[u32]) {
        if self.round == u32::MAX || self.hits.len() != terms {
            self.hits = vec![0; terms];
            self.round = 0;
        }
        self.round += 1;
        self.candidates.clear();
        self.candidates.extend_from_slice(always);
    }
}

impl<'q> Builder<'q> {
    fn tree(&mut self, q: &'q Query, brand: u32) -> Tree {
        match q {
            Query::And(v) => Tree::All(v.iter().map(|q| self.tree(q, brand)).collect()),
            Query::Or(v) => Tree::Any(v.iter().map(|q| self.tree(q, brand)).collect()),
            Query::Not(q) => Tree::Not(Box::new(self.tree(q, brand))),
            Query::Term(t) => {
                let number = *self.numbers.entry(t).or_insert_with(|| {
                    let compiled = Compiled::new(t)?;
                    self.terms.push(compiled);
                    self.brands_of.push(SmallVec::new());
                    Some(self.terms.len() - 1)
                });
                let Some(number) = number else { return Tree::Never };
                if let Some(brands) = self.brands_of.get_mut(number)
                    && brands.last() != Some(&brand)
                {
                    brands.push(brand);
                }
                Tree::Term(number)
            }
        }
    }
}

impl Tree {
    fn holds(&self, s: &Scratch) -> bool {
        match self {
            Tree::All(v) => v.iter().all(|t| t.holds(s)),
            Tree::Any(v) => v.iter().any(|t| t.holds(s)),
            Tree::Not(t) => !t.holds(s),
            Tree::Term(i) => s.hits.get(*i) == Some(&s.round),
            Tree::Never => false,
        }
    }
}

/// Terms of which every matching text holds at least one; the choice with the longest literals.
fn required_terms(tree: &Tree, terms: &[Compiled]) -> Option<Vec<usize>> {
    let shortest = |set: &Vec<usize>| {
        set.iter().filter_map(|t| terms.get(*t)).map(|t| t.raw_literal().len()).min().unwrap_or(usize::MAX)
    };
    match tree {
        Tree::Term(i) => Some(vec![*i]),
        Tree::Never => Some(Vec::new()),
        Tree::Not(_) => None,
        Tree::All(v) => {
            v.iter().filter_map(|t| required_terms(t, terms)).max_by_key(|s| (shortest(s), usize::MAX - s.len()))
        }
        Tree::Any(v) => {
            let mut all = Vec::new();
            for t in v {
                all.extend(required_terms(t, terms)?);
            }
            Some(all)
        }
    }
}

fn with_tags(text: &str, tags: &[std::borrow::Cow<'_, str>]) -> String {
    let mut out = text.to_string();
    for tag in tags {
        out.push_str("\n#");
        out.push_str(tag);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::query::parse;

    fn matches(query: &str, text: &str) -> bool {
        let brand = Brand {
            slug: "b".into(),
            name: String::new(),
            query: parse(query).unwrap(),
            owner: None,
            runbook: None,
            vars: BTreeMap::new(),
        };
        !Matcher::new(&[brand]).matches(text, &[], &mut Scratch::default()).is_empty()
    }

    #[test]
    fn words_stand_alone() {
        for text in [
            "United!",
            "(united)",
            "united's fault",
            "united’s",
            "ＵＮＩＴＥＤ",
            "visit united.com",
            "@united",
            "united",
            "no\nunited",
        ] {
            assert!(matches("united", text), "{text}");
        }
        for text in ["reunited", "unitedly", "united_x", "unite d", "", "uníted"] {
            assert!(!matches("united", text), "{text}");
        }
        assert!(matches("日航", "昨日日航便で"));
        assert!(matches("c++", "I love C++!"));
        assert!(matches("AT&T", "my at&t bill") && !matches("AT&T", "at t"));
    }

    #[test]
    fn phrases_keep_their_order() {
        let q = "\"united air lines\"";
        for text in ["United Air Lines", "united, air  lines", "x united-air\nlines y", "air united air lines"] {
            assert!(matches(q, text), "{text}");
        }
        for text in ["air united lines", "united airlines", "united air", "united x air lines", "unitedair lines"] {
            assert!(!matches(q, text), "{text}");
        }
        assert!(matches("\"全日空 欠航\"", "全日空欠航"));
    }

    #[test]
    fn handles_and_tags_end_where_they_end() {
        assert!(matches("@united", "hey @United. why") && matches("@united", "@united@example.social"));
        assert!(
            !matches("@united", "mail@united")
                && !matches("@united", "@united.com")
                && !matches("@united", "@united_x")
        );
        assert!(matches("@united.com", "ask @united.com!"));
        assert!(matches("#fail", "oh #FAIL!") && !matches("#fail", "#failed") && !matches("#日本", "#日本航空"));
        let brand = Brand {
            slug: "b".into(),
            name: String::new(),
            query: parse("#fail").unwrap(),
            owner: None,
            runbook: None,
            vars: BTreeMap::new(),
        };
        assert_eq!(Matcher::new(&[brand]).matches("x", &["Fail".into()], &mut Scratch::default()).len(), 1);
    }

    #[test]
    fn operators_combine() {
        let q = "united (flight OR luggage) NOT \"manchester united\"";
        assert!(matches(q, "my united flight"));
        assert!(!matches(q, "united") && !matches(q, "manchester united flight"));
        assert!(matches("a OR NOT b", "c"));
    }
}
