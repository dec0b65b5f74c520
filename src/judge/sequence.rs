//! `A then B within t`: what happened first, for each rule and group that waits for the second.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::Values;
use crate::base::limits;
use crate::base::model::{Group, KeyId, Reading};
use crate::base::rule::{Brand, Rule};
use crate::base::time::{Span, Time};

/// Where a sequence stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Wait {
    /// When the first part last held.
    first: Option<Time>,
    /// Whether it held at the last look.
    holding: bool,
    /// Since when the second part has held, and whether that was in time.
    second: Option<(Time, bool)>,
    /// What was said last.
    said: Option<bool>,
    within: Span,
    /// The last look that changed anything.
    last: Time,
}

/// Sequences of one key, by group, rule and place in the rule.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sequences {
    waits: BTreeMap<(Group, u32, u32), Wait>,
}

impl Wait {
    fn new(within: Span) -> Wait {
        Wait { first: None, holding: false, second: None, said: None, within, last: Time(i64::MIN) }
    }

    /// What both parts say at `now`; whether the sequence holds. The second part must begin to hold while the
    /// first holds, or at most so long after it last did; then the sequence holds as long as the second part does.
    fn step(&mut self, first: Option<bool>, second: Option<bool>, now: Time) -> Option<bool> {
        // what held at the last look held until now
        if self.holding || first == Some(true) {
            self.first = Some(now);
        }
        self.holding = first == Some(true);
        let in_time = self.first.is_some_and(|t| now - t <= self.within);
        self.said = match second {
            None => None,
            // what was not known for too long begins anew
            Some(true) if self.said.is_none() && !in_time => {
                self.second = Some((now, false));
                Some(false)
            }
            Some(false) => {
                self.second = None;
                Some(false)
            }
            Some(true) => Some(self.second.get_or_insert((now, in_time)).1),
        };
        self.last = now;
        self.said
    }

    /// Whether it is as if nothing had happened.
    fn is_over(&self, now: Time) -> bool {
        let waits = self.second.is_some() && self.said.is_some();
        !self.holding && !waits && self.first.is_none_or(|t| now - t > self.within)
    }
}

impl Sequences {
    /// Judges the sequences of a rule; gives whether each holds.
    pub(super) fn judge(
        &mut self,
        rule: &Rule,
        index: u32,
        (r, brand): (&Reading, Option<&Brand>),
    ) -> SmallVec<[Option<bool>; 2]> {
        let mut out: SmallVec<[Option<bool>; 2]> = SmallVec::new();
        for condition in rule.levels.iter().map(|l| &l.when).chain(&rule.clear) {
            condition.each_sequence(&mut |first, second, within| {
                let values = Values { series: &r.values, brand, sequences: &out };
                let (first, second) = (first.holds(&values), second.holds(&values));
                let at = (r.group.clone(), index, out.len() as u32);
                out.push(self.step(at, within, (first, second), r.at));
            });
        }
        out
    }

    fn step(
        &mut self,
        at: (Group, u32, u32),
        within: Span,
        (first, second): (Option<bool>, Option<bool>),
        now: Time,
    ) -> Option<bool> {
        if !self.waits.contains_key(&at) {
            if first != Some(true) && second != Some(true) {
                return second;
            }
            self.make_room();
        }
        let wait = self.waits.entry(at.clone()).or_insert_with(|| Wait::new(within));
        let holds = wait.step(first, second, now);
        if wait.is_over(now) {
            self.waits.remove(&at);
        }
        holds
    }

    /// Keeps their number within the limit before another is added: the least recent sixteenth leaves.
    fn make_room(&mut self) {
        if self.waits.len() < limits::SEQUENCES_PER_KEY {
            return;
        }
        let mut order: Vec<(Time, (Group, u32, u32))> = self.waits.iter().map(|(at, w)| (w.last, at.clone())).collect();
        order.sort_unstable();
        for (_, at) in order.into_iter().take(limits::SEQUENCES_PER_KEY / 16) {
            self.waits.remove(&at);
        }
    }

    /// Whether the sequences of a rule hold, where its series had other values: what came first stays as it was.
    pub(super) fn with(&self, rule: &Rule, index: u32, group: &Group, values: &Values<'_>) -> Vec<Option<bool>> {
        let mut out = Vec::new();
        for condition in rule.levels.iter().map(|l| &l.when).chain(&rule.clear) {
            condition.each_sequence(&mut |_, second, _| {
                let wait = self.waits.get(&(group.clone(), index, out.len() as u32));
                let said = wait.map_or(Some(false), |w| w.said);
                let now = second.holds(&Values { sequences: &out, ..*values });
                out.push(match (said, now) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                });
            });
        }
        out
    }

    /// Forgets a group that left.
    pub(super) fn leave(&mut self, group: &Group) {
        let from = (group.clone(), 0, 0);
        let all = self.waits.range(from..=(group.clone(), u32::MAX, u32::MAX));
        let gone: Vec<(Group, u32, u32)> = all.map(|(at, _)| at.clone()).collect();
        for at in gone {
            self.waits.remove(&at);
        }
    }

    /// Forgets those that are as if nothing had happened.
    pub(super) fn forget(&mut self, now: Time) {
        self.waits.retain(|_, w| !w.is_over(now));
    }

    /// The key they are of.
    pub(super) fn key(&self) -> Option<KeyId> {
        self.waits.keys().map(|(group, ..)| group.key).next()
    }

    /// Rules change: `at_new` tells the place of a rule, and of its plan, among the new ones.
    pub(super) fn change(&mut self, at_new: &mut impl FnMut(u32) -> Option<(u32, u32)>) {
        for ((group, rule, slot), wait) in std::mem::take(&mut self.waits) {
            if let Some((rule, plan)) = at_new(rule) {
                self.waits.insert((Group { plan, ..group }, rule, slot), wait);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays `second: first second` with t, f and ?; tells what the sequence says.
    fn play(script: &str) -> String {
        let truth = |c: char| match c {
            't' => Some(true),
            'f' => Some(false),
            _ => None,
        };
        let mut all = Sequences::default();
        let mut out = String::new();
        for step in script.split_whitespace() {
            let (at, what) = step.split_once(':').unwrap();
            let now = Time::from_millis(1000 * at.parse::<i64>().unwrap());
            let mut what = what.chars().map(truth);
            let parts = (what.next().unwrap(), what.next().unwrap());
            let said = all.step((Group::whole(0, KeyId(1)), 0, 0), Span::seconds(60), parts, now);
            out.push(said.map_or('?', |s| if s { 't' } else { 'f' }));
        }
        out + if all.waits.is_empty() { " over" } else { "" }
    }

    #[test]
    fn the_second_part_must_begin_in_time() {
        assert_eq!(play("0:tf 10:ff 70:ft 90:ft 100:ff"), "ffttf over", "the first held until 10");
        assert_eq!(play("0:tf 10:ff 71:ft 72:ff"), "ffff over", "too late");
        assert_eq!(play("0:ft 10:tt 20:ft 30:ff"), "ffff", "it held before");
        assert_eq!(play("0:ft 10:tt 20:ff 30:ft"), "ffft");
        assert_eq!(play("0:tt 30:ft 100:ft 101:ff"), "tttf over", "both at once, and on");
        assert_eq!(play("0:tf 500:tf 520:tt"), "fft", "held all along");
        assert_eq!(play("0:ff 1:f? 2:?f"), "f?f over");
    }

    #[test]
    fn what_is_unknown_changes_nothing() {
        assert_eq!(play("0:tf 10:f? 20:ft 30:?? 40:ft 50:ff"), "f?t?tf");
        assert_eq!(play("0:?t 10:ft"), "ff", "nobody knows that the first part held");
        assert_eq!(play("0:tf 10:ft 20:f? 200:ft"), "ft?f", "it was in time once, long ago");
        assert_eq!(play("0:tf 10:ft 20:f? 100:f?"), "ft?? over");
    }

    #[test]
    fn the_least_recent_leave_beyond_the_limit() {
        let mut all = Sequences::default();
        for i in 0..=limits::SEQUENCES_PER_KEY as u32 {
            let at = (Group::whole(0, KeyId(1)), 0, i);
            all.step(at, Span::seconds(60), (Some(true), Some(false)), Time(i64::from(i)));
        }
        assert_eq!(all.waits.len(), limits::SEQUENCES_PER_KEY * 15 / 16 + 1);
        assert_eq!(all.waits.keys().next().map(|k| k.2), Some(limits::SEQUENCES_PER_KEY as u32 / 16));
        all.waits.values_mut().for_each(|w| w.holding = false);
        all.forget(Time::from_millis(200_000));
        assert!(all.waits.is_empty());
    }
}
