//! Incidents: open episodes of one key, or of brands of one group, that belong together, are told as
//! one thing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::dedup::Told;
use super::view::{Deed, News};
use crate::base::account::post_id;
use crate::base::limits;
use crate::base::model::{Cause, EpisodeId, IncidentId, KeyId, Notice, Phase, Severity, StoryId, step};
use crate::base::rule::RuleSet;
use crate::base::time::Time;

/// An episode of an incident.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// The rule's name.
    pub alert: String,
    /// Its last change to firing, by which it is found again.
    pub step: u64,
    /// Engine time of that change.
    pub at: Time,
    /// Its severity.
    pub severity: Severity,
    /// Whether it goes on.
    pub open: bool,
}

/// What a receiver is owed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Owed {
    /// Why.
    pub news: News,
    /// Not before, by the Clock.
    pub due: Time,
    /// Why it was not told yet, as it was noted.
    pub held: Option<String>,
    /// Whether it waits to be told together with others.
    pub gathered: bool,
}

/// What one receiver is told of an incident.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Line {
    /// What it was told last.
    pub told: Option<Told>,
    /// What it is owed.
    pub owed: Option<Owed>,
    /// Who is told if it does not take a page.
    pub then: Vec<Arc<str>>,
    /// A page it has not taken yet: its key, and since when it waits.
    pub waits: Option<(Arc<str>, Time)>,
    /// What is to be said first.
    pub notes: Vec<String>,
}

impl Line {
    /// Owes news from a time on; what was owed before is told along.
    pub(super) fn owe(&mut self, news: News, due: Time) {
        match &mut self.owed {
            Some(owed) => {
                // what was held back for a reason is looked at again as soon as there is more
                if due < owed.due {
                    (owed.due, owed.gathered) = (due, false);
                }
                owed.news = owed.news.max(news);
            }
            None => self.owed = Some(Owed { news, due, held: None, gathered: false }),
        }
    }
}

/// What people are told about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Incident {
    /// Its name.
    pub id: IncidentId,
    /// The keys of its episodes.
    pub keys: BTreeSet<KeyId>,
    /// The first brand's slug, for lists.
    pub brand: String,
    /// When it was opened, by the Clock.
    pub opened: Time,
    /// When its first episode began to hold, by engine time.
    pub began: Time,
    /// When it was over, by the Clock.
    pub ended: Option<Time>,
    /// The highest severity so far.
    pub severity: Severity,
    /// Causes, in the order they came.
    pub causes: Vec<Cause>,
    /// Stories and top posts of its episodes.
    stories: BTreeSet<StoryId>,
    posts: BTreeSet<u64>,
    /// Its episodes.
    pub episodes: BTreeMap<EpisodeId, Member>,
    /// Messages so far.
    pub step: u32,
    /// By receiver.
    pub lines: BTreeMap<Arc<str>, Line>,
    /// Who acknowledged it.
    pub acknowledged: Option<Deed>,
    /// Who claimed it.
    pub claimed: Option<Deed>,
    /// Who closed it.
    pub closed: Option<Deed>,
    /// What is to be said first: of an incident before.
    pub notes: Vec<String>,
}

impl Incident {
    /// The rule that counts for it: of the episode that opened it, or of the first that is as severe as it is.
    pub fn rule(&self) -> Option<&str> {
        let order = |(episode, m): &(&EpisodeId, &Member)| {
            let opened = IncidentId::of(**episode) == self.id;
            (std::cmp::Reverse(m.severity), !opened, m.at, **episode)
        };
        self.episodes.iter().min_by_key(order).map(|(_, m)| &*m.alert)
    }

    /// That an episode opens.
    pub(super) fn open(n: &Notice, now: Time) -> Incident {
        let t = &n.transition;
        let mut incident = Incident {
            id: IncidentId::of(t.episode),
            keys: BTreeSet::new(),
            brand: n.rules.brand(t.group.key).map_or(String::new(), |b| b.slug.to_string()),
            opened: now,
            began: t.since,
            ended: None,
            severity: t.severity,
            causes: Vec::new(),
            stories: BTreeSet::new(),
            posts: BTreeSet::new(),
            episodes: BTreeMap::new(),
            step: 0,
            lines: BTreeMap::new(),
            acknowledged: None,
            claimed: None,
            closed: None,
            notes: Vec::new(),
        };
        incident.take(n);
        incident
    }

    /// An episode of it changed to firing, or joins it. Gives the episodes it no longer remembers.
    pub(super) fn take(&mut self, n: &Notice) -> Vec<EpisodeId> {
        let t = &n.transition;
        let alert = n.rules.rules.get(t.rule as usize).map_or(String::new(), |r| r.name.clone());
        let member = Member { alert, step: step(t), at: t.at, severity: t.severity, open: true };
        self.keys.insert(t.group.key);
        self.began = self.began.min(t.since);
        self.severity = self.severity.max(t.severity);
        self.stories.extend(t.group.story.as_ref().map(|s| s.id));
        for post in t.evidence.iter().flat_map(|e| e.top.first()) {
            self.posts.insert(post_id(&post.body.source, post.body.id.as_bytes()).0);
        }
        while self.posts.len() > limits::INCIDENT_POSTS {
            self.posts.pop_first();
        }
        // one text can be misread, several hardly
        let said = t.evidence.iter().flat_map(|e| &e.causes).filter(|(_, texts)| *texts >= limits::CAUSE_TEXTS);
        for cause in t.group.cause.into_iter().chain(said.map(|(cause, _)| *cause)) {
            if !self.causes.contains(&cause) {
                self.causes.push(cause);
            }
        }
        self.episodes.insert(t.episode, member);
        let mut left = Vec::new();
        while self.episodes.len() > limits::INCIDENT_EPISODES {
            // those that are over first, the oldest of them
            let oldest =
                self.episodes.iter().filter(|(e, _)| **e != t.episode).min_by_key(|(e, m)| (m.open, m.at, **e));
            let Some(oldest) = oldest.map(|(e, _)| *e) else { break };
            self.episodes.remove(&oldest);
            left.push(oldest);
        }
        left
    }

    /// Whether it goes on, or somebody is still to be told of it.
    pub(super) fn is_lively(&self) -> bool {
        let told = |l: &Line| l.owed.is_some() || l.waits.is_some();
        self.ended.is_none() || self.is_burning() || self.lines.values().any(told)
    }

    /// An episode of it is over. Whether that was the last one.
    pub(super) fn leave(&mut self, episode: EpisodeId, now: Time) -> bool {
        if let Some(member) = self.episodes.get_mut(&episode) {
            member.open = false;
        }
        let over = self.ended.is_none() && !self.is_burning();
        if over {
            self.ended = Some(now);
        }
        over
    }

    /// Whether any of its episodes goes on.
    pub fn is_burning(&self) -> bool {
        self.episodes.values().any(|m| m.open)
    }

    /// Whether somebody closed it while it goes on.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some() && self.is_burning()
    }

    /// Whether an episode of it belongs to it: of the same key, of the group or a brand of the group, or of
    /// another brand of the group if they share a story or a top post.
    pub(super) fn is_of(&self, n: &Notice) -> bool {
        let (t, rules) = (&n.transition, &*n.rules);
        self.keys.contains(&t.group.key)
            || self.keys.iter().any(|k| {
                related(rules, *k, t.group.key) || {
                    let shares_story = t.group.story.as_ref().is_some_and(|s| self.stories.contains(&s.id));
                    let top = t.evidence.iter().flat_map(|e| e.top.first());
                    let mut top = top.map(|p| post_id(&p.body.source, p.body.id.as_bytes()).0);
                    (shares_story || top.any(|p| self.posts.contains(&p))) && cousins(rules, *k, t.group.key)
                }
            })
    }

    /// Whether its repeats are stopped.
    pub(super) fn is_acknowledged(&self, now: Time) -> bool {
        self.acknowledged.as_ref().is_some_and(|d| d.until.is_none_or(|until| now < until))
    }
}

/// Whether one is a group with the other.
fn related(rules: &RuleSet, a: KeyId, b: KeyId) -> bool {
    rules.groups_of(a).any(|g| g.key == b) || rules.groups_of(b).any(|g| g.key == a)
}

/// Whether both are in one group.
fn cousins(rules: &RuleSet, a: KeyId, b: KeyId) -> bool {
    rules.groups_of(a).any(|g| rules.groups_of(b).any(|h| g.key == h.key))
}

/// Whether people are told of an incident because of such a change at all.
pub(super) fn is_ending(to: Phase) -> bool {
    matches!(to, Phase::Resolved | Phase::Inactive)
}
