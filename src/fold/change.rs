//! Rules change: what means the same goes on, what is new is counted from the posts kept.

use std::collections::BTreeMap;

use super::baseline::Baseline;
use super::cell::{Cell, Sized, groups_of};
use super::history::History;
use super::key::{KeyFold, World};
use super::posts::PostAt;
use super::series::{Series, passes};
use crate::base::model::{Group, KeyId, Told};
use crate::base::rule::plan::Window;
use crate::base::rule::{Dim, Plan, RuleSet};
use crate::base::time::Time;

impl KeyFold {
    /// The same key under other rules, its query unchanged.
    pub fn change(&mut self, old: &RuleSet, w: World<'_>, now: Time) {
        let whole_from = now.min(self.posts.all().map(|((t, _), _)| t).next().unwrap_or(now));
        let same_vars = old.brand(self.key).map(|b| &b.vars) == w.rules.brand(self.key).map(|b| &b.vars);
        let mut before = std::mem::take(&mut self.cells);
        for (i, plan) in w.rules.plans_of(self.key) {
            let found = old.plans_of(self.key).find(|(_, p)| p.by == plan.by && p.only == plan.only);
            let mut fresh = Cell::since(plan, whole_from);
            if let Some((at, old_plan)) = found {
                let groups: Vec<Group> = before.keys().filter(|g| g.plan as usize == at).cloned().collect();
                let moved = Moved { old: old_plan, new: plan, same_vars };
                for group in groups {
                    let Some(cell) = before.remove(&group) else { continue };
                    self.cells.insert(Group { plan: i as u32, ..group }, moved.cell(cell, whole_from));
                }
                fresh = Cell::since(plan, whole_from);
                self.backfill(w, i, plan, Some(&moved));
            } else {
                self.backfill(w, i, plan, None);
            }
            if plan.by.len() == 1 {
                let group = Group::whole(i as u32, self.key);
                self.cells.entry(group).or_insert(fresh);
            }
        }
    }

    /// A key that is new or whose query changed, with the posts kept that it concerns now.
    pub fn rebuilt(key: KeyId, w: World<'_>, kept: Vec<(PostAt, Told)>, now: Time) -> KeyFold {
        let mut fold = KeyFold::since(key, w.rules, now);
        for ((_, seq), told) in kept {
            let store = if told.foreign.is_some() { &mut fold.foreign } else { &mut fold.posts };
            store.insert(seq, told);
        }
        for (i, plan) in w.rules.plans_of(key) {
            fold.backfill(w, i, plan, None);
        }
        fold
    }

    /// The key's own posts that are kept, oldest first.
    pub fn kept(&self) -> impl Iterator<Item = (PostAt, &Told)> {
        self.posts.all().filter(|(_, k)| !k.deleted).map(|(at, k)| (at, &*k.told))
    }

    /// Counts the posts kept in everything that did not go on from before.
    fn backfill(&mut self, w: World<'_>, index: usize, plan: &Plan, moved: Option<&Moved<'_>>) {
        let brand = w.rules.brand(self.key);
        let mut posts: Vec<(PostAt, Told, super::voices::Size)> = Vec::new();
        for store in [&self.posts, &self.foreign] {
            for (at, kept) in store.all() {
                let size = store.account(kept.told.account.0).map(|a| a.size).unwrap_or_default();
                posts.push((at, (*kept.told).clone(), size));
            }
        }
        posts.sort_by_key(|(at, ..)| *at);
        let known: BTreeMap<Group, ()> = match moved {
            Some(_) => self.cells.keys().filter(|g| g.plan as usize == index).map(|g| (g.clone(), ())).collect(),
            None => BTreeMap::new(),
        };
        for ((_, seq), told, size) in &posts {
            for group in groups_of(index, plan, told) {
                // a group that was forgotten as quiet begins anew only under a new plan
                if moved.is_some() && !known.contains_key(&group) {
                    continue;
                }
                if !self.cells.contains_key(&group) {
                    self.make_room();
                }
                let cell = self.cells.entry(group).or_insert_with(|| Cell::new(plan));
                cell.last = cell.last.max(*seq);
                let p = Sized { told, size: *size, brand };
                match moved {
                    Some(moved) => moved.count(cell, p),
                    None => cell.add(plan, p),
                }
            }
        }
    }
}

/// From one plan to another of the same kind.
struct Moved<'m> {
    old: &'m Plan,
    new: &'m Plan,
    /// Whether selectors that name variables mean the same.
    same_vars: bool,
}

impl Moved<'_> {
    fn same(&self, a: &Window, b: &Window) -> bool {
        a == b && (self.same_vars || !a.filter.reads_audience())
    }

    /// The old window that means the same as a new one.
    fn window(&self, new: &Window) -> Option<usize> {
        self.old.windows.iter().position(|w| self.same(w, new))
    }

    fn cell(&self, mut cell: Cell, whole_from: Time) -> Cell {
        let by_story = self.new.has(Dim::Story);
        let windows = self.new.windows.iter().map(|w| match self.window(w).and_then(|i| cell.windows.get(i)) {
            Some(series) => series.clone(),
            None => Series::new(&w.spec, by_story, whole_from),
        });
        let pasts = self.new.pasts.iter().map(|p| {
            let window = self.new.windows.get(p.window).and_then(|w| self.window(w));
            let found = self
                .old
                .pasts
                .iter()
                .position(|o| Some(o.window) == window && o.offset == p.offset && o.step == p.step);
            found.and_then(|i| cell.pasts.get(i)).cloned().unwrap_or_else(|| History::new(p))
        });
        let bases = self.new.bases.iter().map(|b| {
            let same = |o: &crate::base::rule::plan::Base| o == b && (self.same_vars || !b.filter.reads_audience());
            let found = self.old.bases.iter().position(same).and_then(|i| cell.bases.get(i));
            found.cloned().unwrap_or_else(|| Baseline::new(b.spec.measure))
        });
        let (windows, pasts, bases) = (windows.collect(), pasts.collect(), bases.collect());
        let life = if self.new.tells_story { Some(cell.life.take().unwrap_or_default()) } else { None };
        Cell { windows, pasts, bases, life, last: cell.last }
    }

    /// Counts a post in the windows that are new, and in the story if that is new.
    fn count(&self, cell: &mut Cell, p: Sized<'_>) {
        for (series, w) in cell.windows.iter_mut().zip(&self.new.windows) {
            if self.window(w).is_none() && passes(&w.spec, &w.filter, p.told, p.size, p.brand) {
                series.add(&w.spec, p.told, p.size);
            }
        }
        if let Some(life) = cell.life.as_mut().filter(|_| !self.old.tells_story && p.told.foreign.is_none()) {
            life.add(p.told);
        }
    }
}
