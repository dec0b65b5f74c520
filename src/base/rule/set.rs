//! A rule set: everything that rule files say, checked and ready to run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::fault::Fault;
use crate::base::hash;
use crate::base::model::{KeyId, Severity};
use crate::base::rule::expr::{Expr, SeriesSpec};
use crate::base::rule::query::Query;
use crate::base::rule::{Dim, Plan, SourceText, file};
use crate::base::time::Span;

/// A thing watched.
#[derive(Clone, PartialEq, Debug)]
pub struct Brand {
    /// Its key in files: `[a-z0-9][a-z0-9_-]*`.
    pub slug: Arc<str>,
    /// Its name in messages.
    pub name: String,
    /// What makes a post a mention, `exclude` included.
    pub query: Query,
    /// Who takes care of it.
    pub owner: Option<String>,
    /// What to do when it is in trouble.
    pub runbook: Option<String>,
    /// Its variables, defaults included.
    pub vars: BTreeMap<String, f64>,
}

/// One level of a rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Level {
    /// How urgent it is.
    pub severity: Severity,
    /// When it holds.
    pub when: Expr,
    /// How long it must hold first.
    pub hold: Span,
}

/// A condition per group, with its life cycle.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What it is evaluated for, sorted; always holds [`Dim::Brand`].
    pub by: Vec<Dim>,
    /// Its plan, by place in the rule set.
    pub plan: usize,
    /// Its levels, by rising severity; never empty.
    pub levels: Vec<Level>,
    /// When it begins to clear; by default when no level holds.
    pub clear: Option<Expr>,
    /// How long it must stay clear before it is over.
    pub keep_firing_for: Span,
    /// One line for people.
    pub summary: Option<String>,
    /// What to do.
    pub runbook: Option<String>,
    /// Where it stands, for messages.
    pub place: String,
    /// The series it names, by place in its plan, in the order written.
    pub operands: Vec<usize>,
}

/// Everything that rule files say.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleSet {
    /// Brands, sorted by slug; a [`KeyId`] is a place in this list.
    pub brands: Vec<Brand>,
    /// Rules in the order of files and lines.
    pub rules: Vec<Rule>,
    /// What is computed for them.
    pub plans: Vec<Plan>,
    /// The longest time posts are kept for windows.
    pub retention: Span,
    /// Equal for rule sets of equal meaning.
    pub fingerprint: u64,
}

impl Rule {
    /// Gives every series of its expressions a place, and notes its operands.
    pub(super) fn place_series(&mut self, place: &mut impl FnMut(&SeriesSpec) -> usize) {
        let mut operands = Vec::new();
        let mut noting = |spec: &SeriesSpec| {
            let slot = place(spec);
            if !operands.contains(&slot) {
                operands.push(slot);
            }
            slot
        };
        for level in &mut self.levels {
            level.when.place_series(&mut noting);
        }
        if let Some(clear) = &mut self.clear {
            clear.place_series(&mut noting);
        }
        self.operands = operands;
    }

    /// The condition under which the rule begins to clear, as it is applied.
    pub fn effective_clear(&self) -> Expr {
        let no_level = || {
            let any = self.levels.iter().map(|l| l.when.clone());
            any.reduce(|a, b| Expr::Or(Box::new(a), Box::new(b))).map(|e| Expr::Not(Box::new(e)))
        };
        let never = || Expr::Number("0".to_string(), 0.0);
        self.clear.clone().or_else(no_level).unwrap_or_else(never)
    }
}

impl RuleSet {
    /// Reads files, which together form one set.
    ///
    /// # Errors
    /// All mistakes of all files. Warnings come with a set that is usable.
    pub fn load(files: &[SourceText]) -> Result<(RuleSet, Vec<Fault>), Vec<Fault>> {
        file::load(files)
    }

    pub(super) fn build(mut brands: Vec<Brand>, mut rules: Vec<Rule>) -> RuleSet {
        brands.sort_by(|a, b| a.slug.cmp(&b.slug));
        let plans = Plan::build(&mut rules);
        let retention = Plan::retention(&plans);
        let mut meaning = String::new();
        for b in &brands {
            meaning.push_str(&format!("brand {} {} {:?}\n", b.slug, b.query, b.vars));
        }
        for r in &rules {
            meaning.push_str(&format!("rule {} {:?} {:?}\n", r.name, r.by, r.keep_firing_for));
            for l in &r.levels {
                meaning.push_str(&format!("level {:?} {} {:?}\n", l.severity, l.when, l.hold));
            }
            meaning.push_str(&r.effective_clear().to_string());
        }
        RuleSet { brands, rules, plans, retention, fingerprint: hash::parts(&[meaning.as_bytes()]) }
    }

    /// The brand of a key.
    pub fn brand(&self, key: KeyId) -> Option<&Brand> {
        self.brands.get(key.0 as usize)
    }

    /// Keys of all brands.
    pub fn keys(&self) -> impl Iterator<Item = KeyId> + use<> {
        (0..self.brands.len() as u32).map(KeyId)
    }

    /// The series of a rule by operand, with their names as written.
    pub fn operands<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = &'a SeriesSpec> + 'a {
        let plan = self.plans.get(rule.plan);
        rule.operands.iter().filter_map(move |slot| plan.and_then(|p| p.series.get(*slot)))
    }
}
