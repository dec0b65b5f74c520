//! A WebSocket that is read for ever: opened again as often as it takes, pinged when silent, given
//! up when dead. What is said over it is a [`Protocol`]'s business.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use tokio_util::sync::CancellationToken;

use super::connection::{Action, Connection, Event, Patience};
use super::tls::Trust;
use crate::base::limits;
use crate::base::model::{Frame, FrameBatch, Position, SourceInfo, SourceState};
use crate::base::time::Time;

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

/// Where a stream stands after some frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The time of the last one that tells a time at which the stream can be resumed.
    pub time: Option<Time>,
    /// Whether the last one could not be received: going on there would bring it again.
    pub stuck: bool,
}

impl Place {
    /// The same in words that outlive the process: whole microseconds since 1970.
    fn position(self) -> Option<Position> {
        self.time.map(|t| Position(t.0.to_string().into()))
    }
}

/// What is said over a WebSocket.
pub trait Protocol: Send {
    /// The source.
    fn source(&self) -> &Arc<SourceInfo>;

    /// Servers that can be asked in turn, at least one.
    fn hosts(&self) -> usize {
        1
    }

    /// What to open next; where reading goes on is part of it. The error is told as the reason.
    fn request(&mut self) -> impl Future<Output = Result<Request, String>> + Send;

    /// Messages to send once it is open.
    fn greetings(&self) -> Vec<String> {
        Vec::new()
    }

    /// The frames of one message.
    fn frames(&mut self, message: Bytes, binary: bool, received: Time, out: &mut Vec<Frame>);

    /// Where the stream stands after these frames, which are about to be handed on; `None` where
    /// nothing comes again.
    fn place(&self, _frames: &[Frame]) -> Option<Place> {
        None
    }

    /// The frames before this place were handed on.
    fn reached(&mut self, _place: Place) {}

    /// The server answered the request with something else than a WebSocket.
    fn refused(&mut self, _status: u16, _body: &str) {}

    /// The connection could not be opened, or was lost.
    fn lost(&mut self) {}
}

/// What stands for a message that was no UTF-8, of which the bytes are not given out.
pub(super) const NO_TEXT: &[u8] = b"\xff";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Reads until cancelled, or until the sink wants no more.
pub async fn run(
    mut protocol: impl Protocol,
    mut sink: impl Sink,
    trust: Trust,
    patience: Patience,
    cancel: CancellationToken,
) {
    let zero = Instant::now();
    let clock = || Time(i64::try_from(zero.elapsed().as_micros()).unwrap_or(i64::MAX));
    let mut connection = Connection::new(clock(), patience, protocol.hosts());
    loop {
        let jitter = sink.jitter();
        if connection.on(Event::Tick, clock(), jitter) != Action::Connect {
            let left = (connection.deadline() - clock()).as_std().max(Duration::from_millis(1));
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(left) => continue,
            }
        }
        let opening = tokio::time::timeout(patience.connect.as_std(), open(&mut protocol, &trust));
        let opened = tokio::select! {
            () = cancel.cancelled() => return,
            opened = opening => opened.unwrap_or_else(|_| Err(format!("no connection within {}", patience.connect))),
        };
        let told = match opened {
            Ok(mut socket) => {
                connection.on(Event::Opened, clock(), jitter);
                if !sink.take(Heard::State(SourceState::Up, String::new())).await {
                    return;
                }
                let reading = read(&mut protocol, &mut socket, &mut connection, &mut sink, &clock);
                let why = tokio::select! {
                    () = cancel.cancelled() => {
                        let _ = tokio::time::timeout(limits::GOODBYE.as_std(), socket.close(None)).await;
                        return;
                    }
                    why = reading => why,
                };
                let Some(why) = why else { return };
                Heard::State(SourceState::Down, why)
            }
            Err(why) => Heard::Failed(why),
        };
        let jitter = sink.jitter();
        connection.on(Event::Lost, clock(), jitter);
        protocol.lost();
        if !sink.take(told).await {
            return;
        }
    }
}

/// Whether a URL can be connected to at all.
pub fn is_address(url: &str) -> bool {
    url.into_client_request().is_ok()
}

async fn open(protocol: &mut impl Protocol, trust: &Trust) -> Result<Socket, String> {
    let config = WebSocketConfig::default()
        .read_buffer_size(64 << 10)
        .write_buffer_size(4 << 10)
        .max_write_buffer_size(limits::SOCKET_WRITE_BYTES)
        .max_message_size(Some(limits::FRAME_BYTES))
        .max_frame_size(Some(limits::FRAME_BYTES));
    let request = protocol.request().await?;
    let connector = trust.connector()?;
    let opened = tokio_tungstenite::connect_async_tls_with_config(request, Some(config), true, connector).await;
    let mut socket = match opened {
        Ok((socket, _)) => socket,
        Err(WsError::Http(answer)) => {
            let body = String::from_utf8_lossy(answer.body().as_deref().unwrap_or(&[])).into_owned();
            let said: String = body.chars().filter(|c| !c.is_control()).take(200).collect();
            protocol.refused(answer.status().as_u16(), &body);
            let said = if said.is_empty() { said } else { format!(": {said}") };
            return Err(format!("the server answered {}{said}", answer.status()));
        }
        Err(e) => return Err(e.to_string()),
    };
    for greeting in protocol.greetings() {
        socket.send(Message::text(greeting)).await.map_err(|e| e.to_string())?;
    }
    Ok(socket)
}

/// Reads until the connection is lost, and says why; `None` if nobody listens any more.
async fn read(
    protocol: &mut impl Protocol,
    socket: &mut Socket,
    connection: &mut Connection,
    sink: &mut impl Sink,
    clock: &impl Fn() -> Time,
) -> Option<String> {
    loop {
        let left = (connection.deadline() - clock()).as_std();
        let Ok(message) = tokio::time::timeout(left, socket.next()).await else {
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
        let (mut ended, mut bytes) = take(protocol, message, sink.now(), &mut frames);
        // what has arrived meanwhile goes along
        while ended.is_none() && frames.len() < limits::BATCH_FRAMES && bytes < limits::BATCH_BYTES {
            let Some(message) = socket.next().now_or_never() else { break };
            let more = take(protocol, message, sink.now(), &mut frames);
            (ended, bytes) = (more.0, bytes + more.1);
        }
        if !frames.is_empty() {
            let (source, place) = (protocol.source().clone(), protocol.place(&frames));
            let position = place.and_then(Place::position);
            if !sink.take(Heard::Frames(FrameBatch { source, frames, position })).await {
                return None;
            }
            // what was not taken must come again
            if let Some(place) = place {
                protocol.reached(place);
            }
        }
        if let Some(why) = ended {
            return Some(why);
        }
    }
}

/// Takes a message: why the connection is at its end, if it is, and the bytes taken.
fn take(
    protocol: &mut impl Protocol,
    message: Option<Result<Message, WsError>>,
    now: Time,
    frames: &mut Vec<Frame>,
) -> (Option<String>, usize) {
    let mut lost = |bytes, oversize| frames.push(Frame { bytes, received: Some(now), oversize });
    let why = match message {
        Some(Ok(Message::Text(text))) => {
            let n = text.len();
            protocol.frames(text.into(), false, now, frames);
            return (None, n);
        }
        Some(Ok(Message::Binary(bytes))) => {
            let n = bytes.len();
            protocol.frames(bytes, true, now, frames);
            return (None, n);
        }
        Some(Ok(Message::Close(reason))) => {
            let said =
                reason.map_or(String::new(), |r| format!(": {}", r.reason.chars().take(200).collect::<String>()));
            format!("closed by the server{said}")
        }
        Some(Ok(_)) => return (None, 0),
        Some(Err(e)) => {
            match e {
                WsError::Capacity(_) => lost(Bytes::new(), true),
                WsError::Utf8(_) => lost(Bytes::from_static(NO_TEXT), false),
                _ => {}
            }
            e.to_string()
        }
        None => "ended".to_string(),
    };
    (Some(why), 0)
}
