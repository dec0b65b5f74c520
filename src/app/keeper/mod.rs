//! What the engine decides, made durable before anybody is told: steps, positions, changes and
//! messages go into the store together, in groups. Where that is not possible it goes on from
//! memory, and everybody is told so.
//!
//! Knows no threads and reads no clock; [`thread`] runs it, and so does the simulation.

mod archiving;
mod audiences;
mod comparing;
pub mod housekeeping;
mod orders;
mod pending;
mod rounds;
pub mod thread;
mod untold;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::app::intake::Ends;
use crate::app::snapshot::Part;
use crate::base::broken::{self, Broken};
use crate::base::limits;
use crate::base::model::{EntryBody, IncidentId, LookedUp, Message, Notice, Outage, Position, Seq, Step, StoreNotice};
use crate::base::rule::RuleSet;
use crate::base::time::Time;
use crate::notify::{Desk, Order, Policy, Sending};
use crate::store::db::{DOWN_SINCE, Db, Handle, Kind, LedgerRow, Letter, Round, StatePart, StoreError};

pub use comparing::Days;
pub use orders::{Changed, Outbox};
use pending::{Pending, Words};
use rounds::Writing;
pub use untold::Untold;

/// What a step of the engine gives to keep.
pub struct Stepped {
    /// What it adds to the log.
    pub step: Step,
    /// What was decided.
    pub notices: Vec<Notice>,
    /// Where its source goes on after it.
    pub position: Option<(Arc<str>, Position)>,
    /// When what caused it was received.
    pub received: Instant,
}

/// What is to be kept, in its order.
pub enum Keep {
    /// A step of the engine.
    Step(Box<Stepped>),
    /// Rules that steps after this may name.
    Rules(Arc<RuleSet>),
    /// News of a source.
    Message(Message),
    /// Somebody waits to hear how frames ended, once what came before is kept.
    Ends(oneshot::Sender<Result<Ends, String>>, Ends),
    /// Somebody orders something about incidents or receivers, and waits to hear what came of it.
    Order(Order, oneshot::Sender<Result<String, String>>),
    /// Somebody orders something about a letter of the outbox.
    Outbox(Outbox, oneshot::Sender<Result<String, String>>),
    /// What was learned of accounts that were looked up.
    Audiences(Vec<LookedUp>),
    /// Days were compared.
    Compared(Days),
    /// The past is caught up with.
    Live,
    /// The log does not give what the engine knows: what is wrong with it.
    Holed(Vec<String>),
    /// A snapshot made beside the service.
    Round(Round, Vec<StatePart>),
    /// Everything the engine knows after an entry, with the rule set it was made under: asked for by
    /// [`Keeper::wants_whole`].
    Whole(Seq, u64, Vec<Part>),
}

/// Who is told what, and the form it takes.
pub trait Tell: Send {
    /// Who is told what, as the config in force says.
    fn policy(&self) -> Arc<Policy>;
    /// What is sent, as its receiver gets it; with why nothing is recorded, where that is so. `None` where this receiver is
    /// not told of such things.
    fn render(&mut self, sending: &Sending, unrecorded: Option<&str>) -> Option<Vec<u8>>;
}

/// Tells nobody by letter.
pub struct NoLetters;

impl Tell for NoLetters {
    fn policy(&self) -> Arc<Policy> {
        Arc::default()
    }

    fn render(&mut self, _: &Sending, _: Option<&str>) -> Option<Vec<u8>> {
        None
    }
}

/// A message that may be told, with its letters and their rows in the outbox.
#[derive(Debug)]
pub struct Delivery {
    /// The message; `None` for letters of before that are sent only now.
    pub message: Option<Message>,
    /// How long it waited before.
    pub age: Duration,
    /// Its letters; without a row where nothing is recorded.
    pub letters: Vec<(Option<i64>, Letter)>,
}

/// Messages that have come to their end, until that is kept. Whoever adds never waits.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    done: Arc<Mutex<Vec<LedgerRow>>>,
    handles: Arc<Mutex<Vec<Handle>>>,
    closed: Arc<AtomicBool>,
}

impl Ended {
    /// Adds one.
    pub fn add(&self, done: LedgerRow) {
        self.locked().push(done);
    }

    /// By what a receiver knows an incident from now on.
    pub fn know(&self, receiver: &str, incident: IncidentId, handle: &str) {
        let handle = Handle { receiver: receiver.into(), incident, handle: handle.to_string() };
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
    }

    /// Nothing will be added any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether nothing will be added any more.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether some wait to be kept.
    pub fn waits(&self) -> bool {
        !self.locked().is_empty()
    }

    fn take(&self) -> Vec<LedgerRow> {
        std::mem::take(&mut *self.locked())
    }

    fn take_handles(&self) -> Vec<Handle> {
        std::mem::take(&mut *self.handles.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn locked(&self) -> MutexGuard<'_, Vec<LedgerRow>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time, by the Clock and by one that never goes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Now {
    /// The Clock.
    pub clock: Time,
    /// Time since the start.
    pub uptime: Time,
}

/// Why nothing is recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unrecorded {
    /// Since when, by the Clock.
    pub since: Time,
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub hint: String,
}

struct Trouble {
    told: Unrecorded,
    /// When it is tried again, by uptime; never where there is no store.
    retry: Time,
}

/// Keeps.
pub struct Keeper {
    db: Option<Db>,
    trouble: Option<Trouble>,
    tell: Box<dyn Tell>,
    desk: Desk,
    changed: Changed,
    ended: Ended,
    pending: Pending,
    untold: Option<Untold>,
    writing: Option<Writing>,
    /// Steps were let go of that are not in the log: only a whole snapshot mends that.
    gap: bool,
    lost: u64,
    /// Lines of the ledger since somebody asked.
    words: Words,
    /// What was learned of accounts, and is in no store yet.
    learned: Vec<LookedUp>,
}

impl Keeper {
    /// In a store; without one nothing is kept and nobody misses it.
    pub fn new(db: Option<Db>, tell: Box<dyn Tell>, ended: Ended) -> Keeper {
        let (pending, trouble) = (Pending::default(), None);
        let (desk, changed, untold, writing) = (Desk::default(), Changed::default(), None, None);
        let (gap, lost, words, learned) = (false, 0, Words::new(), Vec::new());
        Keeper { db, trouble, tell, desk, changed, ended, pending, untold, writing, gap, lost, words, learned }
    }

    /// With what people were told of before.
    pub fn remembering(mut self, desk: Desk) -> Keeper {
        self.desk = desk;
        self
    }

    /// What people are told about.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Goes on from memory from the beginning, because the store cannot be used.
    pub fn without(mut self, e: &StoreError, now: Now) -> Keeper {
        self.db = None;
        self.fails(e, now);
        self
    }

    /// Log or snapshots have holes, which only everything the engine knows can mend.
    pub fn holed(mut self, problems: &[String], now: Now) -> Keeper {
        self.mend(problems, now);
        self
    }

    fn mend(&mut self, problems: &[String], now: Now) {
        let (kind, what) = (Kind::Damaged, problems.join("; "));
        self.fails(&StoreError { kind, what, hint: "what could be read is in force".to_string() }, now);
        self.gap = true;
        if let Some(trouble) = &mut self.trouble {
            trouble.retry = now.uptime;
        }
    }

    /// A change that came of the log and is not in the store: it is told when people are.
    pub fn missed(&mut self, notice: Notice, now: Now) {
        self.pending.decide(&notice, self.untold.is_none(), now);
        self.pending.begin(now);
        match &mut self.untold {
            Some(untold) => untold.note(notice),
            None => self.message(Message::Episode(notice), now),
        }
    }

    /// The past is being caught up with: nobody is told of anything before [`Keep::Live`].
    pub fn catching_up(mut self, untold: Untold) -> Keeper {
        self.untold = Some(untold);
        self
    }

    /// Notes since when people could not be told, for a start that comes before they are.
    pub fn note_down(&mut self, since: Time) {
        if let Some(db) = &self.db {
            // one that is not noted is told with a later beginning
            let _ = db.set_meta(DOWN_SINCE, &since.to_string());
        }
    }

    /// Why nothing is recorded, where that is so.
    pub fn trouble(&self) -> Option<&Unrecorded> {
        self.trouble.as_ref().map(|t| &t.told)
    }

    /// Whether what is committed now is on disk.
    pub fn is_recording(&self) -> bool {
        self.db.is_some() && self.trouble.is_none()
    }

    /// How many lines the ledger got since the last call, by what they say.
    pub fn take_words(&mut self) -> impl Iterator<Item = (Cow<'static, str>, u64)> + use<> {
        std::mem::take(&mut self.words).into_iter()
    }

    /// Whether it has a store, be it one that fails.
    pub fn has_store(&self) -> bool {
        self.db.is_some()
    }

    /// Whether the engine is asked for everything it knows.
    pub fn wants_whole(&self, now: Now) -> bool {
        self.gap && self.db.is_some() && self.trouble.as_ref().is_none_or(|t| now.uptime >= t.retry)
    }

    /// Entries that wait to be kept, and those that were let go of.
    pub fn waiting(&self) -> (usize, u64) {
        (self.pending.entries, self.lost)
    }

    /// Takes something to keep.
    pub fn take(&mut self, what: Keep, now: Now) {
        match what {
            Keep::Step(s) => self.step(*s, now),
            Keep::Rules(rules) => self.pending.rules.push(rules),
            Keep::Message(m) => self.message(m, now),
            Keep::Ends(to, ends) => {
                self.pending.begin(now);
                self.pending.urgent = true;
                self.pending.ends.push((to, ends));
            }
            Keep::Order(order, to) => self.order(&order, to, now),
            Keep::Outbox(what, to) => self.outbox(&what, to, now),
            Keep::Audiences(learned) => self.learned(learned),
            Keep::Compared(days) => self.pending.compare(days, now.uptime),
            Keep::Live => self.live(now),
            Keep::Holed(problems) if self.trouble.is_none() => self.mend(&problems, now),
            Keep::Holed(_) => {}
            Keep::Round(round, parts) => self.begin_round(&round, parts),
            Keep::Whole(as_of, fingerprint, parts) => self.whole(as_of, fingerprint, &parts, now),
        }
    }

    fn step(&mut self, s: Stepped, now: Now) {
        for entry in &s.step.entries {
            if let EntryBody::Delete { gone, .. } = &entry.body {
                self.desk.forget_texts(*gone);
            }
        }
        self.pending.add(s.step, s.position, now);
        let silent = self.untold.is_some();
        for notice in s.notices {
            self.pending.decide(&notice, !silent, now);
            match &mut self.untold {
                Some(untold) => untold.note(notice),
                None => self.message(Message::Episode(notice), now),
            }
        }
        if self.pending.entries > limits::UNRECORDED_ENTRIES && self.trouble.is_some() {
            self.lost += self.pending.forget_steps();
            self.gap = true;
        }
    }

    fn message(&mut self, message: Message, now: Now) {
        let out = self.desk.take(&message, &self.tell.policy(), now.clock);
        self.pending.begin(now);
        self.pending.urgent = true;
        let rows = self.rows();
        self.pending.told(Some(message), out, rows, now);
    }

    /// Tells what has become due by time alone.
    pub fn tick(&mut self, now: Now) {
        if self.untold.is_some() {
            return;
        }
        let out = self.desk.tick(&self.tell.policy(), now.clock);
        let rows = self.rows();
        if out.sendings.is_empty() && out.notes.is_empty() && rows.is_empty() {
            return;
        }
        self.pending.begin(now);
        self.pending.urgent |= !out.sendings.is_empty();
        self.pending.told(None, out, rows, now);
    }

    fn live(&mut self, now: Now) {
        let Some(untold) = self.untold.take() else { return };
        self.pending.all_told = true;
        let over = untold.over();
        for message in untold.messages(now.clock) {
            self.message(message, now);
        }
        // also of those that no digest has room for
        self.desk.ended(&over, &self.tell.policy(), now.clock);
        let rows = self.rows();
        self.pending.remember(rows);
        self.pending.begin(now);
        self.pending.urgent = true;
    }

    /// When it wants to commit, by uptime; `None` while there is nothing to.
    pub fn due(&self) -> Option<Time> {
        let since = self.pending.since?;
        if self.pending.urgent {
            return Some(since);
        }
        let waited_for = self.pending.entries > 0 || self.pending.has_ended();
        let wait = if waited_for { limits::COMMIT_EVERY } else { limits::POSITIONS_EVERY };
        Some(since + wait)
    }

    /// Hears which messages have come to their end. That is kept along with what is pending, or as
    /// late as entries are: a commit of its own would only keep waiting what people are to be told,
    /// and receivers know by its key a message that they get again.
    pub fn hear(&mut self, now: Now) {
        for done in self.ended.take() {
            self.desk.heard(&done.what, done.receiver.as_deref(), &done.key);
            self.pending.end(done, now);
        }
        if !broken::is(Broken::HeardNotKept) {
            // else what leaves the outbox now would after a crash be waited for without end
            let rows = self.rows();
            self.pending.remember(rows);
        }
        self.pending.handles.extend(self.ended.take_handles());
    }

    /// Keeps what is pending, and gives what may be told now.
    pub fn commit(&mut self, now: Now) -> Vec<Delivery> {
        self.hear(now);
        let mut out = Vec::new();
        if self.db.is_none() || self.gap || self.trouble.as_ref().is_some_and(|t| now.uptime < t.retry) {
            self.go_on(now, &mut out);
            return out;
        }
        let written = match &mut self.db {
            Some(db) => self.pending.write(db, &mut *self.tell, now, &mut self.words),
            None => return out,
        };
        match written {
            Ok(mut deliveries) => {
                out.append(&mut deliveries);
                if self.trouble.is_some() {
                    self.sound_again(now, &mut out);
                }
            }
            Err(e) => {
                self.fails(&e, now);
                self.go_on(now, &mut out);
            }
        }
        out
    }

    /// Tells from memory.
    fn go_on(&mut self, now: Now, out: &mut Vec<Delivery>) {
        let why = self.trouble.as_ref().map(|t| t.told.why.clone());
        self.pending.tell(&mut *self.tell, why.as_deref(), now, out);
        if self.db.is_none() {
            self.pending.pass(&mut self.words);
        }
    }

    fn fails(&mut self, e: &StoreError, now: Now) {
        let retry = if self.db.is_some() { now.uptime + limits::STORE_RETRY } else { Time(i64::MAX) };
        if let Some(trouble) = &mut self.trouble {
            trouble.retry = retry;
            return;
        }
        let told = Unrecorded { since: now.clock, why: e.what.clone(), hint: e.hint.clone() };
        let (since, why) = (told.since, format!("{}; {}", e.what, e.hint));
        self.trouble = Some(Trouble { told, retry });
        self.writing = None;
        self.message(Message::Store(StoreNotice { at: now.clock, down: true, since, why }), now);
    }

    fn sound_again(&mut self, now: Now, out: &mut Vec<Delivery>) {
        let Some(trouble) = self.trouble.take() else { return };
        let notice = StoreNotice { at: now.clock, down: false, since: trouble.told.since, why: String::new() };
        self.message(Message::Store(notice), now);
        out.append(&mut self.commit(now));
    }

    /// The store, even while it fails.
    pub fn any_db(&mut self) -> Option<&mut Db> {
        self.db.as_mut()
    }

    /// The store, for upkeep between commits.
    pub fn db(&mut self) -> Option<&mut Db> {
        if self.trouble.is_some() { None } else { self.db.as_mut() }
    }
}

/// The outage before a start: from the last commit to now.
pub fn outage(last: Time, now: Time) -> Option<Outage> {
    (last > Time(0) && now - last >= limits::OUTAGE_TOLD).then_some(Outage { from: last, to: now })
}

/// Whether a start may go on from memory in spite of what is wrong with its store.
pub fn is_endurable(e: &StoreError) -> bool {
    matches!(e.kind, Kind::Full | Kind::ReadOnly | Kind::Damaged | Kind::Io)
}
