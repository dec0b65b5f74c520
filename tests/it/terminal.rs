//! What a new user sees: `watch`, `status` and `init`, as programs.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use axum::Router;
use axum::extract::RawQuery;
use axum::routing::get;
use futures_util::SinkExt;
use groundswell::app::config::{Config, Right, SourceConfig, Token};
use groundswell::base::model::{SourceInfo, WireFormat};
use groundswell::base::secret::Secret;
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

use crate::live::{HASTE, Live, accept, config, frame, jetstream, rules_of};

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groundswell"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("GROUNDSWELL_TOKEN");
    command
}

fn run(args: &[&str]) -> Output {
    program(args).output().unwrap()
}

/// The same, while servers in this process go on.
async fn run_beside(args: &[&str]) -> Output {
    let mut command = program(args);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn repost(id: u32, of: u32) -> String {
    let record = format!(r#"{{"subject":{{"uri":"at://did:plc:a{of}/app.bsky.feed.post/k{of}","cid":"c"}}}}"#);
    let frame = frame(id, "x").replace("app.bsky.feed.post", "app.bsky.feed.repost");
    let (head, _) = frame.split_once("\"record\":").unwrap();
    format!("{head}\"record\":{record},\"cid\":\"c\"}}}}")
}

/// An AppView that knows the accounts a1 only.
async fn appview() -> SocketAddr {
    let answer = |RawQuery(query): RawQuery| async move {
        let known = query.unwrap_or_default().split('&').any(|q| q == "actors=did:plc:a1");
        let profiles =
            if known { r#"{"did":"did:plc:a1","handle":"big.example","followersCount":640000}"# } else { "" };
        format!(r#"{{"profiles":[{profiles}]}}"#)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().route("/xrpc/app.bsky.actor.getProfiles", get(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

/// What `watch united` says while a server sends these frames.
async fn watch(more: &[&str], frames: &[String]) -> Output {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/subscribe", listener.local_addr().unwrap());
    let frames = frames.to_vec();
    tokio::spawn(async move {
        let mut ws = accept(&listener, &Arc::default()).await;
        for frame in frames {
            ws.send(Message::text(frame)).await.unwrap();
        }
        // stays open: whoever listens ends by itself
        std::future::pending::<()>().await;
    });
    // the time only ends what would go on for ever
    run_beside(&[&["watch", "united", "--url", &url, "--for", "30s"], more].concat()).await
}

fn story() -> Vec<String> {
    vec![
        frame(9, "of something else"),
        frame(1, r"united \u001b[2J\u0007\u202elied,\nthis is terrible and shameful"),
        repost(2, 1),
        frame(3, "thank you united, wonderful people, great and lovely flight"),
        frame(4, "united ist da").replace("\"en\"", "\"de\""),
    ]
}

#[tokio::test]
async fn mentions_are_lines_with_tone_and_followers_and_a_sum_at_the_end() {
    let audience = format!("http://{}", appview().await);
    let out = watch(&["--audience", &audience, "--limit", "4", "--links"], &story()).await;
    let (shown, said) = (text(&out.stdout), text(&out.stderr));
    assert!(out.status.success(), "{said}");
    assert!(shown.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{shown:?}");
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 4, "{shown}");
    let first = lines[0].get(9..).unwrap();
    assert!(first.starts_with("neg 0.") && first.contains("  640k @big.example "), "{shown}");
    assert!(
        lines[0]
            .ends_with(" united [2Jlied, this is terrible and shameful https://bsky.app/profile/did:plc:a1/post/k1")
    );
    assert!(lines[1].contains(" repost of @big.example: united [2Jlied, this"), "{shown}");
    assert!(lines[1].contains(" ~") && lines[1].contains(" did:plc:a2 "), "{shown}");
    assert!(lines[2].contains(" pos 0.0") && lines[3].contains(" tone ?"), "{shown}");
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said[0], "5 frames, 4 mentions: 2 negative, 1 positive, 1 unknown");
    assert!(said[1].starts_with("4 accounts, 1 with known followers; reach "), "{said:?}");
    assert!(said[2].contains(" reach  @big.example 640k followers, negative: united [2Jlied"), "{said:?}");
    assert_eq!(said.len(), 5, "{said:?}");
}

#[tokio::test]
async fn mentions_are_json_for_programs() {
    let out = watch(&["--audience", "off", "--limit", "4", "--json"], &story()).await;
    let shown = text(&out.stdout);
    assert!(!shown.contains(|c: char| c != '\n' && c.is_control()), "{shown:?}");
    let lines: Vec<Json> = shown.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let of = |key: &str| lines.iter().map(|l| l[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("kind"), ["post", "repost", "post", "post"]);
    assert_eq!(of("tone"), ["negative", "negative", "positive", "unknown"]);
    assert_eq!((&lines[0]["followers"], &lines[0]["followers_known"]), (&300.into(), &false.into()));
    assert_eq!((&lines[0]["reach"], &lines[0]["author"]), (&45.into(), &"did:plc:a1".into()));
    assert_eq!(lines[1]["story"], lines[0]["story"]);
    let keys =
        "time kind author author_name followers followers_known reach negativity tone causes lang text url story";
    assert!(lines.iter().all(|l| keys.split(' ').all(|k| l.get(k).is_some())), "{shown}");
}

#[tokio::test]
async fn only_what_is_asked_for_is_shown() {
    let german = frame(5, "united ist toll").replace("\"en\"", "\"de\"");
    let frames = [story(), vec![german, frame(6, "united is a disgrace, the worst and awful")]].concat();
    let out = watch(&["--audience", "off", "--limit", "3", "--hostile"], &frames).await;
    let shown = text(&out.stdout);
    assert!(shown.lines().count() == 3 && shown.lines().all(|l| l.contains(" neg ")), "{shown}");
    let out = watch(&["--audience", "off", "--limit", "2", "--lang", "de"], &frames).await;
    assert!(text(&out.stdout).contains("united ist toll"), "{}", text(&out.stdout));
    assert!(text(&out.stderr).contains(" 2 mentions: "), "{}", text(&out.stderr));
}

#[test]
fn a_watch_that_cannot_begin_says_why() {
    let out = run(&["watch", "united", "--url", "ws://127.0.0.1:1/a", "--url", "ws://127.0.0.1:1/b", "--for", "2s"]);
    let said = text(&out.stderr);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(1), 0));
    let wanted = "error: expected a server that can be reached, found none\n  tried: ws://127.0.0.1:1/a\n  tried: ws://127.0.0.1:1/b\n  last answer: ";
    assert!(said.contains(wanted) && said.contains("refused") && said.contains("\n  hint: "), "{said}");
    assert!(said.contains("WARN source cannot be reached, trying again"), "{said}");
    for (query, wanted) in [
        ("a OR", "error: query:1:5: expected a term"),
        ("NOT a", "error: query:1:1: expected a query that needs at least one term"),
    ] {
        let out = run(&["watch", query]);
        assert_eq!(out.status.code(), Some(1));
        assert!(text(&out.stderr).starts_with(wanted), "{}", text(&out.stderr));
    }
    assert_eq!(run(&["watch", "a", "--url", "https://x.example"]).status.code(), Some(2));
    assert_eq!(run(&["watch", "a", "--audience", "on"]).status.code(), Some(2));
}

/// A service whose source `bluesky` is heard, with others that are not.
async fn service(others: &[&str], change: impl FnOnce(&mut Config)) -> Live {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut sources = vec![jetstream(&[listener.local_addr().unwrap()], None)];
    for name in others {
        let info = Arc::new(SourceInfo { name: (*name).into(), format: WireFormat::Jetstream });
        sources.push(SourceConfig { info, ..jetstream(&["127.0.0.1:1".parse().unwrap()], None) });
    }
    let mut config = config(sources);
    change(&mut config);
    let rules = "brands: {u: {query: united}}\nrules:\n  - {alert: Three, when: 'mentions[1h] >= 3', severity: page}\n  - {alert: Rare, when: 'rarity(mentions) >= 9d', severity: warn}\n";
    let live = Live::with(config, rules_of(rules), HASTE).await;
    tokio::spawn(async move {
        loop {
            let mut ws = accept(&listener, &Arc::default()).await;
            tokio::spawn(async move { while let Some(Ok(_)) = futures_util::StreamExt::next(&mut ws).await {} });
        }
    });
    live.metric("groundswell_source_up{source=\"bluesky\"} 1").await;
    live
}

#[tokio::test]
async fn a_service_tells_how_it_fares() {
    let live = service(&[], |_| ()).await;
    let url = format!("http://{}", live.service.address);
    let out = run_beside(&["status", "--url", &url, "--all"]).await;
    let shown = text(&out.stdout);
    assert!(out.status.success() && shown.starts_with("READY  groundswell "), "{shown}{}", text(&out.stderr));
    assert!(shown.contains("\nrules       2 for 1 brand: 1 filling, 1 silent, 0 open episodes\n"), "{shown}");
    assert!(shown.contains("\n  Rare                     silent   for 2h more, 1 key\n"), "{shown}");
    assert!(shown.contains("\n  Three                    filling  windows whole in 1h\n"), "{shown}");
    assert!(shown.contains("\n  bluesky ") && !shown.contains('\x1b'), "{shown}");
    live.service.stop().await.unwrap();

    let live = service(&["forum"], |_| ()).await;
    live.metric("groundswell_source_connects_total{result=\"failed\",source=\"forum\"}").await;
    let url = format!("http://{}", live.service.address);
    let out = run_beside(&["status", "--url", &url]).await;
    let shown = text(&out.stdout);
    assert_eq!(out.status.code(), Some(1), "{shown}");
    assert!(shown.starts_with("NOT READY  groundswell ") && shown.contains("\n  - source forum: "), "{shown}");
    assert!(
        shown.contains("\nsources     1 of 2 heard\n") && shown.contains("    why: IO error: Connection refused"),
        "{shown}"
    );
    assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");
    let json = run_beside(&["status", "--url", &url, "--json"]).await;
    let json: Json = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["ready"], &json["sources"][1]["name"]), (&false.into(), &"forum".into()));
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_token_is_taken_from_config_and_environment() {
    let secret = "only-for-reading-1234";
    let token = |c: &mut Config| {
        c.tokens = vec![Token { name: "eyes".into(), secret: Secret::new(secret), may: vec![Right::Read] }];
    };
    let live = service(&[], token).await;
    let url = format!("http://{}", live.service.address);
    for (more, wanted) in
        [(&[][..], "it asks for a token"), (&["--token", "wrong-wrong-wrong"], "does not take this token")]
    {
        let out = run_beside(&[&["status", "--url", &url], more].concat()).await;
        let said = text(&out.stderr);
        assert!(out.status.code() == Some(1) && said.contains(wanted) && said.contains("GROUNDSWELL_TOKEN"), "{said}");
        assert!(!said.contains("wrong-wrong"), "{said}");
    }
    let mut command = program(&["status", "--url", &url]);
    command.env("GROUNDSWELL_TOKEN", secret);
    let out = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("groundswell.yaml");
    let written = format!(
        "listen: {}\ntokens: {{eyes: {{token: {secret}, may: read}}}}\nsources: {{b: {{type: jetstream, hosts: [x.example]}}}}\n",
        live.service.address
    );
    std::fs::write(&config, written).unwrap();
    let out = run_beside(&["status", "-c", &config.display().to_string()]).await;
    assert!(out.status.success(), "{}", text(&out.stderr));
    live.service.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_not_there_is_told_with_a_hint() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new()).await });
    let url = format!("http://{other}");
    for (url, wanted) in [("http://127.0.0.1:1", "Connection refused"), (url.as_str(), "the answer 404 Not Found")] {
        let out = run_beside(&["status", "--url", url]).await;
        let said = text(&out.stderr);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(1), 0));
        assert!(
            said.starts_with(&format!("error: expected the state of a service at {url}, found {wanted}")),
            "{said}"
        );
        assert!(said.contains("\n  hint: is it "), "{said}");
    }
    assert_eq!(run(&["status", "--url", "nonsense"]).status.code(), Some(2));
    assert_eq!(run(&["status", "-c", "none.yaml", "--url", "http://x"]).status.code(), Some(2));
    let out = run(&["status", "-c", "/nowhere/groundswell.yaml"]);
    assert!(out.status.code() == Some(1) && text(&out.stderr).contains("/nowhere/groundswell.yaml"));
}

fn at(dir: &Path, name: &str) -> String {
    dir.join(name).display().to_string()
}

#[test]
fn what_init_writes_is_sound_and_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let new = at(dir.path(), "a folder/of mine");
    let args = ["init", &new, "--brand", "It's \"Acme\": #1", "--query", "'acme\" corp OR \"it''s: #acme\" OR #acme"];
    let bad = run(&args);
    assert_eq!((bad.status.code(), Path::new(&new).exists()), (Some(1), false), "{}", text(&bad.stderr));
    assert!(text(&bad.stderr).contains("error: query:1:"), "{}", text(&bad.stderr));
    let args = ["init", &new, "--brand", "It's \"Acme\": #1", "--query", "\"it's: acme\" OR #acme"];
    let out = run(&args);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let said = text(&out.stdout);
    assert!(
        said.ends_with(&format!(
            "\n  groundswell check '{new}'\n  groundswell test '{new}'\n  groundswell run -c '{new}/groundswell.yaml'\n"
        )),
        "{said}"
    );
    let check = run(&["check", &new]);
    assert!(check.status.success() && check.stderr.is_empty(), "{}", text(&check.stderr));
    assert!(text(&check.stdout).ends_with("fine: 1 brands, 10 rules\n"), "{}", text(&check.stdout));
    for file in ["groundswell.yaml", "rules/brands.yaml"] {
        let path = Path::new(&new).join(file);
        let first = std::fs::read_to_string(&path).unwrap().lines().next().unwrap().to_string();
        let schema = first.strip_prefix("# yaml-language-server: $schema=").unwrap();
        let schema = std::fs::read(path.parent().unwrap().join(schema)).unwrap();
        assert!(serde_json::from_slice::<Json>(&schema).unwrap()["properties"].is_object());
    }
    let brands = at(Path::new(&new), "rules/brands.yaml");
    std::fs::write(&brands, "mine").unwrap();
    std::fs::remove_file(at(Path::new(&new), "README.md")).unwrap();
    let again = run(&["init", &new]);
    assert!(again.status.code() == Some(1) && again.stdout.is_empty());
    let said = text(&again.stderr);
    assert!(said.contains(&format!("\n  {brands}\n")) && said.contains("--force"), "{said}");
    assert!(!said.contains("README.md") && !Path::new(&new).join("README.md").exists(), "{said}");
    assert_eq!(std::fs::read_to_string(&brands).unwrap(), "mine");
    assert!(run(&["init", &new, "--force"]).status.success() && run(&["check", &new]).status.success());
    assert_eq!(run(&["init", &new, "--query", "x"]).status.code(), Some(2));
    assert_eq!(run(&["init", &new, "--brand", "a\nb"]).status.code(), Some(2));
}

#[test]
fn init_fills_an_empty_folder_where_it_stands() {
    let dir = tempfile::tempdir().unwrap();
    let out = program(&["init"]).current_dir(dir.path()).output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert!(
        text(&out.stdout).ends_with("\n  groundswell check\n  groundswell test\n  groundswell run\n"),
        "{}",
        text(&out.stdout)
    );
    let check = program(&["check"]).current_dir(dir.path()).output().unwrap();
    assert!(check.status.success() && check.stderr.is_empty(), "{}", text(&check.stderr));
    let file = at(dir.path(), "groundswell.yaml");
    assert_eq!(run(&["init", &file]).status.code(), Some(1), "a file is no folder");
}
