//! What is measured of a key for those who watch it. Counted only once somebody asks, from the posts kept; never
//! part of a snapshot, and of no consequence for any rule.

use std::collections::VecDeque;
use std::sync::LazyLock;

use super::baseline::{Gaps, Later};
use super::cell::{About, Cell, Sized};
use super::key::{KeyFold, World, hostile_reach};
use super::posts::{Kept, Posts};
use super::spread::Course;
use super::usual::HOUR;
use super::voices::Size;
use crate::base::limits;
use crate::base::model::{AccountId, Answered, Group, PostKind, StoryId, StoryVitals, Told, Vitals};
use crate::base::rule::Plan;
use crate::base::rule::expr::{Measure, SeriesSpec, View};
use crate::base::time::{Span, Time};

/// What a key costs to measure, in groups.
const KEY_COST: usize = 8;
/// Bins that are closed at the cost of a group.
const CLOSED_COST: usize = 4;
/// Stories that are gone through at the cost of a group.
const STORIES_COST: usize = 64;
/// How long an answer counts, which is not beyond a restart.
const DAY: Span = Span::seconds(86_400);
/// The series, in the order they are read in.
static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let five = Span::seconds(300);
    let series = [
        (Measure::HostileReach, five),
        (Measure::HostileReach, HOUR),
        (Measure::Authors, HOUR),
        (Measure::NegativeShare, HOUR),
        (Measure::KnownShare, HOUR),
    ];
    let spec = |(measure, window)| SeriesSpec {
        measure,
        selectors: Vec::new(),
        window,
        offset: Span::ZERO,
        view: View::Value,
    };
    Plan::of(&series.map(spec))
});

/// Series of a key that nobody may ask for, and the first answers in its stories.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    cell: Option<Box<Cell>>,
    /// Hostile reach against its past, where nothing was counted for a while.
    later: Option<Later>,
    /// Since when somebody asks.
    asked: Option<Time>,
    /// The story, when it was answered first, and how long that took; of stories that began since somebody asks.
    answers: VecDeque<(StoryId, Time, Span)>,
}

impl Watched {
    pub(super) fn add(&mut self, now: Time, gaps: Gaps<'_>, told: &Told, size: Size) {
        if let Some(cell) = &mut self.cell {
            cell.advance(&PLAN, now, gaps);
            cell.add(&PLAN, Sized { told, size, brand: None });
        }
    }

    pub(super) fn uncount(&mut self, told: &Told, size: Size) {
        if let Some(cell) = &mut self.cell {
            cell.uncount(&PLAN, Sized { told, size, brand: None });
        }
    }

    /// An account's size became known.
    pub(super) fn resize(&mut self, account: AccountId, size: Size, posts: &Posts) {
        let Some(cell) = &mut self.cell else { return };
        cell.resize(account.0, size);
        if cell.is_sampled() {
            for kept in posts.of_account(account.0).filter(|k| k.told.in_brand) {
                cell.readmit(&PLAN, Sized { told: &kept.told, size, brand: None });
            }
        }
    }

    /// A post by one of the key's own accounts.
    pub(super) fn own(&mut self, told: &Told, posts: &Posts) {
        // whoever replays asks for nothing, and searches for nothing
        let Some(asked) = self.asked else { return };
        let answers = matches!(told.kind, PostKind::Reply | PostKind::Quote);
        if !answers || self.answers.iter().any(|(story, ..)| *story == told.story.id) {
            return;
        }
        let in_story = |k: &&Kept| k.told.in_brand && k.told.story.id == told.story.id;
        let first = posts.since(Time(i64::MIN)).find(in_story).filter(|k| k.told.time <= told.time);
        // others may have been answered before
        let Some(first) = first.filter(|k| asked <= k.told.time) else { return };
        if self.answers.len() >= limits::ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back((told.story.id, told.time, told.time - first.told.time));
    }

    /// The median time to the first own answer.
    fn response(&self, now: Time) -> Option<Span> {
        let recent = self.answers.iter().filter(|(_, at, _)| now - *at <= DAY);
        let mut took: Vec<Span> = recent.map(|(.., took)| *took).collect();
        let middle = took.len() / 2;
        (!took.is_empty()).then(|| *took.select_nth_unstable(middle).1)
    }

    fn cell(&mut self, posts: &Posts, now: Time, gaps: Gaps<'_>) -> &mut Cell {
        let cell = self.cell.get_or_insert_with(|| {
            let mut cell = Cell::new(&PLAN);
            cell.advance(&PLAN, now, gaps);
            // one pane more than the longest window: panes count whole
            for kept in posts.since(now - HOUR - Span::seconds(60)).filter(|k| k.told.in_brand) {
                let size = posts.account(kept.told.account.0).map(|a| a.size).unwrap_or_default();
                cell.add(&PLAN, Sized { told: &kept.told, size, brand: None });
            }
            Box::new(cell)
        });
        cell.advance(&PLAN, now, gaps);
        cell
    }
}

impl KeyFold {
    /// What is measured of it now, and about how many groups that cost; from the first call on it is counted along.
    pub fn vitals(&mut self, w: World<'_>, now: Time) -> (Vitals, usize) {
        let mut watched = std::mem::take(&mut self.watched);
        let cell = watched.cell(&self.posts, now, w.gaps(&self.sources));
        let group = Group::whole(u32::MAX, self.key);
        let about =
            About { brand: None, course: None, usual: &self.usual, terms: &self.terms, gaps: w.gaps(&self.sources) };
        let values = cell.read(&PLAN, about, &group, now, 0).values;
        let value = |i: usize| values.get(i).copied().flatten();
        let quiet = cell.is_quiet(now);
        let gaps = w.gaps(&self.sources);
        let (rare, closed) = self.hostile.seen(&hostile_reach(), now, gaps, &mut watched.later);
        let vitals = Vitals {
            key: self.key,
            hostile_now: value(0).unwrap_or(0.0),
            hostile_hour: value(1).unwrap_or(0.0),
            authors: value(2).unwrap_or(0.0),
            negative_share: value(3),
            known_share: value(4),
            usual: self.usual.middle(),
            band: self.usual.band(),
            lift: rare.rarity_days.map(|_| rare.lift),
            rarity: rare.rarity_days.map(|d| d * 86_400.0),
            response: watched.response(now),
            stories: self.top_stories(w, now),
            open: [0; 3],
        };
        watched.asked.get_or_insert(now);
        if quiet {
            watched.cell = None;
        }
        self.watched = watched;
        (vitals, KEY_COST + closed / CLOSED_COST + self.courses.len() / STORIES_COST)
    }

    /// Stories that were passed on within the last day, most hostile reach first.
    fn top_stories(&self, w: World<'_>, now: Time) -> Vec<StoryVitals> {
        let live = |c: &Course| c.is_carried() && now - c.last_heard() <= DAY;
        let mut order: Vec<(StoryId, &Course)> = self.courses.all().filter(|(_, c)| live(c)).collect();
        let place = |(id, c): &(StoryId, &Course)| (std::cmp::Reverse(c.hostile_units()), *id);
        if order.len() > limits::STORIES_WATCHED {
            order.select_nth_unstable_by_key(limits::STORIES_WATCHED, place);
            order.truncate(limits::STORIES_WATCHED);
        }
        order.sort_unstable_by_key(place);
        let answers = w.rules.brand(self.key).is_some_and(|b| !b.own.is_empty());
        let shown = order.into_iter().filter_map(|(_, c)| {
            let outlook = c.outlook(now)?;
            Some(StoryVitals {
                outlook,
                reach: c.reach(),
                hostile_reach: c.hostile_reach(),
                day: c.by(now, DAY).map(|c| c.reach),
                exposure: outlook.exposure * c.seen_of_follower(),
                age: now - c.began(),
                answered: answers.then(|| c.answered() != Answered::No),
            })
        });
        shown.collect()
    }
}
