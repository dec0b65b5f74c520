//! Whose audience is wanted: what look-ups are told of, and what they do not need to be.

use super::Engine;
use crate::base::limits;
use crate::base::model::Told;
use crate::base::time::Time;

impl Engine {
    /// Whether people are shown a name for the author of a post, where one of the key's own.
    pub fn is_named(&self, t: &Told) -> bool {
        t.body.author_name.is_some() || self.shards.iter().any(|back| back.is_named(t.key, t.account))
    }

    /// Authors of a network whose followers are estimated where they count at this time, the latest
    /// last: at most as many as may wait to be looked up.
    pub fn estimated(&self, network: &str, now: Time) -> Vec<Box<str>> {
        let since = now - self.rules.retention;
        let kept = self.shards.iter().flat_map(|back| back.kept());
        let mut found: Vec<_> = kept
            .filter(|((at, _), t, audience)| *at >= since && !audience.known && *t.body.source == *network)
            .map(|(at, t, _)| (at, t.account, &t.body.author))
            .collect();
        found.sort_unstable_by_key(|(at, account, _)| (*account, std::cmp::Reverse(*at)));
        found.dedup_by_key(|(_, account, _)| *account);
        found.sort_unstable_by_key(|(at, account, _)| (*at, *account));
        let first = found.len().saturating_sub(limits::LOOKUP_QUEUE);
        found.split_off(first).into_iter().map(|(_, _, author)| author.clone()).collect()
    }
}
