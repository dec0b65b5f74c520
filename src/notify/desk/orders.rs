//! What people order: to acknowledge, claim or close an incident, to silence, to try a receiver.

use std::sync::Arc;

use super::flush::noted;
use super::{Desk, Out, owe_all};
use crate::base::hash;
use crate::base::limits;
use crate::base::model::{IncidentId, Verdict};
use crate::base::time::{Span, Time};
use crate::notify::plain::plain;
use crate::notify::policy::{Policy, Receiver};
use crate::notify::routes::Match;
use crate::notify::silence::Silence;
use crate::notify::telling::Sending;
use crate::notify::view::{Deed, News};

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// Stop repeats of an incident, for a time or to its end. A rise is told all the same.
    Acknowledge(String, Option<Span>),
    /// Say that somebody takes care of an incident; repeats stop.
    Claim(String),
    /// An incident is over for people: what it was, and a reason; what is no worse is not told any more.
    Close(String, Verdict, String),
    /// Tell nobody of what matches, for a time.
    Silence {
        /// Of what.
        of: Match,
        /// Of one incident only, by its name.
        incident: Option<String>,
        /// For how long.
        span: Span,
        /// Why.
        reason: String,
    },
    /// End a silence, by its number.
    Unsilence(u64),
    /// Send a trial to a receiver; to all without a name.
    Try(Option<String>),
}

/// An order, and who gives it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// Who.
    pub by: String,
    /// What.
    pub task: Task,
}

impl Desk {
    /// Does what is ordered. What was done, in words, or why it cannot be.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub fn order(&mut self, order: &Order, policy: &Policy, now: Time) -> Result<(String, Out), String> {
        let mut out = Out::default();
        let by = plain(&order.by, limits::PERSON_CHARS);
        let by = if by.is_empty() { "somebody".to_string() } else { by };
        let said = match &order.task {
            Task::Acknowledge(name, span) => {
                let deed = Deed { by: by.clone(), at: now, until: span.map(|s| now + s.min(limits::ORDER_SPAN)) };
                let until = deed.until.map_or("its end".to_string(), |t| t.to_string());
                let detail = format!("by {by} until {until}");
                self.deed(name, "acknowledged", detail, policy, now, &mut out, |i| i.acknowledged = Some(deed))
            }
            Task::Claim(name) => {
                let deed = Deed { by: by.clone(), at: now, until: None };
                self.deed(name, "claimed", format!("by {by}"), policy, now, &mut out, |i| i.claimed = Some(deed))
            }
            Task::Close(name, verdict, reason) => {
                let reason = plain(reason, limits::REASON_CHARS);
                let why = [verdict.words(), &*reason].into_iter().filter(|w| !w.is_empty()).collect::<Vec<_>>();
                self.close(name, &by, &why.join(", "), policy, now, &mut out)
            }
            Task::Silence { of, incident, span, reason } => {
                self.silence(&by, of, incident.as_deref(), *span, reason, now, &mut out)
            }
            Task::Unsilence(id) => self.unsilence(*id, &by, now, &mut out),
            Task::Try(name) => try_receivers(name.as_deref(), policy, now, &mut out),
        }?;
        self.flush(policy, now, &mut out);
        Ok((said, out))
    }

    /// The incident people mean: of those whose name begins so one that goes on, of these the newest.
    ///
    /// # Errors
    /// That there is none.
    pub fn named(&self, name: &str) -> Result<IncidentId, String> {
        let found = self.incidents.values().filter(|i| i.id.is_named(name));
        let newest = found.max_by_key(|i| (i.ended.is_none(), i.opened, i.id)).map(|i| i.id);
        newest.ok_or_else(|| format!("expected an incident by its name, found `{}`, which is none", plain(name, 40)))
    }

    #[expect(clippy::too_many_arguments, reason = "what is done, and what is said of it")]
    fn deed(
        &mut self,
        name: &str,
        what: &'static str,
        detail: String,
        policy: &Policy,
        now: Time,
        out: &mut Out,
        does: impl FnOnce(&mut super::Incident),
    ) -> Result<String, String> {
        let id = self.named(name)?;
        let incident = self.incidents.get_mut(&id).ok_or("expected an incident, found none")?;
        if incident.ended.is_some() {
            return Err(format!("expected an incident that goes on, found {}, which is over", id.code()));
        }
        does(incident);
        owe_all(incident, News::Hand, policy, now);
        out.notes.push(noted(id, what, None, detail.clone()));
        self.touch(id);
        Ok(format!("{} {what} {detail}", id.code()))
    }

    fn close(
        &mut self,
        name: &str,
        by: &str,
        reason: &str,
        policy: &Policy,
        now: Time,
        out: &mut Out,
    ) -> Result<String, String> {
        let detail = if reason.is_empty() { format!("by {by}") } else { format!("by {by}: {reason}") };
        let deed = Deed { by: by.to_string(), at: now, until: None };
        let note = format!("closed {detail}");
        let closed = self.deed(name, "closed", detail, policy, now, out, |i| {
            (i.closed, i.ended) = (Some(deed), Some(now));
            i.notes.push(note);
        })?;
        let id = self.named(name)?;
        if let Some(incident) = self.incidents.get_mut(&id) {
            owe_all(incident, News::Over, policy, now);
        }
        Ok(closed)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a silence")]
    fn silence(
        &mut self,
        by: &str,
        of: &Match,
        incident: Option<&str>,
        span: Span,
        reason: &str,
        now: Time,
        out: &mut Out,
    ) -> Result<String, String> {
        let incident = incident.map(|name| self.named(name)).transpose()?;
        let reason = plain(reason, limits::REASON_CHARS);
        if reason.is_empty() {
            return Err("expected a reason for the silence, found none".to_string());
        }
        if of.is_all() && incident.is_none() {
            return Err("expected what to silence, found nothing: a brand, a rule, labels or an incident".to_string());
        }
        if span.0 <= 0 || span > limits::ORDER_SPAN {
            return Err(format!("expected a silence of at most {}, found {span}", limits::ORDER_SPAN));
        }
        if self.silences.len() >= limits::SILENCES {
            return Err(format!("expected at most {} silences, found as many already", limits::SILENCES));
        }
        let mut id = hash::parts(&[b"silence", by.as_bytes(), reason.as_bytes(), &now.0.to_le_bytes()]) >> 40;
        while self.silences.contains_key(&id) {
            id += 1;
        }
        let by = by.to_string();
        let silence = Silence { id, by, reason, from: now, until: now + span, of: of.clone(), incident };
        let said = format!("silence {id}: {}", silence.why());
        out.notes.push(super::Noted {
            what: "silenced",
            receiver: None,
            incident,
            episode: None,
            key: id.to_string(),
            detail: silence.why(),
        });
        self.silences.insert(id, silence);
        self.changed_silences.insert(id);
        Ok(said)
    }

    fn unsilence(&mut self, id: u64, by: &str, now: Time, out: &mut Out) -> Result<String, String> {
        let Some(silence) = self.silences.remove(&id) else {
            return Err(format!("expected a silence by its number, found {id}, which is none"));
        };
        self.changed_silences.insert(id);
        // what it held back is looked at again at once
        for incident in self.incidents.values_mut() {
            for owed in incident.lines.values_mut().filter_map(|l| l.owed.as_mut()) {
                if owed.held.as_deref() == Some(&*silence.why()) {
                    owed.due = owed.due.min(now);
                }
            }
        }
        let detail = format!("by {by}; it was {}", silence.why());
        out.notes.push(super::Noted {
            what: "unsilenced",
            receiver: None,
            incident: silence.incident,
            episode: None,
            key: id.to_string(),
            detail: detail.clone(),
        });
        Ok(format!("silence {id} ended {detail}"))
    }
}

fn try_receivers(name: Option<&str>, policy: &Policy, now: Time, out: &mut Out) -> Result<String, String> {
    let chosen = policy.receivers.iter().filter(|(r, _)| name.is_none_or(|n| *n == ***r));
    let chosen: Vec<(&Arc<str>, &Receiver)> = chosen.collect();
    if chosen.is_empty() {
        let known: Vec<&str> = policy.receivers.keys().map(|r| &**r).collect();
        let asked = name.map_or(String::new(), |n| format!(" `{}`", plain(n, 60)));
        return Err(format!(
            "expected the name of a receiver, found{asked}, which is none; known: {}",
            known.join(", ")
        ));
    }
    let names = chosen.iter().map(|(r, _)| &***r).collect::<Vec<_>>().join(", ");
    out.sendings.extend(chosen.into_iter().flat_map(|(r, of)| Sending::trials(r, of.manner, now)));
    Ok(format!("a trial is on its way to {names}"))
}
