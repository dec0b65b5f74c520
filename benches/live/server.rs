//! A server of frames on a thread of its own: as fast as the socket takes them, or each at its
//! moment, however late that is. Frames are made before; only their times are written on the way.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use tokio_tungstenite::tungstenite;

/// Where the digits of `time_us` begin in a frame: all frames begin alike.
const TIME_AT: usize = 52;
/// Frames that go out in one piece at most.
const PIECE: usize = 1024;
/// What the accounts of markers begin with, behind `did:plc:`.
const MARKER: &str = "marker";
/// Brands that only markers name, each with its rule.
pub const MARKER_BRANDS: usize = 32;

/// Frames with the headers of the protocol before them.
#[derive(Default)]
pub struct Wire {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    packed: bool,
}

impl Wire {
    /// Frames as text.
    pub fn text(frames: impl Iterator<Item = String>) -> Wire {
        let mut wire = Wire::default();
        frames.for_each(|f| wire.push(f.as_bytes()));
        wire
    }

    /// The same, compressed one by one, as if written now.
    pub fn packed(&self, frames: usize, dictionary: &[u8]) -> Wire {
        let mut compressor = zstd::bulk::Compressor::with_dictionary(3, dictionary).unwrap();
        let mut wire = Wire { packed: true, ..Wire::default() };
        let (mut frame, digits) = (Vec::new(), digits());
        for at in 0..frames {
            frame.clear();
            self.append(at, &digits, &mut frame);
            let head = if frame[1] < 126 { 2 } else { 4 };
            wire.push(&compressor.compress(&frame[head..]).unwrap());
        }
        wire
    }

    fn push(&mut self, frame: &[u8]) {
        header(if self.packed { 2 } else { 1 }, frame.len(), &mut self.bytes);
        self.bytes.extend_from_slice(frame);
        self.ends.push(self.bytes.len());
    }

    /// Appends a frame, written now unless it is packed.
    fn append(&self, at: usize, digits: &[u8], out: &mut Vec<u8>) {
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        let start = out.len();
        out.extend_from_slice(&self.bytes[from..self.ends[at]]);
        if !self.packed {
            let at = start + TIME_AT + if out[start + 1] < 126 { 2 } else { 4 };
            out[at..at + digits.len()].copy_from_slice(digits);
        }
    }
}

/// A header as servers send it: final, no mask.
fn header(opcode: u8, len: usize, out: &mut Vec<u8>) {
    out.push(0x80 | opcode);
    match u16::try_from(len).unwrap() {
        short @ 0..126 => out.push(short as u8),
        long => {
            out.push(126);
            out.extend_from_slice(&long.to_be_bytes());
        }
    }
}

/// Microseconds since 1970, in sixteen digits.
fn digits() -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let digits = now.as_micros().to_string().into_bytes();
    assert_eq!(digits.len(), 16);
    digits
}

/// The `k`-th post about one of the brands that only markers name; its account tells its number.
fn marker(number: usize, k: usize, digits: &[u8], out: &mut Vec<u8>) {
    let time = std::str::from_utf8(digits).unwrap();
    let frame = format!(
        "{{\"did\":\"did:plc:{MARKER}{number:018}\",\"time_us\":{time},\"kind\":\"commit\",\"commit\":{{\"rev\":\"3aaaaaaaaaaaa\",\
         \"operation\":\"create\",\"collection\":\"app.bsky.feed.post\",\"rkey\":\"3{number:012}\",\"record\":{{\"$type\":\"app.bsky.feed.post\",\
         \"createdAt\":\"2026-07-04T14:38:07.112Z\",\"langs\":[\"en\"],\"text\":\"the {} is here\"}},\"cid\":\"bafyrei\"}}}}",
        marker_name(k % MARKER_BRANDS)
    );
    header(1, frame.len(), out);
    out.extend_from_slice(frame.as_bytes());
}

/// What markers of a brand say.
pub fn marker_name(brand: usize) -> String {
    format!("zq{}beacon", char::from_digit(brand as u32 % 36, 36).unwrap())
}

/// The number of a marker, by its account.
pub fn number_of(account: &str) -> Option<usize> {
    account.strip_prefix("did:plc:")?.strip_prefix(MARKER)?.parse().ok()
}

/// The number of a marker, by its frame.
pub fn number_in(frame: &str) -> Option<usize> {
    number_of(frame.get(8..TIME_AT - 12)?)
}

/// When frames are sent.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Frames to send; one more marker follows.
    pub frames: usize,
    /// Frames a second, each with its moment; `None`: as fast as the socket takes them.
    pub rate: Option<f64>,
    /// Every so many frames a marker takes the place of one.
    pub marker_every: usize,
    /// Anywhere among them, so that markers keep no time with anything else; else of the first.
    pub scattered: bool,
}

impl Plan {
    /// Whether a marker takes the place of a frame.
    fn marks(&self, frame: usize) -> bool {
        let (turn, at) = (frame / self.marker_every, frame % self.marker_every);
        // multiplied by the golden ratio and cut, turns are spread well
        let place = (turn as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        at == if self.scattered { place as usize % self.marker_every } else { 0 }
    }
}

/// What was sent.
pub struct Sent {
    /// The moment of the first frame.
    pub began: Instant,
    /// Frames, markers included.
    pub frames: usize,
    /// How long after its moment each marker was sent, in microseconds: the server's own delay, and
    /// that of a reader that does not read.
    pub late: Histogram<u64>,
}

/// For latencies in microseconds, up to ten minutes.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 600_000_000, 3).unwrap()
}

/// A server that has not got its reader yet.
pub struct Server(TcpListener);

impl Server {
    pub fn bind() -> Server {
        Server(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Sends as planned to the first who comes, and then says nothing until what is given out
    /// beside is dropped.
    pub fn send(self, wire: Arc<Wire>, plan: Plan) -> (JoinHandle<Sent>, Sender<()>) {
        let (hold, held) = channel::<()>();
        let work = move || {
            let (socket, _) = self.0.accept().unwrap();
            socket.set_nodelay(true).unwrap();
            let mut socket = tungstenite::accept(socket).unwrap();
            // the reader gets ready
            std::thread::sleep(Duration::from_millis(200));
            let sent = send(socket.get_mut(), &wire, plan).unwrap();
            let _ = held.recv();
            sent
        };
        (std::thread::Builder::new().name("server".into()).spawn(work).unwrap(), hold)
    }
}

fn send(socket: &mut TcpStream, wire: &Wire, plan: Plan) -> io::Result<Sent> {
    let began = Instant::now();
    let mut late = histogram();
    let (mut sent, mut piece) = (0, Vec::new());
    let moment = |n: usize, rate: f64| Duration::from_secs_f64(n as f64 / rate);
    while sent < plan.frames {
        let due = plan.rate.map_or(plan.frames, |rate| (began.elapsed().as_secs_f64() * rate) as usize + 1);
        if let Some(rate) = plan.rate.filter(|_| due <= sent) {
            std::thread::sleep(moment(sent, rate).saturating_sub(began.elapsed()));
            continue;
        }
        let (until, digits) = (due.min(plan.frames).min(sent + PIECE), digits());
        piece.clear();
        for n in sent..until {
            if plan.marks(n) {
                marker(n, n / plan.marker_every, &digits, &mut piece);
                let lateness = plan.rate.map_or(Duration::ZERO, |r| began.elapsed().saturating_sub(moment(n, r)));
                late.saturating_record(lateness.as_micros() as u64);
            } else {
                wire.append(n, &digits, &mut piece);
            }
        }
        socket.write_all(&piece)?;
        sent = until;
    }
    piece.clear();
    marker(plan.frames, plan.frames / plan.marker_every + 1, &digits(), &mut piece);
    socket.write_all(&piece)?;
    Ok(Sent { began, frames: plan.frames + 1, late })
}
