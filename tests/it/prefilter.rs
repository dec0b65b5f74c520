//! The path that looks at raw bytes first must come to the same end as the full parse, for usual
//! and for odd frames alike.

use std::sync::Arc;

use groundswell::app::engine::{Engine, Input};
use groundswell::base::model::{Frame, FrameBatch, SourceInfo, WireFormat};
use groundswell::base::outcome::Outcome;
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::Time;
use groundswell::enroll::ClockMode;

use crate::frames::{Frames, Random, Recipe, rules};

/// Changes that a server or an attacker could make to a frame.
fn mutate(r: &mut Random, frame: &str) -> Vec<u8> {
    let text = match r.below(16) {
        0 => frame.replacen("e", "\\u0065", 1 + r.below(40)),
        1 => frame.replace('/', "\\/"),
        2 => frame.replace(':', ": ").replace(',', " , "),
        3 => frame.to_uppercase(),
        4 => frame.replacen("\"kind\"", "\"cursor\":77,\"kind\"", 1),
        5 => frame.replace("zen", "ｚen").replace("vor", "Vor").replace("kal", "k\u{ad}al"),
        6 => frame.replace("\"text\":\"", "\"text\":\"\\\"quoted\\\" "),
        7 => frame[..frame.floor_char_boundary(frame.len() - r.below(40))].to_string(),
        8 => frame.replacen("\"commit\":{", "\"commit\":{\"x\":[[{\"text\":\"zenora\"}]],", 1),
        9 => frame.replacen("\"text\":\"", "\"tags\":[\"zenzenora\",\"x\"],\"text\":\"", 1),
        10 => frame.replacen("create", "update", 1),
        11 => frame.replacen("\"langs\"", "\"facets\":[{\"features\":[{\"tag\":\"kalzenora\"},{\"uri\":\"https://news.example/story/1\"}]}],\"langs\"", 1),
        12 => {
            let mut bytes = frame.as_bytes().to_vec();
            let at = r.below(bytes.len());
            bytes[at] = r.below(256) as u8;
            return bytes;
        }
        _ => frame.to_string(),
    };
    text.into_bytes()
}

/// The same event as protocol v2 tells it, in the layout of servers and in others.
fn to_v2(frame: &str, layout: usize) -> String {
    let v: serde_json::Value = serde_json::from_str(frame).unwrap();
    let (us, c) = (v["time_us"].as_i64().unwrap(), &v["commit"]);
    let shown = Time(us).to_string();
    let seen = format!("\"{}{:03}Z\"", shown.trim_end_matches('Z'), us % 1000);
    let early = seen.replace("2026", "2025");
    let record = frame.split_once("\"record\":").map(|(_, r)| r.rsplit_once(",\"cid\":").unwrap().0);
    let text = |v: &serde_json::Value| Some(v.to_string()).filter(|t| t != "null");
    let members = [
        ("$type", Some("\"network.bsky.jetstream.subscribeEvents#commit\"".to_string())),
        ("seq", Some(us.to_string())),
        ("did", text(&v["did"])),
        ("time", Some(if layout == 1 { seen.clone() } else { early })),
        ("witnessedAt", Some(seen).filter(|_| layout != 1)),
        ("rev", text(&c["rev"])),
        ("operation", text(&c["operation"])),
        ("collection", text(&c["collection"])),
        ("rkey", text(&c["rkey"])),
        ("cid", text(&c["cid"])),
        ("record", record.map(str::to_string)),
    ];
    let mut members: Vec<_> = members.into_iter().filter_map(|(k, v)| Some(format!("\"{k}\":{}", v?))).collect();
    match layout {
        2 => members.sort(),
        3 => members.reverse(),
        4 => members[4..].rotate_left(1),
        _ => {}
    }
    format!("{{\"$type\":\"message\",\"payload\":{{{}}}}}", members.join(","))
}

/// A frame of protocol v2, often in odd layouts, or changed as those of v1 are.
fn mutate_v2(r: &mut Random, frame: &str) -> Vec<u8> {
    let layout = r.below(8);
    let frame = to_v2(frame, layout);
    let text = match r.below(16) {
        0 => frame.replace("\":", "\" :\t").replace(",\"", " ,\n\""),
        1 => frame.replacen("\"seq\"", "\"x\":[[{\"text\":\"zenora\"}],\"]\\\"\"],\"seq\"", 1),
        2 => frame.replacen("#commit", ["#sync", "#info", "#identity", "#account"][r.below(4)], 1),
        3 => frame.replacen("\"message\"", "\"error\"", 1),
        4 => {
            frame.replacen("\"witnessedAt\":\"2026", ["\"witnessedAt\":\"1926", "\"witnessed\":\"2026"][r.below(2)], 1)
        }
        5 => frame.replacen("Z\"", "+00:00\"", 2),
        6 => frame.replacen("feed.post\"", "feed.like\"", 1),
        _ => return mutate(r, &frame),
    };
    text.into_bytes()
}

#[test]
fn raw_bytes_and_full_parse_agree() {
    agree(rules(40), 2000, WireFormat::Jetstream);
}

#[test]
fn raw_bytes_and_full_parse_agree_on_v2() {
    agree(rules(40), 1500, WireFormat::JetstreamV2);
}

/// Whoever listens to both protocols counts every post once, and the same.
#[test]
fn both_protocols_tell_the_same() {
    let file = SourceText { file: "r".into(), text: rules(40) };
    let rules = Arc::new(RuleSet::load(&[file]).unwrap().0);
    let mut frames = Frames::new(Recipe { seed: 3, brands: 40, naming: 0.15, ..Recipe::default() });
    let lines: Vec<String> = (0..3000)
        .map(|_| {
            let mut line = String::new();
            frames.frame(&mut line);
            line
        })
        .collect();
    let batch = |format: WireFormat, lines: Vec<String>| {
        let frame = |l: String| Frame { bytes: l.into_bytes().into(), received: None, oversize: false };
        let source = Arc::new(SourceInfo { name: "bluesky".into(), format });
        Input::Frames(FrameBatch { source, frames: lines.into_iter().map(frame).collect(), position: None })
    };
    let v2 = || batch(WireFormat::JetstreamV2, lines.iter().enumerate().map(|(i, l)| to_v2(l, i % 5)).collect());
    let new = || Engine::new(rules.clone(), ClockMode::Recording, 1);
    let (mut one, mut two) = (new(), new());
    let first = one.step(batch(WireFormat::Jetstream, lines.clone()));
    let other = two.step(v2());
    assert_eq!(format!("{:?}", first.step.entries), format!("{:?}", other.step.entries));
    assert_eq!(first.outcomes, other.outcomes);
    let again = one.step(v2());
    let count = |o: &groundswell::app::engine::Output, what| o.outcomes.values().map(|c| c.get(what)).sum::<u64>();
    let counted = [Outcome::Mention, Outcome::Share, Outcome::Reply].map(|o| count(&first, o)).iter().sum::<u64>();
    let repeats = count(&again, Outcome::Duplicate);
    assert!(counted > 300 && repeats == counted, "{repeats} of {counted} were known");
}

/// Queries that look beside the text, and own and staff accounts, of accounts and links that the
/// frames hold.
#[test]
fn raw_bytes_and_full_parse_agree_on_links_and_accounts() {
    let mut frames = Frames::new(Recipe { seed: 0, brands: 40, naming: 0.15, ..Recipe::default() });
    let (mut dids, mut links) = (Vec::new(), Vec::new());
    for _ in 0..4000 {
        let mut line = String::new();
        frames.frame(&mut line);
        let v: serde_json::Value = serde_json::from_str(&line).unwrap();
        dids.push(v["did"].as_str().unwrap().to_string());
        let parts = line.split("\"uri\":\"").skip(1).filter_map(|s| s.split('"').next());
        for uri in parts {
            match uri.strip_prefix("at://") {
                Some(rest) => dids.push(rest.split('/').next().unwrap().to_string()),
                None => links.push(uri.to_string()),
            }
        }
    }
    let mut r = Random::new(5);
    let mut text = rules(10).split("rules:").next().unwrap().to_string();
    for i in 0..12 {
        let (a, b, c) = (&dids[r.below(dids.len())], &dids[r.below(dids.len())], &dids[r.below(dids.len())]);
        let link = &links[r.below(links.len())];
        let (host, path) = link.split_once("://").unwrap().1.split_once('/').unwrap();
        let query = match i % 4 {
            0 => format!("author:bluesky:{a} OR to:{b} lang:en"),
            1 => format!("domain:{host} url:{path} NOT kind:reply"),
            2 => format!("zenzenora{i} OR to:own OR (kind:quote author:{a})"),
            _ => format!("url:\"{path}\" OR author:\"{b}\""),
        };
        text.push_str(&format!("  f{i}: {{query: '{query}', own: [\"bluesky:{c}\"], staff: [\"{b}\"]}}\n"));
    }
    agree(text.clone(), 300, WireFormat::Jetstream);
    agree(text, 200, WireFormat::JetstreamV2);
}

fn agree(rules: String, at_least: usize, format: WireFormat) {
    let file = SourceText { file: "r".into(), text: rules };
    let rules = Arc::new(RuleSet::load(&[file]).unwrap().0);
    let mutate = if format == WireFormat::Jetstream { mutate } else { mutate_v2 };
    let source = Arc::new(SourceInfo { name: "bluesky".into(), format });
    let mut matched = 0;
    for seed in 0..6 {
        let recipe = Recipe { seed, brands: 40, naming: 0.15, ..Recipe::default() };
        let (mut frames, mut r) = (Frames::new(recipe), Random::new(seed + 100));
        let mut fast = Engine::new(rules.clone(), ClockMode::Recording, 1);
        let mut full = Engine::new(rules.clone(), ClockMode::Recording, 1).without_prefilter();
        for _ in 0..60 {
            let batch = (0..100).map(|_| {
                let mut line = String::new();
                frames.frame(&mut line);
                Frame { bytes: mutate(&mut r, &line).into(), received: None, oversize: false }
            });
            let batch = FrameBatch { source: source.clone(), frames: batch.collect(), position: None };
            let (a, b) = (fast.sift(batch.clone()), full.sift(batch));
            for (i, frame) in a.frames.iter().enumerate() {
                let shown = || String::from_utf8_lossy(&frame.bytes).into_owned();
                let (a, b) = (&a.sifted[i], &b.sifted[i]);
                match (a, b) {
                    // the glance may name what a parse knows to be no reference; both end as unrelated
                    (groundswell::base::model::Sifted::Ref(a), groundswell::base::model::Sifted::Ref(b)) => {
                        assert!(b.targets.iter().all(|t| a.targets.contains(t)) && a.time == b.time, "{}", shown());
                    }
                    // damage far behind the head is seen by a parse only
                    (
                        groundswell::base::model::Sifted::Done(..) | groundswell::base::model::Sifted::Ref(_),
                        groundswell::base::model::Sifted::Damaged(_),
                    ) => {}
                    (a, b) => assert_eq!(a, b, "{}", shown()),
                }
            }
            let (a, b) = (fast.step(Input::Sifted(a)), full.step(Input::Sifted(b)));
            let entries = |o: &groundswell::app::engine::Output| {
                o.step
                    .entries
                    .iter()
                    .filter(|e| !matches!(e.body, groundswell::base::model::EntryBody::Tick))
                    .map(|e| format!("{:?}", e.body))
                    .collect::<Vec<_>>()
            };
            matched += entries(&a).len();
            assert_eq!(entries(&a), entries(&b), "seed {seed}");
        }
    }
    assert!(matched > at_least, "only {matched} entries: the test looks at nothing");
}
