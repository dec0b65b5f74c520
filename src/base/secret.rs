//! Texts that are never shown: tokens, keys of signatures, values of headers.

use std::fmt;

/// A secret. What prints it gets `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for where it is used.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let s = Secret::new("hunter2");
        assert_eq!((s.expose(), format!("{s} {s:?}").as_str()), ("hunter2", "[secret] [secret]"));
        assert!(s == Secret::new("hunter2") && s != Secret::new("hunter3"));
    }
}
