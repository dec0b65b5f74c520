//! Files with tests of rules: read whole, with all mistakes at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::event::{Event, What, event, files};
use super::expectation::{Expectation, Known};
use super::generate::expected;
use super::rules::Parts;
use super::voice::SOURCE;
use super::{keys, reading};
use crate::app::files::read_text;
use crate::base::fault::{Fault, Place};
use crate::base::hash;
use crate::base::limits;
use crate::base::rule::RuleSet;
use crate::base::time::{Span, Time};
use crate::base::yaml::{Data, Node, Reader};

/// When tests begin of which nothing is said: a Monday. Everything is invented, the date too.
const START: Time = Time(1_767_571_200_000_000);

/// The tests of one file.
pub struct TestFile {
    /// Its path as given.
    pub file: Arc<str>,
    /// Its tests, in the order written.
    pub tests: Vec<Test>,
}

/// One test.
pub struct Test {
    /// What it shows.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    pub(super) seed: u64,
    pub(super) start: Time,
    pub(super) rules: Arc<RuleSet>,
    /// Rule sets that come into force in the middle, by the place of their event among the events.
    pub(super) others: BTreeMap<usize, Arc<RuleSet>>,
    pub(super) events: Vec<Event>,
    pub(super) expect: Vec<Expectation>,
}

impl Test {
    /// How long it lasts: until the last that happens or is expected is over.
    pub(super) fn length(&self) -> Span {
        let events = self.events.iter().map(Event::end);
        let ends = events.chain(self.expect.iter().flat_map(Expectation::moments));
        ends.max().unwrap_or(Span::ZERO).min(limits::TEST_SPAN)
    }
}

/// Reads a file with tests, and the rules they are for.
///
/// # Errors
/// All mistakes of all these files.
pub fn read(path: &Path) -> Result<TestFile, Vec<Fault>> {
    let source = read_text(path).map_err(|f| vec![f])?;
    let mut r = Reader::new(&source.file, &source.text);
    let tree = r.tree(&source.text);
    let Some(root) = tree else {
        if r.faults.is_empty() {
            r.faults.push(Fault::new(format!("expected tests in {}, found an empty file", source.file)));
        }
        return Err(r.faults);
    };
    let fields = r.fields(&root, "a test file", &keys::TESTS.allowed());
    let parts = Parts::new(&mut r, path, &root, &source.text);
    let start = fields.get("start").and_then(|n| start(&mut r, n)).unwrap_or(START);
    let named = match fields.get("rules") {
        Some(n) => files(&mut r, n),
        None => beside(path).map(|name| (name, r.place(&root))).into_iter().collect(),
    };
    let mut faults = Vec::new();
    let mut load = |files: &[(String, Place)]| match parts.load(files) {
        Ok(rules) => Some(rules),
        Err(more) => {
            more.into_iter()
                .filter(|f| !faults.contains(f))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|f| faults.push(f));
            None
        }
    };
    let rules = load(&named);
    let mut tests: Vec<Test> = Vec::new();
    match fields.get("tests") {
        None => drop(r.fault(&root, "expected `tests` in a test file, found none")),
        Some(list) => {
            for item in r.items(list, "tests") {
                if tests.len() >= limits::TESTS {
                    r.fault(item, format!("expected at most {} tests, found more", limits::TESTS));
                    break;
                }
                let found = test(&mut r, item, start, rules.as_ref(), &mut load);
                if let Some(same) = found.as_ref().and_then(|t| tests.iter().find(|o| o.name == t.name)) {
                    r.fault(
                        item,
                        format!("expected test `{}` once, found it again (first at {})", same.name, same.place),
                    );
                    continue;
                }
                tests.extend(found);
            }
        }
    }
    faults.append(&mut r.faults);
    faults.truncate(limits::FAULTS);
    if faults.is_empty() { Ok(TestFile { file: source.file.as_str().into(), tests }) } else { Err(faults) }
}

/// The rule files that a file with tests names; none where it cannot be read.
pub fn named(path: &Path) -> Vec<PathBuf> {
    let Ok(source) = read_text(path) else { return Vec::new() };
    let tree = Reader::new(&source.file, &source.text).tree(&source.text);
    let mut names = Vec::new();
    if let Some(root) = &tree {
        let tests = of(root, "tests").into_iter().flat_map(items);
        let events = tests.filter_map(|t| of(t, "events")).flat_map(items);
        for list in events.chain([root]).filter_map(|n| of(n, "rules")) {
            let one = |n: &Node| if let Data::Scalar(s, _) = &n.data { Some(s.clone()) } else { None };
            names.extend(items(list).iter().chain([list]).filter_map(one));
        }
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    names.iter().take(limits::TEST_ITEMS).map(|name| folder.join(name)).collect()
}

fn items(node: &Node) -> &[Node] {
    if let Data::Seq(items) = &node.data { items } else { &[] }
}

/// The rule file that a test file is for, if nothing is said: `x.yaml` of `x.test.yaml`.
fn beside(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".test.yaml").or(name.strip_suffix(".yaml"))?;
    let other = format!("{stem}.yml");
    let is = |name: &str| path.with_file_name(name).is_file();
    Some(format!("{stem}.yaml")).filter(|name| is(name) || !is(&other)).or(Some(other))
}

fn start(r: &mut Reader, node: &Node) -> Option<Time> {
    let found = r.text(node, "`start`").and_then(Time::parse_rfc3339);
    if found.is_none() {
        r.fault(node, format!("expected `start` as a time, found {}", node.shown())).hint =
            Some("write RFC 3339, for example 2026-07-04T08:00:00Z".into());
    }
    found
}

type Load<'l> = &'l mut dyn FnMut(&[(String, Place)]) -> Option<Arc<RuleSet>>;

fn test(r: &mut Reader, node: &Node, start: Time, rules: Option<&Arc<RuleSet>>, load: Load<'_>) -> Option<Test> {
    let before = r.faults.len();
    let fields = r.fields(node, "a test", &keys::TEST.allowed());
    if !matches!(node.data, Data::Map(_)) {
        return None;
    }
    let name = match fields.get("name") {
        Some(n) => r.text(n, "a test's name").map(str::to_string),
        None => {
            r.fault(node, "expected `name` in a test, found none");
            None
        }
    };
    let seed = fields.get("seed").and_then(|n| reading::count(r, n, "`seed`", 1 << 52));
    let ids = fields.get("events").map(|n| ids(n)).unwrap_or_default();
    let mut events = Vec::new();
    for item in some(r, node, fields.get("events").copied(), "events") {
        events.extend(event(r, item, start, rules.map(|r| &**r), &ids));
    }
    let mut others = BTreeMap::new();
    for (at, e) in events.iter().enumerate() {
        if let What::Rules(files) = &e.what {
            others.extend(load(files).map(|rules| (at, rules)));
        }
    }
    let sources = sources(&events);
    lost_sources(r, fields.get("events").copied(), &sources);
    let sets: Vec<&RuleSet> = rules.into_iter().chain(others.values()).map(|s| &**s).collect();
    let known = rules.map(|_| Known { sets, sources: &sources });
    let mut expect = Vec::new();
    for item in some(r, node, fields.get("expect").copied(), "expect") {
        expect.extend(Expectation::read(r, item, start, known.as_ref()));
    }
    drop(known);
    repeated_ids(r, node, &ids);
    let posts = expected(&events);
    if posts > limits::TEST_POSTS as f64 {
        r.fault(node, format!("expected at most {} posts in a test, found about {posts:.0}", limits::TEST_POSTS));
    }
    let (name, rules) = (name?, rules?.clone());
    let seed = seed.unwrap_or_else(|| hash::parts(&[b"test", name.as_bytes()]));
    let place = r.place(node);
    (r.faults.len() == before).then_some(Test { name, place, seed, start, rules, others, events, expect })
}

/// Where posts come from.
fn sources(events: &[Event]) -> BTreeSet<String> {
    let of = |e: &Event| match &e.what {
        What::Crowd(c) => {
            let own = c.own.iter().filter_map(|(source, _)| source.clone());
            c.voice.sources.iter().map(|(name, _)| name.clone()).chain(own).collect()
        }
        What::Post(p) => vec![p.source.clone().unwrap_or_else(|| SOURCE.to_string())],
        _ => Vec::new(),
    };
    events.iter().flat_map(of).collect()
}

/// Sources that are lost, but nothing comes from.
fn lost_sources(r: &mut Reader, events: Option<&Node>, sources: &BTreeSet<String>) {
    let Some(Data::Seq(items)) = events.map(|n| &n.data) else { return };
    let known: Vec<&str> = sources.iter().map(String::as_str).collect();
    // without any, the events have mistakes that are told
    for named in items.iter().filter(|e| of(e, "down").is_some() && !known.is_empty()).filter_map(|e| of(e, "source")) {
        if let Data::Scalar(s, _) = &named.data
            && !known.contains(&s.as_str())
        {
            reading::unknown(r, named, "a source that posts of this test come from", &known);
        }
    }
}

/// The items of a list that must hold some.
fn some<'n>(r: &mut Reader, node: &Node, list: Option<&'n Node>, name: &str) -> &'n [Node] {
    let Some(list) = list else {
        r.fault(node, format!("expected `{name}` in a test, found none"));
        return &[];
    };
    let items = r.items(list, &format!("`{name}`"));
    if let Some(item) = items.get(limits::TEST_ITEMS) {
        r.fault(item, format!("expected at most {} of `{name}`, found more", limits::TEST_ITEMS));
        return &[];
    }
    if items.is_empty() && matches!(list.data, Data::Seq(_)) {
        r.fault(list, format!("expected `{name}`, found an empty list"));
    }
    items
}

/// The ids of all posts that are written out.
fn ids(events: &Node) -> Vec<String> {
    let Data::Seq(items) = &events.data else { return Vec::new() };
    let posts = items.iter().filter_map(|e| of(e, "post"));
    posts.filter_map(|p| if let Data::Scalar(s, _) = &of(p, "id")?.data { Some(s.clone()) } else { None }).collect()
}

fn of<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Data::Map(pairs) = &node.data else { return None };
    pairs.iter().find(|(k, _)| matches!(&k.data, Data::Scalar(s, _) if s == name)).map(|(_, v)| v)
}

fn repeated_ids(r: &mut Reader, node: &Node, ids: &[String]) {
    let mut sorted: Vec<&String> = ids.iter().collect();
    sorted.sort_unstable();
    if let Some([id, _]) = sorted.windows(2).find(|two| two[0] == two[1]) {
        r.fault(node, format!("expected the id `{id}` once in a test, found it again"));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const RULES: &str = "rules:\n  - {alert: Many, when: 'mentions[10m] >= 5', severity: warn}\n";

    fn load(text: &str) -> Result<TestFile, Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("r.yaml"), RULES).unwrap();
        std::fs::write(dir.path().join("other.yaml"), RULES.replace("Many", "Others")).unwrap();
        let path = dir.path().join("r.test.yaml");
        std::fs::write(&path, text).unwrap();
        let short = |f: &Fault| f.to_string().replace(&format!("{}/", dir.path().display()), "");
        read(&path).map_err(|faults| faults.iter().map(short).collect())
    }

    /// A test of these events, of which nothing is expected but silence.
    pub(in crate::app::testing) fn of(events: &str) -> Test {
        let text = format!("tests:\n  - name: t\n    events: [{events}]\n    expect: [{{alert: Many, never: true}}]\n");
        load(&text).map(|mut f| f.tests.remove(0)).unwrap_or_else(|f| panic!("{f:#?}"))
    }

    fn mistakes(events: &str, expect: &str) -> Vec<String> {
        let text = format!("tests:\n  - name: t\n    events: [{events}]\n    expect: [{expect}]\n");
        load(&text).err().unwrap_or_default()
    }

    #[test]
    fn all_mistakes_are_told_with_their_places() {
        let text = "rulse: x\nvars: {big: soon}\ntests:\n  - name: a\n    events:\n      - {from: soon, for: 1h, rate: 2}\n      \
                    - {at: 1d, shares: 3, of: y}\n    expect:\n      - {alert: Mayn, firing by: never}\n  - nmae: b\n";
        let found = load(text).err().unwrap();
        for expected in [
            "r.test.yaml:1:1: error: expected a key of a test file, found `rulse`\n  hint: did you mean `rules`?",
            "r.test.yaml:2:13: error: expected a number, found `soon`",
            "r.test.yaml:6:16: error: expected `from` as a moment",
            "r.test.yaml:6:37: error: expected `rate` as posts in a time, found `2`",
            "r.test.yaml:7:9: error: expected `for`, how long it lasts, found none",
            "r.test.yaml:7:33: error: expected the id of a `post` of this test, found `y`",
            "r.test.yaml:9:34: error: expected `firing by` as a moment",
            "r.test.yaml:10:5: error: expected a key of a test, found `nmae`\n  hint: did you mean `name`?",
            "r.test.yaml:10:5: error: expected `events` in a test, found none",
        ] {
            assert!(found.iter().any(|f| f.starts_with(expected)), "{expected}\n{found:#?}");
        }
    }

    #[test]
    fn names_of_alerts_are_those_of_the_rules() {
        let found = mistakes("{at: 1d}", "{alert: Mayn}");
        assert!(found[0].contains("found `Mayn`\n  hint: did you mean `Many`?"), "{found:?}");
        assert!(mistakes("{at: 1d, rules: other.yaml}", "{alert: Others}").is_empty());
        assert!(mistakes("{at: 1d, rules: nowhere.yaml}", "{alert: Many}")[0].contains("nowhere.yaml"));
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        for (event, expected) in [
            ("{at: 1d, rate: 2/min, for: 1h, shares: 3}", "expected one thing an event"),
            ("{at: 1d, from: 1d}", "expected `at` or `from`"),
            ("{at: 1d, negative: 20%}", "expected `negative` beside one of rate"),
            ("{at: 1d, down: 1h, source: s, rhythm: 50%}", "expected no `rhythm` beside `down`"),
            ("{at: 1d, down: 1h}", "expected `source`"),
            ("{at: 1d, for: 1h, rate: 1/h, negative: 80%, positive: 30%}", "expected at most 100%"),
            (
                "{at: 1d, for: 1h, rate: 1/h, texts: [a], negative: 1}",
                "expected no `negative` beside texts of your own",
            ),
            ("{at: 1d, for: 1h, rate: 1/h, negative: 2}", "expected `negative` as a part"),
            ("{at: 1d, for: 1h, rate: 9M/s}", "expected at most 2000000 posts"),
            ("{at: 1d, for: 500d, rate: 1/h}", "expected `for` as a duration up to 400d"),
            ("{at: 1d, for: 1h, rate: 1/h, brand: acne}", "did you mean `acme`?"),
            ("{at: 1d, for: 1h, rate: 1/h, followers: {median: x}}", "expected `median` as a number"),
            ("{at: 1d, post: {kind: reply}}", "expected `parent` of a reply"),
            ("{at: 1d, post: {kind: like}}", "expected a kind of post"),
            ("{at: 1d, post: {author: ''}}", "expected `author`, found an empty text"),
            (
                "{from: 300d, for: 300d, posts: 2}",
                "expected an event that is over 400d after the start, found one until 600d",
            ),
            (
                "{at: 1d, post: {id: a}}, {at: 1d, source: blusky, down: 1h}",
                "posts of this test come from, found `blusky`",
            ),
            ("{at: 1d, post: {id: a}}, {at: 2d, post: {id: a}}", "expected the id `a` once"),
        ] {
            let found = mistakes(event, "{alert: Many}");
            assert!(found.iter().any(|f| f.contains(expected)), "{event}: {found:#?}");
        }
        for (expect, expected) in [
            ("{alert: Many, never: true, severity: page}", "expected no `severity` of an alert that never fires"),
            ("{alert: Many, never: true, episodes: 1}", "expected `never` or `episodes`"),
            ("{alert: Many, firing by: 1h, not firing before: 2h}", "expected `not firing before` of at most 1h"),
            ("{alert: Many, episodes: 1.5}", "expected `episodes` as a whole number"),
            ("{alert: Many, severity: high}", "expected a severity"),
            ("{alert: Many, group: {brand: acne}}", "did you mean `acme`?"),
            ("{alert: Many, group: {source: generated}}", "expected what Many tells apart, found `source`"),
            ("{alert: Many, group: {cause: xyz}}", "expected a cause, found `xyz`"),
            ("{alert: Many, group: {tag: a-b}}", "expected a hashtag, found `a-b`"),
        ] {
            let found = mistakes("{at: 1d}", expect);
            assert!(found.iter().any(|f| f.contains(expected)), "{expect}: {found:#?}");
        }
    }

    #[test]
    fn garbage_is_a_fault_and_no_panic() {
        for text in [
            "",
            "[",
            "- a",
            "tests",
            "tests: 5",
            "tests: []\nrules: {}",
            "{tests: [], vars: {}}",
            "tests: [[]]",
            "\u{0}",
            "tests: [{name: x, events: 1, expect: {}}]",
            "tests: [{name: [], events: [[]], expect: [x]}]",
            "a: *x",
            "brands: []\ntests: []",
        ] {
            assert!(load(text).err().is_none_or(|f| !f.is_empty()), "{text}");
        }
        assert!(["", "[", "- a", "tests", "a: *x"].iter().all(|t| load(t).is_err()));
        let many = "{at: 1s},".repeat(limits::TEST_ITEMS + 1);
        assert!(mistakes(&many, "{alert: Many}")[0].contains("expected at most 1000 of `events`"));
    }

    #[test]
    fn brands_and_lists_may_stand_in_place() {
        let text = "brands:\n  b1: {query: beta, own: [care]}\nvars: {x: 5}\nstart: 2026-07-04T08:00:00Z\ntests:\n  - name: t\n    \
                    events: [{at: 2026-07-04T09:00:00Z, post: {author: a}}]\n    expect: [{alert: Many, never: true}]\n";
        let file = load(text).unwrap();
        let test = &file.tests[0];
        assert_eq!((&*test.rules.brands[0].slug, test.length()), ("b1", Span::seconds(3600)));
        let found = load(&text.replace("query", "qeury")).err().unwrap();
        assert!(found.iter().any(|f| f.starts_with("r.test.yaml:2:8: error: expected a key of")), "{found:#?}");
        let braces =
            "{brands: {b1: {query: beta}},\n tests: [{name: t, events: [{at: 1d}], expect: [{alert: Many}]}]}\n";
        let found = load(braces).err().unwrap();
        assert!(found[0].contains("r.test.yaml:1:1: error: expected keys at the top without braces"), "{found:#?}");
    }

    #[test]
    fn the_rule_files_it_names_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.test.yaml");
        std::fs::write(&path, "rules: [a.yaml, b/c.yaml]\ntests: [{events: [{at: 1d, rules: d.yaml}, {at: 2d}]}]\n")
            .unwrap();
        let found: Vec<String> =
            named(&path).iter().map(|p| p.strip_prefix(dir.path()).unwrap().display().to_string()).collect();
        assert_eq!(found, ["d.yaml", "a.yaml", "b/c.yaml"]);
        assert_eq!(named(&dir.path().join("nowhere")), Vec::<PathBuf>::new());
    }
}
