//! How long the engine stands still when rules change, in milliseconds, against the posts it keeps:
//! one further brand, another query of one brand, a further rule with a new window for all brands.
//! What is made ready beforehand is not part of it; `cargo bench --bench reload`.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "frames/mod.rs"]
mod frames;

use std::sync::Arc;
use std::time::{Duration, Instant};

use frames::{Frames, Recipe};
use groundswell::app::engine::{Engine, Input};
use groundswell::app::front::FrontLine;
use groundswell::base::limits;
use groundswell::base::model::{Frame, FrameBatch, SourceInfo, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::enroll::ClockMode;

const BRANDS: usize = 200;

fn set(text: &str) -> Arc<RuleSet> {
    let loaded = RuleSet::load(&[SourceText { file: "reload".into(), text: text.into() }]);
    Arc::new(loaded.unwrap_or_else(|f| panic!("{f:#?}")).0)
}

/// An engine that has heard so many frames; the same frames for everybody.
fn engine(rules: &Arc<RuleSet>, frames: usize) -> Engine {
    let mut engine = Engine::new(rules.clone(), ClockMode::Recording, 1).gradual();
    let mut source = Frames::new(Recipe { brands: BRANDS, ..Recipe::default() });
    let info = Arc::new(SourceInfo { name: "reload".into(), format: WireFormat::Jetstream });
    for _ in 0..frames / 512 {
        let frame = |_| {
            let mut line = String::new();
            source.frame(&mut line);
            Frame { bytes: line.into(), received: None, oversize: false }
        };
        let frames = (0..512).map(frame).collect();
        engine.step(Input::Frames(FrameBatch { source: info.clone(), frames, position: None }));
    }
    engine
}

fn main() {
    let base = frames::rules(BRANDS);
    let brand = base.replacen("brands:\n", "brands:\n  fresh: {query: coffee}\n", 1);
    let query = base.replacen("query: '", "query: 'zebra OR ", 1);
    let rule = format!("{base}\n  - {{alert: Fresh, when: 'mentions[17m] >= 100k', severity: page}}\n");
    let quick = std::env::args().any(|a| a == "--test" || a == "--quick");
    println!("{:>10} {:>10}  {:<22} {:>9} {:>9} {:>9}", "frames", "kept", "change", "longest", "at once", "in all");
    for frames in if quick { vec![20_000] } else { vec![200_000, 1_000_000, 4_000_000] } {
        for (name, text) in [("one further brand", &brand), ("another query", &query), ("a rule for all brands", &rule)]
        {
            assert_ne!(text, &base);
            let mut engine = engine(&set(&base), frames);
            let (kept, new) = (engine.kept_len(), set(text));
            let front = FrontLine::new(&new, true);
            let (mut longest, mut whole) = (Duration::ZERO, Duration::ZERO);
            let mut time = |from: Instant| {
                longest = longest.max(from.elapsed());
                whole += from.elapsed();
            };
            engine.prepare(new.clone(), front);
            loop {
                let from = Instant::now();
                let ready = engine.prepare_more(limits::PREPARED_AT_ONCE);
                time(from);
                if ready {
                    break;
                }
            }
            let from = Instant::now();
            std::hint::black_box(engine.step(Input::Rules(new)));
            let switch = from.elapsed();
            time(from);
            drop(engine.take_spent());
            loop {
                let from = Instant::now();
                let done = engine.follow(limits::FOLLOWED_AT_ONCE);
                time(from);
                if done {
                    break;
                }
            }
            let ms = |d: Duration| d.as_secs_f64() * 1e3;
            println!("{frames:>10} {kept:>10}  {name:<22} {:>9.2} {:>9.2} {:>9.2}", ms(longest), ms(switch), ms(whole));
        }
    }
}
