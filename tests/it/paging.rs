//! PagerDuty, against a server that keeps its documented contract.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use groundswell::base::model::Severity;
use groundswell::base::secret::Secret;
use groundswell::base::time::Span;
use groundswell::notify::view::{News, View};
use groundswell::notify::{Letter, Pace, PagerDuty, PagerDutyConfig, pagerduty_body};
use serde_json::{Value as Json, json};

use crate::receivers::{Act, FAST, Got, Server, Told, guitar, letter, life};

/// The routing key of [`pagerduty`].
pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Incidents of one service, by their keys, in the order they were opened.
#[derive(Default)]
pub struct Service(Mutex<Vec<Incident>>);

#[derive(Clone, Debug)]
pub struct Incident {
    pub key: String,
    pub state: &'static str,
    pub severity: String,
    pub log: Vec<String>,
}

fn chars(text: &Json) -> usize {
    text.as_str().unwrap_or_default().chars().count()
}

/// What is wrong with an event.
fn wrong(event: &Json) -> Vec<&'static str> {
    let p = &event["payload"];
    let action = event["event_action"].as_str().unwrap_or_default();
    let links = event["links"].as_array().map_or(&[][..], Vec::as_slice);
    let severity = ["critical", "error", "warning", "info"].contains(&p["severity"].as_str().unwrap_or_default());
    let at = p["timestamp"].as_str().and_then(groundswell::base::time::Time::parse_rfc3339);
    [
        (event["routing_key"] == KEY, "invalid routing key"),
        (["trigger", "acknowledge", "resolve"].contains(&action), "event_action"),
        ((1..=255).contains(&chars(&event["dedup_key"])), "dedup_key"),
        (action != "trigger" || (1..=1024).contains(&chars(&p["summary"])), "summary"),
        (action != "trigger" || chars(&p["source"]) > 0, "source"),
        (action != "trigger" || severity, "severity"),
        (action != "trigger" || at.is_some(), "timestamp"),
        (links.iter().all(|l| l["href"].as_str().is_some_and(|h| h.starts_with("https://"))), "links"),
    ]
    .into_iter()
    .filter_map(|(fine, what)| (!fine).then_some(what))
    .collect()
}

impl Service {
    fn enqueue(&self, got: &Got) -> (u16, String) {
        let event: Json = serde_json::from_str(&got.body).unwrap_or_default();
        let wrong = wrong(&event);
        if got.body.len() > 512 << 10 {
            return (413, "event too large".into());
        }
        if !wrong.is_empty() || got.path != "/v2/enqueue" {
            return (
                400,
                json!({"status": "invalid event", "message": "Event object is invalid", "errors": wrong}).to_string(),
            );
        }
        let (key, action) = (event["dedup_key"].as_str().unwrap(), event["event_action"].as_str().unwrap());
        let mut all = self.0.lock().unwrap();
        let open = all.iter_mut().rfind(|i| i.key == key && i.state != "resolved");
        match (action, open) {
            ("trigger", open) => {
                let severity = event["payload"]["severity"].as_str().unwrap().to_string();
                let opened =
                    || Incident { key: key.into(), state: "triggered", severity: severity.clone(), log: Vec::new() };
                if open.is_none() {
                    all.push(opened());
                }
                let incident = all.iter_mut().rfind(|i| i.key == key).unwrap();
                incident.severity = severity.clone();
                incident.log.push(format!("trigger {severity}"));
            }
            ("acknowledge", Some(open)) => {
                open.state = "acknowledged";
                open.log.push("acknowledge".into());
            }
            ("resolve", Some(open)) => {
                open.state = "resolved";
                open.log.push("resolve".into());
            }
            // accepted and dropped, as PagerDuty does with what is about nothing it knows
            _ => {}
        }
        (202, json!({"status": "success", "message": "Event processed", "dedup_key": key}).to_string())
    }

    /// All incidents, in the order they were opened.
    pub fn all(&self) -> Vec<Incident> {
        self.0.lock().unwrap().clone()
    }
}

/// A service, and a receiver that tells it.
pub async fn pagerduty() -> (Arc<Service>, Server, PagerDutyConfig) {
    let service = Arc::new(Service::default());
    let (server, address) = Server::start({
        let service = service.clone();
        move |got| service.enqueue(got)
    })
    .await;
    let url = format!("http://{address}/v2/enqueue");
    (service, server, PagerDutyConfig { url, ..PagerDutyConfig::new("told".into(), Secret::new(KEY)) })
}

fn running(config: &PagerDutyConfig, pace: Pace) -> Told {
    Told::by(PagerDuty::carrier(config, pace).unwrap(), pace, BTreeMap::new())
}

fn letter_of(view: &View) -> Letter {
    letter(view, pagerduty_body(view))
}

fn letters() -> Vec<Letter> {
    life().iter().map(letter_of).collect()
}

const WHOLE: [&str; 5] = ["trigger warning", "trigger critical", "trigger critical", "acknowledge", "resolve"];

#[tokio::test]
async fn a_story_is_one_incident() {
    let (service, server, config) = pagerduty().await;
    let r = running(&config, FAST);
    r.tell(letters()).await;
    let all = service.all();
    assert_eq!((all.len(), all[0].state, server.count()), (1, "resolved", 5), "{:#?}", r.lines());
    assert_eq!(all[0].log, WHOLE);
    let view = guitar(1, News::Opened);
    assert_eq!(all[0].key, format!("groundswell-{}", view.thread));
    let first: Json = serde_json::from_str(&server.got.lock().unwrap()[0].body).unwrap();
    assert_eq!(first["payload"]["summary"], view.short);
    assert_eq!(
        (&first["payload"]["component"], &first["payload"]["class"]),
        (&json!("United"), &json!("StorySpreading"))
    );
    let links: Vec<&str> = first["links"].as_array().unwrap().iter().map(|l| l["text"].as_str().unwrap()).collect();
    assert_eq!(links, ["Claim or acknowledge", "Open incident", "The post", "Runbook"]);
}

#[tokio::test]
async fn failures_and_lost_answers_open_nothing_anew() {
    let (service, server, config) = pagerduty().await;
    let r = running(&config, FAST);
    let fails = [
        Act::Lose,
        Act::Say(429, "0", String::new()),
        Act::Lose,
        Act::Say(500, "", String::new()),
        Act::Lose,
        Act::Say(503, "", String::new()),
        Act::Lose,
        Act::Lose,
    ];
    server.will(fails.into_iter().flat_map(|act| [act, Act::Keep]));
    r.tell(letters()).await;
    let all = service.all();
    assert_eq!((all.len(), all[0].state, all[0].severity.as_str()), (1, "resolved", "critical"), "{:#?}", r.lines());
    assert_eq!(r.lines().iter().filter(|l| l.starts_with("failed")).count(), 5, "{:#?}", r.lines());
}

#[tokio::test]
async fn after_a_restart_repeats_open_nothing() {
    let (service, server, config) = pagerduty().await;
    let r = running(&config, FAST);
    r.tell(letters()).await;
    r.run.abort();
    let handles = r.notes.handles.lock().unwrap().clone();
    let again = Told::by(PagerDuty::carrier(&config, FAST).unwrap(), FAST, handles);
    again.tell(letters()).await;
    assert_eq!((service.all().len(), server.count()), (1, 5));
    // it begins anew, which is another incident there
    again.tell([letter_of(&guitar(6, News::Opened))]).await;
    assert_eq!(service.all().len(), 2);
}

#[tokio::test]
async fn who_took_it_is_told_though_nothing_was_before() {
    let (service, server, config) = pagerduty().await;
    let r = running(&config, FAST);
    // the second half fails once
    server.will([Act::Keep, Act::Say(500, "", String::new())]);
    r.tell([letter_of(&guitar(4, News::Hand))]).await;
    assert_eq!(
        (service.all().len(), service.all()[0].log.clone()),
        (1, vec!["trigger critical".into(), "acknowledge".into()])
    );
    assert_eq!(server.count(), 3);
    // figures, and somebody who only looked, wake nobody
    let unclaimed = View { claimed: None, ..guitar(6, News::Hand) };
    r.tell([letter_of(&guitar(5, News::Update)), letter_of(&unclaimed)]).await;
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn what_is_refused_is_told_without_the_key() {
    let (service, server, config) = pagerduty().await;
    let other = KEY.replace('0', "f");
    let r = running(&PagerDutyConfig { routing_key: Secret::new(other.clone()), ..config.clone() }, FAST);
    r.tell([letter_of(&guitar(1, News::Opened))]).await;
    assert!(r.lines()[0].starts_with("refused: expected status 200, found 400: "), "{:?}", r.lines());
    assert!(r.lines()[0].contains("invalid routing key"), "{:?}", r.lines());
    server.will([Act::Say(400, "", format!("bad {other}"))]);
    r.tell([letter_of(&guitar(2, News::Rise))]).await;
    assert!(r.lines()[1].ends_with("400: bad [secret]"), "{:?}", r.lines());
    assert_eq!((service.all().len(), server.count()), (0, 2));
    // not even in what is stored
    assert!(!format!("{:?}", letter_of(&guitar(1, News::Opened))).contains(&other));
}

#[tokio::test]
async fn whatever_strangers_write_is_taken() {
    let (service, server, config) = pagerduty().await;
    let r = running(&config, FAST);
    for (text, step) in ["", "\"},\"routing_key\":\"x", &"é\u{1}\"\\".repeat(50_000)].iter().zip(1..) {
        let mut view = guitar(step, News::Rise);
        (view.short, view.brand, view.sentence) = (text.to_string(), text.to_string(), text.to_string());
        view.lines.iter_mut().for_each(|(_, line)| *line = text.to_string());
        (view.more, view.severity) = (Some(text.to_string()), Severity::Page);
        r.tell([letter_of(&view)]).await;
    }
    assert_eq!((service.all().len(), server.count()), (1, 3), "{:#?}", r.lines());
    assert!(r.lines().iter().all(|l| l.starts_with("delivered")), "{:#?}", r.lines());
}

#[tokio::test]
async fn a_pagerduty_that_hangs_or_cuts_is_tried_again() {
    let (service, server, config) = pagerduty().await;
    let r = running(&config, Pace { timeout: Span::millis(300), ..FAST });
    server.will([Act::Hang]);
    r.tell([letter_of(&guitar(1, News::Opened))]).await;
    assert_eq!(r.lines()[0], "failed: expected an answer within 0.300s, found none");
    assert_eq!(service.all().len(), 1);
}
