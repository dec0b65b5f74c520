//! Where the fields of a post stand in the JSON of a source that is not known by name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::limits;

/// A JSON pointer (RFC 6901), such as `/data/user/name`; empty is the whole message.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Pointer(pub Box<str>);

impl Pointer {
    /// A pointer, if it is one.
    ///
    /// # Errors
    /// What was expected and what was found, where it does not begin with `/`, holds a `~` that is
    /// not followed by 0 or 1, or is longer than [`limits::POINTER_BYTES`].
    pub fn new(text: &str) -> Result<Pointer, String> {
        if text.len() > limits::POINTER_BYTES {
            return Err(format!("expected a pointer up to {} bytes, found {}", limits::POINTER_BYTES, text.len()));
        }
        if !text.is_empty() && !text.starts_with('/') {
            return Err(format!("expected a pointer that begins with /, such as /{text:.60}, found {text:.60}"));
        }
        if text.split('~').skip(1).any(|after| !after.starts_with(['0', '1'])) {
            return Err(format!("expected ~0 for ~ and ~1 for / in a pointer, found {text:.60}"));
        }
        Ok(Pointer(text.into()))
    }

    /// Its steps from the outside in, with `~1` and `~0` read as `/` and `~`.
    pub fn steps(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let read = |step: &str| step.replace("~1", "/").replace("~0", "~");
        self.0.split('/').skip(1).map(move |s| if s.contains('~') { read(s).into() } else { s.into() })
    }
}

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
/// wrong type makes the message malformed; another is then unknown. A deletion needs neither author
/// nor text, a repost no text.
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
    /// What the post is: a word of `kinds`, or of the generic post format. Messages of other kinds are
    /// ignored. Where none is told, it is a reply if it has a parent, else a post.
    pub kind: Option<Pointer>,
    /// Words of the source for kinds, with what they mean: one of [`FieldMap::KIND_WORDS`].
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

impl FieldMap {
    /// What a word for a kind can mean.
    pub const KIND_WORDS: [&str; 6] = ["post", "reply", "quote", "repost", "edit", "delete"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_checked() {
        for good in ["", "/", "/a", "/a/0/b", "/a~0b~1c", "//"] {
            assert_eq!(Pointer::new(good), Ok(Pointer(good.into())));
        }
        let long = "/é".repeat(limits::POINTER_BYTES);
        for bad in ["a", "a/b", "/a~", "/a~2", "/~~0", " /a", long.as_str()] {
            let error = Pointer::new(bad).unwrap_err();
            assert!(error.starts_with("expected ") && error.len() < 300, "{error}");
        }
        let steps: Vec<_> = Pointer::new("/a~1b/~01//2").unwrap().steps().map(Cow::into_owned).collect();
        assert_eq!(steps, ["a/b", "~1", "", "2"]);
        assert_eq!(Pointer::default().steps().count(), 0);
    }
}
