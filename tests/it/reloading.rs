//! Reloads of the running program: by signal, by changed files of all kinds, by the API.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use groundswell::app::clock::{Clock, SystemClock};
use groundswell::base::limits;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::Message;

use crate::live::{accept, ask, frame, frame_at};
use crate::program::{Program, eventually};

const BRANDS: &str = "brands: {u: {query: united}}\n";
const OK: &str = "groundswell_last_reload_successful";
const MENTIONS: &str = "groundswell_frames_total{outcome=\"mention\",source=\"bluesky\"}";

fn count(alert: &str, n: u32) -> String {
    format!("rules:\n  - {{alert: {alert}, when: 'mentions[1h] >= {n}', severity: page}}\n")
}

fn source(at: SocketAddr) -> String {
    format!("{{type: jetstream, url: 'ws://{at}/subscribe', compress: false, audience: off}}")
}

fn config(sources: &str, more: &str) -> String {
    format!(
        "listen: 127.0.0.1:0\nrules: [rules]\nsources: {{{sources}}}\nreceivers: {{out: {{type: stdout, format: json}}}}\n{more}"
    )
}

/// A folder with a config of these sources and one rule.
fn folder(config: &str, rule: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    write(&dir, "groundswell.yaml", config);
    write(&dir, "rules/b.yaml", BRANDS);
    write(&dir, "rules/r.yaml", rule);
    dir
}

fn write(dir: &tempfile::TempDir, name: &str, text: &str) {
    std::fs::write(dir.path().join(name), text).unwrap();
}

async fn run(dir: &tempfile::TempDir) -> Program {
    Program::run(&dir.path().join("groundswell.yaml")).await
}

/// A server that tells whatever it is given to whoever is connected, and notes what was asked for.
async fn server() -> (SocketAddr, UnboundedSender<String>, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (to, mut say) = unbounded_channel::<String>();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = asked.clone();
    tokio::spawn(async move {
        loop {
            let mut ws = accept(&listener, &noted).await;
            loop {
                tokio::select! {
                    text = say.recv() => match text {
                        Some(text) => ws.send(Message::text(text)).await.unwrap(),
                        None => return,
                    },
                    heard = ws.next() => if !matches!(heard, Some(Ok(_))) { break },
                }
            }
        }
    });
    (address, to, asked)
}

/// How often files were read again, whatever came of it.
async fn reloads(p: &Program, result: &str) -> f64 {
    p.value(&format!("groundswell_reloads_total{{result=\"{result}\"}}")).await.unwrap_or(0.0)
}

#[tokio::test]
async fn changed_files_are_noticed_however_they_are_changed() {
    let (address, say, _) = server().await;
    let dir = folder(&config(&format!("bluesky: {}", source(address)), ""), &count("First", 1000));
    let p = run(&dir).await;
    for id in 0..3 {
        say.send(frame(id, "united")).unwrap();
    }
    p.until(MENTIONS, 3.0).await;
    // each rule holds already: that it fires shows that it is in force, with all that was counted
    write(&dir, "rules/r.yaml", &count("InPlace", 3));
    assert_eq!(p.fired("InPlace").await, 3.0);
    write(&dir, "rules/.r.yaml.swp", &count("Renamed", 3));
    std::fs::rename(dir.path().join("rules/.r.yaml.swp"), dir.path().join("rules/r.yaml")).unwrap();
    assert_eq!(p.fired("Renamed").await, 3.0);
    write(&dir, "rules/more.yaml", &count("Added", 2));
    assert_eq!(p.fired("Added").await, 3.0);
    std::fs::remove_file(dir.path().join("rules/more.yaml")).unwrap();
    let ended = |t: &serde_json::Value| t["alert"] == "Added" && t["to"] == "resolved";
    eventually("the end of a rule that is gone", async || p.told().iter().any(ended).then_some(())).await;
    p.stop().await;
}

#[tokio::test]
async fn a_signal_and_the_api_reload() {
    let (address, say, _) = server().await;
    let dir = folder(&config(&format!("bluesky: {}", source(address)), ""), &count("First", 1000));
    let p = run(&dir).await;
    for id in 0..3 {
        say.send(frame(id, "united")).unwrap();
    }
    p.until(MENTIONS, 3.0).await;
    let request = "POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let reload = async || ask(p.address, request).await;
    assert_eq!(reload().await, (200, "{\"reloaded\":\"nothing changed\"}\n".to_string()));
    let before = reloads(&p, "unchanged").await;
    p.signal("HUP");
    eventually("a reload", async || (reloads(&p, "unchanged").await > before).then_some(())).await;
    write(&dir, "rules/r.yaml", &count("Asked", 3));
    let (status, said) = reload().await;
    // changed files are noticed by themselves too: one of the two found them
    assert!(status == 200 && (said.contains("are in force") || said.contains("nothing changed")), "{said}");
    assert_eq!(p.fired("Asked").await, 3.0);
    write(&dir, "rules/r.yaml", "rules: [{alert: x}]\n");
    let (status, said) = reload().await;
    assert!(status == 422 && said.contains("r.yaml:1:9") && said.contains("what was in force stays"), "{said}");
    p.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_volume_of_a_cluster_is_swapped_by_its_link() {
    use std::os::unix::fs::symlink;
    let (address, say, _) = server().await;
    let dir = tempfile::tempdir().unwrap();
    // rules/r.yaml -> ..data/r.yaml, and ..data -> a folder that is exchanged
    let rules = dir.path().join("rules");
    let fill = |name: &str, rule: &str| {
        std::fs::create_dir_all(rules.join(name)).unwrap();
        std::fs::write(rules.join(name).join("r.yaml"), rule).unwrap();
        std::fs::write(rules.join(name).join("b.yaml"), BRANDS).unwrap();
    };
    fill("..2026_1", &count("First", 1000));
    symlink("..2026_1", rules.join("..data")).unwrap();
    for name in ["r.yaml", "b.yaml"] {
        symlink(Path::new("..data").join(name), rules.join(name)).unwrap();
    }
    write(&dir, "groundswell.yaml", &config(&format!("bluesky: {}", source(address)), ""));
    let p = run(&dir).await;
    for id in 0..3 {
        say.send(frame(id, "united")).unwrap();
    }
    p.until(MENTIONS, 3.0).await;
    for (old, new, alert) in [("..2026_1", "..2026_2", "Second"), ("..2026_2", "..2026_3", "Third")] {
        fill(new, &count(alert, 3));
        symlink(new, rules.join("..data_tmp")).unwrap();
        std::fs::rename(rules.join("..data_tmp"), rules.join("..data")).unwrap();
        std::fs::remove_dir_all(rules.join(old)).unwrap();
        assert_eq!(p.fired(alert).await, 3.0);
    }
    p.stop().await;
}

#[tokio::test]
async fn files_with_mistakes_change_nothing() {
    let (address, say, _) = server().await;
    let good = config(&format!("bluesky: {}", source(address)), "");
    let dir = folder(&good, &count("Old", 3));
    let p = run(&dir).await;
    p.until(OK, 1.0).await;
    say.send(frame(1, "united")).unwrap();
    p.until(MENTIONS, 1.0).await;
    write(&dir, "rules/r.yaml", "rules: [{alert: x}]\n");
    p.until(OK, 0.0).await;
    // the config as well; also one that is fine but for its address
    write(&dir, "groundswell.yaml", &good.replace("jetstream", "jetsteram"));
    write(&dir, "rules/r.yaml", &count("New", 3));
    let before = reloads(&p, "failed").await;
    p.signal("HUP");
    eventually("a failure", async || (reloads(&p, "failed").await > before).then_some(())).await;
    p.until(OK, 0.0).await;
    write(&dir, "groundswell.yaml", &good.replace("127.0.0.1:0", "127.0.0.1:1"));
    let api = "POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let (status, said) = ask(p.address, api).await;
    assert!(status == 422 && said.contains("restart the service"), "{said}");
    say.send(frame(2, "united")).unwrap();
    say.send(frame(3, "united")).unwrap();
    assert_eq!(p.fired("Old").await, 3.0, "what was in force goes on");
    assert!(p.told().iter().all(|t| t["alert"] != "New"));
    write(&dir, "groundswell.yaml", &good);
    assert_eq!(p.fired("New").await, 3.0);
    p.until(OK, 1.0).await;
    p.stop().await;
}

#[tokio::test]
async fn the_same_mistakes_are_logged_once_and_their_end_too() {
    let (address, _say, _) = server().await;
    let dir = folder(&config(&format!("bluesky: {}", source(address)), ""), &count("Old", 3));
    let p = run(&dir).await;
    p.until(OK, 1.0).await;
    write(&dir, "rules/r.yaml", "rules: [{alert: x}]\n");
    p.logged("the files have mistakes").await;
    for _ in 0..3 {
        let before = reloads(&p, "failed").await;
        write(&dir, "rules/r.yaml", "rules: [{alert: x}]\n");
        eventually("a failure", async || (reloads(&p, "failed").await > before).then_some(())).await;
    }
    assert_eq!(p.log().matches("the files have mistakes").count(), 1, "{}", p.log());
    write(&dir, "rules/r.yaml", &count("Old", 3));
    p.logged("the files are sound again").await;
    p.stop().await;
}

#[tokio::test]
async fn sources_are_added_changed_and_removed() {
    let ((at_a, a, _), (at_b, b, asked_b), (at_c, c, _)) = (server().await, server().await, server().await);
    let one = format!("bluesky: {}", source(at_a));
    let dir = folder(&config(&one, ""), &count("Four", 4));
    let p = run(&dir).await;
    let last = SystemClock.now().0 - 1_000_000;
    a.send(frame_at(1, "united", last)).unwrap();
    p.until(MENTIONS, 1.0).await;
    write(&dir, "groundswell.yaml", &config(&format!("{one}, second: {}", source(at_c)), ""));
    c.send(frame(2, "united")).unwrap();
    p.until("groundswell_frames_total{outcome=\"mention\",source=\"second\"}", 1.0).await;
    // another server for the first: it goes on where the old one was
    write(&dir, "groundswell.yaml", &config(&format!("bluesky: {}, second: {}", source(at_b), source(at_c)), ""));
    eventually("the new server", async || (!asked_b.lock().unwrap().is_empty()).then_some(())).await;
    let wanted = format!("cursor={}", last - limits::RESUME_OVERLAP.0);
    assert!(asked_b.lock().unwrap()[0].ends_with(&wanted), "{asked_b:?}");
    b.send(frame_at(1, "united", last)).unwrap();
    b.send(frame(3, "united")).unwrap();
    p.until("groundswell_frames_total{outcome=\"duplicate\",source=\"bluesky\"}", 1.0).await;
    write(&dir, "groundswell.yaml", &config(&format!("bluesky: {}", source(at_b)), ""));
    p.logged("source second removed").await;
    assert_eq!(p.value("groundswell_source_up{source=\"second\"}").await, None);
    assert_eq!(p.value("groundswell_source_frames_per_second{over=\"now\",source=\"second\"}").await, None);
    b.send(frame(4, "united")).unwrap();
    assert_eq!(p.fired("Four").await, 4.0, "what the source that is gone has told counts on");
    assert!(asked_b.lock().unwrap().len() == 1, "the others were left alone");
    p.stop().await;
}

#[tokio::test]
async fn receivers_follow_the_config() {
    use axum::routing::post;
    let got: Arc<Mutex<Vec<String>>> = Arc::default();
    let to = got.clone();
    let hook = axum::Router::new().route(
        "/hook",
        post(async move |body: String| {
            to.lock().unwrap().push(body);
            "ok"
        }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, hook).await });
    let (address, say, _) = server().await;
    let sources = format!("bluesky: {}", source(address));
    let plain = config(&sources, "");
    let dir = folder(
        &plain,
        &(count("One", 1) + &count("Two", 2).replace("rules:\n", "") + &count("Three", 3).replace("rules:\n", "")),
    );
    let p = run(&dir).await;
    say.send(frame(1, "united")).unwrap();
    p.fired("One").await;
    assert!(got.lock().unwrap().is_empty());
    let both = plain.replace("receivers: {", &format!("receivers: {{hook: {{type: webhook, url: '{url}'}}, "));
    write(&dir, "groundswell.yaml", &both);
    p.logged("receivers and routes changed").await;
    say.send(frame(2, "united")).unwrap();
    p.fired("Two").await;
    eventually("the webhook", async || got.lock().unwrap().first().map(|b| assert!(b.contains("\"Two\"")))).await;
    // everything to the webhook now
    write(&dir, "groundswell.yaml", &(both + "routes: [{to: hook}]\n"));
    eventually("routes", async || (p.log().matches("receivers and routes changed").count() == 2).then_some(())).await;
    say.send(frame(3, "united")).unwrap();
    eventually("the webhook", async || got.lock().unwrap().get(1).map(|b| assert!(b.contains("\"Three\"")))).await;
    assert!(p.told().iter().all(|t| t["alert"] != "Three"));
    p.until("groundswell_notices_total{receiver=\"hook\",result=\"delivered\"}", 2.0).await;
    p.stop().await;
}

#[tokio::test]
async fn a_steady_stream_loses_nothing_to_reloads() {
    const ALL: u32 = 3000;
    let (address, say, _) = server().await;
    let rule = |k: u32| count("All", ALL) + &count(&format!("Other{k}"), 100_000 + k).replace("rules:\n", "");
    let dir = folder(&config(&format!("bluesky: {}", source(address)), ""), &rule(0));
    let p = run(&dir).await;
    let mut sent = 0;
    let mut tell = |n: u32| {
        for _ in 0..n.min(ALL - 1 - sent) {
            say.send(frame(sent, &format!("united post number {sent}"))).unwrap();
            sent += 1;
        }
    };
    tell(100);
    for k in 1..5 {
        write(&dir, "rules/r.yaml", &rule(k));
        eventually("other rules", async || {
            tell(9);
            let reloaded = p.log().matches("are in force (the engine paused").count();
            (reloaded >= k as usize).then_some(())
        })
        .await;
    }
    tell(ALL);
    p.until(MENTIONS, f64::from(ALL - 1)).await;
    assert!(p.told().is_empty(), "one that was counted twice would have fired: {:?}", p.told());
    say.send(frame(ALL, "united at last")).unwrap();
    assert_eq!(p.fired("All").await, f64::from(ALL));
    p.until(MENTIONS, f64::from(ALL)).await;
    p.stop().await;
}

#[tokio::test]
async fn what_needs_a_restart_is_refused() {
    let live = "b: {type: push, token: 0123456789abcdef}";
    let dir = folder(&config(live, "store: off\n"), &count("A", 2));
    write(&dir, "day.ndjson", "{}\n");
    let program = run(&dir).await;
    for (sources, more, words) in [
        (live, "store: {path: other.db}\n", "expected `store` off as before, found it at "),
        ("b: {type: recording, path: day.ndjson}", "store: off\n", "found a recording instead"),
    ] {
        write(&dir, "groundswell.yaml", &config(sources, more));
        program.logged(words).await;
        program.until(OK, 0.0).await;
    }
    write(&dir, "groundswell.yaml", &config(live, "store: off\ntimezone: Europe/Berlin\n"));
    program.until(OK, 1.0).await;
    program.stop().await;
}
