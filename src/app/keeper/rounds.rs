//! Snapshots on their way into the store, piece by piece between commits.

use std::collections::VecDeque;

use super::{Keeper, Now};
use crate::app::snapshot::Part;
use crate::base::model::Seq;
use crate::store::db::{Round, StatePart, StoreError};

/// A snapshot on its way into the store.
pub(super) struct Writing {
    round: i64,
    parts: VecDeque<StatePart>,
}

impl Keeper {
    pub(super) fn begin_round(&mut self, round: &Round, parts: Vec<StatePart>) {
        if self.trouble.is_some() || self.gap || self.writing.is_some() {
            return;
        }
        let Some(db) = &mut self.db else { return };
        // one made before everything the engine knows took the place of lost steps is not whole
        if db.rounds().is_ok_and(|rounds| rounds.first().is_some_and(|newest| newest.as_of > round.as_of)) {
            return;
        }
        // one that cannot be begun is made again later
        if let Ok(id) = db.begin_round(round) {
            self.writing = Some(Writing { round: id, parts: parts.into() });
        }
    }

    /// After steps were let go of: everything the engine knows takes their place.
    pub(super) fn whole(&mut self, as_of: Seq, fingerprint: u64, parts: &[Part], now: Now) {
        let (Some(db), true) = (&mut self.db, self.gap) else { return };
        self.pending.forget_steps();
        let written = || -> Result<(), StoreError> {
            let (block, _, _) = db.end_of_log()?;
            let round = Round { id: 0, block, as_of, fingerprint, at: now.clock };
            let id = db.begin_round(&round)?;
            let mut parts: VecDeque<StatePart> =
                parts.iter().map(|p| StatePart::new(p.name.clone(), &p.bytes).alone()).collect();
            while !parts.is_empty() {
                db.put_parts(id, &mut parts)?;
            }
            db.end_round(id)
        }();
        match written {
            Ok(()) => {
                self.gap = false;
                if let Some(trouble) = &mut self.trouble {
                    trouble.retry = now.uptime;
                }
            }
            Err(e) => self.fails(&e, now),
        }
    }

    /// Whether a snapshot is on its way into the store.
    pub fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// Writes a little of a snapshot, where one is on its way; whether there is more of it.
    pub fn write_on(&mut self) -> bool {
        let (Some(writing), Some(db)) = (&mut self.writing, &mut self.db) else { return false };
        let written = if writing.parts.is_empty() {
            let ended = db.at_once(true).and_then(|()| db.end_round(writing.round));
            ended.map(|()| false)
        } else {
            // these need not be on disk before the round is done
            let put = db.at_once(false).and_then(|()| db.put_parts(writing.round, &mut writing.parts));
            put.and(db.at_once(true)).map(|()| true)
        };
        let more = written.unwrap_or(false);
        if !more {
            let _ = db.at_once(true);
            self.writing = None;
        }
        more
    }
}
