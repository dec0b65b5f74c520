//! Who carried a story on: its root and those with most reach, each with whom it had it from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::course::Post;
use crate::base::limits;
use crate::base::model::{Gone, Spread, Told};

/// One post that carried a story.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Carrier {
    /// The post it had it from.
    parent: Option<u64>,
    root: bool,
    /// Effective reach, in units of weight x base.
    reach: u128,
    shown: Spread,
}

impl Carrier {
    pub(super) fn new(p: Post<'_>) -> Carrier {
        let t = p.told;
        let name = t.body.author_name.as_deref().unwrap_or(&t.body.author);
        Carrier {
            parent: t.from().map(|f| f.0),
            root: t.is_root(),
            reach: 0,
            shown: Spread {
                from: None,
                name: name.into(),
                source: t.body.source.clone(),
                post: t.post.0,
                account: t.account.0,
                time: t.time,
                kind: t.kind,
                n_milli: t.n.map(|n| n.milli()),
                followers: p.size.followers,
                known: p.size.known,
            },
        }
    }
}

/// The carriers of a story that are remembered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::fold) struct Carriers {
    list: Vec<Carrier>,
}

impl Carriers {
    /// Remembers a post if it is the one of its account with most reach, and the account among those with most. The
    /// root stays. Of equals the earlier ones stay. Who is gone stays without a name.
    pub(super) fn offer(&mut self, mut carrier: Carrier, weight: u32, base: u64) {
        carrier.reach = u128::from(weight) * u128::from(base);
        if let Some(known) = self.list.iter_mut().find(|c| c.shown.account == carrier.shown.account) {
            let same = known.shown.post == carrier.shown.post;
            if same || (!known.root && (carrier.root || carrier.reach > known.reach)) {
                if known.shown.name.is_empty() {
                    carrier.shown.name = "".into();
                }
                *known = carrier;
            }
            return;
        }
        if self.list.len() < limits::CARRIERS {
            // most stories have one post
            self.list.reserve_exact(if self.list.is_empty() { 1 } else { 3 });
            self.list.push(carrier);
            return;
        }
        let place = |c: &Carrier| (c.root, c.reach, std::cmp::Reverse((c.shown.time, c.shown.post)));
        let least = self.list.iter().enumerate().min_by_key(|(_, c)| place(c)).map(|(i, _)| i);
        if let Some(least) = least.and_then(|i| self.list.get_mut(i))
            && place(least) < place(&carrier)
        {
            *least = carrier;
        }
    }

    pub(super) fn edit(&mut self, t: &Told) {
        if let Some(known) = self.list.iter_mut().find(|c| c.shown.post == t.post.0) {
            known.shown.n_milli = t.n.map(|n| n.milli());
        }
    }

    pub(super) fn leave(&mut self, gone: Gone) {
        let is = |c: &&mut Carrier| match gone {
            Gone::Post(post) => c.shown.post == post.0,
            Gone::Account(account) => c.shown.account == account.0,
        };
        for one in self.list.iter_mut().filter(is) {
            one.shown.name = "".into();
        }
    }

    /// All of them by time, each with the place of whom it had it from.
    pub(in crate::fold) fn tree(&self) -> Vec<Spread> {
        let mut order: Vec<&Carrier> = self.list.iter().collect();
        order.sort_by_key(|c| (!c.root, c.shown.time, c.shown.post));
        let places: BTreeMap<u64, u32> = order.iter().zip(0..).map(|(c, i)| (c.shown.post, i)).collect();
        let root = order.first().filter(|c| c.root).map(|_| 0);
        let linked = order.iter().zip(0u32..).map(|(c, i)| {
            // what came by the story's link or words came from its root
            let named = c.parent.and_then(|p| places.get(&p)).copied().filter(|p| *p < i);
            Spread { from: if c.root { None } else { named.or(root) }, ..c.shown.clone() }
        });
        linked.collect()
    }
}
