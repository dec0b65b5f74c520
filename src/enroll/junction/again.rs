//! What changes what the junction knows, noted for the log, and done again from there.

use std::sync::Arc;

use super::Junction;
use crate::base::broken::{self, Broken};
use crate::base::hash;
use crate::base::model::{Change, ClockState, Mention, Seq};
use crate::base::time::Time;

impl Junction {
    /// From now on it notes what changes what it knows.
    pub fn note_changes(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// Changes since the last call; none where they are not noted.
    pub fn drain_changes(&mut self) -> Vec<Change> {
        self.changes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Changes again as it did once; what entries that makes is known already.
    pub fn change_again(&mut self, change: &Change) {
        match change {
            Change::Post { .. } if broken::is(Broken::ChangesForgotten) => {}
            Change::Post { now, at, via, mention } => {
                self.clock.set(ClockState { now: Some(*now), tick: None });
                self.mention(*at, mention, via);
            }
            Change::Left(account) => {
                self.audiences.leave(*account);
            }
            Change::Followers { source, account, followers } => {
                self.audiences.learn(*account, source, *followers);
            }
        }
        self.out.clear();
    }

    /// Stands where it stood after a step.
    pub fn stand_at(&mut self, seq: Seq, clock: ClockState) {
        self.out.clear();
        self.seq = seq;
        self.clock.set(clock);
    }

    /// Where the engine clock stands.
    pub fn clock(&self) -> ClockState {
        self.clock.state()
    }

    /// Whether frames wait for their times to be confirmed: of these nothing is in the log yet.
    pub fn holds_frames(&self) -> bool {
        !self.held.is_empty()
    }

    pub(super) fn note(&mut self, change: impl FnOnce() -> Change) {
        if let Some(changes) = &mut self.changes {
            changes.push(change());
        }
    }

    pub(super) fn note_post(&mut self, now: Time, at: Time, m: &Mention, via: &Arc<str>) {
        self.note(|| Change::Post { now, at, via: via.clone(), mention: Box::new(m.clone()) });
    }
}

/// One version of a post that was edited: a stream that is resumed brings it again.
pub(super) fn version(m: &Mention) -> u64 {
    hash::parts(&[b"edit", &m.post.0.to_le_bytes(), &m.time.0.to_le_bytes(), m.body.text.as_bytes()])
}
