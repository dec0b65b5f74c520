//! Rule files with mistakes, by the name of the mistake: what `check` says of each is kept beside
//! it (`UPDATE_BAD=1` writes it anew). Large ones are made here.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use groundswell::app::report::{Look, excerpts_of, told};
use groundswell::base::folding::fold;
use groundswell::base::rule::expr::{Lets, parse_condition, parse_quantity};
use groundswell::base::rule::{RuleSet, SourceText, Template, lint, query};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn check(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_groundswell")).arg("check").args(args).current_dir(dir).output().unwrap()
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(root().join(folder)).unwrap().map(|e| e.unwrap().path());
    let mut all: Vec<PathBuf> = all.filter(|p| p.is_file() && p.to_string_lossy().ends_with(ending)).collect();
    all.sort();
    assert!(!all.is_empty(), "{folder}");
    all
}

fn shown(out: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!("exit {}\n{}{}", out.status.code().unwrap(), text(&out.stderr), text(&out.stdout))
}

#[test]
fn every_bad_file_gets_the_report_beside_it() {
    let dir = root().join("tests/bad");
    let mut wrong = Vec::new();
    for file in files("tests/bad", ".yaml") {
        let name = file.file_name().unwrap().to_str().unwrap();
        let found = shown(&check(&dir, &[name]));
        assert!(!found.contains("panicked") && !found.contains(['\u{1b}', '\u{202e}', '\u{7}', '\0']), "{found:?}");
        let beside = file.with_extension("txt");
        if std::env::var_os("UPDATE_BAD").is_some() {
            std::fs::write(&beside, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{name}: expected\n{expected}\nfound\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn warnings_count_only_where_that_is_asked_for() {
    let dir = root().join("tests/bad");
    assert_eq!(check(&dir, &["never_fires.yaml"]).status.code(), Some(0));
    assert_eq!(check(&dir, &["--strict", "never_fires.yaml"]).status.code(), Some(1));
    let lines = check(&dir, &["--json", "never_fires.yaml"]);
    let lines: Vec<serde_json::Value> = lines
        .stdout
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert_eq!(lines[0]["excerpt"], "    when: mentions[1h] >= 20 and negative_share[1h] >= 150%");
    assert_eq!((&lines[0]["line"], &lines[0]["column"]), (&4.into(), &34.into()));
    assert_eq!((&lines[2]["kind"], &lines[2]["rule"]), (&"rule".into(), &"TooNegative".into()));
}

#[test]
fn what_ships_and_what_is_documented_is_sound() {
    let root = root();
    let mut sound = vec!["rules".to_string()];
    // brands of these are called by common words
    let common = ["three_sources", "distinct"];
    for case in std::fs::read_dir(root.join("tests/golden")).unwrap() {
        let name = case.unwrap().file_name().into_string().unwrap();
        if !common.contains(&&*name) {
            sound.push(format!("tests/golden/{name}/rules.yaml"));
        }
    }
    for path in sound {
        let found = shown(&check(&root, &["--strict", &path]));
        assert!(found.starts_with("exit 0\n") && !found.contains("warning: "), "{path}: {found}");
    }
    let page = std::fs::read_to_string(root.join("rules/README.md")).unwrap();
    let example = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("r.yaml"), example).unwrap();
    let found = shown(&check(dir.path(), &["r.yaml"]));
    assert!(found.starts_with("exit 0\n"), "{found}");
}

/// What is large, and what the report must say.
fn large() -> Vec<(&'static str, String, &'static str)> {
    let rule = |when: String| format!("rules:\n  - alert: R\n    severity: warn\n    when: '{when}'\n");
    let query = |q: String| format!("brands:\n  a: {{query: '{q}'}}\n");
    let many = |n: usize, one: &dyn Fn(usize) -> String| (0..n).map(one).collect::<String>();
    vec![
        (
            "parentheses",
            rule(format!("{}mentions[1h] > 1{}", "(".repeat(1000), ")".repeat(1000))),
            "expected at most 64 levels",
        ),
        ("nots", rule(format!("{}mentions[1h] > 1", "not ".repeat(1000))), "expected at most 64 levels"),
        ("minus", rule(format!("{}mentions[1h] > 1", "-".repeat(1000))), "expected at most 64 levels"),
        ("ands", rule(vec!["lead > 1"; 5000].join(" and ")), "expected at most 500 measures"),
        ("ors", rule(vec!["lead > 1"; 10_000].join(" or ")), "expected at most 65536 bytes"),
        ("sums", rule(format!("{} > 1", vec!["1"; 10_000].join("+"))), "expected at most 500 measures"),
        ("terms", query(vec!["acme"; 10_000].join(" OR ")), "expected at most 2000 terms"),
        ("query", query("acme ".repeat(1_000_000)), "expected a query of at most 1048576 bytes"),
        ("groups", query(format!("{}a{}", "(".repeat(10_000), ")".repeat(10_000))), "expected at most 64 levels"),
        ("nested", "[".repeat(100_000), "recursion limit"),
        ("nested flow", "{a: ".repeat(10_000), "expected YAML"),
        (
            "one line",
            format!("brands: {{{}}}\n", many(60_000, &|i| format!("b{i}: {{query: x OR}}, "))),
            "mistakes, found more",
        ),
        (
            "brands",
            format!("brands:\n{}", many(100_000, &|i| format!("  b{i}: {{query: b{i}}}\n"))),
            "expected at most 20000 brands",
        ),
        (
            "rules",
            format!(
                "rules:\n{}",
                many(30_000, &|i| format!("  - {{alert: R{i}, severity: warn, when: 'mentions[1h] > {i}'}}\n"))
            ),
            "expected at most 20000 rules",
        ),
        (
            "repeated rules",
            format!("rules:\n{}", "  - {alert: R, severity: warn, when: 'mentions[1h] > 1'}\n".repeat(30_000)),
            "found it again",
        ),
        (
            "unknown keys",
            format!("brands: {{a: {{{}}}}}\n", many(100_000, &|i| format!("k{i}: 1, "))),
            "expected a key of brand `a`",
        ),
        ("too large", format!("# {}\n", "x".repeat(17 << 20)), "more than 16777216 bytes"),
        (
            "summary",
            format!(
                "rules:\n  - {{alert: R, severity: warn, when: 'mentions[1h] > 1', summary: '{}'}}\n",
                "{{ mentions[1h] }}".repeat(100_000)
            ),
            "expected at most 65536 bytes",
        ),
    ]
}

#[test]
fn what_is_too_large_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text, what) in large() {
        std::fs::write(dir.path().join("r.yaml"), text).unwrap();
        let out = check(dir.path(), &["r.yaml"]);
        let found = shown(&out);
        let cut: String = found.chars().take(2000).collect();
        assert!(out.status.code() == Some(1) && found.contains(what), "{name}: {cut}");
        assert!(found.len() < 400_000 && found.matches("error: ").count() <= 402, "{name}: {}", found.len());
    }
}

/// What is large and can be read, and what is told of it: what it costs is bounded, and that is said.
#[test]
fn what_is_large_and_allowed_is_looked_at_within_bounds() {
    const SPENT: &str = "conditions and queries that can be looked at whole";
    let rules = |n: usize, one: &dyn Fn(usize) -> String| {
        let all: String = (0..n).map(|i| format!("  - {{alert: R{i}, severity: warn, {}}}\n", one(i))).collect();
        format!("rules:\n{all}")
    };
    let doubled: Vec<String> = (1..9).map(|i| format!("a{i}: 'a{0} + a{0}'", i - 1)).collect();
    let names = format!("let: {{a0: 'mentions[1h]', {}}}", doubled.join(", "));
    let sum: Vec<String> = (0..498).map(|i| format!("mentions[{}m]", i % 50 + 1)).collect();
    let nested = (1..60).fold("mentions[1h] > 1".to_string(), |inner, i| {
        let word = if i % 2 == 0 { "and" } else { "or" };
        format!("({inner} {word} authors[{i}m] > 1 {word} shares[{i}m] > 2)")
    });
    let twins = |i: usize| format!("mode: shadow, twin: ThatRule{i}, when: 'mentions[1h] > {i}'");
    let dir = tempfile::tempdir().unwrap();
    for (name, text, status, what, spent) in [
        ("let", rules(2000, &|i| format!("{names}, when: 'a8 > {i}'")), 1, "500000 in all rules, found more", false),
        (
            "let twice",
            rules(1, &|_| {
                format!(
                    "{names}, when: 'a8 > 1', clear: 'a8 < 1', summary: '{{{{ a8 }}}}{{{{ a8 }}}}{{{{ a8 }}}}{{{{ a8 }}}}'"
                )
            }),
            1,
            "at most 2000 measures",
            false,
        ),
        ("sums", rules(60, &|i| format!("when: '{} > {i}'", sum.join(" + "))), 0, "60 rules", false),
        ("nested", rules(400, &|i| format!("when: '{nested} or reach[1h] > {i}'")), 0, SPENT, true),
        ("twins", rules(4000, &twins), 1, "expected a live rule in `twin`", false),
    ] {
        std::fs::write(dir.path().join("r.yaml"), text).unwrap();
        let out = check(dir.path(), &["r.yaml"]);
        let found = shown(&out);
        let cut: String = found.chars().take(2000).collect();
        assert!(out.status.code() == Some(status) && found.contains(what), "{name}: {cut}");
        assert_eq!(found.matches(SPENT).count(), usize::from(spent), "{name}: {cut}");
    }
}

#[test]
fn nothing_that_is_wrong_hides_something_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir(path("rules")).unwrap();
    std::fs::write(path("rules/r.yaml"), "brands: {a: {query: 'x OR'}}\n").unwrap();
    std::fs::write(path("groundswell.yaml"), "lsiten: 127.0.0.1:1\n").unwrap();
    let found = shown(&check(dir.path(), &["."]));
    assert!(found.contains("found `lsiten`") && found.contains("r.yaml:1:"), "{found}");
    let missing = shown(&check(dir.path(), &["x.test.yaml"]));
    assert!(missing.starts_with("exit 1\n") && missing.contains("x.test.yaml"), "{missing}");
    std::fs::create_dir(path("none")).unwrap();
    let none = shown(&check(dir.path(), &["none"]));
    assert!(none.contains("warning: expected rule files, found none in none"), "{none}");
    assert_eq!(check(dir.path(), &["--strict", "none"]).status.code(), Some(1));
}

#[test]
fn lines_of_json_say_what_people_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let rules = "brands: {a: {query: acme}}\nrules:\n  - {alert: R, severity: warn, let: {m: 'mentions[2h]'}, when: 'm > 3 * usual(negative_share)'}\n  - {alert: T, by: [brand, tag], severity: warn, when: 'new_term(1d)'}\n  - {alert: U, severity: warn, when: 'mentions[1h] > 5'}\n";
    std::fs::write(dir.path().join("r.yaml"), rules).unwrap();
    let out = check(dir.path(), &["--json", "r.yaml"]);
    let text = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines[0]["let"], serde_json::json!([{"name": "m", "means": "mentions[2h]"}]));
    assert_eq!(lines[0]["looks_back_seconds"], 7200.0);
    assert!(lines[0]["unknown_at_first"][0].as_str().unwrap().contains("first 12h"), "{text}");
    assert!(lines[1]["unknown_at_first"][0].as_str().unwrap().contains("first 1d"), "{text}");
    assert_eq!((&lines[2]["learns"], &lines[2]["unknown_at_first"]), (&false.into(), &serde_json::json!([])));
    assert_eq!(
        (&lines[3]["kind"], &lines[3]["rules"], &lines[3]["brands_without_own"]),
        (&"total".into(), &3.into(), &1.into())
    );
}

#[cfg(unix)]
#[test]
fn folders_that_hold_themselves_and_pipes_come_to_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    std::os::unix::fs::symlink(&rules, rules.join("again")).unwrap();
    std::os::unix::fs::symlink(&rules, rules.join("again.yaml")).unwrap();
    std::os::unix::fs::symlink(rules.join("loop.yaml"), rules.join("loop.yaml")).unwrap();
    std::fs::write(rules.join("r.yaml"), "brands: {a: {query: acme}}\n").unwrap();
    let found = shown(&check(dir.path(), &["rules"]));
    assert!(found.starts_with("exit 0\n") && found.contains("1 brands"), "{found}");
    let found = shown(&check(dir.path(), &["rules/loop.yaml"]));
    assert!(found.starts_with("exit 1\n") && found.contains("loop.yaml: "), "{found}");
}

#[test]
fn names_that_two_files_use_are_told_with_both_places() {
    let dir = tempfile::tempdir().unwrap();
    let text = "lists: {w: {authors: [x]}}\nbrands: {a: {query: acme}}\ngroups: {g: {brands: [a]}}\nrules: [{alert: R, severity: warn, when: 'mentions[1h] > 1'}]\n";
    for name in ["1.yaml", "2.yaml"] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let found = shown(&check(dir.path(), &["1.yaml", "2.yaml"]));
    for (place, first) in [
        ("2.yaml:1:9", "1.yaml:1:9"),
        ("2.yaml:2:10", "1.yaml:2:10"),
        ("2.yaml:3:10", "1.yaml:3:10"),
        ("2.yaml:4:9", "1.yaml:4:9"),
    ] {
        let line = found.lines().find(|l| l.starts_with(place)).unwrap_or_else(|| panic!("{place}: {found}"));
        assert!(line.contains(&format!("first at {first}")), "{line}");
    }
}

/// What the fuzz target of rule files does.
fn rules(text: &str) {
    let files = [SourceText { file: "f".into(), text: text.into() }];
    let mut faults = lint::warnings(&files, true, &|t| fold(t).into_owned());
    match RuleSet::load(&files) {
        Ok((set, more)) => {
            faults.extend(more);
            assert_eq!(RuleSet::load(&files).unwrap().0.fingerprint, set.fingerprint);
        }
        Err(more) => faults.extend(more),
    }
    for (fault, excerpt) in faults.iter().zip(excerpts_of(&faults, &|_| Some(text.to_string()))) {
        for unicode in [false, true] {
            let shown = told(fault, excerpt.as_ref(), Look { colour: false, unicode });
            assert!(shown.starts_with("f:") && !shown.contains(['\u{1b}', '\u{202e}', '\0']), "{shown:?}");
        }
    }
}

#[test]
fn seeds_of_the_fuzzers_pass() {
    for seed in files("tests/fuzz/seeds/query", "") {
        let text = std::fs::read_to_string(&seed).unwrap();
        if let Ok(q) = query::parse(&text) {
            assert_eq!(query::parse(&q.to_string()).as_ref(), Ok(&q), "{text}");
        }
        rules(&serde_json::json!({"brands": {"b": {"query": text, "exclude": text}}}).to_string());
    }
    for seed in files("tests/fuzz/seeds/expression", "") {
        let text = std::fs::read_to_string(&seed).unwrap();
        for read in [parse_condition, parse_quantity] {
            if let Ok(e) = read(&text) {
                assert_eq!(read(&e.to_string()).as_ref(), Ok(&e), "{text}");
            }
        }
        let _ = Template::parse(&text, &Lets::default());
        rules(
            &serde_json::json!({"rules": [{"alert": "R", "severity": "warn", "when": text, "summary": text}]})
                .to_string(),
        );
    }
    let seeds = files("tests/fuzz/seeds/rules", ".yaml");
    for seed in seeds.into_iter().chain(files("tests/bad", ".yaml")) {
        if let Ok(text) = std::fs::read_to_string(&seed) {
            rules(&text);
        }
    }
}

#[test]
fn what_is_noise_in_a_recording_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let rules = "brands:\n  acme: {query: acme}\n  quiet: {query: zzyzx}\nrules:\n  - {alert: Always, severity: warn, when: 'mentions[10m] >= 1'}\n  - {alert: Seldom, severity: page, when: 'mentions[10m] >= 1000'}\n";
    let posts: Vec<String> = (0..1200)
        .map(|i| {
            let (hour, minute, second) = (8 + i / 360, i / 6 % 60, i % 6 * 10);
            let text = if i % 3 == 0 { "acme again" } else { "something else" };
            format!(r#"{{"id":"p{i}","source":"net","author":"a{i}","text":"{text}","time":"2026-07-04T{hour:02}:{minute:02}:{second:02}Z"}}"#)
        })
        .collect();
    std::fs::write(dir.path().join("r.yaml"), rules).unwrap();
    std::fs::write(dir.path().join("posts.ndjson"), posts.join("\n")).unwrap();
    let found = shown(&check(dir.path(), &["r.yaml", "--on", "posts.ndjson", "--format", "post"]));
    for what in [
        "r.yaml:5:1: warning: expected a threshold above the noise, found rule `Always` firing 100 % of the time for `acme`",
        "expected mentions of `quiet`, found none in 1200 frames",
        "found that of `acme` in 33 % of all frames",
        "1200 frames over 3h",
    ] {
        assert!(found.contains(what), "{what}: {found}");
    }
    assert!(found.starts_with("exit 0\n") && !found.contains("`Seldom`"), "{found}");
    let strict = check(dir.path(), &["r.yaml", "--strict", "--json", "--on", "posts.ndjson"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(shown(&strict).contains(r#""kind":"noise""#), "{}", shown(&strict));
    let missing = check(dir.path(), &["r.yaml", "--on", "nothing.ndjson"]);
    assert!(missing.status.code() == Some(1) && shown(&missing).contains("nothing.ndjson"), "{}", shown(&missing));
}

#[test]
fn one_incident_in_a_recording_is_no_noise() {
    let dir = tempfile::tempdir().unwrap();
    let rules =
        "brands: {acme: {query: acme}}\nrules:\n  - {alert: Crisis, severity: page, when: 'mentions[10m] >= 5'}\n";
    // ten hours, and talk for 75 minutes of them
    let posts: Vec<String> = (0..1800)
        .map(|i| {
            let (hour, minute, second) = (8 + i / 180, i / 3 % 60, i % 3 * 20);
            let text = if (900..1125).contains(&i) { "acme is awful" } else { "nice weather" };
            format!(r#"{{"id":"p{i}","source":"net","author":"a{i}","text":"{text}","time":"2026-07-04T{hour:02}:{minute:02}:{second:02}Z"}}"#)
        })
        .collect();
    std::fs::write(dir.path().join("r.yaml"), rules).unwrap();
    std::fs::write(dir.path().join("posts.ndjson"), posts.join("\n")).unwrap();
    let found = shown(&check(dir.path(), &["r.yaml", "--on", "posts.ndjson", "--format", "post"]));
    assert!(found.contains("Crisis") && !found.contains("above the noise"), "{found}");
}
