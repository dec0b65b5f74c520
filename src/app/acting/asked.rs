//! What people ask for over HTTP, as orders, and what is answered.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::shown::{self, IncidentShown};
use crate::app::keeper::Outbox;
use crate::app::status::Status;
use crate::base::fault::nearest;
use crate::base::limits;
use crate::base::rule::RuleSet;
use crate::base::time::{Time, Zone};
use crate::notify::view::Deed;
use crate::notify::{ActLink, Match, Order, Task, plain};
use crate::serve::{Hush, Link, Linked, NotDone, Unlinked, Want, What};
use crate::store::db::{Db, OutboxRow};

/// Does what is asked for.
pub(in crate::app) async fn act(status: &Status, want: Want) -> Result<String, NotDone> {
    let by = want.by;
    let task = match want.what {
        What::Acknowledge(name, span) => Task::Acknowledge(known(status, name)?, span),
        What::Claim(name) => Task::Claim(known(status, name)?),
        What::Close(name, verdict, reason) => Task::Close(known(status, name)?, verdict, reason),
        What::Silence(hush) => silenced(status, hush)?,
        What::Unsilence(id) => {
            let shown = status.shown().ok_or_else(|| status.not_now())?;
            if !shown.silences.iter().any(|s| s.id == id) {
                return Err(NotDone::Unknown(format!("expected a silence by its number, found {id}, which is none")));
            }
            Task::Unsilence(id)
        }
        What::Test(receiver) => Task::Try(receiver),
        What::Retry(id) => return status.outbox(Outbox::Retry(id)).await,
        What::Drop(id) => return status.outbox(Outbox::Drop(id, by_whom(&by))).await,
    };
    status.order(Order { by, task }).await
}

fn by_whom(by: &str) -> String {
    let by = plain(by, limits::PERSON_CHARS);
    if by.is_empty() { "by somebody".to_string() } else { format!("by {by}") }
}

/// The whole name of the incident people mean.
fn known(status: &Status, name: String) -> Result<String, NotDone> {
    let shown = status.shown().ok_or_else(|| status.not_now())?;
    shown.named(&name).map(|i| i.id.full()).ok_or_else(|| none_such(&name))
}

fn none_such(name: &str) -> NotDone {
    NotDone::Unknown(format!("expected an incident by its name, found `{}`, which is none", plain(name, 40)))
}

/// A silence; one of a brand or rule that does not exist would silence nothing, and nobody would notice.
fn silenced(status: &Status, hush: Hush) -> Result<Task, NotDone> {
    if let Some(rules) = status.engine_view().rules {
        let mut wrong = unknown("brand", &hush.brands, &rules.brands.iter().map(|b| &*b.slug).collect::<Vec<_>>());
        wrong.extend(unknown("rule", &hush.alerts, &names(&rules)));
        if !wrong.is_empty() {
            return Err(NotDone::Refused(wrong.join("; ")));
        }
    }
    let incident = hush.incident.map(|name| known(status, name)).transpose()?;
    let Hush { reason, span, brands, alerts, labels, least, .. } = hush;
    let of = Match { least, alerts, brands, labels };
    Ok(Task::Silence { of, incident, span, reason })
}

fn names(rules: &RuleSet) -> Vec<&str> {
    rules.rules.iter().map(|r| &*r.name).collect()
}

fn unknown(what: &str, asked: &[String], known: &[&str]) -> Vec<String> {
    let wrong = asked.iter().filter(|name| !known.contains(&&***name));
    let told = wrong.map(|name| {
        let near = nearest(name, known.iter().copied()).map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        format!("expected a {what} of the rules in force, found `{}`{near}", plain(name, 60))
    });
    told.collect()
}

/// Incidents that go on, the newest first; with `over` all that are remembered.
pub(in crate::app) fn incidents(status: &Status, over: bool) -> Result<Json, NotDone> {
    let shown = status.shown().ok_or_else(|| status.not_now())?;
    let listed = shown.incidents.iter().filter(|i| over || i.ended.is_none());
    let listed: Vec<Json> = listed.map(|i| incident_json(status, i)).collect();
    Ok(json!({ "now": status.clock().now().to_string(), "incidents": listed }))
}

/// The incident people mean.
pub(in crate::app) fn incident(status: &Status, name: &str) -> Result<Json, NotDone> {
    let shown = status.shown().ok_or_else(|| status.not_now())?;
    shown.named(name).map(|i| incident_json(status, i)).ok_or_else(|| none_such(name))
}

fn incident_json(status: &Status, i: &Arc<IncidentShown>) -> Json {
    let now = status.clock().now();
    let holds = |d: &&Deed| d.until.is_none_or(|until| now < until);
    let mut out = i.json();
    out["state"] = json!(match () {
        () if i.closed.is_some() => "closed",
        () if i.ended.is_some() => "over",
        () if i.claimed.is_some() => "claimed",
        () if i.acknowledged.as_ref().filter(holds).is_some() => "acknowledged",
        () => "open",
    });
    out
}

/// Silences that hold.
pub(in crate::app) fn silences(status: &Status) -> Result<Json, NotDone> {
    let shown = status.shown().ok_or_else(|| status.not_now())?;
    let now = status.clock().now();
    let hold: Vec<Json> = shown.silences.iter().filter(|s| now < s.until).map(shown::silence).collect();
    Ok(json!({ "now": now.to_string(), "silences": hold }))
}

/// Letters of the outbox, read beside the service.
pub(in crate::app) async fn letters(status: &Status) -> Result<Json, NotDone> {
    let Some(store) = status.config().store.clone() else {
        return Err(NotDone::Refused("there is no store, so no letters are kept".to_string()));
    };
    let read = move || Db::read_only(&store.path).and_then(|db| db.outbox(limits::OUTBOX_SHOWN + 1));
    let rows = tokio::task::spawn_blocking(read).await.map_err(|e| NotDone::Later(e.to_string()))?;
    let rows = rows.map_err(|e| NotDone::Later(e.what))?;
    let more = rows.len() > limits::OUTBOX_SHOWN;
    let letters: Vec<Json> = rows.iter().take(limits::OUTBOX_SHOWN).map(letter).collect();
    Ok(json!({ "now": status.clock().now().to_string(), "letters": letters, "more": more }))
}

fn letter(row: &OutboxRow) -> Json {
    json!({
        "letter": row.id,
        "receiver": row.receiver,
        "key": row.key,
        "incident": row.incident.map(|i| i.full()),
        "episode": row.episode.map(|e| e.to_string()),
        "at": row.at.to_string(),
        "bytes": row.bytes,
        "dead": row.dead,
    })
}

/// What the page behind a link shows.
pub(in crate::app) fn linked(status: &Status, link: &Link) -> Result<Linked, Unlinked> {
    let acts = status.acts().ok_or(Unlinked::Wrong)?;
    let Link { incident, receiver, until, signature } = link.clone();
    let ours = ActLink { incident, receiver, until, signature };
    // one that is not ours was not at any time
    acts.check(&ours, Time(0)).map_err(|_| Unlinked::Wrong)?;
    acts.check(&ours, status.clock().now()).map_err(|_| Unlinked::Old)?;
    let shown = status.shown().ok_or(Unlinked::Later)?;
    let found = shown.incidents.iter().find(|i| i.id == incident).ok_or(Unlinked::Forgotten)?;
    let zone = status.config().timezone.as_deref().and_then(Zone::parse);
    let clock = |t: Time| local(t, zone.as_ref());
    let deeds = [("Claimed", &found.claimed), ("Acknowledged", &found.acknowledged), ("Closed", &found.closed)];
    let deeds = deeds.iter().filter_map(|(what, deed)| deed.as_ref().map(|d| (what, d))).map(|(what, d)| {
        let until = d.until.map_or(String::new(), |t| format!(", until {}", clock(t)));
        format!("{what} by {} at {}{until}", d.by, clock(d.at))
    });
    let since = match found.ended {
        Some(ended) => format!("from {} to {}", clock(found.began), clock(ended)),
        None => format!("since {}", clock(found.began)),
    };
    Ok(Linked {
        code: incident.code(),
        brand: found.brand_name.clone(),
        severity: found.severity.name().to_string(),
        title: found.title.clone(),
        sentence: found.sentence.clone(),
        since,
        deeds: deeds.collect(),
        over: found.ended.is_some(),
    })
}

/// `2026-07-04 10:04:30 CEST`.
fn local(t: Time, zone: Option<&Zone>) -> String {
    let utc = || (t.clock_utc(), "UTC".to_string(), t.to_string().get(..10).unwrap_or("").to_string());
    let (clock, name, date) = zone.map_or_else(utc, |z| z.local(t));
    format!("{date} {clock} {name}")
}

/// Scheme, host and port of an address.
pub(in crate::app) fn origin(url: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    Some(url.origin().ascii_serialization())
}
