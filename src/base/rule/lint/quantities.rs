//! The quantities of conditions, each under one number however it is written, and what each can be by itself.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::Work;
use super::interval::Interval;
use super::range;
use crate::base::rule::expr::{Against, Arith, Expr, Measure, SeriesSpec};

/// Most series of one condition that are compared with each other.
const RELATED: usize = 32;

/// What conditions that are looked at together compare.
pub(super) struct Quantities<'e> {
    /// Values of variables over all brands; what is not here can be anything.
    vars: &'e BTreeMap<String, Interval>,
    pub(super) work: &'e Work,
    /// The number of a quantity by where it stands in memory: rendering each of them again would cost too much.
    numbers: BTreeMap<*const Expr, usize>,
    by_meaning: BTreeMap<String, usize>,
    own: Vec<Interval>,
    series: Vec<(usize, &'e SeriesSpec)>,
    /// Series that are never more than another, with that one.
    pub(super) related: Vec<(usize, usize)>,
}

impl<'e> Quantities<'e> {
    pub(super) fn of(
        vars: &'e BTreeMap<String, Interval>,
        work: &'e Work,
        conditions: impl IntoIterator<Item = &'e Expr>,
    ) -> Quantities<'e> {
        let (numbers, by_meaning, own) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let mut out = Quantities { vars, work, numbers, by_meaning, own, series: Vec::new(), related: Vec::new() };
        conditions.into_iter().for_each(|e| out.condition(e));
        out.relate();
        out
    }

    fn condition(&mut self, e: &'e Expr) {
        match e {
            Expr::Not(a) => self.condition(a),
            Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                self.condition(a);
                self.condition(b);
            }
            Expr::Compare(_, a, b) => {
                for side in [a, b] {
                    self.atoms(side);
                    self.add(side.plain());
                }
            }
            _ => {}
        }
    }

    /// Numbers what a quantity is made of.
    fn atoms(&mut self, e: &'e Expr) {
        match e.plain() {
            Expr::Negate(a) => self.atoms(a),
            Expr::Arith(_, a, b) => {
                self.atoms(a);
                self.atoms(b);
            }
            atom => self.add(atom),
        }
    }

    fn add(&mut self, e: &'e Expr) {
        self.work.spend(10);
        if matches!(e, Expr::Number(..)) || self.numbers.contains_key(&std::ptr::from_ref(e)) {
            return;
        }
        let mut meaning = String::new();
        write_meaning(e, &mut meaning);
        self.work.spend(meaning.len() / 8);
        let next = self.own.len();
        let number = *self.by_meaning.entry(meaning).or_insert(next);
        if number == next {
            self.own.push(self.by_itself(e));
            if let Expr::Series(s, _) = e {
                self.series.push((number, s));
            }
        }
        self.numbers.insert(std::ptr::from_ref(e), number);
    }

    /// What a quantity can be, apart from what it is made of.
    fn by_itself(&self, e: &Expr) -> Interval {
        match e {
            Expr::Var(v) => self.vars.get(v).copied().unwrap_or(Interval::ALL),
            Expr::Series(s, _) => range::of(s),
            Expr::Rate(s, _) => range::of(s).with(Arith::Divide, Interval::point(s.window.as_seconds())),
            Expr::Against(Against::Change, s, ..) => {
                let i = range::of(s);
                i.with(Arith::Subtract, i)
            }
            Expr::Against(Against::Ratio, ..) => Interval::COUNT,
            _ => Interval::ALL,
        }
    }

    fn relate(&mut self) {
        let series = self.series.get(..RELATED.min(self.series.len())).unwrap_or(&[]);
        for (small, a) in series {
            for (large, b) in series.iter().filter(|(large, _)| large != small) {
                self.work.spend(1);
                if range::at_most(a, b) {
                    self.related.push((*small, *large));
                }
            }
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.own.len()
    }

    /// The number of a quantity, without the names it stands under.
    pub(super) fn number(&self, e: &Expr) -> Option<usize> {
        self.numbers.get(&std::ptr::from_ref(e)).copied()
    }

    /// What the quantity of a number can be by itself.
    pub(super) fn own(&self, number: usize) -> Interval {
        self.own.get(number).copied().unwrap_or(Interval::ALL)
    }

    /// The number of the age of a story.
    pub(super) fn age(&self) -> Option<usize> {
        self.by_meaning.get(Measure::StoryAge.name()).copied()
    }
}

/// What a part less or divided by its whole can be.
pub(super) fn parts(op: Arith, a: &Expr, b: &Expr) -> Interval {
    let (Expr::Series(x, _), Expr::Series(y, _)) = (a.plain(), b.plain()) else { return Interval::ALL };
    let counts = range::of(x).low >= 0.0 && range::of(y).low >= 0.0;
    match op {
        Arith::Subtract if range::at_most(x, y) => Interval::between(f64::NEG_INFINITY, 0.0),
        Arith::Subtract if range::at_most(y, x) => Interval::COUNT,
        Arith::Divide if counts && range::at_most(x, y) => Interval::SHARE,
        Arith::Divide if counts && range::at_most(y, x) => Interval::between(1.0, f64::INFINITY),
        _ => Interval::ALL,
    }
}

/// What an expression means, whatever names stand for it and however its numbers are written.
pub(super) fn write_meaning(e: &Expr, out: &mut String) {
    let mut two = |sign: &str, a: &Expr, b: &Expr| {
        out.push('(');
        write_meaning(a, out);
        let _ = write!(out, " {sign} ");
        write_meaning(b, out);
        out.push(')');
    };
    match e {
        Expr::Named(_, a) => write_meaning(a, out),
        Expr::Arith(op, a, b) => two(op.sign(), a, b),
        Expr::Compare(op, a, b) => two(op.sign(), a, b),
        Expr::And(a, b) => two("and", a, b),
        Expr::Or(a, b) => two("or", a, b),
        Expr::Then(a, b, span, _) => two(&format!("then {}", span.0), a, b),
        Expr::Negate(a) | Expr::Not(a) => {
            out.push_str(if matches!(e, Expr::Not(_)) { "not " } else { "-" });
            write_meaning(a, out);
        }
        Expr::Number(_, x) => {
            let _ = write!(out, "{x}");
        }
        Expr::Var(_) | Expr::Series(..) | Expr::Rate(..) | Expr::Against(..) => {
            let _ = write!(out, "{e}");
        }
    }
}
