//! All posts of a test in the order of their times, made one by one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::event::{Event, OnePost, What};
use super::file::Test;
use super::lane::{self, Lane, Line};
use super::lost::Lost;
use super::voice::SOURCE;
use crate::base::limits;
use crate::base::time::Time;

enum Posts<'t> {
    Many(Box<Lane<'t>>),
    One(&'t OnePost, usize, String),
}

/// The posts of a test.
pub(super) struct Generated<'t> {
    lanes: Vec<Posts<'t>>,
    /// The next post of each lane.
    next: BinaryHeap<Reverse<(Time, usize)>>,
    lost: Lost<'t>,
    start: Time,
    made: u64,
}

impl<'t> Generated<'t> {
    pub(super) fn new(test: &'t Test) -> Generated<'t> {
        let sources = sources(&test.events);
        let of = |id: &str| sources.get(id).cloned().unwrap_or_else(|| SOURCE.to_string());
        let (lost, start) = (Lost::of(&test.events), test.start);
        let mut out = Generated { lanes: Vec::new(), next: BinaryHeap::new(), lost, start, made: 0 };
        for (index, e) in test.events.iter().enumerate() {
            let from = test.start + e.at;
            match &e.what {
                What::Crowd(c) => {
                    let target = c.of.as_deref().map(of);
                    let mut lane = Lane::new(c, index, test.seed, from, target);
                    if let Some(time) = lane.next_time() {
                        out.next.push(Reverse((time, out.lanes.len())));
                        out.lanes.push(Posts::Many(Box::new(lane)));
                    }
                }
                What::Post(p) => {
                    let there = || p.parent.as_deref().map_or_else(|| SOURCE.to_string(), of);
                    let source = p.source.clone().unwrap_or_else(there);
                    out.next.push(Reverse((from, out.lanes.len())));
                    out.lanes.push(Posts::One(p, index, source));
                }
                What::Gap(..) | What::Rules(_) | What::Pass => {}
            }
        }
        out
    }

    /// When the next post comes.
    pub(super) fn next_time(&self) -> Option<Time> {
        self.next.peek().filter(|_| self.made < limits::TEST_POSTS).map(|Reverse((t, _))| *t)
    }

    /// The next post; `None` at the end, and for one that nobody hears because its source is lost.
    pub(super) fn take(&mut self) -> Option<Line> {
        let Reverse((time, at)) = self.next.pop()?;
        let line = match self.lanes.get_mut(at)? {
            Posts::One(p, index, source) => lane::one(p, *index, source.clone(), time),
            Posts::Many(lane) => {
                let line = lane.post(time);
                if let Some(next) = lane.next_time() {
                    self.next.push(Reverse((next, at)));
                }
                line
            }
        };
        self.made += 1;
        (!self.lost.is(&line.source, time - self.start)).then_some(line)
    }
}

/// Where the posts are that are written out and have an id.
fn sources(events: &[Event]) -> BTreeMap<&str, String> {
    let mut out = BTreeMap::new();
    // what a post answers can stand behind it in the file
    for _ in 0..2 {
        for e in events {
            let What::Post(p) = &e.what else { continue };
            let parent = p.parent.as_ref().and_then(|p| out.get(p.as_str()).cloned());
            let source = p.source.clone().or(parent).unwrap_or_else(|| SOURCE.to_string());
            out.extend(p.id.as_deref().map(|id| (id, source)));
        }
    }
    out
}

/// About how many posts the events make.
pub(super) fn expected(events: &[Event]) -> f64 {
    let of = |e: &Event| match &e.what {
        What::Crowd(c) => c.expected(),
        What::Post(_) => 1.0,
        _ => 0.0,
    };
    events.iter().map(of).sum()
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::file::tests::of;
    use super::*;

    fn all(events: &str) -> Vec<Json> {
        let test = of(events);
        let mut posts = Generated::new(&test);
        let mut out = Vec::new();
        while posts.next_time().is_some() {
            out.extend(posts.take().map(|line| serde_json::to_value(line).unwrap()));
        }
        out
    }

    fn part(posts: &[Json], f: impl Fn(&Json) -> bool) -> f64 {
        posts.iter().filter(|p| f(p)).count() as f64 / posts.len() as f64
    }

    fn hostile(p: &Json) -> bool {
        crate::enrich::negativity::score(p["text"].as_str().unwrap(), Some("en")).is_some_and(|n| n.milli() >= 500)
    }

    #[test]
    fn a_crowd_is_as_it_was_asked_for() {
        let posts = all(
            "{from: 0s, for: 7d, rate: 2/min, negative: 20%, unknown: 30%, langs: {en: 3, de: 1}, sources: {a: 1, b: 4}, followers: {median: 500, spread: 1.5}}",
        );
        assert!((posts.len() as f64 / 20_160.0 - 1.0).abs() < 0.03, "{}", posts.len());
        let english: Vec<Json> = posts.iter().filter(|p| p["lang"] == "en").cloned().collect();
        assert!((part(&english, hostile) - 0.2).abs() < 0.01);
        assert!((part(&posts, |p| p["lang"] == "de") - 0.25).abs() < 0.01);
        assert!((part(&posts, |p| p["source"] == "b") - 0.8).abs() < 0.01);
        assert!((part(&posts, |p| p["followers"].is_null()) - 0.3).abs() < 0.01);
        let mut known: Vec<u64> = posts.iter().filter_map(|p| p["followers"].as_u64()).collect();
        known.sort_unstable();
        let at = |q: f64| known[(known.len() as f64 * q) as usize] as f64;
        assert!((at(0.5) / 500.0 - 1.0).abs() < 0.05, "{}", at(0.5));
        // one deviation above the median
        assert!((at(0.8413) / at(0.5) / 1.5f64.exp() - 1.0).abs() < 0.1, "{}", at(0.8413));
        assert!(posts.windows(2).all(|w| w[0]["time"].as_i64() <= w[1]["time"].as_i64()));
        assert_eq!(
            posts,
            all(
                "{from: 0s, for: 7d, rate: 2/min, negative: 20%, unknown: 30%, langs: {en: 3, de: 1}, sources: {a: 1, b: 4}, followers: {median: 500, spread: 1.5}}"
            )
        );
    }

    #[test]
    fn numbers_are_exact_where_they_are_given() {
        let posts = all(
            "{from: 1h, for: 10m, posts: 50, negative: 30%, positive: 20%, authors: 10, followers: 5k, unknown: 20%}",
        );
        assert_eq!((posts.len(), posts.iter().filter(|p| hostile(p)).count()), (50, 15));
        let authors: std::collections::BTreeSet<String> = posts.iter().map(|p| p["author"].to_string()).collect();
        assert_eq!((authors.len(), posts.iter().filter(|p| p["followers"] == 5000).count()), (10, 40));
        let times: Vec<i64> = posts.iter().map(|p| p["time"].as_i64().unwrap()).collect();
        assert!(times.windows(2).all(|w| w[1] - w[0] == 12_000), "{times:?}");
        let same = all(
            "{from: 0s, for: 1h, posts: 20, negative: 1, copies: true, tags: [fail], links: ['https://a.example/1'], names: false}",
        );
        assert!(same.iter().all(|p| p["text"] == same[0]["text"] && p["links"][0] == "https://a.example/1"));
        let text = same[0]["text"].as_str().unwrap();
        assert!(text.ends_with(" #fail") && !text.contains("Acme"), "{text}");
        let own = all("{from: 0s, for: 1h, posts: 4, texts: ['one acme', 'two acme']}");
        let said: Vec<&str> = own.iter().map(|p| p["text"].as_str().unwrap()).collect();
        assert_eq!(said, ["one acme", "two acme", "one acme", "two acme"]);
    }

    #[test]
    fn a_story_has_shares_quotes_and_answers_and_falls_off() {
        let posts = all(
            "{at: 1h, post: {id: x, author: a, source: net}}, {from: 1h, for: 40m, shares: 100, of: x, quotes: 10%, replies: 20%, negative: 70%}",
        );
        let kind = |k: &str| posts.iter().filter(|p| p["kind"] == k).count();
        assert_eq!((kind("post"), kind("repost"), kind("quote"), kind("reply")), (1, 90, 10, 20));
        assert!(posts.iter().skip(1).all(|p| p["parent"] == "x" && p["source"] == "net"));
        assert!(posts.iter().filter(|p| p["kind"] == "reply").all(|p| p["root"] == "x" && p["text"] != ""));
        assert_eq!(posts.iter().filter(|p| hostile(p)).count(), 21, "of 30 texts 70%");
        let began = posts[0]["time"].as_i64().unwrap();
        let early = posts.iter().filter(|p| p["time"].as_i64().unwrap() - began < 600_000).count();
        assert!((58..=66).contains(&early), "{early}");
    }

    #[test]
    fn days_have_a_rhythm_and_ramps_rise() {
        let posts = all("{from: 0s, for: 10d, rate: 1/min, rhythm: 80%}");
        let hour = |p: &Json| p["time"].as_i64().unwrap() / 3_600_000 % 24;
        let (day, night) = (part(&posts, |p| (12..18).contains(&hour(p))), part(&posts, |p| hour(p) < 6));
        assert!(day / night > 4.0 && (posts.len() as f64 / 14_400.0 - 1.0).abs() < 0.05, "{day} {night}");
        let posts = all("{from: 0s, for: 1d, rate: 4/min, ramp: true}");
        let late = part(&posts, |p| hour(p) >= 12);
        assert!((late - 0.75).abs() < 0.03 && (posts.len() as f64 / 2880.0 - 1.0).abs() < 0.06, "{late}");
    }

    #[test]
    fn who_answers_the_brand_answers_its_own_account() {
        let posts = all("{from: 1h, for: 1h, posts: 3, to: own, names: false}");
        assert_eq!((posts.len(), posts[0]["author"].as_str()), (4, Some("acme-care")));
        assert!(posts.iter().skip(1).all(|p| p["kind"] == "reply" && p["parent"] == posts[0]["id"]));
    }

    #[test]
    fn nothing_comes_from_a_source_that_is_lost() {
        let posts = all("{from: 0s, for: 10h, posts: 600, sources: [a, b]}, {at: 2h, source: a, down: 3h}");
        let lost = |p: &Json| (2..5).contains(&(p["time"].as_i64().unwrap() / 3_600_000 % 24));
        assert!(posts.iter().all(|p| !(p["source"] == "a" && lost(p))));
        assert!(posts.iter().any(|p| p["source"] == "b" && lost(p)) && posts.len() < 560);
    }
}
