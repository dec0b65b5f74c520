//! Windows against a naive twin: every measure recomputed from the list of posts, with late
//! posts, edits, deletes, repeats of accounts and audiences learned late.

use std::collections::BTreeMap;
use std::sync::Arc;

use groundswell::base::account::key_id;
use groundswell::base::model::{
    AccountId, Audience, Gone, Group, Negativity, Place, PostBody, PostId, PostKind, StoryId, StoryRef, Told,
};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::{Span, Time};
use groundswell::fold::{KeyFold, Outages, World};

use crate::frames::Random;

const SERIES: &[&str] = &[
    "mentions[1m]",
    "mentions[90s]",
    "authors[5m]",
    "authors{tone=\"negative\"}[100s]",
    "impressions[2m]",
    "reach[10m]",
    "reach{source!=\"a\"}[1m]",
    "hostile_reach[1m]",
    "hostile_reach{source=\"a\"}[10m]",
    "negative_share[3m]",
    "negative_share{kind!=\"repost\"}[1h]",
    "largest_voice{tone=\"negative\"}[7m]",
    "largest_voice[1m]",
    "shares[2m]",
    "mentions{lang=\"en\"}[1h]",
    "mentions{tone=\"unknown\"}[4m]",
    "authors{kind=\"reply\"}[10m]",
    "texts[5m]",
    "texts{tone=\"negative\"}[90s]",
    "known_reach[10m]",
    "known_share[4m]",
    "mentions{to=\"own\"}[2m]",
    "authors{followers>=100000}[10m]",
    "mentions{followers<50000}[3m]",
    "hostile_reach{followers!=7}[10m]",
];

fn rules() -> RuleSet {
    let conditions: Vec<String> = SERIES.iter().map(|s| format!("{s} >= 0")).collect();
    let text = format!(
        "brands: {{b: {{query: x}}}}\nrules:\n  - alert: All\n    when: '{}'\n    severity: info\n  - alert: Story\n    by: [brand, story]\n    when: '{}'\n    severity: info\n",
        conditions.join(" and "),
        conditions.join(" and ") + " and lead >= 0 and hostile_texts >= 0 and other_texts >= 0 and story_age >= 0s"
    );
    RuleSet::load(&[SourceText { file: "r".into(), text }]).unwrap().0
}

/// The twin's idea of a post.
#[derive(Clone, Debug)]
struct Plain {
    time: i64,
    account: u64,
    n: Option<u16>,
    kind: PostKind,
    source: &'static str,
    lang: &'static str,
    in_brand: bool,
    story: u64,
    to_own: bool,
    text: Option<u64>,
    root: bool,
    known: bool,
}

fn told(id: u64, p: &Plain, followers: u64) -> Told {
    Told {
        key: key_id("b"),
        post: PostId(id),
        account: AccountId(p.account),
        audience: Audience { followers, known: p.known },
        time: Time(p.time),
        n: p.n.map(Negativity::from_milli),
        causes: Default::default(),
        kind: p.kind,
        in_brand: p.in_brand,
        to_own: p.to_own,
        place: if p.root { Place::Root } else { Place::Inside },
        text: p.text,
        foreign: None,
        via: "v".into(),
        story: StoryRef { id: StoryId(p.story), name: format!("s{}", p.story).into() },
        body: Arc::new(PostBody {
            source: p.source.into(),
            id: id.to_string().into(),
            author: p.account.to_string().into(),
            author_name: None,
            text: "t".into(),
            lang: Some(p.lang.into()),
            url: None,
            links: Box::default(),
            tags: Box::default(),
        }),
    }
}

/// The definition, word by word: posts of panes that lie within (t - W, t], oldest pane whole.
fn twin(spec: &str, posts: &[Plain], of: &Audiences, now: i64, by_story: bool) -> Option<f64> {
    let followers = &of.followers;
    let (head, window) = spec.trim_end_matches(']').split_once('[').unwrap();
    let (measure, selector) = head.split_once('{').unwrap_or((head, ""));
    let (number, unit) = window.split_at(window.len() - 1);
    let w = number.parse::<i64>().unwrap()
        * match unit {
            "s" => 1,
            "m" => 60,
            _ => 3600,
        }
        * 1_000_000;
    let pane = (w / 60).max(1_000_000);
    let tone = |n: Option<u16>| match n {
        None => "unknown",
        Some(n) if n >= 500 => "negative",
        Some(n) if n < 150 => "positive",
        Some(_) => "neutral",
    };
    let kind = |k: PostKind| match k {
        PostKind::Post => "post",
        PostKind::Reply => "reply",
        PostKind::Quote => "quote",
        PostKind::Repost => "repost",
    };
    let selects = |p: &Plain| {
        let s = selector.trim_end_matches('}');
        if s.is_empty() {
            return true;
        }
        if let Some(test) = s.strip_prefix("followers") {
            let (known, f) = (of.known.contains(&p.account), followers[&p.account]);
            let (op, n) = test.split_at(test.find(|c: char| c.is_ascii_digit()).unwrap());
            let n: u64 = n.parse().unwrap();
            return known && ((op == ">=" && f >= n) || (op == "<" && f < n) || (op == "!=" && f != n));
        }
        let (field, value) = s.split_once('=').unwrap();
        let (field, wanted) = match field.strip_suffix('!') {
            Some(f) => (f, false),
            None => (field, true),
        };
        let found = match field {
            "tone" => tone(p.n),
            "source" => p.source,
            "kind" => kind(p.kind),
            "to" => {
                if p.to_own {
                    "own"
                } else {
                    ""
                }
            }
            _ => p.lang,
        };
        (found == value.trim_matches('"')) == wanted
    };
    let inside: Vec<&Plain> =
        posts.iter().filter(|p| p.time / pane >= (now - w).div_euclid(pane) && selects(p)).collect();
    // a post that is not where its story began came to it by its link or words
    let carries = |p: &Plain| p.kind == PostKind::Post && !p.root;
    let share = |p: &&&Plain| matches!(p.kind, PostKind::Quote | PostKind::Repost) || carries(p);
    let share = |p: &&&Plain| share(p) && !p.root;
    let v = |f: u64| {
        let f = f as f64;
        let down = ((f.max(1.0).log10() - 5.0) / 2.0).clamp(0.0, 1.0);
        (f * (0.15 - 0.09 * down) * 1000.0).round() / 1000.0
    };
    let reply = |p: &Plain| if p.kind == PostKind::Reply { 0.2 } else { 1.0 };
    let hostile = |p: &Plain| p.n.map_or(0.0, |n| ((f64::from(n) - 300.0) / 400.0).clamp(0.0, 1.0)) * reply(p);
    let by_account = |value: &dyn Fn(&Plain) -> f64, add: bool| -> f64 {
        let mut each: BTreeMap<u64, f64> = BTreeMap::new();
        for p in &inside {
            let x = value(p) * v(followers[&p.account]);
            let e = each.entry(p.account).or_insert(0.0);
            *e = if add { *e + x } else { e.max(x) };
        }
        each.values().sum()
    };
    let accounts = || inside.iter().map(|p| p.account).collect::<std::collections::BTreeSet<_>>();
    Some(match measure {
        "texts" => inside.iter().filter_map(|p| p.text).collect::<std::collections::BTreeSet<_>>().len() as f64,
        "known_reach" => {
            let counts = |p: &Plain| of.known.contains(&p.account) && !(by_story && p.root);
            by_account(&|p| if counts(p) { reply(p) } else { 0.0 }, false)
        }
        "known_share" => {
            let known = accounts().iter().filter(|a| of.known.contains(a)).count();
            return (!accounts().is_empty()).then(|| known as f64 / accounts().len() as f64);
        }
        "mentions" => inside.len() as f64,
        "shares" => inside.iter().filter(share).count() as f64,
        "authors" => inside.iter().map(|p| p.account).collect::<std::collections::BTreeSet<_>>().len() as f64,
        "impressions" => by_account(&reply, true),
        "reach" => by_account(&reply, false),
        "hostile_reach" => by_account(&hostile, false),
        "largest_voice" => inside.iter().map(|p| followers[&p.account]).max().unwrap_or(0) as f64,
        "negative_share" => {
            let known = inside.iter().filter(|p| p.n.is_some()).count();
            if known == 0 {
                return None;
            }
            inside.iter().filter(|p| tone(p.n) == "negative").count() as f64 / known as f64
        }
        other => panic!("{other}"),
    })
}

/// Lead and age of a story, over all its posts.
fn whole_life(spec: &str, posts: &[Plain], now: i64) -> Option<f64> {
    if spec == "story_age" {
        return posts.iter().map(|p| p.time).min().map(|t| (now - t) as f64 / 1e6);
    }
    let mut texts: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    for p in posts {
        let (Some(text), Some(n)) = (p.text, p.n) else { continue };
        let e = texts.entry(text).or_default();
        if n >= 500 { e.0 += 1 } else { e.1 += 1 }
    }
    let hostile = texts.values().filter(|(h, o)| h >= o).count() as f64;
    let other = texts.len() as f64 - hostile;
    Some(match spec {
        "hostile_texts" => hostile,
        "other_texts" => other,
        _ => hostile - other,
    })
}

/// Posts with their ids.
type Listed<'l> = &'l [(u64, Plain)];

/// Followers of accounts, and which are known.
struct Audiences {
    followers: BTreeMap<u64, u64>,
    known: std::collections::BTreeSet<u64>,
}

fn random_post(r: &mut Random, now: i64) -> Plain {
    let late = if r.chance(0.3) { (r.unit() * 700e6) as i64 } else { 0 };
    let n = if r.chance(0.2) { None } else { Some(r.below(1001) as u16) };
    let kind = PostKind::ALL[r.below(4)];
    Plain {
        time: now - late,
        account: r.below(12) as u64,
        n,
        kind,
        source: ["a", "b"][r.below(2)],
        lang: ["en", "de"][r.below(2)],
        in_brand: r.chance(0.8),
        story: r.below(2) as u64,
        to_own: r.chance(0.3),
        text: r.chance(0.8).then(|| r.below(9) as u64),
        root: r.chance(0.1),
        known: false,
    }
}

fn run(seed: u64) {
    let rules = rules();
    let mut r = Random::new(seed);
    let outages = Outages::default();
    let w = World { rules: &rules, outages: &outages };
    let mut fold = KeyFold::new(key_id("b"), &rules);
    let mut posts: Vec<(u64, Plain)> = Vec::new();
    let mut all: Vec<(u64, Plain)> = Vec::new();
    let mut of = Audiences { followers: (0..12).map(|a| (a, 300 + a)).collect(), known: Default::default() };
    let mut deleted = std::collections::BTreeSet::new();
    let mut now = 1_783_152_000_000_000i64;
    for step in 1..600u64 {
        now += (r.unit() * r.unit() * 30e6) as i64;
        if r.chance(0.02) {
            now += 400_000_000;
        }
        match r.below(20) {
            0 if !posts.is_empty() => {
                let i = r.below(posts.len());
                let n = Some(r.below(1001) as u16);
                let (id, mut plain) = posts[i].clone();
                plain.n = n;
                // what was deleted stays as it was counted
                plain.text = r.chance(0.8).then(|| r.below(9) as u64);
                if !deleted.contains(&id) {
                    for list in [&mut posts, &mut all] {
                        let p = &mut list.iter_mut().find(|(other, _)| *other == id).unwrap().1;
                        (p.n, p.text) = (n, plain.text);
                    }
                }
                fold.edit(w, step, Time(now), &told(id, &plain, of.followers[&plain.account]));
            }
            1 => {
                let account = r.below(12) as u64;
                let f = (r.unit() * r.unit() * 3e6) as u64;
                // what is learned holds for accounts that are there to learn it
                if posts.iter().any(|(_, p)| p.account == account && Time(p.time) >= Time(now) - rules.retention) {
                    of.followers.insert(account, f);
                    of.known.insert(account);
                    fold.learn(w, Time(now), AccountId(account), f, None);
                }
            }
            2 if !posts.is_empty() => {
                let id = posts[r.below(posts.len())].0;
                deleted.insert(id);
                fold.delete(Gone::Post(PostId(id)));
            }
            _ => {
                let mut p = random_post(&mut r, now);
                p.known = of.known.contains(&p.account);
                fold.add(w, step, Time(now), &told(step, &p, of.followers[&p.account]));
                posts.push((step, p.clone()));
                all.push((step, p));
            }
        }
        // an account that is gone from every window is told anew, with the audience of its next post
        posts.retain(|(_, p)| Time(p.time) >= Time(now) - rules.retention);
        compare(w, &mut fold, (&posts, &all), &of, now, (seed, step));
    }
}

fn compare(
    w: World<'_>,
    fold: &mut KeyFold,
    (posts, all): (Listed<'_>, Listed<'_>),
    of: &Audiences,
    now: i64,
    (seed, step): (u64, u64),
) {
    let brand = Group::whole(0, key_id("b"));
    let stories = (0..2).map(|s| Group {
        plan: 1,
        story: Some(StoryRef { id: StoryId(s), name: format!("s{s}").into() }),
        ..brand.clone()
    });
    for group in std::iter::once(brand.clone()).chain(stories) {
        let here = |p: &&(u64, Plain)| group.story.as_ref().map_or(p.1.in_brand, |s| p.1.story == s.id.0);
        let mine: Vec<Plain> = posts.iter().filter(here).map(|(_, p)| p.clone()).collect();
        let whole: Vec<Plain> = all.iter().filter(here).map(|(_, p)| p.clone()).collect();
        let by_story = group.story.is_some();
        let Some(reading) = fold.read(w, &group, Time(now), step) else { continue };
        let plan = &w.rules.plans[group.plan as usize];
        for (spec, found) in plan.series.iter().zip(&reading.values) {
            let shown = spec.to_string();
            let expected = match shown.contains('[') {
                true => twin(&shown, &mine, of, now, by_story),
                false => whole_life(&shown, &whole, now),
            };
            let same = match (expected, found) {
                (None, None) => true,
                (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * a.abs().max(1.0),
                _ => false,
            };
            assert!(same, "seed {seed}, step {step}, {spec}: expected {expected:?}, found {found:?}");
        }
    }
}

#[test]
fn windows_equal_their_definition() {
    for seed in 0..24 {
        run(seed);
    }
}

#[test]
fn retention_covers_every_window() {
    let rules = rules();
    assert!(rules.retention >= Span::seconds(3600 + 60));
}
