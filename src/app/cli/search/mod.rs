//! `search`: posts of the archive that match a query.

mod show;
mod tally;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

use super::output::{is_closed, style_of, tell_error, tell_faults};
use super::screen::{self, Footer, Paint};
use super::{FAILED, FINE, one_query, record};
use crate::app::archived::Question;
use crate::app::clock::{Clock, SystemClock};
use crate::app::files::CONFIG;
use crate::base::account::key_id;
use crate::base::fault::Fault;
use crate::base::figures::count;
use crate::base::limits;
use crate::base::rule::query::{Query, QueryError, Term, parse};
use crate::base::time::{Span, Time};
use crate::notify::plain;
use crate::store::archive::{Archive, ArchiveError, archive_path};
use show::Look;
use tally::Tally;

/// The main store's file where nothing else is said.
const STORE: &str = "groundswell.db";
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
    #[arg(long, value_name = "TIME", value_parser = when)]
    since: Option<When>,
    /// Posts before then
    #[arg(long, value_name = "TIME", value_parser = when)]
    until: Option<When>,
    /// Posts that concerned this brand or group
    #[arg(long, value_name = "SLUG")]
    brand: Option<String>,
    /// Show so many posts, the newest
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=limits::SEARCH_SHOWN))]
    limit: u64,
    /// Write a line of JSON for each post, and one for all of them at the end
    #[arg(long)]
    json: bool,
    /// The service's config file; its store is searched
    #[arg(short, long, value_name = "FILE", conflicts_with = "store")]
    config: Option<PathBuf>,
    /// The main file of a store; its archive lies beside it
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum When {
    Ago(Span),
    At(Time),
}

fn when(text: &str) -> Result<When, String> {
    let wrong = || "expected a time like 7d (ago) or 2026-07-04T08:00:00Z".to_string();
    Time::parse_rfc3339(text).map(When::At).or_else(|| record::span(text).ok().map(When::Ago)).ok_or_else(wrong)
}

impl When {
    fn before(self, now: Time) -> Time {
        match self {
            When::Ago(span) => now - span,
            When::At(time) => time,
        }
    }
}

/// The main file of the store of a service with this config.
fn store_of(config: &Path) -> PathBuf {
    config.with_file_name(STORE)
}

impl Search {
    pub(super) fn run(&self) -> u8 {
        if let Some(mistake) = mistake(&self.query) {
            one_query::tell(&self.query, &mistake);
            return FAILED;
        }
        let Some(brand) = one_query::brand(&self.query) else { return FAILED };
        match self.search(Question::new(&brand)) {
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

    fn archive(&self) -> PathBuf {
        let store = match (&self.store, &self.config) {
            (Some(store), _) => store.clone(),
            (None, Some(config)) => store_of(config),
            (None, None) => store_of(Path::new(CONFIG)),
        };
        archive_path(&store)
    }

    fn search(&self, mut question: Question) -> Result<io::Result<()>, ArchiveError> {
        let archive = Archive::read_only(&self.archive())?;
        let extent = archive.extent()?;
        let now = SystemClock.now();
        let (since, until) = (self.since.map(|w| w.before(now)), self.until.map(|w| w.before(now)));
        let key = self.brand.as_deref().map(key_id);
        let mut tally = Tally::new(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let mut progress = Progress::new();
        archive.search(&question.asked(since, until, key), &mut |a| {
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
    fn times_are_ago_or_given() {
        let now = Time::parse_rfc3339("2026-07-08T00:00:00Z").unwrap();
        let at = |text| when(text).map(|w| w.before(now).to_string());
        assert_eq!(at("7d").as_deref(), Ok("2026-07-01T00:00:00.000Z"));
        assert_eq!(at("90m").as_deref(), Ok("2026-07-07T22:30:00.000Z"));
        assert_eq!(at("2026-07-04T10:00:00+02:00").as_deref(), Ok("2026-07-04T08:00:00.000Z"));
        assert!(["", "7", "yesterday", "-7d", "0s"].iter().all(|t| at(t).is_err()));
        assert!(when("99999999999999w").unwrap().before(now).0 < 0, "saturates");
    }

    #[test]
    fn the_archive_lies_beside_the_config() {
        assert_eq!(
            archive_path(&store_of(Path::new("/etc/gs/groundswell.yaml"))),
            Path::new("/etc/gs/groundswell.archive.db")
        );
        assert_eq!(archive_path(&store_of(Path::new(CONFIG))), Path::new("groundswell.archive.db"));
    }

    #[test]
    fn whom_a_post_answers_cannot_be_asked() {
        let e = mistake("guitar OR NOT to:forum:bob").unwrap();
        assert_eq!((e.offset, e.hint.is_some()), (14, true));
        assert_eq!((mistake("lang:en"), mistake("guitar OR").map(|e| e.offset)), (None, Some(9)));
    }
}
