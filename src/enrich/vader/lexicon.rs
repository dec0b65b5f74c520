//! The word table: valences, boosters, negations and the words that a rule names.

use std::sync::LazyLock;

/// The lexicon with its licence notice; rows are told from the notice by their tab.
const LEXICON: &str = include_str!("lexicon.tsv");
/// A word takes part only up to this many bytes: one less than a key, whose last byte is the length.
pub(super) const LONGEST: usize = size_of::<Key>() - 1;
/// Slots of the hash table, a power of two, about twice the words.
const SLOTS: usize = 1 << 14;
const RAISE: f64 = 0.293;

const RAISING: &str = "absolutely amazingly awfully completely considerable considerably decidedly deeply effing \
    enormous enormously entirely especially exceptional exceptionally extreme extremely fabulously flipping flippin \
    frackin fracking fricking frickin frigging friggin fully fuckin fucking fuggin fugging greatly hella highly \
    hugely incredible incredibly intensely major majorly more most particularly purely quite really remarkably so \
    substantially thoroughly total totally tremendous tremendously uber unbelievably unusually utter utterly very";

const LOWERING: &str = "almost barely hardly kinda kindof kind-of less little marginal marginally occasional \
    occasionally partly scarce scarcely slight slightly somewhat sorta sortof sort-of";

/// Negations; those with "n't" are found by that part alone.
const NEGATING_WORDS: &str = "aint arent cannot cant couldnt darent didnt doesnt dont hadnt hasnt havent isnt mightnt \
    mustnt neither neednt never none nope nor not nothing nowhere oughtnt shant shouldnt uhuh uh-uh wasnt werent \
    without wont wouldnt rarely seldom despite";

const ROLES: &[(&str, Role)] = &[
    ("no", Role::No),
    ("or", Role::Or),
    ("nor", Role::Nor),
    ("but", Role::But),
    ("kind", Role::Kind),
    ("of", Role::Of),
    ("least", Role::Least),
    ("at", Role::At),
    ("very", Role::Very),
    ("so", Role::So),
    ("this", Role::This),
    ("never", Role::Never),
    ("without", Role::Without),
    ("doubt", Role::Doubt),
    ("the", Role::The),
    ("shit", Role::Shit),
    ("bomb", Role::Bomb),
    ("bad", Role::Bad),
    ("ass", Role::Ass),
    ("bus", Role::Bus),
    ("stop", Role::Stop),
    ("yeah", Role::Yeah),
    ("right", Role::Right),
    ("kiss", Role::Kiss),
    ("death", Role::Death),
    ("to", Role::To),
    ("die", Role::Die),
    ("for", Role::For),
    ("beating", Role::Beating),
    ("heart", Role::Heart),
    ("sort", Role::Sort),
    ("just", Role::Just),
    ("enough", Role::Enough),
];

/// Words that a rule asks for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Other,
    No,
    Or,
    Nor,
    But,
    Kind,
    Of,
    Least,
    At,
    Very,
    So,
    This,
    Never,
    Without,
    Doubt,
    The,
    Shit,
    Bomb,
    Bad,
    Ass,
    Bus,
    Stop,
    Yeah,
    Right,
    Kiss,
    Death,
    To,
    Die,
    For,
    Beating,
    Heart,
    Sort,
    Just,
    Enough,
}

/// What is known of one word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Word {
    /// Mean valence in the lexicon, -4 to 4; 0 outside it.
    pub(super) valence: f64,
    /// What it adds to the strength of a word behind it: 0.293, -0.293 or 0.
    pub(super) boost: f64,
    /// Whether the lexicon has it.
    pub(super) listed: bool,
    /// Whether it turns the word behind it round.
    pub(super) negates: bool,
    /// Its part in the rules that name it.
    pub(super) role: Role,
}

/// A word that nothing is known of.
pub(super) static UNKNOWN: Word = Word { valence: 0.0, boost: 0.0, listed: false, negates: false, role: Role::Other };
/// A word outside the table with "n't" in it.
pub(super) static NEGATING: Word = Word { negates: true, ..UNKNOWN };

/// One place of the hash table: the upper bits of the hash, and the number of the word plus one (0 is free).
#[derive(Clone, Copy, Default)]
struct Slot {
    tag: u16,
    entry: u16,
}

type Key = [u64; 3];

struct Table {
    slots: Box<[Slot]>,
    entries: Vec<(Key, Word)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

/// Looks up the word of `length` bytes that `text` begins with, in any ASCII case.
#[inline]
pub(super) fn find(text: &[u8], length: usize) -> Option<&'static Word> {
    if length > LONGEST {
        return None;
    }
    let table: &'static Table = &TABLE;
    let key = key(text, length);
    let (at, tag) = place(&key);
    let entry = table.entry(&key, at, tag)?;
    table.entries.get(entry).map(|(_, word)| word)
}

/// Packs a word of up to `LONGEST` bytes in lower case and its length into three numbers.
#[inline]
fn key(text: &[u8], length: usize) -> Key {
    // What follows the word in the text is read too and masked: cheaper than a copy of just the word.
    let part = |place: usize| {
        let rest = text.get(place * 8..).unwrap_or_default();
        let part = match rest.first_chunk::<8>() {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => rest.iter().rev().fold(0, |part, &byte| part << 8 | u64::from(byte)),
        };
        lower(part) & first_bytes(length.saturating_sub(place * 8))
    };
    // A NUL is no padding: without the length a word followed by one would equal the word.
    let tail = (length as u64) << 56;
    if length <= 8 { [part(0), 0, tail] } else { [part(0), part(1), part(2) | tail] }
}

/// Eight bytes with their ASCII capitals made small: all at once, as a loop over the bytes costs most of a lookup.
#[inline]
fn lower(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = bytes & (EACH * 0x7f);
    // The top bit of a byte is set from "A" on, and again from behind "Z" on.
    let from_a = low + EACH * (0x80 - b'A' as u64);
    let behind_z = low + EACH * (0x7f - b'Z' as u64);
    let capital = (from_a ^ behind_z) & !bytes & (EACH * 0x80);
    bytes | (capital >> 2)
}

/// A mask of the first bytes of eight.
#[inline]
fn first_bytes(count: usize) -> u64 {
    if count >= 8 { u64::MAX } else { (1 << (count * 8)) - 1 }
}

/// Where the search for a key starts, and its tag.
#[inline]
fn place(key: &Key) -> (usize, u16) {
    const ODD: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9];
    let [first, second, third] = *key;
    let mixed = first.wrapping_mul(ODD[0]) ^ second.wrapping_mul(ODD[1]) ^ third.wrapping_mul(ODD[2]);
    let hash = (mixed ^ (mixed >> 32)).wrapping_mul(ODD[0]);
    ((hash >> 32) as usize, (hash >> 48) as u16)
}

impl Table {
    fn build() -> Table {
        let mut table = Table { slots: vec![Slot::default(); SLOTS].into_boxed_slice(), entries: Vec::new() };
        for (word, valence) in rows() {
            // Texts are looked up in lower case, word by word: other rows can never match.
            if !word.contains(|c: char| c == ' ' || c.is_ascii_uppercase() || !c.is_ascii()) {
                table.change(word, |entry| (entry.valence, entry.listed) = (valence, true));
            }
        }
        RAISING.split_whitespace().for_each(|word| table.change(word, |entry| entry.boost = RAISE));
        LOWERING.split_whitespace().for_each(|word| table.change(word, |entry| entry.boost = -RAISE));
        NEGATING_WORDS.split_whitespace().for_each(|word| table.change(word, |entry| entry.negates = true));
        ROLES.iter().for_each(|(word, role)| table.change(word, |entry| entry.role = *role));
        table
    }

    /// Applies a change to the entry of a word, which is made when missing.
    fn change(&mut self, word: &str, edit: impl FnOnce(&mut Word)) {
        if word.len() > LONGEST {
            return;
        }
        let key = key(word.as_bytes(), word.len());
        let (at, tag) = place(&key);
        let number = self.entry(&key, at, tag).unwrap_or(self.entries.len());
        if number == self.entries.len() {
            // One slot always stays free, so that a search ends.
            if number + 1 >= SLOTS {
                return;
            }
            self.entries.push((key, UNKNOWN));
            let free = (at..at + SLOTS).map(|slot| slot % SLOTS);
            for slot in free {
                if let Some(slot) = self.slots.get_mut(slot).filter(|slot| slot.entry == 0) {
                    *slot = Slot { tag, entry: (number + 1) as u16 };
                    break;
                }
            }
        }
        if let Some((_, entry)) = self.entries.get_mut(number) {
            edit(entry);
        }
    }

    /// The number of the entry with this key.
    #[inline]
    fn entry(&self, key: &Key, at: usize, tag: u16) -> Option<usize> {
        let mut at = at % SLOTS;
        loop {
            let slot = self.slots.get(at)?;
            let number = usize::from(slot.entry).checked_sub(1)?;
            if slot.tag == tag && self.entries.get(number).is_some_and(|(known, _)| known == key) {
                return Some(number);
            }
            at = (at + 1) % SLOTS;
        }
    }
}

/// The rows of the lexicon in their order.
pub(super) fn rows() -> impl Iterator<Item = (&'static str, f64)> {
    LEXICON.lines().filter_map(|line| {
        let (word, valence) = line.split_once('\t')?;
        Some((word, valence.parse().ok()?))
    })
}
