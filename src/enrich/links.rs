//! Terms that are looked for in outside links.

use aho_corasick::{AhoCorasick, MatchKind};

/// What is looked for in links.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum LinkTerm {
    /// These characters anywhere, lower case.
    Part(String),
    /// This host or one below it, lower case.
    Host(String),
}

/// All link terms in one search.
#[derive(Default)]
pub(super) struct Search {
    search: Option<AhoCorasick>,
    terms: Vec<(usize, LinkTerm)>,
    /// Whether a literal is required by some query, so that a link can make a frame worth a parse.
    required: Option<AhoCorasick>,
}

impl Search {
    /// Of terms with their numbers, and of the numbers of those that queries require.
    pub(super) fn new(terms: Vec<(usize, LinkTerm)>, required: &[usize]) -> Search {
        let build = |literals: Vec<&str>| {
            if literals.is_empty() {
                return None;
            }
            AhoCorasick::builder().match_kind(MatchKind::Standard).ascii_case_insensitive(true).build(literals).ok()
        };
        let search = build(terms.iter().map(|(_, t)| t.literal()).collect());
        let needed = terms.iter().filter(|(i, _)| required.contains(i));
        let required = build(needed.map(|(_, t)| t.literal()).collect());
        Search { search, terms, required }
    }

    pub(super) fn wants_any(&self) -> bool {
        self.search.is_some()
    }

    /// Whether a link can matter.
    pub(super) fn may_match(&self, uri: &[u8]) -> bool {
        self.required.as_ref().is_some_and(|s| s.is_match(uri))
    }

    /// Calls `f` for each term that a link holds, perhaps more than once.
    pub(super) fn each_hit(&self, link: &str, f: &mut dyn FnMut(usize)) {
        let Some(search) = &self.search else { return };
        for m in search.find_overlapping_iter(link) {
            let Some((number, term)) = self.terms.get(m.pattern().as_usize()) else { continue };
            if term.stands(link, m.start(), m.end()) {
                f(*number);
            }
        }
    }
}

impl LinkTerm {
    fn literal(&self) -> &str {
        match self {
            LinkTerm::Part(s) | LinkTerm::Host(s) => s,
        }
    }

    fn stands(&self, link: &str, start: usize, end: usize) -> bool {
        match self {
            LinkTerm::Part(_) => true,
            LinkTerm::Host(_) => {
                let Some((from, to)) = host(link) else { return false };
                end == to && (start == from || (start > from && link.as_bytes().get(start - 1) == Some(&b'.')))
            }
        }
    }
}

/// Where the host of a link stands, without user and port.
fn host(link: &str) -> Option<(usize, usize)> {
    let from = link.find("://")? + 3;
    let rest = link.get(from..)?;
    let authority = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let user = rest.get(..authority)?.rfind('@').map_or(0, |i| i + 1);
    let name = rest.get(user..authority)?;
    let len = name.find(':').unwrap_or(name.len());
    let len = name.get(..len)?.trim_end_matches('.').len();
    Some((from + user, from + user + len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_whole_and_not_elsewhere() {
        let s = Search::new(vec![(7, LinkTerm::Host("example.com".into()))], &[7]);
        let hits = |link: &str| {
            let mut n = 0;
            s.each_hit(link, &mut |t| n += t);
            n
        };
        for link in [
            "https://example.com",
            "HTTP://WWW.Example.COM/a",
            "https://a@example.com:443/x",
            "https://example.com./",
            "https://example.com?x",
        ] {
            assert_eq!(hits(link), 7, "{link}");
        }
        for link in [
            "https://myexample.com",
            "https://example.com.evil.net/",
            "https://evil.net/example.com",
            "https://evil.net?u=https://example.com",
            "https://example.com@evil.net/",
            "example.com",
            "://",
            "",
        ] {
            assert_eq!(hits(link), 0, "{link}");
        }
        assert!(s.may_match(b"https://evil.net/example.com"), "a first look may be wrong in saying yes");
    }
}
