//! How a frame can end. Every frame ends in exactly one outcome; outcomes sum to frames.

use serde::{Deserialize, Serialize};

macro_rules! outcomes {
    ($($variant:ident $name:literal $help:literal,)*) => {
        /// The one end of a frame.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum Outcome { $(#[doc = $help] $variant,)* }

        impl Outcome {
            /// All outcomes, in the order of their counters.
            pub const ALL: &[Outcome] = &[$(Outcome::$variant,)*];

            /// The word used in metrics, logs and docs.
            pub fn name(self) -> &'static str {
                match self { $(Outcome::$variant => $name,)* }
            }

            /// Whether something was counted or changed because of it.
            pub fn enters(self) -> bool {
                matches!(
                    self,
                    Outcome::Mention | Outcome::Share | Outcome::Reply | Outcome::Own | Outcome::Delete | Outcome::Edit
                )
            }

            /// What it means, in one line.
            pub fn help(self) -> &'static str {
                match self { $(Outcome::$variant => $help,)* }
            }
        }
    };
}

outcomes! {
    Mention "mention" "matches at least one brand and was counted",
    Share "share" "repeats or quotes a tracked post without naming the brand; counted as a mention and in its story",
    Reply "reply" "answers a tracked post without naming the brand; counted in its story only",
    Own "own" "written by a brand's own account about nobody else; an answer in its story, no mention",
    Staff "staff" "written by staff of the only brands it concerns; ignored",
    Delete "delete" "deletes a tracked post or account; its text is removed, its counts stay",
    Edit "edit" "edits a tracked post; its own contribution was replaced",
    Duplicate "duplicate" "a repeat of a counted post, by source and id; changed nothing",
    Unmatched "unmatched" "names no brand and refers to nothing",
    Unrelated "unrelated" "names no brand and refers to posts or links nobody tracks",
    Profile "profile" "an account or identity event about nobody tracked",
    Ignored "ignored" "well formed, but of a kind that is not read: likes, follows, blocks, other collections",
    Late "late" "older than every window kept; counted nowhere",
    BadTime "bad_time" "a time far ahead of the recording that the next line did not confirm",
    Malformed "malformed" "not the format it should be: bad UTF-8, bad JSON, a missing or mistyped key",
    Oversize "oversize" "longer than a frame may be",
}

/// Counters of outcomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Outcomes([u64; Outcome::ALL.len()]);

impl Outcomes {
    /// Counts one frame.
    pub fn add(&mut self, o: Outcome) {
        self.0[o as usize] += 1;
    }

    /// Adds all counts of another.
    pub fn merge(&mut self, other: &Outcomes) {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a += b);
    }

    /// The count of one outcome.
    pub fn get(&self, o: Outcome) -> u64 {
        self.0[o as usize]
    }

    /// Frames that ended so far.
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Outcomes that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL.iter().map(|o| (*o, self.get(*o))).filter(|(_, n)| *n > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stand_in_the_order_of_all() {
        let mut c = Outcomes::default();
        for (i, o) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*o as usize, i);
            c.add(*o);
        }
        assert_eq!(c.sum(), Outcome::ALL.len() as u64);
    }
}
