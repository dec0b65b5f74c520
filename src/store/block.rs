//! Steps of the log as one compressed, sealed block.

use crate::base::limits;
use crate::base::model::{Seq, Step};

use super::seal::{Damage, seal, unseal};

/// The version of blocks this program writes and reads.
const VERSION: u8 = 1;

/// Steps that are committed together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// The number of the last entry, if it holds any.
    pub last: Option<Seq>,
    /// Version, checksum, compressed steps.
    pub bytes: Vec<u8>,
}

impl Block {
    /// Of steps in their order.
    ///
    /// # Errors
    /// Only if they cannot be encoded, which would be a mistake of the program.
    pub fn write(steps: &[Step]) -> Result<Block, Damage> {
        let plain = postcard::to_stdvec(steps).map_err(|_| Damage("cannot be encoded"))?;
        let packed = zstd::bulk::compress(&plain, 1).map_err(|_| Damage("cannot be compressed"))?;
        let last = steps.iter().rev().find_map(|s| s.range()).map(|(_, last)| last);
        Ok(Block { last, bytes: seal(VERSION, &packed) })
    }

    /// Its steps.
    ///
    /// # Errors
    /// Where it is damaged or of another version.
    pub fn read(bytes: &[u8]) -> Result<Vec<Step>, Damage> {
        Unpacker::default().read(bytes)
    }
}

/// Reads many blocks: what unpacking one takes is made once, which for small blocks is most of it.
#[derive(Default)]
pub struct Unpacker(zstd::bulk::Decompressor<'static>);

impl Unpacker {
    /// The steps of a block.
    ///
    /// # Errors
    /// Where it is damaged or of another version.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Vec<Step>, Damage> {
        let packed = unseal(VERSION, bytes)?;
        let plain = self.0.decompress(packed, limits::BLOCK_BYTES).map_err(|_| Damage("cannot be unpacked"))?;
        postcard::from_bytes(&plain).map_err(|_| Damage("cannot be decoded"))
    }
}
