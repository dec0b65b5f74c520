//! Rules that can never fire, or always do.

use super::interval::Interval;
use super::sat::{World, may_be_unknown, parts_of};
use super::seen::{At, Seen, Written, get, text};
use super::{Notes, range};
use crate::base::figures;
use crate::base::rule::expr::{Expr, Type, comparison_starts};
use crate::base::time::Span;

/// So many parts of a condition are held against each other.
const PAIRED: usize = 32;

const NEVER: &str = "the rule never fires";

pub(super) fn warnings(seen: &Seen<'_, '_>, out: &mut Notes) {
    for written in &seen.rules {
        if out.is_full() {
            return;
        }
        for (level, node) in written.rule.levels.iter().zip(&written.conditions) {
            let look = Look { seen, at: (written.at.0, node), world: World::new(&seen.vars), when: &level.when };
            if look.whole(out) {
                look.held(level.hold, out);
            }
        }
        clear(seen, written, out);
    }
}

/// A `clear` that never holds leaves episodes open for ever.
fn clear(seen: &Seen<'_, '_>, written: &Written<'_>, out: &mut Notes) {
    let (Some(clear), Some(node)) = (&written.rule.clear, get(written.at.1, "clear")) else { return };
    let look = Look { seen, at: (written.at.0, node), world: World::new(&seen.vars), when: clear };
    if look.world.may_be(clear, true) {
        return;
    }
    let hint = format!(
        "an episode of {} never ends by itself; leave `clear` out to end it when `when` does not hold",
        written.rule.name
    );
    look.never(clear, &hint, out);
}

/// One condition and what is asked about it.
struct Look<'l, 'n, 's> {
    seen: &'l Seen<'n, 's>,
    at: At<'n>,
    world: World<'l>,
    when: &'l Expr,
}

impl<'l> Look<'l, '_, '_> {
    /// Whether nothing is wrong with the whole condition.
    fn whole(&self, out: &mut Notes) -> bool {
        if !self.world.may_be(self.when, true) {
            self.never(self.when, NEVER, out);
            return false;
        }
        if !self.world.may_be(self.when, false) {
            let (when, unknown) = (self.when, may_be_unknown(self.when));
            let how = if unknown { "which holds whenever it is known" } else { "which always holds" };
            let what = format!("expected a condition that can fail, found `{}`, {how}", short(when));
            out.add(self.seen, self.at, self.place(when), what, self.because(when, "the rule fires all the time"));
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
                let what = format!("expected a condition that can fail, found `{}`, which always holds", short(part));
                let hint = self.because(part, "this part of the condition says nothing");
                out.add(self.seen, self.at, self.place(part), what, hint);
            } else {
                self.inner(part, out);
            }
        }
    }

    /// Tells which part of a condition that never holds is to blame.
    fn never(&self, e: &'l Expr, so: &str, out: &mut Notes) {
        let dead = |(part, wanted): &(&'l Expr, bool)| !self.world.may_be(part, *wanted);
        let parts = parts_of(e, true);
        let conjunction = matches!(e, Expr::And(..));
        if conjunction && let Some((part, true)) = parts.iter().find(|p| dead(p)).copied() {
            return self.never(part, so, out);
        }
        if conjunction && !parts.iter().any(dead) {
            for (i, b) in parts.iter().enumerate().take(PAIRED) {
                if let Some(a) = parts.iter().take(i).find(|a| self.world.with(&[**a, *b]).is_none()) {
                    let (a, b, at) = (shown(a), shown(b), self.place(b.0));
                    let what = format!("expected conditions that can hold together, found `{a}` and `{b}`");
                    return out.add(self.seen, self.at, at, what, so);
                }
            }
        }
        let what = format!("expected a condition that can hold, found `{}`, which never does", short(e));
        out.add(self.seen, self.at, self.place(e), what, self.because(e, so));
    }

    /// A condition that a story outgrows before it has held long enough.
    fn held(&self, hold: Span, out: &mut Notes) {
        let Some(world) = self.world.with(&parts_of(self.when, true)) else { return };
        let oldest = world.most("story_age");
        if hold > Span::ZERO && oldest.is_finite() && oldest <= hold.as_seconds() {
            let age = Span((oldest * 1e6) as i64);
            let what =
                format!("expected a `for` shorter than {age}, found {hold}, which no story younger than that holds");
            out.add(self.seen, self.at, self.place(self.when), what, NEVER);
        }
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
        if let (Expr::Series(x, _), Expr::Series(y, _)) = (&**a, &**b) {
            let (less, more) = if range::at_most(x, y) { (x, y) } else { (y, x) };
            if range::at_most(less, more) {
                return format!("`{less}` is never more than `{more}`: {so}");
            }
        }
        let quantity = if matches!(**a, Expr::Number(..)) { b } else { a };
        let can = self.world.range(quantity);
        match can {
            _ if matches!(**quantity, Expr::Number(..)) || can == Interval::ALL => so.to_string(),
            _ if can.is_empty() => format!("`{quantity}` is never known, since no post passes its selectors: {so}"),
            _ => {
                let seconds = quantity.kind() == Type::Duration;
                let show = |x: f64| if seconds { Span((x * 1e6) as i64).to_string() } else { figures::short(x) };
                format!("`{quantity}` is {}: {so}", can.shown(show))
            }
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
