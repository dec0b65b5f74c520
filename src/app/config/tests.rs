//! Configs that are sound, and every mistake with its place.

use super::*;
use crate::base::limits;
use crate::base::model::{FieldMap, Pointer, Severity, TimeUnit, WireFormat};
use crate::base::rule::{RuleSet, SourceText};
use crate::collect::audience;

const FULL: &str = include_str!("../../../tests/schema/groundswell.yaml");
const PLAYED: &str = include_str!("../../../tests/schema/played.yaml");
const OPS: &str = "ops-token-0123456789";
const PUSH: &str = "push-token-0123456789";

fn env(name: &str) -> Option<String> {
    let value = match name {
        "OPS_TOKEN" => OPS,
        "PUSH_TOKEN" => PUSH,
        "FORUM_TOKEN" => "forum-secret",
        "HOOK" => "hook-path",
        "HOOK_SECRET" => "hook-secret",
        "NESTED" => "${OPS_TOKEN}",
        "SHORT" => "qvxz",
        "EMPTY" => "",
        "LONG" => return Some("x".repeat(40_000)),
        "YES" => "true",
        _ => return None,
    };
    Some(value.to_string())
}

/// A folder with the files that configs of tests name.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let ca = rcgen::generate_simple_self_signed(vec!["a.example".to_string()]).unwrap().cert.pem();
    let long = "x".repeat(limits::SECRET_BYTES as usize + 1);
    for (name, text) in [
        ("dashboard.token", "dashboard-token-0123\n"),
        ("till.token", "till-token-0123456789\r\n"),
        ("key.txt", "file-key"),
        ("day.ndjson", "{}\n"),
        ("mail.url", "https://mail.example/file-path\n"),
        ("mail.secret", "file-secret\n"),
        ("pager.key", "fedcba9876543210fedcba9876543210\n"),
        ("ca.pem", &ca),
        ("no.pem", "-----BEGIN CERTIFICATE-----\nnot\n-----END CERTIFICATE-----\n"),
        ("empty", "\n"),
        ("long", &long),
    ] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    std::fs::write(dir.path().join("bytes"), [0xff, 0xfe]).unwrap();
    dir
}

fn read_all(text: &str) -> (Option<Config>, Vec<String>) {
    let dir = folder();
    let path = dir.path().join("groundswell.yaml");
    std::fs::write(&path, text).unwrap();
    let shown = |faults: Vec<Fault>| {
        let prefix = path.display().to_string();
        faults.iter().map(|f| f.to_string().replace(&prefix, "")).collect()
    };
    match load_with(&path, &env) {
        Ok((config, warnings)) => (Some(config), shown(warnings)),
        Err(faults) => (None, shown(faults)),
    }
}

/// Sources that are sound, for tests of something else.
const SOURCES: &str = "sources: {b: {type: jetstream, hosts: [j.example]}}\n";

/// The mistakes of a config; each of `places` must be the place of one that says `what`.
fn check(text: &str, wanted: &[(&str, &str)]) {
    let (config, faults) = read_all(text);
    assert!(config.is_none(), "no mistake was found in\n{text}");
    for (place, what) in wanted {
        let found = faults.iter().any(|f| f.starts_with(&format!(":{place}: error")) && f.contains(what));
        assert!(found, "{place} {what} not in {faults:#?}\n{text}");
    }
    assert_eq!(faults.len(), wanted.len(), "{faults:#?}\n{text}");
}

#[test]
fn reads_every_key() {
    let (config, warnings) = read_all(FULL);
    let c = config.unwrap_or_else(|| panic!("{warnings:#?}"));
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!((c.rules.len(), c.listen.to_string().as_str(), c.log), (2, "0.0.0.0:9464", LogForm::Json));
    assert_eq!(c.external_url.as_deref(), Some("https://gs.example/watch"));
    assert_eq!((c.timezone.as_deref(), c.retention), (Some("Europe/Berlin"), Span::seconds(2 * 86_400)));
    let store = c.store.as_ref().unwrap();
    assert!(store.path.ends_with("state/gs.db"));
    let kept = [store.keep_log, store.keep_archive, store.keep_ledger].map(|s| s.0 / 86_400_000_000);
    assert_eq!((kept, store.max_bytes), ([2, 30, 1000], 500_000_000));
    assert_eq!(c.tokens.len(), 2);
    assert_eq!((c.tokens[0].secret.expose(), &c.tokens[0].may), (OPS, &vec![Right::Read, Right::Admin]));
    assert_eq!((c.tokens[1].secret.expose(), &c.tokens[1].may), ("dashboard-token-0123", &vec![Right::Read]));
    let names: Vec<&str> = c.sources.iter().map(|s| &*s.info.name).collect();
    assert_eq!(names, ["bluesky", "bluesky2", "forum", "crm", "till"]);
    let SourceKind::Jetstream(j) = &c.sources[0].kind else { panic!("no jetstream") };
    let hosts = ["wss://jetstream1.us-east.bsky.network/subscribe", "wss://other.example/subscribe"];
    assert_eq!(
        (&j.hosts[..], j.protocol, j.compress, &j.audience),
        (&hosts.map(String::from)[..], Protocol::V1, false, &None)
    );
    assert!(j.ca.as_ref().unwrap().ends_with("ca.pem"));
    let SourceKind::Jetstream(j) = &c.sources[1].kind else { panic!("no jetstream") };
    assert_eq!((j.protocol, j.compress, j.audience.as_deref()), (Protocol::V2, true, Some(audience::PUBLIC)));
    assert_eq!(
        (&c.sources[0].info.format, &c.sources[1].info.format),
        (&WireFormat::Jetstream, &WireFormat::JetstreamV2)
    );
    assert_eq!(c.sources[3].info.format, WireFormat::Post);
    let SourceKind::Push(till) = &c.sources[4].kind else { panic!("no push") };
    assert_eq!(till.token.expose(), "till-token-0123456789");
    let c1 = &c.receivers[0];
    assert_eq!((&*c1.name, &c1.kind), ("out", &ReceiverKind::Stdout { json: true }));
    let ReceiverKind::Webhook(w) = &c.receivers[1].kind else { panic!("no webhook") };
    assert_eq!(
        (w.url.as_str(), w.secret.as_ref().unwrap().expose()),
        ("https://hooks.example/hook-path", "hook-secret")
    );
    assert_eq!((w.headers[0].0.as_str(), w.headers[0].1.expose()), ("X-Team", "care"));
    let ReceiverKind::Webhook(w) = &c.receivers[2].kind else { panic!("no webhook") };
    assert_eq!(
        (w.url.as_str(), w.secret.as_ref().unwrap().expose()),
        ("https://mail.example/file-path", "file-secret")
    );
    let first = &c.routes[0];
    assert_eq!((first.when.least, first.goes_on, first.to.len()), (Some(Severity::Page), true, 2));
    assert_eq!(
        (&first.when.alerts[..], &first.when.brands[..]),
        (&["StorySpreading".to_string()][..], &["acme".to_string()][..])
    );
    let last = c.routes.last().unwrap();
    assert_eq!((last.when.least, last.goes_on, &*last.to[0]), (None, false, "out"));
}

#[test]
fn reads_where_fields_stand() {
    let c = read_all(FULL).0.unwrap();
    let SourceKind::WebSocket(w) = &c.sources[2].kind else { panic!("no websocket") };
    assert_eq!(w.url, "wss://forum.example/stream?key=forum-secret");
    let headers: Vec<_> = w.headers.iter().map(|(n, v)| (n.as_str(), v.expose())).collect();
    assert_eq!(headers, [("Authorization", "Bearer forum-secret"), ("X-Key", "file-key")]);
    assert_eq!(w.subscribe, [r#"{"type":"subscribe","price":"${5}"}"#]);
    let at = |s: &str| Pointer(s.into());
    assert_eq!(w.items, Some(at("/data")));
    let WireFormat::Json(map) = &c.sources[2].info.format else { panic!("no json") };
    let wanted = FieldMap {
        network: "forum".into(),
        id: at("/id"),
        author: at("/user/id"),
        text: at("/body"),
        time: at("/created"),
        time_unit: TimeUnit::Seconds,
        author_name: Some(at("/user/name")),
        followers: Some(at("/user/followers")),
        lang: Some(at("/lang")),
        kind: Some(at("/type")),
        kinds: [("boost".into(), "repost".into()), ("status".into(), "post".into())].into(),
        parent: Some(at("/reply_to")),
        root: Some(at("/thread")),
        url: Some(at("/link")),
        links: Some(at("/a~1b")),
        only: vec![(at("/event"), vec!["update".into(), "new".into()]), (at("/public"), vec!["true".into()])],
    };
    assert_eq!(**map, wanted);
}

#[test]
fn the_examples_hold_every_key() {
    let rules = include_str!("../../../tests/schema/rules.yaml");
    RuleSet::load(&[SourceText { file: "r".into(), text: rules.into() }]).unwrap();
    for (root, text, most) in
        [(&keys::CONFIG, format!("{FULL}{PLAYED}"), 50), (&crate::base::rule::keys::FILE, rules.to_string(), 30)]
    {
        let mut keys = 0;
        for table in schema::tables(root) {
            for key in table.allowed() {
                keys += 1;
                let stands = |l: &str| l.contains(&format!("{key}: ")) || l.trim_end().ends_with(&format!("{key}:"));
                assert!(text.lines().any(stands), "{key} of {}", table.name);
            }
        }
        assert!(keys > most, "{keys}");
    }
}

#[test]
fn little_is_needed() {
    let (c, warnings) = read_all(SOURCES);
    let c = c.unwrap();
    assert!(warnings.is_empty());
    assert!(c.rules[0].ends_with("rules") && c.rules.len() == 1);
    let SourceKind::Jetstream(j) = &c.sources[0].kind else { panic!("no jetstream") };
    assert_eq!((j.compress, j.audience.as_deref(), &j.ca), (true, Some(audience::PUBLIC), &None));
    let store = Some(StoreConfig::new(c.path.with_file_name("groundswell.db")));
    let least = Config { path: c.path.clone(), rules: c.rules.clone(), store, ..Config::new(c.sources.clone()) };
    assert_eq!(c, least);
    assert_eq!(c.receivers, [ReceiverConfig::stdout()]);
    let v2 = read_all("sources: {b: {type: jetstream, hosts: ['j.example:8080'], protocol: v2}}\n").0.unwrap();
    let SourceKind::Jetstream(j) = &v2.sources[0].kind else { panic!("no jetstream") };
    assert_eq!(j.hosts, ["wss://j.example:8080/xrpc/network.bsky.jetstream.subscribeEvents"]);
    assert!(read_all("").0.is_none() && read_all("- a\n").0.is_none());
}

#[test]
fn mistakes_at_the_top() {
    let text = "version: 2\nlisten: here\nexternal_url: gs.example\ntimezone: Europe/Berln\nretention: 9d\nlog: xml\nblind_spots: ['']\ntokens: {}\nreceivers: {}\nruels: x\n";
    check(
        text,
        &[
            ("1:10", "expected version 1"),
            ("2:9", "found `here`\n  hint: write 127.0.0.1:9464"),
            ("3:15", "begins with https:// or http://"),
            ("4:11", "did you mean `Europe/Berlin`?"),
            ("5:12", "up to 8d"),
            ("6:6", "expected text or json, found `xml`"),
            ("7:15", "empty"),
            ("8:9", "at least one token"),
            ("9:12", "at least one receiver"),
            ("10:1", "did you mean `rules`?"),
            ("1:1", "expected `sources`"),
        ],
    );
    check("sources: {}\n", &[("1:10", "at least one source")]);
    check(
        &format!("output: json\n{SOURCES}"),
        &[("1:1", "found `output`\n  hint: outputs are receivers now; write receivers: {out: {type: stdout")],
    );
    check(
        &format!("listen: 0.0.0.0:1\n{SOURCES}"),
        &[("1:9", "this machine only, found `0.0.0.0:1`\n  hint: who reaches it")],
    );
    assert!(read_all(&format!("listen: 0.0.0.0:1\ntokens: {{a: {{token: '{OPS}'}}}}\n{SOURCES}")).0.is_some());
}

#[test]
fn mistakes_in_sources() {
    check(
        "sources:\n  a: {type: carrier_pigeon}\n  b: {}\n  a/b: {type: jetstream}\n  c: {type: jetstream, urll: x, hosts: []}\n  c: {type: jetstrem}\n",
        &[
            ("2:13", "hint: one of jetstream, websocket, push"),
            ("3:3", "expected `type`"),
            ("4:3", "expected a source's name, found `a/b`"),
            ("4:3", "expected `hosts`"),
            ("5:24", "did you mean `url`?"),
            ("5:40", "at least one host"),
            ("6:3", "expected source `c` once"),
            ("6:13", "did you mean `jetstream`?"),
        ],
    );
    check(
        "sources:\n  a:\n    type: jetstream\n    hosts: ['http://x/y', 'a b', 'x/y', j.example, j.example, '']\n    protocol: v3\n    compress: maybe\n    audience: here\n    ca: no.pem\n  b: {type: jetstream, hosts: [x], url: 'ws://x/y'}\n  c: {type: jetstream, url: 'ws://'}\n  d: {type: jetstream, url: 'wss://me:pw@x/y', ca: nowhere.pem}\n",
        &[
            ("4:13", "begins with wss:// or ws://, found another text"),
            ("4:27", "expected a host's name or a URL, found `a b`"),
            ("4:34", "found `x/y`"),
            ("4:52", "found `j.example` again"),
            ("4:63", "expected a host"),
            ("5:15", "found `v3`"),
            ("6:15", "expected `compress` as true or false, found `maybe`"),
            ("7:15", "begins with https://"),
            ("8:9", "file of certificates"),
            ("9:41", "`hosts` or `url` in source `b`, found both"),
            ("10:29", "expected a URL"),
            ("11:29", "a password in it"),
            ("11:52", "nowhere.pem"),
        ],
    );
}

#[test]
fn mistakes_in_websockets() {
    check(
        "sources:\n  a:\n    type: websocket\n    url: 'https://x/'\n    headers:\n      Host: x\n      'b d': x\n      Sec-WebSocket-Key: x\n      X: {file: nowhere, more: 1}\n      Y: {}\n      Z: \"a\\nb\"\n      z: x\n      V: x\n      v: x\n      content-length: x\n      UPGRADE: x\n      Connection: x\n    subscribe: ['']\n    items: data\n    network: a b\n    fields: {id: id, author: /a~2, text: /t, time_unit: h}\n    kinds: {x: toot}\n    only: {a: [], /b: x}\n  b: {type: websocket}\n",
        &[
            ("4:10", "begins with wss:// or ws://"),
            ("6:7", "not the protocol's own, found `Host`"),
            ("7:7", "expected a header's name, found `b d`"),
            ("8:7", "not the protocol's own"),
            ("9:17", "expected a file that can be read, found a text that is not shown: No such file"),
            ("9:26", "expected a key of a header's value"),
            ("10:10", "expected `file`"),
            ("11:10", "visible ASCII"),
            ("14:7", "expected header `v` once"),
            ("15:7", "not the protocol's own"),
            ("16:7", "not the protocol's own"),
            ("17:7", "not the protocol's own"),
            ("18:17", "a message of 1 to"),
            ("19:12", "expected a JSON pointer, found `data`"),
            ("20:14", "expected a network's name"),
            ("21:18", "found `id`"),
            ("21:30", "found `/a~2`"),
            ("21:57", "expected a unit of time, found `h`"),
            ("21:13", "expected `time` in `fields`"),
            ("22:12", "expected `kind` among the fields"),
            ("22:16", "expected a kind of post, found `toot`"),
            ("23:12", "expected a JSON pointer, found `a`"),
            ("23:15", "found none"),
            ("24:3", "expected `fields`"),
            ("24:3", "expected `url`"),
        ],
    );
}

#[test]
fn mistakes_in_tokens_and_secrets() {
    let text = "tokens:\n  a: {token: short, may: [raed]}\n  b: {token_file: nowhere, may: []}\n  c: {token: ops-token-0123456789, token_file: x}\n  d: {token_file: empty}\n  e: {token_file: long}\n  f: {}\n  g: {token: ops-token-0123456789}\n  h: {token: '${OPS_TOKEN}'}\n  i: {token: 'with a blank, 0123456'}\n  j: {token_file: bytes}\n  k: {token_file: .}\nsources:\n  l: {type: push, token: '${OPS_TOKEN}'}\n  m: {type: push}\n  n: {type: push, token: [x]}\n";
    check(
        text,
        &[
            ("2:14", "at least 16 characters, found a shorter one\n  hint: make one with: openssl rand -hex 32"),
            ("2:27", "did you mean `read`?"),
            ("3:19", "found `nowhere`: No such file"),
            ("3:33", "at least one right"),
            ("4:48", "`token` or `token_file`, found both"),
            ("5:19", "found `empty` empty"),
            ("6:19", "more than 65536 bytes"),
            ("7:3", "expected `token` or `token_file` in token `f`"),
            ("9:14", "a token of its own in token `h`, found that of token `g`"),
            ("10:14", "visible ASCII"),
            ("11:19", "UTF-8"),
            ("12:19", "no regular file"),
            ("14:26", "in source `l`, found that of token `g`"),
            ("15:3", "expected `token` or `token_file` in source `m`"),
            ("16:26", "expected `token`, found a list"),
        ],
    );
}

#[test]
fn mistakes_in_receivers_and_routes() {
    let text = "receivers:\n  a: {type: stdout, format: xml}\n  b: {type: webhook}\n  c: {type: webhook, url: 'ftp://x', secret: '', ca: no.pem}\n  d: {type: webhook, url: 'https://x y/', url_file: x}\n  e: {type: webhook, url: 'https:///x'}\n  a: {type: pager}\nroutes:\n  - {severity: pgae, alert: [], brand: [''], to: [b, d, b, f], continue: maybe}\n  - {alert: A}\n  - {to: []}\n  - {to: [a, c, e], form: x}\n";
    check(
        &format!("{text}{SOURCES}"),
        &[
            ("2:29", "found `xml`"),
            ("3:3", "expected `url` or `url_file` in receiver `b`"),
            ("4:27", "begins with https:// or http://"),
            ("4:46", "empty"),
            ("4:54", "certificates"),
            ("5:53", "found both"),
            ("6:27", "expected a URL"),
            ("7:3", "expected receiver `a` once"),
            ("7:13", "hint: one of email, slack, pagerduty, alertmanager, webhook, stdout"),
            ("9:16", "did you mean `page`?"),
            ("9:29", "leave the key out for all"),
            ("9:41", "empty"),
            ("9:57", "expected receiver `b` once"),
            ("9:60", "expected the name of a receiver, found `f`"),
            ("9:74", "true or false"),
            ("10:5", "expected `to`"),
            ("11:10", "at least one receiver"),
            ("12:21", "expected a key of a route, found `form`"),
        ],
    );
}

#[test]
fn environment_variables_are_put_in_once() {
    check(
        &format!("timezone: '${{NOPE}}'\nversion: ${{NOPE}}\n{SOURCES}"),
        &[("1:12", "expected the environment variable `NOPE`, found none"), ("2:10", "`NOPE`")],
    );
    check(
        &format!("rules: ['a${{OPS', b, 'x${{1}}', '${{LONG}}${{LONG}}']\n{SOURCES}"),
        &[("1:11", "expected `}`"), ("1:24", "name of an environment"), ("1:39", "at most 65536 bytes")],
    );
    let c = read_all("rules: ['$${A}', '$x${HOOK}$', '${NESTED}', '${HOOK}${HOOK}']\nsources: {'b': {type: jetstream, hosts: ['${HOOK}.example'], compress: '${YES}'}}\n").0.unwrap();
    let rules: Vec<&str> = c.rules.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(rules, ["${A}", "$xhook-path$", "${OPS_TOKEN}", "hook-pathhook-path"]);
    let many = format!("rules: ['{}']\n{SOURCES}", "${HOOK}".repeat(limits::ENVIRONMENT_VARIABLES + 1));
    check(&many, &[("1:7178", "at most 1024 variables")]);
    check(&format!("external_url: '${{EMPTY}}'\n{SOURCES}"), &[("1:15", "found another text")]);
    // keys are taken as they are
    check(
        "sources: {'${HOOK}': {type: jetstream, hosts: [x]}}\n",
        &[("1:11", "expected a source's name, found `${HOOK}`")],
    );
}

#[test]
fn secrets_are_never_shown() {
    let c = read_all(FULL).0.unwrap();
    let shown = format!("{c:?}");
    let secrets = [
        OPS,
        PUSH,
        "dashboard-token",
        "till-token",
        "forum-secret",
        "file-key",
        "hook-path",
        "hook-secret",
        "file-path",
        "file-secret",
        "care",
    ];
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("wss://forum.example/...") && shown.contains("[secret]"), "{shown}");
    // wherever the value may be refused
    let text = "version: '${SHORT}'\nlisten: '${SHORT}'\ntokens: {a: {token: '${SHORT}', may: '${SHORT}'}, b: {token: qvxz}, c: {token: {qvxz: x}}, d: '${SHORT}'}\nexternal_url: '${SHORT}'\ntimezone: '${SHORT}'\nretention: '${SHORT}'\nlog: '${SHORT}'\nsources:\n  a: {type: '${SHORT}'}\n  b: {type: jetstream, hosts: ['a ${SHORT}'], protocol: '${SHORT}', compress: '${SHORT}', audience: '${SHORT}', ca: '${SHORT}'}\n  c: {type: websocket, url: 'http://qvxz', headers: {A: {qvxz: x}, B: [qvxz], C: {file: qvxz}}, items: '${SHORT}', network: '${SHORT} ', fields: {id: '${SHORT}', author: '${SHORT}', time_unit: '${SHORT}'}, kinds: {a: '${SHORT}'}, only: '${SHORT}'}\n  d: {type: push, token_file: '${SHORT}'}\n  e: {type: jetstream, url: 'http://qvxz'}\nreceivers:\n  a: {type: webhook, url: 'qvxz', secret: {qvxz: 1}, headers: qvxz}\n  b: {type: stdout, format: '${SHORT}'}\nroutes:\n  - {severity: '${SHORT}', to: '${SHORT}', continue: '${SHORT}'}\n";
    let (config, faults) = read_all(text);
    assert!(config.is_none() && faults.len() > 30, "{faults:#?}");
    for fault in faults {
        assert!(!fault.contains("qvxz"), "{fault}");
    }
}

#[test]
fn hidden_keys_are_those_of_secrets() {
    for table in schema::tables(&keys::CONFIG) {
        for key in table.keys.iter().filter(|k| k.file().is_some()) {
            assert!(secrets::HIDDEN.contains(&key.name), "{} of {}", key.name, table.name);
        }
    }
}

#[test]
fn secrets_in_plain_text_are_warned_of() {
    let warnings = |source: &str| {
        let fields = "fields: {id: /i, author: /a, text: /t, time: /d}";
        let (c, w) = read_all(&format!("sources:\n  a: {{type: websocket, {fields}, {source}}}\n"));
        assert!(c.is_some(), "{w:?}");
        w
    };
    for source in [
        "url: 'ws://x.example/', headers: {A: b}",
        "url: 'ws://x.example/?${HOOK}'",
        "url: 'ws://192.168.0.1/', subscribe: ['${HOOK}']",
    ] {
        let w = warnings(source);
        assert!(
            w.len() == 1 && w[0].starts_with(":2:") && w[0].contains("warning: expected an encrypted"),
            "{source} {w:?}"
        );
    }
    for source in [
        "url: 'ws://x.example/'",
        "url: 'wss://x.example/', headers: {A: b}",
        "url: 'ws://127.0.0.1:5/', headers: {A: b}",
        "url: 'ws://[::1]:5/', headers: {A: b}",
        "url: 'ws://localhost/', headers: {A: b}",
    ] {
        assert_eq!(warnings(source), Vec::<String>::new(), "{source}");
    }
    let hook = |rest: &str| read_all(&format!("{SOURCES}receivers: {{a: {{type: webhook, {rest}}}}}\n")).1.len();
    assert_eq!(hook("url: 'http://x.example/', secret: x"), 1);
    assert_eq!(hook("url: 'http://x.example/', headers: {A: b}"), 1);
    assert_eq!(hook("url: 'http://x.example/${HOOK}'"), 1);
    assert_eq!(hook("url: 'http://x.example/'"), 0);
    assert_eq!(hook("url: 'https://x.example/', secret: x"), 0);
}

#[test]
fn receivers_that_get_nothing_are_warned_of() {
    let (c, w) =
        read_all(&format!("{SOURCES}receivers: {{a: {{type: stdout}}, b: {{type: stdout}}}}\nroutes: [{{to: a}}]\n"));
    assert!(c.is_some() && w.len() == 1 && w[0].contains("a route to receiver `b`, found none"), "{w:?}");
}

#[test]
fn names_in_routes_are_checked_against_rules() {
    let text = "brands: {acme: {query: acme}}\nrules:\n  - {alert: Loud, when: 'mentions[1h] > 1', severity: info}\n";
    let rules = RuleSet::load(&[SourceText { file: "r".into(), text: text.into() }]).unwrap().0;
    let with = |routes: &str| {
        let c = read_all(&format!("{SOURCES}routes: {routes}\n")).0.unwrap();
        check_names(&c, &rules).iter().map(Fault::to_string).collect::<Vec<_>>()
    };
    assert_eq!(with("[{alert: [Loud, SourceDown], brand: acme, to: stdout}]"), Vec::<String>::new());
    let w = with("[{alert: [Laud, Other], brand: acne, to: stdout}, {alert: Laud, to: stdout}]");
    assert_eq!(w.len(), 3, "{w:#?}");
    assert!(w[0].contains("warning: expected a rule of this name") && w[0].ends_with("did you mean `Loud`?"), "{w:#?}");
    assert!(w[1].contains("`Other`") && w[2].contains("did you mean `acme`?"), "{w:#?}");
}

#[test]
fn schemas_describe_every_key_and_allow_no_other() {
    for (root, most) in [(&keys::CONFIG, 10), (&crate::base::rule::keys::FILE, 6)] {
        let schema = schema::json_schema(root, "x", true);
        let definitions = schema["$defs"].as_object().unwrap();
        let tables = schema::tables(root);
        assert!(tables.len() >= most && definitions.len() + 1 == tables.len());
        for table in tables {
            let here = definitions.get(table.name).unwrap_or(&schema);
            assert_eq!(here["additionalProperties"], false, "{}", table.name);
            let properties = here["properties"].as_object().unwrap();
            let mut names: Vec<&str> = properties.keys().map(String::as_str).collect();
            let mut allowed = table.allowed();
            names.sort_unstable();
            allowed.sort_unstable();
            assert_eq!(names, allowed);
            for (name, property) in properties {
                assert!(property["description"].as_str().is_some_and(|d| d.len() > 10), "{name} of {}", table.name);
            }
            for key in table.keys.iter().filter(|k| k.is_needed() && k.file().is_none()) {
                assert!(
                    here["required"].as_array().unwrap().contains(&key.name.into()),
                    "{} of {}",
                    key.name,
                    table.name
                );
            }
        }
        // whatever is referred to is there
        let text = schema.to_string();
        for name in text.split("#/$defs/").skip(1).filter_map(|s| s.split('"').next()) {
            assert!(definitions.contains_key(name), "{name}");
        }
    }
}

#[test]
fn a_recording_is_a_file_or_a_folder_and_the_only_source() {
    let read = |text: &str| {
        let (config, faults) = read_all(&format!("sources: {{day: {{type: recording, {text}}}}}\n"));
        let source = config.unwrap_or_else(|| panic!("{faults:?}")).sources.remove(0);
        let SourceKind::Recording(recording) = source.kind else { panic!("no recording") };
        (source.info.format.clone(), recording.path.ends_with("key.txt"), recording.speed)
    };
    let (config, warnings) = read_all(PLAYED);
    assert!(config.unwrap().plays() && warnings.is_empty());
    assert_eq!(read("path: key.txt"), (WireFormat::Post, true, None));
    assert_eq!(read("path: key.txt, format: jetstream_v2, speed: full"), (WireFormat::JetstreamV2, true, None));
    assert_eq!(read("path: key.txt, format: jetstream, speed: 2.5"), (WireFormat::Jetstream, true, Some(2.5)));
    check(
        "sources:\n  a: {type: recording, path: none.ndjson}\n  b: {type: recording, speed: 0}\n  c: {type: recording, path: ., format: x}\n  d: {type: jetstream, hosts: [j.example]}\n",
        &[
            ("2:30", "expected a recording that can be read, found "),
            ("3:3", "expected no recording beside the recording `a`, found `b`"),
            ("3:3", "expected `path` in source `b`, found none"),
            ("3:31", "expected a number above 0 or `full` as the speed, found `0`"),
            ("4:3", "expected no recording beside the recording `a`, found `c`"),
            ("4:30", "expected a folder of recordings with manifest.json"),
            ("4:41", "expected a format, found `x`"),
            ("5:3", "expected no live source beside the recording `a`, found `d`"),
        ],
    );
    let sources = "sources: {a: {type: recording, path: '${PUSH_TOKEN}', speed: nan}}\n";
    check(sources, &[("1:38", "expected a recording, found none that can be read"), ("1:62", "found `nan`")]);
}

#[test]
fn a_store_is_beside_the_config_unless_it_is_said_where() {
    let store = |text: &str| read_all(&format!("{SOURCES}{text}")).0.unwrap().store;
    let usual = store("").unwrap();
    assert!(usual.path.is_absolute() && usual.path.ends_with("groundswell.db"));
    assert_eq!(usual, StoreConfig::new(usual.path.clone()));
    assert_eq!((usual.keep_log, usual.max_bytes), (Span::seconds(7 * 86_400), 10_000_000_000));
    assert_eq!((store("store: off\n"), Config::new(Vec::new()).store), (None, None));
    let partly = store("store: {keep: {ledger: 1d}, max_size: 2TiB}\n").unwrap();
    assert_eq!((partly.keep_log, partly.keep_ledger), (usual.keep_log, Span::seconds(86_400)));
    assert_eq!(partly.max_bytes, 2 << 40);
    check(
        "store:\n  path: ''\n  keep: {log: 4000d, archive: 5, ledgers: 1d}\n  max_size: 10\n",
        &[
            ("1:1", "expected `sources`"),
            ("2:9", "expected the path of a file"),
            ("3:15", "expected `log` as a duration up to 3650d, found `4000d`"),
            ("3:31", "expected `archive` as a duration up to 3650d, found `5`"),
            ("3:34", "ledgers"),
            ("4:13", "expected a size, found `10`"),
        ],
    );
    check(&format!("{SOURCES}store: on\n"), &[("2:8", "expected `off` or a mapping, found `on`")]);
    check(&format!("{SOURCES}store: {{max_size: 1MB}}\n"), &[("2:19", "at least 50 MB, found `1MB`")]);
    check(&format!("{SOURCES}store: [off]\n"), &[("2:8", "`store`")]);
}

#[test]
fn words_are_those_of_the_types() {
    assert_eq!(keys::SEVERITIES, Severity::ALL.map(Severity::name));
}

/// The reference in docs/operating.md is the one made of the tables.
#[test]
fn the_reference_holds_every_key() {
    let docs = include_str!("../../../docs/operating.md");
    let wanted = schema::markdown(&keys::CONFIG);
    if !docs.contains(&wanted) {
        println!("{wanted}");
    }
    assert!(docs.contains(&wanted), "docs/operating.md, section of the config: expected the tables above");
}
