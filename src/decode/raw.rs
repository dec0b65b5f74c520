//! What can be told from the bytes of a Jetstream frame without parsing it.
//!
//! The head is read only in the layout that servers send; any other layout takes the full path,
//! so that both paths always agree. The head of protocol v2 is read in `raw2`, the rest is the same.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use smallvec::SmallVec;

use crate::base::account::PostIds;
use crate::base::limits;
use crate::base::link;
use crate::base::model::PostId;
use crate::base::time::Time;

/// The name under which Bluesky's posts and accounts are known.
pub const NETWORK: &str = link::NETWORK;
/// The collection of posts.
pub const POSTS: &str = "app.bsky.feed.post";
/// The collection of reposts.
pub const REPOSTS: &str = "app.bsky.feed.repost";

/// What a frame is about, as far as its head tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadKind {
    /// A new post.
    NewPost,
    /// A new repost.
    NewRepost,
    /// A commit to a collection that is not read.
    OtherCollection,
    /// Anything else: to be parsed.
    Parse,
}

/// The head of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head<'b> {
    /// The author.
    pub did: &'b [u8],
    /// Event time.
    pub time: Time,
    /// What it is about.
    pub kind: HeadKind,
}

pub(super) struct Cursor<'b>(pub(super) &'b [u8]);

impl<'b> Cursor<'b> {
    pub(super) fn spaces(&mut self) {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.0 {
            self.0 = rest;
        }
    }

    pub(super) fn mark(&mut self, c: u8) -> Option<()> {
        (self.next_mark()? == c).then_some(())
    }

    /// The next byte that is no space.
    pub(super) fn next_mark(&mut self) -> Option<u8> {
        self.spaces();
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A string without escapes.
    pub(super) fn string(&mut self) -> Option<&'b [u8]> {
        self.mark(b'"')?;
        let end = memchr::memchr2(b'"', b'\\', self.0)?;
        let (s, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.strip_prefix(b"\"")?;
        Some(s)
    }

    pub(super) fn key(&mut self, name: &[u8]) -> Option<()> {
        (self.string()? == name).then_some(())?;
        self.mark(b':')
    }

    fn digits(&mut self) -> Option<i64> {
        self.spaces();
        let len = self.0.iter().take_while(|c| c.is_ascii_digit()).count();
        if !(1..=18).contains(&len) {
            return None;
        }
        let (digits, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(digits.iter().fold(0, |n, c| n * 10 + i64::from(c - b'0')))
    }
}

/// The head of a frame, if it has the usual layout and ends like a whole object.
pub fn head(frame: &[u8]) -> Option<Head<'_>> {
    compact(frame).or_else(|| spaced(frame))
}

/// The head of a new post or repost without spaces, as servers write it.
fn compact(frame: &[u8]) -> Option<Head<'_>> {
    let start = frame.strip_prefix(b"{\"did\":\"")?;
    let rest = plain(start)?;
    let did = start.get(..start.len() - rest.len())?;
    let rest = rest.strip_prefix(b"\",\"time_us\":")?;
    let mut digits = Cursor(rest);
    let time = Time(digits.digits()?).plausible()?;
    let rest = digits.0.strip_prefix(b",\"kind\":\"commit\",\"commit\":{\"rev\":\"")?;
    let rest = plain(rest)?.strip_prefix(b"\",\"operation\":\"create\",\"collection\":\"app.bsky.feed.")?;
    let kind = match rest {
        [b'p', b'o', b's', b't', b'"', ..] => HeadKind::NewPost,
        [b'r', b'e', b'p', b'o', b's', b't', b'"', ..] => HeadKind::NewRepost,
        _ => return None,
    };
    (frame.last() == Some(&b'}')).then_some(Head { did, time, kind })
}

/// What follows a short, not empty value of plain characters.
fn plain(rest: &[u8]) -> Option<&[u8]> {
    let is_plain = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b':' | b'.' | b'-' | b'_' | b'%');
    let len = rest.iter().take(limits::NAME_BYTES).take_while(|c| is_plain(c)).count();
    if len == 0 { None } else { rest.get(len..) }
}

/// The head in any spacing.
fn spaced(frame: &[u8]) -> Option<Head<'_>> {
    let mut c = Cursor(frame);
    c.mark(b'{')?;
    c.key(b"did")?;
    let did = c.string()?;
    c.mark(b',')?;
    c.key(b"time_us")?;
    let time = Time(c.digits()?).plausible()?;
    c.mark(b',')?;
    let mut key = c.string()?;
    if key == b"cursor" {
        c.mark(b':')?;
        c.digits()?;
        c.mark(b',')?;
        key = c.string()?;
    }
    c.mark(b':')?;
    if key != b"kind" || did.is_empty() || did.len() > limits::NAME_BYTES || frame.last() != Some(&b'}') {
        return None;
    }
    let kind = if c.string()? == b"commit" { commit(&mut c)? } else { HeadKind::Parse };
    Some(Head { did, time, kind })
}

fn commit(c: &mut Cursor) -> Option<HeadKind> {
    c.mark(b',')?;
    c.key(b"commit")?;
    c.mark(b'{')?;
    c.key(b"rev")?;
    c.string()?;
    c.mark(b',')?;
    c.key(b"operation")?;
    let operation = c.string()?;
    c.mark(b',')?;
    c.key(b"collection")?;
    let collection = c.string()?;
    Some(kind_of(operation, collection))
}

/// What a commit is about.
pub(super) fn kind_of(operation: &[u8], collection: &[u8]) -> HeadKind {
    match collection {
        x if x == POSTS.as_bytes() && operation == b"create" => HeadKind::NewPost,
        x if x == REPOSTS.as_bytes() && operation == b"create" => HeadKind::NewRepost,
        x if x == POSTS.as_bytes() || x == REPOSTS.as_bytes() => HeadKind::Parse,
        _ => HeadKind::OtherCollection,
    }
}

/// Whether the frame holds an escape that can hide a letter or a slash: backslash-u, `\/` and the
/// rarer ones. Quotes, backslashes and line breaks hide nothing that is looked for.
pub fn has_hiding_escape(frame: &[u8]) -> bool {
    let mut rest = frame;
    while let Some(i) = memchr::memchr(b'\\', rest) {
        match rest.get(i + 1) {
            Some(b'"' | b'\\' | b'n' | b'r' | b't') => rest = rest.get(i + 2..).unwrap_or(&[]),
            _ => return true,
        }
    }
    false
}

/// Whether any text or tag of the frame passes a test: the raw values of every `"text"` and
/// `"tag"` and of lists of `"tags"`, escapes of quotes and line breaks included.
pub fn any_text<'f>(frame: &'f str, mut test: impl FnMut(&'f str) -> bool) -> bool {
    static KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"t"));
    let bytes = frame.as_bytes();
    let mut at = 0;
    while let Some(hit) = bytes.get(at..).and_then(|rest| KEY.find(rest)).map(|i| at + i) {
        at = hit + 2;
        let escaped = hit > 0 && bytes.get(hit - 1) == Some(&b'\\');
        let rest = bytes.get(hit..).unwrap_or(&[]);
        let Some(key) = [&b"\"text\""[..], b"\"tag\"", b"\"tags\""].into_iter().find(|k| rest.starts_with(k)) else {
            continue;
        };
        let mut value = Cursor(rest.get(key.len()..).unwrap_or(&[]));
        if escaped || value.mark(b':').is_none() {
            continue;
        }
        value.spaces();
        let from = bytes.len() - value.0.len();
        let to = from + value_length(value.0);
        if frame.get(from..to).is_none_or(&mut test) {
            return true;
        }
        // what was tested need not be looked at again, keys within it included
        at = to.max(from + 1);
    }
    false
}

/// The length of a string, or of a list up to its first `]` outside of strings; 0 for others.
fn value_length(value: &[u8]) -> usize {
    let list = match value.first() {
        Some(b'"') => false,
        Some(b'[') => true,
        _ => return 0,
    };
    let mut at = 1;
    let mut inside = !list;
    while let Some(i) = value.get(at..).and_then(|rest| memchr::memchr3(b'"', b'\\', b']', rest)) {
        at += i + 1;
        match value.get(at - 1) {
            Some(b'\\') => at += 1,
            Some(b'"') => {
                inside = !inside;
                if !list {
                    return at;
                }
            }
            _ if !inside => return at,
            _ => {}
        }
    }
    value.len()
}

/// Whether an AT URI names a post.
pub fn is_post_uri(uri: &[u8]) -> bool {
    static COLLECTION: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("/app.bsky.feed.post/"));
    uri.starts_with(b"at://") && COLLECTION.find(uri).is_some()
}

/// The account whose post an AT URI names.
pub fn account_of(uri: &str) -> Option<&str> {
    uri.strip_prefix("at://")?.split('/').next().filter(|did| !did.is_empty())
}

/// Posts and links that a frame names as values of `"uri"`. `None` where there are more than the
/// limit, or one that `matters`, so that a full parse must tell.
pub fn targets(frame: &[u8], mut matters: impl FnMut(&[u8]) -> bool) -> Option<SmallVec<[PostId; 4]>> {
    static URI: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"uri\""));
    let mut out = SmallVec::new();
    let (mut rest, mut last): (_, &[u8]) = (frame, b"");
    while let Some(i) = URI.find(rest) {
        rest = rest.get(i + 5..)?;
        let mut c = Cursor(rest);
        if c.mark(b':').is_none() {
            continue;
        }
        c.spaces();
        if c.0.first() != Some(&b'"') {
            continue;
        }
        // a value with escapes is for a parser to read
        let uri = c.string()?;
        if matters(uri) {
            return None;
        }
        // a link stands in the text and in the card below it
        if std::mem::replace(&mut last, uri) == uri {
            continue;
        }
        let Some(target) = target(uri) else { continue };
        if out.contains(&target) {
            continue;
        }
        if out.len() == limits::REFS_PER_FRAME {
            return None;
        }
        out.push(target);
    }
    Some(out)
}

/// The meeting point of an AT URI of a post or of an outside link.
pub fn target(uri: &[u8]) -> Option<PostId> {
    static IDS: LazyLock<PostIds> = LazyLock::new(|| PostIds::of(NETWORK));
    if is_post_uri(uri) { Some(IDS.id(uri)) } else { link::meeting(uri).map(link::Meeting::id) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::account::post_id;

    const HEAD: &str = r#"{"did":"did:plc:a","time_us":1783175888085434,"kind":"commit","commit":{"rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"k"}}"#;

    #[test]
    fn reads_only_the_usual_layout() {
        let kind = |s: &str| head(s.as_bytes()).map(|h| h.kind);
        assert_eq!(kind(HEAD), Some(HeadKind::NewPost));
        assert_eq!(compact(HEAD.as_bytes()), spaced(HEAD.as_bytes()));
        assert_eq!(
            compact(HEAD.replace("feed.post", "feed.repost").as_bytes()).map(|h| h.kind),
            Some(HeadKind::NewRepost)
        );
        assert_eq!(compact(HEAD.replace("did:plc:a", "").as_bytes()), None);
        assert_eq!(kind(&HEAD.replace(':', ": ").replace("did: plc: a", "did:plc:a")), Some(HeadKind::NewPost));
        assert_eq!(kind(&HEAD.replace("\"kind\"", "\"cursor\":7,\"kind\"")), Some(HeadKind::NewPost));
        assert_eq!(kind(&HEAD.replace("feed.post", "feed.repost")), Some(HeadKind::NewRepost));
        assert_eq!(kind(&HEAD.replace("feed.post", "feed.like")), Some(HeadKind::OtherCollection));
        assert_eq!(kind(&HEAD.replace("create", "delete")), Some(HeadKind::Parse));
        assert_eq!(kind(&HEAD.replace("did\"", "dod\"")), None);
        assert_eq!(kind(&HEAD.replace("1783175888085434", "-5")), None);
        assert_eq!(kind(&HEAD[..HEAD.len() - 5]), None);
        assert_eq!(kind(""), None);
    }

    #[test]
    fn shows_every_text_and_tag() {
        let f = r##"{"text": "one \"two\" \n","x":{"text":"three"},"facets":[{"tag":"four"}],"tags":["five","six"],"title":"seven","tagx":"eight"}"##;
        let sees = |word: &str| any_text(f, |t| t.contains(word));
        for word in ["one", "two", "three", "four", "five", "six"] {
            assert!(sees(word), "{word}");
        }
        assert!(!sees("seven"));
        assert!(any_text(r#"{"tags":["a]b","united"]}"#, |t| t.contains("united")));
        assert!(any_text(r#"{"tags" : [{"text":"x"},["united"]],"text":"y"}"#, |t| t.contains("y")));
        let mut looks = 0;
        let long = format!(r#"{{"text":"{}","tags":["{}"]}}"#, "\\\"tag".repeat(5000), "tags\",\"".repeat(5000))
            + &"{\"tags\":[".repeat(5000);
        any_text(&long, |_| {
            looks += 1;
            false
        });
        assert_eq!(looks, 3, "each value is looked at once");
        for cut in 0..f.len() {
            any_text(&f[..cut], |_| false);
        }
    }

    #[test]
    fn finds_targets_and_escapes() {
        let f = br#"{"uri":"at://a/app.bsky.feed.post/1","x":{"uri": "https://www.e.example/a"},"uri":"at://a/app.bsky.feed.like/1","text":"\"uri\":\"at://b\" \n"}"#;
        assert_eq!(
            targets(f, |_| false).unwrap().as_slice(),
            &[post_id(NETWORK, b"at://a/app.bsky.feed.post/1"), link::meeting(b"https://e.example/a").unwrap().id()]
        );
        assert_eq!(targets(f, |uri| uri.ends_with(b"like/1")), None, "one that matters");
        assert_eq!(account_of("at://did:plc:x/app.bsky.feed.post/1"), Some("did:plc:x"));
        assert!(!has_hiding_escape(f));
        assert!(has_hiding_escape(br"a\u0041"));
        assert!(has_hiding_escape(br"\\\/"));
        assert!(!has_hiding_escape(br"\\u0041 \n"));
        assert!(has_hiding_escape(br"\"));
        let many = "\"uri\":\"https://e.example/aa\"".repeat(3)
            + &(0..50).map(|i| format!("\"uri\":\"https://e.example/a{i}\"")).collect::<String>();
        assert_eq!(targets(many.as_bytes(), |_| false), None);
    }
}
