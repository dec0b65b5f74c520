//! The grammar: OR binds weakest, then AND (which may be left out), then NOT, then NEAR.

use super::lex::{Token, error, tokens};
use super::{Query, QueryError, Term};
use crate::base::limits;

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

/// Reads a query. The error names the byte where it fails.
pub fn parse(text: &str) -> Result<Query, QueryError> {
    if text.len() > limits::QUERY_BYTES {
        let what = format!("expected a query of at most {} bytes, found {}", limits::QUERY_BYTES, text.len());
        return Err(error(0, what, Some("split the brand in two")));
    }
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
            Some(Token::Term(t)) => self.near(Query::Term(t), at)?,
            Some(Token::Open) => {
                let inner = self.group(at)?;
                self.near(inner, at)?
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

    /// What stands in the parentheses that were opened at `at`.
    fn group(&mut self, at: usize) -> Result<Query, QueryError> {
        let inner = self.any()?;
        if !self.take(&Token::Close) {
            let found = self.peek().map_or("the end".to_string(), |(_, t)| t.describe());
            let what = format!("expected `)` for the `(` at character {}, found {found}", at + 1);
            return Err(error(self.peek().map_or(self.end, |(a, _)| a), what, None));
        }
        Ok(inner)
    }

    /// `left NEAR/n right`, if NEAR follows.
    fn near(&mut self, left: Query, at: usize) -> Result<Query, QueryError> {
        let Some(&Token::Near(n)) = self.peek().map(|(_, t)| t) else { return Ok(left) };
        self.next += 1;
        let place = self.peek().map_or(self.end, |(at, _)| at);
        let found = self.peek().map(|(_, t)| t.clone());
        self.next += 1;
        let right = match found {
            Some(Token::Term(t)) => Query::Term(t),
            Some(Token::Open) => self.group(place)?,
            other => {
                let found = other.map_or("the end".to_string(), |t| t.describe());
                return Err(error(place, format!("expected a term or `(` after NEAR/{n}, found {found}"), None));
            }
        };
        if let Some((at, Token::Near(_))) = self.peek() {
            let hint = "join two of them with AND";
            return Err(error(at, "expected one NEAR, found a second", Some(hint)));
        }
        Ok(Query::Near(n, side(left, at)?, side(right, place)?))
    }
}

/// One side of NEAR: a term of the text, or several with OR.
fn side(q: Query, at: usize) -> Result<Vec<Term>, QueryError> {
    let parts = if let Query::Or(parts) = q { parts } else { vec![q] };
    let term = |q: Query| match q {
        Query::Term(t) if t.is_text() => Ok(t),
        q => {
            let hint = "NEAR takes words, phrases, @handles and #tags, or (one OR another)";
            Err(error(at, format!("expected a term of the text beside NEAR, found `{q}`"), Some(hint)))
        }
    };
    parts.into_iter().map(term).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::base::model::PostKind;
    use crate::base::rule::expr::Compare;
    use crate::base::rule::query::Amount;

    fn show(q: &str) -> String {
        parse(q).map_or_else(|e| format!("{}: {}", e.offset, e.what), |q| q.to_string())
    }

    #[test]
    fn binds_as_documented() {
        assert_eq!(show("a b OR c"), r#"("a" AND "b") OR "c""#);
        assert_eq!(show("NOT a b"), r#"NOT "a" AND "b""#);
        assert_eq!(show("NOT (a OR b) AND @united #fail"), r##"NOT ("a" OR "b") AND @united AND #fail"##);
        assert_eq!(show("and or not"), r#""and" AND "or" AND "not""#);
        assert_eq!(show("x a NEAR/5 (b OR #c) y"), r##""x" AND "a" NEAR/5 ("b" OR #c) AND "y""##);
        assert_eq!(show("NOT (a b) NEAR/2 c"), "4: expected a term of the text beside NEAR, found `\"a\" AND \"b\"`");
        assert_eq!(show("NOT a NEAR/2 c"), r#"NOT ("a" NEAR/2 "c")"#);
        assert_eq!(
            show("url:Example.com/A domain:Example.com author:\"a b\" to:own followers:>=10k kind:quote"),
            r#"url:"example.com/a" AND domain:example.com AND author:"a b" AND to:own AND followers:>=10000 AND kind:quote"#
        );
        assert_eq!(
            show("raw:\"US\" lang:EN source:x author:lists.wires"),
            r#"raw:"US" AND lang:en AND source:"x" AND author:lists.wires"#
        );
        assert_eq!(show("http://x ab:c"), r#""http://x" AND "ab:c""#, "other colons are text");
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
            ("a NEAR/ b", 2),
            ("a NEAR b", 2),
            ("a NEAR/500 b", 2),
            ("a NEAR/5", 8),
            ("a NEAR/5 NOT b", 9),
            ("a NEAR/5 b NEAR/5 c", 11),
            ("a NEAR/5 url:b", 9),
            ("x kind:no", 2),
            ("x url:", 2),
            ("x followers:10", 2),
            ("x followers:>1.5", 2),
            ("x domain:a/b", 2),
            ("x athor:y", 2),
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
        let side = proptest::collection::vec(term.clone(), 1..3);
        let near = (0u32..20, side.clone(), side).prop_map(|(n, a, b)| Query::Near(n, a, b));
        let field = prop_oneof![
            "[A-Za-z\"\\\\ ]{0,5}[a-z]".prop_map(Term::Raw),
            "[a-z0-9./?=]{0,8}[a-z]".prop_map(Term::Url),
            "[a-z]{1,5}\\.[a-z]{2,3}".prop_map(Term::Domain),
            "[a-z:@. ]{0,6}[a-z]".prop_map(Term::Author),
            "[a-z:@. ]{0,6}[a-np-z]".prop_map(Term::To),
            Just(Term::To("own".into())),
            "[a-z]{2}".prop_map(Term::Lang),
            "[a-z ]{0,4}[a-z]".prop_map(Term::Source),
            Just(Term::Kind(PostKind::Quote)),
            (0u64..1_000_000).prop_map(|n| Term::Followers(Compare::AtLeast, Amount::Number(n))),
            "[a-z_]{1,4}".prop_map(|v| Term::Followers(Compare::Less, Amount::Var(v))),
        ];
        let leaf = prop_oneof![4 => term.prop_map(Query::Term), 2 => field.prop_map(Query::Term), 1 => near];
        leaf.prop_recursive(4, 24, 4, |inner| {
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
