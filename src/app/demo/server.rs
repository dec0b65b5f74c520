//! The local server that tells the demo's story: a Jetstream on one port, an AppView on another.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use futures_util::SinkExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use super::Script;
use crate::app::clock::{Clock, SetClock};
use crate::base::time::{Span, Time};

/// Real time between two looks at what is due.
const STEP: Duration = Duration::from_millis(5);

/// The local server.
pub struct Teller {
    /// Where the stream is.
    pub stream: SocketAddr,
    /// Where followers are asked for.
    pub appview: SocketAddr,
}

impl Teller {
    /// Listens on free loopback ports and tells the script to whoever subscribes, `speed` times faster than life,
    /// and chatter for ever once it is over. `engine_time`
    /// says how far the service has got, so that story time starts when it has heard the past.
    ///
    /// # Errors
    /// Where no port is free.
    pub async fn start(
        script: Arc<Script>,
        speed: f64,
        clock: Arc<SetClock>,
        engine_time: impl Fn() -> Time + Send + Sync + 'static,
        cancel: CancellationToken,
    ) -> io::Result<Teller> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let profiles = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let teller = Teller { stream: listener.local_addr()?, appview: profiles.local_addr()? };
        let routes = Router::new().route("/xrpc/app.bsky.actor.getProfiles", get(answer)).with_state(script.clone());
        let until = cancel.clone();
        tokio::spawn(async move {
            let served = axum::serve(profiles, routes).with_graceful_shutdown(async move { until.cancelled().await });
            let _ = served.await;
        });
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = cancel.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                if let Ok((socket, _)) = accepted {
                    tokio::select! {
                        () = cancel.cancelled() => return,
                        _ = tell(socket, &script, speed, &clock, &engine_time) => {}
                    }
                }
            }
        });
        Ok(teller)
    }
}

/// Tells the whole story over one connection: the past at full speed, then paced.
async fn tell(
    socket: TcpStream,
    script: &Script,
    speed: f64,
    clock: &SetClock,
    engine_time: &impl Fn() -> Time,
) -> io::Result<()> {
    let mut ws = tokio_tungstenite::accept_async(socket).await.map_err(io::Error::other)?;
    let mut frames = script.frames.iter().peekable();
    let mut last = Time(0);
    while let Some((time, frame)) = frames.next_if(|(time, _)| *time < script.live) {
        ws.feed(Message::text(frame.clone())).await.map_err(io::Error::other)?;
        last = *time;
    }
    ws.flush().await.map_err(io::Error::other)?;
    while engine_time() < last - Span::seconds(60) {
        tokio::time::sleep(STEP).await;
    }
    let mut frames = frames.cloned().chain((0..).flat_map(Script::hour_after)).peekable();
    let start = tokio::time::Instant::now();
    loop {
        let now = script.live + Span((start.elapsed().as_secs_f64() * speed * 1e6) as i64);
        clock.set(now);
        let now = clock.now();
        let mut sent = false;
        while let Some((_, frame)) = frames.next_if(|(time, _)| *time <= now) {
            ws.feed(Message::text(frame)).await.map_err(io::Error::other)?;
            sent = true;
        }
        if sent {
            ws.flush().await.map_err(io::Error::other)?;
        }
        tokio::time::sleep(STEP).await;
    }
}

/// `getProfiles`: followers of the accounts that `actors` names.
async fn answer(State(script): State<Arc<Script>>, RawQuery(query): RawQuery) -> String {
    let query = query.unwrap_or_default();
    let dids = query.split('&').filter_map(|pair| pair.strip_prefix("actors="));
    let known = dids.filter_map(|did| {
        script.followers_of(did).map(|f| serde_json::json!({"did": did, "handle": handle(did), "followersCount": f}))
    });
    serde_json::json!({"profiles": known.collect::<Vec<_>>()}).to_string()
}

/// The handle of a demo account.
fn handle(did: &str) -> String {
    format!("{}.example", did.trim_start_matches("did:plc:"))
}
