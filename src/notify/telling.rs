//! Something to be sent, before it has the form of its receiver.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::incident::Incident;
use super::policy::{Manner, Policy};
use super::routes::Routed;
use super::view::{Case, Deed, News};
use crate::base::hash;
use crate::base::limits;
use crate::base::model::{Cause, EpisodeId, IncidentId, Message, Notice, Severity};
use crate::base::time::Time;

/// What is known of an incident when somebody is told.
#[derive(Clone, Debug)]
pub struct Telling {
    /// The incident.
    pub id: IncidentId,
    /// Why.
    pub news: News,
    step: u32,
    severity: Severity,
    now: Time,
    began: Time,
    ended: Option<Time>,
    /// The most severe first, of equals the newest.
    episodes: Vec<Notice>,
    causes: Vec<Cause>,
    claimed: Option<Deed>,
    acknowledged: Option<Deed>,
    closed: Option<Deed>,
    notes: Vec<String>,
    next: Option<Time>,
}

impl Telling {
    /// Of an incident; `None` where none of its episodes is known.
    pub(super) fn new(
        incident: &Incident,
        news: News,
        notices: &BTreeMap<EpisodeId, Notice>,
        notes: Vec<String>,
        next: Option<Time>,
        now: Time,
    ) -> Option<Telling> {
        let mut episodes: Vec<&Notice> = incident.episodes.keys().filter_map(|e| notices.get(e)).collect();
        let order = |n: &&Notice| {
            let open = incident.episodes.get(&n.transition.episode).is_some_and(|m| m.open);
            std::cmp::Reverse((n.transition.severity, open, n.transition.at, n.transition.episode))
        };
        episodes.sort_by_key(order);
        let episodes: Vec<Notice> = episodes.into_iter().take(limits::EPISODES_TOLD).cloned().collect();
        if episodes.is_empty() {
            return None;
        }
        Some(Telling {
            id: incident.id,
            news,
            step: incident.step,
            severity: incident.severity,
            now,
            began: incident.began,
            ended: incident.ended,
            episodes,
            causes: incident.causes.clone(),
            claimed: incident.claimed.clone(),
            acknowledged: incident.acknowledged.clone(),
            closed: incident.closed.clone(),
            notes,
            next,
        })
    }

    /// As it is put into words; with where to act.
    pub fn case(&self, act: Option<String>) -> Case<'_> {
        Case {
            id: self.id,
            step: self.step,
            news: self.news,
            severity: self.severity,
            now: self.now,
            began: self.began,
            ended: self.ended,
            episodes: self.episodes.iter().collect(),
            causes: self.causes.clone(),
            claimed: self.claimed.clone(),
            acknowledged: self.acknowledged.clone(),
            closed: self.closed.clone(),
            notes: self.notes.clone(),
            next: self.next,
            act,
        }
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// The episode it is mostly about.
    fn lead(&self) -> Option<EpisodeId> {
        self.episodes.first().map(|n| n.transition.episode)
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Content {
    /// A change, as a machine is told, with its incident.
    Change(Box<Message>, Option<IncidentId>),
    /// News of the service itself, as people are told.
    Service(Box<Message>),
    /// News of incidents: of one, or of several that waited.
    Incidents(Vec<Telling>),
    /// Nothing has happened: a trial.
    Trial(Time),
    /// The trial of that time is over, for receivers at which something stays open until it is ended.
    TrialOver(Time),
}

/// Something for one receiver.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The receiver.
    pub receiver: Arc<str>,
    /// By what it knows that it got it already.
    pub key: Arc<str>,
    /// What is about one incident goes in order.
    pub incident: Option<IncidentId>,
    /// The episode it is mostly about.
    pub episode: Option<EpisodeId>,
    /// Whether it makes older messages about its incident needless.
    pub whole: bool,
    /// What it says.
    pub content: Content,
    gathered: bool,
}

impl Sending {
    /// A change, for a machine.
    pub fn feed(message: &Message, receiver: Arc<str>, incident: Option<IncidentId>) -> Sending {
        let content = Content::Change(Box::new(message.clone()), incident);
        let (key, episode) = (message.key().into(), message.episode());
        // lanes are for people: machines get all in one order
        Sending { receiver, key, incident: None, episode, whole: false, content, gathered: false }
    }

    /// News of the service itself.
    pub(super) fn of_service(message: &Message, to: &Routed, policy: &Policy) -> Sending {
        let replaces = policy.receivers.get(&to.receiver).is_some_and(|r| r.manner.replaces());
        let (key, lane) = (message.key().into(), service_lane(message));
        let (content, receiver) = (Content::Service(Box::new(message.clone())), to.receiver.clone());
        let whole = replaces && lane.is_some();
        Sending { receiver, key, incident: lane, episode: None, whole, content, gathered: false }
    }

    pub(super) fn people(receiver: Arc<str>, key: Arc<str>, telling: Telling, whole: bool, gathered: bool) -> Sending {
        let (incident, episode) = (Some(telling.id), telling.lead());
        let content = Content::Incidents(vec![telling]);
        Sending { receiver, key, incident, episode, whole, content, gathered }
    }

    fn trial(receiver: Arc<str>, now: Time) -> Sending {
        let id = hash::parts(&[b"trial", receiver.as_bytes(), &now.0.to_le_bytes()]);
        let (key, content) = (format!("{id:016x}").into(), Content::Trial(now));
        Sending { receiver, key, incident: None, episode: None, whole: false, content, gathered: false }
    }

    /// A trial as a receiver of this manner gets it: what would stay open is ended right after it began.
    pub(super) fn trials(receiver: &Arc<str>, manner: Manner, now: Time) -> impl Iterator<Item = Sending> {
        let trial = Sending::trial(receiver.clone(), now);
        let over = matches!(manner, Manner::Pager | Manner::State).then(|| Sending {
            key: format!("{}-over", trial.key).into(),
            content: Content::TrialOver(now),
            ..trial.clone()
        });
        [trial].into_iter().chain(over)
    }

    pub(super) fn is_gathered(&self) -> bool {
        self.gathered
    }

    /// Takes in another that waited for the same receiver; whether it did.
    pub(super) fn gather(&mut self, other: &mut Sending) -> bool {
        if self.receiver != other.receiver || !self.gathered {
            return false;
        }
        let (Content::Incidents(mine), Content::Incidents(others)) = (&mut self.content, &mut other.content) else {
            return false;
        };
        if mine.len() >= limits::DIGEST_INCIDENTS {
            return false;
        }
        mine.append(others);
        (self.incident, self.whole) = (None, false);
        true
    }
}

/// The lane of news about the service: what is lost and found again belongs together.
pub fn service_lane(message: &Message) -> Option<IncidentId> {
    let parts: [&[u8]; 2] = match message {
        Message::Source(s) => [b"source", s.source.as_bytes()],
        Message::Store(_) => [b"store", b""],
        Message::Episode(_) | Message::Digest(_) => return None,
    };
    Some(IncidentId(hash::parts(&parts)))
}
