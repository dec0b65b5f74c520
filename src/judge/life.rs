//! The life cycle: one function of (state, condition, engine time). Nothing else changes it.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::base::model::{Phase, Reason, Severity};
use crate::base::rule::Rule;
use crate::base::time::{Span, Time};

/// What a rule's conditions say at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Verdicts {
    /// Whether each level holds; `None` is unknown.
    pub(super) levels: SmallVec<[Option<bool>; 3]>,
    /// Whether it is clear.
    pub(super) clear: Option<bool>,
}

/// Where one rule stands for one group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Life {
    pub(super) phase: Phase,
    /// When the episode became pending.
    pub(super) since: Time,
    pub(super) severity: Severity,
    /// Since when each level has held; time in which it was unknown does not count.
    held: SmallVec<[Option<Time>; 3]>,
    /// Levels that were unknown at the last step.
    unknown: SmallVec<[bool; 3]>,
    /// The last step.
    last: Time,
    clear_since: Option<Time>,
    unknown_since: Option<Time>,
}

/// A change of phase, or a rise within firing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Step {
    pub(super) from: Phase,
    pub(super) to: Phase,
    pub(super) reason: Reason,
}

impl Life {
    pub(super) fn new(rule: &Rule) -> Life {
        Life {
            phase: Phase::Inactive,
            since: Time::default(),
            severity: rule.levels.first().map_or(Severity::Info, |l| l.severity),
            held: rule.levels.iter().map(|_| None).collect(),
            unknown: rule.levels.iter().map(|_| false).collect(),
            last: Time::default(),
            clear_since: None,
            unknown_since: None,
        }
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Inactive
    }

    /// Applies what the conditions say at `now`. At most one step.
    pub(super) fn step(&mut self, rule: &Rule, v: &Verdicts, now: Time) -> Option<Step> {
        let passed = now - self.last;
        for ((held, unknown), holds) in self.held.iter_mut().zip(&mut self.unknown).zip(&v.levels) {
            if *unknown {
                *held = held.map(|t| t + passed);
            }
            *unknown = holds.is_none();
            match holds {
                Some(true) => *held = held.or(Some(now)),
                Some(false) => *held = None,
                None => {}
            }
        }
        self.last = now;
        let from = self.phase;
        let (to, reason) = match from {
            Phase::Inactive | Phase::Resolved => self.begin(rule, v, now)?,
            Phase::Pending => self.wait(rule, v, now)?,
            Phase::Firing | Phase::Clearing => self.burn(rule, v, now)?,
        };
        self.phase = to;
        if to == Phase::Resolved || to == Phase::Inactive {
            *self = Life { phase: Phase::Inactive, severity: self.severity, since: self.since, ..Life::new(rule) };
        }
        Some(Step { from, to, reason })
    }

    /// The highest level that holds now and has held for long enough.
    fn matured(&self, rule: &Rule, v: &Verdicts, now: Time) -> Option<Severity> {
        let levels = rule.levels.iter().zip(&self.held).zip(&v.levels);
        let ripe = levels.filter(|((l, held), holds)| **holds == Some(true) && held.is_some_and(|t| now - t >= l.hold));
        ripe.map(|((l, _), _)| l.severity).max()
    }

    fn begin(&mut self, rule: &Rule, v: &Verdicts, now: Time) -> Option<(Phase, Reason)> {
        let holds = v.levels.contains(&Some(true));
        if !holds {
            return None;
        }
        self.since = now;
        if let Some(severity) = self.matured(rule, v, now) {
            self.severity = severity;
            return Some((Phase::Firing, Reason::Condition));
        }
        let lowest = rule.levels.iter().zip(&v.levels).find(|(_, h)| **h == Some(true));
        self.severity = lowest.map_or(self.severity, |(l, _)| l.severity);
        Some((Phase::Pending, Reason::Condition))
    }

    fn wait(&mut self, rule: &Rule, v: &Verdicts, now: Time) -> Option<(Phase, Reason)> {
        if let Some(severity) = self.matured(rule, v, now) {
            self.severity = severity;
            return Some((Phase::Firing, Reason::Condition));
        }
        if v.levels.contains(&Some(true)) {
            self.unknown_since = None;
            return None;
        }
        if v.levels.iter().all(|h| *h == Some(false)) {
            return Some((Phase::Inactive, Reason::Condition));
        }
        let since = *self.unknown_since.get_or_insert(now);
        (now - since >= patience(rule)).then_some((Phase::Inactive, Reason::NoData))
    }

    fn burn(&mut self, rule: &Rule, v: &Verdicts, now: Time) -> Option<(Phase, Reason)> {
        if let Some(severity) = self.matured(rule, v, now).filter(|s| *s > self.severity) {
            self.severity = severity;
            self.clear_since = None;
            self.unknown_since = None;
            return Some((Phase::Firing, Reason::Rise));
        }
        match v.clear {
            None => {
                self.clear_since = None;
                let since = *self.unknown_since.get_or_insert(now);
                (now - since >= rule.keep_firing_for).then_some((Phase::Resolved, Reason::NoData))
            }
            Some(false) => {
                self.unknown_since = None;
                self.clear_since = None;
                (self.phase == Phase::Clearing).then_some((Phase::Firing, Reason::Condition))
            }
            Some(true) => {
                self.unknown_since = None;
                let since = *self.clear_since.get_or_insert(now);
                if now - since >= rule.keep_firing_for {
                    return Some((Phase::Resolved, Reason::Cleared));
                }
                (self.phase == Phase::Firing).then_some((Phase::Clearing, Reason::Condition))
            }
        }
    }

    /// When it is to be looked at again even if nothing happens.
    pub(super) fn deadline(&self, rule: &Rule, now: Time) -> Option<Time> {
        let levels = rule.levels.iter().zip(&self.held).zip(&self.unknown);
        let ripening = levels.filter(|(_, unknown)| !**unknown).filter_map(|((l, held), _)| held.map(|t| t + l.hold));
        let ending = match self.phase {
            Phase::Pending => [None, self.unknown_since.map(|t| t + patience(rule))],
            Phase::Firing | Phase::Clearing => {
                [self.clear_since, self.unknown_since].map(|since| since.map(|t| t + rule.keep_firing_for))
            }
            Phase::Inactive | Phase::Resolved => [None, None],
        };
        ripening.chain(ending.into_iter().flatten()).filter(|t| *t > now).min()
    }
}

/// How long a pending episode waits while nothing is known.
fn patience(rule: &Rule) -> Span {
    rule.levels.iter().map(|l| l.hold).max().unwrap_or(Span::ZERO).max(rule.keep_firing_for)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::{RuleSet, SourceText};

    fn rule(text: &str) -> Rule {
        let file = SourceText { file: "t.yaml".into(), text: format!("rules:\n  - alert: R\n{text}") };
        RuleSet::load(&[file]).unwrap().0.rules.remove(0)
    }

    /// Plays `second: levels/clear` with t, f and ? for true, false and unknown; tells changes.
    fn play(rule: &Rule, script: &str) -> String {
        let truth = |c| match c {
            't' => Some(true),
            'f' => Some(false),
            _ => None,
        };
        let mut life = Life::new(rule);
        let mut out = Vec::new();
        for step in script.split_whitespace() {
            let (at, what) = step.split_once(':').unwrap();
            let (levels, clear) = what.split_once('/').unwrap();
            let v =
                Verdicts { levels: levels.chars().map(truth).collect(), clear: truth(clear.chars().next().unwrap()) };
            if let Some(s) = life.step(rule, &v, Time::from_millis(1000 * at.parse::<i64>().unwrap())) {
                out.push(format!("{at} {} {} {}", s.to.name(), life.severity.name(), s.reason.name()));
            }
        }
        out.join(", ")
    }

    const PLAIN: &str = "    when: mentions[1h] > 1\n    severity: page\n    for: 10s\n    keep_firing_for: 60s\n";

    #[test]
    fn pends_fires_clears_resolves() {
        let r = rule(PLAIN);
        assert_eq!(
            play(&r, "0:t/f 5:t/f 10:t/f 20:f/t 50:f/t 79:f/t 80:f/t"),
            "0 pending page condition, 10 firing page condition, 20 clearing page condition, 80 resolved page cleared"
        );
        assert_eq!(
            play(&r, "0:t/f 5:f/t 10:t/f 19:t/f 20:t/f"),
            "0 pending page condition, 5 inactive page condition, 10 pending page condition, 20 firing page condition"
        );
        assert_eq!(
            play(&r, "0:t/f 10:t/f 20:f/t 50:t/f 60:f/t 119:f/t 120:f/t"),
            "0 pending page condition, 10 firing page condition, 20 clearing page condition, 50 firing page condition, 60 clearing page condition, 120 resolved page cleared"
        );
    }

    #[test]
    fn unknown_keeps_the_state_and_ends_in_no_data() {
        let r = rule(PLAIN);
        assert_eq!(play(&r, "0:t/f 10:?/? 15:t/f"), "0 pending page condition, 15 firing page condition");
        assert_eq!(play(&r, "0:?/? 10:?/?"), "");
        assert_eq!(
            play(&r, "0:t/f 10:t/f 20:?/? 79:?/? 80:?/?"),
            "0 pending page condition, 10 firing page condition, 80 resolved page no data"
        );
        assert_eq!(
            play(&r, "0:t/f 10:t/f 20:?/? 50:t/f 60:?/? 119:?/? 120:?/?"),
            "0 pending page condition, 10 firing page condition, 120 resolved page no data"
        );
    }

    #[test]
    fn what_is_unknown_does_not_count_and_does_not_wait_for_ever() {
        let r = rule(PLAIN);
        assert_eq!(play(&r, "0:t/f 4:?/? 900:?/?"), "0 pending page condition, 900 inactive page no data");
        assert_eq!(play(&r, "0:t/f 4:?/? 50:t/f 55:t/f 56:t/f"), "0 pending page condition, 56 firing page condition");
        let mut life = Life::new(&r);
        let t = |s: i64| Time::from_millis(s * 1000);
        let v = |l, c| Verdicts { levels: SmallVec::from_slice(&[l]), clear: c };
        life.step(&r, &v(Some(true), Some(false)), t(0));
        life.step(&r, &v(None, None), t(4));
        assert_eq!(life.deadline(&r, t(4)), Some(t(64)));
        // clear, then unknown: the moment of `no data` is not forgotten
        let mut life = Life::new(&r);
        life.step(&r, &v(Some(true), Some(false)), t(0));
        life.step(&r, &v(Some(true), Some(false)), t(10));
        life.step(&r, &v(Some(false), Some(true)), t(20));
        life.step(&r, &v(None, None), t(50));
        assert_eq!(life.deadline(&r, t(80)), Some(t(110)));
        // a rise begins anew
        let r =
            rule("    levels:\n      warn: mentions[1h] > 1\n      page: mentions[1h] > 9\n    keep_firing_for: 60s\n");
        assert_eq!(
            play(&r, "0:tf/f 10:?f/? 30:tt/f 40:??/? 99:??/? 100:??/?"),
            "0 firing warn condition, 30 firing page rise, 100 resolved page no data"
        );
    }

    #[test]
    fn severity_rises_and_never_falls_within_an_episode() {
        let r = rule(
            "    levels:\n      warn: mentions[1h] > 1\n      page: {when: \"mentions[1h] > 9\", for: 30s}\n    keep_firing_for: 60s\n",
        );
        assert_eq!(
            play(&r, "0:tf/f 5:tt/f 34:tt/f 35:tt/f 40:tf/f 50:ff/t 110:ff/t 200:tf/f"),
            "0 firing warn condition, 35 firing page rise, 50 clearing page condition, 110 resolved page cleared, 200 firing warn condition"
        );
        assert_eq!(play(&r, "0:tt/f 10:ft/f 30:?t/f"), "0 firing warn condition, 30 firing page rise");
    }

    #[test]
    fn deadlines_name_every_moment_that_can_change_it() {
        let r = rule(PLAIN);
        let mut life = Life::new(&r);
        let t = |s: i64| Time::from_millis(s * 1000);
        let v = |l, c| Verdicts { levels: SmallVec::from_slice(&[l]), clear: c };
        life.step(&r, &v(Some(true), Some(false)), t(0));
        assert_eq!(life.deadline(&r, t(0)), Some(t(10)));
        life.step(&r, &v(Some(true), Some(false)), t(10));
        assert_eq!(life.deadline(&r, t(10)), None);
        life.step(&r, &v(Some(false), Some(true)), t(20));
        assert_eq!(life.deadline(&r, t(20)), Some(t(80)));
    }
}
