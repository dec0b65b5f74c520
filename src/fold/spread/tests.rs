//! Courses of stories against their definition, with audiences known early and late.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::base::model::{Audience, Gone, Group, Negativity, Place, PostId, PostKind, Tone};
use crate::fold::World;
use crate::fold::tests::{Key, at, story, told};

const ACCOUNTS: usize = 12;

/// Account, story, kind, negativity, second.
type Said = (usize, u64, usize, Option<u16>, i64);

fn said() -> impl Strategy<Value = Vec<Said>> {
    let n = prop::option::of(0u16..=1000);
    prop::collection::vec((0..ACCOUNTS, 1u64..4, 0usize..4, n, 0i64..3000), 1..80).prop_map(|mut all| {
        all.sort_by_key(|s| s.4);
        all
    })
}

fn post(i: usize, s: &Said, audience: Audience, roots: &mut BTreeSet<u64>) -> Told {
    let (account, of, kind, n, second) = *s;
    let kind = PostKind::ALL[kind];
    // a quote of what nobody has seen begins a story too
    let root = matches!(kind, PostKind::Post | PostKind::Quote) && roots.insert(of);
    let id = i as u64 + 1;
    Told {
        kind,
        n: n.map(Negativity::from_milli),
        story: story(of),
        audience,
        place: if root { Place::Root } else { Place::After(PostId(1)) },
        text: (kind != PostKind::Repost).then_some(id),
        ..told(id, account as u64, second)
    }
}

/// Tells all of it; accounts whose audience is not known are learned of after so many posts.
fn key_of(all: &[Said], followers: &[u64], late: Option<&[usize]>) -> Key {
    let (mut key, mut roots) = (Key::new(), BTreeSet::new());
    let mut known: Vec<bool> = (0..ACCOUNTS).map(|_| late.is_none()).collect();
    for (i, s) in all.iter().enumerate() {
        let audience = Audience { followers: if known[s.0] { followers[s.0] } else { 300 }, known: known[s.0] };
        key.tell(post(i, s, audience, &mut roots));
        let due = |a: &usize| late.is_some_and(|l| l[*a] == i || i + 1 == all.len());
        for account in (0..ACCOUNTS).filter(due).filter(|a| !known[*a]).collect::<Vec<_>>() {
            known[account] = true;
            let w = World { rules: &key.rules, outages: &key.outages };
            key.fold.learn(w, at(s.4), AccountId(account as u64), followers[account], None);
        }
    }
    key
}

/// Reach and hostile reach of a story, by their definition, in units of weight x base.
fn plainly(all: &[Said], followers: &[u64], of: u64) -> (i128, i128, u64, (u64, u64)) {
    let mut voices: BTreeMap<usize, (u32, u32)> = BTreeMap::new();
    let mut answers = (0, 0);
    let mut rooted = false;
    for (account, _, kind, n, _) in all.iter().filter(|s| s.1 == of) {
        let (kind, n) = (PostKind::ALL[*kind], n.map(Negativity::from_milli));
        let voice = voices.entry(*account).or_default();
        voice.0 = voice.0.max(reach::kind_weight(kind));
        voice.1 = voice.1.max(reach::hostile_weight(n, kind));
        let root = !rooted && matches!(kind, PostKind::Post | PostKind::Quote);
        rooted |= root;
        if !root && matches!(kind, PostKind::Reply | PostKind::Quote) && n.is_some() {
            answers.0 += 1;
            answers.1 += u64::from(Tone::of(n) == Tone::Negative);
        }
    }
    let sum = |f: fn(&(u32, u32)) -> u32| {
        voices.iter().map(|(a, v)| i128::from(f(v)) * i128::from(reach::base(followers[*a]))).sum()
    };
    (sum(|v| v.0), sum(|v| v.1), voices.len() as u64, answers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn late_audiences_come_to_the_same_as_early_ones(
        all in said(),
        tens in prop::collection::vec(0u32..8, ACCOUNTS),
        late in prop::collection::vec(0usize..80, ACCOUNTS),
    ) {
        let followers: Vec<u64> = tens.iter().map(|t| 3 * 10u64.pow(*t)).collect();
        let (mut early, mut later) = (key_of(&all, &followers, None), key_of(&all, &followers, Some(&late)));
        let now = at(all.last().unwrap().4);
        for of in 1..4 {
            let Some(course) = early.fold.courses().get(StoryId(of)) else {
                prop_assert!(later.fold.courses().get(StoryId(of)).is_none());
                continue;
            };
            let other = later.fold.courses().get(StoryId(of)).unwrap();
            let found = (course.seen_units(), course.hostile_units(), course.accounts(), course.heard());
            prop_assert_eq!(found, plainly(&all, &followers, of));
            prop_assert_eq!(found, (other.seen_units(), other.hostile_units(), other.accounts(), other.heard()));
            let (a, b) = (course.outlook(now), other.outlook(now));
            prop_assert_eq!(a.is_some(), b.is_some());
            if let Some((a, b)) = a.zip(b) {
                let close = |x: f64, y: f64| (x - y).abs() <= 1e-4 * (1.0 + x.abs().max(y.abs()));
                prop_assert!(close(a.final_shares.mid, b.final_shares.mid) && close(a.exposure, b.exposure), "{a:?} {b:?}");
            }
            let sizes = |c: &Course| c.carriers().tree().iter().map(|s| (s.post, s.followers, s.known)).collect::<Vec<_>>();
            prop_assert_eq!(sizes(course), sizes(other));
        }
        // windows of rules, and those who watch
        let groups: Vec<Group> = early.fold.groups().cloned().collect();
        for group in groups {
            let value = |k: &mut Key| {
                let w = World { rules: &k.rules, outages: &k.outages };
                k.fold.read(w, &group, now, 1).map(|r| r.values)
            };
            prop_assert_eq!(value(&mut early), value(&mut later), "{:?}", group);
        }
    }
}

#[test]
fn the_smallest_and_least_recent_leave_first() {
    let mut courses = Courses::default();
    let size = Size { followers: 100, base: reach::base(100), known: true };
    let say = |c: &mut Courses, seq: u64, of: u64, account: u64| {
        c.add(seq, &Told { story: story(of), ..told(seq, account, 0) }, size);
    };
    // the oldest story has four accounts, all others one
    (1..5).for_each(|k| say(&mut courses, k, 1, k));
    for k in 0..2 * limits::STORIES_PER_KEY as u64 {
        say(&mut courses, 10 + k, 100 + k, 1);
        assert!(courses.len() <= limits::STORIES_PER_KEY);
    }
    assert_eq!(courses.get(StoryId(1)).map(Course::accounts), Some(4));
    assert!(
        courses.get(StoryId(100)).is_none() && courses.get(StoryId(99 + 2 * limits::STORIES_PER_KEY as u64)).is_some()
    );
    assert_eq!(courses.crowded() as usize + courses.len(), 1 + 2 * limits::STORIES_PER_KEY);
    courses.forget(at(7200));
    assert!(courses.len() > 1);
    courses.forget(at(86_400));
    assert_eq!(courses.len(), 0);
}

#[test]
fn those_with_most_reach_are_remembered_and_the_root() {
    let mut key = Key::new();
    let of = |id: u64, followers: u64, place: Place| Told {
        audience: Audience { followers, known: true },
        kind: if place == Place::Root { PostKind::Post } else { PostKind::Repost },
        place,
        ..told(id, id, id as i64)
    };
    key.tell(of(1, 1, Place::Root));
    for id in 2..500u64 {
        key.tell(of(id, id * 10, Place::After(PostId(if id == 499 { 498 } else { 1 }))));
    }
    let course = key.fold.courses().get(StoryId(1)).unwrap();
    let tree = course.carriers().tree();
    assert_eq!(tree.len(), limits::CARRIERS);
    assert_eq!((tree[0].post, tree[0].from), (1, None));

    assert!(tree[1..].iter().all(|s| s.followers > 4500));
    let last = tree.last().unwrap();
    assert_eq!((last.post, last.from.map(|f| tree[f as usize].post)), (499, Some(498)));
    assert_eq!(course.outlook(at(500)).map(|o| o.shares), Some(498));
    // who writes often takes one place
    for id in 500..600u64 {
        key.tell(Told { account: AccountId(498), ..of(id, 4980, Place::After(PostId(1))) });
    }
    assert_eq!(key.fold.courses().get(StoryId(1)).unwrap().carriers().tree(), tree);
}

/// Accounts beyond the limit are counted, and what is counted never falls behind.
#[test]
fn a_story_of_the_whole_world_stays_within_bounds() {
    let mut courses = Courses::default();
    let size = Size { followers: 100, base: reach::base(100), known: true };
    let all = limits::ACCOUNTS_PER_STORY as u64 + 1000;
    for k in 1..=all {
        courses.add(k, &Told { kind: PostKind::Repost, ..told(k, k, k as i64) }, size);
    }
    let course = courses.get(StoryId(1)).unwrap();
    assert_eq!(course.accounts(), all);
    assert_eq!(
        course.seen_units(),
        i128::from(all) * i128::from(reach::kind_weight(PostKind::Repost)) * i128::from(size.base)
    );
}

#[test]
fn who_is_gone_stays_without_a_name() {
    let mut key = Key::new();
    let share = |id: u64, account: u64| Told {
        kind: PostKind::Repost,
        place: Place::After(PostId(1)),
        audience: Audience { followers: 300, known: false },
        ..told(id, account, id as i64)
    };
    key.tell(Told { place: Place::Root, ..told(1, 1, 0) });
    (2..5).for_each(|id| key.tell(share(id, id)));
    let names = |key: &Key| -> Vec<Box<str>> {
        key.fold.courses().get(StoryId(1)).unwrap().carriers().tree().into_iter().map(|s| s.name).collect()
    };
    assert!(names(&key).iter().all(|n| !n.is_empty()));
    key.fold.delete(Gone::Account(AccountId(2)));
    key.fold.delete(Gone::Post(PostId(3)));
    let gone = |n: &[Box<str>]| n.iter().map(|n| n.is_empty()).collect::<Vec<_>>();
    assert_eq!(gone(&names(&key)), [false, true, true, false]);
    // neither what is learned later nor another share of the same account brings it back
    let w = World { rules: &key.rules, outages: &key.outages };
    key.fold.learn(w, at(10), AccountId(2), 5000, Some("two.example"));
    key.tell(Told { time: at(11), ..share(20, 2) });
    // its larger share stands in the place of the first, by time the last now
    assert_eq!(gone(&names(&key)), [false, true, false, true]);
    // nor do the posts that are kept
    key.fold.recount_courses();
    assert!(names(&key).iter().all(|n| &**n != "two.example"), "{:?}", names(&key));
}

#[test]
fn an_edit_takes_back_what_its_text_added_and_no_more() {
    let mut key = Key::new();
    let n = |milli: u16| Some(Negativity::from_milli(milli));
    key.tell(Told { place: Place::Root, n: n(0), ..told(1, 1, 0) });
    key.tell(Told { kind: PostKind::Quote, n: n(900), place: Place::After(PostId(1)), ..told(2, 2, 1) });
    key.tell(Told { kind: PostKind::Reply, n: n(600), place: Place::After(PostId(1)), ..told(3, 2, 2) });
    let hostile = |key: &Key| key.fold.courses().get(StoryId(1)).unwrap().hostile_units();
    let edit = |key: &mut Key, id: u64, milli: u16| {
        let w = World { rules: &key.rules, outages: &key.outages };
        key.fold.edit(w, 50, at(5), &Told { n: n(milli), ..told(id, 2, 1) });
    };
    let whole = hostile(&key);
    let weight = |milli: u16, kind: PostKind| i128::from(reach::hostile_weight(n(milli), kind));
    let base = i128::from(reach::base(1000));
    assert_eq!(whole, weight(900, PostKind::Quote) * base);
    edit(&mut key, 3, 310);
    assert_eq!(hostile(&key), whole, "the quote is still there");
    edit(&mut key, 2, 0);
    assert_eq!(hostile(&key), weight(310, PostKind::Reply) * base);
    assert_eq!(key.fold.courses().get(StoryId(1)).unwrap().heard(), (2, 0));
    edit(&mut key, 2, 900);
    assert_eq!((hostile(&key), key.fold.courses().get(StoryId(1)).unwrap().heard()), (whole, (2, 1)));
}

#[test]
fn an_answer_outlives_what_is_counted_anew() {
    let mut key = Key::new();
    key.tell(Told { place: Place::Root, ..told(1, 1, 0) });
    key.tell(Told { kind: PostKind::Quote, place: Place::After(PostId(1)), ..told(2, 2, 1) });
    let w = World { rules: &key.rules, outages: &key.outages };
    key.fold.own(w, 9, at(60), &Told { kind: PostKind::Reply, place: Place::After(PostId(1)), ..told(90, 70, 60) });
    let course = |key: &Key| key.fold.courses().get(StoryId(1)).unwrap().clone();
    let before = course(&key);
    // no rule asks, so nothing else remembers it
    key.fold.cells.clear();
    key.fold.recount_courses();
    let after = course(&key);
    assert_eq!(
        (after.answered(), after.accounts(), after.hostile_units()),
        (before.answered(), 2, before.hostile_units())
    );
    assert_ne!(after.answered(), crate::base::model::Answered::No);
}

#[test]
fn a_story_that_was_over_begins_anew() {
    let mut key = Key::new();
    key.tell(Told { place: Place::Root, ..told(1, 1, 0) });
    (2..9).for_each(|id| key.tell(Told { kind: PostKind::Repost, ..told(id, id, id as i64) }));
    key.tell(Told { kind: PostKind::Repost, ..told(20, 20, 86_400 + 60) });
    let course = key.fold.courses().get(StoryId(1)).unwrap();
    assert_eq!((course.accounts(), course.began()), (1, at(86_460)));
}
