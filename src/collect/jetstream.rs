//! Bluesky Jetstream, protocols v1 and v2: what is asked for, several servers, resuming by time,
//! zstd with a dictionary.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;

use super::dictionary::{self, Unpacker};
use super::socket::{NO_TEXT, Place, Protocol};
use super::tls::Trust;
use crate::base::limits;
use crate::base::model::{Frame, Position, SourceInfo};
use crate::base::time::{Span, Time};

/// Which of the two protocols a server speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Version {
    /// `/subscribe`.
    #[default]
    V1,
    /// `/xrpc/network.bsky.jetstream.subscribeEvents`.
    V2,
}

/// Where a subscription has got to; one that takes its place goes on there.
#[derive(Clone, Debug, Default)]
pub struct Cursor(Arc<AtomicI64>);

impl Cursor {
    /// Where frames with this position ended; `None` if it is no such position.
    pub fn at(position: &Position) -> Option<Cursor> {
        let time = Time(position.0.parse().ok()?).plausible().filter(|t| t.0 > 0)?;
        // a number is written in one way only: another text was damaged
        (time.0.to_string() == *position.0).then(|| Cursor(Arc::new(AtomicI64::new(time.0))))
    }

    /// The same in words that outlive the process; `None`: from now on.
    pub fn position(&self) -> Option<Position> {
        self.get().map(|t| Position(t.0.to_string().into()))
    }

    fn get(&self) -> Option<Time> {
        Some(Time(self.0.load(Ordering::Acquire))).filter(|t| t.0 > 0)
    }

    fn set(&self, time: Option<Time>) {
        self.0.store(time.map_or(0, |t| t.0), Ordering::Release);
    }
}

/// A subscription.
pub struct Jetstream {
    source: Arc<SourceInfo>,
    hosts: Vec<String>,
    /// The server in use.
    host: usize,
    version: Version,
    compress: bool,
    trust: Trust,
    unpacker: Option<Unpacker>,
    /// Where to go on; nowhere is now.
    cursor: Cursor,
    /// How far to step over what could not be received; zero after everything else.
    skip: Span,
    /// Whether the last request was refused without a reason that could be read.
    mute: bool,
}

impl Jetstream {
    /// A subscription to the first of some servers (`ws://` or `wss://`, host and path) that
    /// answers, from now on.
    pub fn new(
        source: Arc<SourceInfo>,
        hosts: Vec<String>,
        version: Version,
        compress: bool,
        trust: Trust,
    ) -> Jetstream {
        let (cursor, skip) = (Cursor::default(), Span::ZERO);
        Jetstream { source, hosts, host: 0, version, compress, trust, unpacker: None, cursor, skip, mute: false }
    }

    /// The same from where another has got to.
    pub fn from(mut self, cursor: Cursor) -> Jetstream {
        self.cursor = cursor;
        self
    }

    fn url(&self) -> &str {
        self.hosts.get(self.host).map_or("", |h| h)
    }

    /// The URL with what is wanted, and where to go on.
    fn address(&self) -> String {
        let url = self.url();
        let mut out = format!("{url}{}", if url.contains('?') { '&' } else { '?' });
        for (i, collection) in ["app.bsky.feed.post", "app.bsky.feed.repost"].iter().enumerate() {
            let name = if self.version == Version::V1 { "wantedCollections" } else { "collections" };
            out.push_str(&format!("{}{name}={collection}", if i > 0 { "&" } else { "" }));
        }
        out.push_str(&format!("&maxMessageSizeBytes={}", limits::FRAME_BYTES));
        if self.version == Version::V2 {
            // accounts that are gone take their texts with them
            out.push_str("&kinds=commit&kinds=account");
        }
        match (&self.unpacker, self.version) {
            (None, _) => {}
            (Some(_), Version::V1) => out.push_str("&compress=true"),
            (Some(unpacker), Version::V2) => out.push_str(&format!("&zstdDictionary={}", unpacker.id())),
        }
        if let Some(cursor) = self.cursor.get() {
            let from = if self.skip > Span::ZERO { cursor + self.skip } else { cursor - limits::RESUME_OVERLAP };
            out.push_str(&format!("&cursor={}", from.0.max(0)));
        }
        out
    }
}

impl Protocol for Jetstream {
    fn source(&self) -> &Arc<SourceInfo> {
        &self.source
    }

    fn hosts(&self) -> usize {
        self.hosts.len()
    }

    async fn request(&mut self) -> Result<Request, String> {
        if self.compress && self.unpacker.is_none() {
            let dictionary = match self.version {
                Version::V1 => dictionary::of_v1().into(),
                Version::V2 => dictionary::fetch(self.url(), &self.trust).await?,
            };
            self.unpacker = Some(Unpacker::new(&dictionary)?);
        }
        self.address().into_client_request().map_err(|e| e.to_string())
    }

    fn frames(&mut self, message: Bytes, binary: bool, received: Time, out: &mut Vec<Frame>) {
        let frame = |bytes, oversize| Frame { bytes, received: Some(received), oversize };
        out.push(match self.unpacker.as_mut().filter(|_| binary) {
            None => frame(message, false),
            Some(unpacker) => match unpacker.unpack(&message) {
                Ok(bytes) => frame(bytes, false),
                Err(dictionary::TooLong) => frame(Bytes::new(), true),
            },
        });
    }

    fn place(&self, frames: &[Frame]) -> Option<Place> {
        let last = frames.last()?;
        let time = frames.iter().rev().find_map(|f| time_of(&f.bytes, self.version));
        Some(Place { time, stuck: last.oversize || last.bytes == NO_TEXT })
    }

    fn reached(&mut self, place: Place) {
        if place.time.is_some() {
            self.cursor.set(place.time);
        }
        // going on before a frame that cannot be received would bring it again, for ever
        self.skip = if place.stuck { Span((self.skip.0 * 2).max(limits::SKIP_FIRST.0)) } else { Span::ZERO };
    }

    fn refused(&mut self, status: u16, body: &str) {
        // of an answer only what comes along with its head is seen: one that goes on saying nothing may
        // mean any of these
        let mute = status == 400 && body.is_empty();
        let any = mute && std::mem::replace(&mut self.mute, mute);
        self.mute = mute;
        if status == 400 && (any || body.contains("CursorTooOld")) {
            self.cursor.set(None);
        }
        if status == 400 && (any || body.contains("UnknownZstdDictionary")) {
            self.unpacker = None;
        }
    }

    fn lost(&mut self) {
        self.host = (self.host + 1) % self.hosts.len().max(1);
        // each server of v2 has a dictionary of its own
        if self.version == Version::V2 && self.hosts.len() > 1 {
            self.unpacker = None;
        }
    }
}

/// The time of a frame that a stream can be resumed at.
fn time_of(frame: &[u8], version: Version) -> Option<Time> {
    match version {
        Version::V1 => {
            let digits = after(frame, b"\"time_us\":")?;
            let digits = digits.iter().copied().skip_while(|c| *c == b' ').take_while(u8::is_ascii_digit).take(18);
            let time = digits.fold(0i64, |n, c| n * 10 + i64::from(c - b'0'));
            Time(time).plausible().filter(|t| t.0 > 0)
        }
        Version::V2 => {
            let text = after(frame, b"\"witnessedAt\":")?.trim_ascii_start().strip_prefix(b"\"")?;
            let end = memchr::memchr(b'"', text.get(..text.len().min(40))?)?;
            Time::parse_rfc3339(std::str::from_utf8(text.get(..end)?).ok()?).filter(|t| t.0 > 0)
        }
    }
}

fn after<'f>(frame: &'f [u8], key: &[u8]) -> Option<&'f [u8]> {
    frame.get(memchr::memmem::find(frame, key)? + key.len()..)
}

#[cfg(test)]
mod tests {
    use super::super::socket;
    use super::*;
    use crate::base::model::WireFormat;

    fn stream(hosts: &[&str], version: Version) -> Jetstream {
        let source = Arc::new(SourceInfo { name: "b".into(), format: WireFormat::Jetstream });
        let hosts = hosts.iter().map(|h| h.to_string()).collect();
        Jetstream::new(source, hosts, version, false, Trust::default())
    }

    #[test]
    fn asks_for_posts_and_reposts_in_the_words_of_each_protocol() {
        let mut s = stream(&["ws://h/subscribe", "ws://i/subscribe?x=1"], Version::V1);
        let wanted =
            "wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.feed.repost&maxMessageSizeBytes=2097152";
        assert_eq!(s.address(), format!("ws://h/subscribe?{wanted}"));
        s.cursor.set(Some(Time(1_783_175_888_085_434)));
        s.lost();
        assert_eq!(
            s.address(),
            format!("ws://i/subscribe?x=1&{wanted}&cursor=1783175883085434"),
            "the next server goes on"
        );
        s.skip = Span::seconds(2);
        s.lost();
        assert!(s.address().starts_with("ws://h/") && s.address().ends_with("cursor=1783175890085434"));
        let s = stream(&["ws://h/x"], Version::V2);
        assert!(
            s.address().contains("?collections=app.bsky.feed.post&collections=") && !s.address().contains("wanted")
        );
        s.address().into_client_request().unwrap();
    }

    #[test]
    fn goes_on_at_the_last_frame_that_tells_a_time() {
        let frame = |text: &str| Frame { bytes: text.as_bytes().to_vec().into(), received: None, oversize: false };
        let hand_on = |s: &mut Jetstream, frames: &[Frame]| {
            let place = s.place(frames).unwrap();
            s.reached(place);
            s.cursor.get()
        };
        let mut s = stream(&["ws://h"], Version::V1);
        let frames = [frame(r#"{"time_us": 1783175888085434}"#), frame("junk"), frame(r#"{"time_us":-4}"#)];
        assert_eq!(hand_on(&mut s, &frames), Some(Time(1_783_175_888_085_434)));
        assert_eq!(hand_on(&mut s, &[frame("junk")]), Some(Time(1_783_175_888_085_434)), "no time is no step back");
        let mut s = stream(&["ws://h"], Version::V2);
        let frames =
            [frame(r#"{"payload":{"witnessedAt":"2026-07-04T14:38:08.085434Z"}}"#), frame("\"witnessedAt\":\"x\"")];
        assert_eq!(hand_on(&mut s, &frames), Some(Time(1_783_175_888_085_434)));
        s.refused(400, r#"{"error":"CursorTooOld"}"#);
        assert_eq!(s.cursor.get(), None);
    }

    /// Takes no frames: waits for ever.
    struct Busy(tokio::sync::mpsc::UnboundedSender<()>);

    impl socket::Sink for Busy {
        async fn take(&mut self, heard: socket::Heard) -> bool {
            if matches!(heard, socket::Heard::Frames(_)) {
                let _ = self.0.send(());
                std::future::pending().await
            }
            true
        }

        fn now(&self) -> Time {
            Time(0)
        }

        fn jitter(&mut self) -> f64 {
            0.0
        }
    }

    #[tokio::test]
    async fn frames_that_nobody_took_are_asked_for_again() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("ws://{}/", listener.local_addr().unwrap());
        let (cursor, (to, mut busy)) = (Cursor::default(), tokio::sync::mpsc::unbounded_channel());
        let stream = stream(&[&host], Version::V1).from(cursor.clone());
        let cancel = tokio_util::sync::CancellationToken::new();
        let (trust, patience) = (Trust::default(), Default::default());
        let reading = tokio::spawn(socket::run(stream, Busy(to), trust, patience, cancel.clone()));
        let (tcp, _) = listener.accept().await.unwrap();
        let mut ws = tokio_tungstenite::accept_async(tcp).await.unwrap();
        let frame = tokio_tungstenite::tungstenite::Message::text(r#"{"time_us":1783175888085434}"#);
        futures_util::SinkExt::send(&mut ws, frame).await.unwrap();
        busy.recv().await.unwrap();
        cancel.cancel();
        reading.await.unwrap();
        assert_eq!(cursor.get(), None);
    }

    /// Takes frames and notes their positions.
    struct Noting(tokio::sync::mpsc::UnboundedSender<Option<Position>>);

    impl socket::Sink for Noting {
        async fn take(&mut self, heard: socket::Heard) -> bool {
            if let socket::Heard::Frames(batch) = heard {
                let _ = self.0.send(batch.position);
            }
            true
        }

        fn now(&self) -> Time {
            Time(0)
        }

        fn jitter(&mut self) -> f64 {
            0.0
        }
    }

    #[tokio::test]
    async fn frames_say_where_the_stream_goes_on_after_them() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("ws://{}/", listener.local_addr().unwrap());
        let (to, mut noted) = tokio::sync::mpsc::unbounded_channel();
        let (trust, patience, cancel) = (Trust::default(), Default::default(), Default::default());
        tokio::spawn(socket::run(stream(&[&host], Version::V1), Noting(to), trust, patience, cancel));
        let (tcp, _) = listener.accept().await.unwrap();
        let mut ws = tokio_tungstenite::accept_async(tcp).await.unwrap();
        for (frame, position) in [(r#"{"time_us":1783175888085434}"#, Some("1783175888085434")), ("junk", None)] {
            let frame = tokio_tungstenite::tungstenite::Message::text(frame);
            futures_util::SinkExt::send(&mut ws, frame).await.unwrap();
            assert_eq!(noted.recv().await.unwrap(), position.map(|p| Position(p.into())));
        }
    }

    #[test]
    fn a_position_is_read_as_it_was_written_or_not_at_all() {
        let read = |text: &str| Cursor::at(&Position(text.into())).and_then(|c| c.get());
        assert_eq!(read("1783175888085434"), Some(Time(1_783_175_888_085_434)));
        for bad in
            ["", "0", "-1", "+17", "017", " 17", "17 ", "17.0", "1e9", "x", "99999999999999999999", "7258118400000001"]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_server_that_refuses_without_a_reason_is_asked_for_less() {
        let mut s = stream(&["ws://h"], Version::V1);
        let mut kept = |answers: &[(u16, &str)]| {
            s.cursor.set(Some(Time(7)));
            answers.iter().for_each(|(status, body)| s.refused(*status, body));
            s.cursor.get().is_some()
        };
        assert!(kept(&[(400, "")]) && kept(&[(503, ""), (400, "")]) && kept(&[(400, "no"), (400, "")]));
        assert!(!kept(&[(400, "")]));
    }
}
