//! Snapshots of the engine: versioned, checksummed, one part a key, independent of the number
//! of shards.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::app::back::KeyState;
use crate::base::hash;
use crate::base::model::{KeyId, Seq};
use crate::enroll::{Junction, JunctionBefore};
use crate::fold::{Courses, Outages, Terms};
use crate::judge::Sequences;

/// The version this program writes and reads.
const VERSION: u32 = 5;
/// The same, of keys: since this version their hashtags and sequences are in it, since that before the courses
/// of stories.
const KEY_VERSION: u32 = 7;
/// The version of the junction's part, which also [`read_junction`] knows that before of.
const JUNCTION_VERSION: u32 = 6;
const MAGIC: &[u8; 8] = b"GSWSNAP\0";

/// One part of a snapshot, as bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Its name: [`HEAD`], [`JUNCTION`] or that of a key.
    pub name: String,
    /// Magic, version, checksum, content.
    pub bytes: Vec<u8>,
}

/// The part that says what there is.
pub const HEAD: &str = "head";
/// The part of the junction.
pub const JUNCTION: &str = "junction";

const KEY: &str = "key ";

/// The part of a key.
pub fn part_of(key: KeyId) -> String {
    format!("{KEY}{:016x}", key.0)
}

/// What is not of one key, nor the junction's.
#[derive(Serialize, Deserialize)]
pub struct Head {
    /// The rule set it was made under.
    pub fingerprint: u64,
    /// The last entry it holds.
    pub as_of: Seq,
    /// The keys; each has its part.
    pub keys: Vec<KeyId>,
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
    /// A part is not there.
    Missing(String),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Foreign => write!(f, "expected a snapshot, found other data"),
            SnapshotError::Version(v) => write!(f, "expected a snapshot of version {VERSION}, found version {v}"),
            SnapshotError::Damaged => write!(f, "expected a whole snapshot, found a damaged one"),
            SnapshotError::Missing(name) => write!(f, "expected a snapshot with all its parts, found none of {name}"),
            SnapshotError::Rules => {
                write!(f, "expected a snapshot made under these rules, found one made under others")
            }
        }
    }
}

impl std::error::Error for SnapshotError {}

/// Writes a part: magic, version, checksum, content.
///
/// # Errors
/// Only if it cannot be encoded, which would be a mistake of the program.
pub fn write(name: &str, content: &impl Serialize) -> Result<Part, SnapshotError> {
    let content = postcard::to_stdvec(content).map_err(|_| SnapshotError::Damaged)?;
    let mut bytes = Vec::with_capacity(content.len() + 20);
    bytes.extend_from_slice(MAGIC);
    let version = match name {
        JUNCTION => JUNCTION_VERSION,
        key if key.starts_with(KEY) => KEY_VERSION,
        _ => VERSION,
    };
    bytes.extend_from_slice(&version.to_le_bytes());
    bytes.extend_from_slice(&hash::parts(&[&content]).to_le_bytes());
    bytes.extend_from_slice(&content);
    Ok(Part { name: name.to_string(), bytes })
}

/// Reads a part.
///
/// # Errors
/// Where it is no snapshot, of another version, or damaged.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SnapshotError> {
    read_as(VERSION, bytes)
}

/// Writes the part of a key.
///
/// # Errors
/// Only if it cannot be encoded, which would be a mistake of the program.
pub fn write_key(key: KeyId, state: &KeyState) -> Result<Part, SnapshotError> {
    write(&part_of(key), &(state, state.beside()))
}

/// Reads the part of a key. What one of before does not hold is made of the posts kept.
///
/// # Errors
/// Where it is no snapshot, of another version, or damaged.
pub fn read_key(bytes: &[u8]) -> Result<KeyState, SnapshotError> {
    match read_as::<(KeyState, (Courses, Terms, Sequences))>(KEY_VERSION, bytes) {
        Ok((mut state, beside)) => {
            state.go_on_with(beside);
            Ok(state)
        }
        Err(SnapshotError::Version(6)) => {
            let (mut state, courses): (KeyState, Courses) = read_as(6, bytes)?;
            state.go_on_with((courses, Terms::default(), Sequences::default()));
            state.recount_terms();
            Ok(state)
        }
        Err(SnapshotError::Version(VERSION)) => {
            let mut state: KeyState = read_as(VERSION, bytes)?;
            state.recount_courses();
            state.recount_terms();
            Ok(state)
        }
        Err(e) => Err(e),
    }
}

/// Reads the part of the junction, of this version or the one before.
///
/// # Errors
/// As for [`read`].
pub fn read_junction(bytes: &[u8]) -> Result<Junction, SnapshotError> {
    match read_as(JUNCTION_VERSION, bytes) {
        Err(SnapshotError::Version(5)) => Ok(read_as::<JunctionBefore>(5, bytes)?.into()),
        read => read,
    }
}

fn read_as<T: DeserializeOwned>(expected: u32, bytes: &[u8]) -> Result<T, SnapshotError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(SnapshotError::Foreign)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(SnapshotError::Damaged)?;
    let version = u32::from_le_bytes(*version);
    if version != expected {
        return Err(SnapshotError::Version(version));
    }
    let (sum, content) = rest.split_first_chunk::<8>().ok_or(SnapshotError::Damaged)?;
    if hash::parts(&[content]) != u64::from_le_bytes(*sum) {
        return Err(SnapshotError::Damaged);
    }
    postcard::from_bytes(content).map_err(|_| SnapshotError::Damaged)
}
