//! Completions and pages of the manual, as shells and `man` take them.

use std::process::{Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_groundswell");

fn output(program: &str, args: &[&str]) -> Option<Output> {
    Command::new(program).args(args).stdin(Stdio::null()).output().ok()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_shell_gets_completions_and_bash_completes_words_with_them() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = output(PROGRAM, &["completions", shell]).unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{shell}: {}", text(&out.stderr));
        assert!(text(&out.stdout).contains("send-test"), "{shell}");
        std::fs::write(dir.path().join(shell), out.stdout).unwrap();
    }
    let script = dir.path().join("bash").display().to_string();
    let Some(sound) = output("bash", &["-n", &script]) else {
        eprintln!("skipped: bash is not here");
        return;
    };
    assert!(sound.status.success() && sound.stderr.is_empty(), "{}", text(&sound.stderr));
    let complete = |words: &[&str]| {
        let body = format!(
            "set -u; source '{script}'; COMP_WORDS=({}); COMP_CWORD={}; COMPREPLY=(); _groundswell groundswell {:?} {:?}; echo \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let out = output("bash", &["--norc", "-c", &body]).unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{words:?}: {}", text(&out.stderr));
        text(&out.stdout).trim().to_string()
    };
    assert_eq!(complete(&["groundswell", "de"]), "demo");
    assert_eq!(complete(&["groundswell", "silence", "a"]), "add");
    assert_eq!(complete(&["groundswell", "run", "--con"]), "--config");
    assert_eq!(complete(&["groundswell", "completions", "f"]), "fish");
}

/// Names of the commands that the help of one lists, without `help`.
fn listed(path: &[&str]) -> Vec<String> {
    let help = output(PROGRAM, &[path, &["--help"]].concat()).unwrap();
    let help = text(&help.stdout);
    let Some((_, rest)) = help.split_once("Commands:\n") else { return Vec::new() };
    let names = rest.lines().take_while(|l| !l.is_empty()).filter(|l| l.starts_with("  ") && !l.starts_with("   "));
    names.filter_map(|l| l.split_whitespace().next()).filter(|n| *n != "help").map(str::to_string).collect()
}

#[test]
fn every_command_has_a_page_and_man_has_nothing_to_complain_of() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("man1").display().to_string();
    let out = output(PROGRAM, &["man", &folder]).unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    let pages: Vec<&str> = text(&out.stdout).lines().collect();
    let mut wanted = vec!["groundswell".to_string()];
    for name in listed(&[]) {
        wanted.extend(listed(&[&name]).iter().map(|below| format!("groundswell-{name}-{below}")));
        wanted.push(format!("groundswell-{name}"));
    }
    assert!(wanted.len() > 25, "{wanted:?}");
    let mut found: Vec<String> =
        pages.iter().map(|p| p.rsplit('/').next().unwrap().trim_end_matches(".1").to_string()).collect();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
    let one = output(PROGRAM, &["man"]).unwrap();
    assert_eq!(one.stdout, std::fs::read(format!("{folder}/groundswell.1")).unwrap());
    for page in &pages {
        let Some(shown) = output("groff", &["-man", "-ww", "-z", "-Tutf8", page]) else {
            eprintln!("skipped: groff is not here");
            return;
        };
        assert!(shown.status.success() && shown.stderr.is_empty(), "{page}: {}", text(&shown.stderr));
    }
    let shown =
        output("groff", &["-man", "-Tascii", "-P-c", "-P-b", "-P-u", &format!("{folder}/groundswell-run.1")]).unwrap();
    let shown = text(&shown.stdout);
    // each example on its line
    assert!(shown.lines().any(|l| l.trim() == "groundswell run -c /etc/groundswell/groundswell.yaml"), "{shown}");
}
