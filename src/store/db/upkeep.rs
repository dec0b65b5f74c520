//! What keeps the file small and sound: retention, copies, moving the write-ahead log home.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, params};

use super::{Db, Kind, StoreError};
use crate::base::time::Time;

/// What may leave, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// Blocks of the log older than this leave, unless they are needed to start from.
    pub log: Time,
    /// The ledger, and episodes that are over, older than this leave.
    pub ledger: Time,
    /// Beyond this size blocks leave that are not needed to start from, whatever their age.
    pub bytes: u64,
    /// Blocks after this one are still to be read by others, unless there is no room.
    pub block: i64,
}

/// Rows deleted at once.
const SLICE: i64 = 256;

impl Db {
    /// Lets a little go of what need not be kept; whether there may be more. Never what the oldest
    /// round that is kept needs.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn forget(&mut self, keep: &Keep) -> Result<bool, StoreError> {
        let full = self.bytes()? > keep.bytes;
        let path = self.path.clone();
        let work = || -> rusqlite::Result<bool> {
            let t = self.db.transaction()?;
            let old = "DELETE FROM log WHERE id IN (SELECT id FROM log WHERE (id <= ?1 OR ?3) AND id < (SELECT max(id) FROM log) AND (at < ?2 OR ?3)
                         AND id <= coalesce((SELECT min(block) FROM rounds WHERE done = 1), 0) ORDER BY id LIMIT ?4)";
            let blocks = t.prepare_cached(old)?.execute(params![keep.block, keep.log.0, full, SLICE])?;
            let lines = "DELETE FROM ledger WHERE id IN (SELECT id FROM ledger WHERE at < ?1 LIMIT ?2)";
            let lines = t.prepare_cached(lines)?.execute(params![keep.ledger.0, SLICE])?;
            // an episode leaves as a whole
            let over = "DELETE FROM transitions WHERE episode IN (SELECT episode FROM transitions GROUP BY episode
                          HAVING max(at) < ?1 AND min(told) = 1 AND max(became IN ('resolved', 'inactive')) LIMIT 16)";
            let episodes = match t
                .query_row("SELECT min(at) < ?1 FROM transitions", [keep.ledger.0], |r| r.get::<_, Option<bool>>(0))?
            {
                Some(true) => t.prepare_cached(over)?.execute([keep.ledger.0])?,
                _ => 0,
            };
            if episodes > 0 {
                t.execute("DELETE FROM evidence WHERE transition_id NOT IN (SELECT id FROM transitions)", [])?;
            }
            for old in [
                "DELETE FROM outbox WHERE dead IS NOT NULL AND at < ?1",
                "DELETE FROM incidents WHERE ended < ?1",
                "DELETE FROM silences WHERE until < ?1",
                "DELETE FROM handles WHERE at < ?1 AND incident NOT IN (SELECT id FROM incidents)",
            ] {
                t.prepare_cached(old)?.execute([keep.ledger.0])?;
            }
            t.commit()?;
            Ok(blocks as i64 == SLICE || lines as i64 == SLICE || episodes > 0)
        }();
        work.map_err(|e| StoreError::of(&path, &e))
    }

    /// Whether what is written next must be on disk before it counts as written, as it must unless
    /// said otherwise; else it follows with the next commit that is.
    ///
    /// # Errors
    /// Where that cannot be said.
    pub fn at_once(&self, at_once: bool) -> Result<(), StoreError> {
        let mode = if at_once { "FULL" } else { "NORMAL" };
        self.db.execute_batch(&format!("PRAGMA synchronous = {mode}")).map_err(|e| self.failed(e))
    }

    /// Gives some free pages back to the system.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn shrink(&mut self, pages: usize) -> Result<(), StoreError> {
        let done = self.db.execute_batch(&format!("PRAGMA incremental_vacuum({pages})"));
        done.map_err(|e| self.failed(e))
    }

    /// The size of the file without its write-ahead log, in bytes, free pages left out.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        let number = |name: &str| {
            let found = self.db.pragma_query_value(None, name, |r| r.get::<_, i64>(0));
            found.map(|n| n.max(0) as u64).map_err(|e| self.failed(e))
        };
        Ok((number("page_count")?.saturating_sub(number("freelist_count")?)) * number("page_size")?)
    }

    /// Never lets the file grow beyond so many bytes, as if the disk ended there.
    ///
    /// # Errors
    /// Where that cannot be said.
    pub fn end_disk_at(&self, bytes: u64) -> Result<(), StoreError> {
        let size = self.db.pragma_query_value(None, "page_size", |r| r.get::<_, i64>(0)).map_err(|e| self.failed(e))?;
        let pages = (bytes / size.max(1) as u64).clamp(1, u64::from(u32::MAX) - 1);
        let set = self.db.pragma_update_and_check(None, "max_page_count", pages as i64, |_| Ok(()));
        set.map_err(|e| self.failed(e))
    }

    /// Moves what was committed from the write-ahead log to its place, without keeping anybody from
    /// writing. May be called on any connection that writes.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let done = self.db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        done.map_err(|e| self.failed(e))
    }

    /// Copies the store as it is at one moment, while it is written; the copy is sound or not there.
    /// `progress` is told pages copied and to copy.
    ///
    /// # Errors
    /// Where one cannot be read or the other written.
    pub fn backup(&self, to: &Path, mut progress: impl FnMut(usize, usize)) -> Result<(), StoreError> {
        let failed = |e: rusqlite::Error| StoreError::of(to, &e);
        if to.exists() {
            let mut e = StoreError::new(Kind::Io, to, "a file of that name");
            e.hint = "backups never replace a file; give another name".to_string();
            return Err(e);
        }
        let mut part = to.as_os_str().to_os_string();
        part.push(".part");
        let part = Path::new(&part);
        let _ = std::fs::remove_file(part);
        let mut copy = Connection::open(part).map_err(failed)?;
        {
            // one step at a time would begin anew with every commit: one read transaction holds still
            let hold = self.db.unchecked_transaction().map_err(|e| self.failed(e))?;
            hold.query_row("SELECT count(*) FROM meta", [], |_| Ok(())).map_err(|e| self.failed(e))?;
            let backup = Backup::new(&self.db, &mut copy).map_err(failed)?;
            loop {
                use rusqlite::backup::StepResult;
                match backup.step(1024).map_err(failed)? {
                    StepResult::Done => break,
                    StepResult::More => {}
                    _ => std::thread::sleep(Duration::from_millis(5)),
                }
                let p = backup.progress();
                progress((p.pagecount - p.remaining).max(0) as usize, p.pagecount.max(0) as usize);
            }
        }
        copy.execute_batch("PRAGMA journal_mode = DELETE;").map_err(failed)?;
        let sound: String = copy.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).map_err(failed)?;
        drop(copy);
        if sound != "ok" {
            return Err(StoreError::new(Kind::Damaged, to, format!("a copy that is not sound: {sound}")));
        }
        let kept = std::fs::File::open(part).and_then(|f| f.sync_all()).and_then(|()| std::fs::rename(part, to));
        kept.map_err(|e| StoreError::new(Kind::Io, to, e))
    }

    /// Copies the store beside itself.
    pub(super) fn copy_to(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Ok(());
        }
        let name = to.to_string_lossy();
        self.db.execute("VACUUM INTO ?1", [&*name]).map(drop).map_err(|e| self.failed(e))
    }

    /// Whether every page is as it should be; what is wrong.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn check(&self) -> Result<Vec<String>, StoreError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            self.db.prepare("PRAGMA integrity_check(20)")?.query_map([], |r| r.get(0))?.collect()
        };
        let found = read().map_err(|e| self.failed(e))?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }
}
