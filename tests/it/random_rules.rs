//! Random rule sets over random talk: transitions must not depend on shards, threads, batches,
//! restarts or recovery from the log, also where rules change in the middle. `SEEDS=100` for more.

use std::fmt::Write;
use std::sync::Arc;

use groundswell::base::rule::{RuleSet, SourceText};

use crate::frames::Random;
use crate::golden::Case;

fn pick<'a>(r: &mut Random, list: &[&'a str]) -> &'a str {
    list[r.below(list.len())]
}

fn selector(r: &mut Random) -> String {
    let one = |r: &mut Random| match r.below(9) {
        0 => "tone=\"negative\"".to_string(),
        1 => "tone!=\"positive\"".to_string(),
        2 => "source!=\"a\"".to_string(),
        3 => "kind=\"quote\"".to_string(),
        4 => "to=\"own\"".to_string(),
        5 => "author in lists.some".to_string(),
        6 => "author not in lists.some".to_string(),
        7 => format!("followers>={}", r.below(3000)),
        _ => "followers<vars.big".to_string(),
    };
    match r.below(3) {
        0 => String::new(),
        1 => format!("{{{}}}", one(r)),
        _ => format!("{{{}, {}}}", one(r), one(r)),
    }
}

const MEASURES: [&str; 10] = [
    "mentions",
    "authors",
    "texts",
    "impressions",
    "reach",
    "known_reach",
    "hostile_reach",
    "known_share",
    "largest_voice",
    "shares",
];

fn condition(r: &mut Random, by_story: bool) -> String {
    let window = pick(r, &["1m", "90s", "10m", "1h"]);
    let scale = |m: &str, r: &mut Random| match m {
        "impressions" | "reach" | "known_reach" | "hostile_reach" => 20 * r.below(40),
        "largest_voice" => 100 * r.below(30),
        "known_share" => 0,
        _ => 1 + r.below(6),
    };
    let m = pick(r, &MEASURES);
    let plain = format!("{m}{}[{window}]", selector(r));
    let n = scale(m, r);
    match r.below(if by_story { 5 } else { 9 }) {
        0 if by_story => format!("lead >= {}", r.below(3)),
        1 if by_story => "root_negativity >= 0.6".to_string(),
        2 if by_story => format!("response_time >= {}m", 1 + r.below(9)),
        4 => format!("rate({plain}) * 600 > {n}"),
        5 => format!("change(mentions[{window}]) >= {}", 1 + r.below(3)),
        6 => format!("mentions{}[{window}] >= 2 * mentions[{window}] offset 5m", selector(r)),
        7 => format!("lift({}{}) >= 1.{}", pick(r, &["mentions", "hostile_reach", "authors"]), selector(r), r.below(9)),
        8 => format!("negative_share[{window}] >= 50%"),
        _ if r.chance(0.2) => format!("{plain} < {n}"),
        _ => format!("{plain} >= {n}"),
    }
}

fn rules(r: &mut Random) -> Arc<RuleSet> {
    let mut text = String::from(
        "vars: {big: 900}\nlists: {some: {authors: [\"a:u1\", \"b:u2\", u3]}}\ngroups:\n  both: {brands: [alpha, beta]}\nbrands:\n",
    );
    for brand in ["alpha", "beta", "gamma"] {
        let query = match r.below(3) {
            0 => format!("{brand} OR other"),
            1 => format!("{brand} NEAR/9 (is OR the OR was)"),
            _ => brand.to_string(),
        };
        let _ = writeln!(text, "  {brand}: {{query: '{query}', own: [\"a:own{brand}\"], staff: [\"b:u9\"]}}");
    }
    text.push_str("rules:\n");
    for i in 0..2 + r.below(5) {
        let by = pick(r, &["[brand]", "[brand, story]", "[group]", "[brand, source]", "[brand, lang]"]);
        let story = by.contains("story");
        let _ = writeln!(text, "  - alert: R{i}\n    by: {by}");
        if r.chance(0.3) && by.contains("brand") {
            let _ = writeln!(text, "    brands: [{}]", pick(r, &["alpha", "alpha, beta"]));
        }
        let join = pick(r, &["and", "or", "unless"]);
        let whens: Vec<String> =
            (0..3).map(|_| format!("'{} {join} {}'", condition(r, story), condition(r, story))).collect();
        if r.chance(0.5) {
            let hold = pick(r, &["0s", "20s"]);
            let _ = writeln!(
                text,
                "    levels:\n      warn: {}\n      page: {{when: {}, for: {hold}}}",
                whens[0], whens[1]
            );
        } else {
            let _ = writeln!(text, "    when: {}\n    severity: page\n    for: {}", whens[0], pick(r, &["0s", "15s"]));
        }
        if r.chance(0.3) {
            let _ = writeln!(text, "    clear: {}", whens[2]);
        }
        let _ = writeln!(text, "    keep_firing_for: {}", pick(r, &["0s", "1m", "5m"]));
        if r.chance(0.5) {
            let _ = writeln!(text, "    summary: '{{{{ brand.name }}}} {{{{ authors[10m] }}}} {{{{ top.author }}}}'");
        }
    }
    let set = RuleSet::load(&[SourceText { file: "r".into(), text: text.clone() }]);
    Arc::new(set.unwrap_or_else(|f| panic!("{text}\n{f:#?}")).0)
}

fn talk(r: &mut Random, changes: usize) -> String {
    let says = [
        "alpha is terrible",
        "beta was great",
        "the gamma",
        "alpha and beta the awful",
        "other things",
        "nothing",
        "ALPHA IS TERRIBLE!",
        "gamma is a disgrace",
    ];
    let mut text = String::from("mode live\n0 tick\n0 up a\n0 up b\n");
    let (mut now, mut posts): (f64, Vec<String>) = (0.0, Vec::new());
    for i in 0..160 {
        now += r.unit() * 12.0;
        if r.chance(0.03) {
            now += 400.0;
        }
        let source = pick(r, &["a", "b"]);
        let author =
            if r.chance(0.06) { format!("own{}", pick(r, &["alpha", "beta"])) } else { format!("u{}", r.below(12)) };
        let followers = if r.chance(0.5) { format!(" f={}", r.below(3000)) } else { String::new() };
        let _ = match r.below(12) {
            0 => writeln!(text, "{now:.3} audience {source} u{} {}", r.below(12), r.below(5000)),
            1 => writeln!(text, "{now:.3} {} {source}", pick(r, &["up", "down"])),
            2 if !posts.is_empty() => {
                writeln!(text, "{now:.3} {} a {} u1", pick(r, &["delete", "edit"]), posts[r.below(posts.len())])
            }
            3..=5 if !posts.is_empty() => {
                let kind = pick(r, &["reply", "quote", "repost"]);
                let said = if kind == "repost" { String::new() } else { format!(" : {}", pick(r, &says)) };
                let parent = &posts[r.below(posts.len())];
                writeln!(text, "{now:.3} {kind} a p{i} {author}{followers} p={parent}{said}")
            }
            _ => writeln!(text, "{:.3} post a p{i} {author}{followers} : {}", now - r.unit() * 20.0, pick(r, &says)),
        };
        posts.push(format!("p{i}"));
        if i % 3 == 0 {
            let _ = writeln!(text, "{now:.3} tick");
        }
        if changes > 0 && i % (160 / (changes + 1)) == 50 {
            let _ = writeln!(text, "{now:.3} rules next");
        }
    }
    let _ = writeln!(text, "repeat 30 300 {now:.3} tick");
    text
}

#[test]
fn random_rules_come_to_the_same_on_every_way() {
    let mut lines = 0;
    let seeds = std::env::var("SEEDS").ok().and_then(|v| v.parse().ok()).unwrap_or(5);
    for seed in 0..seeds {
        let mut r = Random::new(seed);
        let changes = if seed % 3 == 0 { 1 } else { 0 };
        let text = talk(&mut r, changes);
        let count = text.matches(" rules next").count();
        let sets: Vec<Arc<RuleSet>> = (0..=count).map(|_| rules(&mut r)).collect();
        lines += Case::new(sets, &text).agrees(&format!("seed {seed}")).lines().count();
    }
    assert!(lines > 100, "only {lines} transitions: the rules say nothing");
}
