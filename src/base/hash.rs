//! Stable 64-bit hashes: ids are stored and compared over versions, so the function is fixed
//! (SipHash-1-3 with constant keys).

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use siphasher::sip::SipHasher13;

const KEYS: (u64, u64) = (0x6772_6f75_6e64_7377, 0x656c_6c20_6865_6172);

/// The hash of a list of byte strings; the border between two parts counts.
pub fn parts(parts: &[&[u8]]) -> u64 {
    let mut h = SipHasher13::new_with_keys(KEYS.0, KEYS.1);
    for p in parts {
        h.write(p);
        h.write(&(p.len() as u64).to_le_bytes());
    }
    h.finish()
}

/// The beginning of lists of byte strings that are often hashed.
#[derive(Clone, Copy)]
pub struct Prefix(SipHasher13);

impl Prefix {
    /// Of these parts.
    pub fn of(parts: &[&[u8]]) -> Prefix {
        let mut h = SipHasher13::new_with_keys(KEYS.0, KEYS.1);
        for p in parts {
            h.write(p);
            h.write(&(p.len() as u64).to_le_bytes());
        }
        Prefix(h)
    }

    /// The same as [`parts`] of the beginning and one more part.
    pub fn then(&self, part: &[u8]) -> u64 {
        let mut h = self.0;
        h.write(part);
        h.write(&(part.len() as u64).to_le_bytes());
        h.finish()
    }
}

/// A map whose keys are hashes already. Its order is never observed.
pub type HashedMap<K, V> = HashMap<K, V, BuildHasherDefault<AsIs>>;
/// A set whose members are hashes already. Its order is never observed.
pub type HashedSet<K> = HashSet<K, BuildHasherDefault<AsIs>>;

/// Takes a 64-bit key as its own hash.
#[derive(Default, Clone, Copy, Debug)]
pub struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = parts(&[bytes]);
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_fixed_for_ever_and_sees_borders() {
        assert_eq!(parts(&[b"bluesky", b"x1"]), 0xc873_f7ef_b5a3_173c);
        assert_eq!(Prefix::of(&[b"bluesky"]).then(b"x1"), parts(&[b"bluesky", b"x1"]));
        assert_ne!(parts(&[b"ab", b"c"]), parts(&[b"a", b"bc"]));
        assert_ne!(parts(&[b"a"]), parts(&[b"a", b""]));
    }
}
