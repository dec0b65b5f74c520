//! Frame -> Post. Pure; one file a wire format.

mod jetstream;
mod jetstream2;
mod loose;
mod pointers;
mod post;
pub mod raw;
mod raw2;
mod words;

use crate::base::limits;
use crate::base::model::{Decoded, WireFormat};
use crate::base::time::Time;

/// Decodes one frame. `None` where it is not what its format says.
pub fn decode<'a>(format: &'a WireFormat, text: &'a str) -> Option<Decoded<'a>> {
    match format {
        WireFormat::Jetstream => jetstream::decode(text),
        WireFormat::JetstreamV2 => jetstream2::decode(text),
        WireFormat::Post => post::decode(text),
        WireFormat::Json(map) => pointers::decode(map, text),
    }
}

/// The event time of a frame, if it tells one, for putting recordings in order.
pub fn peek_time(format: &WireFormat, bytes: &[u8]) -> Option<Time> {
    if let Some(head) = head(format, bytes) {
        return Some(head.time);
    }
    decode(format, std::str::from_utf8(bytes).ok()?).and_then(|d| d.time())
}

/// The head of a frame, if its format has one that can be read without a parse and it is laid out
/// as servers lay it out.
pub fn head<'b>(format: &WireFormat, frame: &'b [u8]) -> Option<raw::Head<'b>> {
    match format {
        WireFormat::Jetstream => raw::head(frame),
        WireFormat::JetstreamV2 => raw2::head(frame),
        WireFormat::Post | WireFormat::Json(_) => None,
    }
}

/// Whether a text can be an id or a name: not empty and not too long.
fn is_name(text: &str) -> bool {
    (1..=limits::NAME_BYTES).contains(&text.len())
}

/// A language tag without region, lower case.
fn language(tag: std::borrow::Cow<'_, str>) -> Option<std::borrow::Cow<'_, str>> {
    let main = tag.split(['-', '_']).next()?;
    let plain = (2..=3).contains(&main.len()) && main.bytes().all(|b| b.is_ascii_alphabetic());
    plain.then(|| main.to_ascii_lowercase().into())
}
