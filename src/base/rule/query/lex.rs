//! Tokens of a query, with their places.

use super::{QueryError, Term};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Term(Term),
}

impl Token {
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Open => "`(`".to_string(),
            Token::Close => "`)`".to_string(),
            Token::And => "`AND`".to_string(),
            Token::Or => "`OR`".to_string(),
            Token::Not => "`NOT`".to_string(),
            Token::Term(t) => format!("`{t}`"),
        }
    }
}

pub(super) fn error(offset: usize, what: impl Into<String>, hint: Option<&str>) -> QueryError {
    QueryError { offset, what: what.into(), hint: hint.map(str::to_string) }
}

pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        match c {
            _ if c.is_whitespace() => at += c.len_utf8(),
            '(' | ')' => {
                out.push((at, if c == '(' { Token::Open } else { Token::Close }));
                at += 1;
            }
            '"' => {
                let (phrase, end) = phrase(text, at)?;
                out.push((at, Token::Term(Term::Phrase(phrase))));
                at = end;
            }
            '“' | '”' | '„' => {
                let hint = "write the phrase between \" and \"";
                return Err(error(at, format!("expected a straight quote, found `{c}`"), Some(hint)));
            }
            _ => {
                let rest = &text[at..];
                let len = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"')).unwrap_or(rest.len());
                out.push((at, word(&rest[..len], at)?));
                at += len;
            }
        }
    }
    Ok(out)
}

fn phrase(text: &str, start: usize) -> Result<(String, usize), QueryError> {
    let mut out = String::new();
    let mut chars = text[start + 1..].char_indices();
    while let Some((i, c)) = chars.next() {
        match c {
            '"' if out.chars().all(char::is_whitespace) => {
                return Err(error(start, "expected words between quotes, found none", None));
            }
            '"' => return Ok((out, start + 1 + i + 1)),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\'))) => out.push(c),
                other => {
                    let found = other.map_or("the end".to_string(), |(_, c)| format!("`{c}`"));
                    return Err(error(
                        start + 1 + i,
                        format!("expected `\\\"` or `\\\\`, found `\\` before {found}"),
                        None,
                    ));
                }
            },
            _ => out.push(c),
        }
    }
    Err(error(start, "expected a closing quote, found the end of the query", None))
}

const LATER_FIELDS: &[&str] = &["url", "domain", "lang", "source", "author", "followers", "kind", "raw", "to"];

fn word(w: &str, at: usize) -> Result<Token, QueryError> {
    let term = match w {
        "AND" => return Ok(Token::And),
        "OR" => return Ok(Token::Or),
        "NOT" => return Ok(Token::Not),
        _ if w.starts_with("NEAR/") => {
            return Err(error(
                at,
                format!("expected AND, OR or NOT, found `{w}`, which this version does not know"),
                None,
            ));
        }
        _ if w.starts_with('-') => {
            return Err(error(
                at,
                format!("expected a term, found `{w}`"),
                Some("to leave texts out, write NOT before the term"),
            ));
        }
        _ => w,
    };
    if let Some((field, _)) = term.split_once(':')
        && LATER_FIELDS.contains(&field)
    {
        let what = format!(
            "expected a word, phrase, @handle or #tag, found the field `{field}:`, which this version does not know"
        );
        return Err(error(at, what, Some("to look for these characters in the text, put them in quotes")));
    }
    let name = |rest: &str, what: &str| {
        let ok = rest.chars().any(char::is_alphanumeric) && !rest.starts_with(['@', '#']);
        if ok { Ok(rest.to_string()) } else { Err(error(at, format!("expected {what}, found `{w}`"), None)) }
    };
    Ok(Token::Term(match term.chars().next() {
        Some('@') => Term::Handle(name(&term[1..], "a name after @")?),
        Some('#') => Term::Tag(name(&term[1..], "a word after #")?),
        _ => Term::Phrase(term.to_string()),
    }))
}
