//! What keeping costs: the steps of a stream, committed every quarter of a second of it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell::app::keeper::{Ended, Keep, Keeper, Now, Stepped};
use groundswell::base::rule::RuleSet;
use groundswell::base::time::Time;
use groundswell::store::db::Db;

use super::frames::Recipe;
use super::history::{self, Stream};
use super::readers::{self, BRANDS};
use super::whole::OneReceiver;
use super::{Sizes, ms, quantile};

const RATES: [usize; 3] = [1000, 10_000, 20_000];
/// Steps a second: as often as a socket is read, about.
const STEPS: usize = 100;

/// Nanoseconds this thread was on a core.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// Bytes this process has sent to disks.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|l| l.strip_prefix("write_bytes: "));
    line.and_then(|n| n.parse().ok()).unwrap_or(0)
}

pub fn table(sizes: &Sizes, folder: &Path) {
    println!(
        "\nkeeping, {} s of stream at each rate, committed every 250 ms of it and at every message\n",
        sizes.seconds
    );
    for title in [
        "frames/s",
        "entries/s",
        "commits/s",
        "us/entry",
        "us/commit",
        "p50 ms",
        "p99 ms",
        "max ms",
        "B/entry",
        "B written",
    ] {
        print!("{title:>11}");
    }
    println!("   (us: of the thread that commits, on a core; ms: until it is on disk)");
    let rules = readers::rules(0);
    for rate in RATES {
        row(sizes, &folder.join(format!("commits{rate}.db")), &rules, rate);
    }
}

fn row(sizes: &Sizes, path: &Path, rules: &Arc<RuleSet>, rate: usize) {
    let from = Time(history::now().0 - 3_600_000_000);
    let recipe = Recipe { seed: 2, brands: BRANDS, per_second: rate as u64, ..Recipe::default() };
    let mut stream = Stream::new(rules, recipe, from);
    let ended = Ended::default();
    let mut keeper = Keeper::new(Some(Db::open(path).unwrap()), Box::new(OneReceiver), ended.clone());
    let beside = Db::beside(path).unwrap();
    let at = |t: Time| Now { clock: t, uptime: Time(t.0 - from.0) };
    keeper.take(Keep::Rules(rules.clone()), at(from));
    let first = stream.engine.settle();
    keeper.take(Keep::Step(Box::new(stream.stepped(first, true))), at(from));
    // what is told once, and an hour's worth of first times, are no steady state
    let warm: Vec<(Time, Stepped)> = steps(&mut stream, rate, 5);
    run(&mut keeper, &beside, warm, from, &ended);
    let steps = steps(&mut stream, rate, sizes.seconds);
    beside.checkpoint().unwrap();
    let entries: usize = steps.iter().map(|(_, s)| s.step.entries.len()).sum();
    let (size, sent) = (beside.bytes().unwrap(), written());
    let (on_core, commits) = run(&mut keeper, &beside, steps, from, &ended);
    beside.checkpoint().unwrap();
    let (size, sent) = (beside.bytes().unwrap() - size, written() - sent);
    let (n, seconds) = (entries as f64, sizes.seconds as f64);
    print!("{rate:>11}{:>11.0}{:>11.1}", n / seconds, commits.len() as f64 / seconds);
    print!("{:>11.1}{:>11.0}", on_core / 1e3 / n, on_core / 1e3 / commits.len() as f64);
    [0.5, 0.99, 1.0].iter().for_each(|q| print!("{:>11.2}", ms(quantile(&commits, *q))));
    println!("{:>11.0}{:>11.0}", size as f64 / n, sent as f64 / n);
}

fn steps(stream: &mut Stream, rate: usize, seconds: usize) -> Vec<(Time, Stepped)> {
    let step = |_| {
        let output = stream.next(rate / STEPS);
        (stream.at, stream.stepped(output, true))
    };
    (0..seconds * STEPS).map(step).collect()
}

/// Nanoseconds on a core, and how long each commit took.
fn run(
    keeper: &mut Keeper,
    beside: &Db,
    steps: Vec<(Time, Stepped)>,
    from: Time,
    ended: &Ended,
) -> (f64, Vec<Duration>) {
    let (mut on_core, mut commits) = (0, Vec::new());
    let (mut moved, mut before) = (from, cpu());
    for (time, step) in steps {
        let now = Now { clock: time, uptime: Time(time.0 - from.0) };
        keeper.take(Keep::Step(Box::new(step)), now);
        keeper.hear(now);
        if keeper.due().is_some_and(|due| due <= now.uptime) {
            let began = Instant::now();
            let deliveries = keeper.commit(now);
            commits.push(began.elapsed());
            deliveries.iter().for_each(|d| super::whole::delivered(d, ended));
        }
        if time.0 - moved.0 > 1_000_000 {
            // another thread's work
            on_core += cpu() - before;
            beside.checkpoint().unwrap();
            (moved, before) = (time, cpu());
        }
    }
    assert!(keeper.trouble().is_none());
    on_core += cpu() - before;
    (on_core as f64, commits)
}
