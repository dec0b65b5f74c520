//! Terms of queries, ready to be found: pieces, what must stand between them, and their bounds.

use smallvec::SmallVec;

use crate::base::folding::{fold, is_bound, is_unspaced, is_word};
use crate::base::rule::query::Term;

/// Characters that may stand between two words of a phrase.
const GAP_CHARS: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Phrase,
    Handle,
    Tag,
}

/// A term in folded form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Compiled {
    kind: Kind,
    /// Pieces in order; `@` and `#` included for handles and tags.
    pieces: SmallVec<[Box<str>; 2]>,
    /// The piece that is searched for; the others are checked around it.
    anchor: usize,
}

impl Compiled {
    /// `None` for a term that folds to nothing.
    pub(super) fn new(term: &Term) -> Option<Compiled> {
        let (kind, text) = match term {
            Term::Phrase(p) | Term::Raw(p) => (Kind::Phrase, fold(p).into_owned()),
            Term::Handle(h) => (Kind::Handle, format!("@{}", fold(h))),
            Term::Tag(t) => (Kind::Tag, format!("#{}", fold(t))),
            _ => return None,
        };
        let pieces: SmallVec<[Box<str>; 2]> = text.split_whitespace().map(Box::from).collect();
        let anchor = (0..pieces.len()).max_by_key(|i| (pieces.get(*i).map_or(0, |p| p.len()), usize::MAX - i))?;
        Some(Compiled { kind, pieces, anchor })
    }

    /// The piece that must be found first.
    pub(super) fn anchor(&self) -> &str {
        self.pieces.get(self.anchor).map_or("", |p| p)
    }

    /// All pieces; a text that it stands in holds each of them.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().map(|p| &**p)
    }

    /// A part of the anchor that stands in the raw JSON of every text or tag that can match,
    /// except for spellings that need folding.
    pub(super) fn raw_literal(&self) -> &str {
        // tags stand beside the text without their `#`
        self.anchor().split(['"', '\\', '#']).max_by_key(|s| s.len()).unwrap_or("")
    }

    /// Where the term stands in the folded text, if it does with its anchor at `start`.
    pub(super) fn stands(&self, text: &str, start: usize) -> Option<(usize, usize)> {
        let end = self.piece_at(text, start, self.anchor)?;
        match self.kind {
            Kind::Handle => handle_ends(text, end).then_some((start, end)),
            Kind::Tag => (!text[end..].chars().next().is_some_and(is_word)).then_some((start, end)),
            Kind::Phrase => Some((self.before(text, start)?, self.after(text, end)?)),
        }
    }

    /// The end of piece `i` at `start`, if it stands there as a word.
    fn piece_at(&self, text: &str, start: usize, i: usize) -> Option<usize> {
        let piece = self.pieces.get(i)?;
        let end = start + piece.len();
        (text.get(start..end)? == &**piece).then_some(())?;
        let outside = text.get(..start)?.chars().next_back();
        let first = piece.chars().next()?;
        let opens = match self.kind {
            Kind::Phrase => is_bound(outside, Some(first)),
            Kind::Handle | Kind::Tag => !outside.is_some_and(is_word),
        };
        let closes = self.kind != Kind::Phrase || is_bound(piece.chars().next_back(), text.get(end..)?.chars().next());
        (opens && closes).then_some(end)
    }

    /// Where the pieces before the anchor begin.
    fn before(&self, text: &str, start: usize) -> Option<usize> {
        let mut at = start;
        let all = (0..self.anchor).rev().all(|i| {
            let len = self.pieces.get(i).map_or(0, |p| p.len());
            let gap = gaps(text[..at].chars().rev());
            let hit = gap.into_iter().find_map(|g| {
                let start = (at - g).checked_sub(len)?;
                let end = self.piece_at(text, start, i)?;
                self.joined(text, end, at).then_some(start)
            });
            hit.is_some_and(|start| {
                at = start;
                true
            })
        });
        all.then_some(at)
    }

    /// Where the pieces after the anchor end.
    fn after(&self, text: &str, end: usize) -> Option<usize> {
        let mut at = end;
        let all = (self.anchor + 1..self.pieces.len()).all(|i| {
            let gap = gaps(text[at..].chars());
            let hit = gap.into_iter().find_map(|g| {
                let end = self.piece_at(text, at + g, i)?;
                self.joined(text, at, at + g).then_some(end)
            });
            hit.is_some_and(|end| {
                at = end;
                true
            })
        });
        all.then_some(at)
    }

    /// Two pieces may touch only in scripts without spaces.
    fn joined(&self, text: &str, end: usize, start: usize) -> bool {
        end < start
            || text[..end].chars().next_back().is_some_and(is_unspaced)
            || text[start..].chars().next().is_some_and(is_unspaced)
    }
}

/// Byte lengths of the gaps that may follow: none, or up to [`GAP_CHARS`] characters of no word.
fn gaps(chars: impl Iterator<Item = char>) -> SmallVec<[usize; GAP_CHARS]> {
    let mut out = SmallVec::new();
    out.push(0);
    let mut bytes = 0;
    for c in chars.take(GAP_CHARS).take_while(|c| !is_word(*c)) {
        bytes += c.len_utf8();
        out.push(bytes);
    }
    out
}

/// A handle goes on over dots and hyphens if a word follows them: `@united` is not in
/// `@united.com`, but in `@united.` and `@united@server`.
fn handle_ends(text: &str, end: usize) -> bool {
    let mut rest = text[end..].chars();
    match rest.next() {
        Some('.' | '-') => !rest.next().is_some_and(is_word),
        Some(c) => !is_word(c),
        None => true,
    }
}
