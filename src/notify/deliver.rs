//! Delivers what waits for one receiver: in order, tried again until it is accepted, refused or too old.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Report;
use super::carrier::{Carrier, Tried};
use super::courier::{Courier, Fate, Next, Pace, Standing};
use super::inbox::Inbox;
use super::outbox::{Pick, Waiting};
use crate::base::limits;
use crate::base::model::IncidentId;
use crate::base::recent::Recent;
use crate::base::time::{Span, Time};

/// Hands the letters of one receiver to its carrier.
pub struct Deliverer {
    name: Arc<str>,
    carrier: Arc<dyn Carrier>,
    pace: Pace,
    /// By what the receiver knows incidents.
    handles: BTreeMap<IncidentId, String>,
}

impl Deliverer {
    /// To a receiver of which nothing is known yet.
    pub fn new(name: Arc<str>, carrier: Arc<dyn Carrier>, pace: Pace) -> Deliverer {
        Deliverer { name, carrier, pace, handles: BTreeMap::new() }
    }

    /// With what the receiver calls incidents that it was told of before.
    pub fn knowing(mut self, handles: BTreeMap<IncidentId, String>) -> Deliverer {
        self.handles = handles;
        self
    }

    /// Delivers what comes to the inbox. Once cancelled, delivers what waits there for at most `grace`,
    /// without waiting for a try that is due later; gives the number not delivered.
    pub async fn run(
        self,
        inbox: Arc<Inbox>,
        report: Arc<dyn Report>,
        cancel: CancellationToken,
        grace: Span,
    ) -> usize {
        let stop = Stop { cancel, grace: grace.as_std(), end: None };
        let courier = Courier::new(self.pace);
        let Deliverer { name, carrier, pace, handles } = self;
        carrier.remember(&handles);
        // what was told before may be about to be forgotten
        let wait = if handles.is_empty() { limits::REFRESH_EVERY } else { Span::ZERO };
        let refresh = Instant::now() + wait.as_std();
        let mut known = Recent::new(limits::HANDLES);
        handles.into_iter().for_each(|(incident, handle)| known.insert(incident.0, handle));
        Run { name, carrier, pace, handles: known, courier, inbox, report, stop, refresh }.run().await
    }
}

struct Run {
    name: Arc<str>,
    carrier: Arc<dyn Carrier>,
    pace: Pace,
    handles: Recent<String>,
    courier: Courier,
    inbox: Arc<Inbox>,
    report: Arc<dyn Report>,
    stop: Stop,
    /// When what still holds is said again.
    refresh: Instant,
}

impl Run {
    async fn run(mut self) -> usize {
        loop {
            self.say_again().await;
            let picked = self.inbox.queue().pick(self.inbox.now());
            match picked {
                Pick::Try(waiting) => {
                    if !self.deliver(&waiting).await {
                        self.inbox.queue().put_back(&waiting.letter.key);
                        return self.inbox.len();
                    }
                }
                Pick::Wait(until) => {
                    if !self.rest(Some(until)).await {
                        return self.inbox.len();
                    }
                }
                Pick::Nothing => {
                    if !self.rest(None).await {
                        return 0;
                    }
                }
            }
        }
    }

    /// Waits for a letter, a time, or the end; `false`: nothing more can be done before the end.
    async fn rest(&mut self, until: Option<Time>) -> bool {
        let until = until.map(|t| self.inbox.instant(t));
        let (inbox, refresh) = (self.inbox.clone(), self.refresh);
        if self.stop.is_begun() {
            return match until {
                Some(until) => self.stop.wait(until).await,
                None => false,
            };
        }
        let due = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = inbox.arrived() => {}
            () = due => {}
            () = sleep_until(refresh) => {}
            _ = self.stop.begun() => {}
        }
        true
    }

    async fn say_again(&mut self) {
        if Instant::now() < self.refresh {
            return;
        }
        self.refresh = Instant::now() + limits::REFRESH_EVERY.as_std();
        let carrier = self.carrier.clone();
        let Some(saying) = carrier.refresh(self.report.now()) else { return };
        tokio::select! {
            biased;
            () = self.stop.over() => {}
            tried = saying => {
                if !tried.why.is_empty() {
                    self.report.failed(&self.name, &tried.why);
                }
            }
        }
    }

    /// Whether there is time for more.
    async fn deliver(&mut self, waiting: &Waiting) -> bool {
        let (letter, key) = (&waiting.letter, &*waiting.letter.key);
        match self.courier.next(waiting.since, waiting.tries, self.inbox.now()) {
            Next::Expire => {
                self.inbox.queue().done(key);
                self.report.expired(&self.name, letter);
                return true;
            }
            Next::Wait(until) => {
                self.inbox.queue().hold(key, until);
                return true;
            }
            Next::Try => {}
        }
        let began = Instant::now();
        let handle = letter.incident.and_then(|i| self.handles.get_mut(i.0)).cloned();
        let carrier = self.carrier.clone();
        let tried = tokio::select! {
            biased;
            () = self.stop.over() => return false,
            tried = carrier.carry(letter, handle.as_deref(), self.report.now()) => tried,
        };
        self.end(waiting, tried, began.elapsed());
        true
    }

    fn end(&mut self, waiting: &Waiting, tried: Tried, took: Duration) {
        let (letter, key, name) = (&waiting.letter, &*waiting.letter.key, &*self.name);
        if let (Some(incident), Some(handle)) = (letter.incident, tried.handle) {
            if self.handles.peek(incident.0) != Some(&handle) {
                self.report.handle(name, incident, &handle);
            }
            self.handles.insert(incident.0, handle);
        }
        let (before, now) = (self.courier.standing(), self.inbox.now());
        let fate = self.courier.on(tried.answer, now, self.report.jitter());
        if fate != Fate::Again {
            self.inbox.queue().release();
        }
        match fate {
            Fate::Again => {
                self.inbox.queue().again(key, &self.pace, now, self.report.jitter());
                self.report.failed(name, &tried.why);
            }
            Fate::Accepted => {
                self.inbox.queue().done(key);
                self.report.delivered(name, letter, waiting.tries + 1, took);
            }
            Fate::Refused => {
                self.inbox.queue().done(key);
                self.report.refused(name, letter, &tried.why);
            }
        }
        self.log(before, &tried.why);
    }

    fn log(&self, before: Standing, why: &str) {
        let (receiver, place) = (&*self.name, self.carrier.place());
        match self.courier.standing() {
            after if before == after => {}
            Standing::Fine => tracing::info!(receiver, place, "receiver takes messages again"),
            Standing::Failing => tracing::warn!(receiver, place, why, "receiver cannot be reached, trying again"),
            Standing::Refusing => {
                tracing::error!(receiver, place, why, "receiver refused a message, which is not tried again");
            }
        }
    }
}

/// The end of a run: a while after it was cancelled.
struct Stop {
    cancel: CancellationToken,
    grace: Duration,
    end: Option<Instant>,
}

impl Stop {
    fn is_begun(&self) -> bool {
        self.cancel.is_cancelled()
    }

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
}
