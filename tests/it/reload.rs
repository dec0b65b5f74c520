//! Rules that change while frames are on their way.

use std::sync::Arc;

use groundswell::app::engine::{Engine, Input};
use groundswell::app::pipeline::Pipeline;
use groundswell::base::account::key_id;
use groundswell::base::model::{Entry, EntryBody, Frame, FrameBatch, SourceInfo, SourceState, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::enroll::ClockMode;

fn rules(brands: &str) -> Arc<RuleSet> {
    let text = format!("brands: {{{brands}}}\nrules:\n  - {{alert: A, when: 'mentions[1h] >= 1', severity: page}}\n");
    Arc::new(RuleSet::load(&[SourceText { file: "r".into(), text }]).unwrap().0)
}

fn batch(posts: &[(&str, &str)]) -> FrameBatch {
    let source = Arc::new(SourceInfo { name: "net".into(), format: WireFormat::Post });
    let frame = |(i, (time, text)): (usize, &(&str, &str))| {
        let post = serde_json::json!({"id": format!("{time}{i}"), "source": "net", "author": "a", "text": text, "time": time, "lang": "en"});
        Frame { bytes: post.to_string().into_bytes().into(), received: None, oversize: false }
    };
    FrameBatch { source, frames: posts.iter().enumerate().map(frame).collect(), position: None }
}

fn mentions(entries: &[Entry], brand: &str) -> usize {
    let of = |e: &&Entry| matches!(&e.body, EntryBody::Mention(t) if t.key == key_id(brand));
    entries.iter().filter(of).count()
}

#[test]
fn frames_sifted_under_older_rules_are_matched_again() {
    let mut engine = Engine::new(rules("old: {query: old}"), ClockMode::Recording, 1);
    let posts =
        [("2026-07-04T08:00:00Z", "the old"), ("2026-07-04T08:00:01Z", "the fresh"), ("2026-07-04T08:00:02Z", "other")];
    let sifted = engine.sift(batch(&posts));
    engine.step(Input::Rules(rules("fresh: {query: fresh}")));
    let out = engine.step(Input::Sifted(sifted));
    assert_eq!((mentions(&out.step.entries, "fresh"), mentions(&out.step.entries, "old")), (1, 0));
    assert_eq!(out.transitions.len(), 1);
}

#[test]
fn frames_held_for_their_time_are_matched_again() {
    let mut engine = Engine::new(rules("old: {query: old}"), ClockMode::Recording, 1);
    let out = engine.step(Input::Frames(batch(&[("2026-07-04T08:00:00Z", "the fresh")])));
    assert_eq!(out.outcomes.values().map(|o| o.sum()).sum::<u64>(), 0, "held until a second line agrees");
    engine.step(Input::Rules(rules("fresh: {query: fresh}")));
    let out = engine.step(Input::Source("net".into(), SourceState::End));
    assert_eq!(mentions(&out.step.entries, "fresh"), 1);
}

#[test]
fn fronts_on_threads_change_their_rules_too() {
    for fronts in [0, 2] {
        let mut p = Pipeline::new(Engine::new(rules("old: {query: old}"), ClockMode::Recording, 1), fronts);
        let mut out = Vec::new();
        for hour in 8..12 {
            let (a, b) = (format!("2026-07-04T{hour:02}:00:00Z"), format!("2026-07-04T{hour:02}:00:01Z"));
            p.feed(batch(&[(&a, "the old and the fresh"), (&b, "fresh")]), &mut out);
            if hour == 9 {
                p.tell(Input::Rules(rules("fresh: {query: fresh}, old: {query: old}")), &mut out);
            }
        }
        p.finish(&mut out);
        let entries: Vec<Entry> = out.iter().flat_map(|o| o.step.entries.iter().cloned()).collect();
        assert_eq!((mentions(&entries, "old"), mentions(&entries, "fresh")), (4, 4), "{fronts} fronts");
    }
}

#[test]
fn shares_of_a_brand_that_is_gone_concern_nobody() {
    let mut engine = Engine::new(rules("old: {query: old}, x: {query: x}"), ClockMode::Recording, 1);
    engine.step(Input::Frames(batch(&[("2026-07-04T08:00:00Z", "old"), ("2026-07-04T08:00:01Z", "x")])));
    engine.step(Input::Rules(rules("x: {query: x}")));
    let share = serde_json::json!({"id": "s", "source": "net", "author": "b", "text": "", "kind": "repost",
        "parent": "2026-07-04T08:00:00Z0", "time": "2026-07-04T08:00:05Z"});
    let frames = vec![Frame { bytes: share.to_string().into_bytes().into(), received: None, oversize: false }];
    let out = engine.step(Input::Frames(FrameBatch { frames, ..batch(&[]) }));
    assert!(out.step.entries.iter().all(|e| matches!(e.body, EntryBody::Tick)), "{:?}", out.step.entries);
}
