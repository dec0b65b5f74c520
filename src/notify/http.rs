//! Posting to HTTP servers: what receivers that are reached by it share.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, Url};

use super::carrier::Tried;
use super::courier::{Answer, retry_after};
use super::plain::harmless;
use crate::base::limits;
use crate::base::time::Span;

/// A client that goes where it is sent and nowhere else: no redirects, no proxy, no retries of its own.
pub(super) struct Http {
    client: Client,
    timeout: Span,
    secrets: Vec<String>,
    /// Bytes read of an answer.
    read: usize,
}

/// What a server said.
pub(super) struct Said {
    /// The answer, by its status.
    pub(super) tried: Tried,
    /// The beginning of its body, as far as it is text.
    pub(super) body: String,
}

impl Http {
    /// For one receiver. What is in `secrets` is taken out of all that servers say.
    ///
    /// # Errors
    /// What is wrong with the certificates.
    pub(super) fn new(
        name: &Arc<str>,
        timeout: Span,
        certificates: Vec<Certificate>,
        secrets: Vec<String>,
    ) -> Result<Http, String> {
        // a second call finds it installed already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(timeout.as_std())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(1)
            .tls_certs_merge(certificates)
            .user_agent(concat!("groundswell/", env!("CARGO_PKG_VERSION")))
            .build();
        let wrong = |e| format!("receiver `{name}`: expected a client for HTTPS, found {}", innermost(&e));
        let secrets = secrets.into_iter().filter(|s| !s.is_empty()).collect();
        Ok(Http { client: client.map_err(wrong)?, timeout, secrets, read: limits::ANSWER_BYTES })
    }

    /// The same, reading so many bytes of each answer.
    pub(super) fn reading(self, read: usize) -> Http {
        Http { read, ..self }
    }

    /// Posts JSON.
    pub(super) async fn post(&self, url: &Url, headers: HeaderMap, body: Bytes) -> Said {
        let request = self.client.post(url.clone()).headers(headers).header("Content-Type", "application/json");
        match request.body(body).send().await {
            Ok(response) => self.answered(response).await,
            Err(e) => {
                let why = if e.is_timeout() {
                    format!("expected an answer within {}, found none", self.timeout)
                } else {
                    format!("expected an answer, found {}", innermost(&e.without_url()))
                };
                Said { tried: Tried::new(Answer::None, self.harmless(&why)), body: String::new() }
            }
        }
    }

    async fn answered(&self, mut response: Response) -> Said {
        let status = response.status();
        let asked = response.headers().get(RETRY_AFTER).and_then(|v| retry_after(v.to_str().ok()?));
        let answer = Answer::Status(status.as_u16(), asked);
        let mut bytes = Vec::new();
        // an answer that is cut off or too slow has still told its status
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = self.read - bytes.len();
            bytes.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if bytes.len() >= self.read {
                break;
            }
        }
        let body = String::from_utf8_lossy(&bytes).into_owned();
        if status.is_success() {
            return Said { tried: Tried::new(answer, ""), body };
        }
        let said = self.harmless(&body);
        let said = if said.is_empty() { said } else { format!(": {said}") };
        Said { tried: Tried::new(answer, format!("expected status 200, found {}{said}", status.as_u16())), body }
    }

    /// On one line, short, and without our secrets, which servers like to repeat.
    pub(super) fn harmless(&self, text: &str) -> String {
        harmless(text, &self.secrets, limits::ANSWER_CHARS)
    }
}

/// The innermost reason; the outer ones only repeat what was asked.
fn innermost(e: &reqwest::Error) -> String {
    let mut inner: &dyn Error = e;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}
