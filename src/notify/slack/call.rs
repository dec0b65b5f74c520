//! Calls of Slack: at its pace, and what its answers mean.

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Url};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::config::SlackConfig;
use crate::base::limits;
use crate::base::time::Span;
use crate::notify::carrier::Tried;
use crate::notify::courier::{Answer, Pace};
use crate::notify::http::Http;

/// Errors after which the same call may do.
const LATER: [&str; 7] = [
    "ratelimited",
    "rate_limited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
];
/// Errors that say that a message is there no more, or cannot be edited any more.
const GONE: [&str; 4] = ["message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"];

/// Why a call failed.
pub(super) struct Failure {
    /// What that means for the letter.
    pub(super) tried: Tried,
    /// Whether the message it was about is gone.
    pub(super) gone: bool,
}

impl Failure {
    /// Whether the same call would fail again.
    pub(super) fn is_final(&self) -> bool {
        match self.tried.answer {
            Answer::Refused => !self.gone,
            Answer::Status(status, _) => matches!(status, 400..=499) && !matches!(status, 408 | 425 | 429),
            Answer::Later(_) | Answer::None => false,
        }
    }
}

/// Calls one Slack.
pub(super) struct Calls {
    http: Http,
    headers: HeaderMap,
    gap: Span,
    /// No call before.
    next: Mutex<Option<Instant>>,
}

impl Calls {
    /// With headers for every call.
    ///
    /// # Errors
    /// What is wrong with the certificates.
    pub(super) fn new(
        config: &SlackConfig,
        pace: Pace,
        headers: HeaderMap,
        certificates: Vec<Certificate>,
    ) -> Result<Calls, String> {
        let http = Http::new(&config.name, pace.timeout, certificates, config.secrets())?;
        let http = http.reading(limits::SLACK_ANSWER_BYTES);
        Ok(Calls { http, headers, gap: config.gap, next: Mutex::new(None) })
    }

    /// Posts to an incoming webhook, which answers in words.
    pub(super) async fn hook(&self, url: &Url, said: &Json) -> Result<(), Failure> {
        let answer = self.post(url, said).await?;
        if answer.0.trim() == "ok" {
            return Ok(());
        }
        // something else than Slack answers: asking again would only tell people twice
        let found = self.http.harmless(&answer.0);
        Err(Failure {
            tried: Tried::new(Answer::Refused, format!("expected the answer `ok`, found {found:?}")),
            gone: false,
        })
    }

    /// Calls a method of the API, which says in its answer whether it did what it was asked.
    pub(super) async fn method(&self, url: &Url, said: &Json) -> Result<Json, Failure> {
        let (body, asked) = self.post(url, said).await?;
        let failed = |answer, why: String, gone| Failure { tried: Tried::new(answer, why), gone };
        let Ok(answer) = serde_json::from_str::<Json>(&body) else {
            let found = self.http.harmless(&body);
            return Err(failed(Answer::Later(asked), format!("expected an answer in JSON, found {found:?}"), false));
        };
        if answer["ok"] == true {
            return Ok(answer);
        }
        let error = answer["error"].as_str().unwrap_or("no reason");
        let why = format!("expected `ok`, found {}", self.http.harmless(error));
        Err(match error {
            error if LATER.contains(&error) => failed(Answer::Later(asked), why, false),
            error => failed(Answer::Refused, why, GONE.contains(&error)),
        })
    }

    /// The answer, and the time asked for, of a call that was understood.
    async fn post(&self, url: &Url, said: &Json) -> Result<(String, Option<Span>), Failure> {
        self.turn().await;
        let answered = self.http.post(url, self.headers.clone(), said.to_string().into()).await;
        match answered.tried.answer {
            Answer::Status(200..=299, asked) => Ok((answered.body, asked)),
            _ => Err(Failure { tried: answered.tried, gone: false }),
        }
    }

    /// Waits until it is time for another call.
    async fn turn(&self) {
        let mut next = self.next.lock().await;
        if let Some(next) = *next {
            sleep_until(next).await;
        }
        *next = Some(Instant::now() + self.gap.as_std());
    }
}
