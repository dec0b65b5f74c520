//! What happened while nobody could be told: each episode is told of once, when the past is caught
//! up with.

use std::collections::BTreeMap;

use crate::base::limits;
use crate::base::model::{Digest, EpisodeId, Message, Notice, Outage, Phase, Seq};
use crate::base::time::Time;

/// Episodes that changed while the past was being caught up with.
#[derive(Clone, Debug)]
pub struct Untold {
    outage: Option<Outage>,
    episodes: BTreeMap<EpisodeId, Story>,
    left_out: usize,
}

#[derive(Clone, Debug)]
struct Story {
    began: Seq,
    /// The last change to firing.
    fired: Option<Notice>,
    last: Notice,
}

impl Untold {
    /// Nothing yet, after an outage if it is worth telling.
    pub fn new(outage: Option<Outage>) -> Untold {
        Untold { outage, episodes: BTreeMap::new(), left_out: 0 }
    }

    /// Notes a change.
    pub fn note(&mut self, notice: Notice) {
        let id = notice.transition.episode;
        if self.episodes.len() >= limits::UNTOLD_EPISODES && !self.episodes.contains_key(&id) {
            self.left_out += usize::from(notice.transition.to == Phase::Firing);
            return;
        }
        let fired = Some(notice.clone()).filter(|n| n.transition.to == Phase::Firing);
        let began = notice.transition.seq;
        let story = self.episodes.entry(id).or_insert_with(|| Story { began, fired: None, last: notice.clone() });
        story.fired = fired.or(story.fired.take());
        story.last = notice;
    }

    /// What was over before people could be told; of it they are told no more than fits a digest. Nothing where they
    /// are told of each.
    pub fn over(&self) -> Vec<Notice> {
        let over = |s: &&Story| self.outage.is_some() && s.last.transition.to == Phase::Resolved;
        self.episodes.values().filter(over).map(|s| s.last.clone()).collect()
    }

    /// What people are told: a page for each episode that goes on, in order, and one digest of those
    /// that are over.
    pub fn messages(self, at: Time) -> Vec<Message> {
        let outage = self.outage.map(|o| Outage { to: at.max(o.from), ..o });
        let mut stories: Vec<Story> = self.episodes.into_values().collect();
        stories.sort_by_key(|s| (s.began, s.last.transition.rule));
        let (mut out, mut over) = (Vec::new(), Vec::new());
        for story in stories {
            match (story.fired, story.last.transition.to) {
                // also what was told of before and has ended since
                (_, Phase::Resolved) => over.push(Notice { outage, ..story.last }),
                (Some(fired), Phase::Firing | Phase::Clearing) => {
                    out.push(Message::Episode(Notice { outage, ..fired }))
                }
                _ => {}
            }
        }
        let Some(outage) = outage else {
            // a short restart: as if nothing had been
            out.extend(over.into_iter().map(Message::Episode));
            return out;
        };
        let left_out = self.left_out + over.len().saturating_sub(limits::DIGEST_EPISODES);
        over.truncate(limits::DIGEST_EPISODES);
        if !over.is_empty() || left_out > 0 {
            out.push(Message::Digest(Digest { at, outage, over, left_out }));
        }
        out
    }
}
