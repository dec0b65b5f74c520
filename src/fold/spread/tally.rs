//! How many posts came from where, for a few names.

use serde::{Deserialize, Serialize};

use crate::base::limits;

/// Posts by name; names beyond the limit are counted as one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::fold) struct Tally {
    names: Vec<(Box<str>, u64)>,
    others: u64,
}

impl Tally {
    pub(super) fn add(&mut self, name: &str) {
        let name = name.get(..name.floor_char_boundary(limits::NAME_OF_STORY_BYTES)).unwrap_or(name);
        let room = self.names.len() < limits::NAMES_PER_STORY;
        match self.names.iter_mut().find(|(n, _)| **n == *name) {
            Some((_, count)) => *count += 1,
            None if room => self.names.push((name.into(), 1)),
            None => self.others += 1,
        }
    }

    /// Names with the number of their posts, most first; of equals the first seen.
    pub(in crate::fold) fn most(&self) -> Vec<(Box<str>, u64)> {
        let mut out = self.names.clone();
        out.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_make_it_long() {
        let mut t = Tally::default();
        for i in 0..1000 {
            t.add(&format!("n{i}"));
            t.add("n1");
        }
        assert_eq!(t.most().len(), limits::NAMES_PER_STORY);
        assert_eq!(t.most()[0], ("n1".into(), 1001));
        assert_eq!(t.others as usize, 1000 - limits::NAMES_PER_STORY);
    }
}
