//! The rules: the valence of each word from the words around it, and the turn at a "but".

use super::lexicon::{Role, UNKNOWN, Word};
use super::tokens::Token;
use std::collections::BTreeSet;

/// A negation multiplies by this.
const TURN: f64 = -0.74;
/// What capitals add, where only a part of the words is in capitals.
const CAPITALS: f64 = 0.733;
const LOWER: f64 = -0.293;
/// How a booster fades with the distance from its word.
const FADE: [f64; 3] = [1.0, 0.95, 0.9];
/// Up to so many valued words the plain search of `turn_at_but` is the faster one.
const FEW: usize = 48;

/// A word with a valence that is not 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Valued {
    /// Its place among the words of the text.
    pub(super) at: usize,
    /// Its valence after the rules.
    pub(super) value: f64,
}

/// The valences of a text.
pub(super) struct Scored {
    /// The words with a valence in their order; all others count as neutral.
    pub(super) valued: Vec<Valued>,
    /// Words that the lexicon had, those too whose valence became 0.
    pub(super) hits: u32,
}

/// Applies all rules to the words of a text.
pub(super) fn score(tokens: &[Token]) -> Scored {
    let capitals = tokens.iter().filter(|token| token.upper).count();
    let view = View { tokens, mixed: capitals > 0 && capitals < tokens.len() };
    let mut scored = Scored { valued: Vec::new(), hits: 0 };
    let mut but = None;
    for (at, token) in tokens.iter().enumerate() {
        if token.word.role == Role::But && but.is_none() {
            but = Some(at);
        }
        if !token.word.listed || (token.word.role == Role::Kind && view.ahead(at, 1).role == Role::Of) {
            continue;
        }
        scored.hits += 1;
        let value = view.valence(at, *token);
        if value != 0.0 {
            scored.valued.push(Valued { at, value });
        }
    }
    if let Some(but) = but {
        turn_at_but(&mut scored.valued, but);
    }
    scored
}

/// The words of a text, and whether some but not all of them are in capitals.
struct View<'a> {
    tokens: &'a [Token],
    mixed: bool,
}

impl View<'_> {
    fn back(&self, at: usize, steps: usize) -> &'static Word {
        at.checked_sub(steps).and_then(|place| self.tokens.get(place)).map_or(&UNKNOWN, |token| token.word)
    }

    fn ahead(&self, at: usize, steps: usize) -> &'static Word {
        self.tokens.get(at + steps).map_or(&UNKNOWN, |token| token.word)
    }

    /// The valence of one word of the lexicon.
    fn valence(&self, at: usize, token: Token) -> f64 {
        let before = [self.back(at, 1), self.back(at, 2), self.back(at, 3)];
        let mut value = self.after_no(at, token.word, before);
        // A valence of 0 too moves down.
        if token.upper && self.mixed {
            value += if value > 0.0 { CAPITALS } else { -CAPITALS };
        }
        for ((steps, word), fade) in (1..).zip(before).zip(FADE) {
            let Some(neighbour) = at.checked_sub(steps).and_then(|place| self.tokens.get(place)) else {
                break;
            };
            if word.listed {
                continue;
            }
            value += self.boost(*neighbour, value) * fade;
            value *= negation(steps, before);
            if steps == 3 {
                value = self.idioms(at, token.word, before, value);
            }
        }
        let [one, two, _] = before;
        if one.role == Role::Least && !matches!(two.role, Role::At | Role::Very) {
            value *= TURN;
        }
        value
    }

    /// The valence of a word itself, with the rules for "no" near to it or as the word.
    fn after_no(&self, at: usize, word: &Word, before: [&Word; 3]) -> f64 {
        let [one, two, three] = before.map(|word| word.role);
        if one == Role::No || two == Role::No || (three == Role::No && matches!(one, Role::Or | Role::Nor)) {
            word.valence * TURN
        } else if word.role == Role::No && self.ahead(at, 1).listed {
            0.0
        } else {
            word.valence
        }
    }

    /// What a booster adds to the value: away from 0, or towards it for a dampener.
    fn boost(&self, booster: Token, value: f64) -> f64 {
        if booster.word.boost == 0.0 {
            return 0.0;
        }
        let boost = if value < 0.0 { -booster.word.boost } else { booster.word.boost };
        match booster.upper && self.mixed {
            false => boost,
            true if value > 0.0 => boost + CAPITALS,
            true => boost - CAPITALS,
        }
    }

    /// Phrases with a valence of their own. They are looked for only behind three or more words.
    fn idioms(&self, at: usize, word: &Word, before: [&Word; 3], value: f64) -> f64 {
        let this = word.role;
        let [one, two, three] = before.map(|word| word.role);
        let (next, after) = (self.ahead(at, 1).role, self.ahead(at, 2).role);
        let behind = pair(one, this)
            .or_else(|| triple(two, one, this))
            .or_else(|| pair(two, one))
            .or_else(|| triple(three, two, one))
            .or_else(|| pair(three, two));
        // Phrases that reach ahead win over those, the longer over the shorter.
        let mut value = triple(this, next, after).or_else(|| pair(this, next)).or(behind).unwrap_or(value);
        for lowering in [(three, two), (two, one)] {
            if matches!(lowering, (Role::Kind | Role::Sort, Role::Of) | (Role::Just, Role::Enough)) {
                value += LOWER;
            }
        }
        value
    }
}

/// The factor for a negation one, two or three words back.
fn negation(steps: usize, before: [&Word; 3]) -> f64 {
    let [one, two, three] = before;
    let so = |word: &Word| matches!(word.role, Role::So | Role::This);
    let (word, strengthened, doubt) = match steps {
        1 => (one, false, false),
        2 => (two, two.role == Role::Never && so(one), one.role == Role::Doubt),
        // Here a "so" or "this" right before the word does it alone, without a "never".
        _ => (
            three,
            (three.role == Role::Never && so(two)) || so(one),
            two.role == Role::Doubt || one.role == Role::Doubt,
        ),
    };
    if strengthened {
        1.25
    } else if word.negates && !(word.role == Role::Without && doubt) {
        TURN
    } else {
        1.0
    }
}

fn pair(first: Role, second: Role) -> Option<f64> {
    match (first, second) {
        (Role::The, Role::Shit | Role::Bomb) => Some(3.0),
        (Role::Bad, Role::Ass) => Some(1.5),
        (Role::Bus, Role::Stop) => Some(0.0),
        (Role::Yeah, Role::Right) => Some(-2.0),
        (Role::Beating, Role::Heart) => Some(3.5),
        _ => None,
    }
}

fn triple(first: Role, second: Role, third: Role) -> Option<f64> {
    match (first, second, third) {
        (Role::Kiss, Role::Of, Role::Death) => Some(-1.5),
        (Role::To, Role::Die, Role::For) => Some(3.0),
        _ => None,
    }
}

/// Halves what stands before the first "but" and raises what stands behind it, with the flaw of the original:
/// each step takes a value and changes the first word that has this value by then, which may be another word.
/// Values of 0 stay 0 and need no step.
pub(super) fn turn_at_but(valued: &mut [Valued], but: usize) {
    let factor = |at: usize| if at < but { 0.5 } else { 1.5 };
    if valued.len() <= FEW {
        for step in 0..valued.len() {
            let wanted = valued.get(step).map(|word| word.value);
            if let Some(first) = valued.iter_mut().find(|word| Some(word.value) == wanted) {
                first.value *= factor(first.at);
            }
        }
        return;
    }
    // The same with the places in order under each value: no search through all words.
    let mut places: BTreeSet<(u64, usize)> =
        valued.iter().enumerate().map(|(place, word)| (word.value.to_bits(), place)).collect();
    for step in 0..valued.len() {
        let Some(wanted) = valued.get(step).map(|word| word.value.to_bits()) else {
            break;
        };
        let Some(&(_, place)) = places.range((wanted, 0)..).next() else {
            continue;
        };
        if let Some(first) = valued.get_mut(place) {
            places.remove(&(wanted, place));
            first.value *= factor(first.at);
            places.insert((first.value.to_bits(), place));
        }
    }
}
