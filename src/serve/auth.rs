//! Who may ask for what. Without tokens the service listens on its own machine only, and answers
//! programs there, but no page of a browser.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Answers, Rights, failure};

/// The rights of who asks, if they allow it; else the answer that says no.
pub(super) fn check<A: Answers>(
    answers: &A,
    headers: &HeaderMap,
    allowed: impl Fn(&Rights) -> bool,
) -> Result<Rights, Box<Response>> {
    let token = bearer(headers);
    if token.is_none() && is_of_a_page(headers) {
        let what = "expected a token, found a request of a web page without one";
        return Err(Box::new(failure(StatusCode::FORBIDDEN, what)));
    }
    let rights = answers.rights(token);
    if allowed(&rights) {
        return Ok(rights);
    }
    if token.is_some_and(|_| rights != Rights::default()) {
        return Err(Box::new(failure(
            StatusCode::FORBIDDEN,
            "expected a token that may do this, found one that may not",
        )));
    }
    let what = "expected `Authorization: Bearer TOKEN` with a token of the config, found none that is known";
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer realm=\"groundswell\"")];
    Err(Box::new((challenge, failure(StatusCode::UNAUTHORIZED, what)).into_response()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Browsers name the page that asks, and hosts by names: a page that points its own name at this
/// machine is not answered.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
        return true;
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("");
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(n, _)| n);
    let plain = name.trim_matches(['[', ']']);
    !(plain.eq_ignore_ascii_case("localhost") || plain.parse::<std::net::IpAddr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn pages_are_told_from_programs() {
        for host in ["127.0.0.1:9464", "localhost:9464", "LOCALHOST", "[::1]:9464", "10.0.0.7"] {
            assert!(!is_of_a_page(&headers(&[("host", host)])), "{host}");
        }
        for host in ["evil.example:9464", "localhost.evil.example", "", "127.0.0.1.evil.example"] {
            assert!(is_of_a_page(&headers(&[("host", host)])), "{host}");
        }
        assert!(is_of_a_page(&headers(&[("host", "localhost"), ("origin", "null")])));
    }

    #[test]
    fn reads_a_bearer_token() {
        assert_eq!(bearer(&headers(&[("authorization", "bearer  abc ")])), Some("abc"));
        assert_eq!(bearer(&headers(&[("authorization", "Basic abc")])), None);
        assert_eq!(bearer(&headers(&[("authorization", "Bearer")])), None);
    }
}
