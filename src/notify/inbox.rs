//! The queue of one receiver, shared: many push, one takes. Whoever pushes never waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Letter;
use super::outbox::{Left, Queue};
use crate::base::limits;
use crate::base::time::Time;

/// What waits for a receiver. Its clock begins when it is made.
#[derive(Debug)]
pub struct Inbox {
    queue: Mutex<Queue>,
    arrived: Notify,
    zero: Instant,
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox::new(limits::RECEIVER_QUEUE)
    }
}

impl Inbox {
    /// An empty one that holds `most` letters, at least one.
    pub fn new(most: usize) -> Inbox {
        Inbox { queue: Mutex::new(Queue::new(most)), arrived: Notify::new(), zero: Instant::now() }
    }

    /// Adds a letter that has waited elsewhere for a while. Gives back what will not be sent because of it; that
    /// is to be reported.
    pub fn push(&self, letter: Letter, age: Duration) -> Vec<Left> {
        self.add(letter, age).unwrap_or_default()
    }

    /// The same; `None` where a letter of its key waits already, and once is enough.
    pub fn add(&self, letter: Letter, age: Duration) -> Option<Vec<Left>> {
        let since = Time(self.now().0.saturating_sub(micros(age)));
        let mut queue = self.queue();
        let left = (!queue.holds(&letter.key)).then(|| queue.push(letter, since));
        drop(queue);
        self.arrived.notify_one();
        left
    }

    /// Takes out all that waits and is not on its way, with how long it has waited.
    pub fn drain(&self) -> Vec<(Letter, Duration)> {
        let now = self.now();
        let waiting = self.queue().drain();
        waiting.into_iter().map(|w| (w.letter, (now - w.since).as_std())).collect()
    }

    /// The time on its clock.
    pub fn now(&self) -> Time {
        Time(micros(self.zero.elapsed()))
    }

    /// When that time comes.
    pub(super) fn instant(&self, t: Time) -> Instant {
        let ahead = Duration::from_micros(u64::try_from(t.0).unwrap_or(0));
        self.zero.checked_add(ahead).unwrap_or(self.zero)
    }

    /// Waits until something was pushed; one push between two looks is not missed.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// How long the oldest has waited; nothing where none waits.
    pub fn oldest(&self) -> Duration {
        let since = self.queue().oldest();
        since.map_or(Duration::ZERO, |since| (self.now() - since).as_std())
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queue().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn micros(d: Duration) -> i64 {
    i64::try_from(d.as_micros()).unwrap_or(i64::MAX)
}
