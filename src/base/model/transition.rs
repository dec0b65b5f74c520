//! A change in the life of an episode.

use serde::{Deserialize, Serialize};

use crate::base::model::{EpisodeId, Evidence, Group, Seq, Value};
use crate::base::time::Time;

/// Where an episode stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Phase {
    /// Nothing going on.
    Inactive,
    /// The condition holds, not yet for long enough.
    Pending,
    /// It has held long enough.
    Firing,
    /// It holds no more, not yet for long enough.
    Clearing,
    /// Over.
    Resolved,
}

impl Phase {
    /// The word used in messages and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Inactive => "inactive",
            Phase::Pending => "pending",
            Phase::Firing => "firing",
            Phase::Clearing => "clearing",
            Phase::Resolved => "resolved",
        }
    }
}

/// How urgent an episode is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Severity {
    /// For the record.
    Info,
    /// Somebody should look today.
    Warn,
    /// Somebody is to be woken.
    Page,
}

impl Severity {
    /// All severities, rising.
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warn, Severity::Page];

    /// The word used in rules and messages.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warn => "warn",
            Severity::Page => "page",
        }
    }
}

/// Why an episode changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Reason {
    /// A condition began or ceased to hold.
    Condition,
    /// A higher level was reached.
    Rise,
    /// It stayed clear for as long as asked.
    Cleared,
    /// Nothing was known any more for as long as asked.
    NoData,
    /// The rule has more open episodes than its limit; they share this one.
    Overflow,
    /// The rule, or what its brand's query counts, is not in force any more.
    Rules,
}

impl Reason {
    /// The word used in messages and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Condition => "condition",
            Reason::Rise => "rise",
            Reason::Cleared => "cleared",
            Reason::NoData => "no data",
            Reason::Overflow => "overflow",
            Reason::Rules => "rules changed",
        }
    }
}

/// One change in the life of an episode. Transitions are ordered by (seq, at, rule, group) and
/// are a function of the log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Transition {
    /// The entry that caused it.
    pub seq: Seq,
    /// Engine time of the change.
    pub at: Time,
    /// The rule set it was made under, by its fingerprint.
    pub made_under: u64,
    /// The rule, by its place in that rule set.
    pub rule: u32,
    /// The group.
    pub group: Group,
    /// The episode.
    pub episode: EpisodeId,
    /// When the episode became pending.
    pub since: Time,
    /// Before.
    pub from: Phase,
    /// After.
    pub to: Phase,
    /// Severity after the change.
    pub severity: Severity,
    /// Why.
    pub reason: Reason,
    /// Left side of the deciding comparison.
    pub value: Value,
    /// Values of the rule's operands, in the order of its operand names.
    pub operands: Vec<Value>,
    /// The rule's one line for people, where it has one, as of a change to firing.
    pub summary: Option<Box<str>>,
    /// What a page shows; present on every change to firing.
    pub evidence: Option<Box<Evidence>>,
}
