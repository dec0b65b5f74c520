use super::*;
use crate::base::rule::RuleSet;

fn found(texts: &[&str]) -> Vec<String> {
    let files: Vec<SourceText> = texts
        .iter()
        .enumerate()
        .map(|(i, t)| SourceText { file: format!("{}.yaml", i + 1), text: t.to_string() })
        .collect();
    assert!(RuleSet::load(&files).is_ok(), "{:?}", RuleSet::load(&files).err());
    warnings(&files, &|s| s.to_lowercase()).iter().map(Fault::to_string).collect()
}

fn of_query(brand: &str) -> Vec<String> {
    found(&[&format!("brands:\n  a: {brand}\n")])
}

fn of_rule(when: &str) -> Vec<String> {
    found(&[&format!("rules:\n  - alert: R\n    by: [brand, story]\n    severity: warn\n    when: '{when}'\n")])
}

#[test]
fn queries_that_find_nothing_are_told() {
    for (brand, second) in [
        ("{query: acme NOT acme}", "NOT \"acme\""),
        ("{query: Acme AND NOT (ACME OR x2)}", "NOT \"ACME\""),
        ("{query: acme lang:en lang:de}", "lang:de"),
        ("{query: 'acme source:x source:y'}", "source:\"y\""),
        ("{query: 'acme kind:post kind:reply'}", "kind:reply"),
        ("{query: acme lang:en NOT lang:en}", "NOT lang:en"),
        ("{query: 'acme followers:>=10 followers:<10'}", "followers:<10"),
        ("{query: '\"acme air\" NOT acme'}", "NOT \"acme\""),
        ("{query: 'acme (one OR two) NOT one NOT two'}", "\"one\""),
        ("{query: 'acme one NOT (acme one)'}", "\"acme\""),
        ("{query: \"\\\"\\u00ad\\\"\"}", ""),
        ("{query: 'acme NEAR/3 air NOT (acme NEAR/3 air)'}", "NEAR/3"),
    ] {
        let told = of_query(brand);
        let fold_only = second.is_empty();
        assert!(
            fold_only || (told.len() == 1 && told[0].contains("can match") && told[0].contains(second)),
            "{brand}: {told:?}"
        );
    }
    for (brand, what) in [
        ("{query: '\"acme air\" OR \"acme rail\"', exclude: acme}", "`exclude` that leaves some"),
        ("{query: acme, exclude: ACME}", "`exclude` that leaves some"),
        ("{query: acme, exclude: the}", "`exclude` that leaves some"),
        ("{query: acme OR (airline NOT airline)}", "alternatives that can match"),
        ("{query: acme kind:repost}", "posts that have a text"),
    ] {
        let told = of_query(brand);
        assert!(told.len() == 1 && told[0].contains(what), "{brand}: {told:?}");
    }
}

#[test]
fn queries_that_find_nearly_everything_are_told() {
    for query in
        ["the", "acme OR de", "a OR acme", "the lang:en", "the a", "\"of the\"", "the NEAR/5 a", "👍", "url:https", "7"]
    {
        let told = of_query(&format!("{{query: '{query}'}}"));
        assert!(told.len() == 1 && told[0].contains("stands in very many texts"), "{query}: {told:?}");
    }
    let told = of_query("{query: acme OR de}");
    assert!(told[0].starts_with("1.yaml:2:22: warning: "), "{told:?}");
}

#[test]
fn sound_queries_are_not_warned_of() {
    for brand in [
        "{query: acme}",
        "{query: the acme}",
        "{query: '\"the the\" band'}",
        "{query: 'raw:\"US\"'}",
        "{query: '\"to be or not to be\"'}",
        "{query: the, broad: true}",
        "{query: '@a OR #x'}",
        "{query: acme (lang:en OR lang:de)}",
        "{query: acme NOT lang:de NOT lang:fr}",
        "{query: 'acme followers:>=10 NOT followers:>=1000'}",
        "{query: acme NOT \"acme air\"}",
        "{query: '\"acme air\"', exclude: '\"acme airport\"'}",
        "{query: acme OR kind:repost acme2}",
        "{query: 'domain:acme.com OR url:/acme'}",
        "{query: 航空}",
        "{query: 'united NEAR/5 (flight OR the)'}",
        "{query: 'acme OR #acme'}",
        "{query: raw:Acme NOT raw:ACME}",
        "{query: acme (one OR two) NOT one}",
    ] {
        assert_eq!(of_query(brand), Vec::<String>::new(), "{brand}");
    }
}

#[test]
fn rules_that_never_fire_or_always_do_are_told() {
    for (when, column, what) in [
        ("negative_share[1h] > 1", 12, "which never does"),
        (
            "mentions[1h] >= 5 and negative_share[1h] >= 150%",
            34,
            "which never does\n  hint: `negative_share[1h]` is from 0 to 1: the rule never fires",
        ),
        (
            "lead > 3 and (mentions[1h] >= 5 and mentions[1h] < 3)",
            48,
            "together, found `mentions[1h] >= 5` and `mentions[1h] < 3`",
        ),
        ("lead > 3 or (mentions[1h] >= 5 and mentions[1h] < 3)", 47, "together, found"),
        (
            "mentions[1h] >= 0",
            12,
            "which always holds\n  hint: `mentions[1h]` is 0 or more: the rule fires all the time",
        ),
        ("lead > 2 and mentions[1h] >= 0", 25, "which always holds\n  hint: `mentions[1h]` is 0 or more: this part"),
        ("root_negativity >= 0", 12, "holds whenever it is known"),
        ("authors[1h] > mentions[1h]", 12, "`authors[1h]` is never more than `mentions[1h]`"),
        ("largest_voice{followers<100}[1h] >= 1k", 12, "which never does"),
        ("negative_share{tone=\"unknown\"}[1h] > 0", 12, "is never known"),
        ("1 > 2", 12, "which never does"),
        ("story_age < 0s", 12, "`story_age` is 0s or more"),
    ] {
        let told = of_rule(when);
        assert!(told.len() == 1 && told[0].contains(what), "{when}: {told:?}");
        assert!(told[0].starts_with(&format!("1.yaml:5:{column}: warning: ")), "{when}: {told:?}");
    }
    for when in [
        "negative_share[1h] >= 1",
        "root_negativity >= 0 and lead > 3",
        "lead > 3 and not negative_share[1h] >= 0.5",
        "mentions[1h] >= 5 and mentions[10m] < 5",
        "mentions[1h] >= 5 or mentions[1h] < 3",
        "mentions[1h] > vars.x and mentions[1h] < 3",
        "mentions[1h] - mentions[1h] offset 1d > 0",
        "story_state >= explosive and forecast(reach, 1d, low) >= 1M",
    ] {
        let text =
            format!("vars: {{x: 9}}\nrules:\n  - {{alert: R, by: [brand, story], severity: warn, when: '{when}'}}\n");
        let files = [SourceText { file: "f".into(), text }];
        assert_eq!(warnings(&files, &|s| s.to_string()), [], "{when}");
    }
}

#[test]
fn variables_are_taken_over_all_brands() {
    let rule = "rules:\n  - {alert: R, severity: warn, when: 'negative_share[1h] > vars.x'}\n";
    let brands = |a: &str, b: &str| {
        format!("brands:\n  a: {{query: acme, vars: {{x: {a}}}}}\n  b: {{query: beta, vars: {{x: {b}}}}}\n")
    };
    assert_eq!(found(&[rule, &brands("2", "0.5")]).len(), 0);
    assert_eq!(found(&[rule, &brands("2", "1.5")]).len(), 1);
}

#[test]
fn what_is_unused_double_or_for_nobody_is_told() {
    let text = "vars: {used: 5, idle: 6}\nlists:\n  wires: {authors: [x]}\n  spare: {authors: [y]}\nbrands:\n  a: {query: 'acme author:lists.wires'}\nrules:\n  - {alert: One, severity: warn, when: 'mentions[1h] > vars.used'}\n  - {alert: Two, severity: warn, when: 'mentions[60m]>vars.used'}\n  - {alert: Three, by: [group], severity: warn, when: 'mentions[1h] > 7'}\n  - {alert: Four, severity: warn, when: 'mentions{to=\"own\"}[1h] > 7'}\n";
    let told = found(&[text]);
    for (start, what) in [
        ("1.yaml:1:17:", "found `idle`, which nothing names"),
        ("1.yaml:4:3:", "found `spare`, which nothing names"),
        ("1.yaml:6:3:", "expected `own` in brand `a`"),
        (
            "1.yaml:9:5:",
            "found `Two`, which says what `One` says\n  hint: people are told twice; the first stands at 1.yaml:8:5",
        ),
        ("1.yaml:10:24:", "expected groups for rule `Three`"),
    ] {
        assert!(told.iter().any(|t| t.starts_with(start) && t.contains(what)), "{start} {what}: {told:#?}");
    }
    assert_eq!(told.len(), 5, "{told:#?}");
    // a part of a set says nothing about the rest
    assert_eq!(
        found(&[
            "vars: {idle: 6}\nlists: {spare: {authors: [y]}}\nrules:\n  - {alert: R, severity: warn, when: 'mentions[1h] > 1'}\n"
        ]),
        Vec::<String>::new()
    );
}

#[test]
fn brands_without_own_are_counted_where_a_rule_asks() {
    let text = "brands:\n  b: {query: beta}\n  c: {query: gamma}\nrules: [{alert: R, by: [brand, story], severity: warn, when: 'response_time > 1h'}]\n";
    let told = found(&[text]);
    assert!(found(&[&text.replace("response_time > 1h", "lead > 2")]).is_empty());
    assert!(told.len() == 1 && told[0].starts_with("1.yaml:2:3: warning: ") && told[0].contains("2 of 2"), "{told:?}");
}

#[test]
fn what_yaml_cut_off_is_told() {
    let text = "brands:\n  a:\n    query: acme #acme\n  b:\n    query: beta # a comment\n  c: {query: 'gamma #gamma'}\n  d:\n    query: delta\n      epsilon #delta\n  e:\n    query: zeta #\n  f:\n    query: >-\n      eta #eta\n";
    let told = found(&[text]);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].starts_with("1.yaml:3:16: warning: ") && told[0].contains("`#acme`"), "{told:#?}");
    assert!(told[1].starts_with("1.yaml:9:14: warning: "), "{told:#?}");
}
