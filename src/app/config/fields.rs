//! Where the fields of a post stand in the JSON of a source.

use std::collections::BTreeMap;

use super::keys;
use super::reading::Reading;
use crate::base::limits;
use crate::base::model::{FieldMap, Pointer, TimeUnit};
use crate::base::yaml::{Fields, Node};

/// The field map of a WebSocket source; `None` if there is a mistake in what is needed.
pub(super) fn field_map(c: &mut Reading, name: &str, key: &Node, source: &Fields) -> Option<FieldMap> {
    let network = source.get("network").and_then(|n| c.name(n, "a network")).unwrap_or(name).into();
    let mut only = Vec::new();
    for (key, value) in source.get("only").map(|n| c.pairs(n, "`only`")).unwrap_or_default() {
        let texts = c.texts(Some(value), "a text");
        if texts.is_empty() {
            c.r.fault(value, "expected texts that must stand there, found none");
        }
        only.extend(pointer(c, key).map(|p| (p, texts.into_iter().map(String::into_boxed_str).collect())));
    }
    let mut kinds = BTreeMap::new();
    for (word, kind) in source.get("kinds").map(|n| c.pairs(n, "`kinds`")).unwrap_or_default() {
        let found = c.word(kind, "a kind of post", keys::POST_KINDS).and_then(|i| keys::POST_KINDS.get(i));
        let (Some(word), Some(kind)) = (c.r.text(word, "a word"), found) else { continue };
        kinds.insert(word.into(), (*kind).into());
    }
    let Some(node) = source.get("fields") else {
        c.r.fault(key, format!("expected `fields` in source `{name}`, found none")).hint =
            Some("fields: {id: /id, author: /user/id, text: /text, time: /created}".into());
        return None;
    };
    let fields = c.r.fields(node, "`fields`", &keys::FIELDS.allowed());
    let unit = fields.get("time_unit").and_then(|n| c.word(n, "a unit of time", keys::UNITS));
    let time_unit = match unit {
        Some(1) => TimeUnit::Seconds,
        Some(2) => TimeUnit::Micros,
        _ => TimeUnit::Millis,
    };
    if let Some(words) = source.get("kinds")
        && !fields.contains_key("kind")
    {
        c.r.fault(words, "expected `kind` among the fields beside `kinds`, found none").hint =
            Some("fields: {kind: /type}".into());
    }
    let mut at = |name: &str| fields.get(name).and_then(|n| pointer(c, n));
    let needed = [at("id"), at("author"), at("text"), at("time")];
    let (author_name, followers, lang, kind) = (at("author_name"), at("followers"), at("lang"), at("kind"));
    let (parent, root, url, links) = (at("parent"), at("root"), at("url"), at("links"));
    let missing: Vec<&str> = keys::FIELDS.keys.iter().filter(|k| k.is_needed()).map(|k| k.name).collect();
    for name in missing.into_iter().filter(|n| !fields.contains_key(n)) {
        c.r.fault(node, format!("expected `{name}` in `fields`, found none"));
    }
    let [Some(id), Some(author), Some(text), Some(time)] = needed else { return None };
    Some(FieldMap {
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
    })
}

/// A JSON pointer that names a part of a message.
pub(super) fn pointer(c: &mut Reading, node: &Node) -> Option<Pointer> {
    let text = c.r.text(node, "a JSON pointer")?;
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !text.starts_with('/') || !escapes || text.len() > limits::NAME_BYTES {
        c.r.fault(node, format!("expected a JSON pointer, found {}", node.shown())).hint =
            Some("for example /user/id; within a name write ~1 for / and ~0 for ~".into());
        return None;
    }
    Some(Pointer(text.into()))
}
