//! The queue between the sources and the engine: a lane a source, served in turn, so that one that
//! floods cannot starve another. Each lane is bounded; who fills it waits.
//!
//! After an outage the queue can be held: sources that tell again what was missed come first, lanes
//! of all others wait until it is released.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// What waits in a lane.
pub trait Load {
    /// Frames in it.
    fn frames(&self) -> usize;
    /// Their bytes.
    fn bytes(&self) -> usize;
}

/// The bounds of a lane, and how much of one is served before the next.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Items that may wait.
    pub items: usize,
    /// Bytes that may wait; an item that is larger waits alone.
    pub bytes: usize,
    /// Frames served of a lane before the others have their turn.
    pub turn: usize,
}

struct Lane<T> {
    waiting: VecDeque<T>,
    bytes: usize,
    /// Frames that may still be served in this turn.
    credit: usize,
    open: bool,
    /// Not served until the queue is released.
    held: bool,
    room: Arc<Notify>,
}

struct Lanes<T> {
    urgent: Lane<T>,
    lanes: Vec<Lane<T>>,
    next: usize,
    /// Lanes that are opened now wait, unless they replay.
    held: bool,
    closed: bool,
}

/// The queue.
pub struct Fair<T> {
    lanes: Mutex<Lanes<T>>,
    ready: Condvar,
    bounds: Bounds,
}

/// The end that a source fills. Its lane ends with it, when what waits there is taken.
pub struct Sender<T: Load> {
    queue: Arc<Fair<T>>,
    /// `None`: the urgent lane.
    lane: Option<Arc<Notify>>,
}

/// What asking the queue came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// The next item.
    Item(T),
    /// Nothing waits at the moment.
    Nothing,
    /// Nobody sends any more, and everything was taken.
    Ended,
}

impl<T> Lane<T> {
    fn new() -> Lane<T> {
        Lane { waiting: VecDeque::new(), bytes: 0, credit: 0, open: true, held: false, room: Arc::new(Notify::new()) }
    }
}

impl<T: Load> Lane<T> {
    fn has_room(&self, item: &T, bounds: Bounds) -> bool {
        self.waiting.is_empty() || (self.waiting.len() < bounds.items && self.bytes + item.bytes() <= bounds.bytes)
    }

    fn put(&mut self, item: T) {
        self.bytes += item.bytes();
        self.waiting.push_back(item);
    }

    fn take(&mut self) -> Option<T> {
        let item = self.waiting.pop_front()?;
        self.bytes -= item.bytes();
        self.room.notify_waiters();
        Some(item)
    }
}

impl<T: Load> Lanes<T> {
    /// The next item: the urgent ones first, then the lanes in turn (deficit round robin).
    fn take(&mut self, turn: usize) -> Option<T> {
        if let Some(item) = self.urgent.take() {
            return Some(item);
        }
        self.lanes.retain(|l| l.open || !l.waiting.is_empty());
        for _ in 0..=self.lanes.len() {
            let at = self.next.checked_rem(self.lanes.len())?;
            let lane = self.lanes.get_mut(at)?;
            let first = lane.waiting.front().filter(|_| !lane.held);
            let Some(cost) = first.map(|i| i.frames().max(1)) else {
                lane.credit = 0;
                self.next = at + 1;
                continue;
            };
            if lane.credit == 0 {
                lane.credit = turn.max(1);
            }
            // a turn that is overdrawn by its last item is over
            lane.credit = lane.credit.saturating_sub(cost);
            if lane.credit == 0 {
                self.next = at + 1;
            } else {
                self.next = at;
            }
            return lane.take();
        }
        None
    }

    fn ended(&self) -> bool {
        !self.urgent.open && self.lanes.iter().all(|l| !l.open)
    }

    fn release(&mut self) {
        self.held = false;
        self.lanes.iter_mut().for_each(|l| l.held = false);
    }
}

impl<T: Load> Fair<T> {
    /// An empty queue with its urgent lane.
    pub fn new(bounds: Bounds) -> (Arc<Fair<T>>, Sender<T>) {
        let lanes = Lanes { urgent: Lane::new(), lanes: Vec::new(), next: 0, held: false, closed: false };
        let queue = Arc::new(Fair { lanes: Mutex::new(lanes), ready: Condvar::new(), bounds });
        (queue.clone(), Sender { queue, lane: None })
    }

    /// A further lane. It waits if the queue is held, unless it `replays`: tells again what was
    /// missed.
    pub fn lane(self: &Arc<Fair<T>>, replays: bool) -> Sender<T> {
        let mut lane = Lane::new();
        let room = lane.room.clone();
        let mut lanes = self.locked();
        lane.held = lanes.held && !replays;
        lanes.lanes.push(lane);
        drop(lanes);
        Sender { queue: self.clone(), lane: Some(room) }
    }

    /// Holds the queue: lanes that are opened from here on and do not replay are not served. Lanes
    /// that are open already and the urgent one are.
    pub fn hold(&self) {
        let mut lanes = self.locked();
        // who ends is not held
        lanes.held = lanes.urgent.open;
    }

    /// Serves all lanes again. The end of the urgent lane does the same: nobody is left who could.
    pub fn release(&self) {
        self.locked().release();
        self.ready.notify_one();
    }

    /// Waits for the next item, at most for so long; for ever with `None`.
    pub fn next(&self, patience: Option<Duration>) -> Next<T> {
        let mut lanes = self.locked();
        loop {
            if let Some(item) = lanes.take(self.bounds.turn) {
                return Next::Item(item);
            }
            if lanes.ended() {
                return Next::Ended;
            }
            lanes = match patience {
                Some(Duration::ZERO) => return Next::Nothing,
                None => self.ready.wait(lanes).unwrap_or_else(PoisonError::into_inner),
                Some(patience) => {
                    let waited = self.ready.wait_timeout(lanes, patience);
                    let (lanes, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                    if timeout.timed_out() {
                        return Next::Nothing;
                    }
                    lanes
                }
            };
        }
    }

    /// Nobody takes anything any more: whoever waits to send is told.
    pub fn close(&self) {
        let mut lanes = self.locked();
        lanes.closed = true;
        lanes.urgent.room.notify_waiters();
        lanes.lanes.iter().for_each(|l| l.room.notify_waiters());
    }

    fn locked(&self) -> MutexGuard<'_, Lanes<T>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Load> Sender<T> {
    /// Sends, waiting for room; `false` if nobody takes anything any more.
    pub async fn send(&self, item: T) -> bool {
        let mut item = Some(item);
        loop {
            let Some(room) = self.room() else { return false };
            let waiting = room.notified();
            tokio::pin!(waiting);
            // who makes room from here on wakes this
            waiting.as_mut().enable();
            match self.offer(&mut item) {
                Some(sent) => return sent,
                None => waiting.await,
            }
        }
    }

    /// `None`: there is no room now.
    fn offer(&self, item: &mut Option<T>) -> Option<bool> {
        let bounds = self.queue.bounds;
        let mut lanes = self.queue.locked();
        if lanes.closed {
            return Some(false);
        }
        let lane = lane_of(&mut lanes, self.lane.as_ref())?;
        let next = item.take_if(|i| lane.has_room(i, bounds))?;
        lane.put(next);
        drop(lanes);
        self.queue.ready.notify_one();
        Some(true)
    }

    fn room(&self) -> Option<Arc<Notify>> {
        let mut lanes = self.queue.locked();
        lane_of(&mut lanes, self.lane.as_ref()).map(|l| l.room.clone())
    }
}

fn lane_of<'l, T>(lanes: &'l mut Lanes<T>, room: Option<&Arc<Notify>>) -> Option<&'l mut Lane<T>> {
    match room {
        None => Some(&mut lanes.urgent),
        Some(room) => lanes.lanes.iter_mut().find(|l| Arc::ptr_eq(&l.room, room)),
    }
}

impl<T: Load> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut lanes = self.queue.locked();
        if let Some(lane) = lane_of(&mut lanes, self.lane.as_ref()) {
            lane.open = false;
        }
        if self.lane.is_none() {
            lanes.release();
        }
        drop(lanes);
        self.queue.ready.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Batch(char, usize);

    impl Load for Batch {
        fn frames(&self) -> usize {
            self.1
        }

        fn bytes(&self) -> usize {
            self.1 * 10
        }
    }

    const BOUNDS: Bounds = Bounds { items: 8, bytes: 10_000, turn: 100 };

    fn now<T: Load>(queue: &Fair<T>) -> Next<T> {
        queue.next(Some(Duration::ZERO))
    }

    #[tokio::test]
    async fn a_source_that_floods_does_not_starve_another() {
        let (queue, urgent) = Fair::new(BOUNDS);
        let (flood, quiet) = (queue.lane(false), queue.lane(false));
        for _ in 0..8 {
            flood.send(Batch('f', 100)).await;
        }
        for _ in 0..4 {
            quiet.send(Batch('q', 1)).await;
        }
        urgent.send(Batch('u', 0)).await;
        let mut order = String::new();
        while let Next::Item(Batch(who, _)) = now(&queue) {
            order.push(who);
        }
        assert_eq!(order, "ufqqqqfffffff", "what is urgent first, then a turn each");
        // turns are counted in frames: one that sends small batches gets as much as one that sends large ones
        for _ in 0..8 {
            flood.send(Batch('f', 50)).await;
            quiet.send(Batch('q', 100)).await;
        }
        let mut frames = [0usize, 0];
        for _ in 0..9 {
            let Next::Item(Batch(who, n)) = now(&queue) else { panic!() };
            frames[usize::from(who == 'q')] += n;
        }
        assert!(frames[0].abs_diff(frames[1]) <= 100, "{frames:?}");
    }

    #[tokio::test]
    async fn a_full_lane_makes_its_source_wait_and_no_other() {
        let (queue, _urgent) = Fair::new(BOUNDS);
        let (a, b) = (queue.lane(false), queue.lane(false));
        for _ in 0..8 {
            a.send(Batch('a', 1)).await;
        }
        let waiting = tokio::spawn(async move { a.send(Batch('z', 1)).await });
        assert!(b.send(Batch('b', 5000)).await, "larger than a lane, but alone");
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished());
        assert_eq!(now(&queue), Next::Item(Batch('a', 1)));
        assert!(waiting.await.unwrap());
        let mut rest = 0;
        while let Next::Item(_) = now(&queue) {
            rest += 1;
        }
        assert_eq!(rest, 9, "nothing is lost when a lane ends");
    }

    #[tokio::test]
    async fn ends_when_nobody_sends_and_tells_when_nobody_takes() {
        let (queue, urgent) = Fair::new(BOUNDS);
        let a = queue.lane(false);
        a.send(Batch('a', 1)).await;
        drop((a, urgent));
        assert_eq!(now(&queue), Next::Item(Batch('a', 1)));
        assert_eq!(queue.next(None), Next::Ended);
        let (queue, _urgent) = Fair::new(BOUNDS);
        let a = queue.lane(false);
        for _ in 0..8 {
            a.send(Batch('a', 1)).await;
        }
        let waiting = tokio::spawn(async move { a.send(Batch('z', 1)).await });
        tokio::task::yield_now().await;
        queue.close();
        assert!(!waiting.await.unwrap());
    }

    #[tokio::test]
    async fn lanes_wait_while_the_queue_is_held_unless_they_replay() {
        let (queue, urgent) = Fair::new(BOUNDS);
        let before = queue.lane(false);
        queue.hold();
        let (live, replays) = (queue.lane(false), queue.lane(true));
        for (lane, who) in [(&live, 'l'), (&replays, 'r'), (&before, 'b'), (&urgent, 'u'), (&live, 'l')] {
            assert!(lane.send(Batch(who, 1)).await);
        }
        let served = || {
            let mut order = String::new();
            while let Next::Item(Batch(who, _)) = now(&queue) {
                order.push(who);
            }
            order
        };
        assert_eq!(served(), "ubr");
        assert_eq!(now(&queue), Next::Nothing);
        // one whose source is gone meanwhile is served too
        drop(live);
        assert_eq!(served(), "");
        queue.release();
        assert_eq!(served(), "ll");
        let late = queue.lane(false);
        late.send(Batch('x', 1)).await;
        assert_eq!(served(), "x", "released is released for those that come later");
    }

    #[tokio::test]
    async fn a_release_wakes_who_waits_for_the_next() {
        let (queue, _urgent) = Fair::new(BOUNDS);
        queue.hold();
        let lane = queue.lane(false);
        lane.send(Batch('a', 1)).await;
        let taker = queue.clone();
        let taken = tokio::task::spawn_blocking(move || taker.next(Some(Duration::from_secs(60))));
        // whether it waits already or not yet comes to the same
        tokio::time::sleep(Duration::from_millis(20)).await;
        queue.release();
        assert_eq!(taken.await.unwrap(), Next::Item(Batch('a', 1)));
    }

    #[tokio::test]
    async fn what_is_held_is_served_at_the_end() {
        let (queue, urgent) = Fair::new(BOUNDS);
        queue.hold();
        let (gone, waits) = (queue.lane(false), queue.lane(false));
        gone.send(Batch('g', 1)).await;
        waits.send(Batch('w', 1)).await;
        drop(gone);
        assert_eq!(now(&queue), Next::Nothing);
        drop(urgent);
        // whoever waits for an answer to what is held keeps its lane open until it has one
        let mut served = [now(&queue), now(&queue)].map(|n| if let Next::Item(Batch(who, _)) = n { who } else { '-' });
        served.sort();
        assert_eq!(served, ['g', 'w']);
        queue.hold();
        let late = queue.lane(false);
        late.send(Batch('l', 1)).await;
        assert_eq!(now(&queue), Next::Item(Batch('l', 1)), "nobody would release it");
        drop((waits, late));
        assert_eq!(queue.next(None), Next::Ended);
    }
}
