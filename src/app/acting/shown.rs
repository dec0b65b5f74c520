//! An incident or a silence as people see it when they look.

use serde_json::{Value as Json, json};

use crate::base::model::{IncidentId, Severity};
use crate::base::time::Time;
use crate::notify::view::Deed;
use crate::notify::{Desk, Silence, Surroundings, plain, view};

/// An incident, as plain data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncidentShown {
    /// Its name.
    pub id: IncidentId,
    /// The first brand's slug.
    pub brand: String,
    /// The brand's name.
    pub brand_name: String,
    /// The highest severity so far.
    pub severity: Severity,
    /// What happens, in a few words.
    pub title: String,
    /// The same in one sentence, harmless on a terminal, not escaped for any form.
    pub sentence: String,
    /// When its first episode began to hold.
    pub began: Time,
    /// When it was opened, by the Clock.
    pub opened: Time,
    /// When it was over, by the Clock.
    pub ended: Option<Time>,
    /// Its causes.
    pub causes: Vec<&'static str>,
    /// Who claimed it.
    pub claimed: Option<Deed>,
    /// Who acknowledged it.
    pub acknowledged: Option<Deed>,
    /// Who closed it.
    pub closed: Option<Deed>,
    /// What was noted, as why it was closed.
    pub notes: Vec<String>,
    /// Its episodes.
    pub episodes: Vec<EpisodeShown>,
    /// The rule that counts for it, as it is written in the files.
    pub rule: String,
    /// Who is told.
    pub told: Vec<ToldShown>,
}

/// An episode of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EpisodeShown {
    /// Its id, in hex.
    pub id: String,
    /// The rule's name.
    pub alert: String,
    /// Its severity.
    pub severity: Severity,
    /// Whether it goes on.
    pub open: bool,
}

/// Who is told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ToldShown {
    /// The receiver.
    pub receiver: String,
    /// When it was told last.
    pub at: Option<Time>,
    /// When it is told more, if it is owed anything.
    pub due: Option<Time>,
    /// Why not before.
    pub held: Option<String>,
}

impl IncidentShown {
    /// One the desk remembers.
    pub(super) fn of(desk: &Desk, id: IncidentId, around: &Surroundings, now: Time) -> Option<IncidentShown> {
        let i = desk.incident(id)?;
        let telling = desk.telling(id, now);
        let words = telling.as_ref().map(|t| view(&t.case(None), around));
        let episodes = i.episodes.iter().map(|(episode, m)| EpisodeShown {
            id: episode.to_string(),
            alert: plain(&m.alert, 100),
            severity: m.severity,
            open: m.open,
        });
        let told = i.lines.iter().map(|(receiver, line)| ToldShown {
            receiver: receiver.to_string(),
            at: line.told.as_ref().map(|t| t.at),
            due: line.owed.as_ref().map(|o| o.due),
            held: line.owed.as_ref().and_then(|o| o.held.clone()),
        });
        Some(IncidentShown {
            id,
            brand: i.brand.clone(),
            brand_name: words.as_ref().map_or_else(|| plain(&i.brand, 80), |v| v.brand.clone()),
            severity: i.severity,
            title: words.as_ref().map_or(String::new(), |v| v.title.clone()),
            sentence: words.map_or(String::new(), |v| v.sentence),
            began: i.began,
            opened: i.opened,
            ended: i.ended,
            causes: i.causes.iter().map(|c| c.name()).collect(),
            claimed: i.claimed.clone(),
            acknowledged: i.acknowledged.clone(),
            closed: i.closed.clone(),
            notes: i.notes.clone(),
            episodes: episodes.collect(),
            rule: i.rule().unwrap_or("").to_string(),
            told: told.collect(),
        })
    }

    /// When somebody first did anything about it.
    pub fn taken(&self) -> Option<Time> {
        let deeds = [&self.claimed, &self.acknowledged, &self.closed];
        deeds.into_iter().flatten().map(|d| d.at).min()
    }

    /// As JSON; tools rely on its keys.
    pub fn json(&self) -> Json {
        let episodes = self
            .episodes
            .iter()
            .map(|e| json!({ "episode": e.id, "alert": e.alert, "severity": e.severity.name(), "open": e.open }));
        let time = |t: Option<Time>| t.map(|t| t.to_string());
        let told = self
            .told
            .iter()
            .map(|t| json!({ "receiver": t.receiver, "at": time(t.at), "due": time(t.due), "held": t.held }));
        json!({
            "incident": self.id.full(),
            "code": self.id.code(),
            "brand": self.brand,
            "brand_name": self.brand_name,
            "severity": self.severity.name(),
            "title": self.title,
            "sentence": self.sentence,
            "began": self.began.to_string(),
            "opened": self.opened.to_string(),
            "ended": time(self.ended),
            "causes": self.causes,
            "claimed": deed(self.claimed.as_ref()),
            "acknowledged": deed(self.acknowledged.as_ref()),
            "closed": deed(self.closed.as_ref()),
            "notes": self.notes,
            "episodes": episodes.collect::<Vec<Json>>(),
            "told": told.collect::<Vec<Json>>(),
        })
    }
}

fn deed(done: Option<&Deed>) -> Json {
    done.map_or(Json::Null, |d| json!({ "by": d.by, "at": d.at.to_string(), "until": d.until.map(|t| t.to_string()) }))
}

/// A silence as JSON; tools rely on its keys.
pub(in crate::app) fn silence(s: &Silence) -> Json {
    json!({
        "silence": s.id,
        "by": s.by,
        "reason": s.reason,
        "from": s.from.to_string(),
        "until": s.until.to_string(),
        "incident": s.incident.map(IncidentId::full),
        "brand": s.of.brands,
        "alert": s.of.alerts,
        "labels": s.of.labels,
        "severity": s.of.least.map(|l| l.name()),
    })
}
