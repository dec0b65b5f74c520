//! Warnings about rule files that can be used, but hardly say what was meant.
//!
//! They are told by `check` only. What is not certain is not told: a warning that is wrong costs
//! more trust than one that is missing.

mod common;
mod conditions;
mod cut;
mod interval;
mod queries;
mod range;
mod sat;
mod seen;
mod whole;

use std::collections::BTreeMap;

use crate::base::fault::Fault;
use crate::base::limits;
use crate::base::rule::SourceText;
use crate::base::yaml::{Node, Reader};
use seen::Seen;

/// How texts are compared: the folded form of one.
pub type Fold<'f> = &'f dyn Fn(&str) -> String;

/// Warnings about files that form one set, in the order of files and lines, at most as many as are
/// shown. Parts that are mistakes are passed over.
pub fn warnings(files: &[SourceText], fold: Fold<'_>) -> Vec<Fault> {
    let mut readers: Vec<Reader<'_>> = files.iter().map(|f| Reader::new(&f.file, &f.text)).collect();
    let roots: Vec<Option<Node>> = readers.iter_mut().zip(files).map(|(r, f)| r.tree(&f.text)).collect();
    let seen = Seen::of(&readers, &roots);
    let mut out = Notes { faults: BTreeMap::new(), order: 0 };
    queries::warnings(&seen, fold, &mut out);
    conditions::warnings(&seen, &mut out);
    cut::warnings(&seen, &mut out);
    whole::warnings(&seen, &mut out);
    out.faults.into_values().collect()
}

/// What was found, in the order of files and lines.
struct Notes {
    faults: BTreeMap<(usize, usize, usize, usize), Fault>,
    order: usize,
}

impl Notes {
    /// Whether there are as many as are shown.
    fn is_full(&self) -> bool {
        self.faults.len() >= limits::FAULTS
    }

    /// Adds a warning at a byte of a node's text in a file.
    fn add(&mut self, seen: &Seen<'_, '_>, at: (usize, &Node), offset: usize, what: String, hint: impl Into<String>) {
        self.order += 1;
        if let Some(reader) = seen.readers.get(at.0)
            && !self.is_full()
        {
            let place = reader.place_in(at.1, offset);
            let key = (at.0, place.line, place.column, self.order);
            self.faults.insert(key, Fault::at(place, what).hint(hint).warn());
        }
    }
}

#[cfg(test)]
mod tests;
