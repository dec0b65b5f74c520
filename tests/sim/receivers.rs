//! Receivers that fail, hang, refuse and forget to answer, and what they were sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use groundswell::app::keeper::{Delivery, Ended};
use groundswell::base::model::IncidentId;
use groundswell::base::time::{Span, Time};
use groundswell::notify::{Left, Letter, Pace, Pick, Queue};
use groundswell::store::db::LedgerRow;

use super::Dice;
use super::people::Said;

/// A message for a receiver, by both names.
pub type Name = (Arc<str>, Arc<str>);

/// How often, and what it said where it was recorded.
type Seen = (usize, Option<Vec<u8>>);

/// What one receiver has heard of one incident.
#[derive(Default)]
struct Heard {
    /// The last message it had not seen before.
    newest: u32,
    /// The last message since the start.
    latest: u32,
    /// The message that said that it is over.
    over: Option<u32>,
}

/// What waits for them in memory, and what they have seen for ever.
pub struct Receivers {
    /// Letters a queue holds.
    most: usize,
    pace: Pace,
    waiting: BTreeMap<Arc<str>, Queue>,
    rows: BTreeMap<Name, Option<i64>>,
    /// How often each message was seen, and what it said.
    pub seen: BTreeMap<Name, Seen>,
    /// What people were to be told by each letter that was ever handed on.
    pub said: BTreeMap<Name, Said>,
    heard: BTreeMap<(Arc<str>, IncidentId), Heard>,
    /// Told from memory, and not in the store: it is forgotten with the next crash.
    shaky: BTreeSet<(Arc<str>, IncidentId)>,
    /// How often the answer to each was lost on the way.
    pub unanswered: BTreeMap<Name, usize>,
}

impl Receivers {
    pub fn new(dice: &mut Dice) -> Receivers {
        let most = if dice.one_in(4) { 6 } else { 1024 };
        let kept = if dice.one_in(4) { Span::seconds(240) } else { Span::seconds(86_400) };
        let pace = Pace { most: Span::seconds(20), kept, ..Pace::default() };
        let (waiting, rows, seen, said) = Default::default();
        let (heard, shaky, unanswered) = Default::default();
        Receivers { most, pace, waiting, rows, seen, said, heard, shaky, unanswered }
    }

    pub fn take(&mut self, delivery: Delivery, now: Time, ended: &Ended) {
        let since = Time(now.0 - delivery.age.as_micros() as i64);
        for (row, l) in delivery.letters {
            let name = (l.receiver.clone(), l.key.clone());
            self.said.insert(name.clone(), Said::read(&l.body));
            self.rows.insert(name, row);
            let (incident, whole) = (l.incident, l.whole);
            let letter = Letter { key: l.key, body: l.body.into(), episode: l.episode, incident, whole };
            let queue = self.waiting.entry(l.receiver.clone()).or_insert_with(|| Queue::new(self.most));
            for left in queue.push(letter, since) {
                match left {
                    Left::Dropped(left) => ended.add(end(now, &l.receiver, &left, "dropped")),
                    Left::Superseded(left) => ended.add(end(now, &l.receiver, &left, "superseded")),
                }
            }
        }
    }

    pub fn waits(&self) -> usize {
        self.waiting.values().map(Queue::len).sum()
    }

    /// What was told from memory is in the store as well.
    pub fn recorded(&mut self) {
        self.shaky.clear();
    }

    pub fn crash(&mut self) {
        self.waiting.clear();
        self.rows.clear();
        for name in std::mem::take(&mut self.shaky) {
            self.heard.remove(&name);
        }
        self.heard.values_mut().for_each(|h| h.latest = 0);
    }

    /// One try, of a message that waits for one of them; gives when the next may be, where it is too soon. `stored`
    /// says whether a row is in the store at this moment.
    pub fn try_one(
        &mut self,
        dice: &mut Dice,
        now: Time,
        ended: &Ended,
        fails: bool,
        stored: &mut dyn FnMut(i64) -> bool,
    ) -> Result<Option<Time>, String> {
        let names: Vec<Arc<str>> = self.waiting.iter().filter(|(_, q)| !q.is_empty()).map(|(n, _)| n.clone()).collect();
        let Some(name) = names.get(dice.below(names.len() as u64) as usize) else { return Ok(None) };
        let queue = self.waiting.get_mut(name).unwrap();
        let waiting = match queue.pick(now) {
            Pick::Try(waiting) => waiting,
            Pick::Wait(until) => return Ok(Some(until)),
            Pick::Nothing => return Ok(None),
        };
        let letter = waiting.letter;
        let full = (name.clone(), letter.key.clone());
        let row = self.rows.get(&full).copied().flatten();
        if row.is_some_and(|id| !stored(id)) {
            return Err(format!("{name} is sent {} that is not in the outbox", letter.key));
        }
        if now - waiting.since >= self.pace.kept {
            queue.done(&letter.key);
            ended.add(end(now, name, &letter, "expired"));
            return Ok(None);
        }
        let fate = if fails { dice.below(12) } else { 11 };
        match fate {
            0..=2 => queue.again(&letter.key, &self.pace, now, 1.0),
            3..=4 => {
                queue.again(&letter.key, &self.pace, now, 0.0);
                *self.unanswered.entry(full.clone()).or_default() += 1;
            }
            5 if dice.one_in(4) => {
                queue.done(&letter.key);
                ended.add(end(now, name, &letter, "refused"));
                return Ok(None);
            }
            _ => {
                queue.done(&letter.key);
                ended.add(end(now, name, &letter, "delivered"));
            }
        }
        if fate > 2 { self.see(full, &letter, row).map(|()| None) } else { Ok(None) }
    }

    /// It has it.
    fn see(&mut self, name: Name, letter: &Letter, row: Option<i64>) -> Result<(), String> {
        let seen = self.seen.entry(name.clone()).or_default();
        // what is sent from memory says so, and may be told again in other words
        if row.is_some() && *seen.1.get_or_insert_with(|| letter.body.to_vec()) != letter.body {
            return Err(format!("{} is told {} in other words than before", name.0, name.1));
        }
        seen.0 += 1;
        let fresh = seen.0 == 1;
        for part in &self.said.get(&name).ok_or("expected what was said, found nothing")?.parts {
            let lane = (name.0.clone(), part.incident);
            if row.is_none() {
                self.shaky.insert(lane.clone());
            }
            let heard = self.heard.entry(lane).or_default();
            if part.step < heard.latest || (fresh && part.step <= heard.newest) {
                let (newest, latest) = (heard.newest, heard.latest);
                return Err(format!("{} is told {} out of order, after {newest} and {latest}", name.0, name.1));
            }
            if heard.over.is_some_and(|over| part.step > over) {
                return Err(format!("{} is told {} ({}) after it was over", name.0, name.1, part.news));
            }
            (heard.latest, heard.newest) = (part.step, heard.newest.max(part.step));
            heard.over = heard.over.or(part.over.then_some(part.step));
        }
        Ok(())
    }
}

fn end(at: Time, receiver: &Arc<str>, letter: &Letter, what: &'static str) -> LedgerRow {
    let (episode, incident, key) = (letter.episode, letter.incident, letter.key.clone());
    LedgerRow { at, episode, incident, key, what: what.into(), receiver: Some(receiver.clone()), detail: None }
}
