//! How long the disk itself takes until 4 KiB are on it.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::{ms, quantile};

/// Times of writes of 4 KiB with fdatasync.
#[derive(Default, Clone)]
pub struct Probe {
    /// Each at the end of a file that grows.
    pub growing: Vec<Duration>,
    /// Each in a file that has its size.
    pub within: Vec<Duration>,
}

/// So many writes of both kinds.
pub fn probe(folder: &Path, writes: usize) -> Probe {
    let path = folder.join("probe");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
    let growing = (0..writes).map(|n| write(&mut file, n)).collect();
    let within = (0..writes).map(|n| write(&mut file, n)).collect();
    std::fs::remove_file(path).unwrap();
    Probe { growing, within }
}

fn write(file: &mut File, n: usize) -> Duration {
    let piece = [n as u8; 4096];
    let from = Instant::now();
    file.seek(SeekFrom::Start(n as u64 * 4096)).unwrap();
    file.write_all(&piece).unwrap();
    file.sync_data().unwrap();
    from.elapsed()
}

/// Shows what the disk takes.
pub fn show(p: &Probe) {
    for (name, times) in [("at the end", &p.growing), ("within", &p.within)] {
        print!("4 KiB and fdatasync, {name}:");
        [("p50", 0.5), ("p99", 0.99), ("max", 1.0)]
            .iter()
            .for_each(|(name, q)| print!(" {name} {:.2} ms", ms(quantile(times, *q))));
        println!(" ({} writes)", times.len());
    }
}

/// The kind of file system a folder is on.
pub fn kind(folder: &Path) -> String {
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
    let real = folder.canonicalize().unwrap_or_default();
    let found = mounts.lines().filter_map(|l| {
        let mut words = l.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        real.starts_with(at).then(|| (at.len(), kind.to_string()))
    });
    found.max().map_or("unknown".to_string(), |(_, kind)| kind)
}
