//! A start from the store: from the log alone, from a snapshot, from both.

use std::path::Path;
use std::time::{Duration, Instant};

use groundswell::app::engine::Engine;
use groundswell::app::recovery::{self, Rebuilt};
use groundswell::app::snapshot::Part;
use groundswell::base::model::{EntryBody, Step, step};
use groundswell::enroll::ClockMode;
use groundswell::store::db::Db;

use super::{Sizes, history, quantile, readers, snapshots};

/// Blocks read at once.
const BLOCKS: usize = 32;

/// Where the time goes, one part after the other.
#[derive(Default)]
struct Split {
    parts_read: Duration,
    parts_decoded: Duration,
    log_read: Duration,
    junction: Duration,
    backs: Duration,
    looked_up: Duration,
    entries: u64,
    blocks: usize,
    changes: usize,
}

pub fn tables(sizes: &Sizes, folder: &Path) {
    let (path, rules) = (folder.join("restore.db"), readers::rules(0));
    let began = Instant::now();
    history::build(&path, &rules, sizes.entries);
    let mut db = Db::open(&path).unwrap();
    let (blocks, last, _) = db.end_of_log().unwrap();
    println!(
        "\nlog of {last} entries in {blocks} blocks, {:.1} MB, made in {:.0} s",
        db.bytes().unwrap() as f64 / 1e6,
        began.elapsed().as_secs_f64()
    );
    println!(
        "\nstart from the store, s, median of {} (parts one after the other, in a run of their own)\n",
        sizes.runs
    );
    print!("{:>28}{:>9}{:>9}{:>12}", "", "entries", "blocks", "in all");
    ["parts read", "decoded", "log read", "junction", "backs", "looked up"].iter().for_each(|t| print!("{t:>12}"));
    println!("{:>12}", "entries/s");
    let alone = row("log alone", &db, sizes, last);
    assert_eq!(alone.entries, last);
    let mut shown = Vec::new();
    let until = last - sizes.after;
    let (engine, block) = rebuilt(&db, &mut |n| n < until);
    snapshots::put(&mut db, engine, block);
    let both = row("snapshot and log", &db, sizes, last);
    assert!(both.entries >= sizes.after - sizes.after / 10, "{}", both.entries);
    let from = Instant::now();
    let (engine, block) = rebuilt(&db, &mut |_| true);
    let rebuilt = from.elapsed();
    let (put, db) = snapshots::keep(db, engine, block);
    shown.push((rebuilt, put));
    row("snapshot", &db, sizes, last);
    snapshots::table(&shown);
}

fn rebuilt(db: &Db, go_on: &mut dyn FnMut(u64) -> bool) -> (Engine, i64) {
    let Rebuilt { engine, block, problems, missing, .. } =
        recovery::rebuild(db, ClockMode::Live, 1, go_on).unwrap().unwrap();
    assert!(problems.is_empty() && missing.is_empty(), "{problems:?} {missing:?}");
    (engine, block)
}

fn row(name: &str, db: &Db, sizes: &Sizes, last: u64) -> Split {
    let mut times = Vec::new();
    for _ in 0..sizes.runs {
        let from = Instant::now();
        let (engine, _) = rebuilt(db, &mut |_| true);
        times.push(from.elapsed());
        assert_eq!(engine.junction().seq(), last);
    }
    let whole = quantile(&times, 0.5);
    let split = split(db);
    print!("{name:>28}{:>9}{:>9}{:>12.2}", split.entries, split.blocks, whole.as_secs_f64());
    for d in [split.parts_read, split.parts_decoded, split.log_read, split.junction, split.backs, split.looked_up] {
        print!("{:>12.2}", d.as_secs_f64());
    }
    println!("{:>12.0}   ({} changes of episodes)", split.entries as f64 / whole.as_secs_f64(), split.changes);
    split
}

/// The same, by its parts.
fn split(db: &Db) -> Split {
    let mut out = Split::default();
    let rules = readers::rules(0);
    let round = db.rounds().unwrap().into_iter().next();
    let (mut engine, mut block) = match round {
        Some(round) => {
            let from = Instant::now();
            let parts = db.parts(round.id).unwrap();
            out.parts_read = from.elapsed();
            let parts: Vec<Part> = parts.into_iter().map(|(name, bytes)| Part { name, bytes }).collect();
            let from = Instant::now();
            let engine = Engine::restore(rules, &parts, 1).unwrap();
            out.parts_decoded = from.elapsed();
            (engine, round.block)
        }
        None => (Engine::new(rules, ClockMode::Live, 1), 0),
    };
    loop {
        let from = Instant::now();
        let blocks = db.blocks_after(block, BLOCKS).unwrap();
        out.log_read += from.elapsed();
        let Some(last) = blocks.last() else { return out };
        block = last.id;
        out.blocks += blocks.len();
        blocks.into_iter().flat_map(|b| b.steps.unwrap()).for_each(|s| take(db, &mut engine, s, &mut out));
    }
}

fn take(db: &Db, engine: &mut Engine, s: Step, out: &mut Split) {
    for e in &s.entries {
        if let EntryBody::RulesChanged { fingerprint } = e.body {
            engine.know(recovery::Kept::new(db).get(fingerprint).unwrap().unwrap());
        }
    }
    let mut found = Vec::new();
    out.entries += s.entries.len() as u64;
    let from = Instant::now();
    engine.again(&Step { changes: s.changes, entries: Vec::new(), clock: s.clock }, &mut found);
    let between = Instant::now();
    engine.again(&Step { changes: Vec::new(), entries: s.entries, clock: s.clock }, &mut found);
    let after = Instant::now();
    out.changes += found.len();
    assert!(found.iter().all(|t| db.has_step(t.episode, step(t)).unwrap()));
    out.junction += between - from;
    out.backs += after - between;
    out.looked_up += after.elapsed();
}
