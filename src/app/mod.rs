//! Assembly: the pure engine, the threads around it, the command line.

pub mod back;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod engine;
pub mod engine_thread;
pub mod files;
pub mod front;
pub mod metrics;
pub mod pipeline;
pub mod service;
pub mod snapshot;
pub mod status;
