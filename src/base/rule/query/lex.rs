//! Tokens of a query, with their places.

use super::term::Amount;
use super::{QueryError, Term};
use crate::base::fault::nearest;
use crate::base::figures;
use crate::base::limits;
use crate::base::model::PostKind;
use crate::base::rule::expr::Compare;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    Open,
    Close,
    And,
    Or,
    Not,
    Near(u32),
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
            Token::Near(n) => format!("`NEAR/{n}`"),
            Token::Term(t) => format!("`{t}`"),
        }
    }
}

pub(super) fn error(offset: usize, what: impl Into<String>, hint: Option<&str>) -> QueryError {
    QueryError { offset, what: what.into(), hint: hint.map(str::to_string) }
}

pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
    let out = all_tokens(text)?;
    let long = |t: &Token| matches!(t, Token::Term(t) if t.to_string().len() > limits::TERM_BYTES);
    match out.iter().find(|(_, t)| long(t)) {
        Some((at, _)) => Err(error(
            *at,
            format!("expected a term of at most {} bytes, found a longer one", limits::TERM_BYTES),
            None,
        )),
        None => Ok(out),
    }
}

fn all_tokens(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
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
                let field = rest[..len].strip_suffix(':').filter(|f| Term::FIELDS.contains(f));
                if let Some(field) = field.filter(|_| rest[len..].starts_with('"')) {
                    let (value, end) = phrase(text, at + len)?;
                    out.push((at, Token::Term(field_term(field, &value, at)?)));
                    at = end;
                } else {
                    out.push((at, word(&rest[..len], at)?));
                    at += len;
                }
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
                    let what = format!("expected `\\\"` or `\\\\`, found `\\` before {found}");
                    return Err(error(start + 1 + i, what, None));
                }
            },
            _ => out.push(c),
        }
    }
    Err(error(start, "expected a closing quote, found the end of the query", None))
}

fn word(w: &str, at: usize) -> Result<Token, QueryError> {
    match w {
        "AND" => return Ok(Token::And),
        "OR" => return Ok(Token::Or),
        "NOT" => return Ok(Token::Not),
        _ => {}
    }
    if let Some(n) = w.strip_prefix("NEAR/") {
        let n = n.parse().ok().filter(|n| *n <= limits::NEAR_WORDS);
        let what = || format!("expected NEAR/ and a number of words up to {}, found `{w}`", limits::NEAR_WORDS);
        return n.map(Token::Near).ok_or_else(|| error(at, what(), None));
    }
    if w == "NEAR" {
        let hint = "write NEAR/5 for at most five words between them; in quotes it is a word";
        return Err(error(at, "expected NEAR/ and a number of words, found `NEAR`", Some(hint)));
    }
    if w.starts_with('-') {
        let hint = "to leave texts out, write NOT before the term";
        return Err(error(at, format!("expected a term, found `{w}`"), Some(hint)));
    }
    if let Some((field, value)) = w.split_once(':')
        && Term::FIELDS.contains(&field)
    {
        return field_term(field, value, at).map(Token::Term);
    }
    if let Some((field, _)) = w.split_once(':')
        && field.len() > 2
        && let Some(near) = nearest(field, Term::FIELDS)
    {
        let hint = format!("did you mean `{near}:`? To look for these characters in the text, put them in quotes");
        return Err(error(at, format!("expected a field, found `{field}:`"), Some(&hint)));
    }
    let name = |rest: &str, what: &str| {
        let ok = rest.chars().any(char::is_alphanumeric) && !rest.starts_with(['@', '#']);
        if ok { Ok(rest.to_string()) } else { Err(error(at, format!("expected {what}, found `{w}`"), None)) }
    };
    Ok(Token::Term(match w.chars().next() {
        Some('@') => Term::Handle(name(&w[1..], "a name after @")?),
        Some('#') => Term::Tag(name(&w[1..], "a word after #")?),
        _ => Term::Phrase(w.to_string()),
    }))
}

fn field_term(field: &str, value: &str, at: usize) -> Result<Term, QueryError> {
    let wrong = |expected: &str, hint: Option<&str>| {
        Err(error(at, format!("expected {expected} after `{field}:`, found `{value}`"), hint))
    };
    if value.trim().is_empty() {
        return Err(error(at, format!("expected a value after `{field}:`, found none"), None));
    }
    let plain = || value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let owned = value.to_string();
    match field {
        "raw" => Ok(Term::Raw(owned)),
        "url" if !value.is_ascii() => wrong("ASCII characters", Some("links hold %-escapes and xn-- names instead")),
        "url" => Ok(Term::Url(value.to_ascii_lowercase())),
        "domain" if !plain() || !value.contains('.') || value.starts_with('.') => {
            wrong("a host name", Some("for example domain:example.com, which also finds www.example.com"))
        }
        "domain" => Ok(Term::Domain(value.to_ascii_lowercase().trim_end_matches('.').to_string())),
        "author" => Ok(Term::Author(owned)),
        "to" => Ok(Term::To(owned)),
        "lang" if !plain() => wrong("a language code", Some("for example lang:en")),
        "lang" => Ok(Term::Lang(value.to_ascii_lowercase())),
        "source" => Ok(Term::Source(owned)),
        "kind" => match PostKind::ALL.into_iter().find(|k| k.name() == value) {
            Some(k) => Ok(Term::Kind(k)),
            None => wrong("post, reply, quote or repost", None),
        },
        _ => match amount(value) {
            Some((op, n)) => Ok(Term::Followers(op, n)),
            None => wrong("a comparison", Some("for example followers:>=10k or followers:>vars.big")),
        },
    }
}

fn amount(value: &str) -> Option<(Compare, Amount)> {
    let signs = [Compare::AtLeast, Compare::AtMost, Compare::Unequal, Compare::Equal, Compare::More, Compare::Less];
    let (op, rest) = signs.into_iter().find_map(|op| Some((op, value.strip_prefix(op.sign())?)))?;
    if let Some(name) = rest.strip_prefix("vars.") {
        return (!name.is_empty()).then(|| (op, Amount::Var(name.to_string())));
    }
    let whole = |x: &f64| (x - x.round()).abs() < 1e-6;
    figures::number(rest).filter(whole).map(|x| (op, Amount::Number(x.round() as u64)))
}
