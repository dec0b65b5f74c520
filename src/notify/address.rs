//! Addresses of receivers: read, checked, and shown without what may be secret in them.

use std::io::Read;
use std::path::Path;

use reqwest::{Certificate, Url};

use crate::base::limits;

/// An address that can be posted to.
pub(super) fn address(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
}

/// Scheme, host and port, for messages.
pub(super) fn place(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return "?".to_string() };
    let port = url.port().map_or(String::new(), |p| format!(":{p}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or("?"))
}

/// A link that readers may follow, as ASCII without anything that could end it early; `None` of all that is no
/// short address of a web page.
pub(super) fn followed(link: &str) -> Option<String> {
    let url = address(link).filter(|u| u.username().is_empty() && u.password().is_none())?;
    let mut out = String::new();
    for c in url.as_str().chars() {
        match c {
            '<' | '>' | '"' | '|' | '`' | '\\' | '{' | '}' | '^' => out.push_str(&format!("%{:02X}", u32::from(c))),
            c => out.push(c),
        }
    }
    (out.is_ascii() && out.len() <= limits::LINK_BYTES).then_some(out)
}

/// The parts of an address that must not come back in what we show.
pub(super) fn secrets_in(url: &str) -> Vec<String> {
    let mut out = Vec::new();
    if let Ok(url) = Url::parse(url) {
        out.extend([url.path(), url.username()].map(str::to_string));
        out.extend([url.password(), url.query(), url.fragment()].into_iter().flatten().map(str::to_string));
        out.extend(url.path().split('/').map(str::to_string));
        for (name, value) in url.query_pairs() {
            out.extend([name.into_owned(), value.into_owned()]);
        }
    }
    out
}

/// The certificates of a file, if there is one; adds what is wrong with it.
pub(super) fn authorities(path: Option<&Path>, mistakes: &mut Vec<String>) -> Vec<Certificate> {
    match path.map(certificates) {
        None => Vec::new(),
        Some(Ok(found)) => found,
        Some(Err(mistake)) => {
            mistakes.push(mistake);
            Vec::new()
        }
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, String> {
    match Certificate::from_pem_bundle(&pem(path)?) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(wrong(path, "none")),
    }
}

/// What a file of certificates holds, unread.
pub(super) fn pem(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| wrong(path, &e.to_string()))?;
    file.take(limits::CERTIFICATE_BYTES + 1).read_to_end(&mut bytes).map_err(|e| wrong(path, &e.to_string()))?;
    if bytes.len() as u64 > limits::CERTIFICATE_BYTES {
        return Err(wrong(path, &format!("more than {} bytes", limits::CERTIFICATE_BYTES)));
    }
    Ok(bytes)
}

/// A mistake in a file of certificates.
pub(super) fn wrong(path: &Path, what: &str) -> String {
    format!("expected certificates in PEM in {}, found {what}", path.display())
}

/// All mistakes with the receiver's name.
pub(super) fn named(name: &str, mistakes: Vec<String>) -> Vec<String> {
    mistakes.into_iter().map(|m| format!("receiver `{name}`: {m}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_pages_are_followed() {
        assert_eq!(followed("https://bsky.app/a?b=c&d"), Some("https://bsky.app/a?b=c&d".into()));
        assert_eq!(followed("https://x.example/a|b>c<\"d"), Some("https://x.example/a%7Cb%3Ec%3C%22d".into()));
        assert_eq!(followed("https://x.example/#a|b\n>"), Some("https://x.example/#a%7Cb%3E".into()));
        let long = format!("https://x.example/{}", "a".repeat(limits::LINK_BYTES));
        for bad in ["javascript:alert(1)", "data:text/html,x", "ftp://x", "https://u:p@x.example/", "x", "", &long] {
            assert_eq!(followed(bad), None, "{bad}");
        }
    }

    #[test]
    fn certificates_are_bounded_and_must_be_some() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        for content in [Vec::new(), b"not a certificate".to_vec(), vec![b'x'; limits::CERTIFICATE_BYTES as usize + 1]] {
            std::fs::write(&path, &content).unwrap();
            let e = certificates(&path).err().unwrap();
            assert!(e.starts_with("expected certificates in PEM in "), "{e}");
            assert_eq!(e.contains("more than 1048576 bytes"), content.len() > 100, "{e}");
        }
        let own = rcgen::generate_simple_self_signed(vec!["x.example".into()]).unwrap();
        std::fs::write(&path, own.cert.pem()).unwrap();
        assert_eq!(certificates(&path).map(|c| c.len()), Ok(1));
    }
}
