//! The one ordered step: what the front found, in input order, becomes numbered entries.

mod again;
mod audiences;
mod before;
mod telling;

pub use before::JunctionBefore;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::audience::{Audiences, Concerned};
use super::clock::{ClockMode, EngineClock, Verdict};
use super::stories::{Concern, Keys, Known, Stories};
use super::texts::Texts;
use super::watch::Watch;
use crate::base::broken::{self, Broken};
use crate::base::limits;
use crate::base::model::{
    Change, Entry, EntryBody, Gone, KeyId, Mention, Place, PostId, PostKind, Removal, Seq, Sifted, SiftedBatch,
    SourceInfo, SourceState, Told, WireFormat,
};
use crate::base::outcome::{Outcome, Outcomes};
use crate::base::recent::Recent;
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use telling::{Rank, Telling};

/// Decodes and scores a frame that refers to something tracked, by the front's own functions.
pub type Resolve<'r> = &'r mut dyn FnMut(&WireFormat, &[u8]) -> Option<Mention>;

/// A frame whose time waits for confirmation.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Held {
    source: Arc<SourceInfo>,
    bytes: Vec<u8>,
    sifted: Sifted,
    time: Time,
}

/// The junction's state; snapshots hold it whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Junction {
    clock: EngineClock,
    retention: Span,
    seq: Seq,
    seen: Recent<()>,
    stories: Stories,
    texts: Texts,
    audiences: Audiences,
    /// Frames whose times wait for confirmation, at most [`limits::HELD_FRAMES`].
    held: Vec<Held>,
    /// Event time of the last well-formed frame of each source.
    last_event: BTreeMap<Arc<str>, Time>,
    #[serde(skip)]
    watch: Watch,
    #[serde(skip)]
    counts: BTreeMap<Arc<str>, Outcomes>,
    /// How each frame of the last batch ended.
    #[serde(skip)]
    ends: Vec<Option<Outcome>>,
    #[serde(skip)]
    out: Vec<Entry>,
    /// What changed what it knows, since the last call; `None` where nobody asks.
    #[serde(skip)]
    changes: Option<Vec<Change>>,
}

impl Junction {
    /// An empty junction. It watches nothing before [`Junction::rules`].
    pub fn new(mode: ClockMode) -> Junction {
        Junction {
            clock: EngineClock::new(mode),
            retention: Span::ZERO,
            seq: 0,
            seen: Recent::new(limits::DEDUP_IDS),
            stories: Stories::new(),
            texts: Texts::new(),
            audiences: Audiences::new(),
            held: Vec::new(),
            last_event: BTreeMap::new(),
            watch: Watch::default(),
            counts: BTreeMap::new(),
            ends: Vec::new(),
            out: Vec::new(),
            changes: None,
        }
    }

    /// Takes a batch of the front, in input order.
    pub fn batch(&mut self, batch: &SiftedBatch, resolve: Resolve<'_>) {
        let mut outcomes = Outcomes::default();
        let mut last = None;
        self.ends.clear();
        for (frame, sifted) in batch.frames.iter().zip(&batch.sifted) {
            let Some(time) = sifted.time() else {
                if let Sifted::Damaged(outcome) = sifted {
                    outcomes.add(*outcome);
                    self.ends.push(Some(*outcome));
                }
                continue;
            };
            last = Some(time);
            if !self.held.is_empty() {
                self.settle(time, resolve);
            }
            match self.clock.verdict(time) {
                Verdict::Take(at) => {
                    let outcome = self.take(at, sifted, &batch.source, &frame.bytes, resolve);
                    if !broken::is(Broken::OutcomesLost) || outcome != Outcome::Mention {
                        outcomes.add(outcome);
                    }
                    self.ends.push(Some(outcome));
                }
                Verdict::Hold => {
                    self.ends.push(None);
                    let bytes = frame.bytes.to_vec();
                    self.hold(Held { source: batch.source.clone(), bytes, sifted: sifted.clone(), time });
                }
            }
        }
        if let Some(time) = last {
            self.last_event.insert(batch.source.name.clone(), time);
        }
        self.counts.entry(batch.source.name.clone()).or_default().merge(&outcomes);
    }

    /// Decides on held frames now that the next time is known.
    fn settle(&mut self, next: Time, resolve: Resolve<'_>) {
        let times: Vec<Time> = self.held.iter().map(|h| h.time).collect();
        let Some(confirmed) = self.clock.confirmed(&times, next) else { return };
        for (held, confirmed) in std::mem::take(&mut self.held).iter().zip(confirmed) {
            self.decide(held, confirmed, resolve);
        }
    }

    fn hold(&mut self, held: Held) {
        if self.held.len() >= limits::HELD_FRAMES {
            let oldest = self.held.remove(0);
            self.counts.entry(oldest.source.name.clone()).or_default().add(Outcome::BadTime);
        }
        self.held.push(held);
    }

    fn decide(&mut self, held: &Held, confirmed: bool, resolve: Resolve<'_>) {
        let outcome = match confirmed {
            true => self.take(held.time, &held.sifted, &held.source, &held.bytes, resolve),
            false => Outcome::BadTime,
        };
        self.counts.entry(held.source.name.clone()).or_default().add(outcome);
    }

    /// The Clock has reached a time.
    pub fn tick(&mut self, now: Time) {
        if let Some(second) = self.clock.tick(now) {
            self.push(second, EntryBody::Tick);
        }
    }

    /// Times of frames are believed as if the Clock had ticked; engine time stays as it is.
    pub fn believe(&mut self, now: Time) {
        self.clock.believe(now);
    }

    /// A source changed its state. At the end of a recording a held frame is decided: taken if
    /// nothing contradicts it.
    pub fn source(&mut self, name: &Arc<str>, state: SourceState, resolve: Resolve<'_>) {
        if state == SourceState::End {
            // at the end, of times that contradict each other the earliest are believed
            let earliest = self.held.iter().map(|h| h.time).min();
            let believed = earliest.filter(|_| self.clock.now().is_none()).map(|t| t + limits::FILE_JUMP);
            for held in std::mem::take(&mut self.held) {
                self.decide(&held, believed.is_some_and(|t| held.time <= t), resolve);
            }
        }
        let now = self.clock.now().unwrap_or_default();
        self.push(now, EntryBody::Source { name: name.clone(), state });
    }

    /// A rule set is in force from here on; held frames are looked at anew.
    pub fn rules(&mut self, rules: &RuleSet, sift: &mut dyn FnMut(&Arc<SourceInfo>, &[u8]) -> Sifted) {
        self.resume(rules);
        for held in &mut self.held {
            held.sifted = sift(&held.source, &held.bytes);
        }
        let now = self.clock.now().unwrap_or_default();
        self.push(now, EntryBody::RulesChanged { fingerprint: rules.fingerprint });
    }

    /// Keys that are new or count other posts now: what was noted for them is forgotten, but for
    /// the posts that were found again.
    pub fn adopt(&mut self, unlike: &BTreeSet<KeyId>, found: &BTreeMap<KeyId, Vec<&Told>>) {
        self.stories.forget(unlike);
        for (key, posts) in found {
            for t in posts {
                self.stories.adopt(t, *key);
                self.audiences.note(t.account, *key);
            }
        }
    }

    /// Goes on under a rule set that is in force already, after a snapshot was read.
    pub fn resume(&mut self, rules: &RuleSet) {
        self.retention = rules.retention;
        self.watch = Watch::new(rules);
    }

    /// Entries since the last call.
    pub fn drain(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.out)
    }

    /// Outcomes since the last call, by source.
    pub fn drain_counts(&mut self) -> BTreeMap<Arc<str>, Outcomes> {
        std::mem::take(&mut self.counts)
    }

    /// How each frame of the last batch ended, in order; `None` for one whose time waits to be
    /// confirmed, which live there is none.
    pub fn ends(&self) -> &[Option<Outcome>] {
        &self.ends
    }

    /// The number of the last entry.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Engine time, if any time was seen.
    pub fn now(&self) -> Option<Time> {
        self.clock.now()
    }

    /// Event time of the last well-formed frame of each source.
    pub fn last_event(&self) -> &BTreeMap<Arc<str>, Time> {
        &self.last_event
    }

    /// How much was forgotten because of each named limit.
    pub fn limit_hits(&self) -> [(&'static str, u64); 5] {
        let (posts, stories) = self.stories.dropped();
        [
            ("dedup_ids", self.seen.dropped()),
            ("story_posts", posts),
            ("stories", stories),
            ("texts", self.texts.dropped()),
            ("accounts", self.audiences.dropped()),
        ]
    }

    fn push(&mut self, clock: Time, body: EntryBody) {
        self.seq += 1;
        self.out.push(Entry { seq: self.seq, clock, body });
    }

    fn take(&mut self, at: Time, sifted: &Sifted, source: &SourceInfo, bytes: &[u8], resolve: Resolve<'_>) -> Outcome {
        if let Some(second) = self.clock.advance(at) {
            self.push(second, EntryBody::Tick);
        }
        match sifted {
            Sifted::Damaged(outcome) | Sifted::Done(_, outcome) => *outcome,
            Sifted::Removal(_, removal) => self.remove(*removal),
            Sifted::Mention(m) => self.mention(at, m, &source.name),
            Sifted::Ref(r) => {
                if !self.stories.concerns(&r.targets) {
                    return Outcome::Unrelated;
                }
                match resolve(&source.format, bytes) {
                    Some(m) => self.mention(at, &m, &source.name),
                    None => Outcome::Malformed,
                }
            }
        }
    }

    fn remove(&mut self, removal: Removal) -> Outcome {
        let (gone, keys, missed): (_, Option<Concerned>, _) = match removal {
            Removal::Post(post) => {
                let known = self.stories.find([post].into_iter()).filter(|(_, k)| !k.keys.is_empty());
                (Gone::Post(post), known.map(|(_, k)| k.keys.iter().map(|c| c.key).collect()), Outcome::Unrelated)
            }
            Removal::Account(account) => (Gone::Account(account), self.audiences.leave(account), Outcome::Profile),
        };
        let Some(keys) = keys else { return missed };
        if let Gone::Account(account) = gone {
            self.note(|| Change::Left(account));
        }
        let keys = self.watch.with_readers(keys);
        self.push(self.clock.now().unwrap_or_default(), EntryBody::Delete { gone, keys });
        Outcome::Delete
    }

    fn mention(&mut self, at: Time, m: &Mention, via: &Arc<str>) -> Outcome {
        let now = self.clock.now().unwrap_or(at);
        let itself = [m.post].into_iter();
        let known = if m.edit { self.stories.find(itself.clone()) } else { None };
        if let Some((_, known)) = known.filter(|(_, k)| !k.keys.is_empty()) {
            let version = again::version(m);
            if self.seen.peek(version).is_some() {
                return Outcome::Duplicate;
            }
            self.seen.insert(version, ());
            self.note_post(now, at, m, via);
            return self.edit(now, m, &known, via);
        }
        // last its own place, if answers to it came first
        let posts = m.parent.iter().chain(&m.root).chain(&m.quoted).chain(&m.links).copied();
        let target = self.stories.find(posts.chain(itself));
        let fresh = self.concerns(m, target.as_ref());
        if fresh.is_empty() {
            return if m.staff.is_empty() { Outcome::Unrelated } else { Outcome::Staff };
        }
        if at < now - self.retention {
            return Outcome::Late;
        }
        if self.seen.peek(m.post.0).is_some() {
            return Outcome::Duplicate;
        }
        self.seen.insert(m.post.0, ());
        self.note_post(now, at, m, via);
        self.enroll((now, at), m, via, target, fresh)
    }

    /// Brands a post concerns, sorted: those it names or answers, those of the post it refers to,
    /// those whose account wrote it. For staff it does not exist.
    fn concerns(&self, m: &Mention, target: Option<&(PostId, Known)>) -> Keys {
        let named = m.keys.iter().map(|k| Concern { key: *k, in_brand: true, own: false });
        let own = m.own.iter().map(|k| Concern { key: *k, in_brand: true, own: true });
        let mut keys: Keys = own.chain(named).collect();
        if let Some((post, known)) = target {
            let direct = m.parent == Some(*post) || m.quoted == Some(*post);
            for c in &known.keys {
                if keys.iter().any(|k| k.key == c.key) || m.staff.contains(&c.key) {
                    continue;
                }
                let in_brand = match (c.own, m.kind) {
                    // an answer to the brand is a mention of it even if it names nothing
                    (true, PostKind::Reply | PostKind::Quote) => direct,
                    (true, _) | (_, PostKind::Reply) => false,
                    _ => c.in_brand,
                };
                keys.push(Concern { key: c.key, in_brand, own: false });
            }
        }
        keys.retain(|c| self.watch.is_live(c.key));
        keys.truncate(limits::KEYS_PER_POST);
        keys.sort_unstable();
        keys
    }

    /// Numbers one entry for each brand a post concerns.
    fn enroll(
        &mut self,
        (now, at): (Time, Time),
        m: &Mention,
        via: &Arc<str>,
        target: Option<(PostId, Known)>,
        keys: Keys,
    ) -> Outcome {
        let known = target.as_ref().map(|(_, k)| k);
        let text = m.sketch.as_ref().map(|s| self.texts.assign(s, m.post));
        let copied = text.filter(|_| counts_as_copy(m)).and_then(|t| self.texts.story(t, m.account, at));
        let told = known.map(|k| k.story).filter(|s| self.stories.remembers(*s));
        let (story, fresh) = self.stories.join(m, told.into_iter().chain(copied));
        if let Some((post, _)) = target.as_ref().filter(|_| told.is_none()) {
            self.stories.moved(*post, story.id);
        }
        let refers = m.parent.iter().chain(&m.root).chain(&m.quoted).chain(&m.links).chain([&m.post]);
        self.stories.used(refers.copied(), story.id, m.account);
        if let Some(text) = text.filter(|_| counts_as_copy(m)) {
            let forgotten = self.texts.first(text).is_some_and(|s| !self.stories.remembers(s));
            self.texts.said(text, (m.account, at), story.id, forgotten);
        }
        let n = match m.kind {
            PostKind::Repost => self.stories.mean(story.id).or(m.n),
            PostKind::Quote if !m.has_text => known.and_then(|k| k.n),
            _ => m.n,
        };
        if m.has_text {
            self.stories.hear(story.id, m.n);
        }
        let audience = self.assign(now, m, &keys);
        let late_root = target.as_ref().is_some_and(|(post, _)| *post == m.post);
        let began = (fresh || late_root) && !matches!(m.kind, PostKind::Reply | PostKind::Repost);
        let root = began && self.stories.begins_with_it(story.id);
        let to_own = |c: &Concern| {
            let answers = target.as_ref().is_some_and(|(post, k)| {
                (m.parent == Some(*post) || m.quoted == Some(*post)) && k.keys.iter().any(|o| o.own && o.key == c.key)
            });
            m.to.contains(&c.key) || (answers && c.in_brand)
        };
        let passed_on = known.filter(|_| !m.has_text && m.kind.shares()).map(|k| k.causes);
        let causes = passed_on.unwrap_or(m.causes);
        let named = |post: &PostId| [m.parent, m.quoted, m.root].contains(&Some(*post));
        let from = target.as_ref().map(|(post, _)| *post).filter(named);
        let place = if root { Place::Root } else { from.map_or(Place::Inside, Place::After) };
        let base = Telling { m, via, story: &story, audience, text, place, causes };
        let mut outcome = None;
        for c in &keys {
            let told = Told { to_own: to_own(c), ..base.told(c, at, n) };
            let named = m.keys.contains(&c.key) || told.to_own;
            outcome = outcome.max(Some(match (c.own, named, c.in_brand) {
                (true, ..) => Rank::Own,
                (_, true, _) => Rank::Mention,
                (_, _, true) => Rank::Share,
                _ => Rank::Reply,
            }));
            if c.own {
                self.push(now, EntryBody::Own(Box::new(told)));
            } else if named || !c.in_brand {
                self.tell(now, told, EntryBody::Mention);
            } else {
                self.tell(now, told, EntryBody::Share);
            }
        }
        self.stories.note(m, &story, keys, told.is_none() && !fresh);
        outcome.map_or(Outcome::Unrelated, Rank::outcome)
    }

    /// Pushes what a key is told, and the same for keys that read this one.
    fn tell(&mut self, now: Time, told: Told, body: fn(Box<Told>) -> EntryBody) {
        let readers = if told.in_brand { self.watch.readers(told.key) } else { Arc::default() };
        for reader in readers.iter() {
            let foreign = Told { key: *reader, foreign: Some(told.key), ..told.clone() };
            self.push(now, body(Box::new(foreign)));
        }
        self.push(now, body(Box::new(told)));
    }

    /// A post has another text: its brands get the new one, brands it names only now get a
    /// mention. A brand that it no longer names goes on counting it.
    fn edit(&mut self, now: Time, m: &Mention, known: &Known, via: &Arc<str>) -> Outcome {
        let (story, _) = self.stories.join(m, [known.story]);
        let mut keys = known.keys.clone();
        let named = m.keys.iter().filter(|k| !known.keys.iter().any(|old| old.key == **k));
        let fresh: Keys =
            named.map(|k| Concern { key: *k, in_brand: true, own: false }).take(limits::KEYS_PER_POST).collect();
        keys.extend(fresh.iter().copied());
        // what counted in its story only is a mention now that it names the brand
        for c in keys.iter_mut().filter(|c| m.keys.contains(&c.key)) {
            c.in_brand = true;
        }
        keys.retain(|c| self.watch.is_live(c.key));
        keys.sort_unstable();
        let text = m.sketch.as_ref().map(|s| self.texts.assign(s, m.post));
        let audience = self.assign(now, m, &keys);
        // it can be the root for a brand that it names only now
        let root = *story.name == *format!("{}:{}", m.body.source, m.body.id);
        // what it was is not known here, but it passes nothing on
        let place = if root { Place::Root } else { Place::After(m.post) };
        let base = Telling { m, via, story: &story, audience, text, place, causes: m.causes };
        for c in keys.iter().filter(|c| !c.own) {
            let told =
                Told { to_own: m.to.contains(&c.key), ..base.told(c, m.time.clamp(now - self.retention, now), m.n) };
            let body = if fresh.contains(c) { EntryBody::Mention } else { EntryBody::Edit };
            self.tell(now, told, body);
        }
        self.stories.renew(m, story.id, keys);
        Outcome::Edit
    }
}

/// Whether a post can found or join a story by its text alone: one that names a brand, by nobody of
/// the brand, and long enough not to be said by people who do not know of each other.
fn counts_as_copy(m: &Mention) -> bool {
    let long = m.sketch.as_ref().is_some_and(|s| s.hashes().len() >= limits::COPIED_PIECES);
    long && !m.keys.is_empty() && m.own.is_empty() && m.staff.is_empty()
}

#[cfg(test)]
mod tests;
