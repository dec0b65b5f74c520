//! URLs and headers of the config.

use std::net::IpAddr;

use axum::http::{HeaderName, HeaderValue, Uri};

use super::keys;
use super::reading::Reading;
use crate::base::limits;
use crate::base::secret::Secret;
use crate::base::yaml::{Data, Node};

/// Headers that belong to the protocol itself.
const OURS: &[&str] = &["host", "upgrade", "connection", "content-length", "transfer-encoding"];

impl Reading<'_, '_> {
    /// Whether a URL, which may hold secrets, begins with one of these schemes and can be asked.
    pub(super) fn is_url(&mut self, node: &Node, url: &str, schemes: [&str; 2]) -> bool {
        let what = match fault_of(url, schemes) {
            None => return true,
            Some(why) => format!("expected a URL that begins with {}:// or {}://, found {why}", schemes[0], schemes[1]),
        };
        self.r.fault(node, what);
        false
    }

    /// Warns where something secret goes over a wire that anybody on the way can read.
    pub(super) fn warn_if_plain(&mut self, node: &Node, url: &str, secure: &str) {
        if is_plain_text(url) {
            let what = "expected an encrypted connection for what is secret, found plain text to another machine";
            let fault = self.r.fault(node, what);
            (fault.warning, fault.hint) = (true, Some(format!("begin it with {secure}://")));
        }
    }

    /// Headers of a request.
    pub(super) fn headers(&mut self, node: Option<&Node>) -> Vec<(String, Secret)> {
        let mut out: Vec<(String, Secret)> = Vec::new();
        let Some(node) = node else { return out };
        for (key, value) in self.pairs(node, "headers") {
            let Some(name) = self.r.text(key, "a header's name") else { continue };
            let lower = name.to_ascii_lowercase();
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                self.r.fault(key, format!("expected a header's name, found {}", key.shown()));
            } else if OURS.contains(&lower.as_str()) || lower.starts_with("sec-websocket-") {
                self.r.fault(key, format!("expected a header that is not the protocol's own, found {}", key.shown()));
            } else if out.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                self.r.fault(key, format!("expected header {} once, found it again", key.shown()));
            }
            let text = match &value.data {
                Data::Map(_) => {
                    let fields = self.r.fields(value, "a header's value", &keys::HEADER_FILE.allowed());
                    match fields.get("file") {
                        Some(file) => self.file_text(file).map(|t| (t, *file)),
                        None => {
                            self.r.fault(value, "expected `file` in a header's value, found none");
                            None
                        }
                    }
                }
                _ => self.r.text(value, "a header's value, or {file: PATH},").map(|t| (t.to_string(), value)),
            };
            let Some((text, at)) = text else { continue };
            if text.len() as u64 > limits::SECRET_BYTES || HeaderValue::from_str(&text).is_err() {
                self.r.fault(at, "expected a header's value of visible ASCII characters, found others");
                continue;
            }
            out.push((name.to_string(), Secret::new(text)));
        }
        out
    }
}

/// Why a URL cannot be used; what it says is not repeated.
fn fault_of(url: &str, schemes: [&str; 2]) -> Option<&'static str> {
    let begins = schemes.iter().any(|s| url.strip_prefix(s).is_some_and(|rest| rest.starts_with("://")));
    if !begins {
        return Some("another text");
    }
    let Ok(uri) = url.parse::<Uri>() else { return Some("one that is no URL") };
    match uri.authority() {
        Some(a) if a.as_str().contains('@') => Some("one with a password in it, which belongs into `headers`"),
        Some(a) if a.host().is_empty() => Some("one without a host"),
        None => Some("one without a host"),
        // what asks has a stricter idea of hosts and ports
        Some(_) if reqwest::Url::parse(url).is_err() => Some("one that is no URL"),
        Some(_) => None,
    }
}

/// Whether anybody on the way can read what is sent to a URL.
pub(super) fn is_plain_text(url: &str) -> bool {
    let plain = url.starts_with("http://") || url.starts_with("ws://");
    let uri = url.parse::<Uri>().unwrap_or_default();
    let host = uri.host().unwrap_or("").trim_matches(['[', ']']);
    let here =
        host.parse::<IpAddr>().map_or(host == "localhost" || host.ends_with(".localhost"), |ip| ip.is_loopback());
    plain && !here
}

/// A URL as it may be shown: without path and query, which may hold secrets.
pub(super) fn site(url: &str) -> String {
    let uri = url.parse::<Uri>().unwrap_or_default();
    format!("{}://{}/...", uri.scheme_str().unwrap_or(""), uri.authority().map_or("", |a| a.as_str()))
}

/// Whether a URL leads to this machine.
pub(super) fn is_local(url: &str) -> bool {
    let host = url.parse::<Uri>().ok().and_then(|u| u.host().map(str::to_string)).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
