//! Whom to trust: the public authorities, and those of a file beside them.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::Connector;

use crate::base::limits;

/// Certificates that servers are checked against, beside those of the public authorities.
#[derive(Clone, Default)]
pub struct Trust {
    pem: Option<Arc<[u8]>>,
}

impl Trust {
    /// The public authorities, and those of a PEM file if there is one.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no certificate.
    pub fn read(ca: Option<&Path>) -> Result<Trust, String> {
        let Some(path) = ca else { return Ok(Trust::default()) };
        let fail = |what: String| format!("expected certificates in {}, found {what}", path.display());
        let size = std::fs::metadata(path).map_err(|e| fail(e.to_string()))?.len();
        if size > limits::CERTIFICATE_BYTES {
            return Err(fail(format!("{size} bytes")));
        }
        let pem = std::fs::read(path).map_err(|e| fail(e.to_string()))?;
        let trust = Trust { pem: Some(pem.into()) };
        trust.connector().map_err(fail)?;
        Ok(trust)
    }

    /// The certificates as they stood in the file.
    pub(super) fn pem(&self) -> Option<&[u8]> {
        self.pem.as_deref()
    }

    /// What checks a server; `None` means the library's own, with the public authorities.
    pub(super) fn connector(&self) -> Result<Option<Connector>, String> {
        let Some(pem) = &self.pem else { return Ok(None) };
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let public = roots.len();
        for cert in CertificateDer::pem_slice_iter(pem) {
            let cert = cert.map_err(|e| e.to_string())?;
            roots.add(cert).map_err(|e| e.to_string())?;
        }
        if roots.len() == public {
            return Err("none".to_string());
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Some(Connector::Rustls(Arc::new(config))))
    }
}
