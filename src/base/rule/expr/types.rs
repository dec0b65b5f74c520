//! Types of expressions: a condition is true, false or unknown; a quantity is a number or a
//! duration, which do not mix.

use super::lex::error;
use super::{Arith, Expr, ExprError, Measure};
use crate::base::figures;
use crate::base::model::StoryState;

/// What an expression is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Type {
    /// True, false or unknown.
    Condition,
    /// A number.
    Number,
    /// A duration, in seconds.
    Duration,
    /// The state of a story.
    State,
    /// A variable: a number or a duration, as the brand's files say.
    Either,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Condition => "a condition",
            Type::Number => "a number",
            Type::Duration => "a duration",
            Type::State => "the state of a story",
            Type::Either => "a variable",
        }
    }
}

impl Expr {
    /// What it is.
    pub fn kind(&self) -> Type {
        match self {
            Expr::Compare(..) | Expr::Not(_) | Expr::And(..) | Expr::Or(..) | Expr::Then(..) => Type::Condition,
            Expr::Series(s, _) if s.is_condition() => Type::Condition,
            Expr::Var(_) => Type::Either,
            Expr::Number(text, _) if StoryState::named(text).is_some() => Type::State,
            Expr::Series(s, _) if s.measure == Measure::StoryState => Type::State,
            Expr::Number(text, _) if figures::seconds(text).is_some() => Type::Duration,
            Expr::Series(s, _) | Expr::Against(super::Against::Change, s, ..) if s.is_duration() => Type::Duration,
            Expr::Number(..) | Expr::Series(..) | Expr::Rate(..) | Expr::Against(..) => Type::Number,
            Expr::Negate(a) | Expr::Named(_, a) => a.kind(),
            Expr::Arith(op, a, b) => made_of(*op, a.kind(), b.kind()),
        }
    }

    /// Calls `f` for each variable that must be of one type, with whether it must be a duration.
    pub fn each_typed_var<'e>(&'e self, f: &mut impl FnMut(&'e str, bool)) {
        match self {
            Expr::Compare(_, a, b) | Expr::Arith(Arith::Add | Arith::Subtract, a, b) => {
                for (x, other) in [(a, b), (b, a)] {
                    if let Expr::Var(v) = x.plain()
                        && let kind @ (Type::Number | Type::Duration) = other.kind()
                    {
                        f(v, kind == Type::Duration);
                    }
                }
                a.each_typed_var(f);
                b.each_typed_var(f);
            }
            Expr::Arith(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                a.each_typed_var(f);
                b.each_typed_var(f);
            }
            Expr::Negate(a) | Expr::Not(a) | Expr::Named(_, a) => a.each_typed_var(f),
            Expr::Series(s, _) | Expr::Rate(s, _) | Expr::Against(_, s, ..) => {
                for selector in &s.selectors {
                    if let super::Operand::Var(v) = &selector.value {
                        f(v, false);
                    }
                }
            }
            Expr::Number(..) | Expr::Var(_) => {}
        }
    }
}

/// What an operation on two quantities gives.
pub(super) fn made_of(op: Arith, a: Type, b: Type) -> Type {
    match (op, a, b) {
        (Arith::Divide, Type::Duration, Type::Duration) => Type::Number,
        (_, Type::Duration, _) | (_, _, Type::Duration) => Type::Duration,
        (_, Type::Either, Type::Either) => Type::Either,
        _ => Type::Number,
    }
}

/// The expression, if it is a condition.
pub(super) fn condition(e: Expr, at: usize) -> Result<Expr, ExprError> {
    if e.kind() == Type::Condition {
        return Ok(e);
    }
    let what = format!("expected a condition, found {} `{e}`", e.kind().name());
    Err(error(at, what, Some("compare it: add >= and a number")))
}

/// The expression, if it is a quantity.
pub(super) fn quantity(e: Expr, at: usize) -> Result<Expr, ExprError> {
    if e.kind() != Type::Condition {
        return Ok(e);
    }
    let what = format!("expected a number, found a condition `{e}`");
    Err(error(at, what, Some("a condition cannot be compared or calculated with")))
}

/// Whether two quantities can be compared, added or subtracted; the error stands at the right one.
/// Both come with what they are: to find that out again and again of a long sum would cost too much.
pub(super) fn alike((a, kind): (&Expr, Type), (b, other): (&Expr, Type), at: usize) -> Result<(), ExprError> {
    match (kind, other) {
        (Type::State, Type::State) => Ok(()),
        (Type::State, other) | (other, Type::State) => {
            let hint = "write story_state >= critical; states are dying, critical, explosive";
            Err(error(
                at,
                format!("expected the state of a story beside `{a}`, found {} `{b}`", other.name()),
                Some(hint),
            ))
        }
        (Type::Duration, Type::Number) => {
            let hint = "write a duration such as 10m, 1.5d";
            Err(error(at, format!("expected a duration beside `{a}`, found a number `{b}`"), Some(hint)))
        }
        (Type::Number, Type::Duration) => {
            let hint = "windows stand in brackets: mentions[10m]";
            Err(error(at, format!("expected a number beside `{a}`, found a duration `{b}`"), Some(hint)))
        }
        _ => Ok(()),
    }
}

/// Whether an operation gives something that has a meaning.
pub(super) fn sensible(op: Arith, left: (&Expr, Type), right: (&Expr, Type), at: usize) -> Result<(), ExprError> {
    let (a, b) = (left.0, right.0);
    match (op, left.1, right.1) {
        (_, Type::State, _) | (_, _, Type::State) => {
            Err(error(at, format!("expected numbers around `{}`, found the state of a story", op.sign()), None))
        }
        (Arith::Add | Arith::Subtract, ..) => alike(left, right, at),
        (Arith::Multiply, Type::Duration, Type::Duration) => {
            Err(error(at, format!("expected a number beside the duration `{a}`, found a second duration `{b}`"), None))
        }
        (Arith::Divide, Type::Number, Type::Duration) => {
            let hint = "rate(mentions[10m]) is a number a second";
            Err(error(at, format!("expected a number to divide by, found a duration `{b}`"), Some(hint)))
        }
        _ => Ok(()),
    }
}
