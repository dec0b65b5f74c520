//! The grammar: OR binds weakest, then AND (which may be left out), then NOT.

use super::lex::{Token, error, tokens};
use super::{Query, QueryError};
use crate::base::limits;

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

/// Reads a query. The error names the byte where it fails.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    let tokens = tokens(text)?;
    let mut p = Parser { tokens, next: 0, end: text.len(), depth: 0 };
    let query = p.any()?;
    match p.peek() {
        Some((at, token)) => Err(error(at, format!("expected AND, OR or the end, found {}", token.describe()), None)),
        None if query.terms() > limits::QUERY_TERMS => {
            let what = format!("expected at most {} terms, found {}", limits::QUERY_TERMS, query.terms());
            Err(error(0, what, Some("split the brand in two")))
        }
        None => Ok(query),
    }
}

impl Parser {
    fn peek(&self) -> Option<(usize, &Token)> {
        self.tokens.get(self.next).map(|(at, t)| (*at, t))
    }

    fn take(&mut self, token: &Token) -> bool {
        let hit = self.peek().is_some_and(|(_, t)| t == token);
        self.next += usize::from(hit);
        hit
    }

    fn any(&mut self) -> Result<Query, QueryError> {
        let mut parts = vec![self.all()?];
        while self.take(&Token::Or) {
            parts.push(self.all()?);
        }
        Ok(Query::any(parts))
    }

    fn all(&mut self) -> Result<Query, QueryError> {
        let mut parts = vec![self.unary()?];
        loop {
            let explicit = self.take(&Token::And);
            match self.peek() {
                Some((_, Token::Open | Token::Not | Token::Term(_))) => parts.push(self.unary()?),
                _ if explicit => parts.push(self.unary()?),
                _ => return Ok(Query::all(parts)),
            }
        }
    }

    fn unary(&mut self) -> Result<Query, QueryError> {
        self.depth += 1;
        let at = self.peek().map_or(self.end, |(at, _)| at);
        if self.depth > limits::NESTING {
            return Err(error(at, format!("expected at most {} levels, found more", limits::NESTING), None));
        }
        let found = self.peek().map(|(_, t)| t.clone());
        self.next += 1;
        let query = match found {
            Some(Token::Not) => Query::Not(Box::new(self.unary()?)),
            Some(Token::Term(t)) => Query::Term(t),
            Some(Token::Open) => {
                let inner = self.any()?;
                if !self.take(&Token::Close) {
                    let found = self.peek().map_or("the end".to_string(), |(_, t)| t.describe());
                    let what = format!("expected `)` for the `(` at character {}, found {found}", at + 1);
                    return Err(error(self.peek().map_or(self.end, |(a, _)| a), what, None));
                }
                inner
            }
            Some(other) => {
                let what = format!("expected a term or `(`, found {}", other.describe());
                return Err(error(at, what, Some("operators stand between terms; in quotes they are words")));
            }
            None => return Err(error(self.end, "expected a term, found the end of the query", None)),
        };
        self.depth -= 1;
        Ok(query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::base::rule::query::Term;

    fn show(q: &str) -> String {
        parse(q).map_or_else(|e| format!("{}: {}", e.offset, e.what), |q| q.to_string())
    }

    #[test]
    fn binds_as_documented() {
        assert_eq!(show("a b OR c"), r#"("a" AND "b") OR "c""#);
        assert_eq!(show("NOT a b"), r#"NOT "a" AND "b""#);
        assert_eq!(show("NOT (a OR b) AND @united #fail"), r##"NOT ("a" OR "b") AND @united AND #fail"##);
        assert_eq!(show("and or not"), r#""and" AND "or" AND "not""#);
    }

    #[test]
    fn tells_where_it_fails() {
        for (q, at) in [
            ("", 0),
            ("a OR", 4),
            ("(a", 2),
            ("a )", 2),
            ("\"a", 0),
            ("OR a", 0),
            ("a \"\"", 2),
            ("@", 0),
            ("a -b", 2),
            ("a NEAR/5 b", 2),
            ("x url:y", 2),
            ("“a”", 0),
            ("##a", 0),
        ] {
            assert!(parse(q).is_err_and(|e| e.offset == at), "{q}: {}", show(q));
        }
        assert!(parse(&"(".repeat(100_000)).is_err());
        assert!(parse(&"NOT ".repeat(100_000)).is_err());
        assert!(parse(&"a ".repeat(5000)).is_err());
    }

    fn query() -> impl Strategy<Value = Query> {
        let term = prop_oneof![
            "[a-zé\"\\\\ #@()]{0,6}[a-z]".prop_map(Term::Phrase),
            "[a-z][a-z0-9._-]{0,5}".prop_map(Term::Handle),
            "[a-zö]{1,6}".prop_map(Term::Tag),
        ];
        term.prop_map(Query::Term).prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Query::all),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Query::any),
                inner.prop_map(|q| Query::Not(Box::new(q))),
            ]
        })
    }

    proptest! {
        #[test]
        fn printed_queries_read_back_equal(q in query()) {
            prop_assert_eq!(parse(&q.to_string()), Ok(q));
        }

        #[test]
        fn any_text_is_read_or_refused(s in "\\PC{0,60}") {
            let _ = parse(&s);
        }
    }
}
