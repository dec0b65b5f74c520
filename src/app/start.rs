//! How a service begins: from its store, from memory where the store cannot be used, or without one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::catch_up::CatchUp;
use crate::app::config::{SourceKind, StoreConfig};
use crate::app::engine::Engine;
use crate::app::keeper::{self, Delivery, Ended, Keeper, Now, Tell, Untold};
use crate::app::recovery::{self, Kept, Rebuilt};
use crate::app::status::Status;
use crate::base::broken::{self, Broken};
use crate::base::limits;
use crate::base::model::{LookedUp, Message, Notice, Position};
use crate::base::rule::RuleSet;
use crate::base::secret::Secret;
use crate::base::time::Time;
use crate::enroll::ClockMode;
use crate::notify::{Acts, Desk, Sending};
use crate::store::db::{DOWN_SINCE, Db, LedgerRow, StoreError, Waiting};

/// What a service begins with.
pub struct Begun {
    /// The engine, as it stood when the last step was kept.
    pub engine: Engine,
    /// What keeps.
    pub keeper: Keeper,
    /// Messages that were not delivered yet.
    pub waiting: Vec<Delivery>,
    /// Where sources go on.
    pub positions: BTreeMap<Arc<str>, Position>,
    /// What is to be caught up with.
    pub catch_up: Option<CatchUp>,
    /// The store, if there is one to keep house in.
    pub store: Option<StoreConfig>,
    /// What is known of accounts that were looked up.
    pub audiences: Vec<LookedUp>,
}

/// Begins.
///
/// # Errors
/// Where the store is another service's, of a newer version, or no store at all: mistakes that
/// nobody is helped by going on with.
pub fn begin(
    status: &Arc<Status>,
    rules: &Arc<RuleSet>,
    mode: ClockMode,
    mut tell: Box<dyn Tell>,
    ended: Ended,
) -> io::Result<Begun> {
    let now = Now { clock: status.clock().now(), uptime: status.uptime() };
    let fresh = |keeper| Begun {
        engine: Engine::new(rules.clone(), mode, 1).gradual(),
        keeper,
        waiting: Vec::new(),
        positions: BTreeMap::new(),
        catch_up: None,
        store: None,
        audiences: Vec::new(),
    };
    let Some(config) = status.config().store.clone() else {
        status.set_acts(acts(None));
        return Ok(fresh(Keeper::new(None, tell, ended)));
    };
    // nothing leaves the log before the archive has seen it
    status.set_archived(0);
    let opened = Db::open(&config.path).and_then(|db| read(&db, mode).map(|stored| (db, stored)));
    match opened {
        Ok((db, mut stored)) => {
            let reached = stored.rebuilt.as_ref().and_then(|r| r.engine.junction().now());
            if let Some(reached) = reached.filter(|_| mode == ClockMode::Recording) {
                // else what is noted before the next frame would be of 1970, and soon forgotten
                status.set_engine_time(reached);
            }
            let now = Now { clock: status.clock().now(), ..now };
            note_past(status, &db, stored.rebuilt.is_some(), now.clock);
            status.set_acts(acts(Some(&db)));
            let store = Some(config.clone());
            stored.write_damaged_anew(&db, &mut *tell, now.clock);
            stored.give_up_damaged(&ended, now.clock);
            let begun = stored.begin(status, rules, mode, Keeper::new(Some(db), tell, ended), now);
            Ok(Begun { store, ..begun })
        }
        Err(e) if keeper::is_endurable(&e) => {
            status.set_acts(acts(None));
            let keeper = Keeper::new(None, tell, ended.clone()).without(&e, now);
            // what cannot be written may be read
            let stored = Db::read_only(&config.path).and_then(|db| read(&db, mode));
            Ok(match stored {
                Ok(mut stored) => {
                    stored.give_up_damaged(&ended, now.clock);
                    stored.begin(status, rules, mode, keeper, now)
                }
                Err(e) => {
                    tracing::error!(error = %e, hint = e.hint, "nothing of the past is known");
                    fresh(keeper)
                }
            })
        }
        Err(e) => Err(io::Error::other(format!("{e}\n  hint: {}", e.hint))),
    }
}

/// Notes since when the store knows the past.
fn note_past(status: &Status, db: &Db, known: bool, now: Time) {
    let stored = db.meta(PAST_SINCE).ok().flatten().and_then(|t| Time::parse_rfc3339(&t)).filter(|_| known);
    if stored.is_none() {
        // one that is not noted is taken to be shorter
        let _ = db.set_meta(PAST_SINCE, &now.to_string());
    }
    status.set_past(stored.unwrap_or(now));
}

/// A secret that nobody can guess; `None` where no random numbers can be had.
pub(super) fn secret() -> Option<String> {
    let mut bytes = [0u8; 32];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// What signs links of messages: the same after a restart, so that links of before stay good.
fn acts(db: Option<&Db>) -> Option<Acts> {
    let stored = db.and_then(|db| db.meta(ACT_SECRET).ok().flatten()).filter(|s| s.len() >= 32);
    let secret = stored.or_else(|| {
        let fresh = secret()?;
        // one that is not kept is made again: links of before are refused then
        let _ = db.map(|db| db.set_meta(ACT_SECRET, &fresh));
        Some(fresh)
    })?;
    Acts::new(&Secret::new(secret))
}

/// What signs links of messages.
const ACT_SECRET: &str = "act_secret";

/// Since when the store knows the past.
pub(crate) const PAST_SINCE: &str = "past_since";

/// What a store holds that a service needs to begin.
struct Stored {
    rebuilt: Option<Rebuilt>,
    waiting: Vec<Waiting>,
    positions: BTreeMap<Arc<str>, Position>,
    untold: Vec<Notice>,
    last: Time,
    down_since: Option<Time>,
    path: PathBuf,
    desk: Desk,
    audiences: Vec<LookedUp>,
}

fn read(db: &Db, mode: ClockMode) -> Result<Stored, StoreError> {
    let (_, _, last) = db.end_of_log()?;
    let rebuilt = recovery::rebuild(db, mode, 1, &mut |_| true)?;
    let (positions, damaged) = db.positions()?;
    for source in damaged {
        let what = format!("position of source {source}: expected what was written, found damage; it goes on from now");
        tracing::error!("{what}");
    }
    let (mut kept, mut untold) = (Kept::new(db), Vec::new());
    let mut changes = db.untold()?;
    if broken::is(Broken::ToldAgain) {
        changes.extend(db.transitions(None)?.into_iter().filter_map(|r| r.transition));
    }
    for t in changes {
        let rules = kept.get(t.made_under)?;
        untold.extend(rules.map(|rules| Notice { transition: t, rules, outage: None }));
    }
    let down_since = db.meta(DOWN_SINCE)?.and_then(|t| Time::parse_rfc3339(&t));
    let desk = remembered(db, &mut kept, last)?;
    let (waiting, path) = (db.waiting()?, db.path().to_path_buf());
    // who is not remembered is asked for again
    let audiences = db.audiences(limits::LOOKUPS_KEPT).unwrap_or_default();
    Ok(Stored { rebuilt, waiting, positions, untold, last, down_since, path, desk, audiences })
}

/// What people were told of before.
fn remembered(db: &Db, kept: &mut Kept<'_>, last: Time) -> Result<Desk, StoreError> {
    let rows = db.incidents(last - limits::INCIDENT_KEPT, limits::INCIDENTS)?;
    let damaged = rows.iter().filter(|r| r.bytes.is_none()).count();
    if damaged > 0 {
        tracing::error!(damaged, "incidents in the store are damaged; their episodes are told anew where they change");
    }
    let incidents: Vec<Vec<u8>> = rows.into_iter().filter_map(|r| r.bytes).collect();
    let mut desk = Desk::of_rows(&incidents, &db.silences(Time(i64::MIN))?);
    let mut notices = BTreeMap::new();
    for (episode, step) in desk.wanted() {
        let Some(t) = db.decided(episode, step)? else { continue };
        if let Some(rules) = kept.get(t.made_under)? {
            notices.insert(episode, Notice { transition: t, rules, outage: None });
        }
    }
    desk.know(notices);
    Ok(desk)
}

impl Stored {
    /// Messages that waited and are not as they were are written again from what was decided: what machines are
    /// told at once, and people are told anew of their incident.
    fn write_damaged_anew(&mut self, db: &Db, tell: &mut dyn Tell, now: Time) {
        let mut kept = Kept::new(db);
        for w in self.waiting.iter_mut().filter(|w| w.damaged) {
            if let Some(incident) = w.letter.incident {
                self.desk.again(incident, &w.letter.receiver, now);
                continue;
            }
            let step = w.letter.key.rsplit('-').next().and_then(|hex| u64::from_str_radix(hex, 16).ok());
            let (Some(episode), Some(step)) = (w.letter.episode, step) else { continue };
            let Ok(Some(transition)) = db.decided(episode, step) else { continue };
            let Ok(Some(rules)) = kept.get(transition.made_under) else { continue };
            let message = Message::Episode(Notice { transition, rules, outage: None });
            let sending = Sending::feed(&message, w.letter.receiver.clone(), self.desk.incident_of(episode));
            if let Some(body) = tell.render(&sending, None) {
                let (receiver, key) = (&*w.letter.receiver, &*w.letter.key);
                tracing::warn!(receiver, key, "a message that waited was damaged; it is written anew");
                (w.letter.body, w.damaged) = (body, false);
            }
        }
    }

    /// Messages that waited and are not as they were, and cannot be written again, are sent to nobody.
    fn give_up_damaged(&mut self, ended: &Ended, at: Time) {
        for Waiting { letter: l, .. } in self.waiting.extract_if(.., |w| w.damaged) {
            tracing::error!(receiver = &*l.receiver, key = &*l.key, "a message that waited is damaged; it is not sent");
            let (what, detail) = ("dropped".into(), Some("damaged in the store".to_string()));
            let (episode, incident, receiver) = (l.episode, l.incident, Some(l.receiver));
            ended.add(LedgerRow { at, episode, incident, key: l.key, what, receiver, detail });
        }
    }

    fn begin(self, status: &Arc<Status>, rules: &Arc<RuleSet>, mode: ClockMode, mut keeper: Keeper, now: Now) -> Begun {
        let waiting = self.waiting.into_iter().map(|w| delivery(w, now.clock)).collect();
        keeper = keeper.remembering(self.desk);
        let audiences = self.audiences;
        let Some(rebuilt) = self.rebuilt else {
            let mut engine = Engine::new(rules.clone(), mode, 1).gradual();
            engine.note_changes();
            keeper.take(keeper::Keep::Rules(rules.clone()), now);
            let positions = self.positions;
            return Begun { engine, keeper, waiting, positions, catch_up: None, store: None, audiences };
        };
        tell_problems(&rebuilt.problems, &self.path);
        if rebuilt.holed {
            keeper = keeper.holed(&rebuilt.problems, now);
        }
        // what a log with holes gives was never decided
        let missing = if rebuilt.holed { Vec::new() } else { rebuilt.missing };
        let behind: Vec<Arc<str>> = replaying(status).filter(|s| self.positions.contains_key(s)).collect();
        let catch_up = (mode == ClockMode::Live && !behind.is_empty()).then(|| CatchUp::new(behind, now.uptime));
        if mode == ClockMode::Live {
            let from = self.down_since.unwrap_or(self.last);
            let mut untold = Untold::new(keeper::outage(from, now.clock));
            self.untold.into_iter().for_each(|n| untold.note(n));
            keeper = keeper.catching_up(untold);
            missing.into_iter().for_each(|t| keeper.missed(rebuilt.engine.notice(t), now));
            if catch_up.is_none() {
                keeper.take(keeper::Keep::Live, now);
            } else {
                keeper.note_down(from);
            }
        }
        let mut engine = rebuilt.engine.gradual();
        engine.note_changes();
        tracing::info!(entries = rebuilt.entries, last = engine.junction().seq(), "went on from the store");
        Begun { engine, keeper, waiting, positions: self.positions, catch_up, store: None, audiences }
    }
}

fn tell_problems(problems: &[String], path: &Path) {
    for problem in problems {
        tracing::error!(store = %path.display(), "{problem}");
    }
}

/// Sources that tell again what was missed.
fn replaying(status: &Status) -> impl Iterator<Item = Arc<str>> {
    let config = status.config();
    let names: Vec<Arc<str>> = config
        .sources
        .iter()
        .filter(|s| matches!(s.kind, SourceKind::Jetstream(_)))
        .map(|s| s.info.name.clone())
        .collect();
    names.into_iter()
}

fn delivery(w: Waiting, now: Time) -> Delivery {
    Delivery { message: None, age: (now - w.at).as_std(), letters: vec![(Some(w.id), w.letter)] }
}
