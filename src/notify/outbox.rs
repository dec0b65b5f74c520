//! What waits for one receiver, as a pure state machine: letters about one incident go in order, one at
//! a time; those about others do not wait for one that fails.

use std::collections::{BTreeSet, VecDeque};

use super::Letter;
use crate::base::backoff;
use crate::base::broken::{self, Broken};
use crate::base::model::IncidentId;
use crate::base::time::Time;

use super::courier::Pace;

/// What was pushed, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// When it was pushed, on the queue's clock.
    pub since: Time,
    /// The letter.
    pub letter: Letter,
    /// Tries so far.
    pub tries: u32,
    /// No try before, because tries of it failed.
    not_before: Time,
    /// No try before, because the receiver fails.
    held: Time,
    in_flight: bool,
}

/// What is to be done next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pick {
    /// This letter is on its way now; how it fared is to be told.
    Try(Box<Waiting>),
    /// Nothing before this time.
    Wait(Time),
    /// Nothing waits.
    Nothing,
}

/// A letter that will not be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Left {
    /// There was no room for it.
    Dropped(Letter),
    /// A later one about its incident says more.
    Superseded(Letter),
}

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    most: usize,
    waiting: VecDeque<Waiting>,
}

impl Queue {
    /// An empty one that holds `most` letters, at least one.
    pub fn new(most: usize) -> Queue {
        Queue { most: most.max(1), waiting: VecDeque::new() }
    }

    /// Adds a letter; gives back what is not sent because of it. What is on its way is never among these.
    pub fn push(&mut self, letter: Letter, since: Time) -> Vec<Left> {
        let mut left = Vec::new();
        if self.holds(&letter.key) {
            // asked for again while it waits: once is enough
            return left;
        }
        if let Some(incident) = letter.incident.filter(|_| letter.whole) {
            let older = |w: &Waiting| !w.in_flight && w.letter.whole && w.letter.incident == Some(incident);
            let (older, others) = std::mem::take(&mut self.waiting).into_iter().partition(older);
            self.waiting = others;
            left.extend(Vec::from(older).into_iter().map(|w: Waiting| Left::Superseded(w.letter)));
        }
        if self.waiting.iter().filter(|w| !w.in_flight).count() >= self.most
            && let Some(oldest) = self.waiting.iter().position(|w| !w.in_flight)
        {
            left.extend(self.waiting.remove(oldest).map(|w| Left::Dropped(w.letter)));
        }
        let (tries, not_before, held) = (0, Time(i64::MIN), Time(i64::MIN));
        self.waiting.push_back(Waiting { since, letter, tries, not_before, held, in_flight: false });
        left
    }

    /// The next letter to try.
    pub fn pick(&mut self, now: Time) -> Pick {
        let mut busy: BTreeSet<Option<IncidentId>> = BTreeSet::new();
        let mut soonest: Option<Time> = None;
        for w in &mut self.waiting {
            // what is about no incident goes in order too
            let turn = busy.insert(w.letter.incident);
            if (!turn && !broken::is(Broken::Overtakes)) || w.in_flight {
                continue;
            }
            let due = w.not_before.max(w.held);
            if due <= now {
                w.in_flight = true;
                return Pick::Try(Box::new(w.clone()));
            }
            soonest = Some(soonest.map_or(due, |s| s.min(due)));
        }
        soonest.map_or(Pick::Nothing, Pick::Wait)
    }

    /// A letter that was on its way has come to its end.
    pub fn done(&mut self, key: &str) {
        if broken::is(Broken::DeliversTwice)
            && let Some(w) = self.waiting.iter_mut().find(|w| *w.letter.key == *key && w.tries == 0)
        {
            (w.tries, w.in_flight) = (1, false);
            return;
        }
        self.waiting.retain(|w| *w.letter.key != *key);
    }

    /// A letter that was on its way is to be tried again. `jitter` in 0..1 spreads the waits.
    pub fn again(&mut self, key: &str, pace: &Pace, now: Time, jitter: f64) {
        if let Some(w) = self.waiting.iter_mut().find(|w| *w.letter.key == *key) {
            w.in_flight = false;
            w.tries = w.tries.saturating_add(1);
            let wait = backoff::wait(w.tries, pace.first, pace.most, jitter);
            // looked at when it is too old, not only when it is due
            w.not_before = (now + wait).min(w.since + pace.kept);
        }
    }

    /// A letter that was on its way was not tried after all.
    pub fn put_back(&mut self, key: &str) {
        if let Some(w) = self.waiting.iter_mut().find(|w| *w.letter.key == *key) {
            w.in_flight = false;
        }
    }

    /// Takes out all that is not on its way.
    pub fn drain(&mut self) -> Vec<Waiting> {
        let (flying, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|w| w.in_flight);
        self.waiting = flying;
        Vec::from(waiting)
    }

    /// A letter that was on its way waits for its receiver; others may go before.
    pub fn hold(&mut self, key: &str, until: Time) {
        if let Some(w) = self.waiting.iter_mut().find(|w| *w.letter.key == *key) {
            (w.held, w.in_flight) = (until, false);
        }
    }

    /// The receiver answers: nothing waits for it any more.
    pub fn release(&mut self) {
        self.waiting.iter_mut().for_each(|w| w.held = Time(i64::MIN));
    }

    /// Whether a letter of this key waits.
    pub fn holds(&self, key: &str) -> bool {
        self.waiting.iter().any(|w| *w.letter.key == *key)
    }

    /// Since when the oldest waits, on the queue's clock.
    pub fn oldest(&self) -> Option<Time> {
        self.waiting.iter().map(|w| w.since).min()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    fn letter(key: &str, incident: u64, whole: bool) -> Letter {
        let incident = (incident > 0).then_some(IncidentId(incident));
        Letter { key: key.into(), body: Default::default(), episode: None, incident, whole }
    }

    fn at(s: i64) -> Time {
        Time(0) + Span::seconds(s)
    }

    fn tried(q: &mut Queue, now: Time) -> String {
        match q.pick(now) {
            Pick::Try(w) => w.letter.key.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn one_that_fails_holds_up_its_incident_and_no_other() {
        let mut q = Queue::new(10);
        for (key, incident) in [("a1", 1), ("a2", 1), ("b1", 2), ("x", 0), ("y", 3)] {
            assert!(q.push(letter(key, incident, false), at(0)).is_empty());
        }
        let pace = Pace::default();
        assert_eq!(tried(&mut q, at(0)), "a1");
        q.again("a1", &pace, at(0), 1.0);
        assert_eq!(tried(&mut q, at(0)), "b1", "a2 waits for a1, b1 does not");
        assert_eq!(tried(&mut q, at(0)), "x");
        assert_eq!(tried(&mut q, at(0)), "y");
        assert_eq!(q.pick(at(0)), Pick::Wait(at(1)));
        for key in ["b1", "x", "y"] {
            q.done(key);
        }
        assert_eq!(tried(&mut q, at(1)), "a1");
        q.done("a1");
        assert_eq!(tried(&mut q, at(1)), "a2");
        q.put_back("a2");
        assert_eq!(tried(&mut q, at(1)), "a2");
        q.done("a2");
        assert_eq!((q.pick(at(1)), q.is_empty()), (Pick::Nothing, true));
    }

    #[test]
    fn what_waits_for_the_receiver_goes_as_soon_as_that_answers() {
        let mut q = Queue::new(10);
        q.push(letter("a", 1, false), at(0));
        q.push(letter("b", 2, false), at(0));
        assert_eq!(tried(&mut q, at(0)), "a");
        q.again("a", &Pace::default(), at(0), 1.0);
        assert_eq!(tried(&mut q, at(0)), "b");
        q.hold("b", at(100));
        assert_eq!(tried(&mut q, at(1)), "a", "others may go before");
        q.again("a", &Pace::default(), at(1), 1.0);
        q.release();
        assert_eq!(tried(&mut q, at(1)), "b");
        assert_eq!(q.pick(at(1)), Pick::Wait(at(3)), "a waits for itself");
    }

    #[test]
    fn what_says_all_there_is_takes_the_place_of_what_waits() {
        let mut q = Queue::new(10);
        q.push(letter("a1", 1, true), at(0));
        q.push(letter("a2", 1, true), at(0));
        assert_eq!(tried(&mut q, at(0)), "a2", "a1 was superseded");
        // on its way: too late to take it back
        assert!(q.push(letter("a3", 1, true), at(0)).is_empty());
        let left = q.push(letter("a4", 1, true), at(0));
        assert_eq!(left, [Left::Superseded(letter("a3", 1, true))]);
        assert!(q.push(letter("b", 2, true), at(0)).is_empty());
        assert!(q.push(letter("plain", 1, false), at(0)).is_empty());
        assert!(q.push(letter("a4", 1, true), at(0)).is_empty(), "twice");
        assert_eq!(q.len(), 4);
    }

    #[test]
    fn what_waits_can_be_moved_elsewhere() {
        let mut q = Queue::new(10);
        for key in ["a", "b", "c"] {
            q.push(letter(key, 0, false), at(1));
        }
        assert_eq!(tried(&mut q, at(1)), "a");
        let moved: Vec<String> = q.drain().iter().map(|w| w.letter.key.to_string()).collect();
        assert_eq!((moved, q.len()), (vec!["b".to_string(), "c".to_string()], 1), "what is on its way stays");
    }

    #[test]
    fn the_oldest_leaves_when_it_is_full() {
        let mut q = Queue::new(2);
        q.push(letter("a", 0, false), at(0));
        assert_eq!(tried(&mut q, at(0)), "a");
        q.push(letter("b", 0, false), at(0));
        assert!(q.push(letter("c", 0, false), at(0)).is_empty());
        let left = q.push(letter("d", 0, false), at(0));
        assert_eq!(left, [Left::Dropped(letter("b", 0, false))], "what is on its way stays");
    }
}
