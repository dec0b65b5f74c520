//! The store. For now the log in memory, bounded: what recovery reads after a snapshot.

mod log;

pub use log::Log;
