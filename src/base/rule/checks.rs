//! What must hold between rules, brands, lists and variables of all files.

use std::collections::BTreeSet;

use crate::base::fault::{Fault, Place};
use crate::base::limits;
use crate::base::rule::expr::{Expr, Operand, SeriesSpec};
use crate::base::rule::file::Draft;
use crate::base::rule::set::rivals;
use crate::base::rule::{Dim, Rule};
use crate::base::time::Span;

pub(super) fn rules(draft: &mut Draft) {
    let mut faults = Vec::new();
    for (rule, place) in &draft.rules {
        variables(draft, rule, place, &mut faults);
        names(draft, rule, place, &mut faults);
        let readers =
            if rivals(rule).is_empty() { 0 } else { draft.brands.iter().filter(|b| rule.concerns(b)).count() };
        groups(rule, place, readers, &mut faults);
    }
    draft.faults.append(&mut faults);
}

fn variables(draft: &Draft, rule: &Rule, place: &Place, faults: &mut Vec<Fault>) {
    let concerned = || draft.brands.iter().filter(|b| rule.concerns(b));
    let (mut named, mut typed) = (BTreeSet::new(), BTreeSet::new());
    for e in rule.exprs() {
        e.each_var(&mut |v| {
            named.insert(v);
        });
        e.each_typed_var(&mut |v, span| {
            typed.insert((v, span));
        });
    }
    for name in named {
        if let Some(brand) = concerned().find(|b| !b.vars.contains_key(name)) {
            let what = format!("expected `vars.{name}` for every brand, found none for `{}`", brand.slug);
            let hint = format!("set `{name}` under `vars:` at the top of a file as the default");
            faults.push(Fault::at(place.clone(), what).hint(hint));
        }
    }
    for (name, span) in typed {
        if let Some(brand) = concerned().find(|b| b.vars.get(name).is_some_and(|q| q.span != span)) {
            let (wanted, found) = if span { ("a duration", "a number") } else { ("a number", "a duration") };
            let what = format!("expected {wanted} in `vars.{name}`, found {found} for `{}`", brand.slug);
            faults.push(Fault::at(place.clone(), what).hint("numbers are 5, 40%, 250k; durations 10m, 1.5d"));
        }
    }
}

/// Lists and other brands that are named must exist.
fn names(draft: &Draft, rule: &Rule, place: &Place, faults: &mut Vec<Fault>) {
    let mut missing = BTreeSet::new();
    for e in rule.exprs() {
        e.each_series(&mut |s| {
            for selector in &s.selectors {
                if let Operand::List(name) = &selector.value
                    && !draft.lists.contains_key(name)
                {
                    missing.insert(name.clone());
                }
            }
        });
    }
    for name in missing {
        let what = format!("expected the list `{name}`, found none of this name");
        let hint = format!("add it: lists: {{{name}: {{authors: [...]}}}}");
        faults.push(Fault::at(place.clone(), what).hint(hint));
    }
    for slug in &rule.only {
        if !draft.brands.iter().any(|b| *b.slug == **slug && b.group == rule.is_for_groups()) {
            let kind = if rule.is_for_groups() { "group" } else { "brand" };
            let what = format!("expected a {kind} in `brands` of rule `{}`, found `{slug}`, which is none", rule.name);
            faults.push(
                Fault::at(place.clone(), what).hint("it lists keys under `brands:` (or `groups:`, with by: [group])"),
            );
        }
    }
    for rival in rivals(rule) {
        if !draft.brands.iter().any(|b| *b.slug == *rival) {
            let what = format!("expected a brand in brand=\"{rival}\", found none of this key");
            faults.push(Fault::at(place.clone(), what).hint("it names a key under `brands:`"));
        }
    }
}

/// What a series needs of the groups it is read for.
fn groups(rule: &Rule, place: &Place, readers: usize, faults: &mut Vec<Fault>) {
    let by_story = rule.by.contains(&Dim::Story);
    let mut wrong: BTreeSet<(String, &str)> = BTreeSet::new();
    for e in rule.exprs() {
        let past = has_past(e);
        e.each_series(&mut |s: &SeriesSpec| {
            if s.is_of_story() && !by_story {
                wrong.insert((format!("`{s}` only where `by` holds story"), "write by: [brand, story]"));
            }
            if by_story && s.has_baseline() {
                let hint = "a story has no past to be compared with; use lead, shares or known_reach";
                wrong.insert((format!("`{s}` only where `by` does not hold story"), hint));
            }
        });
        if by_story && past {
            let hint = "a story's past is not recorded";
            wrong.insert(("no offset, change or ratio where `by` holds story".to_string(), hint));
        }
    }
    if !rivals(rule).is_empty() && readers > limits::READERS {
        let hint = "name the brands it is for: brands: [united]";
        let what =
            format!("the selector brand for at most {} brands, since each is told of every post", limits::READERS);
        wrong.insert((what, hint));
    }
    if !rivals(rule).is_empty() && rule.by.len() > 1 {
        let hint = "write by: [brand]";
        wrong.insert(("the selector brand only where nothing stands beside brand in `by`".to_string(), hint));
    }
    for (what, hint) in wrong {
        faults.push(Fault::at(place.clone(), format!("expected {what}, found rule `{}`", rule.name)).hint(hint));
    }
}

fn has_past(e: &Expr) -> bool {
    match e {
        Expr::Against(..) => true,
        Expr::Series(s, _) | Expr::Rate(s, _) => s.offset > Span::ZERO,
        Expr::Number(..) | Expr::Var(_) => false,
        Expr::Negate(a) | Expr::Not(a) => has_past(a),
        Expr::Arith(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) => has_past(a) || has_past(b),
    }
}
