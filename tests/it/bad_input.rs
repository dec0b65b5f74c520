//! Whatever comes in: one outcome for each frame, no panic, nothing good lost beside it.

use std::sync::Arc;

use groundswell::app::engine::{Engine, Input};
use groundswell::base::limits;
use groundswell::base::model::{FieldMap, Frame, FrameBatch, Pointer, SourceInfo, WireFormat};
use groundswell::base::outcome::{Outcome, Outcomes};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::enroll::ClockMode;

use crate::frames::Random;

const GOOD_POST: &str = r#"{"id":"ID","source":"net","author":"alice","text":"united is late","time":"2026-07-04T08:00:00Z","followers":12}"#;
const GOOD_FRAME: &str = r#"{"did":"did:plc:a","time_us":1783175888085434,"kind":"commit","commit":{"rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"ID","record":{"text":"united is late","langs":["en"]},"cid":"c"}}"#;
const GOOD_V2: &str = r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":7,"did":"did:plc:a","time":"2026-07-04T08:00:00.000000Z","rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"ID","cid":"c","record":{"text":"united is late","langs":["en"]}}}"#;

/// Every format, with a frame of it that is a mention.
fn formats() -> [(WireFormat, &'static str); 4] {
    let at = |place: &str| Pointer::new(place).unwrap();
    let map = FieldMap {
        network: "net".into(),
        id: at("/id"),
        author: at("/author"),
        text: at("/text"),
        time: at("/time"),
        followers: Some(at("/followers")),
        kind: Some(at("/kind")),
        ..FieldMap::default()
    };
    [
        (WireFormat::Post, GOOD_POST),
        (WireFormat::Jetstream, GOOD_FRAME),
        (WireFormat::JetstreamV2, GOOD_V2),
        (WireFormat::Json(Arc::new(map)), GOOD_POST),
    ]
}

/// What tells no time moves no clock and is no moment at which the source was heard.
#[test]
fn messages_without_a_time_change_nothing() {
    let note = br#"{"$type":"error","error":"ConsumerTooSlow"}"#.to_vec();
    let good = GOOD_V2.as_bytes().to_vec();
    for frames in [vec![note.clone()], vec![good.clone(), note.clone(), good.clone(), note.clone()]] {
        let mut engine = engine();
        let source = Arc::new(SourceInfo { name: "s".into(), format: WireFormat::JetstreamV2 });
        let notes = frames.iter().filter(|f| **f == note).count() as u64;
        let all = frames.len() as u64;
        let frames = frames.into_iter().map(|f| Frame { bytes: f.into(), received: None, oversize: false }).collect();
        let seen = engine.step(Input::Frames(FrameBatch { source: source.clone(), frames, position: None }));
        let end = engine.step(Input::Source(source.name.clone(), groundswell::base::model::SourceState::End));
        let mut sum = Outcomes::default();
        seen.outcomes.values().chain(end.outcomes.values()).for_each(|o| sum.merge(o));
        assert_eq!((sum.get(Outcome::Ignored), sum.sum()), (notes, all));
        let last = engine.junction().last_event().get(&source.name).map(|t| t.to_string());
        assert_eq!(last.as_deref(), (all > notes).then_some("2026-07-04T08:00:00.000Z"));
        assert_eq!(engine.junction().now().is_some(), all > notes);
    }
}

fn engine() -> Engine {
    let file = SourceText {
        file: "r".into(),
        text: "brands: {u: {query: united}}\nrules:\n  - {alert: A, when: 'mentions[1h] >= 1', severity: info}\n"
            .into(),
    };
    Engine::new(Arc::new(RuleSet::load(&[file]).unwrap().0), ClockMode::Recording, 2)
}

fn play(format: WireFormat, frames: &[Vec<u8>]) -> Outcomes {
    let mut engine = engine();
    let source = Arc::new(SourceInfo { name: "s".into(), format });
    let frames = frames.iter().map(|f| Frame { bytes: f.clone().into(), received: None, oversize: false }).collect();
    let mut sum = Outcomes::default();
    engine
        .step(Input::Frames(FrameBatch { source: source.clone(), frames, position: None }))
        .outcomes
        .values()
        .for_each(|o| sum.merge(o));
    engine
        .step(Input::Source(source.name.clone(), groundswell::base::model::SourceState::End))
        .outcomes
        .values()
        .for_each(|o| sum.merge(o));
    sum
}

fn hostile(good: &str) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = vec![
        b"\xff\xfe\x00garbage".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"\"".to_vec(),
        b"0".to_vec(),
        "[".repeat(1_000_000).into_bytes(),
        "{\"a\":".repeat(200_000).into_bytes(),
        format!("{{\"did\":{}", "[".repeat(500_000)).into_bytes(),
        vec![b'x'; limits::FRAME_BYTES + 1],
        vec![0; 1000],
        good.as_bytes()[..good.len() / 2].to_vec(),
        good.replace("united is late", &"united ".repeat(150_000)).into_bytes(),
        good.replace("united is late", "").into_bytes(),
        good.replace("united is late", "\\ud800").into_bytes(),
        good.replace("united is late", &"\u{202e}\u{200d}\u{ad}".repeat(10_000)).into_bytes(),
        good.replace("12}", "-12}").into_bytes(),
        good.replace("12}", "1e308}").into_bytes(),
        good.replace("12}", "99999999999999999999999}").into_bytes(),
        good.replace("2026", "1970").replace("1783175888085434", "1").into_bytes(),
        good.replace("2026", "9999").replace("1783175888085434", "999999999999999999").into_bytes(),
        good.replace("1783175888085434", "-9223372036854775808").into_bytes(),
        good.replace("1783175888085434", "99999999999999999999999999").into_bytes(),
        good.replace("ID", &"i".repeat(100_000)).into_bytes(),
        good.replace("create", "destroy").replace("\"id\"", "\"kind\":\"party\",\"id\"").into_bytes(),
    ];
    let cut = good.as_bytes();
    out.extend((0..cut.len()).step_by(3).map(|i| [&cut[..i], b"\x80", &cut[i..]].concat()));
    out
}

#[test]
fn hostile_frames_cost_no_good_one() {
    for (format, good) in formats() {
        let bad = hostile(good);
        let mut frames = vec![good.replace("ID", "g0").into_bytes(), good.replace("ID", "g1").into_bytes()];
        for (i, b) in bad.iter().enumerate() {
            frames.push(b.clone());
            frames.push(good.replace("ID", &format!("h{i}")).into_bytes());
        }
        let outcomes = play(format.clone(), &frames);
        assert_eq!(outcomes.sum(), frames.len() as u64, "{format:?}");
        assert!(
            outcomes.get(Outcome::Mention) as usize >= 2 + bad.len(),
            "{format:?}: {:?}",
            outcomes.iter().collect::<Vec<_>>()
        );
        assert!(
            outcomes.get(Outcome::Malformed) > 20 && outcomes.get(Outcome::Oversize) == 1,
            "{format:?}: {:?}",
            outcomes.iter().collect::<Vec<_>>()
        );
    }
}

#[test]
fn random_damage_never_panics() {
    let mut r = Random::new(7);
    for (format, good) in formats() {
        let frames: Vec<Vec<u8>> = (0..20_000)
            .map(|_| {
                let mut b = good.as_bytes().to_vec();
                for _ in 0..1 + r.below(4) {
                    let i = r.below(b.len());
                    match r.below(3) {
                        0 => b[i] = r.below(256) as u8,
                        1 => drop(b.remove(i)),
                        _ => b.insert(i, b"\"\\{}[]:,0\xc3"[r.below(10)]),
                    }
                }
                b
            })
            .collect();
        assert_eq!(play(format.clone(), &frames).sum(), 20_000);
    }
}

#[test]
fn one_account_cannot_make_the_engine_slow_or_large() {
    let frames: Vec<Vec<u8>> = (0..60_000).map(|k| GOOD_POST.replace("ID", &format!("f{k}")).into_bytes()).collect();
    let outcomes = play(WireFormat::Post, &frames);
    assert_eq!(outcomes.get(Outcome::Mention), 60_000);
}
