//! How far a rule was from firing: its condition part by part, with what each part read.

use super::expectation::Only;
use super::file::Test;
use super::run;
use crate::base::figures;
use crate::base::limits;
use crate::base::model::{Group, Phase, Reading, Severity, StoryState, Transition, Value};
use crate::base::rule::expr::{Compare, Context, Expr, Measure, Type, Unit};
use crate::base::rule::{Brand, Rule, RuleSet};
use crate::base::time::Span;

/// A condition with what its parts read at a moment.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    /// Since the test began.
    pub(super) at: Span,
    /// Of whom: brand, and part of its talk.
    pub(super) whose: String,
    /// What it would have been.
    pub(super) severity: Severity,
    /// How near it was, 0..1.
    pub(super) near: f64,
    pub(super) parts: Vec<Part>,
}

/// A line of a condition.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) depth: usize,
    pub(super) text: String,
    /// `None`: unknown.
    pub(super) holds: Option<bool>,
    /// What its left side read; empty for what joins others.
    pub(super) read: String,
}

/// What a condition is evaluated against.
struct Values<'v> {
    series: &'v [Value],
    brand: Option<&'v Brand>,
    /// Whether it holds as a whole.
    holds: bool,
}

impl Context for Values<'_> {
    fn series(&self, slot: usize) -> Value {
        self.series.get(slot).copied().flatten()
    }
    fn var(&self, name: &str) -> Value {
        self.brand?.var(name)
    }
    /// What came first is not read again: where the whole does not hold, the last part tells how near it was.
    fn sequence(&self, _: usize) -> Option<bool> {
        self.holds.then_some(true)
    }
}

/// When and where a rule came closest to firing with a severity (any, if none is given) between two moments: the test
/// is played again and looked at.
pub(super) fn closest(
    test: &Test,
    alert: &str,
    only: &Only,
    level: Option<Severity>,
    (from, to): (Span, Span),
) -> Option<Looked> {
    let n = limits::TEST_LOOKS as i64;
    let step = ((to.0 - from.0) / n).max(1_000_000);
    let looks: Vec<Span> = (0..=n).map(|k| Span(to.0 - k * step)).filter(|at| *at >= from).collect();
    let mut best: Option<Looked> = None;
    let mut look = |engine: &mut crate::app::engine::Engine, at| {
        let rules = engine.rules().clone();
        let Some(rule) = rules.rules.iter().find(|r| r.name == alert) else { return };
        for reading in engine.readings(rule, at).iter().filter(|r| only.is(&rules, &r.group)) {
            let brand = rules.brand(reading.group.key);
            let values = Values { series: &reading.values, brand, holds: false };
            for l in rule.levels.iter().filter(|l| level.is_none_or(|s| l.severity >= s)) {
                let when = plainer(&l.when, false);
                let near = near(&when, &values);
                // of equal ones the first
                if best.as_ref().is_none_or(|b| near > b.near) {
                    let Reading { group, .. } = reading;
                    let (parts, at, whose) = (parts(&when, &values), at - test.start, whose(&rules, group));
                    best = Some(Looked { at, whose, severity: l.severity, near, parts });
                }
            }
        }
    };
    run::play(test, &looks, &mut look);
    best
}

/// What a rule read when it changed.
pub(super) fn of(test: &Test, rules: &RuleSet, rule: &Rule, t: &Transition) -> Option<Looked> {
    let mut values: Vec<Value> = Vec::new();
    for (slot, value) in rule.operands.iter().zip(&t.operands) {
        values.resize(values.len().max(slot + 1), None);
        values[*slot] = *value;
    }
    let values = Values { series: &values, brand: rules.brand(t.group.key), holds: t.to == Phase::Firing };
    let level = rule.levels.iter().find(|l| l.severity == t.severity)?;
    let when = plainer(&level.when, false);
    Some(Looked {
        at: t.at - test.start,
        whose: whose(rules, &t.group),
        severity: t.severity,
        near: near(&when, &values),
        parts: parts(&when, &values),
    })
}

/// A group in words: the brand, and which part of its talk.
pub(super) fn whose(rules: &RuleSet, g: &Group) -> String {
    let mut out = rules.brand(g.key).map_or(String::new(), |b| b.slug.to_string());
    let parts = [
        ("story", g.story.as_ref().map(|s| s.name.to_string())),
        ("source", g.source.as_ref().map(|s| s.to_string())),
        ("lang", g.lang.as_ref().map(|s| s.to_string())),
        ("cause", g.cause.map(|c| c.name().to_string())),
        ("tag", g.tag.as_ref().map(|t| format!("#{t}"))),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            out.push_str(&format!(", {name} {part}"));
        }
    }
    out
}

/// The same condition with each `not` where its comparison stands, so that each part shows what it read.
fn plainer(e: &Expr, not: bool) -> Expr {
    let both = |a: &Expr, b: &Expr, not| (Box::new(plainer(a, not)), Box::new(plainer(b, not)));
    match e {
        Expr::Not(a) => plainer(a, !not),
        Expr::And(a, b) | Expr::Or(a, b) => {
            let (x, y) = both(a, b, not);
            if matches!(e, Expr::And(..)) != not { Expr::And(x, y) } else { Expr::Or(x, y) }
        }
        Expr::Compare(op, a, b) if not => Expr::Compare(opposite(*op), a.clone(), b.clone()),
        Expr::Then(a, b, within, slot) if !not => {
            let (x, y) = both(a, b, false);
            Expr::Then(x, y, *within, *slot)
        }
        other if not => Expr::Not(Box::new(other.clone())),
        other => other.clone(),
    }
}

/// Holds where the other does not; both are unknown where a side is.
fn opposite(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::AtLeast,
        Compare::AtLeast => Compare::Less,
        Compare::More => Compare::AtMost,
        Compare::AtMost => Compare::More,
        Compare::Equal => Compare::Unequal,
        Compare::Unequal => Compare::Equal,
    }
}

/// How near a condition is to holding: 1 where it does.
fn near(e: &Expr, c: &dyn Context) -> f64 {
    match e {
        Expr::And(..) => {
            let all = joined(e, true);
            all.iter().map(|x| near(x, c)).sum::<f64>() / all.len().max(1) as f64
        }
        Expr::Or(a, b) => near(a, c).max(near(b, c)),
        Expr::Then(_, b, ..) => near(b, c) * 0.9,
        _ if e.holds(c) == Some(true) => 1.0,
        Expr::Compare(op, a, b) => {
            let (Some(a), Some(b)) = (a.number(c), b.number(c)) else { return 0.0 };
            let part = match op {
                Compare::More | Compare::AtLeast => a / b,
                Compare::Less | Compare::AtMost => b / a,
                Compare::Equal | Compare::Unequal => 0.0,
            };
            if part.is_finite() { part.clamp(0.0, 0.99) } else { 0.0 }
        }
        _ => 0.0,
    }
}

/// What stands between `and`s, or between `or`s.
fn joined(e: &Expr, and: bool) -> Vec<&Expr> {
    match e {
        Expr::And(a, b) if and => [joined(a, and), joined(b, and)].concat(),
        Expr::Or(a, b) if !and => [joined(a, and), joined(b, and)].concat(),
        other => vec![other],
    }
}

fn parts(e: &Expr, c: &dyn Context) -> Vec<Part> {
    let mut out = Vec::new();
    let top = joined(e, true);
    top.iter().for_each(|x| gather(x, c, 0, &mut out));
    out
}

fn gather(e: &Expr, c: &dyn Context, depth: usize, out: &mut Vec<Part>) {
    let mut push = |text: &str, read: String| out.push(Part { depth, text: text.into(), holds: e.holds(c), read });
    match e {
        Expr::Or(..) => {
            push("one of", String::new());
            joined(e, false).iter().for_each(|x| gather(x, c, depth + 1, out));
        }
        Expr::And(..) => {
            push("all of", String::new());
            joined(e, true).iter().for_each(|x| gather(x, c, depth + 1, out));
        }
        Expr::Then(a, b, within, _) => {
            push(&format!("one after the other, within {within}"), String::new());
            [a, b].into_iter().for_each(|x| gather(x, c, depth + 1, out));
        }
        Expr::Compare(_, a, b) => {
            // what is asked for is part of the answer, unless it stands there
            let read = match (&**b, a.number(c), b.number(c)) {
                (Expr::Number(..), x, _) => shown(a, x),
                (_, Some(x), Some(y)) if x != y && shown(a, Some(x)) == shown(a, Some(y)) => {
                    format!("{}, of {}", whole(x), whole(y))
                }
                (_, x, y) => format!("{}, of {}", shown(a, x), shown(a, y)),
            };
            push(&e.to_string(), read);
        }
        other => push(&other.to_string(), String::new()),
    }
}

/// A value as its quantity is written.
fn shown(of: &Expr, value: Value) -> String {
    let Some(x) = value else { return "unknown".into() };
    let part = |s: &crate::base::rule::expr::SeriesSpec| s.measure.prints_as() == Unit::Share && !s.has_baseline();
    match of.plain() {
        _ if of.kind() == Type::State => StoryState::of(x).name().to_string(),
        _ if of.kind() == Type::Duration => Span((x * 1e6) as i64).to_string(),
        Expr::Series(s, _) if s.measure == Measure::RootNegativity => format!("{x:.2}"),
        Expr::Series(s, _) if part(s) => figures::percent(x),
        _ if x.abs() < 10.0 && x.fract() != 0.0 => format!("{x:.2}"),
        _ => figures::short(x),
    }
}

/// A number with as many digits as tell it from others.
fn whole(x: f64) -> String {
    if x.fract() == 0.0 { format!("{x}") } else { format!("{x:.3}") }
}

impl Only {
    /// Whether a group is one of those.
    pub(super) fn is(&self, rules: &RuleSet, g: &Group) -> bool {
        let is = |want: &Option<String>, have: Option<&str>| want.as_deref().is_none_or(|w| have == Some(w));
        let story = g.story.as_ref().map(|s| &*s.name);
        // a story may be named by the id of its first post alone
        let id = story.and_then(|s| s.split_once(':')).map(|(_, id)| id);
        is(&self.brand, rules.brand(g.key).map(|b| &*b.slug))
            && (is(&self.story, story) || is(&self.story, id))
            && is(&self.source, g.source.as_deref())
            && is(&self.lang, g.lang.as_deref())
            && is(&self.cause, g.cause.map(|c| c.name()))
            && is(&self.tag, g.tag.as_deref())
    }
}
