//! Names of accounts and posts, and their hashes: an account is (source, author).

use crate::base::hash::{self, HashedSet};
use crate::base::model::{AccountId, KeyId, PostId};

/// The key of a brand or group.
pub fn key_id(slug: &str) -> KeyId {
    KeyId(hash::parts(&[b"key", slug.as_bytes()]))
}

/// Accounts as files name them: `source:id`, `source:name`, or an id or name at any source.
/// An id is compared as it is, a name in any case and without a leading `@`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accounts(HashedSet<u64>);

impl Accounts {
    /// Adds what a file names.
    pub fn add(&mut self, entry: &str) {
        self.0.extend(entry_hashes(entry));
    }

    /// Whether the author of a post is one of them.
    pub fn has(&self, source: &str, author: &str, name: Option<&str>) -> bool {
        !self.0.is_empty() && author_hashes(source, author, name).any(|h| self.0.contains(&h))
    }
}

fn named(source: &str, name: &str) -> u64 {
    let name = name.strip_prefix('@').unwrap_or(name).to_lowercase();
    hash::parts(&[b"name", source.as_bytes(), name.as_bytes()])
}

/// The hashes under which an entry of a file is found by [`author_hashes`].
pub fn entry_hashes(entry: &str) -> [u64; 2] {
    let (source, rest) = match entry.split_once(':') {
        // a DID by itself has colons too
        Some((source, rest)) if source != "did" => (source, rest),
        _ => ("", entry),
    };
    [account_id(source, rest).0, named(source, rest)]
}

/// The hashes under which an author may have been named.
pub fn author_hashes(source: &str, author: &str, name: Option<&str>) -> impl Iterator<Item = u64> {
    let ids = [account_id(source, author).0, account_id("", author).0];
    let names = name.map(|n| [named(source, n), named("", n)]);
    ids.into_iter().chain(names.into_iter().flatten())
}

/// The id of an account.
pub fn account_id(source: &str, author: &str) -> AccountId {
    AccountId(hash::parts(&[b"account", source.as_bytes(), author.as_bytes()]))
}

/// Ids of the posts of one source, where many are needed.
pub struct PostIds(hash::Prefix);

impl PostIds {
    /// Of a source.
    pub fn of(source: &str) -> PostIds {
        PostIds(hash::Prefix::of(&[b"post", source.as_bytes()]))
    }

    /// The same as [`post_id`].
    pub fn id(&self, id: &[u8]) -> PostId {
        PostId(self.0.then(id))
    }
}

/// The id of a post; the bytes are those of its id at its source.
pub fn post_id(source: &str, id: &[u8]) -> PostId {
    PostId(hash::parts(&[b"post", source.as_bytes(), id]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_named_by_id_or_name() {
        let mut a = Accounts::default();
        for entry in ["bluesky:did:plc:X", "did:plc:y", "mastodon:@United@example.social", "Alice"] {
            a.add(entry);
        }
        assert!(a.has("bluesky", "did:plc:X", None) && !a.has("bluesky", "did:plc:x", None));
        assert!(a.has("anywhere", "did:plc:y", None));
        assert!(
            a.has("mastodon", "17", Some("united@example.social"))
                && !a.has("forum", "17", Some("united@example.social"))
        );
        assert!(a.has("forum", "1", Some("@alice")) && a.has("forum", "Alice", None) && !a.has("forum", "alice", None));
    }

    #[test]
    fn ids_are_the_same_both_ways() {
        assert_eq!(PostIds::of("bluesky").id(b"at://x"), post_id("bluesky", b"at://x"));
    }
}
