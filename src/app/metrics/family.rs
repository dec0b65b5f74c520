//! One metric with all its sets of label values, of which there are never more than the table says; and how it is
//! written down. The registry of the library takes 2 us a line, too long for a thousand brands: here the labels of a
//! line are written once.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{PoisonError, RwLock};

use prometheus::core::Metric as _;
use prometheus::{Counter, Gauge, Histogram, HistogramOpts};
use smallvec::SmallVec;

use crate::base::metric::{BUCKETS, Kind, Metric};

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

struct Line {
    labels: Box<[Box<str>]>,
    /// `a="b",c="d"`, as they are served.
    written: Box<str>,
    child: Child,
}

/// One metric.
pub(super) struct Family {
    metric: &'static Metric,
    lines: RwLock<BTreeMap<Labels, Line>>,
}

/// Label values in a row, and behind them how long each is.
type Labels = SmallVec<[u8; 96]>;

fn joined(labels: &[&str]) -> Labels {
    let mut out = Labels::new();
    labels.iter().for_each(|l| out.extend_from_slice(l.as_bytes()));
    labels.iter().for_each(|l| out.extend_from_slice(&(l.len() as u32).to_be_bytes()));
    out
}

impl Family {
    pub(super) fn new(metric: &'static Metric) -> Family {
        Family { metric, lines: RwLock::default() }
    }

    /// That of these label values, if there is one.
    pub(super) fn known(&self, labels: &[&str]) -> Option<Child> {
        self.lines.read().unwrap_or_else(PoisonError::into_inner).get(&joined(labels)).map(|l| l.child.clone())
    }

    /// That of these label values; `None` where there are too many already, or the labels are not those of the
    /// table.
    pub(super) fn child(&self, labels: &[&str]) -> Option<Child> {
        if let Some(known) = self.known(labels) {
            return Some(known);
        }
        let mut lines = self.lines.write().unwrap_or_else(PoisonError::into_inner);
        let key = joined(labels);
        if let Some(known) = lines.get(&key) {
            return Some(known.child.clone());
        }
        if lines.len() >= self.metric.most || labels.len() != self.metric.labels.len() {
            return None;
        }
        let (name, help) = (self.metric.name, self.metric.help);
        let child = match self.metric.kind {
            Kind::Counter => Child::Counter(Counter::new(name, help).ok()?),
            Kind::Gauge | Kind::Summary => Child::Gauge(Gauge::new(name, help).ok()?),
            Kind::Histogram => {
                let opts = HistogramOpts::new(name, help).buckets(BUCKETS.to_vec());
                Child::Histogram(Histogram::with_opts(opts).ok()?)
            }
        };
        let written = self.written(labels).into();
        let labels = labels.iter().map(|l| Box::from(*l)).collect();
        lines.insert(key, Line { labels, written, child: child.clone() });
        Some(child)
    }

    /// Labels as they are served, by name.
    fn written(&self, values: &[&str]) -> String {
        let mut labels: Vec<(&str, &&str)> = self.metric.labels.iter().copied().zip(values).collect();
        labels.sort_unstable();
        let mut out = String::new();
        for (name, value) in labels {
            let comma = if out.is_empty() { "" } else { "," };
            let _ = write!(out, "{comma}{name}=\"");
            for c in value.chars() {
                match c {
                    '\\' => out.push_str("\\\\"),
                    '"' => out.push_str("\\\""),
                    '\n' => out.push_str("\\n"),
                    c => out.push(c),
                }
            }
            out.push('"');
        }
        out
    }

    /// What one of its labels says is no more.
    pub(super) fn forget(&self, label: &str, value: &str) {
        let Some(place) = self.metric.labels.iter().position(|l| *l == label) else { return };
        let mut lines = self.lines.write().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, line| line.labels.get(place).is_none_or(|l| **l != *value));
    }

    /// One line is no more.
    pub(super) fn forget_one(&self, labels: &[&str]) {
        self.lines.write().unwrap_or_else(PoisonError::into_inner).remove(&joined(labels));
    }

    /// Writes it down in Prometheus' text format; nothing where it has no line.
    pub(super) fn write(&self, out: &mut String) {
        let lines = self.lines.read().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return;
        }
        let (name, help, kind) = (self.metric.name, self.metric.help, self.metric.kind.name());
        // writing to memory does not fail
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for line in lines.values() {
            match &line.child {
                Child::Counter(c) => sample(out, name, "", &line.written, c.get()),
                Child::Gauge(g) => sample(out, name, "", &line.written, g.get()),
                Child::Histogram(h) => histogram(out, name, &line.written, h),
            }
        }
    }
}

fn sample(out: &mut String, name: &str, suffix: &str, labels: &str, value: f64) {
    out.push_str(name);
    out.push_str(suffix);
    if !labels.is_empty() {
        out.push('{');
        out.push_str(labels);
        out.push('}');
    }
    let _ = if value.is_infinite() {
        writeln!(out, " {}Inf", if value > 0.0 { '+' } else { '-' })
    } else {
        writeln!(out, " {value}")
    };
}

fn histogram(out: &mut String, name: &str, labels: &str, h: &Histogram) {
    let comma = if labels.is_empty() { "" } else { "," };
    let metric = h.metric();
    let h = metric.get_histogram();
    for bucket in h.get_bucket() {
        let _ = writeln!(
            out,
            "{name}_bucket{{{labels}{comma}le=\"{}\"}} {}",
            bucket.upper_bound(),
            bucket.cumulative_count()
        );
    }
    let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", h.get_sample_count());
    sample(out, name, "_sum", labels, h.get_sample_sum());
    sample(out, name, "_count", labels, h.get_sample_count() as f64);
}
