//! What people are told about: open episodes of one key that belong together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::hash;
use crate::base::model::EpisodeId;

/// Letters and digits of codes: none is easily taken for another.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Names an incident for ever: made of its first episode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct IncidentId(pub u64);

impl IncidentId {
    /// Of the incident that an episode opens.
    pub fn of(first: EpisodeId) -> IncidentId {
        IncidentId(hash::parts(&[b"incident", &first.0.to_le_bytes()]))
    }

    /// Four characters that people say to each other; two incidents of a year may share them.
    pub fn code(self) -> String {
        self.full().get(..4).unwrap_or_default().to_string()
    }

    /// All of it, thirteen characters.
    pub fn full(self) -> String {
        let letter = |shift: u32| {
            let five = (self.0.rotate_left(5 * (shift + 1)) & 31) as usize;
            LETTERS.get(five).copied().map_or('0', char::from)
        };
        // twelve times five bits, and the last four
        let mut out: String = (0..12).map(letter).collect();
        out.push(LETTERS.get((self.0 & 15) as usize).copied().map_or('0', char::from));
        out
    }

    /// The one whose whole name this is, written as we write it; `None` where it is none.
    pub fn parse(full: &str) -> Option<IncidentId> {
        let digit = |c: &u8| LETTERS.iter().position(|l| l == c);
        let digits: Vec<u64> = full.bytes().map_while(|c| digit(&c)).map(|d| d as u64).take(14).collect();
        let (last, all) = digits.split_last().filter(|(last, all)| all.len() == 12 && **last < 16)?;
        let found = IncidentId((all.iter().fold(0, |n: u64, d| (n << 5) | d) << 4) | last);
        (found.full() == full).then_some(found)
    }

    /// Whether a text names it, by its first characters: at least four, in any case.
    pub fn is_named(self, text: &str) -> bool {
        let said: String = text.trim().to_ascii_uppercase().replace('O', "0").replace(['I', 'L'], "1");
        (4..=13).contains(&said.len()) && self.full().starts_with(&said)
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_is_in_the_name() {
        let mut all: Vec<String> = (0..64).map(|bit| IncidentId(1 << bit).full()).collect();
        all.push(IncidentId(0).full());
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 65);
        assert!(all.iter().all(|name| name.len() == 13));
        assert_eq!(IncidentId(u64::MAX).full(), "ZZZZZZZZZZZZF");
    }

    #[test]
    fn only_whole_names_are_read_back() {
        for n in (0..64).map(|bit| 1 << bit).chain([0, u64::MAX, 0x1234_5678_9abc_def0]) {
            assert_eq!(IncidentId::parse(&IncidentId(n).full()), Some(IncidentId(n)), "{n:x}");
        }
        let full = IncidentId(u64::MAX).full();
        for bad in ["", "ZZZZ", &full[1..], &full.to_lowercase(), &format!("{full}F"), "ZZZZZZZZZZZZG", "ZZZZZZZZZZZé"]
        {
            assert_eq!(IncidentId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn people_name_it_as_they_read_it() {
        let id = IncidentId::of(EpisodeId(7));
        let full = id.full();
        assert!(id.is_named(&id.code()) && id.is_named(&full.to_lowercase()) && id.is_named(&format!(" {full} ")));
        assert!(!id.is_named(&full[..3]) && !id.is_named("") && !id.is_named(&format!("{full}0")));
        assert!(IncidentId(0).is_named("oo0O"));
    }
}
