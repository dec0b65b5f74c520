//! Snapshots of the engine: versioned, checksummed, one part a key, independent of the number
//! of shards.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::app::back::KeyState;
use crate::base::hash;
use crate::base::model::{KeyId, Seq};
use crate::enroll::Junction;
use crate::fold::Outages;

/// The version this program writes and reads.
const VERSION: u32 = 4;
const MAGIC: &[u8; 8] = b"GSWSNAP\0";

/// Everything the engine knows after an entry.
#[derive(Serialize, Deserialize)]
pub struct Snapshot {
    /// The rule set it was made under.
    pub fingerprint: u64,
    /// The last entry it holds.
    pub as_of: Seq,
    /// The junction.
    pub junction: Junction,
    /// The keys.
    pub keys: Vec<(KeyId, KeyState)>,
    /// When which sources were down.
    pub outages: Outages,
    /// The last hour closed.
    pub hour: Option<i64>,
}

/// Why a snapshot cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SnapshotError {
    /// Not a snapshot at all.
    Foreign,
    /// Of another version.
    Version(u32),
    /// Damaged.
    Damaged,
    /// Made under another rule set.
    Rules,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Foreign => write!(f, "expected a snapshot, found other data"),
            SnapshotError::Version(v) => write!(f, "expected a snapshot of version {VERSION}, found version {v}"),
            SnapshotError::Damaged => write!(f, "expected a whole snapshot, found a damaged one"),
            SnapshotError::Rules => {
                write!(f, "expected a snapshot made under these rules, found one made under others")
            }
        }
    }
}

impl std::error::Error for SnapshotError {}

/// Writes a snapshot: magic, version, checksum, content.
pub fn write(s: &Snapshot) -> Result<Vec<u8>, SnapshotError> {
    let content = postcard::to_stdvec(s).map_err(|_| SnapshotError::Damaged)?;
    let mut out = Vec::with_capacity(content.len() + 20);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&hash::parts(&[&content]).to_le_bytes());
    out.extend_from_slice(&content);
    Ok(out)
}

/// Reads a snapshot.
///
/// # Errors
/// Where it is no snapshot, of another version, or damaged.
pub fn read(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(SnapshotError::Foreign)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(SnapshotError::Damaged)?;
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(SnapshotError::Version(version));
    }
    let (sum, content) = rest.split_first_chunk::<8>().ok_or(SnapshotError::Damaged)?;
    if hash::parts(&[content]) != u64::from_le_bytes(*sum) {
        return Err(SnapshotError::Damaged);
    }
    postcard::from_bytes(content).map_err(|_| SnapshotError::Damaged)
}
