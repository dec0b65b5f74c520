//! One request to an AppView, and what its answer says. Everything in an answer is a stranger's.

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde_json::Value;

use super::Learned;
use super::asking::Said;
use crate::base::limits;
use crate::base::time::{Span, Time};

/// A client that goes where it is sent and nowhere else, and asks once.
pub(super) fn client(timeout: Span) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(timeout.as_std())
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(concat!("groundswell/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Asks for the profiles of some accounts.
pub(super) async fn ask(client: &reqwest::Client, base: &str, dids: &[String], clock: Time) -> Said {
    let actors: Vec<String> = dids.iter().map(|d| format!("actors={}", escaped(d))).collect();
    let url = format!("{base}/xrpc/app.bsky.actor.getProfiles?{}", actors.join("&"));
    let Ok(mut response) = client.get(url).send().await else { return Said::Failed(None) };
    let status = response.status().as_u16();
    let pause = pause(response.headers(), status == 429, clock);
    match status {
        200 => {}
        // what is asked for, or how much of it
        400 | 413 | 414 => return Said::Refused,
        429 => return Said::Limited(pause),
        _ => return Said::Failed(pause),
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limits::LOOKUP_BYTES => return Said::Refused,
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => return Said::Failed(pause),
        }
    }
    match profiles(&body) {
        Some(told) => Said::Told(told, pause),
        None => Said::Failed(pause),
    }
}

/// The profiles of an answer that can be used; `None` where it is no answer at all.
fn profiles(body: &[u8]) -> Option<Vec<Learned>> {
    #[derive(Deserialize)]
    struct Answer {
        profiles: Vec<Value>,
    }
    let answer: Answer = serde_json::from_slice(body).ok()?;
    Some(answer.profiles.iter().filter_map(profile).collect())
}

/// `None` where it does not say whose, or how many followers.
fn profile(of: &Value) -> Option<Learned> {
    let followers = of.get("followersCount")?.as_u64().filter(|f| *f <= limits::FOLLOWERS)?;
    let did = of.get("did")?.as_str()?.to_string();
    let usable = |h: &&str| !h.is_empty() && h.len() <= limits::NAME_BYTES && *h != "handle.invalid";
    let handle = of.get("handle").and_then(Value::as_str).filter(usable).map(Box::from);
    Some(Learned { did, followers, handle })
}

/// How long a server wants to be left alone: as it says, or until it allows more requests.
fn pause(headers: &HeaderMap, limited: bool, clock: Time) -> Option<Span> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    // by the server's own clock, where it says what that shows
    let now = text(DATE.as_str()).and_then(date).unwrap_or(clock);
    let after = text(RETRY_AFTER.as_str()).and_then(|v| seconds(v).or_else(|| Some(date(v)? - now)));
    let spent = limited || text("ratelimit-remaining") == Some("0");
    let reset = text("ratelimit-reset").filter(|_| spent).and_then(seconds);
    // counted from now, or from 1970
    let reset = reset.map(|s| if s > Span::seconds(1_000_000_000) { Time(s.0) - now } else { s });
    after.or(reset).map(|s| s.max(Span::ZERO))
}

/// Whole seconds.
fn seconds(value: &str) -> Option<Span> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| Span::seconds(value.parse().unwrap_or(i64::MAX)))
}

/// A date as HTTP writes it.
fn date(value: &str) -> Option<Time> {
    let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Time(parsed.as_microsecond()).plausible()
}

/// A DID as part of a URL's query.
fn escaped(did: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'-' | b'_');
    did.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_the_query() {
        assert_eq!(escaped("did:plc:abc"), "did:plc:abc");
        assert_eq!(escaped("did:x&actors=é #"), "did:x%26actors%3D%C3%A9%20%23");
    }

    #[test]
    fn profiles_that_cannot_be_used_cost_no_others() {
        let body = br#"{"profiles":[{"did":"a","followersCount":-1},{"did":"b","followersCount":1e30},7,null,
            {"did":"c","followersCount":2000000001},{"did":["d"],"followersCount":4},{"did":"e","followersCount":"5"},
            {"followersCount":6},{"did":"g"},{"did":"h","followersCount":0,"handle":"handle.invalid"},
            {"did":"i","followersCount":2000000000,"handle":"i.example","more":{"x":[1]}},
            {"did":"j","followersCount":9,"handle":{"a":1}}],"cursor":null}"#;
        let told = profiles(body).unwrap();
        let of = |did: &str, followers, handle: Option<&str>| Learned {
            did: did.to_string(),
            followers,
            handle: handle.map(Box::from),
        };
        assert_eq!(told, [of("h", 0, None), of("i", 2_000_000_000, Some("i.example")), of("j", 9, None)]);
        let deep = format!("{{\"profiles\":[{}{}]}}", "[".repeat(100_000), "]".repeat(100_000));
        for bad in
            [&b"<html>"[..], b"", b"[]", b"{}", b"{\"profiles\":{}}", b"{\"profiles\":[", b"\xff", deep.as_bytes()]
        {
            assert_eq!(profiles(bad), None);
        }
        assert_eq!(profiles(b"{\"profiles\":[]}"), Some(vec![]));
    }

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_date_or_by_the_limit() {
        let clock = Time::parse_rfc3339("1994-11-06T08:49:00Z").unwrap();
        let of = |lines: &[(&'static str, &str)], limited| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.insert(*name, value.parse().unwrap());
            }
            pause(&headers, limited, clock).map(|s| s.0 / 1_000_000)
        };
        assert_eq!((of(&[], true), of(&[("retry-after", " 120 ")], false)), (None, Some(120)));
        assert_eq!(of(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], true), Some(37));
        let skewed = [("date", "Sun, 06 Nov 1994 09:49:00 GMT"), ("retry-after", "Sun, 06 Nov 1994 09:49:37 GMT")];
        assert_eq!(of(&skewed, true), Some(37), "by its own clock");
        assert_eq!(of(&[("retry-after", "Sun, 06 Nov 1994 08:40:00 GMT")], true), Some(0), "over already");
        for bad in ["-5", "1.5", "soon", "", "Sun, 99 Nov 1994 08:49:37 GMT", "9".repeat(400).as_str()] {
            let told = of(&[("retry-after", bad)], true);
            assert!(told.is_none() || told == Some(i64::MAX / 1_000_000), "{bad}: {told:?}");
        }
        let reset = ("ratelimit-reset", "784111770");
        assert_eq!((of(&[reset], true), of(&[("ratelimit-reset", "30")], true)), (Some(784_111_770), Some(30)));
        let later = Time::parse_rfc3339("2026-11-06T08:49:00Z").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("ratelimit-reset", (later.0 / 1_000_000 + 42).to_string().parse().unwrap());
        headers.insert("ratelimit-remaining", "1".parse().unwrap());
        assert_eq!((pause(&headers, true, later), pause(&headers, false, later)), (Some(Span::seconds(42)), None));
        headers.insert("ratelimit-remaining", "0".parse().unwrap());
        assert_eq!(pause(&headers, false, later), Some(Span::seconds(42)), "this was the last for now");
    }
}
