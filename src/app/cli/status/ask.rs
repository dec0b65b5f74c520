//! One question to a running service.

use serde_json::Value as Json;

use crate::base::limits;
use crate::base::secret::Secret;
use crate::notify::plain;

/// Whom to ask.
pub(super) struct Target {
    /// Without a slash at the end.
    pub(super) url: String,
    /// What is shown to it.
    pub(super) token: Option<Secret>,
}

/// The state a service tells, as it came and read. The error says what was asked, why there was no
/// answer, and a hint.
pub(super) async fn ask(target: &Target) -> Result<(String, Json), String> {
    let url = format!("{}/v1/status", target.url);
    let shown = plain(&target.url, 200);
    let fail =
        |why: String, hint: &str| format!("expected the state of a service at {shown}, found {why}\n  hint: {hint}");
    // what goes to this machine goes through no proxy, and a token to no other server
    let client = reqwest::Client::builder()
        .timeout(limits::STATUS_TIMEOUT.as_std())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("groundswell/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| fail(reason(&e), "this is a mistake of the program"))?;
    let mut request = client.get(url);
    if let Some(token) = &target.token {
        request = request.bearer_auth(token.expose());
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
    let body = String::from_utf8(body).unwrap_or_default();
    match status.as_u16() {
        200 => {}
        401 | 403 => {
            let found =
                if target.token.is_some() { "that it does not take this token" } else { "that it asks for a token" };
            let hint = "give one of its config that may `read`: --token, GROUNDSWELL_TOKEN, or -c groundswell.yaml";
            return Err(fail(format!("{found} ({status})"), hint));
        }
        _ => return Err(fail(format!("the answer {status}"), "is it groundswell that serves there?")),
    }
    let state: Option<Json> = serde_json::from_str(&body).ok().filter(|j: &Json| j["ready"].is_boolean());
    let state = state.ok_or_else(|| fail("another answer".into(), "is it groundswell that serves there?"))?;
    Ok((body, state))
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
