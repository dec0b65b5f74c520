//! Random queries over random posts against a matcher that does it word by word.

use groundswell::base::model::{Post, PostKind};
use groundswell::base::rule::query::{Query, Term, parse};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::Time;
use groundswell::enrich::{Matcher, Scratch};

use crate::frames::Random;

const WORDS: [&str; 8] = ["acme", "air", "guitar", "broke", "bag", "lost", "so", "the"];
const HOSTS: [&str; 3] = ["video.example", "www.video.example", "news.example"];

struct Made {
    tokens: Vec<String>,
    text: String,
    kind: PostKind,
    lang: &'static str,
    source: &'static str,
    author: &'static str,
    to: Option<&'static str>,
    link: Option<String>,
    followers: Option<u64>,
}

fn pick<'a>(r: &mut Random, list: &[&'a str]) -> &'a str {
    list[r.below(list.len())]
}

fn made(r: &mut Random) -> Made {
    let tokens: Vec<String> = (0..r.below(12))
        .map(|_| {
            let word = pick(r, &WORDS);
            match r.below(8) {
                0 => format!("@{word}"),
                1 => format!("#{word}"),
                2 => word.to_uppercase(),
                _ => word.to_string(),
            }
        })
        .collect();
    let gaps = [" ", "  ", "\n", ", ", " - ", "! "];
    let mut text = String::new();
    for t in &tokens {
        text.push_str(t);
        text.push_str(pick(r, &gaps));
    }
    let link = r.chance(0.4).then(|| format!("https://{}/{}?x=1", pick(r, &HOSTS), pick(r, &WORDS)));
    Made {
        tokens,
        text,
        kind: [PostKind::Post, PostKind::Reply, PostKind::Quote][r.below(3)],
        lang: pick(r, &["en", "de"]),
        source: pick(r, &["net", "forum"]),
        author: pick(r, &["ann", "bob", "carl"]),
        to: r.chance(0.5).then(|| pick(r, &["ann", "bob", "carl"])),
        link,
        followers: r.chance(0.6).then(|| r.below(2000) as u64),
    }
}

fn term(r: &mut Random) -> String {
    let word = pick(r, &WORDS);
    match r.below(14) {
        0 => format!("@{word}"),
        1 => format!("#{word}"),
        2 => format!("\"{word} {}\"", pick(r, &WORDS)),
        3 => format!("raw:\"{}\"", if r.chance(0.5) { word.to_uppercase() } else { word.to_string() }),
        4 => format!("url:{word}?x"),
        5 => format!("domain:{}", pick(r, &["video.example", "www.video.example", "example.com"])),
        6 => format!("author:{}", pick(r, &["ann", "net:bob", "forum:carl"])),
        7 => format!("to:{}", pick(r, &["ann", "net:bob"])),
        8 => format!("lang:{}", pick(r, &["en", "de"])),
        9 => format!("kind:{}", pick(r, &["post", "reply", "quote"])),
        10 => format!("followers:{}{}", pick(r, &["<", "<=", ">", ">=", "=="]), r.below(2000)),
        11 => format!("source:{}", pick(r, &["net", "forum"])),
        _ => word.to_string(),
    }
}

fn query(r: &mut Random, depth: usize) -> String {
    match r.below(if depth == 0 { 3 } else { 8 }) {
        0 | 1 => term(r),
        2 => {
            let side = |r: &mut Random| match r.below(3) {
                0 => format!("({} OR @{})", pick(r, &WORDS), pick(r, &WORDS)),
                1 => format!("\"{} {}\"", pick(r, &WORDS), pick(r, &WORDS)),
                _ => pick(r, &WORDS).to_string(),
            };
            format!("{} NEAR/{} {}", side(r), r.below(4), side(r))
        }
        3 | 4 => format!("({} {})", query(r, depth - 1), query(r, depth - 1)),
        5 | 6 => format!("({} OR {})", query(r, depth - 1), query(r, depth - 1)),
        _ => format!("NOT ({})", query(r, depth - 1)),
    }
}

/// The word of a token, without its mark and in lower case.
fn word(token: &str) -> String {
    token.trim_start_matches(['@', '#']).to_lowercase()
}

/// Places of a term of the text: first and last token.
fn places(t: &Term, m: &Made) -> Vec<(usize, usize)> {
    let words: Vec<String> = m.tokens.iter().map(|t| word(t)).collect();
    let marked = |sign: char, x: &str| {
        let hit = |(i, t): (usize, &String)| (t.starts_with(sign) && word(t) == x).then_some((i, i));
        m.tokens.iter().enumerate().filter_map(hit).collect()
    };
    match t {
        Term::Handle(h) => marked('@', h),
        Term::Tag(x) => marked('#', x),
        Term::Phrase(p) => {
            let wanted: Vec<&str> = p.split_whitespace().collect();
            let n = wanted.len();
            (0..(words.len() + 1).saturating_sub(n))
                .filter(|i| words[*i..i + n] == wanted[..])
                .map(|i| (i, i + n - 1))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn named(entry: &str, source: &str, who: &str) -> bool {
    entry.split_once(':').map_or(entry == who, |(s, id)| s == source && id == who)
}

fn holds(q: &Query, m: &Made) -> bool {
    match q {
        Query::And(v) => v.iter().all(|q| holds(q, m)),
        Query::Or(v) => v.iter().any(|q| holds(q, m)),
        Query::Not(q) => !holds(q, m),
        Query::Near(n, a, b) => a.iter().flat_map(|t| places(t, m)).any(|x| {
            b.iter().flat_map(|t| places(t, m)).any(|y| {
                let gap = if x.1 < y.0 {
                    y.0 - x.1
                } else if y.1 < x.0 {
                    x.0 - y.1
                } else {
                    return false;
                };
                gap - 1 <= *n as usize
            })
        }),
        Query::Term(t) => match t {
            Term::Raw(x) => m.tokens.iter().any(|t| t.trim_start_matches(['@', '#']) == x),
            Term::Url(x) => m.link.as_ref().is_some_and(|l| l.contains(x.as_str())),
            Term::Domain(d) => m.link.as_ref().is_some_and(|l| {
                let host = l.split('/').nth(2).unwrap();
                host == d || host.ends_with(&format!(".{d}"))
            }),
            Term::Author(a) => named(a, m.source, m.author),
            Term::To(a) => m.to.is_some_and(|to| named(a, m.source, to)),
            Term::Lang(x) => m.lang == x,
            Term::Source(x) => m.source == x,
            Term::Kind(k) => m.kind == *k,
            Term::Followers(op, groundswell::base::rule::query::Amount::Number(n)) => {
                m.followers.is_some_and(|f| op.holds(f, *n))
            }
            t => !places(t, m).is_empty(),
        },
    }
}

#[test]
fn random_queries_match_as_a_word_by_word_reading_does() {
    let mut r = Random::new(11);
    let (mut hits, mut all) = (0, 0);
    for round in 0..60 {
        let queries: Vec<String> = (0..20).map(|_| query(&mut r, 3)).collect();
        let trees: Vec<Query> = queries.iter().map(|q| parse(q).unwrap_or_else(|e| panic!("{q}: {e:?}"))).collect();
        let mut text = "brands:\n".to_string();
        for (i, q) in queries.iter().enumerate() {
            text.push_str(&format!("  b{i:02}: {{broad: true, query: '{q}'}}\n"));
        }
        let set = RuleSet::load(&[SourceText { file: "q".into(), text }]).unwrap().0;
        let (matcher, mut scratch) = (Matcher::new(&set.brands), Scratch::default());
        for _ in 0..60 {
            let m = made(&mut r);
            let post = Post {
                text: m.text.as_str().into(),
                kind: m.kind,
                lang: Some(m.lang.into()),
                to: m.to.into_iter().map(Into::into).collect(),
                links: m.link.iter().map(|l| l.as_str().into()).collect(),
                followers: m.followers,
                ..Post::blank(m.source.into(), "x".into(), m.author.into(), Time(0))
            };
            let found = matcher.matches(&post, &mut scratch);
            for (i, tree) in trees.iter().enumerate() {
                let expected = holds(tree, &m);
                assert_eq!(
                    found.keys.contains(&set.brands[i].key),
                    expected,
                    "round {round}: {} on {:?} {:?}",
                    queries[i],
                    m.text,
                    post
                );
                hits += usize::from(expected);
                all += 1;
            }
        }
    }
    assert!(hits > all / 10 && hits < all * 9 / 10, "{hits} of {all}: the queries say nothing");
}
