//! The store: the log in memory, bounded, which is what recovery reads after a snapshot; and
//! recordings in folders.

mod adopt;
mod check;
mod log;
mod manifest;
mod recorder;
mod segment;

use std::io;
use std::path::Path;

pub use adopt::Adopted;
pub use check::{Contents, Problem, check_file, contents, surplus, unfinished};
pub use log::Log;
pub use manifest::{MANIFEST, Manifest, OpenFile, RecordedFile};
pub use recorder::{Recorder, Rotation, Written};

/// The same error with what was wanted and where.
fn failed(wanted: &str, path: &Path, e: io::Error) -> io::Error {
    io::Error::new(e.kind(), format!("expected to {wanted} {}, found {e}", path.display()))
}
