//! Evaluation with unknowns (Kleene's three-valued logic).

use super::{Against, Arith, Compare, Expr};
use crate::base::model::Value;

/// What an expression is evaluated against.
pub trait Context {
    /// The value of the series at this place of the plan; `None` is unknown.
    fn series(&self, slot: usize) -> Value;
    /// The value of a variable of the brand.
    fn var(&self, name: &str) -> Value;
    /// Whether the sequence at this place of the rule holds; `None` is unknown.
    fn sequence(&self, slot: usize) -> Option<bool>;
}

impl Compare {
    /// Whether it holds between two values.
    pub fn holds<T: PartialOrd>(self, a: T, b: T) -> bool {
        match self {
            Compare::Less => a < b,
            Compare::AtMost => a <= b,
            Compare::More => a > b,
            Compare::AtLeast => a >= b,
            Compare::Equal => a == b,
            Compare::Unequal => a != b,
        }
    }
}

impl Expr {
    /// The value of a quantity.
    pub fn number(&self, c: &dyn Context) -> Value {
        match self {
            Expr::Number(_, x) => Some(*x),
            Expr::Var(v) => c.var(v),
            Expr::Named(_, a) => a.number(c),
            Expr::Series(_, slot) => c.series(*slot),
            Expr::Rate(s, slot) => c.series(*slot).map(|x| x / s.window.as_seconds()),
            Expr::Against(how, _, now, past) => {
                let (now, past) = (c.series(*now)?, c.series(*past)?);
                match how {
                    Against::Change => Some(now - past),
                    Against::Ratio => (past > 0.0).then(|| now / past),
                }
            }
            Expr::Negate(a) => a.number(c).map(|x| -x),
            Expr::Arith(op, a, b) => {
                let (a, b) = (a.number(c)?, b.number(c)?);
                let x = match op {
                    Arith::Add => a + b,
                    Arith::Subtract => a - b,
                    Arith::Multiply => a * b,
                    Arith::Divide => a / b,
                };
                x.is_finite().then_some(x)
            }
            Expr::Compare(..) | Expr::Not(_) | Expr::And(..) | Expr::Or(..) | Expr::Then(..) => None,
        }
    }

    /// Whether a condition holds; `None` is unknown.
    pub fn holds(&self, c: &dyn Context) -> Option<bool> {
        match self {
            Expr::Compare(op, a, b) => {
                let (a, b) = (a.number(c)?, b.number(c)?);
                Some(op.holds(a, b))
            }
            Expr::Not(a) => a.holds(c).map(|x| !x),
            Expr::And(a, b) => match (a.holds(c), b.holds(c)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Expr::Or(a, b) => match (a.holds(c), b.holds(c)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Expr::Then(.., slot) => c.sequence(*slot),
            // a measure that is a condition by itself
            Expr::Series(_, slot) => c.series(*slot).map(|x| x > 0.0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::expr::{Measure, SeriesSpec, parse_condition};
    use crate::base::time::Span;

    struct World;
    impl Context for World {
        fn series(&self, slot: usize) -> Value {
            [None, Some(10.0), Some(0.0), Some(4.0)][slot]
        }
        fn var(&self, name: &str) -> Value {
            (name == "big").then_some(5.0)
        }
        fn sequence(&self, _: usize) -> Option<bool> {
            None
        }
    }

    #[test]
    fn unknown_stays_unknown_unless_it_cannot_matter() {
        let (yes, no, what) = ("mentions[1h] >= 10", "mentions[1h] < 10", "negative_share[1h] > 0");
        let slot = |s: &SeriesSpec| match s.measure {
            Measure::NegativeShare => 0,
            Measure::Mentions if s.offset > Span::ZERO => 3,
            Measure::Mentions => 1,
            _ => 2,
        };
        let holds = |e: String| {
            let mut e = parse_condition(&e).unwrap();
            e.place_series(&mut |s| slot(s));
            e.holds(&World)
        };
        let cases = [
            (format!("{yes} and {what}"), None),
            (format!("{no} and {what}"), Some(false)),
            (format!("{what} and {no}"), Some(false)),
            (format!("{yes} or {what}"), Some(true)),
            (format!("{no} or {what}"), None),
            (format!("not {what}"), None),
            (format!("{yes} unless {what}"), None),
            (format!("{yes} and not {no}"), Some(true)),
            ("mentions[1h] / authors[1h] > 1".to_string(), None),
            ("mentions[1h] / vars.big == 2".to_string(), Some(true)),
            ("mentions[1h] > vars.unset".to_string(), None),
            ("change(mentions[1h]) == 6 and ratio(mentions[1h]) == 2.5".to_string(), Some(true)),
            ("mentions[10s] offset 1h == 4 and rate(mentions[10s]) == 1".to_string(), Some(true)),
            ("ratio(authors[1h]) > 0".to_string(), None),
        ];
        for (e, expected) in cases {
            assert_eq!(holds(e.clone()), expected, "{e}");
        }
    }
}
