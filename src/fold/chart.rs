//! Hostile reach over the last hours, and how a story came to where it is: each post is looked at
//! once.

use std::collections::{BTreeSet, VecDeque};

use super::posts::{Kept, Posts};
use super::usual::{HOUR, Usual};
use crate::base::hash::HashedMap;
use crate::base::limits;
use crate::base::model::{Turn, TurnKind};
use crate::base::reach;
use crate::base::time::{Span, Time};

/// Time between two marks.
const MARK: Span = Span::seconds(300);
/// Accounts that make a turn.
const SEVERAL: usize = 10;

/// Hostile reach of a window that moves on: of each account its largest, in units of weight x base.
struct Rolling<'p> {
    posts: &'p Posts,
    /// What is in the window, by time, each with its number.
    inside: VecDeque<(Time, u64, u64)>,
    /// Of each account what is or may become its largest: numbers rise, values fall.
    best: HashedMap<u64, VecDeque<(u64, i128)>>,
    sum: i128,
    next: u64,
}

impl<'p> Rolling<'p> {
    fn new(posts: &'p Posts) -> Rolling<'p> {
        Rolling { posts, inside: VecDeque::new(), best: HashedMap::default(), sum: 0, next: 0 }
    }

    fn add(&mut self, k: &Kept) {
        let account = k.told.account.0;
        let weight = reach::hostile_weight(k.told.n, k.told.kind);
        let Some(base) = self.posts.account(account).map(|a| a.size.base).filter(|_| weight > 0) else { return };
        let value = i128::from(weight) * i128::from(base);
        let best = self.best.entry(account).or_default();
        let before = best.front().map_or(0, |(_, v)| *v);
        while best.back().is_some_and(|(_, v)| *v <= value) {
            best.pop_back();
        }
        best.push_back((self.next, value));
        self.sum += best.front().map_or(0, |(_, v)| *v) - before;
        self.inside.push_back((k.told.time, self.next, account));
        self.next += 1;
    }

    fn drop_before(&mut self, t: Time) {
        while let Some((_, number, account)) = self.inside.front().copied().filter(|(at, ..)| *at < t) {
            self.inside.pop_front();
            let Some(best) = self.best.get_mut(&account) else { continue };
            if let Some((_, gone)) = best.front().copied().filter(|(n, _)| *n == number) {
                best.pop_front();
                self.sum += best.front().map_or(0, |(_, v)| *v) - gone;
            }
            if best.is_empty() {
                self.best.remove(&account);
            }
        }
    }

    fn impressions(&self) -> f64 {
        self.sum as f64 / reach::SUM_ONE
    }
}

/// The key's hostile reach within the hour before each of the last five-minute marks and before
/// `now`, as far as all posts are kept from `kept_from` on; before that, of whole hours.
pub(super) fn points(posts: &Posts, usual: &Usual, kept_from: Time, now: Time) -> Vec<(Time, f64)> {
    let last = now.0.div_euclid(MARK.0);
    let oldest = posts.since(Time(i64::MIN)).next().map_or(now, |k| k.told.time);
    let seen_since = usual.since().map_or(oldest, |t| t.min(oldest));
    let whole = |m: &Time| *m >= seen_since && *m - HOUR >= kept_from;
    let marks = (last - limits::CHART_MARKS as i64 + 1..=last).map(|m| Time(m * MARK.0));
    let marks: Vec<Time> = marks.filter(whole).filter(|m| *m < now).collect();
    let begin = marks.first().copied().unwrap_or(now);
    let from = Time((last - limits::CHART_MARKS as i64) * MARK.0);
    let mut out: Vec<(Time, f64)> = usual.hours().filter(|(t, _)| *t > from && *t < begin).collect();
    let mut rolling = Rolling::new(posts);
    let mut coming = posts.since(begin - HOUR).filter(|k| k.told.in_brand && k.told.time <= now).peekable();
    for mark in marks {
        while let Some(k) = coming.next_if(|k| k.told.time < mark) {
            rolling.add(k);
        }
        rolling.drop_before(mark - HOUR);
        out.push((mark, rolling.impressions()));
    }
    coming.for_each(|k| rolling.add(k));
    rolling.drop_before(now - HOUR);
    out.push((now, rolling.impressions()));
    out
}

/// The first text of a group, its tenth account and the strongest post of its largest account;
/// `all` are the group's posts by time.
pub(super) fn turns(posts: &Posts, all: &[&Kept], first: Option<&Kept>, biggest: Option<&Kept>) -> Vec<Turn> {
    let is = |which: Option<&Kept>, k: &Kept| which.is_some_and(|w| std::ptr::eq(w, k));
    let (mut rolling, mut accounts, mut out) = (Rolling::new(posts), BTreeSet::new(), Vec::new());
    for k in all {
        rolling.add(k);
        let more = accounts.len() < SEVERAL && accounts.insert(k.told.account) && accounts.len() == SEVERAL;
        let kinds = [
            (is(first, k), TurnKind::Root),
            (more, TurnKind::TenAccounts),
            (is(biggest, k) && !is(first, k), TurnKind::BiggestVoice),
        ];
        for (_, kind) in kinds.into_iter().filter(|(so, _)| *so) {
            rolling.drop_before(k.told.time - HOUR);
            out.push(Turn { at: k.told.time, kind, hostile_reach: rolling.impressions() });
        }
    }
    out
}
