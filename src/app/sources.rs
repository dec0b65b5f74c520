//! The sources that run: started, stopped and exchanged as the config says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::config::{SourceConfig, SourceKind};
use crate::app::engine::Input;
use crate::app::intake::{Fed, Intake, Lane, What};
use crate::app::playing::{Place, Player};
use crate::app::status::Status;
use crate::base::backoff::Dice;
use crate::base::metric::{self, Stage};
use crate::base::model::{Position, SourceState};
use crate::base::time::Time;
use crate::collect::connection::Patience;
use crate::collect::jetstream::{Cursor, Jetstream};
use crate::collect::json::JsonSocket;
use crate::collect::playback::Mark;
use crate::collect::socket::{self, Heard, Sink};
use crate::collect::tls::Trust;

/// Where a stream puts what it hears.
struct ToEngine {
    name: Arc<str>,
    lane: Lane,
    status: Arc<Status>,
    dice: Dice,
    /// Why it could not be reached last; told once.
    failing: Option<String>,
    /// When it was lost, if what is missed meanwhile does not come again.
    gap: Option<Instant>,
    replays: bool,
}

impl ToEngine {
    fn connected(&mut self) {
        self.status.metrics.add(&metric::CONNECTS, &[&self.name, "ok"], 1.0);
        self.failing = None;
        match self.gap.take() {
            None => tracing::info!(source = &*self.name, "source connected"),
            Some(lost) => {
                let seconds = lost.elapsed().as_secs_f64();
                self.status.metrics.add(&metric::GAP, &[&self.name], seconds);
                tracing::warn!(source = &*self.name, seconds, "source connected again; what it said meanwhile is lost");
            }
        }
    }

    fn lost(&mut self, why: &str) {
        tracing::warn!(source = &*self.name, why, "source lost, connecting again");
        if !self.replays {
            self.gap = Some(Instant::now());
        }
    }

    fn failed(&mut self, why: String) {
        if self.failing.as_ref() != Some(&why) {
            tracing::warn!(source = &*self.name, why, "source cannot be reached, trying again");
        }
        self.status.metrics.add(&metric::CONNECTS, &[&self.name, "failed"], 1.0);
        self.failing = Some(why);
    }
}

impl Sink for ToEngine {
    async fn take(&mut self, heard: Heard) -> bool {
        let received = Instant::now();
        let input = match heard {
            Heard::Frames(batch) => {
                self.status.heard(&self.name, batch.frames.len());
                let waits = self.status.waits(batch.frames.len());
                let status = self.status.clone();
                let coming = status.metrics.enter(Stage::Collect, batch.frames.len());
                let fed = Fed { what: What::Input(Input::Frames(batch)), received };
                let sent = self.lane.send(fed).await;
                if sent {
                    waits.sent();
                    coming.all_out("fed");
                    status.metrics.stage(Stage::Collect, received.elapsed());
                }
                return sent;
            }
            Heard::Failed(why) => {
                self.status.lost(&self.name, &why);
                self.failed(why);
                return true;
            }
            Heard::State(SourceState::Up, _) => {
                self.connected();
                self.status.opened(&self.name);
                Input::Source(self.name.clone(), SourceState::Up)
            }
            Heard::State(state, why) => {
                self.lost(&why);
                self.status.lost(&self.name, &why);
                Input::Source(self.name.clone(), state)
            }
        };
        self.lane.send(Fed { what: What::Input(input), received }).await
    }

    fn now(&self) -> Time {
        self.status.clock().now()
    }

    fn jitter(&mut self) -> f64 {
        self.dice.roll()
    }
}

struct Running {
    config: SourceConfig,
    cancel: CancellationToken,
    tasks: TaskTracker,
    reached: Reached,
}

/// Where a source has got to.
enum Reached {
    Stream(Cursor),
    Recording(Place),
}

impl Reached {
    /// In words that outlive it; `None` where it starts anew.
    fn position(&self) -> Option<Position> {
        match self {
            Reached::Stream(cursor) => cursor.position(),
            Reached::Recording(place) => place.get().map(Mark::position),
        }
    }
}

/// All that run.
pub struct Sources {
    intake: Arc<Intake>,
    urgent: Arc<Lane>,
    status: Arc<Status>,
    patience: Patience,
    running: BTreeMap<Arc<str>, Running>,
    /// Where the first ones start.
    stored: BTreeMap<Arc<str>, Position>,
}

impl Sources {
    /// None yet.
    pub fn new(intake: Arc<Intake>, urgent: Arc<Lane>, status: Arc<Status>, patience: Patience) -> Sources {
        Sources { intake, urgent, status, patience, running: BTreeMap::new(), stored: BTreeMap::new() }
    }

    /// The first ones that are set go on after these positions, by their names; all others start
    /// from now, as they do if nothing is said.
    pub fn start_from(&mut self, positions: BTreeMap<Arc<str>, Position>) {
        self.stored = positions;
    }

    /// Runs exactly these: those that are gone stop, those that changed go on where they were.
    /// Gives what was done, in words.
    ///
    /// # Errors
    /// Where the certificates of one cannot be read; then nothing was done.
    pub async fn set(&mut self, wanted: &[SourceConfig]) -> Result<Vec<String>, String> {
        let trusts = wanted.iter().map(|s| Trust::read(s.ca()).map_err(|e| format!("source {}: {e}", s.info.name)));
        let trusts: Vec<Trust> = trusts.collect::<Result<_, _>>()?;
        let mut done = Vec::new();
        let names: Vec<Arc<str>> = self.running.keys().cloned().collect();
        let mut changed: BTreeMap<Arc<str>, Option<Position>> = BTreeMap::new();
        for name in names {
            let new = wanted.iter().find(|s| s.info.name == name);
            if new.is_some() && self.running.get(&name).map(|r| &r.config) == new {
                continue;
            }
            let Some(old) = self.running.remove(&name) else { continue };
            old.stop().await;
            if new.is_some() {
                done.push(format!("source {name} changed"));
                changed.insert(name, old.reached.position());
            } else {
                done.push(format!("source {name} removed"));
                self.status.forget_source(&name);
                self.urgent.send(Fed::now(Input::Source(name, SourceState::End))).await;
            }
        }
        let mut stored = std::mem::take(&mut self.stored);
        for (config, trust) in wanted.iter().zip(trusts) {
            let name = config.info.name.clone();
            if self.running.contains_key(&name) {
                continue;
            }
            let position = match changed.remove(&name) {
                Some(position) => position,
                None => {
                    done.push(format!("source {name} added"));
                    stored.remove(&name)
                }
            };
            let running = self.start(config.clone(), trust, position);
            self.running.insert(name, running);
        }
        Ok(done)
    }

    /// Stops all of them, each within a time.
    pub async fn stop(mut self, deadline: Duration) {
        let all: Vec<Running> = std::mem::take(&mut self.running).into_values().collect();
        all.iter().for_each(|r| r.cancel.cancel());
        self.status.no_pushes();
        let _ = tokio::time::timeout(deadline, async {
            for running in all {
                running.stop().await;
            }
        })
        .await;
    }

    fn start(&self, config: SourceConfig, trust: Trust, position: Option<Position>) -> Running {
        let (cancel, tasks) = (CancellationToken::new(), TaskTracker::new());
        let replays = matches!(config.kind, SourceKind::Jetstream(_) | SourceKind::Recording(_));
        let lane = self.intake.lane(replays);
        self.status.add_source(&config, self.patience.unheard);
        let name = config.info.name.clone();
        let seed = crate::base::hash::parts(&[name.as_bytes(), &std::process::id().to_le_bytes()]);
        let sink = |lane| ToEngine {
            name: name.clone(),
            lane,
            status: self.status.clone(),
            dice: Dice::new(seed),
            failing: None,
            gap: None,
            replays,
        };
        let (patience, until) = (self.patience, cancel.clone());
        let reached = position.and_then(|p| reached(&config, &p));
        let reached = reached.unwrap_or_else(|| match config.kind {
            SourceKind::Recording(_) => Reached::Recording(Place::default()),
            _ => Reached::Stream(Cursor::default()),
        });
        match (&config.kind, &reached) {
            (SourceKind::Push(_), _) => self.status.add_push(&config.info, lane),
            (SourceKind::Recording(recording), Reached::Recording(place)) => {
                let player =
                    Player { source: config.info.clone(), lane, status: self.status.clone(), place: place.clone() };
                tasks.spawn(player.play(recording.clone(), until));
            }
            (_, Reached::Stream(cursor)) => {
                spawn(&tasks, &config, cursor.clone(), sink(lane), trust, patience, until);
            }
            // each kind has a place of its own
            (_, Reached::Recording(_)) => {}
        }
        tasks.close();
        Running { config, cancel, tasks, reached }
    }
}

/// Where a source goes on that has this position; `None`, and a warning, where it cannot.
fn reached(config: &SourceConfig, position: &Position) -> Option<Reached> {
    let reached = match config.kind {
        SourceKind::Jetstream(_) => Cursor::at(position).map(Reached::Stream),
        SourceKind::Recording(_) => Mark::at(position).map(|m| Reached::Recording(Place::at(m))),
        SourceKind::WebSocket(_) | SourceKind::Push(_) => None,
    };
    if reached.is_none() {
        // a damaged one may be of any length
        let found: String = position.0.chars().take(40).collect();
        tracing::warn!(
            source = &*config.info.name,
            found,
            "expected a position to go on after, found another; starts from now"
        );
    }
    reached
}

/// Listens to a stream until cancelled; pushed posts and recordings are none.
pub fn spawn(
    tasks: &TaskTracker,
    config: &SourceConfig,
    cursor: Cursor,
    sink: impl Sink + 'static,
    trust: Trust,
    patience: Patience,
    cancel: CancellationToken,
) {
    let source = config.info.clone();
    match config.kind.clone() {
        SourceKind::Push(_) | SourceKind::Recording(_) => {}
        SourceKind::Jetstream(j) => {
            let stream = Jetstream::new(source, j.hosts, j.protocol, j.compress, trust.clone()).from(cursor);
            tasks.spawn(socket::run(stream, sink, trust, patience, cancel));
        }
        SourceKind::WebSocket(w) => {
            let stream = JsonSocket { source, url: w.url, headers: w.headers, subscribe: w.subscribe, items: w.items };
            tasks.spawn(socket::run(stream, sink, trust, patience, cancel));
        }
    }
}

impl Running {
    async fn stop(&self) {
        self.cancel.cancel();
        self.tasks.wait().await;
    }
}
