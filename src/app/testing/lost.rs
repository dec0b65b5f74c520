//! When sources are lost in a test.

use std::collections::BTreeMap;

use super::event::{Event, What};
use crate::base::time::Span;

/// For each source the times in which it is lost, apart from one another and in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Lost<'t>(BTreeMap<&'t str, Vec<(Span, Span)>>);

impl<'t> Lost<'t> {
    /// Times that overlap, or follow at once, are one.
    pub(super) fn of(events: &'t [Event]) -> Lost<'t> {
        let mut out: BTreeMap<&str, Vec<(Span, Span)>> = BTreeMap::new();
        for e in events {
            if let What::Gap(source, _) = &e.what {
                out.entry(source).or_default().push((e.at, e.end()));
            }
        }
        for times in out.values_mut() {
            times.sort_unstable();
            times.dedup_by(|next, before| {
                let one = next.0 <= before.1;
                if one {
                    before.1 = before.1.max(next.1);
                }
                one
            });
        }
        Lost(out)
    }

    /// Whether a source is lost at a moment.
    pub(super) fn is(&self, source: &str, at: Span) -> bool {
        let Some(times) = self.0.get(source) else { return false };
        let next = times.partition_point(|(from, _)| *from <= at);
        next.checked_sub(1).and_then(|i| times.get(i)).is_some_and(|(_, to)| at < *to)
    }

    /// All of them: source, beginning and end.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'t str, Span, Span)> + '_ {
        self.0.iter().flat_map(|(source, times)| times.iter().map(|(from, to)| (*source, *from, *to)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_overlap_are_one() {
        let hour = |n: i64| Span::seconds(3600 * n);
        let gap = |source: &str, from: i64, to: i64| Event {
            at: hour(from),
            what: What::Gap(source.into(), hour(to - from)),
        };
        let events = [gap("a", 3, 5), gap("a", 1, 3), gap("b", 2, 9), gap("a", 7, 8), gap("a", 4, 5)];
        let lost = Lost::of(&events);
        let all: Vec<_> = lost.all().collect();
        assert_eq!(all, [("a", hour(1), hour(5)), ("a", hour(7), hour(8)), ("b", hour(2), hour(9))]);
        let is = |h: i64| lost.is("a", hour(h));
        assert_eq!((0..9).filter(|h| is(*h)).collect::<Vec<_>>(), [1, 2, 3, 4, 7]);
        assert!(!lost.is("c", hour(1)) && lost.is("b", hour(8)));
    }
}
