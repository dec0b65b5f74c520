//! Colours of a terminal.

use crate::base::model::Severity;

/// Whether colours may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// True on a terminal that takes them.
    pub colour: bool,
}

/// Colours a text where its style says so.
pub(super) struct Paint(pub(super) Style);

impl Paint {
    pub(super) fn code(&self, code: &str, text: &str) -> String {
        if self.0.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    pub(super) fn severity(&self, s: Severity, text: &str) -> String {
        let code = match s {
            Severity::Page => "1;97;41",
            Severity::Warn => "1;30;43",
            Severity::Info => "1;97;44",
        };
        self.code(code, text)
    }

    pub(super) fn label(&self, text: &str) -> String {
        self.code("1", &format!("{text:<6}"))
    }
}

pub(super) fn severity(s: Severity, paint: &Paint) -> String {
    paint.severity(s, &format!(" {} ", s.name().to_uppercase()))
}

pub(super) fn over(paint: &Paint) -> String {
    paint.code("1;97;42", " OVER ")
}
