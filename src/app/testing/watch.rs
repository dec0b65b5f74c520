//! Waits until files change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::base::limits;

/// Notices changes in folders.
pub struct Watch {
    changes: Receiver<()>,
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
}

impl Watch {
    /// Watches the folders of these paths.
    ///
    /// # Errors
    /// Where that cannot be done here.
    pub fn new(paths: &[PathBuf]) -> Result<Watch, notify::Error> {
        // one change that waits says it all
        let (tell, changes) = sync_channel(limits::RELOADS_ASKED);
        let watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
            if event.is_ok_and(|e| matters(&e)) {
                let _ = tell.try_send(());
            }
        })?;
        let mut out = Watch { changes, watcher, folders: BTreeSet::new() };
        out.also(paths)?;
        Ok(out)
    }

    /// Watches the folders of these paths, too.
    ///
    /// # Errors
    /// Where that cannot be done here.
    pub fn also(&mut self, paths: &[PathBuf]) -> Result<(), notify::Error> {
        for folder in paths.iter().map(|p| folder(p)) {
            if self.folders.len() < limits::TEST_FILES && self.folders.insert(folder.clone()) {
                self.watcher.watch(&folder, RecursiveMode::NonRecursive)?;
            }
        }
        Ok(())
    }

    /// Waits for the next change, and until files rest again; false where there will be none.
    pub fn wait(&self) -> bool {
        if self.changes.recv().is_err() {
            return false;
        }
        loop {
            match self.changes.recv_timeout(limits::SETTLE.as_std()) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

fn matters(event: &notify::Event) -> bool {
    let named = |p: &PathBuf| p.extension().is_some_and(|e| e == "yaml");
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(named)
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        _ if path.is_dir() => path.to_path_buf(),
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
