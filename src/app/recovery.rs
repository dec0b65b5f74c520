//! What a service knew, made again from its store: the newest snapshot that is sound, then the log.
//! The same is done beside the running service, to make the next snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::engine::{self, Engine};
use crate::app::snapshot::Part;
use crate::base::model::{EntryBody, Step, Transition, step};
use crate::base::rule::{RuleSet, StoredRules};
use crate::enroll::ClockMode;
use crate::store::db::{Db, Round, StoreError};

/// Blocks read at once.
const BLOCKS: usize = 32;

/// An engine as it stood after a block of the log.
pub struct Rebuilt {
    /// The engine.
    pub engine: Engine,
    /// The last block it has taken.
    pub block: i64,
    /// Entries of the log that were taken again.
    pub entries: u64,
    /// Changes that came of them and are not in the store.
    pub missing: Vec<Transition>,
    /// What could not be read, in words.
    pub problems: Vec<String>,
    /// Whether a whole snapshot is needed, because log or snapshots have holes.
    pub holed: bool,
}

/// Rule sets that the store has kept; each is read once.
pub struct Kept<'d> {
    db: &'d Db,
    known: BTreeMap<u64, Arc<RuleSet>>,
}

impl<'d> Kept<'d> {
    /// Those of a store.
    pub fn new(db: &'d Db) -> Kept<'d> {
        Kept { db, known: BTreeMap::new() }
    }

    /// The rule set of a fingerprint, if the store has kept it and this version reads it.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub fn get(&mut self, fingerprint: u64) -> Result<Option<Arc<RuleSet>>, StoreError> {
        if let Some(rules) = self.known.get(&fingerprint) {
            return Ok(Some(rules.clone()));
        }
        let Some(bytes) = self.db.rules(fingerprint)? else { return Ok(None) };
        let stored: Option<StoredRules> = postcard::from_bytes(&bytes).ok();
        let Some(Ok(rules)) = stored.map(|s| s.load()) else { return Ok(None) };
        let rules = Arc::new(rules);
        self.known.insert(fingerprint, rules.clone());
        Ok(Some(rules))
    }
}

/// Makes the engine again; `None` where the store knows nothing yet. `go_on` is told how many
/// entries were taken, and says whether to go on; if not, the engine is as far as it got.
///
/// # Errors
/// Where the store cannot be read. What is damaged in it is told as a problem.
pub fn rebuild(
    db: &Db,
    mode: ClockMode,
    shards: usize,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<Rebuilt>, StoreError> {
    let mut kept = Kept::new(db);
    let mut problems = Vec::new();
    let (end, last, _) = db.end_of_log()?;
    let mut found = None;
    let rounds = db.rounds()?;
    for round in &rounds {
        match from_round(db, round, shards, &mut kept)? {
            Ok(engine) => {
                found = Some((engine, round.block));
                break;
            }
            Err(why) => problems.push(format!("snapshot {}: {why}; an older one is taken", round.id)),
        }
    }
    if end == 0 && rounds.is_empty() {
        return Ok(None);
    }
    let (engine, block) = match found {
        Some(found) => found,
        None => match from_nothing(db, mode, shards, &mut kept)? {
            Ok(engine) => (engine, 0),
            Err(why) => {
                problems.push(format!("{why}: windows and baselines begin anew after entry {last}"));
                return Ok(Some(anew(db, problems, mode, shards)?));
            }
        },
    };
    let holed = !problems.is_empty();
    let mut rebuilt = Rebuilt { engine, block, entries: 0, missing: Vec::new(), problems, holed };
    rebuilt.take_log(&mut kept, go_on)?;
    Ok(Some(rebuilt))
}

fn from_round(
    db: &Db,
    round: &Round,
    shards: usize,
    kept: &mut Kept<'_>,
) -> Result<Result<Engine, String>, StoreError> {
    let Some(rules) = kept.get(round.fingerprint)? else {
        return Ok(Err("expected the rules it was made under, found none that can be read".to_string()));
    };
    let parts: Vec<Part> = db.parts(round.id)?.into_iter().map(|(name, bytes)| Part { name, bytes }).collect();
    Ok(Engine::restore(rules, &parts, shards).map_err(|e| e.to_string()))
}

/// From a log that is there from its beginning.
fn from_nothing(
    db: &Db,
    mode: ClockMode,
    shards: usize,
    kept: &mut Kept<'_>,
) -> Result<Result<Engine, String>, StoreError> {
    let blocks = db.blocks_after(0, 1)?;
    let Some(first) = blocks.first().filter(|b| b.id == 1) else {
        return Ok(Err("expected a snapshot or the log from its beginning, found neither".to_string()));
    };
    let steps: &[Step] = first.steps.as_deref().unwrap_or_default();
    let entries = steps.iter().flat_map(|s| &s.entries);
    let mut under = entries.filter_map(|e| match e.body {
        EntryBody::RulesChanged { fingerprint } => Some(fingerprint),
        _ => None,
    });
    let Some(fingerprint) = under.next() else {
        return Ok(Err("expected a log that begins with its rules, found none".to_string()));
    };
    Ok(match kept.get(fingerprint)? {
        Some(rules) => {
            let mut engine = Engine::new(rules, mode, shards);
            engine.stand_at(0);
            Ok(engine)
        }
        None => Err("expected the rules the log began under, found none that can be read".to_string()),
    })
}

/// An engine without past that numbers its entries after those of the log.
fn anew(db: &Db, problems: Vec<String>, mode: ClockMode, shards: usize) -> Result<Rebuilt, StoreError> {
    let (block, last, _) = db.end_of_log()?;
    let nothing = Arc::new(RuleSet::nothing());
    let mut engine = Engine::new(nothing, mode, shards);
    engine.stand_at(last);
    Ok(Rebuilt { engine, block, entries: 0, missing: Vec::new(), problems, holed: true })
}

impl Rebuilt {
    /// Takes what the log holds after it.
    fn take_log(&mut self, kept: &mut Kept<'_>, go_on: &mut dyn FnMut(u64) -> bool) -> Result<(), StoreError> {
        let db = kept.db;
        loop {
            let blocks = db.blocks_after(self.block, BLOCKS)?;
            if blocks.is_empty() {
                return Ok(());
            }
            for block in blocks {
                match &block.steps {
                    Ok(steps) => steps.iter().try_for_each(|s| self.take(s, kept))?,
                    Err(e) => {
                        let from = self.engine.junction().seq() + 1;
                        self.problems.push(format!(
                            "block {} of the log {e}: entries {from} to {} are lost",
                            block.id, block.last
                        ));
                        self.holed = true;
                        self.engine.stand_at(block.last);
                    }
                }
                self.block = block.id;
                if !go_on(self.entries) {
                    return Ok(());
                }
            }
        }
    }

    fn take(&mut self, s: &Step, kept: &mut Kept<'_>) -> Result<(), StoreError> {
        let expected = self.engine.junction().seq() + 1;
        if let Some((first, _)) = s.range().filter(|(first, _)| *first != expected) {
            self.problems.push(format!("log: expected entry {expected}, found entry {first}: those between are lost"));
            self.holed = true;
        }
        for e in &s.entries {
            if let EntryBody::RulesChanged { fingerprint } = e.body {
                match kept.get(fingerprint)? {
                    Some(rules) => self.engine.know(rules),
                    None => {
                        self.problems.push(format!(
                            "rules {fingerprint:016x}: expected to find them, found none that can be read; those before stay"
                        ));
                        self.holed = true;
                    }
                }
            }
        }
        let mut found = Vec::new();
        self.engine.again(s, &mut found);
        self.entries += s.entries.len() as u64;
        engine::sort(&mut found);
        for t in found {
            if !kept.db.has_step(t.episode, step(&t))? {
                self.missing.push(t);
            }
        }
        Ok(())
    }
}
