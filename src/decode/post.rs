//! The generic post format: one JSON object a line.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::loose::{Loose, Text, followers};
use super::words::Word;
use super::{is_name, language};
use crate::base::limits;
use crate::base::model::{Decoded, Post, PostKind};
use crate::base::time::Time;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    author: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow)]
    time: &'a RawValue,
    #[serde(borrow, default)]
    author_name: Loose<Text<'a>>,
    #[serde(default)]
    followers: Loose<f64>,
    #[serde(borrow, default)]
    lang: Loose<Text<'a>>,
    #[serde(borrow, default)]
    kind: Loose<Text<'a>>,
    #[serde(borrow, default)]
    parent: Loose<Text<'a>>,
    #[serde(borrow, default)]
    root: Loose<Text<'a>>,
    #[serde(borrow, default)]
    url: Loose<Text<'a>>,
    #[serde(borrow, default)]
    links: Loose<Vec<Loose<Text<'a>>>>,
}

pub(super) fn decode(text: &str) -> Option<Decoded<'_>> {
    let line: Line = serde_json::from_str(text).ok()?;
    let time = time(line.time.get())?;
    if ![&line.id, &line.source, &line.author].into_iter().all(|name| is_name(name)) {
        return None;
    }
    let (kind, edit) = match line.kind.text().map_or(Some(Word::Is(PostKind::Post)), |w| Word::of(&w)) {
        Some(Word::Is(kind)) => (kind, false),
        Some(Word::Edit) => (PostKind::Post, true),
        Some(Word::Delete) => return Some(Decoded::Delete { source: line.source, id: line.id, time }),
        None => return Some(Decoded::Other { time: Some(time) }),
    };
    let links = line.links.0.unwrap_or_default();
    Some(Decoded::Post(Box::new(Post {
        author_name: line.author_name.text(),
        text: line.text,
        followers: followers(line.followers),
        lang: line.lang.text().and_then(language),
        kind,
        edit,
        parent: line.parent.text(),
        root: line.root.text(),
        url: line.url.text(),
        links: links.into_iter().filter_map(Loose::text).take(limits::LINKS_PER_POST).collect(),
        ..Post::blank(line.source, line.id, line.author, time)
    })))
}

/// RFC 3339 as a string, or Unix milliseconds as a number.
fn time(raw: &str) -> Option<Time> {
    if raw.starts_with('"') {
        let text: Cow<str> = serde_json::from_str::<Text>(raw).ok()?.0;
        return Time::parse_rfc3339(&text);
    }
    let ms: f64 = raw.parse().ok()?;
    Time::from_millis(ms as i64).plausible().filter(|_| ms.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"id":"x1","source":"forum","author":"alice","author_name":"Alice","text":"a \"b\"","time":"2026-07-04T14:38:06.240Z","followers":1200,"lang":"en-GB","kind":"quote","parent":"p","root":null,"url":"https://forum.example/x1","links":["https://video.example/1",5],"more":{"x":[1]}}"#;

    fn post(text: &str) -> Post<'_> {
        match decode(text) {
            Some(Decoded::Post(p)) => *p,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_every_key() {
        let p = post(FULL);
        assert_eq!((&*p.id, &*p.source, &*p.author, &*p.text), ("x1", "forum", "alice", "a \"b\""));
        assert_eq!((p.followers, p.lang.as_deref(), p.kind), (Some(1200), Some("en"), PostKind::Quote));
        assert_eq!((p.parent.as_deref(), p.root.as_deref(), p.links.len()), (Some("p"), None, 1));
        assert_eq!(p.time.to_string(), "2026-07-04T14:38:06.240Z");
    }

    #[test]
    fn wrong_types_are_unknown_or_malformed() {
        let with = |from: &str, to: &str| FULL.replace(from, to);
        for (from, to) in [
            ("1200", "-5"),
            ("1200", "1e308"),
            ("1200", "\"many\""),
            ("1200", "1.5"),
            ("1200", "null"),
            ("1200", "[1]"),
        ] {
            assert_eq!(post(&with(from, to)).followers, None, "{to}");
        }
        assert_eq!(
            post(&with("\"2026-07-04T14:38:06.240Z\"", "1783175886240")).time.to_string(),
            "2026-07-04T14:38:06.240Z"
        );
        for (from, to) in [
            ("\"x1\"", "5"),
            ("\"alice\"", "null"),
            ("\"a \\\"b\\\"\"", "[]"),
            ("\"2026-07-04T14:38:06.240Z\"", "\"soon\""),
            ("\"2026-07-04T14:38:06.240Z\"", "1e300"),
            ("\"2026-07-04T14:38:06.240Z\"", "-1"),
            ("\"x1\"", "\"\""),
            ("\"id\"", "\"di\""),
        ] {
            assert_eq!(decode(&with(from, to)), None, "{from} -> {to}");
        }
        assert!(matches!(decode(&with("\"quote\"", "\"like\"")), Some(Decoded::Other { .. })));
        assert!(matches!(decode(&with("\"quote\"", "\"delete\"")), Some(Decoded::Delete { .. })));
        assert_eq!(post(&with("\"quote\"", "7")).kind, PostKind::Post);
    }

    #[test]
    fn nested_brackets_do_no_harm() {
        let deep = format!("{{\"id\":{}", "[".repeat(1_000_000));
        assert_eq!(decode(&deep), None);
        assert_eq!(decode(&FULL.replace("[1]", &"[".repeat(1_000_000))), None);
    }
}
