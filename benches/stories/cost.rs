//! What a share costs, and what many live stories take.

use std::sync::Arc;
use std::time::Instant;

use groundswell::app::engine::{Engine, Input};
use groundswell::base::model::{Frame, FrameBatch, SourceInfo, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::Time;
use groundswell::enroll::ClockMode;
use groundswell::fold::forecast::{Followers, Forecast};

const RULES: &str = "brands: {acme: {query: acme}}\nrules:\n  - alert: StorySpreading\n    by: [brand, story]\n    levels:\n      \
                     warn: root_negativity >= 0.6 and shares[10m] >= 20\n      page: lead >= 4 and shares[10m] >= 20 and known_reach[10m] >= 1k\n";

fn engine_of(rules: &str) -> Engine {
    let files = [SourceText { file: "stories.yaml".into(), text: rules.into() }];
    let rules = Arc::new(RuleSet::load(&files).unwrap_or_else(|f| panic!("{f:#?}")).0);
    let mut engine = Engine::new(rules, ClockMode::Recording, 1);
    engine.step(Input::Tick(START));
    engine
}

const START: Time = Time(1_783_000_000_000_000);

fn stamp(micros: i64) -> String {
    Time(START.0 + micros).to_string()
}

fn batches(lines: impl Iterator<Item = String>) -> Vec<FrameBatch> {
    let source = Arc::new(SourceInfo { name: "bench".into(), format: WireFormat::Post });
    let frames: Vec<Frame> = lines.map(|l| Frame { bytes: l.into(), received: None, oversize: false }).collect();
    frames.chunks(512).map(|c| FrameBatch { source: source.clone(), frames: c.to_vec(), position: None }).collect()
}

fn root(story: usize, micros: i64) -> String {
    let texts =
        ["acme broke my guitar", "acme lost my luggage again", "acme will not answer me", "lovely day with acme"];
    format!(
        r#"{{"id":"r{story}","source":"net","author":"a{story}","text":"{} number {story}","time":"{}","followers":{}}}"#,
        texts[story % 4],
        stamp(micros),
        100 + story % 900
    )
}

fn share(story: usize, k: usize, micros: i64) -> String {
    format!(
        r#"{{"id":"s{story}x{k}","source":"net","author":"f{story}x{k}","text":"","kind":"repost","parent":"r{story}","time":"{}","followers":{}}}"#,
        stamp(micros),
        50 + (story * 31 + k * 17) % 2000
    )
}

/// Nanoseconds a share: of the forecast alone.
pub fn forecast() {
    const SHARES: u32 = 1_000_000;
    let mut best = f64::MAX;
    for _ in 0..5 {
        let mut f = Forecast::default();
        let from = Instant::now();
        for i in 0..SHARES {
            f.share(f64::from(i) * 0.7, Followers { count: u64::from(i % 997), known: true });
        }
        best = best.min(from.elapsed().as_nanos() as f64 / f64::from(SHARES));
        std::hint::black_box(&f);
    }
    let mut f = Forecast::default();
    (0..1000).for_each(|i| f.share(f64::from(i), Followers { count: 100, known: true }));
    let from = Instant::now();
    for i in 0..100_000 {
        std::hint::black_box(f.outlook(1000.0 + f64::from(i)));
    }
    let look = from.elapsed().as_nanos() as f64 / 100_000.0;
    println!("forecast: {best:.0} ns a share, {look:.0} ns a look");
}

/// Nanoseconds a share through the whole engine: decoding, junction, windows, rules.
pub fn engine() {
    const SHARES: usize = 200_000;
    for (label, stories) in [("of one story", 1), ("over 1,000 stories", 1000)] {
        let roots = (0..stories).map(|s| root(s, 0));
        let shares = (0..SHARES).map(|k| share(k % stories, k, 1_000_000 + k as i64 * 20_000));
        let all = batches(roots.chain(shares));
        let mut best = f64::MAX;
        for _ in 0..3 {
            let (mut engine, all) = (engine_of(RULES), all.clone());
            let from = Instant::now();
            for batch in all {
                std::hint::black_box(engine.step(Input::Frames(batch)));
            }
            best = best.min(from.elapsed().as_nanos() as f64 / SHARES as f64);
        }
        println!("whole engine: {best:.0} ns a share {label}");
    }
}

/// Memory of the process in bytes, as Linux counts it; `None` elsewhere.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<f64>().ok().map(|kb| kb * 1024.0)
}

/// Bytes that live stories take, all rooms together: one post each, and with ten shares each.
pub fn memory() {
    const STORIES: usize = 50_000;
    let mut kept = Vec::new();
    for shares in [0usize, 10] {
        let Some(before) = resident() else {
            println!("memory: left out, this system does not tell it");
            return;
        };
        let mut engine = engine_of(RULES);
        let step = 3_000_000_000 / STORIES as i64;
        for story in 0..STORIES {
            let lines = std::iter::once(root(story, story as i64 * step))
                .chain((0..shares).map(|k| share(story, k, story as i64 * step + k as i64 + 1)));
            for batch in batches(lines) {
                std::hint::black_box(engine.step(Input::Frames(batch)));
            }
        }
        let held = resident().unwrap_or(before) - before;
        let (each, posts) = (held / STORIES as f64, shares + 1);
        println!(
            "memory: {STORIES} live stories of {posts} posts each: {:.0} MB, {each:.0} bytes a story, {:.0} a post",
            held / 1e6,
            each / posts as f64
        );
        // what was freed would be used again, and not counted
        kept.push(engine);
    }
}
