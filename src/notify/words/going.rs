//! Where a story goes, what it grew by, and who carried it on.

use super::posts::{audience, author_of, does, followers, name};
use super::telling::Telling;
use crate::base::figures::{count, percent, short};
use crate::base::model::{Band, Evidence, Going, Outlook, Spread, StoryState};
use crate::base::time::Time;
use crate::notify::plain::plain;

/// Carriers of a story that are named among what happened.
const CARRIERS: usize = 4;
/// A share of the last minutes' growth from which on one account is its cause.
const CAUSE: f64 = 0.25;
/// Sources or languages that are named.
const PLACES: usize = 5;

/// The lines about where it goes; none where nobody has passed it on.
pub(super) fn going(t: &Telling<'_>, e: &Evidence) -> Vec<String> {
    let Some(g) = &e.going else { return Vec::new() };
    let mut out = vec![expected_of(e, t.is_story())];
    if out.iter().all(String::is_empty) {
        return Vec::new();
    }
    if let Some(at) = t.dated() {
        out.iter_mut().for_each(|line| line.push_str(&format!("; as of {}", t.around.clock(at))));
    }
    out.extend(Some(grew(t, g)).filter(|s| !s.is_empty()));
    out
}

/// How far it will go: the story that is told of, or the loudest of the brand; empty where nobody has passed it on.
pub(in crate::notify) fn expected_of(e: &Evidence, of_story: bool) -> String {
    let Some((g, o)) = e.going.as_ref().and_then(|g| Some((g, g.outlook.as_ref()?))) else { return String::new() };
    let ahead = if of_story { String::new() } else { format!("its loudest story{}: ", of_root(g)) };
    ahead + &expected(g, o)
}

fn of_root(g: &Going) -> String {
    let root = g.tree.first().filter(|s| s.from.is_none() && !s.name.is_empty());
    root.map_or(String::new(), |s| format!(", by {}", author_of(&s.name)))
}

/// `explosive, 21 shares so far and 1.6 more to come for each of them: …`.
fn expected(g: &Going, o: &Outlook) -> String {
    let (so_far, end) = (count(o.shares as usize, "share"), band(&o.final_shares));
    let mut out = format!("{}, {so_far} so far, {end} in the end: each brings {:.1} more", o.state.name(), o.brings);
    if g.exposure >= 1.0 {
        out.push_str(&format!("; what is out will yet make {} impressions", short(g.exposure)));
    }
    if let Some(day) = g.day.as_ref().filter(|d| d.high >= 1.0) {
        out.push_str(&format!("; reach {} now, {} in 24 h", short(g.reach), band(day)));
    }
    out + " (80 % bands of a model, not a promise)"
}

/// `0.9M to 4.1M`.
fn band(b: &Band) -> String {
    let (low, high) = (short(b.low), short(b.high));
    if low == high { low } else { format!("{low} to {high}") }
}

/// What it grew by lately and through whom; how people answer; where it was seen.
fn grew(t: &Telling<'_>, g: &Going) -> String {
    let mut parts = Vec::new();
    if let Some(growth) = g.growth.as_ref().filter(|x| x.reach >= 1.0 && x.reach < g.reach) {
        let mut line = format!("{} impressions of it came in the last {}", short(growth.reach), growth.within);
        if growth.most.share >= CAUSE {
            let p = &growth.most;
            line.push_str(&format!(
                ", {} through one {} by {} ({}, {})",
                percent(p.share),
                p.kind.name(),
                name(p),
                followers(p),
                t.around.clock(p.time)
            ));
        }
        parts.push(line);
    }
    let (known, hostile) = g.answers;
    if known > 0 {
        parts.push(format!("{hostile} of {} hostile", count(known as usize, "answer")));
    }
    for (what, seen) in [("networks", &g.sources), ("languages", &g.langs)] {
        let named: Vec<String> = seen.iter().filter(|(n, _)| !n.is_empty()).map(|(n, _)| plain(n, 20)).collect();
        if named.len() > 1 {
            let shown = named.get(..PLACES.min(named.len())).unwrap_or_default().join(", ");
            parts.push(format!("{} {what}: {shown}", named.len()));
        }
    }
    parts.join("; ").replace("://", "[:]//")
}

/// The carriers with most followers, by time, but for the root and the account named `but`.
pub(super) fn carriers(g: &Going, but: Option<u64>) -> Vec<(Time, String)> {
    let others = |s: &&Spread| s.from.is_some() && Some(s.account) != but && !s.name.is_empty();
    let mut order: Vec<&Spread> = g.tree.iter().filter(others).collect();
    order.sort_by_key(|s| (std::cmp::Reverse(s.followers), s.time, s.post));
    let told = order.into_iter().take(CARRIERS).map(|s| {
        let from = s.from.and_then(|i| g.tree.get(i as usize)).filter(|f| f.from.is_some() && !f.name.is_empty());
        let whose = from.map_or(String::new(), |f| format!(" {}", author_of(&f.name)));
        let who = format!("{} {}{whose}", author_of(&s.name), does(s.kind));
        (s.time, format!("{who} ({})", audience(s.followers, s.known)))
    });
    told.collect()
}

/// The state, for a line that is short; dying stories need none.
pub(super) fn state(e: &Evidence) -> Option<&'static str> {
    let state = e.going.as_ref()?.outlook?.state;
    (state > StoryState::Dying).then(|| state.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_short() {
        assert_eq!(band(&Band { low: 900_000.0, mid: 2e6, high: 4_100_000.0 }), "900k to 4.1M");
        assert_eq!(band(&Band { low: 12.0, mid: 12.0, high: 12.2 }), "12");
    }
}
