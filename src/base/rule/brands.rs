//! Brands, groups, lists and variables of a rule file.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::account::key_id;
use crate::base::fault::Fault;
use crate::base::figures;
use crate::base::limits;
use crate::base::rule::query::{self, Query};
use crate::base::rule::{Brand, Quantity, keys};
use crate::base::yaml::{Node, Reader};

pub(super) fn brand(r: &mut Reader, slug: Arc<str>, key: &Node, node: &Node) -> Option<Brand> {
    let fields = r.fields(node, &format!("brand `{slug}`"), &keys::BRAND.allowed());
    let broad = fields.get("broad").is_some_and(|n| r.boolean(n, "broad"));
    let include = match fields.get("query") {
        Some(q) => query_of(r, q, broad),
        None => {
            let what = format!("expected a `query` in brand `{slug}`, found none");
            r.fault(key, what).hint = Some("for example query: '\"united airlines\" OR @united'".into());
            None
        }
    };
    let exclude = match fields.get("exclude") {
        Some(q) => Some(query_of(r, q, true)?),
        None => None,
    };
    let mut text = |name: &str| fields.get(name).and_then(|n| r.text(n, name).map(str::to_string));
    let (name, owner, runbook) = (text("name"), text("owner"), text("runbook"));
    let own = fields.get("own").map(|n| accounts(r, n, "own")).unwrap_or_default();
    let staff = fields.get("staff").map(|n| accounts(r, n, "staff")).unwrap_or_default();
    let vars = fields.get("vars").map(|n| variables(r, n)).unwrap_or_default();
    let query = match exclude {
        Some(x) => Query::all(vec![include?, Query::Not(Box::new(x))]),
        None => include?,
    };
    let (key, name, labels) = (key_id(&slug), name.unwrap_or_else(|| slug.to_string()), BTreeMap::new());
    let (group, members) = (false, Vec::new());
    Some(Brand { key, slug, name, query, own, staff, group, members, labels, owner, runbook, vars })
}

/// A group before its brands are known: without what it takes over from them.
pub(super) fn group(r: &mut Reader, slug: Arc<str>, node: &Node) -> Option<Brand> {
    let fields = r.fields(node, &format!("group `{slug}`"), &keys::GROUP.allowed());
    let mut text = |name: &str| fields.get(name).and_then(|n| r.text(n, name).map(str::to_string));
    let (name, owner, runbook) = (text("name"), text("owner"), text("runbook"));
    let vars = fields.get("vars").map(|n| variables(r, n)).unwrap_or_default();
    let mut labels = BTreeMap::new();
    for (key, value) in fields.get("labels").map(|n| r.pairs(n, "labels")).unwrap_or_default() {
        if labels.len() >= limits::VARIABLES {
            r.fault(key, format!("expected at most {} labels, found more", limits::VARIABLES));
            break;
        }
        let (name, value) = (r.text(key, "a label's name"), r.text(value, "a label's value"));
        labels.extend(name.zip(value).map(|(n, v)| (n.to_string(), v.to_string())));
    }
    let members = match fields.get("brands") {
        Some(n) => texts(r, n, "brands", limits::BRANDS),
        None => Vec::new(),
    };
    if members.is_empty() {
        r.fault(node, format!("expected `brands` in group `{slug}`, found none")).hint =
            Some("for example brands: [united, united_express]".into());
        return None;
    }
    let (key, name, query) = (key_id(&slug), name.unwrap_or_else(|| slug.to_string()), Query::Or(Vec::new()));
    let (own, staff) = (Vec::new(), Vec::new());
    Some(Brand { key, slug, name, query, own, staff, group: true, members, labels, owner, runbook, vars })
}

/// The authors of a list.
pub(super) fn list(r: &mut Reader, name: &str, node: &Node) -> Option<Vec<String>> {
    let fields = r.fields(node, &format!("list `{name}`"), &keys::LIST.allowed());
    let authors = fields.get("authors").map(|n| accounts(r, n, "authors")).unwrap_or_default();
    if authors.is_empty() {
        r.fault(node, format!("expected `authors` in list `{name}`, found none")).hint =
            Some("for example authors: [\"bluesky:did:plc:...\"]".into());
        return None;
    }
    Some(authors)
}

fn texts(r: &mut Reader, node: &Node, what: &str, limit: usize) -> Vec<String> {
    let mut out = Vec::new();
    for item in r.items(node, &format!("`{what}`")) {
        if out.len() >= limit {
            r.fault(item, format!("expected at most {limit} of `{what}`, found more"));
            break;
        }
        out.extend(r.text(item, "a text").map(str::to_string));
    }
    out
}

/// Accounts: `source:id`, `source:@name`, an id or a name.
fn accounts(r: &mut Reader, node: &Node, what: &str) -> Vec<String> {
    let mut out = Vec::new();
    for item in r.items(node, &format!("`{what}`")) {
        let Some(text) = r.text(item, "an account") else { continue };
        if out.len() >= limits::LISTED_ACCOUNTS {
            r.fault(item, format!("expected at most {} accounts, found more", limits::LISTED_ACCOUNTS));
            break;
        }
        let (source, rest) = text.split_once(':').unwrap_or(("", text));
        let ok = !rest.trim_matches('@').trim().is_empty() && !text.contains(char::is_whitespace);
        if !ok {
            r.fault(item, format!("expected an account, found `{text}`")).hint =
                Some("write source:id or source:@name, for example bluesky:did:plc:abc".into());
            continue;
        }
        if source == "bluesky" && !rest.starts_with("did:") {
            let mut fault = Fault::at(r.place(item), format!("expected a DID, found the handle `{rest}`"));
            fault.hint =
                Some("posts of bluesky carry DIDs only, so a handle is never met; look it up and write the DID".into());
            fault.warning = true;
            r.tell(fault);
        }
        out.push(text.to_string());
    }
    out
}

fn query_of(r: &mut Reader, node: &Node, broad: bool) -> Option<Query> {
    let text = r.text(node, "a query")?;
    match query::parse(text) {
        Err(e) => {
            r.tell(Fault { hint: e.hint, ..Fault::at(r.place_in(node, e.offset), e.what) });
            None
        }
        Ok(q) if !broad && !q.has_required_term() => {
            let hint = "add a term of the text, a link or an account that must be there, or set broad: true to look at every post";
            let what = "expected a query that needs at least one term, found one that matches nearly everything";
            r.fault(node, what).hint = Some(hint.into());
            None
        }
        Ok(q) => Some(q),
    }
}

pub(super) fn variables(r: &mut Reader, node: &Node) -> BTreeMap<String, Quantity> {
    let mut out = BTreeMap::new();
    for (key, value) in r.pairs(node, "vars") {
        let (Some(name), Some(text)) = (r.text(key, "a variable's name"), r.text(value, "a number")) else { continue };
        let ok = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
        if !ok {
            r.fault(key, format!("expected letters, digits and _, found `{name}`"));
        }
        if out.len() >= limits::VARIABLES {
            r.fault(key, format!("expected at most {} variables, found more", limits::VARIABLES));
            break;
        }
        let number = figures::number(text).map(|value| Quantity { value, span: false });
        match number.or_else(|| figures::seconds(text).map(|value| Quantity { value, span: true })) {
            Some(x) => {
                if out.insert(name.to_string(), x).is_some() {
                    r.fault(key, format!("expected `{name}` once in vars, found it again"));
                }
            }
            None => {
                r.fault(value, format!("expected a number, found `{text}`")).hint =
                    Some("write 5, 0.4, 40%, 250k, 10m".into());
            }
        }
    }
    out
}

pub(super) fn is_slug(s: &str) -> bool {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    s.len() <= 100 && s.starts_with(ok) && s.chars().all(|c| ok(c) || matches!(c, '_' | '-'))
}
