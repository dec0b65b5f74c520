//! The junction as snapshots of the version before held it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Held, Junction};
use crate::base::model::Seq;
use crate::base::recent::Recent;
use crate::base::time::{Span, Time};
use crate::enroll::audience::Audiences;
use crate::enroll::clock::{ClockMode, EngineClock};
use crate::enroll::stories::StoriesBefore;
use crate::enroll::texts::TextsBefore;

/// A junction that did not know how many accounts take part in a story, nor who says the same text.
#[derive(Deserialize)]
pub struct JunctionBefore {
    clock: EngineClock,
    retention: Span,
    seq: Seq,
    seen: Recent<()>,
    stories: StoriesBefore,
    texts: TextsBefore,
    audiences: Audiences,
    held: Vec<Held>,
    last_event: BTreeMap<Arc<str>, Time>,
}

impl From<JunctionBefore> for Junction {
    fn from(before: JunctionBefore) -> Junction {
        Junction {
            clock: before.clock,
            retention: before.retention,
            seq: before.seq,
            seen: before.seen,
            stories: before.stories.into(),
            texts: before.texts.into(),
            audiences: before.audiences,
            held: before.held,
            last_event: before.last_event,
            // the mode is that of the clock just set
            ..Junction::new(ClockMode::Live)
        }
    }
}
