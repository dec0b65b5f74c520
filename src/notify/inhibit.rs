//! Inhibition: while one thing goes on, people are not told of others that follow from it.

use super::incident::Incident;
use super::routes::Match;
use crate::base::model::Notice;

/// While something that meets `when` goes on, nobody is told of what meets `quiet`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inhibit {
    /// What keeps others quiet.
    pub when: Match,
    /// What is kept quiet.
    pub quiet: Match,
    /// Only where both are of the same brand, or of a group and its brand.
    pub same_brand: bool,
}

impl Inhibit {
    /// Whether an incident keeps another quiet. Both are given with their open episodes.
    pub(super) fn keeps_quiet(&self, (a, loud): (&Incident, &[&Notice]), (b, soft): (&Incident, &[&Notice])) -> bool {
        // of two that keep each other quiet the one that came first is told
        let (a_first, mutual) = ((a.opened, a.id) < (b.opened, b.id), soft.iter().any(|n| meets(&self.when, n)));
        a.id != b.id
            && (a_first || !mutual)
            && !soft.is_empty()
            && loud.iter().any(|n| meets(&self.when, n))
            && soft.iter().all(|n| meets(&self.quiet, n))
            && (!self.same_brand || soft.iter().all(|n| a.is_of(n)))
    }
}

fn meets(m: &Match, n: &Notice) -> bool {
    m.matches_notice(n, n.transition.severity)
}
