//! The command `search` over an archive that was written from the engine's entries.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Instant;

use groundswell::app::archived::folded;
use groundswell::app::engine::{Engine, Input};
use groundswell::base::account::{account_id, key_id, post_id};
use groundswell::base::model::{
    Audience, Causes, Entry, EntryBody, Frame, FrameBatch, Negativity, Place, PostBody, PostKind, SourceInfo, StoryRef,
    Told, WireFormat,
};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::Time;
use groundswell::enroll::ClockMode;
use groundswell::store::archive::{Archive, Asked, archive_path};
use serde_json::Value as Json;

fn search(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_groundswell")).arg("search").args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn post(id: &str, author: &str, text: &str, second: u32, more: &str) -> String {
    format!(
        r#"{{"id":"{id}","source":"forum","author":"{author}","text":"{text}","time":"2026-07-04T08:00:{second:02}Z"{more}}}"#
    )
}

/// A store's main file with an archive beside it, in which a small story was told.
fn told(folder: &Path) -> String {
    let rules = "brands:\n  united: {query: united}\n  delta: {query: delta, own: ['forum:delta']}\ngroups:\n  air: {brands: [united, delta]}\n";
    let rules = RuleSet::load(&[SourceText { file: "r".into(), text: rules.into() }]).unwrap().0;
    let mut engine = Engine::new(Arc::new(rules), ClockMode::Live, 1);
    let source = Arc::new(SourceInfo { name: "forum".into(), format: WireFormat::Post });
    let lines = [
        post(
            "p1",
            "dave",
            "United broke my guitar, worst airline ever",
            1,
            r#","followers":120,"url":"https://f.example/p1","links":["https://Video.example/watch"]"#,
        ),
        post("p2", "erin", "delta lost my \u{202e}guitar, United too", 2, r#","followers":500"#),
        post("p3", "fred", "united is fine", 3, ""),
        post(
            "p4",
            "dave",
            "my \\\"united\\\" guitar again\\u001b[31m",
            4,
            r#","followers":120,"kind":"reply","parent":"p1""#,
        ),
        post("p5", "gina", "united guitar, to be gone", 5, ""),
        post("p6", "delta", "we sell guitar cases", 6, ""),
        r#"{"id":"p5","source":"forum","author":"gina","text":"","kind":"delete","time":"2026-07-04T08:00:07Z"}"#
            .into(),
        post("p7", "hans", "the united guitar story", 8, r#","kind":"edit","followers":9"#),
        post("p8", "ivy", "nothing of concern, a guitar", 9, ""),
    ];
    let store = folder.join("groundswell.db");
    let mut archive = Archive::open(&archive_path(&store)).unwrap();
    engine.step(Input::Tick(Time::parse_rfc3339("2026-07-04T08:00:30Z").unwrap()));
    for line in lines {
        let frames = vec![Frame { bytes: line.into_bytes().into(), received: None, oversize: false }];
        let out = engine.step(Input::Frames(FrameBatch { source: source.clone(), frames, position: None }));
        archive.take(&out.step.entries, &folded).unwrap();
    }
    let out = engine.step(Input::Audience { source: "forum".into(), author: "hans".into(), followers: 17, name: None });
    archive.take(&out.step.entries, &folded).unwrap();
    store.display().to_string()
}

#[test]
fn finds_who_said_what_and_counts_people() {
    let dir = tempfile::tempdir().unwrap();
    let store = told(dir.path());
    let out = search(&["guitar", "--store", &store, "--since", "2026-07-01T00:00:00Z"]);
    let shown = text(&out.stdout);
    assert!(out.status.success() && out.stderr.is_empty(), "{}", text(&out.stderr));
    let lines: Vec<&str> = shown.lines().collect();
    assert!(
        lines[0].starts_with("2026-07-04 08:00:01  neg ") && lines[0].ends_with("    120  dave (forum)"),
        "{shown}"
    );
    assert_eq!(lines[1..3], ["  United broke my guitar, worst airline ever", "  https://f.example/p1"]);
    assert!(shown.contains("  delta lost my guitar, United too\n") && !shown.contains('\u{1b}'), "{shown}");
    assert!(shown.contains("\n  reply: my \"united\" guitar again[31m\n"), "{shown}");
    let end = &lines[lines.len() - 2..];
    // dave once, delta's own account and hans; gina's post is gone, ivy's concerned nobody
    assert!(end[0].starts_with("5 posts by 4 people, ") && end[0].ends_with(" of 4)"), "{shown}");
    assert!(
        end[1].starts_with("archive: 7 posts, from 2026-07-04 08:00:01 UTC; written up to 2026-07-04 08:00:3"),
        "{shown}"
    );
}

#[test]
fn asks_by_brand_time_and_fields() {
    let dir = tempfile::tempdir().unwrap();
    let store = told(dir.path());
    let ids = |args: &[&str]| {
        let out = search(&[args, &["--store", &store, "--json"]].concat());
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        let lines: Vec<Json> = text(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let (total, posts) = lines.split_last().unwrap();
        assert_eq!(total["shown"], posts.len());
        let ids: Vec<String> = posts.iter().map(|p| p["id"].as_str().unwrap().to_string()).collect();
        (ids.join(" "), total["posts"].as_u64().unwrap())
    };
    let all = |ids: &str| (ids.to_string(), ids.split_whitespace().count() as u64);
    assert_eq!(ids(&["guitar"]), all("p1 p2 p4 p6 p7"));
    assert_eq!(ids(&["guitar", "--limit", "2"]), ("p6 p7".into(), 5));
    assert_eq!(ids(&["guitar", "--limit", "0"]), ("".into(), 5));
    assert_eq!(ids(&["guitar", "--brand", "delta"]), all("p2 p6"));
    assert_eq!(ids(&["guitar NOT delta", "--brand", "air"]), all("p1 p4 p6 p7"));
    assert_eq!(ids(&["lang:xx OR kind:reply", "--brand", "united"]), all("p4"));
    assert_eq!(ids(&["united", "--since", "2026-07-04T08:00:02Z", "--until", "2026-07-04T08:00:04Z"]), all("p2 p3"));
    assert_eq!(ids(&["united", "--until", "1h"]).1, 5, "in the past by any clock");
    assert_eq!(ids(&["url:watch"]), all("p1"));
    assert_eq!(ids(&["domain:video.example guitar NEAR/3 broke"]), all("p1"));
    assert_eq!(ids(&["author:forum:dave followers:>100"]), all("p1 p4"));
    assert_eq!(ids(&["gone"]), all(""));
    assert_eq!(ids(&["'\") OR words MATCH (\""]).1, 0);
}

#[test]
fn tells_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let store = told(dir.path());
    let config = dir.path().join("groundswell.yaml").display().to_string();
    let fails = |args: &[&str], code: i32, words: &[&str]| {
        let out = search(args);
        let said = text(&out.stderr);
        assert_eq!(out.status.code(), Some(code), "{args:?}: {said}");
        assert!(words.iter().all(|w| said.contains(w)), "{args:?}: {said}");
    };
    let text_of = "sources: {a: {type: jetstream, hosts: [h.example]}}\nrules: [r.yaml]\n";
    std::fs::write(dir.path().join("groundswell.yaml"), text_of).unwrap();
    assert!(search(&["guitar", "-c", &config]).status.success(), "the store lies beside the config");
    fails(&["guitar OR", "--store", &store], 1, &["error: query:1:10: expected"]);
    fails(&["to:forum:dave", "--store", &store], 1, &["query:1:1: ", "hint: whom a post answers is not archived"]);
    fails(
        &["guitar", "--store", "/no/such/x.db"],
        1,
        &["expected an archive of posts at /no/such/x.archive.db, found no file", "  hint: "],
    );
    fails(
        &["guitar", "--brand", "untied", "--store", &store],
        0,
        &["warning: expected a brand or group of the archive, found no post of `untied`"],
    );
    fails(&["guitar", "--since", "yesterday"], 2, &["expected a time like 2026-07-04T08:00:00Z, or how long ago"]);
    fails(&["guitar", "--limit", "many"], 2, &["--limit"]);
    fails(&[], 2, &["<QUERY>"]);
    std::fs::write(archive_path(Path::new(&store)), "rubbish ".repeat(999)).unwrap();
    fails(&["guitar", "--store", &store], 1, &["found a file of something else"]);
}

fn made(k: u64) -> Told {
    const WORDS: [&str; 24] = [
        "united", "flight", "guitar", "the", "my", "was", "broken", "again", "people", "never", "service", "airport",
        "I", "waited", "hours", "for", "luggage", "and", "nobody", "Called", "back", "today", "Still", "nothing",
    ];
    let mut x = k.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    let words: Vec<String> = (0..10 + next() % 20)
        .map(|_| match next() % 4 {
            0 => format!("w{}", next() % 50_000),
            _ => WORDS[(next() % 24) as usize].to_string(),
        })
        .collect();
    let (id, author) = (
        format!("at://did:plc:abcdefghijklmnop{}/app.bsky.feed.post/3k{k}", k % 200_000),
        format!("did:plc:abcdefghijklmnop{}", k % 200_000),
    );
    let body = PostBody {
        source: "bluesky".into(),
        id: id.as_str().into(),
        author: author.as_str().into(),
        author_name: None,
        text: words.join(" ").into(),
        lang: Some("en".into()),
        url: Some(format!("https://bsky.app/profile/{author}/post/3k{k}").into()),
        links: Box::default(),
        tags: Box::default(),
    };
    Told {
        key: key_id(["united", "delta", "acme"][(k % 3) as usize]),
        post: post_id("bluesky", id.as_bytes()),
        account: account_id("bluesky", &author),
        audience: Audience { followers: k % 5000, known: !(k % 200_000).is_multiple_of(3) },
        time: Time(1_783_000_000_000_000 + k as i64 * 600_000),
        n: Some(Negativity::from_milli((k % 1000) as u16)),
        causes: Causes::default(),
        kind: PostKind::Post,
        in_brand: true,
        to_own: false,
        place: Place::Root,
        text: None,
        foreign: None,
        via: "bluesky".into(),
        story: StoryRef { id: Default::default(), name: "s".into() },
        body: Arc::new(body),
    }
}

/// Rows a second, and how long a search over many posts takes; prints it.
/// `cargo nextest run --run-ignored only --no-capture -E 'test(measures_the_archive)'`
#[test]
#[ignore = "prints figures"]
fn measures_the_archive() {
    let posts: u64 = std::env::var("ARCHIVED_POSTS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("groundswell.db");
    let mut archive = Archive::open(&archive_path(&store)).unwrap();
    let began = Instant::now();
    for from in (1..=posts).step_by(5000) {
        let body = |k| Entry { seq: k, clock: made(k).time, body: EntryBody::Mention(Box::new(made(k))) };
        let batch: Vec<Entry> = (from..(from + 5000).min(posts + 1)).map(body).collect();
        archive.take(&batch, &folded).unwrap();
        if from % 100_000 == 1 {
            println!("{from:>9} posts: {:>7.0} a second", from as f64 / began.elapsed().as_secs_f64());
        }
    }
    let took = began.elapsed().as_secs_f64();
    let mib = archive.size_bytes().unwrap() / (1 << 20);
    println!("take: {posts} posts in {took:.1} s, {:.0} a second; {mib} MiB", posts as f64 / took);
    let name = store.display().to_string();
    for args in [
        &["w4711"][..],
        &["\"w4711 w23\" OR w42"],
        &["guitar"],
        &["guitar luggage service NOT airport"],
        &["\"broken guitar\"", "--brand", "united"],
        &["followers:>4990"],
        &["my", "--brand", "delta", "--since", "2026-07-06T00:00:00Z"],
        &["my"],
    ] {
        let began = Instant::now();
        let out = search(&[args, &["--store", &name, "--limit", "1"]].concat());
        let found = text(&out.stdout).lines().rev().nth(2).unwrap_or("").to_string();
        println!("{:>8.3} s  search {args:?}: {found}", began.elapsed().as_secs_f64());
    }
    let began = Instant::now();
    let mut n = 0;
    archive.search(&Asked::default(), &mut |_| n += 1).unwrap();
    println!("{:>8.3} s  all {n} rows read", began.elapsed().as_secs_f64());
    for slice in 0..3 {
        let began = Instant::now();
        let n = archive.forget(Time(i64::MAX), 1000).unwrap();
        println!("{:>8.3} s  slice {slice}: {n} posts forgotten", began.elapsed().as_secs_f64());
    }
}
