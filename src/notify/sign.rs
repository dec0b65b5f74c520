//! HMAC-SHA256 signatures, by which a receiver knows that a message is ours and how old it is.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::secret::Secret;

/// Signs with one secret.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    /// With a secret of any length; `None` only where the algorithm would not take it.
    pub(super) fn new(secret: &Secret) -> Option<Signer> {
        Hmac::new_from_slice(secret.expose().as_bytes()).ok().map(Signer)
    }

    /// `v1=` and the signature of `<timestamp>.<body>` in hex; the timestamp in Unix seconds.
    pub(super) fn signature(&self, timestamp: i64, body: &[u8]) -> String {
        let head = format!("{timestamp}.");
        format!("v1={}", self.hex(&[head.as_bytes(), body]))
    }

    /// `v1=` and the signature of a body alone.
    #[cfg(test)]
    pub(super) fn of(&self, body: &[u8]) -> String {
        format!("v1={}", self.hex(&[body]))
    }

    /// Whether a signature is that of a body alone; takes as long for a wrong one as for the right one.
    pub(super) fn has_made(&self, signature: &[u8], body: &[u8]) -> bool {
        let mut mac = self.0.clone();
        mac.update(body);
        mac.verify_slice(signature).is_ok()
    }

    fn hex(&self, parts: &[&[u8]]) -> String {
        let mut mac = self.0.clone();
        parts.iter().for_each(|p| mac.update(p));
        mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hmac(key: &[u8], data: &[u8]) -> String {
        Signer(Hmac::new_from_slice(key).unwrap()).hex(&[data])
    }

    #[test]
    fn agrees_with_rfc_4231() {
        let by_hand: Vec<u8> = (1..=25).collect();
        let long_key = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let long_both: &[u8] = b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.";
        let cases: [(&[u8], &[u8], &str); 6] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&by_hand, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (&[0xaa; 131], long_key, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
            (&[0xaa; 131], long_both, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        ];
        for (key, data, expected) in cases {
            assert_eq!(hmac(key, data), expected);
        }
    }

    #[test]
    fn time_and_body_are_both_signed() {
        let signer = Signer::new(&Secret::new("Jefe")).unwrap();
        assert_eq!(signer.signature(17, b"{}"), format!("v1={}", hmac(b"Jefe", b"17.{}")));
        assert_ne!(signer.signature(1, b"7.{}"), signer.signature(17, b".{}"));
        assert!(Signer::new(&Secret::new("")).is_some());
    }
}
