//! What concerns nothing, is never used, or stands twice.

use std::collections::{BTreeMap, BTreeSet};

use super::quantities::write_meaning;
use super::seen::{At, Brand, Seen, Written, get};
use super::{Kind, Notes};
use crate::base::hash;
use crate::base::rule::expr::{Field, Measure, Operand};
use crate::base::rule::query::{Amount, Query, Term};

pub(super) fn warnings(seen: &Seen<'_, '_>, out: &mut Notes) {
    twice(seen, out);
    let whole = seen.brands.iter().any(|b| !b.group) && !seen.rules.is_empty();
    // brands and rules may stand in files that are not given
    if whole {
        for written in &seen.rules {
            concerns_nobody(seen, written, out);
        }
        // what cannot be read may name anything
        if seen.all {
            unused(seen, out);
        }
        own(seen, out);
    }
}

/// Rules that say the same under two names.
fn twice(seen: &Seen<'_, '_>, out: &mut Notes) {
    let mut known: BTreeMap<u64, &Written<'_>> = BTreeMap::new();
    for written in &seen.rules {
        let r = &written.rule;
        let mut meaning = format!("{:?} {:?} {:?} {:?} {}", r.only, r.by, r.notify, r.keep_firing_for, r.shadow);
        for l in &r.levels {
            meaning.push_str(&format!("\n{} {:?} ", l.severity.name(), l.hold));
            write_meaning(&l.when, &mut meaning);
        }
        if let Some(clear) = &r.clear {
            meaning.push_str("\nclear ");
            write_meaning(clear, &mut meaning);
        }
        let meaning = hash::parts(&[meaning.as_bytes()]);
        if let Some(first) = known.get(&meaning) {
            let what =
                format!("expected rules that differ, found `{}`, which says what `{}` says", r.name, first.rule.name);
            let place = seen.readers.get(first.at.0).map_or(String::new(), |f| f.place(first.at.1).to_string());
            out.add(
                seen,
                Kind::Double,
                written.at,
                0,
                what,
                format!("people are told twice; the first stands at {place}"),
            );
        } else {
            known.insert(meaning, written);
        }
    }
}

fn concerns_nobody(seen: &Seen<'_, '_>, written: &Written<'_>, out: &mut Notes) {
    if written.rule.is_for_groups() && !seen.brands.iter().any(|b| b.group) {
        let what = format!("expected groups for rule `{}`, found none in these files", written.rule.name);
        let node = get(written.at.1, "by").unwrap_or(written.at.1);
        out.add(
            seen,
            Kind::Double,
            (written.at.0, node),
            0,
            what,
            "by: [group] is for what stands under `groups:`; write by: [brand]",
        );
    }
}

/// Lists and variables that nothing names.
fn unused(seen: &Seen<'_, '_>, out: &mut Notes) {
    let (mut lists, mut vars) = (BTreeSet::new(), BTreeSet::new());
    for written in &seen.rules {
        for e in written.rule.exprs().chain(written.rule.lets.iter().map(|(_, e)| e)) {
            e.each_var(&mut |v| {
                vars.insert(v.to_string());
            });
            e.each_series(&mut |s| {
                lists.extend(s.selectors.iter().filter_map(|x| match &x.value {
                    Operand::List(l) => Some(l.clone()),
                    _ => None,
                }));
            });
        }
    }
    for brand in &seen.brands {
        for key in ["query", "exclude"] {
            if let Some((_, q)) = seen.query(brand, key) {
                named(&q, &mut lists, &mut vars);
            }
        }
    }
    for (what, places, used) in [("list", &seen.lists, lists), ("variable", &seen.var_names, vars)] {
        for (name, at) in places.iter().filter(|(name, _)| !used.contains(**name)) {
            let written = if what == "list" { format!("lists.{name}") } else { format!("vars.{name}") };
            let found = format!("expected a {what} that is used, found `{name}`, which nothing names");
            out.add(
                seen,
                Kind::Unused,
                *at,
                0,
                found,
                format!("conditions and queries name it as {written}; else take it out"),
            );
        }
    }
}

fn named(q: &Query, lists: &mut BTreeSet<String>, vars: &mut BTreeSet<String>) {
    match q {
        Query::And(parts) | Query::Or(parts) => parts.iter().for_each(|p| named(p, lists, vars)),
        Query::Not(inner) => named(inner, lists, vars),
        Query::Term(Term::Author(a)) => lists.extend(a.strip_prefix("lists.").map(str::to_string)),
        Query::Term(Term::Followers(_, Amount::Var(v))) => {
            vars.insert(v.clone());
        }
        Query::Term(_) | Query::Near(..) => {}
    }
}

/// Brands without own accounts where a rule asks what only those tell.
fn own(seen: &Seen<'_, '_>, out: &mut Notes) {
    // an empty list says that there are none
    let has = |b: &Brand<'_>| get(b.node, "own").is_some();
    let brands: BTreeMap<&str, &Brand<'_>> = seen.brands.iter().map(|b| (b.slug, b)).collect();
    let (mut lacking, mut everywhere) = (BTreeSet::new(), false);
    for written in seen.rules.iter().filter(|w| asks_for_own(w)) {
        let named = written.rule.only.iter().filter_map(|slug| brands.get(slug.as_str()).copied());
        let named: Vec<&Brand<'_>> = named.filter(|b| !b.group).collect();
        everywhere |= named.is_empty();
        // where some have them, the rule may be meant for those
        if !named.iter().any(|b| has(b)) {
            lacking.extend(named.iter().map(|b| b.slug));
        }
    }
    if everywhere && !seen.brands.iter().any(has) {
        lacking.extend(seen.brands.iter().filter(|b| !b.group).map(|b| b.slug));
    }
    let mut without: BTreeMap<usize, (usize, usize, At<'_>, &str)> = BTreeMap::new();
    for brand in seen.brands.iter().filter(|b| !b.group) {
        let one = without.entry(brand.key.0).or_insert((0, 0, brand.key, brand.slug));
        one.1 += 1;
        if lacking.contains(brand.slug) {
            if one.0 == 0 {
                (one.2, one.3) = (brand.key, brand.slug);
            }
            one.0 += 1;
        }
    }
    for (n, of, at, slug) in without.into_values() {
        if n == 0 {
            continue;
        }
        let what = match n {
            1 => format!("expected `own` in brand `{slug}`, found none"),
            n => format!("expected `own` in brands, found none in {n} of {of}, the first of them `{slug}`"),
        };
        let hint = "a rule asks for answers to own accounts or for the response time, which are not known without";
        out.add(seen, Kind::Unused, at, 0, what, hint);
    }
}

fn asks_for_own(written: &Written<'_>) -> bool {
    let mut asked = false;
    for e in written.rule.exprs() {
        e.each_series(&mut |s| {
            asked |= s.measure == Measure::ResponseTime || s.selectors.iter().any(|x| x.field == Field::To);
        });
    }
    asked
}
