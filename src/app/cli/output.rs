//! What commands share in writing to a terminal or pipe.

use std::io::{self, IsTerminal, Write};

use crate::base::fault::Fault;
use crate::notify::Style;

/// Colours only on a terminal, and not where `NO_COLOR` is set.
pub(super) fn style_of(terminal: &impl IsTerminal) -> Style {
    Style { colour: terminal.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) }
}

/// Writes mistakes and warnings to standard error.
pub(super) fn tell_faults(faults: &[Fault]) {
    let mut err = io::stderr().lock();
    for fault in faults {
        let _ = writeln!(err, "{fault}");
    }
}

/// Writes one error to standard error.
pub(super) fn tell_error(what: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "error: {what}");
}

/// Whether an error only says that nobody reads any more.
pub(super) fn is_closed(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::BrokenPipe
}
