//! What a webhook is made of, with all mistakes told before anything is sent.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Url};

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
/// Shorter texts are no secrets; taking them out would only make answers unreadable.
const SHORTEST_SECRET: usize = 4;

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
        let url = Url::parse(&self.url).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        if url.is_none() {
            mistakes.push("expected a URL that begins with https:// or http://, found another text".to_string());
        }
        let headers = self.checked_headers(&mut mistakes);
        let certificates = match self.ca.as_deref().map(certificates) {
            None => Vec::new(),
            Some(Ok(found)) => found,
            Some(Err(mistake)) => {
                mistakes.push(mistake);
                Vec::new()
            }
        };
        match url {
            Some(url) if mistakes.is_empty() => Ok(Usable { url, headers, certificates }),
            _ => Err(mistakes.into_iter().map(|m| format!("receiver `{}`: {m}", self.name)).collect()),
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
        if let Ok(url) = Url::parse(&self.url) {
            out.extend([url.path(), url.username()].map(str::to_string));
            out.extend([url.password(), url.query(), url.fragment()].into_iter().flatten().map(str::to_string));
            out.extend(url.path().split('/').map(str::to_string));
            for (name, value) in url.query_pairs() {
                out.extend([name.into_owned(), value.into_owned()]);
            }
        }
        out.retain(|s| s.len() >= SHORTEST_SECRET);
        out.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        out.dedup();
        out
    }
}

fn place(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return "?".to_string() };
    let port = url.port().map_or(String::new(), |p| format!(":{p}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or("?"))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    let wrong = |what: String| format!("expected certificates in PEM in {}, found {what}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| wrong(e.to_string()))?;
    file.take(limits::CERTIFICATE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| wrong(e.to_string()))?;
    if bytes.len() as u64 > limits::CERTIFICATE_BYTES {
        return Err(wrong(format!("more than {} bytes", limits::CERTIFICATE_BYTES)));
    }
    match Certificate::from_pem_bundle(&bytes) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(wrong("none".to_string())),
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
        assert!(
            secrets.iter().all(|s| s.len() >= SHORTEST_SECRET) && secrets.is_sorted_by_key(|s| usize::MAX - s.len())
        );
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

    #[test]
    fn certificates_are_bounded_and_must_be_some() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        for content in [Vec::new(), b"not a certificate".to_vec(), vec![b'x'; limits::CERTIFICATE_BYTES as usize + 1]] {
            std::fs::write(&path, &content).unwrap();
            let e = certificates(&path).err().unwrap();
            assert!(e.starts_with("expected certificates in PEM in "), "{e}");
            assert_eq!(e.contains("more than 1048576 bytes"), content.len() > 100, "{e}");
        }
        let own = rcgen::generate_simple_self_signed(vec!["x.example".into()]).unwrap();
        std::fs::write(&path, own.cert.pem()).unwrap();
        assert_eq!(certificates(&path).map(|c| c.len()), Ok(1));
    }
}
