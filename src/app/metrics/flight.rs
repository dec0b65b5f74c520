//! What is in a stage: counted when it goes in, and again when it comes out, on every path.

use super::Metrics;
use crate::base::metric::{IN_FLIGHT, STAGE_IN, STAGE_OUT, Stage};

/// Things in a stage. What does not come out in another way comes out as `lost` when this is let go of, so that
/// what went in is always the sum of what came out and what is in flight.
pub struct InStage<'m> {
    metrics: &'m Metrics,
    stage: Stage,
    left: u64,
}

impl Metrics {
    /// Things go into a stage.
    pub fn enter(&self, stage: Stage, n: usize) -> InStage<'_> {
        let n = n as u64;
        self.add(&STAGE_IN, &[stage.name()], n as f64);
        self.fly(stage, n as f64);
        InStage { metrics: self, stage, left: n }
    }

    fn fly(&self, stage: Stage, by: f64) {
        if by != 0.0
            && let Some(super::Child::Gauge(g)) = self.child(&IN_FLIGHT, &[stage.name()])
        {
            g.add(by);
        }
    }

    /// Things that went in by [`InStage::stay`] come out of a stage.
    pub fn leave(&self, stage: Stage, outcome: &str, n: u64) {
        if n > 0 {
            self.add(&STAGE_OUT, &[stage.name(), outcome], n as f64);
            self.fly(stage, -(n as f64));
        }
    }
}

impl InStage<'_> {
    /// Some of them come out.
    pub fn out(&mut self, outcome: &str, n: u64) {
        let n = n.min(self.left);
        self.left -= n;
        self.metrics.leave(self.stage, outcome, n);
    }

    /// All that are left come out.
    pub fn all_out(mut self, outcome: &str) {
        self.out(outcome, self.left);
    }

    /// The rest stays in; it comes out by [`Metrics::leave`].
    pub fn stay(mut self) {
        self.left = 0;
    }
}

impl Drop for InStage<'_> {
    fn drop(&mut self) {
        self.metrics.leave(self.stage, "lost", self.left);
    }
}
