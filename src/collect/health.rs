//! Whether a source is heard: connected, and as talkative as it usually is. Pure: times of a clock
//! that never goes back are passed in.

use std::collections::VecDeque;

use crate::base::limits;
use crate::base::time::{Span, Time};

/// Length of a slot in which frames are counted.
const SLOT: Span = Span::seconds(10);
/// Slots looked at together: five minutes.
const SLOTS: usize = 30;
/// Slots a source must have been heard for before its rate is a usual one: half an hour.
const LEARNING: u32 = 180;
/// Weight of a slot in the usual rate: half of it is younger than six hours.
const LEARN: f64 = 0.000_32;
/// Frames that must be missing before silence means anything: by chance they never are.
const MISSED: f64 = 30.0;
/// Below this part of its usual rate a source counts as not heard; the quietest hour of a network
/// has about a third of its mean.
const TOO_FEW: f64 = 0.1;

/// What a change is told as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Not heard, or heard again.
    pub down: bool,
    /// When it was heard last.
    pub since: Time,
    /// Why.
    pub why: String,
}

/// The health of one source.
#[derive(Clone, Debug)]
pub struct Health {
    connected: bool,
    why: String,
    /// When a frame arrived last, or it was connected or lost.
    heard: Time,
    /// Frames in the slot now open, and when it began.
    slot: (Time, u64),
    /// Frames in the slots before.
    slots: VecDeque<u64>,
    /// Frames in a usual slot, and the slots that taught it.
    usual: f64,
    taught: u32,
    /// Since when it is told to be down.
    down: Option<Time>,
    steady: bool,
    ended: bool,
    /// Frames so far.
    frames: u64,
    /// How long it may be unheard before that is told.
    unheard: Span,
}

impl Health {
    /// A source that is not connected yet. One that is not `steady` is only ever down when its
    /// connection is: nobody knows when it will speak. Being `unheard` for longer is told.
    pub fn new(now: Time, steady: bool, unheard: Span) -> Health {
        Health {
            connected: false,
            why: "not connected yet".to_string(),
            heard: now,
            slot: (now, 0),
            slots: VecDeque::new(),
            usual: 0.0,
            taught: 0,
            down: None,
            steady,
            ended: false,
            frames: 0,
            unheard,
        }
    }

    /// It is at its end: nothing more is to be heard of it, and nothing is missed.
    pub fn finished(&mut self, now: Time) {
        self.opened(now);
        self.why = "at its end".to_string();
        self.steady = false;
        self.ended = true;
    }

    /// Whether it is at its end.
    pub fn is_at_end(&self) -> bool {
        self.ended
    }

    /// It is connected.
    pub fn opened(&mut self, now: Time) {
        self.turn(now);
        self.connected = true;
        // what was missed while it was lost says nothing about the rate
        (self.slot, self.slots) = ((now, 0), VecDeque::new());
        self.heard = now;
    }

    /// The connection was lost, or could not be made.
    pub fn lost(&mut self, now: Time, why: &str) {
        self.turn(now);
        if self.connected {
            self.heard = now;
        }
        self.connected = false;
        self.why = why.chars().take(limits::REASON_CHARS).collect();
    }

    /// Frames arrived.
    pub fn heard(&mut self, now: Time, frames: usize) {
        self.turn(now);
        self.slot.1 += frames as u64;
        self.frames += frames as u64;
        self.heard = now;
    }

    /// Time has passed: whether it is now down, or no more.
    pub fn tick(&mut self, now: Time) -> Option<Change> {
        self.turn(now);
        let trouble = self.trouble(now);
        match (self.down, trouble) {
            (None, Some((since, why))) => {
                self.down = Some(since);
                self.why.clone_from(&why);
                Some(Change { down: true, since, why })
            }
            (Some(since), None) => {
                self.down = None;
                Some(Change { down: false, since, why: String::new() })
            }
            _ => None,
        }
    }

    /// Since when it has not been heard, and why; `None` if it is.
    fn trouble(&self, now: Time) -> Option<(Time, String)> {
        let silent = now - self.heard;
        if !self.connected {
            return (silent >= self.unheard).then(|| (self.heard, self.why.clone()));
        }
        if !self.steady || self.taught < LEARNING {
            return None;
        }
        let missed = |slots: f64| self.usual * slots;
        let slots_silent = silent.0 as f64 / SLOT.0 as f64;
        if silent >= self.unheard && missed(slots_silent) >= MISSED {
            let usual = self.usual_rate();
            return Some((self.heard, format!("connected, but nothing arrives; usual are {usual:.1} frames/s")));
        }
        let counted: u64 = self.slots.iter().sum();
        let expected = missed(self.slots.len() as f64);
        if self.slots.len() == SLOTS && (counted as f64) < expected * TOO_FEW && expected >= MISSED / TOO_FEW {
            let part = counted as f64 / expected * 100.0;
            let why = format!("connected, but hears {part:.0} % of its usual {:.1} frames/s", self.usual_rate());
            return Some((now - Span(SLOT.0 * SLOTS as i64), why));
        }
        None
    }

    /// Closes the slots that are over.
    fn turn(&mut self, now: Time) {
        let over = (now - self.slot.0).0 / SLOT.0;
        for k in 0..over.min(SLOTS as i64) {
            let frames = if k == 0 { self.slot.1 } else { 0 };
            self.slots.push_back(frames);
            if self.slots.len() > SLOTS {
                self.slots.pop_front();
            }
            if self.connected && (self.down.is_none() || self.taught < LEARNING) {
                self.learn(frames as f64);
            }
        }
        if over > 0 {
            self.slot = (self.slot.0 + Span(over * SLOT.0), 0);
        }
        // a level that has lasted for a day is the usual one
        if self.connected && self.down.is_some_and(|since| now - since > limits::SOURCE_ADOPTED) {
            (self.usual, self.taught) = (0.0, 0);
        }
    }

    fn learn(&mut self, frames: f64) {
        self.taught = self.taught.saturating_add(1);
        // at first the mean of what there is, later one that forgets
        let weight = LEARN.max(1.0 / f64::from(self.taught));
        self.usual += (frames - self.usual) * weight;
    }

    /// Whether it is connected.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Since when it is not heard, if that was told.
    pub fn down_since(&self) -> Option<Time> {
        self.down
    }

    /// Why it is not connected, or not heard.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// When it was heard last.
    pub fn last_heard(&self) -> Time {
        self.heard
    }

    /// Frames that arrived so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Frames a second over the last five minutes, or as long as it is connected.
    pub fn rate(&self) -> f64 {
        let counted: u64 = self.slots.iter().sum();
        counted as f64 / (self.slots.len().max(1) as f64 * SLOT.as_seconds())
    }

    /// Frames a second as usual; 0 where nothing is known.
    pub fn usual_rate(&self) -> f64 {
        self.usual / SLOT.as_seconds()
    }

    /// Time until its usual rate is known; zero if it is.
    pub fn learning_left(&self) -> Span {
        Span(SLOT.0 * i64::from(LEARNING.saturating_sub(self.taught)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Time {
        Time::from_millis(s * 1000)
    }

    /// Runs a source second by second; gives what it told.
    fn run(h: &mut Health, seconds: std::ops::Range<i64>, frames: impl Fn(i64) -> usize) -> Vec<(i64, bool)> {
        let mut told = Vec::new();
        for s in seconds {
            if frames(s) > 0 {
                h.heard(at(s), frames(s));
            }
            told.extend(h.tick(at(s)).map(|c| (s, c.down)));
        }
        told
    }

    #[test]
    fn a_lost_connection_is_told_after_a_minute_and_once() {
        let mut h = Health::new(at(0), true, limits::SOURCE_DOWN);
        assert_eq!(run(&mut h, 0..59, |_| 0), []);
        h.opened(at(59));
        assert_eq!(run(&mut h, 59..200, |_| 5), []);
        h.lost(at(200), "closed by the server");
        assert_eq!(run(&mut h, 200..500, |_| 0), [(260, true)]);
        assert_eq!((h.why(), h.down_since()), ("closed by the server", Some(at(200))));
        // tries that fail change the reason, not since when
        h.lost(at(500), "refused");
        h.opened(at(510));
        assert_eq!(run(&mut h, 510..600, |_| 5), [(510, false)]);
    }

    #[test]
    fn what_is_at_its_end_is_missed_by_nobody() {
        let mut h = Health::new(at(0), true, limits::SOURCE_DOWN);
        h.opened(at(0));
        assert_eq!(run(&mut h, 0..3600, |_| 50), []);
        h.finished(at(3600));
        assert_eq!(run(&mut h, 3600..7200, |_| 0), []);
        assert!(h.is_connected() && h.is_at_end());
        assert_eq!(h.why(), "at its end");
    }

    #[test]
    fn never_connected_is_told_too() {
        let mut h = Health::new(at(0), false, limits::SOURCE_DOWN);
        assert_eq!(run(&mut h, 0..100, |_| 0), [(60, true)]);
    }

    #[test]
    fn a_stream_that_falls_silent_is_not_heard_whatever_its_socket_says() {
        let mut h = Health::new(at(0), true, limits::SOURCE_DOWN);
        h.opened(at(0));
        assert_eq!(run(&mut h, 0..3600, |_| 50), []);
        assert!((h.usual_rate() - 50.0).abs() < 0.1 && (h.rate() - 50.0).abs() < 0.1);
        assert_eq!(run(&mut h, 3600..3700, |_| 0), [(3659, true)]);
        assert!(h.why().contains("usual are 49."), "{}", h.why());
        assert_eq!(run(&mut h, 3700..3760, |_| 50), [(3700, false)]);
        // a twentieth of it is as good as nothing
        let told = run(&mut h, 3760..5000, |s| usize::from(s % 20 == 0) * 50);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].1 && (4000..4200).contains(&told[0].0), "{told:?}");
        assert!(h.why().contains("% of its usual"), "{}", h.why());
        // a new level that lasts for a day is adopted
        assert_eq!(run(&mut h, 5000..100_000, |s| usize::from(s % 20 == 0) * 50).iter().filter(|t| !t.1).count(), 1);
        assert!((h.usual_rate() - 2.5).abs() < 0.5);
    }

    #[test]
    fn the_rhythm_of_a_day_and_rare_sources_are_no_trouble() {
        let mut h = Health::new(at(0), true, limits::SOURCE_DOWN);
        h.opened(at(0));
        let day = |s: i64| (20.0 * (1.0 + 0.6 * (s as f64 / 86_400.0 * std::f64::consts::TAU).cos())) as usize;
        assert_eq!(run(&mut h, 0..3 * 86_400, day), []);
        let mut h = Health::new(at(0), true, limits::SOURCE_DOWN);
        h.opened(at(0));
        assert_eq!(run(&mut h, 0..86_400, |s| usize::from(s % 600 == 0)), [], "one in ten minutes");
    }
}
