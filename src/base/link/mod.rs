//! Outside links in one form, so that everybody who passes the same page on meets at one place.
//!
//! Left out is what does not change where a link leads: scheme, user, usual port, `www.` and
//! mobile hosts, tracking parameters, the order of the others, fragments, index pages, a trailing
//! slash, `/amp`, needless percent-encoding. Posts of some sites are known under every address
//! they have. Case counts in paths and queries.
//!
//! A bare host is no story: it leads to all that is said there. Everything else is, also a page of
//! one short word: which of those are overviews no list would tell.

mod plain;
mod read;
mod sites;
mod tracking;

use smallvec::SmallVec;

use crate::base::account::post_id;
use crate::base::hash;
use crate::base::limits;
use crate::base::model::PostId;

/// The name under which Bluesky's posts and accounts are known.
pub const NETWORK: &str = "bluesky";

/// Bytes of a link or a part of one, without an allocation for most.
pub type Bytes = SmallVec<[u8; 128]>;

const SCHEME: &[u8] = b"https://";
/// Links that hold links that are followed inwards.
const NESTED: usize = 4;

/// Where posts that carry the same link meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meeting {
    /// At the post that the link names.
    Post(PostId),
    /// At the page it leads to.
    Page(PostId),
}

impl Meeting {
    /// Under which id the place is known.
    pub fn id(self) -> PostId {
        match self {
            Meeting::Post(id) | Meeting::Page(id) => id,
        }
    }
}

/// Where posts that carry this link meet. `None` for what is no link of the web, for a bare host,
/// and beyond the limits of length and parameters.
pub fn meeting(link: &[u8]) -> Option<Meeting> {
    let page = |form: &[u8]| Some(Meeting::Page(PostId(hash::parts(&[b"link", form]))));
    if let Some(form) = plain::form(link) {
        return page(form);
    }
    let text = canonical(link)?;
    let rest = text.strip_prefix(SCHEME)?;
    if let Some(uri) = sites::post_uri(rest) {
        return Some(Meeting::Post(post_id(NETWORK, &uri)));
    }
    page(rest)
}

/// A link in the form in which links are compared, an `https://` link itself; the form of this
/// form is the same again. `None` as for [`meeting`].
pub fn canonical(link: &[u8]) -> Option<Bytes> {
    let mut parts = read::Parts::of(link)?;
    for _ in 0..NESTED {
        let Some(inner) = sites::wrapped(&parts) else {
            let out = sites::post(&parts).or_else(|| parts.written())?;
            return Some(out).filter(|out| out.len() <= limits::JOINED_LINK_BYTES);
        };
        parts = read::Parts::of(&inner)?;
    }
    None
}

#[cfg(test)]
mod tests;
