//! The durable store: one SQLite file, written by one process and, in it, by one thread. Others
//! may read it meanwhile.

mod audiences;
mod commit;
mod decided;
mod fired;
mod outbox;
mod read;
mod rounds;
mod schema;
mod told;
mod trouble;
mod upkeep;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use commit::{COMPARED_UNTIL, Commit, DOWN_SINCE, Decided, Handle, LedgerRow, Letter};
pub use fired::FiredRow;
pub use outbox::{IncidentRow, OutboxRow};
pub use read::{LoggedBlock, Positions, Waiting};
pub use rounds::{Round, StatePart};
pub use told::{About, EpisodeRow, TransitionRow};
pub use trouble::{Kind, StoreError};
pub use upkeep::Keep;

/// An open store.
pub struct Db {
    path: PathBuf,
    db: Connection,
    /// Held as long as the store may be written; none of one that is only read.
    _alone: Option<File>,
}

/// The file that the one process that writes has locked.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

/// Locks the store for this process.
fn be_alone(path: &Path) -> Result<File, StoreError> {
    let lock = lock_path(path);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock);
    let mut file = opened.map_err(|e| {
        let kind = match e.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Kind::ReadOnly,
            std::io::ErrorKind::StorageFull => Kind::Full,
            _ => Kind::Io,
        };
        StoreError::new(kind, &lock, e)
    })?;
    match file.try_lock() {
        Ok(()) => {
            // only for the message of who comes second
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut who = String::new();
            let _ = file.take(20).read_to_string(&mut who);
            Err(StoreError::new(Kind::Taken, path, format!("another service that has it (process {who})")))
        }
        Err(TryLockError::Error(e)) => Err(StoreError::new(Kind::Io, &lock, e)),
    }
}

impl Db {
    /// Opens a store to write it; makes it where there is none, and upgrades an older one after
    /// keeping a copy of it beside it (`FILE.v1`).
    ///
    /// # Errors
    /// Where it cannot be used; nothing was changed then.
    pub fn open(path: &Path) -> Result<Db, StoreError> {
        let alone = be_alone(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut opened = Db::connect(path, flags, Some(alone))?;
        let version = opened.version()?;
        if version < schema::VERSION {
            opened.upgrade(version)?;
        }
        let failed = |e: rusqlite::Error| StoreError::of(path, &e);
        opened.db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;").map_err(failed)?;
        opened.db.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = FAST;").map_err(failed)?;
        Ok(opened)
    }

    /// Opens a store to read it, while a service may write it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read_only(path: &Path) -> Result<Db, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        if !path.exists() {
            let what = format!("store {}: expected a store, found no such file", path.display());
            let hint = "`groundswell run` makes it; `--store` or the config's `store.path` say where it is".to_string();
            return Err(StoreError { kind: Kind::Io, what, hint });
        }
        let opened = Db::connect(path, flags, None)?;
        if opened.version()? < schema::VERSION {
            let what = format!("store {}: expected the version of this program, found an older one", path.display());
            return Err(StoreError { kind: Kind::Io, what, hint: "`groundswell run` upgrades it".to_string() });
        }
        Ok(opened)
    }

    /// A further connection to a store that this process writes, for what is done beside: reading,
    /// and moving the write-ahead log home.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn beside(path: &Path) -> Result<Db, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Db::connect(path, flags, None)
    }

    fn connect(path: &Path, flags: OpenFlags, alone: Option<File>) -> Result<Db, StoreError> {
        let failed = |e: rusqlite::Error| StoreError::of(path, &e);
        let db = Connection::open_with_flags(path, flags).map_err(failed)?;
        db.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
        db.set_prepared_statement_cache_capacity(64);
        Ok(Db { path: path.to_path_buf(), db, _alone: alone })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, e: rusqlite::Error) -> StoreError {
        StoreError::of(&self.path, &e)
    }

    /// The version of the file, 0 of an empty one.
    fn version(&self) -> Result<i32, StoreError> {
        let number = |name: &str| self.db.pragma_query_value(None, name, |r| r.get::<_, i32>(0));
        let (application, version) = (number("application_id"), number("user_version"));
        let (application, version) = (application.map_err(|e| self.failed(e))?, version.map_err(|e| self.failed(e))?);
        let tables: i64 =
            self.db.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0)).map_err(|e| self.failed(e))?;
        if tables > 0 && application != schema::APPLICATION {
            return Err(StoreError::new(Kind::Foreign, &self.path, "a database of something else"));
        }
        if version > schema::VERSION {
            return Err(self.newer(version));
        }
        Ok(version)
    }

    fn newer(&self, version: i32) -> StoreError {
        let by = self.meta("written_by").ok().flatten().unwrap_or_else(|| "a newer one".to_string());
        let found = format!("version {version}, written by groundswell {by}; this one reads up to {}", schema::VERSION);
        let mut e = StoreError::new(Kind::Newer, &self.path, found);
        let (shown, kept) = (self.path.display(), self.kept_copy(schema::VERSION));
        e.hint = if kept.exists() {
            format!("install groundswell {by}, or go back to how it was before: mv {} {shown}", kept.display())
        } else {
            format!("install groundswell {by}, or begin anew: mv {shown} {shown}.newer")
        };
        e
    }

    /// Where the copy is kept that an upgrade makes of a file of some version.
    fn kept_copy(&self, version: i32) -> PathBuf {
        let mut name = self.path.as_os_str().to_os_string();
        name.push(format!(".v{version}"));
        PathBuf::from(name)
    }

    fn upgrade(&mut self, version: i32) -> Result<(), StoreError> {
        if version == 0 {
            self.db.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(|e| self.failed(e))?;
        } else {
            self.copy_to(&self.kept_copy(version))?;
        }
        schema::upgrade(&mut self.db, version).map_err(|e| StoreError::of(&self.path, &e))?;
        self.set_meta("written_by", env!("CARGO_PKG_VERSION"))
    }

    /// A named text.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        use rusqlite::OptionalExtension;
        let found = self.db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |r| r.get(0));
        found.optional().map_err(|e| self.failed(e))
    }

    /// Sets a named text.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn set_meta(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let set = "INSERT INTO meta(name, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = ?2";
        self.db.execute(set, [name, value]).map(drop).map_err(|e| self.failed(e))
    }
}
