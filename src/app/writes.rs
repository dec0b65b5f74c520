//! What each kind of receiver is sent, and who hands it over.

use std::sync::Arc;

use crate::app::config::ReceiverKind;
use crate::notify::{Carrier, Pace, Sending, Style, Surroundings, Webhook, feed, told};

/// Who hands letters to a receiver of a kind; `None`: it is written to.
pub fn carrier(kind: &ReceiverKind, pace: Pace) -> Option<Result<Arc<dyn Carrier>, Vec<String>>> {
    match kind {
        ReceiverKind::Stdout { .. } => None,
        ReceiverKind::Webhook(config) => Some(Webhook::carrier(config, pace)),
    }
}

/// What letters to a receiver look like.
pub struct Writes {
    kind: ReceiverKind,
    around: Surroundings,
    style: Style,
}

impl Writes {
    /// For a receiver of a kind.
    pub fn new(kind: &ReceiverKind, around: Surroundings, style: Style) -> Writes {
        Writes { kind: kind.clone(), around, style }
    }

    /// What is sent, with why nothing is recorded, where that is so.
    pub fn write(&self, sending: &Sending, unrecorded: Option<&str>) -> Option<Vec<u8>> {
        let around = Surroundings { unrecorded: unrecorded.map(str::to_string), ..self.around.clone() };
        match (&self.kind, &sending.content) {
            (ReceiverKind::Webhook(_), content) => Some(feed(content, &sending.key, unrecorded)?.into_bytes()),
            (ReceiverKind::Stdout { json: true }, content) => {
                Some((feed(content, &sending.key, unrecorded)? + "\n").into_bytes())
            }
            (ReceiverKind::Stdout { json: false }, content) => Some(told(content, &around, self.style).into_bytes()),
        }
    }
}
