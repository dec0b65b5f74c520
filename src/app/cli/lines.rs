//! Lines in, lines out, for commands that try one part by hand.

use std::io::{self, BufRead, Write};

use super::output::tell_error;
use super::{FAILED, FINE};
use crate::base::limits;

/// Answers every line of standard input with one line on standard output. Lines end at `\n`;
/// of a line longer than a frame may be only the beginning is read.
pub(super) fn answer_each(mut answer: impl FnMut(&str) -> String) -> u8 {
    match run(&mut answer) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            tell_error(format!("expected lines of text, found {e}"));
            FAILED
        }
        _ => FINE,
    }
}

fn run(answer: &mut dyn FnMut(&str) -> String) -> io::Result<()> {
    let (mut input, mut out) = (io::stdin().lock(), io::BufWriter::new(io::stdout().lock()));
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = io::Read::take(&mut input, limits::FRAME_BYTES as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            return out.flush();
        }
        if read == limits::FRAME_BYTES && line.last() != Some(&b'\n') {
            skip_line(&mut input)?;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        writeln!(out, "{}", answer(text.strip_suffix('\r').unwrap_or(text)))?;
    }
}

/// Reads over the rest of a line.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = memchr::memchr(b'\n', buffer);
        let used = end.map_or(buffer.len(), |i| i + 1);
        input.consume(used);
        if end.is_some() || used == 0 {
            return Ok(());
        }
    }
}
