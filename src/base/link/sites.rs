//! Sites whose posts have many addresses.

use super::read::Parts;
use super::{Bytes, SCHEME};

/// The first name of a host that has several.
pub(super) fn first_name(host: &[u8]) -> Option<&'static [u8]> {
    Some(match host {
        b"music.youtube.com" | b"gaming.youtube.com" | b"youtube-nocookie.com" => b"youtube.com",
        b"twitter.com" | b"fxtwitter.com" | b"vxtwitter.com" | b"fixupx.com" | b"fixvx.com" => b"x.com",
        b"telegram.me" | b"telegram.dog" => b"t.me",
        b"instagr.am" | b"ddinstagram.com" => b"instagram.com",
        b"vxtiktok.com" => b"tiktok.com",
        b"old.reddit.com" | b"new.reddit.com" | b"np.reddit.com" | b"sh.reddit.com" => b"reddit.com",
        b"fb.com" | b"web.facebook.com" | b"mbasic.facebook.com" | b"touch.facebook.com" => b"facebook.com",
        b"fxbsky.app" | b"bskx.app" | b"bskyx.app" => b"bsky.app",
        _ => return None,
    })
}

/// The one address of a post of a site that is known.
pub(super) fn post(p: &Parts) -> Option<Bytes> {
    known(&p.host)?(p, &p.segments())
}

/// Whether links to a host can have another form than they seem to.
pub(super) fn has_own_ways(host: &[u8]) -> bool {
    known(host).is_some() || first_name(host).is_some() || is_cache(host) || is_search(host)
}

fn is_cache(host: &[u8]) -> bool {
    host.ends_with(b"cdn.ampproject.org")
}

fn is_search(host: &[u8]) -> bool {
    host.starts_with(b"google.")
}

/// Finds the one address of a post by its host's parts of path.
type Rewrite = fn(&Parts, &[&[u8]]) -> Option<Bytes>;

fn known(host: &[u8]) -> Option<Rewrite> {
    Some(match host {
        b"youtube.com" | b"youtu.be" => video,
        b"x.com" => status,
        b"t.me" => message,
        b"instagram.com" => picture,
        b"tiktok.com" => clip,
        b"reddit.com" | b"redd.it" => thread,
        b"facebook.com" => watched,
        b"bsky.app" => sky,
        _ => return None,
    })
}

fn video(p: &Parts, path: &[&[u8]]) -> Option<Bytes> {
    let short = p.host.as_slice() == b"youtu.be";
    let id = match path {
        [id] if short => id,
        [b"watch"] => p.parameter(b"v")?,
        [b"embed", b"videoseries" | b"live_stream", ..] => return None,
        [b"shorts" | b"live" | b"embed" | b"v" | b"e", id, ..] => id,
        _ => return None,
    };
    is_id(id).then(|| joined(&[b"youtube.com/watch?v=", id]))
}

fn status(_: &Parts, path: &[&[u8]]) -> Option<Bytes> {
    let id = match path {
        [_, b"status" | b"statuses", id, ..] | [b"i", b"web", b"status", id, ..] => id,
        _ => return None,
    };
    is_number(id).then(|| joined(&[b"x.com/i/status/", id]))
}

fn message(_: &Parts, path: &[&[u8]]) -> Option<Bytes> {
    let (channel, id) = match path {
        [b"s", channel, id] => (channel, id),
        [b"c" | b"s", _] => return None,
        [channel, id] => (channel, id),
        _ => return None,
    };
    (is_id(channel) && is_number(id)).then(|| joined(&[b"t.me/", &channel.to_ascii_lowercase(), b"/", id]))
}

fn picture(_: &Parts, path: &[&[u8]]) -> Option<Bytes> {
    let id = match path {
        [b"reels", b"audio", ..] => return None,
        [b"p" | b"reel" | b"reels" | b"tv", id, ..] => id,
        [_, b"p" | b"reel" | b"tv", id, ..] => id,
        _ => return None,
    };
    is_id(id).then(|| joined(&[b"instagram.com/p/", id]))
}

fn clip(_: &Parts, path: &[&[u8]]) -> Option<Bytes> {
    let ([b"video", id] | [_, b"video" | b"photo", id, ..]) = path else { return None };
    is_number(id).then(|| joined(&[b"tiktok.com/video/", id]))
}

fn thread(p: &Parts, path: &[&[u8]]) -> Option<Bytes> {
    let id = match path {
        [id] if p.host.as_slice() == b"redd.it" => id,
        [b"comments" | b"gallery", id, ..] | [b"r" | b"u" | b"user", _, b"comments", id, ..] => id,
        _ => return None,
    };
    is_id(id).then(|| joined(&[b"reddit.com/comments/", &id.to_ascii_lowercase()]))
}

fn watched(p: &Parts, path: &[&[u8]]) -> Option<Bytes> {
    let id = match path {
        [b"watch"] => p.parameter(b"v")?,
        [_, b"videos", id] | [_, b"videos", _, id] => id,
        _ => return None,
    };
    is_number(id).then(|| joined(&[b"facebook.com/watch?v=", id]))
}

fn sky(_: &Parts, path: &[&[u8]]) -> Option<Bytes> {
    let [b"profile", who, b"post", key, ..] = path else { return None };
    let lower = who.to_ascii_lowercase();
    let who = if who.starts_with(b"did:") { who } else { lower.as_slice() };
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
    (who.iter().all(plain) && is_id(key)).then(|| joined(&[b"bsky.app/profile/", who, b"/post/", key]))
}

/// The AT URI of the post that a link in canonical form without its scheme names by the account's DID.
pub(super) fn post_uri(link: &[u8]) -> Option<Bytes> {
    let rest = link.strip_prefix(b"bsky.app/profile/")?;
    let mut parts = rest.split(|b| *b == b'/');
    let (who, word, key, end) = (parts.next()?, parts.next()?, parts.next()?, parts.next());
    if !who.starts_with(b"did:") || who.contains(&b'%') || word != b"post" || end.is_some() || !is_id(key) {
        return None;
    }
    let mut out = Bytes::from_slice(b"at://");
    for part in [who, b"/app.bsky.feed.post/", key] {
        out.extend_from_slice(part);
    }
    Some(out)
}

/// The link that a cache of pages for mobiles holds.
pub(super) fn wrapped(p: &Parts) -> Option<Bytes> {
    let cache = is_cache(&p.host);
    if !cache && !is_search(&p.host) {
        return None;
    }
    let path = p.segments();
    let first = match cache {
        false => match path.as_slice() {
            [b"amp", b"s", _, ..] => 2,
            [b"amp", host, ..] if host.contains(&b'.') => 1,
            _ => return None,
        },
        true => match path.as_slice() {
            [b"c" | b"v", b"s", _, ..] => 2,
            [b"c" | b"v", host, ..] if host.contains(&b'.') => 1,
            _ => return None,
        },
    };
    let mut out = Bytes::from_slice(SCHEME);
    out.extend_from_slice(path.get(first)?);
    p.write_from(first + 1, &mut out);
    Some(out)
}

fn joined(parts: &[&[u8]]) -> Bytes {
    let mut out = Bytes::from_slice(SCHEME);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// `amp` at the end of a path is none.
fn is_id(id: &[u8]) -> bool {
    (1..=40).contains(&id.len())
        && id != b"amp"
        && id.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn is_number(id: &[u8]) -> bool {
    (1..=20).contains(&id.len()) && id.iter().all(u8::is_ascii_digit)
}
