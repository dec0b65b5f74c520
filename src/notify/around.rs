//! What messages say of the service, and the times of those who read them.

use super::plain::plain;
use crate::base::time::{Time, Zone};

/// Where the service tells about itself, below its address.
const STATUS_PATH: &str = "/v1/status";

/// What the service knows about itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Surroundings {
    /// Networks that are listened to.
    pub watching: Vec<String>,
    /// Networks that are known not to be listened to.
    pub blind_spots: Vec<String>,
    /// Where the readers live: times are shown in it, in headlines with UTC beside. `None`: UTC only.
    pub zone: Option<Zone>,
    /// Where the service is reached from outside, without a path: `https://gs.example`.
    pub external_url: Option<String>,
    /// Why nothing is recorded at the moment, where that is so.
    pub unrecorded: Option<String>,
}

impl Surroundings {
    /// `HH:MM:SS`, for lines below a headline that told the zone.
    pub(super) fn clock(&self, t: Time) -> String {
        self.zone.as_ref().map_or_else(|| t.clock_utc(), |z| z.local(t).0)
    }

    /// `HH:MM:SS` with its zone.
    pub(super) fn clock_zone(&self, t: Time) -> String {
        match &self.zone {
            Some(zone) => {
                let (clock, abbreviation, _) = zone.local(t);
                format!("{clock} {abbreviation}")
            }
            None => format!("{} UTC", t.clock_utc()),
        }
    }

    /// `HH:MM:SS` with its zone, and where that is not UTC, UTC beside it.
    pub(super) fn clock_both(&self, t: Time) -> String {
        let utc = format!("{} UTC", t.clock_utc());
        match self.clock_zone(t) {
            local if local == utc => utc,
            local => format!("{local} ({utc})"),
        }
    }

    pub(super) fn date(&self, t: Time) -> String {
        let utc = || t.to_string().get(..10).unwrap_or("").to_string();
        self.zone.as_ref().map_or_else(utc, |z| z.local(t).2)
    }

    /// Where a reader finds more.
    pub(super) fn more(&self) -> Option<String> {
        let url = self.external_url.as_ref()?;
        Some(format!("{}{STATUS_PATH}", plain(url.trim_end_matches('/'), 300)))
    }

    /// A path of the service as a whole address; `None` where it has none that people could follow.
    pub(super) fn at(&self, path: &str) -> Option<String> {
        let url = self.external_url.as_ref()?;
        Some(format!("{}{}", plain(url.trim_end_matches('/'), 300), plain(path, 300)))
    }
}
