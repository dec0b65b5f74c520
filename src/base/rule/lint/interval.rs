//! Intervals of numbers, with ends that belong to them or not.

use crate::base::rule::expr::{Arith, Compare};

/// All numbers between two ends.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) high: f64,
    /// Whether `low` itself is left out.
    pub(super) above: bool,
    /// Whether `high` itself is left out.
    pub(super) below: bool,
}

impl Interval {
    /// Every number.
    pub(super) const ALL: Interval = Interval::between(f64::NEG_INFINITY, f64::INFINITY);
    /// No number: what is never known.
    pub(super) const NONE: Interval = Interval::between(1.0, 0.0);
    /// Zero and more.
    pub(super) const COUNT: Interval = Interval::between(0.0, f64::INFINITY);
    /// 0 to 1.
    pub(super) const SHARE: Interval = Interval::between(0.0, 1.0);

    /// From one number to another, both included.
    pub(super) const fn between(low: f64, high: f64) -> Interval {
        Interval { low, high, above: false, below: false }
    }

    /// One number.
    pub(super) const fn point(x: f64) -> Interval {
        Interval::between(x, x)
    }

    /// Whether it holds no number.
    pub(super) fn is_empty(self) -> bool {
        self.low > self.high || (self.low == self.high && (self.above || self.below))
    }

    /// What both hold.
    pub(super) fn meet(self, other: Interval) -> Interval {
        let (low, above) = match self.low.partial_cmp(&other.low) {
            Some(std::cmp::Ordering::Greater) => (self.low, self.above),
            Some(std::cmp::Ordering::Equal) => (self.low, self.above || other.above),
            _ => (other.low, other.above),
        };
        let (high, below) = match self.high.partial_cmp(&other.high) {
            Some(std::cmp::Ordering::Less) => (self.high, self.below),
            Some(std::cmp::Ordering::Equal) => (self.high, self.below || other.below),
            _ => (other.high, other.below),
        };
        Interval { low, high, above, below }
    }

    /// The least interval that holds both.
    pub(super) fn join(self, other: Interval) -> Interval {
        Interval::between(self.low.min(other.low), self.high.max(other.high))
    }

    /// Numbers for which `x op y` holds for some `y` of it.
    pub(super) fn side(self, op: Compare) -> Interval {
        let up_to = |open: bool| Interval { high: self.high, below: open || self.below, ..Interval::ALL };
        let from = |open: bool| Interval { low: self.low, above: open || self.above, ..Interval::ALL };
        match op {
            _ if self.is_empty() => Interval::NONE,
            Compare::Less => up_to(true),
            Compare::AtMost => up_to(false),
            Compare::More => from(true),
            Compare::AtLeast => from(false),
            Compare::Equal => self,
            Compare::Unequal => Interval::ALL,
        }
    }

    /// The same, less a number that stands at its end.
    pub(super) fn without(self, x: f64) -> Interval {
        Interval { above: self.above || self.low == x, below: self.below || self.high == x, ..self }
    }

    /// Minus.
    pub(super) fn negated(self) -> Interval {
        Interval { low: -self.high, high: -self.low, above: self.below, below: self.above }
    }

    /// What an operation on numbers of two intervals can give; ends are counted in.
    pub(super) fn with(self, op: Arith, other: Interval) -> Interval {
        if self.is_empty() || other.is_empty() {
            return Interval::NONE;
        }
        let ends = |f: fn(f64, f64) -> f64| {
            let all =
                [f(self.low, other.low), f(self.low, other.high), f(self.high, other.low), f(self.high, other.high)];
            if all.iter().any(|x| x.is_nan()) {
                return Interval::ALL;
            }
            let low = all.into_iter().fold(f64::INFINITY, f64::min);
            Interval::between(low, all.into_iter().fold(f64::NEG_INFINITY, f64::max))
        };
        match op {
            Arith::Add => ends(|a, b| a + b),
            Arith::Subtract => ends(|a, b| a - b),
            // nothing times anything is nothing
            Arith::Multiply => ends(|a, b| if a == 0.0 || b == 0.0 { 0.0 } else { a * b }),
            Arith::Divide if other.low == 0.0 && other.high == 0.0 => Interval::NONE,
            Arith::Divide if other.low > 0.0 || other.high < 0.0 => ends(|a, b| a / b),
            Arith::Divide if self.low >= 0.0 && other.low >= 0.0 => Interval::COUNT,
            Arith::Divide => Interval::ALL,
        }
    }

    /// Between which ends, for people.
    pub(super) fn shown(self, unit: impl Fn(f64) -> String) -> String {
        match (self.low.is_finite(), self.high.is_finite()) {
            (true, true) if self.low == self.high => unit(self.low),
            (true, true) => format!("from {} to {}", unit(self.low), unit(self.high)),
            (true, false) => format!("{} or more", unit(self.low)),
            (false, true) => format!("{} or less", unit(self.high)),
            (false, false) => "any number".to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn interval() -> impl Strategy<Value = Interval> {
        (-4i8..5, 0i8..5, prop::bool::ANY, prop::bool::ANY, prop::bool::ANY).prop_map(|(low, more, a, b, wide)| {
            let high = if wide { f64::INFINITY } else { f64::from(low + more) };
            Interval { low: f64::from(low), high, above: a, below: b }
        })
    }

    fn holds(i: Interval, x: f64) -> bool {
        (x > i.low || (x == i.low && !i.above)) && (x < i.high || (x == i.high && !i.below))
    }

    proptest! {
        #[test]
        fn what_is_said_of_intervals_holds_for_their_numbers(
            a in interval(), b in interval(), x in -8i8..9, y in -8i8..9
        ) {
            let (x, y) = (f64::from(x) / 2.0, f64::from(y) / 2.0);
            prop_assert_eq!(holds(a.meet(b), x), holds(a, x) && holds(b, x));
            if holds(a, x) && holds(b, y) {
                for (op, z) in [(Arith::Add, x + y), (Arith::Subtract, x - y), (Arith::Multiply, x * y), (Arith::Divide, x / y)] {
                    prop_assert!(!z.is_finite() || holds(a.with(op, b), z), "{op:?} {z}");
                }
                prop_assert!(holds(a.negated(), -x));
                prop_assert!(holds(a.join(b), x) && holds(a.join(b), y));
                for op in [Compare::Less, Compare::AtMost, Compare::More, Compare::AtLeast, Compare::Equal, Compare::Unequal] {
                    prop_assert!(!op.holds(x, y) || holds(b.side(op), x), "{op:?}");
                }
            }
            prop_assert!(!a.is_empty() || !holds(a, x));
        }
    }
}
