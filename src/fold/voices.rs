//! Sums over distinct accounts in a window: each account counts by the weight of its posts times
//! its base reach. Exact under late posts, edits, repeats and audiences learned later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::hash::HashedMap;

/// How the posts of one account add up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Rule {
    /// Each account counts one.
    One,
    /// The largest weight times the base.
    Largest,
    /// The sum of weights times the base.
    Sum,
    /// The largest number of followers of any account.
    Followers,
}

/// Followers and base reach of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Size {
    pub(super) followers: u64,
    pub(super) base: u64,
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

/// Accounts of a window.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Voices {
    rule: Rule,
    accounts: HashedMap<u64, Voice>,
    /// Accounts with a post in a pane; may name accounts that no longer have one.
    by_pane: BTreeMap<i64, Vec<u64>>,
    total: i128,
    /// How many accounts have how many followers; for [`Rule::Followers`] only.
    followers: BTreeMap<u64, u32>,
}

impl Voices {
    pub(super) fn new(rule: Rule) -> Voices {
        let (accounts, by_pane) = (HashedMap::default(), BTreeMap::new());
        Voices { rule, accounts, by_pane, total: 0, followers: BTreeMap::new() }
    }

    /// A post of an account falls into a pane.
    pub(super) fn add(&mut self, account: u64, size: Size, pane: i64, weight: u32) {
        let mut fresh = false;
        self.change(account, |voice| {
            voice.size = size;
            fresh = voice.put(pane, weight);
        });
        if fresh {
            self.by_pane.entry(pane).or_default().push(account);
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
        if self.accounts.contains_key(&account) {
            self.change(account, |voice| voice.size = size);
        }
    }

    /// Drops panes before `oldest`.
    pub(super) fn advance(&mut self, oldest: i64) {
        while let Some(first) = self.by_pane.first_entry() {
            if *first.key() >= oldest {
                break;
            }
            let pane = *first.key();
            for account in first.remove() {
                self.change(account, |voice| voice.panes.retain(|w| w.pane != pane));
            }
        }
    }

    /// The value: a number of accounts, a sum of weight x base, or followers.
    pub(super) fn total(&self) -> i128 {
        match self.rule {
            Rule::Followers => self.followers.last_key_value().map_or(0, |(f, _)| i128::from(*f)),
            _ => self.total,
        }
    }

    pub(super) fn first_pane(&self) -> Option<i64> {
        self.by_pane.first_key_value().map(|(p, _)| *p)
    }

    pub(super) fn last_pane(&self) -> Option<i64> {
        self.by_pane.last_key_value().map(|(p, _)| *p)
    }

    fn change(&mut self, account: u64, f: impl FnOnce(&mut Voice)) {
        let rule = self.rule;
        let voice = self.accounts.entry(account).or_default();
        let (before, counted) = (voice.worth(rule), voice.followers());
        f(voice);
        let (after, counts) = (voice.worth(rule), voice.followers());
        if voice.panes.is_empty() {
            self.accounts.remove(&account);
        }
        self.total += after - before;
        if rule == Rule::Followers && counted != counts {
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
            Rule::One => return i128::from(self.speaks()),
            Rule::Largest => counts.map(|(w, _)| u64::from(*w)).max().unwrap_or(0),
            Rule::Sum => counts.map(|(w, n)| u64::from(*w) * u64::from(*n)).sum(),
        };
        i128::from(weight) * i128::from(self.size.base)
    }
}
