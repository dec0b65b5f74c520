//! What is due: news that waited, repeats, pages nobody took, trials.

use std::sync::Arc;

use super::{Desk, Noted, Out};
use crate::base::limits;
use crate::base::model::{IncidentId, Severity};
use crate::base::time::{Span, Time};
use crate::notify::dedup::{Told, nothing_new};
use crate::notify::group;
use crate::notify::incident::{Incident, Line};
use crate::notify::policy::{Policy, Receiver};
use crate::notify::telling::{Sending, Telling};
use crate::notify::view::News;

/// What becomes of news for one receiver.
enum Verdict {
    Send(News),
    Skip(String),
    /// Not before; why; whether it is then told with others.
    Later(Time, String, bool),
}

impl Desk {
    /// Gives what is due by now.
    pub fn tick(&mut self, policy: &Policy, now: Time) -> Out {
        let mut out = Out::default();
        if self.soonest.is_none_or(|t| t <= now) {
            self.flush(policy, now, &mut out);
        }
        out
    }

    pub(super) fn flush(&mut self, policy: &Policy, now: Time, out: &mut Out) {
        let ids: Vec<IncidentId> = self.lively.iter().copied().collect();
        for id in ids {
            self.remind(id, policy, now, out);
            self.tell(id, policy, now, out);
        }
        gather(&mut out.sendings);
        self.try_out(policy, now, out);
        self.tidy(now);
        self.soonest = Some(self.next(policy, now));
    }

    /// Repeats, and pages that are handed over.
    fn remind(&mut self, id: IncidentId, policy: &Policy, now: Time, out: &mut Out) {
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        let quiet = incident.ended.is_some() || incident.is_acknowledged(now) || incident.claimed.is_some();
        let mut handed: Vec<(Arc<str>, Vec<Arc<str>>, String)> = Vec::new();
        for (name, line) in &mut incident.lines {
            let repeat = policy.receivers.get(name).and_then(|r| r.repeat).filter(|_| !quiet);
            if line.owed.is_none() && line.told.as_ref().zip(repeat).is_some_and(|(t, every)| t.woken + every <= now) {
                line.owe(News::Repeat, now);
            }
            let Some((_, since)) = line.waits.as_ref().filter(|(_, since)| now - *since >= limits::HANDOVER) else {
                continue;
            };
            let waited = Span((now - *since).0 / 1_000_000 * 1_000_000);
            line.waits = None;
            self.changed.insert(id);
            let (next, rest) = match line.then.split_first() {
                Some((next, rest)) => (next.clone(), rest.to_vec()),
                None => continue,
            };
            handed.push((next, rest, format!("`{name}` has not taken this for {waited}")));
        }
        for (next, rest, note) in handed {
            let detail = format!("to {next}: {note}");
            out.notes.push(noted(id, "handed over", None, detail));
            let line = incident.lines.entry(next).or_default();
            line.notes.push(note);
            line.then = rest;
            line.owe(News::HandedOver, now);
        }
    }

    /// Sends what is owed and due, or says why not.
    fn tell(&mut self, id: IncidentId, policy: &Policy, now: Time, out: &mut Out) {
        let Some(incident) = self.incidents.get(&id) else { return };
        let due = incident.lines.iter().filter(|(_, l)| l.owed.as_ref().is_some_and(|o| o.due <= now));
        let verdict =
            |(name, line): (&Arc<str>, &Line)| (name.clone(), self.verdict(incident, name, line, policy, now));
        let verdicts: Vec<(Arc<str>, Verdict)> = due.map(verdict).collect();
        if verdicts.is_empty() {
            return;
        }
        let Some(mut incident) = self.incidents.remove(&id) else { return };
        let mut stepped = false;
        for (name, verdict) in verdicts {
            match verdict {
                Verdict::Send(news) => {
                    if !std::mem::replace(&mut stepped, true) {
                        incident.step += 1;
                    }
                    match self.send(&mut incident, &name, news, policy, now) {
                        Some(sending) => out.sendings.push(sending),
                        None => {
                            let why = "nothing is known of its episodes any more".to_string();
                            out.notes.push(noted(id, "not sent", Some(name.clone()), why));
                            incident.lines.remove(&name);
                        }
                    }
                }
                Verdict::Skip(why) => {
                    out.notes.push(noted(id, "not sent", Some(name.clone()), why));
                    if let Some(line) = incident.lines.get_mut(&name) {
                        line.owed = None;
                    }
                }
                Verdict::Later(until, why, gathered) => {
                    if let Some(owed) = incident.lines.get_mut(&name).and_then(|l| l.owed.as_mut()) {
                        if owed.held.as_ref() != Some(&why) {
                            out.notes.push(noted(id, "not sent", Some(name.clone()), format!("not yet: {why}")));
                        }
                        (owed.due, owed.held, owed.gathered) = (until, Some(why), owed.gathered || gathered);
                    }
                }
            }
        }
        self.incidents.insert(id, incident);
        self.changed.insert(id);
    }

    /// Silence, inhibition, group, dedup.
    fn verdict(&self, incident: &Incident, name: &str, line: &Line, policy: &Policy, now: Time) -> Verdict {
        let (Some(receiver), Some(owed)) = (policy.receivers.get(name), &line.owed) else {
            return Verdict::Skip("the receiver is not in the config any more".to_string());
        };
        let over = incident.ended.is_some();
        if over && line.told.is_none() && !owed.gathered {
            let why = owed.held.as_ref().map_or(String::new(), |held| format!(" ({held})"));
            return Verdict::Skip(format!("over before it was told{why}"));
        }
        // who was told that it began is told that it is over
        if !over && let Some((until, why)) = self.kept_quiet(incident, policy, now) {
            return Verdict::Later(until, why, false);
        }
        if owed.news == News::Repeat && (incident.is_acknowledged(now) || incident.claimed.is_some()) {
            return Verdict::Skip("somebody has taken it".to_string());
        }
        let edits = owed.news == News::Hand || (owed.news == News::Update && line.told.is_some());
        let page = incident.severity == Severity::Page;
        // whoever held it back until now meant this moment
        let was_held = owed.gathered || (over && receiver.manner.replaces());
        if !page
            && !edits
            && !was_held
            && let Some((until, why)) = group::held(receiver, now)
        {
            // what is replaced later is told one by one
            return Verdict::Later(until, why.to_string(), !receiver.manner.replaces());
        }
        let news = if over { News::Over } else { owed.news };
        match nothing_new(line.told.as_ref(), incident, news) {
            Some(why) => Verdict::Skip(why),
            None => Verdict::Send(news),
        }
    }

    fn send(
        &self,
        incident: &mut Incident,
        name: &Arc<str>,
        news: News,
        policy: &Policy,
        now: Time,
    ) -> Option<Sending> {
        let receiver = policy.receivers.get(name)?;
        let (severity, causes, step) = (incident.severity, incident.causes.len(), incident.step);
        let over = incident.ended.is_some();
        let (next, line) = (next_repeat(receiver, incident, now), incident.lines.get(name)?);
        let notes = [incident.notes.clone(), line.notes.clone()].concat();
        let telling = Telling::new(incident, news, &self.notices, notes, next, now)?;
        let line = incident.lines.get_mut(name)?;
        line.notes.clear();
        let gathered = line.owed.take().is_some_and(|o| o.gathered);
        let wakes = !matches!(news, News::Update | News::Hand);
        let woken = line.told.as_ref().filter(|_| !wakes).map_or(now, |t| t.woken);
        line.told = Some(Told { severity, causes, step, at: now, woken, over });
        let key: Arc<str> = format!("{}-{step:04}", incident.id.full()).into();
        let pages = matches!(news, News::Opened | News::Rise | News::Cause | News::HandedOver);
        line.waits = match line.waits.take() {
            _ if over => None,
            Some(waits) => Some(waits),
            None => (pages && severity == Severity::Page).then(|| (key.clone(), now)),
        };
        Some(Sending::people(name.clone(), key, telling, receiver.manner.replaces(), gathered))
    }

    fn next(&self, policy: &Policy, now: Time) -> Time {
        let mut next = now + limits::DESK_LOOK;
        for incident in self.alive() {
            for (name, line) in &incident.lines {
                next = line.owed.iter().fold(next, |n, o| n.min(o.due));
                next = line.waits.iter().fold(next, |n, (_, since)| n.min(*since + limits::HANDOVER));
                let repeat = policy.receivers.get(name).and_then(|r| r.repeat).filter(|_| incident.ended.is_none());
                next = line.told.iter().zip(repeat).fold(next, |n, (t, every)| n.min(t.woken + every));
            }
        }
        let next = self.trials.values().fold(next, |n, t| n.min(*t));
        // what could not be told at its time is not looked at without end
        next.max(now + limits::DESK_REST)
    }

    /// Receivers that want one get a trial at their time of the day.
    fn try_out(&mut self, policy: &Policy, now: Time, out: &mut Out) {
        self.trials.retain(|name, _| policy.receivers.get(name).is_some_and(|r| r.trial.is_some()));
        for (name, receiver) in &policy.receivers {
            let Some(minute) = receiver.trial else { continue };
            let next = || group::next(receiver.zone.as_ref(), now, |m| m == minute);
            let due = self.trials.entry(name.clone()).or_insert_with(next);
            if *due <= now {
                *due = next();
                out.sendings.extend(Sending::trials(name, receiver.manner, now));
            }
        }
    }

    fn tidy(&mut self, now: Time) {
        self.settle();
        let old = |i: &Incident| i.ended.is_some_and(|t| now - t >= limits::INCIDENT_KEPT);
        while let Some(id) = self.over.front().copied() {
            if self.incidents.get(&id).is_some_and(|i| !old(i)) {
                break;
            }
            self.over.pop_front();
            self.forget(id);
        }
        let over: Vec<u64> = self.silences.values().filter(|s| s.until <= now).map(|s| s.id).collect();
        for id in over {
            self.silences.remove(&id);
            self.changed_silences.insert(id);
        }
    }
}

/// When a receiver is told again if nothing changes.
fn next_repeat(receiver: &Receiver, incident: &Incident, now: Time) -> Option<Time> {
    let every = receiver.repeat.filter(|_| incident.ended.is_none() && incident.claimed.is_none())?;
    (!incident.is_acknowledged(now)).then_some(now + every)
}

/// News of several incidents that one receiver waited for become one letter.
fn gather(sendings: &mut Vec<Sending>) {
    let mut at = 0;
    while at < sendings.len() {
        let (before, rest) = sendings.split_at_mut(at);
        let joined = rest.first_mut().is_some_and(|s| s.is_gathered() && before.iter_mut().any(|b| b.gather(s)));
        if joined {
            sendings.remove(at);
        } else {
            at += 1;
        }
    }
}

pub(super) fn noted(id: IncidentId, what: &'static str, receiver: Option<Arc<str>>, detail: String) -> Noted {
    Noted { what, receiver, incident: Some(id), episode: None, key: String::new(), detail }
}
