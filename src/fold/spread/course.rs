//! The course of one story: who carried it, how far it has reached, how far it will go. Kept for
//! every story of a key, whatever its rules ask for.

use serde::{Deserialize, Serialize};

use super::carriers::{Carrier, Carriers};
use super::tally::Tally;
use crate::base::hash::HashedMap;
use crate::base::limits;
use crate::base::model::{Answered, Gone, Outlook, PostKind, Seq, Told, Tone};
use crate::base::reach;
use crate::base::time::{Span, Time};
use crate::fold::forecast::{Followers, Forecast};
use crate::fold::posts::Kept;
use crate::fold::voices::Size;

/// What one account adds: its largest weights, and its base reach.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Voice {
    seen: u32,
    hostile: u32,
    base: u64,
}

impl Voice {
    fn reach(self) -> i128 {
        i128::from(self.seen) * i128::from(self.base)
    }

    fn hostile_reach(self) -> i128 {
        i128::from(self.hostile) * i128::from(self.base)
    }
}

/// The course of a story.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::fold) struct Course {
    /// Time of its first post.
    first: Time,
    /// Time of its last post.
    pub(super) last: Time,
    /// The last entry that concerned it.
    pub(super) used: Seq,
    /// Time of its first post that the brand did not write.
    mentioned: Option<Time>,
    /// Time of the first own answer after that.
    answered: Option<Time>,
    /// Its root's time and size.
    root: Option<(Time, Size)>,
    forecast: Option<Box<Forecast>>,
    voices: HashedMap<u64, Voice>,
    /// Accounts beyond the limit, which are counted and not remembered.
    crowded: u64,
    seen: i128,
    hostile: i128,
    /// Replies and quotes of known tone, and hostile ones among them.
    answers: (u64, u64),
    sources: Tally,
    langs: Tally,
    carriers: Carriers,
}

/// A post with the size of its author.
#[derive(Clone, Copy)]
pub(in crate::fold) struct Post<'t> {
    pub(in crate::fold) told: &'t Told,
    pub(in crate::fold) size: Size,
}

fn followers(size: Size) -> Followers {
    Followers { count: size.followers, known: size.known }
}

/// Whether its tone tells what people answer.
fn answers(t: &Told) -> bool {
    !t.is_root() && matches!(t.kind, PostKind::Reply | PostKind::Quote)
}

impl Course {
    pub(super) fn new(t: &Told) -> Course {
        Course {
            first: t.time,
            last: t.time,
            used: 0,
            mentioned: None,
            answered: None,
            root: None,
            forecast: None,
            voices: HashedMap::default(),
            crowded: 0,
            seen: 0,
            hostile: 0,
            answers: (0, 0),
            sources: Tally::default(),
            langs: Tally::default(),
            carriers: Carriers::default(),
        }
    }

    /// Counts a post.
    pub(super) fn add(&mut self, p: Post<'_>) {
        let t = p.told;
        self.span(t.time);
        self.mentioned = Some(self.mentioned.map_or(t.time, |m| m.min(t.time)));
        let weights = (reach::kind_weight(t.kind), reach::hostile_weight(t.n, t.kind));
        self.hear(t.account.0, p.size.base, |v| {
            (v.seen, v.hostile) = (v.seen.max(weights.0), v.hostile.max(weights.1))
        });
        self.answer(t, 1);
        self.sources.add(&t.body.source);
        self.langs.add(t.body.lang.as_deref().unwrap_or(""));
        self.pass_on(t, p.size);
        self.carriers.offer(Carrier::new(p), reach::kind_weight(t.kind), p.size.base);
    }

    /// The beginning and the end of its life.
    fn span(&mut self, at: Time) {
        if at < self.first {
            // what was counted from the first post on is counted from this one on
            let earlier = (self.first - at).as_seconds();
            self.forecast.iter_mut().for_each(|f| f.begin_earlier(earlier));
            self.first = at;
        }
        self.last = self.last.max(at);
    }

    /// Tells the forecast of a root or a share.
    fn pass_on(&mut self, t: &Told, size: Size) {
        let age = (t.time - self.first).as_seconds();
        if t.is_root() {
            self.root = Some((t.time, size));
            if let Some(f) = &mut self.forecast {
                f.expose(age, followers(size));
            }
        } else if t.passes_on() {
            let (root, first) = (self.root, self.first);
            let fresh = || {
                let mut f = Box::new(Forecast::default());
                if let Some((at, size)) = root {
                    f.expose((at - first).as_seconds(), followers(size));
                }
                f
            };
            self.forecast.get_or_insert_with(fresh).share(age, followers(size));
        }
    }

    /// Changes what an account adds; its size is that of now.
    fn hear(&mut self, account: u64, base: u64, change: impl FnOnce(&mut Voice)) {
        let room = self.voices.len() < limits::ACCOUNTS_PER_STORY || self.voices.contains_key(&account);
        let mut unremembered = Voice::default();
        let voice = if room { self.voices.entry(account).or_default() } else { &mut unremembered };
        self.crowded += u64::from(!room);
        let before = *voice;
        voice.base = base;
        change(voice);
        self.seen += voice.reach() - before.reach();
        self.hostile += voice.hostile_reach() - before.hostile_reach();
    }

    fn answer(&mut self, t: &Told, by: i64) {
        if answers(t) && t.n.is_some() {
            self.answers.0 = self.answers.0.saturating_add_signed(by);
            let hostile = Tone::of(t.n) == Tone::Negative;
            self.answers.1 = self.answers.1.saturating_add_signed(if hostile { by } else { 0 });
        }
    }

    /// A post got another text: `largest` is the largest weight of its author's posts that are kept, this one
    /// included. What is not kept any more stays counted.
    pub(super) fn edit(&mut self, before: &Told, after: &Told, largest: impl FnOnce() -> u32) {
        self.answer(before, -1);
        self.answer(after, 1);
        let (was, is) = (reach::hostile_weight(before.n, before.kind), reach::hostile_weight(after.n, after.kind));
        if let Some(voice) = self.voices.get(&after.account.0).copied() {
            let falls = was == voice.hostile && is < was;
            let hostile = if falls { largest() } else { voice.hostile.max(is) };
            self.hear(after.account.0, voice.base, |v| v.hostile = hostile);
        }
        self.carriers.edit(after);
    }

    /// The size of an account became known; told once for each of its posts that is kept.
    pub(super) fn learn(&mut self, account: u64, before: Size, size: Size, kept: &Kept) {
        if self.voices.contains_key(&account) {
            self.hear(account, size.base, |_| ());
        }
        let t = &kept.told;
        let age = (t.time - self.first).as_seconds();
        if t.is_root() {
            self.root = Some((t.time, size));
        }
        if let Some(f) = self.forecast.as_mut().filter(|_| t.is_root() || t.passes_on()) {
            f.learn(age, followers(before), followers(size), t.passes_on());
        }
        if !kept.deleted {
            self.carriers.offer(Carrier::new(Post { told: t, size }), reach::kind_weight(t.kind), size.base);
        }
    }

    /// A post by one of the brand's own accounts.
    pub(super) fn own(&mut self, p: Post<'_>) {
        let t = p.told;
        self.span(t.time);
        if t.is_root() {
            self.pass_on(t, p.size);
            self.carriers.offer(Carrier::new(p), reach::kind_weight(t.kind), p.size.base);
        }
        if answers(t) && self.mentioned.is_some_and(|m| t.time >= m) {
            self.answered_at(t.time);
        }
    }

    /// A post, or all of an account, is gone.
    pub(super) fn leave(&mut self, gone: Gone) {
        self.carriers.leave(gone);
    }

    /// What posts that are kept do not tell.
    pub(super) fn inherit(&mut self, before: &Course) {
        if let Some(at) = before.answered {
            self.answered_at(at);
        }
        if let Some((at, size)) = before.root.filter(|_| self.root.is_none()) {
            self.span(at);
            self.root = Some((at, size));
            if let Some(f) = &mut self.forecast {
                f.expose((at - self.first).as_seconds(), followers(size));
            }
        }
    }

    /// One of the brand's own accounts answered.
    pub(super) fn answered_at(&mut self, at: Time) {
        self.answered = Some(self.answered.map_or(at, |a| a.min(at)));
    }

    /// Whether one of the brand's own accounts answered, once others had spoken of it.
    pub(in crate::fold) fn answered(&self) -> Answered {
        self.answered.map_or(Answered::No, Answered::At)
    }

    /// Whether somebody passed it on.
    pub(in crate::fold) fn is_carried(&self) -> bool {
        self.forecast.is_some()
    }

    /// Time of its last post.
    pub(in crate::fold) fn last_heard(&self) -> Time {
        self.last
    }

    /// Reach in units of weight x base.
    #[cfg(test)]
    pub(super) fn seen_units(&self) -> i128 {
        self.seen
    }

    /// Hostile reach in units of weight x base.
    pub(in crate::fold) fn hostile_units(&self) -> i128 {
        self.hostile
    }

    /// Time of its first post.
    pub(in crate::fold) fn began(&self) -> Time {
        self.first
    }

    /// Accounts of these that are among the counted.
    pub(in crate::fold) fn counted(&self, accounts: impl Iterator<Item = u64>) -> u64 {
        accounts.filter(|a| self.voices.contains_key(a)).count() as u64
    }

    /// Distinct accounts.
    pub(in crate::fold) fn accounts(&self) -> u64 {
        self.voices.len() as u64 + self.crowded
    }

    /// Reach of distinct accounts, in impressions.
    pub(in crate::fold) fn reach(&self) -> f64 {
        self.seen as f64 / reach::SUM_ONE
    }

    /// Hostile reach of distinct accounts, in impressions.
    pub(in crate::fold) fn hostile_reach(&self) -> f64 {
        self.hostile as f64 / reach::SUM_ONE
    }

    /// Replies and quotes of known tone, and hostile ones among them.
    pub(in crate::fold) fn heard(&self) -> (u64, u64) {
        self.answers
    }

    pub(in crate::fold) fn sources(&self) -> &Tally {
        &self.sources
    }

    pub(in crate::fold) fn langs(&self) -> &Tally {
        &self.langs
    }

    pub(in crate::fold) fn carriers(&self) -> &Carriers {
        &self.carriers
    }

    /// How far it will go; `None` before anybody has passed it on.
    pub(in crate::fold) fn outlook(&self, now: Time) -> Option<Outlook> {
        self.forecast.as_ref()?.outlook(self.age(now))
    }

    /// Its shares within a time from now on, those so far included, and its reach by then in impressions.
    pub(in crate::fold) fn by(&self, now: Time, horizon: Span) -> Option<super::Coming> {
        let forecast = self.forecast.as_ref()?;
        let (shares, come) = forecast.within(self.age(now), horizon.as_seconds())?;
        // followers of a share to come see as much as those so far did
        let (so_far, each) = (self.reach(), self.seen_of_follower());
        Some(super::Coming { shares, reach: come.map(|f| so_far + f * each) })
    }

    /// Impressions that a follower of those who carried it stands for.
    pub(in crate::fold) fn seen_of_follower(&self) -> f64 {
        let root = self.root.map_or(0.0, |(_, size)| size.followers as f64);
        let followers = self.forecast.as_ref().map_or(0.0, |f| f.followers()) + root;
        // those who only answered are in reach, but not among these
        if followers > 0.0 { (self.reach() / followers).min(reach::SEEN_SMALL) } else { 0.0 }
    }

    fn age(&self, now: Time) -> f64 {
        (now - self.first).as_seconds().max(0.0)
    }
}
