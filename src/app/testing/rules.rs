//! The rules under test: files, with the brands, lists and variables that the test file adds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::event::Account;
use super::keys::RULE_PARTS;
use crate::app::files::read_text;
use crate::base::fault::{Fault, Place};
use crate::base::rule::query::{Query, Term};
use crate::base::rule::{Brand, RuleSet, SourceText};
use crate::base::yaml::{Data, Node, Reader};

/// The brand of tests that name none.
const BRAND: &str = "brands: {acme: {name: Acme, query: acme, own: ['generated:acme-care']}}\n";

/// What a test file adds to rule files.
pub(super) struct Parts {
    folder: PathBuf,
    text: SourceText,
}

impl Parts {
    /// Of a test file's tree. Lines stay where they are, so that mistakes are told with their places.
    pub(super) fn new(r: &mut Reader, path: &Path, root: &Node, text: &str) -> Parts {
        let mut kept = String::new();
        if let Data::Map(pairs) = &root.data {
            let tops: Vec<(usize, bool)> = pairs.iter().map(|(k, _)| (k.line, is_part(k))).collect();
            let opens = |l: &str| l.chars().nth(root.column.saturating_sub(1)) == Some('{');
            let (parts, lines) = (tops.iter().any(|(_, part)| *part), tops.iter().any(|(line, _)| *line != root.line));
            // lines cut out of a mapping in braces are none
            let braces = parts && lines && text.lines().nth(root.line.saturating_sub(1)).is_some_and(opens);
            if braces {
                r.fault(root, "expected keys at the top without braces around them, found a mapping in braces");
            }
            for two in tops.windows(2) {
                if let [(a, part), (b, also)] = two
                    && a == b
                    && (*part || *also)
                {
                    r.fault(root, "expected each key at the top on a line of its own, found two on one");
                    break;
                }
            }
            for (i, line) in text.lines().enumerate().filter(|_| !braces) {
                let top = tops.iter().rfind(|(from, _)| *from <= i + 1);
                kept.push_str(if top.is_some_and(|(_, part)| *part) { line } else { "" });
                kept.push('\n');
            }
        }
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Parts { folder, text: SourceText { file: r.file.to_string(), text: kept } }
    }

    /// The rule set of these files.
    ///
    /// # Errors
    /// All mistakes of all files.
    pub(super) fn load(&self, files: &[(String, Place)]) -> Result<Arc<RuleSet>, Vec<Fault>> {
        let (mut texts, mut faults) = (Vec::new(), Vec::new());
        for (file, place) in files {
            match read_text(&self.folder.join(file)) {
                Ok(text) => texts.push(text),
                Err(fault) => faults.push(Fault { place: Some(place.clone()), ..fault }),
            }
        }
        texts.push(self.text.clone());
        if !texts.iter().any(has_brands) {
            texts.push(SourceText { file: "the brand of tests".into(), text: BRAND.into() });
        }
        match RuleSet::load(&texts) {
            Ok((rules, _)) if faults.is_empty() => Ok(Arc::new(rules)),
            Ok(_) => Err(faults),
            // what is missing in a file that is not there is no second mistake
            Err(_) if !faults.is_empty() => Err(faults),
            Err(more) => Err(more.into_iter().filter(|f| !f.warning).collect()),
        }
    }
}

fn is_part(key: &Node) -> bool {
    matches!(&key.data, Data::Scalar(s, _) if RULE_PARTS.contains(&s.as_str()))
}

fn has_brands(text: &SourceText) -> bool {
    has_key(&text.text, "brands")
}

/// Whether a file has a key at its top.
pub(super) fn has_key(text: &str, name: &str) -> bool {
    let tree = Reader::new("", text).tree(text);
    let Some(Data::Map(pairs)) = tree.map(|t| t.data) else { return false };
    pairs.iter().any(|(k, _)| matches!(&k.data, Data::Scalar(s, _) if s == name))
}

/// How a text names a brand: its name where the query finds that, else the first words the query looks for.
pub(super) fn spoken(brand: &Brand) -> Option<String> {
    let words = words(&brand.query)?;
    Some(if words.eq_ignore_ascii_case(&brand.name) { brand.name.clone() } else { words })
}

fn words(query: &Query) -> Option<String> {
    match query {
        Query::Or(v) => v.iter().find_map(words),
        Query::And(v) => {
            let all: Vec<String> = v.iter().filter_map(words).collect();
            (!all.is_empty()).then(|| all.join(" "))
        }
        Query::Near(_, a, b) => Some(format!("{} {}", term(a.first()?)?, term(b.first()?)?)),
        Query::Term(t) => term(t),
        Query::Not(_) => None,
    }
}

fn term(t: &Term) -> Option<String> {
    match t {
        Term::Phrase(s) | Term::Raw(s) => Some(s.clone()),
        Term::Handle(s) => Some(format!("@{s}")),
        Term::Tag(s) => Some(format!("#{s}")),
        _ => None,
    }
}

/// A brand's first own account: its source, if that is said, and its id.
pub(super) fn own(brand: &Brand) -> Option<Account> {
    let account = brand.own.first()?;
    Some(match account.split_once(':') {
        // a DID has colons of its own
        Some(("did", _)) | None => (None, account.clone()),
        Some((source, id)) => (Some(source.to_string()), id.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand(query: &str, more: &str) -> Brand {
        let text = format!("brands: {{b: {{name: Acme, query: '{query}'{more}}}}}");
        RuleSet::load(&[SourceText { file: "f".into(), text }]).unwrap().0.brands.remove(0)
    }

    #[test]
    fn a_brand_is_named_so_that_its_query_finds_it() {
        let said = |q: &str| spoken(&brand(q, ""));
        assert_eq!(said("acme").as_deref(), Some("Acme"));
        assert_eq!(said("\"acme air\" OR acme").as_deref(), Some("acme air"));
        assert_eq!(said("@acme NOT lang:de").as_deref(), Some("@acme"));
        assert_eq!(said("acme NEAR/3 (bag OR guitar) lang:en").as_deref(), Some("acme bag"));
        assert_eq!(said("domain:acme.example"), None);
    }

    #[test]
    fn own_accounts_have_a_source_or_none() {
        let own = |account: &str| own(&brand("acme", &format!(", own: [\"{account}\"]"))).unwrap();
        assert_eq!(own("bluesky:did:plc:x"), (Some("bluesky".into()), "did:plc:x".into()));
        assert_eq!(own("did:plc:x"), (None, "did:plc:x".into()));
        assert_eq!(own("care"), (None, "care".into()));
    }
}
