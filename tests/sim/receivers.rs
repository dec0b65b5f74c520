//! Receivers that fail, hang and forget to answer, and what they were sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use groundswell::app::keeper::{Delivery, Ended, Tell};
use groundswell::base::time::Time;
use groundswell::notify::{Policy, Sending, feed};
use groundswell::store::db::{LedgerRow, Letter};

use super::Dice;

/// `keyed` knows by the key what it got already, `plain` does not.
pub const NAMES: [&str; 2] = ["keyed", "plain"];

/// Writes letters to both.
pub struct Writer;

impl Tell for Writer {
    fn policy(&self) -> Arc<Policy> {
        Arc::new(Policy::feeds(&NAMES))
    }

    fn render(&mut self, sending: &Sending, unrecorded: Option<&str>) -> Option<Vec<u8>> {
        feed(&sending.content, &sending.key, unrecorded).map(String::into_bytes)
    }
}

/// How often, and what it said where it was recorded.
type Seen = (usize, Option<Vec<u8>>);

/// What waits for them in memory, and what they have seen for ever.
#[derive(Default)]
pub struct Receivers {
    waiting: BTreeMap<Arc<str>, VecDeque<(Option<i64>, Letter)>>,
    /// How often each message was seen, by receiver and key, and what it said.
    pub seen: BTreeMap<(Arc<str>, Arc<str>), Seen>,
    /// Tries whose answer was lost on the way.
    pub unanswered: usize,
}

impl Receivers {
    pub fn take(&mut self, delivery: Delivery) {
        for (row, letter) in delivery.letters {
            self.waiting.entry(letter.receiver.clone()).or_default().push_back((row, letter));
        }
    }

    pub fn waits(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }

    pub fn crash(&mut self) {
        self.waiting.clear();
    }

    /// One try, of the first message that waits for one of them. `stored` says whether a row is in the
    /// store at this moment.
    pub fn try_one(
        &mut self,
        dice: &mut Dice,
        now: Time,
        ended: &Ended,
        fails: bool,
        stored: &mut dyn FnMut(i64) -> bool,
    ) -> Result<(), String> {
        let names: Vec<Arc<str>> = self.waiting.iter().filter(|(_, q)| !q.is_empty()).map(|(n, _)| n.clone()).collect();
        let Some(name) = names.get(dice.below(names.len() as u64) as usize) else { return Ok(()) };
        let queue = self.waiting.get_mut(name).unwrap();
        let (row, letter) = queue.front().cloned().unwrap();
        if row.is_some_and(|id| !stored(id)) {
            return Err(format!("{name} is sent {} that is not in the outbox", letter.key));
        }
        let fate = if fails { dice.below(4) } else { 3 };
        if fate == 0 {
            return Ok(());
        }
        let seen = self.seen.entry((name.clone(), letter.key.clone())).or_default();
        // what is sent from memory says so, and may be told again in other words
        if row.is_some() && *seen.1.get_or_insert_with(|| letter.body.clone()) != letter.body {
            return Err(format!("{name} is told {} in other words than before", letter.key));
        }
        seen.0 += 1;
        if fate == 1 {
            self.unanswered += 1;
            return Ok(());
        }
        queue.pop_front();
        let (episode, key, receiver) = (letter.episode, letter.key.clone(), Some(name.clone()));
        let incident = letter.incident;
        ended.add(LedgerRow { at: now, episode, incident, key, what: "delivered".into(), receiver, detail: None });
        Ok(())
    }
}
