//! The live service: sources -> engine thread -> receivers, with HTTP beside them.
//!
//! Stops in this order, each within [`limits::SHUTDOWN`]: sources (and what is pushed), then the
//! engine, which takes what was read, then the thread that hands messages out, then HTTP; webhooks
//! deliver what waits after that ([`crate::app::receivers`]).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver as StdReceiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::clock::Clock;
use crate::app::config::{Config, SourceKind};
use crate::app::engine::{Engine, Input};
use crate::app::engine_thread::{EngineThread, Tap};
use crate::app::intake::{Fed, Lane, intake};
use crate::app::sources::Sources;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{Message, SourceState};
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use crate::collect::audience;
use crate::collect::connection::Patience;
use crate::enroll::ClockMode;
use crate::serve;

/// What a service is made of.
pub struct Parts {
    /// Its view of itself, with its config and Clock.
    pub status: Arc<Status>,
    /// Its rules.
    pub rules: Arc<RuleSet>,
    /// Real time between two Ticks.
    pub tick: Duration,
    /// Least time between two audience look-ups.
    pub lookup_pace: Span,
    /// How long connections are waited for.
    pub patience: Patience,
    /// Is shown every entry.
    pub tap: Option<Tap>,
    /// Whether metrics, health and the API are served.
    pub http: bool,
}

impl Parts {
    /// With a Tick a second and the usual patience.
    ///
    /// # Errors
    /// Only if the table of metrics is wrong.
    pub fn new(config: Config, rules: Arc<RuleSet>, clock: Arc<dyn Clock>) -> io::Result<Parts> {
        let status = Arc::new(Status::new(clock, Arc::new(config)).map_err(io::Error::other)?);
        let (tick, lookup_pace) = (Duration::from_secs(1), limits::LOOKUP_PACE);
        Ok(Parts { status, rules, tick, lookup_pace, patience: Patience::default(), tap: None, http: true })
    }
}

/// A running service.
pub struct Service {
    /// Where metrics and health are served, if they are.
    pub address: SocketAddr,
    status: Arc<Status>,
    urgent: Option<Arc<Lane>>,
    sources: Arc<Mutex<Option<Sources>>>,
    cancel: CancellationToken,
    http_cancel: CancellationToken,
    tasks: TaskTracker,
    http: TaskTracker,
    engine: Option<JoinHandle<()>>,
    receiver: Option<JoinHandle<io::Result<()>>>,
}

impl Service {
    /// Starts everything. `receive` gets each message, on a thread of its own, and a last call
    /// with `None`.
    ///
    /// # Errors
    /// Where the address cannot be listened at or a thread cannot be started.
    pub async fn start(
        parts: Parts,
        receive: impl FnMut(Option<Message>) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Service> {
        // a second call finds it installed already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Parts { status, rules, tick, lookup_pace, patience, tap, http: serves } = parts;
        let config = status.config();
        let server = if serves { Some(serve::bind(config.listen).await?) } else { None };
        let address = server.as_ref().map_or(config.listen, |s| s.address);
        let (cancel, http_cancel) = (CancellationToken::new(), CancellationToken::new());
        let (tasks, http) = (TaskTracker::new(), TaskTracker::new());
        let (queue, urgent) = intake();
        let urgent = Arc::new(urgent);
        let (to_receiver, notices): (SyncSender<Message>, StdReceiver<Message>) = sync_channel(limits::NOTICE_QUEUE);
        let (to_lookup, lookups) = mpsc::channel(limits::LOOKUP_QUEUE);
        let engine = Engine::new(rules, ClockMode::Live, 1).gradual();
        let thread = EngineThread::new(engine, status.clone(), to_receiver.clone(), to_lookup, tap);
        let inputs = queue.clone();
        let engine = std::thread::Builder::new().name("engine".into()).spawn(move || thread.run(&inputs))?;
        let receiver = std::thread::Builder::new().name("receiver".into()).spawn(move || hand_out(notices, receive))?;
        // no frame is taken before the engine knows the time
        let now = status.clock().now();
        if now > Time(0) {
            urgent.send(Fed::now(Input::Tick(now))).await;
        }
        tasks.spawn(ticks(status.clone(), tick, urgent.clone(), cancel.clone()));
        tasks.spawn(watch_health(status.clone(), urgent.clone(), to_receiver, patience.unheard, cancel.clone()));
        let audience = config.sources.iter().find_map(|s| match &s.kind {
            SourceKind::Jetstream(j) => j.audience.clone(),
            _ => None,
        });
        if let Some(base) = audience {
            spawn_lookups(&tasks, base, lookups, urgent.clone(), lookup_pace, &cancel);
        }
        let mut sources = Sources::new(queue, urgent.clone(), status.clone(), patience);
        sources.set(&config.sources).await.map_err(io::Error::other)?;
        if let Some(server) = server {
            let (answers, until) = (status.clone(), http_cancel.clone());
            http.spawn(async move {
                if let Err(e) = server.run(answers, until).await {
                    tracing::error!(error = %e, "metrics and health are no longer served");
                }
            });
        }
        tasks.close();
        http.close();
        let sources = Arc::new(Mutex::new(Some(sources)));
        let (engine, receiver) = (Some(engine), Some(receiver));
        let urgent = Some(urgent);
        Ok(Service { address, status, urgent, sources, cancel, http_cancel, tasks, http, engine, receiver })
    }

    /// The service's view of itself.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// The sources, for those that exchange them.
    pub fn sources(&self) -> Arc<Mutex<Option<Sources>>> {
        self.sources.clone()
    }

    /// The urgent lane to the engine, for those that change its rules; while anybody holds it the
    /// engine does not end.
    pub fn urgent(&self) -> Option<Arc<Lane>> {
        self.urgent.clone()
    }

    /// Whether the engine has ended, because nobody reads what it says.
    pub fn has_ended(&self) -> bool {
        self.engine.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Stops in order. Gives the receiver's error, if it failed.
    ///
    /// # Errors
    /// Where the receiver could not write.
    pub async fn stop(mut self) -> io::Result<()> {
        let deadline = limits::SHUTDOWN.as_std();
        self.cancel.cancel();
        if let Some(sources) = self.sources.lock().await.take() {
            sources.stop(deadline).await;
        }
        let _ = tokio::time::timeout(deadline, self.tasks.wait()).await;
        tracing::debug!("sources have stopped");
        self.urgent = None;
        let (engine, receiver) = (self.engine.take(), self.receiver.take());
        let joined = tokio::task::spawn_blocking(move || {
            if let Some(engine) = engine {
                let _ = engine.join();
            }
            tracing::debug!("the engine has stopped");
            receiver.map_or(Ok(()), |r| r.join().unwrap_or_else(|_| Err(io::Error::other("the receiver failed"))))
        });
        let result = match tokio::time::timeout(deadline, joined).await {
            Ok(Ok(result)) => result,
            _ => Err(io::Error::other(format!("not stopped within {}", limits::SHUTDOWN))),
        };
        tracing::debug!("receivers have stopped");
        self.http_cancel.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.http.wait()).await;
        result
    }
}

fn hand_out(
    notices: StdReceiver<Message>,
    mut receive: impl FnMut(Option<Message>) -> io::Result<()>,
) -> io::Result<()> {
    for notice in notices {
        receive(Some(notice))?;
    }
    receive(None)
}

async fn ticks(status: Arc<Status>, every: Duration, to: Arc<Lane>, cancel: CancellationToken) {
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = interval.tick() => {}
        }
        let now = status.clock().now();
        if now > Time(0) && !to.send(Fed::now(Input::Tick(now))).await {
            return;
        }
    }
}

/// Looks again and again, at least every second, whether every source is heard, and tells when that
/// changes.
async fn watch_health(
    status: Arc<Status>,
    urgent: Arc<Lane>,
    receivers: SyncSender<Message>,
    unheard: Span,
    cancel: CancellationToken,
) {
    let often = unheard.as_std() / 4;
    let often = often.clamp(Duration::from_millis(1), Duration::from_secs(1));
    let mut interval = tokio::time::interval(often);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = interval.tick() => {}
        }
        for notice in status.changes() {
            let name = &*notice.source;
            if notice.down {
                tracing::error!(source = name, why = notice.why, since = %notice.since, "source is not heard");
            } else {
                tracing::info!(source = name, since = %notice.since, "source is heard again");
            }
            // a connection that was lost has told the engine itself; one that never was has not
            let state = if notice.down { SourceState::Down } else { SourceState::Up };
            if !urgent.send(Fed::now(Input::Source(notice.source.clone(), state))).await {
                return;
            }
            if receivers.try_send(Message::Source(notice)).is_err() {
                status.metrics.add(&metric::LIMIT_HITS, &["notice_queue"], 1.0);
            }
        }
    }
}

fn spawn_lookups(
    tasks: &TaskTracker,
    base: String,
    accounts: mpsc::Receiver<String>,
    to: Arc<Lane>,
    pace: Span,
    cancel: &CancellationToken,
) {
    let (send, mut learned) = mpsc::channel::<Vec<audience::Learned>>(4);
    tasks.spawn(audience::run(base, accounts, send, pace, cancel.clone()));
    let network: Arc<str> = crate::decode::raw::NETWORK.into();
    tasks.spawn(async move {
        while let Some(batch) = learned.recv().await {
            for l in batch {
                let input =
                    Input::Audience { source: network.clone(), author: l.did, followers: l.followers, name: l.handle };
                if !to.send(Fed::now(input)).await {
                    return;
                }
            }
        }
    });
}
