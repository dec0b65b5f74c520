//! `status`: how a running service fares, by its own word.

mod ask;
mod show;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::screen::{self, Paint};
use super::{FAILED, FINE};
use crate::app::config::{self, Config, LISTEN, Right};
use crate::app::files::CONFIG;
use crate::base::fault::Fault;
use crate::base::secret::Secret;
use ask::{Target, ask};
use show::Look;

/// Where a token may be instead of the command line, which others can see.
const TOKEN: &str = "GROUNDSWELL_TOKEN";
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
    /// The service's config file, for its address and a token that may read
    #[arg(short, long, value_name = "FILE", conflicts_with = "url")]
    config: Option<PathBuf>,
    /// Where the service is
    #[arg(long, value_name = "URL", value_parser = address)]
    url: Option<String>,
    /// A token of its config that may read; better in the environment variable GROUNDSWELL_TOKEN
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
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

fn address(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let fits = reqwest::Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "https" | "http") && u.query().is_none());
    if fits { Ok(url.to_string()) } else { Err("expected a URL like http://127.0.0.1:9464".to_string()) }
}

impl Status {
    pub(super) fn run(&self) -> u8 {
        let target = match self.target() {
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

    /// Whom to ask, and with what.
    fn target(&self) -> Result<Target, Vec<Fault>> {
        let given = || self.token.clone().or_else(|| std::env::var(TOKEN).ok()).filter(|t| !t.is_empty());
        let given = given().map(Secret::new);
        let here = Path::new(CONFIG);
        let path = match (&self.config, &self.url) {
            (Some(path), _) => Some(path.as_path()),
            (None, None) if here.is_file() => Some(here),
            _ => None,
        };
        let Some(path) = path else {
            let url = self.url.clone().unwrap_or_else(|| format!("http://{LISTEN}"));
            return Ok(Target { url, token: given });
        };
        let (config, _) = config::load(path)?;
        Ok(Target { url: url_of(&config), token: given.or_else(|| token_of(&config)) })
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
                asked = ask(target) => asked,
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

    fn shown(&self, target: &Target, state: &serde_json::Value) -> String {
        let out = io::stdout();
        let width = if out.is_terminal() { screen::width() } else { 80 };
        show::text(state, &target.url, &Look { width, paint: Paint(style_of(&out)), all: self.all })
    }
}

/// Where a service with this config is, seen from this machine.
fn url_of(config: &Config) -> String {
    let mut at = config.listen;
    if at.ip().is_unspecified() {
        at.set_ip(if at.is_ipv6() { std::net::Ipv6Addr::LOCALHOST.into() } else { LISTEN.ip() });
    }
    format!("http://{at}")
}

/// The first token that may read; one that may no more, if there is one.
fn token_of(config: &Config) -> Option<Secret> {
    config.tokens.iter().min_by_key(|t| t.may.contains(&Right::Admin)).map(|t| t.secret.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::Token;

    #[test]
    fn finds_address_and_the_least_token_of_a_config() {
        let token =
            |name: &str, may: &[Right]| Token { name: name.into(), secret: Secret::new(name), may: may.to_vec() };
        let tokens = vec![token("ops", &[Right::Read, Right::Admin]), token("eyes", &[Right::Read])];
        let config = |listen: &str| Config {
            listen: listen.parse().unwrap(),
            tokens: tokens.clone(),
            ..Config::new(Vec::new())
        };
        assert_eq!(url_of(&config("0.0.0.0:9000")), "http://127.0.0.1:9000");
        assert_eq!(url_of(&config("[::]:9000")), "http://[::1]:9000");
        assert_eq!(url_of(&config("10.1.2.3:9000")), "http://10.1.2.3:9000");
        assert_eq!(token_of(&config("[::]:9000")).map(|s| s.expose().to_string()).as_deref(), Some("eyes"));
        assert_eq!(token_of(&Config::new(Vec::new())), None);
    }

    #[test]
    fn a_service_is_at_a_url() {
        assert_eq!(address("http://[::1]:9464/"), Ok("http://[::1]:9464".into()));
        assert!(["", "127.0.0.1:9464", "ws://x.example", "https://x.example?a"].iter().all(|a| address(a).is_err()));
    }
}
