//! What can be seen of the desk while nobody is told.

use super::Desk;
use crate::base::model::IncidentId;
use crate::base::time::Time;
use crate::notify::telling::Telling;
use crate::notify::view::News;

impl Desk {
    /// What is known of an incident, for whoever looks at it; `None` where it or all of its episodes are forgotten.
    pub fn telling(&self, id: IncidentId, now: Time) -> Option<Telling> {
        let incident = self.incidents.get(&id)?;
        Telling::new(incident, News::Update, &self.notices, Vec::new(), None, now)
    }

    /// Whether an incident is remembered.
    pub fn knows(&self, id: IncidentId) -> bool {
        self.incidents.contains_key(&id)
    }

    /// An incident, if it is remembered.
    pub fn incident(&self, id: IncidentId) -> Option<&super::Incident> {
        self.incidents.get(&id)
    }
}
