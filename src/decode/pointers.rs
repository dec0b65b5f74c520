//! Any JSON, by the places of its fields.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::loose::{Loose, followers};
use super::words::Word;
use super::{is_name, language};
use crate::base::limits;
use crate::base::model::{Decoded, FieldMap, Pointer, Post, PostKind, TimeUnit};
use crate::base::time::Time;

/// Whole numbers below this are exact as floating point numbers.
const EXACT: f64 = (1u64 << 53) as f64;

pub(super) fn decode<'a>(map: &'a FieldMap, text: &str) -> Option<Decoded<'a>> {
    let message = Message(serde_json::from_str(text).ok()?);
    let time = message.at(&map.time).and_then(|v| moment(v, map.time_unit));
    let holds = |(place, texts): &(Pointer, Vec<Box<str>>)| {
        message.at(place).and_then(written).is_some_and(|found| texts.iter().any(|t| **t == *found))
    };
    if !map.only.iter().all(holds) {
        return Some(Decoded::Other { time });
    }
    let parent = message.name(map.parent.as_ref());
    let word = message.maybe(map.kind.as_ref()).and_then(written).filter(|w| !w.is_empty());
    let said = match word {
        Some(word) => Word::of(map.kinds.get(&*word).map_or(&*word, |meaning| meaning)),
        None if parent.is_some() => Some(Word::Is(PostKind::Reply)),
        None => Some(Word::Is(PostKind::Post)),
    };
    let Some(said) = said else {
        return Some(Decoded::Other { time });
    };
    let (time, id) = (time?, message.name(Some(&map.id))?);
    let source = Some(&*map.network).filter(|network| is_name(network))?;
    let (kind, edit) = match said {
        Word::Is(kind) => (kind, false),
        Word::Edit => (PostKind::Post, true),
        Word::Delete => return Some(Decoded::Delete { source: source.into(), id, time }),
    };
    let text = match message.at(&map.text) {
        Some(Value::String(text)) => text.clone().into(),
        None | Some(Value::Null) if kind == PostKind::Repost => "".into(),
        _ => return None,
    };
    Some(Decoded::Post(Box::new(Post {
        author_name: message.text(map.author_name.as_ref()),
        text,
        followers: message.maybe(map.followers.as_ref()).and_then(count),
        lang: message.text(map.lang.as_ref()).and_then(language),
        kind,
        edit,
        parent,
        root: message.name(map.root.as_ref()),
        url: message.text(map.url.as_ref()),
        links: message.maybe(map.links.as_ref()).map(links).unwrap_or_default(),
        ..Post::blank(source.into(), id, message.name(Some(&map.author))?, time)
    })))
}

struct Message(Value);

impl Message {
    fn at(&self, place: &Pointer) -> Option<&Value> {
        self.0.pointer(&place.0)
    }

    fn maybe(&self, place: Option<&Pointer>) -> Option<&Value> {
        self.at(place?)
    }

    /// A text that is not empty.
    fn text<'a>(&self, place: Option<&Pointer>) -> Option<Cow<'a, str>> {
        text(self.maybe(place)?)
    }

    /// An id: a text, or a whole number by its digits.
    fn name<'a>(&self, place: Option<&Pointer>) -> Option<Cow<'a, str>> {
        let name = match self.maybe(place)? {
            Value::String(s) => s.clone(),
            Value::Number(n) => whole(n)?,
            _ => return None,
        };
        Some(name).filter(|name| is_name(name)).map(Cow::Owned)
    }
}

fn text<'a>(v: &Value) -> Option<Cow<'a, str>> {
    v.as_str().filter(|s| !s.is_empty()).map(|s| s.to_string().into())
}

/// A text, a number or a boolean as JSON writes it, without quotes.
fn written(v: &Value) -> Option<Cow<'_, str>> {
    match v {
        Value::String(s) => Some(s.as_str().into()),
        Value::Number(n) => Some(n.to_string().into()),
        Value::Bool(b) => Some(if *b { "true" } else { "false" }.into()),
        _ => None,
    }
}

/// The digits of a whole number. One too large to be told from its neighbours is none: two posts
/// must not become one.
fn whole(n: &Number) -> Option<String> {
    if n.is_i64() || n.is_u64() {
        return Some(n.to_string());
    }
    n.as_f64().filter(|x| x.fract() == 0.0 && x.abs() < EXACT).map(|x| (x as i64).to_string())
}

/// A number, or a text that is one.
fn number(v: &Value) -> Option<f64> {
    match v {
        Value::Number(n) => n.as_f64(),
        Value::String(s) if s.bytes().all(|b| b.is_ascii_digit() || b == b'.') => s.parse().ok(),
        _ => None,
    }
}

fn count(v: &Value) -> Option<u64> {
    followers(Loose(number(v)))
}

/// RFC 3339, or a number of units since 1970.
fn moment(v: &Value, unit: TimeUnit) -> Option<Time> {
    let Some(units) = number(v) else {
        return Time::parse_rfc3339(v.as_str()?);
    };
    let micros = match unit {
        TimeUnit::Seconds => units * 1e6,
        TimeUnit::Millis => units * 1e3,
        TimeUnit::Micros => units,
    };
    micros.is_finite().then(|| Time(micros.round() as i64))?.plausible()
}

fn links<'a>(v: &Value) -> Vec<Cow<'a, str>> {
    match v {
        Value::Array(list) => list.iter().filter_map(text).take(limits::LINKS_PER_POST).collect(),
        one => text(one).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn map() -> FieldMap {
        let p = |s: &str| Pointer::new(s).unwrap();
        FieldMap {
            network: "board".into(),
            id: p("/id"),
            author: p("/user/id"),
            text: p("/body"),
            time: p("/at"),
            time_unit: TimeUnit::Seconds,
            author_name: Some(p("/user/name")),
            followers: Some(p("/user/fans")),
            lang: Some(p("/langs/0")),
            kind: Some(p("/type")),
            kinds: [("comment", "reply"), ("gone", "delete"), ("1", "quote"), ("changed", "edit"), ("odd", "what")]
                .into_iter()
                .map(|(a, b)| (a.into(), b.into()))
                .collect(),
            parent: Some(p("/to")),
            root: Some(p("/a~1b/~0")),
            url: Some(p("/url")),
            links: Some(p("/links")),
            only: vec![],
        }
    }

    const FULL: &str = r#"{"id":17,"user":{"id":"alice","name":"Alice","fans":1200},"body":"a \"b\"","at":1783175886.240,"langs":["en-GB"],"type":"comment","to":18446744073709551615,"a/b":{"~":"r"},"url":"https://b.example/17","links":["https://v.example/1",5,""],"more":{"x":[1]}}"#;

    fn post<'a>(map: &'a FieldMap, text: &str) -> Post<'a> {
        match decode(map, text) {
            Some(Decoded::Post(p)) => *p,
            other => panic!("{other:?} of {text}"),
        }
    }

    #[test]
    fn reads_every_field() {
        let map = map();
        let p = post(&map, FULL);
        assert_eq!((&*p.id, &*p.source, &*p.author, &*p.text), ("17", "board", "alice", "a \"b\""));
        assert_eq!((p.author_name.as_deref(), p.followers, p.lang.as_deref()), (Some("Alice"), Some(1200), Some("en")));
        assert_eq!((p.kind, p.edit, p.url.as_deref()), (PostKind::Reply, false, Some("https://b.example/17")));
        assert_eq!((p.parent.as_deref(), p.root.as_deref()), (Some("18446744073709551615"), Some("r")));
        assert_eq!((p.links, p.time.0), (vec![Cow::from("https://v.example/1")], 1_783_175_886_240_000));
    }

    #[test]
    fn needed_fields_are_needed_and_others_are_unknown() {
        let map = map();
        for (from, to) in [
            ("17,", "null,"),
            ("17,", "1.5,"),
            ("17,", "99999999999999999999999,"),
            ("17,", "\"\","),
            ("\"alice\"", "true"),
            ("\"alice\"", "{}"),
            ("\"a \\\"b\\\"\"", "5"),
            ("\"body\"", "\"text\""),
            ("1783175886.240", "-1"),
            ("1783175886.240", "1e300"),
            ("1783175886.240", "\"\""),
            ("1783175886.240", "\"1.2.3\""),
            ("1783175886.240", "\"soon\""),
            ("1783175886.240", "null"),
        ] {
            let with = FULL.replacen(from, to, 1);
            assert!(with != FULL, "{from}");
            assert_eq!(decode(&map, &with), None, "{from} -> {to}");
        }
        assert_eq!(decode(&map, &FULL.replace("alice", &"a".repeat(limits::NAME_BYTES + 1))), None);
        for odd in ["-5", "1.5", "1e308", "\"many\"", "null", "[1]", "\"\""] {
            assert_eq!(post(&map, &FULL.replace("1200", odd)).followers, None, "{odd}");
        }
        assert_eq!(post(&map, &FULL.replace("1200", "\"1200\"")).followers, Some(1200));
        let bare = post(&map, r#"{"id":"x","user":{"id":-7.0},"body":"","at":"2026-07-04T14:38:06.240Z"}"#).clone();
        assert_eq!((&*bare.id, &*bare.author, bare.kind), ("x", "-7", PostKind::Post));
        assert_eq!((bare.parent, bare.url, bare.links.len()), (None, None, 0));
    }

    #[test]
    fn times_are_read_by_their_unit() {
        let at = |unit, time: &str| {
            let map = FieldMap { time_unit: unit, ..map() };
            post(&map, &FULL.replace("1783175886.240", time)).time.0
        };
        for time in ["1783175886.24", "\"1783175886.240\"", "\"2026-07-04T16:38:06.24+02:00\""] {
            assert_eq!(at(TimeUnit::Seconds, time), 1_783_175_886_240_000);
        }
        assert_eq!(at(TimeUnit::Millis, "1783175886240"), 1_783_175_886_240_000);
        assert_eq!(at(TimeUnit::Micros, "\"1783175886240001\""), 1_783_175_886_240_001);
    }

    #[test]
    fn words_say_what_a_post_is() {
        let map = map();
        let with = |to: &str| FULL.replace("\"comment\"", to);
        let kind = |to: &str| (post(&map, &with(to)).kind, post(&map, &with(to)).edit);
        assert_eq!(kind("1"), (PostKind::Quote, false), "a number");
        assert_eq!(kind("\"repost\""), (PostKind::Repost, false), "a word of the generic format");
        assert_eq!(kind("\"changed\""), (PostKind::Post, true));
        assert_eq!(kind("null"), (PostKind::Reply, false), "none told, but a parent");
        let lone = with("[]").replace("\"to\"", "\"ot\"");
        assert_eq!(post(&map, &lone).kind, PostKind::Post);
        for odd in ["\"like\"", "\"odd\"", "2", "true"] {
            assert!(matches!(decode(&map, &with(odd)), Some(Decoded::Other { time: Some(_) })), "{odd}");
        }
        let gone = decode(&map, r#"{"type":"gone","id":17,"at":1783175886}"#);
        assert!(matches!(gone, Some(Decoded::Delete { id, source, .. }) if id == "17" && source == "board"));
        assert_eq!(decode(&map, r#"{"type":"gone","at":1783175886}"#), None);
        let shared = r#"{"type":"repost","id":17,"user":{"id":1},"to":16,"at":1783175886}"#;
        assert_eq!(post(&map, shared).text, "");
        assert_eq!(decode(&map, &shared.replace("repost", "quote")), None);
    }

    #[test]
    fn messages_that_are_no_posts_are_ignored() {
        let only = |place: &str, texts: &[&str]| {
            (Pointer::new(place).unwrap(), texts.iter().map(|t| (*t).into()).collect::<Vec<Box<str>>>())
        };
        let map = FieldMap { only: vec![only("/type", &["comment", "1"]), only("/user/bot", &["false"])], ..map() };
        let person = FULL.replace("\"fans\"", "\"bot\":false,\"fans\"");
        assert_eq!(post(&map, &person).kind, PostKind::Reply);
        assert_eq!(post(&map, &person.replace("\"comment\"", "1")).kind, PostKind::Quote);
        assert!(matches!(decode(&map, FULL), Some(Decoded::Other { time: Some(_) })));
        for note in [r#"{"type":"ping"}"#, "{}", "[]", "null", "7", r#"{"type":{"comment":1}}"#] {
            assert_eq!(decode(&map, note), Some(Decoded::Other { time: None }), "{note}");
        }
        for junk in ["", "{", "ping", "{}{}"] {
            assert_eq!(decode(&map, junk), None, "{junk}");
        }
    }

    #[test]
    fn nested_brackets_do_no_harm() {
        assert_eq!(decode(&map(), &"[".repeat(1_000_000)), None);
        assert_eq!(decode(&map(), &FULL.replace("[1]", &"[".repeat(1_000_000))), None);
        assert_eq!(decode(&map(), &"{\"id\":".repeat(200_000)), None);
    }

    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_string()),
            any::<bool>().prop_map(|b| b.to_string()),
            any::<i64>().prop_map(|n| n.to_string()),
            any::<f64>().prop_map(|x| Value::from(x).to_string()),
            "[0-9.]{0,20}".prop_map(|s| Value::from(s).to_string()),
            ".{0,12}".prop_map(|s| Value::from(s).to_string()),
            Just("\"2026-07-04T14:38:06Z\"".to_string()),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let member = ("[a-c~/0]{0,2}", inner.clone()).prop_map(|(k, v)| format!("{}:{v}", Value::from(k)));
            prop_oneof![
                prop::collection::vec(inner, 0..5).prop_map(|v| format!("[{}]", v.join(","))),
                prop::collection::vec(member, 0..6).prop_map(|v| format!("{{{}}}", v.join(","))),
            ]
        })
    }

    fn any_map() -> impl Strategy<Value = FieldMap> {
        let place = || "(/[a-c0]|/~[01]|[a~]|/){0,3}".prop_map(|s| Pointer(s.into()));
        let maybe = || proptest::option::of(place());
        let places = (place(), place(), place(), place());
        let unit = prop_oneof![Just(TimeUnit::Seconds), Just(TimeUnit::Millis), Just(TimeUnit::Micros)];
        (places, unit, prop::array::uniform9(maybe())).prop_map(|((id, author, text, time), time_unit, m)| {
            let [author_name, followers, lang, kind, parent, root, url, links, only] = m;
            let only = only.into_iter().map(|place| (place, vec!["true".into(), "a".into()])).collect();
            let (network, kinds) = ("n".into(), [("a".into(), "reply".into())].into());
            FieldMap {
                network,
                id,
                author,
                text,
                time,
                time_unit,
                author_name,
                followers,
                lang,
                kind,
                kinds,
                parent,
                root,
                url,
                links,
                only,
            }
        })
    }

    proptest! {
        #[test]
        fn any_message_through_any_map_comes_to_an_end(map in any_map(), text in json(), bytes in any::<Vec<u8>>()) {
            let seen = decode(&map, &text);
            if let Some(Decoded::Post(p)) = &seen {
                prop_assert!(is_name(&p.id) && is_name(&p.author) && p.time.plausible().is_some());
            }
            decode(&map, &String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_value_in_any_field_comes_to_an_end(value in json(), at in 0usize..10) {
            let map = map();
            let fields = [
                "17,", r#""alice""#, r#""Alice""#, "1200", "1783175886.240", r#"["en-GB"]"#, r#""comment""#,
                "18446744073709551615", r#"["https://v.example/1",5,""]"#, r#"{"x":[1]}"#,
            ];
            let text = FULL.replacen(fields[at].trim_end_matches(','), &value, 1);
            let seen = decode(&map, &text);
            prop_assert!(seen.is_some() || [0, 1, 4].contains(&at), "{}", text);
            if let Some(Decoded::Post(p)) = &seen {
                prop_assert!(is_name(&p.id) && is_name(&p.author) && p.time.plausible().is_some());
                prop_assert!(p.followers.is_none_or(|f| f <= limits::FOLLOWERS));
            }
        }
    }
}
