//! Who carried a story on, and from whom each had it: as lines and as a picture.

mod picture;

pub use picture::svg;

use super::around::Surroundings;
use super::words::posts::{audience, author_of, does};
use crate::base::figures::count;
use crate::base::model::{Going, Spread};

/// A carrier in its place: whom it had it from stands before it.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Placed<'g> {
    one: &'g Spread,
    /// How many stand between it and the root.
    depth: usize,
    /// The row of whom it had it from.
    from: Option<usize>,
}

/// Each after whom it had it from; of equals by time. Places that make no sense lead nowhere.
fn placed(tree: &[Spread]) -> Vec<Placed<'_>> {
    let mut out: Vec<Placed<'_>> = Vec::with_capacity(tree.len());
    let parent = |i: usize, s: &Spread| s.from.map(|f| f as usize).filter(|f| *f < i);
    let children = |of: Option<usize>| {
        let each = tree.iter().enumerate().filter(move |(i, s)| parent(*i, s) == of);
        each.map(|(i, _)| i).rev()
    };
    // places rise, so this ends
    let mut open: Vec<(usize, usize, Option<usize>)> = children(None).map(|i| (i, 0, None)).collect();
    while let Some((i, depth, from)) = open.pop() {
        let Some(one) = tree.get(i) else { continue };
        let row = out.len();
        out.push(Placed { one, depth, from });
        open.extend(children(Some(i)).map(|child| (child, depth + 1, Some(row))));
    }
    out
}

fn name_of(s: &Spread) -> String {
    if s.name.is_empty() { "[deleted]".to_string() } else { author_of(&s.name) }
}

fn followers_of(s: &Spread) -> String {
    audience(s.followers, s.known)
}

/// Those who carried it, each below whom it had it from.
pub fn lines(going: &Going, around: &Surroundings) -> Vec<String> {
    let of = |p: &Placed<'_>| {
        let (s, deep) = (p.one, "  ".repeat(p.depth.min(8)));
        let clock = around.clock(s.time);
        format!("{clock}  {deep}{} {} ({})", name_of(s), does(s.kind), followers_of(s))
    };
    let mut out: Vec<String> = placed(&going.tree).iter().map(of).collect();
    out.extend(Some(unlisted(going)).filter(|s| !s.is_empty()));
    out
}

fn unlisted(going: &Going) -> String {
    match going.unlisted {
        0 => String::new(),
        n => format!("and {} with less reach", count(n as usize, "account")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::model::PostKind;
    use crate::base::time::Time;

    pub(super) fn one(i: u64, from: Option<u32>, name: &str) -> Spread {
        let time = Time(1_783_000_000_000_000 + i as i64 * 60_000_000);
        Spread {
            from,
            name: name.into(),
            source: "bluesky".into(),
            post: i,
            account: i,
            time,
            kind: if i == 0 { PostKind::Post } else { PostKind::Repost },
            n_milli: (i < 2).then_some(900),
            followers: 10u64.pow(i as u32 % 8),
            known: i != 2,
        }
    }

    pub(super) fn going(tree: Vec<Spread>) -> Going {
        Going {
            story: Arc::from("bluesky:x"),
            outlook: None,
            began: tree.first().map_or(Time(0), |s| s.time),
            shares_an_hour: 0.0,
            accounts: 3,
            reach: 0.0,
            hostile_reach: 0.0,
            day: None,
            exposure: 0.0,
            answers: (0, 0),
            sources: Vec::new(),
            langs: Vec::new(),
            growth: None,
            tree,
            unlisted: 7,
        }
    }

    #[test]
    fn each_stands_below_whom_it_had_it_from() {
        let tree = vec![
            one(0, None, "maeve"),
            one(1, Some(0), "a"),
            one(2, Some(0), "b"),
            one(3, Some(1), "did:plc:c"),
            one(4, None, ""),
        ];
        let mut lines = lines(&going(tree), &Surroundings::default());
        assert_eq!(lines.pop().as_deref(), Some("and 7 accounts with less reach"));
        let shown: Vec<&str> = lines.iter().map(|l| l.get(10..).unwrap_or(l)).collect();
        assert_eq!(
            shown,
            [
                "@maeve posts (1 followers)",
                "  @a reposts (10 followers)",
                "    did:plc:c reposts (1k followers)",
                "  @b reposts (100 followers, taken)",
                "[deleted] reposts (10k followers)",
            ]
        );
    }

    #[test]
    fn places_that_make_no_sense_lead_nowhere() {
        let tree = vec![one(0, Some(0), "a"), one(1, Some(7), "b"), one(2, Some(u32::MAX), "c"), one(3, Some(2), "d")];
        let placed = placed(&tree);
        assert_eq!(placed.len(), 4);
        assert_eq!(placed.iter().map(|p| p.depth).collect::<Vec<_>>(), [0, 0, 0, 1]);
    }
}
