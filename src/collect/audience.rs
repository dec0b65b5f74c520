//! Audience look-ups at Bluesky's AppView: followers of accounts that made mentions. The engine
//! never waits for them; what is learned corrects it later.

use serde::Deserialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::base::backoff;
use crate::base::hash;
use crate::base::limits;
use crate::base::recent::Recent;
use crate::base::time::Span;

/// Where followers are asked for, without an account.
pub const PUBLIC: &str = "https://public.api.bsky.app";

/// Followers of one account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Learned {
    /// The account's DID.
    pub did: String,
    /// Its followers.
    pub followers: u64,
    /// Its handle.
    pub handle: Option<Box<str>>,
}

#[derive(Deserialize)]
struct Answer {
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    did: String,
    #[serde(rename = "followersCount")]
    followers: Option<u64>,
    handle: Option<Box<str>>,
}

/// What became of a request.
enum Asked {
    Learned(Vec<Learned>),
    /// Not to be asked again.
    Refused,
    /// To be asked again later.
    Later,
}

/// Answers look-ups until cancelled: one request at a time, up to 25 accounts each, at a polite
/// pace; each account is asked for once. Accounts the answer leaves out stay unknown.
pub async fn run(
    base: String,
    mut accounts: mpsc::Receiver<String>,
    learned: mpsc::Sender<Vec<Learned>>,
    pace: Span,
    cancel: CancellationToken,
) {
    let Ok(client) = client() else { return };
    let mut asked: Recent<()> = Recent::new(limits::ACCOUNTS);
    let mut failures = 0u32;
    loop {
        let mut batch = Vec::new();
        tokio::select! {
            () = cancel.cancelled() => return,
            n = accounts.recv_many(&mut batch, limits::LOOKUP_BATCH) => if n == 0 { return },
        }
        batch.retain(|did| {
            let key = hash::parts(&[did.as_bytes()]);
            let fresh = asked.get_mut(key).is_none();
            asked.insert(key, ());
            fresh && is_did(did)
        });
        // one account that the server refuses must not cost the others: halves are asked for apart
        let mut work = vec![batch];
        while let Some(batch) = work.last_mut() {
            if batch.is_empty() {
                work.pop();
                continue;
            }
            let answer = tokio::select! {
                () = cancel.cancelled() => return,
                answer = ask(&client, &base, batch) => answer,
            };
            let wait = match answer {
                Asked::Learned(found) => {
                    failures = 0;
                    batch.clear();
                    if !found.is_empty() && learned.send(found).await.is_err() {
                        return;
                    }
                    pace
                }
                Asked::Refused => {
                    let half = batch.split_off(batch.len() / 2);
                    if !batch.is_empty() {
                        work.push(half);
                    }
                    pace
                }
                Asked::Later => {
                    failures += 1;
                    tracing::debug!(failures, "audience look-up failed, trying again later");
                    backoff::wait(failures, limits::BACKOFF_FIRST, limits::BACKOFF_MOST, 1.0)
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(wait.as_std()) => {}
            }
        }
    }
}

fn client() -> reqwest::Result<reqwest::Client> {
    let timeout = limits::LOOKUP_TIMEOUT.as_std();
    reqwest::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("groundswell/", env!("CARGO_PKG_VERSION")))
        .build()
}

async fn ask(client: &reqwest::Client, base: &str, dids: &[String]) -> Asked {
    let actors: Vec<String> = dids.iter().map(|d| format!("actors={}", escaped(d))).collect();
    let url = format!("{base}/xrpc/app.bsky.actor.getProfiles?{}", actors.join("&"));
    let Ok(mut response) = client.get(url).send().await else { return Asked::Later };
    match response.status().as_u16() {
        200 => {}
        429 | 500.. => return Asked::Later,
        _ => return Asked::Refused,
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > limits::LOOKUP_BYTES {
            return Asked::Refused;
        }
        body.extend_from_slice(&chunk);
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(&body) else { return Asked::Refused };
    let known = answer.profiles.into_iter().filter_map(|p| {
        let followers = p.followers.filter(|f| *f <= limits::FOLLOWERS)?;
        let handle = p.handle.filter(|h| !h.is_empty() && h.len() <= limits::NAME_BYTES);
        Some(Learned { did: p.did, followers, handle })
    });
    Asked::Learned(known.take(limits::LOOKUP_BATCH).collect())
}

/// Whether it looks like a DID.
fn is_did(did: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'-' | b'_' | b'%');
    did.starts_with("did:") && did.len() <= limits::NAME_BYTES && did.bytes().all(plain)
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
}
