//! What is usual for a brand: its hostile reach in each of the past hours.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::base::reach;
use crate::base::time::{Span, Time};

/// Hours remembered: a week.
const HOURS: usize = 168;
/// Hours needed before anything is called usual.
const ENOUGH: usize = 6;
/// One hour.
pub(super) const HOUR: Span = Span::seconds(3600);

/// Hostile reach of past hours, in units of weight x base.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Usual {
    hours: VecDeque<i128>,
    /// The hour (since 1970) up to which is remembered.
    until: Option<i64>,
}

impl Usual {
    /// Closes the hours that are over at `now`; `measure` gives the value of the hour that ends
    /// at a time.
    pub(super) fn close(&mut self, now: Time, measure: impl Fn(Time) -> i128) {
        let hour = now.0.div_euclid(HOUR.0);
        let from = self.until.unwrap_or(hour).max(hour - HOURS as i64);
        for h in from..hour {
            if self.hours.len() >= HOURS {
                self.hours.pop_front();
            }
            self.hours.push_back(measure(Time((h + 1) * HOUR.0)));
        }
        self.until = Some(hour.max(from));
    }

    /// The mean over the hours remembered, in impressions, and their number.
    pub(super) fn mean(&self) -> Option<(f64, usize)> {
        let n = self.hours.len();
        (n >= ENOUGH).then(|| (self.hours.iter().sum::<i128>() as f64 / reach::SUM_ONE / n as f64, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_of_hours_is_remembered_and_gaps_are_bounded() {
        let mut u = Usual::default();
        let at = |h: i64| Time(h * HOUR.0 + 5);
        u.close(at(1000), |_| 1);
        assert_eq!(u.mean(), None, "the first hour was not seen whole");
        for h in 1001..1010 {
            u.close(at(h), |t| if t == Time(h * HOUR.0) { reach::SUM_ONE as i128 } else { 0 });
        }
        assert_eq!(u.mean(), Some((1.0, 9)));
        u.close(at(5_000_000), |_| 0);
        assert_eq!(u.mean(), Some((0.0, HOURS)));
    }
}
