//! Tests of the whole, in one binary: linking is slow.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../benches/frames/mod.rs"]
mod frames;

mod acting;
mod alarms;
mod alerting;
mod bad_input;
mod chatting;
mod commands;
mod controls;
mod corrections;
mod faults;
mod golden;
mod hooked;
mod json_socket;
mod killed;
mod live;
mod mailing;
mod misbehaving;
mod naive;
mod overload;
mod packed;
mod paging;
mod played;
mod prefilter;
mod program;
mod pushing;
mod queries;
mod random_rules;
mod receivers;
mod recorded;
mod recording;
mod reload;
mod reloading;
mod restarting;
mod resuming;
mod search;
mod secured;
mod service;
mod stopping;
mod stories;
mod terminal;
mod unheard;
mod upgrade;
mod webhook;
