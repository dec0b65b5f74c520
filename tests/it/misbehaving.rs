//! Servers that misbehave: the service counts it, goes on, and hears the next good one.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::base::limits;
use groundswell::base::time::Span;
use groundswell::collect::connection::Patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::live::{HASTE, Live, accept, config, frame, frame_at, jetstream, rules, rules_of, well};

type Asked = Arc<Mutex<Vec<String>>>;

const OK: &str = "groundswell_source_connects_total{result=\"ok\",source=\"bluesky\"}";
const FAILED: &str = "groundswell_source_connects_total{result=\"failed\",source=\"bluesky\"}";

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

async fn hasty(hosts: &[SocketAddr]) -> Live {
    Live::with(config(vec![jetstream(hosts, None)]), rules(), HASTE).await
}

/// Three mentions.
fn three() -> Vec<String> {
    (1..4).map(|id| frame(id, "united is late")).collect()
}

/// From here on the server is well: the service hears it, and counts its posts once.
async fn heard_well(live: Live, listener: TcpListener) -> Vec<String> {
    let asked: Asked = Arc::default();
    well(listener, &asked, three());
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    live.outcome("bluesky", "mention", 3).await;
    assert_eq!(live.get("/readyz").await.0, 200);
    live.service.stop().await.unwrap();
    asked.lock().unwrap().clone()
}

/// Reads a request to its end.
async fn request(socket: &mut TcpStream) -> String {
    let mut out = Vec::new();
    while !out.ends_with(b"\r\n\r\n") {
        let mut byte = [0; 1];
        if socket.read(&mut byte).await.unwrap() == 0 {
            break;
        }
        out.push(byte[0]);
    }
    String::from_utf8(out).unwrap()
}

/// Waits until the other side has hung up.
async fn gone(socket: &mut TcpStream) {
    let mut buf = [0; 1024];
    while socket.read(&mut buf).await.is_ok_and(|n| n > 0) {}
}

#[tokio::test]
async fn one_that_never_answers_the_handshake_is_given_up() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let (mut silent, _) = listener.accept().await.unwrap();
    live.unready("no connection within").await;
    live.until(FAILED, |n| n == 1.0).await;
    gone(&mut silent).await;
    heard_well(live, listener).await;
}

#[tokio::test]
async fn one_that_always_closes_is_asked_less_and_less() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let mut closed: Option<Instant> = None;
    // the least wait after each failure: half of what doubles from 20 to 200 ms
    for least in [0, 10, 20, 40, 80, 100, 100] {
        let mut ws = accept(&listener, &Arc::default()).await;
        let waited = closed.map_or(Duration::ZERO, |c| c.elapsed());
        assert!(waited >= Duration::from_millis(least), "{waited:?} < {least} ms");
        closed = Some(Instant::now());
        let _ = ws.close(Some(CloseFrame { code: 1013.into(), reason: "full today".into() })).await;
        while let Some(Ok(_)) = ws.next().await {}
    }
    live.unready("closed by the server: full today").await;
    live.until(OK, |n| n == 7.0).await;
    heard_well(live, listener).await;
}

#[tokio::test]
async fn one_that_refuses_is_told_with_its_reason() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let (mut socket, _) = listener.accept().await.unwrap();
    request(&mut socket).await;
    socket.write_all(b"HTTP/1.1 503 no\r\nContent-Length: 10\r\n\r\nback\x1b[1m 9h").await.unwrap();
    live.unready("the server answered 503 Service Unavailable: back[1m 9h").await;
    drop(socket);
    live.until(FAILED, |n| n == 1.0).await;
    heard_well(live, listener).await;
}

/// Answers requests with 400 until one goes on nowhere; gives how many it took.
async fn too_old(body: &[u8]) -> usize {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let asked = Arc::default();
    let mut ws = accept(&listener, &asked).await;
    ws.send(Message::text(frame(9, "united"))).await.unwrap();
    live.outcome("bluesky", "mention", 1).await;
    drop(ws);
    let mut refused = 0;
    loop {
        let (mut socket, _) = listener.accept().await.unwrap();
        // looked at, not taken: the upgrade is left to who takes it
        let mut head = [0; 2048];
        let n = loop {
            let n = socket.peek(&mut head).await.unwrap();
            if head[..n].ends_with(b"\r\n\r\n") {
                break n;
            }
        };
        if !String::from_utf8_lossy(&head[..n]).contains("cursor=") {
            let mut ws = crate::live::greet(socket, &asked).await;
            for frame in &three()[..2] {
                ws.send(Message::text(frame.clone())).await.unwrap();
            }
            assert_eq!(live.notice().await.transition.value, Some(3.0));
            break;
        }
        refused += 1;
        let head = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n", body.len().max(1));
        socket.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
        gone(&mut socket).await;
    }
    live.until(FAILED, |n| n == refused as f64).await;
    live.service.stop().await.unwrap();
    refused
}

#[tokio::test]
async fn a_cursor_that_is_too_old_is_given_up() {
    assert_eq!(too_old(br#"{"error":"CursorTooOld","message":"x"}"#).await, 1);
    // what is sent after the head of the answer is not seen: nobody says why, again and again
    assert_eq!(too_old(b"").await, 2);
}

#[tokio::test]
async fn garbage_of_any_kind_costs_a_connection() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    for garbage in
        [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"\r\n\r\n\0\0\0", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 101 Go\r\n\r\n"]
    {
        let (mut socket, _) = listener.accept().await.unwrap();
        request(&mut socket).await;
        socket.write_all(garbage).await.unwrap();
        drop(socket);
    }
    live.until(FAILED, |n| n == 4.0).await;
    let mut noise = 7u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 33) as u8 | 0x70 // reserved bits are never allowed
    })
    .take(4096)
    .collect();
    // unknown opcodes, bits that are reserved, a frame with a mask, a ping in parts, noise
    for bytes in [&[0x83, 0][..], &[0x8f, 0], &[0xc1, 0], &[0x81, 0x81, 1, 2, 3, 4, 5], &[0x09, 0], &random] {
        let mut ws = accept(&listener, &Arc::default()).await;
        ws.get_mut().write_all(bytes).await.unwrap();
        gone(ws.get_mut()).await;
    }
    live.until(OK, |n| n == 6.0).await;
    let mut ws = accept(&listener, &Arc::default()).await;
    for text in ["", "no", "{", "[]", "null", "{\"did\":1}", "\u{0}"] {
        ws.send(Message::text(text)).await.unwrap();
    }
    live.outcome("bluesky", "malformed", 7).await;
    drop(ws);
    heard_well(live, listener).await;
}

#[tokio::test]
async fn what_is_announced_or_pieced_together_too_large_is_not_kept() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let mut ws = accept(&listener, &Arc::default()).await;
    // nothing but a length: more bytes than there are
    ws.get_mut().write_all(&[0x82, 127, 0x3f, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    gone(ws.get_mut()).await;
    live.outcome("bluesky", "oversize", 1).await;
    let mut ws = accept(&listener, &Arc::default()).await;
    let piece = [&[0, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &[b'x'; 1 << 16]].concat();
    let mut sent = 0;
    let mut first = piece.clone();
    first[0] = 0x01;
    ws.get_mut().write_all(&first).await.unwrap();
    // never an end
    while sent < 20 * limits::FRAME_BYTES && ws.get_mut().write_all(&piece).await.is_ok() {
        sent += piece.len();
    }
    assert!(sent < 20 * limits::FRAME_BYTES, "it read on and on");
    live.outcome("bluesky", "oversize", 2).await;
    heard_well(live, listener).await;
}

#[tokio::test]
async fn one_that_never_pongs_is_dropped() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let mut dead = accept(&listener, &Arc::default()).await;
    live.unready("silent, and no answer to a ping").await;
    gone(dead.get_mut()).await;
    heard_well(live, listener).await;
}

#[tokio::test]
async fn one_that_says_nothing_but_pongs_is_kept() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let mut ws = accept(&listener, &Arc::default()).await;
    for _ in 0..4 {
        let ping = ws.next().await.unwrap().unwrap();
        assert!(ping.is_ping(), "{ping:?}");
        ws.flush().await.unwrap();
    }
    for text in three() {
        ws.send(Message::text(text)).await.unwrap();
    }
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    assert_eq!(live.value(OK).await, Some(1.0), "one connection");
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn half_a_frame_is_no_frame() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let text = &three()[0];
    let head = [0x81, 126, (text.len() >> 8) as u8, text.len() as u8];
    for part in [1, 3, 4, 5, text.len() + 3] {
        let mut ws = accept(&listener, &Arc::default()).await;
        let whole = [&head[..], text.as_bytes()].concat();
        ws.get_mut().write_all(&whole[..part]).await.unwrap();
        ws.get_mut().shutdown().await.unwrap();
        gone(ws.get_mut()).await;
    }
    live.until(OK, |n| n == 5.0).await;
    assert!(!live.get("/metrics").await.1.contains("groundswell_frames_total{"));
    heard_well(live, listener).await;
}

#[tokio::test]
async fn a_frame_that_comes_drop_by_drop_is_not_waited_for() {
    let (listener, address) = listen().await;
    let live = hasty(&[address]).await;
    let mut ws = accept(&listener, &Arc::default()).await;
    ws.get_mut().write_all(&[0x81, 126, 0xff, 0xff]).await.unwrap();
    let mut drops = 0;
    while ws.get_mut().write_all(b"x").await.is_ok() {
        drops += 1;
        assert!(drops < 3000, "given up by nobody");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(drops > 50, "not at once: {drops}");
    heard_well(live, listener).await;
}

/// What is told of thirty mentions that come over these connections.
async fn told(connections: &[Vec<usize>], frames: &[String], duplicates: u32) -> Vec<(String, Option<f64>)> {
    let rules = rules_of(
        "brands: {u: {query: united}}\nrules:\n  - {alert: A, when: 'mentions[1h] >= 3', severity: page}\n  - {alert: B, when: 'mentions[1h] >= 11', severity: warn}\n  - {alert: C, when: 'mentions[1h] >= 30', severity: page}\n",
    );
    let (listener, address) = listen().await;
    let live = Live::with(config(vec![jetstream(&[address], None)]), rules, HASTE).await;
    let mut sent = 0.0;
    for order in connections {
        let mut ws = accept(&listener, &Arc::default()).await;
        for at in order {
            ws.send(Message::text(frames[*at].clone())).await.unwrap();
        }
        sent += order.len() as f64;
        let all = |m: &str| {
            let of = |outcome: &str| {
                let name = format!("groundswell_frames_total{{outcome=\"{outcome}\",source=\"bluesky\"}} ");
                m.lines().find_map(|l| l.strip_prefix(&name)?.parse::<f64>().ok()).unwrap_or(0.0)
            };
            of("mention") + of("duplicate")
        };
        while all(&live.get("/metrics").await.1) < sent {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    live.outcome("bluesky", "mention", 30).await;
    if duplicates > 0 {
        live.outcome("bluesky", "duplicate", duplicates).await;
    }
    let mut out = Vec::new();
    for _ in 0..3 {
        let n = live.notice().await;
        out.push((n.rules.rules[n.transition.rule as usize].name.to_string(), n.transition.value));
    }
    live.service.stop().await.unwrap();
    assert!(live.messages.try_iter().next().is_none(), "told more than once");
    out
}

#[tokio::test]
async fn what_comes_again_and_out_of_order_after_a_resume_changes_nothing() {
    let now = SystemClock.now().0;
    let frames: Vec<String> =
        (0..30).map(|k| frame_at(k, "united", now - 60_000_000 + i64::from(k) * 100_000)).collect();
    let undisturbed = told(&[(0..30).collect()], &frames, 0).await;
    let again = |from: usize, to: usize| (from..to).rev().collect::<Vec<_>>();
    let disturbed = told(&[(0..12).collect(), again(2, 19), again(0, 30)], &frames, 10 + 19).await;
    assert_eq!(disturbed, undisturbed);
    assert_eq!(undisturbed, [("A".into(), Some(3.0)), ("B".into(), Some(11.0)), ("C".into(), Some(30.0))]);
}

async fn next_of(a: &TcpListener, b: &TcpListener, asked: &Asked) -> (char, WebSocketStream<TcpStream>) {
    tokio::select! {
        ws = accept(a, asked) => ('a', ws),
        ws = accept(b, asked) => ('b', ws),
    }
}

fn cursor(uri: &str) -> i64 {
    uri.split_once("cursor=").map_or(0, |(_, c)| c.parse().unwrap())
}

#[tokio::test]
async fn the_next_server_is_asked_at_once_and_goes_on_where_the_first_was() {
    let ((a, at_a), (b, at_b)) = (listen().await, listen().await);
    // whoever waited for its turn would wait for an hour
    let slow = Patience { first: Span::seconds(3600), most: Span::seconds(3600), ..HASTE };
    let live = Live::with(config(vec![jetstream(&[at_a, at_b], None)]), rules(), slow).await;
    let asked: Asked = Arc::default();
    let last = SystemClock.now().0 - 7_000_000;
    let mut ws = accept(&a, &asked).await;
    ws.send(Message::text(frame_at(1, "united", last - 9))).await.unwrap();
    ws.send(Message::text(frame_at(2, "united", last))).await.unwrap();
    live.outcome("bluesky", "mention", 2).await;
    drop((ws, a));
    let mut ws = accept(&b, &asked).await;
    for text in [frame_at(2, "united", last), frame(3, "united")] {
        ws.send(Message::text(text)).await.unwrap();
    }
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    live.outcome("bluesky", "duplicate", 1).await;
    let uris = asked.lock().unwrap().clone();
    assert_eq!((cursor(&uris[0]), cursor(&uris[1])), (0, last - limits::RESUME_OVERLAP.0), "{uris:?}");
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn back_and_forth_between_two_servers_nothing_is_lost_or_counted_twice() {
    let ((a, at_a), (b, at_b)) = (listen().await, listen().await);
    let live = hasty(&[at_a, at_b]).await;
    let asked: Asked = Arc::default();
    let (mut order, mut before) = (String::new(), 0);
    for id in 1..7u32 {
        let (who, mut ws) = next_of(&a, &b, &asked).await;
        order.push(who);
        let uri = asked.lock().unwrap().last().unwrap().clone();
        assert_eq!(cursor(&uri), (before - limits::RESUME_OVERLAP.0).max(0), "{uri}");
        if id > 1 {
            ws.send(Message::text(frame_at(id - 1, "united", before))).await.unwrap();
        }
        before = SystemClock.now().0;
        ws.send(Message::text(frame_at(id, "united", before))).await.unwrap();
        live.outcome("bluesky", "mention", id).await;
    }
    assert_eq!(order, "ababab");
    live.outcome("bluesky", "duplicate", 5).await;
    live.service.stop().await.unwrap();
}
