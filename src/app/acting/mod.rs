//! How people act on incidents: what they order goes to the keeper, and what they see of the desk comes from it.

pub(super) mod asked;
pub(super) mod pagerduty;
mod shown;

use std::collections::BTreeMap;
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::app::alone;
use crate::app::gauged::GaugedSender;
use crate::app::keeper::{Changed, Keep, Outbox};
use crate::app::receivers::surroundings;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::Severity;
use crate::base::time::Time;
use crate::notify::{Desk, Order, Silence, Task};
use crate::serve::NotDone;

pub use shown::IncidentShown;

/// What people see of the desk.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Incidents, the newest first.
    pub incidents: Vec<Arc<IncidentShown>>,
    /// Silences that hold, or will, by number.
    pub silences: Vec<Silence>,
}

/// Where orders go, and what is shown.
#[derive(Default)]
pub(super) struct Acting {
    /// Whoever holds the sender keeps the keeper alive: that is the service.
    orders: Mutex<Weak<GaugedSender<Keep>>>,
    /// Nothing before the keeper runs.
    shown: Mutex<Option<Arc<Shown>>>,
    /// What PagerDuty said already.
    heard: Mutex<pagerduty::Heard>,
}

impl Status {
    /// Orders go here from now on, as long as what it gives is held.
    pub fn take_orders(&self, to: GaugedSender<Keep>) -> Arc<GaugedSender<Keep>> {
        let to = Arc::new(to);
        *alone(&self.acting.orders) = Arc::downgrade(&to);
        to
    }

    /// Has something done about incidents or receivers; says what was done once that is kept.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn order(&self, order: Order) -> Result<String, NotDone> {
        let kind = match &order.task {
            Task::Acknowledge(..) => "acknowledge",
            Task::Claim(_) => "claim",
            Task::Close(..) => "close",
            Task::Silence { .. } => "silence",
            Task::Unsilence(_) => "unsilence",
            Task::Try(_) => "test",
        };
        let closed = match &order.task {
            Task::Close(name, verdict, _) => Some((self.rule_of(name), *verdict)),
            _ => None,
        };
        let (to, said) = oneshot::channel();
        let done = self.hand_over(kind, Keep::Order(order, to), said).await;
        if let Some((alert, verdict)) = closed.filter(|_| done.is_ok()) {
            self.metrics.add(&metric::VERDICTS, &[&alert, verdict.name()], 1.0);
        }
        done
    }

    /// The rule that counts for the incident of a name.
    fn rule_of(&self, name: &str) -> String {
        let shown = self.shown();
        let found = shown.as_ref().and_then(|s| s.named(name));
        found.map_or(String::new(), |i| i.rule.clone())
    }

    /// Has something done about a letter of the outbox; says what was done once that is kept.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn outbox(&self, what: Outbox) -> Result<String, NotDone> {
        let kind = if matches!(what, Outbox::Retry(_)) { "retry" } else { "drop" };
        let (to, said) = oneshot::channel();
        self.hand_over(kind, Keep::Outbox(what, to), said).await
    }

    async fn hand_over(
        &self,
        kind: &str,
        what: Keep,
        said: oneshot::Receiver<Result<String, String>>,
    ) -> Result<String, NotDone> {
        let done = match self.give(what).await {
            Ok(()) => match timeout(limits::ORDER_TIMEOUT.as_std(), said).await {
                Ok(Ok(said)) => said.map_err(NotDone::Refused),
                Ok(Err(_)) => Err(NotDone::Later("the service stopped before it was done".to_string())),
                Err(_) => {
                    let why = format!("not done within {}; it may be done still", limits::ORDER_TIMEOUT);
                    Err(NotDone::Later(why))
                }
            },
            Err(why) => Err(why),
        };
        let result = match &done {
            Ok(_) => "done",
            Err(NotDone::Later(_)) => "later",
            Err(_) => "refused",
        };
        self.metrics.add(&metric::ORDERS, &[kind, result], 1.0);
        done
    }

    /// Puts something into the keeper's queue as soon as there is room; blocks no thread.
    async fn give(&self, mut what: Keep) -> Result<(), NotDone> {
        let deadline = Instant::now() + limits::ORDER_TIMEOUT.as_std();
        loop {
            // let go of before waiting: while it is held the keeper does not end
            let Some(to) = alone(&self.acting.orders).upgrade() else { return Err(self.not_now()) };
            what = match to.try_send(what) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(back)) if Instant::now() < deadline => back,
                Err(TrySendError::Full(_)) => {
                    let why = format!("the store is slow: no room for an order within {}", limits::ORDER_TIMEOUT);
                    return Err(NotDone::Later(why));
                }
                Err(TrySendError::Disconnected(_)) => return Err(self.not_now()),
            };
            drop(to);
            sleep(limits::ORDER_AGAIN.as_std()).await;
        }
    }

    /// Why nobody takes orders or knows incidents.
    pub(super) fn not_now(&self) -> NotDone {
        let doing = if self.is_stopping() { "stopping" } else { "starting" };
        NotDone::Later(format!("the service is {doing}"))
    }

    /// What people see of the desk; `None` while the service starts.
    pub fn shown(&self) -> Option<Arc<Shown>> {
        alone(&self.acting.shown).clone()
    }

    /// Shows the desk to people: all of it, or what changed.
    pub fn show_desk(&self, desk: &Desk, changed: Option<&Changed>) {
        let before = self.shown().unwrap_or_default();
        let around = surroundings(&self.config());
        let now = self.clock().now();
        let mut incidents: Vec<Arc<IncidentShown>> = match changed {
            Some(c) => {
                let same = before.incidents.iter().filter(|i| !c.incidents.contains(&i.id) && desk.knows(i.id));
                let fresh = c.incidents.iter().filter_map(|id| IncidentShown::of(desk, *id, &around, now));
                same.cloned().chain(fresh.map(Arc::new)).collect()
            }
            None => {
                let all = desk.incidents().filter_map(|i| IncidentShown::of(desk, i.id, &around, now));
                all.map(Arc::new).collect()
            }
        };
        incidents.sort_by_key(|i| (std::cmp::Reverse(i.opened), i.id));
        let same = changed.is_some_and(|c| !c.silences);
        let silences = if same { before.silences.clone() } else { desk.silences().cloned().collect() };
        for severity in Severity::ALL {
            let open = incidents.iter().filter(|i| i.ended.is_none() && i.severity == severity).count();
            self.metrics.set(&metric::INCIDENTS_OPEN, &[severity.name()], open as f64);
        }
        self.metrics.set(&metric::SILENCES, &[], silences.len() as f64);
        if let Some(changed) = changed {
            let fresh = incidents.iter().filter(|i| changed.incidents.contains(&i.id));
            fresh.for_each(|i| self.note_change(before.incidents.iter().find(|b| b.id == i.id), i));
        }
        self.show_open(&before, &incidents);
        *alone(&self.acting.shown) = Some(Arc::new(Shown { incidents, silences }));
    }
}

impl Status {
    /// Notes that an incident became a page, and how long it took until somebody did anything about it.
    fn note_change(&self, was: Option<&Arc<IncidentShown>>, now: &IncidentShown) {
        if now.severity == Severity::Page && was.is_none_or(|b| b.severity != Severity::Page) {
            self.metrics.add(&metric::PAGES, &[&now.rule], 1.0);
        }
        if let Some(at) = now.taken().filter(|_| was.is_none_or(|b| b.taken().is_none())) {
            self.metrics.observe(&metric::ACKNOWLEDGED, &[&now.rule], (at - now.opened).as_std());
        }
    }

    /// Since when the oldest incident of each brand goes on.
    fn show_open(&self, before: &Shown, now: &[Arc<IncidentShown>]) {
        let since = |all: &[Arc<IncidentShown>]| {
            let mut since: BTreeMap<(String, Severity), Time> = BTreeMap::new();
            for i in all.iter().filter(|i| i.ended.is_none()) {
                let oldest = since.entry((i.brand.clone(), i.severity)).or_insert(i.opened);
                *oldest = i.opened.min(*oldest);
            }
            since
        };
        let now = since(now);
        for (brand, severity) in since(&before.incidents).keys().filter(|k| !now.contains_key(*k)) {
            self.metrics.forget(&metric::INCIDENT_OPEN, &[brand, severity.name()]);
        }
        for ((brand, severity), at) in &now {
            self.metrics.set(&metric::INCIDENT_OPEN, &[brand, severity.name()], at.as_seconds());
        }
    }
}

impl Shown {
    /// The incident people mean: of those whose name begins so one that goes on, of these the newest.
    pub fn named(&self, name: &str) -> Option<&Arc<IncidentShown>> {
        let found = self.incidents.iter().filter(|i| i.id.is_named(name));
        found.max_by_key(|i| (i.ended.is_none(), i.opened, i.id))
    }
}

#[cfg(test)]
mod tests;
