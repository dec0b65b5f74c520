//! `groundswell.yaml`: what the service listens to, where it serves, which rules it runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::files::read_text;
use crate::base::fault::Fault;
use crate::base::model::{SourceInfo, WireFormat};
use crate::base::yaml::{Node, Reader};
use crate::collect::{audience, jetstream};

/// A stream to listen to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceConfig {
    /// Its name and format.
    pub info: Arc<SourceInfo>,
    /// Where it is.
    pub url: String,
    /// Where followers of its accounts are asked for; `None`: nowhere.
    pub audience: Option<String>,
}

/// The service's config.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Rule files and folders.
    pub rules: Vec<PathBuf>,
    /// Where metrics and health are served.
    pub listen: SocketAddr,
    /// JSON lines instead of text for people.
    pub json: bool,
    /// Networks that are known not to be watched, for messages.
    pub blind_spots: Vec<String>,
    /// Streams.
    pub sources: Vec<SourceConfig>,
}

const KEYS: &[&str] = &["version", "rules", "listen", "output", "blind_spots", "sources"];
const SOURCE_KEYS: &[&str] = &["type", "url", "audience"];

/// Where metrics and health are served if the config does not say.
pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);

/// Reads a config file. Paths in it are relative to its folder.
///
/// # Errors
/// All mistakes.
pub fn load(path: &Path) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    let source = read_text(path).map_err(|f| vec![f])?;
    let mut r = Reader::new(&source.file, &source.text);
    let folder = path.parent().unwrap_or(Path::new(""));
    let config = r.tree(&source.text).map(|root| read(&mut r, &root, folder));
    let Some(config) = config else {
        if r.faults.is_empty() {
            r.faults.push(Fault::new(format!("expected a config, found nothing in {}", path.display())));
        }
        return Err(r.faults);
    };
    if r.faults.iter().any(|f| !f.warning) { Err(r.faults) } else { Ok((config, r.faults)) }
}

fn read(r: &mut Reader, root: &Node, folder: &Path) -> Config {
    let fields = r.fields(root, "the config", KEYS);
    if let Some(version) = fields.get("version")
        && r.text(version, "a version").is_some_and(|v| v != "1")
    {
        r.fault(version, "expected version 1, found another").hint = Some("this groundswell reads version 1".into());
    }
    let rules = match fields.get("rules") {
        Some(n) => r.texts(n, "a path").iter().map(|p| folder.join(p)).collect(),
        None => vec![folder.join("rules")],
    };
    let listen = fields.get("listen").map_or(LISTEN, |n| listen(r, n));
    let json = match fields.get("output").map(|n| (*n, r.text(n, "an output"))) {
        None | Some((_, None | Some("text"))) => false,
        Some((_, Some("json"))) => true,
        Some((n, Some(other))) => {
            let what = format!("expected text or json, found `{other}`");
            r.fault(n, what);
            false
        }
    };
    let blind_spots = fields.get("blind_spots").map(|n| r.texts(n, "a network")).unwrap_or_default();
    let mut sources = Vec::new();
    match fields.get("sources") {
        Some(n) => {
            for (key, value) in r.pairs(n, "sources") {
                let Some(source) = source(r, key, value) else { continue };
                if sources.iter().any(|s: &SourceConfig| s.info.name == source.info.name) {
                    let what = format!("expected source `{}` once, found it again", source.info.name);
                    r.fault(key, what);
                }
                sources.push(source);
            }
            if sources.is_empty() && r.faults.is_empty() {
                r.fault(n, "expected at least one source, found none");
            }
        }
        None => {
            let hint =
                "sources:\n    bluesky: {type: jetstream, url: \"wss://jetstream2.us-east.bsky.network/subscribe\"}";
            r.fault(root, "expected `sources`, found none").hint = Some(hint.into());
        }
    }
    Config { rules, listen, json, blind_spots, sources }
}

fn listen(r: &mut Reader, node: &Node) -> SocketAddr {
    let text = r.text(node, "an address").unwrap_or("");
    match text.parse::<SocketAddr>() {
        Ok(address) => {
            if !address.ip().is_loopback() {
                let what = format!("expected an address of this machine only, found {address}");
                let hint = "anybody who reaches it can read the metrics; put a proxy with a password before it";
                let fault = r.fault(node, what);
                (fault.warning, fault.hint) = (true, Some(hint.into()));
            }
            address
        }
        Err(_) => {
            r.fault(node, format!("expected an address and port, found `{text}`")).hint =
                Some("write 127.0.0.1:9464".into());
            LISTEN
        }
    }
}

fn source(r: &mut Reader, key: &Node, node: &Node) -> Option<SourceConfig> {
    let name = r.text(key, "a source's name")?;
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) || name.len() > 60 {
        let what = format!("expected a source's name of letters, digits, - and _, found `{name}`");
        r.fault(key, what);
    }
    let fields = r.fields(node, &format!("source `{name}`"), SOURCE_KEYS);
    match fields.get("type").map(|n| (*n, r.text(n, "a type"))) {
        Some((_, Some("jetstream"))) => {}
        Some((_, None)) => {}
        Some((n, Some(other))) => {
            let what = format!("expected a type of source, found `{other}`");
            r.fault(n, what).hint = Some("this version knows: jetstream".into());
        }
        None => {
            r.fault(key, format!("expected `type` in source `{name}`, found none")).hint =
                Some("type: jetstream".into());
        }
    }
    let url = match fields.get("url") {
        Some(n) => {
            let url = r.text(n, "a URL")?;
            let scheme = url.starts_with("wss://") || url.starts_with("ws://");
            if !scheme || !jetstream::is_address(url) {
                r.fault(n, format!("expected a URL that begins with wss:// or ws://, found `{url}`"));
            }
            url.to_string()
        }
        None => {
            r.fault(key, format!("expected `url` in source `{name}`, found none"));
            return None;
        }
    };
    let audience = match fields.get("audience").and_then(|n| r.text(n, "a URL or off")) {
        None => Some(audience::PUBLIC.to_string()),
        Some("off") => None,
        Some(base) => {
            if !base.starts_with("https://") && !base.starts_with("http://") {
                let what = format!("expected a URL that begins with https://, or off, found `{base}`");
                r.faults.extend(fields.get("audience").map(|n| Fault::at(r.place(n), what)));
            }
            Some(base.trim_end_matches('/').to_string())
        }
    };
    let info = Arc::new(SourceInfo { name: name.into(), format: WireFormat::Jetstream });
    Some(SourceConfig { info, url, audience })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_config(text: &str) -> Result<Config, Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("groundswell.yaml");
        std::fs::write(&path, text).unwrap();
        load(&path)
            .map(|(c, _)| c)
            .map_err(|e| e.iter().map(|f| f.to_string().replace(&dir.path().display().to_string(), "")).collect())
    }

    #[test]
    fn reads_a_config_and_its_defaults() {
        let c = read_config("sources:\n  bluesky: {type: jetstream, url: \"wss://j.example/subscribe\"}\n").unwrap();
        assert_eq!((c.listen, c.json, c.sources.len()), (LISTEN, false, 1));
        assert!(c.rules[0].ends_with("rules"));
        assert_eq!(c.sources[0].audience.as_deref(), Some(audience::PUBLIC));
    }

    #[test]
    fn tells_all_mistakes_with_places() {
        let e = read_config(
            "listen: here\noutput: xml\nsuorces: {}\nsources:\n  a: {type: carrier_pigeon, url: 'http://x'}\n  b: {}\n",
        )
        .unwrap_err();
        for place in [":1:9:", ":2:9:", ":3:1:", ":5:13:", ":5:34:", ":6:3:"] {
            assert!(e.iter().any(|f| f.contains(place)), "{place} not in {e:#?}");
        }
        let twice =
            "sources:\n  a: {type: jetstream, url: 'ws://x/y'}\n  a: {type: jetstream, url: 'ws://', audience: here}\n";
        let e = read_config(twice).unwrap_err();
        for place in [":3:3:", ":3:29:", ":3:48:"] {
            assert!(e.iter().any(|f| f.contains(place)), "{place} not in {e:#?}");
        }
        assert!(read_config("sources: {}\n").is_err());
        assert!(read_config("").is_err());
        assert!(read_config("- a\n").is_err());
    }
}
