//! What must hold between rules, brands, lists and variables of all files.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::fault::{Fault, Place};
use crate::base::limits;
use crate::base::rule::expr::{Expr, Measure, Operand, SeriesSpec};
use crate::base::rule::file::Draft;
use crate::base::rule::set::rivals;
use crate::base::rule::{Brand, Dim, Rule, twins};
use crate::base::time::Span;

pub(super) fn rules(draft: &mut Draft) {
    let mut faults = Vec::new();
    let known = Known::of(draft);
    for (rule, place) in &draft.rules {
        if faults.len() > limits::FAULTS {
            break;
        }
        variables(&known, rule, place, &mut faults);
        names(draft, &known, rule, place, &mut faults);
        let everyone = known.counts[usize::from(rule.is_for_groups())];
        let readers = match rule.only.is_empty() {
            _ if rivals(rule).is_empty() => 0,
            true => everyone,
            false => known.concerned(rule).count(),
        };
        groups(rule, place, readers, &mut faults);
    }
    twins::check(&draft.rules, &mut faults);
    draft.faults.append(&mut faults);
}

/// Brands and groups by what rules ask of them, so that no rule looks at all of them.
struct Known<'d> {
    brands: &'d [Brand],
    by_slug: BTreeMap<&'d str, &'d Brand>,
    /// By variable, and whether of groups: how many have it, and the first that has it as a number and as a duration.
    vars: BTreeMap<(&'d str, bool), Var<'d>>,
    /// How many brands and how many groups there are.
    counts: [usize; 2],
}

#[derive(Default)]
struct Var<'d> {
    number: Option<&'d Brand>,
    span: Option<&'d Brand>,
    having: usize,
}

impl<'d> Known<'d> {
    fn of(draft: &'d Draft) -> Known<'d> {
        let (mut vars, mut counts) = (BTreeMap::<_, Var<'d>>::new(), [0, 0]);
        for brand in &draft.brands {
            counts[usize::from(brand.group)] += 1;
            for (name, quantity) in &brand.vars {
                let var = vars.entry((name.as_str(), brand.group)).or_default();
                var.having += 1;
                let first = if quantity.span { &mut var.span } else { &mut var.number };
                *first = first.or(Some(brand));
            }
        }
        let by_slug = draft.brands.iter().map(|b| (&*b.slug, b)).collect();
        Known { brands: &draft.brands, by_slug, vars, counts }
    }

    /// The brands or groups a rule is for.
    fn concerned(&self, rule: &'d Rule) -> impl Iterator<Item = &'d Brand> {
        let everyone = self.brands.iter().filter(|_| rule.only.is_empty());
        let named = rule.only.iter().filter_map(|slug| self.by_slug.get(slug.as_str()).copied());
        everyone.chain(named).filter(|b| b.group == rule.is_for_groups())
    }

    /// The first of them that has no variable of this name.
    fn lacking(&self, rule: &'d Rule, name: &str) -> Option<&'d Brand> {
        let group = rule.is_for_groups();
        let having = self.vars.get(&(name, group)).map_or(0, |v| v.having);
        if rule.only.is_empty() && having == self.counts[usize::from(group)] {
            return None;
        }
        self.concerned(rule).find(|b| !b.vars.contains_key(name))
    }

    /// The first of them where it is a number instead of a duration, or the other way round.
    fn otherwise(&self, rule: &'d Rule, name: &str, span: bool) -> Option<&'d Brand> {
        if rule.only.is_empty() {
            let var = self.vars.get(&(name, rule.is_for_groups()))?;
            return if span { var.number } else { var.span };
        }
        self.concerned(rule).find(|b| b.vars.get(name).is_some_and(|q| q.span != span))
    }
}

fn variables(known: &Known<'_>, rule: &Rule, place: &Place, faults: &mut Vec<Fault>) {
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
        if let Some(brand) = known.lacking(rule, name) {
            let what = format!("expected `vars.{name}` for every brand, found none for `{}`", brand.slug);
            let hint = format!("set `{name}` under `vars:` at the top of a file as the default");
            faults.push(Fault::at(place.clone(), what).hint(hint));
        }
    }
    for (name, span) in typed {
        if let Some(brand) = known.otherwise(rule, name, span) {
            let (wanted, found) = if span { ("a duration", "a number") } else { ("a number", "a duration") };
            let what = format!("expected {wanted} in `vars.{name}`, found {found} for `{}`", brand.slug);
            faults.push(Fault::at(place.clone(), what).hint("numbers are 5, 40%, 250k; durations 10m, 1.5d"));
        }
    }
}

/// Lists and other brands that are named must exist.
fn names(draft: &Draft, known: &Known<'_>, rule: &Rule, place: &Place, faults: &mut Vec<Fault>) {
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
        if known.by_slug.get(slug.as_str()).is_none_or(|b| b.group != rule.is_for_groups()) {
            let kind = if rule.is_for_groups() { "group" } else { "brand" };
            let what = format!("expected a {kind} in `brands` of rule `{}`, found `{slug}`, which is none", rule.name);
            faults.push(
                Fault::at(place.clone(), what).hint("it lists keys under `brands:` (or `groups:`, with by: [group])"),
            );
        }
    }
    for rival in rivals(rule) {
        if !known.by_slug.contains_key(rival) {
            let what = format!("expected a brand in brand=\"{rival}\", found none of this key");
            faults.push(Fault::at(place.clone(), what).hint("it names a key under `brands:`"));
        }
    }
}

/// What a series needs of the groups it is read for.
fn groups(rule: &Rule, place: &Place, readers: usize, faults: &mut Vec<Fault>) {
    let by_story = rule.by.contains(&Dim::Story);
    let by_tag = rule.by.contains(&Dim::Tag);
    let mut wrong: BTreeSet<(String, &str)> = BTreeSet::new();
    for e in rule.exprs() {
        let past = has_past(e);
        e.each_series(&mut |s: &SeriesSpec| {
            if s.is_of_story() && !by_story {
                wrong.insert((format!("`{s}` only where `by` holds story"), "write by: [brand, story]"));
            }
            if s.measure == Measure::NewTerm && !by_tag {
                wrong.insert((format!("`{s}` only where `by` holds tag"), "write by: [brand, tag]"));
            }
            if by_story && s.measure == Measure::Silence {
                let hint = "a story that nobody passes on is forgotten";
                wrong.insert((format!("`{s}` only where `by` does not hold story"), hint));
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
        Expr::Negate(a) | Expr::Not(a) | Expr::Named(_, a) => has_past(a),
        Expr::Arith(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
            has_past(a) || has_past(b)
        }
    }
}
