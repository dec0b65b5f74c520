//! Who is told what, when and how, as the config says.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::group::Quiet;
use super::inhibit::Inhibit;
use super::routes::Routes;
use crate::base::time::{Span, Zone};

/// How a receiver is told of an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Manner {
    /// Every change of every episode, as it comes: for machines.
    #[default]
    Feed,
    /// A letter for everything worth one.
    Letters,
    /// One message that is edited in place.
    Edited,
    /// An incident of its own, which is opened, acknowledged and resolved.
    Pager,
    /// What holds at the moment.
    State,
}

impl Manner {
    /// Whether it is told of changes that are worth no letter.
    pub(super) fn follows(self) -> bool {
        matches!(self, Manner::Edited | Manner::State)
    }

    /// Whether it shows who took an incident.
    pub(super) fn shows_hands(self) -> bool {
        matches!(self, Manner::Edited | Manner::Pager)
    }

    /// Whether a later message makes an earlier one needless.
    pub(super) fn replaces(self) -> bool {
        !matches!(self, Manner::Feed | Manner::Letters)
    }
}

/// A receiver, as far as telling it is concerned.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// How it is told.
    pub manner: Manner,
    /// How often it is told again while something goes on and nobody acknowledged it; `None`: never.
    pub repeat: Option<Span>,
    /// When it is told of pages only.
    pub quiet: Option<Quiet>,
    /// The minute of the day at which it is told of what is no page.
    pub digest: Option<u16>,
    /// The minute of the day at which it gets a trial.
    pub trial: Option<u16>,
    /// Where it lives; `None`: UTC.
    pub zone: Option<Zone>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which message goes where.
    pub routes: Routes,
    /// By name.
    pub receivers: BTreeMap<Arc<str>, Receiver>,
    /// What keeps what quiet.
    pub inhibit: Vec<Inhibit>,
}

impl Policy {
    /// Machines only, which are told everything.
    pub fn feeds(names: &[&str]) -> Policy {
        let all: Vec<Arc<str>> = names.iter().map(|n| Arc::from(*n)).collect();
        let receivers = all.iter().map(|n| (n.clone(), Receiver::default())).collect();
        Policy { routes: Routes { routes: Vec::new(), all }, receivers, inhibit: Vec::new() }
    }
}
