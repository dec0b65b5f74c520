//! Look-ups of audiences, joined to the engine and to metrics.

use std::sync::Arc;
use std::sync::mpsc::TrySendError;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::config::{Config, SourceKind};
use crate::app::engine::Input;
use crate::app::gauged::GaugedSender;
use crate::app::intake::{Fed, Lane};
use crate::app::keeper::Keep;
use crate::app::status::Status;
use crate::base::backoff::Dice;
use crate::base::limits;
use crate::base::metric::{self, Queue};
use crate::base::model::WireFormat;
use crate::base::time::Time;
use crate::collect::audience::{self, Asking, Figures, Learned, Now, Seen, Wires};
use crate::decode::raw::NETWORK;

/// What look-ups begin with.
pub(super) struct Lookups {
    /// Accounts that the engine has seen.
    pub(super) seen: mpsc::Receiver<Seen>,
    /// Who was asked for before, and how politely it is asked.
    pub(super) asking: Asking,
    /// Keeps what is learned over a restart.
    pub(super) keeper: GaugedSender<Keep>,
}

impl Lookups {
    /// Looks up until cancelled, if the config says where; what is learned goes to the engine.
    pub(super) fn start(self, tasks: &TaskTracker, status: &Arc<Status>, to: Arc<Lane>, cancel: &CancellationToken) {
        let Lookups { seen, asking, keeper } = self;
        show(status, &asking.figures(Now { clock: Time(0), uptime: Time(0) }));
        let Some(base) = base_of(&status.config()) else { return };
        let (learned, mut batches) = mpsc::channel::<Vec<Learned>>(limits::LOOKUP_ANSWERS);
        let (clock, shown) = (status.clone(), status.clone());
        let mut left_out = 0;
        let wires = Wires {
            seen,
            learned,
            now: Box::new(move || Now { clock: clock.clock().now(), uptime: clock.uptime() }),
            save: Box::new(move |answers| match keeper.try_send(Keep::Audiences(answers)) {
                Err(TrySendError::Full(Keep::Audiences(answers))) => answers,
                _ => Vec::new(),
            }),
            show: Box::new(move |figures| {
                show(&shown, figures);
                // the engine counts there whom it cannot even hand over
                shown.metrics.add(&metric::LIMIT_HITS, &["lookup_queue"], (figures.left_out - left_out) as f64);
                left_out = figures.left_out;
            }),
            dice: Dice::new(u64::from(std::process::id()) ^ status.started().0.unsigned_abs()),
        };
        tasks.spawn(audience::run(base, asking, wires, cancel.clone()));
        let network: Arc<str> = NETWORK.into();
        tasks.spawn(async move {
            while let Some(batch) = batches.recv().await {
                for Learned { did, followers, handle } in batch {
                    let input = Input::Audience { source: network.clone(), author: did, followers, name: handle };
                    if !to.send(Fed::now(input)).await {
                        return;
                    }
                }
            }
        });
    }
}

impl Status {
    /// Whether posts of this source come from Jetstream, which tells nobody's followers.
    pub fn is_stream(&self, name: &str) -> bool {
        let source = self.sources.get(name);
        source.is_some_and(|s| matches!(s.info.format, WireFormat::Jetstream | WireFormat::JetstreamV2))
    }
}

/// Where followers are asked for.
fn base_of(config: &Config) -> Option<String> {
    config.sources.iter().find_map(|s| match &s.kind {
        SourceKind::Jetstream(j) => j.audience.clone(),
        _ => None,
    })
}

fn show(status: &Status, figures: &Figures) {
    let m = &status.metrics;
    figures.accounts.iter().for_each(|(result, n)| m.raise(&metric::LOOKUPS, &[result], *n as f64));
    figures.requests.iter().for_each(|(result, n)| m.raise(&metric::LOOKUP_REQUESTS, &[result], *n as f64));
    figures.seen.iter().for_each(|(result, n)| m.raise(&metric::LOOKUPS_SEEN, &[result], *n as f64));
    m.set(&metric::QUEUE, &[Queue::Lookups.name()], figures.waiting as f64);
    m.set(&metric::LOOKUP_OLDEST, &[], figures.oldest.as_seconds());
    m.raise(&metric::LIMIT_HITS, &["lookups_kept"], figures.forgotten as f64);
}
