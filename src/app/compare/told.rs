//! A comparison in words, and as the ledger keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Compared, Side as Did, Spell};
use crate::base::limits;
use crate::base::time::Span;
use crate::notify::plain;

/// Brands told one by one in a line.
const BRANDS_SAID: usize = 5;

/// A comparison as it is kept and shown as JSON; other tools rely on its names.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The rule in shadow.
    pub rule: String,
    /// The live rule it is compared with.
    pub twin: Option<String>,
    /// The day, where it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// Since when, in UTC.
    pub from: String,
    /// Whether that is later than asked for, because one of the two said something else before.
    #[serde(default)]
    pub partly: bool,
    /// Before when, in UTC.
    pub until: String,
    /// What the live rule did; none without one.
    pub live: Option<Side>,
    /// What the rule in shadow did.
    pub shadow: Side,
    /// How often both spoke.
    #[serde(flatten)]
    pub tally: Tally,
    /// By how much the rule in shadow was earlier in the median, in seconds; negative: later.
    pub earlier_seconds: Option<f64>,
    /// The same by brand; those with most cases where there are many.
    pub brands: BTreeMap<String, Tally>,
    /// The newest episodes of the live rule alone.
    pub live_alone: Vec<Differs>,
    /// The newest episodes of the rule in shadow alone.
    pub shadow_alone: Vec<Differs>,
    /// There were more episodes than are looked at.
    #[serde(default)]
    pub left_out: bool,
}

/// What one rule did.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Side {
    /// Episodes that fired.
    pub episodes: usize,
    /// Those of them that were pages.
    pub pages: usize,
    /// Those that were warnings at worst.
    pub warns: usize,
    /// Share of the time in which it fired, 0..1.
    pub share: f64,
}

/// How often both spoke, and how often one alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tally {
    /// Both.
    pub both: usize,
    /// The live rule alone.
    pub only_live: usize,
    /// The rule in shadow alone.
    pub only_shadow: usize,
}

/// An episode that only one of them had.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Differs {
    /// Its id, for `explain`.
    pub episode: String,
    /// Its brand.
    pub brand: String,
    /// When it fired, in UTC.
    pub at: String,
    /// The worst it was.
    pub severity: String,
}

impl Side {
    fn of(d: &Did) -> Side {
        Side { episodes: d.episodes, pages: d.pages, warns: d.warns, share: d.share }
    }

    fn said(&self) -> String {
        let plural = if self.episodes == 1 { "episode" } else { "episodes" };
        format!("{} {plural} ({} page, {} warn), fired {}", self.episodes, self.pages, self.warns, percent(self.share))
    }
}

impl From<super::Tally> for Tally {
    fn from(t: super::Tally) -> Tally {
        Tally { both: t.both, only_live: t.only_live, only_shadow: t.only_shadow }
    }
}

/// A share of time, for people.
pub(crate) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.0005 { "< 0.1 %".to_string() } else { format!("{:.1} %", share * 100.0) }
}

/// A time to the minute, for people.
pub(crate) fn minute(time: &str) -> String {
    time.get(..16).unwrap_or("").replace('T', " ")
}

/// How much earlier, for people.
pub(crate) fn earlier(seconds: f64) -> String {
    let span = Span((seconds.abs() * 1e6) as i64);
    match seconds {
        0.0 => "at the same time".to_string(),
        s if s < 0.0 => format!("{span} later"),
        _ => format!("{span} earlier"),
    }
}

/// The newest, at most as many as are named.
fn named(spells: &[Spell]) -> Vec<Differs> {
    let newest = spells.get(spells.len().saturating_sub(limits::COMPARED_NAMED)..).unwrap_or_default();
    let one = |s: &Spell| Differs {
        episode: s.episode.to_string(),
        brand: s.brand.to_string(),
        at: s.from.to_string(),
        severity: s.severity.name().to_string(),
    };
    newest.iter().map(one).collect()
}

impl Told {
    /// What is kept of a comparison; of a day, if it is of one.
    pub fn of(c: &Compared, day: Option<String>) -> Told {
        let x = &c.comparison;
        let cases = |t: &super::Tally| t.both + t.only_live + t.only_shadow;
        let mut brands: Vec<_> = x.brands.iter().collect();
        brands.sort_by_key(|(_, t)| std::cmp::Reverse(cases(t)));
        brands.truncate(limits::COMPARED_BRANDS);
        Told {
            rule: c.rule.clone(),
            twin: c.twin.clone(),
            day,
            from: c.from.to_string(),
            partly: c.partly,
            until: c.until.to_string(),
            live: c.twin.as_ref().map(|_| Side::of(&x.live)),
            shadow: Side::of(&x.shadow),
            tally: x.tally().into(),
            earlier_seconds: x.earlier.map(Span::as_seconds),
            brands: brands.into_iter().map(|(b, t)| (b.to_string(), (*t).into())).collect(),
            live_alone: named(&x.only_live),
            shadow_alone: named(&x.only_shadow),
            left_out: c.left_out,
        }
    }

    /// As the ledger keeps it.
    pub fn kept(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From what the ledger kept; `None` where that is nothing of the kind.
    pub fn read(kept: &str) -> Option<Told> {
        serde_json::from_str(kept).ok()
    }

    /// On one line, for people.
    pub fn text(&self) -> String {
        let mut out = self.shadow.said();
        if self.partly {
            out.push_str(&format!(" since {}, when the newer of the two came to say what it says", minute(&self.from)));
        }
        let (Some(twin), Some(live)) = (&self.twin, &self.live) else {
            return out + "; it has no twin to be compared with";
        };
        let (twin, rule) = (plain(twin, 80), plain(&self.rule, 80));
        let Tally { both, only_live, only_shadow } = self.tally;
        out.push_str(&format!(
            "; {twin}: {}; both {both}, only {twin} {only_live}, only {rule} {only_shadow}",
            live.said()
        ));
        if let Some(seconds) = self.earlier_seconds {
            out.push_str(&format!("; {} in the median", earlier(seconds)));
        }
        if self.brands.len() > 1 {
            let said =
                |(b, t): (&String, &Tally)| format!("{} {}/{}/{}", plain(b, 60), t.both, t.only_live, t.only_shadow);
            let brands: Vec<String> = self.brands.iter().take(BRANDS_SAID).map(said).collect();
            out.push_str(&format!("; by brand {}", brands.join(", ")));
            if self.brands.len() > BRANDS_SAID {
                out.push_str(&format!(" and {} more", self.brands.len() - BRANDS_SAID));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::compare::Comparison;
    use crate::base::model::{EpisodeId, Severity};
    use crate::base::time::Time;

    fn compared(twin: Option<&str>) -> Compared {
        let spell = |id: u64, brand: &str| Spell {
            episode: EpisodeId(id),
            brand: brand.into(),
            about: brand.into(),
            from: Time(id as i64 * 60_000_000),
            to: Some(Time(id as i64 * 60_000_000 + 1)),
            severity: Severity::Page,
        };
        let side = |episodes| Did { episodes, pages: 1, warns: episodes - 1, share: 0.0125 };
        let tally = |both, only_live, only_shadow| super::super::Tally { both, only_live, only_shadow };
        let comparison = Comparison {
            live: side(3),
            shadow: side(25),
            brands: [("delta".into(), tally(1, 0, 1)), ("united".into(), tally(1, 1, 22))].into(),
            earlier: Some(Span::seconds(-240)),
            only_live: vec![spell(3, "united")],
            only_shadow: (4..27).map(|id| spell(id, "united")).collect(),
        };
        let (rule, twin) = ("Surge2".to_string(), twin.map(str::to_string));
        Compared { rule, twin, from: Time(0), partly: false, until: Time(86_400_000_000), comparison, left_out: false }
    }

    #[test]
    fn what_is_kept_is_read_again_and_reads_well() {
        let told = Told::of(&compared(Some("Surge")), Some("1970-01-01".to_string()));
        assert_eq!(Told::read(&told.kept()), Some(told.clone()));
        assert_eq!(
            told.text(),
            "25 episodes (1 page, 24 warn), fired 1.2 %; Surge: 3 episodes (1 page, 2 warn), fired 1.2 %; both 2, only Surge 1, \
             only Surge2 23; 4m later in the median; by brand delta 1/0/1, united 1/1/22"
        );
        assert_eq!((told.shadow_alone.len(), told.shadow_alone[19].episode.as_str()), (20, "000000000000001a"));
        let json: serde_json::Value = serde_json::from_str(&told.kept()).unwrap();
        assert_eq!(
            (&json["both"], &json["earlier_seconds"], &json["live"]["pages"]),
            (&2.into(), &(-240.0).into(), &1.into())
        );
        assert_eq!(json["brands"]["united"]["only_shadow"], 22);
        let alone = Told::of(&compared(None), None);
        assert_eq!(alone.text(), "25 episodes (1 page, 24 warn), fired 1.2 %; it has no twin to be compared with");
        assert!(alone.live.is_none() && !alone.kept().contains("\"day\""));
        let late = Told { partly: true, from: "2026-07-04T08:30:00.000Z".to_string(), ..alone };
        assert!(
            late.text().starts_with("25 episodes (1 page, 24 warn), fired 1.2 % since 2026-07-04 08:30, when "),
            "{}",
            late.text()
        );
        assert!(Told::read("some words").is_none() && Told::read("{}").is_none());
    }

    #[test]
    fn small_figures_are_not_nothing() {
        assert_eq!([percent(0.0), percent(0.0001), percent(0.5)], ["0.0 %", "< 0.1 %", "50.0 %"]);
        assert_eq!([earlier(0.0), earlier(90.0), earlier(-3600.0)], ["at the same time", "1m 30s earlier", "1h later"]);
    }
}
