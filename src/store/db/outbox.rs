//! What the store keeps of telling people: letters that wait or are dead, incidents, silences.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, Row, params};

use super::super::seal::unseal;
use super::commit::ROW;
use super::read::{text, text_if_any};
use super::{Db, Letter, StoreError};
use crate::base::model::{EpisodeId, IncidentId};
use crate::base::time::Time;

/// A letter of the outbox, as it is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxRow {
    /// Its number.
    pub id: i64,
    /// The receiver.
    pub receiver: String,
    /// By what the receiver knows it.
    pub key: String,
    /// The episode it is about.
    pub episode: Option<EpisodeId>,
    /// The incident it is about.
    pub incident: Option<IncidentId>,
    /// When it was put there, or was given up, by the Clock.
    pub at: Time,
    /// Its size in bytes.
    pub bytes: usize,
    /// Why it is not sent any more.
    pub dead: Option<String>,
}

/// An incident, as it is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentRow {
    /// Its name.
    pub id: IncidentId,
    /// The first brand's slug.
    pub brand: String,
    /// The highest severity.
    pub severity: String,
    /// When it was opened, by the Clock.
    pub opened: Time,
    /// When it was over.
    pub ended: Option<Time>,
    /// All of it; `None` where the row is damaged.
    pub bytes: Option<Vec<u8>>,
}

impl Db {
    /// Letters of the outbox in their order, at most so many.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn outbox(&self, most: usize) -> Result<Vec<OutboxRow>, StoreError> {
        let get =
            "SELECT id, receiver, key, episode, incident, at, length(bytes), dead FROM outbox ORDER BY id LIMIT ?1";
        let row = |r: &Row<'_>| {
            Ok(OutboxRow {
                id: r.get(0)?,
                receiver: text(r, 1)?,
                key: text(r, 2)?,
                episode: r.get::<_, Option<i64>>(3)?.map(|e| EpisodeId(e as u64)),
                incident: r.get::<_, Option<i64>>(4)?.map(|i| IncidentId(i as u64)),
                at: Time(r.get(5)?),
                bytes: r.get::<_, i64>(6)?.unsigned_abs() as usize,
                dead: text_if_any(r, 7)?,
            })
        };
        let read =
            || -> rusqlite::Result<Vec<OutboxRow>> { self.db.prepare(get)?.query_map([most as i64], row)?.collect() };
        read().map_err(|e| self.failed(e))
    }

    /// How many letters are dead.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn dead_letters(&self) -> Result<u64, StoreError> {
        let count = || self.db.query_row("SELECT count(*) FROM outbox WHERE dead IS NOT NULL", [], |r| r.get(0));
        count().map(i64::unsigned_abs).map_err(|e| self.failed(e))
    }

    /// A dead letter waits again, as if it had come now; `None` where there is no such dead letter, or it is damaged.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn revive(&mut self, id: i64, now: Time) -> Result<Option<Letter>, StoreError> {
        let get =
            "SELECT receiver, key, episode, incident, whole, bytes FROM outbox WHERE id = ?1 AND dead IS NOT NULL";
        let row = |r: &Row<'_>| {
            let sealed: Vec<u8> = r.get(5)?;
            let body = unseal(ROW, &sealed).map(<[u8]>::to_vec).ok();
            let (receiver, key): (Arc<str>, Arc<str>) = (text(r, 0)?.into(), text(r, 1)?.into());
            let episode = r.get::<_, Option<i64>>(2)?.map(|e| EpisodeId(e as u64));
            let incident = r.get::<_, Option<i64>>(3)?.map(|i| IncidentId(i as u64));
            let whole = r.get(4)?;
            Ok(body.map(|body| Letter { receiver, key, episode, incident, whole, body }))
        };
        let work = || -> rusqlite::Result<Option<Letter>> {
            let found = self.db.query_row(get, [id], row).optional()?.flatten();
            if found.is_some() {
                self.db.execute("UPDATE outbox SET dead = NULL, at = ?2 WHERE id = ?1", params![id, now.0])?;
            }
            Ok(found)
        };
        work().map_err(|e| self.failed(e))
    }

    /// Incidents that go on, and then those that were over after a time, the newest first, at most so many.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn incidents(&self, since: Time, most: usize) -> Result<Vec<IncidentRow>, StoreError> {
        let get = "SELECT id, brand, severity, opened, ended, bytes FROM incidents
                   WHERE ended IS NULL OR ended >= ?1 ORDER BY ended IS NOT NULL, opened DESC, id LIMIT ?2";
        let row = |r: &Row<'_>| {
            let sealed: Vec<u8> = r.get(5)?;
            Ok(IncidentRow {
                id: IncidentId(r.get::<_, i64>(0)? as u64),
                brand: text(r, 1)?,
                severity: text(r, 2)?,
                opened: Time(r.get(3)?),
                ended: r.get::<_, Option<i64>>(4)?.map(Time),
                bytes: unseal(ROW, &sealed).map(<[u8]>::to_vec).ok(),
            })
        };
        let read = || -> rusqlite::Result<Vec<IncidentRow>> {
            self.db.prepare(get)?.query_map(params![since.0, most as i64], row)?.collect()
        };
        read().map_err(|e| self.failed(e))
    }

    /// Silences that hold, as bytes; damaged ones are left out.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn silences(&self, now: Time) -> Result<Vec<Vec<u8>>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Vec<u8>>> {
            let mut statement = self.db.prepare("SELECT bytes FROM silences WHERE until > ?1 ORDER BY id")?;
            statement.query_map([now.0], |r| r.get(0))?.collect()
        };
        let rows = read().map_err(|e| self.failed(e))?;
        Ok(rows.iter().filter_map(|sealed| unseal(ROW, sealed).map(<[u8]>::to_vec).ok()).collect())
    }

    /// By what each receiver knows incidents.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn handles(&self) -> Result<BTreeMap<Arc<str>, BTreeMap<IncidentId, String>>, StoreError> {
        let read = || -> rusqlite::Result<Vec<(String, i64, String)>> {
            let mut statement =
                self.db.prepare("SELECT receiver, incident, handle FROM handles ORDER BY at DESC LIMIT 4096")?;
            statement.query_map([], |r| Ok((text(r, 0)?, r.get(1)?, text(r, 2)?)))?.collect()
        };
        let mut out: BTreeMap<Arc<str>, BTreeMap<IncidentId, String>> = BTreeMap::new();
        for (receiver, incident, handle) in read().map_err(|e| self.failed(e))? {
            out.entry(receiver.into()).or_default().insert(IncidentId(incident as u64), handle);
        }
        Ok(out)
    }
}
