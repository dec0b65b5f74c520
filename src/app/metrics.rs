//! The registry behind the table of metrics, and latencies of the last minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use prometheus::{CounterVec, Encoder, GaugeVec, HistogramOpts, HistogramVec, Opts, Registry, TextEncoder};

use crate::base::metric::{ALL, Kind, Metric, STAGE, STAGE_QUANTILE, STAGES};

/// Slots of the last minute.
const SLOTS: usize = 6;
/// Length of a slot.
const SLOT: Duration = Duration::from_secs(10);
/// Longest latency recorded, in microseconds.
const LONGEST_US: u64 = 60_000_000;
const QUANTILES: [(f64, &str); 5] = [(0.5, "0.5"), (0.9, "0.9"), (0.99, "0.99"), (0.999, "0.999"), (1.0, "1")];
const BUCKETS: [f64; 12] = [0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

enum Family {
    Counter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

/// All metrics of the table.
pub struct Metrics {
    registry: Registry,
    families: BTreeMap<&'static str, Family>,
    recent: BTreeMap<&'static str, Mutex<Recent>>,
}

/// Latencies of the last minute, in slots that are reused in turn.
struct Recent {
    slots: Vec<Histogram<u64>>,
    at: usize,
    since: Instant,
}

impl Metrics {
    /// A registry with every metric of the table.
    ///
    /// # Errors
    /// Only if the table itself is wrong.
    pub fn new() -> Result<Metrics, prometheus::Error> {
        let registry = Registry::new();
        let mut families = BTreeMap::new();
        for m in ALL {
            let family = match m.kind {
                Kind::Counter => {
                    let v = CounterVec::new(Opts::new(m.name, m.help), m.labels)?;
                    registry.register(Box::new(v.clone()))?;
                    Family::Counter(v)
                }
                Kind::Gauge => {
                    let v = GaugeVec::new(Opts::new(m.name, m.help), m.labels)?;
                    registry.register(Box::new(v.clone()))?;
                    Family::Gauge(v)
                }
                Kind::Histogram => {
                    let opts = HistogramOpts::new(m.name, m.help).buckets(BUCKETS.to_vec());
                    let v = HistogramVec::new(opts, m.labels)?;
                    registry.register(Box::new(v.clone()))?;
                    Family::Histogram(v)
                }
            };
            families.insert(m.name, family);
        }
        let recent = STAGES.iter().map(|s| (*s, Mutex::new(Recent::new()))).collect();
        Ok(Metrics { registry, families, recent })
    }

    /// Adds to a counter.
    pub fn add(&self, m: &Metric, labels: &[&str], n: f64) {
        if let Some(Family::Counter(v)) = self.families.get(m.name) {
            v.with_label_values(labels).inc_by(n);
        }
    }

    /// Brings a counter up to a total that is counted elsewhere.
    pub fn raise(&self, m: &Metric, labels: &[&str], total: f64) {
        if let Some(Family::Counter(v)) = self.families.get(m.name) {
            let c = v.with_label_values(labels);
            c.inc_by((total - c.get()).max(0.0));
        }
    }

    /// Sets a gauge.
    pub fn set(&self, m: &Metric, labels: &[&str], x: f64) {
        if let Some(Family::Gauge(v)) = self.families.get(m.name) {
            v.with_label_values(labels).set(x);
        }
    }

    /// What a gauge or counter says.
    pub fn get(&self, m: &Metric, labels: &[&str]) -> Option<f64> {
        match self.families.get(m.name) {
            Some(Family::Gauge(v)) => v.get_metric_with_label_values(labels).ok().map(|g| g.get()),
            Some(Family::Counter(v)) => v.get_metric_with_label_values(labels).ok().map(|c| c.get()),
            _ => None,
        }
    }

    /// A gauge says nothing any more.
    pub fn forget(&self, m: &Metric, labels: &[&str]) {
        if let Some(Family::Gauge(v)) = self.families.get(m.name) {
            // one that was never set is gone already
            let _ = v.remove_label_values(labels);
        }
    }

    /// Records the time a batch spent in a stage.
    pub fn stage(&self, stage: &'static str, took: Duration) {
        if let Some(Family::Histogram(v)) = self.families.get(STAGE.name) {
            v.with_label_values(&[stage]).observe(took.as_secs_f64());
        }
        if let Some(recent) = self.recent.get(stage) {
            recent.lock().unwrap_or_else(PoisonError::into_inner).record(took, Instant::now());
        }
    }

    /// A quantile of a stage over the last minute, in seconds.
    pub fn quantile(&self, stage: &str, q: f64) -> f64 {
        let Some(recent) = self.recent.get(stage) else { return 0.0 };
        recent.lock().unwrap_or_else(PoisonError::into_inner).quantile(q, Instant::now())
    }

    /// Everything in Prometheus' text format.
    pub fn text(&self) -> String {
        for stage in STAGES {
            for (q, name) in QUANTILES {
                self.set(&STAGE_QUANTILE, &[stage, name], self.quantile(stage, q));
            }
        }
        let mut out = Vec::new();
        // writing to memory does not fail
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl Recent {
    fn new() -> Recent {
        let slot = || Histogram::new_with_bounds(1, LONGEST_US, 3).or_else(|_| Histogram::new(3));
        let slots = (0..SLOTS).filter_map(|_| slot().ok()).collect();
        Recent { slots, at: 0, since: Instant::now() }
    }

    fn turn(&mut self, now: Instant) {
        let mut turns = 0;
        while now.duration_since(self.since) >= SLOT {
            self.since += SLOT;
            self.at = (self.at + 1) % SLOTS;
            if let Some(slot) = self.slots.get_mut(self.at).filter(|_| turns < SLOTS) {
                slot.reset();
            }
            turns += 1;
        }
    }

    fn record(&mut self, took: Duration, now: Instant) {
        self.turn(now);
        if let Some(slot) = self.slots.get_mut(self.at) {
            slot.saturating_record(u64::try_from(took.as_micros()).unwrap_or(LONGEST_US).max(1));
        }
    }

    fn quantile(&mut self, q: f64, now: Instant) -> f64 {
        self.turn(now);
        let mut all = self.slots.iter().cloned();
        let Some(mut sum) = all.next() else { return 0.0 };
        for slot in all {
            // all slots have the same bounds
            let _ = sum.add(&slot);
        }
        sum.value_at_quantile(q) as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_forgotten_after_a_minute() {
        let mut r = Recent::new();
        let start = r.since;
        r.record(Duration::from_millis(5), start);
        r.record(Duration::from_millis(50), start + Duration::from_secs(30));
        assert!((r.quantile(1.0, start + Duration::from_secs(31)) - 0.05).abs() < 0.001);
        assert!((r.quantile(0.5, start + Duration::from_secs(31)) - 0.005).abs() < 0.001);
        assert!((r.quantile(0.01, start + Duration::from_secs(65)) - 0.05).abs() < 0.001, "the first is over");
        assert_eq!(r.quantile(1.0, start + Duration::from_secs(3600)), 0.0);
    }

    #[test]
    fn every_metric_of_the_table_is_exported() {
        let m = Metrics::new().unwrap();
        m.add(&crate::base::metric::FRAMES, &["s", "mention"], 2.0);
        m.raise(&crate::base::metric::LIMIT_HITS, &["x"], 7.0);
        m.raise(&crate::base::metric::LIMIT_HITS, &["x"], 7.0);
        m.stage("front", Duration::from_micros(20));
        let text = m.text();
        assert!(text.contains("groundswell_frames_total{outcome=\"mention\",source=\"s\"} 2"), "{text}");
        assert!(text.contains("groundswell_limit_hits_total{limit=\"x\"} 7"));
        assert!(text.contains("groundswell_stage_seconds_bucket{stage=\"front\",le=\"0.00003\"} 1"));
    }
}
