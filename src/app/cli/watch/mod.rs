//! `watch`: mentions of a query as they come, without files.

mod footer;
pub(super) mod line;
mod seen;
mod show;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{TrySendError, sync_channel};
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::screen::{self, Paint};
use super::{FAILED, FINE, one_query, record};
use crate::app::clock::SystemClock;
use crate::app::config::{Config, JetstreamConfig, Protocol, SourceConfig, SourceKind};
use crate::app::service::{Parts, Service};
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{Entry, SourceInfo, WireFormat};
use crate::base::rule::{RuleSet, SourceText};
use crate::base::time::Span;
use crate::collect::audience::PUBLIC;
use crate::decode::raw::NETWORK;
use crate::notify::plain;
use line::Look;
use seen::News;
use show::{Shared, Show, Wish};

/// Public servers that carry the whole stream.
const SERVERS: [&str; 4] = [
    "wss://jetstream1.us-east.bsky.network/subscribe",
    "wss://jetstream2.us-east.bsky.network/subscribe",
    "wss://jetstream1.us-west.bsky.network/subscribe",
    "wss://jetstream2.us-west.bsky.network/subscribe",
];
/// Least time posts are kept, to know stories and repeats.
const KEPT: Span = Span::seconds(3600);

/// Watch Bluesky for a query: mentions as they come, with tone and followers; no files needed
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell watch '\"acme corp\" OR #acme'\n  \
                  groundswell watch 'united NEAR/5 (flight OR luggage)' --hostile --links\n  \
                  groundswell watch acme --lang en --for 10m --json > acme.ndjson\n\n\
                  A line is: time (UTC); tone with its number from 0.00 (friendly) to 1.00 (hostile); followers, with ~ where \
                  they are not known and estimated; author; text. Mentions wait up to 1.5 s for their author's followers. \
                  Everything is forgotten at the end: for alerts write the query into a rule file (groundswell init) and \
                  use groundswell run. `groundswell try query` tells what a query matches.")]
pub(super) struct Watch {
    /// What to watch for, as in rule files
    query: String,
    /// A Jetstream server, instead of the public ones; can be given several times
    #[arg(long, value_name = "WSS", value_parser = record::address)]
    url: Vec<String>,
    /// Where followers are asked for; off: nowhere
    #[arg(long, value_name = "URL", default_value = PUBLIC, value_parser = audience)]
    audience: String,
    /// Stop after this time: 90s, 10m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = record::span)]
    time: Option<Span>,
    /// Stop after so many mentions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Write a line of JSON for each mention
    #[arg(long)]
    json: bool,
    /// Show hostile mentions only (tone negative)
    #[arg(long)]
    hostile: bool,
    /// Mentions in this language only, as posts name it
    #[arg(long, value_name = "CODE")]
    lang: Option<String>,
    /// End each line with the link to the post
    #[arg(long, conflicts_with = "json")]
    links: bool,
}

fn audience(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let is_url = reqwest::Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "https" | "http") && u.has_host());
    if text == "off" || is_url { Ok(url.to_string()) } else { Err("expected a URL or off".to_string()) }
}

impl Watch {
    pub(super) fn run(&self) -> u8 {
        if let Some(mistake) = one_query::mistake(&self.query) {
            one_query::tell(&self.query, &mistake);
            return FAILED;
        }
        let text = serde_json::json!({"brands": {"watch": {"query": self.query}}}).to_string();
        let rules = match RuleSet::load(&[SourceText { file: "query".into(), text }]) {
            Ok((rules, _)) => Arc::new(rules.keeping(KEPT)),
            Err(faults) => {
                tell_faults(&faults);
                return FAILED;
            }
        };
        if !io::stderr().is_terminal() {
            let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).with_target(false);
            log.with_max_level(tracing::Level::WARN).init();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime.and_then(|r| {
            let result = r.block_on(self.watch(rules));
            r.shutdown_timeout(Duration::from_millis(200));
            result
        });
        match result {
            Ok(code) => code,
            Err(e) if is_closed(&e) => FINE,
            Err(e) => {
                tell_error(e);
                FAILED
            }
        }
    }

    fn servers(&self) -> Vec<String> {
        if self.url.is_empty() { SERVERS.map(String::from).to_vec() } else { self.url.clone() }
    }

    fn config(&self) -> Config {
        let info = Arc::new(SourceInfo { name: NETWORK.into(), format: WireFormat::Jetstream });
        let kind = SourceKind::Jetstream(JetstreamConfig {
            hosts: self.servers(),
            protocol: Protocol::V1,
            compress: true,
            audience: Some(self.audience.clone()).filter(|a| a != "off"),
            ca: None,
        });
        Config::new(vec![SourceConfig { info, kind }])
    }

    fn wish(&self) -> Wish {
        let out = io::stdout();
        let width = out.is_terminal().then(screen::width);
        let hold = if self.audience == "off" { Span::ZERO } else { limits::WATCH_HOLD };
        Wish {
            json: self.json,
            hostile: self.hostile,
            limit: self.limit.unwrap_or(u64::MAX),
            hold: hold.as_std(),
            look: Look { width, paint: Paint(style_of(&out)), links: self.links },
        }
    }

    async fn watch(&self, rules: Arc<RuleSet>) -> io::Result<u8> {
        let parts = Parts::new(self.config(), rules, Arc::new(SystemClock))?;
        let (status, shared) = (parts.status.clone(), Arc::new(Shared::default()));
        let (to, news) = sync_channel(limits::WATCH_QUEUE);
        let full = shared.clone();
        let tap = move |entries: &[Entry]| {
            // the engine does not wait for who reads
            for news in entries.iter().filter_map(News::of) {
                if let Err(TrySendError::Full(News::Mention(_))) = to.try_send(news) {
                    full.left_out.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let (ended, over) = oneshot::channel();
        let show = Show::new(self.wish(), self.lang.clone(), status.clone(), NETWORK.into(), shared.clone());
        let shown = std::thread::Builder::new().name("show".into()).spawn(move || {
            let result = show.run(&news);
            // nobody waits where the end came from outside
            let _ = ended.send(());
            result
        })?;
        let service = Service::start(Parts { tap: Some(Box::new(tap)), http: false, ..parts }, |_| Ok(())).await?;
        let unreachable = self.until_the_end(&status, &shared, over).await?;
        shared.stopping.store(true, Ordering::Release);
        service.stop().await?;
        // who writes to a pipe that nobody reads is not waited for
        let shown = tokio::task::spawn_blocking(move || shown.join());
        let shown = tokio::time::timeout(Duration::from_secs(1), shown).await;
        let (result, summary) = match shown {
            Ok(Ok(Ok(shown))) => shown,
            _ => return Err(io::Error::other("expected an output that takes more, found one that does not")),
        };
        result?;
        if unreachable {
            tell_error(self.unreachable(&status));
            return Ok(FAILED);
        }
        let _ = write!(io::stderr(), "{summary}");
        Ok(FINE)
    }

    /// Waits for a signal, the time given, or that enough was shown; whether no server was reached
    /// at all.
    async fn until_the_end(
        &self,
        status: &Status,
        shared: &Shared,
        mut over: oneshot::Receiver<()>,
    ) -> io::Result<bool> {
        let reached = || status.metrics.get(&metric::CONNECTS, &[NETWORK, "ok"]).is_some_and(|n| n > 0.0);
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let mut resized = signal(SignalKind::window_change())?;
        let micros = |s: Span| Duration::from_micros(s.0.unsigned_abs());
        let time = tokio::time::sleep(self.time.map_or(Duration::from_secs(u64::from(u32::MAX)), micros));
        let patience = tokio::time::sleep(micros(limits::WATCH_PATIENCE));
        tokio::pin!(time, patience);
        let mut patient = io::stderr().is_terminal();
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                _ = resized.recv() => shared.resized.store(true, Ordering::Release),
                _ = &mut over => break,
                () = &mut time => break,
                () = &mut patience, if !patient => {
                    if !reached() {
                        break;
                    }
                    patient = true;
                }
            }
        }
        Ok(!reached())
    }

    /// What was tried in vain, and why it failed.
    fn unreachable(&self, status: &Status) -> String {
        let why = status.sources.get(NETWORK).map(|s| s.health.why().to_string()).unwrap_or_default();
        let tried: Vec<String> = self.servers().iter().map(|s| format!("\n  tried: {}", plain(s, 200))).collect();
        let hint = if self.url.is_empty() {
            "is this machine on the Internet, and may it open WebSockets (port 443)?"
        } else {
            "is a Jetstream served there? its path is usually /subscribe"
        };
        format!(
            "expected a server that can be reached, found none{}\n  last answer: {}\n  hint: {hint}",
            tried.concat(),
            plain(&why, limits::REASON_CHARS)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn followers_are_asked_for_at_a_url_or_nowhere() {
        assert_eq!(audience("https://api.example/"), Ok("https://api.example".into()));
        assert_eq!(audience("off"), Ok("off".into()));
        assert!(["", "on", "ftp://x.example", "https://", "api.example"].iter().all(|a| audience(a).is_err()));
    }
}
