//! What waits for the engine, and from whom.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::app::engine::Input;
use crate::app::fair::{self, Bounds, Fair, Load};
use crate::app::front::FrontLine;
use crate::base::limits;
use crate::base::model::FrameBatch;
use crate::base::outcome::Outcome;
use crate::base::rule::RuleSet;

/// How each frame of a pushed batch ended.
pub type Ends = Vec<Option<Outcome>>;

/// What the engine's thread is given.
pub enum What {
    /// An input of the engine.
    Input(Input),
    /// Frames of somebody who waits to hear how each of them ended, or why that is not recorded.
    Pushed(FrameBatch, oneshot::Sender<Result<Ends, String>>),
    /// Other rules, with a front made for them; answered by how long the engine stood still.
    Rules(Arc<RuleSet>, Box<FrontLine>, oneshot::Sender<Duration>),
}

/// What the engine's thread is given, and when it came.
pub struct Fed {
    /// What.
    pub what: What,
    /// When.
    pub received: Instant,
}

impl Fed {
    /// An input that came just now.
    pub fn now(input: Input) -> Fed {
        Fed::now_of(What::Input(input))
    }

    /// What came just now.
    pub fn now_of(what: What) -> Fed {
        Fed { what, received: Instant::now() }
    }

    fn batch(&self) -> Option<&FrameBatch> {
        match &self.what {
            What::Input(Input::Frames(batch)) | What::Pushed(batch, _) => Some(batch),
            _ => None,
        }
    }
}

impl Load for Fed {
    fn frames(&self) -> usize {
        self.batch().map_or(0, |b| b.frames.len())
    }

    fn bytes(&self) -> usize {
        self.batch().map_or(0, |b| b.frames.iter().map(|f| f.bytes.len()).sum())
    }
}

/// The queue between sources and engine.
pub type Intake = Fair<Fed>;
/// A lane of it.
pub type Lane = fair::Sender<Fed>;

/// An empty queue and its urgent lane, for what is not frames.
pub fn intake() -> (Arc<Intake>, Lane) {
    let turn = limits::BATCH_FRAMES;
    Fair::new(Bounds { items: limits::LANE_BATCHES, bytes: limits::LANE_BYTES, turn })
}
