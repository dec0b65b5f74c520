//! What a page shows, worked out again in the plainest way.

use std::sync::Arc;

use super::chart;
use super::evidence;
use super::posts::Posts;
use super::usual::{HOUR, Usual};
use super::{KeyFold, Outages, World};
use crate::base::account::key_id;
use crate::base::model::{
    AccountId, Answered, Asked, Audience, Cause, Causes, Evidence, Gone, Group, Negativity, Place, PostBody, PostId,
    PostKind, StoryId, StoryRef, Told, TurnKind, Vitals,
};
use crate::base::reach;
use crate::base::rule::{RuleSet, SourceText};
use crate::base::time::{Span, Time};

const START: i64 = 1_700_000_000;

pub(super) fn at(second: i64) -> Time {
    Time((START + second) * 1_000_000)
}

/// A hostile post of story 1 with a text.
pub(super) fn told(id: u64, account: u64, second: i64) -> Told {
    let body = PostBody {
        source: "forum".into(),
        id: id.to_string().into(),
        author: account.to_string().into(),
        author_name: None,
        text: format!("text {id}").into(),
        lang: None,
        url: None,
        links: Box::default(),
        tags: Box::default(),
    };
    Told {
        key: key_id("u"),
        post: PostId(id),
        account: AccountId(account),
        audience: Audience { followers: 1000, known: true },
        time: at(second),
        n: Some(Negativity::from_milli(900)),
        causes: Causes::default(),
        kind: PostKind::Post,
        in_brand: true,
        to_own: false,
        place: Place::Inside,
        text: Some(id),
        foreign: None,
        via: "forum".into(),
        story: story(1),
        body: Arc::new(body),
    }
}

pub(super) fn story(id: u64) -> StoryRef {
    StoryRef { id: StoryId(id), name: format!("forum:{id}").into() }
}

/// Numbers that look random, the same in each run.
fn dice(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

/// So many posts within the last seconds before zero, by few accounts of all sizes and kinds.
fn crowd(n: u64, seconds: u64, accounts: u64) -> Posts {
    let (mut posts, mut state) = (Posts::default(), 7);
    for id in 0..n {
        let account = dice(&mut state, accounts);
        let mut t = told(id, account, -(dice(&mut state, seconds) as i64));
        t.n = Some(Negativity::from_milli(dice(&mut state, 1001) as u16)).filter(|_| id % 11 != 0);
        t.kind = PostKind::ALL[dice(&mut state, 4) as usize];
        t.audience.followers = 10u64.pow(dice(&mut state, 6) as u32 + 1);
        t.in_brand = id % 5 != 0;
        posts.insert(id, t);
    }
    posts
}

#[test]
fn each_mark_is_what_its_hour_alone_adds_up_to() {
    let posts = crowd(3000, 5 * 3600, 40);
    let now = at(17);
    let points = chart::points(&posts, &Usual::default(), now - Span::seconds(4 * 3600), now);
    let (last, marks) = points.split_last().unwrap();
    // the first mark with a whole hour before it, to the last before now
    assert_eq!((marks.len(), last.0), (36, now));
    assert!(marks.iter().all(|(m, _)| m.0 % 300_000_000 == 0 && *m - HOUR >= now - Span::seconds(4 * 3600)));
    assert!(marks.windows(2).all(|w| w[1].0 - w[0].0 == Span::seconds(300)) && now - marks[35].0 < Span::seconds(300));
    for (mark, value) in marks {
        assert_eq!(*value, evidence::hostile_reach(&posts, *mark) as f64 / reach::SUM_ONE, "{mark}");
    }
    assert_eq!(last.1, evidence::hostile_reach(&posts, Time(now.0 + 1)) as f64 / reach::SUM_ONE);
    assert!(marks.iter().any(|(_, v)| *v != last.1) && last.1 > 0.0);
}

#[test]
fn hours_that_are_over_stand_for_what_is_not_kept_any_more() {
    let hour = |h: i64| Time((at(0).0 / HOUR.0 + h) * HOUR.0);
    let mut usual = Usual::default();
    usual.close(hour(-10), |_| 0);
    usual.close(hour(0), |end| if end == hour(-3) { 5 * reach::SUM_ONE as i128 } else { 0 });
    let posts = crowd(10, 60, 5);
    let now = Time(hour(0).0 + 60_000_000);
    let points = chart::points(&posts, &usual, hour(-1), now);
    let shown: Vec<(i64, f64)> = points.iter().map(|(t, v)| ((t.0 - hour(0).0) / 1_000_000, *v)).collect();
    let hours: Vec<(i64, f64)> = (-5..0).map(|h| (h * 3600, if h == -3 { 5.0 } else { 0.0 })).collect();
    assert_eq!(shown[..5], hours);
    assert_eq!(shown[5..].iter().map(|(t, _)| *t).collect::<Vec<_>>(), [0, 60]);
    // a service that is new knows of no time before
    let young = chart::points(&posts, &Usual::default(), Time(i64::MIN), at(0));
    assert!(young.iter().all(|(t, _)| *t >= at(-60)), "{young:?}");
}

const RULES: &str = "brands: {u: {query: u, own: ['forum:brand']}, v: {query: v}}\nrules:\n  - {alert: A, by: [brand, story], when: 'response_time >= 1h', severity: page}\n  - {alert: B, when: 'hostile_reach[1h] >= 50k', severity: page}\n";

pub(super) struct Key {
    pub(super) rules: RuleSet,
    pub(super) outages: Outages,
    pub(super) fold: KeyFold,
    seq: u64,
}

impl Key {
    pub(super) fn new() -> Key {
        let file = SourceText { file: "r.yaml".into(), text: RULES.into() };
        let rules = RuleSet::load(&[file]).unwrap().0;
        Key { fold: KeyFold::new(key_id("u"), &rules), rules, outages: Outages::default(), seq: 0 }
    }

    pub(super) fn tell(&mut self, t: Told) {
        self.seq += 1;
        let w = World { rules: &self.rules, outages: &self.outages };
        self.fold.add(w, self.seq, t.time, &t);
    }

    fn evidence(&mut self, second: i64) -> Evidence {
        let w = World { rules: &self.rules, outages: &self.outages };
        let plan = w.rules.plans.iter().position(|p| p.by.len() == 2).unwrap();
        let group = Group { story: Some(story(1)), ..Group::whole(plan as u32, key_id("u")) };
        self.fold.evidence(w, &group, at(second))
    }
}

/// The account `a` begins, others follow, the account 99 is the largest.
fn spread() -> Key {
    let mut key = Key::new();
    key.tell(Told { place: Place::Root, ..told(1, 1, 0) });
    for k in 2..=12 {
        let mut t = told(k, k, 60 * k as i64);
        t.n = Some(Negativity::from_milli(if k == 5 || k == 6 { 800 } else { 700 }));
        t.causes.add(if k % 2 == 0 { Cause::Staff } else { Cause::Damage });
        t.causes.add(Cause::Staff);
        key.tell(t);
    }
    let mut big = told(99, 99, 800);
    (big.audience.followers, big.kind) = (1_000_000, PostKind::Quote);
    key.tell(big);
    key
}

#[test]
fn the_way_to_a_page_is_told_with_what_was_reached_by_then() {
    let e = spread().evidence(900);
    let turns: Vec<_> = e.turns.iter().map(|t| (t.kind, t.at, t.hostile_reach)).collect();
    // eleven small accounts of 150 impressions each; the million reaches 105,000
    let expected = [
        (TurnKind::Root, at(0), 150.0),
        (TurnKind::TenAccounts, at(600), 1500.0),
        (TurnKind::BiggestVoice, at(800), 12.0 * 150.0 + 105_000.0),
    ];
    assert_eq!(turns, expected);
    assert_eq!((e.rest, e.hostile_reach), (1800.0, 106_800.0));
    // what left the hour counts no more
    let mut key = Key::new();
    key.tell(told(1, 1, 0));
    let mut late = told(2, 2, 4000);
    late.audience.followers = 2000;
    key.tell(late);
    let turns: Vec<_> = key.evidence(4000).turns.iter().map(|t| (t.kind, t.hostile_reach)).collect();
    assert_eq!(turns, [(TurnKind::Root, 150.0), (TurnKind::BiggestVoice, 300.0)]);
}

#[test]
fn voices_are_counted_and_one_speaks_for_them() {
    let mut key = spread();
    let e = key.evidence(900);
    assert_eq!(e.causes, [(Cause::Staff, 11), (Cause::Damage, 5)]);
    // neither the first author nor the largest account; of equals the earliest
    assert_eq!(e.typical.as_ref().map(|p| &*p.body.text), Some("text 5"));
    key.fold.delete(Gone::Post(PostId(5)));
    let e = key.evidence(900);
    assert_eq!(e.typical.map(|p| p.body.text.to_string()).as_deref(), Some("text 6"));
    assert_eq!(e.causes[1], (Cause::Damage, 5), "what was counted stays");
}

#[test]
fn whether_the_brand_answered_is_told_where_it_is_known() {
    let mut key = Key::new();
    let earlier = |id: u64, second: i64| Told { to_own: true, story: story(id), ..told(id, 1, second) };
    (50..54).for_each(|k| key.tell(earlier(k, k as i64)));
    key.tell(Told { place: Place::Root, ..told(1, 1, 100) });
    key.tell(Told { to_own: true, ..told(2, 1, 110) });
    let e = key.evidence(120);
    assert_eq!(e.answered, Answered::No);
    assert_eq!(e.asked, Some(Asked { times: 4, last: at(53), answered: Some(false) }));
    let own = |key: &mut Key, story: StoryRef, second: i64| {
        let answer = Told { kind: PostKind::Reply, story, ..told(900 + second as u64, 70, second) };
        let w = World { rules: &key.rules, outages: &key.outages };
        key.fold.own(w, 1000, at(second), &answer);
    };
    own(&mut key, story(51), 130);
    let e = key.evidence(140);
    assert_eq!((e.answered, e.asked.and_then(|a| a.answered)), (Answered::No, Some(true)));
    own(&mut key, story(1), 150);
    assert_eq!(key.evidence(160).answered, Answered::At(at(150)));
    // a brand without accounts of its own cannot answer
    key.rules.brands.iter_mut().for_each(|b| b.own.clear());
    let e = key.evidence(160);
    assert_eq!((e.answered, e.asked.and_then(|a| a.answered)), (Answered::Unknown, None));
}

/// Those that are counted along are those that are counted anew from the posts kept.
#[test]
fn vitals_counted_along_are_those_of_the_posts_kept() {
    let (mut key, mut state) = (Key::new(), 11);
    let mut seen = Vec::new();
    for id in 1..2500u64 {
        let second = id as i64 * 4;
        let w = World { rules: &key.rules, outages: &key.outages };
        let account = dice(&mut state, 60);
        let mut t = told(id, account, second - dice(&mut state, 90) as i64);
        t.n = Some(Negativity::from_milli(dice(&mut state, 1001) as u16)).filter(|_| id % 7 != 0);
        t.kind = PostKind::ALL[dice(&mut state, 4) as usize];
        t.audience = Audience { followers: 10u64.pow(dice(&mut state, 6) as u32), known: id % 3 == 0 };
        t.in_brand = id % 5 != 0;
        match dice(&mut state, 10) {
            0 => drop(key.fold.learn(w, at(second), AccountId(account), 10u64.pow(dice(&mut state, 6) as u32), None)),
            1 => drop(key.fold.edit(
                w,
                id,
                at(second),
                &Told { post: PostId(id - 1 - dice(&mut state, 20).min(id - 1)), ..t },
            )),
            _ => drop(key.fold.add(w, id, at(second), &t)),
        }
        if id % 100 == 0 {
            let mut anew = key.fold.clone();
            anew.watched = Default::default();
            let (along, anew) = (key.fold.vitals(w, at(second)).0, anew.vitals(w, at(second)).0);
            assert_eq!(along, anew, "after {id}");
            let plain = evidence::hostile_reach(&key.fold.posts, at(second + 1)) as f64 / reach::SUM_ONE;
            // panes count whole: within a minute more
            assert!(along.hostile_hour >= plain && along.hostile_now <= along.hostile_hour, "{along:?} {plain}");
            seen.push(along);
        }
    }
    let differ = |f: fn(&Vitals) -> f64| seen.windows(2).any(|w| f(&w[0]) != f(&w[1]));
    assert!(differ(|v| v.hostile_now) && differ(|v| v.authors) && differ(|v| v.negative_share.unwrap_or(9.0)));
    let w = World { rules: &key.rules, outages: &key.outages };
    let quiet = key.fold.vitals(w, at(100_000)).0;
    assert_eq!((quiet.authors, quiet.hostile_hour, quiet.negative_share, quiet.known_share), (0.0, 0.0, None, None));
}

/// To look at a key that is quiet for long is cheap from the second time on, and comes to the same.
#[test]
fn who_looks_at_a_quiet_key_closes_each_bin_once() {
    let mut key = Key::new();
    (1..200).for_each(|k| key.tell(told(k, k % 9, 300 * k as i64)));
    let look = |key: &mut Key, second: i64| {
        let w = World { rules: &key.rules, outages: &key.outages };
        key.fold.vitals(w, at(second))
    };
    let week = 7 * 86_400;
    let (first, dear) = look(&mut key, week);
    let (again, cheap) = look(&mut key, week + 1);
    let (next, bin) = look(&mut key, week + 301);
    assert!(dear > 400 && cheap < 10 && bin < 10, "{dear} {cheap} {bin}");
    assert_eq!((first.lift, first.rarity), (again.lift, again.rarity));
    key.fold.watched = Default::default();
    let (anew, _) = look(&mut key, week + 301);
    assert_eq!((next.lift, next.rarity), (anew.lift, anew.rarity));
    key.tell(told(900, 3, week + 400));
    assert_eq!(look(&mut key, week + 401).0.authors, 1.0, "what is counted is seen");
}

#[test]
fn first_answers_are_timed_once_somebody_watches() {
    let mut key = Key::new();
    let own = |key: &mut Key, of: u64, second: i64| {
        let answer = Told { kind: PostKind::Reply, story: story(of), ..told(9000 + second as u64, 70, second) };
        let w = World { rules: &key.rules, outages: &key.outages };
        key.fold.own(w, 1000, at(second), &answer);
    };
    let response = |key: &mut Key, second: i64| {
        let w = World { rules: &key.rules, outages: &key.outages };
        key.fold.vitals(w, at(second)).0.response.map(|s| s.as_seconds())
    };
    assert_eq!(response(&mut key, 0), None);
    for k in 1..=3 {
        key.tell(Told { story: story(k), ..told(k, k, 10 * k as i64) });
    }
    own(&mut key, 1, 110);
    own(&mut key, 1, 500);
    assert_eq!(response(&mut key, 600), Some(100.0), "the first answer counts");
    own(&mut key, 2, 320);
    own(&mut key, 3, 830);
    own(&mut key, 4, 840);
    assert_eq!(response(&mut key, 900), Some(300.0), "the middle of three");
    assert_eq!(response(&mut key, 90_000), None, "a day later");
    own(&mut key, 1, 90_100);
    assert_eq!(response(&mut key, 90_200), None, "it was answered before");
    let mut late = Key::new();
    late.tell(Told { story: story(1), ..told(1, 1, 10) });
    assert_eq!(response(&mut late, 20), None);
    own(&mut late, 1, 110);
    assert_eq!(response(&mut late, 120), None, "it may have been answered before somebody watched");
}
