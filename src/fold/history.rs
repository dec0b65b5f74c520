//! The recorded past of a window, for `offset`, `change` and `ratio`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::base::model::Value;
use crate::base::rule::plan::Past;
use crate::base::time::Time;

/// Values at the ends of steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct History {
    step: i64,
    offset: i64,
    /// The step whose end was last recorded.
    last: Option<i64>,
    /// Recorded values, oldest first; the newest is of step `last`.
    values: VecDeque<Value>,
}

impl History {
    pub(super) fn new(past: &Past) -> History {
        History { step: past.step.0.max(1), offset: past.offset.0, last: None, values: VecDeque::new() }
    }

    /// Ends of steps up to `now` that are to be recorded; those that nobody will ask for are left
    /// out.
    pub(super) fn due(&mut self, now: Time) -> impl Iterator<Item = Time> + use<> {
        let current = now.0.div_euclid(self.step);
        let last = self.last.unwrap_or(current - 1);
        let oldest = (now.0 - self.offset).div_euclid(self.step) - 1;
        if last < oldest {
            self.values.clear();
            self.last = Some(oldest);
        }
        let step = self.step;
        (last.max(oldest) + 1..=current).map(move |i| Time(i * step))
    }

    /// Records the value at the end of a step.
    pub(super) fn record(&mut self, at: Time, value: Value) {
        self.last = Some(at.0.div_euclid(self.step));
        self.values.push_back(value);
        let kept = (self.offset / self.step + 3) as usize;
        while self.values.len() > kept {
            self.values.pop_front();
        }
    }

    /// The value recorded last before `now` less the offset; unknown if that was not recorded.
    pub(super) fn value(&self, now: Time) -> Value {
        let wanted = (now.0 - self.offset).div_euclid(self.step);
        let back = usize::try_from(self.last? - wanted).ok()?;
        let i = self.values.len().checked_sub(1 + back)?;
        self.values.get(i).copied().flatten()
    }

    /// When the next value is recorded.
    pub(super) fn next(&self, now: Time) -> Time {
        Time((now.0.div_euclid(self.step) + 1) * self.step)
    }

    /// Whether anything but nothing is recorded.
    pub(super) fn holds_any(&self) -> bool {
        self.values.iter().any(|v| v.is_some_and(|x| x != 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    #[test]
    fn tells_what_was_recorded_one_offset_ago() {
        let mut h = History::new(&Past { window: 0, offset: Span(100), step: Span(10) });
        let mut seen = Vec::new();
        for now in (1005..1300).step_by(7) {
            let now = Time(now);
            for at in h.due(now).collect::<Vec<_>>() {
                h.record(at, Some(at.0 as f64));
            }
            seen.push((now.0, h.value(now)));
        }
        for (now, value) in seen {
            let wanted = (now - 100) / 10 * 10;
            assert_eq!(value, (wanted >= 1000).then_some(wanted as f64), "at {now}");
        }
        assert!(h.values.len() <= 13);
        let far = Time(10_000);
        assert!(h.due(far).count() <= 12, "a long silence costs no more than the offset");
    }
}
