//! `search`: posts of the archive that match a query.

mod show;
mod tally;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::screen::{self, Footer, Paint};
use super::stored::{Which, ended, moment};
use super::{FAILED, FINE, one_query};
use crate::app::archived::Question;
use crate::base::account::key_id;
use crate::base::fault::Fault;
use crate::base::figures::count;
use crate::base::limits;
use crate::base::rule::query::{Query, QueryError, Term, parse};
use crate::base::time::Time;
use crate::notify::plain;
use crate::store::archive::{Archive, ArchiveError, archive_path};
use show::Look;
use tally::Tally;

/// Candidates between two looks at the time.
const LOOK_EVERY: u64 = 4096;
/// Time after which it is told how far a search is, and then again.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Search the posts a service archived: who said what about a brand, and how many people they reach
#[derive(Args)]
#[command(after_help = "Examples:\n  groundswell search '\"lost luggage\"' --since 7d\n  \
                  groundswell search 'guitar NEAR/5 broke OR domain:video.example' --brand united\n  \
                  groundswell search 'kind:post followers:>10k' --since 2026-07-04T08:00:00Z --until 2026-07-05T08:00:00Z\n  \
                  groundswell search guitar --store /var/lib/groundswell/groundswell.db --json | jq .text\n\n\
                  The query is one of rule files; `to:` is not known here. Of each post the first 600 bytes of its text are \
                  searched. Words of three characters or more are looked up in an index, other queries go through all \
                  posts. Posts are shown from old to new, the newest last, with time (UTC), tone, followers (~ where they \
                  are not known and estimated) and author; the line at the end counts all that match. The service \
                  writes the archive a little later than it hears; the last line says how far it is.\n\
                  Exit status: 0 found something or nothing, 1 failure, 2 wrong usage.")]
pub(super) struct Search {
    /// What to search for, as in rule files
    query: String,
    /// Posts from then on: so long ago (90m, 7d), or a time like 2026-07-04T08:00:00Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Time>,
    /// Posts before then
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Time>,
    /// Posts that concerned this brand or group
    #[arg(long, value_name = "SLUG")]
    brand: Option<String>,
    /// Show so many posts, the newest
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=limits::SEARCH_SHOWN))]
    limit: u64,
    /// Write a line of JSON for each post, and one for all of them at the end
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: Which,
}

impl Search {
    pub(super) fn run(&self) -> u8 {
        if let Some(mistake) = mistake(&self.query) {
            one_query::tell(&self.query, &mistake);
            return FAILED;
        }
        let Some(brand) = one_query::brand(&self.query) else { return FAILED };
        let store = match self.which.path() {
            Ok(path) => path,
            Err(why) => return ended(Err(why)),
        };
        match self.search(&archive_path(&store), Question::new(&brand)) {
            Err(e) => {
                tell_faults(&[Fault::new(e.to_string()).hint(e.hint())]);
                FAILED
            }
            Ok(Err(e)) if !is_closed(&e) => {
                tell_error(format!("expected an output that takes more, found {e}"));
                FAILED
            }
            Ok(_) => FINE,
        }
    }

    fn search(&self, path: &Path, mut question: Question) -> Result<io::Result<()>, ArchiveError> {
        let archive = Archive::read_only(path)?;
        let extent = archive.extent()?;
        let key = self.brand.as_deref().map(key_id);
        let mut tally = Tally::new(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let mut progress = Progress::new();
        archive.search(&question.asked(self.since, self.until, key), &mut |a| {
            progress.step(&tally);
            if question.matches(a) {
                tally.add(a);
            }
        })?;
        progress.footer.clear();
        if let (Some(slug), Some(key)) = (&self.brand, key)
            && tally.posts == 0
            && !archive.has_key(key)?
        {
            let what = format!("expected a brand or group of the archive, found no post of `{}`", plain(slug, 100));
            tell_faults(&[Fault::new(what).hint("it takes the slug, as rule files name it").warn()]);
        }
        let out = io::stdout();
        let style = style_of(&out);
        let width = out.is_terminal().then(screen::width);
        let look = Look { width, paint: Paint(style), shown: self.limit };
        let text = if self.json { show::json(tally, &extent) } else { show::text(tally, &extent, &look) };
        Ok(out.lock().write_all(text.as_bytes()))
    }
}

/// What is wrong with a query for the archive.
fn mistake(text: &str) -> Option<QueryError> {
    match parse(text) {
        Err(e) => Some(e),
        Ok(q) => answers(&q).map(|term| QueryError {
            offset: text.find("to:").unwrap_or(0),
            what: format!("expected a query over what is archived, found `{term}`"),
            hint: Some("whom a post answers is not archived; leave it out, or give --brand".into()),
        }),
    }
}

/// A term that asks whom a post answers.
fn answers(q: &Query) -> Option<&Term> {
    match q {
        Query::And(v) | Query::Or(v) => v.iter().find_map(answers),
        Query::Not(q) => answers(q),
        Query::Near(..) => None,
        Query::Term(t) => matches!(t, Term::To(_)).then_some(t),
    }
}

/// Tells how far a search is where somebody looks on.
struct Progress {
    footer: Footer,
    candidates: u64,
    told: Instant,
}

impl Progress {
    fn new() -> Progress {
        Progress { footer: Footer::new(), candidates: 0, told: Instant::now() }
    }

    fn step(&mut self, tally: &Tally) {
        self.candidates += 1;
        if self.footer.is_seen() && self.candidates.is_multiple_of(LOOK_EVERY) && self.told.elapsed() >= TELL_EVERY {
            self.told = Instant::now();
            let looked = count(usize::try_from(self.candidates).unwrap_or(usize::MAX), "post");
            self.footer.show(&[format!("{looked} looked at, {} found", tally.posts)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_post_answers_cannot_be_asked() {
        let e = mistake("guitar OR NOT to:forum:bob").unwrap();
        assert_eq!((e.offset, e.hint.is_some()), (14, true));
        assert_eq!((mistake("lang:en"), mistake("guitar OR").map(|e| e.offset)), (None, Some(9)));
    }
}
