//! The table of metrics: name, type, labels, help. Code refers to entries; nothing else is
//! exported.

/// Type of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, by Prometheus' rules.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its labels; values come from config or closed lists, never from posts.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

const fn metric(name: &'static str, kind: Kind, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind, labels, help }
}

/// Frames by source and outcome; outcomes sum to frames.
pub const FRAMES: Metric = metric(
    "groundswell_frames_total",
    Kind::Counter,
    &["source", "outcome"],
    "frames by the one outcome each of them had",
);
/// Entries that left the junction.
pub const ENTRIES: Metric = metric("groundswell_entries_total", Kind::Counter, &[], "entries numbered by the junction");
/// Changes of episodes.
pub const TRANSITIONS: Metric = metric(
    "groundswell_transitions_total",
    Kind::Counter,
    &["alert", "to", "severity"],
    "changes of episodes by rule, new phase and severity",
);
/// Connection attempts.
pub const CONNECTS: Metric =
    metric("groundswell_source_connects_total", Kind::Counter, &["source", "result"], "connection attempts by result");
/// Whether a source is connected.
pub const SOURCE_UP: Metric =
    metric("groundswell_source_up", Kind::Gauge, &["source"], "1 while the source is connected, else 0");
/// Seconds that were not heard and do not come again.
pub const GAP: Metric = metric(
    "groundswell_source_gap_seconds_total",
    Kind::Counter,
    &["source"],
    "time in which a source that cannot be resumed was lost",
);
/// Whether a source is heard.
pub const SOURCE_HEARD: Metric = metric(
    "groundswell_source_heard",
    Kind::Gauge,
    &["source"],
    "0 once the source was not heard for a minute: not connected, or far below its usual rate; else 1",
);
/// Frames a second.
pub const SOURCE_RATE: Metric = metric(
    "groundswell_source_frames_per_second",
    Kind::Gauge,
    &["source", "over"],
    "frames a second over the last five minutes, and as usual",
);
/// Reloads of rules and config.
pub const RELOADS: Metric = metric(
    "groundswell_reloads_total",
    Kind::Counter,
    &["result"],
    "files read again, by result: ok, unchanged or failed",
);
/// Whether the files are in force.
pub const RELOAD_OK: Metric = metric(
    "groundswell_last_reload_successful",
    Kind::Gauge,
    &[],
    "1 if what the files say is in force, 0 if the last reload found mistakes",
);
/// How long the engine stood still for other rules.
pub const RELOAD_PAUSE: Metric = metric(
    "groundswell_last_reload_pause_seconds",
    Kind::Gauge,
    &[],
    "how long the engine stood still when rules changed last",
);
/// What became of notices.
pub const NOTICES: Metric = metric(
    "groundswell_notices_total",
    Kind::Counter,
    &["receiver", "result"],
    "notices by receiver and result: delivered, retried, superseded, refused, dropped or expired",
);
/// Heartbeats.
pub const HEARTBEATS: Metric = metric(
    "groundswell_heartbeats_total",
    Kind::Counter,
    &["result"],
    "heartbeats: delivered, failed, or held back because something is wrong here",
);
/// Whether a receiver takes notices.
pub const RECEIVER_UP: Metric = metric(
    "groundswell_receiver_up",
    Kind::Gauge,
    &["receiver"],
    "1 if the last notice was delivered, 0 if it was not; absent before the first",
);
/// Event time of the last frame.
pub const LAST_EVENT: Metric = metric(
    "groundswell_source_last_event_timestamp_seconds",
    Kind::Gauge,
    &["source"],
    "event time of the last well-formed frame of the source",
);
/// Clock minus engine clock.
pub const LAG: Metric = metric(
    "groundswell_engine_lag_seconds",
    Kind::Gauge,
    &[],
    "the clock minus the time of the last event the engine has seen",
);
/// How far the machine's clock went back.
pub const CLOCK_BEHIND: Metric = metric(
    "groundswell_clock_behind_seconds",
    Kind::Gauge,
    &[],
    "how far this machine's clock is behind what was seen before; 0 while it is well",
);
/// Frames waiting for the engine.
pub const QUEUE: Metric =
    metric("groundswell_queue_frames", Kind::Gauge, &[], "frames that wait between the sources and the engine");
/// Limits hit.
pub const LIMIT_HITS: Metric = metric(
    "groundswell_limit_hits_total",
    Kind::Counter,
    &["limit"],
    "things forgotten or cut because a named limit was hit",
);
/// Open episodes.
pub const OPEN_EPISODES: Metric = metric(
    "groundswell_open_episodes",
    Kind::Gauge,
    &["severity"],
    "episodes that are firing or clearing, by severity",
);
/// Time a batch spends in a stage.
pub const STAGE: Metric =
    metric("groundswell_stage_seconds", Kind::Histogram, &["stage"], "time that a batch of frames spends in a stage");
/// Quantiles of the last minute.
pub const STAGE_QUANTILE: Metric = metric(
    "groundswell_stage_last_minute_seconds",
    Kind::Gauge,
    &["stage", "quantile"],
    "time that a batch of frames spent in a stage over the last minute, by quantile",
);
/// Whether everything is recorded.
pub const STORE_OK: Metric = metric(
    "groundswell_store_ok",
    Kind::Gauge,
    &[],
    "1 while what happens is recorded (or there is no store), 0 while the service goes on from memory",
);
/// Entries that wait for the store.
pub const STORE_PENDING: Metric =
    metric("groundswell_store_pending_entries", Kind::Gauge, &[], "entries that wait to be recorded");
/// Entries that could not be recorded.
pub const STORE_LOST: Metric = metric(
    "groundswell_store_lost_entries_total",
    Kind::Counter,
    &[],
    "entries let go of because the store could not be written for too long",
);
/// Transactions.
pub const COMMITS: Metric = metric("groundswell_store_commits_total", Kind::Counter, &[], "transactions written");
/// Entries in them.
pub const COMMITTED: Metric =
    metric("groundswell_store_committed_entries_total", Kind::Counter, &[], "entries recorded");
/// Size of the files.
pub const STORE_BYTES: Metric = metric("groundswell_store_bytes", Kind::Gauge, &["file"], "size of the store's files");
/// Snapshots.
pub const SNAPSHOTS: Metric = metric(
    "groundswell_store_snapshots_total",
    Kind::Counter,
    &["result"],
    "snapshots made beside the service; `disagrees`: the log did not give what was decided",
);
/// Incidents that go on.
pub const INCIDENTS_OPEN: Metric =
    metric("groundswell_incidents_open", Kind::Gauge, &["severity"], "incidents that go on, by severity");
/// Silences that hold.
pub const SILENCES: Metric = metric("groundswell_silences", Kind::Gauge, &[], "silences that hold");
/// Letters that were given up.
pub const DEAD_LETTERS: Metric =
    metric("groundswell_dead_letters", Kind::Gauge, &[], "messages in the outbox that are not sent any more");
/// What people ordered.
pub const ORDERS: Metric = metric(
    "groundswell_orders_total",
    Kind::Counter,
    &["order", "result"],
    "what people ordered, by kind: acknowledge, claim, close, silence, unsilence, test, retry, drop; and done, refused or later",
);
/// What is running.
pub const BUILD: Metric =
    metric("groundswell_build_info", Kind::Gauge, &["version"], "always 1; the version that is running");

/// All metrics.
pub const ALL: &[Metric] = &[
    FRAMES,
    ENTRIES,
    TRANSITIONS,
    CONNECTS,
    SOURCE_UP,
    GAP,
    SOURCE_HEARD,
    SOURCE_RATE,
    RELOADS,
    RELOAD_OK,
    RELOAD_PAUSE,
    NOTICES,
    HEARTBEATS,
    RECEIVER_UP,
    LAST_EVENT,
    LAG,
    CLOCK_BEHIND,
    QUEUE,
    LIMIT_HITS,
    OPEN_EPISODES,
    STAGE,
    STAGE_QUANTILE,
    STORE_OK,
    STORE_PENDING,
    STORE_LOST,
    COMMITS,
    COMMITTED,
    STORE_BYTES,
    SNAPSHOTS,
    INCIDENTS_OPEN,
    SILENCES,
    DEAD_LETTERS,
    ORDERS,
    BUILD,
];

/// Stages whose time is taken, in the order of the flow; `receive_to_transition` spans them up to the
/// decision, `receive_to_committed` up to where it is on disk.
pub const STAGES: &[&str] = &["front", "junction", "back", "receive_to_transition", "commit", "receive_to_committed"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for m in ALL {
            assert!(m.name.starts_with("groundswell_"), "{}", m.name);
            assert_eq!(m.name.ends_with("_total"), m.kind == Kind::Counter, "{}", m.name);
            assert_eq!(ALL.iter().filter(|o| o.name == m.name).count(), 1, "{}", m.name);
            assert!(m.labels.iter().all(|l| !["author", "text", "id"].contains(l)), "{}", m.name);
        }
    }
}
