//! Which episodes of some rules fired, and for how long.

use rusqlite::params;

use super::decided::transition;
use super::read::text;
use super::{Db, StoreError};
use crate::base::model::{EpisodeId, Group, Severity};
use crate::base::time::Time;

/// An episode that fired.
#[derive(Clone, PartialEq, Debug)]
pub struct FiredRow {
    /// Its id.
    pub episode: EpisodeId,
    /// The rule's name.
    pub alert: String,
    /// The slug of its brand or group.
    pub brand: String,
    /// What it is about; `None` where the row is damaged.
    pub group: Option<Group>,
    /// Engine time at which it fired first.
    pub fired: Time,
    /// Engine time at which it was over; `None` while it is not.
    pub over: Option<Time>,
    /// The worst it was before the end of the time asked for.
    pub severity: Severity,
}

impl Db {
    /// Episodes of rules by their names that fired first before `until` and were not over before `from`,
    /// in order; at most so many, of more the newest.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn fired(
        &self,
        alerts: &[&str],
        (from, until): (Time, Time),
        most: usize,
    ) -> Result<Vec<FiredRow>, StoreError> {
        let get = "SELECT t.episode, t.alert, t.brand, f.fired, f.over, f.worst, t.bytes
                   FROM (SELECT episode, min(CASE WHEN became = 'firing' THEN at END) AS fired,
                       max(CASE WHEN became IN ('resolved', 'inactive') THEN at END) AS over,
                       max(CASE WHEN at >= ?3 THEN 0 WHEN severity = 'page' THEN 2 WHEN severity = 'warn' THEN 1 ELSE 0 END) AS worst,
                       min(CASE WHEN became = 'firing' THEN id END) AS first
                     FROM transitions WHERE alert IN (SELECT value FROM json_each(?1)) GROUP BY episode) f
                   JOIN transitions t ON t.id = f.first
                   WHERE f.fired < ?3 AND (f.over IS NULL OR f.over >= ?2) ORDER BY f.fired DESC, t.id DESC LIMIT ?4";
        let row = |r: &rusqlite::Row<'_>| {
            let severity = match r.get::<_, i64>(5)? {
                2 => Severity::Page,
                1 => Severity::Warn,
                _ => Severity::Info,
            };
            Ok(FiredRow {
                episode: EpisodeId(r.get::<_, i64>(0)? as u64),
                alert: text(r, 1)?,
                brand: text(r, 2)?,
                group: transition(r.get_ref(6)?.as_bytes()?).ok().map(|t| t.group),
                fired: Time(r.get(3)?),
                over: r.get::<_, Option<i64>>(4)?.map(Time),
                severity,
            })
        };
        let names = serde_json::json!(alerts).to_string();
        let read = || -> rusqlite::Result<Vec<FiredRow>> {
            self.db.prepare_cached(get)?.query_map(params![names, from.0, until.0, most as i64], row)?.collect()
        };
        let mut rows = read().map_err(|e| self.failed(e))?;
        rows.reverse();
        Ok(rows)
    }

    /// Engine time of the first change that is kept.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn first_change(&self) -> Result<Option<Time>, StoreError> {
        let found = self.db.query_row("SELECT min(at) FROM transitions", [], |r| r.get::<_, Option<i64>>(0));
        found.map(|t| t.map(Time)).map_err(|e| self.failed(e))
    }

    /// Rule sets by their fingerprints, with when each was put in force last, the newest first; at most so many.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn rule_sets(&self, most: usize) -> Result<Vec<(u64, Time)>, StoreError> {
        let get = "SELECT fingerprint, at FROM rule_sets ORDER BY at DESC, rowid DESC LIMIT ?1";
        let row = |r: &rusqlite::Row<'_>| Ok((r.get::<_, i64>(0)? as u64, Time(r.get(1)?)));
        let read = || -> rusqlite::Result<Vec<(u64, Time)>> {
            self.db.prepare_cached(get)?.query_map([most as i64], row)?.collect()
        };
        read().map_err(|e| self.failed(e))
    }
}
