//! The live path on loopback, as tables: frames a second, receive to transition at fixed rates, and
//! reloads and scrapes under load; `cargo bench --bench live`, best on a machine with nothing else to do.
//! `cargo bench --bench live -- scrape` scrapes only. `LIVE_FRAMES`, `LIVE_SECONDS` (at each rate) and `LIVE_RELOAD_AFTER` (seconds) change the sizes;
//! `--test` or `--quick` makes them small.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "frames/mod.rs"]
mod frames;
#[path = "live/readers.rs"]
mod readers;
#[path = "live/scrape.rs"]
mod scrape;
#[path = "live/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frames::{Frames, Recipe};
use groundswell::app::front::FrontLine;
use groundswell::app::intake::{Fed, What};
use groundswell::app::service::Service;
use hdrhistogram::Histogram;
use readers::{BRANDS, CHANGES, Seen, counted, cpu, rules};
use server::{MARKER_BRANDS, Plan, Sent, Server, Wire, histogram};
use tokio::sync::oneshot;

static DICTIONARY: &[u8] = include_bytes!("../src/collect/jetstream.dict");

/// Frames a second at which latency is measured.
const RATES: [usize; 3] = [1000, 10_000, 50_000];
/// Frames a second under which rules are exchanged.
const RELOAD_RATE: usize = 50_000;
/// Seconds between two reloads.
const BETWEEN: usize = 4;
/// The first second of each schedule is not counted.
const WARM: Duration = Duration::from_secs(1);
const THREADS: [&str; 4] = ["io", "engine", "receiver", "server"];

struct Sizes {
    frames: usize,
    seconds: usize,
    reload_after: usize,
    runs: usize,
}

impl Sizes {
    fn new() -> Sizes {
        let small = std::env::args().any(|a| a == "--test" || a == "--quick");
        let or = |name: &str, usual: usize, few: usize| {
            let set = std::env::var(name).ok().and_then(|v| v.parse().ok());
            set.unwrap_or(if small { few } else { usual })
        };
        Sizes {
            frames: or("LIVE_FRAMES", 1_000_000, 20_000),
            seconds: or("LIVE_SECONDS", 10, 1),
            reload_after: or("LIVE_RELOAD_AFTER", 15, 1),
            runs: if small { 1 } else { 3 },
        }
    }

    fn reload_frames(&self) -> usize {
        (self.reload_after + 3 * BETWEEN) * RELOAD_RATE
    }
}

fn main() {
    let sizes = Sizes::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if std::env::args().any(|a| a == "scrape") {
        return runtime.block_on(scrape::scrapes(sizes.seconds));
    }
    let most = sizes.frames.max(sizes.reload_frames()).max((sizes.seconds + 1) * RATES[2]);
    let mut generated = Frames::new(Recipe { brands: BRANDS, ..Recipe::default() });
    let frame = |_| {
        let mut line = String::new();
        generated.frame(&mut line);
        line
    };
    let wire = Arc::new(Wire::text((0..most).map(frame)));
    println!("load before: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    runtime.block_on(async {
        throughput(&sizes, &wire).await;
        latency(&sizes, &wire).await;
        reload(&sizes, &wire).await;
        scrape::scrapes(sizes.seconds).await;
    });
}

/// What one run came to.
struct Run {
    sent: Sent,
    seen: Vec<(usize, Instant)>,
    /// From the first frame sent to the last marker seen.
    took: Duration,
    spent: BTreeMap<String, u64>,
}

impl Run {
    fn percent(&self, thread: &str) -> f64 {
        *self.spent.get(thread).unwrap_or(&0) as f64 / self.took.as_nanos() as f64 * 100.0
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Reader {
    Bare,
    Service { compress: bool },
}

/// Sends as planned to a reader; checks that it got everything.
async fn run(wire: &Arc<Wire>, plan: Plan, reader: Reader) -> Run {
    let server = Server::bind();
    let address = server.address();
    let (server, hold) = server.send(wire.clone(), plan);
    let before = cpu();
    let (seen, after) = match reader {
        Reader::Bare => {
            let seen = Arc::new(Seen::default());
            let n = readers::count(address, plan.frames, &seen).await;
            assert_eq!(n, plan.frames + 1, "frames read");
            (seen, cpu())
        }
        Reader::Service { compress } => {
            let (service, seen) = readers::service(address, rules(0), compress, plan.frames).await;
            seen.last(plan.rate.map_or(WARM, |r| Duration::from_secs_f64(plan.frames as f64 / r))).await;
            let after = cpu();
            all_counted(&service, plan.frames + 1).await;
            service.stop().await.unwrap();
            (seen, after)
        }
    };
    drop(hold);
    let (sent, seen) = (server.join().unwrap(), seen.all());
    let took = seen.last().unwrap().1 - sent.began;
    let spent = after.into_iter().map(|(name, n)| (name.clone(), n - before.get(&name).unwrap_or(&0))).collect();
    Run { sent, seen, took, spent }
}

/// The last batch is counted just after what it caused is told.
async fn all_counted(service: &Service, frames: usize) {
    let until = Instant::now() + Duration::from_secs(5);
    while counted(service) < frames && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(counted(service), frames, "frames counted by the service");
}

async fn throughput(sizes: &Sizes, wire: &Arc<Wire>) {
    let readers = [
        ("bare reader, text", Reader::Bare),
        ("service, text", Reader::Service { compress: false }),
        ("service, zstd", Reader::Service { compress: true }),
    ];
    let plan = Plan { frames: sizes.frames, rate: None, marker_every: usize::MAX, scattered: false };
    let mut took: [Vec<Run>; 3] = Default::default();
    for _ in 0..sizes.runs {
        for (at, (_, reader)) in readers.iter().enumerate() {
            let packed = (*reader == readers[2].1).then(|| Arc::new(wire.packed(plan.frames, DICTIONARY)));
            took[at].push(run(packed.as_ref().unwrap_or(wire), plan, *reader).await);
        }
    }
    println!("\nthroughput: {} frames, {} brands, median of {}\n", sizes.frames, BRANDS + MARKER_BRANDS, sizes.runs);
    print!("{:>20}{:>12}{:>10}", "", "frames/s", "ns/frame");
    THREADS.iter().for_each(|t| print!("{t:>10}"));
    println!("   (ns on a core a frame)");
    for ((name, _), runs) in readers.iter().zip(&mut took) {
        runs.sort_by_key(|r| r.took);
        let run = &runs[runs.len() / 2];
        let ns = run.took.as_nanos() as f64 / run.sent.frames as f64;
        print!("{name:>20}{:>12.0}{ns:>10.0}", 1e9 / ns);
        THREADS.iter().for_each(|t| print!("{:>10.0}", run.percent(t) * ns / 100.0));
        println!();
    }
}

/// Markers a second: as many as asked for, as long as the rules can hold their episodes apart.
fn markers(asked: usize, seconds: usize) -> usize {
    asked.min(MARKER_BRANDS * 240 / seconds).max(1)
}

/// How long after their moment markers were seen, from a moment on.
fn latencies(seen: &[(usize, Instant)], began: Instant, rate: usize, from: Duration, to: Duration) -> Histogram<u64> {
    let mut out = histogram();
    for (number, at) in seen {
        let moment = Duration::from_secs_f64(*number as f64 / rate as f64);
        if moment >= from && moment <= to {
            let late = at.saturating_duration_since(began + moment);
            out.saturating_record(late.as_micros() as u64);
        }
    }
    out
}

async fn latency(sizes: &Sizes, wire: &Arc<Wire>) {
    println!("\nreceive to transition in us from the moment a marker should have been sent, {} s each", sizes.seconds);
    println!("(bare reader: from there to the message; late: how late the server itself sent)\n");
    print!("{:>9}{:>14}{:>9}", "frames/s", "", "markers");
    ["p50", "p99", "p99.9", "max", "late p50", "late p99", "late max"].iter().for_each(|t| print!("{t:>9}"));
    THREADS.iter().for_each(|t| print!("{t:>10}"));
    println!("   (% of a core)");
    for rate in RATES {
        let seconds = sizes.seconds + 1;
        let marker_every = rate / markers(100, seconds);
        let plan = Plan { frames: rate * seconds, rate: Some(rate as f64), marker_every, scattered: false };
        for (name, reader) in [("bare reader", Reader::Bare), ("service", Reader::Service { compress: false })] {
            let run = run(wire, plan, reader).await;
            let expected = plan.frames.div_ceil(plan.marker_every) + 1;
            assert_eq!(run.seen.len(), expected, "markers seen");
            let h = latencies(&run.seen, run.sent.began, rate, WARM, Duration::MAX);
            print!("{rate:>9}{name:>14}{:>9}", h.len());
            [0.5, 0.99, 0.999, 1.0].iter().for_each(|q| print!("{:>9}", h.value_at_quantile(*q)));
            [0.5, 0.99, 1.0].iter().for_each(|q| print!("{:>9}", run.sent.late.value_at_quantile(*q)));
            THREADS.iter().for_each(|t| print!("{:>10.1}", run.percent(t)));
            println!();
        }
    }
}

/// A reload under load.
struct Exchanged {
    pause: Duration,
    kept: usize,
    asked: Instant,
    done: Instant,
}

/// Other rules, as a reload makes them.
async fn exchange(service: &Service, changes: usize) -> Exchanged {
    let (asked, kept) = (Instant::now(), service.status().engine_view().kept);
    let made = tokio::task::spawn_blocking(move || {
        let rules = rules(changes);
        let front = FrontLine::new(&rules, true);
        (rules, front)
    });
    let (rules, front) = made.await.unwrap();
    let (answer, pause) = oneshot::channel();
    let urgent = service.urgent().unwrap();
    assert!(urgent.send(Fed::now_of(What::Rules(rules, Box::new(front), answer))).await);
    let pause = pause.await.unwrap();
    Exchanged { pause, kept, asked, done: Instant::now() }
}

async fn reload(sizes: &Sizes, wire: &Arc<Wire>) {
    let seconds = sizes.reload_after + 3 * BETWEEN;
    let (rate, marker_every) = (RELOAD_RATE, RELOAD_RATE / markers(250, seconds));
    let plan = Plan { frames: sizes.reload_frames(), rate: Some(rate as f64), marker_every, scattered: false };
    let server = Server::bind();
    let address = server.address();
    let (server, hold) = server.send(wire.clone(), plan);
    let (service, seen) = readers::service(address, rules(0), false, plan.frames).await;
    tokio::time::sleep(Duration::from_secs(sizes.reload_after as u64)).await;
    let mut exchanged = Vec::new();
    for changes in 1..=CHANGES.len() {
        exchanged.push(exchange(&service, changes).await);
        tokio::time::sleep(Duration::from_secs(BETWEEN as u64 - 1)).await;
    }
    seen.last(Duration::from_secs(seconds as u64)).await;
    all_counted(&service, plan.frames + 1).await;
    service.stop().await.unwrap();
    drop(hold);
    let (sent, seen) = (server.join().unwrap(), seen.all());
    assert_eq!(seen.len(), plan.frames.div_ceil(marker_every) + 1, "markers seen");
    println!(
        "\nreload at {rate} frames/s, the first after {} s, {} markers/s\n",
        sizes.reload_after,
        rate / marker_every
    );
    println!(
        "{:>30}{:>10}{:>11}{:>13}{:>13}{:>16}",
        "", "pause ms", "posts kept", "ready in ms", "worst ms", "worst before ms"
    );
    for (change, e) in CHANGES.iter().zip(&exchanged) {
        let ms = |d: Duration| d.as_secs_f64() * 1e3;
        let (asked, done) = (e.asked - sent.began, e.done - sent.began);
        let worst = |from, to| latencies(&seen, sent.began, rate, from, to).max() as f64 / 1e3;
        println!(
            "{change:>30}{:>10.2}{:>11}{:>13.1}{:>13.2}{:>16.2}",
            ms(e.pause),
            e.kept,
            ms(e.done - e.asked),
            worst(asked.saturating_sub(Duration::from_millis(5)), done + Duration::from_millis(500)),
            worst(asked.saturating_sub(Duration::from_secs(1)), asked.saturating_sub(Duration::from_millis(5))),
        );
    }
    println!("\n{} frames sent, as many counted", sent.frames);
}
