//! Mistakes for people: each with the line it stands in and a mark under the word that is meant.
//!
//! What files hold is not trusted: of a line only the part around the mark is shown, and
//! characters that would change a terminal are replaced.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::path::Path;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, Severity,
    SourceCode, SourceSpan, SpanContents,
};

use crate::app::files::read_text;
use crate::base::fault::{Fault, harmless, printable};
use crate::base::limits;

/// How a report looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// Colours, for terminals.
    pub colour: bool,
    /// Lines drawn with more than ASCII.
    pub unicode: bool,
}

/// The part of a line around a mistake.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    /// The line's number, from 1.
    pub line: usize,
    /// What is shown of it.
    pub text: String,
    /// The bytes of `text` that are marked; none at the end of a line.
    marked: (usize, usize),
}

/// The end of what is left out of a long line.
const CUT: &str = "...";

impl Excerpt {
    /// The part of a line around a column, which counts characters from 1. Both may be beyond the end.
    pub fn of(raw: &str, line: usize, column: usize) -> Excerpt {
        let before = column.saturating_sub(1);
        let skipped = before.saturating_sub(limits::EXCERPT_CHARS / 2);
        // most lines are ASCII, where a column is found without a search
        let rest =
            if raw.is_ascii() { raw.get(skipped..) } else { raw.char_indices().nth(skipped).map(|(i, _)| &raw[i..]) };
        let mut chars = rest.unwrap_or("").chars();
        let shown: Vec<char> = chars.by_ref().take(limits::EXCERPT_CHARS).map(shown_as).collect();
        let at = (before - skipped).min(shown.len());
        let width = word(shown.get(at..).unwrap_or(&[]));
        let mut text = if skipped > 0 { CUT.to_string() } else { String::new() };
        text.extend(shown.iter().take(at));
        let start = text.len();
        text.extend(shown.iter().skip(at).take(width));
        let end = text.len();
        text.extend(shown.iter().skip(at + width));
        if chars.next().is_some() {
            text.push_str(CUT);
        } else if end == text.len() {
            // a mark at the end stands below something
            text.push(' ');
        }
        Excerpt { line, text, marked: (start, end - start) }
    }

    /// The line and the mark below it.
    fn drawn(&self, warning: bool, look: Look) -> Option<String> {
        let theme = match (look.unicode, look.colour) {
            (true, true) => GraphicalTheme::unicode(),
            (true, false) => GraphicalTheme::unicode_nocolor(),
            (false, true) => GraphicalTheme::ascii(),
            (false, false) => GraphicalTheme::none(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_context_lines(0)
            .with_links(false)
            .with_wrap_lines(false)
            .tab_width(1);
        let mut out = String::new();
        handler.render_report(&mut out, &Marked { excerpt: self, warning }).ok()?;
        // the frame around a single line says nothing
        let framed: Vec<&str> = out.lines().collect();
        let inner = framed.get(2..framed.len().saturating_sub(1))?;
        Some(inner.iter().map(|l| l.trim_end()).collect::<Vec<_>>().join("\n"))
    }
}

/// A character as it is shown: one for one, so that columns stay.
fn shown_as(c: char) -> char {
    if matches!(c, '\t' | '\r') { ' ' } else { harmless(c) }
}

/// How many characters belong to the word or sign that a text begins with.
fn word(text: &[char]) -> usize {
    let run = |of: &dyn Fn(char) -> bool| text.iter().take_while(|c| of(**c)).count();
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '%');
    match text.first() {
        None => 0,
        Some(quote @ ('"' | '\'')) => text.iter().skip(1).position(|c| c == quote).map_or(1, |end| end + 2),
        Some('@' | '#') => 1 + text.iter().skip(1).take_while(|c| letter(**c)).count(),
        Some(c) if letter(*c) => run(&letter),
        Some('<' | '>' | '=' | '!') => run(&|c| matches!(c, '<' | '>' | '=' | '!')),
        Some(_) => 1,
    }
}

/// An excerpt as the library that draws it takes it.
#[derive(Debug)]
struct Marked<'e> {
    excerpt: &'e Excerpt,
    warning: bool,
}

impl fmt::Display for Marked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("-")
    }
}

impl std::error::Error for Marked<'_> {}

impl Diagnostic for Marked<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(if self.warning { Severity::Warning } else { Severity::Error })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (start, length) = self.excerpt.marked;
        Some(Box::new(std::iter::once(LabeledSpan::new(None, start, length))))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::new(0.into(), self.text.len());
        Ok(Box::new(MietteSpanContents::new(self.text.as_bytes(), whole, self.line.saturating_sub(1), 0, 1)))
    }
}

/// The excerpt of each fault, in order; none where no file is named or it cannot be read. Each file
/// is read once, and not at all where it is no file but a pipe.
pub fn excerpts(faults: &[Fault]) -> Vec<Option<Excerpt>> {
    excerpts_of(faults, &|file| {
        let path = Path::new(file);
        if path.is_file() { read_text(path).ok().map(|t| t.text) } else { None }
    })
}

/// The same, with what is in a file given by `read`.
pub fn excerpts_of(faults: &[Fault], read: &dyn Fn(&str) -> Option<String>) -> Vec<Option<Excerpt>> {
    let mut by_file: BTreeMap<&Arc<str>, Vec<(usize, usize)>> = BTreeMap::new();
    for (i, fault) in faults.iter().enumerate() {
        if let Some(place) = &fault.place {
            by_file.entry(&place.file).or_default().push((place.line, i));
        }
    }
    let mut out: Vec<Option<Excerpt>> = faults.iter().map(|_| None).collect();
    for (file, mut wanted) in by_file {
        let Some(text) = read(file) else { continue };
        wanted.sort_unstable();
        let mut lines = text.lines().enumerate();
        let mut now = lines.next();
        for (line, i) in wanted {
            while now.is_some_and(|(n, _)| n + 1 < line) {
                now = lines.next();
            }
            let column = faults.get(i).and_then(|f| f.place.as_ref()).map_or(1, |p| p.column);
            if let (Some((n, raw)), Some(slot)) = (now, out.get_mut(i))
                && n + 1 == line
                && !raw.trim().is_empty()
            {
                *slot = Some(Excerpt::of(raw, line, column));
            }
        }
    }
    out
}

/// One fault for people: `FILE:LINE:COLUMN: error: …`, its excerpt, its hint; ends with a line break.
pub fn told(fault: &Fault, excerpt: Option<&Excerpt>, look: Look) -> String {
    let (level, code) = if fault.warning { ("warning", 33) } else { ("error", 31) };
    let mut out = String::new();
    if let Some(place) = &fault.place {
        let _ = write!(out, "{}: ", printable(&place.to_string()));
    }
    match look.colour {
        true => _ = writeln!(out, "\x1b[1;{code}m{level}\x1b[0m: {}", printable(&fault.what)),
        false => _ = writeln!(out, "{level}: {}", printable(&fault.what)),
    }
    if let Some(drawn) = excerpt.and_then(|e| e.drawn(fault.warning, look)) {
        out.push_str(&drawn);
        out.push('\n');
    }
    if let Some(hint) = &fault.hint {
        let _ = writeln!(out, "  hint: {}", printable(hint));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fault::Place;

    fn at(line: usize, column: usize, what: &str) -> Fault {
        Fault::at(Place { file: "a.yaml".into(), line, column }, what)
    }

    fn report(text: &str, fault: Fault) -> String {
        let faults = [fault];
        let found = excerpts_of(&faults, &|_| Some(text.to_string()));
        told(&faults[0], found[0].as_ref(), Look::default())
    }

    #[test]
    fn a_mistake_is_marked_in_its_line() {
        let text = "rules:\n  - when: mentoins[1h] >= 20\n";
        let shown = report(text, at(2, 11, "expected a measure, found `mentoins`").hint("did you mean `mentions`?"));
        let expected = "a.yaml:2:11: error: expected a measure, found `mentoins`\n \
                        2 |   - when: mentoins[1h] >= 20\n   :           ^^^^^^^^\n  hint: did you mean `mentions`?\n";
        assert_eq!(shown, expected);
        let shown = report(text, at(2, 24, "expected more").warn());
        assert!(
            shown.starts_with("a.yaml:2:24: warning: ") && shown.ends_with("\n   :                        ^^\n"),
            "{shown}"
        );
    }

    #[test]
    fn ends_and_places_that_are_not_there_do_no_harm() {
        assert_eq!(report("q: a OR\n", at(1, 8, "x")), "a.yaml:1:8: error: x\n 1 | q: a OR\n   :        ^\n");
        assert_eq!(report("q: a OR\n", at(1, 800, "x")).lines().count(), 3);
        assert_eq!(report("q: a OR\n", at(7, 1, "x")), "a.yaml:7:1: error: x\n");
        assert_eq!(report("", at(1, 1, "x")), "a.yaml:1:1: error: x\n");
        assert_eq!(report("\n", at(0, 0, "x")), "a.yaml:0:0: error: x\n");
        assert_eq!(report("é: 'ü' x\n", at(1, 4, "x")), "a.yaml:1:4: error: x\n 1 | é: 'ü' x\n   :    ^^^\n");
    }

    #[test]
    fn long_lines_are_cut_around_the_mark() {
        for letter in ["a", "é"] {
            let text = format!("{} here {}", letter.repeat(1_000_000), letter.repeat(1_000_000));
            let shown = report(&text, at(1, 1_000_002, "x"));
            assert!(shown.contains("...") && shown.contains(" here ") && shown.contains("^^^^"), "{shown}");
            assert!(shown.chars().count() < 3 * limits::EXCERPT_CHARS, "{}", shown.len());
            let marks = shown.lines().nth(2).unwrap().find('^').unwrap();
            let line = shown.lines().nth(1).unwrap();
            assert_eq!(line.chars().skip(marks).take(4).collect::<String>(), "here");
        }
    }

    #[test]
    fn nothing_hostile_reaches_a_terminal() {
        let text = "q: \u{1b}[31m\u{7}\u{202e}evil\u{0}\tx\u{9b}0m\n";
        for unicode in [false, true] {
            let faults = [at(1, 9, "found `\u{1b}[2J`").hint("\u{1b}c")];
            let found = excerpts_of(&faults, &|_| Some(text.to_string()));
            let shown = told(&faults[0], found[0].as_ref(), Look { colour: false, unicode });
            assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{0}', '\t', '\u{9b}']), "{shown:?}");
            assert!(shown.contains("evil"), "{shown:?}");
        }
    }
}
