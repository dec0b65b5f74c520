//! Queries over the archive: its index gives candidates, the matcher decides.

use crate::base::model::{KeyId, Post, PostBody};
use crate::base::rule::Brand;
use crate::base::time::Time;
use crate::enrich::{self, Matcher, Scratch};
use crate::store::archive::{Archived, Asked};

/// The form of a post's text that the archive indexes, for [`crate::store::archive::Archive::take`].
pub fn folded(body: &PostBody) -> String {
    enrich::folded(&body.text, &body.tags).into_owned()
}

/// A query that is asked of the archive.
pub struct Question {
    matcher: Matcher,
    key: KeyId,
    scratch: Scratch,
}

impl Question {
    /// The query of a brand; its own and staff accounts play no role.
    pub fn new(brand: &Brand) -> Question {
        let brand = Brand { own: Vec::new(), staff: Vec::new(), ..brand.clone() };
        Question { key: brand.key, matcher: Matcher::new(&[brand]), scratch: Scratch::default() }
    }

    /// What to ask the archive for: what holds the query's literals, in a span of time, for one
    /// brand or group.
    pub fn asked(&self, since: Option<Time>, until: Option<Time>, key: Option<KeyId>) -> Asked {
        let literals = self.matcher.literals(self.key);
        let needs = literals.iter().map(|any| any.iter().map(|l| l.to_string()).collect()).collect();
        Asked { since, until, key, needs }
    }

    /// Whether a post matches. Of its text only the beginning was kept; whom it answers was not.
    pub fn matches(&mut self, a: &Archived<'_>) -> bool {
        !self.matcher.matches(&post(a), &mut self.scratch).keys.is_empty()
    }
}

/// A post as the matcher sees it.
fn post<'a>(a: &'a Archived<'_>) -> Post<'a> {
    let blank = Post::blank(a.source.into(), a.id.into(), a.author.into(), a.time);
    Post {
        author_name: a.name.map(Into::into),
        text: a.text.into(),
        followers: a.known.then_some(a.followers),
        lang: a.lang.map(Into::into),
        kind: a.kind,
        url: a.url.map(Into::into),
        links: a.links.iter().map(Into::into).collect(),
        tags: a.tags.iter().map(Into::into).collect(),
        ..blank
    }
}
