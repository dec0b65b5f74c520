//! Names in queries become what they stand for: lists and variables.

use std::collections::BTreeMap;

use super::{Amount, Query, Term};

/// What names stand for where a query is used.
pub struct Names<'n> {
    /// Authors by list.
    pub lists: &'n BTreeMap<String, Vec<String>>,
    /// Value of a variable of the brand.
    pub var: &'n dyn Fn(&str) -> Option<f64>,
}

impl Query {
    /// The query with lists and variables replaced.
    ///
    /// # Errors
    /// The first name that stands for nothing, as written.
    pub fn resolve(&self, names: &Names<'_>) -> Result<Query, String> {
        let each = |v: &[Query]| v.iter().map(|q| q.resolve(names)).collect::<Result<Vec<_>, _>>();
        match self {
            Query::And(v) => Ok(Query::all(each(v)?)),
            Query::Or(v) => Ok(Query::any(each(v)?)),
            Query::Not(q) => Ok(Query::Not(Box::new(q.resolve(names)?))),
            Query::Near(..) => Ok(self.clone()),
            Query::Term(Term::Author(a)) if a.starts_with("lists.") => {
                let members = a.strip_prefix("lists.").and_then(|name| names.lists.get(name)).ok_or(a.clone())?;
                Ok(Query::any(members.iter().map(|m| Query::Term(Term::Author(m.clone()))).collect()))
            }
            Query::Term(Term::Followers(op, Amount::Var(v))) => {
                let x = (names.var)(v).ok_or(format!("vars.{v}"))?;
                Ok(Query::Term(Term::Followers(*op, Amount::Number(x.max(0.0).ceil() as u64))))
            }
            Query::Term(_) => Ok(self.clone()),
        }
    }
}
