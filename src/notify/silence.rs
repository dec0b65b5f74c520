//! Silences: for a while nobody is told of what matches, and everybody can see who said so and why.

use serde::{Deserialize, Serialize};

use super::routes::Match;
use crate::base::model::{IncidentId, Notice};
use crate::base::time::Time;

/// A silence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Silence {
    /// Its number.
    pub id: u64,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Since when, by the Clock.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// Of what.
    pub of: Match,
    /// Of one incident only.
    pub incident: Option<IncidentId>,
}

impl Silence {
    /// Whether it holds.
    pub fn holds(&self, now: Time) -> bool {
        self.from <= now && now < self.until
    }

    /// Whether it is about an incident: about each of its open episodes, so that what is not silenced is heard.
    pub(super) fn silences<'n>(&self, id: IncidentId, mut open: impl Iterator<Item = &'n Notice>) -> bool {
        self.incident.is_none_or(|i| i == id) && open.all(|n| self.of.matches_notice(n, n.transition.severity))
    }

    /// In words.
    pub(super) fn why(&self) -> String {
        format!("silenced by {} until {}: {}", self.by, self.until, self.reason)
    }
}
