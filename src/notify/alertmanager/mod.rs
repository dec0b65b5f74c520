//! Alertmanager, by version 2 of its API: every replica is told of every alert, again and again while it lasts.

mod body;
mod config;
mod firing;

pub use body::alertmanager_body;
pub use config::AlertmanagerConfig;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::join_all;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::{Value as Json, json};
use tokio::time::timeout;

use super::Letter;
use super::carrier::{Carried, Carrier, Tried};
use super::courier::{Answer, Pace};
use super::http::Http;
use crate::base::limits;
use crate::base::model::IncidentId;
use crate::base::time::Time;
use body::Body;
use firing::Firing;

/// A cluster of Alertmanager.
pub struct Alertmanager {
    replicas: Vec<Replica>,
    place: String,
    headers: HeaderMap,
    http: Http,
    firing: Mutex<Firing>,
}

struct Replica {
    url: Url,
    place: String,
    /// Whether the last post failed.
    failing: AtomicBool,
}

impl Alertmanager {
    /// Of a config; reads its certificates.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn new(config: &AlertmanagerConfig, pace: Pace) -> Result<Alertmanager, Vec<String>> {
        let usable = config.usable()?;
        let http = Http::new(&config.name, pace.timeout, usable.certificates, config.secrets()).map_err(|e| vec![e])?;
        let replica = |(url, place)| Replica { url, place, failing: AtomicBool::new(false) };
        let replicas = usable.urls.into_iter().zip(config.places()).map(replica).collect();
        let (place, firing) = (config.places().join(" "), Mutex::default());
        Ok(Alertmanager { replicas, place, headers: usable.headers, http, firing })
    }

    /// The same, to be given to a deliverer.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn carrier(config: &AlertmanagerConfig, pace: Pace) -> Result<Arc<dyn Carrier>, Vec<String>> {
        Ok(Arc::new(Alertmanager::new(config, pace)?))
    }

    fn firing(&self) -> MutexGuard<'_, Firing> {
        self.firing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tell(&self, letter: &Letter, handle: Option<&str>, now: Time) -> Tried {
        let Ok(body) = serde_json::from_slice::<Body>(&letter.body) else {
            return Tried::new(Answer::Refused, "expected a letter for Alertmanager, found another");
        };
        let (alerts, written) = {
            let mut firing = self.firing();
            handle.iter().for_each(|h| firing.remember(h));
            firing.take(&body, now)
        };
        Tried { handle: written, ..self.post(&alerts, true).await }
    }

    async fn again(&self, posts: Vec<Vec<Json>>) -> Tried {
        let mut worst = Tried::new(Answer::Status(200, None), "");
        for alerts in posts {
            let tried = self.post(&alerts, false).await;
            if !tried.why.is_empty() {
                worst = tried;
            }
        }
        worst
    }

    /// To all replicas at the same time; it went well if it did with one, since they tell each other, and the others
    /// are told within a minute. A letter does not wait long for a replica that failed before.
    async fn post(&self, alerts: &[Json], brief: bool) -> Tried {
        let body = Bytes::from(json!(alerts).to_string());
        // of several; a single one that is slow must be waited for
        let brief = brief && self.replicas.iter().any(|r| !r.failing.load(Ordering::Relaxed));
        let tried = join_all(self.replicas.iter().map(|r| self.post_one(r, &body, brief))).await;
        let good = |t: &&Tried| matches!(t.answer, Answer::Status(200..=299, _));
        if let Some(good) = tried.iter().find(good) {
            return good.clone();
        }
        // one that may take it later outweighs one that does not want it
        let wants = |t: &&Tried| !matches!(t.answer, Answer::Status(status, _) if matches!(status, 300..=499) && !matches!(status, 408 | 425 | 429));
        let told = tried.iter().find(wants).or(tried.first());
        told.cloned().unwrap_or_else(|| Tried::new(Answer::Refused, "expected a replica, found none"))
    }

    async fn post_one(&self, replica: &Replica, body: &Bytes, brief: bool) -> Tried {
        let posted = self.http.post(&replica.url, self.headers.clone(), body.clone());
        let before = replica.failing.load(Ordering::Relaxed);
        let tried = if before && brief {
            let patience = limits::ALERT_PATIENCE;
            let slow = || Tried::new(Answer::None, format!("expected an answer within {patience}, found none"));
            timeout(patience.as_std(), posted).await.map_or_else(|_| slow(), |said| said.tried)
        } else {
            posted.await.tried
        };
        let failing = !matches!(tried.answer, Answer::Status(200..=299, _));
        replica.failing.store(failing, Ordering::Relaxed);
        let (place, why) = (&*replica.place, &*tried.why);
        match (before, failing) {
            (false, true) => tracing::warn!(place, why, "a replica of alertmanager takes no alerts"),
            (true, false) => tracing::info!(place, "a replica of alertmanager takes alerts again"),
            _ => {}
        }
        tried
    }
}

impl Carrier for Alertmanager {
    fn carry<'a>(&'a self, letter: &'a Letter, handle: Option<&'a str>, now: Time) -> Carried<'a> {
        Box::pin(self.tell(letter, handle, now))
    }

    fn place(&self) -> &str {
        &self.place
    }

    fn remember(&self, handles: &BTreeMap<IncidentId, String>) {
        let mut firing = self.firing();
        handles.values().for_each(|h| firing.remember(h));
    }

    fn refresh(&self, now: Time) -> Option<Carried<'_>> {
        let posts = self.firing().again(now);
        (!posts.is_empty()).then(|| -> Carried<'_> { Box::pin(self.again(posts)) })
    }
}

#[cfg(test)]
mod tests;
