//! HTTP: metrics, health, and what the service is asked or told under `/v1`. Knows nothing of the
//! engine; asks through [`Answers`].

mod acting;
mod auth;
mod fields;
mod form;
mod guard;
mod page;
mod pagerduty;
mod push;
mod split;
mod want;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::base::model::Frame;
use crate::base::outcome::Outcome;

pub use want::{Hush, Link, Linked, NotDone, Unlinked, Want, What};

/// What somebody who asks may do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rights {
    /// May ask for the service's state.
    pub read: bool,
    /// May act on incidents, silences and messages.
    pub act: bool,
    /// May tell it to do anything.
    pub admin: bool,
    /// Whose token it is.
    pub name: Option<String>,
    /// The source it may push posts to.
    pub push: Option<Arc<str>>,
}

/// Why pushed posts were not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The service is stopping.
    Stopping,
    /// There is no such source any more.
    Gone,
    /// They were taken, and cannot be recorded: why.
    Unrecorded(String),
}

/// What came of an event: what was done or why not, if anything was to be; or why it is not believed.
pub type Paged = Result<Option<Result<String, NotDone>>, &'static str>;

/// What the server is asked for.
pub trait Answers: Send + Sync + 'static {
    /// Metrics in Prometheus' text format.
    fn metrics(&self) -> Arc<str>;
    /// Why the service is not ready; empty if it is.
    fn unready(&self) -> Vec<String>;
    /// What the bearer of a token may do; without a token, what everybody on this machine may.
    fn rights(&self, token: Option<&str>) -> Rights;
    /// What the service knows of itself.
    fn status(&self) -> Json;
    /// Incidents that go on, the newest first; with `over` also those that are over.
    ///
    /// # Errors
    /// While the service starts or stops.
    fn incidents(&self, over: bool) -> Result<Json, NotDone>;
    /// The incident people mean by a name.
    ///
    /// # Errors
    /// Where there is none, or the service starts.
    fn incident(&self, name: &str) -> Result<Json, NotDone>;
    /// Silences that hold.
    ///
    /// # Errors
    /// While the service starts or stops.
    fn silences(&self) -> Result<Json, NotDone>;
    /// Messages that wait or were given up.
    fn letters(&self) -> impl Future<Output = Result<Json, NotDone>> + Send;
    /// Does what somebody asks for; says what was done once that is kept.
    fn act(&self, want: Want) -> impl Future<Output = Result<String, NotDone>> + Send;
    /// What the page behind a link of a message shows.
    ///
    /// # Errors
    /// Why it shows nothing.
    fn linked(&self, link: &Link) -> Result<Linked, Unlinked>;
    /// Where people reach the service, if it knows: scheme, host and port.
    fn origin(&self) -> Option<String>;
    /// What came from PagerDuty for a receiver of that kind, with the signature of the body: what was done, if
    /// anything was to be.
    ///
    /// # Errors
    /// Why it is not believed.
    fn pagerduty(&self, receiver: &str, signature: &str, body: &[u8]) -> impl Future<Output = Paged> + Send;
    /// Reads the files again; what has changed, or every mistake.
    fn reload(&self) -> impl Future<Output = Result<String, Vec<String>>> + Send;
    /// Hands pushed posts to the engine; how each of them ended, once it has taken them.
    fn push(
        &self,
        source: &Arc<str>,
        frames: Vec<Frame>,
    ) -> impl Future<Output = Result<Vec<Option<Outcome>>, Refusal>> + Send;
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
            .route("/v1/status", get(status::<A>))
            .route("/v1/reload", post(reload::<A>))
            .route("/v1/posts", post(push::posts::<A>))
            .route("/v1/pagerduty/{receiver}", post(pagerduty::event::<A>))
            .route("/i/{id}", get(page::look::<A>).post(page::act::<A>))
            .merge(acting::routes())
            .fallback(|| async { failure(StatusCode::NOT_FOUND, "expected a path this service has, found another") })
            .with_state(answers);
        axum::serve(guard::Impatient::new(self.listener), routes)
            .with_graceful_shutdown(async move { cancel.cancelled().await })
            .await
    }
}

async fn metrics<A: Answers>(State(answers): State<Arc<A>>) -> Response {
    // of many brands there is much to write: not on the thread that everything else waits for
    match tokio::task::spawn_blocking(move || answers.metrics()).await {
        Ok(text) => {
            let body = Bytes::from_owner(Text(text));
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], body).into_response()
        }
        Err(_) => {
            failure(StatusCode::INTERNAL_SERVER_ERROR, "expected to write down the metrics, found that this failed")
        }
    }
}

/// A text that is shared, as bytes.
struct Text(Arc<str>);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

async fn readyz<A: Answers>(State(answers): State<Arc<A>>) -> Response {
    let reasons = answers.unready();
    if reasons.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response()
}

async fn status<A: Answers>(State(answers): State<Arc<A>>, request: Request) -> Response {
    match auth::check(&*answers, request.headers(), |r| r.read) {
        Ok(_) => json_answer(StatusCode::OK, &answers.status()),
        Err(refused) => *refused,
    }
}

async fn reload<A: Answers>(State(answers): State<Arc<A>>, request: Request) -> Response {
    if let Err(refused) = auth::check(&*answers, request.headers(), |r| r.admin) {
        return *refused;
    }
    match answers.reload().await {
        Ok(what) => json_answer(StatusCode::OK, &json!({ "reloaded": what })),
        Err(mistakes) => {
            let what = json!({ "error": "the files have mistakes; what was in force stays", "mistakes": mistakes });
            json_answer(StatusCode::UNPROCESSABLE_ENTITY, &what)
        }
    }
}

fn json_answer(status: StatusCode, body: &Json) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response()
}

fn failure(status: StatusCode, what: &str) -> Response {
    json_answer(status, &json!({ "error": what }))
}
