//! The tables, and how each version becomes the next.

use rusqlite::Connection;

/// Marks a SQLite file as a store of groundswell.
pub(super) const APPLICATION: i32 = 0x6773_7731;
/// The version this program writes; it reads all before.
pub(super) const VERSION: i32 = UPGRADES.len() as i32;

/// What makes version n + 1 of version n.
const UPGRADES: &[&str] = &[V1, V2, V3];

const V1: &str = "
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;
-- numbers are never used again: rounds and pieces are found by them
-- blocks of entries; `last` is the number of the last one in it or before it
CREATE TABLE log(id INTEGER PRIMARY KEY AUTOINCREMENT, last INTEGER NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE positions(source TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE rule_sets(fingerprint INTEGER PRIMARY KEY, at INTEGER NOT NULL, bytes BLOB NOT NULL);
-- a round is a whole snapshot of everything up to block `block`; parts that did not change since the
-- round before share its state
CREATE TABLE rounds(id INTEGER PRIMARY KEY AUTOINCREMENT, block INTEGER NOT NULL, as_of INTEGER NOT NULL,
  fingerprint INTEGER NOT NULL, at INTEGER NOT NULL, done INTEGER NOT NULL);
CREATE TABLE parts(round INTEGER NOT NULL, name TEXT NOT NULL, state INTEGER NOT NULL, PRIMARY KEY(round, name))
  WITHOUT ROWID;
CREATE TABLE states(id INTEGER PRIMARY KEY AUTOINCREMENT, sum INTEGER NOT NULL);
CREATE TABLE pieces(state INTEGER NOT NULL, n INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX pieces_of ON pieces(state, n);
CREATE TABLE transitions(id INTEGER PRIMARY KEY AUTOINCREMENT, episode INTEGER NOT NULL, step INTEGER NOT NULL, seq INTEGER NOT NULL,
  at INTEGER NOT NULL, alert TEXT NOT NULL, brand TEXT NOT NULL, severity TEXT NOT NULL, was TEXT NOT NULL,
  became TEXT NOT NULL, told INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE(episode, step));
CREATE INDEX transitions_untold ON transitions(told) WHERE told = 0;
CREATE INDEX transitions_at ON transitions(at);
-- whose texts are in the evidence of which transition, so that deleted ones are taken out
CREATE TABLE evidence(transition_id INTEGER NOT NULL, post INTEGER NOT NULL, account INTEGER NOT NULL,
  PRIMARY KEY(transition_id, post)) WITHOUT ROWID;
CREATE INDEX evidence_post ON evidence(post);
CREATE INDEX evidence_account ON evidence(account);
CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, receiver TEXT NOT NULL, key TEXT NOT NULL, episode INTEGER,
  at INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE(receiver, key));
CREATE TABLE ledger(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, episode INTEGER, key TEXT NOT NULL,
  what TEXT NOT NULL, receiver TEXT, detail TEXT);
CREATE INDEX ledger_episode ON ledger(episode);
CREATE INDEX ledger_at ON ledger(at);
";

const V2: &str = "
ALTER TABLE outbox ADD COLUMN incident INTEGER;
-- makes older letters about its incident needless
ALTER TABLE outbox ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;
-- why it is not sent any more
ALTER TABLE outbox ADD COLUMN dead TEXT;
ALTER TABLE ledger ADD COLUMN incident INTEGER;
CREATE INDEX ledger_incident ON ledger(incident) WHERE incident IS NOT NULL;
CREATE TABLE incidents(id INTEGER PRIMARY KEY, brand TEXT NOT NULL, severity TEXT NOT NULL, opened INTEGER NOT NULL,
  ended INTEGER, bytes BLOB NOT NULL);
CREATE INDEX incidents_opened ON incidents(opened);
CREATE TABLE silences(id INTEGER PRIMARY KEY, until INTEGER NOT NULL, bytes BLOB NOT NULL);
-- by what receivers know incidents
CREATE TABLE handles(receiver TEXT NOT NULL, incident INTEGER NOT NULL, at INTEGER NOT NULL, handle TEXT NOT NULL,
  PRIMARY KEY(receiver, incident)) WITHOUT ROWID;
";

const V3: &str = "
-- the last answer about accounts that were looked up; without followers nobody could tell
CREATE TABLE audiences(account TEXT PRIMARY KEY, asked INTEGER NOT NULL, followers INTEGER, name TEXT) WITHOUT ROWID;
CREATE INDEX audiences_asked ON audiences(asked);
";

/// Takes a file of any earlier version to this one, in one transaction.
pub(super) fn upgrade(db: &mut Connection, from: i32) -> rusqlite::Result<()> {
    upgrade_by(UPGRADES, db, from)
}

fn upgrade_by(upgrades: &[&str], db: &mut Connection, from: i32) -> rusqlite::Result<()> {
    let step = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for sql in upgrades.iter().skip(from.max(0) as usize) {
        step.execute_batch(sql)?;
    }
    step.pragma_update(None, "application_id", APPLICATION)?;
    step.pragma_update(None, "user_version", upgrades.len() as i32)?;
    step.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(db: &Connection) -> i32 {
        db.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap()
    }

    #[test]
    fn later_versions_keep_what_earlier_ones_wrote_or_change_nothing() {
        let mut db = Connection::open_in_memory().unwrap();
        upgrade_by(&[V1], &mut db, 0).unwrap();
        db.execute("INSERT INTO ledger(at, key, what) VALUES(1, 'k', 'queued')", []).unwrap();
        let wrong = [V1, "ALTER TABLE ledger ADD COLUMN by TEXT", "ALTER TABLE nothing ADD COLUMN x"];
        assert!(upgrade_by(&wrong, &mut db, 1).is_err());
        assert_eq!(version(&db), 1);
        assert!(db.prepare("SELECT by FROM ledger").is_err(), "half of an upgrade");
        upgrade_by(&wrong[..2], &mut db, 1).unwrap();
        let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?));
        let found: (String, Option<String>) = db.query_row("SELECT key, by FROM ledger", [], row).unwrap();
        assert_eq!((version(&db), found), (2, ("k".to_string(), None)));
    }
}
