//! Beside the service: posts go from the log into the archive, a little later than they are heard.

use std::sync::Arc;

use crate::app::archived::folded;
use crate::app::config::StoreConfig;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::Entry;
use crate::base::time::Time;
use crate::store::archive::{Archive, ArchiveError, Trouble, archive_path};
use crate::store::db::Db;

/// Blocks read at once.
const BLOCKS: usize = 16;

/// The archive as it is fed.
pub(super) struct Archiving {
    config: StoreConfig,
    status: Arc<Status>,
    archive: Option<Archive>,
    /// The last block whose entries are in it, once that is known.
    block: Option<i64>,
    /// Never tried again: it is no archive, or not sound.
    given_up: bool,
    complained: Option<String>,
}

impl Archiving {
    pub(super) fn new(config: StoreConfig, status: Arc<Status>) -> Archiving {
        status.set_archived(0);
        Archiving { config, status, archive: None, block: None, given_up: false, complained: None }
    }

    /// Takes a little of the log; whether there is more.
    pub(super) fn go_on(&mut self, db: &Db) -> bool {
        if self.given_up {
            return false;
        }
        match self.try_on(db) {
            Ok(more) => {
                self.complained = None;
                more
            }
            Err(e) => {
                let what = e.to_string();
                if self.complained.as_ref() != Some(&what) {
                    tracing::warn!(error = what, hint = e.hint(), "posts are not archived");
                }
                self.complained = Some(what);
                if matches!(e.trouble, Trouble::Damaged | Trouble::Newer(_) | Trouble::Foreign) {
                    // the log need not wait for it
                    self.given_up = true;
                    self.status.set_archived(i64::MAX);
                }
                self.archive = None;
                false
            }
        }
    }

    fn try_on(&mut self, db: &Db) -> Result<bool, ArchiveError> {
        let archive = match &mut self.archive {
            Some(archive) => archive,
            None => self.archive.insert(Archive::open(&archive_path(&self.config.path))?),
        };
        let mark = archive.mark()?;
        // what the store says of its own trouble is told elsewhere
        let Ok(block) = self.block.map_or_else(|| db.block_up_to(mark), Ok) else { return Ok(false) };
        let Ok(blocks) = db.blocks_after(block, BLOCKS) else { return Ok(false) };
        let last = blocks.last().map(|b| b.id);
        let more = blocks.len() == BLOCKS;
        let fresh = blocks.into_iter().filter(|b| b.last > mark).filter_map(|b| b.steps.ok());
        let entries: Vec<Entry> = fresh.flatten().flat_map(|s| s.entries).filter(|e| e.seq > mark).collect();
        archive.take(&entries, &folded)?;
        let block = last.unwrap_or(block);
        self.block = Some(block);
        self.status.set_archived(block);
        if !more {
            let now = self.status.clock().now();
            let mut left = archive.forget(now - self.config.keep_archive, limits::FORGOTTEN_POSTS)?;
            let bytes = archive.size_bytes()?;
            self.status.metrics.set(&metric::STORE_BYTES, &["archive"], bytes as f64);
            if bytes > self.config.max_bytes / 2 {
                left += archive.forget(Time(i64::MAX), limits::FORGOTTEN_POSTS)?;
            }
            return Ok(left > 0);
        }
        Ok(more)
    }
}
