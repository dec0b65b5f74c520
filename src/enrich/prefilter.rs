//! Which raw frames can be about a brand at all, without parsing them.
//!
//! The raw bytes are searched for one required literal of each query. Spellings that only folding
//! would turn into a literal are caught by a table of characters that fold to some character of a
//! literal; frames with such characters are parsed. So nothing is missed; some are parsed in vain.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use unicode_normalization::char::canonical_combining_class;
use unicode_normalization::{IsNormalized, is_nfkc_quick};

use crate::base::folding::{fold, is_folded, is_invisible, is_word};

/// Characters below this have a bit in the table; of those above, few are not their own fold.
const TABLE: u32 = 0x2_0000;
/// Above this total length of literals the search uses less memory instead of more speed.
const SMALL_BYTES: usize = 64 << 10;

/// Finds frames that can match.
pub(super) struct Prefilter {
    search: Option<AhoCorasick>,
    /// Characters that may become part of a literal by folding.
    table: Vec<u64>,
    /// Set when every frame is to be parsed (a broad query).
    everything: bool,
    beyond_ascii: bool,
    /// Characters of literals, sorted.
    wanted: Vec<char>,
}

impl Prefilter {
    /// For the required literals of all queries, in folded form.
    pub(super) fn new(literals: &[&str], everything: bool) -> Prefilter {
        let everything = everything || literals.iter().any(|l| l.is_empty());
        let size: usize = literals.iter().map(|l| l.len()).sum();
        let kind = if size <= SMALL_BYTES { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let search = AhoCorasick::builder()
            .kind(Some(kind))
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .build(literals)
            .ok();
        let beyond_ascii = literals.iter().any(|l| !l.is_ascii());
        let everything = everything || (search.is_none() && !literals.is_empty());
        let mut wanted: Vec<char> = literals.iter().flat_map(|l| l.chars()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        Prefilter { search, table: table(&wanted, beyond_ascii), everything, beyond_ascii, wanted }
    }

    /// Whether the frame may hold a literal once it is decoded and folded.
    pub(super) fn may_match(&self, frame: &str) -> bool {
        self.everything
            || self.search.as_ref().is_some_and(|s| s.is_match(frame))
            || (!frame.is_ascii() && self.may_fold(frame))
    }

    /// Whether a literal may go on after this character.
    fn is_inside(&self, before: char) -> bool {
        is_word(before) || self.wanted.binary_search(&before).is_ok()
    }

    fn may_fold(&self, frame: &str) -> bool {
        let bytes = frame.as_bytes();
        let mut at = 0;
        while let Some(skip) = bytes.get(at..).and_then(first_beyond_ascii) {
            at += skip;
            let Some(c) = frame.get(at..).and_then(|s| s.chars().next()) else { return true };
            let code = u32::from(c);
            let suspect = match self.table.get((code / 64) as usize) {
                Some(bits) => bits >> (code % 64) & 1 == 1,
                None => self.beyond_ascii || is_invisible(c),
            };
            // an invisible character hides a literal only where it stands inside of one
            if suspect && (!is_invisible(c) || frame[..at].chars().next_back().is_some_and(|p| self.is_inside(p))) {
                return true;
            }
            at += c.len_utf8();
        }
        false
    }
}

fn first_beyond_ascii(bytes: &[u8]) -> Option<usize> {
    let mut chunks = bytes.chunks_exact(8);
    let mut at = 0;
    for chunk in &mut chunks {
        let word = <[u8; 8]>::try_from(chunk).map_or(u64::MAX, u64::from_le_bytes);
        let high = word & 0x8080_8080_8080_8080;
        if high != 0 {
            return Some(at + high.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    chunks.remainder().iter().position(|b| *b >= 0x80).map(|i| at + i)
}

/// Characters that are not their own fold, with what they fold to; and those that may melt into
/// the character before them.
fn foldable() -> &'static [(char, String, bool)] {
    static LIST: LazyLock<Vec<(char, String, bool)>> = LazyLock::new(|| {
        let all = (0x80..TABLE).filter_map(char::from_u32);
        all.filter_map(|c| {
            let quick = is_nfkc_quick(std::iter::once(c));
            if quick == IsNormalized::Yes && is_folded(c) && canonical_combining_class(c) == 0 {
                return None;
            }
            // marks may be put into another order
            let melts = quick == IsNormalized::Maybe || canonical_combining_class(c) != 0;
            let mut buffer = [0; 4];
            let folded = fold(c.encode_utf8(&mut buffer)).into_owned();
            let same = folded.chars().eq(std::iter::once(c));
            (!same || melts).then_some((c, folded, melts))
        })
        .collect()
    });
    &LIST
}

fn table(wanted: &[char], beyond_ascii: bool) -> Vec<u64> {
    let mut bits = vec![0u64; (TABLE / 64) as usize];
    for (c, folded, melts) in foldable() {
        let becomes = folded.is_empty() || folded.chars().any(|f| wanted.binary_search(&f).is_ok());
        if (becomes || (*melts && beyond_ascii))
            && let Some(word) = bits.get_mut((u32::from(*c) / 64) as usize)
        {
            *word |= 1 << (u32::from(*c) % 64);
        }
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_quick_look_at_a_character_is_right() {
        for c in (0x80..TABLE).step_by(3).filter_map(char::from_u32) {
            if is_folded(c) && is_nfkc_quick(std::iter::once(c)) == IsNormalized::Yes {
                assert_eq!(fold(&c.to_string()), c.to_string());
            }
        }
    }

    #[test]
    fn skips_what_cannot_match() {
        let p = Prefilter::new(&["united"], false);
        for yes in ["the UNITED way", "ＵＮＩＴＥＤ", "uni\u{ad}ted", "𝕌nited"] {
            assert!(p.may_match(yes), "{yes}");
        }
        for no in ["nothing here", "日本語だけ", "Привет, мир", "❤️ ok", "Été à Zürich"] {
            assert!(!p.may_match(no), "{no}");
        }
        assert!(Prefilter::new(&["été"], false).may_match("ÉTÉ"));
        assert!(Prefilter::new(&["été"], false).may_match("e\u{301}t"));
        assert!(Prefilter::new(&[], true).may_match("x"));
        assert!(!Prefilter::new(&[], false).may_match("ＵＮＩＴＥＤ"));
    }

    proptest! {
        #[test]
        fn nothing_is_missed(literal in "[a-zé가ｱ'&@\u{64e}\u{651}ب]{1,3}", text in "[a-zA-ZéÉ\u{301}\u{200b}ａ-ｆﬁ가\u{1100}\u{1161}ア ’＆@\u{64e}\u{651}ب]{0,12}") {
            let literal = fold(&literal).into_owned();
            prop_assume!(!literal.is_empty());
            let p = Prefilter::new(&[&literal], false);
            if fold(&text).contains(&literal) {
                prop_assert!(p.may_match(&text), "{:?} in {:?}", literal, text);
            }
        }
    }
}
