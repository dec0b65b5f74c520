//! `compare`: what rules in shadow would have told, against what live ones told.

use std::io::{self, Write};

use clap::Args;

use super::{Asked, Failure, Which, before, ended};
use crate::app::clock::{Clock, SystemClock};
use crate::app::compare::{Compared, Differs, Told, compare_all, earlier, minute, percent};
use crate::app::recovery::Kept;
use crate::app::start::PAST_SINCE;
use crate::base::fault::nearest;
use crate::base::rule::RuleSet;
use crate::base::time::Time;
use crate::notify::plain;
use crate::store::db::{Db, StoreError};

/// What stands above the columns.
const COLUMNS: [&str; 10] =
    ["IN SHADOW", "TWIN", "EPISODES", "TWIN'S", "BOTH", "ONLY TWIN", "ONLY SHADOW", "EARLIER", "FIRED", "TWIN FIRED"];

/// Compare rules in shadow with the live rules beside them
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell compare                        the last seven days\n  \
                        groundswell compare --since 30d --rule HostileSurge2\n  \
                        groundswell compare --json | jq '{rule, both, only_live, only_shadow}'\n\n\
                        A rule is in shadow with `mode: shadow` in its file; `twin: NAME` says which live rule it is compared \
                        with. Two episodes are one case where they are about the same (brand, story, ...) and fire at the same \
                        time or begin within an hour. `groundswell explain EPISODE` shows what only one of them told. Reads the \
                        store, with the rules that were in force last, so it answers whether or not the service runs; of each \
                        day the ledger holds a line, too (`groundswell ledger`, compared). Times are UTC.")]
pub(in crate::app::cli) struct Compare {
    #[command(flatten)]
    which: Which,
    /// Since when: a time, or how long ago (90m, 7d)
    #[arg(long, value_name = "TIME", default_value = "7d")]
    since: String,
    /// Only this rule in shadow
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
    /// One JSON object a rule, one a line
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        ended(self.show())
    }

    fn show(&self) -> Result<(), Failure> {
        let asked = self.which.open()?;
        let rules = asked.rules()?;
        if let Some(name) = &self.rule {
            known(&rules, name)?;
        }
        let now = SystemClock.now();
        let from = before(&self.since, now).map_err(|e| Failure::Other(format!("--since: {e}")))?;
        let past = asked.db.meta(PAST_SINCE)?.and_then(|t| Time::parse_rfc3339(&t));
        let from = past.map_or(from, |past| from.max(past));
        let now = recorded(&asked.db)?.map_or(now, |end| now.min(end));
        let compared = compare_all(&asked.db, &mut Kept::new(&asked.db), &rules, self.rule.as_deref(), (from, now))?;
        let told: Vec<Told> = compared.iter().map(|c: &Compared| Told::of(c, None)).collect();
        let mut out = io::BufWriter::new(io::stdout().lock());
        if self.json {
            for one in &told {
                writeln!(out, "{}", one.kept())?;
            }
        } else if told.is_empty() {
            writeln!(out, "no rule is in shadow; `mode: shadow` puts one there")?;
        } else {
            write!(out, "{}", page(&told, from, now))?;
        }
        Ok(out.flush()?)
    }
}

/// Until when the service ran, as far as the store tells: what was open then is not open for ever.
fn recorded(db: &Db) -> Result<Option<Time>, StoreError> {
    let (_, _, logged) = db.end_of_log()?;
    let kept = db.rounds()?.iter().map(|r| r.at).max().unwrap_or_default();
    Ok(Some(logged.max(kept)).filter(|t| *t > Time(0)))
}

impl Asked {
    /// The rules that were in force last.
    fn rules(&self) -> Result<std::sync::Arc<RuleSet>, Failure> {
        let none =
            || Failure::Other("expected the rules of a service in the store, found none that can be read".into());
        let newest = self.db.rule_sets(1)?.first().map(|(fingerprint, _)| *fingerprint).ok_or_else(none)?;
        Kept::new(&self.db).get(newest)?.ok_or_else(none)
    }
}

/// Whether there is such a rule in shadow.
fn known(rules: &RuleSet, name: &str) -> Result<(), Failure> {
    let what = match rules.rules.iter().find(|r| r.name == name) {
        Some(rule) if rule.shadow => return Ok(()),
        Some(_) => "which is live".to_string(),
        None => {
            let near = nearest(name, rules.rules.iter().filter(|r| r.shadow).map(|r| r.name.as_str()));
            near.map_or("which is none".to_string(), |near| format!("which is none: did you mean {}?", plain(near, 80)))
        }
    };
    Err(Failure::Other(format!("expected a rule in shadow, found {}, {what}", plain(name, 80))))
}

/// The table, and what differs.
fn page(all: &[Told], from: Time, until: Time) -> String {
    let day = |t: Time| minute(&t.to_string());
    let mut rows: Vec<Vec<String>> = vec![COLUMNS.map(str::to_string).to_vec()];
    rows.extend(all.iter().map(row));
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut out = format!("{} to {}\n", day(from), day(until));
    for r in &rows {
        let cells: Vec<String> = r.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}")).collect();
        out.push_str(&format!("{}\n", cells.join("  ").trim_end()));
    }
    for told in all {
        let (rule, twin) = (plain(&told.rule, 80), told.twin.as_deref().map(|t| plain(t, 80)));
        let total = told.tally;
        for (who, list, n) in
            [(twin, &told.live_alone, total.only_live), (Some(rule), &told.shadow_alone, total.only_shadow)]
        {
            let Some(who) = who.filter(|_| !list.is_empty() && told.twin.is_some()) else { continue };
            let newest = if list.len() < n { format!(", the newest of {n}") } else { String::new() };
            out.push_str(&format!("\nonly {who}{newest}\n"));
            list.iter().for_each(|d| out.push_str(&differs(d)));
        }
        if told.partly {
            let since = minute(&told.from);
            out.push_str(&format!(
                "\n{} says what it says since {since}: it is compared since then\n",
                plain(&told.rule, 80)
            ));
        }
        if told.left_out {
            out.push_str("\nthere were more episodes than are looked at: the oldest are left out\n");
        }
    }
    out
}

fn row(t: &Told) -> Vec<String> {
    let beside = |text: String| if t.live.is_some() { text } else { "-".to_string() };
    let episodes = |side: &crate::app::compare::ToldSide| format!("{} ({} page)", side.episodes, side.pages);
    vec![
        plain(&t.rule, 40),
        t.twin.as_deref().map_or("-".to_string(), |twin| plain(twin, 40)),
        episodes(&t.shadow),
        t.live.as_ref().map_or("-".to_string(), episodes),
        beside(t.tally.both.to_string()),
        beside(t.tally.only_live.to_string()),
        beside(t.tally.only_shadow.to_string()),
        t.earlier_seconds.map_or("-".to_string(), earlier),
        percent(t.shadow.share),
        t.live.as_ref().map_or("-".to_string(), |l| percent(l.share)),
    ]
}

fn differs(d: &Differs) -> String {
    let at = d.at.replace('T', " ");
    let severity = &d.severity;
    format!("  {}  {}  {severity:<4}  {}\n", plain(&d.episode, 16), at.get(..19).unwrap_or(""), plain(&d.brand, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(twin: bool) -> Told {
        let side = serde_json::json!({"episodes": 3, "pages": 2, "warns": 1, "share": 0.25});
        let differs = serde_json::json!([{"episode": "9c1f000000000000", "brand": "united", "at": "2026-07-04T08:00:00.000Z", "severity": "page"}]);
        let made = serde_json::json!({
            "rule": "Surge2", "twin": twin.then_some("Surge"), "from": "", "until": "", "live": twin.then_some(side.clone()),
            "shadow": side, "both": 2, "only_live": 0, "only_shadow": 1, "earlier_seconds": twin.then_some(90.0),
            "brands": {}, "live_alone": [], "shadow_alone": differs,
        });
        Told::read(&made.to_string()).unwrap()
    }

    #[test]
    fn the_table_stands_in_columns_and_names_what_differs() {
        let at = |text| Time::parse_rfc3339(text).unwrap();
        let shown = page(&[told(true), told(false)], at("2026-07-01T00:00:00Z"), at("2026-07-08T00:00:00Z"));
        let wanted = "\
2026-07-01 00:00 to 2026-07-08 00:00
IN SHADOW  TWIN   EPISODES    TWIN'S      BOTH  ONLY TWIN  ONLY SHADOW  EARLIER         FIRED   TWIN FIRED
Surge2     Surge  3 (2 page)  3 (2 page)  2     0          1            1m 30s earlier  25.0 %  25.0 %
Surge2     -      3 (2 page)  -           -     -          -            -               25.0 %  -

only Surge2
  9c1f000000000000  2026-07-04 08:00:00  page  united
";
        assert_eq!(shown, wanted);
    }
}
