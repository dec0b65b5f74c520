//! Tests of the whole, in one binary: linking is slow.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../benches/frames/mod.rs"]
mod frames;

mod alarms;
mod bad_input;
mod commands;
mod controls;
mod corrections;
mod golden;
mod live;
mod misbehaving;
mod naive;
mod prefilter;
mod queries;
mod random_rules;
mod recorded;
mod recording;
mod reload;
mod service;
mod stories;
mod terminal;
mod webhook;
