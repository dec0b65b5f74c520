//! `run`: the service.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::output::{is_closed, log_to_stderr, style_of, tell_error, tell_faults};
use super::{FAILED, FINE};
use crate::app::clock::SteadyClock;
use crate::app::config::Config;
use crate::app::files::CONFIG;
use crate::app::receivers::Receivers;
use crate::app::reload::{self, Reloader, Trigger};
use crate::app::service::{Parts, Service};
use crate::app::watchdog::Manager;
use crate::base::limits;
use crate::base::rule::RuleSet;
use crate::base::time::Time;
use crate::store::db::Db;

/// Run the service until it is told to stop
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell run\n  groundswell run -c /etc/groundswell/groundswell.yaml\n  \
                        kill -HUP PID                        read rules and config again\n\n\
                        Pages go to the receivers of the config (standard output if it names none), logs to standard \
                        error; metrics, health and the API are served at the address `listen`. Changed files are read \
                        again by themselves; files with mistakes change nothing. SIGINT and SIGTERM stop it in order: \
                        sources, engine, HTTP, receivers. A service manager that sets NOTIFY_SOCKET (systemd, `Type=notify`) is told \
                        when it is ready, how it fares and, as long as it really works, that it is alive.")]
pub(super) struct Run {
    /// The config file
    #[arg(short, long, default_value = CONFIG, value_name = "FILE")]
    config: PathBuf,
}

impl Run {
    pub(super) fn run(&self) -> u8 {
        let (config, rules, warnings) = match reload::read(&self.config) {
            Ok(loaded) => loaded,
            Err(faults) => {
                tell_faults(&faults);
                return FAILED;
            }
        };
        tell_faults(&warnings);
        log_to_stderr(config.log);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime.and_then(|r| {
            let result = r.block_on(serve(&self.config, config, Arc::new(rules)));
            // a thread that waits for a reader of standard output must not keep the process
            r.shutdown_timeout(Duration::from_millis(200));
            result
        });
        match result {
            Ok(()) => FINE,
            Err(e) if is_closed(&e) => FINE,
            Err(e) => {
                tell_error(e);
                FAILED
            }
        }
    }
}

async fn serve(path: &Path, config: Config, rules: Arc<RuleSet>) -> io::Result<()> {
    let fingerprint = rules.fingerprint;
    let (brands, count) = (rules.brands.len(), rules.rules.len());
    // time never begins before what was recorded last
    let stored = config.store.as_ref().and_then(|s| Db::read_only(&s.path).ok());
    let handles = stored.as_ref().and_then(|db| db.handles().ok()).unwrap_or_default();
    let floor = stored.and_then(|db| db.end_of_log().ok()).map_or(Time(0), |(_, _, at)| at);
    let mut parts = Parts::new(config, rules, Arc::new(SteadyClock::with_floor(floor)))?;
    let told = Receivers::new(parts.status.clone(), style_of(&io::stdout()), limits::SHUTDOWN, handles);
    let told = told.map_err(io::Error::other)?;
    (parts.tell, parts.ended) = (told.writer(), told.ended());
    let out = told.clone();
    let service = Service::start(parts, move |delivery| out.tell(delivery)).await?;
    tracing::info!(brands, rules = count, address = %service.address, "running; metrics, health and the API are served");
    let cancel = CancellationToken::new();
    let reloading = Reloader::new(&service, path, fingerprint, told.clone()).map(|reloader| {
        let trigger = reloader.trigger();
        (trigger, tokio::spawn(reloader.run(cancel.clone())))
    });
    let trigger = reloading.as_ref().map(|(trigger, _)| trigger.clone());
    let manager = Manager::start(service.status().clone());
    let by = stopped(&service, trigger, &manager).await;
    manager.stopping().await;
    tracing::info!(by, "stopping: sources, engine, HTTP, receivers");
    cancel.cancel();
    if let Some((_, task)) = reloading {
        let _ = task.await;
    }
    let mut left = 0;
    let result = service.stop_with(async { left = told.stop().await }).await;
    tracing::info!(undelivered = left, "stopped");
    manager.end();
    result
}

/// Waits for a signal to stop, or for the engine to end (nobody reads its output); reloads on
/// SIGHUP. Says what ended it.
async fn stopped(service: &Service, trigger: Option<Trigger>, manager: &Manager) -> &'static str {
    let on = |kind| signal(kind).ok();
    let (mut terminate, mut hangup) = (on(SignalKind::terminate()), on(SignalKind::hangup()));
    let mut look = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return "SIGINT",
            () = next(&mut terminate) => return "SIGTERM",
            () = next(&mut hangup) => if let Some(trigger) = &trigger { reload(trigger, manager) },
            _ = look.tick() => if service.has_ended() { return "no reader" },
        }
    }
}

/// Asks for a reload; a service manager hears when it begins and when it is over.
fn reload(trigger: &Trigger, manager: &Manager) {
    let Some(reloading) = manager.reloading() else { return trigger.nudge("SIGHUP") };
    let trigger = trigger.clone();
    tokio::spawn(async move {
        // what came of it is logged, and shown by `status`
        let _ = trigger.ask("SIGHUP").await;
        reloading.over().await;
    });
}

/// The next signal; never, where it cannot be listened for.
async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
