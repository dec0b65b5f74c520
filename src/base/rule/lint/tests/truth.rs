//! What is said of conditions, held against their evaluation in worlds taken at random.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::base::model::Value;
use crate::base::rule::expr::{Context, Expr, Lets, Measure, SeriesSpec, Type, with_names};
use crate::base::rule::lint::Work;
use crate::base::rule::lint::interval::Interval;
use crate::base::rule::lint::quantities::Quantities;
use crate::base::rule::lint::sat::World;

/// Values at one moment, as they can be: mentions and authors of an hour and of ten minutes, the negative share, the
/// story's age, and whether each sequence holds.
#[derive(Debug)]
struct Moment {
    values: [Value; 6],
    big: f64,
    sequences: Vec<Option<bool>>,
}

impl Context for Moment {
    fn series(&self, slot: usize) -> Value {
        self.values[slot]
    }
    fn var(&self, _: &str) -> Value {
        Some(self.big)
    }
    fn sequence(&self, slot: usize) -> Option<bool> {
        self.sequences[slot]
    }
}

fn slot(s: &SeriesSpec) -> usize {
    let hour = usize::from(s.window.as_seconds() == 3600.0);
    match s.measure {
        Measure::Mentions => hour,
        Measure::Authors => 2 + hour,
        Measure::NegativeShare => 4,
        _ => 5,
    }
}

fn moment() -> impl Strategy<Value = Moment> {
    let counts = (0u8..9, 0u8..9, 0u8..9, 0u8..9);
    let share = prop_oneof![Just(None), (0u8..5).prop_map(|n| Some(f64::from(n) / 4.0))];
    (counts, share, 0u8..9, 1u8..4).prop_map(|((a, b, c, d), share, age, big)| {
        // more of a longer window, and at most as many accounts as posts
        let (short, long) = (f64::from(a), f64::from(a) + f64::from(b));
        let few = f64::from(c).min(short);
        let many = (few + f64::from(d)).min(long);
        let values = [short, long, few, many].map(Some);
        let values = [values[0], values[1], values[2], values[3], share, Some(f64::from(age) * 60.0)];
        Moment { values, big: f64::from(big), sequences: Vec::new() }
    })
}

fn quantity() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (0u8..9).prop_map(|n| n.to_string()),
        Just("vars.big".to_string()),
        Just("mentions[10m]".to_string()),
        Just("mentions[1h]".to_string()),
        Just("authors[10m]".to_string()),
        Just("authors[1h]".to_string()),
        Just("negative_share[1h]".to_string()),
        Just("named".to_string()),
    ];
    leaf.prop_recursive(2, 6, 2, |q| {
        (q.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("/")], q)
            .prop_map(|(a, op, b)| format!("({a} {op} {b})"))
    })
}

fn condition() -> impl Strategy<Value = String> {
    let ops = prop_oneof![Just(">="), Just("<"), Just("<="), Just(">"), Just("=="), Just("!=")];
    let compared = prop_oneof![
        4 => (quantity(), ops.clone(), quantity()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        1 => (ops, 0u8..9).prop_map(|(op, n)| format!("story_age {op} {n}m")),
    ];
    compared.prop_recursive(3, 12, 2, |c| {
        prop_oneof![
            4 => (c.clone(), prop_oneof![Just("and"), Just("or"), Just("unless")], c.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            1 => (c.clone(), c.clone()).prop_map(|(a, b)| format!("({a} then {b} within 9m)")),
            1 => c.prop_map(|a| format!("not ({a})")),
        ]
    })
}

fn read(text: &str) -> Option<Expr> {
    let mut lets = Lets::new(1000);
    lets.add("named".to_string(), with_names("mentions[1h] - 1", &Lets::default(), Type::Number).ok()?);
    let mut e = with_names(text, &lets, Type::Condition).ok()?;
    e.place_series(&mut slot);
    e.place_sequences(&mut 0);
    Some(e)
}

/// The moment `now`, with each sequence holding that held its first part at some moment and holds its second one now.
fn with_sequences(e: &Expr, mut now: Moment, before: &Moment) -> Moment {
    let mut earlier = Moment { values: before.values, big: now.big, sequences: Vec::new() };
    e.each_sequence(&mut |a, b, _| {
        let first = a.holds(&earlier) == Some(true) || a.holds(&now) == Some(true);
        let holds = b.holds(&now).map(|b| b && first);
        now.sequences.push(holds);
        earlier.sequences.push(Some(false));
    });
    now
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
    #[test]
    fn what_is_said_never_to_be_never_is(
        text in condition(), moments in prop::collection::vec(moment(), 12), before in moment()
    ) {
        let Some(e) = read(&text) else { return Ok(()) };
        let vars = BTreeMap::from([("big".to_string(), Interval::between(1.0, 3.0))]);
        let work = Work::default();
        let all = Quantities::of(&vars, &work, [&e]);
        let world = World::new(&all);
        let (can, cannot) = (world.may_be(&e, true), world.may_be(&e, false));
        let age = all.age().map(|age| world.bounds(&e, true, age));
        for moment in moments {
            let now = with_sequences(&e, moment, &before);
            match e.holds(&now) {
                Some(true) => {
                    prop_assert!(can, "`{}` is said never to hold, but does with {:?}", e, now.values);
                    let at = now.values[5].unwrap_or(0.0);
                    let inside = age.is_none_or(|i| {
                        (at > i.low || (at == i.low && !i.above)) && (at < i.high || (at == i.high && !i.below))
                    });
                    prop_assert!(inside, "`{}` holds at an age of {}, said to be in {:?}", e, at, age);
                }
                Some(false) => {
                    prop_assert!(cannot, "`{}` is said never to fail, but does with {:?}", e, now.values);
                }
                None => {}
            }
        }
    }
}
