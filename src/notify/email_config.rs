//! What a receiver of mails is made of, with all mistakes told before anything is sent.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lettre::message::Body;
use lettre::message::header::ContentTransferEncoding;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

use super::address::{pem, wrong};
use super::carrier::Carrier;
use super::courier::Pace;
use super::email::Email;
use super::mail::Mail;
use super::plain::{plain, sought};
use crate::base::secret::Secret;

/// How a connection to a mail server is kept from others' eyes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Tls {
    /// It begins in the open and turns to TLS before anything is said; a server that cannot is not used.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Not at all.
    None,
}

impl Tls {
    /// The port that servers listen at for it.
    pub fn port(self) -> u16 {
        match self {
            Tls::Starttls => 587,
            Tls::Tls => 465,
            Tls::None => 25,
        }
    }
}

/// Where and how mails are handed over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EmailConfig {
    /// The receiver's name.
    pub name: Arc<str>,
    /// The mail server: a name or an address.
    pub host: String,
    /// Its port; `None`: the one that goes with `tls`.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub tls: Tls,
    /// As whom we log in.
    pub user: Option<String>,
    /// With what.
    pub password: Option<Secret>,
    /// From whom mails come: `name@host`, or `Name <name@host>`.
    pub from: String,
    /// To whom they go.
    pub to: Vec<String>,
    /// A file of certificates (PEM) of authorities that are trusted beside the public ones.
    pub ca: Option<PathBuf>,
}

/// The parts of a config that proved to be usable.
pub(super) struct Usable {
    pub(super) mail: Mail,
    pub(super) login: Option<(String, String)>,
    /// `None` where there is no TLS.
    pub(super) tls: Option<TlsParameters>,
}

impl EmailConfig {
    /// The port that is used.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.tls.port())
    }

    /// Scheme, host and port, for messages.
    pub fn place(&self) -> String {
        let scheme = if self.tls == Tls::Tls { "smtps" } else { "smtp" };
        let host = plain(&self.host, 253);
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        format!("{scheme}://{host}:{}", self.port())
    }

    /// From whom and to whom, for writing mails.
    ///
    /// # Errors
    /// All mistakes in addresses.
    pub fn mail(&self) -> Result<Mail, Vec<String>> {
        Mail::new(&self.from, &self.to).map_err(|m| self.named(m))
    }

    /// What hands mails over; reads its certificates.
    ///
    /// # Errors
    /// All mistakes, without secrets.
    pub fn carrier(&self, pace: Pace) -> Result<Arc<dyn Carrier>, Vec<String>> {
        Ok(Arc::new(Email::new(self, pace)?))
    }

    fn named(&self, mistakes: Vec<String>) -> Vec<String> {
        mistakes.into_iter().map(|m| format!("receiver `{}`: {m}", self.name)).collect()
    }

    /// Reads and checks everything.
    pub(super) fn usable(&self) -> Result<Usable, Vec<String>> {
        let mut mistakes = Vec::new();
        if ServerName::try_from(self.host.as_str()).is_err() {
            mistakes.push(format!("expected the name of a mail server, found `{}`", plain(&self.host, 80)));
        }
        if self.port == Some(0) {
            mistakes.push("expected a port of 1 to 65535, found 0".to_string());
        }
        let login = self.login(&mut mistakes);
        let mail = Mail::new(&self.from, &self.to).map_err(|m| mistakes.extend(m));
        let tls = self.parameters().map_err(|m| mistakes.push(m));
        match (mail, tls) {
            (Ok(mail), Ok(tls)) if mistakes.is_empty() => Ok(Usable { mail, login, tls }),
            _ => Err(self.named(mistakes)),
        }
    }

    fn login(&self, mistakes: &mut Vec<String>) -> Option<(String, String)> {
        let (user, password) = match (&self.user, &self.password) {
            (Some(user), Some(password)) => (user, password.expose()),
            (None, None) => return None,
            (Some(_), None) => {
                mistakes.push("expected a password for the user, found none".to_string());
                return None;
            }
            (None, Some(_)) => {
                mistakes.push("expected a user for the password, found none".to_string());
                return None;
            }
        };
        if user.is_empty() || password.is_empty() || user.contains('\0') || password.contains('\0') {
            mistakes.push("expected a user and a password of some characters, found none or a zero".to_string());
        }
        if self.tls == Tls::None && !is_here(&self.host) {
            mistakes.push("expected `tls` with a password, found none: it would be sent in the open".to_string());
        }
        Some((user.clone(), password.to_string()))
    }

    fn parameters(&self) -> Result<Option<TlsParameters>, String> {
        let authorities = self.ca.as_deref().map(|path| authorities(path).map(|c| (path, c))).transpose()?;
        if self.tls == Tls::None {
            return Ok(None);
        }
        let mut builder = TlsParameters::builder(self.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
        let mut place = None;
        if let Some((path, certificate)) = authorities {
            builder = builder.add_root_certificate(certificate);
            place = Some(path);
        }
        builder.build_rustls().map(Some).map_err(|e| match place {
            Some(path) => wrong(path, &e.to_string()),
            None => format!("expected a client for TLS, found {e}"),
        })
    }

    /// Texts that must not come back in what we show: the longest first.
    pub(super) fn secrets(&self) -> Vec<String> {
        let Some(password) = self.password.as_ref().map(Secret::expose) else { return Vec::new() };
        let user = self.user.as_deref().unwrap_or_default();
        let both = format!("\0{user}\0{password}");
        sought(vec![password.to_string(), base64(password), base64(&both)])
    }
}

/// Whether a server is on this machine.
fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|a| a.is_loopback())
}

fn authorities(path: &Path) -> Result<Certificate, String> {
    let bytes = pem(path)?;
    // no certificate at all is none to the library too
    if !CertificateDer::pem_slice_iter(&bytes).any(|c| c.is_ok()) {
        return Err(wrong(path, "none"));
    }
    Certificate::from_pem(&bytes).map_err(|e| wrong(path, &e.to_string()))
}

/// As mail servers are told it when we log in.
fn base64(text: &str) -> String {
    let body = Body::new_with_encoding(text.as_bytes().to_vec(), ContentTransferEncoding::Base64);
    let bytes = body.map(Body::into_vec).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace(['\r', '\n'], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits;

    fn config() -> EmailConfig {
        EmailConfig {
            name: "duty".into(),
            host: "mail.example".into(),
            port: None,
            tls: Tls::Starttls,
            user: None,
            password: None,
            from: "groundswell <gs@x.example>".into(),
            to: vec!["care@x.example".into()],
            ca: None,
        }
    }

    fn login(c: EmailConfig) -> EmailConfig {
        EmailConfig { user: Some("gs".into()), password: Some(Secret::new("s3cr3t")), ..c }
    }

    #[test]
    fn ports_go_with_protection() {
        let with = |tls| EmailConfig { tls, ..config() }.place();
        assert_eq!(with(Tls::default()), "smtp://mail.example:587");
        assert_eq!(
            (with(Tls::Tls).as_str(), with(Tls::None).as_str()),
            ("smtps://mail.example:465", "smtp://mail.example:25")
        );
        let odd = EmailConfig { port: Some(2525), host: "::1".into(), ..config() };
        assert_eq!((odd.place().as_str(), odd.usable().is_ok()), ("smtp://[::1]:2525", true));
    }

    #[test]
    fn all_mistakes_are_told_without_secrets() {
        let c = EmailConfig {
            host: "no such host".into(),
            port: Some(0),
            tls: Tls::None,
            from: "gs".into(),
            to: vec!["nobody".into(), "care@x.example\r\nBcc: x@y.example".into()],
            ca: Some("/nowhere/ca.pem".into()),
            ..login(config())
        };
        let mistakes = c.usable().err().unwrap();
        let expected = ["mail server", "port", "in the open", "`from`", "`to`", "`to`", "/nowhere/ca.pem"];
        assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
        for (mistake, part) in mistakes.iter().zip(expected) {
            assert!(mistake.starts_with("receiver `duty`: expected ") && mistake.contains(part), "{part}: {mistake}");
            assert!(!mistake.contains("s3cr3t") && !mistake.contains(['\r', '\n']), "{mistake}");
        }
        assert!(c.carrier(Pace::default()).is_err() && c.mail().is_err() && config().mail().is_ok());
        assert!(!format!("{c:?} {c:#?}").contains("s3cr3t"));
    }

    #[test]
    fn a_password_needs_a_user_and_is_not_sent_in_the_open() {
        let one = |c: EmailConfig| c.usable().err().map(|m| m.join(" ")).unwrap_or_default();
        assert!(one(EmailConfig { user: None, ..login(config()) }).contains("a user for the password"));
        assert!(one(EmailConfig { password: None, ..login(config()) }).contains("a password for the user"));
        assert!(one(EmailConfig { user: Some("a\0b".into()), ..login(config()) }).contains("zero"));
        assert_eq!(one(login(config())), "");
        for (host, open) in [("10.0.0.1", true), ("mail.example", true), ("localhost", false), ("127.0.0.9", false)] {
            let c = EmailConfig { host: host.into(), tls: Tls::None, ..login(config()) };
            assert_eq!(one(c).contains("in the open"), open, "{host}");
        }
    }

    #[test]
    fn secrets_are_known_in_every_form() {
        assert_eq!(login(config()).secrets(), ["AGdzAHMzY3IzdA==", "czNjcjN0", "s3cr3t"]);
        assert!(config().secrets().is_empty());
        let long = EmailConfig { password: Some(Secret::new("x".repeat(100))), ..login(config()) };
        assert!(long.secrets().iter().all(|s| !s.contains(['\r', '\n'])));
    }

    #[test]
    fn certificates_are_bounded_and_must_be_some() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let with = || EmailConfig { ca: Some(path.clone()), ..config() }.usable().err().map(|m| m.join(" "));
        let broken = b"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n".to_vec();
        for content in [Vec::new(), b"none".to_vec(), broken, vec![b'x'; limits::CERTIFICATE_BYTES as usize + 1]] {
            std::fs::write(&path, &content).unwrap();
            assert!(with().is_some_and(|e| e.contains("expected certificates in PEM in ")), "{}", content.len());
        }
        let own = rcgen::generate_simple_self_signed(vec!["mail.example".into()]).unwrap();
        std::fs::write(&path, own.cert.pem()).unwrap();
        assert_eq!(with(), None);
    }
}
