//! Followers are looked up at a server that is slow, broken, hostile or strict, and at one that is well.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::SinkExt;
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::{Config, StoreConfig};
use groundswell::app::service::{Parts, Service, messages};
use groundswell::base::limits;
use groundswell::base::model::Message;
use groundswell::base::reach;
use groundswell::base::time::{Span, Time};
use groundswell::collect::audience::Manners;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;

use crate::live::{Live, accept, config, frame_at, jetstream, rules_of};

const RULES: &str = "brands: {u: {query: united}, d: {query: delta}}\nrules:\n  \
    - {alert: Any, when: 'hostile_reach[1h] >= 1', severity: info}\n  \
    - {alert: Reach, when: 'hostile_reach[1h] >= 50k', severity: page}\n  \
    - {alert: Voice, when: 'largest_voice[1h] >= 1M', severity: warn}\n";

/// How a request is answered.
enum Reply {
    /// These profiles.
    Profiles(Vec<String>),
    /// A whole answer, as it stands.
    Raw(String),
    /// Never: the connection stays open.
    Never,
}

fn profile(n: u32, followers: &str) -> String {
    format!(r#"{{"did":"did:plc:a{n}","handle":"h{n}.example","followersCount":{followers}}}"#)
}

fn status(line: &str, body: &str) -> Reply {
    Reply::Raw(format!("HTTP/1.1 {line}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()))
}

/// Everybody asked for has 640,000 followers.
fn all(asked: &[u32]) -> Reply {
    Reply::Profiles(asked.iter().map(|n| profile(*n, "640000")).collect())
}

/// What a server was asked for at once, and when.
struct Request {
    at: Instant,
    dids: Vec<u32>,
}

/// What a server was asked for.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<Request>>>);

impl Asked {
    fn requests(&self) -> Vec<Vec<u32>> {
        self.0.lock().unwrap().iter().map(|r| r.dids.clone()).collect()
    }

    fn times(&self, n: u32) -> usize {
        self.requests().concat().iter().filter(|d| **d == n).count()
    }

    async fn until(&self, wanted: impl Fn(&Asked) -> bool) {
        for _ in 0..3000 {
            if wanted(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("asked for {:?}", self.requests());
    }
}

/// A fake AppView that answers by a rule of the test.
async fn appview(mut answer: impl FnMut(&[u32]) -> Reply + Send + 'static) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Asked::default());
    let note = asked.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap();
            let query = head.strip_prefix("GET /xrpc/app.bsky.actor.getProfiles?").unwrap().split(' ').next().unwrap();
            let of = |q: &str| q.strip_prefix("actors=did:plc:a").unwrap().parse().unwrap();
            let dids: Vec<u32> = query.split('&').map(of).collect();
            assert!((1..=limits::LOOKUP_BATCH).contains(&dids.len()), "{} at once", dids.len());
            note.0.lock().unwrap().push(Request { at: Instant::now(), dids: dids.clone() });
            let text = match answer(&dids) {
                Reply::Never => {
                    tokio::spawn(async move { socket.read_u8().await });
                    continue;
                }
                Reply::Raw(text) => text,
                Reply::Profiles(profiles) => {
                    let body = format!("{{\"profiles\":[{}]}}", profiles.join(","));
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
                }
            };
            // who asked may have read enough
            let _ = socket.write_all(text.as_bytes()).await;
        }
    });
    (address, asked)
}

/// The machine's clock, some time later.
#[derive(Clone, Default)]
struct Later(Arc<AtomicI64>);

impl Clock for Later {
    fn now(&self) -> Time {
        SystemClock.now() + Span(self.0.load(Ordering::SeqCst))
    }
}

/// A service that may be started several times, and what it listens to.
struct World {
    dir: tempfile::TempDir,
    clock: Later,
    listener: TcpListener,
    next: u32,
    rules: String,
}

impl World {
    async fn new() -> World {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        World { dir: tempfile::tempdir().unwrap(), clock: Later::default(), listener, next: 0, rules: RULES.into() }
    }

    async fn start(&self, appview: SocketAddr) -> (Live, WebSocketStream<TcpStream>) {
        let source = jetstream(&[self.listener.local_addr().unwrap()], Some(appview));
        let store = StoreConfig::new(self.dir.path().join("groundswell.db"));
        let config = Config { store: Some(store), ..config(vec![source]) };
        let parts = Parts::new(config, rules_of(&self.rules), Arc::new(self.clock.clone())).unwrap();
        let (pace, first, timeout) = (Span::ZERO, Span::millis(2), Span::millis(300));
        let lookups = Manners { pace, first, timeout, ..Manners::default() };
        let (to, told) = channel();
        let receive = messages(move |m: Option<Message>| {
            m.into_iter().for_each(|m| drop(to.send(m)));
            Ok(())
        });
        let service = Service::start(Parts { lookups, ..parts }, receive).await.unwrap();
        let socket = accept(&self.listener, &Arc::default()).await;
        (Live { service, messages: told }, socket)
    }

    /// An account says something.
    async fn say(&mut self, socket: &mut WebSocketStream<TcpStream>, author: u32, text: &str) {
        self.next += 1;
        let frame = frame_at(author, text, self.clock.now().0);
        let frame = frame.replace(&format!("\"rkey\":\"k{author}\""), &format!("\"rkey\":\"p{}\"", self.next));
        socket.send(tungstenite::Message::text(frame)).await.unwrap();
    }
}

async fn came_to(live: &Live, result: &str, wanted: u32) {
    let name = format!("groundswell_audience_lookups_total{{result=\"{result}\"}}");
    live.until(&name, |n| n == f64::from(wanted)).await;
}

#[tokio::test]
async fn whatever_a_server_answers_nobody_else_goes_without() {
    let mut world = World::new().await;
    let huge = format!("{{\"profiles\":[{}]}}", format!("{},", profile(1, "1")).repeat(limits::LOOKUP_BYTES / 60));
    let mut first: Vec<Reply> = vec![
        Reply::Never,
        Reply::Raw(String::new()),
        Reply::Raw("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n{\"profiles\":[".into()),
        status("500 No", ""),
        status("429 Too Many Requests\r\nRetry-After: 0", ""),
        status("302 Found\r\nLocation: http://127.0.0.1:1/", ""),
        status("200 OK", "<html>"),
    ];
    first.reverse();
    let mut once = true;
    let (address, asked) = appview(move |dids| {
        if let Some(reply) = first.pop() {
            return reply;
        }
        // of one alone it would be believed to be that one's fault
        if dids.len() > 1 && std::mem::take(&mut once) {
            return status("200 OK", &huge);
        }
        if dids.contains(&5) {
            return status("400 Bad Request", r#"{"error":"InvalidRequest"}"#);
        }
        let mut out = vec!["7".to_string()];
        if !dids.contains(&99) {
            out.push(profile(99, "9000000"));
        }
        for n in dids {
            out.extend(match n {
                6 => None,
                7 => Some(profile(7, "-3")),
                8 => Some(profile(8, "1e30")),
                n => Some(profile(*n, &format!("{}000", 600 + n))),
            });
            out.push(profile(*n, "3000000"));
            if (6..9).contains(n) {
                out.pop();
            }
        }
        Reply::Profiles(out)
    })
    .await;
    let (live, mut socket) = world.start(address).await;
    for n in 1..13 {
        world.say(&mut socket, n, "united lied, this is terrible and shameful").await;
        world.say(&mut socket, 100 + n, "a fine day without any brand").await;
    }
    live.outcome("bluesky", "mention", 12).await;
    for (result, wanted) in [("learned", 8), ("missing", 3), ("refused", 1), ("dropped", 0)] {
        came_to(&live, result, wanted).await;
    }
    let wait = "groundswell_queue_items{queue=\"lookups\"}";
    live.until(wait, |n| n == 0.0).await;
    live.until("groundswell_audience_oldest_waiting_seconds", |n| n == 0.0).await;
    live.metric("groundswell_audience_requests_total{result=\"limited\"} 1").await;
    live.metric("groundswell_audience_requests_total{result=\"failed\"} 6").await;
    live.until("groundswell_audience_requests_total{result=\"refused\"}", |n| n >= 2.0).await;
    let known = asked.requests().concat();
    assert!(
        known.iter().all(|n| (1..13).contains(n)),
        "nobody is asked for whose followers count for nothing: {known:?}"
    );
    // whom the server told of unasked is asked for like anybody
    world.say(&mut socket, 99, "united is fine").await;
    came_to(&live, "learned", 9).await;
    assert_eq!(asked.times(99), 1);
    // and what was told twice is believed once
    let voice = live.messages.try_iter().filter_map(|m| if let Message::Episode(n) = m { Some(n) } else { None });
    let rules: Vec<String> = voice.map(|n| n.rules.rules[n.transition.rule as usize].name.to_string()).collect();
    assert!(rules.contains(&"Reach".to_string()) && !rules.contains(&"Voice".to_string()), "{rules:?}");
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn an_account_is_asked_for_once_a_day_whoever_restarts() {
    let mut world = World::new().await;
    let (address, asked) =
        appview(|dids| Reply::Profiles(dids.iter().filter(|n| **n != 3).map(|n| profile(*n, "640000")).collect()))
            .await;
    let (live, mut socket) = world.start(address).await;
    for n in [1, 3, 1, 3, 1, 2] {
        world.say(&mut socket, n, "united lied").await;
    }
    live.outcome("bluesky", "mention", 6).await;
    came_to(&live, "learned", 2).await;
    came_to(&live, "missing", 1).await;
    live.service.stop().await.unwrap();

    let (live, mut socket) = world.start(address).await;
    for n in [1, 2, 3, 4] {
        world.say(&mut socket, n, "united again").await;
    }
    came_to(&live, "learned", 1).await;
    live.outcome("bluesky", "mention", 4).await;
    live.until("groundswell_audience_seen_total{result=\"fresh\"}", |n| n >= 2.0).await;
    live.until("groundswell_audience_seen_total{result=\"missing\"}", |n| n >= 1.0).await;
    let times = |n| asked.times(n);
    assert_eq!([1, 2, 3, 4].map(times), [1, 1, 1, 1], "{:?}", asked.requests());
    live.service.stop().await.unwrap();

    // a day later one of them has grown
    world.clock.0.fetch_add(Span::seconds(25 * 3600).0, Ordering::SeqCst);
    let (address, asked) = appview(|dids| Reply::Profiles(dids.iter().map(|n| profile(*n, "2000000")).collect())).await;
    let (live, mut socket) = world.start(address).await;
    world.say(&mut socket, 1, "united once more").await;
    world.say(&mut socket, 1, "united and once more").await;
    loop {
        let notice = live.notice().await.transition;
        if notice.value == Some(2e6) {
            break;
        }
    }
    assert_eq!(asked.requests(), [[1]]);
    live.metric("groundswell_audience_seen_total{result=\"stale\"} 1").await;
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_slow_server_holds_nobody_up_and_its_answer_corrects_what_goes_on() {
    let mut world = World::new().await;
    let open = Arc::new(AtomicBool::new(false));
    let may = open.clone();
    let (address, asked) = appview(move |dids| if may.load(Ordering::SeqCst) { all(dids) } else { Reply::Never }).await;
    let (live, mut socket) = world.start(address).await;
    world.say(&mut socket, 1, "united lied, this is terrible and shameful").await;
    let any = live.notice().await.transition;
    let before = any.value.unwrap();
    assert!(before < 100.0, "estimated: {before}");
    asked.until(|a| a.times(1) > 0).await;
    for n in 2..6 {
        world.say(&mut socket, n, "delta is fine").await;
    }
    live.outcome("bluesky", "mention", 5).await;
    open.store(true, Ordering::SeqCst);
    let page = live.notice().await.transition;
    let evidence = page.evidence.as_ref().unwrap();
    let top = &evidence.top[0];
    assert_eq!((evidence.known, top.followers, top.name.as_deref()), (1, 640_000, Some("h1.example")));
    // hostile reach is that of the account as it is, and nothing of the estimate is left
    let times = reach::base(640_000) as f64 / reach::base(300) as f64;
    let after = page.value.unwrap();
    assert!((after / before / times - 1.0).abs() < 1e-9, "{before} to {after}, expected {times} times as much");
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn who_waits_when_a_service_ends_is_asked_for_by_the_next() {
    let mut world = World::new().await;
    let (address, asked) = appview(|_| Reply::Never).await;
    let (live, mut socket) = world.start(address).await;
    world.say(&mut socket, 1, "united lied, this is terrible and shameful").await;
    live.outcome("bluesky", "mention", 1).await;
    asked.until(|a| a.times(1) > 0).await;
    live.service.stop().await.unwrap();

    let (address, asked) = appview(all).await;
    let (live, mut socket) = world.start(address).await;
    came_to(&live, "learned", 1).await;
    assert_eq!(asked.requests(), [[1]]);
    // that the past is caught up with lets it be told
    world.say(&mut socket, 2, "delta is fine").await;
    loop {
        let notice = live.notice().await;
        if &*notice.rules.rules[notice.transition.rule as usize].name == "Reach" {
            break;
        }
    }
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_pause_that_a_server_asks_for_is_kept() {
    let mut world = World::new().await;
    let mut first = true;
    let (address, asked) = appview(move |dids| {
        if std::mem::take(&mut first) {
            return status("429 Too Many Requests\r\nRetry-After: 1", "");
        }
        all(dids)
    })
    .await;
    let (live, mut socket) = world.start(address).await;
    world.say(&mut socket, 1, "united lied").await;
    came_to(&live, "learned", 1).await;
    let times: Vec<Instant> = asked.0.lock().unwrap().iter().map(|r| r.at).collect();
    assert!(times[1] - times[0] >= Duration::from_secs(1), "{:?}", times[1] - times[0]);
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn who_is_known_is_named_wherever_it_is_counted_next() {
    let mut world = World::new().await;
    for count in 1..40 {
        let rule =
            format!("  - {{alert: Crowd{count}, when: 'mentions[1h] >= {count}', brands: [d], severity: warn}}\n");
        world.rules.push_str(&rule);
    }
    let (address, asked) = appview(all).await;
    let (live, mut socket) = world.start(address).await;
    world.say(&mut socket, 1, "united is fine").await;
    came_to(&live, "learned", 1).await;
    // what says its name follows its first post there
    for count in 1..40 {
        world.say(&mut socket, 1, &format!("delta lied for the {count} time, terrible and shameful")).await;
        let crowd = format!("Crowd{count}");
        let page = loop {
            let notice = live.notice().await;
            if notice.rules.rules[notice.transition.rule as usize].name == crowd {
                break notice.transition;
            }
        };
        if page.evidence.unwrap().top[0].name.as_deref() == Some("h1.example") {
            assert_eq!(asked.requests(), [[1]]);
            live.service.stop().await.unwrap();
            return;
        }
    }
    panic!("never named");
}
