//! A series compared with its own past: what is in the bin now open, and the surge detector.

use serde::{Deserialize, Serialize};

use super::outages::{Outages, Sources};
use super::panes::Panes;
use super::series::Series;
use super::surge::{Params, Rareness, Surge};
use super::voices::Size;
use crate::base::model::{Told, Value};
use crate::base::rule::expr::{Measure, SeriesSpec, View};
use crate::base::time::{Span, Time};

/// Length of a bin.
const BIN: Span = Span::seconds(300);
/// Bins of an hour.
const BINS_AN_HOUR: f64 = 12.0;
/// Impressions that count as one ordinary mention: effective reach at the prior audience.
const UNIT: f64 = 45.0;
/// What one account adds to a bin at most, in units; the one big voice has its own measure. Larger
/// caps raise false alarms on quiet brands, since the damping of small counts belongs to the unit.
const CAP_UNITS: f64 = 2.0;
/// Bins looked at one by one after a long silence; what is older is taken as empty.
const BINS_CHECKED: i64 = 8 * 288;

/// A series and its past.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Baseline {
    /// The bin now open.
    bin: Option<i64>,
    /// Whether the open bin was seen from its start.
    whole: bool,
    now: Series,
    surge: Surge,
}

/// A baseline as it is later, if nothing more is counted.
#[derive(Clone, Debug)]
pub(super) struct Later {
    /// The bin of the one it was made of.
    of: Option<i64>,
    copy: Baseline,
}

/// When which sources were down, and which matter to the key.
#[derive(Clone, Copy)]
pub(super) struct Gaps<'g> {
    pub(super) outages: &'g Outages,
    pub(super) sources: &'g Sources,
}

impl Gaps<'_> {
    /// From when on all that matters was heard.
    pub(super) fn heard_since(&self, from: Time, now: Time) -> Option<Time> {
        self.outages.heard_since(from, |s| self.sources.matters(s)).map(|t| t.min(now))
    }

    /// How long between two moments not all that matters was heard.
    pub(super) fn lost(&self, from: Time, to: Time) -> Span {
        self.outages.lost(from, to, |s| self.sources.matters(s))
    }

    fn in_bins(&self, from: i64, to: i64) -> bool {
        self.outages.touch(Time(from * BIN.0), Time(to * BIN.0), |s| self.sources.matters(s))
    }
}

impl Baseline {
    pub(super) fn new(measure: Measure) -> Baseline {
        let now = Series::of_bins(measure, Panes::new(BIN, BIN), CAP_UNITS * UNIT);
        Baseline { bin: None, whole: false, now, surge: Surge::new() }
    }

    /// Counts a post that passes the selectors, if it falls into the open bin; call
    /// [`Baseline::advance`] before.
    pub(super) fn add(&mut self, spec: &SeriesSpec, t: &Told, size: Size) {
        if self.bin == Some(t.time.0.div_euclid(BIN.0)) {
            self.now.add(spec, t, size);
        }
    }

    /// Takes back a post that was counted.
    pub(super) fn uncount(&mut self, spec: &SeriesSpec, t: &Told) {
        self.now.uncount(spec, t);
    }

    /// An account's size became known.
    pub(super) fn resize(&mut self, account: u64, size: Size) {
        self.now.resize(account, size);
    }

    /// Closes the bins that are over at `now`.
    pub(super) fn advance(&mut self, spec: &SeriesSpec, now: Time, gaps: Gaps<'_>) {
        let bin = now.0.div_euclid(BIN.0);
        let Some(open) = self.bin else {
            self.bin = Some(bin);
            self.now.keep_from(bin);
            return;
        };
        if bin <= open {
            return;
        }
        let p = Params::STANDARD;
        if self.whole && !gaps.in_bins(open, open + 1) {
            let x = self.mass(spec);
            self.surge.close(&p, x);
        } else {
            self.surge.skip(&p);
        }
        let first = (open + 1).max(bin - BINS_CHECKED);
        if gaps.in_bins(first, bin) {
            self.surge.close_empty(&p, u32::try_from(first - open - 1).unwrap_or(u32::MAX));
            for b in first..bin {
                if gaps.in_bins(b, b + 1) {
                    self.surge.skip(&p);
                } else {
                    self.surge.close(&p, 0.0);
                }
            }
        } else {
            self.surge.close_empty(&p, u32::try_from(bin - open - 1).unwrap_or(u32::MAX));
        }
        self.bin = Some(bin);
        self.whole = true;
        self.now.keep_from(bin);
    }

    /// How rare it is at `now`, which the series learns from; call [`Baseline::advance`] before.
    pub(super) fn observe(&mut self, spec: &SeriesSpec, now: Time) -> Rareness {
        let x = self.mass(spec);
        self.surge.observe(&Params::STANDARD, x, self.elapsed(now))
    }

    /// How rare it would be at `now` without an account.
    pub(super) fn without(&self, spec: &SeriesSpec, now: Time, account: Option<u64>) -> Rareness {
        let part = account.map_or(0.0, |a| self.now.part(spec.measure, a)) / unit(spec.measure);
        self.surge.look(&Params::STANDARD, (self.mass(spec) - part).max(0.0), self.elapsed(now))
    }

    /// How rare it is at `now`, for who only looks: nothing is learned, no bin closed, but of a copy that is kept
    /// until this changes; and how many bins that closed.
    pub(super) fn seen(
        &self,
        spec: &SeriesSpec,
        now: Time,
        gaps: Gaps<'_>,
        later: &mut Option<Later>,
    ) -> (Rareness, usize) {
        let bin = now.0.div_euclid(BIN.0);
        if self.bin == Some(bin) {
            *later = None;
            return (self.without(spec, now, None), 0);
        }
        // whatever is counted or looked at closes the bins before it
        let known = later.take().filter(|l| l.of == self.bin);
        let later = later.insert(known.unwrap_or_else(|| Later { of: self.bin, copy: self.clone() }));
        let closed = later.copy.bin.map_or(0, |from| (bin - from).clamp(0, BINS_CHECKED));
        later.copy.advance(spec, now, gaps);
        (later.copy.without(spec, now, None), closed as usize)
    }

    /// When it is to be looked at again while somebody waits for it to fall: every fifth of a bin.
    pub(super) fn next_look(now: Time) -> Time {
        let step = BIN.0 / 5;
        Time((now.0.div_euclid(step) + 1) * step)
    }

    /// How long it has yet to learn until what is rare is told by its own past alone, and until it
    /// says anything at all.
    pub(super) fn unlearned(&self) -> (Span, Span) {
        let (grown, young) = self.surge.unlearned(&Params::STANDARD);
        let span = |days: f64| Span((days * 86_400e6) as i64);
        (span(grown), span(young))
    }

    fn mass(&self, spec: &SeriesSpec) -> f64 {
        self.now.value(spec.measure).unwrap_or(0.0) / unit(spec.measure)
    }

    /// Part of the open bin that is over, never nothing.
    fn elapsed(&self, now: Time) -> f64 {
        let open = self.bin.unwrap_or(0) * BIN.0;
        ((now.0 - open) as f64 / BIN.0 as f64).clamp(1e-6, 1.0)
    }
}

/// What one ordinary mention is in a measure.
fn unit(measure: Measure) -> f64 {
    match measure {
        Measure::Impressions | Measure::Reach | Measure::KnownReach | Measure::HostileReach => UNIT,
        _ => 1.0,
    }
}

/// What a rule reads of it; rarity in seconds.
pub(super) fn view(r: Rareness, view: View, measure: Measure) -> Value {
    let known = r.rarity_days.is_some();
    match view {
        View::Value | View::Forecast(_) | View::Rarity => r.rarity_days.map(|d| d * 86_400.0),
        View::Usual => known.then(|| r.usual * unit(measure) * BINS_AN_HOUR),
        View::Lift => known.then_some(r.lift),
        View::LiftShort => known.then_some(r.lifts[0]),
        View::LiftLong => known.then_some(r.lifts[1]),
    }
}
