//! The durable store, as tables: a start from it, what keeping costs, receive to outbox at 20,000
//! frames a second, snapshots; `cargo bench --bench store`, best on a machine with nothing else to do.
//! `STORE_FOLDER` says on which disk, `STORE_ENTRIES` and `STORE_SECONDS` change the sizes; `--test`
//! or `--quick` makes them small.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "store/commits.rs"]
mod commits;
#[path = "store/disk.rs"]
mod disk;
#[path = "frames/mod.rs"]
mod frames;
#[path = "store/history.rs"]
mod history;
#[path = "live/readers.rs"]
#[allow(dead_code)]
mod readers;
#[path = "store/restore.rs"]
mod restore;
#[path = "live/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "store/snapshots.rs"]
mod snapshots;
#[path = "store/whole.rs"]
mod whole;

use std::path::PathBuf;
use std::time::Duration;

/// How much is done.
pub struct Sizes {
    /// Entries of the log that is started from.
    entries: u64,
    /// Entries of it after the snapshot, in the usual worst case.
    after: u64,
    /// Seconds of each measurement with a rate.
    seconds: usize,
    /// Starts of each kind.
    runs: usize,
    /// Services during whose snapshot latency is measured.
    services: usize,
    /// Writes by which the disk is measured.
    probes: usize,
}

impl Sizes {
    fn new() -> Sizes {
        let small = std::env::args().any(|a| a == "--test" || a == "--quick");
        let or = |name: &str, usual: u64, few: u64| {
            let set = std::env::var(name).ok().and_then(|v| v.parse().ok());
            set.unwrap_or(if small { few } else { usual })
        };
        let entries = or("STORE_ENTRIES", 1_000_000, 20_000);
        Sizes {
            entries,
            after: (entries / 4).min(groundswell::base::limits::ROUND_ENTRIES),
            seconds: or("STORE_SECONDS", 60, 2) as usize,
            runs: if small { 1 } else { 3 },
            services: if small { 0 } else { 3 },
            probes: if small { 50 } else { 500 },
        }
    }
}

fn main() {
    let sizes = Sizes::new();
    let only = std::env::var("STORE_ONLY").unwrap_or_default();
    let wanted = |name: &str| only.is_empty() || only.contains(name);
    let beneath = std::env::var("STORE_FOLDER").map_or_else(|_| std::env::temp_dir(), PathBuf::from);
    let folder = tempfile::tempdir_in(&beneath).unwrap();
    println!("load before: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("disk: {}, {}", beneath.display(), disk::kind(&beneath));
    disk::show(&disk::probe(folder.path(), sizes.probes));
    if wanted("restore") {
        restore::tables(&sizes, folder.path());
    }
    if wanted("commits") {
        commits::table(&sizes, folder.path());
    }
    if wanted("whole") {
        whole::tables(&sizes, folder.path());
    }
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}

/// A quantile of times.
fn quantile(times: &[Duration], q: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = (sorted.len() as f64 * q).ceil() as usize;
    sorted.get(at.clamp(1, sorted.len().max(1)) - 1).copied().unwrap_or_default()
}
