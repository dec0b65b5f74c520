//! Bluesky Jetstream, protocol v2: the same commits and events as v1 in other envelopes.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::is_name;
use super::jetstream::{Account, Commit, commit};
use super::loose::{Loose, Text};
use super::raw::NETWORK;
use crate::base::model::Decoded;
use crate::base::time::Time;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, rename = "$type")]
    class: Text<'a>,
    #[serde(borrow, default)]
    payload: Option<Payload<'a>>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, rename = "$type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    did: Option<Text<'a>>,
    /// When the server says it happened, which an import can change.
    #[serde(borrow, default)]
    time: Loose<Text<'a>>,
    /// When the server saw it; older servers do not tell.
    #[serde(borrow, default, rename = "witnessedAt")]
    witnessed: Loose<Text<'a>>,
    #[serde(borrow, default)]
    operation: Option<Text<'a>>,
    #[serde(borrow, default)]
    collection: Option<Text<'a>>,
    #[serde(borrow, default)]
    rkey: Option<Text<'a>>,
    #[serde(borrow, default)]
    record: Option<&'a RawValue>,
    #[serde(default)]
    account: Option<Account>,
}

/// The class of frames that hold an event.
pub(super) const MESSAGE: &str = "message";
/// What the type of a commit ends with.
pub(super) const COMMIT: &str = "#commit";

/// Event time: when the server saw it, else when it says it happened.
pub(super) fn event_time(witnessed: Option<&str>, time: Option<&str>) -> Option<Time> {
    witnessed.and_then(Time::parse_rfc3339).or_else(|| time.and_then(Time::parse_rfc3339))
}

pub(super) fn decode(text: &str) -> Option<Decoded<'_>> {
    let message: Message = serde_json::from_str(text).ok()?;
    if message.class.0 != MESSAGE {
        // the server says goodbye, or something that is not known yet
        return Some(Decoded::Other { time: None });
    }
    let p = message.payload?;
    let time = event_time(p.witnessed.as_str(), p.time.as_str());
    let kind = p.kind.0.rfind('#').and_then(|at| p.kind.0.get(at..)).unwrap_or("");
    if !matches!(kind, COMMIT | "#identity" | "#account") {
        return Some(Decoded::Other { time });
    }
    let (did, time) = (p.did?.0, time?);
    if !is_name(&did) {
        return None;
    }
    if kind == COMMIT {
        let (operation, collection, rkey) = (p.operation?.0, p.collection?.0, p.rkey?.0);
        return commit(did, time, Commit { operation, collection, rkey, record: p.record });
    }
    let gone = if kind == "#account" { p.account?.gone() } else { false };
    Some(Decoded::Profile { source: NETWORK.into(), author: did, gone, time })
}

#[cfg(test)]
mod tests {
    use super::super::jetstream;
    use super::*;

    const RECORD: &str = r#"{"text":"hi","langs":["pt-BR"],"reply":{"parent":{"cid":"c","uri":"at://b/app.bsky.feed.post/1"},"root":{"cid":"c","uri":"at://b/app.bsky.feed.post/0"}}}"#;

    fn frame(rest: &str) -> String {
        format!(
            r#"{{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":7,"did":"did:plc:a","time":"2020-01-01T00:00:00.000000Z","witnessedAt":"2026-07-04T14:38:08.085434Z","rev":"r",{rest}}}}}"#
        )
    }

    fn commit(operation: &str, collection: &str) -> String {
        frame(&format!(
            r#""operation":"{operation}","collection":"app.bsky.feed.{collection}","rkey":"k","cid":"c","record":{RECORD}"#
        ))
    }

    #[test]
    fn a_post_is_the_same_as_over_v1() {
        for (operation, collection) in
            [("create", "post"), ("update", "post"), ("delete", "post"), ("create", "like"), ("destroy", "post")]
        {
            let v1 = format!(
                r#"{{"did":"did:plc:a","time_us":1783175888085434,"kind":"commit","commit":{{"rev":"r","operation":"{operation}","collection":"app.bsky.feed.{collection}","rkey":"k","record":{RECORD},"cid":"c"}}}}"#
            );
            let seen = jetstream::decode(&v1);
            assert!(seen.is_some());
            assert_eq!(decode(&commit(operation, collection)), seen, "{operation} {collection}");
        }
        let subject = r#"{"subject":{"cid":"c","uri":"at://b/app.bsky.feed.post/1"}}"#;
        let repost = commit("create", "repost").replace(RECORD, subject);
        assert!(
            matches!(decode(&repost), Some(Decoded::Post(p)) if p.parent.as_deref() == Some("at://b/app.bsky.feed.post/1") && p.url.is_none())
        );
    }

    #[test]
    fn the_time_is_when_the_server_saw_it() {
        let full = commit("create", "post");
        let at = |s: &str| decode(s).and_then(|d| d.time()).map(|t| t.to_string());
        assert_eq!(at(&full).as_deref(), Some("2026-07-04T14:38:08.085Z"));
        for odd in ["null", "5", "\"soon\"", "\"1969-01-01T00:00:00Z\""] {
            let without = full.replace("\"2026-07-04T14:38:08.085434Z\"", odd);
            assert_eq!(at(&without).as_deref(), Some("2020-01-01T00:00:00.000Z"), "{odd}");
        }
        let neither = full.replace("\"time\"", "\"tame\"").replace("witnessedAt", "seen");
        assert_eq!(decode(&neither), None);
    }

    #[test]
    fn events_about_accounts_and_notes_of_the_server() {
        let event = |kind: &str, nested: &str| {
            format!(
                r#"{{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#{kind}","seq":7,"did":"did:plc:a","time":"2026-07-04T14:38:08.085434Z",{nested}}}}}"#
            )
        };
        let gone = |nested: &str| match decode(&event("account", nested)) {
            Some(Decoded::Profile { gone, author, source, .. }) => {
                Some((gone, author == "did:plc:a", source == NETWORK))
            }
            _ => None,
        };
        let upstream = r#""account":{"did":"did:plc:a","seq":1,"time":"2026-07-04T14:38:07Z","active":"#;
        assert_eq!(gone(&format!("{upstream}false,\"status\":\"deleted\"}}")), Some((true, true, true)));
        assert_eq!(gone(&format!("{upstream}true}}")), Some((false, true, true)));
        assert_eq!(gone("\"x\":1"), None);
        let identity = event("identity", r#""identity":{"did":"did:plc:a","handle":"a.example"}"#);
        assert!(matches!(decode(&identity), Some(Decoded::Profile { gone: false, .. })));
        assert_eq!(decode(&identity.replace("did:plc:a", "")), None);
        let sync = event("sync", r#""sync":{"blocks":"","rev":"r"}"#);
        assert!(matches!(decode(&sync), Some(Decoded::Other { time: Some(_) })));
        for note in [
            r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#info","name":"OutdatedCursor"}}"#,
            r#"{"$type":"error","error":"ConsumerTooSlow","message":"too slow"}"#,
            r#"{"$type":"news"}"#,
        ] {
            assert_eq!(decode(note), Some(Decoded::Other { time: None }), "{note}");
        }
        for junk in [r#"{"$type":"message"}"#, r#"{"$type":5}"#, "{}", "[]", r#"{"$type":"message","payload":7}"#] {
            assert_eq!(decode(junk), None, "{junk}");
        }
        for needed in ["did", "operation", "collection", "rkey", "record"] {
            let without = commit("create", "post").replace(&format!("\"{needed}\":"), "\"x\":");
            assert_eq!(decode(&without), None, "{needed}");
        }
    }
}
