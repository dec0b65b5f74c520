//! Any bytes end in an outcome, in every format; with and without the first look at raw bytes.
#![no_main]

use std::sync::{Arc, LazyLock};

use groundswell::app::engine::{Engine, Input};
use groundswell::base::model::{FieldMap, Frame, FrameBatch, Pointer, SourceInfo, SourceState, WireFormat};
use groundswell::base::outcome::Outcome;
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::enroll::ClockMode;
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
    let text = "brands: {b: {query: 'text OR domain:x.example OR author:did', own: ['bluesky:did:plc:a']}}\nrules:\n  - alert: A\n    by: [brand, story]\n    when: mentions[1m] >= 1 and lead >= 0\n    severity: page\n".to_string();
    Arc::new(RuleSet::load(&[SourceText { file: "f".into(), text }]).ok().map(|(s, _)| s).expect("rules"))
});

static FIELDS: LazyLock<Arc<FieldMap>> = LazyLock::new(|| {
    let at = |place: &str| Pointer(place.into());
    Arc::new(FieldMap {
        network: "f".into(),
        id: at("/id"),
        author: at("/author"),
        text: at("/text"),
        time: at("/time"),
        kind: Some(at("/kind")),
        parent: Some(at("/parent")),
        links: Some(at("/links")),
        only: vec![(at("/a~1b/0"), vec!["1".into()])],
        ..FieldMap::default()
    })
});

fuzz_target!(|frames: Vec<Vec<u8>>| {
    let formats = [WireFormat::Jetstream, WireFormat::JetstreamV2, WireFormat::Post, WireFormat::Json(FIELDS.clone())];
    for format in formats {
        let mut engine = Engine::new(RULES.clone(), ClockMode::Recording, 1);
        let source = Arc::new(SourceInfo { name: "f".into(), format });
        let frame = |b: &Vec<u8>| Frame { bytes: b.clone().into(), received: None, oversize: false };
        let batch = FrameBatch { source: source.clone(), frames: frames.iter().map(frame).collect(), position: None };
        let first = engine.step(Input::Frames(batch));
        let last = engine.step(Input::Source(source.name.clone(), SourceState::End));
        let ended: u64 = [first, last].iter().flat_map(|o| o.outcomes.values()).map(|o| o.sum()).sum();
        assert_eq!(ended, frames.len() as u64, "every frame ends once");
        let _ = Outcome::ALL;
    }
});
