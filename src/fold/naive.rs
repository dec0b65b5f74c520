//! A series worked out anew from posts, for "what would it be without this account".

use std::collections::{BTreeMap, BTreeSet};

use super::panes::Panes;
use super::posts::{Kept, Posts};
use super::series::{is_of_names, names, passes, weight};
use super::voices::Size;
use crate::base::model::{Told, Tone, Value};
use crate::base::reach;
use crate::base::rule::Brand;
use crate::base::rule::expr::Measure;
use crate::base::rule::plan::Window;
use crate::base::time::Time;

/// The value of a window at `now` over the given posts.
pub(super) fn value<'k>(
    window: &Window,
    by_story: bool,
    posts: &Posts,
    kept: impl Iterator<Item = &'k Kept>,
    brand: Option<&Brand>,
    now: Time,
) -> Value {
    let spec = &window.spec;
    let panes = Panes::new(spec.window, spec.pane());
    let oldest = panes.oldest(now);
    let size = |t: &Told| posts.account(t.account.0).map(|a| a.size).unwrap_or_default();
    let told = kept.map(|k| &*k.told).filter(|t| panes.of(t.time) >= oldest);
    let told: Vec<(&Told, Size)> = told.map(|t| (t, size(t))).collect();
    let told = || told.iter().filter(|(t, size)| passes(spec, &window.filter, t, *size, brand));
    match spec.measure {
        Measure::NegativeShare => {
            let tones: Vec<Tone> = told().map(|(t, _)| Tone::of(t.n)).filter(|t| *t != Tone::Unknown).collect();
            let negative = tones.iter().filter(|t| **t == Tone::Negative).count();
            (!tones.is_empty()).then(|| negative as f64 / tones.len() as f64)
        }
        m if is_of_names(m) => {
            let named: BTreeSet<u64> = told().flat_map(|(t, _)| names(m, t)).collect();
            Some(named.len() as f64)
        }
        Measure::Authors | Measure::KnownShare => {
            let accounts: BTreeMap<u64, bool> = told().map(|(t, size)| (t.account.0, size.known)).collect();
            let known = accounts.values().filter(|k| **k).count();
            match spec.measure {
                Measure::Authors => Some(accounts.len() as f64),
                _ => (!accounts.is_empty()).then(|| known as f64 / accounts.len() as f64),
            }
        }
        Measure::LargestVoice => Some(told().map(|(_, size)| size.followers).max().unwrap_or(0) as f64),
        Measure::Impressions | Measure::Reach | Measure::KnownReach | Measure::HostileReach => {
            let mut weights: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
            for (t, size) in told() {
                if spec.measure == Measure::KnownReach && (!size.known || (by_story && t.is_root())) {
                    continue;
                }
                let w = u64::from(weight(spec.measure, t));
                let sum = &mut weights.entry(t.account.0).or_insert((0, size.base)).0;
                *sum = if spec.measure == Measure::Impressions { *sum + w } else { w.max(*sum) };
            }
            let sum: i128 = weights.values().map(|(w, base)| i128::from(*w) * i128::from(*base)).sum();
            Some(sum as f64 / reach::SUM_ONE)
        }
        _ => Some(told().count() as f64),
    }
}
