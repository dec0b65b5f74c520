//! The path that looks at raw bytes first must come to the same end as the full parse, for usual
//! and for odd frames alike.

use std::sync::Arc;

use groundswell::app::engine::{Engine, Input};
use groundswell::base::model::{Frame, FrameBatch, SourceInfo, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
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
        7 => frame[..frame.len() - r.below(40)].to_string(),
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

#[test]
fn raw_bytes_and_full_parse_agree() {
    agree(rules(40), 2000);
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
    agree(text, 300);
}

fn agree(rules: String, at_least: usize) {
    let file = SourceText { file: "r".into(), text: rules };
    let rules = Arc::new(RuleSet::load(&[file]).unwrap().0);
    let source = Arc::new(SourceInfo { name: "bluesky".into(), format: WireFormat::Jetstream });
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
            let batch = FrameBatch { source: source.clone(), frames: batch.collect() };
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
                o.entries
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
