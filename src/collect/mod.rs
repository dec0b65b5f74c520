//! Outside -> Frame. One file a source; the logic of a connection is a pure state machine.

pub mod recording;
