//! HTTP: metrics and health. Knows nothing of the engine; asks through [`Answers`].

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::base::limits;

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
        axum::serve(Impatient(self.listener), routes)
            .with_graceful_shutdown(async move { cancel.cancelled().await })
            .await
    }
}

/// Accepts connections that are closed after a while of silence.
struct Impatient(TcpListener);

impl Listener for Impatient {
    type Io = Pin<Box<TimeoutStream<TcpStream>>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        // waits and tries again where the system has no more sockets
        let (stream, address) = Listener::accept(&mut self.0).await;
        let silence = Duration::from_micros(limits::HTTP_SILENCE.0.unsigned_abs());
        let mut stream = TimeoutStream::new(stream);
        stream.set_read_timeout(Some(silence));
        stream.set_write_timeout(Some(silence));
        (Box::pin(stream), address)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
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
