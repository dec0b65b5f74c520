//! Golden cases: what goes in, what must come out. Each runs straight, with snapshot and restore
//! in the middle, from the log, and with other numbers of shards, fronts and frames a batch; the
//! transitions must be equal byte for byte.
//!
//! A case is a folder with `rules.yaml`, `events.txt` and `expected.txt`. `UPDATE_GOLDEN=1` writes
//! the expectations anew.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use groundswell::app::engine::{Engine, Input, Output};
use groundswell::app::front::FrontLine;
use groundswell::app::pipeline::Pipeline;
use groundswell::app::snapshot::Part;
use groundswell::base::model::{Frame, FrameBatch, Message, Notice, SourceInfo, SourceState, Transition, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::{Span, Time};
use groundswell::enroll::ClockMode;
use groundswell::notify::json;
use groundswell::store::Block;

pub struct Case {
    pub rules: Arc<RuleSet>,
    /// All rule sets of the case, the first included.
    sets: Vec<Arc<RuleSet>>,
    mode: ClockMode,
    inputs: Vec<Input>,
}

/// Reads events: `mode live|recording`, then lines of `SECOND WHAT …`; see the cases.
fn events(text: &str, load: &mut dyn FnMut(&str) -> Arc<RuleSet>) -> (ClockMode, Vec<Input>) {
    let mut mode = ClockMode::Recording;
    let mut inputs = Vec::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        if let Some(m) = line.strip_prefix("mode ") {
            mode = if m == "live" { ClockMode::Live } else { ClockMode::Recording };
            continue;
        }
        let (count, every, line) = match line.strip_prefix("repeat ") {
            Some(rest) => {
                let mut words = rest.splitn(3, ' ');
                (words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap(), words.next().unwrap())
            }
            None => (1, 0.0, line),
        };
        for k in 0..count {
            if let Some((_, file)) = line.split_once(" rules ") {
                inputs.push(Input::Rules(load(file)));
                continue;
            }
            inputs.push(event(&line.replace("{k}", &k.to_string()), every * k as f64));
        }
    }
    (mode, inputs)
}

fn at(second: &str, later: f64) -> Time {
    let zero = Time::parse_rfc3339("2026-07-04T08:00:00Z").unwrap();
    match Time::parse_rfc3339(second) {
        Some(t) => t,
        None => zero + Span(((second.parse::<f64>().unwrap() + later) * 1e6) as i64),
    }
}

fn event(line: &str, later: f64) -> Input {
    let (head, text) = line.split_once(" : ").unwrap_or((line, ""));
    let words: Vec<&str> = head.split_whitespace().collect();
    let time = at(words[0], later);
    match words[1] {
        "tick" => Input::Tick(time),
        "up" => Input::Source(words[2].into(), SourceState::Up),
        "down" => Input::Source(words[2].into(), SourceState::Down),
        "end" => Input::Source(words[2].into(), SourceState::End),
        "audience" => Input::Audience {
            source: words[2].into(),
            author: words[3].into(),
            followers: words[4].parse().unwrap(),
            name: None,
        },
        "raw" => frame("raw", text.as_bytes().to_vec()),
        kind => {
            let mut post = serde_json::json!({"id": words[3], "source": words[2], "author": words[4], "text": text, "time": time.to_string(), "kind": kind, "lang": "en"});
            for w in &words[5..] {
                let (key, value) = w.split_once('=').unwrap();
                let key = match key {
                    "f" => "followers",
                    "p" => "parent",
                    "r" => "root",
                    "l" => {
                        post["links"] = serde_json::json!([value]);
                        continue;
                    }
                    other => other,
                };
                post[key] = value.parse::<u64>().map_or_else(|_| value.into(), |n| n.into());
            }
            frame(words[2], post.to_string().into_bytes())
        }
    }
}

fn frame(source: &str, bytes: Vec<u8>) -> Input {
    let source = Arc::new(SourceInfo { name: source.into(), format: WireFormat::Post });
    Input::Frames(FrameBatch {
        source,
        frames: vec![Frame { bytes: bytes.into(), received: None, oversize: false }],
        position: None,
    })
}

/// Joins neighbouring batches of the same source, up to `most` frames.
fn batched(inputs: &[Input], most: usize) -> Vec<Input> {
    let mut out: Vec<Input> = Vec::new();
    for input in inputs {
        if let (Some(Input::Frames(last)), Input::Frames(next)) = (out.last_mut(), input)
            && last.source == next.source
            && last.frames.len() < most
        {
            last.frames.extend(next.frames.iter().cloned());
            continue;
        }
        out.push(input.clone());
    }
    out
}

pub fn lines(sets: &[Arc<RuleSet>], transitions: impl IntoIterator<Item = Transition>) -> String {
    let under = |t: &Transition| sets.iter().find(|r| r.fingerprint == t.made_under).unwrap().clone();
    transitions
        .into_iter()
        .map(|t| json(&Message::Episode(Notice { rules: under(&t), transition: t, outage: None })) + "\n")
        .collect()
}

fn all(outputs: Vec<Output>) -> Vec<Transition> {
    outputs.into_iter().flat_map(|o| o.transitions).collect()
}

impl Case {
    /// Of events as text, with the rule sets they name.
    pub fn new(sets: Vec<Arc<RuleSet>>, text: &str) -> Case {
        let mut next = sets.iter().skip(1).cloned();
        let (mode, inputs) = events(text, &mut |_| next.next().unwrap());
        Case { rules: sets[0].clone(), sets, mode, inputs }
    }

    /// Everything that must come to the same, whatever the way.
    pub fn agrees(&self, name: &str) -> String {
        let straight = self.straight(1, 1);
        for (shards, fronts, batch) in [(2, 0, 7), (5, 0, 512), (1, 3, 7), (2, 1, 1)] {
            let found = if fronts == 0 { self.straight(shards, batch) } else { self.threaded(shards, fronts, batch) };
            assert_eq!(found, straight, "{name}: {shards} shards, {fronts} fronts, {batch} frames a batch");
        }
        for (ahead, posts) in [(1, 1), (4, 2), (9, 100)] {
            assert_eq!(self.gradually(ahead, posts), straight, "{name}: rules made ready {ahead} inputs ahead");
        }
        let n = self.inputs.len();
        for (i, cut) in (1..n).step_by((n / 5).max(1)).enumerate() {
            let (before, after) = ([1, 2, 5][i % 3], [5, 1, 2][i % 3]);
            assert_eq!(self.restarted(cut, before, after), straight, "{name}: restart after input {cut}");
            let lost = cut + (n - cut) / 2;
            assert_eq!(
                self.recovered(cut, lost, after),
                straight,
                "{name}: recovery at {lost} from a snapshot at {cut}"
            );
        }
        straight
    }

    fn load(folder: &Path) -> Case {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let load = |name: &str| {
            let file = SourceText { file: name.into(), text: text(name) };
            Arc::new(RuleSet::load(&[file]).unwrap_or_else(|f| panic!("{}: {f:#?}", folder.display())).0)
        };
        let rules = load("rules.yaml");
        let mut sets = vec![rules.clone()];
        let (mode, inputs) = events(&text("events.txt"), &mut |name| {
            let set = load(name);
            sets.push(set.clone());
            set
        });
        Case { rules, sets, mode, inputs }
    }

    fn engine(&self, shards: usize) -> Engine {
        Engine::new(self.rules.clone(), self.mode, shards)
    }

    fn straight(&self, shards: usize, batch: usize) -> String {
        let mut engine = self.engine(shards);
        lines(&self.sets, all(batched(&self.inputs, batch).into_iter().map(|i| engine.step(i)).collect()))
    }

    /// Rules are made ready some inputs before they come into force, and keys follow little by
    /// little.
    fn gradually(&self, ahead: usize, posts: usize) -> String {
        let mut engine = self.engine(1).gradual();
        let mut out = Vec::new();
        for (i, input) in self.inputs.iter().enumerate() {
            if let Some(Input::Rules(rules)) = self.inputs.get(i + ahead) {
                engine.prepare(rules.clone(), FrontLine::new(rules, true));
            }
            engine.prepare_more(posts);
            out.push(engine.step(input.clone()));
            engine.follow(posts);
        }
        lines(&self.sets, all(out))
    }

    fn threaded(&self, shards: usize, fronts: usize, batch: usize) -> String {
        let mut pipeline = Pipeline::new(self.engine(shards), fronts);
        let mut out = Vec::new();
        for input in batched(&self.inputs, batch) {
            match input {
                Input::Frames(batch) => pipeline.feed(batch, &mut out),
                other => pipeline.tell(other, &mut out),
            }
        }
        pipeline.finish(&mut out);
        lines(&self.sets, all(out))
    }

    /// Snapshot after input `cut`, everything forgotten, restored with another number of shards.
    fn restarted(&self, cut: usize, before: usize, after: usize) -> String {
        let mut engine = self.engine(before);
        let mut out: Vec<Output> = self.inputs[..cut].iter().map(|i| engine.step(i.clone())).collect();
        let snapshot = engine.snapshot().unwrap();
        let mut engine = Engine::restore(engine.rules().clone(), &snapshot, after).unwrap();
        out.extend(self.inputs[cut..].iter().map(|i| engine.step(i.clone())));
        lines(&self.sets, all(out))
    }

    /// Snapshot after input `cut`; everything is forgotten after input `lost` and recovered from the
    /// log, written to a block and read again; then it goes on.
    fn recovered(&self, cut: usize, lost: usize, shards: usize) -> String {
        let mut engine = self.engine(1);
        engine.note_changes();
        let (mut steps, mut transitions) = (vec![engine.settle().step], Vec::new());
        let (mut snapshot, mut under) = (engine.snapshot().unwrap(), self.rules.clone());
        for (i, input) in self.inputs[..lost].iter().enumerate() {
            if i == cut {
                under = engine.rules().clone();
                snapshot = engine.snapshot().unwrap();
                steps.clear();
            }
            let output = engine.step(input.clone());
            transitions.extend(output.transitions);
            steps.push(output.step);
        }
        if engine.junction().holds_frames() {
            // of these nothing is in the log: their source brings them again
            return self.straight(1, 1);
        }
        let mut again = Engine::restore(under, &snapshot, shards).unwrap();
        self.sets.iter().for_each(|r| again.know(r.clone()));
        let block = Block::write(&steps).unwrap();
        let mut found = Vec::new();
        for step in Block::read(&block.bytes).unwrap() {
            let mut these = Vec::new();
            again.again(&step, &mut these);
            groundswell::app::engine::sort(&mut these);
            found.extend(these);
        }
        assert_eq!(transitions[transitions.len() - found.len()..], found);
        again.note_changes();
        for input in &self.inputs[lost..] {
            let (output, other) = (engine.step(input.clone()), again.step(input.clone()));
            assert_eq!(output.step, other.step, "the log goes on as it would have");
            transitions.extend(other.transitions);
        }
        lines(&self.sets, transitions)
    }
}

/// The short form that is kept as expectation.
pub fn short(json: &str) -> String {
    let mut out = String::new();
    for line in json.lines() {
        let v: serde_json::Value = serde_json::from_str(line).unwrap();
        let s = |k: &str| v[k].as_str().unwrap_or("?").to_string();
        let group: Vec<String> =
            v["group"].as_object().unwrap().values().map(|g| g.as_str().unwrap().to_string()).collect();
        let _ = writeln!(
            out,
            "{} {} {} {}->{} {} ({}) {}",
            &s("at")[11..],
            s("alert"),
            group.join(" "),
            s("from"),
            s("to"),
            s("severity"),
            s("reason"),
            v["operands"]
        );
        if let Some(summary) = v["summary"].as_str() {
            let _ = writeln!(out, "  {summary}");
        }
    }
    out
}

fn check(name: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let case = Case::load(&folder);
    let straight = case.straight(1, 1);
    let expected = folder.join("expected.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&expected, short(&straight)).unwrap();
    }
    let expected = std::fs::read_to_string(&expected).unwrap_or_default();
    assert!(!expected.is_empty(), "{name}: no expectation");
    assert_eq!(short(&straight), expected, "{name}");
    for shards in [1, 2, 5] {
        for batch in [1, 7, 512] {
            assert_eq!(case.straight(shards, batch), straight, "{name}: {shards} shards, {batch} frames a batch");
            for fronts in [1, 3] {
                assert_eq!(case.threaded(shards, fronts, batch), straight, "{name}: {shards} shards, {fronts} fronts");
            }
        }
    }
    let n = case.inputs.len();
    for (i, cut) in (0..=n).step_by((n / 12).max(1)).enumerate() {
        let (before, after) = ([1, 2, 5][i % 3], [5, 1, 2][i % 3]);
        assert_eq!(case.restarted(cut, before, after), straight, "{name}: restart after input {cut}");
        for lost in [cut, cut + (n - cut) / 2, n] {
            let found = case.recovered(cut, lost, after);
            assert_eq!(found, straight, "{name}: recovery at {lost} from a snapshot at {cut}");
        }
    }
}

macro_rules! golden {
    ($($name:ident)*) => { $(#[test] fn $name() { check(stringify!($name)); })* };
}

golden! {
    story audience_learned_late three_sources edits_deletes_repeats bad_times unknown_tone life_cycle overflow
    own_staff_groups fields past surge reload rival story_life causes joins forecast sequence new_hashtag silence
    distinct
}

#[test]
fn every_golden_folder_is_a_test() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut found: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    let known = [
        "audience_learned_late",
        "bad_times",
        "causes",
        "distinct",
        "edits_deletes_repeats",
        "fields",
        "forecast",
        "joins",
        "life_cycle",
        "new_hashtag",
        "overflow",
        "own_staff_groups",
        "past",
        "reload",
        "rival",
        "sequence",
        "silence",
        "story",
        "story_life",
        "surge",
        "three_sources",
        "unknown_tone",
    ];
    assert_eq!(found, known);
}

#[test]
fn a_snapshot_is_refused_when_it_is_not_whole_or_not_ours() {
    let case = Case::load(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/story"));
    let mut engine = case.engine(1);
    case.inputs.iter().for_each(|i| drop(engine.step(i.clone())));
    let good = engine.snapshot().unwrap();
    let error = |parts: &[Part]| Engine::restore(case.rules.clone(), parts, 1).err().map(|e| e.to_string());
    assert_eq!(error(&good), None);
    for at in 0..good.len() {
        let with = |bytes: &[u8]| {
            let mut parts = good.clone();
            parts[at].bytes = bytes.to_vec();
            error(&parts).unwrap_or_else(|| panic!("{} was taken", good[at].name))
        };
        let bytes = &good[at].bytes;
        assert!(with(b"something else").contains("found other data"));
        [8, 12, 20, bytes.len() - 1].into_iter().for_each(|cut| drop(with(&bytes[..cut])));
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        assert!(with(&flipped).contains("damaged"));
        let mut newer = bytes.clone();
        newer[8] = 99;
        assert!(with(&newer).contains("found version 99"));
        let without: Vec<Part> = good.iter().filter(|p| p.name != good[at].name).cloned().collect();
        assert!(error(&without).unwrap().contains(&format!("found none of {}", good[at].name)));
    }
    let other = SourceText { file: "x".into(), text: "brands: {a: {query: other}}\n".into() };
    let other = Arc::new(RuleSet::load(&[other]).unwrap().0);
    assert!(Engine::restore(other, &good, 1).err().unwrap().to_string().contains("under others"));
}
