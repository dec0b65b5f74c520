//! The one ordered step: what the front found, in input order, becomes numbered entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::audience::{Audiences, Concerned};
use super::clock::{ClockMode, EngineClock, Verdict};
use super::stories::{Known, Stories};
use crate::base::account::account_id;
use crate::base::limits;
use crate::base::model::{
    Entry, EntryBody, Gone, KeyId, Mention, PostKind, Removal, Seq, Sifted, SiftedBatch, SourceInfo, SourceState, Told,
    WireFormat,
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
        if let Some(keys) = self.audiences.learn(account, source, followers.min(limits::FOLLOWERS)) {
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
                let known = self.stories.find([post]).filter(|k| !k.keys.is_empty());
                (Gone::Post(post), known.map(|k| k.keys.iter().copied().collect()), Outcome::Unrelated)
            }
            Removal::Account(account) => (Gone::Account(account), self.audiences.concerned(account), Outcome::Profile),
        };
        let Some(keys) = keys else { return missed };
        self.push(self.clock.now().unwrap_or_default(), EntryBody::Delete { gone, keys });
        Outcome::Delete
    }

    fn mention(&mut self, at: Time, m: &Mention) -> Outcome {
        let now = self.clock.now().unwrap_or(at);
        let itself = m.edit.then(|| self.stories.find([m.post])).flatten().filter(|k| !k.keys.is_empty());
        if let Some(known) = itself {
            return self.edit(now, m, known);
        }
        let links = m.links.iter().copied();
        let target = self.stories.find(m.parent.iter().chain(&m.root).copied().chain(links));
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
        let inherited = if m.has_text && m.kind != PostKind::Repost { m.n } else { self.stories.mean(story.id) };
        if m.has_text {
            self.stories.hear(story.id, m.n);
        }
        let passes_on = m.kind != PostKind::Reply && target.as_ref().is_some_and(|k| k.in_brand);
        let mut keys: SmallVec<[(KeyId, bool); 4]> = m.keys.iter().map(|k| (*k, true)).collect();
        for key in target.iter().flat_map(|k| &k.keys) {
            if !m.keys.contains(key) && keys.len() < limits::KEYS_PER_POST {
                keys.push((*key, passes_on));
            }
        }
        keys.sort_unstable();
        let plain: SmallVec<[KeyId; 2]> = keys.iter().map(|(k, _)| *k).collect();
        let (audience, learned) = self.audiences.assign(m.account, &m.body.source, m.followers, &plain);
        if let Some(concerned) = learned {
            let name = m.body.author_name.clone();
            let learned =
                EntryBody::AudienceLearned { account: m.account, followers: audience.followers, name, keys: concerned };
            self.push(now, learned);
        }
        let in_brand = keys.iter().any(|(_, b)| *b);
        let share = m.keys.is_empty() && in_brand;
        for (key, in_brand) in keys {
            let told = Told {
                key,
                post: m.post,
                account: m.account,
                audience,
                time: at,
                n: inherited,
                kind: m.kind,
                in_brand,
                story: story.clone(),
                body: m.body.clone(),
            };
            let body = if share { EntryBody::Share(Box::new(told)) } else { EntryBody::Mention(Box::new(told)) };
            self.push(now, body);
        }
        if m.kind != PostKind::Repost {
            self.stories.note(m, &story, plain, in_brand);
        }
        match (m.keys.is_empty(), share) {
            (false, _) => Outcome::Mention,
            (true, true) => Outcome::Share,
            (true, false) => Outcome::Reply,
        }
    }

    fn edit(&mut self, now: Time, m: &Mention, known: Known) -> Outcome {
        let story = self.stories.join(m, Some(&known));
        let keys: Vec<KeyId> = known.keys.to_vec();
        let (audience, _) = self.audiences.assign(m.account, &m.body.source, None, &keys);
        for key in keys {
            let told = Told {
                key,
                post: m.post,
                account: m.account,
                audience,
                time: m.time,
                n: m.n,
                kind: m.kind,
                in_brand: known.in_brand,
                story: story.clone(),
                body: m.body.clone(),
            };
            self.push(now, EntryBody::Edit(Box::new(told)));
        }
        Outcome::Edit
    }
}
