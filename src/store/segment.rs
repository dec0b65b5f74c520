//! One file of a recording while it is written: frames as lines, compressed, hashed on their way.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zstd::stream::write::Encoder;

use super::failed;
use super::manifest::{OpenFile, RecordedFile};
use crate::base::limits;
use crate::base::time::Time;

/// What the name of an unfinished file ends with.
pub(super) const PART: &str = ".part";
/// What files of recordings are compressed with.
const LEVEL: i32 = 3;

/// The path of a file while it is not finished.
pub(super) fn part_of(dir: &Path, file: &str) -> PathBuf {
    dir.join(format!("{file}{PART}"))
}

/// A frame as it stands on a line of its own; `None` for one that cannot: too long, blank, no
/// UTF-8, or with a line break inside a JSON text, where none is legal.
pub(super) fn line_of(frame: &[u8]) -> Option<Cow<'_, [u8]>> {
    if frame.len() > limits::FRAME_BYTES || frame.trim_ascii().is_empty() || simdutf8::basic::from_utf8(frame).is_err()
    {
        return None;
    }
    if memchr::memchr2(b'\n', b'\r', frame).is_none() {
        return Some(Cow::Borrowed(frame));
    }
    let (mut quoted, mut escaped) = (false, false);
    let mut line = frame.to_vec();
    for byte in &mut line {
        match byte {
            b'\n' | b'\r' if quoted => return None,
            b'\n' | b'\r' => *byte = b' ',
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && !escaped && *byte == b'\\';
    }
    Some(Cow::Owned(line))
}

/// A file, with length and hash of what was written to it.
struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = self.file.write(buf)?;
        self.hash.update(buf.get(..n).unwrap_or(buf));
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A compressed file that is being written.
pub(super) struct Compressed {
    encoder: Encoder<'static, Hashed>,
    path: PathBuf,
}

impl Compressed {
    /// A new file; one that is there already is an error unless it may be replaced.
    pub(super) fn create(path: PathBuf, replace: bool) -> io::Result<Compressed> {
        let open = || {
            let mut options = File::options();
            let file = options.write(true).create_new(!replace).create(replace).truncate(replace).open(&path)?;
            let mut encoder = Encoder::new(Hashed { file, hash: Sha256::new(), bytes: 0 }, LEVEL)?;
            encoder.include_checksum(true)?;
            Ok(encoder)
        };
        let encoder = open().map_err(|e| failed("create", &path, e))?;
        Ok(Compressed { encoder, path })
    }

    fn bytes(&self) -> u64 {
        self.encoder.get_ref().bytes
    }

    /// Ends it and makes it last. Gives its length and hash.
    pub(super) fn finish(self) -> io::Result<(u64, String)> {
        let Compressed { encoder, path } = self;
        let finish = || {
            let hashed = encoder.finish()?;
            hashed.file.sync_all()?;
            Ok((hashed.bytes, hex(hashed.hash)))
        };
        finish().map_err(|e| failed("finish", &path, e))
    }
}

impl Write for Compressed {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.encoder.write(buf).map_err(|e| failed("write", &self.path, e))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush().map_err(|e| failed("write", &self.path, e))
    }
}

/// A hash in lowercase hex.
pub(super) fn hex(hash: Sha256) -> String {
    use std::fmt::Write;
    hash.finalize().iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A file of a recording while it is written.
pub(super) struct Segment {
    open: OpenFile,
    out: Compressed,
    frames: u64,
    raw_bytes: u64,
    last: Time,
    /// When the oldest frame that may not be in the file yet was taken.
    waiting: Option<Time>,
}

impl Segment {
    /// A new file that will have the name told; until then it is a `.part`.
    pub(super) fn create(dir: &Path, open: OpenFile) -> io::Result<Segment> {
        let out = Compressed::create(part_of(dir, &open.file), false)?;
        let last = open.first;
        Ok(Segment { open, out, frames: 0, raw_bytes: 0, last, waiting: None })
    }

    /// Its length so far in bytes, of what has left the compressor.
    pub(super) fn bytes(&self) -> u64 {
        self.out.bytes()
    }

    /// When it was begun.
    pub(super) fn first(&self) -> Time {
        self.open.first
    }

    /// Appends a line. Some of it reaches the file only with [`Segment::flush_if_due`].
    pub(super) fn write(&mut self, line: &[u8], now: Time) -> io::Result<()> {
        self.out.write_all(line)?;
        self.out.write_all(b"\n")?;
        self.frames += 1;
        self.raw_bytes += line.len() as u64 + 1;
        self.last = self.last.max(now);
        self.waiting = self.waiting.or(Some(now));
        Ok(())
    }

    /// Hands everything to the system if something has waited for long, or the clock went back.
    pub(super) fn flush_if_due(&mut self, now: Time) -> io::Result<()> {
        if self.waiting.is_some_and(|since| now < since || now - since >= limits::RECORD_FLUSH) {
            self.out.flush()?;
            self.waiting = None;
        }
        Ok(())
    }

    /// Ends the file, makes it last and gives it its name.
    pub(super) fn finish(self, dir: &Path, skipped: u64) -> io::Result<RecordedFile> {
        let OpenFile { file, source, format, first } = self.open;
        let (bytes, sha256) = self.out.finish()?;
        let (frames, raw_bytes, last) = (self.frames, self.raw_bytes, self.last);
        let path = dir.join(&file);
        fs::rename(part_of(dir, &file), &path).map_err(|e| failed("rename to", &path, e))?;
        Ok(RecordedFile { file, source, format, frames, bytes, raw_bytes, skipped, sha256, first, last, torn: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_become_spaces_where_they_are_legal() {
        let line = |s: &str| line_of(s.as_bytes()).map(|l| String::from_utf8(l.into_owned()).unwrap());
        for (frame, want) in [
            (r#"{"a":"x\ny"}"#, Some(r#"{"a":"x\ny"}"#)),
            ("{\r\n \"a\": 1\n}", Some("{   \"a\": 1 }")),
            ("{\"a\":\"x\ny\"}", None),
            ("{\"a\\\":\n1}", None),
            ("{\"a\\\"\n\":1}", None),
            ("{\"a\\\\\":\n1}", Some("{\"a\\\\\": 1}")),
            ("\\\"\n\"", None),
            ("garbage\nmore", Some("garbage more")),
            ("  \n", None),
            ("", None),
        ] {
            assert_eq!(line(frame).as_deref(), want, "{frame:?}");
        }
        assert_eq!(line_of(b"\xff"), None);
        assert_eq!(line_of(&vec![b'x'; limits::FRAME_BYTES]).map(|l| l.len()), Some(limits::FRAME_BYTES));
        assert_eq!(line_of(&vec![b'x'; limits::FRAME_BYTES + 1]), None);
    }
}
