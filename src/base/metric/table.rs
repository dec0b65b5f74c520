//! The metrics, one by one: what code calls them, type, unit, name without `groundswell_`, labels, how many sets of
//! label values at most, and what they mean.

use super::{Kind, Metric, Queue, Stage, Unit};
use crate::base::limits;

const STAGES: usize = Stage::ALL.len();
const QUEUES: usize = Queue::ALL.len();

macro_rules! metrics {
    ($($code:ident $kind:ident $unit:ident $name:literal [$($label:literal)*] ($most:expr) $help:literal)*) => {
        $(
            #[doc = $help]
            pub const $code: Metric = Metric {
                name: concat!("groundswell_", $name),
                kind: Kind::$kind,
                unit: Unit::$unit,
                labels: &[$($label),*],
                most: $most,
                help: $help,
            };
        )*

        /// All of them, in the order of the reference.
        pub const ALL: &[Metric] = &[$($code),*];
    };
}

metrics! {
    // frames: what comes in
    FRAMES Counter Items "frames_total" ["source" "outcome"] (limits::SOURCES * 16)
        "frames by the one outcome each of them had"
    ENTRIES Counter Items "entries_total" [] (1)
        "entries numbered by the junction"
    CONNECTS Counter Items "source_connects_total" ["source" "result"] (limits::SOURCES * 2)
        "connection attempts by result: ok or failed"
    SOURCE_UP Gauge Flag "source_up" ["source"] (limits::SOURCES)
        "1 while the source is connected, else 0"
    SOURCE_HEARD Gauge Flag "source_heard" ["source"] (limits::SOURCES)
        "0 once the source was not heard for a minute: not connected, or far below its usual rate; else 1"
    SOURCE_RATE Gauge PerSecond "source_frames_per_second" ["source" "over"] (limits::SOURCES * 2)
        "frames a second over the last five minutes (now), and as usual"
    GAP Counter Seconds "source_gap_seconds_total" ["source"] (limits::SOURCES)
        "time in which a source that cannot be resumed was lost"
    LAST_EVENT Gauge Timestamp "source_last_event_timestamp_seconds" ["source"] (limits::SOURCES)
        "event time of the last well-formed frame of the source"
    // stages
    STAGE_IN Counter Items "stage_in_total" ["stage"] (STAGES)
        "what went into a stage; what came out and what is in flight sum to it"
    STAGE_OUT Counter Items "stage_out_total" ["stage" "outcome"] (STAGES * 8)
        "what came out of a stage, by outcome"
    IN_FLIGHT Gauge Items "stage_in_flight" ["stage"] (STAGES)
        "what is in a stage now"
    QUEUE Gauge Items "queue_items" ["queue"] (QUEUES)
        "what waits in a queue between stages"
    QUEUE_LIMIT Gauge Items "queue_limit_items" ["queue"] (QUEUES)
        "what a queue holds at most; then whoever fills it waits, or the oldest is dropped and counted"
    STAGE Histogram Seconds "stage_seconds" ["stage"] (STAGES)
        "time that a batch spends in a stage"
    STAGE_QUANTILE Summary Seconds "stage_last_minute_seconds" ["stage" "quantile"] (STAGES * 5)
        "time spent in a stage over the last minute, by quantile; independent of scrapes"
    TO_OUTBOX Histogram Seconds "receive_to_outbox_seconds" [] (1)
        "from receiving what caused a change of an episode to its messages being in the outbox, on disk"
    // the engine
    LAG Gauge Seconds "engine_lag_seconds" [] (1)
        "the clock minus the time of the last event the engine has seen"
    CLOCK Gauge Timestamp "clock_timestamp_seconds" [] (1)
        "the clock of the service; in the demo and where a recording is played, not that of the machine"
    CLOCK_BEHIND Gauge Seconds "clock_behind_seconds" [] (1)
        "how far this machine's clock is behind what was seen before; 0 while it is well"
    POSTS_KEPT Gauge Items "posts_kept" [] (1)
        "posts kept for windows; those of several brands counted for each"
    LIMIT_HITS Counter Items "limit_hits_total" ["limit"] (limits::METRIC_WORDS)
        "things forgotten or cut because a named limit was hit"
    TRANSITIONS Counter Items "transitions_total" ["alert" "to" "severity"] (limits::METRIC_ALERTS * 8)
        "changes of episodes by rule, new phase and severity; of rules in shadow too"
    OPEN_EPISODES Gauge Items "open_episodes" ["severity"] (3)
        "episodes that are firing or clearing, by severity; those of rules in shadow are left out"
    RELOADS Counter Items "reloads_total" ["result"] (3)
        "files read again, by result: ok, unchanged or failed"
    RELOAD_OK Gauge Flag "last_reload_successful" [] (1)
        "1 if what the files say is in force, 0 if the last reload found mistakes"
    RELOAD_PAUSE Gauge Seconds "last_reload_pause_seconds" [] (1)
        "how long the engine stood still when rules changed last"
    BUILD Gauge Flag "build_info" ["version"] (1)
        "always 1; the version that is running"
    // look-ups of audiences
    LOOKUPS Counter Items "audience_lookups_total" ["result"] (4)
        "accounts that were to be looked up, by what came of it: learned, missing (the answer left them out), refused, or dropped because too many waited, or they too long"
    LOOKUP_REQUESTS Counter Items "audience_requests_total" ["result"] (4)
        "requests that looked accounts up, by what was answered: ok, refused, limited (too many requests) or failed"
    LOOKUPS_SEEN Counter Items "audience_seen_total" ["result"] (5)
        "mentions and shares whose author may have to be looked up, by what was known then: fresh, stale (used, and asked for again), missing, waiting (is asked for already) or unknown"
    LOOKUP_OLDEST Gauge Seconds "audience_oldest_waiting_seconds" [] (1)
        "how long the oldest account has waited to be looked up; 0 where none waits"
    // brands and groups of brands
    MENTIONS Counter Items "brand_mentions_total" ["brand" "tone"] (limits::METRIC_BRANDS * 4)
        "mentions of a brand by tone"
    SOURCE_MENTIONS Counter Items "brand_source_mentions_total" ["brand" "source"] (limits::METRIC_BRANDS * 4)
        "mentions of a brand by the source they came from"
    CAUSE_TEXTS Counter Items "brand_cause_texts_total" ["brand" "cause"] (limits::METRIC_BRANDS * 9)
        "hostile texts about a brand by what they complain of; one text can name several causes"
    NEGATIVE_SHARE Gauge Share "brand_negative_share_ratio" ["brand"] (limits::METRIC_BRANDS)
        "share of negative among the mentions of the last hour whose tone is known; absent where there are none"
    AUTHORS Gauge Items "brand_authors" ["brand"] (limits::METRIC_BRANDS)
        "distinct accounts that mentioned a brand within the last hour"
    HOSTILE_REACH Gauge Impressions "brand_hostile_reach_impressions" ["brand" "window"] (limits::METRIC_BRANDS * 2)
        "hostile reach over the last 5m and 1h: impressions weighed by negativity, each account once"
    USUAL Gauge Impressions "brand_usual_hostile_reach_impressions" ["brand" "edge"] (limits::METRIC_BRANDS * 3)
        "hostile reach of an hour in the past week: that of the middle hour, and between what four of five hours lie (low, high); absent before six hours are known"
    LIFT Gauge Times "brand_lift_ratio" ["brand"] (limits::METRIC_BRANDS)
        "hostile reach now against what is usual at this hour; absent while the brand is learned"
    RARITY Gauge Seconds "brand_rarity_seconds" ["brand"] (limits::METRIC_BRANDS)
        "how rarely hostile reach is as high as now: once in so many seconds; absent while the brand is learned"
    BRAND_EPISODES Gauge Items "brand_open_episodes" ["brand" "severity"] (limits::METRIC_BRANDS * 3)
        "episodes of a brand that are firing or clearing, by severity; those of rules in shadow are left out"
    RESPONSE Gauge Seconds "brand_response_seconds" ["brand"] (limits::METRIC_BRANDS)
        "median time from the first mention in a story to the first own answer, over stories answered within the last day and since the start; absent where there are none"
    KNOWN_SHARE Gauge Share "brand_known_share_ratio" ["brand"] (limits::METRIC_BRANDS)
        "share of the accounts of the last hour whose audience is known; absent where there are none"
    STORY_STATE Gauge Items "story_state" ["brand" "rank"] (limits::METRIC_STORIES)
        "whether a story ends by itself (0, dying), goes on (1, critical) or will at least double (2, explosive); stories passed on within the last day, rank 1 has most hostile reach"
    STORY_SHARES Gauge Items "story_shares" ["brand" "rank"] (limits::METRIC_STORIES)
        "how often a story was passed on so far"
    STORY_REACH Gauge Impressions "story_reach_impressions" ["brand" "rank" "when"] (limits::METRIC_STORIES * 3)
        "reach of a story, each account once: now, and the band of what it will be in a day (day_low, day_high)"
    STORY_HOSTILE Gauge Impressions "story_hostile_reach_impressions" ["brand" "rank"] (limits::METRIC_STORIES)
        "hostile reach of a story so far, each account once"
    STORY_EXPOSURE Gauge Impressions "story_exposure_to_come_impressions" ["brand" "rank"] (limits::METRIC_STORIES)
        "impressions that what was shared of a story already will yet make"
    STORY_AGE Gauge Seconds "story_age_seconds" ["brand" "rank"] (limits::METRIC_STORIES)
        "time since the first post of a story"
    STORY_ANSWERED Gauge Flag "story_answered" ["brand" "rank"] (limits::METRIC_STORIES)
        "whether one of the brand's own accounts answered in a story; absent for brands without own accounts"
    BRANDS_LEFT_OUT Gauge Items "brands_left_out" [] (1)
        "brands and groups that have no metrics of their own because there are too many"
    // incidents
    INCIDENTS_OPEN Gauge Items "incidents_open" ["severity"] (3)
        "incidents that go on, by severity"
    INCIDENT_OPEN Gauge Timestamp "incident_open_since_timestamp_seconds" ["brand" "severity"] (limits::INCIDENTS)
        "since when the oldest incident of a brand goes on, by severity; absent where none does"
    PAGES Counter Items "incident_pages_total" ["alert"] (limits::METRIC_ALERTS)
        "incidents that became a page, by the rule that counts for them: the first of the highest severity"
    ACKNOWLEDGED Histogram Seconds "incident_acknowledge_seconds" ["alert"] (limits::METRIC_ALERTS)
        "from the opening of an incident to the first time somebody acknowledged, claimed or closed it, by the rule that counts for it"
    VERDICTS Counter Items "incident_verdicts_total" ["alert" "verdict"] (limits::METRIC_ALERTS * 3)
        "incidents that somebody closed, by the rule that counts for them and what it was: real, false_alarm or unsaid"
    SILENCES Gauge Items "silences" [] (1)
        "silences that hold"
    ORDERS Counter Items "orders_total" ["order" "result"] (24)
        "what people ordered, by kind and result: done, refused or later"
    // telling people
    LETTERS Counter Items "letters_total" ["receiver"] (limits::METRIC_RECEIVERS)
        "messages put into the outbox for a receiver"
    NOTICES Counter Items "notices_total" ["receiver" "result"] (limits::METRIC_RECEIVERS * 6)
        "tries to deliver, by result: delivered, retried, superseded, refused, dropped or expired"
    OUTBOX_WAITING Gauge Items "outbox_undelivered" ["receiver"] (limits::METRIC_RECEIVERS)
        "messages that wait to be taken by a receiver"
    OUTBOX_OLDEST Gauge Seconds "outbox_oldest_undelivered_seconds" ["receiver"] (limits::METRIC_RECEIVERS)
        "how long the oldest message has waited for a receiver; 0 where none waits"
    RECEIVER_UP Gauge Flag "receiver_up" ["receiver"] (limits::METRIC_RECEIVERS)
        "1 if the last notice was delivered, 0 if it was not; absent before the first"
    RECEIVER_PROVED Gauge Timestamp "receiver_last_delivery_timestamp_seconds" ["receiver"] (limits::METRIC_RECEIVERS)
        "when the receiver took a message last; absent before the first"
    DEAD_LETTERS Gauge Items "dead_letters" [] (1)
        "messages in the outbox that are not sent any more"
    LEDGER Counter Items "ledger_lines_total" ["what"] (limits::METRIC_WORDS)
        "lines of the ledger by what was decided, sent or not sent"
    HEARTBEATS Counter Items "heartbeats_total" ["result"] (3)
        "heartbeats: delivered, failed, or held back because something is wrong here"
    // the store
    STORE_OK Gauge Flag "store_ok" [] (1)
        "1 while what happens is recorded (or there is no store), 0 while the service goes on from memory"
    STORE_PENDING Gauge Items "store_pending_entries" [] (1)
        "entries that wait to be recorded"
    STORE_LOST Counter Items "store_lost_entries_total" [] (1)
        "entries let go of because the store could not be written for too long"
    COMMITS Counter Items "store_commits_total" [] (1)
        "transactions written"
    COMMITTED Counter Items "store_committed_entries_total" [] (1)
        "entries recorded"
    STORE_BYTES Gauge Bytes "store_bytes" ["file"] (2)
        "size of the store's files"
    SNAPSHOTS Counter Items "store_snapshots_total" ["result"] (2)
        "snapshots made beside the service; disagrees: the log did not give what was decided"
}
