//! groundswell listens to public streams of posts, finds the ones about the brands it watches,
//! judges how hostile each is and how many people it reaches, and tells a human the moment a
//! hostile story starts to spread.
//!
//! This page is the architecture: read it before the code. User documentation is in `README.md`,
//! `rules/README.md` and `docs/operating.md`.
//!
//! # The flow
//!
//! The rooms of `src`, in alphabetical order, are the order in which data flows:
//!
//! ```text
//!            frames            posts             mentions, refs        entries           readings            transitions
//!  collect ----------> decode --------> enrich ----------------> enroll --------> fold ----------> judge -----------------> notify
//!     |                  \________________/                        |                \_______________/                          |
//!     |                        front                            junction                  back                                 |
//!  outside              stateless, parallel               one ordered step           one writer a key                       outside
//! ```
//!
//! | room | does | knows |
//! |---|---|---|
//! | [`app`] | assembly: the engine joined, threads, command line, config, demo | everything |
//! | [`base`] | shared words: what crosses borders, rule files, time, limits, faults | nothing of ours |
//! | [`collect`] | outside -> frame; connections and health as pure state machines | `base` |
//! | [`decode`] | frame -> post; one file a wire format | `base` |
//! | [`enrich`] | post -> mention: all queries in one pass, negativity | `base` |
//! | [`enroll`] | mention, ref -> entry: repeats, stories, audiences, engine clock, numbers | `base` |
//! | [`fold`] | entry -> reading: windows, measures, evidence | `base` |
//! | [`judge`] | reading -> transition: conditions and the life cycle | `base` |
//! | [`notify`] | transition -> outside: incidents, who is told what and why not, words, receivers | `base` |
//! | [`serve`] | HTTP: metrics, health, status, pushed posts, reload, orders, the page behind a message | `base` |
//! | [`store`] | SQLite: log, snapshots, positions, decisions, outbox, ledger; the archive of posts, to be searched; recordings in folders | `base` |
//!
//! # The engine
//!
//! [`app::engine::Engine`] is pure: everything that can wake it is a variant of
//! [`app::engine::Input`], everything it wants done comes back in [`app::engine::Output`]. The
//! live service, `replay`, the golden tests and the benches drive this same engine.
//!
//! **Front** ([`app::front::FrontLine`]): what a frame comes to, without memory from frame to
//! frame. A Jetstream frame is first looked at as bytes: its head, whether any of its texts can
//! hold a required literal of a query, which posts and links it names. Only frames that may match
//! are parsed; those that name nothing end here. A frame with an escape that can hide a letter
//! (backslash-u, `\/`), a layout servers do not send, or a character that folds to one of a literal
//! takes the full path. Both paths come to the same end, but for damage behind the head of a frame
//! that no brand concerns, which only a parse sees (`unmatched` instead of `malformed`); a test holds
//! that.
//!
//! Queries are compiled once: terms of all texts in one Aho-Corasick search, links in another, accounts
//! by their hashes; each query has literals of one of these kinds that every matching post must hold,
//! and the first look at raw bytes searches for just these in texts, in values of `"uri"` and in the
//! author. What costs more (NEAR, `followers:`, `raw:`) is asked of candidates only.
//!
//! **Own and staff accounts** are the front's business, since it knows every author: a post by staff
//! does not exist for that brand, one by the brand itself becomes [`base::model::EntryBody::Own`], and
//! an answer to it is a mention even if it names nothing.
//!
//! **Refs.** A repost has no text; replies and quotes matter without naming a brand. For an
//! unmatched frame the front passes hashes of what it names ([`base::model::Ref`]); only the
//! junction knows whether anybody tracks them. A hit is decoded and scored by the front's own
//! functions before it gets its number. Roles (parent, root, link) are not told apart before a
//! hit: a superset of the targets is enough to know a miss.
//!
//! **Junction** ([`enroll::Junction`]): the one ordered step. Entries are numbered without gaps.
//! A post that several brands concern gives one entry a brand. Which brands a share concerns is a
//! property of the post that is shared, not of its story: a reply that names a second brand does
//! not make every share of the thread a mention of that brand. A post nobody has seen (the unseen
//! root of a matched reply) is only a place where answers meet; shares of it concern nobody.
//!
//! **Stories.** Every story of a key has a course ([`fold`], `spread`): accounts with their largest weights, reach and
//! hostile reach in whole numbers, answers by tone, sources, languages, the own answer, who carried it, and a forecast; it is kept whatever
//! rules ask for, since messages tell it. Beyond [`base::limits::STORIES_PER_KEY`] the smallest leave, of these the least
//! recent. A share is a repost, a quote, or a post that came to its story by link or words.
//!
//! **Forecast** ([`fold::forecast`]): each share costs the same however many came before. What those who were
//! told will yet see is SEISMIC's; what it comes to, and so its state, is told by its own shape, which errs less.
//!
//! A post is in its parent's story, else its root's, else that of what it quotes, else its link's, else that of a text said alike
//! (similarity 0.9) by three accounts within ten minutes, else in a new one. Links meet in canonical form ([`base::link`]); most stand
//! in it and are only hashed. Copies count only of posts that name the brand, by nobody of the brand, of some nine words on. Posts and
//! stories of the junction are bounded ([`base::weighed`]): of the least recent, those of few accounts leave first, by value
//! and sequence of use.
//!
//! **Copies.** The front makes a sketch of each text (the smallest hashes of its pieces); the junction
//! gives near-identical texts the name of the first one, which `texts` and `lead` count.
//!
//! **Engine clock.** The largest of accepted event times and of Ticks. Live, an event time is
//! clamped to the last Tick + 5 s. In a recording a jump of more than a day must be confirmed by
//! the next line; at the beginning, where no time is known yet, frames are held until two agree,
//! so that a first line from 2100 costs no good one.
//!
//! **Time in the backs.** A Tick entry is numbered whenever engine time passes a whole second, and
//! goes to every shard. On a Tick a back looks at every group whose moment has come (a pane that
//! expires, a deadline of the life cycle), in order, *at* that moment. So a quiet brand clears and
//! resolves on time, a gap of a year costs as many looks as there are moments, and transitions do
//! not depend on how many Ticks there were. A group whose rules can only begin to hold when
//! something is counted, and that has no episode, is not looked at when something expires.
//!
//! **Back** ([`app::back::Back`]): fold and judge for the keys of one shard. Sums are integers
//! (weight x base reach), so they do not depend on the order of additions. Sums over distinct
//! accounts keep, for each account, its weight in each pane: late posts, edits and audiences
//! learned later correct them exactly.
//!
//! **Baselines.** A series with `rarity` or `lift` is kept in bins of five minutes beside its windows;
//! [`fold::surge`] holds the detector, fed at every look. It belongs to the series, so two rules on one
//! series share it, and its freezing. Bins in which a source that matters to the key was down teach
//! nothing; [`fold::Outages`] remembers when that was.
//!
//! **Sequences** (`A then B within t`) are the judge's: for each rule and group when A last held, and since when B does; judged at each look,
//! before the levels. **Hashtags** of a key's mentions are remembered with when each came up (`fold`, `terms`), whatever rules ask.
//! `usual(negative_share)` is a share that fades over a week, in constant state, so that no rule needs to keep a week of posts.
//!
//! **Rules change** with an entry of their own ([`base::model::EntryBody::RulesChanged`]). Keys are hashes of
//! slugs, so state outlives changed files. Frames sifted under older rules go through a front again;
//! windows, baselines and episodes that mean the same go on; new windows are counted from the posts
//! kept and are marked until whole; keys with another query are built anew from all posts kept. A
//! [`base::model::Transition`] tells the rule set it was made under. The golden tests change rules
//! between restarts and while recovering from the log.
//!
//! **Order and shards.** Transitions are ordered by (sequence, time, rule, group). Fronts on
//! threads get batches in turn and give them back in turn. The golden tests run every case with 1,
//! 2 and 5 shards, 0, 1 and 3 front threads, several batch sizes, with a restart and with recovery
//! from the log, and compare byte for byte.
//!
//! **Threads.** tokio does I/O only. Live, one thread runs the engine and one hands messages out;
//! `replay --threads N` runs N - 1 fronts beside the thread of junction and backs. Backs run
//! inline with the junction: with 3 % of frames reaching them they are not what is slow.
//!
//! # The service
//!
//! ```text
//!  sockets -> Protocol -> lane a source \                                                   / standard output (waited for)
//!  POST /v1/posts ------> lane a source  > Fair -> engine thread -> keeper thread -> letters <
//!  Ticks, followers, rules -> urgent lane/                            |  desk ^               \ Inbox a receiver (never waited for)
//!                                                                   store  snapshots, archive: housekeeping thread
//! ```
//!
//! **Sources.** [`collect::socket`] reads any WebSocket for ever; what is said over it is a
//! [`collect::socket::Protocol`]: Jetstream v1 and v2 ([`collect::jetstream`]: several servers, resumed by time,
//! zstd), any JSON ([`collect::json`]). A batch carries its source; formats are told apart in
//! decode. [`collect::health`] says whether a source is heard: connected, and not far below its own usual rate.
//!
//! **Audiences** ([`collect::audience`]): look-ups are decided by a pure state machine: fresh for a day, asked for once, kept over failures,
//! remembered by the store.
//!
//! **Fairness and back-pressure.** [`app::fair`] serves a bounded lane a source in turn, by frames. A full lane
//! makes its own source wait, and through TCP its server; no other. The engine waits for standard
//! output, never for another receiver: what one cannot take waits in its inbox, the oldest is
//! dropped and counted beyond 1,024.
//!
//! A recording ([`app::playing`]) is a source too, and then the only one: engine time is that of its frames.
//!
//! **Pushed posts** are answered when what came of them is on disk, post by post ([`serve`]).
//!
//! **Reload** ([`app::reload`]): files are read and queries compiled beside the stream; what mistakes there are
//! leaves everything as it is. The engine then looks through the posts kept a few at a time
//! ([`app::coming`]), changes its rules between two batches, and lets its keys follow a few at a time
//! ([`app::back::Back::follow`]), each at the latest when it is told of something, all of them with the next Tick. The
//! golden tests show that this comes to the same as doing all of it at once.
//!
//! **Stopping** goes in the order sources, engine, receivers, store, HTTP, each within its deadline.
//!
//! # Telling people
//!
//! ```text
//!  change -> incident -> silence -> inhibit -> group -> dedup -> Sending -> words -> form -> outbox -> deliver
//!            \_________________ desk (pure, in the keeper) ________/       \_ Writes _/    store    a task a receiver
//! ```
//!
//! **Desk** ([`notify::Desk`]): an episode that fires opens an [`notify::Incident`] or joins one: of its key, of its group or a brand of
//! its group, or of another brand of the group with the same story or top post. It is over with its last episode; nothing merges later. For each receiver it
//! remembers what was told, what is owed and when that is due; a look at what is due gives something to send, or a note of the
//! reason why not. Both, and the incident itself, are committed with the change that caused them, so a restart goes on where it was. Orders
//! of people (acknowledge, claim, close, silence) are taken by the same desk, in the same order.
//!
//! **Manners** ([`notify::Manner`]): machines (*feeds*) get every change as JSON, in one order; letters (mail, text) only what is worth one;
//! messages that are *edited* in place follow everything; pagers are opened, acknowledged and resolved; *state* is what Alertmanager keeps.
//! A page waits for nothing; other news wait for more of the same, for the end of quiet hours, or for a digest.
//!
//! **Words** ([`notify::view::View`]): one text for all forms, made of the notices of an incident in the order people ask: plain lines of bounded
//! length, with what strangers wrote stripped of control and direction characters and links defanged. Forms (HTML, Block Kit, one line) only
//! escape and arrange. Bodies in the outbox hold no secrets: carriers ([`notify::Carrier`]) know addresses and keys.
//!
//! **Delivering** ([`notify::Deliverer`]): letters about one incident in order, one at a time; a letter that fails waits longer and longer and holds up no
//! other incident; one that says all there is makes older ones of its incident needless. What is refused or too old stays in the outbox as a dead letter. A page that
//! a receiver has not taken for a minute is handed over to the next of its route, by the desk.
//!
//! **Acting** ([`notify::Acts`]): links of messages are signed for an incident, a receiver and a week; opening one changes nothing, only the form behind it does.
//!
//! # Files people can trust
//!
//! Mistakes and warnings are [`base::fault::Fault`]s with places; they are shown in their line by `app::report`. What looks wrong though it can be
//! read is found by `base::rule::lint`: conditions by intervals of what each measure can be, three-valued; queries by whether any post could
//! pass. **Tests** ([`app::testing`]) invent posts from a seed, write them as frames of the generic format and give them to the engine as it is,
//! with Ticks, outages and changes of rules; what is expected is read from transitions and from the words people would get. A failed test is played
//! again to see when its condition was closest. The reference of the rule language ([`base::rule::guide`], [`base::rule::expr::Measure::about`])
//! stands beside the types, and each example in it is read by the parsers.
//!
//! **Names** (`let`) are kept in expressions ([`base::rule::expr::Expr::Named`]), so that messages show a condition as it was written and what each name came to.
//!
//! **Shadow**: what a rule that tells nobody would have done is compared with its live twin once a day, from the store ([`base::rule::RuleSet`] knows twins).
//!
//! # Watching it
//!
//! **Metrics** ([`base::metric`]) are one table: name, type, unit, labels, how many sets of label values at most, help. Code refers to
//! entries; [`app::metrics`] registers all of them, leaves out and counts what would be one line too many, and takes off what a label names
//! that is gone. Label values come from files and closed lists. The reference in the docs is made from the table, and the dashboards and
//! alerts in `grafana/` are held against it. Counters of what is rare and matters (pages, verdicts, tries, reloads, heartbeats) stand at 0
//! before the first time; those of closed but long lists (outcomes, transitions, causes, lines of the ledger) begin with it.
//!
//! **Stages** ([`base::metric::Stage`]): what goes in is counted by a guard ([`app::metrics::InStage`]) that counts it out again on every path,
//! as `lost` if nobody said otherwise; so what came out and what is in flight always sum to what went in.
//!
//! **Brands** ([`app::brands`]): mentions are counted from entries; measures are asked of the backs, some keys at a look, at most once a
//! second. [`base::model::Vitals`] are counted along from the first time somebody asks, from the posts kept: they are in no snapshot, and nothing
//! that is decided depends on them, so `replay` does not pay for them.
//!
//! **Service manager** ([`app::watchdog`]): systemd hears that the service is ready and, only while engine and keeper turn
//! ([`app::pulse`]), that it is alive.
//!
//! **Demo** ([`app::demo`]): with an address to listen at it has everything a service has, so that every query of the dashboards finds something.
//!
//! # What outlives the service
//!
//! **Steps.** What one input does to the engine is a [`base::model::Step`]: the entries the backs were told, and
//! the changes of what the junction knows (a post enrolled, an account gone, followers learned), since entries hold
//! no references between posts. Looking something up in the junction is no use of it and leaves no trace, so that everything
//! the engine knows is a function of its steps, in their order. Steps are the log.
//!
//! **Keeping.** [`app::keeper`] takes steps, where their source goes on ([`base::model::Position`], opaque to all but
//! the source), decisions and messages, and writes them in one transaction ([`store::db::Commit`]): log block, positions, transitions
//! under (episode, step), letters in the outbox, lines of the ledger. Only then people are told and pushes answered. It knows no threads and
//! reads no clock; a thread runs it ([`app::keeper::thread`]), alone on the file. What has come to its end leaves the
//! outbox with the next transaction, so a crash in between sends a letter twice, under the same key.
//!
//! **Recovery** ([`app::recovery`]): the newest snapshot that is sound, then the log, taken again by the engine's own functions;
//! transitions that are in the store already are dropped. A snapshot is made beside the service by doing just
//! that ([`app::keeper::housekeeping`]): the engine never stands still for one, each is a rehearsal of recovery, and one that does not
//! give the transitions that were decided is not believed. It is written between commits, piece by piece; parts (the
//! junction, each key) that did not change are shared with the one before. Two are kept.
//!
//! **After an outage** ([`app::catch_up`]) event times move the engine clock and Ticks only say how far they may be believed; sources
//! that do not replay wait in their lanes; decisions are kept as untold. At the present each episode is told once.
//!
//! **When the store fails** the keeper tells from memory and keeps what is pending, within a limit; beyond it the log has a
//! hole, and the engine gives everything it knows as one snapshot (it stands still for that, and says so).
//!
//! **Archive** ([`store::archive`]): a file of its own, written from the log by housekeeping, so that nothing waits for its index. The
//! index over trigrams of folded text is a superset; the matcher of rules decides.
//!
//! **Simulation** (`tests/sim.rs`): the queue, engine thread, keeper, store and catching up as they are, on a virtual clock, with
//! torn commits, full disks, crashes, reloads, flaky receivers, all from a seed; the feature `broken` makes mistakes
//! ([`base::broken`]) that each invariant is seen to notice.
//!
//! # Invariants
//!
//! - Stages know `base` and themselves only; decode, enrich, enroll, fold, judge and base do no
//!   I/O, read no clock, draw no randomness, log nothing, know no tokio (`tests/tidy.rs`).
//! - Every frame ends in exactly one [`base::outcome::Outcome`]; outcomes sum to frames.
//! - Every queue, map and message has its maximum in [`base::limits`]; posts, stories, accounts,
//!   groups and episodes that are forgotten because of one are counted.
//! - What is forgotten is decided by use and sequence, never by hash order or time of day.
//! - Transitions are a function of the log of entries.
//! - Unknown stays unknown: followers that are not known are imputed (the running median of their
//!   source, 300 before any is known) and said to be; a language without a model has no tone.
//!
//! # Where this differs from the first design
//!
//! - Words end at apostrophes, dots and colons (UAX 29 joins over them), so that `united` is found
//!   in "United's" and "united.com".
//! - A Ref carries hashes without roles, and no offset; see above.
//! - The engine clock holds several frames at the beginning of a recording, not one.
//! - A held time must agree with the next line also in the middle of a recording; else one bad line
//!   before a real gap would set the clock for ever.
//! - Time in which a level is unknown does not count towards its `for`, and a pending episode that
//!   stays unknown ends with `no data`, as a firing one does.
//! - An episode's id also hashes the moment it became pending: one Tick can span many moments.
//! - A link is noted only of posts that name a brand themselves, for these brands: who quotes a
//!   complaint beside the day's news does not make the news a mention.
//! - An edit that names a further brand is a mention of it; a brand no longer named goes on counting.
//! - A frame that cannot be received is stepped over by resuming a little after the last good one.
//! - A page shows the brand's lift and rarity where its baseline is old enough, else the mean of its
//!   hostile reach in each hour of the past week.
//! - The page shows followers because audiences are looked up at the public AppView from the
//!   beginning; what is learned enters the log and corrects what was counted.
//! - A group is a key like a brand: its query is that of any of its brands, so a post that concerns
//!   two of them is one mention of the group.
//! - A rule can be for some brands only (`brands`), so that the cost of an entry does not depend on
//!   rules of other keys.
//! - Deeper answers in the thread of an own post count in its story; only direct answers and quotes are
//!   mentions. A repost of an own post is none.
//! - `response_time` is the time waited so far while nobody has answered: a rule that asks for
//!   unanswered stories could not be written with an unknown.
//! - The surge detector differs from the bare formulas by hours of the day, a least tail, a tail of the
//!   population for young series, and in that the tail goes on learning while the baseline is
//!   frozen; [`fold::surge`] says why. Its own alarm is at a return period of one day.
//! - One account adds at most two units (90 impressions) to a bin of a baseline.
//! - Posts that leave early because of the limit stay counted.
//! - A sample of accounts is drawn for each series by a threshold, not by a count: what was left out
//!   must stay left out until its pane expires.
//! - Story measures are kept until a day after the story's last post.
//! - Numbers and durations are types of the expression language, and do not mix.
//! - `new_term` is asked of groups by hashtag (`by: [brand, tag]`), so that a page names it; new is what was not seen for 1, 7 or 30 days, and
//!   nothing is in a brand's first week. It is true or false by itself, the one measure that is.
//! - In a sequence the second part must begin after the first; it holds as long as the second part does.
//! - `silence` is no window over nothing but the time since the last post, begun anew where sources were lost; what it means for a brand
//!   is said by `usual(mentions)`.
//! - A hashtag in a group is written with the cause in snapshots and logs, so that those of before are read.
//! - A rule can be in `shadow`: it is judged, counted and shown by `status`, and nobody is told.
//! - What no route matches goes to every receiver: better told twice than never.
//! - A silent source is one that falls below a tenth of its own usual rate, whatever its socket says.
//! - The log holds changes of the junction beside entries; a snapshot is made from the log, not by the engine, and is of one
//!   entry for all keys. Per key they differ in when they were last written.
//! - Positions of streams are committed with their steps, and a stream is resumed 5 s before: repeats change nothing.
//! - A digest of what is over is one message to every receiver its routes name, machines too.
//! - Silences and acknowledgements are no entries of the log: the engine decides the same with or without them. They are rows of the
//!   store, committed in the order they were given in.
//! - Episodes of one key that are open at the same time are always one incident; brands of a group only with a common story or top post.
//! - A closed incident takes in what is no worse without a word; what is worse opens a new one, which names it.
//! - Feeds (webhook, JSON on standard output) are told of changes, not of incidents; each change names its incident.
//! - Quiet hours do not hold back news of the service itself: a deaf service must not be quiet.
//! - Stages are counted by what they take and give, not by a metric of their own for each: frames also by source and outcome.
//! - What is usual for a brand is shown on dashboards by the middle hour of the past week; messages tell the mean.
//! - An incident can be closed with a verdict, which is counted by rule and not kept beside it but in its note and the ledger.
//! - `lead` leaves out texts of unknown tone, and `hostile_texts` and `other_texts` tell its two sides: with texts misjudged one
//!   time in three, hostile ones have to weigh more than others.
//! - The end of a story is not forecast by SEISMIC's formula but by the pace of its shares against its age; so is its state: n*p called 47 of 51
//!   large cascades dying at ten minutes, which then grew fivefold, and 50 of 51 at an hour (`cargo bench --bench stories`). SEISMIC tells the
//!   exposure still to come. Neither decides a page in the shipped rules.
//! - Posts that came to a story by its link or words are shares of it.
//! - A story group that is resolved has evidence too: how far it went.
//! - At most four links of a post are noted; a bare host never is. What a pasted copy answers is no part of the story of the text.
//! - A count of followers that was looked up is corrected by what is looked up later; what a post tells settles it.
//! - Look-ups of audiences are asked of the address of the first Jetstream source that names one.
//!
//! # What is not here yet
//!
//! Causes are told by a word list. Not built: Mastodon, Nostr and polled sources. Own accounts of Bluesky are known by DID only.

pub mod app;
pub mod base;
pub mod collect;
pub mod decode;
pub mod enrich;
pub mod enroll;
pub mod fold;
pub mod judge;
pub mod notify;
pub mod serve;
pub mod store;
