//! Frame -> Post. Pure; one file a wire format.

mod jetstream;
mod loose;
mod post;
pub mod raw;

use crate::base::model::{Decoded, WireFormat};
use crate::base::time::Time;

/// Decodes one frame. `None` where it is not what its format says.
pub fn decode(format: WireFormat, text: &str) -> Option<Decoded<'_>> {
    match format {
        WireFormat::Jetstream => jetstream::decode(text),
        WireFormat::Post => post::decode(text),
    }
}

/// The event time of a frame, for putting recordings in order.
pub fn peek_time(format: WireFormat, bytes: &[u8]) -> Option<Time> {
    if format == WireFormat::Jetstream
        && let Some(head) = raw::head(bytes)
    {
        return Some(head.time);
    }
    decode(format, std::str::from_utf8(bytes).ok()?).map(|d| d.time())
}

/// A language tag without region, lower case.
fn language(tag: std::borrow::Cow<'_, str>) -> Option<std::borrow::Cow<'_, str>> {
    let main = tag.split(['-', '_']).next()?;
    let plain = (2..=3).contains(&main.len()) && main.bytes().all(|b| b.is_ascii_alphabetic());
    plain.then(|| main.to_ascii_lowercase().into())
}
