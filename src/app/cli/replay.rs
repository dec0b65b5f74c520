//! `replay`: recordings through the engine, on their own clock, at full speed.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::{FAILED, FINE};
use crate::app::engine::{Engine, Input, Output};
use crate::app::files::load_rules;
use crate::app::pipeline::Pipeline;
use crate::app::recorded;
use crate::base::fault::Fault;
use crate::base::model::{Message, SourceInfo, SourceState, WireFormat};
use crate::base::outcome::{Outcome, Outcomes};
use crate::base::rule::RuleSet;
use crate::collect::recording::{self, Lines, Recordings};
use crate::decode::peek_time;
use crate::enroll::ClockMode;
use crate::notify::{Form, Stdout, Surroundings};

/// Play recordings through the rules, on their own clock, at full speed
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell replay day.ndjson.zst --rules rules/\n  \
                        groundswell replay a.ndjson b.ndjson.gz --rules brands.yaml --rules rules/ --json\n  \
                        zcat posts.gz | groundswell replay - --format post --rules rules/\n  \
                        groundswell replay recordings/ --rules rules/     what `record` wrote, checksums verified\n\n\
                        Several inputs are put in the order of their times. Transitions go to standard output; \
                        a summary goes to standard error.")]
pub(super) struct Replay {
    /// Recordings, one frame a line; plain, .gz or .zst; folders with a manifest; - for standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// Rule file or folder; may be given several times
    #[arg(long, required = true, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// Format of the recordings; told by the first line if not given
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// CPUs to use
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
    /// Write every transition as a line of JSON
    #[arg(long)]
    json: bool,
    /// Play folders that are not as their manifest says, and only warn
    #[arg(long)]
    unchecked: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum FormatArg {
    /// Bluesky Jetstream, protocol v1
    Jetstream,
    /// The generic post format
    Post,
}

/// What was played so far.
#[derive(Default)]
struct Tally {
    outcomes: Outcomes,
    transitions: u64,
}

impl Replay {
    pub(super) fn run(&self) -> u8 {
        let rules = match load_rules(&self.rules) {
            Ok((rules, warnings)) => {
                tell_faults(&warnings);
                Arc::new(rules)
            }
            Err(faults) => {
                tell_faults(&faults);
                return FAILED;
            }
        };
        let (mut inputs, mut faults) = (Vec::new(), Vec::new());
        for path in &self.inputs {
            open(path, self.format, self.unchecked, &mut inputs, &mut faults);
        }
        tell_faults(&faults);
        if faults.iter().any(|f| !f.warning) {
            return FAILED;
        }
        match self.play(rules, Recordings::new(inputs, |s, b| peek_time(&s.format, b))) {
            Ok(code) => code,
            Err(e) if is_closed(&e) => FINE,
            Err(e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
        }
    }

    fn play(&self, rules: Arc<RuleSet>, mut recordings: Recordings) -> io::Result<u8> {
        let stdout = io::stdout();
        let form = if self.json { Form::Json } else { Form::Text(style_of(&stdout)) };
        let mut receiver = Stdout::new(BufWriter::new(stdout.lock()), form, Surroundings::default());
        let engine = Engine::new(rules, ClockMode::Recording, 1);
        let mut pipeline = Pipeline::new(engine, usize::from(self.threads) - 1);
        let (started, mut tally, mut progress) = (Instant::now(), Tally::default(), Progress::new());
        let mut outputs = Vec::new();
        while let Some(batch) = recordings.next_batch() {
            pipeline.feed(batch, &mut outputs);
            tally.take(&pipeline.engine, &mut receiver, &mut outputs)?;
            progress.show(&tally, started);
        }
        for name in std::mem::take(&mut recordings.ended) {
            pipeline.tell(Input::Source(name, SourceState::End), &mut outputs);
        }
        pipeline.finish(&mut outputs);
        tally.take(&pipeline.engine, &mut receiver, &mut outputs)?;
        receiver.flush()?;
        progress.clear();
        let mut unread = tell_failures(&recordings.failures);
        let senseless = tally.outcomes.sum() > 0 && tally.outcomes.get(Outcome::Malformed) == tally.outcomes.sum();
        if senseless {
            tell_error(
                "expected lines of the Jetstream or the generic post format, found none; --format says which it is",
            );
        }
        unread |= senseless;
        tally.summary(started);
        Ok(if unread { FAILED } else { FINE })
    }
}

/// Opens what a path means: a folder's recordings, or one.
pub(super) fn open(
    path: &str,
    format: Option<FormatArg>,
    unchecked: bool,
    inputs: &mut Vec<(Arc<SourceInfo>, Lines)>,
    faults: &mut Vec<Fault>,
) {
    match recorded::folder(Path::new(path)) {
        Err(fault) => faults.push(fault),
        Ok(Some(folder)) => {
            let found = folder.check().into_iter().map(|f| if unchecked { f.warn() } else { f });
            faults.extend(found);
            inputs.extend(folder.inputs());
        }
        Ok(None) => match open_file(path, format) {
            Ok(input) => inputs.push(input),
            Err(e) => faults.push(Fault::new(format!("expected a recording that can be read, found {path}: {e}"))),
        },
    }
}

fn open_file(path: &str, format: Option<FormatArg>) -> io::Result<(Arc<SourceInfo>, Lines)> {
    let mut lines = recording::open(path)?;
    let format = match format {
        Some(FormatArg::Jetstream) => WireFormat::Jetstream,
        Some(FormatArg::Post) => WireFormat::Post,
        None => recording::guess(&lines.first_lines()),
    };
    Ok((Arc::new(SourceInfo { name: path.into(), format }), lines))
}

/// Tells what could not be read to its end; whether that is a failure. Of a file that is not
/// finished nothing else is expected.
pub(super) fn tell_failures(failures: &[(Arc<str>, io::Error)]) -> bool {
    let unfinished = |name: &str| Path::new(name).extension().is_some_and(|e| e == "part");
    for (name, e) in failures {
        let what = format!("expected {name} to its end, found {e}; lines before were played");
        let fault = Fault::new(what);
        tell_faults(&[if unfinished(name) { fault.warn() } else { fault }]);
    }
    failures.iter().any(|(name, _)| !unfinished(name))
}

impl Tally {
    fn take(
        &mut self,
        engine: &Engine,
        receiver: &mut Stdout<impl Write>,
        outputs: &mut Vec<Output>,
    ) -> io::Result<()> {
        for output in outputs.drain(..) {
            output.outcomes.values().for_each(|o| self.outcomes.merge(o));
            self.transitions += output.transitions.len() as u64;
            for transition in output.transitions {
                receiver.tell(&Message::Episode(engine.notice(transition)))?;
            }
        }
        Ok(())
    }

    fn mentions(&self) -> u64 {
        self.outcomes.get(Outcome::Mention) + self.outcomes.get(Outcome::Share)
    }

    fn summary(&self, started: Instant) {
        let seconds = started.elapsed().as_secs_f64();
        let frames = self.outcomes.sum();
        let outcomes: Vec<String> = self.outcomes.iter().map(|(o, n)| format!("{} {n}", o.name())).collect();
        let mut err = io::stderr().lock();
        let _ = writeln!(err, "outcomes: {}", outcomes.join(", "));
        let rate = frames as f64 / seconds.max(1e-9);
        let _ = writeln!(
            err,
            "{frames} frames, {} mentions, {} transitions, {seconds:.3} seconds, {rate:.0} frames/s",
            self.mentions(),
            self.transitions
        );
    }
}

/// Progress on a terminal, once a second at most.
struct Progress {
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    fn new() -> Progress {
        let next = io::stderr().is_terminal().then(|| Instant::now() + Duration::from_secs(1));
        Progress { next, shown: false }
    }

    fn show(&mut self, tally: &Tally, started: Instant) {
        let Some(next) = self.next else { return };
        let now = Instant::now();
        if now < next {
            return;
        }
        let rate = tally.outcomes.sum() as f64 / started.elapsed().as_secs_f64();
        let frames = tally.outcomes.sum();
        let _ = write!(io::stderr(), "\r\x1b[K{frames} frames, {} mentions, {rate:.0} frames/s", tally.mentions());
        self.next = Some(now + Duration::from_secs(1));
        self.shown = true;
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
