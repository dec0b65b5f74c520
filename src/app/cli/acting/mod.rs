//! Commands by which people act on what a running service tells them.

mod ack;
mod claim;
mod close;
mod incidents;
mod outbox;
mod send_test;
mod silence;

use std::io::{self, IsTerminal, Write};

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::ask::{Question, Service, ask};
use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::screen::{self, Paint, cut, fit};
use super::{FAILED, FINE};
use crate::app::config::Right;
use crate::base::limits;
use crate::base::time::{Span, Time};
use crate::notify::plain;

pub(super) use ack::Ack;
pub(super) use claim::Claim;
pub(super) use close::Close;
pub(super) use incidents::Incidents;
pub(super) use outbox::Outbox;
pub(super) use send_test::SendTest;
pub(super) use silence::Silence;

/// Nothing came of it, and why was told.
struct Told;

/// What a service answers to GET.
fn read(service: &Service, path: &str) -> Result<Json, Told> {
    exchange(service, Right::Read, Method::GET, path, None)
}

/// Orders something; what was done is told.
fn order(service: &Service, method: Method, path: &str, body: &Json) -> u8 {
    match exchange(service, Right::Act, method, path, Some(body)) {
        Ok(answer) => ended(writeln!(io::stdout(), "{}", said(&answer["done"]))),
        Err(Told) => FAILED,
    }
}

/// The same for POST.
fn post(service: &Service, path: &str, body: &Json) -> u8 {
    order(service, Method::POST, path, body)
}

fn exchange(service: &Service, right: Right, method: Method, path: &str, body: Option<&Json>) -> Result<Json, Told> {
    let target = service.target(right).map_err(|faults| {
        tell_faults(&faults);
        Told
    })?;
    // a second call finds it installed already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let what = "an answer of a service";
    let right = if right == Right::Read { "read" } else { "act" };
    let question = Question { what, method, path, body, right };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let asked = runtime.map_err(|e| e.to_string()).and_then(|r| r.block_on(ask(&target, &question)));
    let (status, text) = asked.map_err(|why| {
        tell_error(why);
        Told
    })?;
    let answer: Json = serde_json::from_str(&text).unwrap_or_default();
    if (200..300).contains(&status) && answer.is_object() {
        return Ok(answer);
    }
    let why = said(&answer["error"]);
    if why.is_empty() {
        let url = plain(&target.url, 200);
        tell_error(format!("expected {what} at {url}, found {status}\n  hint: is it groundswell that serves there?"));
    } else {
        let mistakes = answer["mistakes"].as_array().into_iter().flatten().take(limits::FAULTS);
        let mistakes: String = mistakes.map(|m| format!("\n  - {}", said(m))).collect();
        tell_error(format!("{why}{mistakes}"));
    }
    Err(Told)
}

/// Who gives an order.
fn by(given: Option<&String>) -> Json {
    let of = |name| std::env::var(name).ok().map(|n| plain(&n, limits::PERSON_CHARS)).filter(|n| !n.is_empty());
    json!(given.cloned().or_else(|| of("USER")).or_else(|| of("LOGNAME")))
}

/// An incident by its name: it becomes a part of an address.
fn incident(text: &str) -> Result<String, String> {
    let name = text.trim();
    let fits = (4..=13).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if fits { Ok(name.to_string()) } else { Err("expected the name of an incident, like 7F3K".to_string()) }
}

/// A duration as the service reads it.
fn duration(text: &str) -> Result<String, String> {
    let span = crate::base::figures::seconds(text).filter(|s| *s > 0.0);
    span.map(|_| text.to_string()).ok_or("expected a duration like 90s, 30m, 2h or 1d".to_string())
}

/// A text of an answer, harmless on a terminal.
fn said(value: &Json) -> String {
    plain(value.as_str().unwrap_or(""), 1000)
}

fn time(value: &Json) -> Option<Time> {
    Time::parse_rfc3339(value.as_str()?)
}

/// How long ago, or how long still, in one unit: `6m`.
fn age(at: Option<Time>, now: Option<Time>) -> String {
    let Some(span) = at.zip(now).map(|(at, now)| Span((now - at).0.saturating_abs())) else { return "?".to_string() };
    let seconds = span.0 / 1_000_000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How lists are shown: within the terminal, and whole to everybody else.
struct Look {
    width: Option<usize>,
    paint: Paint,
}

impl Look {
    fn new() -> Look {
        let out = io::stdout();
        Look { width: out.is_terminal().then(screen::width), paint: Paint(style_of(&out)) }
    }

    /// Rows under heads; the last column takes what is left.
    fn table(&self, heads: &[&str], rows: &[Vec<String>]) -> String {
        let most = self.width.map_or(usize::MAX, |_| COLUMN);
        let widths: Vec<usize> = (0..heads.len())
            .map(|c| {
                let cells = rows.iter().filter_map(|r| r.get(c)).map(|cell| screen::columns(cell));
                cells.chain([heads.get(c).map_or(0, |h| h.len())]).max().unwrap_or(0).min(most)
            })
            .collect();
        let line = |cells: &[String]| {
            let (last, rest) = cells.split_last().map_or(("", &[][..]), |(l, r)| (l.as_str(), r));
            let mut out = String::new();
            for (cell, width) in rest.iter().zip(&widths) {
                out.push_str(&fit(cell, *width));
                out.push_str("  ");
            }
            let left = self.width.map(|w| w.saturating_sub(screen::columns(&out)));
            out.push_str(&left.map_or(last.to_string(), |left| cut(last, left)));
            out.trim_end().to_string()
        };
        let heads: Vec<String> = heads.iter().map(|h| h.to_string()).collect();
        let mut out = self.paint.faint(&line(&heads)) + "\n";
        for row in rows {
            let text = line(row);
            let urgent = row.iter().any(|c| c == "PAGE" || c == "DEAD");
            out.push_str(&if urgent { self.paint.bad(&text) } else { text });
            out.push('\n');
        }
        out
    }
}

/// Most columns of a cell but the last, on a terminal.
const COLUMN: usize = 32;

/// Writes an answer; the exit status.
fn write(text: &str) -> u8 {
    ended(io::stdout().write_all(text.as_bytes()))
}

fn ended(written: io::Result<()>) -> u8 {
    match written {
        Ok(()) => FINE,
        Err(e) if is_closed(&e) => FINE,
        Err(e) => {
            tell_error(e);
            FAILED
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Style;

    #[test]
    fn ages_have_one_unit() {
        let at = |s: i64| age(Some(Time(0)), Some(Time(s * 1_000_000)));
        assert_eq!([at(0), at(59), at(360), at(7300), at(200_000)], ["0s", "59s", "6m", "2h", "2d"]);
        assert_eq!((age(Some(Time(9_000_000)), Some(Time(0))), age(None, None)), ("9s".into(), "?".into()));
    }

    #[test]
    fn rows_stay_within_the_terminal() {
        let rows = [vec!["7F3K".to_string(), "PAGE".into(), "a long line about it".into()]];
        let look = Look { width: Some(20), paint: Paint(Style::default()) };
        assert_eq!(look.table(&["ID", "SEV", "WHAT"], &rows), "ID    SEV   WHAT\n7F3K  PAGE  a long…\n");
        let whole = Look { width: None, ..look }.table(&["ID", "SEV", "WHAT"], &rows);
        assert!(whole.ends_with("7F3K  PAGE  a long line about it\n"), "{whole}");
    }

    #[test]
    fn names_that_are_no_names_go_nowhere() {
        assert_eq!(incident(" 7f3K "), Ok("7f3K".to_string()));
        assert!(["", "7F3", "../v1", "7F3K/close", "7F3K7F3K7F3K7F3K"].iter().all(|n| incident(n).is_err()));
        assert!(duration("90m").is_ok() && ["", "1", "-1h", "soon"].iter().all(|d| duration(d).is_err()));
    }
}
