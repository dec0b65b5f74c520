//! Surge: how rare is what a series does now, for this very series? Constant state, strictly causal.
//!
//! A series is cut into bins. Its baseline m follows ln(x + c), slowly and clipped; the hours of its day have factors
//! of their own. At two time scales the log lift r = ln(rate + c) - baseline is held against the series' own top 1 %
//! (u) and the tail above it (beta): S = mean of -(ln P + ln bins a day) / ln 10; the return period is 10^S days.
//!
//! What changed against the bare formulas, and why: the hours of the day, because a strong daily rhythm alone raised an
//! alarm on most days; a least tail index, because very regular noise made a hair above the top 1 % look rare; a
//! population tail for young keys, mixed with their own until they are a week old.

use serde::{Deserialize, Serialize};

mod params;
mod scale;
mod season;
#[cfg(test)]
mod tests;

pub use params::Params;
use scale::Scale;
use season::Season;

/// Largest x of one bin that is believed (units).
const MOST: f64 = 1e12;
/// Largest log10 of a return period in days: beyond, it only means "never before".
const MOST_RARE: f64 = 9.0;
/// A silence longer than this is not lived through bin by bin (days).
const LONG_SILENCE: f64 = 8.0;

/// What a series is doing with its baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// Learns as usual.
    Calm,
    /// Called an alarm of its own: baseline and hours stand still until rarity and lift have both fallen, or for
    /// `freeze_days`. The tail goes on learning: held back as well, it stays too low and calls alarm after alarm.
    Frozen,
    /// Was frozen for as long as allowed and still is not back: learns the new level, clipped, and is not frozen again
    /// meanwhile. Going from here to `Calm` means that the new level is now the usual one.
    Adopting,
}

/// How rare a series looks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rareness {
    /// Return period (days, nominal, > 0, at most 1e9); `None` while the key is younger than `young_bins`.
    pub rarity_days: Option<f64>,
    /// Times usual at this hour: geometric mean over the two scales (> 0); 1 while the key is too young.
    pub lift: f64,
    /// Times usual at each scale (15 minutes, 1 hour; > 0); 1 while the key is too young.
    pub lifts: [f64; 2],
    /// What is usual at this hour (units of x a bin, >= 0); 0 while the key is too young.
    pub usual: f64,
}

/// The state of one series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surge {
    /// Bins learned so far.
    bins: u32,
    /// Bins passed so far, learned or not; gives the hour of the day.
    age: u32,
    /// m: the log of the usual x + c.
    base: f64,
    /// d: mean distance of ln(x + c) from what is usual at its hour.
    spread: f64,
    season: Season,
    scales: [Scale; 2],
    phase: Phase,
    /// Bins since the phase became `Frozen`.
    held: u32,
}

impl Default for Surge {
    fn default() -> Surge {
        Surge::new()
    }
}

impl Surge {
    /// A series that has seen nothing.
    pub fn new() -> Surge {
        Surge {
            bins: 0,
            age: 0,
            base: 0.0,
            spread: 0.3,
            season: Season::new(),
            scales: [Scale::new(), Scale::new()],
            phase: Phase::Calm,
            held: 0,
        }
    }

    /// How rare the series is when the open bin holds `x_so_far` (units) after `elapsed` of it (bins, 0..1). Notes the
    /// bin's highest rates, which is what the tail learns from: a tail learned at bin ends but tested at every arrival
    /// would call too much rare. May freeze the baseline.
    pub fn observe(&mut self, p: &Params, x_so_far: f64, elapsed: f64) -> Rareness {
        let rates = self.rates(p, clean(x_so_far), share(elapsed));
        for (scale, rate) in self.scales.iter_mut().zip(rates) {
            scale.peak = scale.peak.max(rate);
        }
        let now = self.rareness(p, rates);
        if self.phase == Phase::Calm && p.freeze_days > 0.0 && self.alarming(p, &now) {
            self.phase = Phase::Frozen;
            self.held = 0;
        }
        now
    }

    /// The same without noting anything.
    pub fn look(&self, p: &Params, x_so_far: f64, elapsed: f64) -> Rareness {
        self.rareness(p, self.rates(p, clean(x_so_far), share(elapsed)))
    }

    /// The open bin is over and held x (units). Answers how rare the series was at its end, judged before learning.
    pub fn close(&mut self, p: &Params, x: f64) -> Rareness {
        let x = clean(x);
        let y = (x + p.damping).ln();
        if self.bins == 0 {
            self.base = y;
            self.scales.iter_mut().for_each(|s| s.fast = x);
        }
        let now = self.observe(p, x, 1.0);
        self.turn(p, &now);
        let usual = self.usual_ln(p);
        let bins = f64::from(self.bins);
        for (scale, tau) in self.scales.iter_mut().zip(p.scales) {
            let r = (scale.peak + p.damping).ln() - usual;
            scale.learn(p, bins, self.spread, r);
            scale.end(tau, x);
        }
        if self.phase != Phase::Frozen {
            self.learn(p, y - usual);
        }
        self.age = self.age.saturating_add(1);
        now
    }

    /// The open bin is over but was not seen whole (sources were down). Learns nothing; time passes, and the fast rates
    /// keep what they know.
    pub fn skip(&mut self, p: &Params) {
        self.scales.iter_mut().for_each(|s| s.peak = 0.0);
        if self.phase == Phase::Frozen {
            self.hold(p);
        }
        self.age = self.age.saturating_add(1);
    }

    /// Ends `n` bins that held nothing, in bounded time: as `close(0)` for eight days, after which nothing is the usual
    /// (the tail stays as it is then).
    pub fn close_empty(&mut self, p: &Params, n: u32) {
        let lived = n.min((LONG_SILENCE * p.bins_per_day).ceil() as u32);
        for _ in 0..lived {
            self.close(p, 0.0);
        }
        if n > lived {
            self.base = p.damping.ln();
            self.spread = p.min_spread;
            self.season = Season::new();
            self.scales.iter_mut().for_each(|s| s.fast = 0.0);
            self.phase = Phase::Calm;
            self.age = self.age.saturating_add(n - lived);
        }
    }

    /// Whether this rareness is an alarm of the series' own: rare enough, high enough, and the key old enough.
    pub fn alarming(&self, p: &Params, now: &Rareness) -> bool {
        let rare = now.rarity_days.is_some_and(|t| t >= p.alert_days);
        rare && now.lift >= p.min_lift && f64::from(self.bins) >= p.warm_days * p.bins_per_day
    }

    /// What the series is doing with its baseline.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What is usual in the open bin (units of x a bin, >= 0): exp(m + hour) - c.
    pub fn usual(&self, p: &Params) -> f64 {
        (self.usual_ln(p).exp() - p.damping).max(0.0)
    }

    /// How much the series has learned from (days, >= 0): a return period far beyond it is only a figure of speech.
    pub fn learned_days(&self, p: &Params) -> f64 {
        f64::from(self.bins) / p.bins_per_day
    }

    /// How much it has yet to learn from (days, >= 0) until its tail is its own, and until it says anything at all.
    pub fn unlearned(&self, p: &Params) -> (f64, f64) {
        let left = |bins: f64| (bins - f64::from(self.bins)).max(0.0) / p.bins_per_day;
        (left(p.prior_days * p.bins_per_day), left(p.young_bins))
    }

    fn usual_ln(&self, p: &Params) -> f64 {
        self.base + self.season.at(p, self.age)
    }

    fn rates(&self, p: &Params, x: f64, elapsed: f64) -> [f64; 2] {
        let ([a, b], [tau_a, tau_b]) = (&self.scales, p.scales);
        [a.rate(tau_a, x, elapsed), b.rate(tau_b, x, elapsed)]
    }

    /// S = mean over the scales of -(ln P + ln B) / ln 10; the return period is 10^S days.
    fn rareness(&self, p: &Params, rates: [f64; 2]) -> Rareness {
        let bins = f64::from(self.bins);
        if bins < p.young_bins {
            return Rareness { rarity_days: None, lift: 1.0, lifts: [1.0; 2], usual: 0.0 };
        }
        let usual = self.usual_ln(p);
        let [ra, rb] = rates.map(|f| (f + p.damping).ln() - usual);
        let grown = p.prior_days * p.bins_per_day;
        let own = if bins < grown { bins / grown } else { 1.0 };
        let [a, b] = &self.scales;
        let ln_p = (a.ln_p(p, ra, own) + b.ln_p(p, rb, own)) / 2.0;
        let s = -(ln_p + p.bins_per_day.ln()) / std::f64::consts::LN_10;
        Rareness {
            rarity_days: Some(10f64.powf(s.min(MOST_RARE))),
            lift: ((ra + rb) / 2.0).exp(),
            lifts: [ra.exp(), rb.exp()],
            usual: (usual.exp() - p.damping).max(0.0),
        }
    }

    /// Moves "usual", its hours and the spread by what is left of a bin once the usual is taken out:
    /// m += max(1/Nb, 1/(i+1)) clamp(rest, +-clip d);  d += max(1/Nm, 1/(i+2)) (min(|rest|, 4d) - d).
    fn learn(&mut self, p: &Params, rest: f64) {
        let bins = f64::from(self.bins);
        let most = p.clip * self.spread;
        let clipped = rest.clamp(-most, most);
        let base = (1.0 / (p.base_days * p.bins_per_day)).max(1.0 / (bins + 1.0));
        let memory = (1.0 / (p.mem_days * p.bins_per_day)).max(1.0 / (bins + 2.0));
        self.base += base * clipped;
        self.season.learn(p, self.age, bins, clipped);
        self.spread += memory * (rest.abs().min(4.0 * self.spread) - self.spread);
        self.spread = self.spread.max(p.min_spread);
        self.bins = self.bins.saturating_add(1);
    }

    /// Ends a freeze or an adoption, at a bin end.
    fn turn(&mut self, p: &Params, now: &Rareness) {
        let calm = now.lift < p.min_lift && now.rarity_days.is_none_or(|t| t < p.alert_days);
        match self.phase {
            Phase::Calm => {}
            Phase::Frozen | Phase::Adopting if calm => self.phase = Phase::Calm,
            Phase::Frozen => self.hold(p),
            Phase::Adopting => {}
        }
    }

    fn hold(&mut self, p: &Params) {
        self.held = self.held.saturating_add(1);
        if f64::from(self.held) > p.freeze_days * p.bins_per_day {
            self.phase = Phase::Adopting;
        }
    }
}

/// x as it is believed: not negative, not more than `MOST`, and nothing if it is no number.
fn clean(x: f64) -> f64 {
    if x > 0.0 { x.min(MOST) } else { 0.0 }
}

/// Elapsed share of the bin, 0..1; the whole bin if it is no number.
fn share(elapsed: f64) -> f64 {
    if elapsed.is_nan() { 1.0 } else { elapsed.clamp(0.0, 1.0) }
}
