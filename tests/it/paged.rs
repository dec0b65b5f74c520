//! What people do at PagerDuty, told to the program: who is believed, and what is done once. Trials end where they
//! would stay open.

use std::net::SocketAddr;

use groundswell::app::clock::{Clock, SystemClock};
use groundswell::base::model::IncidentId;
use serde_json::{Value as Json, json};

use crate::alerting::{Replica, replica};
use crate::live::{ask, get};
use crate::paging::{KEY, Service, pagerduty};
use crate::program::{Program, eventually};
use crate::webhook::hmac_by_hand;

const SECRET: &str = "s1gned-by-pagerduty";
const OTHER: &str = "s1gned-by-another";

/// A program that tells two services of PagerDuty and an Alertmanager of three mentions.
struct World {
    program: Program,
    service: std::sync::Arc<Service>,
    replica: std::sync::Arc<Replica>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn start() -> World {
        let folder = tempfile::tempdir().unwrap();
        let (service, _, told) = pagerduty().await;
        let (replica, _, am) = replica().await;
        let rules =
            "brands: {u: {query: united}}\nrules:\n  - {alert: Three, when: 'mentions[1h] >= 3', severity: page}\n";
        std::fs::write(folder.path().join("rules.yaml"), rules).unwrap();
        let url = told.url;
        let text = format!(
            "rules: rules.yaml\nlisten: 127.0.0.1:0\nsources: {{crm: {{type: push, token: push-token-0123456789}}}}\n\
             receivers:\n  out: {{type: stdout, format: json}}\n\
             \x20 pager: {{type: pagerduty, routing_key: {KEY}, url: \"{url}\", webhook_secret: {SECRET}}}\n\
             \x20 other: {{type: pagerduty, routing_key: {KEY}, url: \"{url}\", webhook_secret: {OTHER}}}\n\
             \x20 mute: {{type: pagerduty, routing_key: {KEY}, url: \"{url}\"}}\n\
             \x20 am: {{type: alertmanager, urls: \"http://{am}\"}}\n\
             routes:\n  - {{to: [out, pager, am]}}\n"
        );
        let config = folder.path().join("groundswell.yaml");
        std::fs::write(&config, text).unwrap();
        World { program: Program::run(&config).await, service, replica, _folder: folder }
    }

    /// Has an incident opened; its name.
    async fn open(&self) -> String {
        let now = SystemClock.now();
        let post = |id| json!({"id": id, "source": "crm", "author": format!("a{id}"), "text": "united is late", "time": now.to_string()});
        let posts: String = ["1", "2", "3"].map(|id| post(id).to_string() + "\n").concat();
        let (status, said) =
            send(self.program.address, "/v1/posts", "Authorization: Bearer push-token-0123456789\r\n", &posts).await;
        assert_eq!(status, 200, "{said}");
        let open = eventually("an incident", async || self.incidents().await.first().cloned()).await;
        eventually("the page", async || (!self.service.all().is_empty()).then_some(())).await;
        open["incident"].as_str().unwrap().to_string()
    }

    async fn incidents(&self) -> Vec<Json> {
        let said: Json = serde_json::from_str(&get(self.program.address, "/v1/incidents?all=1").await.1).unwrap();
        said["incidents"].as_array().unwrap().clone()
    }

    async fn says(&self, receiver: &str, signature: &str, body: &str) -> (u16, Json) {
        let header =
            if signature.is_empty() { String::new() } else { format!("X-PagerDuty-Signature: {signature}\r\n") };
        let (status, said) = send(self.program.address, &format!("/v1/pagerduty/{receiver}"), &header, body).await;
        (status, serde_json::from_str(&said).unwrap_or(Json::Null))
    }

    async fn done(&self) -> f64 {
        let of = async |kind: &str| {
            let name = format!("groundswell_orders_total{{order=\"{kind}\",result=\"done\"}}");
            self.program.value(&name).await.unwrap_or(0.0)
        };
        of("acknowledge").await + of("close").await
    }
}

async fn send(address: SocketAddr, path: &str, header: &str, body: &str) -> (u16, String) {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}");
    ask(address, &format!("{head}Content-Length: {length}\r\n\r\n{body}")).await
}

fn event(id: &str, kind: &str, incident: &str) -> String {
    let agent = json!({"id": "P1", "type": "user_reference", "summary": "Ada"});
    let data = json!({"id": "Q1", "type": "incident", "incident_key": format!("groundswell-{incident}")});
    json!({"event": {"id": id, "event_type": format!("incident.{kind}"), "agent": agent, "data": data}}).to_string()
}

fn signed(secret: &str, body: &str) -> String {
    format!("v1={}", hmac_by_hand(secret.as_bytes(), body.as_bytes()))
}

#[tokio::test]
async fn what_people_do_at_pagerduty_is_done_here_once() {
    let w = World::start().await;
    let name = w.open().await;
    let acknowledged = event("E1", "acknowledged", &name);
    let (status, said) = w.says("pager", &signed(SECRET, &acknowledged), &acknowledged).await;
    assert_eq!(status, 200, "{said}");
    assert!(said["done"].as_str().unwrap().contains("acknowledged by Ada (PagerDuty)"), "{said}");
    let shown = w.incidents().await;
    assert_eq!(
        (&shown[0]["state"], &shown[0]["acknowledged"]["by"]),
        (&json!("acknowledged"), &json!("Ada (PagerDuty)"))
    );
    // told again it does nothing
    let (status, said) = w.says("pager", &signed(SECRET, &acknowledged), &acknowledged).await;
    assert_eq!((status, &said["done"], w.done().await), (200, &Json::Null, 1.0));
    let resolved = event("E2", "resolved", &name);
    let (status, said) = w.says("pager", &signed(SECRET, &resolved), &resolved).await;
    assert_eq!(status, 200, "{said}");
    let shown = w.incidents().await;
    assert_eq!((&shown[0]["state"], &shown[0]["closed"]["by"]), (&json!("closed"), &json!("Ada (PagerDuty)")));
    assert!(shown[0]["notes"].to_string().contains("resolved in PagerDuty"), "{}", shown[0]);
    // what is over stays over, and PagerDuty need not try again
    let again = event("E3", "acknowledged", &name);
    let (status, said) = w.says("pager", &signed(SECRET, &again), &again).await;
    assert!(status == 200 && said["why"].as_str().unwrap().contains("is over"), "{status} {said}");
    assert_eq!(w.done().await, 2.0);
    w.program.stop().await;
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let w = World::start().await;
    let name = w.open().await;
    let body = event("E1", "resolved", &name);
    let good = signed(SECRET, &body);
    let refused = [
        ("pager", String::new(), &body),
        ("pager", signed("guessed", &body), &body),
        ("pager", signed("", &body), &body),
        ("pager", signed(OTHER, &body), &body),
        ("other", good.clone(), &body),
        ("mute", good.clone(), &body),
        ("am", good.clone(), &body),
        ("out", good.clone(), &body),
        ("nobody", good.clone(), &body),
        ("pager", good.clone(), &event("E2", "resolved", &name)),
    ];
    let mut answers = std::collections::BTreeSet::new();
    for (receiver, signature, body) in refused {
        let (status, said) = w.says(receiver, &signature, body).await;
        assert_eq!(status, 403, "{receiver} {signature}: {said}");
        answers.insert(said.to_string());
    }
    assert_eq!(answers.len(), 1, "which receivers there are is told to nobody: {answers:?}");
    // signed, and nothing that means anything
    let deep = "[".repeat(10_000);
    for hostile in ["", "null", "{}", "\u{0}\u{ff}", &deep, &body[..body.len() - 1]] {
        assert_eq!(w.says("pager", &signed(SECRET, hostile), hostile).await.0, 403, "{hostile:.40}");
    }
    let long = " ".repeat(300 << 10) + &body;
    assert_eq!(w.says("pager", &signed(SECRET, &long), &long).await.0, 413);
    // nothing of ours
    for other in [IncidentId(1).full().as_str(), "store", "7F3C", &name[..4], "nagios-1", "a\nb"] {
        let body = event(&format!("to {other}"), "resolved", other);
        let (status, said) = w.says("pager", &signed(SECRET, &body), &body).await;
        assert!(status == 200 && said["done"].is_null(), "{other}: {status} {said}");
    }
    assert_eq!((w.done().await, &w.incidents().await[0]["state"]), (0.0, &json!("open")));
    w.program.stop().await;
}

#[tokio::test]
async fn trials_do_not_stay_open() {
    let w = World::start().await;
    for receiver in ["pager", "am"] {
        let (status, said) = send(
            w.program.address,
            "/v1/test",
            "Content-Type: application/json\r\n",
            &json!({"receiver": receiver}).to_string(),
        )
        .await;
        assert_eq!(status, 200, "{said}");
    }
    let resolved = async || w.service.all().first().is_some_and(|i| i.state == "resolved").then_some(());
    eventually("the end of the trial at PagerDuty", resolved).await;
    let all = w.service.all();
    assert_eq!((all.len(), all[0].log.clone()), (1, vec!["trigger info".to_string(), "resolve".into()]));
    let over = async || {
        let alerts = w.replica.alerts();
        let now = SystemClock.now();
        (alerts.len() == 1 && alerts.values().all(|(_, ends)| *ends <= now)).then_some(())
    };
    eventually("the end of the trial at Alertmanager", over).await;
    w.program.stop().await;
}
