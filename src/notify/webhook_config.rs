//! What a webhook is made of, with all mistakes told before anything is sent.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Url};

use super::address::{address, authorities, named, place, secrets_in};
use super::plain::sought;
use crate::base::limits;
use crate::base::secret::Secret;

/// Headers that only we set.
const RESERVED: [&str; 9] = [
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "host",
    "user-agent",
    "idempotency-key",
    "x-groundswell-timestamp",
    "x-groundswell-signature",
];

/// Where and how messages are posted.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookConfig {
    /// The receiver's name.
    pub name: Arc<str>,
    /// `https://` or `http://`; all but scheme, host and port is treated as secret.
    pub url: String,
    /// What messages are signed with.
    pub secret: Option<Secret>,
    /// Further headers.
    pub headers: Vec<(String, Secret)>,
    /// A file of certificates (PEM) of authorities that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
}

/// Shows nothing that is secret, nor the path and query of the URL.
impl fmt::Debug for WebhookConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookConfig")
            .field("name", &self.name)
            .field("url", &place(&self.url))
            .field("secret", &self.secret)
            .field("headers", &self.headers)
            .field("ca", &self.ca)
            .finish()
    }
}

/// The parts of a config that proved to be usable.
pub(super) struct Usable {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) certificates: Vec<Certificate>,
}

impl WebhookConfig {
    /// Scheme, host and port, for messages.
    pub fn place(&self) -> String {
        place(&self.url)
    }

    /// Reads and checks everything.
    pub(super) fn usable(&self) -> Result<Usable, Vec<String>> {
        let mut mistakes = Vec::new();
        let url = address(&self.url);
        if url.is_none() {
            mistakes.push("expected a URL that begins with https:// or http://, found another text".to_string());
        }
        let headers = self.checked_headers(&mut mistakes);
        let certificates = authorities(self.ca.as_deref(), &mut mistakes);
        match url {
            Some(url) if mistakes.is_empty() => Ok(Usable { url, headers, certificates }),
            _ => Err(named(&self.name, mistakes)),
        }
    }

    fn checked_headers(&self, mistakes: &mut Vec<String>) -> HeaderMap {
        let mut out = HeaderMap::new();
        if self.headers.len() > limits::RECEIVER_HEADERS {
            let most = limits::RECEIVER_HEADERS;
            mistakes.push(format!("expected at most {most} headers, found {}", self.headers.len()));
            return out;
        }
        for (name, value) in &self.headers {
            let Ok(known) = HeaderName::try_from(name.as_str()) else {
                mistakes.push(format!("expected the name of a header, found {name:?}"));
                continue;
            };
            if RESERVED.contains(&known.as_str()) {
                mistakes.push(format!("expected a header that is free to set, found `{known}`"));
            }
            match HeaderValue::try_from(value.expose()) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    out.append(known, value);
                }
                // the value is not shown
                Err(_) => mistakes.push(format!("expected a value of one line in header `{known}`, found another")),
            }
        }
        out
    }

    /// Texts that must not come back in what we show: the longest first.
    pub(super) fn secrets(&self) -> Vec<String> {
        let mut out: Vec<String> = self.secret.iter().map(|s| s.expose().to_string()).collect();
        for (_, value) in &self.headers {
            out.push(value.expose().to_string());
            out.extend(value.expose().split_whitespace().map(str::to_string));
        }
        out.extend(secrets_in(&self.url));
        sought(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> WebhookConfig {
        WebhookConfig { name: "hook".into(), url: url.into(), secret: None, headers: Vec::new(), ca: None }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let c = WebhookConfig {
            secret: Some(Secret::new("s3cr3t")),
            headers: vec![("Authorization".into(), Secret::new("Bearer t0k3n"))],
            ..config("https://user:pa55@h.example:8443/services/T00/XYZ?token=q7&x#frag")
        };
        let shown = format!("{c:?} {c:#?}");
        for secret in ["s3cr3t", "t0k3n", "user", "pa55", "services", "T00", "XYZ", "q7", "frag"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("https://h.example:8443\"") && shown.contains("Authorization"), "{shown}");
        let secrets = c.secrets();
        for secret in ["s3cr3t", "t0k3n", "Bearer t0k3n", "pa55", "/services/T00/XYZ", "services", "token=q7&x"] {
            assert!(secrets.iter().any(|s| s == secret), "{secret} not in {secrets:?}");
        }
        assert!(secrets.iter().all(|s| s.len() >= 4) && secrets.is_sorted_by_key(|s| usize::MAX - s.len()));
    }

    #[test]
    fn all_mistakes_are_told_without_secrets() {
        let c = WebhookConfig {
            headers: vec![
                ("bad name".into(), Secret::new("abcd")),
                ("Idempotency-Key".into(), Secret::new("abcd")),
                ("X-Fine".into(), Secret::new("abcd\r\nX-Evil: 1")),
            ],
            ca: Some("/nowhere/ca.pem".into()),
            ..config("ftp://abcd@h.example/")
        };
        let mistakes = c.usable().err().unwrap();
        assert_eq!(mistakes.len(), 5, "{mistakes:#?}");
        for (mistake, word) in mistakes.iter().zip(["https://", "bad name", "idempotency-key", "x-fine", "/nowhere/"]) {
            assert!(mistake.starts_with("receiver `hook`: expected ") && mistake.contains(word), "{mistake}");
            assert!(!mistake.contains("abcd"), "{mistake}");
        }
        let many = (0..=limits::RECEIVER_HEADERS).map(|k| (format!("X-{k}"), Secret::new("v"))).collect();
        assert_eq!(WebhookConfig { headers: many, ..config("http://h") }.usable().err().unwrap().len(), 1);
        for bad in ["", "h.example", "https://", "file:///etc/passwd", "data:,x"] {
            assert!(config(bad).usable().is_err(), "{bad}");
        }
        assert!(config("http://127.0.0.1:1/x").usable().is_ok());
    }
}
