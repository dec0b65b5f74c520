//! Text that YAML took for a comment: ` #tag` in a query without quotes.

use super::Notes;
use super::seen::{At, Seen, get, is_plain, text};

pub(super) fn warnings(seen: &Seen<'_, '_>, out: &mut Notes) {
    for brand in seen.brands.iter().filter(|b| !b.group) {
        for key in ["query", "exclude"] {
            if let Some(node) = get(brand.node, key) {
                look(seen, (brand.key.0, node), key, out);
            }
        }
    }
    for written in &seen.rules {
        let summary = get(written.at.1, "summary").map(|n| ("summary", n));
        let conditions = written.conditions.iter().map(|n| ("condition", *n));
        for (name, node) in conditions.chain(get(written.at.1, "clear").map(|n| ("clear", n))).chain(summary) {
            look(seen, (written.at.0, node), name, out);
        }
    }
}

fn look(seen: &Seen<'_, '_>, at: At<'_>, name: &str, out: &mut Notes) {
    let (Some(kept), true) = (text(at.1), is_plain(at.1)) else { return };
    let Some(reader) = seen.readers.get(at.0) else { return };
    let end = reader.place_in(at.1, kept.len());
    let rest = reader.rest_of(end.line, end.column);
    let lost = rest.trim();
    // people write a space after the # of a comment
    let tag = lost.strip_prefix('#').and_then(|t| t.chars().next()).is_some_and(char::is_alphabetic);
    if !tag || !rest.starts_with([' ', '\t']) {
        return;
    }
    let lost: String = lost.chars().take(40).collect();
    let what =
        format!("expected the whole {name} to count, found `{lost}` after a space, which YAML takes for a comment");
    let hint = format!("put the {name} in quotes: '… {lost}'; for a comment write a space after #");
    out.add(seen, at, kept.len(), what, hint);
}
