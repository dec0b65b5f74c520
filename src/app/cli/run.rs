//! `run`: the service.

use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::{FAILED, FINE};
use crate::app::clock::SystemClock;
use crate::app::config::{self, Config};
use crate::app::files::{CONFIG, load_rules};
use crate::app::service::{Parts, Service};
use crate::base::limits;
use crate::base::rule::RuleSet;
use crate::notify::{Form, Stdout, Surroundings};

/// Run the service until it is told to stop
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell run\n  groundswell run -c /etc/groundswell/groundswell.yaml\n\n\
                        Pages go to standard output, logs to standard error; metrics and health are served at the \
                        address `listen` of the config. SIGINT and SIGTERM stop it in order.")]
pub(super) struct Run {
    /// The config file
    #[arg(short, long, default_value = CONFIG, value_name = "FILE")]
    config: PathBuf,
}

impl Run {
    pub(super) fn run(&self) -> u8 {
        let loaded = config::load(&self.config).and_then(|(config, mut warnings)| {
            let (rules, more) = load_rules(&config.rules)?;
            warnings.extend(more);
            Ok((config, rules, warnings))
        });
        let (config, rules, warnings) = match loaded {
            Ok(loaded) => loaded,
            Err(faults) => {
                tell_faults(&faults);
                return FAILED;
            }
        };
        tell_faults(&warnings);
        let style = style_of(&io::stderr());
        tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(style.colour).with_target(false).init();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime.and_then(|r| {
            let result = r.block_on(serve(config, Arc::new(rules)));
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

async fn serve(config: Config, rules: Arc<RuleSet>) -> io::Result<()> {
    let form = if config.json { Form::Json } else { Form::Text(style_of(&io::stdout())) };
    let around = Surroundings {
        watching: config.sources.iter().map(|s| s.info.name.to_string()).collect(),
        blind_spots: config.blind_spots.clone(),
    };
    let mut out = Stdout::new(BufWriter::new(io::stdout()), form, around);
    let listen = config.listen;
    let (brands, count) = (rules.brands.len(), rules.rules.len());
    let parts = Parts {
        config,
        rules,
        clock: Arc::new(SystemClock),
        tick: Duration::from_secs(1),
        lookup_pace: limits::LOOKUP_PACE,
    };
    let service = Service::start(parts, move |notice| {
        if let Some(notice) = notice {
            out.tell(&notice)?;
        }
        out.flush()
    });
    let service =
        service.await.map_err(|e| io::Error::new(e.kind(), format!("expected to serve at {listen}, found {e}")))?;
    tracing::info!(brands, rules = count, address = %service.address, "running; metrics and health are served");
    stopped(&service).await;
    tracing::info!("stopping");
    service.stop().await
}

/// Waits for a signal, or for the engine to end (nobody reads its output).
async fn stopped(service: &Service) {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(_) => return,
    };
    let mut look = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return,
            _ = terminate.recv() => return,
            _ = look.tick() => if service.has_ended() { return },
        }
    }
}
