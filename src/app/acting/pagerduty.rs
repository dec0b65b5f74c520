//! What people do at PagerDuty, done here too.

use std::collections::VecDeque;

use crate::app::alone;
use crate::app::config::ReceiverKind;
use crate::app::status::Status;
use crate::base::hash;
use crate::base::limits;
use crate::base::model::{IncidentId, Verdict};
use crate::notify::{Order, PagerDutyDeed, PagerDutySays, Task, pagerduty_said, plain};
use crate::serve::NotDone;

/// One answer for all that is not believed: it tells nobody which receivers there are.
const NOT_OURS: &str = "expected a receiver of this kind with that signature, found none";
/// After the names of people who did something there.
const THERE: &str = "(PagerDuty)";
/// Characters of a name before it: a space and the sign that it was cut are to fit too.
const NAME_CHARS: usize = limits::PERSON_CHARS - THERE.len() - 2;

/// Names of the last events, the oldest first: PagerDuty sends one again until it is answered.
#[derive(Debug, Default)]
pub(super) struct Heard(VecDeque<u64>);

impl Heard {
    /// Whether it is new; it is remembered.
    fn is_new(&mut self, event: u64) -> bool {
        if self.0.contains(&event) {
            return false;
        }
        if self.0.len() >= limits::PAGERDUTY_HEARD {
            self.0.pop_front();
        }
        self.0.push_back(event);
        true
    }

    fn forget(&mut self, event: u64) {
        self.0.retain(|e| *e != event);
    }
}

/// Does what somebody did at PagerDuty; `None` where nothing is to be done.
///
/// # Errors
/// Why it is not believed.
pub(in crate::app) async fn heed(
    status: &Status,
    receiver: &str,
    signature: &str,
    body: &[u8],
) -> Result<Option<Result<String, NotDone>>, &'static str> {
    let config = status.config();
    let found = config.receivers.iter().find(|r| *r.name == *receiver);
    let Some(ReceiverKind::PagerDuty(_, Some(secret))) = found.map(|r| &r.kind) else { return Err(NOT_OURS) };
    let Some(says) = pagerduty_said(secret, signature, body).map_err(|_| NOT_OURS)? else { return Ok(None) };
    let Some(order) = order(&says) else { return Ok(None) };
    let event = hash::parts(&[receiver.as_bytes(), says.id.as_bytes()]);
    if !alone(&status.acting.heard).is_new(event) {
        return Ok(None);
    }
    let done = status.order(order).await;
    if matches!(done, Err(NotDone::Later(_))) {
        // it comes again
        alone(&status.acting.heard).forget(event);
    }
    Ok(Some(done))
}

/// As an order; `None` of what is about no incident: trials, and news of the service itself.
fn order(says: &PagerDutySays) -> Option<Order> {
    let name = IncidentId::parse(&says.thread)?.full();
    let task = match says.deed {
        PagerDutyDeed::Acknowledged => Task::Acknowledge(name, None),
        PagerDutyDeed::Resolved => Task::Close(name, Verdict::Unsaid, "resolved in PagerDuty".to_string()),
    };
    let by = plain(&says.by, NAME_CHARS);
    let by = if by == "PagerDuty" { by } else { format!("{by} {THERE}") };
    Some(Order { by, task })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(by: &str, deed: PagerDutyDeed, thread: &str) -> PagerDutySays {
        PagerDutySays { id: "1".into(), by: by.into(), deed, thread: thread.into() }
    }

    #[test]
    fn a_deed_is_an_order_by_whoever_did_it() {
        let name = IncidentId(0x7f3c_0000_0000_0001).full();
        let by = |who: &str| order(&says(who, PagerDutyDeed::Acknowledged, &name)).unwrap().by;
        assert_eq!((by("Ada"), by("PagerDuty")), ("Ada (PagerDuty)".into(), "PagerDuty".into()));
        let long = by(&"n".repeat(80));
        assert_eq!((long.ends_with(THERE), plain(&long, limits::PERSON_CHARS)), (true, long.clone()));
        let done = |deed| order(&says("Ada", deed, &name)).unwrap().task;
        assert_eq!(done(PagerDutyDeed::Acknowledged), Task::Acknowledge(name.clone(), None));
        assert_eq!(
            done(PagerDutyDeed::Resolved),
            Task::Close(name.clone(), Verdict::Unsaid, "resolved in PagerDuty".into())
        );
        for other in ["store", "test-00000000", &name[..4], &format!("{name}0"), ""] {
            assert_eq!(order(&says("Ada", PagerDutyDeed::Resolved, other)), None, "{other}");
        }
    }

    #[test]
    fn events_are_new_once_and_the_oldest_are_forgotten() {
        let mut heard = Heard::default();
        let most = limits::PAGERDUTY_HEARD as u64;
        assert!((0..most).all(|e| heard.is_new(e)) && (0..most).all(|e| !heard.is_new(e)));
        assert!(heard.is_new(most) && heard.0.len() == limits::PAGERDUTY_HEARD);
        assert!(!heard.is_new(1) && heard.is_new(0));
        heard.forget(0);
        assert!(heard.is_new(0));
    }
}
