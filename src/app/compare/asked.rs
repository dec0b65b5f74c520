//! Comparisons over any time, from the changes that the store has recorded.

use std::sync::Arc;

use super::{Comparison, Spell, compare};
use crate::app::recovery::Kept;
use crate::base::limits;
use crate::base::model::Group;
use crate::base::rule::{Dim, Rule, RuleSet};
use crate::base::time::Time;
use crate::store::db::{Db, FiredRow, StoreError};

/// A rule in shadow, compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Compared {
    /// Its name.
    pub rule: String,
    /// The live rule; without one it is compared with nothing.
    pub twin: Option<String>,
    /// Since when.
    pub from: Time,
    /// Whether that is later than asked for, because one of the two said something else before.
    pub partly: bool,
    /// Before when.
    pub until: Time,
    /// What came of it.
    pub comparison: Comparison,
    /// There were more episodes than are looked at; the oldest are left out.
    pub left_out: bool,
}

/// Compares every rule in shadow with its twin, or one by its name, from a time to before another; those that say what they
/// say only since the end of it are left out.
///
/// # Errors
/// Where the store cannot be read.
pub fn compare_all(
    db: &Db,
    kept: &mut Kept<'_>,
    rules: &RuleSet,
    only: Option<&str>,
    (from, until): (Time, Time),
) -> Result<Vec<Compared>, StoreError> {
    let asked = rules.rules.iter().filter(|r| r.shadow && only.is_none_or(|name| r.name == name));
    let pairs: Vec<(&Rule, Option<&Rule>)> = asked.map(|r| (r, rules.twin_of(r))).collect();
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let history = History::read(db, kept)?;
    let named = pairs.iter().flat_map(|(rule, twin)| [Some(*rule), *twin]).flatten();
    let mut names: Vec<&str> = named.map(|r| r.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let around = (from - limits::COMPARED_WITHIN, until + limits::COMPARED_WITHIN);
    let rows = db.fired(&names, around, limits::COMPARED_EPISODES)?;
    let left_out = rows.len() >= limits::COMPARED_EPISODES;
    let one = |(rule, twin): (&Rule, Option<&Rule>)| {
        let changed = [Some(rule), twin].into_iter().flatten().filter_map(|r| history.since(r)).max();
        let since = changed.filter(|t| *t > from);
        let (partly, from) = (since.is_some(), since.unwrap_or(from));
        let parts = |d: &&Dim| twin.is_none_or(|t| t.by.contains(d));
        let dims: Vec<Dim> = rule.by.iter().filter(parts).copied().collect();
        let of = |name: &str| rows.iter().filter(|r| r.alert == name).map(|r| spell(r, &dims)).collect::<Vec<Spell>>();
        let live = twin.map_or_else(Vec::new, |t| of(&t.name));
        let comparison = compare(&live, &of(&rule.name), (from, until));
        let (rule, twin) = (rule.name.clone(), twin.map(|t| t.name.clone()));
        Compared { rule, twin, from, partly, until, comparison, left_out }
    };
    Ok(pairs.into_iter().map(one).filter(|c| c.from < c.until).collect())
}

/// Rule sets in the order they were put in force last.
struct History {
    sets: Vec<(Time, Arc<RuleSet>)>,
    /// There were others before.
    cut: bool,
}

impl History {
    fn read(db: &Db, kept: &mut Kept<'_>) -> Result<History, StoreError> {
        let all = db.rule_sets(limits::COMPARED_RULE_SETS)?;
        let cut = all.len() >= limits::COMPARED_RULE_SETS;
        let mut sets = Vec::new();
        for (fingerprint, at) in all.into_iter().rev() {
            sets.extend(kept.get(fingerprint)?.map(|rules| (at, rules)));
        }
        Ok(History { sets, cut })
    }

    /// Since when a rule says what it says, without a break; `None`: since the beginning, as far as anybody knows.
    fn since(&self, rule: &Rule) -> Option<Time> {
        let same = |set: &RuleSet| set.rules.iter().any(|r| r.name == rule.name && r.mark == rule.mark);
        let at = match self.sets.iter().rposition(|(_, set)| !same(set)) {
            Some(other) => other + 1,
            None if self.cut => 0,
            None => return None,
        };
        self.sets.get(at).map(|(at, _)| *at)
    }
}

fn spell(row: &FiredRow, dims: &[Dim]) -> Spell {
    let about = row.group.as_ref().map_or_else(|| row.brand.clone(), |g| about(&row.brand, g, dims));
    Spell {
        episode: row.episode,
        brand: Arc::from(row.brand.as_str()),
        about: Arc::from(about),
        from: row.fired,
        to: row.over,
        severity: row.severity,
    }
}

/// What an episode is about, as far as both rules tell it apart.
fn about(brand: &str, group: &Group, dims: &[Dim]) -> String {
    let mut out = brand.to_string();
    for dim in dims {
        let part = match dim {
            Dim::Brand | Dim::Group => continue,
            Dim::Story => group.story.as_ref().map(|s| &*s.name),
            Dim::Source => group.source.as_deref(),
            Dim::Lang => group.lang.as_deref(),
            Dim::Cause => group.cause.map(|c| c.name()),
            Dim::Tag => group.tag.as_deref(),
        };
        out.push('\n');
        out.push_str(part.unwrap_or(""));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::{Cause, KeyId, StoryId, StoryRef};
    use crate::base::rule::SourceText;

    fn set(more: &str) -> Arc<RuleSet> {
        let text = format!(
            "brands: {{u: {{query: united}}}}\nrules:\n  - {{alert: A, when: 'mentions[1m] >= 1', severity: warn}}\n{more}"
        );
        RuleSet::load(&[SourceText { file: "r.yaml".to_string(), text }]).unwrap().0.into()
    }

    #[test]
    fn a_rule_is_compared_since_it_says_what_it_says() {
        let trial = |least: u32| {
            set(&format!("  - {{alert: A2, when: 'mentions[1m] >= {least}', severity: warn, mode: shadow}}\n"))
        };
        let (none, two, three) = (set(""), trial(2), trial(3));
        let now = &three.rules[1];
        let since = |sets: &[(i64, &Arc<RuleSet>)], cut: bool| {
            let sets = sets.iter().map(|(at, set)| (Time(*at), (*set).clone())).collect();
            History { sets, cut }.since(now)
        };
        assert_eq!(since(&[(1, &none), (2, &two), (3, &three)], false), Some(Time(3)));
        assert_eq!(
            since(&[(1, &none), (2, &three), (3, &two), (4, &three)], false),
            Some(Time(4)),
            "it said something else in between"
        );
        assert_eq!(since(&[(1, &three)], false), None, "from the beginning");
        assert_eq!(since(&[(1, &three)], true), Some(Time(1)), "of before nothing is known");
        assert_eq!(since(&[], false), None);
    }

    #[test]
    fn episodes_are_about_the_same_as_far_as_both_rules_tell_apart() {
        let mut group = Group::whole(0, KeyId(1));
        group.story = Some(StoryRef { id: StoryId(1), name: "net:x".into() });
        group.cause = Some(Cause::ALL[0]);
        assert_eq!(about("u", &group, &[Dim::Brand]), "u");
        assert_eq!(about("u", &group, &[Dim::Brand, Dim::Story]), "u\nnet:x");
        let other = Group { story: None, ..group.clone() };
        assert_ne!(about("u", &group, &[Dim::Story]), about("u", &other, &[Dim::Story]));
        assert_ne!(about("u", &group, &[Dim::Story, Dim::Cause]), about("u", &group, &[Dim::Cause, Dim::Story]));
    }
}
