//! Cuts a text into words at Python's white space, strips punctuation and looks each word up.

use super::lexicon::{self, LONGEST, NEGATING, UNKNOWN, Word};

/// One word of the text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    /// What the table knows of it.
    pub(super) word: &'static Word,
    /// Whether it is written in capitals, in the sense of Python's `isupper`.
    pub(super) upper: bool,
}

/// Kinds of bytes, as bits; a word carries all the kinds of its bytes.
const SPACE: u8 = 1;
const UPPER: u8 = 2;
const LOWER: u8 = 4;
const QUOTE: u8 = 8;
const HIGH: u8 = 16;
/// First byte of a character that may be white space.
const LEAD: u8 = 32;
const PUNCTUATION: u8 = 64;

static KINDS: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        kinds[byte] = match byte as u8 {
            b'\t'..=b'\r' | 0x1c..=0x1f | b' ' => SPACE,
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b'\'' => QUOTE | PUNCTUATION,
            b'!'..=b'/' | b':'..=b'@' | b'['..=b'`' | b'{'..=b'~' => PUNCTUATION,
            0xc2 | 0xe1..=0xe3 => HIGH | LEAD,
            0x80.. => HIGH,
            _ => 0,
        };
        byte += 1;
    }
    kinds
}

/// All words of a text in their order.
pub(super) fn split(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::with_capacity(bytes.len() / 4 + 1);
    let (mut start, mut at, mut seen) = (0, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        let kind = KINDS[usize::from(byte)];
        let width = match kind & (SPACE | LEAD) {
            0 => 0,
            SPACE => 1,
            _ => wide_space(bytes.get(at..).unwrap_or_default()),
        };
        if width == 0 {
            seen |= kind;
            at += 1;
            continue;
        }
        if start < at {
            tokens.push(token(text.get(start..).unwrap_or_default(), at - start, seen));
        }
        at += width;
        (start, seen) = (at, 0);
    }
    if start < at {
        tokens.push(token(text.get(start..).unwrap_or_default(), at - start, seen));
    }
    tokens
}

/// The length of the white space beyond ASCII that these bytes begin with, 0 for none.
fn wide_space(bytes: &[u8]) -> usize {
    match bytes {
        [0xc2, 0x85 | 0xa0, ..] => 2,
        [0xe1, 0x9a, 0x80, ..] => 3,
        [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..] => 3,
        [0xe2, 0x81, 0x9f, ..] => 3,
        [0xe3, 0x80, 0x80, ..] => 3,
        _ => 0,
    }
}

/// The word of `length` bytes that `text` begins with; `seen` are the kinds of its bytes.
#[inline]
fn token(text: &str, length: usize, seen: u8) -> Token {
    let bytes = text.as_bytes();
    let (from, to) = if seen & PUNCTUATION == 0 { (0, length) } else { strip(bytes, length, seen) };
    let core = bytes.get(from..).unwrap_or_default();
    // Punctuation has no case, so the whole word tells whether it is in capitals.
    let (known, upper) = if seen & HIGH == 0 {
        (lexicon::find(core, to - from), seen & (UPPER | LOWER) == UPPER)
    } else {
        (find_folded(core, to - from), is_upper(text.get(..length).unwrap_or_default()))
    };
    let word = match known {
        Some(word) => word,
        None if seen & QUOTE != 0 && has_nt(bytes.get(..length).unwrap_or_default()) => &NEGATING,
        None => &UNKNOWN,
    };
    Token { word, upper }
}

/// Where the word begins and ends without the ASCII punctuation at both ends. If that would leave two characters
/// or fewer it stays whole, as it may be a face.
fn strip(text: &[u8], length: usize, seen: u8) -> (usize, usize) {
    let is_mark = |at: usize| text.get(at).is_some_and(|&byte| KINDS[usize::from(byte)] & PUNCTUATION != 0);
    let (mut from, mut to) = (0, length);
    while from < to && is_mark(from) {
        from += 1;
    }
    while from < to && is_mark(to - 1) {
        to -= 1;
    }
    let core = text.get(from..to).unwrap_or_default();
    // Only the first byte of a character is outside 0x80 to 0xbf.
    let letters = match seen & HIGH {
        0 => core.len(),
        _ => core.iter().filter(|&&byte| byte & 0xc0 != 0x80).count(),
    };
    if letters <= 2 { (0, length) } else { (from, to) }
}

/// Looks up a word with characters beyond ASCII. Every word of the table is ASCII, and of all those characters
/// only the Kelvin sign has an ASCII lower case, "k".
fn find_folded(text: &[u8], length: usize) -> Option<&'static Word> {
    let mut folded = [0u8; LONGEST];
    let mut letters = 0;
    let mut rest = text.get(..length)?;
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match rest {
            [0xe2, 0x84, 0xaa, tail @ ..] => (b'k', tail),
            _ if first.is_ascii() => (*first, tail),
            _ => return None,
        };
        *folded.get_mut(letters)? = byte;
        letters += 1;
        rest = tail;
    }
    lexicon::find(&folded, letters)
}

/// Python's `isupper`: a capital, and no letter of small or title case.
fn is_upper(word: &str) -> bool {
    let mut capital = false;
    for letter in word.chars() {
        if letter.is_lowercase() || is_title(letter) {
            return false;
        }
        capital |= letter.is_uppercase();
    }
    capital
}

/// Letters of title case: digraphs such as U+01C5, and Greek capitals with a small iota.
fn is_title(letter: char) -> bool {
    matches!(letter,
        '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}' | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}'
        | '\u{1fa8}'..='\u{1faf}' | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

/// Whether "n't" occurs in any case.
fn has_nt(word: &[u8]) -> bool {
    word.windows(3).any(|part| matches!(part, [b'n' | b'N', b'\'', b't' | b'T']))
}
