//! The posts of one event, in the order of their times.

use serde::Serialize;

use super::dice::Dice;
use super::event::{Crowd, Number, OnePost};
use super::texts;
use crate::base::model::Tone;
use crate::base::time::{Span, Time};

const DAY: f64 = 86_400.0;
/// The hour of the day at which a rhythm is highest.
const HIGHEST: f64 = 15.0 / 24.0;
/// What an own account says that is answered.
const OWN_TEXT: &str = "our branches open at nine this week, as the page says";

/// A post as a line of the generic format.
#[derive(Serialize)]
pub(super) struct Line {
    id: String,
    pub(super) source: String,
    author: String,
    text: String,
    pub(super) time: i64,
    kind: &'static str,
    lang: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    followers: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<String>,
}

/// The posts of one event that many people make.
pub(super) struct Lane<'t> {
    crowd: &'t Crowd,
    /// By what its posts are told from those of other events.
    index: usize,
    seed: u64,
    from: Time,
    times: Dice,
    talk: Dice,
    /// Seconds since it began, where posts come by chance.
    at: f64,
    /// Posts made so far; whether the own account has spoken.
    made: u64,
    opened: bool,
    /// Texts of each tone so far, and with which number they begin.
    said: [u64; 3],
    first: u64,
    /// Source and id of what is answered or passed on.
    target: Option<(String, String)>,
}

const TONES: [Tone; 3] = [Tone::Negative, Tone::Positive, Tone::Neutral];

impl<'t> Lane<'t> {
    /// Of the event of this number; `target` is where the post stands that is passed on.
    pub(super) fn new(crowd: &'t Crowd, index: usize, seed: u64, from: Time, target: Option<String>) -> Lane<'t> {
        let purpose = 16 * index as u64;
        let mut talk = Dice::new(seed, purpose + 2);
        let first = talk.draw() % texts::DIFFERENT;
        let target = match (&crowd.of, &crowd.own) {
            (Some(of), _) => target.map(|source| (source, of.clone())),
            (_, Some((source, _))) => {
                let own = || crowd.voice.sources.first().map(|(s, _)| s.clone());
                source.clone().or_else(own).map(|source| (source, format!("own{index}")))
            }
            _ => None,
        };
        let times = Dice::new(seed, purpose + 1);
        Lane { crowd, index, seed, from, times, talk, at: 0.0, made: 0, opened: false, said: [0; 3], first, target }
    }

    /// When the next post comes; `None` after the last one.
    pub(super) fn next_time(&mut self) -> Option<Time> {
        if self.answers_own() && !self.opened {
            return Some(self.from);
        }
        let length = self.crowd.length.as_seconds();
        let seconds = match &self.crowd.number {
            Number::Rate(rate) => self.by_chance(*rate, length)?,
            Number::Posts(n) => (self.made < *n).then(|| (self.made as f64 + 0.5) / *n as f64 * length)?,
            Number::Shares { .. } => {
                let n = self.all();
                let u = (self.made as f64 + 0.5) / n as f64;
                // half of them come within the first quarter
                (self.made < n).then(|| 0.1 * length * (11f64.powf(u) - 1.0))?
            }
        };
        // posts tell their time in milliseconds
        Some(self.from + Span::millis((seconds * 1e3).round() as i64))
    }

    fn by_chance(&mut self, rate: f64, length: f64) -> Option<f64> {
        let c = self.crowd;
        loop {
            self.at += self.times.wait(rate * (1.0 + c.rhythm));
            if self.at >= length {
                return None;
            }
            let day = (self.from.as_seconds() + self.at) / DAY;
            let swing = 1.0 + c.rhythm * (std::f64::consts::TAU * (day.fract() - HIGHEST)).cos();
            let risen = if c.ramp { self.at / length } else { 1.0 };
            if c.rhythm == 0.0 && !c.ramp || self.times.hits(swing * risen / (1.0 + c.rhythm)) {
                return Some(self.at);
            }
        }
    }

    fn answers_own(&self) -> bool {
        self.crowd.own.is_some()
    }

    /// Shares and answers together.
    fn all(&self) -> u64 {
        match self.crowd.number {
            Number::Shares { count, replies, .. } => count + (count as f64 * replies).round() as u64,
            _ => 0,
        }
    }

    /// The post that comes at this time.
    pub(super) fn post(&mut self, time: Time) -> Line {
        if self.answers_own() && !self.opened {
            self.opened = true;
            return self.opening(time);
        }
        let (k, v) = (self.made, &self.crowd.voice);
        self.made += 1;
        let exact = !matches!(self.crowd.number, Number::Rate(_));
        let who = match v.authors {
            None => k,
            Some(n) if exact => k % n,
            Some(n) => self.talk.draw() % n,
        };
        let kind = self.kind(k);
        let lang = self.talk.pick(&v.langs).cloned().unwrap_or_default();
        let text = if kind == "repost" { String::new() } else { self.text(&lang, exact) };
        let source = match &self.target {
            Some((source, _)) => source.clone(),
            None => self.talk.pick(&v.sources).cloned().unwrap_or_default(),
        };
        let parent = self.target.as_ref().map(|(_, id)| id.clone());
        Line {
            id: format!("e{}-{k}", self.index),
            source,
            author: format!("person{}-{who}", self.index),
            text,
            time: time.0 / 1000,
            kind,
            lang,
            followers: self.followers(who, exact),
            root: parent.clone().filter(|_| kind == "reply"),
            parent,
            links: v.links.clone(),
        }
    }

    /// What an own account says first, so that it can be answered.
    fn opening(&self, time: Time) -> Line {
        let (source, id) = self.target.clone().unwrap_or_default();
        let author = self.crowd.own.as_ref().map(|(_, author)| author.clone()).unwrap_or_default();
        let (kind, lang) = ("post", "en".to_string());
        let (text, links) = (OWN_TEXT.to_string(), Vec::new());
        let (followers, parent, root) = (Some(10_000), None, None);
        Line { id, source, author, text, time: time.0 / 1000, kind, lang, followers, parent, root, links }
    }

    fn kind(&self, k: u64) -> &'static str {
        let Number::Shares { count, quotes, .. } = self.crowd.number else {
            return if self.target.is_some() { "reply" } else { "post" };
        };
        let all = self.all();
        let answers = (all - count) as f64 / all.max(1) as f64;
        let before = (k as f64 * answers + 1e-9) as u64;
        match is_one(k, answers) {
            true => "reply",
            false if is_one(k - before, quotes) => "quote",
            false => "repost",
        }
    }

    fn tone(&mut self, exact: bool) -> usize {
        let v = &self.crowd.voice;
        let parts = [v.negative, v.positive, 1.0 - v.negative - v.positive];
        if !exact {
            let u = self.talk.unit();
            return if u < parts[0] { 0 } else { 1 + usize::from(u >= parts[0] + parts[1]) };
        }
        // the one that is furthest behind its part
        let all = self.said.iter().sum::<u64>() as f64 + 1.0;
        let behind = |i: usize| parts[i] * all - self.said[i] as f64;
        (1..3).fold(0, |best, i| if behind(i) > behind(best) + 1e-9 { i } else { best })
    }

    fn text(&mut self, lang: &str, exact: bool) -> String {
        let tone = self.tone(exact);
        let number = self.said[tone];
        let all: u64 = self.said.iter().sum();
        self.said[tone] += 1;
        let v = &self.crowd.voice;
        let mut out = match v.texts.len() as u64 {
            0 => {
                let number = if v.copies { 0 } else { number };
                let name = if v.names { &self.crowd.name } else { "they" };
                texts::text(TONES[tone], lang, name, self.first + number)
            }
            n => v.texts.get((all % n) as usize).cloned().unwrap_or_default(),
        };
        v.tags.iter().for_each(|t| out.push_str(&format!(" #{}", t.trim_start_matches('#'))));
        out
    }

    /// The followers of an author, always the same; `None` where nobody knows them.
    fn followers(&self, who: u64, exact: bool) -> Option<u64> {
        let v = &self.crowd.voice;
        let mut dice = Dice::new(self.seed ^ who.wrapping_mul(0x2545_f491_4f6c_dd1d), 16 * self.index as u64 + 3);
        let (bell, chance) = (dice.bell(), dice.hits(v.unknown));
        let hidden = if exact { is_one(who, v.unknown) } else { chance };
        (!hidden).then(|| v.followers.of(bell))
    }
}

/// Whether the one of this number (from 0) is among an evenly spread part.
fn is_one(k: u64, part: f64) -> bool {
    let upto = |k: u64| (k as f64 * part + 1e-9) as u64;
    upto(k + 1) > upto(k)
}

/// A post that is written out; `source` is where it stands.
pub(super) fn one(p: &OnePost, index: usize, source: String, time: Time) -> Line {
    let deletes = p.kind == "delete";
    let id = match (&p.parent, &p.id) {
        (Some(gone), _) if deletes => gone.clone(),
        (_, id) => id.clone().unwrap_or_else(|| format!("post{index}")),
    };
    let made_up = || texts::text(p.tone, &p.lang, &p.name, index as u64);
    let text = match &p.text {
        Some(text) => text.clone(),
        None if deletes || p.kind == "repost" => String::new(),
        None => made_up(),
    };
    Line {
        id,
        source,
        author: p.author.clone().unwrap_or_else(|| format!("author{index}")),
        text,
        time: time.0 / 1000,
        kind: p.kind,
        lang: p.lang.clone(),
        followers: p.followers,
        parent: p.parent.clone().filter(|_| !deletes),
        root: p.parent.clone().filter(|_| p.kind == "reply"),
        links: p.links.clone(),
    }
}
