//! What metrics tell of the service that is only known when somebody asks.

use std::time::Duration;

use crate::app::alone;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::metric::{self, Metric, Queue, Stage};

/// What people order.
const ORDERS: [&str; 8] = ["acknowledge", "claim", "close", "silence", "unsilence", "test", "retry", "drop"];

impl Status {
    /// What did not happen yet is 0, not absent: else the first time would not be seen to be one.
    pub(super) fn begin_metrics(&self) {
        let m = &self.metrics;
        m.set(&metric::BUILD, &[env!("CARGO_PKG_VERSION")], 1.0);
        m.set(&metric::RELOAD_OK, &[], 1.0);
        m.set(&metric::STORE_OK, &[], 1.0);
        for gauge in [&metric::RELOAD_PAUSE, &metric::DEAD_LETTERS, &metric::STORE_PENDING, &metric::POSTS_KEPT] {
            m.set(gauge, &[], 0.0);
        }
        for metric in [&metric::ENTRIES, &metric::COMMITS, &metric::COMMITTED, &metric::STORE_LOST, &metric::TO_OUTBOX]
        {
            m.begin(metric, &[]);
        }
        for order in ORDERS {
            ["done", "refused", "later"].iter().for_each(|result| m.begin(&metric::ORDERS, &[order, result]));
        }
        let words: [(&Metric, &[&str]); 4] = [
            (&metric::RELOADS, &["ok", "unchanged", "failed"]),
            (&metric::SNAPSHOTS, &["made", "disagrees"]),
            (&metric::HEARTBEATS, &["delivered", "failed", "held back"]),
            (&metric::LIMIT_HITS, &["metric_lines"]),
        ];
        for (counter, words) in words {
            words.iter().for_each(|word| m.begin(counter, &[word]));
        }
        for stage in Stage::ALL {
            m.begin(&metric::STAGE, &[stage.name()]);
            if stage.holds() {
                m.begin(&metric::STAGE_IN, &[stage.name()]);
                m.begin(&metric::IN_FLIGHT, &[stage.name()]);
            }
        }
    }

    /// The same of a receiver.
    pub(super) fn begin_receiver(&self, name: &str) {
        self.metrics.begin(&metric::LETTERS, &[name]);
        for result in ["delivered", "retried", "superseded", "refused", "dropped", "expired"] {
            self.metrics.begin(&metric::NOTICES, &[name, result]);
        }
        self.metrics.set(&metric::OUTBOX_WAITING, &[name], 0.0);
        self.metrics.set(&metric::OUTBOX_OLDEST, &[name], 0.0);
    }

    /// Sets the gauges that are of this moment.
    pub(super) fn measure(&self) {
        let m = &self.metrics;
        m.set(&metric::CLOCK, &[], self.clock().now().as_seconds());
        m.set(&metric::LAG, &[], self.lag().as_seconds());
        m.set(&metric::CLOCK_BEHIND, &[], self.clock().behind().as_seconds());
        let waits = [
            (
                Queue::Engine,
                self.waiting() as usize,
                self.sources.len().max(1) * limits::LANE_BATCHES * limits::BATCH_FRAMES,
            ),
            (Queue::Keeper, self.queues.keeper.len(), limits::KEEP_QUEUE),
            (Queue::Receivers, self.queues.receivers.len(), limits::NOTICE_QUEUE),
        ];
        for (queue, waiting, most) in waits {
            m.set(&metric::QUEUE, &[queue.name()], waiting as f64);
            m.set(&metric::QUEUE_LIMIT, &[queue.name()], most as f64);
        }
        m.set(&metric::QUEUE_LIMIT, &[Queue::Lookups.name()], limits::LOOKUP_QUEUE as f64);
        // who is waited for holds up those whose messages are behind
        let written = alone(&self.writing).as_ref().map(|(name, since)| (name.clone(), since.elapsed()));
        let held = written.as_ref().filter(|_| !self.queues.receivers.is_empty()).map_or(Duration::ZERO, |(_, t)| *t);
        for receiver in &self.config().receivers {
            let name = &receiver.name;
            let (waiting, oldest) = match (self.inboxes.get(name), &written) {
                (Some(inbox), _) => (inbox.len(), inbox.oldest().max(held)),
                (None, Some((to, since))) if to == name => (1, *since),
                (None, _) => (0, Duration::ZERO),
            };
            m.set(&metric::OUTBOX_WAITING, &[name], waiting as f64);
            m.set(&metric::OUTBOX_OLDEST, &[name], oldest.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::app::clock::SystemClock;
    use crate::app::config::Config;

    #[test]
    fn who_does_not_read_standard_output_is_seen() {
        let config =
            Config { receivers: vec![crate::app::config::ReceiverConfig::stdout()], ..Config::new(Vec::new()) };
        let status = Status::new(Arc::new(SystemClock), Arc::new(config)).unwrap();
        let says = |m: &Metric| status.metrics.get(m, &["stdout"]).unwrap();
        status.measure();
        assert_eq!((says(&metric::OUTBOX_WAITING), says(&metric::OUTBOX_OLDEST)), (0.0, 0.0));
        status.set_writing(Some("stdout".into()));
        std::thread::sleep(Duration::from_millis(2));
        status.measure();
        assert!(says(&metric::OUTBOX_WAITING) == 1.0 && says(&metric::OUTBOX_OLDEST) >= 0.002);
        status.set_writing(None);
        status.measure();
        assert_eq!((says(&metric::OUTBOX_WAITING), says(&metric::OUTBOX_OLDEST)), (0.0, 0.0));
    }
}
