//! `record`: streams into files that `replay` reads.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::output::{style_of, tell_error, tell_faults};
use super::{FAILED, FINE};
use crate::app::clock::SystemClock;
use crate::app::config::{self, SourceConfig};
use crate::app::files::CONFIG;
use crate::app::record::{self, Parts, Progress};
use crate::app::recorded;
use crate::base::fault::Fault;
use crate::base::figures::{count, seconds, short};
use crate::base::limits;
use crate::base::model::{SourceInfo, WireFormat};
use crate::base::time::Span;
use crate::collect::socket;
use crate::decode::raw::NETWORK;
use crate::store::{self, Problem, Recorder, Rotation};

/// Time between two log lines where standard error is no terminal.
const LOG_EVERY: u64 = 60;

/// Record streams into files that replay reads
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell record --out recordings/                       the sources of groundswell.yaml\n  \
                  groundswell record --url wss://jetstream2.us-east.bsky.network/subscribe --out recordings/ --for 10m\n  \
                  groundswell record --check recordings/                     are the files what the manifest says?\n  \
                  groundswell replay recordings/ --rules rules/              what would the rules have said?\n\n\
                  One frame a line exactly as received, in one .ndjson.zst a source and hour; manifest.json tells what \
                  each holds. A folder can be recorded into again; what a crash left behind is finished first. SIGINT \
                  and SIGTERM stop it in order."
)]
pub(super) struct Record {
    /// The config file that names the sources
    #[arg(short, long, default_value = CONFIG, value_name = "FILE")]
    config: PathBuf,
    /// A Jetstream to record instead of the config's sources
    #[arg(long, value_name = "WSS", conflicts_with = "config", value_parser = address)]
    url: Option<String>,
    /// The folder to record into
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    out: Option<PathBuf>,
    /// Stop after this time: 90s, 10m, 2h, 1d
    #[arg(long = "for", value_name = "TIME", value_parser = span)]
    time: Option<Span>,
    /// Stop after so many frames
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Begin a new file after this time
    #[arg(long, default_value = "1h", value_name = "TIME", value_parser = span)]
    rotate: Span,
    /// Begin a new file after so many compressed bytes; k, M and G are of 1024
    #[arg(long, default_value = "256M", value_name = "BYTES", value_parser = bytes)]
    rotate_bytes: u64,
    /// Record nothing: verify the checksums of a folder and count its frames
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "out", "time", "limit"])]
    check: Option<PathBuf>,
}

pub(super) fn address(text: &str) -> Result<String, String> {
    let scheme = text.starts_with("wss://") || text.starts_with("ws://");
    if scheme && socket::is_address(text) {
        return Ok(text.to_string());
    }
    Err("expected a URL that begins with wss:// or ws://".to_string())
}

pub(super) fn span(text: &str) -> Result<Span, String> {
    let span = seconds(text).map(|s| Span((s * 1e6) as i64));
    span.filter(|s| *s >= Span::seconds(1))
        .ok_or("expected a time of at least a second, like 90s, 10m or 2h".to_string())
}

fn bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (text.get(..text.len() - 1), 1 << 10),
        Some(b'M') => (text.get(..text.len() - 1), 1 << 20),
        Some(b'G') => (text.get(..text.len() - 1), 1 << 30),
        _ => (Some(text), 1),
    };
    let n = digits.and_then(|d| d.parse::<u64>().ok()).and_then(|n| n.checked_mul(unit));
    n.filter(|n| *n >= 1024).ok_or("expected at least 1024 bytes, like 500k or 256M".to_string())
}

impl Record {
    pub(super) fn run(&self) -> u8 {
        if let Some(dir) = &self.check {
            return check(dir);
        }
        let (Some(sources), Some(out)) = (self.sources(), &self.out) else { return FAILED };
        let recorder = match Recorder::new(out, Rotation { bytes: self.rotate_bytes, span: self.rotate }) {
            Ok(recorder) => recorder,
            Err(e) => {
                tell_error(e);
                return FAILED;
            }
        };
        log();
        for left in recorder.adopted() {
            let end = if left.torn { "its end is missing" } else { "it was whole" };
            tracing::warn!(file = left.file, frames = left.frames, "a file was left behind and is finished now: {end}");
        }
        let (started, progress) = (Instant::now(), Arc::new(Progress::default()));
        let parts = Parts { sources, recorder, clock: Arc::new(SystemClock), limit: self.limit };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime.and_then(|r| r.block_on(record_until(parts, progress.clone(), self.time)));
        clear_line();
        let written = progress.written();
        let took = Span(i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX));
        let code = match result {
            Ok(_) if progress.connects() == 0 => {
                tell_error(format!("expected a source that can be reached, found none in {took}"));
                FAILED
            }
            Ok(_) => FINE,
            Err(e) => {
                tell_error(e);
                FAILED
            }
        };
        let skipped = if written.skipped > 0 { format!(", {} left out", written.skipped) } else { String::new() };
        let (files, bytes, dir) = (count(written.files as usize, "file"), short(written.bytes as f64), out.display());
        let _ = writeln!(io::stderr(), "{} frames{skipped}, {bytes} bytes, {files}, {took}: {dir}", written.frames);
        code
    }

    /// What to record; mistakes are told.
    fn sources(&self) -> Option<Vec<SourceConfig>> {
        if let Some(url) = &self.url {
            let info = Arc::new(SourceInfo { name: NETWORK.into(), format: WireFormat::Jetstream });
            return Some(vec![SourceConfig::jetstream(info, url)]);
        }
        let loaded = config::load(&self.config).and_then(|(config, warnings)| match config.sources.len() {
            n if n > limits::RECORDED_SOURCES => {
                let most = limits::RECORDED_SOURCES;
                Err(vec![Fault::new(format!("expected at most {most} sources to record, found {n}"))])
            }
            _ => Ok((config.sources, warnings)),
        });
        match loaded {
            Ok((sources, warnings)) => {
                tell_faults(&warnings);
                Some(sources)
            }
            Err(faults) => {
                tell_faults(&faults);
                None
            }
        }
    }
}

/// Records until a signal, or the time is over, or the recording ends by itself.
async fn record_until(parts: Parts, progress: Arc<Progress>, time: Option<Span>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let cancel = CancellationToken::new();
    let sources = parts.sources.len();
    let recording = record::run(parts, progress.clone(), cancel.clone());
    let over = async {
        match time {
            Some(time) => tokio::time::sleep(time.as_std()).await,
            None => std::future::pending().await,
        }
    };
    let mut look = tokio::time::interval(Duration::from_secs(1));
    let (mut looks, mut last, mut stopping) = (0, 0, false);
    tokio::pin!(recording, over);
    loop {
        tokio::select! {
            done = &mut recording => return done.map(drop),
            () = &mut over, if !stopping => { stopping = true; cancel.cancel() }
            _ = interrupt.recv() => { stopping = true; cancel.cancel() }
            _ = terminate.recv() => { stopping = true; cancel.cancel() }
            _ = look.tick() => {
                let frames = progress.written().frames;
                show(&progress, sources, frames - last, looks);
                (looks, last) = (looks + 1, frames);
            }
        }
    }
}

/// One line that is written anew each second on a terminal, else a log line a minute.
fn show(progress: &Progress, sources: usize, rate: u64, looks: u64) {
    let (up, written) = (progress.up(), progress.written());
    let (frames, bytes) = (written.frames, short(written.bytes as f64));
    if io::stderr().is_terminal() {
        clear_line();
        let _ = write!(io::stderr(), "{up} of {sources} sources up, {frames} frames, {bytes} bytes, {rate} frames/s");
    } else if looks > 0 && looks.is_multiple_of(LOG_EVERY) {
        tracing::info!(up, sources, frames, bytes = written.bytes, "recording");
    }
}

fn clear_line() {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

/// Log lines to standard error, in place of the line that is shown there.
fn log() {
    let to = || {
        clear_line();
        io::stderr()
    };
    let colour = style_of(&io::stderr()).colour;
    tracing_subscriber::fmt().with_writer(to).with_ansi(colour).with_target(false).init();
}

/// Compares every file of a folder with its manifest and prints a table.
fn check(dir: &Path) -> u8 {
    let folder = match recorded::folder(dir) {
        Ok(Some(folder)) => folder,
        Ok(None) => {
            tell_error(format!("expected a folder of recordings, found {}", dir.display()));
            return FAILED;
        }
        Err(fault) => {
            tell_faults(&[fault]);
            return FAILED;
        }
    };
    let mut faults = Vec::new();
    let mut out = io::stdout().lock();
    let width = folder.manifest.files.iter().map(|f| f.file.chars().count()).max().unwrap_or(0).max(5);
    let _ = writeln!(out, "{:width$}  {:>12}  {:>14}  RESULT", "FILE", "FRAMES", "BYTES");
    let mut sum = (0, 0);
    for file in &folder.manifest.files {
        let problem = store::check_file(&folder.dir, file).err().or_else(|| {
            let problem = |what| Some(Problem { file: file.file.clone(), what });
            match store::contents(&folder.dir.join(&file.file)) {
                Err(e) => problem(format!("expected a file that can be read, found {e}")),
                Ok(found) => match found.torn {
                    Some(torn) => problem(format!("expected whole lines to the end, found {torn}")),
                    None if found.frames != file.frames => {
                        problem(format!("expected {} frames, found {}", file.frames, found.frames))
                    }
                    None => None,
                },
            }
        });
        let result = match (&problem, file.torn) {
            (Some(_), _) => "differs",
            (None, true) => "fine, torn",
            (None, false) => "fine",
        };
        let _ = writeln!(out, "{:width$}  {:>12}  {:>14}  {result}", file.file, file.frames, file.bytes);
        sum = (sum.0 + file.frames, sum.1 + file.bytes);
        faults.extend(problem.map(|p| folder.fault(p)));
    }
    let _ = writeln!(out, "{:width$}  {:>12}  {:>14}", "all", sum.0, sum.1);
    faults.extend(folder.strangers());
    tell_faults(&faults);
    if faults.iter().any(|f| !f.warning) { FAILED } else { FINE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_sizes() {
        assert_eq!((span("90s"), span("2h")), (Ok(Span::seconds(90)), Ok(Span::seconds(7200))));
        assert!([span(""), span("10"), span("0s"), span("-1h"), span("1y")].iter().all(Result::is_err));
        assert_eq!((bytes("256M"), bytes("2048"), bytes("1k")), (Ok(256 << 20), Ok(2048), Ok(1024)));
        assert!(
            ["", "M", "1.5M", "-1M", "10", "99999999999999999999", "99999999999999999G"]
                .iter()
                .all(|b| bytes(b).is_err())
        );
        assert!(address("wss://j.example/subscribe").is_ok());
        assert!(["http://j.example", "wss://", "j.example"].iter().all(|a| address(a).is_err()));
    }
}
