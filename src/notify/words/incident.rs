//! An incident as a view.

use super::brief::{age, sentence, short_line, subject};
use super::lines::lines;
use super::posts::said_by;
use super::telling::Telling;
use super::way::{chart, moments, voices};
use crate::base::model::{Severity, TopPost};
use crate::base::time::Span;
use crate::notify::around::Surroundings;
use crate::notify::view::{Act, Case, News, View};

/// The message about an incident; where its case has no episode, one that only names it.
pub fn view(case: &Case<'_>, around: &Surroundings) -> View {
    let bare = bare(case, around);
    let Some(t) = &Telling::new(case, around) else { return bare };
    let over = t.is_over();
    let act = case.act.as_ref().filter(|_| !over).and_then(|path| around.at(path));
    View {
        brand: t.brand_name(),
        title: t.title(),
        sentence: sentence(t),
        short: short_line(t),
        subject: subject(t, bare.word),
        quote: quote(t).map(|p| said_by(p, around)),
        quote_more: quote_more(t),
        lines: lines(t),
        moments: moments(t),
        voices: voices(t),
        chart: chart(t),
        top: t.evidence.iter().flat_map(|e| &e.top).map(|p| said_by(p, around)).collect(),
        act: act.map(|url| Act { url }),
        runbooks: t.runbooks(),
        owner: t.owner(),
        claimed: case.claimed.as_ref().map(|d| t.by(d)),
        labels: t.labels(),
        ended: t.ended(),
        ..bare
    }
}

fn bare(case: &Case<'_>, around: &Surroundings) -> View {
    let word = if case.ended.is_some() || case.news == News::Over { "OVER" } else { word(case.severity) };
    View {
        incident: Some(case.id),
        thread: case.id.full(),
        step: case.step,
        severity: case.severity,
        began: case.began,
        ended: case.ended,
        ..View::blank(case.news, word, case.now, around)
    }
}

/// The word a message begins with.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "PAGE",
        Severity::Warn => "WARN",
        Severity::Info => "INFO",
    }
}

/// What a story began with. The first post of a brand's hour may be about anything: there it is, in its own words,
/// what made most of it.
fn quote<'a>(t: &Telling<'a>) -> Option<&'a TopPost> {
    let e = t.evidence?;
    let own = |p: &&TopPost| !p.deleted && !p.body.text.trim().is_empty();
    let loudest = e.top.iter().find(own).filter(|_| !t.is_story() && e.hostile_reach >= 0.5);
    loudest.or(e.first.as_ref()).or(e.top.first())
}

fn quote_more(t: &Telling<'_>) -> String {
    let causes: Vec<&str> = t.case.causes.iter().map(|c| c.name()).collect();
    let causes = (!causes.is_empty()).then(|| format!("cause: {}", causes.join(", ")));
    let began = t.evidence.filter(|e| t.is_story() && t.case.now - e.began > Span::ZERO);
    let began = began.map(|e| format!("began {} ago", age(t, e.began)));
    causes.into_iter().chain(began).collect::<Vec<_>>().join(" - ")
}
