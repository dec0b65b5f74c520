//! Recordings: one frame a line, plain, `.gz` or `.zst`, or standard input.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::base::limits;
use crate::base::model::{Frame, FrameBatch, SourceInfo, WireFormat};
use crate::base::time::Time;

/// Bytes read at once.
const CHUNK: usize = 128 << 10;
/// Bytes looked at to tell compression and format.
const FIRST_READ: usize = 64 << 10;
/// Lines that tell the format of a recording.
const LOOKED_AT: usize = 20;
/// Largest window a zstd frame may ask for, as a power of two.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Lines of one recording.
pub struct Lines {
    input: Box<dyn Read + Send>,
    /// What was read and not given out: whole lines, then the beginning of one.
    block: Bytes,
    at: usize,
    carry: Vec<u8>,
    /// Length so far of a line that is too long to keep.
    skipped: u64,
    ended: bool,
    /// What went wrong while looking ahead.
    failed: Option<io::Error>,
    /// The file that is read, where there are several, and those that come after it.
    file: Option<PathBuf>,
    rest: VecDeque<PathBuf>,
}

/// Opens a recording; `-` is standard input. Compression is told by the first bytes.
///
/// # Errors
/// Where it cannot be opened.
pub fn open(path: &str) -> io::Result<Lines> {
    let raw: Box<dyn Read + Send> = match path {
        "-" => Box::new(io::stdin()),
        _ => Box::new(File::open(Path::new(path))?),
    };
    Lines::new(raw)
}

impl Lines {
    /// Lines of a stream.
    ///
    /// # Errors
    /// Where nothing can be read.
    pub fn new(mut raw: Box<dyn Read + Send>) -> io::Result<Lines> {
        let mut start = vec![0; FIRST_READ];
        let mut filled = 0;
        // as much as is there, and enough to tell the compression
        while filled < 4 {
            match raw.read(start.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        start.truncate(filled);
        let whole = io::Cursor::new(start.clone()).chain(raw);
        let input: Box<dyn Read + Send> = match start.as_slice() {
            [0x1f, 0x8b, ..] => Box::new(flate2::read::MultiGzDecoder::new(whole)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                let mut decoder = zstd::stream::read::Decoder::new(whole)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            _ => Box::new(whole),
        };
        Ok(Lines { input, ended: false, ..Lines::of_files(Vec::new()) })
    }

    /// Lines of several files, read one after the other as one stream. Each is opened when the one
    /// before it has ended; one that cannot be read to its end is told and does not end the stream.
    pub fn of_files(files: Vec<PathBuf>) -> Lines {
        let (block, carry, rest) = (Bytes::new(), Vec::new(), files.into());
        Lines {
            input: Box::new(io::empty()),
            block,
            at: 0,
            carry,
            skipped: 0,
            ended: true,
            failed: None,
            file: None,
            rest,
        }
    }

    /// Lines that cannot be read any more.
    pub(super) fn broken(why: io::Error) -> Lines {
        Lines { failed: Some(why), ..Lines::of_files(Vec::new()) }
    }

    /// Goes on with the next file; `false` if there is none.
    fn next_file(&mut self) -> io::Result<bool> {
        let Some(path) = self.rest.pop_front() else { return Ok(false) };
        let rest = std::mem::take(&mut self.rest);
        let opened = File::open(&path).and_then(|f| Lines::new(Box::new(f)));
        let (next, failed) = match opened {
            Ok(next) => (next, None),
            Err(e) => (Lines::of_files(Vec::new()), Some(e)),
        };
        *self = Lines { rest, file: Some(path), ..next };
        failed.map_or(Ok(true), |e| Err(self.named(e)))
    }

    /// An error with the file it is about, where there are several.
    fn named(&self, e: io::Error) -> io::Error {
        match &self.file {
            Some(path) => io::Error::new(e.kind(), format!("{}: {e}", path.display())),
            None => e,
        }
    }

    /// The next line that is not blank; `None` at the end.
    ///
    /// # Errors
    /// Where the stream is damaged or holds a line beyond every measure; lines before it were
    /// given out.
    pub fn next_line(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let rest = self.block.get(self.at..).unwrap_or(&[]);
            if let Some(len) = memchr::memchr(b'\n', rest) {
                let (start, end) = (self.at, self.at + len);
                self.at = end + 1;
                if self.skipped > 0 {
                    self.skipped = 0;
                    return Ok(Some(oversize()));
                }
                if let Some(frame) = frame(&self.block, start, end) {
                    return Ok(Some(frame));
                }
                continue;
            }
            if let Some(e) = self.failed.take() {
                return Err(self.named(e));
            }
            if !self.ended {
                self.fill();
            } else if std::mem::take(&mut self.skipped) > 0 {
                // a line that was given up is a frame too
                return Ok(Some(oversize()));
            } else if !self.next_file()? {
                return Ok(None);
            }
        }
    }

    /// The lines that come next, as far as they have been read; without taking them.
    pub fn first_lines(&mut self) -> Vec<&[u8]> {
        if self.block.len() == self.at {
            self.fill();
        }
        let rest = self.block.get(self.at..).unwrap_or(&[]);
        rest.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty()).take(LOOKED_AT).collect()
    }

    /// Whether the next line is here already.
    fn has_line(&self) -> bool {
        self.block.get(self.at..).is_some_and(|rest| memchr::memchr(b'\n', rest).is_some())
    }

    /// Reads the next block, beginning with the unfinished line of the last one.
    fn fill(&mut self) {
        let rest = self.block.get(self.at..).unwrap_or(&[]);
        let too_long = rest.len() > limits::FRAME_BYTES;
        if too_long || self.skipped > 0 {
            self.skipped += rest.len() as u64;
            self.carry.clear();
        } else {
            self.carry = rest.to_vec();
        }
        if self.skipped > limits::LINE_BYTES {
            let what =
                format!("expected lines up to {} bytes, found a longer one; the rest is not read", limits::LINE_BYTES);
            self.ended = true;
            self.failed = Some(io::Error::new(io::ErrorKind::InvalidData, what));
            (self.block, self.at) = (Bytes::new(), 0);
            return;
        }
        let mut block = std::mem::take(&mut self.carry);
        let from = block.len();
        block.resize(from + CHUNK, 0);
        let mut filled = from;
        while let Some(space) = block.get_mut(filled..).filter(|s| !s.is_empty()) {
            match self.input.read(space) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(n) => {
                    filled += n;
                    if memchr::memchr(b'\n', space.get(..n).unwrap_or(&[])).is_some() {
                        break;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    // what stands before the damage without an end is no line
                    (self.ended, filled) = (true, 0);
                    self.failed = Some(e);
                    break;
                }
            }
        }
        block.truncate(filled);
        if filled < CHUNK / 4 {
            // frames keep their block alive: a short one must not cost a long one
            block.shrink_to_fit();
        }
        if self.ended && (!block.is_empty() || self.skipped > 0) {
            block.push(b'\n');
        }
        self.block = Bytes::from(block);
        self.at = 0;
    }
}

fn oversize() -> Frame {
    Frame { bytes: Bytes::new(), received: None, oversize: true }
}

fn frame(block: &Bytes, start: usize, end: usize) -> Option<Frame> {
    let line = block.get(start..end)?;
    let kept = line.trim_ascii();
    if kept.is_empty() {
        return None;
    }
    if kept.len() > limits::FRAME_BYTES {
        return Some(oversize());
    }
    let lead = line.len() - line.trim_ascii_start().len();
    let bytes = block.slice(start + lead..start + lead + kept.len());
    Some(Frame { bytes, received: None, oversize: false })
}

/// The format that most of the first lines look like.
pub fn guess(lines: &[&[u8]]) -> WireFormat {
    let has = |line: &&&[u8], word: &str| memchr::memmem::find(line, word.as_bytes()).is_some();
    let jetstream = lines.iter().filter(|l| has(l, "\"did\"") && has(l, "\"time_us\"")).count();
    let post = lines.iter().filter(|l| has(l, "\"id\"") && has(l, "\"source\"")).count();
    if jetstream > post { WireFormat::Jetstream } else { WireFormat::Post }
}

/// Tells the event time of a frame, to put several recordings in order.
pub type Peek = fn(&SourceInfo, &[u8]) -> Option<Time>;

struct Input {
    source: Arc<SourceInfo>,
    lines: Lines,
    next: VecDeque<(Time, Frame)>,
    last: Time,
}

impl Input {
    /// When its next frame is due: its time, unless the one after it contradicts it.
    fn due(&self) -> Option<Time> {
        let mut times = self.next.iter().map(|(t, _)| *t);
        let first = times.next()?;
        Some(times.next().filter(|second| *second + limits::FILE_JUMP < first).unwrap_or(first))
    }
}

/// One or several recordings, in the order of their times.
pub struct Recordings {
    inputs: Vec<Input>,
    peek: Peek,
    /// Recordings that could not be read to their end, with what was wrong.
    pub failures: Vec<(Arc<str>, io::Error)>,
    /// Recordings that ended since the last call.
    pub ended: Vec<Arc<str>>,
}

impl Recordings {
    /// Recordings with their sources.
    pub fn new(inputs: Vec<(Arc<SourceInfo>, Lines)>, peek: Peek) -> Recordings {
        let input = |(source, lines)| Input { source, lines, next: VecDeque::new(), last: Time(i64::MIN) };
        let inputs = inputs.into_iter().map(input);
        let mut all = Recordings { inputs: inputs.collect(), peek, failures: Vec::new(), ended: Vec::new() };
        if all.inputs.len() > 1 {
            (0..all.inputs.len()).for_each(|i| all.advance(i));
            (0..all.inputs.len()).for_each(|i| all.advance(i));
        }
        all
    }

    /// The next batch; `None` when all have ended.
    pub fn next_batch(&mut self) -> Option<FrameBatch> {
        let mut frames = Vec::with_capacity(limits::BATCH_FRAMES);
        let source = if self.inputs.len() > 1 { self.merged(&mut frames)? } else { self.single(&mut frames)? };
        Some(FrameBatch { source, frames, position: None })
    }

    fn single(&mut self, frames: &mut Vec<Frame>) -> Option<Arc<SourceInfo>> {
        let input = self.inputs.first_mut()?;
        let mut bytes = 0;
        // what has not arrived yet is not waited for once there is something
        while frames.len() < limits::BATCH_FRAMES
            && bytes < limits::BATCH_BYTES
            && (frames.is_empty() || input.lines.has_line())
        {
            match input.lines.next_line() {
                Ok(Some(frame)) => {
                    bytes += frame.bytes.len();
                    frames.push(frame);
                }
                Ok(None) => break,
                Err(e) => self.failures.push((input.source.name.clone(), e)),
            }
        }
        let source = input.source.clone();
        if frames.is_empty() {
            self.ended.push(source.name.clone());
            self.inputs.clear();
            return None;
        }
        Some(source)
    }

    /// Frames of the input whose next time is smallest, for as long as it stays so.
    fn merged(&mut self, frames: &mut Vec<Frame>) -> Option<Arc<SourceInfo>> {
        let first = self.earliest()?;
        let source = self.inputs.get(first)?.source.clone();
        let mut bytes = 0;
        while frames.len() < limits::BATCH_FRAMES && bytes < limits::BATCH_BYTES && self.earliest() == Some(first) {
            let (_, frame) = self.inputs.get_mut(first)?.next.pop_front()?;
            bytes += frame.bytes.len();
            frames.push(frame);
            self.advance(first);
        }
        Some(source)
    }

    fn earliest(&self) -> Option<usize> {
        let due = self.inputs.iter().enumerate().filter_map(|(k, i)| i.due().map(|t| (t, k)));
        due.min().map(|(_, k)| k)
    }

    /// Reads one more frame of an input. A frame without a time goes with the one before it.
    fn advance(&mut self, k: usize) {
        let Some(input) = self.inputs.get_mut(k) else { return };
        let next = loop {
            match input.lines.next_line() {
                Ok(next) => break next,
                Err(e) => self.failures.push((input.source.name.clone(), e)),
            }
        };
        match next {
            Some(frame) => {
                input.last = (self.peek)(&input.source, &frame.bytes).unwrap_or(input.last);
                input.next.push_back((input.last, frame));
            }
            None if input.next.is_empty() && !self.ended.contains(&input.source.name) => {
                self.ended.push(input.source.name.clone())
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(bytes: Vec<u8>) -> (Vec<Vec<u8>>, usize, bool) {
        let mut lines = Lines::new(Box::new(io::Cursor::new(bytes))).unwrap();
        let (mut out, mut oversize, mut failed) = (Vec::new(), 0, false);
        loop {
            match lines.next_line() {
                Ok(Some(f)) if f.oversize => oversize += 1,
                Ok(Some(f)) => out.push(f.bytes.to_vec()),
                Ok(None) => return (out, oversize, failed),
                Err(_) => failed = true,
            }
        }
    }

    #[test]
    fn gives_every_line_once() {
        let text: String =
            (0..5000).map(|k| format!("{{\"k\":{k},\"x\":\"{}\"}}\r\n\n", "y".repeat(k % 997))).collect();
        let want: Vec<Vec<u8>> = text.lines().filter(|l| !l.is_empty()).map(|l| l.as_bytes().to_vec()).collect();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text.as_bytes()).unwrap();
        let zst = zstd::stream::encode_all(text.as_bytes(), 1).unwrap();
        let unfinished = text.trim_end().as_bytes().to_vec();
        for bytes in [text.clone().into_bytes(), gz.finish().unwrap(), zst, unfinished] {
            assert_eq!(read(bytes), (want.clone(), 0, false));
        }
    }

    #[test]
    fn long_lines_end_as_oversize_and_damage_keeps_what_was_before() {
        let mut text = b"{\"a\":1}\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 5 * limits::FRAME_BYTES));
        text.extend(b"\n{\"b\":2}\n");
        text.extend(std::iter::repeat_n(b'x', limits::FRAME_BYTES + 1));
        assert_eq!(read(text.clone()), (vec![b"{\"a\":1}".to_vec(), b"{\"b\":2}".to_vec()], 2, false));
        let mut zst = zstd::stream::encode_all(&b"{\"a\":1}\n{\"b\":2}\n"[..], 1).unwrap();
        let cut = zst.len() - 3;
        zst.truncate(cut);
        let (_, _, failed) = read(zst);
        assert!(failed);
        let mut flushed = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        flushed.write_all(b"{\"a\":1}\n{\"b\":").unwrap();
        flushed.flush().unwrap();
        assert_eq!(read(flushed.get_ref().clone()), (vec![b"{\"a\":1}".to_vec()], 0, true), "half a line is none");
        assert_eq!(read(Vec::new()), (Vec::new(), 0, false));
    }

    #[test]
    fn several_files_are_one_stream_and_damage_is_told_by_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("a"), "1\n2").unwrap();
        let mut cut = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        cut.write_all(b"3\n").unwrap();
        cut.flush().unwrap();
        std::fs::write(path("b"), cut.get_ref()).unwrap();
        std::fs::write(path("d"), zstd::stream::encode_all(&b"4\n"[..], 1).unwrap()).unwrap();
        let mut lines = Lines::of_files(["a", "b", "c", "d"].map(path).to_vec());
        let mut told = Vec::new();
        loop {
            match lines.next_line() {
                Ok(Some(frame)) => told.push(String::from_utf8(frame.bytes.to_vec()).unwrap()),
                Ok(None) => break,
                Err(e) => told.push(e.to_string().replace(&*dir.path().to_string_lossy(), "")),
            }
        }
        let want = ["1", "2", "3", "/b: incomplete frame", "/c: No such file or directory (os error 2)", "4"];
        assert_eq!(told, want);
        assert!(Lines::of_files(Vec::new()).next_line().unwrap().is_none());
    }
}
