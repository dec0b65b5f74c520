//! What is usual for a brand: its hostile reach in each of the past hours.

use std::cell::OnceCell;
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
    /// The one in the middle, once somebody asked: rules do so with every post, and it changes with the hour.
    #[serde(skip)]
    middle: OnceCell<Option<f64>>,
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
            self.middle = OnceCell::new();
        }
        self.until = Some(hour.max(from));
    }

    /// When the first of the hours remembered began.
    pub(super) fn since(&self) -> Option<Time> {
        let until = self.until.filter(|_| !self.hours.is_empty())?;
        Some(Time((until - self.hours.len() as i64) * HOUR.0))
    }

    /// The hours remembered, by their ends, in impressions.
    pub(super) fn hours(&self) -> impl Iterator<Item = (Time, f64)> + '_ {
        let first = self.since().map_or(0, |t| t.0);
        let end = move |i: usize| Time(first + (i as i64 + 1) * HOUR.0);
        self.hours.iter().enumerate().map(move |(i, sum)| (end(i), *sum as f64 / reach::SUM_ONE))
    }

    /// The mean over the hours remembered, in impressions, and their number.
    pub(super) fn mean(&self) -> Option<(f64, usize)> {
        let n = self.hours.len();
        (n >= ENOUGH).then(|| (self.hours.iter().sum::<i128>() as f64 / reach::SUM_ONE / n as f64, n))
    }

    /// The hour in the middle of those remembered, in impressions: no single storm raises it.
    pub(super) fn middle(&self) -> Option<f64> {
        *self.middle.get_or_init(|| {
            let mut hours: Vec<i128> = self.hours.iter().copied().collect();
            let middle = hours.len() / 2;
            (hours.len() >= ENOUGH).then(|| *hours.select_nth_unstable(middle).1 as f64 / reach::SUM_ONE)
        })
    }

    /// Between what most of the hours remembered lie: without the lowest and the highest tenth.
    pub(super) fn band(&self) -> Option<(f64, f64)> {
        let mut hours: Vec<i128> = self.hours.iter().copied().collect();
        hours.sort_unstable();
        let (few, n) = (hours.len() / 10, hours.len());
        let of = |i: usize| hours.get(i).map(|sum| *sum as f64 / reach::SUM_ONE);
        of(few).zip(of(n.saturating_sub(few + 1))).filter(|_| n >= ENOUGH)
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
        assert_eq!((u.mean(), u.band()), (Some((1.0, 9)), Some((1.0, 1.0))));
        let mut rising = Usual::default();
        for h in 0..=20 {
            // what was asked before an hour is over does not stand after it
            let _ = rising.middle();
            rising.close(at(h), |t| (t.0 / HOUR.0) as i128 * reach::SUM_ONE as i128);
        }
        assert_eq!(rising.middle(), Some(11.0));
        assert_eq!((rising.band(), Usual::default().band()), (Some((3.0, 18.0)), None));
        u.close(at(5_000_000), |_| 0);
        assert_eq!(u.mean(), Some((0.0, HOURS)));
    }
}
