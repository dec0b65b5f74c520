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

fn linked(id: &str, link: &str, text: &str) -> serde_json::Value {
    serde_json::json!({"id": id, "text": text, "links": [link]})
}

#[test]
fn a_quote_or_link_joins_although_it_does_not_name_the_brand() {
    let told = play(&[
        linked("r", "https://www.youtube.com/watch?v=5YGc4zOqozo&utm_source=x", "alphaco, the film"),
        to("quote", "q", "r", BAD),
        linked("l", "https://youtu.be/5YGc4zOqozo?si=abc", BAD),
        linked("m", "http://m.youtube.com/watch?t=3&v=5YGc4zOqozo", BAD),
        linked("n", "https://youtu.be/5YGc4zOqozO", BAD),
        linked("h", "https://youtu.be/", BAD),
        to("quote", "p", "l", "me too"),
    ]);
    assert_eq!(
        told,
        [
            "alpha r post neutral net:r",
            "alpha q quote negative net:r",
            "alpha l post negative net:r",
            "alpha m post negative net:r",
            "alpha p quote neutral net:r",
        ]
    );
}

#[test]
fn a_root_that_seems_neutral_is_in_one_story_with_what_is_said_of_it() {
    let mut posts = vec![linked("r", "https://news.example/a?utm_medium=x", "alphaco and the guitar")];
    posts.extend((0..3).map(|k| to("quote", &format!("q{k}"), "r", BAD)));
    posts.extend((0..3).map(|k| to("reply", &format!("a{k}"), "r", BAD)));
    posts.extend((0..3).map(|k| linked(&format!("l{k}"), "http://amp.news.example/a/amp/", BAD)));
    posts.push(to("repost", "s", "r", ""));
    let told = play(&posts);
    assert_eq!(told.len(), 11, "{told:?}");
    assert!(told[0].contains("r post neutral") && told[10].contains("s repost negative"), "{told:?}");
    assert!(told.iter().all(|t| t.trim_end_matches(" story-only").ends_with("net:r")), "{told:?}");
}

#[test]
fn a_link_to_a_post_is_as_good_as_a_quote() {
    let uri = "at://did:plc:abc/app.bsky.feed.post/3k";
    let sky = |id: &str, text: &str| serde_json::json!({"id": id, "source": "bluesky", "text": text});
    let link = "https://bsky.app/profile/did:plc:abc/post/3k?x=1";
    // the post first: who links it joins it
    let told = play(&[sky(uri, "alphaco lost it"), linked("l", link, BAD)]);
    assert_eq!(told[1], format!("alpha l post negative bluesky:{uri}"));
    // the link first: the post joins, and a share of what nobody has seen concerns nobody
    let told = play(&[
        linked("l", link, "alphaco, look"),
        linked("x", link, "nice"),
        sky(uri, "alphaco lost it"),
        linked("y", link, "so"),
    ]);
    let ids: Vec<&str> = told.iter().map(|t| t.split(' ').nth(1).unwrap()).collect();
    assert_eq!(ids, ["l", uri, "y"], "{told:?}");
    assert!(told.iter().all(|t| t.ends_with("net:l")), "{told:?}");
}

#[test]
fn a_link_post_may_come_before_what_it_links() {
    let told = play(&[
        linked("l", "https://video.example/watch?v=1&fbclid=x", "alphaco, watch this"),
        linked("x", "https://www.video.example/watch/?v=1#t", BAD),
        linked("r", "http://video.example/watch?v=1", "this is what alphaco did"),
        linked("o", "http://video.example/watch?v=2", "this is what alphaco did not"),
    ]);
    assert_eq!(
        told,
        [
            "alpha l post neutral net:l",
            "alpha x post negative net:l",
            "alpha r post neutral net:l",
            "alpha o post neutral net:o"
        ]
    );
}

#[test]
fn the_same_words_join_only_where_they_name_the_brand() {
    let long = "alphaco staff broke my guitar on the way to Omaha and the company refuses to pay for any of it";
    let said = |id: &str| post(id, long);
    let told = play(&[
        said("a"),
        said("b"),
        said("c"),
        post("d", &long.replace("alphaco", "betaco")),
        post("e", &long.replace("alphaco", "gamma")),
        post("f", "alphaco so bad"),
        post("g", "alphaco so bad"),
        post("h", "alphaco so bad"),
    ]);
    let stories: Vec<&str> = told.iter().map(|t| t.rsplit(' ').next().unwrap()).collect();
    assert_eq!(stories[..3], ["net:a", "net:b", "net:a"], "{told:?}");
    assert_eq!(stories[4..], ["net:f", "net:g", "net:h"], "{told:?}");
    assert!(told[3].starts_with("beta d ") && told.len() == 7, "{told:?}");
}

/// Memory of this program, in bytes.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// Run alone: `cargo test --test it -- --ignored --nocapture memory_of_a_story`.
#[test]
#[ignore = "measures memory"]
fn memory_of_a_story() {
    use groundswell::base::account::{account_id, post_id};
    use groundswell::base::hash;
    use groundswell::base::model::*;
    use groundswell::base::time::Time;
    use groundswell::enroll::Junction;

    let rules = RuleSet::load(&[SourceText { file: "r".into(), text: RULES.into() }]).unwrap().0;
    let source = Arc::new(SourceInfo { name: "bluesky".into(), format: WireFormat::Post });
    let (stories, posts) = (50_000u64, 10u64);
    let uri = |story: u64, k: u64| format!("at://did:plc:{:024}/app.bsky.feed.post/3k{:011}", story * 31 + k, story);
    let mut j = Junction::new(ClockMode::Recording);
    j.rules(&rules, &mut |_, _| unreachable!());
    let before = resident();
    for k in 0..posts {
        for s in 0..stories {
            let (id, author) = (uri(s, k), format!("did:plc:{:024}", s * 31 + k));
            let m = Mention {
                body: Arc::new(PostBody {
                    source: source.name.clone(),
                    id: id.as_str().into(),
                    author: author.as_str().into(),
                    author_name: None,
                    text: "alphaco".into(),
                    lang: None,
                    url: None,
                    links: Box::default(),
                    tags: Box::default(),
                }),
                post: post_id("bluesky", id.as_bytes()),
                account: account_id("bluesky", &author),
                time: Time(1_783_152_000_000_000 + ((k * stories + s) * 1000) as i64),
                followers: None,
                kind: if k == 0 { PostKind::Post } else { PostKind::Reply },
                edit: false,
                n: None,
                causes: Causes::default(),
                has_text: true,
                sketch: Sketch::new(
                    (0..64).map(|i| hash::parts(&[&[i as u8], &s.to_le_bytes(), &k.to_le_bytes()]) as u32).collect(),
                ),
                keys: smallvec::SmallVec::from_slice(&[key_id("alpha")]),
                own: Default::default(),
                staff: Default::default(),
                to: Default::default(),
                parent: (k > 0).then(|| post_id("bluesky", uri(s, 0).as_bytes())),
                root: None,
                quoted: None,
                links: if k == 0 {
                    smallvec::SmallVec::from_slice(&[PostId(hash::parts(&[b"l", &s.to_le_bytes()]))])
                } else {
                    Default::default()
                },
            };
            let frames = vec![Frame { bytes: Vec::new().into(), received: None, oversize: false }];
            let sifted = vec![Sifted::Mention(Box::new(m))];
            j.batch(&SiftedBatch { source: source.clone(), frames, sifted, sifted_under: 0 }, &mut |_, _| None);
            j.drain();
        }
    }
    let used = resident() - before;
    let hits: std::collections::BTreeMap<_, _> = j.limit_hits().into();
    println!(
        "{stories} stories of {posts} posts: {} MB, {} bytes a story; {hits:?}",
        used >> 20,
        used as u64 / stories
    );
    assert_eq!((hits["stories"], hits["story_posts"]), (0, 0), "all of them are remembered");
    assert!(used < 1 << 30, "{used} bytes");
}
