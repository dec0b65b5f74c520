//! The usual shape of a key's day: a log factor for each hour, learned slowly.

use serde::{Deserialize, Serialize};

use super::Params;

/// Largest log factor of an hour, either way: a factor of 20.
const MOST: f64 = 3.0;

/// One log factor for each 24th of a day, counted from the series' first bin; straight lines between their starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Season {
    hours: [f64; 24],
}

impl Season {
    /// A flat day.
    pub fn new() -> Season {
        Season { hours: [0.0; 24] }
    }

    /// The log factor of the bin of this age (bins since the first).
    pub fn at(&self, p: &Params, age: u32) -> f64 {
        if p.season_days <= 0.0 {
            return 0.0;
        }
        let [(a, wa), (b, wb)] = near(p, age);
        self.hours.get(a).map_or(0.0, |h| wa * h) + self.hours.get(b).map_or(0.0, |h| wb * h)
    }

    /// Learns from what is left of a bin (log units, already clipped) once "usual" and this season are taken out.
    /// Starts after a day; each day counts as one of days + 1, so the first days move it gently.
    pub fn learn(&mut self, p: &Params, age: u32, bins: f64, rest: f64) {
        if p.season_days <= 0.0 || bins < p.bins_per_day {
            return;
        }
        let days = (bins / p.bins_per_day - 1.0).min(p.season_days);
        let step = 24.0 / p.bins_per_day / (days + 1.0);
        for (hour, weight) in near(p, age) {
            if let Some(h) = self.hours.get_mut(hour) {
                *h = (*h + step * weight * rest).clamp(-MOST, MOST);
            }
        }
    }
}

/// The two hours next to the middle of a bin, and how much each counts.
fn near(p: &Params, age: u32) -> [(usize, f64); 2] {
    let at = ((f64::from(age) + 0.5) * 24.0 / p.bins_per_day).rem_euclid(24.0);
    let hour = at.floor();
    let late = at - hour;
    // in 0..24, so the cast is exact
    let first = hour as usize % 24;
    [(first, 1.0 - late), ((first + 1) % 24, late)]
}
