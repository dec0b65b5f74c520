//! A service's state for people, in the order they ask: is it fine, does it hear, what do the rules
//! know, would anybody be told.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::app::cli::screen::{Paint, columns, cut, fit, strip, wrapped};
use crate::base::figures::{count, short};
use crate::base::limits;
use crate::base::time::{Span, Time};
use crate::notify::plain;

/// Columns of what stands before a line.
const LABEL: usize = 12;
/// Columns of a name.
const NAME: usize = 24;
/// Rules listed where not all are asked for.
const LISTED: usize = 20;
/// Rules named that a lost source concerns.
const NAMED: usize = 3;

/// How it is shown.
pub(super) struct Look {
    pub(super) width: usize,
    pub(super) paint: Paint,
    /// Whether all rules are listed.
    pub(super) all: bool,
}

impl Look {
    /// A line that begins with a label; `text` is broken into further lines under itself.
    fn line(&self, label: &str, text: &str) -> String {
        let text = wrapped(text, self.width.saturating_sub(LABEL), 0).replace('\n', &format!("\n{:LABEL$}", ""));
        format!("{}{text}\n", self.paint.strong(&format!("{label:<LABEL$}")))
    }

    /// A line of a list, and what more there is to say, under it.
    fn item(&self, name: &str, state: &str, rest: &str, more: &[String]) -> String {
        let left = self.width.saturating_sub(2 + NAME + 1 + columns(&strip(state)) + 1);
        let rest = cut(rest, left);
        let mut out = format!("  {} {state} {rest}", fit(&plain(name, 200), NAME)).trim_end().to_string() + "\n";
        for m in more {
            let indent = " ".repeat(4);
            let text = wrapped(m, self.width.saturating_sub(4), 0).replace('\n', &format!("\n{indent}"));
            out.push_str(&format!("{indent}{text}\n"));
        }
        out
    }
}

/// All of it.
pub(super) fn text(state: &Json, url: &str, look: &Look) -> String {
    let now = time(&state["now"]);
    let up = time(&state["started"]).zip(now).map(|(began, now)| now - began);
    let up = up.map_or(String::new(), |u| format!(", up {}", whole(u)));
    let ready = state["ready"] == true;
    let word = if ready { look.paint.good("READY") } else { look.paint.bad("NOT READY") };
    let version = cut(&said(&state["version"]), 20);
    let head = format!("groundswell {version} at {}{up}", plain(url, 200));
    let mut out = format!("{word}  {}\n", wrapped(&head, look.width.saturating_sub(11), 2));
    for why in list(&state["unready"]) {
        let text = wrapped(&said(why), look.width.saturating_sub(4), 4);
        out.push_str(&format!("  - {text}\n"));
    }
    out.push('\n');
    out.push_str(&engine(&state["engine"], look));
    out.push_str(&store(&state["store"], look));
    out.push_str(&sources(state, now, look));
    out.push_str(&rules(state, look));
    out.push_str(&receivers(state, now, look));
    let blind: Vec<String> = list(&state["blind_spots"]).map(said).collect();
    out.push_str(&look.line("blind spots", &if blind.is_empty() { "none named".into() } else { blind.join(", ") }));
    out.push_str(&reload(&state["reload"], now, look));
    out
}

fn engine(e: &Json, look: &Look) -> String {
    let clock = time(&e["time"]).map_or("unknown".into(), |t| t.clock_utc());
    let lag = amount(&e["lag_seconds"]);
    let shown = format!("{lag:.1} s behind");
    let lag = if lag > limits::READY_LAG.as_seconds() { look.paint.bad(&shown) } else { shown };
    let stage = &e["receive_to_transition_seconds"];
    let took = |q: &str| Some(amount(&stage[q])).filter(|s| *s > 0.0).map(|s| format!("{} ms", short(s * 1e3)));
    let took = match (took("p50"), took("p99")) {
        (Some(p50), Some(p99)) => format!("receive to transition: p50 {p50}, p99 {p99} (last minute)"),
        _ => "nothing was received in the last minute".to_string(),
    };
    let waiting = count(number(&e["waiting_frames"]), "frame");
    let kept = count(number(&e["posts_kept"]), "post");
    look.line("engine", &format!("at {clock} UTC, {lag}; {waiting} waiting, {kept} kept")) + &look.line("", &took)
}

fn store(s: &Json, look: &Look) -> String {
    if s.is_null() {
        return look.line("store", "none: a restart forgets everything");
    }
    let day = |t: &Json| time(t).map_or("unknown".into(), |t| t.to_string().get(..16).unwrap_or("").replace('T', " "));
    if s["recording"] == true {
        return look.line("store", &format!("recording to {}, since {}", said(&s["path"]), day(&s["past_since"])));
    }
    let pending = amount(&s["pending_entries"]);
    let since =
        format!("{} since {}; entries that wait: {pending}", look.paint.bad("NOT RECORDING"), day(&s["failing_since"]));
    look.line("store", &since) + &look.line("", &said(&s["why"]))
}

fn sources(state: &Json, now: Option<Time>, look: &Look) -> String {
    let all: Vec<&Json> = list(&state["sources"]).collect();
    let heard = all.iter().filter(|s| s["connected"] == true && s["heard"] == true).count();
    let mut out = look.line("sources", &format!("{heard} of {} heard", all.len()));
    for s in all {
        let (connected, heard) = (s["connected"] == true, s["heard"] == true);
        let word = match (connected, heard) {
            (true, true) => look.paint.good("up  "),
            (false, true) => look.paint.middling("lost"),
            (_, false) => look.paint.bad("DOWN"),
        };
        let mut more = Vec::new();
        let why = said(&s["why"]);
        let rest = match time(&s["down_since"]) {
            Some(since) => format!("since {}{}", since.clock_utc(), ago(Some(since), now)),
            None if connected => rate(s, now),
            None => format!("for {}", whole(Span((amount(&s["silent_seconds"]) * 1e6) as i64))),
        };
        if !why.is_empty() {
            more.push(format!("why: {why}"));
        }
        let degrades: Vec<String> = list(&s["degrades"]).map(said).collect();
        if !degrades.is_empty() {
            let named = degrades.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let others = degrades.len().saturating_sub(NAMED);
            let others = if others > 0 { format!(" and {others} more") } else { String::new() };
            more.push(format!("{} know less: {named}{others}", count(degrades.len(), "rule")));
        }
        out.push_str(&look.item(s["name"].as_str().unwrap_or("?"), &word, &rest, &more));
    }
    out
}

fn rate(s: &Json, now: Option<Time>) -> String {
    let left = amount(&s["rate_known_in_seconds"]);
    let usual = match left > 0.0 {
        true => format!("usual in {}", left_of(left)),
        false => format!("usual {}", short(amount(&s["usual_frames_per_second"]))),
    };
    let steady = if s["type"] == "push" { String::new() } else { format!(" ({usual})") };
    let last = time(&s["last_event"]).zip(now).map(|(at, now)| whole(now - at));
    let last = last.map_or(", no event yet".to_string(), |l| format!(", last event {l} ago"));
    format!("{} frames/s{steady}{last}", short(amount(&s["frames_per_second"])))
}

fn rules(state: &Json, look: &Look) -> String {
    let all: Vec<&Json> = list(&state["rules"]).collect();
    let mut by: BTreeMap<(u8, &str), usize> = BTreeMap::new();
    let rank =
        |s: &str| ["live", "filling", "learning", "silent", "shadow"].iter().position(|w| *w == s).unwrap_or(9) as u8;
    for r in &all {
        let word = r["state"].as_str().unwrap_or("?");
        *by.entry((rank(word), word)).or_default() += 1;
    }
    let open: usize = all.iter().map(|r| number(&r["open"])).sum();
    let mut words: Vec<String> = by.iter().map(|((_, word), n)| format!("{n} {}", plain(word, 20))).collect();
    words.push(count(open, "open episode"));
    let brands = count(number(&state["brands"]), "brand");
    let mut out = look.line("rules", &format!("{} for {brands}: {}", all.len(), words.join(", ")));
    let listed = all.iter().filter(|r| look.all || r["state"] != "live" || number(&r["open"]) > 0);
    let listed: Vec<&&Json> = listed.collect();
    let most = if look.all { listed.len() } else { LISTED };
    for r in listed.iter().take(most) {
        out.push_str(&rule(r, look));
    }
    if listed.len() > most {
        out.push_str(&format!("  and {} more: --all\n", listed.len() - most));
    }
    out
}

fn rule(r: &Json, look: &Look) -> String {
    let left = left_of(amount(&r["left_seconds"]));
    let word = r["state"].as_str().unwrap_or("?");
    let keys = |n: &Json| count(number(n), "key");
    let rest = match word {
        "live" => String::new(),
        "learning" => format!("{left} left, {}", keys(&r["keys_learning"])),
        "silent" => format!("for {left} more, {}", keys(&r["keys_silent"])),
        "filling" => format!("windows whole in {left}"),
        "shadow" => match r["twin"].as_str() {
            Some(twin) => format!("tells nobody; compared with {}", plain(twin, 80)),
            None => "tells nobody".to_string(),
        },
        _ => String::new(),
    };
    let open = number(&r["open"]);
    let alone = rest.is_empty() && open == 0;
    let padded = if alone { plain(word, 20) } else { fit(&plain(word, 20), 8) };
    let word = match word {
        "live" => look.paint.good(&padded),
        "silent" => look.paint.bad(&padded),
        "shadow" => look.paint.faint(&padded),
        _ => look.paint.middling(&padded),
    };
    let severity = r["severity"].as_str().map(|s| plain(s, 20)).unwrap_or_default();
    let open = if open > 0 { format!("{} OPEN ({severity})", count(open, "episode")) } else { String::new() };
    let rest = [open, rest].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("; ");
    look.item(r["name"].as_str().unwrap_or("?"), &word, &rest, &[])
}

fn receivers(state: &Json, now: Option<Time>, look: &Look) -> String {
    let all: Vec<&Json> = list(&state["receivers"]).collect();
    let mut out = look.line("receivers", &all.len().to_string());
    for r in all {
        let (proved, trouble) = (time(&r["proved"]), r["trouble"].as_str());
        let word = match (trouble, proved) {
            (Some(_), _) => look.paint.bad("TROUBLE"),
            (None, Some(_)) => look.paint.good("proved "),
            (None, None) => look.paint.faint("unused "),
        };
        let took = proved
            .map_or("took nothing yet".to_string(), |t| format!("took one at {}{}", t.clock_utc(), ago(Some(t), now)));
        let waiting = number(&r["waiting"]);
        let waiting = if waiting > 0 { format!("; {waiting} waiting") } else { String::new() };
        let more: Vec<String> =
            trouble.map(|t| format!("why: {}", plain(t, limits::REASON_CHARS))).into_iter().collect();
        out.push_str(&look.item(r["name"].as_str().unwrap_or("?"), &word, &format!("{took}{waiting}"), &more));
    }
    out
}

fn reload(r: &Json, now: Option<Time>, look: &Look) -> String {
    let Some(at) = time(&r["at"]) else { return look.line("reload", "none since the start") };
    let when = format!("{} UTC{}", at.clock_utc(), ago(Some(at), now));
    if r["ok"] == true {
        return look.line("reload", &format!("{when}: {}", said(&r["what"])));
    }
    let mistakes: Vec<String> = list(&r["mistakes"]).map(said).collect();
    let what = format!("FAILED, {}; what was in force stays", count(mistakes.len(), "mistake"));
    let mut out = look.line("reload", &format!("{when}: {}", look.paint.bad(&what)));
    for m in mistakes.iter().take(LISTED) {
        out.push_str(&format!("  {}\n", wrapped(m, look.width.saturating_sub(4), 4)));
    }
    out
}

fn list(j: &Json) -> impl Iterator<Item = &Json> {
    j.as_array().into_iter().flatten()
}

fn said(j: &Json) -> String {
    plain(j.as_str().unwrap_or(""), limits::REASON_CHARS)
}

fn number(j: &Json) -> usize {
    j.as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}

/// An amount that can be; else nothing.
fn amount(j: &Json) -> f64 {
    j.as_f64().filter(|x| (0.0..1e12).contains(x)).unwrap_or(0.0)
}

fn time(j: &Json) -> Option<Time> {
    Time::parse_rfc3339(j.as_str()?)
}

/// ` (3m ago)`; nothing where it is not known.
fn ago(at: Option<Time>, now: Option<Time>) -> String {
    at.zip(now).map_or(String::new(), |(at, now)| format!(" ({} ago)", whole(now - at)))
}

fn whole(s: Span) -> Span {
    Span(s.0.max(0) / 1_000_000 * 1_000_000)
}

/// Seconds that are left, in whole minutes where there are many.
fn left_of(seconds: f64) -> Span {
    let seconds = seconds.ceil() as i64;
    if seconds > 120 { Span::seconds((seconds + 59) / 60 * 60) } else { Span::seconds(seconds) }
}

#[cfg(test)]
mod tests;
