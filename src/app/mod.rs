//! Assembly: the pure engine, the threads around it, the command line.

pub mod back;
pub mod cli;
pub mod engine;
pub mod files;
pub mod front;
pub mod pipeline;
pub mod snapshot;
