//! A terminal: how wide it is, how much fits into it, what is written anew in place.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::base::model::Tone;
use crate::notify::Style;

/// Columns where nobody knows better.
const USUAL: usize = 80;
/// Fewer or more columns than these are not believed.
const BELIEVED: std::ops::RangeInclusive<usize> = 20..=1000;

/// Columns of the terminal this process runs in.
pub(super) fn width() -> usize {
    let asked = || {
        let tty = File::open("/dev/tty").ok()?;
        let size = Command::new("stty").arg("size").stdin(tty).stderr(Stdio::null()).output().ok()?;
        String::from_utf8(size.stdout).ok()?.split_whitespace().nth(1)?.parse().ok()
    };
    let told = || std::env::var("COLUMNS").ok()?.trim().parse().ok();
    asked().or_else(told).filter(|w| BELIEVED.contains(w)).unwrap_or(USUAL)
}

/// Columns a character takes; where terminals differ, the most.
fn columns_of(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0xfe00..=0xfe0f | 0x20d0..=0x20ff => 0,
        0x1100..=0x115f | 0x231a..=0x23ff | 0x2600..=0x27bf | 0x2b00..=0x2bff | 0x2e80..=0xa4cf => 2,
        0xa960..=0xa97f | 0xac00..=0xd7ff | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 => 2,
        0xffe0..=0xffe6 | 0x1_f000..=0x3_fffd => 2,
        _ => 1,
    }
}

/// Columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// A text in at most so many columns; what is cut ends in `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_string();
    }
    let (mut out, mut taken) = (String::new(), 0);
    for c in text.chars() {
        taken += columns_of(c);
        if taken >= most {
            break;
        }
        out.push(c);
    }
    let mut out = out.trim_end().to_string();
    if most > 0 {
        out.push('…');
    }
    out
}

/// A text in exactly so many columns.
pub(super) fn fit(text: &str, width: usize) -> String {
    let mut out = cut(text, width);
    out.extend(std::iter::repeat_n(' ', width.saturating_sub(columns(&out))));
    out
}

/// A text without its colours.
pub(super) fn strip(text: &str) -> String {
    let mut pieces = text.split('\x1b');
    let mut out = pieces.next().unwrap_or("").to_string();
    pieces.for_each(|p| out.push_str(p.split_once('m').map_or(p, |(_, rest)| rest)));
    out
}

/// Words after one another in lines of at most so many columns; further lines begin with
/// `indent` spaces. A word that is longer than a line is cut; colours take no columns.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let (mut out, mut at) = (String::new(), 0);
    for word in text.split(' ') {
        let (mut word, mut long) = (word.to_string(), columns(&strip(word)));
        if long > width.saturating_sub(indent) {
            word = cut(&strip(&word), width.saturating_sub(indent));
            long = columns(&word);
        }
        if at > 0 && at + 1 + long > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            at = indent;
        } else if at > 0 {
            out.push(' ');
            at += 1;
        }
        out.push_str(&word);
        at += long;
    }
    out
}

/// Colours, where they may be used.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub Style);

impl Paint {
    fn code(self, code: &str, text: &str) -> String {
        if self.0.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    pub(super) fn good(self, text: &str) -> String {
        self.code("32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.code("31", text)
    }

    pub(super) fn middling(self, text: &str) -> String {
        self.code("33", text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.code("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.code("2", text)
    }

    pub(super) fn tone(self, tone: Tone, text: &str) -> String {
        match tone {
            Tone::Negative => self.bad(text),
            Tone::Positive => self.good(text),
            Tone::Neutral => text.to_string(),
            Tone::Unknown => self.faint(text),
        }
    }
}

/// Lines at the bottom of a terminal that are written anew in place, on standard error; nothing
/// where that is no terminal.
pub(super) struct Footer {
    shown: usize,
    terminal: bool,
}

impl Footer {
    /// Nothing is shown yet.
    pub(super) fn new() -> Footer {
        Footer { shown: 0, terminal: io::stderr().is_terminal() }
    }

    /// Whether there is a terminal to show it on.
    pub(super) fn is_seen(&self) -> bool {
        self.terminal
    }

    /// Takes it away, so that other lines can be written.
    pub(super) fn clear(&mut self) {
        if self.shown > 0 {
            let up = if self.shown > 1 { format!("\x1b[{}A", self.shown - 1) } else { String::new() };
            let _ = write!(io::stderr(), "\r{up}\x1b[J");
            self.shown = 0;
        }
    }

    /// Shows these lines in place of what was shown.
    pub(super) fn show(&mut self, lines: &[String]) {
        self.clear();
        if self.terminal && !lines.is_empty() {
            let _ = write!(io::stderr(), "{}", lines.join("\n"));
            self.shown = lines.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_columns() {
        assert_eq!((cut("abc", 3), cut("abcd", 3), cut("a b c", 3)), ("abc".into(), "ab…".into(), "a…".into()));
        assert_eq!((cut("航空会社", 8), cut("航空会社", 7)), ("航空会社".into(), "航空会…".into()));
        assert_eq!((fit("é", 3), fit("e\u{301}", 3)), ("é  ".into(), "e\u{301}  ".into()));
        assert!(["航空会社", "😀😀😀", "abcdef"].iter().all(|t| columns(&fit(t, 4)) == 4));
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn wraps_between_words() {
        assert_eq!(wrapped("one two three four", 9, 2), "one two\n  three\n  four");
        assert_eq!(wrapped("a unbreakable", 6, 2), "a unb…");
        assert_eq!(wrapped("\x1b[31mone two\x1b[0m", 7, 2), "\x1b[31mone two\x1b[0m");
    }

    #[test]
    fn no_colours_without_leave() {
        assert_eq!(Paint(Style::default()).bad("x"), "x");
        assert_eq!(Paint(Style { colour: true }).bad("x"), "\x1b[31mx\x1b[0m");
    }
}
