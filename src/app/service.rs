//! The live service: sources -> engine thread -> keeper thread (the store) -> receivers, with HTTP
//! and housekeeping beside them.
//!
//! Stops in this order, each within [`limits::SHUTDOWN`]: sources (and what is pushed), then the
//! engine, which takes what was read, then the thread that hands messages out, then webhooks, which
//! deliver what waits, then the store, then HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::clock::{Clock, RecordedClock};
use crate::app::config::{Config, SourceKind};
use crate::app::engine::Input;
use crate::app::engine_thread::{EngineThread, Tap};
use crate::app::gauged::{GaugedReceiver, GaugedSender, gauged};
use crate::app::heartbeat;
use crate::app::intake::{Fed, Lane, intake};
use crate::app::keeper::housekeeping::Housekeeping;
use crate::app::keeper::thread::{Entries, KeeperThread};
use crate::app::keeper::{Delivery, Ended, Keep, Keeper, NoLetters, Tell};
use crate::app::lookups::Lookups;
use crate::app::sources::Sources;
use crate::app::start;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{Message, SourceState};
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use crate::collect::audience::{Asking, Manners};
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
    /// How politely audiences are looked up.
    pub lookups: Manners,
    /// How long connections are waited for.
    pub patience: Patience,
    /// Is shown every entry.
    pub tap: Option<Tap>,
    /// Whether metrics, health and the API are served.
    pub http: bool,
    /// Writes the letters of messages.
    pub tell: Box<dyn Tell>,
    /// Letters that have come to their end.
    pub ended: Ended,
}

impl Parts {
    /// With a Tick a second and the usual patience. Where a recording is played, time is that of the
    /// recording, and not the Clock's.
    ///
    /// # Errors
    /// Only if the table of metrics is wrong.
    pub fn new(config: Config, rules: Arc<RuleSet>, clock: Arc<dyn Clock>) -> io::Result<Parts> {
        let clock = if config.plays() { Arc::new(RecordedClock::default()) } else { clock };
        let status = Arc::new(Status::new(clock, Arc::new(config)).map_err(io::Error::other)?);
        let (tick, lookups) = (Duration::from_secs(1), Manners::default());
        let (patience, tell, ended) = (Patience::default(), Box::new(NoLetters), Ended::default());
        Ok(Parts { status, rules, tick, lookups, patience, tap: None, http: true, tell, ended })
    }
}

/// Gives the messages of deliveries.
pub fn messages(
    mut receive: impl FnMut(Option<Message>) -> io::Result<()> + Send + 'static,
) -> impl FnMut(Option<Delivery>) -> io::Result<()> + Send + 'static {
    move |delivery| match delivery {
        Some(d) => d.message.map_or(Ok(()), |m| receive(Some(m))),
        None => receive(None),
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
    keeper: Option<JoinHandle<()>>,
    housekeeping: Option<(JoinHandle<()>, Arc<AtomicBool>)>,
    ended: Ended,
    /// Lets people order something; without it nothing keeps the keeper.
    orders: Option<Arc<GaugedSender<Keep>>>,
}

impl Service {
    /// Starts everything, from where its store has got to. `receive` gets what may be told, on a
    /// thread of its own, and a last call with `None`.
    ///
    /// # Errors
    /// Where the address cannot be listened at, a thread cannot be started, or the store is another
    /// service's, of a newer version or no store at all.
    pub async fn start(
        parts: Parts,
        receive: impl FnMut(Option<Delivery>) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Service> {
        // a second call finds it installed already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Parts { status, rules, tick, lookups, patience, tap, http: serves, tell, ended } = parts;
        let config = status.config();
        let mode = if config.plays() { ClockMode::Recording } else { ClockMode::Live };
        let server = if serves { Some(bound(config.listen).await?) } else { None };
        let address = server.as_ref().map_or(config.listen, |s| s.address);
        let (cancel, http_cancel) = (CancellationToken::new(), CancellationToken::new());
        let (tasks, http) = (TaskTracker::new(), TaskTracker::new());
        server.into_iter().for_each(|s| answer(&http, s, status.clone(), http_cancel.clone()));
        let start::Begun { engine, keeper, waiting, positions, catch_up, store, audiences } =
            begin(&status, &rules, mode, tell, &ended).await?;
        let (queue, urgent) = intake();
        let urgent = Arc::new(urgent);
        let (to_keeper, kept) = gauged::<Keep>(limits::KEEP_QUEUE, status.queues.keeper.clone());
        let (to_lookup, seen) = mpsc::channel(limits::LOOKUP_QUEUE);
        let mut thread = EngineThread::new(engine, status.clone(), to_keeper.clone(), to_lookup, tap);
        if let Some(catch_up) = catch_up {
            queue.hold();
            thread = thread.catching_up(catch_up);
        }
        let (keeper, receiver) = keep(keeper, &status, &ended, kept, waiting, receive)?;
        let inputs = queue.clone();
        let engine = spawn_thread("engine", move || thread.run(&inputs, rules))?;
        let house = |config| Housekeeping::new(config, mode, to_keeper.clone(), status.clone()).start();
        let housekeeping = store.map(house).transpose()?;
        if mode == ClockMode::Live {
            // no frame is taken before the engine knows the time
            let now = status.clock().now();
            if now > Time(0) {
                urgent.send(Fed::now(Input::Tick(now))).await;
            }
            tasks.spawn(ticks(status.clone(), tick, urgent.clone(), cancel.clone()));
        }
        if !positions.is_empty() {
            lose_others(&config, &urgent).await;
        }
        let orders = Some(status.take_orders(to_keeper.clone()));
        let lookups = Lookups { seen, asking: Asking::new(lookups).remembering(audiences), keeper: to_keeper.clone() };
        lookups.start(&tasks, &status, urgent.clone(), &cancel);
        tasks.spawn(watch_health(status.clone(), urgent.clone(), to_keeper, patience.unheard, cancel.clone()));
        tasks.spawn(heartbeat::run(status.clone(), cancel.clone()));
        let mut sources = Sources::new(queue, urgent.clone(), status.clone(), patience);
        sources.start_from(positions);
        sources.set(&config.sources).await.map_err(io::Error::other)?;
        tasks.close();
        http.close();
        let sources = Arc::new(Mutex::new(Some(sources)));
        let (engine, receiver, keeper, urgent) = (Some(engine), Some(receiver), Some(keeper), Some(urgent));
        Ok(Service {
            address,
            status,
            urgent,
            sources,
            cancel,
            http_cancel,
            tasks,
            http,
            engine,
            receiver,
            keeper,
            housekeeping,
            ended,
            orders,
        })
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
    pub async fn stop(self) -> io::Result<()> {
        self.stop_with(std::future::ready(())).await
    }

    /// The same; `deliver` is waited for before the store is closed.
    ///
    /// # Errors
    /// Where the receiver could not write.
    pub async fn stop_with(mut self, deliver: impl Future<Output = ()>) -> io::Result<()> {
        let deadline = limits::SHUTDOWN.as_std();
        self.cancel.cancel();
        if let Some(sources) = self.sources.lock().await.take() {
            sources.stop(deadline).await;
        }
        let _ = tokio::time::timeout(deadline, self.tasks.wait()).await;
        tracing::debug!("sources have stopped");
        (self.urgent, self.orders) = (None, None);
        let (engine, receiver) = (self.engine.take(), self.receiver.take());
        let (keeper, housekeeping) = (self.keeper.take(), self.housekeeping.take());
        let joined = tokio::task::spawn_blocking(move || {
            if let Some(engine) = engine {
                let _ = engine.join();
            }
            tracing::debug!("the engine has stopped");
            if let Some((house, stop)) = housekeeping {
                stop.store(true, Ordering::Release);
                let _ = house.join();
            }
            receiver.map_or(Ok(()), |r| r.join().unwrap_or_else(|_| Err(io::Error::other("the receiver failed"))))
        });
        let result = match tokio::time::timeout(deadline, joined).await {
            Ok(Ok(result)) => result,
            _ => Err(io::Error::other(format!("not stopped within {}", limits::SHUTDOWN))),
        };
        deliver.await;
        tracing::debug!("receivers have stopped");
        self.ended.close();
        if let Some(keeper) = keeper {
            let joined = tokio::task::spawn_blocking(move || keeper.join());
            let _ = tokio::time::timeout(deadline, joined).await;
        }
        tracing::debug!("the store is closed");
        self.http_cancel.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.http.wait()).await;
        result
    }
}

async fn bound(listen: SocketAddr) -> io::Result<serve::Server> {
    let failed = |e: io::Error| io::Error::new(e.kind(), format!("expected to serve at {listen}, found {e}"));
    serve::bind(listen).await.map_err(failed)
}

/// Answers HTTP until cancelled.
fn answer(http: &TaskTracker, server: serve::Server, status: Arc<Status>, until: CancellationToken) {
    http.spawn(async move {
        if let Err(e) = server.run(status, until).await {
            tracing::error!(error = %e, "metrics and health are no longer served");
        }
    });
}

/// Goes on from the store; HTTP is answered meanwhile.
async fn begin(
    status: &Arc<Status>,
    rules: &Arc<RuleSet>,
    mode: ClockMode,
    tell: Box<dyn Tell>,
    ended: &Ended,
) -> io::Result<start::Begun> {
    status.set_catching_up(true);
    let (of, rules, ended) = (status.clone(), rules.clone(), ended.clone());
    let begun = tokio::task::spawn_blocking(move || start::begin(&of, &rules, mode, tell, ended));
    let begun = begun.await.map_err(io::Error::other)??;
    status.set_catching_up(begun.catch_up.is_some());
    status.metrics.set(&metric::STORE_OK, &[], if begun.keeper.trouble().is_none() { 1.0 } else { 0.0 });
    Ok(begun)
}

fn spawn_thread<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new().name(name.into()).spawn(work)
}

type Receiving = JoinHandle<io::Result<()>>;

/// The threads that keep what is decided, and hand out what may be told.
fn keep(
    keeper: Keeper,
    status: &Arc<Status>,
    ended: &Ended,
    items: GaugedReceiver<Keep>,
    waiting: Vec<Delivery>,
    receive: impl FnMut(Option<Delivery>) -> io::Result<()> + Send + 'static,
) -> io::Result<(JoinHandle<()>, Receiving)> {
    let (out, deliveries) = gauged::<Delivery>(limits::NOTICE_QUEUE, status.queues.receivers.clone());
    let receiver = spawn_thread("receiver", move || hand_out(waiting, deliveries, receive))?;
    let (status, ended, keep) = (status.clone(), ended.clone(), status.config().store.clone());
    let thread = KeeperThread { keeper, status, out, ended, keep, entries: Entries::default() };
    Ok((spawn_thread("keeper", move || thread.run(&items))?, receiver))
}

fn hand_out(
    waiting: Vec<Delivery>,
    deliveries: GaugedReceiver<Delivery>,
    mut receive: impl FnMut(Option<Delivery>) -> io::Result<()>,
) -> io::Result<()> {
    for delivery in waiting.into_iter().chain(deliveries.iter()) {
        receive(Some(delivery))?;
    }
    receive(None)
}

/// Sources that do not tell again what was missed were not heard since the service ended.
async fn lose_others(config: &Config, urgent: &Lane) {
    for source in config.sources.iter().filter(|s| matches!(s.kind, SourceKind::WebSocket(_))) {
        urgent.send(Fed::now(Input::Source(source.info.name.clone(), SourceState::Down))).await;
    }
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
    keeper: GaugedSender<Keep>,
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
            let input = Input::Source(notice.source.clone(), state);
            // a recording that cannot be read on stands still, and its time with it: nothing is missed
            if !status.config().plays() && !urgent.send(Fed::now(input)).await {
                return;
            }
            if keeper.try_send(Keep::Message(Message::Source(notice))).is_err() {
                status.metrics.add(&metric::LIMIT_HITS, &["notice_queue"], 1.0);
            }
        }
    }
}
