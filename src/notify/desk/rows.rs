//! What the desk remembers, as rows of the store.

use std::collections::BTreeMap;

use super::Desk;
use crate::base::model::{DeskRow, EpisodeId, IncidentId, Notice};
use crate::base::time::Time;
use crate::notify::incident::Incident;
use crate::notify::silence::Silence;

impl Desk {
    /// With what was kept: incidents, silences, and notices by the episodes they are of.
    pub fn of_rows(incidents: &[Vec<u8>], silences: &[Vec<u8>]) -> Desk {
        let mut desk = Desk::default();
        let mut places = BTreeMap::new();
        for incident in incidents.iter().filter_map(|b| postcard::from_bytes::<Incident>(b).ok()) {
            let id = incident.id;
            for (episode, member) in &incident.episodes {
                // one that left an incident is in two: it belongs to the later
                let place = (member.open, member.at, incident.opened, id);
                let last = places.entry(*episode).or_insert(place);
                *last = place.max(*last);
            }
            if incident.is_lively() {
                desk.lively.insert(id);
            } else {
                desk.over.push_back(id);
            }
            desk.incidents.insert(id, incident);
        }
        desk.of = places.into_iter().map(|(episode, place)| (episode, place.3)).collect();
        let ended = |id: &IncidentId| desk.incidents.get(id).map(|i| (i.ended, i.opened));
        desk.over.make_contiguous().sort_by_key(ended);
        let silences = silences.iter().filter_map(|b| postcard::from_bytes::<Silence>(b).ok());
        desk.silences = silences.map(|s| (s.id, s)).collect();
        desk
    }

    /// The changes it wants to know again, by episode and step.
    pub fn wanted(&self) -> Vec<(EpisodeId, u64)> {
        let mine = |i: &Incident, e: &EpisodeId| self.of.get(e) == Some(&i.id);
        let members = self.incidents.values().flat_map(|i| i.episodes.iter().filter(move |(e, _)| mine(i, e)));
        members.map(|(episode, member)| (*episode, member.step)).collect()
    }

    /// Knows these again.
    pub fn know(&mut self, notices: BTreeMap<EpisodeId, Notice>) {
        self.notices = notices;
    }

    /// What changed since the last call.
    pub fn take_rows(&mut self) -> Vec<DeskRow> {
        let mut out = std::mem::take(&mut self.parting);
        let changed = std::mem::take(&mut self.changed);
        out.extend(changed.iter().filter_map(|id| row(self.incidents.get(id)?)));
        for id in std::mem::take(&mut self.changed_silences) {
            let silence = self.silences.get(&id);
            let until = silence.map_or(Time(0), |s| s.until);
            out.push(DeskRow::Silence(id, until, silence.and_then(|s| postcard::to_stdvec(s).ok())));
        }
        out
    }
}

/// An incident as it is kept; `None` if it cannot be written, which would be a mistake of the program.
pub(super) fn row(i: &Incident) -> Option<DeskRow> {
    let bytes = postcard::to_stdvec(i).ok()?;
    let (brand, severity) = (i.brand.clone(), i.severity);
    Some(DeskRow::Incident { id: i.id, brand, severity, opened: i.opened, ended: i.ended, bytes })
}
