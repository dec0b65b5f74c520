//! PagerDuty, by events of version 2: one incident there for each of ours, and what people do with it there.

mod body;
mod config;
mod said;

pub use body::pagerduty_body;
pub use config::PagerDutyConfig;
pub use said::{PagerDutyDeed, PagerDutySays, pagerduty_said};

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Url;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Letter;
use super::carrier::{Carried, Carrier, Tried};
use super::courier::{Answer, Pace};
use super::http::Http;
use crate::base::limits;
use crate::base::secret::Secret;
use crate::base::time::Time;
use body::{Body, Wish};

/// A service of PagerDuty.
pub struct PagerDuty {
    url: Url,
    place: String,
    key: Secret,
    http: Http,
}

/// What PagerDuty was told of an incident.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
struct Known {
    /// The last letter of which everything was told.
    step: u32,
    /// The severity it was triggered with, by rank.
    severity: u8,
    /// The letter whose trigger was told.
    triggered: u32,
    /// Whether it was told that it is over.
    over: bool,
}

impl PagerDuty {
    /// Of a config; reads its certificates.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn new(config: &PagerDutyConfig, pace: Pace) -> Result<PagerDuty, Vec<String>> {
        let (url, certificates) = config.usable()?;
        let http = Http::new(&config.name, pace.timeout, certificates, config.secrets()).map_err(|e| vec![e])?;
        Ok(PagerDuty { url, place: config.place(), key: config.routing_key.clone(), http })
    }

    /// The same, to be given to a deliverer.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn carrier(config: &PagerDutyConfig, pace: Pace) -> Result<Arc<dyn Carrier>, Vec<String>> {
        Ok(Arc::new(PagerDuty::new(config, pace)?))
    }

    async fn tell(&self, letter: &Letter, handle: Option<&str>) -> Tried {
        let Ok(body) = serde_json::from_slice::<Body>(&letter.body) else {
            return Tried::new(Answer::Refused, "expected a letter for PagerDuty, found another");
        };
        let known = handle.and_then(|h| serde_json::from_str::<Known>(h).ok());
        let mut now = known.clone().unwrap_or_default();
        let mut tried = Tried::new(Answer::Status(202, None), "");
        for event in wanted(&body, known.as_ref()) {
            tried = self.post(&body, event).await;
            if !matches!(tried.answer, Answer::Status(200..=299, _)) {
                return Tried { handle: written(&now), ..tried };
            }
            if event == Wish::Trigger {
                let severity = if now.over { body.severity } else { now.severity.max(body.severity) };
                now = Known { severity, triggered: body.step, over: false, ..now };
            }
            now.over |= event == Wish::Resolve;
        }
        now.step = now.step.max(body.step);
        Tried { handle: written(&now), ..tried }
    }

    async fn post(&self, body: &Body, wish: Wish) -> Tried {
        let key = self.key.expose();
        let sent = match wish {
            Wish::Trigger => {
                // spliced in front, since the order of what follows is to be kept
                let rest = body.event.get().trim_start().strip_prefix('{').unwrap_or("}");
                format!("{{\"routing_key\":{},{rest}", json!(key))
            }
            Wish::Acknowledge => {
                json!({"routing_key": key, "event_action": "acknowledge", "dedup_key": body.dedup_key}).to_string()
            }
            Wish::Resolve => {
                json!({"routing_key": key, "event_action": "resolve", "dedup_key": body.dedup_key}).to_string()
            }
            Wish::Nothing => return Tried::new(Answer::Status(202, None), ""),
        };
        if sent.len() > limits::PAGERDUTY_BYTES {
            let why = format!("expected an event of at most {} bytes, found {}", limits::PAGERDUTY_BYTES, sent.len());
            return Tried::new(Answer::Refused, why);
        }
        self.http.post(&self.url, HeaderMap::new(), Bytes::from(sent)).await.tried
    }
}

/// What is to be told, in this order. PagerDuty drops what is about an incident it does not know, so one that it
/// was not told of, or not at this severity, comes first.
fn wanted(body: &Body, known: Option<&Known>) -> Vec<Wish> {
    let fresh = Known::default();
    let before = known.unwrap_or(&fresh);
    if before.step >= body.step {
        // told already; a repeat would open what is closed
        return Vec::new();
    }
    let never = before.triggered == 0 || before.over;
    let more = body.severity > before.severity && !before.over;
    // of a letter tried again, what went well is not repeated
    let triggered = before.triggered >= body.step;
    match body.wish {
        Wish::Resolve => vec![Wish::Resolve],
        Wish::Trigger if triggered => Vec::new(),
        Wish::Trigger => vec![Wish::Trigger],
        Wish::Acknowledge if never || more => vec![Wish::Trigger, Wish::Acknowledge],
        Wish::Acknowledge => vec![Wish::Acknowledge],
        Wish::Nothing if never || more => vec![Wish::Trigger],
        Wish::Nothing => Vec::new(),
    }
}

fn written(known: &Known) -> Option<String> {
    (*known != Known::default()).then(|| serde_json::to_string(known).ok()).flatten()
}

impl Carrier for PagerDuty {
    fn carry<'a>(&'a self, letter: &'a Letter, handle: Option<&'a str>, _: Time) -> Carried<'a> {
        Box::pin(self.tell(letter, handle))
    }

    fn place(&self) -> &str {
        &self.place
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::body::{key, thread};
    use super::*;
    use crate::base::model::Severity;
    use crate::notify::slack::tests::{HOSTILE, view_of};
    use crate::notify::view::{Label, News, View};

    fn read(view: &View) -> (Body, Json) {
        let body: Body = serde_json::from_slice(&pagerduty_body(view)).unwrap();
        let event = serde_json::from_str(body.event.get()).unwrap();
        (body, event)
    }

    #[test]
    fn an_event_has_what_pagerduty_wants_within_its_limits() {
        let long = "é\"\\".repeat(5000);
        for text in HOSTILE.iter().copied().chain([long.as_str()]) {
            let view = view_of(text);
            assert!(pagerduty_body(&view).len() < limits::PAGERDUTY_BYTES / 2);
            let (body, event) = read(&view);
            assert_eq!(
                (event["event_action"].as_str(), event["payload"]["severity"].as_str()),
                (Some("trigger"), Some("critical"))
            );
            let summary = event["payload"]["summary"].as_str().unwrap();
            assert!((1..=1024).contains(&summary.chars().count()), "{summary}");
            assert_eq!(
                (event["dedup_key"].as_str().unwrap(), body.dedup_key.len() <= 255),
                (body.dedup_key.as_str(), true)
            );
            assert_eq!(event["payload"]["timestamp"].as_str().and_then(Time::parse_rfc3339), Some(view.at));
            assert!(event.get("routing_key").is_none());
            for link in event["links"].as_array().unwrap() {
                assert!(link["href"].as_str().unwrap().starts_with("https://"), "{link}");
            }
        }
    }

    #[test]
    fn details_keep_the_order_of_the_message() {
        let lines = [(Label::Who, "23 accounts"), (Label::Reach, "101k"), (Label::Do, "1 claim"), (Label::Who, "more")];
        let lines = lines.map(|(l, t)| (l, t.to_string())).to_vec();
        let (body, event) = read(&View { lines, ..view_of("t") });
        assert_eq!(event["payload"]["custom_details"]["WHO"], "23 accounts\nmore");
        let at = |name: &str| body.event.get().find(&format!("\"{name}\":")).unwrap();
        assert!(at("WHO") < at("REACH") && at("REACH") < at("DO") && at("POST") < at("WHO"), "{}", body.event.get());
    }

    #[test]
    fn severities_and_wishes_follow_what_happens() {
        let view = |news| View { news, claimed: None, ..view_of("t") };
        let wish = |v: &View| read(v).0.wish;
        for news in [News::Opened, News::Rise, News::Cause, News::Repeat, News::HandedOver, News::Test] {
            assert_eq!(wish(&view(news)), Wish::Trigger, "{news:?}");
        }
        assert_eq!((wish(&view(News::Update)), wish(&view(News::Hand))), (Wish::Nothing, Wish::Nothing));
        assert_eq!(wish(&View { claimed: Some("Ada".into()), ..view(News::Hand) }), Wish::Acknowledge);
        for news in [News::Over, News::Hand, News::Update] {
            assert_eq!(wish(&View { ended: Some(Time(1)), ..view(news) }), Wish::Resolve, "{news:?}");
        }
        let severity = |severity| read(&View { severity, ..view_of("t") }).1["payload"]["severity"].clone();
        assert_eq!([Severity::Info, Severity::Warn, Severity::Page].map(severity), ["info", "warning", "critical"]);
    }

    #[test]
    fn keys_are_short_and_known_again() {
        assert_eq!((key("7F3K").as_str(), thread("groundswell-7F3K")), ("groundswell-7F3K", Some("7F3K")));
        let (long, other) = (key(&"x".repeat(300)), key(&"x".repeat(301)));
        assert!(long.len() <= 255 && long != other, "{long}");
        assert_eq!((thread("nagios-7F3K"), thread("groundswell-")), (None, None));
    }

    #[test]
    fn what_pagerduty_does_not_know_is_told_first() {
        let (body, _) = read(&View { step: 5, claimed: Some("Ada".into()), news: News::Hand, ..view_of("t") });
        let known = |step, severity, triggered, over| Known { step, severity, triggered, over };
        use Wish::{Acknowledge, Nothing, Resolve, Trigger};
        let cases = [
            (Acknowledge, None, vec![Trigger, Acknowledge]),
            (Acknowledge, Some(known(4, 2, 1, false)), vec![Acknowledge]),
            // a rise that never got there
            (Acknowledge, Some(known(4, 1, 1, false)), vec![Trigger, Acknowledge]),
            // half of it got there
            (Acknowledge, Some(known(4, 2, 5, false)), vec![Acknowledge]),
            (Nothing, None, vec![Trigger]),
            (Nothing, Some(known(4, 1, 1, false)), vec![Trigger]),
            (Nothing, Some(known(4, 2, 1, false)), vec![]),
            (Trigger, Some(known(4, 2, 1, false)), vec![Trigger]),
            (Trigger, Some(known(4, 2, 5, false)), vec![]),
            // a repeat of what is closed by now
            (Trigger, Some(known(6, 2, 1, true)), vec![]),
            // it began again
            (Trigger, Some(known(4, 2, 1, true)), vec![Trigger]),
            (Resolve, None, vec![Resolve]),
            (Resolve, Some(known(5, 2, 1, true)), vec![]),
        ];
        for (wish, known, expected) in cases {
            assert_eq!(wanted(&Body { wish, ..body.clone() }, known.as_ref()), expected, "{wish:?} {known:?}");
        }
    }
}
