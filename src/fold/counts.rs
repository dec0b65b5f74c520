//! Counts over a window.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// How many posts fell into each pane that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    panes: VecDeque<(i64, u64)>,
    total: u64,
}

impl Counts {
    pub(super) fn add(&mut self, pane: i64) {
        self.total += 1;
        let at = self.panes.partition_point(|(p, _)| *p < pane);
        match self.panes.get_mut(at) {
            Some((p, n)) if *p == pane => *n += 1,
            _ => self.panes.insert(at, (pane, 1)),
        }
    }

    /// Takes one back, if its pane is kept.
    pub(super) fn remove(&mut self, pane: i64) {
        let at = self.panes.partition_point(|(p, _)| *p < pane);
        if let Some((_, n)) = self.panes.get_mut(at).filter(|(p, n)| *p == pane && *n > 0) {
            *n -= 1;
            self.total -= 1;
        }
    }

    /// Drops panes before `oldest`.
    pub(super) fn advance(&mut self, oldest: i64) {
        while let Some((pane, n)) = self.panes.front().copied() {
            if pane >= oldest {
                break;
            }
            self.total -= n;
            self.panes.pop_front();
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn first_pane(&self) -> Option<i64> {
        self.panes.front().map(|(p, _)| *p)
    }

    pub(super) fn last_pane(&self) -> Option<i64> {
        self.panes.back().map(|(p, _)| *p)
    }
}
