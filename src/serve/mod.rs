//! HTTP: metrics and health. Knows nothing of the engine; asks through [`Answers`].

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the server is asked for.
pub trait Answers: Send + Sync + 'static {
    /// Metrics in Prometheus' text format.
    fn metrics(&self) -> String;
    /// Why the service is not ready; empty if it is.
    fn unready(&self) -> Vec<String>;
}

/// A server that listens but does not answer yet.
pub struct Server {
    listener: TcpListener,
    /// Where it listens; the port that was chosen if 0 was asked for.
    pub address: SocketAddr,
}

/// Listens at an address.
///
/// # Errors
/// Where the address cannot be listened at.
pub async fn bind(address: SocketAddr) -> std::io::Result<Server> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok(Server { listener, address })
}

impl Server {
    /// Answers until cancelled.
    ///
    /// # Errors
    /// Where the socket fails.
    pub async fn run<A: Answers>(self, answers: Arc<A>, cancel: CancellationToken) -> std::io::Result<()> {
        let routes = Router::new()
            .route("/metrics", get(metrics::<A>))
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(readyz::<A>))
            .with_state(answers);
        axum::serve(self.listener, routes).with_graceful_shutdown(async move { cancel.cancelled().await }).await
    }
}

async fn metrics<A: Answers>(State(answers): State<Arc<A>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], answers.metrics()).into_response()
}

async fn readyz<A: Answers>(State(answers): State<Arc<A>>) -> Response {
    let reasons = answers.unready();
    if reasons.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response()
}
