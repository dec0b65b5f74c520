//! What readers of the config share: bounded lists, names, words.

use std::path::Path;

use crate::base::fault::nearest;
use crate::base::limits;
use crate::base::secret::Secret;
use crate::base::yaml::{Fields, Node, Reader};

/// A config that is being read.
pub(super) struct Reading<'r, 's> {
    pub(super) r: &'r mut Reader<'s>,
    /// The config's folder: paths are relative to it.
    pub(super) folder: &'r Path,
    /// Tokens read so far, with whose they are.
    pub(super) tokens: Vec<(Secret, String)>,
}

impl Reading<'_, '_> {
    /// The pairs of a mapping, as many as are allowed.
    pub(super) fn pairs<'n>(&mut self, node: &'n Node, what: &str) -> &'n [(Node, Node)] {
        let pairs = self.r.pairs(node, what);
        match pairs.get(limits::CONFIG_ITEMS) {
            None => pairs,
            Some((key, _)) => {
                self.r.fault(key, format!("expected at most {} of {what}, found more", limits::CONFIG_ITEMS));
                &[]
            }
        }
    }

    /// The items of a list, or a single one, as many as are allowed.
    pub(super) fn items<'n>(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        let items = self.r.items(node, what);
        match items.get(limits::CONFIG_ITEMS) {
            None => items,
            Some(item) => {
                self.r.fault(item, format!("expected at most {} of {what}, found more", limits::CONFIG_ITEMS));
                &[]
            }
        }
    }

    /// A list of texts; none where the key is missing.
    pub(super) fn texts(&mut self, node: Option<&Node>, what: &str) -> Vec<String> {
        let Some(node) = node else { return Vec::new() };
        let mut out = Vec::new();
        for item in self.items(node, what) {
            match self.r.text(item, what) {
                Some("") => drop(self.r.fault(item, format!("expected {what}, found an empty text"))),
                Some(text) => out.push(text.to_string()),
                None => {}
            }
        }
        out
    }

    /// Names that narrow a choice: a list that is there holds at least one.
    pub(super) fn some_texts(&mut self, node: Option<&Node>, what: &str) -> Vec<String> {
        let out = self.texts(node, what);
        if let Some(node) = node
            && out.is_empty()
            && self.r.items(node, what).is_empty()
        {
            self.r.fault(node, format!("expected {what}, found an empty list")).hint =
                Some("leave the key out for all".into());
        }
        out
    }

    /// The place of a word among those allowed.
    pub(super) fn word(&mut self, node: &Node, what: &str, words: &[&str]) -> Option<usize> {
        let text = self.r.text(node, what)?;
        let found = words.iter().position(|w| *w == text);
        if found.is_none() {
            let near = nearest(text, words.iter().copied()).filter(|_| !node.hidden);
            let hint = near.map_or_else(|| format!("one of {}", words.join(", ")), |n| format!("did you mean `{n}`?"));
            self.r.fault(node, format!("expected {what}, found {}", node.shown())).hint = Some(hint);
        }
        found
    }

    /// One of two words: whether it is the second. The first is the default.
    pub(super) fn is_second(&mut self, node: Option<&&Node>, what: &str, words: &[&str]) -> bool {
        node.and_then(|n| self.word(n, what, words)) == Some(1)
    }

    /// `true` or `false`, or a default.
    pub(super) fn switch(&mut self, fields: &Fields, name: &str, default: bool) -> bool {
        fields.get(name).map_or(default, |n| self.r.boolean(n, &format!("`{name}`")))
    }

    /// The name of a source, receiver or token.
    pub(super) fn name<'n>(&mut self, key: &'n Node, what: &str) -> Option<&'n str> {
        let name = self.r.text(key, &format!("{what}'s name"))?;
        let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 60 || !name.bytes().all(ok) {
            let fault = self.r.fault(key, format!("expected {what}'s name, found {}", key.shown()));
            fault.hint = Some("use up to 60 letters, digits, -, _ and .".into());
        }
        Some(name)
    }

    /// The one of several kinds that `type` names.
    pub(super) fn kind(&mut self, key: &Node, node: &Node, what: &str, kinds: &[&str]) -> Option<usize> {
        let pairs = self.r.pairs(node, what);
        let is_type = |n: &Node| matches!(&n.data, crate::base::yaml::Data::Scalar(s, _) if s == "type");
        match pairs.iter().find(|(k, _)| is_type(k)) {
            Some((_, value)) => self.word(value, &format!("a type of {what}"), kinds),
            None => {
                let fault = self.r.fault(key, format!("expected `type` in {what}, found none"));
                fault.hint = Some(format!("type: one of {}", kinds.join(", ")));
                None
            }
        }
    }
}
