//! Mistakes in what people wrote: where, what was expected and found, and a separate hint.

use std::fmt;
use std::sync::Arc;

use crate::base::limits;

/// Where in a file: line and column count from 1, columns in characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The file's path as it was given.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One mistake or warning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where it stands; `None` where no file is concerned.
    pub place: Option<Place>,
    /// `expected …, found …`, lowercase, without a full stop.
    pub what: String,
    /// What to do about it, if that is known.
    pub hint: Option<String>,
    /// A warning does not make files unusable.
    pub warning: bool,
}

impl Fault {
    /// A mistake without a place.
    pub fn new(what: impl Into<String>) -> Fault {
        Fault { place: None, what: what.into(), hint: None, warning: false }
    }

    /// A mistake at a place.
    pub fn at(place: Place, what: impl Into<String>) -> Fault {
        Fault { place: Some(place), ..Fault::new(what) }
    }

    /// What is told in place of mistakes or warnings that are not shown.
    pub fn beyond(warning: bool) -> Fault {
        let what = if warning { "warnings" } else { "mistakes" };
        Fault { warning, ..Fault::new(format!("expected at most {} {what}, found more", limits::FAULTS)) }
    }

    /// The same with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = Some(hint.into());
        self
    }

    /// The same as a warning.
    pub fn warn(mut self) -> Fault {
        self.warning = true;
        self
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A text from a file, without characters that change a terminal.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { harmless(c) }).collect()
}

/// A character as it is shown: one that would steer a terminal, turn the direction of text round or show nothing is
/// replaced by one that is seen.
pub fn harmless(c: char) -> char {
    match c {
        c if c.is_control() => '\u{fffd}',
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
            '\u{fffd}'
        }
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}' => '\u{fffd}',
        c => c,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        write!(f, "{}: {}", if self.warning { "warning" } else { "error" }, printable(&self.what))?;
        self.hint.iter().try_for_each(|h| write!(f, "\n  hint: {}", printable(h)))
    }
}

impl std::error::Error for Fault {}

/// The candidate nearest to a misspelt word, if it is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let far = word.chars().count() / 3 + 1;
    candidates.into_iter().map(|c| (distance(word, c), c)).filter(|(d, _)| *d <= far).min().map(|(_, c)| c)
}

/// Levenshtein distance in characters, over the first 64 of each.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            left = (diagonal + usize::from(ca != *cb)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn nearest_suggests_only_near_words() {
        assert_eq!(nearest("mentoins", ["mentions", "authors"]), Some("mentions"));
        assert_eq!(nearest("xyzzy", ["mentions", "authors"]), None);
    }

    #[test]
    fn shows_place_and_hint() {
        let place = Place { file: "a.yaml".into(), line: 3, column: 9 };
        let f = Fault::at(place, "expected a number, found `x`").hint("write 5");
        assert_eq!(f.to_string(), "a.yaml:3:9: error: expected a number, found `x`\n  hint: write 5");
    }
}
