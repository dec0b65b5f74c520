//! What is news to a receiver, by what it was told before.

use serde::{Deserialize, Serialize};

use super::incident::Incident;
use super::view::News;
use crate::base::broken::{self, Broken};
use crate::base::model::Severity;
use crate::base::time::Time;

/// What a receiver was told last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Told {
    /// The severity it knows.
    pub severity: Severity,
    /// How many causes it knows.
    pub causes: usize,
    /// The number of the message.
    pub step: u32,
    /// When, by the Clock.
    pub at: Time,
    /// When it was woken last, or told again: repeats count from there.
    pub woken: Time,
    /// Whether it knows that it is over.
    pub over: bool,
}

/// What a change of an incident is to a receiver that was told this before.
pub(super) fn news(told: Option<&Told>, incident: &Incident) -> News {
    match told {
        None => News::Opened,
        Some(t) if incident.severity > t.severity => News::Rise,
        Some(t) if incident.causes.len() > t.causes => News::Cause,
        Some(_) => News::Update,
    }
}

/// Why telling it that would tell it nothing, if it would not.
pub(super) fn nothing_new(told: Option<&Told>, incident: &Incident, news: News) -> Option<String> {
    let told = told?;
    if told.over && !broken::is(Broken::SpeaksOn) {
        return Some("it was told that this is over".to_string());
    }
    let same = told.severity >= incident.severity && told.causes >= incident.causes.len();
    (same && matches!(news, News::Opened | News::Rise | News::Cause))
        .then(|| format!("nothing new since message {}", told.step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::model::Message;
    use crate::notify::tests::{at, notice};

    #[test]
    fn only_more_is_news() {
        let Message::Episode(n) = notice("warn", "inactive", "firing") else { unreachable!() };
        let mut incident = Incident::open(&n, at());
        assert_eq!(news(None, &incident), News::Opened);
        let told = Told { severity: Severity::Warn, causes: 0, step: 1, at: at(), woken: at(), over: false };
        assert_eq!(news(Some(&told), &incident), News::Update);
        assert!(nothing_new(Some(&told), &incident, News::Opened).is_some_and(|why| why.contains("message 1")));
        assert_eq!(nothing_new(Some(&told), &incident, News::Repeat), None);
        incident.severity = Severity::Page;
        assert_eq!(news(Some(&told), &incident), News::Rise);
        assert_eq!(nothing_new(Some(&told), &incident, News::Rise), None);
        let knows = Told { severity: Severity::Page, over: true, ..told };
        assert!(nothing_new(Some(&knows), &incident, News::Update).is_some());
    }
}
