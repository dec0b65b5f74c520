//! Receivers, and which notices go to which.

use std::sync::Arc;

use super::keys;
use super::reading::Reading;
use crate::base::fault::nearest;
use crate::base::model::Severity;
use crate::base::yaml::{Fields, Node};
pub use crate::notify::{Route, WebhookConfig};

/// Where notices go.
#[derive(Clone, PartialEq, Debug)]
pub enum ReceiverConfig {
    /// Standard output.
    Stdout {
        /// Its name.
        name: Arc<str>,
        /// Every transition as a line of JSON, instead of text for people.
        json: bool,
    },
    /// An HTTP server.
    Webhook(WebhookConfig),
}

impl ReceiverConfig {
    /// The receiver there is if the config names none: text on standard output.
    pub fn stdout() -> ReceiverConfig {
        ReceiverConfig::Stdout { name: "stdout".into(), json: false }
    }

    /// Its type, as in the config.
    pub fn kind(&self) -> &'static str {
        match self {
            ReceiverConfig::Stdout { .. } => "stdout",
            ReceiverConfig::Webhook(_) => "webhook",
        }
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        match self {
            ReceiverConfig::Stdout { name, .. } => name,
            ReceiverConfig::Webhook(w) => &w.name,
        }
    }
}

/// Receivers as far as they could be read, and the names of all.
pub(super) fn receivers(c: &mut Reading, node: Option<&Node>) -> (Vec<ReceiverConfig>, Vec<Arc<str>>) {
    let Some(node) = node else {
        let only = ReceiverConfig::stdout();
        let names = vec![only.name().clone()];
        return (vec![only], names);
    };
    let pairs = c.pairs(node, "receivers");
    if pairs.is_empty() {
        c.r.fault(node, "expected at least one receiver, found none").hint =
            Some("leave `receivers` out for text on standard output".into());
    }
    let (mut out, mut names) = (Vec::new(), Vec::new());
    for (key, value) in pairs {
        let Some(name) = c.name(key, "a receiver") else { continue };
        let name: Arc<str> = name.into();
        if names.contains(&name) {
            c.r.fault(key, format!("expected receiver `{name}` once, found it again"));
        }
        names.push(name.clone());
        out.extend(receiver(c, name, key, value));
    }
    (out, names)
}

fn receiver(c: &mut Reading, name: Arc<str>, key: &Node, node: &Node) -> Option<ReceiverConfig> {
    let what = format!("receiver `{name}`");
    let kinds: Vec<&str> = keys::RECEIVERS.iter().map(|(word, _)| *word).collect();
    let (_, table) = keys::RECEIVERS.get(c.kind(key, node, &what, &kinds)?)?;
    let fields = c.r.fields(node, &what, &table.allowed());
    if table.name == "stdout" {
        let json = c.is_second(fields.get("format"), "text or json", keys::FORMS);
        return Some(ReceiverConfig::Stdout { name, json });
    }
    webhook(c, name, key, &fields).map(ReceiverConfig::Webhook)
}

fn webhook(c: &mut Reading, name: Arc<str>, key: &Node, fields: &Fields) -> Option<WebhookConfig> {
    let headers = c.headers(fields.get("headers").copied());
    let secret = c.secret(fields, "secret", "secret_file").map(|(s, _)| s);
    let ca = fields.get("ca").and_then(|n| c.certificates(n));
    if !fields.contains_key("url") && !fields.contains_key("url_file") {
        c.r.fault(key, format!("expected `url` or `url_file` in receiver `{name}`, found neither"));
    }
    let (url, node) = c.secret(fields, "url", "url_file")?;
    let url = url.expose().to_string();
    if !c.is_url(node, &url, ["https", "http"]) {
        return None;
    }
    if secret.is_some() || !headers.is_empty() || node.filled || fields.contains_key("url_file") {
        c.warn_if_plain(node, &url, "https");
    }
    Some(WebhookConfig { name, url, secret, headers, ca })
}

/// Reads the list of routes. Every receiver should be named.
pub(super) fn routes(c: &mut Reading, node: Option<&Node>, receivers: &[Arc<str>]) -> Vec<Route> {
    let Some(node) = node else { return Vec::new() };
    let mut out = Vec::new();
    for item in c.items(node, "routes") {
        out.extend(route(c, item, receivers));
    }
    let idle = receivers.iter().filter(|n| !out.iter().any(|r: &Route| r.to.contains(n)));
    for name in idle.collect::<Vec<_>>() {
        let fault = c.r.fault(
            node,
            format!("expected a route to receiver `{name}`, found none: it gets only what no route takes"),
        );
        fault.warning = true;
    }
    out
}

fn route(c: &mut Reading, node: &Node, receivers: &[Arc<str>]) -> Option<Route> {
    let fields = c.r.fields(node, "a route", &keys::ROUTE.allowed());
    let least = fields.get("severity").and_then(|n| c.word(n, "a severity", keys::SEVERITIES));
    let least = least.and_then(|i| Severity::ALL.get(i)).copied();
    let alerts = c.some_texts(fields.get("alert").copied(), "the name of a rule");
    let brands = c.some_texts(fields.get("brand").copied(), "the key of a brand");
    let goes_on = c.switch(&fields, "continue", false);
    let Some(list) = fields.get("to") else {
        c.r.fault(node, "expected `to` in a route, found none").hint = Some("to: names of receivers".into());
        return None;
    };
    let mut to: Vec<Arc<str>> = Vec::new();
    for item in c.items(list, "receivers") {
        let Some(name) = c.r.text(item, "the name of a receiver") else { continue };
        match receivers.iter().find(|r| ***r == *name) {
            Some(r) if to.contains(r) => {
                c.r.fault(item, format!("expected receiver {} once, found it again", item.shown()));
            }
            Some(r) => to.push(r.clone()),
            None => {
                let near = nearest(name, receivers.iter().map(|r| &**r)).filter(|_| !item.hidden);
                let known = || format!("known: {}", receivers.join(", "));
                let hint = near.map_or_else(known, |n| format!("did you mean `{n}`?"));
                c.r.fault(item, format!("expected the name of a receiver, found {}", item.shown())).hint = Some(hint);
            }
        }
    }
    if c.r.items(list, "receivers").is_empty() {
        c.r.fault(list, "expected at least one receiver, found none");
    }
    Some(Route { least, alerts, brands, to, goes_on })
}
