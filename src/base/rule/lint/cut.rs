//! Text that YAML took for a comment: ` #tag` in a query without quotes.

use super::seen::{At, Seen, get, is_plain, pair, text};
use super::{Kind, Notes};
use crate::base::yaml::{Node, Reader};

pub(super) fn warnings(seen: &Seen<'_, '_>, out: &mut Notes) {
    for brand in seen.brands.iter().filter(|b| !b.group) {
        for key in ["query", "exclude"] {
            if let Some(pair) = pair(brand.node, key) {
                look(seen, brand.key.0, pair, key, out);
            }
        }
    }
    for (file, node) in &seen.rule_nodes {
        let levels = get(node, "levels");
        let of_level = |name| levels.and_then(|l| pair(l, name)).map(pair_of_level);
        let levels = ["info", "warn", "page"].into_iter().filter_map(of_level).map(|p| ("condition", p));
        let named = [("when", "condition"), ("clear", "clear"), ("summary", "summary")];
        let own = named.into_iter().filter_map(|(key, name)| Some((name, pair(node, key)?)));
        for (name, pair) in own.chain(levels) {
            look(seen, *file, pair, name, out);
        }
    }
}

/// The condition of a level, which may stand alone.
fn pair_of_level<'n>(level: (&'n Node, &'n Node)) -> (&'n Node, &'n Node) {
    if text(level.1).is_some() { level } else { pair(level.1, "when").unwrap_or(level) }
}

fn look(seen: &Seen<'_, '_>, file: usize, (key, node): (&Node, &Node), name: &str, out: &mut Notes) {
    let (Some(kept), true, Some(reader)) = (text(node), is_plain(node), seen.readers.get(file)) else { return };
    let (at, offset, rest) = if kept.is_empty() {
        let Some(rest) = after_key(reader, key) else { return };
        ((file, key), 0, rest)
    } else {
        let end = reader.place_in(node, kept.len());
        ((file, node), kept.len(), reader.rest_of(end.line, end.column))
    };
    let lost = rest.trim();
    // people write a space after the # of a comment
    let tag = |c: char| c.is_alphanumeric() || c == '_' || !(c.is_ascii() || c.is_whitespace());
    if !lost.strip_prefix('#').is_some_and(|t| t.starts_with(tag)) || !rest.starts_with([' ', '\t']) {
        return;
    }
    tell(seen, at, offset, (name, lost), out);
}

fn tell(seen: &Seen<'_, '_>, at: At<'_>, offset: usize, (name, lost): (&str, &str), out: &mut Notes) {
    let lost: String = lost.chars().take(40).collect();
    let what =
        format!("expected the whole {name} to count, found `{lost}` after a space, which YAML takes for a comment");
    let hint = format!("put the {name} in quotes: '… {lost}'; for a comment write a space after #");
    out.add(seen, Kind::Cut, at, offset, what, hint);
}

/// What stands behind a key in its line.
fn after_key(reader: &Reader<'_>, key: &Node) -> Option<String> {
    let rest = reader.rest_of(key.line, key.column);
    Some(rest.strip_prefix(text(key)?)?.strip_prefix(':')?.to_string())
}
