//! The service after it did not run for a while: it goes on from its store, catches up in silence, and
//! tells once.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use futures_util::SinkExt;
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::{Config, StoreConfig};
use groundswell::app::service::{Parts, Service, messages};
use groundswell::base::model::{Message, Phase};
use groundswell::base::rule::RuleSet;
use groundswell::base::time::{Span, Time};
use groundswell::notify::{Style, Surroundings, json, text};
use groundswell::store::db::Db;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;

use crate::live::{Live, accept, config, frame_at, jetstream, rules_of};

/// The machine's clock, some time later.
#[derive(Clone, Default)]
struct Later(Arc<AtomicI64>);

impl Clock for Later {
    fn now(&self) -> Time {
        SystemClock.now() + Span(self.0.load(Ordering::SeqCst))
    }
}

impl Later {
    fn by(&self, span: Span) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

fn rules() -> Arc<RuleSet> {
    rules_of(
        "brands: {u: {query: united}}\nrules:\n  - {alert: Long, when: 'mentions[1h] >= 3', severity: page}\n  - {alert: Short, when: 'mentions[30s] >= 3', severity: warn}\n",
    )
}

struct World {
    dir: tempfile::TempDir,
    clock: Later,
    listener: TcpListener,
    asked: Arc<Mutex<Vec<String>>>,
    next: u32,
}

impl World {
    async fn new() -> World {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (clock, asked) = (Later::default(), Arc::default());
        World { dir: tempfile::tempdir().unwrap(), clock, listener, asked, next: 0 }
    }

    fn store(&self) -> std::path::PathBuf {
        self.dir.path().join("groundswell.db")
    }

    async fn start(&self) -> (Live, WebSocketStream<TcpStream>) {
        let source = jetstream(&[self.listener.local_addr().unwrap()], None);
        let config = Config { store: Some(StoreConfig::new(self.store())), ..config(vec![source]) };
        let parts = Parts::new(config, rules(), Arc::new(self.clock.clone())).unwrap();
        let (to, told) = channel();
        let receive = messages(move |m: Option<Message>| {
            m.into_iter().for_each(|m| drop(to.send(m)));
            Ok(())
        });
        let service = Service::start(parts, receive).await.unwrap();
        let socket = accept(&self.listener, &self.asked).await;
        (Live { service, messages: told }, socket)
    }

    /// Sends a mention of some time ago.
    async fn say(&mut self, socket: &mut WebSocketStream<TcpStream>, ago: Span) {
        self.next += 1;
        let frame = frame_at(self.next, "united broke my guitar", (self.clock.now() - ago).0);
        socket.send(tungstenite::Message::text(frame)).await.unwrap();
    }
}

fn alerts(path: &Path) -> Vec<(String, String)> {
    let rows = Db::read_only(path).unwrap().episodes(Time(0), false, 100).unwrap();
    rows.into_iter().map(|r| (r.alert, r.phase)).collect()
}

#[tokio::test]
async fn what_happened_meanwhile_is_told_once_and_late() {
    let mut world = World::new().await;
    let (live, mut socket) = world.start().await;
    world.say(&mut socket, Span::ZERO).await;
    live.outcome("bluesky", "mention", 1).await;
    live.service.stop().await.unwrap();

    world.clock.by(Span::seconds(1200));
    let (live, mut socket) = world.start().await;
    assert!(world.asked.lock().unwrap().last().unwrap().contains("cursor="), "{:?}", world.asked);
    for _ in 0..3 {
        world.say(&mut socket, Span::seconds(900)).await;
    }
    live.outcome("bluesky", "mention", 3).await;
    live.unready("catching up with the past").await;
    assert!(live.messages.try_recv().is_err(), "nobody is told before the present is reached");
    // that comes to the present
    world.say(&mut socket, Span::ZERO).await;
    live.outcome("bluesky", "mention", 4).await;
    world.say(&mut socket, Span::ZERO).await;
    let page = live.notice().await;
    let outage = page.outage.unwrap();
    assert_eq!(
        (page.transition.to, page.rules.rules[page.transition.rule as usize].name.as_str()),
        (Phase::Firing, "Long")
    );
    let down = (outage.to - outage.from).0 / 1_000_000;
    assert!((1199..1300).contains(&down), "{down}");
    let about = world.clock.now() - page.transition.since;
    assert!(about > Span::seconds(890), "it began when it began: {about}");
    let shown = text(&Message::Episode(page.clone()), &Surroundings::default(), Style::default());
    assert!(shown.contains("LATE   began ") && shown.contains("told late: not running "), "{shown}");
    assert!(json(&Message::Episode(page)).contains("\"told_late\":{\"down_from\":\""));
    let Ok(Message::Digest(digest)) = live.messages.recv_timeout(std::time::Duration::from_secs(5)) else {
        panic!("no digest")
    };
    assert_eq!((digest.over.len(), digest.left_out, digest.over[0].transition.to), (1, 0, Phase::Resolved));
    let shown = text(&Message::Digest(digest), &Surroundings::default(), Style::default());
    assert!(
        shown.contains("1 episode was over before you could be told") && shown.contains("u: Short (warn)"),
        "{shown}"
    );
    live.service.stop().await.unwrap();
    assert_eq!(alerts(&world.store()), [("Short".into(), "resolved".into()), ("Long".into(), "firing".into())]);

    // after a further start nobody is told of it again
    world.clock.by(Span::seconds(120));
    let (live, mut socket) = world.start().await;
    world.say(&mut socket, Span::ZERO).await;
    live.outcome("bluesky", "mention", 1).await;
    live.unready("").await;
    live.service.stop().await.unwrap();
    assert!(live.messages.try_recv().is_err(), "told again");
}

#[tokio::test]
async fn a_short_restart_leaves_no_trace_in_what_is_told() {
    let mut world = World::new().await;
    let (live, mut socket) = world.start().await;
    world.say(&mut socket, Span::ZERO).await;
    world.say(&mut socket, Span::ZERO).await;
    live.outcome("bluesky", "mention", 2).await;
    live.service.stop().await.unwrap();
    let (live, mut socket) = world.start().await;
    // the first two are counted still
    world.say(&mut socket, Span::ZERO).await;
    let page = live.notice().await;
    assert_eq!((page.transition.value, page.outage), (Some(3.0), None));
    live.service.stop().await.unwrap();
}
