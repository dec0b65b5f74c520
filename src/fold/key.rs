//! All that is folded for one key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::cell::{Cell, group_of};
use super::evidence;
use super::posts::{Kept, Posts};
use super::usual::Usual;
use super::voices::Size;
use crate::base::limits;
use crate::base::model::{AccountId, Evidence, Gone, Group, KeyId, Reading, Seq, Told};
use crate::base::rule::expr::SeriesSpec;
use crate::base::rule::{Dim, Plan, RuleSet};
use crate::base::time::{Span, Time};

/// Groups an entry touched.
pub type Touched = SmallVec<[Group; 4]>;

/// Posts, groups and past of one key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyFold {
    posts: Posts,
    cells: BTreeMap<Group, Cell>,
    usual: Usual,
    /// Posts that left early because of the limit.
    evicted: u64,
    /// Groups that left because of the limit.
    crowded: u64,
}

impl KeyFold {
    /// A key without past. Groups without a story exist from the start.
    pub fn new(key: KeyId, rules: &RuleSet) -> KeyFold {
        let by_brand = rules.plans.iter().enumerate().filter(|(_, p)| p.by == [Dim::Brand]);
        let group = |i: usize| Group { plan: i as u32, key, story: None, source: None, lang: None };
        let cells = by_brand.map(|(i, plan)| (group(i), Cell::new(plan))).collect();
        KeyFold { posts: Posts::default(), cells, usual: Usual::default(), evicted: 0, crowded: 0 }
    }

    /// Counts a post.
    pub fn add(&mut self, rules: &RuleSet, seq: Seq, now: Time, told: &Told) -> Touched {
        self.trim(rules, now);
        let size = self.posts.insert(seq, told.clone());
        let mut touched = Touched::new();
        for (i, plan) in rules.plans.iter().enumerate() {
            if let Some(group) = group_of(i, plan, told) {
                self.count(plan, &group, (seq, now), told, size);
                touched.push(group);
            }
        }
        touched
    }

    fn count(&mut self, plan: &Plan, group: &Group, (seq, now): (Seq, Time), told: &Told, size: Size) {
        if !self.cells.contains_key(group) {
            self.make_room();
        }
        let cell = self.cells.entry(group.clone()).or_insert_with(|| Cell::new(plan));
        cell.last = seq;
        cell.advance(now);
        cell.add(plan, told, size);
    }

    /// Replaces the text and tone of a post; it keeps its time, place and author. A post that was
    /// deleted stays so.
    pub fn edit(&mut self, rules: &RuleSet, seq: Seq, now: Time, told: &Told) -> Touched {
        let Some(kept) = self.posts.get_mut(told.post.0).filter(|k| !k.deleted) else { return Touched::new() };
        let before = (*kept.told).clone();
        kept.told.n = told.n;
        kept.told.body = told.body.clone();
        let after = (*kept.told).clone();
        let size = self.posts.account(after.account.0).map(|a| a.size).unwrap_or_default();
        let mut touched = Touched::new();
        for (i, plan) in rules.plans.iter().enumerate() {
            let (old, new) = (group_of(i, plan, &before), group_of(i, plan, &after));
            if let Some((group, cell)) = old.and_then(|g| self.cells.get_mut(&g).map(|c| (g, c))) {
                cell.advance(now);
                cell.uncount(plan, &before);
                touched.push(group);
            }
            if let Some(group) = new {
                self.count(plan, &group, (seq, now), &after, size);
                if !touched.contains(&group) {
                    touched.push(group);
                }
            }
        }
        touched
    }

    /// An account's audience became known: every group it is in is corrected.
    pub fn learn(
        &mut self,
        rules: &RuleSet,
        now: Time,
        account: AccountId,
        followers: u64,
        name: Option<&str>,
    ) -> BTreeSet<Group> {
        let Some(size) = self.posts.learn(account.0, followers, name) else { return BTreeSet::new() };
        let plans = || rules.plans.iter().enumerate();
        let told = self.posts.of_account(account.0).map(|k| &*k.told);
        let groups: BTreeSet<Group> = told.flat_map(|t| plans().filter_map(move |(i, p)| group_of(i, p, t))).collect();
        for group in &groups {
            if let Some(cell) = self.cells.get_mut(group) {
                cell.advance(now);
                cell.resize(account.0, size);
            }
        }
        groups
    }

    /// Removes texts; what was counted stays.
    pub fn delete(&mut self, gone: Gone) {
        match gone {
            Gone::Post(post) => {
                if let Some(kept) = self.posts.get_mut(post.0) {
                    kept.delete();
                }
            }
            Gone::Account(account) => self.posts.delete_account(account.0),
        }
    }

    /// The values of a group at `now`; `None` if it does not exist.
    pub fn read(&mut self, rules: &RuleSet, group: &Group, now: Time, seq: Seq) -> Option<Reading> {
        let plan = rules.plans.get(group.plan as usize)?;
        self.cells.get_mut(group).map(|cell| cell.read(plan, group, now, seq))
    }

    /// When the first and when the last of what a group counts expires.
    pub fn expiries(&self, group: &Group) -> Option<(Time, Time)> {
        self.cells.get(group)?.expiries()
    }

    /// Forgets a group that counts nothing; groups of the whole brand stay.
    pub fn drop_if_empty(&mut self, group: &Group) {
        if group.is_part() && self.expiries(group).is_none() {
            self.cells.remove(group);
        }
    }

    /// Groups that exist.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.cells.keys()
    }

    /// The arithmetic behind a page of this group.
    pub fn evidence(&self, group: &Group, series: &[&SeriesSpec], now: Time) -> Evidence {
        evidence::gather(&self.posts, &self.usual, group, series, now)
    }

    /// Closes the hours that are over at `now`.
    pub fn close_hours(&mut self, rules: &RuleSet, now: Time) {
        let posts = &self.posts;
        self.usual.close(now, |end| evidence::hostile_reach(posts, end));
        self.trim(rules, now);
    }

    /// Posts that left early because of the limit.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Groups that left because of the limit.
    pub fn crowded(&self) -> u64 {
        self.crowded
    }

    /// Lets posts go that no window needs, and the oldest beyond the limit.
    fn trim(&mut self, rules: &RuleSet, now: Time) {
        let horizon = now - Span(rules.retention.0 + Span::seconds(3600).0);
        while self.posts.pop_before(horizon).is_some() {}
        while self.posts.len() >= limits::POSTS_PER_KEY {
            let Some(kept) = self.posts.pop_before(Time(i64::MAX)) else { return };
            self.evicted += 1;
            self.forget(rules, &kept);
        }
    }

    /// Takes a post that left early out of every series.
    fn forget(&mut self, rules: &RuleSet, kept: &Kept) {
        for (i, plan) in rules.plans.iter().enumerate() {
            if let Some(cell) = group_of(i, plan, &kept.told).and_then(|g| self.cells.get_mut(&g)) {
                cell.uncount(plan, &kept.told);
            }
        }
    }

    /// Keeps the number of groups within the limit: the least recent sixteenth leaves.
    fn make_room(&mut self) {
        if self.cells.len() < limits::GROUPS_PER_KEY {
            return;
        }
        let parts = self.cells.iter().filter(|(g, _)| g.is_part());
        let mut order: Vec<(Seq, Group)> = parts.map(|(g, c)| (c.last, g.clone())).collect();
        order.sort_unstable();
        for (_, group) in order.into_iter().take(limits::GROUPS_PER_KEY / 16) {
            self.cells.remove(&group);
            self.crowded += 1;
        }
    }
}
