//! The live service over real sockets on loopback.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::base::limits;
use groundswell::base::time::{Span, Time};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::live::{Live, accept, frame, get, jetstream};

#[tokio::test]
async fn a_frame_on_the_socket_becomes_a_page_and_a_metric() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = Arc::default();
    let live = Live::start(vec![jetstream(&[listener.local_addr().unwrap()], None)]).await;
    assert_eq!(get(live.service.address, "/healthz").await, (200, "alive\n".to_string()));
    let (status, why) = get(live.service.address, "/readyz").await;
    assert!(status == 503 && why.contains("source bluesky"), "{status} {why}");
    let mut ws = accept(&listener, &asked).await;
    for id in 0..3 {
        ws.send(Message::text(frame(id, "united is late"))).await.unwrap();
    }
    ws.send(Message::text("garbage")).await.unwrap();
    ws.send(Message::binary(vec![0xff; 10])).await.unwrap();
    let page = live.notice().await;
    assert_eq!((page.transition.value, page.transition.to.name()), (Some(3.0), "firing"));
    for line in [
        "groundswell_frames_total{outcome=\"mention\",source=\"bluesky\"} 3",
        "groundswell_frames_total{outcome=\"malformed\",source=\"bluesky\"} 2",
        "groundswell_source_up{source=\"bluesky\"} 1",
        "groundswell_transitions_total{alert=\"Three\",severity=\"page\",to=\"firing\"} 1",
        "groundswell_open_episodes{severity=\"page\"} 1",
        "groundswell_stage_last_minute_seconds{quantile=\"0.99\",stage=\"receive_to_transition\"}",
    ] {
        live.metric(line).await;
    }
    assert_eq!(get(live.service.address, "/readyz").await.0, 200);
    assert!(
        asked.lock().unwrap()[0]
            .contains("wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.feed.repost")
    );
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_lost_connection_is_resumed_a_little_earlier_and_counts_nothing_twice() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = Arc::default();
    let live = Live::start(vec![jetstream(&[listener.local_addr().unwrap()], None)]).await;
    let first = frame(1, "united");
    let mut ws = accept(&listener, &asked).await;
    ws.send(Message::text(first.clone())).await.unwrap();
    ws.send(Message::text(frame(2, "united"))).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(ws);
    let mut ws = accept(&listener, &asked).await;
    // what was sent already comes again
    ws.send(Message::text(first)).await.unwrap();
    ws.send(Message::text(frame(3, "united"))).await.unwrap();
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    let uris = asked.lock().unwrap().clone();
    assert!(!uris[0].contains("cursor="), "{uris:?}");
    let cursor: i64 = uris[1].split_once("cursor=").unwrap().1.parse().unwrap();
    let age = SystemClock.now().0 - cursor;
    assert!((limits::RESUME_OVERLAP.0..limits::RESUME_OVERLAP.0 + 30_000_000).contains(&age), "{age}");
    live.metric("groundswell_frames_total{outcome=\"duplicate\",source=\"bluesky\"} 1").await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_frame_too_large_is_counted_and_the_stream_goes_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let asked = Arc::default();
    let live = Live::start(vec![jetstream(&[listener.local_addr().unwrap()], None)]).await;
    let mut ws = accept(&listener, &asked).await;
    ws.send(Message::text(frame(1, "united"))).await.unwrap();
    // the reader hangs up before it is all sent
    let _ = ws.send(Message::text("x".repeat(limits::FRAME_BYTES + 1))).await;
    let mut ws = accept(&listener, &asked).await;
    for id in 2..4 {
        ws.send(Message::text(frame(id, "united"))).await.unwrap();
    }
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    live.metric("groundswell_frames_total{outcome=\"oversize\",source=\"bluesky\"} 1").await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_frame_that_is_no_utf8_is_stepped_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let live = Live::start(vec![jetstream(&[listener.local_addr().unwrap()], None)]).await;
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    for id in 1..3 {
        let mut ws = accept(&listener, &asked).await;
        ws.send(Message::text(frame(id, "united"))).await.unwrap();
        // one frame, unmasked as servers send it: final, text, two bytes that are no UTF-8
        ws.get_mut().write_all(&[0x81, 0x02, 0xff, 0xfe]).await.unwrap();
        // the reader hangs up
        while let Some(Ok(_)) = ws.next().await {}
    }
    let mut ws = accept(&listener, &asked).await;
    ws.send(Message::text(frame(3, "united"))).await.unwrap();
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    live.metric("groundswell_frames_total{outcome=\"malformed\",source=\"bluesky\"} 2").await;
    let cursor = |uri: &str| uri.split_once("cursor=").unwrap().1.parse::<i64>().unwrap();
    let uris = asked.lock().unwrap().clone();
    assert!(cursor(&uris[1]) < SystemClock.now().0, "{uris:?}");
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn audiences_are_asked_for_and_correct_what_was_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let appview = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = jetstream(&[listener.local_addr().unwrap()], Some(appview.local_addr().unwrap()));
    let live = Live::start(vec![source]).await;
    let answers = tokio::spawn(async move {
        // the first answer is a refusal: it is asked again
        for body in [
            None,
            Some(r#"{"profiles":[{"did":"did:plc:a1","handle":"big.example","followersCount":640000},{"did":"x"}]}"#),
        ] {
            let (mut socket, _) = appview.accept().await.unwrap();
            let mut request = [0; 4096];
            let n = socket.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            assert!(request.starts_with("GET /xrpc/app.bsky.actor.getProfiles?actors=did:plc:a1 "), "{request}");
            let answer = match body {
                None => "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_string(),
                Some(b) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{b}", b.len()),
            };
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let mut ws = accept(&listener, &Arc::default()).await;
    ws.send(Message::text(frame(1, "united lied, this is terrible and shameful"))).await.unwrap();
    let page = live.notice().await;
    let evidence = page.transition.evidence.as_ref().unwrap();
    assert_eq!(
        (evidence.known, evidence.top[0].followers, evidence.top[0].name.as_deref()),
        (1, 640_000, Some("big.example"))
    );
    answers.await.unwrap();
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_rejects_or_is_silent_does_not_stop_the_service() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let live = Live::start(vec![jetstream(&[listener.local_addr().unwrap()], None)]).await;
    let (mut socket, _) = listener.accept().await.unwrap();
    socket.write_all(b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    drop(socket);
    let asked = Arc::default();
    let mut ws = accept(&listener, &asked).await;
    for id in 0..3 {
        ws.send(Message::text(frame(id, "united"))).await.unwrap();
    }
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    live.metric("groundswell_source_connects_total{result=\"failed\",source=\"bluesky\"} 1").await;
    // stops although the server never closes
    let stopping = tokio::spawn(live.service.stop());
    while let Some(Ok(_)) = ws.next().await {}
    stopping.await.unwrap().unwrap();
}

/// A machine whose clock went back.
struct Back;

impl Clock for Back {
    fn now(&self) -> Time {
        SystemClock.now()
    }

    fn behind(&self) -> Span {
        Span::seconds(366 * 86_400)
    }
}

#[test]
fn a_clock_that_is_behind_is_said() {
    use groundswell::serve::Answers;
    let status =
        groundswell::app::status::Status::new(Arc::new(Back), Arc::new(crate::live::config(Vec::new()))).unwrap();
    let said = "clock: 366d behind what was seen before; check the time of this machine";
    assert!(status.reasons().iter().any(|r| r == said), "{:?}", status.reasons());
    assert!(status.metrics().contains("groundswell_clock_behind_seconds 31622400\n"), "{}", status.metrics());
}
