//! The tables of an archive, and how one is told from other files.

use rusqlite::{Connection, Transaction};

use super::error::Trouble;

/// Stands in the head of every archive: `gswA`.
const APPLICATION: u32 = 0x6773_7741;
/// The version this program writes and reads.
pub(super) const VERSION: u32 = 1;

/// A post's text is kept beside its folded form, since an entry of the index can only be removed
/// with the words it was made of. Accounts stand once, so that what is learned of one is learned of
/// all its posts. The index holds which post has which three characters, not where: enough for
/// a first look, and much smaller.
const TABLES: &str = "
CREATE TABLE state (only_row INTEGER PRIMARY KEY CHECK (only_row = 0), mark INTEGER NOT NULL, clock INTEGER NOT NULL);
INSERT INTO state VALUES (0, 0, 0);
CREATE TABLE accounts (
  account INTEGER PRIMARY KEY, source TEXT NOT NULL, author TEXT NOT NULL, name TEXT,
  followers INTEGER NOT NULL, known INTEGER NOT NULL
);
CREATE TABLE posts (
  id INTEGER PRIMARY KEY, post INTEGER NOT NULL UNIQUE, account INTEGER NOT NULL, time INTEGER NOT NULL,
  kind INTEGER NOT NULL, n INTEGER, causes INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,
  at_source TEXT NOT NULL, name TEXT, lang TEXT, url TEXT, links TEXT, tags TEXT, text TEXT NOT NULL, folded TEXT NOT NULL
);
CREATE INDEX posts_by_time ON posts (time);
CREATE INDEX posts_by_account ON posts (account);
CREATE TABLE post_keys (
  id INTEGER NOT NULL, key INTEGER NOT NULL, role INTEGER NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (id, key)
) WITHOUT ROWID;
CREATE INDEX post_keys_by_key ON post_keys (key, time, id);
CREATE VIRTUAL TABLE words USING fts5 (
  folded, content = 'posts', content_rowid = 'id', detail = 'none', columnsize = 0, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
";

/// What a file is.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Is {
    /// Nothing was written to it yet.
    Empty,
    /// An archive of this version.
    Archive,
    /// Nothing that can be used.
    Wrong(Trouble),
}

/// Looks at a file without changing it.
pub(super) fn look(db: &Connection) -> rusqlite::Result<Is> {
    let head = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let (application, version) = (head("application_id")?.cast_unsigned(), head("user_version")?.cast_unsigned());
    if application == 0 && version == 0 {
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        return Ok(if tables == 0 { Is::Empty } else { Is::Wrong(Trouble::Foreign) });
    }
    Ok(match (application, version) {
        (APPLICATION, VERSION) => Is::Archive,
        (APPLICATION, newer) if newer > VERSION => Is::Wrong(Trouble::Newer(newer)),
        _ => Is::Wrong(Trouble::Foreign),
    })
}

/// Makes the tables, all or none.
pub(super) fn create(db: &mut Connection) -> rusqlite::Result<()> {
    // before anything is written, or it has no effect
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    let tx = Transaction::new(db, rusqlite::TransactionBehavior::Immediate)?;
    // another one may have been faster
    if look(&tx)? == Is::Empty {
        tx.execute_batch(TABLES)?;
        tx.pragma_update(None, "application_id", APPLICATION.cast_signed())?;
        tx.pragma_update(None, "user_version", VERSION.cast_signed())?;
    }
    tx.commit()
}
