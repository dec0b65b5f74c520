//! `status`: how a running service fares, by its own word.

mod show;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::Args;
use reqwest::Method;
use serde_json::Value as Json;

use super::ask::{Question, Service, Target, ask};
use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::screen::{self, Paint};
use super::{FAILED, FINE};
use crate::app::config::Right;
use crate::notify::plain;
use show::Look;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// Ask a running service how it fares: sources, rules, receivers
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell status                           the service of groundswell.yaml here, or at 127.0.0.1:9464\n  \
                  groundswell status -c /etc/groundswell/groundswell.yaml --watch\n  \
                  GROUNDSWELL_TOKEN=... groundswell status --url https://gs.example\n  \
                  groundswell status --json | jq .unready\n\n\
                  A rule is live; or learning (its series are young, it goes by what others do), silent (says nothing until it \
                  has learned), filling (its windows are not whole yet), shadow (tells nobody). Exit status: 0 ready, 1 not \
                  ready or not reached, 2 wrong usage."
)]
pub(super) struct Status {
    #[command(flatten)]
    service: Service,
    /// Write what the service answers, as JSON
    #[arg(long)]
    json: bool,
    /// Look again every two seconds
    #[arg(long)]
    watch: bool,
    /// List all rules, also those that are live
    #[arg(long)]
    all: bool,
}

impl Status {
    pub(super) fn run(&self) -> u8 {
        let target = match self.service.target(Right::Read) {
            Ok(target) => target,
            Err(faults) => {
                tell_faults(&faults);
                return FAILED;
            }
        };
        // a second call finds it installed already
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime.and_then(|r| r.block_on(self.look(&target))) {
            Ok(true) => FINE,
            Ok(false) => FAILED,
            Err(e) if is_closed(&e) => FINE,
            Err(e) => {
                tell_error(e);
                FAILED
            }
        }
    }

    /// Looks once, or until told to stop; whether the service was ready at last.
    async fn look(&self, target: &Target) -> io::Result<bool> {
        let mut every = tokio::time::interval(EVERY);
        let mut ready = false;
        loop {
            tokio::select! {
                _ = tokio::signal::ctrl_c(), if self.watch => return Ok(ready),
                _ = every.tick() => {}
            }
            let asked = tokio::select! {
                _ = tokio::signal::ctrl_c(), if self.watch => return Ok(ready),
                asked = state(target) => asked,
            };
            let mut out = io::stdout().lock();
            if self.watch && !self.json && out.is_terminal() {
                write!(out, "\x1b[H\x1b[2J")?;
                out.flush()?;
            }
            ready = match asked {
                Err(why) => {
                    tell_error(why);
                    false
                }
                Ok((body, state)) => {
                    let text = if self.json { format!("{}\n", body.trim_end()) } else { self.shown(target, &state) };
                    out.write_all(text.as_bytes())?;
                    state["ready"] == true
                }
            };
            out.flush()?;
            if !self.watch {
                return Ok(ready);
            }
        }
    }

    fn shown(&self, target: &Target, state: &Json) -> String {
        let out = io::stdout();
        let width = if out.is_terminal() { screen::width() } else { 80 };
        show::text(state, &target.url, &Look { width, paint: Paint(style_of(&out)), all: self.all })
    }
}

/// The state a service tells, as it came and read.
async fn state(target: &Target) -> Result<(String, Json), String> {
    let what = "the state of a service";
    let (status, body) =
        ask(target, &Question { what, method: Method::GET, path: "/v1/status", body: None, right: "read" }).await?;
    let fail = |found: String| {
        let url = plain(&target.url, 200);
        format!("expected {what} at {url}, found {found}\n  hint: is it groundswell that serves there?")
    };
    if status != 200 {
        let status = reqwest::StatusCode::from_u16(status).map_or_else(|_| status.to_string(), |s| s.to_string());
        return Err(fail(format!("the answer {status}")));
    }
    let state: Option<Json> = serde_json::from_str(&body).ok().filter(|j: &Json| j["ready"].is_boolean());
    let state = state.ok_or_else(|| fail("another answer".into()))?;
    Ok((body, state))
}
