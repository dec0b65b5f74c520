//! Where the demo's messages go: a local server that takes what receivers send, and somebody who takes care.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::app::status::Status;
use crate::base::model::{Severity, Verdict};
use crate::base::time::Span;
use crate::notify::{Order, Task};

/// Who takes care.
const WHO: &str = "Dana (of the demo)";
/// How long after a page she looks at it.
const LOOKS: Span = Span::seconds(240);
/// How long after it she says what it was.
const SAYS: Span = Span::seconds(4_800);
/// Real time between two looks whether it is time.
const STEP: Duration = Duration::from_millis(50);

/// Listens on a free loopback port: `/pager` is busy when it is called first, `/chat` and `/beat` take
/// everything.
///
/// # Errors
/// Where no port is free.
pub async fn office(cancel: CancellationToken) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let calls = Arc::new(AtomicUsize::new(0));
    let routes = Router::new()
        .route("/pager", post(pager))
        .route("/chat", post(|| async { "ok" }))
        .route("/beat", post(|| async { "ok" }).get(|| async { "ok" }))
        .with_state(calls);
    tokio::spawn(async move {
        let served = axum::serve(listener, routes).with_graceful_shutdown(async move { cancel.cancelled().await });
        let _ = served.await;
    });
    Ok(address)
}

async fn pager(State(calls): State<Arc<AtomicUsize>>) -> StatusCode {
    if calls.fetch_add(1, Ordering::AcqRel) == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
}

/// Somebody acknowledges the first page some minutes later, and closes it when the story is over.
pub async fn care(status: Arc<Status>, cancel: CancellationToken) {
    let (mut looked, mut said) = (false, false);
    while !said {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(STEP) => {}
        }
        let now = status.clock().now();
        let Some(shown) = status.shown() else { continue };
        let pages = shown.incidents.iter().filter(|i| i.severity == Severity::Page && i.ended.is_none());
        let Some((name, age)) = pages.map(|i| (i.id.full(), now - i.opened)).next() else { continue };
        let task = match () {
            () if !looked && age >= LOOKS => Task::Acknowledge(name, None),
            () if looked && age >= SAYS => {
                Task::Close(name, Verdict::Real, "the repair is paid, and she has thanked us".into())
            }
            () => continue,
        };
        (looked, said) = (true, looked);
        if let Err(why) = status.order(Order { by: WHO.into(), task }).await {
            tracing::debug!(%why, "the demo's order was not done");
        }
    }
}
