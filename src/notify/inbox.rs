//! What waits for one receiver: bounded, first in first out. Whoever pushes never waits.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::base::limits;

/// A queue with many that push and one that takes.
#[derive(Debug)]
pub struct Inbox<T> {
    most: usize,
    queue: Mutex<VecDeque<Waiting<T>>>,
    arrived: Notify,
}

/// What was pushed, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting<T> {
    /// When it was pushed.
    pub since: Instant,
    /// What it is.
    pub item: T,
}

impl<T> Default for Inbox<T> {
    fn default() -> Inbox<T> {
        Inbox::new(limits::RECEIVER_QUEUE)
    }
}

impl<T> Inbox<T> {
    /// An empty one that holds `most` things, at least one.
    pub fn new(most: usize) -> Inbox<T> {
        Inbox { most: most.max(1), queue: Mutex::default(), arrived: Notify::new() }
    }

    /// Adds something at the end. Gives back the oldest where there was no room; it is to be
    /// counted ([`super::Report::dropped`]). What was taken already is never dropped.
    pub fn push(&self, item: T) -> Option<T> {
        self.push_aged(item, Duration::ZERO)
    }

    /// The same for something that has waited elsewhere for a while.
    pub fn push_aged(&self, item: T, age: Duration) -> Option<T> {
        let now = Instant::now();
        let since = now.checked_sub(age).unwrap_or(now);
        let mut queue = self.queue();
        let dropped = if queue.len() >= self.most { queue.pop_front() } else { None };
        queue.push_back(Waiting { since, item });
        drop(queue);
        self.arrived.notify_one();
        dropped.map(|w| w.item)
    }

    /// Takes the oldest, if there is one.
    pub fn try_take(&self) -> Option<Waiting<T>> {
        self.queue().pop_front()
    }

    /// Takes the oldest; waits for one. Nothing is lost where the future is dropped.
    pub async fn take(&self) -> Waiting<T> {
        loop {
            if let Some(waiting) = self.try_take() {
                return waiting;
            }
            // keeps one permit: a push between the look and the wait is not missed
            self.arrived.notified().await;
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.queue().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Waiting<T>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn keeps_order_and_drops_the_oldest_when_full() {
        let inbox = Inbox::new(3);
        let dropped: Vec<Option<u32>> = (0..5).map(|k| inbox.push(k)).collect();
        assert_eq!(dropped, [None, None, None, Some(0), Some(1)]);
        let taken = [inbox.take().await.item, inbox.take().await.item];
        // what was taken makes room
        assert_eq!((inbox.push(5), inbox.len(), taken), (None, 2, [2, 3]));
        assert_eq!((inbox.try_take().map(|w| w.item), inbox.take().await.item), (Some(4), 5));
        assert!(inbox.is_empty() && inbox.try_take().is_none());
    }

    #[tokio::test]
    async fn wakes_who_waits_for_the_first() {
        let inbox = Arc::new(Inbox::default());
        let other = inbox.clone();
        let taker = tokio::spawn(async move { [other.take().await.item, other.take().await.item] });
        tokio::task::yield_now().await;
        inbox.push('a');
        inbox.push('b');
        assert_eq!(taker.await.unwrap(), ['a', 'b']);
    }
}
