//! Tidiness is a test: layers, banned calls, lengths, the words of the project.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

/// Longest module without its tests.
const MODULE_LINES: usize = 500;
/// Median length of modules without their tests.
const MEDIAN_LINES: usize = 200;
/// Longest function.
const FUNCTION_LINES: usize = 70;

const STAGES: [&str; 6] = ["collect", "decode", "enrich", "enroll", "fold", "judge"];
const ENDS: [&str; 3] = ["notify", "serve", "store"];
/// Stages that do no I/O, read no clock, draw no randomness, log nothing, know no tokio.
const PURE: [&str; 6] = ["base", "decode", "enrich", "enroll", "fold", "judge"];
const BANNED_IN_PURE: [&str; 14] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::io",
    "std::time",
    "std::thread",
    "Instant",
    "SystemTime",
    "rand::",
    "RandomState",
    "tracing",
    "println!",
    "dashmap",
    "moka",
];

struct Module {
    /// Path below `src`, with `/`.
    path: String,
    /// Lines before the tests.
    lines: Vec<String>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, out);
        } else if path.to_string_lossy().ends_with(ending) {
            out.push(path);
        }
    }
}

fn modules() -> Vec<Module> {
    let mut paths = Vec::new();
    files(&root().join("src"), ".rs", &mut paths);
    // a file of tests is no module of the program
    paths.retain(|p| !p.ends_with("tests.rs"));
    paths.sort();
    assert!(paths.len() > 50, "the sources were not found");
    paths
        .iter()
        .map(|p| {
            let text = std::fs::read_to_string(p).unwrap();
            let lines = text.lines().take_while(|l| *l != "#[cfg(test)]").map(str::to_string).collect();
            Module { path: p.strip_prefix(root().join("src")).unwrap().to_string_lossy().replace('\\', "/"), lines }
        })
        .collect()
}

fn room(m: &Module) -> &str {
    m.path.split(['/', '.']).next().unwrap()
}

fn code(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with("//") { "" } else { line.split(" // ").next().unwrap() }
}

#[test]
fn stages_know_base_and_themselves_only() {
    let mut wrong = Vec::new();
    for m in modules() {
        let own = room(&m).to_string();
        for (i, line) in m.lines.iter().enumerate() {
            for other in STAGES.iter().chain(&ENDS).chain(&["app"]) {
                let names = code(line).contains(&format!("crate::{other}::"))
                    || code(line).contains(&format!("crate::{other};"));
                let allowed = own == *other || own == "app" || own == "lib" || own == "main";
                if names && !allowed {
                    wrong.push(format!("{}:{}: {own} names {other}", m.path, i + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_middle_is_pure() {
    let mut wrong = Vec::new();
    for m in modules().iter().filter(|m| PURE.contains(&room(m))) {
        for (i, line) in m.lines.iter().enumerate() {
            for banned in BANNED_IN_PURE {
                let stands = |at: usize| !code(line)[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
                if code(line).match_indices(banned).any(|(at, _)| stands(at)) {
                    wrong.push(format!("{}:{}: {banned}", m.path, i + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_left_open_or_unwrapped() {
    let mut wrong = Vec::new();
    for m in modules() {
        for (i, line) in m.lines.iter().enumerate() {
            for banned in [
                ".unwrap()",
                ".expect(",
                "todo!",
                "unimplemented!",
                "TODO",
                "FIXME",
                "dbg!",
                "#[allow",
                "unsafe {",
                "unsafe fn",
                "panic!(",
            ] {
                if code(line).contains(banned) {
                    wrong.push(format!("{}:{}: {banned}", m.path, i + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rooms_and_functions_are_short() {
    let (mut wrong, mut lengths) = (Vec::new(), Vec::new());
    for m in modules() {
        lengths.push(m.lines.len());
        if m.lines.len() > MODULE_LINES {
            wrong.push(format!("{}: {} lines", m.path, m.lines.len()));
        }
        let mut start: Option<(usize, usize)> = None;
        for (i, line) in m.lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let begins = [
                "fn ",
                "pub fn ",
                "pub(crate) fn ",
                "pub(super) fn ",
                "async fn ",
                "pub async fn ",
                "pub const fn ",
                "const fn ",
            ];
            if start.is_none()
                && begins.iter().any(|b| line.trim_start().starts_with(b))
                && !line.trim_end().ends_with(';')
            {
                start = Some((i, indent));
            }
            if let Some((from, at)) = start
                && indent == at
                && line.trim_start().starts_with('}')
            {
                if i - from + 1 > FUNCTION_LINES {
                    wrong.push(format!("{}:{}: a function of {} lines", m.path, from + 1, i - from + 1));
                }
                start = None;
            }
        }
    }
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN_LINES, "median {median} lines");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_room_says_what_it_is() {
    let silent: Vec<String> = modules()
        .into_iter()
        .filter(|m| !m.lines.first().is_some_and(|l| l.starts_with("//! ")))
        .map(|m| m.path)
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn every_limit_is_used() {
    let all = modules();
    let (limits, others): (Vec<&Module>, Vec<&Module>) = all.iter().partition(|m| m.path.starts_with("base/limits"));
    let names = limits.iter().flat_map(|m| &m.lines).filter_map(|l| l.strip_prefix("pub const ")?.split(':').next());
    let unused: Vec<&str> =
        names.filter(|n| !others.iter().any(|m| m.lines.iter().any(|l| l.contains(&format!("limits::{n}"))))).collect();
    assert_eq!(limits.len(), 3);
    assert!(unused.is_empty(), "{unused:?}");
}

#[test]
fn docs_name_every_outcome() {
    let outcomes = std::fs::read_to_string(root().join("src/base/outcome.rs")).unwrap();
    let docs = std::fs::read_to_string(root().join("docs/operating.md")).unwrap();
    let variants = outcomes.split("outcomes! {").nth(1).unwrap().split("\n}").next().unwrap();
    let wanted: Vec<String> = variants.lines().filter_map(|l| l.split('"').nth(1)).map(|n| format!("`{n}`")).collect();
    assert!(wanted.len() > 10, "{wanted:?}");
    let missing: Vec<&String> = wanted.iter().filter(|n| !docs.contains(n.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
