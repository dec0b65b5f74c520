//! Bounded channels between threads that tell how much waits in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

/// Puts into a channel.
pub struct GaugedSender<T> {
    to: SyncSender<T>,
    waiting: Waiting,
}

/// Takes out of a channel.
pub struct GaugedReceiver<T> {
    from: Receiver<T>,
    waiting: Waiting,
}

/// How much waits in a channel, or is about to.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// How much.
    pub fn len(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Whether nothing does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A channel that holds so much; then whoever puts in waits.
pub fn gauged<T>(most: usize, waiting: Waiting) -> (GaugedSender<T>, GaugedReceiver<T>) {
    let (to, from) = sync_channel(most);
    (GaugedSender { to, waiting: waiting.clone() }, GaugedReceiver { from, waiting })
}

impl<T> Clone for GaugedSender<T> {
    fn clone(&self) -> GaugedSender<T> {
        GaugedSender { to: self.to.clone(), waiting: self.waiting.clone() }
    }
}

impl<T> GaugedSender<T> {
    /// Waits for room.
    ///
    /// # Errors
    /// Gives it back where nobody takes any more.
    pub fn send(&self, item: T) -> Result<(), SendError<T>> {
        self.waiting.0.fetch_add(1, Ordering::AcqRel);
        self.to.send(item).inspect_err(|_| self.less())
    }

    /// Waits for nothing.
    ///
    /// # Errors
    /// Gives it back where there is no room, or nobody takes any more.
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        self.waiting.0.fetch_add(1, Ordering::AcqRel);
        self.to.try_send(item).inspect_err(|_| self.less())
    }

    fn less(&self) {
        self.waiting.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<T> GaugedReceiver<T> {
    /// Waits for the next for so long.
    ///
    /// # Errors
    /// Where nothing came in time, or nothing comes any more.
    pub fn recv_timeout(&self, wait: Duration) -> Result<T, RecvTimeoutError> {
        self.from.recv_timeout(wait).inspect(|_| self.less())
    }

    /// The next without waiting.
    ///
    /// # Errors
    /// Where there is none, or nothing comes any more.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.from.try_recv().inspect(|_| self.less())
    }

    /// What is there without waiting.
    pub fn try_iter(&self) -> impl Iterator<Item = T> + '_ {
        self.from.try_iter().inspect(|_| self.less())
    }

    /// All that comes, waiting for it.
    pub fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.from.iter().inspect(|_| self.less())
    }

    fn less(&self) {
        self.waiting.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_told() {
        let waiting = Waiting::default();
        let (to, from) = gauged(2, waiting.clone());
        to.send(1).unwrap();
        to.clone().try_send(2).unwrap();
        assert!(to.try_send(3).is_err());
        assert_eq!(waiting.len(), 2);
        assert_eq!(from.recv_timeout(Duration::ZERO), Ok(1));
        assert_eq!(from.try_iter().collect::<Vec<_>>(), [2]);
        assert!(waiting.is_empty());
        drop(from);
        assert!(to.send(4).is_err() && waiting.is_empty());
    }
}
