//! Rules in shadow: nobody is told of them, and each day says what they would have told.

use std::path::Path;
use std::process::Command;

use groundswell::base::time::Time;
use serde_json::{Value as Json, json};

use crate::program::{Program, eventually};

const RULES: &str = "brands: {u: {query: united}}\nrules:\n  - {alert: Many, when: 'mentions[1m] >= 3', severity: page}\n  - {alert: Many2, when: 'mentions[1m] >= 2', severity: warn, mode: shadow}\n  - {alert: Other, when: 'mentions[1m] >= 9', severity: warn, mode: shadow}\n";
const CONFIG: &str = "rules: rules.yaml\nlisten: 127.0.0.1:0\nsources: {day: {type: recording, path: day.ndjson, format: post}}\nstore: {path: s.db}\nreceivers: {out: {type: stdout, format: json}}\n";

/// A recording in place of the one before: these posts (time, text), and one about nothing every ten minutes.
fn record(dir: &Path, from: &str, until: &str, bursts: &[(&str, usize)]) {
    let at = |text: &str| Time::parse_rfc3339(text).unwrap();
    let mut posts: Vec<(Time, &str)> = Vec::new();
    for (begins, n) in bursts {
        posts.extend((0..*n).map(|k| (Time(at(begins).0 + k as i64 * 5_000_000), "united is late")));
    }
    posts.extend((at(from).0..at(until).0).step_by(600_000_000).map(|t| (Time(t), "nothing")));
    posts.sort();
    let line = |(t, text): &(Time, &str)| {
        json!({"id": format!("p{}-{}", t.0, text.len()), "source": "forum", "author": format!("a{}-{}", t.0, text.len()), "text": text, "time": t.to_string()}).to_string() + "\n"
    };
    std::fs::write(dir.join("day.ndjson"), posts.iter().map(line).collect::<String>()).unwrap();
}

fn said(dir: &Path, args: &[&str]) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_groundswell")).args(args).current_dir(dir).output().unwrap();
    assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn asked(dir: &Path, args: &[&str]) -> Vec<Json> {
    said(dir, args).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// What the ledger says of days: rule, day, both, only live, only shadow.
fn days(dir: &Path) -> Vec<Json> {
    let all = asked(dir, &["ledger", "--json"]).into_iter().filter(|l| l["what"] == "compared");
    all.map(|l| l["compared"].clone()).collect()
}

fn of<'d>(days: &'d [Json], rule: &str, day: &str) -> Vec<&'d Json> {
    days.iter().filter(|d| d["rule"] == rule && d["day"] == day).collect()
}

#[tokio::test]
async fn a_day_in_shadow_is_told_once_also_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, config) = (dir.path(), dir.path().join("groundswell.yaml"));
    std::fs::write(folder.join("rules.yaml"), RULES).unwrap();
    std::fs::write(&config, CONFIG).unwrap();
    // both, and the rule in shadow alone; the day is over, but not for an hour
    let bursts = [("2026-07-04T09:00:00Z", 3), ("2026-07-04T15:00:00Z", 2)];
    record(folder, "2026-07-04T08:00:00Z", "2026-07-05T00:30:00Z", &bursts);
    let program = Program::run(&config).await;
    program.logged("recording is at its end").await;
    assert_eq!(program.fired("Many").await, 3.0);
    program.stop().await;
    assert_eq!(days(folder), Vec::<Json>::new());
    record(folder, "2026-07-05T00:40:00Z", "2026-07-05T03:00:00Z", &[]);
    let program = Program::run(&config).await;
    let first = eventually("the first day", async || Some(days(folder)).filter(|d| !d.is_empty())).await;
    program.logged("in shadow: 2 episodes (0 page, 2 warn)").await;
    assert!(program.told().iter().all(|t| t["alert"] != "Many2"), "nobody is told");
    program.stop().await;
    let day = of(&first, "Many2", "2026-07-04")[0];
    assert_eq!(
        (&day["twin"], &day["from"], &day["until"]),
        (&json!("Many"), &json!("2026-07-04T00:00:00.000Z"), &json!("2026-07-05T00:00:00.000Z"))
    );
    assert_eq!([&day["both"], &day["only_live"], &day["only_shadow"]], [1, 0, 1]);
    assert_eq!(
        (&day["earlier_seconds"], &day["live"]["pages"], &day["shadow"]["warns"]),
        (&json!(5.0), &json!(1), &json!(2))
    );
    let alone = of(&first, "Other", "2026-07-04")[0];
    assert_eq!((&alone["twin"], &alone["live"], &alone["shadow"]["episodes"]), (&Json::Null, &Json::Null, &json!(0)));
    // the next day is told, and the first one not again
    record(folder, "2026-07-05T03:10:00Z", "2026-07-06T02:00:00Z", &[("2026-07-05T12:00:00Z", 4)]);
    let program = Program::run(&config).await;
    let all = eventually("the second day", async || {
        Some(days(folder)).filter(|all| !of(all, "Many2", "2026-07-05").is_empty())
    })
    .await;
    program.stop().await;
    assert_eq!(of(&all, "Many2", "2026-07-05")[0]["both"], 1);
    for (rule, day) in
        [("Many2", "2026-07-04"), ("Many2", "2026-07-05"), ("Other", "2026-07-04"), ("Other", "2026-07-05")]
    {
        assert_eq!(of(&days(folder), rule, day).len(), 1, "{rule} {day}");
    }
    what_commands_say(folder, day);
}

/// The same over any time, and everything that names an episode of a rule in shadow says so.
fn what_commands_say(folder: &Path, day: &Json) {
    let all = asked(folder, &["compare", "--since", "2026-07-01T00:00:00Z", "--rule", "Many2", "--json"]);
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0]["both"], &all[0]["only_shadow"], &all[0]["shadow"]["episodes"]),
        (&json!(2), &json!(1), &json!(3))
    );
    assert_eq!(all[0]["shadow_alone"], day["shadow_alone"]);
    let table = said(folder, &["compare", "--since", "2026-07-01T00:00:00Z"]);
    let episode = all[0]["shadow_alone"][0]["episode"].as_str().unwrap();
    assert!(table.contains("only Many2\n") && table.contains(episode) && table.contains("5s earlier"), "{table}");
    let explained = said(folder, &["explain", episode]);
    assert!(explained.contains("in shadow: nobody is told, compared with Many"), "{explained}");
    assert!(explained.contains("its rule is in shadow"), "{explained}");
    assert!(asked(folder, &["explain", episode, "--json"]).iter().all(|t| t["mode"] == "shadow"));
    let alerts = asked(folder, &["alerts", "--all", "--json"]);
    let mode =
        |alert: &str| alerts.iter().filter(|a| a["alert"] == alert).map(|a| a["mode"].clone()).collect::<Vec<_>>();
    assert_eq!((mode("Many"), mode("Many2")), (vec![json!("live"); 2], vec![json!("shadow"); 3]));
    assert!(said(folder, &["ledger"]).contains("Many2 2026-07-04  compared   2 episodes (0 page, 2 warn), fired "));
    let wrong = Command::new(env!("CARGO_BIN_EXE_groundswell"))
        .args(["compare", "--rule", "Many3"])
        .current_dir(folder)
        .output();
    let wrong = wrong.unwrap();
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.status.code() == Some(1) && told.contains("expected a rule in shadow, found Many3"), "{told}");
}
