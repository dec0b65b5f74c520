//! The metrics, one by one.

use super::{Kind, Metric, Queue, Stage, Unit};
use crate::base::limits;

const STAGES: usize = Stage::ALL.len();
const QUEUES: usize = Queue::ALL.len();

// frames: what comes in

/// Frames by the one outcome each of them had.
pub const FRAMES: Metric = Metric {
    name: "groundswell_frames_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["source", "outcome"],
    most: limits::SOURCES * 16,
    help: "frames by the one outcome each of them had",
};
/// Entries numbered by the junction.
pub const ENTRIES: Metric = Metric {
    name: "groundswell_entries_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "entries numbered by the junction",
};
/// Connection attempts by result: ok or failed.
pub const CONNECTS: Metric = Metric {
    name: "groundswell_source_connects_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["source", "result"],
    most: limits::SOURCES * 2,
    help: "connection attempts by result: ok or failed",
};
/// 1 while the source is connected, else 0.
pub const SOURCE_UP: Metric = Metric {
    name: "groundswell_source_up",
    kind: Kind::Gauge,
    unit: Unit::Flag,
    labels: &["source"],
    most: limits::SOURCES,
    help: "1 while the source is connected, else 0",
};
/// 0 once the source was not heard for a minute: not connected, or far below its usual rate; else 1.
pub const SOURCE_HEARD: Metric = Metric {
    name: "groundswell_source_heard",
    kind: Kind::Gauge,
    unit: Unit::Flag,
    labels: &["source"],
    most: limits::SOURCES,
    help: "0 once the source was not heard for a minute: not connected, or far below its usual rate; else 1",
};
/// Frames a second over the last five minutes (now), and as usual.
pub const SOURCE_RATE: Metric = Metric {
    name: "groundswell_source_frames_per_second",
    kind: Kind::Gauge,
    unit: Unit::PerSecond,
    labels: &["source", "over"],
    most: limits::SOURCES * 2,
    help: "frames a second over the last five minutes (now), and as usual",
};
/// Time in which a source that cannot be resumed was lost.
pub const GAP: Metric = Metric {
    name: "groundswell_source_gap_seconds_total",
    kind: Kind::Counter,
    unit: Unit::Seconds,
    labels: &["source"],
    most: limits::SOURCES,
    help: "time in which a source that cannot be resumed was lost",
};
/// Event time of the last well-formed frame of the source.
pub const LAST_EVENT: Metric = Metric {
    name: "groundswell_source_last_event_timestamp_seconds",
    kind: Kind::Gauge,
    unit: Unit::Timestamp,
    labels: &["source"],
    most: limits::SOURCES,
    help: "event time of the last well-formed frame of the source",
};
// stages

/// What went into a stage; what came out and what is in flight sum to it.
pub const STAGE_IN: Metric = Metric {
    name: "groundswell_stage_in_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["stage"],
    most: STAGES,
    help: "what went into a stage; what came out and what is in flight sum to it",
};
/// What came out of a stage, by outcome.
pub const STAGE_OUT: Metric = Metric {
    name: "groundswell_stage_out_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["stage", "outcome"],
    most: STAGES * 8,
    help: "what came out of a stage, by outcome",
};
/// What is in a stage now.
pub const IN_FLIGHT: Metric = Metric {
    name: "groundswell_stage_in_flight",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &["stage"],
    most: STAGES,
    help: "what is in a stage now",
};
/// What waits in a queue between stages.
pub const QUEUE: Metric = Metric {
    name: "groundswell_queue_items",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &["queue"],
    most: QUEUES,
    help: "what waits in a queue between stages",
};
/// What a queue holds at most; then whoever fills it waits, or the oldest is dropped and counted.
pub const QUEUE_LIMIT: Metric = Metric {
    name: "groundswell_queue_limit_items",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &["queue"],
    most: QUEUES,
    help: "what a queue holds at most; then whoever fills it waits, or the oldest is dropped and counted",
};
/// Time that a batch spends in a stage.
pub const STAGE: Metric = Metric {
    name: "groundswell_stage_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    labels: &["stage"],
    most: STAGES,
    help: "time that a batch spends in a stage",
};
/// Time spent in a stage over the last minute, by quantile; independent of scrapes.
pub const STAGE_QUANTILE: Metric = Metric {
    name: "groundswell_stage_last_minute_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    labels: &["stage", "quantile"],
    most: STAGES * 5,
    help: "time spent in a stage over the last minute, by quantile; independent of scrapes",
};
/// From receiving what caused a change of an episode to its messages being in the outbox, on disk.
pub const TO_OUTBOX: Metric = Metric {
    name: "groundswell_receive_to_outbox_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    labels: &[],
    most: 1,
    help: "from receiving what caused a change of an episode to its messages being in the outbox, on disk",
};
// the engine

/// The clock minus the time of the last event the engine has seen.
pub const LAG: Metric = Metric {
    name: "groundswell_engine_lag_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    labels: &[],
    most: 1,
    help: "the clock minus the time of the last event the engine has seen",
};
/// The clock of the service; in the demo and where a recording is played, not that of the machine.
pub const CLOCK: Metric = Metric {
    name: "groundswell_clock_timestamp_seconds",
    kind: Kind::Gauge,
    unit: Unit::Timestamp,
    labels: &[],
    most: 1,
    help: "the clock of the service; in the demo and where a recording is played, not that of the machine",
};
/// How far this machine's clock is behind what was seen before; 0 while it is well.
pub const CLOCK_BEHIND: Metric = Metric {
    name: "groundswell_clock_behind_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    labels: &[],
    most: 1,
    help: "how far this machine's clock is behind what was seen before; 0 while it is well",
};
/// Posts kept for windows; those of several brands counted for each.
pub const POSTS_KEPT: Metric = Metric {
    name: "groundswell_posts_kept",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "posts kept for windows; those of several brands counted for each",
};
/// Things forgotten or cut because a named limit was hit.
pub const LIMIT_HITS: Metric = Metric {
    name: "groundswell_limit_hits_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["limit"],
    most: limits::METRIC_WORDS,
    help: "things forgotten or cut because a named limit was hit",
};
/// Changes of episodes by rule, new phase and severity.
pub const TRANSITIONS: Metric = Metric {
    name: "groundswell_transitions_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["alert", "to", "severity"],
    most: limits::METRIC_ALERTS * 8,
    help: "changes of episodes by rule, new phase and severity",
};
/// Episodes that are firing or clearing, by severity.
pub const OPEN_EPISODES: Metric = Metric {
    name: "groundswell_open_episodes",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &["severity"],
    most: 3,
    help: "episodes that are firing or clearing, by severity",
};
/// Files read again, by result: ok, unchanged or failed.
pub const RELOADS: Metric = Metric {
    name: "groundswell_reloads_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["result"],
    most: 3,
    help: "files read again, by result: ok, unchanged or failed",
};
/// 1 if what the files say is in force, 0 if the last reload found mistakes.
pub const RELOAD_OK: Metric = Metric {
    name: "groundswell_last_reload_successful",
    kind: Kind::Gauge,
    unit: Unit::Flag,
    labels: &[],
    most: 1,
    help: "1 if what the files say is in force, 0 if the last reload found mistakes",
};
/// How long the engine stood still when rules changed last.
pub const RELOAD_PAUSE: Metric = Metric {
    name: "groundswell_last_reload_pause_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    labels: &[],
    most: 1,
    help: "how long the engine stood still when rules changed last",
};
/// Always 1; the version that is running.
pub const BUILD: Metric = Metric {
    name: "groundswell_build_info",
    kind: Kind::Gauge,
    unit: Unit::Flag,
    labels: &["version"],
    most: 1,
    help: "always 1; the version that is running",
};
// brands and groups of brands

/// Mentions of a brand by tone.
pub const MENTIONS: Metric = Metric {
    name: "groundswell_brand_mentions_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["brand", "tone"],
    most: limits::METRIC_BRANDS * 4,
    help: "mentions of a brand by tone",
};
/// Mentions of a brand by the source they came from.
pub const SOURCE_MENTIONS: Metric = Metric {
    name: "groundswell_brand_source_mentions_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["brand", "source"],
    most: limits::METRIC_BRANDS * 4,
    help: "mentions of a brand by the source they came from",
};
/// Hostile texts about a brand by what they complain of; one text can name several causes.
pub const CAUSE_TEXTS: Metric = Metric {
    name: "groundswell_brand_cause_texts_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["brand", "cause"],
    most: limits::METRIC_BRANDS * 9,
    help: "hostile texts about a brand by what they complain of; one text can name several causes",
};
/// Share of negative among the mentions of the last hour whose tone is known; absent where there are none.
pub const NEGATIVE_SHARE: Metric = Metric {
    name: "groundswell_brand_negative_share_ratio",
    kind: Kind::Gauge,
    unit: Unit::Share,
    labels: &["brand"],
    most: limits::METRIC_BRANDS,
    help: "share of negative among the mentions of the last hour whose tone is known; absent where there are none",
};
/// Distinct accounts that mentioned a brand within the last hour.
pub const AUTHORS: Metric = Metric {
    name: "groundswell_brand_authors",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &["brand"],
    most: limits::METRIC_BRANDS,
    help: "distinct accounts that mentioned a brand within the last hour",
};
/// Hostile reach over the last 5m and 1h: impressions weighed by negativity, each account once.
pub const HOSTILE_REACH: Metric = Metric {
    name: "groundswell_brand_hostile_reach_impressions",
    kind: Kind::Gauge,
    unit: Unit::Impressions,
    labels: &["brand", "window"],
    most: limits::METRIC_BRANDS * 2,
    help: "hostile reach over the last 5m and 1h: impressions weighed by negativity, each account once",
};
/// Hostile reach of an hour in the past week: the mean, and between what four of five hours lie (low, high); absent before six hours are known.
pub const USUAL: Metric = Metric {
    name: "groundswell_brand_usual_hostile_reach_impressions",
    kind: Kind::Gauge,
    unit: Unit::Impressions,
    labels: &["brand", "edge"],
    most: limits::METRIC_BRANDS * 3,
    help: "hostile reach of an hour in the past week: the mean, and between what four of five hours lie (low, high); absent before six hours are known",
};
/// Hostile reach now against what is usual at this hour; absent while the brand is learned.
pub const LIFT: Metric = Metric {
    name: "groundswell_brand_lift_ratio",
    kind: Kind::Gauge,
    unit: Unit::Times,
    labels: &["brand"],
    most: limits::METRIC_BRANDS,
    help: "hostile reach now against what is usual at this hour; absent while the brand is learned",
};
/// How rarely hostile reach is as high as now: once in so many seconds; absent while the brand is learned.
pub const RARITY: Metric = Metric {
    name: "groundswell_brand_rarity_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    labels: &["brand"],
    most: limits::METRIC_BRANDS,
    help: "how rarely hostile reach is as high as now: once in so many seconds; absent while the brand is learned",
};
/// Episodes of a brand that are firing or clearing, by severity.
pub const BRAND_EPISODES: Metric = Metric {
    name: "groundswell_brand_open_episodes",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &["brand", "severity"],
    most: limits::METRIC_BRANDS * 3,
    help: "episodes of a brand that are firing or clearing, by severity",
};
/// Median time from the first mention in a story to the first own answer, over stories answered within the last day and since the start; absent where there are none.
pub const RESPONSE: Metric = Metric {
    name: "groundswell_brand_response_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    labels: &["brand"],
    most: limits::METRIC_BRANDS,
    help: "median time from the first mention in a story to the first own answer, over stories answered within the last day and since the start; absent where there are none",
};
/// Share of the accounts of the last hour whose audience is known; absent where there are none.
pub const KNOWN_SHARE: Metric = Metric {
    name: "groundswell_brand_known_share_ratio",
    kind: Kind::Gauge,
    unit: Unit::Share,
    labels: &["brand"],
    most: limits::METRIC_BRANDS,
    help: "share of the accounts of the last hour whose audience is known; absent where there are none",
};
/// Brands and groups that have no metrics of their own because there are too many.
pub const BRANDS_LEFT_OUT: Metric = Metric {
    name: "groundswell_brands_left_out",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "brands and groups that have no metrics of their own because there are too many",
};
// incidents

/// Incidents that go on, by severity.
pub const INCIDENTS_OPEN: Metric = Metric {
    name: "groundswell_incidents_open",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &["severity"],
    most: 3,
    help: "incidents that go on, by severity",
};
/// Since when the oldest incident of a brand goes on, by severity; absent where none does.
pub const INCIDENT_OPEN: Metric = Metric {
    name: "groundswell_incident_open_since_timestamp_seconds",
    kind: Kind::Gauge,
    unit: Unit::Timestamp,
    labels: &["brand", "severity"],
    most: limits::INCIDENTS,
    help: "since when the oldest incident of a brand goes on, by severity; absent where none does",
};
/// From the opening of an incident to the first time somebody acknowledged, claimed or closed it, by the rule that opened it.
pub const ACKNOWLEDGED: Metric = Metric {
    name: "groundswell_incident_acknowledge_seconds",
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    labels: &["alert"],
    most: limits::METRIC_ALERTS,
    help: "from the opening of an incident to the first time somebody acknowledged, claimed or closed it, by the rule that opened it",
};
/// Incidents that somebody closed, by the rule that opened them and what it was: real, false_alarm or unsaid.
pub const VERDICTS: Metric = Metric {
    name: "groundswell_incident_verdicts_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["alert", "verdict"],
    most: limits::METRIC_ALERTS * 3,
    help: "incidents that somebody closed, by the rule that opened them and what it was: real, false_alarm or unsaid",
};
/// Silences that hold.
pub const SILENCES: Metric = Metric {
    name: "groundswell_silences",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "silences that hold",
};
/// What people ordered, by kind and result: done, refused or later.
pub const ORDERS: Metric = Metric {
    name: "groundswell_orders_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["order", "result"],
    most: 24,
    help: "what people ordered, by kind and result: done, refused or later",
};
// telling people

/// Messages put into the outbox for a receiver.
pub const LETTERS: Metric = Metric {
    name: "groundswell_letters_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["receiver"],
    most: limits::METRIC_RECEIVERS,
    help: "messages put into the outbox for a receiver",
};
/// Tries to deliver, by result: delivered, retried, superseded, refused, dropped or expired.
pub const NOTICES: Metric = Metric {
    name: "groundswell_notices_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["receiver", "result"],
    most: limits::METRIC_RECEIVERS * 6,
    help: "tries to deliver, by result: delivered, retried, superseded, refused, dropped or expired",
};
/// Messages that wait to be taken by a receiver.
pub const OUTBOX_WAITING: Metric = Metric {
    name: "groundswell_outbox_undelivered",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &["receiver"],
    most: limits::METRIC_RECEIVERS,
    help: "messages that wait to be taken by a receiver",
};
/// How long the oldest message has waited for a receiver; 0 where none waits.
pub const OUTBOX_OLDEST: Metric = Metric {
    name: "groundswell_outbox_oldest_undelivered_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    labels: &["receiver"],
    most: limits::METRIC_RECEIVERS,
    help: "how long the oldest message has waited for a receiver; 0 where none waits",
};
/// 1 if the last notice was delivered, 0 if it was not; absent before the first.
pub const RECEIVER_UP: Metric = Metric {
    name: "groundswell_receiver_up",
    kind: Kind::Gauge,
    unit: Unit::Flag,
    labels: &["receiver"],
    most: limits::METRIC_RECEIVERS,
    help: "1 if the last notice was delivered, 0 if it was not; absent before the first",
};
/// When the receiver took a message last; absent before the first.
pub const RECEIVER_PROVED: Metric = Metric {
    name: "groundswell_receiver_last_delivery_timestamp_seconds",
    kind: Kind::Gauge,
    unit: Unit::Timestamp,
    labels: &["receiver"],
    most: limits::METRIC_RECEIVERS,
    help: "when the receiver took a message last; absent before the first",
};
/// Messages in the outbox that are not sent any more.
pub const DEAD_LETTERS: Metric = Metric {
    name: "groundswell_dead_letters",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "messages in the outbox that are not sent any more",
};
/// Lines of the ledger by what was decided, sent or not sent.
pub const LEDGER: Metric = Metric {
    name: "groundswell_ledger_lines_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["what"],
    most: limits::METRIC_WORDS,
    help: "lines of the ledger by what was decided, sent or not sent",
};
/// Heartbeats: delivered, failed, or held back because something is wrong here.
pub const HEARTBEATS: Metric = Metric {
    name: "groundswell_heartbeats_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["result"],
    most: 3,
    help: "heartbeats: delivered, failed, or held back because something is wrong here",
};
// the store

/// 1 while what happens is recorded (or there is no store), 0 while the service goes on from memory.
pub const STORE_OK: Metric = Metric {
    name: "groundswell_store_ok",
    kind: Kind::Gauge,
    unit: Unit::Flag,
    labels: &[],
    most: 1,
    help: "1 while what happens is recorded (or there is no store), 0 while the service goes on from memory",
};
/// Entries that wait to be recorded.
pub const STORE_PENDING: Metric = Metric {
    name: "groundswell_store_pending_entries",
    kind: Kind::Gauge,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "entries that wait to be recorded",
};
/// Entries let go of because the store could not be written for too long.
pub const STORE_LOST: Metric = Metric {
    name: "groundswell_store_lost_entries_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "entries let go of because the store could not be written for too long",
};
/// Transactions written.
pub const COMMITS: Metric = Metric {
    name: "groundswell_store_commits_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "transactions written",
};
/// Entries recorded.
pub const COMMITTED: Metric = Metric {
    name: "groundswell_store_committed_entries_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &[],
    most: 1,
    help: "entries recorded",
};
/// Size of the store's files.
pub const STORE_BYTES: Metric = Metric {
    name: "groundswell_store_bytes",
    kind: Kind::Gauge,
    unit: Unit::Bytes,
    labels: &["file"],
    most: 2,
    help: "size of the store's files",
};
/// Snapshots made beside the service; disagrees: the log did not give what was decided.
pub const SNAPSHOTS: Metric = Metric {
    name: "groundswell_store_snapshots_total",
    kind: Kind::Counter,
    unit: Unit::Items,
    labels: &["result"],
    most: 2,
    help: "snapshots made beside the service; disagrees: the log did not give what was decided",
};

/// All of them, in the order of the reference.
pub const ALL: &[Metric] = &[
    FRAMES,
    ENTRIES,
    CONNECTS,
    SOURCE_UP,
    SOURCE_HEARD,
    SOURCE_RATE,
    GAP,
    LAST_EVENT,
    STAGE_IN,
    STAGE_OUT,
    IN_FLIGHT,
    QUEUE,
    QUEUE_LIMIT,
    STAGE,
    STAGE_QUANTILE,
    TO_OUTBOX,
    LAG,
    CLOCK,
    CLOCK_BEHIND,
    POSTS_KEPT,
    LIMIT_HITS,
    TRANSITIONS,
    OPEN_EPISODES,
    RELOADS,
    RELOAD_OK,
    RELOAD_PAUSE,
    BUILD,
    MENTIONS,
    SOURCE_MENTIONS,
    CAUSE_TEXTS,
    NEGATIVE_SHARE,
    AUTHORS,
    HOSTILE_REACH,
    USUAL,
    LIFT,
    RARITY,
    BRAND_EPISODES,
    RESPONSE,
    KNOWN_SHARE,
    BRANDS_LEFT_OUT,
    INCIDENTS_OPEN,
    INCIDENT_OPEN,
    ACKNOWLEDGED,
    VERDICTS,
    SILENCES,
    ORDERS,
    LETTERS,
    NOTICES,
    OUTBOX_WAITING,
    OUTBOX_OLDEST,
    RECEIVER_UP,
    RECEIVER_PROVED,
    DEAD_LETTERS,
    LEDGER,
    HEARTBEATS,
    STORE_OK,
    STORE_PENDING,
    STORE_LOST,
    COMMITS,
    COMMITTED,
    STORE_BYTES,
    SNAPSHOTS,
];
