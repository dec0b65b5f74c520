//! One rule of a rule file.

use crate::base::fault::{Fault, nearest};
use crate::base::limits;
use crate::base::model::Severity;
use crate::base::rule::expr::{Expr, Lets, Type, with_names};
use crate::base::rule::{Dim, Level, Rule, Template, keys, lets, twins};
use crate::base::time::Span;
use crate::base::yaml::{Data, Fields, Node, Reader};

/// Reads one rule; every mistake becomes a fault of the reader. `left`: how many measures and numbers names of `let`
/// may still stand for in the rules of this set.
pub(super) fn rule(r: &mut Reader, node: &Node, left: &mut usize) -> Option<Rule> {
    let fields = r.fields(node, "a rule", &keys::RULE.allowed());
    let name = match fields.get("alert") {
        Some(n) => r.text(n, "a rule's name").map(str::to_string),
        None => {
            r.fault(node, "expected `alert`, the name of the rule, found none");
            None
        }
    };
    let hold = fields.get("for").and_then(|n| r.span(n, "`for`")).unwrap_or(Span::ZERO);
    let keep_firing_for =
        fields.get("keep_firing_for").and_then(|n| r.span(n, "`keep_firing_for`")).unwrap_or(Span::ZERO);
    let named = lets::read(r, &fields, *left);
    let clear = fields.get("clear").and_then(|n| condition(r, n, &named));
    let by = by(r, fields.get("by").copied());
    let only = fields.get("brands").map(|n| scope(r, n)).unwrap_or_default();
    let told = fields.get("notify").map(|n| receivers(r, n)).unwrap_or_default();
    let mut text = |name: &str| fields.get(name).and_then(|n| r.text(n, name).map(str::to_string));
    let runbook = text("runbook");
    let summary = fields.get("summary").and_then(|n| template(r, n, &named));
    let (shadow, twin) = twins::read(r, &fields);
    let levels = levels(r, node, &fields, (hold, &named));
    let (lets, used) = named.finish();
    *left = left.saturating_sub(used);
    if levels.is_empty() {
        return None;
    }
    let mut rule = Rule {
        place: format!("{}:{}", r.file, node.line),
        name: name?,
        only,
        by,
        plan: 0,
        mark: 0,
        levels,
        lets,
        clear,
        keep_firing_for,
        summary,
        runbook,
        notify: told,
        sequences: 0,
        shadow,
        twin,
        operands: Vec::new(),
    };
    rule.place_sequences();
    Some(rule)
}

/// The keys of the brands a rule is for.
fn scope(r: &mut Reader, node: &Node) -> Vec<String> {
    let mut out = Vec::new();
    for item in r.items(node, "`brands`") {
        out.extend(r.text(item, "a brand's key").map(str::to_string));
    }
    if out.is_empty() {
        r.fault(node, "expected keys of brands, found none").hint = Some("leave `brands` out for all brands".into());
    }
    out.sort();
    out.dedup();
    out
}

/// The names of receivers; whether there are such is the config's business.
fn receivers(r: &mut Reader, node: &Node) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in r.items(node, "`notify`") {
        let Some(name) = r.text(item, "the name of a receiver").map(str::to_string) else { continue };
        if out.contains(&name) {
            r.fault(item, format!("expected receiver `{name}` once, found it again"));
        } else if out.len() >= limits::RECEIVERS_NAMED {
            r.fault(item, format!("expected at most {} receivers, found more", limits::RECEIVERS_NAMED));
            break;
        } else {
            out.push(name);
        }
    }
    if out.is_empty() {
        r.fault(node, "expected names of receivers, found none").hint =
            Some("leave `notify` out to tell those of the config's routes".into());
    }
    out
}

fn template(r: &mut Reader, node: &Node, lets: &Lets) -> Option<Template> {
    let text = r.text(node, "a summary")?;
    match Template::parse(text, lets) {
        Ok(t) => Some(t),
        Err(e) => {
            r.tell(Fault { hint: e.hint, ..Fault::at(r.place_in(node, e.offset), e.what) });
            None
        }
    }
}

fn condition(r: &mut Reader, node: &Node, lets: &Lets) -> Option<Expr> {
    let text = r.text(node, "a condition")?;
    match with_names(text, lets, Type::Condition) {
        Ok(e) => Some(e),
        Err(e) => {
            r.tell(Fault { hint: e.hint, ..Fault::at(r.place_in(node, e.offset), e.what) });
            None
        }
    }
}

fn by(r: &mut Reader, node: Option<&Node>) -> Vec<Dim> {
    let Some(node) = node else { return vec![Dim::Brand] };
    let mut dims = Vec::new();
    for item in r.items(node, "`by`") {
        let Some(word) = r.text(item, "a dimension") else { continue };
        match Dim::ALL.into_iter().find(|d| d.name() == word) {
            Some(d) => {
                if dims.contains(&d) {
                    r.fault(item, format!("expected `{word}` once, found it again"));
                }
                dims.push(d);
            }
            None => {
                let names = Dim::ALL.map(Dim::name);
                let hint = match nearest(word, names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known: {}", names.join(", ")),
                };
                r.fault(item, format!("expected a dimension, found `{word}`")).hint = Some(hint);
            }
        }
    }
    match (dims.contains(&Dim::Brand), dims.contains(&Dim::Group)) {
        (true, true) => {
            r.fault(node, "expected `brand` or `group` in `by`, found both");
        }
        (false, false) => {
            r.fault(node, "expected `brand` or `group` in `by`, found none").hint =
                Some("write by: [brand, story]".into());
        }
        _ => {}
    }
    dims.sort();
    dims.dedup();
    dims
}

fn levels(r: &mut Reader, node: &Node, fields: &Fields, (hold, lets): (Span, &Lets)) -> Vec<Level> {
    match (fields.get("when"), fields.get("levels")) {
        (Some(_), Some(levels)) => {
            r.fault(levels, "expected `when` or `levels`, found both");
            Vec::new()
        }
        (None, None) => {
            r.fault(node, "expected `when` or `levels`, found neither").hint =
                Some("for example when: mentions[10m] >= 20".into());
            Vec::new()
        }
        (Some(when), None) => {
            let severity = match fields.get("severity") {
                Some(n) => severity(r, n),
                None => {
                    r.fault(node, "expected `severity`, found none").hint = Some("one of info, warn, page".into());
                    None
                }
            };
            let when = condition(r, when, lets);
            when.zip(severity).map(|(when, severity)| Level { severity, when, hold }).into_iter().collect()
        }
        (None, Some(levels)) => {
            if let Some(n) = fields.get("severity") {
                r.fault(n, "expected no `severity` beside `levels`, found one");
            }
            let mut out: Vec<Level> = Vec::new();
            for (key, value) in r.pairs(levels, "levels") {
                let Some(severity) = severity(r, key) else { continue };
                if out.iter().any(|l| l.severity == severity) {
                    r.fault(key, format!("expected `{}` once in levels, found it again", severity.name()));
                }
                out.extend(level(r, value, severity, (hold, lets)));
            }
            if out.is_empty() {
                r.fault(levels, "expected at least one level, found none that can be used");
            }
            out.sort_by_key(|l| l.severity);
            out
        }
    }
}

fn level(r: &mut Reader, node: &Node, severity: Severity, (hold, lets): (Span, &Lets)) -> Option<Level> {
    if !matches!(node.data, Data::Map(_)) {
        return condition(r, node, lets).map(|when| Level { severity, when, hold });
    }
    let fields = r.fields(node, "a level", &keys::LEVEL.allowed());
    let hold = fields.get("for").and_then(|n| r.span(n, "`for`")).unwrap_or(hold);
    match fields.get("when") {
        Some(when) => condition(r, when, lets).map(|when| Level { severity, when, hold }),
        None => {
            r.fault(node, "expected `when` in a level, found none");
            None
        }
    }
}

fn severity(r: &mut Reader, node: &Node) -> Option<Severity> {
    let word = r.text(node, "a severity")?;
    let found = Severity::ALL.into_iter().find(|s| s.name() == word);
    if found.is_none() {
        r.fault(node, format!("expected a severity, found `{word}`")).hint = Some("one of info, warn, page".into());
    }
    found
}
