//! Commands that ask the store, whether or not a service runs.

mod alerts;
mod backup;
mod compare;
mod explain;
mod ledger;

use std::io;
use std::path::PathBuf;

use clap::Args;

use super::output::{is_closed, tell_error, tell_faults};
use super::{FAILED, FINE, record};
use crate::app::clock::{Clock, SystemClock};
use crate::app::config;
use crate::app::files::CONFIG;
use crate::app::receivers::surroundings;
use crate::base::limits;
use crate::base::model::EpisodeId;
use crate::base::time::Time;
use crate::notify::Surroundings;
use crate::store::db::{About, Db, StoreError};

pub(super) use alerts::Alerts;
pub(super) use backup::Backup;
pub(super) use compare::Compare;
pub(super) use explain::Explain;
pub(super) use ledger::Ledger;

/// Which store.
#[derive(Args)]
pub(super) struct Which {
    /// The service's config file, for where its store is
    #[arg(short, long, value_name = "FILE", conflicts_with = "store")]
    config: Option<PathBuf>,
    /// The store's file
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// An open store, and what messages about it say of the service.
struct Asked {
    db: Db,
    around: Surroundings,
}

/// Why a command could not answer.
pub(super) enum Failure {
    /// Said already.
    Told,
    Store(StoreError),
    Io(io::Error),
    Other(String),
}

impl From<StoreError> for Failure {
    fn from(e: StoreError) -> Failure {
        Failure::Store(e)
    }
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Failure {
        Failure::Io(e)
    }
}

impl Which {
    fn open(&self) -> Result<Asked, Failure> {
        let (path, around) = self.found()?;
        Ok(Asked { db: Db::read_only(&path)?, around })
    }

    /// The store's file.
    pub(super) fn path(&self) -> Result<PathBuf, Failure> {
        Ok(self.found()?.0)
    }

    fn found(&self) -> Result<(PathBuf, Surroundings), Failure> {
        if let Some(path) = &self.store {
            return Ok((path.clone(), Surroundings::default()));
        }
        let path = self.config.clone().unwrap_or_else(|| PathBuf::from(CONFIG));
        let config = config::load(&path).map_err(|faults| {
            tell_faults(&faults);
            Failure::Told
        });
        let (config, _) = config?;
        let Some(store) = &config.store else {
            return Err(Failure::Other(format!("{}: expected a store, found `store: off`", path.display())));
        };
        Ok((store.path.clone(), surroundings(&config)))
    }
}

/// The exit status of an answer; what went wrong is told.
pub(super) fn ended(result: Result<(), Failure>) -> u8 {
    match result {
        Ok(()) => FINE,
        Err(Failure::Io(e)) if is_closed(&e) => FINE,
        Err(why) => {
            match why {
                Failure::Told => {}
                Failure::Io(e) => tell_error(e),
                Failure::Other(what) => tell_error(what),
                Failure::Store(e) if e.hint.is_empty() => tell_error(e.what),
                Failure::Store(e) => tell_error(format!("{}\n  hint: {}", e.what, e.hint)),
            }
            FAILED
        }
    }
}

/// A time as people say it: RFC 3339, or how long ago (`90m`, `7d`).
pub(super) fn moment(text: &str) -> Result<Time, String> {
    before(text, SystemClock.now())
}

fn before(text: &str, now: Time) -> Result<Time, String> {
    let wrong = || "expected a time like 2026-07-04T08:00:00Z, or how long ago, like 90m or 7d".to_string();
    let ago = || record::span(text).ok().map(|span| now - span);
    Time::parse_rfc3339(text).or_else(ago).ok_or_else(wrong)
}

impl Asked {
    /// What a name means: the newest incident whose name begins so, else the one episode whose id does.
    fn about(&self, name: &str) -> Result<About, Failure> {
        let all = self.db.incidents(Time(i64::MIN), limits::INCIDENTS)?;
        let incident = all.into_iter().find(|i| i.id.is_named(name)).map(|i| About::Incident(i.id));
        incident.map_or_else(|| self.episode(name).map(About::Episode), Ok)
    }

    /// The one episode whose id begins so.
    fn episode(&self, prefix: &str) -> Result<EpisodeId, Failure> {
        let digits = prefix.to_ascii_lowercase();
        if digits.len() < 4 || digits.len() > 16 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let what = "expected the id of an episode, or at least 4 of its first digits, found something else";
            return Err(Failure::Other(format!("{what}: `groundswell alerts --all` lists them")));
        }
        match self.db.episodes_named(&digits)?.as_slice() {
            [one] => Ok(*one),
            [] => Err(Failure::Other(format!("expected an episode whose id begins with {digits}, found none"))),
            _ => Err(Failure::Other(format!("expected one episode whose id begins with {digits}, found several"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ago_or_given() {
        let now = Time::parse_rfc3339("2026-07-08T00:00:00Z").unwrap();
        let at = |text| before(text, now).map(|t| t.to_string());
        assert_eq!(at("7d").as_deref(), Ok("2026-07-01T00:00:00.000Z"));
        assert_eq!(at("90m").as_deref(), Ok("2026-07-07T22:30:00.000Z"));
        assert_eq!(at("2026-07-04T10:00:00+02:00").as_deref(), Ok("2026-07-04T08:00:00.000Z"));
        assert!(["", "7", "yesterday", "-7d", "0s"].iter().all(|t| at(t).is_err()));
        assert!(before("99999999999999w", now).unwrap().0 < 0, "saturates");
    }
}
