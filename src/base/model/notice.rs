//! What notify tells: a transition with the words of its rule and brand, or how a source or the
//! store fares.

use std::sync::Arc;

use crate::base::hash;
use crate::base::model::{EpisodeId, Phase, Severity, Transition};
use crate::base::rule::RuleSet;
use crate::base::time::Time;

/// The name that notices about sources have where alerts are named.
pub const SOURCE_DOWN: &str = "SourceDown";
/// The name that notices about the store have.
pub const STORE_FAILING: &str = "StoreFailing";
/// The name of what tells of episodes that were over before anybody could be told.
pub const OUTAGE_DIGEST: &str = "OutageDigest";

/// A time in which the service did not run, or was not at the live edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outage {
    /// When it last ran.
    pub from: Time,
    /// When it was back.
    pub to: Time,
}

/// A transition together with the rule set it was made under.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What changed.
    pub transition: Transition,
    /// The words: rule, brand, operand names.
    pub rules: Arc<RuleSet>,
    /// Why it is told late, if it is.
    pub outage: Option<Outage>,
}

/// The store cannot be written any more, or can again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreNotice {
    /// When that was noticed.
    pub at: Time,
    /// True: it fails; false: it is sound again.
    pub down: bool,
    /// Since when nothing is recorded.
    pub since: Time,
    /// What is wrong with it.
    pub why: String,
}

/// Episodes that began or went on, and ended, while the service did not run.
#[derive(Clone, Debug)]
pub struct Digest {
    /// When it is told.
    pub at: Time,
    /// When that was.
    pub outage: Outage,
    /// The last change of each.
    pub over: Vec<Notice>,
    /// How many more there were.
    pub left_out: usize,
}

/// A source is not heard any more, or is heard again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceNotice {
    /// When it was noticed.
    pub at: Time,
    /// The source.
    pub source: Arc<str>,
    /// True: it is not heard; false: it is heard again.
    pub down: bool,
    /// When it was last heard before that.
    pub since: Time,
    /// Why it is not heard; may be empty.
    pub why: String,
    /// Names of the rules that know less because of it, sorted.
    pub rules: Vec<String>,
    /// Equal for the same news of the same source.
    pub id: u64,
}

impl SourceNotice {
    /// A notice about a source that was last heard at `since`, with its id; sorts the rules.
    pub fn new(at: Time, source: Arc<str>, down: bool, since: Time, why: String, mut rules: Vec<String>) -> Self {
        rules.sort();
        rules.dedup();
        let id = hash::parts(&[b"source", source.as_bytes(), &since.0.to_le_bytes(), &[u8::from(down)]]);
        SourceNotice { at, source, down, since, why, rules, id }
    }

    /// Before.
    pub fn from(&self) -> Phase {
        if self.down { Phase::Inactive } else { Phase::Firing }
    }

    /// After.
    pub fn to(&self) -> Phase {
        if self.down { Phase::Firing } else { Phase::Resolved }
    }
}

/// Anything that receivers are told.
#[derive(Clone, Debug)]
pub enum Message {
    /// An episode changed.
    Episode(Notice),
    /// A source is lost or found again.
    Source(SourceNotice),
    /// The store fails or is sound again.
    Store(StoreNotice),
    /// What was over before anybody could be told.
    Digest(Digest),
}

impl Message {
    /// When it became true.
    pub fn at(&self) -> Time {
        match self {
            Message::Episode(n) => n.transition.at,
            Message::Source(s) => s.at,
            Message::Store(s) => s.at,
            Message::Digest(d) => d.at,
        }
    }

    /// How urgent it is.
    pub fn severity(&self) -> Severity {
        match self {
            Message::Episode(n) => n.transition.severity,
            Message::Source(_) | Message::Store(_) => Severity::Warn,
            Message::Digest(_) => Severity::Info,
        }
    }

    /// The name of its rule; [`SOURCE_DOWN`] of a source.
    pub fn alert(&self) -> &str {
        match self {
            Message::Episode(n) => n.rules.rules.get(n.transition.rule as usize).map_or("", |r| &r.name),
            Message::Source(_) => SOURCE_DOWN,
            Message::Store(_) => STORE_FAILING,
            Message::Digest(_) => OUTAGE_DIGEST,
        }
    }

    /// By what a receiver knows that it got this already: letters, digits and `-`. An episode's
    /// begins with the episode's id; the same step made again from the log has the same key.
    pub fn key(&self) -> String {
        match self {
            Message::Episode(n) => format!("{}-{:016x}", n.transition.episode, step(&n.transition)),
            Message::Source(s) => format!("{:016x}", s.id),
            Message::Store(s) => {
                let id = hash::parts(&[b"store", &s.since.0.to_le_bytes(), &[u8::from(s.down)]]);
                format!("{id:016x}")
            }
            Message::Digest(d) => {
                let id = hash::parts(&[b"digest", &d.outage.from.0.to_le_bytes(), &d.outage.to.0.to_le_bytes()]);
                format!("{id:016x}")
            }
        }
    }

    /// The episode it is about, if it is about one.
    pub fn episode(&self) -> Option<EpisodeId> {
        match self {
            Message::Episode(n) => Some(n.transition.episode),
            _ => None,
        }
    }
}

/// What tells a step from the others of its episode. One Tick can span many moments, and one moment a rise: neither the entry nor the phase alone
/// tells the steps of an episode apart.
pub fn step(t: &Transition) -> u64 {
    let phases = [t.from.name(), t.to.name(), t.severity.name()].map(str::as_bytes);
    let moment = [t.seq.to_le_bytes(), t.at.0.to_le_bytes()].concat();
    hash::parts(&[&moment, phases[0], phases[1], phases[2]])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::model::{EpisodeId, Group, KeyId, Reason};

    fn transition() -> Transition {
        Transition {
            seq: 7,
            at: Time(1_000_000),
            made_under: 1,
            rule: 0,
            group: Group::whole(0, KeyId(1)),
            episode: EpisodeId(0xabc),
            since: Time(0),
            from: Phase::Inactive,
            to: Phase::Firing,
            severity: Severity::Warn,
            reason: Reason::Condition,
            value: None,
            operands: Vec::new(),
            summary: None,
            evidence: None,
        }
    }

    fn key(transition: Transition) -> String {
        let rules = Arc::new(RuleSet::load(&[]).unwrap_or_else(|f| panic!("{f:?}")).0);
        Message::Episode(Notice { transition, rules, outage: None }).key()
    }

    #[test]
    fn every_step_of_an_episode_has_its_own_key_and_keeps_it() {
        let t = transition;
        let steps = [
            t(),
            Transition { seq: 8, ..t() },
            Transition { at: Time(2_000_000), ..t() },
            Transition { from: Phase::Clearing, ..t() },
            Transition { to: Phase::Pending, ..t() },
            Transition { severity: Severity::Page, ..t() },
            Transition { episode: EpisodeId(1), ..t() },
        ];
        let keys: BTreeSet<String> = steps.iter().map(|s| key(s.clone())).collect();
        assert_eq!(keys.len(), steps.len());
        // stored by receivers: it must be the same in every version, and whatever else is known
        let known = Transition { value: Some(1.0), made_under: 2, summary: Some("x".into()), ..t() };
        assert_eq!((key(t()), key(t())), (key(known), "0000000000000abc-c18cf402087e3f47".to_string()));
    }

    #[test]
    fn news_of_a_source_is_told_apart_by_source_moment_and_direction() {
        let of = |source: &str, down, since| SourceNotice::new(Time(9), source.into(), down, since, "x".into(), vec![]);
        let a = of("a", true, Time(1));
        let others = [of("b", true, Time(1)), of("a", false, Time(1)), of("a", true, Time(2))];
        assert!(others.iter().all(|o| o.id != a.id));
        let later = SourceNotice::new(Time(10), "a".into(), true, Time(1), "y".into(), vec!["B".into(), "A".into()]);
        assert_eq!((later.id, later.rules.clone()), (a.id, vec!["A".to_string(), "B".to_string()]));
        let m = Message::Source(later);
        assert_eq!((m.severity(), m.alert(), m.key().len()), (Severity::Warn, "SourceDown", 16));
    }
}
