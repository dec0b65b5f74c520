//! Any WebSocket that sends JSON: what it is sent, how its messages are split, what is lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::{SourceConfig, SourceKind, WebSocketConfig};
use groundswell::base::model::{FieldMap, Pointer, SourceInfo, WireFormat};
use groundswell::base::secret::Secret;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use crate::live::{HASTE, Live, config, rules};

fn at(pointer: &str) -> Pointer {
    Pointer::new(pointer).unwrap()
}

fn forum(listener: &TcpListener) -> SourceConfig {
    let map = FieldMap {
        network: "forum".into(),
        id: at("/id"),
        author: at("/user/name"),
        text: at("/body"),
        time: at("/created"),
        only: vec![(at("/type"), vec!["post".into()])],
        ..FieldMap::default()
    };
    let info = SourceInfo { name: "forum".into(), format: WireFormat::Json(Arc::new(map)) };
    let kind = SourceKind::WebSocket(WebSocketConfig {
        url: format!("ws://{}/stream", listener.local_addr().unwrap()),
        headers: vec![("Authorization".into(), Secret::new("Bearer abc")), ("X-Room".into(), Secret::new("9"))],
        subscribe: vec![r#"{"op":"hello"}"#.into(), r#"{"op":"join"}"#.into()],
        items: Some(at("/data/posts")),
        ca: None,
    });
    SourceConfig { info: Arc::new(info), kind }
}

type Headers = Arc<Mutex<Vec<BTreeMap<String, String>>>>;

/// Accepts, notes the headers, and takes both greetings.
#[expect(clippy::result_large_err, reason = "the signature is the library's")]
async fn subscriber(listener: &TcpListener, headers: &Headers) -> WebSocketStream<TcpStream> {
    let (socket, _) = listener.accept().await.unwrap();
    let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let pairs = request.headers().iter().map(|(k, v)| (k.to_string(), v.to_str().unwrap().to_string()));
        headers.lock().unwrap().push(pairs.collect());
        Ok(response)
    };
    let mut ws = tokio_tungstenite::accept_hdr_async(socket, note).await.unwrap();
    for wanted in [r#"{"op":"hello"}"#, r#"{"op":"join"}"#] {
        assert_eq!(ws.next().await.unwrap().unwrap(), Message::text(wanted));
    }
    ws
}

fn post(id: u32) -> String {
    let now = SystemClock.now();
    format!(r#"{{"type":"post","id":{id},"user":{{"name":"u{id}"}},"body":"united is late","created":"{now}"}}"#)
}

#[tokio::test]
async fn is_greeted_and_split_and_what_it_misses_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let live = Live::with(config(vec![forum(&listener)]), rules(), HASTE).await;
    let headers = Headers::default();
    let mut ws = subscriber(&listener, &headers).await;
    let list = |posts: &[String]| Message::text(format!(r#"{{"data":{{"posts":[{}]}}}}"#, posts.join(",")));
    ws.send(Message::text(r#"{"type":"keepalive"}"#)).await.unwrap();
    ws.send(list(&[post(1), r#"{"type":"vote","id":5}"#.into(), r#"{"type":"post"}"#.into()])).await.unwrap();
    ws.send(list(&[])).await.unwrap();
    ws.send(Message::text(post(2))).await.unwrap();
    for (outcome, n) in [("mention", 2), ("ignored", 2), ("malformed", 1)] {
        live.outcome("forum", outcome, n).await;
    }
    let gap = "groundswell_source_gap_seconds_total{source=\"forum\"}";
    assert!(live.value(gap).await.is_none_or(|n| n == 0.0));
    drop(ws);
    let mut ws = subscriber(&listener, &headers).await;
    live.until(gap, |n| n >= 0.01).await;
    // sent again by the source itself: no new mention
    ws.send(list(&[post(2), post(3)])).await.unwrap();
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    live.outcome("forum", "duplicate", 1).await;
    // more than a message may hold
    let many: Vec<String> = (0..1002).map(|_| r#"{"type":"vote"}"#.to_string()).collect();
    ws.send(list(&many)).await.unwrap();
    live.outcome("forum", "ignored", 1002).await;
    live.outcome("forum", "oversize", 1).await;
    let headers = headers.lock().unwrap().clone();
    assert_eq!(headers.len(), 2);
    for h in headers {
        assert_eq!((h["authorization"].as_str(), h["x-room"].as_str()), ("Bearer abc", "9"));
    }
    live.service.stop().await.unwrap();
}
