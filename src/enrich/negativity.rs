//! How hostile a text is, from a lexicon with negations and boosters. Scale version 1.
//!
//! Word strengths are added (a negation up to three words before turns a strength round and
//! weakens it, a booster strengthens it), the sum s is squeezed to c = s / sqrt(s^2 + 15), and
//! n = 0.25 - 0.75 c for c < 0, 0.25 - 0.25 c above: nothing said is 0.25, the cut 0.5 lies at
//! c = -1/3. It knows English only; other languages are unknown, never neutral.

use super::folding::{fold, is_word};
use super::lexicon::Lexicon;
use crate::base::limits;
use crate::base::model::Negativity;

/// Words a negation reaches.
const REACH: usize = 3;
/// What is left of a strength that is turned round.
const TURNED: f64 = -0.74;
const BOOST: f64 = 1.3;
/// Strength a single exclamation mark adds to what is there, up to four.
const SHOUT: f64 = 0.25;

/// Negativity of a text in the language given (`None`: not said). `None` where it cannot be told.
pub fn score(text: &str, lang: Option<&str>) -> Option<Negativity> {
    if lang.is_some_and(|l| l != "en") {
        return None;
    }
    let text = text.get(..text.floor_char_boundary(limits::SCORED_TEXT_BYTES)).unwrap_or(text);
    let folded = fold(text);
    let lexicon = Lexicon::get();
    let (mut sum, mut words, mut english, mut evidence) = (0.0, 0usize, 0usize, 0usize);
    let mut recent: [Option<&str>; REACH] = [None; REACH];
    for word in tokens(&folded) {
        words += 1;
        english += usize::from(lexicon.is_english(word));
        let mut strength = f64::from(lexicon.valence(word));
        if strength != 0.0 {
            evidence += 1;
            if recent.first().copied().flatten().is_some_and(|w| lexicon.is_booster(w)) {
                strength *= BOOST;
            }
            if recent.iter().flatten().any(|w| lexicon.is_negation(w)) {
                strength *= TURNED;
            }
            sum += strength;
        }
        recent.rotate_right(1);
        if let Some(newest) = recent.first_mut() {
            *newest = Some(word);
        }
    }
    let told = lang.is_some() || english > 0 || (evidence > 0 && words <= 3);
    if !told || words == 0 {
        return None;
    }
    let shouts = folded.bytes().filter(|b| *b == b'!').take(4).count() as f64;
    if sum != 0.0 {
        sum += f64::signum(sum) * SHOUT * shouts;
    }
    let c = sum / (sum * sum + 15.0).sqrt();
    Some(Negativity::from_unit(if c < 0.0 { 0.25 - 0.75 * c } else { 0.25 - 0.25 * c }))
}

/// Words with inner apostrophes, and single symbols that may be emoji; links and handles are
/// left out.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .filter(|w| !w.starts_with('@') && !w.starts_with("http:") && !w.starts_with("https:"))
        .flat_map(|w| {
            let mut out = Vec::new();
            let mut start = None;
            for (i, c) in w.char_indices() {
                match (start, is_word(c) || c == '\'') {
                    (None, true) => start = Some(i),
                    (Some(s), false) => {
                        out.push(&w[s..i]);
                        start = None;
                    }
                    _ => {}
                }
                if !c.is_ascii() && !is_word(c) {
                    out.push(&w[i..i + c.len_utf8()]);
                }
            }
            out.extend(start.map(|s| &w[s..]));
            out.into_iter().map(|t| t.trim_matches('\'')).filter(|t| !t.is_empty())
        })
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
        for text in ["boarding at gate 5 now", "the flight lands at nine", "not bad"] {
            assert_eq!(tone(text), "neutral", "{text}");
        }
    }

    #[test]
    fn what_it_cannot_read_is_unknown() {
        assert_eq!(score("schrecklich und furchtbar", Some("de")), None);
        assert_eq!(score("das ist schrecklich", None), None);
        assert_eq!(score("", Some("en")), None);
        assert_eq!(score("https://x.example/a @you", Some("en")), None);
        assert!(score("they broke the guitar", None).is_some());
    }

    #[test]
    fn more_blame_is_never_less_hostile() {
        let mut last = 0;
        for k in 1..30 {
            let n = score(&"terrible ".repeat(k), Some("en")).map_or(0, Negativity::milli);
            assert!(n >= last && n <= 1000);
            last = n;
        }
    }
}
