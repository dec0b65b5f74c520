//! What a test expects of an alert, as its file says it.

use std::collections::BTreeSet;

use super::keys;
use super::reading::{self, told};
use crate::base::fault::Place;
use crate::base::limits;
use crate::base::model::{Cause, Severity};
use crate::base::rule::{Dim, RuleSet};
use crate::base::tags::tag_of;
use crate::base::time::{Span, Time};
use crate::base::yaml::{Fields, Node, Reader};

/// What is expected of an alert. Moments count from the start of the test.
#[derive(Clone, Debug)]
pub(super) struct Expectation {
    pub(super) alert: String,
    /// Where it stands.
    pub(super) place: Place,
    pub(super) by: Option<(Span, Place)>,
    pub(super) not_before: Option<(Span, Place)>,
    pub(super) severity: Option<(Severity, Place)>,
    pub(super) resolved: Option<(Span, Place)>,
    pub(super) not_over: Option<(Span, Place)>,
    pub(super) episodes: Option<(u64, Place)>,
    pub(super) top: Option<(String, Place)>,
    pub(super) message: Vec<(String, Place)>,
    pub(super) group: Only,
}

/// Which episodes it is about; `None` means all.
#[derive(Clone, Debug, Default)]
pub(super) struct Only {
    pub(super) brand: Option<String>,
    pub(super) story: Option<String>,
    pub(super) source: Option<String>,
    pub(super) lang: Option<String>,
    pub(super) cause: Option<String>,
    pub(super) tag: Option<String>,
}

impl Expectation {
    /// Whether it expects that the alert fires.
    pub(super) fn fires(&self) -> bool {
        self.episodes.as_ref().is_none_or(|(n, _)| *n > 0)
    }

    /// The moments it names.
    pub(super) fn moments(&self) -> impl Iterator<Item = Span> + '_ {
        [&self.not_before, &self.by, &self.not_over, &self.resolved].into_iter().flatten().map(|(at, _)| *at)
    }

    /// Reads one. `known` are the rule sets under test, if they are sound, and the sources posts come from.
    pub(super) fn read(r: &mut Reader, node: &Node, start: Time, known: Option<&Known>) -> Option<Expectation> {
        let before = r.faults.len();
        let fields = r.fields(node, "an expectation", &keys::EXPECT.allowed());
        let Some(named) = fields.get("alert") else {
            r.fault(node, "expected `alert`, the name of a rule, found none");
            return None;
        };
        let alert = r.text(named, "the name of a rule")?.to_string();
        if let Some(k) = known.filter(|k| !k.alerts().any(|a| a == alert)) {
            reading::unknown(r, named, "the name of a rule under test", &k.alerts().collect::<Vec<_>>());
        }
        let moment = |r: &mut Reader, name: &str| {
            let n = fields.get(name)?;
            reading::moment(r, n, &format!("`{name}`"), start).map(|at| (at, r.place(n)))
        };
        let (by, not_before) = (moment(r, "firing by"), moment(r, "not firing before"));
        let (resolved, not_over) = (moment(r, "resolved by"), moment(r, "not resolved before"));
        let words = Severity::ALL.map(|s| (s.name(), s));
        let severity =
            fields.get("severity").and_then(|n| Some((reading::word(r, n, "a severity", &words)?, r.place(n))));
        let mut episodes =
            fields.get("episodes").and_then(|n| Some((reading::count(r, n, "`episodes`", 100_000)?, r.place(n))));
        if let Some(n) = fields.get("never").filter(|n| r.boolean(n, "`never`")) {
            if fields.contains_key("episodes") {
                r.fault(n, "expected `never` or `episodes`, found both");
            }
            episodes = Some((0, r.place(n)));
        }
        let top = fields.get("top post").and_then(|n| Some((r.text(n, "`top post`")?.to_string(), r.place(n))));
        let message = fields.get("message contains").map(|n| texts(r, n)).unwrap_or_default();
        let group = fields.get("group").map(|n| Only::read(r, n, &alert, known)).unwrap_or_default();
        let place = r.place(named);
        let e =
            Expectation { alert, place, by, not_before, severity, resolved, not_over, episodes, top, message, group };
        e.contradictions(r, &fields);
        (r.faults.len() == before).then_some(e)
    }

    fn contradictions(&self, r: &mut Reader, fields: &Fields) {
        if let (Some((by, _)), Some((before, _)), Some(n)) =
            (&self.resolved, &self.not_over, fields.get("not resolved before"))
            && before > by
        {
            let what = format!(
                "expected `not resolved before` of at most {}, when it is to be over, found {}",
                told(*by),
                told(*before)
            );
            r.fault(n, what);
        }
        if let (Some((by, _)), Some((before, _))) = (&self.by, &self.not_before)
            && before > by
            && let Some(n) = fields.get("not firing before")
        {
            r.fault(
                n,
                format!(
                    "expected `not firing before` of at most {}, when it is to fire, found {}",
                    told(*by),
                    told(*before)
                ),
            );
        }
        if self.fires() {
            return;
        }
        let said = [
            "firing by",
            "not firing before",
            "severity",
            "resolved by",
            "not resolved before",
            "top post",
            "message contains",
        ];
        for (name, n) in said.iter().filter_map(|name| Some((name, fields.get(name)?))) {
            r.fault(n, format!("expected no `{name}` of an alert that never fires, found one"));
        }
    }
}

fn texts(r: &mut Reader, node: &Node) -> Vec<(String, Place)> {
    let items = r.items(node, "`message contains`");
    let some = items.iter().take(limits::TEST_ITEMS);
    some.filter_map(|n| Some((r.text(n, "a text")?.to_string(), r.place(n)))).collect()
}

/// What expectations can be about.
pub(super) struct Known<'k> {
    /// The rule sets under test.
    pub(super) sets: Vec<&'k RuleSet>,
    /// Where posts of the test come from.
    pub(super) sources: &'k BTreeSet<String>,
}

impl Known<'_> {
    fn alerts(&self) -> impl Iterator<Item = &str> {
        self.sets.iter().flat_map(|s| s.rules.iter().map(|r| r.name.as_str()))
    }

    /// What the rules of a name tell apart.
    fn dims(&self, alert: &str) -> BTreeSet<Dim> {
        let rules = self.sets.iter().flat_map(|s| &s.rules).filter(|r| r.name == alert);
        rules.flat_map(|r| r.by.iter().copied()).collect()
    }
}

impl Only {
    /// Whether it is about all episodes.
    pub(super) fn is_all(&self) -> bool {
        [&self.brand, &self.story, &self.source, &self.lang, &self.cause, &self.tag].into_iter().all(Option::is_none)
    }

    fn read(r: &mut Reader, node: &Node, alert: &str, known: Option<&Known>) -> Only {
        let fields = r.fields(node, "a group", &keys::GROUP.allowed());
        let mut text = |name: &str| fields.get(name).and_then(|n| r.text(n, name).map(str::to_string));
        let mut out = Only {
            brand: text("brand"),
            story: text("story"),
            source: text("source"),
            lang: text("lang"),
            cause: text("cause"),
            tag: text("tag"),
        };
        if let Some((tag, n)) = out.tag.as_mut().zip(fields.get("tag")) {
            match tag_of(tag) {
                Some(folded) => *tag = folded,
                None => drop(r.fault(n, format!("expected a hashtag, found {}", n.shown()))),
            }
        }
        let causes = Cause::ALL.map(Cause::name);
        if let Some(n) = fields.get("cause").filter(|_| out.cause.as_deref().is_some_and(|c| !causes.contains(&c))) {
            reading::unknown(r, n, "a cause", &causes);
        }
        if let Some(known) = known {
            out.misspelt(r, &fields, alert, known);
        }
        out
    }

    /// What no episode of the rule can be about: an expectation of that would say nothing.
    fn misspelt(&self, r: &mut Reader, fields: &Fields, alert: &str, known: &Known) {
        let dims = known.dims(alert);
        for dim in [Dim::Story, Dim::Source, Dim::Lang, Dim::Cause, Dim::Tag] {
            if let Some(n) = fields.get(dim.name()).filter(|_| !dims.is_empty() && !dims.contains(&dim)) {
                let by: Vec<&str> = dims.iter().map(|d| d.name()).collect();
                r.fault(n, format!("expected what {alert} tells apart, found `{}`", dim.name())).hint =
                    Some(format!("its `by` is {}", by.join(", ")));
            }
        }
        let brands = || known.sets.iter().flat_map(|s| s.brands.iter().map(|b| &*b.slug));
        if let Some((_, n)) = self.brand.as_deref().zip(fields.get("brand")).filter(|(b, _)| !brands().any(|k| k == *b))
        {
            reading::unknown(r, n, "the key of a brand or group", &brands().collect::<Vec<_>>());
        }
        if let Some((_, n)) =
            self.source.as_deref().zip(fields.get("source")).filter(|(s, _)| !known.sources.contains(*s))
        {
            let sources: Vec<&str> = known.sources.iter().map(String::as_str).collect();
            reading::unknown(r, n, "a source of this test", &sources);
        }
    }
}
