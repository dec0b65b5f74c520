//! Recordings: frames of each source into compressed files of its own, as lines, exactly as
//! received; a manifest beside them says what each file holds.
//!
//! A file is a `.part` while it is written, and is named in the manifest as open before it is
//! there, so that what a crash leaves behind can be taken over by the next recorder.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::adopt::{Adopted, UNREADABLE, adopt};
use super::failed;
use super::manifest::{Manifest, OpenFile};
use super::segment::{Segment, line_of, part_of};
use crate::base::limits;
use crate::base::model::{SourceInfo, WireFormat};
use crate::base::time::{Span, Time};

/// The file whose lock says that somebody records into a folder.
const LOCK: &str = "recorder.lock";

/// When a file is finished and the next begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// Compressed bytes.
    pub bytes: u64,
    /// Time since its first frame.
    pub span: Span,
}

impl Default for Rotation {
    fn default() -> Rotation {
        Rotation { bytes: limits::RECORD_FILE_BYTES, span: limits::RECORD_FILE_SPAN }
    }
}

/// What a recorder has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Written {
    /// Frames.
    pub frames: u64,
    /// Frames that cannot be written as a line: too long, no UTF-8, blank, or broken.
    pub skipped: u64,
    /// Compressed bytes in files.
    pub bytes: u64,
    /// Files finished.
    pub files: u64,
}

/// Writes frames into a folder. One recorder a folder.
pub struct Recorder {
    dir: PathBuf,
    rotation: Rotation,
    manifest: Manifest,
    streams: BTreeMap<Arc<str>, Stream>,
    adopted: Vec<Adopted>,
    /// Of what is finished; bytes of open files are added when asked.
    written: Written,
    /// Held until the recorder is dropped, or its process ends in whatever way.
    _lock: File,
}

struct Stream {
    format: WireFormat,
    segment: Option<Segment>,
    /// Frames left out since the last file was finished.
    skipped: u64,
    /// Number of its next file.
    next: u64,
}

impl Recorder {
    /// A recorder into a folder, which is made if it is not there. A manifest that is there is
    /// continued; files left by a crash are taken over first.
    ///
    /// # Errors
    /// Where somebody records there already, the folder cannot be written, or its manifest cannot
    /// be read.
    pub fn new(dir: &Path, rotation: Rotation) -> io::Result<Recorder> {
        fs::create_dir_all(dir).map_err(|e| failed("make the folder", dir, e))?;
        let lock = lock(dir)?;
        let mut manifest = Manifest::read(dir)?.unwrap_or_default();
        let adopted = adopt(dir, &mut manifest)?;
        let made_by = Manifest::default().made_by;
        manifest.made_by = made_by;
        let (dir, streams, written) = (dir.to_path_buf(), BTreeMap::new(), Written::default());
        Ok(Recorder { dir, rotation, manifest, streams, adopted, written, _lock: lock })
    }

    /// Files that an earlier recorder left behind, and that were taken over.
    pub fn adopted(&self) -> &[Adopted] {
        &self.adopted
    }

    /// What was written since it was made.
    pub fn written(&self) -> Written {
        let open: u64 = self.streams.values().filter_map(|s| s.segment.as_ref()).map(Segment::bytes).sum();
        Written { bytes: self.written.bytes + open, ..self.written }
    }

    /// Writes a frame received now. One that cannot stand on a line is counted and left out.
    ///
    /// # Errors
    /// Where the disk takes no more; names file and cause. The file it was for stays a `.part`,
    /// readable up to what was written last.
    pub fn take(&mut self, source: &SourceInfo, frame: &[u8], now: Time) -> io::Result<()> {
        if !self.streams.contains_key(&source.name) {
            self.add_stream(source)?;
        }
        let Some(line) = line_of(frame) else {
            self.written.skipped += 1;
            self.streams.entry(source.name.clone()).and_modify(|s| s.skipped += 1);
            return Ok(());
        };
        self.rotate(&source.name, now)?;
        self.open(&source.name, now)?;
        self.with_segment(&source.name, |segment| {
            segment.write(&line, now)?;
            segment.flush_if_due(now)
        })?;
        self.written.frames += 1;
        self.rotate(&source.name, now)
    }

    /// Does what time asks for: flushes what has waited, finishes files that are old enough. To be
    /// called each second.
    ///
    /// # Errors
    /// As [`Recorder::take`].
    pub fn tick(&mut self, now: Time) -> io::Result<()> {
        let names: Vec<Arc<str>> = self.streams.keys().cloned().collect();
        for name in names {
            self.rotate(&name, now)?;
            self.with_segment(&name, |segment| segment.flush_if_due(now))?;
        }
        Ok(())
    }

    /// Finishes all files and gives the manifest.
    ///
    /// # Errors
    /// The first file that could not be finished; the others are.
    pub fn finish(&mut self, now: Time) -> io::Result<Manifest> {
        let mut result = self.tick(now);
        let names: Vec<Arc<str>> = self.streams.keys().cloned().collect();
        for name in names {
            result = result.and(self.close(&name));
        }
        result = result.and(self.manifest.save(&self.dir));
        result.map(|()| self.manifest.clone())
    }

    fn add_stream(&mut self, source: &SourceInfo) -> io::Result<()> {
        if self.streams.len() >= limits::RECORDED_SOURCES {
            let most = limits::RECORDED_SOURCES;
            return Err(io::Error::other(format!("expected at most {most} sources in a recording, found another")));
        }
        let known = self.manifest.files.iter().filter(|f| *f.source == *source.name).count() as u64;
        let stream = Stream { format: source.format.clone(), segment: None, skipped: 0, next: known + 1 };
        self.streams.insert(source.name.clone(), stream);
        Ok(())
    }

    /// Does something to a source's file. One that fails is given up, and stays a `.part`.
    fn with_segment(&mut self, name: &Arc<str>, work: impl FnOnce(&mut Segment) -> io::Result<()>) -> io::Result<()> {
        let Some(stream) = self.streams.get_mut(name) else { return Ok(()) };
        let Some(segment) = &mut stream.segment else { return Ok(()) };
        let result = work(segment);
        if result.is_err() {
            self.written.bytes += segment.bytes();
            stream.segment = None;
        }
        result
    }

    /// Finishes a source's file if it is long or old enough, or the clock went back as far.
    fn rotate(&mut self, name: &Arc<str>, now: Time) -> io::Result<()> {
        let Some(segment) = self.streams.get(name).and_then(|s| s.segment.as_ref()) else { return Ok(()) };
        let age = (now - segment.first()).0.saturating_abs();
        if segment.bytes() < self.rotation.bytes && age < self.rotation.span.0 {
            return Ok(());
        }
        self.close(name)
    }

    fn close(&mut self, name: &Arc<str>) -> io::Result<()> {
        let Some(stream) = self.streams.get_mut(name) else { return Ok(()) };
        let Some(segment) = stream.segment.take() else { return Ok(()) };
        let file = segment.finish(&self.dir, stream.skipped)?;
        stream.skipped = 0;
        self.written.bytes += file.bytes;
        self.written.files += 1;
        self.manifest.open.retain(|o| o.file != file.file);
        self.manifest.files.push(file);
        self.manifest.save(&self.dir)
    }

    fn open(&mut self, name: &Arc<str>, now: Time) -> io::Result<()> {
        let Some(stream) = self.streams.get_mut(name) else { return Ok(()) };
        if stream.segment.is_some() {
            return Ok(());
        }
        if self.manifest.files.len() + self.manifest.open.len() >= limits::MANIFEST_FILES {
            let (most, dir) = (limits::MANIFEST_FILES, self.dir.display());
            return Err(io::Error::other(format!(
                "expected at most {most} files in {dir}, found them; use another folder"
            )));
        }
        let mut file = file_name(name, now, stream.next);
        while is_taken(&self.dir, &file) {
            stream.next += 1;
            file = file_name(name, now, stream.next);
        }
        stream.next += 1;
        let open = OpenFile { file, source: name.to_string(), format: stream.format.clone(), first: now };
        self.manifest.open.push(open.clone());
        self.manifest.save(&self.dir)?;
        stream.segment = Some(Segment::create(&self.dir, open)?);
        Ok(())
    }
}

/// `<source>-<UTC>-<n>.ndjson.zst`, with nothing that has a meaning in a path.
fn file_name(source: &str, start: Time, n: u64) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let source: String = source.trim_start_matches('.').chars().take(60).map(plain).collect();
    let source = if source.is_empty() { "source" } else { &source };
    let start = start.to_string();
    let stamp: String =
        start.chars().take_while(|c| *c != '.').filter(|c| c.is_ascii_alphanumeric()).chain(['Z']).collect();
    format!("{source}-{stamp}-{n}.ndjson.zst")
}

fn is_taken(dir: &Path, file: &str) -> bool {
    [part_of(dir, file), dir.join(file), dir.join(format!("{file}{UNREADABLE}"))].iter().any(|p| p.exists())
}

/// Takes the folder's lock. It goes with the process, so none is left by a dead one.
fn lock(dir: &Path) -> io::Result<File> {
    let path = dir.join(LOCK);
    let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.map_err(|e| failed("create", &path, e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = file.take(20).read_to_string(&mut pid);
            let (dir, pid) = (dir.display(), pid.trim());
            let what = format!("expected a folder nobody records into, found process {pid} recording into {dir}");
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, what));
        }
        Err(TryLockError::Error(e)) => return Err(failed("lock", &path, e)),
    }
    let write = |file: &mut File| file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    write(&mut file).map_err(|e| failed("write", &path, e))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Contents, RecordedFile, check_file, contents, surplus};

    const START: Time = Time::from_millis(1_783_152_000_000);

    fn source(name: &str) -> SourceInfo {
        SourceInfo { name: name.into(), format: WireFormat::Post }
    }

    fn at(seconds: i64) -> Time {
        START + Span::seconds(seconds)
    }

    fn text(dir: &Path, file: &RecordedFile) -> String {
        String::from_utf8(zstd::stream::decode_all(File::open(dir.join(&file.file)).unwrap()).unwrap()).unwrap()
    }

    fn sound(dir: &Path, manifest: &Manifest) {
        for file in &manifest.files {
            check_file(dir, file).unwrap();
            let found = contents(&dir.join(&file.file)).unwrap();
            assert_eq!(found, Contents { frames: file.frames, raw_bytes: file.raw_bytes, torn: None });
        }
        assert_eq!(surplus(dir, manifest).unwrap(), Vec::<String>::new());
        assert_eq!(Manifest::read(dir).unwrap().unwrap().files.len(), manifest.files.len());
        assert!(crate::store::unfinished(dir).unwrap().is_empty());
    }

    #[test]
    fn frames_are_lines_and_what_is_none_is_counted() {
        let dir = tempfile::tempdir().unwrap();
        let mut r = Recorder::new(dir.path(), Rotation::default()).unwrap();
        for (k, frame) in [&b"{\"a\":1}"[..], b"\xff", b"{\n}", b" ", b"\"a\nb\"", b"x"].iter().enumerate() {
            r.take(&source("net"), frame, at(k as i64)).unwrap();
        }
        r.take(&source("other"), b"y", at(7)).unwrap();
        let manifest = r.finish(at(8)).unwrap();
        let [net, other] = &manifest.files[..] else { panic!("{manifest:?}") };
        assert_eq!(text(dir.path(), net), "{\"a\":1}\n{ }\nx\n");
        assert_eq!((net.frames, net.skipped, net.first, net.last), (3, 3, at(0), at(5)));
        assert_eq!((&*net.file, &*net.source), ("net-20260704T080000Z-1.ndjson.zst", "net"));
        assert_eq!((&*other.file, other.frames), ("other-20260704T080007Z-1.ndjson.zst", 1));
        assert_eq!((r.written().frames, r.written().skipped, r.written().files), (4, 3, 2));
        assert_eq!(r.written().bytes, net.bytes + other.bytes);
        sound(dir.path(), &manifest);
    }

    #[test]
    fn files_end_by_time_and_by_size_and_a_second_run_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut all = String::new();
        for run in 0..2 {
            let mut r = Recorder::new(dir.path(), Rotation { bytes: 100_000, span: Span::seconds(10) }).unwrap();
            for k in 0..25 {
                r.take(&source("net"), format!("{run} {k}").as_bytes(), at(k)).unwrap();
                all.push_str(&format!("{run} {k}\n"));
            }
            r.tick(at(31)).unwrap();
            assert_eq!(r.written().files, 3, "the last is old enough without a frame");
            let manifest = r.finish(at(32)).unwrap();
            assert_eq!(manifest.files.len(), 3 * (run + 1));
            assert!(manifest.files.iter().all(|f| f.frames <= 10));
            sound(dir.path(), &manifest);
        }
        let manifest = Manifest::read(dir.path()).unwrap().unwrap();
        assert_eq!(manifest.files.iter().map(|f| text(dir.path(), f)).collect::<String>(), all);
        assert_eq!(manifest.files[5].file, "net-20260704T080020Z-6.ndjson.zst");
        let mut r = Recorder::new(dir.path(), Rotation { bytes: 100_000, span: Span::seconds(1000) }).unwrap();
        let mut n = 0u64;
        for _ in 0..3_000 {
            // digits that do not compress away
            n = crate::base::hash::parts(&[&n.to_le_bytes()]);
            let digits: String =
                (0..10u8).map(|k| crate::base::hash::parts(&[&n.to_le_bytes(), &[k]]).to_string()).collect();
            r.take(&source("net"), digits.as_bytes(), at(0)).unwrap();
            r.tick(at(0)).unwrap();
        }
        let files = r.finish(at(0)).unwrap().files.split_off(6);
        drop(r);
        assert!(files.len() > 1, "{files:?}");
        assert!(files[..files.len() - 1].iter().all(|f| (100_000..300_000).contains(&f.bytes)), "{files:?}");
        // a clock that goes back an hour ends a file too
        let mut r = Recorder::new(dir.path(), Rotation::default()).unwrap();
        [at(7200), at(0)].into_iter().for_each(|t| r.take(&source("net"), b"x", t).unwrap());
        assert_eq!(r.written().files, 1);
    }

    #[test]
    fn what_has_waited_is_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut r = Recorder::new(dir.path(), Rotation::default()).unwrap();
        let frames = || contents(&dir.path().join("net-20260704T080000Z-1.ndjson.zst.part")).unwrap().frames;
        (0..3).for_each(|k| r.take(&source("net"), b"x", at(k)).unwrap());
        r.tick(at(3)).unwrap();
        assert_eq!(frames(), 0);
        r.tick(at(4)).unwrap();
        assert_eq!(frames(), 3);
        r.take(&source("net"), b"x", at(5)).unwrap();
        r.take(&source("net"), b"x", at(9)).unwrap();
        assert_eq!(frames(), 5, "frames alone remind of the time");
        r.take(&source("net"), b"x", at(9)).unwrap();
        r.tick(at(1)).unwrap();
        assert_eq!(frames(), 6, "a clock that goes back holds nothing up");
    }

    #[test]
    fn nobody_else_records_into_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = Recorder::new(dir.path(), Rotation::default()).unwrap();
        let refused = Recorder::new(dir.path(), Rotation::default()).err().unwrap().to_string();
        assert!(refused.contains(&format!("found process {} recording", std::process::id())), "{refused}");
        drop(first);
        assert!(Recorder::new(dir.path(), Rotation::default()).is_ok(), "the lock of one that is gone is no lock");
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = Recorder::new(&file, Rotation::default()).err().unwrap().to_string();
        assert!(refused.contains(&file.display().to_string()), "{refused}");
        fs::write(dir.path().join("manifest.json"), "{}").unwrap();
        assert!(Recorder::new(dir.path(), Rotation::default()).is_err(), "what is no manifest is not overwritten");
        assert_eq!(fs::read_to_string(dir.path().join("manifest.json")).unwrap(), "{}");
    }

    /// A folder as a recorder leaves it whose process ends after a flush of three frames.
    fn left_behind() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let mut r = Recorder::new(dir.path(), Rotation::default()).unwrap();
        (0..3).for_each(|k| r.take(&source("net"), format!("{k}").as_bytes(), at(k)).unwrap());
        r.tick(at(9)).unwrap();
        drop(r);
        let whole = dir.path().join("net-20260704T080000Z-1.ndjson.zst");
        let part = part_of(dir.path(), "net-20260704T080000Z-1.ndjson.zst");
        assert!(part.exists() && !whole.exists());
        (dir, part, whole)
    }

    fn taken_over(dir: &Path) -> (Vec<Adopted>, Manifest) {
        let mut r = Recorder::new(dir, Rotation::default()).unwrap();
        let adopted = r.adopted().to_vec();
        let manifest = r.finish(at(60)).unwrap();
        drop(r);
        sound(dir, &manifest);
        assert!(Recorder::new(dir, Rotation::default()).unwrap().adopted().is_empty(), "once");
        (adopted, manifest)
    }

    #[test]
    fn files_left_behind_are_finished_wherever_the_crash_was() {
        let name = "net-20260704T080000Z-1.ndjson.zst".to_string();
        let torn = vec![Adopted { file: name.clone(), frames: 3, torn: true }];
        let (dir, part, _) = left_behind();
        let (adopted, manifest) = taken_over(dir.path());
        assert_eq!(adopted, torn);
        assert_eq!(text(dir.path(), &manifest.files[0]), "0\n1\n2\n");
        let file = &manifest.files[0];
        assert!(file.torn && file.first == at(0) && file.format == WireFormat::Post && !part.exists());

        // while it took over: cut, but not entered
        let (dir, _, whole) = left_behind();
        fs::write(&whole, zstd::stream::encode_all(&b"0\n1\n2\n"[..], 3).unwrap()).unwrap();
        assert_eq!(taken_over(dir.path()).0, torn);
        // torn within a line
        let (dir, part, _) = left_behind();
        let mut torn = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        torn.write_all(b"0\n1\n{\"half").unwrap();
        torn.flush().unwrap();
        fs::write(&part, torn.get_ref()).unwrap();
        let (adopted, manifest) = taken_over(dir.path());
        assert_eq!((adopted[0].frames, adopted[0].torn), (2, true));
        assert_eq!(text(dir.path(), &manifest.files[0]), "0\n1\n");
        // entered, but the original is still there
        let (dir, part, _) = left_behind();
        let kept = fs::read(&part).unwrap();
        taken_over(dir.path());
        fs::write(&part, kept).unwrap();
        assert_eq!(taken_over(dir.path()).0, []);

        let fine = vec![Adopted { file: name.clone(), frames: 2, torn: false }];
        let lines = zstd::stream::encode_all(&b"0\n1\n"[..], 3).unwrap();
        // finished, but not renamed
        let (dir, part, _) = left_behind();
        fs::write(&part, &lines).unwrap();
        assert_eq!(taken_over(dir.path()).0, fine);
        // renamed, but not entered
        let (dir, part, whole) = left_behind();
        fs::remove_file(&part).unwrap();
        fs::write(&whole, &lines).unwrap();
        assert_eq!(taken_over(dir.path()).0, fine);
        // entered as open, but not begun
        let (dir, part, _) = left_behind();
        fs::remove_file(&part).unwrap();
        assert_eq!(taken_over(dir.path()), (vec![], Manifest::default()));
        let (dir, part, _) = left_behind();
        fs::write(&part, "").unwrap();
        assert_eq!(taken_over(dir.path()), (vec![], Manifest::default()));
        assert!(!part.exists());
    }

    #[test]
    fn a_file_is_cut_at_any_tear_and_kept_if_nothing_can_be_read() {
        let (dir, part, _) = left_behind();
        let bytes = fs::read(&part).unwrap();
        assert!(bytes.len() > 9);
        for cut in 1..=bytes.len() {
            let (dir, part, _) = left_behind();
            fs::write(&part, &bytes[..cut]).unwrap();
            let (adopted, manifest) = taken_over(dir.path());
            let frames: u64 = manifest.files.iter().map(|f| f.frames).sum();
            assert_eq!((adopted.len(), adopted[0].frames, adopted[0].torn), (1, frames, true));
            assert_eq!(frames == 0, dir.path().join(&adopted[0].file).extension().unwrap() == "unreadable");
            assert_eq!(frames == 3, cut == bytes.len(), "{cut} of {}", bytes.len());
        }
        fs::write(&part, "what is this").unwrap();
        let (adopted, manifest) = taken_over(dir.path());
        assert_eq!((adopted[0].frames, manifest.files.len()), (0, 0));
        assert_eq!(fs::read_to_string(dir.path().join(&adopted[0].file)).unwrap(), "what is this");
        // the next file of that second does not take its name
        let mut r = Recorder::new(dir.path(), Rotation::default()).unwrap();
        r.take(&source("net"), b"x", at(0)).unwrap();
        assert_eq!(r.finish(at(1)).unwrap().files[0].file, "net-20260704T080000Z-2.ndjson.zst");
    }

    #[test]
    fn names_of_sources_mean_nothing_in_a_path() {
        assert_eq!(file_name("../../etc/x y", START, 7), "_.._etc_x_y-20260704T080000Z-7.ndjson.zst");
        assert_eq!(file_name("..", START, 1), "source-20260704T080000Z-1.ndjson.zst");
        assert!(file_name(&"é".repeat(300), START, 1).len() < 100);
        let dir = tempfile::tempdir().unwrap();
        let mut r = Recorder::new(dir.path(), Rotation::default()).unwrap();
        ["a/b", "a_b"].iter().for_each(|s| r.take(&source(s), s.as_bytes(), at(0)).unwrap());
        let manifest = r.finish(at(1)).unwrap();
        drop(r);
        let sources: Vec<&str> = manifest.files.iter().map(|f| &*f.source).collect();
        assert_eq!(sources, ["a/b", "a_b"]);
        sound(dir.path(), &manifest);
        let mut r = Recorder::new(dir.path(), Rotation::default()).unwrap();
        let e = (0..1000).find_map(|k| r.take(&source(&format!("s{k}")), b"x", at(0)).err()).unwrap();
        assert!(e.to_string().contains("at most 64 sources"), "{e}");
        assert_eq!(r.finish(at(1)).unwrap().files.len(), 2 + limits::RECORDED_SOURCES);
    }
}
