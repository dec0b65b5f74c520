//! Alertmanager, against servers that keep its documented contract, and against the real one.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use groundswell::base::model::Severity;
use groundswell::base::secret::Secret;
use groundswell::base::time::{Span, Time};
use groundswell::notify::view::{News, View};
use groundswell::notify::{Alertmanager, AlertmanagerConfig, Answer, Carrier, Letter, Pace, Tried, alertmanager_body};
use serde_json::{Value as Json, json};

use crate::receivers::{Act, FAST, Got, Server, Told, at, guitar, letter, life};

pub type Labels = BTreeMap<String, String>;

/// What a replica holds: beginning and end of each alert.
#[derive(Default)]
pub struct Replica(Mutex<BTreeMap<Labels, (Time, Time)>>);

/// A label's name as Alertmanager has always taken it.
fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(fine) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn texts(json: &Json) -> Option<Labels> {
    let texts = json.as_object()?.iter().map(|(name, text)| Some((name.clone(), text.as_str()?.to_string())));
    texts.collect::<Option<Labels>>().filter(|all| all.keys().all(|name| is_name(name)))
}

/// An alert, if it is one.
fn read(alert: &Json) -> Option<(Labels, (Time, Time))> {
    let known = ["labels", "annotations", "startsAt", "endsAt", "generatorURL"];
    alert.as_object()?.keys().all(|k| known.contains(&k.as_str())).then_some(())?;
    let time = |name: &str| Time::parse_rfc3339(alert[name].as_str()?);
    let (labels, starts, ends) = (texts(&alert["labels"])?, time("startsAt")?, time("endsAt")?);
    texts(&alert["annotations"])?;
    let url = alert.get("generatorURL").is_none_or(|u| u.as_str().is_some_and(|u| u.starts_with("https://")));
    let named = labels.get("alertname").is_some_and(|n| !n.is_empty()) && labels.values().all(|v| !v.is_empty());
    (url && named && starts <= ends).then_some((labels, (starts, ends)))
}

impl Replica {
    fn post(&self, got: &Got) -> (u16, String) {
        let posted: Json = serde_json::from_str(&got.body).unwrap_or_default();
        let alerts = posted.as_array().and_then(|all| all.iter().map(read).collect::<Option<Vec<_>>>());
        match alerts {
            Some(alerts) if got.path == "/api/v2/alerts" => {
                self.0.lock().unwrap().extend(alerts);
                (200, String::new())
            }
            Some(_) => (404, "not found".into()),
            None => (400, json!("invalid alert").to_string()),
        }
    }

    /// Labels, beginning and end of each alert.
    pub fn alerts(&self) -> BTreeMap<Labels, (Time, Time)> {
        self.0.lock().unwrap().clone()
    }

    /// Severities of what it holds, and whether they fire at a time.
    fn held(&self, now: Time) -> Vec<(String, bool)> {
        self.0.lock().unwrap().iter().map(|(labels, (_, ends))| (labels["severity"].clone(), *ends > now)).collect()
    }
}

/// A replica.
pub async fn replica() -> (Arc<Replica>, Server, SocketAddr) {
    let replica = Arc::new(Replica::default());
    let (server, address) = Server::start({
        let replica = replica.clone();
        move |got| replica.post(got)
    })
    .await;
    (replica, server, address)
}

fn config(addresses: &[SocketAddr]) -> AlertmanagerConfig {
    AlertmanagerConfig::new("told".into(), addresses.iter().map(|a| format!("http://{a}")).collect())
}

fn running(config: &AlertmanagerConfig, pace: Pace) -> Told {
    Told::by(Alertmanager::carrier(config, pace).unwrap(), pace, BTreeMap::new())
}

fn letter_of(view: &View) -> Letter {
    letter(view, alertmanager_body(view))
}

fn letters() -> Vec<Letter> {
    life().iter().map(letter_of).collect()
}

fn held(all: &[(&str, bool)]) -> Vec<(String, bool)> {
    all.iter().map(|(severity, fires)| (severity.to_string(), *fires)).collect()
}

/// An address at which nothing listens.
async fn nowhere() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_story_is_one_alert_at_every_replica_and_a_rise_ends_the_milder_one() {
    let (one, _, first) = replica().await;
    let (two, _, second) = replica().await;
    let r = running(&config(&[first, second]), FAST);
    let letters = letters();
    let soon = at() + Span::seconds(60);
    r.tell(letters[..1].to_vec()).await;
    assert_eq!((one.held(soon), two.held(soon)), (held(&[("warning", true)]), held(&[("warning", true)])));
    r.tell(letters[1..4].to_vec()).await;
    let risen = held(&[("critical", true), ("warning", false)]);
    assert_eq!((one.held(soon), two.held(soon)), (risen.clone(), risen));
    r.tell(letters[4..].to_vec()).await;
    let over = held(&[("critical", false), ("warning", false)]);
    assert_eq!((one.held(soon), two.held(soon)), (over.clone(), over));
    assert_eq!(r.lines().len(), 5, "{:#?}", r.lines());
}

#[tokio::test]
async fn one_replica_is_enough_and_the_other_is_told_later() {
    let (one, server, first) = replica().await;
    let (two, late, second) = replica().await;
    late.will(vec![Act::Say(503, "", String::new()); 5]);
    let config = config(&[first, nowhere().await, second]);
    let carrier = Alertmanager::carrier(&config, FAST).unwrap();
    let r = Told::by(carrier.clone(), FAST, BTreeMap::new());
    r.tell(letters()[..2].to_vec()).await;
    assert_eq!(r.lines().len(), 2, "{:#?}", r.lines());
    assert_eq!((server.count(), two.held(at()).len()), (2, 0));
    late.acts.lock().unwrap().clear();
    let now = at() + Span::seconds(60);
    let tried = carrier.refresh(now).unwrap().await;
    assert_eq!((tried.answer, tried.why.as_str()), (Answer::Status(200, None), ""));
    assert_eq!(one.held(now), two.held(now));
    assert_eq!(two.held(now + Span::seconds(239)), held(&[("critical", true), ("warning", false)]));
}

#[tokio::test]
async fn none_is_a_failure_and_a_refusal_only_where_all_refuse() {
    let (_, one, first) = replica().await;
    let (_, two, second) = replica().await;
    let config = config(&[first, second]);
    let no = || Act::Say(400, "", "\"bad\"".into());
    let down = || Act::Say(503, "", String::new());
    let r = running(&config, FAST);
    one.will([down(), no(), no()]);
    two.will([down(), down(), no()]);
    r.tell(letters()[..1].to_vec()).await;
    let expected = [
        "failed: expected status 200, found 503",
        "failed: expected status 200, found 503",
        "refused: expected status 200, found 400: \"bad\"",
    ];
    assert_eq!(r.lines(), expected);
}

#[tokio::test]
async fn a_replica_that_hangs_keeps_nobody_from_being_told() {
    let (one, _, first) = replica().await;
    let (_, slow, second) = replica().await;
    slow.will(vec![Act::Hang; 20]);
    let r = running(&config(&[first, second]), Pace { timeout: Span::millis(300), ..FAST });
    r.tell(letters()).await;
    assert_eq!((r.lines().len(), one.held(at()).len(), slow.count()), (5, 2, 5), "{:#?}", r.lines());
    // nor does one that is alone and slow get less time than it is to have
    let r = running(&config(&[second]), Pace { timeout: Span::millis(300), ..FAST });
    r.tell(letters()[..1].to_vec()).await;
    assert!(r.lines()[0].contains("within 0.300s"), "{:?}", r.lines());
}

#[tokio::test]
async fn after_a_restart_what_fires_is_told_again_at_once() {
    let (one, server, first) = replica().await;
    let config = config(&[first]);
    let r = running(&config, FAST);
    r.tell(letters()[..2].to_vec()).await;
    r.run.abort();
    let handles = r.notes.handles.lock().unwrap().clone();
    one.0.lock().unwrap().clear();
    let again = Told::by(Alertmanager::carrier(&config, FAST).unwrap(), FAST, handles.clone());
    crate::receivers::wait(|| server.count() == 3, || format!("{:?}", again.lines())).await;
    let soon = at() + Span::seconds(60);
    crate::receivers::wait(|| one.held(soon).len() == 2, || format!("{:?}", one.held(soon))).await;
    assert_eq!(one.held(soon), held(&[("critical", true), ("warning", false)]));
    // its end ends what was told before, with the labels of before
    again.tell(letters()[4..].to_vec()).await;
    assert_eq!(one.held(soon), held(&[("critical", false), ("warning", false)]));
    assert_eq!(handles.len(), 1);
}

#[tokio::test]
async fn who_asks_for_a_password_gets_it_and_nobody_sees_it() {
    let (_, server, first) = replica().await;
    let basic = Some(("ada".to_string(), Secret::new("pa55word")));
    let r = running(&AlertmanagerConfig { basic, ..config(&[first]) }, FAST);
    server.will([Act::Say(401, "", "not pa55word YWRhOnBhNTV3b3Jk".into())]);
    r.tell(letters()[..2].to_vec()).await;
    assert_eq!(r.lines()[0], "refused: expected status 200, found 401: not [secret] [secret]");
    assert!(server.got.lock().unwrap().iter().all(|g| g.headers["authorization"] == "Basic YWRhOnBhNTV3b3Jk"));
    let token = Some(Secret::new("t0k3n"));
    let r = running(&AlertmanagerConfig { token, ..config(&[first]) }, FAST);
    r.tell(letters()[..1].to_vec()).await;
    assert_eq!(server.got.lock().unwrap().last().unwrap().headers["authorization"], "Bearer t0k3n");
}

#[tokio::test]
async fn whatever_strangers_write_is_taken() {
    let (_, server, first) = replica().await;
    let r = running(&config(&[first]), FAST);
    for (text, step) in ["", "é", "a-b\u{0}\n\"", "9", &"é\"".repeat(20_000)].iter().zip(1..) {
        let mut view = guitar(step, News::Rise);
        (view.short, view.sentence, view.more) = (text.to_string(), text.to_string(), Some(text.to_string()));
        view.labels.insert(text.to_string(), text.to_string());
        view.labels.insert("brand".into(), text.to_string());
        view.thread = step.to_string();
        r.tell([letter_of(&view)]).await;
    }
    assert!(r.lines().iter().all(|l| l.starts_with("delivered")), "{:#?}", r.lines());
    assert_eq!(server.count(), 5);
}

fn clock() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time(i64::try_from(since.as_micros()).unwrap())
}

/// Severities of the alerts of this story that a real Alertmanager shows, with their ends.
async fn shown(client: &reqwest::Client, url: &str, incident: &str) -> BTreeMap<String, Time> {
    let filter = format!("{url}/api/v2/alerts?active=true&filter=incident%3D%22{incident}%22");
    let text = client.get(filter).send().await.unwrap().text().await.unwrap();
    let all: Vec<Json> = serde_json::from_str(&text).unwrap();
    let one = |a: &Json| {
        assert_eq!(a["status"]["state"], "active", "{a}");
        assert_eq!(a["labels"]["alertname"], "StorySpreading");
        assert!(a["annotations"]["summary"].as_str().unwrap().contains("19.7x usual"), "{a}");
        let ends = Time::parse_rfc3339(a["endsAt"].as_str().unwrap()).unwrap();
        (a["labels"]["severity"].as_str().unwrap().to_string(), ends)
    };
    all.iter().map(one).collect()
}

async fn told(carrier: &dyn Carrier, view: &View, handle: &mut Option<String>) {
    let Tried { answer, why, handle: known } = carrier.carry(&letter_of(view), handle.as_deref(), clock()).await;
    assert_eq!((answer, why.as_str()), (Answer::Status(200, None), ""));
    *handle = known;
}

/// `AM_URL` is the address of one that runs; see `tests/peers/alertmanager.sh`.
#[tokio::test]
#[ignore = "needs a real Alertmanager"]
async fn a_real_alertmanager() {
    let url = std::env::var("AM_URL").unwrap();
    let of = || {
        let config = AlertmanagerConfig::new("told".into(), vec![url.clone()]);
        Alertmanager::carrier(&config, FAST).unwrap()
    };
    let (carrier, mut handle) = (of(), None);
    let client = reqwest::Client::new();
    let view = |step, news| View { began: clock() - Span::seconds(352), at: clock(), ..guitar(step, news) };
    let incident = guitar(1, News::Opened).incident.unwrap().full();
    let keys = |m: &BTreeMap<String, Time>| m.keys().cloned().collect::<Vec<_>>();

    told(&*carrier, &view(1, News::Opened), &mut handle).await;
    assert_eq!(keys(&shown(&client, &url, &incident).await), ["warning"]);
    told(&*carrier, &view(2, News::Rise), &mut handle).await;
    settled(&client, &url, &incident, &["critical"]).await;
    // what a restarted service remembers keeps it firing
    let before = shown(&client, &url, &incident).await;
    let again = of();
    again.remember(&BTreeMap::from([(guitar(1, News::Opened).incident.unwrap(), handle.clone().unwrap())]));
    let tried = again.refresh(clock() + Span::seconds(1)).unwrap().await;
    assert_eq!((tried.answer, tried.why.as_str()), (Answer::Status(200, None), ""));
    let after = shown(&client, &url, &incident).await;
    assert_eq!(keys(&after), ["critical"]);
    assert!(after["critical"] > before["critical"], "{before:?} {after:?}");
    // labels that strangers chose
    let mut odd = View { incident: None, thread: "odd".into(), severity: Severity::Info, ..view(1, News::Opened) };
    odd.labels.insert("9 é\u{0}".into(), "<&>\"\n\u{0}".into());
    told(&*again, &odd, &mut None).await;
    let over = View { ended: Some(clock()), ..view(5, News::Over) };
    told(&*again, &over, &mut handle).await;
    settled(&client, &url, &incident, &[]).await;
}

/// Waits until it shows just these severities.
async fn settled(client: &reqwest::Client, url: &str, incident: &str, expected: &[&str]) {
    for _ in 0..200 {
        if shown(client, url, incident).await.keys().eq(expected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("expected {expected:?}, found {:?}", shown(client, url, incident).await);
}
