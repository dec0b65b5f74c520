//! Audiences at first sight: known, or imputed by the running median of the source.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::limits;
use crate::base::model::{AccountId, Audience, KeyId};
use crate::base::recent::Recent;

/// Keys noted for one account; one that concerns more is told to all.
const KEYS_NOTED: usize = 8;

/// How a count of followers came to be known. Written as its number, which stays: the first two are
/// what a flag says in snapshots of before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum How {
    /// It is not: it was imputed.
    Imputed,
    /// It was looked up, and may be again.
    LookedUp,
    /// A post of the account told it, which settles it.
    Told,
}

/// What is remembered of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Account {
    followers: u64,
    how: How,
    keys: SmallVec<[KeyId; 2]>,
    /// Concerns more keys than are noted.
    all: bool,
    /// Left, and did not write since.
    gone: bool,
}

impl Account {
    fn new(followers: u64, how: How) -> Account {
        Account { followers, how, keys: SmallVec::new(), all: false, gone: false }
    }

    fn audience(&self) -> Audience {
        Audience { followers: self.followers, known: self.how != How::Imputed }
    }

    fn concerned(&self) -> Concerned {
        if self.all { Concerned::new() } else { self.keys.iter().copied().collect() }
    }
}

/// Whom an account concerns: these keys; all keys if empty.
pub(super) type Concerned = SmallVec<[KeyId; 4]>;

/// Audiences of accounts that made mentions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Audiences {
    accounts: Recent<Account>,
    medians: BTreeMap<Arc<str>, Median>,
}

impl Audiences {
    pub(super) fn new() -> Audiences {
        Audiences { accounts: Recent::new(limits::ACCOUNTS), medians: BTreeMap::new() }
    }

    /// The audience of an account that is about to be counted for these keys. If it was imputed
    /// so far and is known now, also the keys that counted it.
    pub(super) fn assign(
        &mut self,
        account: AccountId,
        source: &Arc<str>,
        followers: Option<u64>,
        keys: &[KeyId],
    ) -> (Audience, Option<Concerned>) {
        let learned = followers.and_then(|f| self.settle(account, source, f));
        if self.accounts.get_mut(account.0).is_none() {
            if let Some(f) = followers {
                self.median(source).add(f);
            }
            let median = self.median(source).value();
            let fresh = followers.map_or_else(|| Account::new(median, How::Imputed), |f| Account::new(f, How::Told));
            self.accounts.insert(account.0, fresh);
        }
        let Some(known) = self.accounts.get_mut(account.0) else {
            return (Audience { followers: limits::AUDIENCE_PRIOR, known: false }, learned);
        };
        known.gone = false;
        for key in keys {
            if !known.all && !known.keys.contains(key) {
                known.all = known.keys.len() >= KEYS_NOTED;
                known.keys.push(*key);
            }
        }
        (known.audience(), learned)
    }

    /// An account concerns a key too.
    pub(super) fn note(&mut self, account: AccountId, key: KeyId) {
        if let Some(a) = self.accounts.get_mut(account.0)
            && !a.all
            && !a.keys.contains(&key)
        {
            a.all = a.keys.len() >= KEYS_NOTED;
            a.keys.push(key);
        }
    }

    /// A count was looked up: it takes the place of one that was imputed, or looked up before. Gives
    /// the keys that counted the account, where that changes anything.
    pub(super) fn learn(&mut self, account: AccountId, source: &Arc<str>, followers: u64) -> Option<Concerned> {
        let known = self.accounts.peek(account.0).filter(|a| a.how != How::Told)?;
        if known.how == How::LookedUp && known.followers == followers {
            return None;
        }
        self.set(account, source, followers, How::LookedUp)
    }

    /// A post told a count: the first one settles it. Gives the keys that counted the account with
    /// another one.
    fn settle(&mut self, account: AccountId, source: &Arc<str>, followers: u64) -> Option<Concerned> {
        let known = self.accounts.peek(account.0).filter(|a| a.how != How::Told)?;
        let same = known.how == How::LookedUp && known.followers == followers;
        self.set(account, source, followers, How::Told).filter(|_| !same)
    }

    fn set(&mut self, account: AccountId, source: &Arc<str>, followers: u64, how: How) -> Option<Concerned> {
        let known = self.accounts.get_mut(account.0)?;
        let first = known.how == How::Imputed;
        (known.followers, known.how) = (followers, how);
        let concerned = known.concerned();
        if first {
            // an account counts once in what others are imputed
            self.median(source).add(followers);
        }
        Some(concerned)
    }

    /// The keys that counted an account, where a count that was looked up is this one.
    pub(super) fn confirmed(&self, account: AccountId, followers: u64) -> Option<Concerned> {
        let same = |a: &&Account| a.how == How::LookedUp && a.followers == followers;
        self.accounts.peek(account.0).filter(same).map(Account::concerned)
    }

    /// Whether an account left, and did not write since.
    pub(super) fn is_gone(&self, account: AccountId) -> bool {
        self.accounts.peek(account.0).is_some_and(|a| a.gone)
    }

    /// Whom it concerns that an account is gone; `None` if it is not remembered or was gone already.
    pub(super) fn leave(&mut self, account: AccountId) -> Option<Concerned> {
        self.accounts.peek(account.0).filter(|a| !a.gone)?;
        let a = self.accounts.get_mut(account.0)?;
        a.gone = true;
        Some(a.concerned())
    }

    /// Accounts forgotten because of the limit.
    pub(super) fn dropped(&self) -> u64 {
        self.accounts.dropped()
    }

    fn median(&mut self, source: &Arc<str>) -> &mut Median {
        let known = self.medians.contains_key(source) || self.medians.len() < limits::SOURCES;
        let name = if known { source.clone() } else { Arc::from("other") };
        self.medians.entry(name).or_default()
    }
}

/// A running median over a logarithmic histogram: eight steps to each doubling, whole numbers
/// only, so that it is the same everywhere.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Median {
    bins: BTreeMap<u16, u64>,
    count: u64,
}

const STEPS: u32 = 8;

impl Median {
    fn add(&mut self, x: u64) {
        *self.bins.entry(bin(x)).or_insert(0) += 1;
        self.count += 1;
    }

    fn value(&self) -> u64 {
        let mut below = 0;
        let found = self.bins.iter().find(|(_, n)| {
            below += **n;
            below * 2 >= self.count
        });
        found.map_or(limits::AUDIENCE_PRIOR, |(b, _)| lowest(*b))
    }
}

fn bin(x: u64) -> u16 {
    if x < u64::from(STEPS) {
        return x as u16;
    }
    let octave = x.ilog2();
    let step = (x >> (octave - 3)) & 7;
    ((octave - 2) * STEPS + step as u32) as u16
}

fn lowest(bin: u16) -> u64 {
    let bin = u64::from(bin);
    if bin < u64::from(STEPS) {
        return bin;
    }
    let octave = bin / u64::from(STEPS) + 2;
    (8 + bin % 8) << (octave - 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_their_lowest_value_and_grow() {
        let mut last = 0;
        for x in (0..5000u64).chain((5000..100_000_000).step_by(777_777)) {
            let b = bin(x);
            assert!(b >= last && lowest(b) <= x && x < lowest(b + 1), "{x} in bin {b}");
            assert_eq!(bin(lowest(b)), b);
            last = b;
        }
    }

    #[test]
    fn imputes_the_median_of_the_source_and_learns() {
        let mut a = Audiences::new();
        let (x, y): (Arc<str>, Arc<str>) = ("x".into(), "y".into());
        let key = [KeyId(1)];
        assert_eq!(a.assign(AccountId(1), &x, None, &key).0, Audience { followers: 300, known: false });
        for k in 10..13 {
            a.assign(AccountId(k), &x, Some(1024), &key);
        }
        assert_eq!(a.assign(AccountId(2), &x, None, &key).0, Audience { followers: 1024, known: false });
        assert_eq!(a.assign(AccountId(3), &y, None, &key).0.followers, 300, "another source, another median");
        assert_eq!(
            a.assign(AccountId(2), &x, Some(9), &[KeyId(2)]),
            (Audience { followers: 9, known: true }, Some(Concerned::from_slice(&key)))
        );
        assert_eq!(
            a.assign(AccountId(2), &x, Some(99), &key),
            (Audience { followers: 9, known: true }, None),
            "fixed once known"
        );
        assert_eq!(a.leave(AccountId(2)), Some(Concerned::from_slice(&[KeyId(1), KeyId(2)])));
        assert_eq!(a.leave(AccountId(2)), None, "told once");
        assert_eq!(a.learn(AccountId(99), &x, 5), None);
    }

    #[test]
    fn what_is_looked_up_again_replaces_what_was_and_what_a_post_tells_settles_it() {
        let mut a = Audiences::new();
        let (x, key) = (Arc::from("x"), [KeyId(1)]);
        let keys = || Some(Concerned::from_slice(&key));
        a.assign(AccountId(1), &x, None, &key);
        assert_eq!((a.confirmed(AccountId(1), 300), a.learn(AccountId(1), &x, 40)), (None, keys()));
        assert_eq!((a.learn(AccountId(1), &x, 40), a.confirmed(AccountId(1), 40)), (None, keys()));
        assert_eq!((a.learn(AccountId(1), &x, 41), a.confirmed(AccountId(1), 40)), (keys(), None));
        assert_eq!(a.assign(AccountId(1), &x, None, &key).0, Audience { followers: 41, known: true });
        assert_eq!(a.assign(AccountId(1), &x, Some(41), &key).1, None, "the same, but settled");
        assert_eq!((a.learn(AccountId(1), &x, 42), a.confirmed(AccountId(1), 41)), (None, None));
        a.assign(AccountId(2), &x, None, &key);
        a.learn(AccountId(2), &x, 7);
        assert_eq!(a.assign(AccountId(2), &x, Some(8), &key), (Audience { followers: 8, known: true }, keys()));
        assert_eq!(a.medians["x"].count, 2, "each account counts once");
    }

    #[test]
    fn accounts_of_snapshots_of_before_are_read() {
        #[derive(Serialize)]
        struct Before {
            audience: Audience,
            keys: SmallVec<[KeyId; 2]>,
            all: bool,
            gone: bool,
        }
        for (known, how) in [(false, How::Imputed), (true, How::LookedUp)] {
            let audience = Audience { followers: 77_777, known };
            let before = Before { audience, keys: SmallVec::from_slice(&[KeyId(3)]), all: false, gone: true };
            let read: Account = postcard::from_bytes(&postcard::to_stdvec(&before).unwrap()).unwrap();
            assert_eq!((read.audience(), read.how, read.keys[0], read.gone), (audience, how, KeyId(3), true));
        }
    }
}
