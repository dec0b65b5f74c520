//! A rule set: everything that rule files say, checked and ready to run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::account::key_id;
use crate::base::fault::Fault;
use crate::base::hash;
use crate::base::model::{KeyId, Severity};
use crate::base::rule::expr::{Expr, Field, Operand, SeriesSpec};
use crate::base::rule::{Brand, Dim, Plan, SourceText, Template, Twin, file};
use crate::base::time::Span;

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
    /// Keys of the brands or groups it is for, sorted; empty means all.
    pub only: Vec<String>,
    /// What it is evaluated for, sorted; always holds [`Dim::Brand`] or [`Dim::Group`].
    pub by: Vec<Dim>,
    /// Its plan, by place in the rule set.
    pub plan: usize,
    /// Equal for rules of equal conditions and life cycle, whichever brands they are for.
    pub mark: u64,
    /// Its levels, by rising severity; never empty.
    pub levels: Vec<Level>,
    /// Quantities it gave names to, in the order written.
    pub lets: Vec<(String, Expr)>,
    /// When it begins to clear; by default when no level holds.
    pub clear: Option<Expr>,
    /// How long it must stay clear before it is over.
    pub keep_firing_for: Span,
    /// One line for people.
    pub summary: Option<Template>,
    /// What to do.
    pub runbook: Option<String>,
    /// Receivers that are told instead of those of the routes; empty: those of the routes.
    pub notify: Vec<String>,
    /// How many sequences (`then`) its conditions hold.
    pub sequences: usize,
    /// Nobody is told of it; it is there to be watched.
    pub shadow: bool,
    /// The live rule it is compared with, where it names one; [`RuleSet::twin_of`] tells which one it is.
    pub twin: Option<Twin>,
    /// Where it stands, for messages.
    pub place: String,
    /// The series it names, by place in its plan, in the order written.
    pub operands: Vec<usize>,
}

/// Everything that rule files say.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleSet {
    /// Brands and groups, sorted by slug.
    pub brands: Vec<Brand>,
    /// Their places.
    index: BTreeMap<KeyId, usize>,
    /// Rules in the order of files and lines.
    pub rules: Vec<Rule>,
    /// What is computed for them.
    pub plans: Vec<Plan>,
    /// The plans of each key, by place.
    plans_of: BTreeMap<KeyId, Vec<usize>>,
    /// Keys that are also told of the posts of another key.
    pub readers: BTreeMap<KeyId, Vec<KeyId>>,
    /// The longest time posts are kept for windows.
    pub retention: Span,
    /// Equal for rule sets of equal meaning.
    pub fingerprint: u64,
    /// What it was read from.
    pub texts: Arc<[SourceText]>,
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
        self.lets.iter_mut().for_each(|(_, e)| e.place_series(place));
        if let Some(summary) = &mut self.summary {
            summary.exprs.iter_mut().for_each(|e| e.place_series(place));
        }
        self.operands = operands;
    }

    /// Gives every sequence of its conditions a place.
    pub(super) fn place_sequences(&mut self) {
        let mut next = 0;
        let conditions = self.levels.iter_mut().map(|l| &mut l.when);
        conditions.chain(&mut self.clear).for_each(|e| e.place_sequences(&mut next));
        self.sequences = next;
    }

    /// Its conditions and the quantities it shows.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let shown = self.summary.iter().flat_map(|t| &t.exprs);
        self.levels.iter().map(|l| &l.when).chain(&self.clear).chain(shown)
    }

    /// Whether it is for a brand or group.
    pub fn concerns(&self, brand: &Brand) -> bool {
        let named = || self.only.binary_search_by(|s| s.as_str().cmp(&brand.slug)).is_ok();
        brand.group == self.is_for_groups() && (self.only.is_empty() || named())
    }

    /// Whether it is for groups of brands.
    pub fn is_for_groups(&self) -> bool {
        self.by.contains(&Dim::Group)
    }

    /// `live`, or `shadow` where nobody is told of it.
    pub fn mode(&self) -> &'static str {
        if self.shadow { "shadow" } else { "live" }
    }

    fn meaning(&self) -> String {
        let mut out = format!("rule {} {:?} {:?}\n", self.name, self.by, self.keep_firing_for);
        for l in &self.levels {
            out.push_str(&format!("level {:?} {} {:?}\n", l.severity, l.when, l.hold));
        }
        out.push_str(&self.effective_clear().to_string());
        for (name, e) in &self.lets {
            out.push_str(&format!("\nlet {name} {e}"));
        }
        out
    }

    /// The condition under which the rule begins to clear, as it is applied.
    pub fn effective_clear(&self) -> Expr {
        let no_level = || {
            let any = self.levels.iter().map(|l| l.when.clone());
            any.reduce(|a, b| Expr::Or(Box::new(a), Box::new(b))).map(|e| Expr::Not(Box::new(e)))
        };
        let quiet = no_level().unwrap_or_else(|| Expr::Number("0".to_string(), 0.0));
        match &self.clear {
            Some(clear) => Expr::And(Box::new(clear.clone()), Box::new(quiet)),
            None => quiet,
        }
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

    /// Without brands and rules.
    pub fn nothing() -> RuleSet {
        RuleSet::build(Vec::new(), Vec::new(), &BTreeMap::new())
    }

    pub(super) fn build(
        mut brands: Vec<Brand>,
        mut rules: Vec<Rule>,
        lists: &BTreeMap<String, Vec<String>>,
    ) -> RuleSet {
        brands.sort_by(|a, b| a.slug.cmp(&b.slug));
        let plans = Plan::build(&mut rules, lists);
        let retention = Plan::retention(&plans);
        let mut meaning = String::new();
        for b in &brands {
            let shown = (&b.name, &b.owner, &b.runbook, &b.labels);
            meaning.push_str(&format!("brand {} {} {:x} {:?} {shown:?}\n", b.slug, b.group, b.mark(), b.vars));
        }
        for r in &mut rules {
            let own = r.meaning();
            r.mark = hash::parts(&[own.as_bytes()]);
            meaning.push_str(&own);
            meaning.push_str(&format!("{:?} {:?} {}", r.only, r.runbook, r.shadow));
            // written only where it stands: fingerprints of before stay as they were
            if !r.notify.is_empty() {
                meaning.push_str(&format!("{:?}", r.notify));
            }
            if let Some(twin) = &r.twin {
                meaning.push_str(&format!("twin {}", twin.name));
            }
            meaning.push_str(&r.summary.as_ref().map_or(String::new(), |t| t.source.clone()));
        }
        meaning.push_str(&format!("{lists:?}"));
        let index: BTreeMap<KeyId, usize> = brands.iter().enumerate().map(|(i, b)| (b.key, i)).collect();
        let plans_of = plans_of(&brands, &plans, &index);
        let readers = readers(&brands, &rules);
        let fingerprint = hash::parts(&[meaning.as_bytes()]);
        let texts = Arc::from([]);
        RuleSet { brands, index, rules, plans, plans_of, readers, retention, fingerprint, texts }
    }

    /// Whether a rule, by its place, only would tell.
    pub fn in_shadow(&self, rule: u32) -> bool {
        self.rules.get(rule as usize).is_some_and(|r| r.shadow)
    }

    /// The brand or group of a key.
    pub fn brand(&self, key: KeyId) -> Option<&Brand> {
        self.brands.get(*self.index.get(&key)?)
    }

    /// The plans that concern a key, with their places.
    pub fn plans_of(&self, key: KeyId) -> impl Iterator<Item = (usize, &Plan)> {
        let places = self.plans_of.get(&key).into_iter().flatten();
        places.filter_map(|i| self.plans.get(*i).map(|p| (*i, p)))
    }

    /// The groups a brand belongs to.
    pub fn groups_of(&self, key: KeyId) -> impl Iterator<Item = &Brand> {
        let slug = self.brand(key).filter(|b| !b.group).map(|b| &*b.slug);
        self.brands.iter().filter(move |g| slug.is_some_and(|slug| g.members.iter().any(|m| *m == *slug)))
    }

    /// What it can be made of again, by any later version, under the same fingerprint.
    pub fn stored(&self) -> StoredRules {
        StoredRules { texts: self.texts.to_vec(), retention: self.retention, fingerprint: self.fingerprint }
    }

    /// The same, with posts kept at least so long, so that rules added later find them.
    pub fn keeping(mut self, retention: Span) -> RuleSet {
        if retention > self.retention {
            self.retention = retention;
            self.fingerprint = hash::parts(&[&self.fingerprint.to_le_bytes(), &retention.0.to_le_bytes()]);
        }
        self
    }

    /// Rules that count posts of a network; all of them where the network is not known.
    pub fn hearing<'a>(&'a self, network: Option<&'a str>) -> impl Iterator<Item = &'a Rule> + 'a {
        self.rules.iter().filter(move |r| self.operands(r).any(|s| network.is_none_or(|n| s.counts_source(n))))
    }

    /// The longest window of a rule.
    pub fn longest_window(&self, rule: &Rule) -> Span {
        self.operands(rule).map(|s| Span(s.window.0 + s.offset.0)).max().unwrap_or(Span::ZERO)
    }

    /// The other keys whose posts a key is told of.
    pub fn rivals_of(&self, reader: KeyId) -> BTreeSet<KeyId> {
        self.readers.iter().filter(|(_, readers)| readers.binary_search(&reader).is_ok()).map(|(k, _)| *k).collect()
    }

    /// Keys of all brands and groups.
    pub fn keys(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.brands.iter().map(|b| b.key)
    }

    /// The series of a rule by operand, with their names as written.
    pub fn operands<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = &'a SeriesSpec> + 'a {
        let plan = self.plans.get(rule.plan);
        rule.operands.iter().filter_map(move |slot| plan.and_then(|p| p.series.get(*slot)))
    }
}

/// What a rule set was made of, to be kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredRules {
    texts: Vec<SourceText>,
    retention: Span,
    fingerprint: u64,
}

impl StoredRules {
    /// The rule set, under the fingerprint it had.
    ///
    /// # Errors
    /// Where this version does not take the files any more.
    pub fn load(&self) -> Result<RuleSet, Vec<Fault>> {
        let (rules, _) = RuleSet::load(&self.texts)?;
        Ok(RuleSet { fingerprint: self.fingerprint, ..rules.keeping(self.retention) })
    }
}

/// The other brands that a rule's expressions read.
pub(super) fn rivals(rule: &Rule) -> BTreeSet<&str> {
    let mut out = BTreeSet::new();
    for e in rule.exprs() {
        e.each_series(&mut |s| {
            for selector in s.selectors.iter().filter(|x| x.field == Field::Brand) {
                if let Operand::Text(slug) = &selector.value {
                    out.insert(slug.as_str());
                }
            }
        });
    }
    out
}

fn plans_of(brands: &[Brand], plans: &[Plan], index: &BTreeMap<KeyId, usize>) -> BTreeMap<KeyId, Vec<usize>> {
    let mut out: BTreeMap<KeyId, Vec<usize>> = BTreeMap::new();
    for (i, plan) in plans.iter().enumerate() {
        let group = plan.has(Dim::Group);
        let everyone = brands.iter().filter(|_| plan.only.is_empty());
        let named = plan.only.iter().filter_map(|k| brands.get(*index.get(k)?));
        for brand in everyone.chain(named).filter(|b| b.group == group) {
            out.entry(brand.key).or_default().push(i);
        }
    }
    out
}

fn readers(brands: &[Brand], rules: &[Rule]) -> BTreeMap<KeyId, Vec<KeyId>> {
    let mut out: BTreeMap<KeyId, Vec<KeyId>> = BTreeMap::new();
    for rule in rules {
        for rival in rivals(rule) {
            let rival = key_id(rival);
            let readers = out.entry(rival).or_default();
            readers.extend(brands.iter().filter(|b| rule.concerns(b) && b.key != rival).map(|b| b.key));
            readers.sort_unstable();
            readers.dedup();
        }
    }
    out
}
