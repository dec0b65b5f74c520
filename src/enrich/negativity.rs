//! How hostile a text is, from the VADER compound figure. Scale version 2.
//!
//! n = 0.5, the cut between hostile and not, lies at a compound of -0.05: of the cuts tried on
//! eight permissively licensed corpora it has the best balanced accuracy and F1, and it is also
//! VADER's own. n = 0.15, the cut to praise, lies
//! at 0.05; nothing said is 0.25. Between, n is linear. English only; texts in other languages are
//! unknown, never neutral.

use super::vader;
use crate::base::limits;
use crate::base::model::Negativity;

pub use super::vader::{Polarity, polarity};

/// Words by which a text without a language mark shows to be English, sorted.
const ENGLISH: [&str; 48] = [
    "a", "about", "and", "are", "at", "be", "but", "for", "from", "had", "has", "have", "he", "i", "in", "is", "it",
    "just", "me", "my", "not", "of", "on", "our", "out", "she", "so", "that", "the", "their", "they", "this", "to",
    "up", "us", "was", "we", "were", "what", "when", "who", "why", "will", "with", "would", "you", "your", "yours",
];
/// Of these, words that other languages use too; alone they show nothing.
const SHARED: [&str; 8] = ["a", "and", "at", "he", "in", "it", "me", "on"];

/// Points of the scale: compound, n.
const SCALE: [(f64, f64); 5] = [(-1.0, 1.0), (-0.05, 0.5), (0.0, 0.25), (0.05, 0.149), (1.0, 0.0)];

/// What is found of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Looked<'l> {
    /// Its negativity; `None` where it cannot be told.
    pub n: Option<Negativity>,
    /// Its language: as given, or `en` where it shows to be English.
    pub lang: Option<&'l str>,
}

/// Negativity of a text in the language given (`None`: not said). `None` where it cannot be told.
pub fn score(text: &str, lang: Option<&str>) -> Option<Negativity> {
    look(text, lang).n
}

/// Negativity and language of a text.
pub fn look<'l>(text: &str, lang: Option<&'l str>) -> Looked<'l> {
    if lang.is_some_and(|l| l != "en") {
        return Looked { n: None, lang };
    }
    let text = text.get(..text.floor_char_boundary(limits::SCORED_TEXT_BYTES)).unwrap_or(text);
    let p = vader::polarity(text);
    // with a language and a word that is known nothing more has to be found out
    let (words, english) = if lang.is_some() && p.hits > 0 { (1, true) } else { count(text) };
    let told = lang.is_some() || english || (p.hits > 0 && words <= 3);
    if !told || (words == 0 && p.hits == 0) {
        return Looked { n: None, lang };
    }
    Looked { n: Some(of_compound(p.compound)), lang: lang.or(Some("en")) }
}

/// Words of a text, links and handles left out, and whether they show English.
fn count(text: &str) -> (usize, bool) {
    let (mut words, mut english, mut shared) = (0, false, 0);
    let spoken = |w: &&str| !w.starts_with('@') && !w.starts_with("http:") && !w.starts_with("https:");
    for word in text.split_whitespace().filter(spoken) {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if bare.is_empty() {
            continue;
        }
        words += 1;
        if english || bare.len() > 5 {
            continue;
        }
        let mut lower = [0u8; 5];
        let Some(slot) = lower.get_mut(..bare.len()) else { continue };
        slot.copy_from_slice(bare.as_bytes());
        slot.make_ascii_lowercase();
        let Ok(lower) = std::str::from_utf8(slot) else { continue };
        if ENGLISH.binary_search(&lower).is_ok() {
            shared += 1;
            english = !SHARED.contains(&lower) || shared >= 3;
        }
    }
    (words, english)
}

/// n of a compound figure.
fn of_compound(c: f64) -> Negativity {
    let part = SCALE.windows(2).find_map(|w| match w {
        [(c0, n0), (c1, n1)] if c <= *c1 => Some(n0 + (n1 - n0) * (c - c0) / (c1 - c0)),
        _ => None,
    });
    Negativity::from_unit(part.unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::Tone;

    fn tone(text: &str) -> &'static str {
        Tone::of(score(text, Some("en"))).name()
    }

    #[test]
    fn tells_plain_blame_from_plain_praise() {
        for text in [
            "United broke my guitar and refuses to pay",
            "worst airline ever, never again",
            "I HATE this",
            "what a scam!!",
            "not good, not helpful, I am angry",
            "😡😡 they lost my bag",
        ] {
            assert_eq!(tone(text), "negative", "{text}");
        }
        for text in ["I love this airline", "best crew, thank you", "great flight 😍"] {
            assert_eq!(tone(text), "positive", "{text}");
        }
        for text in ["boarding at gate 5 now", "the flight lands at nine"] {
            assert_eq!(tone(text), "neutral", "{text}");
        }
    }

    #[test]
    fn what_it_cannot_read_is_unknown() {
        assert_eq!(score("schrecklich und furchtbar", Some("de")), None);
        assert_eq!(score("das ist schrecklich, in der Tat", None), None);
        assert_eq!(score("", Some("en")), None);
        assert_eq!(score("https://x.example/a @you", Some("en")), None);
        assert_eq!(look("they broke the guitar", None).lang, Some("en"));
        assert!(score("they broke the guitar", None).is_some());
    }

    #[test]
    fn the_scale_falls_from_blame_to_praise() {
        let n = |c: f64| of_compound(c).milli();
        assert_eq!([n(-1.0), n(-0.05), n(0.0), n(0.05), n(1.0)], [1000, 500, 250, 149, 0]);
        let all: Vec<u16> = (-100..=100).map(|i| n(f64::from(i) / 100.0)).collect();
        assert!(all.windows(2).all(|w| w[0] > w[1] || w[1] == 0));
        assert!(ENGLISH.windows(2).all(|w| w[0] < w[1]) && ENGLISH.iter().all(|w| w.len() <= 5));
    }
}
