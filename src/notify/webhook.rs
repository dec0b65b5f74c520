//! Webhooks: messages as JSON objects, posted and signed.

use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};

use super::Letter;
use super::carrier::{Carried, Carrier, Tried};
use super::courier::{Answer, Pace};
use super::http::Http;
use super::sign::Signer;
use super::webhook_config::WebhookConfig;
use crate::base::time::Time;

/// A receiver that messages are posted to.
pub struct Webhook {
    url: Url,
    place: String,
    headers: HeaderMap,
    signer: Option<Signer>,
    http: Http,
}

impl Webhook {
    /// Of a config; reads its certificates.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn new(config: &WebhookConfig, pace: Pace) -> Result<Webhook, Vec<String>> {
        let usable = config.usable()?;
        let signer = config.secret.as_ref().map(|s| Signer::new(s).ok_or("expected a secret to sign with, found none"));
        let wrong = |what: &str| vec![format!("receiver `{}`: {what}", config.name)];
        let http = Http::new(&config.name, pace.timeout, usable.certificates, config.secrets());
        Ok(Webhook {
            url: usable.url,
            place: config.place(),
            headers: usable.headers,
            signer: signer.transpose().map_err(wrong)?,
            http: http.map_err(|e| vec![e])?,
        })
    }

    /// The same, to be given to a deliverer.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn carrier(config: &WebhookConfig, pace: Pace) -> Result<Arc<dyn Carrier>, Vec<String>> {
        Ok(Arc::new(Webhook::new(config, pace)?))
    }

    async fn post(&self, letter: &Letter, now: Time) -> Tried {
        let timestamp = now.0.div_euclid(1_000_000);
        let mut headers = self.headers.clone();
        let signature = self.signer.as_ref().map(|s| s.signature(timestamp, &letter.body));
        let ours = [
            ("idempotency-key", Some(letter.key.to_string())),
            ("x-groundswell-timestamp", Some(timestamp.to_string())),
            ("x-groundswell-signature", signature),
        ];
        for (name, value) in ours {
            let Some(value) = value else { continue };
            let Ok(value) = HeaderValue::try_from(value) else {
                return Tried::new(Answer::Refused, format!("expected a value that `{name}` can have, found another"));
            };
            headers.insert(name, value);
        }
        self.http.post(&self.url, headers, letter.body.clone()).await.tried
    }
}

impl Carrier for Webhook {
    fn carry<'a>(&'a self, letter: &'a Letter, _: Option<&'a str>, now: Time) -> Carried<'a> {
        Box::pin(self.post(letter, now))
    }

    fn place(&self) -> &str {
        &self.place
    }
}
