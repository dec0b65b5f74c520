//! The program as a user runs it: exit status, streams, contracts that other tools rely on.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_groundswell"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

const BRAND: &str = "brands: {united: {query: united}}\n";
const RULE: &str = "rules:\n  - {alert: Spreading, by: [brand, story], when: 'shares[10m] >= 2', severity: page}\n";

#[test]
fn replay_keeps_its_contract() {
    let posts = (0..6).map(|k| match k {
        0 => r#"{"id":"x1","source":"net","author":"a","text":"united lies","time":"2026-07-04T08:00:00Z"}"#.to_string(),
        k => format!(r#"{{"id":"s{k}","source":"net","author":"f{k}","text":"","kind":"repost","parent":"x1","time":"2026-07-04T08:00:0{k}.500Z"}}"#),
    });
    let posts: Vec<String> = posts.collect();
    let dir = folder(&[("brand.yaml", BRAND), ("posts.ndjson", &posts.join("\n"))]);
    let rules = folder(&[("r.yaml", RULE), ("r.test.yaml", "not: [a rule"), ("notes.txt", "x")]);
    let at = |d: &tempfile::TempDir, name: &str| d.path().join(name).display().to_string();
    let args = [
        "replay",
        &at(&dir, "posts.ndjson"),
        "--rules",
        &at(&dir, "brand.yaml"),
        "--rules",
        &at(&rules, ""),
        "--format",
        "post",
        "--json",
    ];
    for threads in ["1", "3"] {
        let out = run(&[&args[..], &["--threads", threads]].concat(), b"");
        assert!(out.status.success(), "{}", text(&out.stderr));
        let lines: Vec<serde_json::Value> =
            text(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let t = &lines[0];
        assert_eq!(t["at"], "2026-07-04T08:00:02.500Z");
        assert_eq!(t["group"], serde_json::json!({"brand": "united", "story": "net:x1"}));
        assert_eq!(
            (&t["alert"], &t["from"], &t["to"], &t["severity"]),
            (&"Spreading".into(), &"inactive".into(), &"firing".into(), &"page".into())
        );
        assert_eq!((&t["value"], &t["operands"]), (&2.0.into(), &serde_json::json!({"shares[10m]": 2.0})));
        assert_eq!(t["episode"].as_str().unwrap().len(), 16);
        let last = text(&out.stderr).lines().last().unwrap().to_string();
        assert!(last.starts_with("6 frames, 6 mentions, 1 transitions, ") && last.ends_with(" frames/s"), "{last}");
    }
}

#[test]
fn replay_puts_several_inputs_in_order() {
    let line = |id: &str, second: u32| {
        format!(
            r#"{{"id":"{id}","source":"net","author":"{id}","text":"united","time":"2026-07-04T08:{:02}:{:02}Z"}}"#,
            second / 60,
            second % 60
        )
    };
    let a: Vec<String> = (0..100).map(|k| line(&format!("a{k}"), k * 30)).collect();
    let b: Vec<String> = (0..100).map(|k| line(&format!("b{k}"), k * 30 + 7)).collect();
    let rule = "rules:\n  - {alert: Many, when: 'mentions[10m] >= 40', severity: info}\n";
    let dir = folder(&[("b.yaml", BRAND), ("r.yaml", rule), ("1", &a.join("\n")), ("2", &b.join("\n"))]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let out = run(&["replay", &at("2"), &at("1"), "--rules", &at("b.yaml"), "--rules", &at("r.yaml"), "--json"], b"");
    let first: serde_json::Value = serde_json::from_str(text(&out.stdout).lines().next().unwrap()).unwrap();
    assert_eq!(first["at"], "2026-07-04T08:09:37.000Z", "the fortieth post of both");
}

#[test]
fn replay_tells_what_it_cannot_read() {
    let dir = folder(&[("b.yaml", BRAND), ("bad.yaml", "rules: [{alert: x}]\n"), ("posts", "x\n")]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let out = run(&["replay", &at("none"), "--rules", &at("b.yaml")], b"");
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("none"));
    let out = run(&["replay", &at("posts"), "--rules", &at("bad.yaml")], b"");
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("bad.yaml:1:9: error: expected `when` or `levels`"), "{}", text(&out.stderr));
    assert_eq!(run(&["replay"], b"").status.code(), Some(2));
    assert_eq!(run(&["replay", "x", "--threads", "0", "--rules", "y"], b"").status.code(), Some(2));
    assert_eq!(run(&["--nonsense"], b"").status.code(), Some(2));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(r#"{"id":"x1","source":"net","author":"a","text":"united","time":"2026-07-04T08:00:00Z"}"#.as_bytes())
        .unwrap();
    let mut bytes = gz.finish().unwrap();
    bytes.truncate(bytes.len() - 4);
    std::fs::write(dir.path().join("cut.gz"), bytes).unwrap();
    let out = run(&["replay", &at("cut.gz"), "--rules", &at("b.yaml")], b"");
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("to its end"), "{}", text(&out.stderr));
}

#[test]
fn replay_reads_standard_input() {
    let dir = folder(&[("b.yaml", BRAND)]);
    let at = dir.path().join("b.yaml").display().to_string();
    let out = run(
        &["replay", "-", "--rules", &at],
        b"{\"id\":\"x\",\"source\":\"n\",\"author\":\"a\",\"text\":\"united\",\"time\":1783152000000}\nrubbish\n",
    );
    assert!(out.status.success());
    assert!(
        text(&out.stderr).contains("outcomes: mention 1, malformed 1\n2 frames, 1 mentions, 0 transitions, "),
        "{}",
        text(&out.stderr)
    );
}

#[test]
fn one_bad_line_at_the_top_costs_no_other() {
    let frame = |k: u32| {
        format!(
            r#"{{"did":"did:plc:a","time_us":178317360000000{k},"kind":"commit","commit":{{"rev":"r","operation":"create","collection":"app.bsky.feed.post","rkey":"k{k}","record":{{"text":"united"}},"cid":"c"}}}}"#
        )
    };
    let jetstream: Vec<String> = (0..9).map(frame).collect();
    let post = |id: String, time: &str| {
        format!(r#"{{"id":"{id}","source":"net","author":"a","text":"united","time":"{time}"}}"#)
    };
    let first: Vec<String> = std::iter::once(post("bad".into(), "2100-01-01T00:00:00Z"))
        .chain((0..5).map(|k| post(format!("a{k}"), &format!("2026-07-04T08:00:0{k}Z"))))
        .collect();
    let second: Vec<String> =
        (0..50).map(|k| post(format!("b{k}"), &format!("2026-07-04T0{}:00:00Z", 1 + k / 10))).collect();
    let dir = folder(&[
        ("b.yaml", BRAND),
        ("j", &format!("garbage\n{}", jetstream.join("\n"))),
        ("1", &first.join("\n")),
        ("2", &second.join("\n")),
        ("junk", "a\nb\n"),
    ]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let play = |inputs: &[&str]| {
        let inputs: Vec<String> = inputs.iter().map(|i| at(i)).collect();
        let args: Vec<&str> = ["replay"].into_iter().chain(inputs.iter().map(String::as_str)).collect();
        run(&[&args[..], &["--rules", &at("b.yaml")]].concat(), b"")
    };
    assert!(text(&play(&["j"]).stderr).contains("mention 9, malformed 1\n"), "{}", text(&play(&["j"]).stderr));
    assert!(
        text(&play(&["1", "2"]).stderr).contains("mention 55, bad_time 1\n"),
        "{}",
        text(&play(&["1", "2"]).stderr)
    );
    let junk = play(&["junk"]);
    assert!(junk.status.code() == Some(1) && text(&junk.stderr).contains("--format"), "{}", text(&junk.stderr));
}

#[test]
fn try_query_answers_each_line() {
    let out = run(
        &["try", "query", "united (guitar OR #fail) NOT manchester"],
        "United broke my GUITAR\nunited\nManchester United guitar\n\n#fail united".as_bytes(),
    );
    let answers: Vec<String> = text(&out.stdout).lines().map(str::to_string).collect();
    let (yes, no) = ("{\"match\":true}", "{\"match\":false}");
    assert_eq!(answers, [yes, no, no, no, yes]);
    let out = run(&["try", "query", "a OR"], b"");
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("query:1:5: expected a term"), "{}", text(&out.stderr));
    assert_eq!(text(&run(&["try", "query", "NOT x"], b"y\nx\n\xff x").stdout), format!("{yes}\n{no}\n{no}\n"));
}

#[test]
fn check_tells_every_mistake_and_its_place() {
    let config = "sources:\n  bluesky: {type: jetstream, url: 'wss://j.example/subscribe'}\nrules: [sub]\n";
    let dir = folder(&[
        ("groundswell.yaml", config),
        ("good.yaml", BRAND),
        ("bad.yaml", "brands:\n  A: {query: acme}\n  b: {query: '(x'}\n"),
    ]);
    std::fs::create_dir(dir.path().join("sub")).unwrap();
    std::fs::write(dir.path().join("sub/r.yaml"), RULE).unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let good = run(&["check", &at("good.yaml"), &at("sub")], b"");
    assert_eq!(good.status.code(), Some(0), "{}", text(&good.stderr));
    assert!(text(&good.stdout).contains("over when: not shares[10m] >= 2"), "{}", text(&good.stdout));
    let bad = run(&["check", &at("bad.yaml")], b"");
    assert_eq!(bad.status.code(), Some(1));
    let err = text(&bad.stderr);
    assert!(
        err.contains(&format!("{}:2:3: ", at("bad.yaml"))) && err.contains(&format!("{}:3:17: ", at("bad.yaml"))),
        "{err}"
    );
    assert!(run(&["check", &at("")], b"").status.success(), "the config and the rules it names");
    assert!(run(&["check", &at("groundswell.yaml")], b"").status.success());
    let json = run(&["check", "--json", &at("bad.yaml")], b"");
    let lines: Vec<serde_json::Value> = text(&json.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["line"]), (2, &2.into()));
    std::fs::write(dir.path().join("groundswell.yaml"), "sources: {}\nnonsense: 1\n").unwrap();
    let bad = run(&["check", &at("")], b"");
    assert!(
        bad.status.code() == Some(1) && text(&bad.stderr).contains("groundswell.yaml:2:1: "),
        "{}",
        text(&bad.stderr)
    );
}

#[test]
fn shipped_rules_are_sound() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");
    let out = run(&["check", rules], b"");
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(text(&out.stderr), "");
}

#[test]
fn help_has_an_example_for_every_command() {
    for command in [&["demo"][..], &["run"], &["record"], &["replay"], &["check"], &["try", "query"]] {
        let out = run(&[command, &["--help"]].concat(), b"");
        assert!(out.status.success() && text(&out.stdout).contains("Example"), "{command:?}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let line = r#"{"id":"xK","source":"n","author":"a","text":"united","time":"2026-07-04T08:00:00Z"}"#;
    let posts: Vec<String> = (0..20_000).map(|k| line.replace("xK", &format!("x{k}"))).collect();
    let rule = "rules:\n  - {alert: Each, by: [brand, story], when: 'mentions[1m] >= 1', severity: info}\n";
    let dir = folder(&[("b.yaml", BRAND), ("r.yaml", rule), ("posts", &posts.join("\n"))]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_groundswell"))
        .args(["replay", &at("posts"), "--rules", &at("b.yaml"), "--rules", &at("r.yaml"), "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
}

#[test]
fn schema_prints_a_schema_of_each_kind_of_file() {
    for (args, key) in
        [(&["schema"][..], "sources"), (&["schema", "config"], "routes"), (&["schema", "rules"], "brands")]
    {
        let out = run(args, b"");
        assert!(out.status.success() && out.stderr.is_empty());
        let schema: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(schema["properties"][key]["description"].is_string(), "{key}");
    }
    assert_eq!(run(&["schema", "nonsense"], b"").status.code(), Some(2));
}

#[test]
fn the_first_brand_of_the_readme_is_sound() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let line = readme.split_once("cargo run --release -- init watch ").unwrap().1.lines().next().unwrap();
    let (_, rest) = line.split_once("--brand \"").unwrap();
    let (brand, rest) = rest.split_once("\" --query '").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().display().to_string();
    let out = run(&["init", &at, "--brand", brand, "--query", rest.strip_suffix('\'').unwrap()], b"");
    assert!(out.status.success(), "{}", text(&out.stderr));
    let out = run(&["check", &dir.path().display().to_string()], b"");
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert!(text(&out.stdout).ends_with("fine: 1 brands, 10 rules\n"), "{}", text(&out.stdout));
    assert!(out.stderr.is_empty(), "{}", text(&out.stderr));
}

#[test]
fn check_tells_mistakes_and_unknown_names_of_configs() {
    let config = "sources:\n  b: {type: jetstream, hosts: [j.example]}\nrules: [r.yaml, b.yaml]\nroutes: [{alert: Spraeding, to: stdout}]\n";
    let dir = folder(&[("groundswell.yaml", config), ("r.yaml", RULE), ("b.yaml", BRAND)]);
    let at = dir.path().display().to_string();
    let out = run(&["check", &at], b"");
    let said = text(&out.stderr);
    assert!(
        out.status.success() && said.contains("found `Spraeding`") && said.contains("did you mean `Spreading`?"),
        "{said}"
    );
    std::fs::write(dir.path().join("groundswell.yaml"), config.replace("j.example", "''").replace("stdout", "oncall"))
        .unwrap();
    let out = run(&["check", &at], b"");
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        said.contains(":2:32: error: expected a host")
            && said.contains(":4:33: error: expected the name of a receiver"),
        "{said}"
    );
}
