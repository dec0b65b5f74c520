//! Snapshots in rounds: written piece by piece between commits, believed when the round is done.
//! What did not change since the round before is not written again.

use std::collections::{BTreeMap, VecDeque};

use rusqlite::{OptionalExtension, Transaction, params};

use super::read::text;
use super::{Db, StoreError};
use crate::base::hash;
use crate::base::limits;
use crate::base::model::Seq;
use crate::base::time::Time;

/// Bytes written at once of a snapshot, at most: little, because a commit that comes then takes what
/// is not on disk yet along.
const PIECE_BYTES: usize = 64 << 10;

/// Parts written at once of a snapshot, at most.
const PARTS_AT_ONCE: usize = 64;

/// A snapshot of everything the engine knew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Round {
    /// Its number, which grows.
    pub id: i64,
    /// The last block of the log it holds.
    pub block: i64,
    /// The last entry it holds.
    pub as_of: Seq,
    /// The rule set it was made under.
    pub fingerprint: u64,
    /// When it was made, by the Clock.
    pub at: Time,
}

/// A part of a snapshot on its way into the store.
#[derive(Clone, Debug)]
pub struct StatePart {
    name: String,
    sum: u64,
    bytes: Vec<u8>,
    written: usize,
    state: Option<i64>,
    /// Not to be shared with the round before, which may be damaged.
    alone: bool,
}

impl StatePart {
    /// Of its bytes, which are compressed.
    pub fn new(name: String, bytes: &[u8]) -> StatePart {
        let packed = zstd::bulk::compress(bytes, 1).unwrap_or_default();
        StatePart { name, sum: hash::parts(&[bytes]), bytes: packed, written: 0, state: None, alone: false }
    }

    /// The same, written even where the round before has an equal one.
    pub fn alone(mut self) -> StatePart {
        self.alone = true;
        self
    }
}

/// Parts and states that no round needs go; their pieces follow ([`Db::sweep_pieces`]).
fn sweep_parts(t: &Transaction<'_>) -> rusqlite::Result<()> {
    t.execute("DELETE FROM parts WHERE round NOT IN (SELECT id FROM rounds)", [])?;
    t.execute("DELETE FROM states WHERE id NOT IN (SELECT state FROM parts)", []).map(drop)
}

fn share(t: &Transaction<'_>, round: i64, part: &StatePart) -> rusqlite::Result<bool> {
    let put = "INSERT INTO parts(round, name, state)
               SELECT ?1, p.name, p.state FROM parts p JOIN states s ON s.id = p.state
               WHERE p.name = ?2 AND s.sum = ?3 AND p.round = (SELECT max(id) FROM rounds WHERE done = 1)";
    Ok(t.prepare_cached(put)?.execute(params![round, part.name, part.sum as i64])? > 0)
}

fn begin(t: &Transaction<'_>, round: i64, part: &StatePart) -> rusqlite::Result<i64> {
    t.prepare_cached("INSERT INTO states(sum) VALUES(?1)")?.execute([part.sum as i64])?;
    let state = t.last_insert_rowid();
    let put = "INSERT INTO parts(round, name, state) VALUES(?1, ?2, ?3)";
    t.prepare_cached(put)?.execute(params![round, part.name, state])?;
    Ok(state)
}

impl Db {
    /// Rounds that are done, the newest first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn rounds(&self) -> Result<Vec<Round>, StoreError> {
        let get = "SELECT id, block, as_of, fingerprint, at FROM rounds WHERE done = 1 ORDER BY id DESC";
        let row = |r: &rusqlite::Row<'_>| {
            let (as_of, fingerprint) = (r.get::<_, i64>(2)? as Seq, r.get::<_, i64>(3)? as u64);
            Ok(Round { id: r.get(0)?, block: r.get(1)?, as_of, fingerprint, at: Time(r.get(4)?) })
        };
        let read = || -> rusqlite::Result<Vec<Round>> { self.db.prepare_cached(get)?.query_map([], row)?.collect() };
        read().map_err(|e| self.failed(e))
    }

    /// The parts of a round by name; those that cannot be unpacked are empty.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn parts(&self, round: i64) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let get = "SELECT p.name, x.bytes FROM parts p LEFT JOIN pieces x ON x.state = p.state
                   WHERE p.round = ?1 ORDER BY p.name, x.n";
        let read = || -> rusqlite::Result<BTreeMap<String, Vec<u8>>> {
            let mut out: BTreeMap<String, Vec<u8>> = BTreeMap::new();
            let mut statement = self.db.prepare_cached(get)?;
            let mut rows = statement.query([round])?;
            while let Some(r) = rows.next()? {
                let bytes = r.get_ref(1)?.as_bytes_or_null()?.unwrap_or_default();
                out.entry(text(r, 0)?).or_default().extend_from_slice(bytes);
            }
            Ok(out)
        };
        let unpacked = |packed: Vec<u8>| zstd::bulk::decompress(&packed, limits::BLOCK_BYTES).unwrap_or_default();
        let parts = read().map_err(|e| self.failed(e))?;
        Ok(parts.into_iter().map(|(name, packed)| (name, unpacked(packed))).collect())
    }

    /// Begins a round; its number. What others left that were never done goes.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn begin_round(&mut self, round: &Round) -> Result<i64, StoreError> {
        let put = "INSERT INTO rounds(block, as_of, fingerprint, at, done) VALUES(?1, ?2, ?3, ?4, 0)";
        let row = params![round.block, round.as_of as i64, round.fingerprint as i64, round.at.0];
        let path = self.path.clone();
        let written = || -> rusqlite::Result<i64> {
            let t = self.db.transaction()?;
            t.execute("DELETE FROM rounds WHERE done = 0", [])?;
            sweep_parts(&t)?;
            t.execute(put, row)?;
            let id = t.last_insert_rowid();
            t.commit()?;
            Ok(id)
        }();
        written.map_err(|e| StoreError::of(&path, &e))
    }

    /// Writes some of the parts of a round, from the front, until that came to about
    /// 64 KiB; those written leave the queue. Parts equal to those of the last round that is
    /// done are shared with it.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn put_parts(&mut self, round: i64, parts: &mut VecDeque<StatePart>) -> Result<(), StoreError> {
        let path = self.path.clone();
        let written = || -> rusqlite::Result<()> {
            let t = self.db.transaction()?;
            let (mut room, mut small) = (PIECE_BYTES, PARTS_AT_ONCE);
            while let Some(part) = parts.front_mut().filter(|_| room > 0 && small > 0) {
                small -= 1;
                let state = match part.state {
                    Some(state) => state,
                    None if !part.alone && share(&t, round, part)? => {
                        parts.pop_front();
                        continue;
                    }
                    None => begin(&t, round, part)?,
                };
                part.state = Some(state);
                let bytes = part.bytes.get(part.written..).unwrap_or(&[]);
                let piece = bytes.get(..room.min(bytes.len())).unwrap_or(&[]);
                let put = "INSERT INTO pieces(state, n, bytes) VALUES(?1, ?2, ?3)";
                t.prepare_cached(put)?.execute(params![state, part.written as i64, piece])?;
                (part.written, room) = (part.written + piece.len(), room - piece.len());
                if part.written >= part.bytes.len() {
                    parts.pop_front();
                }
            }
            t.commit()
        }();
        written.map_err(|e| StoreError::of(&path, &e))
    }

    /// A round is done: it is on disk and may be believed. Older ones leave, but for
    /// [`limits::ROUNDS`], and rounds that were never done.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn end_round(&mut self, round: i64) -> Result<(), StoreError> {
        let path = self.path.clone();
        let written = || -> rusqlite::Result<()> {
            let t = self.db.transaction()?;
            t.execute("UPDATE rounds SET done = 1 WHERE id = ?1", [round])?;
            let kept = "SELECT id FROM rounds WHERE done = 1 ORDER BY id DESC LIMIT ?1";
            t.execute(&format!("DELETE FROM rounds WHERE id NOT IN ({kept})"), [limits::ROUNDS as i64])?;
            sweep_parts(&t)?;
            t.commit()
        }();
        written.map_err(|e| StoreError::of(&path, &e))
    }

    /// Deletes pieces that no round needs, at most so many; whether there may be more.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn sweep_pieces(&mut self, most: usize) -> Result<bool, StoreError> {
        let gone = "DELETE FROM pieces WHERE rowid IN
                    (SELECT x.rowid FROM pieces x LEFT JOIN states s ON s.id = x.state WHERE s.id IS NULL LIMIT ?1)";
        let deleted = self.db.prepare_cached(gone).and_then(|mut s| s.execute([most as i64]));
        Ok(deleted.map_err(|e| self.failed(e))? >= most)
    }

    /// How many entries the log holds after the last round that is done, and when that was made; before
    /// the first one, when the log began.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn since_round(&self) -> Result<(u64, Option<Time>), StoreError> {
        let get = "SELECT as_of, at FROM rounds WHERE done = 1 ORDER BY id DESC LIMIT 1";
        let row = |r: &rusqlite::Row<'_>| Ok((r.get::<_, i64>(0)? as Seq, Time(r.get(1)?)));
        let last = self.db.query_row(get, [], row).optional().map_err(|e| self.failed(e))?;
        let (_, end, _) = self.end_of_log()?;
        let began = || self.db.query_row("SELECT at FROM log ORDER BY id LIMIT 1", [], |r| Ok(Time(r.get(0)?)));
        match last {
            Some((as_of, at)) => Ok((end.saturating_sub(as_of), Some(at))),
            None => Ok((end, began().optional().map_err(|e| self.failed(e))?)),
        }
    }
}
