//! The table of metrics: name, type, unit, labels, how many, help. Code refers to entries; nothing else
//! is exported, but for what is told of the process itself.

mod table;

pub use table::*;

/// Type of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets.
    Histogram,
    /// Quantiles over a while.
    Summary,
}

impl Kind {
    /// The word of Prometheus.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        }
    }
}

/// What its numbers are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Things that are counted.
    Items,
    /// 1 or 0.
    Flag,
    /// Seconds.
    Seconds,
    /// Seconds since 1970.
    Timestamp,
    /// Things in a second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// A part of a whole, 0..1.
    Share,
    /// How many times as much.
    Times,
    /// Impressions.
    Impressions,
}

impl Unit {
    /// The word used in the reference.
    pub fn name(self) -> &'static str {
        match self {
            Unit::Items => "items",
            Unit::Flag => "0 or 1",
            Unit::Seconds => "seconds",
            Unit::Timestamp => "seconds since 1970",
            Unit::PerSecond => "a second",
            Unit::Bytes => "bytes",
            Unit::Share => "0..1",
            Unit::Times => "times",
            Unit::Impressions => "impressions",
        }
    }

    /// What names of such metrics end with, before `_total`.
    pub fn suffix(self) -> &'static str {
        match self {
            Unit::Items | Unit::Flag => "",
            Unit::Seconds => "_seconds",
            Unit::Timestamp => "_timestamp_seconds",
            Unit::PerSecond => "_per_second",
            Unit::Bytes => "_bytes",
            Unit::Share | Unit::Times => "_ratio",
            Unit::Impressions => "_impressions",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name, by Prometheus' rules.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What its numbers are.
    pub unit: Unit,
    /// Its labels; values come from config or closed lists, never from posts.
    pub labels: &'static [&'static str],
    /// How many sets of label values it has at most; further ones are left out and counted.
    pub most: usize,
    /// What it means.
    pub help: &'static str,
}

impl Metric {
    /// Lines it gives at most: those of a histogram are one a bucket, and their sum and count.
    pub fn lines(&self) -> usize {
        match self.kind {
            Kind::Histogram => self.most * (BUCKETS.len() + 3),
            Kind::Counter | Kind::Gauge | Kind::Summary => self.most,
        }
    }
}

/// Upper bounds of the buckets of histograms, in seconds: from what a stage takes to how long people
/// take.
pub const BUCKETS: [f64; 18] = [
    0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 60.0, 300.0, 900.0,
    3600.0, 14_400.0,
];

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All of them, in the order of the flow.
            pub const ALL: [$name; [$($name::$variant),*].len()] = [$($name::$variant),*];

            /// The word used as a label.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// Stages, whose time is taken, and spans over several of them.
    Stage {
        /// Frames on their way from a socket or request into the queue of the engine: outcomes `fed`, `lost`.
        Collect "collect",
        /// Frames that are matched and scored: `passed`, or `ended` here.
        Front "front",
        /// Frames that are put in order: `entered`, or `dropped`.
        Junction "junction",
        /// Entries that are counted and judged: they `changed` an episode, or were `quiet`.
        Back "back",
        /// Entries that are recorded: `committed`, `lost`, or `unrecorded` where there is no store.
        Commit "commit",
        /// Messages that are to be sent: `queued`, or `not_sent`.
        Tell "tell",
        /// Messages on their way to a receiver: `delivered`, `refused`, `dropped`, `expired`, `superseded`, `left`.
        Deliver "deliver",
        /// From receiving frames to what is decided because of them.
        ReceiveToTransition "receive_to_transition",
        /// From receiving what caused a change to its messages being in the outbox.
        ReceiveToOutbox "receive_to_outbox",
        /// To write down all metrics.
        Scrape "scrape",
    }
}

impl Stage {
    /// Whether things are counted in and out: not of spans over several stages, nor of metrics themselves.
    pub fn holds(self) -> bool {
        !matches!(self, Stage::ReceiveToTransition | Stage::ReceiveToOutbox | Stage::Scrape)
    }
}

words! {
    /// Queues between stages.
    Queue {
        /// Frames that wait for the engine.
        Engine "engine",
        /// What the engine gives to keep.
        Keeper "keeper",
        /// Messages that are handed to receivers.
        Receivers "receivers",
        /// Accounts whose followers are asked for.
        Lookups "lookups",
    }
}

/// What [`crate::app::metrics`] tells of the process itself, by the names everybody uses.
pub const OF_PROCESS: [(&str, &str); 7] = [
    ("process_cpu_seconds_total", "time that processors spent on this process"),
    ("process_resident_memory_bytes", "memory that it holds"),
    ("process_virtual_memory_bytes", "addresses that it has mapped"),
    ("process_open_fds", "files and sockets that it has open"),
    ("process_max_fds", "files and sockets that it may have open"),
    ("process_threads", "its threads"),
    ("process_start_time_seconds", "when it was started, in seconds since 1970"),
];

/// Lines that all metrics together give at most, without those that only describe.
pub fn most_lines() -> usize {
    ALL.iter().map(Metric::lines).sum::<usize>() + OF_PROCESS.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for m in ALL {
            assert!(m.name.starts_with("groundswell_"), "{}", m.name);
            assert_eq!(m.name.ends_with("_total"), m.kind == Kind::Counter, "{}", m.name);
            assert!(m.name.trim_end_matches("_total").ends_with(m.unit.suffix()), "{}: {}", m.name, m.unit.name());
            assert!(m.most > 0 && (m.most == 1 || !m.labels.is_empty()), "{}", m.name);
            assert_eq!(ALL.iter().filter(|o| o.name == m.name).count(), 1, "{}", m.name);
            let known = [
                "alert", "brand", "cause", "edge", "file", "limit", "order", "outcome", "over", "quantile", "queue",
                "rank", "receiver", "result", "severity", "source", "stage", "to", "tone", "verdict", "version",
                "what", "when", "window",
            ];
            assert!(m.labels.iter().all(|l| known.contains(l)), "{}: labels never come from posts", m.name);
            assert!(!m.help.is_empty() && !m.help.ends_with('.'), "{}", m.name);
        }
        assert!(BUCKETS.windows(2).all(|b| b[0] < b[1]));
    }

    #[test]
    fn all_together_stay_within_a_stated_number() {
        assert!(most_lines() < 60_000, "{}", most_lines());
    }
}
