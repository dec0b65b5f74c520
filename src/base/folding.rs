//! One form for all spellings: NFKC, invisible characters dropped, default case fold.

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;

/// The folded form of a text. Idempotent.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|b| b.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    Cow::Owned(fold_unicode(text))
}

fn fold_unicode(text: &str) -> String {
    let once: String = text.nfkc().filter(|c| !is_invisible(*c)).default_case_fold().nfkc().map(straight).collect();
    if once.chars().any(is_invisible) { once.chars().filter(|c| !is_invisible(*c)).collect() } else { once }
}

/// Whether folding leaves a character as it is, apart from normalization.
pub fn is_folded(c: char) -> bool {
    !is_invisible(c) && straight(c) == c && std::iter::once(c).default_case_fold().eq(std::iter::once(c))
}

/// Curly apostrophes are apostrophes.
fn straight(c: char) -> char {
    if matches!(c, '\u{2019}' | '\u{2018}' | '\u{02bc}') { '\'' } else { c }
}

/// Characters that show nothing and are used to hide words: soft hyphen, zero-width characters,
/// direction marks, variation selectors, tags.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character belongs to a word: letters, digits, marks, underscore (UAX 29, but with a
/// break at apostrophes, dots and colons, so that `united` is found in "United's" and
/// "united.com").
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || unicode_normalization::char::is_combining_mark(c)
}

/// Whether a character belongs to a script that is written without spaces; its words are matched
/// as substrings.
pub fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff | 0x0f00..=0x0fff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfaff | 0x20000..=0x323af)
}

/// Whether a word may begin or end between two characters.
pub fn is_bound(before: Option<char>, after: Option<char>) -> bool {
    match (before, after) {
        (Some(a), Some(b)) => !(is_word(a) && is_word(b)) || is_unspaced(a) || is_unspaced(b),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    #[test]
    fn folds_width_case_and_invisibles() {
        for (a, b) in [
            ("ＵＮＩＴＥＤ", "united"),
            ("Straße", "strasse"),
            ("u\u{200b}ni\u{ad}ted", "united"),
            ("ﬁne", "fine"),
            ("Cafe\u{301}", "café"),
            ("𝐔nited", "united"),
            ("İ", "i\u{307}"),
            ("it’s", "it's"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("❤️", "❤"),
        ] {
            assert_eq!(fold(a), b);
        }
    }

    proptest! {
        #[test]
        fn folding_is_idempotent(s in "\\PC{0,40}") {
            let once = fold(&s).into_owned();
            prop_assert_eq!(fold(&once), once.as_str());
        }

        #[test]
        fn bounds_agree_with_uax_29(s in "[a-zé0-9_ !?/()\"-]{0,30}|[бгдß ,-]{0,20}") {
            let mut theirs: Vec<usize> = s.split_word_bound_indices().map(|(i, _)| i).collect();
            theirs.push(s.len());
            for (i, c) in s.char_indices() {
                let before = s[..i].chars().next_back();
                // between two characters that are no words, a bound or none makes no difference
                if before.is_some_and(is_word) || is_word(c) {
                    prop_assert_eq!(is_bound(before, Some(c)), theirs.contains(&i), "{:?} at {}", s, i);
                }
            }
        }
    }
}
