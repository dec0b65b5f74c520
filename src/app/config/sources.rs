//! Sources: where posts come from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::reading::Reading;
use super::recordings::{self, RecordingConfig};
use super::{fields, keys, urls};
use crate::base::limits;
use crate::base::model::{Pointer, SourceInfo, WireFormat};
use crate::base::secret::Secret;
use crate::base::yaml::{Fields, Node};
pub use crate::collect::jetstream::Version as Protocol;
use crate::collect::{audience, socket};

/// A source of posts.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceConfig {
    /// Its name and format.
    pub info: Arc<SourceInfo>,
    /// What it is and where.
    pub kind: SourceKind,
}

impl SourceConfig {
    /// One Jetstream server of protocol v1, compressed, without look-ups of audiences.
    pub fn jetstream(info: Arc<SourceInfo>, url: &str) -> SourceConfig {
        let (hosts, protocol) = (vec![url.to_string()], Protocol::V1);
        let kind = SourceKind::Jetstream(JetstreamConfig { hosts, protocol, compress: true, audience: None, ca: None });
        SourceConfig { info, kind }
    }

    /// The file of the authorities to trust; `None`: the well-known ones.
    pub fn ca(&self) -> Option<&Path> {
        match &self.kind {
            SourceKind::Jetstream(j) => j.ca.as_deref(),
            SourceKind::WebSocket(w) => w.ca.as_deref(),
            SourceKind::Push(_) | SourceKind::Recording(_) => None,
        }
    }
}

/// What a source is.
#[derive(Clone, PartialEq, Debug)]
pub enum SourceKind {
    /// Bluesky.
    Jetstream(JetstreamConfig),
    /// JSON over a WebSocket.
    WebSocket(WebSocketConfig),
    /// Posts that are sent to this service.
    Push(PushConfig),
    /// Frames of a file.
    Recording(RecordingConfig),
}

/// Jetstream servers that carry the same stream.
#[derive(Clone, PartialEq, Debug)]
pub struct JetstreamConfig {
    /// `ws://` or `wss://` URLs in order of preference; at least one.
    pub hosts: Vec<String>,
    /// What they speak.
    pub protocol: Protocol,
    /// Whether frames are asked for compressed, with the dictionary.
    pub compress: bool,
    /// Where followers of its accounts are asked for; `None`: nowhere.
    pub audience: Option<String>,
    /// PEM file of authorities to trust beside the well-known ones.
    pub ca: Option<PathBuf>,
}

/// A WebSocket that sends JSON.
#[derive(Clone, PartialEq)]
pub struct WebSocketConfig {
    /// `ws://` or `wss://`; may hold secrets.
    pub url: String,
    /// Headers of the request.
    pub headers: Vec<(String, Secret)>,
    /// Messages sent once it is open; may hold secrets.
    pub subscribe: Vec<String>,
    /// Where the post, or the list of posts, stands in a message; `None`: it is the message.
    pub items: Option<Pointer>,
    /// PEM file of authorities to trust beside the well-known ones.
    pub ca: Option<PathBuf>,
}

/// Posts that are sent to this service.
#[derive(Clone, PartialEq, Debug)]
pub struct PushConfig {
    /// What who sends them has to show.
    pub token: Secret,
}

/// Without what may be secret.
impl fmt::Debug for WebSocketConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSocketConfig")
            .field("url", &urls::site(&self.url))
            .field("headers", &self.headers)
            .field("subscribe", &self.subscribe.len())
            .field("items", &self.items)
            .field("ca", &self.ca)
            .finish()
    }
}

/// Reads the mapping of sources.
pub(super) fn sources(c: &mut Reading, node: &Node) -> Vec<SourceConfig> {
    let pairs = c.r.pairs(node, "sources");
    if let Some((key, _)) = pairs.get(limits::SOURCES) {
        c.r.fault(key, format!("expected at most {} sources, found more", limits::SOURCES));
        return Vec::new();
    }
    if pairs.is_empty() {
        c.r.fault(node, "expected at least one source, found none");
    }
    let mut out: Vec<SourceConfig> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for (key, value) in pairs {
        let Some(name) = c.name(key, "a source") else { continue };
        if names.contains(&name) {
            c.r.fault(key, format!("expected source `{name}` once, found it again"));
        }
        names.push(name);
        out.extend(source(c, name, key, value));
    }
    recordings::alone(c, pairs);
    out
}

fn source(c: &mut Reading, name: &str, key: &Node, node: &Node) -> Option<SourceConfig> {
    let what = format!("source `{name}`");
    let kinds: Vec<&str> = keys::SOURCES.iter().map(|(word, _)| *word).collect();
    let (_, table) = keys::SOURCES.get(c.kind(key, node, &what, &kinds)?)?;
    let fields = c.r.fields(node, &what, &table.allowed());
    let (format, kind) = match table.name {
        "jetstream" => {
            let read = jetstream_source(c, &what, key, &fields)?;
            let format = if read.protocol == Protocol::V2 { WireFormat::JetstreamV2 } else { WireFormat::Jetstream };
            (format, SourceKind::Jetstream(read))
        }
        "websocket" => {
            let map = fields::field_map(c, name, key, &fields);
            let read = websocket(c, &what, key, &fields);
            (WireFormat::Json(Arc::new(map?)), SourceKind::WebSocket(read?))
        }
        "recording" => {
            let (format, read) = recordings::recording(c, &what, key, &fields)?;
            (format, SourceKind::Recording(read))
        }
        _ => {
            let token = c.token(&fields, key, what)?;
            (WireFormat::Post, SourceKind::Push(PushConfig { token }))
        }
    };
    Some(SourceConfig { info: Arc::new(SourceInfo { name: name.into(), format }), kind })
}

fn jetstream_source(c: &mut Reading, what: &str, key: &Node, fields: &Fields) -> Option<JetstreamConfig> {
    let v2 = c.is_second(fields.get("protocol"), "a protocol", keys::PROTOCOLS);
    let protocol = if v2 { Protocol::V2 } else { Protocol::V1 };
    let compress = c.switch(fields, "compress", true);
    let audience = match fields.get("audience") {
        None => Some(audience::PUBLIC.to_string()),
        Some(node) => match c.r.text(node, "a URL or off") {
            Some("off") => None,
            Some(url) => {
                if c.is_url(node, url, ["https", "http"]) {
                    Some(url.trim_end_matches('/').to_string())
                } else {
                    None
                }
            }
            None => None,
        },
    };
    let ca = fields.get("ca").and_then(|n| c.certificates(n));
    let mut hosts: Vec<String> = Vec::new();
    match (fields.get("hosts"), fields.get("url")) {
        (Some(_), Some(url)) => {
            c.r.fault(url, format!("expected `hosts` or `url` in {what}, found both"));
        }
        (None, None) => {
            c.r.fault(key, format!("expected `hosts` in {what}, found none")).hint =
                Some("hosts: [jetstream1.us-east.bsky.network, jetstream2.us-east.bsky.network]".into());
        }
        (Some(list), None) => {
            for item in c.items(list, "hosts") {
                let Some(url) = host(c, item, protocol) else { continue };
                if hosts.contains(&url) {
                    c.r.fault(item, format!("expected a host once, found {} again", item.shown()));
                }
                hosts.push(url);
            }
            if hosts.is_empty() && c.r.items(list, "hosts").is_empty() {
                c.r.fault(list, "expected at least one host, found none");
            }
        }
        (None, Some(node)) => hosts.extend(c.r.text(node, "a URL").and_then(|url| stream_url(c, node, url))),
    }
    if hosts.is_empty() {
        return None;
    }
    Some(JetstreamConfig { hosts, protocol, compress, audience, ca })
}

/// A host's name, or a full URL.
fn host(c: &mut Reading, node: &Node, protocol: Protocol) -> Option<String> {
    let text = c.r.text(node, "a host")?;
    if text.contains("://") {
        return stream_url(c, node, text);
    }
    let path = match protocol {
        Protocol::V1 => "subscribe",
        Protocol::V2 => "xrpc/network.bsky.jetstream.subscribeEvents",
    };
    let url = format!("wss://{text}/{path}");
    if text.is_empty() || text.contains(['/', '?', '#', '@']) || !socket::is_address(&url) {
        c.r.fault(node, format!("expected a host's name or a URL, found {}", node.shown())).hint =
            Some("write jetstream1.us-east.bsky.network or wss://HOST/subscribe".into());
        return None;
    }
    Some(url)
}

/// A URL that a WebSocket can be opened at.
fn stream_url(c: &mut Reading, node: &Node, url: &str) -> Option<String> {
    if !c.is_url(node, url, ["wss", "ws"]) {
        return None;
    }
    if !socket::is_address(url) {
        c.r.fault(node, "expected a URL that can be connected to, found another");
        return None;
    }
    Some(url.to_string())
}

fn websocket(c: &mut Reading, what: &str, key: &Node, fields: &Fields) -> Option<WebSocketConfig> {
    let headers = c.headers(fields.get("headers").copied());
    let mut subscribe = Vec::new();
    let mut secret = !headers.is_empty();
    for item in fields.get("subscribe").map(|n| c.items(n, "messages")).unwrap_or_default() {
        let Some(text) = c.r.text(item, "a message") else { continue };
        // the text may be sent in one piece
        if text.is_empty() || text.len() > limits::SOCKET_WRITE_BYTES / 2 {
            c.r.fault(
                item,
                format!("expected a message of 1 to {} bytes, found another", limits::SOCKET_WRITE_BYTES / 2),
            );
        }
        secret |= item.filled;
        subscribe.push(text.to_string());
    }
    let items = fields.get("items").and_then(|n| fields::pointer(c, n));
    let ca = fields.get("ca").and_then(|n| c.certificates(n));
    let Some(node) = fields.get("url") else {
        c.r.fault(key, format!("expected `url` in {what}, found none"));
        return None;
    };
    let text = c.r.text(node, "a URL")?;
    let url = stream_url(c, node, text)?;
    if secret || node.filled {
        c.warn_if_plain(node, &url, "wss");
    }
    Some(WebSocketConfig { url, headers, subscribe, items, ca })
}
