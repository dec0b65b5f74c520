//! What evidence says, line by line: how bad against usual, who, how far to trust it, what is not
//! watched, what to do, why.

use std::fmt::Write;

use super::named;
use super::posts::author;
use crate::base::figures::{self, count, percent, short};
use crate::base::model::{Evidence, Notice, Outage, Value};
use crate::base::rule::expr::SeriesSpec;
use crate::base::rule::{Brand, Rule};
use crate::base::time::Span;
use crate::notify::around::Surroundings;
use crate::notify::plain::plain;

pub(in crate::notify) fn late(o: &Outage, around: &Surroundings) -> String {
    format!("told late: not running {} to {}", around.clock(o.from), around.clock_zone(o.to))
}

pub(in crate::notify) fn whole_seconds(s: Span) -> Span {
    Span(s.0 / 1_000_000 * 1_000_000)
}

pub(in crate::notify) fn how_bad(e: &Evidence, story: bool) -> String {
    let of = if story { " by this story" } else { "" };
    let mut out = format!("{} impressions of hostile reach{of} in the last {}", short(e.hostile_reach), e.window);
    if let Some((lift, rarity)) = e.surge {
        let _ = write!(out, "; the brand as a whole is at {} usual for the hour", figures::times(lift));
        let _ = write!(out, ", which it sees {}", figures::return_period(rarity));
    } else if let Some((usual, hours)) = e.usual {
        if usual >= 0.5 {
            let times = e.hostile_reach / usual;
            let times = if times >= 1000.0 { "more than 1000".to_string() } else { short(times) };
            let _ = write!(out, " = {times}x usual (brand's usual {}, mean of {hours} h)", short(usual));
        } else {
            let _ = write!(out, " (the brand had none in the last {hours} h)");
        }
    }
    out
}

pub(in crate::notify) fn who(e: &Evidence, series: &[&SeriesSpec], around: &Surroundings) -> String {
    let mut out =
        format!("{}, {} ({})", count(e.accounts, "account"), count(e.posts, "post"), count(e.shares, "share"));
    let Some(top) = e.top.first() else { return out };
    let known = if top.known { "" } else { ", taken" };
    let _ = write!(
        out,
        "; {} comes from {} ({} followers{known}, {} {})",
        percent(top.share),
        author(top),
        short(top.followers as f64),
        top.kind.name(),
        around.clock(top.time)
    );
    let without: Vec<String> =
        series.iter().zip(&e.without_largest).map(|(s, v)| format!("{s} {}", value(s, *v))).collect();
    let _ = write!(out, "; without it: {} ({})", without.join(", "), verdict(e));
    out
}

/// Whether it would fire without its largest account.
pub(in crate::notify) fn verdict(e: &Evidence) -> &'static str {
    match e.still_holds {
        Some(true) => "still fires",
        Some(false) => "would not fire",
        None => "unknown",
    }
}

pub(in crate::notify) fn trust(e: &Evidence, around: &Surroundings) -> String {
    let share = |part: usize, whole: usize| percent(part as f64 / whole.max(1) as f64);
    let mut out = format!(
        "followers known for {} of {} ({}); tone known for {} of {} ({}), {} of these hostile",
        e.known,
        count(e.accounts, "account"),
        share(e.known, e.accounts),
        e.tone_known,
        count(e.texts, "text"),
        share(e.tone_known, e.texts),
        e.negative
    );
    if let Some(error) = e.error {
        let _ = write!(out, "; accounts are estimated from a sample, give or take {}", percent(error));
    }
    if let Some(t) = e.warm_at {
        let _ = write!(out, "; rules changed, windows are whole only from {} on", around.clock_zone(t));
    }
    if !e.sources_down.is_empty() {
        let names: Vec<String> = e.sources_down.iter().map(|s| plain(s, 60)).collect();
        let _ = write!(out, "; NOT HEARD at the moment: {}", names.join(", "));
    }
    out
}

pub(in crate::notify) fn blind(e: Option<&Evidence>, around: &Surroundings) -> String {
    let mut seen: Vec<String> = around.watching.clone();
    seen.extend(e.iter().flat_map(|e| &e.top).map(|p| plain(&p.body.source, 40)));
    seen.sort();
    seen.dedup();
    let mut out = if seen.is_empty() { String::new() } else { format!("watching {}", seen.join(", ")) };
    if !around.blind_spots.is_empty() {
        let _ = write!(out, "; NOT watching {}", around.blind_spots.join(", "));
    }
    out
}

pub(in crate::notify) fn what_to_do(rule: Option<&Rule>, brand: Option<&Brand>) -> String {
    let owner = brand.and_then(|b| b.owner.as_ref()).map(|o| format!("{} on call", plain(o, 100)));
    let runbooks = rule.and_then(|r| r.runbook.as_ref()).into_iter().chain(brand.and_then(|b| b.runbook.as_ref()));
    let runbooks = runbooks.map(|r| format!("runbook {}", plain(r, 200)));
    owner.into_iter().chain(runbooks).collect::<Vec<_>>().join("; ")
}

pub(in crate::notify) fn why(notice: &Notice, rule: Option<&Rule>, series: &[&SeriesSpec]) -> String {
    let Some(rule) = rule else { return String::new() };
    let t = &notice.transition;
    let level = rule.levels.iter().find(|l| l.severity == t.severity);
    let values = named::read(notice, rule, level.map(|l| &l.when), series);
    let condition = level.map_or(String::new(), |l| l.when.to_string());
    format!("{} ({}); {condition}; {}", rule.name, rule.place, values.join(", "))
}

pub(in crate::notify) fn value(spec: &SeriesSpec, v: Value) -> String {
    v.map_or("unknown".to_string(), |v| spec.show(v))
}
