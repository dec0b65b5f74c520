//! A transition for people, in the order they ask: what, how bad against usual, who, how far to
//! trust it, what is not watched, what to do, why. What is not known is left out.

use std::fmt::Write;

use super::plain::{defanged, plain, quoted as said};
use crate::base::figures::{self, count, percent, short};
use crate::base::model::{Evidence, Notice, Phase, Reason, Severity, TopPost, Value};
use crate::base::rule::expr::SeriesSpec;
use crate::base::rule::{Brand, Rule};

/// Whether colours may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// True on a terminal that takes them.
    pub colour: bool,
}

/// What the service knows about itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Surroundings {
    /// Networks that are listened to.
    pub watching: Vec<String>,
    /// Networks that are known not to be listened to.
    pub blind_spots: Vec<String>,
}

struct Paint(Style);

impl Paint {
    fn code(&self, code: &str, text: &str) -> String {
        if self.0.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    fn severity(&self, s: Severity, text: &str) -> String {
        let code = match s {
            Severity::Page => "1;97;41",
            Severity::Warn => "1;30;43",
            Severity::Info => "1;97;44",
        };
        self.code(code, text)
    }

    fn label(&self, text: &str) -> String {
        self.code("1", &format!("{text:<6}"))
    }
}

/// The notice as text, ending in a line break.
pub fn text(notice: &Notice, around: &Surroundings, style: Style) -> String {
    let (t, paint) = (&notice.transition, Paint(style));
    let rule = notice.rules.rules.get(t.rule as usize);
    let brand = notice.rules.brand(t.group.key);
    let mut out = headline(notice, rule, brand, &paint);
    let Some(e) = t.evidence.as_deref().filter(|_| t.to == Phase::Firing) else { return out };
    let series: Vec<&SeriesSpec> = rule.into_iter().flat_map(|r| notice.rules.operands(r)).collect();
    if let Some(first) = e.first.as_ref().or(e.top.first()) {
        let story = t.group.story.is_some();
        let age = crate::base::time::Span((t.at - e.began).0 / 1_000_000 * 1_000_000);
        let began = if story { format!(" - began {age} ago") } else { String::new() };
        let _ = writeln!(out, "  {}{began}", quoted(first));
    }
    if let Some(summary) = &t.summary {
        let _ = writeln!(out, "  {}", plain(summary, 300));
    }
    let mut line = |label: &str, text: String| {
        if !text.is_empty() {
            let _ = writeln!(out, "  {} {text}", paint.label(label));
        }
    };
    line("REACH", how_bad(e, t.group.story.is_some()));
    line("WHO", who(e, &series));
    line("TRUST", trust(e));
    line("BLIND", blind(e, around));
    line("DO", what_to_do(rule, brand));
    line("WHY", why(notice, rule, &series));
    for (i, top) in e.top.iter().enumerate() {
        line(if i == 0 { "TOP" } else { "" }, top_line(i + 1, top));
    }
    out
}

fn headline(notice: &Notice, rule: Option<&Rule>, brand: Option<&Brand>, paint: &Paint) -> String {
    let t = &notice.transition;
    let word = match (t.to, t.reason) {
        (Phase::Firing, _) => paint.severity(t.severity, &format!(" {} ", t.severity.name().to_uppercase())),
        (Phase::Resolved, _) => paint.code("1;97;42", " OVER "),
        (to, _) => paint.code("2", &format!(" {} ", to.name())),
    };
    let name = plain(brand.map_or("?", |b| &b.name), 80);
    let mut what = rule.map_or(String::new(), |r| r.name.clone());
    match t.reason {
        Reason::Rise => what.push_str(" (worse)"),
        Reason::NoData => what.push_str(" (no data)"),
        Reason::Overflow => what.push_str(" (more episodes than one message each makes sense)"),
        Reason::Rules => what.push_str(" (rules changed)"),
        Reason::Condition | Reason::Cleared => {}
    }
    let mut out =
        format!("{word} {name}: {what} - {} UTC {}", t.at.clock_utc(), t.at.to_string().get(..10).unwrap_or(""));
    if t.to == Phase::Resolved {
        let _ = write!(out, " - after {}", crate::base::time::Span((t.at - t.since).0 / 1_000_000 * 1_000_000));
    }
    let _ = write!(out, " - {}", t.episode);
    if let Some(story) = &t.group.story {
        let _ = write!(out, "\n  story {}", plain(&story.name, 200));
    }
    if let Some(source) = &t.group.source {
        let _ = write!(out, "\n  source {}", plain(source, 100));
    }
    if let Some(lang) = &t.group.lang {
        let _ = write!(out, "\n  language {}", plain(lang, 20));
    }
    if let Some(cause) = t.group.cause {
        let _ = write!(out, "\n  cause {}", cause.name());
    }
    out.push('\n');
    out
}

fn quoted(p: &TopPost) -> String {
    if p.deleted {
        return "[deleted]".to_string();
    }
    if p.body.text.trim().is_empty() {
        format!("({})", p.kind.name())
    } else {
        format!("\"{}\"", said(&p.body.text, 140))
    }
}

fn how_bad(e: &Evidence, story: bool) -> String {
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

fn who(e: &Evidence, series: &[&SeriesSpec]) -> String {
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
        top.time.clock_utc()
    );
    let without: Vec<String> =
        series.iter().zip(&e.without_largest).map(|(s, v)| format!("{s} {}", value(s, *v))).collect();
    let verdict = match e.still_holds {
        Some(true) => "still fires",
        Some(false) => "would not fire",
        None => "unknown",
    };
    let _ = write!(out, "; without it: {} ({verdict})", without.join(", "));
    out
}

fn trust(e: &Evidence) -> String {
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
        let _ = write!(out, "; rules changed, windows are whole only from {} UTC on", t.clock_utc());
    }
    if !e.sources_down.is_empty() {
        let names: Vec<String> = e.sources_down.iter().map(|s| plain(s, 60)).collect();
        let _ = write!(out, "; NOT HEARD at the moment: {}", names.join(", "));
    }
    out
}

fn blind(e: &Evidence, around: &Surroundings) -> String {
    let mut seen: Vec<String> = around.watching.clone();
    seen.extend(e.top.iter().map(|p| plain(&p.body.source, 40)));
    seen.sort();
    seen.dedup();
    let mut out = if seen.is_empty() { String::new() } else { format!("watching {}", seen.join(", ")) };
    if !around.blind_spots.is_empty() {
        let _ = write!(out, "; NOT watching {}", around.blind_spots.join(", "));
    }
    out
}

fn what_to_do(rule: Option<&Rule>, brand: Option<&Brand>) -> String {
    let owner = brand.and_then(|b| b.owner.as_ref()).map(|o| format!("{} on call", plain(o, 100)));
    let runbooks = rule.and_then(|r| r.runbook.as_ref()).into_iter().chain(brand.and_then(|b| b.runbook.as_ref()));
    let runbooks = runbooks.map(|r| format!("runbook {}", plain(r, 200)));
    owner.into_iter().chain(runbooks).collect::<Vec<_>>().join("; ")
}

fn why(notice: &Notice, rule: Option<&Rule>, series: &[&SeriesSpec]) -> String {
    let Some(rule) = rule else { return String::new() };
    let t = &notice.transition;
    let level = rule.levels.iter().find(|l| l.severity == t.severity);
    let values: Vec<String> = series.iter().zip(&t.operands).map(|(s, v)| format!("{s} = {}", value(s, *v))).collect();
    let condition = level.map_or(String::new(), |l| l.when.to_string());
    format!("{} ({}); {condition}; {}", rule.name, rule.place, values.join(", "))
}

fn top_line(rank: usize, p: &TopPost) -> String {
    let mut out =
        format!("{rank}  {:>5} {} {} {} {}", percent(p.share), author(p), p.kind.name(), p.time.clock_utc(), quoted(p));
    if let Some(url) = p.body.url.as_ref().filter(|_| !p.deleted) {
        let _ = write!(out, " {}", defanged(url));
    }
    out
}

fn author(p: &TopPost) -> String {
    match &p.name {
        Some(name) => format!("@{}", plain(name, 60).trim_start_matches('@')),
        None => plain(&p.body.author, 60),
    }
}

fn value(spec: &SeriesSpec, v: Value) -> String {
    v.map_or("unknown".to_string(), |v| spec.show(v))
}
