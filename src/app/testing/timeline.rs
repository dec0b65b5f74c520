//! What happened, drawn with characters: bars of mentions, what an alert did, what was expected.

use std::fmt::Write;

use super::closest::{self, Looked, Part};
use super::event::What;
use super::expect::{self, Missed};
use super::expectation::Only;
use super::file::Test;
use super::lost::Lost;
use super::reading::told;
use super::run::Played;
use crate::base::model::{KeyId, Notice, Phase, Severity};
use crate::base::time::{Span, Time};

/// Columns of a picture.
const COLUMNS: usize = 60;
/// Changes that are listed, at most.
const LISTED: usize = 12;
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const SECOND: i64 = 1_000_000;
/// Lengths of a column.
const STEPS: [i64; 17] = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21_600, 43_200, 86_400];

/// A stretch of time in columns.
struct Lens {
    from: Span,
    step: Span,
    columns: usize,
}

impl Lens {
    /// Shows all of these moments, and something around them, within a test so long.
    fn around(moments: &[Span], length: Span) -> Lens {
        let first = moments.iter().min().copied().unwrap_or(Span::ZERO);
        let last = moments.iter().max().copied().unwrap_or(length);
        let room = ((last.0 - first.0) / 6).max(60 * SECOND);
        let (from, to) = ((first.0 - room).max(0), (last.0 + room).min(length.0.max(SECOND)));
        let wanted = ((to - from) / COLUMNS as i64).div_euclid(SECOND) + 1;
        let step = STEPS.iter().copied().find(|s| *s >= wanted).unwrap_or(wanted.div_euclid(86_400) * 86_400 + 86_400);
        let from = from.div_euclid(step * SECOND) * step * SECOND;
        let columns = ((to - from) / (step * SECOND) + 1).clamp(1, COLUMNS as i64 + 1);
        Lens { from: Span(from), step: Span(step * SECOND), columns: columns as usize }
    }

    fn column(&self, at: Span) -> Option<usize> {
        let c = (at.0 - self.from.0).div_euclid(self.step.0);
        usize::try_from(c).ok().filter(|c| *c < self.columns)
    }

    /// The column of a moment, or the edge it lies beyond.
    fn nearest(&self, at: Span) -> usize {
        ((at.0 - self.from.0).div_euclid(self.step.0)).clamp(0, self.columns as i64 - 1) as usize
    }

    fn end(&self) -> Span {
        Span(self.from.0 + self.step.0 * self.columns as i64)
    }
}

/// A test that failed: bars, what the alert did, what was expected, and what the rule read.
pub(super) fn draw(test: &Test, played: &Played, m: &Missed, why: Option<&Looked>) -> String {
    let e = m.expectation;
    let changes: Vec<&Notice> = expect::of(played, &e.alert, &e.group).map(|(_, n)| n).collect();
    let mut moments: Vec<Span> = m.mark.iter().map(|(at, _)| *at).collect();
    moments.extend(why.map(|w| w.at));
    moments.extend(m.fired.and_then(|i| played.notices.get(i)).map(|n| n.transition.at - test.start));
    if m.silent.is_none() || changes.len() <= LISTED {
        moments.extend(changes.iter().take(LISTED).map(|n| n.transition.at - test.start));
    }
    if moments.is_empty() {
        moments.extend([Span::ZERO, test.length()]);
    }
    // what led to it
    let first = moments.iter().min().copied().unwrap_or(test.length());
    let happens = test.events.iter().filter(|e| !matches!(e.what, What::Pass));
    let before = happens.map(|e| e.at).filter(|at| *at <= first).max();
    moments.extend(before);
    let lens = Lens::around(&moments, test.length());
    let mut out = String::new();
    bars(&mut out, test, played, &lens, &e.group);
    lane(&mut out, test, &lens, &e.alert, &changes);
    if let Some((at, word)) = m.mark {
        line(&mut out, "expected", &format!("{}^ {word} {}", " ".repeat(lens.nearest(at)), told(at)));
    }
    axis(&mut out, &lens);
    let about = m.fired.and_then(|i| played.notices.get(i)).map(|n| n.transition.at);
    list(&mut out, test, &changes, about.or(m.mark.map(|(at, _)| test.start + at)));
    if let Some(why) = why {
        values(&mut out, why, m.silent.is_some());
    }
    out
}

/// A test that passed: all alerts it names.
pub(super) fn overview(test: &Test, played: &Played) -> String {
    let lens = Lens::around(&[Span::ZERO, test.length()], test.length());
    let mut out = String::new();
    bars(&mut out, test, played, &lens, &Only::default());
    let mut alerts: Vec<&str> = test.expect.iter().map(|e| e.alert.as_str()).collect();
    alerts.sort_unstable();
    alerts.dedup();
    let everything = Only::default();
    for alert in &alerts {
        let changes: Vec<&Notice> = expect::of(played, alert, &everything).map(|(_, n)| n).collect();
        lane(&mut out, test, &lens, alert, &changes);
    }
    axis(&mut out, &lens);
    for alert in alerts {
        let changes: Vec<&Notice> = expect::of(played, alert, &everything).map(|(_, n)| n).collect();
        list(&mut out, test, &changes, None);
    }
    out
}

fn line(out: &mut String, label: &str, text: &str) {
    // names that are long often differ at their ends
    let cut = |n: usize| label.chars().take(7).chain(['…']).chain(label.chars().skip(n - 8)).collect::<String>();
    let label = match label.chars().count() {
        n if n > 16 => cut(n),
        _ => label.to_string(),
    };
    let _ = writeln!(out, "    {label:>16}  {}", text.trim_end());
}

fn bars(out: &mut String, test: &Test, played: &Played, lens: &Lens, only: &Only) {
    let wanted = |key: KeyId| {
        let brand = test.rules.brand(key);
        brand.is_none_or(|b| only.brand.as_deref().map_or(!b.group, |slug| *b.slug == *slug))
    };
    let (mut all, mut hostile) = (vec![0u64; lens.columns], vec![0u64; lens.columns]);
    for (time, _, sour) in played.mentions.iter().filter(|(_, key, _)| wanted(*key)) {
        let Some(c) = lens.column(*time - test.start) else { continue };
        all[c] += 1;
        hostile[c] += u64::from(*sour);
    }
    let most = all.iter().max().copied().unwrap_or(0).max(1);
    for (label, counts) in [("mentions", &all), ("hostile", &hostile)] {
        let bar = |n: &u64| BARS[if *n == 0 { 0 } else { ((*n * 8).div_ceil(most) as usize).min(8) }];
        let bars: String = counts.iter().map(bar).collect();
        let top = counts.iter().max().copied().unwrap_or(0);
        let pad = " ".repeat(lens.columns.saturating_sub(bars.chars().count()));
        line(out, label, &format!("{bars}{pad} most {top} in {}", lens.step));
    }
    let gaps: Vec<(Span, Span)> = Lost::of(&test.events)
        .all()
        .map(|(_, from, to)| (from, to))
        .filter(|(from, to)| *to >= lens.from && *from <= lens.end())
        .collect();
    if !gaps.is_empty() {
        let down = |c: usize| {
            let at = lens.from.0 + lens.step.0 * c as i64;
            gaps.iter().any(|(from, to)| at + lens.step.0 > from.0 && at < to.0)
        };
        let text: String = (0..lens.columns).map(|c| if down(c) { 'x' } else { ' ' }).collect();
        line(out, "source lost", &text);
    }
}

/// What an alert did: one character a column.
fn lane(out: &mut String, test: &Test, lens: &Lens, alert: &str, changes: &[&Notice]) {
    let mut text: Vec<char> = vec!['·'; lens.columns];
    let mut open: std::collections::BTreeMap<_, (Phase, Severity)> = std::collections::BTreeMap::new();
    let mut next = changes.iter().peekable();
    for (c, slot) in text.iter_mut().enumerate() {
        let end = Time(test.start.0 + lens.from.0 + lens.step.0 * (c as i64 + 1));
        // what was there at any moment of the column is shown by the strongest of it
        let mut best = open.values().map(|(p, s)| rank(*p, *s)).max().unwrap_or((0, '·'));
        while let Some(n) = next.next_if(|n| n.transition.at < end) {
            let t = &n.transition;
            best = best.max(rank(t.to, t.severity));
            match t.to {
                Phase::Inactive | Phase::Resolved => drop(open.remove(&t.episode)),
                phase => drop(open.insert(t.episode, (phase, t.severity))),
            }
        }
        *slot = best.1;
    }
    line(out, alert, &text.into_iter().collect::<String>());
}

fn rank(phase: Phase, severity: Severity) -> (u8, char) {
    match (phase, severity) {
        (Phase::Inactive | Phase::Resolved, _) => (0, '·'),
        (Phase::Pending, _) => (1, '?'),
        (Phase::Clearing, _) => (2, '-'),
        (Phase::Firing, Severity::Info) => (3, 'I'),
        (Phase::Firing, Severity::Warn) => (4, 'W'),
        (Phase::Firing, Severity::Page) => (5, 'P'),
    }
}

fn axis(out: &mut String, lens: &Lens) {
    let (from, to) = (told(lens.from), told(lens.end()));
    let gap = lens.columns.saturating_sub(from.chars().count() + to.chars().count() + 2).max(1);
    line(out, "", &format!("|{from}{}{to}|", " ".repeat(gap)));
}

/// The changes around a moment, or the first ones.
fn list(out: &mut String, test: &Test, changes: &[&Notice], about: Option<Time>) {
    let at = about.and_then(|t| changes.iter().position(|n| n.transition.at >= t)).unwrap_or(0);
    let from = at.saturating_sub(LISTED / 2).min(changes.len().saturating_sub(LISTED));
    if from > 0 {
        line(out, "", &format!("{from} changes before"));
    }
    for n in changes.iter().skip(from).take(LISTED) {
        let t = &n.transition;
        let word = match t.to {
            Phase::Firing => format!("firing ({})", t.severity.name()),
            phase => phase.name().to_string(),
        };
        let alert = n.rules.rules.get(t.rule as usize).map_or("", |r| r.name.as_str());
        let at = told(t.at - test.start);
        line(out, &at, &format!("{alert} {word}: {}", closest::whose(&n.rules, &t.group)));
    }
    if changes.len() > from + LISTED {
        line(out, "", &format!("and {} more changes", changes.len() - from - LISTED));
    }
}

fn values(out: &mut String, why: &Looked, silent: bool) {
    let said = match (silent, why.near >= 1.0) {
        (true, true) => "it held as",
        (true, false) => "closest to",
        (false, true) => "held as",
        (false, false) => "read for",
    };
    line(out, &told(why.at), &format!("{said} {} ({}):", why.severity.name(), why.whose));
    let width = |p: &Part| p.text.chars().count() + 2 * p.depth;
    let widest = why.parts.iter().map(width).max().unwrap_or(0);
    for p in &why.parts {
        let word = match p.holds {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "unknown",
        };
        let pad = " ".repeat(widest - width(p));
        line(out, word, &format!("{}{}{pad}   {}", "  ".repeat(p.depth), p.text, p.read));
    }
}
