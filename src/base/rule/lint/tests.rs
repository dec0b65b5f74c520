use super::*;
use crate::base::folding::fold;
use crate::base::rule::RuleSet;

fn files(texts: &[&str]) -> Vec<SourceText> {
    let named = |(i, t): (usize, &&str)| SourceText { file: format!("{}.yaml", i + 1), text: t.to_string() };
    texts.iter().enumerate().map(named).collect()
}

/// Of files that may be wrong.
fn told_of(texts: &[&str]) -> Vec<String> {
    warnings(&files(texts), true, &|s| fold(s).into_owned()).iter().map(Fault::to_string).collect()
}

fn found(texts: &[&str]) -> Vec<String> {
    let files = files(texts);
    assert!(RuleSet::load(&files).is_ok(), "{:?}", RuleSet::load(&files).err());
    warnings(&files, true, &|s| fold(s).into_owned()).iter().map(Fault::to_string).collect()
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
        ("{query: \"\\\"\\u00ad\\\"\"}", "which no text holds"),
        ("{query: '\"acme 😀\" NOT acme'}", "NOT \"acme\""),
        ("{query: '\"c++ 17\" NOT c'}", "NOT \"c\""),
        ("{query: '\"at&t\" NOT \"at t\"'}", "NOT \"at t\""),
        ("{query: 'NOT \"yahoo\" \"yahoo!\"'}", "\"yahoo!\""),
        ("{query: '#acme NOT acme'}", "NOT \"acme\""),
        ("{query: 'raw:ACME NOT acme'}", "NOT \"acme\""),
        ("{query: 'acme NEAR/3 air NOT (acme NEAR/3 air)'}", "NEAR/3"),
    ] {
        let told = of_query(brand);
        assert!(told.len() == 1 && told[0].contains("can match") && told[0].contains(second), "{brand}: {told:?}");
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
    for query in [
        "the",
        "acme OR de",
        "a OR acme",
        "the lang:en",
        "the a",
        "\"of the\"",
        "the NEAR/5 a",
        "url:https",
        "7",
        "raw:\"the\"",
        "raw:\"The\"",
        "raw:\"de\" OR acme",
    ] {
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
        "{query: 'acme NOT raw:ACME'}",
        "{query: '\"@acme\" NOT @acme'}",
        "{query: 'acme NOT \"acme 😀\"'}",
        "{query: 'yahoo NOT \"yahoo!\"'}",
        "{query: 'carbon NOT \"carbon++\"'}",
        "{query: 'c++ NOT \"c++ 17\"'}",
        "{query: '\"at t\" NOT \"at&t\"', broad: true}",
        "{query: '\"a b\" NOT \"a, b\"', broad: true}",
        "{query: 'acme source:X NOT source:x'}",
        "{query: '\"at&t\"'}",
        "{query: '\"h&m\" OR \"M&S\"'}",
        "{query: '\"c++\" OR e.on'}",
        "{query: 'c#'}",
        "{query: '👍 OR ❤'}",
        "{query: 'raw:\"IT\"'}",
        "{query: 'acme OR to:own', own: [x]}",
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
        ("lead > 3 and mentions[1h] / 0 > 1", 25, "is never known, since it divides by 0"),
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
        "(mentions[10m] >= 50 then negative_share[10m] >= 60% within 2h) and mentions[10m] < 20",
        "mentions[1h] - mentions[1h] offset 1d > 0",
        "story_state >= explosive and forecast(reach, 1d, low) >= 1M",
    ] {
        let text =
            format!("vars: {{x: 9}}\nrules:\n  - {{alert: R, by: [brand, story], severity: warn, when: '{when}'}}\n");
        let files = [SourceText { file: "f".into(), text }];
        assert_eq!(warnings(&files, true, &|s| s.to_string()), [], "{when}");
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

#[test]
fn tags_of_digits_and_pictures_and_whole_values_that_yaml_cut_off_are_told() {
    for (brand, place) in [
        ("query: acme #1acme", "1.yaml:3:16: "),
        ("query: acme #_acme", "1.yaml:3:16: "),
        ("query: acme #🍎", "1.yaml:3:16: "),
        ("query: acme OR #1acme", "1.yaml:3:19: "),
        ("query: #acme", "1.yaml:3:5: "),
        ("query: acme\n    exclude: #spam", "1.yaml:4:5: "),
    ] {
        let text = format!("brands:\n  a:\n    {brand}\n");
        let told = told_of(&[&text]);
        let cut = |t: &&String| t.starts_with(place) && t.contains("which YAML takes for a comment");
        assert_eq!(told.iter().filter(cut).count(), 1, "{brand}: {told:#?}");
    }
    for brand in ["query: acme ### note", "query: acme #", "query: acme # 1", "query: # todo", "query: acme #!x"] {
        let text = format!("brands:\n  a:\n    {brand}\n");
        assert!(told_of(&[&text]).iter().all(|t| !t.contains("comment")), "{brand}");
    }
}

/// Warnings of one rule with more keys than a condition.
fn of_whole_rule(rule: &str) -> Vec<String> {
    found(&[&format!("rules:\n  - {{alert: R, by: [brand, story], {rule}}}\n")])
}

#[test]
fn a_story_that_grows_older_is_held_against_for() {
    let rule = |when: &str, hold: &str| of_whole_rule(&format!("severity: warn, for: {hold}, when: '{when}'"));
    for (when, hold) in [
        ("story_age < 10m", "10m"),
        ("story_age <= 10m and lead > 3", "11m"),
        ("story_age < 10m or story_age < 12m", "15m"),
        ("not (story_age >= 10m or lead > 3)", "15m"),
        ("story_age < 10m and (lead > 3 or hostile_texts > 5)", "15m"),
        ("story_age > 5m and story_age < 10m", "6m"),
        ("story_age == 5m", "1m"),
    ] {
        let told = rule(when, hold);
        assert!(told.len() == 1 && told[0].contains("expected a `for` shorter than"), "{when} {hold}: {told:?}");
    }
    for (when, hold) in [
        ("story_age < 10m or mentions[1h] >= 100", "15m"),
        ("not (story_age >= 10m and lead > 3)", "15m"),
        ("story_age <= 10m", "10m"),
        ("story_age < 10m", "9m"),
        ("lead > 3", "15m"),
        ("not (story_age < 10m)", "15m"),
        ("story_age < 10m then lead > 3 within 1h", "15m"),
    ] {
        assert_eq!(rule(when, hold), Vec::<String>::new(), "{when} {hold}");
    }
}

#[test]
fn names_are_seen_through() {
    let told = of_whole_rule("severity: warn, let: {a: 'authors[1h]', m: 'mentions[1h]'}, when: a > m");
    assert!(told.len() == 1 && told[0].contains("which never does"), "{told:?}");
    let told = of_whole_rule("severity: warn, let: {m: 'mentions[1h]'}, when: 'm > 5 and mentions[1h] < 3'");
    assert!(told.len() == 1 && told[0].contains("hold together"), "{told:?}");
    let twice = |second: &str| {
        let text = format!(
            "rules:\n  - {{alert: C, severity: warn, let: {{m: 'mentions[1h]'}}, when: 'm > 1k'}}\n  - {{alert: D, severity: warn, {second}}}\n"
        );
        found(&[&text]).len()
    };
    assert_eq!(twice("when: 'mentions[60m] > 1000'"), 1, "the same in other words");
    assert_eq!(twice("let: {m: 'authors[1h]'}, when: 'm > 1k'"), 0, "other things by one name");
}

#[test]
fn a_clear_that_never_acts_and_levels_that_never_count_are_told() {
    for (rule, what) in [
        ("severity: warn, when: 'mentions[10m] >= 20', clear: 'mentions[10m] >= 30'", "holds only where `when` does"),
        ("severity: warn, when: 'mentions[10m] >= 20', clear: 'mentions[10m] < 0'", "which never does"),
        ("levels: {warn: 'mentions[1h] > 50', page: 'mentions[1h] > 10'}", "a level `warn` that can count"),
        ("levels: {info: 'mentions[1h] > 50 and lead > 3', warn: 'mentions[1h] > 10'}", "a level `info`"),
        ("levels: {warn: 'lift(reach) > 5', page: 'lift(reach) > 1'}, by: [brand]", "a level `warn`"),
    ] {
        let rule = rule.replace(", by: [brand]", "");
        let text = format!("rules:\n  - {{alert: R, {rule}}}\n");
        let text = if text.contains("lead") { text.replace("alert: R", "alert: R, by: [brand, story]") } else { text };
        let told = found(&[&text]);
        assert!(told.len() == 1 && told[0].contains(what), "{rule}: {told:?}");
    }
    for rule in [
        "severity: warn, when: 'mentions[10m] >= 20', clear: 'mentions[10m] < 30'",
        "severity: warn, when: 'mentions[10m] >= 20 and authors[10m] > 3', clear: 'mentions[10m] >= 30'",
        "levels: {warn: 'mentions[1h] > 10', page: 'mentions[1h] > 50'}",
        "levels: {warn: 'mentions[1h] > 50', page: {when: 'mentions[1h] > 10', for: 5m}}",
        "levels: {warn: 'mentions[1h] > 50', page: 'mentions[1h] > 10 and negative_share[1h] >= 0.5'}",
        "levels: {warn: 'mentions[1h] > 50', page: 'mentions[1h] / authors[1h] >= 0 or lead > 3'}",
    ] {
        let told: Vec<String> =
            of_whole_rule(rule).into_iter().filter(|t| t.contains("can count") || t.contains("can act")).collect();
        assert_eq!(told, Vec::<String>::new(), "{rule}");
    }
}

#[test]
fn own_accounts_are_asked_of_the_brands_a_rule_is_for() {
    let rule = |brands: &str| {
        format!(
            "brands:\n  a: {{query: acme}}\n  b: {{query: beta, own: [x]}}\nrules:\n  - {{alert: X, {brands}severity: warn, when: 'mentions{{to=\"own\"}}[1h] > 5'}}\n"
        )
    };
    let told = found(&[&rule("brands: [a], ")]);
    assert!(
        told.len() == 1 && told[0].starts_with("1.yaml:2:3: ") && told[0].contains("`own` in brand `a`"),
        "{told:?}"
    );
    for brands in ["brands: [b], ", "brands: [a, b], ", ""] {
        assert_eq!(found(&[&rule(brands)]), Vec::<String>::new(), "{brands}");
    }
    let told = of_query("{query: 'acme to:own'}");
    assert!(told.len() == 1 && told[0].contains("beside `to:own`"), "{told:?}");
}

#[test]
fn what_cannot_be_read_may_name_anything() {
    let text = |query: &str, when: &str| {
        format!(
            "vars: {{big: 5}}\nbrands:\n  a: {{query: {query}}}\nrules:\n  - {{alert: R, severity: warn, when: 'mentions[1h] > 1'}}\n  - {{alert: S, severity: warn, when: '{when}'}}\n"
        )
    };
    let unused = |text: &str| told_of(&[text]).iter().filter(|t| t.contains("which nothing names")).count();
    assert_eq!(unused(&text("acme", "mentions[1h] > 2")), 1);
    assert_eq!(unused(&text("acme", "mentoins[1h] > vars.big")), 0);
    assert_eq!(unused(&text("acme (", "mentions[1h] > 2")), 0);
    let in_let = text("acme", "mentions[1h] > 2").replace("alert: S,", "alert: S, let: {m: 'vars.big * 2'},");
    assert_eq!(unused(&in_let), 0);
    let files = [SourceText { file: "f".into(), text: text("acme", "mentions[1h] > 2") }];
    assert_eq!(warnings(&files, false, &|s| s.to_string()), [], "other files may name it");
}

#[test]
fn handles_of_bluesky_are_told_where_only_dids_are_met() {
    for brand in ["{query: 'acme author:bluesky:@acme.com'}", "{query: 'acme NOT to:bluesky:acme.com'}"] {
        let told = of_query(brand);
        assert!(told.len() == 1 && told[0].contains("expected a DID, found the handle"), "{brand}: {told:?}");
    }
    let told = of_rule("mentions{author=\"bluesky:@acme.com\"}[1h] > 1");
    assert!(told.len() == 1 && told[0].starts_with("1.yaml:5:29: "), "{told:?}");
    assert_eq!(of_query("{query: 'acme author:bluesky:did:plc:x author:mastodon:@y'}"), Vec::<String>::new());
}

#[test]
fn no_kind_of_warnings_takes_the_place_of_another() {
    let mut text = "brands:\n".to_string();
    for i in 0..100 {
        text.push_str(&format!("  b{i}: {{query: the}}\n"));
    }
    text.push_str("rules:\n  - {alert: R, severity: warn, when: 'mentions[1h] < 0'}\n");
    let told = found(&[&text]);
    assert_eq!(told.len(), limits::WARNINGS_OF_A_KIND + 2, "{told:#?}");
    assert!(told.iter().any(|t| t.contains("which never does")), "{told:#?}");
    assert!(told[told.len() - 1].contains("warnings about queries and accounts, found 70 more"), "{told:#?}");
}

mod truth;
