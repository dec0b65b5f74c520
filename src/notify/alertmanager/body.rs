//! An alert as Alertmanager knows it: labels by which it is the same, and what people read of it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::base::model::Severity;
use crate::base::time::Time;
use crate::notify::address::followed;
use crate::notify::view::View;

/// What a letter to Alertmanager holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Body {
    /// By what letters are about the same.
    pub(super) thread: String,
    /// Grows with each message of a thread.
    pub(super) step: u32,
    /// Whether it is over.
    pub(super) over: bool,
    /// The alert that fires, or fired.
    pub(super) alert: Alert,
}

/// An alert without its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Alert {
    /// By what Alertmanager knows it, so nothing in them changes while it lasts.
    pub(super) labels: BTreeMap<String, String>,
    /// What may change.
    pub(super) annotations: BTreeMap<String, String>,
    /// When it began.
    pub(super) began: Time,
    /// Where a reader finds more.
    pub(super) more: Option<String>,
}

/// A letter's body for Alertmanager; no secrets.
pub fn alertmanager_body(view: &View) -> Bytes {
    let alert = Alert {
        labels: labels(view),
        annotations: annotations(view),
        began: view.began,
        more: view.more.as_deref().and_then(followed),
    };
    let body = Body { thread: view.thread.clone(), step: view.step, over: view.is_over(), alert };
    serde_json::to_vec(&body).unwrap_or_default().into()
}

fn labels(view: &View) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (name, value) in view.labels.iter().take(limits::ALERT_LABELS) {
        let value = cut(value, limits::ALERT_LABEL);
        if !value.is_empty() {
            out.entry(label(name)).or_insert(value);
        }
    }
    out.entry("alertname".to_string()).or_insert_with(|| "Groundswell".to_string());
    let severity = match view.severity {
        Severity::Page => "critical",
        Severity::Warn => "warning",
        Severity::Info => "info",
    };
    out.insert("severity".to_string(), severity.to_string());
    if let Some(incident) = view.incident {
        out.insert("incident".to_string(), incident.full());
    }
    out
}

/// A name that labels can have: letters, digits and `_`, no digit at first.
fn label(name: &str) -> String {
    let fine = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let mut out: String = name.chars().take(limits::ALERT_LABEL).map(fine).collect();
    if out.is_empty() || out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

fn annotations(view: &View) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut add = |name: &str, text: String| {
        if !text.is_empty() {
            out.insert(name.to_string(), cut(&text, limits::ALERT_ANNOTATION));
        }
    };
    add("summary", view.short.clone());
    let lines = view.lines.iter().filter(|(_, text)| !text.is_empty());
    let lines = lines.map(|(label, text)| format!("{}: {text}", label.word()));
    let first = [view.sentence.clone()].into_iter().filter(|s| !s.is_empty());
    add("description", first.chain(lines).collect::<Vec<_>>().join("\n"));
    add("runbook", view.runbooks.join("\n"));
    let address = view.act.as_ref().map(|a| &a.url).or(view.more.as_ref());
    add("url", address.and_then(|u| followed(u)).unwrap_or_default());
    out
}

/// Of so many bytes at most, between characters.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_string();
    }
    let end = text.floor_char_boundary(most.saturating_sub("…".len()));
    format!("{}…", text.get(..end).unwrap_or_default())
}
