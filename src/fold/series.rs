//! One series: a measure of the posts that pass its selectors, over its window.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::panes::Panes;
use super::voices::{ONE, Rule, Size, Voices};
use crate::base::model::{Told, Tone, Value};
use crate::base::reach;
use crate::base::rule::expr::{Measure, SeriesSpec};
use crate::base::rule::{Brand, Filter};
use crate::base::time::Time;

/// What a series holds. Its measure and selectors stand in its spec.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Series {
    panes: Panes,
    oldest: i64,
    /// Whether it is of one story, so that the root is left out of known reach.
    by_story: bool,
    /// From when on everything was counted.
    whole_from: Time,
    state: State,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    Counts(Counts),
    Ratio { part: Counts, whole: Counts },
    Voices(Voices),
    Known { part: Voices, whole: Voices },
}

/// Whether a post counts in a series.
pub(super) fn passes(spec: &SeriesSpec, filter: &Filter, t: &Told, size: Size, brand: Option<&Brand>) -> bool {
    let by_measure = spec.measure != Measure::Shares || t.passes_on();
    by_measure && filter.passes(t, size.audience(), brand)
}

/// The weight of a post in a measure.
pub(super) fn weight(measure: Measure, t: &Told) -> u32 {
    match measure {
        Measure::HostileReach => reach::hostile_weight(t.n, t.kind),
        _ => reach::kind_weight(t.kind),
    }
}

impl Series {
    pub(super) fn new(spec: &SeriesSpec, by_story: bool, whole_from: Time) -> Series {
        Series::with(spec.measure, Panes::new(spec.window, spec.pane()), by_story, whole_from)
    }

    /// Of one bin at a time, where one account adds at most `cap` impressions.
    pub(super) fn of_bins(measure: Measure, panes: Panes, cap: f64) -> Series {
        let mut series = Series::with(measure, panes, false, Time(i64::MIN));
        if let State::Voices(v) = series.state {
            let cap = if scale(measure) == reach::SUM_ONE { (cap * reach::SUM_ONE) as i128 } else { i128::MAX };
            series.state = State::Voices(v.capped(cap));
        }
        series
    }

    fn with(measure: Measure, panes: Panes, by_story: bool, whole_from: Time) -> Series {
        let voices = |rule| State::Voices(Voices::new(rule));
        let state = match measure {
            Measure::NegativeShare => State::Ratio { part: Counts::default(), whole: Counts::default() },
            Measure::KnownShare => State::Known { part: Voices::new(Rule::OneKnown), whole: Voices::new(Rule::One) },
            Measure::Authors | Measure::Texts => voices(Rule::One),
            Measure::Impressions => voices(Rule::Sum),
            Measure::Reach | Measure::HostileReach => voices(Rule::Largest),
            Measure::KnownReach => voices(Rule::LargestKnown),
            Measure::LargestVoice => voices(Rule::Followers),
            _ => State::Counts(Counts::default()),
        };
        Series { panes, oldest: i64::MIN, by_story, whole_from, state }
    }

    /// Counts a post that passes the selectors, if its pane is kept.
    pub(super) fn add(&mut self, spec: &SeriesSpec, t: &Told, size: Size) {
        let pane = self.panes.of(t.time);
        if pane < self.oldest || self.leaves_out(spec, t) {
            return;
        }
        let w = weight(spec.measure, t);
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
            State::Voices(v) if spec.measure == Measure::Texts => {
                t.text.into_iter().for_each(|text| v.add(text, Size::default(), pane, 1));
            }
            State::Voices(v) => v.add(t.account.0, size, pane, w),
            State::Known { part, whole } => [part, whole].into_iter().for_each(|v| v.add(t.account.0, size, pane, w)),
        }
    }

    /// Takes back a post that was counted.
    pub(super) fn uncount(&mut self, spec: &SeriesSpec, t: &Told) {
        let pane = self.panes.of(t.time);
        if self.leaves_out(spec, t) {
            return;
        }
        let w = weight(spec.measure, t);
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
            State::Voices(v) if spec.measure == Measure::Texts => {
                t.text.into_iter().for_each(|text| v.remove(text, pane, 1));
            }
            State::Voices(v) => v.remove(t.account.0, pane, w),
            State::Known { part, whole } => [part, whole].into_iter().for_each(|v| v.remove(t.account.0, pane, w)),
        }
    }

    fn leaves_out(&self, spec: &SeriesSpec, t: &Told) -> bool {
        self.by_story && t.is_root() && spec.measure == Measure::KnownReach
    }

    /// An account's size became known.
    pub(super) fn resize(&mut self, account: u64, size: Size) {
        match &mut self.state {
            State::Voices(v) => v.resize(account, size),
            State::Known { part, whole } => [part, whole].into_iter().for_each(|v| v.resize(account, size)),
            State::Counts(_) | State::Ratio { .. } => {}
        }
    }

    /// Whether it is estimated from a sample.
    pub(super) fn is_sampled(&self) -> bool {
        match &self.state {
            State::Voices(v) | State::Known { whole: v, .. } => v.is_sampled(),
            State::Counts(_) | State::Ratio { .. } => false,
        }
    }

    /// Counts a post of an account that a sample had left out and is to hold now.
    pub(super) fn readmit(&mut self, spec: &SeriesSpec, t: &Told, size: Size) {
        let pane = self.panes.of(t.time);
        if let State::Voices(v) = &mut self.state
            && pane >= self.oldest
        {
            v.readmit(t.account.0, size, pane, weight(spec.measure, t));
        }
    }

    /// Drops what no longer counts at `now`.
    pub(super) fn advance(&mut self, now: Time) {
        self.keep_from(self.panes.oldest(now));
    }

    /// Drops panes before `oldest`.
    pub(super) fn keep_from(&mut self, oldest: i64) {
        self.oldest = self.oldest.max(oldest);
        match &mut self.state {
            State::Counts(c) => c.advance(self.oldest),
            State::Ratio { part, whole } => [part, whole].into_iter().for_each(|c| c.advance(self.oldest)),
            State::Voices(v) => v.advance(self.oldest),
            State::Known { part, whole } => [part, whole].into_iter().for_each(|v| v.advance(self.oldest)),
        }
    }

    /// The value as of the last advance.
    pub(super) fn value(&self, measure: Measure) -> Value {
        let ratio = |part: f64, whole: f64| (whole > 0.0).then(|| (part / whole).clamp(0.0, 1.0));
        match &self.state {
            State::Counts(c) => Some(c.total() as f64),
            State::Ratio { part, whole } => ratio(part.total() as f64, whole.total() as f64),
            // an estimated number of accounts is a whole number too
            State::Voices(v) if scale(measure) == ONE as f64 => Some((v.total() as f64 / scale(measure)).round()),
            State::Voices(v) => Some(v.total() as f64 / scale(measure)),
            State::Known { part, whole } => ratio(part.total() as f64, whole.total() as f64),
        }
    }

    /// What an account adds to the value, for measures that are sums over accounts.
    pub(super) fn part(&self, measure: Measure, account: u64) -> f64 {
        match &self.state {
            State::Voices(v) if measure != Measure::Texts => v.part(account) as f64 / scale(measure),
            _ => 0.0,
        }
    }

    /// Relative standard error, where the value is estimated from a sample of accounts.
    pub(super) fn error(&self) -> Option<f64> {
        match &self.state {
            State::Voices(v) => v.error(),
            State::Known { whole, .. } => whole.error(),
            State::Counts(_) | State::Ratio { .. } => None,
        }
    }

    /// When it will have counted a whole window; `None` if it has at `now`.
    pub(super) fn warm_at(&self, spec: &SeriesSpec, now: Time) -> Option<Time> {
        if self.whole_from == Time(i64::MIN) {
            return None;
        }
        Some(self.whole_from + spec.window).filter(|t| *t > now)
    }

    /// When the first, and when the last of what is counted expires.
    pub(super) fn expiries(&self) -> Option<(Time, Time)> {
        let (first, last) = match &self.state {
            State::Counts(c) => (c.first_pane()?, c.last_pane()?),
            State::Ratio { whole, .. } => (whole.first_pane()?, whole.last_pane()?),
            State::Voices(v) | State::Known { whole: v, .. } => (v.first_pane()?, v.last_pane()?),
        };
        Some((self.panes.expiry(first), self.panes.expiry(last)))
    }
}

/// What a sum over accounts is divided by.
pub(super) fn scale(measure: Measure) -> f64 {
    match measure {
        Measure::Authors | Measure::Texts => ONE as f64,
        Measure::LargestVoice => 1.0,
        _ => reach::SUM_ONE,
    }
}
