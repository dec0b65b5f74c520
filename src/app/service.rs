//! The live service: sources -> engine thread -> receivers, with HTTP beside them.
//!
//! Stops in this order: sources, then the engine (which takes what was read), then receivers
//! (which write what was decided), then HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver as StdReceiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::clock::Clock;
use crate::app::config::Config;
use crate::app::engine::{Engine, Input};
use crate::app::engine_thread::{EngineThread, Fed};
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{Notice, SourceState};
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use crate::collect::audience;
use crate::collect::jetstream::{self, Heard, Jetstream, Sink};
use crate::enroll::ClockMode;
use crate::serve;

/// What a service is made of.
pub struct Parts {
    /// Its config.
    pub config: Config,
    /// Its rules.
    pub rules: Arc<RuleSet>,
    /// Its Clock.
    pub clock: Arc<dyn Clock>,
    /// Real time between two Ticks.
    pub tick: Duration,
    /// Least time between two audience look-ups.
    pub lookup_pace: Span,
}

/// A running service.
pub struct Service {
    /// Where metrics and health are served.
    pub address: SocketAddr,
    status: Arc<Status>,
    cancel: CancellationToken,
    http_cancel: CancellationToken,
    tasks: TaskTracker,
    http: TaskTracker,
    engine: Option<JoinHandle<()>>,
    receiver: Option<JoinHandle<io::Result<()>>>,
}

/// Where streams put what they hear.
struct ToEngine {
    name: Arc<str>,
    to: mpsc::Sender<Fed>,
    status: Arc<Status>,
    dice: u64,
    /// Why it could not be reached last; told once.
    failing: Option<String>,
}

impl Sink for ToEngine {
    async fn take(&mut self, heard: Heard) -> bool {
        let metrics = &self.status.metrics;
        let input = match heard {
            Heard::Frames(batch) => {
                self.status.queue(batch.frames.len() as i64);
                Input::Frames(batch)
            }
            Heard::Failed(why) => {
                if self.failing.as_ref() != Some(&why) {
                    tracing::warn!(source = &*self.name, why, "source cannot be reached, trying again");
                    self.failing = Some(why.clone());
                }
                metrics.add(&metric::CONNECTS, &[&self.name, "failed"], 1.0);
                self.status.set_source(&self.name, SourceState::Down, &why);
                return true;
            }
            Heard::State(state, why) => {
                match state {
                    SourceState::Up => {
                        metrics.add(&metric::CONNECTS, &[&self.name, "ok"], 1.0);
                        tracing::info!(source = &*self.name, "source connected");
                        self.failing = None;
                    }
                    _ => tracing::warn!(source = &*self.name, why, "source lost, connecting again"),
                }
                self.status.set_source(&self.name, state, &why);
                Input::Source(self.name.clone(), state)
            }
        };
        self.to.send(Fed { input, received: Instant::now() }).await.is_ok()
    }

    fn now(&self) -> Time {
        self.status.clock().now()
    }

    fn jitter(&mut self) -> f64 {
        // spreads reconnects of many instances; nothing depends on its quality
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) as f64 / (1u64 << 31) as f64
    }
}

impl Service {
    /// Starts everything. `receive` gets each notice, on a thread of its own, and a last call
    /// with `None`.
    ///
    /// # Errors
    /// Where the address cannot be listened at or a thread cannot be started.
    pub async fn start(
        parts: Parts,
        mut receive: impl FnMut(Option<Notice>) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Service> {
        // a second call finds it installed already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Parts { config, rules, clock, tick, lookup_pace } = parts;
        let names: Vec<Arc<str>> = config.sources.iter().map(|s| s.info.name.clone()).collect();
        let status = Arc::new(Status::new(clock.clone(), &names).map_err(io::Error::other)?);
        let server = serve::bind(config.listen).await?;
        let address = server.address;
        let (cancel, http_cancel) = (CancellationToken::new(), CancellationToken::new());
        let (tasks, http) = (TaskTracker::new(), TaskTracker::new());
        let (to_engine, from_sources) = mpsc::channel(limits::SOURCE_QUEUE);
        let (to_receiver, notices): (SyncSender<Notice>, StdReceiver<Notice>) = sync_channel(limits::NOTICE_QUEUE);
        let (to_lookup, lookups) = mpsc::channel(limits::LOOKUP_QUEUE);
        let engine = Engine::new(rules.clone(), ClockMode::Live, 1);
        let thread = EngineThread::new(engine, status.clone(), to_receiver, to_lookup);
        let engine = std::thread::Builder::new().name("engine".into()).spawn(move || thread.run(from_sources))?;
        let receiver = std::thread::Builder::new().name("receiver".into()).spawn(move || {
            for notice in notices {
                receive(Some(notice))?;
            }
            receive(None)
        })?;
        // no frame is taken before the engine knows the time
        if clock.now() > Time(0) {
            let first = Fed { input: Input::Tick(clock.now()), received: Instant::now() };
            to_engine.try_send(first).map_err(io::Error::other)?;
        }
        tasks.spawn(ticks(clock, tick, to_engine.clone(), cancel.clone()));
        let base = config.sources.iter().find_map(|s| s.audience.clone());
        if let Some(base) = base {
            spawn_lookups(&tasks, base, lookups, to_engine.clone(), lookup_pace, &cancel);
        }
        for (i, source) in config.sources.into_iter().enumerate() {
            let seed = u64::from(std::process::id()) ^ ((i as u64) << 32);
            let sink = ToEngine {
                name: source.info.name.clone(),
                to: to_engine.clone(),
                status: status.clone(),
                dice: seed,
                failing: None,
            };
            let stream = Jetstream { source: source.info, url: source.url, cursor: None, skip: Span::ZERO };
            tasks.spawn(jetstream::run(stream, sink, cancel.clone()));
        }
        let (answers, until) = (status.clone(), http_cancel.clone());
        http.spawn(async move {
            if let Err(e) = server.run(answers, until).await {
                tracing::error!(error = %e, "metrics and health are no longer served");
            }
        });
        tasks.close();
        http.close();
        Ok(Service {
            address,
            status,
            cancel,
            http_cancel,
            tasks,
            http,
            engine: Some(engine),
            receiver: Some(receiver),
        })
    }

    /// The service's view of itself.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
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
        let deadline = Duration::from_micros(limits::SHUTDOWN.0 as u64);
        self.cancel.cancel();
        let _ = tokio::time::timeout(deadline, self.tasks.wait()).await;
        let (engine, receiver) = (self.engine.take(), self.receiver.take());
        let joined = tokio::task::spawn_blocking(move || {
            if let Some(engine) = engine {
                let _ = engine.join();
            }
            receiver.map_or(Ok(()), |r| r.join().unwrap_or_else(|_| Err(io::Error::other("the receiver failed"))))
        });
        let result = match tokio::time::timeout(deadline, joined).await {
            Ok(Ok(result)) => result,
            _ => Err(io::Error::other(format!("not stopped within {}", limits::SHUTDOWN))),
        };
        self.http_cancel.cancel();
        let _ = tokio::time::timeout(Duration::from_secs(1), self.http.wait()).await;
        result
    }
}

async fn ticks(clock: Arc<dyn Clock>, every: Duration, to: mpsc::Sender<Fed>, cancel: CancellationToken) {
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = interval.tick() => {}
        }
        let now = clock.now();
        if now > Time(0) && to.send(Fed { input: Input::Tick(now), received: Instant::now() }).await.is_err() {
            return;
        }
    }
}

fn spawn_lookups(
    tasks: &TaskTracker,
    base: String,
    accounts: mpsc::Receiver<String>,
    to: mpsc::Sender<Fed>,
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
                if to.send(Fed { input, received: Instant::now() }).await.is_err() {
                    return;
                }
            }
        }
    });
}
