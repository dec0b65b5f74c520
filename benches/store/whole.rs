//! The whole service at 20,000 frames a second, receive to outbox: without a store, with one, and
//! while a snapshot is made beside it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use groundswell::app::archived::folded;
use groundswell::app::clock::SystemClock;
use groundswell::app::config::{Config, StoreConfig};
use groundswell::app::keeper::{Delivery, Ended, Tell};
use groundswell::app::service::{Parts, Service};
use groundswell::base::limits;
use groundswell::base::metric::{self, Stage};
use groundswell::base::model::{Entry, EntryBody, Message};
use groundswell::notify::{Policy, Sending, feed};
use groundswell::store::archive::{Archive, archive_path};
use groundswell::store::db::{Db, LedgerRow};

use super::disk::{self, Probe};
use super::frames::{Frames, Recipe};
use super::readers::{self, BRANDS, Seen};
use super::server::{Plan, Server, Wire, number_of};
use super::{Sizes, history, ms, quantile};

/// Frames a second.
const RATE: usize = 20_000;
/// Frames for each marker: four a second, few enough for groups to be committed between them.
const MARKER_EVERY: usize = RATE / 4;
/// While a snapshot is made, which does not take long.
const MARKER_OFTEN: usize = RATE / 20;
/// Seconds that a service runs around a snapshot.
const AROUND: usize = 25;
/// What comes first is not counted.
const WARM: Duration = Duration::from_secs(1);
/// What a service misses between the past of its store and its start is over by then.
const SETTLED: Duration = Duration::from_secs(2);
const THREADS: [&str; 6] = ["io", "engine", "keeper", "housekeeping", "receiver", "server"];

/// Writes one letter for every message.
pub struct OneReceiver;

impl Tell for OneReceiver {
    fn policy(&self) -> Arc<Policy> {
        Arc::new(Policy::feeds(&["bench"]))
    }

    fn render(&mut self, sending: &Sending, unrecorded: Option<&str>) -> Option<Vec<u8>> {
        feed(&sending.content, &sending.key, unrecorded).map(String::into_bytes)
    }
}

/// What was told has arrived.
pub fn delivered(d: &Delivery, ended: &Ended) {
    for (_, letter) in &d.letters {
        let (at, episode, key, incident) = (history::now(), letter.episode, letter.key.clone(), None);
        let receiver = Some(letter.receiver.clone());
        ended.add(LedgerRow { at, episode, incident, key, what: "delivered".into(), receiver, detail: None });
    }
}

/// Moments of markers, by their numbers.
type Moments = Vec<(usize, Instant)>;

struct Run {
    began: Instant,
    /// When the engine had taken each marker.
    taken: Moments,
    /// When each was told, after it was committed.
    told: Moments,
    /// When the snapshot that was begun with the service was in the store.
    snapshot: Option<Instant>,
    took: Duration,
    spent: BTreeMap<String, u64>,
    commits: f64,
    /// The longest any batch waited for the engine and was in it, in the last minute.
    longest: Duration,
    /// The same up to where it was committed, p99.
    committed: Duration,
}

pub fn tables(sizes: &Sizes, folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seconds = sizes.seconds.max(if sizes.services > 0 { AROUND } else { 0 });
    let mut generated = Frames::new(Recipe { seed: 3, brands: BRANDS, ..Recipe::default() });
    let frame = |_| {
        let mut line = String::new();
        generated.frame(&mut line);
        line
    };
    let wire = Arc::new(Wire::text((0..seconds * RATE).map(frame)));
    let past = folder.join("past.db");
    if sizes.services > 0 {
        prepare(&past);
    }
    let calm =
        Plan { frames: sizes.seconds * RATE, rate: Some(RATE as f64), marker_every: MARKER_EVERY, scattered: true };
    let before = disk::probe(folder, sizes.probes);
    let without = runtime.block_on(run(&wire, calm, None));
    let with = runtime.block_on(run(&wire, calm, Some(&folder.join("whole.db"))));
    let around = Plan { frames: AROUND * RATE, marker_every: MARKER_OFTEN, ..calm };
    let snapshots: Vec<Run> = (0..sizes.services)
        .map(|n| {
            let path = folder.join(format!("past{n}.db"));
            std::fs::copy(&past, &path).unwrap();
            std::fs::copy(archive_path(&past), archive_path(&path)).unwrap();
            runtime.block_on(run(&wire, around, Some(&path)))
        })
        .collect();
    let after = disk::probe(folder, sizes.probes);
    println!("\nreceive to outbox at {RATE} frames/s, ms from the moment a marker should have been sent\n");
    let probe =
        Probe { growing: [before.growing, after.growing].concat(), within: [before.within, after.within].concat() };
    disk::show(&probe);
    show(&without, &with, &snapshots, &probe);
}

/// A store whose log has come to where a snapshot is due; what it holds is in the archive already.
fn prepare(path: &Path) {
    history::build(path, &readers::rules(0), limits::ROUND_ENTRIES);
    let db = Db::open(path).unwrap();
    let mut archive = Archive::open(&archive_path(path)).unwrap();
    let mut block = 0;
    loop {
        let blocks = db.blocks_after(block, 4096).unwrap();
        let Some(last) = blocks.last() else { return };
        block = last.id;
        let entries: Vec<Entry> = blocks.into_iter().flat_map(|b| b.steps.unwrap()).flat_map(|s| s.entries).collect();
        archive.take(&entries, &folded).unwrap();
    }
}

fn marker(e: &Entry) -> Option<usize> {
    match &e.body {
        EntryBody::Mention(t) => number_of(&t.body.author),
        _ => None,
    }
}

async fn run(wire: &Arc<Wire>, plan: Plan, store: Option<&Path>) -> Run {
    let server = Server::bind();
    let config = readers::config(server.address(), false);
    let config = Config { store: store.map(|p| StoreConfig::new(p.to_path_buf())), ..config };
    let (seen, taken, ended) = (Arc::new(Seen::default()), Arc::new(Mutex::new(Moments::new())), Ended::default());
    let mut parts = Parts::new(config, readers::rules(0), Arc::new(SystemClock)).unwrap();
    (parts.tell, parts.ended) = (Box::new(OneReceiver), ended.clone());
    let noting = taken.clone();
    parts.tap = Some(Box::new(move |entries| {
        let now = Instant::now();
        noting.lock().unwrap().extend(entries.iter().filter_map(marker).map(|n| (n, now)));
    }));
    let noting = seen.clone();
    let receive = move |delivery: Option<Delivery>| {
        let Some(d) = delivery else { return Ok(()) };
        if let Some(Message::Episode(notice)) = &d.message
            && let Some(number) = readers::fired(notice)
        {
            noting.note(number, plan.frames);
        }
        delivered(&d, &ended);
        Ok(())
    };
    let service = Service::start(parts, receive).await.unwrap();
    let (server, hold) = server.send(wire.clone(), plan);
    let (before, started) = (readers::cpu(), Instant::now());
    let done = Arc::new(AtomicBool::new(false));
    let watch = store.map(|p| watch(p.to_path_buf(), done.clone()));
    seen.last(Duration::from_secs_f64(plan.frames as f64 / RATE as f64)).await;
    let (took, after) = (started.elapsed(), readers::cpu());
    done.store(true, Ordering::Release);
    let metrics = &service.status().metrics;
    let commits = metrics.get(&metric::COMMITS, &[]).unwrap_or(0.0);
    let longest = Duration::from_secs_f64(metrics.quantile(Stage::ReceiveToTransition, 1.0));
    let committed = Duration::from_secs_f64(metrics.quantile(Stage::ReceiveToOutbox, 0.99));
    assert!(service.status().unrecorded().is_none());
    service.stop().await.unwrap();
    drop(hold);
    let snapshot = watch.and_then(|w| w.join().unwrap());
    let began = server.join().unwrap().began;
    let spent = after.into_iter().map(|(name, n)| (name.clone(), n - before.get(&name).unwrap_or(&0))).collect();
    let (taken, told) = (std::mem::take(&mut *taken.lock().unwrap()), seen.all());
    Run { began, taken, told, snapshot, took, spent, commits, longest, committed }
}

/// When a snapshot was in the store.
fn watch(path: std::path::PathBuf, done: Arc<AtomicBool>) -> std::thread::JoinHandle<Option<Instant>> {
    let look = move || {
        let db = Db::read_only(&path).unwrap();
        while !done.load(Ordering::Acquire) {
            if !db.rounds().unwrap().is_empty() {
                return Some(Instant::now());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    };
    std::thread::spawn(look)
}

/// When a frame should have been sent.
fn moment(run: &Run, frame: usize) -> Instant {
    run.began + Duration::from_secs_f64(frame as f64 / RATE as f64)
}

/// How long after their moment markers were seen that had it between two moments.
fn late(run: &Run, seen: &Moments, from: Instant, to: Instant) -> Vec<Duration> {
    let counted = seen.iter().map(|(n, at)| (moment(run, *n), *at)).filter(|(m, _)| *m >= from && *m <= to);
    counted.map(|(m, at)| at.saturating_duration_since(m)).collect()
}

fn show(without: &Run, with: &Run, snapshots: &[Run], probe: &Probe) {
    println!();
    print!("{:>30}{:>9}", "", "markers");
    ["taken p50", "p99", "max", "told p50", "p99", "max", "over disk"].iter().for_each(|t| print!("{t:>10}"));
    print!("{:>12}{:>11}", "commits/s", "longest");
    THREADS.iter().for_each(|t| print!("{t:>13}"));
    println!("   (% of a core)");
    let whole = |r: &Run| (r.began + WARM, r.began + r.took);
    line("no store", &[without], whole, None);
    line("store", &[with], whole, Some(probe));
    let mut all: Vec<&Run> = snapshots.iter().collect();
    if !all.is_empty() {
        all.retain(|r| r.snapshot.is_some());
        println!("{:>30}{:>9} of {}", "services with a snapshot", all.len(), snapshots.len());
        line("while a snapshot is made", &all, |r| (r.began + SETTLED, r.snapshot.unwrap()), Some(probe));
        line("after it", &all, |r| (r.snapshot.unwrap(), r.began + r.took), Some(probe));
        let times: Vec<f64> = all.iter().map(|r| ms(r.snapshot.unwrap() - r.began)).collect();
        println!("\nsnapshots were in the store {times:.0?} ms after the first frame");
        for r in &all {
            let worst = r.taken.iter().map(|(n, at)| (at.saturating_duration_since(moment(r, *n)), *n)).max();
            let (late, n) = worst.unwrap_or_default();
            println!("latest taken: {:.1} ms, the marker of {:.0} ms", ms(late), ms(moment(r, n) - r.began));
        }
    }
    println!(
        "\ntaken: by the engine; told: after it was committed; over disk: told p99 less taken p99 and the disk's p99;"
    );
    println!("longest: any batch of frames from its receipt through the engine, in the last minute;");
    println!("receive to committed by the service's own count, p99: {:.2} ms", ms(with.committed));
}

fn line(name: &str, runs: &[&Run], between: impl Fn(&Run) -> (Instant, Instant), probe: Option<&Probe>) {
    let of = |seen: fn(&Run) -> &Moments| -> Vec<Duration> {
        let each = runs.iter().flat_map(|r| {
            let (from, to) = between(r);
            late(r, seen(r), from, to)
        });
        each.collect()
    };
    let (taken, told) = (of(|r| &r.taken), of(|r| &r.told));
    print!("{name:>30}{:>9}", told.len());
    for times in [&taken, &told] {
        [0.5, 0.99, 1.0].iter().for_each(|q| print!("{:>10.2}", ms(quantile(times, *q))));
    }
    let disk = |p: &Probe| ms(quantile(&told, 0.99)) - ms(quantile(&taken, 0.99)) - ms(quantile(&p.growing, 0.99));
    print!("{:>10}", probe.map_or("-".to_string(), |p| format!("{:.2}", disk(p))));
    let took: f64 = runs.iter().map(|r| r.took.as_secs_f64()).sum();
    let longest = runs.iter().map(|r| r.longest).max().unwrap_or_default();
    print!("{:>12.1}{:>11.2}", runs.iter().map(|r| r.commits).sum::<f64>() / took, ms(longest));
    for thread in THREADS {
        let spent: u64 = runs.iter().map(|r| r.spent.get(thread).unwrap_or(&0)).sum();
        print!("{:>13.1}", spent as f64 / 1e9 / took * 100.0);
    }
    println!();
}
