//! How it came to this: moments, the chart of hostile reach, and what people say.

use super::going::carriers;
use super::posts::{does, followers, name};
use super::telling::Telling;
use crate::base::account::account_id;
use crate::base::figures::{count, short};
use crate::base::model::{Evidence, Phase, Severity, TurnKind};
use crate::base::time::{Time, Zone};
use crate::notify::plain::{plain, quoted};
use crate::notify::view::{Chart, Mark, Moment};

/// Moments that are shown.
const MOMENTS: usize = 12;

/// What happened, by time: first the turns of the talk, then which rules spoke up.
pub(super) fn moments(t: &Telling<'_>) -> Vec<Moment> {
    let mut all: Vec<(Time, u8, String, String)> = t.evidence.map_or(Vec::new(), |e| turns(t, e));
    for n in t.case.episodes.iter().filter(|n| n.transition.to == Phase::Firing) {
        let x = &n.transition;
        let rule = n.rules.rules.get(x.rule as usize).map_or(String::new(), |r| plain(&r.name, 100));
        let reach = x.evidence.as_ref().filter(|e| e.hostile_reach >= 0.5).map(|e| short(e.hostile_reach));
        all.push((x.at, 1, format!("{rule}: {}", x.severity.name()), reach.unwrap_or_default()));
    }
    all.sort();
    all.truncate(MOMENTS);
    all.into_iter().map(|(at, _, what, reach)| Moment { clock: t.around.clock(at), what, reach }).collect()
}

fn turns(t: &Telling<'_>, e: &Evidence) -> Vec<(Time, u8, String, String)> {
    let of = |kind| match kind {
        TurnKind::Root => {
            let first = e.first.as_ref()?;
            let what = if t.is_story() { "root post" } else { "first post" };
            Some(format!("{what} by {} ({})", name(first), followers(first)))
        }
        TurnKind::TenAccounts => Some("10 accounts".to_string()),
        TurnKind::BiggestVoice => {
            let top = e.top.first()?;
            Some(format!("{} {} ({})", name(top), does(top.kind), followers(top)))
        }
    };
    let so_far = |reach: f64| if reach >= 0.5 { short(reach) } else { String::new() };
    let turns = e.turns.iter().filter_map(|x| Some((x.at, 0, of(x.kind)?, so_far(x.hostile_reach))));
    let story = e.going.as_ref().filter(|_| t.is_story());
    let but = e.top.first().map(|p| account_id(&p.body.source, &p.body.author).0);
    let carried = story.map_or(Vec::new(), |g| carriers(g, but));
    turns.chain(carried.into_iter().map(|(at, what)| (at, 0, what, String::new()))).collect()
}

/// Hostile reach of the brand over the last hours; `None` where too little is known for a line.
pub(super) fn chart(t: &Telling<'_>) -> Option<Chart> {
    let e = t.evidence.filter(|e| e.points.len() > 1)?;
    let begin = e.points.first().map_or(t.case.now, |(at, _)| *at);
    let turn = |kind: TurnKind, name: Option<String>| {
        let at = e.turns.iter().find(|x| x.kind == kind).map(|x| x.at);
        at.zip(name).map(|(at, name)| Mark { at, name })
    };
    let told = if t.lead.transition.severity == Severity::Page { "this page" } else { "this message" };
    let marks = [
        turn(TurnKind::Root, Some("root post".into()).filter(|_| t.is_story())),
        turn(TurnKind::BiggestVoice, e.top.first().map(name)),
        Some(Mark { at: t.lead.transition.at, name: told.into() }),
    ];
    // the line is the one of whichever rule pages by this number
    let lines = t.case.episodes.iter().filter_map(|n| n.transition.evidence.as_ref()?.line);
    Some(Chart {
        points: e.points.clone(),
        usual: e.band,
        line: lines.reduce(f64::min),
        marks: marks.into_iter().flatten().filter(|m| m.at >= begin).collect(),
        offset: t.around.zone.as_ref().map_or(0, |z: &Zone| z.offset(t.lead.transition.at)),
    })
}

/// `6 posts with own text: damage 4, staff 3; typical: "they laughed on the tarmac"`.
pub(super) fn voices(t: &Telling<'_>) -> String {
    let Some(e) = t.evidence else { return String::new() };
    let causes: Vec<String> = e.causes.iter().map(|(c, n)| format!("{} {n}", c.name())).collect();
    let mut parts = Vec::new();
    if !causes.is_empty() {
        parts.push(format!("{} with own text: {}", count(e.texts, "post"), causes.join(", ")));
    }
    if let Some(p) = e.typical.as_ref().filter(|p| !p.deleted && !p.body.text.trim().is_empty()) {
        parts.push(format!("typical: \"{}\"", quoted(&p.body.text, 140)));
    }
    parts.join("; ")
}
