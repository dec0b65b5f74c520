//! The query language: what makes a post a mention.

mod lex;
mod parse;
mod resolve;
mod term;

use std::fmt;

pub use parse::parse;
pub use resolve::Names;
pub use term::{Amount, Term};

/// A query over a post.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Query {
    /// All of them.
    And(Vec<Query>),
    /// One of them.
    Or(Vec<Query>),
    /// Not this one.
    Not(Box<Query>),
    /// One term of the left list and one of the right, in any order, with at most so many words
    /// between them. Terms of the text only.
    Near(u32, Vec<Term>, Vec<Term>),
    /// A term.
    Term(Term),
}

/// A mistake in a query: where (bytes from its start), what, and a hint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryError {
    /// Bytes from the start of the query.
    pub offset: usize,
    /// `expected …, found …`.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Query {
    /// All of these, flattened.
    pub fn all(parts: Vec<Query>) -> Query {
        Query::join(parts, |q| if let Query::And(v) = q { Ok(v) } else { Err(q) }, Query::And)
    }

    /// One of these, flattened.
    pub fn any(parts: Vec<Query>) -> Query {
        Query::join(parts, |q| if let Query::Or(v) = q { Ok(v) } else { Err(q) }, Query::Or)
    }

    fn join(
        parts: Vec<Query>,
        open: impl Fn(Query) -> Result<Vec<Query>, Query>,
        close: impl Fn(Vec<Query>) -> Query,
    ) -> Query {
        let mut flat = Vec::with_capacity(parts.len());
        for p in parts {
            match open(p) {
                Ok(mut inner) => flat.append(&mut inner),
                Err(q) => flat.push(q),
            }
        }
        if flat.len() == 1 { flat.remove(0) } else { close(flat) }
    }

    /// Whether every post that matches must hold at least one of some literals, so that posts
    /// without them need not be looked at.
    pub fn has_required_term(&self) -> bool {
        match self {
            Query::Term(t) => t.is_literal(),
            Query::Near(..) => true,
            Query::And(v) => v.iter().any(Query::has_required_term),
            Query::Or(v) => v.iter().all(Query::has_required_term),
            Query::Not(_) => false,
        }
    }

    /// The number of terms.
    pub fn terms(&self) -> usize {
        match self {
            Query::Term(_) => 1,
            Query::Near(_, a, b) => a.len() + b.len(),
            Query::And(v) | Query::Or(v) => v.iter().map(Query::terms).sum(),
            Query::Not(q) => q.terms(),
        }
    }

    /// Whether it is a list of others, so that it needs parentheses where it is a part.
    fn is_list(&self) -> bool {
        matches!(self, Query::And(_) | Query::Or(_))
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, v: &[Query], word: &str| {
            v.iter().enumerate().try_for_each(|(i, q)| {
                if i > 0 {
                    write!(f, " {word} ")?;
                }
                if q.is_list() { write!(f, "({q})") } else { write!(f, "{q}") }
            })
        };
        match self {
            Query::And(v) => list(f, v, "AND"),
            Query::Or(v) => list(f, v, "OR"),
            Query::Not(q) if q.is_list() || matches!(**q, Query::Near(..)) => write!(f, "NOT ({q})"),
            Query::Not(q) => write!(f, "NOT {q}"),
            Query::Near(n, a, b) => write!(f, "{} NEAR/{n} {}", Side(a), Side(b)),
            Query::Term(t) => write!(f, "{t}"),
        }
    }
}

/// One side of NEAR, in parentheses if it is a list.
struct Side<'q>(&'q [Term]);

impl fmt::Display for Side<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [one] = self.0 {
            return write!(f, "{one}");
        }
        let shown: Vec<String> = self.0.iter().map(Term::to_string).collect();
        write!(f, "({})", shown.join(" OR "))
    }
}
