//! What tests of the live service share: a service on a free port, servers to listen to, waiting.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::{Config, JetstreamConfig, Protocol, SourceConfig, SourceKind};
use groundswell::app::service::{Parts, Service, messages};
use groundswell::base::model::{Message, Notice, SourceInfo, SourceNotice, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::Span;
use groundswell::collect::audience::Manners;
use groundswell::collect::connection::Patience;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// A post about something, as Jetstream sends it, written now.
pub fn frame(id: u32, text: &str) -> String {
    frame_at(id, text, SystemClock.now().0)
}

/// The same, written at a time in microseconds.
pub fn frame_at(id: u32, text: &str, time_us: i64) -> String {
    format!(
        r#"{{"did":"did:plc:a{id}","time_us":{time_us},"kind":"commit","commit":{{"rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"k{id}","record":{{"text":"{text}","langs":["en"]}},"cid":"c"}}}}"#
    )
}

/// Rules as written.
pub fn rules_of(text: &str) -> Arc<RuleSet> {
    Arc::new(RuleSet::load(&[SourceText { file: "r".into(), text: text.into() }]).unwrap().0)
}

/// Three mentions of united page; so does large hostile reach, as a warning.
pub fn rules() -> Arc<RuleSet> {
    rules_of(
        "brands: {u: {query: united}}\nrules:\n  - {alert: Three, when: 'mentions[1h] >= 3', severity: page}\n  - {alert: Reach, when: 'hostile_reach[1h] >= 50k', severity: warn}\n",
    )
}

/// A Jetstream source that listens to these servers, in plain text.
pub fn jetstream(hosts: &[SocketAddr], appview: Option<SocketAddr>) -> SourceConfig {
    let info = Arc::new(SourceInfo { name: "bluesky".into(), format: WireFormat::Jetstream });
    let kind = SourceKind::Jetstream(JetstreamConfig {
        hosts: hosts.iter().map(|h| format!("ws://{h}/subscribe")).collect(),
        protocol: Protocol::V1,
        compress: false,
        audience: appview.map(|a| format!("http://{a}")),
        ca: None,
    });
    SourceConfig { info, kind }
}

/// A config with these sources, served on a free port.
pub fn config(sources: Vec<SourceConfig>) -> Config {
    Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::new(sources) }
}

/// Little patience, so that tests need none.
pub const HASTE: Patience = Patience {
    connect: Span::millis(500),
    silence: Span::millis(300),
    pong: Span::millis(300),
    first: Span::millis(20),
    most: Span::millis(200),
    stable: Span::seconds(60),
    unheard: Span::seconds(60),
};

/// A running service and what it tells.
pub struct Live {
    /// The service.
    pub service: Service,
    /// What it told.
    pub messages: Receiver<Message>,
}

impl Live {
    /// A service with the usual patience.
    pub async fn start(sources: Vec<SourceConfig>) -> Live {
        Live::with(config(sources), rules(), Patience::default()).await
    }

    /// A service.
    pub async fn with(config: Config, rules: Arc<RuleSet>, patience: Patience) -> Live {
        let (to, told) = channel();
        let tick = Duration::from_millis(50);
        let lookups = Manners { pace: Span::ZERO, ..Manners::default() };
        let parts = Parts { tick, lookups, patience, ..Parts::new(config, rules, Arc::new(SystemClock)).unwrap() };
        let service = Service::start(
            parts,
            messages(move |message: Option<Message>| {
                // the test may have seen enough
                message.into_iter().for_each(|m| drop(to.send(m)));
                Ok(())
            }),
        );
        Live { service: service.await.unwrap(), messages: told }
    }

    async fn next<T>(&self, wanted: impl Fn(Message) -> Option<T>) -> T {
        for _ in 0..3000 {
            if let Some(found) = self.messages.try_recv().ok().and_then(&wanted) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nothing was told in time");
    }

    /// The next change of an episode.
    pub async fn notice(&self) -> Notice {
        self.next(|m| if let Message::Episode(n) = m { Some(n) } else { None }).await
    }

    /// The next news of a source.
    pub async fn source(&self) -> SourceNotice {
        self.next(|m| if let Message::Source(n) = m { Some(n) } else { None }).await
    }

    /// What the service answers to GET.
    pub async fn get(&self, path: &str) -> (u16, String) {
        get(self.service.address, path).await
    }

    /// A metric, named as the metrics do, with its labels.
    pub async fn value(&self, name: &str) -> Option<f64> {
        let metrics = self.get("/metrics").await.1;
        metrics.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until a metric has a value.
    pub async fn until(&self, name: &str, wanted: impl Fn(f64) -> bool) {
        let mut last = None;
        for _ in 0..1000 {
            last = self.value(name).await;
            if last.is_some_and(&wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{name} is {last:?} in\n{}", self.get("/metrics").await.1);
    }

    /// Waits until so many frames of a source have had an outcome.
    pub async fn outcome(&self, source: &str, outcome: &str, wanted: u32) {
        let name = format!("groundswell_frames_total{{outcome=\"{outcome}\",source=\"{source}\"}}");
        self.until(&name, |n| n == f64::from(wanted)).await;
    }

    /// Waits until the service says, among the reasons why it is not ready, these words.
    pub async fn unready(&self, words: &str) {
        let mut said = String::new();
        for _ in 0..1000 {
            said = self.get("/readyz").await.1;
            if said.contains(words) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("{words} not in {said}");
    }

    /// Waits until the metrics hold a line.
    pub async fn metric(&self, line: &str) {
        let mut metrics = String::new();
        for _ in 0..1000 {
            metrics = self.get("/metrics").await.1;
            if metrics.lines().any(|l| l.starts_with(line)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{line} not in\n{metrics}");
    }
}

/// What a server answers to GET.
pub async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")).await
}

/// What a server answers to a request.
pub async fn ask(address: SocketAddr, request: &str) -> (u16, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_string())
}

/// Accepts one subscriber and notes what it asked for.
pub async fn accept(listener: &TcpListener, asked: &Arc<Mutex<Vec<String>>>) -> WebSocketStream<TcpStream> {
    let (socket, _) = listener.accept().await.unwrap();
    greet(socket, asked).await
}

/// Upgrades a connection and notes what was asked for.
#[expect(clippy::result_large_err, reason = "the signature is the library's")]
pub async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    asked: &Arc<Mutex<Vec<String>>>,
) -> WebSocketStream<S> {
    let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        asked.lock().unwrap().push(request.uri().to_string());
        Ok(response)
    };
    tokio_tungstenite::accept_hdr_async(socket, note).await.unwrap()
}

/// A server that is well: tells these frames to everybody who comes, and answers pings.
pub fn well(listener: TcpListener, asked: &Arc<Mutex<Vec<String>>>, frames: Vec<String>) {
    let asked = asked.clone();
    tokio::spawn(async move {
        loop {
            let mut ws = accept(&listener, &asked).await;
            for frame in &frames {
                // who leaves is waited for again
                let _ = ws.feed(tungstenite::Message::text(frame.clone())).await;
            }
            let _ = ws.flush().await;
            while let Some(Ok(_)) = ws.next().await {}
        }
    });
}
