//! Can a condition hold, can it fail? Told from what its measures can be; where that is not
//! certain, it can.

use std::collections::BTreeMap;

use super::interval::Interval;
use super::range;
use crate::base::rule::expr::{Against, Arith, Compare, Expr, SeriesSpec};

/// Most series of one condition that are compared with each other.
const RELATED: usize = 32;

/// What is known of the quantities of a condition.
#[derive(Clone)]
pub(super) struct World<'e> {
    /// Values of variables over all brands; what is not here can be anything.
    vars: &'e BTreeMap<String, Interval>,
    /// What conditions that hold beside it leave to a quantity, by how it is written.
    held: BTreeMap<String, (Interval, Option<&'e SeriesSpec>)>,
}

impl<'e> World<'e> {
    /// Nothing but the values of variables.
    pub(super) fn new(vars: &'e BTreeMap<String, Interval>) -> World<'e> {
        World { vars, held: BTreeMap::new() }
    }

    /// What a quantity can be.
    pub(super) fn range(&self, e: &Expr) -> Interval {
        let own = match e {
            Expr::Number(_, x) => return Interval::point(*x),
            Expr::Var(v) => self.vars.get(v).copied().unwrap_or(Interval::ALL),
            Expr::Series(s, _) => range::of(s),
            Expr::Rate(s, _) => range::of(s).with(Arith::Divide, Interval::point(s.window.as_seconds())),
            Expr::Against(Against::Change, s, ..) => {
                let i = range::of(s);
                i.with(Arith::Subtract, i)
            }
            Expr::Against(Against::Ratio, ..) => Interval::COUNT,
            Expr::Negate(a) => self.range(a).negated(),
            Expr::Named(_, a) => self.range(a),
            Expr::Arith(op, a, b) => self.range(a).with(*op, self.range(b)).meet(parts(*op, a, b)),
            _ => Interval::ALL,
        };
        match self.held.get(&e.to_string()) {
            Some((held, _)) => own.meet(*held),
            None => own,
        }
    }

    /// Whether a comparison may hold.
    fn may(&self, op: Compare, a: &Expr, b: &Expr) -> bool {
        if let (Expr::Series(x, _), Expr::Series(y, _)) = (a, b)
            && ((op == Compare::More && range::at_most(x, y)) || (op == Compare::Less && range::at_most(y, x)))
        {
            return false;
        }
        let (a, b) = (self.range(a), self.range(b));
        let same = a == b && a.low == a.high;
        let unlike = op != Compare::Unequal || !same;
        !a.is_empty() && !b.is_empty() && !a.meet(b.side(op)).is_empty() && unlike
    }

    /// Takes a comparison as holding.
    fn hold(&mut self, op: Compare, a: &'e Expr, b: &'e Expr) {
        let (x, y) = (self.range(a), self.range(b));
        self.narrow(a, x, op, y);
        self.narrow(b, y, flipped(op), x);
    }

    fn narrow(&mut self, e: &'e Expr, now: Interval, op: Compare, other: Interval) {
        let series = match e {
            Expr::Number(..) => return,
            Expr::Series(s, _) => Some(s),
            _ => None,
        };
        let left = match op {
            Compare::Unequal if other.low == other.high => now.without(other.low),
            op => now.meet(other.side(op)),
        };
        self.held.insert(e.to_string(), (left, series));
    }

    /// What is never more than another is not more than that can be.
    fn relate(&mut self) {
        let series: Vec<(String, &SeriesSpec)> =
            self.held.iter().filter_map(|(k, (_, s))| s.map(|s| (k.clone(), s))).take(RELATED).collect();
        for (i, (small, a)) in series.iter().enumerate() {
            for (large, b) in series.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, x)| x) {
                if !range::at_most(a, b) {
                    continue;
                }
                let (Some((x, _)), Some((y, _))) = (self.held.get(small).copied(), self.held.get(large).copied())
                else {
                    continue;
                };
                self.held.insert(small.clone(), (x.meet(y.side(Compare::AtMost)), Some(a)));
                self.held.insert(large.clone(), (y.meet(x.side(Compare::AtLeast)), Some(b)));
            }
        }
    }

    /// The same with all of these holding; `None` if they cannot.
    pub(super) fn with(&self, parts: &[(&'e Expr, bool)]) -> Option<World<'e>> {
        let mut out = self.clone();
        // twice: what the second says may matter to the first
        for _ in 0..2 {
            for (part, holds) in parts {
                if let Expr::Compare(op, a, b) = part {
                    let op = if *holds { *op } else { opposite(*op) };
                    if !out.may(op, a, b) {
                        return None;
                    }
                    out.hold(op, a, b);
                }
            }
            out.relate();
            if out.held.values().any(|(i, _)| i.is_empty()) {
                return None;
            }
        }
        Some(out)
    }

    /// Whether a condition may come out as `wanted`: true or false, but not unknown.
    pub(super) fn may_be(&self, e: &'e Expr, wanted: bool) -> bool {
        match e {
            Expr::Compare(op, a, b) => self.may(if wanted { *op } else { opposite(*op) }, a, b),
            Expr::Not(a) => self.may_be(a, !wanted),
            // each at its own time
            Expr::Then(a, b, _, _) => !wanted || (self.may_be(a, true) && self.may_be(b, true)),
            Expr::And(..) | Expr::Or(..) => {
                let parts = parts_of(e, wanted);
                // all of them, or one of them
                if matches!(e, Expr::And(..)) == wanted {
                    self.with(&parts).is_some_and(|w| parts.iter().all(|(p, wanted)| w.may_be(p, *wanted)))
                } else {
                    parts.iter().any(|(p, wanted)| self.may_be(p, *wanted))
                }
            }
            _ => true,
        }
    }

    /// The upper end of what a measure can be, by its name.
    pub(super) fn most(&self, name: &str) -> f64 {
        self.held.get(name).map_or(f64::INFINITY, |(i, _)| i.high)
    }
}

/// The parts of a chain of `and` (or of `or`), each with what it must come out as; `not` is taken in.
pub(super) fn parts_of(e: &Expr, wanted: bool) -> Vec<(&Expr, bool)> {
    let all = matches!(e, Expr::And(..)) == wanted;
    let (mut out, mut open) = (Vec::new(), vec![(e, wanted)]);
    while let Some((e, wanted)) = open.pop() {
        match e {
            Expr::Not(a) => open.push((a, !wanted)),
            Expr::And(a, b) if wanted == all => open.extend([(&**b, wanted), (&**a, wanted)]),
            Expr::Or(a, b) if wanted != all => open.extend([(&**b, wanted), (&**a, wanted)]),
            _ => out.push((e, wanted)),
        }
    }
    out
}

/// What a part less or divided by its whole can be.
fn parts(op: Arith, a: &Expr, b: &Expr) -> Interval {
    let (Expr::Series(x, _), Expr::Series(y, _)) = (a, b) else { return Interval::ALL };
    let counts = range::of(x).low >= 0.0 && range::of(y).low >= 0.0;
    match op {
        Arith::Subtract if range::at_most(x, y) => Interval::between(f64::NEG_INFINITY, 0.0),
        Arith::Subtract if range::at_most(y, x) => Interval::COUNT,
        Arith::Divide if counts && range::at_most(x, y) => Interval::SHARE,
        Arith::Divide if counts && range::at_most(y, x) => Interval::between(1.0, f64::INFINITY),
        _ => Interval::ALL,
    }
}

/// Whether a condition can be unknown.
pub(super) fn may_be_unknown(e: &Expr) -> bool {
    match e {
        Expr::Series(s, _) | Expr::Rate(s, _) => range::may_be_unknown(s),
        Expr::Number(..) | Expr::Var(_) => false,
        Expr::Then(..) => true,
        Expr::Negate(a) | Expr::Not(a) | Expr::Named(_, a) => may_be_unknown(a),
        Expr::Arith(Arith::Divide, ..) => true,
        Expr::Arith(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) => {
            may_be_unknown(a) || may_be_unknown(b)
        }
        _ => true,
    }
}

/// The comparison that holds where this one fails.
fn opposite(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::AtLeast,
        Compare::AtMost => Compare::More,
        Compare::More => Compare::AtMost,
        Compare::AtLeast => Compare::Less,
        Compare::Equal => Compare::Unequal,
        Compare::Unequal => Compare::Equal,
    }
}

/// The same comparison with its sides changed.
fn flipped(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::More,
        Compare::AtMost => Compare::AtLeast,
        Compare::More => Compare::Less,
        Compare::AtLeast => Compare::AtMost,
        op => op,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::expr::parse_condition;

    #[test]
    fn what_can_hold_or_fail_is_told() {
        let vars = BTreeMap::from([("big".to_string(), Interval::between(5.0, 10.0))]);
        let (never, always, open) = ((false, true), (true, false), (true, true));
        for (text, expected) in [
            ("mentions[1h] >= 0", always),
            ("mentions[1h] < 0", never),
            ("mentions[1h] > 0", open),
            ("negative_share[1h] > 1", never),
            ("negative_share[1h] >= 100%", open),
            ("negative_share[1h] >= 150%", never),
            ("negative_share[1h] <= 1", always),
            ("root_negativity > 1 or lead > 3", open),
            ("mentions[1h] >= 5 and mentions[1h] < 3", never),
            ("mentions[1h] >= 5 and mentions[1h] <= 5", open),
            ("mentions[1h] > 5 and mentions[1h] <= 5", never),
            ("mentions[1h] >= 5 or mentions[1h] < 8", always),
            ("mentions[1h] > 5 or mentions[1h] < 5", open),
            ("mentions[1h] > 5 or mentions[1h] <= 5", always),
            ("not (mentions[1h] >= 0)", never),
            ("mentions[1h] >= 5 and not mentions[1h] >= 5", never),
            ("mentions[1h] >= 5 unless mentions[1h] >= 3", never),
            ("mentions[1h] >= 5 unless mentions[1h] >= 9", open),
            ("authors[1h] > mentions[1h]", never),
            ("authors[1h] >= mentions[1h]", open),
            ("authors[1h] / mentions[1h] > 1", never),
            ("mentions[10m] >= 20 and mentions[1h] < 10", never),
            ("mentions[10m] >= 20 and mentions[1h] < 30", open),
            ("mentions{tone=\"negative\"}[1h] >= 20 and mentions[1h] < 10", never),
            ("mentions[1h] > vars.big and mentions[1h] < 5", never),
            ("mentions[1h] > vars.big and mentions[1h] < 7", open),
            ("mentions[1h] > vars.nobody and mentions[1h] < 7", open),
            ("2 > 3", never),
            ("1 + 1 == 2", always),
            ("change(negative_share[1h]) > 1", never),
            ("change(mentions[1h]) < 0", open),
            ("ratio(mentions[1h]) < 0", never),
            ("rate(mentions[1h]) < 0", never),
            ("largest_voice{followers<100}[1h] >= 1k", never),
            ("-mentions[1h] > 0", never),
            ("mentions[1h] + authors[1h] < 0", never),
            ("mentions[1h] * 2 >= 5 and mentions[1h] * 2 < 4", never),
            ("story_state > explosive", never),
            ("story_state != dying and story_state < critical", open),
            ("lead >= 4 and hostile_texts < 2", never),
            ("lead < 0", open),
            ("rarity(mentions) >= 0s", always),
            ("(mentions[1h] >= 5 or authors[1h] >= 5) and mentions[1h] < 5 and authors[1h] < 5", never),
            ("mentions[1h] == 5 and mentions[1h] != 5", never),
        ] {
            let e = parse_condition(text).unwrap();
            let world = World::new(&vars);
            assert_eq!((world.may_be(&e, true), world.may_be(&e, false)), expected, "{text}");
        }
    }
}
