//! A message as one JSON object; other tools rely on its keys.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::plain::plain;
use super::telling::Content;
use crate::base::limits;
use crate::base::model::{
    Answered, Band, Digest, Evidence, Going, Group, Message, Notice, Outage, SourceNotice, StoreNotice, TopPost, Value,
};
use crate::base::rule::RuleSet;
use crate::base::time::Time;

/// The name that trials have where alerts are named.
const TRIAL: &str = "Test";

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    alert: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    told_late: Option<Json>,
    key: String,
}

#[derive(Serialize)]
struct SourceLine<'a> {
    at: String,
    alert: &'a str,
    source: &'a str,
    from: &'static str,
    to: &'static str,
    severity: &'static str,
    since: String,
    reason: String,
    rules: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    rules_left_out: Option<usize>,
    key: String,
}

/// One line of JSON, without a line break.
pub fn json(message: &Message) -> String {
    match message {
        Message::Episode(notice) => episode(notice, message.key()),
        Message::Source(notice) => source(notice, message),
        Message::Store(notice) => store(notice, message),
        Message::Digest(d) => digest(d, message),
    }
}

/// What a machine is told, on one line: a change with its incident, or a trial; with why nothing is recorded at the
/// moment, where that is so. `None` for what only people are told.
pub fn feed(content: &Content, key: &str, unrecorded: Option<&str>) -> Option<String> {
    let (mut out, incident) = match content {
        Content::Change(message, incident) => (json(message), *incident),
        Content::Trial(at) => (trial(*at, key), None),
        Content::Service(_) | Content::Incidents(_) | Content::TrialOver(_) => return None,
    };
    let more = [("incident", incident.map(|i| i.full())), ("unrecorded", unrecorded.map(|why| plain(why, 300)))];
    for (name, value) in more {
        let Some(value) = value else { continue };
        if out.pop() == Some('}') {
            out.push_str(&format!(",\"{name}\":{}}}", serde_json::to_string(&value).unwrap_or_default()));
        }
    }
    Some(out)
}

fn trial(at: Time, key: &str) -> String {
    json!({"at": at.to_string(), "alert": TRIAL, "severity": "info", "reason": "a trial: nothing has happened", "key": key})
        .to_string()
}

fn outage(o: &Outage) -> Json {
    json!({"down_from": o.from.to_string(), "down_to": o.to.to_string()})
}

fn store(s: &StoreNotice, message: &Message) -> String {
    let (from, to) = if s.down { ("inactive", "firing") } else { ("firing", "resolved") };
    json!({
        "at": s.at.to_string(),
        "alert": message.alert(),
        "from": from,
        "to": to,
        "severity": message.severity().name(),
        "since": s.since.to_string(),
        "reason": plain(&s.why, 300),
        "key": message.key(),
    })
    .to_string()
}

fn digest(d: &Digest, message: &Message) -> String {
    let one = |n: &Notice| {
        let (t, rule) = (&n.transition, n.rules.rules.get(n.transition.rule as usize));
        json!({
            "alert": rule.map_or("", |r| &r.name),
            "episode": t.episode.to_string(),
            "group": group(&n.rules, &t.group),
            "severity": t.severity.name(),
            "since": t.since.to_string(),
            "at": t.at.to_string(),
            "reason": t.reason.name(),
            "key": Message::Episode(n.clone()).key(),
        })
    };
    json!({
        "at": d.at.to_string(),
        "alert": message.alert(),
        "severity": message.severity().name(),
        "told_late": outage(&d.outage),
        "over": d.over.iter().map(one).collect::<Vec<_>>(),
        "left_out": d.left_out,
        "key": message.key(),
    })
    .to_string()
}

fn source(s: &SourceNotice, message: &Message) -> String {
    let (rules, more) = s.rules.split_at(s.rules.len().min(limits::RULES_NAMED));
    let line = SourceLine {
        at: s.at.to_string(),
        alert: message.alert(),
        source: &s.source,
        from: s.from().name(),
        to: s.to().name(),
        severity: message.severity().name(),
        since: s.since.to_string(),
        reason: plain(&s.why, 300),
        rules,
        rules_left_out: Some(more.len()).filter(|n| *n > 0),
        key: message.key(),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn episode(notice: &Notice, key: String) -> String {
    let t = &notice.transition;
    let rule = notice.rules.rules.get(t.rule as usize);
    let names = rule.into_iter().flat_map(|r| notice.rules.operands(r)).map(|s| s.to_string());
    let operands: Map<String, Json> = names.zip(&t.operands).map(|(n, v)| (n, json!(v))).collect();
    let line = Line {
        at: t.at.to_string(),
        alert: rule.map_or("", |r| &r.name),
        mode: rule.filter(|r| r.shadow).map(|r| r.mode()),
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
        told_late: notice.outage.as_ref().map(outage),
        key,
    };
    serde_json::to_string(&line).unwrap_or_default()
}

fn group(rules: &RuleSet, g: &Group) -> Json {
    let mut out = Map::new();
    out.insert("brand".into(), json!(rules.brand(g.key).map_or("", |b| &b.slug)));
    if let Some(story) = &g.story {
        out.insert("story".into(), json!(plain(&story.name, 500)));
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
    if let Some(tag) = &g.tag {
        out.insert("tag".into(), json!(plain(tag, 200)));
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
        "hostile_reach_without_largest": e.rest,
        "page_line": e.line,
        "causes": e.causes.iter().map(|(c, n)| (c.name().to_string(), json!(n))).collect::<Map<_, _>>(),
        "typical": e.typical.as_ref().map(top),
        "answered": match e.answered {
            Answered::Unknown => None,
            Answered::No => Some(false),
            Answered::At(_) => Some(true),
        },
        "answered_at": match e.answered {
            Answered::At(t) => Some(t.to_string()),
            _ => None,
        },
        "author_wrote_before": e.asked.map(|a| json!({
            "times": a.times,
            "last": a.last.to_string(),
            "answered": a.answered,
        })),
        "turns": e.turns.iter().map(|t| json!({
            "at": t.at.to_string(),
            "what": t.kind.name(),
            "hostile_reach": t.hostile_reach,
        })).collect::<Vec<_>>(),
        "story": e.going.as_ref().map(|g| going(g)),
    })
}

/// Where a story goes.
fn going(g: &Going) -> Json {
    let band = |b: &Band| json!({"low": b.low, "mid": b.mid, "high": b.high});
    let names = |of: &[(Box<str>, u64)]| of.iter().map(|(n, k)| (plain(n, 100), json!(k))).collect::<Map<_, _>>();
    json!({
        "name": plain(&g.story, 500),
        "began": g.began.to_string(),
        "state": g.outlook.map(|o| o.state.name()),
        "each_share_brings": g.outlook.map(|o| o.brings),
        "infectiousness": g.outlook.map(|o| o.infectiousness),
        "shares": g.outlook.map_or(0, |o| o.shares),
        "shares_an_hour": g.shares_an_hour,
        "final_shares": g.outlook.as_ref().map(|o| band(&o.final_shares)),
        "accounts": g.accounts,
        "reach": g.reach,
        "hostile_reach": g.hostile_reach,
        "reach_in_a_day": g.day.as_ref().map(band),
        "exposure_to_come": g.exposure,
        "answers_of_known_tone": g.answers.0,
        "hostile_answers": g.answers.1,
        "sources": names(&g.sources),
        "languages": names(&g.langs),
        "growth": g.growth.as_ref().map(|x| json!({
            "within_seconds": x.within.as_seconds(),
            "reach": x.reach,
            "most": top(&x.most),
        })),
    })
}

fn top(p: &TopPost) -> Json {
    json!({
        "source": &*p.body.source,
        "id": &*p.body.id,
        "author": plain(&p.body.author, 300),
        "author_name": p.name.as_ref().map(|n| plain(n, 300)),
        "kind": p.kind.name(),
        "time": p.time.to_string(),
        "followers": p.followers,
        "followers_known": p.known,
        "share": p.share,
        "negativity": p.n_milli.map(|n| f64::from(n) / 1000.0),
        "text": if p.deleted { "[deleted]".to_string() } else { plain(&p.body.text, 300) },
        "url": p.body.url.as_ref().map(|u| plain(u, 1000)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::{notice, source};

    #[test]
    fn news_of_a_source_is_one_flat_object() {
        let down = source(true);
        let key = down.key();
        let expected = format!(
            r#"{{"at":"2026-07-04T02:06:15.000Z","alert":"SourceDown","source":"bluesky","from":"inactive","to":"firing","severity":"warn","since":"2026-07-04T02:05:11.000Z","reason":"closed by the server","rules":["A","B"],"key":"{key}"}}"#
        );
        assert_eq!(json(&down), expected);
        let up: Json = serde_json::from_str(&json(&source(false))).unwrap();
        assert_eq!((up["from"].as_str(), up["to"].as_str()), (Some("firing"), Some("resolved")));
    }

    #[test]
    fn many_rules_are_counted_rather_than_listed() {
        let Message::Source(mut s) = source(true) else { unreachable!() };
        s.rules = (0..1000).map(|k| format!("R{k}")).collect();
        let v: Json = serde_json::from_str(&json(&Message::Source(s))).unwrap();
        let listed = v["rules"].as_array().map(Vec::len);
        assert_eq!((listed, v["rules_left_out"].as_u64()), (Some(limits::RULES_NAMED), Some(900)));
    }

    #[test]
    fn an_episode_tells_its_key() {
        let m = notice("page", "firing", "resolved");
        let v: Json = serde_json::from_str(&json(&m)).unwrap();
        assert_eq!((v["key"].as_str(), v["to"].as_str()), (Some(&*m.key()), Some("resolved")));
        assert!(m.key().starts_with(v["episode"].as_str().unwrap()));
    }
}
