//! What is told of a story's whole life, as long as its group is kept.

use serde::{Deserialize, Serialize};

use crate::base::hash::HashedMap;
use crate::base::limits;
use crate::base::model::{Negativity, PostKind, Told, Tone, Value};
use crate::base::rule::expr::Measure;
use crate::base::time::{Span, Time};

/// The life of one story.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Life {
    /// Time of its first post.
    first: Option<Time>,
    /// Time of its last post.
    last: Option<Time>,
    /// Time of its first post that the brand did not write.
    mentioned: Option<Time>,
    /// Time of the first own reply after that.
    answered: Option<Time>,
    root: Option<Negativity>,
    /// How many posts say each text in a hostile and in another tone.
    texts: HashedMap<u64, (u32, u32)>,
    lead: i64,
    /// Texts that are not counted because of the limit.
    crowded: u64,
}

/// What a text adds to the lead: hostile if at least half of its posts are.
fn worth((hostile, other): (u32, u32)) -> i64 {
    match (hostile, other) {
        (0, 0) => 0,
        (h, o) if h >= o => 1,
        _ => -1,
    }
}

impl Life {
    pub(super) fn add(&mut self, t: &Told) {
        let earlier = |known: Option<Time>| Some(known.map_or(t.time, |k| k.min(t.time)));
        self.first = earlier(self.first);
        self.last = Some(self.last.map_or(t.time, |k| k.max(t.time)));
        self.mentioned = earlier(self.mentioned);
        if t.is_root() {
            self.root = t.n;
        }
        self.say(t, 1);
    }

    /// A post is taken back, to be replaced by its edit.
    pub(super) fn uncount(&mut self, t: &Told) {
        self.say(t, -1);
    }

    /// A post by one of the brand's own accounts.
    pub(super) fn own(&mut self, t: &Told) {
        self.first = Some(self.first.map_or(t.time, |k| k.min(t.time)));
        self.last = Some(self.last.map_or(t.time, |k| k.max(t.time)));
        if t.is_root() {
            self.root = t.n;
        }
        let answers = matches!(t.kind, PostKind::Reply | PostKind::Quote);
        if answers && self.mentioned.is_some_and(|m| t.time >= m) {
            self.answered = Some(self.answered.map_or(t.time, |k| k.min(t.time)));
        }
    }

    fn say(&mut self, t: &Told, by: i32) {
        // what nobody can judge says nothing
        let (Some(text), Some(_)) = (t.text, t.n) else { return };
        if by > 0 && self.texts.len() >= limits::TEXTS_PER_STORY && !self.texts.contains_key(&text) {
            self.crowded += 1;
            return;
        }
        let entry = self.texts.entry(text).or_default();
        let before = worth(*entry);
        let side = if Tone::of(t.n) == Tone::Negative { &mut entry.0 } else { &mut entry.1 };
        *side = side.saturating_add_signed(by);
        self.lead += worth(*entry) - before;
        if *entry == (0, 0) {
            self.texts.remove(&text);
        }
    }

    pub(super) fn value(&self, measure: Measure, now: Time) -> Value {
        match measure {
            Measure::Lead => Some(self.lead as f64),
            // each text is worth one or minus one
            Measure::HostileTexts => Some((self.texts.len() as f64 + self.lead as f64) / 2.0),
            Measure::OtherTexts => Some((self.texts.len() as f64 - self.lead as f64) / 2.0),
            Measure::RootNegativity => self.root.map(Negativity::as_unit),
            Measure::StoryAge => self.first.map(|t| (now - t).as_seconds().max(0.0)),
            // while nobody has answered, the time waited so far
            Measure::ResponseTime => Some((self.answered.unwrap_or(now) - self.mentioned?).as_seconds().max(0.0)),
            _ => None,
        }
    }

    /// When one of the brand's own accounts first answered, once others had spoken of it.
    pub(super) fn answered(&self) -> Option<Time> {
        self.answered
    }

    /// How long nothing has been said.
    pub(super) fn silent_for(&self, now: Time) -> Option<Span> {
        self.last.map(|t| now - t)
    }

    /// When it is forgotten if nothing more is said.
    pub(super) fn expiry(&self) -> Option<Time> {
        self.last.map(|t| t + limits::STORY_KEPT)
    }

    /// What is counted of texts, of these posts alone.
    pub(super) fn of_texts<'t>(measure: Measure, posts: impl Iterator<Item = &'t Told>) -> Value {
        let mut life = Life::default();
        posts.for_each(|t| life.say(t, 1));
        life.value(measure, Time(0))
    }

    /// Texts that were not counted because of the limit.
    pub(super) fn crowded(&self) -> u64 {
        self.crowded
    }
}
