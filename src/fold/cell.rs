//! The series of one group.

use serde::{Deserialize, Serialize};

use super::series::{Series, passes};
use super::voices::Size;
use crate::base::model::{Group, Reading, Seq, Told};
use crate::base::rule::{Dim, Plan};
use crate::base::time::Time;

/// The series of one group, in the order of its plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cell {
    series: Vec<Series>,
    /// The last entry that concerned it.
    pub(super) last: Seq,
}

impl Cell {
    pub(super) fn new(plan: &Plan) -> Cell {
        Cell { series: plan.series.iter().map(Series::new).collect(), last: 0 }
    }

    pub(super) fn add(&mut self, plan: &Plan, t: &Told, size: Size) {
        for (series, spec) in self.series.iter_mut().zip(&plan.series) {
            if passes(spec, t) {
                series.add(spec, t, size);
            }
        }
    }

    pub(super) fn uncount(&mut self, plan: &Plan, t: &Told) {
        for (series, spec) in self.series.iter_mut().zip(&plan.series) {
            if passes(spec, t) {
                series.uncount(spec, t);
            }
        }
    }

    pub(super) fn resize(&mut self, account: u64, size: Size) {
        self.series.iter_mut().for_each(|s| s.resize(account, size));
    }

    pub(super) fn advance(&mut self, now: Time) {
        self.series.iter_mut().for_each(|s| s.advance(now));
    }

    pub(super) fn read(&mut self, plan: &Plan, group: &Group, now: Time, seq: Seq) -> Reading {
        self.advance(now);
        let values = self.series.iter().zip(&plan.series).map(|(s, spec)| s.value(spec)).collect();
        Reading { seq, at: now, group: group.clone(), values }
    }

    /// When the first and when the last of what is counted expires; `None` if nothing is.
    pub(super) fn expiries(&self) -> Option<(Time, Time)> {
        let each = self.series.iter().filter_map(Series::expiries);
        each.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
    }
}

/// The group of a plan that a post belongs to; `None` if it does not count there.
pub(super) fn group_of(index: usize, plan: &Plan, t: &Told) -> Option<Group> {
    let by_story = plan.has(Dim::Story);
    (by_story || t.in_brand).then(|| Group {
        plan: index as u32,
        key: t.key,
        story: by_story.then(|| t.story.clone()),
        source: plan.has(Dim::Source).then(|| t.body.source.clone()),
        lang: plan.has(Dim::Lang).then(|| t.body.lang.as_deref().unwrap_or("").into()),
    })
}
