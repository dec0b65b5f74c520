//! The demo's brand, with the rules that groundswell ships.

use crate::base::fault::Fault;
use crate::base::rule::{RuleSet, SourceText};

const BRAND: &str = r##"version: 1
brands:
  northwind:
    name: Northwind Airways
    query: '"northwind airways" OR @northwind.example OR #northwind OR (northwind (flight OR guitar OR luggage OR gate OR crew))'
    own: ["bluesky:did:plc:northwind-care"]
    vars: {story_reach: 2k}      # it is small
    owner: Care duty
    runbook: https://wiki.example/damaged-baggage
  harborview:
    name: Harborview Hotels
    query: '"harborview hotels" OR #harborview'
    owner: Guest relations
"##;

/// The rule set of the demo.
///
/// # Errors
/// Only if a shipped rule is wrong.
pub fn rules() -> Result<RuleSet, Vec<Fault>> {
    let file = |file: &str, text: &str| SourceText { file: file.to_string(), text: text.to_string() };
    let files = [
        file("demo/brand.yaml", BRAND),
        file("rules/story-spreading.yaml", include_str!("../../../rules/story-spreading.yaml")),
        file("rules/big-voice.yaml", include_str!("../../../rules/big-voice.yaml")),
        file("rules/sour-talk.yaml", include_str!("../../../rules/sour-talk.yaml")),
    ];
    RuleSet::load(&files).map(|(rules, _)| rules)
}
