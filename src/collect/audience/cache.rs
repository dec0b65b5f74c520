//! What was answered about accounts, and how long that is believed. Pure: time is passed in.

use std::collections::BTreeSet;

use crate::base::hash::{HashedMap, HashedSet};
use crate::base::model::LookedUp;
use crate::base::time::{Span, Time};

/// The last answers, by the hash of the account; the oldest leave first.
pub(super) struct Cache {
    most: usize,
    fresh: Span,
    missing: Span,
    known: HashedMap<u64, LookedUp>,
    order: BTreeSet<(Time, u64)>,
    /// Answers that are in no store yet.
    unsaved: HashedSet<u64>,
    forgotten: u64,
}

/// What is known of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Hit<'c> {
    /// Nothing.
    Unknown,
    /// Nobody could tell, not long ago.
    Missing,
    /// Followers as they were not long ago.
    Fresh(&'c LookedUp),
    /// Followers as they were some time ago.
    Stale(&'c LookedUp),
}

impl Cache {
    /// Of so many accounts, whose followers are fresh for a while; one that nobody can tell of is
    /// missing for another.
    pub(super) fn new(most: usize, fresh: Span, missing: Span) -> Cache {
        let (known, order, unsaved) = (HashedMap::default(), BTreeSet::new(), HashedSet::default());
        Cache { most, fresh, missing, known, order, unsaved, forgotten: 0 }
    }

    pub(super) fn look(&self, key: u64, now: Time) -> Hit<'_> {
        let Some(found) = self.known.get(&key) else { return Hit::Unknown };
        // an answer of the future was noted by a wrong clock
        let within = |span: Span| (Span::ZERO..span).contains(&(now - found.at));
        match found.followers {
            Some(_) if within(self.fresh) => Hit::Fresh(found),
            Some(_) => Hit::Stale(found),
            None if within(self.missing) => Hit::Missing,
            None => Hit::Unknown,
        }
    }

    /// What was answered just now.
    pub(super) fn put(&mut self, key: u64, answer: LookedUp) {
        self.unsaved.insert(key);
        self.keep(key, answer);
    }

    /// What was answered before a restart, unless something newer is known.
    pub(super) fn remember(&mut self, key: u64, answer: LookedUp) {
        if self.known.get(&key).is_none_or(|known| known.at < answer.at) {
            self.keep(key, answer);
        }
    }

    fn keep(&mut self, key: u64, answer: LookedUp) {
        self.order.insert((answer.at, key));
        let at = answer.at;
        if let Some(before) = self.known.insert(key, answer).filter(|b| b.at != at) {
            self.order.remove(&(before.at, key));
        }
        while self.known.len() > self.most {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            self.known.remove(&oldest);
            self.unsaved.remove(&oldest);
            self.forgotten += 1;
        }
    }

    /// Some answers that are in no store yet; from now on they are taken to be.
    pub(super) fn take_unsaved(&mut self, most: usize) -> Vec<LookedUp> {
        let keys: Vec<u64> = self.unsaved.iter().take(most).copied().collect();
        let of = |key| {
            self.unsaved.remove(&key);
            self.known.get(&key).cloned()
        };
        keys.into_iter().filter_map(of).collect()
    }

    /// These are in no store after all.
    pub(super) fn not_saved(&mut self, keys: impl Iterator<Item = u64>) {
        let Cache { known, unsaved, .. } = self;
        unsaved.extend(keys.filter(|k| known.contains_key(k)));
    }

    /// Answers forgotten because of the limit.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn answer(account: &str, at: i64, followers: Option<u64>) -> LookedUp {
        LookedUp { account: account.into(), at: Time(at), followers, name: None }
    }

    fn cache(most: usize) -> Cache {
        Cache::new(most, Span(24 * HOUR), Span(6 * HOUR))
    }

    #[test]
    fn answers_are_fresh_for_a_day_then_stale_and_missing_ones_for_six_hours() {
        let mut c = cache(10);
        c.put(1, answer("a", HOUR, Some(7)));
        c.put(2, answer("b", HOUR, None));
        let kind = |c: &Cache, key, at| match c.look(key, Time(at)) {
            Hit::Unknown => "unknown",
            Hit::Missing => "missing",
            Hit::Fresh(l) => ["", "fresh"][usize::from(l.followers == Some(7))],
            Hit::Stale(l) => ["", "stale"][usize::from(l.followers == Some(7))],
        };
        assert_eq!(
            (kind(&c, 1, HOUR), kind(&c, 1, 25 * HOUR - 1), kind(&c, 1, 25 * HOUR)),
            ("fresh", "fresh", "stale")
        );
        assert_eq!(
            (kind(&c, 2, HOUR), kind(&c, 2, 7 * HOUR - 1), kind(&c, 2, 7 * HOUR)),
            ("missing", "missing", "unknown")
        );
        assert_eq!(
            (kind(&c, 3, HOUR), kind(&c, 1, 0), kind(&c, 2, 0)),
            ("unknown", "stale", "unknown"),
            "a clock gone back"
        );
    }

    #[test]
    fn the_oldest_answers_leave_and_newer_ones_are_believed() {
        let mut c = cache(3);
        (0..5).for_each(|k| c.put(k, answer(&k.to_string(), k as i64, Some(k))));
        assert_eq!((c.known.len(), c.order.len(), c.forgotten()), (3, 3, 2));
        assert_eq!((c.look(1, Time(9)), c.look(4, Time(9))), (Hit::Unknown, Hit::Fresh(&answer("4", 4, Some(4)))));
        // asked again, it is not the oldest any more
        c.put(2, answer("2", 9, Some(20)));
        c.put(5, answer("5", 10, Some(5)));
        assert_eq!((c.look(3, Time(10)), c.order.len()), (Hit::Unknown, 3));
        c.remember(2, answer("2", 8, Some(1)));
        assert_eq!((c.look(2, Time(10)), c.order.len()), (Hit::Fresh(&answer("2", 9, Some(20))), 3));
    }

    #[test]
    fn what_is_to_be_saved_is_given_once_and_again_if_it_was_not() {
        let mut c = cache(3);
        c.remember(9, answer("9", 0, Some(1)));
        (0..5).for_each(|k| c.put(k, answer(&k.to_string(), 1 + k as i64, None)));
        let mut given: Vec<i64> = c.take_unsaved(2).iter().map(|a| a.at.0).collect();
        given.extend(c.take_unsaved(9).iter().map(|a| a.at.0));
        given.sort_unstable();
        assert_eq!(given, [3, 4, 5], "only what is still known");
        assert!(c.take_unsaved(9).is_empty());
        c.not_saved([4, 0].into_iter());
        assert_eq!(c.take_unsaved(9), [answer("4", 5, None)]);
    }
}
