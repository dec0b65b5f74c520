//! Compressed streams: damage, bombs, dictionaries that change.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::SinkExt;
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::{JetstreamConfig, Protocol, SourceConfig, SourceKind};
use groundswell::base::limits;
use groundswell::base::model::{SourceInfo, WireFormat};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::live::{HASTE, Live, accept, config, frame, greet, jetstream, rules};

const V1: &[u8] = include_bytes!("../../src/collect/jetstream.dict");

/// The same dictionary under another id.
fn dictionary(id: u32) -> Vec<u8> {
    let mut out = V1.to_vec();
    out[4..8].copy_from_slice(&id.to_le_bytes());
    out
}

fn packed(text: &[u8], dictionary: &[u8]) -> Vec<u8> {
    zstd::bulk::Compressor::with_dictionary(3, dictionary).unwrap().compress(text).unwrap()
}

fn source(listener: &TcpListener, path: &str, protocol: Protocol, format: WireFormat) -> SourceConfig {
    let SourceKind::Jetstream(j) = jetstream(&[], None).kind else { panic!() };
    let hosts = vec![format!("ws://{}{path}", listener.local_addr().unwrap())];
    let info = Arc::new(SourceInfo { name: "bluesky".into(), format });
    SourceConfig { info, kind: SourceKind::Jetstream(JetstreamConfig { hosts, protocol, compress: true, ..j }) }
}

#[tokio::test]
async fn damage_and_bombs_cost_one_frame_each() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let source = source(&listener, "/subscribe", Protocol::V1, WireFormat::Jetstream);
    let live = Live::with(config(vec![source]), rules(), HASTE).await;
    let asked = Arc::default();
    let mut ws = accept(&listener, &asked).await;
    assert!(asked.lock().unwrap()[0].contains("&compress=true"));
    let good = |id| Message::binary(packed(frame(id, "united is late").as_bytes(), V1));
    ws.send(good(1)).await.unwrap();
    let mut damaged = packed(frame(7, "united").as_bytes(), V1);
    let half = damaged.len() / 2;
    damaged[half..].fill(0xa5);
    ws.send(Message::binary(damaged)).await.unwrap();
    let bomb = packed(&vec![b'x'; limits::FRAME_BYTES + 1], V1);
    assert!(bomb.len() < 10_000, "{}", bomb.len());
    ws.send(Message::binary(bomb)).await.unwrap();
    ws.send(Message::binary(packed(frame(8, "united").as_bytes(), &dictionary(5)))).await.unwrap();
    // what is not packed is read as it is
    ws.send(Message::text(frame(2, "united"))).await.unwrap();
    ws.send(good(3)).await.unwrap();
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    for (outcome, n) in [("mention", 3), ("malformed", 2), ("oversize", 1)] {
        live.outcome("bluesky", outcome, n).await;
    }
    live.until("groundswell_source_connects_total{result=\"ok\",source=\"bluesky\"}", |n| n == 1.0).await;
    live.service.stop().await.unwrap();
}

/// A server of protocol v2; what it was asked for, and the id of its dictionary.
struct Second {
    listener: TcpListener,
    asked: Arc<Mutex<Vec<String>>>,
    id: AtomicU32,
}

impl Second {
    /// Answers until somebody subscribes as it wants.
    async fn subscriber(&self) -> WebSocketStream<TcpStream> {
        loop {
            let (mut socket, _) = self.listener.accept().await.unwrap();
            let mut bytes = [0; 4096];
            let line = loop {
                let n = socket.peek(&mut bytes).await.unwrap();
                let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
                if n == 0 || text.ends_with("\r\n\r\n") {
                    break text.lines().next().unwrap_or("").to_string();
                }
            };
            let id = self.id.load(Ordering::Relaxed);
            let (status, body) = if line.contains("/xrpc/network.bsky.jetstream.getZstdDictionary ") {
                ("200 OK", dictionary(id))
            } else if !line.contains("subscribeEvents?") || line.contains("wanted") {
                ("400 Bad Request", b"{\"error\":\"InvalidRequest\"}".to_vec())
            } else if !line.contains(&format!("zstdDictionary={id}")) {
                ("400 Bad Request", b"{\"error\":\"UnknownZstdDictionary\"}".to_vec())
            } else {
                return greet(socket, &self.asked).await;
            };
            self.asked.lock().unwrap().push(line);
            let mut taken = vec![0; 4096];
            let _ = socket.try_read(&mut taken);
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = socket.write_all(&[head.as_bytes(), &body].concat()).await;
        }
    }

    fn frame(&self, id: u32) -> Message {
        let time = SystemClock.now();
        let text = format!(
            r#"{{"$type":"message","payload":{{"$type":"network.bsky.jetstream.subscribeEvents#commit","seq":{id},"did":"did:plc:a{id}","time":"{time}","witnessedAt":"{time}","rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"k{id}","cid":"c","record":{{"text":"united","langs":["en"]}}}}}}"#
        );
        Message::binary(packed(text.as_bytes(), &dictionary(self.id.load(Ordering::Relaxed))))
    }
}

#[tokio::test]
async fn another_dictionary_is_fetched_when_the_server_wants_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let path = "/xrpc/network.bsky.jetstream.subscribeEvents";
    let source = source(&listener, path, Protocol::V2, WireFormat::JetstreamV2);
    let live = Live::with(config(vec![source]), rules(), HASTE).await;
    let server = Second { listener, asked: Arc::default(), id: AtomicU32::new(77) };
    let mut ws = server.subscriber().await;
    ws.send(server.frame(1)).await.unwrap();
    ws.send(server.frame(2)).await.unwrap();
    live.outcome("bluesky", "mention", 2).await;
    server.id.store(78, Ordering::Relaxed);
    drop(ws);
    let mut ws = server.subscriber().await;
    ws.send(server.frame(3)).await.unwrap();
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    let asked = server.asked.lock().unwrap().clone();
    let kinds: Vec<&str> = asked.iter().map(|a| if a.contains("getZstd") { "get" } else { "subscribe" }).collect();
    assert_eq!(kinds, ["get", "subscribe", "subscribe", "get", "subscribe"], "{asked:?}");
    assert!(asked[1].contains("zstdDictionary=77") && !asked[1].contains("cursor="), "{asked:?}");
    assert!(asked[4].contains("zstdDictionary=78") && asked[4].contains("cursor="), "{asked:?}");
    live.service.stop().await.unwrap();
}
