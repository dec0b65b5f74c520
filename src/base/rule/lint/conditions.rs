//! Rules that can never fire, or always do.

use super::interval::Interval;
use super::quantities::Quantities;
use super::sat::{World, may_be_unknown, needed, parts_of};
use super::seen::{At, Seen, Written, get, text};
use super::{Kind, Notes, Work, range};
use crate::base::figures;
use crate::base::rule::expr::{Arith, Expr, Type, comparison_starts};
use crate::base::time::Span;

/// So many parts of a condition are held against each other.
const PAIRED: usize = 32;

const NEVER: &str = "the rule never fires";

pub(super) fn warnings(seen: &Seen<'_, '_>, work: &Work, out: &mut Notes) {
    for written in &seen.rules {
        if work.is_spent() {
            return;
        }
        let clear = written.rule.clear.as_ref();
        let whens = written.rule.levels.iter().map(|l| &l.when);
        let all = Quantities::of(&seen.vars, work, whens.chain(clear));
        let world = World::new(&all);
        let mut sound = true;
        for (level, node) in written.rule.levels.iter().zip(&written.conditions) {
            let look = Look { seen, at: (written.at.0, node), world: &world, when: &level.when };
            let whole = look.whole(out);
            if whole {
                look.held(level.hold, all.age(), out);
            }
            sound &= whole;
        }
        if sound {
            outranked(seen, written, &world, out);
            clear.into_iter().for_each(|clear| never_clears(seen, written, clear, &world, out));
        }
    }
}

/// A `clear` that never acts leaves episodes open for ever.
fn never_clears(seen: &Seen<'_, '_>, written: &Written<'_>, clear: &Expr, world: &World<'_, '_>, out: &mut Notes) {
    let Some(node) = get(written.at.1, "clear") else { return };
    let look = Look { seen, at: (written.at.0, node), world, when: clear };
    let hint = format!(
        "an episode of {} never ends by itself; leave `clear` out to end it when `when` does not hold",
        written.rule.name
    );
    if !world.may_be(clear, true) {
        return look.never(clear, &hint, out);
    }
    // it acts only where no level holds
    let levels = written.rule.levels.iter().flat_map(|l| needed(&l.when, false));
    let parts: Vec<(&Expr, bool)> = needed(clear, true).into_iter().chain(levels).collect();
    if !world.may_all_be(&parts) {
        let what =
            format!("expected a `clear` that can act, found `{}`, which holds only where `when` does", short(clear));
        out.add(seen, Kind::Condition, look.at, 0, what, hint);
    }
}

/// A level that holds only where one above it does never counts.
fn outranked(seen: &Seen<'_, '_>, written: &Written<'_>, world: &World<'_, '_>, out: &mut Notes) {
    let levels = &written.rule.levels;
    for (i, (low, node)) in levels.iter().zip(&written.conditions).enumerate() {
        let above = levels.iter().skip(i + 1).find(|high| {
            let parts: Vec<(&Expr, bool)> =
                needed(&low.when, true).into_iter().chain(needed(&high.when, false)).collect();
            high.hold <= low.hold && is_known_with(&high.when, &low.when) && !world.may_all_be(&parts)
        });
        if let Some(high) = above {
            let (low, high) = (low.severity.name(), high.severity.name());
            let what =
                format!("expected a level `{low}` that can count, found one that holds only where `{high}` does");
            let hint = "of the levels that hold the highest counts; the higher one asks for more";
            out.add(seen, Kind::Condition, (written.at.0, node), 0, what, hint);
        }
    }
}

/// Whether a condition is never unknown where another one holds, as far as that is easily told.
fn is_known_with(high: &Expr, low: &Expr) -> bool {
    let (Expr::Compare(_, a, b), Expr::Compare(_, x, y)) = (high, low) else { return !may_be_unknown(high) };
    let known = |e: &Expr| !may_be_unknown(e) || e.plain() == x.plain() || e.plain() == y.plain();
    known(a) && known(b)
}

/// One condition and what is asked about it.
struct Look<'l, 'n, 's> {
    seen: &'l Seen<'n, 's>,
    at: At<'n>,
    world: &'l World<'l, 'l>,
    when: &'l Expr,
}

impl<'l> Look<'l, '_, '_> {
    /// Adds a warning about a part; its words are made only if they are shown.
    fn tell(&self, part: &Expr, out: &mut Notes, words: impl FnOnce() -> (String, String)) {
        if out.has_room(Kind::Condition) {
            let (what, hint) = words();
            out.add(self.seen, Kind::Condition, self.at, self.place(part), what, hint);
        } else {
            out.leave_out(Kind::Condition);
        }
    }

    /// Whether nothing is wrong with the whole condition.
    fn whole(&self, out: &mut Notes) -> bool {
        if !self.world.may_be(self.when, true) {
            self.never(self.when, NEVER, out);
            return false;
        }
        if !self.world.may_be(self.when, false) {
            let (when, unknown) = (self.when, may_be_unknown(self.when));
            let how = if unknown { "which holds whenever it is known" } else { "which always holds" };
            self.tell(when, out, || {
                let what = format!("expected a condition that can fail, found `{}`, {how}", short(when));
                (what, self.because(when, "the rule fires all the time"))
            });
            return false;
        }
        self.inner(self.when, out);
        true
    }

    /// Parts that never matter, in a condition that can hold and can fail.
    fn inner(&self, e: &'l Expr, out: &mut Notes) {
        if !matches!(e, Expr::And(..) | Expr::Or(..)) {
            return;
        }
        for (part, wanted) in parts_of(e, true) {
            let (can, cannot) = (self.world.may_be(part, wanted), self.world.may_be(part, !wanted));
            if !can && matches!(e, Expr::Or(..)) {
                self.never(part, "this part of the condition says nothing", out);
            } else if !cannot && !may_be_unknown(part) {
                self.tell(part, out, || {
                    let what =
                        format!("expected a condition that can fail, found `{}`, which always holds", short(part));
                    (what, self.because(part, "this part of the condition says nothing"))
                });
            } else {
                self.inner(part, out);
            }
        }
    }

    /// Tells which part of a condition that never holds is to blame.
    fn never(&self, e: &'l Expr, so: &str, out: &mut Notes) {
        if !out.has_room(Kind::Condition) {
            return out.leave_out(Kind::Condition);
        }
        let dead = |(part, wanted): &(&'l Expr, bool)| !self.world.may_be(part, *wanted);
        let parts = parts_of(e, true);
        let conjunction = matches!(e, Expr::And(..));
        if conjunction && let Some((part, true)) = parts.iter().find(|p| dead(p)).copied() {
            return self.never(part, so, out);
        }
        if conjunction && !parts.iter().any(dead) {
            for (i, b) in parts.iter().enumerate().take(PAIRED) {
                if let Some(a) = parts.iter().take(i).find(|a| self.world.with(&[**a, *b]).is_none()) {
                    return self.tell(b.0, out, || {
                        let (a, b) = (shown(a), shown(b));
                        (format!("expected conditions that can hold together, found `{a}` and `{b}`"), so.to_string())
                    });
                }
            }
        }
        self.tell(e, out, || {
            let what = format!("expected a condition that can hold, found `{}`, which never does", short(e));
            (what, self.because(e, so))
        });
    }

    /// A condition that a story outgrows before it has held long enough.
    fn held(&self, hold: Span, age: Option<usize>, out: &mut Notes) {
        let Some(age) = age.filter(|_| hold > Span::ZERO) else { return };
        let can = self.world.bounds(self.when, true, age);
        // a story grows older by as much as the condition holds; with both ends counted in, just so long is enough
        let (wide, needed) = (can.high - can.low.max(0.0), hold.as_seconds());
        if can.is_empty() || needed < wide || (needed == wide && !can.above && !can.below) {
            return;
        }
        let most = Span((wide * 1e6) as i64);
        self.tell(self.when, out, || {
            let why = if can.low > 0.0 { "no story" } else { "no story younger than that" };
            (format!("expected a `for` shorter than {most}, found {hold}, which {why} holds"), NEVER.to_string())
        });
    }

    /// The byte of the condition's text at which a part begins.
    fn place(&self, part: &Expr) -> usize {
        let Some(source) = text(self.at.1) else { return 0 };
        let mut all = Vec::new();
        comparisons(self.when, &mut all);
        let first = first_comparison(part);
        let index = all.iter().position(|c| first.is_some_and(|f| std::ptr::eq(*c, f)));
        index.and_then(|i| comparison_starts(source).get(i).copied()).unwrap_or(0)
    }

    /// What the left side of a comparison can be, as the reason.
    fn because(&self, e: &Expr, so: &str) -> String {
        let Some(Expr::Compare(_, a, b)) = first_comparison(e).filter(|_| !matches!(e, Expr::And(..) | Expr::Or(..)))
        else {
            return so.to_string();
        };
        if let (Expr::Series(x, _), Expr::Series(y, _)) = (a.plain(), b.plain()) {
            let (less, more) = if range::at_most(x, y) { (x, y) } else { (y, x) };
            if range::at_most(less, more) {
                return format!("`{less}` is never more than `{more}`: {so}");
            }
        }
        let quantity = if matches!(a.plain(), Expr::Number(..)) { b } else { a };
        let can = self.world.range(quantity);
        match can {
            _ if matches!(quantity.plain(), Expr::Number(..)) || can == Interval::ALL => so.to_string(),
            _ if self.divides_by_nothing(quantity) => {
                format!("`{quantity}` is never known, since it divides by 0: {so}")
            }
            _ if can.is_empty() => format!("`{quantity}` is never known, since no post passes its selectors: {so}"),
            _ => {
                let seconds = quantity.kind() == Type::Duration;
                let show = |x: f64| if seconds { Span((x * 1e6) as i64).to_string() } else { figures::short(x) };
                format!("`{quantity}` is {}: {so}", can.shown(show))
            }
        }
    }

    fn divides_by_nothing(&self, e: &Expr) -> bool {
        match e.plain() {
            Expr::Negate(a) => self.divides_by_nothing(a),
            Expr::Arith(op, a, b) => {
                (*op == Arith::Divide && self.world.range(b) == Interval::point(0.0))
                    || self.divides_by_nothing(a)
                    || self.divides_by_nothing(b)
            }
            _ => false,
        }
    }
}

fn comparisons<'e>(e: &'e Expr, out: &mut Vec<&'e Expr>) {
    match e {
        Expr::Compare(..) => out.push(e),
        Expr::Not(a) => comparisons(a, out),
        Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
            comparisons(a, out);
            comparisons(b, out);
        }
        _ => {}
    }
}

fn first_comparison(e: &Expr) -> Option<&Expr> {
    let mut all = Vec::new();
    comparisons(e, &mut all);
    all.first().copied()
}

fn shown((e, wanted): &(&Expr, bool)) -> String {
    if *wanted { short(e) } else { format!("not {}", short(e)) }
}

/// A condition in a message.
fn short(e: &Expr) -> String {
    let all = e.to_string();
    match all.char_indices().nth(120) {
        Some((cut, _)) => format!("{}...", all.get(..cut).unwrap_or("")),
        None => all,
    }
}
