//! The query language: what makes a post a mention.

mod lex;
mod parse;

use std::fmt;

pub use parse::parse;

/// A query over the text of a post.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Query {
    /// All of them.
    And(Vec<Query>),
    /// One of them.
    Or(Vec<Query>),
    /// Not this one.
    Not(Box<Query>),
    /// A term.
    Term(Term),
}

/// What is looked for in a text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Term {
    /// A word, or words in this order.
    Phrase(String),
    /// `@handle`, without the `@`.
    Handle(String),
    /// `#tag`, without the `#`.
    Tag(String),
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

    /// Whether every text that matches must hold at least one of some terms, so that texts
    /// without them need not be looked at.
    pub fn has_required_term(&self) -> bool {
        match self {
            Query::Term(_) => true,
            Query::And(v) => v.iter().any(Query::has_required_term),
            Query::Or(v) => v.iter().all(Query::has_required_term),
            Query::Not(_) => false,
        }
    }

    /// The number of terms.
    pub fn terms(&self) -> usize {
        match self {
            Query::Term(_) => 1,
            Query::And(v) | Query::Or(v) => v.iter().map(Query::terms).sum(),
            Query::Not(q) => q.terms(),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Phrase(p) => write!(f, "\"{}\"", p.replace('\\', "\\\\").replace('"', "\\\"")),
            Term::Handle(h) => write!(f, "@{h}"),
            Term::Tag(t) => write!(f, "#{t}"),
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, v: &[Query], word: &str| {
            v.iter().enumerate().try_for_each(|(i, q)| {
                if i > 0 {
                    write!(f, " {word} ")?;
                }
                if matches!(q, Query::And(_) | Query::Or(_)) { write!(f, "({q})") } else { write!(f, "{q}") }
            })
        };
        match self {
            Query::And(v) => list(f, v, "AND"),
            Query::Or(v) => list(f, v, "OR"),
            Query::Not(q) if matches!(**q, Query::And(_) | Query::Or(_)) => write!(f, "NOT ({q})"),
            Query::Not(q) => write!(f, "NOT {q}"),
            Query::Term(t) => write!(f, "{t}"),
        }
    }
}
