//! Interruptions of sources: what was not seen must not be learnt as usual.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::base::model::SourceState;
use crate::base::time::{Span, Time};

/// When which sources were down. The same in every shard.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Outages {
    open: BTreeMap<Arc<str>, Time>,
    /// Oldest first.
    over: VecDeque<(Arc<str>, Time, Time)>,
}

impl Outages {
    /// A source changed its state.
    pub fn note(&mut self, name: &Arc<str>, state: SourceState, now: Time) {
        if state == SourceState::Down {
            if self.open.len() < limits::SOURCES {
                self.open.entry(name.clone()).or_insert(now);
            }
            return;
        }
        if let Some(from) = self.open.remove(name) {
            if self.over.len() >= limits::OUTAGES {
                self.over.pop_front();
            }
            self.over.push_back((name.clone(), from, now));
        }
    }

    /// Sources that are down.
    pub fn down(&self) -> impl Iterator<Item = &Arc<str>> {
        self.open.keys()
    }

    /// From when on, `from` at the earliest, all sources that matter were heard; `None` while one of them is down.
    pub(super) fn heard_since(&self, from: Time, matters: impl Fn(&str) -> bool) -> Option<Time> {
        if self.open.keys().any(|name| matters(name)) {
            return None;
        }
        let over = self.over.iter().filter(|(name, ..)| matters(name)).map(|(_, _, to)| *to);
        Some(over.max().map_or(from, |to| to.max(from)))
    }

    /// Whether a source that `matters` was down at any time from `from` to `to`.
    pub fn touch(&self, from: Time, to: Time, matters: impl Fn(&str) -> bool) -> bool {
        let over = self.over.iter().map(|(name, a, b)| (name, *a, *b));
        let open = self.open.iter().map(|(name, a)| (name, *a, Time(i64::MAX)));
        over.chain(open).any(|(name, a, b)| a < to && b > from && matters(name))
    }

    /// For how long between two moments a source that `matters` was down.
    pub(super) fn lost(&self, from: Time, to: Time, matters: impl Fn(&str) -> bool) -> Span {
        let over = self.over.iter().map(|(name, a, b)| (name, *a, *b));
        let open = self.open.iter().map(|(name, a)| (name, *a, to));
        let within = over.chain(open).filter(|(name, a, b)| *a < to && *b > from && matters(name));
        let mut down: Vec<(Time, Time)> = within.map(|(_, a, b)| (a.max(from), b.min(to))).collect();
        down.sort_unstable();
        let (mut sum, mut reached) = (Span::ZERO, from);
        for (a, b) in down {
            sum = Span(sum.0 + (b.max(reached) - a.max(reached)).0);
            reached = reached.max(b);
        }
        sum
    }
}

/// From which sources a key's mentions come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sources {
    counts: BTreeMap<Arc<str>, u64>,
    total: u64,
}

/// After so many mentions the older half weighs half.
const HALVE_AT: u64 = 4096;

impl Sources {
    pub(super) fn add(&mut self, via: &Arc<str>) {
        if self.counts.len() >= limits::SOURCES && !self.counts.contains_key(via) {
            return;
        }
        *self.counts.entry(via.clone()).or_insert(0) += 1;
        self.total += 1;
        if self.total >= HALVE_AT {
            self.counts.values_mut().for_each(|n| *n /= 2);
            self.counts.retain(|_, n| *n > 0);
            self.total = self.counts.values().sum();
        }
    }

    /// Whether a source gave a tenth of the mentions or more. Before there are any, every one may.
    pub(super) fn matters(&self, via: &str) -> bool {
        self.total == 0 || self.counts.get(via).is_some_and(|n| n * 10 >= self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interruptions_touch_what_they_overlap() {
        let mut o = Outages::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        o.note(&a, SourceState::Down, Time(10));
        o.note(&a, SourceState::Down, Time(15));
        o.note(&a, SourceState::Up, Time(20));
        o.note(&b, SourceState::Down, Time(100));
        let touch = |from, to, who: &str| o.touch(Time(from), Time(to), |n| n == who);
        assert!(touch(0, 11, "a") && touch(19, 30, "a") && touch(12, 13, "a"));
        assert!(!touch(0, 10, "a") && !touch(20, 30, "a") && !touch(0, 11, "b"));
        assert!(touch(1000, 2000, "b"));
        assert_eq!(
            (o.lost(Time(0), Time(30), |n| n == "a"), o.lost(Time(12), Time(15), |_| true)),
            (Span(10), Span(3))
        );
        assert_eq!(o.lost(Time(0), Time(3000), |_| true), Span(2910), "no moment is lost twice");
        assert_eq!(o.heard_since(Time(12), |n| n == "a"), Some(Time(20)));
        assert_eq!(o.heard_since(Time(30), |n| n == "a"), Some(Time(30)));
        assert_eq!(o.heard_since(Time(30), |n| n == "b"), None);
        assert_eq!(o.down().map(|s| &**s).collect::<Vec<_>>(), ["b"]);
        for i in 0..1000 {
            o.note(&b, if i % 2 == 0 { SourceState::Up } else { SourceState::Down }, Time(200 + i));
        }
        assert!(o.over.len() <= limits::OUTAGES);
    }

    #[test]
    fn a_source_matters_from_a_tenth_on() {
        let mut s = Sources::default();
        assert!(s.matters("x"));
        let (x, y): (Arc<str>, Arc<str>) = ("x".into(), "y".into());
        (0..90).for_each(|_| s.add(&x));
        (0..9).for_each(|_| s.add(&y));
        assert!(s.matters("x") && !s.matters("y") && !s.matters("z"));
        (0..50_000).for_each(|_| s.add(&y));
        assert!(s.matters("y") && !s.matters("x"));
    }
}
