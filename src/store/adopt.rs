//! Files that a recorder left behind when its process ended too soon: cut at their tear, finished
//! and entered in the manifest.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::check::{checksum, contents, decoder};
use super::failed;
use super::manifest::{Manifest, OpenFile, RecordedFile, sync_folder};
use super::segment::{Compressed, part_of};
use crate::base::time::Time;

/// What a file is called of which nothing can be read.
pub(super) const UNREADABLE: &str = ".unreadable";
const TEMPORARY: &str = ".tmp";

/// A file that was left behind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adopted {
    /// Its name now.
    pub file: String,
    /// Frames kept.
    pub frames: u64,
    /// Whether its end was missing.
    pub torn: bool,
}

/// Takes over what the manifest says was open. Crashing in here at any point loses nothing: what
/// is left behind is taken over by the next run.
pub(super) fn adopt(dir: &Path, manifest: &mut Manifest) -> io::Result<Vec<Adopted>> {
    let mut adopted = Vec::new();
    for open in std::mem::take(&mut manifest.open) {
        let name = open.file.clone();
        let took = take_over(dir, open).map_err(|e| failed("take over", &dir.join(&name), e))?;
        let Some((entry, told)) = took else { continue };
        manifest.files.extend(entry);
        adopted.push(told);
    }
    if !adopted.is_empty() {
        sync_folder(dir).map_err(|e| failed("sync", dir, e))?;
        manifest.save(dir)?;
    }
    // only now is the original of a cut file no longer needed
    for file in manifest.files.iter().filter(|f| f.torn) {
        match fs::remove_file(part_of(dir, &file.file)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", &part_of(dir, &file.file), e));
            }
            _ => {}
        }
    }
    Ok(adopted)
}

/// One file; `None` if it was never begun.
fn take_over(dir: &Path, open: OpenFile) -> io::Result<Option<(Option<RecordedFile>, Adopted)>> {
    let (part, whole) = (part_of(dir, &open.file), dir.join(&open.file));
    if !part.exists() {
        // finished, but not entered yet
        return if whole.exists() { entry(&whole, open, false, modified(&whole)?).map(Some) } else { Ok(None) };
    }
    let last = modified(&part)?;
    if whole.exists() {
        // cut by a run that ended before it could say so
        return entry(&whole, open, true, last).map(Some);
    }
    let found = contents(&part)?;
    let length = fs::metadata(&part)?.len();
    if length == 0 {
        fs::remove_file(&part)?;
        return Ok(None);
    }
    if found.frames == 0 {
        let file = format!("{}{UNREADABLE}", open.file);
        fs::rename(&part, dir.join(&file))?;
        return Ok(Some((None, Adopted { file, frames: 0, torn: true })));
    }
    if found.torn.is_none() {
        fs::File::open(&part)?.sync_all()?;
        fs::rename(&part, &whole)?;
        return entry(&whole, open, false, last).map(Some);
    }
    let temporary = dir.join(format!("{}{TEMPORARY}", open.file));
    let mut out = Compressed::create(temporary.clone(), true)?;
    let copied = io::copy(&mut decoder(&part)?.take(found.raw_bytes), &mut out).and_then(|_| out.finish());
    if let Err(e) = copied {
        let _ = fs::remove_file(&temporary);
        return Err(e);
    }
    fs::rename(&temporary, &whole)?;
    entry(&whole, open, true, last).map(Some)
}

fn entry(path: &Path, open: OpenFile, torn: bool, last: Time) -> io::Result<(Option<RecordedFile>, Adopted)> {
    let found = contents(path)?;
    let (bytes, sha256) = checksum(path)?;
    let OpenFile { file, source, format, first } = open;
    let adopted = Adopted { file: file.clone(), frames: found.frames, torn };
    let (frames, raw_bytes, last) = (found.frames, found.raw_bytes, last.max(first));
    let entry = RecordedFile { file, source, format, frames, bytes, raw_bytes, skipped: 0, sha256, first, last, torn };
    Ok((Some(entry), adopted))
}

/// When a file was last written to.
fn modified(path: &Path) -> io::Result<Time> {
    let since = fs::metadata(path)?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Time(i64::try_from(since.as_micros()).unwrap_or(0)).plausible().unwrap_or_default())
}
