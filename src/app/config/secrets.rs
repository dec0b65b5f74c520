//! What is not written in the config itself: environment variables, and secrets in files.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::reading::Reading;
use crate::base::fault::{Fault, Place};
use crate::base::limits;
use crate::base::secret::Secret;
use crate::base::yaml::{Data, Fields, Node, Reader, Style};

/// Keys of sources, receivers and tokens whose values are not shown.
pub(super) const HIDDEN: &[&str] = &["token", "secret", "url", "password", "routing_key", "webhook_secret"];

/// Gives the value of an environment variable.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Puts environment variables into values, and marks what is not to be shown.
pub(super) struct Expander<'e> {
    env: Environment<'e>,
    /// Variables put in so far.
    count: usize,
    /// Values in which that failed; what else is wrong with them is not told.
    broken: Vec<Place>,
}

impl<'e> Expander<'e> {
    /// Puts variables of this environment in.
    pub(super) fn new(env: Environment<'e>) -> Expander<'e> {
        Expander { env, count: 0, broken: Vec::new() }
    }

    /// Whether a mistake found later is about a value that was not there.
    pub(super) fn explains(&self, fault: &Fault) -> bool {
        fault.place.as_ref().is_some_and(|p| self.broken.contains(p))
    }

    /// Goes through a value `depth` mappings below the top.
    pub(super) fn walk(&mut self, r: &mut Reader, node: &mut Node, depth: usize, hide: bool) {
        node.hidden = hide;
        match &mut node.data {
            Data::Scalar(text, _) if text.contains("${") => self.scalar(r, node),
            Data::Scalar(..) => {}
            Data::Seq(items) => items.iter_mut().for_each(|n| self.walk(r, n, depth, hide)),
            Data::Map(pairs) => {
                for (key, value) in pairs {
                    key.hidden = hide;
                    let name = if let Data::Scalar(s, _) = &key.data { s.as_str() } else { "" };
                    match &mut value.data {
                        // names of headers may be shown
                        Data::Map(headers) if depth == 2 && name == "headers" => {
                            headers.iter_mut().for_each(|(_, v)| self.walk(r, v, depth + 2, true));
                        }
                        _ => {
                            let secret = (depth == 2 && (name == "headers" || HIDDEN.contains(&name)))
                                || (depth == 0 && name == "heartbeat");
                            self.walk(r, value, depth + 1, hide || secret);
                        }
                    }
                }
            }
        }
    }

    fn scalar(&mut self, r: &mut Reader, node: &mut Node) {
        let Data::Scalar(text, _) = &node.data else { return };
        (node.hidden, node.filled) = (true, true);
        match self.expanded(text) {
            Ok(new) => {
                // in quotes: an empty value is a text, not nothing
                node.data = Data::Scalar(new, Style::Quoted);
            }
            Err((offset, what, hint)) => {
                self.broken.push(r.place(node));
                r.faults.push(Fault::at(r.place_in(node, offset), what).hint(hint));
            }
        }
    }

    /// The text with its variables put in, once; or where it is wrong, what, and a hint.
    fn expanded(&mut self, text: &str) -> Result<String, (usize, String, &'static str)> {
        const HOW: &str = "write ${NAME} of letters, digits and _, or $${ for these two characters themselves";
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, tail)) = rest.split_once("${") {
            let offset = text.len() - tail.len() - 2;
            if let Some(before) = before.strip_suffix('$') {
                out.push_str(before);
                out.push_str("${");
                rest = tail;
                continue;
            }
            out.push_str(before);
            let Some((name, after)) = tail.split_once('}') else {
                return Err((offset, "expected `}` behind `${`, found none".to_string(), HOW));
            };
            let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err((
                    offset,
                    "expected the name of an environment variable, found another text".to_string(),
                    HOW,
                ));
            }
            self.count += 1;
            if self.count > limits::ENVIRONMENT_VARIABLES {
                let what = format!("expected at most {} variables, found more", limits::ENVIRONMENT_VARIABLES);
                return Err((offset, what, "write what is not secret itself"));
            }
            let Some(value) = (self.env)(name) else {
                let what = format!("expected the environment variable `{name}`, found none");
                return Err((offset, what, "set it where the service is started"));
            };
            out.push_str(&value);
            if out.len() as u64 > limits::SECRET_BYTES {
                let what = format!("expected at most {} bytes with variables put in, found more", limits::SECRET_BYTES);
                return Err((offset, what, "put what is long into a file"));
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

impl Reading<'_, '_> {
    /// The value of a key that a file may hold, and the node it came from; `None` where there is
    /// neither, or a mistake.
    pub(super) fn secret<'n>(&mut self, fields: &Fields<'n>, name: &str, file: &str) -> Option<(Secret, &'n Node)> {
        let (value, path) = (fields.get(name).copied(), fields.get(file).copied());
        if let (Some(_), Some(node)) = (value, path) {
            self.r.fault(node, format!("expected `{name}` or `{file}`, found both"));
            return None;
        }
        let (text, node) = match (value, path) {
            (Some(node), _) => (self.r.text(node, &format!("`{name}`"))?.to_string(), node),
            (_, Some(node)) => (self.file_text(node)?, node),
            _ => return None,
        };
        if text.is_empty() {
            self.r.fault(node, format!("expected `{name}`, found an empty text"));
            return None;
        }
        if text.len() as u64 > limits::SECRET_BYTES {
            self.r.fault(node, format!("expected at most {} bytes, found more", limits::SECRET_BYTES));
            return None;
        }
        Some((Secret::new(text), node))
    }

    /// A token: long enough, of characters that a header can hold, and nobody else's.
    pub(super) fn token(&mut self, fields: &Fields, key: &Node, whose: String) -> Option<Secret> {
        if !fields.contains_key("token") && !fields.contains_key("token_file") {
            self.r.fault(key, format!("expected `token` or `token_file` in {whose}, found neither")).hint =
                Some("for example token: \"${TOKEN}\"".into());
        }
        let (token, node) = self.secret(fields, "token", "token_file")?;
        let text = token.expose();
        if text.chars().count() < limits::TOKEN_CHARS {
            self.r
                .fault(
                    node,
                    format!("expected a token of at least {} characters, found a shorter one", limits::TOKEN_CHARS),
                )
                .hint = Some("make one with: openssl rand -hex 32".into());
        } else if !text.bytes().all(|b| b.is_ascii_graphic()) {
            self.r.fault(node, "expected a token of visible ASCII characters, found others").hint =
                Some("make one with: openssl rand -hex 32".into());
        }
        match self.tokens.iter().find(|(t, _)| *t == token) {
            Some((_, other)) => {
                self.r.fault(node, format!("expected a token of its own in {whose}, found that of {other}"));
            }
            None => self.tokens.push((token.clone(), whose)),
        }
        Some(token)
    }

    /// The content of the file a node names, without the newline at its end.
    pub(super) fn file_text(&mut self, node: &Node) -> Option<String> {
        let bytes = self.file_bytes(node, limits::SECRET_BYTES)?.1;
        let Ok(mut text) = String::from_utf8(bytes) else {
            self.r.fault(node, "expected a file of UTF-8, found other bytes");
            return None;
        };
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        if text.is_empty() {
            self.r.fault(node, format!("expected a file that holds a text, found {} empty", node.shown()));
            return None;
        }
        Some(text)
    }

    /// A file of certificates, if it holds some that can be read.
    pub(super) fn certificates(&mut self, node: &Node) -> Option<PathBuf> {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject;
        let (path, bytes) = self.file_bytes(node, limits::CERTIFICATE_BYTES)?;
        let mut roots = rustls::RootCertStore::empty();
        let sound = CertificateDer::pem_slice_iter(&bytes).all(|c| c.is_ok_and(|c| roots.add(c).is_ok()));
        if !sound || roots.is_empty() {
            self.r
                .fault(
                    node,
                    format!("expected a file of certificates, found none that can be read in {}", node.shown()),
                )
                .hint = Some("PEM: -----BEGIN CERTIFICATE----- ...".into());
            return None;
        }
        Some(path)
    }

    fn file_bytes(&mut self, node: &Node, most: u64) -> Option<(PathBuf, Vec<u8>)> {
        let name = self.r.text(node, "the path of a file")?;
        let path = self.folder.join(name);
        match read_file(&path, most) {
            Ok(bytes) => Some((path, bytes)),
            Err(why) => {
                self.r.fault(node, format!("expected a file that can be read, found {}: {why}", node.shown())).hint =
                    Some("paths are relative to the folder of the config".into());
                None
            }
        }
    }
}

fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let is_file = std::fs::metadata(path).map_err(|e| e.to_string())?.is_file();
    if !is_file {
        // a pipe may never end
        return Err("no regular file".to_string());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() as u64 > most {
        return Err(format!("more than {most} bytes"));
    }
    Ok(bytes)
}
