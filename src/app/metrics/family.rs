//! One metric with all its sets of label values, of which there are never more than the table says.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use prometheus::{Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, Opts, Registry};
use smallvec::SmallVec;

use crate::base::metric::{BUCKETS, Kind, Metric};

enum Of {
    Counter(CounterVec),
    Gauge(GaugeVec),
    Histogram(HistogramVec),
}

/// One line or, of a histogram, several.
#[derive(Clone)]
pub(super) enum Child {
    /// Only grows.
    Counter(Counter),
    /// Goes up and down.
    Gauge(Gauge),
    /// Buckets.
    Histogram(Histogram),
}

/// One metric.
pub(super) struct Family {
    metric: &'static Metric,
    of: Of,
    /// By their label values.
    children: RwLock<HashMap<Labels, Child>>,
}

/// Label values in a row, each with its length before it.
type Labels = SmallVec<[u8; 96]>;

fn joined(labels: &[&str]) -> Labels {
    let mut out = Labels::new();
    for label in labels {
        out.extend_from_slice(&(label.len() as u32).to_le_bytes());
        out.extend_from_slice(label.as_bytes());
    }
    out
}

/// The values again.
fn apart(mut labels: &[u8]) -> Vec<&str> {
    let mut out = Vec::new();
    while let Some((len, rest)) = labels.split_first_chunk::<4>() {
        let Some((label, rest)) = rest.split_at_checked(u32::from_le_bytes(*len) as usize) else { break };
        out.push(std::str::from_utf8(label).unwrap_or(""));
        labels = rest;
    }
    out
}

impl Family {
    /// Registers it.
    pub(super) fn new(metric: &'static Metric, registry: &Registry) -> Result<Family, prometheus::Error> {
        let opts = Opts::new(metric.name, metric.help);
        let of = match metric.kind {
            Kind::Counter => {
                let v = CounterVec::new(opts, metric.labels)?;
                registry.register(Box::new(v.clone()))?;
                Of::Counter(v)
            }
            Kind::Gauge | Kind::Summary => {
                let v = GaugeVec::new(opts, metric.labels)?;
                registry.register(Box::new(v.clone()))?;
                Of::Gauge(v)
            }
            Kind::Histogram => {
                let v = HistogramVec::new(HistogramOpts::from(opts).buckets(BUCKETS.to_vec()), metric.labels)?;
                registry.register(Box::new(v.clone()))?;
                Of::Histogram(v)
            }
        };
        Ok(Family { metric, of, children: RwLock::default() })
    }

    /// That of these label values, if there is one.
    pub(super) fn known(&self, labels: &[&str]) -> Option<Child> {
        self.children.read().unwrap_or_else(PoisonError::into_inner).get(&joined(labels)).cloned()
    }

    /// That of these label values; `None` where there are too many already, or the labels are not those of the
    /// table.
    pub(super) fn child(&self, labels: &[&str]) -> Option<Child> {
        if let Some(known) = self.known(labels) {
            return Some(known);
        }
        let mut children = self.children.write().unwrap_or_else(PoisonError::into_inner);
        if children.len() >= self.metric.most && !children.contains_key(&joined(labels)) {
            return None;
        }
        let child = match &self.of {
            Of::Counter(v) => Child::Counter(v.get_metric_with_label_values(labels).ok()?),
            Of::Gauge(v) => Child::Gauge(v.get_metric_with_label_values(labels).ok()?),
            Of::Histogram(v) => Child::Histogram(v.get_metric_with_label_values(labels).ok()?),
        };
        children.insert(joined(labels), child.clone());
        Some(child)
    }

    /// What one of its labels says is no more.
    pub(super) fn forget(&self, label: &str, value: &str) {
        let Some(place) = self.metric.labels.iter().position(|l| *l == label) else { return };
        let mut children = self.children.write().unwrap_or_else(PoisonError::into_inner);
        children.retain(|labels, _| {
            let values = apart(labels);
            let stays = values.get(place) != Some(&value);
            if !stays {
                self.remove(&values);
            }
            stays
        });
    }

    /// One line is no more.
    pub(super) fn forget_one(&self, labels: &[&str]) {
        let mut children = self.children.write().unwrap_or_else(PoisonError::into_inner);
        if children.remove(&joined(labels)).is_some() {
            self.remove(labels);
        }
    }

    fn remove(&self, labels: &[&str]) {
        // one that is gone already is no mistake
        let _ = match &self.of {
            Of::Counter(v) => v.remove_label_values(labels),
            Of::Gauge(v) => v.remove_label_values(labels),
            Of::Histogram(v) => v.remove_label_values(labels),
        };
    }
}
