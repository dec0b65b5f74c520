//! Plays a test through the engine, on the test's own clock.

use std::sync::Arc;

use super::event::What;
use super::file::Test;
use super::generate::Generated;
use super::lost::Lost;
use crate::app::engine::{Engine, Input};
use crate::base::limits;
use crate::base::model::{EntryBody, Frame, FrameBatch, KeyId, Notice, SourceInfo, SourceState, Tone, WireFormat};
use crate::base::outcome::{Outcome, Outcomes};
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use crate::enroll::ClockMode;

/// What came of a test.
pub(super) struct Played {
    /// Changes of episodes, in order.
    pub(super) notices: Vec<Notice>,
    /// Mentions of each brand, with whether they are hostile.
    pub(super) mentions: Vec<(Time, KeyId, bool)>,
    /// Posts that came.
    pub(super) posts: u64,
    /// What became of them.
    pub(super) outcomes: Outcomes,
}

impl Played {
    /// Posts that nothing came of, because they cannot be read or were there before.
    pub(super) fn refused(&self) -> Vec<(Outcome, u64)> {
        let never = [Outcome::Malformed, Outcome::Oversize, Outcome::Duplicate, Outcome::Late, Outcome::BadTime];
        never.into_iter().map(|o| (o, self.outcomes.get(o))).filter(|(_, n)| *n > 0).collect()
    }
}

/// What happens besides posts.
enum Control {
    Source(Arc<str>, SourceState),
    Rules(Arc<RuleSet>),
    Look,
}

/// Plays it. `look` is called at the moments asked for.
pub(super) fn play(test: &Test, looks: &[Span], look: &mut dyn FnMut(&mut Engine, Time)) -> Played {
    let end = test.start + test.length();
    let mut engine = Engine::new(test.rules.clone(), ClockMode::Live, 1);
    let _ = engine.step(Input::Believe(end));
    let mut posts = Generated::new(test);
    let played = Played { notices: Vec::new(), mentions: Vec::new(), posts: 0, outcomes: Outcomes::default() };
    let mut feed = Feed { engine, source: None, frames: Vec::new(), played };
    feed.step(Input::Tick(test.start));
    for (time, control) in controls(test, looks) {
        feed.until(&mut posts, time);
        feed.step(Input::Tick(time));
        match control {
            Control::Source(name, state) => feed.step(Input::Source(name, state)),
            Control::Rules(rules) => feed.step(Input::Rules(rules)),
            Control::Look => look(&mut feed.engine, time),
        }
    }
    feed.until(&mut posts, end + Span(1));
    feed.step(Input::Tick(end));
    feed.played
}

/// In the order of their times; of those of one moment, as the file has them.
fn controls(test: &Test, looks: &[Span]) -> Vec<(Time, Control)> {
    let mut out: Vec<(Time, Control)> = Vec::new();
    for (source, from, to) in Lost::of(&test.events).all() {
        out.push((test.start + from, Control::Source(source.into(), SourceState::Down)));
        out.push((test.start + to, Control::Source(source.into(), SourceState::Up)));
    }
    for (i, e) in test.events.iter().enumerate().filter(|(_, e)| matches!(e.what, What::Rules(_))) {
        out.extend(test.others.get(&i).map(|rules| (test.start + e.at, Control::Rules(rules.clone()))));
    }
    out.extend(looks.iter().map(|at| (test.start + *at, Control::Look)));
    out.sort_by_key(|(at, _)| *at);
    out
}

struct Feed {
    engine: Engine,
    source: Option<Arc<SourceInfo>>,
    frames: Vec<Frame>,
    played: Played,
}

impl Feed {
    /// All posts before a time.
    fn until(&mut self, posts: &mut Generated<'_>, time: Time) {
        while posts.next_time().is_some_and(|t| t < time) {
            let Some(line) = posts.take() else { continue };
            if self.source.as_ref().is_none_or(|s| *s.name != *line.source) {
                self.flush();
                let name = line.source.as_str().into();
                self.source = Some(Arc::new(SourceInfo { name, format: WireFormat::Post }));
            }
            self.played.posts += 1;
            let bytes = serde_json::to_vec(&line).unwrap_or_default();
            self.frames.push(Frame { bytes: bytes.into(), received: None, oversize: false });
            if self.frames.len() >= limits::BATCH_FRAMES {
                self.flush();
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        let frames = std::mem::take(&mut self.frames);
        if let Some(source) = self.source.clone().filter(|_| !frames.is_empty()) {
            self.step(Input::Frames(FrameBatch { source, frames, position: None }));
        }
    }

    fn step(&mut self, input: Input) {
        let output = self.engine.step(input);
        output.outcomes.values().for_each(|o| self.played.outcomes.merge(o));
        for e in &output.step.entries {
            if let EntryBody::Mention(t) | EntryBody::Share(t) = &e.body
                && t.in_brand
                && t.foreign.is_none()
            {
                self.played.mentions.push((t.time, t.key, Tone::of(t.n) == Tone::Negative));
            }
        }
        let told = output.transitions.into_iter().map(|t| self.engine.notice(t));
        self.played.notices.extend(told);
    }
}
