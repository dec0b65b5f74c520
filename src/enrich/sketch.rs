//! Sketches of texts: near-identical texts have similar sketches.
//!
//! Left out is what copies differ in: links, @handles, digits, punctuation, case, letters
//! repeated more than twice. The rest is cut into overlapping pieces of four characters, which
//! works in any script.

use crate::base::limits;
use crate::base::model::Sketch;

/// Characters in a piece.
const PIECE: usize = 4;

/// The sketch of a folded text; `None` without letters or symbols.
pub(super) fn of_folded(text: &str) -> Option<Sketch> {
    let text = text.get(..text.floor_char_boundary(limits::SKETCHED_TEXT_BYTES)).unwrap_or(text);
    let mut chars: Vec<char> = Vec::with_capacity(text.len());
    for word in text.split_whitespace() {
        if word.starts_with('@') || word.starts_with("http:") || word.starts_with("https:") {
            continue;
        }
        let from = chars.len();
        for c in word.chars() {
            let kept = if c.is_ascii() { c.is_ascii_alphabetic() } else { !c.is_numeric() };
            let repeated = || chars.len() >= from + 2 && chars.get(chars.len() - 2..) == Some(&[c, c]);
            if kept && !repeated() {
                chars.push(c);
            }
        }
        if chars.len() > from {
            chars.push(' ');
        }
    }
    if chars.len() < PIECE {
        return Sketch::new(if chars.is_empty() { Vec::new() } else { vec![hash(&chars)] });
    }
    Sketch::new(chars.windows(PIECE).map(hash).collect())
}

/// Fixed for ever: sketches are kept in snapshots.
fn hash(piece: &[char]) -> u32 {
    let mut h = 0x9e37_79b9_7f4a_7c15u64;
    for c in piece {
        h = (h ^ u64::from(u32::from(*c))).wrapping_mul(0xff51_afd7_ed55_8ccd);
        h ^= h >> 32;
    }
    (h ^ (h >> 29)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::folding::fold;

    fn of(text: &str) -> Option<Sketch> {
        of_folded(&fold(text))
    }

    fn alike(a: &str, b: &str) -> f64 {
        of(a).unwrap().similarity(&of(b).unwrap())
    }

    #[test]
    fn copies_are_alike_and_others_are_not() {
        let base = "Acme Air broke my guitar and will not pay for it, shame on them";
        for copy in [
            "ACME AIR broke my guitar and will not pay for it, shame on them!!!",
            "@bob acme air broke my guitar and will not pay for it... shame on them https://t.example/x 42",
            "Acme Air broke my guitar and will not pay for it, shaaaaame on them",
            "Acme Air broke my guitar and will not pay for it, shame on them 1/17",
        ] {
            assert!(alike(base, copy) >= 0.9, "{copy}: {}", alike(base, copy));
        }
        for other in [
            "Acme Air lost my bag and will not answer, shame on them",
            "what a lovely flight with Acme Air",
            "they broke my guitar",
        ] {
            assert!(alike(base, other) < 0.7, "{other}: {}", alike(base, other));
        }
        assert_eq!(alike("😡😡", "😡😡"), 1.0);
        assert!(alike("航空会社がギターを壊した", "航空会社が荷物を失った") < 0.7);
        assert_eq!(of("https://x.example @a 123 ..."), None);
        assert!(alike("no", "no") == 1.0 && alike("no", "go") == 0.0);
    }
}
