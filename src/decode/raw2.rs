//! The head of a frame of Jetstream's protocol v2, without parsing it.
//!
//! Members of the payload are read in any order. Usually the record comes last and is not walked
//! through; where something that is needed may stand behind it, it is stepped over.

use super::jetstream2::{COMMIT, MESSAGE, event_time};
use super::raw::{Cursor, Head, HeadKind, kind_of};
use crate::base::limits;

/// Members of the payload that are read, in this order.
const WANTED: [&[u8]; 6] = [b"$type", b"did", b"time", b"witnessedAt", b"operation", b"collection"];

/// The head of a frame, if it has the usual layout and ends like a whole object.
pub(super) fn head(frame: &[u8]) -> Option<Head<'_>> {
    let mut c = Cursor(frame);
    c.mark(b'{')?;
    c.key(b"$type")?;
    (c.string()? == MESSAGE.as_bytes()).then_some(())?;
    c.mark(b',')?;
    c.key(b"payload")?;
    c.mark(b'{')?;
    let found = payload(&mut c)?;
    if frame.last() != Some(&b'}') {
        return None;
    }
    let [kind, Some(did), time, witnessed, operation, collection] = found else { return None };
    if did.is_empty() || did.len() > limits::NAME_BYTES {
        return None;
    }
    let [witnessed, time] = [witnessed, time].map(|v| v.and_then(|v| std::str::from_utf8(v).ok()));
    let time = event_time(witnessed, time)?;
    let kind = match (kind?.ends_with(COMMIT.as_bytes()), operation, collection) {
        (true, Some(operation), Some(collection)) => kind_of(operation, collection),
        _ => HeadKind::Parse,
    };
    Some(Head { did, time, kind })
}

/// What is wanted of the payload, as far as it is there.
fn payload<'b>(c: &mut Cursor<'b>) -> Option<[Option<&'b [u8]>; 6]> {
    let mut found = [None; 6];
    loop {
        let key = c.string()?;
        c.mark(b':')?;
        if let Some(slot) = WANTED.iter().position(|w| *w == key).and_then(|at| found.get_mut(at)) {
            // what is told twice is for a parser to refuse
            if slot.replace(c.string()?).is_some() {
                return None;
            }
        } else if key == b"record" && found.iter().all(Option::is_some) {
            return Some(found);
        } else {
            skip(c)?;
        }
        match c.next_mark()? {
            b',' => {}
            b'}' => break,
            _ => return None,
        }
    }
    // nothing may follow but the end of the message
    (c.next_mark()? == b'}' && c.next_mark().is_none()).then_some(found)
}

/// Steps over one value.
fn skip(c: &mut Cursor<'_>) -> Option<()> {
    c.spaces();
    let mut depth = 0u32;
    loop {
        let (first, rest) = c.0.split_first()?;
        match first {
            b'"' => {
                c.0 = rest;
                text(c)?;
            }
            b'{' | b'[' => {
                c.0 = rest;
                depth += 1;
            }
            b'}' | b']' => {
                c.0 = rest;
                depth = depth.checked_sub(1)?;
            }
            // a number or a word, or what stands between members
            _ => {
                let ends = |b: &u8| matches!(b, b'"' | b'{' | b'}' | b'[' | b']') || (depth == 0 && *b == b',');
                c.0 = c.0.get(c.0.iter().position(ends)?..)?;
            }
        }
        if depth == 0 {
            return Some(());
        }
    }
}

/// Steps over the rest of a string.
fn text(c: &mut Cursor<'_>) -> Option<()> {
    loop {
        let at = memchr::memchr2(b'"', b'\\', c.0)?;
        let escaped = c.0.get(at) == Some(&b'\\');
        c.0 = c.0.get(at + 1 + usize::from(escaped)..)?;
        if !escaped {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::jetstream2;
    use super::*;

    const FRAME: &str = r#"{"$type":"message","payload":{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":7,"did":"did:plc:a","time":"2026-07-04T14:38:07.000000Z","witnessedAt":"2026-07-04T14:38:08.085434Z","rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"k","cid":"c","record":{"text":"} \"] \\","a":[{"b":"["}],"n":-1.5e3}}}"#;

    fn kind(frame: &str) -> Option<HeadKind> {
        head(frame.as_bytes()).map(|h| h.kind)
    }

    #[test]
    fn reads_what_servers_write() {
        let h = head(FRAME.as_bytes()).unwrap();
        assert_eq!((h.did, h.time.0, h.kind), (&b"did:plc:a"[..], 1_783_175_888_085_434, HeadKind::NewPost));
        assert_eq!(Some(h.time), jetstream2::decode(FRAME).and_then(|d| d.time()));
        let spaced = FRAME.replace("\":", "\" :\t").replace(",\"", " ,\n \"");
        assert_eq!(head(spaced.as_bytes()), Some(h));
        assert_eq!(kind(&FRAME.replace("feed.post", "feed.repost")), Some(HeadKind::NewRepost));
        assert_eq!(kind(&FRAME.replace("feed.post", "feed.like")), Some(HeadKind::OtherCollection));
        assert_eq!(kind(&FRAME.replace("create", "delete")), Some(HeadKind::Parse));
        assert_eq!(kind(&FRAME.replace("#commit", "#identity")), Some(HeadKind::Parse));
        assert_eq!(kind(&FRAME.replace("operation", "op")), Some(HeadKind::Parse));
    }

    #[test]
    fn needed_members_may_stand_behind_the_record() {
        let h = head(FRAME.as_bytes()).unwrap();
        let (start, record) = FRAME.split_once(",\"record\":").unwrap();
        let record = record.strip_suffix("}}").unwrap();
        for member in [
            r#""did":"did:plc:a","#,
            r#""witnessedAt":"2026-07-04T14:38:08.085434Z","#,
            r#""operation":"create","#,
            r#""collection":"app.bsky.feed.post","#,
        ] {
            let last = member.trim_end_matches(',');
            let moved = format!("{},\"record\":{record},{last}}}}}", start.replace(member, ""));
            assert_eq!(head(moved.as_bytes()), Some(h), "{moved}");
        }
        let unseen = FRAME.replace(r#""witnessedAt":"2026-07-04T14:38:08.085434Z","#, "");
        assert_eq!(head(unseen.as_bytes()).map(|h| h.time.0), Some(1_783_175_887_000_000));
    }

    #[test]
    fn leaves_the_rest_to_a_parser() {
        for (from, to) in [
            ("\"message\"", "\"error\""),
            ("\"$type\":\"message\"", "\"x\":1,\"$type\":\"message\""),
            ("\"did\"", "\"d\\u0069d\""),
            ("\"did:plc:a\"", "\"\""),
            ("\"did:plc:a\"", "\"did:plc:\\u0061\""),
            ("\"rev\"", "\"did\""),
            ("\"2026-07-04T14:38:08.085434Z\"", "null"),
            ("\"create\"", "5"),
            ("}}}", "}} "),
        ] {
            let with = FRAME.replacen(from, to, 1);
            assert!(with != FRAME, "{from}");
            assert_eq!(head(with.as_bytes()), None, "{from} -> {to}");
        }
        for cut in 0..FRAME.len() - 2 {
            let part = &FRAME[..cut];
            let seen = head(part.as_bytes());
            assert!(seen.is_none() || part.ends_with('}'), "{part}");
        }
        let deep = FRAME.replace("\"seq\":7", &format!("\"seq\":{}", "[{".repeat(500_000)));
        assert_eq!(head(deep.as_bytes()), None);
    }
}
