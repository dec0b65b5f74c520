//! `groundswell.yaml`: what the service listens to, whom it tells, where it serves, which rules
//! it runs.

mod fields;
pub mod keys;
mod people;
mod reading;
mod receivers;
mod recordings;
mod routes;
pub mod schema;
mod secrets;
mod sources;
mod store;
mod urls;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use receivers::{ReceiverConfig, ReceiverKind, WebhookConfig};
pub use recordings::RecordingConfig;
pub use routes::{Route, check_names};
pub use secrets::Environment;
pub use sources::{JetstreamConfig, Protocol, PushConfig, SourceConfig, SourceKind, WebSocketConfig};
pub use store::StoreConfig;

use crate::app::files::read_text;
use crate::app::writes::carrier;
use crate::base::fault::{Fault, nearest};
use crate::base::limits;
use crate::base::secret::Secret;
use crate::base::time::Span;
use crate::base::yaml::{Data, Fields, Node, Reader};
use crate::notify::{Inhibit, Pace};
use reading::Reading;
use secrets::Expander;

/// The service's config.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// The file it was read from; empty if from none.
    pub path: PathBuf,
    /// Rule files and folders.
    pub rules: Vec<PathBuf>,
    /// Where metrics, health and the API are served.
    pub listen: SocketAddr,
    /// Who may ask the API.
    pub tokens: Vec<Token>,
    /// Where people reach this service, without a slash at the end.
    pub external_url: Option<String>,
    /// IANA name of the time zone of messages; `None`: UTC.
    pub timezone: Option<String>,
    /// Least time posts are kept; zero: as long as rules ask. At most [`crate::base::limits::WINDOW`].
    pub retention: Span,
    /// Networks that are known not to be watched, for messages.
    pub blind_spots: Vec<String>,
    /// Form of the log.
    pub log: LogForm,
    /// What must outlive the service is kept there; `None`: nowhere.
    pub store: Option<StoreConfig>,
    /// Where posts come from.
    pub sources: Vec<SourceConfig>,
    /// Where notices go; at least one.
    pub receivers: Vec<ReceiverConfig>,
    /// Which notices go where; empty: everything to every receiver.
    pub routes: Vec<Route>,
    /// What keeps people from being told of what.
    pub inhibit: Vec<Inhibit>,
    /// What is called as long as all is well.
    pub heartbeat: Option<Heartbeat>,
}

/// What is called as long as all is well.
#[derive(Clone, PartialEq, Debug)]
pub struct Heartbeat {
    /// Where; it may hold a secret.
    pub url: Secret,
    /// How often.
    pub every: Span,
}

/// What lets somebody ask the API.
#[derive(Clone, PartialEq, Debug)]
pub struct Token {
    /// Whose it is.
    pub name: String,
    /// What has to be shown.
    pub secret: Secret,
    /// What it allows; at least one.
    pub may: Vec<Right>,
}

/// What a token allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Right {
    /// GET of `/v1/...`.
    Read,
    /// To act on incidents, silences and messages, and to read.
    Act,
    /// To reload, to act and to read.
    Admin,
}

/// Form of the log on standard error.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogForm {
    /// For people.
    #[default]
    Text,
    /// Lines of JSON.
    Json,
}

/// Where metrics and health are served if the config does not say.
pub const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);

impl Config {
    /// A config with these sources, everything else by default, no rules and no store.
    pub fn new(sources: Vec<SourceConfig>) -> Config {
        Config {
            path: PathBuf::new(),
            rules: Vec::new(),
            listen: LISTEN,
            tokens: Vec::new(),
            external_url: None,
            timezone: None,
            retention: Span::ZERO,
            blind_spots: Vec::new(),
            log: LogForm::Text,
            store: None,
            sources,
            receivers: vec![ReceiverConfig::stdout()],
            routes: Vec::new(),
            inhibit: Vec::new(),
            heartbeat: None,
        }
    }

    /// Whether it plays a recording: time is then that of the recording.
    pub fn plays(&self) -> bool {
        self.sources.iter().any(|s| matches!(s.kind, SourceKind::Recording(_)))
    }
}

/// Reads a config file, with the environment of this process. Paths in it are relative to its
/// folder. Beside the config there may be warnings.
///
/// # Errors
/// All mistakes.
pub fn load(path: &Path) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    load_with(path, &|name| std::env::var(name).ok())
}

/// The same with another environment.
///
/// # Errors
/// All mistakes.
pub fn load_with(path: &Path, env: Environment) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    match read_with(path, env) {
        (Some(config), faults) if faults.iter().all(|f| f.warning) => Ok((config, faults)),
        (_, faults) => Err(faults),
    }
}

/// As much of a config file as can be read, with the environment of this process, and all mistakes.
pub fn read_all(path: &Path) -> (Option<Config>, Vec<Fault>) {
    read_with(path, &|name| std::env::var(name).ok())
}

fn read_with(path: &Path, env: Environment) -> (Option<Config>, Vec<Fault>) {
    let source = match read_text(path) {
        Ok(source) => source,
        Err(f) => return (None, vec![f]),
    };
    let mut r = Reader::new(&source.file, &source.text);
    let Some(mut root) = r.tree(&source.text) else {
        if r.faults.is_empty() {
            r.faults.push(Fault::new(format!("expected a config, found nothing in {}", path.display())));
        }
        return (None, r.faults);
    };
    let mut expander = Expander::new(env);
    expander.walk(&mut r, &mut root, 0, false);
    let missing = std::mem::take(&mut r.faults);
    let folder = path.parent().unwrap_or(Path::new(""));
    let config = read(&mut Reading { r: &mut r, folder, tokens: Vec::new() }, &root, path);
    for receiver in &config.receivers {
        let mistakes = carrier(&receiver.kind, Pace::default()).and_then(Result::err).unwrap_or_default();
        r.faults.extend(mistakes.into_iter().map(Fault::new));
    }
    r.faults.retain(|f| !expander.explains(f));
    r.faults.extend(missing);
    r.faults.sort_by(|a, b| a.place.cmp(&b.place));
    (Some(config), r.faults)
}

fn read(c: &mut Reading, root: &Node, path: &Path) -> Config {
    let fields = c.r.fields(root, "the config", &keys::CONFIG.allowed());
    hint_at_output(c.r, root);
    if let Some(version) = fields.get("version")
        && c.r.text(version, "a version").is_some_and(|v| v != "1")
    {
        c.r.fault(version, "expected version 1, found another").hint = Some("this groundswell reads version 1".into());
    }
    let rules = match fields.get("rules") {
        Some(n) => c.texts(Some(n), "a path").iter().map(|p| c.folder.join(p)).collect(),
        None => vec![c.folder.join("rules")],
    };
    let tokens = tokens(c, fields.get("tokens").copied());
    let listen = fields.get("listen").map_or(LISTEN, |n| listen(c.r, n, fields.contains_key("tokens")));
    let external_url = fields.get("external_url").and_then(|n| {
        let url = c.r.text(n, "a URL")?;
        c.is_url(n, url, ["https", "http"]).then(|| url.trim_end_matches('/').to_string())
    });
    if let (Some(node), Some(url)) = (fields.get("external_url"), &external_url)
        && tokens.is_empty()
        && !urls::is_local(url)
    {
        c.r.fault(node, "expected `tokens` beside `external_url`, found none").hint =
            Some("behind a proxy everybody would ask from this machine, and may then order everything".into());
    }
    let timezone = fields.get("timezone").and_then(|n| timezone(c.r, n));
    let retention = fields.get("retention").and_then(|n| c.r.span(n, "`retention`")).unwrap_or(Span::ZERO);
    let blind_spots = c.texts(fields.get("blind_spots").copied(), "a network");
    let json = c.is_second(fields.get("log"), "text or json", keys::FORMS);
    let log = if json { LogForm::Json } else { LogForm::Text };
    let store = store::store(c, fields.get("store").copied());
    let sources = match fields.get("sources") {
        Some(n) => sources::sources(c, n),
        None => {
            let hint = "sources:\n    bluesky: {type: jetstream, hosts: [jetstream1.us-east.bsky.network]}";
            c.r.fault(root, "expected `sources`, found none").hint = Some(hint.into());
            Vec::new()
        }
    };
    let (receivers, names) = receivers::receivers(c, fields.get("receivers").copied());
    let routes = routes::routes(c, fields.get("routes").copied(), &names);
    let inhibit = routes::inhibit(c, fields.get("inhibit").copied());
    let heartbeat = fields.get("heartbeat").and_then(|n| heartbeat(c, n));
    Config {
        path: path.to_path_buf(),
        rules,
        listen,
        tokens,
        external_url,
        timezone,
        retention,
        blind_spots,
        log,
        store,
        sources,
        receivers,
        routes,
        inhibit,
        heartbeat,
    }
}

fn heartbeat(c: &mut Reading, node: &Node) -> Option<Heartbeat> {
    let fields = c.r.fields(node, "`heartbeat`", &keys::HEARTBEAT.allowed());
    let every = fields.get("every").and_then(|n| c.r.span(n, "`every`")).unwrap_or(limits::HEARTBEAT);
    if every < limits::HEARTBEAT_LEAST {
        c.r.fault(node, format!("expected at least {} between heartbeats, found {every}", limits::HEARTBEAT_LEAST));
    }
    if !fields.contains_key("url") && !fields.contains_key("url_file") {
        c.r.fault(node, "expected `url` or `url_file` in `heartbeat`, found neither");
    }
    let (url, at) = c.secret(&fields, "url", "url_file")?;
    c.is_url(at, url.expose(), ["https", "http"]).then_some(Heartbeat { url, every })
}

/// `output` was a key once.
fn hint_at_output(r: &mut Reader, root: &Node) {
    let Data::Map(pairs) = &root.data else { return };
    let old = pairs.iter().find(|(k, _)| matches!(&k.data, Data::Scalar(s, _) if s == "output"));
    let Some(place) = old.map(|(k, _)| r.place(k)) else { return };
    if let Some(fault) = r.faults.iter_mut().find(|f| f.place.as_ref() == Some(&place)) {
        fault.hint = Some("outputs are receivers now; write receivers: {out: {type: stdout, format: json}}".into());
    }
}

fn listen(r: &mut Reader, node: &Node, guarded: bool) -> SocketAddr {
    let Some(text) = r.text(node, "an address") else { return LISTEN };
    let Ok(address) = text.parse::<SocketAddr>() else {
        r.fault(node, format!("expected an address and port, found {}", node.shown())).hint =
            Some("write 127.0.0.1:9464".into());
        return LISTEN;
    };
    if !address.ip().is_loopback() && !guarded {
        r.fault(node, format!("expected an address of this machine only, found {}", node.shown())).hint =
            Some("who reaches it could read everything; for other machines set `tokens`".into());
    }
    address
}

fn timezone(r: &mut Reader, node: &Node) -> Option<String> {
    let name = r.text(node, "the name of a time zone")?;
    let known = jiff::tz::TimeZoneDatabase::bundled();
    if known.get(name).is_ok() {
        return Some(name.to_string());
    }
    let names: Vec<String> = known.available().map(|n| n.to_string()).collect();
    let near = nearest(name, names.iter().map(String::as_str)).filter(|_| !node.hidden);
    let hint = near.map_or("IANA names are like Europe/Berlin".to_string(), |n| format!("did you mean `{n}`?"));
    r.fault(node, format!("expected the name of a time zone, found {}", node.shown())).hint = Some(hint);
    None
}

fn tokens(c: &mut Reading, node: Option<&Node>) -> Vec<Token> {
    let Some(node) = node else { return Vec::new() };
    let pairs = c.pairs(node, "tokens");
    if pairs.is_empty() {
        c.r.fault(node, "expected at least one token, found none").hint = Some("leave `tokens` out for none".into());
    }
    let mut out: Vec<Token> = Vec::new();
    for (key, value) in pairs {
        let Some(name) = c.name(key, "a token") else { continue };
        if out.iter().any(|t| t.name == name) {
            c.r.fault(key, format!("expected token `{name}` once, found it again"));
        }
        let whose = format!("token `{name}`");
        let fields = c.r.fields(value, &whose, &keys::TOKEN.allowed());
        let may = rights(c, &fields);
        let secret = c.token(&fields, key, whose);
        out.extend(secret.map(|secret| Token { name: name.to_string(), secret, may }));
    }
    out
}

fn rights(c: &mut Reading, fields: &Fields) -> Vec<Right> {
    let Some(node) = fields.get("may") else { return vec![Right::Read] };
    let mut out = Vec::new();
    for item in c.items(node, "rights") {
        let right = match c.word(item, "a right", keys::RIGHTS) {
            Some(0) => Right::Read,
            Some(1) => Right::Act,
            Some(_) => Right::Admin,
            None => continue,
        };
        if !out.contains(&right) {
            out.push(right);
        }
    }
    if c.r.items(node, "rights").is_empty() {
        c.r.fault(node, "expected at least one right, found none").hint = Some("one of read, act, admin".into());
    }
    out
}

#[cfg(test)]
mod tests;
