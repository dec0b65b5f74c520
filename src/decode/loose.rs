//! JSON fields that are not needed: a wrong type makes the value unknown, not the line malformed.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::base::limits;

/// A value, or nothing where it has another type.
#[derive(Debug)]
pub(super) struct Loose<T>(pub Option<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Loose(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(d)?;
        Ok(Loose(serde_json::from_str(raw.get()).ok()))
    }
}

/// A text, borrowed where it holds no escapes.
#[derive(Deserialize, Debug)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'a> Loose<Text<'a>> {
    /// The text, if it is one and not empty.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        self.0.map(|t| t.0).filter(|t| !t.is_empty())
    }

    /// The text as it is, if it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        self.0.as_ref().map(|t| &*t.0)
    }
}

/// A count of followers, if it is a whole number within belief.
pub(super) fn followers(x: Loose<f64>) -> Option<u64> {
    x.0.filter(|x| *x >= 0.0 && *x <= limits::FOLLOWERS as f64 && x.fract() == 0.0).map(|x| x as u64)
}
