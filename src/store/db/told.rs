//! What people ask the store: which episodes there were, what was decided and sent.

use rusqlite::params;

use super::commit::LedgerRow;
use super::decided::transition;
use super::read::{text, text_if_any};
use super::{Db, StoreError};
use crate::base::model::{EpisodeId, IncidentId, Transition};
use crate::base::time::Time;

/// An episode by its last change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EpisodeRow {
    /// Its id.
    pub episode: EpisodeId,
    /// The rule's name.
    pub alert: String,
    /// The brand's slug.
    pub brand: String,
    /// Severity after the last change.
    pub severity: String,
    /// Where it stands.
    pub phase: String,
    /// Engine time of its first change.
    pub began: Time,
    /// Engine time of its last change.
    pub changed: Time,
    /// Whether it ever fired.
    pub fired: bool,
    /// The rule set of its last change, by its fingerprint, and its rule by place in that; `None` where the row is damaged.
    pub made_under: Option<(u64, u32)>,
}

/// What lines of the ledger are asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// Everything.
    All,
    /// An episode.
    Episode(EpisodeId),
    /// An incident.
    Incident(IncidentId),
}

/// A change as it was stored.
pub struct TransitionRow {
    /// Its place in the order of decisions.
    pub id: i64,
    /// The rule's name.
    pub alert: String,
    /// The brand's slug.
    pub brand: String,
    /// Engine time.
    pub at: Time,
    /// The change; `None` where the row is damaged.
    pub transition: Option<Transition>,
}

impl Db {
    /// Episodes that changed since a time, the newest first, at most so many; `open`: only those that
    /// are not over.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn episodes(&self, since: Time, open: bool, most: usize) -> Result<Vec<EpisodeRow>, StoreError> {
        let get = "SELECT t.episode, t.alert, t.brand, t.severity, t.became, f.began, t.at, f.fired, t.bytes
                   FROM transitions t JOIN (SELECT episode, min(at) AS began, max(id) AS newest,
                     max(became = 'firing') AS fired FROM transitions GROUP BY episode) f ON t.id = f.newest
                   WHERE t.at >= ?1 AND (NOT ?2 OR t.became NOT IN ('resolved', 'inactive'))
                   ORDER BY t.id DESC LIMIT ?3";
        let row = |r: &rusqlite::Row<'_>| {
            let last = transition(r.get_ref(8)?.as_bytes()?).ok();
            Ok(EpisodeRow {
                episode: EpisodeId(r.get::<_, i64>(0)? as u64),
                alert: text(r, 1)?,
                brand: text(r, 2)?,
                severity: text(r, 3)?,
                phase: text(r, 4)?,
                began: Time(r.get(5)?),
                changed: Time(r.get(6)?),
                fired: r.get(7)?,
                made_under: last.map(|t| (t.made_under, t.rule)),
            })
        };
        let read = || -> rusqlite::Result<Vec<EpisodeRow>> {
            self.db.prepare(get)?.query_map(params![since.0, open, most as i64], row)?.collect()
        };
        read().map_err(|e| self.failed(e))
    }

    /// Episodes whose id begins with these hexadecimal digits, at most two.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn episodes_named(&self, prefix: &str) -> Result<Vec<EpisodeId>, StoreError> {
        let get = "SELECT DISTINCT episode FROM transitions WHERE printf('%016x', episode) LIKE ?1 || '%' LIMIT 2";
        let read = || -> rusqlite::Result<Vec<EpisodeId>> {
            self.db.prepare(get)?.query_map([prefix], |r| Ok(EpisodeId(r.get::<_, i64>(0)? as u64)))?.collect()
        };
        read().map_err(|e| self.failed(e))
    }

    /// All changes of an episode, or of all, in the order they were decided in.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn transitions(&self, episode: Option<EpisodeId>) -> Result<Vec<TransitionRow>, StoreError> {
        let get = "SELECT id, alert, brand, at, bytes FROM transitions WHERE ?1 IS NULL OR episode = ?1 ORDER BY id";
        let row = |r: &rusqlite::Row<'_>| {
            let transition = transition(r.get_ref(4)?.as_bytes()?).ok();
            Ok(TransitionRow { id: r.get(0)?, alert: text(r, 1)?, brand: text(r, 2)?, at: Time(r.get(3)?), transition })
        };
        let read = || -> rusqlite::Result<Vec<TransitionRow>> {
            self.db.prepare(get)?.query_map([episode.map(|e| e.0 as i64)], row)?.collect()
        };
        read().map_err(|e| self.failed(e))
    }

    /// Lines of the ledger since a time, in order, at most so many.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn ledger(&self, about: About, since: Time, most: usize) -> Result<Vec<LedgerRow>, StoreError> {
        let (episode, incident) = match about {
            About::All => (None, None),
            About::Episode(e) => (Some(e), None),
            About::Incident(i) => (None, Some(i)),
        };
        let get = "SELECT at, episode, key, what, receiver, detail, incident FROM ledger
                   WHERE (?1 IS NULL OR episode = ?1) AND (?4 IS NULL OR incident = ?4) AND at >= ?2 ORDER BY id LIMIT ?3";
        let row = |r: &rusqlite::Row<'_>| {
            Ok(LedgerRow {
                at: Time(r.get(0)?),
                episode: r.get::<_, Option<i64>>(1)?.map(|e| EpisodeId(e as u64)),
                key: text(r, 2)?.into(),
                what: text(r, 3)?.into(),
                receiver: text_if_any(r, 4)?.map(Into::into),
                detail: text_if_any(r, 5)?,
                incident: r.get::<_, Option<i64>>(6)?.map(|i| IncidentId(i as u64)),
            })
        };
        let read = || -> rusqlite::Result<Vec<LedgerRow>> {
            let asked = params![episode.map(|e| e.0 as i64), since.0, most as i64, incident.map(|i| i.0 as i64)];
            self.db.prepare(get)?.query_map(asked, row)?.collect()
        };
        read().map_err(|e| self.failed(e))
    }
}
