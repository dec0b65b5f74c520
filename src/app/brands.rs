//! Metrics of brands: what is mentioned, and what is measured, for at most [`limits::METRIC_BRANDS`] of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::app::engine::Engine;
use crate::app::metrics::Metrics;
use crate::base::limits;
use crate::base::metric;
use crate::base::model::{Entry, EntryBody, KeyId, PostKind, Severity, StoryVitals, Told, Tone, Verdict, Vitals};
use crate::base::rule::{Rule, RuleSet};

/// The brands and groups with metrics of their own, and whose turn it is; the rules there are.
#[derive(Default)]
pub struct Brands {
    /// The rules they are of.
    fingerprint: Option<u64>,
    keys: Vec<KeyId>,
    slugs: HashMap<KeyId, Arc<str>>,
    alerts: BTreeSet<String>,
    next: usize,
}

impl Brands {
    /// Those of other rules from now on, the first of the files; of those that are gone nothing is said any more.
    pub fn follow(&mut self, rules: &RuleSet, metrics: &Metrics) {
        if self.fingerprint == Some(rules.fingerprint) {
            return;
        }
        self.fingerprint = Some(rules.fingerprint);
        let first = rules.brands.iter().take(limits::METRIC_BRANDS);
        let slugs: HashMap<KeyId, Arc<str>> = first.map(|b| (b.key, b.slug.clone())).collect();
        for (_, slug) in self.slugs.iter().filter(|(key, _)| !slugs.contains_key(key)) {
            metrics.forget_all("brand", slug);
        }
        (self.keys, self.next) = (rules.keys().take(limits::METRIC_BRANDS).collect(), 0);
        self.slugs = slugs;
        let left_out = rules.brands.len().saturating_sub(limits::METRIC_BRANDS);
        metrics.set(&metric::BRANDS_LEFT_OUT, &[], left_out as f64);
        let alerts: BTreeSet<String> = rules.rules.iter().map(|r| r.name.clone()).collect();
        self.alerts.difference(&alerts).for_each(|gone| metrics.forget_all("alert", gone));
        self.alerts = alerts;
        // before the first page, so that it is seen to be one
        let pages = |r: &&Rule| r.levels.iter().any(|l| l.severity == Severity::Page);
        for rule in rules.rules.iter().filter(pages).take(limits::METRIC_ALERTS) {
            metrics.begin(&metric::PAGES, &[&rule.name]);
            metrics.begin(&metric::ACKNOWLEDGED, &[&rule.name]);
            Verdict::ALL.iter().for_each(|v| metrics.begin(&metric::VERDICTS, &[&rule.name, v.name()]));
        }
        for slug in self.slugs.values() {
            for tone in Tone::ALL {
                metrics.begin(&metric::MENTIONS, &[slug, tone.name()]);
            }
        }
    }

    /// Counts the mentions among entries.
    pub fn count(&self, entries: &[Entry], metrics: &Metrics) {
        let mut tones: BTreeMap<(KeyId, Tone), u64> = BTreeMap::new();
        for told in entries.iter().filter_map(mention) {
            let Some(slug) = self.slugs.get(&told.key) else { continue };
            let tone = Tone::of(told.n);
            *tones.entry((told.key, tone)).or_default() += 1;
            metrics.add(&metric::SOURCE_MENTIONS, &[slug, &told.via], 1.0);
            if tone == Tone::Negative && told.kind != PostKind::Repost {
                for cause in told.causes.iter() {
                    metrics.add(&metric::CAUSE_TEXTS, &[slug, cause.name()], 1.0);
                }
            }
        }
        for ((key, tone), n) in tones {
            let slug = self.slugs.get(&key);
            slug.into_iter().for_each(|slug| metrics.add(&metric::MENTIONS, &[slug, tone.name()], n as f64));
        }
    }

    /// Shows what is measured of the next brands; all have had their turn after a few calls.
    pub fn show(&mut self, engine: &mut Engine, metrics: &Metrics) {
        self.follow(&engine.rules().clone(), metrics);
        let mut cost = 0;
        while let Some(key) = self.keys.get(self.next)
            && cost < limits::VITALS_AT_ONCE
        {
            self.next += 1;
            let Some((vitals, groups)) = engine.vitals(*key) else { continue };
            cost += groups;
            if let Some(slug) = self.slugs.get(key) {
                set(metrics, slug, &vitals);
            }
        }
        if self.next >= self.keys.len() {
            self.next = 0;
        }
    }
}

fn mention(e: &Entry) -> Option<&Told> {
    match &e.body {
        EntryBody::Mention(t) | EntryBody::Share(t) if t.in_brand && t.foreign.is_none() => Some(t),
        _ => None,
    }
}

fn set(m: &Metrics, slug: &str, v: &Vitals) {
    m.set(&metric::HOSTILE_REACH, &[slug, "5m"], v.hostile_now);
    m.set(&metric::HOSTILE_REACH, &[slug, "1h"], v.hostile_hour);
    m.set(&metric::AUTHORS, &[slug], v.authors);
    m.set_or_forget(&metric::NEGATIVE_SHARE, &[slug], v.negative_share);
    m.set_or_forget(&metric::KNOWN_SHARE, &[slug], v.known_share);
    m.set_or_forget(&metric::USUAL, &[slug, "middle"], v.usual);
    m.set_or_forget(&metric::USUAL, &[slug, "low"], v.band.map(|b| b.0));
    m.set_or_forget(&metric::USUAL, &[slug, "high"], v.band.map(|b| b.1));
    m.set_or_forget(&metric::LIFT, &[slug], v.lift);
    m.set_or_forget(&metric::RARITY, &[slug], v.rarity);
    m.set_or_forget(&metric::RESPONSE, &[slug], v.response.map(|s| s.as_seconds()));
    for rank in 0..limits::STORIES_WATCHED {
        story(m, &[slug, &(rank + 1).to_string()], v.stories.get(rank));
    }
    for (severity, open) in Severity::ALL.into_iter().zip(v.open) {
        m.set(&metric::BRAND_EPISODES, &[slug, severity.name()], open as f64);
    }
}

/// A story of a brand by its rank; none: nothing is said of that rank.
fn story(m: &Metrics, labels: &[&str; 2], v: Option<&StoryVitals>) {
    let [slug, rank] = labels;
    let day = v.and_then(|v| v.day);
    m.set_or_forget(&metric::STORY_STATE, labels, v.map(|v| v.outlook.state.value()));
    m.set_or_forget(&metric::STORY_SHARES, labels, v.map(|v| v.outlook.shares as f64));
    m.set_or_forget(&metric::STORY_REACH, &[slug, rank, "now"], v.map(|v| v.reach));
    m.set_or_forget(&metric::STORY_REACH, &[slug, rank, "day_low"], day.map(|b| b.low));
    m.set_or_forget(&metric::STORY_REACH, &[slug, rank, "day_high"], day.map(|b| b.high));
    m.set_or_forget(&metric::STORY_HOSTILE, labels, v.map(|v| v.hostile_reach));
    m.set_or_forget(&metric::STORY_EXPOSURE, labels, v.map(|v| v.exposure));
    m.set_or_forget(&metric::STORY_AGE, labels, v.map(|v| v.age.as_seconds()));
    m.set_or_forget(&metric::STORY_ANSWERED, labels, v.and_then(|v| v.answered).map(|a| f64::from(u8::from(a))));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rule::SourceText;

    #[test]
    fn a_brand_explosion_is_capped_and_counted() {
        let mut file = String::from("version: 1\nbrands:\n");
        for i in 0..limits::METRIC_BRANDS + 7 {
            file.push_str(&format!("  brand{i}: {{name: Brand {i}, query: '\"brand number {i}\"'}}\n"));
        }
        let load = |text: &str| {
            let files = [SourceText { file: "brands.yaml".into(), text: text.to_string() }];
            Arc::new(RuleSet::load(&files).unwrap().0)
        };
        let rules = load(&file);
        let (metrics, mut brands) = (Metrics::new().unwrap(), Brands::default());
        let mut engine = Engine::new(rules.clone(), crate::enroll::ClockMode::Live, 1);
        for _ in 0..10 {
            brands.show(&mut engine, &metrics);
        }
        let text = metrics.text();
        let shown = text.lines().filter(|l| l.starts_with("groundswell_brand_authors{")).count();
        assert_eq!(shown, limits::METRIC_BRANDS);
        assert_eq!(metrics.get(&metric::BRANDS_LEFT_OUT, &[]), Some(7.0));
        let rule = |name: &str| {
            let brand = "version: 1\nbrands:\n  brand3: {name: Brand 3, query: '\"brand number 3\"'}\n";
            load(&format!("{brand}rules:\n  - {{alert: {name}, when: 'mentions[1h] >= 3', severity: page}}\n"))
        };
        brands.follow(&rule("First"), &metrics);
        assert_eq!(metrics.get(&metric::PAGES, &["First"]), Some(0.0));
        metrics.add(&metric::TRANSITIONS, &["First", "firing", "page"], 1.0);
        brands.follow(&rule("Second"), &metrics);
        assert_eq!(metrics.get(&metric::PAGES, &["Second"]), Some(0.0));
        assert!(!metrics.text().contains("alert=\"First\""), "a rule that is gone leaves room");
        let text = metrics.text();
        let of = |slug: &str| text.contains(&format!("brand=\"{slug}\""));
        assert!(of("brand3") && !of("brand4"), "those that are gone are forgotten");
        assert_eq!(metrics.get(&metric::BRANDS_LEFT_OUT, &[]), Some(0.0));
    }

    #[test]
    fn what_fires_in_shadow_is_no_open_page_of_a_brand() {
        use crate::app::engine::Input;
        use crate::base::model::{Frame, FrameBatch, SourceInfo, WireFormat};
        use crate::base::time::Time;
        let shown = |mode: &str| {
            let text = format!(
                "brands: {{b: {{query: acme}}}}\nrules:\n  - {{alert: Any, when: 'mentions[1h] >= 1', severity: page, mode: {mode}}}\n"
            );
            let rules = Arc::new(RuleSet::load(&[SourceText { file: "r.yaml".into(), text }]).unwrap().0);
            let mut engine = Engine::new(rules.clone(), crate::enroll::ClockMode::Live, 1);
            let now = Time::parse_rfc3339("2026-07-04T08:00:01Z").unwrap();
            let _ = engine.step(Input::Believe(now));
            let _ = engine.step(Input::Tick(now));
            let post = r#"{"id":"1","source":"s","author":"a","text":"acme","time":"2026-07-04T08:00:00Z"}"#;
            let frames =
                vec![Frame { bytes: bytes::Bytes::from_static(post.as_bytes()), received: None, oversize: false }];
            let source = Arc::new(SourceInfo { name: "s".into(), format: WireFormat::Post });
            let out = engine.step(Input::Frames(FrameBatch { source, frames, position: None }));
            assert_eq!(out.transitions.len(), 1, "{:?}", out.outcomes);
            assert_eq!(engine.burning().count(), 1, "{mode}");
            let (metrics, mut brands) = (Metrics::new().unwrap(), Brands::default());
            brands.follow(&rules, &metrics);
            brands.show(&mut engine, &metrics);
            (metrics.get(&metric::BRAND_EPISODES, &["b", "page"]), engine.is_in_shadow(0))
        };
        assert_eq!([shown("live"), shown("shadow")], [(Some(1.0), false), (Some(0.0), true)]);
    }
}
