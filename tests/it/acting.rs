//! People act on incidents: over the API, by the page behind a link, and with commands; and what only looks changes
//! nothing.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use groundswell::app::clock::{Clock, SystemClock};
use groundswell::base::limits;
use groundswell::base::model::IncidentId;
use groundswell::base::secret::Secret;
use groundswell::base::time::{Span, Time};
use groundswell::notify::Acts;
use groundswell::store::db::{About, Db};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::hooked::Hook;
use crate::program::{Program, eventually};

const DESK: &str = "desk-token-0123456789";
const RULES: &str = "brands: {u: {query: united, name: United}, d: {query: delta}}\nrules:\n  - {alert: Three, when: 'mentions[1h] >= 3', severity: page}\n";

/// What came back: status, headers in small letters, body.
struct Answer(u16, String, String);

impl Answer {
    fn json(&self) -> Json {
        serde_json::from_str(&self.2).unwrap_or_else(|e| panic!("{e}: {}", self.2))
    }
}

async fn send(at: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let mut socket = TcpStream::connect(at).await.unwrap();
    let host = if headers.to_lowercase().contains("host:") { String::new() } else { format!("Host: {at}\r\n") };
    let head = format!(
        "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    // who is refused early hangs up
    let _ = socket.write_all(body).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
    Answer(status, head.to_lowercase(), body.to_string())
}

struct World {
    dir: tempfile::TempDir,
    hook: Hook,
    at: SocketAddr,
    posts: u32,
}

impl World {
    async fn new(more: &str) -> World {
        let dir = tempfile::tempdir().unwrap();
        let hook = Hook::start(0).await;
        // links name the address: it must be known before
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = free.local_addr().unwrap();
        std::fs::write(dir.path().join("rules.yaml"), RULES).unwrap();
        let config = format!(
            "rules: rules.yaml\nlisten: {at}\nexternal_url: http://{at}\nsources: {{desk: {{type: push, token: {DESK}}}}}\n\
             receivers: {{out: {{type: stdout, format: text}}, hook: {{type: webhook, url: '{}'}}}}\n{more}",
            hook.url
        );
        std::fs::write(dir.path().join("groundswell.yaml"), config).unwrap();
        World { dir, hook, at, posts: 0 }
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("groundswell.yaml")
    }

    fn db(&self) -> Db {
        Db::read_only(&self.dir.path().join("groundswell.db")).unwrap()
    }

    async fn run(&self) -> Program {
        let program = Program::run(&self.config()).await;
        assert_eq!(program.address, self.at);
        program
    }

    /// Three people say something.
    async fn burst(&mut self, text: &str) {
        let now = SystemClock.now();
        let mut body = String::new();
        for _ in 0..3 {
            self.posts += 1;
            let id = self.posts;
            body += &format!(r#"{{"id":"{id}","source":"crm","author":"a{id}","text":"{text}","time":"{now}"}}"#);
            body.push('\n');
        }
        let token = format!("Authorization: Bearer {DESK}\r\n");
        let answer = send(self.at, "POST", "/v1/posts", &token, body.as_bytes()).await;
        assert_eq!(answer.0, 200, "{}", answer.2);
    }

    async fn get(&self, path: &str) -> Json {
        let answer = send(self.at, "GET", path, "", b"").await;
        assert_eq!(answer.0, 200, "{path}: {}", answer.2);
        answer.json()
    }

    async fn post(&self, path: &str, body: Json) -> Answer {
        let headers = "Content-Type: application/json\r\n";
        send(self.at, "POST", path, headers, body.to_string().as_bytes()).await
    }

    /// The incidents that go on.
    async fn incidents(&self) -> Vec<Json> {
        self.get("/v1/incidents").await["incidents"].as_array().unwrap().clone()
    }

    /// Waits for the one incident.
    async fn incident(&self) -> Json {
        eventually("an incident", async || self.incidents().await.pop()).await
    }

    /// All links in what was told so far.
    fn links(&self, program: &Program) -> Vec<String> {
        let told = program.lines() + &self.hook.got().iter().map(|(_, body)| body.clone() + "\n").collect::<String>();
        let base = format!("http://{}", self.at);
        let ends = |c: char| c.is_whitespace() || "\"'<>".contains(c);
        told.split(&base).skip(1).map(|rest| rest.split(ends).next().unwrap().to_string()).collect()
    }

    /// Waits for the path of the first link to act by.
    async fn link(&self, program: &Program) -> String {
        eventually("a link", async || self.links(program).into_iter().find(|l| l.starts_with("/i/"))).await
    }

    /// A command, as somebody called tester.
    fn command(&self, args: &[&str]) -> Output {
        command(&self.config(), args)
    }

    /// What it wrote; it ended well.
    fn said(&self, args: &[&str]) -> String {
        let out = self.command(args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// What the ledger holds, in words.
    fn ledger(&self) -> Vec<String> {
        let rows = self.db().ledger(About::All, Time(0), 10_000).unwrap();
        rows.iter().map(|r| format!("{} {:?} {} {:?}", r.what, r.receiver, r.key, r.detail)).collect()
    }
}

fn command(config: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_groundswell"))
        .args(args)
        .arg("-c")
        .arg(config)
        .env("USER", "tester")
        .env_remove("GROUNDSWELL_TOKEN")
        .output()
        .unwrap()
}

/// What the form of the page sends.
fn form(link: &str, more: &str) -> (String, String) {
    let (path, query) = link.split_once('?').unwrap();
    (path.to_string(), format!("{query}&{more}"))
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

#[tokio::test]
async fn whoever_opens_links_changes_nothing_and_the_form_acts() {
    let mut world = World::new("").await;
    let mut program = world.run().await;
    world.burst("united is late").await;
    let incident = world.incident().await;
    let link = world.link(&program).await;
    let until = |n: usize| {
        let hook = world.hook.clone();
        async move { eventually("the hook", async || (hook.got().len() >= n).then_some(())).await }
    };
    until(1).await;
    // everything that was on its way is told
    eventually("all delivered", async || world.db().outbox(100).unwrap().is_empty().then_some(())).await;
    let before = (world.incidents().await, world.ledger(), program.lines(), world.hook.got());
    let links = world.links(&program);
    assert!(links.iter().any(|l| l.starts_with("/i/")), "{links:?}");
    for link in &links {
        // the form's own words in an address are no form
        let tails: &[&str] = match link.contains('?') {
            true => &["", "&do=claim&by=Scanner", "&do=close&by=Scanner&reason=x"],
            false => &[""],
        };
        for tail in tails {
            for method in ["GET", "HEAD"] {
                let answer = send(world.at, method, &format!("{link}{tail}"), "User-Agent: scanner\r\n", b"").await;
                assert_eq!(answer.0, 200, "{method} {link}{tail} {}", answer.2);
                assert_eq!(answer.2.is_empty(), method == "HEAD");
            }
        }
    }
    let after = (world.incidents().await, world.ledger(), program.lines(), world.hook.got());
    assert_eq!(before, after);

    let page = send(world.at, "GET", &link, "Host: gs.example\r\n", b"").await;
    for header in [
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
        "frame-ancestors 'none'",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "x-robots-tag: noindex",
        "referrer-policy: same-origin",
    ] {
        assert!(page.1.contains(header), "{header} {}", page.1);
    }
    assert!(page.2.contains("United: three") && page.2.contains("PAGE") && page.2.matches("<button").count() == 3);

    // forms of other sites, forms without a name or a button
    let (path, claim) = form(&link, "do=claim&by=%3Cscript%3Ealert(1)%3C/script%3E");
    for (headers, body, status) in [
        (format!("{FORM}Origin: https://evil.example\r\n"), claim.clone(), 403),
        (format!("{FORM}Origin: null\r\n"), claim.clone(), 403),
        (format!("{FORM}Sec-Fetch-Site: cross-site\r\n"), claim.clone(), 403),
        ("Content-Type: application/json\r\n".to_string(), claim.clone(), 415),
        (FORM.to_string(), form(&link, "do=claim").1, 422),
        (FORM.to_string(), form(&link, "do=explode&by=Dana").1, 422),
        (FORM.to_string(), form(&link, "do=close&by=Dana").1, 422),
        (FORM.to_string(), form(&link, "do=claim&by=Dana&reason=sent+with+the+enter+key").1, 422),
        (FORM.to_string(), form(&link, &format!("do=claim&by={}", "x".repeat(limits::PERSON_CHARS + 1))).1, 422),
        (FORM.to_string(), "x".repeat(1 << 20), 413),
        (FORM.to_string(), "%ff=%zz&&&=".to_string(), 403),
    ] {
        let answer = send(world.at, "POST", &path, &headers, body.as_bytes()).await;
        // one that is far too long is hung up on
        assert!(answer.0 == status || (status == 413 && answer.0 == 0), "{status} {headers} {} {}", answer.0, answer.2);
    }
    assert_eq!(send(world.at, "POST", &path, FORM, &[0xff; 20]).await.0, 400);
    assert_eq!(world.incidents().await, before.0);

    // links that are not ours, too old, of another incident, of another receiver
    let secret = world.db().meta("act_secret").unwrap().unwrap();
    let acts = Acts::new(&Secret::new(secret)).unwrap();
    let id = IncidentId::parse(incident["incident"].as_str().unwrap()).unwrap();
    let old = acts.path(id, "out", SystemClock.now() - limits::ACT_LINK - Span::seconds(60));
    let forgotten = acts.path(IncidentId(7), "out", SystemClock.now());
    let stranger = Acts::new(&Secret::new("another")).unwrap().path(id, "out", SystemClock.now());
    for (bad, status) in [
        (old, 410),
        (forgotten.clone(), 410),
        (stranger, 403),
        (link.replace(&id.full(), &IncidentId(7).full()), 403),
        (link.replace("r=out", "r=hook"), 403),
        (link.replace("e=1", "e=2"), 403),
        (link.split('?').next().unwrap().to_string() + "?", 403),
        ("/i/nonsense?r=out&e=1&s=x".to_string(), 403),
    ] {
        let (path, body) = form(&bad, "do=claim&by=Eve");
        let (seen, done) =
            (send(world.at, "GET", &bad, "", b"").await, send(world.at, "POST", &path, FORM, body.as_bytes()).await);
        assert_eq!((seen.0, done.0), (status, status), "{bad} {}", seen.2);
        assert!(!seen.2.contains("United") && !done.2.contains("United"), "{bad} tells of the incident");
    }
    assert_eq!((world.incidents().await, world.ledger()), (before.0, before.1));

    // its own form, by the name it was asked for or its own
    let own = format!("{FORM}Origin: http://{}\r\nHost: proxy.internal\r\n", world.at);
    let done = send(world.at, "POST", &path, &own, claim.as_bytes()).await;
    assert!(done.0 == 200 && done.2.contains("claimed by &lt;script&gt;alert(1)"), "{}", done.2);
    assert!(!done.2.contains("<script"), "{}", done.2);
    assert_eq!(world.incident().await["claimed"]["by"], "<script>alert(1)</script>");
    assert!(world.ledger().iter().any(|l| l.starts_with("claimed ")));

    // what was done outlives the program, and so does the link
    program.signal("KILL");
    program.ended().await;
    let program = world.run().await;
    assert_eq!(world.incident().await["claimed"]["by"], "<script>alert(1)</script>");
    assert!(program.lines().is_empty() && world.links(&program).is_empty(), "nobody is told again");
    let (path, close) = form(&link, "do=close&by=Dana&verdict=false_alarm&reason=an+old+story");
    let done = send(world.at, "POST", &path, FORM, close.as_bytes()).await;
    assert!(
        done.0 == 200 && done.2.contains("closed by Dana: a false alarm, an old story") && !done.2.contains("<button"),
        "{}",
        done.2
    );
    let done = send(world.at, "POST", &path, FORM, close.as_bytes()).await;
    assert!(done.0 == 409 && done.2.contains("which is over"), "{} {}", done.0, done.2);
    assert_eq!(world.incidents().await, Vec::<Json>::new());
    let all = world.get("/v1/incidents?all=1").await;
    assert_eq!(
        (&all["incidents"][0]["state"], &all["incidents"][0]["closed"]["by"]),
        (&json!("closed"), &json!("Dana"))
    );
    program.until("groundswell_incidents_open{severity=\"page\"}", 0.0).await;
    program.until("groundswell_incident_verdicts_total{alert=\"Three\",verdict=\"false_alarm\"}", 1.0).await;
    // it was claimed before the restart: that is not counted again
    assert_eq!(program.value("groundswell_incident_acknowledge_seconds_count{alert=\"Three\"}").await, Some(0.0));
    assert_eq!(program.value("groundswell_incident_pages_total{alert=\"Three\"}").await, Some(0.0));
    program.stop().await;
}

#[tokio::test]
async fn rights_say_who_may_act() {
    let (read, act, admin) = ("read-token-0123456789", "duty-token-0123456789", "admin-token-0123456789");
    let tokens = format!(
        "tokens: {{eyes: {{token: {read}}}, duty: {{token: {act}, may: act}}, ops: {{token: {admin}, may: admin}}}}\n"
    );
    let mut world = World::new(&tokens).await;
    let program = world.run().await;
    world.burst("united is late").await;
    let link = world.link(&program).await;
    let name = link.get(3..16).unwrap().to_string();
    let with = |token: &str| match token {
        "" => String::new(),
        _ => format!("Authorization: Bearer {token}\r\n"),
    };
    let (list, ack) = ("GET /v1/incidents".to_string(), format!("POST /v1/incidents/{name}/ack"));
    for (request, statuses) in [
        (&list, [401, 200, 200, 200, 403]),
        (&format!("GET /v1/incidents/{name}"), [401, 200, 200, 200, 403]),
        (&"GET /v1/silences".to_string(), [401, 200, 200, 200, 403]),
        (&"GET /v1/outbox".to_string(), [401, 200, 200, 200, 403]),
        (&ack, [401, 403, 200, 200, 403]),
        (&format!("POST /v1/incidents/{name}/claim"), [401, 403, 200, 200, 403]),
        (&"DELETE /v1/silences/1".to_string(), [401, 403, 404, 404, 403]),
        (&"POST /v1/outbox/1/drop".to_string(), [401, 403, 409, 409, 403]),
        (&"POST /v1/test".to_string(), [401, 403, 200, 200, 403]),
        (&"POST /v1/reload".to_string(), [401, 403, 403, 200, 403]),
    ] {
        for (token, status) in ["", read, act, admin, DESK].into_iter().zip(statuses) {
            let (method, path) = request.split_once(' ').unwrap();
            let answer = send(world.at, method, path, &with(token), b"").await;
            assert_eq!(answer.0, status, "{request} {token} {}", answer.2);
        }
    }
    // a page of a browser has no token; the link is all it needs
    let page = format!("Origin: http://{}\r\n", world.at);
    assert_eq!(send(world.at, "POST", &format!("/v1/incidents/{name}/ack"), &page, b"").await.0, 403);
    let (path, body) = form(&link, "do=ack&by=Dana");
    assert_eq!(send(world.at, "POST", &path, &(page + FORM), body.as_bytes()).await.0, 200);
    // who does not say who does it is called as the token
    assert_eq!(send(world.at, "POST", &format!("/v1/incidents/{name}/claim"), &with(act), b"").await.0, 200);
    let seen = send(world.at, "GET", &format!("/v1/incidents/{name}"), &with(read), b"").await.json();
    assert_eq!((&seen["claimed"]["by"], &seen["acknowledged"]["by"]), (&json!("duty"), &json!("Dana")));
    // commands take the token that fits
    assert!(world.said(&["incidents"]).contains("claimed by duty"));
    assert!(world.said(&["ack", &name]).contains("acknowledged by tester until its end"));
    let pager = send(world.at, "POST", "/v1/pagerduty/pd", "X-PagerDuty-Signature: v1=00\r\n", b"{}").await;
    assert_eq!(pager.0, 403, "{}", pager.2);
    program.stop().await;
}

#[tokio::test]
async fn a_silence_holds_back_and_its_end_tells() {
    let mut world = World::new("").await;
    let program = world.run().await;
    let wrong = world.command(&["silence", "add", "--brand", "uu", "--for", "2h", "--reason", "campaign"]);
    let err = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.status.code() == Some(1) && err.contains("found `uu`; did you mean `u`?"), "{err}");
    let said = world.said(&["silence", "add", "--brand", "u", "--for", "2h", "--reason", "our campaign"]);
    assert!(said.contains("silenced by tester until ") && said.contains("our campaign"), "{said}");
    let id = said.split_whitespace().nth(1).unwrap().trim_end_matches(':').to_string();
    assert!(world.said(&["silence", "list"]).contains(&format!("{id}  ")), "{}", world.said(&["silence", "list"]));
    program.until("groundswell_silences", 1.0).await;
    world.burst("united is late").await;
    let held = eventually("what is held", async || {
        let told = world.incident().await["told"].clone();
        told.as_array()?.iter().find_map(|t| t["held"].as_str().map(str::to_string))
    })
    .await;
    assert!(held.contains("silenced by tester"), "{held}");
    // what is not silenced is told at once, so what is silenced would have been
    world.burst("delta is late").await;
    eventually("delta", async || program.lines().contains("d").then_some(())).await;
    world.link(&program).await;
    assert!(!program.lines().contains("United"), "{}", program.lines());
    assert!(world.said(&["silence", "end", &id]).contains("ended by tester"));
    eventually("the page", async || program.lines().contains("United").then_some(())).await;
    assert_eq!(world.said(&["silence", "list"]), "no silences\n");
    let again = world.command(&["silence", "end", &id]);
    assert_eq!(again.status.code(), Some(1), "{again:?}");
    program.stop().await;
}

#[tokio::test]
async fn a_dead_letter_is_listed_and_sent_after_all() {
    let mut world = World::new("").await;
    let program = world.run().await;
    world.hook.answer(400);
    world.burst("united is late").await;
    let dead = eventually("a dead letter", async || {
        let all = world.get("/v1/outbox").await;
        all["letters"].as_array().unwrap().iter().find(|l| l["dead"].is_string()).cloned()
    })
    .await;
    assert!(dead["receiver"] == "hook" && dead["dead"].as_str().unwrap().contains("refused"), "{dead}");
    program.until("groundswell_dead_letters", 1.0).await;
    let shown = world.said(&["outbox", "list"]);
    assert!(shown.starts_with("ID ") && shown.contains("DEAD") && shown.contains("hook"), "{shown}");
    world.hook.answer(200);
    assert!(world.said(&["outbox", "retry", "--all"]).contains("is sent again"));
    eventually("the letter", async || (!world.hook.got().is_empty()).then_some(())).await;
    assert_eq!(world.hook.told()[0]["alert"], "Three");
    program.until("groundswell_dead_letters", 0.0).await;
    // one that is dropped is gone
    world.hook.answer(400);
    world.burst("delta is late").await;
    let id = eventually("another", async || {
        let all = world.get("/v1/outbox").await;
        all["letters"].as_array().unwrap().iter().find(|l| l["dead"].is_string())?["letter"].as_i64()
    })
    .await;
    assert!(world.said(&["outbox", "drop", &id.to_string()]).contains("is dropped"));
    assert!(!world.said(&["outbox", "list"]).contains("DEAD"));
    assert_eq!(world.command(&["outbox", "drop", &id.to_string()]).status.code(), Some(1));
    assert_eq!(world.said(&["outbox", "retry", "--all"]), "no dead messages\n");
    program.until("groundswell_orders_total{order=\"drop\",result=\"refused\"}", 1.0).await;
    program.stop().await;
}

#[tokio::test]
async fn hostile_requests_are_refused_and_every_mistake_is_told() {
    let mut world = World::new("").await;
    let program = world.run().await;
    world.burst("united is late").await;
    let incident = world.incident().await;
    let name = incident["code"].as_str().unwrap().to_string();
    let path = format!("/v1/incidents/{name}/ack");
    let json_type = "Content-Type: application/json\r\n";
    let deep = "[".repeat(10_000);
    let nested = format!("{{\"by\":{}", "{\"a\":".repeat(3000));
    for (body, status) in [
        (deep.as_bytes(), 400),
        (nested.as_bytes(), 400),
        (b"nonsense", 400),
        (b"[]", 400),
        (b"\"Dana\"", 400),
        (&[0xff, 0xfe], 400),
        (b"{\"by\":\"a\\u001b[31m\"}", 400),
        (b"{\"by\":{\"a\":1},\"for\":7}", 400),
        (b"{\"for\":\"1000d\"}", 400),
    ] {
        let answer = send(world.at, "POST", &path, json_type, body).await;
        assert_eq!(answer.0, status, "{:?} {}", String::from_utf8_lossy(body).get(..40), answer.2);
    }
    let long = send(world.at, "POST", &path, json_type, &vec![b' '; 1 << 20]).await;
    assert!(long.0 == 413 || long.0 == 0, "{}", long.0);
    assert_eq!(send(world.at, "POST", &path, "Content-Type: text/plain\r\n", b"{}").await.0, 415);
    assert_eq!(world.post("/v1/incidents/ZZZZ/ack", json!({})).await.0, 404);
    assert_eq!(world.post(&format!("/v1/incidents/{name}/explode"), json!({})).await.0, 404);
    assert_eq!(world.post("/v1/incidents/%00%ff/ack", json!({})).await.0, 400);
    assert_eq!(send(world.at, "GET", "/v1/incidents?all=yes", "", b"").await.0, 400);
    assert_eq!(world.post("/v1/test", json!({ "receiver": "nobody" })).await.0, 409);
    let all = world.post("/v1/silences", json!({ "reason": 7, "fro": "1h", "labels": [], "severity": "loud" })).await;
    let mistakes: Vec<String> = serde_json::from_value(all.json()["mistakes"].clone()).unwrap();
    assert!(all.0 == 400 && mistakes.len() == 6, "{mistakes:#?}");
    assert!(mistakes.iter().any(|m| m.contains("did you mean `for`?")), "{mistakes:#?}");
    assert_eq!(world.incidents().await, [incident], "nothing was done");
    // names that are markup are a name like any other
    let done = world.post(&path, json!({ "by": "<script>", "for": "2h" })).await;
    assert!(done.0 == 200 && done.json()["done"].as_str().unwrap().contains("by <script> until 2"), "{}", done.2);
    program.stop().await;
}

#[tokio::test]
async fn commands_act_and_say_what_came_of_it() {
    let mut world = World::new("").await;
    let alone = world.command(&["incidents"]);
    let err = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(alone.status.code() == Some(1) && err.contains("is it running (groundswell run)?"), "{err}");
    let program = world.run().await;
    assert!(world.said(&["incidents"]).starts_with("no open incidents"));
    world.burst("united is late").await;
    let code = world.incident().await["code"].as_str().unwrap().to_string();
    let listed = world.said(&["incidents"]);
    assert!(listed.starts_with("ID ") && listed.contains(&code) && listed.contains("United: three"), "{listed}");
    assert!(!listed.contains('\x1b'), "no colours in a pipe");
    assert!(world.said(&["ack", &code.to_lowercase(), "--for", "1h"]).contains("acknowledged by tester until 2"));
    assert!(world.said(&["incidents"]).contains("acknowledged by tester"));
    assert!(world.said(&["claim", &code, "--by", "Dana"]).contains("claimed by Dana"));
    program.until("groundswell_incident_acknowledge_seconds_count{alert=\"Three\"}", 1.0).await;
    program.until("groundswell_incident_pages_total{alert=\"Three\"}", 1.0).await;
    assert!(
        program
            .value("groundswell_incident_open_since_timestamp_seconds{brand=\"u\",severity=\"page\"}")
            .await
            .is_some()
    );
    let seen: Json = serde_json::from_str(&world.said(&["incidents", "--json"])).unwrap();
    assert_eq!(seen["incidents"][0]["claimed"]["by"], "Dana");
    assert!(world.said(&["send-test", "hook"]).contains("a trial is on its way to hook"));
    eventually("the trial", async || world.hook.told().iter().any(|t| t["alert"] == "Test").then_some(())).await;
    assert!(
        world
            .said(&["close", &code, "--verdict", "real", "--reason", "x"])
            .contains("closed by tester: a real case, x")
    );
    assert!(world.said(&["incidents", "--all"]).contains("closed by tester"));
    for (args, status) in [
        (vec!["ack", &code], 1),
        (vec!["ack", "ZZZZ"], 1),
        (vec!["ack", "../x"], 2),
        (vec!["close", &code], 2),
        (vec!["close", &code, "--verdict", "maybe", "--reason", "x"], 2),
        (vec!["silence", "add", "--for", "1h", "--reason", "x"], 2),
        (vec!["outbox", "retry"], 2),
        (vec!["send-test", "nobody"], 1),
    ] {
        assert_eq!(world.command(&args).status.code(), Some(status), "{args:?}");
    }
    program.stop().await;
}
