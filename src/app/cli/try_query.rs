//! `try query`: which of these texts does a query match?

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use clap::Args;

use super::output::tell_error;
use super::{FAILED, FINE};
use crate::base::limits;
use crate::base::rule::Brand;
use crate::base::rule::query::parse;
use crate::enrich::{Matcher, Scratch};

/// Try a query: a text a line on standard input, {"match":true} a line on standard output
#[derive(Args)]
#[command(
    after_help = "Example:\n  echo 'United broke my guitar' | groundswell try query '\"united airlines\" OR (united guitar)'"
)]
pub(super) struct TryQuery {
    /// The query
    query: String,
}

impl TryQuery {
    pub(super) fn run(&self) -> u8 {
        let query = match parse(&self.query) {
            Ok(query) => query,
            Err(e) => {
                let column = self.query.get(..e.offset).map_or(0, |s| s.chars().count()) + 1;
                tell_error(format!("query:1:{column}: {}", e.what));
                if let Some(hint) = e.hint {
                    let _ = writeln!(io::stderr(), "  hint: {hint}");
                }
                return FAILED;
            }
        };
        let brand =
            Brand { slug: "try".into(), name: String::new(), query, owner: None, runbook: None, vars: BTreeMap::new() };
        match answer(&Matcher::new(&[brand])) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                tell_error(format!("expected lines of text, found {e}"));
                FAILED
            }
            _ => FINE,
        }
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

fn answer(matcher: &Matcher) -> io::Result<()> {
    let (mut input, mut out) = (io::stdin().lock(), io::BufWriter::new(io::stdout().lock()));
    let (mut line, mut scratch) = (Vec::new(), Scratch::default());
    loop {
        line.clear();
        let read = io::Read::take(&mut input, limits::FRAME_BYTES as u64).read_until(b'\n', &mut line)?;
        if read == 0 {
            return out.flush();
        }
        if read == limits::FRAME_BYTES && line.last() != Some(&b'\n') {
            // the rest of a line that is too long belongs to it
            skip_line(&mut input)?;
        }
        let text = String::from_utf8_lossy(&line);
        let hit = !matcher.matches(text.trim_end_matches(['\n', '\r']), &[], &mut scratch).is_empty();
        writeln!(out, "{{\"match\":{hit}}}")?;
    }
}
