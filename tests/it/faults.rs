//! The program on disks that fill up, on files that were damaged, beside another one, and with
//! receivers that are away.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use groundswell::app::clock::{Clock, SystemClock};
use groundswell::app::recovery;
use groundswell::base::model::Position;
use groundswell::enroll::ClockMode;
use groundswell::store::db::{Commit, Db, Round, StatePart};
use rusqlite::Connection;
use serde_json::Value as Json;
use tokio::net::TcpListener;

use crate::hooked::Hook;
use crate::live::{ask, get};
use crate::program::{Program, eventually};

const TOKEN: &str = "desk-token-0123456789";

/// A folder with a config, whose store is in the folder `disk`; every post about united pages.
fn folder(url: &str, more: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("disk")).unwrap();
    let rules = "brands: {u: {query: united}}\nrules:\n  - {alert: Each, by: [brand, story], when: 'mentions[1h] >= 1', severity: page}\n";
    fs::write(dir.path().join("rules.yaml"), rules).unwrap();
    configure(dir.path(), &format!("receivers: {{hook: {{type: webhook, url: '{url}'}}{more}}}"));
    dir
}

fn configure(dir: &Path, receivers: &str) {
    let config = format!(
        "rules: rules.yaml\nlisten: 127.0.0.1:0\nstore: {{path: disk/groundswell.db}}\nsources: {{desk: {{type: push, token: {TOKEN}}}}}\n{receivers}\n"
    );
    fs::write(dir.join("groundswell.yaml"), config).unwrap();
}

fn store(dir: &Path) -> PathBuf {
    dir.join("disk/groundswell.db")
}

async fn run(dir: &Path) -> Program {
    Program::run(&dir.join("groundswell.yaml")).await
}

/// Pushes posts of these numbers, with a long text if wanted.
async fn push(program: &Program, ids: std::ops::Range<u32>, padding: usize) -> (u16, String) {
    let (now, padding) = (SystemClock.now(), "x".repeat(padding));
    let line = |k| {
        format!(r#"{{"id":"{k}","source":"crm","author":"a{k}","text":"united {k} is late {padding}","time":"{now}"}}"#)
            + "\n"
    };
    let body: String = ids.map(line).collect();
    let head = format!(
        "POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    ask(program.address, &(head + &body)).await
}

/// What a command answers about the store.
fn command(dir: &Path, args: &[&str]) -> Output {
    let mut c = Command::new(env!("CARGO_BIN_EXE_groundswell"));
    c.args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The same as lines of JSON; the command must end well.
fn asked(dir: &Path, args: &[&str]) -> Vec<Json> {
    let out = command(dir, args);
    assert!(out.status.success(), "{args:?}: {}", text(&out.stderr));
    text(&out.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Episodes of the store, each of which can be explained.
fn explained(dir: &Path) -> usize {
    let episodes = asked(dir, &["alerts", "--all", "--json"]);
    for e in &episodes {
        let changes = asked(dir, &["explain", e["episode"].as_str().unwrap(), "--json"]);
        assert!(changes.iter().any(|c| c["to"] == "firing" && c["evidence"].is_object()), "{changes:?}");
    }
    episodes.len()
}

/// Ends it at once.
async fn kill(mut program: Program) -> String {
    program.signal("KILL");
    program.ended().await;
    program.log()
}

async fn received(hook: &Hook, what: &str, wanted: usize, is: impl Fn(&Json) -> bool) {
    eventually(what, async || (hook.told().iter().filter(|t| is(t)).count() == wanted).then_some(())).await;
}

fn is_failing(told: &Json, to: &str) -> bool {
    told["alert"] == "StoreFailing" && told["to"] == to
}

/// Each message came once.
fn once(hook: &Hook) {
    let mut keys: Vec<String> = hook.got().into_iter().map(|(key, _)| key).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

/// A small disk that is unmounted with the test.
struct Disk(PathBuf);

impl Disk {
    /// Of so many KiB, in a folder; `None`, with a message, where that is not allowed here.
    fn small(at: &Path, kib: u32) -> Option<Disk> {
        let size = format!("size={kib}k");
        let out = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        match out {
            Ok(o) if o.status.success() => Some(Disk(at.to_path_buf())),
            other => {
                eprintln!("skipped: no disk can be mounted here: {other:?}");
                None
            }
        }
    }

    fn again(&self, how: &str) {
        let done = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0).status().unwrap();
        assert!(done.success());
    }

    /// Takes all the room there is.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        for piece in [4096, 512, 1] {
            while file.write_all(&vec![1; piece]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l"]).arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_keeps_nobody_from_being_paged() {
    let hook = Hook::start(0).await;
    let dir = folder(&hook.url, "");
    let Some(disk) = Disk::small(&dir.path().join("disk"), 6000) else { return };
    let program = run(dir.path()).await;
    assert_eq!(push(&program, 0..3, 0).await.0, 200);
    received(&hook, "pages", 3, |t| t["alert"] == "Each").await;
    program.until("groundswell_store_ok", 1.0).await;
    let filler = disk.fill();
    // the write-ahead log may have some room of its own still
    let (mut n, mut refused) = (3, 0);
    while refused < 3 {
        let (status, said) = push(&program, n..n + 1, 20_000).await;
        n += 1;
        match status {
            200 => assert_eq!(refused, 0, "{said}"),
            503 => {
                assert!(said.contains("expected room to write") && said.contains("disk is full"), "{said}");
                refused += 1;
            }
            _ => panic!("{status} {said}"),
        }
        assert!(n < 1000);
    }
    received(&hook, "that the store fails", 1, |t| is_failing(t, "firing")).await;
    received(&hook, "pages from memory", n as usize, |t| t["alert"] == "Each").await;
    let unrecorded = hook.told().iter().filter(|t| t["unrecorded"].is_string() && t["alert"] == "Each").count();
    assert_eq!(unrecorded, refused);
    let (status, reasons) = get(program.address, "/readyz").await;
    assert!(status == 503 && reasons.contains("store: nothing is recorded since "), "{reasons}");
    assert_eq!(program.value("groundswell_store_ok").await, Some(0.0));
    assert_eq!(asked(dir.path(), &["alerts", "--json"]).len(), n as usize - refused, "what was recorded can be asked");
    fs::remove_file(filler).unwrap();
    received(&hook, "that it is sound again", 1, |t| is_failing(t, "resolved")).await;
    program.until("groundswell_store_ok", 1.0).await;
    assert_eq!(get(program.address, "/readyz").await.0, 200);
    assert_eq!(push(&program, n..n + 1, 0).await.0, 200);
    received(&hook, "the last page", n as usize + 1, |t| t["alert"] == "Each").await;
    program.stop().await;
    let program = run(dir.path()).await;
    assert_eq!(explained(dir.path()), n as usize + 1);
    assert_eq!(push(&program, n + 1..n + 2, 0).await.0, 200);
    received(&hook, "a page after the start", n as usize + 2, |t| t["alert"] == "Each").await;
    program.stop().await;
    once(&hook);
    let ledger = asked(dir.path(), &["ledger", "--json"]);
    let count = |what: &str| ledger.iter().filter(|l| l["what"] == what).count();
    assert_eq!((count("queued"), count("delivered")), (n as usize + 4, n as usize + 4));
}

#[tokio::test]
async fn a_disk_that_may_not_be_written_is_told_of_and_pages_go_on() {
    let hook = Hook::start(0).await;
    let dir = folder(&hook.url, "");
    let Some(disk) = Disk::small(&dir.path().join("disk"), 8000) else { return };
    let program = run(dir.path()).await;
    assert_eq!(push(&program, 0..2, 0).await.0, 200);
    received(&hook, "pages", 2, |t| t["alert"] == "Each").await;
    program.stop().await;
    disk.again("ro");
    let program = run(dir.path()).await;
    received(&hook, "that the store fails", 1, |t| is_failing(t, "firing")).await;
    assert_eq!(push(&program, 2..3, 0).await.0, 503);
    received(&hook, "a page from memory", 1, |t| t["alert"] == "Each" && t["unrecorded"].is_string()).await;
    let (_, reasons) = get(program.address, "/readyz").await;
    assert!(reasons.contains("store: nothing is recorded since ") && reasons.contains("right to write"), "{reasons}");
    assert_eq!(program.value("groundswell_store_ok").await, Some(0.0));
    program.stop().await;
    disk.again("rw");
    let program = run(dir.path()).await;
    assert_eq!(push(&program, 3..4, 0).await.0, 200);
    received(&hook, "all pages", 4, |t| t["alert"] == "Each").await;
    assert_eq!(explained(dir.path()), 3);
    program.stop().await;
}

/// A store in which there is everything: log, rules, a position, a snapshot, changes, letters that
/// wait. Its service was killed.
async fn full_store(hook: &Hook) -> tempfile::TempDir {
    let dir = folder(&hook.url, "");
    for n in 0..3 {
        let program = run(dir.path()).await;
        if n == 1 {
            hook.answer(503);
        }
        assert_eq!(push(&program, n * 4..n * 4 + 2, 0).await.0, 200);
        assert_eq!(push(&program, n * 4 + 2..n * 4 + 4, 0).await.0, 200);
        if n == 0 {
            received(hook, "pages", 4, |_| true).await;
            eventually("the ledger", async || {
                let ledger = asked(dir.path(), &["ledger", "--json"]);
                (ledger.iter().filter(|l| l["what"] == "delivered").count() == 4).then_some(())
            })
            .await;
        }
        kill(program).await;
        if n == 0 {
            snapshot(&store(dir.path()));
        }
    }
    hook.answer(200);
    dir
}

/// Puts two snapshots into a store, as the service does, and where a source has got to.
fn snapshot(path: &Path) {
    let mut db = Db::open(path).unwrap();
    for _ in 0..2 {
        let rebuilt = recovery::rebuild(&db, ClockMode::Live, 1, &mut |_| true).unwrap().unwrap();
        let mut engine = rebuilt.engine;
        let parts = engine.snapshot().unwrap();
        let (as_of, fingerprint) = (engine.junction().seq(), engine.rules().fingerprint);
        let round = Round { id: 0, block: rebuilt.block, as_of, fingerprint, at: SystemClock.now() };
        let id = db.begin_round(&round).unwrap();
        let mut parts = parts.into_iter().map(|p| StatePart::new(p.name, &p.bytes)).collect();
        while !std::collections::VecDeque::is_empty(&parts) {
            db.put_parts(id, &mut parts).unwrap();
        }
        db.end_round(id).unwrap();
    }
    let positions = [("elsewhere".into(), Position("1783175888085434".into()))].into();
    db.commit(&Commit { positions, ..Commit::default() }).unwrap();
}

/// A copy of a folder, configured for a receiver of its own.
async fn copy(from: &Path) -> (tempfile::TempDir, Hook) {
    let hook = Hook::start(0).await;
    let dir = folder(&hook.url, "");
    for file in fs::read_dir(from.join("disk")).unwrap().map(|f| f.unwrap()) {
        fs::copy(file.path(), dir.path().join("disk").join(file.file_name())).unwrap();
    }
    (dir, hook)
}

/// Flips a bit in the middle of a row.
fn flip(path: &Path, table: &str, column: &str, which: &str) {
    let db = Connection::open(path).unwrap();
    let get = format!(
        "SELECT rowid_or, {column} FROM (SELECT {which} AS rowid_or, {column} FROM {table}) ORDER BY 1 DESC LIMIT 1"
    );
    let (row, mut bytes): (rusqlite::types::Value, Vec<u8>) =
        db.query_row(&get, [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    let set = format!("UPDATE {table} SET {column} = ?1 WHERE {which} = ?2");
    assert_eq!(db.execute(&set, rusqlite::params![bytes, row]).unwrap(), 1, "{table}");
}

/// What a start says of a store, which goes on in spite of it: takes a post, pages, stops well and is
/// sound at the next start.
async fn goes_on(dir: &Path, hook: &Hook) -> (String, Vec<Json>) {
    static NEXT: AtomicU32 = AtomicU32::new(1000);
    let program = run(dir).await;
    program.until("groundswell_store_ok", 1.0).await;
    let n = NEXT.fetch_add(10, Ordering::Relaxed);
    assert_eq!(push(&program, n..n + 1, 0).await.0, 200, "{}", program.log());
    let about = |t: &Json, n: u32| t.to_string().contains(&format!("united {n} "));
    received(hook, "a page", 1, |t| about(t, n) && t["to"] == "firing").await;
    let log = program.log();
    program.stop().await;
    let second = run(dir).await;
    assert_eq!(push(&second, n + 1..n + 2, 0).await.0, 200);
    received(hook, "another page", 1, |t| about(t, n + 1) && t["to"] == "firing").await;
    second.stop().await;
    assert!(!log.contains("panicked"), "{log}");
    once(hook);
    (log, hook.told())
}

/// Messages that waited in [`full_store`].
const WAITED: usize = 8;

fn pages_before(told: &[Json]) -> usize {
    told.iter()
        .filter(|t| t["alert"] == "Each" && (0..12).any(|n| t.to_string().contains(&format!("united {n} "))))
        .count()
}

#[tokio::test]
async fn damaged_rows_are_told_and_what_is_sound_is_kept() {
    let hook = Hook::start(0).await;
    let base = full_store(&hook).await;
    let case = async |table: &str, column: &str, which: &str| {
        let (dir, hook) = copy(base.path()).await;
        if !table.is_empty() {
            flip(&store(dir.path()), table, column, which);
        }
        let (log, told) = goes_on(dir.path(), &hook).await;
        (dir, log, told)
    };
    let failing = |told: &[Json]| ["firing", "resolved"].map(|to| told.iter().filter(|t| is_failing(t, to)).count());
    let (sound, block, position, rules, piece, change, letter) = tokio::join!(
        case("", "", ""),
        case("log", "bytes", "id"),
        case("positions", "bytes", "source"),
        case("rule_sets", "bytes", "fingerprint"),
        case("pieces", "bytes", "rowid"),
        case("transitions", "bytes", "id"),
        case("outbox", "bytes", "id"),
    );
    let (dir, log, told) = sound;
    assert!(!log.contains(" ERROR "), "{log}");
    assert_eq!((failing(&told), pages_before(&told), explained(dir.path())), ([0, 0], WAITED, 14));
    let (dir, log, told) = block;
    assert!(log.contains("does not match its checksum: entries ") && log.contains("are lost"), "{log}");
    assert_eq!((failing(&told), pages_before(&told), explained(dir.path())), ([1, 1], WAITED, 14));
    let (_, log, told) = position;
    assert!(log.contains("position of source elsewhere"), "{log}");
    assert_eq!((failing(&told), pages_before(&told)), ([0, 0], WAITED));
    let (_, log, told) = rules;
    assert!(log.contains("expected") && log.contains("found none that can be read"), "{log}");
    assert_eq!((failing(&told), pages_before(&told)), ([1, 1], WAITED));
    let (dir, log, told) = piece;
    assert!(log.contains("snapshot 2: ") && log.contains("an older one is taken"), "{log}");
    assert_eq!((failing(&told), pages_before(&told), explained(dir.path())), ([1, 1], WAITED, 14));
    let (dir, _, told) = change;
    assert_eq!(pages_before(&told), WAITED);
    let episodes = asked(dir.path(), &["alerts", "--all", "--json"]);
    let explain = |e: &Json| text(&command(dir.path(), &["explain", e["episode"].as_str().unwrap()]).stdout);
    let damaged = episodes.iter().filter(|e| explain(e).contains("damaged in the store")).count();
    assert_eq!((episodes.len(), damaged), (14, 1));
    let (dir, log, told) = letter;
    assert!(log.contains("a message that waited was damaged; it is written anew"), "{log}");
    assert_eq!(pages_before(&told), WAITED);
    assert!(asked(dir.path(), &["ledger", "--json"]).iter().all(|l| l["what"] != "dropped"));
}

#[tokio::test]
async fn a_damaged_text_hides_nothing_else() {
    let hook = Hook::start(0).await;
    let base = full_store(&hook).await;
    let (dir, hook) = copy(base.path()).await;
    let db = Connection::open(store(dir.path())).unwrap();
    let bad = "CAST(x'61ff62' AS TEXT)";
    for (table, column) in [("ledger", "detail"), ("ledger", "what"), ("transitions", "brand"), ("outbox", "receiver")]
    {
        let set = format!("UPDATE {table} SET {column} = {bad} WHERE id = (SELECT max(id) FROM {table})");
        assert_eq!(db.execute(&set, []).unwrap(), 1);
    }
    drop(db);
    let (log, told) = goes_on(dir.path(), &hook).await;
    assert!(log.contains("receiver that is not in the config"), "{log}");
    assert_eq!(pages_before(&told), WAITED - 1);
    assert_eq!(explained(dir.path()), 14);
    assert!(asked(dir.path(), &["ledger", "--json"]).len() > 40);
}

/// Changes bytes of a file.
fn scribble(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

fn sibling(dir: &Path, suffix: &str) -> PathBuf {
    let mut path = store(dir).into_os_string();
    path.push(suffix);
    path.into()
}

#[tokio::test]
async fn a_torn_write_ahead_log_holds_what_came_before() {
    let hook = Hook::start(0).await;
    let base = full_store(&hook).await;
    let long = fs::metadata(sibling(base.path(), "-wal")).unwrap().len();
    assert!(long > 20_000, "{long}");
    let case = async |cut: u64, garbage: bool| {
        let (dir, hook) = copy(base.path()).await;
        let wal = sibling(dir.path(), "-wal");
        let file = OpenOptions::new().write(true).open(&wal).unwrap();
        file.set_len(cut).unwrap();
        if garbage {
            scribble(&wal, cut, &[0xa5; 5000]);
        }
        let _ = fs::remove_file(sibling(dir.path(), "-shm"));
        let episodes = goes_on(dir.path(), &hook).await;
        assert!(!episodes.0.contains(" ERROR "), "{}", episodes.0);
        let found = explained(dir.path());
        assert!((6..=14).contains(&found), "{found}");
        found
    };
    let (whole, more, a, b, c, d) = tokio::join!(
        case(long, false),
        case(long, true),
        case(long - 1, false),
        case(long / 2 + 77, true),
        case(long / 3, false),
        case(31, true),
    );
    assert_eq!((whole, more), (14, 14));
    assert!(a >= b && b >= c && c >= d, "{a} {b} {c} {d}");
}

#[tokio::test]
async fn damaged_pages_are_refused_or_told_and_never_a_panic() {
    let hook = Hook::start(0).await;
    let base = full_store(&hook).await;
    // everything into the main file
    Connection::open(store(base.path())).unwrap().execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    let pages = fs::metadata(store(base.path())).unwrap().len() / 4096;
    let (dir, _hook) = copy(base.path()).await;
    scribble(&store(dir.path()), 0, b"X");
    let out = command(dir.path(), &["run"]);
    let said = text(&out.stderr);
    assert!(
        out.status.code() == Some(1) && said.contains("file is not a database") && said.contains("hint:"),
        "{said}"
    );
    let mut told_of = 0;
    for page in 0..pages {
        let (dir, hook) = copy(base.path()).await;
        // the head of a b-tree page, of the first after the head of the file
        scribble(&store(dir.path()), page * 4096 + if page == 0 { 100 } else { 0 }, &[0xff; 16]);
        let mut program = run_or_end(dir.path()).await;
        if let Err(said) = &program {
            assert!(
                said.contains("error: ") && said.contains("hint: ") && !said.contains("panicked"),
                "{page}: {said}"
            );
            told_of += 1;
            continue;
        }
        let program = program.as_mut().unwrap();
        let (status, _) = push(program, 500..501, 0).await;
        assert!([200, 503].contains(&status), "{page}");
        let is_page = |t: &Json| t["alert"] == "Each" && t["to"] == "firing" && t.to_string().contains("united 500 ");
        received(&hook, "a page", 1, is_page).await;
        let ok = program.value("groundswell_store_ok").await == Some(1.0);
        assert_eq!(ok, status == 200, "{page}");
        if !ok {
            received(&hook, "that the store fails", 1, |t| is_failing(t, "firing")).await;
            told_of += 1;
        }
        program.signal("KILL");
        program.ended().await;
        assert!(!program.log().contains("panicked"), "{page}: {}", program.log());
    }
    assert!(told_of > 3, "{told_of} of {pages}");
}

/// A running program, or what it said when it ended.
async fn run_or_end(dir: &Path) -> Result<Program, String> {
    let out =
        Command::new(env!("CARGO_BIN_EXE_groundswell")).args(["ledger", "--json"]).current_dir(dir).output().unwrap();
    assert!(!text(&out.stderr).contains("panicked"), "{}", text(&out.stderr));
    Program::try_run(&dir.join("groundswell.yaml")).await
}

#[tokio::test]
async fn one_service_a_store_and_commands_beside_it() {
    let hook = Hook::start(0).await;
    let dir = folder(&hook.url, "");
    let program = run(dir.path()).await;
    assert_eq!(push(&program, 0..5, 0).await.0, 200);
    let out = command(dir.path(), &["run"]);
    let said = text(&out.stderr);
    assert!(out.status.code() == Some(1) && said.contains(&format!("(process {})", program.id())), "{said}");
    assert!(said.contains("hint: one service a store"), "{said}");
    assert_eq!(explained(dir.path()), 5);
    let ledger = || asked(dir.path(), &["ledger", "--json"]);
    assert_eq!(ledger().iter().filter(|l| l["what"] == "queued").count(), 5);
    eventually("archived posts", async || {
        let out = command(dir.path(), &["search", "united", "--store", "disk/groundswell.db", "--json"]);
        (out.status.success() && text(&out.stdout).matches("united").count() >= 5).then_some(())
    })
    .await;
    // copies while it is written
    let stop = std::sync::atomic::AtomicBool::new(false);
    let load = async {
        let mut n = 5;
        while !stop.load(Ordering::Relaxed) {
            assert_eq!(push(&program, n..n + 20, 500).await.0, 200);
            n += 20;
            tokio::task::yield_now().await;
        }
        n
    };
    let copies = async {
        let mut last = 0;
        for k in 0..5 {
            let before = Db::read_only(&store(dir.path())).unwrap().end_of_log().unwrap().1;
            let (name, at) = (format!("copy{k}.db"), dir.path().to_path_buf());
            let to = name.clone();
            let out = tokio::task::spawn_blocking(move || command(&at, &["backup", &to])).await.unwrap();
            assert!(out.status.success(), "{}", text(&out.stderr));
            let copy = Db::read_only(&dir.path().join(&name)).unwrap();
            assert_eq!(copy.check().unwrap(), [""; 0]);
            let held = copy.end_of_log().unwrap().1;
            assert!(held >= before && held >= last, "{held} {before} {last}");
            let rebuilt = recovery::rebuild(&copy, ClockMode::Live, 1, &mut |_| true).unwrap().unwrap();
            assert!(
                rebuilt.missing.is_empty() && rebuilt.problems.is_empty() && rebuilt.engine.junction().seq() == held
            );
            last = held;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.store(true, Ordering::Relaxed);
        last
    };
    let (pushed, held) = tokio::join!(load, copies);
    assert!(held > 5 && pushed > 25, "{held} {pushed}");
    let out = command(dir.path(), &["backup", "copy0.db"]);
    assert!(
        out.status.code() == Some(1) && text(&out.stderr).contains("never replace a file"),
        "{}",
        text(&out.stderr)
    );
    program.stop().await;
}

#[tokio::test]
async fn what_is_no_store_or_a_newer_one_is_refused() {
    let dir = folder("http://127.0.0.1:9/", "");
    let path = store(dir.path());
    let refused = |words: &[&str]| {
        let before = fs::read(&path).unwrap();
        for args in [&["run"][..], &["alerts"]] {
            let out = command(dir.path(), args);
            let said = text(&out.stderr);
            assert_eq!(out.status.code(), Some(1), "{said}");
            assert!(words.iter().all(|w| said.contains(w)) && said.contains("hint: "), "{words:?} in {said}");
        }
        assert!(fs::read(&path).unwrap() == before, "it was changed");
    };
    fs::write(&path, "a diary, and not a store of anything; ".repeat(1000)).unwrap();
    refused(&["expected a store of groundswell", "give `store.path` another name"]);
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE diary(day, words)").unwrap();
    refused(&["found a database of something else", "give `store.path` another name"]);
    fs::remove_file(&path).unwrap();
    drop(Db::open(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    db.execute_batch("PRAGMA user_version = 99; UPDATE meta SET value = '7.8.9' WHERE name = 'written_by'").unwrap();
    drop(db);
    refused(&["found version 99, written by groundswell 7.8.9", "install groundswell 7.8.9"]);
}

#[tokio::test]
async fn what_a_receiver_missed_is_sent_by_the_next_start_in_order() {
    // kept for later
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let dir = folder(&format!("http://{address}/"), "");
    let program = run(dir.path()).await;
    for n in 0..4 {
        assert_eq!(push(&program, n..n + 1, 0).await.0, 200);
    }
    program.until("groundswell_receiver_up{receiver=\"hook\"}", 0.0).await;
    let mut program = program;
    program.signal("TERM");
    let (status, _) = program.ended().await;
    let log = program.log();
    assert!(status.code() == Some(0) && log.contains("undelivered=4"), "{log}");
    let hook = Hook::at(TcpListener::bind(address).await.unwrap(), 0);
    let program = run(dir.path()).await;
    received(&hook, "what waited", 4, |t| t["alert"] == "Each").await;
    let numbers: Vec<bool> =
        hook.told().iter().enumerate().map(|(n, t)| t.to_string().contains(&format!("united {n} "))).collect();
    assert_eq!(numbers, [true; 4]);
    assert_eq!(push(&program, 4..5, 0).await.0, 200);
    received(&hook, "the next", 5, |_| true).await;
    program.stop().await;
    run(dir.path()).await.stop().await;
    assert_eq!(hook.got().len(), 5);
    let ledger = asked(dir.path(), &["ledger", "--json"]);
    let count = |what: &str| ledger.iter().filter(|l| l["what"] == what).count();
    assert_eq!((count("decided"), count("queued"), count("delivered")), (5, 5, 5));
}

#[tokio::test]
async fn what_waits_for_a_receiver_that_is_gone_is_dropped_and_told() {
    let (hook, other) = (Hook::start(0).await, Hook::start(0).await);
    other.answer(503);
    let dir = folder(&hook.url, &format!(", other: {{type: webhook, url: '{}'}}", other.url));
    let program = run(dir.path()).await;
    assert_eq!(push(&program, 0..3, 0).await.0, 200);
    received(&hook, "pages", 3, |_| true).await;
    kill(program).await;
    configure(dir.path(), &format!("receivers: {{hook: {{type: webhook, url: '{}'}}}}", hook.url));
    let program = run(dir.path()).await;
    program.logged("a message waits for a receiver that is not in the config").await;
    let dropped = || {
        let ledger = asked(dir.path(), &["ledger", "--json"]);
        ledger.into_iter().filter(|l| l["what"] == "dropped" && l["receiver"] == "other").count()
    };
    eventually("the ledger", async || (dropped() == 3).then_some(())).await;
    program.stop().await;
    let again = run(dir.path()).await;
    again.until("groundswell_store_ok", 1.0).await;
    again.stop().await;
    assert_eq!((dropped(), other.got().len()), (3, 0));
    assert!(Db::read_only(&store(dir.path())).unwrap().waiting().unwrap().is_empty());
}
