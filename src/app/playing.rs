//! A recording that is played as a source of the service: a thread reads ahead, a little; a task
//! hands on what is due. The engine is told its frames and its end, and nothing else: what it makes
//! of them does not depend on where the service was stopped in between.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::app::config::RecordingConfig;
use crate::app::engine::Input;
use crate::app::intake::{Fed, Lane};
use crate::app::recorded;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::model::{Frame, FrameBatch, SourceInfo, SourceState};
use crate::base::time::Time;
use crate::collect::playback::{Found, Mark, Pace, Playback, Trouble};
use crate::collect::recording::{self, Lines};
use crate::decode::peek_time;
use crate::store;

/// Where a recording has got to; one that takes its place goes on there.
#[derive(Clone, Default)]
pub struct Place(Arc<Mutex<Option<Mark>>>);

impl Place {
    /// A place that was reached before.
    pub fn at(mark: Mark) -> Place {
        Place(Arc::new(Mutex::new(Some(mark))))
    }

    /// The place; `None` before the beginning.
    pub fn get(&self) -> Option<Mark> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, mark: Mark) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark);
    }
}

/// What the thread that reads tells.
enum Read {
    /// It can be read.
    Opened,
    /// Frames, and the place after them.
    Frames(Mark, FrameBatch),
    /// There are no more.
    End(Mark),
    /// It was told to its end before.
    Finished,
    /// It cannot be read on.
    Failed(String),
}

/// Plays one recording.
pub struct Player {
    /// The source.
    pub source: Arc<SourceInfo>,
    /// Where its frames go.
    pub lane: Lane,
    /// Where its state is told.
    pub status: Arc<Status>,
    /// Where it begins, and has got to.
    pub place: Place,
}

impl Player {
    /// Plays until the end, or until cancelled.
    pub async fn play(self, config: RecordingConfig, cancel: CancellationToken) {
        let (to, mut from) = mpsc::channel(limits::PLAYED_AHEAD);
        let (source, start) = (self.source.clone(), self.place.get());
        let thread = std::thread::Builder::new().name("recording".into());
        // it ends with the channel
        let reading = thread.spawn(move || {
            let told = read(source, &config.path, start, &to);
            to.blocking_send(told.unwrap_or_else(Read::Failed))
        });
        if let Err(e) = reading {
            return self.failed(&e.to_string());
        }
        let (mut pace, zero) = (config.speed.map(Pace::new), Instant::now());
        let playing = async {
            while let Some(read) = from.recv().await {
                if !self.take(read, &mut pace, zero).await {
                    return;
                }
            }
        };
        tokio::select! {
            () = cancel.cancelled() => {}
            () = playing => {}
        }
    }

    /// False if nobody takes anything any more.
    async fn take(&self, read: Read, pace: &mut Option<Pace>, zero: Instant) -> bool {
        let name = &self.source.name;
        match (read, pace) {
            (Read::Opened, _) => self.status.opened(name),
            (Read::Frames(after, batch), None) => return self.hand_on(after, batch.frames).await,
            (Read::Frames(after, batch), Some(pace)) => return self.in_time(after, batch.frames, pace, zero).await,
            (Read::End(mark), _) => {
                // who remembers the last place remembers that the end was told
                let end = Fed::now(Input::Source(name.clone(), SourceState::End));
                if !self.lane.send(end).await || !self.hand_on(Mark { ended: true, ..mark }, Vec::new()).await {
                    return false;
                }
                self.status.finished(name);
                tracing::info!(source = &**name, frames = mark.frames, "recording is at its end");
            }
            (Read::Finished, _) => {
                self.status.finished(name);
                tracing::info!(source = &**name, "recording was played to its end before");
            }
            (Read::Failed(why), _) => self.failed(&why),
        }
        true
    }

    fn failed(&self, why: &str) {
        let name = &*self.source.name;
        tracing::error!(source = name, why, "recording cannot be played on");
        self.status.lost(name, why);
    }

    /// Hands frames on when they are due; those that are due together go together.
    async fn in_time(&self, after: Mark, frames: Vec<Frame>, pace: &mut Pace, zero: Instant) -> bool {
        let (mut left, mut due) = (frames.len() as u64, Vec::new());
        for frame in frames {
            let now = Time(i64::try_from(zero.elapsed().as_micros()).unwrap_or(i64::MAX));
            let time = peek_time(&self.source.format, &frame.bytes);
            let wait = time.map(|t| pace.wait(t, now)).unwrap_or_default();
            if wait > limits::PLAYED_TOGETHER {
                let mark = Mark { frames: after.frames - left, ..after };
                if !due.is_empty() && !self.hand_on(mark, std::mem::take(&mut due)).await {
                    return false;
                }
                tokio::time::sleep(wait.as_std()).await;
            }
            left -= 1;
            due.push(frame);
        }
        self.hand_on(after, due).await
    }

    async fn hand_on(&self, after: Mark, frames: Vec<Frame>) -> bool {
        self.status.heard(&self.source.name, frames.len());
        let waits = self.status.waits(frames.len());
        let batch = FrameBatch { source: self.source.clone(), frames, position: Some(after.position()) };
        let sent = self.lane.send(Fed::now(Input::Frames(batch))).await;
        if sent {
            waits.sent();
            self.place.set(after);
        }
        sent
    }
}

/// Reads from where another reading has got to; gives what is to be told last.
fn read(source: Arc<SourceInfo>, path: &Path, start: Option<Mark>, to: &mpsc::Sender<Read>) -> Result<Read, String> {
    if let Some(start) = start.filter(|m| m.ended)
        && is_finished(&source, path, start)
    {
        return Ok(Read::Finished);
    }
    let mut playback = Playback::new(source.clone(), checked(path, to)?);
    // nobody hears it
    let gone = Ok(Read::Opened);
    if to.blocking_send(Read::Opened).is_err() {
        return gone;
    }
    if let Some(start) = start {
        match playback.go_on(start, || !to.is_closed()) {
            Ok(Found::Same) => {}
            Ok(Found::Other) => {
                let source = &*source.name;
                tracing::warn!(source, "this is another recording than before; it is played from its beginning");
            }
            Err(Trouble::Stopped) => return gone,
            Err(e) => return Err(e.to_string()),
        }
    }
    loop {
        match playback.next_batch() {
            Ok(Some(batch)) => {
                if to.blocking_send(Read::Frames(playback.mark(), batch)).is_err() {
                    return gone;
                }
            }
            Ok(None) => return Ok(Read::End(playback.mark())),
            Err(e) => return Err(e.to_string()),
        }
    }
}

/// Whether the recording that was played to its end still stands there, or none.
fn is_finished(source: &Arc<SourceInfo>, path: &Path, end: Mark) -> bool {
    let Ok(lines) = open(path) else { return true };
    let first = Mark { frames: end.frames.min(1), ..end };
    Playback::new(source.clone(), lines).go_on(first, || true).is_ok_and(|f| f == Found::Same)
}

/// The lines of a recording; the files of a folder must be as their manifest says.
fn checked(path: &Path, to: &mpsc::Sender<Read>) -> Result<Lines, String> {
    if let Some(folder) = recorded::folder(path).map_err(|f| f.what)? {
        for file in &folder.manifest.files {
            if to.is_closed() {
                break;
            }
            store::check_file(&folder.dir, file).map_err(|p| folder.fault(p).what)?;
        }
    }
    open(path)
}

fn open(path: &Path) -> Result<Lines, String> {
    if let Some(folder) = recorded::folder(path).map_err(|f| f.what)? {
        folder.single().map_err(|f| f.what)?;
        let lines = folder.inputs().into_iter().next().map(|(_, lines)| lines);
        return lines.ok_or_else(|| format!("expected the files of {}, found none", folder.dir.display()));
    }
    let open = recording::open(&path.to_string_lossy());
    open.map_err(|e| format!("expected a recording that can be read, found {}: {e}", path.display()))
}
