//! All queries in one pass over a post.

use std::borrow::Cow;
use std::cell::OnceCell;

use smallvec::SmallVec;

use aho_corasick::AhoCorasick;

use super::build::{self, Role};
use super::links;
use super::prefilter::Prefilter;
use super::terms::Compiled;
use super::tree::{Found, Tree};
use crate::base::account::{account_id, author_hashes};
use crate::base::folding::fold;
use crate::base::hash::{HashedMap, HashedSet};
use crate::base::limits;
use crate::base::model::{KeyId, Post};
use crate::base::rule::Brand;

/// All queries of a rule set, compiled.
pub struct Matcher {
    pub(super) keys: Vec<KeyId>,
    pub(super) trees: Vec<Tree>,
    /// Brands whose queries name a term.
    pub(super) brands_of: Vec<SmallVec<[u32; 2]>>,
    /// Brands that are looked at for every post.
    pub(super) always: Vec<u32>,
    pub(super) text: Option<AhoCorasick>,
    /// Terms of the text by the pattern that is their anchor.
    pub(super) by_pattern: Vec<SmallVec<[usize; 2]>>,
    /// Terms of the text; others are `None`.
    pub(super) terms: Vec<Option<Compiled>>,
    /// Terms whose places are noted for NEAR.
    pub(super) placed: Vec<bool>,
    pub(super) links: links::Search,
    /// Terms that name an author, and terms that name whom a post answers.
    pub(super) by_author: HashedMap<u64, SmallVec<[usize; 2]>>,
    pub(super) by_to: HashedMap<u64, SmallVec<[usize; 2]>>,
    /// Own and staff accounts: brand and role.
    pub(super) roles: HashedMap<u64, SmallVec<[(u32, Role); 1]>>,
    pub(super) prefilter: Prefilter,
    /// Accounts that make a frame worth a full parse.
    pub(super) wanted: HashedSet<u64>,
}

/// Working memory of one thread.
#[derive(Default)]
pub struct Scratch {
    round: u32,
    hits: Vec<u32>,
    candidates: Vec<u32>,
    places: Vec<(usize, usize, usize)>,
    /// The folded text of the last post.
    folded: String,
}

/// Whom a post concerns.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Matched {
    /// Keys whose queries it matches or whose accounts it answers or quotes.
    pub keys: SmallVec<[KeyId; 2]>,
    /// Keys whose own account wrote it.
    pub own: SmallVec<[KeyId; 1]>,
    /// Keys whose staff wrote it.
    pub staff: SmallVec<[KeyId; 1]>,
    /// Keys whose own account it answers or quotes.
    pub to: SmallVec<[KeyId; 1]>,
}

impl Matcher {
    /// Compiles the queries of brands and groups.
    pub fn new(brands: &[Brand]) -> Matcher {
        build::matcher(brands)
    }

    /// Whether the raw bytes of a text can match once decoded. Never wrong in saying no.
    pub fn may_match(&self, text: &str) -> bool {
        self.prefilter.may_match(text)
    }

    /// Whether links matter to any query.
    pub fn reads_links(&self) -> bool {
        self.links.wants_any()
    }

    /// Whether a link can matter to a query. Never wrong in saying no.
    pub fn may_link(&self, uri: &[u8]) -> bool {
        self.links.may_match(uri)
    }

    /// Whether accounts matter to any query or brand.
    pub fn reads_accounts(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether an account matters.
    pub fn wants_account(&self, source: &str, id: &str) -> bool {
        self.wanted.contains(&account_id(source, id).0) || self.wanted.contains(&account_id("", id).0)
    }

    /// Whom a post concerns.
    pub fn matches(&self, p: &Post<'_>, s: &mut Scratch) -> Matched {
        let mut out = Matched::default();
        self.roles_of(p, &mut out);
        s.begin(self.terms.len(), &self.always);
        let folded = self.find_terms(p, s);
        self.find_fields(p, s);
        s.candidates.sort_unstable();
        s.candidates.dedup();
        let (hits, round) = (&s.hits, s.round);
        let hit = |term: usize| hits.get(term) == Some(&round);
        let found =
            Found { post: p, folded: &folded, hit: &hit, places: &s.places, to: &out.to, starts: OnceCell::new() };
        let holds = |b: &&u32| self.trees.get(**b as usize).is_some_and(|t| t.holds(&found));
        let keys = s.candidates.iter().filter(holds).filter_map(|b| self.keys.get(*b as usize).copied());
        let mut all: SmallVec<[KeyId; 2]> = keys.take(limits::KEYS_PER_POST).collect();
        for key in &out.to {
            if !all.contains(key) && all.len() < limits::KEYS_PER_POST {
                all.push(*key);
            }
        }
        all.retain(|k| !out.own.contains(k) && !out.staff.contains(k));
        out.keys = all;
        s.folded = folded.into_owned();
        out
    }

    /// Finds the terms of the text; gives its folded form.
    fn find_terms<'p>(&self, p: &'p Post<'_>, s: &mut Scratch) -> Cow<'p, str> {
        let cut = p.text.get(..p.text.floor_char_boundary(limits::SCORED_TEXT_BYTES)).unwrap_or(&p.text);
        let folded = folded(cut, &p.tags);
        if let Some(search) = self.text.as_ref().filter(|_| !folded.is_empty()) {
            for m in search.find_overlapping_iter(&*folded) {
                for term in self.by_pattern.get(m.pattern().as_usize()).into_iter().flatten() {
                    self.try_term(*term, &folded, m.start(), s);
                }
            }
        }
        folded
    }

    fn try_term(&self, term: usize, text: &str, start: usize, s: &mut Scratch) {
        let placed = self.placed.get(term).copied().unwrap_or(false);
        let known = s.hits.get(term) == Some(&s.round);
        if known && (!placed || s.places.iter().filter(|(t, ..)| *t == term).count() >= limits::NEAR_PLACES) {
            return;
        }
        let Some((from, to)) = self.terms.get(term).and_then(Option::as_ref).and_then(|t| t.stands(text, start)) else {
            return;
        };
        if placed {
            s.places.push((term, from, to));
        }
        if !known {
            self.hit(term, s);
        }
    }

    /// Finds links and accounts that queries name.
    fn find_fields(&self, p: &Post<'_>, s: &mut Scratch) {
        if self.links.wants_any() {
            for link in &p.links {
                self.links.each_hit(link, &mut |term| self.hit(term, s));
            }
        }
        if !self.by_author.is_empty() {
            for h in author_hashes(&p.source, &p.author, p.author_name.as_deref()) {
                self.by_author.get(&h).into_iter().flatten().for_each(|t| self.hit(*t, s));
            }
        }
        if !self.by_to.is_empty() {
            for h in p.to.iter().flat_map(|to| author_hashes(&p.source, to, None)) {
                self.by_to.get(&h).into_iter().flatten().for_each(|t| self.hit(*t, s));
            }
        }
    }

    fn hit(&self, term: usize, s: &mut Scratch) {
        let Some(stamp) = s.hits.get_mut(term) else { return };
        if *stamp != s.round {
            *stamp = s.round;
            s.candidates.extend(self.brands_of.get(term).into_iter().flatten());
        }
    }

    /// Whose own or staff account wrote it, and whose own account it answers.
    fn roles_of(&self, p: &Post<'_>, out: &mut Matched) {
        if self.roles.is_empty() {
            return;
        }
        for h in author_hashes(&p.source, &p.author, p.author_name.as_deref()) {
            for (brand, role) in self.roles.get(&h).into_iter().flatten() {
                let Some(key) = self.keys.get(*brand as usize) else { continue };
                let list = if *role == Role::Own { &mut out.own } else { &mut out.staff };
                if !list.contains(key) {
                    list.push(*key);
                }
            }
        }
        for h in p.to.iter().flat_map(|to| author_hashes(&p.source, to, None)) {
            for (brand, _) in self.roles.get(&h).into_iter().flatten().filter(|(_, r)| *r == Role::Own) {
                let key = self.keys.get(*brand as usize).filter(|k| !out.to.contains(k));
                out.to.extend(key.copied());
            }
        }
    }
}

impl Scratch {
    /// The folded text of the post that was matched last, its tags included.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    fn begin(&mut self, terms: usize, always: &[u32]) {
        if self.round == u32::MAX || self.hits.len() != terms {
            self.hits = vec![0; terms];
            self.round = 0;
        }
        self.round += 1;
        self.candidates.clear();
        self.candidates.extend_from_slice(always);
        self.places.clear();
    }
}

/// The form of a text, with the tags beside it, in which terms are looked for.
pub fn folded<'t>(text: &'t str, tags: &[impl AsRef<str>]) -> Cow<'t, str> {
    if tags.is_empty() {
        return fold(text);
    }
    let mut all = text.to_string();
    for tag in tags {
        all.push_str("\n#");
        all.push_str(tag.as_ref());
    }
    Cow::Owned(fold(&all).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::PostKind;
    use crate::base::rule::{RuleSet, SourceText};
    use crate::base::time::Time;

    fn matcher(brand: &str) -> Matcher {
        let text = format!("brands:\n  b: {{{brand}}}\n");
        let set = RuleSet::load(&[SourceText { file: "f".into(), text }]).unwrap().0;
        Matcher::new(&set.brands)
    }

    fn post(text: &str) -> Post<'_> {
        Post { text: text.into(), ..Post::blank("forum".into(), "x1".into(), "alice".into(), Time(0)) }
    }

    fn quoted(query: &str) -> String {
        format!("broad: true, query: '{}'", query.replace('\'', "''"))
    }

    fn finds(query: &str, p: &Post<'_>) -> bool {
        !matcher(&quoted(query)).matches(p, &mut Scratch::default()).keys.is_empty()
    }

    fn matches(query: &str, text: &str) -> bool {
        finds(query, &post(text))
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
        let tagged = Post { tags: vec!["Fail".into()], ..post("x") };
        assert!(finds("#fail", &tagged));
    }

    #[test]
    fn operators_combine() {
        let q = "united (flight OR luggage) NOT \"manchester united\"";
        assert!(matches(q, "my united flight"));
        assert!(!matches(q, "united") && !matches(q, "manchester united flight"));
        assert!(matches("a OR NOT b", "c"));
    }

    #[test]
    fn near_counts_the_words_between() {
        let q = "united NEAR/2 (guitar OR \"lost bag\")";
        for text in [
            "united guitar",
            "guitar by United",
            "united broke my guitar",
            "Lost, bag: a, b united",
            "united x. guitar united",
        ] {
            assert!(matches(q, text), "{text}");
        }
        for text in
            ["united broke my old guitar", "united", "guitar", "a lost b bag united", "united one two three guitar"]
        {
            assert!(!matches(q, text), "{text}");
        }
        assert!(
            matches("united NEAR/0 guitar", "guitar united") && !matches("united NEAR/0 guitar", "united a guitar")
        );
        assert!(!matches("united NEAR/5 united", "united alone") && matches("united NEAR/5 united", "united, united"));
        assert!(matches("x united NEAR/1 guitar OR y", "y"));
        let far = "united ".repeat(5000) + &"a ".repeat(5000) + &"guitar ".repeat(5000);
        assert!(!matches("united NEAR/3 guitar", &far), "many places of both, none near");
    }

    #[test]
    fn fields_look_beside_the_text() {
        let p = Post {
            links: vec!["https://Video.Example.com/watch?V=1".into()],
            lang: Some("en".into()),
            kind: PostKind::Reply,
            followers: Some(1000),
            author_name: Some("@Alice".into()),
            to: vec!["bob".into()],
            ..post("the US is here")
        };
        for q in [
            "domain:example.com",
            "domain:video.example.com",
            "url:WATCH?v=1",
            "author:alice",
            "author:ALICE",
            "author:forum:alice",
            "author:forum:@alice",
            "to:bob",
            "to:forum:bob",
            "lang:en",
            "kind:reply",
            "source:forum",
            "followers:>=1k",
            "raw:US",
            "here domain:example.com NOT lang:de",
            "nothing OR to:bob",
        ] {
            assert!(finds(q, &p), "{q}");
        }
        for q in [
            "domain:ample.com",
            "domain:com.example",
            "domain:watch.com",
            "url:watch2",
            "author:bob",
            "author:other:alice",
            "to:alice",
            "lang:de",
            "kind:post",
            "source:f",
            "followers:>1k",
            "raw:us",
            "raw:U",
        ] {
            assert!(!finds(q, &p), "{q}");
        }
        assert!(!finds("followers:<5", &post("x")), "what is not known passes no comparison");
    }

    #[test]
    fn own_and_staff_accounts_are_told_apart() {
        let m = matcher("query: acme, own: [\"forum:alice\"], staff: [\"forum:bob\"], exclude: noise");
        let say = |author: &str, text: &str, to: &str| {
            let to = if to.is_empty() { Vec::new() } else { vec![to.into()] };
            let p = Post { to, ..Post::blank("forum".into(), "x".into(), author.to_string().into(), Time(0)) };
            let found = m.matches(&Post { text: text.into(), ..p }, &mut Scratch::default());
            (found.keys.len(), found.own.len(), found.staff.len(), found.to.len())
        };
        assert_eq!(say("alice", "acme is here", ""), (0, 1, 0, 0), "own posts are no mentions");
        assert_eq!(say("bob", "acme is here", "alice"), (0, 0, 1, 1), "staff is ignored");
        assert_eq!(say("carl", "what a mess", "alice"), (1, 0, 0, 1), "an answer names nothing");
        assert_eq!(say("carl", "acme", ""), (1, 0, 0, 0));
        assert_eq!(say("carl", "acme noise", ""), (0, 0, 0, 0));
        let m = matcher("query: acme OR to:own, own: [\"forum:alice\"]");
        assert!(m.reads_accounts() && m.wants_account("forum", "alice") && !m.wants_account("forum", "bob"));
    }
}
