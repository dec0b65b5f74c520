//! What a service manager is told over its socket: ready, how it fares, alive, stopping.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use groundswell::app::clock::{Clock, SystemClock};

use crate::program::{Program, eventually};

const TOKEN: &str = "desk-token-0123456789";

/// A service manager, and a service's folder.
struct Manager {
    dir: tempfile::TempDir,
    /// What it was told, a line each.
    told: Arc<Mutex<Vec<String>>>,
}

impl Manager {
    fn new(source: &str) -> Manager {
        let dir = tempfile::tempdir().unwrap();
        let rule =
            |k| format!("  - {{alert: Each{k}, by: [brand, story], when: 'mentions[1h] >= 1', severity: page}}\n");
        let rules = "brands: {u: {query: united}}\nrules:\n".to_string() + &(0..24).map(rule).collect::<String>();
        let config = format!(
            "listen: 127.0.0.1:0\nrules: [r.yaml]\nstore: off\nsources: {{{source}}}\nreceivers: {{out: {{type: stdout, format: json}}}}\n"
        );
        std::fs::write(dir.path().join("r.yaml"), rules).unwrap();
        std::fs::write(dir.path().join("groundswell.yaml"), config).unwrap();
        let socket = UnixDatagram::bind(dir.path().join("notify")).unwrap();
        let manager = Manager { dir, told: Arc::default() };
        let to = manager.told.clone();
        std::thread::spawn(move || {
            let mut space = [0; 4096];
            while let Ok(n) = socket.recv(&mut space) {
                let text = String::from_utf8(space[..n].to_vec()).unwrap();
                to.lock().unwrap().extend(text.lines().map(str::to_string));
            }
        });
        manager
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs the service, watched with this patience in microseconds.
    async fn run(&self, patience: &str) -> Program {
        let socket = self.path("notify");
        let variables = [("NOTIFY_SOCKET", socket.to_str().unwrap()), ("WATCHDOG_USEC", patience)];
        Program::run_in(&self.path("groundswell.yaml"), &variables).await.unwrap_or_else(|log| panic!("{log}"))
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    fn count(&self, line: &str) -> usize {
        self.told().iter().filter(|l| *l == line).count()
    }

    async fn until(&self, line: &str, times: usize) {
        eventually(line, async || (self.count(line) >= times).then_some(())).await;
    }
}

#[tokio::test]
async fn the_manager_hears_that_it_is_ready_alive_reloaded_and_stopping() {
    let manager = Manager::new(&format!("desk: {{type: push, token: {TOKEN}}}"));
    let mut program = manager.run("400000").await;
    program.listen();
    manager.until("STATUS=hearing 1 source, 1 brand", 1).await;
    manager.until("WATCHDOG=1", 4).await;
    assert_eq!((manager.told()[0].as_str(), manager.count("READY=1")), ("READY=1", 1), "{:?}", manager.told());
    program.signal("HUP");
    manager.until("READY=1", 2).await;
    let told = manager.told();
    let at = told.iter().position(|l| l == "RELOADING=1").unwrap();
    assert!(told[at + 1].starts_with("MONOTONIC_USEC="), "{told:?}");
    assert_eq!(manager.count("STOPPING=1"), 0);
    program.stop().await;
    manager.until("STOPPING=1", 1).await;
    manager.until("STATUS=stopping", 1).await;
}

#[tokio::test]
async fn a_source_that_is_not_heard_starves_no_watchdog_and_what_servers_say_is_one_line() {
    let manager = Manager::new(
        "forum: {type: websocket, url: 'ws://127.0.0.1:9/x', fields: {id: /i, author: /a, text: /t, time: /d}}",
    );
    let program = manager.run("400000").await;
    let why = "STATUS=not ready: source forum: ";
    eventually(why, async || manager.told().iter().any(|l| l.starts_with(why)).then_some(())).await;
    let fed = manager.count("WATCHDOG=1");
    manager.until("WATCHDOG=1", fed + 3).await;
    let known = ["READY=1", "WATCHDOG=1", "STATUS="];
    assert!(manager.told().iter().all(|l| known.iter().any(|k| l.starts_with(k))), "{:?}", manager.told());
    program.stop().await;
}

#[tokio::test]
async fn a_recording_at_its_end_is_alive_without_ticks() {
    let manager = Manager::new("day: {type: recording, path: day.ndjson}");
    let line = r#"{"id":"1","source":"s","author":"a","text":"united","time":"2026-07-04T14:38:06Z"}"#;
    std::fs::write(manager.path("day.ndjson"), format!("{line}\n")).unwrap();
    let mut program = manager.run("400000").await;
    program.listen();
    program.fired("Each0").await;
    // longer than a thread may stand still
    manager.until("WATCHDOG=1", 20).await;
    assert!(!manager.told().iter().any(|l| l.contains("still")), "{:?}", manager.told());
    program.stop().await;
}

#[tokio::test]
async fn nobody_is_told_where_nobody_asks() {
    let manager = Manager::new(&format!("desk: {{type: push, token: {TOKEN}}}"));
    let program = Program::run_in(&manager.path("groundswell.yaml"), &[("WATCHDOG_USEC", "400000")]).await;
    let Ok(program) = program else { panic!("it does not run") };
    program.logged("running").await;
    program.stop().await;
    assert_eq!(manager.told(), [""; 0]);
}

#[tokio::test]
async fn a_service_that_stands_still_is_not_called_alive() {
    let manager = Manager::new(&format!("desk: {{type: push, token: {TOKEN}}}"));
    let mut program = manager.run("400000").await;
    manager.until("WATCHDOG=1", 1).await;
    // nobody reads standard output: more pages than may wait for it, and nothing goes on
    let now = SystemClock.now();
    let line = |k| format!(r#"{{"id":"{k}","source":"crm","author":"a{k}","text":"united","time":"{now}"}}"#) + "\n";
    let body: String = (0..256).map(line).collect();
    let head = format!(
        "POST /v1/posts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    assert_eq!(crate::live::ask(program.address, &(head + &body)).await.0, 200);
    manager.until("STATUS=the keeper stands still", 1).await;
    assert_eq!(crate::live::get(program.address, "/healthz").await.0, 200, "the runtime is alive");
    program.logged("stands still").await;
    // on a busy machine it may stand still for a moment before what nobody reads is full
    let mut fed = 0;
    let mut looks = 0;
    while fed != manager.count("WATCHDOG=1") {
        fed = manager.count("WATCHDOG=1");
        looks += 1;
        assert!(looks < 10, "{:?}", manager.told());
        // several times as long as it takes to be fed again
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(manager.told().iter().rfind(|l| l.starts_with("STATUS=")).is_some_and(|l| l.contains("still")));
    program.listen();
    manager.until("WATCHDOG=1", fed + 2).await;
    program.stop().await;
}
