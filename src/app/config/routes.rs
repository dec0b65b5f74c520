//! Which messages go to which receivers, and which of them keep others quiet.

use std::sync::Arc;

use super::keys;
use super::reading::Reading;
use crate::base::fault::{Fault, nearest};
use crate::base::keys::Table;
use crate::base::limits;
use crate::base::model::{OUTAGE_DIGEST, SOURCE_DOWN, STORE_FAILING, Severity};
use crate::base::rule::RuleSet;
use crate::base::yaml::{Fields, Node};
pub use crate::notify::Route;
use crate::notify::{Inhibit, Manner, Match};

/// Reads the list of routes. Every receiver should be named.
pub(super) fn routes(c: &mut Reading, node: Option<&Node>, receivers: &[Arc<str>]) -> Vec<Route> {
    let Some(node) = node else { return Vec::new() };
    let out = branches(c, node, receivers, &[&keys::ROUTE, &keys::BRANCH, &keys::LEAF]);
    let idle = receivers.iter().filter(|n| !is_named(&out, n));
    for name in idle.collect::<Vec<_>>() {
        let fault = c.r.fault(
            node,
            format!("expected a route to receiver `{name}`, found none: it gets only what no route takes"),
        );
        fault.warning = true;
    }
    out
}

fn is_named(routes: &[Route], name: &Arc<str>) -> bool {
    routes.iter().any(|r| r.to.contains(name) || r.then.contains(name) || is_named(&r.routes, name))
}

/// Routes of one level; `tables` has the keys of this and deeper ones.
fn branches(c: &mut Reading, node: &Node, receivers: &[Arc<str>], tables: &[&Table]) -> Vec<Route> {
    let mut out = Vec::new();
    for item in c.items(node, "routes") {
        out.extend(route(c, item, receivers, tables));
    }
    out
}

fn route(c: &mut Reading, node: &Node, receivers: &[Arc<str>], tables: &[&Table]) -> Option<Route> {
    let (table, deeper) = tables.split_first()?;
    let fields = c.r.fields(node, "a route", &table.allowed());
    let when = conditions(c, &fields);
    let goes_on = c.switch(&fields, "continue", false);
    let group_wait = fields.get("group_wait").and_then(|n| c.r.span(n, "`group_wait`"));
    let routes = fields.get("routes").map(|n| branches(c, n, receivers, deeper)).unwrap_or_default();
    let then = fields.get("then").map(|n| named(c, n, receivers)).unwrap_or_default();
    let Some(list) = fields.get("to") else {
        c.r.fault(node, "expected `to` in a route, found none").hint = Some("to: names of receivers".into());
        return None;
    };
    let to = named(c, list, receivers);
    for both in then.iter().filter(|name| to.contains(name)) {
        c.r.fault(node, format!("expected in `then` who is told later, found `{both}`, which `to` names"));
    }
    Some(Route { when, to, then, group_wait, goes_on, routes })
}

/// What a message must meet.
fn conditions(c: &mut Reading, fields: &Fields) -> Match {
    let least = fields.get("severity").and_then(|n| c.word(n, "a severity", keys::SEVERITIES));
    let mut labels = std::collections::BTreeMap::new();
    for (key, value) in fields.get("labels").map(|n| c.pairs(n, "labels")).unwrap_or_default() {
        let (name, value) = (c.r.text(key, "a label's name"), c.r.text(value, "a label's value"));
        labels.extend(name.zip(value).map(|(n, v)| (n.to_string(), v.to_string())));
    }
    Match {
        least: least.and_then(|i| Severity::ALL.get(i)).copied(),
        alerts: c.some_texts(fields.get("alert").copied(), "the name of a rule"),
        brands: c.some_texts(fields.get("brand").copied(), "the key of a brand"),
        labels,
    }
}

/// Names of receivers.
fn named(c: &mut Reading, list: &Node, receivers: &[Arc<str>]) -> Vec<Arc<str>> {
    let mut to: Vec<Arc<str>> = Vec::new();
    for item in c.items(list, "receivers") {
        let Some(name) = c.r.text(item, "the name of a receiver") else { continue };
        match receivers.iter().find(|r| ***r == *name) {
            Some(r) if to.contains(r) => {
                c.r.fault(item, format!("expected receiver {} once, found it again", item.shown()));
            }
            Some(r) => to.push(r.clone()),
            None => {
                let near = nearest(name, receivers.iter().map(|r| &**r)).filter(|_| !item.hidden);
                let known = || format!("known: {}", receivers.join(", "));
                let hint = near.map_or_else(known, |n| format!("did you mean `{n}`?"));
                c.r.fault(item, format!("expected the name of a receiver, found {}", item.shown())).hint = Some(hint);
            }
        }
    }
    if c.r.items(list, "receivers").is_empty() {
        c.r.fault(list, "expected at least one receiver, found none");
    }
    to
}

/// Reads what keeps what quiet.
pub(super) fn inhibit(c: &mut Reading, node: Option<&Node>) -> Vec<Inhibit> {
    let Some(node) = node else { return Vec::new() };
    let mut out = Vec::new();
    for item in c.items(node, "inhibit") {
        let fields = c.r.fields(item, "one of `inhibit`", &keys::INHIBIT.allowed());
        let mut part = |name: &str| {
            let Some(node) = fields.get(name) else {
                c.r.fault(item, format!("expected `{name}` in one of `inhibit`, found none"));
                return None;
            };
            let fields = c.r.fields(node, &format!("`{name}`"), &keys::MATCH.allowed());
            let found = conditions(c, &fields);
            if found.is_all() {
                c.r.fault(node, format!("expected a condition in `{name}`, found none"));
            }
            Some(found)
        };
        let (when, quiet) = (part("when"), part("quiet"));
        let same_brand = c.switch(&fields, "same_brand", true);
        out.extend(when.zip(quiet).map(|(when, quiet)| Inhibit { when, quiet, same_brand }));
    }
    out
}

/// Warnings about names that the config and the rules do not share.
pub fn check_names(config: &super::Config, rules: &RuleSet) -> Vec<Fault> {
    let service = [SOURCE_DOWN, STORE_FAILING, OUTAGE_DIGEST];
    let alerts: Vec<&str> = rules.rules.iter().map(|r| r.name.as_str()).chain(service).collect();
    let brands: Vec<&str> = rules.brands.iter().map(|b| &*b.slug).collect();
    let receivers: Vec<&str> = config.receivers.iter().map(|r| &*r.name).collect();
    let mut out: Vec<Fault> = Vec::new();
    let mut check = |names: &[String], known: &[&str], what: &str, by: &str| {
        for name in names.iter().filter(|n| !known.contains(&n.as_str())) {
            let fault = Fault::new(format!("expected a {what} for {by}, found `{name}`, which is none")).warn();
            let near = nearest(name, known.iter().copied());
            let fault = match near {
                Some(near) => fault.hint(format!("did you mean `{near}`?")),
                None => fault,
            };
            if !out.contains(&fault) && out.len() < limits::FAULTS {
                out.push(fault);
            }
        }
    };
    let mut all: Vec<&Route> = config.routes.iter().collect();
    while let Some(route) = all.pop() {
        check(&route.when.alerts, &alerts, "rule of this name", "a route");
        check(&route.when.brands, &brands, "brand or group of this key", "a route");
        all.extend(&route.routes);
    }
    for m in config.inhibit.iter().flat_map(|i| [&i.when, &i.quiet]) {
        check(&m.alerts, &alerts, "rule of this name", "`inhibit`");
        check(&m.brands, &brands, "brand or group of this key", "`inhibit`");
    }
    for rule in &rules.rules {
        check(&rule.notify, &receivers, "receiver of the config", &format!("`notify` of rule {}", rule.name));
    }
    out.extend(machines_in_turn(config));
    out
}

/// Warnings about machines where people are told in turn.
fn machines_in_turn(config: &super::Config) -> Vec<Fault> {
    let mut out = Vec::new();
    let is_feed = |name: &Arc<str>| config.receivers.iter().any(|r| r.name == *name && r.manner() == Manner::Feed);
    let mut all: Vec<&Route> = config.routes.iter().collect();
    while let Some(route) = all.pop() {
        for name in route.then.iter().filter(|n| is_feed(n)) {
            let what = format!(
                "expected a receiver of people in `then`, found `{name}`, which is a machine's: it is told nothing there"
            );
            out.push(Fault::new(what).warn().hint("name it in `to`: machines are told of every change anyway"));
        }
        if !route.then.is_empty() && !route.to.is_empty() && route.to.iter().all(is_feed) {
            let what = "expected a receiver of people in `to` of a route with `then`, found machines only: nothing is handed over";
            out.push(Fault::new(what).warn());
        }
        all.extend(&route.routes);
    }
    out
}
