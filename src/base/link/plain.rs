//! Links that stand in their form already, as most do: nothing needs to be taken apart.

use super::read::{self, PREFIXES};
use super::{SCHEME, sites};
use crate::base::limits;

/// The form without its scheme of a link that is in it but for `www.` and a slash at its end; `None`
/// where only taking it apart can tell.
pub(super) fn form(link: &[u8]) -> Option<&[u8]> {
    let rest = link.strip_prefix(SCHEME).filter(|_| link.len() <= limits::JOINED_LINK_BYTES)?;
    let (host, path) = rest.split_at_checked(memchr::memchr(b'/', rest)?)?;
    let bare = host.strip_prefix(b"www.").filter(|bare| read::is_site(bare)).unwrap_or(host);
    let path = path.strip_suffix(b"/").unwrap_or(path);
    if !is_host(bare) || !is_path(path) {
        return None;
    }
    rest.get(host.len() - bare.len()..host.len() + path.len())
}

fn is_host(host: &[u8]) -> bool {
    let mut last = b'.';
    for b in host {
        if !(b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-' || (*b == b'.' && last != b'.')) {
            return false;
        }
        last = *b;
    }
    let other_names = PREFIXES.iter().any(|p| host.starts_with(p)) || host.ends_with(b".org");
    last != b'.' && !other_names && !sites::has_own_ways(host)
}

fn is_path(path: &[u8]) -> bool {
    let (mut last, mut name) = (0, path);
    for (i, b) in path.iter().enumerate() {
        let sound = match b {
            b'/' => last != b'/',
            b'.' => last != b'/',
            _ => read::is_plain(*b),
        };
        if !sound {
            return false;
        }
        if *b == b'/' {
            name = path.get(i + 1..).unwrap_or_default();
        }
        last = *b;
    }
    let index = matches!(name.first(), Some(b'i' | b'I' | b'd' | b'D')) && name.contains(&b'.');
    !name.is_empty() && !index && !name.ends_with(b"amp") && !name.ends_with(b".amp.html")
}
