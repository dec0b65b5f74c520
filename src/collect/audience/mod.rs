//! Audience look-ups at Bluesky's AppView: followers of accounts that made mentions. The engine
//! never waits for them; what is learned corrects it later.
//!
//! [`Asking`] decides and does nothing; [`run`] asks, one request at a time.

mod answer;
mod asking;
mod cache;
mod waits;

use std::pin::Pin;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::base::backoff::Dice;
use crate::base::limits;
use crate::base::model::LookedUp;
pub use asking::{Asking, Figures, Manners, Now};
use asking::{Next, Said};

/// Where followers are asked for, without an account.
pub const PUBLIC: &str = "https://public.api.bsky.app";

/// An account whose followers count for something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// Its DID.
    pub did: Box<str>,
    /// Whether its followers are estimated as yet.
    pub unknown: bool,
    /// Whether people are shown its DID as yet, for want of a handle.
    pub unnamed: bool,
}

impl Seen {
    /// Whether this is news.
    fn wants(&self, l: &Learned) -> bool {
        self.unknown || (self.unnamed && l.handle.is_some())
    }
}

/// Followers of one account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Learned {
    /// The account's DID.
    pub did: String,
    /// Its followers.
    pub followers: u64,
    /// Its handle.
    pub handle: Option<Box<str>>,
}

/// What look-ups are connected to.
pub struct Wires {
    /// Accounts that were seen.
    pub seen: mpsc::Receiver<Seen>,
    /// What is learned of them.
    pub learned: mpsc::Sender<Vec<Learned>>,
    /// The time.
    pub now: Box<dyn Fn() -> Now + Send + Sync>,
    /// Takes answers to be kept over a restart; gives back what it has no room for.
    pub save: Box<dyn FnMut(Vec<LookedUp>) -> Vec<LookedUp> + Send>,
    /// Is shown how it fares.
    pub show: Box<dyn FnMut(&Figures) + Send>,
    /// Spreads waits of many services.
    pub dice: Dice,
}

type Request = Pin<Box<dyn Future<Output = Said> + Send>>;

/// Answers look-ups at a server until cancelled, or nobody sees anybody any more.
pub async fn run(base: String, mut asking: Asking, mut wires: Wires, cancel: CancellationToken) {
    let Ok(client) = answer::client(asking.timeout()) else { return };
    let mut request: Option<Request> = None;
    let mut save = tokio::time::interval(limits::LOOKUPS_SAVE_EVERY.as_std());
    save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = Vec::new();
    loop {
        let now = (wires.now)();
        let mut wait = None;
        match asking.next(now) {
            Next::Ask(dids) => {
                let (client, base) = (client.clone(), base.clone());
                request = Some(Box::pin(async move { answer::ask(&client, &base, &dids, now.clock).await }));
            }
            Next::Wait(until) => wait = Some((until - now.uptime).as_std()),
            Next::Rest => {}
        }
        (wires.show)(&asking.figures(now));
        let mut learned = Vec::new();
        tokio::select! {
            () = cancel.cancelled() => break,
            n = wires.seen.recv_many(&mut seen, limits::LOOKUP_QUEUE) => {
                if n == 0 {
                    break;
                }
                let now = (wires.now)();
                learned.extend(seen.drain(..).filter_map(|s| asking.see(&s, now)));
            }
            said = until(&mut request) => {
                request = None;
                if let Said::Failed(_) = said {
                    tracing::debug!("audience look-up failed, trying again later");
                }
                learned = asking.answered(said, (wires.now)(), wires.dice.roll());
            }
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            _ = save.tick() => give(&mut asking, &mut wires),
        }
        if !learned.is_empty() {
            tokio::select! {
                () = cancel.cancelled() => break,
                sent = wires.learned.send(learned) => if sent.is_err() { break },
            }
        }
    }
    give(&mut asking, &mut wires);
}

/// What is said to a request, once there is one.
async fn until(request: &mut Option<Request>) -> Said {
    match request {
        Some(request) => request.await,
        None => std::future::pending().await,
    }
}

/// Gives what is to be kept, until there is no more or no room.
fn give(asking: &mut Asking, wires: &mut Wires) {
    loop {
        let answers = asking.take_unsaved();
        if answers.is_empty() {
            return;
        }
        let back = (wires.save)(answers);
        if !back.is_empty() {
            asking.not_saved(&back);
            return;
        }
    }
}
