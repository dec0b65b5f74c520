//! What can be wrong with the store, in words for the operator.

use std::fmt;
use std::path::Path;

use rusqlite::ErrorCode;

/// Which kind of trouble it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// No room on the disk, or beyond the size allowed.
    Full,
    /// The file, its folder or its disk may not be written.
    ReadOnly,
    /// The file is not as it was written.
    Damaged,
    /// Another process has it.
    Taken,
    /// Made by a newer version of this program.
    Newer,
    /// No store of this program.
    Foreign,
    /// Anything else the system says.
    Io,
}

/// What is wrong with the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreError {
    /// Which kind.
    pub kind: Kind,
    /// What was expected and found, with the file.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl StoreError {
    pub(super) fn new(kind: Kind, path: &Path, found: impl fmt::Display) -> StoreError {
        let shown = path.display();
        let (wanted, hint) = match kind {
            Kind::Full => ("room to write", "free some, or give `store.path` another disk".to_string()),
            Kind::ReadOnly => ("to write", format!("give this user the right to write {shown} and its folder")),
            Kind::Damaged => (
                "a sound store",
                format!("restore a backup, or move {shown} away to begin anew; `sqlite3 {shown} .recover` saves rows"),
            ),
            Kind::Taken => ("to be alone with the store", "one service a store; `store.path` tells them apart".into()),
            Kind::Newer => ("a store of this version or an older one", String::new()),
            Kind::Foreign => ("a store of groundswell", "give `store.path` another name".into()),
            Kind::Io => ("a store that can be used", "look at the disk and at the rights of its folder".into()),
        };
        StoreError { kind, what: format!("store {shown}: expected {wanted}, found {found}"), hint }
    }

    pub(super) fn of(path: &Path, e: &rusqlite::Error) -> StoreError {
        let kind = match e.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Kind::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Kind::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt) => Kind::Damaged,
            Some(ErrorCode::NotADatabase) => Kind::Foreign,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Kind::Taken,
            _ => Kind::Io,
        };
        StoreError::new(kind, path, e)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for StoreError {}
