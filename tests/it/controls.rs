//! What must wake somebody and what must not, with the shipped HostileSurge and with BigVoice as a
//! page (it ships as a warning): three days of usual talk, then one event.

use std::path::PathBuf;
use std::sync::Arc;

use groundswell::app::engine::{Engine, Input};
use groundswell::base::model::{Frame, FrameBatch, Phase, Severity, SourceInfo, Transition, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::{Span, Time};
use groundswell::enroll::ClockMode;

use crate::frames::Random;

const USUAL: [&str; 8] = [
    "boarding acme air at gate 5 now",
    "acme air has a new lounge",
    "flying acme air to the coast tomorrow",
    "acme air was great today, thank you",
    "my acme air flight is delayed, this is terrible",
    "is acme air open on sundays?",
    "acme air lost my bag, I am so angry",
    "acme air crew were lovely",
];

fn rules() -> Arc<RuleSet> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("rules");
    let mut files: Vec<SourceText> = ["hostile-surge.yaml", "pile-on.yaml", "big-voice.yaml"]
        .iter()
        .map(|f| {
            let text = std::fs::read_to_string(folder.join(f)).unwrap();
            SourceText { file: f.to_string(), text: text.replace("severity: warn", "severity: page") }
        })
        .collect();
    let brand = "brands:\n  acme: {query: '\"acme air\"', own: [\"net:official\"]}\n";
    files.push(SourceText { file: "brand.yaml".into(), text: brand.into() });
    Arc::new(RuleSet::load(&files).unwrap().0)
}

struct World {
    engine: Engine,
    source: Arc<SourceInfo>,
    now: Time,
    random: Random,
    next: u64,
    seen: Vec<Transition>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut w = World {
            engine: Engine::new(rules(), ClockMode::Recording, 1),
            source: Arc::new(SourceInfo { name: "net".into(), format: WireFormat::Post }),
            now: Time::parse_rfc3339("2026-07-01T00:00:00Z").unwrap(),
            random: Random::new(seed),
            next: 0,
            seen: Vec::new(),
        };
        w.usual(Span::seconds(3 * 86_400));
        w.seen.clear();
        w
    }

    fn post(&mut self, author: &str, followers: u64, text: &str, parent: Option<&str>) -> String {
        self.next += 1;
        let id = format!("p{}", self.next);
        let kind = if parent.is_some() { "quote" } else { "post" };
        let post = serde_json::json!({"id": id, "source": "net", "author": author, "text": text, "time": self.now.to_string(),
            "followers": followers, "lang": "en", "kind": kind, "parent": parent});
        let frames = vec![Frame { bytes: post.to_string().into_bytes().into(), received: None, oversize: false }];
        let out = self.engine.step(Input::Frames(FrameBatch { source: self.source.clone(), frames, position: None }));
        self.seen.extend(out.transitions);
        id
    }

    fn follow(&mut self) -> u64 {
        // log-normal, median 300
        let z: f64 = (0..12).map(|_| self.random.unit()).sum::<f64>() - 6.0;
        (300.0 * (1.5 * z).exp()) as u64
    }

    /// About two mentions in five minutes.
    fn usual(&mut self, span: Span) {
        let end = self.now + span;
        while self.now < end {
            self.now = self.now + Span((-(1.0 - self.random.unit()).ln() * 150e6) as i64);
            let (text, author) = (USUAL[self.random.below(8)], format!("u{}", self.random.below(400)));
            let followers = self.follow();
            self.post(&author, followers, text, None);
        }
    }

    fn pages(&self) -> Vec<String> {
        let rules = self.engine.rules();
        let fired = self.seen.iter().filter(|t| t.to == Phase::Firing);
        fired.map(|t| format!("{} {}", rules.rules[t.rule as usize].name, t.severity.name())).collect()
    }

    fn woke(&self) -> bool {
        self.seen.iter().any(|t| t.to == Phase::Firing && t.severity == Severity::Page)
    }
}

#[test]
fn ten_times_the_talk_in_a_neutral_tone_wakes_nobody() {
    for seed in 0..3 {
        let mut w = World::new(seed);
        for k in 0..240 {
            w.now = w.now + Span::seconds(15);
            let followers = w.follow();
            let text = [
                "acme air opens a new route",
                "acme air flies to the island from may",
                "gate 5 for acme air",
                "acme air at noon",
            ][k % 4];
            w.post(&format!("n{k}"), followers, text, None);
        }
        w.usual(Span::seconds(3600));
        assert_eq!(w.pages(), [""; 0], "seed {seed}");
    }
}

#[test]
fn one_neutral_account_of_ten_million_wakes_nobody() {
    let mut w = World::new(7);
    w.post("star", 10_000_000, "boarding acme air at gate 5", None);
    w.usual(Span::seconds(3600));
    assert_eq!(w.pages(), [""; 0]);
}

#[test]
fn two_hundred_accounts_with_copies_of_one_text_wake_nobody() {
    // tiny ones, and ones of ordinary size, whose reach would be a surge
    for (seed, size) in [(0, 0), (1, 0), (2, 0), (3, 300), (4, 300), (5, 500)] {
        let mut w = World::new(seed);
        for k in 0..200 {
            w.now = w.now + Span::seconds(2);
            let text =
                format!("acme air is a disgusting scam, boycott acme air{} @friend{k} {}", "!".repeat(k % 4), k * 7);
            w.post(&format!("bot{k}"), size + (k % 20) as u64, &text, None);
        }
        w.usual(Span::seconds(3600));
        assert!(!w.woke(), "seed {seed}: {:?}", w.pages());
    }
}

#[test]
fn one_hostile_post_of_a_very_large_account_is_heard() {
    let mut w = World::new(3);
    w.post("anchor", 640_000, "acme air broke a guitar and refuses to pay, what a disgrace", None);
    assert_eq!(w.pages(), ["BigVoice page"]);
}

#[test]
fn hostile_quotes_of_the_brands_own_post_that_never_name_it_wake_somebody() {
    for seed in 0..3 {
        let mut w = World::new(seed);
        let root = w.post("official", 90_000, "We love our customers!", None);
        let angry = [
            "you broke my guitar and refuse to pay",
            "worst company in the world",
            "shame on you, thieves",
            "liars, I hate this so much",
            "how dare you, this is disgusting",
            "I want my money back, you crooks",
            "three hours on hold and nobody cares, awful",
            "your staff laughed at my mother, disgraceful",
            "lost my bag twice this year, terrible",
            "never again, what a horrible flight",
            "you ruined our wedding trip, I am furious",
            "pathetic answer, as always",
            "stop lying to people",
            "this is a scam and you know it",
            "my kids cried for six hours, thanks for nothing",
            "rude, late and dirty, the usual garbage",
            "disgusting seats, broken screens, angry crew",
            "you people are the worst thing that happened to travel",
            "refund me, you criminals",
            "what an insult to everybody who suffers your service",
            "I hate you and so does everyone at this gate",
            "cruel to leave old people standing there",
            "nobody believes your awful excuses",
            "broken promises, broken bags, broken company",
        ];
        let mut first = None;
        for k in 0..300 {
            w.now = w.now + Span::seconds(4);
            let followers = w.follow();
            let text = format!(
                "{} {}",
                angry[k % angry.len()],
                ["really", "again", "seriously", "honestly", "friends"][k % 5]
            );
            w.post(&format!("q{k}"), followers, &text, Some(&root));
            if first.is_none() && w.woke() {
                first = Some(k);
            }
        }
        assert!(first.is_some_and(|k| k < 200), "seed {seed}: {first:?} {:?}", w.pages());
    }
}
