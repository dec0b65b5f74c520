//! A view as text, on one screen.

use std::fmt::Write;

use super::paint::{Paint, Style, over, severity};
use super::plain::plain;
use super::view::{Label, Said, View};

/// Columns of a line where its words allow that.
const COLUMNS: usize = 100;
/// Where the text of a line begins: two blanks, a label of six, one more.
const INDENT: usize = 9;

/// The message as text, ending in a line break: what, how bad, who, how far to trust it, what is
/// not watched, what to do, why, and then how it came to this.
pub fn view_text(view: &View, style: Style) -> String {
    let paint = &Paint(style);
    let mut out = headline(view, paint);
    if view.incident.is_none() && view.lines.is_empty() {
        let _ = writeln!(out, "  {}", view.sentence);
    }
    if let Some(quote) = &view.quote {
        let (number, taken) = quote.followers.split_once(',').unwrap_or((&quote.followers, ""));
        let taken = if taken.is_empty() { "" } else { " (taken)" };
        let by = format!(" - {}, {number} followers{taken}, {} {}", quote.author, quote.kind, quote.clock);
        wrapped(&mut out, "", 2, &format!("{}{by}", words(quote)));
    }
    if !view.quote_more.is_empty() {
        wrapped(&mut out, "", 2, &view.quote_more);
    }
    for (label, text) in &view.lines {
        line(&mut out, paint, label.word(), text);
        if *label == Label::Do {
            act(&mut out, view, paint);
        }
    }
    if !view.voices.is_empty() {
        line(&mut out, paint, "SAID", &view.voices);
    }
    for (i, m) in view.moments.iter().enumerate() {
        let reach = if m.reach.is_empty() { String::new() } else { format!("  (hostile reach so far {})", m.reach) };
        line(&mut out, paint, if i == 0 { "HOW" } else { "" }, &format!("{}  {}{reach}", m.clock, m.what));
    }
    for (i, top) in view.top.iter().enumerate() {
        let link = top.link.as_ref().map_or(String::new(), |l| format!(" {}", l.shown));
        let said =
            format!("{}  {:>5} {} {} {} {}{link}", i + 1, top.share, top.author, top.kind, top.clock, words(top));
        line(&mut out, paint, if i == 0 { "TOP" } else { "" }, &said);
    }
    line(&mut out, paint, "MORE", view.more.as_deref().unwrap_or(""));
    out
}

fn headline(view: &View, paint: &Paint) -> String {
    let word = format!(" {} ", view.word);
    let word = match view.word {
        "OVER" => over(paint),
        "TEST" => paint.code("1;97;44", &word),
        _ => severity(view.severity, paint),
    };
    let code = view.code();
    let code = if code.is_empty() { code } else { format!(" - {code}") };
    format!("{word} {}: {}{code} - {} {}\n", view.brand, view.title, view.time, view.date)
}

fn act(out: &mut String, view: &View, paint: &Paint) {
    if let Some(act) = &view.act {
        line(out, paint, "", &format!("act here (opening it changes nothing): {}", plain(&act.url, 700)));
    }
}

fn words(said: &Said) -> String {
    if said.own { format!("\"{}\"", said.text) } else { said.text.clone() }
}

fn line(out: &mut String, paint: &Paint, label: &str, text: &str) {
    if !text.is_empty() {
        wrapped(out, &format!("  {} ", paint.label(label)), INDENT, text);
    }
}

/// Breaks a text between words where it is too long; what follows stands below its beginning.
fn wrapped(out: &mut String, before: &str, indent: usize, text: &str) {
    let _ = write!(out, "{before:<0$}", if before.is_empty() { indent } else { 0 });
    let mut column = indent;
    // two blanks part what stands in columns
    for (i, word) in text.split(' ').enumerate() {
        let long = word.chars().count();
        if i > 0 && column + 1 + long > COLUMNS {
            let kept = out.trim_end_matches(' ').len();
            out.truncate(kept);
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if i > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += long;
    }
    out.push('\n');
}
