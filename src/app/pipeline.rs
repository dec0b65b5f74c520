//! The engine with fronts on threads of their own. Batches go to the fronts in turn and come
//! back in turn, so input order is kept without sorting; everything is bounded.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::app::engine::{Engine, Input, Output};
use crate::base::limits;
use crate::base::model::{FrameBatch, SiftedBatch};

struct FrontThread {
    to: Option<SyncSender<FrameBatch>>,
    from: Receiver<SiftedBatch>,
    handle: Option<JoinHandle<()>>,
}

/// The engine and its fronts.
pub struct Pipeline {
    /// The engine; junction and backs run on the thread that feeds.
    pub engine: Engine,
    fronts: Vec<FrontThread>,
    /// Which front each batch on its way went to, oldest first.
    on_the_way: VecDeque<usize>,
    next: usize,
}

impl Pipeline {
    /// With so many front threads; none: everything on the thread that feeds.
    pub fn new(engine: Engine, fronts: usize) -> Pipeline {
        let fronts = (0..fronts).map(|i| FrontThread::start(&engine, i)).collect();
        Pipeline { engine, fronts, on_the_way: VecDeque::new(), next: 0 }
    }

    /// Feeds a batch; what comes back belongs to this or earlier batches.
    pub fn feed(&mut self, batch: FrameBatch, out: &mut Vec<Output>) {
        if self.fronts.is_empty() {
            out.push(self.engine.step(Input::Frames(batch)));
            return;
        }
        if self.on_the_way.len() >= limits::BATCHES_IN_FLIGHT.max(self.fronts.len()) {
            self.collect(out);
        }
        let at = self.next % self.fronts.len();
        self.next = at + 1;
        let sent = self.fronts.get(at).and_then(|f| f.to.as_ref()).is_some_and(|to| to.send(batch).is_ok());
        if sent {
            self.on_the_way.push_back(at);
        }
    }

    /// Feeds anything else, after all batches before it.
    pub fn tell(&mut self, input: Input, out: &mut Vec<Output>) {
        self.finish(out);
        let other_rules = matches!(input, Input::Rules(_));
        out.push(self.engine.step(input));
        if other_rules {
            let n = self.fronts.len();
            self.fronts = (0..n).map(|i| FrontThread::start(&self.engine, i)).collect();
        }
    }

    /// Waits for every batch on its way.
    pub fn finish(&mut self, out: &mut Vec<Output>) {
        while !self.on_the_way.is_empty() {
            self.collect(out);
        }
    }

    fn collect(&mut self, out: &mut Vec<Output>) {
        let Some(at) = self.on_the_way.pop_front() else { return };
        if let Some(Ok(sifted)) = self.fronts.get(at).map(|f| f.from.recv()) {
            out.push(self.engine.step(Input::Sifted(sifted)));
        }
    }
}

impl FrontThread {
    fn start(engine: &Engine, index: usize) -> FrontThread {
        let (to, input) = sync_channel::<FrameBatch>(limits::BATCHES_IN_FLIGHT);
        let (output, from) = sync_channel::<SiftedBatch>(limits::BATCHES_IN_FLIGHT);
        let mut front = engine.front();
        let work = move || {
            while let Ok(batch) = input.recv() {
                if output.send(front.batch(batch)).is_err() {
                    return;
                }
            }
        };
        let handle = std::thread::Builder::new().name(format!("front-{index}")).spawn(work).ok();
        FrontThread { to: Some(to), from, handle }
    }
}

impl Drop for FrontThread {
    fn drop(&mut self) {
        self.to = None;
        // a front that waits to give back a batch is released by taking it
        while self.from.recv().is_ok() {}
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}
