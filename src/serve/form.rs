//! What the form of a page sends, and what stands behind `?` in an address.

use crate::base::limits;

/// Pairs of names and values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

/// Pairs read at most.
const PAIRS: usize = 32;

impl Form {
    /// Reads `a=1&b=2` as browsers write it; what is no UTF-8 is left out.
    pub(super) fn read(text: &str) -> Form {
        let text = text.get(..limits::ORDER_BYTES).unwrap_or(text);
        let pairs = text.split('&').take(PAIRS).filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        Form(pairs.collect())
    }

    /// The value of a name; of one that stands there twice, the first.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(n, _)| &**n).filter(|n| !n.is_empty())
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        let byte = match b {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        };
        out.push(byte);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_browsers_write() {
        let form = Form::read("by=Dana+%C3%9C%2B%26&do=claim&do=close&empty=&bare");
        assert_eq!((form.get("by"), form.get("do"), form.get("empty"), form.get("no")), ("Dana Ü+&", "claim", "", ""));
        assert_eq!(form.names().count(), 5);
        for broken in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=%+1"] {
            assert_eq!(Form::read(broken), Form::default(), "{broken}");
        }
        assert_eq!(Form::read(&"a=1&".repeat(1000)).0.len(), PAIRS);
    }

    proptest! {
        #[test]
        fn any_text_does_no_harm(text in ".{0,200}") {
            let _ = Form::read(&text);
        }
    }
}
