//! What a rule in shadow would have told, against what its live twin told: pure, from the times in which episodes fired.

mod asked;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::limits;
use crate::base::model::{EpisodeId, Severity};
use crate::base::time::{Span, Time};

pub use asked::{Compared, compare_all};
pub use told::{Differs, Side as ToldSide, Tally as ToldTally, Told};
pub(crate) use told::{earlier, minute, percent};

/// An episode as long as it fired.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spell {
    /// The episode.
    pub episode: EpisodeId,
    /// The slug of its brand or group.
    pub brand: Arc<str>,
    /// What two episodes must have in common to be about the same: brand, story, ….
    pub about: Arc<str>,
    /// When it fired first.
    pub from: Time,
    /// When it was over; `None` while it is not.
    pub to: Option<Time>,
    /// The worst it was.
    pub severity: Severity,
}

impl Spell {
    /// The last moment at which another one may begin that is paired with it.
    fn reach(&self) -> Time {
        self.to.unwrap_or(Time(i64::MAX)).max(self.from + limits::COMPARED_WITHIN)
    }
}

/// What one of the two rules did.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Side {
    /// Episodes that fired first in the time asked for.
    pub episodes: usize,
    /// Those of them that were pages.
    pub pages: usize,
    /// Those that were warnings at worst.
    pub warns: usize,
    /// Share of the time in which any episode of it fired, 0..1.
    pub share: f64,
}

/// How often both spoke of the same, and how often one alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Cases that both told: episodes about the same that fire at the same time, or begin within an hour.
    pub both: usize,
    /// Episodes only the live rule had.
    pub only_live: usize,
    /// Episodes only the rule in shadow had.
    pub only_shadow: usize,
}

/// Two rules, compared.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Comparison {
    /// The live rule.
    pub live: Side,
    /// The rule in shadow.
    pub shadow: Side,
    /// How often both spoke, by brand.
    pub brands: BTreeMap<Arc<str>, Tally>,
    /// By how much the rule in shadow was earlier in the median of cases that both told; negative: later.
    pub earlier: Option<Span>,
    /// What only the live rule told, by beginning.
    pub only_live: Vec<Spell>,
    /// What only the rule in shadow told, by beginning.
    pub only_shadow: Vec<Spell>,
}

impl Comparison {
    /// All brands together.
    pub fn tally(&self) -> Tally {
        self.brands.values().fold(Tally::default(), |sum, t| Tally {
            both: sum.both + t.both,
            only_live: sum.only_live + t.only_live,
            only_shadow: sum.only_shadow + t.only_shadow,
        })
    }
}

/// Compares two rules over a time from its beginning to before its end. What fired first outside of it counts only for the
/// share of time, and as the other half of a case.
pub fn compare(live: &[Spell], shadow: &[Spell], (from, until): (Time, Time)) -> Comparison {
    let within = |s: &Spell| s.from >= from && s.from < until;
    let mut out =
        Comparison { live: side(live, from, until), shadow: side(shadow, from, until), ..Comparison::default() };
    let mut earlier = Vec::new();
    for case in cases(live, shadow) {
        let all = || case.live.iter().chain(&case.shadow);
        let Some(brand) = all().find(|s| within(s)).map(|s| s.brand.clone()) else { continue };
        let tally = out.brands.entry(brand).or_default();
        let first = |spells: &[&Spell]| spells.iter().map(|s| s.from).min();
        match (first(&case.live), first(&case.shadow)) {
            (Some(a), Some(b)) => {
                tally.both += 1;
                earlier.push(a - b);
            }
            (Some(_), None) => {
                tally.only_live += 1;
                out.only_live.extend(case.live.into_iter().cloned());
            }
            _ => {
                tally.only_shadow += 1;
                out.only_shadow.extend(case.shadow.into_iter().cloned());
            }
        }
    }
    for list in [&mut out.only_live, &mut out.only_shadow] {
        list.sort_by_key(|s| (s.from, s.episode));
    }
    out.earlier = median(earlier);
    out
}

fn side(spells: &[Spell], from: Time, until: Time) -> Side {
    let new = || spells.iter().filter(|s| s.from >= from && s.from < until);
    let of = |severity| new().filter(|s| s.severity == severity).count();
    let (mut fired, mut reached) = (Span::ZERO, from);
    let mut times: Vec<(Time, Time)> = spells.iter().map(|s| (s.from, s.to.unwrap_or(until).min(until))).collect();
    times.sort();
    for (began, over) in times {
        let began = began.max(reached);
        if over > began {
            fired = Span(fired.0 + (over - began).0);
            reached = over;
        }
    }
    let whole = (until - from).as_seconds();
    let share = if whole > 0.0 { fired.as_seconds() / whole } else { 0.0 };
    Side { episodes: new().count(), pages: of(Severity::Page), warns: of(Severity::Warn), share }
}

/// Episodes that are one another's pairs, directly or over others.
#[derive(Default)]
struct Case<'s> {
    live: Vec<&'s Spell>,
    shadow: Vec<&'s Spell>,
}

/// Those of one rule that one of the other may still be paired with: how far each reaches, and its case.
type Open = Vec<(Time, usize)>;

/// All cases. Spells are looked at by beginning; since whatever is open of the other rule joins one case then, it goes on as
/// one, so that each is joined once.
fn cases<'s>(live: &'s [Spell], shadow: &'s [Spell]) -> Vec<Case<'s>> {
    let marked = live.iter().map(|s| (false, s)).chain(shadow.iter().map(|s| (true, s)));
    let mut all: Vec<(bool, &Spell)> = marked.collect();
    all.sort_by_key(|(shadow, s)| (s.about.clone(), s.from, *shadow, s.episode));
    let mut out: Vec<Case<'s>> = Vec::new();
    let mut open: [Open; 2] = Default::default();
    let mut about = None;
    for (is_shadow, spell) in all {
        if about != Some(&spell.about) {
            open = Default::default();
            about = Some(&spell.about);
        }
        let [of_live, of_shadow] = &mut open;
        let (own, other) = if is_shadow { (of_shadow, of_live) } else { (of_live, of_shadow) };
        other.retain(|(reach, _)| *reach >= spell.from);
        let at = match other.first().copied() {
            Some((_, case)) => {
                join(other, case, &mut out);
                case
            }
            None => {
                out.push(Case::default());
                out.len() - 1
            }
        };
        own.push((spell.reach(), at));
        if let Some(case) = out.get_mut(at) {
            if is_shadow { &mut case.shadow } else { &mut case.live }.push(spell);
        }
    }
    out.retain(|c| !c.live.is_empty() || !c.shadow.is_empty());
    out
}

/// All that is open of one rule becomes one case. What is open of the other rule is in none of those that are joined: it would
/// have joined them when the later of the two began.
fn join(open: &mut Open, case: usize, cases: &mut [Case<'_>]) {
    let furthest = open.iter().map(|(reach, _)| *reach).max();
    for (_, left) in open.drain(..).filter(|(_, at)| *at != case) {
        let Some(gone) = cases.get_mut(left).map(std::mem::take) else { continue };
        if let Some(kept) = cases.get_mut(case) {
            kept.live.extend(gone.live);
            kept.shadow.extend(gone.shadow);
        }
    }
    open.extend(furthest.map(|reach| (reach, case)));
}

/// The middle one, or the mean of the two in the middle.
fn median(mut all: Vec<Span>) -> Option<Span> {
    all.sort();
    let upper = all.get(all.len() / 2)?;
    let lower = all.get((all.len() - 1) / 2)?;
    Some(Span(lower.0.saturating_add(upper.0) / 2))
}

#[cfg(test)]
mod tests;
