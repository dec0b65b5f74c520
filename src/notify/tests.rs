//! Messages that tests tell.

use std::sync::Arc;

use crate::base::account::key_id;
use crate::base::model::{
    EpisodeId, Evidence, Group, Message, Notice, Phase, PostBody, PostKind, Reason, Severity, SourceNotice, TopPost,
    Transition,
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
