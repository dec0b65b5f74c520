//! Bluesky Jetstream, protocol v1, over a WebSocket: subscribe, read, resume by cursor.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

use super::connection::{Action, Connection, Event};
use crate::base::limits;
use crate::base::model::{Frame, FrameBatch, SourceInfo, SourceState};
use crate::base::time::{Span, Time};

/// What a stream tells.
#[derive(Debug)]
pub enum Heard {
    /// Frames, in order.
    Frames(FrameBatch),
    /// It is connected now, or no longer; with the reason.
    State(SourceState, String),
    /// A connection attempt failed; with the reason.
    Failed(String),
}

/// Where what is heard goes. An answer of `false` ends the stream.
pub trait Sink: Send {
    /// Takes what was heard; waits while the engine is busy.
    fn take(&mut self, heard: Heard) -> impl Future<Output = bool> + Send;
    /// The Clock, for receive times.
    fn now(&self) -> Time;
    /// A number in 0..1, for spreading waits.
    fn jitter(&mut self) -> f64;
}

/// What stands for a frame that was no UTF-8, of which the bytes are not given out.
const NO_TEXT: &[u8] = b"\xff";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A subscription.
#[derive(Clone, Debug)]
pub struct Jetstream {
    /// The source.
    pub source: Arc<SourceInfo>,
    /// `ws://` or `wss://`, host and path; what is wanted is added.
    pub url: String,
    /// Where to begin; `None` is now.
    pub cursor: Option<Time>,
    /// How far to step over what could not be received; zero after everything else.
    pub skip: Span,
}

/// Reads the stream until cancelled, connecting again as often as it takes.
pub async fn run(mut stream: Jetstream, mut sink: impl Sink, cancel: CancellationToken) {
    let zero = Instant::now();
    let clock = || Time(i64::try_from(zero.elapsed().as_micros()).unwrap_or(i64::MAX));
    let mut connection = Connection::new(clock());
    loop {
        let jitter = sink.jitter();
        let action = connection.on(Event::Tick, clock(), jitter);
        if action != Action::Connect {
            let left = (connection.deadline() - clock()).0.max(1000) as u64;
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(std::time::Duration::from_micros(left)) => continue,
            }
        }
        let opening = tokio::time::timeout(as_std(limits::CONNECT_TIMEOUT), open(&stream));
        let opened = tokio::select! {
            () = cancel.cancelled() => return,
            opened = opening => opened,
        };
        let why = match opened {
            Ok(Ok(socket)) => {
                connection.on(Event::Opened, clock(), jitter);
                if !sink.take(Heard::State(SourceState::Up, String::new())).await {
                    return;
                }
                let read = read(&mut stream, socket, &mut connection, &mut sink, &clock);
                let why = tokio::select! {
                    () = cancel.cancelled() => return,
                    why = read => why,
                };
                let Some(why) = why else { return };
                Heard::State(SourceState::Down, why)
            }
            Ok(Err(e)) => Heard::Failed(e.to_string()),
            Err(_) => Heard::Failed(format!("no connection within {}", limits::CONNECT_TIMEOUT)),
        };
        let jitter = sink.jitter();
        connection.on(Event::Lost, clock(), jitter);
        if !sink.take(why).await {
            return;
        }
    }
}

/// Whether a URL can be connected to at all.
pub fn is_address(url: &str) -> bool {
    url.into_client_request().is_ok()
}

fn as_std(s: crate::base::time::Span) -> std::time::Duration {
    std::time::Duration::from_micros(s.0.max(0) as u64)
}

async fn open(stream: &Jetstream) -> Result<Socket, WsError> {
    let config = WebSocketConfig::default()
        .read_buffer_size(64 << 10)
        .write_buffer_size(4 << 10)
        .max_write_buffer_size(limits::SOCKET_WRITE_BYTES)
        .max_message_size(Some(limits::FRAME_BYTES))
        .max_frame_size(Some(limits::FRAME_BYTES));
    let address = address(stream);
    tokio_tungstenite::connect_async_with_config(address, Some(config), true).await.map(|(socket, _)| socket)
}

/// The URL with what is wanted, and where to resume.
fn address(stream: &Jetstream) -> String {
    let join = if stream.url.contains('?') { '&' } else { '?' };
    let mut out = format!(
        "{}{join}wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.feed.repost&maxMessageSizeBytes={}",
        stream.url,
        limits::FRAME_BYTES
    );
    if let Some(cursor) = stream.cursor {
        let from = if stream.skip > Span::ZERO { cursor + stream.skip } else { cursor - limits::RESUME_OVERLAP };
        out.push_str(&format!("&cursor={}", from.0.max(0)));
    }
    out
}

/// Reads until the connection is lost, and says why; `None` if nobody listens any more.
async fn read(
    stream: &mut Jetstream,
    mut socket: Socket,
    connection: &mut Connection,
    sink: &mut impl Sink,
    clock: &impl Fn() -> Time,
) -> Option<String> {
    loop {
        let left = (connection.deadline() - clock()).0.max(0) as u64;
        let next = tokio::time::timeout(std::time::Duration::from_micros(left), socket.next()).await;
        let Ok(message) = next else {
            match connection.on(Event::Tick, clock(), sink.jitter()) {
                Action::Ping => {
                    if let Err(e) = socket.send(Message::Ping(Default::default())).await {
                        return Some(e.to_string());
                    }
                }
                Action::Drop => return Some("silent, and no answer to a ping".to_string()),
                Action::Wait | Action::Connect => {}
            }
            continue;
        };
        connection.on(Event::Heard, clock(), 0.0);
        let mut frames = Vec::new();
        let mut ended = take_message(message, sink.now(), &mut frames);
        // what has arrived meanwhile goes along
        while ended.is_none() && frames.len() < limits::BATCH_FRAMES {
            match socket.next().now_or_never() {
                Some(message) => ended = take_message(message, sink.now(), &mut frames),
                None => break,
            }
        }
        if let Some(time) = frames.iter().rev().find_map(|f| time_us(&f.bytes)) {
            stream.cursor = Some(time);
        }
        // resuming before a frame that cannot be received would bring it again, for ever
        if frames.last().is_some_and(|f| f.oversize || f.bytes == NO_TEXT) {
            stream.skip = Span((stream.skip.0 * 2).max(limits::SKIP_FIRST.0));
        } else if !frames.is_empty() {
            stream.skip = Span::ZERO;
        }
        if !frames.is_empty() && !sink.take(Heard::Frames(FrameBatch { source: stream.source.clone(), frames })).await {
            return None;
        }
        if let Some(why) = ended {
            return Some(why);
        }
    }
}

/// Takes a message; says why if the connection is at its end.
fn take_message(message: Option<Result<Message, WsError>>, now: Time, frames: &mut Vec<Frame>) -> Option<String> {
    let received = Some(now);
    match message {
        Some(Ok(Message::Text(text))) => frames.push(Frame { bytes: text.into(), received, oversize: false }),
        Some(Ok(Message::Binary(bytes))) => frames.push(Frame { bytes, received, oversize: false }),
        Some(Ok(Message::Close(reason))) => {
            let said =
                reason.map_or(String::new(), |r| format!(": {}", r.reason.chars().take(200).collect::<String>()));
            return Some(format!("closed by the server{said}"));
        }
        Some(Ok(_)) => {}
        Some(Err(e)) => {
            match e {
                WsError::Capacity(_) => frames.push(Frame { bytes: Default::default(), received, oversize: true }),
                WsError::Utf8(_) => {
                    frames.push(Frame { bytes: Bytes::from_static(NO_TEXT), received, oversize: false })
                }
                _ => {}
            }
            return Some(e.to_string());
        }
        None => return Some("ended".to_string()),
    }
    None
}

/// The cursor of a frame.
fn time_us(frame: &[u8]) -> Option<Time> {
    let at = memchr::memmem::find(frame, b"\"time_us\":")? + 10;
    let digits: Vec<u8> =
        frame.get(at..)?.iter().copied().skip_while(|c| *c == b' ').take_while(u8::is_ascii_digit).take(18).collect();
    let time = digits.iter().fold(0i64, |n, c| n * 10 + i64::from(c - b'0'));
    Time(time).plausible().filter(|t| t.0 > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::WireFormat;

    #[test]
    fn asks_for_posts_and_reposts_and_resumes_a_little_earlier() {
        let source = Arc::new(SourceInfo { name: "b".into(), format: WireFormat::Jetstream });
        let mut s = Jetstream { source, url: "wss://j.example/subscribe".into(), cursor: None, skip: Span::ZERO };
        assert_eq!(
            address(&s),
            "wss://j.example/subscribe?wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.feed.repost&maxMessageSizeBytes=2097152"
        );
        s.cursor = Some(Time(1_783_175_888_085_434));
        assert!(address(&s).ends_with("&cursor=1783175883085434"));
        s.skip = Span::seconds(2);
        assert!(address(&s).ends_with("&cursor=1783175890085434"), "steps over what cannot be received");
        s.url.push_str("?x=1");
        assert!(address(&s).starts_with("wss://j.example/subscribe?x=1&wanted"));
    }

    #[test]
    fn finds_the_cursor_of_a_frame() {
        assert_eq!(time_us(br#"{"did":"d","time_us": 1783175888085434,"kind""#), Some(Time(1_783_175_888_085_434)));
        assert_eq!(time_us(br#"{"did":"d","time_us":-5}"#), None);
        assert_eq!(time_us(b"{}"), None);
    }
}
