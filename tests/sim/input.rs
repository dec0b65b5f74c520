//! What sources say, and the rules it is judged by.

use std::sync::Arc;

use groundswell::base::model::{Frame, SourceInfo, WireFormat};
use groundswell::base::rule::{RuleSet, SourceText};
use groundswell::base::time::{Span, Time};
use serde_json::json;

use super::Dice;

/// When everything begins.
pub fn zero() -> Time {
    Time::parse_rfc3339("2026-07-04T08:00:00Z").unwrap()
}

/// The rules of a version; those of two versions have some in common.
pub fn rules(version: u64) -> Arc<RuleSet> {
    let extra = match version % 3 {
        0 => "",
        1 => "  - {alert: Quick, when: 'mentions[30s] >= 2', severity: info}\n",
        _ => "  - {alert: Loud, when: 'reach[2m] >= 400', severity: warn, for: 5s}\n",
    };
    let shadow = if version % 3 == 2 { ", shadow: true" } else { "" };
    let query = if version % 4 == 3 { "acme OR corp" } else { "acme" };
    let text = format!(
        "brands: {{acme: {{query: '{query}', own: ['forum:acme']}}, rival: {{query: rival}}}}\n\
         groups: {{both: {{brands: [acme, rival]}}}}\nrules:\n\
         {extra}  - {{alert: Many, when: 'mentions[1m] >= 3', severity: page, keep_firing_for: 20s{shadow}}}\n\
         \x20 - {{alert: Held, when: 'authors[2m] >= 3', severity: warn, for: 10s, keep_firing_for: 5s}}\n\
         \x20 - {{alert: Story, by: [brand, story], when: 'shares[2m] >= 2', severity: page}}\n\
         \x20 - {{alert: Other, when: 'mentions{{brand=\"rival\"}}[1m] > mentions[1m] + 2', severity: info}}\n\
         \x20 - {{alert: Steps, levels: {{warn: 'mentions[2m] >= 2', page: 'mentions[2m] >= 5'}}}}\n\
         \x20 - {{alert: Both, by: [group], when: 'mentions[1m] >= 7', severity: page, for: 5s}}\n"
    );
    let file = SourceText { file: "r.yaml".into(), text };
    Arc::new(RuleSet::load(&[file]).unwrap_or_else(|f| panic!("{f:#?}")).0)
}

/// All that a source ever says, with times.
pub struct Script {
    pub info: Arc<SourceInfo>,
    pub frames: Vec<(Time, Frame)>,
}

impl Script {
    pub fn new(name: &str, n: usize, dice: &mut Dice) -> Script {
        let info = Arc::new(SourceInfo { name: name.into(), format: WireFormat::Post });
        let mut at = zero();
        let mut ids: Vec<(String, String)> = Vec::new();
        let frames = (0..n).map(|k| {
            // bursts and silences
            let pause = if dice.one_in(12) { dice.below(90_000) } else { dice.below(6000) };
            at = at + Span::millis(pause as i64);
            let bytes = if dice.one_in(25) {
                b"{\"id\": damaged".to_vec()
            } else {
                post(name, k, at, &mut ids, dice).into_bytes()
            };
            (at, Frame { bytes: bytes.into(), received: None, oversize: false })
        });
        Script { info, frames: frames.collect() }
    }
}

fn post(source: &str, k: usize, at: Time, ids: &mut Vec<(String, String)>, dice: &mut Dice) -> String {
    let author = format!("a{}", dice.below(9));
    let words = ["acme broke my guitar", "acme is fine", "rival again", "corp news", "nothing at all", "i hate acme"];
    let text = format!("{} {}", words[dice.below(6) as usize], dice.below(40));
    let followers = if dice.one_in(3) { json!(null) } else { json!(dice.below(2000)) };
    let mut v = json!({
        "source": "forum", "id": format!("{source}-{k}"), "author": author, "text": text,
        "time": at.to_string(), "followers": followers,
    });
    let old = (!ids.is_empty()).then(|| ids[ids.len() - 1 - dice.below(ids.len().min(12) as u64) as usize].clone());
    if let Some((id, by)) = old {
        match dice.below(9) {
            0 | 1 => (v["kind"], v["parent"], v["text"]) = (json!("repost"), json!(id), json!("")),
            2 => (v["kind"], v["parent"]) = (json!("reply"), json!(id)),
            3 => (v["kind"], v["parent"]) = (json!("quote"), json!(id)),
            4 => (v["kind"], v["id"], v["author"]) = (json!("edit"), json!(id), json!(by)),
            5 if dice.one_in(2) => (v["kind"], v["id"], v["author"]) = (json!("delete"), json!(id), json!(by)),
            _ => {}
        }
    }
    if v.get("kind").is_none() || v["kind"] == "quote" {
        ids.push((v["id"].as_str().unwrap().to_string(), author));
    }
    if dice.one_in(30) {
        (v["author"], v["followers"]) = (json!("acme"), json!(9000));
    }
    v.to_string()
}
