//! What commands share in writing to a terminal or pipe.

use std::io::{self, IsTerminal, Write};

use crate::app::config::LogForm;
use crate::app::report::{Look, excerpts, told};
use crate::base::fault::Fault;
use crate::notify::Style;

/// Colours only on a terminal, and not where `NO_COLOR` is set.
pub(super) fn style_of(terminal: &impl IsTerminal) -> Style {
    Style { colour: terminal.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) }
}

/// Writes mistakes and warnings to standard error, with the lines they stand in.
pub(super) fn tell_faults(faults: &[Fault]) {
    let mut err = io::stderr().lock();
    let look = look_of(&err);
    for (fault, excerpt) in faults.iter().zip(excerpts(faults)) {
        let _ = write!(err, "{}", told(fault, excerpt.as_ref(), look));
    }
}

/// Colours and more than ASCII only where they are understood.
fn look_of(terminal: &impl IsTerminal) -> Look {
    let said = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
    let locale = said("LC_ALL").or_else(|| said("LC_CTYPE")).or_else(|| said("LANG")).unwrap_or_default();
    let unicode = locale.to_ascii_lowercase().replace('-', "").contains("utf8");
    Look { colour: style_of(terminal).colour, unicode: unicode && terminal.is_terminal() }
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
