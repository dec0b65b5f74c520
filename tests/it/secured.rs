//! Servers behind TLS: the right name of a trusted authority is heard, any other is not.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use groundswell::app::config::{JetstreamConfig, SourceConfig, SourceKind};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;

use crate::live::{HASTE, Live, config, frame, greet, jetstream, rules};

/// A server's end of TLS, and its certificate as PEM; each has an issuer of its own.
fn server(name: &str, issuer: &str) -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new(vec![name.to_string()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, issuer);
    let pair = KeyPair::generate().unwrap();
    let cert = params.self_signed(&pair).unwrap();
    let key = PrivateKeyDer::try_from(pair.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), cert.pem())
}

#[tokio::test]
async fn only_the_right_name_of_a_trusted_authority_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    let ((right, trusted), (wrong, also_trusted), (stranger, _)) =
        (server("localhost", "a"), server("stream.example", "b"), server("localhost", "c"));
    std::fs::write(&ca, trusted + &also_trusted).unwrap();
    let SourceKind::Jetstream(j) = jetstream(&[], None).kind else { panic!() };
    let hosts = vec![format!("wss://localhost:{}/subscribe", listener.local_addr().unwrap().port())];
    let kind = SourceKind::Jetstream(JetstreamConfig { hosts, ca: Some(ca), ..j });
    let source = SourceConfig { kind, ..jetstream(&[], None) };
    let live = Live::with(config(vec![source]), rules(), HASTE).await;
    for (acceptor, why) in [(&wrong, "not valid for name"), (&stranger, "UnknownIssuer")] {
        let (socket, _) = listener.accept().await.unwrap();
        assert!(acceptor.accept(socket).await.is_err(), "{why}");
        live.unready(why).await;
    }
    // plain text on the port of TLS
    let (mut socket, _) = listener.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    live.until("groundswell_source_connects_total{result=\"failed\",source=\"bluesky\"}", |n| n == 3.0).await;
    drop(socket);
    let (socket, _) = listener.accept().await.unwrap();
    let mut ws = greet(right.accept(socket).await.unwrap(), &Arc::default()).await;
    for id in 1..4 {
        ws.send(Message::text(frame(id, "united"))).await.unwrap();
    }
    assert_eq!(live.notice().await.transition.value, Some(3.0));
    let stopping = tokio::spawn(live.service.stop());
    while let Some(Ok(_)) = ws.next().await {}
    stopping.await.unwrap().unwrap();
}
