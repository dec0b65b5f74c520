//! Nanoseconds a frame against the number of brands and of rules, as a table: the whole engine on
//! one thread, generated frames, each cell the best of three runs. Rules are spread over brands,
//! each for one of them; `cargo bench --bench scale`.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "frames/mod.rs"]
mod frames;

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use frames::{Frames, Recipe};
use groundswell::app::engine::{Engine, Input};
use groundswell::base::model::{Frame, FrameBatch, SourceInfo, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::enroll::ClockMode;

const FRAMES: usize = 50_000;
const SIZES: [usize; 4] = [10, 100, 1000, 10_000];

fn rules(brands: usize, rules: usize) -> Arc<RuleSet> {
    let mut text = frames::rules(brands).split("rules:").next().unwrap().to_string();
    text.push_str("rules:\n");
    for i in 0..rules {
        let (brand, n) = (i % brands, 20 + i);
        let (by, when) = match i % 4 {
            0 => ("[brand]", format!("rarity(hostile_reach) >= 9d and authors{{tone=\"negative\"}}[10m] >= {n}")),
            1 => ("[brand, story]", format!("shares[10m] >= {n} and lead >= 4")),
            2 => ("[brand]", format!("largest_voice{{tone=\"negative\"}}[10m] >= {n}M")),
            _ => ("[brand]", format!("negative_share[1h] >= 60% and texts[1h] >= {n}")),
        };
        let _ = writeln!(text, "  - {{alert: R{i}, brands: [b{brand}], by: {by}, when: '{when}', severity: page}}");
    }
    let loaded = RuleSet::load(&[SourceText { file: "scale".into(), text }]);
    Arc::new(loaded.unwrap_or_else(|f| panic!("{f:#?}")).0)
}

fn batches(brands: usize) -> Vec<FrameBatch> {
    let mut frames = Frames::new(Recipe { brands, ..Recipe::default() });
    let source = Arc::new(SourceInfo { name: "scale".into(), format: WireFormat::Jetstream });
    let mut batch = || {
        let frame = |_| {
            let mut line = String::new();
            frames.frame(&mut line);
            Frame { bytes: line.into(), received: None, oversize: false }
        };
        FrameBatch { source: source.clone(), frames: (0..512).map(frame).collect(), position: None }
    };
    (0..FRAMES / 512).map(|_| batch()).collect()
}

fn main() {
    // cargo passes --bench; anything else is a filter that is not for this table
    print!("ns a frame\n{:>16}", "brands \\ rules");
    SIZES.iter().for_each(|r| print!("{r:>10}"));
    println!();
    for brands in SIZES {
        print!("{brands:>16}");
        let frames = batches(brands);
        for count in SIZES {
            let set = rules(brands, count);
            let mut best = u128::MAX;
            for _ in 0..3 {
                let (mut engine, all) = (Engine::new(set.clone(), ClockMode::Recording, 1), frames.clone());
                let from = Instant::now();
                for batch in all {
                    std::hint::black_box(engine.step(Input::Frames(batch)));
                }
                best = best.min(from.elapsed().as_nanos());
            }
            print!("{:>10}", best / (frames.len() * 512) as u128);
            use std::io::Write as _;
            let _ = std::io::stdout().flush();
        }
        println!();
    }
}
