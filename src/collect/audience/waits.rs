//! Accounts that wait to be asked for: those of which nothing is known before those of which more is
//! to be known, the newest first. Pure: time is passed in.

use std::collections::VecDeque;

use crate::base::hash::HashedSet;
use crate::base::time::{Span, Time};

/// An account that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Wait {
    /// The hash of its DID.
    pub(super) key: u64,
    /// Its DID.
    pub(super) did: Box<str>,
    /// Since when, by uptime.
    pub(super) since: Time,
    /// Whether something is known of it already.
    pub(super) again: bool,
}

/// All that wait, those included that are being asked for.
pub(super) struct Waits {
    most: usize,
    first: VecDeque<Wait>,
    again: VecDeque<Wait>,
    /// Parts of what a server refused or failed at, to be asked for apart; the last comes next.
    apart: Vec<Vec<Wait>>,
    /// Everybody in the above or being asked for: nobody waits twice.
    keys: HashedSet<u64>,
    left_out: u64,
    expired: u64,
}

impl Waits {
    /// Room for so many.
    pub(super) fn new(most: usize) -> Waits {
        let (first, again, apart) = (VecDeque::new(), VecDeque::new(), Vec::new());
        Waits { most, first, again, apart, keys: HashedSet::default(), left_out: 0, expired: 0 }
    }

    pub(super) fn holds(&self, key: u64) -> bool {
        self.keys.contains(&key)
    }

    /// Lets an account wait that does not yet. Where there is no room the oldest is left out, those
    /// first of which something is known.
    pub(super) fn put(&mut self, wait: Wait) {
        if !self.keys.insert(wait.key) {
            return;
        }
        let queue = if wait.again { &mut self.again } else { &mut self.first };
        queue.push_back(wait);
        if self.first.len() + self.again.len() > self.most
            && let Some(oldest) = self.again.pop_front().or_else(|| self.first.pop_front())
        {
            self.keys.remove(&oldest.key);
            self.left_out += 1;
        }
    }

    /// The next ones to be asked for, at most so many. They go on being held.
    pub(super) fn take(&mut self, most: usize) -> Vec<Wait> {
        if let Some(part) = self.apart.pop() {
            return part;
        }
        let newest = || self.first.pop_back().or_else(|| self.again.pop_back());
        std::iter::from_fn(newest).take(most).collect()
    }

    /// These are asked for next, together.
    pub(super) fn put_together(&mut self, part: Vec<Wait>) {
        if !part.is_empty() {
            self.apart.push(part);
        }
    }

    /// These are asked for next, in halves: what is wrong with one must not cost the others.
    pub(super) fn put_apart(&mut self, mut part: Vec<Wait>) {
        let half = part.split_off(part.len() / 2);
        self.put_together(half);
        self.put_together(part);
    }

    /// This one is asked for after all others; where there is no room, not at all.
    pub(super) fn put_last(&mut self, wait: Wait) {
        if self.first.len() + self.again.len() >= self.most {
            self.keys.remove(&wait.key);
            self.left_out += 1;
        } else {
            self.again.push_front(wait);
        }
    }

    /// One that was asked for does not wait any more.
    pub(super) fn done(&mut self, key: u64) {
        self.keys.remove(&key);
    }

    /// Those who have waited for longer than this leave.
    pub(super) fn expire(&mut self, now: Time, patience: Span) {
        let Waits { first, again, apart, keys, expired, .. } = self;
        let mut stays = |w: &Wait| {
            let stays = now - w.since <= patience;
            if !stays {
                keys.remove(&w.key);
                *expired += 1;
            }
            stays
        };
        first.retain(&mut stays);
        again.retain(&mut stays);
        apart.iter_mut().for_each(|part| part.retain(&mut stays));
        apart.retain(|part| !part.is_empty());
    }

    fn all(&self) -> impl Iterator<Item = &Wait> {
        self.first.iter().chain(&self.again).chain(self.apart.iter().flatten())
    }

    /// How many wait, those left out that are being asked for.
    pub(super) fn len(&self) -> usize {
        self.first.len() + self.again.len() + self.apart.iter().map(Vec::len).sum::<usize>()
    }

    /// Since when the oldest waits, by uptime.
    pub(super) fn oldest(&self) -> Option<Time> {
        self.all().map(|w| w.since).min()
    }

    /// How many were left out because there was no room.
    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// How many left because they waited too long.
    pub(super) fn expired(&self) -> u64 {
        self.expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(key: u64, again: bool) -> Wait {
        Wait { key, did: key.to_string().into(), since: Time(key as i64), again }
    }

    fn keys(waits: &mut Waits, most: usize) -> Vec<u64> {
        waits.take(most).iter().map(|w| w.key).collect()
    }

    #[test]
    fn the_newest_unknown_ones_come_first_and_the_oldest_known_ones_are_left_out() {
        let mut w = Waits::new(4);
        for key in [10, 11, 1, 2] {
            w.put(wait(key, key >= 10));
        }
        w.put(wait(3, false));
        w.put(wait(3, false));
        assert!(!w.holds(10) && w.holds(11) && w.left_out() == 1 && w.len() == 4);
        w.put(wait(4, false));
        w.put(wait(5, false));
        assert_eq!((w.left_out(), w.oldest()), (3, Some(Time(2))), "then the oldest of all");
        w.put(wait(12, true));
        assert!(!w.holds(12) && w.left_out() == 4, "nobody unknown leaves for it");
        assert_eq!(keys(&mut w, 3), [5, 4, 3]);
        w.put(wait(12, true));
        assert!(w.holds(5), "while it is asked for");
        w.put(wait(5, false));
        w.done(4);
        w.put(wait(4, false));
        assert_eq!(keys(&mut w, 9), [4, 2, 12]);
        assert_eq!((w.len(), w.oldest()), (0, None));
    }

    #[test]
    fn parts_are_halved_and_come_before_others() {
        let mut w = Waits::new(9);
        (1..6).for_each(|k| w.put(wait(k, false)));
        let five = w.take(5);
        w.put(wait(9, false));
        w.put_apart(five);
        assert_eq!((keys(&mut w, 9), w.len()), (vec![5, 4], 4));
        let three = w.take(1);
        assert_eq!(three.len(), 3, "together, whatever their number");
        w.put_together(three);
        let last = w.take(9).remove(2);
        w.put(wait(7, true));
        w.put_last(last);
        assert_eq!((keys(&mut w, 1), keys(&mut w, 1), keys(&mut w, 9)), (vec![9], vec![7], vec![1]));
    }

    #[test]
    fn who_waited_too_long_leaves_wherever_it_is_and_may_come_again() {
        let mut w = Waits::new(9);
        (1..5).for_each(|k| w.put(wait(k, k == 1)));
        let two = w.take(2);
        w.put_apart(two);
        w.expire(Time(12), Span(9));
        assert_eq!((w.len(), w.expired(), w.oldest()), (2, 2, Some(Time(3))));
        w.put(wait(2, false));
        w.expire(Time(99), Span(9));
        assert_eq!((w.len(), w.expired(), keys(&mut w, 9)), (0, 5, vec![]));
        assert!(!(1..5).any(|k| w.holds(k)));
    }
}
