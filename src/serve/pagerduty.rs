//! `POST /v1/pagerduty/{receiver}`: what somebody did at PagerDuty. The signature of the request is its right.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::fields::whole;
use super::want::NotDone;
use super::{Answers, failure, json_answer};
use crate::base::limits;

/// The header with the signature.
const SIGNATURE: &str = "x-pagerduty-signature";

pub(super) async fn event<A: Answers>(
    State(answers): State<Arc<A>>,
    Path(receiver): Path<String>,
    request: Request,
) -> Response {
    let signature = request.headers().get(SIGNATURE).and_then(|v| v.to_str().ok()).unwrap_or("").to_string();
    if receiver.len() > limits::NAME_BYTES {
        return failure(StatusCode::FORBIDDEN, "expected the name of a receiver, found a longer text");
    }
    let body = match whole(request.into_body(), limits::PAGERDUTY_SAID_BYTES).await {
        Ok(body) => body,
        Err((status, what)) => return failure(status, &what),
    };
    match answers.pagerduty(&receiver, &signature, &body).await {
        Ok(Some(Ok(done))) => json_answer(StatusCode::OK, &json!({ "done": done })),
        // sent again it would do no more
        Ok(Some(Err(NotDone::Unknown(why) | NotDone::Refused(why)))) => {
            json_answer(StatusCode::OK, &json!({ "done": null, "why": why }))
        }
        Ok(Some(Err(NotDone::Later(why)))) => failure(StatusCode::SERVICE_UNAVAILABLE, &why),
        Ok(None) => json_answer(StatusCode::OK, &json!({ "done": null })),
        Err(why) => failure(StatusCode::FORBIDDEN, why),
    }
}
