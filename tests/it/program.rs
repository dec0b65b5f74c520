//! The service as a program of its own: its files, its output, its signals.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::live::get;

type Lines = Arc<Mutex<Vec<String>>>;

/// A running program. It is killed with the test.
pub struct Program {
    child: Child,
    /// Where it serves.
    pub address: SocketAddr,
    /// What it told, as JSON, and its log.
    out: Lines,
    log: Lines,
}

fn collect(from: impl std::io::Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let to = lines.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            to.lock().unwrap().push(line);
        }
    });
    lines
}

/// Waits for something.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1500 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not in time")
}

impl Program {
    /// Runs with a config file; waits until it serves.
    pub async fn run(config: &Path) -> Program {
        let mut program = Program::deaf(config).await;
        program.listen();
        program
    }

    /// The same, but nobody reads what it tells.
    pub async fn deaf(config: &Path) -> Program {
        Program::try_run(config).await.unwrap_or_else(|log| panic!("{log}"))
    }

    /// The same; its log, where it ends by itself before it serves.
    pub async fn try_run(config: &Path) -> Result<Program, String> {
        Program::run_in(config, &[]).await
    }

    /// The same, with variables of its environment; it inherits none that a service manager sets.
    pub async fn run_in(config: &Path, variables: &[(&str, &str)]) -> Result<Program, String> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_groundswell"))
            .args(["run", "-c"])
            .arg(config)
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = collect(child.stderr.take().unwrap());
        let mut program = Program { child, address: "127.0.0.1:1".parse().unwrap(), out: Lines::default(), log };
        let address = eventually("the address in the log", async || {
            let (log, ended) = (program.log(), program.child.try_wait().unwrap().is_some());
            let at = log.split_once("address=").and_then(|(_, at)| at.split_whitespace().next()?.parse().ok());
            at.map(Ok).or(ended.then_some(Err(())))
        })
        .await;
        match address {
            Ok(address) => program.address = address,
            Err(()) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Err(program.log());
            }
        }
        Ok(program)
    }

    /// Reads what it tells from now on.
    pub fn listen(&mut self) {
        self.out = collect(self.child.stdout.take().unwrap());
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// All of its log.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// What it told, as JSON.
    pub fn told(&self) -> Vec<Json> {
        self.out.lock().unwrap().iter().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// What it told, as it was written.
    pub fn lines(&self) -> String {
        self.out.lock().unwrap().iter().map(|l| format!("{l}\n")).collect()
    }

    /// Waits until it told that a rule fires; gives the value.
    pub async fn fired(&self, alert: &str) -> f64 {
        let fired = |t: &&Json| t["alert"] == alert && t["to"] == "firing";
        eventually(alert, async || self.told().iter().find(fired).map(|t| t["value"].as_f64().unwrap())).await
    }

    /// Waits until its log holds these words.
    pub async fn logged(&self, words: &str) {
        eventually(words, async || self.log().contains(words).then_some(())).await;
    }

    /// A metric, named as the metrics do, with its labels.
    pub async fn value(&self, name: &str) -> Option<f64> {
        let metrics = get(self.address, "/metrics").await.1;
        metrics.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    /// Waits until a metric has a value.
    pub async fn until(&self, name: &str, wanted: f64) {
        eventually(name, async || (self.value(name).await == Some(wanted)).then_some(())).await;
    }

    /// Sends a signal: TERM, HUP.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has ended; how, and after how long.
    pub async fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let child = &mut self.child;
        let status = eventually("the end", async || child.try_wait().unwrap()).await;
        (status, began.elapsed())
    }

    /// Stops it by a signal; it ends well.
    pub async fn stop(mut self) {
        self.signal("TERM");
        let (status, _) = self.ended().await;
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}\n{:?}", self.log(), self.out.lock());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
