//! One series: a measure of the posts that pass its selectors, over its window.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::panes::Panes;
use super::voices::{Rule, Size, Voices};
use crate::base::model::{Told, Tone, Value};
use crate::base::reach;
use crate::base::rule::expr::{Field, Measure, Selector, SeriesSpec};
use crate::base::time::Time;

/// What a series holds. Its measure and selectors stand in its spec.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Series {
    panes: Panes,
    oldest: i64,
    state: State,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    Counts(Counts),
    Ratio { part: Counts, whole: Counts },
    Voices(Voices),
}

/// Whether a post passes the selectors of a series.
pub(super) fn passes(spec: &SeriesSpec, t: &Told) -> bool {
    let by_measure = spec.measure != Measure::Shares || t.kind.shares();
    by_measure && spec.selectors.iter().all(|s| selects(s, t))
}

fn selects(s: &Selector, t: &Told) -> bool {
    let found = match s.field {
        Field::Tone => Tone::of(t.n).name(),
        Field::Source => &t.body.source,
        Field::Kind => t.kind.name(),
        Field::Lang => t.body.lang.as_deref().unwrap_or(""),
    };
    (found == s.value) != s.negated
}

/// The weight of a post in a measure.
pub(super) fn weight(measure: Measure, t: &Told) -> u32 {
    match measure {
        Measure::HostileReach => reach::hostile_weight(t.n, t.kind),
        _ => reach::kind_weight(t.kind),
    }
}

impl Series {
    pub(super) fn new(spec: &SeriesSpec) -> Series {
        let state = match spec.measure {
            Measure::Mentions | Measure::Shares => State::Counts(Counts::default()),
            Measure::NegativeShare => State::Ratio { part: Counts::default(), whole: Counts::default() },
            Measure::Authors => State::Voices(Voices::new(Rule::One)),
            Measure::Impressions => State::Voices(Voices::new(Rule::Sum)),
            Measure::Reach | Measure::HostileReach => State::Voices(Voices::new(Rule::Largest)),
            Measure::LargestVoice => State::Voices(Voices::new(Rule::Followers)),
        };
        Series { panes: Panes::new(spec.window, spec.pane()), oldest: i64::MIN, state }
    }

    /// Counts a post that passes the selectors, if its pane is kept.
    pub(super) fn add(&mut self, spec: &SeriesSpec, t: &Told, size: Size) {
        let pane = self.panes.of(t.time);
        if pane < self.oldest {
            return;
        }
        match &mut self.state {
            State::Counts(c) => c.add(pane),
            State::Ratio { part, whole } => match Tone::of(t.n) {
                Tone::Unknown => {}
                tone => {
                    whole.add(pane);
                    if tone == Tone::Negative {
                        part.add(pane);
                    }
                }
            },
            State::Voices(v) => v.add(t.account.0, size, pane, weight(spec.measure, t)),
        }
    }

    /// Takes back a post that was counted.
    pub(super) fn uncount(&mut self, spec: &SeriesSpec, t: &Told) {
        let pane = self.panes.of(t.time);
        match &mut self.state {
            State::Counts(c) => c.remove(pane),
            State::Ratio { part, whole } => match Tone::of(t.n) {
                Tone::Unknown => {}
                tone => {
                    whole.remove(pane);
                    if tone == Tone::Negative {
                        part.remove(pane);
                    }
                }
            },
            State::Voices(v) => v.remove(t.account.0, pane, weight(spec.measure, t)),
        }
    }

    /// An account's size became known.
    pub(super) fn resize(&mut self, account: u64, size: Size) {
        if let State::Voices(v) = &mut self.state {
            v.resize(account, size);
        }
    }

    /// Drops what no longer counts at `now`.
    pub(super) fn advance(&mut self, now: Time) {
        self.oldest = self.oldest.max(self.panes.oldest(now));
        match &mut self.state {
            State::Counts(c) => c.advance(self.oldest),
            State::Ratio { part, whole } => {
                part.advance(self.oldest);
                whole.advance(self.oldest);
            }
            State::Voices(v) => v.advance(self.oldest),
        }
    }

    /// The value as of the last advance.
    pub(super) fn value(&self, spec: &SeriesSpec) -> Value {
        match &self.state {
            State::Counts(c) => Some(c.total() as f64),
            State::Ratio { part, whole } if whole.total() > 0 => Some(part.total() as f64 / whole.total() as f64),
            State::Ratio { .. } => None,
            State::Voices(v) => Some(v.total() as f64 / scale(spec.measure)),
        }
    }

    /// When the first, and when the last of what is counted expires.
    pub(super) fn expiries(&self) -> Option<(Time, Time)> {
        let (first, last) = match &self.state {
            State::Counts(c) => (c.first_pane()?, c.last_pane()?),
            State::Ratio { whole, .. } => (whole.first_pane()?, whole.last_pane()?),
            State::Voices(v) => (v.first_pane()?, v.last_pane()?),
        };
        Some((self.panes.expiry(first), self.panes.expiry(last)))
    }
}

/// What a sum over accounts is divided by.
pub(super) fn scale(measure: Measure) -> f64 {
    match measure {
        Measure::Authors | Measure::LargestVoice => 1.0,
        _ => reach::SUM_ONE,
    }
}
