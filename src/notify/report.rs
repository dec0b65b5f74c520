//! What receivers tell of their work, and what they need to know for it.

use std::time::Duration;

use super::Letter;
use crate::base::model::IncidentId;
use crate::base::time::Time;

/// Where receivers report to. Calls must not block; texts hold no secrets.
pub trait Report: Send + Sync {
    /// A message was accepted; the last of so many tries took so long.
    fn delivered(&self, receiver: &str, letter: &Letter, tries: u32, took: Duration);
    /// A try failed and will be repeated.
    fn failed(&self, receiver: &str, why: &str);
    /// A message was refused and is not tried again.
    fn refused(&self, receiver: &str, letter: &Letter, why: &str);
    /// A message left the queue because it was full. Told by whoever pushes.
    fn dropped(&self, receiver: &str, letter: &Letter);
    /// A message was given up because it was tried for too long.
    fn expired(&self, receiver: &str, letter: &Letter);
    /// A message was not sent, because a later one about the same incident says more. Told by whoever pushes.
    fn superseded(&self, receiver: &str, letter: &Letter);
    /// By what the receiver knows an incident from now on.
    fn handle(&self, receiver: &str, incident: IncidentId, handle: &str);
    /// The Clock, for the time told to receivers.
    fn now(&self) -> Time;
    /// A number in 0..1, for spreading waits.
    fn jitter(&self) -> f64;
}
