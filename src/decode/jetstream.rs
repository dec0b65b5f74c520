//! Bluesky Jetstream, protocol v1: commits of posts and reposts, identity and account events.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::loose::{Loose, Text};
use super::raw::{NETWORK, POSTS, REPOSTS, account_of, is_post_uri};
use super::{is_name, language};
use crate::base::limits;
use crate::base::model::{Decoded, Post, PostKind};
use crate::base::time::Time;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    did: Cow<'a, str>,
    time_us: i64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    commit: Option<Commit<'a>>,
    #[serde(default)]
    account: Option<Account>,
}

#[derive(Deserialize)]
pub(super) struct Commit<'a> {
    #[serde(borrow)]
    pub(super) operation: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) collection: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) rkey: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) record: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Account {
    #[serde(default)]
    active: Loose<bool>,
}

impl Account {
    /// Whether it left.
    pub(super) fn gone(&self) -> bool {
        self.active.0 == Some(false)
    }
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    langs: Loose<Vec<Loose<Text<'a>>>>,
    #[serde(borrow, default)]
    reply: Loose<Thread<'a>>,
    #[serde(borrow, default)]
    embed: Loose<Embed<'a>>,
    #[serde(borrow, default)]
    facets: Loose<Vec<Loose<Facet<'a>>>>,
    #[serde(borrow, default)]
    tags: Loose<Vec<Loose<Text<'a>>>>,
}

#[derive(Deserialize)]
struct Thread<'a> {
    #[serde(borrow)]
    parent: Target<'a>,
    #[serde(borrow)]
    root: Target<'a>,
}

#[derive(Deserialize)]
struct Target<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Embed<'a> {
    #[serde(borrow, default)]
    record: Loose<Quoted<'a>>,
    #[serde(borrow, default)]
    external: Loose<Target<'a>>,
    #[serde(borrow, default)]
    media: Loose<Media<'a>>,
}

/// A quoted post: `{uri}`, or `{record: {uri}}` beside media.
#[derive(Deserialize)]
struct Quoted<'a> {
    #[serde(borrow, default)]
    uri: Loose<Text<'a>>,
    #[serde(borrow, default)]
    record: Loose<Target<'a>>,
}

#[derive(Deserialize)]
struct Media<'a> {
    #[serde(borrow, default)]
    external: Loose<Target<'a>>,
}

#[derive(Deserialize)]
struct Facet<'a> {
    #[serde(borrow, default)]
    features: Loose<Vec<Loose<Feature<'a>>>>,
}

#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(borrow, default)]
    uri: Loose<Text<'a>>,
    #[serde(borrow, default)]
    tag: Loose<Text<'a>>,
}

#[derive(Deserialize)]
struct Repost<'a> {
    #[serde(borrow)]
    subject: Target<'a>,
}

pub(super) fn decode(text: &str) -> Option<Decoded<'_>> {
    let event: Event = serde_json::from_str(text).ok()?;
    let time = Time(event.time_us).plausible()?;
    if !is_name(&event.did) {
        return None;
    }
    match &*event.kind {
        "commit" => commit(event.did, time, event.commit?),
        "identity" => Some(Decoded::Profile { source: NETWORK.into(), author: event.did, gone: false, time }),
        "account" => {
            let gone = event.account?.gone();
            Some(Decoded::Profile { source: NETWORK.into(), author: event.did, gone, time })
        }
        _ => Some(Decoded::Other { time: Some(time) }),
    }
}

/// A commit of an account: what became of a post or a repost.
pub(super) fn commit<'a>(did: Cow<'a, str>, time: Time, c: Commit<'a>) -> Option<Decoded<'a>> {
    let wanted = c.collection == POSTS || c.collection == REPOSTS;
    if !wanted {
        return Some(Decoded::Other { time: Some(time) });
    }
    if !is_name(&c.rkey) {
        return None;
    }
    let id = format!("at://{did}/{}/{}", c.collection, c.rkey);
    let edit = match &*c.operation {
        "create" => false,
        "update" => true,
        "delete" => return Some(Decoded::Delete { source: NETWORK.into(), id: id.into(), time }),
        _ => return Some(Decoded::Other { time: Some(time) }),
    };
    let record = c.record?.get();
    let url = Some(format!("https://bsky.app/profile/{did}/post/{}", c.rkey).into());
    let blank = Post { kind: PostKind::Repost, edit, url, ..Post::blank(NETWORK.into(), id.into(), did, time) };
    if c.collection == REPOSTS {
        let repost: Repost = serde_json::from_str(record).ok()?;
        let parent = Some(repost.subject.uri).filter(|uri| is_post_uri(uri.as_bytes()));
        return Some(Decoded::Post(Box::new(Post { parent, url: None, ..blank })));
    }
    let record: Record = serde_json::from_str(record).ok()?;
    Some(Decoded::Post(Box::new(fill(blank, record))))
}

fn fill<'a>(blank: Post<'a>, r: Record<'a>) -> Post<'a> {
    let embed = r.embed.0.unwrap_or(Embed { record: Loose(None), external: Loose(None), media: Loose(None) });
    let quoted = embed.record.0.and_then(|q| q.uri.text().or(q.record.0.map(|t| t.uri)));
    let quoted = quoted.filter(|uri| is_post_uri(uri.as_bytes()));
    let mut links: Vec<Cow<str>> = Vec::new();
    links.extend(embed.external.0.map(|t| t.uri));
    links.extend(embed.media.0.and_then(|m| m.external.0).map(|t| t.uri));
    let mut tags: Vec<Cow<str>> = r.tags.0.unwrap_or_default().into_iter().filter_map(Loose::text).collect();
    for facet in r.facets.0.unwrap_or_default().into_iter().filter_map(|f| f.0) {
        for feature in facet.features.0.unwrap_or_default().into_iter().filter_map(|f| f.0) {
            links.extend(feature.uri.text());
            tags.extend(feature.tag.text());
        }
    }
    links.dedup();
    links.truncate(limits::LINKS_PER_POST);
    tags.truncate(limits::LINKS_PER_POST);
    let named = |uri: Cow<'a, str>| Some(uri).filter(|uri| is_post_uri(uri.as_bytes()));
    let (kind, parent, root, quoted) = match (r.reply.0, quoted) {
        (Some(t), quoted) => (PostKind::Reply, named(t.parent.uri), named(t.root.uri), quoted),
        (None, Some(uri)) => (PostKind::Quote, Some(uri), None, None),
        (None, None) => (PostKind::Post, None, None, None),
    };
    let lang = r.langs.0.unwrap_or_default().into_iter().find_map(|l| l.text().and_then(language));
    let to = parent.iter().chain(&quoted).filter_map(|uri| account_of(uri)).map(|did| did.to_string().into()).collect();
    Post { text: r.text, lang, kind, parent, root, quoted, to, links, tags, ..blank }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(record: &str) -> String {
        format!(
            r#"{{"did":"did:plc:a","time_us":1783175888085434,"kind":"commit","commit":{{"rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"k","record":{record},"cid":"c"}}}}"#
        )
    }

    fn post(text: &str) -> Post<'_> {
        match decode(text) {
            Some(Decoded::Post(p)) => *p,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_replies_quotes_links_and_tags() {
        let reply = frame(
            r#"{"text":"hi","langs":["pt-BR"],"reply":{"parent":{"cid":"c","uri":"at://b/app.bsky.feed.post/1"},"root":{"cid":"c","uri":"at://b/app.bsky.feed.post/0"}}}"#,
        );
        let p = post(&reply);
        assert_eq!(
            (p.kind, p.parent.as_deref(), p.root.as_deref()),
            (PostKind::Reply, Some("at://b/app.bsky.feed.post/1"), Some("at://b/app.bsky.feed.post/0"))
        );
        assert_eq!((p.lang.as_deref(), &*p.id), (Some("pt"), "at://did:plc:a/app.bsky.feed.post/k"));
        assert_eq!(p.to, ["b"], "whose post it answers");
        let quote = frame(
            r#"{"text":"look","embed":{"$type":"app.bsky.embed.record","record":{"cid":"c","uri":"at://b/app.bsky.feed.post/1"}}}"#,
        );
        assert_eq!(
            (post(&quote).kind, post(&quote).parent.as_deref()),
            (PostKind::Quote, Some("at://b/app.bsky.feed.post/1"))
        );
        let media = frame(
            r#"{"text":"look","embed":{"$type":"app.bsky.embed.recordWithMedia","record":{"record":{"cid":"c","uri":"at://b/app.bsky.feed.post/1"}},"media":{"external":{"uri":"https://x.example/a"}}}}"#,
        );
        assert_eq!((post(&media).kind, post(&media).links.len()), (PostKind::Quote, 1));
        let list = frame(r#"{"text":"look","embed":{"record":{"uri":"at://b/app.bsky.feed.generator/1"}}}"#);
        assert_eq!(post(&list).kind, PostKind::Post);
        let facets = frame(
            r##"{"text":"x #fail","facets":[{"features":[{"uri":"https://y.example/b"}]},{"features":[{"tag":"fail"}]},7],"tags":["t"]}"##,
        );
        assert_eq!((post(&facets).links.len(), post(&facets).tags.len()), (1, 2));
    }

    #[test]
    fn odd_fields_are_unknown_and_needed_ones_are_needed() {
        assert_eq!(post(&frame(r#"{"text":"x","langs":5,"reply":"no","embed":[],"facets":{}}"#)).kind, PostKind::Post);
        assert_eq!(decode(&frame(r#"{"text":5}"#)), None);
        assert_eq!(decode(&frame(r#"{}"#)), None);
        assert_eq!(decode(&frame("null")), None);
        assert_eq!(decode(r#"{"did":"d","time_us":1,"kind":"commit"}"#), None);
        assert_eq!(decode(r#"{"did":"d","time_us":-1,"kind":"identity"}"#), None);
        assert!(matches!(decode(r#"{"did":"d","time_us":1,"kind":"news"}"#), Some(Decoded::Other { .. })));
        assert!(matches!(
            decode(r#"{"did":"d","time_us":1,"kind":"account","account":{"active":false}}"#),
            Some(Decoded::Profile { gone: true, .. })
        ));
        assert!(matches!(decode(&frame("{}").replace("feed.post", "feed.like")), Some(Decoded::Other { .. })));
        assert!(matches!(decode(&frame("{}").replace("create", "delete")), Some(Decoded::Delete { .. })));
    }
}
