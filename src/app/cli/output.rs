//! What commands share in writing to a terminal or pipe.

use std::io::{self, IsTerminal, Write};

use crate::app::config::LogForm;
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

/// Sends the log to standard error: lines for people, with colours on a terminal, or JSON.
pub(super) fn log_to_stderr(form: LogForm) {
    let style = style_of(&io::stderr());
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(style.colour).with_target(false);
    match form {
        LogForm::Text => log.init(),
        LogForm::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).init(),
    }
}
