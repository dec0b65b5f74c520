//! What can be set about surges: memory, damping, seasons, and when a series calls its own alarm.

use serde::{Deserialize, Serialize};

/// The parameters of the surge detector, shared by all series. Every value must be finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// Bins a day (> 0). 288: bins of five minutes.
    pub bins_per_day: f64,
    /// Time constants of the two fast rates (bins, >= 1). Both a spike (15 minutes) and a build-up (1 hour) must look
    /// rare, on geometric average.
    pub scales: [f64; 2],
    /// Memory of "usual" (days, > 0).
    pub base_days: f64,
    /// Memory of the spread and of the tail (days, > 0).
    pub mem_days: f64,
    /// Memory of the usual shape of a day (days, >= 0; 0 switches it off). Without it a strong daily rhythm raises an
    /// alarm every day.
    pub season_days: f64,
    /// Damping of small counts, c (units of x, > 0): with 2, going from 0 to 5 is a lift of 3.5, not infinity.
    pub damping: f64,
    /// A bin moves "usual" at most as if it were this many spreads away (> 0): a crisis does not become usual in
    /// minutes.
    pub clip: f64,
    /// Share of bins that make up the tail, q (0..1): 0.01 is the key's own top 1 %.
    pub tail_share: f64,
    /// Least tail index used in a rarity (log units, > 0): a key with very regular noise needs more than a hair above
    /// its own top 1 %.
    pub min_tail: f64,
    /// Least spread (log units, >= 0), so that a key long silent can still learn.
    pub min_spread: f64,
    /// Age below which rarity and lift are unknown (bins, >= 1).
    pub young_bins: f64,
    /// Age at which a key is judged by its own tail alone (days, >= 0; 0 never uses the prior). Before, by a mix with
    /// the tail of the population.
    pub prior_days: f64,
    /// The population's top 1 % (log of the lift, >= 0).
    pub prior_level: f64,
    /// The population's tail index (log units, > 0).
    pub prior_tail: f64,
    /// Own alarm: return period at least this (days, > 0).
    pub alert_days: f64,
    /// Own alarm: lift at least this (times usual, >= 1).
    pub min_lift: f64,
    /// Own alarm: age at least this (days, >= 0).
    pub warm_days: f64,
    /// Longest time an alarm of its own keeps a series from learning (days, >= 0; 0 never freezes).
    pub freeze_days: f64,
}

impl Params {
    /// What all series use.
    pub const STANDARD: Params = Params {
        bins_per_day: 288.0,
        scales: [3.0, 12.0],
        base_days: 7.0,
        mem_days: 7.0,
        season_days: 28.0,
        damping: 2.0,
        clip: 3.0,
        tail_share: 0.01,
        min_tail: 0.15,
        min_spread: 0.1,
        young_bins: 24.0,
        prior_days: 7.0,
        prior_level: 1.1,
        prior_tail: 0.3,
        alert_days: 1.0,
        min_lift: 2.0,
        warm_days: 1.0,
        freeze_days: 1.0,
    };
}

impl Default for Params {
    fn default() -> Params {
        Params::STANDARD
    }
}

#[cfg(test)]
impl Params {
    /// The bare formulas: no seasons, prior, floors or freezing.
    pub(super) fn plain() -> Params {
        Params {
            season_days: 0.0,
            min_tail: 0.02,
            min_spread: 0.0,
            young_bins: 1.0,
            prior_days: 0.0,
            alert_days: 1.5,
            freeze_days: 0.0,
            ..Params::default()
        }
    }
}
