//! What is to be kept with the next commit.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Days, Delivery, Now, Outbox, Tell};
use crate::app::intake::Ends;
use crate::base::broken::{self, Broken};
use crate::base::limits;
use crate::base::model::{DeskRow, Message, Notice, Position, Step, step};
use crate::base::rule::RuleSet;
use crate::base::time::Time;
use crate::notify::{Desk, Out, Sending};
use crate::store::db::{Commit, Db, Decided, Handle, LedgerRow, Letter, StoreError};

#[derive(Default)]
pub(super) struct Pending {
    steps: Vec<Step>,
    /// Entries in them.
    pub(super) entries: usize,
    pub(super) rules: Vec<Arc<RuleSet>>,
    positions: BTreeMap<Arc<str>, Position>,
    decided: Vec<Decided>,
    /// Messages with what is sent because of them, and what is sent because its time has come.
    told: Vec<(Option<Message>, Vec<Sending>)>,
    /// Incidents and silences as they are now, by what they are.
    rows: BTreeMap<(bool, u64), DeskRow>,
    pub(super) handles: Vec<Handle>,
    pub(super) answers: Vec<(oneshot::Sender<Result<String, String>>, String)>,
    /// Dead letters that are sent after all, with their rows.
    revived: Vec<(i64, Letter)>,
    pub(super) ends: Vec<(oneshot::Sender<Result<Ends, String>>, Ends)>,
    done: Vec<LedgerRow>,
    /// Sent from memory, and not known to have come to an end: they go into the outbox as soon as
    /// that can be written.
    unrecorded: Vec<Letter>,
    ledger: Vec<LedgerRow>,
    /// Days before this have their lines in it.
    compared: Option<Time>,
    pub(super) all_told: bool,
    /// When the first of it came, by uptime.
    pub(super) since: Option<Time>,
    /// Whether somebody waits for it.
    pub(super) urgent: bool,
}

/// Lines of the ledger by what they say.
pub(super) type Words = BTreeMap<Cow<'static, str>, u64>;

/// A message with its letters.
type Lettered = (Option<Message>, Vec<Letter>);

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

    /// Something is told, or not, and why.
    pub(super) fn told(&mut self, message: Option<Message>, out: Out, rows: Vec<DeskRow>, now: Now) {
        for note in out.notes {
            self.ledger.push(LedgerRow {
                at: now.clock,
                episode: note.episode,
                incident: note.incident,
                key: note.key.into(),
                what: note.what.into(),
                receiver: note.receiver,
                detail: Some(note.detail),
            });
        }
        self.remember(rows);
        self.told.push((message, out.sendings));
    }

    /// Days were compared.
    pub(super) fn compare(&mut self, days: Days, now: Time) {
        self.since.get_or_insert(now);
        self.ledger.extend(days.lines);
        self.compared = Some(days.until);
    }

    /// Incidents and silences as they are now.
    pub(super) fn remember(&mut self, rows: Vec<DeskRow>) {
        for row in rows {
            let name = match &row {
                DeskRow::Incident { id, .. } => (true, id.0),
                DeskRow::Silence(id, ..) => (false, *id),
            };
            self.rows.insert(name, row);
        }
    }

    /// Does what is ordered about a letter.
    pub(super) fn outbox(&mut self, db: &mut Db, desk: &Desk, what: &Outbox, now: Now) -> Result<String, String> {
        let id = match what {
            Outbox::Retry(id) | Outbox::Drop(id, _) => *id,
        };
        let all = db.outbox(limits::OUTBOX_LISTED).map_err(|e| e.what)?;
        let none = || format!("expected a letter by its number, found {id}, which is none");
        let row = all.into_iter().find(|r| r.id == id).ok_or_else(none)?;
        if self.done.iter().any(|d| *d.key == *row.key && d.receiver.as_deref() == Some(&*row.receiver)) {
            // ordered before, and not recorded yet
            return Err(none());
        }
        let ledger = |what: &'static str, detail: &str| LedgerRow {
            at: now.clock,
            episode: row.episode,
            incident: row.incident,
            key: row.key.as_str().into(),
            what: what.into(),
            receiver: Some(row.receiver.as_str().into()),
            detail: Some(detail.to_string()),
        };
        match what {
            Outbox::Retry(_) => {
                if row.dead.is_none() {
                    return Err(format!("expected a dead letter, found {id}, which is still tried"));
                }
                if row.incident.is_some_and(|i| desk.is_behind(i, &row.receiver, &row.key)) {
                    return Err(format!(
                        "expected a letter that still says what holds, found {id}: a later one about its incident was sent"
                    ));
                }
                let letter = db.revive(id, now.clock).map_err(|e| e.what)?.ok_or_else(none)?;
                self.ledger.push(ledger("queued", "again, as ordered"));
                self.revived.push((id, letter));
            }
            Outbox::Drop(_, by) => {
                if row.dead.is_none() {
                    return Err(format!("expected a dead letter, found {id}, which is still tried"));
                }
                self.done.push(ledger("discarded", by));
            }
        }
        self.begin(now);
        self.urgent = true;
        Ok(format!(
            "letter {id} for {} {}",
            row.receiver,
            if matches!(what, Outbox::Retry(_)) { "is sent again" } else { "is dropped" }
        ))
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

    /// Lets go of all of it, where nothing is kept; lines that would be are counted.
    pub(super) fn pass(&mut self, words: &mut Words) {
        count(words, self.ledger.iter().chain(&self.done));
        self.clear();
    }

    /// Writes all of it, answers those who wait, counts the lines of the ledger, and gives what may be told.
    pub(super) fn write(
        &mut self,
        db: &mut Db,
        tell: &mut dyn Tell,
        now: Now,
        words: &mut Words,
    ) -> Result<Vec<Delivery>, StoreError> {
        let mut ledger = Vec::new();
        let lettered = letters(&self.told, tell, None, now, &mut ledger);
        ledger.splice(0..0, self.ledger.iter().cloned());
        let fresh = lettered.iter().flat_map(|(_, letters)| letters.iter().cloned());
        // in the order they were told: after a crash they go on in that of their rows
        let before = self.unrecorded.iter().cloned();
        let all: Vec<Letter> =
            if broken::is(Broken::RowsAmiss) { fresh.chain(before).collect() } else { before.chain(fresh).collect() };
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
            desk: &self.rows.values().cloned().collect::<Vec<_>>(),
            handles: &self.handles,
            ledger: &ledger,
            compared: self.compared,
        })?;
        count(words, ledger.iter().chain(&self.done));
        let ids = ids.into_iter().skip(if broken::is(Broken::RowsAmiss) { 0 } else { self.unrecorded.len() });
        let mut ids = ids.map(|id| if broken::is(Broken::TellsBeforeCommit) { id + 1000 } else { id });
        // before what is newer
        let revived = self.revived.drain(..).map(|(row, letter)| (None, vec![(Some(row), letter)]));
        let mut deliveries: Vec<Delivery> = revived.map(delivery).collect();
        let fresh = lettered.into_iter().map(|(message, letters)| {
            let letters = letters.into_iter().map(|l| (ids.next(), l)).collect();
            delivery((message, letters))
        });
        deliveries.extend(fresh);
        for (to, ends) in self.ends.drain(..) {
            // who asked may be gone
            let _ = to.send(Ok(ends));
        }
        for (to, said) in self.answers.drain(..).filter(|_| !broken::is(Broken::AnswersLost)) {
            let _ = to.send(Ok(said));
        }
        self.clear();
        Ok(deliveries)
    }

    /// Gives what may be told though nothing is recorded; what happened stays pending.
    pub(super) fn tell(&mut self, tell: &mut dyn Tell, why: Option<&str>, now: Now, out: &mut Vec<Delivery>) {
        let lettered = letters(&self.told, tell, why, now, &mut self.ledger);
        self.told.clear();
        for (to, said) in self.answers.drain(..) {
            let _ = to.send(Ok(why.map_or(said.clone(), |why| format!("{said} (not recorded: {why})"))));
        }
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
            message,
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

fn delivery((message, letters): (Option<Message>, Vec<(Option<i64>, Letter)>)) -> Delivery {
    Delivery { message, age: Duration::ZERO, letters }
}

fn count<'r>(words: &mut Words, rows: impl Iterator<Item = &'r LedgerRow>) {
    rows.for_each(|row| *words.entry(row.what.clone()).or_default() += 1);
}

/// How many are more than may wait for a store that cannot be written.
fn beyond(n: usize) -> usize {
    n.saturating_sub(limits::UNRECORDED_DECISIONS)
}

/// The letters of messages, with lines of the ledger about them.
fn letters(
    told: &[(Option<Message>, Vec<Sending>)],
    tell: &mut dyn Tell,
    why: Option<&str>,
    now: Now,
    ledger: &mut Vec<LedgerRow>,
) -> Vec<Lettered> {
    let mut out = Vec::new();
    for (message, sendings) in told {
        let mut letters = Vec::new();
        for sending in sendings {
            let Sending { receiver, key, incident, episode, whole, .. } = sending;
            let mut note = |what: &'static str, detail: Option<String>| {
                let (key, receiver) = (key.clone(), Some(receiver.clone()));
                let (at, episode, incident) = (now.clock, *episode, *incident);
                ledger.push(LedgerRow { at, episode, incident, key, what: what.into(), receiver, detail });
            };
            let Some(body) = tell.render(sending, why) else {
                note("not sent", Some("this receiver is not told of such things".to_string()));
                continue;
            };
            note("queued", why.map(|w| format!("not recorded then: {w}")));
            let (receiver, key) = (receiver.clone(), key.clone());
            let (episode, incident, whole) = (*episode, *incident, *whole);
            letters.push(Letter { receiver, key, episode, incident, whole, body });
        }
        out.push((message.clone(), letters));
    }
    out
}

fn row(message: &Message, now: Now, what: &'static str, to: Option<Arc<str>>, detail: Option<String>) -> LedgerRow {
    let (episode, key) = (message.episode(), message.key().into());
    LedgerRow { at: now.clock, episode, incident: None, key, what: what.into(), receiver: to, detail }
}
