//! Causes by the words that name them, in English. The project's own list.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::terms::Compiled;
use crate::base::model::{Cause, Causes, Negativity, Tone};
use crate::base::rule::query::Term;

/// Words and phrases, separated by commas.
const WORDS: [(Cause, &str); 8] = [
    (
        Cause::Outage,
        "outage, outages, offline, is down, are down, went down, been down, not working, stopped working, won't load, \
         not loading, can't log in, cannot log in, can't connect, crash, crashes, crashed, crashing, server error, downtime, \
         unavailable, no service, no signal",
    ),
    (
        Cause::Delay,
        "delay, delays, delayed, late, waiting, cancel, cancelled, canceled, cancellation, cancellations, postponed, \
         overdue, stranded, on hold, in the queue, hours for, weeks for, never arrived, not arrived, missed connection",
    ),
    (
        Cause::Damage,
        "damage, damaged, damages, broke, broken, breaks, smashed, crushed, cracked, shattered, destroyed, ruined, scratched, \
         lost my, lost our, lost her, lost his, lost luggage, lost bag, lost bags, missing bag, missing luggage",
    ),
    (
        Cause::Billing,
        "refund, refunds, refunded, charge, charged, charges, overcharged, overcharge, fee, fees, bill, billed, billing, \
         invoice, price, prices, pricing, expensive, rip off, ripoff, refuse to pay, refuses to pay, refused to pay, \
         won't pay, money back, my money, subscription, compensation",
    ),
    (
        Cause::Staff,
        "staff, crew, employee, employees, manager, agent, agents, customer service, customer care, support team, rude, \
         unhelpful, ignored us, ignored me, hung up, laughed at, laughed about, shouted at, yelled at, disrespectful, \
         racist, discriminated, discrimination, harassed",
    ),
    (
        Cause::Safety,
        "unsafe, dangerous, danger, safety, injured, injury, injuries, hurt, killed, died, fire, caught fire, burned, burnt, \
         smoke, poisoned, poisoning, recall, recalled, accident, hazard, toxic, contaminated, emergency, evacuated",
    ),
    (
        Cause::Privacy,
        "privacy, data breach, breach, leak, leaked, hacked, hack, hackers, personal data, my data, our data, sold my data, \
         spying, surveillance, tracking us, passwords, identity theft, phishing",
    ),
    (
        Cause::Quality,
        "quality, defective, faulty, fell apart, flimsy, waste of money, does not work, doesn't work, didn't work, \
         never works, bug, bugs, buggy, glitch, glitches, stale, mouldy, moldy, rotten, inedible, poorly made, useless, \
         garbage, junk, broke after, broken after",
    ),
];

struct Search {
    anchors: Option<AhoCorasick>,
    /// Terms by the pattern that is their anchor.
    terms: Vec<Vec<(Compiled, Cause)>>,
}

static SEARCH: LazyLock<Search> = LazyLock::new(|| {
    let mut by_anchor: std::collections::BTreeMap<String, Vec<(Compiled, Cause)>> = Default::default();
    for (cause, words) in WORDS {
        for phrase in words.split(',').map(str::trim) {
            if let Some(term) = Compiled::new(&Term::Phrase(phrase.to_string())) {
                by_anchor.entry(term.anchor().to_string()).or_default().push((term, cause));
            }
        }
    }
    let anchors = AhoCorasick::builder().match_kind(MatchKind::Standard).build(by_anchor.keys()).ok();
    Search { anchors, terms: by_anchor.into_values().collect() }
});

/// The causes a folded text names. `Other` where it is hostile and names none.
pub(super) fn of_folded(text: &str, n: Option<Negativity>) -> Causes {
    let mut out = Causes::default();
    if let Some(search) = &SEARCH.anchors {
        for m in search.find_overlapping_iter(text) {
            for (term, cause) in SEARCH.terms.get(m.pattern().as_usize()).into_iter().flatten() {
                if !out.has(*cause) && term.stands(text, m.start()).is_some() {
                    out.add(*cause);
                }
            }
        }
    }
    if out.is_empty() && Tone::of(n) == Tone::Negative {
        out.add(Cause::Other);
    }
    out
}

/// The causes a text names, with its negativity as it is known.
pub fn of(text: &str, n: Option<Negativity>) -> Causes {
    of_folded(&crate::base::folding::fold(text), n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, n: u16) -> String {
        let found: Vec<&str> = of(text, Some(Negativity::from_milli(n))).iter().map(Cause::name).collect();
        found.join(" ")
    }

    #[test]
    fn causes_are_named_by_their_words() {
        assert_eq!(names("They BROKE my guitar and their staff laughed about it", 800), "damage staff");
        assert_eq!(names("flight delayed, no refund", 600), "delay billing");
        assert_eq!(names("the app is down again", 500), "outage");
        assert_eq!(names("caught fire on the runway, two injured", 900), "safety");
        assert_eq!(names("our data was leaked", 700), "privacy");
        assert_eq!(names("fell apart after a week, junk", 700), "quality");
        assert_eq!(names("I hate them", 900), "other");
        assert_eq!(names("I love them", 10), "");
        assert_eq!(names("the crewneck is pricey, the fireplace lovely", 10), "", "whole words only");
    }
}
