//! What a search found: all of it counted, the newest kept to be shown.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::hash::HashedMap;
use crate::base::limits;
use crate::base::model::{Causes, Negativity, PostBody, PostKind};
use crate::base::time::Time;
use crate::store::archive::Archived;

/// A post to be shown.
pub(super) struct Found {
    pub(super) time: Time,
    post: u64,
    pub(super) kind: PostKind,
    pub(super) n: Option<Negativity>,
    pub(super) causes: Causes,
    pub(super) followers: u64,
    pub(super) known: bool,
    pub(super) body: PostBody,
}

impl Found {
    fn new(a: &Archived<'_>) -> Found {
        let list = |items: &[String]| items.iter().map(|s| s.as_str().into()).collect();
        let body = PostBody {
            source: a.source.into(),
            id: a.id.into(),
            author: a.author.into(),
            author_name: a.name.map(Box::from),
            text: a.text.into(),
            lang: a.lang.map(Box::from),
            url: a.url.map(Box::from),
            links: list(&a.links),
            tags: list(&a.tags),
        };
        Found {
            time: a.time,
            post: a.post.0,
            kind: a.kind,
            n: a.n,
            causes: a.causes,
            followers: a.followers,
            known: a.known,
            body,
        }
    }

    fn at(&self) -> (Time, u64) {
        (self.time, self.post)
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Found) -> bool {
        self.at() == other.at()
    }
}

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Found) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Found) -> std::cmp::Ordering {
        self.at().cmp(&other.at())
    }
}

/// Who wrote what was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct People {
    /// Accounts.
    pub(super) accounts: u64,
    /// Those whose followers are known.
    pub(super) known: u64,
    /// Followers of all of them, imputed ones included.
    pub(super) followers: u64,
    /// Whether there are more accounts than could be told apart.
    pub(super) more: bool,
}

/// All that was found.
pub(super) struct Tally {
    pub(super) posts: u64,
    most: usize,
    newest: BinaryHeap<Reverse<Found>>,
    accounts: HashedMap<u64, (u64, bool)>,
    more: bool,
}

impl Tally {
    /// Nothing yet; at most so many posts will be shown.
    pub(super) fn new(most: usize) -> Tally {
        Tally { posts: 0, most, newest: BinaryHeap::new(), accounts: HashedMap::default(), more: false }
    }

    /// Counts a post.
    pub(super) fn add(&mut self, a: &Archived<'_>) {
        self.posts += 1;
        if self.accounts.len() < limits::SEARCH_ACCOUNTS || self.accounts.contains_key(&a.account.0) {
            self.accounts.insert(a.account.0, (a.followers, a.known));
        } else {
            self.more = true;
        }
        if self.newest.len() >= self.most && self.newest.peek().is_none_or(|f| f.0.at() >= (a.time, a.post.0)) {
            return;
        }
        self.newest.push(Reverse(Found::new(a)));
        if self.newest.len() > self.most {
            self.newest.pop();
        }
    }

    /// Who wrote what was found; each account once.
    pub(super) fn people(&self) -> People {
        let empty = People { more: self.more, ..People::default() };
        self.accounts.values().fold(empty, |p, (followers, known)| People {
            accounts: p.accounts + 1,
            known: p.known + u64::from(*known),
            followers: p.followers.saturating_add(*followers),
            ..p
        })
    }

    /// The posts to be shown, from old to new.
    pub(super) fn shown(self) -> Vec<Found> {
        let mut all: Vec<Found> = self.newest.into_iter().map(|r| r.0).collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::model::{AccountId, PostId};

    pub(in super::super) fn post(id: u64, account: u64, followers: u64, known: bool) -> Archived<'static> {
        Archived {
            post: PostId(id),
            account: AccountId(account),
            time: Time::from_millis(1_783_175_886_240 + id as i64 * 1000),
            kind: PostKind::Post,
            n: Some(Negativity::from_milli(830)),
            causes: Causes::default(),
            followers,
            known,
            source: "bluesky",
            id: "at://1",
            author: "did:plc:a",
            name: Some("maeve.example"),
            lang: Some("en"),
            url: Some("https://b.example/1"),
            text: "United broke\nmy \u{1b}[31mguitar",
            links: vec!["https://v.example/1".into()],
            tags: Vec::new(),
        }
    }

    #[test]
    fn counts_all_and_keeps_the_newest() {
        let mut t = Tally::new(3);
        for (id, account, followers, known) in
            [(4, 1, 100, true), (1, 2, 300, false), (9, 1, 100, true), (5, 3, 237, true), (2, 2, 300, false)]
        {
            t.add(&post(id, account, followers, known));
        }
        assert_eq!((t.posts, t.people()), (5, People { accounts: 3, known: 2, followers: 637, more: false }));
        assert_eq!(t.shown().iter().map(|f| f.post).collect::<Vec<_>>(), [4, 5, 9]);
        let mut none = Tally::new(0);
        none.add(&post(1, 1, u64::MAX, true));
        none.add(&post(1, 2, 1, true));
        assert_eq!((none.people().followers, none.posts, none.shown().len()), (u64::MAX, 2, 0));
    }
}
