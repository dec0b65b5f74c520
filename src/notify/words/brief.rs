//! An incident in one sentence, in a subject, and in one line for a pager.

use super::facts::whole_seconds;
use super::going::state;
use super::posts::{followers, name};
use super::telling::{Telling, times_usual};
use crate::base::figures::{self, count, percent, short};
use crate::base::model::{Answered, Evidence};
use crate::notify::view::News;

/// Longest line for a pager, in characters.
pub(super) const SHORT: usize = 200;
/// Longest subject, in characters.
pub(super) const SUBJECT: usize = 150;
/// Longest sentence, in characters.
const SENTENCE: usize = 400;

/// A line with a code at its end, which is there even where the line is cut.
pub(super) fn with_code(line: &str, code: &str, most: usize) -> String {
    let end = if code.is_empty() { String::new() } else { format!(" - {code}") };
    cut(line, most.saturating_sub(end.chars().count())) + &end
}

fn cut(line: &str, most: usize) -> String {
    if line.chars().count() <= most {
        return line.to_string();
    }
    line.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// How far it went, as far as that was told: the largest hostile reach of its episodes.
pub(super) fn largest<'a>(t: &Telling<'a>) -> Option<&'a Evidence> {
    let all = t.case.episodes.iter().filter_map(|n| n.transition.evidence.as_deref());
    all.max_by(|a, b| a.hostile_reach.total_cmp(&b.hostile_reach)).filter(|e| e.hostile_reach >= 0.5)
}

/// `19.7x usual`, by the group's own hours, else by the brand's past.
fn against_usual(e: &Evidence) -> Option<String> {
    let by_hours = times_usual(e.hostile_reach, e).map(|times| format!("{times} usual"));
    by_hours.or_else(|| e.surge.map(|(lift, _)| format!("the brand at {} usual", figures::times(lift))))
}

/// What happens, for a line that begins with the brand.
fn figures_of(t: &Telling<'_>) -> Vec<String> {
    let Some(e) = t.evidence else { return vec![t.title()] };
    let mut out = Vec::new();
    if e.hostile_reach >= 0.5 {
        out.push(format!("hostile reach {} in {}", short(e.hostile_reach), e.window));
        out.extend(against_usual(e));
    } else {
        let (posts, accounts) = (count(e.posts, "post"), count(e.accounts, "account"));
        out.push(format!("{}, {posts} by {accounts} in {}", t.title(), e.window));
    }
    if let Some(top) = e.top.first().filter(|_| e.hostile_reach >= 0.5) {
        out.push(format!("led by {} ({})", name(top), percent(top.share)));
    }
    out.extend(state(e).filter(|_| t.is_story()).map(str::to_string));
    if e.answered == Answered::No && t.dated().is_none() {
        out.push("unanswered".to_string());
    }
    // who reads only this line is not to take them for those of now
    out.extend(t.dated().map(|at| format!("as of {}", t.around.clock(at))));
    out
}

/// How long and how far.
fn how_it_went(t: &Telling<'_>) -> String {
    let far = largest(t).map_or(String::new(), |e| {
        let usual = times_usual(e.hostile_reach, e).map_or(String::new(), |times| format!(", {times} usual"));
        format!(", hostile reach up to {} in {}{usual}", short(e.hostile_reach), e.window)
    });
    format!("{} is over after {}{far}", t.title(), t.lasted())
}

/// One line for a pager or a lock screen.
pub(super) fn short_line(t: &Telling<'_>) -> String {
    let brand = t.brand_name();
    let line = match (t.is_over(), t.case.news) {
        (true, _) => format!("{brand}: {}", how_it_went(t)),
        (_, News::Hand) => format!("{brand}: {}, {}", deed(t).unwrap_or_default(), t.title()),
        (_, News::Repeat) => format!("{brand}: still on after {}, {}", t.lasted(), figures_of(t).join(", ")),
        _ => format!("{brand}: {}", figures_of(t).join(", ")),
    };
    with_code(&line, &t.case.id.code(), SHORT)
}

/// The subject of mails.
pub(super) fn subject(t: &Telling<'_>, word: &str) -> String {
    let mut line = format!("[{word}] {} - {}", t.brand_name(), t.title());
    let more = match (t.is_over(), t.case.news) {
        (true, _) => Some(format!("after {}", t.lasted())),
        (_, News::Hand) => deed(t),
        _ => t.evidence.filter(|e| e.hostile_reach >= 0.5).and_then(against_usual),
    };
    if let Some(more) = more {
        line = format!("{line}, {more}");
    }
    with_code(&line, &t.case.id.code(), SUBJECT)
}

/// The newest thing that somebody did: `claimed by Dana at 03:09:10`.
pub(super) fn deed(t: &Telling<'_>) -> Option<String> {
    let c = t.case;
    let all = [("claimed", &c.claimed), ("acknowledged", &c.acknowledged), ("closed", &c.closed)];
    let done = all.into_iter().filter_map(|(what, deed)| Some((what, deed.as_ref()?)));
    let newest = done.max_by_key(|(_, d)| d.at);
    newest.map(|(what, d)| format!("{what} by {}", t.by(d)))
}

/// One sentence in plain words, of what is known.
pub(super) fn sentence(t: &Telling<'_>) -> String {
    let before = match t.case.news {
        _ if t.is_over() => return cut(&over_sentence(t), SENTENCE),
        News::Test => "Only a trial: ".to_string(),
        News::Hand => deed(t).map_or(String::new(), |d| format!("{}; ", capital(&d))),
        News::Repeat => format!("It still goes on after {}: ", t.lasted()),
        News::Cause => match t.case.causes.last() {
            Some(cause) => format!("A new cause, {}: ", cause.name()),
            None => "A new cause: ".to_string(),
        },
        News::HandedOver => "Another receiver could not be told: ".to_string(),
        News::Rise => "It became more severe: ".to_string(),
        News::Opened | News::Over | News::Update => String::new(),
    };
    let what = what_happened(t);
    let what = if before.is_empty() { capital(&what) } else { what };
    cut(&format!("{before}{what}."), SENTENCE)
}

fn what_happened(t: &Telling<'_>) -> String {
    let brand = t.brand_name();
    let Some(e) = t.evidence else { return format!("{} at {brand}", t.title()) };
    let of = if t.is_story() { "hostile posts in one story about" } else { "hostile posts about" };
    if e.hostile_reach < 0.5 {
        let (posts, accounts) = (count(e.posts, "post"), count(e.accounts, "account"));
        return format!("{posts} by {accounts} about {brand} within {}, none of them known to be hostile", e.window);
    }
    let mut out = format!("{of} {brand} reached {} impressions within {}", short(e.hostile_reach), e.window);
    if let Some(usual) = against_usual(e) {
        out.push_str(&format!(", {usual}"));
    }
    if let Some(top) = e.top.first() {
        let (share, kind) = (percent(top.share), top.kind.name());
        out.push_str(&format!("; {share} comes from one {kind} by {} ({})", name(top), followers(top)));
    }
    match t.dated() {
        None if e.answered == Answered::No => out.push_str("; nobody of ours has answered"),
        None => {}
        Some(at) => out.push_str(&format!("; as of {}", t.around.clock_zone(at))),
    }
    out
}

fn over_sentence(t: &Telling<'_>) -> String {
    let mut out = format!("{}: {}", t.brand_name(), how_it_went(t));
    if let Some(done) = deed(t) {
        out.push_str(&format!("; {done}"));
    }
    out + "."
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

/// `6m`, of something that began a while ago.
pub(super) fn age(t: &Telling<'_>, began: crate::base::time::Time) -> String {
    whole_seconds(t.case.now - began).to_string()
}
