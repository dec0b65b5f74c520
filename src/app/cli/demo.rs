//! `demo`: the whole service on a story told by a local server. No network, no files.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use clap::Args;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::{FAILED, FINE};
use crate::app::clock::{Clock, SetClock};
use crate::app::config::{Config, JetstreamConfig, Protocol, ReceiverConfig, ReceiverKind, SourceConfig, SourceKind};
use crate::app::demo::{Script, Teller, rules};
use crate::app::keeper::{Delivery, Tell};
use crate::app::receivers::{policy, surroundings};
use crate::app::service::{Parts, Service};
use crate::app::status::Status;
use crate::app::writes::{Moment, Writes};
use crate::base::figures::percent;
use crate::base::model::{Message, Notice, Phase, Severity, SourceInfo, Transition, WireFormat};
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use crate::notify::{Policy, Sending};

/// Longest run, in real time.
const LONGEST: Duration = Duration::from_secs(36);
/// Real time between two Ticks.
const TICK: Duration = Duration::from_millis(10);

/// Watch an invented guitar story unfold: no network, about half a minute
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell demo\n  groundswell demo --once --json    only transitions, one JSON object a line\n\n\
                        A WebSocket server in this process first sends a day of history, then the story, about 330 times \
                        faster than life. The service connects to it as it would to Bluesky."
)]
pub(super) struct Demo {
    /// Write every transition as a line of JSON, and nothing else
    #[arg(long)]
    json: bool,
    /// Tell the story once and exit (the demo always does; kept for scripts)
    #[arg(long)]
    once: bool,
}

/// What the receiver saw of the story.
#[derive(Clone, Copy, Default)]
struct Seen {
    paged: Option<Time>,
    resolved: Option<Time>,
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
        let engine_time = move || engine.get().map_or(Time(0), |s| s.engine_time());
        let teller = Teller::start(script.clone(), clock.clone(), engine_time, cancel.clone()).await?;
        let config = config(&teller);
        if !self.json {
            println!(
                "An invented story, told by a local server at ws://{} (history first, then 330 times faster than life).\n",
                teller.stream
            );
        }
        let kind = ReceiverKind::Stdout { json: self.json };
        let mut config = config;
        config.receivers = vec![ReceiverConfig::new("stdout", kind.clone())];
        let writes = Writes::new(&kind, surroundings(&config), style_of(&io::stdout()));
        let tell = Box::new(Told { policy: Arc::new(policy(&config)), writes, clock: clock.clone() });
        let (seen, done) = (Arc::new(Mutex::new(Seen::default())), Arc::new(Notify::new()));
        let (looks, over, story) = (seen.clone(), done.clone(), script.story.clone());
        let mut ends = false;
        let receive = move |delivery: Option<Delivery>| {
            let mut out = io::stdout().lock();
            let Some(delivery) = delivery else { return out.flush() };
            let look = |n: &Notice| looks.lock().unwrap_or_else(PoisonError::into_inner).look(&n.transition, &story);
            ends |= matches!(&delivery.message, Some(Message::Episode(n)) if look(n));
            delivery.letters.iter().try_for_each(|(_, l)| out.write_all(&l.body))?;
            out.flush()?;
            if ends {
                over.notify_one();
            }
            Ok(())
        };
        let parts = Parts { tick: TICK, lookup_pace: Span::ZERO, tell, ..Parts::new(config, rules, clock)? };
        let service = Service::start(parts, receive).await?;
        // set once; the teller waits for it
        let _ = status.set(service.status().clone());
        tokio::select! {
            () = done.notified() => {}
            () = tokio::time::sleep(LONGEST) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        cancel.cancel();
        service.stop().await?;
        let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(seen)
    }
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
