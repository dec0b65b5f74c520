//! The expression language of rules: measures, comparisons, three-valued logic.

mod eval;
mod lex;
mod measure;
mod parse;
mod series;
mod spots;
mod types;
mod value;

use std::fmt;

use crate::base::time::Span;

pub use eval::Context;
pub use measure::{About, Form, Measure, Unit};
pub use parse::{Lets, parse_condition, parse_quantity, with_names};
pub use series::{Field, Operand, Selector, SeriesSpec, View};
pub use spots::comparison_starts;
pub use types::Type;
pub use value::{FUNCTIONS, TERM_GAPS};

/// A mistake in an expression: where (bytes from its start), what, and a hint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExprError {
    /// Bytes from the start of the expression.
    pub offset: usize,
    /// `expected …, found …`.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
}

/// An operation on numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arith {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// How a measure is compared with itself one window before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Against {
    /// The difference.
    Change,
    /// How many times; unknown where there was nothing before.
    Ratio,
}

impl Against {
    /// As written in rules.
    pub fn name(self) -> &'static str {
        match self {
            Against::Change => "change",
            Against::Ratio => "ratio",
        }
    }
}

/// An expression. Well-typed by construction: the parser refuses others.
#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    /// A number as written, with its value.
    Number(String, f64),
    /// A variable of the brand, `vars.name`.
    Var(String),
    /// A quantity the rule gave a name to.
    Named(String, Box<Expr>),
    /// A measure over a window, and its place among the series of the rule's plan.
    Series(SeriesSpec, usize),
    /// Its value a second: the value over the window divided by its length.
    Rate(SeriesSpec, usize),
    /// A measure compared with itself one window before, with both places.
    Against(Against, SeriesSpec, usize, usize),
    /// Minus.
    Negate(Box<Expr>),
    /// Arithmetic.
    Arith(Arith, Box<Expr>, Box<Expr>),
    /// A comparison of numbers.
    Compare(Compare, Box<Expr>, Box<Expr>),
    /// Not.
    Not(Box<Expr>),
    /// Both.
    And(Box<Expr>, Box<Expr>),
    /// One of them.
    Or(Box<Expr>, Box<Expr>),
    /// The second, which began to hold at most so long after the first last held; and its place among the
    /// sequences of the rule.
    Then(Box<Expr>, Box<Expr>, Span, usize),
}

impl Expr {
    /// Calls `f` for each series in the order written.
    pub fn each_series<'e>(&'e self, f: &mut impl FnMut(&'e SeriesSpec)) {
        match self {
            Expr::Series(s, _) | Expr::Rate(s, _) | Expr::Against(_, s, ..) => f(s),
            Expr::Number(..) | Expr::Var(_) => {}
            Expr::Negate(a) | Expr::Not(a) | Expr::Named(_, a) => a.each_series(f),
            Expr::Arith(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                a.each_series(f);
                b.each_series(f);
            }
        }
    }

    /// Gives each series its place; one that is compared with its past has two.
    pub fn place_series(&mut self, place: &mut impl FnMut(&SeriesSpec) -> usize) {
        match self {
            Expr::Series(s, slot) | Expr::Rate(s, slot) => *slot = place(s),
            Expr::Against(_, s, now, past) => {
                *now = place(s);
                *past = place(&SeriesSpec { offset: s.window, ..s.clone() });
            }
            Expr::Number(..) | Expr::Var(_) => {}
            Expr::Negate(a) | Expr::Not(a) | Expr::Named(_, a) => a.place_series(place),
            Expr::Arith(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                a.place_series(place);
                b.place_series(place);
            }
        }
    }

    /// Gives each sequence its place; those inside of others come first.
    pub fn place_sequences(&mut self, next: &mut usize) {
        match self {
            Expr::Not(a) => a.place_sequences(next),
            Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                a.place_sequences(next);
                b.place_sequences(next);
                if let Expr::Then(.., slot) = self {
                    *slot = *next;
                    *next += 1;
                }
            }
            _ => {}
        }
    }

    /// Calls `f` for each sequence, those inside of others first.
    pub fn each_sequence<'e>(&'e self, f: &mut impl FnMut(&'e Expr, &'e Expr, Span)) {
        match self {
            Expr::Not(a) => a.each_sequence(f),
            Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                a.each_sequence(f);
                b.each_sequence(f);
                if let Expr::Then(a, b, span, _) = self {
                    f(a, b, *span);
                }
            }
            _ => {}
        }
    }

    /// Calls `f` for each quantity by its name, those inside of others first.
    pub fn each_named<'e>(&'e self, f: &mut impl FnMut(&'e str, &'e Expr)) {
        match self {
            Expr::Named(name, a) => {
                a.each_named(f);
                f(name, a);
            }
            Expr::Negate(a) | Expr::Not(a) => a.each_named(f),
            Expr::Arith(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                a.each_named(f);
                b.each_named(f);
            }
            Expr::Number(..) | Expr::Var(_) | Expr::Series(..) | Expr::Rate(..) | Expr::Against(..) => {}
        }
    }

    /// What stands under its names.
    pub fn plain(&self) -> &Expr {
        if let Expr::Named(_, inner) = self { inner.plain() } else { self }
    }

    /// How many measures and numbers it holds.
    pub fn size(&self) -> usize {
        match self {
            Expr::Negate(a) | Expr::Not(a) | Expr::Named(_, a) => a.size(),
            Expr::Arith(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                a.size() + b.size()
            }
            Expr::Number(..) | Expr::Var(_) | Expr::Series(..) | Expr::Rate(..) | Expr::Against(..) => 1,
        }
    }

    /// Calls `f` for each variable in the order written.
    pub fn each_var<'e>(&'e self, f: &mut impl FnMut(&'e str)) {
        match self {
            Expr::Var(v) => f(v),
            Expr::Series(s, _) | Expr::Rate(s, _) | Expr::Against(_, s, ..) => {
                let named = |x: &'e Selector| if let Operand::Var(v) = &x.value { Some(v) } else { None };
                s.selectors.iter().filter_map(named).for_each(|v| f(v));
            }
            Expr::Number(..) => {}
            Expr::Negate(a) | Expr::Not(a) | Expr::Named(_, a) => a.each_var(f),
            Expr::Arith(_, a, b) | Expr::Compare(_, a, b) | Expr::And(a, b) | Expr::Or(a, b) | Expr::Then(a, b, ..) => {
                a.each_var(f);
                b.each_var(f);
            }
        }
    }

    /// The left side of the first comparison: the number a rule is about.
    pub fn subject(&self) -> Option<&Expr> {
        self.deciding().map(|(_, a, _)| a)
    }

    /// The first comparison, with both sides.
    pub fn deciding(&self) -> Option<(Compare, &Expr, &Expr)> {
        match self {
            Expr::Compare(how, a, b) => Some((*how, a, b)),
            Expr::Not(a) => a.deciding(),
            Expr::And(a, b) | Expr::Or(a, b) => a.deciding().or_else(|| b.deciding()),
            Expr::Then(a, b, ..) => b.deciding().or_else(|| a.deciding()),
            _ => None,
        }
    }
}

impl Compare {
    /// As written in rules.
    pub fn sign(self) -> &'static str {
        match self {
            Compare::Less => "<",
            Compare::AtMost => "<=",
            Compare::More => ">",
            Compare::AtLeast => ">=",
            Compare::Equal => "==",
            Compare::Unequal => "!=",
        }
    }
}

impl Arith {
    /// As written in rules.
    pub fn sign(self) -> &'static str {
        match self {
            Arith::Add => "+",
            Arith::Subtract => "-",
            Arith::Multiply => "*",
            Arith::Divide => "/",
        }
    }
}

/// Written back with the parentheses it needs.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Number(text, _) => write!(f, "{text}"),
            Expr::Var(v) => write!(f, "vars.{v}"),
            Expr::Named(name, _) => write!(f, "{name}"),
            Expr::Series(s, _) => write!(f, "{s}"),
            Expr::Rate(s, _) => write!(f, "rate({s})"),
            Expr::Against(how, s, ..) => write!(f, "{}({s})", how.name()),
            Expr::Negate(a) => write!(f, "-{}", Inner(a, 6)),
            Expr::Not(a) => write!(f, "not {}", Inner(a, 4)),
            Expr::Arith(op, a, b) => {
                let level = self.binding();
                write!(f, "{} {} {}", Inner(a, level), op.sign(), Inner(b, level + 1))
            }
            Expr::Compare(op, a, b) => write!(f, "{} {} {}", Inner(a, 5), op.sign(), Inner(b, 5)),
            Expr::And(a, b) => write!(f, "{} and {}", Inner(a, 2), Inner(b, 3)),
            Expr::Or(a, b) => write!(f, "{} or {}", Inner(a, 1), Inner(b, 2)),
            Expr::Then(a, b, span, _) => {
                write!(f, "{} then {} within {}", Inner(a, 0), Inner(b, 1), series::window(*span))
            }
        }
    }
}

impl Expr {
    /// How tightly it binds; larger is tighter.
    fn binding(&self) -> u8 {
        match self {
            Expr::Then(..) => 0,
            Expr::Or(..) => 1,
            Expr::And(..) => 2,
            Expr::Not(_) => 3,
            Expr::Compare(..) => 4,
            Expr::Arith(Arith::Add | Arith::Subtract, ..) => 5,
            Expr::Arith(..) => 6,
            Expr::Negate(_) => 7,
            _ => 8,
        }
    }
}

/// An operand, in parentheses if it binds less than `.1`.
struct Inner<'e>(&'e Expr, u8);

impl fmt::Display for Inner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.binding() < self.1 { write!(f, "({})", self.0) } else { write!(f, "{}", self.0) }
    }
}

impl Expr {
    /// Whether the condition can begin to hold only when something more is counted, never
    /// because something expires: thresholds from below on sums and counts.
    pub fn rises_only(&self) -> bool {
        match self {
            Expr::Compare(Compare::More | Compare::AtLeast, a, b) => {
                let counts = match a.plain() {
                    Expr::Series(s, _) if s.view == View::Value => {
                        s.offset == Span::ZERO
                            && (s.measure.rises_by_counting()
                                || matches!(s.measure, Measure::Lead | Measure::HostileTexts | Measure::OtherTexts))
                    }
                    Expr::Rate(s, _) => s.measure.rises_by_counting(),
                    // what is usual changes with the hour alone
                    Expr::Series(s, _) => s.has_baseline() && s.view != View::Usual,
                    _ => false,
                };
                (counts || a.is_root()) && matches!(**b, Expr::Number(..) | Expr::Var(_))
            }
            Expr::Compare(_, a, b) => a.is_root() && matches!(**b, Expr::Number(..) | Expr::Var(_)),
            Expr::And(a, b) | Expr::Or(a, b) => a.rises_only() && b.rises_only(),
            _ => false,
        }
    }

    /// The negativity of a story's root changes only when something is counted.
    fn is_root(&self) -> bool {
        matches!(self, Expr::Series(s, _) if s.measure == Measure::RootNegativity)
    }
}
