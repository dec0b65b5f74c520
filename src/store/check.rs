//! Whether the files of a folder of recordings are what its manifest says.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::manifest::{Manifest, RecordedFile};
use super::segment::{PART, hex};

/// Bytes read at once.
const CHUNK: usize = 128 << 10;
/// Largest window a zstd frame may ask for, as a power of two.
const WINDOW_LOG: u32 = 27;

/// A file that is not what its manifest says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Its name.
    pub file: String,
    /// `expected …, found …`.
    pub what: String,
}

/// What a compressed file holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Contents {
    /// Whole lines.
    pub frames: u64,
    /// Their length in bytes, line ends included.
    pub raw_bytes: u64,
    /// Why it cannot be read to its end, or that it ends within a line.
    pub torn: Option<String>,
}

/// Reads a file and compares its length and checksum with its entry.
///
/// # Errors
/// How it differs, or why it cannot be read.
pub fn check_file(dir: &Path, entry: &RecordedFile) -> Result<(), Problem> {
    let problem = |what: String| Problem { file: entry.file.clone(), what };
    let path = dir.join(&entry.file);
    let (bytes, sha256) = checksum(&path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => problem("expected a file, found none".to_string()),
        _ => problem(format!("expected a file that can be read, found {e}")),
    })?;
    if bytes != entry.bytes {
        return Err(problem(format!("expected {} bytes, found {bytes}", entry.bytes)));
    }
    if sha256 != entry.sha256 {
        return Err(problem(format!("expected sha256 {}, found {sha256}", entry.sha256)));
    }
    Ok(())
}

/// Length and SHA-256 of a file.
pub(super) fn checksum(path: &Path) -> io::Result<(u64, String)> {
    // what is no file (a pipe, a device) could be read for ever
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"));
    }
    let (mut file, mut hash, mut bytes) = (File::open(path)?, Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok((bytes, hex(hash))),
            Ok(n) => {
                hash.update(chunk.get(..n).unwrap_or_default());
                bytes += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Reads the lines of a `.zst` file up to its end or its tear, without keeping them.
///
/// # Errors
/// Where the disk cannot be read; damage of the file is none.
pub fn contents(path: &Path) -> io::Result<Contents> {
    let mut decoder = decoder(path)?;
    let mut found = Contents::default();
    let (mut chunk, mut unfinished) = (vec![0; CHUNK], 0);
    loop {
        let read = match decoder.read(&mut chunk) {
            Ok(0) if unfinished > 0 => {
                found.torn = Some("ends within a line".to_string());
                return Ok(found);
            }
            Ok(0) => return Ok(found),
            Ok(n) => chunk.get(..n).unwrap_or_default(),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) if e.raw_os_error().is_some() => return Err(e),
            Err(e) => {
                found.torn = Some(e.to_string());
                return Ok(found);
            }
        };
        found.frames += memchr::memchr_iter(b'\n', read).count() as u64;
        match memchr::memrchr(b'\n', read) {
            Some(at) => {
                found.raw_bytes += unfinished + at as u64 + 1;
                unfinished = (read.len() - at - 1) as u64;
            }
            None => unfinished += read.len() as u64,
        }
    }
}

/// A reader of what a `.zst` file holds.
pub(super) fn decoder(path: &Path) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::new(File::open(path)?)?;
    decoder.window_log_max(WINDOW_LOG)?;
    Ok(decoder)
}

/// Recordings in the folder that the manifest does not know, in the order of their names.
///
/// # Errors
/// Where the folder cannot be read.
pub fn surplus(dir: &Path, manifest: &Manifest) -> io::Result<Vec<String>> {
    let known: std::collections::BTreeSet<&str> =
        manifest.files.iter().map(|f| &*f.file).chain(manifest.open.iter().map(|f| &*f.file)).collect();
    let mut names = names(dir, |n| {
        let ending = n.split_once(".ndjson").map(|(_, ending)| ending);
        matches!(ending, Some("" | ".zst" | ".gz")) && !known.contains(n)
    })?;
    names.sort();
    Ok(names)
}

/// Names of files in the folder that are not finished, in the order of their names.
///
/// # Errors
/// Where the folder cannot be read.
pub fn unfinished(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = names(dir, |n| n.ends_with(PART))?;
    names.sort();
    Ok(names)
}

fn names(dir: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<String>> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        out.extend(name.to_str().filter(|n| wanted(n)).map(str::to_string));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn zst(text: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(text, 3).unwrap()
    }

    #[test]
    fn counts_whole_lines_up_to_the_tear() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let read = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            contents(&path).unwrap()
        };
        let long = format!("{{\"a\":1}}\n{}\n", "y".repeat(3 * CHUNK));
        let whole = Contents { frames: 2, raw_bytes: long.len() as u64, torn: None };
        assert_eq!(read(&zst(long.as_bytes())), whole);
        let two = [zst(b"a\n"), zst(b"b\nc")].concat();
        assert_eq!(read(&two), Contents { frames: 2, raw_bytes: 4, torn: Some("ends within a line".into()) });
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        encoder.write_all(b"a\nbc\n").unwrap();
        encoder.flush().unwrap();
        let flushed = encoder.get_ref().clone();
        let found = read(&flushed);
        assert_eq!((found.frames, found.raw_bytes, found.torn.is_some()), (2, 5, true));
        assert!(read(b"no zstd at all").torn.is_some());
        assert!(read(b"").torn.is_some());
    }

    #[test]
    fn tells_how_a_file_differs() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("x"), "abc").unwrap();
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_string();
        let json = serde_json::json!({"file": "x", "source": "s", "format": "Post", "frames": 1, "bytes": 3, "raw_bytes": 1,
            "skipped": 0, "sha256": sha256, "first": "2026-07-04T08:00:00Z", "last": "2026-07-04T08:00:00Z"});
        let entry: RecordedFile = serde_json::from_value(json).unwrap();
        let told = |e: &RecordedFile| check_file(dir.path(), e).map_err(|p| p.what);
        assert_eq!(told(&entry), Ok(()));
        assert_eq!(told(&RecordedFile { bytes: 4, ..entry.clone() }), Err("expected 4 bytes, found 3".into()));
        let other = RecordedFile { sha256: "00".repeat(32), ..entry.clone() };
        assert_eq!(told(&other), Err(format!("expected sha256 {}, found {sha256}", other.sha256)));
        assert_eq!(
            told(&RecordedFile { file: "y".into(), ..entry.clone() }),
            Err("expected a file, found none".into())
        );
        fs::create_dir(dir.path().join("d")).unwrap();
        assert!(told(&RecordedFile { file: "d".into(), ..entry.clone() }).unwrap_err().contains("no regular file"));
        for name in ["a.ndjson", "a.ndjson.gz", "b.ndjson.zst", "c.ndjson.zst.part", "c.ndjson.zst.tmp", "notes.txt"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let manifest =
            Manifest { files: vec![RecordedFile { file: "b.ndjson.zst".into(), ..entry }], ..Manifest::default() };
        assert_eq!(surplus(dir.path(), &manifest).unwrap(), ["a.ndjson", "a.ndjson.gz"]);
        assert_eq!(unfinished(dir.path()).unwrap(), ["c.ndjson.zst.part"]);
    }
}
