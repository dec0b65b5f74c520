//! Points in time and spans, both in whole microseconds, and their text forms.
//!
//! Nothing here reads a clock: time is always passed in.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Time(pub i64);

/// A length of time in microseconds; may be negative as a difference of two times.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Span(pub i64);

const SECOND: i64 = 1_000_000;

/// The latest time that is taken at all: 2200-01-01. Later ones are not times but damage.
pub const LATEST: Time = Time(7_258_118_400 * SECOND);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of whole seconds.
    pub const fn seconds(s: i64) -> Span {
        Span(s.saturating_mul(SECOND))
    }

    /// A span of whole milliseconds.
    pub const fn millis(ms: i64) -> Span {
        Span(ms.saturating_mul(1000))
    }

    /// The same for waiting; nothing for a negative one.
    pub fn as_std(self) -> core::time::Duration {
        core::time::Duration::from_micros(self.0.max(0).unsigned_abs())
    }

    /// The span in seconds, with fraction.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }
}

impl Time {
    /// The time so many milliseconds after 1970; saturates.
    pub const fn from_millis(ms: i64) -> Time {
        Time(ms.saturating_mul(1000))
    }

    /// The last whole second at or before this time.
    pub fn floor_second(self) -> Time {
        Time(self.0.div_euclid(SECOND) * SECOND)
    }

    /// The first whole second at or after this time.
    pub fn ceil_second(self) -> Time {
        Time(self.0.saturating_add(SECOND - 1).div_euclid(SECOND) * SECOND)
    }

    /// Seconds since 1970, with fraction, for metrics.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// Reads RFC 3339 (`2026-07-04T14:38:06.240Z`, offsets allowed). `None` where it is no such
    /// time or lies outside 1970..2200.
    pub fn parse_rfc3339(s: &str) -> Option<Time> {
        let t = parse_plain_utc(s.as_bytes())
            .or_else(|| s.parse::<jiff::Timestamp>().ok().map(|t| Time(t.as_microsecond())))?;
        t.plausible()
    }

    /// This time if it lies in 1970..2200.
    pub fn plausible(self) -> Option<Time> {
        (self.0 >= 0 && self <= LATEST).then_some(self)
    }

    /// `HH:MM:SS` in UTC.
    pub fn clock_utc(self) -> String {
        self.to_string().get(11..19).unwrap_or("").to_string()
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, s: Span) -> Time {
        Time(self.0.saturating_add(s.0))
    }
}

impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, s: Span) -> Time {
        Time(self.0.saturating_sub(s.0))
    }
}

impl Sub for Time {
    type Output = Span;
    fn sub(self, t: Time) -> Span {
        Span(self.0.saturating_sub(t.0))
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.0.div_euclid(86_400 * SECOND);
        let rest = self.0.rem_euclid(86_400 * SECOND);
        let (y, m, d) = civil(days);
        let (s, ms) = (rest / SECOND, rest % SECOND / 1000);
        let (h, min) = (s / 3600, s / 60 % 60);
        write!(f, "{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:{:02}.{ms:03}Z", s % 60)
    }
}

/// `1d 2h`, `10m`, `45s`, `0.250s`: at most two units, for people.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            return write!(f, "-{}", Span(self.0.saturating_neg()));
        }
        if self.0 < 10 * SECOND && self.0 % SECOND != 0 {
            return write!(f, "{:.3}s", self.as_seconds());
        }
        let s = self.0 / SECOND;
        let parts = [(s / 86_400, "d"), (s / 3600 % 24, "h"), (s / 60 % 60, "m"), (s % 60, "s")];
        let mut shown = parts.iter().skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0);
        match shown.next() {
            None => write!(f, "0s"),
            Some((n, unit)) => {
                write!(f, "{n}{unit}")?;
                shown.try_for_each(|(n, unit)| write!(f, " {n}{unit}"))
            }
        }
    }
}

/// A place's time, with its rules for summer; known in every build, whatever the machine has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// Of a name of the IANA database, as `Europe/Berlin`; `None` where there is no such name.
    pub fn parse(name: &str) -> Option<Zone> {
        jiff::tz::TimeZone::get(name).ok().map(Zone)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The minute of the day (0..1440) and the day of the week (0 = Monday) at a time.
    pub fn minute(&self, at: Time) -> (u16, u8) {
        let moment = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
        let seconds = at.0.div_euclid(SECOND) + i64::from(self.0.to_offset_info(moment).offset().seconds());
        let minute = seconds.rem_euclid(86_400) / 60;
        // 1970 began on a Thursday
        let day = (seconds.div_euclid(86_400) + 3).rem_euclid(7);
        (u16::try_from(minute).unwrap_or(0), u8::try_from(day).unwrap_or(0))
    }

    /// How far its clocks are ahead of UTC at a time, in seconds.
    pub fn offset(&self, at: Time) -> i32 {
        let moment = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
        self.0.to_offset_info(moment).offset().seconds()
    }

    /// The day a time is in: when it begins, and when the next one does.
    pub fn day(&self, at: Time) -> (Time, Time) {
        let moment = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
        let begin = |z: &jiff::Zoned| z.start_of_day().map(|z| Time(z.timestamp().as_microsecond()));
        let here = moment.to_zoned(self.0.clone());
        let days = begin(&here).and_then(|first| Ok((first, here.tomorrow().and_then(|z| begin(&z))?)));
        // only at the ends of time
        days.unwrap_or((at, at + Span::seconds(86_400)))
    }

    /// `HH:MM:SS`, abbreviation (`CEST`; `-03` where a zone has none), and `YYYY-MM-DD` at a time.
    pub fn local(&self, at: Time) -> (String, String, String) {
        let moment = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
        let info = self.0.to_offset_info(moment);
        let local = Time(at.0.saturating_add(i64::from(info.offset().seconds()) * SECOND));
        let date = local.to_string().get(..10).unwrap_or("").to_string();
        (local.clock_utc(), info.abbreviation().to_string(), date)
    }
}

/// The commonest form, `YYYY-MM-DDTHH:MM:SS[.fraction]Z`, without a library's generality.
fn parse_plain_utc(b: &[u8]) -> Option<Time> {
    let number = |r: std::ops::Range<usize>| {
        b.get(r)?.iter().try_fold(0i64, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if b.len() < 20 || b.len() > 30 || b.last() != Some(&b'Z') {
        return None;
    }
    if marks.iter().any(|(i, c)| b.get(*i) != Some(c)) {
        return None;
    }
    let (y, m, d) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (h, min, s) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let month_ok = (1..=12).contains(&m) && d >= 1 && d <= days_in_month(y, m);
    if !month_ok || h > 23 || min > 59 || s > 59 {
        return None;
    }
    let micros = match b.get(19)? {
        b'Z' if b.len() == 20 => 0,
        b'.' if b.len() > 21 => {
            let digits = b.get(20..b.len() - 1)?;
            let all = number(20..b.len() - 1)?;
            let shift = 6 - i32::try_from(digits.len()).ok()?;
            if shift >= 0 { all * 10i64.pow(shift as u32) } else { all / 10i64.pow(-shift as u32) }
        }
        _ => return None,
    };
    Some(Time((days_from_civil(y, m, d) * 86_400 + h * 3600 + min * 60 + s) * SECOND + micros))
}

fn days_in_month(y: i64, m: i64) -> i64 {
    match m {
        2 if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date of the proleptic Gregorian calendar.
fn days_from_civil(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((m + 9) % 12) + 2) / 5 + d - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date (year, month, day) of a day since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(m <= 2), m, doy - (153 * mp + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc3339() {
        for s in ["2026-07-04T14:38:06.240Z", "1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z"] {
            assert_eq!(Time::parse_rfc3339(s).map(|t| t.to_string()).as_deref(), Some(s));
        }
        let offset = Time::parse_rfc3339("2026-07-04T16:38:06.24+02:00");
        assert_eq!(offset, Time::parse_rfc3339("2026-07-04T14:38:06.240Z"));
        for bad in ["", "yesterday", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(Time::parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn agrees_with_a_calendar_library() {
        for k in 0..4000i64 {
            let t = Time(k * 1_814_400_123_456);
            let theirs = jiff::Timestamp::from_microsecond(t.0).map(|x| format!("{x:.3}")).ok();
            assert_eq!(Some(t.to_string()), theirs.map(|x| x.to_string()));
            assert_eq!(Time::parse_rfc3339(&t.to_string()), Some(Time(t.0 / 1000 * 1000)));
        }
    }

    #[test]
    fn zones_know_summer_and_the_date() {
        let at = |s: &str| Time::parse_rfc3339(s).unwrap();
        let shown = |zone: &str, t: &str| {
            let (clock, abbreviation, date) = Zone::parse(zone).unwrap().local(at(t));
            format!("{clock} {abbreviation} {date}")
        };
        assert_eq!(shown("Europe/Berlin", "2026-07-04T08:04:30Z"), "10:04:30 CEST 2026-07-04");
        assert_eq!(shown("Europe/Berlin", "2026-01-04T08:04:30Z"), "09:04:30 CET 2026-01-04");
        assert_eq!(shown("America/Chicago", "2026-07-04T02:00:00Z"), "21:00:00 CDT 2026-07-03");
        assert_eq!(shown("America/Sao_Paulo", "2026-07-04T13:00:00Z"), "10:00:00 -03 2026-07-04");
        assert_eq!(shown("Asia/Kathmandu", "2026-07-04T20:00:00Z"), "01:45:00 +0545 2026-07-05");
        assert_eq!(Zone::parse("Europe/Berlin").unwrap().name(), "Europe/Berlin");
        for bad in ["", "Europe", "Mars/Base", "../../etc/passwd"] {
            assert_eq!(Zone::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn spans_read_well() {
        let shown = |s| Span::seconds(s).to_string();
        assert_eq!((shown(0), shown(45), shown(600)), ("0s".into(), "45s".into(), "10m".into()));
        assert_eq!((shown(3661), shown(90_000)), ("1h 1m".into(), "1d 1h".into()));
        assert_eq!(Span::millis(250).to_string(), "0.250s");
    }
}
