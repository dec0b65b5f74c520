//! Outside -> Frame. One file a source; the logic of a connection is a pure state machine.

pub mod audience;
pub mod connection;
mod dictionary;
pub mod health;
pub mod jetstream;
pub mod json;
pub mod playback;
pub mod recording;
pub mod socket;
pub mod tls;
