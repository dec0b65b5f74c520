//! One time scale of a series: its fast rate, and the tail of what it has seen there.

use serde::{Deserialize, Serialize};

use super::Params;

/// Least tail index ever learned (log units).
const LEAST_TAIL: f64 = 0.02;
/// Bins before the tail is learned at all: until then "usual" itself still moves too much.
const TAIL_FROM: f64 = 50.0;
/// A rate below this is nothing; keeps a long silence away from the slow arithmetic of tiny numbers.
const NO_RATE: f64 = 1e-9;

/// One time scale of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// f: the fast rate at the last bin end (units of x a bin, >= 0).
    pub fast: f64,
    /// u: the log lift that the key's own top 1 % of bins exceed.
    pub level: f64,
    /// beta: mean excess over `level`, an online Hill estimate (log units, >= 0.02).
    pub tail: f64,
    /// n: bins that exceeded `level`.
    pub hits: u32,
    /// The highest rate seen in the open bin (units of x a bin, >= 0).
    pub peak: f64,
}

impl Scale {
    /// A scale that has seen nothing.
    pub fn new() -> Scale {
        Scale { fast: 0.0, level: 0.5, tail: 0.5, hits: 0, peak: 0.0 }
    }

    /// The rate inside the open bin (units of x a bin): f + (x_so_far - elapsed f) / tau.
    pub fn rate(&self, tau: f64, x_so_far: f64, elapsed: f64) -> f64 {
        self.fast + (x_so_far - elapsed * self.fast) / tau
    }

    /// ln P of a log lift of at least r in one bin: ln q - max(r - u, 0) / beta. `own` (0..1) is how much of u and beta
    /// is the key's own; the rest is the population's.
    pub fn ln_p(&self, p: &Params, r: f64, own: f64) -> f64 {
        let level = p.prior_level + own * (self.level - p.prior_level);
        let tail = p.prior_tail + own * (self.tail - p.prior_tail);
        p.tail_share.ln() - (r - level).max(0.0) / tail.max(p.min_tail)
    }

    /// Learns u and beta from the highest log lift r of a bin: u climbs until q of the bins exceed it (steps g), beta
    /// is the mean of what they exceed it by, each at most 6 beta. `bins` were learned before, their spread is d.
    pub fn learn(&mut self, p: &Params, bins: f64, d: f64, r: f64) {
        if bins <= TAIL_FROM {
            return;
        }
        let (q, memory) = (p.tail_share, p.mem_days * p.bins_per_day);
        let g = 3.0 * d * (bins - TAIL_FROM + 1.0).powf(-0.7).max(10.0 / memory);
        if r <= self.level {
            self.level -= g * q;
            return;
        }
        self.level += g * (1.0 - q);
        self.hits = self.hits.saturating_add(1);
        let weight = (1.0 / (f64::from(self.hits) + 5.0)).max(1.0 / (q * memory)).min(1.0);
        self.tail += weight * ((r - self.level).min(6.0 * self.tail) - self.tail);
        self.tail = self.tail.max(LEAST_TAIL);
    }

    /// Ends the open bin, which holds x.
    pub fn end(&mut self, tau: f64, x: f64) {
        self.fast = self.rate(tau, x, 1.0);
        if self.fast < NO_RATE {
            self.fast = 0.0;
        }
        self.peak = 0.0;
    }
}
