//! zstd with a dictionary, as Jetstream compresses messages: one frame each.

use std::sync::Arc;

use bytes::Bytes;
use zstd::bulk::Decompressor;

use super::tls::Trust;
use crate::base::limits;

/// The dictionary of protocol v1, id 1612007021; see NOTICE for its licence.
static V1: &[u8] = include_bytes!("jetstream.dict");

/// A dictionary begins with this number, then its id, both little-endian.
const MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];

/// The dictionary of protocol v1.
pub(super) fn of_v1() -> &'static [u8] {
    V1
}

/// A message that would be longer than a frame may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct TooLong;

/// Unpacks messages.
pub(super) struct Unpacker {
    id: u32,
    inner: Decompressor<'static>,
    scratch: Vec<u8>,
}

impl Unpacker {
    /// With a dictionary.
    pub(super) fn new(dictionary: &[u8]) -> Result<Unpacker, String> {
        let id = match dictionary {
            [a, b, c, d, e, f, g, h, ..] if [*a, *b, *c, *d] == MAGIC => u32::from_le_bytes([*e, *f, *g, *h]),
            _ => return Err("expected a zstd dictionary, found something else".to_string()),
        };
        let inner = Decompressor::with_dictionary(dictionary).map_err(|e| e.to_string())?;
        Ok(Unpacker { id, inner, scratch: Vec::with_capacity(limits::FRAME_BYTES) })
    }

    /// The dictionary's id.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// The message as it was before; what is not packed, or damaged, stays as it is: no UTF-8.
    pub(super) fn unpack(&mut self, message: &Bytes) -> Result<Bytes, TooLong> {
        self.scratch.clear();
        match self.inner.decompress_to_buffer(message, &mut self.scratch) {
            Ok(_) => Ok(Bytes::copy_from_slice(&self.scratch)),
            // never more than the buffer holds is written
            Err(e) if e.to_string().contains("too small") => Err(TooLong),
            Err(_) => Ok(message.clone()),
        }
    }
}

/// The dictionary that a server of protocol v2 uses now.
pub(super) async fn fetch(url: &str, trust: &Trust) -> Result<Arc<[u8]>, String> {
    let http = url.replacen("ws", "http", 1);
    let origin = http.split('/').take(3).collect::<Vec<_>>().join("/");
    let fail = |what: &str| format!("expected a zstd dictionary from {origin}, found {what}");
    let client = client(trust).map_err(|e| fail(&e))?;
    let address = format!("{origin}/xrpc/network.bsky.jetstream.getZstdDictionary");
    let mut answer = client.get(address).send().await.map_err(|e| fail(&e.to_string()))?;
    if !answer.status().is_success() {
        return Err(fail(&format!("status {}", answer.status())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|e| fail(&e.to_string()))? {
        if body.len() + chunk.len() > limits::DICTIONARY_BYTES {
            return Err(fail(&format!("more than {} bytes", limits::DICTIONARY_BYTES)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.into())
}

fn client(trust: &Trust) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .timeout(limits::CONNECT_TIMEOUT.as_std())
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("groundswell/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = trust.pem() {
        let certs = reqwest::Certificate::from_pem_bundle(pem).map_err(|e| e.to_string())?;
        builder = builder.tls_certs_merge(certs);
    }
    builder.build().map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(text: &[u8]) -> Bytes {
        let mut c = zstd::bulk::Compressor::with_dictionary(3, V1).unwrap();
        c.compress(text).unwrap().into()
    }

    #[test]
    fn the_dictionary_is_that_of_the_protocol() {
        assert_eq!(Unpacker::new(V1).unwrap().id(), 1_612_007_021);
        assert!(Unpacker::new(b"PK").is_err() && Unpacker::new(b"").is_err());
    }

    #[test]
    fn unpacks_and_is_not_blown_up() {
        let mut u = Unpacker::new(V1).unwrap();
        let text = br#"{"did":"did:plc:a","time_us":1783175888085434,"kind":"commit"}"#;
        assert!(packed(text).len() < text.len());
        assert_eq!(u.unpack(&packed(text)).unwrap(), &text[..]);
        let bomb = packed(&vec![b' '; 50 << 20]);
        assert!(bomb.len() < 10_000);
        assert_eq!(u.unpack(&bomb), Err(TooLong));
        // what is no zstd stays what it is, and damage is no text
        assert_eq!(u.unpack(&Bytes::from_static(b"{}")).unwrap(), &b"{}"[..]);
        let mut torn = packed(text).to_vec();
        torn.truncate(20);
        assert!(std::str::from_utf8(&u.unpack(&torn.into()).unwrap()).is_err());
        assert_eq!(u.unpack(&packed(text)).unwrap(), &text[..], "and goes on");
    }
}
