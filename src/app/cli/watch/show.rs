//! The thread that shows mentions as they come: it waits a moment for an author's followers, prints,
//! and keeps the footer.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::footer::{Source, footer, summary};
use super::line::{self, Look};
use super::seen::{News, Seen};
use crate::app::cli::screen::{self, Footer};
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{Gone, Told, Tone};
use crate::base::outcome::Outcome;
use crate::base::time::Span;

/// Longest wait before what is due is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Time between two footers.
const FOOTER_EVERY: Duration = Duration::from_secs(1);
/// Seconds over which frames a second are counted.
const RATE_OVER: usize = 10;

/// What is to be shown.
pub(super) struct Wish {
    pub(super) json: bool,
    /// Negative ones only.
    pub(super) hostile: bool,
    /// So many at most.
    pub(super) limit: u64,
    /// How long a mention waits for its author's followers.
    pub(super) hold: Duration,
    /// How lines for people look; their width is asked for again when `resized`.
    pub(super) look: Look,
}

/// What the thread shares with the others.
#[derive(Default)]
pub(super) struct Shared {
    /// The terminal has another size.
    pub(super) resized: AtomicBool,
    /// The end has come.
    pub(super) stopping: AtomicBool,
    /// Mentions that found no place to wait.
    pub(super) left_out: AtomicU64,
}

/// The state of the thread.
pub(super) struct Show {
    wish: Wish,
    status: Arc<Status>,
    name: Arc<str>,
    shared: Arc<Shared>,
    seen: Seen,
    waiting: VecDeque<(Instant, Box<Told>)>,
    printed: u64,
    began: Instant,
    footer: Footer,
    /// Frames so far at the last seconds.
    frames: VecDeque<u64>,
}

impl Show {
    /// Nothing is shown yet.
    pub(super) fn new(
        wish: Wish,
        lang: Option<String>,
        status: Arc<Status>,
        name: Arc<str>,
        shared: Arc<Shared>,
    ) -> Show {
        let (waiting, frames) = (VecDeque::new(), VecDeque::new());
        let (began, seen, footer) = (Instant::now(), Seen::new(lang), Footer::new());
        Show { wish, status, name, shared, seen, waiting, printed: 0, began, footer, frames }
    }

    /// Shows what comes until nothing does, or enough is shown, or nobody reads. Gives what there
    /// is to say at the end.
    ///
    /// # Errors
    /// Where standard output takes no more.
    pub(super) fn run(mut self, news: &Receiver<News>) -> (io::Result<()>, String) {
        let result = self.follow(news);
        self.footer.clear();
        let width = self.footer.is_seen().then(screen::width);
        let unshown = self.shared.left_out.load(Ordering::Relaxed);
        (result, summary(frames(&self.status, &self.name), &mut self.seen, unshown, width))
    }

    fn follow(&mut self, news: &Receiver<News>) -> io::Result<()> {
        let mut footed: Option<Instant> = None;
        loop {
            let ended = match news.recv_timeout(LOOK_EVERY) {
                Ok(first) => {
                    self.take(first);
                    news.try_iter().take(limits::WATCH_QUEUE).for_each(|n| self.take(n));
                    false
                }
                Err(RecvTimeoutError::Timeout) => self.shared.stopping.load(Ordering::Acquire),
                Err(RecvTimeoutError::Disconnected) => true,
            };
            self.print(ended)?;
            if ended || self.printed >= self.wish.limit {
                return Ok(());
            }
            if footed.is_none_or(|t| t.elapsed() >= FOOTER_EVERY) {
                footed = Some(Instant::now());
                self.foot();
            }
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Mention(told) => {
                let wanted = self.seen.mention(&told, self.began.elapsed().as_secs());
                let shown = wanted && (!self.wish.hostile || Tone::of(told.n) == Tone::Negative);
                if shown {
                    self.waiting.push_back((Instant::now(), told));
                }
            }
            News::Learned(account, followers, name) => self.seen.learned(account, followers, name),
            News::Gone(gone) => {
                self.seen.gone(gone);
                self.waiting.retain(|(_, t)| match gone {
                    Gone::Post(post) => t.post != post,
                    Gone::Account(account) => t.account != account,
                });
            }
        }
    }

    /// Prints what has waited enough, in the order it came.
    fn print(&mut self, all: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let mut wrote = false;
        while self.printed < self.wish.limit {
            let due = self.waiting.front().is_some_and(|(since, t)| {
                all || since.elapsed() >= self.wish.hold || self.seen.account(t.account).is_some_and(|a| a.known)
            });
            if !due {
                break;
            }
            let Some((_, told)) = self.waiting.pop_front() else { break };
            self.footer.clear();
            let line = match self.wish.json {
                true => line::json(&told, &self.seen),
                false => line::text(&told, &self.seen, &self.wish.look),
            };
            writeln!(out, "{line}")?;
            (self.printed, wrote) = (self.printed + 1, true);
        }
        if wrote {
            out.flush()?;
            drop(out);
            self.draw();
        }
        Ok(())
    }

    /// A second has passed.
    fn foot(&mut self) {
        if self.shared.resized.swap(false, Ordering::AcqRel) {
            self.wish.look.width = self.wish.look.width.map(|_| screen::width());
        }
        self.frames.push_back(frames(&self.status, &self.name));
        while self.frames.len() > RATE_OVER + 1 {
            self.frames.pop_front();
        }
        self.draw();
    }

    fn draw(&mut self) {
        if !self.footer.is_seen() {
            return;
        }
        let source = self.source();
        let width = self.wish.look.width.unwrap_or_else(screen::width);
        let look = (width.saturating_sub(1), self.wish.look.paint);
        self.footer.show(&footer(&source, &self.name, &self.seen, self.began.elapsed().as_secs(), look));
    }

    fn source(&self) -> Source {
        let (first, last) = (self.frames.front().copied(), self.frames.back().copied());
        let seconds = self.frames.len().saturating_sub(1).max(1) as f64;
        let rate = last.zip(first).map_or(0.0, |(last, first)| last.saturating_sub(first) as f64 / seconds);
        let Some(source) = self.status.sources.get(&self.name) else { return Source::default() };
        let (health, learning) = (&source.health, source.health.learning_left());
        let usual = (learning == Span::ZERO).then(|| health.usual_rate());
        let (connected, why) = (health.is_connected(), health.why().to_string());
        Source { connected, why, rate, usual, learning }
    }
}

/// Frames of a source so far.
pub(super) fn frames(status: &Status, name: &str) -> u64 {
    let count = |o: &Outcome| status.metrics.get(&metric::FRAMES, &[name, o.name()]).unwrap_or(0.0);
    Outcome::ALL.iter().map(count).sum::<f64>() as u64
}
