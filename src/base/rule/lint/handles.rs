//! Handles of Bluesky where only DIDs are met.

use super::seen::{At, Seen, get, text};
use super::{Kind, Notes};
use crate::base::rule::expr::{Field, Operand};
use crate::base::rule::query::{Query, Term};

const HINT: &str = "posts of bluesky carry DIDs only, so a handle is never met; look it up and write the DID";

pub(super) fn warnings(seen: &Seen<'_, '_>, out: &mut Notes) {
    for brand in seen.brands.iter().filter(|b| !b.group) {
        for key in ["query", "exclude"] {
            if let Some((at, q)) = seen.query(brand, key) {
                of_query(&q, &mut |account| tell(seen, at, account, out));
            }
        }
    }
    for written in &seen.rules {
        let clear = get(written.at.1, "clear");
        let levels = written.rule.levels.iter().map(|l| &l.when).zip(written.conditions.iter().copied());
        for (e, node) in levels.chain(written.rule.clear.as_ref().zip(clear)) {
            let at = (written.at.0, node);
            e.each_series(&mut |s| {
                for x in s.selectors.iter().filter(|x| x.field == Field::Author) {
                    if let Operand::Text(account) = &x.value {
                        tell(seen, at, account, out);
                    }
                }
            });
        }
    }
}

fn of_query(q: &Query, f: &mut impl FnMut(&str)) {
    match q {
        Query::And(parts) | Query::Or(parts) => parts.iter().for_each(|p| of_query(p, f)),
        Query::Not(inner) => of_query(inner, f),
        Query::Term(Term::Author(a) | Term::To(a)) => f(a),
        Query::Term(_) | Query::Near(..) => {}
    }
}

fn tell(seen: &Seen<'_, '_>, at: At<'_>, account: &str, out: &mut Notes) {
    let Some(handle) = account.strip_prefix("bluesky:").filter(|rest| !rest.starts_with("did:")) else { return };
    let place = text(at.1).and_then(|t| t.find(account)).unwrap_or(0);
    out.add(seen, Kind::Query, at, place, format!("expected a DID, found the handle `{handle}`"), HINT);
}
