//! Sums over distinct accounts in a window: each account counts by the weight of its posts times
//! its base reach. Exact under late posts, edits, repeats and audiences learned later.
//!
//! Up to [`limits::ACCOUNTS_PER_SERIES`] accounts are held. Beyond, a sample of them is: an account
//! stays if its own random number, divided by its size, is below a threshold, so that large ones
//! are nearly always in (a weighted bottom-k sample), and counts by its value over its chance to
//! be in (Horvitz and Thompson 1952). The threshold holds until everything that was left out has
//! expired.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::hash::HashedMap;
use crate::base::limits;
use crate::base::model::Audience;

/// How the posts of one account add up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Rule {
    /// Each account counts one.
    One,
    /// Each account whose audience is known counts one.
    OneKnown,
    /// The largest weight times the base.
    Largest,
    /// The same of accounts whose audience is known.
    LargestKnown,
    /// The sum of weights times the base.
    Sum,
    /// The largest number of followers of any account.
    Followers,
}

/// One account, in the totals of [`Rule::One`]: estimates need fractions.
pub(super) const ONE: i128 = 1 << 20;

/// Followers and base reach of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Size {
    pub(super) followers: u64,
    pub(super) base: u64,
    pub(super) known: bool,
}

impl Size {
    pub(super) fn audience(self) -> Audience {
        Audience { followers: self.followers, known: self.known }
    }
}

/// How many posts of one account in one pane have which weight. Stays, empty, until its pane
/// expires.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Weights {
    pane: i64,
    counts: SmallVec<[(u32, u32); 1]>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Voice {
    size: Size,
    /// By pane.
    panes: SmallVec<[Weights; 1]>,
}

/// A threshold below which accounts are in the sample, and the last pane in which some were left
/// out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Sampled {
    threshold: f64,
    last: i64,
}

/// Accounts of a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Voices {
    rule: Rule,
    /// The most one account adds to the total.
    cap: i128,
    /// The most accounts held.
    limit: usize,
    accounts: HashedMap<u64, Voice>,
    /// Accounts with a post in a pane; may name accounts that no longer have one.
    by_pane: BTreeMap<i64, Vec<u64>>,
    total: i128,
    /// How many accounts have how many followers; for [`Rule::Followers`] only.
    followers: BTreeMap<u64, u32>,
    sampled: Option<Sampled>,
    /// The account that was left out of the sample and became large enough for it.
    readmitted: Option<u64>,
}

impl Voices {
    pub(super) fn new(rule: Rule) -> Voices {
        Voices {
            rule,
            cap: i128::MAX,
            limit: limits::ACCOUNTS_PER_SERIES,
            accounts: HashedMap::default(),
            by_pane: BTreeMap::new(),
            total: 0,
            followers: BTreeMap::new(),
            sampled: None,
            readmitted: None,
        }
    }

    /// The same with a most that one account adds, in the unit of the total.
    pub(super) fn capped(self, cap: i128) -> Voices {
        Voices { cap, ..self }
    }

    /// A post of an account falls into a pane.
    pub(super) fn add(&mut self, account: u64, size: Size, pane: i64, weight: u32) {
        if let Some(s) = &mut self.sampled
            && !self.accounts.contains_key(&account)
            && priority(self.rule, account, size) >= s.threshold
        {
            s.last = s.last.max(pane);
            return;
        }
        let mut fresh = false;
        self.change(account, |voice| {
            voice.size = size;
            fresh = voice.put(pane, weight);
        });
        if fresh {
            self.by_pane.entry(pane).or_default().push(account);
        }
        if self.accounts.len() > self.limit {
            self.thin(pane);
        }
    }

    /// A post is taken back, if its pane is kept.
    pub(super) fn remove(&mut self, account: u64, pane: i64, weight: u32) {
        if self.accounts.contains_key(&account) {
            self.change(account, |voice| voice.take_back(pane, weight));
        }
    }

    /// The account's size became known.
    pub(super) fn resize(&mut self, account: u64, size: Size) {
        self.readmitted = None;
        if !self.accounts.contains_key(&account) {
            let fits = self.sampled.is_some_and(|s| priority(self.rule, account, size) < s.threshold);
            self.readmitted = fits.then_some(account);
            return;
        }
        let out = self.sampled.is_some_and(|s| priority(self.rule, account, size) >= s.threshold);
        self.change(account, |voice| {
            voice.size = size;
            if out {
                voice.panes.clear();
            }
        });
    }

    /// A post of an account that became large enough for the sample with the last resize.
    pub(super) fn readmit(&mut self, account: u64, size: Size, pane: i64, weight: u32) {
        if self.readmitted == Some(account) {
            self.add(account, size, pane, weight);
        }
    }

    /// Whether it is estimated from a sample.
    pub(super) fn is_sampled(&self) -> bool {
        self.sampled.is_some()
    }

    /// Drops panes before `oldest`.
    pub(super) fn advance(&mut self, oldest: i64) {
        while let Some(first) = self.by_pane.first_entry() {
            if *first.key() >= oldest {
                break;
            }
            let pane = *first.key();
            for account in first.remove() {
                if self.accounts.contains_key(&account) {
                    self.change(account, |voice| voice.panes.retain(|w| w.pane != pane));
                }
            }
        }
        if self.sampled.is_some_and(|s| s.last < oldest) {
            self.sampled = None;
            self.recount();
        }
    }

    /// The value: accounts times [`ONE`], a sum of weight x base, or followers.
    pub(super) fn total(&self) -> i128 {
        match self.rule {
            Rule::Followers => self.followers.last_key_value().map_or(0, |(f, _)| i128::from(*f)),
            _ => self.total,
        }
    }

    /// What an account adds to the total.
    pub(super) fn part(&self, account: u64) -> i128 {
        self.accounts.get(&account).map_or(0, |v| self.worth(v))
    }

    /// Relative standard error of the total, where it is estimated from a sample.
    pub(super) fn error(&self) -> Option<f64> {
        let s = self.sampled?;
        // parts of the whole in whole numbers, so that no order of additions matters
        let total = (self.total as f64).max(1.0);
        let parts = self.accounts.values().map(|v| {
            let x = self.worth(v) as f64 / total;
            (x * x * (1.0 - chance(self.rule, v.size, s.threshold)) * (1u64 << 60) as f64) as u128
        });
        Some((parts.sum::<u128>() as f64 / (1u64 << 60) as f64).sqrt())
    }

    pub(super) fn first_pane(&self) -> Option<i64> {
        self.by_pane.first_key_value().map(|(p, _)| *p)
    }

    pub(super) fn last_pane(&self) -> Option<i64> {
        self.by_pane.last_key_value().map(|(p, _)| *p)
    }

    /// Keeps three quarters of the limit: those of least priority.
    fn thin(&mut self, pane: i64) {
        let mut order: Vec<f64> = self.accounts.iter().map(|(a, v)| priority(self.rule, *a, v.size)).collect();
        let keep = self.limit * 3 / 4;
        let (_, threshold, _) = order.select_nth_unstable_by(keep, f64::total_cmp);
        let threshold = *threshold;
        let rule = self.rule;
        self.accounts.retain(|a, v| priority(rule, *a, v.size) < threshold);
        let last = self.sampled.map_or(pane, |s| s.last.max(pane)).max(self.last_pane().unwrap_or(pane));
        self.sampled = Some(Sampled { threshold, last });
        self.recount();
    }

    fn recount(&mut self) {
        self.total = self.accounts.values().map(|v| self.worth(v)).sum();
        if self.rule == Rule::Followers {
            self.followers.clear();
            for f in self.accounts.values().filter_map(Voice::followers) {
                *self.followers.entry(f).or_insert(0) += 1;
            }
        }
    }

    fn worth(&self, v: &Voice) -> i128 {
        let worth = v.worth(self.rule).min(self.cap);
        match self.sampled {
            None => worth,
            Some(s) => (worth as f64 / chance(self.rule, v.size, s.threshold)).round() as i128,
        }
    }

    fn change(&mut self, account: u64, f: impl FnOnce(&mut Voice)) {
        let mut voice = self.accounts.remove(&account).unwrap_or_default();
        let (before, counted) = (self.worth(&voice), voice.followers());
        f(&mut voice);
        let (after, counts) = (self.worth(&voice), voice.followers());
        if !voice.panes.is_empty() {
            self.accounts.insert(account, voice);
        }
        self.total += after - before;
        if self.rule == Rule::Followers && counted != counts {
            if let Some(f) = counted
                && let Some(n) = self.followers.get_mut(&f)
            {
                *n -= 1;
                if *n == 0 {
                    self.followers.remove(&f);
                }
            }
            if let Some(f) = counts {
                *self.followers.entry(f).or_insert(0) += 1;
            }
        }
    }
}

/// How large an account is to the sample.
fn mass(rule: Rule, size: Size) -> f64 {
    match rule {
        Rule::One | Rule::OneKnown => 1.0,
        Rule::Followers => size.followers as f64 + 1.0,
        Rule::Largest | Rule::LargestKnown | Rule::Sum => size.base as f64 + 1.0,
    }
}

/// An account's own random number, divided by its size.
fn priority(rule: Rule, account: u64, size: Size) -> f64 {
    let mut x = account.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let uniform = ((x ^ (x >> 32)) >> 11) as f64 / (1u64 << 53) as f64;
    uniform / mass(rule, size)
}

/// The chance of an account to be below the threshold.
fn chance(rule: Rule, size: Size, threshold: f64) -> f64 {
    (mass(rule, size) * threshold).clamp(f64::MIN_POSITIVE, 1.0)
}

impl Voice {
    /// Adds a post; true if the account had nothing in this pane.
    fn put(&mut self, pane: i64, weight: u32) -> bool {
        let at = self.panes.partition_point(|w| w.pane < pane);
        let fresh = self.panes.get(at).is_none_or(|w| w.pane != pane);
        if fresh {
            self.panes.insert(at, Weights { pane, counts: SmallVec::new() });
        }
        if let Some(weights) = self.panes.get_mut(at) {
            match weights.counts.iter_mut().find(|(w, _)| *w == weight) {
                Some((_, n)) => *n += 1,
                None => weights.counts.push((weight, 1)),
            }
        }
        fresh
    }

    fn take_back(&mut self, pane: i64, weight: u32) {
        if let Some(weights) = self.panes.iter_mut().find(|w| w.pane == pane) {
            weights.counts.iter_mut().filter(|(w, _)| *w == weight).for_each(|(_, n)| *n = n.saturating_sub(1));
            weights.counts.retain(|(_, n)| *n > 0);
        }
    }

    fn speaks(&self) -> bool {
        self.panes.iter().any(|w| !w.counts.is_empty())
    }

    fn followers(&self) -> Option<u64> {
        self.speaks().then_some(self.size.followers)
    }

    fn worth(&self, rule: Rule) -> i128 {
        let counts = self.panes.iter().flat_map(|w| &w.counts);
        let weight = match rule {
            Rule::Followers => return 0,
            Rule::One => return if self.speaks() { ONE } else { 0 },
            Rule::OneKnown => return if self.size.known && self.speaks() { ONE } else { 0 },
            Rule::LargestKnown if !self.size.known => return 0,
            Rule::Largest | Rule::LargestKnown => counts.map(|(w, _)| u64::from(*w)).max().unwrap_or(0),
            Rule::Sum => counts.map(|(w, n)| u64::from(*w) * u64::from(*n)).sum(),
        };
        i128::from(weight) * i128::from(self.size.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash;

    fn id(i: u64) -> u64 {
        hash::parts(&[&i.to_le_bytes()])
    }

    /// Sizes with a long tail: most small, few large.
    fn size(i: u64) -> Size {
        let base = 1000 + id(i) % 1000 + if i.is_multiple_of(997) { 40_000_000 } else { 0 };
        Size { followers: base / 150, base, known: i.is_multiple_of(2) }
    }

    #[test]
    fn a_sample_stands_for_what_it_left_out() {
        for rule in [Rule::One, Rule::OneKnown, Rule::Largest, Rule::Sum, Rule::Followers] {
            let mut exact = Voices { limit: usize::MAX, ..Voices::new(rule) };
            let mut sampled = Voices { limit: 4096, ..Voices::new(rule) };
            for i in 0..100_000u64 {
                for v in [&mut exact, &mut sampled] {
                    v.add(id(i), size(i), (i / 2000) as i64, 7);
                }
                assert!(sampled.accounts.len() <= 4096);
            }
            let (truth, found) = (exact.total() as f64, sampled.total() as f64);
            let error = sampled.error().unwrap();
            assert!(exact.error().is_none() && error < 0.05, "{rule:?}: stated {error}");
            assert!(
                (found / truth - 1.0).abs() <= (5.0 * error).max(1e-9),
                "{rule:?}: {found} of {truth}, stated {error}"
            );
            // as panes expire, the estimate follows; when nothing left out is kept, it is exact again
            for v in [&mut exact, &mut sampled] {
                v.advance(25);
            }
            let (truth, found) = (exact.total() as f64, sampled.total() as f64);
            assert!((found / truth - 1.0).abs() < 0.12, "{rule:?}: {found} of {truth} after half expired");
            for v in [&mut exact, &mut sampled] {
                v.advance(50);
                v.add(1, size(1), 60, 7);
                v.add(2, size(2), 60, 7);
            }
            assert_eq!((exact.total(), None), (sampled.total(), sampled.error()), "{rule:?}");
        }
    }

    #[test]
    fn an_account_that_turns_out_large_is_taken_into_the_sample() {
        let mut v = Voices { limit: 1000, ..Voices::new(Rule::Followers) };
        let small = Size { followers: 300, base: 45_000, known: false };
        (0..20_000).for_each(|i| v.add(id(i), small, 0, 1));
        let left_out = (0..20_000).map(id).find(|a| !v.accounts.contains_key(a)).unwrap();
        let large = Size { followers: 9_000_000, base: 500_000_000, known: true };
        v.resize(left_out, large);
        v.readmit(left_out, large, 0, 1);
        assert_eq!(v.total(), 9_000_000);
        v.readmit(id(1), large, 0, 1);
        assert_eq!(v.accounts.get(&left_out).map(|v| v.panes.len()), Some(1), "others are not");
    }

    #[test]
    fn up_to_the_limit_everything_is_exact() {
        let mut v = Voices { limit: 100, ..Voices::new(Rule::One) };
        (0..100).for_each(|i| v.add(id(i), size(i), 0, 1));
        assert_eq!((v.total(), v.error()), (100 * ONE, None));
        v.add(id(100), size(100), 0, 1);
        assert!(v.error().is_some());
    }

    #[test]
    fn one_account_adds_no_more_than_the_cap() {
        let mut v = Voices::new(Rule::Largest).capped(10_000);
        v.add(1, Size { base: 5, ..Size::default() }, 0, 100);
        v.add(2, Size { base: 5_000, ..Size::default() }, 0, 100);
        assert_eq!((v.total(), v.part(1), v.part(2)), (10_500, 500, 10_000));
        v.resize(2, Size { base: 50, ..Size::default() });
        assert_eq!(v.total(), 5_500);
    }
}
