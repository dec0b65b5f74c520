//! Rules change: what means the same goes on, what is new is counted from the posts kept.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Baseline;
use super::cell::{Cell, Sized, groups_of};
use super::history::History;
use super::key::{KeyFold, World};
use super::posts::{PostAt, Posts};
use super::series::{Series, passes};
use super::spread::Courses;
use super::story::Life;
use super::terms::Terms;
use super::voices::Size;
use crate::base::model::{AccountId, Audience, Group, KeyId, PostId, Told};
use crate::base::rule::plan::{Base, Past, Window};
use crate::base::rule::{Dim, Filter, Plan, RuleSet};
use crate::base::time::{Span, Time};

/// Posts of other brands that a key is told of from now on, and the keys that count other posts
/// than before.
pub struct Others<'o> {
    /// The posts kept of the brands it reads; `None`: it reads what it read before.
    pub foreign: Option<Vec<(PostAt, Told)>>,
    /// Keys that are new or whose queries changed.
    pub unlike: &'o BTreeSet<KeyId>,
}

/// Of posts that are kept nobody knows any more what was lost between them.
fn unlost(_: Time, _: Time) -> Span {
    Span::ZERO
}

impl KeyFold {
    /// The same key under other rules, its query unchanged.
    pub fn change(&mut self, old: &RuleSet, w: World<'_>, now: Time, others: Others<'_>) {
        let whole_from = self.kept_from(old.retention, now);
        if let Some(foreign) = others.foreign {
            self.foreign = kept_of(foreign);
        }
        let same_vars = old.brand(self.key).map(|b| &b.vars) == w.rules.brand(self.key).map(|b| &b.vars);
        let olds: Vec<(usize, &Plan)> = old.plans_of(self.key).collect();
        let plans: Vec<(usize, &Plan)> = w.rules.plans_of(self.key).collect();
        let moved = |i: usize| {
            let new = w.rules.plans.get(i)?;
            let olds = olds.iter().copied().filter(|(_, p)| p.by == new.by).collect();
            Some(Moved { olds, new, same_vars, unlike: others.unlike, whole_from, now })
        };
        // plans that go on as they were, by their places before and now
        let mut going_on: BTreeMap<usize, usize> = BTreeMap::new();
        for (i, _) in &plans {
            if let Some(at) = moved(*i).and_then(|m| m.goes_on(&going_on)) {
                going_on.insert(at, *i);
            }
        }
        if going_on.len() == olds.len() && plans.len() == olds.len() && going_on.iter().all(|(at, i)| at == i) {
            return;
        }
        let mut before: BTreeMap<usize, Vec<(Group, Cell)>> = BTreeMap::new();
        for (group, cell) in std::mem::take(&mut self.cells) {
            before.entry(group.plan as usize).or_default().push((group, cell));
        }
        for (i, plan) in plans.iter().filter(|(i, _)| !going_on.values().any(|on| on == i)) {
            let Some(moved) = moved(*i) else { continue };
            // what nobody else goes on from is taken, not copied
            let alone = plans.iter().filter(|(_, p)| p.by == plan.by).count() == 1;
            self.move_to(*i, &moved, &mut before, alone);
            self.backfill(w, *i, plan, &moved);
        }
        for (at, i) in going_on {
            let cells = before.remove(&at).unwrap_or_default().into_iter();
            self.cells.extend(cells.map(|(g, cell)| (Group { plan: i as u32, ..g }, cell)));
        }
    }

    /// The cells of a plan, made of those of older plans.
    fn move_to(&mut self, i: usize, moved: &Moved<'_>, before: &mut BTreeMap<usize, Vec<(Group, Cell)>>, alone: bool) {
        let mut groups: BTreeMap<Group, Vec<(&Plan, &mut Cell)>> = BTreeMap::new();
        for (at, cells) in before.iter_mut() {
            let Some(plan) = moved.old(*at) else { continue };
            for (group, cell) in cells {
                groups.entry(Group { plan: i as u32, ..group.clone() }).or_default().push((plan, cell));
            }
        }
        for (group, mut cells) in groups {
            self.cells.insert(group, moved.cell(&mut cells, alone));
        }
    }

    /// A key that is new or whose query changed, with the posts kept that it concerns now.
    pub fn rebuilt(
        key: KeyId,
        w: World<'_>,
        kept: Vec<(PostAt, Told)>,
        now: Time,
        (before, others): ((Courses, Terms), Others<'_>),
    ) -> KeyFold {
        let mut fold = KeyFold::since(key, w.rules, now);
        (fold.courses, fold.terms) = before;
        fold.terms.begin(now);
        kept.iter().filter(|(_, t)| t.in_brand).for_each(|(_, t)| fold.terms.add(t, t.time, unlost));
        fold.posts = kept_of(kept);
        fold.recount_courses();
        fold.foreign = kept_of(others.foreign.unwrap_or_default());
        for (i, plan) in w.rules.plans_of(key) {
            let (olds, same_vars) = (Vec::new(), false);
            let moved = Moved { olds, new: plan, same_vars, unlike: others.unlike, whole_from: now, now };
            fold.backfill(w, i, plan, &moved);
        }
        fold
    }

    /// Makes the courses of its stories anew, of the posts kept; what these do not tell is taken from what was known
    /// before.
    pub fn recount_courses(&mut self) {
        let before = std::mem::take(&mut self.courses);
        for ((_, seq), kept) in self.posts.all() {
            let size = self.posts.account(kept.told.account.0).map(|a| a.size).unwrap_or_default();
            if !kept.deleted {
                self.courses.add(seq, &kept.told, size);
            }
        }
        self.courses.inherit(&before);
        let lives = self.cells.iter().filter_map(|(g, c)| Some((g.story.as_ref()?, c.life.as_ref()?.answered()?)));
        for (story, at) in lives {
            self.courses.answered(story.id, at);
        }
    }

    /// The courses of its stories.
    pub fn courses(&self) -> &Courses {
        &self.courses
    }

    /// The hashtags it is known with.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The courses of its stories and its hashtags, of a key that goes.
    pub fn into_courses(self) -> (Courses, Terms) {
        (self.courses, self.terms)
    }

    /// Goes on with these courses and hashtags.
    pub fn go_on_with(&mut self, courses: Courses, terms: Terms) {
        (self.courses, self.terms) = (courses, terms);
    }

    /// Makes the hashtags it is known with anew, of the posts kept.
    pub fn recount_terms(&mut self) {
        self.posts
            .all()
            .filter(|(_, k)| k.told.in_brand)
            .for_each(|(_, k)| self.terms.add(&k.told, k.told.time, unlost));
    }

    /// The key's own posts that are kept, oldest first, with their authors' audiences as they are
    /// known now.
    pub fn kept(&self) -> impl Iterator<Item = (PostAt, &Told, Audience)> {
        self.posts.all().filter(|(_, k)| !k.deleted).map(|(at, k)| {
            let known = self.posts.account(k.told.account.0).map(|a| a.audience);
            (at, &*k.told, known.unwrap_or(k.told.audience))
        })
    }

    /// Whether an account of the key's own posts is known by a name.
    pub fn is_named(&self, account: AccountId) -> bool {
        self.posts.account(account.0).is_some_and(|a| a.name.is_some())
    }

    /// A post of the key's own that is kept.
    pub fn kept_post(&self, post: PostId) -> Option<(PostAt, &Told, Audience)> {
        let (at, kept) = self.posts.find(post).filter(|(_, k)| !k.deleted)?;
        let known = self.posts.account(kept.told.account.0).map(|a| a.audience);
        Some((at, &*kept.told, known.unwrap_or(kept.told.audience)))
    }

    /// Counts the posts kept in everything that did not go on from before.
    fn backfill(&mut self, w: World<'_>, index: usize, plan: &Plan, moved: &Moved<'_>) {
        if plan.by.len() == 1 {
            let fresh = || Cell::since(plan, moved.whole_from);
            self.cells.entry(Group::whole(index as u32, self.key)).or_insert_with(fresh);
        }
        let Some(from) = moved.counted_from() else { return };
        let brand = w.rules.brand(self.key);
        let KeyFold { posts: own, foreign, .. } = &*self;
        let mut posts: Vec<(PostAt, Box<Told>, Size)> = Vec::new();
        for store in [own, foreign] {
            for (at, kept) in store.from(from) {
                let size = store.account(kept.told.account.0).map(|a| a.size).unwrap_or_default();
                posts.push((at, kept.told.clone(), size));
            }
        }
        if !foreign.is_empty() {
            posts.sort_by_key(|(at, ..)| *at);
        }
        let went_on: BTreeSet<Group> = match moved.olds.is_empty() {
            false => self.cells.keys().filter(|g| g.plan as usize == index).cloned().collect(),
            true => BTreeSet::new(),
        };
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

/// What was found goes on; else something fresh begins.
fn gone_on<T: Clone>(found: Option<&mut T>, fresh: T, take: bool) -> T {
    match found {
        Some(found) if take => std::mem::replace(found, fresh),
        Some(found) => found.clone(),
        None => fresh,
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

    /// The older plan that asks for just the same, unless another goes on from it.
    fn goes_on(&self, taken: &BTreeMap<usize, usize>) -> Option<usize> {
        let same = |p: &Plan| {
            (&p.windows, &p.pasts, &p.bases, p.tells_story)
                == (&self.new.windows, &self.new.pasts, &self.new.bases, self.new.tells_story)
                && p.windows.iter().all(|w| self.same(&w.filter))
                && p.bases.iter().all(|b| self.same(&b.filter))
        };
        self.olds.iter().find(|(at, p)| !taken.contains_key(at) && same(p)).map(|(at, _)| *at)
    }

    /// The earliest event time that anything new counts; `None` if nothing is new.
    fn counted_from(&self) -> Option<Time> {
        let told_before = self.olds.iter().any(|(_, p)| p.tells_story);
        if self.olds.is_empty() || (self.new.tells_story && !told_before) {
            return Some(Time(i64::MIN));
        }
        let new = || self.new.windows.iter().filter(|w| self.is_new(w));
        if new().any(|w| w.spec.window == Span::ZERO) {
            return Some(Time(i64::MIN));
        }
        // a pane more than the window, since the oldest counts whole
        new().map(|w| self.now - Span(w.spec.window.0 + 2 * w.spec.pane().0)).min()
    }

    /// One cell of those of older plans; with `take` they keep nothing.
    fn cell(&self, cells: &mut [(&Plan, &mut Cell)], take: bool) -> Cell {
        let by_story = self.new.has(Dim::Story);
        let (mut windows, mut pasts, mut bases) = (Vec::new(), Vec::new(), Vec::new());
        for w in &self.new.windows {
            // posts of other brands are kept only since they are read
            let from = if w.filter.brand.is_some() { self.now } else { self.whole_from };
            let fresh = Series::new(&w.spec, by_story, from);
            let found = cells.iter_mut().find_map(|(p, c)| c.windows.get_mut(self.window(p, w)?));
            windows.push(gone_on(found, fresh, take));
        }
        for p in &self.new.pasts {
            let found = cells.iter_mut().find_map(|(plan, c)| {
                let window = self.window(plan, self.new.windows.get(p.window)?)?;
                let same = |o: &Past| (o.window, o.offset, o.step) == (window, p.offset, p.step);
                c.pasts.get_mut(plan.pasts.iter().position(same)?)
            });
            pasts.push(gone_on(found, History::new(p), take));
        }
        for b in &self.new.bases {
            let same = |o: &Base| o == b && self.same(&b.filter);
            let found = cells.iter_mut().find_map(|(p, c)| c.bases.get_mut(p.bases.iter().position(same)?));
            bases.push(gone_on(found, Baseline::new(b.spec.measure), take));
        }
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
