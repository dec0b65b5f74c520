//! More than can be read or decided: who sends has to wait, memory stays flat, nothing is lost, and
//! one source that floods does not hold up another.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener as StdListener;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_util::SinkExt;
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::SourceConfig;
use groundswell::app::service::{Parts, Service};
use groundswell::base::limits;
use groundswell::base::model::{EntryBody, SourceInfo};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::live::{accept, config, get, jetstream, rules};

/// Rules, each of which changes with every edit.
const RULES: usize = 200;
/// Posts that are edited in turn.
const POSTS: usize = 40;
/// Frames from one edit to the next, the edit included.
const BLOCK: usize = 100;

/// A post by an account, as Jetstream sends it.
fn post(did: &str, operation: &str, key: &str, text: &str) -> String {
    let time = SystemClock.now().0;
    format!(
        r#"{{"did":"did:plc:{did}","time_us":{time},"kind":"commit","commit":{{"rev":"r","operation":"{operation}","collection":"app.bsky.feed.post","rkey":"{key}","record":{{"text":"{text}","langs":["en"]}},"cid":"c"}}}}"#
    )
}

/// Appends a frame as servers send it.
fn put(frame: &str, out: &mut Vec<u8>) {
    let len = u16::try_from(frame.len()).unwrap();
    assert!(len > 125);
    out.extend_from_slice(&[0x81, 126]);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(frame.as_bytes());
}

/// The n-th edit: every post is written once, neutral, then turns hostile and back for ever.
fn edit(n: usize) -> String {
    let (at, round) = (n % POSTS, n / POSTS);
    let text = if is_hostile(n) { "united is terrible, awful and shameful" } else { "united lands at noon" };
    post(&format!("author{at}"), if round == 0 { "create" } else { "update" }, &format!("k{at}"), text)
}

fn is_hostile(n: usize) -> bool {
    n / POSTS % 2 == 1
}

/// Sends as fast as the socket takes it.
struct Flood {
    bytes: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Flood {
    /// To the first who comes; `block` writes the n-th block. Gives the number of blocks in the end,
    /// and closes only then.
    fn start(listener: StdListener, mut block: impl FnMut(usize, &mut Vec<u8>) + Send + 'static) -> Flood {
        let (bytes, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (sent, stopping) = (bytes.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let mut ws = tungstenite::accept(listener.accept().unwrap().0).unwrap();
            let (mut n, mut out) = (0, Vec::new());
            while !stopping.load(Ordering::Relaxed) {
                out.clear();
                block(n, &mut out);
                if ws.get_mut().write_all(&out).is_err() {
                    break;
                }
                sent.fetch_add(out.len(), Ordering::Relaxed);
                n += 1;
            }
            // the service says goodbye
            while ws.read().is_ok() {}
            n
        });
        Flood { bytes, stop, thread }
    }

    fn sent(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// The program with a source and rules that change with every edit.
struct Program {
    child: Child,
    address: std::net::SocketAddr,
    _folder: tempfile::TempDir,
}

impl Program {
    fn start(source: std::net::SocketAddr) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "listen: 127.0.0.1:0\nlog: json\nrules: [r.yaml]\nsources:\n  flood: {{type: jetstream, hosts: ['ws://{source}/subscribe'], compress: false}}\nreceivers:\n  out: {{type: stdout, format: json}}\n"
        );
        let mut rules = String::from("brands: {united: {query: united}}\nrules:\n");
        for k in 0..RULES {
            let when = "'texts{tone=\"negative\"}[1h] >= 1'";
            rules.push_str(&format!("  - {{alert: R{k}, by: [brand, story], when: {when}, severity: info}}\n"));
        }
        std::fs::write(folder.path().join("groundswell.yaml"), config).unwrap();
        std::fs::write(folder.path().join("r.yaml"), rules).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_groundswell"))
            .args(["run", "-c", folder.path().join("groundswell.yaml").to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = log.by_ref().find_map(|line| {
            let line = line.unwrap();
            let from = line.split_once("\"address\":\"")?.1.split_once('"')?.0;
            from.parse().ok()
        });
        std::thread::spawn(move || log.for_each(|l| eprintln!("{}", l.unwrap_or_default())));
        Program { child, address: address.unwrap(), _folder: folder }
    }

    /// Memory in use, in bytes.
    fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(serde::Deserialize)]
struct Line {
    alert: String,
    episode: String,
    to: String,
    seq: u64,
}

/// Reads what the program tells and checks that each line is the one that must come next.
struct Lines {
    lines: std::io::Lines<BufReader<ChildStdout>>,
    read: usize,
    seq: u64,
    /// Open episodes by post and rule.
    open: BTreeMap<(usize, usize), String>,
}

impl Lines {
    /// The edit that the next line is about; the first of each post changes nothing.
    fn edit(&self) -> usize {
        POSTS + self.read / RULES
    }

    fn next(&mut self) {
        let line = self.lines.next().expect("the program goes on").unwrap();
        let line: Line = serde_json::from_str(&line).unwrap();
        let (edit, rule) = (self.edit(), self.read % RULES);
        let fires = is_hostile(edit);
        let expected = (format!("R{rule}"), if fires { "firing" } else { "resolved" });
        assert_eq!((&line.alert, &*line.to), (&expected.0, expected.1), "line {}, edit {edit}", self.read);
        // all changes by one edit have its number, those by later ones have larger ones
        assert!(if rule == 0 { line.seq > self.seq } else { line.seq == self.seq }, "{} {}", line.seq, self.seq);
        self.seq = line.seq;
        let place = (edit % POSTS, rule);
        match fires {
            true => assert_eq!(self.open.insert(place, line.episode), None),
            false => assert_eq!(self.open.remove(&place), Some(line.episode)),
        }
        self.read += 1;
    }

    /// Reads as fast as it can for a time; gives lines a second.
    fn race(&mut self, time: Duration) -> f64 {
        let (began, before) = (Instant::now(), self.read);
        while began.elapsed() < time {
            self.next();
        }
        (self.read - before) as f64 / began.elapsed().as_secs_f64()
    }
}

/// What a reader that is five times too slow makes of memory and of what is on its way.
struct Slow {
    /// Memory at each look.
    memory: Vec<usize>,
    /// The most that was sent and not yet told, in bytes.
    ahead: usize,
    edits: usize,
}

/// Reads a fifth of what could be read.
fn crawl(program: &Program, flood: &Flood, lines: &mut Lines, pace: f64, time: Duration) -> Slow {
    let block = || {
        let mut out = Vec::new();
        fill(0, &mut out);
        out.len()
    };
    let (block, began, before, looks) = (block(), Instant::now(), lines.read, 40);
    let mut slow = Slow { memory: Vec::new(), ahead: 0, edits: 0 };
    while began.elapsed() < time {
        let due = (began.elapsed().as_secs_f64() * pace) as usize;
        while lines.read - before < due {
            lines.next();
        }
        slow.ahead = slow.ahead.max(flood.sent().saturating_sub(lines.edit() * block));
        if began.elapsed() >= time * slow.memory.len() as u32 / looks {
            slow.memory.push(program.memory());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    slow.edits = (lines.read - before) / RULES;
    slow
}

/// A block: an edit, and posts that concern nobody.
fn fill(n: usize, out: &mut Vec<u8>) {
    put(&edit(n), out);
    let other =
        post("other", "create", "k", "nothing that anybody asked for, said at length so that it takes its room");
    (1..BLOCK).for_each(|_| put(&other, out));
}

fn overload(seconds: u64) {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    let mut program = Program::start(listener.local_addr().unwrap());
    let flood = Flood::start(listener, fill);
    let stdout = BufReader::new(program.child.stdout.take().unwrap());
    let mut lines = Lines { lines: stdout.lines(), read: 0, seq: 0, open: BTreeMap::new() };
    lines.next();
    let time = Duration::from_secs(seconds);
    let pace = lines.race(time / 4) / 5.0;
    // what may be on its way gets there, then memory is looked at
    crawl(&program, &flood, &mut lines, pace, time / 8);
    let slow = crawl(&program, &flood, &mut lines, pace, time * 5 / 8);
    let mib = |n: usize| n as f64 / f64::from(1 << 20);
    let memory: Vec<String> = slow.memory.iter().map(|m| format!("{:.1}", mib(*m))).collect();
    println!("{pace:.0} lines/s read, {:.1} MiB ahead at most, {} edits told", mib(slow.ahead), slow.edits);
    println!("{:.1} MiB sent; memory in MiB: {}", mib(flood.sent()), memory.join(" "));
    // a lane, the buffers of sockets, and what the notices stand for that wait
    assert!(slow.ahead < 3 * limits::LANE_BYTES, "{} bytes ahead", slow.ahead);
    let (first, most) = (slow.memory[0], *slow.memory.iter().max().unwrap());
    assert!(most - first < 16 << 20, "memory grew from {first} to {most}");
    // the reader catches up with all that was sent
    flood.stop.store(true, Ordering::Relaxed);
    let (finished, blocks) = channel();
    let address = program.address;
    let (stop, thread) = (program.child.id(), flood.thread);
    std::thread::spawn(move || finished.send(thread.join().unwrap()));
    // until every frame is counted there are lines to come: one that is missing ends the test by its time
    let total = settle(&mut lines, address);
    assert_eq!(total % BLOCK, 0, "whole blocks");
    while lines.edit() < total / BLOCK {
        lines.next();
    }
    assert!(Command::new("kill").args(["-TERM", &stop.to_string()]).status().unwrap().success());
    assert_eq!(blocks.recv().unwrap() * BLOCK, total, "frames counted are frames sent");
    assert!(lines.lines.next().is_none(), "nothing is told twice");
    assert!(program.child.wait().unwrap().success());
}

/// Reads until no frame is waited for any more; gives the frames counted.
fn settle(lines: &mut Lines, address: std::net::SocketAddr) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let counted = || {
        let text = runtime.block_on(get(address, "/metrics")).1;
        let frames = text.lines().filter(|l| l.starts_with("groundswell_frames_total{"));
        frames.map(|l| l.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>() as usize
    };
    let mut before = 0;
    loop {
        let total = counted();
        // all that was counted has been decided: its lines are there or on their way
        while lines.edit() < total / BLOCK {
            lines.next();
        }
        if total == before && total % BLOCK == 0 {
            return total;
        }
        before = total;
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_reader_that_is_too_slow_makes_sources_wait_and_loses_nothing() {
    overload(8);
}

#[test]
#[ignore = "takes ten minutes"]
fn overload_for_long() {
    let seconds = std::env::var("OVERLOAD_SECONDS").map_or(600, |s| s.parse().unwrap());
    overload(seconds);
}

/// Waits for the n-th marker; gives what was decided of the loud source before it.
async fn until_heard(heard: &Mutex<Vec<usize>>, n: usize) -> usize {
    for _ in 0..20_000 {
        if let Some(before) = heard.lock().unwrap().get(n) {
            return *before;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("marker {n} of the quiet source was never decided");
}

/// Markers of the quiet source, 100 ms apart.
const MARKERS: usize = 30;

#[tokio::test]
async fn a_quiet_source_is_heard_at_once_beside_one_that_floods() {
    let (loud, quiet) = (StdListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let source = |name: &str, address| {
        let source = jetstream(&[address], None);
        let info = SourceInfo { name: name.into(), format: source.info.format.clone() };
        SourceConfig { info: Arc::new(info), ..source }
    };
    let sources = vec![source("loud", loud.local_addr().unwrap()), source("quiet", quiet.local_addr().unwrap())];
    // what was decided of the loud one, and what that was when each marker was decided
    let (decided, heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (count, hear) = (decided.clone(), heard.clone());
    let mut parts = Parts::new(config(sources), rules(), Arc::new(SystemClock)).unwrap();
    parts.tap = Some(Box::new(move |entries| {
        let mut flooded = false;
        for entry in entries {
            let EntryBody::Mention(told) = &entry.body else { continue };
            if told.body.author.starts_with("did:plc:quiet") {
                hear.lock().unwrap().push(count.load(Ordering::Relaxed));
            } else {
                count.fetch_add(1, Ordering::Relaxed);
                flooded = true;
            }
        }
        // an engine that has other things to do
        if flooded {
            std::thread::sleep(Duration::from_millis(10));
        }
    }));
    let service = Service::start(parts, |_| Ok(())).await.unwrap();
    let flood = Flood::start(loud, |n, out| {
        (0..BLOCK).for_each(|k| put(&post("loud", "create", &format!("k{n}x{k}"), "united"), out));
    });
    let mut ws = accept(&quiet, &Arc::default()).await;
    let full = limits::LANE_BATCHES * limits::BATCH_FRAMES / 2;
    let waiting = || usize::try_from(service.status().waiting()).unwrap();
    while waiting() < full {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut behind = Vec::new();
    for n in 0..MARKERS {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(waiting() >= full, "the loud one waits: {}", waiting());
        let before = decided.load(Ordering::Relaxed);
        ws.send(Message::text(post(&format!("quiet{n}"), "create", "k", "united"))).await.unwrap();
        let heard = until_heard(&heard, n).await;
        behind.push(heard - before);
    }
    behind.sort_unstable();
    println!("frames of the loud source decided before each marker: {behind:?}, {full} and more were waiting");
    // in one queue for all, all that waits would come first
    assert!(behind[MARKERS / 2] <= 4 * limits::BATCH_FRAMES, "{behind:?}");
    assert!(behind[MARKERS - 1] <= full / 2, "{behind:?}");
    flood.stop.store(true, Ordering::Relaxed);
    service.stop().await.unwrap();
    drop(ws);
    assert!(flood.thread.join().unwrap() > 0);
}
