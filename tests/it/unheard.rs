//! Sources that are not heard: told, shown, and noted in what is told meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::SinkExt;
use groundswell::app::config::SourceConfig;
use groundswell::base::model::{SourceInfo, WireFormat};
use groundswell::base::time::Span;
use groundswell::collect::connection::Patience;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::live::{HASTE, Live, accept, config, frame, jetstream, rules, well};

const HEARD: &str = "groundswell_source_heard{source=\"second\"}";

fn second(address: SocketAddr) -> SourceConfig {
    let info = SourceInfo { name: "second".into(), format: WireFormat::Jetstream };
    SourceConfig { info: Arc::new(info), ..jetstream(&[address], None) }
}

/// `second` is told to be down; a page tells it too; then it comes back.
async fn down_and_back(live: Live, mut first: WebSocketStream<TcpStream>, address: SocketAddr, why: &str) {
    let told = live.source().await;
    assert_eq!((&*told.source, told.down, &told.rules[..]), ("second", true, &["Reach".into(), "Three".into()][..]));
    assert!(told.why.contains(why) && told.since < told.at, "{told:?}");
    assert_eq!(live.value(HEARD).await, Some(0.0));
    let (code, reasons) = live.get("/readyz").await;
    assert!(code == 503 && reasons.contains("source second: ") && !reasons.contains("bluesky"), "{reasons}");
    let status: serde_json::Value = serde_json::from_str(&live.get("/v1/status").await.1).unwrap();
    let names = |i: usize| (status["sources"][i]["heard"].clone(), status["sources"][i]["degrades"][0].clone());
    assert_eq!((names(0), names(1)), ((true.into(), ().into()), (false.into(), "Three".into())));
    for id in 1..4 {
        first.send(Message::text(frame(id, "united is late"))).await.unwrap();
    }
    let page = live.notice().await.transition;
    assert_eq!(page.evidence.unwrap().sources_down, ["second".into()]);
    let back = TcpListener::bind(address).await.unwrap();
    well(back, &Arc::default(), vec![frame(9, "united")]);
    let again = live.source().await;
    assert_eq!((&*again.source, again.down), ("second", false));
    assert!((again.since - told.since).0.abs() < 1_000, "{told:?} {again:?}");
    live.until(HEARD, |n| n == 1.0).await;
    live.outcome("second", "mention", 1).await;
    assert_eq!(live.get("/readyz").await, (200, "ready\n".to_string()));
    live.service.stop().await.unwrap();
}

/// The first server, with its connection open, and a service that listens to it and to another.
async fn two(address: SocketAddr, patience: Patience) -> (Live, WebSocketStream<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sources = vec![jetstream(&[listener.local_addr().unwrap()], None), second(address)];
    let live = Live::with(config(sources), rules(), patience).await;
    (live, accept(&listener, &Arc::default()).await)
}

/// Longer silence than [`HASTE`] bears: only the second source is in trouble.
const SOON: Patience =
    Patience { unheard: Span::millis(200), silence: Span::seconds(20), pong: Span::seconds(20), ..HASTE };

#[tokio::test]
async fn a_source_that_was_lost_is_told_and_noted_in_pages() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    let (live, first) = two(address, SOON).await;
    let mut ws = accept(&gone, &Arc::default()).await;
    ws.send(Message::text(frame(8, "nothing"))).await.unwrap();
    live.outcome("second", "unmatched", 1).await;
    assert_eq!(live.value(HEARD).await, Some(1.0));
    drop((ws, gone));
    down_and_back(live, first, address, "refused").await;
}

#[tokio::test]
async fn a_source_that_was_never_reached_is_told_and_noted_in_pages() {
    let address = {
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
        nobody.local_addr().unwrap()
    };
    let (live, first) = two(address, SOON).await;
    down_and_back(live, first, address, "refused").await;
}
