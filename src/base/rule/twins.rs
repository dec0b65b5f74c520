//! Rules in shadow, and the live rules they are compared with.

use std::collections::BTreeMap;

use crate::base::fault::{Fault, Place, nearest};
use crate::base::limits;
use crate::base::rule::{Rule, RuleSet};
use crate::base::yaml::{Fields, Node, Reader};

/// The live rule that a rule in shadow is compared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Twin {
    /// Its name.
    pub name: String,
    /// Where that stands.
    place: Place,
}

/// Reads whether a rule is in shadow, and the twin it names.
pub(super) fn read(r: &mut Reader, fields: &Fields) -> (bool, Option<Twin>) {
    let mode = fields.get("mode").and_then(|n| mode(r, n));
    let before = fields.get("shadow").map(|n| (*n, r.boolean(n, "`shadow`")));
    let shadow = mode.unwrap_or(before.is_some_and(|(_, so)| so));
    if let Some((node, so)) = before {
        match mode {
            Some(mode) if mode != so => {
                let found = if mode { "mode: shadow` and `shadow: false" } else { "mode: live` and `shadow: true" };
                r.fault(node, format!("expected one mode, found `{found}`")).hint = Some("leave `shadow` out".into());
            }
            Some(_) => warn(r, node, "expected `mode` alone, found `shadow` beside it", "leave `shadow` out"),
            None if so => warn(r, node, "expected `mode: shadow`, found `shadow: true`", "write mode: shadow"),
            None => warn(r, node, "expected `mode: live`, found `shadow: false`", "leave it out: rules are live"),
        }
    }
    let twin = fields.get("twin").and_then(|n| Some((*n, r.text(n, "the name of a live rule")?.to_string())));
    let Some((node, name)) = twin else { return (shadow, None) };
    if !shadow {
        let hint = "a live rule is compared with nothing: write mode: shadow, or leave `twin` out";
        r.fault(node, "expected `twin` of a rule in shadow, found it of a live one").hint = Some(hint.into());
        return (shadow, None);
    }
    (shadow, Some(Twin { name, place: r.place(node) }))
}

fn mode(r: &mut Reader, node: &Node) -> Option<bool> {
    let word = r.text(node, "a mode")?;
    match word {
        "live" => Some(false),
        "shadow" => Some(true),
        _ => {
            let near = nearest(word, ["live", "shadow"]);
            let hint = near.map_or("one of live, shadow".to_string(), |near| format!("did you mean `{near}`?"));
            r.fault(node, format!("expected a mode, found `{word}`")).hint = Some(hint);
            None
        }
    }
}

fn warn(r: &mut Reader, node: &Node, what: &str, hint: &str) {
    let fault = r.fault(node, what);
    fault.hint = Some(hint.into());
    fault.warning = true;
}

/// Twins that are named must be live rules for the same kind of keys.
pub(super) fn check(rules: &[(Rule, Place)], faults: &mut Vec<Fault>) {
    let by_name: BTreeMap<&str, &Rule> = rules.iter().map(|(r, _)| (r.name.as_str(), r)).collect();
    for (rule, _) in rules {
        let Some(twin) = &rule.twin else { continue };
        // no more are shown, and the nearest of many names is dear to find
        if faults.len() > limits::FAULTS {
            return;
        }
        let fault = |what: String| Fault::at(twin.place.clone(), what);
        let live = || rules.iter().map(|(r, _)| r).filter(|r| !r.shadow).map(|r| r.name.as_str());
        match by_name.get(twin.name.as_str()) {
            None => {
                let hint = match (nearest(&twin.name, live()), live().next()) {
                    (Some(near), _) => format!("did you mean `{near}`?"),
                    (None, Some(first)) => format!("it names a live rule, as {first}"),
                    (None, None) => "no rule is live; leave `twin` out".to_string(),
                };
                faults.push(
                    fault(format!("expected a live rule in `twin`, found `{}`, which is none", twin.name)).hint(hint),
                );
            }
            Some(found) if found.shadow => {
                let own = if found.name == rule.name { "this rule itself" } else { "which is in shadow itself" };
                let what = format!("expected a live rule in `twin`, found `{}`, {own}", twin.name);
                faults.push(fault(what).hint("what nobody is told of is compared with what people are told"));
            }
            Some(found) if found.is_for_groups() != rule.is_for_groups() => {
                let kind = |r: &Rule| if r.is_for_groups() { "groups" } else { "brands" };
                let (wanted, other) = (kind(rule), kind(found));
                let what =
                    format!("expected a rule for {wanted} in `twin`, found `{}`, which is for {other}", twin.name);
                faults.push(fault(what).hint("a group and a brand have no episodes in common"));
            }
            Some(_) => {}
        }
    }
}

impl RuleSet {
    /// The live rule that a rule in shadow is compared with: the one it names, else the only live one of the same `by` whose
    /// name begins as its own does or the other way round. `None` of a live rule, and where there is no such one.
    pub fn twin_of(&self, rule: &Rule) -> Option<&Rule> {
        let mut live = self.rules.iter().filter(|r| !r.shadow);
        if !rule.shadow {
            return None;
        }
        if let Some(twin) = &rule.twin {
            return live.find(|r| r.name == twin.name);
        }
        let alike = |a: &str, b: &str| !a.is_empty() && b.starts_with(a);
        let mut found = live.filter(|r| r.by == rule.by && (alike(&r.name, &rule.name) || alike(&rule.name, &r.name)));
        found.next().filter(|_| found.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::SourceText;

    fn load(rules: &[&str]) -> Result<(RuleSet, Vec<String>), Vec<String>> {
        let text =
            format!("brands: {{u: {{query: united}}}}\ngroups: {{g: {{brands: [u]}}}}\nrules:\n{}", rules.join(""));
        let files = [SourceText { file: "r.yaml".to_string(), text }];
        let shown = |faults: Vec<Fault>| faults.iter().map(Fault::to_string).collect();
        RuleSet::load(&files).map(|(set, warnings)| (set, shown(warnings))).map_err(shown)
    }

    fn rule(name: &str, more: &str) -> String {
        format!("  - {{alert: {name}, when: 'mentions[1m] >= 1', severity: warn{more}}}\n")
    }

    /// The twin of the first rule.
    fn twin(rules: &[String]) -> Option<String> {
        let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
        let (set, _) = load(&rules).unwrap();
        set.twin_of(&set.rules[0]).map(|r| r.name.clone())
    }

    #[test]
    fn shadow_is_a_mode_and_the_old_key_means_it() {
        let mode = |more: &str| {
            let (set, warnings) = load(&[&rule("A", more)]).unwrap();
            (set.rules[0].mode(), warnings)
        };
        assert_eq!(mode(""), ("live", vec![]));
        assert_eq!(mode(", mode: live"), ("live", vec![]));
        assert_eq!(mode(", mode: shadow"), ("shadow", vec![]));
        let (old, warnings) = mode(", shadow: true");
        assert_eq!((old, warnings.len()), ("shadow", 1));
        assert_eq!(
            warnings[0],
            "r.yaml:4:67: warning: expected `mode: shadow`, found `shadow: true`\n  hint: write mode: shadow"
        );
        assert_eq!((mode(", shadow: false").0, mode(", shadow: false").1.len()), ("live", 1));
        assert_eq!(
            (mode(", shadow: true, mode: shadow").0, mode(", shadow: true, mode: shadow").1.len()),
            ("shadow", 1)
        );
        for more in [", shadow: true, mode: live", ", mode: shadow, shadow: false"] {
            let faults = load(&[&rule("A", more)]).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains("error: expected one mode, found `mode: "), "{faults:?}");
        }
        let faults = load(&[&rule("A", ", mode: shdow")]).unwrap_err();
        assert_eq!(faults, ["r.yaml:4:65: error: expected a mode, found `shdow`\n  hint: did you mean `shadow`?"]);
    }

    #[test]
    fn old_and_new_words_are_one_meaning_and_a_twin_is_another() {
        let of = |more: &str| load(&[&rule("A", more), &rule("B", "")]).unwrap().0.fingerprint;
        assert_eq!(of(", shadow: true"), of(", mode: shadow"));
        assert_eq!(of(""), of(", mode: live"));
        assert_ne!(of(", mode: shadow"), of(""));
        assert_ne!(of(", mode: shadow"), of(", mode: shadow, twin: B"));
    }

    #[test]
    fn a_twin_is_named_or_the_only_rule_of_such_a_name() {
        let shadow = |name: &str, more: &str| rule(name, &format!(", mode: shadow{more}"));
        let is = |rules: &[String]| twin(rules).unwrap_or_default();
        assert_eq!(is(&[shadow("Surge2", ""), rule("Surge", ""), rule("Other", "")]), "Surge");
        assert_eq!(is(&[shadow("Surge", ""), rule("SurgeOld", "")]), "SurgeOld");
        assert_eq!(is(&[shadow("Surge2", ""), rule("Surge", ", by: [brand, story]")]), "", "of another `by`");
        assert_eq!(is(&[shadow("Surge2", ""), rule("Surge", ""), rule("Sur", "")]), "", "which one?");
        assert_eq!(is(&[shadow("Surge2", ""), shadow("Surge", "")]), "", "it is in shadow");
        assert_eq!(is(&[shadow("Surge2", ""), shadow("Sur", ""), rule("Surge", "")]), "Surge", "the other one is none");
        assert_eq!(is(&[shadow("Surge2", ", twin: Other"), rule("Surge", ""), rule("Other", "")]), "Other");
        assert_eq!(is(&[shadow("New", ", twin: Other"), rule("Other", ", by: [brand, story]")]), "Other");
        assert_eq!(is(&[rule("Surge", ""), rule("Sur", "")]), "", "a live rule has none");
    }

    #[test]
    fn mistakes_about_twins_are_told_at_their_place() {
        let rules = [
            rule("Surge", ""),
            rule("Live", ", twin: Surge"),
            rule("Groups", ", by: [group]"),
            rule("A", ", mode: shadow, twin: Surg"),
            rule("B", ", mode: shadow, twin: A"),
            rule("C", ", mode: shadow, twin: C"),
            rule("D", ", mode: shadow, twin: Groups"),
            rule("E", ", mode: shadow, twin: [x]"),
        ];
        let faults = load(&rules.iter().map(String::as_str).collect::<Vec<_>>()).unwrap_err();
        let wanted = [
            "r.yaml:5:68: error: expected `twin` of a rule in shadow, found it of a live one",
            "r.yaml:11:79: error: expected the name of a live rule, found ",
            "r.yaml:7:79: error: expected a live rule in `twin`, found `Surg`, which is none\n  hint: did you mean `Surge`?",
            "r.yaml:8:79: error: expected a live rule in `twin`, found `A`, which is in shadow itself",
            "r.yaml:9:79: error: expected a live rule in `twin`, found `C`, this rule itself",
            "r.yaml:10:79: error: expected a rule for brands in `twin`, found `Groups`, which is for groups",
        ];
        for w in wanted {
            assert!(faults.iter().any(|f| f.starts_with(w)), "{w} not in {faults:#?}");
        }
        assert_eq!(faults.len(), wanted.len(), "{faults:#?}");
    }
}
