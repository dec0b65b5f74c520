//! Recordings as sources of the service: what they tell, from any place, in time or not at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::config::{Config, RecordingConfig, SourceConfig, SourceKind};
use groundswell::app::engine::{Engine, Input};
use groundswell::app::fair::Next;
use groundswell::app::intake::{Fed, Intake, What, intake};
use groundswell::app::sources::Sources;
use groundswell::app::status::Status;
use groundswell::base::model::{Message, Position, SourceInfo, SourceState, WireFormat};
use groundswell::base::time::{Span, Time};
use groundswell::collect::connection::Patience;
use groundswell::collect::playback::Mark;
use groundswell::enroll::ClockMode;

use crate::live::{HASTE, Live, config, rules_of};
use crate::program::{Program, eventually};
use crate::recording::{RULES, frame, played, record_frames};

const FRAMES: u64 = 1200;

/// Frames with a bad time, lines of no format and a gap among them.
fn lines(frames: u64) -> Vec<String> {
    let line = |k: u64| match k {
        100 => frame(10_000_000_000),
        101 => "junk".to_string(),
        k if k > 900 => frame(k + 400_000),
        k => frame(k),
    };
    (0..frames).map(line).collect()
}

fn write(path: &Path, lines: &[String]) {
    fs::write(path, lines.iter().map(|l| format!("{l}\n")).collect::<String>()).unwrap();
}

fn source(path: &Path, speed: Option<f64>) -> SourceConfig {
    let info = Arc::new(SourceInfo { name: "day".into(), format: WireFormat::Jetstream });
    SourceConfig { info, kind: SourceKind::Recording(RecordingConfig { path: path.to_path_buf(), speed }) }
}

/// Sources that play a recording into a queue, started after a position.
struct Run {
    config: Config,
    queue: Arc<Intake>,
    status: Arc<Status>,
    sources: Sources,
    _urgent: Arc<groundswell::app::intake::Lane>,
}

impl Run {
    async fn start(source: SourceConfig, from: Option<Position>) -> Run {
        let config = config(vec![source]);
        let (queue, urgent) = intake();
        let urgent = Arc::new(urgent);
        let status = Arc::new(Status::new(Arc::new(SystemClock), Arc::new(config.clone())).unwrap());
        let mut sources = Sources::new(queue.clone(), urgent.clone(), status.clone(), HASTE);
        sources.start_from(from.into_iter().map(|p| ("day".into(), p)).collect());
        sources.set(&config.sources).await.unwrap();
        Run { config, queue, status, sources, _urgent: urgent }
    }

    /// The next input; `None` if none comes for a while.
    async fn next(&self, patience: Duration) -> Option<Input> {
        let began = Instant::now();
        while began.elapsed() < patience {
            match self.queue.next(Some(Duration::ZERO)) {
                Next::Item(Fed { what: What::Input(input), .. }) => return Some(input),
                Next::Item(_) => panic!("something else"),
                Next::Nothing => tokio::time::sleep(Duration::from_millis(1)).await,
                Next::Ended => return None,
            }
        }
        None
    }

    async fn must(&self) -> Input {
        self.next(Duration::from_secs(10)).await.unwrap_or_else(|| panic!("{:?}", self.status.reasons()))
    }

    async fn unready(&self, words: &str) {
        eventually(words, async || self.status.reasons().iter().any(|r| r.contains(words)).then_some(())).await;
    }
}

/// Everything that is told of a recording from a position on: frames, states, positions.
#[derive(Debug, Default, PartialEq)]
struct Told {
    frames: Vec<String>,
    states: Vec<(usize, SourceState)>,
    last: Option<Position>,
}

/// Listens until the position of the end, or nothing more comes.
async fn told(source: SourceConfig, from: Option<Position>) -> Told {
    let run = Run::start(source, from).await;
    let mut told = Told::default();
    while !told.last.as_ref().is_some_and(|p| Mark::at(p).unwrap().ended)
        && let Some(input) = run.next(Duration::from_millis(500)).await
    {
        match input {
            Input::Frames(batch) => {
                let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
                told.frames.extend(batch.frames.iter().map(|f| text(&f.bytes)));
                assert!(batch.position.is_some());
                told.last = batch.position;
            }
            Input::Source(_, state) => told.states.push((told.frames.len(), state)),
            other => panic!("{other:?}"),
        }
    }
    run.sources.stop(Duration::from_secs(5)).await;
    told
}

#[tokio::test]
async fn tells_each_frame_and_its_end_once_whatever_the_place() {
    let dir = tempfile::tempdir().unwrap();
    let (path, all) = (dir.path().join("day.ndjson"), lines(FRAMES));
    write(&path, &all);
    let whole = told(source(&path, None), None).await;
    assert_eq!(whole.frames, all);
    assert_eq!(whole.states, [(all.len(), SourceState::End)]);
    let end = Mark::at(whole.last.as_ref().unwrap()).unwrap();
    assert_eq!((end.frames, end.ended), (FRAMES, true));
    for n in [1, 100, 101, 511, 512, 513, FRAMES - 1, FRAMES] {
        let from = Mark { frames: n, ended: false, ..end }.position();
        let rest = told(source(&path, None), Some(from)).await;
        assert_eq!(rest.frames, all[n as usize..], "{n}");
        assert_eq!(rest.states, [(all.len() - n as usize, SourceState::End)], "{n}");
        assert_eq!(rest.last, whole.last);
    }
    // what was told to its end tells nothing
    assert_eq!(told(source(&path, None), whole.last.clone()).await, Told::default());
    // another file in its place is another recording, and a damaged place none
    write(&path, &all[1..]);
    let other = told(source(&path, None), whole.last).await;
    assert_eq!((&other.frames[..], other.states.len()), (&all[1..], 1));
    let damaged = told(source(&path, None), Some(Position("1783175888085434".into()))).await;
    assert_eq!(damaged.frames, all[1..]);
}

/// Transitions of an engine that is fed by sources which are stopped and started again after each of
/// these numbers of inputs.
async fn transitions(path: &Path, stops: &[usize]) -> Vec<String> {
    let mut engine = Engine::new(rules_of(RULES), ClockMode::Recording, 1);
    let (mut out, mut position, mut ended) = (Vec::new(), None, false);
    let mut stops = stops.iter();
    while !ended {
        let run = Run::start(source(path, None), position.clone()).await;
        let mut left = stops.next().copied().unwrap_or(usize::MAX);
        while left > 0 && !ended {
            let input = run.must().await;
            if let Input::Frames(batch) = &input {
                position = batch.position.clone();
                ended = Mark::at(position.as_ref().unwrap()).unwrap().ended;
            }
            out.extend(engine.step(input).transitions.iter().map(|t| format!("{t:?}")));
            left -= 1;
        }
        // what waits in the queue now was taken by nobody
        run.sources.stop(Duration::from_secs(5)).await;
    }
    out
}

#[tokio::test]
async fn stopped_and_gone_on_with_it_tells_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("day.ndjson");
    write(&path, &lines(FRAMES));
    let whole = transitions(&path, &[]).await;
    assert!(whole.len() > 50);
    for stops in [vec![1], vec![2], vec![1, 1, 1], vec![3, 1], vec![4]] {
        assert!(transitions(&path, &stops).await == whole, "{stops:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_a_source_that_is_down() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("day.ndjson.gz");
    let all = lines(9000);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    all.iter().for_each(|l| writeln!(gz, "{l}").unwrap());
    let bytes = gz.finish().unwrap();
    fs::write(&path, &bytes).unwrap();
    let end = Mark::at(&told(source(&path, None), None).await.last.unwrap()).unwrap();
    assert_eq!(end.frames, 9000);
    // shorter than it was
    let from = Mark { frames: 9001, ended: false, ..end };
    let run = Run::start(source(&path, None), Some(from.position())).await;
    run.unready("source day: expected a recording of at least 9001 frames").await;
    assert!(run.next(Duration::from_millis(50)).await.is_none(), "nothing is told");
    // damaged: what is before the damage is told, no end
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let broken = told(source(&path, None), None).await;
    assert!((1000..9000).contains(&broken.frames.len()) && broken.frames == all[..broken.frames.len()]);
    assert_eq!(broken.states, []);
    let run = Run::start(source(&path, None), broken.last.clone()).await;
    run.unready(&format!("found after {} frames", broken.frames.len())).await;
    // whole again it goes on
    fs::write(&path, &bytes).unwrap();
    assert_eq!(told(source(&path, None), broken.last).await.frames.len(), 9000 - broken.frames.len());
    // gone
    fs::remove_file(&path).unwrap();
    Run::start(source(&path, None), None).await.unready("source day: expected a recording that can be read").await;
    let run = Run::start(source(&path, None), Some(end.position())).await;
    eventually("the end", async || (!run.status.reasons().iter().any(|r| r.starts_with("source"))).then_some(())).await;
}

#[tokio::test]
async fn a_folder_holds_one_source_and_is_as_its_manifest_says() {
    let dir = tempfile::tempdir().unwrap();
    record_frames(dir.path(), "bluesky", 0..300, 20);
    let whole = told(source(dir.path(), None), None).await;
    assert_eq!(whole.frames, (0..300).map(frame).collect::<Vec<_>>());
    let mark = Mark { frames: 170, ended: false, ..Mark::at(whole.last.as_ref().unwrap()).unwrap() };
    assert_eq!(told(source(dir.path(), None), Some(mark.position())).await.frames, whole.frames[170..]);
    let mut files: Vec<PathBuf> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "zst"));
    files.sort();
    assert!(files.len() > 2);
    fs::write(&files[1], "x").unwrap();
    let run = Run::start(source(dir.path(), None), None).await;
    run.unready("expected").await;
    assert!(run.next(Duration::from_millis(50)).await.is_none());
}

#[tokio::test]
async fn plays_in_time_and_stops_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("day.ndjson");
    // 12 s, then an hour in which nothing was said
    write(&path, &(0..30).chain(9030..9040).map(frame).collect::<Vec<_>>());
    let run = Run::start(source(&path, Some(40.0)), None).await;
    let (began, mut frames, mut batches) = (Instant::now(), 0, 0);
    while frames < 30 {
        if let Input::Frames(batch) = run.must().await {
            (frames, batches) = (frames + batch.frames.len(), batches + 1);
            assert_eq!(Mark::at(&batch.position.unwrap()).unwrap().frames, frames as u64);
        }
    }
    assert_eq!(frames, 30);
    // 11.6 s at forty times their speed, but for what goes together
    assert!(began.elapsed() >= Duration::from_millis(240) && batches > 5, "{:?}, {batches}", began.elapsed());
    assert!(run.next(Duration::from_millis(50)).await.is_none(), "the hour takes 90 s");
    // another speed goes on at the same place
    let Run { config, queue, status, mut sources, _urgent } = run;
    let [day] = &config.sources[..] else { panic!() };
    let other = SourceConfig { kind: source(&path, None).kind, ..day.clone() };
    assert_eq!(sources.set(&[other]).await.unwrap(), ["source day changed"]);
    let run = Run { config, queue, status, sources, _urgent };
    let Input::Frames(batch) = run.must().await else { panic!("frames were to come next") };
    assert_eq!((batch.frames.len(), String::from_utf8_lossy(&batch.frames[0].bytes).into_owned()), (10, frame(9030)));
    assert!(matches!(run.must().await, Input::Source(_, SourceState::End)));
}

#[tokio::test]
async fn a_service_that_plays_has_the_time_of_the_recording_and_is_well_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("day.ndjson");
    write(&path, &lines(FRAMES));
    let patience = Patience { unheard: Span::millis(50), ..HASTE };
    let live = Live::with(config(vec![source(&path, None)]), rules_of(RULES), patience).await;
    live.metric("groundswell_entries_total").await;
    eventually("the end", async || live.get("/v1/status").await.1.contains("at its end").then_some(())).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(live.get("/readyz").await.0, 200, "{}", live.get("/readyz").await.1);
    let status: serde_json::Value = serde_json::from_str(&live.get("/v1/status").await.1).unwrap();
    assert_eq!(status["engine"]["lag_seconds"], 0.0);
    assert!(status["started"].as_str().unwrap().starts_with("2026-07-04T08:0"), "{}", status["started"]);
    // the last frame was written 401,199 times 0.4 s later
    assert_eq!(status["now"], Time(1_783_152_000_000_000 + 401_199 * 400_000).to_string());
    assert!(status["engine"]["entries"].as_u64().unwrap() > 100, "{status}");
    assert!(live.service.status().clock().now() < SystemClock.now());
    live.service.stop().await.unwrap();
    let told: Vec<Message> = live.messages.try_iter().collect();
    assert!(told.iter().all(|m| matches!(m, Message::Episode(_))) && told.len() > 50);
}

fn without_incident(line: &str) -> String {
    let Some((before, after)) = line.split_once(",\"incident\":\"") else { return line.to_string() };
    format!("{before}{}", after.split_once('"').unwrap().1)
}

#[tokio::test]
async fn the_program_tells_what_a_replay_of_the_same_file_tells() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("day.ndjson.zst");
    let text: String = lines(FRAMES).iter().map(|l| format!("{l}\n")).collect();
    fs::write(&path, zstd::stream::encode_all(text.as_bytes(), 1).unwrap()).unwrap();
    let replayed = played(dir.path(), &path);
    assert!(replayed.lines().count() > 50);
    let config = dir.path().join("groundswell.yaml");
    for speed in ["full", "100000"] {
        let text = format!(
            "rules: rules.yaml\nlisten: 127.0.0.1:0\nsources: {{day: {{type: recording, path: day.ndjson.zst, speed: {speed}}}}}\nstore: {{path: at-{speed}.db}}\nreceivers: {{out: {{type: stdout, format: json}}}}\n"
        );
        fs::write(&config, text).unwrap();
        let program = Program::run(&config).await;
        program.logged("recording is at its end").await;
        eventually("all lines", async || (program.lines().lines().count() >= replayed.lines().count()).then_some(()))
            .await;
        // a replay knows no incidents
        let told: String = program.lines().lines().map(|l| without_incident(l) + "\n").collect();
        assert!(told == replayed, "at {speed}");
        program.stop().await;
    }
}
