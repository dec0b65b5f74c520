//! What was expected against what came.

use std::time::{Duration, Instant};

use super::closest::{self, Looked};
use super::expectation::{Expectation, Only};
use super::file::Test;
use super::reading::{told, told_beside};
use super::run::{self, Played};
use super::timeline;
use crate::base::fault::Place;
use crate::base::figures;
use crate::base::limits;
use crate::base::model::{Message, Notice, Phase, Severity};
use crate::base::time::Span;
use crate::notify::{Style, Surroundings, text};

/// How a test ended.
pub struct Report {
    /// What did not come as expected; none of a test that passed.
    pub failures: Vec<Failure>,
    /// What was odd about it, besides.
    pub notes: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// Posts that were invented and heard.
    pub posts: u64,
    /// Mentions among them, of all brands.
    pub mentions: u64,
    /// What alerts did, in lines for people; of tests that passed only where that was asked for.
    pub picture: String,
}

/// What did not come as expected.
pub struct Failure {
    /// Where the expectation stands.
    pub place: Place,
    /// `expected …, found …`.
    pub what: String,
    /// The alert.
    pub alert: String,
    /// A picture of what happened around it.
    pub picture: String,
}

/// A failure before it is drawn.
pub(super) struct Missed<'t> {
    pub(super) expectation: &'t Expectation,
    pub(super) place: Place,
    pub(super) what: String,
    /// The moment it was about, with what was expected of it.
    pub(super) mark: Option<(Span, &'static str)>,
    /// Somebody wants to know why it did not fire, up to when, with which severity.
    pub(super) silent: Option<(Span, Option<Severity>)>,
    /// Somebody wants to know why it did; its place among the notices.
    pub(super) fired: Option<usize>,
    /// Somebody wants to know what it read at this moment.
    pub(super) read: Option<Span>,
}

/// Runs a test. `all`: draws what happened for a test that passed, too.
pub fn run(test: &Test, all: bool) -> Report {
    let began = Instant::now();
    let played = run::play(test, &[], &mut |_, _| {});
    let took = began.elapsed();
    let missed: Vec<Missed> = test.expect.iter().flat_map(|e| check(test, e, &played)).collect();
    let draw = |m: &Missed| timeline::draw(test, &played, m, why(test, &played, m).as_ref());
    let refused = refused(test, &played);
    let mut failures: Vec<Failure> = missed
        .iter()
        .map(|m| {
            let (place, what, alert) = (m.place.clone(), m.what.clone(), m.expectation.alert.clone());
            Failure { place, what, alert, picture: draw(m) }
        })
        .collect();
    failures.extend(refused);
    let picture = if all && failures.is_empty() { timeline::overview(test, &played) } else { String::new() };
    let mut notes = Vec::new();
    if !failures.is_empty() && played.posts > 0 && played.mentions.is_empty() {
        let what = format!(
            "none of {} is a mention of any brand: look at queries and texts",
            figures::count(played.posts as usize, "post")
        );
        notes.push(what);
    }
    let mentions = played.mentions.len() as u64;
    Report { failures, notes, took, posts: played.posts, mentions, picture }
}

/// Posts that nothing came of: a test without them shows something else.
fn refused(test: &Test, played: &Played) -> Option<Failure> {
    let refused: Vec<String> = played.refused().iter().map(|(o, n)| format!("{n} {}", o.name())).collect();
    let what = format!("expected every post of the test to be read, and its id once, found {}", refused.join(", "));
    let (place, alert, picture) = (test.place.clone(), String::new(), String::new());
    (!refused.is_empty()).then_some(Failure { place, what, alert, picture })
}

/// What the rule read where it did not do as expected.
fn why(test: &Test, played: &Played, m: &Missed) -> Option<Looked> {
    if let Some(at) = m.read {
        return closest::closest(test, &m.expectation.alert, &m.expectation.group, None, (at, at));
    }
    if let Some((to, severity)) = m.silent {
        let begins = test.events.iter().map(|e| e.at).filter(|at| *at < to);
        let near = begins.max().unwrap_or(Span::ZERO).min(Span(to.0 - 600_000_000)).max(Span::ZERO);
        // where no moment is expected, any of them may have come close
        let from = if m.mark.is_some() { near } else { Span::ZERO };
        return closest::closest(test, &m.expectation.alert, &m.expectation.group, severity, (from, to));
    }
    let n = played.notices.get(m.fired?)?;
    let rule = n.rules.rules.get(n.transition.rule as usize)?;
    closest::of(test, &n.rules, rule, &n.transition)
}

/// Changes of an alert's episodes, with their places among all.
pub(super) fn of<'p>(played: &'p Played, alert: &'p str, only: &'p Only) -> impl Iterator<Item = (usize, &'p Notice)> {
    let named = move |n: &Notice| n.rules.rules.get(n.transition.rule as usize).is_some_and(|r| r.name == alert);
    let is = move |(_, n): &(usize, &Notice)| named(n) && only.is(&n.rules, &n.transition.group);
    played.notices.iter().enumerate().filter(is)
}

fn check<'t>(test: &'t Test, e: &'t Expectation, played: &Played) -> Vec<Missed<'t>> {
    let changes: Vec<(usize, &Notice)> = of(played, &e.alert, &e.group).collect();
    let at = |n: &Notice| n.transition.at - test.start;
    let fired: Vec<(usize, &Notice)> =
        changes.iter().filter(|(_, n)| n.transition.to == Phase::Firing && began(n)).copied().collect();
    let mut out = Vec::new();
    let missed = |place: &Place, what: String| Missed {
        expectation: e,
        place: place.clone(),
        what,
        mark: None,
        silent: None,
        fired: None,
        read: None,
    };
    if let Some(m) = number(e, &fired, &at, &missed) {
        out.push(m);
    }
    if !e.fires() {
        return out;
    }
    let wanted = e.severity.as_ref().map(|(s, _)| *s);
    let highest =
        changes.iter().filter(|(_, n)| n.transition.to == Phase::Firing).max_by_key(|(_, n)| n.transition.severity);
    if fired.is_empty() {
        let pending = changes.iter().any(|(_, n)| n.transition.to == Phase::Pending);
        return vec![silent(test, e, pending, &others(test, e, played), &missed)];
    }
    let raised: Vec<&(usize, &Notice)> = changes
        .iter()
        .filter(|(_, n)| n.transition.to == Phase::Firing && wanted.is_none_or(|s| n.transition.severity >= s))
        .collect();
    let first = raised.first().map(|(_, n)| at(n));
    if let Some((by, place)) = &e.by
        && first.is_none_or(|t| t > *by)
        && (first.is_some() || e.severity.is_none())
    {
        let found = first.map_or("it lower".to_string(), |t| {
            format!("{} at {}", if wanted.is_some() { "that" } else { "it firing" }, told_beside(t, *by))
        });
        let as_what = wanted.map(|s| format!(" as {}", s.name())).unwrap_or_default();
        let what = format!("expected {} to fire{as_what} by {}, found {found}", e.alert, told(*by));
        out.push(Missed { mark: Some((*by, "by")), silent: Some((*by, wanted)), ..missed(place, what) });
    }
    if let Some((before, place)) = &e.not_before
        && let Some((i, n)) = fired.first().filter(|(_, n)| at(n) < *before)
    {
        let (before_told, found) = (told(*before), told_beside(at(n), *before));
        let what = format!("expected {} not to fire before {before_told}, found it firing at {found}", e.alert);
        out.push(Missed { mark: Some((*before, "not before")), fired: Some(*i), ..missed(place, what) });
    }
    if let (Some((wanted, place)), Some((i, n))) = (&e.severity, highest)
        && n.transition.severity != *wanted
    {
        let found = n.transition.severity;
        let what =
            format!("expected {} to reach {}, found {} at {}", e.alert, wanted.name(), found.name(), told(at(n)));
        let low = found < *wanted;
        let silent = low.then(|| (e.by.as_ref().map_or(test.length(), |(t, _)| *t), Some(*wanted)));
        let mark = e.by.as_ref().map(|(t, _)| (*t, "by"));
        out.push(Missed { mark, silent, fired: (!low).then_some(*i), ..missed(place, what) });
    }
    out.extend(resolved(e, &changes, &at, &missed));
    out.extend(too_soon(e, &changes, &at, &missed));
    out.extend(said(e, &raised, &missed));
    out
}

/// An alert that did not fire at all.
fn silent<'t>(test: &Test, e: &Expectation, pending: bool, others: &str, missed: Make<'_, 't>) -> Missed<'t> {
    let wanted = e.severity.as_ref().map(|(s, _)| *s);
    let (end, place) = e.by.clone().unwrap_or((test.length(), e.place.clone()));
    let by = e.by.as_ref().map(|(t, _)| format!(" by {}", told(*t))).unwrap_or_default();
    let as_what = wanted.map(|s| format!(" as {}", s.name())).unwrap_or_default();
    let found = if pending { "it pending at most" } else { "it silent" };
    let what = format!("expected {} to fire{as_what}{by}, found {found}{others}", e.alert);
    Missed { mark: e.by.as_ref().map(|_| (end, "by")), silent: Some((end, wanted)), ..missed(&place, what) }
}

/// For whom else an alert fired that did not fire for those it was expected of.
fn others(test: &Test, e: &Expectation, played: &Played) -> String {
    let everybody = Only::default();
    let fired = of(played, &e.alert, &everybody).filter(|(_, n)| n.transition.to == Phase::Firing && began(n));
    let said = |n: &Notice| {
        format!("{} at {}", closest::whose(&n.rules, &n.transition.group), told(n.transition.at - test.start))
    };
    let whose: Vec<String> = fired.take(3).map(|(_, n)| said(n)).collect();
    match whose.is_empty() || e.group.is_all() {
        true => String::new(),
        false => format!(" for these; it fired for {}", whose.join("; ")),
    }
}

/// Whether an episode begins to fire, and does not only rise or go on after it was clearing.
fn began(n: &Notice) -> bool {
    matches!(n.transition.from, Phase::Inactive | Phase::Pending | Phase::Resolved)
}

type At<'a> = &'a dyn Fn(&Notice) -> Span;
type Make<'a, 't> = &'a dyn Fn(&Place, String) -> Missed<'t>;

/// The number of episodes.
fn number<'t>(e: &Expectation, fired: &[(usize, &Notice)], at: At<'_>, missed: Make<'_, 't>) -> Option<Missed<'t>> {
    let (wanted, place) = e.episodes.as_ref()?;
    if fired.len() as u64 == *wanted {
        return None;
    }
    let times: Vec<String> = fired.iter().take(5).map(|(_, n)| told(at(n))).collect();
    let more = if fired.len() > 5 { ", …" } else { "" };
    let found = match fired.first() {
        None => "none".to_string(),
        Some((_, n)) if *wanted == 0 => {
            format!("it firing ({}) at {}{more}", n.transition.severity.name(), times.join(", "))
        }
        Some(_) => format!("{}, from {}{more}", fired.len(), times.join(", ")),
    };
    let what = match wanted {
        0 => format!("expected {} never to fire, found {found}", e.alert),
        n => format!("expected {} of {}, found {found}", figures::count(*n as usize, "episode"), e.alert),
    };
    let last = fired.get(*wanted as usize).or(fired.first());
    Some(Missed { fired: last.map(|(i, _)| *i), ..missed(place, what) })
}

/// Whether all that fired is over in time.
fn resolved<'t>(e: &Expectation, changes: &[(usize, &Notice)], at: At<'_>, missed: Make<'_, 't>) -> Option<Missed<'t>> {
    let (by, place) = e.resolved.as_ref()?;
    let mut open = std::collections::BTreeMap::new();
    for (i, n) in changes.iter().filter(|(_, n)| at(n) <= *by) {
        match n.transition.to {
            Phase::Resolved | Phase::Inactive => drop(open.remove(&n.transition.episode)),
            Phase::Firing | Phase::Clearing => drop(open.insert(n.transition.episode, (*i, *n))),
            Phase::Pending => {}
        }
    }
    let later = changes.iter().find(|(_, n)| at(n) > *by && n.transition.to == Phase::Firing && began(n));
    let (i, n) = open.values().next().or(later)?;
    let over = changes
        .iter()
        .find(|(_, o)| o.transition.episode == n.transition.episode && o.transition.to == Phase::Resolved);
    let (found, read) = match over {
        _ if at(n) > *by => (format!("it firing at {}", told_beside(at(n), *by)), None),
        Some((_, o)) => (format!("it resolved at {}", told_beside(at(o), *by)), Some(*by)),
        None => (format!("it still {}", n.transition.to.name()), Some(*by)),
    };
    let what = format!("expected {} to be resolved by {}, found {found}", e.alert, told(*by));
    Some(Missed { mark: Some((*by, "resolved by")), fired: Some(*i), read, ..missed(place, what) })
}

/// Whether something that fired is over too early.
fn too_soon<'t>(e: &Expectation, changes: &[(usize, &Notice)], at: At<'_>, missed: Make<'_, 't>) -> Option<Missed<'t>> {
    let (before, place) = e.not_over.as_ref()?;
    let over = |n: &Notice| n.transition.to == Phase::Resolved && at(n) < *before;
    let (i, n) = changes.iter().find(|(_, n)| over(n))?;
    let what = format!(
        "expected {} not to be resolved before {}, found it resolved at {}",
        e.alert,
        told(*before),
        told_beside(at(n), *before)
    );
    Some(Missed { mark: Some((*before, "not resolved before")), fired: Some(*i), ..missed(place, what) })
}

/// What its evidence and messages say.
fn said<'t>(e: &Expectation, raised: &[&(usize, &Notice)], missed: Make<'_, 't>) -> Vec<Missed<'t>> {
    let Some((i, first)) = raised.first() else { return Vec::new() };
    let mut out = Vec::new();
    let shown = |s: &str| s.chars().take(limits::TEST_SHOWN).collect::<String>();
    if let Some((wanted, place)) = &e.top {
        let top = first.transition.evidence.as_ref().and_then(|e| e.top.first());
        if top.is_none_or(|p| !p.body.text.contains(wanted.as_str()) && *p.body.id != **wanted) {
            let found = top.map_or("none".to_string(), |p| {
                let text = if p.body.text.is_empty() { "without a text" } else { &p.body.text };
                format!("`{}` by {}: {}", p.body.id, p.body.author, shown(text))
            });
            let what = format!("expected `{wanted}` in the top post of {}, found {found}", e.alert);
            out.push(Missed { fired: Some(*i), ..missed(place, what) });
        }
    }
    if e.message.is_empty() {
        return out;
    }
    let message = text(&Message::Episode((*first).clone()), &Surroundings::default(), Style::default());
    for (wanted, place) in e.message.iter().filter(|(w, _)| !message.contains(w.as_str())) {
        let what = format!("expected `{wanted}` in the message of {}, found\n{}", e.alert, message.trim_end());
        out.push(Missed { fired: Some(*i), ..missed(place, what) });
    }
    out
}
