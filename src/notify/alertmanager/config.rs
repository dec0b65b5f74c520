//! What a receiver of Alertmanager is made of, with all mistakes told before anything is sent.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Certificate, Url};

use crate::base::limits;
use crate::base::secret::Secret;
use crate::notify::address::{address, authorities, named, place, secrets_in};
use crate::notify::plain::sought;

/// Where alerts are posted, below a replica's address.
const PATH: &str = "/api/v2/alerts";

/// Where and how Alertmanager is told.
#[derive(Clone, PartialEq, Eq)]
pub struct AlertmanagerConfig {
    /// The receiver's name.
    pub name: Arc<str>,
    /// The address of every replica, not of a balancer before them: `http://am-1:9093`, with a prefix where it has
    /// one; all but scheme, host and port is treated as secret.
    pub urls: Vec<String>,
    /// Name and password, where it asks for them.
    pub basic: Option<(String, Secret)>,
    /// A bearer token, where it asks for one.
    pub token: Option<Secret>,
    /// A file of certificates (PEM) of authorities that are trusted beside those of the system.
    pub ca: Option<PathBuf>,
}

/// Shows nothing that is secret.
impl fmt::Debug for AlertmanagerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("AlertmanagerConfig");
        out.field("name", &self.name).field("urls", &self.places());
        out.field("basic", &self.basic).field("token", &self.token).field("ca", &self.ca).finish()
    }
}

/// The parts of a config that proved to be usable.
pub(super) struct Usable {
    pub(super) urls: Vec<Url>,
    pub(super) headers: HeaderMap,
    pub(super) certificates: Vec<Certificate>,
}

impl AlertmanagerConfig {
    /// Of replicas that ask for nothing.
    pub fn new(name: Arc<str>, urls: Vec<String>) -> AlertmanagerConfig {
        AlertmanagerConfig { name, urls, basic: None, token: None, ca: None }
    }

    /// Scheme, host and port of each replica, for messages.
    pub fn places(&self) -> Vec<String> {
        self.urls.iter().map(|u| place(u)).collect()
    }

    /// Reads and checks everything.
    pub(super) fn usable(&self) -> Result<Usable, Vec<String>> {
        let mut mistakes = Vec::new();
        if self.urls.is_empty() || self.urls.len() > limits::ALERT_REPLICAS {
            let most = limits::ALERT_REPLICAS;
            mistakes.push(format!("expected 1 to {most} addresses in `urls`, found {}", self.urls.len()));
        }
        let mut urls = Vec::new();
        for (k, text) in self.urls.iter().take(limits::ALERT_REPLICAS).enumerate() {
            let base = text.trim_end_matches('/');
            let base = base.strip_suffix(PATH).unwrap_or(base);
            // what follows a question mark would swallow the path
            match address(text).filter(|u| u.query().is_none() && u.fragment().is_none()) {
                Some(_) => urls.extend(address(&format!("{base}{PATH}"))),
                None => mistakes.push(format!(
                    "expected an address like http://alertmanager:9093 at place {} of `urls`, found another text",
                    k + 1
                )),
            }
        }
        let headers = self.headers(&mut mistakes);
        let certificates = authorities(self.ca.as_deref(), &mut mistakes);
        if mistakes.is_empty() { Ok(Usable { urls, headers, certificates }) } else { Err(named(&self.name, mistakes)) }
    }

    fn headers(&self, mistakes: &mut Vec<String>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let value = match (&self.basic, &self.token) {
            (None, None) => return headers,
            (Some(_), Some(_)) => {
                mistakes.push("expected either a name with a password or a token, found both".to_string());
                return headers;
            }
            (Some((user, _)), None) if user.contains(':') => {
                mistakes.push("expected a user's name without `:`, found another text".to_string());
                return headers;
            }
            (Some((user, password)), None) => {
                format!("Basic {}", base64(format!("{user}:{}", password.expose()).as_bytes()))
            }
            (None, Some(token)) => format!("Bearer {}", token.expose()),
        };
        match HeaderValue::try_from(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            Err(_) => mistakes.push("expected a token of one line, found another text".to_string()),
        }
        headers
    }

    /// Texts that must not come back in what we show.
    pub(super) fn secrets(&self) -> Vec<String> {
        let mut out: Vec<String> = self.token.iter().map(|t| t.expose().to_string()).collect();
        if let Some((user, password)) = &self.basic {
            out.push(password.expose().to_string());
            out.push(base64(format!("{user}:{}", password.expose()).as_bytes()));
        }
        // the path of the API is no secret
        let paths = self.urls.iter().map(|u| u.trim_end_matches('/').strip_suffix(PATH).unwrap_or(u));
        out.extend(paths.flat_map(secrets_in));
        sought(out)
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let all = (0..3).fold(0u32, |all, k| (all << 8) | three.get(k).map_or(0, |b| u32::from(*b)));
        for k in 0..4 {
            let digit = DIGITS.get((all >> (18 - 6 * k) & 63) as usize).filter(|_| k <= three.len());
            out.push(digit.map_or('=', |d| char::from(*d)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, expected) in vectors {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn addresses_are_those_of_the_api() {
        let of = |url: &str| {
            AlertmanagerConfig::new("am".into(), vec![url.into()]).usable().ok().map(|u| u.urls[0].to_string())
        };
        for url in ["http://am:9093", "http://am:9093/", "http://am:9093/api/v2/alerts"] {
            assert_eq!(of(url).as_deref(), Some("http://am:9093/api/v2/alerts"));
        }
        assert_eq!(of("https://x/am/").as_deref(), Some("https://x/am/api/v2/alerts"));
        for bad in ["", "am:9093", "http://am/?x=1", "http://am/#x", "file:///x"] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn nothing_secret_is_shown_and_all_mistakes_are_told() {
        let good = AlertmanagerConfig {
            basic: Some(("ada".into(), Secret::new("pa55word"))),
            ..AlertmanagerConfig::new("am".into(), vec!["https://u:s3cr3t@am.example/hidden".into()])
        };
        let shown = format!("{good:?}");
        assert!(
            shown.contains("https://am.example\"") && !shown.contains("pa55") && !shown.contains("s3cr3t"),
            "{shown}"
        );
        let secrets = good.secrets();
        for secret in ["pa55word", "YWRhOnBhNTV3b3Jk", "s3cr3t", "/hidden"] {
            assert!(secrets.iter().any(|s| s == secret), "{secret} not in {secrets:?}");
        }
        assert!(good.usable().is_ok());
        let bad = AlertmanagerConfig {
            urls: vec!["http://a".into(), "b".into()],
            token: Some(Secret::new("t0k3n")),
            ca: Some("/nowhere/ca.pem".into()),
            ..good.clone()
        };
        let mistakes = bad.usable().err().unwrap();
        assert_eq!(mistakes.len(), 3, "{mistakes:#?}");
        for (mistake, word) in mistakes.iter().zip(["place 2 of `urls`", "found both", "/nowhere/"]) {
            assert!(mistake.starts_with("receiver `am`: expected ") && mistake.contains(word), "{mistake}");
            assert!(!mistake.contains("t0k3n"), "{mistake}");
        }
        assert!(AlertmanagerConfig::new("am".into(), Vec::new()).usable().is_err());
        assert!(AlertmanagerConfig { basic: None, token: Some(Secret::new("a\nb")), ..good }.usable().is_err());
    }
}
