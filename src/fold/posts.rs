//! The posts a key keeps for its windows, and their accounts.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::voices::Size;
use crate::base::hash::HashedMap;
use crate::base::model::{Audience, PostId, Seq, Told};
use crate::base::reach;
use crate::base::time::Time;

/// A post's place: by event time, then by entry.
pub type PostAt = (Time, Seq);

/// A post that is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) told: Box<Told>,
    pub(super) deleted: bool,
}

/// An account with posts that are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) audience: Audience,
    pub(super) size: Size,
    pub(super) name: Option<Box<str>>,
    pub(super) posts: VecDeque<PostAt>,
}

/// Posts by time, id and account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Posts {
    by_time: BTreeMap<PostAt, Kept>,
    by_id: HashedMap<u64, PostAt>,
    accounts: HashedMap<u64, Account>,
}

/// The size of an account with this audience.
pub(super) fn size(a: Audience) -> Size {
    Size { followers: a.followers, base: reach::base(a.followers), known: a.known }
}

/// A post may be told of twice: as the key's own mention, and as one of a brand it reads.
fn id(t: &Told) -> u64 {
    t.foreign.map_or(t.post.0, |k| t.post.0 ^ k.0.rotate_left(17))
}

impl Posts {
    /// Keeps a post. An account seen before keeps the audience it has here.
    pub(super) fn insert(&mut self, seq: Seq, told: Told) -> Size {
        let at = (told.time, seq);
        self.by_id.insert(id(&told), at);
        let fresh = || {
            let name = told.body.author_name.clone();
            Account { audience: told.audience, size: size(told.audience), name, posts: VecDeque::new() }
        };
        let account = self.accounts.entry(told.account.0).or_insert_with(fresh);
        account.posts.push_back(at);
        let size = account.size;
        self.by_time.insert(at, Kept { told: Box::new(told), deleted: false });
        size
    }

    /// The account's audience became known. False if it has no posts here.
    pub(super) fn learn(&mut self, account: u64, followers: u64, name: Option<&str>) -> Option<Size> {
        let a = self.accounts.get_mut(&account)?;
        a.name = name.map(Box::from).or(a.name.take());
        a.audience = Audience { followers, known: true };
        a.size = size(a.audience);
        Some(a.size)
    }

    pub(super) fn account(&self, account: u64) -> Option<&Account> {
        self.accounts.get(&account)
    }

    /// The posts of an account, in the order they were counted.
    pub(super) fn of_account(&self, account: u64) -> impl Iterator<Item = &Kept> {
        let posts = self.accounts.get(&account).into_iter().flat_map(|a| &a.posts);
        posts.filter_map(|at| self.by_time.get(at))
    }

    /// The kept version of a post, with its entry.
    pub(super) fn same_mut(&mut self, told: &Told) -> Option<&mut Kept> {
        self.by_time.get_mut(self.by_id.get(&id(told))?)
    }

    pub(super) fn get_mut(&mut self, post: u64) -> Option<&mut Kept> {
        self.by_time.get_mut(self.by_id.get(&post)?)
    }

    /// All posts with their places, oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = (PostAt, &Kept)> {
        self.by_time.iter().map(|(at, k)| (*at, k))
    }

    /// A post by its id, of the key's own.
    pub(super) fn find(&self, post: PostId) -> Option<(PostAt, &Kept)> {
        let at = *self.by_id.get(&post.0)?;
        self.by_time.get(&at).map(|k| (at, k))
    }

    /// The post after another; the first without one.
    pub(super) fn after(&self, at: Option<PostAt>) -> Option<(PostAt, &Kept)> {
        let from = at.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_time.range((from, Bound::Unbounded)).next().map(|(at, k)| (*at, k))
    }

    /// Posts from a time on, with their places.
    pub(super) fn from(&self, t: Time) -> impl Iterator<Item = (PostAt, &Kept)> {
        self.by_time.range((t, 0)..).map(|(at, k)| (*at, k))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// Posts from a time on.
    pub(super) fn since(&self, t: Time) -> impl Iterator<Item = &Kept> {
        self.by_time.range((t, 0)..).map(|(_, k)| k)
    }

    /// Marks a post as deleted, also one that was told of as another brand's.
    pub(super) fn delete_post(&mut self, post: u64) {
        let same: Vec<PostAt> = self.by_time.iter().filter(|(_, k)| k.told.post.0 == post).map(|(at, _)| *at).collect();
        for at in same {
            if let Some(kept) = self.by_time.get_mut(&at) {
                kept.delete();
            }
        }
    }

    /// Marks all posts of an account as deleted.
    pub(super) fn delete_account(&mut self, account: u64) {
        let known = self.accounts.get_mut(&account);
        let posts = known
            .map(|a| {
                a.name = None;
                a.posts.clone()
            })
            .unwrap_or_default();
        for at in posts {
            if let Some(kept) = self.by_time.get_mut(&at) {
                kept.delete();
            }
        }
    }

    /// Takes out the oldest post if it is before `t`.
    pub(super) fn pop_before(&mut self, t: Time) -> Option<Kept> {
        let first = self.by_time.first_entry().filter(|e| e.key().0 < t)?;
        let (at, kept) = first.remove_entry();
        if self.by_id.get(&id(&kept.told)) == Some(&at) {
            self.by_id.remove(&id(&kept.told));
        }
        if let Some(account) = self.accounts.get_mut(&kept.told.account.0) {
            if let Some(i) = account.posts.iter().position(|p| *p == at) {
                account.posts.remove(i);
            }
            if account.posts.is_empty() {
                self.accounts.remove(&kept.told.account.0);
            }
        }
        Some(kept)
    }

    pub(super) fn len(&self) -> usize {
        self.by_time.len()
    }
}

impl Kept {
    /// Removes the text; what was counted stays.
    pub(super) fn delete(&mut self) {
        self.deleted = true;
        let mut body = (*self.told.body).clone();
        body.text = "".into();
        body.url = None;
        body.author_name = None;
        (body.links, body.tags) = Default::default();
        self.told.body = body.into();
    }
}
