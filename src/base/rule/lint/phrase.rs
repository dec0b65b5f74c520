//! Where terms of the text stand, as the matcher finds them.

use super::Fold;
use crate::base::folding::{is_bound, is_unspaced, is_word};
use crate::base::rule::query::Term;

/// As much may stand between two words of a phrase: whatever stands in a phrase with the widest gaps stands in each
/// text that holds the phrase.
const GAP: &str = "        ";

/// A term of the text as it is looked for.
pub(super) struct Phrase {
    /// Folded pieces in order, with `@` and `#` before handles and tags.
    pieces: Vec<String>,
    /// Whether it is found wherever its words stand, whatever their case.
    pub(super) anywhere: bool,
}

impl Phrase {
    /// `None` for a term that is not looked for in the text.
    pub(super) fn of(term: &Term, fold: Fold<'_>) -> Option<Phrase> {
        let text = match term {
            Term::Phrase(p) | Term::Raw(p) => fold(p),
            Term::Handle(h) => format!("@{}", fold(h)),
            Term::Tag(t) => format!("#{}", fold(t)),
            _ => return None,
        };
        let pieces = text.split_whitespace().map(str::to_string).collect();
        Some(Phrase { pieces, anywhere: matches!(term, Term::Phrase(_)) })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Its pieces, a space between them.
    pub(super) fn name(&self) -> String {
        self.pieces.join(" ")
    }

    /// The least that every text holds in which it stands.
    pub(super) fn text(&self) -> String {
        self.pieces.join(GAP)
    }

    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().flat_map(|p| p.split(|c| !is_word(c))).filter(|w| !w.is_empty())
    }

    /// Whether it stands in a folded text.
    pub(super) fn stands_in(&self, text: &str) -> bool {
        let Some(first) = self.pieces.first() else { return false };
        text.match_indices(&**first).any(|(at, _)| self.stands_at(text, at))
    }

    fn stands_at(&self, text: &str, start: usize) -> bool {
        let Some(mut at) = self.pieces.first().and_then(|p| end_of(p, text, start)) else { return false };
        self.pieces.iter().skip(1).all(|piece| {
            let rest = text.get(at..).unwrap_or("");
            let signs = rest.chars().take(GAP.len()).take_while(|c| !is_word(*c)).map(char::len_utf8);
            let gaps = std::iter::once(0).chain(signs.scan(0, |sum, n| {
                *sum += n;
                Some(*sum)
            }));
            let end = gaps.filter(|g| *g > 0 || touches(text, at)).find_map(|g| end_of(piece, text, at + g));
            end.is_some_and(|end| {
                at = end;
                true
            })
        })
    }
}

/// The end of a piece that stands as a word at a place.
fn end_of(piece: &str, text: &str, start: usize) -> Option<usize> {
    let end = start + piece.len();
    (text.get(start..end)? == piece).then_some(())?;
    let (before, after) = (text.get(..start)?.chars().next_back(), text.get(end..)?.chars().next());
    (is_bound(before, piece.chars().next()) && is_bound(piece.chars().next_back(), after)).then_some(end)
}

/// Whether words touch here: in scripts without spaces.
fn touches(text: &str, at: usize) -> bool {
    let (before, after) = text.split_at_checked(at).unwrap_or(("", ""));
    before.chars().next_back().is_some_and(is_unspaced) || after.chars().next().is_some_and(is_unspaced)
}
