//! A query given on the command line.

use std::io::{self, Write};

use super::output::tell_error;
use crate::base::rule::query::{QueryError, parse};
use crate::base::rule::{Brand, RuleSet, SourceText};

/// Tells what is wrong with a query, and where.
pub(super) fn tell(query: &str, e: &QueryError) {
    let column = query.get(..e.offset).map_or(0, |s| s.chars().count()) + 1;
    tell_error(format!("query:1:{column}: {}", e.what));
    if let Some(hint) = &e.hint {
        let _ = writeln!(io::stderr(), "  hint: {hint}");
    }
}

/// What is wrong with a query that is to watch a stream; `None`: nothing.
pub(super) fn mistake(query: &str) -> Option<QueryError> {
    match parse(query) {
        Err(e) => Some(e),
        Ok(q) if q.has_required_term() => None,
        Ok(_) => Some(QueryError {
            offset: 0,
            what: "expected a query that needs at least one term, found one that matches nearly everything".into(),
            hint: Some("add a word, a link or an account that must be there, for example acme NOT lang:de".into()),
        }),
    }
}

/// A brand with this query, however much it matches. What is wrong with it is told.
pub(super) fn brand(query: &str) -> Option<Brand> {
    if let Err(e) = parse(query) {
        tell(query, &e);
        return None;
    }
    let text = serde_json::json!({"brands": {"query": {"broad": true, "query": query}}}).to_string();
    match RuleSet::load(&[SourceText { file: "query".into(), text }]) {
        Ok((set, _)) => set.brands.into_iter().next(),
        Err(faults) => {
            faults.iter().for_each(|f| tell_error(&f.what));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_nearly_everything_is_a_mistake() {
        assert_eq!(mistake("\"acme corp\" OR #acme"), None);
        assert!(mistake("NOT acme").is_some_and(|e| e.hint.is_some()));
        assert_eq!(mistake("acme OR").map(|e| e.offset), Some(7));
    }
}
