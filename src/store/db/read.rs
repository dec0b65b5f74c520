//! What a service that starts needs to know.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};

use super::super::block::Unpacker;
use super::super::seal::{Damage, unseal};
use super::commit::ROW;
use super::decided::transition;
use super::{Db, Letter, StoreError};
use crate::base::model::{EpisodeId, IncidentId, Position, Seq, Step, Transition};
use crate::base::time::Time;

/// A block of the log.
pub struct LoggedBlock {
    /// Its number, which grows.
    pub id: i64,
    /// The number of its last entry, or of the one before it.
    pub last: Seq,
    /// When it was committed, by the Clock.
    pub at: Time,
    /// Its steps, or what is wrong with it.
    pub steps: Result<Vec<Step>, Damage>,
}

/// A message that was not delivered yet.
pub struct Waiting {
    /// Its row in the outbox.
    pub id: i64,
    /// When it was put there, by the Clock.
    pub at: Time,
    /// The message; without its body where that is damaged.
    pub letter: Letter,
    /// Whether its body is not as it was.
    pub damaged: bool,
}

/// Where each source has got to, and the names of those whose row is damaged.
pub type Positions = (BTreeMap<Arc<str>, Position>, Vec<String>);

impl Db {
    /// Blocks after one, at most so many.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn blocks_after(&self, id: i64, most: usize) -> Result<Vec<LoggedBlock>, StoreError> {
        let get = "SELECT id, last, at, bytes FROM log WHERE id > ?1 ORDER BY id LIMIT ?2";
        let read = || -> rusqlite::Result<Vec<LoggedBlock>> {
            let mut statement = self.db.prepare_cached(get)?;
            let mut unpacker = Unpacker::default();
            let rows = statement.query_map(params![id, most as i64], |r| {
                let bytes = r.get_ref(3)?.as_bytes()?;
                let (id, last, at) = (r.get(0)?, r.get::<_, i64>(1)? as Seq, Time(r.get(2)?));
                Ok(LoggedBlock { id, last, at, steps: unpacker.read(bytes) })
            })?;
            rows.collect()
        };
        read().map_err(|e| self.failed(e))
    }

    /// The last block that holds no entry after a number; 0 without one.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn block_up_to(&self, seq: Seq) -> Result<i64, StoreError> {
        let get = "SELECT coalesce(max(id), 0) FROM log WHERE last <= ?1";
        self.db.query_row(get, [seq as i64], |r| r.get(0)).map_err(|e| self.failed(e))
    }

    /// The number of the last block, the last entry, and when it was committed; zeros without any.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn end_of_log(&self) -> Result<(i64, Seq, Time), StoreError> {
        let get = "SELECT id, last, at FROM log ORDER BY id DESC LIMIT 1";
        let row = |r: &Row<'_>| Ok((r.get(0)?, r.get::<_, i64>(1)? as Seq, Time(r.get(2)?)));
        let found = self.db.query_row(get, [], row).optional().map_err(|e| self.failed(e))?;
        Ok(found.unwrap_or((0, 0, Time(0))))
    }

    /// Where each source has got to; those whose row is damaged are left out and named.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn positions(&self) -> Result<Positions, StoreError> {
        let read = || -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
            let mut statement = self.db.prepare_cached("SELECT source, bytes FROM positions")?;
            statement.query_map([], |r| Ok((text(r, 0)?, r.get(1)?)))?.collect()
        };
        let (mut good, mut damaged) = (BTreeMap::new(), Vec::new());
        for (source, sealed) in read().map_err(|e| self.failed(e))? {
            match unseal(ROW, &sealed).ok().and_then(|b| std::str::from_utf8(b).ok()) {
                Some(text) => drop(good.insert(Arc::from(source), Position(text.into()))),
                None => damaged.push(source),
            }
        }
        Ok((good, damaged))
    }

    /// A rule set that was kept; `None` where there is none, or a damaged one.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn rules(&self, fingerprint: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let get = "SELECT bytes FROM rule_sets WHERE fingerprint = ?1";
        let found = self.db.query_row(get, [fingerprint as i64], |r| r.get::<_, Vec<u8>>(0)).optional();
        let found = found.map_err(|e| self.failed(e))?;
        Ok(found.and_then(|sealed| unseal(ROW, &sealed).ok().map(<[u8]>::to_vec)))
    }

    /// Messages that were not delivered yet, in their order.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let get =
            "SELECT id, receiver, key, episode, at, bytes, incident, whole FROM outbox WHERE dead IS NULL ORDER BY id";
        let row = |r: &Row<'_>| {
            let sealed: Vec<u8> = r.get(5)?;
            let body = unseal(ROW, &sealed).map(<[u8]>::to_vec);
            let (receiver, key) = (text(r, 1)?, text(r, 2)?);
            let episode = r.get::<_, Option<i64>>(3)?.map(|e| EpisodeId(e as u64));
            let damaged = body.is_err();
            let body = body.unwrap_or_default();
            let incident = r.get::<_, Option<i64>>(6)?.map(|i| IncidentId(i as u64));
            let (receiver, key, whole) = (receiver.into(), key.into(), r.get(7)?);
            let letter = Letter { receiver, key, episode, incident, whole, body };
            Ok(Waiting { id: r.get(0)?, at: Time(r.get(4)?), letter, damaged })
        };
        let read = || -> rusqlite::Result<Vec<Waiting>> { self.db.prepare_cached(get)?.query_map([], row)?.collect() };
        read().map_err(|e| self.failed(e))
    }

    /// Whether a step of an episode was decided before.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn has_step(&self, episode: EpisodeId, step: u64) -> Result<bool, StoreError> {
        let get = "SELECT 1 FROM transitions WHERE episode = ?1 AND step = ?2";
        let asked = self.db.prepare_cached(get).and_then(|mut s| s.exists(params![episode.0 as i64, step as i64]));
        asked.map_err(|e| self.failed(e))
    }

    /// A step of an episode, if it was decided and is sound.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn decided(&self, episode: EpisodeId, step: u64) -> Result<Option<Transition>, StoreError> {
        let get = "SELECT bytes FROM transitions WHERE episode = ?1 AND step = ?2";
        let asked = params![episode.0 as i64, step as i64];
        let found = self.db.query_row(get, asked, |r| r.get::<_, Vec<u8>>(0)).optional().map_err(|e| self.failed(e))?;
        Ok(found.and_then(|sealed| transition(&sealed).ok()))
    }

    /// Changes that nobody was told of because the past was being caught up with, in order.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn untold(&self) -> Result<Vec<Transition>, StoreError> {
        let get = "SELECT bytes FROM transitions WHERE told = 0 ORDER BY id";
        let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
            self.db.prepare_cached(get)?.query_map([], |r| r.get(0))?.collect()
        };
        let rows = read().map_err(|e| self.failed(e))?;
        Ok(rows.iter().filter_map(|sealed| transition(sealed).ok()).collect())
    }
}

/// A text as it stands: a damaged byte in one must not hide all others.
pub(super) fn text(r: &Row<'_>, at: usize) -> rusqlite::Result<String> {
    Ok(text_if_any(r, at)?.unwrap_or_default())
}

/// The same; `None` where there is none.
pub(super) fn text_if_any(r: &Row<'_>, at: usize) -> rusqlite::Result<Option<String>> {
    let bytes = r.get_ref(at)?.as_bytes_or_null()?;
    Ok(bytes.map(|b| String::from_utf8_lossy(b).into_owned()))
}
