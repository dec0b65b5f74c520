//! What stands below the mentions on a terminal, and what is said at the end.

use super::line::{audience, author};
use super::seen::Seen;
use crate::app::cli::screen::{Paint, cut};
use crate::base::figures::{percent, short};
use crate::base::limits;
use crate::base::model::{PostKind, Tone};
use crate::base::time::Span;
use crate::notify::plain;

/// Posts named at the end.
const TOP: usize = 3;

/// How the source fares.
#[derive(Clone, Default)]
pub(super) struct Source {
    pub(super) connected: bool,
    /// Why it is not connected, or not heard.
    pub(super) why: String,
    /// Frames a second, lately.
    pub(super) rate: f64,
    /// Frames a second as usual; `None` until that is known.
    pub(super) usual: Option<f64>,
    /// Time until that is known.
    pub(super) learning: Span,
}

/// Two lines in at most so many columns.
pub(super) fn footer(source: &Source, name: &str, seen: &Seen, second: u64, look: (usize, Paint)) -> Vec<String> {
    let (width, paint) = look;
    let (mentions, hostile) = seen.lately(second);
    let usual = match source.usual {
        Some(usual) => format!("usual {}", short(usual)),
        None => format!("usual in {}", minutes(source.learning)),
    };
    let share = match mentions {
        0 => String::new(),
        n => format!(", {} hostile", percent(hostile as f64 / n as f64)),
    };
    let state = if source.connected {
        let lately = of(mentions, "mention", " in 10m");
        let rate = short(source.rate);
        paint.strong(&cut(&format!("{name} up, {rate} frames/s ({usual}) | {lately}{share}"), width))
    } else {
        let why = plain(&source.why, limits::REASON_CHARS);
        paint.bad(&cut(&format!("{name} is not connected, trying; last: {why}"), width))
    };
    let (accounts, known) = seen.authors;
    let (texts, toned) = seen.texts;
    let learned = match accounts {
        0 => "no mention yet".to_string(),
        n => format!(
            "known: followers of {known} of {}, tone of {toned} of {}",
            of(n, "account", ""),
            of(texts, "text", "")
        ),
    };
    vec![state, paint.faint(&cut(&learned, width))]
}

/// `24m`: seconds would only flicker.
fn minutes(left: Span) -> Span {
    Span((left.0 + 59_999_999).div_euclid(60_000_000) * 60_000_000)
}

fn of(n: u64, one: &str, rest: &str) -> String {
    if n == 1 { format!("1 {one}{rest}") } else { format!("{n} {one}s{rest}") }
}

/// What was seen in all.
pub(super) fn summary(frames: u64, seen: &mut Seen, unshown: u64, width: Option<usize>) -> String {
    let mut tones = Tone::ALL.iter().zip(seen.tones).filter(|(_, n)| *n > 0).map(|(t, n)| format!("{n} {}", t.name()));
    let mut out = format!("{}, {}", of(frames, "frame", ""), of(seen.mentions(), "mention", ""));
    if let Some(first) = tones.next() {
        let rest: Vec<String> = tones.collect();
        out.push_str(&format!(": {}", [vec![first], rest].concat().join(", ")));
    }
    out.push('\n');
    if unshown > 0 {
        out.push_str(&format!("{} not counted: nobody read fast enough\n", of(unshown, "mention", "")));
    }
    if seen.mentions() == 0 {
        return out;
    }
    let (reach, known) = seen.reach;
    out.push_str(&format!(
        "{}, {} with known followers; reach {} impressions, {} of it known\n",
        of(seen.authors.0, "account", ""),
        seen.authors.1,
        short(reach),
        percent(if reach > 0.0 { known / reach } else { 0.0 }),
    ));
    for top in seen.top(TOP) {
        let text = plain(&top.body.text, limits::KEPT_TEXT_BYTES);
        let said = if top.kind == PostKind::Repost { "(repost)".to_string() } else { text };
        let line = format!(
            "  {:>6} reach  {} {} followers, {}: {said}",
            short(top.reach),
            cut(&author(&top.body, top.name.as_deref()), 30),
            audience(top.followers, top.known),
            top.tone.name(),
        );
        out.push_str(&width.map_or(line.clone(), |w| cut(&line, w)));
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::seen::tests::told;
    use super::*;
    use crate::base::model::AccountId;
    use crate::notify::Style;

    #[test]
    fn says_what_is_learned_and_what_is_not() {
        let look = (80, Paint(Style::default()));
        let mut seen = Seen::new(None);
        let lost = Source { why: "Connection\x1b[2J refused ".repeat(9), ..Source::default() };
        let lines = footer(&lost, "bluesky", &seen, 0, look);
        assert!(lines[0].starts_with("bluesky is not connected, trying; last: Connection[2J refused"), "{lines:?}");
        assert!(lines.iter().all(|l| l.chars().count() <= 80 && !l.contains('\x1b')), "{lines:?}");
        for t in [told(1, 1, "bad", Some(900)), told(2, 2, "hm", None), told(3, 3, "", None)] {
            seen.mention(&t, 0);
        }
        seen.learned(AccountId(1), 20_000, Some("big.example".into()));
        let up = Source { connected: true, rate: 312.4, learning: Span::seconds(1411), ..Source::default() };
        let lines = footer(&up, "bluesky", &seen, 0, look);
        assert_eq!(
            lines,
            [
                "bluesky up, 312 frames/s (usual in 24m) | 3 mentions in 10m, 33 % hostile",
                "known: followers of 1 of 3 accounts, tone of 1 of 2 texts"
            ]
        );
        let usual = Source { usual: Some(300.0), learning: Span::ZERO, ..up };
        assert!(footer(&usual, "bluesky", &seen, 0, look)[0].contains("312 frames/s (usual 300)"));
        let said = summary(1234, &mut seen, 0, Some(80));
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[0], "1234 frames, 3 mentions: 1 negative, 2 unknown");
        assert_eq!(lines[1], "3 accounts, 1 with known followers; reach 3.1k impressions, 97 % of it known");
        assert_eq!(lines[2], "      3k reach  @big.example 20k followers, negative: bad");
        assert_eq!(lines.len(), 5);
        assert_eq!(
            summary(0, &mut Seen::new(None), 2, None),
            "0 frames, 0 mentions\n2 mentions not counted: nobody read fast enough\n"
        );
    }
}
