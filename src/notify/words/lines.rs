//! The lines of an incident's message, in the order people ask.

use super::brief::{deed, largest};
use super::facts::{blind, how_bad, late, trust, verdict, whole_seconds, why};
use super::going::going;
use super::posts::{followers, name};
use super::telling::{Telling, times_usual};
use crate::base::figures::{self, count, percent, short};
use crate::base::model::{Answered, Evidence, Reason};
use crate::notify::plain::{plain, quoted};
use crate::notify::view::{Label, News};

/// Notes shown.
const NOTES: usize = 5;

/// All lines that are known.
pub(super) fn lines(t: &Telling<'_>) -> Vec<(Label, String)> {
    let mut out: Vec<(Label, String)> = notes(t).into_iter().map(|n| (Label::Note, n)).collect();
    if t.is_over() {
        out.extend(ended(t));
    } else {
        out.extend(goes_on(t));
    }
    if let Some(why) = &t.around.unrecorded {
        out.push((Label::Store, format!("nothing is recorded: {}", plain(why, 200))));
    }
    out.retain(|(_, text)| !text.is_empty());
    out
}

fn goes_on(t: &Telling<'_>) -> Vec<(Label, String)> {
    let mut out: Vec<(Label, String)> = what(t).into_iter().map(|text| (Label::What, text)).collect();
    if let Some(e) = t.evidence {
        out.push((Label::Reach, reach(t, e)));
        out.push((Label::Who, who(t, e)));
        out.extend(going(t, e).into_iter().map(|line| (Label::Going, line)));
        out.push((Label::Trust, harmless(trust(e, t.around))));
        out.push((Label::Blind, harmless(blind(Some(e), t.around))));
        out.push((Label::We, we(t, e)));
    } else {
        out.push((Label::Blind, blind(None, t.around)));
    }
    out.push((Label::Do, what_to_do(t)));
    out.push((Label::Why, whole_why(t)));
    out
}

/// What is to be said of an incident that is over: how long, how far, what it came to.
fn ended(t: &Telling<'_>) -> Vec<(Label, String)> {
    let mut came_to = format!("it lasted {} and came to {}", t.lasted(), t.case.severity.name());
    came_to.push_str(&format!(": {}", t.rule_names().join(", ")));
    let mut out = vec![(Label::What, came_to)];
    if let Some(e) = largest(t) {
        let usual = times_usual(e.hostile_reach, e).map_or(String::new(), |times| format!(" = {times} usual"));
        let reach = short(e.hostile_reach);
        out.push((Label::Reach, format!("up to {reach} impressions of hostile reach within {}{usual}", e.window)));
        let mut who = format!("{}, {}", count(e.accounts, "account"), count(e.posts, "post"));
        if let Some(top) = e.top.first() {
            who.push_str(&format!("; {} came from {}", percent(top.share), name(top)));
        }
        out.push((Label::Who, who));
    }
    out.extend(t.evidence.map(|e| (Label::We, we(t, e))));
    out.extend(deed(t).map(|done| (Label::Do, done)));
    out
}

/// What the brand said, and what it left without an answer before. That nobody answered was so when
/// it was looked at, so the end of an incident does not say it.
fn we(t: &Telling<'_>, e: &Evidence) -> String {
    let mut parts = Vec::new();
    match e.answered {
        Answered::At(at) => parts.push(format!("we answered at {}", t.around.clock_zone(at))),
        Answered::No if !t.is_over() => {
            let when = t.dated().map_or(String::new(), |at| format!(" as of {}", t.around.clock(at)));
            parts.push(format!("no reply from us yet{when}"));
        }
        Answered::No | Answered::Unknown => {}
    }
    if let Some((asked, first)) = e.asked.zip(e.first.as_ref()).filter(|_| !t.is_over()) {
        let times = if asked.times == 1 { "once".to_string() } else { format!("{} times", asked.times) };
        let ago = whole_seconds(t.case.now - asked.last);
        let answered = match asked.answered {
            Some(true) => ", answered",
            Some(false) => ", unanswered",
            None => "",
        };
        parts.push(format!("{} wrote to us {times} before, last {ago} ago{answered}", name(first)));
    }
    parts.join("; ")
}

fn notes(t: &Telling<'_>) -> Vec<String> {
    let mut out: Vec<String> = t.case.notes.iter().take(NOTES).map(|n| quoted(n, 300)).collect();
    if let Some(o) = &t.lead.outage {
        let told = late(o, t.around);
        if !out.iter().any(|n| n.contains(&told)) {
            out.push(format!("began {}; {told}", t.around.clock(t.case.began)));
        }
    }
    match t.case.news {
        News::Rise => out.push(format!("it became more severe: {} now", t.case.severity.name())),
        News::Cause => out.extend(t.case.causes.last().map(|c| format!("a new cause: {}", c.name()))),
        News::Repeat => out.push(format!("it still goes on, after {}", t.lasted())),
        News::Hand => out.extend(deed(t)),
        News::Test | News::Update | News::Over | News::HandedOver | News::Opened => {}
    }
    if t.lead.transition.reason == Reason::Overflow {
        out.push("more episodes than one message each makes sense: they share this one".to_string());
    }
    out
}

/// Which part of the brand's talk it is about, and what the rule says of it.
fn what(t: &Telling<'_>) -> Vec<String> {
    let g = &t.lead.transition.group;
    let mut parts = Vec::new();
    parts.extend(g.source.as_ref().map(|s| format!("source {}", plain(s, 100))));
    parts.extend(g.lang.as_ref().map(|l| format!("language {}", plain(l, 20))));
    parts.extend(g.cause.map(|c| format!("cause {}", c.name())));
    parts.extend(g.tag.as_ref().map(|x| format!("hashtag #{}", plain(x, 100))));
    let summary = t.lead.transition.summary.as_ref().map(|s| quoted(s, 300));
    [parts.join(", ")].into_iter().chain(summary).filter(|s| !s.is_empty()).collect()
}

fn reach(t: &Telling<'_>, e: &Evidence) -> String {
    let mut out = match times_usual(e.hostile_reach, e) {
        None => how_bad(e, t.is_story()),
        Some(times) => {
            let of = if t.is_story() { " by this story" } else { "" };
            let (usual, hours) = e.usual.unwrap_or_default();
            format!(
                "{} impressions of hostile reach{of} in the last {} = {times} usual (brand's usual {}, mean of {hours} h)",
                short(e.hostile_reach),
                e.window,
                short(usual)
            )
        }
    };
    if let Some((lift, rarity)) = e.surge.filter(|_| times_usual(e.hostile_reach, e).is_some()) {
        let (times, rare) = (figures::times(lift), figures::return_period(rarity));
        out.push_str(&format!("; the brand as a whole is at {times} usual for the hour, which it sees {rare}"));
    }
    if let Some(at) = t.dated() {
        out.push_str(&format!("; as of {}", t.around.clock(at)));
    }
    out
}

fn who(t: &Telling<'_>, e: &Evidence) -> String {
    let (accounts, posts) = (count(e.accounts, "account"), count(e.posts, "post"));
    let mut out = format!("{accounts}, {posts} ({})", count(e.shares, "share"));
    let Some(top) = e.top.first() else { return out };
    let clock = t.around.clock(top.time);
    out.push_str(&format!(
        "; {} comes from one {} by {} ({}, {clock})",
        percent(top.share),
        top.kind.name(),
        name(top),
        followers(top)
    ));
    out.push_str("; without it: ");
    if e.hostile_reach >= 0.5 {
        let usual = times_usual(e.rest, e).map_or(String::new(), |times| format!(" = {times} usual"));
        out.push_str(&format!("{}{usual} ", short(e.rest)));
    }
    out + &format!("({})", verdict(e))
}

/// Names of sources may be what strangers wrote.
fn harmless(line: String) -> String {
    line.replace("://", "[:]//")
}

fn what_to_do(t: &Telling<'_>) -> String {
    let mut steps = Vec::new();
    if t.case.claimed.is_none() && t.case.closed.is_none() {
        steps.push(format!("claim {}", t.case.id.code()));
    }
    steps.extend(t.runbooks().into_iter().map(|r| format!("runbook {r}")));
    let steps: Vec<String> = steps.iter().enumerate().map(|(i, s)| format!("{} {s}", i + 1)).collect();
    let mut parts = vec![steps.join("  ")];
    let done = [("claimed", &t.case.claimed), ("acknowledged", &t.case.acknowledged), ("closed", &t.case.closed)];
    parts.extend(done.iter().filter_map(|(what, d)| Some(format!("{what} by {}", t.by(d.as_ref()?)))));
    parts.extend(t.owner().map(|o| format!("on call: {o}")));
    parts.retain(|p| !p.is_empty());
    parts.join("; ")
}

/// All rules of the incident, the lead's arithmetic, and when it is told next.
fn whole_why(t: &Telling<'_>) -> String {
    let names = t.rule_names();
    let mut parts = Vec::new();
    if names.len() > 1 {
        parts.push(format!("{} (one incident)", names.join(", ")));
    }
    parts.push(why(t.lead, t.rule, &t.series()));
    if t.case.closed.is_none() {
        let next = t.case.next.map_or(String::new(), |at| format!(", else {}", t.around.clock(at)));
        parts.push(format!("next message: at a rise, a new cause{next}"));
    }
    parts.retain(|p| !p.is_empty());
    parts.join("; ")
}
