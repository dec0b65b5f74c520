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

/// What messages look like on a stream.
#[derive(Clone, Debug)]
struct Page {
    form: Form,
    around: Surroundings,
}

impl Page {
    /// A message as it is written, with its line break; `None` where this form does not show it.
    fn render(&self, message: &Message) -> Option<String> {
        match self.form {
            Form::Json => Some(json(message) + "\n"),
            Form::Text(_) if !is_for_people(message) => None,
            Form::Text(style) => Some(text(message, &self.around, style) + "\n"),
        }
    }
}

/// Writes messages to a stream.
pub struct Stdout<W> {
    out: W,
    page: Page,
}

impl<W: Write> Stdout<W> {
    /// A receiver that writes to `out`.
    pub fn new(out: W, form: Form, around: Surroundings) -> Stdout<W> {
        Stdout { out, page: Page { form, around } }
    }

    /// Writes a message, if this form shows it.
    ///
    /// # Errors
    /// Where the stream takes no more.
    pub fn tell(&mut self, message: &Message) -> io::Result<()> {
        self.page.render(message).map_or(Ok(()), |shown| self.out.write_all(shown.as_bytes()))
    }

    /// Sends everything on its way.
    ///
    /// # Errors
    /// Where the stream takes no more.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
