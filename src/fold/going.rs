//! Where a story stands, for those who are told of it.

use std::collections::BTreeMap;

use super::evidence::{Part, belongs, parts, show};
use super::key::KeyFold;
use super::posts::Kept;
use super::usual::HOUR;
use crate::base::model::{Going, Group, Growth, StoryId, StoryRef};
use crate::base::reach;
use crate::base::time::{Span, Time};

/// What a story grew by is asked of this time.
const LATELY: Span = Span::seconds(600);
/// How far ahead its reach is told.
const DAY: Span = Span::seconds(86_400);
/// A brand's talk is about a story where at least so many accounts carried it.
const CARRIED: u64 = 3;

impl KeyFold {
    /// Where the story of a group goes; of a group of the whole brand, that with most hostile reach among those of
    /// the last hour.
    pub(super) fn going(&self, group: &Group, now: Time) -> Option<Box<Going>> {
        let story = match &group.story {
            Some(story) => story.clone(),
            None => self.loudest(group, now)?,
        };
        let course = self.courses.get(story.id)?;
        let outlook = course.outlook(now);
        let mut tree = course.carriers().tree();
        for one in &mut tree {
            // handles that were learned later
            if let Some(name) =
                self.posts.account(one.account).and_then(|a| a.name.clone()).filter(|_| !one.name.is_empty())
            {
                one.name = name;
            }
        }
        let listed = course.counted(tree.iter().map(|s| s.account));
        let lately = self.of_story(story.id, now - LATELY);
        let shares = lately.iter().filter(|k| k.told.passes_on()).count();
        Some(Box::new(Going {
            story: story.name.clone(),
            outlook,
            shares_an_hour: shares as f64 * (HOUR.0 as f64 / LATELY.0 as f64),
            began: course.began(),
            accounts: course.accounts(),
            reach: course.reach(),
            hostile_reach: course.hostile_reach(),
            day: course.by(now, DAY).map(|c| c.reach),
            exposure: outlook.map_or(0.0, |o| o.exposure * course.seen_of_follower()),
            answers: course.heard(),
            sources: course.sources().most(),
            langs: course.langs().most(),
            growth: self.growth(&lately),
            tree,
            unlisted: course.accounts().saturating_sub(listed),
        }))
    }

    /// Posts of a story that are kept, from a time on.
    fn of_story(&self, story: StoryId, from: Time) -> Vec<&Kept> {
        self.posts.since(from).filter(|k| k.told.story.id == story).collect()
    }

    fn loudest(&self, group: &Group, now: Time) -> Option<StoryRef> {
        let mut seen: BTreeMap<StoryId, (&StoryRef, Vec<&Kept>)> = BTreeMap::new();
        for k in self.posts.since(now - HOUR).filter(|k| belongs(group, k)) {
            seen.entry(k.told.story.id).or_insert((&k.told.story, Vec::new())).1.push(k);
        }
        let carried = |id: StoryId| self.courses.get(id).is_some_and(|c| c.accounts() >= CARRIED);
        let hostile = |posts: &[&Kept]| parts(&self.posts, posts).values().map(|p| p.hostile).sum::<i128>();
        let sums = seen.into_values().filter(|(s, _)| carried(s.id)).map(|(s, posts)| (s, hostile(&posts)));
        let loud = sums.filter(|(_, sum)| *sum > 0);
        loud.max_by_key(|(s, sum)| (*sum, std::cmp::Reverse(s.id))).map(|(s, _)| s.clone())
    }

    /// What came with these posts, and the one that brought most.
    fn growth(&self, lately: &[&Kept]) -> Option<Growth> {
        let parts = parts(&self.posts, lately);
        let whole: i128 = parts.values().map(|p| p.reach).sum();
        let place = |p: &&Part<'_>| (p.reach, std::cmp::Reverse((p.post.told.time, p.post.told.post)));
        let most = parts.values().max_by_key(place)?;
        let share = most.reach as f64 / whole.max(1) as f64;
        Some(Growth { within: LATELY, reach: whole as f64 / reach::SUM_ONE, most: show(&self.posts, most.post, share) })
    }
}
