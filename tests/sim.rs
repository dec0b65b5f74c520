//! A simulation of the service: queue, engine thread, keeper, store, catching up and couriers as they
//! are, on a virtual clock, with sources, receivers, people who give orders,
//! disk and crashes that a seed decides.
//!
//! `SEEDS=10000` runs more seeds, `SEED=7` one of them, with its story told.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "sim/mod.rs"]
mod sim;

#[cfg(feature = "broken")]
use groundswell::base::broken::{Broken, build};
use sim::world::World;

fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|v| v.parse().ok());
    match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(32),
    }
}

/// One test at a time: a mistake made on purpose is made everywhere.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// The story of a seed; the error is what was broken in it.
fn told(seed: u64, aloud: bool) -> Result<(), String> {
    std::panic::catch_unwind(|| World::new(seed, aloud).run()).unwrap_or_else(|e| {
        let text = e.downcast_ref::<String>().cloned();
        Err(text.or(e.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or("a panic".into()))
    })
}

/// The first seed that breaks an invariant, and how.
fn first_failure(seeds: std::ops::Range<u64>) -> Option<(u64, String)> {
    let aloud = std::env::var_os("SEED").is_some();
    let next = std::sync::atomic::AtomicU64::new(seeds.start);
    let found = std::sync::Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while found.lock().unwrap().is_none() {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if let Err(why) = told(seed, aloud) {
                        found.lock().unwrap().get_or_insert((seed, why));
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn nothing_is_lost_or_told_twice_whatever_happens() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    let seeds = seeds();
    let n = seeds.end - seeds.start;
    if let Some((seed, why)) = first_failure(seeds) {
        panic!("seed {seed}: {why}\n  again: SEED={seed} cargo test --test sim -- --nocapture");
    }
    println!("{n} seeds");
}

/// Each invariant is seen to fail where the code is broken on purpose.
#[cfg(feature = "broken")]
#[test]
fn every_invariant_can_fail() {
    let _alone = ALONE.lock().unwrap_or_else(|e| e.into_inner());
    for (broken, invariant) in [
        (Broken::ChangesForgotten, "uninterrupted"),
        (Broken::StepsLost, "function of the log"),
        (Broken::TellsBeforeCommit, "not in the outbox"),
        (Broken::LettersLost, "queued"),
        (Broken::ToldAgain, "told again"),
        (Broken::DeliversTwice, "times after"),
        (Broken::OutcomesLost, "outcomes"),
        (Broken::PagesLost, "never told of"),
        (Broken::ShortPagesLost, "never told of"),
        (Broken::Overtakes, "out of order"),
        (Broken::SpeaksOn, "after it was over"),
        (Broken::KeysShared, "two open incidents"),
        (Broken::HeardNotKept, "not what they were"),
        (Broken::LaterUnheard, "is handed over though"),
        (Broken::ShadowForgets, "to be open"),
        (Broken::BurnsOn, "to be open"),
        (Broken::RowsAmiss, "out of order"),
        (Broken::AnswersLost, "never answered"),
    ] {
        build(Some(broken));
        let noticed = (0..300).find(|seed| told(*seed, false).is_err_and(|why| why.contains(invariant)));
        build(None);
        println!("{broken:?}: seed {noticed:?}");
        assert!(noticed.is_some(), "{broken:?} broke no `{invariant}` in 300 seeds");
    }
}
