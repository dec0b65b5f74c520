//! Posts that are pushed to the service, and who may ask it for what.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::{Config, PushConfig, Right, SourceConfig, SourceKind, Token};
use groundswell::app::service::{Parts, Service};
use groundswell::base::limits;
use groundswell::base::model::{SourceInfo, WireFormat};
use groundswell::base::secret::Secret;
use serde_json::Value as Json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::live::{HASTE, Live, ask, config, rules};

const DESK: &str = "desk-token-0123456789";
const OTHER: &str = "other-token-0123456789";
const READ: &str = "read-token-0123456789";
const ADMIN: &str = "admin-token-0123456789";

fn push(name: &str, token: &str) -> SourceConfig {
    let info = SourceInfo { name: name.into(), format: WireFormat::Post };
    SourceConfig { info: Arc::new(info), kind: SourceKind::Push(PushConfig { token: Secret::new(token) }) }
}

fn sources() -> Config {
    config(vec![push("desk", DESK), push("other", OTHER)])
}

fn with_tokens() -> Config {
    let token = |name: &str, secret: &str, may| Token { name: name.into(), secret: Secret::new(secret), may };
    let tokens = vec![token("r", READ, vec![Right::Read]), token("a", ADMIN, vec![Right::Admin])];
    Config { tokens, ..sources() }
}

async fn start(config: Config) -> Live {
    Live::with(config, rules(), HASTE).await
}

fn post(id: &str) -> String {
    let now = SystemClock.now();
    format!(r#"{{"id":"{id}","source":"crm","author":"a{id}","text":"united is late","time":"{now}"}}"#)
}

fn posts(ids: std::ops::Range<u32>) -> String {
    ids.map(|id| post(&id.to_string()) + "\n").collect()
}

fn head(token: &str, more: &str) -> String {
    format!(
        "POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
    )
}

async fn send(address: SocketAddr, token: &str, body: &str) -> (u16, Json) {
    let (status, answer) = ask(address, &(head(token, &format!("Content-Length: {}\r\n", body.len())) + body)).await;
    (status, serde_json::from_str(&answer).unwrap())
}

/// Begins a request whose body comes in chunks.
async fn begin(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(head(DESK, "Transfer-Encoding: chunked\r\n").as_bytes()).await.unwrap();
    socket
}

async fn chunk(socket: &mut TcpStream, bytes: &str) {
    socket.write_all(format!("{:x}\r\n{bytes}\r\n", bytes.len()).as_bytes()).await.unwrap();
}

/// The whole answer.
async fn answer(mut socket: TcpStream) -> String {
    let mut out = String::new();
    socket.read_to_string(&mut out).await.unwrap();
    out
}

fn outcomes(answer: &Json) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|i| i["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_post_is_told_how_it_ended_in_lines_and_in_arrays() {
    let live = start(sources()).await;
    let at = live.service.address;
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(limits::FRAME_BYTES));
    let lines = [&post("1"), "", "nonsense", &long, &post("2"), r#"{"id":"3"}"#].join("\r\n");
    let (status, told) = send(at, DESK, &lines).await;
    assert_eq!((status, &told["taken"], &told["errors"]), (200, &5.into(), &true.into()), "{told}");
    assert_eq!(outcomes(&told), ["mention", "malformed", "oversize", "mention", "malformed"]);
    assert_eq!((&told["items"][3]["id"], &told["items"][3]["item"]), (&"2".into(), &4.into()));
    assert!(told["items"][2]["error"].as_str().unwrap().contains("at most 2097152 bytes"));
    let array = format!(" [{} , {}\n,[1], {}]\n", post("1"), post("2"), post("4").replace("united", "nobody"));
    let (status, told) = send(at, DESK, &array).await;
    assert_eq!((status, outcomes(&told)), (200, vec!["duplicate", "duplicate", "malformed", "unmatched"]));
    assert_eq!(told["outcomes"]["duplicate"], 2);
    for (body, code) in [("", 400), (" \n", 400), ("[]", 400), ("{}", 200)] {
        assert_eq!(send(at, DESK, body).await.0, code, "{body:?}");
    }
    live.outcome("desk", "mention", 2).await;
    live.until("groundswell_queue_items{queue=\"engine\"}", |n| n == 0.0).await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_is_told() {
    let live = start(sources()).await;
    let (status, told) = send(live.service.address, DESK, &posts(0..3)).await;
    assert_eq!((status, outcomes(&told)), (200, vec!["mention"; 3]));
    let page = live.notice().await.transition;
    assert_eq!((page.value, page.to.name()), (Some(3.0), "firing"));
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_acknowledged_before_the_engine_took_it() {
    let (busy, wait) = (channel::<()>(), channel::<()>());
    let parts = Parts::new(sources(), rules(), Arc::new(SystemClock)).unwrap();
    let (busy_to, wait_for) = (busy.0, wait.1);
    let tap = Box::new(move |entries: &[groundswell::base::model::Entry]| {
        if entries.iter().any(|e| e.keys().is_some_and(|k| !k.is_empty())) {
            busy_to.send(()).unwrap();
            let _ = wait_for.recv();
        }
    });
    let service = Service::start(Parts { tap: Some(tap), ..parts }, |_| Ok(())).await.unwrap();
    let at = service.address;
    let first = tokio::spawn(async move { send(at, DESK, &post("1")).await.0 });
    let is_busy = move || (busy.1.recv_timeout(Duration::from_secs(5)), busy.1);
    let (busy, _again) = tokio::task::spawn_blocking(is_busy).await.unwrap();
    busy.unwrap();
    // the engine is at the first one still
    let mut socket = TcpStream::connect(at).await.unwrap();
    let body = post("2");
    let request = head(DESK, &format!("Content-Length: {}\r\n", body.len())) + &body;
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut byte = [0];
    assert!(tokio::time::timeout(Duration::from_millis(200), socket.read(&mut byte)).await.is_err());
    assert!(!first.is_finished(), "nor is the first");
    wait.0.send(()).unwrap();
    assert_eq!(first.await.unwrap(), 200);
    drop(wait.0);
    assert!(answer(socket).await.contains("\"mention\":1"));
    service.stop().await.unwrap();
}

#[tokio::test]
async fn only_who_has_the_token_of_a_source_pushes_to_it() {
    let live = start(with_tokens()).await;
    let at = live.service.address;
    let body = post("1");
    let try_with = async |headers: &str| {
        let mut socket = TcpStream::connect(at).await.unwrap();
        let request = format!(
            "POST /v1/posts HTTP/1.1\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let said = answer(socket).await;
        (said.split(' ').nth(1).unwrap().to_string(), said.to_lowercase())
    };
    let host = "Host: localhost\r\n";
    let with = |token: &str| format!("{host}Authorization: Bearer {token}\r\n");
    for headers in
        [host.to_string(), with("wrong-token-0123456789"), with(""), format!("{host}Authorization: Basic eA==\r\n")]
    {
        let (status, said) = try_with(&headers).await;
        assert!(status == "401" && said.contains("www-authenticate: bearer realm=\"groundswell\""), "{headers} {said}");
    }
    // tokens of people, pages of browsers
    for headers in
        [with(READ), with(ADMIN), format!("{host}Origin: https://evil.example\r\n"), "Host: evil.example\r\n".into()]
    {
        let (status, said) = try_with(&headers).await;
        assert!(status == "403" && !said.contains("www-authenticate"), "{headers} {said}");
    }
    assert!(!live.get("/metrics").await.1.contains("groundswell_frames_total{"), "nothing was taken");
    // a token makes up for a page; another source is another source
    assert_eq!(try_with(&(with(OTHER) + "Origin: https://x\r\n")).await.0, "200");
    live.outcome("other", "mention", 1).await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn state_and_reloads_are_for_those_who_may() {
    let request = |what: &str, host: &str, token: &str| {
        let token = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        format!("{what} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{token}Content-Length: 0\r\n\r\n")
    };
    let (status, reload) = ("GET /v1/status", "POST /v1/reload");
    let open = start(sources()).await;
    let at = open.service.address;
    for (what, host, token, code) in [
        (status, "127.0.0.1:9464", "", 200),
        (status, "[::1]", "", 200),
        (status, "evil.example", "", 403),
        (status, "localhost.evil.example:80", "", 403),
        (status, "localhost", "guessed-token-0123456789", 401),
        // it reads no files here, and says so
        (reload, "localhost", "", 422),
        (reload, "evil.example", "", 403),
        ("GET /v1/reload", "localhost", "", 405),
        ("GET /v1/nothing", "localhost", "", 404),
        ("GET /metrics", "evil.example", "", 200),
    ] {
        assert_eq!(ask(at, &request(what, host, token)).await.0, code, "{what} {host} {token}");
    }
    open.service.stop().await.unwrap();
    let closed = start(with_tokens()).await;
    let at = closed.service.address;
    for (what, host, token, code) in [
        (status, "localhost", "", 401),
        (status, "evil.example", "", 403),
        (status, "gs.example", READ, 200),
        (status, "localhost", ADMIN, 200),
        (status, "localhost", DESK, 403),
        (reload, "localhost", "", 401),
        (reload, "localhost", READ, 403),
        (reload, "localhost", DESK, 403),
        (reload, "localhost", ADMIN, 422),
    ] {
        assert_eq!(ask(at, &request(what, host, token)).await.0, code, "{what} {host} {token}");
    }
    let said = ask(at, &request(status, "localhost", READ)).await.1;
    assert!(said.contains("\"desk\"") && ![DESK, OTHER, READ, ADMIN].iter().any(|t| said.contains(t)), "{said}");
    closed.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_that_comes_slowly_is_read_as_it_comes() {
    let live = start(sources()).await;
    let mut socket = begin(live.service.address).await;
    let text = posts(0..3);
    for part in text.as_bytes().chunks(7) {
        chunk(&mut socket, std::str::from_utf8(part).unwrap()).await;
        tokio::task::yield_now().await;
    }
    // whole batches are taken while the rest is on its way
    chunk(&mut socket, &posts(3..600)).await;
    live.outcome("desk", "mention", limits::BATCH_FRAMES as u32).await;
    chunk(&mut socket, &posts(600..601)).await;
    socket.write_all(b"0\r\n\r\n").await.unwrap();
    let said = answer(socket).await;
    assert!(said.starts_with("HTTP/1.1 200") && said.contains("\"taken\":601"));
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn too_many_posts_are_refused_and_what_was_taken_is_told() {
    let live = start(sources()).await;
    let (status, told) = send(live.service.address, DESK, &"{}\n".repeat(limits::PUSH_ITEMS + 1)).await;
    let taken = told["taken"].as_u64().unwrap();
    assert!(status == 413 && told["error"].as_str().unwrap().contains("at most 100000 posts"), "{status}");
    assert!((90_000..=100_000).contains(&taken), "{taken}");
    live.outcome("desk", "malformed", u32::try_from(taken).unwrap()).await;
    assert_eq!(send(live.service.address, DESK, &post("1")).await.0, 200);
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_broken_array_is_refused_but_what_came_before_counts() {
    let live = start(sources()).await;
    let at = live.service.address;
    for (id, broken) in [(1, "[POST,}"), (2, "[POST,,1]"), (3, "[POST] x"), (4, "[POST,{\"a\":")] {
        let (status, told) = send(at, DESK, &broken.replace("POST", &post(&id.to_string()))).await;
        assert!(status == 400 && told["error"].as_str().unwrap().starts_with("expected "), "{broken}: {told}");
        assert_eq!(outcomes(&told), ["mention"], "{broken}");
    }
    live.outcome("desk", "mention", 4).await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_midway_loses_what_was_not_taken_and_sending_again_mends_it() {
    let live = start(sources()).await;
    let whole = posts(0..600);
    let mut socket = begin(live.service.address).await;
    chunk(&mut socket, &whole[..whole.len() - 50]).await;
    live.outcome("desk", "mention", limits::BATCH_FRAMES as u32).await;
    drop(socket);
    let (status, told) = send(live.service.address, DESK, &whole).await;
    assert_eq!((status, &told["outcomes"]["duplicate"]), (200, &limits::BATCH_FRAMES.into()));
    live.outcome("desk", "mention", 600).await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn two_that_push_the_same_count_it_once() {
    let live = start(sources()).await;
    let (at, body) = (live.service.address, posts(0..2000));
    let ((a, told_a), (b, told_b)) = tokio::join!(send(at, DESK, &body), send(at, DESK, &body));
    assert_eq!((a, b), (200, 200));
    let sum =
        |word: &str| told_a["outcomes"][word].as_u64().unwrap_or(0) + told_b["outcomes"][word].as_u64().unwrap_or(0);
    assert_eq!((sum("mention"), sum("duplicate")), (2000, 2000));
    live.outcome("desk", "mention", 2000).await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn who_pushes_while_the_service_stops_is_asked_to_come_again() {
    let live = start(sources()).await;
    let mut socket = begin(live.service.address).await;
    chunk(&mut socket, &posts(0..512)).await;
    live.outcome("desk", "mention", 512).await;
    let status = live.service.status().clone();
    let stopping = tokio::spawn(live.service.stop());
    while !status.is_stopping() {
        tokio::task::yield_now().await;
    }
    chunk(&mut socket, &posts(512..600)).await;
    socket.write_all(b"0\r\n\r\n").await.unwrap();
    let said = answer(socket).await;
    assert!(said.starts_with("HTTP/1.1 503 ") && said.to_lowercase().contains("\r\nretry-after: 5\r\n"), "{said}");
    assert!(said.contains("\"taken\":512") && said.contains("send all of it again"));
    stopping.await.unwrap().unwrap();
}
