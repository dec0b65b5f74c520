//! The stdout receiver.

use std::io::{self, Write};

use super::{Style, Surroundings, json, text};
use crate::base::model::{Notice, Phase};

/// How notices are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// For people: changes to firing and to resolved.
    Text(Style),
    /// Every transition as a line of JSON.
    Json,
}

/// Writes notices to a stream.
pub struct Stdout<W> {
    out: W,
    form: Form,
    around: Surroundings,
}

impl<W: Write> Stdout<W> {
    /// A receiver that writes to `out`.
    pub fn new(out: W, form: Form, around: Surroundings) -> Stdout<W> {
        Stdout { out, form, around }
    }

    /// Writes a notice, if this form shows it.
    ///
    /// # Errors
    /// Where the stream takes no more.
    pub fn tell(&mut self, notice: &Notice) -> io::Result<()> {
        match self.form {
            Form::Json => {
                self.out.write_all(json(notice).as_bytes())?;
                self.out.write_all(b"\n")
            }
            Form::Text(style) if matches!(notice.transition.to, Phase::Firing | Phase::Resolved) => {
                // a return from clearing is the same page again: it was told already
                if notice.transition.from == Phase::Clearing && notice.transition.to == Phase::Firing {
                    return Ok(());
                }
                self.out.write_all(text(notice, &self.around, style).as_bytes())?;
                self.out.write_all(b"\n")
            }
            Form::Text(_) => Ok(()),
        }
    }

    /// Sends everything on its way.
    ///
    /// # Errors
    /// Where the stream takes no more.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
