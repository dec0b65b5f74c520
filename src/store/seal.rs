//! Bytes with a version and a checksum, so that damage is known before it is believed.

use std::fmt;

use crate::base::hash;

/// What is wrong with bytes that were stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage(pub(super) &'static str);

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Damage {}

/// Seals bytes.
pub(super) fn seal(version: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 9);
    out.push(version);
    out.extend_from_slice(&hash::parts(&[&[version], content]).to_le_bytes());
    out.extend_from_slice(content);
    out
}

/// The bytes that were sealed.
///
/// # Errors
/// Where they are not as they were, or of another version.
pub(super) fn unseal(version: u8, sealed: &[u8]) -> Result<&[u8], Damage> {
    let (found, rest) = sealed.split_first().ok_or(Damage("is empty"))?;
    let (sum, content) = rest.split_first_chunk::<8>().ok_or(Damage("is cut off"))?;
    if hash::parts(&[&[*found], content]) != u64::from_le_bytes(*sum) {
        return Err(Damage("does not match its checksum"));
    }
    if *found != version {
        return Err(Damage("is of another version"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealed = seal(3, b"what was stored");
        assert_eq!(unseal(3, &sealed), Ok(&b"what was stored"[..]));
        assert_eq!(unseal(4, &sealed), Err(Damage("is of another version")));
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut damaged = sealed.clone();
                damaged[at] ^= 1 << bit;
                assert!(unseal(3, &damaged).is_err(), "byte {at}, bit {bit}");
            }
            assert!(unseal(3, &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}
