//! A message for people, in the order they ask: what, how bad against usual, who, how far to
//! trust it, what is not watched, what to do, why. What is not known is left out.

use std::fmt::Write;

use super::around::Surroundings;
use super::paint::{Paint, Style, over, severity};
use super::plain::plain;
use super::words::facts::{blind, how_bad, late, trust, what_to_do, who, whole_seconds, why};
use super::words::going::expected_of;
use super::words::posts::{quoted, top_line};
use crate::base::model::{Digest, Message, Notice, Phase, Reason, Severity, SourceNotice, StoreNotice};
use crate::base::rule::expr::SeriesSpec;
use crate::base::rule::{Brand, Rule};

/// Names of rules in one line for people; the others are counted.
const RULES_SHOWN: usize = 10;

/// The message as text, ending in a line break.
pub fn text(message: &Message, around: &Surroundings, style: Style) -> String {
    let paint = &Paint(style);
    let mut out = match message {
        Message::Episode(notice) => episode(notice, around, paint),
        Message::Source(notice) => source(notice, around, paint),
        // says the same itself
        Message::Store(notice) => return store(notice, around, paint),
        Message::Digest(d) => digest(d, around, paint),
    };
    if let Some(why) = &around.unrecorded {
        let _ = writeln!(out, "  {} nothing is recorded: {}", paint.label("STORE"), plain(why, 200));
    }
    out
}

fn store(s: &StoreNotice, around: &Surroundings, paint: &Paint) -> String {
    let lasted = whole_seconds(s.at - s.since);
    if !s.down {
        return format!("{} the store is written again - after {lasted}\n", over(paint));
    }
    let (word, why) = (severity(Severity::Warn, paint), plain(&s.why, 300));
    format!(
        "{word} nothing is recorded since {}: {why}\n  {} watching and paging go on from memory; a restart now would lose what was not recorded\n",
        around.clock_both(s.since),
        paint.label("TRUST"),
    )
}

fn digest(d: &Digest, around: &Surroundings, paint: &Paint) -> String {
    let word = severity(Severity::Info, paint);
    let n = d.over.len() + d.left_out;
    let what = if n == 1 { "1 episode was".to_string() } else { format!("{n} episodes were") };
    let mut out = format!("{word} {what} over before you could be told - {}\n", late(&d.outage, around));
    for n in &d.over {
        let (t, rule) = (&n.transition, n.rules.rules.get(n.transition.rule as usize));
        let brand = plain(n.rules.brand(t.group.key).map_or("?", |b| &b.name), 80);
        let name = rule.map_or("", |r| &r.name);
        let (from, to) = (around.clock(t.since), around.clock(t.at));
        let _ = writeln!(out, "  {from} to {to}  {brand}: {name} ({}) - {}", t.severity.name(), t.episode);
    }
    if d.left_out > 0 {
        let _ = writeln!(out, "  and {} more: groundswell alerts --all", d.left_out);
    }
    out
}

fn source(s: &SourceNotice, around: &Surroundings, paint: &Paint) -> String {
    let (name, silence) = (plain(&s.source, 100), whole_seconds(s.at - s.since));
    if !s.down {
        return format!("{} source {name} is heard again - after {silence}\n", over(paint));
    }
    let word = severity(Severity::Warn, paint);
    let mut out = format!("{word} source {name} is not heard since {} ({silence})", around.clock_both(s.since));
    let why = plain(&s.why, 200);
    if !why.is_empty() {
        let _ = write!(out, ": {why}");
    }
    if !s.rules.is_empty() {
        let names: Vec<String> = s.rules.iter().take(RULES_SHOWN).map(|r| plain(r, 100)).collect();
        let _ = write!(out, "; rules degraded: {}", names.join(", "));
        if s.rules.len() > RULES_SHOWN {
            let _ = write!(out, " and {} more", s.rules.len() - RULES_SHOWN);
        }
    }
    out.push('\n');
    if let Some(more) = around.more() {
        let _ = writeln!(out, "  {} {more}", paint.label("MORE"));
    }
    out
}

fn episode(notice: &Notice, around: &Surroundings, paint: &Paint) -> String {
    let t = &notice.transition;
    let rule = notice.rules.rules.get(t.rule as usize);
    let brand = notice.rules.brand(t.group.key);
    let mut out = headline(notice, rule, brand, around, paint);
    if let Some(o) = &notice.outage {
        let _ = writeln!(out, "  {} began {}; {}", paint.label("LATE"), around.clock(t.since), late(o, around));
    }
    let Some(e) = t.evidence.as_deref().filter(|_| t.to == Phase::Firing) else { return out };
    let series: Vec<&SeriesSpec> = rule.into_iter().flat_map(|r| notice.rules.operands(r)).collect();
    if let Some(first) = e.first.as_ref().or(e.top.first()) {
        let story = t.group.story.is_some();
        let age = whole_seconds(t.at - e.began);
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
    line("WHO", who(e, &series, around));
    line("GOING", expected_of(e, t.group.story.is_some()));
    line("TRUST", trust(e, around));
    line("BLIND", blind(Some(e), around));
    line("DO", what_to_do(rule, brand));
    line("WHY", why(notice, rule, &series));
    for (i, top) in e.top.iter().enumerate() {
        line(if i == 0 { "TOP" } else { "" }, top_line(i + 1, top, around));
    }
    line("MORE", around.more().unwrap_or_default());
    out
}

fn headline(
    notice: &Notice,
    rule: Option<&Rule>,
    brand: Option<&Brand>,
    around: &Surroundings,
    paint: &Paint,
) -> String {
    let t = &notice.transition;
    let word = match (t.to, t.reason) {
        (Phase::Firing, _) => severity(t.severity, paint),
        (Phase::Resolved, _) => over(paint),
        (to, _) => paint.code("2", &format!(" {} ", to.name())),
    };
    let name = plain(brand.map_or("?", |b| &b.name), 80);
    let mut what = rule.map_or(String::new(), |r| r.name.clone());
    if rule.is_some_and(|r| r.shadow) {
        what.push_str(" (in shadow)");
    }
    match t.reason {
        Reason::Rise => what.push_str(" (worse)"),
        Reason::NoData => what.push_str(" (no data)"),
        Reason::Overflow => what.push_str(" (more episodes than one message each makes sense)"),
        Reason::Rules => what.push_str(" (rules changed)"),
        Reason::Condition | Reason::Cleared => {}
    }
    let mut out = format!("{word} {name}: {what} - {} {}", around.clock_both(t.at), around.date(t.at));
    if t.to == Phase::Resolved {
        let _ = write!(out, " - after {}", whole_seconds(t.at - t.since));
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
    if let Some(tag) = &t.group.tag {
        let _ = write!(out, "\n  hashtag #{}", plain(tag, 100));
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Zone;
    use crate::notify::tests::{notice, page, source};

    fn around(zone: Option<&str>, url: Option<&str>) -> Surroundings {
        Surroundings {
            watching: vec!["bluesky".into()],
            blind_spots: vec!["X".into()],
            zone: zone.map(|z| Zone::parse(z).unwrap()),
            external_url: url.map(str::to_string),
            unrecorded: None,
        }
    }

    fn plainly(m: &Message, around: &Surroundings) -> String {
        text(m, around, Style::default())
    }

    #[test]
    fn sources_are_told_in_one_line() {
        let utc = around(None, None);
        assert_eq!(
            plainly(&source(true), &utc),
            " WARN  source bluesky is not heard since 02:05:11 UTC (1m 4s): closed by the server; rules degraded: A, B\n"
        );
        assert_eq!(plainly(&source(false), &utc), " OVER  source bluesky is heard again - after 3m 2s\n");
        let there = around(Some("Europe/Berlin"), Some("https://gs.example/"));
        assert_eq!(
            plainly(&source(true), &there),
            " WARN  source bluesky is not heard since 04:05:11 CEST (02:05:11 UTC) (1m 4s): closed by the server; rules degraded: A, B\n  MORE   https://gs.example/v1/status\n"
        );
        assert_eq!(plainly(&source(false), &there), plainly(&source(false), &utc));
    }

    #[test]
    fn what_a_source_says_of_itself_is_harmless_and_short() {
        let Message::Source(mut s) = source(true) else { unreachable!() };
        s.why = format!("\x1b[2J\n{}", "x".repeat(1000));
        s.rules = (0..1000).map(|k| format!("R{k}")).collect();
        let shown = plainly(&Message::Source(s.clone()), &Surroundings::default());
        assert!(shown.lines().count() == 1 && !shown.contains('\x1b') && shown.len() < 500, "{shown}");
        assert!(shown.ends_with("R9 and 990 more\n"), "{shown}");
        (s.why, s.rules) = (String::new(), Vec::new());
        assert!(plainly(&Message::Source(s), &Surroundings::default()).ends_with("UTC (1m 4s)\n"));
    }

    const PAGE: &str = r#" PAGE  united: Surge - 08:04:30 UTC 2026-07-04 - 0000000000000abc
  "united broke my guitar"
  REACH  585 impressions of hostile reach in the last 1h
  WHO    1 account, 1 post (0 shares); 100 % comes from @dave (3.9k followers, post 08:03:30); without it: mentions[1h] 2 (would not fire)
  TRUST  followers known for 1 of 1 account (100 %); tone known for 1 of 1 text (100 %), 1 of these hostile; rules changed, windows are whole only from 08:05:30 UTC on
  BLIND  watching bluesky; NOT watching X
  WHY    Surge (r.yaml:3); mentions[1h] >= 3; mentions[1h] = 3
  TOP    1  100 % @dave post 08:03:30 "united broke my guitar" hxxps[:]//b.example/x1
"#;

    #[test]
    fn a_page_is_in_utc_where_no_zone_is_known() {
        assert_eq!(plainly(&page(), &around(None, None)), PAGE);
        assert_eq!(plainly(&page(), &around(Some("UTC"), None)), PAGE);
    }

    #[test]
    fn a_page_is_in_the_time_of_its_readers_with_utc_beside() {
        let shown = plainly(&page(), &around(Some("Europe/Berlin"), Some("https://gs.example")));
        let expected = PAGE
            .replace("08:04:30 UTC 2026-07-04", "10:04:30 CEST (08:04:30 UTC) 2026-07-04")
            .replace("08:03:30", "10:03:30")
            .replace("08:05:30 UTC", "10:05:30 CEST");
        assert_eq!(shown, expected + "  MORE   https://gs.example/v1/status\n");
        // the date is that of the place
        let far = plainly(&notice("page", "firing", "resolved"), &around(Some("Pacific/Honolulu"), Some("https://x")));
        let expected =
            " OVER  united: Surge - 22:04:30 HST (08:04:30 UTC) 2026-07-03 - after 3m 2s - 0000000000000abc\n";
        assert_eq!(far, expected);
    }
}
