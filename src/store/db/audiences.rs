//! What was learned of accounts that were looked up, so that a start need not ask again.

use rusqlite::params;

use super::read::{text, text_if_any};
use super::{Db, StoreError};
use crate::base::model::LookedUp;
use crate::base::time::Time;

impl Db {
    /// Notes what was learned of some accounts; at most so many stay, the ones asked for last. It need
    /// not be on disk at once: what is lost is asked for again.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn put_audiences(&mut self, learned: &[LookedUp], most: usize) -> Result<(), StoreError> {
        self.at_once(false)?;
        let path = self.path.clone();
        let work = || -> rusqlite::Result<()> {
            let t = self.db.transaction()?;
            for l in learned {
                let put = "INSERT INTO audiences(account, asked, followers, name) VALUES(?1, ?2, ?3, ?4)
                           ON CONFLICT DO UPDATE SET asked = ?2, followers = ?3, name = ?4";
                let followers = l.followers.map(u64::cast_signed);
                t.prepare_cached(put)?.execute(params![l.account, l.at.0, followers, l.name])?;
            }
            let oldest = "DELETE FROM audiences WHERE account IN (SELECT account FROM audiences ORDER BY asked
                            LIMIT max(0, (SELECT count(*) FROM audiences) - ?1))";
            t.prepare_cached(oldest)?.execute([i64::try_from(most).unwrap_or(i64::MAX)])?;
            t.commit()
        }();
        let sure = self.at_once(true);
        work.map_err(|e| StoreError::of(&path, &e)).and(sure)
    }

    /// What was learned of the accounts asked for last, at most so many.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn audiences(&self, most: usize) -> Result<Vec<LookedUp>, StoreError> {
        let get = "SELECT account, asked, followers, name FROM audiences ORDER BY asked DESC LIMIT ?1";
        let read = || -> rusqlite::Result<Vec<LookedUp>> {
            let mut rows = self.db.prepare_cached(get)?;
            let found = rows.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |r| {
                Ok(LookedUp {
                    account: text(r, 0)?.into(),
                    at: Time(r.get(1)?),
                    followers: r.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned),
                    name: text_if_any(r, 3)?.map(Into::into),
                })
            })?;
            // a damaged one is asked for again
            Ok(found.flatten().collect())
        };
        read().map_err(|e| self.failed(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answers_about_the_accounts_asked_for_last_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.db");
        let mut db = Db::open(&path).unwrap();
        let of = |n: i64, at, followers| LookedUp {
            account: format!("did:plc:{n}").into(),
            at: Time(at),
            followers,
            name: (n % 2 == 0).then(|| "h.example".into()),
        };
        db.put_audiences(&(0..6).map(|n| of(n, n, Some(7))).collect::<Vec<_>>(), 5).unwrap();
        db.put_audiences(&[of(1, 9, None), of(7, 8, Some(u64::MAX))], 5).unwrap();
        drop(db);
        let db = Db::open(&path).unwrap();
        let kept = db.audiences(9).unwrap();
        assert_eq!(
            kept,
            [of(1, 9, None), of(7, 8, Some(u64::MAX)), of(5, 5, Some(7)), of(4, 4, Some(7)), of(3, 3, Some(7))]
        );
        assert_eq!(db.audiences(2).unwrap(), kept[..2]);
        // what somebody else made of the file costs no other row
        db.db.execute("UPDATE audiences SET followers = 'many' WHERE account = 'did:plc:5'", []).unwrap();
        assert_eq!(db.audiences(9).unwrap().len(), 4);
    }
}
