//! Outside -> Frame. One file a source; the logic of a connection is a pure state machine.

pub mod audience;
pub mod connection;
pub mod jetstream;
pub mod recording;
