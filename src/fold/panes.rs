//! Panes: a window (t - W, t] is cut into sixtieths; the oldest pane counts whole.

use serde::{Deserialize, Serialize};

use crate::base::time::{Span, Time};

/// A window and its panes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Panes {
    window: i64,
    pane: i64,
}

impl Panes {
    pub(super) fn new(window: Span, pane: Span) -> Panes {
        Panes { window: window.0, pane: pane.0.max(1) }
    }

    /// The pane a time falls into.
    pub(super) fn of(&self, t: Time) -> i64 {
        t.0.div_euclid(self.pane)
    }

    /// The oldest pane that counts at `now`.
    pub(super) fn oldest(&self, now: Time) -> i64 {
        now.0.saturating_sub(self.window).div_euclid(self.pane)
    }

    /// When a pane no longer counts.
    pub(super) fn expiry(&self, pane: i64) -> Time {
        Time((pane + 1).saturating_mul(self.pane).saturating_add(self.window))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_pane_counts_whole_until_it_expires() {
        let p = Panes::new(Span::seconds(600), Span::seconds(10));
        let t = Time::from_millis(1_700_000_003_500);
        let expiry = p.expiry(p.of(t));
        assert!(p.oldest(Time(expiry.0 - 1)) <= p.of(t), "counts until then");
        assert!(p.oldest(expiry) > p.of(t), "and no longer");
        assert!(expiry - t >= Span::seconds(600) && expiry - t <= Span::seconds(610));
    }
}
