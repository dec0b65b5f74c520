//! What the quantities that a rule gave names to came to.

use std::collections::BTreeMap;

use crate::base::figures::short;
use crate::base::model::{Notice, Value};
use crate::base::rule::expr::{Context, Expr, SeriesSpec, Type};
use crate::base::rule::{Brand, Rule};
use crate::base::time::Span;

use super::facts::value;

/// Values of the rule's series, by their places.
struct Read<'r> {
    values: BTreeMap<usize, f64>,
    brand: Option<&'r Brand>,
}

impl Context for Read<'_> {
    fn series(&self, slot: usize) -> Value {
        self.values.get(&slot).copied()
    }
    fn var(&self, name: &str) -> Value {
        self.brand?.var(name)
    }
    fn sequence(&self, _: usize) -> Option<bool> {
        None
    }
}

/// What a condition read: its named quantities, and the series that stand in it by themselves.
pub(super) fn read(notice: &Notice, rule: &Rule, condition: Option<&Expr>, series: &[&SeriesSpec]) -> Vec<String> {
    let t = &notice.transition;
    let known = rule.operands.iter().zip(&t.operands).filter_map(|(slot, v)| Some((*slot, (*v)?)));
    let all = Read { values: known.collect(), brand: notice.rules.brand(t.group.key) };
    let (mut out, mut inside) = (Vec::new(), Vec::new());
    for (name, e) in &rule.lets {
        let mut used = false;
        condition.into_iter().for_each(|c| c.each_named(&mut |n, _| used |= n == name));
        if used {
            e.each_series(&mut |s| inside.push(s));
            out.push(format!("{name} = {}", shown(e, e.number(&all))));
        }
    }
    let mut alone = Vec::new();
    condition.into_iter().for_each(|c| bare(c, &mut alone));
    for (s, v) in series.iter().zip(&t.operands) {
        if !inside.contains(s) || alone.contains(s) {
            out.push(format!("{s} = {}", value(s, *v)));
        }
    }
    out
}

/// The series that stand outside of named quantities.
fn bare<'e>(e: &'e Expr, out: &mut Vec<&'e SeriesSpec>) {
    match e {
        Expr::Named(..) => {}
        Expr::Not(a) | Expr::Negate(a) => bare(a, out),
        Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) | Expr::Compare(_, a, b) | Expr::Arith(_, a, b) => {
            bare(a, out);
            bare(b, out);
        }
        other => other.each_series(&mut |s| out.push(s)),
    }
}

fn shown(e: &Expr, v: Value) -> String {
    match (e, v) {
        (Expr::Series(s, _), v) => value(s, v),
        (_, None) => "unknown".to_string(),
        (_, Some(x)) if e.kind() == Type::Duration => Span((x * 1e6) as i64).to_string(),
        (_, Some(x)) if x.abs() < 10.0 && x.fract() != 0.0 => format!("{x:.2}"),
        (_, Some(x)) => short(x),
    }
}
