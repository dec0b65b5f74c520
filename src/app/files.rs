//! Rule files from disk.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::base::fault::{Fault, Place};
use crate::base::limits;
use crate::base::rule::{RuleSet, SourceText};

/// The service's config file.
pub const CONFIG: &str = "groundswell.yaml";

/// The rule files that paths mean: a file is itself, a folder its own `*.yaml` without the config, not its
/// subfolders. Files of tests are left out: shells make them of `rules/*.yaml`, too.
///
/// # Errors
/// Every path that cannot be read.
pub fn rule_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Vec<Fault>> {
    let (mut out, mut faults) = (Vec::new(), Vec::new());
    for path in paths {
        if !path.is_dir() {
            let tests = path.to_str().is_some_and(|p| p.ends_with(".test.yaml"));
            out.extend((!tests).then(|| path.clone()));
            continue;
        }
        match std::fs::read_dir(path) {
            Err(e) => {
                faults.push(Fault::new(format!("expected a folder that can be read, found {}: {e}", path.display())))
            }
            Ok(entries) => {
                let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|p| is_rule_file(p)).collect();
                files.sort();
                out.append(&mut files);
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    out.retain(|p| seen.insert(p.canonicalize().unwrap_or_else(|_| p.clone())));
    if faults.is_empty() { Ok(out) } else { Err(faults) }
}

fn is_rule_file(p: &Path) -> bool {
    let name = p.file_name().and_then(|n| n.to_str()).unwrap_or("");
    p.is_file() && name.ends_with(".yaml") && !name.ends_with(".test.yaml") && name != CONFIG && !name.starts_with('.')
}

/// Reads a text file within the limit for rules.
///
/// # Errors
/// Where it cannot be read, is too long or no UTF-8.
pub fn read_text(path: &Path) -> Result<SourceText, Fault> {
    let shown = path.display();
    let fail = |e: String| Fault::new(format!("expected a file that can be read, found {shown}: {e}"));
    let file = std::fs::File::open(path).map_err(|e| fail(e.to_string()))?;
    let mut bytes = Vec::new();
    // devices and pipes tell no size: what is read is counted
    file.take(limits::RULE_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| fail(e.to_string()))?;
    if bytes.len() as u64 > limits::RULE_FILE_BYTES {
        return Err(fail(format!("more than {} bytes", limits::RULE_FILE_BYTES)));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        if let Some(other) = other_encoding(e.as_bytes()) {
            let hint = "save the file as UTF-8 (in an editor: \"save with encoding\")";
            return fail(format!("text in {other}, expected UTF-8")).hint(hint);
        }
        let good = e.as_bytes().get(..e.utf8_error().valid_up_to()).unwrap_or(&[]);
        let line = good.iter().filter(|b| **b == b'\n').count() + 1;
        let column = String::from_utf8_lossy(good.rsplit(|b| *b == b'\n').next().unwrap_or(&[])).chars().count() + 1;
        Fault::at(Place { file: shown.to_string().into(), line, column }, "expected UTF-8, found other bytes")
    })?;
    Ok(SourceText { file: shown.to_string(), text })
}

/// The encoding that the first bytes of a text tell, if it is not UTF-8.
fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        _ => None,
    }
}

/// The texts of the rule files that paths mean, and what could not be read.
pub fn read_rules(paths: &[PathBuf]) -> (Vec<SourceText>, Vec<Fault>) {
    let (mut texts, mut faults) = (Vec::new(), Vec::new());
    let files = rule_files(paths).unwrap_or_else(|e| {
        faults.extend(e);
        Vec::new()
    });
    let mut bytes = 0;
    for (i, file) in files.iter().enumerate() {
        if i >= limits::RULE_FILES || bytes > limits::RULE_SET_BYTES {
            let (files, bytes) = (limits::RULE_FILES, limits::RULE_SET_BYTES >> 20);
            let what = format!("expected at most {files} rule files of together {bytes} MiB, found more");
            faults.push(Fault::new(what));
            break;
        }
        match read_text(file) {
            Ok(text) => {
                bytes += text.text.len();
                texts.push(text);
            }
            Err(_) if faults.len() >= limits::FAULTS => {}
            Err(fault) => faults.push(fault),
        }
    }
    (texts, faults)
}

/// The rule set that paths form, with its warnings.
///
/// # Errors
/// All mistakes of all files.
pub fn load_rules(paths: &[PathBuf]) -> Result<(RuleSet, Vec<Fault>), Vec<Fault>> {
    let (texts, faults) = read_rules(paths);
    rules_of(&texts, faults)
}

/// The rule set that texts form, with its warnings; `faults` were found while they were read.
///
/// # Errors
/// These, and all mistakes of all texts.
pub fn rules_of(texts: &[SourceText], mut faults: Vec<Fault>) -> Result<(RuleSet, Vec<Fault>), Vec<Fault>> {
    match RuleSet::load(texts) {
        Ok(loaded) if faults.is_empty() => Ok(loaded),
        Ok((_, warnings)) => {
            faults.extend(warnings);
            Err(faults)
        }
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}
