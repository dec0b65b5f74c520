//! A series worked out anew from posts, for "what would it be without this account".

use std::collections::BTreeMap;

use super::panes::Panes;
use super::posts::{Kept, Posts};
use super::series::{passes, scale, weight};
use crate::base::model::{Tone, Value};
use crate::base::rule::expr::{Measure, SeriesSpec};
use crate::base::time::Time;

/// The value of a series at `now` over the given posts.
pub(super) fn value<'k>(spec: &SeriesSpec, posts: &Posts, kept: impl Iterator<Item = &'k Kept>, now: Time) -> Value {
    let panes = Panes::new(spec.window, spec.pane());
    let oldest = panes.oldest(now);
    let told = kept.map(|k| &*k.told).filter(|t| passes(spec, t) && panes.of(t.time) >= oldest);
    match spec.measure {
        Measure::Mentions | Measure::Shares => Some(told.count() as f64),
        Measure::NegativeShare => {
            let tones: Vec<Tone> = told.map(|t| Tone::of(t.n)).filter(|t| *t != Tone::Unknown).collect();
            let negative = tones.iter().filter(|t| **t == Tone::Negative).count();
            (!tones.is_empty()).then(|| negative as f64 / tones.len() as f64)
        }
        measure => {
            let mut weights: BTreeMap<u64, u64> = BTreeMap::new();
            for t in told {
                let w = u64::from(weight(measure, t));
                let sum = weights.entry(t.account.0).or_insert(0);
                *sum = if measure == Measure::Impressions { *sum + w } else { w.max(*sum) };
            }
            let sizes = weights.iter().filter_map(|(a, w)| posts.account(*a).map(|a| (a.size, *w)));
            Some(match measure {
                Measure::Authors => weights.len() as f64,
                Measure::LargestVoice => sizes.map(|(s, _)| s.followers).max().unwrap_or(0) as f64,
                _ => sizes.map(|(s, w)| i128::from(w) * i128::from(s.base)).sum::<i128>() as f64 / scale(measure),
            })
        }
    }
}
