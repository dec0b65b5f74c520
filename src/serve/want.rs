//! What people ask the service to do, in the words of HTTP.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::model::{IncidentId, Severity, Verdict};
use crate::base::time::Span;

/// What is asked for, and by whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Want {
    /// Who; may be empty.
    pub by: String,
    /// What.
    pub what: What,
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Stop repeats of an incident, by its name, for a time or to its end.
    Acknowledge(String, Option<Span>),
    /// Take care of an incident.
    Claim(String),
    /// An incident is over for people: what it was, and a reason, which may be empty.
    Close(String, Verdict, String),
    /// Tell nobody for a while.
    Silence(Hush),
    /// End a silence.
    Unsilence(u64),
    /// Send a trial to a receiver; to all without a name.
    Test(Option<String>),
    /// Send a dead letter after all.
    Retry(i64),
    /// Send a dead letter never.
    Drop(i64),
}

/// A silence that is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hush {
    /// Why.
    pub reason: String,
    /// For how long.
    pub span: Span,
    /// Slugs of brands and groups.
    pub brands: Vec<String>,
    /// Names of rules.
    pub alerts: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The least severity.
    pub least: Option<Severity>,
    /// One incident, by its name.
    pub incident: Option<String>,
}

/// Why something was not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotDone {
    /// There is no such thing.
    Unknown(String),
    /// It cannot be.
    Refused(String),
    /// Not at the moment.
    Later(String),
}

impl fmt::Display for NotDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (NotDone::Unknown(why) | NotDone::Refused(why) | NotDone::Later(why)) = self;
        f.write_str(why)
    }
}

/// A link of a message, as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The incident.
    pub incident: IncidentId,
    /// The receiver that got it.
    pub receiver: String,
    /// Until when it may be used, in Unix seconds.
    pub until: i64,
    /// By which it is known to be ours.
    pub signature: String,
}

/// Why a link shows nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unlinked {
    /// It is not ours.
    Wrong,
    /// It is, and is too old.
    Old,
    /// Its incident is forgotten.
    Forgotten,
    /// The service is starting or stopping.
    Later,
}

/// What the page behind a link shows; nothing is escaped.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Linked {
    /// What people call the incident.
    pub code: String,
    /// The brand's name.
    pub brand: String,
    /// page, warn or info.
    pub severity: String,
    /// What happens, in a few words.
    pub title: String,
    /// The same in a sentence.
    pub sentence: String,
    /// Since when, for people.
    pub since: String,
    /// Who has done what about it.
    pub deeds: Vec<String>,
    /// Whether it is over.
    pub over: bool,
}
