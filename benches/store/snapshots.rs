//! A snapshot, made and kept as the service does it beside itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use groundswell::app::engine::Engine;
use groundswell::app::keeper::{Ended, Keep, Keeper, NoLetters, Now};
use groundswell::base::time::Time;
use groundswell::store::db::{Db, Round, StatePart};

use super::{history, ms};

/// What a snapshot came to.
pub struct Put {
    parts: usize,
    plain: usize,
    encoded: Duration,
    packed: Duration,
    /// Each stretch of time the keeper gave it.
    pieces: Vec<Duration>,
    /// Bytes the file is larger by.
    bytes: u64,
}

fn parts(engine: &mut Engine, block: i64) -> (Round, Vec<StatePart>, Put) {
    let from = Instant::now();
    let parts = engine.snapshot().unwrap();
    let encoded = from.elapsed();
    let (as_of, fingerprint) = (engine.junction().seq(), engine.rules().fingerprint);
    let round = Round { id: 0, block, as_of, fingerprint, at: history::now() };
    let plain = parts.iter().map(|p| p.bytes.len()).sum();
    let from = Instant::now();
    let packed: Vec<StatePart> = parts.into_iter().map(|p| StatePart::new(p.name, &p.bytes)).collect();
    let put = Put { parts: packed.len(), plain, encoded, packed: from.elapsed(), pieces: Vec::new(), bytes: 0 };
    (round, packed, put)
}

/// Puts a snapshot into a store.
pub fn put(db: &mut Db, mut engine: Engine, block: i64) {
    let (round, parts, _) = parts(&mut engine, block);
    let mut parts: VecDeque<StatePart> = parts.into();
    let id = db.begin_round(&round).unwrap();
    while !parts.is_empty() {
        db.put_parts(id, &mut parts).unwrap();
    }
    db.end_round(id).unwrap();
}

/// Has it kept by a keeper, which is watched.
pub fn keep(db: Db, mut engine: Engine, block: i64) -> (Put, Db) {
    let (round, parts, mut put) = parts(&mut engine, block);
    let (before, path) = (db.bytes().unwrap(), db.path().to_path_buf());
    let mut keeper = Keeper::new(Some(db), Box::new(NoLetters), Ended::default());
    let now = Now { clock: history::now(), uptime: Time(0) };
    let from = Instant::now();
    keeper.take(Keep::Round(round, parts), now);
    put.pieces.push(from.elapsed());
    loop {
        let from = Instant::now();
        let more = keeper.write_on();
        put.pieces.push(from.elapsed());
        if !more {
            break;
        }
    }
    put.bytes = keeper.any_db().unwrap().bytes().unwrap() - before;
    drop(keeper);
    (put, Db::open(&path).unwrap())
}

pub fn table(shown: &[(Duration, Put)]) {
    println!("\na snapshot, made beside the service from the last one and the log since\n");
    for title in
        ["parts", "MB", "MB packed", "rebuilt ms", "encoded ms", "packed ms", "pieces", "keeper ms", "longest ms"]
    {
        print!("{title:>12}");
    }
    println!("   (keeper: time of the thread that commits)");
    for (rebuilt, p) in shown {
        let keeper: Duration = p.pieces.iter().sum();
        let longest = p.pieces.iter().max().copied().unwrap_or_default();
        println!(
            "{:>12}{:>12.1}{:>12.1}{:>12.0}{:>12.0}{:>12.0}{:>12}{:>12.0}{:>12.1}",
            p.parts,
            p.plain as f64 / 1e6,
            p.bytes as f64 / 1e6,
            ms(*rebuilt),
            ms(p.encoded),
            ms(p.packed),
            p.pieces.len(),
            ms(keeper),
            ms(longest)
        );
    }
}
