//! The thread that keeps: takes what the engine and sources give, commits in groups, hands on what
//! may be told, and does the store's upkeep in between.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::{Delivery, Ended, Keep, Keeper, Now};
use crate::app::config::StoreConfig;
use crate::app::gauged::{GaugedReceiver, GaugedSender};
use crate::app::metrics::Metrics;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric::{self, Stage};
use crate::store::db;

/// How long it rests where nothing is to be done.
const REST: Duration = Duration::from_millis(50);

/// The keeper with everything it feeds.
pub struct KeeperThread {
    /// What keeps.
    pub keeper: Keeper,
    /// Where it says how it fares.
    pub status: Arc<Status>,
    /// Takes what may be told; hangs up with it.
    pub out: GaugedSender<Delivery>,
    /// What has come to its end.
    pub ended: Ended,
    /// What may leave the store, and when.
    pub keep: Option<StoreConfig>,
    /// Entries it was given, and those of them that it has no more.
    pub entries: Entries,
}

/// Entries it was given, and those of them that it has no more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entries {
    taken: u64,
    gone: u64,
    lost: u64,
}

impl Entries {
    /// Counts those that are kept, lost or of no store since the last call.
    fn count(&mut self, keeper: &Keeper, metrics: &Metrics) {
        let (waiting, lost) = keeper.waiting();
        let gone = self.taken.saturating_sub(waiting as u64);
        let (gone_now, lost_now) = (gone.saturating_sub(self.gone), lost.saturating_sub(self.lost));
        (self.gone, self.lost) = (gone, lost);
        let lost_now = lost_now.min(gone_now);
        metrics.leave(Stage::Commit, "lost", lost_now);
        metrics.leave(Stage::Commit, if keeper.has_store() { "committed" } else { "unrecorded" }, gone_now - lost_now);
    }
}

impl KeeperThread {
    /// Runs until nobody gives it anything any more and the receivers have ended.
    pub fn run(mut self, items: &GaugedReceiver<Keep>) {
        let mut waits: Vec<Instant> = Vec::new();
        let (mut tidied, mut piece) = (Instant::now(), Instant::now());
        self.status.show_desk(self.keeper.desk(), None);
        loop {
            let now = self.now();
            let rest = if self.keeper.is_writing() { limits::PIECE_EVERY.as_std() } else { REST };
            let rest = self.keeper.due().map_or(rest, |due| (due - now.uptime).as_std().min(rest));
            self.status.keeper_pulse.turn();
            match items.recv_timeout(rest) {
                Ok(item) => {
                    self.take(item, &mut waits);
                    // what waits goes along
                    for item in items.try_iter().take(limits::KEEP_QUEUE) {
                        self.take(item, &mut waits);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = self.now();
            self.keeper.hear(now);
            self.keeper.tick(now);
            self.status.set_writing_round(self.keeper.is_writing());
            let due = self.keeper.due().is_some_and(|due| due <= now.uptime);
            if due {
                if !self.commit(&mut waits) {
                    break;
                }
            } else if self.keeper.is_writing() {
                if piece.elapsed() >= limits::PIECE_EVERY.as_std() {
                    self.keeper.write_on();
                    piece = Instant::now();
                }
            } else if tidied.elapsed() >= limits::TIDY_EVERY.as_std() {
                self.tidy(now);
                tidied = Instant::now();
            }
        }
        self.finish(waits);
    }

    fn now(&self) -> Now {
        Now { clock: self.status.clock().now(), uptime: self.status.uptime() }
    }

    fn take(&mut self, item: Keep, waits: &mut Vec<Instant>) {
        let mut decides = false;
        if let Keep::Step(s) = &item {
            let entries = s.step.entries.len();
            self.status.metrics.enter(Stage::Commit, entries).stay();
            self.entries.taken += entries as u64;
            decides = !s.notices.is_empty();
            waits.extend(decides.then_some(s.received));
        }
        let (now, began) = (self.now(), Instant::now());
        self.keeper.take(item, now);
        if decides {
            self.status.metrics.stage(Stage::Tell, began.elapsed());
        }
    }

    /// False where nobody takes what may be told any more.
    fn commit(&mut self, waits: &mut Vec<Instant>) -> bool {
        let (began, entries) = (Instant::now(), self.keeper.waiting().0);
        // before anybody is answered, so that who looks then sees it
        if let Some(changed) = self.keeper.take_changed() {
            self.status.show_desk(self.keeper.desk(), Some(&changed));
        }
        let deliveries = self.keeper.commit(self.now());
        let metrics = &self.status.metrics;
        if self.keeper.is_recording() {
            metrics.stage(Stage::Commit, began.elapsed());
            metrics.add(&metric::COMMITS, &[], 1.0);
            metrics.add(&metric::COMMITTED, &[], entries as f64);
            for took in waits.drain(..).map(|received| received.elapsed()) {
                metrics.stage(Stage::ReceiveToOutbox, took);
                metrics.observe(&metric::TO_OUTBOX, &[], took);
            }
        }
        waits.clear();
        self.show();
        // a reader that is slow is none that does not read
        deliveries.into_iter().all(|d| {
            self.status.keeper_pulse.turn();
            self.out.send(d).is_ok()
        })
    }

    fn show(&mut self) {
        let status = self.status.clone();
        let metrics = &status.metrics;
        self.entries.count(&self.keeper, metrics);
        for (what, n) in self.keeper.take_words() {
            metrics.add(&metric::LEDGER, &[&what], n as f64);
            if matches!(&*what, "queued" | "not sent") {
                metrics.enter(Stage::Tell, n as usize).all_out(&what.replace(' ', "_"));
            }
        }
        let trouble = self.keeper.trouble().cloned();
        let (waiting, lost) = self.keeper.waiting();
        metrics.set(&metric::STORE_OK, &[], if trouble.is_none() { 1.0 } else { 0.0 });
        metrics.set(&metric::STORE_PENDING, &[], waiting as f64);
        metrics.raise(&metric::STORE_LOST, &[], lost as f64);
        self.status.set_unrecorded(trouble, self.keeper.wants_whole(self.now()));
    }

    /// Lets go of what need not be kept.
    fn tidy(&mut self, now: Now) {
        if let Err(e) = self.keeper.write_learned() {
            tracing::warn!(error = %e, "what was learned of accounts is not kept");
        }
        let (Some(config), archived) = (&self.keep, self.status.archived()) else { return };
        let keep = db::Keep {
            log: now.clock - config.keep_log,
            ledger: now.clock - config.keep_ledger,
            bytes: config.max_bytes,
            block: archived,
        };
        let Some(db) = self.keeper.db() else { return };
        if let Ok(dead) = db.dead_letters() {
            self.status.metrics.set(&metric::DEAD_LETTERS, &[], dead as f64);
        }
        let done = db.forget(&keep).and_then(|_| db.sweep_pieces(64)).and_then(|_| db.shrink(64));
        if let Err(e) = done {
            tracing::warn!(error = %e, "the store cannot be tidied");
        }
        if let Ok(bytes) = db.bytes() {
            self.status.metrics.set(&metric::STORE_BYTES, &["store"], bytes as f64);
        }
    }

    /// Keeps the rest, and what comes to its end while receivers stop.
    fn finish(mut self, mut waits: Vec<Instant>) {
        self.commit(&mut waits);
        let KeeperThread { mut keeper, status, out, ended, .. } = self;
        drop(out);
        let now = || Now { clock: status.clock().now(), uptime: status.uptime() };
        let deadline = Instant::now() + limits::SHUTDOWN.as_std() * 3;
        while !ended.is_closed() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
            if ended.waits() {
                keeper.commit(now());
            }
        }
        keeper.commit(now());
        while keeper.write_learned().unwrap_or(false) {}
        let (waiting, _) = keeper.waiting();
        if let Some(t) = keeper.trouble() {
            tracing::error!(waiting, why = t.why, since = %t.since, "stopped without having recorded everything");
        }
    }
}
