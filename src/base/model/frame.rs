//! One message as received, and batches of them.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::fields::FieldMap;
use crate::base::time::Time;

/// How the bytes of a source are to be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum WireFormat {
    /// Bluesky Jetstream, protocol v1, JSON.
    Jetstream,
    /// Bluesky Jetstream, protocol v2, JSON.
    JetstreamV2,
    /// The generic post format, one JSON object a line.
    Post,
    /// Any JSON, by the places of its fields.
    Json(Arc<FieldMap>),
}

/// Where frames come from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceInfo {
    /// The source's name in config, metrics and messages.
    pub name: Arc<str>,
    /// How its bytes are read.
    pub format: WireFormat,
}

/// One message as received.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The bytes; empty for one that was over the limit and not kept.
    pub bytes: Bytes,
    /// When it was received, by the Clock; recordings without receive times have none.
    pub received: Option<Time>,
    /// Set for a frame longer than a frame may be.
    pub oversize: bool,
}

/// Where a source goes on after some frames, in words of its own: nobody else reads them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Position(pub Arc<str>);

/// Frames of one source in the order received.
#[derive(Clone, Debug)]
pub struct FrameBatch {
    /// Their source.
    pub source: Arc<SourceInfo>,
    /// The frames.
    pub frames: Vec<Frame>,
    /// Where the source goes on after them; `None` where nothing comes again.
    pub position: Option<Position>,
}

impl SourceInfo {
    /// The network whose posts it brings; `None` where each post tells.
    pub fn network(&self) -> Option<&str> {
        match &self.format {
            WireFormat::Jetstream | WireFormat::JetstreamV2 => Some("bluesky"),
            WireFormat::Json(fields) => Some(&fields.network),
            WireFormat::Post => None,
        }
    }
}
