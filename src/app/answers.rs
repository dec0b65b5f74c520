//! The service's answers to HTTP.

use std::sync::{Arc, PoisonError};
use std::time::Instant;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::app::acting::{asked, pagerduty};
use crate::app::config::{Right, SourceKind};
use crate::app::intake::{Ends, Fed, What};
use crate::app::status::Status;
use crate::app::view;
use crate::base::metric::Stage;
use crate::base::model::{Frame, FrameBatch};
use crate::base::secret::Secret;
use crate::serve::{Answers, Link, Linked, NotDone, Paged, Refusal, Rights, Unlinked, Want};

impl Answers for Status {
    fn metrics(&self) -> Arc<str> {
        self.measure();
        self.metrics.text()
    }

    fn unready(&self) -> Vec<String> {
        self.reasons()
    }

    fn rights(&self, token: Option<&str>) -> Rights {
        let config = self.config();
        let Some(token) = token else {
            // without tokens the address is one of this machine only
            let open = config.tokens.is_empty();
            return Rights { read: open, act: open, admin: open, name: None, push: None };
        };
        let digest = Sha256::digest(token);
        // digests are compared, so that the time it takes tells nothing of the secret
        let is = |secret: &Secret| Sha256::digest(secret.expose()) == digest;
        let mut rights = Rights::default();
        for known in config.tokens.iter().filter(|t| is(&t.secret)) {
            rights.admin |= known.may.contains(&Right::Admin);
            rights.act |= rights.admin || known.may.contains(&Right::Act);
            rights.read |= rights.act || known.may.contains(&Right::Read);
            rights.name.get_or_insert_with(|| known.name.clone());
        }
        for source in &config.sources {
            if let SourceKind::Push(push) = &source.kind
                && is(&push.token)
            {
                rights.push = Some(source.info.name.clone());
            }
        }
        rights
    }

    fn status(&self) -> Json {
        view::status(self)
    }

    async fn push(&self, name: &Arc<str>, frames: Vec<Frame>) -> Result<Ends, Refusal> {
        let refused = || if self.is_stopping() { Refusal::Stopping } else { Refusal::Gone };
        // the guard ends with the line: it must not be held while waiting
        let push = self.pushes.get(name).map(|p| p.value().clone());
        let (source, lane) = push.ok_or_else(refused)?;
        let (received, now) = (Instant::now(), self.clock().now());
        let frames: Vec<Frame> = frames.into_iter().map(|f| Frame { received: Some(now), ..f }).collect();
        self.heard(name, frames.len());
        // who asks may be gone while this waits for room
        let waits = self.waits(frames.len());
        let coming = self.metrics.enter(Stage::Collect, frames.len());
        let (answer, ends) = oneshot::channel();
        let fed = Fed { what: What::Pushed(FrameBatch { source, frames, position: None }, answer), received };
        if !lane.send(fed).await {
            return Err(Refusal::Stopping);
        }
        waits.sent();
        coming.all_out("fed");
        ends.await.map_err(|_| Refusal::Stopping)?.map_err(Refusal::Unrecorded)
    }

    fn incidents(&self, over: bool) -> Result<Json, NotDone> {
        asked::incidents(self, over)
    }

    fn incident(&self, name: &str) -> Result<Json, NotDone> {
        asked::incident(self, name)
    }

    fn silences(&self) -> Result<Json, NotDone> {
        asked::silences(self)
    }

    async fn letters(&self) -> Result<Json, NotDone> {
        asked::letters(self).await
    }

    async fn act(&self, want: Want) -> Result<String, NotDone> {
        asked::act(self, want).await
    }

    fn linked(&self, link: &Link) -> Result<Linked, Unlinked> {
        asked::linked(self, link)
    }

    fn origin(&self) -> Option<String> {
        asked::origin(self.config().external_url.as_deref()?)
    }

    async fn pagerduty(&self, receiver: &str, signature: &str, body: &[u8]) -> Paged {
        pagerduty::heed(self, receiver, signature, body).await
    }

    async fn reload(&self) -> Result<String, Vec<String>> {
        let trigger = self.reloads.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match trigger {
            Some(trigger) => trigger.ask("the API").await,
            None => Err(vec!["this service reads no files".to_string()]),
        }
    }
}
