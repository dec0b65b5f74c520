//! How many listen: what posts tell and look-ups find.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Junction;
use crate::base::account::account_id;
use crate::base::limits;
use crate::base::model::{Audience, Change, EntryBody, KeyId, Mention};
use crate::base::time::Time;
use crate::enroll::stories::Keys;

impl Junction {
    /// An audience was looked up. Where only the name can be news, that is told.
    pub fn audience(&mut self, source: &Arc<str>, author: &str, followers: u64, name: Option<Box<str>>) {
        let account = account_id(source, author);
        let followers = followers.min(limits::FOLLOWERS);
        // a look-up may be answered after its account has left: how many listened is still worth knowing
        let name = name.filter(|_| !self.audiences.is_gone(account));
        let learned = self.audiences.learn(account, source, followers);
        if learned.is_some() {
            self.note(|| Change::Followers { source: source.clone(), account, followers });
        }
        let confirmed = || self.audiences.confirmed(account, followers).filter(|_| name.is_some());
        if let Some(keys) = learned.or_else(confirmed) {
            let keys = self.watch.with_readers(keys);
            let now = self.clock.now().unwrap_or_default();
            self.push(now, EntryBody::AudienceLearned { account, followers, name, keys });
        }
    }

    /// The author's audience; if the post tells it for the first time, all are told.
    pub(super) fn assign(&mut self, now: Time, m: &Mention, keys: &Keys) -> Audience {
        let plain: SmallVec<[KeyId; 4]> = keys.iter().map(|c| c.key).collect();
        let (audience, learned) = self.audiences.assign(m.account, &m.body.source, m.followers, &plain);
        if let Some(keys) = learned {
            let keys = self.watch.with_readers(keys);
            let (followers, name) = (audience.followers, m.body.author_name.clone());
            self.push(now, EntryBody::AudienceLearned { account: m.account, followers, name, keys });
        }
        audience
    }
}
