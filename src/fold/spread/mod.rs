//! Stories of a key: the course of each, within bounds.

mod carriers;
mod course;
mod tally;

use serde::{Deserialize, Serialize};

pub(super) use course::{Course, Post};

use super::posts::Posts;
use super::voices::Size;
use crate::base::hash::HashedMap;
use crate::base::limits;
use crate::base::model::{AccountId, Band, Gone, Seq, StoryId, Told};
use crate::base::reach;
use crate::base::time::Time;

/// What a story will have come to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Coming {
    /// Shares.
    pub(super) shares: Band,
    /// Reach, in impressions.
    pub(super) reach: Band,
}

/// The stories of a key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Courses {
    all: HashedMap<u64, Course>,
    /// Stories that left because of the limit.
    crowded: u64,
}

impl Courses {
    /// Counts a post of the key's own.
    pub(super) fn add(&mut self, seq: Seq, told: &Told, size: Size) {
        let course = self.course(seq, told);
        course.add(Post { told, size });
    }

    /// A post by one of the key's own accounts. Answers found no story.
    pub(super) fn own(&mut self, seq: Seq, told: &Told, size: Size) {
        if told.is_root() || self.all.contains_key(&told.story.id.0) {
            self.course(seq, told).own(Post { told, size });
        }
    }

    fn course(&mut self, seq: Seq, told: &Told) -> &mut Course {
        let id = told.story.id.0;
        if self.all.len() >= limits::STORIES_PER_KEY && !self.all.contains_key(&id) {
            self.make_room();
        }
        let course = self.all.entry(id).or_insert_with(|| Course::new(told));
        if told.time - course.last >= limits::STORY_KEPT {
            // it was over, as everything else that is kept of it
            *course = Course::new(told);
        }
        course.used = course.used.max(seq);
        course
    }

    /// A post has another text.
    pub(super) fn edit(&mut self, before: &Told, after: &Told, posts: &Posts) {
        if let Some(course) = self.all.get_mut(&after.story.id.0) {
            let weight = |t: &Told| reach::hostile_weight(t.n, t.kind);
            course.edit(before, after, || {
                let here = posts.of_account(after.account.0).filter(|k| k.told.story.id == after.story.id);
                here.map(|k| weight(&k.told)).max().unwrap_or(0)
            });
        }
    }

    /// The size of an account became known.
    pub(super) fn learn(&mut self, account: AccountId, before: Size, size: Size, posts: &Posts) {
        if before == size {
            return;
        }
        for kept in posts.of_account(account.0) {
            if let Some(course) = self.all.get_mut(&kept.told.story.id.0) {
                course.learn(account.0, before, size, kept);
            }
        }
    }

    /// A post or an account is gone.
    pub(super) fn leave(&mut self, gone: Gone) {
        self.all.values_mut().for_each(|course| course.leave(gone));
    }

    /// What is not told by posts that are kept, as it was known before: own answers, and what own accounts began.
    pub(super) fn inherit(&mut self, before: &Courses) {
        for (id, course) in &mut self.all {
            if let Some(known) = before.all.get(id) {
                course.inherit(known);
            }
        }
    }

    /// When the brand first answered in a story, as it is known elsewhere.
    pub(super) fn answered(&mut self, story: StoryId, at: Time) {
        if let Some(course) = self.all.get_mut(&story.0) {
            course.answered_at(at);
        }
    }

    /// A story that is remembered.
    pub(super) fn get(&self, story: StoryId) -> Option<&Course> {
        self.all.get(&story.0)
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = (StoryId, &Course)> {
        self.all.iter().map(|(id, c)| (StoryId(*id), c))
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Stories that left because of the limit.
    pub(super) fn crowded(&self) -> u64 {
        self.crowded
    }

    /// Forgets stories of which nothing was heard for long.
    pub(super) fn forget(&mut self, now: Time) {
        self.all.retain(|_, c| now - c.last < limits::STORY_KEPT);
    }

    /// A sixteenth leaves: the smallest first, by powers of two; of these the least recent.
    fn make_room(&mut self) {
        let place = |(id, c): (&u64, &Course)| (c.accounts().checked_ilog2(), c.used, *id);
        let mut order: Vec<_> = self.all.iter().map(place).collect();
        order.sort_unstable();
        for (_, _, id) in order.into_iter().take(limits::STORIES_PER_KEY / 16) {
            self.all.remove(&id);
            self.crowded += 1;
        }
    }
}

#[cfg(test)]
mod tests;
