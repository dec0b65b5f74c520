//! Who is asked for, when, and what comes of it. Pure: time and jitter are passed in.
//!
//! An account waits once, however often it is seen. What a server refuses is asked for again in
//! halves, until one that it refuses alone is known to be missing; what fails waits, in halves too,
//! so that one bad account or one bad moment costs nobody else an answer.

use std::collections::BTreeMap;

use super::cache::{Cache, Hit};
use super::waits::{Wait, Waits};
use super::{Learned, Seen};
use crate::base::backoff;
use crate::base::hash;
use crate::base::limits;
use crate::base::model::LookedUp;
use crate::base::time::{Span, Time};

/// The time, by the Clock and by one that never goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// The Clock: how old answers are.
    pub clock: Time,
    /// Time since the start: how long somebody waits.
    pub uptime: Time,
}

/// How politely, and how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manners {
    /// Least time between two requests.
    pub pace: Span,
    /// Time for one request.
    pub timeout: Span,
    /// First wait after a failure; doubled with each further one up to [`limits::BACKOFF_MOST`].
    pub first: Span,
    /// How long an account waits at most.
    pub patience: Span,
}

impl Default for Manners {
    fn default() -> Manners {
        let (pace, timeout) = (limits::LOOKUP_PACE, limits::LOOKUP_TIMEOUT);
        Manners { pace, timeout, first: limits::BACKOFF_FIRST, patience: limits::LOOKUP_PATIENCE }
    }
}

/// What a server said to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    /// What it tells of whom, and how long it wants to be left alone.
    Told(Vec<Learned>, Option<Span>),
    /// It does not like what was asked for.
    Refused,
    /// It was asked too often, and how long it wants to be left alone.
    Limited(Option<Span>),
    /// No answer, or none that can be used, and how long it wants to be left alone.
    Failed(Option<Span>),
}

/// What is to be done next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Ask for these accounts, and say what was answered.
    Ask(Vec<String>),
    /// Nothing before this time, by uptime.
    Wait(Time),
    /// Nothing before somebody is seen, or an answer came.
    Rest,
}

/// How look-ups fare; all but what waits only grows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Accounts by what came of them.
    pub accounts: [(&'static str, u64); 4],
    /// Requests by what was answered.
    pub requests: [(&'static str, u64); 4],
    /// Accounts that were seen, by what was known of them.
    pub seen: [(&'static str, u64); 5],
    /// Accounts that wait.
    pub waiting: usize,
    /// How long the oldest of them has waited.
    pub oldest: Span,
    /// Accounts that were left out because too many wait.
    pub left_out: u64,
    /// Answers that were forgotten because there are too many.
    pub forgotten: u64,
}

#[derive(Default)]
struct Counts {
    learned: u64,
    missing: u64,
    refused: u64,
    ok: u64,
    requests_refused: u64,
    limited: u64,
    failed: u64,
    fresh: u64,
    stale: u64,
    known_missing: u64,
    waiting: u64,
    unknown: u64,
}

/// Look-ups as they go on.
pub struct Asking {
    manners: Manners,
    cache: Cache,
    waits: Waits,
    /// Who is being asked for.
    asked: Vec<Wait>,
    failures: u32,
    /// Nobody is asked for before, by uptime.
    rests_until: Time,
    counts: Counts,
}

fn key_of(did: &str) -> u64 {
    hash::parts(&[did.as_bytes()])
}

/// Whether it looks like a DID.
fn is_did(did: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'-' | b'_' | b'%');
    did.starts_with("did:") && did.len() <= limits::NAME_BYTES && did.bytes().all(plain)
}

impl Asking {
    /// Nothing is known yet.
    pub fn new(manners: Manners) -> Asking {
        let cache = Cache::new(limits::LOOKUPS_KEPT, limits::LOOKUP_FRESH, limits::LOOKUP_MISSING);
        let (waits, counts) = (Waits::new(limits::LOOKUP_QUEUE), Counts::default());
        Asking { manners, cache, waits, asked: Vec::new(), failures: 0, rests_until: Time(i64::MIN), counts }
    }

    /// The same, with what was answered before a restart.
    pub fn remembering(mut self, before: Vec<LookedUp>) -> Asking {
        for answer in before {
            self.cache.remember(key_of(&answer.account), answer);
        }
        self
    }

    /// Time for one request.
    pub(super) fn timeout(&self) -> Span {
        self.manners.timeout
    }

    /// An account was seen: what is known of it, where that helps; else it is asked for, or was not
    /// long ago. What is old is told at once, and asked for again.
    pub(super) fn see(&mut self, seen: &Seen, now: Now) -> Option<Learned> {
        let key = key_of(&seen.did);
        let (known, again) = match self.cache.look(key, now.clock) {
            Hit::Fresh(known) => {
                self.counts.fresh += 1;
                return learned(known).filter(|l| seen.wants(l));
            }
            Hit::Missing => {
                self.counts.known_missing += 1;
                return None;
            }
            Hit::Stale(known) => (learned(known), true),
            Hit::Unknown => (None, !seen.unknown),
        };
        if self.waits.holds(key) {
            self.counts.waiting += 1;
        } else if is_did(&seen.did) {
            let count = if known.is_some() { &mut self.counts.stale } else { &mut self.counts.unknown };
            *count += 1;
            self.waits.put(Wait { key, did: seen.did.clone(), since: now.uptime, again });
        }
        known.filter(|l| seen.wants(l))
    }

    /// What is to be done next.
    pub(super) fn next(&mut self, now: Now) -> Next {
        if !self.asked.is_empty() {
            return Next::Rest;
        }
        self.waits.expire(now.uptime, self.manners.patience);
        if self.waits.len() == 0 {
            return Next::Rest;
        }
        if now.uptime < self.rests_until {
            return Next::Wait(self.rests_until);
        }
        self.asked = self.waits.take(limits::LOOKUP_BATCH);
        Next::Ask(self.asked.iter().map(|w| w.did.to_string()).collect())
    }

    /// The server has answered; `jitter` in 0..1 spreads waits. Gives what was learned.
    pub(super) fn answered(&mut self, said: Said, now: Now, jitter: f64) -> Vec<Learned> {
        let asked = std::mem::take(&mut self.asked);
        let mut wait = self.manners.pace;
        let mut learned = Vec::new();
        match said {
            Said::Told(told, pause) => {
                (self.counts.ok, self.failures) = (self.counts.ok + 1, 0);
                wait = wait.max(pause.unwrap_or_default().min(limits::LOOKUP_PAUSE));
                learned = self.settle(asked, told, now);
            }
            Said::Refused => {
                self.counts.requests_refused += 1;
                match <[Wait; 1]>::try_from(asked) {
                    Ok([one]) => {
                        self.counts.refused += 1;
                        self.note(&one, None, now);
                    }
                    Err(asked) => self.waits.put_apart(asked),
                }
            }
            Said::Limited(pause) => {
                self.counts.limited += 1;
                wait = wait.max(self.longer(pause, jitter));
                self.waits.put_together(asked);
            }
            Said::Failed(pause) => {
                self.counts.failed += 1;
                wait = wait.max(self.longer(pause, jitter));
                match <[Wait; 1]>::try_from(asked) {
                    Ok([one]) => self.waits.put_last(one),
                    Err(asked) => self.waits.put_apart(asked),
                }
            }
        }
        self.rests_until = now.uptime + wait;
        learned
    }

    /// How long to wait after a further failure: longer each time, and as long as it is asked for.
    fn longer(&mut self, pause: Option<Span>, jitter: f64) -> Span {
        self.failures = self.failures.saturating_add(1);
        let wait = backoff::wait(self.failures, self.manners.first, limits::BACKOFF_MOST, jitter);
        wait.max(pause.unwrap_or_default().min(limits::LOOKUP_PAUSE))
    }

    /// Whoever was asked for is known now, or known to be missing; others are none of ours.
    fn settle(&mut self, asked: Vec<Wait>, told: Vec<Learned>, now: Now) -> Vec<Learned> {
        let mut found = BTreeMap::new();
        for l in told {
            found.entry(l.did.clone()).or_insert(l);
        }
        let mut learned = Vec::new();
        for wait in asked {
            let found = found.remove(&*wait.did);
            let count = if found.is_some() { &mut self.counts.learned } else { &mut self.counts.missing };
            *count += 1;
            self.note(&wait, found.as_ref(), now);
            learned.extend(found);
        }
        learned
    }

    fn note(&mut self, wait: &Wait, found: Option<&Learned>, now: Now) {
        self.waits.done(wait.key);
        let (followers, name) = (found.map(|l| l.followers), found.and_then(|l| l.handle.clone()));
        self.cache.put(wait.key, LookedUp { account: wait.did.clone(), at: now.clock, followers, name });
    }

    /// Some answers that no store has yet.
    pub(super) fn take_unsaved(&mut self) -> Vec<LookedUp> {
        self.cache.take_unsaved(limits::LOOKUPS_SAVED)
    }

    /// The store did not take these.
    pub(super) fn not_saved(&mut self, answers: &[LookedUp]) {
        self.cache.not_saved(answers.iter().map(|a| key_of(&a.account)));
    }

    /// How it fares.
    pub fn figures(&self, now: Now) -> Figures {
        let (c, w) = (&self.counts, &self.waits);
        let dropped = w.left_out() + w.expired();
        Figures {
            accounts: [("learned", c.learned), ("missing", c.missing), ("refused", c.refused), ("dropped", dropped)],
            requests: [("ok", c.ok), ("refused", c.requests_refused), ("limited", c.limited), ("failed", c.failed)],
            seen: [
                ("fresh", c.fresh),
                ("stale", c.stale),
                ("missing", c.known_missing),
                ("waiting", c.waiting),
                ("unknown", c.unknown),
            ],
            waiting: w.len(),
            oldest: w.oldest().map_or(Span::ZERO, |since| now.uptime - since),
            left_out: w.left_out(),
            forgotten: self.cache.forgotten(),
        }
    }
}

fn learned(known: &LookedUp) -> Option<Learned> {
    Some(Learned { did: known.account.to_string(), followers: known.followers?, handle: known.name.clone() })
}

#[cfg(test)]
mod tests;
