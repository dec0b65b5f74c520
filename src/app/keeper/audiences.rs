//! What was learned of accounts that were looked up, on its way into the store: whenever there is
//! time for it. What gets lost is asked for again.

use super::Keeper;
use crate::base::limits;
use crate::base::model::LookedUp;
use crate::store::db::StoreError;

impl Keeper {
    /// Takes some; what there is no store or no room for is let go of.
    pub(super) fn learned(&mut self, mut learned: Vec<LookedUp>) {
        if self.db().is_some() {
            self.learned.append(&mut learned);
            let over = self.learned.len().saturating_sub(limits::LOOKUPS_UNSAVED);
            self.learned.drain(..over);
        }
    }

    /// Writes some of it, the first first; whether there is more.
    ///
    /// # Errors
    /// Where that cannot be written; it is let go of then.
    pub fn write_learned(&mut self) -> Result<bool, StoreError> {
        if self.learned.is_empty() || self.db().is_none() {
            return Ok(false);
        }
        let some: Vec<LookedUp> = self.learned.drain(..self.learned.len().min(limits::LOOKUPS_SAVED)).collect();
        if let Some(db) = self.db() {
            db.put_audiences(&some, limits::LOOKUPS_KEPT)?;
        }
        Ok(!self.learned.is_empty())
    }
}
