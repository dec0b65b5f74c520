//! Where the service keeps what it must not forget.

use std::path::{Path, PathBuf};

use super::keys;
use super::reading::Reading;
use crate::base::figures;
use crate::base::limits;
use crate::base::time::Span;
use crate::base::yaml::{Data, Node};

/// The durable store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreConfig {
    /// Its file.
    pub path: PathBuf,
    /// How long the log is kept beyond what is needed to start from.
    pub keep_log: Span,
    /// How long posts are kept to be looked up.
    pub keep_archive: Span,
    /// How long it is remembered what was told to whom.
    pub keep_ledger: Span,
    /// Most bytes its files may take.
    pub max_bytes: u64,
}

impl StoreConfig {
    /// A store in this file, everything else by default.
    pub fn new(path: PathBuf) -> StoreConfig {
        StoreConfig {
            path,
            keep_log: limits::STORE_LOG,
            keep_archive: limits::STORE_ARCHIVE,
            keep_ledger: limits::STORE_LEDGER,
            max_bytes: limits::STORE_BYTES,
        }
    }
}

/// The store's file if the config does not say, in the folder of the config.
const FILE: &str = "groundswell.db";

/// Reads `store`; `None`: it is off.
pub(super) fn store(c: &mut Reading, node: Option<&Node>) -> Option<StoreConfig> {
    let mut out = StoreConfig::new(c.folder.join(FILE));
    let Some(node) = node else { return Some(out) };
    if let Data::Scalar(text, _) = &node.data
        && !text.is_empty()
    {
        if text != "off" {
            c.r.fault(node, format!("expected `off` or a mapping, found {}", node.shown())).hint =
                Some(format!("store: {{path: {FILE}}}"));
        }
        return None;
    }
    let fields = c.r.fields(node, "`store`", &keys::STORE.allowed());
    if let Some(node) = fields.get("path")
        && let Some(path) = c.r.text(node, "a path")
    {
        out.path = c.folder.join(path);
        if path.is_empty() || Path::new(path).file_name().is_none() {
            c.r.fault(node, format!("expected the path of a file, found {}", node.shown()));
        }
    }
    if let Some(node) = fields.get("keep") {
        let keep = c.r.fields(node, "`keep`", &keys::KEEP.allowed());
        for (name, to) in
            [("log", &mut out.keep_log), ("archive", &mut out.keep_archive), ("ledger", &mut out.keep_ledger)]
        {
            if let Some(span) = keep.get(name).and_then(|n| kept(c, n, name)) {
                *to = span;
            }
        }
    }
    if let Some(size) = fields.get("max_size").and_then(|n| size(c, n)) {
        out.max_bytes = size;
    }
    Some(out)
}

/// A time to keep something, which may be longer than a window.
fn kept(c: &mut Reading, node: &Node, name: &str) -> Option<Span> {
    let text = c.r.text(node, "a duration")?;
    let seconds = if text == "0" { Some(0.0) } else { figures::seconds(text) };
    let most = limits::STORE_KEPT;
    let span = seconds.filter(|s| *s >= 0.0 && *s <= most.as_seconds()).map(|s| Span((s * 1e6) as i64));
    if span.is_none() {
        c.r.fault(node, format!("expected `{name}` as a duration up to {most}, found {}", node.shown())).hint =
            Some("write a number and a unit: 12h, 7d, 8w".into());
    }
    span
}

/// A number of bytes with its unit.
fn size(c: &mut Reading, node: &Node) -> Option<u64> {
    let text = c.r.text(node, "a size")?;
    let size = bytes(text);
    let what = match size {
        Some(bytes) if bytes >= limits::STORE_LEAST => return size,
        Some(_) => {
            format!("expected a size of at least {} MB, found {}", limits::STORE_LEAST / 1_000_000, node.shown())
        }
        None => format!("expected a size, found {}", node.shown()),
    };
    c.r.fault(node, what).hint = Some("write a number and a unit: 500MB, 10GB, 2TiB".into());
    None
}

/// `500MB`, `10 GB`, `1.5TiB`: units of 1000 or, with `i`, 1024.
fn bytes(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at_checked(at)?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let (prefix, base) = match unit.strip_suffix("ib") {
        Some(prefix) => (prefix, 1024f64),
        None => (unit.strip_suffix('b')?, 1000f64),
    };
    let power = ["", "k", "m", "g", "t", "p"].iter().position(|p| *p == prefix)?;
    // `iB` is no unit
    if power == 0 && base > 1000.0 {
        return None;
    }
    let size = number.parse::<f64>().ok()? * base.powi(i32::try_from(power).ok()?);
    (size.is_finite() && size < limits::STORE_MOST as f64).then_some(size as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let good =
            [("500MB", 500_000_000), ("10GB", 10_000_000_000), ("2TiB", 2 << 40), ("1.5 gib", 3 << 29), ("64b", 64)];
        for (text, size) in good {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        for bad in ["", "10", "GB", "10G", "10iB", "-1GB", "1e3GB", "1.2.3GB", "10 GB x", "99999999PB", "10µB", "٣GB"]
        {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
