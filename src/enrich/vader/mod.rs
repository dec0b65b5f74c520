//! Sentiment of an English text by the VADER rules, equal to the Python package vaderSentiment 3.3.2.

mod emoji;
mod lexicon;
mod rules;
#[cfg(test)]
mod tests;
mod tokens;

use rules::Scored;

/// Keeps the compound figure between -1 and 1; the square of the largest expected sum.
const NORM: f64 = 15.0;

/// What the rules make of one text. All figures are rounded the way Python's `round` does it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Polarity {
    /// The whole text from -1 (worst) to 1 (best), 4 digits; -0.05 and 0.05 are the usual class limits.
    pub compound: f64,
    /// Share of the negative words, 0 to 1, 3 digits.
    pub negative: f64,
    /// Share of the words without a valence, 0 to 1, 3 digits.
    pub neutral: f64,
    /// Share of the positive words, 0 to 1, 3 digits.
    pub positive: f64,
    /// Number of words that the lexicon gave a valence, those in the names of emoji too.
    pub hits: u32,
}

/// Scores one text. The time is linear in its length (times its logarithm behind a "but").
pub fn polarity(text: &str) -> Polarity {
    let text = emoji::spell_out(text);
    let tokens = tokens::split(&text);
    if tokens.is_empty() {
        return Polarity::default();
    }
    figures(&rules::score(&tokens), tokens.len(), emphasis(text.as_bytes()))
}

/// Turns the valences of the words into the four figures.
fn figures(scored: &Scored, words: usize, emphasis: f64) -> Polarity {
    let (mut sum, mut positive, mut negative) = (0.0, 0.0, 0.0);
    for hit in &scored.valued {
        sum += hit.value;
        // The one more weighs a word like a neutral word, which counts as 1.
        if hit.value > 0.0 {
            positive += hit.value + 1.0;
        } else {
            negative += hit.value - 1.0;
        }
    }
    if sum > 0.0 {
        sum += emphasis;
    } else if sum < 0.0 {
        sum -= emphasis;
    }
    // On a tie neither side gets the emphasis.
    if positive > f64::abs(negative) {
        positive += emphasis;
    } else if positive < f64::abs(negative) {
        negative -= emphasis;
    }
    let neutral = words.saturating_sub(scored.valued.len()) as f64;
    let total = positive + f64::abs(negative) + neutral;
    Polarity {
        compound: round(f64::clamp(sum / f64::sqrt(sum * sum + NORM), -1.0, 1.0), 10_000.0),
        negative: round(f64::abs(negative / total), 1000.0),
        neutral: round(f64::abs(neutral / total), 1000.0),
        positive: round(f64::abs(positive / total), 1000.0),
        hits: scored.hits,
    }
}

/// What exclamation and question marks anywhere in the text add: up to four of the former, two or more of the latter.
fn emphasis(text: &[u8]) -> f64 {
    let count = |mark: u8| text.iter().filter(|&&byte| byte == mark).count();
    let exclaimed = count(b'!').min(4) as f64 * 0.292;
    let asked = match count(b'?') {
        0 | 1 => 0.0,
        marks @ (2 | 3) => marks as f64 * 0.18,
        _ => 0.96,
    };
    exclaimed + asked
}

/// Rounds to a number of digits (`scale` is that power of ten): half to even on the exact binary value.
fn round(value: f64, scale: f64) -> f64 {
    let size = value.abs();
    let scaled = size * scale;
    let mut whole = scaled as u64;
    let over = scaled - whole as f64 - 0.5;
    // Close to a tie the product's own rounding could decide: add the part that it lost.
    let over = if over.abs() < 1e-6 { over + size.mul_add(scale, -scaled) } else { over };
    if over > 0.0 || (over == 0.0 && whole & 1 == 1) {
        whole += 1;
    }
    (whole as f64 / scale).copysign(value)
}
