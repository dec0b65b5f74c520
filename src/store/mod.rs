//! The store: one SQLite file with the log, snapshots, positions, what was decided and what is to be
//! sent; beside it the archive of posts, to be searched; and recordings in folders.

mod adopt;
pub mod archive;
mod block;
mod check;
pub mod db;
mod manifest;
mod recorder;
mod seal;
mod segment;

use std::io;
use std::path::Path;

pub use adopt::Adopted;
pub use block::Block;
pub use check::{Contents, Problem, check_file, contents, surplus, unfinished};
pub use manifest::{MANIFEST, Manifest, OpenFile, RecordedFile};
pub use recorder::{Recorder, Rotation, Written};
pub use seal::Damage;

/// The same error with what was wanted and where.
fn failed(wanted: &str, path: &Path, e: io::Error) -> io::Error {
    io::Error::new(e.kind(), format!("expected to {wanted} {}, found {e}", path.display()))
}
