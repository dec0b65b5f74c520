//! Tests of how a service's state is shown.

use serde_json::json;

use super::*;
use crate::notify::Style;

fn look(all: bool) -> Look {
    Look { width: 80, paint: Paint(Style::default()), all }
}

fn rule(name: &str, state: &str, left: f64, open: u64) -> Json {
    json!({"name": name, "severity": "page", "state": state, "left_seconds": left, "keys_learning": 2, "keys_silent": 1, "open": open})
}

fn state() -> Json {
    json!({
        "version": "0.1.0", "now": "2026-07-04T10:00:00.500Z", "started": "2026-07-04T07:47:00.000Z",
        "ready": false, "unready": ["source forum: Connection refused (os error 111)"],
        "engine": {"time": "2026-07-04T10:00:00.000Z", "lag_seconds": 0.5, "waiting_frames": 1, "entries": 9, "posts_kept": 1234,
            "receive_to_transition_seconds": {"p50": 0.0004, "p99": 0.0031}},
        "store": {"path": "/srv/groundswell.db", "recording": true, "past_since": "2026-06-01T07:00:00.000Z",
            "pending_entries": 0.0, "failing_since": null, "why": null, "hint": null},
        "sources": [
            {"name": "bluesky", "type": "jetstream", "connected": true, "heard": true, "down_since": null, "why": "",
                "silent_seconds": 0.1, "frames_per_second": 312.4, "usual_frames_per_second": 300.2,
                "rate_known_in_seconds": 0.0, "last_event": "2026-07-04T09:59:59.500Z", "degrades": []},
            {"name": "forum", "type": "websocket", "connected": false, "heard": false,
                "down_since": "2026-07-04T09:41:00.000Z", "why": "Connection refused (os error 111)",
                "silent_seconds": 1140.0, "frames_per_second": 0.0, "usual_frames_per_second": 2.0,
                "rate_known_in_seconds": 90.0, "last_event": null, "degrades": ["A", "B", "C", "D", "E"]},
            {"name": "crm", "type": "push", "connected": true, "heard": true, "down_since": null, "why": "",
                "silent_seconds": 3.0, "frames_per_second": 0.0, "usual_frames_per_second": 0.0,
                "rate_known_in_seconds": 1800.0, "last_event": null, "degrades": []}],
        "brands": 1,
        "rules": [rule("HostileSurge", "learning", 93_000.0, 0), rule("BigVoice", "live", 0.0, 1), rule("Calm", "live", 0.0, 0),
            rule("SourTalk", "silent", 100.0, 0), rule("Story", "filling", 3_000.0, 0), rule("Trial", "shadow", 0.0, 0)],
        "receivers": [
            {"name": "oncall", "type": "webhook", "proved": "2026-07-04T09:00:00.000Z", "trouble": "the receiver answered 500", "waiting": 3},
            {"name": "out", "type": "stdout", "proved": null, "trouble": null, "waiting": 0}],
        "blind_spots": ["X", "TikTok"],
        "reload": {"at": "2026-07-04T09:30:00.000Z", "ok": false, "mistakes": ["rules/a.yaml:3:9: error: expected `when` or `levels`, found neither"]},
        "external_url": null,
    })
}

#[test]
fn a_state_reads_well() {
    let shown = text(&state(), "http://127.0.0.1:9464", &look(false));
    let wanted = "\
NOT READY  groundswell 0.1.0 at http://127.0.0.1:9464, up 2h 13m
  - source forum: Connection refused (os error 111)

engine      at 10:00:00 UTC, 0.5 s behind; 1 frame waiting, 1234 posts kept
            receive to transition: p50 0.4 ms, p99 3.1 ms (last minute)
store       recording to /srv/groundswell.db, since 2026-06-01 07:00
sources     2 of 3 heard
  bluesky                  up   312 frames/s (usual 300), last event 1s ago
  forum                    DOWN since 09:41:00 (19m ago)
    why: Connection refused (os error 111)
    5 rules know less: A, B, C and 2 more
  crm                      up   0 frames/s, no event yet
rules       6 for 1 brand: 2 live, 1 filling, 1 learning, 1 silent, 1 shadow, 1
            open episode
  HostileSurge             learning 1d 1h left, 2 keys
  BigVoice                 live     1 episode OPEN (page)
  SourTalk                 silent   for 1m 40s more, 1 key
  Story                    filling  windows whole in 50m
  Trial                    shadow   tells nobody
receivers   2
  oncall                   TROUBLE took one at 09:00:00 (1h ago); 3 waiting
    why: the receiver answered 500
  out                      unused  took nothing yet
blind spots X, TikTok
reload      09:30:00 UTC (30m ago): FAILED, 1 mistake; what was in force stays
  rules/a.yaml:3:9: error: expected `when` or `levels`, found neither
";
    assert_eq!(shown, wanted);
    assert!(text(&state(), "u", &look(true)).contains("\n  Calm                     live\n"));
}

#[test]
fn many_rules_are_counted_and_few_listed() {
    let many: Vec<Json> = (0..5000).map(|k| rule(&format!("R{k}"), "learning", 60.0, 0)).collect();
    let shown = text(&json!({"ready": true, "rules": many}), "u", &look(false));
    assert!(
        shown.contains("5000 learning, 0 open episodes") && shown.contains("\n  and 4980 more: --all\n"),
        "{shown}"
    );
    assert_eq!(text(&json!({"ready": true, "rules": many}), "u", &look(true)).matches("\n  R").count(), 5000);
}

#[test]
fn any_answer_is_shown_in_80_columns_and_harmless() {
    fn spoil(j: &mut Json, with: &Json) {
        match j {
            Json::Array(a) => a.iter_mut().for_each(|x| spoil(x, with)),
            Json::Object(o) => o.values_mut().for_each(|x| spoil(x, with)),
            other => *other = with.clone(),
        }
    }
    let long = format!("\u{1b}[2J{}", "航空 words ".repeat(50));
    for with in [json!(null), json!(1e300), json!(-7), json!(long), json!([]), json!(true)] {
        let mut spoilt = state();
        spoil(&mut spoilt, &with);
        let shown = text(&spoilt, "http://127.0.0.1:9464", &look(true));
        assert!(shown.lines().all(|l| columns(l) <= 80 && !l.contains('\x1b')), "{shown}");
    }
}

#[test]
fn colours_take_no_columns() {
    let coloured = text(&state(), "u", &Look { paint: Paint(Style { colour: true }), ..look(true) });
    assert_eq!(strip(&coloured), text(&state(), "u", &look(true)));
}

#[test]
fn a_store_that_fails_stands_out() {
    let mut state = state();
    state["store"] = json!({"path": "/srv/groundswell.db", "recording": false, "past_since": "2026-06-01T07:00:00.000Z",
        "pending_entries": 12.0, "failing_since": "2026-07-04T09:58:00.000Z", "why": "expected room to write, found none", "hint": ""});
    let shown = text(&state, "http://127.0.0.1:9464", &look(false));
    assert!(shown.contains("store       NOT RECORDING since 2026-07-04 09:58; entries that wait: 12\n            expected room to write"), "{shown}");
    state["store"] = Json::Null;
    assert!(text(&state, "u", &look(false)).contains("store       none: a restart forgets everything\n"));
}
