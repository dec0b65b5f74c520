//! Beside the service: snapshots made from the log, as a start would make them, so that the engine
//! never stands still for one and every snapshot is a rehearsal of recovery; the archive; and days of rules in shadow.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Keep;
use super::archiving::Archiving;
use super::comparing::Comparing;
use crate::app::config::StoreConfig;
use crate::app::gauged::GaugedSender;
use crate::app::recovery;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::enroll::ClockMode;
use crate::store::db::{Db, Round, StatePart, StoreError};

/// What it takes to keep house.
pub struct Housekeeping {
    config: StoreConfig,
    mode: ClockMode,
    to: GaugedSender<Keep>,
    status: Arc<Status>,
    stop: Arc<AtomicBool>,
}

impl Housekeeping {
    /// For a store, with an engine whose time comes from there; snapshots go `to` who keeps.
    pub fn new(config: StoreConfig, mode: ClockMode, to: GaugedSender<Keep>, status: Arc<Status>) -> Housekeeping {
        Housekeeping { config, mode, to, status, stop: Arc::default() }
    }

    /// Keeps house on a thread of its own; gives that, and what tells it to end.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn start(self) -> io::Result<(JoinHandle<()>, Arc<AtomicBool>)> {
        let stop = self.stop.clone();
        let thread = std::thread::Builder::new().name("housekeeping".into()).spawn(move || self.run())?;
        Ok((thread, stop))
    }

    fn run(self) {
        let db = loop {
            if self.stopped() {
                return;
            }
            match Db::beside(&self.config.path) {
                Ok(db) => break db,
                Err(e) => tracing::warn!(error = %e, "no snapshots are made"),
            }
            self.rest(Duration::from_secs(10));
        };
        let mut complained: Option<String> = None;
        let mut archiving = Archiving::new(self.config.clone(), self.status.clone());
        let mut comparing = Comparing::new(self.status.clone());
        while !self.stopped() {
            if let Err(e) = comparing.go_on(&db, &self.to) {
                tracing::debug!(error = %e, "rules in shadow are compared later");
            }
            if !archiving.go_on(&db) {
                self.rest(limits::HOUSEKEEPING_EVERY.as_std());
            }
            let done = self.round(&db);
            match done {
                Ok(()) => complained = None,
                Err(e) => {
                    let why = e.to_string();
                    if complained.as_ref() != Some(&why) {
                        tracing::warn!(error = why, "no snapshot can be made");
                    }
                    complained = Some(why);
                }
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn rest(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.stopped() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20).min(time));
        }
    }

    fn round(&self, db: &Db) -> Result<(), StoreError> {
        db.checkpoint()?;
        let (entries, made) = db.since_round()?;
        let now = self.status.clock().now();
        let (_, _, last) = db.end_of_log()?;
        let since = made.unwrap_or(self.status.started());
        let due = entries >= limits::ROUND_ENTRIES || (entries > 0 && last - since >= limits::ROUND_EVERY);
        if !due || self.status.is_writing_round() || self.status.unrecorded().is_some() {
            return Ok(());
        }
        let began = Instant::now();
        let Some(rebuilt) = recovery::rebuild(db, self.mode, 1, &mut |_| !self.stopped())? else { return Ok(()) };
        if self.stopped() {
            return Ok(());
        }
        if rebuilt.holed {
            // the engine itself mends it
            let _ = self.to.send(Keep::Holed(rebuilt.problems));
            return Ok(());
        }
        if !rebuilt.missing.is_empty() {
            tracing::error!(changes = rebuilt.missing.len(), "the log does not give what was decided");
            self.status.metrics.add(&metric::SNAPSHOTS, &["disagrees"], 1.0);
            let what = format!(
                "expected {} changes of episodes that the log gives, found them nowhere",
                rebuilt.missing.len()
            );
            let _ = self.to.send(Keep::Holed(vec![what]));
            return Ok(());
        }
        let mut engine = rebuilt.engine;
        let Ok(parts) = engine.snapshot() else { return Ok(()) };
        let (as_of, fingerprint) = (engine.junction().seq(), engine.rules().fingerprint);
        let round = Round { id: 0, block: rebuilt.block, as_of, fingerprint, at: now };
        let parts: Vec<StatePart> = parts.into_iter().map(|p| StatePart::new(p.name, &p.bytes)).collect();
        tracing::debug!(as_of, entries, took_ms = began.elapsed().as_millis() as u64, "snapshot made");
        self.status.metrics.add(&metric::SNAPSHOTS, &["made"], 1.0);
        self.status.set_writing_round(true);
        // who keeps may have ended
        let _ = self.to.send(Keep::Round(round, parts));
        Ok(())
    }
}
