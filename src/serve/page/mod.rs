//! The page behind a link of a message. Opening it changes nothing: mail scanners and chats open every link they
//! see. Only its form does something, and the link is all the right that needs.

mod html;

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Answers;
use super::acting::status_of;
use super::fields::{media_type, whole};
use super::form::Form;
use super::want::{Link, Unlinked, Want, What};
use crate::base::limits;
use crate::base::model::{IncidentId, Verdict};
use crate::base::time::Span;

/// How long the page acknowledges.
const ACKNOWLEDGED: Span = Span::seconds(3600);

/// Nothing is loaded, nothing runs, nobody frames it, no address of it goes elsewhere, and no cache keeps it. The
/// referrer stays on this site instead of being left out: browsers without one send `Origin: null` with a form.
const HEADERS: [(&str, &str); 7] = [
    ("content-type", "text/html; charset=utf-8"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-robots-tag", "noindex, nofollow"),
];

fn page(status: StatusCode, body: String) -> Response {
    (status, HEADERS, body).into_response()
}

/// The link of an address or form; `None` where it cannot be one of ours.
fn link(id: &str, said: &Form) -> Option<Link> {
    let (receiver, signature) = (said.get("r").to_string(), said.get("s").to_string());
    let until = said.get("e").parse().ok()?;
    Some(Link { incident: IncidentId::parse(id)?, receiver, until, signature })
}

fn refused(why: Unlinked) -> Response {
    let (status, head, text) = match why {
        Unlinked::Wrong => (
            StatusCode::FORBIDDEN,
            "This link is not valid",
            "It is not one of this service, or not all of it was copied. Open the link of the message itself.",
        ),
        Unlinked::Old => (
            StatusCode::GONE,
            "This link is too old",
            "Links of messages are good for a week. Take the link of a newer message, or the command line.",
        ),
        Unlinked::Forgotten => (
            StatusCode::GONE,
            "This incident is over",
            "It is over for so long that it is no longer kept at hand. The ledger knows it: groundswell ledger.",
        ),
        Unlinked::Later => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not at the moment",
            "The service is starting or stopping. Try again in a minute.",
        ),
    };
    page(status, html::said(head, text))
}

/// `GET /i/{id}`: shows the incident and what can be done.
pub(super) async fn look<A: Answers>(
    State(answers): State<Arc<A>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let said = Form::read(request.uri().query().unwrap_or(""));
    let Some(link) = link(&id, &said) else { return refused(Unlinked::Wrong) };
    match answers.linked(&link) {
        Ok(linked) => page(StatusCode::OK, html::incident(&linked, &link, &html::Word::None, "")),
        Err(why) => refused(why),
    }
}

/// `POST /i/{id}`: does what the form says.
pub(super) async fn act<A: Answers>(
    State(answers): State<Arc<A>>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    if !is_own_form(request.headers(), answers.origin().as_deref()) {
        let text = "It came from the page of another site. Open the link of the message itself.";
        return page(StatusCode::FORBIDDEN, html::said("This was not done", text));
    }
    let form = match form(request).await {
        Ok(form) => form,
        Err(refused) => return *refused,
    };
    let Some(link) = link(&id, &form) else { return refused(Unlinked::Wrong) };
    let linked = match answers.linked(&link) {
        Ok(linked) => linked,
        Err(why) => return refused(why),
    };
    let by = form.get("by").trim();
    let again = |status, word| page(status, html::incident(&linked, &link, &word, by));
    if by.is_empty() || by.chars().count() > limits::PERSON_CHARS {
        let what = format!("Say who you are, in at most {} characters: nothing was done.", limits::PERSON_CHARS);
        return again(StatusCode::UNPROCESSABLE_ENTITY, html::Word::Bad(what));
    }
    let name = link.incident.full();
    let reason: String = form.get("reason").trim().chars().take(limits::REASON_CHARS).collect();
    let what = match form.get("do") {
        // the enter key sends a form by its first button
        "claim" | "ack" if !reason.is_empty() => {
            let what = "You gave a reason: press Close to close it. Nothing was done.".to_string();
            return again(StatusCode::UNPROCESSABLE_ENTITY, html::Word::Bad(what));
        }
        "claim" => What::Claim(name),
        "ack" => What::Acknowledge(name, Some(ACKNOWLEDGED)),
        "close" if reason.is_empty() => {
            let what = "Say why it is closed: nothing was done.".to_string();
            return again(StatusCode::UNPROCESSABLE_ENTITY, html::Word::Bad(what));
        }
        "close" => What::Close(name, Verdict::parse(form.get("verdict")).unwrap_or_default(), reason),
        _ => {
            let what = "Choose one of the buttons: nothing was done.".to_string();
            return again(StatusCode::UNPROCESSABLE_ENTITY, html::Word::Bad(what));
        }
    };
    match answers.act(Want { by: by.to_string(), what }).await {
        Ok(done) => {
            // as it is now
            let now = answers.linked(&link).unwrap_or(linked);
            page(StatusCode::OK, html::incident(&now, &link, &html::Word::Good(done), by))
        }
        Err(why) => again(status_of(&why), html::Word::Bad(format!("Not done: {why}"))),
    }
}

async fn form(request: Request) -> Result<Form, Box<Response>> {
    let sorry = |status, what: &str| Box::new(page(status, html::said("This was not done", what)));
    if media_type(request.headers()) != "application/x-www-form-urlencoded" {
        return Err(sorry(StatusCode::UNSUPPORTED_MEDIA_TYPE, "It was not sent by the form of the page."));
    }
    let bytes = whole(request.into_body(), limits::ORDER_BYTES).await.map_err(|(status, what)| sorry(status, &what))?;
    let text = String::from_utf8(bytes).map_err(|_| sorry(StatusCode::BAD_REQUEST, "It is no text."))?;
    Ok(Form::read(&text))
}

/// Browsers name the site a form is of: it must be this one, by the name it was asked for or its own.
fn is_own_form(headers: &HeaderMap, own: Option<&str>) -> bool {
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("");
    let asked = origin.strip_prefix("https://").or(origin.strip_prefix("http://"));
    let same = asked.is_some_and(|name| !host.is_empty() && name.eq_ignore_ascii_case(host));
    same || own.is_some_and(|own| own.eq_ignore_ascii_case(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn forms_of_other_sites_are_told() {
        let own = Some("https://gs.example");
        for (host, origin) in [
            ("gs.example", "https://gs.example"),
            ("127.0.0.1:9464", "https://GS.example"),
            ("127.0.0.1:9464", "http://127.0.0.1:9464"),
        ] {
            assert!(is_own_form(&headers(&[("host", host), ("origin", origin)]), own), "{host} {origin}");
        }
        for (host, origin) in [
            ("gs.example", "https://evil.example"),
            ("gs.example", "null"),
            ("gs.example", "https://gs.example.evil.example"),
            ("gs.example", "https://gs.example:8443"),
            ("", "https://"),
        ] {
            assert!(!is_own_form(&headers(&[("host", host), ("origin", origin)]), own), "{host} {origin}");
        }
        // a browser names where a form comes from, a program does not
        assert!(is_own_form(&headers(&[("host", "x")]), None));
        assert!(!is_own_form(&headers(&[("host", "x"), ("sec-fetch-site", "cross-site")]), None));
        assert!(is_own_form(&headers(&[("host", "x"), ("sec-fetch-site", "same-origin")]), None));
    }

    #[test]
    fn only_whole_links_are_looked_at() {
        let id = IncidentId(7).full();
        let said = |text: &str| link(&id, &Form::read(text));
        assert!(said("r=mail&e=1783152000&s=abc").is_some());
        assert!(said("r=mail&e=soon&s=abc").is_none() && said("").is_none());
        assert!(link("7F3K", &Form::read("r=mail&e=1&s=abc")).is_none());
    }
}
