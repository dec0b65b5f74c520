//! Every queue, map, message size and retry has its maximum here, under a name.
//!
//! A limit that is hit is counted in `groundswell_limit_hits_total{limit}`.

mod forms;
mod rules;

use crate::base::time::Span;

pub use forms::*;
pub use rules::*;

/// Longest frame taken, in bytes; longer ones end as outcome `oversize`.
pub const FRAME_BYTES: usize = 2 << 20;
/// Longest line a recording may hold before the rest of the file is given up, in bytes.
pub const LINE_BYTES: u64 = 1 << 30;
/// Longest text kept of a post for messages, in bytes; matching and scoring see more.
pub const KEPT_TEXT_BYTES: usize = 600;
/// Longest text that is matched and scored, in bytes; the rest of a longer one is not read.
pub const SCORED_TEXT_BYTES: usize = 64 << 10;
/// Longest text that is compared with others to find copies, in bytes.
pub const SKETCHED_TEXT_BYTES: usize = 2 << 10;
/// Longest id, author or name kept, in bytes.
pub const NAME_BYTES: usize = 512;
/// Links and tags read of one post.
pub const LINKS_PER_POST: usize = 16;
/// Longest outside link by which posts meet, in bytes; by a longer one none does.
pub const JOINED_LINK_BYTES: usize = 2048;
/// Parameters of an outside link by which posts meet; by one with more none does.
pub const LINK_PARAMETERS: usize = 32;
/// References of one frame that are looked up without a full parse.
pub const REFS_PER_FRAME: usize = 16;
/// Brands one post is counted for.
pub const KEYS_PER_POST: usize = 64;
/// Longest JSON pointer of a field map, in bytes.
pub const POINTER_BYTES: usize = 512;
/// Posts read of one message that holds a list of them; the rest is left out and counted.
pub const ITEMS_PER_MESSAGE: usize = 1000;
/// Largest audience believed, in followers; more is taken as unknown.
pub const FOLLOWERS: u64 = 2_000_000_000;

/// Frames in one batch between stages.
pub const BATCH_FRAMES: usize = 512;
/// Batches on their way between two threads.
pub const BATCHES_IN_FLIGHT: usize = 16;
/// Batches of a recording that are read ahead.
pub const PLAYED_AHEAD: usize = 2;
/// Frames of a paced recording that are due within this time go together.
pub const PLAYED_TOGETHER: Span = Span::millis(20);
/// Batches of one source that wait for the engine; then that source waits.
pub const LANE_BATCHES: usize = 64;
/// Bytes of one source that wait for the engine; a larger batch waits alone.
pub const LANE_BYTES: usize = 16 << 20;
/// Accounts that wait to be looked up; of more the oldest are left out and counted.
pub const LOOKUP_QUEUE: usize = 4096;
/// Accounts asked for in one request.
pub const LOOKUP_BATCH: usize = 25;
/// Answers that wait for the engine; then nobody is asked.
pub const LOOKUP_ANSWERS: usize = 4;
/// Bytes of one answer to a look-up.
pub const LOOKUP_BYTES: usize = 1 << 20;
/// Time for one look-up.
pub const LOOKUP_TIMEOUT: Span = Span::seconds(10);
/// Least time between two look-ups.
pub const LOOKUP_PACE: Span = Span::millis(100);
/// Longest wait before the next look-up that a server may ask for.
pub const LOOKUP_PAUSE: Span = Span::seconds(300);
/// How long an account waits to be looked up; then it is left out and counted until it is seen again.
pub const LOOKUP_PATIENCE: Span = Span::seconds(600);
/// How long followers that were looked up are not asked for again.
pub const LOOKUP_FRESH: Span = Span::seconds(86_400);
/// How long an account that nobody could tell of is not asked for again.
pub const LOOKUP_MISSING: Span = Span::seconds(6 * 3600);
/// Accounts whose last look-up is remembered.
pub const LOOKUPS_KEPT: usize = 1 << 17;
/// Look-ups handed to the store at once.
pub const LOOKUPS_SAVED: usize = 1024;
/// Time between two of these.
pub const LOOKUPS_SAVE_EVERY: Span = Span::seconds(2);
/// Look-ups that wait for a store that is slow; more are not remembered over a restart.
pub const LOOKUPS_UNSAVED: usize = 8192;

/// Time for a connection to open.
pub const CONNECT_TIMEOUT: Span = Span::seconds(10);
/// Silence after which a ping is sent.
pub const SILENCE: Span = Span::seconds(20);
/// Time for the answer to a ping, or for anything else to come.
pub const PONG_TIMEOUT: Span = Span::seconds(10);
/// First wait before connecting again.
pub const BACKOFF_FIRST: Span = Span::seconds(1);
/// Longest wait before connecting again.
pub const BACKOFF_MOST: Span = Span::seconds(60);
/// Longest wait before the next of several servers is asked.
pub const NEXT_HOST: Span = Span::millis(250);
/// How long a connection must have lasted for its failures to be forgotten.
pub const STABLE: Span = Span::seconds(60);
/// How long a source may be unheard before that is told.
pub const SOURCE_DOWN: Span = Span::seconds(60);
/// How long a lower rate must last to be the usual one.
pub const SOURCE_ADOPTED: Span = Span::seconds(86_400);
/// Longest reason of why a source is not heard, or the service not ready, in characters.
pub const REASON_CHARS: usize = 300;
/// Time to say goodbye to a server when stopping.
pub const GOODBYE: Span = Span::millis(500);
/// Longest zstd dictionary taken from a server, in bytes.
pub const DICTIONARY_BYTES: usize = 1 << 20;
/// Bytes that wait to be written to a source that does not read.
pub const SOCKET_WRITE_BYTES: usize = 1 << 20;
/// Bytes of frames in one batch.
pub const BATCH_BYTES: usize = 4 << 20;
/// Variables in one mapping.
pub const VARIABLES: usize = 256;
/// HTTP connections at a time; further ones wait.
pub const HTTP_CONNECTIONS: usize = 256;
/// Posts in one pushed request.
pub const PUSH_ITEMS: usize = 100_000;
/// Silence after which an HTTP connection is closed.
pub const HTTP_SILENCE: Span = Span::seconds(20);
/// First step over a frame that cannot be received; doubled while it is still met.
pub const SKIP_FIRST: Span = Span::seconds(1);
/// How far before the last frame a stream is resumed.
pub const RESUME_OVERLAP: Span = Span::seconds(5);
/// Time for everything to stop.
pub const SHUTDOWN: Span = Span::seconds(10);
/// How long a thread may stand still, at least, before the watchdog is not fed.
pub const STANDS_STILL: Span = Span::seconds(3);
/// Lag of the engine beyond which the service is not ready.
pub const READY_LAG: Span = Span::seconds(60);
/// Least time between two looks of the engine at itself, for metrics and status; longest between two of the watchdog.
pub const VIEW_EVERY: Span = Span::seconds(1);
/// Brands and groups with metrics of their own, the first of the files; further ones are counted.
pub const METRIC_BRANDS: usize = 1000;
/// Rules with metrics of their own.
pub const METRIC_ALERTS: usize = 200;
/// Receivers with metrics of their own.
pub const METRIC_RECEIVERS: usize = 256;
/// Words of one kind that metrics count.
pub const METRIC_WORDS: usize = 128;
/// Keys and groups gone through at one look of the engine at itself, for metrics of brands.
pub const VITALS_AT_ONCE: usize = 8192;
/// First answers remembered of a key, for metrics.
pub const ANSWERS: usize = 256;
/// Reloads that wait.
pub const RELOADS_ASKED: usize = 8;
/// How long changed files are left alone before they are read.
pub const SETTLE: Span = Span::millis(200);
/// Posts matched by coming rules between two batches of frames.
pub const PREPARED_AT_ONCE: usize = 128;
/// Posts and groups that follow a change of rules between two batches of frames, about.
pub const FOLLOWED_AT_ONCE: usize = 1024;
/// Notices that wait to be handed to receivers; then the engine waits.
pub const NOTICE_QUEUE: usize = 4096;

/// Messages that wait for one receiver; then the oldest is dropped.
pub const RECEIVER_QUEUE: usize = 1024;
/// How long a message is tried to be delivered.
pub const DELIVERY_KEPT: Span = Span::seconds(86_400);
/// Time for one try to deliver a message.
pub const DELIVERY_TIMEOUT: Span = Span::seconds(10);
/// First wait before a message is tried again.
pub const DELIVERY_FIRST: Span = Span::seconds(1);
/// Longest wait before a message is tried again, whatever the receiver asks for.
pub const DELIVERY_MOST: Span = Span::seconds(300);
/// Incidents that go on at a time.
pub const INCIDENTS: usize = 1024;
/// Incidents remembered that are over.
pub const INCIDENTS_OVER: usize = 256;
/// How long an incident that is over is remembered.
pub const INCIDENT_KEPT: Span = Span::seconds(86_400);
/// Texts that must name a cause before people are told of it.
pub const CAUSE_TEXTS: usize = 3;
/// Episodes remembered of one.
pub const INCIDENT_EPISODES: usize = 256;
/// Top posts remembered of one, by which others are known to belong to it.
pub const INCIDENT_POSTS: usize = 64;
/// Episodes of an incident that a message draws on.
pub const EPISODES_TOLD: usize = 16;
/// Incidents in one digest; those beyond get a message each.
pub const DIGEST_INCIDENTS: usize = 50;
/// How long news that are no page wait for more of the same, unless a route says otherwise.
pub const GROUP_WAIT: Span = Span::seconds(30);
/// How long a receiver may leave a page untaken before others are told.
pub const HANDOVER: Span = Span::seconds(60);
/// How often it is looked whether what keeps an incident quiet still does.
pub const INHIBIT_LOOK: Span = Span::seconds(60);
/// How often it is looked at least whether anything is due to be told.
pub const DESK_LOOK: Span = Span::seconds(60);
/// Least time between two such looks without news.
pub const DESK_REST: Span = Span(100_000);
/// How often receivers are told again of what goes on, if they are at all and nothing else is said.
pub const REPEAT: Span = Span::seconds(3600);
/// Least time between two repeats.
pub const REPEAT_LEAST: Span = Span::seconds(60);
/// How often the heartbeat beats unless the config says otherwise.
pub const HEARTBEAT: Span = Span::seconds(60);
/// Least time between two heartbeats.
pub const HEARTBEAT_LEAST: Span = Span::seconds(10);
/// Longest silence or acknowledgement.
pub const ORDER_SPAN: Span = Span::seconds(30 * 86_400);
/// How long a link of a message may be used to act.
pub const ACT_LINK: Span = Span::seconds(7 * 86_400);
/// How long an order is waited for to be done.
pub const ORDER_TIMEOUT: Span = Span::seconds(10);
/// How often an order is handed over anew while the keeper has no room.
pub const ORDER_AGAIN: Span = Span::millis(10);
/// Longest request that orders something, in bytes.
pub const ORDER_BYTES: usize = 16 << 10;
/// Brands, rules or labels that a silence names.
pub const SILENCED: usize = 64;
/// Letters of the outbox shown at once.
pub const OUTBOX_SHOWN: usize = 1000;
/// Silences at a time.
pub const SILENCES: usize = 1024;
/// Letters of the outbox looked through.
pub const OUTBOX_LISTED: usize = 100_000;
/// Characters of the name of who gives an order.
pub const PERSON_CHARS: usize = 60;
/// Receivers that a rule or route names.
pub const RECEIVERS_NAMED: usize = 64;
/// How often receivers that would forget are told again what still holds.
pub const REFRESH_EVERY: Span = Span::seconds(60);
/// Incidents a receiver's own names are remembered of.
pub const HANDLES: usize = 4096;
/// Bytes read of a receiver's answer.
pub const ANSWER_BYTES: usize = 4 << 10;
/// Characters shown of a receiver's answer.
pub const ANSWER_CHARS: usize = 200;
/// Headers of its own that a receiver may be sent.
pub const RECEIVER_HEADERS: usize = 32;
/// Longest address that a message lets people follow, in bytes.
pub const LINK_BYTES: usize = 1000;
/// Runbooks that a message has links to.
pub const RUNBOOK_LINKS: usize = 3;
/// Rules named in one message about a source.
pub const RULES_NAMED: usize = 100;

/// Ids remembered against repeats.
pub const DEDUP_IDS: usize = 1 << 21;
/// Posts whose story is remembered.
pub const STORY_POSTS: usize = 1 << 20;
/// Stories remembered.
pub const STORIES: usize = 1 << 19;
/// Keys remembered to have been forgotten when rules changed, before all posts are gone through.
pub const FORGOTTEN_KEYS: usize = 1 << 16;
/// Distinct texts remembered, to know copies.
pub const TEXTS: usize = 1 << 17;
/// Followers imputed before any are known.
pub const AUDIENCE_PRIOR: u64 = 300;
/// Oldest story that is forecast.
pub const FORECAST_AGE: Span = Span::seconds(365 * 86_400);
/// Links of one post by which later posts find its story.
pub const LINKS_NOTED: usize = 4;
/// Distinct pieces of four letters that a text must have so that copies of it are one story: about nine words.
/// People who do not know of each other often say the same in fewer.
pub const COPIED_PIECES: usize = 48;
/// Accounts that must have said the same, so that copies of it are one story.
pub const COPY_ACCOUNTS: usize = 3;
/// How long ago they may have said it.
pub const COPIED_WITHIN: Span = Span::seconds(600);
/// Accounts whose audience is remembered.
pub const ACCOUNTS: usize = 1 << 20;
/// Names of sources told apart; later ones share the name `other`.
pub const SOURCES: usize = 256;

/// Posts kept by one key for its windows; beyond, the oldest leave early.
pub const POSTS_PER_KEY: usize = 1 << 18;
/// Accounts of one series that are counted exactly; beyond, a sample of them is.
pub const ACCOUNTS_PER_SERIES: usize = 1 << 16;
/// Distinct texts of one story that its lead is counted from.
pub const TEXTS_PER_STORY: usize = 4096;
/// Stories of one key whose course is remembered; beyond, the smallest and least recent leave.
pub const STORIES_PER_KEY: usize = 1 << 16;
/// Accounts of one story that are told apart; later ones are counted whenever they write.
pub const ACCOUNTS_PER_STORY: usize = 1 << 16;
/// Sources, and languages, of one story that are told apart.
pub const NAMES_PER_STORY: usize = 8;
/// Longest name of a source or language that is kept with a story, in bytes.
pub const NAME_OF_STORY_BYTES: usize = 64;
/// Posts of one story that are remembered as those who carried it.
pub const CARRIERS: usize = 48;
/// Posts kept by a key up to which the end of a story is explained, which looks at all of them.
pub const ENDS_EXPLAINED: usize = 1 << 14;
/// Stories of one key that are measured for those who watch.
pub const STORIES_WATCHED: usize = 3;
/// Stories with metrics of their own.
pub const METRIC_STORIES: usize = 300;
/// How long a story of which nothing more is said is remembered whole.
pub const STORY_KEPT: Span = Span::seconds(86_400);
/// Interruptions of sources remembered, so that baselines leave them out.
pub const OUTAGES: usize = 256;
/// Groups (stories, sources) that one key keeps; beyond, the least recent leave.
pub const GROUPS_PER_KEY: usize = 1 << 14;
/// Longest block of the log, unpacked, in bytes.
pub const BLOCK_BYTES: usize = 1 << 30;
/// Entries that may wait for a store that cannot be written; beyond, they are let go of, and a whole
/// snapshot takes their place once it can.
pub const UNRECORDED_ENTRIES: usize = 1 << 18;
/// Letters sent while the store could not be written that are noted to be put there later.
pub const UNRECORDED_LETTERS: usize = 1 << 13;
/// Decisions, and lines of the ledger, that may wait for a store that cannot be written.
pub const UNRECORDED_DECISIONS: usize = 1 << 16;
/// How long entries may wait to be committed.
pub const COMMIT_EVERY: Span = Span::millis(250);
/// How long positions may wait to be committed while there are no entries.
pub const POSITIONS_EVERY: Span = Span::seconds(2);
/// How long a store that cannot be written is left alone.
pub const STORE_RETRY: Span = Span::seconds(1);
/// What waits for the store; then the engine waits. It holds what comes while a disk is slow for a
/// moment.
pub const KEEP_QUEUE: usize = 64;
/// Time between two pieces of a snapshot that is written, so that commits find little to take along.
pub const PIECE_EVERY: Span = Span::millis(10);
/// How long the service must not have run for that to be told.
pub const OUTAGE_TOLD: Span = Span::seconds(60);
/// How far behind the Clock a source counts as being at the present.
pub const LIVE_EDGE: Span = Span::seconds(10);
/// How long a source that catches up may say nothing before it is taken to be at the present.
pub const CATCH_UP_SILENCE: Span = Span::seconds(3);
/// How long a source that cannot be reached is waited for when the past is caught up with.
pub const CATCH_UP_CONNECT: Span = Span::seconds(30);
/// How long the past is caught up with at most.
pub const CATCH_UP: Span = Span::seconds(600);
/// Episodes noted while the past is caught up with.
pub const UNTOLD_EPISODES: usize = 1 << 14;
/// Episodes listed in one digest.
pub const DIGEST_EPISODES: usize = 50;
/// How often what need not be kept is let go of.
pub const TIDY_EVERY: Span = Span::seconds(2);
/// How often it is looked whether a snapshot is due.
pub const HOUSEKEEPING_EVERY: Span = Span::seconds(1);
/// How far the beginnings of two episodes may be apart that are compared as one case; a day is compared so long after it.
pub const COMPARED_WITHIN: Span = Span::seconds(3600);
/// How far back days are compared that were missed.
pub const COMPARED_BACK: Span = Span::seconds(31 * 86_400);
/// Episodes looked at for one comparison; of more the oldest are left out, and that is told.
pub const COMPARED_EPISODES: usize = 20_000;
/// Episodes named of those that only one of two rules had.
pub const COMPARED_NAMED: usize = 20;
/// Rule sets of before that are looked at for since when a rule says what it says.
pub const COMPARED_RULE_SETS: usize = 32;
/// Brands that a comparison tells one by one.
pub const COMPARED_BRANDS: usize = 100;
/// Entries after a snapshot that make the next one due.
pub const ROUND_ENTRIES: u64 = 250_000;
/// Time after a snapshot that makes the next one due.
pub const ROUND_EVERY: Span = Span::seconds(1800);
/// Posts that leave the archive at once, at most.
pub const FORGOTTEN_POSTS: usize = 100;
/// Snapshots kept, so that one that is damaged costs nothing.
pub const ROUNDS: usize = 2;
/// Episodes of one rule that may be open at once; beyond, they share one `overflow` episode.
pub const OPEN_EPISODES_PER_RULE: usize = 256;
/// Posts listed as evidence of a page.
pub const TOP_POSTS: usize = 5;

/// Five-minute marks of the hostile reach that a page shows.
pub const CHART_MARKS: usize = 72;

/// Longest window of a rule.
pub const WINDOW: Span = Span::seconds(8 * 86_400);
/// How far ahead of the engine clock a live event time may lie before it is clamped.
pub const CLOCK_AHEAD: Span = Span::seconds(5);
/// How far the machine's clock may step back and time only stand still for it.
pub const CLOCK_BACK: Span = Span::seconds(1);
/// How far the machine's clock may be behind what was seen before, without anybody being told.
pub const CLOCK_BEHIND: Span = Span::seconds(5);
/// How far ahead of a recording's clock a line may jump before it must be confirmed by the next.
pub const FILE_JUMP: Span = Span::seconds(86_400);

/// Frames of a recording that may wait for their times to be confirmed.
pub const HELD_FRAMES: usize = 8;

/// Rule sets remembered, so that what was made under them can be told.
pub const RULE_SETS: usize = 16;
/// Brands in one rule set.
pub const BRANDS: usize = 20_000;
/// Rules in one rule set.
pub const RULES: usize = 20_000;
/// Longest rule or config file, in bytes.
pub const RULE_FILE_BYTES: u64 = 16 << 20;
/// Longest line in which the place within a text is looked for, if it is not ASCII, in bytes.
pub const PLACED_BYTES: usize = 64 << 10;
/// Rule files of one set.
pub const RULE_FILES: usize = 10_000;
/// Bytes of all rule files of one set after which no further one is read.
pub const RULE_SET_BYTES: usize = 64 << 20;
/// Items of one list or mapping of the config: receivers, routes, tokens, hosts, headers.
pub const CONFIG_ITEMS: usize = 1024;
/// Environment variables put into one config.
pub const ENVIRONMENT_VARIABLES: usize = 1024;
/// Longest secret, and longest text with environment variables in it, in bytes.
pub const SECRET_BYTES: u64 = 64 << 10;
/// Fewest characters of a token.
pub const TOKEN_CHARS: usize = 16;
/// Deepest nesting of YAML, of a query and of an expression.
pub const NESTING: usize = 64;
/// Measures, numbers and variables in one expression.
pub const EXPRESSION_VALUES: usize = 500;
/// Longest condition, quantity and summary, in bytes.
pub const EXPRESSION_BYTES: usize = 64 << 10;
/// Longest query, in bytes.
pub const QUERY_BYTES: usize = 1 << 20;
/// Longest term of a query, in bytes.
pub const TERM_BYTES: usize = 512;
/// Brands that may read another brand's posts: each post is told to all of them.
pub const READERS: usize = 256;
/// Most words between the terms of a NEAR.
pub const NEAR_WORDS: u32 = 100;
/// Places noted of one term of a NEAR in one text.
pub const NEAR_PLACES: usize = 64;
/// Places compared on each side of a NEAR.
pub const NEAR_SIDE: usize = 256;
/// Terms in one query.
pub const QUERY_TERMS: usize = 2000;
/// Accounts in one list, or own or staff accounts of one brand.
pub const LISTED_ACCOUNTS: usize = 10_000;
/// Longest rendered summary, in characters.
pub const SUMMARY_CHARS: usize = 600;
/// Steps a template may take.
pub const TEMPLATE_FUEL: u64 = 10_000;

/// How long the stored log is kept beyond what is needed, if nothing else is said.
pub const STORE_LOG: Span = Span::seconds(7 * 86_400);
/// How long stored posts are kept, if nothing else is said.
pub const STORE_ARCHIVE: Span = Span::seconds(90 * 86_400);
/// How long it is remembered what was told to whom, if nothing else is said.
pub const STORE_LEDGER: Span = Span::seconds(400 * 86_400);
/// Longest time anything stored may be kept.
pub const STORE_KEPT: Span = Span::seconds(3650 * 86_400);
/// Bytes the store may take, if nothing else is said.
pub const STORE_BYTES: u64 = 10_000_000_000;
/// Fewest bytes the store may be told to take.
pub const STORE_LEAST: u64 = 50_000_000;
/// Most bytes the store may be told to take.
pub const STORE_MOST: u64 = 1 << 50;

/// Sources one recorder writes.
pub const RECORDED_SOURCES: usize = 64;
/// Batches that wait to be recorded; then the sources wait.
pub const RECORD_QUEUE: usize = 64;
/// How long a recorded frame may wait to be written to its file; looked at each second.
pub const RECORD_FLUSH: Span = Span::seconds(4);
/// Compressed bytes of one recorded file, if nothing else is said.
pub const RECORD_FILE_BYTES: u64 = 256 << 20;
/// Time in one recorded file, if nothing else is said.
pub const RECORD_FILE_SPAN: Span = Span::seconds(3600);
/// Files in one folder of recordings.
pub const MANIFEST_FILES: usize = 1 << 14;
/// Longest manifest of recordings that is read, in bytes.
pub const MANIFEST_BYTES: u64 = 32 << 20;

/// How long a writer of the archive waits for another one.
pub const ARCHIVE_WAIT: Span = Span::seconds(5);
/// Posts of the archive that are forgotten in one go.
pub const FORGOTTEN_AT_ONCE: usize = 10_000;
/// Free pages of 4 KiB that the archive gives back to the disk in one go.
pub const FREED_PAGES: usize = 1024;
/// Lists of literals of a query that the archive's index is asked for; further ones are left to the matcher.
pub const INDEXED_LISTS: usize = 8;
/// Literals of one such list; a longer list is left to the matcher.
pub const INDEXED_LITERALS: usize = 256;
/// Groups of three characters that a literal is looked for by.
pub const INDEXED_TRIGRAMS: usize = 8;
/// Posts shown of one search.
pub const SEARCH_SHOWN: u64 = 100_000;
/// Accounts told apart in one search; further ones are not counted, and that is told.
pub const SEARCH_ACCOUNTS: usize = 1 << 22;
/// Mentions that wait to be shown by `watch`; more are counted, not shown.
pub const WATCH_QUEUE: usize = 4096;
/// How long a mention waits to be shown until its author's followers are known.
pub const WATCH_HOLD: Span = Span::millis(1500);
/// How long `watch` tries to reach a server where nobody looks on.
pub const WATCH_PATIENCE: Span = Span::seconds(30);
/// Accounts that `watch` counts by name.
pub const WATCH_ACCOUNTS: usize = 1 << 16;
/// Stories whose first post `watch` remembers, to say what is passed on.
pub const WATCH_STORIES: usize = 1 << 14;
/// Longest answer of a service about its state, in bytes.
pub const STATUS_BYTES: usize = 32 << 20;
/// Time for a service to tell about its state.
pub const STATUS_TIMEOUT: Span = Span::seconds(10);

/// Log lines about bad frames: at most one in this time.
pub const FRAME_LOG_EVERY: Span = Span::seconds(10);

const _: () = {
    assert!(FRAME_BYTES as u64 <= LINE_BYTES, "a line that is given up must be longer than a frame");
    assert!(KEPT_TEXT_BYTES <= SCORED_TEXT_BYTES && SCORED_TEXT_BYTES <= FRAME_BYTES);
    assert!(SILENCE.0 + PONG_TIMEOUT.0 < SOURCE_DOWN.0, "a dead connection is known before its source counts as down");
    assert!(LOOKUP_BATCH <= LOOKUP_QUEUE && LOOKUP_QUEUE <= LOOKUPS_KEPT);
    assert!(LOOKUP_PAUSE.0 < LOOKUP_PATIENCE.0, "who waits outlives a pause that a server asks for");
    assert!(DELIVERY_FIRST.0 <= DELIVERY_MOST.0 && DELIVERY_MOST.0 < DELIVERY_KEPT.0);
    assert!(ANSWER_CHARS <= ANSWER_BYTES);
    assert!(REFRESH_EVERY.0 * 3 < ALERT_LASTS.0, "an alert must outlive two refreshes that fail");
    assert!(SLACK_HEADER < SLACK_SECTION && SLACK_SECTION < SLACK_TOTAL);
    assert!(STORIES <= STORY_POSTS, "every story has at least one post");
    assert!(FILE_JUMP.0 > CLOCK_AHEAD.0);
};
