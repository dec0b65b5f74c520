//! Which hashtags a brand is known with, and since when each is.

use serde::{Deserialize, Serialize};

use crate::base::hash::{self, HashedMap};
use crate::base::limits;
use crate::base::model::Told;
use crate::base::rule::expr::TERM_GAPS;
use crate::base::tags::tags_of;
use crate::base::time::{Span, Time};

/// How long a hashtag that came up is new.
const NEW_FOR: Span = Span::seconds(86_400);
/// How long a brand must be watched at most before anything is called new.
const WATCHED: Span = Span::seconds(7 * 86_400);

/// When a hashtag was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Seen {
    last: Time,
    /// For each of [`TERM_GAPS`]: since when it has not been away for so long.
    came: [Time; TERM_GAPS.len()],
}

/// The hashtags of a brand's mentions.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Terms {
    /// The first mention told of.
    since: Option<Time>,
    seen: HashedMap<u64, Seen>,
    /// When that was seen last which was forgotten: a hashtag that is not known may be one of those.
    forgotten: Option<Time>,
}

fn id(tag: &str) -> u64 {
    hash::parts(&[tag.as_bytes()])
}

impl Terms {
    /// From `now` on the brand is watched in another way.
    pub(super) fn begin(&mut self, now: Time) {
        self.since = Some(now);
    }

    /// A mention that is told of at `now`, with its hashtags: what is told late does not make the brand older.
    /// `lost` tells how long between two moments the brand could not be heard: nothing is away while nobody listens.
    pub(super) fn add(&mut self, told: &Told, now: Time, lost: impl Fn(Time, Time) -> Span) {
        let since = *self.since.get_or_insert(now);
        let forgotten = self.forgotten;
        for tag in tags_of(&told.body) {
            // one that may have been forgotten counts as there from the start
            let came = |gap: Span| if forgotten.is_some_and(|t| now - t < gap) { since } else { now };
            let fresh = || Seen { last: now, came: TERM_GAPS.map(came) };
            let seen = self.seen.entry(id(&tag)).or_insert_with(fresh);
            let away = |gap: Span| now - seen.last >= gap && (now - seen.last).0 - lost(seen.last, now).0 >= gap.0;
            for (came, gap) in seen.came.iter_mut().zip(TERM_GAPS) {
                if away(gap) {
                    *came = now;
                }
            }
            seen.last = seen.last.max(now);
        }
        if self.seen.len() > limits::TERMS_PER_KEY {
            self.forget();
        }
    }

    /// The least recent quarter leaves.
    fn forget(&mut self) {
        let mut order: Vec<(Time, u64)> = self.seen.iter().map(|(id, s)| (s.last, *id)).collect();
        order.sort_unstable();
        for (last, id) in order.into_iter().take(limits::TERMS_PER_KEY / 4) {
            self.seen.remove(&id);
            self.forgotten = self.forgotten.max(Some(last));
        }
    }

    /// Whether a hashtag is new at `now`, not seen for `gap` before; unknown while the brand is watched for too
    /// short a time.
    pub(super) fn is_new(&self, tag: &str, gap: Span, now: Time) -> Option<bool> {
        let since = self.since?;
        let seen = self.seen.get(&id(tag))?;
        let came = TERM_GAPS.iter().position(|g| *g == gap).and_then(|i| seen.came.get(i))?;
        if *came - since < gap.min(WATCHED) {
            // what was there from the start may be old, and what came back is told by the same rule
            return None;
        }
        Some(now - *came <= NEW_FOR)
    }

    /// When a hashtag that is new will not be any more.
    pub(super) fn ages(&self, tag: &str, now: Time) -> Option<Time> {
        let seen = self.seen.get(&id(tag))?;
        seen.came.iter().map(|t| *t + NEW_FOR + Span(1)).filter(|t| *t > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at as second, told};
    use super::*;
    use crate::base::model::PostBody;

    fn at(day: f64) -> Time {
        Time(second(0).0 + (day * 86_400e6) as i64)
    }

    fn said(terms: &mut Terms, day: f64, text: &str) {
        let post = told(1, 1, 0);
        let body = PostBody { text: text.into(), ..(*post.body).clone() };
        terms.add(&Told { time: at(day), body: body.into(), ..post }, at(day), |_, _| Span::ZERO);
    }

    #[test]
    fn a_tag_is_new_for_a_day_unless_it_was_seen_before() {
        let mut t = Terms::default();
        let gap = |days: i64| Span::seconds(days * 86_400);
        let new = |t: &Terms, days, day| t.is_new("nofly", gap(days), at(day));
        said(&mut t, 0.0, "acme #sale");
        said(&mut t, 8.0, "acme #NoFly");
        assert_eq!((new(&t, 30, 8.0), new(&t, 30, 8.9), new(&t, 30, 9.1)), (Some(true), Some(true), Some(false)));
        assert_eq!(t.is_new("sale", gap(30), at(8.0)), None, "it may be an old one");
        assert_eq!(t.is_new("other", gap(30), at(8.0)), None);
        said(&mut t, 20.0, "#nofly again");
        assert_eq!((new(&t, 30, 20.0), new(&t, 7, 20.0), new(&t, 1, 20.5)), (Some(false), Some(true), Some(true)));
        said(&mut t, 51.0, "#nofly again");
        assert_eq!(new(&t, 30, 51.0), Some(true));
        assert_eq!(t.ages("nofly", at(51.0)), Some(at(52.0) + Span(1)));
        said(&mut t, 50.5, "told late #nofly");
        assert_eq!(new(&t, 30, 51.0), Some(true), "what is told late changes nothing");
    }

    #[test]
    fn a_young_brand_knows_no_new_tag() {
        let mut t = Terms::default();
        said(&mut t, 0.0, "acme");
        said(&mut t, 2.0, "acme #nofly");
        let new = |days: i64| t.is_new("nofly", Span::seconds(days * 86_400), at(2.0));
        assert_eq!((new(30), new(7), new(1)), (None, None, Some(true)));
    }

    #[test]
    fn the_least_recent_leave_beyond_the_limit() {
        let mut t = Terms::default();
        said(&mut t, 0.0, "acme");
        for i in 0..=limits::TERMS_PER_KEY {
            said(&mut t, 8.0 + i as f64 / 1e6, &format!("acme #t{i}"));
        }
        assert!(t.seen.len() <= limits::TERMS_PER_KEY * 3 / 4 + 1);
        let new = |t: &Terms, tag: &str, gap: usize, day: f64| t.is_new(tag, TERM_GAPS[gap], at(day));
        let last = format!("t{}", limits::TERMS_PER_KEY);
        assert_eq!(new(&t, &last, 0, 8.1), Some(true), "{TERM_GAPS:?}");
        assert_eq!(new(&t, "t0", 0, 8.1), None);
        // who floods a brand with hashtags does not make old ones new
        said(&mut t, 9.0, "acme #t0");
        assert_eq!((new(&t, "t0", 0, 9.0), new(&t, "t0", 2, 9.0)), (None, None));
        said(&mut t, 8.0 + TERM_GAPS[0].as_seconds() / 86_400.0 + 1.0, "acme #fresh");
        let day = 9.0 + TERM_GAPS[0].as_seconds() / 86_400.0;
        assert_eq!(new(&t, "fresh", 0, day), Some(true), "it comes to know again");
    }

    #[test]
    fn what_nobody_could_hear_was_not_away() {
        let mut t = Terms::default();
        said(&mut t, 0.0, "acme #sale");
        said(&mut t, 7.0, "acme #sale");
        let post = told(1, 1, 0);
        let body = PostBody { text: "acme #sale".into(), ..(*post.body).clone() };
        let again = Told { time: at(9.5), body: body.into(), ..post };
        let day = Span::seconds(86_400);
        let mut heard = t.clone();
        t.add(&again, at(9.5), |from, to| {
            assert_eq!((from, to), (at(7.0), at(9.5)));
            Span::seconds(2 * 86_400)
        });
        assert_eq!(t.is_new("sale", day, at(9.5)), Some(false), "it came back two days ago at most");
        heard.add(&again, at(9.5), |_, _| day);
        assert_eq!(heard.is_new("sale", day, at(9.5)), Some(true));
    }
}
