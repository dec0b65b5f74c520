//! A mention as one line: for people, or as JSON.

use serde::Serialize;

use super::seen::{Seen, impressions};
use crate::app::cli::screen::{Paint, columns, cut, fit};
use crate::base::figures::short;
use crate::base::limits;
use crate::base::model::{Cause, Negativity, PostBody, PostKind, Told, Tone};
use crate::notify::plain;

/// Columns of an author, at least and at most.
const AUTHOR: (usize, usize) = (14, 24);
/// What most handles end in.
const USUAL: &str = ".bsky.social";
/// Fewest columns of a text, however narrow the terminal is.
const TEXT: usize = 16;

/// How lines for people are written.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// Columns there are; `None`: as many as it takes.
    pub(super) width: Option<usize>,
    pub(super) paint: Paint,
    /// Whether each ends with its link.
    pub(super) links: bool,
}

/// `neg 0.83`.
pub(in crate::app::cli) fn tone(n: Option<Negativity>) -> String {
    let word = match Tone::of(n) {
        Tone::Negative => "neg",
        Tone::Neutral => "neu",
        Tone::Positive => "pos",
        Tone::Unknown => return "tone ?".to_string(),
    };
    n.map_or(String::new(), |n| format!("{word} {:.2}", n.as_unit()))
}

/// `12k`, `~300` where it is imputed.
pub(in crate::app::cli) fn audience(followers: u64, known: bool) -> String {
    format!("{}{}", if known { "" } else { "~" }, short(followers as f64))
}

/// `@handle`, or the account's id where the handle is not known.
pub(in crate::app::cli) fn author(body: &PostBody, name: Option<&str>) -> String {
    match name.or(body.author_name.as_deref()) {
        Some(name) => format!("@{}", plain(name.trim_start_matches('@'), limits::NAME_BYTES)),
        None => plain(&body.author, limits::NAME_BYTES),
    }
}

/// An author in at most so many columns; what most handles end in is left out first.
fn shortened(who: &str, most: usize) -> String {
    match who.strip_suffix(USUAL) {
        Some(name) if columns(who) > most => cut(&format!("{name}…"), most),
        _ => cut(who, most),
    }
}

/// For people.
pub(super) fn text(t: &Told, seen: &Seen, look: &Look) -> String {
    let account = seen.account(t.account);
    let (followers, known) = account.map_or((t.audience.followers, t.audience.known), |a| (a.followers, a.known));
    let wide = look.width.map_or(AUTHOR.1, |w| (w / 5).clamp(AUTHOR.0, AUTHOR.1));
    let who = author(&t.body, account.and_then(|a| a.name.as_deref()));
    let paint = look.paint;
    let said = said(t, seen, wide);
    let head = 9 + 9 + 6 + wide + 1;
    let said = match look.width {
        Some(width) => cut(&said, width.saturating_sub(head).max(TEXT)),
        None => said,
    };
    let line = format!(
        "{} {} {:>5} {} {said}",
        paint.faint(&t.time.clock_utc()),
        paint.tone(Tone::of(t.n), &fit(&tone(t.n), 8)),
        audience(followers, known),
        fit(&shortened(&who, wide), wide),
    );
    match t.body.url.as_ref().filter(|_| look.links) {
        Some(url) => format!("{line} {}", plain(url, limits::NAME_BYTES)),
        None => line,
    }
}

/// Its kind, unless it is a post, and its text, or what it passes on.
fn said(t: &Told, seen: &Seen, wide: usize) -> String {
    let own = plain(&t.body.text, limits::KEPT_TEXT_BYTES);
    if !own.is_empty() {
        return if t.kind == PostKind::Post { own } else { format!("{}: {own}", t.kind.name()) };
    }
    let kind = if t.kind == PostKind::Post { "post without text" } else { t.kind.name() };
    let first = seen.first(t.story.id).filter(|f| f.body.id != t.body.id);
    let Some(first) = first else { return kind.to_string() };
    let name = seen.account(first.account).and_then(|a| a.name.as_deref());
    // which of several posts of a story is passed on is not told
    let of = if first.posts == 1 { "of" } else { "in story of" };
    let text = plain(&first.body.text, limits::KEPT_TEXT_BYTES);
    // a DID in full would leave no room for what was said
    format!("{kind} {of} {}: {text}", shortened(&author(&first.body, name), wide))
}

/// A mention as JSON; scripts rely on its keys.
#[derive(Serialize)]
struct Line {
    time: String,
    kind: &'static str,
    author: String,
    author_name: Option<String>,
    followers: u64,
    followers_known: bool,
    reach: u64,
    negativity: Option<f64>,
    tone: &'static str,
    causes: Vec<&'static str>,
    lang: Option<String>,
    text: String,
    url: Option<String>,
    story: String,
}

/// As JSON.
pub(super) fn json(t: &Told, seen: &Seen) -> String {
    let account = seen.account(t.account);
    let (followers, known) = account.map_or((t.audience.followers, t.audience.known), |a| (a.followers, a.known));
    let name = account.and_then(|a| a.name.as_deref()).or(t.body.author_name.as_deref());
    let harmless = |text: &str| plain(text, limits::KEPT_TEXT_BYTES);
    let line = Line {
        time: t.time.to_string(),
        kind: t.kind.name(),
        author: harmless(&t.body.author),
        author_name: name.map(harmless),
        followers,
        followers_known: known,
        reach: impressions(followers, t.kind).round() as u64,
        negativity: t.n.map(Negativity::as_unit),
        tone: Tone::of(t.n).name(),
        causes: t.causes.iter().map(Cause::name).collect(),
        lang: t.body.lang.as_deref().map(harmless),
        text: harmless(&t.body.text),
        url: t.body.url.as_deref().map(harmless),
        story: harmless(&t.story.name),
    };
    serde_json::to_string(&line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::seen::tests::told;
    use super::*;
    use crate::base::model::AccountId;
    use crate::notify::Style;

    fn look(width: usize) -> Look {
        Look { width: Some(width), paint: Paint(Style::default()), links: false }
    }

    #[test]
    fn a_line_fits_whatever_is_said() {
        let mut seen = Seen::new(None);
        let words = "航空会社が\u{1b}[31mギターを\n壊した😀 ".repeat(20);
        let t = told(1, 1, &words, Some(830));
        seen.mention(&t, 0);
        seen.learned(AccountId(1), 12_000, Some(format!("{}.example", "x".repeat(100)).into()));
        for width in [60, 80, 120, 200] {
            let line = text(&t, &seen, &look(width));
            assert!(columns(&line) <= width && !line.contains(char::is_control), "{line}");
            assert!(line.starts_with("14:38:06 neg 0.83   12k @xxxxxxx"), "{line}");
        }
    }

    #[test]
    fn names_are_cut_where_they_say_least() {
        let shown = |who| shortened(who, 16);
        assert_eq!(shown("@a.bsky.social"), "@a.bsky.social");
        assert_eq!(shown("@traveller.bsky.social"), "@traveller…");
        assert_eq!(shown("@grumpy-travellers.bsky.social"), "@grumpy-travell…");
        assert_eq!(shown("@traveller.example.org"), "@traveller.exam…");
    }

    #[test]
    fn a_repost_says_what_it_repeats() {
        let mut seen = Seen::new(None);
        let (post, repost) = (told(1, 1, "they broke it", Some(830)), told(2, 2, "", Some(830)));
        seen.mention(&post, 0);
        seen.mention(&repost, 0);
        seen.learned(AccountId(1), 12_000, Some("maeve.example".into()));
        let shown = text(&repost, &seen, &look(80));
        assert_eq!(shown, "14:38:06 neg 0.83  ~300 did:plc:a2       repost of @maeve.example: they broke it");
        seen.mention(&told(3, 3, "me too", None), 0);
        assert!(text(&repost, &seen, &look(120)).contains("repost in story of @maeve.example: "));
        let unknown = text(&told(3, 3, "me too", None), &seen, &Look { links: true, ..look(80) });
        assert_eq!(unknown, "14:38:06 tone ?    ~300 did:plc:a3       me too https://x.example/3");
    }

    #[test]
    fn json_tells_all() {
        let mut seen = Seen::new(None);
        let t = told(1, 1, "bad\u{9b}31m \u{202e}x", Some(830));
        seen.mention(&t, 0);
        let line = json(&t, &seen);
        assert!(
            line.starts_with(r#"{"time":"2026-07-04T14:38:06.240Z","kind":"post","author":"did:plc:a1","#),
            "{line}"
        );
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&back["reach"], &back["followers_known"], &back["text"]),
            (&45.into(), &false.into(), &"bad31m x".into())
        );
        assert_eq!(
            (&back["negativity"], &back["tone"], &back["causes"]),
            (&0.83.into(), &"negative".into(), &serde_json::json!([]))
        );
    }
}
