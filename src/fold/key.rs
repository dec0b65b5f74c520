//! All that is folded for one key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::baseline::{Baseline, Gaps};
use super::cell::{About, Cell, Sized, groups_of};
use super::evidence;
use super::outages::{Outages, Sources};
use super::posts::{self, PostAt, Posts};
use super::spread::Courses;
use super::terms::Terms;
use super::usual::Usual;
use super::vitals::Watched;
use super::voices::Size;
use crate::base::limits;
use crate::base::model::{AccountId, Gone, Group, KeyId, Reading, Seq, Told};
use crate::base::rule::expr::{Measure, SeriesSpec, View};
use crate::base::rule::{Plan, RuleSet};
use crate::base::time::{Span, Time};

/// Groups an entry touched.
pub type Touched = SmallVec<[Group; 4]>;

/// What folding looks at besides its own state.
#[derive(Clone, Copy)]
pub struct World<'w> {
    /// The rules in force.
    pub rules: &'w RuleSet,
    /// When which sources were down.
    pub outages: &'w Outages,
}

impl<'w> World<'w> {
    pub(super) fn gaps(self, sources: &'w Sources) -> Gaps<'w> {
        Gaps { outages: self.outages, sources }
    }
}

/// Posts, groups and past of one key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyFold {
    pub(super) key: KeyId,
    pub(super) posts: Posts,
    /// Posts of other brands that rules of this one read.
    pub(super) foreign: Posts,
    pub(super) cells: BTreeMap<Group, Cell>,
    /// Beside it in snapshots.
    #[serde(skip)]
    pub(super) courses: Courses,
    /// Beside it in snapshots.
    #[serde(skip)]
    pub(super) terms: Terms,
    pub(super) usual: Usual,
    /// Hostile reach against its past, for pages of any rule.
    pub(super) hostile: Baseline,
    pub(super) sources: Sources,
    /// What is counted for those who watch it.
    #[serde(skip)]
    pub(super) watched: Watched,
    /// From when on it was told everything.
    began: Time,
    /// Groups that left since the last time they were asked for.
    #[serde(skip)]
    left: Vec<Group>,
    /// Posts that left early because of the limit.
    evicted: u64,
    /// Groups that left because of the limit.
    crowded: u64,
}

/// Hostile reach without selectors.
pub(super) fn hostile_reach() -> SeriesSpec {
    let (measure, selectors) = (Measure::HostileReach, Vec::new());
    SeriesSpec { measure, selectors, window: Span::ZERO, offset: Span::ZERO, view: View::Value }
}

impl KeyFold {
    /// A key without past. Groups of the whole brand exist from the start.
    pub fn new(key: KeyId, rules: &RuleSet) -> KeyFold {
        KeyFold::since(key, rules, Time(i64::MIN))
    }

    /// A key that has counted everything since a time only.
    pub(super) fn since(key: KeyId, rules: &RuleSet, whole_from: Time) -> KeyFold {
        let whole = rules.plans_of(key).filter(|(_, p)| p.by.len() == 1);
        let group = |i: usize| Group::whole(i as u32, key);
        KeyFold {
            key,
            posts: Posts::default(),
            foreign: Posts::default(),
            cells: whole.map(|(i, plan)| (group(i), Cell::since(plan, whole_from))).collect(),
            courses: Courses::default(),
            terms: Terms::default(),
            usual: Usual::default(),
            hostile: Baseline::new(Measure::HostileReach),
            sources: Sources::default(),
            watched: Watched::default(),
            began: whole_from,
            left: Vec::new(),
            evicted: 0,
            crowded: 0,
        }
    }

    /// Counts a post.
    pub fn add(&mut self, w: World<'_>, seq: Seq, now: Time, told: &Told) -> Touched {
        self.trim(w.rules, now);
        let store = if told.foreign.is_some() { &mut self.foreign } else { &mut self.posts };
        if store.same_mut(told).is_some() {
            // found again when rules changed, and told once more
            return self.edit(w, seq, now, told);
        }
        let size = store.insert(seq, told.clone());
        if told.in_brand && told.foreign.is_none() {
            self.sources.add(&told.via);
            self.terms.add(told, now, |from, to| w.gaps(&self.sources).lost(from, to));
            let spec = hostile_reach();
            self.hostile.advance(&spec, now, w.gaps(&self.sources));
            self.hostile.add(&spec, told, size);
            self.hostile.observe(&spec, now);
            self.watched.add(now, w.gaps(&self.sources), told, size);
        }
        if told.foreign.is_none() {
            self.courses.add(seq, told, size);
        }
        let mut touched = Touched::new();
        for (i, plan) in w.rules.plans_of(self.key) {
            for group in groups_of(i, plan, told) {
                self.count(w, plan, &group, (seq, now), told, size);
                touched.push(group);
            }
        }
        touched
    }

    fn count(&mut self, w: World<'_>, plan: &Plan, group: &Group, (seq, now): (Seq, Time), told: &Told, size: Size) {
        self.make_room_for(group);
        let cell = self.cells.entry(group.clone()).or_insert_with(|| Cell::new(plan));
        cell.last = seq;
        cell.advance(plan, now, w.gaps(&self.sources));
        cell.add(plan, Sized { told, size, brand: w.rules.brand(self.key) });
    }

    /// A post by one of the key's own accounts: an answer in its story.
    pub fn own(&mut self, w: World<'_>, seq: Seq, now: Time, told: &Told) -> Touched {
        let mut touched = Touched::new();
        self.watched.own(told, &self.posts);
        self.courses.own(seq, told, posts::size(told.audience));
        for (i, plan) in w.rules.plans_of(self.key).filter(|(_, p)| p.tells_story) {
            let first = Group { story: Some(told.story.clone()), ..Group::whole(i as u32, self.key) };
            if told.is_root() && plan.by.len() == 2 {
                self.make_room_for(&first);
                self.cells.entry(first.clone()).or_insert_with(|| Cell::new(plan));
            }
            // an answer concerns every part of the story
            for (group, cell) in self.cells.range_mut(first..) {
                if group.plan as usize != i || group.story.as_ref() != Some(&told.story) {
                    break;
                }
                cell.last = seq;
                cell.advance(plan, now, w.gaps(&self.sources));
                if let Some(life) = &mut cell.life {
                    life.own(told);
                }
                touched.push(group.clone());
            }
        }
        touched
    }

    /// Replaces the text and tone of a post; it keeps its time, place and author. A post that was
    /// deleted stays so.
    pub fn edit(&mut self, w: World<'_>, seq: Seq, now: Time, told: &Told) -> Touched {
        let store = if told.foreign.is_some() { &mut self.foreign } else { &mut self.posts };
        let Some(kept) = store.same_mut(told).filter(|k| !k.deleted) else { return Touched::new() };
        let before = (*kept.told).clone();
        kept.told.n = told.n;
        kept.told.text = told.text;
        kept.told.causes = told.causes;
        kept.told.to_own |= told.to_own;
        kept.told.in_brand |= told.in_brand;
        kept.told.body = told.body.clone();
        let after = (*kept.told).clone();
        let size = store.account(after.account.0).map(|a| a.size).unwrap_or_default();
        let brand = w.rules.brand(self.key);
        if after.foreign.is_none() {
            self.courses.edit(&before, &after, &self.posts);
        }
        if after.in_brand && after.foreign.is_none() {
            let spec = hostile_reach();
            self.hostile.advance(&spec, now, w.gaps(&self.sources));
            self.terms.add(&after, now, |from, to| w.gaps(&self.sources).lost(from, to));
            if before.in_brand {
                self.hostile.uncount(&spec, &before);
            }
            self.hostile.add(&spec, &after, size);
            if before.in_brand {
                self.watched.uncount(&before, size);
            }
            self.watched.add(now, w.gaps(&self.sources), &after, size);
        }
        let mut touched = Touched::new();
        for (i, plan) in w.rules.plans_of(self.key) {
            for group in groups_of(i, plan, &before) {
                let Some(cell) = self.cells.get_mut(&group) else { continue };
                cell.advance(plan, now, w.gaps(&self.sources));
                cell.uncount(plan, Sized { told: &before, size, brand });
                touched.push(group);
            }
            for group in groups_of(i, plan, &after) {
                self.count(w, plan, &group, (seq, now), &after, size);
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
        w: World<'_>,
        now: Time,
        account: AccountId,
        followers: u64,
        name: Option<&str>,
    ) -> BTreeSet<Group> {
        let spec = hostile_reach();
        self.hostile.advance(&spec, now, w.gaps(&self.sources));
        let mut groups = BTreeSet::new();
        let before = self.posts.account(account.0).map(|a| a.size);
        for store in [&mut self.posts, &mut self.foreign] {
            let Some(before) = store.account(account.0).map(|a| a.size) else { continue };
            let Some(size) = store.learn(account.0, followers, name) else { continue };
            for kept in store.of_account(account.0) {
                for (i, plan) in w.rules.plans_of(self.key) {
                    for group in groups_of(i, plan, &kept.told) {
                        let Some(cell) = self.cells.get_mut(&group) else { continue };
                        if groups.insert(group) {
                            cell.advance(plan, now, w.gaps(&self.sources));
                            cell.resize(account.0, size);
                        }
                        let told = Sized { told: &kept.told, size: before, brand: w.rules.brand(self.key) };
                        cell.regard(plan, told, size);
                        cell.readmit(plan, Sized { size, ..told });
                    }
                }
            }
            self.hostile.resize(account.0, size);
        }
        if let Some((before, size)) = before.zip(self.posts.account(account.0).map(|a| a.size)) {
            self.courses.learn(account, before, size, &self.posts);
            self.watched.resize(account, size, &self.posts);
        }
        groups
    }

    /// Removes texts; what was counted stays.
    pub fn delete(&mut self, gone: Gone) {
        self.courses.leave(gone);
        match gone {
            Gone::Post(post) => {
                if let Some(kept) = self.posts.get_mut(post.0) {
                    kept.delete();
                }
                self.foreign.delete_post(post.0);
            }
            Gone::Account(account) => {
                self.posts.delete_account(account.0);
                self.foreign.delete_account(account.0);
            }
        }
    }

    /// The values of a group at `now`; `None` if it does not exist.
    pub fn read(&mut self, w: World<'_>, group: &Group, now: Time, seq: Seq) -> Option<Reading> {
        let plan = w.rules.plans.get(group.plan as usize)?;
        let cell = self.cells.get_mut(group)?;
        cell.advance(plan, now, w.gaps(&self.sources));
        let course = group.story.as_ref().and_then(|s| self.courses.get(s.id));
        let story = About {
            brand: w.rules.brand(self.key),
            course,
            usual: &self.usual,
            terms: &self.terms,
            gaps: w.gaps(&self.sources),
        };
        Some(cell.read(plan, story, group, now, seq))
    }

    /// When the first and when the last of what a group counts expires.
    pub fn expiries(&self, group: &Group, now: Time) -> Option<(Time, Time)> {
        self.cells.get(group)?.expiries(now)
    }

    /// When a group changes by time alone; `falls` if somebody waits for something to fall.
    pub fn next_change(&self, rules: &RuleSet, group: &Group, now: Time, falls: bool) -> Option<Time> {
        let plan = rules.plans.get(group.plan as usize)?;
        let ages = group.tag.as_ref().and_then(|tag| self.terms.ages(tag, now)).filter(|_| plan.asks_new());
        self.cells.get(group)?.next_change(plan, now, falls).into_iter().chain(ages).min()
    }

    /// Groups that left because of the limit since the last call.
    pub fn take_left(&mut self) -> Vec<Group> {
        std::mem::take(&mut self.left)
    }

    /// Forgets a story that counts nothing, and a part without a past; groups of the whole brand
    /// stay.
    pub fn drop_if_empty(&mut self, group: &Group, now: Time) {
        let over = |c: &Cell| c.is_quiet(now) && (group.story.is_some() || !c.remembers());
        if group.is_part() && self.cells.get(group).is_some_and(over) {
            self.cells.remove(group);
        }
    }

    /// Groups that exist.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.cells.keys()
    }

    /// How long the series of a plan for the whole key have yet to learn or to fill, and until all
    /// of them say something.
    pub fn learning(&self, at: usize, plan: &Plan, now: Time) -> (Span, Span) {
        let Some(cell) = self.cells.get(&Group::whole(at as u32, self.key)) else { return (Span::ZERO, Span::ZERO) };
        let filling = cell.warm_at(plan, now).map_or(Span::ZERO, |t| t - now);
        let bases = cell.bases.iter().map(Baseline::unlearned);
        bases.fold((filling, Span::ZERO), |(left, mute), (more, longer)| (left.max(more), mute.max(longer)))
    }

    /// The post kept after another; the first without one.
    pub fn kept_after(&self, at: Option<PostAt>) -> Option<(PostAt, &Told)> {
        self.posts.after(at).map(|(at, kept)| (at, &*kept.told))
    }

    /// Posts kept.
    pub fn kept_len(&self) -> usize {
        self.posts.len()
    }

    /// Closes the hours that are over at `now`.
    pub fn close_hours(&mut self, rules: &RuleSet, now: Time) {
        let posts = &self.posts;
        self.usual.close(now, |end| evidence::hostile_reach(posts, end));
        self.courses.forget(now);
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

    /// Stories that left because of the limit.
    pub fn crowded_stories(&self) -> u64 {
        self.courses.crowded()
    }

    /// Texts of stories that were not counted because of the limit.
    pub fn crowded_texts(&self) -> u64 {
        self.cells.values().filter_map(|c| c.life.as_ref()).map(|l| l.crowded()).sum()
    }

    /// Series whose number of accounts is estimated from a sample.
    pub fn sampled(&self) -> u64 {
        self.cells.values().filter(|c| c.is_sampled()).count() as u64
    }

    /// From when on the posts kept are all there were.
    pub(super) fn kept_from(&self, retention: Span, now: Time) -> Time {
        let oldest = self.posts.all().map(|((t, _), _)| t).next().unwrap_or(now);
        let horizon = self.began.max(now - Span(retention.0 + Span::seconds(3600).0));
        if self.evicted > 0 { horizon.max(oldest) } else { horizon }
    }

    /// Lets posts go that no window needs, and the oldest beyond the limit: they stay counted,
    /// but are no longer shown, nor replaced by an edit.
    fn trim(&mut self, rules: &RuleSet, now: Time) {
        let horizon = now - Span(rules.retention.0 + Span::seconds(3600).0);
        for store in [&mut self.posts, &mut self.foreign] {
            while store.pop_before(horizon).is_some() {}
            while store.len() >= limits::POSTS_PER_KEY && store.pop_before(Time(i64::MAX)).is_some() {
                self.evicted += 1;
            }
        }
    }

    /// Keeps the number of groups within the limit before another is added: the least recent
    /// sixteenth leaves.
    pub(super) fn make_room_for(&mut self, group: &Group) {
        if self.cells.len() < limits::GROUPS_PER_KEY || self.cells.contains_key(group) {
            return;
        }
        let parts = self.cells.iter().filter(|(g, _)| g.is_part());
        let mut order: Vec<(Seq, Group)> = parts.map(|(g, c)| (c.last, g.clone())).collect();
        order.sort_unstable();
        for (_, group) in order.into_iter().take(limits::GROUPS_PER_KEY / 16) {
            self.cells.remove(&group);
            self.crowded += 1;
            self.left.push(group);
        }
    }
}
