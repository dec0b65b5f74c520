//! What a receiver of PagerDuty is made of, with all mistakes told before anything is sent.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::{Certificate, Url};

use crate::base::limits;
use crate::base::secret::Secret;
use crate::notify::address::{address, authorities, named, place};
use crate::notify::plain::sought;

/// PagerDuty's own address for events.
const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";

/// Where and how PagerDuty is told.
#[derive(Clone, PartialEq, Eq)]
pub struct PagerDutyConfig {
    /// The receiver's name.
    pub name: Arc<str>,
    /// The integration key of a service, 32 letters and digits.
    pub routing_key: Secret,
    /// Where events are posted.
    pub url: String,
    /// A file of certificates (PEM) of authorities that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
}

/// Shows nothing that is secret.
impl fmt::Debug for PagerDutyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("PagerDutyConfig");
        out.field("name", &self.name).field("routing_key", &self.routing_key);
        out.field("url", &self.place()).field("ca", &self.ca).finish()
    }
}

impl PagerDutyConfig {
    /// Of PagerDuty's own address.
    pub fn new(name: Arc<str>, routing_key: Secret) -> PagerDutyConfig {
        PagerDutyConfig { name, routing_key, url: EVENTS.to_string(), ca: None }
    }

    /// Scheme, host and port, for messages.
    pub fn place(&self) -> String {
        place(&self.url)
    }

    /// Reads and checks everything.
    pub(super) fn usable(&self) -> Result<(Url, Vec<Certificate>), Vec<String>> {
        let mut mistakes = Vec::new();
        let key = self.routing_key.expose();
        if key.len() != limits::PAGERDUTY_ROUTING_KEY || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
            let wanted = limits::PAGERDUTY_ROUTING_KEY;
            mistakes.push(format!("expected {wanted} letters and digits in `routing_key`, found another text"));
        }
        let url = address(&self.url);
        if url.is_none() {
            mistakes.push("expected a URL that begins with https:// or http://, found another text".to_string());
        }
        let certificates = authorities(self.ca.as_deref(), &mut mistakes);
        match url {
            Some(url) if mistakes.is_empty() => Ok((url, certificates)),
            _ => Err(named(&self.name, mistakes)),
        }
    }

    /// Texts that must not come back in what we show.
    pub(super) fn secrets(&self) -> Vec<String> {
        sought(vec![self.routing_key.expose().to_string()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_told_without_secrets() {
        let key = "0123456789abcdef0123456789ABCDEF";
        let good = PagerDutyConfig::new("pager".into(), Secret::new(key));
        assert_eq!((good.usable().unwrap().0.as_str(), good.secrets()), (EVENTS, vec![key.to_string()]));
        assert!(!format!("{good:?}").contains("0123"), "{good:?}");
        let url = "events".to_string();
        let bad =
            PagerDutyConfig { routing_key: Secret::new("s3cret"), url, ca: Some("/nowhere/ca.pem".into()), ..good };
        let mistakes = bad.usable().err().unwrap();
        assert_eq!(mistakes.len(), 3, "{mistakes:#?}");
        for (mistake, word) in mistakes.iter().zip(["`routing_key`", "https://", "/nowhere/"]) {
            assert!(mistake.starts_with("receiver `pager`: expected ") && mistake.contains(word), "{mistake}");
            assert!(!mistake.contains("s3cret"), "{mistake}");
        }
    }
}
