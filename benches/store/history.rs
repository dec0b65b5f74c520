//! Stores with a past: what an engine heard of a stream, kept as the service keeps it.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use groundswell::app::engine::{Engine, Output};
use groundswell::app::keeper::{Ended, Keep, Keeper, NoLetters, Now, Stepped};
use groundswell::base::model::{Frame, FrameBatch, Notice, SourceInfo, WireFormat};
use groundswell::base::rule::RuleSet;
use groundswell::base::time::Time;
use groundswell::enroll::ClockMode;
use groundswell::store::db::Db;

use super::frames::{Frames, Recipe};
use super::readers::BRANDS;

/// Where the digits of `time_us` are in a frame: all frames begin alike.
const TIME: std::ops::Range<usize> = 52..68;
/// A fifth of the posts name a brand: the shares among what is kept are about those of a stream of
/// ten times as many frames where one in fifty does, and it is there ten times sooner.
const DENSE: Recipe = Recipe { seed: 1, brands: BRANDS, per_second: 50, naming: 0.2 };
/// Frames of such a stream for each entry, about.
const FRAMES_AN_ENTRY: f64 = 3.03;
/// Commits between two moves of the write-ahead log to its place.
const COMMITS: usize = 4000;

/// The machine's time.
pub fn now() -> Time {
    Time(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64)
}

/// An engine that hears generated frames.
pub struct Stream {
    pub engine: Engine,
    frames: Frames,
    info: Arc<SourceInfo>,
    shift: i64,
    /// The time of the last frame.
    pub at: Time,
}

impl Stream {
    /// Frames from a time on.
    pub fn new(rules: &Arc<RuleSet>, recipe: Recipe, from: Time) -> Stream {
        let mut engine = Engine::new(rules.clone(), ClockMode::Live, 1);
        engine.note_changes();
        let mut first = String::new();
        Frames::new(recipe.clone()).frame(&mut first);
        let shift = from.0 - first[TIME].parse::<i64>().unwrap();
        let info = Arc::new(SourceInfo { name: "bench".into(), format: WireFormat::Jetstream });
        Stream { engine, frames: Frames::new(recipe), info, shift, at: from }
    }

    /// What comes of the next frames.
    pub fn next(&mut self, frames: usize) -> Output {
        let frame = |_| {
            let mut line = String::new();
            self.frames.frame(&mut line);
            self.at = Time(line[TIME].parse::<i64>().unwrap() + self.shift);
            line.replace_range(TIME, &self.at.0.to_string());
            Frame { bytes: line.into(), received: None, oversize: false }
        };
        let frames = (0..frames).map(frame).collect();
        let batch = FrameBatch { source: self.info.clone(), frames, position: None };
        self.engine.step(groundswell::app::engine::Input::Frames(batch))
    }

    /// A step as it is kept.
    pub fn stepped(&self, output: Output, position: bool) -> Stepped {
        let notices: Vec<Notice> = output.transitions.into_iter().map(|t| self.engine.notice(t)).collect();
        let position = position
            .then(|| (self.info.name.clone(), groundswell::base::model::Position(self.at.0.to_string().into())));
        Stepped { step: output.step, notices, position, received: std::time::Instant::now() }
    }
}

/// Makes a store that holds the log of so many entries, in the blocks that commits every quarter of
/// a second make; it ends about now.
pub fn build(path: &Path, rules: &Arc<RuleSet>, entries: u64) {
    let micros = entries as f64 * FRAMES_AN_ENTRY / DENSE.per_second as f64 * 1e6;
    let from = Time(now().0 - micros as i64);
    let mut stream = Stream::new(rules, DENSE, from);
    let mut keeper = Keeper::new(Some(Db::open(path).unwrap()), Box::new(NoLetters), Ended::default());
    keeper.any_db().unwrap().at_once(false).unwrap();
    let at = |stream: &Stream| Now { clock: stream.at, uptime: Time(stream.at.0 - from.0) };
    keeper.take(Keep::Rules(rules.clone()), at(&stream));
    let mut output = stream.engine.settle();
    let mut commits = 0;
    loop {
        let now = at(&stream);
        keeper.take(Keep::Step(Box::new(stream.stepped(output, false))), now);
        let done = stream.engine.junction().seq() >= entries;
        if done || keeper.due().is_some_and(|due| due <= now.uptime) {
            keeper.commit(now);
            commits += 1;
            if commits % COMMITS == 0 {
                keeper.any_db().unwrap().checkpoint().unwrap();
            }
        }
        if done {
            break;
        }
        output = stream.next(4);
    }
    let hours = |t: i64| t as f64 / 3.6e9;
    println!("a past of {:.1} h, which ended {:.2} h ago", hours(stream.at.0 - from.0), hours(now().0 - stream.at.0));
    assert!(stream.at < now(), "the past is over");
    assert!(keeper.trouble().is_none(), "{:?}", keeper.trouble());
    assert_eq!(keeper.waiting(), (0, 0));
}
