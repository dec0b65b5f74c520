//! Queries over the archive: its index gives candidates, the matcher decides.

use crate::base::model::{KeyId, Post, PostBody};
use crate::base::rule::Brand;
use crate::base::time::Time;
use crate::enrich::{self, Matcher, Scratch};
use crate::store::archive::{Archived, Asked};

/// The form of a post's text that the archive indexes, for [`crate::store::archive::Archive::take`].
pub fn folded(body: &PostBody) -> String {
    enrich::folded(&body.text, &body.tags).into_owned()
}

/// A query that is asked of the archive.
pub struct Question {
    matcher: Matcher,
    key: KeyId,
    scratch: Scratch,
}

impl Question {
    /// The query of a brand; its own and staff accounts play no role.
    pub fn new(brand: &Brand) -> Question {
        let brand = Brand { own: Vec::new(), staff: Vec::new(), ..brand.clone() };
        Question { key: brand.key, matcher: Matcher::new(&[brand]), scratch: Scratch::default() }
    }

    /// What to ask the archive for: what holds the query's literals, in a span of time, for one
    /// brand or group.
    pub fn asked(&self, since: Option<Time>, until: Option<Time>, key: Option<KeyId>) -> Asked {
        let literals = self.matcher.literals(self.key);
        let needs = literals.iter().map(|any| any.iter().map(|l| l.to_string()).collect()).collect();
        Asked { since, until, key, needs }
    }

    /// Whether a post matches. Of its text only the beginning was kept; whom it answers was not.
    pub fn matches(&mut self, a: &Archived<'_>) -> bool {
        !self.matcher.matches(&post(a), &mut self.scratch).keys.is_empty()
    }
}

/// A post as the matcher sees it.
fn post<'a>(a: &'a Archived<'_>) -> Post<'a> {
    let blank = Post::blank(a.source.into(), a.id.into(), a.author.into(), a.time);
    Post {
        author_name: a.name.map(Into::into),
        text: a.text.into(),
        followers: a.known.then_some(a.followers),
        lang: a.lang.map(Into::into),
        kind: a.kind,
        url: a.url.map(Into::into),
        links: a.links.iter().map(Into::into).collect(),
        tags: a.tags.iter().map(Into::into).collect(),
        ..blank
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::base::account::{account_id, key_id, post_id};
    use crate::base::limits;
    use crate::base::model::{Audience, Causes, Entry, EntryBody, Place, PostKind, StoryRef, Told};
    use crate::base::rule::query::{Query, Term, parse};
    use crate::base::rule::{RuleSet, SourceText};
    use crate::store::archive::Archive;

    fn question(query: Query) -> Question {
        let rules = SourceText { file: "f".into(), text: "brands: {q: {query: acme}}".into() };
        let brand = RuleSet::load(&[rules]).unwrap().0.brands.remove(0);
        Question::new(&Brand { query, ..brand })
    }

    fn entry(seq: u64, text: &str, tags: &[&str]) -> Entry {
        let id = format!("p{seq}");
        let body = PostBody {
            source: "forum".into(),
            id: id.as_str().into(),
            author: "alice".into(),
            author_name: Some("Alice".into()),
            text: text.get(..text.floor_char_boundary(limits::KEPT_TEXT_BYTES)).unwrap().into(),
            lang: Some("en".into()),
            url: None,
            links: ["https://Video.example/watch?V=1".into()].into(),
            tags: tags.iter().map(|t| (*t).into()).collect(),
        };
        let told = Told {
            key: key_id("acme"),
            post: post_id("forum", id.as_bytes()),
            account: account_id("forum", "alice"),
            audience: Audience { followers: 1000, known: true },
            time: Time(seq as i64 * 1_000_000),
            n: None,
            causes: Causes::default(),
            kind: PostKind::Reply,
            in_brand: true,
            to_own: false,
            place: Place::Root,
            text: None,
            foreign: None,
            via: "forum".into(),
            story: StoryRef { id: Default::default(), name: "s".into() },
            body: Arc::new(body),
        };
        Entry { seq, clock: told.time, body: EntryBody::Mention(Box::new(told)) }
    }

    fn archive(folder: &Path, entries: &[Entry]) -> Archive {
        let mut archive = Archive::open(&folder.join("a.archive.db")).unwrap();
        archive.take(entries, &folded).unwrap();
        archive
    }

    /// Posts that match, by the index and without it; and how many the index let through.
    fn both(archive: &Archive, q: &mut Question) -> (BTreeSet<i64>, BTreeSet<i64>, u64) {
        let asked = q.asked(None, None, None);
        let mut found = |asked: &Asked| {
            let mut out = BTreeSet::new();
            let n = archive.search(asked, &mut |a| out.extend(q.matches(a).then_some(a.time.0 / 1_000_000)));
            (out, n.unwrap())
        };
        let ((by_index, candidates), (by_scan, _)) = (found(&asked), found(&Asked::default()));
        (by_index, by_scan, candidates)
    }

    #[test]
    fn the_matcher_decides_with_all_its_fields() {
        let dir = tempfile::tempdir().unwrap();
        let texts = [
            "United broke my guitar, the US said",
            "reunited guitars",
            "日航便が欠航 @united.com",
            "\"quoted\" AND NEAR(x) * ^ {folded}: OR",
            "Ｕｎｉｔｅｄ \u{202e}gui\u{ad}tar e\u{301}té",
            "before\0unitedly after\0 united",
            "😀😀😀 ok",
        ];
        let entries: Vec<Entry> = (1..).zip(texts).map(|(seq, t)| entry(seq, t, &["Fail"])).collect();
        let archive = archive(dir.path(), &entries);
        for (query, wanted, indexed) in [
            ("united", &[1i64, 3, 5, 6][..], true),
            ("united guitar", &[1, 5], true),
            ("united NEAR/2 guitar", &[1, 5], true),
            ("@united OR reunited", &[2], true),
            ("#fail NOT united", &[2, 4, 7], true),
            ("日航便", &[3], true),
            ("日航", &[3], false),
            ("raw:US", &[1], false),
            ("\"\\\"quoted\\\"\" OR guitars", &[2, 4], true),
            ("été", &[5], true),
            ("\"before\0unitedly\"", &[6], true),
            ("😀😀😀", &[7], true),
            ("url:watch?v=1 quoted", &[4], true),
            ("domain:video.example guitars", &[2], true),
            ("author:alice lang:en source:forum kind:reply followers:>=1k guitars", &[2], true),
            ("author:alice followers:>1k", &[], false),
            ("\"x) OR (y\"", &[], false),
        ] {
            let mut q = question(parse(query).unwrap());
            let (by_index, by_scan, candidates) = both(&archive, &mut q);
            assert_eq!(by_scan.iter().copied().collect::<Vec<_>>(), wanted, "{query}");
            assert_eq!((by_index, candidates < 7 || query.contains("#fail")), (by_scan, indexed), "{query}");
        }
    }

    const PIECES: [&str; 32] = [
        "united",
        "UNITED",
        "guitar",
        "gu",
        "i",
        " ",
        "  ",
        "\n",
        "\"",
        "\"\"",
        "'",
        "AND",
        "OR",
        "NEAR(",
        "*",
        "^",
        "folded:",
        ")",
        "-",
        "\0",
        "😀",
        "e\u{301}",
        "É",
        "\u{ad}",
        "\u{202e}",
        "שלום",
        "日航便",
        "ﬁne",
        "İ",
        "ß",
        "\u{fffe}",
        "\u{64e}\u{651}ب",
    ];

    fn hostile(most: usize) -> impl Strategy<Value = String> {
        let piece = prop_oneof![6 => proptest::sample::select(&PIECES[..]).prop_map(str::to_string), 1 => "\\PC{0,4}"];
        proptest::collection::vec(piece, 1..=most).prop_map(|v| v.concat())
    }

    fn text_term() -> impl Strategy<Value = Term> {
        prop_oneof![
            4 => hostile(4).prop_map(Term::Phrase),
            1 => hostile(2).prop_map(Term::Handle),
            1 => hostile(2).prop_map(Term::Tag),
        ]
    }

    fn query() -> impl Strategy<Value = Query> {
        let side = || proptest::collection::vec(text_term(), 1..3);
        let leaf = prop_oneof![
            6 => text_term().prop_map(Query::Term),
            1 => hostile(2).prop_map(|x| Query::Term(Term::Raw(x))),
            1 => Just(Query::Term(Term::Lang("en".into()))),
            1 => (0u32..4, side(), side()).prop_map(|(n, a, b)| Query::Near(n, a, b)),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::And),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::Or),
                inner.prop_map(|q| Query::Not(Box::new(q))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_index_misses_nothing(
            texts in proptest::collection::vec((hostile(12), hostile(2)), 20),
            queries in proptest::collection::vec(query(), 40),
            cut in any::<bool>(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            // of a long text the end is not kept
            let long = |t: &str| if cut { format!("{}{t}", "x".repeat(limits::KEPT_TEXT_BYTES - 9)) } else { t.into() };
            let entries: Vec<Entry> = (1..).zip(&texts).map(|(seq, (t, tag))| entry(seq, &long(t), &[tag])).collect();
            let archive = archive(dir.path(), &entries);
            for query in queries {
                let shown = query.to_string();
                let (by_index, by_scan, _) = both(&archive, &mut question(query));
                prop_assert_eq!(by_index, by_scan, "{}", shown);
            }
        }
    }
}
