//! The demo's story as frames with times: a day of chatter, then the story over it.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::texts;
use crate::base::time::{Span, Time};

/// When the live part begins: 2026-07-04T08:00:00Z. Everything is invented, the date too.
const LIVE: Time = Time(1_783_152_000_000_000);
/// Chatter before that.
const HISTORY: Span = Span::seconds(86_400);
/// Live part.
const LENGTH: Span = Span::seconds(9000);
/// When the story begins.
const ROOT_AT: Span = Span::seconds(70);
/// Seconds between two posts of the chatter, on average.
const CHATTER_EVERY: f64 = 2.5;
/// Seconds between two mentions of the brand before the story, on average.
const MENTION_EVERY: f64 = 300.0;
/// Seconds between two mentions of the other brand, on average.
const OTHER_EVERY: f64 = 420.0;
/// When the brand answers, after the story began.
const ANSWERED_AT: Span = Span::seconds(1_500);
/// Who did not speak before the script was over.
const PASSER_BY: &str = "passer-by";

/// Someone passed the story on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Share {
    /// When.
    pub time: Time,
    /// To how many followers.
    pub followers: u64,
}

/// The script.
pub struct Script {
    /// Frames with their times, in order.
    pub frames: Vec<(Time, String)>,
    /// Followers of every account, by DID.
    pub followers: BTreeMap<String, u64>,
    /// When the story began.
    pub began: Time,
    /// When the live part begins.
    pub live: Time,
    /// Shares of the story, in order.
    pub shares: Vec<Share>,
    /// The name the story has in transitions.
    pub story: String,
}

struct Writer {
    dice: u64,
    script: Script,
    count: u64,
    /// What people are called.
    person: &'static str,
}

/// A post that can be referred to.
#[derive(Clone)]
struct Uri(String);

impl Script {
    /// The whole script; always the same.
    pub fn new() -> Script {
        let script = Script {
            frames: Vec::new(),
            followers: BTreeMap::new(),
            began: LIVE + ROOT_AT,
            live: LIVE,
            shares: Vec::new(),
            story: String::new(),
        };
        let mut w = Writer { dice: 0x6775_6974_6172, script, count: 0, person: "person" };
        w.chatter(LIVE - HISTORY, LIVE + LENGTH);
        w.story();
        w.others(LIVE - HISTORY, LIVE + LENGTH);
        let mut script = w.script;
        script.frames.sort_by_key(|f| f.0);
        script.shares.sort_by_key(|s| s.time);
        script
    }

    /// What is said in an hour after the script is over: the first, the second, and so on.
    pub fn hour_after(hour: u32) -> Vec<(Time, String)> {
        let from = LIVE + LENGTH + Span::seconds(3600 * i64::from(hour));
        let empty = || Script {
            frames: Vec::new(),
            followers: BTreeMap::new(),
            began: from,
            live: from,
            shares: Vec::new(),
            story: String::new(),
        };
        // ids of their own: an hour has fewer than so many frames
        let count = 1_000_000 * (u64::from(hour) + 1);
        let mut w = Writer { dice: 0x6861_7262_6f72 ^ count, script: empty(), count, person: PASSER_BY };
        w.chatter(from, from + Span::seconds(3600));
        w.others(from, from + Span::seconds(3600));
        w.script.frames.sort_by_key(|f| f.0);
        w.script.frames
    }

    /// The followers of an account, by DID.
    pub fn followers_of(&self, did: &str) -> Option<u64> {
        let passer_by = || did.split_once(PASSER_BY)?.1.parse::<u64>().ok().map(|n| n * 7_919 % 900);
        self.followers.get(did).copied().or_else(passer_by)
    }

    /// The part of the sharers' audience that had seen the story before a time, 0..1.
    pub fn spent(&self, before: Time) -> f64 {
        let sum = |shares: &mut dyn Iterator<Item = &Share>| shares.map(|s| s.followers).sum::<u64>() as f64;
        sum(&mut self.shares.iter().filter(|s| s.time < before)) / sum(&mut self.shares.iter()).max(1.0)
    }
}

impl Default for Script {
    fn default() -> Script {
        Script::new()
    }
}

impl Writer {
    fn unit(&mut self) -> f64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 11) as f64 / (1u64 << 53) as f64
    }

    fn pick(&mut self, from: &'static [&'static str]) -> &'static str {
        let at = (self.unit() * from.len() as f64) as usize;
        from.get(at).copied().unwrap_or("")
    }

    /// Seconds until the next of events that come every `mean` seconds.
    fn wait(&mut self, mean: f64) -> Span {
        Span((-(self.unit().max(1e-9).ln()) * mean * 1e6) as i64)
    }

    /// A follower count as they are: most small, a few large.
    fn crowd(&mut self) -> u64 {
        let normal: f64 = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        ((5.3 + 1.6 * normal).exp() as u64).min(30_000)
    }

    fn account(&mut self, name: &str, followers: u64) -> String {
        let did = format!("did:plc:{name}");
        self.script.followers.insert(did.clone(), followers);
        did
    }

    fn someone(&mut self) -> (String, u64) {
        self.count += 1;
        let (name, followers) = (format!("{}{:05}", self.person, self.count), self.crowd());
        (self.account(&name, followers), followers)
    }

    fn frame(&mut self, at: Time, did: &str, collection: &str, record: &str) -> Uri {
        self.count += 1;
        let rkey = format!("3k{:011}", self.count);
        let mut out = String::new();
        let _ = write!(
            out,
            "{{\"did\":\"{did}\",\"time_us\":{},\"kind\":\"commit\",\"commit\":{{\"rev\":\"{rkey}\",\"operation\":\"create\",\
             \"collection\":\"{collection}\",\"rkey\":\"{rkey}\",\"record\":{record},\"cid\":\"bafyrei{rkey}\"}}}}",
            at.0
        );
        self.script.frames.push((at, out));
        Uri(format!("at://{did}/{collection}/{rkey}"))
    }

    fn post(&mut self, at: Time, did: &str, text: &str, more: &str) -> Uri {
        let lang = if text.is_ascii() { "en" } else { "und" };
        let text = serde_json::to_string(text).unwrap_or_default();
        let record = format!(
            "{{\"$type\":\"app.bsky.feed.post\",\"createdAt\":\"{at}\",{more}\"langs\":[\"{lang}\"],\"text\":{text}}}"
        );
        self.frame(at, did, "app.bsky.feed.post", &record)
    }

    fn repost(&mut self, at: Time, did: &str, of: &Uri) {
        let record = format!(
            "{{\"$type\":\"app.bsky.feed.repost\",\"createdAt\":\"{at}\",\"subject\":{{\"cid\":\"c\",\"uri\":\"{}\"}}}}",
            of.0
        );
        self.frame(at, did, "app.bsky.feed.repost", &record);
    }

    fn reply(&mut self, at: Time, did: &str, to: &Uri, text: &str) {
        let target = format!("{{\"cid\":\"c\",\"uri\":\"{}\"}}", to.0);
        self.post(at, did, text, &format!("\"reply\":{{\"parent\":{target},\"root\":{target}}},"));
    }

    fn quote(&mut self, at: Time, did: &str, of: &Uri, text: &str) {
        let embed = format!(
            "\"embed\":{{\"$type\":\"app.bsky.embed.record\",\"record\":{{\"cid\":\"c\",\"uri\":\"{}\"}}}},",
            of.0
        );
        self.post(at, did, text, &embed);
    }

    /// Talk about this and that, and now and then about the brand.
    fn chatter(&mut self, from: Time, to: Time) {
        let mut at = from;
        while at < to {
            let (did, _) = self.someone();
            let text = self.pick(texts::CHATTER);
            self.post(at, &did, text, "");
            at = at + self.wait(CHATTER_EVERY);
        }
        let mut at = from;
        while at < to {
            let (did, _) = self.someone();
            let text = match self.unit() {
                u if u < 0.6 => self.pick(texts::NEUTRAL),
                u if u < 0.8 => self.pick(texts::KIND),
                _ => self.pick(texts::SOUR),
            };
            let post = self.post(at, &did, text, "");
            if self.unit() < 0.15 {
                let (did, _) = self.someone();
                let later = at + self.wait(200.0);
                self.repost(later, &did, &post);
            }
            at = at + self.wait(MENTION_EVERY);
        }
    }

    /// Talk about the other brand, about which there is no story.
    fn others(&mut self, from: Time, to: Time) {
        let mut at = from + self.wait(OTHER_EVERY);
        while at < to {
            let (did, _) = self.someone();
            let text = self.pick(texts::OTHERS);
            self.post(at, &did, text, "");
            at = at + self.wait(OTHER_EVERY);
        }
    }

    /// The story: a slow start, an outlet, a broadcaster, and the end of it.
    fn story(&mut self) {
        let began = self.script.began;
        let singer = self.account("maeve-on-strings", 3_900);
        let root = self.post(began, &singer, texts::ROOT, "");
        self.script.story = format!("bluesky:{}", root.0);
        // friends first: the pace doubles about every minute and a half
        for k in 1..=34 {
            let seconds = 130.0 * (1.0 + f64::from(k) / 6.0).ln() + 20.0 * self.unit();
            self.pass_on(began + Span((seconds * 1e6) as i64), &root, 0.15);
        }
        let outlet = began + Span::seconds(412);
        self.voice(outlet, "late-edition-news", 640_000, &root, "");
        self.wave(outlet, 520, 900.0, &root);
        let broadcaster = began + Span::seconds(1_920);
        self.voice(broadcaster, "channel-nine-tonight", 1_200_000, &root, texts::OUTLET);
        self.wave(broadcaster, 380, 600.0, &root);
        let care = self.account("northwind-care", 52_000);
        self.reply(began + ANSWERED_AT, &care, &root, texts::ANSWER);
    }

    fn voice(&mut self, at: Time, name: &str, followers: u64, root: &Uri, text: &str) {
        let did = self.account(name, followers);
        match text {
            "" => self.repost(at, &did, root),
            text => self.quote(at, &did, root, text),
        }
        self.script.shares.push(Share { time: at, followers });
    }

    fn wave(&mut self, from: Time, shares: usize, tau: f64, root: &Uri) {
        for _ in 0..shares {
            let at = from + self.wait(tau);
            self.pass_on(at, root, 0.08);
        }
    }

    /// One share, and perhaps a reply of somebody else.
    fn pass_on(&mut self, at: Time, root: &Uri, quoting: f64) {
        let (did, followers) = self.someone();
        if self.unit() < quoting {
            let text = if self.unit() < 0.8 { self.pick(texts::HOSTILE) } else { self.pick(texts::MILD) };
            self.quote(at, &did, root, text);
        } else {
            self.repost(at, &did, root);
        }
        self.script.shares.push(Share { time: at, followers });
        if self.unit() < 0.2 {
            let (did, _) = self.someone();
            let text = if self.unit() < 0.75 { self.pick(texts::HOSTILE) } else { self.pick(texts::MILD) };
            let later = at + self.wait(40.0);
            self.reply(later, &did, root, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_in_order_and_its_reach_adds_up() {
        let s = Script::new();
        assert!(s.frames.windows(2).all(|w| w[0].0 <= w[1].0));
        assert!(s.frames.len() > 30_000 && s.shares.len() > 900);
        let later = [Script::hour_after(0), Script::hour_after(1)].concat();
        assert!(later.windows(2).all(|w| w[0].0 <= w[1].0) && later.len() > 2_000);
        assert!(later[0].0 >= s.frames.last().unwrap().0);
        let passer_by = later[0].1.split('"').nth(3).unwrap();
        assert!(s.followers_of(passer_by).is_some() && s.followers_of("did:plc:nobody").is_none(), "{passer_by}");
        assert_eq!((s.spent(s.began), s.spent(LIVE + LENGTH + LENGTH)), (0.0, 1.0));
        let at = |seconds| s.spent(s.began + Span::seconds(seconds));
        assert!(at(400) < 0.05 && at(420) > 0.2, "the outlet makes the difference: {} {}", at(400), at(420));
    }
}
