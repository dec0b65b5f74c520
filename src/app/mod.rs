//! Assembly: the pure engine, the threads around it, the command line.

pub mod acting;
pub mod answers;
pub mod archived;
pub mod back;
pub mod brands;
pub mod catch_up;
pub mod cli;
pub mod clock;
pub mod coming;
pub mod compare;
pub mod config;
pub mod demo;
pub mod engine;
pub mod engine_thread;
pub mod fair;
pub mod files;
pub mod front;
pub mod gauged;
pub mod heartbeat;
pub mod intake;
pub mod keeper;
mod lookups;
mod measured;
pub mod metrics;
pub mod pipeline;
pub mod playing;
pub mod pulse;
pub mod receivers;
pub mod record;
pub mod recorded;
pub mod recovery;
pub mod reload;
pub mod report;
pub mod service;
pub mod snapshot;
pub mod sources;
pub mod start;
pub mod status;
pub mod testing;
pub mod view;
pub mod watchdog;
pub mod writes;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for who has it; what a thread that failed left behind is used all the same.
fn alone<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
