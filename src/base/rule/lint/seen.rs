//! What warnings look at: the nodes of all files, by what they are.

use std::collections::BTreeMap;

use super::interval::Interval;
use crate::base::limits;
use crate::base::rule::query::{self, Query};
use crate::base::rule::{Rule, brands, rules};
use crate::base::yaml::{Data, Node, Reader, Style};

/// A node, with the place of its file.
pub(super) type At<'n> = (usize, &'n Node);

/// A brand or group as it is written.
pub(super) struct Brand<'n> {
    /// Its key.
    pub(super) key: At<'n>,
    /// Its fields.
    pub(super) node: &'n Node,
    /// Its key as a text.
    pub(super) slug: &'n str,
    /// Whether it is a group.
    pub(super) group: bool,
}

/// A rule that can be read.
pub(super) struct Written<'n> {
    /// Where it stands.
    pub(super) at: At<'n>,
    /// What it says.
    pub(super) rule: Rule,
    /// The node of each level's condition, in the order of its levels.
    pub(super) conditions: Vec<&'n Node>,
}

/// All files.
pub(super) struct Seen<'n, 's> {
    pub(super) readers: &'n [Reader<'s>],
    pub(super) brands: Vec<Brand<'n>>,
    pub(super) rules: Vec<Written<'n>>,
    /// Everything under `rules`, whether it can be read or not.
    pub(super) rule_nodes: Vec<At<'n>>,
    /// Whether these are all files of the set, and every rule and query in them can be read.
    pub(super) all: bool,
    /// Names of lists, where they first stand.
    pub(super) lists: BTreeMap<&'n str, At<'n>>,
    /// Names of variables, where they first stand.
    pub(super) var_names: BTreeMap<&'n str, At<'n>>,
    /// Between which values a variable lies over all brands; without brands nothing is known.
    pub(super) vars: BTreeMap<String, Interval>,
}

/// The value of a key of a mapping.
pub(super) fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    pair(node, key).map(|(_, v)| v)
}

/// A key of a mapping and its value.
pub(super) fn pair<'n>(node: &'n Node, key: &str) -> Option<(&'n Node, &'n Node)> {
    let Data::Map(pairs) = &node.data else { return None };
    pairs.iter().find(|(k, _)| text(k) == Some(key)).map(|(k, v)| (k, v))
}

/// The text of a scalar.
pub(super) fn text(node: &Node) -> Option<&str> {
    if let Data::Scalar(s, _) = &node.data { Some(s) } else { None }
}

/// Whether a text stands without quotes on the lines of its mapping.
pub(super) fn is_plain(node: &Node) -> bool {
    matches!(&node.data, Data::Scalar(_, Style::Plain))
}

fn pairs(node: Option<&Node>) -> &[(Node, Node)] {
    match node.map(|n| &n.data) {
        Some(Data::Map(pairs)) => pairs,
        _ => &[],
    }
}

impl<'n, 's> Seen<'n, 's> {
    pub(super) fn of(readers: &'n [Reader<'s>], roots: &'n [Option<Node>], all: bool) -> Seen<'n, 's> {
        let (brands, rules, rule_nodes, vars) = (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
        let (lists, var_names) = (BTreeMap::new(), BTreeMap::new());
        let all = all && readers.iter().all(|r| r.faults.is_empty());
        let mut seen = Seen { readers, brands, rules, rule_nodes, all, lists, var_names, vars };
        let mut named = limits::NAMED_VALUES_OF_ALL;
        for (file, root) in roots.iter().enumerate() {
            if let Some(root) = root {
                seen.file(file, root, &mut named);
            }
        }
        for (brand, key) in seen.brands.iter().flat_map(|b| [(b, "query"), (b, "exclude")]) {
            seen.all &= get(brand.node, key).is_none() || seen.query(brand, key).is_some();
        }
        if !seen.brands.iter().any(|b| !b.group) {
            seen.vars.clear();
        }
        seen
    }

    fn file(&mut self, file: usize, root: &'n Node, named: &mut usize) {
        self.vars_of(file, root);
        for (key, _) in pairs(get(root, "lists")) {
            if let Some(name) = text(key) {
                self.lists.entry(name).or_insert((file, key));
            }
        }
        for (name, group) in [("brands", false), ("groups", true)] {
            for (key, node) in pairs(get(root, name)) {
                if let Some(slug) = text(key) {
                    self.brands.push(Brand { key: (file, key), node, slug, group });
                    self.vars_of(file, node);
                }
            }
        }
        let items = match get(root, "rules").map(|n| &n.data) {
            Some(Data::Seq(items)) => items.as_slice(),
            _ => &[],
        };
        for node in items {
            // mistakes were told when the files were read
            let mut quiet = Reader::new("", "");
            let rule = rules::rule(&mut quiet, node, named);
            self.all &= rule.is_some() && quiet.faults.iter().all(|f| f.warning);
            self.rule_nodes.push((file, node));
            if let Some(rule) = rule
                && let Some(conditions) = conditions(node, &rule)
            {
                self.rules.push(Written { at: (file, node), rule, conditions });
            }
        }
    }

    fn vars_of(&mut self, file: usize, node: &'n Node) {
        let Some(vars) = get(node, "vars") else { return };
        for (key, _) in pairs(Some(vars)) {
            if let Some(name) = text(key) {
                self.var_names.entry(name).or_insert((file, key));
            }
        }
        for (name, quantity) in brands::variables(&mut Reader::new("", ""), vars) {
            let one = Interval::point(quantity.value);
            self.vars.entry(name).and_modify(|all| *all = all.join(one)).or_insert(one);
        }
    }

    /// The query under a key of a brand, with its node.
    pub(super) fn query(&self, brand: &Brand<'n>, key: &str) -> Option<(At<'n>, Query)> {
        let node = get(brand.node, key)?;
        Some(((brand.key.0, node), query::parse(text(node)?).ok()?))
    }
}

/// The node of each level's condition.
fn conditions<'n>(node: &'n Node, rule: &Rule) -> Option<Vec<&'n Node>> {
    if let Some(when) = get(node, "when") {
        return Some(vec![when]);
    }
    let levels = get(node, "levels")?;
    let of = |name: &str| get(levels, name).and_then(|n| if text(n).is_some() { Some(n) } else { get(n, "when") });
    rule.levels.iter().map(|l| of(l.severity.name())).collect()
}
