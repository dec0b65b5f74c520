//! What counts as what: which brands a post concerns, in which measures, with which tone.

use std::sync::Arc;

use groundswell::app::engine::{Engine, Input};
use groundswell::base::account::key_id;
use groundswell::base::model::{EntryBody, Frame, FrameBatch, SourceInfo, SourceState, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::enroll::ClockMode;

const RULES: &str = "brands:\n  alpha: {query: alphaco}\n  beta: {query: betaco}\n";
const BAD: &str = "terrible awful disgusting scam";
const GOOD: &str = "love this wonderful amazing thing";

/// Plays posts, one a second; tells for each entry `brand id kind tone [story only]`.
fn play(posts: &[serde_json::Value]) -> Vec<String> {
    let rules = RuleSet::load(&[SourceText { file: "r".into(), text: RULES.into() }]).unwrap().0;
    let mut engine = Engine::new(Arc::new(rules), ClockMode::Recording, 1);
    let source = Arc::new(SourceInfo { name: "net".into(), format: WireFormat::Post });
    let frames = posts.iter().enumerate().map(|(k, p)| {
        let mut p = p.clone();
        let id = p["id"].clone();
        for (key, value) in [
            ("source", "net".into()),
            ("author", id),
            ("lang", "en".into()),
            ("time", (1_783_152_000_000u64 + 1000 * k as u64).into()),
        ] {
            if p.get(key).is_none() {
                p[key] = value;
            }
        }
        Frame { bytes: p.to_string().into_bytes().into(), received: None, oversize: false }
    });
    let frames: Vec<Frame> = frames.collect();
    let mut entries =
        engine.step(Input::Frames(FrameBatch { source: source.clone(), frames, position: None })).step.entries;
    entries.extend(engine.step(Input::Source(source.name.clone(), SourceState::End)).step.entries);
    let told = entries.into_iter().filter_map(|e| match e.body {
        EntryBody::Mention(t) | EntryBody::Share(t) => Some(t),
        EntryBody::Edit(mut t) => {
            let mut body = (*t.body).clone();
            body.id = format!("edit-{}", body.id).into();
            t.body = body.into();
            Some(t)
        }
        _ => None,
    });
    told.map(|t| {
        let tone = groundswell::base::model::Tone::of(t.n).name();
        let brand = ["alpha", "beta"].into_iter().find(|b| key_id(b) == t.key).unwrap();
        let only = if t.in_brand { "" } else { " story-only" };
        format!("{brand} {} {} {tone} {}{only}", t.body.id, t.kind.name(), t.story.name)
    })
    .collect()
}

fn post(id: &str, text: &str) -> serde_json::Value {
    serde_json::json!({"id": id, "text": text})
}

fn to(kind: &str, id: &str, parent: &str, text: &str) -> serde_json::Value {
    serde_json::json!({"id": id, "text": text, "kind": kind, "parent": parent})
}

#[test]
fn shares_concern_the_brands_of_what_is_shared() {
    let told = play(&[
        post("r", &format!("alphaco {BAD}")),
        to("reply", "m", "r", "betaco is worse"),
        to("repost", "s1", "m", ""),
        to("repost", "s2", "r", ""),
    ]);
    assert_eq!(
        told,
        [
            "alpha r post negative net:r",
            "alpha m reply negative net:r story-only",
            "beta m reply negative net:r",
            "alpha s1 repost negative net:r story-only",
            "beta s1 repost negative net:r",
            "alpha s2 repost negative net:r",
        ]
    );
}

#[test]
fn a_post_nobody_has_seen_hides_neither_root_nor_link() {
    let link = |id: &str, parent: &str| serde_json::json!({"id": id, "text": "yes", "kind": "reply", "parent": parent, "links": ["https://video.example/watch?v=1"]});
    let root = serde_json::json!({"id": "r", "text": "alphaco story", "links": ["https://video.example/watch?v=1"]});
    let told = play(&[
        root,
        link("a", "unseen"),
        link("b", "unseen"),
        serde_json::json!({"id": "c", "text": "yes", "kind": "reply", "parent": "unseen2", "root": "r"}),
        serde_json::json!({"id": "d", "text": "yes", "kind": "reply", "parent": "unseen2", "root": "r"}),
    ]);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[1..].iter().all(|t| t.contains("reply") && t.ends_with("net:r story-only")), "{told:?}");
}

#[test]
fn answers_to_an_unseen_post_meet_and_the_post_joins_them() {
    let told = play(&[
        to("reply", "a", "u", "alphaco ruined it"),
        to("reply", "b", "u", "alphaco again"),
        to("repost", "s", "u", ""),
        post("u", "alphaco, look at this"),
    ]);
    assert_eq!(told.len(), 3, "shares of a post nobody has seen concern nobody: {told:?}");
    assert!(told.iter().all(|t| t.ends_with("net:a")), "{told:?}");
}

#[test]
fn only_a_post_that_names_a_brand_gives_its_link_to_it() {
    let with = |id: &str, kind: &str, parent: Option<&str>, text: &str| serde_json::json!({"id": id, "text": text, "kind": kind, "parent": parent, "links": ["https://news.example/top-story"]});
    let told = play(&[
        post("r", "alphaco is late"),
        with("q", "quote", Some("r"), "look"),
        with("x", "post", None, "nice recipe"),
    ]);
    assert_eq!(told.len(), 2, "{told:?}");
    let told = play(&[with("r", "post", None, "alphaco is late"), with("x", "post", None, "read this")]);
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn tone_is_ones_own_or_that_of_what_is_passed_on() {
    let mut posts = vec![post("r", &format!("alphaco {BAD}"))];
    posts.extend((0..6).map(|k| to("reply", &format!("p{k}"), "r", GOOD)));
    posts.extend([to("quote", "q", "r", ""), to("repost", "s", "r", ""), to("reply", "e", "r", "")]);
    let told = play(&posts);
    let tone = |id: &str| told.iter().find(|t| t.contains(&format!(" {id} "))).unwrap().clone();
    assert!(tone("q").contains("quote negative"), "a quote without text: its parent's");
    assert!(!tone("s").contains("negative"), "a repost: the story's mean: {}", tone("s"));
    assert!(tone("e").contains("reply unknown"));
}

#[test]
fn an_edit_replaces_what_a_post_said_and_whom_it_names() {
    let edit = |id: &str, text: &str| serde_json::json!({"id": id, "text": text, "kind": "edit", "author": id});
    let told =
        play(&[post("r", &format!("alphaco {BAD}")), edit("r", &format!("betaco {GOOD}")), to("repost", "s", "r", "")]);
    assert_eq!(
        told,
        [
            "alpha r post negative net:r",
            "alpha edit-r post positive net:r",
            "beta r post positive net:r",
            "alpha s repost positive net:r",
            "beta s repost positive net:r",
        ]
    );
}

#[test]
fn reposts_with_a_text_of_their_own_are_a_story_and_can_be_deleted() {
    let told =
        play(&[to("repost", "a", "u", &format!("alphaco {BAD}")), to("repost", "b", "u", &format!("alphaco {BAD}"))]);
    assert!(told.iter().all(|t| t.contains("repost negative net:a")), "{told:?}");
}

#[test]
fn a_bad_line_before_a_gap_ruins_nothing() {
    let at = |id: &str, time: &str| serde_json::json!({"id": id, "text": "alphaco", "time": time});
    let told = play(&[
        at("a", "2026-07-04T08:00:00Z"),
        at("b", "2026-07-04T08:00:01Z"),
        at("bad", "2076-01-01T00:00:00Z"),
        at("c", "2026-07-08T08:00:00Z"),
        at("d", "2026-07-08T08:00:01Z"),
        at("e", "2026-07-08T08:00:02Z"),
    ]);
    let ids: Vec<&str> = told.iter().map(|t| t.split(' ').nth(1).unwrap()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e"]);
    let told = play(&[at("bad", "2076-01-01T00:00:00Z"), at("a", "2026-07-04T08:00:00Z")]);
    assert_eq!(told.len(), 1, "{told:?}");
}
