//! Types of expressions: a condition is true, false or unknown; a quantity is a number.

use super::lex::error;
use super::{Expr, ExprError};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Type {
    Condition,
    Quantity,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Type::Condition => "a condition",
            Type::Quantity => "a number",
        }
    }
}

impl Expr {
    pub(super) fn kind(&self) -> Type {
        match self {
            Expr::Compare(..) | Expr::Not(_) | Expr::And(..) | Expr::Or(..) => Type::Condition,
            _ => Type::Quantity,
        }
    }
}

/// The expression, if it has the type that is needed where it stands.
pub(super) fn need(e: Expr, at: usize, wanted: Type) -> Result<Expr, ExprError> {
    if e.kind() == wanted {
        return Ok(e);
    }
    let hint = match wanted {
        Type::Condition => "compare it: add >= and a number",
        Type::Quantity => "a condition cannot be compared or calculated with",
    };
    let what = format!("expected {}, found {} `{e}`", wanted.name(), e.kind().name());
    Err(error(at, what, Some(hint)))
}
