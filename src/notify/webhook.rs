//! Webhooks: messages as JSON objects, posted one after the other, signed, tried again until they
//! are accepted, refused or too old.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::courier::{Answer, Courier, Fate, Next, Pace, Standing, retry_after};
use super::inbox::{Inbox, Waiting};
use super::plain::plain;
use super::sign::Signer;
use super::webhook_config::WebhookConfig;
use super::{Letter, Report};
use crate::base::limits;
use crate::base::time::{Span, Time};

/// A receiver that messages are posted to.
pub struct Webhook {
    name: Arc<str>,
    url: Url,
    place: String,
    headers: HeaderMap,
    signer: Option<Signer>,
    secrets: Vec<String>,
    client: Client,
    pace: Pace,
}

/// How a try ended, with the reason where it was no success.
struct Tried {
    answer: Answer,
    why: String,
}

impl Webhook {
    /// Of a config; reads its certificates.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn new(config: &WebhookConfig, pace: Pace) -> Result<Webhook, Vec<String>> {
        // a second call finds it installed already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let usable = config.usable()?;
        let client = Client::builder()
            .timeout(pace.timeout.as_std())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(1)
            .tls_certs_merge(usable.certificates)
            .user_agent(concat!("groundswell/", env!("CARGO_PKG_VERSION")))
            .build();
        let wrong = |what: String| vec![format!("receiver `{}`: {what}", config.name)];
        let client = client.map_err(|e| wrong(format!("expected a client for HTTPS, found {}", innermost(&e))))?;
        let signer = config.secret.as_ref().map(|s| Signer::new(s).ok_or("expected a secret to sign with, found none"));
        Ok(Webhook {
            name: config.name.clone(),
            url: usable.url,
            place: config.place(),
            headers: usable.headers,
            signer: signer.transpose().map_err(|e| wrong(e.to_string()))?,
            secrets: config.secrets(),
            client,
            pace,
        })
    }

    /// Delivers what comes to the inbox, in order. Once cancelled, delivers what waits there for at
    /// most `grace`, without waiting for a try that is due later; gives the number not delivered.
    pub async fn run(
        self,
        inbox: Arc<Inbox<Letter>>,
        report: Arc<dyn Report>,
        cancel: CancellationToken,
        grace: Span,
    ) -> usize {
        let mut stop = Stop { cancel, grace: grace.as_std(), end: None };
        let mut round = Round { hook: &self, courier: Courier::new(self.pace), report: &*report, zero: Instant::now() };
        while let Some(waiting) = stop.next(&inbox).await {
            if !round.deliver(&waiting, &mut stop).await {
                return inbox.len() + 1;
            }
        }
        0
    }

    async fn post(&self, letter: &Letter, now: Time) -> Tried {
        let timestamp = now.0.div_euclid(1_000_000);
        let mut request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", &*letter.key)
            .header("X-Groundswell-Timestamp", timestamp);
        if let Some(signer) = &self.signer {
            request = request.header("X-Groundswell-Signature", signer.signature(timestamp, &letter.body));
        }
        match request.body(letter.body.clone()).send().await {
            Ok(response) => self.answered(response).await,
            Err(e) => {
                let why = if e.is_timeout() {
                    format!("expected an answer within {}, found none", self.pace.timeout)
                } else {
                    format!("expected an answer, found {}", innermost(&e.without_url()))
                };
                Tried { answer: Answer::None, why: self.harmless(&why) }
            }
        }
    }

    async fn answered(&self, mut response: Response) -> Tried {
        let status = response.status();
        let asked = response.headers().get(RETRY_AFTER).and_then(|v| retry_after(v.to_str().ok()?));
        let answer = Answer::Status(status.as_u16(), asked);
        if status.is_success() {
            return Tried { answer, why: String::new() };
        }
        let mut body = Vec::new();
        // an answer that is cut off or too slow has still told its status
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = limits::ANSWER_BYTES - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if body.len() >= limits::ANSWER_BYTES {
                break;
            }
        }
        let said = self.harmless(&String::from_utf8_lossy(&body));
        let said = if said.is_empty() { said } else { format!(": {said}") };
        Tried { answer, why: format!("expected status 200, found {}{said}", status.as_u16()) }
    }

    /// On one line, short, and without our secrets, which servers like to repeat.
    fn harmless(&self, text: &str) -> String {
        let without = self.secrets.iter().fold(text.to_string(), |t, s| t.replace(s, "[secret]"));
        plain(&without, limits::ANSWER_CHARS)
    }

    fn log(&self, before: Standing, after: Standing, why: &str) {
        let (receiver, place) = (&*self.name, &*self.place);
        match after {
            _ if before == after => {}
            Standing::Fine => tracing::info!(receiver, place, "receiver takes messages again"),
            Standing::Failing => tracing::warn!(receiver, place, why, "receiver cannot be reached, trying again"),
            Standing::Refusing => {
                tracing::error!(receiver, place, why, "receiver refused a message, which is not tried again");
            }
        }
    }
}

/// One run of a webhook.
struct Round<'a> {
    hook: &'a Webhook,
    courier: Courier,
    report: &'a dyn Report,
    zero: Instant,
}

impl Round<'_> {
    /// Whether the letter has come to an end; else time is over.
    async fn deliver(&mut self, waiting: &Waiting<Letter>, stop: &mut Stop) -> bool {
        let (name, queued) = (&*self.hook.name, self.time(waiting.since));
        let mut tries = 0;
        loop {
            match self.courier.next(queued, self.time(Instant::now())) {
                Next::Expire => {
                    self.report.expired(name, &waiting.item);
                    return true;
                }
                Next::Wait(until) => {
                    if !stop.wait(self.zero + (until - Time(0)).as_std()).await {
                        return false;
                    }
                }
                Next::Try => {
                    let began = Instant::now();
                    tries += 1;
                    let tried = tokio::select! {
                        biased;
                        () = stop.over() => return false,
                        tried = self.hook.post(&waiting.item, self.report.now()) => tried,
                    };
                    let before = self.courier.standing();
                    let fate = self.courier.on(tried.answer, self.time(Instant::now()), self.report.jitter());
                    match fate {
                        Fate::Accepted => self.report.delivered(name, &waiting.item, tries, began.elapsed()),
                        Fate::Refused => self.report.refused(name, &waiting.item, &tried.why),
                        Fate::Again => self.report.failed(name, &tried.why),
                    }
                    self.hook.log(before, self.courier.standing(), &tried.why);
                    if fate != Fate::Again {
                        return true;
                    }
                }
            }
        }
    }

    /// On the courier's clock, which begins with the run.
    fn time(&self, t: Instant) -> Time {
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        Time(micros(t.saturating_duration_since(self.zero)) - micros(self.zero.saturating_duration_since(t)))
    }
}

/// The end of a run: a while after it was cancelled.
struct Stop {
    cancel: CancellationToken,
    grace: Duration,
    end: Option<Instant>,
}

impl Stop {
    /// Waits until it is cancelled; gives the end.
    async fn begun(&mut self) -> Instant {
        if self.end.is_none() {
            self.cancel.cancelled().await;
        }
        *self.end.get_or_insert_with(|| Instant::now() + self.grace)
    }

    /// Waits for the end.
    async fn over(&mut self) {
        sleep_until(self.begun().await).await;
    }

    /// Waits until a time; gives up, with `false`, as soon as it is known to lie behind the end.
    async fn wait(&mut self, until: Instant) -> bool {
        tokio::select! {
            () = sleep_until(until) => true,
            end = self.begun() => {
                if until <= end {
                    sleep_until(until).await;
                }
                until <= end
            }
        }
    }

    /// The next of an inbox; `None` once it is cancelled and nothing waits.
    async fn next<T>(&mut self, inbox: &Inbox<T>) -> Option<Waiting<T>> {
        tokio::select! {
            biased;
            waiting = inbox.take() => Some(waiting),
            _ = self.begun() => inbox.try_take(),
        }
    }
}

/// The cause that lies deepest: what went wrong rather than who noticed.
fn innermost(e: &dyn Error) -> String {
    let mut cause = e;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
