//! `explain`: one episode, told again from the evidence that was stored with it.

use std::io::{self, Write};

use clap::Args;

use super::{Asked, Failure, Which, ended, ledger};
use crate::app::cli::output::style_of;
use crate::app::recovery::Kept;
use crate::base::model::{Going, Message, Notice, Phase, Transition};
use crate::base::time::Time;
use crate::notify::{json, spread, text};
use crate::store::db::TransitionRow;

/// Lines of the ledger shown at most.
const MOST: usize = 1000;

/// Show how an episode came about: its arithmetic, its evidence, what was sent
#[derive(Args)]
#[command(
    after_help = "Examples:\n  groundswell explain 9c1f           the id of `groundswell alerts`, or its first digits\n  \
                        groundswell explain 9c1f --json    every change with its evidence, one a line\n  \
                        groundswell explain 9c1f --tree > tree.svg    who carried the story where, as a picture\n\n\
                        Texts that were deleted since are shown as [deleted]."
)]
pub(in crate::app::cli) struct Explain {
    /// The episode's id, or its first digits
    #[arg(value_name = "EPISODE")]
    episode: String,
    #[command(flatten)]
    which: Which,
    /// One JSON object a change, one a line
    #[arg(long)]
    json: bool,
    /// How its story spread, as SVG: who carried it, from whom, when, to how many followers
    #[arg(long, conflicts_with = "json")]
    tree: bool,
}

impl Explain {
    pub(in crate::app::cli) fn run(&self) -> u8 {
        ended(self.show())
    }

    fn show(&self) -> Result<(), Failure> {
        let asked = self.which.open()?;
        let episode = asked.episode(&self.episode)?;
        let rows = asked.db.transitions(Some(episode))?;
        let notices = asked.notices(&rows)?;
        let told = || rows.iter().zip(&notices);
        if self.tree {
            return tree(&asked, &notices);
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        for (row, notice) in told().filter(|_| self.json) {
            let shown = notice.clone().map(|n| json(&Message::Episode(n)));
            writeln!(out, "{}", shown.unwrap_or_else(|| format!("{{\"damaged\":{}}}", row.id)))?;
        }
        if self.json {
            return Ok(out.flush()?);
        }
        let fired = |t: &Transition| t.to == Phase::Firing && t.evidence.is_some();
        let worst = told().filter(|(r, _)| r.transition.as_ref().is_some_and(fired)).max_by_key(|(r, _)| {
            let severity = r.transition.as_ref().map(|t| t.severity);
            (severity, std::cmp::Reverse(r.id))
        });
        if let Some(notice) = worst.and_then(|(_, notice)| notice.as_ref()) {
            write!(out, "{}", text(&Message::Episode(notice.clone()), &asked.around, style_of(&io::stdout())))?;
            writeln!(out)?;
            rule(notice, &mut out)?;
        }
        if let Some((going, _)) = newest(&notices) {
            writeln!(out, "SPREAD")?;
            for line in spread::lines(going, &asked.around) {
                writeln!(out, "  {line}")?;
            }
            writeln!(out)?;
        }
        writeln!(out, "CHANGES")?;
        for (row, notice) in told() {
            change(row, notice.as_ref(), &mut out)?;
        }
        writeln!(out, "LEDGER")?;
        for row in asked.db.ledger(crate::store::db::About::Episode(episode), Time(i64::MIN), MOST)? {
            writeln!(out, "  {}", ledger::line(&row))?;
        }
        Ok(out.flush()?)
    }
}

impl Asked {
    /// Changes with the words of their rules; `None` where one of them cannot be read.
    fn notices(&self, rows: &[TransitionRow]) -> Result<Vec<Option<Notice>>, Failure> {
        let mut kept = Kept::new(&self.db);
        let notice = |row: &TransitionRow| {
            let Some(transition) = row.transition.clone() else { return Ok(None) };
            let rules = kept.get(transition.made_under)?;
            Ok(rules.map(|rules| Notice { transition, rules, outage: None }))
        };
        rows.iter().map(notice).collect()
    }
}

/// Where the episode's story was seen to go last, with the change that tells it.
fn newest(notices: &[Option<Notice>]) -> Option<(&Going, &Notice)> {
    let told = notices.iter().rev().flatten();
    told.into_iter().find_map(|n| Some((n.transition.evidence.as_ref()?.going.as_deref()?, n)))
}

fn tree(asked: &Asked, notices: &[Option<Notice>]) -> Result<(), Failure> {
    let drawn = newest(notices).and_then(|(going, n)| {
        let t = &n.transition;
        let brand = n.rules.brand(t.group.key).map_or("?", |b| &b.name);
        spread::svg(going, brand, t.at, &asked.around)
    });
    let Some(drawn) = drawn else {
        return Err(Failure::Other("expected an episode with a story that spread, found none in its evidence".into()));
    };
    let mut out = io::stdout().lock();
    out.write_all(drawn.as_bytes())?;
    Ok(out.flush()?)
}

/// The rule as it was.
fn rule(notice: &Notice, out: &mut impl Write) -> io::Result<()> {
    let Some(rule) = notice.rules.rules.get(notice.transition.rule as usize) else { return Ok(()) };
    writeln!(out, "RULE {} ({})", rule.name, rule.place)?;
    if rule.shadow {
        let twin = notice.rules.twin_of(rule).map_or(String::new(), |t| format!(", compared with {}", t.name));
        writeln!(out, "  in shadow: nobody is told{twin}")?;
    }
    for level in &rule.levels {
        let hold = if level.hold.0 > 0 { format!(" for {}", level.hold) } else { String::new() };
        writeln!(out, "  {}: {}{hold}", level.severity.name(), level.when)?;
    }
    writeln!(out, "  clear: {}", rule.effective_clear())?;
    writeln!(out)
}

/// A change with the values it was decided by.
fn change(row: &TransitionRow, notice: Option<&Notice>, out: &mut impl Write) -> io::Result<()> {
    let at = row.at.to_string().replace('T', " ");
    let Some(t) = &row.transition else { return writeln!(out, "  {at}  damaged in the store") };
    let (from, to) = (t.from.name(), t.to.name());
    writeln!(out, "  {at}  {from} -> {to}  {} ({})  entry {}", t.severity.name(), t.reason.name(), t.seq)?;
    let rule = notice.and_then(|n| n.rules.rules.get(t.rule as usize).map(|r| (n, r)));
    let names = rule.into_iter().flat_map(|(n, r)| n.rules.operands(r));
    for (name, value) in names.zip(&t.operands) {
        let shown = value.map_or("unknown".to_string(), |v| format!("{v}"));
        writeln!(out, "      {name} = {shown}")?;
    }
    Ok(())
}
