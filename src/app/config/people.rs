//! Receivers that people read: mail, Slack, pagers.

use std::sync::Arc;

use super::keys;
use super::reading::Reading;
use crate::base::limits;
use crate::base::secret::Secret;
use crate::base::yaml::{Fields, Node};
use crate::notify::{AlertmanagerConfig, EmailConfig, PagerDutyConfig, SlackConfig, SlackWay, Tls};

/// How connections to mail servers are protected, in the order of [`keys::TLS`].
const TLS: [Tls; 3] = [Tls::Starttls, Tls::Tls, Tls::None];

/// A mailbox.
pub(super) fn email(c: &mut Reading, name: &Arc<str>, key: &Node, fields: &Fields) -> Option<EmailConfig> {
    let host = needed(c, name, key, fields, "host", "the name of a mail server");
    let from = needed(c, name, key, fields, "from", "an address");
    let to = match fields.get("to") {
        Some(n) => c.some_texts(Some(n), "an address"),
        None => {
            c.r.fault(key, format!("expected `to` in receiver `{name}`, found none"));
            Vec::new()
        }
    };
    let port = fields.get("port").and_then(|n| {
        let found = c.r.text(n, "a port")?.parse::<u16>().ok().filter(|p| *p > 0);
        if found.is_none() {
            c.r.fault(n, format!("expected a port, found {}", n.shown()));
        }
        found
    });
    let tls = fields.get("tls").and_then(|n| c.word(n, "how the connection is protected", keys::TLS));
    let tls = tls.and_then(|i| TLS.get(i)).copied().unwrap_or_default();
    let user = fields.get("user").and_then(|n| c.r.text(n, "a user's name")).map(str::to_string);
    let password = c.secret(fields, "password", "password_file").map(|(s, _)| s);
    let ca = fields.get("ca").and_then(|n| c.certificates(n));
    Some(EmailConfig { name: name.clone(), host: host?, port, tls, user, password, from: from?, to, ca })
}

/// Slack, by an incoming webhook or as a bot.
pub(super) fn slack(c: &mut Reading, name: &Arc<str>, key: &Node, fields: &Fields) -> Option<SlackConfig> {
    let url = c.secret(fields, "url", "url_file");
    let token = c.secret(fields, "token", "token_file");
    let channel = fields.get("channel").and_then(|n| c.r.text(n, "a channel")).map(str::to_string);
    let api = fields.get("api").and_then(|n| {
        let url = c.r.text(n, "a URL")?;
        c.is_url(n, url, ["https", "http"]).then(|| url.trim_end_matches('/').to_string())
    });
    let ca = fields.get("ca").and_then(|n| c.certificates(n));
    let way = match (url, token) {
        (Some((url, node)), None) => {
            if !c.is_url(node, url.expose(), ["https", "http"]) {
                return None;
            }
            c.warn_if_plain(node, url.expose(), "https");
            SlackWay::Webhook { url }
        }
        (None, Some((token, _))) => match channel {
            Some(channel) => SlackWay::Bot { token, channel, api },
            None => {
                c.r.fault(key, format!("expected `channel` beside `token` in receiver `{name}`, found none"));
                return None;
            }
        },
        (found, _) => {
            let found = if found.is_some() { "both" } else { "neither" };
            c.r.fault(
                key,
                format!("expected `url` (an incoming webhook) or `token` (a bot) in receiver `{name}`, found {found}"),
            )
            .hint = Some("a bot edits one message in place; a webhook posts a new one each time".into());
            return None;
        }
    };
    Some(SlackConfig { ca, ..SlackConfig::new(name.clone(), way) })
}

/// PagerDuty, and the secret that its own webhooks are signed with.
pub(super) fn pagerduty(
    c: &mut Reading,
    name: &Arc<str>,
    key: &Node,
    fields: &Fields,
) -> Option<(PagerDutyConfig, Option<Secret>)> {
    let webhook = c.secret(fields, "webhook_secret", "webhook_secret_file").map(|(s, _)| s);
    let ca = fields.get("ca").and_then(|n| c.certificates(n));
    let url = fields.get("url").and_then(|n| {
        let url = c.r.text(n, "a URL")?;
        c.is_url(n, url, ["https", "http"]).then(|| url.to_string())
    });
    if !fields.contains_key("routing_key") && !fields.contains_key("routing_key_file") {
        c.r.fault(key, format!("expected `routing_key` or `routing_key_file` in receiver `{name}`, found neither"));
    }
    let (routing_key, _) = c.secret(fields, "routing_key", "routing_key_file")?;
    let usual = PagerDutyConfig::new(name.clone(), routing_key);
    let url = url.unwrap_or_else(|| usual.url.clone());
    Some((PagerDutyConfig { url, ca, ..usual }, webhook))
}

/// Alertmanager, each of its replicas.
pub(super) fn alertmanager(
    c: &mut Reading,
    name: &Arc<str>,
    key: &Node,
    fields: &Fields,
) -> Option<AlertmanagerConfig> {
    let Some(list) = fields.get("urls") else {
        c.r.fault(key, format!("expected `urls` in receiver `{name}`, found none")).hint =
            Some("every replica, not a balancer: [\"http://am1:9093\", \"http://am2:9093\"]".into());
        return None;
    };
    let mut urls = Vec::new();
    for item in c.items(list, "URLs") {
        let Some(url) = c.r.text(item, "a URL") else { continue };
        if c.is_url(item, url, ["https", "http"]) {
            urls.push(url.trim_end_matches('/').to_string());
        }
        if urls.len() > limits::ALERT_REPLICAS {
            c.r.fault(item, format!("expected at most {} replicas, found more", limits::ALERT_REPLICAS));
            return None;
        }
    }
    let user = fields.get("user").and_then(|n| c.r.text(n, "a user's name")).map(str::to_string);
    let password = c.secret(fields, "password", "password_file").map(|(s, _)| s);
    let token = c.secret(fields, "token", "token_file").map(|(s, _)| s);
    if user.is_some() != password.is_some() {
        c.r.fault(key, format!("expected `user` and `password` in receiver `{name}`, found one of them"));
    }
    let ca = fields.get("ca").and_then(|n| c.certificates(n));
    let basic = user.zip(password);
    Some(AlertmanagerConfig { basic, token, ca, ..AlertmanagerConfig::new(name.clone(), urls) })
}

fn needed(c: &mut Reading, name: &Arc<str>, key: &Node, fields: &Fields, word: &str, what: &str) -> Option<String> {
    match fields.get(word) {
        Some(n) => c.r.text(n, what).map(str::to_string),
        None => {
            c.r.fault(key, format!("expected `{word}` in receiver `{name}`, found none"));
            None
        }
    }
}
