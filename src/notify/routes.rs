//! The routing tree: which receivers are told of a message. Better told twice than never: what no
//! route matches goes to every receiver.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::model::{Message, Notice, Phase, Severity};
use crate::base::time::Span;

/// Conditions on a message. One that is not set is met by all.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Match {
    /// The least severity.
    pub least: Option<Severity>,
    /// Names of rules; empty means all. Of sources: [`crate::base::model::SOURCE_DOWN`].
    pub alerts: Vec<String>,
    /// Slugs of brands and groups; empty means all. If set, no message about the service matches.
    pub brands: Vec<String>,
    /// Labels of the group, or of a group the brand belongs to. If set, no message about the service matches.
    pub labels: BTreeMap<String, String>,
}

impl Match {
    /// Whether a message meets all conditions.
    pub fn matches(&self, message: &Message) -> bool {
        match message {
            Message::Episode(n) => self.matches_notice(n, n.transition.severity),
            Message::Source(_) | Message::Store(_) | Message::Digest(_) => {
                self.brands.is_empty() && self.labels.is_empty() && self.takes(message.alert(), message.severity())
            }
        }
    }

    /// Whether an episode meets all conditions, taken to be of a severity.
    pub fn matches_notice(&self, n: &Notice, severity: Severity) -> bool {
        let alert = n.rules.rules.get(n.transition.rule as usize).map_or("", |r| &*r.name);
        let brand = n.rules.brand(n.transition.group.key);
        let named = || brand.is_some_and(|b| self.brands.iter().any(|s| **s == *b.slug));
        let has = |(name, value): (&String, &String)| label(n, name) == Some(value);
        self.takes(alert, severity) && (self.brands.is_empty() || named()) && self.labels.iter().all(has)
    }

    fn takes(&self, alert: &str, severity: Severity) -> bool {
        self.least.is_none_or(|least| severity >= least)
            && (self.alerts.is_empty() || self.alerts.iter().any(|a| a == alert))
    }

    /// Whether it is met by everything.
    pub fn is_all(&self) -> bool {
        *self == Match::default()
    }
}

/// A label of the brand, or of the first of its groups that has one of this name.
fn label<'n>(n: &'n Notice, name: &str) -> Option<&'n String> {
    let key = n.transition.group.key;
    let own = n.rules.brand(key).and_then(|b| b.labels.get(name));
    let groups = || n.rules.groups_of(key);
    own.or_else(|| groups().find_map(|g| g.labels.get(name)))
}

/// Where messages of one kind go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Route {
    /// Which it takes.
    pub when: Match,
    /// Names of receivers, all of which are told.
    pub to: Vec<Arc<str>>,
    /// Names of receivers that are told in turn if one of `to` does not take a page.
    pub then: Vec<Arc<str>>,
    /// How long news that are no page wait for more of the same; `None`: as long as usual.
    pub group_wait: Option<Span>,
    /// Whether later routes are looked at too.
    pub goes_on: bool,
    /// Routes for some of its messages; where one takes a message, it decides instead of this one. What they
    /// leave out they have of this one.
    pub routes: Vec<Route>,
}

/// A receiver of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Routed {
    /// Its name.
    pub receiver: Arc<str>,
    /// Who is told in turn if it does not take a page.
    pub then: Vec<Arc<str>>,
    /// How long news that are no page wait for more of the same.
    pub wait: Option<Span>,
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
    /// The receivers of a message, each once: those its rule names, else those of the routes, in their order; all
    /// of them where neither names one.
    pub fn receivers(&self, message: &Message) -> Vec<Routed> {
        let mut out = Vec::new();
        if let Message::Episode(n) = message
            && let Some(rule) = n.rules.rules.get(n.transition.rule as usize)
        {
            let known = self.all.iter().filter(|r| rule.notify.iter().any(|name| **name == ***r));
            out.extend(known.map(|r| Routed { receiver: r.clone(), then: Vec::new(), wait: None }));
        }
        if out.is_empty() {
            follow(&self.routes, message, (&[], None), &mut out);
        }
        if out.is_empty() {
            let all = self.all.iter();
            out.extend(all.map(|r| Routed { receiver: r.clone(), then: Vec::new(), wait: None }));
        }
        out
    }
}

/// Whether a route took it.
fn follow(routes: &[Route], message: &Message, inherited: (&[Arc<str>], Option<Span>), out: &mut Vec<Routed>) -> bool {
    let mut taken = false;
    for route in routes.iter().filter(|r| r.when.matches(message)) {
        taken = true;
        let then = if route.then.is_empty() { inherited.0 } else { &route.then };
        let wait = route.group_wait.or(inherited.1);
        if !follow(&route.routes, message, (then, wait), out) {
            for name in &route.to {
                if !out.iter().any(|r| r.receiver == *name) {
                    let then = then.iter().filter(|t| *t != name).cloned().collect();
                    out.push(Routed { receiver: name.clone(), then, wait });
                }
            }
        }
        if !route.goes_on {
            break;
        }
    }
    taken
}

/// Whether people are told of a single change: of firing and of its end. Machines are told of every step.
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
        let told: Vec<String> = routes.receivers(message).iter().map(|r| r.receiver.to_string()).collect();
        told.join(" ")
    }

    fn to(receivers: &[&str]) -> Route {
        Route { to: names(receivers), ..Route::default() }
    }

    fn when(when: Match) -> Route {
        Route { when, ..to(&["c"]) }
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
        let other = when(Match { alerts: vec!["Other".into()], ..Match::default() });
        assert_eq!(told(&[Route { to: names(&["a"]), ..other }], &page), "a b c");
        assert_eq!(told(&[to(&[])], &page), "a b c");
    }

    #[test]
    fn a_tree_is_followed_to_its_leaves() {
        let page = notice("page", "inactive", "firing");
        let alert = |name: &str| Match { alerts: vec![name.into()], ..Match::default() };
        let leaf = Route { when: alert("Surge"), ..to(&["b"]) };
        let other = Route { when: alert("Other"), ..to(&["a"]) };
        let tree = Route {
            then: names(&["a", "b"]),
            group_wait: Some(Span::seconds(5)),
            routes: vec![other, leaf.clone()],
            ..to(&["c"])
        };
        let routes = Routes { routes: vec![tree.clone()], all: names(&["a", "b", "c"]) };
        let routed = routes.receivers(&page);
        assert_eq!(routed, [Routed { receiver: "b".into(), then: names(&["a"]), wait: Some(Span::seconds(5)) }]);
        // where no leaf takes it, the branch does
        assert_eq!(told(&[tree], &of(1, "delta")), "a", "Other has a leaf");
        assert_eq!(told(&[Route { routes: vec![leaf], ..to(&["c"]) }], &source(true)), "c");
    }

    #[test]
    fn labels_are_those_of_the_brand_s_groups() {
        let page = crate::notify::tests::grouped();
        let team = |value: &str| Match { labels: [("team".into(), value.into())].into(), ..Match::default() };
        assert_eq!(told(&[when(team("care"))], &page), "c");
        assert_eq!(told(&[when(team("press"))], &page), "a b c");
        assert_eq!(told(&[when(team("care"))], &source(true)), "a b c");
    }

    #[test]
    fn every_condition_must_be_met() {
        let route = |least: &str, alert: &str, brand: &str| {
            when(Match {
                least: Severity::ALL.into_iter().find(|s| s.name() == least),
                alerts: vec![alert.into()],
                brands: vec![brand.into()],
                ..Match::default()
            })
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
        let least = |least| when(Match { least: Some(least), ..Match::default() });
        for (route, source_told, episode_told) in [
            (to(&["c"]), "c", "c"),
            (least(Severity::Warn), "c", "c"),
            (least(Severity::Page), "a b c", "c"),
            (when(Match { alerts: vec!["SourceDown".into()], ..Match::default() }), "c", "a b c"),
            (when(Match { brands: vec!["united".into()], ..Match::default() }), "a b c", "c"),
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
