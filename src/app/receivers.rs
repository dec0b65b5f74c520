//! Where messages go: standard output, and receivers that are delivered to beside each other; exchanged when
//! the config changes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::alone;
use crate::app::config::{Config, ReceiverConfig};
use crate::app::keeper::{Delivery, Ended, Tell};
use crate::app::reload::Follow;
use crate::app::status::Status;
use crate::app::writes::{Moment, Writes, carrier};
use crate::base::limits;
use crate::base::metric::{self, Stage};
use crate::base::model::IncidentId;
use crate::base::time::{Span, Time, Zone};
use crate::notify::{
    Carrier, Deliverer, Inbox, Left, Letter, Pace, Policy, Report, Routes, Sending, Style, Surroundings,
};
use crate::store::db::LedgerRow;

/// What receivers tell of their work goes to status and metrics; messages that have come to their
/// end are kept.
struct Reports {
    status: Arc<Status>,
    ended: Ended,
    handles: Arc<Mutex<Handles>>,
}

impl Reports {
    fn count(&self, receiver: &str, result: &str) {
        self.status.metrics.add(&metric::NOTICES, &[receiver, result], 1.0);
        if result != "retried" {
            self.status.metrics.leave(Stage::Deliver, result, 1);
        }
    }

    /// A message is on its way to a receiver.
    fn begun(&self, receiver: &str) {
        self.status.metrics.add(&metric::LETTERS, &[receiver], 1.0);
        self.status.metrics.enter(Stage::Deliver, 1).stay();
    }

    fn trouble(&self, receiver: &str, why: &str) {
        self.status.set_receiver(receiver, |r| r.trouble = Some(why.to_string()));
    }

    fn done(&self, receiver: &str, letter: &Letter, what: &'static str, detail: Option<String>) {
        let (at, episode, key) = (self.status.clock().now(), letter.episode, letter.key.clone());
        let incident = letter.incident;
        let (what, receiver) = (what.into(), Some(receiver.into()));
        self.ended.add(LedgerRow { at, episode, incident, key, what, receiver, detail });
    }
}

impl Report for Reports {
    fn delivered(&self, receiver: &str, letter: &Letter, tries: u32, took: Duration) {
        self.count(receiver, "delivered");
        self.status.metrics.stage(Stage::Deliver, took);
        self.done(receiver, letter, "delivered", (tries > 1).then(|| format!("after {tries} tries")));
        let now = self.status.clock().now();
        self.status.set_receiver(receiver, |r| (r.proved, r.trouble) = (Some(now), None));
    }

    fn failed(&self, receiver: &str, why: &str) {
        self.count(receiver, "retried");
        self.trouble(receiver, why);
    }

    fn refused(&self, receiver: &str, letter: &Letter, why: &str) {
        self.count(receiver, "refused");
        self.done(receiver, letter, "refused", Some(why.to_string()));
        self.trouble(receiver, why);
    }

    fn dropped(&self, receiver: &str, letter: &Letter) {
        self.count(receiver, "dropped");
        let why = format!("more than {} waited", limits::RECEIVER_QUEUE);
        self.done(receiver, letter, "dropped", Some(why));
    }

    fn expired(&self, receiver: &str, letter: &Letter) {
        self.count(receiver, "expired");
        self.done(receiver, letter, "expired", Some(format!("tried for {}", limits::DELIVERY_KEPT)));
    }

    fn superseded(&self, receiver: &str, letter: &Letter) {
        self.count(receiver, "superseded");
        let why = "a later message about its incident says more".to_string();
        self.done(receiver, letter, "superseded", Some(why));
    }

    fn handle(&self, receiver: &str, incident: IncidentId, handle: &str) {
        let mut all = alone(&self.handles);
        let known = all.entry(receiver.into()).or_default();
        known.insert(incident, handle.to_string());
        while known.len() > limits::HANDLES {
            known.pop_first();
        }
        drop(all);
        self.ended.know(receiver, incident, handle);
    }

    fn now(&self) -> Time {
        self.status.clock().now()
    }

    fn jitter(&self) -> f64 {
        // the last digits of the uptime spread tries well enough
        (self.status.uptime().0 % 1000) as f64 / 1000.0
    }
}

/// A receiver that is delivered to beside all others.
struct Post {
    config: ReceiverConfig,
    cancel: CancellationToken,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Table {
    policy: Arc<Policy>,
    /// What is written for each of them.
    writers: BTreeMap<Arc<str>, Writes>,
    posts: BTreeMap<Arc<str>, Post>,
}

/// All receivers.
#[derive(Clone)]
pub struct Receivers {
    table: Arc<Mutex<Table>>,
    status: Arc<Status>,
    tasks: TaskTracker,
    style: Style,
    /// How long waiting messages are delivered once it is over.
    grace: Span,
    /// Messages that were not delivered.
    left: Arc<AtomicUsize>,
    ended: Ended,
    /// By what receivers know incidents.
    handles: Arc<Mutex<Handles>>,
    runtime: Handle,
}

/// By what receivers know incidents.
pub type Handles = BTreeMap<Arc<str>, BTreeMap<IncidentId, String>>;

/// Writes letters by the config in force.
struct Writer(Receivers);

impl Tell for Writer {
    fn policy(&self) -> Arc<Policy> {
        self.0.locked().policy.clone()
    }

    fn render(&mut self, sending: &Sending, unrecorded: Option<&str>) -> Option<Vec<u8>> {
        let (now, acts) = (self.0.status.clock().now(), self.0.status.acts());
        let at = Moment { unrecorded, now, acts: acts.as_ref() };
        self.0.locked().writers.get(&sending.receiver)?.write(sending, &at)
    }
}

impl Receivers {
    /// Those of a config, with what they call incidents they were told of before; what waits when it is over is
    /// delivered for at most `grace`. Must be called within a runtime.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(status: Arc<Status>, style: Style, grace: Span, handles: Handles) -> Result<Receivers, String> {
        let (table, left, ended) = (Arc::default(), Arc::default(), Ended::default());
        let (tasks, runtime) = (TaskTracker::new(), Handle::current());
        let handles = Arc::new(Mutex::new(handles));
        let receivers = Receivers { table, status, tasks, style, grace, left, ended, handles, runtime };
        receivers.set(&receivers.status.config())?;
        Ok(receivers)
    }

    /// Writes letters to them.
    pub fn writer(&self) -> Box<dyn Tell> {
        Box::new(Writer(self.clone()))
    }

    /// Messages that have come to their end.
    pub fn ended(&self) -> Ended {
        self.ended.clone()
    }

    fn reports(&self) -> Reports {
        Reports { status: self.status.clone(), ended: self.ended.clone(), handles: self.handles.clone() }
    }

    /// Hands on what may be told. Standard output is waited for, other receivers are not.
    ///
    /// # Errors
    /// Where standard output takes no more.
    pub fn tell(&self, delivery: Option<Delivery>) -> io::Result<()> {
        let Some(delivery) = delivery else { return io::stdout().flush() };
        // nobody waits for a reader of standard output who need not
        let (out, posted): (Vec<_>, Vec<_>) = {
            let table = self.locked();
            delivery.letters.into_iter().partition(|(_, l)| !table.posts.contains_key(&l.receiver))
        };
        for (_, l) in posted.into_iter().chain(out) {
            let (incident, whole) = (l.incident, l.whole);
            let letter = Letter { key: l.key, body: l.body.into(), episode: l.episode, incident, whole };
            let table = self.locked();
            if let Some(post) = table.posts.get(&l.receiver) {
                self.put(&post.inbox, &l.receiver, letter, delivery.age, true);
                continue;
            }
            let is_out = table.writers.contains_key(&l.receiver);
            // who waits for a reader must not keep others from the table
            drop(table);
            if is_out {
                self.reports().begun(&l.receiver);
                self.status.set_writing(Some(l.receiver.clone()));
                let mut out = io::stdout().lock();
                out.write_all(&letter.body)?;
                out.flush()?;
                self.status.set_writing(None);
                self.reports().delivered(&l.receiver, &letter, 1, Duration::ZERO);
            } else {
                tracing::error!(
                    receiver = &*l.receiver,
                    key = &*letter.key,
                    "a message waits for a receiver that is not in the config"
                );
                let why = "the receiver is not in the config any more".to_string();
                self.reports().done(&l.receiver, &letter, "dropped", Some(why));
            }
        }
        Ok(())
    }

    /// Puts a letter into an inbox, a fresh one or one that waited elsewhere; what is not sent because of it is told.
    fn put(&self, inbox: &Inbox, receiver: &str, letter: Letter, age: Duration, fresh: bool) {
        let Some(left) = inbox.add(letter, age) else { return };
        let reports = self.reports();
        if fresh {
            reports.begun(receiver);
        }
        for left in left {
            match left {
                Left::Dropped(dropped) => reports.dropped(receiver, &dropped),
                Left::Superseded(older) => reports.superseded(receiver, &older),
            }
        }
    }

    /// Delivers what waits, and gives how many messages were not delivered in time, by receivers that
    /// were taken out of the config included.
    pub async fn stop(&self) -> usize {
        let posts = std::mem::take(&mut self.locked().posts);
        posts.values().for_each(|p| p.cancel.cancel());
        self.tasks.close();
        // each of them ends by itself once its time is over
        let _ = tokio::time::timeout(self.grace.as_std() + limits::SHUTDOWN.as_std(), self.tasks.wait()).await;
        self.left.load(Ordering::Acquire)
    }

    fn set(&self, config: &Config) -> Result<(), String> {
        let mut table = Table { policy: Arc::new(policy(config)), ..Table::default() };
        let mut fresh = Vec::new();
        for receiver in &config.receivers {
            let around = surroundings_of(config, receiver);
            table.writers.insert(receiver.name.clone(), Writes::new(&receiver.kind, around, self.style));
            if let Some(carrier) = carrier(&receiver.kind, Pace::default()) {
                fresh.push((receiver, carrier.map_err(|e| e.join("; "))?));
            }
        }
        table.writers.keys().for_each(|name| self.status.begin_receiver(name));
        let mut locked = self.locked();
        let mut before = std::mem::take(&mut locked.posts);
        for (config, carrier) in fresh {
            let old = before.remove(&config.name);
            let post = match old {
                Some(old) if old.config.kind == config.kind => old,
                old => {
                    let fresh = self.start(config, carrier);
                    if let Some(old) = old {
                        // what waits goes where the receiver is now
                        old.cancel.cancel();
                        for (letter, age) in old.inbox.drain() {
                            self.put(&fresh.inbox, &config.name, letter, age, false);
                        }
                    }
                    fresh
                }
            };
            table.posts.insert(config.name.clone(), post);
        }
        // those that are gone deliver what they have, and end
        before.values().for_each(|p| p.cancel.cancel());
        let gone = locked.writers.keys().filter(|name| !table.writers.contains_key(*name));
        gone.for_each(|name| self.status.forget_receiver(name));
        *locked = table;
        Ok(())
    }

    fn start(&self, config: &ReceiverConfig, carrier: Arc<dyn Carrier>) -> Post {
        let (inbox, cancel) = (Arc::new(Inbox::default()), CancellationToken::new());
        let report = Arc::new(self.reports());
        self.status.add_inbox(&config.name, inbox.clone());
        let handles = alone(&self.handles).get(&config.name).cloned().unwrap_or_default();
        let deliverer = Deliverer::new(config.name.clone(), carrier, Pace::default()).knowing(handles);
        let delivering = deliverer.run(inbox.clone(), report, cancel.clone(), self.grace);
        let (name, of) = (config.name.clone(), self.clone());
        let work = async move {
            let left = delivering.await;
            of.left.fetch_add(left, Ordering::AcqRel);
            of.status.metrics.leave(Stage::Deliver, "left", left as u64);
            // it has said something after it was taken out
            if !of.locked().writers.contains_key(&name) {
                of.status.forget_receiver(&name);
            }
            if left > 0 {
                tracing::warn!(receiver = &*name, left, "not delivered yet");
            }
        };
        self.tasks.spawn_on(work, &self.runtime);
        Post { config: config.clone(), inbox, cancel }
    }

    fn locked(&self) -> MutexGuard<'_, Table> {
        alone(&self.table)
    }
}

impl Follow for Receivers {
    async fn follow(&mut self, config: &Arc<Config>) -> Result<(), String> {
        self.set(config)
    }
}

/// Who is told what, as a config says.
pub fn policy(config: &Config) -> Policy {
    let all = config.receivers.iter().map(|r| r.name.clone()).collect();
    let receivers = config.receivers.iter().map(|r| (r.name.clone(), r.policy(config.timezone.as_deref())));
    Policy {
        routes: Routes { routes: config.routes.clone(), all },
        receivers: receivers.collect(),
        inhibit: config.inhibit.clone(),
    }
}

/// What messages say of the service.
pub fn surroundings(config: &Config) -> Surroundings {
    Surroundings {
        watching: config.sources.iter().map(|s| s.info.name.to_string()).collect(),
        blind_spots: config.blind_spots.clone(),
        zone: config.timezone.as_deref().and_then(Zone::parse),
        external_url: config.external_url.clone(),
        unrecorded: None,
    }
}

/// The same for a receiver, which may live elsewhere.
fn surroundings_of(config: &Config, receiver: &ReceiverConfig) -> Surroundings {
    let zone = receiver.timezone.as_deref().and_then(Zone::parse);
    let around = surroundings(config);
    Surroundings { zone: zone.or(around.zone), ..around }
}
