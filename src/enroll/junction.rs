//! The one ordered step: what the front found, in input order, becomes numbered entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::audience::{Audiences, Concerned};
use super::clock::{ClockMode, EngineClock, Verdict};
use super::stories::{Keys, Known, Stories};
use crate::base::account::account_id;
use crate::base::limits;
use crate::base::model::{
    Audience, Entry, EntryBody, Gone, KeyId, Mention, Negativity, PostKind, Removal, Seq, Sifted, SiftedBatch,
    SourceInfo, SourceState, StoryRef, Told, WireFormat,
};
use crate::base::outcome::{Outcome, Outcomes};
use crate::base::recent::Recent;
use crate::base::time::{Span, Time};

/// Decodes and scores a frame that refers to something tracked, by the front's own functions.
pub type Resolve<'r> = &'r mut dyn FnMut(WireFormat, &[u8]) -> Option<Mention>;

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
    audiences: Audiences,
    /// Frames whose times wait for confirmation, at most [`limits::HELD_FRAMES`].
    held: Vec<Held>,
    /// Event time of the last well-formed frame of each source.
    last_event: BTreeMap<Arc<str>, Time>,
    #[serde(skip)]
    counts: BTreeMap<Arc<str>, Outcomes>,
    #[serde(skip)]
    out: Vec<Entry>,
}

impl Junction {
    /// An empty junction. Posts older than `retention` are late.
    pub fn new(mode: ClockMode, retention: Span) -> Junction {
        Junction {
            clock: EngineClock::new(mode),
            retention,
            seq: 0,
            seen: Recent::new(limits::DEDUP_IDS),
            stories: Stories::new(),
            audiences: Audiences::new(),
            held: Vec::new(),
            last_event: BTreeMap::new(),
            counts: BTreeMap::new(),
            out: Vec::new(),
        }
    }

    /// Takes a batch of the front, in input order.
    pub fn batch(&mut self, batch: &SiftedBatch, resolve: Resolve<'_>) {
        let mut outcomes = Outcomes::default();
        let mut last = None;
        for (frame, sifted) in batch.frames.iter().zip(&batch.sifted) {
            let Some(time) = sifted.time() else {
                if let Sifted::Damaged(outcome) = sifted {
                    outcomes.add(*outcome);
                }
                continue;
            };
            last = Some(time);
            if !self.held.is_empty() {
                self.settle(time, resolve);
            }
            match self.clock.verdict(time) {
                Verdict::Take(at) => outcomes.add(self.take(at, sifted, &batch.source, &frame.bytes, resolve)),
                Verdict::Hold => {
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

    /// A rule set is in force from here on.
    pub fn rules(&mut self, fingerprint: u64) {
        let now = self.clock.now().unwrap_or_default();
        self.push(now, EntryBody::RulesChanged { fingerprint });
    }

    /// An audience was looked up.
    pub fn audience(&mut self, source: &Arc<str>, author: &str, followers: u64, name: Option<Box<str>>) {
        let account = account_id(source, author);
        let followers = followers.min(limits::FOLLOWERS);
        if let Some(keys) = self.audiences.learn(account, source, followers) {
            let now = self.clock.now().unwrap_or_default();
            self.push(now, EntryBody::AudienceLearned { account, followers, name, keys });
        }
    }

    /// Entries since the last call.
    pub fn drain(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.out)
    }

    /// Outcomes since the last call, by source.
    pub fn drain_counts(&mut self) -> BTreeMap<Arc<str>, Outcomes> {
        std::mem::take(&mut self.counts)
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
    pub fn limit_hits(&self) -> [(&'static str, u64); 4] {
        let (posts, stories) = self.stories.dropped();
        [
            ("dedup_ids", self.seen.dropped()),
            ("story_posts", posts),
            ("stories", stories),
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
            Sifted::Mention(m) => self.mention(at, m),
            Sifted::Ref(r) => {
                if !self.stories.concerns(&r.targets) {
                    return Outcome::Unrelated;
                }
                match resolve(source.format, bytes) {
                    Some(m) => self.mention(at, &m),
                    None => Outcome::Malformed,
                }
            }
        }
    }

    fn remove(&mut self, removal: Removal) -> Outcome {
        let (gone, keys, missed): (_, Option<Concerned>, _) = match removal {
            Removal::Post(post) => {
                let known = self.stories.find([post].into_iter()).filter(|k| !k.keys.is_empty());
                (Gone::Post(post), known.map(|k| k.keys.iter().map(|(k, _)| *k).collect()), Outcome::Unrelated)
            }
            Removal::Account(account) => (Gone::Account(account), self.audiences.leave(account), Outcome::Profile),
        };
        let Some(keys) = keys else { return missed };
        self.push(self.clock.now().unwrap_or_default(), EntryBody::Delete { gone, keys });
        Outcome::Delete
    }

    fn mention(&mut self, at: Time, m: &Mention) -> Outcome {
        let now = self.clock.now().unwrap_or(at);
        let itself = [m.post].into_iter();
        let known = if m.edit { self.stories.find(itself.clone()) } else { None };
        if let Some(known) = known.filter(|k| !k.keys.is_empty()) {
            return self.edit(now, m, &known);
        }
        // last its own place, if answers to it came first
        let posts = m.parent.iter().chain(&m.root).chain(&m.quoted).chain(&m.links).copied();
        let target = self.stories.find(posts.chain(itself));
        let concerned = target.as_ref().filter(|k| !k.keys.is_empty());
        if m.keys.is_empty() && concerned.is_none() {
            return Outcome::Unrelated;
        }
        if at < now - self.retention {
            return Outcome::Late;
        }
        if self.seen.get_mut(m.post.0).is_some() {
            return Outcome::Duplicate;
        }
        self.seen.insert(m.post.0, ());
        self.enroll(now, at, m, target)
    }

    /// Numbers one entry for each brand a post concerns.
    fn enroll(&mut self, now: Time, at: Time, m: &Mention, target: Option<Known>) -> Outcome {
        let story = self.stories.join(m, target.as_ref());
        let n = match m.kind {
            PostKind::Repost => self.stories.mean(story.id).or(m.n),
            PostKind::Quote if !m.has_text => target.as_ref().and_then(|k| k.n),
            _ => m.n,
        };
        if m.has_text {
            self.stories.hear(story.id, m.n);
        }
        let mut keys: Keys = m.keys.iter().map(|k| (*k, true)).collect();
        for (key, in_brand) in target.iter().flat_map(|k| &k.keys) {
            if !m.keys.contains(key) && keys.len() < limits::KEYS_PER_POST {
                keys.push((*key, *in_brand && m.kind != PostKind::Reply));
            }
        }
        keys.sort_unstable();
        let audience = self.assign(now, m, &keys);
        let share = m.keys.is_empty() && keys.iter().any(|(_, b)| *b);
        for (key, in_brand) in &keys {
            let told = Box::new(self.told(m, (*key, *in_brand), at, n, &story, audience));
            self.push(now, if share { EntryBody::Share(told) } else { EntryBody::Mention(told) });
        }
        self.stories.note(m, &story, keys);
        match (m.keys.is_empty(), share) {
            (false, _) => Outcome::Mention,
            (true, true) => Outcome::Share,
            (true, false) => Outcome::Reply,
        }
    }

    /// The author's audience; if the post tells it for the first time, all are told.
    fn assign(&mut self, now: Time, m: &Mention, keys: &Keys) -> Audience {
        let plain: SmallVec<[KeyId; 4]> = keys.iter().map(|(k, _)| *k).collect();
        let (audience, learned) = self.audiences.assign(m.account, &m.body.source, m.followers, &plain);
        if let Some(keys) = learned {
            let (followers, name) = (audience.followers, m.body.author_name.clone());
            self.push(now, EntryBody::AudienceLearned { account: m.account, followers, name, keys });
        }
        audience
    }

    fn told(
        &self,
        m: &Mention,
        (key, in_brand): (KeyId, bool),
        time: Time,
        n: Option<Negativity>,
        story: &StoryRef,
        audience: Audience,
    ) -> Told {
        let (story, body) = (story.clone(), m.body.clone());
        Told { key, post: m.post, account: m.account, audience, time, n, kind: m.kind, in_brand, story, body }
    }

    /// A post has another text: its brands get the new one, brands it names only now get a
    /// mention. A brand that it no longer names goes on counting it.
    fn edit(&mut self, now: Time, m: &Mention, known: &Known) -> Outcome {
        let story = self.stories.join(m, Some(known));
        let mut keys = known.keys.clone();
        let fresh = m.keys.iter().filter(|k| !known.keys.iter().any(|(old, _)| old == *k));
        let fresh: Keys = fresh.map(|k| (*k, true)).take(limits::KEYS_PER_POST).collect();
        keys.extend(fresh.iter().copied());
        keys.sort_unstable();
        let audience = self.assign(now, m, &keys);
        for key in &keys {
            let told = Box::new(self.told(m, *key, now.min(m.time), m.n, &story, audience));
            self.push(now, if fresh.contains(key) { EntryBody::Mention(told) } else { EntryBody::Edit(told) });
        }
        self.stories.renew(m.post, keys, m.n);
        Outcome::Edit
    }
}
