//! Axes of a chart: round steps, times of day, fewer points.

use crate::base::time::Time;

/// Seconds between two times of an axis.
const STEPS: [f64; 14] = [
    60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 172_800.0,
    604_800.0,
];

/// Round numbers from 0 to at most `top`, in about so many steps.
pub(super) fn ticks(top: f64, steps: u32) -> Vec<f64> {
    let raw = top / f64::from(steps.max(1));
    let tens = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].iter().map(|f| f * tens).find(|s| *s >= raw).unwrap_or(raw);
    let mut out = vec![0.0];
    while step > 0.0 && step.is_finite() && out.len() < 12 {
        let next = step * out.len() as f64;
        if next > top {
            break;
        }
        out.push(next);
    }
    out
}

/// Round times within `width` seconds after `zero`, at most so many, and the seconds between them.
pub(super) fn times(zero: f64, width: f64, most: u32) -> (f64, Vec<f64>) {
    let fits = |step: f64| width / step < f64::from(most);
    let longest = (width / f64::from(most) / 604_800.0).ceil().max(1.0) * 604_800.0;
    let step = STEPS.into_iter().find(|s| fits(*s)).unwrap_or(longest);
    let first = (zero / step).ceil() * step;
    let out = (0..=most).map(|k| first + step * f64::from(k)).filter(|t| *t <= zero + width).collect();
    (step, out)
}

/// A local time of an axis: `03:00`, or `07-08` where a step is a day or more.
pub(super) fn clock(seconds: f64, step: f64) -> String {
    let shown = Time((seconds * 1e6) as i64).to_string();
    let part = if step < 86_400.0 { shown.get(11..16) } else { shown.get(5..10) };
    part.unwrap_or_default().to_string()
}

/// At most `most` points: of each stretch the highest, and the last of all.
pub(super) fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    if points.len() <= most {
        return points.to_vec();
    }
    let each = points.len().div_ceil(most.saturating_sub(1).max(1));
    let highest = |c: &[(f64, f64)]| c.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
    let mut out: Vec<(f64, f64)> = points.chunks(each).filter_map(highest).collect();
    if out.last() != points.last() {
        out.extend(points.last());
    }
    out
}

/// How high a curve is at a time; that of its nearest end outside of it.
pub(super) fn height(points: &[(f64, f64)], at: f64) -> f64 {
    let after = points.partition_point(|p| p.0 < at);
    match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
        (Some(a), Some(b)) if b.0 > a.0 => a.1 + (b.1 - a.1) * (at - a.0) / (b.0 - a.0),
        (_, Some(p)) | (Some(p), None) => p.1,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        assert_eq!(ticks(112_000.0, 3), [0.0, 50_000.0, 100_000.0]);
        assert_eq!(ticks(1.12, 3), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(9.0, 3), [0.0, 5.0]);
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e-300] {
            assert!(ticks(odd, 3).len() <= 12, "{odd}");
        }
    }

    #[test]
    fn times_are_those_of_a_clock() {
        let zero = 1_783_000_000.0;
        let (step, at) = times(zero, 6.0 * 3600.0, 6);
        let shown: Vec<String> = at.iter().map(|t| clock(*t, step)).collect();
        assert_eq!(shown, ["14:00", "16:00", "18:00"]);
        let (step, at) = times(zero, 3600.0, 6);
        assert_eq!((clock(at[0], step).as_str(), step, at.len()), ("14:00", 900.0, 4));
        let (step, at) = times(zero, 6.0 * 86_400.0, 6);
        assert_eq!((step, clock(at[0], step).as_str()), (172_800.0, "07-04"));
        for width in [0.0, 1.0, 1e5, 1e7, 1e9, 1e12] {
            assert!(times(zero, width, 6).1.len() <= 7, "{width}");
        }
    }

    #[test]
    fn a_peak_outlives_the_thinning() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|k| (f64::from(k), 1.0)).collect();
        points[7777].1 = 9.0;
        let thin = thinned(&points, 600);
        assert!(thin.len() <= 600 && thin.contains(&(7777.0, 9.0)) && thin.last() == Some(&(9999.0, 1.0)));
        assert!(thin.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(thinned(&points[..600], 600), points[..600]);
        assert_eq!((thinned(&[], 5).len(), thinned(&points, 0).len() < 4), (0, true));
    }

    #[test]
    fn heights_lie_between_points() {
        let p = [(0.0, 0.0), (10.0, 100.0)];
        let at = |x| height(&p, x);
        assert_eq!((at(-1.0), at(0.0), at(5.0), at(10.0), at(99.0)), (0.0, 0.0, 50.0, 100.0, 100.0));
        assert_eq!(height(&[], 1.0), 0.0);
        assert_eq!(height(&[(3.0, 1.0), (3.0, 2.0)], 3.0), 1.0);
    }
}
