//! What is written at once, in one transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Transaction, TransactionBehavior, params};

use super::super::block::Block;
use super::super::seal::seal;
use super::{Db, StoreError, decided};
use crate::base::broken::{self, Broken};
use crate::base::model::{DeskRow, EntryBody, EpisodeId, Gone, IncidentId, Position, Step, Transition};
use crate::base::time::Time;

/// The text that says since when people cannot be told because the past is caught up with; gone once
/// everybody is told.
pub const DOWN_SINCE: &str = "down_since";

/// The text that says before when days were compared.
pub const COMPARED_UNTIL: &str = "compared_until";

/// Version of sealed rows; transitions have their own.
pub(super) const ROW: u8 = 1;

/// A change of an episode, with the words it is found by.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The change.
    pub transition: Transition,
    /// What tells it from other steps of its episode.
    pub step: u64,
    /// The rule's name.
    pub alert: String,
    /// The brand's slug.
    pub brand: String,
    /// Whether people were told already, or never are to be; else it waits for the live edge.
    pub told: bool,
}

/// A message for one receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// The receiver.
    pub receiver: Arc<str>,
    /// By what it knows that it got it already.
    pub key: Arc<str>,
    /// The episode it is about.
    pub episode: Option<EpisodeId>,
    /// The incident it is about: letters of one go in order.
    pub incident: Option<IncidentId>,
    /// Whether it makes older letters about its incident needless.
    pub whole: bool,
    /// What it is sent.
    pub body: Vec<u8>,
}

/// A line of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerRow {
    /// When, by the Clock.
    pub at: Time,
    /// The episode it is about.
    pub episode: Option<EpisodeId>,
    /// The incident it is about.
    pub incident: Option<IncidentId>,
    /// The message it is about.
    pub key: Arc<str>,
    /// What was done: `decided`, `queued`, `delivered`, `refused`, ….
    pub what: std::borrow::Cow<'static, str>,
    /// By or to whom.
    pub receiver: Option<Arc<str>>,
    /// Why.
    pub detail: Option<String>,
}

/// By what a receiver knows an incident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Handle {
    /// The receiver.
    pub receiver: Arc<str>,
    /// The incident.
    pub incident: IncidentId,
    /// What the receiver said.
    pub handle: String,
}

/// What is written at once: all of it, or nothing.
#[derive(Default)]
pub struct Commit<'a> {
    /// When, by the Clock.
    pub at: Time,
    /// Steps of the log.
    pub steps: &'a [Step],
    /// Rule sets they may name, as bytes, by fingerprint.
    pub rules: Vec<(u64, Vec<u8>)>,
    /// Where sources have got to with them.
    pub positions: BTreeMap<Arc<str>, Position>,
    /// What was decided.
    pub decided: &'a [Decided],
    /// Whether everybody is told now of what waited for the live edge.
    pub all_told: bool,
    /// Messages.
    pub letters: &'a [Letter],
    /// What became of messages that have come to their end: they leave the outbox, or stay there as dead
    /// letters where somebody may want to send them after all.
    pub done: &'a [LedgerRow],
    /// Incidents and silences that changed.
    pub desk: &'a [DeskRow],
    /// By what receivers know incidents from now on.
    pub handles: &'a [Handle],
    /// Further lines of the ledger.
    pub ledger: &'a [LedgerRow],
    /// Days before this have their lines in the ledger, with these.
    pub compared: Option<Time>,
}

impl Db {
    /// Writes all of it; gives the rows of the letters in the outbox. Returns when it is on disk.
    ///
    /// # Errors
    /// Where that is not possible; then nothing is written.
    pub fn commit(&mut self, c: &Commit<'_>) -> Result<Vec<i64>, StoreError> {
        let block = if c.steps.is_empty() { None } else { Block::write(c.steps).ok() };
        let path = self.path.clone();
        let written = || -> rusqlite::Result<Vec<i64>> {
            let t = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if let Some(block) = block {
                put_block(&t, &block, c.at)?;
            }
            for (fingerprint, bytes) in &c.rules {
                let put = "INSERT INTO rule_sets(fingerprint, at, bytes) VALUES(?1, ?2, ?3)
                           ON CONFLICT DO UPDATE SET at = ?2, bytes = ?3";
                t.prepare_cached(put)?.execute(params![*fingerprint as i64, c.at.0, seal(ROW, bytes)])?;
            }
            for (source, position) in &c.positions {
                let set = "INSERT INTO positions(source, bytes) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET bytes = ?2";
                t.prepare_cached(set)?.execute(params![&**source, seal(ROW, position.0.as_bytes())])?;
            }
            c.decided.iter().try_for_each(|d| put_decided(&t, d))?;
            // also out of what was decided just before
            take_out_gone(&t, c.steps)?;
            if c.all_told {
                t.prepare_cached("UPDATE transitions SET told = 1 WHERE told = 0")?.execute([])?;
                t.prepare_cached("DELETE FROM meta WHERE name = ?1")?.execute([DOWN_SINCE])?;
            }
            let ids = c.letters.iter().map(|l| put_letter(&t, l, c.at)).collect::<rusqlite::Result<_>>()?;
            for done in c.done {
                end_letter(&t, done)?;
                put_ledger(&t, done)?;
            }
            c.desk.iter().try_for_each(|row| put_desk(&t, row))?;
            for h in c.handles {
                let put = "INSERT OR REPLACE INTO handles(receiver, incident, at, handle) VALUES(?1, ?2, ?3, ?4)";
                t.prepare_cached(put)?.execute(params![&*h.receiver, h.incident.0 as i64, c.at.0, h.handle])?;
            }
            c.ledger.iter().try_for_each(|row| put_ledger(&t, row))?;
            if let Some(until) = c.compared {
                let set = "INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = ?2";
                t.prepare_cached(set)?.execute([COMPARED_UNTIL, &until.to_string()])?;
            }
            t.commit()?;
            Ok(ids)
        }();
        written.map_err(|e| StoreError::of(&path, &e))
    }
}

fn put_block(t: &Transaction<'_>, block: &Block, at: Time) -> rusqlite::Result<()> {
    // a block without entries stands behind those before it
    let put = "INSERT INTO log(last, at, bytes) VALUES(coalesce(?1, (SELECT max(last) FROM log), 0), ?2, ?3)";
    t.prepare_cached(put)?.execute(params![block.last.map(|s| s as i64), at.0, block.bytes]).map(drop)
}

fn put_decided(t: &Transaction<'_>, d: &Decided) -> rusqlite::Result<()> {
    let x = &d.transition;
    let put =
        "INSERT OR IGNORE INTO transitions(episode, step, seq, at, alert, brand, severity, was, became, told, bytes)
               VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let made = t.prepare_cached(put)?.execute(params![
        x.episode.0 as i64,
        d.step as i64,
        x.seq as i64,
        x.at.0,
        d.alert,
        d.brand,
        x.severity.name(),
        x.from.name(),
        x.to.name(),
        d.told,
        decided::sealed(x),
    ])?;
    let id = t.last_insert_rowid();
    let put = "INSERT OR IGNORE INTO evidence(transition_id, post, account) VALUES(?1, ?2, ?3)";
    let evidence = || x.evidence.iter().filter(|_| made > 0);
    let shown = evidence().flat_map(|e| e.posts()).map(|post| decided::ids_of(&post.body));
    let carriers = evidence().filter_map(|e| e.going.as_ref()).flat_map(|g| &g.tree);
    for (post, account) in shown.chain(carriers.map(|one| (one.post as i64, one.account as i64))) {
        t.prepare_cached(put)?.execute(params![id, post, account])?;
    }
    Ok(())
}

fn put_letter(t: &Transaction<'_>, l: &Letter, at: Time) -> rusqlite::Result<i64> {
    if broken::is(Broken::LettersLost) && l.body.len().is_multiple_of(5) {
        return Ok(-1);
    }
    let put =
        "INSERT INTO outbox(receiver, key, episode, at, bytes, incident, whole) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT DO UPDATE SET at = at RETURNING id";
    let (episode, incident) = (l.episode.map(|e| e.0 as i64), l.incident.map(|i| i.0 as i64));
    let row = params![&*l.receiver, &*l.key, episode, at.0, seal(ROW, &l.body), incident, l.whole];
    t.prepare_cached(put)?.query_row(row, |r| r.get(0))
}

/// Whether somebody may want to send what ended so after all.
fn is_dead(what: &str) -> bool {
    matches!(what, "refused" | "expired" | "dropped")
}

fn end_letter(t: &Transaction<'_>, done: &LedgerRow) -> rusqlite::Result<()> {
    let (receiver, key) = (done.receiver.as_deref(), &*done.key);
    if is_dead(&done.what) {
        let dead = "UPDATE outbox SET dead = ?3, at = ?4 WHERE receiver = ?1 AND key = ?2";
        let why = done.detail.as_deref().map_or_else(|| done.what.to_string(), |d| format!("{}: {d}", done.what));
        return t.prepare_cached(dead)?.execute(params![receiver, key, why, done.at.0]).map(drop);
    }
    let gone = "DELETE FROM outbox WHERE receiver = ?1 AND key = ?2";
    t.prepare_cached(gone)?.execute(params![receiver, key]).map(drop)
}

fn put_desk(t: &Transaction<'_>, row: &DeskRow) -> rusqlite::Result<()> {
    match row {
        DeskRow::Incident { id, brand, severity, opened, ended, bytes } => {
            let put = "INSERT OR REPLACE INTO incidents(id, brand, severity, opened, ended, bytes)
                       VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
            let ended = ended.map(|t| t.0);
            let row = params![id.0 as i64, brand, severity.name(), opened.0, ended, seal(ROW, bytes)];
            t.prepare_cached(put)?.execute(row).map(drop)
        }
        DeskRow::Silence(id, until, Some(bytes)) => {
            let put = "INSERT OR REPLACE INTO silences(id, until, bytes) VALUES(?1, ?2, ?3)";
            t.prepare_cached(put)?.execute(params![*id as i64, until.0, seal(ROW, bytes)]).map(drop)
        }
        DeskRow::Silence(id, _, None) => {
            t.prepare_cached("DELETE FROM silences WHERE id = ?1")?.execute([*id as i64]).map(drop)
        }
    }
}

fn put_ledger(t: &Transaction<'_>, row: &LedgerRow) -> rusqlite::Result<()> {
    let put =
        "INSERT INTO ledger(at, episode, key, what, receiver, detail, incident) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (episode, incident) = (row.episode.map(|e| e.0 as i64), row.incident.map(|i| i.0 as i64));
    let row = params![row.at.0, episode, &*row.key, &*row.what, row.receiver.as_deref(), row.detail, incident];
    t.prepare_cached(put)?.execute(row).map(drop)
}

/// Takes texts that were deleted out of the evidence of what was decided before.
fn take_out_gone(t: &Transaction<'_>, steps: &[Step]) -> rusqlite::Result<()> {
    for entry in steps.iter().flat_map(|s| &s.entries) {
        let EntryBody::Delete { gone, .. } = &entry.body else { continue };
        let (column, id) = match gone {
            Gone::Post(p) => ("post", p.0 as i64),
            Gone::Account(a) => ("account", a.0 as i64),
        };
        let found = format!(
            "SELECT DISTINCT x.id FROM evidence e JOIN transitions x ON x.id = e.transition_id
             WHERE e.{column} = ?1 AND x.seq <= ?2"
        );
        let rows: Vec<i64> = t
            .prepare_cached(&found)?
            .query_map(params![id, entry.seq as i64], |r| r.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for row in rows {
            let bytes: Vec<u8> =
                t.prepare_cached("SELECT bytes FROM transitions WHERE id = ?1")?.query_row([row], |r| r.get(0))?;
            if let Some(bytes) = decided::without(&bytes, *gone) {
                t.prepare_cached("UPDATE transitions SET bytes = ?1 WHERE id = ?2")?.execute(params![bytes, row])?;
            }
        }
    }
    Ok(())
}
