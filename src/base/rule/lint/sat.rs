//! Can a condition hold, can it fail? Told from what its measures can be; where that is not
//! certain, it can.

use super::interval::Interval;
use super::quantities::{Quantities, parts};
use super::range;
use crate::base::rule::expr::{Arith, Compare, Expr};

/// What is known of the quantities of a condition.
#[derive(Clone)]
pub(super) struct World<'w, 'e> {
    all: &'w Quantities<'e>,
    /// What conditions that hold beside it leave to each quantity, by its number; `None` for one that none of them names.
    held: Vec<Option<Interval>>,
}

impl<'w, 'e> World<'w, 'e> {
    /// Nothing but the values of variables.
    pub(super) fn new(all: &'w Quantities<'e>) -> World<'w, 'e> {
        World { all, held: vec![None; all.count()] }
    }

    /// What a quantity can be.
    pub(super) fn range(&self, e: &Expr) -> Interval {
        let e = e.plain();
        self.all.work.spend(1);
        let made = match e {
            Expr::Number(_, x) => return Interval::point(*x),
            Expr::Negate(a) => self.range(a).negated(),
            Expr::Arith(op, a, b) => self.range(a).with(*op, self.range(b)).meet(parts(*op, a, b)),
            _ => Interval::ALL,
        };
        match self.all.number(e) {
            Some(i) => made.meet(self.of(i)),
            None => made,
        }
    }

    /// What the quantity of a number can be, apart from what it is made of.
    fn of(&self, i: usize) -> Interval {
        let own = self.all.own(i);
        self.held.get(i).copied().flatten().map_or(own, |held| own.meet(held))
    }

    /// Whether a comparison may hold.
    fn may(&self, op: Compare, a: &Expr, b: &Expr) -> bool {
        if let (Expr::Series(x, _), Expr::Series(y, _)) = (a.plain(), b.plain())
            && ((op == Compare::More && range::at_most(x, y)) || (op == Compare::Less && range::at_most(y, x)))
        {
            return false;
        }
        let (a, b) = (self.range(a), self.range(b));
        let same = a == b && a.low == a.high;
        let unlike = op != Compare::Unequal || !same;
        !a.is_empty() && !b.is_empty() && !a.meet(b.side(op)).is_empty() && unlike
    }

    /// Takes a comparison as holding; whether that leaves something to both sides.
    fn hold(&mut self, op: Compare, a: &Expr, b: &Expr) -> bool {
        let (x, y) = (self.range(a), self.range(b));
        self.narrow(a, x, op, y) && self.narrow(b, y, flipped(op), x)
    }

    fn narrow(&mut self, e: &Expr, now: Interval, op: Compare, other: Interval) -> bool {
        let left = match op {
            Compare::Unequal if other.low == other.high => now.without(other.low),
            op => now.meet(other.side(op)),
        };
        if let Some(i) = self.all.number(e.plain())
            && let Some(held) = self.held.get_mut(i)
        {
            *held = Some(left);
        }
        !left.is_empty()
    }

    /// What is never more than another is not more than that can be; whether that leaves something to both.
    fn relate(&mut self) -> bool {
        for (small, large) in &self.all.related {
            let known = |i: &usize| self.held.get(*i).copied().flatten().is_some();
            if !known(small) || !known(large) {
                continue;
            }
            self.all.work.spend(1);
            let (x, y) = (self.of(*small), self.of(*large));
            let (x, y) = (x.meet(y.side(Compare::AtMost)), y.meet(x.side(Compare::AtLeast)));
            for (i, left) in [(small, x), (large, y)] {
                if let Some(held) = self.held.get_mut(*i) {
                    *held = Some(left);
                }
            }
            if x.is_empty() || y.is_empty() {
                return false;
            }
        }
        true
    }

    /// The same with all of these holding; `None` if they cannot.
    pub(super) fn with(&self, parts: &[(&Expr, bool)]) -> Option<World<'w, 'e>> {
        self.all.work.spend(1 + self.held.len() / 8);
        let mut out = self.clone();
        // twice: what the second says may matter to the first
        for _ in 0..2 {
            for (part, holds) in parts {
                if let Expr::Compare(op, a, b) = part {
                    let op = if *holds { *op } else { opposite(*op) };
                    if !out.may(op, a, b) || !out.hold(op, a, b) {
                        return None;
                    }
                }
            }
            if !out.relate() {
                return None;
            }
        }
        Some(out)
    }

    /// Whether a condition may come out as `wanted`: true or false, but not unknown.
    pub(super) fn may_be(&self, e: &Expr, wanted: bool) -> bool {
        if self.all.work.is_spent() {
            return true;
        }
        match e {
            Expr::Compare(op, a, b) => self.may(if wanted { *op } else { opposite(*op) }, a, b),
            Expr::Not(a) => self.may_be(a, !wanted),
            // the first part held earlier, when everything else may have been otherwise; the second holds now
            Expr::Then(a, b, _, _) => !wanted || (World::new(self.all).may_be(a, true) && self.may_be(b, true)),
            Expr::And(..) | Expr::Or(..) => {
                let parts = parts_of(e, wanted);
                // all of them, or one of them
                if matches!(e, Expr::And(..)) == wanted {
                    self.may_all_be(&parts)
                } else {
                    parts.iter().any(|(p, wanted)| self.may_be(p, *wanted))
                }
            }
            _ => true,
        }
    }

    /// Whether all of these may come out as wanted at one moment.
    pub(super) fn may_all_be(&self, parts: &[(&Expr, bool)]) -> bool {
        self.with(parts).is_some_and(|w| parts.iter().all(|(p, wanted)| w.may_be(p, *wanted)))
    }

    /// Between which values a measure without selectors lies wherever a condition comes out as wanted; none where it
    /// cannot.
    pub(super) fn bounds(&self, e: &Expr, wanted: bool, measure: usize) -> Interval {
        match e {
            Expr::Not(a) => self.bounds(a, !wanted, measure),
            Expr::Then(_, b, ..) if wanted => self.bounds(b, true, measure),
            Expr::And(..) | Expr::Or(..) => {
                let parts = parts_of(e, wanted);
                if matches!(e, Expr::And(..)) == wanted {
                    let Some(w) = self.with(&parts) else { return Interval::NONE };
                    parts.iter().fold(w.of(measure), |i, (p, wanted)| i.meet(w.bounds(p, *wanted, measure)))
                } else {
                    let each = parts.iter().map(|(p, wanted)| self.bounds(p, *wanted, measure));
                    each.filter(|i| !i.is_empty()).reduce(Interval::join).unwrap_or(Interval::NONE)
                }
            }
            Expr::Compare(..) => self.with(&[(e, wanted)]).map_or(Interval::NONE, |w| w.of(measure)),
            _ => self.of(measure),
        }
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

/// The parts that must all come out so for a condition to come out as wanted; the condition itself where one is enough.
pub(super) fn needed(e: &Expr, wanted: bool) -> Vec<(&Expr, bool)> {
    match e {
        Expr::Not(a) => needed(a, !wanted),
        Expr::And(..) if wanted => parts_of(e, true),
        Expr::Or(..) if !wanted => parts_of(e, false),
        _ => vec![(e, wanted)],
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::rule::expr::parse_condition;
    use crate::base::rule::lint::Work;

    #[test]
    fn what_can_hold_or_fail_is_told() {
        let vars = BTreeMap::from([("big".to_string(), Interval::between(5.0, 10.0))]);
        let (never, always, open, neither) = ((false, true), (true, false), (true, true), (false, false));
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
            ("(mentions[10m] >= 50 then negative_share[10m] >= 60% within 2h) and mentions[10m] < 20", open),
            ("(mentions[10m] >= 50 then mentions[10m] >= 20 within 2h) and mentions[10m] < 10", never),
            ("(mentions[10m] < 0 then lead > 3 within 2h) or lead > 4", open),
            ("(mentions[10m] < 0 then lead > 3 within 2h)", never),
            ("mentions[1h] / 0 > 1", neither),
            ("1 + mentions[1h] / (2 - 2) < 9 or lead > 3", always),
        ] {
            let e = parse_condition(text).unwrap();
            let work = Work::default();
            let all = Quantities::of(&vars, &work, [&e]);
            let world = World::new(&all);
            assert_eq!((world.may_be(&e, true), world.may_be(&e, false)), expected, "{text}");
        }
    }
}
