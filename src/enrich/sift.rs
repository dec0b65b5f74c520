//! The front: frame by frame, without memory from one to the next. Most frames end here.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Matched, Matcher, Scratch, causes, negativity, sketch};
use crate::base::account::{account_id, post_id};
use crate::base::limits;
use crate::base::link::{self, Meeting};
use crate::base::model::{Causes, Mention, Post, PostBody, PostId, PostKind};

/// Matches and scores decoded posts.
pub struct Front {
    matcher: Arc<Matcher>,
    scratch: Scratch,
}

impl Front {
    /// A front that matches by these queries.
    pub fn new(matcher: Arc<Matcher>) -> Front {
        Front { matcher, scratch: Scratch::default() }
    }

    /// Whether a raw text can match once its escapes are read and it is folded.
    pub fn may_match(&self, text: &str) -> bool {
        self.matcher.may_match(text)
    }

    /// Whether links or accounts matter to any query or brand.
    pub fn reads_beside_text(&self) -> bool {
        self.matcher.reads_links() || self.matcher.reads_accounts()
    }

    /// Whether an outside link can make a post a mention.
    pub fn may_link(&self, uri: &[u8]) -> bool {
        self.matcher.may_link(uri)
    }

    /// Whether posts of an account, or answers to it, can be of concern.
    pub fn wants_account(&self, source: &str, id: &[u8]) -> bool {
        self.matcher.reads_accounts() && std::str::from_utf8(id).is_ok_and(|id| self.matcher.wants_account(source, id))
    }

    /// Whom a post concerns.
    pub fn matches(&mut self, p: &Post<'_>) -> Matched {
        let mut found = self.matcher.matches(p, &mut self.scratch);
        if p.kind == PostKind::Repost && p.text.trim().is_empty() {
            found.keys.clear();
            found.to.clear();
        }
        found
    }

    /// Matches and scores a post. The result has no keys if no brand matches. A repost without a
    /// text says nothing: whom it concerns depends on what it repeats.
    pub fn mention(&mut self, p: &Post<'_>) -> Mention {
        let found = self.matches(p);
        self.score(p, found)
    }

    /// Scores the post that was matched last.
    pub fn score(&self, p: &Post<'_>, found: Matched) -> Mention {
        let has_text = !p.text.trim().is_empty();
        let n = if has_text { negativity::score(&p.text, p.lang.as_deref()) } else { None };
        let sketch = if has_text { sketch::of_folded(self.scratch.folded()) } else { None };
        let id = |x: &Cow<'_, str>| post_id(&p.source, x.as_bytes());
        let (linked, links) = linked(p);
        Mention {
            post: id(&p.id),
            account: account_id(&p.source, &p.author),
            time: p.time,
            followers: p.followers,
            kind: p.kind,
            edit: p.edit,
            n,
            causes: if has_text { causes::of_folded(self.scratch.folded(), n) } else { Causes::default() },
            has_text,
            sketch,
            keys: found.keys,
            own: found.own,
            staff: found.staff,
            to: found.to,
            parent: p.parent.as_ref().map(id),
            root: p.root.as_ref().map(id),
            quoted: p.quoted.as_ref().map(id).or(linked),
            links,
            body: Arc::new(body(p)),
        }
    }
}

/// The first post that is named by a link, as good as quoted; and where those meet who carry the other links.
fn linked(p: &Post<'_>) -> (Option<PostId>, SmallVec<[PostId; 2]>) {
    let (mut post, mut pages) = (None, SmallVec::new());
    for meeting in p.links.iter().filter_map(|l| link::meeting(l.as_bytes())) {
        match meeting {
            Meeting::Post(id) => post = post.or(Some(id)),
            Meeting::Page(id) if !pages.contains(&id) => pages.push(id),
            Meeting::Page(_) => {}
        }
    }
    (post, pages)
}

/// Posts and links that an unmatched post refers to, itself included if it is an edit.
pub fn targets(p: &Post<'_>) -> SmallVec<[PostId; 4]> {
    let mut out: SmallVec<[PostId; 4]> = SmallVec::new();
    let posts = p.parent.iter().chain(&p.root).chain(&p.quoted).chain(p.edit.then_some(&p.id));
    let posts = posts.map(|x| post_id(&p.source, x.as_bytes()));
    for target in posts.chain(p.links.iter().filter_map(|l| Some(link::meeting(l.as_bytes())?.id()))) {
        if !out.contains(&target) {
            out.push(target);
        }
    }
    out
}

fn body(p: &Post<'_>) -> PostBody {
    PostBody {
        source: p.source.as_ref().into(),
        id: p.id.as_ref().into(),
        author: p.author.as_ref().into(),
        author_name: p.author_name.as_ref().map(|s| cut(s, limits::NAME_BYTES).into()),
        text: cut(&p.text, limits::KEPT_TEXT_BYTES).into(),
        lang: p.lang.as_deref().map(Box::from),
        url: p.url.as_ref().map(|s| cut(s, limits::NAME_BYTES).into()),
        links: each_cut(&p.links),
        tags: each_cut(&p.tags),
    }
}

fn each_cut(list: &[Cow<'_, str>]) -> Box<[Box<str>]> {
    list.iter().take(limits::LINKS_PER_POST).map(|s| cut(s, limits::NAME_BYTES).into()).collect()
}

fn cut(s: &str, bytes: usize) -> &str {
    s.get(..s.floor_char_boundary(bytes)).unwrap_or("")
}
