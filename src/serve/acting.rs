//! `/v1`, as far as people act: incidents, silences, letters that were given up, trials.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde_json::{Value as Json, json};

use super::fields::Fields;
use super::form::Form;
use super::want::{Hush, NotDone, Want, What};
use super::{Answers, auth, failure, json_answer};
use crate::base::limits;
use crate::base::model::{Severity, Verdict};
use crate::base::time::Span;

/// The paths.
pub(super) fn routes<A: Answers>() -> Router<Arc<A>> {
    Router::new()
        .route("/v1/incidents", get(incidents::<A>))
        .route("/v1/incidents/{id}", get(incident::<A>))
        .route("/v1/incidents/{id}/{deed}", post(deed::<A>))
        .route("/v1/silences", get(silences::<A>).post(silence::<A>))
        .route("/v1/silences/{id}", delete(unsilence::<A>))
        .route("/v1/outbox", get(outbox::<A>))
        .route("/v1/outbox/{id}/{deed}", post(letter::<A>))
        .route("/v1/test", post(test::<A>))
}

/// What was asked for, or why not.
pub(super) fn shown(answer: Result<Json, NotDone>) -> Response {
    match answer {
        Ok(json) => json_answer(StatusCode::OK, &json),
        Err(why) => failure(status_of(&why), &why.to_string()),
    }
}

/// What an answer that says so has as its status.
pub(super) fn status_of(why: &NotDone) -> StatusCode {
    match why {
        NotDone::Unknown(_) => StatusCode::NOT_FOUND,
        NotDone::Refused(_) => StatusCode::CONFLICT,
        NotDone::Later(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

async fn incidents<A: Answers>(State(answers): State<Arc<A>>, request: Request) -> Response {
    if let Err(refused) = auth::check(&*answers, request.headers(), |r| r.read) {
        return *refused;
    }
    let asked = Form::read(request.uri().query().unwrap_or(""));
    let all = asked.get("all");
    if asked.names().any(|n| n != "all") || !["", "0", "1"].contains(&all) {
        return failure(StatusCode::BAD_REQUEST, "expected nothing or `?all=1`, found something else");
    }
    shown(answers.incidents(all == "1"))
}

async fn incident<A: Answers>(State(answers): State<Arc<A>>, Path(id): Path<String>, request: Request) -> Response {
    match auth::check(&*answers, request.headers(), |r| r.read) {
        Ok(_) => shown(answers.incident(&id)),
        Err(refused) => *refused,
    }
}

/// Reads what an order says of itself, and has it done.
async fn order<A: Answers>(answers: &A, request: Request, read: impl FnOnce(&mut Fields) -> Option<What>) -> Response {
    let rights = match auth::check(answers, request.headers(), |r| r.act) {
        Ok(rights) => rights,
        Err(refused) => return *refused,
    };
    let mut fields = match Fields::read(request).await {
        Ok(fields) => fields,
        Err(refused) => return *refused,
    };
    let by = fields.text("by", limits::PERSON_CHARS).or(rights.name).unwrap_or_default();
    let what = read(&mut fields);
    match (fields.end(), what) {
        (Err(refused), _) => *refused,
        (Ok(()), Some(what)) => shown(answers.act(Want { by, what }).await.map(|done| json!({ "done": done }))),
        (Ok(()), None) => nothing_there(),
    }
}

fn nothing_there() -> Response {
    failure(StatusCode::NOT_FOUND, "expected a path this service has, found another")
}

async fn deed<A: Answers>(
    State(answers): State<Arc<A>>,
    Path((id, deed)): Path<(String, String)>,
    request: Request,
) -> Response {
    let read = |f: &mut Fields| match &*deed {
        "ack" => Some(What::Acknowledge(id, f.span("for"))),
        "claim" => Some(What::Claim(id)),
        "close" => {
            let verdict = f.word("verdict", &Verdict::ALL.map(Verdict::name));
            let verdict = verdict.and_then(|at| Verdict::ALL.get(at).copied()).unwrap_or_default();
            Some(What::Close(id, verdict, f.needed("reason", limits::REASON_CHARS)))
        }
        _ => None,
    };
    if !["ack", "claim", "close"].contains(&&*deed) {
        return nothing_there();
    }
    order(&*answers, request, read).await
}

async fn silences<A: Answers>(State(answers): State<Arc<A>>, request: Request) -> Response {
    match auth::check(&*answers, request.headers(), |r| r.read) {
        Ok(_) => shown(answers.silences()),
        Err(refused) => *refused,
    }
}

async fn silence<A: Answers>(State(answers): State<Arc<A>>, request: Request) -> Response {
    order(&*answers, request, |f| Some(What::Silence(hush(f)))).await
}

fn hush(f: &mut Fields) -> Hush {
    let reason = f.needed("reason", limits::REASON_CHARS);
    let names = Severity::ALL.map(Severity::name);
    let span = f.span("for").unwrap_or_else(|| {
        f.wrong("expected how long in `for`, found nothing of use: 30m, 2h, 1d");
        Span::ZERO
    });
    let hush = Hush {
        reason,
        span,
        brands: f.texts("brand"),
        alerts: f.texts("alert"),
        labels: f.labels("labels"),
        least: f.word("severity", &names).and_then(|at| Severity::ALL.get(at).copied()),
        incident: f.text("incident", limits::PERSON_CHARS),
    };
    let all = hush.brands.is_empty() && hush.alerts.is_empty() && hush.labels.is_empty() && hush.least.is_none();
    if all && hush.incident.is_none() {
        f.wrong("expected what to silence, found nothing: one of brand, alert, labels, severity, incident");
    }
    hush
}

async fn unsilence<A: Answers>(State(answers): State<Arc<A>>, Path(id): Path<String>, request: Request) -> Response {
    let Ok(id) = id.parse() else { return not_a_number("a silence") };
    order(&*answers, request, |_| Some(What::Unsilence(id))).await
}

fn not_a_number(what: &str) -> Response {
    failure(StatusCode::NOT_FOUND, &format!("expected {what} by its number, found something else"))
}

async fn outbox<A: Answers>(State(answers): State<Arc<A>>, request: Request) -> Response {
    match auth::check(&*answers, request.headers(), |r| r.read) {
        Ok(_) => shown(answers.letters().await),
        Err(refused) => *refused,
    }
}

async fn letter<A: Answers>(
    State(answers): State<Arc<A>>,
    Path((id, deed)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Ok(id) = id.parse() else { return not_a_number("a letter") };
    let what = match &*deed {
        "retry" => What::Retry(id),
        "drop" => What::Drop(id),
        _ => return nothing_there(),
    };
    order(&*answers, request, |_| Some(what)).await
}

async fn test<A: Answers>(State(answers): State<Arc<A>>, request: Request) -> Response {
    order(&*answers, request, |f| Some(What::Test(f.text("receiver", limits::NAME_BYTES)))).await
}
