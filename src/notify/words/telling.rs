//! What is to be told of an incident, with its most severe episode at hand.

use std::collections::BTreeMap;

use crate::base::figures;
use crate::base::model::{Evidence, Notice};
use crate::base::rule::expr::SeriesSpec;
use crate::base::rule::{Brand, Rule};
use crate::base::time::{Span, Time};
use crate::notify::around::Surroundings;
use crate::notify::plain::{plain, quoted};
use crate::notify::view::{Case, Deed, News};

use super::facts::whole_seconds;

/// Runbooks named in one message.
const RUNBOOKS_SHOWN: usize = 5;
/// Labels a message carries.
const LABELS: usize = 32;
/// Figures that are older than this when they are told are dated.
const FRESH: Span = Span::seconds(60);

/// An incident and those who read of it.
pub(super) struct Telling<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) around: &'a Surroundings,
    /// The most severe episode, of equals the newest.
    pub(super) lead: &'a Notice,
    pub(super) rule: Option<&'a Rule>,
    pub(super) brand: Option<&'a Brand>,
    pub(super) evidence: Option<&'a Evidence>,
}

fn rule_of(n: &Notice) -> Option<&Rule> {
    n.rules.rules.get(n.transition.rule as usize)
}

impl<'a> Telling<'a> {
    /// `None` of an incident without episodes.
    pub(super) fn new(case: &'a Case<'a>, around: &'a Surroundings) -> Option<Telling<'a>> {
        let lead: &'a Notice = case.episodes.first().copied()?;
        let (rule, brand) = (rule_of(lead), lead.rules.brand(lead.transition.group.key));
        Some(Telling { case, around, lead, rule, brand, evidence: lead.transition.evidence.as_deref() })
    }

    pub(super) fn brand_name(&self) -> String {
        plain(self.brand.map_or("?", |b| &b.name), 80)
    }

    /// What the lead rule is called, in small words.
    pub(super) fn title(&self) -> String {
        self.rule.map_or("alert".to_string(), |r| words_of(&plain(&r.name, 80)))
    }

    pub(super) fn is_over(&self) -> bool {
        self.case.ended.is_some() || self.case.news == News::Over
    }

    pub(super) fn ended(&self) -> Option<Time> {
        self.case.ended.or_else(|| (self.case.news == News::Over).then_some(self.case.now))
    }

    /// How long it has lasted.
    pub(super) fn lasted(&self) -> Span {
        whole_seconds(self.ended().unwrap_or(self.case.now) - self.case.began)
    }

    /// Whether the lead is about one story.
    pub(super) fn is_story(&self) -> bool {
        self.lead.transition.group.story.is_some()
    }

    /// The series of the lead rule.
    pub(super) fn series(&self) -> Vec<&'a SeriesSpec> {
        self.rule.into_iter().flat_map(|r| self.lead.rules.operands(r)).collect()
    }

    /// When the figures were worked out, if that is a while ago.
    pub(super) fn dated(&self) -> Option<Time> {
        let at = self.lead.transition.at;
        (self.case.now - at >= FRESH).then_some(at)
    }

    /// The names of its rules, the lead's first, each once.
    pub(super) fn rule_names(&self) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for name in self.case.episodes.iter().filter_map(|n| rule_of(n)).map(|r| plain(&r.name, 100)) {
            if !out.contains(&name) {
                out.push(name);
            }
        }
        out
    }

    /// Those of the brand, then those of its rules, each once.
    pub(super) fn runbooks(&self) -> Vec<String> {
        let rules = self.case.episodes.iter().filter_map(|n| rule_of(n)?.runbook.as_ref());
        let mut out: Vec<String> = Vec::new();
        for book in self.brand.and_then(|b| b.runbook.as_ref()).into_iter().chain(rules).map(|r| plain(r, 200)) {
            if !out.contains(&book) && out.len() < RUNBOOKS_SHOWN {
                out.push(book);
            }
        }
        out
    }

    pub(super) fn owner(&self) -> Option<String> {
        self.brand.and_then(|b| b.owner.as_ref()).map(|o| plain(o, 100))
    }

    /// What machines sort it by: of the episode it began with, so that it does not change.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let first = self.case.episodes.iter().min_by_key(|n| (n.transition.since, n.transition.episode));
        let first = first.map_or(self.lead, |n| n);
        let mut out = BTreeMap::new();
        if let Some(brand) = first.rules.brand(first.transition.group.key) {
            let groups = first.rules.brands.iter().filter(|g| g.group && g.members.iter().any(|m| **m == *brand.slug));
            for (name, value) in groups.chain([brand]).flat_map(|b| &b.labels).take(LABELS) {
                out.insert(plain(name, 100), plain(value, 200));
            }
            out.insert("brand".into(), plain(&brand.slug, 100));
        }
        out.insert("alertname".into(), rule_of(first).map_or(String::new(), |r| plain(&r.name, 100)));
        out
    }

    /// `Dana at 03:09:10 CDT`, for where no headline tells the zone.
    pub(super) fn by(&self, deed: &Deed) -> String {
        let until = deed.until.map_or(String::new(), |t| format!(" until {}", self.around.clock(t)));
        format!("{} at {}{until}", quoted(&deed.by, 60), self.around.clock_zone(deed.at))
    }
}

/// Hostile reach against the brand's usual one, as `19.7x`; `None` where nothing is usual yet.
pub(super) fn times_usual(reach: f64, e: &Evidence) -> Option<String> {
    let (usual, _) = e.usual.filter(|(usual, _)| *usual >= 0.5)?;
    let times = reach / usual;
    Some(if times >= 1000.0 { "more than 1000x".to_string() } else { figures::times(times) })
}

/// `StorySpreading` as `story spreading`.
fn words_of(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = vec![String::new()];
    for (i, c) in chars.iter().enumerate() {
        let (before, after) = (i.checked_sub(1).and_then(|b| chars.get(b)), chars.get(i + 1));
        let from_small = before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit());
        let into_small = before.is_some_and(|b| b.is_uppercase()) && after.is_some_and(|a| a.is_lowercase());
        if matches!(c, '_' | '-' | ' ') || (c.is_uppercase() && (from_small || into_small)) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| !matches!(c, '_' | '-' | ' ')) {
            word.push(*c);
        }
    }
    let small = |w: &String| {
        let shouted = w.chars().count() > 1 && w.chars().all(|c| c.is_uppercase() || c.is_ascii_digit());
        if shouted { w.clone() } else { w.to_lowercase() }
    };
    words.iter().filter(|w| !w.is_empty()).map(small).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rules_are_read_as_words() {
        for (name, words) in [
            ("StorySpreading", "story spreading"),
            ("BigVoice", "big voice"),
            ("HTTPDown", "HTTP down"),
            ("Top10Outlets", "top10 outlets"),
            ("snake_case-name", "snake case name"),
            ("Surge", "surge"),
            ("", ""),
        ] {
            assert_eq!(words_of(name), words);
        }
    }
}
