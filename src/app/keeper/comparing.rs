//! Beside the service: when a day is over, each rule in shadow is compared with its twin.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Keep;
use crate::app::compare::{Told, compare_all};
use crate::app::gauged::GaugedSender;
use crate::app::recovery::Kept;
use crate::app::status::Status;
use crate::base::limits;
use crate::base::time::{Time, Zone};
use crate::notify::plain;
use crate::store::db::{COMPARED_UNTIL, Db, LedgerRow, StoreError};

/// What the ledger calls it.
pub(super) const COMPARED: &str = "compared";

/// Days that were compared, to be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Days {
    /// Days before this are done.
    pub until: Time,
    /// Their lines of the ledger.
    pub lines: Vec<LedgerRow>,
}

/// Where it has got to with days.
pub(super) struct Comparing {
    status: Arc<Status>,
    /// When it looked before, and the Clock then: what was decided until then is in the store.
    seen: Option<(Instant, Time)>,
    /// Days before this are done, or on their way to who keeps.
    until: Option<Time>,
}

impl Comparing {
    pub(super) fn new(status: Arc<Status>) -> Comparing {
        Comparing { status, seen: None, until: None }
    }

    /// Compares what days are over, and hands that on.
    ///
    /// # Errors
    /// Where the store cannot be read; the next look tries again.
    pub(super) fn go_on(&mut self, db: &Db, to: &GaugedSender<Keep>) -> Result<(), StoreError> {
        if self.seen.is_some_and(|(at, _)| at.elapsed() < limits::HOUSEKEEPING_EVERY.as_std()) {
            return Ok(());
        }
        let now = self.status.clock().now();
        let Some((_, seen)) = self.seen.replace((Instant::now(), now)).filter(|(_, t)| *t > Time(0)) else {
            return Ok(());
        };
        if self.status.catching_up.load(Ordering::Acquire) || self.status.unrecorded().is_some() {
            // what is still to be decided belongs to days of before
            self.seen = None;
            return Ok(());
        }
        let Some(rules) = self.status.engine_view().rules else { return Ok(()) };
        let zone = self.status.config().timezone.as_deref().and_then(Zone::parse);
        let zone = zone.or_else(|| Zone::parse("UTC"));
        let Some(zone) = zone else { return Ok(()) };
        let until = match self.until {
            // the zone may be another since
            Some(until) => from_midnight(&zone, until),
            None => match begun(db, &zone, seen)? {
                Some(until) => until,
                None => return Ok(()),
            },
        };
        let (mut done, mut lines, mut kept) = (until, Vec::new(), Kept::new(db));
        while let Some(day) = next(&zone, done, seen) {
            for compared in compare_all(db, &mut kept, &rules, None, day)? {
                lines.push(line(&Told::of(&compared, Some(zone.local(day.0).2)), now));
            }
            done = day.1;
        }
        if self.until != Some(done) {
            // who keeps may have ended
            let _ = to.send(Keep::Compared(Days { until: done, lines }));
        }
        self.until = Some(done);
        Ok(())
    }
}

/// Where days go on: after those that were told, or with the first there is anything of; `None` before that.
fn begun(db: &Db, zone: &Zone, now: Time) -> Result<Option<Time>, StoreError> {
    let told = db.meta(COMPARED_UNTIL)?.and_then(|t| Time::parse_rfc3339(&t));
    let first = match told {
        Some(_) => told,
        None => db.first_change()?.map(|t| zone.day(t).0),
    };
    Ok(first.map(|t| from_midnight(zone, t.max(now - limits::COMPARED_BACK))))
}

/// The beginning of a day: none is told twice, or in part.
fn from_midnight(zone: &Zone, t: Time) -> Time {
    let (begins, ends) = zone.day(t);
    if begins == t { t } else { ends }
}

/// The next day, from where one stands, if it is over for so long that all that belongs to it has begun.
fn next(zone: &Zone, from: Time, now: Time) -> Option<(Time, Time)> {
    let (begins, ends) = zone.day(from);
    (ends + limits::COMPARED_WITHIN <= now).then_some((begins, ends))
}

fn line(told: &Told, at: Time) -> LedgerRow {
    let (rule, day) = (plain(&told.rule, 80), told.day.as_deref().unwrap_or(""));
    tracing::info!(rule, day, "in shadow: {}", told.text());
    let key = format!("{rule} {day}").into();
    let detail = Some(told.kept());
    LedgerRow { at, episode: None, incident: None, key, what: COMPARED.into(), receiver: None, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_day_is_over_an_hour_after_its_end_by_the_clocks_of_its_place() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let (begins, ends) = (at("2026-07-03T22:00:00Z"), at("2026-07-04T22:00:00Z"));
        assert_eq!(next(&berlin, begins, at("2026-07-04T22:59:59Z")), None);
        assert_eq!(next(&berlin, begins, at("2026-07-04T23:00:00Z")), Some((begins, ends)));
        // from anywhere within it, also one of 25 hours
        let (begins, ends) = (at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z"));
        assert_eq!(next(&berlin, at("2026-10-25T20:00:00Z"), at("2026-11-25T00:00:00Z")), Some((begins, ends)));
        assert_eq!(next(&berlin, ends, at("2026-10-26T23:59:59Z")), None);
    }

    #[test]
    fn days_go_on_where_they_stood_or_with_the_first_change() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("s.db")).unwrap();
        let utc = Zone::parse("UTC").unwrap();
        let now = at("2026-07-04T12:00:00Z");
        assert_eq!(begun(&db, &utc, now).unwrap(), None, "nothing has happened yet");
        db.set_meta(COMPARED_UNTIL, "2026-07-02T00:00:00.000Z").unwrap();
        assert_eq!(begun(&db, &utc, now).unwrap(), Some(at("2026-07-02T00:00:00Z")));
        // after a long time not each day of it is told
        assert_eq!(begun(&db, &utc, at("2027-07-04T12:00:00Z")).unwrap(), Some(at("2027-06-04T00:00:00Z")));
        // in another zone the next day begins later
        let chicago = Zone::parse("America/Chicago").unwrap();
        assert_eq!(begun(&db, &chicago, now).unwrap(), Some(at("2026-07-02T05:00:00Z")));
    }
}
