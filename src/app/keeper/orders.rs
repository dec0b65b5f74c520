//! What people order, and what changed on the desk because of it or of anything else.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use super::{Keeper, Now};
use crate::base::model::{DeskRow, IncidentId};
use crate::notify::Order;

/// What is ordered about letters, by their numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outbox {
    /// A dead letter is sent after all.
    Retry(i64),
    /// A letter is not sent; who says so.
    Drop(i64, String),
}

/// What changed of what people can see.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changed {
    /// These incidents.
    pub incidents: BTreeSet<IncidentId>,
    /// Any silence.
    pub silences: bool,
}

impl Keeper {
    pub(super) fn order(&mut self, order: &Order, to: oneshot::Sender<Result<String, String>>, now: Now) {
        match self.desk.order(order, &self.tell.policy(), now.clock) {
            Ok((said, out)) => {
                self.pending.begin(now);
                self.pending.urgent = true;
                let rows = self.rows();
                self.pending.told(None, out, rows, now);
                self.pending.answers.push((to, said));
            }
            Err(why) => {
                // who asked may be gone
                let _ = to.send(Err(why));
            }
        }
    }

    pub(super) fn outbox(&mut self, what: &Outbox, to: oneshot::Sender<Result<String, String>>, now: Now) {
        let said = match &mut self.db {
            None => Err("there is no store, so no letters are kept".to_string()),
            Some(db) => self.pending.outbox(db, &self.desk, what, now),
        };
        match said {
            // whoever looks once it is said finds it done
            Ok(said) => self.pending.answers.push((to, said)),
            Err(why) => drop(to.send(Err(why))),
        }
    }

    /// Rows of the desk that changed; what people can see of it changed with them.
    pub(super) fn rows(&mut self) -> Vec<DeskRow> {
        let rows = self.desk.take_rows();
        for row in &rows {
            match row {
                DeskRow::Incident { id, .. } => drop(self.changed.incidents.insert(*id)),
                DeskRow::Silence(..) => self.changed.silences = true,
            }
        }
        rows
    }

    /// What changed since the last call of what people can see; `None` where nothing did.
    pub fn take_changed(&mut self) -> Option<Changed> {
        Some(std::mem::take(&mut self.changed)).filter(|c| *c != Changed::default())
    }
}
