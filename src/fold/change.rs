//! Rules change: what means the same goes on, what is new is counted from the posts kept.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Baseline;
use super::cell::{Cell, Sized, groups_of};
use super::history::History;
use super::key::{KeyFold, World};
use super::posts::{PostAt, Posts};
use super::series::{Series, passes};
use super::story::Life;
use super::voices::Size;
use crate::base::model::{Audience, Group, KeyId, Told};
use crate::base::rule::plan::{Base, Window};
use crate::base::rule::{Dim, Filter, Plan, RuleSet};
use crate::base::time::Time;

/// Posts of other brands that a key is told of from now on, and the keys that count other posts
/// than before.
pub struct Others<'o> {
    /// The posts kept of the brands it reads.
    pub foreign: Vec<(PostAt, Told)>,
    /// Keys that are new or whose queries changed.
    pub unlike: &'o BTreeSet<KeyId>,
}

impl KeyFold {
    /// The same key under other rules, its query unchanged.
    pub fn change(&mut self, old: &RuleSet, w: World<'_>, now: Time, others: Others<'_>) {
        let whole_from = self.kept_from(old.retention, now);
        self.foreign = kept_of(others.foreign);
        let same_vars = old.brand(self.key).map(|b| &b.vars) == w.rules.brand(self.key).map(|b| &b.vars);
        let mut before: BTreeMap<Group, Vec<(usize, Cell)>> = BTreeMap::new();
        for (group, cell) in std::mem::take(&mut self.cells) {
            let at = group.plan as usize;
            before.entry(Group { plan: 0, ..group }).or_default().push((at, cell));
        }
        for (i, plan) in w.rules.plans_of(self.key) {
            let olds: Vec<(usize, &Plan)> = old.plans_of(self.key).filter(|(_, p)| p.by == plan.by).collect();
            let moved = Moved { olds, new: plan, same_vars, unlike: others.unlike, whole_from, now };
            for (group, cells) in &before {
                let cells: Vec<(&Plan, &Cell)> =
                    cells.iter().filter_map(|(at, c)| Some((moved.old(*at)?, c))).collect();
                if !cells.is_empty() {
                    self.cells.insert(Group { plan: i as u32, ..group.clone() }, moved.cell(&cells));
                }
            }
            self.backfill(w, i, plan, &moved);
        }
    }

    /// A key that is new or whose query changed, with the posts kept that it concerns now.
    pub fn rebuilt(key: KeyId, w: World<'_>, kept: Vec<(PostAt, Told)>, now: Time, others: Others<'_>) -> KeyFold {
        let mut fold = KeyFold::since(key, w.rules, now);
        fold.posts = kept_of(kept);
        fold.foreign = kept_of(others.foreign);
        for (i, plan) in w.rules.plans_of(key) {
            let (olds, same_vars) = (Vec::new(), false);
            let moved = Moved { olds, new: plan, same_vars, unlike: others.unlike, whole_from: now, now };
            fold.backfill(w, i, plan, &moved);
        }
        fold
    }

    /// The key's own posts that are kept, oldest first, with their authors' audiences as they are
    /// known now.
    pub fn kept(&self) -> impl Iterator<Item = (PostAt, &Told, Audience)> {
        self.posts.all().filter(|(_, k)| !k.deleted).map(|(at, k)| {
            let known = self.posts.account(k.told.account.0).map(|a| a.audience);
            (at, &*k.told, known.unwrap_or(k.told.audience))
        })
    }

    /// Counts the posts kept in everything that did not go on from before.
    fn backfill(&mut self, w: World<'_>, index: usize, plan: &Plan, moved: &Moved<'_>) {
        let brand = w.rules.brand(self.key);
        let mut posts: Vec<(PostAt, Told, Size)> = Vec::new();
        for store in [&self.posts, &self.foreign] {
            for (at, kept) in store.all() {
                let size = store.account(kept.told.account.0).map(|a| a.size).unwrap_or_default();
                posts.push((at, (*kept.told).clone(), size));
            }
        }
        posts.sort_by_key(|(at, ..)| *at);
        let went_on: BTreeSet<Group> = match moved.olds.is_empty() {
            false => self.cells.keys().filter(|g| g.plan as usize == index).cloned().collect(),
            true => BTreeSet::new(),
        };
        if plan.by.len() == 1 {
            let fresh = || Cell::since(plan, moved.whole_from);
            self.cells.entry(Group::whole(index as u32, self.key)).or_insert_with(fresh);
        }
        for ((_, seq), told, size) in &posts {
            for group in groups_of(index, plan, told) {
                self.make_room_for(&group);
                let known = went_on.contains(&group);
                let cell = self.cells.entry(group).or_insert_with(|| Cell::since(plan, moved.whole_from));
                cell.last = cell.last.max(*seq);
                let p = Sized { told, size: *size, brand };
                if known { moved.count(cell, p) } else { cell.add(plan, p) }
            }
        }
    }
}

fn kept_of(posts: Vec<(PostAt, Told)>) -> Posts {
    let mut out = Posts::default();
    for ((_, seq), told) in posts {
        out.insert(seq, told);
    }
    out
}

/// From the old plans of a kind to a new one.
struct Moved<'m> {
    olds: Vec<(usize, &'m Plan)>,
    new: &'m Plan,
    /// Whether selectors that name variables mean the same.
    same_vars: bool,
    unlike: &'m BTreeSet<KeyId>,
    whole_from: Time,
    now: Time,
}

impl<'m> Moved<'m> {
    fn old(&self, at: usize) -> Option<&'m Plan> {
        self.olds.iter().find(|(i, _)| *i == at).map(|(_, p)| *p)
    }

    /// Whether equal selectors let the same posts pass as before.
    fn same(&self, filter: &Filter) -> bool {
        let vars = self.same_vars || !filter.reads_audience();
        vars && filter.brand.is_none_or(|b| !self.unlike.contains(&b))
    }

    fn window(&self, plan: &Plan, new: &Window) -> Option<usize> {
        plan.windows.iter().position(|w| w == new && self.same(&new.filter))
    }

    /// Whether a window is new, so that posts kept have to be counted in it.
    fn is_new(&self, new: &Window) -> bool {
        self.olds.iter().all(|(_, p)| self.window(p, new).is_none())
    }

    fn cell(&self, cells: &[(&Plan, &Cell)]) -> Cell {
        let by_story = self.new.has(Dim::Story);
        let windows = self.new.windows.iter().map(|w| {
            let found = cells.iter().find_map(|(p, c)| c.windows.get(self.window(p, w)?));
            // posts of other brands are kept only since they are read
            let from = if w.filter.brand.is_some() { self.now } else { self.whole_from };
            found.cloned().unwrap_or_else(|| Series::new(&w.spec, by_story, from))
        });
        let pasts = self.new.pasts.iter().map(|p| {
            let found = cells.iter().find_map(|(plan, c)| {
                let window = self.window(plan, self.new.windows.get(p.window)?)?;
                let same =
                    |o: &crate::base::rule::plan::Past| (o.window, o.offset, o.step) == (window, p.offset, p.step);
                c.pasts.get(plan.pasts.iter().position(same)?)
            });
            found.cloned().unwrap_or_else(|| History::new(p))
        });
        let bases = self.new.bases.iter().map(|b| {
            let same = |o: &Base| o == b && self.same(&b.filter);
            let found = cells.iter().find_map(|(p, c)| c.bases.get(p.bases.iter().position(same)?));
            found.cloned().unwrap_or_else(|| Baseline::new(b.spec.measure))
        });
        let (windows, pasts, bases) = (windows.collect(), pasts.collect(), bases.collect());
        let life: Option<Box<Life>> = cells.iter().find_map(|(_, c)| c.life.clone());
        let life = if self.new.tells_story { Some(life.unwrap_or_default()) } else { None };
        let last = cells.iter().map(|(_, c)| c.last).max().unwrap_or(0);
        Cell { windows, pasts, bases, life, last }
    }

    /// Counts a post in the windows that are new, and in the story if that is new.
    fn count(&self, cell: &mut Cell, p: Sized<'_>) {
        for (series, w) in cell.windows.iter_mut().zip(&self.new.windows) {
            if self.is_new(w) && passes(&w.spec, &w.filter, p.told, p.size, p.brand) {
                series.add(&w.spec, p.told, p.size);
            }
        }
        let told_before = self.olds.iter().any(|(_, p)| p.tells_story);
        if let Some(life) = cell.life.as_mut().filter(|_| !told_before && p.told.foreign.is_none()) {
            life.add(p.told);
        }
    }
}
