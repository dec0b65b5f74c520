//! A message as it is posted: rendered once, the same at every try and for every receiver.

use std::sync::Arc;

use bytes::Bytes;

use super::json;
use crate::base::model::Message;

/// A message on its way. Holds no rule set, so that what waits for long costs little.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// By what the receiver knows that it got it already.
    pub key: Arc<str>,
    /// A JSON object.
    pub body: Bytes,
}

impl Letter {
    /// Of a message.
    pub fn new(message: &Message) -> Letter {
        Letter { key: message.key().into(), body: json(message).into() }
    }
}
