//! `POST /v1/posts`: posts of the generic format, one a line or as a JSON array, read as they come.
//! The answer says of every post how it ended, once the engine has taken it; until then nothing is
//! answered. Sending again what was sent already changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::split::{Piece, Splitter};
use super::{Answers, Refusal, auth, failure, json_answer};
use crate::base::limits;
use crate::base::model::Frame;
use crate::base::outcome::Outcome;

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
}

/// What became of the posts so far.
#[derive(Default)]
struct Taken {
    items: Vec<Json>,
    outcomes: BTreeMap<&'static str, u64>,
    unread: bool,
}

pub(super) async fn posts<A: Answers>(State(answers): State<Arc<A>>, request: Request) -> Response {
    let source = match auth::check(&*answers, request.headers(), |r| r.push.is_some()) {
        Ok(rights) => rights.push.unwrap_or_else(|| "".into()),
        Err(refused) => return *refused,
    };
    let mut body = request.into_body().into_data_stream();
    let (mut splitter, mut taken) = (Splitter::new(), Taken::default());
    let mut pieces = Vec::new();
    while let Some(chunk) = body.next().await {
        let Ok(chunk) = chunk else {
            return taken.stopped(StatusCode::BAD_REQUEST, "expected the whole request, found its connection lost");
        };
        let broken = splitter.take(&chunk, &mut pieces).err();
        if let Err(response) = hand_on(&*answers, &source, &mut pieces, &mut taken, broken.is_some()).await {
            return *response;
        }
        if let Some(what) = broken {
            return taken.stopped(StatusCode::BAD_REQUEST, &what);
        }
    }
    let broken = splitter.end(&mut pieces).err();
    if let Err(response) = hand_on(&*answers, &source, &mut pieces, &mut taken, true).await {
        return *response;
    }
    match broken {
        Some(what) => taken.stopped(StatusCode::BAD_REQUEST, &what),
        None if taken.items.is_empty() => {
            failure(StatusCode::BAD_REQUEST, "expected posts, one a line or as a JSON array, found none")
        }
        None => json_answer(StatusCode::OK, &taken.told()),
    }
}

/// Hands whole batches on, and with `all` what is left.
async fn hand_on<A: Answers>(
    answers: &A,
    source: &Arc<str>,
    pieces: &mut Vec<Piece>,
    taken: &mut Taken,
    all: bool,
) -> Result<(), Box<Response>> {
    while pieces.len() >= limits::BATCH_FRAMES || (all && !pieces.is_empty()) {
        if taken.items.len() + pieces.len().min(limits::BATCH_FRAMES) > limits::PUSH_ITEMS {
            let what = format!("expected at most {} posts in a request, found more", limits::PUSH_ITEMS);
            return Err(Box::new(taken.stopped(StatusCode::PAYLOAD_TOO_LARGE, &what)));
        }
        let rest = pieces.split_off(pieces.len().min(limits::BATCH_FRAMES));
        let batch = std::mem::replace(pieces, rest);
        let (frames, ids): (Vec<Frame>, Vec<Option<String>>) = batch.into_iter().map(frame_of).unzip();
        match answers.push(source, frames).await {
            Ok(ends) => taken.add(&ids, &ends),
            Err(why) => {
                let what = match why {
                    Refusal::Stopping => "the service is stopping; send all of it again".to_string(),
                    Refusal::Gone => "the source was taken out of the config".to_string(),
                    Refusal::Unrecorded(why) => format!("taken, but not recorded; send it again later: {why}"),
                };
                let answer = taken.stopped(StatusCode::SERVICE_UNAVAILABLE, &what);
                return Err(Box::new(([("retry-after", "5")], answer).into_response()));
            }
        }
    }
    Ok(())
}

fn frame_of(piece: Piece) -> (Frame, Option<String>) {
    match piece {
        Piece::Item(bytes) => {
            let id = serde_json::from_slice::<Named>(&bytes).ok().map(|n| n.id.into_owned());
            let id = id.filter(|id| id.len() <= limits::NAME_BYTES);
            (Frame { bytes, received: None, oversize: false }, id)
        }
        Piece::TooLong => (Frame { bytes: Bytes::new(), received: None, oversize: true }, None),
    }
}

impl Taken {
    fn add(&mut self, ids: &[Option<String>], ends: &[Option<Outcome>]) {
        for (id, end) in ids.iter().zip(ends) {
            let mut item = json!({ "item": self.items.len() + 1 });
            if let Some(id) = id {
                item["id"] = json!(id);
            }
            if let Some(outcome) = end {
                item["outcome"] = json!(outcome.name());
                *self.outcomes.entry(outcome.name()).or_insert(0) += 1;
                if matches!(outcome, Outcome::Malformed | Outcome::Oversize) {
                    self.unread = true;
                    item["error"] = json!(match outcome {
                        Outcome::Oversize => format!("expected at most {} bytes, found more", limits::FRAME_BYTES),
                        _ =>
                            "expected a JSON object with id, source, author, text and time, found something else".into(),
                    });
                }
            }
            self.items.push(item);
        }
    }

    fn told(&self) -> Json {
        json!({ "taken": self.items.len(), "errors": self.unread, "outcomes": self.outcomes, "items": self.items })
    }

    /// The request ends here; what was taken stays taken.
    fn stopped(&self, status: StatusCode, what: &str) -> Response {
        let mut answer = self.told();
        answer["error"] = json!(what);
        json_answer(status, &answer)
    }
}
