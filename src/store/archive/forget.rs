//! Old posts leave, a few at a time.

use rusqlite::{TransactionBehavior, params};

use super::take::{leave, unindex};
use super::{Archive, ArchiveError};
use crate::base::limits;
use crate::base::time::Time;

impl Archive {
    /// Forgets posts from before a time, the oldest first, at most `most_rows` of them (and at most
    /// [`limits::FORGOTTEN_AT_ONCE`]), and gives a bounded number of free pages back to the disk;
    /// how many were forgotten. To get below a size, ask for `Time(i64::MAX)`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn forget(&mut self, before: Time, most_rows: usize) -> Result<usize, ArchiveError> {
        let path = self.path.clone();
        self.forget_slice(before, most_rows.min(limits::FORGOTTEN_AT_ONCE)).map_err(|e| ArchiveError::of(&e, &path))
    }

    fn forget_slice(&mut self, before: Time, most: usize) -> rusqlite::Result<usize> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT id, account, folded FROM posts WHERE time < ?1 ORDER BY time LIMIT ?2";
        let mut find = tx.prepare_cached(sql)?;
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let old: Vec<(i64, i64, String)> = find.query_map(params![before.0, most], read)?.collect::<Result<_, _>>()?;
        drop(find);
        for (id, account, folded) in &old {
            unindex(&tx, *id, folded)?;
            tx.prepare_cached("DELETE FROM post_keys WHERE id = ?1")?.execute([id])?;
            tx.prepare_cached("DELETE FROM posts WHERE id = ?1")?.execute([id])?;
            leave(&tx, *account)?;
        }
        tx.commit()?;
        let mut free = self.db.prepare(&format!("PRAGMA incremental_vacuum({})", limits::FREED_PAGES))?;
        let mut pages = free.query([])?;
        while pages.next()?.is_some() {}
        Ok(old.len())
    }
}
