//! Each stage by itself, and the pipeline, on generated Jetstream frames with 200 brands.
//! `cargo bench`; read ratios within one run, machines differ.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "frames/mod.rs"]
mod frames;

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use groundswell::app::back::Back;
use groundswell::app::engine::{Engine, Input};
use groundswell::app::pipeline::Pipeline;
use groundswell::base::link;
use groundswell::base::model::{Entry, EntryBody, Frame, FrameBatch, Post, SiftedBatch, SourceInfo, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::Time;
use groundswell::enrich::{Matcher, Scratch, negativity};
use groundswell::enroll::ClockMode;

use frames::{Frames, Recipe};

const FRAMES: usize = 50_000;
const BATCH: usize = 512;

fn rules(brands: usize) -> Arc<RuleSet> {
    let file = SourceText { file: "bench".into(), text: frames::rules(brands) };
    Arc::new(RuleSet::load(&[file]).unwrap().0)
}

fn batches(brands: usize, naming: f64) -> Vec<FrameBatch> {
    let mut frames = Frames::new(Recipe { brands, naming, ..Recipe::default() });
    let source = Arc::new(SourceInfo { name: "bench".into(), format: WireFormat::Jetstream });
    let mut all: Vec<Frame> = (0..FRAMES)
        .map(|_| {
            let mut line = String::new();
            frames.frame(&mut line);
            Frame { bytes: line.into(), received: None, oversize: false }
        })
        .collect();
    let mut out = Vec::new();
    while !all.is_empty() {
        let rest = all.split_off(BATCH.min(all.len()));
        out.push(FrameBatch { source: source.clone(), frames: std::mem::replace(&mut all, rest), position: None });
    }
    out
}

fn stages(c: &mut Criterion) {
    let rules = rules(200);
    let batches = batches(200, 0.02);
    let mut g = c.benchmark_group("stage");
    g.sample_size(10);
    g.throughput(Throughput::Elements(FRAMES as u64));
    let mut engine = Engine::new(rules.clone(), ClockMode::Recording, 1);
    g.bench_function("front", |b| {
        b.iter_batched(
            || batches.clone(),
            |all| all.into_iter().map(|x| engine.sift(x).sifted.len()).sum::<usize>(),
            BatchSize::LargeInput,
        );
    });
    let mut parsing = Engine::new(rules.clone(), ClockMode::Recording, 1).without_prefilter();
    g.bench_function("front_without_prefilter", |b| {
        b.iter_batched(
            || batches.clone(),
            |all| all.into_iter().map(|x| parsing.sift(x).sifted.len()).sum::<usize>(),
            BatchSize::LargeInput,
        );
    });
    let sifted: Vec<SiftedBatch> = batches.iter().cloned().map(|b| engine.sift(b)).collect();
    g.bench_function("junction", |b| {
        b.iter_batched(
            || (Engine::new(rules.clone(), ClockMode::Recording, 1), sifted.clone()),
            |(mut engine, all)| all.into_iter().for_each(|s| engine.admit(Input::Sifted(s))),
            BatchSize::LargeInput,
        );
    });
    g.finish();
    backs(c, &rules, &sifted);
}

fn backs(c: &mut Criterion, rules: &Arc<RuleSet>, sifted: &[SiftedBatch]) {
    let mut engine = Engine::new(rules.clone(), ClockMode::Recording, 1);
    let entries: Vec<Entry> = sifted.iter().flat_map(|s| engine.step(Input::Sifted(s.clone())).step.entries).collect();
    let posts = entries.iter().filter(|e| matches!(e.body, EntryBody::Mention(_) | EntryBody::Share(_))).count();
    let mut g = c.benchmark_group("stage");
    g.sample_size(10);
    g.throughput(Throughput::Elements(posts as u64));
    g.bench_function("back", |b| {
        b.iter_batched(
            || Back::new(rules.clone(), rules.keys()),
            |mut back| {
                let mut out = Vec::new();
                entries.iter().for_each(|e| back.apply(e, &mut out));
                out.len()
            },
            BatchSize::LargeInput,
        );
    });
    g.finish();
}

fn texts(c: &mut Criterion) {
    let rules = rules(200);
    let matcher = Matcher::new(&rules.brands);
    let text = "Zenzenora broke my guitar and their terrible staff refuses to pay, three weeks of calls and nothing";
    let mut scratch = Scratch::default();
    let mut g = c.benchmark_group("text");
    let blank = Post::blank("bluesky".into(), "x".into(), "a".into(), Time::default());
    let post = Post { text: text.into(), ..blank };
    g.bench_function("match", |b| b.iter(|| matcher.matches(&post, &mut scratch).keys.len()));
    g.bench_function("negativity", |b| b.iter(|| negativity::score(text, Some("en"))));
    let plain: &[u8] = b"https://www.news.example/story/123456";
    let hung: &[u8] = b"https://www.youtube.com/watch?v=dQw4w9WgXcQ&feature=share&utm_source=x";
    g.bench_function("link", |b| b.iter(|| link::meeting(std::hint::black_box(plain))));
    g.bench_function("link_tracked", |b| b.iter(|| link::meeting(std::hint::black_box(hung))));
    g.finish();
}

fn pipeline(c: &mut Criterion) {
    let mut g = c.benchmark_group("pipeline");
    g.sample_size(10);
    g.throughput(Throughput::Elements(FRAMES as u64));
    for brands in [10, 200, 10_000] {
        let rules = rules(brands);
        let batches = batches(brands, 0.02);
        for fronts in [0, 1] {
            if brands != 200 && fronts == 1 {
                continue;
            }
            g.bench_function(format!("{brands}_brands_{fronts}_fronts"), |b| {
                b.iter_batched(
                    || (Pipeline::new(Engine::new(rules.clone(), ClockMode::Recording, 1), fronts), batches.clone()),
                    |(mut p, all)| {
                        let mut out = Vec::new();
                        all.into_iter().for_each(|x| p.feed(x, &mut out));
                        p.finish(&mut out);
                        out.len()
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
    g.finish();
}

criterion_group!(benches, stages, texts, pipeline);
criterion_main!(benches);
