//! Recordings: what is received is written, what was written is played, also after a crash.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use groundswell::app::clock::SystemClock;
use groundswell::app::config::SourceConfig;
use groundswell::app::record::{self, Parts, Progress};
use groundswell::app::recorded;
use groundswell::base::model::{SourceInfo, WireFormat};
use groundswell::base::time::{Span, Time};
use groundswell::store::{Manifest, Recorder, Rotation, contents};
use proptest::prelude::*;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

pub const RULES: &str = "brands: {u: {query: united}}\nrules:\n  - {alert: Each, by: [brand, story], when: 'mentions[1m] >= 1', severity: info}\n  - {alert: Many, when: 'mentions[1m] >= 20', severity: warn}\n";
const START: u64 = 1_783_152_000_000_000;

pub fn frame(k: u64) -> String {
    let (time, text) = (START + k * 400_000, if k.is_multiple_of(3) { "united is late" } else { "nothing" });
    format!(
        r#"{{"did":"did:plc:a{k}","time_us":{time},"kind":"commit","commit":{{"rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"k{k}","record":{{"text":"{text}","langs":["en"]}},"cid":"c"}}}}"#
    )
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_groundswell")).args(args).stdin(Stdio::null()).output().unwrap()
}

/// Transitions of a replay; it must end well.
pub fn played(dir: &Path, input: &Path) -> String {
    let rules = dir.join("rules.yaml");
    fs::write(&rules, RULES).unwrap();
    let out = run(&["replay", input.to_str().unwrap(), "--rules", rules.to_str().unwrap(), "--json"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    text(&out.stdout)
}

/// Transitions of these frames as plain lines.
fn played_plain(dir: &Path, frames: u64) -> String {
    let path = dir.join("plain.ndjson");
    fs::write(&path, (0..frames).map(|k| frame(k) + "\n").collect::<String>()).unwrap();
    played(dir, &path)
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/subscribe", listener.local_addr().unwrap());
    (listener, url)
}

async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (socket, _) = listener.accept().await.unwrap();
    tokio_tungstenite::accept_async(socket).await.unwrap()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within thirty seconds");
}

/// A process that does not outlive its test.
struct Recording(Child);

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn record_child(url: &str, dir: &Path, more: &[&str]) -> Recording {
    let child = Command::new(env!("CARGO_BIN_EXE_groundswell"))
        .args(["record", "--url", url, "--out", dir.to_str().unwrap()])
        .args(more)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    Recording(child.unwrap())
}

async fn ended(mut child: Recording) -> Output {
    let wait = move || {
        let mut stderr = Vec::new();
        child.0.stderr.take().unwrap().read_to_end(&mut stderr).unwrap();
        Output { status: child.0.wait().unwrap(), stdout: Vec::new(), stderr }
    };
    tokio::task::spawn_blocking(wait).await.unwrap()
}

/// A folder with frames of a source in files of `each` frames.
pub fn record_frames(dir: &Path, source: &str, frames: impl Iterator<Item = u64>, each: i64) {
    let rotation = Rotation { bytes: u64::MAX, span: Span::seconds(each) };
    let mut recorder = Recorder::new(dir, rotation).unwrap();
    let source = SourceInfo { name: source.into(), format: WireFormat::Jetstream };
    let mut now = Time(START as i64);
    for k in frames {
        recorder.take(&source, frame(k).as_bytes(), now).unwrap();
        now = now + Span::seconds(1);
    }
    recorder.finish(now).unwrap();
}

#[tokio::test]
async fn what_a_socket_sent_plays_as_the_lines_themselves() {
    let (listener, url) = listen().await;
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let info = Arc::new(SourceInfo { name: "bluesky".into(), format: WireFormat::Jetstream });
    let parts = Parts {
        sources: vec![SourceConfig::jetstream(info, &url)],
        recorder: Recorder::new(dir.path(), Rotation { bytes: 4096, span: Span::seconds(3600) }).unwrap(),
        clock: Arc::new(SystemClock),
        limit: None,
    };
    let (progress, cancel) = (Arc::new(Progress::default()), CancellationToken::new());
    let recording = tokio::spawn(record::run(parts, progress.clone(), cancel.clone()));
    let mut ws = accept(&listener).await;
    for k in 0..500 {
        // line breaks are legal between the parts of a frame
        let sent = if k % 7 == 0 { frame(k).replace("\"kind\"", "\r\n \"kind\"") } else { frame(k) };
        ws.send(Message::text(sent)).await.unwrap();
    }
    ws.send(Message::binary(vec![0xff; 3])).await.unwrap();
    until("all frames", || progress.written().frames == 500 && progress.written().skipped == 1).await;
    assert_eq!(progress.up(), 1);
    cancel.cancel();
    let manifest = recording.await.unwrap().unwrap();
    let sum = |f: fn(&groundswell::store::RecordedFile) -> u64| manifest.files.iter().map(f).sum::<u64>();
    assert_eq!((sum(|f| f.frames), sum(|f| f.skipped)), (500, 1));
    assert!(manifest.files.iter().all(|f| &*f.source == "bluesky" && f.format == WireFormat::Jetstream));
    assert_eq!(progress.written().bytes, sum(|f| f.bytes));
    let want = played_plain(scratch.path(), 500);
    assert!(want.lines().count() > 100, "{want}");
    assert_eq!(played(scratch.path(), dir.path()), want);
    assert_eq!(played(scratch.path(), &dir.path().join("manifest.json")), want);
}

#[tokio::test]
async fn killed_at_any_moment_what_was_flushed_is_there() {
    let (listener, url) = listen().await;
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut child = record_child(&url, dir.path(), &[]);
    let mut ws = accept(&listener).await;
    for k in 0..1000 {
        ws.send(Message::text(frame(k))).await.unwrap();
    }
    let part = || -> Option<PathBuf> {
        let mut paths = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path());
        paths.find(|p| p.extension().is_some_and(|e| e == "part"))
    };
    until("a flush", || part().is_some_and(|p| contents(&p).unwrap().frames == 1000)).await;
    for k in 1000..1100 {
        ws.send(Message::text(frame(k))).await.unwrap();
    }
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    // as it was left, by path; and the folder without it
    let out = run(&["replay", part().unwrap().to_str().unwrap(), "--rules", "rules", "--json"]);
    assert!(out.status.success() && text(&out.stderr).contains("warning: expected "), "{}", text(&out.stderr));
    assert_eq!(played(scratch.path(), dir.path()), "");
    let torn = contents(&part().unwrap()).unwrap();
    assert!(torn.torn.is_some() && torn.frames >= 1000);
    assert_eq!(played(scratch.path(), &part().unwrap()), played_plain(scratch.path(), torn.frames));
    // the next run takes it over and goes on
    let child = record_child(&url, dir.path(), &["--limit", "10"]);
    let mut ws = accept(&listener).await;
    for k in torn.frames..torn.frames + 10 {
        ws.send(Message::text(frame(k))).await.unwrap();
    }
    let out = ended(child).await;
    assert!(out.status.success() && text(&out.stderr).contains("left behind"), "{}", text(&out.stderr));
    let manifest = Manifest::read(dir.path()).unwrap().unwrap();
    let files: Vec<(u64, bool)> = manifest.files.iter().map(|f| (f.frames, f.torn)).collect();
    assert_eq!(files, [(torn.frames, true), (10, false)]);
    assert_eq!(part(), None);
    assert_eq!(played(scratch.path(), dir.path()), played_plain(scratch.path(), torn.frames + 10));
    let out = run(&["record", "--check", dir.path().to_str().unwrap()]);
    assert!(out.status.success() && text(&out.stdout).contains("fine, torn"), "{}", text(&out.stderr));
}

#[tokio::test]
async fn the_command_stops_by_itself_or_when_told_and_says_what_it_wrote() {
    let (listener, url) = listen().await;
    let dir = tempfile::tempdir().unwrap();
    let child = record_child(&url, dir.path(), &["--limit", "25"]);
    let mut ws = accept(&listener).await;
    for k in 0..40 {
        // it may have enough already
        let _ = ws.send(Message::text(frame(k))).await;
    }
    let out = ended(child).await;
    assert!(out.status.success(), "{}", text(&out.stderr));
    let last = text(&out.stderr).lines().last().unwrap().to_string();
    assert!(last.starts_with("25 frames, ") && last.contains(" 1 file, "), "{last}");
    // told to stop, and meanwhile nobody else may
    let child = record_child(&url, dir.path(), &["--for", "1h"]);
    let mut ws = accept(&listener).await;
    ws.send(Message::text(frame(25))).await.unwrap();
    until("a second file", || Manifest::read(dir.path()).unwrap().unwrap().open.len() == 1).await;
    let refused = ended(record_child(&url, dir.path(), &[])).await;
    assert_eq!(refused.status.code(), Some(1));
    let who = format!("found process {} recording", child.0.id());
    assert!(text(&refused.stderr).contains(&who), "{}", text(&refused.stderr));
    Command::new("kill").args(["-TERM", &child.0.id().to_string()]).status().unwrap();
    let out = ended(child).await;
    assert!(out.status.success() && text(&out.stderr).contains("1 frames, "), "{}", text(&out.stderr));
    drop(ws);
    let manifest = Manifest::read(dir.path()).unwrap().unwrap();
    assert_eq!(manifest.files.iter().map(|f| f.frames).collect::<Vec<_>>(), [25, 1]);
    // nobody listens at a port that was just given back
    drop(listener);
    let out = ended(record_child(&url, dir.path(), &["--for", "1s"])).await;
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("expected a source that can be reached"), "{}", text(&out.stderr));
    for wrong in
        [&["--rotate", "0s"][..], &["--rotate-bytes", "1"], &["--limit", "0"], &["--for", "soon"], &["-c", "x"]]
    {
        let out = ended(record_child(&url, dir.path(), wrong)).await;
        assert_eq!(out.status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_whole_is_kept() {
    let (listener, url) = listen().await;
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // no file may grow beyond 16 blocks of at most 1024 bytes; a write beyond fails as one to a full disk does
    let command = "trap '' XFSZ; ulimit -f 16; exec \"$0\" record --url \"$1\" --out \"$2\" --rotate-bytes 6k";
    let child = Command::new("sh")
        .args(["-c", command, env!("CARGO_BIN_EXE_groundswell"), &url, dir.path().to_str().unwrap()])
        .stderr(Stdio::piped())
        .spawn();
    let child = Recording(child.unwrap());
    let mut ws = accept(&listener).await;
    ws.send(Message::text(frame(0))).await.unwrap();
    until("a flush", || {
        let part = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .find(|p| p.extension() == Some("part".as_ref()));
        part.is_some_and(|p| contents(&p).unwrap().frames == 1)
    })
    .await;
    let mut noise = 1u64;
    let mut digits = || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        noise.to_string()
    };
    let long: String = (0..20_000).map(|_| digits()).collect();
    ws.send(Message::text(format!("\"{long}\""))).await.unwrap();
    let out = ended(child).await;
    let err = text(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{err}");
    assert!(err.contains("error: expected to write ") && err.contains(".ndjson.zst.part, found "), "{err}");
    let recorder = Recorder::new(dir.path(), Rotation::default()).unwrap();
    assert_eq!(recorder.adopted().iter().map(|a| a.frames).collect::<Vec<_>>(), [1]);
    drop(recorder);
    assert_eq!(played(scratch.path(), dir.path()), played_plain(scratch.path(), 1));
}

#[test]
fn a_changed_folder_is_told_file_by_file() {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    record_frames(dir.path(), "a", 0..90, 30);
    let manifest = Manifest::read(dir.path()).unwrap().unwrap();
    let names: Vec<&str> = manifest.files.iter().map(|f| &*f.file).collect();
    assert_eq!(names.len(), 3);
    let rules = scratch.path().join("rules.yaml");
    fs::write(&rules, RULES).unwrap();
    let folder = dir.path().to_str().unwrap();
    let replay =
        |more: &[&str]| run(&[&["replay", folder, "--rules", rules.to_str().unwrap(), "--json"], more].concat());
    let check = || run(&["record", "--check", folder]);
    let want = played_plain(scratch.path(), 90);
    assert_eq!(text(&replay(&[]).stdout), want);
    let fine = check();
    assert!(fine.status.success() && text(&fine.stdout).matches(" fine\n").count() == 3, "{}", text(&fine.stdout));
    assert!(text(&fine.stdout).lines().last().unwrap().contains(" 90 "), "{}", text(&fine.stdout));

    let told = |wanted: &[&str]| {
        for out in [replay(&[]), check()] {
            assert_eq!(out.status.code(), Some(1));
            let err = text(&out.stderr);
            assert!(wanted.iter().all(|w| err.contains(w)) && err.contains("error: "), "{wanted:?} not in {err}");
        }
        assert_eq!(text(&replay(&[]).stdout), "", "nothing is played");
        let unchecked = replay(&["--unchecked"]);
        let err = text(&unchecked.stderr);
        assert!(wanted.iter().all(|w| err.contains(w)) && err.contains("warning: "), "{wanted:?} not in {err}");
        unchecked
    };
    // one too many
    let extra = dir.path().join("extra.ndjson.zst");
    fs::write(&extra, "").unwrap();
    let out = told(&["extra.ndjson.zst: expected a file of manifest.json, found one it does not name"]);
    assert!(out.status.success() && text(&out.stdout) == want);
    fs::remove_file(&extra).unwrap();
    // one bit
    let second = dir.path().join(names[1]);
    let good = fs::read(&second).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(&second, &bad).unwrap();
    let found = format!("{}: expected sha256 {}, found ", names[1], manifest.files[1].sha256);
    told(&[&found]);
    // shorter, and the first one gone
    fs::write(&second, &good[..good.len() - 1]).unwrap();
    fs::remove_file(dir.path().join(names[0])).unwrap();
    let shorter = format!("{}: expected {} bytes, found {}", names[1], good.len(), good.len() - 1);
    let gone = format!("{}: expected a file, found none", names[0]);
    let out = told(&[&shorter, &gone]);
    assert_eq!(out.status.code(), Some(1), "the second cannot be read to its end");
    let out = run(&["replay", scratch.path().to_str().unwrap(), "--rules", rules.to_str().unwrap()]);
    assert!(text(&out.stderr).contains("expected a folder of recordings with manifest.json"), "{}", text(&out.stderr));
}

#[test]
fn sources_of_a_folder_are_put_in_order_by_time() {
    let (dir, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    record_frames(dir.path(), "odd", (0..200).filter(|k| k % 2 == 1), 20);
    record_frames(dir.path(), "even", (0..200).filter(|k| k % 2 == 0), 30);
    let folder = recorded::folder(dir.path()).unwrap().unwrap();
    assert_eq!((folder.manifest.files.len(), folder.inputs().len()), (9, 2));
    assert_eq!(folder.check(), []);
    assert_eq!(played(scratch.path(), dir.path()), played_plain(scratch.path(), 200));
}

fn jsonish() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("\n".to_string()),
        Just("\r\n".to_string()),
        Just("\"".to_string()),
        Just("\\".to_string()),
        Just("{\"a\":".to_string()),
        Just("\"x\\\"y\"".to_string()),
        Just("}".to_string()),
        Just(" ".to_string()),
        "[a-z0-9,:]{0,6}",
        "\\PC{0,4}",
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// The line that a frame should be, found in another way: with line breaks cut out of the text
/// between quotes, none may be missing.
fn line_of(frame: &str) -> Option<String> {
    let (mut rest, mut line) = (frame, String::new());
    while let Some(from) = rest.find('"') {
        let mut to = from + 1;
        while let Some(c) = rest[to..].chars().next() {
            to += c.len_utf8();
            match c {
                '\\' => to += rest[to..].chars().next().map_or(0, char::len_utf8),
                '"' => break,
                _ => {}
            }
        }
        if rest[from..to].contains(['\n', '\r']) {
            return None;
        }
        line += &rest[..from].replace(['\n', '\r'], " ");
        line += &rest[from..to];
        rest = &rest[to..];
    }
    line += &rest.replace(['\n', '\r'], " ");
    (!line.trim_ascii().is_empty()).then_some(line)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn lines_in_are_lines_out(frames in proptest::collection::vec(jsonish(), 0..40), each in 1i64..30) {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = Recorder::new(dir.path(), Rotation { bytes: u64::MAX, span: Span::seconds(each) }).unwrap();
        let source = SourceInfo { name: "x".into(), format: WireFormat::Post };
        for (k, frame) in frames.iter().enumerate() {
            recorder.take(&source, frame.as_bytes(), Time(START as i64) + Span::seconds(k as i64)).unwrap();
        }
        let skipped = recorder.written().skipped;
        let manifest = recorder.finish(Time(START as i64)).unwrap();
        let want: Vec<String> = frames.iter().filter_map(|f| line_of(f)).collect();
        let written: String = manifest.files.iter().map(|f| {
            text(&zstd::stream::decode_all(File::open(dir.path().join(&f.file)).unwrap()).unwrap())
        }).collect();
        prop_assert_eq!(&written, &want.iter().map(|l| l.clone() + "\n").collect::<String>());
        prop_assert_eq!(skipped as usize, frames.len() - want.len());
        // and as replay reads them
        let folder = recorded::folder(dir.path()).unwrap().unwrap();
        prop_assert_eq!(folder.check(), vec![]);
        let mut read = Vec::new();
        for (_, mut lines) in folder.inputs() {
            while let Some(frame) = lines.next_line().unwrap() {
                read.push(text(&frame.bytes));
            }
        }
        let want: Vec<&str> = want.iter().map(|l| l.trim_ascii()).collect();
        prop_assert_eq!(read, want);
    }
}
