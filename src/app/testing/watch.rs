//! Waits until files change.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::base::limits;

/// Notices changes in folders.
pub struct Watch {
    changes: Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches the folders of these paths.
    ///
    /// # Errors
    /// Where that cannot be done here.
    pub fn new(paths: &[PathBuf]) -> Result<Watch, notify::Error> {
        // one change that waits says it all
        let (tell, changes) = sync_channel(limits::RELOADS_ASKED);
        let mut watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
            if event.is_ok_and(|e| matters(&e)) {
                let _ = tell.try_send(());
            }
        })?;
        let mut folders: Vec<PathBuf> = paths.iter().map(|p| folder(p)).collect();
        folders.sort();
        folders.dedup();
        for folder in &folders {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(Watch { changes, _watcher: watcher })
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
