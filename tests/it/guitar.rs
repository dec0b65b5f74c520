//! The guitar story through the whole program: every rule that ships, a receiver of every kind. People get one
//! incident, one message and one thread of it, and nobody reads a secret anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use groundswell::app::demo::Script;
use groundswell::base::time::{Span, Time};
use serde_json::{Value as Json, json};

use crate::live::{ask, get};
use crate::program::{Program, eventually};
use crate::{alerting, chatting, mailing, paging, receivers};

/// Story seconds in a real one.
const SPEED: f64 = 800.0;
/// What is said after the story is what was said this much before.
const LATER: Span = Span::seconds(86_400 + 9000);
/// How long the usual talk goes on after it.
const AFTER: Span = Span::seconds(4 * 3600);
const BRAND: &str = r##"version: 1
brands:
  northwind:
    name: Northwind Airways
    query: '"northwind airways" OR @northwind.example OR #northwind OR (northwind (flight OR guitar OR luggage OR gate OR crew))'
    owner: Care duty
    runbook: https://wiki.example/damaged-baggage
"##;

/// What nobody may read anywhere but those who are told it.
const SECRETS: [&str; 10] = [
    chatting::TOKEN,
    paging::KEY,
    "mail-pa55word-8141",
    "pagerduty-s1gns-5226",
    "webhook-s1gns-77431",
    "hook-path-90125",
    "header-k3y-31337",
    "alertmanager-t0ken-606",
    "heart-path-2112",
    OPS,
];
/// The token of the test itself.
const OPS: &str = "ops-t0ken-1979-0123456789";

/// A frame of the demo as a post of any network, with the audience of its author.
fn post(script: &Script, time: Time, frame: &str) -> String {
    let f: Json = serde_json::from_str(frame).unwrap();
    let (did, c) = (f["did"].as_str().unwrap(), &f["commit"]);
    let collection = c["collection"].as_str().unwrap();
    let id = format!("at://{did}/{collection}/{}", c["rkey"].as_str().unwrap());
    let r = &c["record"];
    let (kind, parent) = if collection.ends_with("repost") {
        ("repost", &r["subject"]["uri"])
    } else if r["reply"].is_object() {
        ("reply", &r["reply"]["parent"]["uri"])
    } else if r["embed"].is_object() {
        ("quote", &r["embed"]["record"]["uri"])
    } else {
        ("post", &Json::Null)
    };
    let (text, lang) = (r["text"].as_str().unwrap_or(""), r["langs"][0].as_str());
    let name = did.trim_start_matches("did:plc:");
    json!({"id": id, "source": "bluesky", "author": did, "author_name": format!("{name}.example"), "text": text,
        "time": time.to_string(), "followers": script.followers.get(did), "lang": lang, "kind": kind, "parent": parent,
        "url": format!("https://bsky.example/{name}")})
    .to_string()
}

/// The past and the story, in two files.
fn record(folder: &Path) {
    let script = Script::new();
    let (mut past, mut story) = (String::new(), String::new());
    for (time, frame) in &script.frames {
        let to = if *time < script.live { &mut past } else { &mut story };
        to.push_str(&(post(&script, *time, frame) + "\n"));
    }
    let first = script.frames[0].0;
    for (time, frame) in script.frames.iter().take_while(|f| f.0 < first + AFTER) {
        let said = post(&script, *time + LATER, frame).replace("/3k", "/3later");
        story.push_str(&(said + "\n"));
    }
    std::fs::write(folder.join("past.ndjson"), past).unwrap();
    std::fs::write(folder.join("story.ndjson"), story).unwrap();
}

/// Everybody who is told.
struct World {
    folder: tempfile::TempDir,
    channel: Arc<chatting::Channel>,
    slack: receivers::Server,
    service: Arc<paging::Service>,
    pager: receivers::Server,
    replica: Arc<alerting::Replica>,
    mail: mailing::Server,
    hook: receivers::Server,
    receivers: String,
}

impl World {
    async fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        record(folder.path());
        std::fs::write(folder.path().join("brand.yaml"), BRAND).unwrap();
        let (channel, slack, told) = chatting::slack().await;
        let groundswell::notify::SlackWay::Bot { api, .. } = told.way else { panic!() };
        let (service, pager, paged) = paging::pagerduty().await;
        let (replica, _, am) = alerting::replica().await;
        let ca = folder.path().join("ca.pem");
        let tls = mailing::secured("localhost", &ca);
        let mail = mailing::Server::with([]).secured_by(tls);
        let mx = mail.clone().start().await;
        let (hook, hooked) = receivers::Server::start(|_| (200, String::new())).await;
        let [_, key, password, said, secret, path, header, token, _, _] = SECRETS;
        std::fs::write(folder.path().join("mail.secret"), format!("{password}\n")).unwrap();
        let (api, url, port) = (api.unwrap(), paged.url, mx.port());
        let receivers = format!(
            r##"receivers:
  out: {{type: stdout, format: json}}
  chat: {{type: slack, token: {}, channel: "#united", api: "{api}"}}
  pager: {{type: pagerduty, routing_key: {key}, url: "{url}", webhook_secret: {said}}}
  am: {{type: alertmanager, urls: "http://{am}", token: {token}}}
  mail: {{type: email, host: localhost, port: {port}, tls: starttls, ca: ca.pem, user: gs, password_file: mail.secret,
         from: "groundswell <gs@northwind.example>", to: [care@northwind.example, press@northwind.example]}}
  hook: {{type: webhook, url: "http://{hooked}/{path}", secret: {secret}, headers: {{X-Key: {header}}}}}
"##,
            chatting::TOKEN
        );
        World { folder, channel, slack, service, pager, replica, mail, hook, receivers }
    }

    fn config(&self, recording: &str, speed: &str, receivers: &str) -> std::path::PathBuf {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let text = format!(
            "rules: [brand.yaml, {}]\nlisten: 127.0.0.1:0\ntokens: {{ops: {{token: {OPS}, may: [read, act, admin]}}}}\n\
             external_url: https://gs.example/\ntimezone: America/Chicago\nblind_spots: [X, TikTok, Instagram]\n\
             heartbeat: {{url: \"http://127.0.0.1:9/heart-path-2112\", every: 60s}}\n\
             sources: {{bluesky: {{type: recording, path: {recording}, speed: {speed}}}}}\n{receivers}",
            rules.display()
        );
        let path = self.folder.path().join("groundswell.yaml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Plays one of the recordings to its end, until nobody is told any more; all the program showed meanwhile.
    async fn play(&self, config: &Path, until: impl Fn() -> bool) -> String {
        let program = Program::run(config).await;
        let mut shown = String::new();
        for _ in 0..6000 {
            if program.log().contains("recording is at its end") && until() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.keep(&program.lines(), &program.log());
        assert!(program.log().contains("recording is at its end") && until(), "{}", self.counts());
        let address = program.address;
        let outbox = async || {
            let said = authorized(address, "/v1/outbox").await;
            let said: Json = serde_json::from_str(&said).unwrap();
            said["letters"].as_array().unwrap().is_empty().then_some(())
        };
        eventually("an empty outbox", outbox).await;
        for path in ["/metrics", "/v1/status", "/v1/incidents?all=1", "/v1/incidents", "/v1/outbox", "/v1/silences"] {
            shown += &authorized(address, path).await;
        }
        shown += &get(address, "/readyz").await.1;
        shown += &program.lines();
        shown += &program.log();
        program.signal("TERM");
        let mut program = program;
        let (status, _) = program.ended().await;
        assert_eq!(status.code(), Some(0), "{}", program.log());
        shown + &program.log()
    }

    /// Writes what everybody got into the folder `KEEP`, if there is one, to be read by people.
    fn keep(&self, out: &str, log: &str) {
        let Some(to) = std::env::var_os("KEEP").map(std::path::PathBuf::from) else { return };
        std::fs::create_dir_all(&to).unwrap();
        let bodies = |server: &receivers::Server| {
            let got = server.got.lock().unwrap();
            let said =
                got.iter().map(|g| json!({"path": g.path, "body": serde_json::from_str::<Json>(&g.body).unwrap()}));
            serde_json::to_string_pretty(&said.collect::<Vec<Json>>()).unwrap()
        };
        std::fs::write(to.join("slack.json"), bodies(&self.slack)).unwrap();
        std::fs::write(to.join("pager.json"), bodies(&self.pager)).unwrap();
        for (k, mail) in self.mail.mails().iter().enumerate() {
            std::fs::write(to.join(format!("mail-{k}.eml")), mail).unwrap();
        }
        let ledger = ledger(&self.folder.path().join("groundswell.yaml"), "").0;
        for (file, text) in
            [("out.ndjson", out), ("log.txt", log), ("ledger.ndjson", &ledger), ("counts.txt", &self.counts())]
        {
            std::fs::write(to.join(file), text).unwrap();
        }
    }

    fn counts(&self) -> String {
        let calls = |path: &str| self.slack.got.lock().unwrap().iter().filter(|g| g.path.ends_with(path)).count();
        let pages: Vec<String> =
            self.service.all().iter().map(|i| format!("{} {}: {:?}", i.key, i.state, i.log)).collect();
        format!(
            "slack: {} messages of their own, {} in threads, {} posts, {} edits\npagerduty: {} events, {:#?}\nmail: {}\nalertmanager: {:#?}\nwebhook: {}",
            self.channel.all().iter().filter(|m| m.thread.is_none()).count(),
            self.channel.all().iter().filter(|m| m.thread.is_some()).count(),
            calls("postMessage"),
            calls("update"),
            self.pager.count(),
            pages,
            self.mail.mails().len(),
            self.replica.alerts(),
            self.hook.count(),
        )
    }
}

async fn authorized(address: std::net::SocketAddr, path: &str) -> String {
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {OPS}\r\nConnection: close\r\n\r\n");
    let (status, said) = ask(address, &request).await;
    assert_eq!(status, 200, "{path}: {said}");
    said
}

/// A header of a mail, unfolded.
fn header(mail: &str, name: &str) -> Option<String> {
    let head = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ").replace("\r\n\t", " ");
    head.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": ").map(str::to_string))
}

/// Lines of the ledger about something.
fn ledger(config: &Path, about: &str) -> (String, Vec<Json>) {
    let out = Command::new(env!("CARGO_BIN_EXE_groundswell"))
        .arg("ledger")
        .args((!about.is_empty()).then_some(about))
        .args(["--json", "-c"])
        .arg(config)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    let lines = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    (text, lines)
}

#[tokio::test]
async fn a_story_under_all_rules_is_one_incident_everywhere_and_shows_no_secret() {
    let w = World::new().await;
    let quiet = w.config("past.ndjson", "full", "receivers: {out: {type: stdout, format: json}}\n");
    w.play(&quiet, || true).await;
    let config = w.config("story.ndjson", &SPEED.to_string(), &w.receivers);
    let shown = w.play(&config, || w.service.all().first().is_some_and(|i| i.state == "resolved")).await;
    println!("{}", w.counts());
    let name = one_thread_of_mails(&w.mail.mails());
    one_incident(&w, &name);
    one_message(&w);
    one_alert_a_severity(&w, &name);
    let (text, lines) = ledger(&config, &name[..4]);
    every_reason(&lines);
    machines_are_told_everything(&w, &shown);
    no_secret("what the program showed", shown.as_bytes());
    no_secret("the ledger", (text + &ledger(&config, "").0).as_bytes());
    let mut files = 0;
    for entry in std::fs::read_dir(w.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        if file.contains(".db") {
            files += 1;
            no_secret(&file, &std::fs::read(&path).unwrap());
        }
    }
    assert!(files >= 1, "there is a store");
}

/// One thread, and every mail names the incident; its whole name.
fn one_thread_of_mails(mails: &[String]) -> String {
    assert!(mails.len() >= 3, "{} mails", mails.len());
    let names: BTreeSet<String> = mails.iter().map(|m| header(m, "X-Groundswell-Incident").unwrap()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let name = names.first().unwrap().clone();
    let root = header(&mails[0], "Message-ID").unwrap();
    assert_eq!((header(&mails[0], "References"), header(&mails[0], "In-Reply-To")), (None, None));
    for mail in &mails[1..] {
        let (refers, answers) = (header(mail, "References"), header(mail, "In-Reply-To"));
        assert_eq!((refers.as_ref(), answers.as_ref()), (Some(&root), Some(&root)));
    }
    let ids: BTreeSet<String> = mails.iter().map(|m| header(m, "Message-ID").unwrap()).collect();
    assert_eq!(ids.len(), mails.len());
    for mail in mails {
        // lines of a part that is quoted may break anywhere
        let whole = mail.replace("=\r\n", "");
        let plain = whole.split("Content-Type: text/html").next().unwrap();
        assert!(header(mail, "Subject").unwrap().ends_with(&format!(" - {}", &name[..4])), "{mail}");
        let text = plain.split_once("Content-Type: text/plain").unwrap().1;
        assert!(text.contains(&name[..4]), "{text}");
    }
    name
}

/// One incident at PagerDuty: it is triggered, and resolved once.
fn one_incident(w: &World, name: &str) {
    let all = w.service.all();
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((all[0].key.as_str(), all[0].state), (format!("groundswell-{name}").as_str(), "resolved"));
    let (last, before) = all[0].log.split_last().unwrap();
    assert!(last == "resolve" && !before.is_empty() && before.iter().all(|l| l.starts_with("trigger")), "{all:#?}");
    assert!(before.iter().any(|l| l == "trigger critical"), "{all:#?}");
    for got in w.pager.got.lock().unwrap().iter() {
        assert_eq!(serde_json::from_str::<Json>(&got.body).unwrap()["dedup_key"], all[0].key);
    }
}

/// One message in the channel, edited; all else is in its thread.
fn one_message(w: &World) {
    let all = w.channel.all();
    let tops: Vec<&chatting::Message> = all.iter().filter(|m| m.thread.is_none()).collect();
    assert!(tops.len() == 1 && tops[0].edits >= 1, "{tops:#?}");
    assert!(all.iter().all(|m| m.thread.as_ref().is_none_or(|t| *t == tops[0].ts)));
    let got = w.slack.got.lock().unwrap();
    let said = got.iter().map(|g| (g.path.as_str(), serde_json::from_str::<Json>(&g.body).unwrap()));
    let posts = said.filter(|(path, s)| *path == "/api/chat.postMessage" && s.get("thread_ts").is_none()).count();
    assert_eq!(posts, 1);
    assert!(tops[0].said["text"].as_str().unwrap().starts_with("OVER"), "{}", tops[0].said);
}

/// An alert keeps its labels while it lasts; a rise is another one. All have ended.
fn one_alert_a_severity(w: &World, name: &str) {
    let alerts = w.replica.alerts();
    let severities: BTreeSet<&String> = alerts.keys().map(|labels| &labels["severity"]).collect();
    assert!(severities.len() == alerts.len() && alerts.len() <= 2, "{alerts:#?}");
    assert!(severities.iter().any(|s| *s == "critical"));
    let end = alerts.values().map(|(_, ends)| *ends).max().unwrap();
    assert!(end < groundswell::app::demo::Script::new().frames.last().unwrap().0 + Span::seconds(3600), "{end}");
    for labels in alerts.keys() {
        assert_eq!((&*labels["incident"], &*labels["brand"]), (name, "northwind"));
    }
}

/// Whoever was not told of a change has a reason in the ledger.
fn every_reason(lines: &[Json]) {
    let of = |what: &str| lines.iter().filter(|l| l["what"] == what).collect::<Vec<_>>();
    let count: BTreeMap<String, usize> = lines.iter().fold(BTreeMap::new(), |mut all, l| {
        *all.entry(format!("{} {}", l["what"].as_str().unwrap(), l["receiver"].as_str().unwrap_or(""))).or_default() +=
            1;
        all
    });
    println!("ledger: {count:#?}");
    for line in of("not sent").into_iter().chain(of("superseded")) {
        assert!(line["detail"].as_str().is_some_and(|why| why.len() > 5), "{line}");
    }
    // what was queued came to an end
    for line in of("queued") {
        let is_end = |l: &&Json| {
            let ended = ["delivered", "superseded"].contains(&l["what"].as_str().unwrap());
            ended && l["receiver"] == line["receiver"] && l["key"] == line["key"]
        };
        assert_eq!(lines.iter().filter(is_end).count(), 1, "{line}");
    }
    assert!(of("refused").is_empty() && of("dropped").is_empty() && of("expired").is_empty());
}

/// The webhook and standard output got the same, each once.
fn machines_are_told_everything(w: &World, shown: &str) {
    let key = |j: Json| j["key"].as_str().map(str::to_string);
    let posted: Vec<Json> = w.hook.got.lock().unwrap().iter().map(|g| serde_json::from_str(&g.body).unwrap()).collect();
    let posted: Vec<String> = posted.into_iter().filter_map(key).collect();
    let printed = shown.lines().filter_map(|l| serde_json::from_str::<Json>(l).ok()).filter_map(key);
    let printed: BTreeSet<String> = printed.collect();
    let once: BTreeSet<String> = posted.iter().cloned().collect();
    assert!(once.len() == posted.len() && once == printed && once.len() >= 6, "{posted:#?} {printed:#?}");
}

fn no_secret(place: &str, bytes: &[u8]) {
    for secret in SECRETS {
        let found = bytes.windows(secret.len()).position(|part| part == secret.as_bytes());
        let near = |at: usize| String::from_utf8_lossy(&bytes[at.saturating_sub(80)..at]).into_owned();
        assert!(found.is_none(), "{place} holds `{secret}` after {}", found.map(near).unwrap_or_default());
    }
}
