//! Receivers: where messages go, and how each of them is told.

use std::sync::Arc;

use super::reading::Reading;
use super::{keys, people};
use crate::base::limits;
use crate::base::secret::Secret;
use crate::base::time::{Span, Zone};
use crate::base::yaml::{Fields, Node};
pub use crate::notify::WebhookConfig;
use crate::notify::{AlertmanagerConfig, EmailConfig, Manner, PagerDutyConfig, Quiet, Receiver, SlackConfig, SlackWay};

/// Where messages go.
#[derive(Clone, PartialEq, Debug)]
pub struct ReceiverConfig {
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: ReceiverKind,
    /// How often it is told again of what goes on; `None`: as often as is usual for its kind. Zero: never.
    pub repeat: Option<Span>,
    /// When it is told of pages only.
    pub quiet: Option<Quiet>,
    /// The minute of the day at which it is told of what is no page.
    pub digest: Option<u16>,
    /// The minute of the day at which it gets a trial.
    pub daily_test: Option<u16>,
    /// IANA name of its time zone; `None`: that of the config.
    pub timezone: Option<String>,
}

/// What a receiver is.
#[derive(Clone, PartialEq, Debug)]
pub enum ReceiverKind {
    /// Standard output: every transition as a line of JSON, or text for people.
    Stdout {
        /// Whether it is JSON.
        json: bool,
    },
    /// An HTTP server.
    Webhook(WebhookConfig),
    /// A mailbox.
    Email(EmailConfig),
    /// A channel of Slack.
    Slack(SlackConfig),
    /// A service of PagerDuty, and the secret its own webhooks are signed with.
    PagerDuty(PagerDutyConfig, Option<Secret>),
    /// Alertmanager.
    Alertmanager(AlertmanagerConfig),
}

impl ReceiverConfig {
    /// Of a kind, told as is usual for it.
    pub fn new(name: impl Into<Arc<str>>, kind: ReceiverKind) -> ReceiverConfig {
        let (repeat, quiet, digest, daily_test, timezone) = (None, None, None, None, None);
        ReceiverConfig { name: name.into(), kind, repeat, quiet, digest, daily_test, timezone }
    }

    /// The receiver there is if the config names none: text on standard output.
    pub fn stdout() -> ReceiverConfig {
        ReceiverConfig::new("stdout", ReceiverKind::Stdout { json: false })
    }

    /// Its type, as in the config.
    pub fn kind(&self) -> &'static str {
        match self.kind {
            ReceiverKind::Stdout { .. } => "stdout",
            ReceiverKind::Webhook(_) => "webhook",
            ReceiverKind::Email(_) => "email",
            ReceiverKind::Slack(_) => "slack",
            ReceiverKind::PagerDuty(..) => "pagerduty",
            ReceiverKind::Alertmanager(_) => "alertmanager",
        }
    }

    /// How it is told of incidents.
    pub fn manner(&self) -> Manner {
        match &self.kind {
            ReceiverKind::Stdout { json: true } | ReceiverKind::Webhook(_) => Manner::Feed,
            ReceiverKind::Stdout { json: false } | ReceiverKind::Email(_) => Manner::Letters,
            // an incoming webhook cannot edit
            ReceiverKind::Slack(s) if matches!(s.way, SlackWay::Webhook { .. }) => Manner::Letters,
            ReceiverKind::Slack(_) => Manner::Edited,
            ReceiverKind::PagerDuty(..) => Manner::Pager,
            ReceiverKind::Alertmanager(_) => Manner::State,
        }
    }

    /// As far as telling it is concerned; with the time zone of the config.
    pub fn policy(&self, timezone: Option<&str>) -> Receiver {
        let manner = self.manner();
        let usual = match self.kind {
            ReceiverKind::Email(_) | ReceiverKind::Slack(_) => Some(limits::REPEAT),
            // nobody reads a terminal again and again, and pagers have repeats of their own
            _ => None,
        };
        Receiver {
            manner,
            repeat: self.repeat.map_or(usual, |r| (r > Span::ZERO).then_some(r)),
            quiet: self.quiet,
            digest: self.digest,
            trial: self.daily_test,
            zone: self.timezone.as_deref().or(timezone).and_then(Zone::parse),
        }
    }
}

/// Receivers as far as they could be read, and the names of all.
pub(super) fn receivers(c: &mut Reading, node: Option<&Node>) -> (Vec<ReceiverConfig>, Vec<Arc<str>>) {
    let Some(node) = node else {
        let only = ReceiverConfig::stdout();
        let names = vec![only.name.clone()];
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
    let mut told = ReceiverConfig::stdout();
    habits(c, &fields, &mut told);
    let kind = match table.name {
        "stdout" => {
            let json = c.is_second(fields.get("format"), "text or json", keys::FORMS);
            Some(ReceiverKind::Stdout { json })
        }
        "email" => people::email(c, &name, key, &fields).map(ReceiverKind::Email),
        "slack" => people::slack(c, &name, key, &fields).map(ReceiverKind::Slack),
        "pagerduty" => {
            let found = people::pagerduty(c, &name, key, &fields);
            found.map(|(config, webhook)| ReceiverKind::PagerDuty(config, webhook))
        }
        "alertmanager" => people::alertmanager(c, &name, key, &fields).map(ReceiverKind::Alertmanager),
        _ => webhook(c, &name, key, &fields).map(ReceiverKind::Webhook),
    };
    let receiver = ReceiverConfig { name, kind: kind?, ..told };
    if receiver.manner() == Manner::Feed {
        for word in ["repeat", "quiet_hours", "digest"] {
            if let Some(node) = fields.get(word) {
                c.r.fault(node, format!("expected no `{word}` in {what}, which is a machine's, found one")).hint =
                    Some("machines are told of every change as it comes".into());
            }
        }
    }
    if matches!(receiver.manner(), Manner::Edited | Manner::Pager | Manner::State)
        && let Some(node) = fields.get("digest")
    {
        c.r.fault(node, format!("expected no `digest` in {what}, which keeps a message an incident, found one"));
    }
    Some(receiver)
}

/// How and when a receiver is told.
fn habits(c: &mut Reading, fields: &Fields, told: &mut ReceiverConfig) {
    if let Some(node) = fields.get("repeat") {
        let off = matches!(&node.data, crate::base::yaml::Data::Scalar(s, _) if s == "off");
        told.repeat = if off { Some(Span::ZERO) } else { c.r.span(node, "`repeat`") };
        if told.repeat.is_some_and(|r| r > Span::ZERO && r < limits::REPEAT_LEAST) {
            c.r.fault(
                node,
                format!("expected at least {} between repeats, found {}", limits::REPEAT_LEAST, node.shown()),
            )
            .hint = Some("`off` for none".into());
        }
    }
    told.quiet = fields.get("quiet_hours").and_then(|n| quiet(c, n));
    told.digest = fields.get("digest").and_then(|n| minute(c, n));
    told.daily_test = fields.get("daily_test").and_then(|n| minute(c, n));
    told.timezone = fields.get("timezone").and_then(|n| super::timezone(c.r, n));
}

/// `22:00-07:00`.
fn quiet(c: &mut Reading, node: &Node) -> Option<Quiet> {
    let text = c.r.text(node, "hours of the day")?;
    let ends = text.split_once('-').and_then(|(a, b)| Some((minute_of(a.trim())?, minute_of(b.trim())?)));
    match ends {
        Some((from, to)) if from != to => Some(Quiet { from, to }),
        _ => {
            c.r.fault(node, format!("expected hours of the day, found {}", node.shown())).hint =
                Some("for example 22:00-07:00".into());
            None
        }
    }
}

/// `08:00`.
fn minute(c: &mut Reading, node: &Node) -> Option<u16> {
    let found = c.r.text(node, "a time of the day").map(minute_of)?;
    if found.is_none() {
        c.r.fault(node, format!("expected a time of the day, found {}", node.shown())).hint =
            Some("for example '08:00'".into());
    }
    found
}

fn minute_of(text: &str) -> Option<u16> {
    let (h, m) = text.split_once(':')?;
    let number = |s: &str| (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u16>().ok())?;
    let (h, m) = (number(h)?, number(m)?);
    (h < 24 && m < 60).then_some(h * 60 + m)
}

fn webhook(c: &mut Reading, name: &Arc<str>, key: &Node, fields: &Fields) -> Option<WebhookConfig> {
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
    Some(WebhookConfig { name: name.clone(), url, secret, headers, ca })
}
