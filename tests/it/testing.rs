//! Tests of rules, as authors of rules run them: the shipped ones, and what is told of one that fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use groundswell::app::testing::{find, read, run};

const RULE: &str = "rules:\n  - {alert: Many, when: 'mentions[10m] >= 5', severity: warn, keep_firing_for: 5m}\n";

fn groundswell(args: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groundswell"));
    command.args(args).current_dir(folder).env_remove("NO_COLOR").output().unwrap()
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn shipped() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules")
}

/// Whether all tests beside a rule file pass; a file that cannot be read does not.
fn passes(tests: &Path) -> bool {
    read(tests).is_ok_and(|f| f.tests.iter().all(|t| run(t, false).failures.is_empty()))
}

/// What tests of one event say, without how long they took.
fn lines(out: &Output) -> String {
    let text = String::from_utf8_lossy(&out.stdout);
    let without = |l: &str| match l.rsplit_once("  ") {
        Some((before, took)) if took.trim().ends_with(" ms") => before.trim_end().to_string(),
        _ => l.to_string(),
    };
    text.lines().map(without).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_does_not_come_to_be_is_told() {
    let tests = |events: &str| {
        let tests =
            format!("tests:\n  - name: t\n    events: [{events}]\n    expect: [{{alert: Many, never: true}}]\n");
        let dir = folder(&[("r.yaml", RULE), ("r.test.yaml", &tests)]);
        said(&groundswell(&["test", "r.test.yaml"], dir.path()))
    };
    let twice = tests("{from: 1h, for: 1m, posts: 1}, {at: 2h, post: {id: e0-0, text: acme}}");
    assert!(
        twice.contains("expected every post of the test to be read, and its id once, found 1 duplicate"),
        "{twice}"
    );
    let unheard = tests("{from: 1h, for: 1m, posts: 1}, {at: 1h, source: blusky, down: 1h}");
    assert!(unheard.contains("expected a source that posts of this test come from, found `blusky`"), "{unheard}");
    let long = tests("{from: 300d, for: 300d, posts: 9}");
    assert!(long.contains("expected an event that is over 400d after the start, found one until 600d"), "{long}");
    // two outages that overlap are one: who is lost is lost until the end of both
    let silent = "rules:\n  - {alert: Silent, by: [brand, source], when: 'silence >= 30m', severity: warn}\n";
    let gaps = "tests:\n  - name: t\n    events: [{from: 0s, for: 6h, rate: 10/min, sources: a}, {at: 2h, source: a, down: 3h}, {at: 1h, source: a, down: 2h}]\n    expect: [{alert: Silent, never: true}]\n";
    let dir = folder(&[("r.yaml", silent), ("r.test.yaml", gaps)]);
    let out = groundswell(&["test", "r.test.yaml"], dir.path());
    assert!(out.status.success(), "{}", said(&out));
}

#[test]
fn the_shipped_rules_pass_their_tests() {
    let out = groundswell(&["test", "rules/", "rules/presets/"], &shipped().join(".."));
    let text = said(&out);
    assert!(out.status.success(), "{text}");
    assert!(text.contains(" of ") && text.contains(", 0 failed") && !text.contains("note:"), "{text}");
}

/// Thresholds of a rule file: the numbers of its conditions, durations and variables, by their places; how long windows
/// are is left out.
fn numbers(text: &str) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let body = text.find("\nvars:").into_iter().chain(text.find("\nrules:")).min().unwrap();
    let mut at = body;
    while let Some(from) = text[at..].find(|c: char| c.is_ascii_digit()).map(|i| at + i) {
        let to = text[from..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(text.len(), |i| from + i);
        let word = text[..from].ends_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let line = text[..from].lines().last().unwrap_or("");
        let shown = line.trim_start().starts_with("summary:");
        let window = line.ends_with('[') && !line.trim_start().starts_with("by:");
        // ten times nothing is nothing
        let zero = text[from..to].parse() == Ok(0.0);
        if !word && !shown && !window && !zero {
            out.push((from, to));
        }
        at = to;
    }
    out
}

/// Numbers that may change so much without a test that fails: rule, what stands before, factor, and why.
const EXCEPTIONS: [(&str, &str, f64, &str); 0] = [];

#[test]
fn every_shipped_rule_fails_its_tests_when_a_number_is_broken() {
    unnoticed(&shipped());
}

#[test]
fn every_preset_fails_its_tests_when_a_number_is_broken() {
    unnoticed(&shipped().join("presets"));
}

fn unnoticed(folder_of_rules: &Path) {
    let mut missed = Vec::new();
    for path in find(&[folder_of_rules.to_path_buf()]).unwrap().tests {
        let name = path.file_name().unwrap().to_str().unwrap().replace(".test.yaml", "");
        let rules = std::fs::read_to_string(path.with_file_name(format!("{name}.yaml"))).unwrap();
        let tests = std::fs::read_to_string(&path).unwrap();
        let found = numbers(&rules);
        assert!(found.len() >= 3, "{name}: {found:?}");
        for (from, to) in found {
            let number: f64 = rules[from..to].parse().unwrap();
            for factor in [10.0, 0.1] {
                let broken = format!("{}{}{}", &rules[..from], (number * factor * 1e6).round() / 1e6, &rules[to..]);
                let dir = folder(&[(&format!("{name}.yaml"), &broken), (&format!("{name}.test.yaml"), &tests)]);
                let excepted = EXCEPTIONS
                    .iter()
                    .any(|(r, before, x, _)| *r == name && rules[..from].ends_with(before) && *x == factor);
                if !excepted && passes(&dir.path().join(format!("{name}.test.yaml"))) {
                    let line = rules[..from].lines().count();
                    let around = &rules[from.saturating_sub(30)..(to + 5).min(rules.len())];
                    missed.push(format!("{name}.yaml:{line}: {number} x {factor} in `{around}`"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "no test fails with\n{}", missed.join("\n"));
}

#[test]
fn a_failure_shows_why() {
    let tests = "tests:\n  - name: five posts are many\n    events:\n      - {from: 1h, for: 8m, posts: 4, negative: 50%}\n    \
                 expect:\n      - {alert: Many, firing by: 1h 10m}\n";
    let dir = folder(&[("r.yaml", RULE), ("r.test.yaml", tests)]);
    let out = groundswell(&["test", "r.yaml"], dir.path());
    let expected = "FAIL five posts are many
  r.test.yaml:6:34: expected Many to fire by 1h 10m, found it silent";
    let text = lines(&out);
    assert_eq!(out.status.code(), Some(1));
    assert!(text.starts_with(expected), "{text}");
    for part in ["mentions", "hostile", "^ by 1h 10m", "|58m", "closest to warn (acme):", "NO  mentions[10m] >= 5   4"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.ends_with("1 test of 1 file: 0 passed, 1 failed"), "{text}");
}

#[test]
fn what_each_part_of_a_condition_read_is_shown() {
    let rules = "rules:
  - {alert: Nots, when: 'not (mentions[10m] < 5 or authors[1h] < 99)', severity: warn}
  - {alert: Order, when: 'mentions[10m] >= 3 then negative_share[10m] >= 60% within 1h', severity: warn}
  - {alert: Sides, when: 'mentions[10m] >= 3 * authors[1h] + 2', severity: warn}
";
    let tests = "tests:
  - name: t
    events: [{from: 1h, for: 1m, posts: 3}, {from: 1h 2m, for: 5m, posts: 20, negative: 1}]
    expect: [{alert: Nots}, {alert: Order, never: true}, {alert: Sides}]
";
    let dir = folder(&[("r.yaml", rules), ("r.test.yaml", tests)]);
    let text = said(&groundswell(&["test", "r.yaml"], dir.path()));
    let lines: Vec<String> = text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "yes mentions[10m] >= 5 23",
        "NO authors[1h] >= 99 23",
        "yes one after the other, within 1h",
        "NO mentions[10m] >= 3 * authors[1h] + 2 23, of 71",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line}\n{text}");
    }
}

#[test]
fn what_passes_is_told_in_a_line() {
    let tests = "tests:\n  - name: five posts are many\n    events:\n      - {from: 1h, for: 5m, posts: 5}\n    expect:\n      \
                 - alert: Many\n        firing by: 1h 5m\n        not firing before: 1h 4m\n        severity: warn\n        episodes: 1\n        \
                 not resolved before: 1h 15m\n        resolved by: 1h 17m\n        message contains: [Acme, WARN]\n";
    let dir = folder(&[("r.yaml", RULE), ("r.test.yaml", tests), ("bare.yaml", RULE), ("brands.yaml", "brands: {}\n")]);
    let out = groundswell(&["test", "."], dir.path());
    assert!(out.status.success(), "{}", said(&out));
    assert_eq!(lines(&out), "ok   five posts are many\n1 test of 1 file: 1 passed, 0 failed");
    assert_eq!(String::from_utf8_lossy(&out.stderr), "note: ./bare.yaml has no tests beside it\n");
    let out = groundswell(&["test", ".", "--verbose"], dir.path());
    assert!(said(&out).contains("Many firing (warn): acme"), "{}", said(&out));
    let out = groundswell(&["test", ".", "--list"], dir.path());
    assert_eq!(String::from_utf8_lossy(&out.stdout), "./r.test.yaml:2:5: five posts are many\n");
    for args in [&["test", ".", "--filter", "nothing"][..], &["test", ".", "--list", "--filter", "nothing"]] {
        let out = groundswell(args, dir.path());
        assert_eq!((out.status.code(), said(&out).contains("expected tests, found none")), (Some(1), true), "{args:?}");
    }
    assert_eq!(groundswell(&["test", "--colour"], dir.path()).status.code(), Some(2));
    let out = groundswell(&["test", "nowhere.test.yaml"], dir.path());
    assert_eq!((out.status.code(), said(&out).contains("nowhere.test.yaml")), (Some(1), true));
}

#[test]
fn rules_sources_and_time_change_in_the_middle() {
    let some = |when: &str, least: u32| {
        format!("  - {{alert: {when}, when: 'mentions[10m] >= {least}', severity: warn, keep_firing_for: 5m}}\n")
    };
    let (first, other) =
        (format!("{RULE}{}", some("Some", 9)), format!("rules:\n{}{}", some("Some", 3), some("Many", 9)));
    let tests = "tests:
  - name: rules change while it runs
    events:
      - {from: 1h, for: 10m, posts: 4}
      - {from: 2h, for: 10m, posts: 4}
      - {at: 1h 30m, rules: other.yaml}
    expect:
      - {alert: Many, never: true}
      - {alert: Some, not firing before: 2h, firing by: 2h 10m, episodes: 1}
  - name: nothing comes from a source that is lost
    events:
      - {from: 1h, for: 10m, posts: 20, sources: net}
      - {at: 30m, source: net, down: 1h}
    expect:
      - {alert: Many, never: true}
  - name: time goes on where nothing happens
    events:
      - {from: 1h, for: 5m, posts: 5}
      - {at: 200d}
      - {from: 200d, for: 5m, posts: 5}
    expect:
      - {alert: Many, episodes: 2, resolved by: 200d 30m}
  - name: shares are mentions and belong to their story
    events:
      - {at: 1h, post: {id: x, author: alice, followers: 900k}}
      - {from: 1h, for: 5m, shares: 4, of: x}
    expect:
      - {alert: Many, firing by: 1h 5m, top post: x}
  - name: answers to the brand are mentions, others are not
    events:
      - {from: 1h, for: 5m, posts: 5, to: own, names: false}
      - {from: 2h, for: 5m, posts: 50, names: false}
    expect:
      - {alert: Many, episodes: 1, firing by: 1h 5m}
";
    let dir = folder(&[("r.yaml", &first), ("other.yaml", &other), ("r.test.yaml", tests)]);
    let out = groundswell(&["test", "r.test.yaml"], dir.path());
    assert!(out.status.success(), "{}", said(&out));
    // the same without what makes the difference
    for (from, to, expected) in [
        ("rules: other.yaml", "rules: r.yaml", "expected Some to fire by 2h 10m, found it silent"),
        (", source: net, down: 1h", "", "expected Many never to fire, found it firing"),
        ("shares: 4", "shares: 3", "expected Many to fire by 1h 5m, found it silent"),
        (", to: own", "", "expected Many to fire by 1h 5m, found it silent"),
        (
            "{at: 200d}",
            "{from: 201d, for: 5m, posts: 5}",
            "expected Many to be resolved by 200d 30m, found it firing at 201d",
        ),
    ] {
        let tests = tests.replace(from, to);
        let dir = folder(&[("r.yaml", &first), ("other.yaml", &other), ("r.test.yaml", &tests)]);
        let out = groundswell(&["test", "r.test.yaml"], dir.path());
        assert!(out.status.code() == Some(1) && said(&out).contains(expected), "{from}: {}", said(&out));
    }
}

#[test]
fn every_kind_of_expectation_can_fail() {
    let events = "{from: 1h, for: 5m, posts: 5, negative: 100%}, {at: 3h}";
    for (expect, expected) in [
        ("never: true", "expected Many never to fire, found it firing (warn) at 1h 4m 30s"),
        ("firing by: 1h 4m", "expected Many to fire by 1h 4m, found it firing at 1h 4m 30s"),
        ("not firing before: 1h 5m", "expected Many not to fire before 1h 5m, found it firing at 1h 4m 30s"),
        ("severity: page", "expected Many to reach page, found warn at 1h 4m 30s"),
        ("episodes: 2", "expected 2 episodes of Many, found 1, from 1h 4m 30s"),
        ("resolved by: 1h 10m", "expected Many to be resolved by 1h 10m, found it resolved at 1h "),
        ("not resolved before: 2h", "expected Many not to be resolved before 2h, found it resolved at 1h "),
        ("top post: nobody", "expected `nobody` in the top post of Many, found `e0-"),
        ("message contains: [guitar]", "expected `guitar` in the message of Many, found\n"),
        ("group: {brand: other}", "expected Many to fire, found it silent for these; it fired for acme at 1h 4m 30s"),
    ] {
        let tests = format!(
            "brands: {{acme: {{query: acme}}, other: {{query: other}}}}\ntests:\n  - name: t\n    events: [{events}]\n    expect: [{{alert: Many, {expect}}}]\n"
        );
        let dir = folder(&[("r.yaml", RULE), ("r.test.yaml", &tests)]);
        let out = groundswell(&["test", "r.test.yaml"], dir.path());
        let text = said(&out);
        assert!(out.status.code() == Some(1) && text.contains(expected), "{expect}: {text}");
        assert!(text.contains("mentions"), "{text}");
    }
}

#[test]
fn machines_read_what_came_of_it() {
    let tests = "tests:\n  - name: 'a <b> & \"c\"'\n    events: [{from: 1h, for: 5m, posts: 5}]\n    expect: [{alert: Many}]\n  - name: no\n    \
                 events: [{at: 1h}]\n    expect: [{alert: Many}]\n";
    let dir = folder(&[("r.yaml", RULE), ("r.test.yaml", tests), ("bad.test.yaml", "tests: 5\n")]);
    let out = groundswell(&["test", ".", "--json", "--junit", "out.xml"], dir.path());
    assert_eq!(out.status.code(), Some(1));
    let told: Vec<serde_json::Value> =
        String::from_utf8_lossy(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let errors: Vec<&str> = told.iter().filter_map(|t| t["error"].as_str()).collect();
    assert!(
        errors.len() == 2
            && errors[1].starts_with("./bad.test.yaml:1:8: error: expected a test as a mapping, found `5`"),
        "{told:?}"
    );
    let passed: Vec<Option<bool>> =
        told.iter().filter(|t| t["name"].is_string()).map(|t| t["passed"].as_bool()).collect();
    assert_eq!(passed, [Some(true), Some(false)]);
    let xml = std::fs::read_to_string(dir.path().join("out.xml")).unwrap();
    assert!(well_formed(&xml), "{xml}");
    for part in [
        "tests=\"2\" failures=\"1\" errors=\"0\"",
        "name=\"a &lt;b&gt; &amp; &quot;c&quot;\"",
        "<failure message=\"expected Many to fire, found it silent\">",
        "errors=\"1\"",
    ] {
        assert!(xml.contains(part), "{part}\n{xml}");
    }
}

/// Tags are balanced, and nothing stands raw that XML does not take.
fn well_formed(xml: &str) -> bool {
    let mut open: Vec<&str> = Vec::new();
    for piece in xml.split('<').skip(1) {
        let Some((tag, text)) = piece.split_once('>') else { return false };
        if text.contains('&')
            && !text.split('&').skip(1).all(|e| ["lt;", "gt;", "amp;", "quot;"].iter().any(|k| e.starts_with(k)))
        {
            return false;
        }
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.starts_with('?') && !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap_or(""));
        }
    }
    open.is_empty()
}

#[test]
fn editors_know_the_keys() {
    let out = groundswell(&["schema", "tests"], &shipped());
    let schema: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(schema["properties"]["tests"].is_object() && schema["properties"]["brands"].is_object());
    assert_eq!(schema["$defs"]["expectation"]["required"], serde_json::json!(["alert"]));
}
