//! Entries of the log become posts of the archive.

use std::borrow::Cow;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::{Archive, ArchiveError};
use crate::base::model::{AccountId, Entry, EntryBody, Gone, PostBody, PostId, Seq, Told};

/// Gives the form of a post's text in which terms of queries are looked for.
pub(super) type Folded<'f> = &'f dyn Fn(&PostBody) -> String;

/// What a post is to a brand.
#[derive(Clone, Copy)]
enum Role {
    Mention = 0,
    Share = 1,
    Own = 2,
}

impl Archive {
    /// Takes the entries after the mark, all or none, and moves the mark; how many were taken.
    /// `folded` gives the form of a post's text in which terms of queries are looked for.
    ///
    /// # Errors
    /// Where it cannot be written; then nothing was taken.
    pub fn take(&mut self, entries: &[Entry], folded: Folded<'_>) -> Result<usize, ArchiveError> {
        let path = self.path.clone();
        let mut wiped = false;
        let mut take = || {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mark = mark(&tx)?;
            let writer = Writer { db: &tx, folded };
            let (mut taken, mut last) = (0, None);
            for entry in entries.iter().filter(|e| e.seq > mark) {
                wiped |= writer.entry(entry)?;
                (taken, last) = (taken + 1, Some(entry));
            }
            if let Some(e) = last {
                let sql = "UPDATE state SET mark = ?1, clock = ?2";
                tx.prepare_cached(sql)?.execute(params![e.seq.cast_signed(), e.clock.0])?;
            }
            tx.commit()?;
            Ok(taken)
        };
        let taken = take().map_err(|e| ArchiveError::of(&e, &path))?;
        self.unsettled |= wiped;
        if self.unsettled {
            self.settle();
        }
        Ok(taken)
    }

    /// Empties the write-ahead log, so that removed texts are not in it either. While somebody
    /// reads this cannot be; then it is tried again with the next entries.
    pub(super) fn settle(&mut self) {
        let _ = self.db.busy_timeout(std::time::Duration::ZERO);
        let done = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        self.unsettled = done != Ok(0);
        let _ = self.db.busy_timeout(crate::base::limits::ARCHIVE_WAIT.as_std());
    }
}

pub(super) fn mark(db: &Connection) -> rusqlite::Result<Seq> {
    db.prepare_cached("SELECT mark FROM state")?.query_row([], |row| row.get(0)).map(i64::cast_unsigned)
}

/// A post that is in the archive already.
struct Known {
    id: i64,
    time: i64,
    deleted: bool,
    columns: Columns<'static>,
}

/// What an edit can change.
#[derive(PartialEq)]
struct Columns<'b> {
    name: Option<Cow<'b, str>>,
    lang: Option<Cow<'b, str>>,
    url: Option<Cow<'b, str>>,
    links: Option<String>,
    tags: Option<String>,
    text: Cow<'b, str>,
    folded: String,
}

struct Writer<'w> {
    db: &'w Connection,
    folded: Folded<'w>,
}

impl Writer<'_> {
    /// Whether a text was removed.
    fn entry(&self, e: &Entry) -> rusqlite::Result<bool> {
        match &e.body {
            EntryBody::Mention(t) => self.told(t, Role::Mention),
            EntryBody::Share(t) => self.told(t, Role::Share),
            EntryBody::Own(t) => self.told(t, Role::Own),
            EntryBody::Edit(t) => self.told(t, Role::Mention),
            EntryBody::AudienceLearned { account, followers, name, .. } => {
                self.learned(*account, *followers, name.as_deref()).map(|()| false)
            }
            EntryBody::Delete { gone: Gone::Post(post), .. } => self.gone_post(*post),
            EntryBody::Delete { gone: Gone::Account(account), .. } => self.gone_account(*account),
            EntryBody::Tick | EntryBody::Source { .. } | EntryBody::RulesChanged { .. } => Ok(false),
        }
    }

    /// Adds a post, or what is new of it: a brand, a text. What was deleted stays so.
    fn told(&self, t: &Told, role: Role) -> rusqlite::Result<bool> {
        if t.foreign.is_some() {
            return Ok(false);
        }
        let columns = self.columns(&t.body);
        let known = self.known(t.post)?;
        if known.as_ref().is_some_and(|k| k.deleted) {
            return Ok(false);
        }
        self.account(t)?;
        let (id, time) = match known {
            None => (self.insert(t, &columns)?, t.time.0),
            Some(k) => {
                let edited = k.columns != columns;
                if edited {
                    self.replace(&k, t, &columns)?;
                }
                self.key(k.id, k.time, t, role)?;
                return Ok(edited);
            }
        };
        self.key(id, time, t, role)?;
        Ok(false)
    }

    fn columns<'b>(&self, b: &'b PostBody) -> Columns<'b> {
        // the index leaves NULs out: it would hold other groups of characters than stand in the text
        let folded = (self.folded)(b).replace('\0', "\u{fffd}");
        Columns {
            name: b.author_name.as_deref().map(Cow::Borrowed),
            lang: b.lang.as_deref().map(Cow::Borrowed),
            url: b.url.as_deref().map(Cow::Borrowed),
            links: list(&b.links),
            tags: list(&b.tags),
            text: Cow::Borrowed(&b.text),
            folded,
        }
    }

    fn known(&self, post: PostId) -> rusqlite::Result<Option<Known>> {
        let sql = "SELECT id, time, deleted, name, lang, url, links, tags, text, folded FROM posts WHERE post = ?1";
        let text = |row: &rusqlite::Row<'_>, i| row.get::<_, Option<String>>(i).map(|t| t.map(Cow::Owned));
        let read = |row: &rusqlite::Row<'_>| {
            let columns = Columns {
                name: text(row, 3)?,
                lang: text(row, 4)?,
                url: text(row, 5)?,
                links: row.get(6)?,
                tags: row.get(7)?,
                text: Cow::Owned(row.get(8)?),
                folded: row.get(9)?,
            };
            Ok(Known { id: row.get(0)?, time: row.get(1)?, deleted: row.get(2)?, columns })
        };
        self.db.prepare_cached(sql)?.query_row([post.0.cast_signed()], read).optional()
    }

    fn insert(&self, t: &Told, c: &Columns<'_>) -> rusqlite::Result<i64> {
        let sql = "INSERT INTO posts (post, account, time, kind, n, causes, at_source, name, lang, url, links, tags, \
                   text, folded) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        self.db.prepare_cached(sql)?.execute(params![
            t.post.0.cast_signed(),
            t.account.0.cast_signed(),
            t.time.0,
            t.kind as i64,
            t.n.map(|n| n.milli()),
            bits(t),
            t.body.id,
            c.name,
            c.lang,
            c.url,
            c.links,
            c.tags,
            c.text,
            c.folded
        ])?;
        let id = self.db.last_insert_rowid();
        self.index(id, &c.folded)?;
        Ok(id)
    }

    fn replace(&self, k: &Known, t: &Told, c: &Columns<'_>) -> rusqlite::Result<()> {
        unindex(self.db, k.id, &k.columns.folded)?;
        let sql = "UPDATE posts SET n = ?2, causes = ?3, name = ?4, lang = ?5, url = ?6, links = ?7, tags = ?8, \
                   text = ?9, folded = ?10 WHERE id = ?1";
        let n = t.n.map(|n| n.milli());
        self.db.prepare_cached(sql)?.execute(params![
            k.id,
            n,
            bits(t),
            c.name,
            c.lang,
            c.url,
            c.links,
            c.tags,
            c.text,
            c.folded
        ])?;
        self.index(k.id, &c.folded)
    }

    fn index(&self, id: i64, folded: &str) -> rusqlite::Result<()> {
        if !folded.is_empty() {
            self.db
                .prepare_cached("INSERT INTO words (rowid, folded) VALUES (?1, ?2)")?
                .execute(params![id, folded])?;
        }
        Ok(())
    }

    /// That a post concerns a key. What it was to it first, it stays.
    fn key(&self, id: i64, time: i64, t: &Told, role: Role) -> rusqlite::Result<()> {
        let sql = "INSERT OR IGNORE INTO post_keys (id, key, role, time) VALUES (?1, ?2, ?3, ?4)";
        self.db.prepare_cached(sql)?.execute(params![id, t.key.0.cast_signed(), role as i64, time]).map(|_| ())
    }

    /// What is known of an account's audience outlives what was imputed.
    fn account(&self, t: &Told) -> rusqlite::Result<()> {
        let sql = "INSERT INTO accounts (account, source, author, followers, known) VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT (account) DO UPDATE SET followers = excluded.followers, known = excluded.known \
                   WHERE excluded.known >= known AND (excluded.followers, excluded.known) <> (followers, known)";
        let (b, followers) = (&t.body, t.audience.followers.cast_signed());
        let account = t.account.0.cast_signed();
        self.db
            .prepare_cached(sql)?
            .execute(params![account, &*b.source, b.author, followers, t.audience.known])
            .map(|_| ())
    }

    fn learned(&self, account: AccountId, followers: u64, name: Option<&str>) -> rusqlite::Result<()> {
        let sql = "UPDATE accounts SET followers = ?2, known = 1, name = coalesce(?3, name) WHERE account = ?1";
        let (account, followers) = (account.0.cast_signed(), followers.cast_signed());
        self.db.prepare_cached(sql)?.execute(params![account, followers, name]).map(|_| ())
    }

    fn gone_post(&self, post: PostId) -> rusqlite::Result<bool> {
        let sql = "SELECT id, account FROM posts WHERE post = ?1 AND deleted = 0";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found = self.db.prepare_cached(sql)?.query_row([post.0.cast_signed()], read).optional()?;
        let Some((id, account)) = found else { return Ok(false) };
        self.wipe(id)?;
        leave(self.db, account)?;
        Ok(true)
    }

    fn gone_account(&self, account: AccountId) -> rusqlite::Result<bool> {
        let account = account.0.cast_signed();
        let mut find = self.db.prepare_cached("SELECT id FROM posts WHERE account = ?1 AND deleted = 0")?;
        let posts: Vec<i64> = find.query_map([account], |row| row.get(0))?.collect::<Result<_, _>>()?;
        posts.iter().try_for_each(|id| self.wipe(*id))?;
        let left = leave(self.db, account)?;
        Ok(left || !posts.is_empty())
    }

    /// Leaves of a post that it was there, when, how hostile, and for which brands.
    fn wipe(&self, id: i64) -> rusqlite::Result<()> {
        let sql = "SELECT folded FROM posts WHERE id = ?1";
        let folded: String = self.db.prepare_cached(sql)?.query_row([id], |row| row.get(0))?;
        unindex(self.db, id, &folded)?;
        let sql = "UPDATE posts SET deleted = 1, account = 0, at_source = '', name = NULL, lang = NULL, url = NULL, \
                   links = NULL, tags = NULL, text = '', folded = '' WHERE id = ?1";
        self.db.prepare_cached(sql)?.execute([id]).map(|_| ())
    }
}

/// Removes a text from the index; it must be the one that was put there.
pub(super) fn unindex(db: &Connection, id: i64, folded: &str) -> rusqlite::Result<()> {
    if !folded.is_empty() {
        let sql = "INSERT INTO words (words, rowid, folded) VALUES ('delete', ?1, ?2)";
        db.prepare_cached(sql)?.execute(params![id, folded])?;
    }
    Ok(())
}

/// Forgets an account without posts; whether it was there.
pub(super) fn leave(db: &Connection, account: i64) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM accounts WHERE account = ?1 AND NOT EXISTS (SELECT 1 FROM posts WHERE posts.account = ?1)";
    db.prepare_cached(sql)?.execute([account]).map(|n| n > 0)
}

fn bits(t: &Told) -> i64 {
    t.causes.iter().fold(0, |bits, c| bits | 1 << c as u32)
}

fn list(items: &[Box<str>]) -> Option<String> {
    if items.is_empty() { None } else { serde_json::to_string(items).ok() }
}
