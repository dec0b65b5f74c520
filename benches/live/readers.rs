//! Who reads what the server sends: the live service, and one that only counts; both tell when they
//! saw each marker.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use groundswell::app::clock::SystemClock;
use groundswell::app::config::{Config, JetstreamConfig, Protocol, SourceConfig, SourceKind};
use groundswell::app::service::{Parts, Service, messages};
use groundswell::base::model::{Message, Notice, Phase, SourceInfo, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite;

use super::frames;
use super::server::{MARKER_BRANDS, marker_name, number_in, number_of};

/// Brands of the generated frames.
pub const BRANDS: usize = 200;
/// How long the last marker is waited for after it should have come.
const PATIENCE: Duration = Duration::from_secs(120);

/// The generated rules, with those that markers make fire, after so many of the changes that
/// [`CHANGES`] names.
pub fn rules(changes: usize) -> Arc<RuleSet> {
    rules_of(BRANDS, changes)
}

/// The same of so many brands.
pub fn rules_of(brands: usize, changes: usize) -> Arc<RuleSet> {
    let (names, own) = (frames::brand_names(brands), frames::rules(brands));
    let (brands, rules) = own.split_once("rules:\n").unwrap();
    let (mut brands, mut rules) = (brands.to_string(), rules.to_string());
    for k in 0..MARKER_BRANDS {
        brands.push_str(&format!("  m{k}: {{query: {}}}\n", marker_name(k)));
        rules.push_str(&format!(
            "  - {{alert: Marker{k}, brands: [m{k}], by: [brand, story], when: 'mentions[10m] >= 1', severity: info}}\n"
        ));
    }
    if changes > 0 {
        // it is named in posts that are kept
        brands.push_str(&format!("  further: {{query: '\"{}\" OR \"{}\"'}}\n", names[3], names[4]));
    }
    if changes > 1 {
        brands = brands.replacen("query: '", "query: 'lounge OR ", 1);
    }
    if changes > 2 {
        rules.push_str("  - {alert: Fresh, when: 'mentions[37m] >= 1000000', severity: info}\n");
    }
    let text = format!("{brands}rules:\n{rules}");
    let loaded = RuleSet::load(&[SourceText { file: "live".into(), text }]);
    Arc::new(loaded.unwrap_or_else(|f| panic!("{f:#?}")).0)
}

/// What changes from one rule set to the next.
pub const CHANGES: [&str; 3] = ["one further brand", "one brand's query", "one further rule, new window"];

/// When each marker was seen, by its number.
#[derive(Default)]
pub struct Seen {
    markers: Mutex<Vec<(usize, Instant)>>,
    last: Notify,
}

impl Seen {
    /// Notes that a marker was seen.
    pub fn note(&self, number: usize, last: usize) {
        self.markers.lock().unwrap().push((number, Instant::now()));
        if number == last {
            self.last.notify_one();
        }
    }

    /// Waits for the last one.
    pub async fn last(&self, most: Duration) {
        let waited = tokio::time::timeout(most + PATIENCE, self.last.notified()).await;
        assert!(waited.is_ok(), "the last marker was not seen");
    }

    /// All of them so far.
    pub fn all(&self) -> Vec<(usize, Instant)> {
        self.markers.lock().unwrap().clone()
    }
}

/// The config of a service that listens to a server.
pub fn config(server: SocketAddr, compress: bool) -> Config {
    let info = Arc::new(SourceInfo { name: "bench".into(), format: WireFormat::Jetstream });
    let kind = SourceKind::Jetstream(JetstreamConfig {
        hosts: vec![format!("ws://{server}/subscribe")],
        protocol: Protocol::V1,
        compress,
        audience: None,
        ca: None,
    });
    Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::new(vec![SourceConfig { info, kind }]) }
}

/// A service that listens to a server.
pub async fn service(server: SocketAddr, rules: Arc<RuleSet>, compress: bool, last: usize) -> (Service, Arc<Seen>) {
    let config = config(server, compress);
    let seen = Arc::new(Seen::default());
    let noting = seen.clone();
    let parts = Parts::new(config, rules, Arc::new(SystemClock)).unwrap();
    let service = Service::start(
        parts,
        messages(move |message: Option<Message>| {
            if let Some(Message::Episode(notice)) = &message
                && let Some(number) = fired(notice)
            {
                noting.note(number, last);
            }
            Ok(())
        }),
    );
    (service.await.unwrap(), seen)
}

/// The number of the marker that made an episode fire.
pub fn fired(notice: &Notice) -> Option<usize> {
    let t = &notice.transition;
    let first = t.evidence.as_ref().filter(|_| t.to == Phase::Firing)?.first.as_ref()?;
    number_of(&first.body.author)
}

/// Frames that a service has counted, whatever came of them.
pub fn counted(service: &Service) -> usize {
    let text = service.status().metrics.text();
    let lines = text.lines().filter(|l| l.starts_with("groundswell_frames_total{"));
    lines.filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>() as usize
}

/// Reads and counts until the last marker has come.
pub async fn count(server: SocketAddr, last: usize, seen: &Seen) -> usize {
    let config = tungstenite::protocol::WebSocketConfig::default().read_buffer_size(64 << 10);
    let opening = tokio_tungstenite::connect_async_with_config(format!("ws://{server}/subscribe"), Some(config), true);
    let (mut socket, _) = opening.await.unwrap();
    let mut n = 0;
    while let Some(Ok(message)) = socket.next().await {
        n += 1;
        if let tungstenite::Message::Text(text) = &message
            && let Some(number) = number_in(text)
        {
            seen.note(number, last);
            if number == last {
                break;
            }
        }
    }
    n
}

/// Nanoseconds on a core so far, by the name of the thread; empty where the system does not tell.
pub fn cpu() -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    let main = std::process::id().to_string();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).ok();
        let (Some(name), Some(stat)) = (read("comm"), read("schedstat")) else { continue };
        let name = if *task.file_name() == *main { "io" } else { name.trim() };
        let spent: Option<u64> = stat.split(' ').next().and_then(|n| n.parse().ok());
        *out.entry(name.to_string()).or_insert(0) += spent.unwrap_or(0);
    }
    out
}
