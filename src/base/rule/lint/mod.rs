//! Warnings about rule files that can be used, but hardly say what was meant.
//!
//! They are told by `check` only. What is not certain is not told: a warning that is wrong costs
//! more trust than one that is missing.

mod common;
mod conditions;
mod cut;
mod handles;
mod interval;
mod phrase;
mod quantities;
mod queries;
mod range;
mod sat;
mod seen;
mod whole;

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::base::fault::Fault;
use crate::base::limits;
use crate::base::rule::SourceText;
use crate::base::yaml::{Node, Reader};
use seen::Seen;

/// How texts are compared: the folded form of one.
pub type Fold<'f> = &'f dyn Fn(&str) -> String;

/// Warnings about files that form one set, in the order of files and lines; of each kind as many as are shown, and how
/// many were left out. Parts that are mistakes are passed over. Unless `all` files of the set are given, nothing is
/// said to be missing or unused.
pub fn warnings(files: &[SourceText], all: bool, fold: Fold<'_>) -> Vec<Fault> {
    let mut readers: Vec<Reader<'_>> = files.iter().map(|f| Reader::new(&f.file, &f.text)).collect();
    let roots: Vec<Option<Node>> = readers.iter_mut().zip(files).map(|(r, f)| r.tree(&f.text)).collect();
    let seen = Seen::of(&readers, &roots, all);
    let (mut out, work) = (Notes::default(), Work::default());
    queries::warnings(&seen, &work, fold, &mut out);
    handles::warnings(&seen, &mut out);
    conditions::warnings(&seen, &work, &mut out);
    cut::warnings(&seen, &mut out);
    whole::warnings(&seen, &mut out);
    out.all(work.is_spent())
}

/// What looking costs: conditions and queries can be made that take for ever to be looked at.
struct Work(Cell<usize>);

impl Default for Work {
    fn default() -> Work {
        Work(Cell::new(limits::LINT_WORK))
    }
}

impl Work {
    fn spend(&self, n: usize) {
        self.0.set(self.0.get().saturating_sub(n));
    }

    /// Whether no more is looked at.
    fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// What warnings are about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Query,
    Condition,
    Cut,
    Double,
    Unused,
}

impl Kind {
    /// What is told of that.
    fn name(self) -> &'static str {
        match self {
            Kind::Query => "queries and accounts",
            Kind::Condition => "conditions",
            Kind::Cut => "what YAML cuts off",
            Kind::Double => "rules that say nothing new",
            Kind::Unused => "what is unused or missing",
        }
    }
}

/// What was found, in the order of files and lines.
#[derive(Default)]
struct Notes {
    faults: BTreeMap<(usize, usize, usize, usize), Fault>,
    order: usize,
    /// How many there are of each kind.
    found: BTreeMap<Kind, usize>,
}

impl Notes {
    /// Whether one more of a kind is shown.
    fn has_room(&self, kind: Kind) -> bool {
        self.found.get(&kind).is_none_or(|n| *n < limits::WARNINGS_OF_A_KIND)
    }

    /// Counts a warning that is not shown.
    fn leave_out(&mut self, kind: Kind) {
        *self.found.entry(kind).or_default() += 1;
    }

    /// Adds a warning at a byte of a node's text in a file.
    fn add(
        &mut self,
        seen: &Seen<'_, '_>,
        kind: Kind,
        at: (usize, &Node),
        offset: usize,
        what: String,
        hint: impl Into<String>,
    ) {
        let room = self.has_room(kind);
        self.leave_out(kind);
        self.order += 1;
        if let Some(reader) = seen.readers.get(at.0).filter(|_| room) {
            let place = reader.place_in(at.1, offset);
            let key = (at.0, place.line, place.column, self.order);
            self.faults.insert(key, Fault::at(place, what).hint(hint).warn());
        }
    }

    /// All of them, and what was left out.
    fn all(self, spent: bool) -> Vec<Fault> {
        let mut out: Vec<Fault> = self.faults.into_values().collect();
        let most = limits::WARNINGS_OF_A_KIND;
        for (kind, n) in self.found.into_iter().filter(|(_, n)| *n > most) {
            let what = format!("expected at most {most} warnings about {}, found {} more", kind.name(), n - most);
            out.push(Fault::new(what).warn());
        }
        if spent {
            let what = "expected conditions and queries that can be looked at whole, found more than is looked at";
            let hint = "what is wrong is told all the same; what only looks wrong may be missing here";
            out.push(Fault::new(what).hint(hint).warn());
        }
        out
    }
}

#[cfg(test)]
mod tests;
