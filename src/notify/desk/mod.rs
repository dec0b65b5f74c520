//! Who is told of what, decided: every message passes incident, silence, inhibition, grouping and
//! de-duplication, in this order, and comes out as something to send or with the reason why not.
//!
//! Knows no threads and reads no clock; what it remembers it gives out as rows to be kept.

mod flush;
mod orders;
mod rows;
mod shown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

pub use orders::{Order, Task};

use super::dedup::news;
use super::group;
use super::incident::{Incident, is_ending};
use super::policy::{Manner, Policy};
use super::routes::Routed;
use super::silence::Silence;
use super::telling::Sending;
use super::view::News;
use crate::base::broken::{self, Broken};
use crate::base::limits;
use crate::base::model::{DeskRow, EpisodeId, Gone, IncidentId, Message, Notice, Phase, Severity};
use crate::base::time::Time;

/// What becomes of what the desk was told.
#[derive(Debug, Default)]
pub struct Out {
    /// To be sent.
    pub sendings: Vec<Sending>,
    /// To be noted.
    pub notes: Vec<Noted>,
}

/// A line for the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Noted {
    /// What happened: `not sent`, `acknowledged`, ….
    pub what: &'static str,
    /// The receiver it is about.
    pub receiver: Option<Arc<str>>,
    /// The incident it is about.
    pub incident: Option<IncidentId>,
    /// The episode it is about.
    pub episode: Option<EpisodeId>,
    /// The message it is about; may be empty.
    pub key: String,
    /// Why, or who.
    pub detail: String,
}

/// The desk.
#[derive(Debug, Default)]
pub struct Desk {
    incidents: BTreeMap<IncidentId, Incident>,
    /// Last rows of those that were forgotten.
    parting: Vec<DeskRow>,
    /// Those that go on, or of which somebody is still to be told.
    lively: BTreeSet<IncidentId>,
    /// The others, the first to be forgotten first.
    over: VecDeque<IncidentId>,
    /// The incident of each episode that is not forgotten.
    of: BTreeMap<EpisodeId, IncidentId>,
    /// The last change to firing of each of these, as far as it is known.
    notices: BTreeMap<EpisodeId, Notice>,
    silences: BTreeMap<u64, Silence>,
    /// When each receiver gets its next trial.
    trials: BTreeMap<Arc<str>, Time>,
    /// What changed since rows were taken.
    changed: BTreeSet<IncidentId>,
    changed_silences: BTreeSet<u64>,
    /// Nothing is due before.
    soonest: Option<Time>,
}

impl Desk {
    /// Takes a message and gives what is to be sent of it now.
    pub fn take(&mut self, message: &Message, policy: &Policy, now: Time) -> Out {
        let mut out = Out::default();
        if let Message::Episode(n) = message
            && n.rules.in_shadow(n.transition.rule)
            && !self.ends_told(n)
        {
            out.notes.push(not_sent(message, None, "its rule is in shadow"));
            return out;
        }
        let routed = policy.routes.receivers(message);
        let is_feed = |r: &Routed| policy.receivers.get(&r.receiver).is_none_or(|p| p.manner == Manner::Feed);
        let (feeds, people): (Vec<Routed>, Vec<Routed>) = routed.into_iter().partition(is_feed);
        let incident = match message {
            Message::Episode(n) => self.episode(n, &people, policy, now, &mut out),
            Message::Source(_) | Message::Store(_) | Message::Digest(_) => {
                out.sendings.extend(people.iter().map(|r| Sending::of_service(message, r, policy)));
                None
            }
        };
        self.feed(message, incident, feeds, policy, now, &mut out);
        self.flush(policy, now, &mut out);
        out
    }

    /// These ended while nobody could be told.
    pub fn ended(&mut self, over: &[Notice], policy: &Policy, now: Time) {
        for n in over {
            let episode = n.transition.episode;
            let Some(id) = self.of.get(&episode).copied() else { continue };
            if self.incidents.get(&id).is_some_and(|i| i.episodes.get(&episode).is_some_and(|m| m.open)) {
                self.end(id, n, policy, now);
            }
        }
    }

    /// Whether it is the end of something that was told before its rule went into shadow.
    fn ends_told(&self, n: &Notice) -> bool {
        let t = &n.transition;
        is_ending(t.to) && self.of.contains_key(&t.episode) && !broken::is(Broken::ShadowForgets)
    }

    /// Machines are told of every step, but of what somebody silenced.
    fn feed(
        &mut self,
        message: &Message,
        incident: Option<IncidentId>,
        feeds: Vec<Routed>,
        policy: &Policy,
        now: Time,
        out: &mut Out,
    ) {
        let starts = matches!(message, Message::Episode(n) if n.transition.to == Phase::Firing);
        let quiet = incident.filter(|_| starts).and_then(|id| self.incidents.get(&id));
        let quiet = quiet.and_then(|i| self.kept_quiet(i, policy, now)).map(|(_, why)| why);
        for r in feeds {
            match &quiet {
                Some(why) => out.notes.push(not_sent(message, Some(&r.receiver), why)),
                None => out.sendings.push(Sending::feed(message, r.receiver, incident)),
            }
        }
    }

    /// What a change of an episode is to its incident, and to those who are told.
    fn episode(
        &mut self,
        n: &Notice,
        people: &[Routed],
        policy: &Policy,
        now: Time,
        out: &mut Out,
    ) -> Option<IncidentId> {
        let t = &n.transition;
        let known = self.of.get(&t.episode).copied();
        if is_ending(t.to) {
            if t.to == Phase::Resolved && !people.is_empty() && self.is_unnoticed(n) {
                let why = "over before anybody was told";
                out.notes.push(not_sent(&Message::Episode(n.clone()), None, why));
            }
            let id = known?;
            self.end(id, n, policy, now);
            return Some(id);
        }
        if t.to != Phase::Firing {
            return known;
        }
        let id = self.join(n, now, out);
        let incident = self.incidents.get_mut(&id)?;
        if incident.is_closed() {
            let by = incident.closed.as_ref().map_or("", |d| &d.by);
            let why = format!("incident {} was closed by {by}, and this is no worse", id.code());
            out.notes.push(not_sent(&Message::Episode(n.clone()), None, &why));
            return Some(id);
        }
        // it was told already
        let returns = t.from == Phase::Clearing;
        for r in people {
            let Some(receiver) = policy.receivers.get(&r.receiver) else { continue };
            let news = news(incident.lines.get(&r.receiver).and_then(|l| l.told.as_ref()), incident);
            let due = now + group::wait(incident.severity, r.wait);
            let line = incident.lines.entry(r.receiver.clone()).or_default();
            line.then.clone_from(&r.then);
            if news == News::Update && !receiver.manner.follows() {
                if line.owed.is_none() && !returns {
                    let why = format!("it joins incident {} and is no worse than what was told", id.code());
                    out.notes.push(not_sent(&Message::Episode(n.clone()), Some(&r.receiver), &why));
                }
                continue;
            }
            if n.transition.severity == Severity::Page && broken::is(Broken::PagesLost) {
                continue;
            }
            line.owe(news, due);
        }
        self.touch(id);
        Some(id)
    }

    /// Whether an episode ends of which nobody knows, or not how bad it became.
    fn is_unnoticed(&self, n: &Notice) -> bool {
        let incident = self.of.get(&n.transition.episode).and_then(|id| self.incidents.get(id));
        let member = incident.and_then(|i| i.episodes.get(&n.transition.episode));
        member.is_none_or(|m| m.severity < n.transition.severity) && !broken::is(Broken::ShortPagesLost)
    }

    /// The incident an episode that fires belongs to.
    fn join(&mut self, n: &Notice, now: Time, out: &mut Out) -> IncidentId {
        let t = &n.transition;
        let known = self.of.get(&t.episode).copied();
        let found = known.filter(|id| self.takes(*id, n, true)).or_else(|| self.place(n));
        let id = match found {
            Some(id) => {
                let left = self.incidents.get_mut(&id).map(|i| i.take(n)).unwrap_or_default();
                for episode in left {
                    self.of.remove(&episode);
                    self.notices.remove(&episode);
                }
                id
            }
            None => {
                let mut fresh = Incident::open(n, now);
                if self.incidents.contains_key(&fresh.id) {
                    // the episode that gave its name to one that was closed became worse
                    fresh.id = IncidentId(fresh.id.0.wrapping_add(now.0.unsigned_abs()));
                }
                let before = known.and_then(|id| self.incidents.get(&id)).and_then(|i| Some((i.id, i.closed.clone()?)));
                fresh.notes.extend(before.map(|(id, d)| format!("worse than {}, which {} closed", id.code(), d.by)));
                let id = fresh.id;
                self.incidents.insert(id, fresh);
                id
            }
        };
        if let Some(before) = known.filter(|k| *k != id && !broken::is(Broken::BurnsOn)) {
            // it is no longer its own, or that would keep others quiet for ever
            if let Some(i) = self.incidents.get_mut(&before) {
                i.leave(t.episode, now);
            }
            self.touch(before);
        }
        self.of.insert(t.episode, id);
        self.notices.insert(t.episode, n.clone());
        self.touch(id);
        self.make_room(now, out);
        id
    }

    /// The incident that goes on and takes an episode: one of its own key, else the oldest it belongs to.
    fn place(&self, n: &Notice) -> Option<IncidentId> {
        let open = self.alive().filter(|i| i.is_of(n) && self.takes(i.id, n, false));
        let other = |i: &Incident| !i.keys.contains(&n.transition.group.key) && !broken::is(Broken::KeysShared);
        open.min_by_key(|i| (i.closed.is_some(), other(i), i.opened, i.id)).map(|i| i.id)
    }

    /// Whether an incident takes an episode: while it goes on; one that was closed only what is no worse.
    fn takes(&self, id: IncidentId, n: &Notice, member: bool) -> bool {
        self.incidents.get(&id).is_some_and(|i| match &i.closed {
            Some(_) => i.is_burning() && n.transition.severity <= i.severity,
            None => i.ended.is_none() || (member && i.is_burning()),
        })
    }

    /// An episode is over; with the last one its incident.
    fn end(&mut self, id: IncidentId, n: &Notice, policy: &Policy, now: Time) {
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        let news = if incident.leave(n.transition.episode, now) { News::Over } else { News::Update };
        if incident.closed.is_none() || broken::is(Broken::SpeaksOn) {
            owe_all(incident, news, policy, now);
        }
        self.touch(id);
    }

    fn touch(&mut self, id: IncidentId) {
        self.changed.insert(id);
        self.lively.insert(id);
        self.soonest = None;
    }

    /// Incidents that go on, or of which somebody is still to be told.
    fn alive(&self) -> impl Iterator<Item = &Incident> {
        self.lively.iter().filter_map(|id| self.incidents.get(id))
    }

    /// Puts those aside of which nobody is to be told any more.
    fn settle(&mut self) {
        let quiet = |id: &IncidentId| self.incidents.get(id).is_none_or(|i| !i.is_lively());
        let over: Vec<IncidentId> = self.lively.iter().copied().filter(quiet).collect();
        for id in over {
            self.lively.remove(&id);
            self.over.push_back(id);
        }
        while self.over.len() > limits::INCIDENTS_OVER {
            let Some(id) = self.over.pop_front() else { return };
            self.forget(id);
        }
    }

    /// Why an incident is kept quiet, and when that is looked at again.
    fn kept_quiet(&self, incident: &Incident, policy: &Policy, now: Time) -> Option<(Time, String)> {
        let open = self.open_notices(incident);
        let silence = self.silences.values().filter(|s| s.holds(now) && s.silences(incident.id, open.iter().copied()));
        if let Some(s) = silence.max_by_key(|s| (s.until, s.id)) {
            return Some((s.until, s.why()));
        }
        let others = self.alive().filter(|i| i.ended.is_none() && i.id != incident.id);
        for other in others {
            let loud = self.open_notices(other);
            if policy.inhibit.iter().any(|i| i.keeps_quiet((other, &loud), (incident, &open))) {
                return Some((now + limits::INHIBIT_LOOK, format!("inhibited by incident {}", other.id.code())));
            }
        }
        None
    }

    fn open_notices(&self, incident: &Incident) -> Vec<&Notice> {
        let open = incident.episodes.iter().filter(|(_, m)| m.open);
        open.filter_map(|(e, _)| self.notices.get(e)).collect()
    }

    /// Forgets the oldest beyond the limit; after a restart it is over, and the ledger says why nobody is told of it.
    fn make_room(&mut self, now: Time, out: &mut Out) {
        while self.lively.len() > limits::INCIDENTS {
            let Some(mut oldest) = self.alive().min_by_key(|i| (i.opened, i.id)).cloned() else { return };
            let why = format!("more than {} incidents go on; nobody is told of this one any more", limits::INCIDENTS);
            out.notes.push(flush::noted(oldest.id, "forgotten", None, why));
            oldest.ended.get_or_insert(now);
            oldest.lines.values_mut().for_each(|l| (l.owed, l.waits) = (None, None));
            self.parting.extend(rows::row(&oldest));
            self.lively.remove(&oldest.id);
            self.forget(oldest.id);
        }
    }

    /// Unless it goes on again.
    fn forget(&mut self, id: IncidentId) {
        if self.lively.contains(&id) {
            return;
        }
        if let Some(incident) = self.incidents.remove(&id) {
            for episode in incident.episodes.keys().filter(|e| self.of.get(e) == Some(&id)).copied().collect::<Vec<_>>()
            {
                self.of.remove(&episode);
                self.notices.remove(&episode);
            }
        }
        self.changed.remove(&id);
    }

    /// A post or an account is gone: nobody is told its texts any more.
    pub fn forget_texts(&mut self, gone: Gone) {
        for notice in self.notices.values_mut() {
            if let Some(evidence) = &mut notice.transition.evidence {
                evidence.forget(gone);
            }
        }
    }

    /// The incident of an episode, if it has one that is remembered.
    pub fn incident_of(&self, episode: EpisodeId) -> Option<IncidentId> {
        self.of.get(&episode).copied()
    }

    /// A receiver has taken a letter, or will not.
    pub fn heard(&mut self, what: &str, receiver: Option<&str>, key: &str) {
        let Some(receiver) = receiver else { return };
        for id in &self.lively {
            let Some(incident) = self.incidents.get_mut(id) else { continue };
            let Some(line) = incident.lines.get_mut(receiver) else { continue };
            let of = |k: &str| k == key || (what == "delivered" && is_later(key, k));
            let Some((_, since)) = line.waits.as_mut().filter(|(k, _)| of(k)) else { continue };
            match what {
                "refused" | "expired" | "dropped" => *since = Time(since.0.min(since.0 - limits::HANDOVER.0)),
                // a later one takes its place
                "superseded" => {}
                _ => line.waits = None,
            }
            self.changed.insert(incident.id);
            self.soonest = None;
        }
    }

    /// Whether a receiver was sent a later message about an incident than one of this key.
    pub fn is_behind(&self, incident: IncidentId, receiver: &str, key: &str) -> bool {
        let step = key.rsplit_once('-').and_then(|(_, step)| step.parse::<u32>().ok());
        let told = self.incidents.get(&incident).and_then(|i| i.lines.get(receiver)?.told.as_ref());
        match (told, step) {
            (Some(told), Some(step)) => told.step > step,
            // what is forgotten is long over
            (None, _) => !self.incidents.contains_key(&incident),
            (Some(_), None) => false,
        }
    }

    /// A receiver has not got what it was told last: it is told anew.
    pub fn again(&mut self, incident: IncidentId, receiver: &str, now: Time) {
        if let Some(line) = self.incidents.get_mut(&incident).and_then(|i| i.lines.get_mut(receiver)) {
            line.told = None;
            line.owe(News::Opened, now);
            self.touch(incident);
        }
    }

    /// All incidents that are remembered.
    pub fn incidents(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.values()
    }

    /// Silences that hold, or will.
    pub fn silences(&self) -> impl Iterator<Item = &Silence> {
        self.silences.values()
    }
}

/// Whether a key is of a later message about the same incident than another; it says what that said.
fn is_later(key: &str, than: &str) -> bool {
    let parts = |key: &str| key.rsplit_once('-').map(|(i, step)| (i.to_string(), step.parse::<u32>().ok()));
    let later = || parts(key).zip(parts(than)).is_some_and(|(a, b)| a.0 == b.0 && a.1 > b.1);
    !broken::is(Broken::LaterUnheard) && later()
}

/// Owes news to all receivers of an incident whom they concern.
fn owe_all(incident: &mut Incident, news: News, policy: &Policy, now: Time) {
    for (name, line) in &mut incident.lines {
        let Some(receiver) = policy.receivers.get(name) else { continue };
        let concerns = match news {
            News::Update => receiver.manner.follows(),
            News::Hand => receiver.manner.shows_hands(),
            _ => true,
        };
        if concerns && (line.told.is_some() || line.owed.is_some()) {
            line.owe(news, now);
        }
    }
}

/// That a message is not sent, and why.
fn not_sent(message: &Message, receiver: Option<&Arc<str>>, why: &str) -> Noted {
    Noted {
        what: "not sent",
        receiver: receiver.cloned(),
        incident: None,
        episode: message.episode(),
        key: message.key(),
        detail: why.to_string(),
    }
}

#[cfg(test)]
mod tests;
