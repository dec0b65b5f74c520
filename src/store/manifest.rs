//! The manifest of a folder of recordings: what each file holds, and its checksum.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::failed;
use crate::base::limits;
use crate::base::model::WireFormat;
use crate::base::time::Time;

/// The manifest's name in its folder.
pub const MANIFEST: &str = "manifest.json";
const TEMPORARY: &str = "manifest.json.tmp";
const VERSION: u32 = 1;
/// Who writes manifests.
const MADE_BY: &str = concat!("groundswell ", env!("CARGO_PKG_VERSION"));

/// What a folder of recordings holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this form: 1.
    pub version: u32,
    /// Program and version that wrote it.
    pub made_by: String,
    /// Finished files; those of one source in the order they were recorded.
    pub files: Vec<RecordedFile>,
    /// Files that are being written, or were when the program ended too soon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenFile>,
}

/// One finished recording.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RecordedFile {
    /// Name of the file in the manifest's folder.
    pub file: String,
    /// Name of the source it was received from.
    pub source: String,
    /// How its lines are read.
    pub format: WireFormat,
    /// Frames, one a line.
    pub frames: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// Length of its lines in bytes, line ends included.
    pub raw_bytes: u64,
    /// Frames that could not be written as a line and are not in it; not known of a torn file.
    pub skipped: u64,
    /// SHA-256 of the file, in lowercase hex.
    pub sha256: String,
    /// When its first frame was received.
    #[serde(with = "rfc3339")]
    pub first: Time,
    /// When its last frame was received; of a torn file, when it was last written to.
    #[serde(with = "rfc3339")]
    pub last: Time,
    /// The program ended before it was finished: frames at its end may be missing.
    #[serde(default, skip_serializing_if = "is_false")]
    pub torn: bool,
}

/// A recording that is not finished. Its name ends in `.part` until it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenFile {
    /// The name it will have.
    pub file: String,
    /// Name of the source it is received from.
    pub source: String,
    /// How its lines are read.
    pub format: WireFormat,
    /// When its first frame was received.
    #[serde(with = "rfc3339")]
    pub first: Time,
}

fn is_false(b: &bool) -> bool {
    !b
}

mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::base::time::Time;

    pub(super) fn serialize<S: Serializer>(t: &Time, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(t)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Time, D::Error> {
        let text = String::deserialize(d)?;
        Time::parse_rfc3339(&text).ok_or_else(|| D::Error::custom(format!("expected an RFC 3339 time, found `{text}`")))
    }
}

impl Default for Manifest {
    fn default() -> Manifest {
        Manifest { version: VERSION, made_by: MADE_BY.to_string(), files: Vec::new(), open: Vec::new() }
    }
}

impl Manifest {
    /// Reads the manifest of a folder; `None` if there is none.
    ///
    /// # Errors
    /// Where it cannot be read, is no manifest of version 1, or names files that cannot be in its
    /// folder, or one twice.
    pub fn read(dir: &Path) -> io::Result<Option<Manifest>> {
        let path = dir.join(MANIFEST);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed("read", &path, e)),
        };
        let mut bytes = Vec::new();
        file.take(limits::MANIFEST_BYTES + 1).read_to_end(&mut bytes).map_err(|e| failed("read", &path, e))?;
        let wrong = |found: String| {
            let what = format!("expected a manifest of recordings in {}, found {found}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, what)
        };
        if bytes.len() as u64 > limits::MANIFEST_BYTES {
            return Err(wrong(format!("more than {} bytes", limits::MANIFEST_BYTES)));
        }
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
        match manifest.mistake() {
            Some(found) => Err(wrong(found)),
            None => Ok(Some(manifest)),
        }
    }

    fn mistake(&self) -> Option<String> {
        if self.version != VERSION {
            return Some(format!("version {}, where {VERSION} is read", self.version));
        }
        if self.files.len() + self.open.len() > limits::MANIFEST_FILES {
            return Some(format!("more than {} files", limits::MANIFEST_FILES));
        }
        let mut seen = std::collections::BTreeSet::new();
        for name in self.files.iter().map(|f| &f.file).chain(self.open.iter().map(|f| &f.file)) {
            if !is_plain(name) {
                return Some(format!("`{name}`, which is not the name of a file"));
            }
            if !seen.insert(name) {
                return Some(format!("`{name}` twice"));
            }
        }
        None
    }

    /// Replaces the manifest of a folder as one step: after a crash it is the old one or the new.
    ///
    /// # Errors
    /// Where it cannot be written; the old one stays.
    pub fn save(&self, dir: &Path) -> io::Result<()> {
        let (path, temporary) = (dir.join(MANIFEST), dir.join(TEMPORARY));
        let write = || -> io::Result<()> {
            let mut text = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
            text.push(b'\n');
            let mut file = File::create(&temporary)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            sync_folder(dir)
        };
        write().map_err(|e| failed("write", &path, e))
    }
}

/// Whether a name is that of a file in the same folder, and no hidden one.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && name != MANIFEST
        && !name.contains(|c: char| matches!(c, '/' | '\\') || c.is_control())
}

/// Makes renames in a folder last.
pub(super) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str) -> RecordedFile {
        let (first, last) = (Time::from_millis(1_783_152_000_123), Time::from_millis(1_783_152_060_000));
        let (source, sha256) = ("net".to_string(), "ab".repeat(32));
        let format = WireFormat::Post;
        let file = file.to_string();
        RecordedFile {
            file,
            source,
            format,
            frames: 3,
            bytes: 9,
            raw_bytes: 30,
            skipped: 1,
            sha256,
            first,
            last,
            torn: false,
        }
    }

    #[test]
    fn is_what_was_written_and_has_the_form_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), None);
        let manifest = Manifest { files: vec![entry("a.ndjson.zst"), entry("b")], ..Manifest::default() };
        manifest.save(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Some(manifest));
        let text = fs::read_to_string(dir.path().join(MANIFEST)).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&json["version"], &json["made_by"]), (&1.into(), &MADE_BY.into()));
        let first = serde_json::json!({"file": "a.ndjson.zst", "source": "net", "format": "Post", "frames": 3, "bytes": 9,
            "raw_bytes": 30, "skipped": 1, "sha256": "ab".repeat(32), "first": "2026-07-04T08:00:00.123Z",
            "last": "2026-07-04T08:01:00.000Z"});
        assert_eq!(json["files"][0], first);
        assert!(!dir.path().join(TEMPORARY).exists());
    }

    #[test]
    fn what_is_no_manifest_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let with = |files: &[&str]| Manifest { files: files.iter().map(|f| entry(f)).collect(), ..Manifest::default() };
        let text = |m: &Manifest| serde_json::to_string(m).unwrap();
        for (content, found) in [
            ("{}".to_string(), "missing field"),
            ("[".to_string(), "EOF"),
            (text(&Manifest { version: 2, ..Manifest::default() }), "version 2"),
            (text(&with(&["a", "a"])), "`a` twice"),
            (text(&with(&["../a"])), "`../a`"),
            (text(&with(&["/etc/passwd"])), "`/etc/passwd`"),
            (text(&with(&["a\nb"])), "not the name of a file"),
            (text(&with(&["a"])).replace("2026-07-04T08:00", "2026-99-04T08:00"), "expected an RFC 3339 time"),
        ] {
            fs::write(dir.path().join(MANIFEST), &content).unwrap();
            let e = Manifest::read(dir.path()).unwrap_err().to_string();
            assert!(e.contains(found) && e.contains("manifest.json"), "{content}: {e}");
        }
    }
}
