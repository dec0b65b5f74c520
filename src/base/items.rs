//! The members of a list within a JSON message, as they are written, without reading them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::base::limits;
use crate::base::model::Pointer;

/// Members of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Items<'t> {
    /// The text of each, at most [`limits::ITEMS_PER_MESSAGE`], in order.
    pub texts: Vec<&'t str>,
    /// How many more there were.
    pub left_out: usize,
}

/// The members of the list that a pointer names in a message. `None` where there is no list, or
/// where the message is not JSON.
pub fn items<'t>(message: &'t str, list: &Pointer) -> Option<Items<'t>> {
    if !list.0.is_empty() && !list.0.starts_with('/') {
        return None;
    }
    let steps: Vec<Cow<str>> = list.steps().collect();
    let mut json = serde_json::Deserializer::from_str(message);
    let found = Walk(&steps).deserialize(&mut json).ok()?;
    json.end().ok()?;
    found
}

/// A walk along the steps that are left. Values of other types than the way needs end it.
struct Walk<'s>(&'s [Cow<'s, str>]);

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = Option<Items<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = Option<Items<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a list, or what leads to it")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (step, rest) = self.0.split_first().ok_or_else(|| A::Error::custom("no list"))?;
        let mut found = None;
        while let Some(key) = map.next_key_seed(Key)? {
            // as everywhere, the last of several members with the same key is the one that counts
            if key == *step {
                found = map.next_value_seed(Walk(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let Some((step, rest)) = self.0.split_first() else {
            let mut all = Items { texts: Vec::new(), left_out: 0 };
            while all.texts.len() < limits::ITEMS_PER_MESSAGE {
                let Some(raw) = seq.next_element::<&'de RawValue>()? else { return Ok(Some(all)) };
                all.texts.push(raw.get());
            }
            while seq.next_element::<IgnoredAny>()?.is_some() {
                all.left_out += 1;
            }
            return Ok(Some(all));
        };
        let mut before = index(step).ok_or_else(|| A::Error::custom("no list"))?;
        while before > 0 && seq.next_element::<IgnoredAny>()?.is_some() {
            before -= 1;
        }
        let found = seq.next_element_seed(Walk(rest))?.flatten();
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// A place in a list: digits without a leading zero.
fn index(step: &str) -> Option<usize> {
    let plain = step.bytes().all(|b| b.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
    plain.then(|| step.parse().ok())?
}

/// A key, borrowed where it holds no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(key.into())
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(key.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn of<'t>(message: &'t str, pointer: &str) -> Option<Vec<&'t str>> {
        items(message, &Pointer(pointer.into())).map(|i| i.texts)
    }

    #[test]
    fn gives_members_as_they_are_written() {
        let m =
            r#"{"x":[9], "data":{"a/b":[ {"id" : 1} ,"two\n", 3.0,[4]],"n":null},"list":[[1],{"in":[5]}],"data2":1}"#;
        assert_eq!(of(m, "/data/a~1b"), Some(vec![r#"{"id" : 1}"#, r#""two\n""#, "3.0", "[4]"]));
        assert_eq!(of(m, "/list/1/in"), Some(vec!["5"]));
        assert_eq!(of(" [1 , 2]\n", ""), Some(vec!["1", "2"]));
        assert_eq!(of("[]", ""), Some(vec![]));
        assert_eq!(of(r#"{"\u0061":[1],"a":[2]}"#, "/a"), Some(vec!["2"]), "the last counts");
        assert_eq!(of(r#"{"\u0061":[1]}"#, "/a"), Some(vec!["1"]));
        for (pointer, why) in [
            ("", "an object"),
            ("/data", "an object"),
            ("/data/n", "null"),
            ("/data2", "a number"),
            ("/data2/x", "nothing in a number"),
            ("/none", "nothing"),
            ("/list/2/in", "past the end"),
            ("/list/01/in", "no index"),
            ("/list/x", "no index"),
            ("data", "no pointer"),
        ] {
            assert_eq!(of(m, pointer), None, "{pointer}: {why}");
        }
        for junk in ["", "[", "[1]]", "[1,]", "{\"data\"", "[1] x"] {
            assert_eq!(of(junk, ""), None, "{junk}");
        }
    }

    #[test]
    fn long_and_deep_messages_are_bounded() {
        let n = limits::ITEMS_PER_MESSAGE;
        let many = format!("[{}]", vec!["7"; n + 5].join(","));
        let all = items(&many, &Pointer::default()).unwrap();
        assert_eq!((all.texts.len(), all.left_out), (n, 5));
        let deep = format!("{}1{}", "[".repeat(900_000), "]".repeat(900_000));
        assert_eq!(of(&deep, &"/0".repeat(250)), None);
        assert_eq!(of(&deep, "").map(|i| i.len()), Some(1), "what is not walked through is not read");
        assert_eq!(of(&"{\"\":".repeat(300_000), &"/".repeat(500)), None);
    }

    proptest! {
        #[test]
        fn finds_what_a_parse_finds(n in 0usize..4, pointer in "(/[ab0-2]){0,3}", bytes in ".{0,40}") {
            let part = [r#"[1,"x"]"#, r#"{"a":[[2],{"b":[3]}],"b":{"1":[4]}}"#, "null", r#"[{"a":[5]},[[6]]]"#][n];
            let message = format!(r#"{{"a":{part},"b":[{part},{part}]}}"#);
            let value: Value = serde_json::from_str(&message).unwrap();
            let theirs = value.pointer(&pointer).and_then(Value::as_array).cloned();
            let ours = of(&message, &pointer);
            let ours = ours.map(|i| i.iter().map(|t| serde_json::from_str::<Value>(t).unwrap()).collect::<Vec<_>>());
            prop_assert_eq!(ours, theirs);
            of(&bytes, &pointer);
        }
    }
}
