//! Names of accounts and posts, and their hashes: an account is (source, author).

use crate::base::hash;
use crate::base::model::{AccountId, PostId};

/// The id of an account.
pub fn account_id(source: &str, author: &str) -> AccountId {
    AccountId(hash::parts(&[b"account", source.as_bytes(), author.as_bytes()]))
}

/// The id of a post; the bytes are those of its id at its source.
pub fn post_id(source: &str, id: &[u8]) -> PostId {
    PostId(hash::parts(&[b"post", source.as_bytes(), id]))
}

/// The id under which posts that carry the same outside link meet.
pub fn link_id(link: &[u8]) -> Option<PostId> {
    Some(PostId(hash::parts(&[b"link", &canonical_link(link)?])))
}

/// A link without what does not change its target: scheme, `www.`, case of the host, fragment,
/// a trailing slash. `None` for a bare host: a home page is no story.
pub fn canonical_link(link: &[u8]) -> Option<Vec<u8>> {
    let rest = link.strip_prefix(b"https://").or_else(|| link.strip_prefix(b"http://"))?;
    let rest = rest.split(|c| *c == b'#').next()?;
    let cut = memchr::memchr2(b'/', b'?', rest)?;
    let (host, path) = rest.split_at_checked(cut)?;
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if path.len() < 2 || host.is_empty() {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let mut out = host.strip_prefix(b"www.").unwrap_or(&host).to_vec();
    out.extend_from_slice(path);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_meet_in_canonical_form() {
        let c = |s: &str| canonical_link(s.as_bytes()).map(|b| String::from_utf8_lossy(&b).into_owned());
        assert_eq!(c("https://www.Example.com/a/b/#top").as_deref(), Some("example.com/a/b"));
        assert_eq!(c("http://example.com/a/b"), c("https://www.example.com/a/b/"));
        assert_eq!(c("https://example.com/"), None);
        assert_eq!(c("https://example.com"), None);
        assert_eq!(c("ftp://example.com/a"), None);
        assert_ne!(c("https://example.com/watch?v=1"), c("https://example.com/watch?v=2"));
    }
}
