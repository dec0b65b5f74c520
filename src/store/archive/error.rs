//! What can be wrong with an archive.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::schema::VERSION;

/// What kind of trouble it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// There is no file.
    Missing,
    /// A file of something else.
    Foreign,
    /// Written by a newer version of this program.
    Newer(u32),
    /// Not whole.
    Damaged,
    /// It can only be read.
    ReadOnly,
    /// It cannot be opened.
    Unopenable,
    /// Somebody else writes it.
    Busy,
    /// The disk is full.
    Full,
    /// Another failure of reading or writing.
    Other,
}

/// Why an archive cannot be read or written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchiveError {
    /// What kind of trouble it is.
    pub trouble: Trouble,
    path: PathBuf,
    /// What SQLite says.
    said: String,
}

impl ArchiveError {
    pub(super) fn new(trouble: Trouble, path: &Path) -> ArchiveError {
        ArchiveError { trouble, path: path.to_path_buf(), said: String::new() }
    }

    pub(super) fn of(e: &rusqlite::Error, path: &Path) -> ArchiveError {
        let trouble = match e.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Trouble::Foreign,
            Some(ErrorCode::DatabaseCorrupt) => Trouble::Damaged,
            Some(ErrorCode::ReadOnly) => Trouble::ReadOnly,
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => Trouble::Unopenable,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Trouble::Busy,
            Some(ErrorCode::DiskFull) => Trouble::Full,
            Some(_) => Trouble::Other,
            // a table or a column is not what was written
            None => Trouble::Damaged,
        };
        ArchiveError { trouble, path: path.to_path_buf(), said: e.to_string() }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.trouble {
            Trouble::Missing => "the service writes it beside its store; name that store's file",
            Trouble::Foreign => "name another file, or move this one away",
            Trouble::Newer(_) => "use the version of this program that wrote it, or a newer one",
            Trouble::Damaged => "move it away with its -wal and -shm files; the service begins a new one",
            Trouble::ReadOnly => "give the service the right to write the file and its folder",
            Trouble::Unopenable => "look whether the folder is there, and may be entered and written",
            Trouble::Busy => "one service writes an archive; is there a second one?",
            Trouble::Full => "make room on the disk, or keep posts for a shorter time",
            Trouble::Other => "look at the disk and at the system's log",
        }
    }
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, said) = (self.path.display(), &self.said);
        match self.trouble {
            Trouble::Missing => write!(f, "expected an archive of posts at {at}, found no file"),
            Trouble::Foreign => write!(f, "expected an archive of posts at {at}, found a file of something else"),
            Trouble::Newer(v) => {
                write!(f, "expected an archive of version {VERSION} at {at}, found the newer version {v}")
            }
            Trouble::Damaged => write!(f, "expected a whole archive at {at}, found a damaged one ({said})"),
            Trouble::ReadOnly => write!(f, "expected an archive that can be written at {at}, found one to read only"),
            Trouble::Unopenable => write!(f, "expected an archive that can be opened at {at}, found {said}"),
            Trouble::Busy => write!(f, "expected an archive that nobody else writes at {at}, found it locked"),
            Trouble::Full => write!(f, "expected room for the archive at {at}, found a full disk"),
            Trouble::Other => write!(f, "expected an archive that can be used at {at}, found {said}"),
        }
    }
}

impl std::error::Error for ArchiveError {}
