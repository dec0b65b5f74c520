//! All metrics of the table, latencies of the last minute, and what is in each stage.

mod family;
mod flight;
mod recent;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use prometheus::process_collector::ProcessCollector;
use prometheus::{Registry, TextEncoder};

use crate::app::alone;
use crate::base::metric::{self, ALL, Metric, STAGE, STAGE_QUANTILE, Stage};
use family::{Child, Family};
use recent::Recent;

pub use flight::InStage;

const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];
const QUANTILE_NAMES: [&str; 5] = ["0.5", "0.9", "0.99", "0.999", "1"];

/// All metrics of the table, and those of the process.
pub struct Metrics {
    /// What is told of the process.
    process: Registry,
    families: BTreeMap<&'static str, Family>,
    recent: [Mutex<Recent>; Stage::ALL.len()],
    /// What was written down last, and when that was begun.
    written: Mutex<Option<(Instant, Arc<str>)>>,
}

impl Metrics {
    /// Every metric of the table, without a line yet.
    ///
    /// # Errors
    /// Only where nothing can be said of the process.
    pub fn new() -> Result<Metrics, prometheus::Error> {
        let process = Registry::new();
        process.register(Box::new(ProcessCollector::for_self()))?;
        let families = ALL.iter().map(|m| (m.name, Family::new(m))).collect();
        let recent = Stage::ALL.map(|_| Mutex::new(Recent::new()));
        Ok(Metrics { process, families, recent, written: Mutex::default() })
    }

    /// A line of a metric; one too many is left out and counted.
    fn child(&self, m: &Metric, labels: &[&str]) -> Option<Child> {
        let child = self.families.get(m.name)?.child(labels);
        if child.is_none()
            && m.name != metric::LIMIT_HITS.name
            && let Some(Child::Counter(c)) =
                self.families.get(metric::LIMIT_HITS.name).and_then(|f| f.child(&["metric_lines"]))
        {
            c.inc();
        }
        child
    }

    /// A line that says nothing yet: a counter at 0, a histogram without counts. The first time is seen to be one
    /// then.
    pub fn begin(&self, m: &Metric, labels: &[&str]) {
        let _ = self.child(m, labels);
    }

    /// Adds to a counter.
    pub fn add(&self, m: &Metric, labels: &[&str], n: f64) {
        if let Some(Child::Counter(c)) = self.child(m, labels) {
            c.inc_by(n.max(0.0));
        }
    }

    /// Brings a counter up to a total that is counted elsewhere.
    pub fn raise(&self, m: &Metric, labels: &[&str], total: f64) {
        if let Some(Child::Counter(c)) = self.child(m, labels) {
            c.inc_by((total - c.get()).max(0.0));
        }
    }

    /// Sets a gauge.
    pub fn set(&self, m: &Metric, labels: &[&str], x: f64) {
        if let Some(Child::Gauge(g)) = self.child(m, labels) {
            g.set(x);
        }
    }

    /// Sets a gauge, or has it say nothing.
    pub fn set_or_forget(&self, m: &Metric, labels: &[&str], x: Option<f64>) {
        match x {
            Some(x) => self.set(m, labels, x),
            None => self.forget(m, labels),
        }
    }

    /// Records a time.
    pub fn observe(&self, m: &Metric, labels: &[&str], took: Duration) {
        if let Some(Child::Histogram(h)) = self.child(m, labels) {
            h.observe(took.as_secs_f64());
        }
    }

    /// What a gauge or counter says.
    pub fn get(&self, m: &Metric, labels: &[&str]) -> Option<f64> {
        match self.families.get(m.name)?.known(labels)? {
            Child::Gauge(g) => Some(g.get()),
            Child::Counter(c) => Some(c.get()),
            Child::Histogram(_) => None,
        }
    }

    /// A gauge says nothing any more.
    pub fn forget(&self, m: &Metric, labels: &[&str]) {
        if let Some(f) = self.families.get(m.name) {
            f.forget_one(labels);
        }
    }

    /// Nothing is said any more where a label has this value.
    pub fn forget_all(&self, label: &str, value: &str) {
        self.families.values().for_each(|f| f.forget(label, value));
    }

    /// Records the time a batch spent in a stage.
    pub fn stage(&self, stage: Stage, took: Duration) {
        self.observe(&STAGE, &[stage.name()], took);
        if let Some(recent) = self.recent.get(stage as usize) {
            alone(recent).record(took, Instant::now());
        }
    }

    /// A quantile of a stage over the last minute, in seconds.
    pub fn quantile(&self, stage: Stage, q: f64) -> f64 {
        let recent = self.recent.get(stage as usize);
        recent.map_or(0.0, |r| alone(r).quantiles([q], Instant::now())[0])
    }

    /// Whether anybody has asked for [`Metrics::text`].
    pub fn is_read(&self) -> bool {
        alone(&self.written).is_some()
    }

    /// Everything in Prometheus' text format. It is written for one who asks at a time; all who asked before that
    /// was begun get the same.
    pub fn text(&self) -> Arc<str> {
        let asked = Instant::now();
        let mut written = alone(&self.written);
        if let Some((began, text)) = written.as_ref()
            && *began >= asked
        {
            return text.clone();
        }
        let began = Instant::now();
        for (stage, recent) in Stage::ALL.into_iter().zip(&self.recent) {
            let values = alone(recent).quantiles(QUANTILES, began);
            for (q, value) in QUANTILE_NAMES.into_iter().zip(values) {
                self.set(&STAGE_QUANTILE, &[stage.name(), q], value);
            }
        }
        let before = written.as_ref().map_or(0, |(_, text)| text.len());
        let mut out = String::with_capacity(before + before / 8);
        self.families.values().for_each(|f| f.write(&mut out));
        // writing to memory does not fail
        let _ = TextEncoder::new().encode_utf8(&self.process.gather(), &mut out);
        let text: Arc<str> = out.into();
        self.stage(Stage::Scrape, began.elapsed());
        *written = Some((began, text.clone()));
        text
    }
}

#[cfg(test)]
mod tests;
