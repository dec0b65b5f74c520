//! `test`: do rules do what the tests beside them say?

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value as Json, json};

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::{FAILED, FINE};
use crate::app::config;
use crate::app::files::CONFIG;
use crate::app::testing::{self, Report, TestFile, junit};
use crate::base::fault::{Fault, printable};
use crate::base::figures;
use crate::notify::Style;

/// Characters that names of tests take at least.
const NAME: usize = 52;

/// Run the tests beside rule files: what happens, and what alerts must do then
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell test                          all tests beside the rules here\n  \
                        groundswell test rules/hostile-surge.yaml --verbose\n  \
                        groundswell test rules/ --filter swarm --watch\n  \
                        groundswell test rules/ --junit report.xml    for services that build software\n\n\
                        The tests of rules/x.yaml are in rules/x.test.yaml. A small one:\n\n  \
                        tests:\n    - name: a swarm of complaints pages\n      events:\n        \
                        - {from: 0s, for: 2d, rate: 2/min, negative: 20%}\n        \
                        - {from: 2d, for: 10m, rate: +20/min, negative: 80%}\n      expect:\n        \
                        - {alert: HostileSurge, firing by: 2d 10m, severity: page}\n\n\
                        Exit status: 0 all passed, 1 some did not or have mistakes, 2 wrong usage.")]
pub(super) struct Test {
    /// Files with tests, rule files that have some beside them, or folders of these
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only tests whose name, or file, holds this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Draw what happened in tests that passed, too
    #[arg(long, short)]
    verbose: bool,
    /// Only print the names of the tests
    #[arg(long, conflicts_with_all = ["watch", "junit"])]
    list: bool,
    /// Run again whenever files change
    #[arg(long)]
    watch: bool,
    /// Write what came of each test as a line of JSON
    #[arg(long)]
    json: bool,
    /// Also write what came of them as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// What came of a file.
struct Ran {
    name: String,
    file: Option<TestFile>,
    /// By place in the file; those left out by the filter are missing.
    reports: Vec<(usize, Report)>,
    faults: Vec<Fault>,
}

impl Test {
    pub(super) fn run(&self) -> u8 {
        let paths = match self.paths() {
            Ok(paths) => paths,
            Err(faults) => {
                tell_faults(&faults);
                return FAILED;
            }
        };
        if !self.watch {
            return self.once(&paths);
        }
        let mut watch = match testing::Watch::new(&paths) {
            Ok(watch) => watch,
            Err(e) => {
                tell_error(format!("expected files that can be watched, found {e}"));
                return FAILED;
            }
        };
        loop {
            let code = self.once(&paths);
            let tests = testing::find(&paths).map(|f| f.tests).unwrap_or_default();
            let named: Vec<PathBuf> = tests.iter().flat_map(|t| testing::named(t)).filter(|p| p.exists()).collect();
            if let Err(e) = watch.also(&named) {
                tell_error(format!("expected files that can be watched, found {e}"));
            }
            let _ = writeln!(io::stderr(), "\nwaiting for changes");
            if !watch.wait() {
                return code;
            }
        }
    }

    /// Those given, else those of the config's rules, else `rules/`.
    fn paths(&self) -> Result<Vec<PathBuf>, Vec<Fault>> {
        let here = if Path::new(CONFIG).is_file() { "." } else { "rules" };
        let given = if self.paths.is_empty() { vec![PathBuf::from(here)] } else { self.paths.clone() };
        let mut out = Vec::new();
        for path in given {
            // a config stands for the rules it names
            let config = if path.is_dir() { path.join(CONFIG) } else { path.clone() };
            if config.is_file() && config.file_name().is_some_and(|n| n == CONFIG) {
                out.extend(config::load(&config)?.0.rules);
            } else {
                out.push(path);
            }
        }
        Ok(out)
    }

    fn once(&self, paths: &[PathBuf]) -> u8 {
        let found = match testing::find(paths) {
            Ok(found) => found,
            Err(faults) => {
                tell_faults(&faults);
                return FAILED;
            }
        };
        let began = Instant::now();
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut ran = Vec::new();
        for path in &found.tests {
            match self.file(path, &mut out) {
                Ok(one) => ran.push(one),
                Err(e) if is_closed(&e) => return FINE,
                Err(e) => {
                    tell_error(format!("expected an output that takes more, found {e}"));
                    return FAILED;
                }
            }
        }
        for path in &found.untested {
            let shown = printable(&path.display().to_string());
            let _ = out.flush();
            let _ = writeln!(io::stderr(), "note: {shown} has no tests beside it");
        }
        if let Some(to) = &self.junit
            && let Err(e) = std::fs::write(to, report(&ran))
        {
            tell_error(format!("expected to write {}, found {e}", printable(&to.display().to_string())));
            return FAILED;
        }
        self.summary(&ran, began.elapsed(), &mut out)
    }

    /// Runs the tests of one file and tells of each as soon as it is over.
    fn file(&self, path: &Path, out: &mut impl Write) -> io::Result<Ran> {
        let name = path.display().to_string();
        let mut ran = Ran { name, file: None, reports: Vec::new(), faults: Vec::new() };
        match testing::read(path) {
            Err(faults) => {
                out.flush()?;
                if self.json {
                    for f in &faults {
                        writeln!(out, "{}", json!({"file": ran.name, "error": f.to_string()}))?;
                    }
                } else {
                    tell_faults(&faults);
                }
                ran.faults = faults;
            }
            Ok(file) => {
                for (i, test) in file.tests.iter().enumerate().filter(|(_, t)| self.wants(&ran.name, &t.name)) {
                    if self.list {
                        writeln!(out, "{}: {}", test.place, printable(&test.name))?;
                        continue;
                    }
                    let report = testing::run(test, self.verbose);
                    if self.json {
                        writeln!(out, "{}", as_json(&ran.name, test, &report))?;
                    } else {
                        out.write_all(shown(test, &report, style_of(&io::stdout())).as_bytes())?;
                    }
                    out.flush()?;
                    ran.reports.push((i, report));
                }
                ran.file = Some(file);
            }
        }
        Ok(ran)
    }

    fn wants(&self, file: &str, name: &str) -> bool {
        let held = |wanted: &String| {
            let wanted = wanted.to_lowercase();
            name.to_lowercase().contains(&wanted) || file.to_lowercase().contains(&wanted)
        };
        self.filter.as_ref().is_none_or(held)
    }

    /// How many names of tests were printed.
    fn listed(&self, ran: &[Ran]) -> usize {
        let tests = |r: &Ran| r.file.iter().flat_map(|f| &f.tests).filter(|t| self.wants(&r.name, &t.name)).count();
        ran.iter().map(tests).sum()
    }

    fn summary(&self, ran: &[Ran], took: Duration, out: &mut impl Write) -> u8 {
        let all: usize = ran.iter().map(|r| r.reports.len()).sum();
        let failed = ran.iter().flat_map(|r| &r.reports).filter(|(_, r)| !r.failures.is_empty()).count();
        let broken = ran.iter().filter(|r| r.file.is_none()).count();
        if !self.json && !self.list {
            let broken = match broken {
                0 => String::new(),
                n => format!(", {} with mistakes", figures::count(n, "file")),
            };
            let files = figures::count(ran.len(), "file");
            let passed = all - failed;
            let _ = writeln!(
                out,
                "{} of {files}: {passed} passed, {failed} failed{broken}   {}",
                figures::count(all, "test"),
                took_words(took)
            );
        }
        if out.flush().is_err() || failed > 0 || broken > 0 {
            return FAILED;
        }
        // a name that is misspelt must not look like success
        let none = if self.list { self.listed(ran) == 0 } else { all == 0 };
        if none {
            tell_error("expected tests, found none");
            return FAILED;
        }
        FINE
    }
}

fn took_words(took: Duration) -> String {
    if took >= Duration::from_secs(10) {
        format!("{:.0} s", took.as_secs_f64())
    } else {
        format!("{} ms", took.as_millis())
    }
}

/// A test in lines for people.
fn shown(test: &testing::Test, r: &Report, style: Style) -> String {
    let paint = |code: &str, text: &str| {
        if style.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    };
    let word = if r.failures.is_empty() { paint("32", "ok  ") } else { paint("1;31", "FAIL") };
    let name = printable(&test.name);
    let mut out = format!("{word} {name:<NAME$} {:>8}\n", took_words(r.took));
    for note in &r.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    for f in &r.failures {
        let what = printable(&f.what).replace('\n', "\n    ");
        let _ = writeln!(out, "  {}: {what}\n\n{}", f.place, printable(&f.picture));
    }
    out.push_str(&printable(&r.picture));
    out
}

fn as_json(file: &str, test: &testing::Test, r: &Report) -> Json {
    let failures = r.failures.iter().map(|f| {
        json!({"line": f.place.line, "column": f.place.column, "alert": f.alert, "message": f.what, "picture": f.picture})
    });
    json!({
        "file": file,
        "line": test.place.line,
        "name": test.name,
        "passed": r.failures.is_empty(),
        "seconds": r.took.as_secs_f64(),
        "posts": r.posts,
        "mentions": r.mentions,
        "notes": r.notes,
        "failures": failures.collect::<Vec<_>>(),
    })
}

fn report(ran: &[Ran]) -> String {
    let suites = ran.iter().map(|r| {
        let tests = |i: usize| r.file.as_ref().and_then(|f| f.tests.get(i));
        let case = |(i, report)| tests(i).map(|t| junit::Case { name: &t.name, report });
        let faults: Vec<String> = r.faults.iter().map(Fault::to_string).collect();
        junit::Suite {
            name: &r.name,
            cases: r.reports.iter().map(|(i, report)| (*i, report)).filter_map(case).collect(),
            broken: (!faults.is_empty()).then(|| faults.join("\n")),
        }
    });
    junit::document(&suites.collect::<Vec<_>>())
}
