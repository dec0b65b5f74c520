//! Recorded messages of the real streams. Not part of the project: skipped where absent.

use std::path::PathBuf;
use std::sync::Arc;

use groundswell::app::engine::{Engine, Input};
use groundswell::base::model::{Frame, FrameBatch, SourceInfo, SourceState, WireFormat};
use groundswell::base::outcome::{Outcome, Outcomes};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::enroll::ClockMode;

fn play(file: &str, rules: &str) -> Option<(usize, Outcomes)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/streams").join(file);
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    };
    let rules = RuleSet::load(&[SourceText { file: "r".into(), text: rules.into() }]).unwrap().0;
    let mut engine = Engine::new(Arc::new(rules), ClockMode::Recording, 1);
    let source = Arc::new(SourceInfo { name: "bluesky".into(), format: WireFormat::Jetstream });
    let frames: Vec<Frame> = text
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| Frame { bytes: l.to_vec().into(), received: None, oversize: false })
        .collect();
    let (n, mut sum) = (frames.len(), Outcomes::default());
    for input in [
        Input::Frames(FrameBatch { source: source.clone(), frames, position: None }),
        Input::Source(source.name.clone(), SourceState::End),
    ] {
        engine.step(input).outcomes.values().for_each(|o| sum.merge(o));
    }
    Some((n, sum))
}

#[test]
fn real_jetstream_frames_each_have_one_outcome() {
    let Some((n, outcomes)) = play("bluesky_jetstream_v1.jsonl", "brands: {a: {query: 'america OR government'}}\n")
    else {
        return;
    };
    assert_eq!((n as u64, outcomes.sum()), (162, 162));
    assert_eq!(outcomes.get(Outcome::Malformed), 0);
    assert_eq!(outcomes.get(Outcome::Ignored), 123, "likes, follows, blocks, other collections");
    assert_eq!(outcomes.get(Outcome::Profile), 4);
    let posts = [Outcome::Mention, Outcome::Unmatched, Outcome::Unrelated].map(|o| outcomes.get(o));
    assert_eq!(posts.iter().sum::<u64>(), 35, "18 posts, 16 reposts, 1 delete of a post nobody tracks: {posts:?}");
    assert!(outcomes.get(Outcome::Mention) >= 1);
}

#[test]
fn real_posts_are_found_by_word_and_tag() {
    let Some((n, outcomes)) =
        play("bluesky_jetstream_posts_derived.jsonl", "brands: {r: {query: '#rstats OR \"r package\"'}}\n")
    else {
        return;
    };
    assert_eq!(outcomes.sum(), n as u64);
    assert_eq!(outcomes.get(Outcome::Malformed), 0);
    assert!(outcomes.get(Outcome::Mention) >= 10, "{:?}", outcomes.iter().collect::<Vec<_>>());
}
