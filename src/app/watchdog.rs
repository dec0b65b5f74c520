//! Tells the service manager (systemd) that the service is ready, how it fares, that it stops, and that it is alive: only as
//! long as engine and keeper turn, since a program that merely runs pages nobody. What fails outside - a source, the store, a
//! receiver - is no reason to be restarted, and is told elsewhere.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::app::pulse::Felt;
use crate::app::status::Status;
use crate::base::limits;
use crate::notify::plain;

/// Where a manager that wants to be told says so.
const SOCKET: &str = "NOTIFY_SOCKET";

/// What a look at the threads came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// All turn, and it is time to say so.
    Feed,
    /// All turn.
    Fine,
    /// This one has stood still for too long.
    Still(&'static str),
}

/// A thread, as it was felt last, and since when.
struct Watched {
    name: &'static str,
    felt: Felt,
    since: Duration,
}

/// Decides whether the manager hears that the service is alive. Times count from its beginning.
pub struct Watchdog {
    /// Time between two feeds; `None` where nobody waits for them.
    every: Option<Duration>,
    fed: Option<Duration>,
    threads: [Watched; 2],
}

impl Watchdog {
    /// For a manager that loses patience when it is not fed for `limit`.
    pub fn new(limit: Option<Duration>) -> Watchdog {
        let watched = |name| Watched { name, felt: Felt::default(), since: Duration::ZERO };
        let every = limit.filter(|l| !l.is_zero()).map(|l| l / 2);
        Watchdog { every, fed: None, threads: [watched("engine"), watched("keeper")] }
    }

    /// Time between two looks.
    pub fn looks(&self) -> Duration {
        let most = limits::VIEW_EVERY.as_std();
        self.every.map_or(most, |every| (every / 4).clamp(Duration::from_millis(1), most))
    }

    /// Looks at engine and keeper; not at all while they end, one after the other. Without Ticks (a recording is played) an
    /// engine that waits is no engine that hangs.
    pub fn look(&mut self, now: Duration, pulses: Option<[Felt; 2]>, ticks: bool) -> Look {
        for (i, watched) in self.threads.iter_mut().enumerate() {
            let felt = pulses.map(|p| p[i]);
            if felt.is_none_or(|felt| felt != watched.felt || !ticks && felt.rests()) {
                (watched.felt, watched.since) = (felt.unwrap_or_default(), now);
            }
        }
        let patience = limits::STANDS_STILL.as_std().max(self.every.unwrap_or_default());
        if let Some(watched) = self.threads.iter().find(|w| now.saturating_sub(w.since) >= patience) {
            return Look::Still(watched.name);
        }
        match (self.every, self.fed) {
            (Some(every), fed) if fed.is_none_or(|fed| now.saturating_sub(fed) >= every) => {
                self.fed = Some(now);
                Look::Feed
            }
            _ => Look::Fine,
        }
    }
}

/// How the service fares, in a line.
fn fares(status: &Status, look: Look, stops: bool) -> String {
    if stops {
        return "stopping".to_string();
    }
    if let Look::Still(name) = look {
        return format!("the {name} stands still");
    }
    let reasons = status.reasons();
    if !reasons.is_empty() {
        // they hold what servers said
        return plain(&format!("not ready: {}", reasons.join("; ")), limits::REASON_CHARS);
    }
    let s = |n: usize| if n == 1 { "" } else { "s" };
    let (sources, brands) = (status.sources.len(), status.engine_view().rules.map_or(0, |r| r.brands.len()));
    format!("hearing {sources} source{}, {brands} brand{}", s(sources), s(brands))
}

enum News {
    Reloading,
    Reloaded,
    Stopping,
}

/// The service manager, where there is one that wants to be told.
pub struct Manager(Option<(mpsc::Sender<News>, JoinHandle<()>)>);

impl Manager {
    /// Says that the service is ready, and how it fares from then on. Where `NOTIFY_SOCKET` names nobody, nobody is told.
    pub fn start(status: Arc<Status>) -> Manager {
        if std::env::var_os(SOCKET).is_none_or(|socket| socket.is_empty()) {
            return Manager(None);
        }
        let watchdog = Watchdog::new(sd_notify::watchdog_enabled());
        let (to, news) = mpsc::channel(limits::RELOADS_ASKED);
        Manager(Some((to, tokio::spawn(run(status, watchdog, news)))))
    }

    /// Says that files are read again, until what is given says that this is over. `None` where nobody is told.
    pub fn reloading(&self) -> Option<Reloading> {
        let (to, _) = self.0.as_ref()?;
        to.try_send(News::Reloading).ok()?;
        Some(Reloading(to.clone()))
    }

    /// Says that the service stops. Threads may end from now on.
    pub async fn stopping(&self) {
        if let Some((to, _)) = &self.0 {
            // a manager that does not listen is not waited for
            let _ = to.send_timeout(News::Stopping, limits::VIEW_EVERY.as_std()).await;
        }
    }

    /// Says nothing any more.
    pub fn end(self) {
        if let Some((_, task)) = self.0 {
            task.abort();
        }
    }
}

/// A reload that the manager knows of.
pub struct Reloading(mpsc::Sender<News>);

impl Reloading {
    /// It is over.
    pub async fn over(self) {
        // after the end nobody listens
        let _ = self.0.send(News::Reloaded).await;
    }
}

async fn run(status: Arc<Status>, mut watchdog: Watchdog, mut news: mpsc::Receiver<News>) {
    let began = Instant::now();
    let mut looks = interval(watchdog.looks());
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let (mut telling, mut said, mut stops) = (Telling::default(), String::new(), false);
    let mut states = vec![NotifyState::Ready];
    loop {
        let pulses = [status.engine_pulse.felt(), status.keeper_pulse.felt()];
        let look = watchdog.look(began.elapsed(), (!stops).then_some(pulses), !status.config().plays());
        if look == Look::Feed {
            states.push(NotifyState::Watchdog);
        }
        let line = fares(&status, look, stops);
        if line != said {
            if let Look::Still(thread) = look {
                tracing::error!(thread, "a thread stands still; the watchdog is not fed");
            }
            states.push(NotifyState::Status(&line));
        }
        if !states.is_empty() {
            telling.tell(&states).await;
        }
        said = line;
        states = tokio::select! {
            _ = looks.tick() => Vec::new(),
            Some(news) = news.recv() => match news {
                // with the time, as `Type=notify-reload` wants it
                News::Reloading => [Some(NotifyState::Reloading), NotifyState::monotonic_usec_now().ok()].into_iter().flatten().collect(),
                News::Reloaded => vec![NotifyState::Ready],
                News::Stopping => {
                    stops = true;
                    vec![NotifyState::Stopping]
                }
            },
        };
    }
}

/// Tells the manager; logs when what is wrong with that changes.
#[derive(Default)]
struct Telling {
    wrong: Option<std::io::ErrorKind>,
}

impl Telling {
    async fn tell(&mut self, states: &[NotifyState<'_>]) {
        let lines: Vec<String> = states.iter().map(NotifyState::to_string).collect();
        // a manager that does not read holds up whoever tells it
        let told = spawn_blocking(move || {
            let states: Vec<NotifyState<'_>> = lines.iter().map(|l| NotifyState::Custom(l)).collect();
            sd_notify::notify(&states)
        });
        let wrong = told.await.map_or(None, Result::err);
        if let Some(error) = wrong.as_ref().filter(|e| self.wrong != Some(e.kind())) {
            tracing::warn!(%error, "the service manager cannot be told");
        }
        self.wrong = wrong.map(|e| e.kind());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::pulse::Pulse;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Looks once a second; what each came to, as letters. `turns` and `rests` say of each second what engine and keeper do.
    fn looks(limit: u64, ticks: bool, seconds: u64, mut threads: impl FnMut(u64, &Pulse, &Pulse)) -> String {
        let (mut watchdog, engine, keeper) = (Watchdog::new(Some(s(limit))), Pulse::default(), Pulse::default());
        (0..seconds)
            .map(|n| {
                threads(n, &engine, &keeper);
                match watchdog.look(s(n), Some([engine.felt(), keeper.felt()]), ticks) {
                    Look::Feed => 'F',
                    Look::Fine => '.',
                    Look::Still("engine") => 'E',
                    Look::Still(_) => 'K',
                }
            })
            .collect()
    }

    #[test]
    fn it_is_fed_at_half_its_time_while_both_turn() {
        let both = |_, e: &Pulse, k: &Pulse| (e.turn(), k.turn()).0;
        assert_eq!(looks(8, true, 13, both), "F...F...F...F");
        assert_eq!(Watchdog::new(Some(s(30))).looks(), s(1));
        assert_eq!(Watchdog::new(Some(Duration::from_millis(200))).looks(), Duration::from_millis(25));
    }

    #[test]
    fn one_that_stands_still_starves_it_until_it_turns_again() {
        let engine = |n, e: &Pulse, k: &Pulse| {
            k.turn();
            if !(2..17).contains(&n) {
                e.turn();
            }
        };
        // half of its time after the last turn, whether it is at work or waits for a Tick that does not come
        assert_eq!(looks(8, true, 19, engine), "F...FEEEEEEEEEEEEF.");
        let waits = |n, e: &Pulse, k: &Pulse| {
            engine(n, e, k);
            if n == 2 {
                e.rest();
            }
        };
        assert_eq!(looks(8, true, 12, waits), "F...F.EEEEEE");
        let keeper = |n, e: &Pulse, k: &Pulse| engine(n, k, e);
        assert_eq!(looks(8, true, 19, keeper), "F...FKKKKKKKKKKKKF.");
    }

    #[test]
    fn patience_is_half_of_what_the_manager_has_but_some_seconds_at_least() {
        let never = |n, e: &Pulse, k: &Pulse| {
            k.turn();
            if n == 0 {
                e.turn();
            }
        };
        assert_eq!(looks(30, true, 17, never), "F..............EE");
        assert_eq!(looks(2, true, 5, never), "FFFEE");
    }

    #[test]
    fn an_engine_that_waits_for_a_recording_is_alive_and_one_that_hangs_at_it_is_not() {
        let waits = |_, e: &Pulse, k: &Pulse| (e.rest(), k.turn()).0;
        assert_eq!(looks(8, false, 9, waits), "F...F...F");
        let hangs = |n, e: &Pulse, k: &Pulse| {
            k.turn();
            if n == 0 {
                e.turn();
            }
        };
        assert_eq!(looks(8, false, 7, hangs), "F...EEE");
    }

    #[test]
    fn nobody_is_watched_while_all_ends_and_nothing_is_fed_that_nobody_waits_for() {
        let mut watchdog = Watchdog::new(Some(s(8)));
        let fed: Vec<Look> = [0, 4, 60, 64].map(|n| watchdog.look(s(n), None, true)).into();
        assert_eq!(fed, [Look::Feed; 4]);
        for limit in [None, Some(s(0))] {
            let (mut watchdog, pulse) = (Watchdog::new(limit), Pulse::default());
            pulse.turn();
            let felt = [pulse.felt(); 2];
            assert_eq!(
                [0, 2, 3].map(|n| watchdog.look(s(n), Some(felt), true)),
                [Look::Fine, Look::Fine, Look::Still("engine")]
            );
        }
    }
}
