//! Rule files: brands, variables and the list of rules. All files form one set.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::fault::{Fault, Place};
use crate::base::figures;
use crate::base::limits;
use crate::base::rule::query::{self, Query};
use crate::base::rule::rules;
use crate::base::rule::{Brand, Rule, RuleSet};
use crate::base::yaml::{Node, Reader};

/// A rule file's name as given, and its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceText {
    /// Path as the user gave it.
    pub file: String,
    /// Its content.
    pub text: String,
}

const FILE_KEYS: &[&str] = &["version", "vars", "brands", "rules"];
const BRAND_KEYS: &[&str] = &["name", "query", "exclude", "broad", "owner", "runbook", "vars"];

/// What was read so far.
#[derive(Default)]
struct Draft {
    brands: Vec<Brand>,
    brand_places: BTreeMap<Arc<str>, Place>,
    rules: Vec<(Rule, Place)>,
    vars: BTreeMap<String, f64>,
    faults: Vec<Fault>,
}

pub(super) fn load(files: &[SourceText]) -> Result<(RuleSet, Vec<Fault>), Vec<Fault>> {
    let mut draft = Draft::default();
    for file in files {
        draft.file(file);
    }
    draft.finish()
}

impl Draft {
    fn file(&mut self, source: &SourceText) {
        let mut r = Reader::new(&source.file, &source.text);
        if let Some(root) = r.tree(&source.text) {
            let fields = r.fields(&root, "a rule file", FILE_KEYS);
            if let Some(version) = fields.get("version")
                && r.text(version, "a version").is_some_and(|v| v != "1")
            {
                r.fault(version, "expected version 1, found another").hint =
                    Some("this groundswell reads version 1".into());
            }
            if let Some(vars) = fields.get("vars") {
                self.vars.extend(variables(&mut r, vars));
            }
            if let Some(brands) = fields.get("brands") {
                self.brands(&mut r, brands);
            }
            if let Some(list) = fields.get("rules") {
                self.rules(&mut r, list);
            }
        }
        self.faults.append(&mut r.faults);
    }

    fn brands(&mut self, r: &mut Reader, node: &Node) {
        for (key, value) in r.pairs(node, "brands") {
            let Some(slug) = r.text(key, "a brand's key") else { continue };
            if !is_slug(slug) {
                let hint = "use lower-case letters, digits, - and _, beginning with a letter or digit";
                r.fault(key, format!("expected a brand's key, found `{slug}`")).hint = Some(hint.into());
                continue;
            }
            if let Some(first) = self.brand_places.get(slug) {
                let what = format!("expected brand `{slug}` once, found it again (first at {first})");
                r.fault(key, what);
                continue;
            }
            let slug: Arc<str> = slug.into();
            self.brand_places.insert(slug.clone(), r.place(key));
            self.brands.extend(brand(r, slug, key, value));
        }
    }

    fn rules(&mut self, r: &mut Reader, node: &Node) {
        for item in r.items(node, "rules") {
            let Some(rule) = rules::rule(r, item) else { continue };
            let place = r.place(item);
            match self.rules.iter().find(|(other, _)| other.name == rule.name) {
                Some((_, first)) => {
                    let what = format!("expected rule `{}` once, found it again (first at {first})", rule.name);
                    r.fault(item, what);
                }
                None => self.rules.push((rule, place)),
            }
        }
    }

    /// Checks that concern several files at once.
    fn finish(mut self) -> Result<(RuleSet, Vec<Fault>), Vec<Fault>> {
        for brand in &mut self.brands {
            for (name, value) in &self.vars {
                brand.vars.entry(name.clone()).or_insert(*value);
            }
        }
        for (rule, place) in &self.rules {
            for name in rules::variables_of(rule) {
                let lacking = self.brands.iter().find(|b| !b.vars.contains_key(name));
                if let Some(brand) = lacking {
                    let what = format!("expected `vars.{name}` for every brand, found none for `{}`", brand.slug);
                    let hint = format!("set `{name}` under `vars:` at the top of a file as the default");
                    self.faults.push(Fault::at(place.clone(), what).hint(hint));
                }
            }
        }
        let too_many = [(self.brands.len(), limits::BRANDS, "brands"), (self.rules.len(), limits::RULES, "rules")];
        for (n, limit, what) in too_many {
            if n > limit {
                self.faults.push(Fault::new(format!("expected at most {limit} {what}, found {n}")));
            }
        }
        self.faults.truncate(limits::FAULTS);
        if self.faults.iter().any(|f| !f.warning) {
            return Err(self.faults);
        }
        let rules = self.rules.into_iter().map(|(r, _)| r).collect();
        Ok((RuleSet::build(self.brands, rules), self.faults))
    }
}

fn brand(r: &mut Reader, slug: Arc<str>, key: &Node, node: &Node) -> Option<Brand> {
    let fields = r.fields(node, &format!("brand `{slug}`"), BRAND_KEYS);
    let broad = fields.get("broad").is_some_and(|n| r.boolean(n, "broad"));
    let include = match fields.get("query") {
        Some(q) => query_of(r, q, broad),
        None => {
            let what = format!("expected a `query` in brand `{slug}`, found none");
            r.fault(key, what).hint = Some("for example query: '\"united airlines\" OR @united'".into());
            None
        }
    };
    let exclude = match fields.get("exclude") {
        Some(q) => Some(query_of(r, q, true)?),
        None => None,
    };
    let mut text = |name: &str| fields.get(name).and_then(|n| r.text(n, name).map(str::to_string));
    let (name, owner, runbook) = (text("name"), text("owner"), text("runbook"));
    let vars = fields.get("vars").map(|n| variables(r, n)).unwrap_or_default();
    let query = match exclude {
        Some(x) => Query::all(vec![include?, Query::Not(Box::new(x))]),
        None => include?,
    };
    Some(Brand { name: name.unwrap_or_else(|| slug.to_string()), slug, query, owner, runbook, vars })
}

fn query_of(r: &mut Reader, node: &Node, broad: bool) -> Option<Query> {
    let text = r.text(node, "a query")?;
    match query::parse(text) {
        Err(e) => {
            r.faults.push(Fault { hint: e.hint, ..Fault::at(r.place_in(node, e.offset), e.what) });
            None
        }
        Ok(q) if !broad && !q.has_required_term() => {
            let hint = "add a term that must be there, or set broad: true to look at every post";
            let what = "expected a query that needs at least one term, found one that matches nearly everything";
            r.fault(node, what).hint = Some(hint.into());
            None
        }
        Ok(q) => Some(q),
    }
}

fn variables(r: &mut Reader, node: &Node) -> BTreeMap<String, f64> {
    let mut out = BTreeMap::new();
    for (key, value) in r.pairs(node, "vars") {
        let (Some(name), Some(text)) = (r.text(key, "a variable's name"), r.text(value, "a number")) else { continue };
        let ok = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
        if !ok {
            r.fault(key, format!("expected letters, digits and _, found `{name}`"));
        }
        if out.len() >= limits::VARIABLES {
            r.fault(key, format!("expected at most {} variables, found more", limits::VARIABLES));
            break;
        }
        match figures::number(text).or_else(|| figures::seconds(text)) {
            Some(x) => {
                if out.insert(name.to_string(), x).is_some() {
                    r.fault(key, format!("expected `{name}` once in vars, found it again"));
                }
            }
            None => {
                r.fault(value, format!("expected a number, found `{text}`")).hint =
                    Some("write 5, 0.4, 40%, 250k, 10m".into());
            }
        }
    }
    out
}

fn is_slug(s: &str) -> bool {
    let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    s.len() <= 100 && s.starts_with(ok) && s.chars().all(|c| ok(c) || matches!(c, '_' | '-'))
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
        assert_eq!((set.brands[0].vars["big"], set.brands[1].vars["big"]), (250_000.0, 5.0));
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
