//! Which files with tests paths mean.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::rules::has_key;
use crate::app::files::{read_text, rule_files};
use crate::base::fault::Fault;
use crate::base::limits;

const ENDING: &str = ".test.yaml";

/// Files with tests, and rule files that have none beside them.
#[derive(Debug, Default)]
pub struct Found {
    /// Files with tests, in order.
    pub tests: Vec<PathBuf>,
    /// Rule files with rules that no file beside them tests.
    pub untested: Vec<PathBuf>,
}

/// What paths mean: a folder its own `*.test.yaml`, a rule file the one beside it, any other file itself.
///
/// # Errors
/// Every path that cannot be read.
pub fn find(paths: &[PathBuf]) -> Result<Found, Vec<Fault>> {
    let (mut out, mut faults) = (Found::default(), Vec::new());
    let mut rules: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            match rule_files(std::slice::from_ref(path)) {
                Ok(files) => rules.extend(files),
                Err(more) => faults.extend(more),
            }
            out.tests.extend(in_folder(path));
        } else if !is_test(path) && beside(path).is_file() {
            out.tests.push(beside(path));
        } else if !is_test(path)
            && read_text(path).is_ok_and(|t| has_key(&t.text, "rules") && !has_key(&t.text, "tests"))
        {
            rules.push(path.clone());
        } else {
            out.tests.push(path.clone());
        }
    }
    let mut seen = BTreeSet::new();
    out.tests.retain(|p| seen.insert(p.canonicalize().unwrap_or_else(|_| p.clone())));
    let has_rules = |p: &PathBuf| read_text(p).is_ok_and(|t| has_key(&t.text, "rules"));
    out.untested = rules.into_iter().filter(|p| !beside(p).is_file() && has_rules(p)).collect();
    if out.tests.len() > limits::TEST_FILES {
        let what = format!("expected at most {} files with tests, found {}", limits::TEST_FILES, out.tests.len());
        faults.push(Fault::new(what));
    }
    if faults.is_empty() { Ok(out) } else { Err(faults) }
}

/// The files with tests that a folder holds itself.
fn in_folder(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let mut files: Vec<PathBuf> = entries.filter(|p| is_test(p) && p.is_file()).collect();
    files.sort();
    files
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("");
    name.ends_with(ENDING) && !name.starts_with('.')
}

/// Where the tests of a rule file are: `x.test.yaml` of `x.yaml`.
fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().and_then(|n| n.to_str()).unwrap_or("");
    path.with_file_name(format!("{stem}{ENDING}"))
}
