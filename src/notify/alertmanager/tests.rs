//! Alerts as Alertmanager takes them, and what is told again.

use super::*;
use crate::base::model::Severity;
use crate::base::time::Span;
use crate::notify::slack::tests::{HOSTILE, view_of};
use crate::notify::view::View;

fn body(view: &View) -> Body {
    serde_json::from_slice(&alertmanager_body(view)).unwrap()
}

fn at(s: i64) -> Time {
    view_of("t").at + Span::seconds(s)
}

fn view(step: u32, severity: Severity) -> View {
    View { step, severity, ..view_of("t") }
}

/// Severity and end of each alert, the end in seconds after the beginning.
fn ends(alerts: &[Json]) -> Vec<(String, f64)> {
    let end = |a: &Json| Time::parse_rfc3339(a["endsAt"].as_str().unwrap()).unwrap() - view_of("t").began;
    alerts.iter().map(|a| (a["labels"]["severity"].as_str().unwrap().to_string(), end(a).as_seconds())).collect()
}

#[test]
fn labels_are_such_as_alertmanager_takes() {
    let long = "é".repeat(9000);
    for text in HOSTILE.iter().copied().chain(["9a", "é", "a-b c", long.as_str()]) {
        let alert = body(&view_of(text)).alert;
        for (name, value) in &alert.labels {
            let fine = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            assert!(fine && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()), "{name:?}");
            assert!(!value.is_empty() && value.len() <= limits::ALERT_LABEL, "{name} {value}");
        }
        assert_eq!(alert.labels["severity"], "critical");
        assert_eq!(alert.labels["incident"], IncidentId(7).full());
        assert!(!alert.labels["alertname"].is_empty());
        assert!(alert.annotations.values().all(|v| v.len() <= limits::ALERT_ANNOTATION));
        assert!(alert.more.is_none_or(|m| m.starts_with("https://")));
    }
    // what strangers call their labels is not what ours are called
    let labels = [("severity", "none"), ("incident", "x"), ("a-b", "1"), ("a b", "2"), ("gone", "")];
    let labels = labels.map(|(k, v)| (k.to_string(), v.to_string())).into();
    let found = body(&View { labels, ..view_of("t") }).alert.labels;
    let found: Vec<(&str, &str)> = found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let incident = IncidentId(7).full();
    let expected = [("a_b", "2"), ("alertname", "Groundswell"), ("incident", &incident), ("severity", "critical")];
    assert_eq!(found, expected);
}

#[test]
fn nothing_that_changes_is_in_a_label() {
    let first = body(&view(1, Severity::Warn)).alert;
    let changed = View { short: "other".into(), sentence: "other".into(), claimed: None, ..view(2, Severity::Warn) };
    let second = body(&changed).alert;
    assert_eq!(first.labels, second.labels);
    assert_ne!(first.annotations, second.annotations);
}

#[test]
fn an_alert_keeps_its_labels_while_it_lasts() {
    let mut firing = Firing::default();
    firing.take(&body(&view(1, Severity::Warn)), at(0));
    let (posted, handle) = firing.take(&body(&view(2, Severity::Page)), at(10));
    let known = posted[1]["labels"].clone();
    // a rule joins that began to hold before the first, and a restart comes between
    let named = BTreeMap::from([("alertname".to_string(), "SourTalk".to_string())]);
    let other = View { labels: named.clone(), ..view(3, Severity::Page) };
    let mut again = Firing::default();
    again.remember(&handle.unwrap());
    let (posted, _) = again.take(&body(&other), at(20));
    assert_eq!((posted.len(), &posted[1]["labels"]), (2, &known));
    assert_eq!(ends(&posted), [("warning".to_string(), 10.0), ("critical".to_string(), 260.0)]);
    let over = View { labels: named, ended: Some(at(30)), ..view(4, Severity::Page) };
    let (posted, _) = again.take(&body(&over), at(30));
    assert_eq!((posted.len(), &posted[1]["labels"]), (2, &known));
    assert_eq!(ends(&posted), [("warning".to_string(), 10.0), ("critical".to_string(), 30.0)]);
}

#[test]
fn a_rise_ends_the_alert_before() {
    let mut firing = Firing::default();
    let (posted, _) = firing.take(&body(&view(1, Severity::Warn)), at(0));
    assert_eq!(ends(&posted), [("warning".to_string(), 240.0)]);
    let (posted, _) = firing.take(&body(&view(2, Severity::Page)), at(10));
    assert_eq!(ends(&posted), [("warning".to_string(), 10.0), ("critical".to_string(), 250.0)]);
    let over = View { ended: Some(at(25)), ..view(3, Severity::Page) };
    let (posted, _) = firing.take(&body(&over), at(30));
    assert_eq!(ends(&posted), [("warning".to_string(), 10.0), ("critical".to_string(), 30.0)]);
    // told again for a quarter of an hour, with the same end
    assert_eq!(ends(&firing.again(at(60)).concat()), ends(&posted));
    firing.take(&body(&over), at(70));
    assert_eq!(ends(&firing.again(at(909)).concat()), ends(&posted));
    assert_eq!(ends(&firing.again(at(915)).concat()), [("critical".to_string(), 30.0)]);
    assert!(firing.again(at(931)).is_empty());
}

#[test]
fn what_fires_is_told_again_until_nothing_was_heard_of_it_for_long() {
    let mut firing = Firing::default();
    firing.take(&body(&view(1, Severity::Page)), at(0));
    assert_eq!(ends(&firing.again(at(3600)).concat()), [("critical".to_string(), 3840.0)]);
    let long = limits::ALERT_FIRING_KEPT.0 / 1_000_000;
    assert_eq!(firing.again(at(long - 1)).concat().len(), 1);
    assert!(firing.again(at(long)).is_empty());
}

#[test]
fn a_handle_is_all_that_is_needed_after_a_restart() {
    let mut firing = Firing::default();
    firing.take(&body(&view(1, Severity::Warn)), at(0));
    let (_, handle) = firing.take(&body(&view(2, Severity::Page)), at(10));
    let handle = handle.unwrap();
    let mut again = Firing::default();
    again.remember(&handle);
    assert_eq!(again.again(at(20)), firing.again(at(20)));
    // a letter that was sent already changes nothing
    again.take(&body(&view(1, Severity::Warn)), at(25));
    assert_eq!(again.again(at(30)), firing.again(at(30)));
    // a handle of before is not believed over what is known
    let (_, old) = Firing::default().take(&body(&view(1, Severity::Warn)), at(0));
    again.remember(&old.unwrap());
    assert_eq!(again.again(at(40)), firing.again(at(40)));
    for bad in ["", "{}", "null", "[[[", "C1:17.3"] {
        again.remember(bad);
    }
    assert_eq!(again.again(at(40)), firing.again(at(40)));
}

#[test]
fn a_handle_is_bounded() {
    let mut firing = Firing::default();
    for (step, severity) in [Severity::Info, Severity::Warn, Severity::Page].into_iter().enumerate() {
        let view = View { step: step as u32 + 1, severity, ..view_of(&"\"".repeat(5000)) };
        let (posted, handle) = firing.take(&body(&view), at(0));
        let handle = handle.unwrap();
        assert!(handle.len() <= limits::HANDLE_BYTES, "{}", handle.len());
        let mut again = Firing::default();
        again.remember(&handle);
        assert_eq!(ends(&again.again(at(0)).concat()), ends(&posted));
    }
}

#[test]
fn an_alert_never_ends_before_it_begins() {
    let mut firing = Firing::default();
    let over = View { ended: Some(at(0)), ..view(1, Severity::Page) };
    let (posted, _) = firing.take(&body(&over), at(-100));
    assert_eq!(ends(&posted), [("critical".to_string(), 0.0)]);
}

#[test]
fn many_alerts_go_in_several_posts() {
    let mut firing = Firing::default();
    for k in 0..limits::ALERTS_AT_ONCE + 1 {
        firing.take(&body(&View { thread: k.to_string(), ..view_of("t") }), at(0));
    }
    let sizes: Vec<usize> = firing.again(at(1)).iter().map(Vec::len).collect();
    assert_eq!(sizes, [limits::ALERTS_AT_ONCE, 1]);
}
