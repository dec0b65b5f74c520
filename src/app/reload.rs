//! Other rules and config while the service runs: read again on a signal, when the files change, or
//! when the API asks. What has mistakes never replaces what is in force.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::app::config::{self, Config};
use crate::app::files::load_rules;
use crate::app::front::FrontLine;
use crate::app::intake::{Fed, Lane, What};
use crate::app::service::Service;
use crate::app::sources::Sources;
use crate::app::status::Status;
use crate::base::fault::Fault;
use crate::base::limits;
use crate::base::metric;
use crate::base::rule::RuleSet;

/// By whom a reload is asked for that nobody asked for.
const FILES: &str = "changed files";

/// What has changed, or every mistake.
type Answer = Result<String, Vec<String>>;

/// Asks for a reload.
#[derive(Clone)]
pub struct Trigger(mpsc::Sender<(&'static str, Option<oneshot::Sender<Answer>>)>);

impl Trigger {
    /// Asks, and waits for what came of it. `by` says who asks, for the log.
    pub async fn ask(&self, by: &'static str) -> Answer {
        let (answer, answered) = oneshot::channel();
        let gone = || vec!["the service is stopping".to_string()];
        self.0.send((by, Some(answer))).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Asks, and does not wait; one that is asked for already will do.
    pub fn nudge(&self, by: &'static str) {
        let _ = self.0.try_send((by, None));
    }
}

/// Makes what depends on the config follow it.
pub trait Follow: Send + 'static {
    /// Goes on under another config.
    ///
    /// # Errors
    /// What is wrong with it; then nothing has changed.
    fn follow(&mut self, config: &Arc<Config>) -> impl Future<Output = Result<(), String>> + Send;
}

/// What was read from files.
struct Read {
    config: Config,
    rules: RuleSet,
    front: FrontLine,
    warnings: Vec<Fault>,
}

/// Reads config and rules, with what the config says about them.
///
/// # Errors
/// All mistakes.
pub fn read(path: &Path) -> Result<(Config, RuleSet, Vec<Fault>), Vec<Fault>> {
    let (config, mut warnings) = config::load(path)?;
    let (rules, more) = load_rules(&config.rules)?;
    let rules = rules.keeping(config.retention);
    warnings.extend(more);
    warnings.extend(config::check_names(&config, &rules));
    Ok((config, rules, warnings))
}

/// Reloads until cancelled.
pub struct Reloader<F> {
    path: PathBuf,
    status: Arc<Status>,
    urgent: Arc<Lane>,
    sources: Arc<Mutex<Option<Sources>>>,
    receivers: F,
    /// Fingerprint of the rules in force.
    rules: u64,
    watched: Option<(RecommendedWatcher, Vec<PathBuf>)>,
    /// Those found last; empty if there were none.
    mistakes: Vec<String>,
    trigger: Trigger,
    asked: mpsc::Receiver<(&'static str, Option<oneshot::Sender<Answer>>)>,
}

impl<F: Follow> Reloader<F> {
    /// For a service whose config was read from `path`. Gives `None` for one that is stopping.
    pub fn new(service: &Service, path: &Path, rules: u64, receivers: F) -> Option<Reloader<F>> {
        let (to, asked) = mpsc::channel(limits::RELOADS_ASKED);
        let (status, urgent) = (service.status().clone(), service.urgent()?);
        let trigger = Trigger(to);
        status.set_trigger(trigger.clone());
        let (path, sources) = (path.to_path_buf(), service.sources());
        Some(Reloader {
            path,
            status,
            urgent,
            sources,
            receivers,
            rules,
            watched: None,
            mistakes: Vec::new(),
            trigger,
            asked,
        })
    }

    /// Who asks for reloads.
    pub fn trigger(&self) -> Trigger {
        self.trigger.clone()
    }

    /// Reloads whenever it is asked to, or files change.
    pub async fn run(mut self, cancel: CancellationToken) {
        self.watch();
        loop {
            let asked = tokio::select! {
                () = cancel.cancelled() => return,
                asked = self.asked.recv() => asked,
            };
            let Some((by, answer)) = asked else { return };
            if answer.is_none() {
                // files come one after the other: what changes within a moment is one change
                tokio::time::sleep(limits::SETTLE.as_std()).await;
            }
            let mut answers: Vec<oneshot::Sender<Answer>> = answer.into_iter().collect();
            while let Ok((_, also)) = self.asked.try_recv() {
                answers.extend(also);
            }
            let result = self.reload(by).await;
            for answer in answers {
                // who asked may be gone
                let _ = answer.send(result.clone());
            }
        }
    }

    async fn reload(&mut self, by: &'static str) -> Answer {
        let path = self.path.clone();
        let before = self.rules;
        let read = tokio::task::spawn_blocking(move || {
            let (config, rules, warnings) = read(&path)?;
            let front = FrontLine::new(&rules, true);
            Ok(Read { config, rules, front, warnings })
        });
        let read =
            read.await.unwrap_or_else(|_| Err(vec![Fault::new("expected files that can be read, found a panic")]));
        let result = match read {
            Ok(read) => self.take(read).await,
            Err(faults) => Err(faults.iter().map(Fault::to_string).collect()),
        };
        self.tell(by, before, &result);
        self.watch();
        result
    }

    async fn take(&mut self, read: Read) -> Answer {
        let Read { config, rules, front, warnings } = read;
        for warning in &warnings {
            tracing::warn!(file = warning.place.as_ref().map(|p| p.to_string()), "{}", warning.what);
        }
        let (config, rules, old) = (Arc::new(config), Arc::new(rules), self.status.config());
        let mut done = Vec::new();
        if config.listen != old.listen {
            return Err(vec![format!(
                "expected `listen` {} as before, found {}: restart the service for that",
                old.listen, config.listen
            )]);
        }
        let file = |c: &Config| c.store.as_ref().map(|s| s.path.display().to_string());
        if file(&config) != file(&old) {
            let shown = |c: &Config| file(c).map_or("off".to_string(), |path| format!("at {path}"));
            let (old, new) = (shown(&old), shown(&config));
            return Err(vec![format!(
                "expected `store` {old} as before, found it {new}: restart the service for that"
            )]);
        }
        if config.plays() != old.plays() {
            let found = if config.plays() { "a recording instead" } else { "live sources instead of a recording" };
            return Err(vec![format!(
                "expected sources of the kind there was before, found {found}: restart the service for that"
            )]);
        }
        if *config != *old {
            self.receivers.follow(&config).await.map_err(|e| vec![e])?;
        }
        if let Some(sources) = &mut *self.sources.lock().await {
            done.extend(sources.set(&config.sources).await.map_err(|e| vec![e])?);
        }
        self.status.set_config(config.clone());
        if (&config.receivers, &config.routes) != (&old.receivers, &old.routes) {
            done.push("receivers and routes changed".to_string());
        }
        if rules.fingerprint != self.rules {
            let (brands, n) = (rules.brands.len(), rules.rules.len());
            self.rules = rules.fingerprint;
            let (answer, pause) = oneshot::channel();
            self.urgent.send(Fed::now_of(What::Rules(rules, Box::new(front), answer))).await;
            let pause = pause.await.map_err(|_| vec!["the service is stopping".to_string()])?;
            done.push(format!(
                "{brands} brands and {n} rules are in force (the engine paused for {:.1} ms)",
                pause.as_secs_f64() * 1e3
            ));
        }
        if done.is_empty() {
            done.push(if *config == *old { "nothing changed" } else { "the config changed" }.to_string());
        }
        Ok(done.join("; "))
    }

    fn tell(&mut self, by: &str, before: u64, result: &Answer) {
        let word = match result {
            Ok(what) if what == "nothing changed" => "unchanged",
            Ok(_) => "ok",
            Err(_) => "failed",
        };
        match result {
            Ok(_) if !self.mistakes.is_empty() => {
                tracing::info!(by, "the files are sound again; what they say is in force");
            }
            Ok(what) if word == "unchanged" => tracing::debug!(by, "reloaded: {what}"),
            Ok(what) => tracing::info!(by, before = %format_args!("{before:016x}"), "reloaded: {what}"),
            // a folder in which something else changes says nothing new
            Err(mistakes) if by == FILES && *mistakes == self.mistakes => {}
            Err(mistakes) => {
                let first = mistakes.first().map_or("", |m| m.as_str());
                tracing::error!(
                    by,
                    mistakes = mistakes.len(),
                    first,
                    "the files have mistakes; what was in force stays"
                );
            }
        }
        self.mistakes = result.as_ref().err().cloned().unwrap_or_default();
        self.status.metrics.add(&metric::RELOADS, &[word], 1.0);
        self.status.set_reloaded(result.clone());
    }

    /// Watches the folders of all files: editors and volumes of clusters replace files, links and
    /// whole folders.
    fn watch(&mut self) {
        let config = self.status.config();
        let mut folders: Vec<PathBuf> = Vec::new();
        for path in config.rules.iter().chain([&self.path]) {
            let folder = if path.is_dir() { path.clone() } else { parent(path) };
            folders.push(folder);
            // where links point to is watched too
            folders.extend(path.canonicalize().ok().map(|p| if p.is_dir() { p } else { parent(&p) }));
        }
        folders.sort();
        folders.dedup();
        if self.watched.as_ref().is_some_and(|(_, watched)| *watched == folders) {
            return;
        }
        let trigger = self.trigger.clone();
        let tell = move |event: Result<notify::Event, notify::Error>| {
            if event.is_ok_and(|e| matters(&e)) {
                trigger.nudge(FILES);
            }
        };
        match notify::recommended_watcher(tell) {
            Ok(mut watcher) => {
                for folder in &folders {
                    if let Err(e) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                        tracing::warn!(folder = %folder.display(), error = %e, "changes are not noticed here; use SIGHUP");
                    }
                }
                self.watched = Some((watcher, folders));
                // what changed after the files were read and before this is not noticed by itself
                self.trigger.nudge(FILES);
            }
            Err(e) => tracing::warn!(error = %e, "changed files are not noticed; use SIGHUP"),
        }
    }
}

/// Whether an event may have to do with files that are read. Others lie in the same folders: a log
/// that grows there is none of them.
fn matters(event: &notify::Event) -> bool {
    let named = |p: &PathBuf| {
        let name = p.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
        name.ends_with(".yaml") || name.starts_with("..")
    };
    // those beside the store's file come and go
    let stored = |p: &PathBuf| {
        let name = p.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();
        [".db", "-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end))
    };
    if !event.paths.is_empty() && event.paths.iter().all(stored) {
        return false;
    }
    match event.kind {
        EventKind::Access(_) => false,
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)) => event.paths.iter().any(named),
        _ => true,
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    }
}
