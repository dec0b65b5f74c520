//! All that is folded for one key.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::cell::{Cell, group_of};
use super::evidence;
use super::posts::{Kept, Posts};
use super::usual::Usual;
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
}

impl KeyFold {
    /// A key without past. Groups without a story exist from the start.
    pub fn new(key: KeyId, rules: &RuleSet) -> KeyFold {
        let by_brand = rules.plans.iter().enumerate().filter(|(_, p)| p.by == [Dim::Brand]);
        let group = |i: usize| Group { plan: i as u32, key, story: None, source: None, lang: None };
        let cells = by_brand.map(|(i, plan)| (group(i), Cell::new(plan))).collect();
        KeyFold { posts: Posts::default(), cells, usual: Usual::default(), evicted: 0 }
    }

    /// Counts a post.
    pub fn add(&mut self, rules: &RuleSet, seq: Seq, now: Time, told: &Told) -> Touched {
        self.trim(rules, now);
        let size = self.posts.insert(seq, told.clone());
        let mut touched = Touched::new();
        for (i, plan) in rules.plans.iter().enumerate() {
            let Some(group) = group_of(i, plan, told) else { continue };
            if !self.cells.contains_key(&group) {
                self.make_room();
            }
            let cell = self.cells.entry(group.clone()).or_insert_with(|| Cell::new(plan));
            cell.last = seq;
            cell.advance(now);
            cell.add(plan, told, size);
            touched.push(group);
        }
        touched
    }

    /// Replaces the text and tone of a post; it keeps its time, place and author.
    pub fn edit(&mut self, rules: &RuleSet, seq: Seq, now: Time, told: &Told) -> Touched {
        let Some(kept) = self.posts.get_mut(told.post.0) else { return Touched::new() };
        let before = (*kept.told).clone();
        kept.told.n = told.n;
        kept.told.body = told.body.clone();
        let after = (*kept.told).clone();
        self.each_group(rules, &[before.clone(), after.clone()], |cell, plan, group| {
            cell.last = seq;
            cell.advance(now);
            if group_of(group.plan as usize, plan, &before).as_ref() == Some(group) {
                cell.uncount(plan, &before);
            }
            if group_of(group.plan as usize, plan, &after).as_ref() == Some(group) {
                cell.add(plan, &after, Default::default());
            }
        });
        self.rebuild(rules, after.account, &[before, after])
    }

    /// An account's audience became known: every group it is in is corrected.
    pub fn learn(
        &mut self,
        rules: &RuleSet,
        now: Time,
        account: AccountId,
        followers: u64,
        name: Option<&str>,
    ) -> Touched {
        let Some(size) = self.posts.learn(account.0, followers, name) else { return Touched::new() };
        let told: Vec<Told> = self.posts.of_account(account.0).map(|k| (*k.told).clone()).collect();
        self.each_group(rules, &told, |cell, _, _| {
            cell.advance(now);
            cell.resize(account.0, size);
        })
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
        if group.story.is_some() && self.expiries(group).is_none() {
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
        let told = std::slice::from_ref(&*kept.told);
        self.each_group(rules, told, |cell, plan, _| cell.uncount(plan, &kept.told));
        self.rebuild(rules, kept.told.account, told);
    }

    /// Works on each group that one of these posts belongs to.
    fn each_group(&mut self, rules: &RuleSet, told: &[Told], mut f: impl FnMut(&mut Cell, &Plan, &Group)) -> Touched {
        let mut touched = Touched::new();
        for (i, plan) in rules.plans.iter().enumerate() {
            for group in told.iter().filter_map(|t| group_of(i, plan, t)) {
                if touched.contains(&group) {
                    continue;
                }
                if let Some(cell) = self.cells.get_mut(&group) {
                    f(cell, plan, &group);
                    touched.push(group);
                }
            }
        }
        touched
    }

    /// Sets the posts of an account anew in each group that one of these posts belongs to.
    fn rebuild(&mut self, rules: &RuleSet, account: AccountId, told: &[Told]) -> Touched {
        let size = self.posts.account(account.0).map(|a| a.size).unwrap_or_default();
        let own: Vec<Arc<Told>> = self.posts.of_account(account.0).map(|k| Arc::new((*k.told).clone())).collect();
        self.each_group(rules, told, |cell, plan, group| {
            let here = own.iter().map(|t| &**t);
            let here = here.filter(|t| group_of(group.plan as usize, plan, t).as_ref() == Some(group));
            cell.rebuild(plan, account.0, size, here);
        })
    }

    /// Keeps the number of groups within the limit: the least recent sixteenth leaves.
    fn make_room(&mut self) {
        if self.cells.len() < limits::GROUPS_PER_KEY {
            return;
        }
        let mut order: Vec<(Seq, Group)> =
            self.cells.iter().filter(|(g, _)| g.story.is_some()).map(|(g, c)| (c.last, g.clone())).collect();
        order.sort_unstable();
        for (_, group) in order.into_iter().take(limits::GROUPS_PER_KEY / 16) {
            self.cells.remove(&group);
        }
    }
}
