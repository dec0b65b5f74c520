//! The comparison against a naive twin, and by hand.

use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000_000;

fn at(minute: i64) -> Time {
    Time(minute * MINUTE)
}

fn spell(id: u64, about: u8, from: i64, to: Option<i64>, severity: Severity) -> Spell {
    let about: Arc<str> = format!("b{}/{about}", about % 2).into();
    let brand = about.split('/').next().unwrap().into();
    Spell { episode: EpisodeId(id), brand, about, from: at(from), to: to.map(at), severity }
}

fn page(id: u64, from: i64, to: i64) -> Spell {
    spell(id, 0, from, Some(to), Severity::Page)
}

fn ids(spells: &[Spell]) -> Vec<u64> {
    spells.iter().map(|s| s.episode.0).collect()
}

#[test]
fn what_overlaps_or_begins_within_an_hour_is_one_case() {
    let live = [page(1, 100, 130), page(2, 600, 610), page(3, 900, 910)];
    let shadow = [page(11, 90, 95), page(12, 609, 620), page(13, 971, 980)];
    let c = compare(&live, &shadow, (at(0), at(1440)));
    assert_eq!(c.tally(), Tally { both: 2, only_live: 1, only_shadow: 1 });
    assert_eq!((ids(&c.only_live), ids(&c.only_shadow)), (vec![3], vec![13]));
    // ten minutes earlier and nine later
    assert_eq!(c.earlier, Some(Span(MINUTE / 2)));
    assert_eq!((c.live.episodes, c.live.pages, c.live.warns), (3, 3, 0));
    assert_eq!(c.live.share, 50.0 / 1440.0);
    // to the minute: 60 after the beginning is within an hour, and so is the end of a long one
    let touch = |a: Spell, b: Spell| compare(&[a], &[b], (at(0), at(1440))).tally().both;
    assert_eq!([touch(page(1, 10, 11), page(2, 70, 71)), touch(page(1, 10, 11), page(2, 71, 72))], [1, 0]);
    assert_eq!([touch(page(1, 10, 200), page(2, 200, 201)), touch(page(1, 10, 200), page(2, 201, 202))], [1, 0]);
    let open = spell(1, 0, 10, None, Severity::Warn);
    assert_eq!(touch(open.clone(), page(2, 1400, 1401)), 1);
    assert_eq!(touch(spell(1, 2, 10, None, Severity::Warn), page(2, 20, 30)), 0, "another story of the brand");
}

#[test]
fn several_short_ones_within_a_long_one_are_one_case() {
    let c = compare(&[page(1, 0, 600)], &[page(11, 5, 6), page(12, 300, 301)], (at(0), at(1440)));
    assert_eq!((c.tally(), c.shadow.episodes), (Tally { both: 1, only_live: 0, only_shadow: 0 }, 2));
    assert_eq!(c.earlier, Some(Span(-5 * MINUTE)), "by the first of each");
}

#[test]
fn a_day_counts_what_begins_in_it() {
    let (live, shadow) = ([page(1, 1430, 1500)], [page(11, 1445, 1450)]);
    let today = compare(&live, &shadow, (at(0), at(1440)));
    assert_eq!((today.live.episodes, today.shadow.episodes, today.tally().both), (1, 0, 1));
    assert_eq!(today.live.share, 10.0 / 1440.0);
    let tomorrow = compare(&live, &shadow, (at(1440), at(2880)));
    assert_eq!((tomorrow.live.episodes, tomorrow.shadow.episodes, tomorrow.tally().both), (0, 1, 1));
    assert_eq!(tomorrow.live.share, 60.0 / 1440.0);
    assert_eq!(compare(&live, &shadow, (at(2880), at(4320))), Comparison::default());
    assert_eq!(compare(&[], &[], (at(5), at(5))), Comparison::default());
}

/// Cases by asking each about each, to and fro until nothing changes.
type Naive = (Vec<(Arc<str>, Tally)>, Vec<i64>, [f64; 2]);

fn naive(live: &[Spell], shadow: &[Spell], from: i64, until: i64) -> Naive {
    let all: Vec<(bool, &Spell)> = live.iter().map(|s| (false, s)).chain(shadow.iter().map(|s| (true, s))).collect();
    let fires = |s: &Spell, t: Time| s.from <= t && s.to.is_none_or(|to| t <= to);
    let touch = |a: &Spell, b: &Spell| {
        a.about == b.about && (fires(a, b.from) || fires(b, a.from) || (a.from.0 - b.from.0).abs() <= 60 * MINUTE)
    };
    let mut case: Vec<usize> = (0..all.len()).collect();
    for _ in 0..all.len() {
        for (i, (kind, a)) in all.iter().enumerate() {
            for (j, (other, b)) in all.iter().enumerate() {
                if kind != other && touch(a, b) {
                    let least = case[i].min(case[j]);
                    (case[i], case[j]) = (least, least);
                }
            }
        }
    }
    let mut brands: BTreeMap<Arc<str>, Tally> = BTreeMap::new();
    let mut earlier = Vec::new();
    for name in 0..all.len() {
        let of = |kind: bool| {
            all.iter().zip(&case).filter(move |((k, _), c)| **c == name && *k == kind).map(|((_, s), _)| *s)
        };
        let Some(one) = of(false).chain(of(true)).find(|s| s.from >= at(from) && s.from < at(until)) else { continue };
        let tally = brands.entry(one.brand.clone()).or_default();
        match (of(false).map(|s| s.from.0).min(), of(true).map(|s| s.from.0).min()) {
            (Some(a), Some(b)) => {
                tally.both += 1;
                earlier.push(a - b);
            }
            (Some(_), None) => tally.only_live += 1,
            _ => tally.only_shadow += 1,
        }
    }
    earlier.sort_unstable();
    let minutes = |spells: &[Spell]| {
        let on = |m: i64| spells.iter().any(|s| s.from <= at(m) && s.to.is_none_or(|to| to > at(m)));
        (from..until).filter(|m| on(*m)).count() as f64 / (until - from) as f64
    };
    (brands.into_iter().collect(), earlier, [minutes(live), minutes(shadow)])
}

fn spells(first: u64) -> impl Strategy<Value = Vec<Spell>> {
    let one = (0..4u8, 0..1000i64, prop_oneof![Just(None), (0..150i64).prop_map(Some)], 0..3usize);
    prop::collection::vec(one, 0..14).prop_map(move |all| {
        let ids = first..;
        let made = ids.zip(all).map(|(id, (about, from, lasts, severity))| {
            // few never end, or all would be one case
            let to = if lasts.is_none() && !id.is_multiple_of(5) { Some(from + 20) } else { lasts.map(|l| from + l) };
            spell(id, about, from, to, Severity::ALL[severity])
        });
        made.collect()
    })
}

proptest! {
    #[test]
    fn it_counts_as_a_naive_twin_does(live in spells(1), shadow in spells(101), from in 0..500i64, lasts in 1..600i64) {
        let c = compare(&live, &shadow, (at(from), at(from + lasts)));
        let (brands, earlier, shares) = naive(&live, &shadow, from, from + lasts);
        prop_assert_eq!(c.brands.iter().map(|(b, t)| (b.clone(), *t)).collect::<Vec<_>>(), brands);
        let middle = earlier.get(earlier.len() / 2).map(|upper| (upper + earlier[(earlier.len() - 1) / 2]) / 2);
        prop_assert_eq!(c.earlier, middle.map(Span));
        prop_assert!((c.live.share - shares[0]).abs() < 1e-9 && (c.shadow.share - shares[1]).abs() < 1e-9);
        prop_assert_eq!((c.only_live.len(), c.only_shadow.len()), (c.tally().only_live, c.tally().only_shadow));
        // seen from the other side it is the same
        let other = compare(&shadow, &live, (at(from), at(from + lasts)));
        prop_assert_eq!((other.tally().both, other.tally().only_live, other.only_live), (c.tally().both, c.tally().only_shadow, c.only_shadow));
        // times of both are whole minutes: only halves are cut
        prop_assert!(c.earlier.zip(other.earlier).is_none_or(|(a, b)| (a.0 + b.0).abs() <= 1));
    }
}
