//! What is to be kept with the next commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Delivery, Now, Tell};
use crate::app::intake::Ends;
use crate::base::broken::{self, Broken};
use crate::base::limits;
use crate::base::model::{Message, Notice, Position, Step, step};
use crate::base::rule::RuleSet;
use crate::base::time::Time;
use crate::store::db::{Commit, Db, Decided, LedgerRow, Letter, StoreError};

#[derive(Default)]
pub(super) struct Pending {
    steps: Vec<Step>,
    /// Entries in them.
    pub(super) entries: usize,
    pub(super) rules: Vec<Arc<RuleSet>>,
    positions: BTreeMap<Arc<str>, Position>,
    decided: Vec<Decided>,
    pub(super) messages: Vec<Message>,
    pub(super) ends: Vec<(oneshot::Sender<Result<Ends, String>>, Ends)>,
    done: Vec<LedgerRow>,
    /// Sent from memory, and not known to have come to an end: they go into the outbox as soon as
    /// that can be written.
    unrecorded: Vec<Letter>,
    ledger: Vec<LedgerRow>,
    pub(super) all_told: bool,
    /// When the first of it came, by uptime.
    pub(super) since: Option<Time>,
    /// Whether somebody waits for it.
    pub(super) urgent: bool,
}

/// A message with its letters.
type Lettered = (Message, Vec<Letter>);

impl Pending {
    pub(super) fn begin(&mut self, now: Now) {
        self.since.get_or_insert(now.uptime);
    }

    pub(super) fn add(&mut self, step: Step, position: Option<(Arc<str>, Position)>, now: Now) {
        if let Some((source, position)) = position {
            self.begin(now);
            self.positions.insert(source, position);
        }
        if step.is_empty() {
            return;
        }
        self.begin(now);
        if broken::is(Broken::StepsLost) && step.entries.iter().any(|e| e.seq % 7 == 0) {
            return;
        }
        self.entries += step.entries.len();
        self.steps.push(step);
    }

    pub(super) fn decide(&mut self, notice: &Notice, told: bool, now: Now) {
        let (t, rules) = (&notice.transition, &notice.rules);
        let message = Message::Episode(notice.clone());
        let brand = rules.brand(t.group.key).map_or("", |b| &b.slug).to_string();
        let detail = format!("{} -> {} {} ({})", t.from.name(), t.to.name(), t.severity.name(), t.reason.name());
        self.ledger.push(row(&message, now, "decided", None, Some(detail)));
        let alert = message.alert().to_string();
        self.decided.push(Decided { step: step(t), alert, brand, told, transition: t.clone() });
    }

    /// A message has come to its end.
    pub(super) fn end(&mut self, done: LedgerRow, now: Now) {
        self.begin(now);
        self.unrecorded.retain(|l| l.key != done.key || Some(&l.receiver) != done.receiver.as_ref());
        self.done.push(done);
    }

    /// Whether messages have come to their end.
    pub(super) fn has_ended(&self) -> bool {
        !self.done.is_empty()
    }

    /// Steps and where sources got to with them are let go of; how many entries that were.
    pub(super) fn forget_steps(&mut self) -> u64 {
        self.steps.clear();
        // else sources would go on behind what was lost
        self.positions.clear();
        std::mem::take(&mut self.entries) as u64
    }

    pub(super) fn clear(&mut self) {
        *self = Pending::default();
    }

    /// Writes all of it, answers those who wait, and gives what may be told.
    pub(super) fn write(&mut self, db: &mut Db, tell: &mut dyn Tell, now: Now) -> Result<Vec<Delivery>, StoreError> {
        let mut ledger = Vec::new();
        let lettered = letters(&self.messages, tell, None, now, &mut ledger);
        ledger.splice(0..0, self.ledger.iter().cloned());
        let fresh = lettered.iter().flat_map(|(_, letters)| letters.iter().cloned());
        let all: Vec<Letter> = fresh.chain(self.unrecorded.iter().cloned()).collect();
        let stored = |r: &Arc<RuleSet>| Some((r.fingerprint, postcard::to_stdvec(&r.stored()).ok()?));
        let ids = db.commit(&Commit {
            at: now.clock,
            steps: &self.steps,
            rules: self.rules.iter().filter_map(stored).collect(),
            positions: self.positions.clone(),
            decided: &self.decided,
            all_told: self.all_told,
            letters: &all,
            done: &self.done,
            ledger: &ledger,
        })?;
        let mut ids = ids.into_iter().map(|id| if broken::is(Broken::TellsBeforeCommit) { id + 1000 } else { id });
        let deliveries = lettered.into_iter().map(|(message, letters)| {
            let letters = letters.into_iter().map(|l| (ids.next(), l)).collect();
            Delivery { message: Some(message), age: Duration::ZERO, letters }
        });
        let mut deliveries: Vec<Delivery> = deliveries.collect();
        if broken::is(Broken::DeliversTwice) {
            deliveries.iter_mut().for_each(|d| d.letters.extend_from_within(..));
        }
        for (to, ends) in self.ends.drain(..) {
            // who asked may be gone
            let _ = to.send(Ok(ends));
        }
        self.clear();
        Ok(deliveries)
    }

    /// Gives what may be told though nothing is recorded; what happened stays pending.
    pub(super) fn tell(&mut self, tell: &mut dyn Tell, why: Option<&str>, now: Now, out: &mut Vec<Delivery>) {
        let lettered = letters(&self.messages, tell, why, now, &mut self.ledger);
        self.messages.clear();
        self.unrecorded.extend(lettered.iter().flat_map(|(_, letters)| letters.iter().cloned()));
        let over = self.unrecorded.len().saturating_sub(limits::UNRECORDED_LETTERS);
        self.unrecorded.drain(..over);
        // of what happened meanwhile the newest is noted
        let (over, lines) = (beyond(self.decided.len()), beyond(self.ledger.len()));
        self.decided.drain(..over);
        self.ledger.drain(..lines);
        self.done.drain(..beyond(self.done.len()));
        let unrecorded = |letters: Vec<Letter>| letters.into_iter().map(|l| (None, l)).collect();
        out.extend(lettered.into_iter().map(|(message, l)| Delivery {
            message: Some(message),
            age: Duration::ZERO,
            letters: unrecorded(l),
        }));
        for (to, ends) in self.ends.drain(..) {
            let _ = to.send(why.map_or(Ok(ends), |why| Err(why.to_string())));
        }
        self.urgent = false;
        // time begins anew: else what stays would be looked at without end
        self.since = self.since.map(|_| now.uptime);
    }
}

/// How many are more than may wait for a store that cannot be written.
fn beyond(n: usize) -> usize {
    n.saturating_sub(limits::UNRECORDED_DECISIONS)
}

/// The letters of messages, with lines of the ledger about them.
fn letters(
    messages: &[Message],
    tell: &mut dyn Tell,
    why: Option<&str>,
    now: Now,
    ledger: &mut Vec<LedgerRow>,
) -> Vec<Lettered> {
    let mut out = Vec::new();
    for message in messages {
        let letters = tell.letters(message, why);
        match &letters {
            Ok(letters) => ledger.extend(letters.iter().map(|l| {
                row(message, now, "queued", Some(l.receiver.clone()), why.map(|w| format!("not recorded then: {w}")))
            })),
            Err(nobody) => ledger.push(row(message, now, "not sent", None, Some(nobody.to_string()))),
        }
        out.push((message.clone(), letters.unwrap_or_default()));
    }
    out
}

fn row(message: &Message, now: Now, what: &'static str, to: Option<Arc<str>>, detail: Option<String>) -> LedgerRow {
    let (episode, key) = (message.episode(), message.key().into());
    LedgerRow { at: now.clock, episode, key, what: what.into(), receiver: to, detail }
}
