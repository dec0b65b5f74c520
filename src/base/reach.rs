//! Audiences in fixed point: effective reach and the weight of hostility.
//!
//! Sums must be equal whatever the order of additions, so all are integers. A post weighs
//! `w(n) * v(kind)` in units of 1/[`WEIGHT_ONE`]; an account's base reach is counted in units of
//! 1/[`BASE_ONE`] impressions; their product is exact.

use crate::base::model::{Negativity, PostKind};

/// One whole weight.
pub const WEIGHT_ONE: u32 = 100_000;
/// One impression of base reach.
pub const BASE_ONE: u64 = 1_000;
/// One impression of a sum of weight x base.
pub const SUM_ONE: f64 = WEIGHT_ONE as f64 * BASE_ONE as f64;

/// Share of the followers of a small account who see a post.
pub const SEEN_SMALL: f64 = 0.15;
/// The same at ten million followers and above.
const SEEN_LARGE: f64 = 0.06;
/// Below, n weighs nothing (the neutral point); thousandths.
const NEUTRAL_MILLI: u32 = 300;
/// From here on, n weighs fully; thousandths.
const HOSTILE_MILLI: u32 = 700;

/// Effective reach of an account's own post in 1/[`BASE_ONE`] impressions: followers x v, where v
/// is 0.15 up to 100,000 followers and falls linearly in log10(followers) to 0.06 at 10 million.
/// Never falls as followers grow.
pub fn base(followers: u64) -> u64 {
    let f = followers as f64;
    let steps = ((f.max(1.0).log10() - 5.0) / 2.0).clamp(0.0, 1.0);
    (f * (SEEN_SMALL - (SEEN_SMALL - SEEN_LARGE) * steps) * BASE_ONE as f64).round() as u64
}

/// How much of its author's base reach a post of this kind has: replies a fifth, others all.
pub fn kind_weight(kind: PostKind) -> u32 {
    if kind == PostKind::Reply { WEIGHT_ONE / 5 } else { WEIGHT_ONE }
}

/// The weight of a post in hostile reach: 0 up to the neutral point, linear to 1 at n = 0.7,
/// times the weight of its kind. Unknown negativity weighs nothing.
pub fn hostile_weight(n: Option<Negativity>, kind: PostKind) -> u32 {
    let milli = n.map_or(0, |n| u32::from(n.milli()));
    let above = milli.clamp(NEUTRAL_MILLI, HOSTILE_MILLI) - NEUTRAL_MILLI;
    (kind_weight(kind) / (HOSTILE_MILLI - NEUTRAL_MILLI)) * above
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reach_never_falls_as_followers_grow() {
        let mut last = 0;
        for f in (0..5_000_000u64).step_by(997).chain((5_000_000..200_000_000).step_by(99_991)) {
            assert!(base(f) >= last, "at {f}");
            last = base(f);
        }
        assert_eq!(base(300), 45 * BASE_ONE);
        assert_eq!(base(100_000), 15_000 * BASE_ONE);
        assert_eq!(base(10_000_000), 600_000 * BASE_ONE);
    }

    #[test]
    fn hostility_weighs_from_the_neutral_point() {
        let w = |milli, kind| hostile_weight(Some(Negativity::from_milli(milli)), kind);
        assert_eq!(w(300, PostKind::Post), 0);
        assert_eq!(w(500, PostKind::Post), WEIGHT_ONE / 2);
        assert_eq!(w(900, PostKind::Post), WEIGHT_ONE);
        assert_eq!(w(700, PostKind::Reply), WEIGHT_ONE / 5);
        assert_eq!(hostile_weight(None, PostKind::Post), 0);
    }
}
