//! A transition as one JSON object; other tools rely on its keys.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::plain::plain;
use crate::base::model::{Evidence, Group, Notice, TopPost, Value};
use crate::base::rule::RuleSet;

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    alert: &'a str,
    episode: String,
    group: Json,
    from: &'static str,
    to: &'static str,
    severity: &'static str,
    value: Value,
    operands: Json,
    reason: &'static str,
    since: String,
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Json>,
}

/// One line of JSON, without a line break.
pub fn json(notice: &Notice) -> String {
    let t = &notice.transition;
    let rule = notice.rules.rules.get(t.rule as usize);
    let names = rule.into_iter().flat_map(|r| notice.rules.operands(r)).map(|s| s.to_string());
    let operands: Map<String, Json> = names.zip(&t.operands).map(|(n, v)| (n, json!(v))).collect();
    let line = Line {
        at: t.at.to_string(),
        alert: rule.map_or("", |r| &r.name),
        episode: t.episode.to_string(),
        group: group(&notice.rules, &t.group),
        from: t.from.name(),
        to: t.to.name(),
        severity: t.severity.name(),
        value: t.value,
        operands: Json::Object(operands),
        reason: t.reason.name(),
        since: t.since.to_string(),
        seq: t.seq,
        summary: t.summary.as_deref(),
        evidence: t.evidence.as_deref().map(evidence),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn group(rules: &RuleSet, g: &Group) -> Json {
    let mut out = Map::new();
    out.insert("brand".into(), json!(rules.brand(g.key).map_or("", |b| &b.slug)));
    if let Some(story) = &g.story {
        out.insert("story".into(), json!(&*story.name));
    }
    if let Some(source) = &g.source {
        out.insert("source".into(), json!(&**source));
    }
    if let Some(lang) = &g.lang {
        out.insert("lang".into(), json!(&**lang));
    }
    if let Some(cause) = g.cause {
        out.insert("cause".into(), json!(cause.name()));
    }
    Json::Object(out)
}

fn evidence(e: &Evidence) -> Json {
    json!({
        "window_seconds": e.window.as_seconds(),
        "began": e.began.to_string(),
        "hostile_reach": e.hostile_reach,
        "reach": e.reach,
        "usual_hostile_reach": e.usual.map(|(mean, _)| mean),
        "lift": e.surge.map(|(lift, _)| lift),
        "return_period_seconds": e.surge.map(|(_, rarity)| rarity),
        "sample_error": e.error,
        "warm_at": e.warm_at.map(|t| t.to_string()),
        "posts": e.posts,
        "shares": e.shares,
        "accounts": e.accounts,
        "accounts_known": e.known,
        "texts": e.texts,
        "tone_known": e.tone_known,
        "negative": e.negative,
        "without_largest": e.without_largest,
        "still_holds": e.still_holds,
        "sources_down": e.sources_down,
        "first": e.first.as_ref().map(top),
        "top": e.top.iter().map(top).collect::<Vec<_>>(),
    })
}

fn top(p: &TopPost) -> Json {
    json!({
        "source": &*p.body.source,
        "id": &*p.body.id,
        "author": &*p.body.author,
        "author_name": p.name,
        "kind": p.kind.name(),
        "time": p.time.to_string(),
        "followers": p.followers,
        "followers_known": p.known,
        "share": p.share,
        "negativity": p.n_milli.map(|n| f64::from(n) / 1000.0),
        "text": if p.deleted { "[deleted]".to_string() } else { plain(&p.body.text, 300) },
        "url": p.body.url,
    })
}
