//! A message as it is sent: rendered once, the same at every try.

use std::sync::Arc;

use bytes::Bytes;

use super::json::json;
use crate::base::model::{EpisodeId, IncidentId, Message};

/// A message on its way. Holds no rule set, so that what waits for long costs little.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// By what the receiver knows that it got it already.
    pub key: Arc<str>,
    /// What is sent; a JSON object for machines.
    pub body: Bytes,
    /// The episode it is about.
    pub episode: Option<EpisodeId>,
    /// The incident it is about: letters of one go in order.
    pub incident: Option<IncidentId>,
    /// Whether it says all there is to say of its incident, so that older letters about it need not be sent.
    pub whole: bool,
}

impl Letter {
    /// Of a message, for machines.
    pub fn new(message: &Message) -> Letter {
        let (key, body) = (message.key().into(), json(message).into());
        Letter { key, body, episode: message.episode(), incident: None, whole: false }
    }
}
