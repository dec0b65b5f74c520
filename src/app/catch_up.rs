//! After a start: sources that go on where they were bring what was missed. Until they have come
//! to the present, engine time is that of the posts, and nobody is told anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::limits;
use crate::base::time::Time;

/// A source that has to catch up.
#[derive(Clone, Copy, Debug, Default)]
struct Behind {
    /// When it was connected, by uptime.
    connected: Option<Time>,
    /// When it last said something, by uptime.
    heard: Option<Time>,
    /// When it was lost last, by uptime.
    lost: Option<Time>,
}

/// Sources that are behind the present.
#[derive(Clone, Debug)]
pub struct CatchUp {
    behind: BTreeMap<Arc<str>, Behind>,
    began: Time,
}

impl CatchUp {
    /// With these sources, from now on (by uptime).
    pub fn new(sources: impl IntoIterator<Item = Arc<str>>, began: Time) -> CatchUp {
        CatchUp { behind: sources.into_iter().map(|s| (s, Behind::default())).collect(), began }
    }

    /// A source was connected, or lost.
    pub fn connected(&mut self, source: &str, up: bool, uptime: Time) {
        if let Some(b) = self.behind.get_mut(source) {
            *b = Behind { connected: up.then_some(uptime), heard: None, lost: (!up).then_some(uptime) };
        }
    }

    /// A source has nothing more to say.
    pub fn ended(&mut self, source: &str) {
        self.behind.remove(source);
    }

    /// A source sent frames, the last one of a time; both times by the Clock.
    pub fn heard(&mut self, source: &str, event: Option<Time>, now: Time, uptime: Time) {
        if event.is_some_and(|t| t >= now - limits::LIVE_EDGE) {
            self.behind.remove(source);
        } else if let Some(b) = self.behind.get_mut(source) {
            b.heard = Some(uptime);
        }
    }

    /// Whether all have come to the present. One that is connected and silent has, one that cannot be
    /// reached is not waited for, and none for ever.
    pub fn is_over(&mut self, uptime: Time) -> bool {
        let began = self.began;
        self.behind.retain(|_, b| match (b.connected, b.heard) {
            (None, _) => uptime - b.lost.unwrap_or(began) < limits::CATCH_UP_CONNECT,
            (Some(at), heard) => uptime - heard.unwrap_or(at) < limits::CATCH_UP_SILENCE,
        });
        self.behind.is_empty() || uptime - began >= limits::CATCH_UP
    }

    /// Those that have not.
    pub fn behind(&self) -> impl Iterator<Item = &Arc<str>> {
        self.behind.keys()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    const NOW: Time = Time(1_780_000_000_000_000);

    fn at(s: i64) -> Time {
        Time(0) + Span::seconds(s)
    }

    fn two() -> CatchUp {
        CatchUp::new(["a".into(), "b".into()], at(0))
    }

    #[test]
    fn is_over_when_every_source_is_at_the_present() {
        let mut c = two();
        c.connected("a", true, at(1));
        c.connected("b", true, at(1));
        c.heard("a", Some(NOW - Span::seconds(600)), NOW, at(2));
        c.heard("b", Some(NOW), NOW, at(2));
        assert!(!c.is_over(at(3)) && c.behind().count() == 1);
        c.heard("a", Some(NOW - Span::seconds(1)), NOW, at(4));
        assert!(c.is_over(at(4)));
    }

    #[test]
    fn a_silent_source_has_nothing_to_catch_up_with() {
        let mut c = two();
        c.ended("b");
        c.connected("a", true, at(10));
        assert!(!c.is_over(at(12)), "it may be about to say something");
        assert!(c.is_over(at(10) + limits::CATCH_UP_SILENCE));
        let mut c = two();
        c.ended("b");
        c.connected("a", true, at(10));
        c.heard("a", Some(NOW - Span::seconds(600)), NOW, at(14));
        assert!(!c.is_over(at(15)), "it is still telling");
        c.connected("a", false, at(16));
        assert!(!c.is_over(at(16) + limits::CATCH_UP_SILENCE), "it was cut off before the end");
        c.connected("a", true, at(20));
        for s in 20..60 {
            c.heard("a", Some(NOW - Span::seconds(600)), NOW, at(s));
        }
        c.connected("a", false, at(60));
        assert!(!c.is_over(at(60)) && c.is_over(at(60) + limits::CATCH_UP_CONNECT), "late in the replay too");
    }

    #[test]
    fn nobody_is_waited_for_without_end() {
        let mut c = two();
        assert!(!c.is_over(at(1)));
        assert!(c.is_over(at(0) + limits::CATCH_UP_CONNECT), "cannot be reached");
        let mut c = two();
        for s in 0..limits::CATCH_UP.0 / 1_000_000 {
            c.connected("a", true, at(s));
            c.heard("a", Some(NOW - Span::seconds(5000)), NOW, at(s));
            assert!(!c.is_over(at(s)), "{s}");
        }
        assert!(c.is_over(at(0) + limits::CATCH_UP));
    }
}
