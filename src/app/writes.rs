//! What each kind of receiver is sent, and who hands it over.

use std::sync::Arc;

use crate::app::config::ReceiverKind;
use crate::base::time::Time;
use crate::notify::mail::{Mail, letter};
use crate::notify::view::View;
use crate::notify::{
    Acts, Alertmanager, Carrier, Content, Pace, PagerDuty, Sending, Slack, Style, Surroundings, Webhook,
    alertmanager_body, feed, gathered_view, pagerduty_body, service_view, slack_body, test_over_view, test_view, view,
    view_text,
};

/// Who hands letters to a receiver of a kind; `None`: it is written to.
pub fn carrier(kind: &ReceiverKind, pace: Pace) -> Option<Result<Arc<dyn Carrier>, Vec<String>>> {
    match kind {
        ReceiverKind::Stdout { .. } => None,
        ReceiverKind::Webhook(config) => Some(Webhook::carrier(config, pace)),
        ReceiverKind::Email(config) => Some(config.carrier(pace)),
        ReceiverKind::Slack(config) => Some(Slack::carrier(config, pace)),
        ReceiverKind::PagerDuty(config, _) => Some(PagerDuty::carrier(config, pace)),
        ReceiverKind::Alertmanager(config) => Some(Alertmanager::carrier(config, pace)),
    }
}

/// What letters to a receiver look like.
pub struct Writes {
    kind: ReceiverKind,
    around: Surroundings,
    style: Style,
}

/// What is the same for all receivers at a moment.
pub struct Moment<'a> {
    /// Why nothing is recorded, where that is so.
    pub unrecorded: Option<&'a str>,
    /// By the Clock.
    pub now: Time,
    /// Makes links to act by.
    pub acts: Option<&'a Acts>,
}

impl Writes {
    /// For a receiver of a kind.
    pub fn new(kind: &ReceiverKind, around: Surroundings, style: Style) -> Writes {
        Writes { kind: kind.clone(), around, style }
    }

    /// What is sent; `None` where this receiver is not told of such things.
    pub fn write(&self, sending: &Sending, at: &Moment<'_>) -> Option<Vec<u8>> {
        let machine = || feed(&sending.content, &sending.key, at.unrecorded);
        match &self.kind {
            ReceiverKind::Webhook(_) => Some(machine()?.into_bytes()),
            ReceiverKind::Stdout { json: true } => Some((machine()? + "\n").into_bytes()),
            ReceiverKind::Email(config) => {
                let mail = Mail::new(&config.from, &config.to).ok()?;
                Some(letter(&self.view(sending, at)?, &mail))
            }
            ReceiverKind::Slack(_) => Some(slack_body(&self.view(sending, at)?).to_vec()),
            ReceiverKind::PagerDuty(..) => Some(pagerduty_body(&self.view(sending, at)?).to_vec()),
            ReceiverKind::Alertmanager(_) => Some(alertmanager_body(&self.view(sending, at)?).to_vec()),
            ReceiverKind::Stdout { json: false } => {
                let shown = view_text(&self.view(sending, at)?, self.style);
                Some((shown + "\n").into_bytes())
            }
        }
    }

    /// The message in words.
    fn view(&self, sending: &Sending, at: &Moment<'_>) -> Option<View> {
        let around = Surroundings { unrecorded: at.unrecorded.map(str::to_string), ..self.around.clone() };
        let act = |incident| at.acts.map(|a| a.path(incident, &sending.receiver, at.now));
        match &sending.content {
            Content::Change(..) => None,
            Content::Service(message) => service_view(message, &around),
            Content::Trial(time) => Some(test_view(&sending.receiver, &around, *time)),
            Content::TrialOver(time) => Some(test_over_view(&sending.receiver, &around, *time)),
            Content::Incidents(all) => match all.as_slice() {
                [one] => Some(view(&one.case(act(one.id)), &around)),
                _ => {
                    let cases: Vec<_> = all.iter().map(|t| t.case(None)).collect();
                    Some(gathered_view(&cases, &around, at.now))
                }
            },
        }
    }
}
