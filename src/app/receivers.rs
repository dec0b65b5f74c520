//! Where messages go: routes, standard output, webhooks; exchanged when the config changes.

use std::collections::BTreeMap;
use std::io::{self, BufWriter};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::config::{Config, ReceiverConfig, WebhookConfig};
use crate::app::reload::Follow;
use crate::app::status::Status;
use crate::base::metric;
use crate::base::model::Message;
use crate::base::time::{Span, Time, Zone};
use crate::notify::{Form, Inbox, Letter, Pace, Report, Routes, Stdout, Style, Surroundings, Webhook};

/// What receivers tell of their work goes to status and metrics.
struct Reports(Arc<Status>);

impl Reports {
    fn count(&self, receiver: &str, result: &str) {
        self.0.metrics.add(&metric::NOTICES, &[receiver, result], 1.0);
    }

    fn trouble(&self, receiver: &str, why: &str) {
        self.0.set_receiver(receiver, |r| r.trouble = Some(why.to_string()));
    }
}

impl Report for Reports {
    fn delivered(&self, receiver: &str, _took: Duration) {
        self.count(receiver, "delivered");
        let now = self.0.clock().now();
        self.0.set_receiver(receiver, |r| (r.proved, r.trouble) = (Some(now), None));
    }

    fn failed(&self, receiver: &str, why: &str) {
        self.count(receiver, "retried");
        self.trouble(receiver, why);
    }

    fn refused(&self, receiver: &str, why: &str) {
        self.count(receiver, "refused");
        self.trouble(receiver, why);
    }

    fn dropped(&self, receiver: &str) {
        self.count(receiver, "dropped");
    }

    fn expired(&self, receiver: &str) {
        self.count(receiver, "expired");
    }

    fn now(&self) -> Time {
        self.0.clock().now()
    }

    fn jitter(&self) -> f64 {
        // the last digits of the uptime spread tries well enough
        (self.0.uptime().0 % 1000) as f64 / 1000.0
    }
}

struct Hook {
    config: WebhookConfig,
    cancel: CancellationToken,
    inbox: Arc<Inbox<Letter>>,
}

/// Has a lock of its own: who waits for a reader must not keep others from the table.
type Out = Arc<Mutex<Stdout<BufWriter<io::Stdout>>>>;

#[derive(Default)]
struct Table {
    routes: Routes,
    outs: Vec<(Arc<str>, Out)>,
    hooks: BTreeMap<Arc<str>, Hook>,
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
    runtime: Handle,
}

impl Receivers {
    /// Those of a config; what waits when it is over is delivered for at most `grace`. Must be called
    /// within a runtime.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(status: Arc<Status>, style: Style, grace: Span) -> Result<Receivers, String> {
        let (table, left) = (Arc::default(), Arc::default());
        let (tasks, runtime) = (TaskTracker::new(), Handle::current());
        let receivers = Receivers { table, status, tasks, style, grace, left, runtime };
        receivers.set(&receivers.status.config())?;
        Ok(receivers)
    }

    /// Tells a message to whom it concerns. Standard output is waited for, webhooks are not.
    ///
    /// # Errors
    /// Where standard output takes no more.
    pub fn tell(&self, message: Option<&Message>) -> io::Result<()> {
        let table = self.locked();
        let Some(message) = message else {
            let outs = table.outs.clone();
            drop(table);
            return outs.iter().try_for_each(|(_, out)| alone(out).flush());
        };
        if is_shadow(message) {
            tracing::debug!(alert = message.alert(), "a rule in shadow has changed; nobody is told");
            return Ok(());
        }
        let names = table.routes.receivers(message);
        let mut letter: Option<Letter> = None;
        for (name, hook) in table.hooks.iter().filter(|(name, _)| names.contains(name)) {
            let letter = letter.get_or_insert_with(|| Letter::new(message));
            if hook.inbox.push(letter.clone()).is_some() {
                Reports(self.status.clone()).dropped(name);
            }
        }
        let outs: Vec<_> = table.outs.iter().filter(|(name, _)| names.contains(name)).cloned().collect();
        drop(table);
        for (name, out) in outs {
            let mut out = alone(&out);
            out.tell(message)?;
            out.flush()?;
            Reports(self.status.clone()).delivered(&name, Duration::ZERO);
        }
        Ok(())
    }

    /// Delivers what waits, and gives how many messages were not delivered in time, by receivers that
    /// were taken out of the config included.
    pub async fn stop(&self) -> usize {
        let hooks = std::mem::take(&mut self.locked().hooks);
        hooks.values().for_each(|h| h.cancel.cancel());
        self.tasks.close();
        // each of them ends by itself once its time is over
        self.tasks.wait().await;
        self.left.load(Ordering::Acquire)
    }

    fn set(&self, config: &Config) -> Result<(), String> {
        let mut table = Table { routes: routes(config), ..Table::default() };
        let mut fresh = Vec::new();
        for receiver in &config.receivers {
            match receiver {
                ReceiverConfig::Stdout { name, json } => {
                    let form = if *json { Form::Json } else { Form::Text(self.style) };
                    let out = Stdout::new(BufWriter::new(io::stdout()), form, surroundings(config));
                    table.outs.push((name.clone(), Arc::new(Mutex::new(out))));
                }
                ReceiverConfig::Webhook(hook) => {
                    fresh.push((hook, Webhook::new(hook, Pace::default()).map_err(|e| e.join("; "))?));
                }
            }
        }
        let mut locked = self.locked();
        let mut before = std::mem::take(&mut locked.hooks);
        for (config, webhook) in fresh {
            let same = before.get(&config.name).is_some_and(|h| h.config == *config);
            let hook = before.remove(&config.name).filter(|_| same);
            table.hooks.insert(config.name.clone(), hook.unwrap_or_else(|| self.start(config, webhook)));
        }
        // those that are gone deliver what they have, and end
        before.values().for_each(|h| h.cancel.cancel());
        before.keys().for_each(|name| self.status.forget_receiver(name));
        *locked = table;
        Ok(())
    }

    fn start(&self, config: &WebhookConfig, webhook: Webhook) -> Hook {
        let (inbox, cancel) = (Arc::new(Inbox::default()), CancellationToken::new());
        let report = Arc::new(Reports(self.status.clone()));
        self.status.add_inbox(&config.name, inbox.clone());
        let delivering = webhook.run(inbox.clone(), report, cancel.clone(), self.grace);
        let (name, lost) = (config.name.clone(), self.left.clone());
        let work = async move {
            let left = delivering.await;
            lost.fetch_add(left, Ordering::AcqRel);
            if left > 0 {
                tracing::error!(receiver = &*name, left, "not delivered; they are lost");
            }
        };
        self.tasks.spawn_on(work, &self.runtime);
        Hook { config: config.clone(), inbox, cancel }
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

/// Waits for who has it.
fn alone<T>(out: &Mutex<T>) -> MutexGuard<'_, T> {
    out.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_shadow(message: &Message) -> bool {
    match message {
        Message::Episode(n) => n.rules.rules.get(n.transition.rule as usize).is_some_and(|r| r.shadow),
        Message::Source(_) => false,
    }
}

fn routes(config: &Config) -> Routes {
    let all = config.receivers.iter().map(|r| r.name().clone()).collect();
    Routes { routes: config.routes.clone(), all }
}

/// What messages say of the service.
pub fn surroundings(config: &Config) -> Surroundings {
    Surroundings {
        watching: config.sources.iter().map(|s| s.info.name.to_string()).collect(),
        blind_spots: config.blind_spots.clone(),
        zone: config.timezone.as_deref().and_then(Zone::parse),
        external_url: config.external_url.clone(),
    }
}
