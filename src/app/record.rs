//! Streams into a recorder: sources on tokio, the disk on a thread of its own.
//!
//! Stops in this order: sources, then the thread, which writes what was read and finishes the files.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::clock::Clock;
use crate::app::config::SourceConfig;
use crate::app::sources::spawn;
use crate::base::backoff::Dice;
use crate::base::limits;
use crate::base::model::{FrameBatch, SourceState};
use crate::base::time::Time;
use crate::collect::connection::Patience;
use crate::collect::jetstream::Cursor;
use crate::collect::socket::{Heard, Sink};
use crate::collect::tls::Trust;
use crate::store::{Manifest, Recorder, Written};

/// Time between two looks at what time asks for.
const TICK: Duration = Duration::from_secs(1);

/// What a recording is made of.
pub struct Parts {
    /// Streams to record.
    pub sources: Vec<SourceConfig>,
    /// Where to.
    pub recorder: Recorder,
    /// Its Clock.
    pub clock: Arc<dyn Clock>,
    /// Frames after which it ends, those left out not counted; `None`: when it is told to.
    pub limit: Option<u64>,
}

/// How far a recording has got; read by whoever shows it.
#[derive(Default)]
pub struct Progress {
    up: AtomicUsize,
    connects: AtomicUsize,
    frames: AtomicU64,
    skipped: AtomicU64,
    bytes: AtomicU64,
    files: AtomicU64,
}

impl Progress {
    /// Sources that are connected now.
    pub fn up(&self) -> usize {
        self.up.load(Ordering::Relaxed)
    }

    /// Connections made so far.
    pub fn connects(&self) -> usize {
        self.connects.load(Ordering::Relaxed)
    }

    /// What was written so far.
    pub fn written(&self) -> Written {
        let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
        Written {
            frames: get(&self.frames),
            skipped: get(&self.skipped),
            bytes: get(&self.bytes),
            files: get(&self.files),
        }
    }

    fn set(&self, w: Written) {
        for (to, n) in
            [(&self.frames, w.frames), (&self.skipped, w.skipped), (&self.bytes, w.bytes), (&self.files, w.files)]
        {
            to.store(n, Ordering::Relaxed);
        }
    }
}

/// What the thread is told.
enum Said {
    Frames(FrameBatch),
    Tick,
}

/// Where streams put what they hear.
struct ToDisk {
    name: Arc<str>,
    to: mpsc::Sender<Said>,
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
    dice: Dice,
    up: bool,
    /// Why it could not be reached last; told once.
    failing: Option<String>,
}

impl ToDisk {
    fn set_up(&mut self, up: bool) {
        match (self.up, up) {
            (false, true) => self.progress.up.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.progress.up.fetch_sub(1, Ordering::Relaxed),
            _ => 0,
        };
        self.up = up;
    }
}

impl Sink for ToDisk {
    async fn take(&mut self, heard: Heard) -> bool {
        match heard {
            Heard::Frames(batch) => return self.to.send(Said::Frames(batch)).await.is_ok(),
            Heard::Failed(why) => {
                self.set_up(false);
                if self.failing.as_ref() != Some(&why) {
                    tracing::warn!(source = &*self.name, why, "source cannot be reached, trying again");
                    self.failing = Some(why);
                }
            }
            Heard::State(SourceState::Up, _) => {
                self.set_up(true);
                self.progress.connects.fetch_add(1, Ordering::Relaxed);
                self.failing = None;
                tracing::info!(source = &*self.name, "source connected");
            }
            Heard::State(_, why) => {
                self.set_up(false);
                tracing::warn!(source = &*self.name, why, "source lost, connecting again");
            }
        }
        true
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    fn jitter(&mut self) -> f64 {
        self.dice.roll()
    }
}

/// Records until cancelled, the limit is reached or the disk takes no more; then finishes the
/// files and gives the manifest.
///
/// # Errors
/// What the disk refused first; what was whole is kept.
pub async fn run(parts: Parts, progress: Arc<Progress>, cancel: CancellationToken) -> io::Result<Manifest> {
    // a second call finds it installed already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Parts { sources, recorder, clock, limit } = parts;
    let (to, from) = mpsc::channel(limits::RECORD_QUEUE);
    let writer = Writer { recorder, clock: clock.clone(), limit, progress: progress.clone(), cancel: cancel.clone() };
    let thread = std::thread::Builder::new().name("recorder".into()).spawn(move || writer.run(from))?;
    let tasks = TaskTracker::new();
    for (i, source) in sources.into_iter().enumerate() {
        let sink = ToDisk {
            name: source.info.name.clone(),
            to: to.clone(),
            clock: clock.clone(),
            progress: progress.clone(),
            dice: Dice::new(u64::from(std::process::id()) ^ ((i as u64) << 32)),
            up: false,
            failing: None,
        };
        let trust = Trust::read(source.ca()).map_err(io::Error::other)?;
        spawn(&tasks, &source, Cursor::default(), sink, trust, Patience::default(), cancel.clone());
    }
    tasks.close();
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = cancel.cancelled() => break,
            _ = interval.tick() => {}
        }
        // where the queue is full, frames remind the recorder of the time
        let _ = to.try_send(Said::Tick);
    }
    drop(to);
    tasks.wait().await;
    let joined = tokio::task::spawn_blocking(move || thread.join());
    match joined.await {
        Ok(Ok(result)) => result,
        _ => Err(io::Error::other("expected the recorder to finish its files, found that it failed")),
    }
}

/// The thread that writes.
struct Writer {
    recorder: Recorder,
    clock: Arc<dyn Clock>,
    limit: Option<u64>,
    progress: Arc<Progress>,
    cancel: CancellationToken,
}

impl Writer {
    fn run(mut self, mut from: mpsc::Receiver<Said>) -> io::Result<Manifest> {
        let written = self.write(&mut from);
        // nobody needs to send any more
        self.cancel.cancel();
        drop(from);
        let finished = self.recorder.finish(self.clock.now());
        self.progress.set(self.recorder.written());
        written.and(finished)
    }

    fn write(&mut self, from: &mut mpsc::Receiver<Said>) -> io::Result<()> {
        while !self.is_full()
            && let Some(said) = from.blocking_recv()
        {
            let now = self.clock.now();
            match said {
                Said::Tick => self.recorder.tick(now)?,
                Said::Frames(batch) => {
                    for frame in &batch.frames {
                        if self.is_full() {
                            break;
                        }
                        self.recorder.take(&batch.source, &frame.bytes, frame.received.unwrap_or(now))?;
                    }
                }
            }
            self.progress.set(self.recorder.written());
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.recorder.written().frames >= limit)
    }
}
