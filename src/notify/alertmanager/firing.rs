//! What Alertmanager holds for us. It forgets what it is not told again, so what fires is told again and again,
//! and what has ended for a while. Pure: alerts and times in, what to post out.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::body::{Alert, Body};
use crate::base::limits;
use crate::base::time::Time;

/// The label that tells how severe it is.
const SEVERITY: &str = "severity";

/// One alert, and since when it is no more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Held {
    alert: Alert,
    ended: Option<Time>,
}

impl Held {
    fn is_kept(&self, now: Time) -> bool {
        self.ended.is_none_or(|ended| now - ended < limits::ALERT_ENDED_KEPT)
    }

    fn json(&self, now: Time) -> Json {
        let began = self.alert.began;
        // what ends before it begins would be refused
        let ends = self.ended.unwrap_or(now + limits::ALERT_LASTS).max(began);
        let mut out = json!({
            "labels": self.alert.labels,
            "annotations": self.alert.annotations,
            "startsAt": began.to_string(),
            "endsAt": ends.to_string(),
        });
        if let Some(more) = &self.alert.more {
            out["generatorURL"] = more.as_str().into();
        }
        out
    }
}

/// The alerts of one thread: the last one is the newest; others had other labels and have ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Thread {
    thread: String,
    step: u32,
    /// When something was said of it last.
    said: Time,
    held: VecDeque<Held>,
}

impl Thread {
    /// What a handle says.
    fn read(handle: &str) -> Option<Thread> {
        serde_json::from_str::<Thread>(handle).ok().filter(|t| t.held.len() <= limits::ALERTS_PER_THREAD)
    }

    /// As a handle, if need be without what people read.
    pub(super) fn written(&self) -> Option<String> {
        let short = |t: &Thread| serde_json::to_string(t).ok().filter(|h| h.len() <= limits::HANDLE_BYTES);
        short(self).or_else(|| {
            let mut bare = self.clone();
            bare.held.iter_mut().for_each(|h| h.alert.annotations.clear());
            short(&bare)
        })
    }

    /// Takes a letter in; an older one than the last changes nothing.
    fn take(&mut self, body: &Body, now: Time) {
        if body.step < self.step {
            return;
        }
        (self.step, self.said) = (body.step, now);
        // whatever it is mostly about by now, and whatever its brand is labelled: only a rise is another alert
        let same = |h: &Held| h.alert.labels.get(SEVERITY) == body.alert.labels.get(SEVERITY);
        let before = self.held.iter().rposition(same);
        let before = before.and_then(|k| self.held.remove(k));
        let labels = before.as_ref().map_or(&body.alert.labels, |h| &h.alert.labels).clone();
        self.held.iter_mut().filter(|h| h.ended.is_none()).for_each(|h| h.ended = Some(now));
        let ended = body.over.then(|| before.and_then(|h| h.ended).unwrap_or(now));
        self.held.push_back(Held { alert: Alert { labels, ..body.alert.clone() }, ended });
        while self.held.len() > limits::ALERTS_PER_THREAD {
            self.held.pop_front();
        }
    }

    fn json(&self, now: Time) -> impl Iterator<Item = Json> {
        self.held.iter().filter(move |h| h.is_kept(now)).map(move |h| h.json(now))
    }

    /// Whether it is to be told again. One of which nothing was said for long has lost its end.
    fn is_kept(&self, now: Time) -> bool {
        self.held.iter().any(|h| h.is_kept(now)) && now - self.said < limits::ALERT_FIRING_KEPT
    }
}

/// All alerts that are told again.
#[derive(Debug, Default)]
pub(super) struct Firing {
    threads: BTreeMap<String, Thread>,
}

impl Firing {
    /// Takes in what a handle says, unless more is known already.
    pub(super) fn remember(&mut self, handle: &str) {
        if let Some(read) = Thread::read(handle)
            && self.threads.get(&read.thread).is_none_or(|t| t.step < read.step)
        {
            self.threads.insert(read.thread.clone(), read);
        }
    }

    /// Takes a letter in; gives what is to be posted because of it, and what is to be remembered.
    pub(super) fn take(&mut self, body: &Body, now: Time) -> (Vec<Json>, Option<String>) {
        let (step, held) = (0, VecDeque::new());
        let fresh = Thread { thread: body.thread.clone(), step, said: now, held };
        let thread = self.threads.entry(body.thread.clone()).or_insert(fresh);
        thread.take(body, now);
        let out = (thread.json(now).collect(), thread.written());
        self.forget(now);
        out
    }

    /// What is to be posted again, in posts of a bounded number.
    pub(super) fn again(&mut self, now: Time) -> Vec<Vec<Json>> {
        self.forget(now);
        let all: Vec<Json> = self.threads.values().flat_map(|t| t.json(now)).collect();
        all.chunks(limits::ALERTS_AT_ONCE).map(<[Json]>::to_vec).collect()
    }

    fn forget(&mut self, now: Time) {
        self.threads.retain(|_, t| t.is_kept(now));
        while self.threads.len() > limits::HANDLES {
            let oldest = self.threads.iter().min_by_key(|(_, t)| t.said).map(|(name, _)| name.clone());
            oldest.map(|name| self.threads.remove(&name));
        }
    }
}
