//! Tokens of an expression, with their places.

use super::ExprError;
use crate::base::figures;

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token<'t> {
    /// A number as written and its value.
    Number(&'t str, f64),
    /// A duration as written and its seconds.
    Duration(&'t str, f64),
    /// A word, dots included.
    Word(&'t str),
    /// A quoted text.
    Text(&'t str),
    /// An operator or bracket.
    Sign(&'static str),
}

impl Token<'_> {
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Number(s, _) | Token::Duration(s, _) | Token::Word(s) => format!("`{s}`"),
            Token::Text(s) => format!("`\"{s}\"`"),
            Token::Sign(s) => format!("`{s}`"),
        }
    }
}

const SIGNS: &[&str] = &[">=", "<=", "==", "!=", "<", ">", "=", "+", "-", "*", "/", "(", ")", "{", "}", "[", "]", ","];

pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, ExprError> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, len) = if c.is_ascii_digit() {
            number(rest, at)?
        } else if c.is_ascii_alphabetic() || c == '_' {
            let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(rest.len());
            (Token::Word(&rest[..len]), len)
        } else if c == '"' {
            let Some(len) = rest[1..].find('"') else {
                return Err(error(at, "expected a closing quote, found the end", None));
            };
            (Token::Text(&rest[1..=len]), len + 2)
        } else if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            (Token::Sign(sign), sign.len())
        } else {
            return Err(error(at, format!("expected an operator or a value, found `{c}`"), None));
        };
        out.push((at, token));
        at += len;
    }
    Ok(out)
}

fn number(rest: &str, at: usize) -> Result<(Token<'_>, usize), ExprError> {
    let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '%'))).unwrap_or(rest.len());
    let word = &rest[..len];
    if let Some(seconds) = figures::seconds(word) {
        return Ok((Token::Duration(word, seconds), len));
    }
    match figures::number(word) {
        Some(x) => Ok((Token::Number(word, x), len)),
        None => {
            let hint = "units are ms s m h d w for durations, k M % for numbers";
            Err(error(at, format!("expected a number, found `{word}`"), Some(hint)))
        }
    }
}

pub(super) fn error(offset: usize, what: impl Into<String>, hint: Option<&str>) -> ExprError {
    ExprError { offset, what: what.into(), hint: hint.map(str::to_string) }
}
