//! What is shipped to run the service somewhere else fits the service.

use std::process::{Command, Stdio};

use groundswell::base::limits;

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_config_of_compose_is_sound() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deploy/config");
    let check = |token: &str| {
        let mut check = Command::new(env!("CARGO_BIN_EXE_groundswell"));
        check.args(["check", folder]).env("OPS_TOKEN", token).stdin(Stdio::null()).output().unwrap()
    };
    let out = check("a-token-of-compose-0123456789");
    assert!(out.status.success() && out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    assert!(!check("").status.success(), "compose.yaml gives an empty one where none is set");
}

#[test]
fn the_service_has_time_to_stop_and_nothing_is_open_to_other_machines() {
    // sources, what they began, engine, letters (twice), store
    let stops = limits::SHUTDOWN.as_seconds() * 6.0;
    let number = |text: &str, key: &str| -> f64 {
        let (_, rest) = text.split_once(key).unwrap_or_else(|| panic!("no {key}"));
        let digits: String = rest.chars().take_while(|c| c.is_ascii_digit()).collect();
        digits.parse().unwrap()
    };
    let (unit, compose) = (file("docs/deploy/groundswell.service"), file("compose.yaml"));
    for (text, key) in [(&unit, "TimeoutStopSec="), (&compose, "stop_grace_period: ")] {
        assert!(number(text, key) > stops, "{key}");
    }
    assert!(number(&unit, "WatchdogSec=") > 2.0 * limits::STANDS_STILL.as_seconds());
    let ports: Vec<&str> = compose.lines().filter(|l| l.trim().starts_with("ports:")).collect();
    assert!(ports.len() == 5 && ports.iter().all(|l| l.contains("[\"127.0.0.1:")), "{ports:?}");
    // every service has what all of them have
    assert_eq!(compose.matches("<<: *hardened").count(), ports.len());
}
