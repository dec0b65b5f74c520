//! Where the fields of a post stand in the JSON of a source that is not known by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A JSON pointer (RFC 6901), such as `/data/user/name`; empty is the whole message.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Pointer(pub Box<str>);

/// What a number as a time counts since 1970. Texts are RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum TimeUnit {
    /// Seconds, with a fraction.
    Seconds,
    /// Milliseconds.
    #[default]
    Millis,
    /// Microseconds.
    Micros,
}

/// Which part of a JSON message is which field of a post. A needed field that is missing or of a
/// wrong type makes the message malformed; another is then unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FieldMap {
    /// The `source` of its posts: the name of the network.
    pub network: Arc<str>,
    /// Needed: the post's id, a text or a whole number.
    pub id: Pointer,
    /// Needed: the account, a text or a whole number.
    pub author: Pointer,
    /// Needed: the text.
    pub text: Pointer,
    /// Needed: when, as RFC 3339 or a number.
    pub time: Pointer,
    /// What a number as a time counts.
    pub time_unit: TimeUnit,
    /// The account's name for people.
    pub author_name: Option<Pointer>,
    /// The account's followers.
    pub followers: Option<Pointer>,
    /// The language, by its tag.
    pub lang: Option<Pointer>,
    /// What the post is: a word of `kinds`, or of the generic post format.
    pub kind: Option<Pointer>,
    /// Words of the source for kinds, with what they mean: post, reply, quote, repost, edit, delete.
    pub kinds: BTreeMap<Box<str>, Box<str>>,
    /// The id of what it answers, quotes or repeats.
    pub parent: Option<Pointer>,
    /// The id of the first post of its thread.
    pub root: Option<Pointer>,
    /// Where people see it.
    pub url: Option<Pointer>,
    /// Links in it: a text, or a list of texts.
    pub links: Option<Pointer>,
    /// Messages are posts only if each of these holds one of its texts (numbers and booleans as
    /// written in JSON); others are ignored.
    pub only: Vec<(Pointer, Vec<Box<str>>)>,
}
