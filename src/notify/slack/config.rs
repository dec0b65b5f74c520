//! What a receiver of Slack is made of, with all mistakes told before anything is sent.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Certificate, Url};

use crate::base::limits;
use crate::base::secret::Secret;
use crate::base::time::Span;
use crate::notify::address::{address, authorities, named, place, secrets_in};
use crate::notify::plain::sought;

/// Slack's own address for bots.
pub(super) const API: &str = "https://slack.com/api";

/// How messages get into Slack.
#[derive(Clone, PartialEq, Eq)]
pub enum SlackWay {
    /// By an incoming webhook: every letter is a message of its own.
    Webhook {
        /// Its address, all of which is secret but the host.
        url: Secret,
    },
    /// As a bot: one message an incident, edited in place, with a thread.
    Bot {
        /// `xoxb-…`, with the scope `chat:write`.
        token: Secret,
        /// The channel's id, or its name.
        channel: String,
        /// Where the methods of the API are; `None`: Slack's own address.
        api: Option<String>,
    },
}

/// Where and how Slack is told.
#[derive(Clone, PartialEq, Eq)]
pub struct SlackConfig {
    /// The receiver's name.
    pub name: Arc<str>,
    /// How messages get there.
    pub way: SlackWay,
    /// Least time between two calls.
    pub gap: Span,
    /// A file of certificates (PEM) of authorities that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
}

/// Shows nothing that is secret.
impl fmt::Debug for SlackConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SlackConfig");
        out.field("name", &self.name).field("place", &self.place());
        if let SlackWay::Bot { channel, .. } = &self.way {
            out.field("channel", channel);
        }
        out.field("gap", &self.gap).field("ca", &self.ca).finish()
    }
}

/// The parts of a config that proved to be usable.
pub(super) struct Usable {
    pub(super) way: Way,
    pub(super) headers: HeaderMap,
    pub(super) certificates: Vec<Certificate>,
}

/// Where calls go.
pub(super) enum Way {
    /// To one address.
    Webhook(Url),
    /// To methods, about a channel.
    Bot { post: Url, update: Url, channel: String },
}

impl SlackConfig {
    /// With the pace that Slack asks for, and authorities of the system.
    pub fn new(name: Arc<str>, way: SlackWay) -> SlackConfig {
        SlackConfig { name, way, gap: limits::SLACK_GAP, ca: None }
    }

    /// Scheme, host and port, for messages.
    pub fn place(&self) -> String {
        match &self.way {
            SlackWay::Webhook { url } => place(url.expose()),
            SlackWay::Bot { api, .. } => place(api.as_deref().unwrap_or(API)),
        }
    }

    /// Reads and checks everything.
    pub(super) fn usable(&self) -> Result<Usable, Vec<String>> {
        let (mut mistakes, mut headers) = (Vec::new(), HeaderMap::new());
        let way = match &self.way {
            SlackWay::Webhook { url } => address(url.expose()).map(Way::Webhook),
            SlackWay::Bot { token, channel, api } => {
                headers = self.bearer(token, &mut mistakes);
                let short = (1..=limits::SLACK_CHANNEL).contains(&channel.len());
                if !short || channel.chars().any(|c| c.is_whitespace() || c.is_control()) {
                    mistakes.push(format!("expected a channel's id or name in `channel`, found {channel:?}"));
                }
                let api = api.as_deref().unwrap_or(API).trim_end_matches('/');
                let method = |name: &str| address(&format!("{api}/{name}"));
                let both = method("chat.postMessage").zip(method("chat.update"));
                both.map(|(post, update)| Way::Bot { post, update, channel: channel.clone() })
            }
        };
        if way.is_none() {
            mistakes.push("expected a URL that begins with https:// or http://, found another text".to_string());
        }
        let certificates = authorities(self.ca.as_deref(), &mut mistakes);
        match way {
            Some(way) if mistakes.is_empty() => Ok(Usable { way, headers, certificates }),
            _ => Err(named(&self.name, mistakes)),
        }
    }

    fn bearer(&self, token: &Secret, mistakes: &mut Vec<String>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        match HeaderValue::try_from(format!("Bearer {}", token.expose())) {
            Ok(mut value) if !token.expose().trim().is_empty() => {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            _ => mistakes.push("expected a token of one line in `token`, found another text".to_string()),
        }
        headers
    }

    /// Texts that must not come back in what we show.
    pub(super) fn secrets(&self) -> Vec<String> {
        sought(match &self.way {
            SlackWay::Webhook { url } => secrets_in(url.expose()),
            SlackWay::Bot { token, .. } => vec![token.expose().to_string()],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot(token: &str, channel: &str, api: Option<&str>) -> SlackConfig {
        let way = SlackWay::Bot { token: Secret::new(token), channel: channel.into(), api: api.map(str::to_string) };
        SlackConfig::new("chat".into(), way)
    }

    #[test]
    fn nothing_secret_is_shown() {
        let url = Secret::new("https://hooks.slack.com/services/T00/B00/XXXX");
        let hook = SlackConfig::new("chat".into(), SlackWay::Webhook { url });
        let shown = format!("{hook:?} {:?}", bot("xoxb-secret", "C1", None));
        assert!(shown.contains("https://hooks.slack.com\"") && shown.contains("https://slack.com\""), "{shown}");
        for secret in ["services", "T00", "XXXX", "xoxb"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(hook.secrets().contains(&"/services/T00/B00/XXXX".to_string()), "{:?}", hook.secrets());
        assert_eq!(bot("xoxb-secret", "C1", None).secrets(), ["xoxb-secret"]);
    }

    #[test]
    fn all_mistakes_are_told_without_secrets() {
        let config = SlackConfig { ca: Some("/nowhere/ca.pem".into()), ..bot("xoxb-s3\nx", "a b", Some("ftp://x")) };
        let mistakes = config.usable().err().unwrap();
        assert_eq!(mistakes.len(), 4, "{mistakes:#?}");
        for (mistake, word) in mistakes.iter().zip(["`token`", "\"a b\"", "https://", "/nowhere/"]) {
            assert!(mistake.starts_with("receiver `chat`: expected ") && mistake.contains(word), "{mistake}");
            assert!(!mistake.contains("s3"), "{mistake}");
        }
        assert!(bot("", "C1", None).usable().is_err() && bot("x", "", None).usable().is_err());
        let Ok(Usable { way: Way::Bot { post, .. }, .. }) =
            bot("x", "#brand", Some("http://127.0.0.1:1/api/")).usable()
        else {
            panic!()
        };
        assert_eq!(post.as_str(), "http://127.0.0.1:1/api/chat.postMessage");
    }
}
