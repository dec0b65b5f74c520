//! The world: one service after the other on one store, and everything that can happen to them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::FutureExt;
use groundswell::app::clock::Clock;
use groundswell::app::config::{Config, JetstreamConfig, SourceConfig, SourceKind, StoreConfig};
use groundswell::app::engine::{self, Engine, Input};
use groundswell::app::engine_thread::EngineThread;
use groundswell::app::front::FrontLine;
use groundswell::app::gauged::{GaugedReceiver, gauged};
use groundswell::app::intake::{Fed, Intake, Lane, What, intake};
use groundswell::app::keeper::{Ended, Keep, Keeper, Now, Outbox};
use groundswell::app::recovery::{self, Kept};
use groundswell::app::start;
use groundswell::app::status::Status;
use groundswell::base::metric;
use groundswell::base::model::{EntryBody, FrameBatch, Position, SourceState, Transition};
use groundswell::base::outcome::Outcome;
use groundswell::base::rule::RuleSet;
use groundswell::base::time::{Span, Time};
use groundswell::enroll::ClockMode;
use groundswell::store::db::{Db, Keep as Forget, Round, StatePart};

use super::Dice;
use super::input::{Script, rules, zero};
use super::people::{self, Kept as Remembered, Told, Writer};
use super::receivers::Receivers;

/// Steps of one story.
const STEPS: usize = 260;
const FRAMES: usize = 160;

/// The true time, and what the machine's clock adds to it.
#[derive(Default)]
struct SimClock {
    now: AtomicI64,
    began: AtomicI64,
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        Time(self.now.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Option<Time> {
        Some(Time(self.now.load(Ordering::SeqCst) - self.began.load(Ordering::SeqCst)))
    }
}

/// A service that runs.
struct Running {
    status: Arc<Status>,
    thread: EngineThread,
    intake: Arc<Intake>,
    urgent: Lane,
    lanes: Vec<Lane>,
    items: GaugedReceiver<Keep>,
    keeper: Keeper,
    ended: Ended,
    beside: Db,
    connected: Vec<bool>,
    next: Vec<usize>,
    given: u64,
    reload: Option<tokio::sync::oneshot::Receiver<std::time::Duration>>,
    /// A round that is being written.
    writing: bool,
    /// Who waits to hear what came of an order.
    asked: Vec<tokio::sync::oneshot::Receiver<Result<String, String>>>,
}

pub struct World {
    told: bool,
    dice: Dice,
    /// One source, resumed exactly, its time the only one: the end must be that of a run without any
    /// interruption.
    exact: bool,
    forgets: bool,
    dir: tempfile::TempDir,
    generation: usize,
    clock: Arc<SimClock>,
    scripts: Vec<Script>,
    version: u64,
    receivers: Receivers,
    /// Incidents and silences as they were when they were recorded last, and as they are if a torn commit was whole.
    kept: Remembered,
    torn: Option<Remembered>,
    full: bool,
    crashes: usize,
    service: Option<Running>,
}

fn place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = memory.is_dir().then(|| tempfile::tempdir_in(memory).ok()).flatten();
    made.unwrap_or_else(|| tempfile::tempdir().unwrap())
}

impl World {
    pub fn new(seed: u64, told: bool) -> World {
        let mut dice = Dice::new(seed);
        let exact = dice.one_in(2);
        let sources = if exact { 1 } else { 1 + dice.below(3) };
        let scripts = (0..sources).map(|s| Script::new(&format!("s{s}"), FRAMES, &mut dice)).collect();
        let receivers = Receivers::new(&mut dice);
        let clock = Arc::new(SimClock::default());
        clock.now.store(zero().0, Ordering::SeqCst);
        World {
            told,
            exact,
            forgets: dice.one_in(3),
            dice,
            dir: place(),
            generation: 0,
            clock,
            scripts,
            version: 0,
            receivers,
            kept: Remembered::default(),
            torn: None,
            full: false,
            crashes: 0,
            service: None,
        }
    }

    pub fn run(mut self) -> Result<(), String> {
        let ended = self.live();
        if ended.is_err() && self.told {
            self.show_ledger();
        }
        ended
    }

    fn live(&mut self) -> Result<(), String> {
        self.start()?;
        for _ in 0..STEPS {
            self.step()?;
            self.check()?;
        }
        self.end()
    }

    fn show_ledger(&self) {
        let rows = Db::beside(&self.path()).ok().and_then(|db| people::ledger(&db).ok());
        for r in rows.unwrap_or_default() {
            let (to, incident) = (r.receiver.as_deref().unwrap_or("-"), r.incident.map_or(String::new(), |i| i.full()));
            println!("{} {to} {} {} {incident} {}", r.at.clock_utc(), r.what, r.key, r.detail.unwrap_or_default());
        }
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.told {
            println!("{} {}", self.clock.now().clock_utc(), what());
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join(format!("{}.db", self.generation))
    }

    fn now(&self) -> Now {
        Now { clock: self.clock.now(), uptime: self.clock.uptime().unwrap() }
    }

    fn mode(&self) -> ClockMode {
        if self.exact { ClockMode::Recording } else { ClockMode::Live }
    }

    fn start(&mut self) -> Result<(), String> {
        self.clock.began.store(self.clock.now().0, Ordering::SeqCst);
        let stream = || {
            SourceKind::Jetstream(JetstreamConfig {
                hosts: Vec::new(),
                protocol: Default::default(),
                compress: false,
                audience: None,
                ca: None,
            })
        };
        let sources = self.scripts.iter().map(|s| SourceConfig { info: s.info.clone(), kind: stream() }).collect();
        let keep = Span::seconds(86_400);
        let (path, max_bytes) = (self.path(), u64::MAX);
        let store = StoreConfig { path, keep_log: keep, keep_archive: keep, keep_ledger: keep, max_bytes };
        let config = Config { store: Some(store), ..Config::new(sources) };
        let status = Arc::new(Status::new(self.clock.clone(), Arc::new(config)).map_err(|e| e.to_string())?);
        let (ended, rules) = (Ended::default(), rules(self.version));
        let begun = start::begin(&status, &rules, self.mode(), Box::new(Writer::new()), ended.clone());
        let begun = begun.map_err(|e| format!("cannot start: {e}"))?;
        if begun.keeper.trouble().is_some() {
            return Err(format!("starts without its store: {:?}", begun.keeper.trouble()));
        }
        let (intake, urgent) = intake();
        let (to_keeper, items) = gauged(64, status.queues.keeper.clone());
        let (lookups, _) = tokio::sync::mpsc::channel(1);
        let mut thread = EngineThread::new(begun.engine, status.clone(), to_keeper, lookups, None);
        if let Some(catch_up) = begun.catch_up {
            intake.hold();
            thread = thread.catching_up(catch_up);
        }
        let now = self.clock.now();
        begun.waiting.into_iter().for_each(|d| self.receivers.take(d, now, &ended));
        let position = |s: &Script| {
            let stored = begun.positions.get(&s.info.name);
            stored.map_or(Ok(0), |p| p.0.parse::<usize>().map_err(|e| format!("position {p:?}: {e}")))
        };
        let mut next: Vec<usize> = self.scripts.iter().map(position).collect::<Result<_, String>>()?;
        if !self.exact {
            // streams that are resumed by time bring some of it again
            next.iter_mut().for_each(|n| *n = n.saturating_sub(self.dice.below(4) as usize));
        }
        self.say(|| format!("started, sources at {next:?}"));
        let lanes = self.scripts.iter().map(|_| intake.lane(true)).collect();
        let beside = Db::beside(&self.path()).map_err(|e| e.to_string())?;
        let stored = people::stored(&beside)?;
        if stored != self.kept && self.torn.as_ref() != Some(&stored) {
            return Err("incidents are not what they were when they were recorded".to_string());
        }
        people::none_stuck(&stored.incidents, &beside)?;
        (self.kept, self.torn) = (stored, None);
        let (connected, keeper) = (vec![false; self.scripts.len()], begun.keeper);
        let mut running = Running {
            status,
            thread,
            intake,
            urgent,
            lanes,
            items,
            keeper,
            ended,
            beside,
            connected,
            next,
            given: 0,
            reload: None,
            writing: false,
            asked: Vec::new(),
        };
        if !running.thread.begin(rules) {
            return Err("nobody keeps".to_string());
        }
        self.service = Some(running);
        if !self.exact {
            self.feed(Input::Tick(now))?;
        }
        self.keep();
        if self.full {
            self.fill_disk(true)?;
        }
        Ok(())
    }

    fn service(&mut self) -> &mut Running {
        self.service.as_mut().unwrap()
    }

    fn feed(&mut self, input: Input) -> Result<(), String> {
        let running = self.service.as_mut().unwrap();
        let fed = Fed::now(input);
        if running.urgent.send(fed).now_or_never() != Some(true) {
            return Err("the urgent lane takes nothing".to_string());
        }
        self.turn()
    }

    fn turn(&mut self) -> Result<(), String> {
        let running = self.service();
        if !running.thread.turn(&running.intake) {
            return Err("the engine ended".to_string());
        }
        self.keep();
        Ok(())
    }

    /// What the keeper's thread does.
    fn keep(&mut self) {
        let now = self.now();
        let running = self.service.as_mut().unwrap();
        running.keeper.hear(now);
        while let Ok(item) = running.items.try_recv() {
            running.keeper.take(item, now);
        }
        running.keeper.tick(now);
        running.status.set_unrecorded(running.keeper.trouble().cloned(), running.keeper.wants_whole(now));
    }

    fn commit(&mut self) -> Result<(), String> {
        let now = self.now();
        let running = self.service.as_mut().unwrap();
        let deliveries = running.keeper.commit(now);
        if running.keeper.is_recording() {
            self.kept = Remembered::of(running.keeper.desk());
            self.receivers.recorded();
        }
        if running.asked.drain(..).any(|mut answer| answer.try_recv().is_err()) {
            return Err("an order was never answered".to_string());
        }
        deliveries.into_iter().for_each(|d| self.receivers.take(d, now.clock, &running.ended));
        self.keep();
        Ok(())
    }

    /// Somebody orders something, about incidents or about a letter that died.
    fn order(&mut self) -> Result<(), String> {
        let now = self.now();
        let running = self.service.as_mut().unwrap();
        let (to, answer) = tokio::sync::oneshot::channel();
        let what = if self.dice.one_in(4) {
            let all = running.beside.outbox(usize::MAX >> 1).map_err(|e| e.to_string())?;
            let dead: Vec<i64> = all.iter().filter(|r| r.dead.is_some()).map(|r| r.id).collect();
            let Some(id) = dead.get(self.dice.below(dead.len() as u64) as usize).copied() else { return Ok(()) };
            let what = if self.dice.one_in(3) { Outbox::Drop(id, "Ana".into()) } else { Outbox::Retry(id) };
            Keep::Outbox(what, to)
        } else {
            let Some(order) = people::order(&mut self.dice, running.keeper.desk()) else { return Ok(()) };
            Keep::Order(order, to)
        };
        let said = match &what {
            Keep::Order(order, _) => format!("ordered: {:?}", order.task),
            Keep::Outbox(what, _) => format!("ordered: {what:?}"),
            _ => String::new(),
        };
        running.keeper.take(what, now);
        running.asked.push(answer);
        self.say(|| said);
        self.keep();
        Ok(())
    }

    fn step(&mut self) -> Result<(), String> {
        match self.dice.below(100) {
            0..=40 => self.frames()?,
            41..=44 => self.order()?,
            45..=54 if !self.exact => self.tick()?,
            55..=69 => {
                if self.service().keeper.due().is_some_and(|due| due <= self.now().uptime) || self.dice.one_in(3) {
                    self.commit()?;
                }
            }
            70..=81 => drop(self.deliver(true)?),
            82..=84 => self.connection()?,
            85..=86 if !self.exact => self.reload()?,
            87..=90 => self.house()?,
            91..=92 => {
                let full = !self.full && self.dice.one_in(2);
                self.fill_disk(full)?;
            }
            93..=95 => self.crash()?,
            96 => self.stop_well()?,
            _ => {
                let time = self.dice_span(4000);
                self.pass(time);
                self.keep();
            }
        }
        if self.service().reload.is_some() {
            self.turn()?;
            let done = self.service().reload.as_mut().is_some_and(|r| r.try_recv().is_ok());
            if done {
                self.service().reload = None;
            }
        }
        Ok(())
    }

    fn dice_span(&mut self, ms: u64) -> Span {
        Span::millis(self.dice.below(ms) as i64)
    }

    fn pass(&self, time: Span) {
        self.clock.now.fetch_add(time.0, Ordering::SeqCst);
    }

    fn tick(&mut self) -> Result<(), String> {
        let time = self.dice_span(9000);
        self.pass(time);
        let now = self.clock.now();
        self.feed(Input::Tick(now))
    }

    fn connection(&mut self) -> Result<(), String> {
        let at = self.dice.below(self.scripts.len() as u64) as usize;
        let name = self.scripts[at].info.name.clone();
        let exact = self.exact;
        let back = self.dice.below(4) as usize;
        let running = self.service();
        if exact {
            running.connected[at] = true;
            return Ok(());
        }
        running.connected[at] = !running.connected[at];
        let state = if running.connected[at] { SourceState::Up } else { SourceState::Down };
        if state == SourceState::Up {
            running.next[at] = running.next[at].saturating_sub(back);
        }
        self.feed(Input::Source(name, state))
    }

    fn frames(&mut self) -> Result<(), String> {
        let at = self.dice.below(self.scripts.len() as u64) as usize;
        let n = 1 + self.dice.below(6) as usize;
        if !self.service().connected[at] {
            self.connection()?;
            return Ok(());
        }
        self.give(at, n)
    }

    fn give(&mut self, at: usize, n: usize) -> Result<(), String> {
        let from = self.service().next[at];
        let script = &self.scripts[at];
        // what has not happened yet cannot be told
        let until = self.clock.now() + Span::seconds(3);
        let live = !self.exact;
        let frames: Vec<_> = script.frames[from..]
            .iter()
            .take(n)
            .take_while(|(t, _)| !live || *t <= until)
            .map(|(_, f)| f.clone())
            .collect();
        if frames.is_empty() {
            return Ok(());
        }
        let (n, source) = (frames.len(), script.info.clone());
        if !live {
            self.clock.now.fetch_max(script.frames[from + n - 1].0.0, Ordering::SeqCst);
        }
        let position = Some(Position((from + n).to_string().into()));
        let running = self.service.as_mut().unwrap();
        running.next[at] = from + n;
        running.given += n as u64;
        running.status.waits(n).sent();
        let batch = FrameBatch { source, frames, position };
        if running.lanes[at].send(Fed::now(Input::Frames(batch))).now_or_never() != Some(true) {
            return Err("a lane takes nothing".to_string());
        }
        self.turn()
    }

    fn reload(&mut self) -> Result<(), String> {
        if self.service().reload.is_some() {
            return Ok(());
        }
        self.version += 1;
        self.say(|| "other rules".to_string());
        let rules = rules(self.version);
        let front = Box::new(FrontLine::new(&rules, true));
        let (to, answer) = tokio::sync::oneshot::channel();
        let running = self.service.as_mut().unwrap();
        running.reload = Some(answer);
        let fed = Fed::now_of(What::Rules(rules, front, to));
        let sent = running.urgent.send(fed).now_or_never();
        if sent != Some(true) { Err("the urgent lane takes nothing".to_string()) } else { self.turn() }
    }

    /// One try; gives when the next may be, where it is too soon.
    fn deliver(&mut self, fails: bool) -> Result<Option<Time>, String> {
        let now = self.clock.now();
        let running = self.service.as_mut().unwrap();
        let beside = &running.beside;
        let mut stored = |id| beside.waiting().unwrap().iter().any(|w| w.id == id);
        self.receivers.try_one(&mut self.dice, now, &running.ended, fails, &mut stored)
    }

    /// What housekeeping does, and the keeper's thread between commits.
    fn house(&mut self) -> Result<(), String> {
        let (mode, now, forgets, begin) = (self.mode(), self.now(), self.forgets, self.dice.one_in(2));
        let pages = self.dice.below(4) as usize;
        let running = self.service.as_mut().unwrap();
        if running.writing {
            running.writing = running.keeper.write_on();
        } else if begin {
            let Some(rebuilt) =
                recovery::rebuild(&running.beside, mode, 1, &mut |_| true).map_err(|e| e.to_string())?
            else {
                return Ok(());
            };
            if !rebuilt.missing.is_empty() || !rebuilt.problems.is_empty() {
                return Err(format!(
                    "transitions are not a function of the log: {} are new, {:?}",
                    rebuilt.missing.len(),
                    rebuilt.problems
                ));
            }
            let mut engine = rebuilt.engine;
            let parts = engine.snapshot().unwrap();
            let (as_of, fingerprint) = (engine.junction().seq(), engine.rules().fingerprint);
            let round = Round { id: 0, block: rebuilt.block, as_of, fingerprint, at: now.clock };
            let parts = parts.into_iter().map(|p| StatePart::new(p.name, &p.bytes)).collect();
            running.keeper.take(Keep::Round(round, parts), now);
            running.writing = true;
        }
        running.beside.checkpoint().map_err(|e| e.to_string())?;
        if let Some(db) = running.keeper.db() {
            if forgets {
                let old = now.clock - Span::seconds(30);
                let keep = Forget { log: old, ledger: Time(0), bytes: u64::MAX, block: i64::MAX };
                db.forget(&keep).map_err(|e| e.to_string())?;
            }
            let _ = db.sweep_pieces(8);
            let _ = db.shrink(pages);
        }
        Ok(())
    }

    fn fill_disk(&mut self, full: bool) -> Result<(), String> {
        let room = self.dice.below(12) * 4096;
        let running = self.service.as_mut().unwrap();
        self.full = full;
        let Some(db) = running.keeper.any_db() else { return Ok(()) };
        let size = db.bytes().map_err(|e| e.to_string())?;
        db.end_disk_at(if full { size + room } else { 1 << 40 }).map_err(|e| e.to_string())?;
        self.say(|| format!("disk full: {full}"));
        Ok(())
    }

    /// Everything in memory is gone. Sometimes in the middle of a commit: of what it wrote only a
    /// part is there, with rubbish behind it.
    fn crash(&mut self) -> Result<(), String> {
        let wal = |p: &Path| PathBuf::from(format!("{}-wal", p.display()));
        let size = |p: &Path| std::fs::metadata(wal(p)).map_or(0, |m| m.len());
        let (old, before) = (self.path(), size(&self.path()));
        let torn = self.dice.one_in(2);
        if torn {
            let now = self.now();
            // nobody hears of it
            let running = self.service();
            let _ = running.keeper.commit(now);
            let recorded = running.keeper.is_recording();
            self.torn = recorded.then(|| Remembered::of(self.service().keeper.desk()));
        }
        let after = size(&old);
        self.generation += 1;
        let new = self.path();
        std::fs::copy(&old, &new).map_err(|e| e.to_string())?;
        let mut log = std::fs::read(wal(&old)).unwrap_or_default();
        if torn && after > before {
            let cut = before + self.dice.below(after - before + 1);
            log.truncate(cut as usize);
            if self.dice.one_in(2) {
                let rubbish = self.dice.roll();
                log.resize(after as usize, rubbish as u8);
            }
        }
        std::fs::write(wal(&new), log).map_err(|e| e.to_string())?;
        self.service = None;
        for gone in [old.clone(), wal(&old)] {
            let _ = std::fs::remove_file(gone);
        }
        self.crashes += 1;
        self.receivers.crash();
        let down = if self.dice.one_in(3) { self.dice_span(400_000) } else { self.dice_span(5000) };
        if !self.exact {
            self.pass(down);
        }
        self.say(|| format!("crash (torn: {torn}), down for {down}"));
        self.full = self.full && self.dice.one_in(2);
        self.start()
    }

    /// What a stop in order does: everything is kept, then it starts again.
    fn stop_well(&mut self) -> Result<(), String> {
        self.commit()?;
        // what could not be recorded is lost with the memory
        self.crashes += usize::from(self.service().keeper.trouble().is_some());
        self.service = None;
        // what waits for receivers is in the outbox
        self.receivers.crash();
        self.say(|| "stopped and started".to_string());
        self.start()
    }

    /// What must hold at each step.
    fn check(&mut self) -> Result<(), String> {
        let running = self.service.as_ref().unwrap();
        let counted: f64 = self
            .scripts
            .iter()
            .flat_map(|s| Outcome::ALL.iter().map(|o| (s.info.name.clone(), o.name())))
            .map(|(s, o)| running.status.metrics.get(&metric::FRAMES, &[&s, o]).unwrap_or(0.0))
            .sum();
        // in a recording the first ones wait for their times to be confirmed
        let held = if self.exact { 8 } else { 0 };
        let given = running.given as f64;
        if counted > given || counted + f64::from(held) < given {
            return Err(format!("outcomes sum to {counted}, frames to {given}"));
        }
        for (name, (n, _)) in &self.receivers.seen {
            let unanswered = self.receivers.unanswered.get(name).copied().unwrap_or(0);
            if *n > 1 + self.crashes + unanswered {
                return Err(format!("{} saw {} {n} times after {} crashes", name.0, name.1, self.crashes));
            }
        }
        people::one_a_key(running.keeper.desk())?;
        if self.dice.one_in(6) { self.check_ledger() } else { Ok(()) }
    }

    fn check_ledger(&self) -> Result<(), String> {
        let running = self.service.as_ref().unwrap();
        people::each_ends_once(&running.beside, &people::ledger(&running.beside)?, self.crashes)?;
        if people::stored(&running.beside)? != self.kept {
            return Err("incidents are not what they were when they were recorded".to_string());
        }
        Ok(())
    }

    /// Delivers all that waits, in as much time as that takes.
    fn deliver_all(&mut self) -> Result<(), String> {
        while self.receivers.waits() > 0 {
            if let Some(until) = self.deliver(false)? {
                self.clock.now.fetch_max(until.0, Ordering::SeqCst);
            }
        }
        Ok(())
    }

    /// Everything is told, kept and delivered; then all of it is looked at.
    fn end(&mut self) -> Result<(), String> {
        self.fill_disk(false)?;
        self.pass(Span::seconds(2));
        self.commit()?;
        if !self.exact {
            self.pass(Span::seconds(FRAMES as i64 * 100));
        }
        for at in 0..self.scripts.len() {
            if !self.service().connected[at] {
                let name = self.scripts[at].info.name.clone();
                self.service().connected[at] = true;
                if !self.exact {
                    self.feed(Input::Source(name, SourceState::Up))?;
                }
            }
            while self.service().next[at] < FRAMES {
                self.give(at, 7)?;
            }
        }
        let ended =
            if self.exact { Some(Input::Source(self.scripts[0].info.name.clone(), SourceState::End)) } else { None };
        if let Some(end) = ended {
            self.feed(end)?;
        }
        for _ in 0..if self.exact { 0 } else { 40 } {
            self.pass(Span::seconds(30));
            let now = self.clock.now();
            self.feed(Input::Tick(now))?;
        }
        for _ in 0..20 {
            self.pass(Span::seconds(8));
            self.keep();
            self.commit()?;
            self.deliver_all()?;
        }
        self.keep();
        while self.receivers.waits() > 0 || self.service().keeper.due().is_some() {
            self.commit()?;
            self.deliver_all()?;
            self.keep();
        }
        self.check()?;
        self.check_ledger()?;
        self.check_all()
    }

    fn check_all(&mut self) -> Result<(), String> {
        let mode = self.mode();
        let db = &self.service.as_ref().unwrap().beside;
        let rows = db.transitions(None).map_err(|e| e.to_string())?;
        let stored: Vec<Transition> = rows.into_iter().map(|r| r.transition.unwrap()).collect();
        if !self.forgets {
            let made = from_log(db, mode)?;
            same("transitions are not a function of the log", &made, &stored)?;
        }
        if self.exact {
            let mut engine = Engine::new(rules(self.version), ClockMode::Recording, 1);
            let mut straight = Vec::new();
            let source = self.scripts[0].info.clone();
            let frames = self.scripts[0].frames.iter().map(|(_, f)| f.clone()).collect();
            let batch = FrameBatch { source: source.clone(), frames, position: None };
            straight.extend(engine.step(Input::Frames(batch)).transitions);
            straight.extend(engine.step(Input::Source(source.name.clone(), SourceState::End)).transitions);
            same("not what an uninterrupted run decides", &straight, &stored)?;
        }
        let told = Told {
            ledger: people::ledger(db)?,
            incidents: Remembered::of(self.service.as_ref().unwrap().keeper.desk()).incidents,
            receivers: &self.receivers,
            rules: (0..=self.version).map(rules).map(|r| (r.fingerprint, r)).collect(),
            exact: self.exact,
        };
        told.nothing_lost(&stored)?;
        told.handed_well()?;
        people::none_stuck(&told.incidents, db)?;
        if let Some(w) = db.waiting().map_err(|e| e.to_string())?.first() {
            return Err(format!("queued messages were never delivered: {} to {}", w.letter.key, w.letter.receiver));
        }
        let untold = db.untold().map_err(|e| e.to_string())?;
        if !untold.is_empty() {
            return Err(format!("{} changes were never told of", untold.len()));
        }
        let problems = db.check().map_err(|e| e.to_string())?;
        if problems.is_empty() { Ok(()) } else { Err(format!("the store is not sound: {problems:?}")) }
    }
}

/// What the whole log comes to, from nothing.
fn from_log(db: &Db, mode: ClockMode) -> Result<Vec<Transition>, String> {
    let blocks = db.blocks_after(0, usize::MAX >> 1).map_err(|e| e.to_string())?;
    let steps: Vec<_> = blocks.into_iter().flat_map(|b| b.steps.unwrap()).collect();
    let mut kept = Kept::new(db);
    let mut known = |fingerprint| -> Arc<RuleSet> { kept.get(fingerprint).unwrap().unwrap() };
    let mut engine: Option<Engine> = None;
    let mut out = Vec::new();
    for step in steps {
        for e in &step.entries {
            if let EntryBody::RulesChanged { fingerprint } = e.body {
                let rules = known(fingerprint);
                engine.get_or_insert_with(|| Engine::new(rules.clone(), mode, 1)).know(rules);
            }
        }
        let mut found = Vec::new();
        engine.as_mut().ok_or("the log does not begin with its rules")?.again(&step, &mut found);
        engine::sort(&mut found);
        out.extend(found);
    }
    Ok(out)
}

fn same(what: &str, expected: &[Transition], found: &[Transition]) -> Result<(), String> {
    // a text that was deleted since is gone from what was stored
    let plain = |t: &Transition| Transition { evidence: None, ..t.clone() };
    let (a, b): (Vec<_>, Vec<_>) = (expected.iter().map(plain).collect(), found.iter().map(plain).collect());
    if a == b {
        return Ok(());
    }
    let at = a.iter().zip(&b).position(|(x, y)| x != y).unwrap_or(a.len().min(b.len()));
    Err(format!("{what}: {} instead of {}, from {at} on: {:?} instead of {:?}", b.len(), a.len(), b.get(at), a.get(at)))
}
