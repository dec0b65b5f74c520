//! Handing a letter to a receiver: one try.

use std::collections::BTreeMap;
use std::pin::Pin;

use super::Letter;
use super::courier::Answer;
use crate::base::model::IncidentId;
use crate::base::time::Time;

/// How a try ended, with the reason where it was no success.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// What the receiver said.
    pub answer: Answer,
    /// Why it was no success: one line, short, without secrets.
    pub why: String,
    /// By what the receiver knows the incident's message, where the next letter about it needs that; kept
    /// even where the try was no success.
    pub handle: Option<String>,
}

impl Tried {
    /// Without a handle.
    pub fn new(answer: Answer, why: impl Into<String>) -> Tried {
        Tried { answer, why: why.into(), handle: None }
    }
}

/// A try under way.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Tried> + Send + 'a>>;

/// Hands letters to one receiver. Knows its address and its secrets, which are in no letter.
pub trait Carrier: Send + Sync + 'static {
    /// Tries once, within a time of its own. `handle` is what it gave last for the same incident.
    fn carry<'a>(&'a self, letter: &'a Letter, handle: Option<&'a str>, now: Time) -> Carried<'a>;

    /// Where it hands them to, for logs, without secrets.
    fn place(&self) -> &str;

    /// Told once, before anything else: by what the receiver knew incidents when the service ended.
    fn remember(&self, _handles: &BTreeMap<IncidentId, String>) {}

    /// Says again what still holds, to receivers that would forget it; called about once a minute.
    fn refresh(&self, _now: Time) -> Option<Carried<'_>> {
        None
    }
}
