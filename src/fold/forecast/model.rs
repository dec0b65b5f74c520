//! What a story comes to, by its shape so far.
//!
//! The logarithm of (shares to come / shares so far) is a sum of: the age; the pace of the last tenth and the last
//! thirtieth of the age, against an even pace; the mean audience of those who shared; a silence that is longer than a
//! healthy story has; and a doubt that few shares leave. All of these are ratios: how large a story is does not
//! say how large it will be. What is fitted is in [`Model`]; the rest was chosen by hand, and says so.

use super::{COUNTERS, FIRST_FADE};
use crate::base::limits;
use crate::base::model::Band;

/// Parts of the age over which the pace is looked at. By hand.
const WINDOWS: [f64; 3] = [0.3, 0.1, 0.03];
/// Shares at an even pace that are added to each window, against chance. By hand.
const EVEN: f64 = 4.0;
/// Followers of a sharer where nothing is known: what the service imputes.
const TYPICAL: f64 = limits::AUDIENCE_PRIOR as f64;
/// Sharers of typical audience that are added for the mean. By hand.
const MEAN_PRIOR: f64 = 3.0;
/// The same, for what later ones have.
const COMING_PRIOR: f64 = 5.0;

/// A calibration.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Model {
    /// Of the shares to come: constant, log age, pace, audience, audience with pace.
    pub rest: [f64; 5],
    /// Of the lower edge: constant, time of lulls, pace.
    pub low: [f64; 3],
    /// Of the upper edge: constant, time of lulls, chance.
    pub high: [f64; 3],
    /// The same for followers.
    pub followers_low: [f64; 3],
    /// The same for followers.
    pub followers_high: [f64; 3],
    /// How soon it comes: constant, log age, pace.
    pub soon: [f64; 3],
}

/// What is to come.
pub(super) struct ToCome {
    pub(super) shares: Band,
    pub(super) followers: Band,
}

/// A story so far.
pub(super) struct Seen<'s> {
    pub(super) age: f64,
    pub(super) counts: &'s [f64; COUNTERS],
    pub(super) shares: f64,
    pub(super) last: f64,
    pub(super) known: f64,
    pub(super) followers: f64,
}

impl Seen<'_> {
    /// Shares of the last `x` seconds, about: between the two nearest counters.
    fn recent(&self, x: f64) -> f64 {
        let place = ((x / FIRST_FADE).ln() / 4f64.ln()).clamp(0.0, (COUNTERS - 1) as f64);
        let k = (place as usize).min(COUNTERS - 2);
        let w = place - k as f64;
        let count = |k: usize| self.counts.get(k).copied().unwrap_or(0.0);
        (1.0 - w) * count(k) + w * count(k + 1)
    }

    /// The logarithm of the pace of now against an even one; at most 1.
    fn pace(&self) -> f64 {
        let age = self.age.max(30.0);
        let (mut log, mut all, mut of, mut sum) = (0.0, self.shares, 1.0, 0.0);
        for (i, window) in WINDOWS.into_iter().enumerate() {
            let (within, part) = (self.recent(window * age), window / of);
            log += ((within + EVEN * part) / (all + EVEN) / part).ln();
            (all, of) = (within, window);
            if i > 0 {
                sum += log;
            }
        }
        (sum / 2.0).min(1.0)
    }

    /// Mean audience of those who will share it.
    fn each(&self) -> f64 {
        (self.followers + COMING_PRIOR * TYPICAL) / (self.known + COMING_PRIOR)
    }

    /// Followers of those who shared it.
    pub(super) fn followers(&self) -> f64 {
        self.followers + (self.shares - self.known).max(0.0) * self.each()
    }
}

impl Model {
    /// Fitted on 51 large cascades (and on thinned copies of them, so that small stories are met too): Cauchy loss of
    /// ln(final), edges by pinball loss on residuals of a tenfold cross-fit.
    pub const STANDARD: Model = Model {
        rest: [0.613_276, -0.594_404, 0.535_002, 0.449_181, -0.078_991],
        low: [-0.668_709, 0.419_928, 0.472_706],
        high: [0.779_104, 0.593_864, 4.219_008],
        followers_low: [-1.092_794, 0.106_818, 0.835_857],
        followers_high: [1.594_03, 0.263_919, 3.793_084],
        soon: [-0.744_639, 0.302_686, 0.207_682],
    };

    /// What is to come within `horizon` seconds, of a story that was shared at least once.
    pub(super) fn coming(&self, seen: &Seen<'_>, horizon: f64) -> ToCome {
        let shares = seen.shares.max(1.0);
        let log_age = (seen.age.clamp(120.0, 2.6e6) / 3600.0).ln();
        let pace = seen.pace();
        let audience = ((seen.followers + MEAN_PRIOR * TYPICAL) / (seen.known + MEAN_PRIOR) / TYPICAL).ln().tanh();
        let age = seen.age.max(30.0);
        // shares that a healthy story would have had since the last one
        let missed = 0.4 * shares * (age / seen.last.clamp(1.0, age)).ln();
        let [b0, b1, b2, b3, b4] = self.rest;
        let shape = b0 + b1 * log_age + b2 * pace + b3 * audience + b4 * audience * (pace + 1.0);
        let rest = shape - 0.5 * (missed / 10.0).ln_1p() - (2.0 / shares).ln_1p();
        let [p0, p1, p2] = self.soon;
        let soon = (p0 + p1 * log_age + p2 * pace).clamp(-3.0, 1.5).exp();
        let part = 1.0 - (-soon * (horizon / seen.age.max(1.0)).ln_1p()).exp();
        let more = shares * rest.exp() * part;
        // widest at about six hours: a lull of the night looks like an end
        let lull = (-((log_age - 1.8) / 1.2).powi(2)).exp();
        let low = |q: [f64; 3]| ((q[0] + q[1] * lull + q[2] * pace).min(-0.35) - (5.0 / shares).ln_1p()).exp();
        let high = |q: [f64; 3]| (q[0] + q[1] * lull + q[2] / shares.sqrt()).clamp(0.1, 3.0).exp();
        let each = more * seen.each();
        ToCome {
            shares: Band { low: (more * low(self.low) - 0.5).max(0.0), mid: more, high: more * high(self.high) + 0.5 },
            followers: Band { low: each * low(self.followers_low), mid: each, high: each * high(self.followers_high) },
        }
    }
}
