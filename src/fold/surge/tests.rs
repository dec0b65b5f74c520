//! Checks of the surge detector against the bare formulas, and of what was added to them.

use super::{Params, Phase, Rareness, Surge};

/// The formulas as they are written down, one bin after the other, without seasons, prior, floors or freezing.
struct Naive {
    i: f64,
    m: f64,
    d: f64,
    f: [f64; 2],
    u: [f64; 2],
    beta: [f64; 2],
    n: [f64; 2],
}

impl Naive {
    fn new() -> Naive {
        Naive { i: 0.0, m: 0.0, d: 0.3, f: [0.0; 2], u: [0.5; 2], beta: [0.5; 2], n: [0.0; 2] }
    }

    /// Return period and log lifts when the bin holds x after `elapsed`.
    fn at(&self, x: f64, elapsed: f64) -> (f64, [f64; 2]) {
        let (mut s, mut r) = (0.0, [0.0; 2]);
        for (k, tau) in [3.0, 12.0].into_iter().enumerate() {
            r[k] = (self.f[k] + (x - elapsed * self.f[k]) / tau + 2.0).ln() - self.m;
            let e: f64 = r[k] - self.u[k];
            let ln_p = 0.01f64.ln() - e.max(0.0) / self.beta[k];
            s += -(ln_p + 288f64.ln()) / 10f64.ln() / 2.0;
        }
        (10f64.powf(s), r)
    }

    /// One bin: its moments (x so far, elapsed), then its end. Answers the return period and the log lifts of all.
    fn bin(&mut self, moments: &[(f64, f64)], x: f64) -> Vec<(f64, [f64; 2])> {
        let (b, q) = (288.0, 0.01);
        let (nb, nm) = (7.0 * b, 7.0 * b);
        let y = (x + 2.0).ln();
        if self.i == 0.0 {
            (self.m, self.f) = (y, [x; 2]);
        }
        let mut out: Vec<_> = moments.iter().map(|(x, e)| self.at(*x, *e)).collect();
        out.push(self.at(x, 1.0));
        for (k, tau) in [3.0, 12.0].into_iter().enumerate() {
            let r = out.iter().map(|(_, r)| r[k]).fold(f64::MIN, f64::max);
            self.f[k] += (x - self.f[k]) / tau;
            if self.i > 50.0 {
                let g = 3.0 * self.d * (self.i - 49.0).powf(-0.7).max(10.0 / nm);
                if r - self.u[k] > 0.0 {
                    self.u[k] += g * (1.0 - q);
                    self.n[k] += 1.0;
                    let w = (1.0 / (self.n[k] + 5.0)).max(1.0 / (q * nm));
                    let v = (r - self.u[k]).min(6.0 * self.beta[k]) - self.beta[k];
                    self.beta[k] = (self.beta[k] + w * v).max(0.02);
                } else {
                    self.u[k] -= g * q;
                }
            }
        }
        let r = y - self.m;
        self.m += (1.0 / nb).max(1.0 / (self.i + 1.0)) * r.clamp(-3.0 * self.d, 3.0 * self.d);
        self.d += (1.0 / nm).max(1.0 / (self.i + 2.0)) * (r.abs().min(4.0 * self.d) - self.d);
        self.i += 1.0;
        out
    }
}

/// Numbers 0..1, the same in each run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A count around `mean`, with a tail.
    fn count(&mut self, mean: f64) -> f64 {
        (mean * -self.next().max(1e-9).ln()).round()
    }
}

/// A series that has seen `bins` bins of noise around `mean`.
fn grown(p: &Params, mean: f64, bins: usize) -> Surge {
    let (mut s, mut noise) = (Surge::new(), Noise(5));
    for _ in 0..bins {
        let x = mean * (0.8 + 0.4 * noise.next());
        s.close(p, x);
    }
    s
}

fn close_to(got: Rareness, want: (f64, [f64; 2])) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs().max(1e-9);
    let [a, b] = got.lifts;
    got.rarity_days.is_some_and(|t| near(t, want.0)) && near(a, want.1[0].exp()) && near(b, want.1[1].exp())
}

#[test]
fn binned_series_gives_the_formulas() {
    let (p, mut noise) = (Params::plain(), Noise(1));
    let (mut s, mut naive) = (Surge::new(), Naive::new());
    for i in 0..6000 {
        let x = noise.count(if i % 1500 > 1480 { 200.0 } else { 8.0 });
        let want = naive.bin(&[], x)[0];
        let got = s.close(&p, x);
        assert!(i == 0 || close_to(got, want), "bin {i}: {got:?}, formulas {want:?}");
    }
}

#[test]
fn arrivals_give_the_formulas_with_the_bin_maximum() {
    let (p, mut noise) = (Params::plain(), Noise(2));
    let (mut s, mut naive) = (Surge::new(), Naive::new());
    for i in 0..4000 {
        let n = noise.count(6.0) as usize;
        let moments: Vec<_> = (0..n).map(|j| ((j + 1) as f64, (j as f64 + noise.next()) / n as f64)).collect();
        let want = naive.bin(&moments, n as f64);
        for ((x, e), want) in moments.iter().zip(&want) {
            let (looked, got) = (s.look(&p, *x, *e), s.observe(&p, *x, *e));
            assert_eq!(looked, got);
            assert!(i == 0 || close_to(got, *want), "bin {i}");
        }
        let got = s.close(&p, n as f64);
        assert!(i == 0 || close_to(got, want[n]), "end of bin {i}");
    }
}

#[test]
fn a_bin_end_seen_twice_changes_nothing() {
    let (p, mut noise) = (Params::default(), Noise(3));
    let (mut once, mut twice) = (Surge::new(), Surge::new());
    for i in 0..4000 {
        let x = noise.count(if i == 3000 { 500.0 } else { 5.0 });
        let end = once.close(&p, x);
        if i > 0 {
            assert_eq!(twice.observe(&p, x, 1.0), end);
        }
        assert_eq!(twice.close(&p, x), end);
        assert_eq!(once, twice, "bin {i}");
    }
}

#[test]
fn one_arrival_right_after_a_bin_begins_is_no_alarm() {
    let p = Params::default();
    let silent = grown(&p, 0.0, 3000);
    assert!(silent.look(&p, 1.0, 0.0).lift < 1.2);
    let busy = grown(&p, 20.0, 3000);
    let (before, after) = (busy.look(&p, 0.0, 0.0), busy.look(&p, 1.0, 1e-9));
    assert!(after.lift < 1.03 * before.lift && !busy.alarming(&p, &after));
}

#[test]
fn own_alarm_freezes_until_calm() {
    let p = Params::default();
    let mut s = grown(&p, 20.0, 3000);
    let before = s.clone();
    assert!(s.alarming(&p, &s.look(&p, 200.0, 0.5)) && s.phase() == Phase::Calm, "a look does not freeze");
    s.observe(&p, 200.0, 0.5);
    assert_eq!(s.phase(), Phase::Frozen);
    for _ in 0..6 {
        s.close(&p, 400.0);
    }
    let held = (s.base, s.spread, &s.season, s.bins);
    assert_eq!(held, (before.base, before.spread, &before.season, before.bins));
    assert!(s.scales[0].level > before.scales[0].level, "the tail learns on");
    let bins = (0..200).take_while(|_| (s.close(&p, 20.0), s.phase()).1 == Phase::Frozen).count();
    assert!((5..60).contains(&bins), "calm after {bins} bins");
    assert_eq!(s.phase(), Phase::Calm);
    assert!(s.bins > before.bins);
}

#[test]
fn lasting_new_level_is_adopted_after_a_day() {
    let p = Params::default();
    let mut s = grown(&p, 20.0, 3000);
    let mut phases = vec![];
    for i in 0..60 * 288 {
        let r = s.close(&p, 100.0);
        if phases.last().is_none_or(|(_, last)| *last != s.phase()) {
            phases.push((i, s.phase()));
        }
        assert!(i < 300 || !s.alarming(&p, &r), "bin {i}");
    }
    let order: Vec<_> = phases.iter().map(|(_, phase)| *phase).collect();
    assert_eq!(order, [Phase::Calm, Phase::Frozen, Phase::Adopting, Phase::Calm]);
    assert_eq!(phases[2].0 - phases[1].0, 288);
    assert!(phases[3].0 - phases[1].0 < 10 * 288, "adopted after {} bins", phases[3].0);
    assert!((s.usual(&p) - 100.0).abs() < 10.0, "usual {}", s.usual(&p));
}

#[test]
fn unseen_bins_teach_nothing() {
    let p = Params::default();
    let mut s = grown(&p, 20.0, 3000);
    s.observe(&p, 25.0, 0.5);
    let before = s.clone();
    for _ in 0..12 {
        s.skip(&p);
    }
    assert_eq!(s.age, before.age + 12);
    assert_eq!((s.bins, s.base, s.spread), (before.bins, before.base, before.spread));
    assert_eq!(
        (s.scales[1].fast, s.scales[1].level, s.scales[1].peak),
        (before.scales[1].fast, before.scales[1].level, 0.0)
    );
}

#[test]
fn a_freeze_ends_even_if_the_sources_stay_down() {
    let p = Params::default();
    let mut s = grown(&p, 20.0, 3000);
    s.close(&p, 400.0);
    assert_eq!(s.phase(), Phase::Frozen);
    for _ in 0..289 {
        s.skip(&p);
    }
    assert_eq!(s.phase(), Phase::Adopting);
}

#[test]
fn empty_bins_in_bounded_time() {
    let p = Params::default();
    let (mut one, mut many) = (grown(&p, 3.0, 3000), grown(&p, 3.0, 3000));
    for _ in 0..1000 {
        one.close(&p, 0.0);
    }
    many.close_empty(&p, 1000);
    assert_eq!(one, many);
    many.close_empty(&p, u32::MAX);
    assert_eq!((many.usual(&p), many.age), (0.0, u32::MAX));
    // a silent key that wakes is a surge, and can get used to it
    let r = many.observe(&p, 40.0, 1.0);
    assert!(many.alarming(&p, &r), "{r:?}");
    for _ in 0..40 * 288 {
        many.close(&p, 40.0);
    }
    assert!((many.usual(&p) - 40.0).abs() < 8.0, "usual {}", many.usual(&p));
}

#[test]
fn hostile_values_leave_everything_finite() {
    let (p, mut noise) = (Params::default(), Noise(9));
    let hostile = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -5.0, 1e300, 0.0, f64::MIN_POSITIVE, 1e12, 3.0];
    let mut s = Surge::new();
    for i in 0..20_000 {
        let mut pick = || hostile[(noise.next() * hostile.len() as f64) as usize % hostile.len()];
        let (x, elapsed) = if i % 500 < 300 { (3.0, 0.5) } else { (pick(), pick()) };
        for r in [s.observe(&p, x, elapsed), s.look(&p, elapsed, x), s.close(&p, x)] {
            assert!(r.lift.is_finite() && r.lift > 0.0 && r.lifts.iter().all(|l| l.is_finite()), "bin {i}: {r:?}");
            assert!(r.rarity_days.is_none_or(|t| t.is_finite() && t > 0.0), "bin {i}: {r:?}");
        }
        let numbers = s.scales.iter().flat_map(|k| [k.fast, k.level, k.tail, k.peak]);
        assert!(numbers.chain([s.base, s.spread, s.usual(&p)]).all(f64::is_finite), "bin {i}: {s:?}");
    }
}

#[test]
fn young_keys_borrow_the_tail_of_others() {
    let p = Params::default();
    let mut s = grown(&p, 20.0, 23);
    assert_eq!(s.look(&p, 500.0, 1.0), Rareness { rarity_days: None, lift: 1.0, lifts: [1.0; 2], usual: 0.0 });
    s.close(&p, 20.0);
    let (usual, high) = (s.look(&p, 20.0, 1.0), s.look(&p, 2000.0, 1.0));
    assert!(usual.rarity_days.is_some_and(|t| t < 1.0) && (usual.lift - 1.0).abs() < 0.2, "{usual:?}");
    assert!(high.rarity_days.is_some_and(|t| t > 1.0) && high.lift > 8.0, "{high:?}");
    assert!(!s.alarming(&p, &high), "no alarm of its own in the first day");
    assert!(grown(&p, 20.0, 300).alarming(&p, &high));
    // the same excess says more about a steady key that is known for long
    let (young, old) = (grown(&p, 20.0, 300).look(&p, 150.0, 1.0), grown(&p, 20.0, 3000).look(&p, 150.0, 1.0));
    assert!(old.rarity_days > young.rarity_days, "{young:?} {old:?}");
}

#[test]
fn the_daily_rhythm_becomes_usual() {
    let p = Params::default();
    let (mut s, mut flat) = (Surge::new(), Surge::new());
    let no_season = Params { season_days: 0.0, ..Params::default() };
    let (mut most, mut flat_most) = (0f64, 0f64);
    for i in 0..28 * 288 {
        let x = 20.0 * (1.0 + 0.8 * (f64::from(i) / 288.0 * std::f64::consts::TAU).sin());
        let (a, b) = (s.close(&p, x), flat.close(&no_season, x));
        if i > 21 * 288 {
            (most, flat_most) = (most.max(a.lift), flat_most.max(b.lift));
        }
    }
    assert!(most < 1.3 && flat_most > 1.8, "{most} {flat_most}");
}
