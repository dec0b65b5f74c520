//! Which receivers are told of a message. Better told twice than never: what no route matches goes
//! to every receiver.

use std::sync::Arc;

use crate::base::model::{Message, Phase, Severity};

/// Where messages of one kind go. A condition that is not set is met by all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Route {
    /// The least severity.
    pub least: Option<Severity>,
    /// Names of rules; empty means all. Of sources: [`crate::base::model::SOURCE_DOWN`].
    pub alerts: Vec<String>,
    /// Slugs of brands and groups; empty means all. If set, no message about a source matches.
    pub brands: Vec<String>,
    /// Names of receivers.
    pub to: Vec<Arc<str>>,
    /// Whether later routes are looked at too.
    pub goes_on: bool,
}

impl Route {
    /// Whether a message meets all conditions.
    pub fn matches(&self, message: &Message) -> bool {
        let alert = message.alert();
        self.least.is_none_or(|least| message.severity() >= least)
            && (self.alerts.is_empty() || self.alerts.iter().any(|a| a == alert))
            && match message {
                Message::Episode(n) => {
                    let brand = n.rules.brand(n.transition.group.key);
                    let named = || brand.is_some_and(|b| self.brands.iter().any(|s| **s == *b.slug));
                    self.brands.is_empty() || named()
                }
                Message::Source(_) | Message::Store(_) | Message::Digest(_) => self.brands.is_empty(),
            }
    }
}

/// All routes, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Routes {
    /// The first that matches decides, and as long as they go on, those after it.
    pub routes: Vec<Route>,
    /// Names of all receivers.
    pub all: Vec<Arc<str>>,
}

impl Routes {
    /// The receivers of a message, each once, in the order of routes; all of them where routes
    /// name none.
    pub fn receivers(&self, message: &Message) -> Vec<Arc<str>> {
        let mut out: Vec<Arc<str>> = Vec::new();
        for route in self.routes.iter().filter(|r| r.matches(message)) {
            for name in &route.to {
                if !out.contains(name) {
                    out.push(name.clone());
                }
            }
            if !route.goes_on {
                break;
            }
        }
        if out.is_empty() { self.all.clone() } else { out }
    }
}

/// Whether people are told: of firing and of its end. Machines are told of every step.
pub fn is_for_people(message: &Message) -> bool {
    match message {
        Message::Episode(n) => match (n.transition.from, n.transition.to) {
            // a return from clearing is the same page again: it was told already
            (Phase::Clearing, Phase::Firing) => false,
            (_, to) => matches!(to, Phase::Firing | Phase::Resolved),
        },
        Message::Source(_) | Message::Store(_) | Message::Digest(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::{notice, of, source};

    fn names(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|n| Arc::from(*n)).collect()
    }

    fn told(routes: &[Route], message: &Message) -> String {
        let routes = Routes { routes: routes.to_vec(), all: names(&["a", "b", "c"]) };
        routes.receivers(message).join(" ")
    }

    fn to(receivers: &[&str]) -> Route {
        Route { to: names(receivers), ..Route::default() }
    }

    #[test]
    fn the_first_match_decides_unless_it_goes_on() {
        let page = notice("page", "inactive", "firing");
        assert_eq!(told(&[to(&["b"]), to(&["c"])], &page), "b");
        let goes_on = Route { goes_on: true, ..to(&["c", "b"]) };
        assert_eq!(told(&[goes_on.clone(), to(&["b", "a"]), to(&["nobody"])], &page), "c b a");
        // what only went on is matched all the same
        assert_eq!(told(&[goes_on], &page), "c b");
    }

    #[test]
    fn what_is_for_nobody_is_for_everybody() {
        let page = notice("page", "inactive", "firing");
        assert_eq!(told(&[], &page), "a b c");
        let other = Route { alerts: vec!["Other".into()], ..to(&["a"]) };
        assert_eq!(told(&[other], &page), "a b c");
        assert_eq!(told(&[to(&[])], &page), "a b c");
    }

    #[test]
    fn every_condition_must_be_met() {
        let route = |least: &str, alert: &str, brand: &str| Route {
            least: Severity::ALL.into_iter().find(|s| s.name() == least),
            alerts: vec![alert.into()],
            brands: vec![brand.into()],
            ..to(&["c"])
        };
        let (matching, all) = ("c", "a b c");
        for (severity, least, alert, brand, expected) in [
            ("warn", "warn", "Surge", "united", matching),
            ("page", "warn", "Surge", "united", matching),
            ("info", "warn", "Surge", "united", all),
            ("warn", "warn", "Other", "united", all),
            ("warn", "warn", "Surge", "delta", all),
        ] {
            let message = notice(severity, "inactive", "firing");
            assert_eq!(told(&[route(least, alert, brand)], &message), expected, "{severity} {least} {alert} {brand}");
        }
        assert_eq!(told(&[route("info", "Other", "delta")], &of(1, "delta")), matching);
        // a key that the rule set does not know is for no route that asks for brands
        assert_eq!(told(&[route("info", "Other", "nobody")], &of(1, "nobody")), all);
    }

    #[test]
    fn sources_are_routed_by_severity_and_name() {
        let (lost, page) = (source(true), notice("page", "inactive", "firing"));
        for (route, source_told, episode_told) in [
            (to(&["c"]), "c", "c"),
            (Route { least: Some(Severity::Warn), ..to(&["c"]) }, "c", "c"),
            (Route { least: Some(Severity::Page), ..to(&["c"]) }, "a b c", "c"),
            (Route { alerts: vec!["SourceDown".into()], ..to(&["c"]) }, "c", "a b c"),
            (Route { brands: vec!["united".into()], ..to(&["c"]) }, "a b c", "c"),
        ] {
            let found = (told(std::slice::from_ref(&route), &lost), told(std::slice::from_ref(&route), &page));
            assert_eq!(found, (source_told.to_string(), episode_told.to_string()), "{route:?}");
        }
    }

    #[test]
    fn people_are_told_once_of_each_page_and_its_end() {
        let yes = [("inactive", "firing"), ("pending", "firing"), ("firing", "firing"), ("clearing", "resolved")];
        let no = [("inactive", "pending"), ("firing", "clearing"), ("clearing", "firing"), ("pending", "inactive")];
        assert!(yes.iter().all(|(from, to)| is_for_people(&notice("page", from, to))));
        assert!(!no.iter().any(|(from, to)| is_for_people(&notice("page", from, to))));
        assert!(is_for_people(&source(true)) && is_for_people(&source(false)));
    }
}
