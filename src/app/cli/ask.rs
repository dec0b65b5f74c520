//! Questions to a running service: where it is, with which token, and what it answers.

use std::path::{Path, PathBuf};

use clap::Args;
use reqwest::Method;
use serde_json::Value as Json;

use crate::app::config::{self, Config, LISTEN, Right};
use crate::app::files::CONFIG;
use crate::base::fault::Fault;
use crate::base::limits;
use crate::base::secret::Secret;
use crate::notify::plain;

/// Where a token may be instead of the command line, which others can see.
const TOKEN: &str = "GROUNDSWELL_TOKEN";

/// Which service.
#[derive(Args)]
pub(super) struct Service {
    /// The service's config file, for its address and a token that may do this
    #[arg(short, long, value_name = "FILE", conflicts_with = "url")]
    config: Option<PathBuf>,
    /// Where the service is
    #[arg(long, value_name = "URL", value_parser = address)]
    url: Option<String>,
    /// A token of its config that may do this; better in the environment variable GROUNDSWELL_TOKEN
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
}

/// Whom to ask.
pub(super) struct Target {
    /// Without a slash at the end.
    pub(super) url: String,
    /// What is shown to it.
    pub(super) token: Option<Secret>,
}

/// A question.
pub(super) struct Question<'a> {
    /// What is expected in answer, for mistakes: `the state of a service`.
    pub(super) what: &'static str,
    /// How it is asked.
    pub(super) method: Method,
    /// What for: `/v1/...`.
    pub(super) path: &'a str,
    /// What is sent along.
    pub(super) body: Option<&'a Json>,
    /// The right that is needed, as it is called in a config.
    pub(super) right: &'static str,
}

fn address(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let fits = reqwest::Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "https" | "http") && u.query().is_none());
    if fits { Ok(url.to_string()) } else { Err("expected a URL like http://127.0.0.1:9464".to_string()) }
}

impl Service {
    /// Whom to ask, and with what, to do something that needs a right.
    pub(super) fn target(&self, right: Right) -> Result<Target, Vec<Fault>> {
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
        Ok(Target { url: url_of(&config), token: given.or_else(|| token_of(&config, right)) })
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

/// The token that has a right and, of these, the fewest others; any, where none has it.
fn token_of(config: &Config, right: Right) -> Option<Secret> {
    let most = |may: &[Right]| match () {
        () if may.contains(&Right::Admin) => 2,
        () if may.contains(&Right::Act) => 1,
        () => 0,
    };
    let needed = match right {
        Right::Read => 0,
        Right::Act => 1,
        Right::Admin => 2,
    };
    let best = config.tokens.iter().min_by_key(|t| (most(&t.may) < needed, most(&t.may)));
    best.map(|t| t.secret.clone())
}

/// The status of an answer, and what it says. The error says what was asked, why there was no answer, and a hint.
pub(super) async fn ask(target: &Target, question: &Question<'_>) -> Result<(u16, String), String> {
    let (shown, what) = (plain(&target.url, 200), question.what);
    let fail = |why: String, hint: &str| format!("expected {what} at {shown}, found {why}\n  hint: {hint}");
    // what goes to this machine goes through no proxy, and a token to no other server
    let client = reqwest::Client::builder()
        .timeout(limits::STATUS_TIMEOUT.as_std())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("groundswell/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| fail(reason(&e), "this is a mistake of the program"))?;
    let mut request = client.request(question.method.clone(), format!("{}{}", target.url, question.path));
    if let Some(token) = &target.token {
        request = request.bearer_auth(token.expose());
    }
    if let Some(body) = question.body {
        request = request.json(body);
    }
    let running = "is it running (groundswell run)? its config says where: `listen`; give that with --url or -c";
    let mut answer = request.send().await.map_err(|e| fail(reason(&e), running))?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|e| fail(reason(&e), running))? {
        body.extend_from_slice(&piece);
        if body.len() > limits::STATUS_BYTES {
            return Err(fail(format!("more than {} bytes", limits::STATUS_BYTES), running));
        }
    }
    if matches!(status.as_u16(), 401 | 403) {
        let found =
            if target.token.is_some() { "that it does not take this token" } else { "that it asks for a token" };
        let right = question.right;
        let hint =
            format!("give one of its config that may `{right}`: --token, GROUNDSWELL_TOKEN, or -c groundswell.yaml");
        return Err(fail(format!("{found} ({status})"), &hint));
    }
    Ok((status.as_u16(), String::from_utf8(body).unwrap_or_default()))
}

/// The innermost reason; the outer ones only repeat what was asked.
fn reason(e: &reqwest::Error) -> String {
    if e.is_timeout() {
        return format!("no answer within {}", limits::STATUS_TIMEOUT);
    }
    let mut inner: &dyn std::error::Error = e;
    while let Some(next) = inner.source() {
        inner = next;
    }
    plain(&inner.to_string(), limits::REASON_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::config::Token;

    #[test]
    fn finds_address_and_the_least_token_of_a_config() {
        let token =
            |name: &str, may: &[Right]| Token { name: name.into(), secret: Secret::new(name), may: may.to_vec() };
        let tokens = vec![
            token("ops", &[Right::Read, Right::Admin]),
            token("eyes", &[Right::Read]),
            token("duty", &[Right::Act]),
        ];
        let config = |listen: &str| Config {
            listen: listen.parse().unwrap(),
            tokens: tokens.clone(),
            ..Config::new(Vec::new())
        };
        assert_eq!(url_of(&config("0.0.0.0:9000")), "http://127.0.0.1:9000");
        assert_eq!(url_of(&config("[::]:9000")), "http://[::1]:9000");
        assert_eq!(url_of(&config("10.1.2.3:9000")), "http://10.1.2.3:9000");
        let best = |right| token_of(&config("[::]:9000"), right).map(|s| s.expose().to_string());
        assert_eq!((best(Right::Read).as_deref(), best(Right::Act).as_deref()), (Some("eyes"), Some("duty")));
        assert_eq!(best(Right::Admin).as_deref(), Some("ops"));
        assert_eq!(token_of(&Config::new(Vec::new()), Right::Read), None);
    }

    #[test]
    fn a_service_is_at_a_url() {
        assert_eq!(address("http://[::1]:9464/"), Ok("http://[::1]:9464".into()));
        assert!(["", "127.0.0.1:9464", "ws://x.example", "https://x.example?a"].iter().all(|a| address(a).is_err()));
    }
}
