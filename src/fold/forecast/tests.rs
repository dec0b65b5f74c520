use proptest::prelude::*;

use super::*;

/// Shares: age, and followers where they are known.
type Share = (f64, Option<u64>);

fn followers(known: Option<u64>) -> Followers {
    Followers { count: known.unwrap_or(300), known: known.is_some() }
}

fn told(root: u64, shares: &[Share]) -> Forecast {
    let mut f = Forecast::default();
    f.expose(0.0, followers(Some(root)));
    shares.iter().for_each(|(age, n)| f.share(*age, followers(*n)));
    f
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-4 * (1.0 + b.abs())
}

fn band(b: Band) -> [f64; 3] {
    [b.low, b.mid, b.high]
}

/// Values of a second implementation, written apart from this one.
#[test]
fn agrees_with_a_second_implementation() {
    let few = vec![(100.0, Some(200)); 5];
    let even: Vec<Share> = (1..=30).map(|i| (f64::from(20 * i), Some(100 + 10 * i as u64))).collect();
    let half: Vec<Share> = (1..=60).map(|i| (f64::from(30 * i), (i % 2 == 0).then_some(800))).collect();
    type Case<'a> = (&'a [Share], f64, [f64; 3], [f64; 3]);
    let cases: [Case<'_>; 7] = [
        (&[(60.0, Some(300))], 600.0, [1.0, 2.55465, 32.7261], [322.489, 766.396, 9667.82]),
        (&[(60.0, None)], 3600.0, [1.0, 1.51637, 11.8715], [307.491, 454.91, 3411.44]),
        (&few, 600.0, [6.6264, 15.9278, 162.664], [1281.59, 3731.96, 55872.8]),
        (&few, 86_400.0, [5.0, 5.43256, 12.7914], [1011.46, 1108.14, 3172.03]),
        (&even, 600.0, [110.093, 193.325, 799.586], [22727.1, 50347.7, 427849.0]),
        (&half, 1800.0, [182.053, 293.768, 945.892], [108560.0, 216174.0, 1419050.0]),
        (&half, 3600.0, [71.1839, 104.93, 240.233], [49147.3, 78591.9, 316275.0]),
    ];
    for (shares, age, end, reach) in cases {
        let f = told(0, shares);
        let o = f.outlook(age).unwrap();
        let found = band(o.followers_to_come).map(|x| x + f.at(age).followers());
        assert!(band(o.final_shares).iter().zip(end).all(|(a, b)| near(*a, b)), "{age}: {o:?} is not {end:?}");
        assert!(found.iter().zip(reach).all(|(a, b)| near(*a, b)), "{age}: {found:?} is not {reach:?}");
    }
    let later = told(0, &even).within(1800.0, 86_400.0).unwrap().0;
    assert!(band(later).iter().zip([33.2193, 45.887, 105.901]).all(|(a, b)| near(*a, b)), "{later:?}");
}

/// The state after SEISMIC, by its sums.
fn slowly(root: u64, shares: &[Share], age: f64) -> (f64, f64) {
    let first = (0.0, Some(root));
    let all = std::iter::once(&first).chain(shares).filter(|(t, _)| *t <= age);
    let (mut spent, mut exposure) = (0.0, 0.0);
    for (t, n) in all {
        let n = followers(*n).count as f64;
        spent += n * exposed_to_hour(age - t);
        exposure += n * DECAYS.iter().map(|(a, b)| a * (-(age - t) / b).exp()).sum::<f64>();
    }
    let recent: f64 = shares.iter().filter(|(t, _)| *t <= age).map(|(t, _)| (-(age - t) / HOUR).exp()).sum();
    (AUDIENCE * recent / spent, exposure)
}

/// What of an exposure was seen, faded over an hour: the integral, by steps.
#[test]
fn exposures_of_the_last_hour_are_the_integral() {
    for age in [1.0f64, 100.0, 3600.0, 40_000.0] {
        let density = |s: f64| DECAYS.iter().map(|(a, b)| a / b * (-s / b).exp()).sum::<f64>();
        let steps = 20_000;
        let ds = age / f64::from(steps);
        let part = |i: i32| (f64::from(i) + 0.5) * ds;
        let sum: f64 = (0..steps).map(|i| density(part(i)) * (-(age - part(i)) / HOUR).exp() * ds).sum();
        assert!((sum / exposed_to_hour(age) - 1.0).abs() < 1e-3, "{age}: {sum}, {}", exposed_to_hour(age));
    }
}

fn shares() -> impl Strategy<Value = Vec<Share>> {
    let one = (0.0..1e6f64, prop::option::of(prop_oneof![0..2_000u64, 0..30_000_000u64]));
    prop::collection::vec(one, 1..60).prop_map(|mut all| {
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all
    })
}

proptest! {
    #[test]
    fn what_is_seen_is_never_taken_back(all in shares(), root in 0..10_000_000u64, after in 0.0..1e8f64, h in 0.0..1e8f64) {
        let f = told(root, &all);
        let age = all.last().unwrap().0 + after;
        let o = f.outlook(age).unwrap();
        let seen = all.len() as f64;
        let [low, mid, high] = band(o.final_shares);
        prop_assert!(seen <= low && low <= mid && mid <= high && high.is_finite(), "{o:?}");
        let [a, b, c] = band(o.followers_to_come);
        prop_assert!(0.0 <= a && a <= b && b <= c && c.is_finite(), "{o:?}");
        prop_assert!(o.infectiousness >= 0.0 && o.infectiousness.is_finite() && o.brings >= 0.0 && o.exposure >= 0.0 && o.exposure.is_finite(), "{o:?}");
        let (soon, later) = (f.within(age, h).unwrap(), f.within(age, h * 2.0).unwrap());
        for (x, y) in band(soon.0).iter().zip(band(later.0)) {
            prop_assert!(seen <= *x && *x <= y, "{soon:?} {later:?}");
        }
        prop_assert!(later.0.mid <= mid + 1e-6 * mid);
    }

    #[test]
    fn a_share_costs_nothing_of_what_the_sums_say(all in shares(), root in 1..10_000_000u64, after in 0.0..1e6f64) {
        let age = all.last().unwrap().0 + after;
        let o = told(root, &all).outlook(age).unwrap();
        let (brings, exposure) = slowly(root, &all, age);
        prop_assert!((o.infectiousness - brings).abs() <= 1e-6 * (1.0 + brings), "{} {brings}", o.infectiousness);
        prop_assert!((o.exposure - exposure).abs() <= 1e-6 * (1.0 + exposure), "{} {exposure}", o.exposure);
    }

    #[test]
    fn order_and_late_audiences_change_nothing(all in shares(), root in 1..10_000_000u64, seed in any::<u64>()) {
        let age = all.last().unwrap().0 + 60.0;
        let early = told(root, &all).outlook(age).unwrap();
        // shares in another order, and audiences only in the end
        let mut mixed = all.clone();
        mixed.sort_by_key(|(t, _)| (t.to_bits() ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut f = Forecast::default();
        mixed.iter().for_each(|(t, _)| f.share(*t, followers(None)));
        f.expose(0.0, followers(None));
        f.learn(0.0, followers(None), followers(Some(root)), false);
        mixed.iter().filter(|(_, n)| n.is_some()).for_each(|(t, n)| f.learn(*t, followers(None), followers(*n), true));
        let late = f.outlook(age).unwrap();
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-5 * (1.0 + a.abs().max(b.abs()));
        prop_assert!(close(early.infectiousness, late.infectiousness) && close(early.exposure, late.exposure), "{early:?} {late:?}");
        for (a, b) in band(early.final_shares).iter().chain(&band(early.followers_to_come)).zip(band(late.final_shares).iter().chain(&band(late.followers_to_come))) {
            prop_assert!(close(*a, *b), "{early:?} {late:?}");
        }
    }
}

#[test]
fn silence_ends_a_story() {
    let all: Vec<Share> = (1..=200).map(|i| (f64::from(3 * i), Some(500))).collect();
    let f = told(5_000, &all);
    let mid = |age: f64| f.outlook(age).unwrap().final_shares.mid;
    assert!(mid(600.0) > 800.0, "{}", mid(600.0));
    assert!(mid(3600.0) < 400.0 && mid(6.0 * 3600.0) < 230.0 && mid(86_400.0) < 206.0, "{}", mid(86_400.0));
    let state = |age: f64| f.outlook(age).unwrap().state;
    assert_eq!(
        (state(600.0), state(1200.0), state(86_400.0)),
        (StoryState::Explosive, StoryState::Critical, StoryState::Dying)
    );
    assert_eq!(Forecast::default().outlook(60.0), None);
}

#[test]
fn a_beginning_that_is_found_later_shifts_all_ages() {
    let all: Vec<Share> = (1..=20).map(|i| (f64::from(60 * i), Some(100))).collect();
    let shifted: Vec<Share> = all.iter().map(|(t, n)| (t + 300.0, *n)).collect();
    let mut f = Forecast::default();
    all.iter().for_each(|(t, n)| f.share(*t, followers(*n)));
    f.begin_earlier(300.0);
    f.expose(0.0, followers(Some(9_000)));
    assert_eq!(f.outlook(2_000.0).map(|o| o.shares), Some(20));
    let (a, b) = (f.outlook(2_000.0).unwrap(), told(9_000, &shifted).outlook(2_000.0).unwrap());
    assert!(near(a.final_shares.mid, b.final_shares.mid) && near(a.infectiousness, b.infectiousness), "{a:?} {b:?}");
}
