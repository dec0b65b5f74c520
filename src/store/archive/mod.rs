//! The archive: posts that concerned a brand, to be searched. It is written from the log, later
//! than that, and never waited for.
//!
//! The search index is a first look only: which posts hold some characters. The matcher of queries
//! decides. Texts that were deleted where they were posted are removed from table, index, free
//! pages and the write-ahead log.

mod error;
mod forget;
mod schema;
mod search;
mod take;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::base::limits;
use crate::base::model::{KeyId, Seq};
use crate::base::time::Time;
pub use error::{ArchiveError, Trouble};
use schema::Is;
pub use search::{Archived, Asked};

/// Statements kept ready.
const STATEMENTS: usize = 32;

/// Where the archive of a store is: beside its main file, `groundswell.db` and
/// `groundswell.archive.db`.
pub fn archive_path(store: &Path) -> PathBuf {
    store.with_extension("archive.db")
}

/// How far an archive reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// The last entry of the log that is in it; 0 before the first.
    pub mark: Seq,
    /// Engine time of that entry.
    pub at: Time,
    /// Posts in it, deleted ones included.
    pub posts: u64,
    /// Event time of the oldest.
    pub oldest: Option<Time>,
}

/// An archive in a file.
pub struct Archive {
    db: Connection,
    path: PathBuf,
    /// Whether a removed text may still stand in the write-ahead log.
    unsettled: bool,
}

impl Archive {
    /// Opens an archive for writing; makes one where there is no file, or an empty one.
    ///
    /// # Errors
    /// Where it cannot be opened or written, is of something else, of a newer version, or damaged.
    pub fn open(path: &Path) -> Result<Archive, ArchiveError> {
        let of = |e: rusqlite::Error| ArchiveError::of(&e, path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut archive = Archive::connect(path, flags)?;
        let db = &mut archive.db;
        let is = schema::look(db).map_err(of)?;
        if let Is::Wrong(trouble) = is {
            return Err(ArchiveError::new(trouble, path));
        }
        if db.is_readonly("main").map_err(of)? {
            return Err(ArchiveError::new(Trouble::ReadOnly, path));
        }
        if is == Is::Empty {
            schema::create(db).map_err(of)?;
        }
        db.pragma_update(None, "journal_mode", "WAL").map_err(of)?;
        db.pragma_update(None, "synchronous", "NORMAL").map_err(of)?;
        db.pragma_update(None, "secure_delete", "ON").map_err(of)?;
        archive.extent()?;
        Ok(archive)
    }

    /// Opens an archive for reading, also while a service writes it.
    ///
    /// # Errors
    /// Where there is none, or it cannot be opened, is of something else, of a newer version, or damaged.
    pub fn read_only(path: &Path) -> Result<Archive, ArchiveError> {
        if !path.exists() {
            return Err(ArchiveError::new(Trouble::Missing, path));
        }
        let archive = Archive::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        match schema::look(&archive.db).map_err(|e| archive.failed(&e))? {
            Is::Archive => {}
            Is::Empty => return Err(ArchiveError::new(Trouble::Foreign, path)),
            Is::Wrong(trouble) => return Err(ArchiveError::new(trouble, path)),
        }
        archive.extent()?;
        Ok(archive)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Archive, ArchiveError> {
        let of = |e: rusqlite::Error| ArchiveError::of(&e, path);
        let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(of)?;
        db.busy_timeout(limits::ARCHIVE_WAIT.as_std()).map_err(of)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(Archive { db, path: path.to_path_buf(), unsettled: false })
    }

    fn failed(&self, e: &rusqlite::Error) -> ArchiveError {
        ArchiveError::of(e, &self.path)
    }

    /// The last entry of the log that is in it: entries up to this number need not be taken.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn mark(&self) -> Result<Seq, ArchiveError> {
        take::mark(&self.db).map_err(|e| self.failed(&e))
    }

    /// How far it reaches.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn extent(&self) -> Result<Extent, ArchiveError> {
        let sql = "SELECT mark, clock, (SELECT count(*) FROM posts), (SELECT min(time) FROM posts) FROM state";
        let read = |row: &rusqlite::Row<'_>| {
            let (mark, posts): (i64, i64) = (row.get(0)?, row.get(2)?);
            let oldest: Option<i64> = row.get(3)?;
            let (mark, posts) = (mark.cast_unsigned(), posts.cast_unsigned());
            Ok(Extent { mark, at: Time(row.get(1)?), posts, oldest: oldest.map(Time) })
        };
        self.db.query_row(sql, [], read).map_err(|e| self.failed(&e))
    }

    /// Whether a post of this brand or group is in it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn has_key(&self, key: KeyId) -> Result<bool, ArchiveError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM post_keys WHERE key = ?1)";
        self.db.query_row(sql, [key.0.cast_signed()], |row| row.get(0)).map_err(|e| self.failed(&e))
    }

    /// Bytes in use, without pages that are free already and the write-ahead log.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn size_bytes(&self) -> Result<u64, ArchiveError> {
        let pages = |name: &str| self.db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let used = || Ok((pages("page_count")? - pages("freelist_count")?) * pages("page_size")?);
        used().map(|n: i64| n.max(0).cast_unsigned()).map_err(|e| self.failed(&e))
    }
}
