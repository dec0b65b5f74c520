//! An event of PagerDuty, without the key of the service it is for.

use bytes::Bytes;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::base::hash;
use crate::base::limits;
use crate::base::model::Severity;
use crate::notify::address::followed;
use crate::notify::view::{News, View};

/// In front of threads, so that keys of others are told from ours.
const OURS: &str = "groundswell-";

/// What is asked of PagerDuty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Wish {
    /// That it wakes people, or is told that it goes on.
    Trigger,
    /// That it knows that somebody took it.
    Acknowledge,
    /// That it knows that it is over.
    Resolve,
    /// Nothing, if it knows of it.
    Nothing,
}

/// What a letter to PagerDuty holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Body {
    /// Grows with each message of an incident.
    pub(super) step: u32,
    /// By rank, from 0.
    pub(super) severity: u8,
    /// What is wanted.
    pub(super) wish: Wish,
    /// What all events of an incident share.
    pub(super) dedup_key: String,
    /// An event that triggers. It is sent as it is, so that the order of its details is kept.
    pub(super) event: Box<RawValue>,
}

#[derive(Serialize)]
struct Event<'a> {
    event_action: &'static str,
    dedup_key: &'a str,
    client: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<String>,
    links: Vec<Link>,
    payload: Payload,
}

#[derive(Serialize)]
struct Link {
    href: String,
    text: String,
}

#[derive(Serialize)]
struct Payload {
    summary: String,
    source: &'static str,
    severity: &'static str,
    timestamp: String,
    component: String,
    group: String,
    class: String,
    custom_details: Details,
}

/// In the order of the message.
struct Details(Vec<(String, String)>);

impl Serialize for Details {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(Some(self.0.len()))?;
        for (name, text) in &self.0 {
            map.serialize_entry(name, text)?;
        }
        map.end()
    }
}

/// A letter's body for PagerDuty; no secrets.
pub fn pagerduty_body(view: &View) -> Bytes {
    let dedup_key = key(&view.thread);
    let event = Event {
        event_action: "trigger",
        dedup_key: &dedup_key,
        client: "groundswell",
        client_url: view.more.as_deref().and_then(followed),
        links: links(view),
        payload: payload(view),
    };
    let Ok(event) = to_raw_value(&event) else { return Bytes::new() };
    let (severity, wish) = (rank(view.severity), wish(view));
    let body = Body { step: view.step, severity, wish, dedup_key, event };
    serde_json::to_vec(&body).unwrap_or_default().into()
}

fn wish(view: &View) -> Wish {
    match view.news {
        _ if view.is_over() => Wish::Resolve,
        News::Over => Wish::Resolve,
        News::Hand if view.claimed.is_some() => Wish::Acknowledge,
        News::Hand | News::Update => Wish::Nothing,
        News::Test | News::Repeat | News::Cause | News::HandedOver | News::Rise | News::Opened => Wish::Trigger,
    }
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 0,
        Severity::Warn => 1,
        Severity::Page => 2,
    }
}

/// By what PagerDuty knows that events are about the same.
pub(super) fn key(thread: &str) -> String {
    let whole = format!("{OURS}{thread}");
    if whole.len() <= limits::PAGERDUTY_KEY {
        return whole;
    }
    format!("{OURS}{:016x}", hash::parts(&[thread.as_bytes()]))
}

/// The thread that a key is of, if it is one of ours.
pub(super) fn thread(key: &str) -> Option<&str> {
    let thread = key.strip_prefix(OURS).filter(|t| !t.is_empty() && key.len() <= limits::PAGERDUTY_KEY)?;
    thread.chars().all(|c| c.is_ascii_graphic()).then_some(thread)
}

fn links(view: &View) -> Vec<Link> {
    let link = |url: &str, text: &str| Some(Link { href: followed(url)?, text: text.to_string() });
    let act = view.act.as_ref().and_then(|a| link(&a.url, "Claim or acknowledge"));
    let more = view.more.as_ref().and_then(|m| link(m, "Open incident"));
    let post = view.quote.as_ref().and_then(|q| link(q.link.as_ref()?.follow.as_ref()?, "The post"));
    let runbooks = view.runbooks.iter().filter_map(|r| link(r, "Runbook")).take(limits::RUNBOOK_LINKS);
    act.into_iter().chain(more).chain(post).chain(runbooks).collect()
}

fn payload(view: &View) -> Payload {
    let label = |name: &str| view.labels.get(name).map_or("", String::as_str);
    Payload {
        summary: filled(&view.short, limits::PAGERDUTY_SUMMARY, &view.title),
        source: "groundswell",
        severity: match view.severity {
            Severity::Page => "critical",
            Severity::Warn => "warning",
            Severity::Info => "info",
        },
        timestamp: view.at.to_string(),
        component: cut(&view.brand, limits::PAGERDUTY_FIELD),
        group: cut(label("group"), limits::PAGERDUTY_FIELD),
        class: filled(label("alertname"), limits::PAGERDUTY_FIELD, &view.title),
        custom_details: details(view),
    }
}

fn details(view: &View) -> Details {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, text: &str| {
        let text = cut(text, limits::PAGERDUTY_FIELD);
        if text.is_empty() || out.len() >= limits::PAGERDUTY_DETAILS {
            return;
        }
        match out.iter_mut().find(|(known, _)| known == name) {
            Some((_, before)) if before.len() < limits::PAGERDUTY_FIELD => *before = format!("{before}\n{text}"),
            Some(_) => {}
            None => out.push((name.to_string(), text)),
        }
    };
    add("IN SHORT", &view.sentence);
    if let Some(said) = &view.quote {
        let text = if said.own { format!("\"{}\"", said.text) } else { said.text.clone() };
        add("POST", &[text.as_str(), &said.author, &view.quote_more].join(" - "));
    }
    view.lines.iter().for_each(|(label, text)| add(label.word(), text));
    view.runbooks.iter().filter(|r| followed(r).is_none()).for_each(|r| add("RUNBOOK", r));
    add("ON CALL", view.owner.as_deref().unwrap_or_default());
    add("BEGAN", &view.began.to_string());
    Details(out)
}

/// Of so many characters at most.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// The same of another text where that is empty, since PagerDuty wants some.
fn filled(text: &str, most: usize, other: &str) -> String {
    let first = [text, other, "groundswell"].into_iter().find(|t| !t.trim().is_empty());
    cut(first.unwrap_or_default(), most)
}
