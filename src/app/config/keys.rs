//! The keys of `groundswell.yaml`, mapping by mapping.

use crate::base::keys::Kind::{
    Address, Either, List, Many, Named, Pointer, Secret, Size, Span, Switch, Table as Mapping, Text, Typed, Word,
};
use crate::base::keys::{Key, Kind, NEEDED, Table, key};

/// Names of sources, receivers and tokens.
pub(super) const NAME: &str = "^[A-Za-z0-9._-]{1,60}$";
const HEADER: &str = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
const POINTER: &str = "^/";
/// What sources and receivers may be.
pub(super) const SOURCES: &[(&str, &Table)] =
    &[("jetstream", &JETSTREAM), ("websocket", &WEBSOCKET), ("push", &PUSH), ("recording", &RECORDING)];
pub(super) const RECEIVERS: &[(&str, &Table)] = &[
    ("email", &EMAIL),
    ("slack", &SLACK),
    ("pagerduty", &PAGERDUTY),
    ("alertmanager", &ALERTMANAGER),
    ("webhook", &WEBHOOK),
    ("stdout", &STDOUT),
];
pub(super) const TLS: &[&str] = &["starttls", "tls", "none"];
pub(super) const FORMS: &[&str] = &["text", "json"];
pub(super) const FORMATS: &[&str] = &["jetstream", "jetstream_v2", "post"];
pub(super) const PROTOCOLS: &[&str] = &["v1", "v2"];
pub(super) const RIGHTS: &[&str] = &["read", "act", "admin"];
pub(super) const SEVERITIES: &[&str] = &["info", "warn", "page"];
pub(super) const UNITS: &[&str] = &["ms", "s", "us"];
pub(super) const POST_KINDS: &[&str] = &["post", "reply", "quote", "repost", "edit", "delete"];

const TEXTS: Kind = Many(&Text);
const HEADERS: Kind = Named(HEADER, &Either(&[Text, Mapping(&HEADER_FILE)]));

/// The whole file.
pub const CONFIG: Table = Table {
    name: "config",
    title: "at the top",
    keys: &[
        key("version", Word(&["1"]), "1", "of this format"),
        key("rules", TEXTS, "`rules`", "rule files and folders, relative to the config"),
        key(
            "listen",
            Address,
            "127.0.0.1:9464",
            "where metrics, health and the API are served; other machines may reach it only if there are `tokens`",
        ),
        key("tokens", Named(NAME, &Mapping(&TOKEN)), "none", "who may ask the API, by name"),
        key("external_url", Text, "none", "where people reach this service, for links in messages"),
        key("timezone", Text, "UTC", "IANA name of the time zone of messages, for example Europe/Berlin"),
        key(
            "retention",
            Span,
            "0",
            "least time posts are kept, so that rules added later start warm; 0: as long as rules ask",
        ),
        key("blind_spots", TEXTS, "none", "networks you know you do not watch; shown in every page"),
        key("log", Word(FORMS), "text", "form of the log on standard error"),
        key(
            "store",
            Either(&[Mapping(&STORE), Word(&["off"])]),
            "`groundswell.db` beside the config",
            "where the service keeps what must outlive it; `off` for nowhere: a restart then forgets everything",
        ),
        key("sources", Named(NAME, &Typed(SOURCES)), NEEDED, "where posts come from, by name"),
        key("receivers", Named(NAME, &Typed(RECEIVERS)), "standard output, as text", "where notices go, by name"),
        key(
            "routes",
            List(&ROUTE),
            "everything to every receiver",
            "which notices go where, in this order; a notice ends at the first route that takes it, unless that says `continue`; what none takes goes to every receiver",
        ),
        key("inhibit", List(&INHIBIT), "none", "what keeps people from being told of other things while it goes on"),
        key(
            "heartbeat",
            Mapping(&HEARTBEAT),
            "none",
            "a URL that is called as long as all is well, so that silence is noticed",
        ),
    ],
};

/// A token.
pub(super) const TOKEN: Table = Table {
    name: "token",
    title: "of one of `tokens`",
    keys: &[
        key("token", Secret("token_file"), NEEDED, "at least 16 characters, sent as `Authorization: Bearer TOKEN`"),
        key(
            "may",
            Many(&Word(RIGHTS)),
            "read",
            "`read`: GET /v1/...; `act`: that, and incidents, silences, the outbox and trials; `admin`: all that and reload",
        ),
    ],
};

/// The durable store.
pub(super) const STORE: Table = Table {
    name: "store",
    title: "of `store`",
    keys: &[
        key("path", Text, "groundswell.db", "the store's file, relative to the config"),
        key("keep", Mapping(&KEEP), "see below", "how long what is stored is kept"),
        key("max_size", Size, "10GB", "most that its files may take: 500MB, 10GB, 2TiB; what is oldest goes first"),
    ],
};

/// How long what is stored is kept.
pub(super) const KEEP: Table = Table {
    name: "keep",
    title: "of `keep`, each up to 3650d",
    keys: &[
        key("log", Span, "7d", "the log of all that the rules were told, beyond what a start needs"),
        key("archive", Span, "90d", "posts, to be looked up"),
        key("ledger", Span, "400d", "what was told to whom"),
    ],
};

/// A Jetstream source.
pub(super) const JETSTREAM: Table = Table {
    name: "jetstream",
    title: "of a source of `type: jetstream` (Bluesky)",
    keys: &[
        key("type", Word(&["jetstream"]), NEEDED, "kind of source"),
        key(
            "hosts",
            TEXTS,
            "needed, or `url`",
            "servers in order of preference: a host name, or a full ws:// or wss:// URL",
        ),
        key("url", Text, "none", "one full URL, instead of `hosts`"),
        key("protocol", Word(PROTOCOLS), "v1", "protocol of these servers"),
        key("compress", Switch, "true", "ask for compressed frames (zstd with Jetstream's dictionary)"),
        key(
            "audience",
            Either(&[Text, Word(&["off"])]),
            "the public AppView",
            "URL where followers are asked for; `off` for nowhere",
        ),
        key("ca", Text, "none", "PEM file of authorities to trust beside the well-known ones"),
    ],
};

/// A WebSocket source.
pub(super) const WEBSOCKET: Table = Table {
    name: "websocket",
    title: "of a source of `type: websocket` (any JSON)",
    keys: &[
        key("type", Word(&["websocket"]), NEEDED, "kind of source"),
        key("url", Text, NEEDED, "ws:// or wss://"),
        key("headers", HEADERS, "none", "headers of the request, each a text or `{file: PATH}`"),
        key("subscribe", TEXTS, "none", "messages to send once it is open"),
        key("items", Pointer, "the whole message", "JSON pointer to the post, or the list of posts, in a message"),
        key("network", Text, "the source's name", "`source` of its posts"),
        key("fields", Mapping(&FIELDS), NEEDED, "where the fields of a post stand"),
        key("kinds", Named("", &Word(POST_KINDS)), "none", "what the source's words for `kind` mean"),
        key(
            "only",
            Named(POINTER, &TEXTS),
            "all",
            "JSON pointers with the texts that must stand there; other messages are ignored",
        ),
        key("ca", Text, "none", "PEM file of authorities to trust beside the well-known ones"),
    ],
};

/// Places of fields.
pub(super) const FIELDS: Table = Table {
    name: "fields",
    title: "of `fields`, each a JSON pointer such as `/user/id`",
    keys: &[
        key("id", Pointer, NEEDED, "the post's id"),
        key("author", Pointer, NEEDED, "the account's id"),
        key("text", Pointer, NEEDED, "the text"),
        key("time", Pointer, NEEDED, "when: RFC 3339 or a number"),
        key("time_unit", Word(UNITS), "ms", "what a number as a time counts since 1970"),
        key("author_name", Pointer, "none", "the account's name for people"),
        key("followers", Pointer, "none", "the account's followers"),
        key("lang", Pointer, "none", "the language's tag"),
        key("kind", Pointer, "none", "post, reply, quote, repost, edit or delete, or a word of `kinds`"),
        key("parent", Pointer, "none", "id of what it answers, quotes or repeats"),
        key("root", Pointer, "none", "id of the first post of its thread"),
        key("url", Pointer, "none", "where people see it"),
        key("links", Pointer, "none", "links in it: a text or a list of texts"),
    ],
};

/// A push source.
pub(super) const PUSH: Table = Table {
    name: "push",
    title: "of a source of `type: push` (posts are sent to this service)",
    keys: &[
        key("type", Word(&["push"]), NEEDED, "kind of source"),
        key(
            "token",
            Secret("token_file"),
            NEEDED,
            "at least 16 characters; who sends posts shows it as `Authorization: Bearer TOKEN`",
        ),
    ],
};

/// A recording.
pub(super) const RECORDING: Table = Table {
    name: "recording",
    title: "of a source of `type: recording` (frames of a file; it must be the only source)",
    keys: &[
        key("type", Word(&["recording"]), NEEDED, "kind of source"),
        key(
            "path",
            Text,
            NEEDED,
            "a file with a frame a line, plain, .gz or .zst, or a folder that `groundswell record` wrote; relative to the config",
        ),
        key("format", Word(FORMATS), "told by the first lines, or the folder", "what a line holds"),
        key(
            "speed",
            Either(&[Text, Word(&["full"])]),
            "full",
            "times as fast as it was recorded, by the times of its frames: 1, 60; `full` as fast as it can be read",
        ),
    ],
};

/// Standard output.
pub(super) const STDOUT: Table = Table {
    name: "stdout",
    title: "of a receiver of `type: stdout`",
    keys: &[
        key("type", Word(&["stdout"]), NEEDED, "kind of receiver"),
        key("format", Word(FORMS), "text", "`text` for people, `json` for every transition as a line"),
        QUIET_HOURS,
        DIGEST,
        REPEAT_OFF,
        DAILY_TEST,
        TIMEZONE,
    ],
};

/// A webhook.
pub(super) const WEBHOOK: Table = Table {
    name: "webhook",
    title: "of a receiver of `type: webhook`",
    keys: &[
        key("type", Word(&["webhook"]), NEEDED, "kind of receiver"),
        key("url", Secret("url_file"), NEEDED, "where notices are posted: https:// or http://"),
        key("secret", Secret("secret_file"), "none", "key of the signature, so that who receives can tell it is ours"),
        key("headers", HEADERS, "none", "headers of the request, each a text or `{file: PATH}`"),
        key("ca", Text, "none", "PEM file of authorities to trust beside the well-known ones"),
        DAILY_TEST,
    ],
};

/// A mailbox.
pub(super) const EMAIL: Table = Table {
    name: "email",
    title: "of a receiver of `type: email`",
    keys: &[
        key("type", Word(&["email"]), NEEDED, "kind of receiver"),
        key("host", Text, NEEDED, "the mail server"),
        key("port", Text, "587, 465 for `tls: tls`, 25 for `tls: none`", "its port"),
        key(
            "tls",
            Word(TLS),
            "starttls",
            "`starttls`: refused where the server does not offer it; `tls` from the first byte; `none`",
        ),
        key("user", Text, "none", "who logs in"),
        key("password", Secret("password_file"), "none", "its password"),
        key("from", Text, NEEDED, "address mails come from, may have a name: `groundswell <alerts@example.com>`"),
        key("to", TEXTS, NEEDED, "addresses they go to"),
        CA,
        QUIET_HOURS,
        DIGEST,
        REPEAT_HOURLY,
        DAILY_TEST,
        TIMEZONE,
    ],
};

/// Slack.
pub(super) const SLACK: Table = Table {
    name: "slack",
    title: "of a receiver of `type: slack`",
    keys: &[
        key("type", Word(&["slack"]), NEEDED, "kind of receiver"),
        key("url", Secret("url_file"), "needed, or `token`", "an incoming webhook: every message is a new one"),
        key(
            "token",
            Secret("token_file"),
            "needed, or `url`",
            "of a bot with the scope chat:write: one message an incident, edited in place",
        ),
        key("channel", Text, "needed with `token`", "the channel's id"),
        key("api", Text, "https://slack.com/api", "where the methods are"),
        CA,
        QUIET_HOURS,
        DIGEST,
        REPEAT_HOURLY,
        DAILY_TEST,
        TIMEZONE,
    ],
};

/// PagerDuty.
pub(super) const PAGERDUTY: Table = Table {
    name: "pagerduty",
    title: "of a receiver of `type: pagerduty`",
    keys: &[
        key("type", Word(&["pagerduty"]), NEEDED, "kind of receiver"),
        key("routing_key", Secret("routing_key_file"), NEEDED, "of an integration with the Events API v2"),
        key("url", Text, "https://events.pagerduty.com/v2/enqueue", "where events are posted"),
        key(
            "webhook_secret",
            Secret("webhook_secret_file"),
            "none",
            "of a V3 webhook that points at /v1/pagerduty/NAME here: who acknowledges there acknowledges here",
        ),
        CA,
        QUIET_HOURS,
        DAILY_TEST,
        TIMEZONE,
    ],
};

/// Alertmanager.
pub(super) const ALERTMANAGER: Table = Table {
    name: "alertmanager",
    title: "of a receiver of `type: alertmanager`",
    keys: &[
        key("type", Word(&["alertmanager"]), NEEDED, "kind of receiver"),
        key("urls", TEXTS, NEEDED, "every replica, without /api/v2/alerts"),
        key("user", Text, "none", "who logs in"),
        key("password", Secret("password_file"), "none", "its password"),
        key("token", Secret("token_file"), "none", "shown as `Authorization: Bearer TOKEN`"),
        CA,
        DAILY_TEST,
        TIMEZONE,
    ],
};

const CA: Key = key("ca", Text, "none", "PEM file of authorities to trust beside the well-known ones");
const REPEAT_HOURLY: Key = repeat("1h");
const QUIET_HOURS: Key =
    key("quiet_hours", Text, "none", "hours of the day, like 22:00-07:00, in which only pages come through");
const DIGEST: Key =
    key("digest", Text, "none", "time of the day, like '08:00', at which all comes at once that is no page");
const REPEAT_OFF: Key = repeat("off");
const DAILY_TEST: Key =
    key("daily_test", Text, "none", "time of the day, like '09:00', at which a trial proves that it works");
const TIMEZONE: Key = key("timezone", Text, "that of the config", "IANA name of its time zone");

/// How often it is told again.
const fn repeat(default: &'static str) -> Key {
    key(
        "repeat",
        Either(&[Span, Word(&["off"])]),
        default,
        "how often it is told again of what goes on and nobody has taken; at least 1m, or `off`",
    )
}

/// Conditions on a message.
pub(super) const MATCH: Table =
    Table { name: "match", title: "of `when` and `quiet`", keys: &[SEVERITY, ALERT, BRAND, LABELS] };

const SEVERITY: Key = key("severity", Word(SEVERITIES), "all", "least severity it takes");
const ALERT: Key = key("alert", TEXTS, "all", "rules it takes, by name");
const BRAND: Key = key("brand", TEXTS, "all", "brands and groups it takes, by key");
const LABELS: Key = key("labels", Named("", &Text), "all", "labels the brand's groups must have");
const TO: Key = key("to", TEXTS, NEEDED, "receivers, by name");
const THEN: Key =
    key("then", TEXTS, "none", "receivers told in turn if one of `to` does not take a page within a minute");
const GROUP_WAIT: Key = key("group_wait", Span, "30s", "how long what is no page waits for more of the same");
const CONTINUE: Key = key("continue", Switch, "false", "ask the routes behind it too");

/// What keeps what quiet.
pub(super) const INHIBIT: Table = Table {
    name: "inhibit",
    title: "of one of `inhibit`",
    keys: &[
        key("when", Mapping(&MATCH), NEEDED, "while something goes on that meets this"),
        key("quiet", Mapping(&MATCH), NEEDED, "nobody is told of what meets this"),
        key("same_brand", Switch, "true", "only where both are of one brand, or a brand and its group"),
    ],
};

/// A URL that is called as long as all is well.
pub(super) const HEARTBEAT: Table = Table {
    name: "heartbeat",
    title: "of `heartbeat`",
    keys: &[
        key(
            "url",
            Secret("url_file"),
            NEEDED,
            "called with POST while sources are heard, the engine keeps up and the outbox can be written",
        ),
        key("every", Span, "60s", "how often; at least 10s"),
    ],
};

/// A route within a branch.
pub(super) const LEAF: Table = Table {
    name: "leaf",
    title: "of one of `routes` of a branch",
    keys: &[SEVERITY, ALERT, BRAND, LABELS, TO, THEN, GROUP_WAIT, CONTINUE],
};

/// A route within a route.
pub(super) const BRANCH: Table = Table {
    name: "branch",
    title: "of one of `routes` of a route",
    keys: &[
        SEVERITY,
        ALERT,
        BRAND,
        LABELS,
        TO,
        THEN,
        GROUP_WAIT,
        CONTINUE,
        key("routes", List(&LEAF), "none", "where parts of it go"),
    ],
};

/// One route.
pub(super) const ROUTE: Table = Table {
    name: "route",
    title: "of one of `routes`",
    keys: &[
        SEVERITY,
        ALERT,
        BRAND,
        LABELS,
        TO,
        THEN,
        GROUP_WAIT,
        CONTINUE,
        key(
            "routes",
            List(&BRANCH),
            "none",
            "where parts of it go; the first that takes a message decides instead of this one",
        ),
    ],
};

/// A header's value in a file.
pub(super) const HEADER_FILE: Table = Table {
    name: "header_file",
    title: "of a header whose value stands in a file",
    keys: &[key("file", Text, NEEDED, "path, relative to the config; the newline at its end is left out")],
};
