//! Assembly: the pure engine, the threads around it, the command line.

pub mod answers;
pub mod back;
pub mod cli;
pub mod clock;
pub mod coming;
pub mod config;
pub mod demo;
pub mod engine;
pub mod engine_thread;
pub mod fair;
pub mod files;
pub mod front;
pub mod intake;
pub mod metrics;
pub mod pipeline;
pub mod receivers;
pub mod record;
pub mod recorded;
pub mod reload;
pub mod service;
pub mod snapshot;
pub mod sources;
pub mod status;
pub mod view;
