//! The end of the service: in order, in time, and with what was lost told.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell::app::clock::SystemClock;
use groundswell::app::config::{Config, ReceiverConfig, ReceiverKind, WebhookConfig};
use groundswell::app::keeper::Delivery;
use groundswell::app::receivers::{Handles, Receivers};
use groundswell::app::service::Parts;
use groundswell::base::model::{Message, SourceNotice};
use groundswell::base::time::{Span, Time};
use groundswell::notify::{Sending, Style};
use groundswell::store::db::Letter;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::live::{config, rules};
use crate::program::Program;

fn news(n: i64) -> Message {
    let why = "x".repeat(200);
    Message::Source(SourceNotice::new(Time(n), "s".into(), true, Time(n), why, Vec::new()))
}

#[tokio::test]
async fn a_receiver_that_hangs_is_left_in_time_and_what_it_missed_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook = WebhookConfig {
        name: "hook".into(),
        url: format!("http://{}/", listener.local_addr().unwrap()),
        secret: None,
        headers: Vec::new(),
        ca: None,
    };
    let config =
        Config { receivers: vec![ReceiverConfig::new("hook", ReceiverKind::Webhook(hook))], ..config(Vec::new()) };
    let parts = Parts::new(config, rules(), Arc::new(SystemClock)).unwrap();
    let style = Style { colour: false };
    let receivers = Receivers::new(parts.status, style, Span::millis(200), Handles::new()).unwrap();
    let mut writer = receivers.writer();
    for n in 0..3 {
        let sending = Sending::feed(&news(n), "hook".into(), None);
        let (receiver, key, body) =
            (sending.receiver.clone(), sending.key.clone(), writer.render(&sending, None).unwrap());
        let letters = vec![(None, Letter { receiver, key, episode: None, incident: None, whole: false, body })];
        receivers.tell(Some(Delivery { message: None, age: Duration::ZERO, letters })).unwrap();
    }
    // takes the first and never answers
    let (mut socket, _) = listener.accept().await.unwrap();
    assert!(socket.read(&mut [0; 1024]).await.unwrap() > 0);
    let began = Instant::now();
    assert_eq!(receivers.stop().await, 3, "the one on its way and two that wait");
    assert!(began.elapsed() >= Duration::from_millis(200), "it had its time");
}

/// A folder with a config of the program.
fn folder(source: &str, receivers: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let rules = "brands: {u: {query: united}}\nrules:\n  - {alert: Each, by: [brand, story], when: 'mentions[1h] >= 1', severity: page}\n";
    let config = format!("listen: 127.0.0.1:0\nrules: [r.yaml]\nsources: {{{source}}}\nreceivers: {{{receivers}}}\n");
    for (name, text) in BTreeMap::from([("r.yaml", rules), ("groundswell.yaml", &config)]) {
        std::fs::File::create(dir.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
    }
    dir
}

const DESK: &str = "desk: {type: push, token: desk-token-0123456789}";

async fn push(program: &Program, n: u32) -> u16 {
    let now = groundswell::app::clock::Clock::now(&SystemClock);
    let line = |k| format!(r#"{{"id":"{k}","source":"crm","author":"a{k}","text":"united","time":"{now}"}}"#) + "\n";
    let body: String = (0..n).map(line).collect();
    let head = format!(
        "POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer desk-token-0123456789\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    crate::live::ask(program.address, &(head + &body)).await.0
}

#[tokio::test]
async fn the_program_says_how_many_were_not_delivered_and_ends_well() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    // nobody is there: the next try is due later than anybody waits when stopping
    drop(listener);
    let dir = folder(DESK, &format!("hook: {{type: webhook, url: '{url}'}}, out: {{type: stdout, format: json}}"));
    let mut program = Program::run(&dir.path().join("groundswell.yaml")).await;
    assert_eq!(push(&program, 3).await, 200);
    program.fired("Each").await;
    program.until("groundswell_receiver_up{receiver=\"hook\"}", 0.0).await;
    // waits double: from the fifth on the next one is too late
    program.signal("TERM");
    let (status, took) = program.ended().await;
    assert!(status.code() == Some(0) && took < Duration::from_secs(12), "{status:?} {took:?}");
    let log = program.log();
    assert!(log.contains("by=\"SIGTERM\"") && log.contains("undelivered=3"), "{log}");
}

#[tokio::test]
async fn a_reader_that_does_not_read_keeps_nobody_from_stopping() {
    let dir = folder(DESK, "out: {type: stdout, format: json}");
    let mut program = Program::deaf(&dir.path().join("groundswell.yaml")).await;
    // far more than a pipe holds
    assert_eq!(push(&program, 250).await, 200);
    program.until("groundswell_transitions_total{alert=\"Each\",severity=\"page\",to=\"firing\"}", 250.0).await;
    assert_eq!(crate::live::get(program.address, "/healthz").await.0, 200);
    let reload = "POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let path = dir.path().join("groundswell.yaml");
    let other = std::fs::read_to_string(&path).unwrap() + "timezone: Europe/Berlin\n";
    std::fs::write(path, other).unwrap();
    assert_eq!(crate::live::ask(program.address, reload).await.0, 200, "a reload does not wait for it either");
    program.signal("TERM");
    let (status, took) = program.ended().await;
    assert!(status.code().is_some() && took < Duration::from_secs(14), "{status:?} {took:?}");
}
