//! Webhooks against servers that take, refuse, fail, hang, redirect, talk too much and lie.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use groundswell::base::model::{IncidentId, Message, SourceNotice};
use groundswell::base::secret::Secret;
use groundswell::base::time::{Span, Time};
use groundswell::notify::{Deliverer, Inbox, Left, Letter, Pace, Report, Webhook, WebhookConfig, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What the server does with a request.
#[derive(Clone)]
enum Act {
    Answer(u16),
    Later(u16, &'static str),
    Say(u16, String),
    Redirect(String),
    Endless(u16),
    Hang,
    /// Answers 503 once it is let go.
    Hold(Arc<Notify>),
}

struct Got {
    at: Instant,
    path: String,
    headers: HeaderMap,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

/// A server that does what it is told, then answers 200.
#[derive(Clone, Default)]
struct Server {
    acts: Arc<Mutex<VecDeque<Act>>>,
    got: Arc<Mutex<Vec<Got>>>,
}

async fn act(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let next = server.acts.lock().unwrap().pop_front().unwrap_or(Act::Answer(200));
    server.got.lock().unwrap().push(Got {
        at: Instant::now(),
        path: parts.uri.path().to_string(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let answer = |status: u16| Response::builder().status(status);
    match next {
        Act::Answer(status) => answer(status).body(Body::empty()),
        Act::Later(status, after) => answer(status).header("Retry-After", after).body(Body::empty()),
        Act::Say(status, text) => answer(status).body(Body::from(text)),
        Act::Redirect(to) => answer(307).header("Location", to).body(Body::empty()),
        Act::Endless(status) => {
            let chunks =
                futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'y'; 1000])));
            answer(status).body(Body::from_stream(chunks))
        }
        Act::Hang => std::future::pending().await,
        Act::Hold(until) => {
            until.notified().await;
            answer(503).body(Body::empty())
        }
    }
    .unwrap()
}

impl Server {
    async fn start(acts: impl IntoIterator<Item = Act>) -> (Server, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Server::serve(listener, acts), address)
    }

    fn serve(listener: TcpListener, acts: impl IntoIterator<Item = Act>) -> Server {
        let server = Server { acts: Arc::new(Mutex::new(acts.into_iter().collect())), ..Server::default() };
        let routes = Router::new().fallback(act).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        server
    }

    fn keys(&self) -> Vec<String> {
        self.got.lock().unwrap().iter().map(|g| g.header("idempotency-key").to_string()).collect()
    }
}

/// Notes everything that is reported; its Clock goes on by a second a look.
#[derive(Default)]
struct Notes {
    lines: Mutex<Vec<String>>,
    clock: AtomicI64,
}

impl Report for Notes {
    fn superseded(&self, _: &str, letter: &Letter) {
        panic!("nothing here says all there is: {letter:?}");
    }

    fn handle(&self, _: &str, _: IncidentId, _: &str) {}

    fn delivered(&self, receiver: &str, _: &Letter, _: u32, _: Duration) {
        self.lines.lock().unwrap().push(format!("{receiver} delivered"));
    }
    fn failed(&self, receiver: &str, why: &str) {
        self.lines.lock().unwrap().push(format!("{receiver} failed: {why}"));
    }
    fn refused(&self, receiver: &str, _: &Letter, why: &str) {
        self.lines.lock().unwrap().push(format!("{receiver} refused: {why}"));
    }
    fn dropped(&self, receiver: &str, _: &Letter) {
        self.lines.lock().unwrap().push(format!("{receiver} dropped"));
    }
    fn expired(&self, receiver: &str, _: &Letter) {
        self.lines.lock().unwrap().push(format!("{receiver} expired"));
    }
    fn now(&self) -> Time {
        Time::from_millis(1_783_000_000_000 + 1000 * self.clock.fetch_add(1, Ordering::Relaxed))
    }
    fn jitter(&self) -> f64 {
        1.0
    }
}

struct Running {
    inbox: Arc<Inbox>,
    notes: Arc<Notes>,
    cancel: CancellationToken,
    run: JoinHandle<usize>,
}

const FAST: Pace =
    Pace { timeout: Span::seconds(20), first: Span::millis(1), most: Span::millis(20), kept: Span::seconds(60) };

fn config(address: SocketAddr) -> WebhookConfig {
    let url = format!("http://{address}/hook");
    WebhookConfig { name: "hook".into(), url, secret: None, headers: Vec::new(), ca: None }
}

fn start(config: &WebhookConfig, pace: Pace, inbox: Inbox, grace: Span) -> Running {
    let (inbox, notes, cancel) = (Arc::new(inbox), Arc::new(Notes::default()), CancellationToken::new());
    let deliverer = Deliverer::new(config.name.clone(), Webhook::carrier(config, pace).unwrap(), pace);
    let run = tokio::spawn(deliverer.run(inbox.clone(), notes.clone(), cancel.clone(), grace));
    Running { inbox, notes, cancel, run }
}

fn running(address: SocketAddr, pace: Pace) -> Running {
    start(&config(address), pace, Inbox::default(), Span::seconds(20))
}

fn message(k: usize) -> Message {
    let at = Time::from_millis(1_783_000_000_000);
    Message::Source(SourceNotice::new(at, format!("s{k}").into(), true, at, "gone".into(), vec!["R".into()]))
}

fn keys(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|k| message(k).key()).collect()
}

impl Running {
    fn push(&self, range: std::ops::Range<usize>) {
        for k in range {
            for left in self.inbox.push(Letter::new(&message(k)), Duration::ZERO) {
                let Left::Dropped(dropped) = left else { panic!("{left:?}") };
                self.notes.dropped("hook", &dropped);
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        self.notes.lines.lock().unwrap().clone()
    }

    /// Waits for so many lines that contain a word.
    async fn wait(&self, word: &str, count: usize) -> Vec<String> {
        wait(|| self.lines().iter().filter(|l| l.contains(word)).count() >= count).await;
        self.lines()
    }
}

async fn ended(run: JoinHandle<usize>) -> usize {
    tokio::time::timeout(Duration::from_secs(10), run).await.unwrap().unwrap()
}

async fn wait(until: impl Fn() -> bool) {
    for _ in 0..2000 {
        if until() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not within ten seconds");
}

/// HMAC-SHA256 by its definition.
pub fn hmac_by_hand(key: &[u8], data: &[u8]) -> String {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |with: u8| block.map(|b| b ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(data).finalize();
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test]
async fn a_message_is_signed_and_keeps_its_key_when_tried_again() {
    let (server, address) = Server::start([Act::Answer(503)]).await;
    let config = WebhookConfig {
        secret: Some(Secret::new("s3cr3t")),
        headers: vec![("X-Team".into(), Secret::new("press")), ("Authorization".into(), Secret::new("Bearer t0k3n"))],
        ..config(address)
    };
    let r = start(&config, FAST, Inbox::default(), Span::ZERO);
    r.push(0..1);
    let lines = r.wait("delivered", 1).await;
    assert_eq!(lines, ["hook failed: expected status 200, found 503", "hook delivered"]);
    let got = server.got.lock().unwrap();
    assert_eq!(got.len(), 2);
    for g in got.iter() {
        assert_eq!((g.path.as_str(), g.body.as_str()), ("/hook", json(&message(0)).as_str()));
        assert_eq!(g.header("idempotency-key"), message(0).key());
        assert_eq!(g.header("content-type"), "application/json");
        assert_eq!(g.header("user-agent"), format!("groundswell/{}", env!("CARGO_PKG_VERSION")));
        assert_eq!((g.header("x-team"), g.header("authorization")), ("press", "Bearer t0k3n"));
        let signed = format!("{}.{}", g.header("x-groundswell-timestamp"), g.body);
        let expected = format!("v1={}", hmac_by_hand(b"s3cr3t", signed.as_bytes()));
        assert_eq!(g.header("x-groundswell-signature"), expected);
    }
    // the time is that of the try, so that a receiver can refuse what is replayed
    let times: Vec<&str> = got.iter().map(|g| g.header("x-groundswell-timestamp")).collect();
    assert_eq!(times, ["1783000000", "1783000001"]);
}

#[tokio::test]
async fn nothing_is_signed_without_a_secret() {
    let (server, address) = Server::start([]).await;
    let r = running(address, FAST);
    r.push(0..1);
    r.wait("delivered", 1).await;
    assert!(!server.got.lock().unwrap()[0].headers.contains_key("x-groundswell-signature"));
}

#[tokio::test]
async fn order_is_kept_over_failures() {
    // a minute is asked for; the most we wait is shorter
    let acts = [Act::Answer(500), Act::Answer(502), Act::Answer(200), Act::Later(429, "60"), Act::Answer(408)];
    let (server, address) = Server::start(acts).await;
    let r = running(address, FAST);
    r.push(0..4);
    let lines = r.wait("delivered", 4).await;
    assert_eq!(lines.iter().filter(|l| l.contains("failed")).count(), 4, "{lines:?}");
    let expected: Vec<String> = [0, 0, 0, 1, 1, 1, 2, 3].map(|k| message(k).key()).to_vec();
    assert_eq!(server.keys(), expected);
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_is_given_it() {
    let (server, address) = Server::start([Act::Later(503, "1")]).await;
    let r = running(address, Pace { most: Span::seconds(30), ..FAST });
    r.push(0..1);
    r.wait("delivered", 1).await;
    let got = server.got.lock().unwrap();
    assert!(got[1].at - got[0].at >= Duration::from_secs(1), "{:?}", got[1].at - got[0].at);
}

#[tokio::test]
async fn what_is_refused_is_not_tried_again_and_shows_no_secrets() {
    let (server, address) = Server::start([]).await;
    let config = WebhookConfig {
        url: format!("http://user:pa55word@{address}/T00/XYZW?token=q7q7q7"),
        secret: Some(Secret::new("s3cr3t")),
        headers: vec![("Authorization".into(), Secret::new("Bearer t0k3n"))],
        ..config(address)
    };
    let r = start(&config, FAST, Inbox::default(), Span::ZERO);
    let echo = format!("\x1b[31m no\nBearer t0k3n, t0k3n s3cr3t /T00/XYZW?token=q7q7q7 pa55word {}", "z".repeat(3000));
    server.acts.lock().unwrap().extend([Act::Say(400, echo)]);
    r.push(0..2);
    let lines = r.wait("delivered", 1).await;
    assert_eq!((server.keys(), lines.len()), (keys(0..2), 2));
    for secret in ["t0k3n", "s3cr3t", "XYZW", "q7q7q7", "pa55word", "\x1b", "\n"] {
        assert!(!lines[0].contains(secret), "{secret} in {lines:?}");
    }
    assert!(
        lines[0].starts_with("hook refused: expected status 200, found 400: [31m no [secret], [secret]"),
        "{lines:?}"
    );
    assert!(lines[0].chars().count() < 300, "{lines:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (other, elsewhere) = Server::start([]).await;
    let (server, address) = Server::start([Act::Redirect(format!("http://{elsewhere}/stolen"))]).await;
    let r = running(address, FAST);
    r.push(0..2);
    let lines = r.wait("delivered", 1).await;
    assert_eq!(lines, ["hook refused: expected status 200, found 307", "hook delivered"]);
    assert_eq!((server.keys(), other.keys()), (keys(0..2), Vec::new()));
}

#[tokio::test]
async fn a_server_that_hangs_is_left_and_tried_again() {
    let (server, address) = Server::start([Act::Hang]).await;
    let r = running(address, Pace { timeout: Span::millis(300), ..FAST });
    r.push(0..2);
    let lines = r.wait("delivered", 2).await;
    assert_eq!(lines[0], "hook failed: expected an answer within 0.300s, found none");
    assert_eq!(server.keys().first(), server.keys().get(1));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let (_server, address) = Server::start([Act::Endless(400), Act::Endless(500), Act::Endless(200)]).await;
    // the try must end long before its timeout
    let r = running(address, Pace { timeout: Span::seconds(600), kept: Span::seconds(6000), ..FAST });
    r.push(0..2);
    let lines = r.wait("delivered", 1).await;
    let words: Vec<&str> = lines.iter().map(|l| l.split([' ', ':']).nth(1).unwrap()).collect();
    assert_eq!(words, ["refused", "failed", "delivered"]);
    assert!(lines.iter().all(|l| l.len() < 300), "{lines:?}");
}

#[tokio::test]
async fn a_full_queue_drops_the_oldest_and_is_counted() {
    let held = Arc::new(Notify::new());
    let (server, address) = Server::start([Act::Hold(held.clone())]).await;
    let r = start(&config(address), FAST, Inbox::new(3), Span::ZERO);
    r.push(0..1);
    wait(|| !server.keys().is_empty()).await;
    // the first is on its way and not in the queue
    r.push(1..6);
    held.notify_one();
    let lines = r.wait("delivered", 4).await;
    assert_eq!(lines.iter().filter(|l| l.contains("dropped")).count(), 2, "{lines:?}");
    let expected: Vec<String> = [0, 0, 3, 4, 5].map(|k| message(k).key()).to_vec();
    assert_eq!(server.keys(), expected);
}

#[tokio::test]
async fn what_is_too_old_is_given_up_and_counted() {
    let (server, address) = Server::start(vec![Act::Answer(500); 100_000]).await;
    let r = running(address, Pace { kept: Span::seconds(1), ..FAST });
    r.push(0..2);
    let lines = r.wait("expired", 2).await;
    assert!(lines.iter().all(|l| !l.contains("delivered")), "{lines:?}");
    server.acts.lock().unwrap().clear();
    r.push(2..3);
    r.wait("delivered", 1).await;
}

#[tokio::test]
async fn a_receiver_that_comes_late_gets_everything() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let r = running(address, FAST);
    r.push(0..3);
    let lines = r.wait("failed", 2).await;
    assert!(lines[0].contains("expected an answer, found ") && !lines[0].contains("hook/"), "{lines:?}");
    assert!(!lines[0].contains("http"), "{lines:?}");
    let server = Server::serve(TcpListener::bind(address).await.unwrap(), []);
    r.wait("delivered", 3).await;
    assert_eq!(server.keys(), keys(0..3));
}

#[tokio::test]
async fn at_the_end_what_waits_is_delivered() {
    let (server, address) = Server::start([Act::Answer(500), Act::Answer(503)]).await;
    let r = running(address, FAST);
    r.push(0..5);
    r.cancel.cancel();
    assert_eq!(ended(r.run).await, 0);
    assert_eq!(server.keys().last(), keys(4..5).first());
    assert_eq!(server.keys().len(), 7);
}

#[tokio::test]
async fn the_end_does_not_wait_for_a_receiver_that_is_away() {
    let (server, address) = Server::start([Act::Answer(500), Act::Hang]).await;
    let hour = Span::seconds(3600);
    let kept = Pace { first: hour, most: hour, kept: hour, ..FAST };
    let r = start(&config(address), kept, Inbox::default(), Span::seconds(600));
    r.push(0..3);
    r.wait("failed", 1).await;
    r.cancel.cancel();
    assert_eq!(ended(r.run).await, 3);
    // one that hangs is left when time is over
    let r = start(&config(address), kept, Inbox::default(), Span::millis(100));
    r.push(0..2);
    wait(|| server.keys().len() == 2).await;
    r.cancel.cancel();
    assert_eq!(ended(r.run).await, 2);
}

#[tokio::test]
async fn only_changes_are_logged_and_without_secrets() {
    let log = Arc::new(Mutex::new(Vec::<u8>::new()));
    let writer = tracing_subscriber::fmt().with_ansi(false).with_writer({
        let log = log.clone();
        move || Writer(log.clone())
    });
    let _guard = tracing::subscriber::set_default(writer.finish());
    let acts = [Act::Answer(500), Act::Answer(500), Act::Answer(200), Act::Answer(403), Act::Answer(403)];
    let (_server, address) = Server::start(acts).await;
    let url = format!("http://user:pa55word@{address}/T00/XYZW?token=q7q7q7");
    let r = start(&WebhookConfig { url, ..config(address) }, FAST, Inbox::default(), Span::ZERO);
    r.push(0..5);
    r.wait("delivered", 3).await;
    let log = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    let ours: Vec<&str> = log.lines().filter(|l| l.contains("receiver")).collect();
    let words = ["cannot be reached", "again", "refused", "again"];
    assert_eq!(ours.len(), words.len(), "{log}");
    for (line, (word, level)) in ours.iter().zip(words.iter().zip(["WARN", "INFO", "ERROR", "INFO"])) {
        assert!(line.contains(word) && line.contains(level) && line.contains(&format!("http://{address}")), "{line}");
    }
    for secret in ["pa55word", "XYZW", "q7q7q7"] {
        assert!(!log.contains(secret), "{log}");
    }
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_authority_of_our_own_is_trusted_only_where_named() {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, own.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let Ok(mut socket) = acceptor.accept(socket).await else { continue };
            let mut request = vec![0; 64 << 10];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
            let _ = socket.shutdown().await;
        }
    });
    let url = format!("https://localhost:{port}/hook");
    let stranger = WebhookConfig { url, ..config("127.0.0.1:1".parse().unwrap()) };
    let r = start(&stranger, FAST, Inbox::default(), Span::ZERO);
    r.push(0..1);
    let lines = r.wait("failed", 2).await;
    assert!(lines[0].contains("certificate") && !lines.iter().any(|l| l.contains("delivered")), "{lines:?}");
    r.run.abort();
    let r = start(&WebhookConfig { ca: Some(ca), ..stranger }, FAST, Inbox::default(), Span::ZERO);
    r.push(0..1);
    assert_eq!(r.wait("delivered", 1).await, ["hook delivered"]);
}
