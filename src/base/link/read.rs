//! A link taken apart: host, path and query as they are compared.

use smallvec::SmallVec;

use super::{Bytes, SCHEME, sites, tracking};
use crate::base::limits;

/// Hosts that show the same pages as the host behind them.
pub(super) const PREFIXES: [&[u8]; 4] = [b"www.", b"m.", b"mobile.", b"amp."];
/// Second labels under which names are given out in many countries: `m.co.uk` is a name itself.
const SECOND: [&[u8]; 12] =
    [b"ac", b"co", b"com", b"edu", b"go", b"gob", b"gov", b"gouv", b"ne", b"net", b"or", b"org"];
/// Last parts of a path that stand for the folder they are in.
const INDEX: [&[u8]; 10] = [
    b"default.asp",
    b"default.aspx",
    b"default.htm",
    b"default.html",
    b"index.asp",
    b"index.aspx",
    b"index.htm",
    b"index.html",
    b"index.jsp",
    b"index.php",
];

/// Bytes that stand as they are in a path.
const IN_PATH: u8 = 1;
/// Bytes that stand as they are in a query.
const IN_QUERY: u8 = 2;
/// Bytes that mean the same in a path when they are percent-encoded.
const DECODED_IN_PATH: u8 = 4;
/// Bytes that mean the same in a query when they are percent-encoded.
const DECODED_IN_QUERY: u8 = 8;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut out = [0; 256];
    let mut i = 0;
    while i < 256 {
        out[i] = match i as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'@' | b',' => {
                IN_PATH | IN_QUERY | DECODED_IN_PATH | DECODED_IN_QUERY
            }
            b'/' => IN_QUERY | DECODED_IN_QUERY,
            b'!' | b'$' | b'\'' | b'(' | b')' | b'*' | b';' | b'=' => IN_PATH | IN_QUERY,
            b'&' | b'+' => IN_PATH,
            b'?' => IN_QUERY,
            _ => 0,
        };
        i += 1;
    }
    out
}

/// Whether a byte of a path, neither encoded nor `/`, stands only for itself.
pub(super) fn is_plain(b: u8) -> bool {
    CLASSES.get(usize::from(b)).is_some_and(|class| class & DECODED_IN_PATH != 0)
}

/// The parts of a link that say where it leads.
pub(super) struct Parts {
    /// Lower case, without user and usual port, under the first of its names.
    pub(super) host: Bytes,
    /// With a slash before each part.
    path: Bytes,
    /// Where the parts of the path stand in it; none is empty, `.` or `..`.
    segments: SmallVec<[(u16, u16); 12]>,
    query: Bytes,
    /// Where parameters stand in the query: beginning, end of the name, end. Sorted.
    parameters: SmallVec<[(u16, u16, u16); 8]>,
    /// What stands behind `#!`, which some sites use as a path.
    bang: Bytes,
}

impl Parts {
    /// Of a link; `None` where it is none of the web, or too long.
    pub(super) fn of(link: &[u8]) -> Option<Parts> {
        let link = link.trim_ascii();
        if link.len() > limits::JOINED_LINK_BYTES || link.iter().fold(false, |any, b| any | b.is_ascii_control()) {
            return None;
        }
        let colon = link.iter().take(6).position(|b| *b == b':')?;
        let (scheme, rest) = link.split_at_checked(colon)?;
        if !scheme.eq_ignore_ascii_case(b"https") && !scheme.eq_ignore_ascii_case(b"http") {
            return None;
        }
        let rest = rest.strip_prefix(b"://")?;
        let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#' | b'\\')).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (rest, fragment) = halves(rest, b'#');
        let (path, query) = halves(rest, b'?');
        let (host, path_bytes) = (host(authority)?, Bytes::new());
        let (segments, query_bytes, parameters) = (SmallVec::new(), Bytes::new(), SmallVec::new());
        let mut out = Parts { host, path: path_bytes, segments, query: query_bytes, parameters, bang: Bytes::new() };
        out.read_path(path);
        out.read_query(query)?;
        if let Some(bang) = fragment.strip_prefix(b"!") {
            even(bang, IN_QUERY, DECODED_IN_QUERY, &mut out.bang);
        }
        Some(out)
    }

    fn read_path(&mut self, path: &[u8]) {
        for raw in path.split(|b| matches!(b, b'/' | b'\\')) {
            if raw.is_empty() {
                continue;
            }
            let from = self.path.len();
            self.path.push(b'/');
            even(raw, IN_PATH, DECODED_IN_PATH, &mut self.path);
            let segment = self.path.get(from + 1..).unwrap_or_default();
            let len = session(segment).unwrap_or(segment.len());
            match segment.get(..len).unwrap_or_default() {
                b"" | b"." => self.path.truncate(from),
                b".." => {
                    self.path.truncate(from);
                    self.leave();
                }
                _ => {
                    self.path.truncate(from + 1 + len);
                    self.segments.push((from as u16 + 1, (from + 1 + len) as u16));
                }
            }
        }
        while self.shorten() {}
    }

    /// Leaves out the last part of the path.
    fn leave(&mut self) {
        if let Some((from, _)) = self.segments.pop() {
            self.path.truncate(usize::from(from).saturating_sub(1));
        }
    }

    /// Leaves out an end of the path that does not change what is shown; whether there was one.
    fn shorten(&mut self) -> bool {
        let Some((from, to)) = self.segments.last().copied() else { return false };
        let last = self.path.get(usize::from(from)..).unwrap_or_default();
        let index = matches!(last.first(), Some(b'i' | b'I' | b'd' | b'D'))
            && INDEX.iter().any(|name| last.eq_ignore_ascii_case(name));
        if index || (last == b"amp" && self.segments.len() > 1) {
            self.leave();
            return true;
        }
        let (cut, ending): (usize, &[u8]) = match last {
            [.., b'.', b'a', b'm', b'p'] => (4, b""),
            [.., b'.', b'a', b'm', b'p', b'.', b'h', b't', b'm', b'l'] => (9, b".html"),
            _ => return false,
        };
        let name = last.get(..last.len().saturating_sub(cut)).unwrap_or_default();
        if name.iter().all(|b| *b == b'.') {
            return false;
        }
        self.path.truncate(usize::from(to) - cut);
        self.path.extend_from_slice(ending);
        if let Some(segment) = self.segments.last_mut() {
            segment.1 = self.path.len() as u16;
        }
        true
    }

    fn read_query(&mut self, query: &[u8]) -> Option<()> {
        let given = query.split(|b| *b == b'&').filter(|raw| !raw.is_empty());
        for (i, raw) in given.enumerate() {
            if i == limits::LINK_PARAMETERS {
                return None;
            }
            let (name, value) = halves(raw, b'=');
            let from = self.query.len();
            even(name, IN_QUERY, DECODED_IN_QUERY, &mut self.query);
            let equals = self.query.len();
            if !value.is_empty() {
                self.query.push(b'=');
                even(value, IN_QUERY, DECODED_IN_QUERY, &mut self.query);
            }
            let all = self.query.get(from..).unwrap_or_default();
            let (name, value) = all.split_at_checked(equals - from).unwrap_or_default();
            if all.is_empty() || tracking::is(&self.host, name, value.strip_prefix(b"=").unwrap_or_default()) {
                self.query.truncate(from);
            } else {
                self.parameters.push((from as u16, equals as u16, self.query.len() as u16));
            }
        }
        let text = |p: &(u16, u16, u16)| self.query.get(usize::from(p.0)..usize::from(p.2)).unwrap_or_default();
        self.parameters.sort_unstable_by(|a, b| text(a).cmp(text(b)));
        self.parameters.dedup_by(|a, b| text(a) == text(b));
        Some(())
    }

    /// The parts of the path.
    pub(super) fn segments(&self) -> SmallVec<[&[u8]; 12]> {
        let text = |s: &(u16, u16)| self.path.get(usize::from(s.0)..usize::from(s.1)).unwrap_or_default();
        self.segments.iter().map(text).collect()
    }

    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &[u8]) -> Option<&[u8]> {
        let text = |from: u16, to: u16| self.query.get(usize::from(from)..usize::from(to)).unwrap_or_default();
        let found = self.parameters.iter().find(|p| text(p.0, p.1) == name)?;
        text(found.1, found.2).strip_prefix(b"=")
    }

    /// The path from a part on, and the query.
    pub(super) fn write_from(&self, first: usize, out: &mut Bytes) {
        let from = self.segments.get(first).map_or(self.path.len(), |(start, _)| usize::from(*start) - 1);
        out.extend_from_slice(self.path.get(from..).unwrap_or_default());
        if self.segments.is_empty() {
            out.push(b'/');
        }
        for (i, p) in self.parameters.iter().enumerate() {
            out.push(if i == 0 { b'?' } else { b'&' });
            out.extend_from_slice(self.query.get(usize::from(p.0)..usize::from(p.2)).unwrap_or_default());
        }
        if !self.bang.is_empty() {
            out.extend_from_slice(b"#!");
            out.extend_from_slice(&self.bang);
        }
    }

    /// The whole; `None` of a bare host.
    pub(super) fn written(&self) -> Option<Bytes> {
        if self.segments.is_empty() && self.parameters.is_empty() && self.bang.is_empty() {
            return None;
        }
        let mut out = Bytes::from_slice(SCHEME);
        out.extend_from_slice(&self.host);
        self.write_from(0, &mut out);
        Some(out)
    }
}

/// What stands before and behind the first of a byte.
fn halves(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match memchr::memchr(at, text) {
        Some(i) => (text.get(..i).unwrap_or_default(), text.get(i + 1..).unwrap_or_default()),
        None => (text, b""),
    }
}

/// Where the number of a visit begins in a part of a path.
fn session(segment: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b";jsessionid=";
    let at = memchr::memchr(b';', segment)?;
    segment.get(at..)?.get(..NAME.len())?.eq_ignore_ascii_case(NAME).then_some(at)
}

/// Writes each byte in the one way it can be written.
fn even(text: &[u8], plain: u8, decoded: u8, out: &mut Bytes) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let class = |b: u8| CLASSES.get(usize::from(b)).copied().unwrap_or(0);
    let mut rest = text;
    loop {
        let run = rest.iter().position(|b| class(*b) & plain == 0).unwrap_or(rest.len());
        out.extend_from_slice(rest.get(..run).unwrap_or_default());
        let Some((byte, behind)) = rest.get(run..).and_then(<[u8]>::split_first) else { return };
        let (mut byte, mut behind) = (*byte, behind);
        if byte == b'%'
            && let Some(([a, b], further)) = behind.split_first_chunk()
            && let (Some(a), Some(b)) = (char::from(*a).to_digit(16), char::from(*b).to_digit(16))
        {
            (byte, behind) = ((a * 16 + b) as u8, further);
            if class(byte) & decoded != 0 {
                out.push(byte);
                rest = behind;
                continue;
            }
        } else if byte == b'+' {
            byte = b' ';
        }
        let digit = |x: u8| HEX.get(usize::from(x)).copied().unwrap_or(b'0');
        out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        rest = behind;
    }
}

/// The host under the first of its names, with an unusual port.
fn host(authority: &[u8]) -> Option<Bytes> {
    let user = memchr::memrchr(b'@', authority).map_or(0, |i| i + 1);
    let authority = authority.get(user..)?;
    let ends = if authority.first() == Some(&b'[') { memchr::memchr(b']', authority)? + 1 } else { 0 };
    let colon = memchr::memrchr(b':', authority.get(ends..)?).map_or(authority.len(), |i| ends + i);
    let (name, port) = authority.split_at_checked(colon)?;
    let mut out = if ends > 0 { address(name)? } else { named(name)? };
    let port = port.strip_prefix(b":").unwrap_or_default();
    if !port.is_empty() {
        let port: u16 = std::str::from_utf8(port).ok().filter(|p| !p.starts_with('+'))?.parse().ok()?;
        if port != 80 && port != 443 {
            out.push(b':');
            out.extend_from_slice(port.to_string().as_bytes());
        }
    }
    if let Some(first) = sites::first_name(&out) {
        out = Bytes::from_slice(first);
    }
    Some(out)
}

/// An address in brackets.
fn address(name: &[u8]) -> Option<Bytes> {
    let inner = name.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let sound = !inner.is_empty() && inner.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
    sound.then(|| Bytes::from_vec(name.to_ascii_lowercase()))
}

/// A name in lower case, without the prefixes of hosts that show the same pages.
fn named(name: &[u8]) -> Option<Bytes> {
    let mut lower = Bytes::from_slice(name);
    if name.is_ascii() {
        lower.make_ascii_lowercase();
    } else {
        lower = Bytes::from_vec(std::str::from_utf8(name).ok()?.to_lowercase().into_bytes());
    }
    let end = lower.iter().rposition(|b| *b != b'.')? + 1;
    let mut name = lower.get(..end)?;
    let mut last = b'.';
    for b in name {
        let sound =
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || !b.is_ascii() || (*b == b'.' && last != b'.');
        if !sound {
            return None;
        }
        last = *b;
    }
    if !name.is_ascii() && std::str::from_utf8(name).ok()?.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    while let Some(rest) = PREFIXES.iter().find_map(|p| name.strip_prefix(*p)).filter(|rest| is_site(rest)) {
        name = rest;
    }
    let mut out = Bytes::from_slice(name);
    // `en.m.wikipedia.org`, and its sisters
    while out.ends_with(b".org")
        && let Some(i) = memchr::memmem::find(&out, b".m.wik")
    {
        out.drain(i..i + 2);
    }
    Some(out)
}

/// Whether a name can be that of a site, not only an ending under which names are given out.
pub(super) fn is_site(name: &[u8]) -> bool {
    let mut labels = name.rsplit(|b| *b == b'.');
    match (labels.next(), labels.next(), labels.next()) {
        (Some(last), Some(second), None) => last.len() != 2 || !SECOND.contains(&second),
        (_, second, _) => second.is_some(),
    }
}
