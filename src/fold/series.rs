//! One series: a measure of the posts that pass its selectors, over its window.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::counts::Counts;
use super::panes::Panes;
use super::share::{Share, YOUNG};
use super::voices::{ONE, Rule, Size, Voices};
use crate::base::hash;
use crate::base::model::{Told, Tone, Value};
use crate::base::reach;
use crate::base::rule::expr::{Measure, SeriesSpec, View};
use crate::base::rule::{Brand, Filter};
use crate::base::tags::tags_of;
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
    Ratio {
        part: Counts,
        whole: Counts,
    },
    Voices(Voices),
    Known {
        part: Voices,
        whole: Voices,
    },
    /// When the last post came.
    Last(Option<Time>),
    /// What share of negative posts is usual.
    Share(Share),
}

/// Whether a post counts in a series.
pub(super) fn passes(spec: &SeriesSpec, filter: &Filter, t: &Told, size: Size, brand: Option<&Brand>) -> bool {
    let by_measure = spec.measure != Measure::Shares || t.passes_on();
    by_measure && filter.passes(t, size.audience(), brand)
}

/// Whether it counts distinct things a post names, rather than its author.
pub(super) fn is_of_names(measure: Measure) -> bool {
    matches!(measure, Measure::Texts | Measure::Stories | Measure::Sources | Measure::Langs | Measure::Tags)
}

/// What a post names of these, as hashes.
pub(super) fn names(measure: Measure, t: &Told) -> SmallVec<[u64; 2]> {
    let name = |text: &str| hash::parts(&[text.as_bytes()]);
    match measure {
        Measure::Texts => t.text.into_iter().collect(),
        Measure::Stories => smallvec::smallvec![t.story.id.0],
        Measure::Sources => smallvec::smallvec![name(&t.body.source)],
        Measure::Langs => t.body.lang.iter().filter(|l| !l.is_empty()).map(|l| name(l)).collect(),
        Measure::Tags => tags_of(&t.body).iter().map(|tag| name(tag)).collect(),
        _ => SmallVec::new(),
    }
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
        let mut series = Series::with(spec.measure, Panes::new(spec.window, spec.pane()), by_story, whole_from);
        if spec.view == View::Usual {
            series.state = State::Share(Share::default());
        }
        series
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
            Measure::Silence => State::Last(None),
            m if m == Measure::Authors || is_of_names(m) => voices(Rule::One),
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
        // these have no panes that could be over
        match &mut self.state {
            State::Last(last) => return *last = Some(last.map_or(t.time, |l| l.max(t.time))),
            State::Share(share) => return share.add(t.time, Tone::of(t.n)),
            _ => {}
        }
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
            State::Voices(v) if is_of_names(spec.measure) => {
                names(spec.measure, t).into_iter().for_each(|name| v.add(name, Size::default(), pane, 1));
            }
            State::Last(_) | State::Share(_) => {}
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
            State::Voices(v) if is_of_names(spec.measure) => {
                names(spec.measure, t).into_iter().for_each(|name| v.remove(name, pane, 1));
            }
            // something came, whatever it says now
            State::Last(_) => {}
            State::Share(share) => share.remove(t.time, Tone::of(t.n)),
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
            State::Counts(_) | State::Ratio { .. } | State::Last(_) | State::Share(_) => {}
        }
    }

    /// Whether it is estimated from a sample.
    pub(super) fn is_sampled(&self) -> bool {
        match &self.state {
            State::Voices(v) | State::Known { whole: v, .. } => v.is_sampled(),
            State::Counts(_) | State::Ratio { .. } | State::Last(_) | State::Share(_) => false,
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
        if let State::Share(share) = &mut self.state {
            return share.advance(now);
        }
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
            State::Last(_) | State::Share(_) => {}
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
            // how long ago that is depends on what was heard
            State::Last(_) => None,
            State::Share(share) => share.value(),
        }
    }

    /// Whether it knows anything that does not expire.
    pub(super) fn remembers(&self) -> bool {
        match &self.state {
            State::Last(last) => last.is_some(),
            State::Share(share) => share.since().is_some(),
            _ => false,
        }
    }

    /// When the last post came, where that is what is asked.
    pub(super) fn last(&self) -> Option<Time> {
        if let State::Last(last) = self.state { last } else { None }
    }

    /// What an account adds to the value, for measures that are sums over accounts.
    pub(super) fn part(&self, measure: Measure, account: u64) -> f64 {
        match &self.state {
            State::Voices(v) if !is_of_names(measure) => v.part(account) as f64 / scale(measure),
            _ => 0.0,
        }
    }

    /// Relative standard error, where the value is estimated from a sample of accounts.
    pub(super) fn error(&self) -> Option<f64> {
        match &self.state {
            State::Voices(v) => v.error(),
            State::Known { whole, .. } => whole.error(),
            State::Counts(_) | State::Ratio { .. } | State::Last(_) | State::Share(_) => None,
        }
    }

    /// When it will have counted a whole window; `None` if it has at `now`.
    pub(super) fn warm_at(&self, spec: &SeriesSpec, now: Time) -> Option<Time> {
        if let State::Share(share) = &self.state {
            return Some(share.since()? + YOUNG).filter(|t| *t > now);
        }
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
            State::Last(_) | State::Share(_) => return None,
        };
        Some((self.panes.expiry(first), self.panes.expiry(last)))
    }
}

/// What a sum over accounts is divided by.
pub(super) fn scale(measure: Measure) -> f64 {
    match measure {
        Measure::Authors => ONE as f64,
        m if is_of_names(m) => ONE as f64,
        Measure::LargestVoice => 1.0,
        _ => reach::SUM_ONE,
    }
}
