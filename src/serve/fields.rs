//! The JSON object of a request: bounded, every mistake told at once, no key that nobody reads.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use super::{failure, json_answer};
use crate::base::fault::nearest;
use crate::base::figures;
use crate::base::limits;
use crate::base::time::Span;

/// What of it was read, and what is wrong.
pub(super) struct Fields {
    map: Map<String, Json>,
    known: Vec<&'static str>,
    faults: Vec<String>,
}

/// The media type of a request, without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// The whole body of a request that orders something.
pub(super) async fn whole(body: Body, most: usize) -> Result<Vec<u8>, (StatusCode, String)> {
    let reading = axum::body::to_bytes(body, most);
    match tokio::time::timeout(limits::ORDER_TIMEOUT.as_std(), reading).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(_)) => {
            let what = format!("expected a whole request of at most {most} bytes, found another");
            Err((StatusCode::PAYLOAD_TOO_LARGE, what))
        }
        Err(_) => {
            let what = format!("expected the whole request within {}, found only a part", limits::ORDER_TIMEOUT);
            Err((StatusCode::REQUEST_TIMEOUT, what))
        }
    }
}

impl Fields {
    /// Reads a request; one without a body has no keys.
    pub(super) async fn read(request: Request) -> Result<Fields, Box<Response>> {
        let media = media_type(request.headers());
        let bytes = whole(request.into_body(), limits::ORDER_BYTES)
            .await
            .map_err(|(status, what)| Box::new(failure(status, &what)))?;
        if bytes.is_empty() {
            return Ok(Fields::of(Map::new()));
        }
        if media != "application/json" {
            let what = "expected `Content-Type: application/json`, found another";
            return Err(Box::new(failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, what)));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Json::Object(map)) => Ok(Fields::of(map)),
            _ => Err(Box::new(failure(StatusCode::BAD_REQUEST, "expected a JSON object, found something else"))),
        }
    }

    fn of(map: Map<String, Json>) -> Fields {
        Fields { map, known: Vec::new(), faults: Vec::new() }
    }

    fn take(&mut self, key: &'static str) -> Option<Json> {
        self.known.push(key);
        self.map.remove(key).filter(|v| !v.is_null())
    }

    fn fault<T>(&mut self, what: String) -> Option<T> {
        self.faults.push(what);
        None
    }

    fn sound(&mut self, key: &str, value: Json, most: usize) -> Option<String> {
        let Json::String(text) = value else {
            return self.fault(format!("expected a text in `{key}`, found {}", kind(&value)));
        };
        let text = text.trim().to_string();
        if text.is_empty() {
            return self.fault(format!("expected a text in `{key}`, found an empty one"));
        }
        if text.chars().count() > most {
            return self.fault(format!("expected at most {most} characters in `{key}`, found more"));
        }
        if text.chars().any(char::is_control) {
            return self.fault(format!("expected a text without control characters in `{key}`, found some"));
        }
        Some(text)
    }

    /// A text of at most so many characters.
    pub(super) fn text(&mut self, key: &'static str, most: usize) -> Option<String> {
        let value = self.take(key)?;
        self.sound(key, value, most)
    }

    /// The same, which must be there.
    pub(super) fn needed(&mut self, key: &'static str, most: usize) -> String {
        if self.map.get(key).is_none_or(Json::is_null) {
            self.take(key);
            self.faults.push(format!("expected `{key}`, found none"));
            return String::new();
        }
        self.text(key, most).unwrap_or_default()
    }

    /// A text or a list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Json::Array(items)) => items,
            Some(one) => vec![one],
        };
        if items.len() > limits::SILENCED {
            self.faults.push(format!("expected at most {} items in `{key}`, found more", limits::SILENCED));
            return Vec::new();
        }
        items.into_iter().filter_map(|i| self.sound(key, i, limits::NAME_BYTES)).collect()
    }

    /// Texts by name.
    pub(super) fn labels(&mut self, key: &'static str) -> BTreeMap<String, String> {
        let items = match self.take(key) {
            None => return BTreeMap::new(),
            Some(Json::Object(items)) if items.len() <= limits::SILENCED => items,
            Some(other) => {
                let most = limits::SILENCED;
                self.faults.push(format!(
                    "expected an object of at most {most} texts in `{key}`, found {}",
                    if other.is_object() { "more" } else { kind(&other) }
                ));
                return BTreeMap::new();
            }
        };
        let mut out = BTreeMap::new();
        for (name, value) in items {
            let name = self.sound(key, Json::String(name), limits::NAME_BYTES);
            let value = self.sound(key, value, limits::NAME_BYTES);
            out.extend(name.zip(value));
        }
        out
    }

    /// A duration, up to the longest that an order may last.
    pub(super) fn span(&mut self, key: &'static str) -> Option<Span> {
        let value = self.take(key)?;
        let most = limits::ORDER_SPAN;
        let span = value.as_str().and_then(figures::seconds).map(|s| Span((s * 1e6) as i64));
        match span.filter(|s| s.0 > 0 && *s <= most) {
            Some(span) => Some(span),
            None => self
                .fault(format!("expected a duration such as 90s, 10m or 2h, up to {most}, in `{key}`, found another")),
        }
    }

    /// One of some words; its place among them.
    pub(super) fn word(&mut self, key: &'static str, words: &[&str]) -> Option<usize> {
        let value = self.take(key)?;
        let at = words.iter().position(|w| value.as_str() == Some(*w));
        if at.is_none() {
            self.faults.push(format!("expected one of {} in `{key}`, found another", words.join(", ")));
        }
        at
    }

    /// Adds a mistake.
    pub(super) fn wrong(&mut self, what: &str) {
        self.faults.push(what.to_string());
    }

    /// The answer that tells all mistakes, if there are any.
    pub(super) fn end(mut self) -> Result<(), Box<Response>> {
        for key in self.map.keys().take(limits::FAULTS) {
            let shown: String = key.chars().filter(|c| !c.is_control()).take(60).collect();
            let near = nearest(key, self.known.iter().copied());
            let hint = near.map_or(format!("known: {}", self.known.join(", ")), |n| format!("did you mean `{n}`?"));
            self.faults.push(format!("expected a key this request has, found `{shown}`; {hint}"));
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        let what = json!({ "error": "the request has mistakes; nothing was done", "mistakes": self.faults });
        Err(Box::new(json_answer(StatusCode::BAD_REQUEST, &what)))
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        let Json::Object(map) = serde_json::from_str(text).unwrap() else { panic!("{text}") };
        Fields::of(map)
    }

    #[test]
    fn reads_what_is_there() {
        let mut f = fields(
            r#"{"by":" Dana ","for":"90m","brand":"u","alert":["A","B"],"labels":{"team":"care"},"severity":"warn","x":null}"#,
        );
        assert_eq!((f.text("by", 10).as_deref(), f.span("for")), (Some("Dana"), Some(Span::seconds(5400))));
        assert_eq!((f.texts("brand"), f.texts("alert").len()), (vec!["u".to_string()], 2));
        assert_eq!(f.labels("labels").get("team").map(String::as_str), Some("care"));
        assert_eq!((f.word("severity", &["info", "warn"]), f.text("x", 5), f.span("y")), (Some(1), None, None));
        assert!(f.end().is_ok());
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let mut f = fields(
            "{\"by\":7,\"reason\":\"a\\u001b[31m\",\"for\":\"yes\",\"brand\":[1],\"labels\":[],\"severity\":{},\"bye\":1}",
        );
        let found = (f.text("by", 10), f.needed("reason", 10), f.needed("gone", 10), f.span("for"));
        assert_eq!(found, (None, String::new(), String::new(), None));
        assert!(f.texts("brand").is_empty() && f.labels("labels").is_empty());
        assert_eq!(f.word("severity", &["info"]), None);
        assert_eq!(f.faults.len(), 7, "{:#?}", f.faults);
        // and the key nobody reads
        let Err(answer) = f.end() else { panic!("no mistakes") };
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn amounts_are_bounded() {
        let long = "x".repeat(11);
        let mut f =
            fields(&json!({"by": long, "a": vec!["x"; limits::SILENCED + 1], "for": "31d", "z": "0s"}).to_string());
        assert_eq!((f.text("by", 10), f.texts("a").len(), f.span("for"), f.span("z")), (None, 0, None, None));
        assert_eq!(f.faults.len(), 4, "{:?}", f.faults);
    }
}
