use smallvec::SmallVec;

use super::*;
use crate::base::account::{account_id, key_id};
use crate::base::model::{Causes, Frame, Negativity, PostBody, Sketch, StoryId, StoryRef};
use crate::base::rule::SourceText;

const START: Time = Time(1_783_152_000_000_000);

fn junction() -> Junction {
    let text = "brands:\n  alpha: {query: alphaco}\n".to_string();
    let rules = RuleSet::load(&[SourceText { file: "r".into(), text }]).unwrap().0;
    let mut j = Junction::new(ClockMode::Live);
    j.rules(&rules, &mut |_, _| unreachable!("nothing is held"));
    j.tick(START);
    j
}

/// A post of an account that names the brand.
fn post(id: u64, account: u64, at: Time) -> Mention {
    let body = PostBody {
        source: "net".into(),
        id: id.to_string().into(),
        author: account.to_string().into(),
        author_name: None,
        text: "alphaco".into(),
        lang: None,
        url: None,
        links: Box::default(),
        tags: Box::default(),
    };
    Mention {
        body: Arc::new(body),
        post: PostId(spread(id)),
        account: account_id("net", &account.to_string()),
        time: at,
        followers: None,
        kind: PostKind::Post,
        edit: false,
        n: Some(Negativity::from_milli(900)),
        causes: Causes::default(),
        has_text: true,
        sketch: None,
        keys: SmallVec::from_slice(&[key_id("alpha")]),
        own: SmallVec::new(),
        staff: SmallVec::new(),
        to: SmallVec::new(),
        parent: None,
        root: None,
        quoted: None,
        links: SmallVec::new(),
    }
}

/// As ids are hashes, numbers are spread over all their bits.
fn spread(n: u64) -> u64 {
    crate::base::hash::parts(&[&n.to_le_bytes()])
}

/// What a text of so many pieces is made of; those of near numbers are alike.
fn text(from: u32, pieces: u32) -> Option<Sketch> {
    Sketch::new((from..from + pieces).map(|i| i.wrapping_mul(2_654_435_761)).collect())
}

/// The story it is counted in.
fn tell(j: &mut Junction, m: Mention) -> StoryRef {
    let source = Arc::new(SourceInfo { name: "net".into(), format: WireFormat::Post });
    let at = m.time;
    j.tick(at);
    let frames = vec![Frame { bytes: Vec::new().into(), received: None, oversize: false }];
    let batch = SiftedBatch { source, frames, sifted: vec![Sifted::Mention(Box::new(m))], sifted_under: 0 };
    j.batch(&batch, &mut |_, _| unreachable!("it is decoded already"));
    let mut told = j.drain().into_iter().filter_map(|e| match e.body {
        EntryBody::Mention(t) | EntryBody::Share(t) | EntryBody::Own(t) | EntryBody::Edit(t) => Some(t.story.clone()),
        _ => None,
    });
    told.next().unwrap()
}

fn minutes(m: i64) -> Time {
    START + Span::seconds(60 * m)
}

fn copy(id: u64, account: u64, minute: i64, sketch: Option<Sketch>) -> Mention {
    Mention { sketch, ..post(id, account, minutes(minute)) }
}

#[test]
fn a_text_that_three_accounts_say_is_the_story_of_the_first() {
    let mut j = junction();
    let long = || text(0, limits::COPIED_PIECES as u32);
    let first = tell(&mut j, copy(1, 1, 0, long()));
    assert_ne!(tell(&mut j, copy(2, 2, 1, long())), first, "two can come to the same words");
    assert_ne!(tell(&mut j, copy(3, 2, 2, long())), first, "the same two still");
    assert_eq!(tell(&mut j, copy(4, 3, 3, long())), first);
    assert_eq!(tell(&mut j, copy(5, 4, 4, text(1, limits::COPIED_PIECES as u32 + 1))), first, "nearly the same");
    assert_ne!(tell(&mut j, copy(6, 5, 5, text(20, limits::COPIED_PIECES as u32))), first, "another text");
}

#[test]
fn copies_must_be_said_within_minutes() {
    let mut j = junction();
    let first = tell(&mut j, copy(1, 1, 0, text(0, 60)));
    tell(&mut j, copy(2, 2, 5, text(0, 60)));
    assert_ne!(tell(&mut j, copy(3, 3, 11, text(0, 60))), first, "the first is 11 minutes old");
    assert_eq!(tell(&mut j, copy(4, 4, 12, text(0, 60))), first, "two others within 10 minutes");
    assert_ne!(tell(&mut j, copy(5, 5, 30, text(0, 60))), first, "nobody lately");
}

#[test]
fn what_people_come_to_by_themselves_joins_nobody() {
    let mut j = junction();
    for short in [8, limits::COPIED_PIECES as u32 - 1] {
        let base = u64::from(short) * 100;
        let stories: BTreeSet<StoryId> =
            (0..9).map(|k| tell(&mut j, copy(base + k, base + k, 0, text(9000 * short, short))).id).collect();
        assert_eq!(stories.len(), 9, "{short} pieces");
    }
}

#[test]
fn the_brand_itself_and_its_staff_found_no_story_by_what_they_say() {
    let mut j = junction();
    let own = |m: Mention| Mention { own: SmallVec::from_slice(&[key_id("alpha")]), ..m };
    let staff = |m: Mention| Mention { staff: SmallVec::from_slice(&[key_id("beta")]), ..m };
    let said = |id: u64| copy(id, id, 0, text(0, 60));
    let of_brand = tell(&mut j, own(said(1)));
    let others = [tell(&mut j, own(said(2))), tell(&mut j, staff(said(3))), tell(&mut j, staff(said(4)))];
    let first = tell(&mut j, said(5));
    assert!(first != of_brand && !others.contains(&first), "those before do not count");
    assert_ne!(tell(&mut j, said(6)), first);
    assert_eq!(tell(&mut j, said(7)), first);
    assert_ne!(tell(&mut j, own(said(8))), first, "nor do they join");
}

#[test]
fn a_parent_and_a_link_come_before_the_same_words() {
    let mut j = junction();
    let (link, other) = (PostId(spread(500)), PostId(spread(501)));
    let first = tell(&mut j, copy(1, 1, 0, text(0, 60)));
    tell(&mut j, copy(2, 2, 0, text(0, 60)));
    let of_link = tell(&mut j, Mention { links: SmallVec::from_slice(&[link]), ..post(10, 10, START) });
    let shared = Mention { links: SmallVec::from_slice(&[link]), ..copy(3, 3, 1, text(0, 60)) };
    assert_eq!(tell(&mut j, shared), of_link);
    let answer = Mention { parent: Some(PostId(spread(10))), kind: PostKind::Reply, ..copy(4, 4, 1, text(0, 60)) };
    assert_eq!(tell(&mut j, answer), of_link);
    // pasted below a post that nobody has seen: what others say there is no part of it
    let pasted = Mention { parent: Some(other), kind: PostKind::Reply, ..copy(5, 5, 1, text(0, 60)) };
    assert_eq!(tell(&mut j, pasted), first);
    let beside = Mention { parent: Some(other), kind: PostKind::Reply, ..post(11, 11, START) };
    assert_ne!(tell(&mut j, beside), first);
}

#[test]
fn copies_go_on_after_a_snapshot_as_before() {
    let mut j = junction();
    let first = tell(&mut j, copy(1, 1, 0, text(0, 60)));
    tell(&mut j, copy(2, 2, 1, text(0, 60)));
    let bytes = postcard::to_stdvec(&j).unwrap();
    let mut again: Junction = postcard::from_bytes(&bytes).unwrap();
    again.watch = j.watch.clone();
    assert_eq!(tell(&mut again, copy(3, 3, 2, text(0, 60))), first);
}

/// A post of a flood: nothing it names is known to anybody, and all of it is new.
fn flood(k: u64, at: Time) -> Mention {
    let id = 1_000_000 + k * 100;
    let fresh = |n: u64| PostId(spread(id + n));
    Mention {
        links: (20..36).map(fresh).collect(),
        parent: Some(fresh(1)),
        root: Some(fresh(2)),
        quoted: Some(fresh(3)),
        kind: PostKind::Reply,
        ..post(id, 1_000_000 + k % 500, at)
    }
}

#[test]
fn a_flood_of_posts_and_links_does_not_wash_a_story_away() {
    let mut j = junction();
    let link = PostId(spread(7));
    let share = |id: u64, at: Time| Mention { links: SmallVec::from_slice(&[link]), ..post(id, id, at) };
    let real = tell(&mut j, share(1, START));
    for k in 2..8 {
        assert_eq!(tell(&mut j, share(k, START)), real);
    }
    // everything a post can bring along, so fast that between two shares all that is remembered changes twice
    let flooded = 400_000;
    for k in 0..flooded {
        let at = START + Span::millis(k as i64 * 3 / 2);
        if k % 200_000 == 199_999 {
            let found = tell(&mut j, share(10 + k, at));
            assert_eq!(found, real, "after {k} posts");
        }
        tell(&mut j, flood(k, at));
    }
    let hits: BTreeMap<_, _> = j.limit_hits().into();
    assert!(hits["story_posts"] > 1_000_000, "{hits:?}");
    assert_eq!(tell(&mut j, share(9, minutes(15))), real);
    let quote = Mention { quoted: Some(PostId(spread(1))), kind: PostKind::Quote, ..post(90, 90, minutes(15)) };
    assert_ne!(tell(&mut j, quote), real, "its first post itself nobody passed on");
}

#[test]
fn a_story_begins_anew_once_and_not_with_every_share() {
    let mut j = junction();
    let root = PostId(spread(1));
    let share = |id: u64| Mention { parent: Some(root), kind: PostKind::Quote, ..post(id, id, START) };
    let first = tell(&mut j, post(1, 1, START));
    // what is shared is remembered longer than its story where stories are many
    for k in 0..2 * limits::STORIES as u64 {
        if k % 1000 == 0 {
            j.stories.used([root].into_iter(), first.id, account_id("net", "x"));
        }
        j.stories.join(&post(10 + k, 10 + k, START), []);
    }
    let second = tell(&mut j, share(2));
    assert_ne!(second, first);
    assert_eq!(tell(&mut j, share(3)), second);
}

#[test]
fn what_the_version_before_knew_is_known() {
    #[derive(serde::Serialize)]
    struct Texts {
        places: Recent<u64>,
        sketches: Recent<Sketch>,
    }
    let texts = Texts { places: Recent::new(8), sketches: Recent::new(8) };
    let mut bytes = postcard::to_stdvec(&(EngineClock::new(ClockMode::Recording), Span::seconds(7), 42u64)).unwrap();
    bytes.extend(postcard::to_stdvec(&Recent::<()>::new(8)).unwrap());
    bytes.extend(postcard::to_stdvec(&crate::enroll::stories::before_of(PostId(spread(1)), StoryId(5))).unwrap());
    bytes.extend(postcard::to_stdvec(&texts).unwrap());
    bytes.extend(postcard::to_stdvec(&Audiences::new()).unwrap());
    bytes.extend(postcard::to_stdvec(&(Vec::<Held>::new(), BTreeMap::<Arc<str>, Time>::new())).unwrap());
    let before: JunctionBefore = postcard::from_bytes(&bytes).unwrap();
    let j = Junction::from(before);
    assert_eq!((j.seq, j.retention), (42, Span::seconds(7)));
    let found = j.stories.find([PostId(spread(1))].into_iter()).unwrap();
    assert_eq!((found.1.story, j.stories.remembers(StoryId(5))), (StoryId(5), true));
}
