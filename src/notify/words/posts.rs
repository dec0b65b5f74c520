//! Posts in the words of a message: strangers wrote them.

use std::fmt::Write;

use crate::base::figures::{percent, short};
use crate::base::model::{PostKind, TopPost};
use crate::notify::around::Surroundings;
use crate::notify::plain::{defanged, plain, quoted as said};
use crate::notify::view::{Link, Said};

/// Longest link that may be followed, in bytes.
const LINK_BYTES: usize = 300;

pub(in crate::notify) fn quoted(p: &TopPost) -> String {
    if p.deleted {
        return "[deleted]".to_string();
    }
    if p.body.text.trim().is_empty() {
        format!("({})", p.kind.name())
    } else {
        format!("\"{}\"", said(&p.body.text, 140))
    }
}

pub(in crate::notify) fn top_line(rank: usize, p: &TopPost, around: &Surroundings) -> String {
    let clock = around.clock(p.time);
    let mut out = format!("{rank}  {:>5} {} {} {clock} {}", percent(p.share), author(p), p.kind.name(), quoted(p));
    if let Some(url) = p.body.url.as_ref().filter(|_| !p.deleted) {
        let _ = write!(out, " {}", defanged(url));
    }
    out
}

pub(in crate::notify) fn author(p: &TopPost) -> String {
    match &p.name {
        Some(name) => format!("@{}", plain(name, 60).trim_start_matches('@')),
        None => plain(&p.body.author, 60),
    }
}

/// A name on its own, as views show it; ids of networks as they are.
pub(in crate::notify) fn author_of(name: &str) -> String {
    let shown = plain(name, 60).replace("://", "[:]//");
    if shown.starts_with("did:") { shown } else { format!("@{}", shown.trim_start_matches('@')) }
}

/// The name of who wrote it, as views show it: a name that is a link leads nowhere.
pub(in crate::notify) fn name(p: &TopPost) -> String {
    author(p).replace("://", "[:]//")
}

/// `640k followers`, `300 followers, taken`.
pub(in crate::notify) fn followers(p: &TopPost) -> String {
    audience(p.followers, p.known)
}

/// The same of any account.
pub(in crate::notify) fn audience(followers: u64, known: bool) -> String {
    format!("{} followers{}", short(followers as f64), if known { "" } else { ", taken" })
}

/// What somebody does who writes such a post.
pub(in crate::notify) fn does(kind: PostKind) -> &'static str {
    match kind {
        PostKind::Post => "posts",
        PostKind::Reply => "replies",
        PostKind::Quote => "quotes",
        PostKind::Repost => "reposts",
    }
}

/// A post as views have it.
pub(in crate::notify) fn said_by(p: &TopPost, around: &Surroundings) -> Said {
    let own = !p.deleted && !p.body.text.trim().is_empty();
    let text = match (p.deleted, own) {
        (true, _) => "[deleted]".to_string(),
        (false, true) => said(&p.body.text, 140),
        (false, false) => format!("({})", p.kind.name()),
    };
    let known = if p.known { "" } else { ", taken" };
    Said {
        text,
        own,
        author: name(p),
        followers: format!("{}{known}", short(p.followers as f64)),
        kind: p.kind.name().to_string(),
        clock: around.clock(p.time),
        share: percent(p.share),
        link: p.body.url.as_deref().filter(|_| !p.deleted).map(|url| link(p, url)),
    }
}

/// A link as it is shown; one of the post's own network may be followed.
fn link(p: &TopPost, url: &str) -> Link {
    match host_of_network(p).filter(|host| leads_to(url, host)) {
        Some(_) => Link { shown: url.to_string(), follow: Some(url.to_string()) },
        None => Link { shown: defanged(url), follow: None },
    }
}

/// The host that shows posts of the network a post was on, where that is known.
fn host_of_network(p: &TopPost) -> Option<String> {
    match &*p.body.source {
        "bluesky" => Some("bsky.app".to_string()),
        // an account of another instance is `name@host`
        "mastodon" => {
            let (name, host) = p.body.author.trim_start_matches('@').split_once('@')?;
            let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
            let is_host = host.contains('.') && host.chars().all(ok) && !host.starts_with(['.', '-']);
            (!name.is_empty() && is_host).then(|| host.to_string())
        }
        _ => None,
    }
}

/// Whether a link leads to this host by `https`, without a user or a port, and is plain enough to
/// stand in any form of message.
fn leads_to(url: &str, host: &str) -> bool {
    let path = url.strip_prefix("https://").and_then(|rest| rest.strip_prefix(host));
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-._~/:%?=#@+,".contains(c);
    url.len() <= LINK_BYTES && path.is_some_and(|p| p.starts_with('/') && p.chars().all(harmless))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::Message;
    use crate::notify::tests::page;

    fn post(source: &str, author: &str, url: &str) -> TopPost {
        let Message::Episode(n) = page() else { unreachable!() };
        let mut p = n.transition.evidence.unwrap().top.remove(0);
        let mut body = (*p.body).clone();
        (body.source, body.author, body.url) = (source.into(), author.into(), Some(url.into()));
        p.body = body.into();
        p
    }

    #[test]
    fn links_of_the_own_network_may_be_followed_and_no_others() {
        let good = "https://bsky.app/profile/did:plc:a/post/3k";
        let followed = |source, author, url| {
            let shown = said_by(&post(source, author, url), &Surroundings::default()).link.unwrap();
            assert_eq!(shown.shown.contains("://"), shown.follow.is_some(), "{shown:?}");
            shown.follow
        };
        assert_eq!(followed("bluesky", "did:plc:a", good).as_deref(), Some(good));
        let there = "https://m.example/@dave/1";
        assert_eq!(followed("mastodon", "dave@m.example", there).as_deref(), Some(there));
        for (source, author, url) in [
            ("forum", "a", good),
            ("bluesky", "a", "http://bsky.app/x"),
            ("bluesky", "a", "https://bsky.app"),
            ("bluesky", "a", "https://bsky.app.evil.example/x"),
            ("bluesky", "a", "https://bsky.app@evil.example/x"),
            ("bluesky", "a", "https://bsky.app:8443/x"),
            ("bluesky", "a", "https://evil.example/https://bsky.app/x"),
            ("bluesky", "a", "https://bsky.app/x y"),
            ("bluesky", "a", "https://bsky.app/x|<!channel>"),
            ("bluesky", "a", "https://bsky.app/\u{445}"),
            ("bluesky", "a", "HTTPS://bsky.app/x"),
            ("mastodon", "109", there),
            ("mastodon", "dave@", there),
            ("mastodon", "dave@M.example", there),
            ("mastodon", "dave@other.example", there),
        ] {
            assert_eq!(followed(source, author, url), None, "{source} {author} {url}");
        }
        assert_eq!(followed("bluesky", "a", &format!("https://bsky.app/{}", "x".repeat(LINK_BYTES))), None);
    }

    #[test]
    fn deleted_posts_show_neither_text_nor_link() {
        let mut p = post("bluesky", "did:plc:a", "https://bsky.app/x");
        p.deleted = true;
        let said = said_by(&p, &Surroundings::default());
        assert_eq!((said.text.as_str(), said.own, said.link), ("[deleted]", false, None));
    }
}
