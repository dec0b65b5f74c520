//! Rule files: brands, variables and the list of rules. All files form one set.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::fault::{Fault, Place};
use crate::base::limits;
use crate::base::rule::brands;
use crate::base::rule::query::{Names, Query};
use crate::base::rule::{Brand, Quantity, Rule, RuleSet, checks, keys, rules};
use crate::base::yaml::{Node, Reader};

/// A rule file's name as given, and its text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceText {
    /// Path as the user gave it.
    pub file: String,
    /// Its content.
    pub text: String,
}

/// What was read so far.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) brands: Vec<Brand>,
    groups: Vec<Brand>,
    /// Where brands and groups stand.
    places: BTreeMap<Arc<str>, Place>,
    pub(super) rules: Vec<(Rule, Place)>,
    /// Where lists stand.
    listed: BTreeMap<String, Place>,
    /// Where rules stand.
    named: BTreeMap<String, Place>,
    pub(super) lists: BTreeMap<String, Vec<String>>,
    vars: BTreeMap<String, Quantity>,
    pub(super) faults: Vec<Fault>,
    /// How many measures and numbers names of `let` may still stand for.
    named_left: usize,
    /// How many mistakes and how many warnings were left out.
    beyond: [usize; 2],
}

pub(super) fn load(files: &[SourceText]) -> Result<(RuleSet, Vec<Fault>), Vec<Fault>> {
    let mut draft = Draft { named_left: limits::NAMED_VALUES_OF_ALL, ..Draft::default() };
    for file in files {
        draft.file(file);
    }
    let (mut rules, warnings) = draft.finish()?;
    rules.texts = files.into();
    Ok((rules, warnings))
}

impl Draft {
    fn file(&mut self, source: &SourceText) {
        let mut r = Reader::new(&source.file, &source.text);
        if let Some(root) = r.tree(&source.text) {
            let fields = r.fields(&root, "a rule file", &keys::FILE.allowed());
            if let Some(version) = fields.get("version")
                && r.text(version, "a version").is_some_and(|v| v != "1")
            {
                r.fault(version, "expected version 1, found another").hint =
                    Some("this groundswell reads version 1".into());
            }
            if let Some(vars) = fields.get("vars") {
                self.vars.extend(brands::variables(&mut r, vars));
            }
            if let Some(lists) = fields.get("lists") {
                self.lists(&mut r, lists);
            }
            for (name, groups) in [("brands", false), ("groups", true)] {
                if let Some(node) = fields.get(name) {
                    self.watched(&mut r, node, name, groups);
                }
            }
            if let Some(list) = fields.get("rules") {
                self.rules(&mut r, list);
            }
        }
        // of many files full of mistakes only those of the first are shown
        if self.faults.len() > 4 * limits::FAULTS {
            let errors = r.faults.iter().filter(|f| !f.warning).count();
            self.beyond[1] += r.faults.len() - errors;
            self.beyond[0] += errors.saturating_sub(1);
            r.faults.retain(|f| !f.warning);
            r.faults.truncate(1);
        }
        self.beyond[0] += r.beyond[0];
        self.beyond[1] += r.beyond[1];
        self.faults.append(&mut r.faults);
    }

    fn lists(&mut self, r: &mut Reader, node: &Node) {
        for (key, value) in r.pairs(node, "lists") {
            let Some(name) = r.text(key, "a list's name") else { continue };
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || name.is_empty() {
                r.fault(key, format!("expected letters, digits and _, found `{name}`"));
            } else if self.lists.len() >= limits::VARIABLES {
                r.fault(key, format!("expected at most {} lists, found more", limits::VARIABLES));
                return;
            } else if let Some(first) = self.listed.get(name) {
                let what = format!("expected list `{name}` once, found it again (first at {first})");
                r.fault(key, what);
            } else if let Some(authors) = brands::list(r, name, value) {
                self.listed.insert(name.to_string(), r.place(key));
                self.lists.insert(name.to_string(), authors);
            }
        }
    }

    /// Reads the mapping of brands or of groups.
    fn watched(&mut self, r: &mut Reader, node: &Node, what: &str, groups: bool) {
        for (key, value) in r.pairs(node, what) {
            let Some(slug) = r.key(key) else { continue };
            if !brands::is_slug(slug) {
                let hint = "use lower-case letters, digits, - and _, beginning with a letter or digit";
                let one = if groups { "a group's key" } else { "a brand's key" };
                r.fault(key, format!("expected {one}, found `{slug}`")).hint = Some(hint.into());
                continue;
            }
            if let Some(first) = self.places.get(slug) {
                let what = format!("expected brand or group `{slug}` once, found it again (first at {first})");
                r.fault(key, what);
                continue;
            }
            let slug: Arc<str> = slug.into();
            self.places.insert(slug.clone(), r.place(key));
            if groups {
                self.groups.extend(brands::group(r, slug, value));
            } else {
                self.brands.extend(brands::brand(r, slug, key, value));
            }
        }
    }

    fn rules(&mut self, r: &mut Reader, node: &Node) {
        for item in r.items(node, "rules") {
            let Some(rule) = rules::rule(r, item, &mut self.named_left) else { continue };
            let place = r.place(item);
            match self.named.get(&rule.name) {
                Some(first) => {
                    let what = format!("expected rule `{}` once, found it again (first at {first})", rule.name);
                    r.fault(item, what);
                }
                None => {
                    self.named.insert(rule.name.clone(), place.clone());
                    self.rules.push((rule, place));
                }
            }
        }
    }

    /// Names in queries become what they stand for.
    fn resolve(&mut self) {
        let mut brands = std::mem::take(&mut self.brands);
        for brand in &mut brands {
            for (name, value) in &self.vars {
                brand.vars.entry(name.clone()).or_insert(*value);
            }
            let var = |name: &str| brand.vars.get(name).map(|q| q.value);
            match brand.query.resolve(&Names { lists: &self.lists, var: &var }) {
                Ok(query) => brand.query = query,
                Err(name) => {
                    let what =
                        format!("expected `{name}` of the query of `{}`, found nothing of this name", brand.slug);
                    let hint = "lists stand under `lists:`, variables under `vars:`";
                    self.fault(&brand.slug, what, hint);
                }
            }
        }
        self.brands = brands;
    }

    fn fault(&mut self, slug: &str, what: String, hint: &str) {
        let fault = self.places.get(slug).cloned().map_or_else(|| Fault::new(&*what), |p| Fault::at(p, &*what));
        self.faults.push(fault.hint(hint));
    }

    /// Groups take over what their brands watch.
    fn join_groups(&mut self) {
        let members: BTreeMap<Arc<str>, usize> =
            self.brands.iter().enumerate().map(|(i, b)| (b.slug.clone(), i)).collect();
        for mut brand in std::mem::take(&mut self.groups) {
            let mut queries = Vec::new();
            for slug in &brand.members {
                let Some(member) = members.get(slug.as_str()).and_then(|i| self.brands.get(*i)) else {
                    let what = format!("expected brands in group `{}`, found `{slug}`, which is none", brand.slug);
                    self.fault(&brand.slug, what, "a group lists keys of `brands:`");
                    continue;
                };
                queries.push(member.query.clone());
                brand.own.extend(member.own.iter().cloned());
                brand.staff.extend(member.staff.iter().cloned());
            }
            for list in [&mut brand.own, &mut brand.staff] {
                list.sort_unstable();
                list.dedup();
            }
            brand.query = Query::any(queries);
            for (name, value) in &self.vars {
                brand.vars.entry(name.clone()).or_insert(*value);
            }
            self.brands.push(brand);
        }
    }

    /// Checks that concern several files at once.
    fn finish(mut self) -> Result<(RuleSet, Vec<Fault>), Vec<Fault>> {
        self.resolve();
        self.join_groups();
        let too_many = [(self.brands.len(), limits::BRANDS, "brands"), (self.rules.len(), limits::RULES, "rules")];
        for (n, limit, what) in too_many {
            if n > limit {
                self.faults.push(Fault::new(format!("expected at most {limit} {what}, found {n}")));
            }
        }
        // each rule is held against the rest: only as many as there may be
        self.rules.truncate(limits::RULES);
        checks::rules(&mut self);
        self.faults.sort_by_key(|f| f.warning);
        let mut kept = [0, 0];
        self.faults.retain(|f| {
            let n = &mut kept[usize::from(f.warning)];
            *n += 1;
            *n <= limits::FAULTS
        });
        for (n, more, warning) in [(kept[0], self.beyond[0], false), (kept[1], self.beyond[1], true)] {
            if n > limits::FAULTS || more > 0 {
                self.faults.push(Fault::beyond(warning));
            }
        }
        if self.faults.iter().any(|f| !f.warning) {
            return Err(self.faults);
        }
        let rules = self.rules.into_iter().map(|(r, _)| r).collect();
        Ok((RuleSet::build(self.brands, rules, &self.lists), self.faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)]) -> Result<RuleSet, Vec<String>> {
        let files: Vec<SourceText> =
            files.iter().map(|(f, t)| SourceText { file: f.to_string(), text: t.to_string() }).collect();
        RuleSet::load(&files).map(|(set, _)| set).map_err(|e| e.iter().map(Fault::to_string).collect())
    }

    #[test]
    fn files_form_one_set() {
        let brands = "brands:\n  b: {query: beta, vars: {big: 5}}\n  a: {name: Alpha, query: '@alpha', exclude: '\"alpha centauri\"'}\n";
        let rules =
            "vars: {big: 250k}\nrules:\n  - alert: Loud\n    when: mentions[1h] > vars.big\n    severity: warn\n";
        let set = check(&[("a.yaml", brands), ("b.yaml", rules)]).unwrap();
        let slugs: Vec<&str> = set.brands.iter().map(|b| &*b.slug).collect();
        assert_eq!(slugs, ["a", "b"]);
        assert_eq!(set.brands[0].query.to_string(), r#"@alpha AND NOT "alpha centauri""#);
        assert_eq!((set.brands[0].var("big"), set.brands[1].var("big")), (Some(250_000.0), Some(5.0)));
        assert!(check(&[("r.yaml", "rules: []\n")]).is_ok());
        assert!(check(&[("empty.yaml", "")]).is_ok());
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let text = "version: 2\nbrands:\n  Up: {query: x}\n  a: {query: 'a OR', nmae: A}\n  b: {}\n  c: {query: NOT x}\nrules:\n  - alert: R\n    when: mentoins[1h] > 1\n    severity: loud\n  - when: mentions[1h] > vars.nope\n";
        let faults = check(&[("f.yaml", text)]).unwrap_err();
        let starts = [
            "f.yaml:1:10:",
            "f.yaml:3:3:",
            "f.yaml:4:22:",
            "f.yaml:4:19:",
            "f.yaml:5:3:",
            "f.yaml:6:14:",
            "f.yaml:9:11:",
            "f.yaml:10:15:",
            "f.yaml:11:5:",
        ];
        for s in starts {
            assert!(faults.iter().any(|f| f.starts_with(s)), "{s} not in {faults:#?}");
        }
    }

    #[test]
    fn repeats_over_files_name_both_places() {
        let b = "brands:\n  a: {query: x}\n";
        let faults = check(&[("1.yaml", b), ("2.yaml", b)]).unwrap_err();
        assert!(faults[0].contains("2.yaml:2:3") && faults[0].contains("first at 1.yaml:2:3"), "{faults:?}");
    }
}
