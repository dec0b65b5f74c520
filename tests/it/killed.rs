//! The program killed at any moment and started again, many times: what it decides, keeps and sends
//! is what it would have without. `KILLS=1000` kills it more often, `PROGRAM=FILE` kills another
//! build of it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use groundswell::base::time::Time;
use groundswell::collect::playback::Mark;
use groundswell::store::db::Db;

use crate::frames::Random;
use crate::hooked::Hook;
use crate::program::eventually;

/// 2026-07-04T08:00:00Z.
const START: i64 = 1_783_152_000_000_000;
/// Seconds of the recording.
const LENGTH: i64 = 36_000;
/// Seconds between two bursts.
const BURSTS: i64 = 900;

const RULES: &str = r#"brands: {u: {query: united}, b: {query: brava}}
rules:
  - {alert: Many, when: 'mentions[5m] >= 12', severity: warn, keep_firing_for: 3m}
  - alert: Levels
    levels: {warn: 'mentions[2m] >= 8', page: 'mentions[2m] >= 14'}
    keep_firing_for: 1m
  - {alert: Spread, by: [brand, story], when: 'shares[10m] >= 6', severity: page, keep_firing_for: 5m}
  - {alert: Sour, when: 'negative_share[10m] >= 50% and authors[10m] >= 5', for: 1m, severity: warn}
  - {alert: Lift, when: 'lift(mentions) >= 3 and mentions[10m] >= 6', severity: page}
"#;

/// A program that is killed when it is let go of.
struct Life(Child);

impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A recording of chatter with bursts in it, written line by line.
struct Story {
    dice: Random,
    lines: Vec<(i64, String)>,
}

impl Story {
    /// What an account did with a record of its own.
    fn commit(&mut self, at: i64, who: usize, key: usize, operation: &str, collection: &str, record: &str) {
        let record = if record.is_empty() { String::new() } else { format!(r#","record":{record},"cid":"c""#) };
        self.lines.push((at, format!(
            r#"{{"did":"did:plc:a{who}","time_us":{at},"kind":"commit","commit":{{"rev":"r","operation":"{operation}","collection":"app.bsky.feed.{collection}","rkey":"k{key}"{record}}}}}"#
        )));
    }

    fn post(&mut self, at: i64, operation: &str, who: usize, key: usize, text: &str, more: &str) {
        let record = format!(r#"{{"text":"{text}","langs":["en"]{more}}}"#);
        self.commit(at, who, key, operation, "post", &record);
    }

    /// A burst: a post about a brand, replies, reposts, a few of them edited or deleted soon.
    fn burst(&mut self, at: i64, key: usize) {
        let brand = ["united", "brava"][key % 2];
        let (root, uri) = (key * 1000, format!("at://did:plc:a{key}/app.bsky.feed.post/k{}", key * 1000));
        self.post(at, "create", key, root, &format!("{brand} left us stranded, a horrible disgrace"), "");
        for n in 1..30 + self.dice.below(20) {
            let (at, who) = (at + self.dice.below(240_000_000) as i64, 100 + self.dice.below(5000));
            let subject = format!(r#"{{"uri":"{uri}","cid":"c"}}"#);
            if n % 3 == 0 {
                self.commit(at, who, root + n, "create", "repost", &format!(r#"{{"subject":{subject}}}"#));
                continue;
            }
            let more =
                if n % 3 == 1 { format!(r#","reply":{{"parent":{subject},"root":{subject}}}"#) } else { String::new() };
            self.post(at, "create", who, root + n, &format!("{brand} is awful {n}, never again"), &more);
            match n % 7 {
                1 => self.commit(at + 20_000_000, who, root + n, "delete", "post", ""),
                2 => self.post(at + 10_000_000, "update", who, root + n, &format!("{brand} is fine after all {n}"), ""),
                _ => {}
            }
        }
        // the beginning of some stories is deleted while they are told
        if key.is_multiple_of(5) {
            self.commit(at + 400_000_000, key, root, "delete", "post", "");
        }
    }
}

fn recording() -> String {
    let mut story = Story { dice: Random::new(11), lines: Vec::new() };
    for s in 0..LENGTH {
        let at = START + s * 1_000_000;
        let (who, key) = (story.dice.below(3000), 10_000_000 + s as usize);
        match story.dice.below(12) {
            0 => story.post(at, "create", who, key, "united is on time, lovely", ""),
            1..4 => story.post(at, "create", who, key, "nothing about anybody", ""),
            _ => {}
        }
        if s % BURSTS == 300 {
            story.burst(at, 1 + (s / BURSTS) as usize);
        }
        if s % 5000 == 4321 {
            let gone =
                format!(r#"{{"did":"did:plc:a{who}","time_us":{at},"kind":"account","account":{{"active":false}}}}"#);
            story.lines.push((at, gone));
        }
    }
    story.lines.sort();
    story.lines.iter().fold(String::new(), |mut out, (_, line)| {
        writeln!(out, "{line}").unwrap();
        out
    })
}

/// A folder the program runs in, and its receiver.
struct Place {
    dir: PathBuf,
    hook: Hook,
    lives: usize,
}

impl Place {
    async fn new(dir: &Path, speed: &str) -> Place {
        let hook = Hook::start(4).await;
        fs::create_dir(dir).unwrap();
        fs::write(dir.join("rules.yaml"), RULES).unwrap();
        let config = format!(
            "rules: rules.yaml\nlisten: 127.0.0.1:0\nsources: {{day: {{type: recording, path: ../day.ndjson, speed: {speed}}}}}\n\
             receivers: {{hook: {{type: webhook, url: '{}'}}, out: {{type: stdout, format: json}}}}\n",
            hook.url
        );
        fs::write(dir.join("groundswell.yaml"), config).unwrap();
        Place { dir: dir.to_path_buf(), hook, lives: 0 }
    }

    fn file(&self, life: usize, kind: &str) -> PathBuf {
        self.dir.join(format!("life{life}.{kind}"))
    }

    fn live(&mut self) -> Life {
        self.lives += 1;
        let program = std::env::var("PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_groundswell").to_string());
        let to = |kind| File::create(self.file(self.lives, kind)).unwrap();
        let (out, log) = (to("out"), to("log"));
        let mut command = Command::new(program);
        command.arg("run").current_dir(&self.dir).stdin(Stdio::null()).stdout(out).stderr(log);
        Life(command.spawn().unwrap())
    }

    fn log(&self, life: usize) -> String {
        fs::read_to_string(self.file(life, "log")).unwrap()
    }

    fn db(&self) -> Option<Db> {
        Db::read_only(&self.dir.join("groundswell.db")).ok()
    }

    /// Whether the recording was played to its end, and nothing waits to be sent.
    fn is_done(&self) -> bool {
        let Some(db) = self.db() else { return false };
        let Ok((positions, damaged)) = db.positions() else { return false };
        assert!(damaged.is_empty());
        let ended = positions.get("day").is_some_and(|p| Mark::at(p).unwrap().ended);
        ended && db.waiting().unwrap().is_empty()
    }

    /// Lives until everything is done, and is stopped in order.
    async fn finish(&mut self) {
        let mut life = self.live();
        let began = Instant::now();
        while !(self.is_done() && self.log(self.lives).contains("running;")) {
            assert!(life.0.try_wait().unwrap().is_none(), "{}", self.log(self.lives));
            assert!(began.elapsed() < Duration::from_secs(900), "not at the end: {}", self.log(self.lives));
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(Command::new("kill").arg(life.0.id().to_string()).status().unwrap().success());
        let status = eventually("the end", async || life.0.try_wait().unwrap()).await;
        assert_eq!(status.code(), Some(0), "{}", self.log(self.lives));
    }

    /// Every change as it was stored, in order.
    fn transitions(&self) -> Vec<String> {
        let rows = self.db().unwrap().transitions(None).unwrap();
        rows.iter().map(|r| format!("{} {} {} {:?}", r.alert, r.brand, r.at, r.transition.as_ref().unwrap())).collect()
    }

    /// Beginnings of stories in the evidence that were deleted later; none of them has its text still.
    fn deleted(&self) -> usize {
        let rows = self.db().unwrap().transitions(None).unwrap();
        let evidence = rows.iter().filter_map(|r| r.transition.as_ref()?.evidence.as_ref());
        let is =
            |id: &str| (5..100).step_by(5).any(|key| id.ends_with(&format!("a{key}/app.bsky.feed.post/k{key}000")));
        let gone = evidence.flat_map(|e| e.first.iter().chain(&e.top)).filter(|p| is(&p.body.id));
        gone.inspect(|p| assert!(p.deleted && p.body.text.is_empty(), "{p:?}")).count()
    }

    /// How often each line stands in the ledger.
    fn ledger(&self) -> BTreeMap<String, usize> {
        let mut out = BTreeMap::new();
        for row in
            self.db().unwrap().ledger(groundswell::store::db::About::All, Time(i64::MIN), usize::MAX >> 1).unwrap()
        {
            let detail = row.detail.filter(|_| row.what != "delivered");
            let line = format!("{:?} {} {} {:?} {detail:?}", row.episode, row.key, row.what, row.receiver);
            *out.entry(line).or_default() += 1;
        }
        out
    }

    /// What was sent: keys in the order they came first, bodies, how often.
    fn sent(&self) -> (Vec<String>, BTreeMap<String, (String, usize)>) {
        let (mut order, mut all) = (Vec::new(), BTreeMap::new());
        for (key, body) in self.hook.got() {
            let known = all.entry(key.clone()).or_insert_with(|| {
                order.push(key.clone());
                (body.clone(), 0)
            });
            assert_eq!(known.0, body, "{key} was sent with two bodies");
            known.1 += 1;
        }
        (order, all)
    }

    /// Whole lines of standard output, each once.
    fn lines(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for life in 1..=self.lives {
            let text = fs::read_to_string(self.file(life, "out")).unwrap();
            out.extend(text.split_inclusive('\n').filter(|l| l.ends_with('\n')).map(str::to_string));
        }
        let mut seen = std::collections::BTreeSet::new();
        out.retain(|l| seen.insert(l.clone()));
        out
    }

    /// What a command answers.
    fn asked(&self, args: &[&str]) -> String {
        let out = Command::new(env!("CARGO_BIN_EXE_groundswell")).args(args).current_dir(&self.dir).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }
}

/// Shows where two lists differ, not all of them.
fn same(what: &str, a: &[String], b: &[String]) {
    let at = a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    assert!(a == b, "{what} {at} of {} and {}:\n{:#?}\n{:#?}", a.len(), b.len(), a.get(at), b.get(at));
}

#[tokio::test]
async fn killed_again_and_again_it_decides_and_sends_the_same() {
    let kills: usize = std::env::var("KILLS").map_or(100, |n| n.parse().unwrap());
    let seed = std::env::var("SEED").map_or(1, |n| n.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("day.ndjson"), recording()).unwrap();
    let mut whole = Place::new(&dir.path().join("whole"), "full").await;
    whole.finish().await;
    // most of the lives are over before the recording is
    let speed = LENGTH as f64 / (kills as f64 * 0.40);
    let mut torn = Place::new(&dir.path().join("torn"), &format!("{speed:.1}")).await;
    let (mut dice, began, mut early) = (Random::new(seed), Instant::now(), 0);
    for n in 1..=kills {
        let mut life = torn.live();
        // some live long enough to make snapshots
        let ms = if n % 10 == 0 { 1050 + dice.below(450) } else { 50 + dice.below(550) };
        tokio::time::sleep(Duration::from_millis(ms as u64)).await;
        assert!(life.0.try_wait().unwrap().is_none(), "it ended by itself: {}", torn.log(n));
        drop(life);
        early += usize::from(!torn.log(n).contains("at its end") && !torn.log(n).contains("to its end before"));
    }
    let killing = began.elapsed();
    torn.finish().await;
    for life in 1..=torn.lives {
        let log = torn.log(life);
        let bad = [" ERROR ", "panicked", "disagree", "does not give"].into_iter().find(|w| log.contains(w));
        assert_eq!(bad, None, "life {life}: {log}");
    }
    let rounds = torn.db().unwrap().rounds().unwrap();
    let (sent, wanted) = (torn.sent(), whole.sent());
    let repeats: usize = sent.1.values().map(|(_, n)| n - 1).sum();
    eprintln!(
        "{kills} kills in {killing:.1?} ({early} before the end of the recording), {:.1?} in all; {} changes, {} messages, {repeats} repeats, snapshots up to {:?}",
        began.elapsed(),
        whole.transitions().len(),
        sent.0.len(),
        rounds.first().map(|r| r.id)
    );
    let transitions = whole.transitions();
    assert!(transitions.len() > 200 && early * 10 >= kills * 7, "{} {early}", transitions.len());
    assert!(rounds.first().is_some_and(|r| r.id > 1), "{rounds:?}");
    assert!(whole.deleted() > 10, "{}", whole.deleted());
    same("changes", &torn.transitions(), &transitions);
    let ledger = whole.ledger();
    assert!(ledger.values().all(|n| *n == 1));
    let shown = |l: &BTreeMap<String, usize>| l.iter().map(|(l, n)| format!("{n} times {l}")).collect::<Vec<_>>();
    same("lines of the ledger", &shown(&torn.ledger()), &shown(&ledger));
    same("messages", &sent.0, &wanted.0);
    for (key, (body, n)) in &wanted.1 {
        let (found, times) = &sent.1[key];
        assert!(found == body && *n == 1 && *times <= 1 + kills, "{key} {times} times:\n{found}\n{body}");
    }
    // what was answered and not yet noted, a few at each kill
    assert!(repeats <= 2 * kills, "{repeats}");
    same("lines", &torn.lines(), &whole.lines());
    for args in [&["alerts", "--all", "--json"][..], &["alerts", "--json"]] {
        assert_eq!(torn.asked(args), whole.asked(args));
    }
}
