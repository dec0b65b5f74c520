//! Near-identical texts are one: each text is known by the first one like it.
//!
//! Candidates are found by pairs among the four smallest hashes of a text, which few other texts
//! have, and then compared. Of two texts with 90 % of their pieces in common about one in 270
//! shares no pair and is missed; with 95 % one in 2,000.
//!
//! A text that several accounts say within minutes is passed on, not said anew: then its copies
//! belong to the story of the first. Short texts are left out, since people come to the same few
//! words by themselves.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::limits;
use crate::base::model::{AccountId, PostId, Sketch, StoryId};
use crate::base::recent::Recent;
use crate::base::time::Time;

/// From this similarity on two texts are one.
const ALIKE: f64 = 0.9;
/// Pairs by which candidates are found.
const WAYS: usize = 6;

/// Texts by what they are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Texts {
    /// The text that last showed a smallest hash.
    places: Recent<u64>,
    texts: Recent<Text>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Text {
    sketch: Sketch,
    copies: Option<Box<Copies>>,
}

/// Who says a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Copies {
    /// The story of the first who did.
    story: StoryId,
    /// Different accounts, at most [`limits::COPY_ACCOUNTS`], those who said it last and when that was.
    accounts: SmallVec<[(AccountId, Time); limits::COPY_ACCOUNTS + 1]>,
}

/// What texts were, in the version of snapshots before.
#[derive(Deserialize)]
pub(super) struct TextsBefore {
    places: Recent<u64>,
    sketches: Recent<Sketch>,
}

impl From<TextsBefore> for Texts {
    fn from(before: TextsBefore) -> Texts {
        Texts { places: before.places, texts: before.sketches.map(|sketch| Text { sketch, copies: None }) }
    }
}

impl Texts {
    pub(super) fn new() -> Texts {
        Texts { places: Recent::new(limits::TEXTS * WAYS), texts: Recent::new(limits::TEXTS) }
    }

    /// The first text like this one, or this one itself.
    pub(super) fn assign(&mut self, sketch: &Sketch, post: PostId) -> u64 {
        let places = places(sketch);
        for place in &places {
            let Some(id) = self.places.get_mut(*place).copied() else { continue };
            if self.texts.get_mut(id).is_some_and(|known| known.sketch.similarity(sketch) >= ALIKE) {
                return id;
            }
        }
        for place in places {
            self.places.insert(place, post.0);
        }
        self.texts.insert(post.0, Text { sketch: sketch.clone(), copies: None });
        post.0
    }

    /// The story that copies of a text belong to, if with this account enough said it lately.
    pub(super) fn story(&self, text: u64, account: AccountId, at: Time) -> Option<StoryId> {
        let copies = self.texts.peek(text)?.copies.as_ref()?;
        let (since, until) = (at - limits::COPIED_WITHIN, at + limits::COPIED_WITHIN);
        let lately = |(other, said): &&(AccountId, Time)| *other != account && *said >= since && *said <= until;
        let others = copies.accounts.iter().filter(lately).count();
        (others + 1 >= limits::COPY_ACCOUNTS).then_some(copies.story)
    }

    /// An account said a text; `story` is that of its post, and of all copies if it is the first or
    /// that of the first was forgotten.
    pub(super) fn said(&mut self, text: u64, (account, at): (AccountId, Time), story: StoryId, forgotten: bool) {
        let Some(text) = self.texts.get_mut(text) else { return };
        let copies = text.copies.get_or_insert_with(|| Box::new(Copies { story, accounts: SmallVec::new() }));
        if forgotten {
            copies.story = story;
        }
        match copies.accounts.iter_mut().find(|(other, _)| *other == account) {
            Some((_, said)) => *said = at.max(*said),
            None => copies.accounts.push((account, at)),
        }
        // the latest first; of equals whoever stood there before
        copies.accounts.sort_by_key(|(_, said)| std::cmp::Reverse(*said));
        copies.accounts.truncate(limits::COPY_ACCOUNTS);
    }

    /// The story of the first who said a text.
    pub(super) fn first(&self, text: u64) -> Option<StoryId> {
        Some(self.texts.peek(text)?.copies.as_ref()?.story)
    }

    /// Texts forgotten because of the limit.
    pub(super) fn dropped(&self) -> u64 {
        self.texts.dropped()
    }
}

/// Pairs of the smallest hashes; of a text too short for pairs all of it.
fn places(sketch: &Sketch) -> SmallVec<[u64; WAYS]> {
    let Some([a, b, c, d]) = sketch.hashes().first_chunk() else {
        return smallvec::smallvec![sketch.hashes().iter().fold(1, |h, x| mix(h ^ u64::from(*x)))];
    };
    let pair = |x: &u32, y: &u32| mix(u64::from(*x) << 32 | u64::from(*y));
    smallvec::smallvec![pair(a, b), pair(a, c), pair(a, d), pair(b, c), pair(b, d), pair(c, d)]
}

fn mix(h: u64) -> u64 {
    let mut x = h.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_the_first_ones_name() {
        let mut t = Texts::new();
        let s =
            |from: u32, n: u32| Sketch::new((from..from + n).map(|i| i.wrapping_mul(2_654_435_761)).collect()).unwrap();
        assert_eq!(t.assign(&s(0, 40), PostId(1)), 1);
        assert_eq!(t.assign(&s(0, 40), PostId(2)), 1, "the same");
        assert_eq!(t.assign(&s(1, 40), PostId(3)), 1, "39 of 41");
        assert_eq!(t.assign(&s(4, 40), PostId(4)), 4, "36 of 44");
        assert_eq!(t.assign(&s(1000, 40), PostId(5)), 5);
        for k in 0..200_000 {
            t.assign(&s(5000 + k * 7, 5), PostId(100 + u64::from(k)));
        }
        assert!(t.dropped() > 0 && t.texts.len() <= limits::TEXTS && t.places.len() <= limits::TEXTS * WAYS);
    }
}
