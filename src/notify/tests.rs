//! Messages that tests tell.

use std::sync::Arc;

use crate::base::account::{account_id, key_id};
use crate::base::model::{
    Answered, Asked, Band, Cause, EpisodeId, Evidence, Going, Group, Growth, Message, Notice, Outlook, Phase, PostBody,
    PostKind, Reason, Severity, SourceNotice, Spread, StoryId, StoryRef, StoryState, TopPost, Transition, Turn,
    TurnKind,
};
use crate::base::rule::{RuleSet, SourceText};
use crate::base::time::{Span, Time};

/// 08:04:30 UTC.
pub(super) fn at() -> Time {
    Time::parse_rfc3339("2026-07-04T08:04:30Z").unwrap()
}

/// The same of a brand of a group with labels.
pub(super) fn grouped() -> Message {
    let Message::Episode(mut n) = notice("page", "inactive", "firing") else { unreachable!() };
    let text = "brands: {united: {query: united}, delta: {query: delta}}\ngroups: {air: {brands: [united, delta], labels: {team: care}}}\nrules:\n  - {alert: Surge, when: 'mentions[1h] >= 3', severity: page}\n";
    n.rules = loaded(text);
    Message::Episode(n)
}

/// Rules of a file.
pub(super) fn loaded(text: &str) -> Arc<RuleSet> {
    let file = SourceText { file: "r.yaml".into(), text: text.into() };
    Arc::new(RuleSet::load(&[file]).unwrap().0)
}

fn rules() -> Arc<RuleSet> {
    let text = "brands: {united: {query: united}, delta: {query: delta}}\nrules:\n  - {alert: Surge, when: 'mentions[1h] >= 3', severity: page}\n  - {alert: Other, when: 'mentions[1h] >= 4', severity: page}\n";
    loaded(text)
}

fn phase(name: &str) -> Phase {
    let all = [Phase::Inactive, Phase::Pending, Phase::Firing, Phase::Clearing, Phase::Resolved];
    all.into_iter().find(|p| p.name() == name).unwrap()
}

/// An episode of `Surge` of `united`, begun three minutes before, on its way between two phases.
pub(super) fn notice(severity: &str, from: &str, to: &str) -> Message {
    let transition = Transition {
        seq: 7,
        at: at(),
        made_under: 1,
        rule: 0,
        group: Group::whole(0, key_id("united")),
        episode: EpisodeId(0xabc),
        since: at() - Span::seconds(182),
        from: phase(from),
        to: phase(to),
        severity: Severity::ALL.into_iter().find(|s| s.name() == severity).unwrap(),
        reason: Reason::Condition,
        value: Some(3.0),
        operands: vec![Some(3.0)],
        summary: None,
        evidence: None,
    };
    Message::Episode(Notice { transition, rules: rules(), outage: None })
}

/// The same of another rule, another brand.
pub(super) fn of(rule: u32, brand: &str) -> Message {
    let Message::Episode(mut n) = notice("page", "inactive", "firing") else { unreachable!() };
    (n.transition.rule, n.transition.group.key) = (rule, key_id(brand));
    Message::Episode(n)
}

/// A page with evidence: one post, a minute before.
pub(super) fn page() -> Message {
    let Message::Episode(mut n) = notice("page", "inactive", "firing") else { unreachable!() };
    let body = PostBody {
        source: "bluesky".into(),
        id: "x1".into(),
        author: "did:plc:a".into(),
        author_name: None,
        text: "united broke my guitar".into(),
        lang: None,
        url: Some("https://b.example/x1".into()),
        links: Box::default(),
        tags: Box::default(),
    };
    let top = TopPost {
        name: Some("dave".into()),
        body: Arc::new(body),
        deleted: false,
        time: at() - Span::seconds(60),
        kind: PostKind::Post,
        n_milli: Some(900),
        followers: 3900,
        known: true,
        share: 1.0,
    };
    n.transition.evidence = Some(Box::new(Evidence {
        window: Span::seconds(3600),
        began: at() - Span::seconds(60),
        first: None,
        hostile_reach: 585.0,
        reach: 585.0,
        posts: 1,
        shares: 0,
        accounts: 1,
        known: 1,
        texts: 1,
        tone_known: 1,
        negative: 1,
        top: vec![top],
        without_largest: vec![Some(2.0)],
        still_holds: Some(false),
        usual: None,
        surge: None,
        error: None,
        warm_at: Some(at() + Span::seconds(60)),
        sources_down: Vec::new(),
        rest: 0.0,
        points: Vec::new(),
        line: None,
        band: None,
        causes: Vec::new(),
        typical: None,
        answered: Answered::Unknown,
        asked: None,
        turns: Vec::new(),
        going: None,
    }));
    Message::Episode(n)
}

/// A source that is lost, or heard again.
pub(super) fn source(down: bool) -> Message {
    let t = |s: &str| Time::parse_rfc3339(s).unwrap();
    let at = if down { t("2026-07-04T02:06:15Z") } else { t("2026-07-04T02:08:13Z") };
    let (why, rules) = if down { ("closed by the server", vec!["B".into(), "A".into()]) } else { ("", vec![]) };
    Message::Source(SourceNotice::new(at, "bluesky".into(), down, t("2026-07-04T02:05:11Z"), why.into(), rules))
}

/// A rule set of `united`, with all that words can be made of.
fn airline() -> Arc<RuleSet> {
    let text = r#"
brands:
  united:
    name: United
    query: united
    owner: Care duty
    runbook: https://wiki.example/united
groups:
  carriers: {name: Carriers, brands: [united], labels: {team: care, tier: "1"}}
rules:
  - alert: StorySpreading
    by: [brand, story]
    when: shares[10m] >= 20
    severity: page
    runbook: damaged baggage
  - {alert: HostileSurge, when: 'hostile_reach[1h] >= 50k', severity: page}
  - {alert: BigVoice, when: 'largest_voice[10m] >= 250k', severity: warn}
"#;
    let file = SourceText { file: "united.yaml".into(), text: text.into() };
    Arc::new(RuleSet::load(&[file]).unwrap_or_else(|f| panic!("{f:?}")).0)
}

/// A post of the guitar story, so many seconds before the page.
pub(super) fn said(name: &str, seconds: i64, kind: PostKind, followers: u64, share: f64, text: &str) -> TopPost {
    let body = PostBody {
        source: "bluesky".into(),
        id: name.into(),
        author: format!("did:plc:{name}").into(),
        author_name: None,
        text: text.into(),
        lang: None,
        url: Some(format!("https://bsky.app/profile/did:plc:{name}/post/1").into()),
        links: Box::default(),
        tags: Box::default(),
    };
    let (known, n_milli) = (followers != 300, Some(910));
    let time = guitar_at() - Span::seconds(seconds);
    TopPost { name: Some(name.into()), body: body.into(), deleted: false, time, kind, n_milli, followers, known, share }
}

/// 08:07:03 UTC, when the guitar story pages.
pub(super) fn guitar_at() -> Time {
    Time::parse_rfc3339("2009-07-08T08:07:03Z").unwrap()
}

/// What the guitar story's evidence says when it pages.
pub(super) fn guitar_evidence() -> Evidence {
    let Message::Episode(n) = page() else { unreachable!() };
    let root = said(
        "dave",
        353,
        PostKind::Post,
        3900,
        0.0068,
        "United broke my guitar and refuses to pay https://v.example/g",
    );
    Evidence {
        began: root.time,
        first: Some(root.clone()),
        hostile_reach: 86_600.0,
        reach: 86_600.0,
        posts: 27,
        shares: 21,
        accounts: 23,
        known: 16,
        texts: 6,
        tone_known: 6,
        negative: 5,
        top: vec![
            said("latimes", 1, PostKind::Repost, 640_000, 0.84, ""),
            said("guitarworld", 60, PostKind::Quote, 47_000, 0.081, "they laughed on the tarmac"),
            root,
        ],
        without_largest: vec![Some(20.0)],
        still_holds: Some(true),
        usual: Some((4_396.0, 168)),
        surge: Some((6.3, 40.0 * 86_400.0)),
        error: None,
        warm_at: None,
        sources_down: Vec::new(),
        rest: 13_856.0,
        points: (0..72).map(|k| (Time(guitar_at().0 - (71 - k) * 300_000_000), 4_000.0)).collect(),
        line: None,
        band: Some((2_100.0, 9_800.0)),
        causes: vec![(Cause::Damage, 4), (Cause::Staff, 3)],
        typical: Some(said("guitarworld", 60, PostKind::Quote, 47_000, 0.081, "they laughed on the tarmac")),
        answered: Answered::No,
        asked: Some(Asked { times: 4, last: guitar_at() - Span::seconds(68_400), answered: Some(false) }),
        turns: vec![
            Turn { at: guitar_at() - Span::seconds(353), kind: TurnKind::Root, hostile_reach: 585.0 },
            Turn { at: guitar_at() - Span::seconds(143), kind: TurnKind::TenAccounts, hostile_reach: 9_200.0 },
            Turn { at: guitar_at() - Span::seconds(1), kind: TurnKind::BiggestVoice, hostile_reach: 86_600.0 },
        ],
        going: Some(Box::new(guitar_going())),
        ..*n.transition.evidence.unwrap()
    }
}

/// Where the guitar story goes.
fn guitar_going() -> Going {
    let one = |i: u64, from: Option<u32>, p: &TopPost| Spread {
        from,
        name: p.name.clone().unwrap_or_default(),
        source: p.body.source.clone(),
        post: i,
        account: account_id(&p.body.source, &p.body.author).0,
        time: p.time,
        kind: p.kind,
        n_milli: p.n_milli,
        followers: p.followers,
        known: p.known,
    };
    let root = said("dave", 353, PostKind::Post, 3900, 0.0068, "");
    let world = said("guitarworld", 60, PostKind::Quote, 47_000, 0.081, "");
    let late = said("strings.example", 20, PostKind::Repost, 12_400, 0.02, "");
    let times = said("latimes", 1, PostKind::Repost, 640_000, 0.84, "");
    Going {
        story: "bluesky:dave".into(),
        outlook: Some(Outlook {
            state: StoryState::Explosive,
            brings: 56.1,
            infectiousness: 1.62,
            shares: 21,
            final_shares: Band { low: 410.0, mid: 1_200.0, high: 5_200.0 },
            followers_to_come: Band { low: 1e6, mid: 3e6, high: 1e7 },
            exposure: 690_000.0,
        }),
        began: root.time,
        shares_an_hour: 126.0,
        accounts: 23,
        reach: 103_000.0,
        hostile_reach: 86_600.0,
        day: Some(Band { low: 900_000.0, mid: 1_900_000.0, high: 4_100_000.0 }),
        exposure: 404_000.0,
        answers: (5, 4),
        sources: vec![("bluesky".into(), 25), ("mastodon".into(), 2)],
        langs: vec![("en".into(), 6), ("".into(), 21)],
        growth: Some(Growth {
            within: Span::seconds(600),
            reach: 92_000.0,
            most: TopPost { share: 0.91, ..times.clone() },
        }),
        tree: vec![one(1, None, &root), one(2, Some(0), &world), one(3, Some(1), &late), one(4, Some(0), &times)],
        unlisted: 19,
    }
}

/// The three episodes of the guitar story, the most severe first.
pub(super) fn guitar() -> Vec<Notice> {
    let rules = airline();
    let story = StoryRef { id: StoryId(1), name: "bluesky:dave".into() };
    let one = |rule: u32, severity: Severity, since: i64, operand: f64, evidence: Evidence| {
        let Message::Episode(mut n) = page() else { unreachable!() };
        let group = Group { story: (rule == 0).then(|| story.clone()), ..Group::whole(0, key_id("united")) };
        n.transition = Transition {
            rule,
            group,
            severity,
            episode: EpisodeId(u64::from(rule) + 1),
            at: guitar_at(),
            since: guitar_at() - Span::seconds(since),
            value: Some(operand),
            operands: vec![Some(operand)],
            evidence: Some(Box::new(evidence)),
            ..n.transition
        };
        n.rules = rules.clone();
        n
    };
    vec![
        one(0, Severity::Page, 0, 21.0, guitar_evidence()),
        one(1, Severity::Page, 1, 86_600.0, guitar_evidence()),
        one(2, Severity::Warn, 2, 640_000.0, guitar_evidence()),
    ]
}
