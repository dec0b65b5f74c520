//! News of several incidents that waited for one hour, as one view.

use super::brief::{SHORT, SUBJECT, with_code};
use super::incident::{view, word};
use crate::base::figures::count;
use crate::base::hash;
use crate::base::time::Time;
use crate::notify::around::Surroundings;
use crate::notify::view::{Case, Label, Moment, News, View};

/// Incidents shown; the others are counted.
const SHOWN: usize = 20;

/// Several incidents, the most severe first; of none, a view that says so.
pub fn gathered_view(cases: &[Case<'_>], around: &Surroundings, now: Time) -> View {
    let mut all: Vec<(&Case<'_>, View)> = cases.iter().map(|c| (c, view(c, around))).collect();
    all.sort_by_key(|(c, v)| (v.is_over(), std::cmp::Reverse(c.severity), c.began, c.id));
    let severity = all.iter().map(|(c, _)| c.severity).max().unwrap_or(crate::base::model::Severity::Info);
    let open = all.iter().filter(|(_, v)| !v.is_over()).count();
    let what = format!("{}, {open} still open", count(all.len(), "incident"));
    let ids: Vec<String> = all.iter().map(|(c, _)| format!("{}{}", c.id.full(), c.step)).collect();
    let mut v = View {
        severity,
        thread: format!("digest-{:016x}", hash::parts(&[ids.join(" ").as_bytes()])),
        brand: "groundswell".into(),
        title: what.clone(),
        sentence: format!("{what}, none of them worth waking you."),
        short: with_code(&format!("groundswell: {what}"), "", SHORT),
        subject: with_code(&format!("[{}] groundswell - {what}", word(severity)), "", SUBJECT),
        ..View::blank(News::Repeat, word(severity), now, around)
    };
    v.labels.insert("alertname".into(), "Digest".into());
    for (case, one) in all.iter().take(SHOWN) {
        let state = if one.is_over() { "over" } else { case.severity.name() };
        v.moments.push(Moment {
            clock: around.clock(case.began),
            what: format!("{state}: {}", one.short),
            reach: String::new(),
        });
    }
    if all.len() > SHOWN {
        v.lines.push((Label::Do, format!("see {} more: groundswell incidents", all.len() - SHOWN)));
    }
    v
}
