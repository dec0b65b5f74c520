//! `demo`: the whole service on a story told by a local server. No network, no files.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use clap::Args;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::{FAILED, FINE};
use crate::app::alone;
use crate::app::clock::{Clock, SetClock};
use crate::app::config::{
    Config, Heartbeat, JetstreamConfig, Protocol, ReceiverConfig, ReceiverKind, Right, SourceConfig, SourceKind,
    StoreConfig, Token, WebhookConfig,
};
use crate::app::demo::{Script, Teller, care, office, rules};
use crate::app::keeper::{Delivery, Tell};
use crate::app::receivers::{Handles, Receivers, policy, surroundings};
use crate::app::service::{Parts, Service};
use crate::app::start::secret;
use crate::app::status::Status;
use crate::app::writes::{Moment, Writes};
use crate::base::figures::percent;
use crate::base::limits;
use crate::base::model::{Message, Phase, Severity, SourceInfo, Transition, WireFormat};
use crate::base::rule::RuleSet;
use crate::base::secret::Secret;
use crate::base::time::{Span, Time};
use crate::collect::audience::Manners;
use crate::notify::{Policy, Sending};

/// Longest run, in story time, and what may be added in real time.
const LONGEST: Span = Span::seconds(9_000);
const STARTS: Duration = Duration::from_secs(9);
/// How long the story waits for the first scrape, where metrics are served.
const SCRAPED: Duration = Duration::from_secs(20);
/// Holds what has to be shown where others than this machine may ask.
const TOKEN: &str = "GROUNDSWELL_TOKEN";
/// How often the heartbeat beats in real time.
const BEAT: Span = Span::seconds(5);
/// Real time between two Ticks.
const TICK: Duration = Duration::from_millis(10);

/// Watch an invented guitar story unfold: no network, about half a minute
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell demo\n  groundswell demo --once --json    only transitions, one JSON object a line\n  \
                        groundswell demo --listen 127.0.0.1:9464 --speed 60 --stay    for Prometheus and dashboards\n\n\
                        A WebSocket server in this process first sends a day of history, then the story, 330 times \
                        faster than life. The service connects to it as it would to Bluesky. With --listen it also has a store (in a \
                        scratch folder), receivers that are called, a heartbeat, and somebody who acknowledges the page, so \
                        that every metric has something to say; the story then begins after the first scrape, or 20 s."
)]
pub(super) struct Demo {
    /// Write every transition as a line of JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// Tell the story once and exit (the demo always does; kept for scripts)
    #[arg(long)]
    once: bool,
    /// Serve metrics, health and the API at this address, with everything a service has; elsewhere than at this
    /// machine the API asks for the token in GROUNDSWELL_TOKEN
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
    /// How many times faster than life the story is told, 1 to 1000
    #[arg(long, value_name = "TIMES", default_value_t = 330, value_parser = clap::value_parser!(u16).range(1..=1000))]
    speed: u16,
    /// Go on after the story, with small talk, until SIGINT or SIGTERM; needs --listen
    #[arg(long, requires = "listen", conflicts_with = "once")]
    stay: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("expected an address with its port, as 127.0.0.1:9464, found `{text}`"))
}

/// What the receiver saw of the story.
#[derive(Clone, Copy, Default)]
struct Seen {
    paged: Option<Time>,
    resolved: Option<Time>,
    /// Somebody asked for the end.
    stopped: bool,
}

impl Seen {
    fn look(&mut self, t: &Transition, story: &str) -> bool {
        if t.group.story.as_ref().is_none_or(|s| *s.name != *story) {
            return false;
        }
        if t.to == Phase::Firing && t.severity == Severity::Page {
            self.paged = self.paged.or(Some(t.at));
        }
        if t.to == Phase::Resolved && self.paged.is_some() {
            self.resolved = Some(t.at);
        }
        self.resolved.is_some()
    }
}

impl Demo {
    pub(super) fn run(&self) -> u8 {
        let rules = match rules() {
            Ok(rules) => Arc::new(rules),
            Err(faults) => {
                tell_faults(&faults);
                return FAILED;
            }
        };
        let script = Arc::new(Script::new());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let seen = match runtime.and_then(|r| r.block_on(self.play(rules, script.clone()))) {
            Ok(seen) => seen,
            Err(e) if is_closed(&e) => return FINE,
            Err(e) => {
                tell_error(e);
                return FAILED;
            }
        };
        match (seen.paged, seen.resolved) {
            _ if self.stay || seen.stopped => FINE,
            (Some(paged), Some(resolved)) => {
                if !self.json {
                    print!("{}", summary(&script, paged, resolved));
                }
                FINE
            }
            _ => {
                tell_error("expected the story to be paged and to end, found that time ran out");
                FAILED
            }
        }
    }

    async fn play(&self, rules: Arc<RuleSet>, script: Arc<Script>) -> io::Result<Seen> {
        let (clock, cancel) = (Arc::new(SetClock::default()), CancellationToken::new());
        let status: Arc<OnceLock<Arc<Status>>> = Arc::default();
        let engine = status.clone();
        let (speed, until) =
            (f64::from(self.speed), Instant::now() + if self.listen.is_some() { SCRAPED } else { Duration::ZERO });
        // what is counted first is seen to be new by who has looked before
        let is_read = move |s: &Arc<Status>| Instant::now() >= until || s.metrics.is_read();
        let engine_time = move || engine.get().filter(|s| is_read(s)).map_or(Time(0), |s| s.engine_time());
        let teller = Teller::start(script.clone(), speed, clock.clone(), engine_time, cancel.clone()).await?;
        if !self.json {
            println!(
                "An invented story, told by a local server at ws://{} (history first, then {} times faster than life).\n",
                teller.stream, self.speed
            );
        }
        let kind = ReceiverKind::Stdout { json: self.json };
        let mut config = config(&teller);
        config.receivers = vec![ReceiverConfig::new("stdout", kind.clone())];
        let scratch = if self.listen.is_some() { Some(Scratch::new()?) } else { None };
        if let (Some(listen), Some(scratch)) = (self.listen, &scratch) {
            furnish(&mut config, listen, scratch, office(cancel.clone()).await?)?;
        }
        let (seen, done) = (Arc::new(Mutex::new(Seen::default())), Arc::new(Notify::new()));
        let watch = Watch { seen: seen.clone(), over: done.clone(), story: script.story.clone(), ends: false };
        let writes = Writes::new(&kind, surroundings(&config), style_of(&io::stdout()));
        let tell = Box::new(Told { policy: Arc::new(policy(&config)), writes, clock: clock.clone() });
        let mut parts = Parts {
            tick: TICK,
            lookups: Manners { pace: Span::ZERO, ..Manners::default() },
            tell,
            ..Parts::new(config, rules, clock)?
        };
        let receivers = if scratch.is_some() { Some(receivers_of(&mut parts)?) } else { None };
        let service = Service::start(parts, watch.receive(receivers.clone())).await?;
        // set once; the teller waits for it
        let _ = status.set(service.status().clone());
        if scratch.is_some() {
            // not among what the receiver of this output is told
            eprintln!("metrics, health and the API are served at http://{}", service.address);
            tokio::spawn(care(service.status().clone(), cancel.clone()));
        }
        tokio::select! {
            () = done.notified() => {}
            () = tokio::time::sleep_until((until + STARTS + LONGEST.as_std().div_f64(speed)).into()) => {}
            () = end_asked() => cancel.cancel(),
        }
        let stopped = cancel.is_cancelled();
        if self.stay && !stopped {
            end_asked().await;
        }
        cancel.cancel();
        service
            .stop_with(async {
                if let Some(r) = receivers {
                    let _ = r.stop().await;
                }
            })
            .await?;
        let seen = *alone(&seen);
        Ok(Seen { stopped, ..seen })
    }
}

/// Waits for a signal to stop.
async fn end_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// Looks at what is told for the end of the story.
struct Watch {
    seen: Arc<Mutex<Seen>>,
    over: Arc<Notify>,
    story: String,
    ends: bool,
}

impl Watch {
    /// Hands on to receivers, or writes to standard output itself.
    fn receive(mut self, receivers: Option<Receivers>) -> impl FnMut(Option<Delivery>) -> io::Result<()> + Send {
        move |delivery| {
            if let Some(Message::Episode(n)) = delivery.as_ref().and_then(|d| d.message.as_ref()) {
                let mut seen = alone(&self.seen);
                self.ends |= seen.look(&n.transition, &self.story);
            }
            match &receivers {
                Some(receivers) => receivers.tell(delivery)?,
                None => {
                    let mut out = io::stdout().lock();
                    let letters = delivery.into_iter().flat_map(|d| d.letters);
                    letters.into_iter().try_for_each(|(_, l)| out.write_all(&l.body))?;
                    out.flush()?;
                }
            }
            if self.ends {
                self.over.notify_one();
            }
            Ok(())
        }
    }
}

/// A folder that goes with the demo.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Scratch> {
        let path = std::env::temp_dir().join(format!("groundswell-demo-{}", std::process::id()));
        std::fs::create_dir(&path).map_err(|e| {
            io::Error::new(e.kind(), format!("expected to make the folder {}, found {e}", path.display()))
        })?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // what is left of it is only a demo
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Everything a service has: a store, receivers that are called, a heartbeat.
fn furnish(config: &mut Config, listen: SocketAddr, scratch: &Scratch, office: SocketAddr) -> io::Result<()> {
    config.listen = listen;
    if !listen.ip().is_loopback() {
        // as a config would have to: who is not on this machine gets metrics and health only
        let known = std::env::var(TOKEN).ok().filter(|t| !t.is_empty());
        let none = || io::Error::other(format!("expected {TOKEN}, or random numbers for a token, found neither"));
        let secret = Secret::new(known.or_else(secret).ok_or_else(none)?);
        config.tokens = vec![Token { name: "demo".to_string(), secret, may: vec![Right::Read, Right::Act] }];
    }
    config.store = Some(StoreConfig::new(scratch.0.join("groundswell.db")));
    let url = |path: &str| format!("http://{office}/{path}");
    for name in ["pager", "chat"] {
        let (headers, ca) = (Vec::new(), None);
        let hook = WebhookConfig { name: name.into(), url: url(name), secret: None, headers, ca };
        config.receivers.push(ReceiverConfig::new(name, ReceiverKind::Webhook(hook)));
    }
    config.heartbeat = Some(Heartbeat { url: Secret::new(url("beat")), every: BEAT });
    Ok(())
}

/// Receivers as a service has them.
fn receivers_of(parts: &mut Parts) -> io::Result<Receivers> {
    let style = style_of(&io::stdout());
    let receivers = Receivers::new(parts.status.clone(), style, limits::SHUTDOWN, Handles::new());
    let receivers = receivers.map_err(io::Error::other)?;
    (parts.tell, parts.ended) = (receivers.writer(), receivers.ended());
    Ok(receivers)
}

/// Tells on standard output.
struct Told {
    policy: Arc<Policy>,
    writes: Writes,
    clock: Arc<SetClock>,
}

impl Tell for Told {
    fn policy(&self) -> Arc<Policy> {
        self.policy.clone()
    }

    fn render(&mut self, sending: &Sending, unrecorded: Option<&str>) -> Option<Vec<u8>> {
        self.writes.write(sending, &Moment { unrecorded, now: self.clock.now(), acts: None })
    }
}

fn config(teller: &Teller) -> Config {
    let info = Arc::new(SourceInfo { name: "bluesky".into(), format: WireFormat::Jetstream });
    let kind = SourceKind::Jetstream(JetstreamConfig {
        hosts: vec![format!("ws://{}/subscribe", teller.stream)],
        protocol: Protocol::V1,
        compress: false,
        audience: Some(format!("http://{}", teller.appview)),
        ca: None,
    });
    Config {
        listen: std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        blind_spots: vec!["X".into(), "TikTok".into(), "Instagram".into()],
        ..Config::new(vec![SourceConfig { info, kind }])
    }
}

/// What the page saved, by the script's own truth.
fn summary(script: &Script, paged: Time, resolved: Time) -> String {
    let line = |name: &str, at: Time| {
        let after = Span((at - script.began).0 / 1_000_000 * 1_000_000);
        format!(
            "  {name:<22} {}  {:>7} later  {:>6} of its reach was spent\n",
            at.clock_utc(),
            after.to_string(),
            percent(script.spent(at))
        )
    };
    let next = |every: i64| {
        let every = Span::seconds(every).0;
        Time((paged.0 + every - 1).div_euclid(every) * every)
    };
    let mut out =
        format!("The story began at {} UTC and was shared {} times.\n", script.began.clock_utc(), script.shares.len());
    out.push_str(&line("groundswell paged", paged));
    out.push_str(&line("a look every 10 min", next(600)));
    out.push_str(&line("a look every hour", next(3600)));
    out.push_str(&format!("  the episode was over   {}\n", resolved.clock_utc()));
    out
}
