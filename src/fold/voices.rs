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

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Voice {
    size: Size,
    /// Pane and weight (largest or sum), by pane.
    panes: SmallVec<[(i64, u64); 2]>,
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
        self.change(account, |rule, voice| {
            voice.size = size;
            fresh = put(rule, &mut voice.panes, pane, weight);
        });
        if fresh {
            self.by_pane.entry(pane).or_default().push(account);
        }
    }

    /// The account's size became known.
    pub(super) fn resize(&mut self, account: u64, size: Size) {
        if self.accounts.contains_key(&account) {
            self.change(account, |_, voice| voice.size = size);
        }
    }

    /// Sets all posts of an account anew.
    pub(super) fn rebuild(&mut self, account: u64, size: Size, posts: impl Iterator<Item = (i64, u32)>) {
        let mut fresh: SmallVec<[i64; 4]> = SmallVec::new();
        self.change(account, |rule, voice| {
            voice.size = size;
            let before = std::mem::take(&mut voice.panes);
            for (pane, weight) in posts {
                if put(rule, &mut voice.panes, pane, weight) && !before.iter().any(|(p, _)| *p == pane) {
                    fresh.push(pane);
                }
            }
        });
        for pane in fresh {
            self.by_pane.entry(pane).or_default().push(account);
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
                self.change(account, |_, voice| voice.panes.retain(|(p, _)| *p != pane));
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

    fn change(&mut self, account: u64, f: impl FnOnce(Rule, &mut Voice)) {
        let rule = self.rule;
        let voice = self.accounts.entry(account).or_default();
        let (before, counted) = (worth(rule, voice), (!voice.panes.is_empty()).then_some(voice.size.followers));
        f(rule, voice);
        let (after, counts) = (worth(rule, voice), (!voice.panes.is_empty()).then_some(voice.size.followers));
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

/// Adds a weight to a pane; true if the account had nothing there.
fn put(rule: Rule, panes: &mut SmallVec<[(i64, u64); 2]>, pane: i64, weight: u32) -> bool {
    let weight = u64::from(weight);
    let at = panes.partition_point(|(p, _)| *p < pane);
    match panes.get_mut(at) {
        Some((p, w)) if *p == pane && rule == Rule::Sum => *w += weight,
        Some((p, w)) if *p == pane => *w = weight.max(*w),
        _ => {
            panes.insert(at, (pane, weight));
            return true;
        }
    }
    false
}

fn worth(rule: Rule, voice: &Voice) -> i128 {
    let weights = voice.panes.iter().map(|(_, w)| *w);
    let weight = match rule {
        Rule::Followers => return 0,
        Rule::One => return i128::from(!voice.panes.is_empty()),
        Rule::Largest => weights.max().unwrap_or(0),
        Rule::Sum => weights.sum(),
    };
    i128::from(weight) * i128::from(voice.size.base)
}
