//! The stdout receiver.

use std::io::{self, Write};

use super::json::json;
use super::routes::is_for_people;
use super::{Style, Surroundings, text};
use crate::base::model::Message;

/// How messages are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// For people: what they are told of ([`is_for_people`]).
    Text(Style),
    /// Everything as lines of JSON.
    Json,
}

/// Writes messages to a stream.
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

    /// Writes a message, if this form shows it.
    ///
    /// # Errors
    /// Where the stream takes no more.
    pub fn tell(&mut self, message: &Message) -> io::Result<()> {
        match self.form {
            Form::Json => writeln!(self.out, "{}", json(message)),
            Form::Text(_) if !is_for_people(message) => Ok(()),
            Form::Text(style) => writeln!(self.out, "{}", text(message, &self.around, style)),
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
