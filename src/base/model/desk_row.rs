//! What is remembered of telling people, on its way into the store.

use crate::base::model::{IncidentId, Severity};
use crate::base::time::Time;

/// A row of what people are told about: an incident, or a silence; without bytes it is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeskRow {
    /// An incident, with the words it is listed by.
    Incident {
        /// Its name.
        id: IncidentId,
        /// The first brand's slug.
        brand: String,
        /// The highest severity so far.
        severity: Severity,
        /// When it was opened, by the Clock.
        opened: Time,
        /// When it was over.
        ended: Option<Time>,
        /// All of it.
        bytes: Vec<u8>,
    },
    /// A silence, until when it holds, and all of it.
    Silence(u64, Time, Option<Vec<u8>>),
}
