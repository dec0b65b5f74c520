//! What is learned, edited, deleted or ruled otherwise later must come out right.

use std::sync::Arc;

use groundswell::base::rule::{RuleSet, SourceText};

use crate::golden::{Case, short};

/// Transitions, shortly, of events under rule sets of which the first holds from the start; the
/// same on every way.
fn play(sets: &[&str], events: &str) -> String {
    let load = |text: &&str| {
        let file = SourceText { file: "r".into(), text: text.to_string() };
        Arc::new(RuleSet::load(&[file]).unwrap_or_else(|f| panic!("{f:#?}")).0)
    };
    // live unless said otherwise: a recording holds its first line back
    let mode = if events.starts_with("mode ") { "" } else { "mode live\n0 tick\n" };
    short(&Case::new(sets.iter().map(load).collect(), &format!("{mode}{events}")).agrees("corrections"))
}

fn count(lines: &str, part: &str) -> usize {
    lines.lines().filter(|l| l.contains(part)).count()
}

#[test]
fn posts_left_out_by_a_new_exclude_are_not_shared_on() {
    let rule = "rules:\n  - {alert: R, when: 'mentions[1h] >= 2', severity: page}\n";
    let (a, b) = (
        format!("brands: {{u: {{query: united}}}}\n{rule}"),
        format!("brands: {{u: {{query: united, exclude: manchester}}}}\n{rule}"),
    );
    let events = "0 post n p a : manchester united\n1 rules b\n2 repost n s1 b p=p\n3 repost n s2 c p=p\n4 repost n s3 d p=p\n5 post n x e : united\n6 end n\n";
    assert_eq!(play(&[&a, &b], events), "");
}

#[test]
fn a_new_brand_is_told_what_becomes_of_the_posts_found_for_it() {
    let a = "brands: {x: {query: word}}\n";
    let b = "brands: {x: {query: word}, y: {query: other}}\nrules:\n  - {alert: R, brands: [y], when: 'largest_voice[1h] >= 1M', severity: page, summary: '{{ top.text }}'}\n  - {alert: Twice, brands: [y], when: 'mentions[1h] >= 2', severity: page}\n";
    // found again; its author's followers and its edit come later; then it is deleted
    let events = "0 post n p ann : the word and the other\n1 rules b\n2 edit n p ann : the word and the other, edited\n3 audience n ann 2000000\n4 delete n p ann\n5 end n\n";
    let lines = play(&[a, b], events);
    assert_eq!(count(&lines, "R y inactive->firing"), 1, "{lines}");
    assert!(lines.contains("the word and the other, edited"), "{lines}");
    assert_eq!(count(&lines, "Twice"), 0, "an edit is not a second mention: {lines}");
}

#[test]
fn followers_that_were_learned_are_not_forgotten_with_a_query() {
    let rule = "rules:\n  - {alert: R, when: 'known_reach[1h] >= 100k and mentions[1h] >= 2', severity: page}\n";
    let (a, b) =
        (format!("brands: {{x: {{query: word}}}}\n{rule}"), format!("brands: {{x: {{query: word OR more}}}}\n{rule}"));
    let events = "0 post n p ann : word\n1 audience n ann 2000000\n2 rules b\n3 post n q bob : more\n4 end n\n";
    let lines = play(&[&a, &b], events);
    assert_eq!(count(&lines, "firing"), 1, "{lines}");
}

#[test]
fn another_brands_posts_are_read_from_what_was_kept() {
    let brands = "brands: {us: {query: usco}, them: {query: themco}}\n";
    let with = format!(
        "{brands}rules:\n  - {{alert: R, brands: [us], when: 'mentions[1h] >= 1 and mentions{{brand=\"them\"}}[1h] >= 2', severity: page}}\n"
    );
    let events = "0 post n a a : usco\n1 post n b b : themco\n2 post n c c : themco\n3 rules b\n4 tick\n5 tick\n";
    assert_eq!(count(&play(&[brands, &with], events), "firing"), 1);
}

#[test]
fn a_rule_for_more_brands_goes_on_for_those_it_had() {
    let brands = "brands: {x: {query: xx}, y: {query: yy}}\n";
    let rule = |only: &str| {
        format!(
            "{brands}rules:\n  - {{alert: R, brands: {only}, when: 'mentions[1h] >= 1', severity: page, keep_firing_for: 10m}}\n"
        )
    };
    let events = "0 post n a a : xx\n1 post n b b : yy\n2 rules b\n3 tick\n4 tick\n10 post n c c : xx\n";
    let lines = play(&[&rule("[x]"), &rule("[x, y]")], events);
    assert_eq!(
        (count(&lines, "rules changed"), count(&lines, "x inactive->firing"), count(&lines, "y inactive->firing")),
        (0, 1, 1),
        "{lines}"
    );
}

#[test]
fn a_story_is_forgotten_a_day_after_its_last_post() {
    let rules = "brands: {x: {query: word, own: ['n:o']}}\nrules:\n  - {alert: Old, by: [brand, story], when: 'story_age >= 30h', severity: page}\n  - {alert: Lead, by: [brand, story], when: 'lead >= 1', severity: info}\n";
    let lines = play(&[rules], "mode live\n0 tick\n0 post n p a : word is terrible\nrepeat 60 3600 3600 tick\n");
    assert_eq!((count(&lines, "Old"), count(&lines, "Lead")), (0, 2), "{lines}");
    assert!(lines.contains("08:00:00.000Z Lead x n:p firing->resolved info (cleared)"), "a day later: {lines}");
    let kept = play(
        &[rules],
        "mode live\n0 tick\n0 post n p a : word is terrible\nrepeat 12 3600 3600 tick\n43300 reply n q b p=p : so it is\nrepeat 40 3600 46800 tick\n",
    );
    assert_eq!(count(&kept, "Old x n:p inactive->firing"), 1, "{kept}");
}

#[test]
fn what_the_brand_began_is_as_old_as_its_post() {
    let rules = "brands: {x: {query: word, own: ['n:o']}}\nrules:\n  - {alert: Old, by: [brand, story], when: 'story_age >= 30m and mentions{to=\"own\"}[1h] >= 1', severity: page}\n  - {alert: Slow, by: [brand, story], when: 'response_time >= 20m', severity: info}\n";
    let events = "mode recording\n0 post n r o : hello\n3600 reply n a b p=r : awful\n3700 edit n a b p=r : so awful\n3800 repost n s o p=a\n3900 tick\n5400 tick\n";
    let lines = play(&[rules], events);
    assert_eq!(count(&lines, "Old x n:r inactive->firing"), 1, "{lines}");
    assert_eq!(count(&lines, "Old x n:r firing->resolved"), 0, "an edited answer is still an answer: {lines}");
    assert_eq!(count(&lines, "Slow x n:r inactive->firing"), 1, "a repost is no answer: {lines}");
}

#[test]
fn an_episode_does_not_end_while_its_condition_holds() {
    let rules = "brands: {x: {query: word}}\nrules:\n  - {alert: R, when: 'mentions[1h] >= 1', clear: 'authors[1h] >= 1', severity: page}\n";
    let lines = play(&[rules], "repeat 5 10 0 post n p{k} a{k} : word\n60 end n\n");
    assert_eq!(count(&lines, ""), 1, "{lines}");
}

#[test]
fn silence_is_heard() {
    let rules =
        "brands: {x: {query: word}}\nrules:\n  - {alert: Quiet, when: 'lift(mentions) <= 0.5', severity: page}\n";
    let events = "mode recording\nrepeat 600 60 0 post n p{k} a{k} : word\nrepeat 40 300 36300 tick\n";
    let lines = play(&[rules], events);
    assert_eq!(count(&lines, "Quiet x inactive->firing"), 1, "{lines}");
}
